//! Where a file's nodes are read from, whatever it takes to get them.
//!
//! The first question about a file fetches it whole, with one tier 1 call; everything that is asked
//! later, by any tool, is answered from what is held. Only a file that Figma does not send in one
//! piece is asked for in parts.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::App;
pub use crate::rest::held::Provenance;
use crate::{
    auth::{Caller, now},
    error::{Error, Result},
    rest::{
        held::{Composed, FILE, Held, NODES, Reached, Told, endpoint, lost},
        response::{Output, missing_nodes},
    },
    table::{Endpoint, Tool, args::Args},
    walk::{Visitor, Walker},
};

/// How much is walked of an answer at once.
const STRIDE: usize = 256 * 1024;
/// A larger answer is left where it lies.
const LARGEST_BODY: u64 = 1024 * 1024;
/// Arguments that ask for more than a held file has.
const BEYOND: [&str; 3] = ["geometry", "plugin_data", "branch_data"];

/// Whether a held file holds the answer to this call.
pub(super) fn can_derive(endpoint: &Endpoint, args: &Args) -> bool {
    let asks = |name: &&str| args.get(*name).is_some_and(|value| *value != json!(false));
    [FILE, NODES].contains(&endpoint.path) && !BEYOND.iter().any(asks)
}

/// Answers `/files` or `/nodes` as Figma would, from the held file.
///
/// # Errors
/// Whatever stands in the way of the file.
pub(super) async fn answer(
    app: &App,
    caller: &Caller,
    tool: &'static Tool,
    endpoint: &'static Endpoint,
    args: &Args,
) -> Result<Output> {
    let text = |name: &str| args.get(name).and_then(Value::as_str);
    let file = text("file_key").unwrap_or_default();
    let is_part = endpoint.path == NODES || args.contains_key("depth") || args.contains_key("ids");
    let held = if is_part {
        app.rest.hold(caller, tool, file, text("version")).await
    } else {
        fetch(app, caller, tool, (file, text("version")), None).await
    };
    let held = match held {
        Ok(held) => held,
        // A part of it may still come; and where nothing can be stored, Figma is asked each time.
        Err(Error::TooLarge { .. }) if is_part => return app.rest.call(caller, tool, endpoint, args).await,
        Err(Error::File { .. }) => return app.rest.call(caller, tool, endpoint, args).await,
        Err(error) => return Err(error),
    };
    let ids = ids(args);
    let depth = args.get("depth").and_then(Value::as_u64);
    let is_file = endpoint.path == FILE;
    let provenance = held.provenance();
    let (body, missing) = blocking(move || {
        let (composed, missing) = if is_file {
            (held.file(ids.as_deref(), depth)?, Vec::new())
        } else {
            held.nodes(&ids.unwrap_or_default(), depth)?
        };
        Ok((body(composed)?, missing))
    })
    .await?;
    let (body, stored) = body;
    let mut notes = provenance.notes.clone();
    notes.extend(missing_nodes(missing));
    let meta = Map::from_iter([("cache".to_owned(), provenance.to_json())]);
    Ok(Output {
        body,
        stored: stored.map(|composed| Arc::new(composed) as _),
        notes,
        meta,
        ..Output::default()
    })
}

fn ids(args: &Args) -> Option<Vec<String>> {
    let ids = args.get("ids")?.as_array()?;
    Some(ids.iter().filter_map(Value::as_str).map(str::to_owned).collect())
}

/// In memory when it is small, else where it lies.
fn body(composed: Composed) -> Result<(String, Option<Composed>)> {
    if composed.size() > LARGEST_BODY {
        return Ok((String::new(), Some(composed)));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(composed.size()).unwrap_or_default());
    composed
        .read(|part| {
            bytes.extend_from_slice(part);
            std::io::Result::Ok(())
        })
        .map_err(lost)?;
    let text = String::from_utf8(bytes)
        .map_err(|_| Error::BadAnswer { problem: "it is no UTF-8 text".to_owned() })?;
    Ok((text, None))
}

/// Shows a visitor a whole file, or (when `ids` holds any) these nodes of it with what is in them: as
/// an answer of Figma's `/files` or `/nodes` would. A whole file that has to be fetched is shown while it
/// comes in, to a visitor of its own for each try.
///
/// # Errors
/// Whatever Figma refused, or why it could not be asked; what the walk finds wrong with the answer.
/// [`Error::TooLargeFile`] for a whole file that Figma does not send in one piece says how to read it in
/// parts, and what that costs.
pub async fn read<V: Visitor + Send + 'static>(
    app: &App,
    caller: &Caller,
    tool: &'static Tool,
    file_key: &str,
    version: Option<&str>,
    ids: &[String],
    make: impl Fn() -> V + Clone + Send + Sync + 'static,
) -> Result<(V, Provenance)> {
    let reached = if ids.is_empty() {
        match app.rest.hold_reading(caller, tool, (file_key, version), make.clone()).await {
            Err(error @ Error::TooLarge { .. }) => {
                in_parts(app, caller, tool, (file_key, version), None, error).await.map(Reached::Held)
            }
            reached => reached,
        }
    } else {
        app.rest.hold(caller, tool, file_key, version).await.map(Reached::Held)
    };
    match reached {
        Ok(Reached::Read(visitor, provenance)) => Ok((visitor, provenance)),
        Ok(Reached::Held(held)) => {
            let provenance = held.provenance();
            Ok((walk(held, ids, make()).await?, provenance))
        }
        Err(Error::TooLarge { .. }) if !ids.is_empty() => {
            read_directly(app, caller, tool, file_key, version, ids, make()).await
        }
        Err(Error::File { .. }) => read_directly(app, caller, tool, file_key, version, ids, make()).await,
        Err(error) => Err(error),
    }
}

/// The same for a file that is held, and never a tier 1 call: nothing where it is not.
pub(super) async fn peek<V: Visitor + Send + 'static>(
    app: &App,
    caller: &Caller,
    file_key: &str,
    ids: &[String],
    visitor: V,
) -> Option<V> {
    let held = app.rest.held(caller, file_key).await.ok()??;
    walk(held, ids, visitor).await.ok()
}

/// Shows a visitor a held file, or these nodes of it.
///
/// # Errors
/// When it is not held any more.
pub(super) async fn walk<V: Visitor + Send + 'static>(held: Held, ids: &[String], visitor: V) -> Result<V> {
    let ids = ids.to_vec();
    blocking(move || walk_held(&held, &ids, visitor)).await
}

fn walk_held<V: Visitor>(held: &Held, ids: &[String], visitor: V) -> Result<V> {
    let composed = if ids.is_empty() { held.file(None, None)? } else { held.nodes(ids, None)?.0 };
    let mut walker = Walker::new(visitor);
    composed.read(|bytes| walker.push(bytes).map_err(std::io::Error::other)).map_err(lost)?;
    walker.finish()
}

/// Fetches a file into the store, in parts where Figma does not send it in one piece, for at most so
/// many tier 1 calls.
///
/// # Errors
/// [`Error::TooLargeFile`] when it takes more; whatever stands in the way of the file.
pub(super) async fn fetch(
    app: &App,
    caller: &Caller,
    tool: &'static Tool,
    (file_key, version): (&str, Option<&str>),
    most_calls: Option<usize>,
) -> Result<Held> {
    match app.rest.hold(caller, tool, file_key, version).await {
        Err(error @ Error::TooLarge { .. }) => {
            in_parts(app, caller, tool, (file_key, version), most_calls, error).await
        }
        held => held,
    }
}

/// A file that is too large for one answer, as `error` says, in parts.
async fn in_parts(
    app: &App,
    caller: &Caller,
    tool: &'static Tool,
    key: (&str, Option<&str>),
    most_calls: Option<usize>,
    error: Error,
) -> Result<Held> {
    let held = app.rest.hold_by_pages(caller, tool, key, most_calls).await;
    // Why its pages did not come matters more, unless not even they could be asked for.
    held.map_err(|other| if matches!(other, Error::BadAnswer { .. }) { error } else { other })
}

/// With a call of its own, when no file can be held.
async fn read_directly<V: Visitor + Send + 'static>(
    app: &App,
    caller: &Caller,
    tool: &'static Tool,
    file_key: &str,
    version: Option<&str>,
    ids: &[String],
    visitor: V,
) -> Result<(V, Provenance)> {
    let mut args: Args = Map::from_iter([("file_key".to_owned(), json!(file_key))]);
    args.extend(version.map(|version| ("version".to_owned(), json!(version))));
    args.extend((!ids.is_empty()).then(|| ("ids".to_owned(), json!(ids))));
    let endpoint = endpoint(if ids.is_empty() { FILE } else { NODES })?;
    let answer = app.rest.call(caller, tool, endpoint, &args).await?;
    let told = blocking(move || {
        let mut walker = Walker::new(Told::new(visitor));
        for chunk in answer.body.as_bytes().chunks(STRIDE) {
            walker.push(chunk)?;
        }
        walker.finish()
    })
    .await?;
    Ok(told.into_parts(now()))
}

/// Runs work that reads the store or walks a whole file, beside the runtime.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|_| Err(Error::Bug { problem: "reading a file broke off".to_owned() }))
}
