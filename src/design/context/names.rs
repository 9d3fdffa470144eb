//! What repeats in the lines gets a name: `$1` for a value, for a style, for a whole look.

use std::collections::{HashMap, HashSet};

use foldhash::fast::RandomState;

use super::{
    cost::{self, pays},
    lines::Line,
    model::{Design, FAMILY, Fact, Key, VARIABLE},
    view::View,
};

/// The names of what repeats, in the order in which they are defined.
#[derive(Debug, Default)]
pub(super) struct Names {
    values: HashMap<Value, u32, RandomState>,
    looks: HashMap<Vec<Fact>, u32, RandomState>,
    /// What each name stands for, from 1 on.
    pub(super) definitions: Vec<Definition>,
}

/// What a name stands for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Definition {
    /// The words of this fact, without its key.
    Value(Fact),
    /// These facts.
    Look(Vec<Fact>),
}

/// Words and where they come from; fills and strokes of the same words are the same value.
type Value = (u32, u32);

/// Facts that make up how something looks: they stand together in a line.
const LOOK: &[Key] = &[
    Key::Font,
    Key::TextWords,
    Key::Fill,
    Key::Stroke,
    Key::StrokeWords,
    Key::Radius,
    Key::Effects,
    Key::Opacity,
    Key::Blend,
];

/// The part of a line's facts that makes up its look: from where, to where.
pub(super) fn look(facts: &[Fact]) -> std::ops::Range<usize> {
    let is_look = |fact: &Fact| LOOK.contains(&fact.key);
    let start = facts.iter().position(is_look).unwrap_or(facts.len());
    let length = facts.iter().skip(start).take_while(|fact| is_look(fact) || fact.key == Key::Runs).count();
    let has_runs = facts.iter().any(|fact| fact.key == Key::Runs);
    if has_runs { start..start } else { start..start + length }
}

/// Whether the words of a fact can have a name of their own.
pub(super) const fn has_value(key: Key) -> bool {
    matches!(
        key,
        Key::Fill
            | Key::Stroke
            | Key::Effects
            | Key::Font
            | Key::Inside
            | Key::Layout
            | Key::Overrides
            | Key::Interaction
    )
}

impl Names {
    /// Finds what repeats in the lines so often that naming it makes them shorter.
    pub(super) fn of(view: &View<'_>, lines: &[Line]) -> Self {
        let mut names = Self::default();
        let looks = count(lines.iter().filter_map(|line| {
            let facts = line.facts.get(look(&line.facts)).unwrap_or_default();
            (facts.len() > 1).then(|| facts.to_vec())
        }));
        let is_named = |facts: &[Fact], uses: usize| {
            let length =
                facts.iter().map(|fact| view.tokens(fact.words, fact.style) + cost::prefix(fact.key));
            pays(length.sum(), uses)
        };
        let mut values: HashMap<Value, (usize, usize), RandomState> = HashMap::default();
        let mut note = |fact: &Fact| {
            if has_value(fact.key) && fact.style != super::collapse::DRAWINGS {
                let (uses, _) = values
                    .entry((fact.words, fact.style))
                    .or_insert((0, view.tokens(fact.words, fact.style)));
                *uses += 1;
            }
        };
        let mut seen: HashSet<Vec<Fact>, RandomState> = HashSet::default();
        for line in lines {
            let range = look(&line.facts);
            let facts = line.facts.get(range.clone()).unwrap_or_default();
            let is_named = looks.get(facts).is_some_and(|uses| is_named(facts, *uses));
            if is_named && !seen.insert(facts.to_vec()) {
                line.facts
                    .iter()
                    .enumerate()
                    .filter(|(at, _)| !range.contains(at))
                    .for_each(|(_, fact)| note(fact));
            } else {
                line.facts.iter().for_each(&mut note);
            }
        }
        for line in lines {
            let facts = line.facts.get(look(&line.facts)).unwrap_or_default();
            for fact in &line.facts {
                let value = (fact.words, fact.style);
                let is_named = has_value(fact.key)
                    && values.get(&value).is_some_and(|(uses, length)| pays(*length, *uses));
                if is_named && !names.values.contains_key(&value) {
                    names.definitions.push(Definition::Value(*fact));
                    names.values.insert(value, names.last());
                }
            }
            if looks.get(facts).is_some_and(|uses| is_named(facts, *uses)) && !names.looks.contains_key(facts)
            {
                names.definitions.push(Definition::Look(facts.to_vec()));
                names.looks.insert(facts.to_vec(), names.last());
            }
        }
        names
    }

    fn last(&self) -> u32 {
        u32::try_from(self.definitions.len()).unwrap_or(u32::MAX)
    }

    /// The name of a fact's words.
    pub(super) fn value(&self, fact: &Fact) -> Option<u32> {
        if !has_value(fact.key) {
            return None;
        }
        self.values.get(&(fact.words, fact.style)).copied()
    }

    /// The name of a whole look.
    pub(super) fn look(&self, facts: &[Fact]) -> Option<u32> {
        self.looks.get(facts).copied()
    }
}

/// What most fonts are: said once.
#[derive(Debug, Clone, Copy)]
pub(super) struct UsualFont<'a> {
    pub(super) family: &'a str,
    /// The weight of most fonts of this family.
    pub(super) weight: Option<&'a str>,
}

/// The family of the most fonts, and their usual weight, where that is worth saying once.
pub(super) fn usual_font<'a>(design: &'a Design, lines: &[Line]) -> Option<UsualFont<'a>> {
    const FEWEST: usize = 3;
    let all = || lines.iter().flat_map(|line| &line.facts).filter(|fact| fact.key == Key::Font);
    let mut fonts: HashSet<Value, RandomState> = HashSet::default();
    let different = all().filter(|fact| fonts.insert((fact.words, fact.style)));
    let words = |fact: &Fact| design.symbols.get(fact.words).split_once(FAMILY);
    let of_fonts: Vec<(&str, &str)> = different.filter_map(words).collect();
    let families = of_fonts.iter().map(|(family, _)| *family).filter(|family| !family.contains(VARIABLE));
    let family = most(families, FEWEST)?;
    let own = of_fonts.iter().filter(|(known, _)| *known == family);
    let weights = own.filter_map(|(_, font)| font.trim_start().split(' ').next());
    let weight = most(weights.filter(|weight| !weight.contains(VARIABLE)), FEWEST);
    Some(UsualFont { family, weight })
}

/// What occurs most, and at least so often; of several the first.
fn most<'a>(items: impl Iterator<Item = &'a str>, fewest: usize) -> Option<&'a str> {
    let mut counts: Vec<(&str, usize)> = Vec::new();
    for item in items {
        match counts.iter_mut().find(|(known, _)| *known == item) {
            Some((_, count)) => *count += 1,
            None => counts.push((item, 1)),
        }
    }
    let most = counts.iter().map(|(_, count)| *count).max().filter(|most| *most >= fewest)?;
    counts.iter().find(|(_, count)| *count == most).map(|(item, _)| *item)
}

fn count(items: impl Iterator<Item = Vec<Fact>>) -> HashMap<Vec<Fact>, usize, RandomState> {
    let mut counts = HashMap::default();
    for item in items {
        *counts.entry(item).or_insert(0) += 1;
    }
    counts
}
