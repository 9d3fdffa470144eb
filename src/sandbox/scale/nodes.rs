//! The nodes of the scaled file: one design language, as the files of a product have.
//!
//! Colours, text styles and spaces come from short lists, places from where the parents are, texts from a few
//! words; so the file packs as real ones do. Members come in Figma's order: `children` before what a node
//! says of its own look.

use std::fmt::Write as _;

/// Nodes a top-level frame holds.
const NODES: u32 = 160;
/// Nodes do not lie deeper than this below their top-level frame.
const LEVELS: u32 = 11;
/// How many of each the file uses.
pub(super) const COMPONENTS: u32 = 60;
pub(super) const STYLES: u32 = 30;
const VARIABLES: u64 = 48;

/// Bytes of sRGB.
const COLOURS: [[u8; 3]; 20] = [
    [255, 255, 255],
    [250, 249, 246],
    [244, 244, 245],
    [228, 228, 231],
    [161, 161, 170],
    [113, 113, 122],
    [63, 63, 70],
    [24, 24, 27],
    [220, 252, 231],
    [34, 197, 94],
    [21, 128, 61],
    [20, 83, 45],
    [254, 243, 199],
    [245, 158, 11],
    [180, 83, 9],
    [254, 226, 226],
    [239, 68, 68],
    [185, 28, 28],
    [219, 234, 254],
    [37, 99, 235],
];
/// Weight with its name, size and line height in pixels.
const TEXT_STYLES: [(u16, &str, u8, u8); 8] = [
    (700, "Bold", 32, 40),
    (700, "Bold", 24, 32),
    (600, "SemiBold", 20, 28),
    (600, "SemiBold", 16, 24),
    (500, "Medium", 16, 24),
    (400, "Regular", 16, 24),
    (400, "Regular", 14, 20),
    (500, "Medium", 12, 16),
];
/// Steps of paddings and gaps, in pixels.
const SPACES: [u8; 6] = [4, 8, 12, 16, 24, 32];
const FRAMES: [&str; 9] =
    ["Container", "Card", "Row", "Header", "Content", "List item", "Footer", "Section", "Toolbar"];
#[rustfmt::skip]
const WORDS: [&str; 48] = [
    "plant", "light", "water", "shade", "order", "delivery", "today", "basket", "price", "leaf", "small", "large",
    "terracotta", "pot", "garden", "add", "remove", "your", "the", "with", "and", "for", "next", "week", "soil",
    "indoor", "outdoor", "gift", "card", "save", "address", "payment", "method", "review", "stars", "from", "free",
    "returns", "within", "days", "season", "new", "fern", "palm", "olive", "tree", "care", "guide",
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Frame,
    Instance,
    Text,
    Rectangle,
    Vector,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Frame => "FRAME",
            Self::Instance => "INSTANCE",
            Self::Text => "TEXT",
            Self::Rectangle => "RECTANGLE",
            Self::Vector => "VECTOR",
        }
    }

    fn is_container(self) -> bool {
        matches!(self, Self::Frame | Self::Instance)
    }
}

/// What a node has of those around it.
#[derive(Clone, Copy)]
struct Place<'a> {
    page: u64,
    level: u32,
    /// The id of the instance that it is in.
    instance: Option<&'a str>,
    x: f32,
    y: f32,
    width: f32,
}

/// Writes nodes; always the same ones.
pub(super) struct Nodes {
    ids: u32,
    /// Of the frame at hand, how many may still come.
    left: u32,
    chance: u64,
}

impl Nodes {
    pub(super) fn new() -> Self {
        Self { ids: 1, left: 0, chance: 1 }
    }

    /// A top-level frame, the `number`th of its file.
    pub(super) fn frame(&mut self, text: &mut String, page: u64, number: u16) {
        self.left = NODES;
        let place = Place {
            page,
            level: 0,
            instance: None,
            x: 440.0 * f32::from(number % 40) + self.part(),
            y: 1200.0 * f32::from(number / 40) + self.part(),
            width: 390.0,
        };
        self.node(text, place);
    }

    /// A number less than `below` (splitmix64).
    fn chance(&mut self, below: u64) -> u64 {
        self.chance = self.chance.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.chance;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (bits ^ (bits >> 31)) % below
    }

    fn is_one_in(&mut self, many: u64) -> bool {
        self.chance(many) == 0
    }

    fn one_of<T: Copy + Default>(&mut self, of: &[T]) -> T {
        let index = usize::try_from(self.chance(of.len() as u64)).unwrap_or_default();
        of.get(index).copied().unwrap_or_default()
    }

    /// What dragging and hugging texts leave behind the point.
    fn part(&mut self) -> f32 {
        f32::from(u16::try_from(self.chance(1024)).unwrap_or_default()) / 1024.0
    }

    fn words(&mut self) -> String {
        let count = 1 + self.chance(7);
        let words: Vec<&str> = (0..count).map(|_| self.one_of(&WORDS)).collect();
        words.join(" ")
    }

    fn kind(&mut self, level: u32) -> Kind {
        if level == 0 {
            return Kind::Frame;
        }
        match self.chance(100) {
            0..=32 if level < LEVELS => Kind::Frame,
            33..=42 if level < LEVELS => Kind::Instance,
            43..=69 => Kind::Text,
            70..=78 => Kind::Rectangle,
            _ => Kind::Vector,
        }
    }

    /// A node and what is in it; answers how high it is.
    fn node(&mut self, text: &mut String, place: Place<'_>) -> f32 {
        self.left = self.left.saturating_sub(1);
        self.ids += 1;
        let kind = self.kind(place.level);
        let id = match place.instance {
            None => format!("{}:{}", place.page, self.ids),
            Some(instance) => format!("I{};900:{}", instance.trim_start_matches('I'), self.ids),
        };
        let characters = if kind == Kind::Text { self.words() } else { String::new() };
        let name = match kind {
            Kind::Text => characters.clone(),
            Kind::Vector => "Vector".to_owned(),
            Kind::Rectangle => format!("Rectangle {}", self.chance(40)),
            Kind::Frame | Kind::Instance => self.one_of(&FRAMES).to_owned(),
        };
        let is_hidden = place.level > 0 && self.is_one_in(16);
        let hidden = if is_hidden { r#""visible":false,"# } else { "" };
        let _ = write!(
            text,
            r#"{{"id":"{id}","name":"{name}",{hidden}"type":"{}","scrollBehavior":"SCROLLS""#,
            kind.name()
        );
        let bound = self.is_one_in(3).then(|| self.chance(VARIABLES));
        if let Some(variable) = bound {
            bind(text, variable, kind);
        }
        if kind == Kind::Instance {
            self.instance(text, &id);
        }
        let pad = self.one_of(&SPACES);
        let height = if kind.is_container() {
            self.children(
                text,
                Place { instance: place.instance.or((kind == Kind::Instance).then_some(&id)), ..place },
                pad,
            )
        } else {
            f32::from(self.one_of(&[16, 20, 24, 40, 48, 96_u8]))
        };
        self.look(text, kind, bound);
        self.bounds(text, place, kind, height, is_hidden);
        if kind.is_container() {
            self.layout(text, pad);
        }
        if kind == Kind::Text {
            self.text(text, &characters);
        }
        self.rest(text);
        text.push('}');
        height
    }

    /// Lays children below each other, and answers how high they are together.
    fn children(&mut self, text: &mut String, place: Place<'_>, pad: u8) -> f32 {
        text.push_str(r#","children":["#);
        let pad = f32::from(pad);
        let mut y = pad;
        let wanted = if place.level == 0 { u64::MAX } else { 1 + self.chance(5) };
        let mut count = 0;
        while self.left > 0 && count < wanted {
            if count > 0 {
                text.push(',');
            }
            let child = Place {
                level: place.level + 1,
                x: place.x + pad,
                y: place.y + y,
                width: (place.width - 2.0 * pad).max(16.0),
                ..place
            };
            y += self.node(text, child) + pad;
            count += 1;
        }
        text.push(']');
        y
    }

    fn instance(&mut self, text: &mut String, id: &str) {
        let component = self.chance(u64::from(COMPONENTS));
        let label = self.one_of(&WORDS);
        let _ = write!(
            text,
            r#","componentId":"900:{component}","componentProperties":{{"State":{{"value":"Default","type":"VARIANT","boundVariables":{{}}}},"Label#12:{component}":{{"value":"{label}","type":"TEXT"}}}},"overrides":[{{"id":"{id}","overriddenFields":["fills","name"]}}]"#
        );
    }

    /// Paints, strokes and the style they are of.
    fn look(&mut self, text: &mut String, kind: Kind, bound: Option<u64>) {
        let index = self.chance(u64::from(STYLES));
        let paint = match self.chance(20) {
            0..=7 if kind != Kind::Text => String::new(),
            8 if kind == Kind::Rectangle => format!(
                r#"{{"blendMode":"NORMAL","type":"IMAGE","scaleMode":"FILL","imageRef":"{:040x}"}}"#,
                self.chance(u64::MAX)
            ),
            _ => solid(index, bound),
        };
        text.push_str(r#","blendMode":"PASS_THROUGH""#);
        if kind.is_container() {
            let _ = write!(text, r#","clipsContent":{},"background":[{paint}]"#, index.is_multiple_of(2));
        }
        let _ = write!(text, r#","fills":[{paint}]"#);
        if self.is_one_in(8) {
            let _ = write!(text, r#","strokes":[{}]"#, solid(3, None));
        } else {
            text.push_str(r#","strokes":[]"#);
        }
        if matches!(kind, Kind::Frame | Kind::Rectangle) && self.is_one_in(2) {
            let radius = self.one_of(&SPACES);
            let _ = write!(text, r#","cornerRadius":{radius}.0,"cornerSmoothing":0.0"#);
        }
        text.push_str(r#","strokeWeight":1.0,"strokeAlign":"INSIDE""#);
        if self.is_one_in(3) {
            let _ = write!(text, r#","styles":{{"fill":"800:{index}"}}"#);
        }
        if kind.is_container() {
            let colour = if paint.is_empty() {
                r#"{"r":0.0,"g":0.0,"b":0.0,"a":0.0}"#.to_owned()
            } else {
                colour(index)
            };
            let _ = write!(text, r#","backgroundColor":{colour}"#);
        }
    }

    fn bounds(&mut self, text: &mut String, place: Place<'_>, kind: Kind, height: f32, is_hidden: bool) {
        let width = match kind {
            Kind::Text => (place.width * 0.75).floor() + self.part(),
            Kind::Vector => 24.0,
            _ => place.width,
        };
        let bounds = rectangle(place.x, place.y, width, height);
        let _ = write!(text, r#","absoluteBoundingBox":{bounds},"absoluteRenderBounds":"#);
        match kind {
            _ if is_hidden || self.is_one_in(10) => text.push_str("null"),
            Kind::Text => {
                let (left, above) = (self.part(), self.part());
                text.push_str(&rectangle(
                    place.x + left,
                    place.y + 4.0 + above,
                    width - 2.0 * left,
                    height - 8.0,
                ));
            }
            _ => text.push_str(&bounds),
        }
        text.push_str(r#","constraints":{"vertical":"TOP","horizontal":"LEFT"}"#);
    }

    fn layout(&mut self, text: &mut String, pad: u8) {
        let mode = self.one_of(&["VERTICAL", "HORIZONTAL"]);
        let space = self.one_of(&SPACES);
        let _ = write!(
            text,
            r#","layoutMode":"{mode}","itemSpacing":{space}.0,"paddingLeft":{pad}.0,"paddingRight":{pad}.0,"paddingTop":{pad}.0,"paddingBottom":{pad}.0,"counterAxisAlignItems":"CENTER","layoutWrap":"NO_WRAP""#
        );
    }

    fn text(&mut self, text: &mut String, characters: &str) {
        let (weight, style, size, line) = self.one_of(&TEXT_STYLES);
        let _ = write!(
            text,
            r#","characters":"{characters}","characterStyleOverrides":[],"styleOverrideTable":{{}},"lineTypes":["NONE"],"lineIndentations":[0],"style":{{"fontFamily":"Inter","fontPostScriptName":"Inter-{style}","fontStyle":"{style}","fontWeight":{weight},"textAutoResize":"WIDTH_AND_HEIGHT","fontSize":{size}.0,"textAlignHorizontal":"LEFT","textAlignVertical":"TOP","letterSpacing":0.0,"lineHeightPx":{line}.0,"lineHeightPercent":100.0,"lineHeightUnit":"PIXELS"}},"layoutVersion":4"#
        );
    }

    /// What the end of every node is.
    fn rest(&mut self, text: &mut String) {
        let sizing = self.one_of(&["FIXED", "HUG", "FILL"]);
        let _ = write!(
            text,
            r#","layoutAlign":"INHERIT","layoutGrow":0.0,"layoutSizingHorizontal":"{sizing}","layoutSizingVertical":"HUG""#
        );
        if self.is_one_in(12) {
            let radius = self.one_of(&SPACES);
            let _ = write!(
                text,
                r#","effects":[{{"type":"DROP_SHADOW","visible":true,"color":{{"r":0.0,"g":0.0,"b":0.0,"a":0.11999999731779099}},"blendMode":"NORMAL","offset":{{"x":0.0,"y":4.0}},"radius":{radius}.0,"showShadowBehindNode":false}}]"#
            );
        } else {
            text.push_str(r#","effects":[]"#);
        }
        text.push_str(r#","interactions":[],"complexStrokeProperties":{"strokeType":"BASIC"}"#);
    }
}

/// A number as Figma writes it: single precision, widened.
fn rectangle(x: f32, y: f32, width: f32, height: f32) -> String {
    let [x, y, width, height] = [x, y, width, height].map(f64::from);
    format!(r#"{{"x":{x:?},"y":{y:?},"width":{width:?},"height":{height:?}}}"#)
}

/// The colour of a style, or of a variable.
fn colour(index: u64) -> String {
    let index = usize::try_from(index).unwrap_or_default() % COLOURS.len();
    let bytes = COLOURS.get(index).copied().unwrap_or_default();
    let [r, g, b] = bytes.map(|byte| f64::from(f32::from(byte) / 255.0));
    format!(r#"{{"r":{r:?},"g":{g:?},"b":{b:?},"a":1.0}}"#)
}

fn solid(index: u64, bound: Option<u64>) -> String {
    let colour = colour(bound.unwrap_or(index));
    let bound = bound.map(|variable| format!(r#","boundVariables":{{"color":{}}}"#, alias(variable)));
    format!(r#"{{"blendMode":"NORMAL","type":"SOLID","color":{colour}{}}}"#, bound.unwrap_or_default())
}

/// A third of the variables are of another file's library.
fn alias(variable: u64) -> String {
    let id = match variable % 3 {
        0 => format!("VariableID:{:040x}/7:{variable}", 0x5eed_0000_0000_0000 + variable),
        _ => format!("VariableID:1:{variable}"),
    };
    format!(r#"{{"type":"VARIABLE_ALIAS","id":"{id}"}}"#)
}

fn bind(text: &mut String, variable: u64, kind: Kind) {
    let fill = alias(variable);
    let _ = write!(text, r#","boundVariables":{{"fills":[{fill}]"#);
    if kind.is_container() {
        let space = alias(variable % 8);
        let _ = write!(text, r#","itemSpacing":{space},"paddingLeft":{space},"paddingRight":{space}"#);
    }
    text.push('}');
}
