//! Containers that hold nothing but drawings: one line instead of a hundred paths. Whoever needs the
//! paths fetches the container as SVG.

use super::{
    draft::Draft,
    finish::{add_once, is_image},
    model::{Design, Fact, Key, Kind, Node, VARIABLE},
};

/// Replaces the children of a container of drawings by what they are painted with. Whether it did.
pub(super) fn collapse(design: &mut Design, draft: &mut Draft) -> bool {
    if draft.children.is_empty() || !can_hold_a_drawing(draft) {
        return false;
    }
    let nodes = || draft.children.iter().map(|child| design.node(*child));
    let is_shape = draft.kind == Kind::Boolean;
    let is_drawing = nodes().all(|node| is_ink(design, node))
        && (is_shape || nodes().any(|node| node.is_drawing || node.kind.is_drawing()));
    if !is_drawing {
        return false;
    }
    let mut ink = Ink::default();
    draft.children.iter().for_each(|child| ink.add(design, design.node(*child)));
    let (mut paints, left) = most_telling(design, std::mem::take(&mut ink.paints));
    if let Some(first) = draft.children.iter().map(|child| lowest(design, *child)).min() {
        design.truncate(first as usize);
    }
    let words = design.symbols.keep(ink.variables.trim_start());
    draft.fact(Key::Variables, words);
    // How the layers of a picture were aligned says nothing about it.
    draft.facts.retain(|fact| fact.key != Key::Layout || design.symbols.get(fact.words).contains(VARIABLE));
    let words = format!("{} {}", ink.paths, if ink.paths == 1 { "path" } else { "paths" });
    draft.facts.push(Fact { key: Key::Inside, words: design.symbols.keep(&words), style: DRAWINGS });
    draft.facts.append(&mut paints);
    let left = left as u64 + ink.uncounted;
    if left > 0 {
        let words = design.symbols.keep(&format!("{left} more paints"));
        draft.facts.push(Fact { key: Key::Inside, words, style: DRAWINGS });
    }
    draft.hidden += ink.hidden;
    draft.children.clear();
    true
}

/// Whether a node is part of a picture: a mark, a drawing, or a group of marks.
fn is_ink(design: &Design, node: &Node) -> bool {
    let is_look =
        design.facts(node).iter().all(|fact| fact.key.is_look() && !is_image(&design.symbols, fact.words));
    let is_part = match node.kind {
        Kind::Instance | Kind::Component => false,
        Kind::Group | Kind::TransformGroup if !node.children.is_empty() => {
            node.too_deep == 0
                && design.children(node).iter().all(|child| is_ink(design, design.node(*child)))
        }
        kind => (kind.is_mark() || node.is_drawing) && node.children.is_empty(),
    };
    is_look && is_part
}

/// What the marks of a drawing are painted with.
#[derive(Debug, Default)]
struct Ink {
    paints: Vec<Fact>,
    paths: u64,
    /// Paints of drawings in it that are only counted there.
    uncounted: u64,
    variables: String,
    hidden: u32,
}

impl Ink {
    fn add(&mut self, design: &Design, node: &Node) {
        self.hidden += node.hidden;
        self.paths += u64::from(!node.is_drawing && node.children.is_empty());
        for fact in design.facts(node) {
            let words = design.symbols.get(fact.words);
            match fact.key {
                Key::Fill | Key::Stroke => add_once(&mut self.paints, Fact { key: Key::Inside, ..*fact }),
                Key::Inside if fact.style == DRAWINGS => {
                    let number = words.split(' ').next().and_then(|count| count.parse().ok()).unwrap_or(0);
                    *if words.ends_with("paints") { &mut self.uncounted } else { &mut self.paths } += number;
                }
                Key::Inside => add_once(&mut self.paints, *fact),
                Key::Variables | Key::Other if !self.variables.contains(words) => {
                    self.variables.push(' ');
                    self.variables.push_str(words);
                }
                _ => {}
            }
        }
        design.children(node).iter().for_each(|child| self.add(design, design.node(*child)));
    }
}

/// Marks the fact that counts drawings among those that name their paints: no style has this number.
pub(super) const DRAWINGS: u32 = u32::MAX;

/// More paints than these are only counted: a drawing is fetched, not rebuilt.
const MOST_PAINTS: usize = 4;

/// The first plain colours, and how many paints that leaves.
fn most_telling(design: &Design, paints: Vec<Fact>) -> (Vec<Fact>, usize) {
    let count = paints.len();
    let is_plain = |fact: &Fact| !design.symbols.get(fact.words).contains('(');
    let kept: Vec<Fact> = if count <= MOST_PAINTS && paints.iter().filter(|fact| !is_plain(fact)).count() < 3
    {
        paints
    } else {
        paints.into_iter().filter(is_plain).take(MOST_PAINTS - 1).collect()
    };
    let left = count - kept.len();
    (kept, left)
}

/// Where what a child stands for begins.
fn lowest(design: &Design, child: u32) -> u32 {
    design
        .children(design.node(child))
        .iter()
        .map(|inner| lowest(design, *inner))
        .min()
        .unwrap_or(child)
        .min(child)
}

/// Groups and shapes always can; frames only when they are nothing but a canvas: one that paints or
/// lays out is part of the page.
fn can_hold_a_drawing(draft: &Draft) -> bool {
    match draft.kind {
        Kind::Group | Kind::Boolean | Kind::TransformGroup => true,
        Kind::Frame | Kind::Instance | Kind::Component => {
            !draft.facts.iter().any(|fact| matches!(fact.key, Key::Fill | Key::Stroke | Key::Effects))
        }
        _ => false,
    }
}
