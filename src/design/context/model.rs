//! What is kept of a document: for each node its place in the tree, its geometry, and its facts as
//! ready words. Words that repeat are kept once.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    ops::Range,
};

use foldhash::fast::RandomState;

pub(super) use crate::design::symbols::{Symbol, Symbols};

/// Stands before a variable's id in words; [`END`] stands behind it. Neither can come from a
/// document: foreign text is always escaped.
pub(super) const VARIABLE: char = '\u{1}';
/// Stands behind an id in words.
pub(super) const END: char = '\u{2}';
/// Stands before a component's id in words.
pub(super) const COMPONENT: char = '\u{3}';

/// Stands before a node's id in words.
pub(super) const NODE: char = '\u{5}';
/// Stands behind a font's family in words.
pub(super) const FAMILY: char = '\u{4}';

/// A node's type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[repr(u8)]
pub(super) enum Kind {
    Document,
    Page,
    #[default]
    Frame,
    Group,
    Section,
    Component,
    ComponentSet,
    Instance,
    Text,
    TextPath,
    Rectangle,
    Ellipse,
    Line,
    Star,
    Polygon,
    Vector,
    Boolean,
    Slice,
    TransformGroup,
    Table,
    TableCell,
    Sticky,
    Shape,
    Connector,
    WashiTape,
    Embed,
    LinkUnfurl,
    Widget,
    /// A type that this version does not know: [`Key::Type`] holds its name.
    Other,
}

impl Kind {
    /// From Figma's `type`.
    pub(super) const fn of(name: &[u8]) -> Self {
        match name {
            b"DOCUMENT" => Self::Document,
            b"CANVAS" => Self::Page,
            b"FRAME" => Self::Frame,
            b"GROUP" => Self::Group,
            b"SECTION" => Self::Section,
            b"COMPONENT" => Self::Component,
            b"COMPONENT_SET" => Self::ComponentSet,
            b"INSTANCE" => Self::Instance,
            b"TEXT" => Self::Text,
            b"TEXT_PATH" => Self::TextPath,
            b"RECTANGLE" => Self::Rectangle,
            b"ELLIPSE" => Self::Ellipse,
            b"LINE" => Self::Line,
            b"STAR" => Self::Star,
            b"REGULAR_POLYGON" => Self::Polygon,
            b"VECTOR" => Self::Vector,
            b"BOOLEAN_OPERATION" => Self::Boolean,
            b"SLICE" => Self::Slice,
            b"TRANSFORM_GROUP" => Self::TransformGroup,
            b"TABLE" => Self::Table,
            b"TABLE_CELL" => Self::TableCell,
            b"STICKY" => Self::Sticky,
            b"SHAPE_WITH_TEXT" => Self::Shape,
            b"CONNECTOR" => Self::Connector,
            b"WASHI_TAPE" => Self::WashiTape,
            b"EMBED" => Self::Embed,
            b"LINK_UNFURL" => Self::LinkUnfurl,
            b"WIDGET" => Self::Widget,
            _ => Self::Other,
        }
    }

    /// The word that stands for it in a description.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Document => "file",
            Self::Page => "page",
            Self::Frame => "frame",
            Self::Group => "group",
            Self::Section => "section",
            Self::Component => "component",
            Self::ComponentSet => "set",
            Self::Instance => "instance",
            Self::Text => "text",
            Self::TextPath => "text-path",
            Self::Rectangle => "rect",
            Self::Ellipse => "ellipse",
            Self::Line => "line",
            Self::Star => "star",
            Self::Polygon => "polygon",
            Self::Vector => "vector",
            Self::Boolean => "boolean",
            Self::Slice => "slice",
            Self::TransformGroup => "transform-group",
            Self::Table => "table",
            Self::TableCell => "cell",
            Self::Sticky => "sticky",
            Self::Shape => "shape",
            Self::Connector => "connector",
            Self::WashiTape => "washi-tape",
            Self::Embed => "embed",
            Self::LinkUnfurl => "link",
            Self::Widget => "widget",
            Self::Other => "node",
        }
    }

    /// A mark that is drawn, without text and without children of its own.
    pub(super) const fn is_mark(self) -> bool {
        matches!(
            self,
            Self::Rectangle
                | Self::Ellipse
                | Self::Line
                | Self::Star
                | Self::Polygon
                | Self::Vector
                | Self::Boolean
        )
    }

    /// A mark that no box of CSS can stand for.
    pub(super) const fn is_drawing(self) -> bool {
        matches!(self, Self::Star | Self::Polygon | Self::Vector | Self::Boolean)
    }

    /// What a whiteboard holds: where it lies says something there.
    pub(super) const fn is_on_whiteboard(self) -> bool {
        matches!(
            self,
            Self::Sticky | Self::Shape | Self::Table | Self::Embed | Self::LinkUnfurl | Self::Widget
        )
    }
}

/// What a fact is about. The order is the order in which facts are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub(super) enum Key {
    Type,
    Hidden,
    Component,
    Properties,
    Definitions,
    Text,
    /// What a connector connects.
    Ends,
    Reference,
    Layout,
    Limits,
    Cell,
    Scroll,
    Rotation,
    Guides,
    Font,
    TextWords,
    Runs,
    Fill,
    Stroke,
    StrokeWords,
    Radius,
    Effects,
    Opacity,
    Blend,
    Mask,
    Shape,
    Inside,
    Overrides,
    Exposed,
    Variables,
    Modes,
    Flow,
    Interaction,
    Dev,
    Annotation,
    Measurement,
    Export,
    Other,
}

/// The parts of a description that can be left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// Sizes, positions, auto layout.
    Layout,
    /// Texts and fonts.
    Text,
    /// Fills, strokes, corners, opacity.
    Paint,
    /// Shadows and blurs.
    Effects,
    /// Components, their properties and overrides.
    Components,
    /// Variables, where they are used.
    Variables,
    /// Interactions and flows.
    Prototype,
    /// Dev status, annotations, measurements, export settings.
    Dev,
    /// Open comments.
    Comments,
}

impl Group {
    /// Every group.
    pub const ALL: [Self; 9] = [
        Self::Layout,
        Self::Text,
        Self::Paint,
        Self::Effects,
        Self::Components,
        Self::Variables,
        Self::Prototype,
        Self::Dev,
        Self::Comments,
    ];

    /// Its name, as callers give it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Layout => "layout",
            Self::Text => "text",
            Self::Paint => "paint",
            Self::Effects => "effects",
            Self::Components => "components",
            Self::Variables => "variables",
            Self::Prototype => "prototype",
            Self::Dev => "dev",
            Self::Comments => "comments",
        }
    }
}

impl Key {
    /// The group it belongs to; `None` is always described.
    pub(super) const fn group(self) -> Option<Group> {
        Some(match self {
            Self::Type | Self::Hidden | Self::Ends | Self::Other => return None,
            Self::Component
            | Self::Properties
            | Self::Definitions
            | Self::Reference
            | Self::Overrides
            | Self::Exposed => Group::Components,
            Self::Text | Self::Font | Self::TextWords | Self::Runs => Group::Text,
            Self::Layout | Self::Limits | Self::Cell | Self::Scroll | Self::Rotation | Self::Guides => {
                Group::Layout
            }
            Self::Fill
            | Self::Stroke
            | Self::StrokeWords
            | Self::Radius
            | Self::Opacity
            | Self::Blend
            | Self::Mask
            | Self::Shape
            | Self::Inside => Group::Paint,
            Self::Effects => Group::Effects,
            Self::Variables | Self::Modes => Group::Variables,
            Self::Flow | Self::Interaction => Group::Prototype,
            Self::Dev | Self::Annotation | Self::Measurement | Self::Export => Group::Dev,
        })
    }

    /// What stands before its words.
    pub(super) const fn prefix(self) -> &'static str {
        match self {
            Self::Fill => "fill=",
            Self::Stroke => "stroke=",
            Self::Effects => "fx=",
            Self::Font => "font=",
            Self::Reference => "←",
            _ => "",
        }
    }

    /// How a difference says that there is none of it.
    pub(super) const fn absent(self) -> &'static str {
        match self {
            Self::Text => "no text",
            Self::Ends => "no ends",
            Self::Layout => "layout default",
            Self::Fill => "fill=none",
            Self::Stroke | Self::StrokeWords => "stroke=none",
            Self::Effects => "fx=none",
            Self::Radius => "r0",
            Self::Opacity => "opacity 1",
            Self::Font => "font=none",
            Self::Hidden => "visible",
            Self::Type => "no type",
            Self::Component => "no component",
            Self::Properties => "no properties",
            Self::Definitions => "no definitions",
            Self::Reference => "no reference",
            Self::Limits => "no min/max",
            Self::Cell => "no cell",
            Self::Scroll => "no scroll",
            Self::Rotation => "rotate 0",
            Self::Guides => "no guides",
            Self::TextWords => "text plain",
            Self::Runs => "no runs",
            Self::Blend => "blend normal",
            Self::Mask => "no mask",
            Self::Shape => "plain shape",
            Self::Inside => "nothing inside",
            Self::Overrides => "no overrides",
            Self::Exposed => "exposes nothing",
            Self::Variables => "no variables",
            Self::Modes => "no modes",
            Self::Flow => "no flow",
            Self::Interaction => "no interaction",
            Self::Dev => "no dev status",
            Self::Annotation => "no note",
            Self::Measurement => "no measurement",
            Self::Export => "no export",
            Self::Other => "-",
        }
    }

    /// Only about how a mark looks: a drawing's line can stand for it.
    pub(super) const fn is_look(self) -> bool {
        matches!(
            self,
            Self::Fill
                | Self::Stroke
                | Self::StrokeWords
                | Self::Radius
                | Self::Effects
                | Self::Opacity
                | Self::Blend
                | Self::Mask
                | Self::Shape
                | Self::Inside
                | Self::Rotation
                | Self::Variables
                | Self::Limits
                | Self::Other
        )
    }
}

/// One thing that is known about a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Fact {
    pub(super) key: Key,
    /// The words.
    pub(super) words: Symbol,
    /// The node id of the style that the words come from; 0 for none.
    pub(super) style: Symbol,
}

/// How a size comes about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) enum Sizing {
    /// Not said: outside auto layout.
    #[default]
    Unknown,
    Fixed,
    Hug,
    Fill,
}

/// How a container lays out what is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) enum Mode {
    /// By position.
    #[default]
    None,
    Row,
    Column,
    Grid,
}

/// To what an object keeps its distance when its parent grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) enum Constraint {
    /// Left or top: the usual one.
    #[default]
    Start,
    End,
    Center,
    Both,
    Scale,
}

/// Where a node is and what makes it so large.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Geometry {
    /// Absolute x, y, width and height in pixels.
    pub(super) bounds: Option<[f32; 4]>,
    pub(super) sizing: [Sizing; 2],
    pub(super) constraints: [Constraint; 2],
    pub(super) mode: Mode,
    /// In an auto layout, but placed by position.
    pub(super) is_absolute: bool,
    /// Whether what lies outside the bounds is cut off.
    pub(super) clips: bool,
    /// The constraints of every child, where that is worth saying once.
    pub(super) shared_constraints: Option<[Constraint; 2]>,
    /// Everything that it lays out in a row or a column fills it across.
    pub(super) stretches: bool,
    /// What older files say instead of a sizing: it grows along its parent's axis, it stretches across.
    pub(super) older: [bool; 2],
}

/// One node.
#[derive(Debug, Default)]
pub(super) struct Node {
    pub(super) id: Span,
    pub(super) name: Symbol,
    pub(super) kind: Kind,
    /// A container of nothing but drawings: its children were replaced by [`Key::Inside`].
    pub(super) is_drawing: bool,
    pub(super) geometry: Geometry,
    /// Its [`Design::facts`], in the order of their keys.
    pub(super) facts: Span,
    /// Its [`Design::children`].
    pub(super) children: Span,
    /// Children that are hidden, and left out.
    pub(super) hidden: u32,
    /// Nodes that lay too deep to be kept.
    pub(super) too_deep: u32,
}

/// A piece of what lies one behind the other for all nodes.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Span {
    pub(super) start: u32,
    pub(super) end: u32,
}

impl Span {
    /// From one length to another; what is longer than four billion is cut.
    pub(super) fn new(start: usize, end: usize) -> Self {
        let at = |length: usize| u32::try_from(length).unwrap_or(u32::MAX);
        Self { start: at(start), end: at(end) }
    }

    /// Whether there is nothing.
    pub(super) const fn is_empty(self) -> bool {
        self.start == self.end
    }

    const fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// A component or a component set, as the answer names it.
#[derive(Debug, Clone, Default)]
pub(super) struct Component {
    pub(super) name: String,
    pub(super) description: String,
    pub(super) set: Option<String>,
    pub(super) links: Vec<String>,
}

/// A document, pruned to what a description needs.
#[derive(Debug, Default)]
pub struct Design {
    pub(super) symbols: Symbols,
    /// Children before their parents.
    pub(super) nodes: Vec<Node>,
    /// The nodes that were asked for.
    pub(super) roots: Vec<u32>,
    pub(super) ids: String,
    /// The facts of all nodes.
    pub(super) facts: Vec<Fact>,
    /// The children of all nodes, by their numbers.
    pub(super) children: Vec<u32>,
    pub(super) name: String,
    pub(super) editor: String,
    pub(super) components: HashMap<String, Component>,
    pub(super) sets: HashMap<String, Component>,
    /// Name by node id.
    pub(super) styles: HashMap<String, String>,
    /// How many nodes the answer held, the hidden ones counted once each.
    pub(super) seen: u64,
    /// How many hidden nodes were left out.
    pub(super) hidden: u64,
    /// Nodes that were asked for and are not there.
    pub(super) missing: Vec<String>,
    /// Stands for a node that is not there.
    pub(super) nothing: Node,
}

impl Design {
    /// The ids of the variables that something is bound to.
    #[must_use]
    pub fn variables(&self) -> BTreeSet<&str> {
        let marked = self.symbols.all().split(VARIABLE).skip(1);
        // Most are met over and over.
        let ids: HashSet<&str, RandomState> = marked.filter_map(|rest| rest.split(END).next()).collect();
        ids.into_iter().collect()
    }

    /// Whether it has no node at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.roots.is_empty()
    }

    /// The ids of nodes that were asked for and are not there.
    #[must_use]
    pub fn missing(&self) -> &[String] {
        &self.missing
    }

    /// How many nodes the answer held; what hidden ones hold is not counted.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.seen
    }

    /// The id of a node.
    pub(super) fn id(&self, number: u32) -> &str {
        self.ids.get(self.node(number).id.range()).unwrap_or_default()
    }

    /// What is known about a node.
    pub(super) fn facts(&self, node: &Node) -> &[Fact] {
        self.facts.get(node.facts.range()).unwrap_or_default()
    }

    /// What is directly in a node.
    pub(super) fn children(&self, node: &Node) -> &[u32] {
        self.children.get(node.children.range()).unwrap_or_default()
    }

    /// Puts facts behind those that are known.
    pub(super) fn keep_facts(&mut self, facts: &[Fact]) -> Span {
        let start = self.facts.len();
        self.facts.extend_from_slice(facts);
        Span::new(start, self.facts.len())
    }

    /// Puts children behind those that are known.
    pub(super) fn keep_children(&mut self, children: &[u32]) -> Span {
        let start = self.children.len();
        self.children.extend_from_slice(children);
        Span::new(start, self.children.len())
    }

    /// Forgets the nodes from this one on. Each keeps its facts and children behind those of the nodes
    /// before it.
    pub(super) fn truncate(&mut self, nodes: usize) {
        if let Some(first) = self.nodes.get(nodes) {
            self.facts.truncate(first.facts.start as usize);
            self.children.truncate(first.children.start as usize);
        }
        self.nodes.truncate(nodes);
    }

    /// The node of this number. Every number comes from this very tree.
    pub(super) fn node(&self, number: u32) -> &Node {
        self.nodes.get(number as usize).unwrap_or(&self.nothing)
    }
}
