//! Dev Mode: status, annotations, measurements, export settings. And what a page or a whiteboard says
//! of its own.

use serde_json::Value;

use super::{
    model::{END, NODE},
    paint::clean,
    raw, words,
};

/// `devStatus`: `ready-for-dev "Copy is final."`.
pub(super) fn status(status: &Value) -> String {
    let kind = raw::text(status, "type").unwrap_or("NONE");
    if kind == "NONE" {
        return String::new();
    }
    let mut out = words::lower(kind);
    if let Some(text) = raw::text(status, "description").filter(|text| !text.is_empty()) {
        out.push_str(&format!(" {}", words::quoted(text)));
    }
    out
}

/// `annotations`: `note "Opens the menu" (width, fills)`.
pub(super) fn annotations(list: &Value) -> String {
    let shown: Vec<String> = list
        .as_array()
        .map_or(&[][..], Vec::as_slice)
        .iter()
        .map(|note| {
            let text =
                raw::text(note, "labelMarkdown").or_else(|| raw::text(note, "label")).unwrap_or_default();
            let sides: Vec<String> = raw::list(note, "properties")
                .iter()
                .filter_map(|side| raw::text(side, "type").or_else(|| side.as_str()))
                .map(words::lower)
                .collect();
            let sides = if sides.is_empty() { String::new() } else { format!(" ({})", sides.join(", ")) };
            format!("note {}{sides}", words::quoted(text))
        })
        .collect();
    shown.join(" ")
}

/// `measurements`: `measure 1:2 right to 3:4 left "24"`.
pub(super) fn measurements(list: &Value) -> String {
    let shown: Vec<String> = list
        .as_array()
        .map_or(&[][..], Vec::as_slice)
        .iter()
        .map(|measurement| {
            let end = |name: &str| {
                let end = measurement.get(name).unwrap_or(&Value::Null);
                let node = raw::text(end, "nodeId").map_or_else(|| "?".to_owned(), clean);
                format!("{node} {}", words::lower(raw::text(end, "side").unwrap_or_default()))
            };
            let text = raw::text(measurement, "freeText").filter(|text| !text.is_empty());
            let text = text.map(|text| format!(" {}", words::quoted(text))).unwrap_or_default();
            format!("measure {} to {}{text}", end("start"), end("end"))
        })
        .collect();
    shown.join("; ")
}

/// `exportSettings`: `export png@2x,svg`.
pub(super) fn exports(list: &Value) -> String {
    let shown: Vec<String> = list
        .as_array()
        .map_or(&[][..], Vec::as_slice)
        .iter()
        .map(|setting| {
            let mut out = words::lower(raw::text(setting, "format").unwrap_or("png"));
            let constraint = setting.get("constraint").unwrap_or(&Value::Null);
            let value = raw::float(constraint, "value").unwrap_or(1.0);
            match raw::text(constraint, "type") {
                Some("WIDTH") => out.push_str(&format!("@{value}w")),
                Some("HEIGHT") => out.push_str(&format!("@{value}h")),
                _ if (value - 1.0).abs() > 1e-6 => out.push_str(&format!("@{value}x")),
                _ => {}
            }
            if let Some(suffix) = raw::text(setting, "suffix").filter(|suffix| !suffix.is_empty()) {
                out.push_str(&format!(" suffix {}", words::quoted(suffix)));
            }
            out
        })
        .collect();
    if shown.is_empty() { String::new() } else { format!("export {}", shown.join(",")) }
}

/// `prototypeDevice`: nothing where none is chosen.
pub(super) fn device(device: &Value) -> String {
    let kind = raw::text(device, "type").unwrap_or("NONE");
    if kind == "NONE" {
        return String::new();
    }
    let model = raw::text(device, "presetIdentifier").map_or_else(|| words::lower(kind), words::name);
    let size = device.get("size").map_or_else(String::new, |size| {
        format!(" {}×{}", raw::float(size, "width").unwrap_or(0.0), raw::float(size, "height").unwrap_or(0.0))
    });
    format!("device {model}{size}")
}

/// One end of a connector: the node it sticks to, or where it ends in the open.
pub(super) fn endpoint(end: &Value) -> String {
    if let Some(node) = raw::text(end, "endpointNodeId") {
        return format!("{NODE}{}{END}", clean(node));
    }
    match end.get("position") {
        Some(at) => format!(
            "({},{})",
            raw::float(at, "x").unwrap_or(0.0).round(),
            raw::float(at, "y").unwrap_or(0.0).round()
        ),
        None => "(nothing)".to_owned(),
    }
}

/// A connector from end to end: `A → B elbowed`, with heads that are no plain arrows by name.
pub(super) fn connector(ends: &[String; 2], caps: &[String; 2], line: &str) -> String {
    let [start_cap, end_cap] = caps;
    let points = |cap: &str| cap.contains("ARROW") || cap.contains("TRIANGLE");
    // Connectors that say nothing of their heads have the usual one.
    let arrow = match (points(start_cap), end_cap.is_empty() || points(end_cap)) {
        (false, true) => "→",
        (true, true) => "↔",
        (true, false) => "←",
        (false, false) => "—",
    };
    let nothing = "(nothing)".to_owned();
    let [start, end] = ends.each_ref().map(|end| if end.is_empty() { &nothing } else { end });
    let mut out = format!("{start} {arrow} {end}");
    for (side, cap) in [("start", start_cap), ("end", end_cap)] {
        if !cap.is_empty() && cap != "NONE" && !points(cap) {
            out.push_str(&format!(" {side}-{}", words::lower(cap)));
        }
    }
    if !line.is_empty() {
        out.push_str(&format!(" {line}"));
    }
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn connectors_are_arrows() {
        let said = |caps: [&str; 2], line: &str| {
            connector(&["A".to_owned(), "B".to_owned()], &caps.map(str::to_owned), line)
        };
        assert_eq!(said(["", ""], ""), "A → B");
        assert_eq!(said(["NONE", "LINE_ARROW"], "elbowed"), "A → B elbowed");
        assert_eq!(said(["LINE_ARROW", "LINE_ARROW"], ""), "A ↔ B");
        assert_eq!(said(["TRIANGLE_ARROW", "NONE"], ""), "A ← B");
        assert_eq!(said(["NONE", "NONE"], ""), "A — B");
        assert_eq!(said(["NONE", "DIAMOND_FILLED"], ""), "A — B end-diamond-filled");
    }

    #[test]
    fn what_developers_are_told_is_said() {
        assert_eq!(
            status(&json!({ "type": "READY_FOR_DEV", "description": "Final." })),
            "ready-for-dev \"Final.\""
        );
        assert_eq!(status(&json!({ "type": "NONE" })), "");
        let notes = json!([{ "label": "Opens the menu", "properties": [{ "type": "width" }] }]);
        assert_eq!(annotations(&notes), "note \"Opens the menu\" (width)");
        let settings = json!([{ "suffix": "", "format": "PNG", "constraint": { "type": "SCALE", "value": 2.0 } }, { "format": "SVG", "suffix": "-x" }]);
        assert_eq!(exports(&settings), "export png@2x,svg suffix \"-x\"");
        let lines = json!([{ "start": { "nodeId": "1:2", "side": "RIGHT" }, "end": { "nodeId": "3:4", "side": "LEFT" }, "freeText": "24" }]);
        assert_eq!(measurements(&lines), "measure 1:2 right to 3:4 left \"24\"");
    }
}
