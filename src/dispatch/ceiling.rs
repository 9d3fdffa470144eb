//! What is shown of an answer that is too large to be shown. Pure.
//!
//! Nothing is cut inside a value and nothing is left out silently. JSON keeps its shape: lists and maps
//! end early, what is too large for its place becomes `{"folded": kind, …, "bytes": size}`, and each
//! shortened list is told with its place, so that the rest can be asked for. A text ends after a line.

use std::{borrow::Cow, fmt};

use serde::{
    Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;

/// Below this a value is folded rather than shown in part.
const SMALLEST_PART: usize = 160;
/// How many folded places are told by name.
const MOST_NAMED: usize = 8;

/// A part of an answer.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Part {
    /// What is shown.
    pub(super) body: String,
    /// The lists and maps that end early.
    pub(super) shortened: Vec<Shortened>,
    /// Where something was folded: the first places, as jq paths.
    pub(super) folded: Vec<String>,
    /// How many more there are.
    pub(super) folded_more: usize,
}

/// A list, a map or a text of which only a stretch is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Shortened {
    /// Where it stands, as a jq path.
    pub(super) path: String,
    /// What it consists of: `items`, `members`, `lines`.
    pub(super) of: &'static str,
    /// The first one that is shown.
    pub(super) from: usize,
    /// The first one that is not shown any more.
    pub(super) to: usize,
    /// How many there are.
    pub(super) total: usize,
}

/// The path of what is at hand.
pub(super) const ROOT: &str = ".";

/// As much of a JSON text as fits.
pub(super) fn json(text: &str, limit: usize, path: &str) -> Part {
    let mut part = Part::default();
    part.body = part.value(text.trim(), limit, path);
    part
}

/// A stretch of a list or map, from an offset on: at most `most` of it, and as much as fits. `None`
/// when the text is neither.
pub(super) fn stretch(text: &str, from: usize, most: usize, limit: usize, path: &str) -> Option<Part> {
    let (entries, of) = entries(text.trim())?;
    let mut part = Part::default();
    part.body = part.stretch(&entries, of, from, most, limit, path);
    Some(part)
}

/// The list that most of a JSON text consists of, and its path; an object where no list prevails.
pub(super) fn main_list(text: &str) -> (&str, String) {
    let (mut text, mut path) = (text.trim(), ROOT.to_owned());
    while let Some((entries, "members")) = entries(text) {
        let largest = entries.iter().max_by_key(|entry| entry.value.get().len());
        let Some(largest) = largest.filter(|entry| {
            entry.value.get().starts_with(['[', '{']) && entry.value.get().len() * 2 > text.len()
        }) else {
            break;
        };
        path = join(&path, largest.name.as_deref(), 0);
        text = largest.value.get();
    }
    (text, path)
}

/// Whether this is a tree of nodes, and the nodes are most of it: a file, some of its nodes, or one.
pub(super) fn is_tree(text: &str) -> bool {
    let Some((entries, "members")) = entries(text) else { return false };
    let member = |name: &str, kind: char| {
        let value =
            entries.iter().find(|entry| entry.name.as_deref() == Some(name)).map(|entry| entry.value.get());
        value.filter(|value| value.starts_with(kind))
    };
    let prevails = |value: &str| value.len() * 2 > text.len();
    if let Some(document) = member("document", '{') {
        return prevails(document);
    }
    if let Some(nodes) = member("nodes", '{') {
        return prevails(nodes) && nodes.contains("\"document\":");
    }
    member("id", '"').is_some() && member("children", '[').is_some_and(prevails)
}

/// The stretch of a text's lines.
pub(super) fn lines(text: &str, from: usize, most: usize, limit: usize) -> Part {
    let all: Vec<&str> = text.split_inclusive('\n').collect();
    let (mut body, mut to) = (String::new(), from);
    for line in all.iter().skip(from).take(most) {
        let is_longer = body.len() + line.len() > limit;
        if is_longer && (to > from || line.len() > limit) {
            if to == from {
                body = format!("(line {from} has {} bytes, too many to show)\n", line.len());
                to += 1;
            }
            break;
        }
        body += line;
        to += 1;
    }
    let total = all.len();
    let shortened =
        (from > 0 || to < total).then(|| Shortened { path: String::new(), of: "lines", from, to, total });
    Part { body, shortened: shortened.into_iter().collect(), ..Part::default() }
}

impl Part {
    fn value(&mut self, text: &str, limit: usize, path: &str) -> String {
        if text.len() <= limit {
            return text.to_owned();
        }
        match entries(text) {
            Some((entries, "members")) => self.object(text, &entries, limit, path),
            Some((entries, of)) if limit >= SMALLEST_PART => {
                self.stretch(&entries, of, 0, usize::MAX, limit, path)
            }
            _ => self.fold(text, path),
        }
    }

    /// Small members whole, the large ones in equal shares of what is left; where not even that is
    /// possible, the first members.
    fn object(&mut self, text: &str, entries: &[Entry<'_>], limit: usize, path: &str) -> String {
        if limit < SMALLEST_PART {
            return self.fold(text, path);
        }
        let Some(share) = share(entries, limit.saturating_sub(2)) else {
            return self.stretch(entries, "members", 0, usize::MAX, limit, path);
        };
        let shown: Vec<String> = entries
            .iter()
            .map(|entry| {
                let name = entry.name.as_deref().unwrap_or_default();
                let value = if entry.size() <= share {
                    entry.value.get().to_owned()
                } else {
                    let left = share.saturating_sub(entry.size() - entry.value.get().len());
                    self.value(entry.value.get(), left, &join(path, Some(name), 0))
                };
                format!("{}:{value}", quoted(name))
            })
            .collect();
        format!("{{{}}}", shown.join(","))
    }

    fn stretch(
        &mut self,
        entries: &[Entry<'_>],
        of: &'static str,
        from: usize,
        most: usize,
        limit: usize,
        path: &str,
    ) -> String {
        let mut shown = String::new();
        let mut to = from;
        for (index, entry) in entries.iter().enumerate().skip(from).take(most) {
            let left = limit.saturating_sub(shown.len() + 2);
            if entry.size() > left && to > from {
                break;
            }
            // One at the least, in part if need be: whoever pages always gets on.
            let start = entry.name.as_deref().map(|name| quoted(name) + ":").unwrap_or_default();
            let room = left.saturating_sub(start.len() + 1);
            let value = self.value(entry.value.get(), room, &join(path, entry.name.as_deref(), index));
            shown += &start;
            shown += &value;
            shown.push(',');
            to = index + 1;
        }
        shown.pop();
        let total = entries.len();
        if from > 0 || to < total {
            self.shortened.push(Shortened { path: path.to_owned(), of, from, to, total });
        }
        if of == "members" { format!("{{{shown}}}") } else { format!("[{shown}]") }
    }

    fn fold(&mut self, text: &str, path: &str) -> String {
        if self.folded.len() < MOST_NAMED {
            self.folded.push(path.to_owned());
        } else {
            self.folded_more += 1;
        }
        marker(text)
    }
}

/// What stands in the place of a value that is not shown.
pub(super) fn marker(text: &str) -> String {
    let bytes = text.len();
    match entries(text) {
        Some((entries, "members")) => {
            format!("{{\"folded\":\"object\",\"members\":{},\"bytes\":{bytes}}}", entries.len())
        }
        Some((entries, _)) => {
            format!("{{\"folded\":\"array\",\"items\":{},\"bytes\":{bytes}}}", entries.len())
        }
        None => format!("{{\"folded\":\"string\",\"bytes\":{bytes}}}"),
    }
}

/// The size up to which members are shown whole so that all fit: what is larger gets this much each.
/// `None` when that would be too little to show anything.
fn share(entries: &[Entry<'_>], limit: usize) -> Option<usize> {
    let mut sizes: Vec<usize> = entries.iter().map(Entry::size).collect();
    sizes.sort_unstable();
    let mut left = limit;
    for (index, size) in sizes.iter().enumerate() {
        let share = left / (sizes.len() - index);
        if *size > share {
            return (share >= SMALLEST_PART).then_some(share);
        }
        left -= size;
    }
    Some(limit)
}

/// An item, or a member with its name.
#[derive(Debug)]
struct Entry<'a> {
    name: Option<Cow<'a, str>>,
    value: &'a RawValue,
}

impl Entry<'_> {
    /// With its name, the colon and the comma.
    fn size(&self) -> usize {
        let name = self.name.as_deref().map_or(0, |name| quoted(name).len() + 1);
        name + self.value.get().len() + 1
    }
}

/// The items of a list or the members of an object, and what they are called.
fn entries(text: &str) -> Option<(Vec<Entry<'_>>, &'static str)> {
    let mut reader = serde_json::Deserializer::from_str(text);
    match text.as_bytes().first()? {
        b'[' => {
            let items: Vec<&RawValue> = serde_json::from_str(text).ok()?;
            Some((items.into_iter().map(|value| Entry { name: None, value }).collect(), "items"))
        }
        b'{' => Some((reader.deserialize_map(Members).ok()?, "members")),
        _ => None,
    }
}

/// Members in their order; a map would sort them or lose double ones.
struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Vec<Entry<'de>>;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some((name, value)) = map.next_entry::<String, &RawValue>()? {
            members.push(Entry { name: Some(Cow::Owned(name)), value });
        }
        Ok(members)
    }
}

fn quoted(name: &str) -> String {
    serde_json::Value::from(name).to_string()
}

/// A jq path and one step more: a member's name, or an item's number.
pub(super) fn join(path: &str, name: Option<&str>, index: usize) -> String {
    let is_word = |name: &str| {
        name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    let (stem, dot) = path.strip_suffix('.').map_or((path, ""), |stem| (stem, "."));
    match name {
        Some(name) if is_word(name) => format!("{stem}.{name}"),
        Some(name) => format!("{stem}{dot}[{}]", quoted(name)),
        None => format!("{stem}{dot}[{index}]"),
    }
}

/// JSON without the white space between its values.
pub(super) fn minified(text: &str) -> Cow<'_, str> {
    let (mut in_text, mut escaped) = (false, false);
    let mut kept = String::with_capacity(text.len());
    let mut from = 0;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            b' ' | b'\n' | b'\r' | b'\t' if !in_text => {
                kept += text.get(from..at).unwrap_or_default();
                from = at + 1;
            }
            _ => {}
        }
    }
    if from == 0 {
        return Cow::Borrowed(text);
    }
    kept += text.get(from..).unwrap_or_default();
    Cow::Owned(kept)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn what_fits_stays_as_it_is() {
        let text = r#" {"a":[1, 2]} "#;
        assert_eq!(json(text, 100, ROOT), Part { body: text.trim().to_owned(), ..Part::default() });
    }

    #[test]
    fn a_list_ends_after_a_whole_item_and_says_where() {
        let comments: Vec<Value> =
            (0..100).map(|id| json!({ "id": id, "message": "x".repeat(40) })).collect();
        let text = json!({ "name": "n", "comments": comments, "users": { "a": 1 } }).to_string();
        let part = super::json(&text, 1_000, ROOT);
        let shown: Value = serde_json::from_str(&part.body).unwrap();
        let [shortened] = part.shortened.as_slice() else { panic!("{part:?}") };
        assert_eq!((shortened.path.as_str(), shortened.total), (".comments", 100));
        assert_eq!(shown["comments"].as_array().unwrap().as_slice(), &comments[..shortened.to]);
        assert_eq!((&shown["name"], &shown["users"]), (&json!("n"), &json!({ "a": 1 })));
        assert!(part.body.len() <= 1_000 && part.body.len() > 900, "{}", part.body.len());
    }

    #[test]
    fn every_limit_holds_and_gives_json() {
        let deep =
            (0..60).fold(json!("x".repeat(300)), |inner, level| json!({ "in": [inner], "n\"": level }));
        let map: serde_json::Map<String, Value> =
            (0..500).map(|n| (format!("{n}:{n}"), json!({ "v": n, "text": "y".repeat(n) }))).collect();
        for value in [
            deep,
            Value::Object(map.clone()),
            json!({ "meta": { "a": map, "b": "z".repeat(5_000) } }),
            json!("s".repeat(9_000)),
        ] {
            let text = value.to_string();
            for limit in [160, 200, 333, 1_000, 4_096, 20_000] {
                let part = super::json(&text, limit, ROOT);
                assert!(part.body.len() <= limit, "{limit}: {}", part.body);
                serde_json::from_str::<Value>(&part.body).unwrap();
                let is_told = !part.shortened.is_empty() || !part.folded.is_empty();
                assert_eq!(is_told, text.len() > limit);
            }
        }
    }

    #[test]
    fn pages_join_to_the_whole() {
        let items: Vec<Value> = (0..200).map(|n| json!({ "n": n, "t": "u".repeat(n % 37) })).collect();
        let text = json!(items).to_string();
        let (mut seen, mut from) = (Vec::new(), 0);
        loop {
            let part = stretch(&text, from, usize::MAX, 700, ROOT).unwrap();
            seen.extend(serde_json::from_str::<Vec<Value>>(&part.body).unwrap());
            from = part.shortened[0].to;
            if from == part.shortened[0].total {
                break;
            }
        }
        assert_eq!(seen, items);
    }

    #[test]
    fn the_main_list_is_found() {
        let rows: Vec<u8> = (0..50).collect();
        let text = json!({ "status": 200, "meta": { "cursor": {}, "rows": rows } }).to_string();
        assert_eq!(main_list(&text).1, ".meta.rows");
        assert_eq!(main_list("[1]").1, ROOT);
        assert_eq!(main_list(r#"{"a":1,"b":2}"#), (r#"{"a":1,"b":2}"#, ROOT.to_owned()));
    }

    #[test]
    fn trees_are_told_from_other_json() {
        let node = json!({ "id": "1:2", "children": [{ "id": "1:3" }, { "id": "1:4" }] });
        assert!(is_tree(&json!({ "document": node, "name": "x" }).to_string()));
        assert!(is_tree(&json!({ "nodes": { "1:2": { "document": node } } }).to_string()));
        assert!(is_tree(&node.to_string()));
        for other in [
            json!({ "document": {}, "components": { "a": "long enough" } }),
            json!({ "nodes": [] }),
            json!([1]),
        ] {
            assert!(!is_tree(&other.to_string()), "{other}");
        }
    }

    #[test]
    fn paths_are_those_of_jq() {
        assert_eq!(join(ROOT, Some("a"), 0), ".a");
        assert_eq!(join(ROOT, Some("1:2"), 0), ".[\"1:2\"]");
        assert_eq!(join(ROOT, None, 3), ".[3]");
        assert_eq!(join(".a", Some("1:2"), 0), ".a[\"1:2\"]");
        assert_eq!(join(".a", None, 3), ".a[3]");
        assert_eq!(join("map(.x) | .", None, 3), "map(.x) | .[3]");
    }

    #[test]
    fn a_text_ends_after_a_line() {
        let part = lines("one\ntwo\nthree\n", 0, usize::MAX, 9);
        assert_eq!((part.body.as_str(), part.shortened[0].to, part.shortened[0].total), ("one\ntwo\n", 2, 3));
        assert_eq!(lines("one\ntwo\nthree\n", 2, usize::MAX, 9).body, "three\n");
        assert_eq!(lines("a\n", 0, usize::MAX, 9).shortened, []);
        assert_eq!(
            lines(&"x".repeat(50), 0, usize::MAX, 9).body,
            "(line 0 has 50 bytes, too many to show)\n"
        );
    }

    #[test]
    fn white_space_between_values_goes() {
        assert_eq!(minified("{ \"a b\" : [ 1,\n\t\"x \\\" y\" ] }\n"), "{\"a b\":[1,\"x \\\" y\"]}");
        assert!(matches!(minified("{\"a b\":1}"), Cow::Borrowed(_)));
    }
}
