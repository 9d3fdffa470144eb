//! What makes a subtree differ from an earlier one of nearly the same build: values, and layers that
//! are there in only one of them or stand in another order.

use super::{
    facts::Facts,
    lines::Slot,
    model::{Kind, Node},
    view::is_generated,
};

/// What makes one subtree differ from another.
#[derive(Debug, Default)]
pub(super) struct Differences {
    /// Every text of the first, in its order.
    pub(super) slots: Vec<Slot>,
    /// In the order of the second.
    pub(super) changes: Vec<Change>,
}

/// One thing that differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    /// A layer of the first is there, but not the same, or elsewhere among its siblings.
    Differs { from: u32, to: u32, moved: Option<Anchor> },
    /// A layer of the first is not there.
    Missing { from: u32 },
    /// A layer that the first has not.
    Added { to: u32, at: Anchor },
}

/// Where a layer stands that the first has not, or has elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Anchor {
    /// Before this layer of the first.
    Before(u32),
    /// Behind everything else in this layer of the first.
    LastIn(u32),
}

/// More children than these are only compared one by one.
const MOST_CHILDREN: usize = 64;

/// Compares subtrees.
#[derive(Debug)]
pub(super) struct Comparer<'a> {
    facts: Facts<'a>,
    /// How many more changes are worth it.
    left: usize,
}

impl<'a> Comparer<'a> {
    /// What makes the second subtree differ from the first, below the nodes themselves; `None` when that
    /// is more than `most` changes.
    pub(super) fn compare(facts: Facts<'a>, first: u32, second: u32, most: usize) -> Option<Differences> {
        Self { facts, left: most }.children(first, second)
    }

    fn children(&mut self, first: u32, second: u32) -> Option<Differences> {
        let view = self.facts.view;
        if view.folded(first) != view.folded(second) {
            return None;
        }
        let mut out = Differences::default();
        if self.is_one_by_one(first, second) {
            for (from, to) in view.children(first).zip(view.children(second)) {
                let mut differences = self.pair(from, to, None)?;
                out.slots.append(&mut differences.slots);
                out.changes.append(&mut differences.changes);
            }
            return Some(out);
        }
        let left: Vec<u32> = view.children(first).collect();
        let right: Vec<u32> = view.children(second).collect();
        let partners = self.partners(&left, &right)?;
        let mut inner: Vec<Option<Differences>> = Vec::new();
        for from in &left {
            let Some(at) = partners.iter().position(|partner| partner.from == Some(*from)) else {
                self.spend()?;
                self.skip_texts(*from, &mut out.slots);
                out.changes.push(Change::Missing { from: *from });
                continue;
            };
            let (to, is_moved) = (*right.get(at)?, partners.get(at)?.is_moved);
            let moved = is_moved.then(|| anchor(&partners, at, first));
            let mut differences = self.pair(*from, to, moved)?;
            out.slots.append(&mut differences.slots);
            inner.resize_with(right.len().max(inner.len()), || None);
            *inner.get_mut(at)? = Some(differences);
        }
        for (at, to) in right.iter().enumerate() {
            if let Some(mut differences) = inner.get_mut(at).and_then(Option::take) {
                out.changes.append(&mut differences.changes);
            } else {
                self.spend()?;
                out.changes.push(Change::Added { to: *to, at: anchor(&partners, at, first) });
            }
        }
        Some(out)
    }

    /// Two nodes that stand for each other, and what is in them.
    fn pair(&mut self, from: u32, to: u32, moved: Option<Anchor>) -> Option<Differences> {
        let facts = self.facts;
        let design = facts.view.design;
        if facts.has_comments(from) || facts.has_comments(to) {
            return None;
        }
        let (left, right) = (design.node(from), design.node(to));
        let (before, now) = (facts.text(from), facts.text(to));
        if before.is_some() != now.is_some() {
            return None;
        }
        let place = facts.place_in_tree(to);
        let is_placed_alike = facts.place_in_tree(from) == place;
        let is_other = moved.is_some()
            || left.hidden != right.hidden
            || left.name != right.name && left.kind != Kind::Text
            || !facts.are_same(from, to)
            || !is_placed_alike && now.is_none();
        let mut out = Differences::default();
        if is_other {
            self.spend()?;
            out.changes.push(Change::Differs { from, to, moved });
        }
        if now.is_some() {
            let text = now.filter(|now| Some(*now) != before);
            out.slots.push(Slot { text, place: place.filter(|_| !is_placed_alike && !is_other), from });
        }
        let mut inner = self.children(from, to)?;
        out.slots.append(&mut inner.slots);
        out.changes.append(&mut inner.changes);
        Some(out)
    }

    fn spend(&mut self) -> Option<()> {
        self.left = self.left.checked_sub(1)?;
        Some(())
    }

    /// The texts of a layer that is missing are not said.
    fn skip_texts(&self, node: u32, out: &mut Vec<Slot>) {
        if self.facts.text(node).is_some() {
            out.push(Slot { text: None, place: None, from: node });
        }
        for child in self.facts.view.children(node) {
            self.skip_texts(child, out);
        }
    }

    /// Whether each child of one stands for the child of the other at the same place, without a doubt.
    fn is_one_by_one(&self, first: u32, second: u32) -> bool {
        let view = self.facts.view;
        let (mut left, mut right) = (view.children(first), view.children(second));
        loop {
            let (from, to) = match (left.next(), right.next()) {
                (Some(from), Some(to)) => (view.design.node(from), view.design.node(to)),
                (left, right) => return left.is_none() && right.is_none(),
            };
            if !is_alike(from, to) || (from.name != to.name && from.kind != Kind::Text) {
                return false;
            }
        }
    }

    /// For each of the second children the first one that it stands for, where that is not the one at the
    /// same place without a doubt. `None` when there are too many
    /// to find out.
    fn partners(&self, left: &[u32], right: &[u32]) -> Option<Vec<Partner>> {
        let design = self.facts.view.design;
        let likeness = |from: u32, to: u32| {
            likeness(design.node(from), design.node(to), design.symbols.get(design.node(to).name))
        };
        let one_by_one = || -> Vec<Partner> {
            left.iter().map(|from| Partner { from: Some(*from), is_moved: false }).collect()
        };
        if left.len() > MOST_CHILDREN || right.len() > MOST_CHILDREN {
            let can_pair = left.len() == right.len()
                && left.iter().zip(right).all(|(from, to)| likeness(*from, *to).is_some());
            return can_pair.then(one_by_one);
        }
        let mut partners = in_order(left, right, likeness);
        // What is left on both sides and called the same has moved.
        for at in 0..partners.len() {
            let taken: Vec<u32> = partners.iter().filter_map(|partner| partner.from).collect();
            let (Some(partner), Some(to)) = (partners.get_mut(at), right.get(at)) else { continue };
            if partner.from.is_none()
                && let Some(from) = left.iter().find(|from| {
                    !taken.contains(from)
                        && design.node(**from).name == design.node(*to).name
                        && likeness(**from, *to).is_some()
                })
            {
                *partner = Partner { from: Some(*from), is_moved: true };
            }
        }
        Some(partners)
    }
}

/// What one of the second children stands for.
#[derive(Debug, Clone, Copy, Default)]
struct Partner {
    from: Option<u32>,
    is_moved: bool,
}

/// Where the child at this place stands among those that are where they were.
fn anchor(partners: &[Partner], at: usize, parent: u32) -> Anchor {
    let mut behind = partners.iter().skip(at + 1).filter(|partner| !partner.is_moved);
    behind.find_map(|partner| partner.from).map_or(Anchor::LastIn(parent), Anchor::Before)
}

/// Whether one node can stand for another at all: it is the same sort of box.
pub(super) fn is_alike(left: &Node, right: &Node) -> bool {
    left.kind == right.kind
        && left.is_drawing == right.is_drawing
        && left.geometry.mode == right.geometry.mode
}

/// How much speaks for one node standing for another.
fn likeness(left: &Node, right: &Node, name: &str) -> Option<u32> {
    let is_same_name = left.name == right.name;
    is_alike(left, right).then_some(match left.kind {
        Kind::Text if is_same_name => 5,
        Kind::Text => 3,
        kind if is_same_name && !is_generated(name, kind) => 6,
        _ if is_same_name => 4,
        _ => 2,
    })
}

/// The pairs that are most alike and stand in the same order on both sides.
fn in_order(left: &[u32], right: &[u32], likeness: impl Fn(u32, u32) -> Option<u32>) -> Vec<Partner> {
    let columns = right.len() + 1;
    // The best sum for what begins at each pair of places.
    let mut best = vec![0_u32; (left.len() + 1) * columns];
    let at = |row: usize, column: usize| row * columns + column;
    let read = |best: &[u32], row: usize, column: usize| best.get(at(row, column)).copied().unwrap_or(0);
    let paired = |best: &[u32], row: usize, column: usize| {
        let (from, to) = (left.get(row)?, right.get(column)?);
        Some(likeness(*from, *to)? + read(best, row + 1, column + 1))
    };
    for row in (0..left.len()).rev() {
        for column in (0..right.len()).rev() {
            let skipped = read(&best, row + 1, column).max(read(&best, row, column + 1));
            let sum = paired(&best, row, column).unwrap_or(0).max(skipped);
            if let Some(cell) = best.get_mut(at(row, column)) {
                *cell = sum;
            }
        }
    }
    let mut out = vec![Partner::default(); right.len()];
    let (mut row, mut column) = (0, 0);
    while let (Some(from), true) = (left.get(row), column < right.len()) {
        let sum = read(&best, row, column);
        if paired(&best, row, column) == Some(sum) {
            if let Some(partner) = out.get_mut(column) {
                partner.from = Some(*from);
            }
            (row, column) = (row + 1, column + 1);
        } else if read(&best, row + 1, column) == sum {
            row += 1;
        } else {
            column += 1;
        }
    }
    out
}
