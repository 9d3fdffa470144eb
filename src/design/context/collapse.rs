//! Containers that hold nothing but drawings: one line instead of a hundred paths. Whoever needs the
//! paths fetches the container as SVG.

use super::{
    draft::Draft,
    finish::{add_once, is_image},
    model::{Design, Fact, Key, Kind},
};

/// Replaces the children of a container of drawings by what they are painted with. Whether it did.
pub(super) fn collapse(design: &mut Design, draft: &mut Draft) -> bool {
    if draft.children.is_empty() || !can_hold_a_drawing(draft) {
        return false;
    }
    let nodes = || draft.children.iter().map(|child| design.node(*child));
    let is_shape = draft.kind == Kind::Boolean;
    let is_drawing = nodes().all(|node| {
        (node.kind.is_mark()
            || node.is_drawing && node.kind != Kind::Instance && node.kind != Kind::Component)
            && node.children.is_empty()
            && node.facts.iter().all(|fact| fact.key.is_look() && !is_image(&design.symbols, fact.words))
    }) && (is_shape || nodes().any(|node| node.is_drawing || node.kind.is_drawing()));
    if !is_drawing {
        return false;
    }
    let mut paints: Vec<Fact> = Vec::new();
    let (mut count, mut uncounted, mut variables) = (0, 0, String::new());
    for node in draft.children.iter().map(|child| design.node(*child)) {
        count += u64::from(!node.is_drawing);
        for fact in &node.facts {
            match fact.key {
                Key::Fill | Key::Stroke => add_once(&mut paints, Fact { key: Key::Inside, ..*fact }),
                Key::Inside if fact.style == DRAWINGS => {
                    let words = design.symbols.get(fact.words);
                    count += number(words, 0);
                    uncounted += number(words, 2);
                }
                Key::Inside => add_once(&mut paints, *fact),
                Key::Variables | Key::Other => {
                    let words = design.symbols.get(fact.words);
                    if !variables.contains(words) {
                        variables.push(' ');
                        variables.push_str(words);
                    }
                }
                _ => {}
            }
        }
    }
    let (mut paints, left) = most_telling(design, paints);
    if let Some(first) = draft.children.iter().map(|child| lowest(design, *child)).min() {
        design.nodes.truncate(first as usize);
    }
    let words = design.symbols.keep(variables.trim_start());
    draft.fact(Key::Variables, words);
    let mut words = format!("{count} {}", if count == 1 { "path" } else { "paths" });
    let left = left as u64 + uncounted;
    if left > 0 {
        words.push_str(&format!(" {left} more paints"));
    }
    let words = design.symbols.keep(&words);
    draft.facts.push(Fact { key: Key::Inside, words, style: DRAWINGS });
    draft.facts.append(&mut paints);
    draft.children.clear();
    true
}

/// Marks the fact that counts drawings among those that name their paints: no style has this number.
pub(super) const DRAWINGS: u32 = u32::MAX;

/// More paints than these are only counted: a drawing is fetched, not rebuilt.
const MOST_PAINTS: usize = 6;

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

/// The number at this place in words such as `12 paths 3 more paints`.
fn number(words: &str, at: usize) -> u64 {
    words.split(' ').nth(at).and_then(|count| count.parse().ok()).unwrap_or(0)
}

/// A drawn child has no children, so what it stands for begins with itself.
fn lowest(design: &Design, child: u32) -> u32 {
    design.node(child).children.iter().copied().min().unwrap_or(child).min(child)
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
