//! Components: properties, definitions, what refers to them, what an instance overrides.

use std::{collections::BTreeSet, fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, Visitor},
};
use serde_json::Value;

use super::{
    model::{COMPONENT, Component, END},
    paint::clean,
    raw,
    variables::Bound,
    words,
};

/// A JSON object's entries in their order.
struct Entries<T>(Vec<(String, T)>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Entries<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Reader<T> {
            type Value = Entries<T>;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entries<T>, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Entries(entries))
            }
        }
        deserializer.deserialize_map(Reader(PhantomData))
    }
}

/// A property's value or definition. Its preferred values can be most of an answer: they are only
/// counted.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[derive(Default)]
struct Property {
    r#type: String,
    value: Value,
    default_value: Value,
    variant_options: Vec<String>,
    bound_variables: Value,
    preferred_values: Vec<IgnoredAny>,
}

/// `componentProperties`: `{Size=Large, Label="Log in", Icon=icon/arrow, Show icon=true}`.
pub(super) fn properties(raw: &[u8]) -> String {
    let Ok(Entries(entries)) = serde_json::from_slice::<Entries<Property>>(raw) else { return String::new() };
    let shown: Vec<String> = entries
        .iter()
        .map(|(name, property)| {
            let bound = Bound::of(&property.bound_variables);
            let value = property_value(&property.r#type, &property.value);
            format!("{}={value}{}", property_name(name), bound.mark("value"))
        })
        .collect();
    if shown.is_empty() { String::new() } else { format!("{{{}}}", shown.join(", ")) }
}

fn property_value(kind: &str, value: &Value) -> String {
    match value {
        Value::String(id) if kind == "INSTANCE_SWAP" => format!("{COMPONENT}{}{END}", clean(id)),
        Value::String(text) if kind == "VARIANT" => words::name(text),
        Value::String(text) => words::quoted(text),
        other => super::paint::other(other),
    }
}

/// A property's name without the id that Figma puts behind it.
fn property_name(name: &str) -> String {
    words::name(name.rsplit_once('#').map_or(name, |(name, _)| name))
}

/// `componentPropertyDefinitions`: `props{Size: Small|Large, Label: text "Log in", Icon: swap icon/arrow}`.
pub(super) fn definitions(raw: &[u8]) -> String {
    let Ok(Entries(entries)) = serde_json::from_slice::<Entries<Property>>(raw) else { return String::new() };
    let shown: Vec<String> = entries
        .iter()
        .map(|(name, property)| {
            let value = property_value(&property.r#type, &property.default_value);
            let said = match property.r#type.as_str() {
                "VARIANT" => {
                    let options: Vec<String> =
                        property.variant_options.iter().map(|option| words::name(option)).collect();
                    match property.variant_options.first().map(|first| words::name(first)) {
                        Some(first) if first != value => format!("{} (default {value})", options.join("|")),
                        _ => options.join("|"),
                    }
                }
                "BOOLEAN" => value,
                "TEXT" => format!("text {value}"),
                "INSTANCE_SWAP" => format!("swap {value}"),
                kind => format!("{} {value}", words::name(&words::lower(kind))),
            };
            let preferred = match property.preferred_values.len() {
                0 => String::new(),
                count => format!(" ({count} preferred)"),
            };
            format!("{}: {said}{preferred}", property_name(name))
        })
        .collect();
    if shown.is_empty() { String::new() } else { format!("props{{{}}}", shown.join(", ")) }
}

/// `componentPropertyReferences`: which property rules which side of a layer: `Label`, `show Icon`.
pub(super) fn references(raw: &[u8]) -> String {
    let Ok(Entries(entries)) = serde_json::from_slice::<Entries<String>>(raw) else { return String::new() };
    let shown: Vec<String> = entries
        .iter()
        .map(|(side, name)| match side.as_str() {
            "characters" => property_name(name),
            "visible" => format!("show:{}", property_name(name)),
            "mainComponent" => format!("swap:{}", property_name(name)),
            side => format!("{}:{}", words::name(side), property_name(name)),
        })
        .collect();
    shown.join(",")
}

/// `overrides`: what differs from the main component, each kind of difference once.
pub(super) fn overrides(raw: &[u8]) -> String {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Override {
        #[serde(default)]
        overridden_fields: Vec<String>,
    }
    let Ok(list) = serde_json::from_slice::<Vec<Override>>(raw) else { return String::new() };
    let fields = list.iter().flat_map(|one| &one.overridden_fields).filter_map(|field| overridden(field));
    let shown: BTreeSet<String> = fields.map(words::name).collect();
    let shown: Vec<String> = shown.into_iter().collect();
    if shown.is_empty() { String::new() } else { format!("overrides({})", shown.join(",")) }
}

/// The name of an overridden side, or nothing where it only goes with another or changes no look.
fn overridden(field: &str) -> Option<&str> {
    match field {
        "name"
        | "preserveRatio"
        | "inheritFillStyleId"
        | "inheritTextStyleId"
        | "inheritStrokeStyleId"
        | "inheritEffectStyleId"
        | "inheritFillStyleIdForStroke"
        | "inheritFillStyleIdForBackground"
        | "lineTypes"
        | "lineIndentations"
        | "styleOverrideTable"
        | "characterStyleOverrides"
        | "pluginData"
        | "sharedPluginData"
        | "locked"
        | "layoutVersion"
        | "exportSettings"
        | "boundVariables"
        | "parentIndex"
        | "transitionNodeID"
        | "transitionDuration"
        | "transitionEasing"
        | "openTypeFlags"
        | "individualStrokeWeights"
        | "strokesIncludedInLayout"
        | "isFixed"
        | "inheritGridStyleId"
        | "targetAspectRatio"
        | "fillGeometry"
        | "strokeGeometry" => None,
        "characters" => Some("text"),
        "width"
        | "height"
        | "layoutSizingHorizontal"
        | "layoutSizingVertical"
        | "primaryAxisSizingMode"
        | "counterAxisSizingMode"
        | "size"
        | "layoutGrow"
        | "layoutAlign"
        | "textAutoResize" => Some("size"),
        "componentProperties" => Some("properties"),
        "fontSize"
        | "fontName"
        | "fontFamily"
        | "fontWeight"
        | "fontStyle"
        | "letterSpacing"
        | "lineHeight"
        | "lineHeightPx"
        | "lineHeightUnit"
        | "lineHeightPercent"
        | "fontPostScriptName"
        | "lineHeightPercentFontSize"
        | "italic"
        | "style" => Some("font"),
        "cornerRadius"
        | "topLeftRadius"
        | "topRightRadius"
        | "bottomLeftRadius"
        | "bottomRightRadius"
        | "rectangleCornerRadii"
        | "cornerSmoothing" => Some("radius"),
        "paddingTop" | "paddingRight" | "paddingBottom" | "paddingLeft" | "itemSpacing"
        | "counterAxisSpacing" => Some("spacing"),
        "textAlignVertical" | "textAlignHorizontal" => Some("text-align"),
        "reactions" | "prototypeInteractions" | "interactions" => Some("interactions"),
        field => Some(field),
    }
}

/// `exposedInstances`: whose properties show on this instance.
pub(super) fn exposed(raw: &[u8]) -> String {
    let ids: Vec<String> = serde_json::from_slice(raw).unwrap_or_default();
    let ids: Vec<String> = ids.iter().map(|id| clean(id)).collect();
    format!("exposes({})", ids.join(","))
}

/// An entry of `components` or `componentSets`.
pub(super) fn entry(value: &Value) -> Component {
    let own = |name| raw::text(value, name).unwrap_or_default().to_owned();
    Component {
        name: own("name"),
        description: own("description"),
        set: raw::text(value, "componentSetId").map(str::to_owned),
        links: raw::list(value, "documentationLinks")
            .iter()
            .filter_map(|link| raw::text(link, "uri"))
            .map(str::to_owned)
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn bytes(value: &Value) -> Vec<u8> {
        serde_json::to_vec(value).unwrap()
    }

    #[test]
    fn all_four_kinds_of_property_are_said() {
        let given = json!({
            "Size": { "type": "VARIANT", "value": "Large", "boundVariables": {} },
            "Label#1:2": { "type": "TEXT", "value": "Log \"in\"" },
            "Show icon#1:3": { "type": "BOOLEAN", "value": true,
                "boundVariables": { "value": { "type": "VARIABLE_ALIAS", "id": "VariableID:4:5" } } },
            "Icon#1:4": { "type": "INSTANCE_SWAP", "value": "30:15", "preferredValues": [{ "type": "COMPONENT", "key": "x" }] },
        });
        assert_eq!(
            properties(&bytes(&given)),
            "{Size=Large, Label=\"Log \\\"in\\\"\", Show icon=true\u{1}VariableID:4:5\u{2}, Icon=\u{3}30:15\u{2}}"
        );
        assert_eq!(properties(b"{}"), "");
    }

    #[test]
    fn definitions_say_their_defaults() {
        let given = json!({
            "Size": { "type": "VARIANT", "defaultValue": "Large", "variantOptions": ["Small", "Large"] },
            "State": { "type": "VARIANT", "defaultValue": "Off", "variantOptions": ["Off", "On"] },
            "Label#1:2": { "type": "TEXT", "defaultValue": "Button" },
            "Show#1:3": { "type": "BOOLEAN", "defaultValue": false },
            "Icon#1:4": { "type": "INSTANCE_SWAP", "defaultValue": "30:15", "preferredValues": [{}, {}] },
        });
        assert_eq!(
            definitions(&bytes(&given)),
            "props{Size: Small|Large (default Large), State: Off|On, Label: text \"Button\", Show: false, Icon: swap \u{3}30:15\u{2} (2 preferred)}"
        );
    }

    #[test]
    fn overrides_are_said_by_kind() {
        let given = json!([
            { "id": "1:2", "overriddenFields": ["name", "width"] },
            { "id": "I1:2;3:4", "overriddenFields": ["characters", "lineTypes", "fills"] },
            { "id": "I1:2;3:5", "overriddenFields": ["characters"] },
        ]);
        assert_eq!(overrides(&bytes(&given)), "overrides(fills,size,text)");
    }

    #[test]
    fn references_name_their_property() {
        assert_eq!(
            references(br#"{"characters":"Name#30:4","visible":"Show tag#30:3"}"#),
            "Name,show:Show tag"
        );
    }
}
