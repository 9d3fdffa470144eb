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
    Instance,
    Drawing,
    Image,
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
            Self::Id => "#7 under #2:5 is node 2:7",
            Self::InnerId => "in an instance #2:5, #30:4 is I2:5;30:4",
            Self::Size => "sizes are w×h, none = hugs its content",
            Self::Position => "@x,y from the parent's corner",
            Self::Inset => "inset0 = covers its parent",
            Self::Stroke => "strokes are 1px inside (shapes: centred, text: outside) unless said",
            Self::Layout => "row/column/grid = auto layout, start-aligned unless said",
            Self::Name => "$n stands for what is listed",
            Self::Same => "=Tn repeats Tn with these texts in order (= unchanged)",
            Self::Difference => "~#id differs from that node of Tn",
            Self::Instance => "<Name id> is an instance of that component",
            Self::Drawing => "svg/vector = drawing: fetch its id with figma_file_images_render format svg",
            Self::Image => "image(ref crop x y w×h)",
            Self::Variable => "@ after a value = its variable",
            Self::Inferred => "@~ = inferred variable name",
            Self::Blur => "blur(n): CSS blur is n/2",
            Self::Run => "‹n …› has style n",
            Self::Reference => "← = set by that component property",
            Self::Folded => "+n = nodes left out: call again with that id in node_ids",
            Self::Hidden => "hidden = layers left out, hidden:true shows them",
        }
    }
}
