//! A tool's output as an MCP result.
//!
//! What `dispatch::present` made of Figma's answer travels as one text block: parsing it into structured content would
//! cost ten times the time and memory, and clients show only one of the two. What we have to say
//! beside it stands in a text block of its own, so that the first one stays valid JSON.

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use rmcp::model::{CallToolResult, ContentBlock, MetaObject};
use serde_json::Value;

use crate::{auth::redacted, dispatch::Output, error::Error, table::args::Args};

/// Where the result's metadata holds the arguments of the next page.
const NEXT_PAGE: &str = "nextPage";
/// What an error says at most, in bytes: below every ceiling.
const LONGEST_ERROR: usize = 3_500;
/// Before every key of ours in a result's metadata.
pub(super) const PREFIX: &str = "figma-mcp/";

pub(super) fn of(output: Output) -> CallToolResult {
    let mut lines = output.notes;
    lines.extend(output.next_page.as_ref().map(next_page_line));
    let mut content = vec![ContentBlock::text(output.body)];
    if !lines.is_empty() {
        content.push(ContentBlock::text(note_lines(&lines)));
    }
    content.extend(
        output.images.iter().map(|image| ContentBlock::image(BASE64.encode(&image.bytes), image.mime)),
    );
    let mut facts = output.meta;
    facts.extend(output.next_page.map(|next| (NEXT_PAGE.to_owned(), Value::Object(next))));
    let mut result = CallToolResult::success(content);
    if !facts.is_empty() {
        let mut meta = MetaObject::new();
        for (key, value) in facts {
            meta.insert([PREFIX, &key].concat(), value);
        }
        result.meta = Some(meta);
    }
    result
}

/// What we say beside Figma's answer, a line each.
pub(super) fn note_lines(notes: &[String]) -> String {
    notes.iter().map(|note| format!("note: {note}")).collect::<Vec<_>>().join("\n")
}

pub(super) fn of_error(error: &Error) -> CallToolResult {
    // An error can quote what somebody sent or what answered in Figma's place.
    let mut text = redacted(&error.for_agent());
    let is_small = text.len() <= LONGEST_ERROR;
    if !is_small {
        let end = (0..=LONGEST_ERROR).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
        text.truncate(end);
        text += "… (cut)";
    }
    let mut result = CallToolResult::error(vec![ContentBlock::text(text)]);
    if is_small {
        let json = error.to_json();
        result.structured_content = Some(serde_json::from_str(&redacted(&json.to_string())).unwrap_or(json));
    }
    result
}

/// How to get the next page, as a sentence for a model.
fn next_page_line(next: &Args) -> String {
    let given: Vec<String> = next.iter().map(|(name, value)| format!("`{name}`: {value}")).collect();
    format!("There is more: call again with the same arguments and {}.", given.join(", "))
}
