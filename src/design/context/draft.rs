//! A node while its members arrive, until its end makes it a [`Node`](super::model::Node).

use super::{
    layout::Members,
    model::{Fact, Key, Kind, Span, Symbol},
    text::Runs,
};

/// What is known of a node so far.
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts, not states")]
pub(super) struct Draft {
    pub(super) id: Span,
    pub(super) name: Symbol,
    pub(super) kind: Kind,
    /// How many nodes were kept when it began: what came since lies in it.
    pub(super) first: usize,
    pub(super) is_hidden: bool,
    pub(super) is_too_deep: bool,
    /// A property of the component around it decides whether it shows.
    pub(super) is_shown_by_property: bool,
    pub(super) is_in_component: bool,
    pub(super) facts: Vec<Fact>,
    pub(super) layout: Members,
    /// The number of what it is bound to; 0 for nothing.
    pub(super) bound: u32,
    pub(super) styles: Styles,
    pub(super) stroke: StrokeMembers,
    pub(super) corners: Corners,
    pub(super) mask: Option<&'static str>,
    /// The number of its text style; 0 for none.
    pub(super) text_style: u32,
    pub(super) characters: Option<String>,
    /// Few texts have any.
    pub(super) runs: Option<Box<Runs>>,
    pub(super) interactions: Option<Box<[u8]>>,
    pub(super) transition: Option<Box<str>>,
    pub(super) connector: Option<Box<Connector>>,
    pub(super) children: Vec<u32>,
    pub(super) hidden: u32,
    pub(super) too_deep: u32,
}

/// What a connector says of itself, from its start to its end.
#[derive(Debug, Default)]
pub(super) struct Connector {
    pub(super) ends: [String; 2],
    pub(super) caps: [String; 2],
    pub(super) line: String,
}

/// The styles that a node's values come from, by their node ids; 0 for none.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Styles {
    pub(super) fill: Symbol,
    pub(super) stroke: Symbol,
    pub(super) text: Symbol,
    pub(super) effect: Symbol,
    pub(super) grid: Symbol,
}

/// How an outline is drawn.
#[derive(Debug, Default)]
pub(super) struct StrokeMembers {
    pub(super) weight: f32,
    pub(super) sides: Option<[f32; 4]>,
    pub(super) align: &'static str,
    pub(super) dashes: Vec<f32>,
    pub(super) cap: String,
    pub(super) join: String,
}

/// Radii from the top left on, clockwise.
#[derive(Debug, Default)]
pub(super) struct Corners {
    pub(super) radius: f32,
    pub(super) radii: Option<[f32; 4]>,
    pub(super) smoothing: f32,
}

impl Draft {
    pub(super) fn runs(&mut self) -> &mut Runs {
        self.runs.get_or_insert_default()
    }

    pub(super) fn connector(&mut self) -> &mut Connector {
        self.connector.get_or_insert_default()
    }

    /// Notes a fact; empty words say nothing.
    pub(super) fn fact(&mut self, key: Key, words: Symbol) {
        if words != 0 {
            self.facts.push(Fact { key, words, style: 0 });
        }
    }

    /// The words of the first fact about something; 0 for none.
    pub(super) fn words(&self, key: Key) -> Symbol {
        self.facts.iter().find(|fact| fact.key == key).map_or(0, |fact| fact.words)
    }
}
