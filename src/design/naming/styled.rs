//! The styles that nodes use, with the values that they have there.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    official::{hex, number_text},
    open::OpenNodes,
};
use crate::{
    design::pieces::{self, Beside},
    walk::{Flow, Member, Visitor},
};

/// How many parts of a paint or effect are told.
const MOST_PARTS: usize = 6;

/// Collects the styles of what is walked.
#[derive(Debug, Default)]
pub struct Styled {
    nodes: OpenNodes<Value>,
    /// The value of each style, by the style's id.
    pub found: BTreeMap<String, String>,
    /// What the file says beside its tree.
    pub beside: Beside,
}

impl Visitor for Styled {
    fn open(&mut self, _at: u64) {
        self.nodes.open();
    }

    fn member(&mut self, _member: Member, key: &[u8], value: &[u8]) -> Flow {
        self.nodes.member(key, pieces::read(value));
        Flow::Continue
    }

    fn close(&mut self, _end: u64) {
        let members = self.nodes.close();
        let node = Value::Object(members.into_iter().collect());
        for (property, id) in node.get("styles").and_then(Value::as_object).into_iter().flatten() {
            let value = match property.trim_end_matches('s') {
                "fill" => list(&node, "fills", paint),
                "stroke" => list(&node, "strokes", paint),
                "effect" => list(&node, "effects", effect),
                "text" => node.get("style").map(font).unwrap_or_default(),
                _ => String::new(),
            };
            self.note(id, value);
        }
        // Runs of a text that look otherwise than the rest of it.
        let runs = node.get("styleOverrideTable").and_then(Value::as_object);
        for run in runs.into_iter().flatten().map(|(_, run)| run) {
            run.get("inheritTextStyleId").into_iter().for_each(|id| self.note(id, font(run)));
            run.get("inheritFillStyleId").into_iter().for_each(|id| self.note(id, list(run, "fills", paint)));
        }
    }

    fn beside(&mut self, _entry: Option<&str>, key: &[u8], value: &[u8]) {
        self.beside.member(key, value);
    }

    fn wants(&self, member: Member, _key: &[u8]) -> bool {
        matches!(
            member,
            Member::Styles
                | Member::Fills
                | Member::Strokes
                | Member::Effects
                | Member::Style
                | Member::StyleOverrideTable
        )
    }

    fn wants_beside(&self, key: &[u8]) -> bool {
        Beside::wants(key)
    }
}

impl Styled {
    /// The first value that says something stays.
    fn note(&mut self, id: &Value, value: String) {
        let Some(id) = id.as_str() else { return };
        let known = self.found.entry(id.to_owned()).or_default();
        if known.is_empty() {
            *known = value;
        }
    }

    /// Name and value of each style.
    pub fn named(&self) -> impl Iterator<Item = (&str, &str)> {
        let name = |id: &str| self.beside.styles.get(id).map(|style| style.name.as_str());
        self.found.iter().filter_map(move |(id, value)| Some((name(id)?, value.as_str())))
    }
}

fn list(node: &Value, name: &str, one: fn(&Value) -> String) -> String {
    let items: Vec<&Value> = node.get(name).and_then(Value::as_array).into_iter().flatten().collect();
    let shown: Vec<String> = items.iter().take(MOST_PARTS).map(|item| one(item)).collect();
    shown.join(", ")
}

fn paint(paint: &Value) -> String {
    let opacity = paint.get("opacity").and_then(Value::as_f64).filter(|opacity| *opacity < 1.0);
    let kind = paint.get("type").and_then(Value::as_str).unwrap_or_default();
    let mut text = match (paint.get("color"), paint.get("gradientStops").and_then(Value::as_array)) {
        (Some(colour), _) => hex(colour),
        (None, Some(stops)) => {
            let stop = |stop: &Value| stop.get("color").map(hex).unwrap_or_default();
            let stops: Vec<String> = stops.iter().take(MOST_PARTS).map(stop).collect();
            format!("{kind}({})", stops.join(", "))
        }
        (None, None) => kind.to_owned(),
    };
    if let Some(opacity) = opacity {
        text += &format!(" at {}", number_text(opacity));
    }
    text
}

fn font(style: &Value) -> String {
    let mut parts = Vec::new();
    let mut add = |label: &str, value: Option<String>| {
        parts.extend(value.map(|value| format!("{label}: {value}")));
    };
    let text = |name: &str| style.get(name).and_then(Value::as_str).map(|text| format!("\"{text}\""));
    let number = |name: &str| style.get(name).and_then(Value::as_f64).map(number_text);
    add("family", text("fontFamily"));
    add("style", style.get("fontStyle").and_then(Value::as_str).map(str::to_owned));
    add("size", number("fontSize"));
    add("weight", number("fontWeight"));
    add("lineHeight", number("lineHeightPx"));
    add("letterSpacing", number("letterSpacing").filter(|spacing| spacing != "0"));
    if parts.is_empty() { String::new() } else { format!("Font({})", parts.join(", ")) }
}

fn effect(effect: &Value) -> String {
    let number = |pointer: &str| effect.pointer(pointer).and_then(Value::as_f64).map(number_text);
    let mut parts = vec![format!("type: {}", effect.get("type").and_then(Value::as_str).unwrap_or("?"))];
    parts.extend(effect.get("color").map(|colour| format!("color: {}", hex(colour))));
    if let (Some(x), Some(y)) = (number("/offset/x"), number("/offset/y")) {
        parts.push(format!("offset: ({x}, {y})"));
    }
    for name in ["radius", "spread"] {
        parts.extend(number(&format!("/{name}")).map(|value| format!("{name}: {value}")));
    }
    format!("Effect({})", parts.join(", "))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_style_has_its_name_and_its_value() {
        let black = json!({ "r": 0, "g": 0, "b": 0, "a": 0.5 });
        let answer = json!({ "nodes": { "1:1": {
            "document": { "id": "1:1", "type": "TEXT",
                "styles": { "fill": "9:1", "text": "9:2", "effects": "9:3", "grid": "9:4", "stroke": "9:6" },
                "fills": [{ "type": "SOLID", "color": { "r": 1, "g": 0, "b": 0, "a": 1 }, "opacity": 0.5 }],
                "strokes": [{ "type": "GRADIENT_LINEAR", "gradientStops": [{ "color": black }, { "color": black }] }],
                "effects": [{ "type": "DROP_SHADOW", "color": black, "offset": { "x": 0, "y": 4 }, "radius": 8 }],
                "style": { "fontFamily": "Inter", "fontStyle": "Bold", "fontSize": 16.0, "fontWeight": 700, "lineHeightPx": 24 },
                "styleOverrideTable": { "1": { "inheritTextStyleId": "9:5", "fontSize": 12 } } },
            "styles": { "9:1": { "name": "Red" }, "9:2": { "name": "Body" }, "9:3": { "name": "Shadow" },
                "9:4": { "name": "Grid" }, "9:5": { "name": "Small" }, "9:6": { "name": "Fade" }, "9:7": { "name": "Unused" } },
        } } });
        let mut walker = crate::walk::Walker::new(Styled::default());
        walker.push(answer.to_string().as_bytes()).unwrap();
        let styled = walker.finish().unwrap();
        assert_eq!(
            styled.named().collect::<Vec<_>>(),
            [
                ("Red", "#FF0000 at 0.5"),
                ("Body", "Font(family: \"Inter\", style: Bold, size: 16, weight: 700, lineHeight: 24)"),
                ("Shadow", "Effect(type: DROP_SHADOW, color: #00000080, offset: (0, 4), radius: 8)"),
                ("Grid", ""),
                ("Small", "Font(size: 12)"),
                ("Fade", "GRADIENT_LINEAR(#00000080, #00000080)"),
            ]
        );
    }
}
