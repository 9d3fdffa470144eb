//! About how many tokens something takes a model: enough to choose the shorter of two ways to say it.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use super::{
    facts::Facts,
    model::{Fact, Key},
    names,
    view::{View, is_generated},
};

/// A sort of character that tokens are made of.
#[derive(PartialEq, Clone, Copy)]
enum Class {
    Latin,
    Letters,
    Digits,
    Sign,
    Space,
}

impl Class {
    fn of(c: char) -> Self {
        match c {
            ' ' => Self::Space,
            '0'..='9' => Self::Digits,
            'a'..='z' | 'A'..='Z' => Self::Latin,
            '\0'..='\x7f' => Self::Sign,
            c if c.is_alphabetic() && c < '\u{250}' => Self::Latin,
            c if c.is_alphabetic() => Self::Letters,
            _ => Self::Sign,
        }
    }

    /// Whether a token begins with the character after so many of its class.
    const fn starts_piece(self, run: usize) -> bool {
        match self {
            Self::Latin => run.is_multiple_of(8),
            Self::Letters => run.is_multiple_of(4),
            Self::Digits => run.is_multiple_of(3),
            Self::Sign => true,
            Self::Space => run == 0,
        }
    }
}

/// About how many tokens a text takes: words and numbers in pieces, signs one by one, spaces nothing
/// but before a number.
pub(super) fn tokens(text: &str) -> usize {
    let (mut count, mut run) = (0, 0_usize);
    let mut before: Option<(char, Class)> = None;
    for c in text.chars() {
        let class = Class::of(c);
        let class_before = before.map(|(_, class)| class);
        let is_hump = matches!(class, Class::Latin | Class::Letters)
            && c.is_uppercase()
            && before.is_some_and(|(before, _)| before.is_lowercase());
        if class_before == Some(class) && !is_hump {
            run += 1;
        } else {
            // A sign right before a word is part of it.
            let joins = class_before == Some(Class::Sign) && run == 0;
            count += usize::from(class == Class::Digits && class_before == Some(Class::Space));
            count -= usize::from(matches!(class, Class::Latin | Class::Letters) && joins);
            run = 0;
        }
        count += usize::from(class != Class::Space && class.starts_piece(run));
        before = Some((c, class));
    }
    count
}

/// What [`Key::prefix`] takes, which is asked for every fact again and again.
pub(super) const fn prefix(key: Key) -> usize {
    match key {
        Key::Fill | Key::Stroke | Key::Effects | Key::Font => 2,
        Key::Reference => 1,
        _ => 0,
    }
}

/// What a name such as `$12` takes where it is used.
pub(super) const NAME: usize = 2;
/// What its definition takes beside the words.
const DEFINITION: usize = 3;

/// Whether a name makes so many uses of words of this length shorter.
pub(super) const fn pays(length: usize, uses: usize) -> bool {
    uses > 1 && length * uses > NAME * uses + length + DEFINITION
}

/// An id, and the indentation of a line.
pub(super) const ID: usize = 4;

/// What lines would take if nothing of the tree were shared but values.
#[derive(Debug, Default)]
pub(super) struct Costs {
    /// How often words, with their style, occur.
    values: HashMap<(u32, u32), usize, RandomState>,
    looks: HashMap<Vec<Fact>, usize, RandomState>,
}

impl Costs {
    /// Counts what occurs in the shown nodes.
    pub(super) fn of(facts: &Facts<'_>) -> Self {
        let mut costs = Self::default();
        let count = u32::try_from(facts.view.design.nodes.len()).unwrap_or(u32::MAX);
        let mut all: Vec<Fact> = Vec::new();
        for node in (0..count).filter(|node| facts.view.is_shown(*node)) {
            all.clear();
            all.extend(facts.of(node));
            for fact in &all {
                *costs.values.entry((fact.words, fact.style)).or_insert(0) += 1;
            }
            let look = all.get(names::look(&all)).unwrap_or_default();
            if look.len() < 2 {
                continue;
            }
            match costs.looks.get_mut(look) {
                Some(uses) => *uses += 1,
                None => {
                    costs.looks.insert(look.to_vec(), 1);
                }
            }
        }
        costs
    }

    /// What these facts take.
    pub(super) fn facts(&self, view: &View<'_>, facts: &[Fact]) -> usize {
        let look = names::look(facts);
        let prefixed = |fact: &Fact| view.tokens(fact.words, fact.style) + prefix(fact.key);
        let mut sum = 0;
        if let Some(uses) = facts.get(look.clone()).and_then(|look| self.looks.get(look)) {
            let length: usize = facts.get(look.clone()).unwrap_or_default().iter().map(prefixed).sum();
            if pays(length, *uses) {
                sum += NAME;
                let others = facts.iter().enumerate().filter(|(at, _)| !look.contains(at));
                return sum + others.map(|(_, fact)| self.fact(view, fact)).sum::<usize>();
            }
        }
        sum + facts.iter().map(|fact| self.fact(view, fact)).sum::<usize>()
    }

    fn fact(&self, view: &View<'_>, fact: &Fact) -> usize {
        let length = view.tokens(fact.words, fact.style);
        let uses = self.values.get(&(fact.words, fact.style)).copied().unwrap_or(1);
        let words = if names::has_value(fact.key) && pays(length, uses) { NAME } else { length };
        words + prefix(fact.key)
    }

    /// What a node's own line takes.
    pub(super) fn line(&self, facts: &Facts<'_>, node: u32) -> usize {
        let design = facts.view.design;
        let of = design.node(node);
        let name = design.symbols.get(of.name);
        let is_named =
            !is_generated(name, of.kind) && !design.facts(of).iter().any(|fact| fact.key == Key::Text);
        let mut place = String::new();
        if let Some(at) = facts.place_in_tree(node) {
            at.write_in_tree(&mut place);
        }
        let all: Vec<Fact> = facts.of(node).collect();
        2 + ID
            + if is_named { 2 + facts.view.tokens(of.name, 0) } else { 0 }
            + tokens(&place)
            + self.facts(facts.view, &all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn estimates_are_near() {
        // What o200k takes: 4, 6, 4, 2, 1, 4, 4, 5, 0.
        for (text, estimate) in [
            ("#71717B", 4),
            ("#F6F6F2", 6),
            ("gap20 pad16", 4),
            ("w-fill", 2),
            ("Background", 2),
            ("justify-between align-center", 4),
            ("showIcon 1 path", 5),
            ("Открытые чаты", 3),
            ("", 0),
        ] {
            assert_eq!(tokens(text), estimate, "{text}");
        }
        let keys = [Key::Fill, Key::Stroke, Key::Effects, Key::Font, Key::Reference, Key::Text, Key::Layout];
        for key in keys {
            assert_eq!(prefix(key), tokens(key.prefix()), "{key:?}");
        }
    }
}
