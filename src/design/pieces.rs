//! Small things out of raw JSON, without a tree of values.

use std::{borrow::Cow, collections::HashMap};

use serde::Deserialize;

use crate::walk::{self, Flow, Member, Visitor};

/// A JSON string's text; empty where it is none.
#[must_use]
pub fn text(value: &[u8]) -> Cow<'_, str> {
    if let [b'"', inner @ .., b'"'] = value
        && !inner.contains(&b'\\')
        && let Ok(text) = std::str::from_utf8(inner)
    {
        return Cow::Borrowed(text);
    }
    Cow::Owned(serde_json::from_slice(value).unwrap_or_default())
}

/// Reads a JSON value, or its default where it is something else.
#[must_use]
pub fn read<'a, T: Deserialize<'a> + Default>(value: &'a [u8]) -> T {
    serde_json::from_slice(value).unwrap_or_default()
}

/// The members of a JSON object, each with its raw name, without its quotation marks, and its raw value.
/// They end where it is no JSON.
pub fn members(object: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let mut parts = Parts::of(object, b'{');
    std::iter::from_fn(move || {
        let name = parts.value()?.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
        parts.skip(b':');
        Some((name, parts.value()?))
    })
}

/// The raw items of a JSON list. They end where it is no JSON.
pub fn items(list: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut parts = Parts::of(list, b'[');
    std::iter::from_fn(move || parts.value())
}

/// The raw value of a member of a JSON object.
#[must_use]
pub fn member<'a>(object: &'a [u8], wanted: &[u8]) -> Option<&'a [u8]> {
    members(object).find_map(|(name, value)| (name == wanted).then_some(value))
}

/// What is left of an object or a list.
struct Parts<'a>(&'a [u8]);

impl<'a> Parts<'a> {
    fn of(raw: &'a [u8], open: u8) -> Self {
        Self(raw.trim_ascii_start().strip_prefix(&[open]).unwrap_or_default())
    }

    fn skip(&mut self, sign: u8) {
        let rest = self.0.trim_ascii_start();
        self.0 = rest.strip_prefix(&[sign]).unwrap_or(rest).trim_ascii_start();
    }

    fn value(&mut self) -> Option<&'a [u8]> {
        self.skip(b',');
        let (value, rest) = self.0.split_at_checked(walk::value_length(self.0)?)?;
        self.0 = rest;
        Some(value)
    }
}

/// How deep aliases may lie; Figma's lie two levels deep.
const DEEPEST_ALIAS: usize = 16;

/// Calls back with each alias of a `boundVariables`: the path of what it stands for, such as `size.x`, and
/// the variable's id.
pub fn aliases(bound: &[u8], mut found: impl FnMut(&str, &str)) {
    aliases_at(bound, 0, &mut String::new(), &mut found);
}

fn aliases_at(raw: &[u8], depth: usize, path: &mut String, found: &mut impl FnMut(&str, &str)) {
    if depth > DEEPEST_ALIAS {
        return;
    }
    if let Some(id) = member(raw, b"id").filter(|id| id.starts_with(b"\"")) {
        return found(path, &text(id));
    }
    let length = path.len();
    for (name, value) in members(raw) {
        if length > 0 {
            path.push('.');
        }
        path.push_str(&String::from_utf8_lossy(name));
        aliases_at(value, depth + 1, path, found);
        path.truncate(length);
    }
    items(raw).for_each(|item| aliases_at(item, depth + 1, path, found));
}

/// A box on the canvas.
#[derive(Debug, Clone, Copy, Default, PartialEq, Deserialize)]
pub struct Area {
    /// Left.
    pub x: f64,
    /// Top.
    pub y: f64,
    /// To the right.
    pub width: f64,
    /// Downwards.
    pub height: f64,
}

impl Area {
    /// Whether a point lies in it.
    #[must_use]
    pub fn holds(&self, x: f64, y: f64) -> bool {
        (self.x..=self.x + self.width).contains(&x) && (self.y..=self.y + self.height).contains(&y)
    }

    /// Its size as a person writes it: `390×844`.
    #[must_use]
    pub fn size(&self) -> String {
        format!("{}×{}", rounded(self.width), rounded(self.height))
    }
}

/// Two digits after the point are more than a screen shows.
fn rounded(length: f64) -> f64 {
    (length * 100.0).round() / 100.0
}

/// An entry of the maps `components`, `componentSets` and `styles`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Named {
    /// Its publish key.
    pub key: String,
    /// Its name.
    pub name: String,
    /// The set that a component is a variant of.
    pub component_set_id: Option<String>,
    /// What a style is of: `FILL`, `TEXT`, `EFFECT` or `GRID`.
    pub style_type: String,
    /// Whether it comes from a library.
    pub remote: bool,
}

/// What stands beside the document: by node id.
#[derive(Debug, Clone, Default)]
pub struct Beside {
    /// The file's name.
    pub name: String,
    /// The file's version.
    pub version: String,
    /// Components that are used or defined here.
    pub components: HashMap<String, Named>,
    /// Their sets.
    pub sets: HashMap<String, Named>,
    /// Styles that are used or defined here.
    pub styles: HashMap<String, Named>,
}

impl Beside {
    /// Whether [`Beside::member`] understands members of this name.
    #[must_use]
    pub fn wants(key: &[u8]) -> bool {
        matches!(key, b"name" | b"version" | b"components" | b"componentSets" | b"styles")
    }

    /// One member beside the document; those of several entries come together.
    pub fn member(&mut self, key: &[u8], value: &[u8]) {
        match key {
            b"name" => self.name = text(value).into_owned(),
            b"version" => self.version = text(value).into_owned(),
            b"components" => self.components.extend(read::<HashMap<_, _>>(value)),
            b"componentSets" => self.sets.extend(read::<HashMap<_, _>>(value)),
            b"styles" => self.styles.extend(read::<HashMap<_, _>>(value)),
            _ => {}
        }
    }

    /// A component as a person calls it: `Button (Variant=Primary)` for a variant of a set.
    #[must_use]
    pub fn component(&self, id: &str) -> Option<String> {
        let component = self.components.get(id)?;
        let set = component.component_set_id.as_ref().and_then(|set| self.sets.get(set));
        Some(set.map_or_else(|| component.name.clone(), |set| format!("{} ({})", set.name, component.name)))
    }
}

/// All nodes that are walked: their names, and what stands beside them.
#[derive(Debug, Default)]
pub struct Subtree {
    /// Name by id.
    pub names: HashMap<String, String>,
    /// What the answer says beside its trees.
    pub beside: Beside,
    /// The ids of the nodes that are open.
    open: Vec<String>,
}

impl Visitor for Subtree {
    fn open(&mut self, _at: u64) {
        self.open.push(String::new());
    }

    fn member(&mut self, _member: Member, key: &[u8], value: &[u8]) -> Flow {
        if let Some(id) = self.open.last_mut() {
            if key == b"id" {
                *id = text(value).into_owned();
            } else {
                self.names.insert(id.clone(), text(value).into_owned());
            }
        }
        Flow::Continue
    }

    fn close(&mut self, _end: u64) {
        self.open.pop();
    }

    fn beside(&mut self, _entry: Option<&str>, key: &[u8], value: &[u8]) {
        self.beside.member(key, value);
    }

    fn wants(&self, member: Member, _key: &[u8]) -> bool {
        matches!(member, Member::Id | Member::Name)
    }

    fn wants_beside(&self, key: &[u8]) -> bool {
        Beside::wants(key)
    }
}

/// Two visitors on one walk, the second of which may be missing.
#[derive(Debug)]
pub struct Pair<A, B> {
    one: Side<A>,
    other: Option<Side<B>>,
}

#[derive(Debug)]
struct Side<V> {
    visitor: V,
    depth: usize,
    /// The level below which it wants nothing more.
    skips: Option<usize>,
}

impl<V: Visitor> Side<V> {
    const fn new(visitor: V) -> Self {
        Self { visitor, depth: 0, skips: None }
    }

    fn open(&mut self, at: u64) {
        self.depth += 1;
        if self.skips.is_none() {
            self.visitor.open(at);
        }
    }

    #[inline(always)]
    #[allow(clippy::inline_always, reason = "the release profile optimises for size")]
    fn member(&mut self, member: Member, key: &[u8], value: &[u8]) {
        if self.wants(member, key) && self.visitor.member(member, key, value) == Flow::Skip {
            self.skips = Some(self.depth);
        }
    }

    fn close(&mut self, end: u64) {
        if self.skips == Some(self.depth) {
            self.skips = None;
        }
        if self.skips.is_none() {
            self.visitor.close(end);
        }
        self.depth = self.depth.saturating_sub(1);
    }

    #[inline(always)]
    #[allow(clippy::inline_always, reason = "the release profile optimises for size")]
    fn wants(&self, member: Member, key: &[u8]) -> bool {
        self.skips.is_none() && self.visitor.wants(member, key)
    }
}

impl<A: Visitor, B: Visitor> Pair<A, B> {
    /// Shows everything to both.
    pub fn new(one: A, other: Option<B>) -> Self {
        Self { one: Side::new(one), other: other.map(Side::new) }
    }

    /// The two again.
    pub fn into_inner(self) -> (A, Option<B>) {
        (self.one.visitor, self.other.map(|side| side.visitor))
    }
}

impl<A: Visitor, B: Visitor> Visitor for Pair<A, B> {
    fn open(&mut self, at: u64) {
        self.one.open(at);
        self.other.iter_mut().for_each(|side| side.open(at));
    }

    fn member(&mut self, member: Member, key: &[u8], value: &[u8]) -> Flow {
        self.one.member(member, key, value);
        self.other.iter_mut().for_each(|side| side.member(member, key, value));
        let skips = self.one.skips.is_some() && self.other.as_ref().is_none_or(|side| side.skips.is_some());
        if skips { Flow::Skip } else { Flow::Continue }
    }

    fn close(&mut self, end: u64) {
        self.one.close(end);
        self.other.iter_mut().for_each(|side| side.close(end));
    }

    fn beside(&mut self, entry: Option<&str>, key: &[u8], value: &[u8]) {
        if self.one.visitor.wants_beside(key) {
            self.one.visitor.beside(entry, key, value);
        }
        if let Some(side) = self.other.as_mut().filter(|side| side.visitor.wants_beside(key)) {
            side.visitor.beside(entry, key, value);
        }
    }

    #[inline(always)]
    #[allow(clippy::inline_always, reason = "the release profile optimises for size")]
    fn wants(&self, member: Member, key: &[u8]) -> bool {
        self.one.wants(member, key) || self.other.as_ref().is_some_and(|side| side.wants(member, key))
    }

    fn wants_beside(&self, key: &[u8]) -> bool {
        let other = self.other.as_ref().is_some_and(|side| side.visitor.wants_beside(key));
        self.one.visitor.wants_beside(key) || other
    }
}

#[cfg(test)]
impl Subtree {
    fn of(tree: &[u8]) -> Self {
        let mut walker = crate::walk::Walker::new(Self::default());
        walker.push(tree).unwrap();
        walker.finish().unwrap()
    }
}

/// Calls back with the id of each variable that a piece of raw JSON is bound to, in their order.
pub fn variables<'a>(value: &'a [u8], mut found: impl FnMut(&'a str)) {
    let Ok(text) = std::str::from_utf8(value) else { return };
    for (at, _) in text.match_indices("\"VariableID:") {
        let id = text.get(at + 1..).and_then(|rest| rest.split('"').next());
        id.into_iter().for_each(&mut found);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_and_lists_come_apart() {
        let whole = br#" { "a\"b" : [1, {"x":"}"}] ,"c":-1.5e3,"d":null , "e":"\\" } "#;
        let parts: Vec<_> = members(whole).collect();
        let expected: [(&[u8], &[u8]); 4] =
            [(br#"a\"b"#, br#"[1, {"x":"}"}]"#), (b"c", b"-1.5e3"), (b"d", b"null"), (b"e", br#""\\""#)];
        assert_eq!(parts, expected);
        assert!(items(parts[0].1).eq([&b"1"[..], br#"{"x":"}"}"#]));
        assert_eq!(member(whole, b"c"), Some(&b"-1.5e3"[..]));
        for (other, count) in [("", 0), ("7", 0), ("[1,2", 2), ("{}", 0), ("[]", 0), ("{\"a\"", 0), ("[{", 0)]
        {
            assert_eq!(members(other.as_bytes()).count() + items(other.as_bytes()).count(), count, "{other}");
        }
    }

    #[test]
    fn aliases_are_found_with_the_path_of_what_they_stand_for() {
        let mut found = Vec::new();
        let bound = br#"{"opacity":{"type":"VARIABLE_ALIAS","id":"a"},"fills":[{"id":"b"},{"id":"c"},7],
            "size":{"x":{"id":"d"}},"componentProperties":{"Text#1:0":{"id":"e","type":"VARIABLE_ALIAS"}},"id":7}"#;
        aliases(bound, |path, id| found.push(format!("{path}={id}")));
        assert_eq!(found, ["opacity=a", "fills=b", "fills=c", "size.x=d", "componentProperties.Text#1:0=e"]);
        aliases("[".repeat(1_000_000).as_bytes(), |_, _| unreachable!("there is none"));
        let deep = "[".repeat(50_000) + &"]".repeat(50_000);
        aliases(deep.as_bytes(), |_, _| unreachable!("there is none"));
    }

    #[test]
    fn bound_variables_are_found_wherever_they_are() {
        let mut found = Vec::new();
        let value = br#"[{"boundVariables":{"color":{"type":"VARIABLE_ALIAS","id":"VariableID:1:2"}},"x":"VariableID:"},{"id":"VariableID:ab/3:4"}]"#;
        variables(value, |id| found.push(id));
        assert_eq!(found, ["VariableID:1:2", "VariableID:", "VariableID:ab/3:4"]);
    }

    /// Notes the names of nodes, and skips what is in one of them.
    #[derive(Debug, Default, PartialEq)]
    struct Names(&'static str, Vec<String>);

    impl Visitor for Names {
        fn open(&mut self, _at: u64) {}
        fn wants(&self, _member: Member, _key: &[u8]) -> bool {
            true
        }
        fn member(&mut self, _member: Member, _key: &[u8], value: &[u8]) -> Flow {
            self.1.push(text(value).into_owned());
            if text(value) == self.0 { Flow::Skip } else { Flow::Continue }
        }
        fn close(&mut self, _end: u64) {
            self.1.push("/".to_owned());
        }
        fn beside(&mut self, _entry: Option<&str>, _key: &[u8], _value: &[u8]) {}
    }

    #[test]
    fn each_of_a_pair_sees_what_it_would_see_alone() {
        let tree = br#"{"document":{"name":"a","children":[{"name":"b","children":[{"name":"c"}]},{"name":"d","children":[{"name":"e"}]}]}}"#;
        let alone = |skips: &'static str| {
            let mut walker = crate::walk::Walker::new(Names(skips, Vec::new()));
            walker.push(tree).unwrap();
            walker.finish().unwrap()
        };
        for (one, other) in [("b", "d"), ("b", "b"), ("", "a"), ("a", "a"), ("e", "")] {
            let pair = Pair::new(Names(one, Vec::new()), Some(Names(other, Vec::new())));
            let mut walker = crate::walk::Walker::new(pair);
            walker.push(tree).unwrap();
            assert_eq!(
                walker.finish().unwrap().into_inner(),
                (alone(one), Some(alone(other))),
                "{one} {other}"
            );
        }
    }

    #[test]
    fn a_subtree_knows_the_names_of_all_that_is_in_it() {
        let tree =
            br#"{"id":"1:1","name":"a","type":"FRAME","children":[{"id":"1:2","name":"b","type":"TEXT"}]}"#;
        let names = Subtree::of(tree).names;
        assert_eq!((names["1:1"].as_str(), names["1:2"].as_str(), names.len()), ("a", "b", 2));
    }

    #[test]
    fn texts_lose_their_escapes() {
        assert_eq!(text(br#""a""#), "a");
        assert_eq!(text(br#""a\n\u00e9""#), "a\n\u{e9}");
        assert_eq!(text(b"7"), "");
    }
}
