//! Where a node lies and how large it is, in words.

use super::{
    layout,
    model::{Constraint, Kind, Mode, Node, Sizing},
    words,
};

/// What is said of a node's place and size.
#[derive(Debug, Clone, PartialEq, Default)]
#[expect(clippy::struct_excessive_bools, reason = "independent words, not states")]
pub(super) struct Place {
    /// From its parent's corner, where the parent does not lay it out. In tenths of pixels.
    position: Option<[i64; 2]>,
    width: Side,
    height: Side,
    /// It covers its parent.
    covers: bool,
    is_absolute: bool,
    constraints: [Constraint; 2],
    /// Those of everything in it, where they are all the same.
    inner_constraints: Option<[Constraint; 2]>,
    /// What overflows is cut off, and something does.
    clips: bool,
    /// Everything in it fills it across: said here, not there.
    stretches: bool,
    /// The side that fills the parent, where the parent says so.
    stretched: Option<Axis>,
}

/// Along which a box is stretched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Axis {
    Horizontal,
    Vertical,
}

/// One side of a box, in tenths of pixels.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
enum Side {
    #[default]
    Unsaid,
    Fill,
    Pixels(i64),
}

/// What is at most so many pixels off lies where its parent does: more precise than that is no design.
const NEAR: f32 = 1.0;

/// The place of a node in its parent; of one that was asked for, only its size.
pub(super) fn of(node: &Node, parent: Option<&Node>) -> Place {
    if matches!(node.kind, Kind::Document | Kind::Page | Kind::TableCell | Kind::Connector) {
        return Place::default();
    }
    let geometry = &node.geometry;
    let flows = parent.is_some_and(|parent| parent.geometry.mode != Mode::None) && !geometry.is_absolute;
    let mut place = Place {
        clips: geometry.clips,
        inner_constraints: inner_constraints(node),
        stretches: geometry.stretches && !node.children.is_empty(),
        ..Place::default()
    };
    let Some([x, y, width, height]) = geometry.bounds else { return place };
    place.is_absolute =
        geometry.is_absolute && parent.is_some_and(|parent| parent.geometry.mode != Mode::None);
    place.width = side(geometry.sizing[0], width);
    place.height = side(geometry.sizing[1], height);
    let Some(parent) = parent else { return place };
    if flows {
        place.stretched = stretched(parent);
        return place;
    }
    let is_free = match parent.kind {
        Kind::Document | Kind::ComponentSet => return place,
        Kind::Page | Kind::Section if !node.kind.is_on_whiteboard() => return place,
        Kind::Group | Kind::Page | Kind::Section => false,
        _ => true,
    };
    if is_free && parent.geometry.shared_constraints.is_none() {
        place.constraints = geometry.constraints;
    }
    let Some([left, top, parent_width, parent_height]) = parent.geometry.bounds.or(Some([0.0; 4])) else {
        return place;
    };
    let position = [tenths(x - left), tenths(y - top)];
    let is_near = |offset: f32| offset.abs() <= NEAR;
    if is_near(x - left)
        && is_near(y - top)
        && is_near(width - parent_width)
        && is_near(height - parent_height)
        && width > 10.0 * NEAR
        && height > 10.0 * NEAR
        || position == [0, 0]
            && tenths(width) == tenths(parent_width)
            && tenths(height) == tenths(parent_height)
    {
        place.covers = true;
        // That says already that it grows with its parent.
        let grows = |constraint| matches!(constraint, Constraint::Both | Constraint::Scale);
        if place.constraints.into_iter().all(grows) {
            place.constraints = [Constraint::Start; 2];
        }
        place.width = Side::Unsaid;
        place.height = Side::Unsaid;
    } else {
        place.position = Some(position);
    }
    place
}

/// Across what a parent stretches everything that it lays out.
fn stretched(parent: &Node) -> Option<Axis> {
    let axis = if parent.geometry.mode == Mode::Row { Axis::Vertical } else { Axis::Horizontal };
    parent.geometry.stretches.then_some(axis)
}

/// Only a container that lays nothing out has any use for them.
fn inner_constraints(node: &Node) -> Option<[Constraint; 2]> {
    let is_free =
        node.geometry.mode == Mode::None && !matches!(node.kind, Kind::Group | Kind::Page | Kind::Section);
    node.geometry.shared_constraints.filter(|_| is_free && !node.children.is_empty())
}

fn side(sizing: Sizing, pixels: f32) -> Side {
    match sizing {
        Sizing::Hug => Side::Unsaid,
        Sizing::Fill => Side::Fill,
        Sizing::Fixed | Sizing::Unknown => Side::Pixels(tenths(pixels)),
    }
}

#[expect(clippy::cast_possible_truncation, reason = "as clamps, and no canvas is that large")]
fn tenths(pixels: f32) -> i64 {
    (f64::from(pixels) * 10.0).round() as i64
}

#[expect(clippy::cast_precision_loss, reason = "no canvas is that large")]
fn write_tenths(out: &mut String, tenths: i64) {
    words::pixels(out, tenths as f32 / 10.0);
}

impl Place {
    /// Writes it, whatever the parent says: ` @12,8 40×40 pin-right`.
    pub(super) fn write(&self, out: &mut String) {
        Self { stretched: None, stretches: false, ..self.clone() }.write_with(out, write_size);
    }

    /// Writes it below the line of its parent: what that says is not said again, and a square has one
    /// size: ` @12,8 size40 pin-right`.
    pub(super) fn write_in_tree(&self, out: &mut String) {
        self.write_with(out, write_short_size);
    }

    fn write_with(&self, out: &mut String, write_size: impl Fn(&mut String, Side, Side)) {
        if self.is_absolute {
            out.push_str(" absolute");
        }
        if self.covers {
            out.push_str(" inset0");
        }
        if let Some(position) = self.position.filter(|position| *position != [0, 0]) {
            write_position(out, position);
        }
        let (width, height) = self.own_sides();
        match (width, height) {
            (Side::Unsaid, Side::Unsaid) => {}
            (width, Side::Unsaid) => width.write(out, " w"),
            (Side::Unsaid, height) => height.write(out, " h"),
            (width, height) => write_size(out, width, height),
        }
        layout::pins(out, " pin-", self.constraints);
        layout::pins(out, " children-pin-", self.inner_constraints.unwrap_or_default());
        if self.clips {
            out.push_str(" clip");
        }
        if self.stretches {
            out.push_str(" stretch");
        }
    }

    /// Width and height, without what the parent says.
    const fn own_sides(&self) -> (Side, Side) {
        match self.stretched {
            None => (self.width, self.height),
            Some(Axis::Horizontal) => (Side::Unsaid, self.height),
            Some(Axis::Vertical) => (self.width, Side::Unsaid),
        }
    }

    /// Writes what of it differs from another place. What is not said is as there.
    pub(super) fn write_changes(&self, before: &Self, out: &mut String) {
        if self.is_absolute && !before.is_absolute {
            out.push_str(" absolute");
        }
        if self.covers && !before.covers {
            out.push_str(" inset0");
        }
        match self.position {
            Some(position) if before.position != Some(position) => write_position(out, position),
            None if !self.covers && (before.covers || before.position.is_some()) => {
                out.push_str(" in-flow");
            }
            _ => {}
        }
        let is_sized_anew = before.covers && !self.covers;
        // What the other parent said and this one does not has to be said here.
        let is_let_go = |axis| before.stretched == Some(axis) && self.stretched != Some(axis);
        let changes =
            |now: Side, then: Side, axis| is_sized_anew || !self.covers && (now != then || is_let_go(axis));
        let width = changes(self.width, before.width, Axis::Horizontal);
        let height = changes(self.height, before.height, Axis::Vertical);
        match (width, height) {
            (false, false) => {}
            (true, false) => self.width.write(out, " w"),
            (false, true) => self.height.write(out, " h"),
            (true, true) => write_short_size(out, self.width, self.height),
        }
        let inner = |place: &Self| place.inner_constraints.unwrap_or_default();
        for (word, now, then) in
            [(" pin-", self.constraints, before.constraints), (" children-pin-", inner(self), inner(before))]
        {
            if now != then && now == [Constraint::Start; 2] {
                out.push_str(word);
                out.push_str("left,top");
            } else if now != then {
                layout::pins(out, word, now);
            }
        }
        if self.clips != before.clips {
            out.push_str(if self.clips { " clip" } else { " no-clip" });
        }
        if self.stretches != before.stretches {
            out.push_str(if self.stretches { " stretch" } else { " no-stretch" });
        }
    }
}

fn write_position(out: &mut String, [x, y]: [i64; 2]) {
    out.push_str(" @");
    write_tenths(out, x);
    out.push(',');
    write_tenths(out, y);
}

fn write_size(out: &mut String, width: Side, height: Side) {
    out.push(' ');
    width.write(out, "");
    out.push('×');
    height.write(out, "");
}

fn write_short_size(out: &mut String, width: Side, height: Side) {
    if matches!(width, Side::Pixels(_)) && width == height {
        width.write(out, " size");
    } else {
        write_size(out, width, height);
    }
}

impl Side {
    /// Behind the letter of the side, or nothing: `w40`, `w-fill`, `40`.
    fn write(self, out: &mut String, letter: &str) {
        out.push_str(letter);
        if !letter.is_empty() && !matches!(self, Self::Pixels(_)) {
            out.push('-');
        }
        match self {
            Self::Unsaid => out.push_str("hug"),
            Self::Fill => out.push_str("fill"),
            Self::Pixels(tenths) => write_tenths(out, tenths),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_say_only_what_differs() {
        let box_at = |position, width, height| Place { position, width, height, ..Place::default() };
        let changes = |now: &Place, before: &Place| {
            let mut out = String::new();
            now.write_changes(before, &mut out);
            out
        };
        let first = Place {
            constraints: [Constraint::End, Constraint::Start],
            clips: true,
            ..box_at(Some([10, 20]), Side::Pixels(400), Side::Unsaid)
        };
        assert_eq!(changes(&first, &first), "");
        let moved = Place { position: Some([0, 0]), ..first.clone() };
        assert_eq!(changes(&moved, &first), " @0,0");
        let hugs = box_at(None, Side::Unsaid, Side::Unsaid);
        assert_eq!(changes(&hugs, &first), " in-flow w-hug pin-left,top no-clip");
        let covers = Place { covers: true, ..Place::default() };
        assert_eq!(changes(&covers, &hugs), " inset0");
        assert_eq!(changes(&hugs, &covers), " in-flow hug×hug");
        let fills = box_at(None, Side::Fill, Side::Pixels(125));
        assert_eq!(changes(&fills, &hugs), " fill×12.5");
        let square = box_at(None, Side::Pixels(125), Side::Pixels(125));
        assert_eq!(changes(&square, &hugs), " size12.5");
        let narrow = box_at(None, Side::Pixels(125), Side::Unsaid);
        assert_eq!(changes(&narrow, &hugs), " w12.5");
    }

    #[test]
    fn what_the_parent_says_is_not_said_again() {
        let fills = Place { width: Side::Fill, height: Side::Pixels(400), ..Place::default() };
        let stretched = Place { stretched: Some(Axis::Horizontal), ..fills.clone() };
        let text = |place: &Place| {
            let (mut alone, mut in_tree) = (String::new(), String::new());
            place.write(&mut alone);
            place.write_in_tree(&mut in_tree);
            (alone, in_tree)
        };
        assert_eq!(text(&fills), (" fill×40".to_owned(), " fill×40".to_owned()));
        assert_eq!(text(&stretched), (" fill×40".to_owned(), " h40".to_owned()));
        let changes = |now: &Place, before: &Place| {
            let mut out = String::new();
            now.write_changes(before, &mut out);
            out
        };
        let square = Place { width: Side::Pixels(400), ..fills.clone() };
        assert_eq!(text(&square), (" 40×40".to_owned(), " size40".to_owned()));
        // As the other one is nothing without its parent's word.
        assert_eq!(changes(&fills, &stretched), " w-fill");
        assert_eq!(changes(&stretched, &fills), "");
        assert_eq!(changes(&stretched, &stretched), "");
        let hugs = Place { width: Side::Unsaid, ..fills.clone() };
        assert_eq!(changes(&hugs, &stretched), " w-hug");
        assert_eq!(changes(&stretched, &hugs), " w-fill");
        let holds = Place { stretches: true, ..fills.clone() };
        assert_eq!(changes(&holds, &fills) + &changes(&fills, &holds), " stretch no-stretch");
    }
}
