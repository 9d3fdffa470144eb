//! Names and values from Figma's own list of a file's variables.

use serde_json::{Map, Value};

use super::{Variable, Variables};
use crate::design::fold::quoted;

/// How many aliases may follow each other.
const LONGEST_CHAIN: usize = 16;

/// The variables in an answer of `/v1/files/{file_key}/variables/local`.
#[must_use]
pub fn official(answer: &Value) -> Variables {
    let map = |name: &str| {
        answer.pointer(&format!("/meta/{name}")).and_then(Value::as_object).cloned().unwrap_or_default()
    };
    let list = List { variables: map("variables"), collections: map("variableCollections") };
    let one = |(id, variable): (&String, &Value)| {
        let values = list.values(variable);
        let text = |member: &str| variable.get(member).and_then(Value::as_str);
        let (key, name) = (text("key").unwrap_or_default().to_owned(), text("name").unwrap_or(id).to_owned());
        (id.clone(), Variable { key, name, is_official: true, known_from: String::new(), values })
    };
    list.variables.iter().map(one).collect()
}

struct List {
    variables: Map<String, Value>,
    collections: Map<String, Value>,
}

impl List {
    /// The default mode first. One mode needs no name.
    fn values(&self, variable: &Value) -> Vec<(String, String)> {
        let by_mode = variable.get("valuesByMode").and_then(Value::as_object).cloned().unwrap_or_default();
        let collection = variable.get("variableCollectionId").and_then(Value::as_str);
        let collection = collection.and_then(|id| self.collections.get(id));
        let modes = collection.and_then(|collection| collection.get("modes")).and_then(Value::as_array);
        let is_default = |mode: &str| {
            collection.and_then(|one| one.get("defaultModeId")).and_then(Value::as_str) == Some(mode)
        };
        let name_of = |mode: &str| {
            let named = modes
                .into_iter()
                .flatten()
                .find(|one| one.get("modeId").and_then(Value::as_str) == Some(mode));
            named.and_then(|one| one.get("name")).and_then(Value::as_str).unwrap_or(mode).to_owned()
        };
        let mut values: Vec<(bool, String, String)> = by_mode
            .iter()
            .map(|(mode, value)| (!is_default(mode), name_of(mode), self.value(value)))
            .collect();
        // Modes keep the order that Figma gives them.
        values.sort_by_key(|(is_other, ..)| *is_other);
        let is_only = values.len() == 1;
        values
            .into_iter()
            .map(|(_, mode, value)| (if is_only { String::new() } else { mode }, value))
            .collect()
    }

    /// A value as it is written in code; an alias as what it leads to.
    fn value(&self, value: &Value) -> String {
        let mut chain: Vec<String> = Vec::new();
        let mut value = value.clone();
        while let Some(id) = value.get("id").and_then(Value::as_str) {
            let Some(target) = self.variables.get(id).filter(|_| chain.len() < LONGEST_CHAIN) else {
                chain.push(id.to_owned());
                return chain.join(" → ");
            };
            chain.push(target.get("name").and_then(Value::as_str).unwrap_or(id).to_owned());
            let collection = target.get("variableCollectionId").and_then(Value::as_str);
            let mode = collection.and_then(|id| self.collections.get(id)?.get("defaultModeId")?.as_str());
            let values = target.get("valuesByMode").and_then(Value::as_object);
            value = mode
                .and_then(|mode| values?.get(mode))
                .or_else(|| values?.values().next())
                .cloned()
                .unwrap_or_default();
        }
        let shown = shown(&value);
        if chain.is_empty() { shown } else { format!("{} → {shown}", chain.join(" → ")) }
    }
}

/// A value without its alias.
pub(super) fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => quoted(text, 80),
        Value::Number(number) => number_text(number.as_f64().unwrap_or_default()),
        Value::Bool(is_true) => is_true.to_string(),
        // A colour with an opacity of its own.
        Value::Object(fields) if fields.contains_key("color") => {
            let opacity = fields.get("opacity").map(shown).unwrap_or_default();
            format!("{} at {opacity}", fields.get("color").map(shown).unwrap_or_default())
        }
        Value::Object(_) => hex(value),
        Value::Array(_) | Value::Null => "?".to_owned(),
    }
}

/// `#1F6B45`, with the alpha behind it where it is not 1.
pub(super) fn hex(colour: &Value) -> String {
    let part = |name: &str, missing: f64| {
        let part = colour.get(name).and_then(Value::as_f64).unwrap_or(missing);
        // Between 0 and 255 after this, so nothing is lost.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
        let byte = (part.clamp(0.0, 1.0) * 255.0).round() as u8;
        byte
    };
    let text = format!("#{:02X}{:02X}{:02X}", part("r", 0.0), part("g", 0.0), part("b", 0.0));
    match part("a", 1.0) {
        255 => text,
        alpha => format!("{text}{alpha:02X}"),
    }
}

/// A number without digits that nobody wrote.
pub(super) fn number_text(number: f64) -> String {
    ((number * 1000.0).round() / 1000.0).to_string()
}
