//! From the shown nodes to the lines of a description: subtrees that repeat an earlier one become one
//! line with what differs.

use std::collections::{HashMap, HashSet};

use foldhash::fast::RandomState;

use super::{
    Format, Options,
    model::{Fact, Group, Key, Kind, Node, Symbol},
    place::{self, Place},
    view::{Counts, View},
};

/// One line.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) depth: usize,
    pub(super) node: u32,
    pub(super) parent: Option<u32>,
    pub(super) role: Role,
    /// The facts to be written, in their order.
    pub(super) facts: Vec<Fact>,
    pub(super) place: Option<Place>,
    /// Kinds of facts that the earlier subtree has here and this one has not.
    pub(super) absent: Vec<Key>,
}

/// Why a line is there.
#[derive(Debug)]
pub(super) enum Role {
    /// A node in full; later lines can refer to it by this number (0: none does).
    Full { label: u32 },
    /// As the line with this number, with these texts in place of its own.
    Same { label: u32, texts: Vec<Slot> },
    /// What differs from the node `from` in the subtree of `first`, which the line above repeats.
    Difference { from: u32, first: u32 },
    /// Nodes that are not shown.
    Folded { counts: Counts },
}

/// A text of a repeated subtree, in the order of the first one.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Slot {
    /// `None`: as in the first.
    pub(super) text: Option<Symbol>,
    pub(super) place: Option<Place>,
}

/// What makes one subtree differ from another of the same build.
#[derive(Debug, Default)]
struct Differences {
    slots: Vec<Slot>,
    /// Pairs of nodes that differ in more than their text.
    nodes: Vec<(u32, u32)>,
}

/// Makes the lines of a view.
#[derive(Debug)]
pub(super) struct Lines<'a> {
    view: &'a View<'a>,
    groups: &'a [Group],
    /// For each node the build of its shown subtree and how many nodes that is.
    builds: Vec<(u64, u32)>,
    /// Nodes that were written in full, by build.
    written: HashMap<u64, Vec<u32>, RandomState>,
    /// Nodes with a line of their own: only those can be named by what differs from them.
    in_full: HashSet<u32, RandomState>,
    /// For each node that others repeat, its number and the line where it stands.
    labels: HashMap<u32, u32, RandomState>,
    out: Vec<Line>,
}

/// At most so many earlier subtrees of one build are compared with a new one.
const CANDIDATES: usize = 8;

impl<'a> Lines<'a> {
    /// The lines of everything shown, with the facts of these groups.
    pub(super) fn of(view: &'a View<'a>, options: &'a Options) -> Vec<Line> {
        let mut lines = Self {
            view,
            groups: &options.include,
            builds: Vec::new(),
            written: HashMap::default(),
            in_full: HashSet::default(),
            labels: HashMap::default(),
            out: Vec::new(),
        };
        if options.format == Format::Tree {
            lines.builds = builds(view, options);
        }
        for root in view.design.roots.iter().filter(|root| view.is_shown(**root)) {
            lines.add(*root, None, 0);
        }
        lines.number();
        lines.out
    }

    fn includes(&self, group: Group) -> bool {
        self.groups.contains(&group)
    }

    /// The facts of a node that are described.
    fn facts<'n>(&'n self, node: &'n Node) -> impl Iterator<Item = Fact> + 'n {
        node.facts.iter().copied().filter(|fact| fact.key.group().is_none_or(|group| self.includes(group)))
    }

    fn place(&self, node: u32, parent: Option<u32>) -> Option<Place> {
        let design = self.view.design;
        self.includes(Group::Layout)
            .then(|| place::of(design.node(node), parent.map(|parent| design.node(parent))))
    }

    fn add(&mut self, node: u32, parent: Option<u32>, depth: usize) {
        if let Some((first, differences)) = self.earlier(node) {
            return self.add_same(node, parent, depth, first, differences);
        }
        if let Some((build, _)) = self.builds.get(node as usize) {
            self.written.entry(*build).or_default().push(node);
        }
        self.in_full.insert(node);
        let of = self.view.design.node(node);
        let facts = self.facts(of).collect();
        let place = self.place(node, parent);
        self.out.push(Line {
            depth,
            node,
            parent,
            role: Role::Full { label: 0 },
            facts,
            place,
            absent: Vec::new(),
        });
        for child in self.view.children(node).collect::<Vec<_>>() {
            self.add(child, Some(node), depth + 1);
        }
        self.add_folded(node, depth + 1);
    }

    fn add_folded(&mut self, node: u32, depth: usize) {
        let counts = self.view.folded(node);
        if counts.nodes > 0 {
            let role = Role::Folded { counts };
            self.out.push(Line {
                depth,
                node,
                parent: None,
                role,
                facts: Vec::new(),
                place: None,
                absent: Vec::new(),
            });
        }
    }

    /// The earlier subtree that this one repeats with the fewest differences, if it repeats any.
    fn earlier(&self, node: u32) -> Option<(u32, Differences)> {
        let (build, size) = *self.builds.get(node as usize)?;
        if size < 2 {
            return None;
        }
        let most = size as usize / 2;
        self.written
            .get(&build)?
            .iter()
            .filter(|first| self.is_alike(**first, node))
            .take(CANDIDATES)
            .filter_map(|first| {
                let mut differences = Differences::default();
                let is_close = self.compare_children(*first, node, most, &mut differences)
                    && differences.nodes.iter().all(|(from, _)| self.in_full.contains(from));
                is_close.then_some((*first, differences))
            })
            .min_by_key(|(_, differences)| differences.nodes.len())
    }

    /// Whether one can stand for the other at all: the same sort of box, and of the same component or
    /// set.
    fn is_alike(&self, first: u32, second: u32) -> bool {
        let design = self.view.design;
        let (first, second) = (design.node(first), design.node(second));
        let component = |node: &Node| {
            let fact = node.facts.iter().find(|fact| fact.key == Key::Component)?;
            let id = design.symbols.get(fact.words);
            Some(design.components.get(id).and_then(|component| component.set.as_deref()).unwrap_or(id))
        };
        first.geometry.mode == second.geometry.mode && component(first) == component(second)
    }

    fn compare_children(&self, first: u32, second: u32, most: usize, out: &mut Differences) -> bool {
        let (design, view) = (self.view.design, self.view);
        if view.folded(first) != view.folded(second)
            || design.node(first).hidden != design.node(second).hidden
        {
            return false;
        }
        let (mut left, mut right) = (view.children(first), view.children(second));
        loop {
            match (left.next(), right.next()) {
                (None, None) => return true,
                (Some(left), Some(right)) => {
                    if !self.compare(left, first, right, second, most, out) {
                        return false;
                    }
                }
                _ => return false,
            }
        }
    }

    fn compare(
        &self,
        a: u32,
        a_parent: u32,
        b: u32,
        b_parent: u32,
        most: usize,
        out: &mut Differences,
    ) -> bool {
        let design = self.view.design;
        let (left, right) = (design.node(a), design.node(b));
        if left.kind != right.kind
            || left.is_drawing != right.is_drawing
            || left.geometry.mode != right.geometry.mode
        {
            return false;
        }
        let (left_place, right_place) = (self.place(a, Some(a_parent)), self.place(b, Some(b_parent)));
        let is_placed_alike = left_place == right_place;
        let text = |node: &Node| self.facts(node).find(|fact| fact.key == Key::Text).map(|fact| fact.words);
        if let (Some(before), Some(now)) = (text(left), text(right)) {
            let slot = Slot {
                text: (before != now).then_some(now),
                place: if is_placed_alike { None } else { right_place },
            };
            out.slots.push(slot);
        } else if !is_placed_alike || (left.name != right.name && left.kind != Kind::Text) {
            out.nodes.push((a, b));
        }
        let others = |node: &Node| self.facts(node).filter(|fact| fact.key != Key::Text).collect::<Vec<_>>();
        if others(left) != others(right) && out.nodes.last() != Some(&(a, b)) {
            out.nodes.push((a, b));
        }
        out.nodes.len() <= most && self.compare_children(a, b, most, out)
    }

    fn add_same(
        &mut self,
        node: u32,
        parent: Option<u32>,
        depth: usize,
        first: u32,
        differences: Differences,
    ) {
        let mut slots = differences.slots;
        while slots.last().is_some_and(|slot| slot.text.is_none() && slot.place.is_none()) {
            slots.pop();
        }
        self.labels.insert(first, 0);
        let (facts, absent) = self.changes(first, node);
        let place =
            self.place(node, parent).filter(|place| Some(place) != self.place_in_tree(first).as_ref());
        let role = Role::Same { label: first, texts: slots };
        self.out.push(Line { depth, node, parent, role, facts, place, absent });
        for (from, to) in differences.nodes {
            let (facts, absent) = self.changes(from, to);
            let (before, now) = (self.place_in_tree(from), self.place_in_tree(to));
            let place = if before == now { None } else { now };
            let role = Role::Difference { from, first };
            self.out.push(Line { depth: depth + 1, node: to, parent: None, role, facts, place, absent });
        }
    }

    fn place_in_tree(&self, node: u32) -> Option<Place> {
        let parent = self.view.parent(node);
        self.place(node, parent)
    }

    /// The facts of the second node whose kind differs from the first, and the kinds that only the first
    /// has. Texts have their own place.
    fn changes(&self, first: u32, second: u32) -> (Vec<Fact>, Vec<Key>) {
        let of = |node: u32| {
            self.facts(self.view.design.node(node)).filter(|fact| fact.key != Key::Text).collect::<Vec<_>>()
        };
        let (before, now) = (of(first), of(second));
        let about = |facts: &[Fact], key: Key| {
            facts.iter().copied().filter(|fact| fact.key == key).collect::<Vec<_>>()
        };
        let changed =
            now.iter().copied().filter(|fact| about(&before, fact.key) != about(&now, fact.key)).collect();
        let mut absent: Vec<Key> =
            before.iter().map(|fact| fact.key).filter(|key| about(&now, *key).is_empty()).collect();
        absent.dedup();
        (changed, absent)
    }

    /// Numbers the subtrees that others repeat, in the order in which they stand.
    fn number(&mut self) {
        let mut next = 0;
        for line in &mut self.out {
            if let Role::Full { label } = &mut line.role
                && let Some(number) = self.labels.get_mut(&line.node)
            {
                next += 1;
                *number = next;
                *label = next;
            }
        }
        for line in &mut self.out {
            if let Role::Same { label, .. } = &mut line.role {
                *label = self.labels.get(label).copied().unwrap_or(0);
            }
        }
    }
}

/// For each node a hash of how its shown subtree is built, without what it says, and its size.
fn builds(view: &View<'_>, options: &Options) -> Vec<(u64, u32)> {
    let mut out: Vec<(u64, u32)> = Vec::with_capacity(view.design.nodes.len());
    for (number, node) in view.design.nodes.iter().enumerate() {
        let number = u32::try_from(number).unwrap_or(u32::MAX);
        if !view.is_shown(number) {
            out.push((0, 0));
            continue;
        }
        let mut build = mix(node.kind as u64, u64::from(node.is_drawing));
        let mut size = 1;
        for child in view.children(number) {
            let (child, inner) = out.get(child as usize).copied().unwrap_or_default();
            build = mix(build, child);
            size += inner;
        }
        build = mix(build, view.folded(number).nodes);
        if !options.comments.is_empty() && options.comments.contains_key(view.design.id(number)) {
            // What is said about this one would be lost in another.
            build = mix(build, u64::from(number) + 1);
        }
        out.push((build, size));
    }
    out
}

/// The same on every machine and in every run.
const fn mix(hash: u64, value: u64) -> u64 {
    let mixed = (hash.rotate_left(5) ^ value).wrapping_mul(0x517c_c1b7_2722_0a95);
    mixed ^ (mixed >> 29)
}
