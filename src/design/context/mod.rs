//! Figma's nodes in, a compact description of the design out.
//!
//! One pass over an answer ([`Collector`], fed by [`crate::walk`]) leaves a pruned tree of facts in ready
//! words, each aspect read by a file of its own: `layout`, `paint`, `text`, `component`, `prototype`,
//! `dev`, `variables`. [`describe`] then chooses what fits (`view`, `budget`), finds what repeats
//! (`lines`, `names`) and writes it (`print`). The same answer always gives the same bytes.

mod budget;
mod collapse;
mod collect;
mod component;
mod cost;
mod dev;
mod draft;
mod facts;
mod finish;
pub mod ids;
mod layout;
mod legend;
mod lines;
mod model;
mod names;
mod paint;
mod place;
mod print;
mod prototype;
mod raw;
mod reader;
mod share;
mod structured;
mod text;
mod title;
mod variables;
mod view;
mod words;

use std::collections::HashMap;

pub use collect::Collector;
pub use model::{Design, Group};
pub use variables::{Origin, VariableNames};

/// The form of a description.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// A line a node: the shortest.
    #[default]
    Tree,
    /// An object a node.
    Json,
    /// The same as YAML.
    Yaml,
}

/// What a description is to hold.
#[derive(Debug, Clone)]
pub struct Options {
    /// What is described.
    pub include: Vec<Group>,
    /// Levels below the nodes that were asked for; `None` for all.
    pub depth: Option<u32>,
    /// The description is no longer than this.
    pub max_bytes: usize,
    /// Its form.
    pub format: Format,
    /// The names of variables, as far as they are known.
    pub variables: VariableNames,
    /// Comments by the id of the node that they are pinned to, each ready to be written.
    pub comments: HashMap<String, Vec<String>>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            include: Group::ALL.into_iter().filter(|group| *group != Group::Comments).collect(),
            depth: None,
            max_bytes: usize::MAX,
            format: Format::Tree,
            variables: VariableNames::default(),
            comments: HashMap::new(),
        }
    }
}

/// A description.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// The text.
    pub text: String,
    /// How many nodes are folded away: they did not fit, or lay deeper than asked.
    pub folded: u64,
}

/// Foreign text as it stands in descriptions: in quotation marks, on one line.
#[must_use]
pub fn quoted(text: &str) -> String {
    words::quoted(text)
}

/// Describes a design.
#[must_use]
pub fn describe(design: &Design, options: &Options) -> Description {
    let mut view = view::View::all(design);
    let fitted = budget::fit(&mut view, options);
    Description { text: fitted.text, folded: fitted.folded }
}
