//! What a description says of a node: the facts of the groups that were chosen.

use std::collections::HashMap;

use super::{
    Options,
    model::{Fact, Group, Key, VARIABLE},
    place::{self, Place},
    view::View,
};

/// A view and what of it is described.
#[derive(Debug, Clone, Copy)]
pub(super) struct Facts<'a> {
    pub(super) view: &'a View<'a>,
    /// A bit for each group.
    groups: u16,
    comments: &'a HashMap<String, Vec<String>>,
}

const fn bit(group: Group) -> u16 {
    1 << group as u16
}

impl<'a> Facts<'a> {
    /// What these options choose.
    pub(super) fn new(view: &'a View<'a>, options: &'a Options) -> Self {
        let groups = options.include.iter().fold(0, |groups, group| groups | bit(*group));
        Self { view, groups, comments: &options.comments }
    }

    const fn includes(&self, group: Group) -> bool {
        self.groups & bit(group) != 0
    }

    /// The facts of a node that are described.
    pub(super) fn of(&self, node: u32) -> impl Iterator<Item = Fact> {
        let design = self.view.design;
        let all = design.facts(design.node(node)).iter().copied();
        all.filter(|fact| {
            fact.key.group().is_none_or(|group| self.includes(group)) || self.shows_a_variable(*fact)
        })
    }

    /// A variable is told where it is used, whichever other groups are chosen.
    fn shows_a_variable(&self, fact: Fact) -> bool {
        self.includes(Group::Variables) && self.view.design.symbols.get(fact.words).contains(VARIABLE)
    }

    /// Those that are not its text.
    pub(super) fn beside_text(&self, node: u32) -> Vec<Fact> {
        self.of(node).filter(|fact| fact.key != Key::Text).collect()
    }

    /// Whether two nodes say the same beside their texts.
    pub(super) fn are_same(&self, first: u32, second: u32) -> bool {
        let beside_text = |node| self.of(node).filter(|fact| fact.key != Key::Text);
        beside_text(first).eq(beside_text(second))
    }

    /// Its text.
    pub(super) fn text(&self, node: u32) -> Option<u32> {
        self.of(node).find(|fact| fact.key == Key::Text).map(|fact| fact.words)
    }

    /// Its place in this parent.
    pub(super) fn place(&self, node: u32, parent: Option<u32>) -> Option<Place> {
        let design = self.view.design;
        self.includes(Group::Layout)
            .then(|| place::of(design.node(node), parent.map(|parent| design.node(parent))))
    }

    /// Its place where it stands.
    pub(super) fn place_in_tree(&self, node: u32) -> Option<Place> {
        self.place(node, self.view.parent(node))
    }

    /// Whether somebody commented on it: what is said about one node would be lost in another.
    pub(super) fn has_comments(&self, node: u32) -> bool {
        !self.comments.is_empty() && self.comments.contains_key(self.view.design.id(node))
    }

    /// The facts of the second node whose kind differs from the first, and the kinds that only the first
    /// has. Texts have their own place.
    pub(super) fn changes(&self, first: u32, second: u32) -> (Vec<Fact>, Vec<Key>) {
        fn about(facts: &[Fact], key: Key) -> impl Iterator<Item = &Fact> {
            facts.iter().filter(move |fact| fact.key == key)
        }
        let (before, now) = (self.beside_text(first), self.beside_text(second));
        let is_other = |fact: &Fact| !about(&before, fact.key).eq(about(&now, fact.key));
        let changed = now.iter().copied().filter(is_other).collect();
        let is_absent = |key: &Key| about(&now, *key).next().is_none();
        let mut absent: Vec<Key> = before.iter().map(|fact| fact.key).filter(is_absent).collect();
        absent.dedup();
        (changed, absent)
    }
}
