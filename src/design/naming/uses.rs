//! Where variables are used, with the values that they have there and the styles that carry them.

use std::{
    collections::{BTreeMap, HashMap},
    sync::LazyLock,
};

use foldhash::fast::RandomState;
use memchr::memmem::Finder;
use serde_json::Value;

use super::official::{hex, number_text};
use crate::{
    design::pieces::{self, Beside},
    walk::{Flow, Visitor},
};

/// What is known of a variable from where it is used.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Use {
    /// How often it is bound.
    pub count: usize,
    /// To what: `color`, `space`, `radius` and the like, with how often.
    pub kinds: BTreeMap<&'static str, usize>,
    /// The values it has there, with how often.
    pub values: BTreeMap<String, usize>,
    /// The ids of styles on the same property, with how often.
    pub styles: BTreeMap<String, usize>,
}

/// Collects what is known of every variable in what is walked.
#[derive(Debug, Default)]
pub struct Uses {
    /// By level; those above the open ones keep their room for the next node.
    levels: Vec<Level>,
    depth: usize,
    /// Nodes that are not understood yet, by what there is to understand of them, with how often: designs
    /// repeat their nodes by the thousand.
    waiting: HashMap<Box<[u8]>, usize, RandomState>,
    /// Which members matter beside a `boundVariables`: it repeats as often.
    matters: HashMap<Box<[u8]>, Places, RandomState>,
    scratch: Vec<u8>,
    /// By the variable's id.
    pub found: BTreeMap<String, Use>,
    /// What the file says beside its tree.
    pub beside: Beside,
}

/// What was told of an open node so far.
#[derive(Debug, Default)]
struct Level {
    /// Each member's place in [`MEMBERS`], and where its raw JSON ends.
    members: Vec<(usize, usize)>,
    raw: Vec<u8>,
    /// Which of them name variables.
    bound: Places,
}

/// Places in [`MEMBERS`], a bit each.
type Places = u32;

/// How many different nodes wait to be understood at most, and of how many `boundVariables` it is known
/// what matters beside them.
const MOST_WAITING: usize = 4096;

/// Members that can be bound, or say what a bound one is, and those words of `boundVariables` for which
/// they matter; none: they matter always.
const MEMBERS: &[(&str, &[&str])] = &[
    ("boundVariables", &[]),
    ("fills", &[]),
    ("strokes", &[]),
    ("effects", &[]),
    ("styles", &[]),
    ("style", &["font", "lineHeight", "letterSpacing", "paragraph"]),
    ("itemSpacing", &["itemSpacing"]),
    ("counterAxisSpacing", &["counterAxisSpacing"]),
    ("paddingLeft", &["paddingLeft"]),
    ("paddingRight", &["paddingRight"]),
    ("paddingTop", &["paddingTop"]),
    ("paddingBottom", &["paddingBottom"]),
    ("gridRowGap", &["gridRowGap"]),
    ("gridColumnGap", &["gridColumnGap"]),
    ("cornerRadius", &["Radi"]),
    ("rectangleCornerRadii", &["Radi"]),
    ("strokeWeight", &["troke"]),
    ("individualStrokeWeights", &["troke"]),
    ("opacity", &["opacity"]),
    ("minWidth", &["minWidth"]),
    ("maxWidth", &["maxWidth"]),
    ("minHeight", &["minHeight"]),
    ("maxHeight", &["maxHeight"]),
    ("absoluteBoundingBox", &["\"x\"", "\"y\"", "\"width\"", "\"height\""]),
    ("characters", &["characters"]),
    ("visible", &["visible"]),
];

const BOUND: usize = 0;
/// The last of those that name variables themselves.
const LAST_BINDING: usize = 3;

/// The place in [`MEMBERS`] of a name.
fn place_of(key: &[u8]) -> Option<usize> {
    /// For each length of a name the places of those that have it: it is asked for every member of a file.
    static PLACES: LazyLock<[Vec<usize>; 24]> = LazyLock::new(|| {
        std::array::from_fn(|length| {
            let places = MEMBERS.iter().enumerate().filter(|(_, (name, _))| name.len() == length);
            places.map(|(place, _)| place).collect()
        })
    });
    for place in PLACES.get(key.len())? {
        // Most differ in the first letter already.
        let is = |(name, _): &(&str, _)| name.as_bytes().first() == key.first() && name.as_bytes() == key;
        if MEMBERS.get(*place).is_some_and(is) {
            return Some(*place);
        }
    }
    None
}

fn is_bound(raw: &[u8]) -> bool {
    /// Made once: it is looked for in every paint.
    static ID: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("VariableID:"));
    ID.find(raw).is_some()
}

/// Which members matter beside this `boundVariables`.
fn matter_beside(bound: &[u8]) -> Places {
    let matters = |fields: &[&str]| {
        fields.is_empty()
            || fields.iter().any(|field| memchr::memmem::find(bound, field.as_bytes()).is_some())
    };
    let places = MEMBERS.iter().enumerate().filter(|(_, (_, fields))| matters(fields));
    places.fold(0, |places, (place, _)| places | 1 << place)
}

impl Visitor for Uses {
    fn open(&mut self, _at: u64) {
        if self.levels.len() == self.depth {
            self.levels.push(Level::default());
        }
        if let Some(level) = self.levels.get_mut(self.depth) {
            level.members.clear();
            level.raw.clear();
            level.bound = 0;
        }
        self.depth += 1;
    }

    fn member(&mut self, key: &[u8], value: &[u8]) -> Flow {
        let level = self.depth.checked_sub(1).and_then(|at| self.levels.get_mut(at));
        let (Some(level), Some(place)) = (level, place_of(key)) else { return Flow::Continue };
        if place <= LAST_BINDING {
            // Paints that name no variable say nothing of one, and are much of a file.
            if !is_bound(value) {
                return Flow::Continue;
            }
            level.bound |= 1 << place;
        }
        level.raw.extend_from_slice(value);
        level.members.push((place, level.raw.len()));
        Flow::Continue
    }

    fn close(&mut self, _end: u64) {
        self.depth = self.depth.saturating_sub(1);
        let mut node = std::mem::take(&mut self.scratch);
        if let Some(level) = self.levels.get(self.depth).filter(|level| level.bound != 0) {
            level.write(level.places(&mut self.matters), &mut node);
            if let Some(count) = self.waiting.get_mut(node.as_slice()) {
                *count += 1;
            } else {
                self.waiting.insert(node.as_slice().into(), 1);
            }
        }
        self.scratch = node;
        if self.depth == 0 || self.waiting.len() >= MOST_WAITING {
            self.understand();
        }
    }

    fn beside(&mut self, _entry: Option<&str>, key: &[u8], value: &[u8]) {
        self.beside.member(key, value);
    }

    fn wants(&self, key: &[u8]) -> bool {
        place_of(key).is_some()
    }

    fn wants_beside(&self, key: &[u8]) -> bool {
        Beside::wants(key)
    }
}

impl Level {
    fn members(&self) -> impl Iterator<Item = (usize, &[u8])> {
        let begins = std::iter::once(0).chain(self.members.iter().map(|(_, end)| *end));
        let raw = |at: usize, end: usize| self.raw.get(at..end).unwrap_or_default();
        begins.zip(&self.members).map(move |(at, (place, end))| (*place, raw(at, *end)))
    }

    /// Which members say something of a variable.
    fn places(&self, known: &mut HashMap<Box<[u8]>, Places, RandomState>) -> Places {
        /// Of paints and effects those that are bound matter.
        const THEMSELVES: Places = ((1 << (LAST_BINDING + 1)) - 1) & !(1 << BOUND);
        let bound = self.members().find_map(|(place, raw)| (place == BOUND).then_some(raw));
        let bound = bound.unwrap_or_default();
        let beside = known.get(bound).copied().unwrap_or_else(|| {
            if known.len() >= MOST_WAITING {
                known.clear();
            }
            *known.entry(bound.into()).or_insert(matter_beside(bound))
        });
        (beside & !THEMSELVES) | (self.bound & THEMSELVES)
    }

    /// The node as JSON, with these members only.
    fn write(&self, places: Places, node: &mut Vec<u8>) {
        node.clear();
        node.push(b'{');
        for (place, raw) in self.members().filter(|(place, _)| places >> place & 1 == 1) {
            let Some((name, _)) = MEMBERS.get(place) else { continue };
            node.extend_from_slice(if node.len() > 1 { b",\"" } else { b"\"" });
            node.extend_from_slice(name.as_bytes());
            node.extend_from_slice(b"\":");
            node.extend_from_slice(raw);
        }
        node.push(b'}');
    }
}

impl Uses {
    fn understand(&mut self) {
        for (node, count) in std::mem::take(&mut self.waiting) {
            self.node(&pieces::read(&node), count);
        }
    }

    fn node(&mut self, node: &Value, count: usize) {
        let style = |names: [&str; 2]| {
            names.iter().find_map(|name| node.get("styles")?.get(name)?.as_str().map(str::to_owned))
        };
        for (list, style) in [
            ("fills", style(["fill", "fills"])),
            ("strokes", style(["stroke", "strokes"])),
            ("effects", style(["effect", "effects"])),
        ] {
            for item in node.get(list).and_then(Value::as_array).into_iter().flatten() {
                for (field, bound) in
                    item.get("boundVariables").and_then(Value::as_object).into_iter().flatten()
                {
                    let value = item.get(field);
                    self.note(bound, field, value, style.as_ref(), count);
                }
            }
        }
        for (field, bound) in node.get("boundVariables").and_then(Value::as_object).into_iter().flatten() {
            // The paints themselves say which of them is bound.
            if !matches!(field.as_str(), "fills" | "strokes" | "effects") {
                self.field(node, field, bound, style(["text", "text"]).as_ref(), count);
            }
        }
    }

    /// A field of a node; its binding can be one alias, a list of them, or one for each side.
    fn field(&mut self, node: &Value, field: &str, bound: &Value, text_style: Option<&String>, count: usize) {
        if bound.get("id").is_none() && bound.is_object() {
            for (side, bound) in bound.as_object().into_iter().flatten() {
                let name = if field == "size" { side.as_str() } else { field };
                self.field(node, name, bound, text_style, count);
            }
            return;
        }
        let aliases = bound.as_array().map_or_else(|| vec![bound], |list| list.iter().collect());
        let style = text_style.filter(|_| is_of_text(field));
        for alias in aliases {
            self.note(alias, field, value_of(node, field).as_ref(), style, count);
        }
    }

    fn note(
        &mut self,
        alias: &Value,
        field: &str,
        value: Option<&Value>,
        style: Option<&String>,
        count: usize,
    ) {
        let Some(id) = alias.get("id").and_then(Value::as_str) else { return };
        let known = self.found.entry(id.to_owned()).or_default();
        known.count += count;
        *known.kinds.entry(kind(field)).or_default() += count;
        let value = value.and_then(|value| match value {
            Value::Number(number) => number.as_f64().map(number_text),
            Value::Object(_) => Some(hex(value)),
            Value::String(text) => Some(text.clone()),
            Value::Bool(is_true) => Some(is_true.to_string()),
            Value::Array(_) | Value::Null => None,
        });
        if let Some(value) = value {
            *known.values.entry(value).or_default() += count;
        }
        if let Some(style) = style {
            *known.styles.entry(style.clone()).or_default() += count;
        }
    }
}

fn is_of_text(field: &str) -> bool {
    field.starts_with("font")
        || matches!(field, "lineHeight" | "letterSpacing" | "paragraphSpacing" | "paragraphIndent")
}

/// The value that a field has on the node that it is bound on.
fn value_of(node: &Value, field: &str) -> Option<Value> {
    let of_style = |name: &str| node.get("style")?.get(name).cloned();
    match field {
        "x" | "width" => node.pointer("/absoluteBoundingBox/width").cloned(),
        "y" | "height" => node.pointer("/absoluteBoundingBox/height").cloned(),
        "rectangleCornerRadii"
        | "topLeftRadius"
        | "topRightRadius"
        | "bottomLeftRadius"
        | "bottomRightRadius" => {
            node.get("cornerRadius").or_else(|| node.pointer("/rectangleCornerRadii/0")).cloned()
        }
        "individualStrokeWeights" => node.get("strokeWeight").cloned(),
        "lineHeight" => of_style("lineHeightPx"),
        _ if is_of_text(field) => of_style(field),
        _ => node.get(field).cloned(),
    }
}

/// What a field is about, in a word.
fn kind(field: &str) -> &'static str {
    let is = |parts: &[&str]| parts.iter().any(|part| field.contains(part));
    match field {
        "color" => "color",
        "opacity" => "opacity",
        "visible" => "visible",
        "characters" => "text",
        "fontSize" => "font-size",
        "fontFamily" => "font-family",
        "fontStyle" | "fontWeight" => "font-weight",
        "lineHeight" => "line-height",
        "letterSpacing" => "letter-spacing",
        "x" | "y" | "width" | "height" | "minWidth" | "maxWidth" | "minHeight" | "maxHeight" => "size",
        _ if is(&["adius", "Radii"]) => "radius",
        _ if is(&["troke"]) => "stroke",
        _ if is(&["padding", "Spacing", "Gap"]) => "space",
        _ => "value",
    }
}
