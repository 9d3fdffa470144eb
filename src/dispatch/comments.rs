//! `figma_comments_digest_get`: the threads of a file, with the names of what they are pinned to.

use serde_json::{Value, json};

use super::{App, Output, source, text};
use crate::{
    auth::Caller,
    design::comments::{Anchors, GroupBy, Thread, Wanted, digest, pins, threads},
    error::{Error, Result},
    table::{Endpoint, Tool, args::Args},
};

const LIMIT: usize = 50;

/// The comments come in one tier 2 call. Only the names of what they are pinned to need the file: where
/// it cannot be read, its ids have to do.
pub(super) async fn digest_of(
    app: &App,
    caller: &Caller,
    tool: &'static Tool,
    endpoint: &'static Endpoint,
    args: &Args,
) -> Result<Output> {
    let file_key = text(args, "file_key");
    let threads = all(app, caller, tool, endpoint, file_key).await?;
    let wanted = wanted(args);
    let (nodes, has_points) = pins(&threads);
    let mut output = Output::default();
    let anchors = if nodes.is_empty() && !has_points {
        None
    } else {
        let visitor = move || Anchors::new(nodes.clone(), has_points);
        match source::read(app, caller, tool, file_key, None, &[], visitor).await {
            Ok((anchors, provenance)) => {
                output.meta.insert("cache".to_owned(), provenance.to_json());
                output.notes.extend(provenance.notes);
                Some(anchors)
            }
            Err(Error::Cancelled) => return Err(Error::Cancelled),
            Err(error) => {
                output.notes.push(format!(
                    "The nodes have no names here, since the file could not be read: {error}."
                ));
                None
            }
        }
    };
    let digest = digest(threads, anchors.as_ref(), &wanted);
    let next = wanted.offset + digest.threads.len();
    if !digest.threads.is_empty() && next < digest.total {
        output.next_page = Some(Args::from_iter([("offset".to_owned(), json!(next))]));
    }
    let body = digest.print(anchors.as_ref(), &wanted);
    Ok(Output { notes: output.notes, meta: output.meta, next_page: output.next_page, ..Output::text(body) })
}

/// All threads of a file.
pub(super) async fn all(
    app: &App,
    caller: &Caller,
    tool: &'static Tool,
    endpoint: &'static Endpoint,
    file_key: &str,
) -> Result<Vec<Thread>> {
    let args = Args::from_iter([("file_key".to_owned(), json!(file_key))]);
    let answer = app.rest.call(caller, tool, endpoint, &args).await?;
    let answer: Value = serde_json::from_str(&answer.body)
        .map_err(|_| Error::BadAnswer { problem: "it is no list of comments".to_owned() })?;
    Ok(threads(&answer))
}

fn wanted(args: &Args) -> Wanted {
    let number =
        |name: &str| args.get(name).and_then(Value::as_u64).and_then(|number| usize::try_from(number).ok());
    Wanted {
        group_by: GroupBy::named(text(args, "group_by")).unwrap_or_default(),
        include_resolved: args.get("include_resolved").and_then(Value::as_bool).unwrap_or_default(),
        since: args.get("since").and_then(Value::as_str).map(str::to_owned),
        offset: number("offset").unwrap_or(0),
        limit: number("limit").unwrap_or(LIMIT),
    }
}
