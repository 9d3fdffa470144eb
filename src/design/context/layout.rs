//! Auto layout, limits and constraints: from Figma's members to words of CSS.

use super::{
    model::{Constraint, Geometry, Mode, Sizing},
    raw,
    variables::Bound,
    words,
};
use crate::walk::Member;

/// What a node says of its layout, member by member, until it is complete.
#[derive(Debug, Clone, Default)]
#[expect(clippy::struct_excessive_bools, reason = "independent members, not states")]
pub(super) struct Members {
    pub(super) geometry: Geometry,
    padding: [f32; 4],
    gap: f32,
    cross_gap: f32,
    justify: Align,
    align: Align,
    wraps: bool,
    spreads_lines: bool,
    is_reversed: bool,
    counts_strokes: bool,
    /// `primaryAxisSizingMode` and `counterAxisSizingMode` are AUTO, as they are when nothing is said.
    is_fixed: [bool; 2],
    limits: [f32; 4],
    ratio: f32,
    grid: [f32; 4],
    tracks: [String; 2],
    cell: [f32; 4],
    cell_align: [Align; 2],
    is_cell: bool,
    scroll: &'static str,
    sticks: &'static str,
}

/// What of a container decides whether a word about its layout means anything.
#[derive(Debug, Clone, Copy)]
pub(super) struct Around {
    /// There is more than one layer in it, the hidden ones counted.
    pub(super) has_several: bool,
    pub(super) has_strokes: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Align {
    #[default]
    Start,
    Center,
    End,
    Between,
    Baseline,
}

impl Align {
    fn of(raw: &[u8]) -> Self {
        match raw {
            b"\"CENTER\"" => Self::Center,
            b"\"MAX\"" => Self::End,
            b"\"SPACE_BETWEEN\"" => Self::Between,
            b"\"BASELINE\"" => Self::Baseline,
            _ => Self::Start,
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Center => "center",
            Self::End => "end",
            Self::Between => "between",
            Self::Baseline => "baseline",
        }
    }
}

fn sizing(raw: &[u8]) -> Sizing {
    match raw {
        b"\"FIXED\"" => Sizing::Fixed,
        b"\"HUG\"" => Sizing::Hug,
        b"\"FILL\"" => Sizing::Fill,
        _ => Sizing::Unknown,
    }
}

impl Members {
    /// Takes one member in; `false` when it is not about layout.
    pub(super) fn take(&mut self, member: Member, raw: &[u8]) -> bool {
        let number = || raw::number(raw);
        let is_true = raw == b"true";
        match member {
            Member::AbsoluteBoundingBox => self.geometry.bounds = raw::rectangle(raw),
            Member::LayoutMode => {
                self.geometry.mode = match raw {
                    b"\"HORIZONTAL\"" => Mode::Row,
                    b"\"VERTICAL\"" => Mode::Column,
                    b"\"GRID\"" => Mode::Grid,
                    _ => Mode::None,
                }
            }
            Member::LayoutSizingHorizontal => self.geometry.sizing[0] = sizing(raw),
            Member::LayoutSizingVertical => self.geometry.sizing[1] = sizing(raw),
            Member::LayoutPositioning => self.geometry.is_absolute = raw == b"\"ABSOLUTE\"",
            Member::ClipsContent => self.geometry.clips = is_true,
            Member::Constraints => self.geometry.constraints = constraints(raw),
            Member::PaddingTop => self.padding[0] = number(),
            Member::PaddingRight => self.padding[1] = number(),
            Member::PaddingBottom => self.padding[2] = number(),
            Member::PaddingLeft => self.padding[3] = number(),
            Member::ItemSpacing => self.gap = number(),
            Member::CounterAxisSpacing => self.cross_gap = number(),
            Member::PrimaryAxisAlignItems => self.justify = Align::of(raw),
            Member::CounterAxisAlignItems => self.align = Align::of(raw),
            Member::LayoutWrap => self.wraps = raw == b"\"WRAP\"",
            Member::CounterAxisAlignContent => self.spreads_lines = raw == b"\"SPACE_BETWEEN\"",
            Member::ItemReverseZIndex => self.is_reversed = is_true,
            Member::StrokesIncludedInLayout => self.counts_strokes = is_true,
            Member::PrimaryAxisSizingMode => self.is_fixed[0] = raw == b"\"FIXED\"",
            Member::CounterAxisSizingMode => self.is_fixed[1] = raw == b"\"FIXED\"",
            Member::LayoutGrow => self.geometry.older[0] = number() > 0.0,
            Member::LayoutAlign => self.geometry.older[1] = raw == b"\"STRETCH\"",
            Member::MinWidth => self.limits[0] = number(),
            Member::MaxWidth => self.limits[1] = number(),
            Member::MinHeight => self.limits[2] = number(),
            Member::MaxHeight => self.limits[3] = number(),
            Member::TargetAspectRatio => self.ratio = ratio(raw),
            Member::GridColumnCount => self.grid[0] = number(),
            Member::GridRowCount => self.grid[1] = number(),
            Member::GridColumnGap => self.grid[2] = number(),
            Member::GridRowGap => self.grid[3] = number(),
            Member::GridColumnsSizing => self.tracks[0] = raw::string(raw),
            Member::GridRowsSizing => self.tracks[1] = raw::string(raw),
            Member::GridRowAnchorIndex => {
                self.cell[0] = number();
                self.is_cell = true;
            }
            Member::GridColumnAnchorIndex => self.cell[1] = number(),
            Member::GridRowSpan => self.cell[2] = number(),
            Member::GridColumnSpan => self.cell[3] = number(),
            Member::GridChildHorizontalAlign => self.cell_align[0] = Align::of(raw),
            Member::GridChildVerticalAlign => self.cell_align[1] = Align::of(raw),
            Member::OverflowDirection => {
                self.scroll = match raw {
                    b"\"HORIZONTAL_SCROLLING\"" => "scroll-x",
                    b"\"VERTICAL_SCROLLING\"" => "scroll-y",
                    b"\"HORIZONTAL_AND_VERTICAL_SCROLLING\"" => "scroll",
                    _ => "",
                }
            }
            Member::ScrollBehavior => match raw {
                b"\"FIXED\"" => self.sticks = "fixed",
                b"\"STICKY_SCROLLS\"" => self.sticks = "sticky",
                _ => {}
            },
            Member::IsFixed if is_true => self.sticks = "fixed",
            Member::IsFixed => {}
            _ => return false,
        }
        true
    }

    /// What kind of box it is, and how its size comes about where only the older members say so.
    pub(super) fn geometry(&self) -> Geometry {
        let mut geometry = self.geometry;
        if matches!(geometry.mode, Mode::Row | Mode::Column) {
            let (primary, counter) = if geometry.mode == Mode::Row { (0, 1) } else { (1, 0) };
            for (axis, is_fixed) in [(primary, self.is_fixed[0]), (counter, self.is_fixed[1])] {
                if let Some(sizing @ Sizing::Unknown) = geometry.sizing.get_mut(axis) {
                    *sizing = if is_fixed { Sizing::Fixed } else { Sizing::Hug };
                }
            }
        }
        geometry
    }

    /// How what is in it is laid out: `gap8 pad16,24 justify-between align-center wrap`.
    pub(super) fn words(&self, out: &mut String, bound: &Bound, around: Around) {
        match self.geometry.mode {
            Mode::None => return,
            Mode::Grid => self.grid(out, bound),
            Mode::Row | Mode::Column => self.flow(out, bound, around),
        }
        self.padding(out, bound);
        if self.is_reversed {
            out.push_str(" first-on-top");
        }
        if self.counts_strokes && around.has_strokes {
            out.push_str(" strokes-take-space");
        }
    }

    /// As CSS writes it; one side alone by its letter: `pt8`.
    fn padding(&self, out: &mut String, bound: &Bound) {
        if !bound.is_about(&["padding"]) {
            let [top, right, bottom, left] = self.padding.map(f32::to_bits);
            match (self.padding, top == bottom && right == left) {
                ([0.0, 0.0, 0.0, 0.0], _) => return,
                ([vertical, horizontal, ..], true) => return even_padding(out, vertical, horizontal),
                _ => {}
            }
        }
        let names = ["paddingTop", "paddingRight", "paddingBottom", "paddingLeft"];
        let sides = self.padding.iter().zip(names);
        let sides: Vec<String> =
            sides.map(|(side, name)| words::of_pixels(*side) + &bound.mark(name)).collect();
        let mut said = sides.iter().zip([" pt", " pr", " pb", " pl"]).filter(|(side, _)| *side != "0");
        match (said.next(), said.next(), sides.as_slice()) {
            (Some((side, word)), None, _) => {
                out.push_str(word);
                out.push_str(side);
            }
            (Some(_), Some(_), [top, right, bottom, left]) => {
                out.push_str(" pad");
                if right == left && top != bottom {
                    out.push_str(&[top.as_str(), right, bottom].join(","));
                } else {
                    words::sides(out, [top, right, bottom, left]);
                }
            }
            _ => {}
        }
    }

    fn flow(&self, out: &mut String, bound: &Bound, around: Around) {
        let gap_mark = bound.mark("itemSpacing");
        let cross_mark = bound.mark("counterAxisSpacing");
        let has_gap =
            (self.gap != 0.0 && around.has_several || !gap_mark.is_empty()) && self.justify != Align::Between;
        let has_cross_gap = self.wraps && (self.cross_gap != 0.0 || !cross_mark.is_empty());
        if has_gap || has_cross_gap {
            out.push_str(" gap");
            words::pixels(out, if self.justify == Align::Between { 0.0 } else { self.gap });
            out.push_str(&gap_mark);
            if has_cross_gap {
                out.push(',');
                words::pixels(out, self.cross_gap);
                out.push_str(&cross_mark);
            }
        } else if !gap_mark.is_empty() {
            out.push_str(" gap");
            out.push_str(&gap_mark);
        }
        if (self.justify, self.align) == (Align::Center, Align::Center) {
            out.push_str(" centered");
        } else {
            for (word, align) in [(" justify-", self.justify), (" align-", self.align)] {
                if align != Align::Start {
                    out.push_str(word);
                    out.push_str(align.word());
                }
            }
        }
        if self.wraps {
            out.push_str(" wrap");
        }
        if self.wraps && self.spreads_lines {
            out.push_str(" content-between");
        }
    }

    fn grid(&self, out: &mut String, bound: &Bound) {
        for (name, count, tracks) in
            [(" cols=", self.grid[0], &self.tracks[0]), (" rows=", self.grid[1], &self.tracks[1])]
        {
            out.push_str(name);
            let tracks = tracks.trim();
            if tracks.is_empty() {
                words::number(out, count);
            } else {
                words::push_escaped(out, &tracks.replace(' ', "_"));
            }
        }
        let gaps = [
            words::of(self.grid[3]) + &bound.mark("gridRowGap"),
            words::of(self.grid[2]) + &bound.mark("gridColumnGap"),
        ];
        if gaps.iter().any(|gap| gap != "0") {
            out.push_str(" gap");
            let [row, column] = &gaps;
            words::sides(out, [row, column, row, column]);
        }
    }

    /// Smallest and largest size, and a locked ratio.
    pub(super) fn limits(&self, out: &mut String, bound: &Bound) {
        let says_nothing = |number: &f32| *number == 0.0;
        if self.limits.iter().all(says_nothing) && says_nothing(&self.ratio) && bound.is_empty() {
            return;
        }
        let names = [
            (" min-w", "minWidth"),
            (" max-w", "maxWidth"),
            (" min-h", "minHeight"),
            (" max-h", "maxHeight"),
        ];
        for (limit, (word, name)) in self.limits.iter().zip(names) {
            let mark = bound.mark(name);
            if *limit != 0.0 || !mark.is_empty() {
                out.push_str(word);
                words::number(out, *limit);
                out.push_str(&mark);
            }
        }
        let is_fixed = |sizing: &Sizing| matches!(sizing, Sizing::Fixed | Sizing::Unknown);
        let is_said = self.geometry.bounds.is_some() && self.geometry().sizing.iter().all(is_fixed);
        if self.ratio != 0.0 && !is_said {
            out.push_str(" ratio");
            words::number(out, self.ratio);
        }
    }

    /// Its place in a grid, counted from 1 as CSS does: `cell row/column`.
    pub(super) fn cell(&self, out: &mut String) {
        if !self.is_cell {
            return;
        }
        let [row, column, rows, columns] = self.cell;
        out.push_str(" cell");
        words::number(out, row + 1.0);
        out.push(',');
        words::number(out, column + 1.0);
        if rows > 1.0 || columns > 1.0 {
            out.push_str(" span");
            words::number(out, rows.max(1.0));
            out.push(',');
            words::number(out, columns.max(1.0));
        }
        for (word, align) in [(" justify-self-", self.cell_align[0]), (" align-self-", self.cell_align[1])] {
            if align != Align::Start {
                out.push_str(word);
                out.push_str(align.word());
            }
        }
    }

    /// How it scrolls, or stays when others do.
    pub(super) fn scroll(&self, out: &mut String) {
        for word in [self.scroll, self.sticks] {
            if !word.is_empty() {
                out.push(' ');
                out.push_str(word);
            }
        }
    }
}

/// The same at opposite sides.
fn even_padding(out: &mut String, vertical: f32, horizontal: f32) {
    let start = out.len();
    out.push_str(" pad");
    let vertical_start = out.len();
    words::pixels(out, vertical);
    let horizontal_start = out.len();
    out.push(',');
    words::pixels(out, horizontal);
    let vertical = out.get(vertical_start..horizontal_start).unwrap_or_default();
    if out.get(horizontal_start + 1..) == Some(vertical) {
        let says_nothing = vertical == "0";
        out.truncate(if says_nothing { start } else { horizontal_start });
    }
}

fn ratio(raw: &[u8]) -> f32 {
    let value = raw::value(raw);
    let side = |name| raw::float(&value, name).filter(|side| *side > 0.0);
    let (Some(x), Some(y)) = (side("x"), side("y")) else { return 0.0 };
    raw::number((x / y).to_string().as_bytes())
}

fn constraints(raw: &[u8]) -> [Constraint; 2] {
    // The usual one needs no parser.
    if raw == br#"{"vertical":"TOP","horizontal":"LEFT"}"# {
        return [Constraint::Start; 2];
    }
    let value = raw::value(raw);
    let one = |name| match raw::text(&value, name) {
        Some("RIGHT" | "BOTTOM") => Constraint::End,
        Some("CENTER") => Constraint::Center,
        Some("LEFT_RIGHT" | "TOP_BOTTOM") => Constraint::Both,
        Some("SCALE") => Constraint::Scale,
        _ => Constraint::Start,
    };
    [one("horizontal"), one("vertical")]
}

/// Constraints that are not the usual left and top, behind a word: `pin-right,bottom`.
pub(super) fn pins(out: &mut String, before: &str, constraints: [Constraint; 2]) {
    use Constraint::{Both, Center, End, Scale, Start};
    let [x, y] = constraints.map(|constraint| match constraint {
        Start => [""; 2],
        End => ["right", "bottom"],
        Center => ["center"; 2],
        Both => ["left+right", "top+bottom"],
        Scale => ["scale"; 2],
    });
    let words = match constraints {
        [Start, Start] => return,
        [Center, Center] | [Scale, Scale] => &[x[0]][..],
        // A word that could mean either axis says which one.
        [Center | Scale, Start] => &["x-", x[0]],
        [Start, Center | Scale] => &["y-", y[1]],
        [_, Start] => &[x[0]],
        [Start, _] => &[y[1]],
        [_, _] => &[x[0], ",", y[1]],
    };
    out.push_str(before);
    for word in words {
        out.push_str(word);
    }
}

/// Guides that designers lay over a frame: `columns 12 gutter 16 margin 24`.
pub(super) fn guides(list: &[u8]) -> String {
    let list = raw::value(list);
    let shown: Vec<String> = list
        .as_array()
        .map_or(&[][..], Vec::as_slice)
        .iter()
        .filter(|guide| guide.get("visible") != Some(&serde_json::Value::Bool(false)))
        .map(|guide| {
            let number = |name: &str| raw::float(guide, name).unwrap_or(0.0);
            let pattern = words::lower(raw::text(guide, "pattern").unwrap_or("guides"));
            if pattern == "grid" {
                return format!("grid {}", number("sectionSize"));
            }
            let count = number("count");
            let mut out = pattern;
            if count > 0.0 && count < 1000.0 {
                out.push_str(&format!(" {count}"));
            }
            let alignment = words::lower(raw::text(guide, "alignment").unwrap_or("stretch"));
            if alignment != "stretch" {
                out.push_str(&format!(" {alignment} {}", number("sectionSize")));
            }
            for (word, name) in [("gutter", "gutterSize"), ("offset", "offset")] {
                if number(name) != 0.0 {
                    out.push_str(&format!(" {word} {}", number(name)));
                }
            }
            out
        })
        .collect();
    shown.join(" + ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words_of(members: &[(&str, &str)]) -> String {
        let mut layout = Members::default();
        for (key, value) in members {
            assert!(layout.take(Member::of(key.as_bytes()), value.as_bytes()), "{key}");
        }
        let (mut out, bound) = (String::new(), Bound::default());
        layout.words(&mut out, &bound, Around { has_several: true, has_strokes: true });
        layout.limits(&mut out, &bound);
        layout.cell(&mut out);
        layout.scroll(&mut out);
        pins(&mut out, " pin-", layout.geometry.constraints);
        out
    }

    #[test]
    fn auto_layout_reads_like_css() {
        let row = [
            ("layoutMode", "\"HORIZONTAL\""),
            ("itemSpacing", "8.0"),
            ("paddingTop", "12"),
            ("paddingBottom", "12"),
            ("paddingLeft", "24"),
            ("paddingRight", "24"),
            ("counterAxisAlignItems", "\"CENTER\""),
            ("layoutWrap", "\"WRAP\""),
            ("counterAxisSpacing", "4"),
            ("minWidth", "311"),
        ];
        assert_eq!(words_of(&row), " gap8,4 align-center wrap pad12,24 min-w311");
        let spread = [
            ("layoutMode", "\"VERTICAL\""),
            ("itemSpacing", "8"),
            ("primaryAxisAlignItems", "\"SPACE_BETWEEN\""),
        ];
        assert_eq!(words_of(&spread), " justify-between");
    }

    #[test]
    fn grids_say_their_tracks() {
        let grid = [
            ("layoutMode", "\"GRID\""),
            ("gridColumnCount", "2"),
            ("gridRowCount", "1"),
            ("gridColumnGap", "16.0"),
            ("gridRowGap", "16.0"),
            ("gridColumnsSizing", "\"repeat(2,minmax(0,1fr))\""),
            ("gridRowsSizing", "\" 314px\""),
        ];
        assert_eq!(words_of(&grid), " cols=repeat(2,minmax(0,1fr)) rows=314px gap16");
        let cell = [("gridRowAnchorIndex", "0"), ("gridColumnAnchorIndex", "1"), ("gridColumnSpan", "2")];
        assert_eq!(words_of(&cell), " cell1,2 span1,2");
    }

    #[test]
    fn constraints_are_said_when_unusual() {
        let pins = |text: &str| words_of(&[("constraints", text)]);
        assert_eq!(pins(r#"{"vertical":"TOP","horizontal":"LEFT"}"#), "");
        assert_eq!(pins(r#"{"vertical":"BOTTOM","horizontal":"LEFT_RIGHT"}"#), " pin-left+right,bottom");
        assert_eq!(pins(r#"{"vertical":"SCALE","horizontal":"SCALE"}"#), " pin-scale");
        assert_eq!(pins(r#"{"vertical":"CENTER","horizontal":"LEFT"}"#), " pin-y-center");
    }
}
