//! Names concluded from where variables are used.

use std::collections::{BTreeMap, HashMap};

use super::{Use, Uses, Variable, Variables};
use crate::design::fold::one_line;

/// A name for every variable that was met: that of the style that carries it, or else what it is used
/// for with its value. The same uses give the same names.
#[must_use]
pub fn infer(uses: &Uses) -> Variables {
    let mut variables: Variables = BTreeMap::new();
    let mut taken: BTreeMap<String, usize> = BTreeMap::new();
    let carried = carried(uses);
    for (id, known) in &uses.found {
        let (name, known_from) =
            named_by_style(uses, known, &carried).unwrap_or_else(|| named_by_value(known));
        let before = taken.entry(name.clone()).or_default();
        *before += 1;
        let name = if *before > 1 { format!("{name} ({before})") } else { name };
        let values = by_count(&known.values).into_iter().map(|value| (String::new(), value)).collect();
        variables.insert(id.clone(), Variable { name, known_from, values, ..Variable::default() });
    }
    variables
}

/// How many variables each style carries.
fn carried(uses: &Uses) -> HashMap<&str, usize> {
    let mut carried = HashMap::new();
    for style in uses.found.values().flat_map(|known| known.styles.keys()) {
        *carried.entry(style.as_str()).or_default() += 1;
    }
    carried
}

/// Most of its uses with a style are with this one, and the style is about nothing else.
fn named_by_style(uses: &Uses, known: &Use, carried: &HashMap<&str, usize>) -> Option<(String, String)> {
    let with_style: usize = known.styles.values().sum();
    let (style, count) = known.styles.iter().max_by_key(|(id, count)| (**count, std::cmp::Reverse(*id)))?;
    let name = one_line(&uses.beside.styles.get(style)?.name);
    let is_shared = carried.get(style.as_str()).is_some_and(|count| *count > 1);
    (count * 2 > with_style && with_style * 2 > known.count && !is_shared && !name.is_empty())
        .then(|| (name.clone(), format!("the style \"{name}\", which carries it")))
}

fn named_by_value(known: &Use) -> (String, String) {
    let kind = by_count(&known.kinds).into_iter().next().unwrap_or("value");
    let uses = if known.count == 1 { "1 use".to_owned() } else { format!("{} uses", known.count) };
    match by_count(&known.values).as_slice() {
        [] => (format!("{kind}/?"), format!("{uses}, as {kind}")),
        [value] => (format!("{kind}/{}", short(value)), format!("its value in {uses}, as {kind}")),
        [value, others @ ..] => (
            format!("{kind}/{}", short(value)),
            format!("its commonest value in {uses}, as {kind}; {} others", others.len()),
        ),
    }
}

fn short(value: &str) -> String {
    one_line(value).trim_start_matches('#').chars().take(24).collect::<String>().to_lowercase()
}

/// What occurs most comes first.
fn by_count<T: Ord + Clone>(counts: &BTreeMap<T, usize>) -> Vec<T> {
    let mut all: Vec<(&T, &usize)> = counts.iter().collect();
    all.sort_by_key(|(value, count)| (std::cmp::Reverse(**count), *value));
    all.into_iter().map(|(value, _)| value.clone()).collect()
}
