//! From a tool's output to what a model gets of it: nothing above the ceiling, nothing invisible, no
//! secrets, and what strangers wrote marked as such.
//!
//! The server's calls and resources both end here. The command line does not: it prints the whole.

use std::{borrow::Cow, io::Read, sync::Arc};

use serde_json::{Value, json};

use super::{
    App,
    ceiling::{self, Part, ROOT, Shortened},
    fold::{Outline, outline},
    results::{Body, Kept, cleaned},
    untrusted::{self, Within, clean},
};
use crate::{
    auth::{Caller, redacted_in_data},
    error::{Error, Result, ResultError},
    rest::response::{Form, Output},
    table::{self, Handler, Tool, args::Args},
};

/// The tool that answers questions about kept results.
pub(super) const QUERY: &str = "figma_result_query";
/// What is said beside a shortened answer takes this much at most, or a quarter of the ceiling.
const NOTES: usize = 2_000;
/// A stored answer that is no tree of nodes is read into the memory up to this size.
const LARGEST_READ: u64 = 64 * 1024 * 1024;
/// Above this, a body is worked on beside the threads of the runtime.
const LARGE: usize = 64 * 1024;

/// What is shown of a body, and what is said of the rest.
pub(super) struct Shown {
    pub(super) body: String,
    /// One line or more, without the calls' result id: see [`Question`].
    pub(super) lines: Vec<String>,
}

/// How the next calls are written.
#[derive(Debug, Clone)]
pub(super) struct Question {
    /// The result that they ask about.
    pub(super) id: String,
    /// Whether they can be asked at all: the tool may be switched off.
    pub(super) is_offered: bool,
    /// The file whose nodes can be asked for, and whether that tool is offered.
    pub(super) file: Option<Value>,
}

impl Question {
    pub(super) fn of(app: &App, kept: &Kept) -> Self {
        let is_offered = |name: &str| table::find(name).is_some_and(|tool| app.selection.check(tool).is_ok());
        let is_file = matches!(kept.tool.as_str(), "figma_file_get" | "figma_file_nodes_get");
        let file = kept.arguments.get("file_key").filter(|_| is_file && is_offered("figma_file_nodes_get"));
        Self { id: kept.id.clone(), is_offered: is_offered(QUERY), file: file.cloned() }
    }

    fn call(&self, filter: &str, offset: Option<usize>) -> String {
        let mut arguments = json!({ "result_id": self.id });
        if let Value::Object(fields) = &mut arguments {
            if filter != ROOT && !filter.is_empty() {
                fields.insert("filter".to_owned(), json!(filter));
            }
            fields.extend(offset.map(|offset| ("offset".to_owned(), json!(offset))));
        }
        format!("`{QUERY}` {arguments}")
    }
}

/// The output as a model gets it: within the ceiling, cleaned, marked.
///
/// # Errors
/// When a body that lies elsewhere cannot be read.
pub async fn present(
    app: &Arc<App>,
    caller: &Caller,
    name: &str,
    given: &Args,
    mut output: Output,
) -> Result<Output> {
    let tool = table::find(name);
    if tool.is_none_or(holds_foreign_text) {
        output.meta.insert("untrusted".to_owned(), Value::Bool(true));
    }
    let limit = app.ceiling();
    bound_notes(&mut output.notes, limit / 4);
    let said: usize = output.notes.iter().map(|note| note.len() + 8).sum::<usize>() + 200;
    let form = output.form;
    if output.stored.is_none() && output.body.len() + said <= limit && is_plain(&output.body, form, tool) {
        return Ok(output);
    }
    let source = Output {
        body: std::mem::take(&mut output.body),
        stored: output.stored.take(),
        form,
        ..Output::default()
    };
    let body = body_of(source, tool, limit.saturating_sub(said)).await?;
    if let Body::Text(text) = &body
        && text.len() + said <= limit
    {
        output.body = redacted_in_data(text).into_owned();
        return Ok(output);
    }
    let call = (tool.map_or(name, |tool| tool.name), given);
    // In a box: few answers are as large as that, and every call would be as large as theirs.
    let kept = Box::pin(app.keep(caller, call, form, body)).await;
    let question = Question::of(app, &kept);
    let room = limit.saturating_sub(said + notes_limit(limit));
    let (of, size) = (question.clone(), kept.size);
    let shown = aside(LARGE + 1, move || shorten_kept(&kept, room, &of, notes_limit(limit))).await??;
    output.body = redacted_in_data(&shown.body).into_owned();
    output.notes.push(shown.lines.join("\n"));
    output.meta.insert("result".to_owned(), json!({ "id": question.id, "bytes": size }));
    Ok(output)
}

/// A page of a kept result, in bytes.
#[derive(Debug)]
pub struct Page {
    /// Its text: a part of the result, cut between characters.
    pub text: String,
    /// Where it begins.
    pub offset: u64,
    /// Where the next page begins, if there is one.
    pub next: Option<u64>,
    /// How many bytes the result has.
    pub total: u64,
    /// What the whole is.
    pub form: Form,
}

/// Reads a page of a result that is kept for this caller.
///
/// # Errors
/// [`ResultError::Gone`], [`ResultError::BehindEnd`], or why it cannot be read.
pub async fn page(app: &App, caller: &Caller, id: &str, offset: u64) -> Result<Page> {
    let (kept, limit) = (app.kept(caller, id).await?, app.ceiling());
    if matches!(kept.body, Body::Again) {
        return Err(ResultError::Gone { id: kept.id }.into());
    }
    let (total, form) = (kept.size, kept.form);
    let failed =
        |error: std::io::Error| Error::File { path: "a kept answer".to_owned(), problem: error.to_string() };
    let (start, text) = aside(usize::MAX, move || kept.bytes(offset, limit)).await?.map_err(failed)?;
    if text.is_empty() && offset > 0 {
        return Err(ResultError::BehindEnd { offset, holds: format!("there are {total} bytes") }.into());
    }
    // Less than was asked for is the end; up to three bytes can be missing from a last character.
    let end = start + text.len() as u64;
    let next = (text.len() + 3 >= limit && end < total).then_some(end);
    Ok(Page { text: redacted_in_data(&text).into_owned(), offset: start, next, total, form })
}

/// An output's body as it is kept and shown.
pub(super) async fn body_of(output: Output, tool: Option<&'static Tool>, limit: usize) -> Result<Body> {
    let Output { body, stored, form, .. } = output;
    if let Some(stored) = stored {
        return Ok(Body::Stored(stored));
    }
    let has_passcodes = has_passcodes(tool);
    let size = body.len();
    Ok(Body::Text(aside(size, move || fit_for_models(&body, form, has_passcodes, limit)).await?))
}

pub(super) fn notes_limit(limit: usize) -> usize {
    NOTES.min(limit / 4)
}

/// Whether its answers hold what people wrote: all that come from Figma.
fn holds_foreign_text(tool: &Tool) -> bool {
    tool.endpoint().is_some() || matches!(tool.handler, Handler::ResultQuery)
}

/// Long work beside the threads of the runtime, short work at once.
pub(super) async fn aside<T: Send + 'static>(
    size: usize,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T> {
    if size <= LARGE {
        return Ok(work());
    }
    let broken = |_| Error::Bug { problem: "work on an answer broke off".to_owned() };
    tokio::task::spawn_blocking(work).await.map_err(broken)
}

/// Whether a body can go as it came, as nearly all small ones can.
fn is_plain(body: &str, form: Form, tool: Option<&'static Tool>) -> bool {
    body.len() <= LARGE
        && !has_passcodes(tool)
        && matches!(clean(body, within(form)), Cow::Borrowed(_))
        && matches!(redacted_in_data(body), Cow::Borrowed(_))
}

fn has_passcodes(tool: Option<&'static Tool>) -> bool {
    tool.is_some_and(|tool| tool.name.contains("webhook"))
}

const fn within(form: Form) -> Within {
    match form {
        Form::Json => Within::Json,
        Form::Text => Within::Text,
    }
}

/// The body without what no model should read; white space goes only where that can matter.
fn fit_for_models(body: &str, form: Form, has_passcodes: bool, limit: usize) -> Arc<str> {
    let mut text = clean(body, within(form));
    if has_passcodes {
        text = Cow::Owned(untrusted::without_passcodes(&text).into_owned());
    }
    if form == Form::Json && text.len() > limit {
        text = Cow::Owned(ceiling::minified(&text).into_owned());
    }
    Arc::from(text)
}

/// Notes are short; where one is not, its beginning has to do.
fn bound_notes(notes: &mut [String], limit: usize) {
    let mut left = limit;
    for note in notes.iter_mut() {
        *note = clean(note, Within::Text).into_owned();
        if note.len() > left {
            let end =
                (0..=left.saturating_sub(40)).rev().find(|end| note.is_char_boundary(*end)).unwrap_or(0);
            let rest = note.len() - end;
            note.truncate(end);
            *note += &format!("… ({rest} more bytes)");
        }
        left = left.saturating_sub(note.len());
    }
}

pub(super) fn shorten_kept(kept: &Kept, room: usize, question: &Question, said: usize) -> Result<Shown> {
    let failed =
        |error: std::io::Error| Error::File { path: "a kept answer".to_owned(), problem: error.to_string() };
    match (&kept.body, kept.form) {
        (Body::Text(text), Form::Text) => Ok(shorten_lines(text, 0, usize::MAX, room, question)),
        (Body::Text(text), Form::Json) => Ok(shorten(text, room, ROOT, question, said)),
        (Body::Stored(stored), form) => {
            if form == Form::Json
                && let Ok(outline) = outline(cleaned(&**stored, form).map_err(failed)?, room)
            {
                return Ok(of_outline(outline, kept.size, ROOT, question));
            }
            let mut text = String::new();
            if stored.size() <= LARGEST_READ {
                cleaned(&**stored, form).map_err(failed)?.read_to_string(&mut text).map_err(failed)?;
                return Ok(match form {
                    Form::Text => shorten_lines(&text, 0, usize::MAX, room, question),
                    Form::Json => shorten(&ceiling::minified(&text), room, ROOT, question, said),
                });
            }
            let body = json!({ "folded": "object", "bytes": stored.size() }).to_string();
            let line = format!(
                "The answer has {} bytes. Its members: {}.",
                stored.size(),
                question.call("keys", None)
            );
            Ok(Shown { body, lines: vec![line] })
        }
        (Body::Again, _) => Err(Error::Bug { problem: "a result without a body".to_owned() }),
    }
}

/// As much of a JSON text as there is room for, and where the rest is.
pub(super) fn shorten(text: &str, room: usize, path: &str, question: &Question, said: usize) -> Shown {
    if text.len() <= room {
        return Shown { body: text.to_owned(), lines: Vec::new() };
    }
    if ceiling::is_tree(text)
        && let Ok(outline) = outline(text.as_bytes(), room)
        && outline.shown > 0
    {
        return of_outline(outline, text.len() as u64, path, question);
    }
    let part = ceiling::json(text, room, path);
    let first =
        format!("The answer has {} bytes, more than are shown at once: this is a part of it.", text.len());
    let mut lines = vec![first];
    lines.extend(lines_of(&part, question, said));
    Shown { body: part.body, lines }
}

pub(super) fn shorten_lines(text: &str, from: usize, most: usize, room: usize, question: &Question) -> Shown {
    let part = ceiling::lines(text, from, most, room);
    let lines = part.shortened.iter().map(|shortened| line_of(shortened, question)).collect();
    Shown { body: part.body, lines }
}

fn of_outline(outline: Outline, size: u64, path: &str, question: &Question) -> Shown {
    let mut line = format!(
        "The answer has {size} bytes: this is its outline, `id`, `name` and `type` of {} of {} nodes, upper levels first; `folded` and `…_left` say what is left out.",
        outline.shown, outline.total
    );
    let mut next = Vec::new();
    if let Some(file) = &question.file {
        next.push(format!("`figma_file_nodes_get` {{\"file_key\":{file},\"ids\":[…]}}"));
    }
    if question.is_offered {
        let example = if path == ROOT { "[.. | objects | select(.id? == \"…\")][0]" } else { path };
        next.push(question.call(example, None));
    }
    if next.is_empty() {
        next.push("call again with `ids` or a smaller `depth`".to_owned());
    }
    line += &format!(" Next: {}.", next.join(", or "));
    Shown { body: outline.body, lines: vec![line] }
}

/// What was shortened or folded, a line each, as long as there is room for lines.
pub(super) fn lines_of(part: &Part, question: &Question, room: usize) -> Vec<String> {
    let mut lines: Vec<String> =
        part.shortened.iter().map(|shortened| line_of(shortened, question)).collect();
    if let Some(first) = part.folded.first() {
        let named: Vec<String> = part.folded.iter().map(|path| format!("`{path}`")).collect();
        let more =
            if part.folded_more > 0 { format!(" and {} more", part.folded_more) } else { String::new() };
        let ask = if question.is_offered {
            format!(
                " One of them: {}; of a long text a slice, as in `{first} | .[0:2000]`.",
                question.call(first, None)
            )
        } else {
            String::new()
        };
        lines.push(format!("Folded: {}{more}.{ask}", named.join(", ")));
    }
    let mut left = room.saturating_sub(120);
    let all = lines.len();
    lines.retain(|line| {
        let fits = line.len() <= left;
        left = left.saturating_sub(line.len());
        fits
    });
    if lines.len() < all {
        lines.push(format!("{} more places are shortened or folded.", all - lines.len()));
    }
    lines
}

pub(super) fn line_of(shortened: &Shortened, question: &Question) -> String {
    let Shortened { path, of, from, to, total } = shortened;
    let place = if path.is_empty() || path == ROOT { String::new() } else { format!("`{}`: ", bare(path)) };
    let shown = if to == from {
        format!("no {of} of {total}")
    } else {
        format!("{of} {from} to {} of {total}", to - 1)
    };
    if to >= total {
        return format!("{place}{shown}: the end.");
    }
    if !question.is_offered {
        return format!("{place}{shown}. The rest: call again with a smaller page or a narrower request.");
    }
    format!("{place}{shown}. Next: {}.", question.call(bare(path), Some(*to)))
}

/// A path without the `| .` that a filter before it left.
fn bare(path: &str) -> &str {
    path.strip_suffix(" | .").unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn next_calls_are_written_out() {
        let question = Question { id: "abc".to_owned(), is_offered: true, file: None };
        let shortened = Shortened { path: ".comments".to_owned(), of: "items", from: 0, to: 40, total: 312 };
        assert_eq!(
            line_of(&shortened, &question),
            "`.comments`: items 0 to 39 of 312. Next: `figma_result_query` {\"result_id\":\"abc\",\"filter\":\".comments\",\"offset\":40}."
        );
        let last = Shortened { path: "map(.x) | .".to_owned(), from: 300, to: 312, ..shortened };
        assert_eq!(line_of(&last, &question), "`map(.x)`: items 300 to 311 of 312: the end.");
    }

    #[test]
    fn long_notes_end_early_and_say_so() {
        let mut notes = vec!["ä".repeat(600), "short".to_owned()];
        bound_notes(&mut notes, 500);
        assert!(notes[0].len() <= 500 && notes[0].ends_with(" more bytes)"), "{}", notes[0]);
    }
}
