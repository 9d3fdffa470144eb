//! How much is shown: as many whole nodes as fit, level by level.

use std::collections::{HashMap, HashSet};

use foldhash::fast::RandomState;

use super::{
    Options,
    facts::Facts,
    lines::Lines,
    model::{END, FAMILY, Fact, Key, Kind, VARIABLE},
    print::Printer,
    structured,
    view::View,
};

/// A description within a budget.
#[derive(Debug)]
pub(super) struct Fitted {
    pub(super) text: String,
    /// How many nodes are not shown.
    pub(super) folded: u64,
}

/// How long texts may be when not even a few nodes fit otherwise.
const SHORTER_TEXTS: [usize; 3] = [2000, 200, 40];

/// Describes as many of the ranked nodes as fit.
pub(super) fn fit(view: &mut View<'_>, options: &Options) -> Fitted {
    let ranked = view.ranked(options.depth.unwrap_or(u32::MAX));
    let total: u64 = view.design.roots.iter().map(|root| view.counts(*root).nodes).sum();
    let first = first_try(view, options, &ranked);
    let mut attempt = |count: usize, longest: usize| {
        let shown = ranked.get(..count).unwrap_or(&ranked);
        view.show_only(shown);
        let lines = Lines::of(view, options);
        let text = match options.format {
            super::Format::Tree => Printer::print(view, options, &lines, longest),
            super::Format::Json | super::Format::Yaml => structured::print(view, options, &lines, longest),
        };
        Fitted { text, folded: total.saturating_sub(shown.len() as u64) }
    };
    let fits = |fitted: &Fitted| fitted.text.len() <= options.max_bytes;
    let mut search = Search::new(ranked.len(), options.max_bytes);
    let mut good = None;
    let mut next = Some(first);
    while let Some(count) = next {
        let fitted = attempt(count, usize::MAX);
        next = search.next(count, fitted.text.len());
        if fits(&fitted) {
            good = Some(fitted);
        }
    }
    if let Some(good) = good {
        return good;
    }
    for longest in SHORTER_TEXTS {
        let fitted = attempt(1, longest);
        if fits(&fitted) {
            return fitted;
        }
    }
    let mut fitted = attempt(1, SHORTER_TEXTS[2]);
    match options.format {
        super::Format::Tree => truncate(&mut fitted.text, options.max_bytes),
        // Half a document is none.
        _ => fitted.text = format!("{{\"nodes\":[],\"folded\":{total}}}"),
    }
    fitted
}

/// About how many nodes fill the budget: what they say, where what was said before takes a name, and a word on
/// what is folded in them.
fn first_try(view: &View<'_>, options: &Options, ranked: &[u32]) -> usize {
    /// Indentation, kind, id and the end of a line.
    const LINE: usize = 12;
    const NAME: usize = 4;
    /// `+12 folded (3 texts) in 1:23`
    const FOLDED: usize = 30;
    // The legend and what differs in repetitions are not counted.
    let most = options.max_bytes - options.max_bytes / 10;
    let facts = Facts::new(view, options);
    let symbols = &view.design.symbols;
    let mut said: HashSet<(Key, u32, u32), RandomState> = HashSet::default();
    // Of the nodes so far, how many children are still to come.
    let mut folded: HashMap<u32, usize, RandomState> = HashMap::default();
    let (mut bytes, mut place) = (0, String::new());
    let fits = |node: &&u32| {
        let of = view.design.node(**node);
        bytes += LINE + if of.kind == Kind::Text { 0 } else { symbols.get(of.name).len() };
        for fact in facts.of(**node) {
            let is_new = fact.key == Key::Text || said.insert((fact.key, fact.words, fact.style));
            bytes += 1 + fact.key.prefix().len() + if is_new { length(view, options, &fact) } else { NAME };
        }
        if let Some(at) = facts.place_in_tree(**node) {
            place.clear();
            at.write_in_tree(&mut place);
            bytes += place.len();
        }
        let children = view.design.children(of).len();
        if children > 0 {
            folded.insert(**node, children);
            bytes += FOLDED;
        }
        if let Some(left) = view.parent(**node).and_then(|parent| folded.get_mut(&parent)) {
            *left = left.saturating_sub(1);
            bytes -= if *left == 0 { FOLDED } else { 0 };
        }
        bytes <= most
    };
    ranked.iter().take_while(fits).count().max(1).min(ranked.len())
}

/// How long a fact's words are with the names of what they mention, which mostly is variables.
fn length(view: &View<'_>, options: &Options, fact: &Fact) -> usize {
    let symbols = &view.design.symbols;
    let words = symbols.get(fact.words);
    // Most fonts are of the family that is said once.
    let words = words.split_once(FAMILY).map_or(words, |(_, font)| font);
    let style = if fact.style == 0 { None } else { view.design.styles.get(symbols.get(fact.style)) };
    let mut length = words.len() + style.map_or(0, |name| name.len() + 1);
    for rest in words.split(VARIABLE).skip(1) {
        let id = rest.split(END).next().unwrap_or_default();
        let name = options.variables.0.get(id).map_or(0, |(name, _)| name.len());
        length = (length + name).saturating_sub(id.len());
    }
    length
}

/// Looks for the number of nodes that fills the budget, in few tries, on the line between the most that fit
/// and the fewest that do not: each try lays out and writes everything.
#[derive(Debug)]
struct Search {
    most_nodes: usize,
    most_bytes: usize,
    /// The most nodes that fit so far, and their bytes.
    good: (usize, usize),
    /// The fewest that do not, and their bytes.
    bad: Option<(usize, usize)>,
    /// The last try, and its bytes.
    last: (usize, usize),
    /// How many tries in a row have ended on the same side, and whether on that of those that fit.
    same: (u32, bool),
}

impl Search {
    const fn new(most_nodes: usize, most_bytes: usize) -> Self {
        Self { most_nodes, most_bytes, good: (0, 0), bad: None, last: (0, 0), same: (0, false) }
    }

    /// Takes in how long a description of so many nodes is; which number is to be tried next, if any.
    fn next(&mut self, count: usize, length: usize) -> Option<usize> {
        let is_good = length <= self.most_bytes;
        self.same = (if self.same.1 == is_good { self.same.0 + 1 } else { 1 }, is_good);
        if is_good {
            self.good = (count, length);
        } else {
            self.bad = Some((count, length));
        }
        let before = std::mem::replace(&mut self.last, (count, length));
        let (good, good_length) = self.good;
        let is_full = good > 0 && self.most_bytes - good_length <= self.most_bytes / 20;
        let left = self.bad.map_or(self.most_nodes + 1, |(bad, _)| bad).saturating_sub(good + 1);
        if self.bad.is_none() && is_full {
            // The last few would be a pity.
            return (1..=good / 32).contains(&left).then_some(self.most_nodes);
        }
        if is_full || left == 0 || self.bad.is_some() && left <= good / 64 {
            return None;
        }
        // Where several end on the same side and come little nearer, lengths guide badly: halves do better.
        let distance = |length: usize| length.abs_diff(self.most_bytes);
        let is_stuck = self.same.0 > 2 && distance(length) * 4 > distance(before.1);
        let guess = match self.bad {
            _ if is_stuck => None,
            Some(bad) if good > 0 => self.on_the_line(self.good, bad),
            _ => self.on_the_line(before, self.last),
        };
        // Far too many are the dearest try, and what repeats much makes the first ones look short.
        let most = if self.bad.is_none() && good > 0 { left.min(good + good / 2 + 1) } else { left };
        Some(guess.unwrap_or(good + left.div_ceil(2)).clamp(good + 1, good + most))
    }

    /// The number that fills the budget where lengths grow as they do between these tries.
    fn on_the_line(&self, from: (usize, usize), to: (usize, usize)) -> Option<usize> {
        let signed = |(count, length): (usize, usize)| {
            Some((i128::try_from(count).ok()?, i128::try_from(length).ok()?))
        };
        let ((from, length_from), (to, length_to)) = (signed(from)?, signed(to)?);
        // A little less than all: what is just too much is a try lost.
        let wanted = i128::try_from(self.most_bytes - self.most_bytes / 96).ok()?;
        let steps = (wanted - length_to).checked_mul(to - from)?.checked_div(length_to - length_from)?;
        let is_growing = (to > from) == (length_to > length_from);
        usize::try_from((to + steps).max(0)).ok().filter(|_| is_growing)
    }
}

/// The last resort: whole characters, and a word about it.
fn truncate(text: &mut String, most: usize) {
    const END: &str = "…(cut)\n";
    if text.len() <= most {
        return;
    }
    let mut at = most.saturating_sub(END.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    text.truncate(at);
    if most > END.len() {
        text.push_str(END);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many nodes are shown in the end, and after how many tries, from this first one on.
    fn search(nodes: usize, bytes: usize, first: usize, length: impl Fn(usize) -> usize) -> (usize, usize) {
        let (mut search, mut tries) = (Search::new(nodes, bytes), 0);
        let mut next = Some(nodes.min(first));
        while let Some(count) = next {
            next = search.next(count, length(count));
            tries += 1;
        }
        (search.good.0, tries)
    }

    #[test]
    fn a_few_tries_fill_the_budget_wherever_they_begin() {
        for first in [700, 3009] {
            let even = |count: usize| 300 + count * 45;
            let (count, tries) = search(95_000, 48_128, first, even);
            assert!(even(count) > 48_128 - 48_128 / 50 && tries <= 4, "{count} in {tries}");
            // The first nodes are short, the later ones long: and the other way round.
            let growing = |count: usize| 300 + count * count / 40;
            let (count, tries) = search(95_000, 48_128, first, growing);
            assert!(growing(count) > 48_128 - 48_128 / 25 && tries <= 8, "{count} in {tries}");
            let shrinking = |count: usize| 300 + (9_000_000 * count).isqrt();
            let (count, tries) = search(95_000, 48_128, first, shrinking);
            assert!(shrinking(count) > 48_128 - 48_128 / 25 && tries <= 8, "{count} in {tries}");
        }
    }

    #[test]
    fn no_try_is_much_longer_than_what_fits() {
        // What repeats much: the first nodes make the others look shorter than they are.
        let length = |count: usize| 8 * count + 8 * count.saturating_sub(1500);
        let longest = std::cell::Cell::new(0);
        let noted = |count: usize| {
            longest.set(longest.get().max(length(count)));
            length(count)
        };
        let (count, tries) = search(95_000, 48_128, 1412, noted);
        assert!(length(count) > 48_128 - 48_128 / 40 && tries <= 4, "{count} in {tries}");
        assert!(longest.get() < 48_128 * 3 / 2, "{}", longest.get());
    }

    #[test]
    fn tries_that_come_nearer_go_on() {
        // The later nodes say more than the earlier ones: each try is a little too long.
        let length = |count: usize| match count {
            0..676 => 47_500 + (count * 33) - 645 * 33,
            676..722 => 48_555 + (count - 676) * 33,
            _ => 50_083 + (count - 722) * 52,
        };
        let shortest = std::cell::Cell::new(usize::MAX);
        let noted = |count: usize| {
            shortest.set(shortest.get().min(length(count)));
            length(count)
        };
        let (count, tries) = search(5572, 48_128, 900, noted);
        assert!(length(count) > 48_128 - 48_128 / 48 && tries <= 5, "{count} in {tries}");
        assert!(shortest.get() > 40_000, "{}", shortest.get());
    }

    #[test]
    fn what_fits_is_shown_and_what_does_not_is_not() {
        assert_eq!(search(40, usize::MAX, 40, |count| count * 1000), (40, 1));
        assert_eq!(search(5000, 48_128, 3009, |count| count), (5000, 2));
        assert_eq!(search(40, 1000, 40, |_| 2000).0, 0);
        assert_eq!(search(0, 1000, 0, |_| 10).0, 0);
        // Lengths that go up and down end too.
        let (count, tries) = search(5000, 1000, 63, |count| if count % 2 == 0 { 999 } else { 1001 });
        assert!(count.is_multiple_of(2) && tries < 40, "{count} in {tries}");
    }
}
