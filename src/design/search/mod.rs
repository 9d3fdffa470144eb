//! Finds nodes of a file: by name, text, component, style, variable, type, size and dev status.
//!
//! One pass, and only what can be shown is kept. The names of components and styles come after the
//! document, so nodes are counted by what they use, and which of those counts is decided at the end.

mod finish;
mod print;
mod question;
#[cfg(test)]
mod tests;
mod visit;

pub use question::{Field, Question, Size};
pub use visit::Search;

use super::{fold::Fit, pieces::Area};

/// A node that was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    /// Its id.
    pub id: String,
    /// Its type.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// The names of what it lies in, from the page down.
    pub path: Vec<String>,
    /// Its box.
    pub area: Option<Area>,
    /// Whether it, or something that it lies in, is switched off.
    pub is_hidden: bool,
    /// `READY_FOR_DEV` or `COMPLETED`.
    pub dev_status: Option<String>,
    /// The part of its text that was looked for.
    pub text: Option<String>,
    /// The component that it is an instance of.
    pub component: Option<String>,
    /// Where the query was found, and how well; and the name, where it is not the node's own.
    pub found: Option<(Field, Fit, Option<String>)>,
    order: Order,
}

/// What comes first among equals: what can be seen, components, what is less deep, what is earlier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Order {
    is_hidden: bool,
    kind: u8,
    depth: usize,
    number: u64,
}

/// What was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// The file's name.
    pub file: String,
    /// How many nodes there are altogether.
    pub total: usize,
    /// The best, from the question's offset on.
    pub hits: Vec<Hit>,
}
