//! What a search asks for.

use std::collections::HashMap;

use crate::design::{fold::Needle, pieces::Area};

/// Where a query is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Field {
    /// The layer's name, or its id.
    Name,
    /// What a text says.
    Text,
    /// The component that an instance is of.
    Component,
    /// The styles that it uses.
    Style,
    /// The variables that it is bound to.
    Variable,
}

impl Field {
    /// Every field, in the order in which hits are ranked.
    pub const ALL: [Self; 5] = [Self::Name, Self::Text, Self::Component, Self::Style, Self::Variable];

    /// The field of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.name() == name)
    }

    /// As it is written in arguments.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Text => "text",
            Self::Component => "component",
            Self::Style => "style",
            Self::Variable => "variable",
        }
    }
}

/// What is asked for: what is given has to be true of a node all together.
#[derive(Debug, Clone, Default)]
pub struct Question {
    /// Looked for in [`Question::fields`].
    pub query: Option<Needle>,
    /// Where; nowhere means everywhere.
    pub fields: Vec<Field>,
    /// The node's type, such as `TEXT`.
    pub kind: Option<String>,
    /// The page's name or id.
    pub page: Option<Needle>,
    /// The name, id or key of the component or set that an instance is of.
    pub component: Option<Needle>,
    /// The name, id or key of a style that is used.
    pub style: Option<Needle>,
    /// The name or id of a variable that is bound.
    pub variable: Option<Needle>,
    /// Its size.
    pub size: Option<Size>,
    /// Its dev status, as Figma writes it.
    pub dev_status: Option<&'static str>,
    /// What variables are called, by their ids.
    pub variables: HashMap<String, String>,
    /// How many hits to leave out.
    pub offset: usize,
    /// How many hits to show.
    pub limit: usize,
}

impl Question {
    pub(super) fn looks_in(&self, field: Field) -> bool {
        self.query.is_some() && (self.fields.is_empty() || self.fields.contains(&field))
    }
}

/// A range of widths and heights.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Size {
    width: (f64, f64),
    height: (f64, f64),
}

impl Size {
    /// `390x844`, `300-400x*`: each a number, a range, or anything.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (width, height) = text.split_once(['x', '×', 'X'])?;
        Some(Self { width: range(width)?, height: range(height)? })
    }

    /// A pixel's fraction is no difference.
    pub(super) fn holds(&self, area: &Area) -> bool {
        let is_in = |(least, most): (f64, f64), length: f64| length > least - 0.5 && length < most + 0.5;
        is_in(self.width, area.width) && is_in(self.height, area.height)
    }
}

fn range(text: &str) -> Option<(f64, f64)> {
    let number =
        |text: &str| text.trim().parse::<f64>().ok().filter(|number| number.is_finite() && *number >= 0.0);
    match text.trim() {
        "*" | "" => Some((0.0, f64::INFINITY)),
        text => match text.split_once(['-', '–']) {
            None => number(text).map(|number| (number, number)),
            Some((least, most)) => {
                let least = if least.trim().is_empty() { 0.0 } else { number(least)? };
                let most = if most.trim().is_empty() { f64::INFINITY } else { number(most)? };
                (least <= most).then_some((least, most))
            }
        },
    }
}
