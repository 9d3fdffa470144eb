//! From the shown nodes to the lines of a description: subtrees that repeat an earlier one become one
//! line with what differs.

use std::{
    cell::RefCell,
    collections::{HashMap, HashSet},
};

use foldhash::fast::RandomState;

use super::{
    Format, Options,
    cost::{self, Costs},
    facts::Facts,
    model::{Fact, Key, Kind, Symbol},
    place::Place,
    share::{self, Anchor, Change, Comparer, Differences},
    view::{Counts, View, is_generated},
};

/// One line.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) depth: usize,
    /// It stands in the line before: what is alone in its parent, and what differs in a repetition.
    pub(super) is_joined: bool,
    pub(super) node: u32,
    pub(super) parent: Option<u32>,
    pub(super) role: Role,
    /// The facts to be written, in their order.
    pub(super) facts: Vec<Fact>,
    pub(super) place: Option<Place>,
    /// Kinds of facts that the earlier subtree has here and this one has not.
    pub(super) absent: Vec<Key>,
    /// A layer that a repetition has beside those of the first, or has elsewhere: where it stands, and
    /// the first subtree.
    pub(super) anchor: Option<(Anchor, u32)>,
}

/// Why a line is there.
#[derive(Debug)]
pub(super) enum Role {
    /// A node in full; later lines can refer to it by this number (0: none does).
    Full { label: u32 },
    /// As the line with this number, which is that of the node `first`, with these texts in place of its
    /// own.
    Same { label: u32, first: u32, texts: Vec<Slot> },
    /// What differs from the node `from` in the subtree of `first`, which the line above repeats.
    Difference { from: u32, first: u32 },
    /// The node `from` in the subtree of `first` is not there.
    Missing { from: u32, first: u32 },
    /// Nodes that are not shown.
    Folded { counts: Counts },
}

/// A text of a repeated subtree, in the order of the first one.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Slot {
    /// `None`: as in the first.
    pub(super) text: Option<Symbol>,
    /// `None`: as in the first.
    pub(super) place: Option<Place>,
    /// The text in the first.
    pub(super) from: u32,
}

impl Slot {
    /// Whether it says that nothing differs.
    pub(super) const fn is_same(&self) -> bool {
        self.text.is_none() && self.place.is_none()
    }
}

/// Makes the lines of a view.
#[derive(Debug)]
pub(super) struct Lines<'a> {
    view: &'a View<'a>,
    facts: Facts<'a>,
    costs: Costs,
    /// For each node what its line takes, as far as somebody asked.
    line_costs: RefCell<HashMap<u32, usize, RandomState>>,
    /// For each node the build of its shown subtree.
    builds: Vec<Build>,
    /// Nodes that were written in full, by build, and by what makes them kin.
    written: HashMap<u64, Vec<u32>, RandomState>,
    kin: HashMap<Kin, Vec<u32>, RandomState>,
    /// Nodes with a line that says their id: only those can be named by what differs from them.
    with_id: HashSet<u32, RandomState>,
    /// For each node that others repeat, its number and the line where it stands.
    labels: HashMap<u32, u32, RandomState>,
    out: Vec<Line>,
}

/// How a shown subtree is built, without what it says.
#[derive(Debug, Clone, Copy, Default)]
struct Build {
    hash: u64,
    /// How many nodes it has.
    size: u32,
    /// What its texts take.
    texts: usize,
}

/// What makes it likely that subtrees of another build are nearly the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kin {
    /// The same parent and kind.
    Siblings(u32, Kind),
    /// The same name and kind.
    Namesakes(Symbol, Kind),
}

/// At most so many earlier subtrees of one build are compared with a new one.
const CANDIDATES: usize = 8;
/// And so many of its kin.
const KIN: usize = 3;
/// About what the line of a repetition takes beside its texts.
const REPETITION: usize = 10;

impl<'a> Lines<'a> {
    /// The lines of everything shown, with the facts of these groups.
    pub(super) fn of(view: &'a View<'a>, options: &'a Options) -> Vec<Line> {
        let facts = Facts::new(view, options);
        let is_shared = options.format == Format::Tree;
        let mut lines = Self {
            view,
            facts,
            costs: if is_shared { Costs::of(&facts) } else { Costs::default() },
            line_costs: RefCell::default(),
            builds: if is_shared { builds(&facts) } else { Vec::new() },
            written: HashMap::default(),
            kin: HashMap::default(),
            with_id: HashSet::default(),
            labels: HashMap::default(),
            out: Vec::new(),
        };
        for root in view.design.roots.iter().filter(|root| view.is_shown(**root)) {
            lines.add(*root, None, 0, None);
        }
        lines.number();
        if is_shared {
            join(view, &mut lines.out);
        }
        lines.out
    }

    fn push(&mut self, depth: usize, node: u32, role: Role) -> Option<&mut Line> {
        let (facts, absent) = (Vec::new(), Vec::new());
        let (is_joined, parent, place, anchor) = (false, None, None, None);
        self.out.push(Line { depth, is_joined, node, parent, role, facts, place, absent, anchor });
        self.out.last_mut()
    }

    fn add(&mut self, node: u32, parent: Option<u32>, depth: usize, anchor: Option<(Anchor, u32)>) {
        if let Some((first, differences)) = self.earlier(node) {
            return self.add_same(node, parent, depth, anchor, first, differences);
        }
        self.note(node);
        let (facts, place) = (self.facts.of(node).collect(), self.facts.place_in_tree(node));
        if let Some(line) = self.push(depth, node, Role::Full { label: 0 }) {
            (line.parent, line.facts, line.place, line.anchor) = (parent, facts, place, anchor);
        }
        for child in self.view.children(node).collect::<Vec<_>>() {
            self.add(child, Some(node), depth + 1, None);
        }
        let counts = self.view.folded(node);
        if counts.nodes > 0 {
            self.push(depth + 1, node, Role::Folded { counts });
        }
    }

    /// Notes that a node is written in full.
    fn note(&mut self, node: u32) {
        let Some(build) = self.builds.get(node as usize) else { return };
        if build.size > 1 {
            self.written.entry(build.hash).or_default().push(node);
            for kin in self.kin_of(node).into_iter().flatten() {
                self.kin.entry(kin).or_default().push(node);
            }
        }
        self.with_id.insert(node);
    }

    fn kin_of(&self, node: u32) -> [Option<Kin>; 2] {
        let of = self.view.design.node(node);
        let is_named = !is_generated(self.view.design.symbols.get(of.name), of.kind);
        [
            self.view.parent(node).map(|parent| Kin::Siblings(parent, of.kind)),
            is_named.then_some(Kin::Namesakes(of.name, of.kind)),
        ]
    }

    /// The earlier subtree from which this one is told in the fewest words, where that is shorter than
    /// telling it in full.
    fn earlier(&self, node: u32) -> Option<(u32, Differences)> {
        let build = self.builds.get(node as usize)?;
        if build.size < 2 || self.facts.text(node).is_some() {
            return None;
        }
        let same = self.written.get(&build.hash).into_iter().flatten().take(CANDIDATES);
        let kin = self.kin_of(node).into_iter().flatten();
        let kin = kin.flat_map(|kin| self.kin.get(&kin).into_iter().flatten().take(KIN));
        let most = build.size as usize / 2;
        let mut best: Option<(usize, u32, Differences)> = None;
        for first in same.chain(kin).copied() {
            // What holds this node comes behind it, and is not complete.
            let is_known = first > node || best.as_ref().is_some_and(|(_, known, _)| *known == first);
            if is_known || !self.is_alike(first, node) {
                continue;
            }
            let size = self.builds.get(first as usize).map_or(0, |build| build.size);
            if size > build.size * 2 || build.size > size * 2 {
                continue;
            }
            let Some(differences) = Comparer::compare(self.facts, first, node, most) else { continue };
            if !self.can_be_told(&differences.changes) {
                continue;
            }
            if differences.changes.is_empty() && self.facts.are_same(first, node) {
                return Some((first, differences));
            }
            let cost = self.same_cost(first, node, &differences);
            if best.as_ref().is_none_or(|(least, ..)| cost < *least) {
                best = Some((cost, first, differences));
            }
        }
        let (cost, first, differences) = best?;
        (cost < self.full_cost(node)).then_some((first, differences))
    }

    /// Whether every layer that the changes name has a line that says its id.
    fn can_be_told(&self, changes: &[Change]) -> bool {
        let is_named = |node: u32| self.with_id.contains(&node);
        let is_anchored = |at: Anchor| match at {
            Anchor::Before(node) | Anchor::LastIn(node) => is_named(node),
        };
        changes.iter().all(|change| match *change {
            Change::Differs { from, moved, .. } => is_named(from) && moved.is_none_or(is_anchored),
            Change::Missing { from } => is_named(from),
            Change::Added { at, .. } => is_anchored(at),
        })
    }

    /// About what a repetition of `first` with these differences takes.
    fn same_cost(&self, first: u32, node: u32, differences: &Differences) -> usize {
        let slots = differences.slots.iter().rev().skip_while(|slot| slot.is_same());
        let slots: usize = slots
            .map(|slot| {
                let text = slot.text.map_or(1, |text| self.view.tokens(text, 0));
                text + slot.place.as_ref().map_or(0, |place| 2 + self.place_cost(place, slot.from))
            })
            .sum();
        let changes = differences.changes.iter().map(|change| match *change {
            Change::Differs { from, to, moved } => {
                let anchor = if moved.is_some() { 2 + cost::ID } else { 0 };
                2 + anchor + self.change_cost(from, to)
            }
            Change::Missing { .. } => 1 + cost::ID,
            Change::Added { to, .. } => 3 + cost::ID + self.full_cost(to),
        });
        let label = if self.labels.contains_key(&first) { 2 } else { 4 };
        label + self.change_cost(first, node) + slots + changes.sum::<usize>()
    }

    fn change_cost(&self, from: u32, to: u32) -> usize {
        let design = self.view.design;
        let (facts, absent) = self.facts.changes(from, to);
        let absent: usize = absent.iter().map(|key| cost::tokens(key.absent())).sum();
        let (before, now) = (design.node(from).name, design.node(to).name);
        let name = if before == now { 0 } else { 2 + self.view.tokens(now, 0) };
        let place = self.facts.place_in_tree(to).map_or(0, |place| self.place_cost(&place, from));
        cost::ID + name + absent + place + self.costs.facts(self.view, &facts)
    }

    fn place_cost(&self, place: &Place, from: u32) -> usize {
        let mut words = String::new();
        if let Some(before) = self.facts.place_in_tree(from) {
            place.write_changes(&before, &mut words);
        }
        cost::tokens(&words)
    }

    /// About what a subtree takes in full, where only what has just this build is told shorter.
    fn full_cost(&self, node: u32) -> usize {
        let known = self.line_costs.borrow().get(&node).copied();
        let own = known.unwrap_or_else(|| {
            let own = self.costs.line(&self.facts, node);
            self.line_costs.borrow_mut().insert(node, own);
            own
        });
        let inner = self.view.children(node).map(|child| {
            let build = self.builds.get(child as usize).copied().unwrap_or_default();
            let is_known = build.size > 2 && self.written.contains_key(&build.hash);
            let in_full = self.full_cost(child);
            if is_known { in_full.min(REPETITION + build.texts) } else { in_full }
        });
        own + inner.sum::<usize>()
    }

    /// Whether one can stand for the other at all: the same sort of box, and of the same component or
    /// set.
    fn is_alike(&self, first: u32, second: u32) -> bool {
        let design = self.view.design;
        let component = |node: u32| {
            let fact = design.facts(design.node(node)).iter().find(|fact| fact.key == Key::Component)?;
            let id = design.symbols.get(fact.words);
            Some(design.components.get(id).and_then(|component| component.set.as_deref()).unwrap_or(id))
        };
        share::is_alike(design.node(first), design.node(second))
            && component(first) == component(second)
            && !self.facts.has_comments(first)
    }

    fn add_same(
        &mut self,
        node: u32,
        parent: Option<u32>,
        depth: usize,
        anchor: Option<(Anchor, u32)>,
        first: u32,
        differences: Differences,
    ) {
        let mut slots = differences.slots;
        while slots.last().is_some_and(Slot::is_same) {
            slots.pop();
        }
        self.labels.insert(first, 0);
        self.with_id.insert(node);
        self.add_changed(depth, first, node, Role::Same { label: 0, first, texts: slots });
        if let Some(line) = self.out.last_mut() {
            (line.parent, line.anchor) = (parent, anchor);
        }
        for change in differences.changes {
            match change {
                Change::Differs { from, to, moved } => {
                    self.add_changed(depth + 1, from, to, Role::Difference { from, first });
                    if let Some(line) = self.out.last_mut() {
                        line.anchor = moved.map(|at| (at, first));
                    }
                }
                Change::Missing { from } => {
                    self.push(depth + 1, from, Role::Missing { from, first });
                }
                Change::Added { to, at } => {
                    // Below a line with the id of its own parent, the short id is understood.
                    let parent = self.view.parent(to).filter(|parent| *parent == node);
                    self.add(to, parent, depth + 1, Some((at, first)));
                }
            }
        }
    }

    /// A line with what makes a node differ from another.
    fn add_changed(&mut self, depth: usize, from: u32, to: u32, role: Role) {
        let (facts, absent) = self.facts.changes(from, to);
        let place = self.facts.place_in_tree(to);
        if let Some(line) = self.push(depth, to, role) {
            (line.facts, line.absent, line.place) = (facts, absent, place);
        }
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
            if let Role::Same { label, first, .. } = &mut line.role {
                *label = self.labels.get(first).copied().unwrap_or(0);
            }
        }
    }
}

/// Puts what is alone in its parent into the line of that, and what differs in a repetition behind it.
fn join(view: &View<'_>, lines: &mut [Line]) {
    let mut open: Vec<usize> = Vec::new();
    let mut below = vec![0_u32; lines.len()];
    for (at, line) in lines.iter().enumerate() {
        open.truncate(line.depth);
        if let Some(count) = open.last().and_then(|parent| below.get_mut(*parent)) {
            *count += 1;
        }
        open.push(at);
    }
    // For each open line how many there are from it on upwards that stand behind their parents.
    let mut joined: Vec<usize> = Vec::new();
    let mut is_alone = false;
    // Where the repetition stands whose changes come.
    let mut repeats: Option<usize> = None;
    for (line, below) in lines.iter_mut().zip(below) {
        let is_change = matches!(line.role, Role::Difference { .. } | Role::Missing { .. });
        repeats = repeats.filter(|depth| is_change && line.depth == depth + 1);
        line.is_joined =
            repeats.is_some() || is_alone && matches!(line.role, Role::Full { .. }) && line.anchor.is_none();
        joined.truncate(line.depth);
        let count = joined.last().copied().unwrap_or(0) + usize::from(line.is_joined);
        joined.push(count);
        // The nodes that were asked for, and what stands on a page by itself, have lines of their own.
        let is_page =
            matches!(view.design.node(line.node).kind, Kind::Page | Kind::Section | Kind::ComponentSet);
        if matches!(line.role, Role::Same { .. }) {
            repeats = Some(line.depth);
        }
        is_alone = below == 1 && line.depth > 0 && !is_page && matches!(line.role, Role::Full { .. });
        line.depth -= count;
    }
}

/// For each node how its shown subtree is built.
fn builds(facts: &Facts<'_>) -> Vec<Build> {
    let view = facts.view;
    let mut out: Vec<Build> = Vec::with_capacity(view.design.nodes.len());
    for (number, node) in (0..).zip(&view.design.nodes) {
        if !view.is_shown(number) {
            out.push(Build::default());
            continue;
        }
        let text = facts.text(number).map_or(0, |text| view.tokens(text, 0));
        let hash = mix(node.kind as u64, u64::from(node.is_drawing));
        let mut build = Build { hash, size: 1, texts: text };
        for child in view.children(number) {
            let child = out.get(child as usize).copied().unwrap_or_default();
            build.hash = mix(build.hash, child.hash);
            build.size += child.size;
            build.texts += child.texts;
        }
        build.hash = mix(build.hash, view.folded(number).nodes);
        if facts.has_comments(number) {
            build.hash = mix(build.hash, u64::from(number) + 1);
        }
        out.push(build);
    }
    out
}

/// The same on every machine and in every run.
const fn mix(hash: u64, value: u64) -> u64 {
    let mixed = (hash.rotate_left(5) ^ value).wrapping_mul(0x517c_c1b7_2722_0a95);
    mixed ^ (mixed >> 29)
}
