//! Which nodes of a design are described, and in which order they are worth it.

use std::{cell::RefCell, collections::HashMap};

use foldhash::fast::RandomState;

use super::{
    cost,
    model::{Design, FAMILY, Key, Kind, Symbol},
};

/// A design with what is shown of it.
#[derive(Debug)]
pub(super) struct View<'a> {
    pub(super) design: &'a Design,
    shown: Vec<bool>,
    /// For each node the nodes in its subtree, itself counted.
    sizes: Vec<Counts>,
    /// For each node its parent; a root is its own.
    parents: Vec<u32>,
    /// What words take, as far as somebody asked: the same in every try.
    tokens: RefCell<HashMap<(Symbol, Symbol), usize, RandomState>>,
}

/// What a subtree holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) nodes: u64,
    pub(super) texts: u64,
}

impl<'a> View<'a> {
    /// With everything shown.
    pub(super) fn all(design: &'a Design) -> Self {
        let mut sizes: Vec<Counts> = Vec::with_capacity(design.nodes.len());
        for node in &design.nodes {
            let mut counts = Counts { nodes: 1 + u64::from(node.too_deep), texts: 0 };
            counts.texts += u64::from(design.facts(node).iter().any(|fact| fact.key == Key::Text));
            for child in design.children(node).iter().filter_map(|child| sizes.get(*child as usize)) {
                counts.nodes += child.nodes;
                counts.texts += child.texts;
            }
            sizes.push(counts);
        }
        let mut parents: Vec<u32> = (0..).take(design.nodes.len()).collect();
        for (parent, node) in (0_u32..).zip(&design.nodes) {
            for child in design.children(node) {
                if let Some(of) = parents.get_mut(*child as usize) {
                    *of = parent;
                }
            }
        }
        let shown = vec![true; design.nodes.len()];
        Self { design, shown, sizes, parents, tokens: RefCell::default() }
    }

    /// About how many tokens words take, with the name of the style that they come from (0: none).
    pub(super) fn tokens(&self, words: Symbol, style: Symbol) -> usize {
        if let Some(known) = self.tokens.borrow().get(&(words, style)) {
            return *known;
        }
        let text = self.design.symbols.get(words);
        // Most fonts are of the family that is said once.
        let mut tokens = cost::tokens(text.split_once(FAMILY).map_or(text, |(_, font)| font));
        if style != 0 {
            let name = self.design.styles.get(self.design.symbols.get(style));
            tokens += name.map_or(0, |name| cost::tokens(name));
        }
        self.tokens.borrow_mut().insert((words, style), tokens);
        tokens
    }

    /// Shows only these.
    pub(super) fn show_only(&mut self, nodes: &[u32]) {
        self.shown.fill(false);
        for node in nodes {
            if let Some(shown) = self.shown.get_mut(*node as usize) {
                *shown = true;
            }
        }
    }

    /// Whether a node is shown.
    pub(super) fn is_shown(&self, node: u32) -> bool {
        self.shown.get(node as usize).copied().unwrap_or(false)
    }

    /// The node that holds a node.
    pub(super) fn parent(&self, node: u32) -> Option<u32> {
        self.parents.get(node as usize).copied().filter(|parent| *parent != node)
    }

    /// The shown nodes directly in a node.
    pub(super) fn children(&self, node: u32) -> impl Iterator<Item = u32> {
        self.design.children(self.design.node(node)).iter().copied().filter(|child| self.is_shown(*child))
    }

    /// What is in a node but not shown, nor anything above it.
    pub(super) fn folded(&self, node: u32) -> Counts {
        let node = self.design.node(node);
        let mut counts = Counts { nodes: u64::from(node.too_deep), texts: 0 };
        for child in self.design.children(node).iter().filter(|child| !self.is_shown(**child)) {
            let folded = self.counts(*child);
            counts.nodes += folded.nodes;
            counts.texts += folded.texts;
        }
        counts
    }

    /// What a subtree holds.
    pub(super) fn counts(&self, node: u32) -> Counts {
        self.sizes.get(node as usize).copied().unwrap_or_default()
    }

    /// Every node down to a level, in the order in which they are worth being shown: level by level,
    /// what has a name or a text before what has none, else as in the document. Parents always come
    /// before their children.
    pub(super) fn ranked(&self, deepest: u32) -> Vec<u32> {
        let mut out = self.design.roots.clone();
        let (mut start, mut level) = (0, 0);
        while start < out.len() && level < deepest {
            let parents = out.get(start..).unwrap_or_default().to_vec();
            start = out.len();
            for parent in parents {
                out.extend_from_slice(self.design.children(self.design.node(parent)));
            }
            let (telling, others): (Vec<u32>, Vec<u32>) =
                out.drain(start..).partition(|child| self.is_telling(*child));
            out.extend(telling);
            out.extend(others);
            level += 1;
        }
        out
    }

    fn is_telling(&self, node: u32) -> bool {
        let node = self.design.node(node);
        !matches!(node.kind, Kind::Rectangle | Kind::Line | Kind::Vector | Kind::Ellipse)
            && (node.kind == Kind::Text || !is_generated(self.design.symbols.get(node.name), node.kind))
    }
}

/// Whether a name says nothing that the node's type does not: `Frame 12`, `Group`, `Vector`.
pub(super) fn is_generated(name: &str, kind: Kind) -> bool {
    let mut lower = [0; LONGEST_GENERATED];
    if name.split('+').all(|part| is_imported(lowered(part, &mut lower))) {
        return true;
    }
    let base = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == ' ' || c == '_');
    base.is_empty() || base.eq_ignore_ascii_case(kind.word()) || is_made_up(lowered(base, &mut lower))
}

/// The longest that [`is_made_up`] and [`is_imported`] know.
const LONGEST_GENERATED: usize = 16;

/// A short text in lower case; nothing of a longer one.
fn lowered<'a>(text: &str, room: &'a mut [u8; LONGEST_GENERATED]) -> &'a [u8] {
    let Some(lower) = room.get_mut(..text.len()) else { return &[] };
    lower.copy_from_slice(text.as_bytes());
    lower.make_ascii_lowercase();
    lower
}

/// What Figma and others call layers that nobody has named.
const fn is_made_up(name: &[u8]) -> bool {
    matches!(
        name,
        b"frame"
            | b"group"
            | b"rectangle"
            | b"ellipse"
            | b"line"
            | b"vector"
            | b"polygon"
            | b"star"
            | b"text"
            | b"image"
            | b"union"
            | b"subtract"
            | b"intersect"
            | b"exclude"
            | b"component"
            | b"connector line"
            | b"instance"
            | b"slice"
            | b"arrow"
            | b"section"
            | b"table"
            | b"mask group"
            | b"clip path group"
            | b"boolean"
            | b"path"
            | b"shape"
            | b"oval"
            | b"rect"
            | b"layer"
            | b"container"
            | b"div"
    )
}

/// Names that a page got when it was imported from HTML say how its boxes are painted.
const fn is_imported(part: &[u8]) -> bool {
    matches!(
        part,
        b"background"
            | b"border"
            | b"shadow"
            | b"overlay"
            | b"overlayblur"
            | b"margin"
            | b"horizontalborder"
            | b"verticalborder"
    )
}
