//! The members of a node by their names, told apart once.

/// Makes a kind of member of each name.
macro_rules! members {
    ($($member:ident $name:literal)*) => {
        /// A member of a node that somebody asks for.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[repr(u8)]
        pub enum Member {
            /// Says nothing that others do not say, or nothing about the design.
            Silent,
            /// This version does not know it.
            Unknown,
            $(#[doc = concat!("`", $name, "`")] $member,)*
        }

        const NAMES: &[(&str, Member)] = &[$(($name, Member::$member),)*];
    };
}

members! {
    Id "id"
    Name "name"
    Type "type"
    Visible "visible"
    Fills "fills"
    Strokes "strokes"
    BackgroundColor "backgroundColor"
    Effects "effects"
    Styles "styles"
    BoundVariables "boundVariables"
    ComponentId "componentId"
    ComponentProperties "componentProperties"
    ComponentPropertyDefinitions "componentPropertyDefinitions"
    ComponentPropertyReferences "componentPropertyReferences"
    Overrides "overrides"
    ExposedInstances "exposedInstances"
    Interactions "interactions"
    TransitionNodeId "transitionNodeID"
    FlowStartingPoints "flowStartingPoints"
    PrototypeDevice "prototypeDevice"
    PrototypeStartNodeId "prototypeStartNodeID"
    Characters "characters"
    Style "style"
    CharacterStyleOverrides "characterStyleOverrides"
    StyleOverrideTable "styleOverrideTable"
    FillOverrideTable "fillOverrideTable"
    LineTypes "lineTypes"
    LineIndentations "lineIndentations"
    StrokeWeight "strokeWeight"
    IndividualStrokeWeights "individualStrokeWeights"
    StrokeAlign "strokeAlign"
    StrokeDashes "strokeDashes"
    StrokeCap "strokeCap"
    StrokeJoin "strokeJoin"
    ComplexStrokeProperties "complexStrokeProperties"
    CornerRadius "cornerRadius"
    RectangleCornerRadii "rectangleCornerRadii"
    CornerSmoothing "cornerSmoothing"
    IsMask "isMask"
    MaskType "maskType"
    Opacity "opacity"
    BlendMode "blendMode"
    Rotation "rotation"
    BooleanOperation "booleanOperation"
    ShapeType "shapeType"
    ArcData "arcData"
    SectionContentsHidden "sectionContentsHidden"
    ConnectorStart "connectorStart"
    ConnectorEnd "connectorEnd"
    ConnectorStartStrokeCap "connectorStartStrokeCap"
    ConnectorEndStrokeCap "connectorEndStrokeCap"
    ConnectorLineType "connectorLineType"
    DevStatus "devStatus"
    Annotations "annotations"
    Measurements "measurements"
    ExportSettings "exportSettings"
    ExplicitVariableModes "explicitVariableModes"
    LayoutGrids "layoutGrids"
    AbsoluteBoundingBox "absoluteBoundingBox"
    LayoutMode "layoutMode"
    LayoutSizingHorizontal "layoutSizingHorizontal"
    LayoutSizingVertical "layoutSizingVertical"
    LayoutPositioning "layoutPositioning"
    ClipsContent "clipsContent"
    Constraints "constraints"
    PaddingTop "paddingTop"
    PaddingRight "paddingRight"
    PaddingBottom "paddingBottom"
    PaddingLeft "paddingLeft"
    ItemSpacing "itemSpacing"
    CounterAxisSpacing "counterAxisSpacing"
    PrimaryAxisAlignItems "primaryAxisAlignItems"
    CounterAxisAlignItems "counterAxisAlignItems"
    LayoutWrap "layoutWrap"
    CounterAxisAlignContent "counterAxisAlignContent"
    ItemReverseZIndex "itemReverseZIndex"
    StrokesIncludedInLayout "strokesIncludedInLayout"
    PrimaryAxisSizingMode "primaryAxisSizingMode"
    CounterAxisSizingMode "counterAxisSizingMode"
    LayoutGrow "layoutGrow"
    LayoutAlign "layoutAlign"
    MinWidth "minWidth"
    MaxWidth "maxWidth"
    MinHeight "minHeight"
    MaxHeight "maxHeight"
    TargetAspectRatio "targetAspectRatio"
    GridColumnCount "gridColumnCount"
    GridRowCount "gridRowCount"
    GridColumnGap "gridColumnGap"
    GridRowGap "gridRowGap"
    GridColumnsSizing "gridColumnsSizing"
    GridRowsSizing "gridRowsSizing"
    GridRowAnchorIndex "gridRowAnchorIndex"
    GridColumnAnchorIndex "gridColumnAnchorIndex"
    GridRowSpan "gridRowSpan"
    GridColumnSpan "gridColumnSpan"
    GridChildHorizontalAlign "gridChildHorizontalAlign"
    GridChildVerticalAlign "gridChildVerticalAlign"
    OverflowDirection "overflowDirection"
    ScrollBehavior "scrollBehavior"
    IsFixed "isFixed"
}

/// The names of those that are [`Member::Silent`].
const SILENT: &[&str] = &[
    "background",
    "absoluteRenderBounds",
    "fillGeometry",
    "strokeGeometry",
    "size",
    "relativeTransform",
    "layoutVersion",
    "locked",
    "preserveRatio",
    "strokeMiterAngle",
    "transitionDuration",
    "transitionEasing",
    "uniformScaleFactor",
    "authorVisible",
    "gridAutoTracks",
    "gridItemsPositioning",
];

/// Four times as many as there are names, so that nearly all are found where they are looked for first.
const PLACES: usize = 512;
static TABLE: [(&str, Member); PLACES] = table();

/// Where a name is looked for first.
const fn place(name: &[u8]) -> usize {
    match name {
        [first, .., last] => (name.len() * 23 + *first as usize * 37 + *last as usize * 45) % PLACES,
        _ => 0,
    }
}

#[expect(clippy::indexing_slicing, reason = "a constant that is out of bounds does not compile")]
const fn table() -> [(&'static str, Member); PLACES] {
    let mut table = [("", Member::Unknown); PLACES];
    let mut number = 0;
    while number < NAMES.len() + SILENT.len() {
        let entry =
            if number < NAMES.len() { NAMES[number] } else { (SILENT[number - NAMES.len()], Member::Silent) };
        let mut at = place(entry.0.as_bytes());
        while !table[at].0.is_empty() {
            at = (at + 1) % PLACES;
        }
        table[at] = entry;
        number += 1;
    }
    table
}

impl Member {
    /// By its name in Figma's answers.
    #[must_use]
    pub fn of(name: &[u8]) -> Self {
        let mut at = place(name);
        while let Some((known, member)) = TABLE.get(at)
            && !known.is_empty()
        {
            if known.as_bytes() == name {
                return *member;
            }
            at = (at + 1) % PLACES;
        }
        Self::Unknown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_found_and_no_other() {
        for (name, member) in NAMES {
            assert_eq!(Member::of(name.as_bytes()), *member, "{name}");
            assert_eq!(Member::of(&name.as_bytes()[1..]), Member::Unknown, "{name}");
            assert_eq!(Member::of(format!("{name}_").as_bytes()), Member::Unknown, "{name}");
        }
        for name in SILENT {
            assert_eq!(Member::of(name.as_bytes()), Member::Silent, "{name}");
        }
        for name in ["", "x", "Id", "paddingTap", "\u{e9}"] {
            assert_eq!(Member::of(name.as_bytes()), Member::Unknown, "{name}");
        }
    }
}
