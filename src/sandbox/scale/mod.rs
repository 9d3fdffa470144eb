//! A file of any size, made as it is sent: for figures and for tests of large files.
//!
//! Its proportions are those of real files: about 1,070 bytes a node, some 160 nodes a top-level frame, packed
//! 17 times smaller by gzip, numbers as Figma writes them (single precision, widened). The same size gives the
//! same bytes.

mod nodes;

use std::{convert::Infallible, fmt::Write as _, io::Write as _};

use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::Response,
};
use flate2::{Compression, write::GzEncoder};
use futures_util::stream;
use serde_json::json;

use self::nodes::{COMPONENTS, Nodes, STYLES};
use super::{
    SCALED_FILE,
    route::{Call, Operation, template},
    serve::{JSON, respond},
};

/// Bytes a top-level frame comes to, roughly.
const FRAME: u64 = 170_000;

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
    nodes: Nodes,
}

impl Parts {
    fn new(size: u64) -> Self {
        let frames = (size / FRAME).max(1);
        // 8 pages at 1 MB, 14 at 50, 19 at 150.
        let pages = (7 + (size >> 20).isqrt()).min(frames);
        Self { frames, pages, next: Some(0), nodes: Nodes::new() }
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
        let number = u16::try_from(frame % 10_000).unwrap_or_default();
        self.nodes.frame(&mut text, page + 1, number);
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
    let components: Vec<String> = (0..COMPONENTS).map(component).collect();
    let styles: Vec<String> = (0..STYLES).map(style).collect();
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
            assert!((1000..1150).contains(&(size / nodes)), "{} bytes a node", size / nodes);
        }
    }

    /// As measured on real files: what is quick or small on this one has to be so on those.
    #[test]
    fn a_scaled_file_packs_as_real_ones_do_and_says_as_much_of_each_thing() {
        let text: String = Parts::new(4 << 20).collect();
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text.as_bytes()).unwrap();
        let ratio = text.len() / encoder.finish().unwrap().len();
        assert!((15..=19).contains(&ratio), "{ratio} times smaller when packed");
        let file: Value = serde_json::from_str(&text).unwrap();
        for (members, percent) in [
            (&["fills"][..], 10..=11),
            (&["absoluteBoundingBox", "absoluteRenderBounds"], 16..=17),
            (&["style"], 7..=8),
            (&["boundVariables"], 5..=7),
        ] {
            let mut bytes = 0;
            super::super::tree::visit(&file["document"], &mut |node| {
                let said = members.iter().filter_map(|member| Some((member, node.get(member)?)));
                bytes +=
                    said.map(|(member, value)| member.len() + 4 + value.to_string().len()).sum::<usize>();
            });
            let share = (bytes * 100 + text.len() / 2) / text.len();
            assert!(percent.contains(&share), "{members:?}: {share} %");
        }
    }
}
