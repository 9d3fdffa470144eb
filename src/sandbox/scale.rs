//! A file of any size, made as it is sent: for figures and for tests of large files.
//!
//! Its proportions are those of real files: about 1,070 bytes a node, some 160 nodes a top-level frame,
//! numbers as Figma writes them (single precision, widened). The same size gives the same bytes.

use std::{convert::Infallible, fmt::Write as _, io::Write as _};

use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::Response,
};
use flate2::{Compression, write::GzEncoder};
use futures_util::stream;
use serde_json::json;

use super::{
    SCALED_FILE,
    route::{Call, Operation, template},
    serve::{JSON, respond},
};

/// Bytes a top-level frame comes to, roughly.
const FRAME: u64 = 170_000;
/// Nodes a top-level frame holds.
const NODES_A_FRAME: u32 = 160;

/// The answer to a call about the scaled file that this module has; other calls are refused as for any
/// file that is not there.
pub(super) fn answer(call: &Call<'_>, operation: &Operation, headers: &HeaderMap) -> Option<Response> {
    let size = call.world.scale?;
    if call.arg(0) != SCALED_FILE {
        return None;
    }
    match template(operation.endpoint.path).as_str() {
        "/v1/files/{}" => Some(file(size, headers)),
        "/v1/files/{}/meta" => Some(respond(StatusCode::OK, JSON, metadata().to_string())),
        _ => None,
    }
}

fn metadata() -> serde_json::Value {
    json!({ "file": {
        "name": "Scaled", "last_touched_at": "2026-01-01T00:00:00Z", "version": "1", "editorType": "figma", "role": "viewer",
    }})
}

fn file(size: u64, headers: &HeaderMap) -> Response {
    let accepted = headers.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok());
    if !accepted.unwrap_or_default().contains("gzip") {
        let parts = Parts::new(size).map(|part| Ok::<_, Infallible>(Bytes::from(part)));
        return respond(StatusCode::OK, JSON, Body::from_stream(stream::iter(parts)));
    }
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let mut parts = Parts::new(size);
    let mut is_done = false;
    let pieces = std::iter::from_fn(move || {
        if is_done {
            return None;
        }
        // Writing into memory does not fail.
        if let Some(part) = parts.next() {
            drop(encoder.write_all(part.as_bytes()));
        } else {
            is_done = true;
            drop(encoder.try_finish());
        }
        Some(Ok::<_, Infallible>(Bytes::from(std::mem::take(encoder.get_mut()))))
    });
    let mut response = respond(StatusCode::OK, JSON, Body::from_stream(stream::iter(pieces)));
    response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    response
}

/// The text of the file, a top-level frame at a time.
struct Parts {
    frames: u64,
    pages: u64,
    /// The next frame; `None`: all is said.
    next: Option<u64>,
    ids: u32,
    chance: u64,
}

impl Parts {
    fn new(size: u64) -> Self {
        let frames = (size / FRAME).max(1);
        // 8 pages at 1 MB, 14 at 50, 19 at 150.
        let pages = (7 + (size >> 20).isqrt()).min(frames);
        Self { frames, pages, next: Some(0), ids: 1, chance: 1 }
    }

    /// A number less than `below`, always the same ones (splitmix64).
    fn chance(&mut self, below: u64) -> u64 {
        self.chance = self.chance.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.chance;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (bits ^ (bits >> 31)) % below
    }

    /// A number as Figma writes it: single precision, widened.
    fn number(&mut self, below: u16) -> f64 {
        let whole = u16::try_from(self.chance(u64::from(below))).unwrap_or_default();
        let part = u16::try_from(self.chance(1000)).unwrap_or_default();
        f64::from(f32::from(whole) + f32::from(part) / 1000.0)
    }

    fn colour(&mut self) -> String {
        let [r, g, b] = [(); 3].map(|()| self.number(1));
        format!(r#"{{"r":{r},"g":{g},"b":{b},"a":1.0}}"#)
    }

    fn frame(&mut self, page: u64) -> String {
        let mut text = String::with_capacity(200 * 1024);
        let mut left = NODES_A_FRAME;
        self.node(&mut text, page, 0, &mut left);
        text
    }

    /// A node and what is in it.
    fn node(&mut self, text: &mut String, page: u64, level: u32, left: &mut u32) {
        *left = left.saturating_sub(1);
        self.ids += 1;
        let id = self.ids;
        let is_container = level == 0 || (level < 9 && self.chance(100) < 42);
        let kind = match self.chance(10) {
            _ if level == 0 => "FRAME",
            0..=2 if is_container => "INSTANCE",
            _ if is_container => "FRAME",
            0..=4 => "TEXT",
            5..=7 => "RECTANGLE",
            _ => "VECTOR",
        };
        let hidden = if level > 0 && self.chance(16) == 0 { r#""visible":false,"# } else { "" };
        let _ = write!(
            text,
            r#"{{"id":"{page}:{id}","name":"{kind} {id}",{hidden}"type":"{kind}","scrollBehavior":"SCROLLS""#
        );
        if self.chance(3) == 0 {
            let variable = self.chance(40);
            let _ = write!(
                text,
                r#","boundVariables":{{"fills":[{{"type":"VARIABLE_ALIAS","id":"VariableID:1:{variable}"}}],"itemSpacing":{{"type":"VARIABLE_ALIAS","id":"VariableID:2:{variable}"}}}}"#
            );
        }
        if kind == "INSTANCE" {
            let component = self.chance(60);
            let _ = write!(
                text,
                r#","componentId":"900:{component}","componentProperties":{{"State":{{"value":"Default","type":"VARIANT","boundVariables":{{}}}},"Label#12:{component}":{{"value":"Continue","type":"TEXT"}}}},"overrides":[{{"id":"{page}:{id}","overriddenFields":["fills","name"]}}]"#
            );
        }
        if is_container {
            text.push_str(r#","children":["#);
            let wanted =
                if level == 0 { u32::MAX } else { 2 + u32::try_from(self.chance(6)).unwrap_or_default() };
            let mut count = 0;
            while *left > 0 && count < wanted {
                if count > 0 {
                    text.push(',');
                }
                self.node(text, page, level + 1, left);
                count += 1;
            }
            text.push(']');
        }
        self.look(text, kind, is_container);
        text.push('}');
    }

    /// What comes after the children: paints, boxes, layout, text.
    fn look(&mut self, text: &mut String, kind: &str, is_container: bool) {
        let colour = self.colour();
        let style = self.chance(30);
        let _ = write!(
            text,
            r#","blendMode":"PASS_THROUGH","fills":[{{"blendMode":"NORMAL","type":"SOLID","color":{colour}}}],"strokes":[],"strokeWeight":1.0,"strokeAlign":"INSIDE","styles":{{"fill":"800:{style}"}}"#
        );
        let [x, y, width, height] = [9000, 9000, 1400, 900].map(|below| self.number(below));
        let _ = write!(
            text,
            r#","absoluteBoundingBox":{{"x":{x},"y":{y},"width":{width},"height":{height}}},"absoluteRenderBounds":{{"x":{x},"y":{y},"width":{width},"height":{height}}},"constraints":{{"vertical":"TOP","horizontal":"LEFT"}}"#
        );
        if is_container {
            let [space, pad] = [24, 40].map(|below| self.number(below));
            let _ = write!(
                text,
                r#","clipsContent":true,"background":[{{"blendMode":"NORMAL","type":"SOLID","color":{colour}}}],"backgroundColor":{colour},"layoutMode":"VERTICAL","itemSpacing":{space},"paddingLeft":{pad},"paddingRight":{pad},"paddingTop":{pad},"paddingBottom":{pad},"counterAxisAlignItems":"CENTER","layoutSizingHorizontal":"FIXED","layoutSizingVertical":"HUG","cornerRadius":8.0"#
            );
        }
        if kind == "TEXT" {
            let words = self.chance(90);
            let [size, line] = [32, 40].map(|below| self.number(below) + 8.0);
            let _ = write!(
                text,
                r#","characters":"Plant number {words} likes shade, water and a word of praise","style":{{"fontFamily":"Inter","fontPostScriptName":"Inter-Medium","fontStyle":"Medium","fontWeight":500,"textAutoResize":"WIDTH_AND_HEIGHT","fontSize":{size},"textAlignHorizontal":"LEFT","textAlignVertical":"TOP","letterSpacing":0.0,"lineHeightPx":{line},"lineHeightPercent":100.0,"lineHeightUnit":"INTRINSIC_%"}},"layoutVersion":4,"characterStyleOverrides":[],"styleOverrideTable":{{}},"lineTypes":["NONE"],"lineIndentations":[0]"#
            );
        }
        if self.chance(8) == 0 {
            let radius = self.number(30);
            let _ = write!(
                text,
                r#","effects":[{{"type":"DROP_SHADOW","visible":true,"color":{colour},"blendMode":"NORMAL","offset":{{"x":0.0,"y":4.0}},"radius":{radius},"showShadowBehindNode":false}}]"#
            );
        } else {
            text.push_str(r#","effects":[]"#);
        }
        text.push_str(r#","interactions":[]"#);
    }
}

impl Iterator for Parts {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        let frame = self.next?;
        if frame == self.frames {
            self.next = None;
            return Some(library());
        }
        self.next = Some(frame + 1);
        let page_of = |frame: u64| frame * self.pages / self.frames;
        let page = page_of(frame);
        let is_first = frame == 0 || page_of(frame - 1) != page;
        let is_last = frame + 1 == self.frames || page_of(frame + 1) != page;
        let mut text = String::new();
        if frame == 0 {
            text.push_str(r#"{"document":{"id":"0:0","name":"Document","type":"DOCUMENT","scrollBehavior":"SCROLLS","children":["#);
        }
        if is_first {
            text.push_str(if frame == 0 { "" } else { "," });
            let _ = write!(
                text,
                r#"{{"id":"{}:1","name":"Page {page}","type":"CANVAS","scrollBehavior":"SCROLLS","children":["#,
                page + 1
            );
        } else {
            text.push(',');
        }
        text.push_str(&self.frame(page + 1));
        if is_last {
            text.push_str(r#"],"backgroundColor":{"r":0.9607843160629272,"g":0.9607843160629272,"b":0.9607843160629272,"a":1.0},"prototypeStartNodeID":null,"flowStartingPoints":[],"prototypeDevice":{"type":"NONE","rotation":"NONE"}}"#);
        }
        if frame + 1 == self.frames {
            text.push_str("]}");
        }
        Some(text)
    }
}

/// What comes after the document.
fn library() -> String {
    let component = |n: u32| {
        format!(
            r#""900:{n}":{{"key":"{n:040x}","name":"State=Default {n}","description":"","remote":false,"documentationLinks":[]}}"#
        )
    };
    let style = |n: u32| {
        format!(
            r#""800:{n}":{{"key":"{n:040x}","name":"Colour/{n}","styleType":"FILL","remote":false,"description":""}}"#
        )
    };
    let components: Vec<String> = (0..60).map(component).collect();
    let styles: Vec<String> = (0..30).map(style).collect();
    format!(
        r#","components":{{{}}},"componentSets":{{}},"schemaVersion":0,"styles":{{{}}},"name":"Scaled","lastModified":"2026-01-01T00:00:00Z","thumbnailUrl":"","version":"1","role":"viewer","editorType":"figma","linkAccess":"view"}}"#,
        components.join(","),
        styles.join(",")
    )
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn a_scaled_file_is_a_file_of_about_that_size_and_always_the_same() {
        for megabytes in [1, 10] {
            let text: String = Parts::new(megabytes << 20).collect();
            assert_eq!(text, Parts::new(megabytes << 20).collect::<String>());
            let file: Value = serde_json::from_str(&text).unwrap();
            let mut nodes = 0;
            super::super::tree::visit(&file["document"], &mut |_| nodes += 1);
            let (size, wanted) = (text.len(), usize::try_from(megabytes << 20).unwrap());
            assert!(size > wanted * 2 / 3 && size < wanted * 3 / 2, "{size} for {wanted}");
            assert!((900..1250).contains(&(size / nodes)), "{} bytes a node", size / nodes);
        }
    }
}
