//! Where variables are used, with the values that they have there and the styles that carry them.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    official::{hex, number_text},
    open::OpenNodes,
};
use crate::{
    design::pieces::{self, Beside},
    walk::{Flow, Visitor},
};

/// What is known of a variable from where it is used.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Use {
    /// How often it is bound.
    pub count: usize,
    /// To what: `color`, `space`, `radius` and the like, with how often.
    pub kinds: BTreeMap<&'static str, usize>,
    /// The values it has there, with how often.
    pub values: BTreeMap<String, usize>,
    /// The ids of styles on the same property, with how often.
    pub styles: BTreeMap<String, usize>,
}

/// Collects what is known of every variable in what is walked.
#[derive(Debug, Default)]
pub struct Uses {
    nodes: OpenNodes<Vec<u8>>,
    /// By the variable's id.
    pub found: BTreeMap<String, Use>,
    /// What the file says beside its tree.
    pub beside: Beside,
}

/// Members that can be bound, or say what a bound one is.
const MEMBERS: &[&str] = &[
    "boundVariables",
    "fills",
    "strokes",
    "effects",
    "styles",
    "style",
    "itemSpacing",
    "counterAxisSpacing",
    "paddingLeft",
    "paddingRight",
    "paddingTop",
    "paddingBottom",
    "gridRowGap",
    "gridColumnGap",
    "cornerRadius",
    "rectangleCornerRadii",
    "strokeWeight",
    "individualStrokeWeights",
    "opacity",
    "minWidth",
    "maxWidth",
    "minHeight",
    "maxHeight",
    "absoluteBoundingBox",
    "characters",
    "visible",
];

impl Visitor for Uses {
    fn open(&mut self, _at: u64) {
        self.nodes.open();
    }

    fn member(&mut self, key: &[u8], value: &[u8]) -> Flow {
        self.nodes.member(key, value.to_vec());
        Flow::Continue
    }

    fn close(&mut self, _end: u64) {
        let members = self.nodes.close();
        let is_bound = |value: &[u8]| memchr::memmem::find(value, b"VariableID:").is_some();
        if members.iter().any(|(_, value)| is_bound(value)) {
            let node = members.iter().map(|(key, value)| (key.clone(), pieces::read(value))).collect();
            self.node(&Value::Object(node));
        }
    }

    fn beside(&mut self, _entry: Option<&str>, key: &[u8], value: &[u8]) {
        self.beside.member(key, value);
    }

    fn wants(&self, key: &[u8]) -> bool {
        MEMBERS.iter().any(|member| member.as_bytes() == key)
    }

    fn wants_beside(&self, key: &[u8]) -> bool {
        Beside::wants(key)
    }
}

impl Uses {
    fn node(&mut self, node: &Value) {
        let style = |names: [&str; 2]| {
            names.iter().find_map(|name| node.get("styles")?.get(name)?.as_str().map(str::to_owned))
        };
        for (list, style) in [
            ("fills", style(["fill", "fills"])),
            ("strokes", style(["stroke", "strokes"])),
            ("effects", style(["effect", "effects"])),
        ] {
            for item in node.get(list).and_then(Value::as_array).into_iter().flatten() {
                for (field, bound) in
                    item.get("boundVariables").and_then(Value::as_object).into_iter().flatten()
                {
                    let value = item.get(field);
                    self.note(bound, field, value, style.as_ref());
                }
            }
        }
        for (field, bound) in node.get("boundVariables").and_then(Value::as_object).into_iter().flatten() {
            // The paints themselves say which of them is bound.
            if !matches!(field.as_str(), "fills" | "strokes" | "effects") {
                self.field(node, field, bound, style(["text", "text"]).as_ref());
            }
        }
    }

    /// A field of a node; its binding can be one alias, a list of them, or one for each side.
    fn field(&mut self, node: &Value, field: &str, bound: &Value, text_style: Option<&String>) {
        if bound.get("id").is_none() && bound.is_object() {
            for (side, bound) in bound.as_object().into_iter().flatten() {
                let name = if field == "size" { side.as_str() } else { field };
                self.field(node, name, bound, text_style);
            }
            return;
        }
        let aliases = bound.as_array().map_or_else(|| vec![bound], |list| list.iter().collect());
        let style = text_style.filter(|_| is_of_text(field));
        for alias in aliases {
            self.note(alias, field, value_of(node, field).as_ref(), style);
        }
    }

    fn note(&mut self, alias: &Value, field: &str, value: Option<&Value>, style: Option<&String>) {
        let Some(id) = alias.get("id").and_then(Value::as_str) else { return };
        let known = self.found.entry(id.to_owned()).or_default();
        known.count += 1;
        *known.kinds.entry(kind(field)).or_default() += 1;
        let value = value.and_then(|value| match value {
            Value::Number(number) => number.as_f64().map(number_text),
            Value::Object(_) => Some(hex(value)),
            Value::String(text) => Some(text.clone()),
            Value::Bool(is_true) => Some(is_true.to_string()),
            Value::Array(_) | Value::Null => None,
        });
        if let Some(value) = value {
            *known.values.entry(value).or_default() += 1;
        }
        if let Some(style) = style {
            *known.styles.entry(style.clone()).or_default() += 1;
        }
    }
}

fn is_of_text(field: &str) -> bool {
    field.starts_with("font")
        || matches!(field, "lineHeight" | "letterSpacing" | "paragraphSpacing" | "paragraphIndent")
}

/// The value that a field has on the node that it is bound on.
fn value_of(node: &Value, field: &str) -> Option<Value> {
    let of_style = |name: &str| node.get("style")?.get(name).cloned();
    match field {
        "x" | "width" => node.pointer("/absoluteBoundingBox/width").cloned(),
        "y" | "height" => node.pointer("/absoluteBoundingBox/height").cloned(),
        "rectangleCornerRadii"
        | "topLeftRadius"
        | "topRightRadius"
        | "bottomLeftRadius"
        | "bottomRightRadius" => {
            node.get("cornerRadius").or_else(|| node.pointer("/rectangleCornerRadii/0")).cloned()
        }
        "individualStrokeWeights" => node.get("strokeWeight").cloned(),
        "lineHeight" => of_style("lineHeightPx"),
        _ if is_of_text(field) => of_style(field),
        _ => node.get(field).cloned(),
    }
}

/// What a field is about, in a word.
fn kind(field: &str) -> &'static str {
    let is = |parts: &[&str]| parts.iter().any(|part| field.contains(part));
    match field {
        "color" => "color",
        "opacity" => "opacity",
        "visible" => "visible",
        "characters" => "text",
        "fontSize" => "font-size",
        "fontFamily" => "font-family",
        "fontStyle" | "fontWeight" => "font-weight",
        "lineHeight" => "line-height",
        "letterSpacing" => "letter-spacing",
        "x" | "y" | "width" | "height" | "minWidth" | "maxWidth" | "minHeight" | "maxHeight" => "size",
        _ if is(&["adius", "Radii"]) => "radius",
        _ if is(&["troke"]) => "stroke",
        _ if is(&["padding", "Spacing", "Gap"]) => "space",
        _ => "value",
    }
}
