//! The path that a filter begins with: only what lies there has to be loaded.

use std::{fmt, io::Read};

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

/// One step of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    Member(String),
    Item(usize),
}

/// Splits `.a.b[3] | rest` into its steps and what is left to do at their end. A filter that goes on
/// with anything but a pipe or an iteration has no steps: `.a + .b` needs the whole.
pub(super) fn split(filter: &str) -> (Vec<Step>, String) {
    let (mut steps, mut rest) = (Vec::new(), filter.trim_start());
    while let Some((step, after)) = next_step(rest, steps.is_empty()) {
        steps.push(step);
        rest = after;
    }
    let mut after = rest;
    while let Some(inner) = after.strip_prefix('[') {
        let Some(end) = inner.find(']') else { break };
        let (range, tail) = (inner.get(..end).unwrap_or_default(), inner.get(end + 1..).unwrap_or_default());
        if !range.chars().all(|c| c.is_ascii_digit() || c == ':') {
            break;
        }
        after = tail;
    }
    let iterates = after.len() < rest.len();
    let next = after.trim_start();
    match next.strip_prefix('|') {
        // `|=` changes what lies there, and gives the whole.
        Some(piped) if !piped.starts_with('=') => {
            let rest = if iterates { format!(".{rest}") } else { piped.to_owned() };
            (steps, rest)
        }
        None if next.is_empty() && !steps.is_empty() => {
            (steps, if iterates { format!(".{rest}") } else { ".".to_owned() })
        }
        _ => (Vec::new(), filter.to_owned()),
    }
}

fn next_step(text: &str, is_first: bool) -> Option<(Step, &str)> {
    let dotted = text.strip_prefix('.');
    if let Some(inner) = dotted.or(if is_first { None } else { Some(text) })?.strip_prefix('[') {
        if inner.starts_with('"') {
            return quoted(inner, "]");
        }
        let (digits, after) = inner.split_once(']')?;
        return Some((Step::Item(digits.parse().ok()?), after));
    }
    let after_dot = dotted?;
    if after_dot.starts_with('"') {
        return quoted(after_dot, "");
    }
    let end = after_dot.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(after_dot.len());
    let (name, after) = after_dot.split_at(end);
    let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    is_name.then(|| (Step::Member(name.to_owned()), after))
}

/// A name in quotes and what closes it. One with an interpolation or an escape is left to jq.
fn quoted<'a>(text: &'a str, close: &str) -> Option<(Step, &'a str)> {
    let (name, after) = text.strip_prefix('"')?.split_once('"')?;
    if name.contains('\\') {
        return None;
    }
    Some((Step::Member(name.to_owned()), after.strip_prefix(close)?))
}

/// What lies at the end of a path, as JSON; `None` where there is nothing. Reading stops there.
pub(super) fn find<R: Read>(steps: &[Step], reader: R) -> serde_json::Result<Option<Box<RawValue>>> {
    let mut found = None;
    let read =
        Find { steps, found: &mut found }.deserialize(&mut serde_json::Deserializer::from_reader(reader));
    match (found, read) {
        (Some(found), _) => Ok(Some(found)),
        (None, Ok(())) => Ok(None),
        (None, Err(error)) => Err(error),
    }
}

/// Passes over everything up to the end of the path; leaves what lies there, and then fails: so nothing
/// after it is read.
struct Find<'a> {
    steps: &'a [Step],
    found: &'a mut Option<Box<RawValue>>,
}

impl<'de> DeserializeSeed<'de> for Find<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        match self.steps.split_first() {
            None => {
                *self.found = Some(Box::<RawValue>::deserialize(deserializer)?);
                Err(serde::de::Error::custom("found"))
            }
            Some((step, rest)) => deserializer.deserialize_any(At { step, rest, found: self.found }),
        }
    }
}

struct At<'a> {
    step: &'a Step,
    rest: &'a [Step],
    found: &'a mut Option<Box<RawValue>>,
}

impl<'de> Visitor<'de> for At<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self.step {
            Step::Member(name) => write!(f, "an object, to take `{name}` from"),
            Step::Item(index) => write!(f, "a list, to take item {index} from"),
        }
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Step::Member(wanted) = self.step else {
            return Err(serde::de::Error::invalid_type(serde::de::Unexpected::Map, &self));
        };
        while let Some(name) = map.next_key::<String>()? {
            if name == *wanted {
                map.next_value_seed(Find { steps: self.rest, found: self.found })?;
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                return Ok(());
            }
            map.next_value::<IgnoredAny>()?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let Step::Item(index) = self.step else {
            return Err(serde::de::Error::invalid_type(serde::de::Unexpected::Seq, &self));
        };
        for _ in 0..*index {
            if items.next_element::<IgnoredAny>()?.is_none() {
                return Ok(());
            }
        }
        items.next_element_seed(Find { steps: self.rest, found: self.found })?;
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(json: &str, filter: &str) -> (Option<String>, String) {
        let (steps, rest) = split(filter);
        let found = find(&steps, json.as_bytes()).unwrap();
        (found.map(|found| found.get().to_owned()), rest)
    }

    #[test]
    fn a_path_at_the_beginning_is_taken_off() {
        let json = r#"{"a":{"b-c":[1,{"d":[7,8,9]}]},"e":5}"#;
        let cases = [
            (".a", Some(r#"{"b-c":[1,{"d":[7,8,9]}]}"#), "."),
            (" .a[\"b-c\"][1].d | length", Some("[7,8,9]"), " length"),
            (".a.\"b-c\"[1].d[1:] | first", Some("[7,8,9]"), ".[1:] | first"),
            (".a[\"b-c\"][1].d[]", Some("[7,8,9]"), ".[]"),
            (".e|.+1", Some("5"), ".+1"),
            (".x.y | .z", None, " .z"),
            (".a[\"b-c\"][7]", None, "."),
        ];
        for (filter, value, rest) in cases {
            assert_eq!(found(json, filter), (value.map(str::to_owned), rest.to_owned()), "{filter}");
        }
    }

    #[test]
    fn whatever_needs_the_whole_keeps_it() {
        for filter in [
            ".",
            "..",
            "",
            ".a + .e",
            ".a, .e",
            ".a as $x | $x",
            ".a // 1",
            ".e |= 3",
            ".a[] , .e",
            ".a?",
            ".a[.e]",
            ".a[\"x\\(.e)\"]",
            "def f: .a; f",
            ".a|=1",
            ".[-1]",
            ".a and .e",
            ".e = 1",
            ".a[]?",
        ] {
            assert_eq!(split(filter), (Vec::new(), filter.to_owned()), "{filter}");
        }
    }
}
