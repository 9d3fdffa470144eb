//! The sample's files as they are kept: without what most nodes share. Here it is put back, so that a
//! node is what Figma sends.

use serde_json::{Map, Value, json};

/// A file of the sample with every node complete.
pub(super) fn complete(mut file: Value) -> Value {
    let styles = file.as_object_mut().and_then(|fields| fields.remove("textStyles")).unwrap_or_default();
    if let Some(document) = file.get_mut("document") {
        complete_node(document, &styles);
    }
    file
}

fn complete_node(node: &mut Value, styles: &Value) {
    let Some(fields) = node.as_object_mut() else { return };
    fields.entry("scrollBehavior").or_insert(json!("SCROLLS"));
    let kind = fields.get("type").and_then(Value::as_str).unwrap_or_default().to_owned();
    if kind != "DOCUMENT" && kind != "CANVAS" {
        complete_shape(fields);
    }
    if kind == "TEXT" {
        complete_text(fields, styles);
    }
    for child in fields.get_mut("children").and_then(Value::as_array_mut).into_iter().flatten() {
        complete_node(child, styles);
    }
}

fn complete_shape(fields: &mut Map<String, Value>) {
    let bounds = fields.get("absoluteBoundingBox").cloned().unwrap_or_default();
    let usual = [
        ("blendMode", json!("PASS_THROUGH")),
        ("strokes", json!([])),
        ("strokeWeight", json!(1)),
        ("strokeAlign", json!("INSIDE")),
        ("absoluteRenderBounds", bounds),
        ("constraints", json!({ "vertical": "TOP", "horizontal": "LEFT" })),
        ("effects", json!([])),
        ("interactions", json!([])),
    ];
    for (name, value) in usual {
        fields.entry(name).or_insert(value);
    }
    for name in ["fills", "strokes"] {
        for paint in fields.get_mut(name).and_then(Value::as_array_mut).into_iter().flatten() {
            if let Some(paint) = paint.as_object_mut() {
                paint.entry("blendMode").or_insert(json!("NORMAL"));
            }
        }
    }
}

/// A text's style is kept by name; each of its lines is a plain one.
fn complete_text(fields: &mut Map<String, Value>, styles: &Value) {
    if let Some(style) = fields.get("style").and_then(Value::as_str).and_then(|name| styles.get(name)) {
        fields.insert("style".to_owned(), style.clone());
    }
    let lines = fields.get("characters").and_then(Value::as_str).unwrap_or_default().lines().count();
    fields.insert("characterStyleOverrides".to_owned(), json!([]));
    fields.insert("styleOverrideTable".to_owned(), json!({}));
    fields.insert("lineTypes".to_owned(), json!(vec!["NONE"; lines]));
    fields.insert("lineIndentations".to_owned(), json!(vec![0; lines]));
}
