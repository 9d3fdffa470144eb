//! `figma_result_query`: a question about a result that is kept, or about a fresh one. One call to Figma
//! at the most, and none while the result is kept.

use std::{pin::Pin, sync::Arc};

use serde_json::{Value, json};

use super::{
    App,
    ceiling::{self, ROOT},
    present::{QUERY, Question, aside, body_of, lines_of, notes_limit, shorten, shorten_kept, shorten_lines},
    results::{Body, Kept},
};
use crate::{
    auth::Caller,
    error::{Error, Result, ResultError},
    filter::Job,
    rest::response::{Form, Output},
    table::args::Args,
};

/// The tool that a call runs beside its own, if it is a question about a fresh result.
pub fn inner_tool<'a>(name: &str, given: &'a Args) -> Option<&'a str> {
    if name == QUERY { given.get("tool")?.as_str() } else { None }
}

/// What is asked.
struct Asked<'a> {
    filter: Option<&'a str>,
    offset: usize,
    limit: Option<usize>,
}

/// Answers one question.
pub(super) async fn query(app: &Arc<App>, caller: &Arc<Caller>, args: &Args) -> Result<Output> {
    let text = |name: &str| args.get(name).and_then(Value::as_str);
    let number = |name: &str| args.get(name).and_then(Value::as_u64).and_then(|n| usize::try_from(n).ok());
    let (kept, mut notes) = match (text("result_id"), text("tool")) {
        (Some(id), _) => {
            let kept = app.kept(caller, id.trim()).await?;
            if matches!(kept.body, Body::Again) {
                fresh(app, caller, &kept.tool, kept.arguments).await?
            } else {
                (kept, Vec::new())
            }
        }
        (None, Some(tool)) => {
            let arguments = args.get("arguments").and_then(Value::as_object).cloned().unwrap_or_default();
            fresh(app, caller, tool, arguments).await?
        }
        (None, None) => return Err(Error::bad_argument(QUERY, "", "give `result_id` or `tool`")),
    };
    let asked =
        Asked { filter: text("filter"), offset: number("offset").unwrap_or(0), limit: number("limit") };
    let said: usize = notes.iter().map(|note| note.len() + 8).sum();
    let room = app.ceiling().saturating_sub(said + notes_limit(app.ceiling()) + 400);
    let meta = json!({ "id": kept.id, "bytes": kept.size });
    let mut output = answer(app, kept, asked, room).await?;
    notes.append(&mut output.notes);
    output.notes = notes;
    output.meta.insert("result".to_owned(), meta);
    Ok(output)
}

/// Runs a reading tool, and keeps its answer for the next question.
async fn fresh(
    app: &Arc<App>,
    caller: &Arc<Caller>,
    name: &str,
    arguments: Args,
) -> Result<(Kept, Vec<String>)> {
    let refuse = |problem: &str| Err(Error::bad_argument(QUERY, "tool", problem));
    let tool = app.find(name).map_err(|error| match error {
        Error::UnknownTool { near, .. } => {
            let near = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
            Error::bad_argument(QUERY, "tool", format!("names no tool{near}"))
        }
        other => other,
    })?;
    if tool.name == QUERY {
        return refuse("must be another tool than this one");
    }
    if !tool.effect.is_read() {
        return refuse("must be a tool that only reads");
    }
    let given = arguments.clone();
    let output = run_inner(app, caller, tool.name, given).await?;
    let mut notes = output.notes.clone();
    if let Some(next) = &output.next_page {
        notes.push(format!(
            "`{}` has further pages: the next one with {} in its arguments.",
            tool.name,
            Value::Object(next.clone())
        ));
    }
    let form = output.form;
    let body = body_of(output, Some(tool), app.ceiling()).await?;
    let kept = app.keep(caller, (tool.name, &arguments), form, body).await;
    if kept.size > app.ceiling() as u64 {
        notes.push(format!("This is result `{}`: ask it further questions by `result_id`.", kept.id));
    }
    Ok((kept, notes))
}

/// A call within a call. Its type is written out, or it would hold itself.
fn run_inner<'a>(
    app: &'a Arc<App>,
    caller: &'a Arc<Caller>,
    name: &'a str,
    given: Args,
) -> Pin<Box<dyn Future<Output = Result<Output>> + Send + 'a>> {
    Box::pin(super::run(app, caller, name, given))
}

async fn answer(app: &Arc<App>, kept: Kept, asked: Asked<'_>, room: usize) -> Result<Output> {
    let question = Question::of(app, &kept);
    let said = notes_limit(app.ceiling());
    let Asked { filter, offset, limit } = asked;
    if kept.form == Form::Text {
        return if filter.is_some() {
            Err(ResultError::IsText { id: kept.id }.into())
        } else {
            lines(kept, question, offset, limit, room).await
        };
    }
    let Some(filter) = filter.map(str::trim).filter(|filter| !filter.is_empty()) else {
        return whole(kept, question, (offset, limit), room, said).await;
    };
    let failed =
        |error: std::io::Error| Error::File { path: "a kept answer".to_owned(), problem: error.to_string() };
    let most_outputs = limit.map(|limit| offset.saturating_add(limit).saturating_add(1));
    let job = Job { filter: filter.to_owned(), most_outputs };
    let mut outputs = app.filters.run(job, kept.document().map_err(failed)?).await?;
    let is_cut = most_outputs.is_some_and(|most| outputs.len() >= most && outputs.len() > 1);
    let (text, path) = match outputs.as_mut_slice() {
        [one] => {
            (std::mem::take(one), if is_path(filter) { filter.to_owned() } else { format!("{filter} | .") })
        }
        many => (format!("[{}]", many.join(",")), format!("[{filter}] | .")),
    };
    let mut output =
        aside(text.len(), move || page(&text, &path, &question, (offset, limit), room, said)).await??;
    if is_cut {
        // Nobody has counted the rest.
        for note in &mut output.notes {
            *note = note.replace(
                &format!(" of {}.", offset.saturating_add(limit.unwrap_or(0)) + 1),
                ", and there are more.",
            );
        }
    }
    Ok(output)
}

/// Lines of a text.
async fn lines(
    kept: Kept,
    question: Question,
    offset: usize,
    limit: Option<usize>,
    room: usize,
) -> Result<Output> {
    let Body::Text(text) = kept.body else {
        return Err(ResultError::Gone { id: kept.id }.into());
    };
    let shown =
        aside(text.len(), move || shorten_lines(&text, offset, limit.unwrap_or(usize::MAX), room, &question))
            .await?;
    Ok(Output { notes: shown.lines, ..Output::text(shown.body) })
}

/// The result itself, or a stretch of its main list.
async fn whole(
    kept: Kept,
    question: Question,
    (offset, limit): (usize, Option<usize>),
    room: usize,
    said: usize,
) -> Result<Output> {
    if offset == 0 && limit.is_none() {
        let shown = aside(usize::MAX, move || shorten_kept(&kept, room, &question, said)).await??;
        return Ok(Output { notes: shown.lines, ..Output::json(shown.body) });
    }
    let work = move || {
        let text = kept.text()?;
        let (list, path) = ceiling::main_list(&text);
        page(list, &path, &question, (offset, limit), room, said)
    };
    aside(usize::MAX, work).await?
}

/// What is shown of an answer: all of it, or a stretch, or as much as fits.
fn page(
    text: &str,
    path: &str,
    question: &Question,
    (offset, limit): (usize, Option<usize>),
    room: usize,
    said: usize,
) -> Result<Output> {
    let stretch = if offset == 0 && limit.is_none() {
        None
    } else {
        ceiling::stretch(text, offset, limit.unwrap_or(usize::MAX), room, path)
    };
    let Some(part) = stretch else {
        if offset > 0 {
            return Err(ResultError::BehindEnd {
                offset: offset as u64,
                holds: "it is neither a list nor an object".to_owned(),
            }
            .into());
        }
        let shown = shorten(text, room, path, question, said);
        return Ok(Output { notes: shown.lines, ..Output::json(shown.body) });
    };
    if let Some(shortened) = part.shortened.iter().find(|shortened| shortened.path == path)
        && offset >= shortened.total
    {
        let holds = format!("there are {} {}", shortened.total, shortened.of);
        return Err(ResultError::BehindEnd { offset: offset as u64, holds }.into());
    }
    Ok(Output { notes: lines_of(&part, question, said), ..Output::json(part.body) })
}

/// Whether a filter is nothing but a path, which further steps can be put to.
fn is_path(filter: &str) -> bool {
    filter == ROOT
        || (filter.starts_with('.')
            && !filter.contains("..")
            && !filter.contains("[]")
            && filter.chars().all(|c| c.is_alphanumeric() || "._[]\":-;".contains(c)))
}
