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
    design::{
        memo::Memo,
        pieces::{self, Beside},
        symbols::{Symbol, Symbols},
    },
    walk::{Flow, Member, Visitor},
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
///
/// Designs repeat their values by the thousand: each is understood once, and then only counted.
#[derive(Debug, Default)]
pub struct Uses {
    /// By level; those above the open ones keep their room for the next node.
    levels: Vec<Level>,
    depth: usize,
    symbols: Symbols,
    /// Lists of paints or effects: where in `painted` what they bind stands.
    lists: Memo<(usize, usize)>,
    painted: Vec<Painted>,
    /// Each `boundVariables`: where in `bindings` what it binds stands.
    bound: Memo<(usize, usize)>,
    bindings: Vec<Binding>,
    styles: Memo<Styles>,
    values: Memo<Symbol>,
    /// Each `style` of a text with the name of one of its members behind it.
    text_values: Memo<Symbol>,
    scratch: Vec<u8>,
    counts: HashMap<Occurrence, usize, RandomState>,
    /// By the variable's id.
    pub found: BTreeMap<String, Use>,
    /// What the file says beside its tree.
    pub beside: Beside,
}

/// What was told of an open node so far.
#[derive(Debug, Default)]
struct Level {
    /// Where the raw JSON of each member ends.
    members: Vec<(Member, usize)>,
    raw: Vec<u8>,
    /// Whether one of them names a variable.
    is_bound: bool,
}

/// One use of a variable, in words that are kept once; number 0 stands for none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Occurrence {
    id: Symbol,
    field: Symbol,
    value: Symbol,
    style: Symbol,
}

/// What a paint or an effect binds.
#[derive(Debug, Clone, Copy)]
struct Painted {
    id: Symbol,
    field: Symbol,
    value: Symbol,
}

/// What a node binds, and where it has the value.
#[derive(Debug, Clone, Copy)]
struct Binding {
    id: Symbol,
    field: Symbol,
    source: Source,
}

/// Where the value of a bound field stands.
#[derive(Debug, Clone, Copy)]
enum Source {
    Member(Member),
    /// A side of the node's box.
    Side(&'static str),
    /// The first radius where they differ.
    Radius,
    /// A member of a text's `style`.
    Style(Symbol),
}

/// The ids of the styles that a node's values come from.
#[derive(Debug, Clone, Copy, Default)]
struct Styles {
    fill: Symbol,
    stroke: Symbol,
    effect: Symbol,
    text: Symbol,
}

/// Whether it can be bound, or says what a bound one is.
const fn is_telling(member: Member) -> bool {
    matches!(
        member,
        Member::BoundVariables
            | Member::Fills
            | Member::Strokes
            | Member::Effects
            | Member::Styles
            | Member::Style
            | Member::AbsoluteBoundingBox
            | Member::CornerRadius
            | Member::RectangleCornerRadii
            | Member::StrokeWeight
            | Member::ItemSpacing
            | Member::CounterAxisSpacing
            | Member::PaddingLeft
            | Member::PaddingRight
            | Member::PaddingTop
            | Member::PaddingBottom
            | Member::GridRowGap
            | Member::GridColumnGap
            | Member::Opacity
            | Member::MinWidth
            | Member::MaxWidth
            | Member::MinHeight
            | Member::MaxHeight
            | Member::Characters
            | Member::Visible
    )
}

/// Whether it names variables itself.
const fn can_bind(member: Member) -> bool {
    matches!(member, Member::BoundVariables | Member::Fills | Member::Strokes | Member::Effects)
}

fn is_bound(raw: &[u8]) -> bool {
    /// Made once: it is looked for in every paint.
    static ID: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("VariableID:"));
    ID.find(raw).is_some()
}

impl Visitor for Uses {
    fn open(&mut self, _at: u64) {
        if self.levels.len() == self.depth {
            self.levels.push(Level::default());
        }
        if let Some(level) = self.levels.get_mut(self.depth) {
            level.members.clear();
            level.raw.clear();
            level.is_bound = false;
        }
        self.depth += 1;
    }

    fn member(&mut self, member: Member, _key: &[u8], value: &[u8]) -> Flow {
        let level = self.depth.checked_sub(1).and_then(|at| self.levels.get_mut(at));
        let Some(level) = level else { return Flow::Continue };
        if can_bind(member) {
            // Paints that name no variable say nothing of one, and are much of a file.
            if !is_bound(value) {
                return Flow::Continue;
            }
            level.is_bound = true;
        }
        level.raw.extend_from_slice(value);
        level.members.push((member, level.raw.len()));
        Flow::Continue
    }

    fn close(&mut self, _end: u64) {
        self.depth = self.depth.saturating_sub(1);
        let level = self.levels.get_mut(self.depth).filter(|level| level.is_bound).map(std::mem::take);
        if let Some(level) = level {
            self.count_of(&level);
            if let Some(room) = self.levels.get_mut(self.depth) {
                *room = level;
            }
        }
        if self.depth == 0 {
            self.tell();
        }
    }

    fn beside(&mut self, _entry: Option<&str>, key: &[u8], value: &[u8]) {
        self.beside.member(key, value);
    }

    #[inline(always)]
    #[allow(clippy::inline_always, reason = "the release profile optimises for size")]
    fn wants(&self, member: Member, _key: &[u8]) -> bool {
        is_telling(member)
    }

    fn wants_beside(&self, key: &[u8]) -> bool {
        Beside::wants(key)
    }
}

impl Level {
    /// The raw JSON of a member.
    fn raw(&self, wanted: Member) -> Option<&[u8]> {
        let at = self.members.iter().position(|(member, _)| *member == wanted)?;
        let begin = at.checked_sub(1).and_then(|before| self.members.get(before)).map_or(0, |(_, end)| *end);
        self.members.get(at).and_then(|(_, end)| self.raw.get(begin..*end))
    }
}

impl Uses {
    /// Counts what a node binds.
    fn count_of(&mut self, level: &Level) {
        let symbols = &mut self.symbols;
        let styles = level.raw(Member::Styles).map(|raw| self.styles.get(raw, || Styles::read(raw, symbols)));
        let styles = styles.unwrap_or_default();
        let painted = [
            (Member::Fills, styles.fill),
            (Member::Strokes, styles.stroke),
            (Member::Effects, styles.effect),
        ];
        for (member, style) in painted {
            let Some(raw) = level.raw(member) else { continue };
            let (symbols, painted) = (&mut self.symbols, &mut self.painted);
            let (from, to) = self.lists.get(raw, || added(painted, |painted| paints(raw, symbols, painted)));
            for at in from..to {
                let Some(&Painted { id, field, value }) = self.painted.get(at) else { continue };
                *self.counts.entry(Occurrence { id, field, value, style }).or_default() += 1;
            }
        }
        let Some(raw) = level.raw(Member::BoundVariables) else { return };
        let (symbols, bindings) = (&mut self.symbols, &mut self.bindings);
        let (from, to) = self.bound.get(raw, || added(bindings, |bindings| bound(raw, symbols, bindings)));
        for at in from..to {
            let Some(&Binding { id, field, source }) = self.bindings.get(at) else { continue };
            let value = self.value(level, source);
            let style = if is_of_text(self.symbols.get(field)) { styles.text } else { 0 };
            *self.counts.entry(Occurrence { id, field, value, style }).or_default() += 1;
        }
    }

    /// The value that a bound field has on its node.
    fn value(&mut self, level: &Level, source: Source) -> Symbol {
        let text = match source {
            Source::Member(member) => return level.raw(member).map_or(0, |raw| self.plain(raw)),
            Source::Radius => {
                match (level.raw(Member::CornerRadius), level.raw(Member::RectangleCornerRadii)) {
                    (Some(raw), _) => return self.plain(raw),
                    (None, raw) => raw.and_then(|raw| value_text(&pieces::read(pieces::items(raw).next()?))),
                }
            }
            Source::Side(side) => level
                .raw(Member::AbsoluteBoundingBox)
                .and_then(|raw| value_text(&pieces::read(pieces::member(raw, side.as_bytes())?))),
            Source::Style(name) => return level.raw(Member::Style).map_or(0, |raw| self.of_style(raw, name)),
        };
        text.map_or(0, |text| self.symbols.keep(&text))
    }

    /// A value that stands by itself.
    fn plain(&mut self, raw: &[u8]) -> Symbol {
        let symbols = &mut self.symbols;
        self.values.get(raw, || value_text(&pieces::read(raw)).map_or(0, |text| symbols.keep(&text)))
    }

    /// A member of a text's `style`.
    fn of_style(&mut self, raw: &[u8], name: Symbol) -> Symbol {
        let symbols = &mut self.symbols;
        self.scratch.clear();
        self.scratch.extend_from_slice(raw);
        self.scratch.extend_from_slice(symbols.get(name).as_bytes());
        self.text_values.get(&self.scratch, || {
            let value = pieces::member(raw, symbols.get(name).as_bytes());
            value.and_then(|value| value_text(&pieces::read(value))).map_or(0, |text| symbols.keep(&text))
        })
    }

    /// Puts what was counted into words.
    fn tell(&mut self) {
        for (Occurrence { id, field, value, style }, count) in std::mem::take(&mut self.counts) {
            let known = self.found.entry(self.symbols.get(id).to_owned()).or_default();
            known.count += count;
            *known.kinds.entry(kind(self.symbols.get(field))).or_default() += count;
            if value != 0 {
                *known.values.entry(self.symbols.get(value).to_owned()).or_default() += count;
            }
            if style != 0 {
                *known.styles.entry(self.symbols.get(style).to_owned()).or_default() += count;
            }
        }
    }
}

/// Where in a list what is added to it begins and ends.
fn added<T>(list: &mut Vec<T>, add: impl FnOnce(&mut Vec<T>)) -> (usize, usize) {
    let begin = list.len();
    add(list);
    (begin, list.len())
}

impl Styles {
    fn read(raw: &[u8], symbols: &mut Symbols) -> Self {
        let mut keep = |names: [&str; 2]| {
            let id = names.iter().find_map(|name| pieces::member(raw, name.as_bytes()));
            id.map_or(0, |id| symbols.keep(&pieces::text(id)))
        };
        Self {
            fill: keep(["fill", "fills"]),
            stroke: keep(["stroke", "strokes"]),
            effect: keep(["effect", "effects"]),
            text: keep(["text", "text"]),
        }
    }
}

/// What paints or effects bind.
fn paints(raw: &[u8], symbols: &mut Symbols, painted: &mut Vec<Painted>) {
    for item in pieces::items(raw) {
        let bound = pieces::member(item, b"boundVariables").unwrap_or_default();
        for (field, alias) in pieces::members(bound) {
            let id = pieces::text(pieces::member(alias, b"id").unwrap_or_default());
            if id.is_empty() {
                continue;
            }
            let value = pieces::member(item, field).and_then(|value| value_text(&pieces::read(value)));
            painted.push(Painted {
                id: symbols.keep(&id),
                field: symbols.keep(&String::from_utf8_lossy(field)),
                value: value.map_or(0, |text| symbols.keep(&text)),
            });
        }
    }
}

/// What a `boundVariables` binds beside paints and effects, which say themselves which of them is bound.
fn bound(raw: &[u8], symbols: &mut Symbols, bindings: &mut Vec<Binding>) {
    pieces::aliases(raw, |path, id| {
        let (field, side) = path.split_once('.').unwrap_or((path, ""));
        // `size` is bound by its axes, what else has sides as a whole.
        let field = if field == "size" && !side.is_empty() { side } else { field };
        if !matches!(field, "fills" | "strokes" | "effects") {
            let source = Source::of(field, symbols);
            bindings.push(Binding { id: symbols.keep(id), field: symbols.keep(field), source });
        }
    });
}

impl Source {
    /// Where a node has the value of a field.
    fn of(field: &str, symbols: &mut Symbols) -> Self {
        match field {
            "x" | "width" => Self::Side("width"),
            "y" | "height" => Self::Side("height"),
            "rectangleCornerRadii"
            | "topLeftRadius"
            | "topRightRadius"
            | "bottomLeftRadius"
            | "bottomRightRadius" => Self::Radius,
            "individualStrokeWeights" => Self::Member(Member::StrokeWeight),
            "lineHeight" => Self::Style(symbols.keep("lineHeightPx")),
            _ if is_of_text(field) => Self::Style(symbols.keep(field)),
            _ => Self::Member(Member::of(field.as_bytes())),
        }
    }
}

/// A value as a name says it.
fn value_text(value: &Value) -> Option<String> {
    match value {
        Value::Number(number) => number.as_f64().map(number_text),
        Value::Object(_) => Some(hex(value)),
        Value::String(text) => Some(text.clone()),
        Value::Bool(is_true) => Some(is_true.to_string()),
        Value::Array(_) | Value::Null => None,
    }
}

fn is_of_text(field: &str) -> bool {
    field.starts_with("font")
        || matches!(field, "lineHeight" | "letterSpacing" | "paragraphSpacing" | "paragraphIndent")
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
