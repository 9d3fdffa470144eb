//! From the walk of an answer to the pruned tree: one pass, nothing is kept that no description says.

use std::fmt;

use serde_json::Value;

use super::{
    component, dev,
    draft::{Draft, Styles},
    finish, layout,
    model::{Design, Key, Kind, Span, Symbol},
    paint, prototype, raw, text, variables, words,
};
use crate::{
    design::{memo::Memo, pieces},
    walk::{Flow, Member, Visitor},
};

/// Nodes deeper than this are counted, not kept: printing goes down level by level.
const DEEPEST: usize = 128;

/// Gathers what a description needs of an answer with nodes.
#[derive(Debug, Default)]
#[expect(clippy::vec_box, reason = "a draft is large, and is taken out for each of its members")]
pub struct Collector {
    pub(super) design: Design,
    keep_hidden: bool,
    open: Vec<Box<Draft>>,
    /// Drafts to be used again.
    spare: Vec<Box<Draft>>,
    pub(super) paints: Memo<Symbol>,
    effects: Memo<Symbol>,
    properties: Memo<Symbol>,
    overrides: Memo<Symbol>,
    interactions: Memo<Symbol>,
    node_styles: Memo<Styles>,
    text_styles: Memo<u32>,
    bindings: Memo<u32>,
    /// Number 0 is a style that says nothing.
    pub(super) styles: Vec<(text::Style, Symbol)>,
    /// Number 0 is bound to nothing.
    pub(super) bound: Vec<variables::Bound>,
    pub(super) scratch: String,
    on_bound: Option<OnBound>,
}

/// Who wants to know that something is bound to a variable.
struct OnBound(Box<dyn FnOnce() + Send>);

impl fmt::Debug for OnBound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OnBound").finish_non_exhaustive()
    }
}

impl Collector {
    /// Keeps hidden nodes too, if wanted.
    #[must_use]
    pub fn new(keep_hidden: bool) -> Self {
        Self {
            keep_hidden,
            styles: vec![(text::Style::default(), 0)],
            bound: vec![variables::Bound::default()],
            ..Self::default()
        }
    }

    /// Calls back when the first node comes that is bound to variables: whoever needs their names can ask for
    /// them while the rest is read.
    #[must_use]
    pub fn on_bound(self, tell: impl FnOnce() + Send + 'static) -> Self {
        Self { on_bound: Some(OnBound(Box::new(tell))), ..self }
    }

    /// What was gathered.
    #[must_use]
    pub fn finish(self) -> Design {
        self.design
    }

    pub(super) fn keep(&mut self, words: &str) -> Symbol {
        self.design.symbols.keep(words)
    }

    /// A member that is read by its words alone.
    fn member_words(member: Member, value: &[u8]) -> Option<(Key, String)> {
        let parsed = || raw::value(value);
        Some(match member {
            Member::ComponentPropertyDefinitions => (Key::Definitions, component::definitions(value)),
            Member::ExposedInstances => (Key::Exposed, component::exposed(value)),
            Member::LayoutGrids => (Key::Guides, layout::guides(value)),
            Member::DevStatus => (Key::Dev, dev::status(&parsed())),
            Member::Annotations => (Key::Annotation, dev::annotations(&parsed())),
            Member::Measurements => (Key::Measurement, dev::measurements(&parsed())),
            Member::ExportSettings => (Key::Export, dev::exports(&parsed())),
            Member::FlowStartingPoints => (Key::Flow, prototype::flows(&parsed())),
            Member::PrototypeDevice => (Key::Flow, dev::device(&parsed())),
            Member::PrototypeStartNodeId => {
                (Key::Flow, format!("starts at {}", paint::clean(&raw::string(value))))
            }
            Member::ExplicitVariableModes => (Key::Modes, modes(&parsed())),
            Member::BlendMode => (Key::Blend, format!("blend-{}", words::lower(&raw::string(value)))),
            Member::BooleanOperation | Member::ShapeType => (Key::Shape, words::lower(&raw::string(value))),
            Member::ArcData => (Key::Shape, arc(&parsed())),
            Member::SectionContentsHidden if value == b"true" => (Key::Shape, "contents-hidden".to_owned()),
            Member::SectionContentsHidden => (Key::Shape, String::new()),
            _ => return None,
        })
    }

    #[expect(clippy::too_many_lines, reason = "one line or two for each member")]
    fn take(&mut self, draft: &mut Draft, (member, key): (Member, &[u8]), value: &[u8]) -> Flow {
        match member {
            Member::Id => draft.id = self.span(value),
            Member::Name => draft.name = self.name(value),
            Member::Type => {
                draft.kind = if let [b'"', name @ .., b'"'] = value { Kind::of(name) } else { Kind::Other };
                if draft.kind == Kind::Other {
                    draft.kind = Kind::of(raw::string(value).as_bytes());
                }
                if draft.kind == Kind::Other {
                    let name = raw::string(value);
                    let words = self.keep(&words::name(&words::lower(&name)));
                    draft.fact(Key::Type, words);
                }
            }
            Member::Visible if value == b"false" => return self.hide(draft),
            Member::Visible => {}
            Member::BlendMode if matches!(value, b"\"PASS_THROUGH\"" | b"\"NORMAL\"") => {}
            _ if raw::is_empty(value) => {}
            _ if draft.layout.take(member, value) => {}
            Member::Fills | Member::Strokes => {
                let words = self.paints(value);
                draft.fact(if member == Member::Fills { Key::Fill } else { Key::Stroke }, words);
            }
            Member::BackgroundColor => {
                let words = self.keep(&paint::colour(&raw::value(value), 1.0));
                draft.fact(Key::Fill, words);
            }
            Member::Effects => {
                let (symbols, scratch) = (&mut self.design.symbols, &mut self.scratch);
                let words = self.effects.get(value, || {
                    scratch.clear();
                    paint::raw_effects(scratch, value);
                    symbols.keep(scratch)
                });
                draft.fact(Key::Effects, words);
            }
            Member::Styles => {
                let symbols = &mut self.design.symbols;
                draft.styles = self.node_styles.get(value, || styles(value, symbols));
            }
            Member::BoundVariables => {
                if let Some(OnBound(tell)) = self.on_bound.take_if(|_| !draft.is_hidden) {
                    tell();
                }
                let bound = &mut self.bound;
                draft.bound = self.bindings.get(value, || {
                    bound.push(variables::Bound::read(value));
                    u32::try_from(bound.len() - 1).unwrap_or(0)
                });
            }
            Member::ComponentId => {
                let words = self.keep(&paint::clean(&raw::string(value)));
                draft.fact(Key::Component, words);
            }
            Member::ComponentProperties => {
                let symbols = &mut self.design.symbols;
                let words = self.properties.get(value, || symbols.keep(&component::properties(value)));
                draft.fact(Key::Properties, words);
            }
            Member::Overrides => {
                let symbols = &mut self.design.symbols;
                let words = self.overrides.get(value, || symbols.keep(&component::overrides(value)));
                draft.fact(Key::Overrides, words);
            }
            Member::ComponentPropertyReferences => {
                let words = component::references(value);
                draft.is_shown_by_property = words.contains("show:");
                let words = self.keep(&words);
                draft.fact(Key::Reference, words);
            }
            Member::Interactions => draft.interactions = Some(value.into()),
            Member::TransitionNodeId => draft.transition = raw::plain(value).map(Into::into),
            Member::Characters => draft.characters = Some(raw::string(value)),
            Member::Style => draft.text_style = self.text_style(value),
            Member::CharacterStyleOverrides => draft.runs().overrides = value.into(),
            Member::StyleOverrideTable => draft.runs().table = value.into(),
            Member::LineTypes if contains(value, b"ORDERED") => draft.runs().line_types = value.into(),
            Member::LineIndentations if !says_nothing_but_zero(value) => {
                draft.runs().indentations = value.into();
            }
            Member::StrokeWeight => draft.stroke.weight = raw::number(value),
            Member::IndividualStrokeWeights => draft.stroke.sides = finish::side_weights(&raw::value(value)),
            Member::StrokeAlign => draft.stroke.align = finish::stroke_align(value),
            Member::StrokeDashes => draft.stroke.dashes = numbers(value),
            Member::StrokeCap => draft.stroke.cap = raw::string(value),
            Member::StrokeJoin => draft.stroke.join = raw::string(value),
            Member::CornerRadius => draft.corners.radius = raw::number(value),
            Member::RectangleCornerRadii => draft.corners.radii = numbers(value).try_into().ok(),
            Member::CornerSmoothing => draft.corners.smoothing = raw::number(value),
            Member::IsMask if value == b"true" => draft.mask = draft.mask.or(Some("mask")),
            Member::MaskType if value == b"\"LUMINANCE\"" => draft.mask = Some("mask-luminance"),
            Member::MaskType if value == b"\"VECTOR\"" => draft.mask = Some("mask-outline"),
            Member::Opacity => draft.opacity(raw::number(value), &mut self.design.symbols),
            Member::Rotation => {
                let degrees = raw::number(value).to_degrees();
                if degrees.abs() >= 0.05 {
                    let mut words = String::from("rotate ");
                    words::pixels(&mut words, degrees);
                    let words = self.keep(&words);
                    draft.fact(Key::Rotation, words);
                }
            }
            Member::ConnectorStart => draft.connector().ends[0] = dev::endpoint(&raw::value(value)),
            Member::ConnectorEnd => draft.connector().ends[1] = dev::endpoint(&raw::value(value)),
            Member::ConnectorStartStrokeCap => draft.connector().caps[0] = raw::string(value),
            Member::ConnectorEndStrokeCap => draft.connector().caps[1] = raw::string(value),
            Member::ConnectorLineType => draft.connector().line = words::lower(&raw::string(value)),
            Member::ComplexStrokeProperties if contains(value, b"\"BASIC\"") => {}
            Member::FillOverrideTable if !contains(value, b"fills") => {}
            Member::Silent
            | Member::IsMask
            | Member::MaskType
            | Member::LineTypes
            | Member::LineIndentations => {}
            _ => {
                let (key, words) =
                    Self::member_words(member, value).unwrap_or_else(|| (Key::Other, other(key, value)));
                let words = self.keep(&words);
                draft.fact(key, words);
            }
        }
        Flow::Continue
    }

    /// A hidden node is left out, unless it is wanted, or a property of its component can show it:
    /// whether one does is known only at its end.
    fn hide(&mut self, draft: &mut Draft) -> Flow {
        if self.keep_hidden {
            let words = self.keep("hidden");
            draft.fact(Key::Hidden, words);
            return Flow::Continue;
        }
        draft.is_hidden = true;
        if draft.is_in_component { Flow::Continue } else { Flow::Skip }
    }

    fn paints(&mut self, value: &[u8]) -> Symbol {
        let (symbols, scratch) = (&mut self.design.symbols, &mut self.scratch);
        self.paints.get(value, || {
            scratch.clear();
            paint::raw_paints(scratch, value);
            symbols.keep(scratch)
        })
    }

    fn text_style(&mut self, value: &[u8]) -> u32 {
        let (symbols, styles) = (&mut self.design.symbols, &mut self.styles);
        self.text_styles.get(value, || {
            let style = text::Style::read(value);
            let font = symbols.keep(&style.font);
            styles.push((style, font));
            u32::try_from(styles.len() - 1).unwrap_or(0)
        })
    }

    fn span(&mut self, value: &[u8]) -> Span {
        let start = self.design.ids.len();
        match raw::plain(value) {
            Some(id) if id.bytes().all(|byte| byte.is_ascii_graphic()) => self.design.ids.push_str(id),
            _ => self.design.ids.push_str(&paint::clean(&raw::string(value))),
        }
        Span::new(start, self.design.ids.len())
    }

    /// A layer's name, escaped for between quotation marks.
    fn name(&mut self, value: &[u8]) -> Symbol {
        if let [b'"', name @ .., b'"'] = value
            && words::is_plain(name)
            && let Some(name) = self.design.symbols.keep_bytes(name)
        {
            return name;
        }
        match raw::plain(value) {
            Some(text) if !text.contains(['\u{2028}', '\u{2029}']) && !text.chars().any(char::is_control) => {
                self.design.symbols.keep(text)
            }
            _ => {
                let mut words = String::new();
                // Control characters in a name are an accident.
                let name: String = raw::string(value).chars().filter(|c| !c.is_control()).collect();
                words::push_escaped(&mut words, &name);
                self.design.symbols.keep(&words)
            }
        }
    }

    pub(super) fn interaction_words(&mut self, value: &[u8], legacy: Option<&str>) -> Symbol {
        let symbols = &mut self.design.symbols;
        let mut read = || symbols.keep(&prototype::interactions(&raw::value(value), legacy));
        if legacy.is_some() { read() } else { self.interactions.get(value, read) }
    }
}

impl Visitor for Collector {
    fn open(&mut self, _at: u64) {
        self.design.seen += 1;
        let mut draft = self.spare.pop().unwrap_or_default();
        draft.first = self.design.nodes.len();
        if let Some(parent) = self.open.last() {
            draft.is_in_component = parent.is_in_component || parent.kind == Kind::Component;
            draft.is_too_deep = self.open.len() >= DEEPEST;
        }
        self.open.push(draft);
    }

    fn member(&mut self, member: Member, key: &[u8], value: &[u8]) -> Flow {
        let Some(mut draft) = self.open.pop() else { return Flow::Skip };
        let flow = if draft.is_too_deep { Flow::Skip } else { self.take(&mut draft, (member, key), value) };
        self.open.push(draft);
        flow
    }

    fn close(&mut self, _end: u64) {
        let Some(mut draft) = self.open.pop() else { return };
        let is_dropped = draft.is_hidden && !(draft.is_in_component && draft.is_shown_by_property);
        if draft.is_too_deep {
            if let Some(parent) = self.open.last_mut() {
                parent.too_deep += 1;
            }
        } else if is_dropped {
            self.design.truncate(draft.first);
            self.design.hidden += 1;
            if let Some(parent) = self.open.last_mut() {
                parent.hidden += 1;
            }
        } else {
            if draft.is_hidden {
                let words = self.keep("hidden");
                draft.fact(Key::Hidden, words);
            }
            let node = self.node(&mut draft);
            let number = u32::try_from(self.design.nodes.len()).unwrap_or(u32::MAX);
            self.design.nodes.push(node);
            match self.open.last_mut() {
                Some(parent) => parent.children.push(number),
                None => self.design.roots.push(number),
            }
        }
        draft.reset();
        self.spare.push(draft);
    }

    fn beside(&mut self, entry: Option<&str>, key: &[u8], value: &[u8]) {
        let entries = || match raw::value(value) {
            Value::Object(entries) => entries,
            _ => serde_json::Map::new(),
        };
        match key {
            b"" => self.design.missing.extend(entry.map(str::to_owned)),
            b"name" => self.design.name = raw::string(value),
            b"editorType" => self.design.editor = raw::string(value),
            b"components" => {
                let found = entries().into_iter().map(|(id, entry)| (id, component::entry(&entry)));
                self.design.components.extend(found);
            }
            b"componentSets" => {
                let found = entries().into_iter().map(|(id, entry)| (id, component::entry(&entry)));
                self.design.sets.extend(found);
            }
            b"styles" => {
                let found = entries()
                    .into_iter()
                    .filter_map(|(id, entry)| Some((id, raw::text(&entry, "name")?.to_owned())));
                self.design.styles.extend(found);
            }
            _ => {}
        }
    }

    #[inline(always)]
    #[allow(clippy::inline_always, reason = "the release profile optimises for size")]
    fn wants(&self, member: Member, _key: &[u8]) -> bool {
        match member {
            Member::Silent => false,
            Member::BackgroundColor => self.open.last().is_some_and(|draft| draft.kind == Kind::Page),
            _ => true,
        }
    }

    fn wants_beside(&self, key: &[u8]) -> bool {
        // An entry of `nodes` that is null is asked for by its id.
        matches!(key, b"" | b"name" | b"editorType" | b"components" | b"componentSets" | b"styles")
            || key.contains(&b':')
    }
}

fn contains(value: &[u8], part: &[u8]) -> bool {
    value.windows(part.len()).any(|window| window == part)
}

/// A list of numbers, all of which are 0.
fn says_nothing_but_zero(value: &[u8]) -> bool {
    value.iter().all(|byte| matches!(byte, b'[' | b'0' | b'.' | b',' | b']'))
}

fn numbers(value: &[u8]) -> Vec<f32> {
    serde_json::from_slice(value).unwrap_or_default()
}

fn styles(value: &[u8], symbols: &mut super::model::Symbols) -> Styles {
    let mut of = |names: [&str; 2]| {
        let id = names.iter().find_map(|name| pieces::member(value, name.as_bytes()));
        id.map_or(0, |id| symbols.keep(&paint::clean(&pieces::text(id))))
    };
    Styles {
        fill: of(["fill", "fills"]),
        stroke: of(["stroke", "strokes"]),
        text: of(["text", "texts"]),
        effect: of(["effect", "effects"]),
        grid: of(["grid", "grids"]),
    }
}

/// `explicitVariableModes`: `mode 1:2=1:0`.
fn modes(modes: &Value) -> String {
    let shown: Vec<String> = modes
        .as_object()
        .into_iter()
        .flatten()
        .map(|(collection, mode)| {
            let id = variables::short(collection.strip_prefix("VariableCollectionId:").unwrap_or(collection));
            format!("mode {}={}", paint::clean(&id), paint::clean(mode.as_str().unwrap_or("?")))
        })
        .collect();
    shown.join(" ")
}

/// A circle that is cut: `arc 0°–270° hole 60%`.
fn arc(arc: &Value) -> String {
    let number = |name| raw::float(arc, name).unwrap_or(0.0);
    let degrees = |angle: f64| angle.to_degrees().round();
    let (start, end, hole) = (number("startingAngle"), number("endingAngle"), number("innerRadius"));
    let mut out = Vec::new();
    if (end - start).abs() < std::f64::consts::TAU - 0.01 {
        out.push(format!("arc {}°–{}°", degrees(start), degrees(end)));
    }
    if hole > 0.0 {
        out.push(format!("hole {}%", (hole * 100.0).round()));
    }
    out.join(" ")
}

/// A member that this version does not know, by its name.
fn other(key: &[u8], value: &[u8]) -> String {
    if matches!(value, b"false" | b"0" | b"0.0") {
        return String::new();
    }
    format!("{}={}", words::name(&String::from_utf8_lossy(key)), paint::other(&raw::value(value)))
}
