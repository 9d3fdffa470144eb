//! What a text tree has to explain: each sign once, and only where it occurs.

use std::collections::BTreeSet;

use super::{model::Kind, paint};

/// What occurs in a description and has to be explained once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Term {
    Id,
    InnerId,
    NextId,
    Size,
    Position,
    Stroke,
    ShapeStroke,
    TextStroke,
    Layout,
    Stretch,
    Same,
    Difference,
    Added,
    Missing,
    Moved,
    Instance,
    Drawing,
    Variable,
    Inferred,
    Blur,
    Run,
    Reference,
    Folded,
    Hidden,
}

impl Term {
    /// How strokes of this kind of node are drawn when nothing else is said.
    pub(super) fn stroke(kind: Kind) -> Self {
        match paint::usual_stroke(kind) {
            "center" => Self::ShapeStroke,
            "outside" => Self::TextStroke,
            _ => Self::Stroke,
        }
    }

    /// Whether another one of these says it too.
    pub(super) fn is_explained_by(self, terms: &BTreeSet<Self>) -> bool {
        match self {
            Self::Size => terms.contains(&Self::Layout),
            Self::Instance => terms.contains(&Self::InnerId),
            _ => false,
        }
    }

    /// The words of the legend.
    pub(super) const fn explained(self) -> &'static str {
        match self {
            Self::Id => "#7 under #2:5 = 2:7",
            Self::InnerId => "#3:4 in <instance> #2:5 = I2:5;3:4",
            Self::NextId => "no # = id of node before + 1",
            Self::Size => "unsaid: hug",
            Self::Position => "@x,y in parent",
            Self::Stroke => "strokes 1px inside",
            Self::ShapeStroke => "shape strokes 1px centred",
            Self::TextStroke => "text strokes 1px outside",
            Self::Layout => "unsaid: hug, align start",
            Self::Stretch => "stretch: children fill across",
            Self::Same => "=T1: T1 with these texts (= same)",
            Self::Difference => "~#7: changes in its layer …7",
            Self::Added => "+before #7, +last: layer added there",
            Self::Missing => "-#7: without it",
            Self::Moved => "~#7 before #3: moved there",
            Self::Instance => "<component>: instance",
            Self::Drawing => "svg/vector: figma_file_images_render svg",
            Self::Variable => "value@variable",
            Self::Inferred => "@~ = inferred variable name",
            Self::Blur => "blur(n) = CSS blur n/2",
            Self::Run => "‹n …› has style n",
            Self::Reference => "←property that sets it",
            Self::Hidden => "hidden:true shows hidden",
            Self::Folded => "+n folded: call again with that id in node_ids",
        }
    }
}
