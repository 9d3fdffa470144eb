//! What a text tree has to explain: each sign once, and only where it occurs.

/// What occurs in a description and has to be explained once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Term {
    Id,
    InnerId,
    Size,
    Position,
    Inset,
    Stroke,
    Layout,
    Name,
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
    /// The words of the legend.
    pub(super) const fn explained(self) -> &'static str {
        match self {
            Self::Id => "#7 under #2:5 = 2:7",
            Self::InnerId => "#30:4 in instance #2:5 = I2:5;30:4",
            Self::Size => "w×h, none = hug",
            Self::Position => "@x,y in parent",
            Self::Inset => "inset0 = covers parent ±1px",
            Self::Stroke => "strokes 1px inside (shapes centred, texts outside)",
            Self::Layout => "row/column = flex, start-aligned; centered = on both axes",
            Self::Name => "$n: listed below",
            Self::Same => "=Tn: as Tn with these texts (= same) and changes",
            Self::Difference => "~#id: changes to that node of it",
            Self::Added => "+before #id, +last: layer added there",
            Self::Missing => "-#id: without that layer",
            Self::Moved => "~#id before #x: moved there",
            Self::Instance => "<component>: instance",
            Self::Drawing => "svg/vector: get with figma_file_images_render format svg",
            Self::Variable => "value@variable",
            Self::Inferred => "@~ = inferred variable name",
            Self::Blur => "blur(n) = CSS blur n/2",
            Self::Run => "‹n …› has style n",
            Self::Reference => "←property that sets it",
            Self::Folded => "+n folded: call again with that id in node_ids",
            Self::Hidden => "(n hidden): hidden:true shows them",
        }
    }
}
