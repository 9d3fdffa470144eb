//! `figma_design_context_get`: reads nodes and describes them.

use std::{collections::HashMap, pin::pin, sync::Arc};

use futures_util::future::maybe_done;
use serde_json::{Map, Value, json};
use tokio::sync::SetOnce;

use super::{App, Output, source, variables};
use crate::{
    auth::Caller,
    design::{
        context::{self, Collector, Description, Design, Format, Group, Options},
        naming::Uses,
        pieces::Pair,
    },
    error::{Error, Result, foreign},
    table::{self, Handler, Tool, args::Args},
};

/// Describes a file, or some nodes of it.
pub(super) async fn run(app: &App, caller: &Caller, tool: &'static Tool, args: &Args) -> Result<Output> {
    let text = |name: &str| args.get(name).and_then(Value::as_str);
    let file_key = text("file_key").unwrap_or_default();
    let ids = strings(args, "node_ids");
    let hidden = args.get("hidden") == Some(&json!(true));
    if let Some(most) = args.get("max_calls").and_then(Value::as_u64) {
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        source::fetch(app, caller, tool, (file_key, text("version")), Some(most)).await?;
    }
    let mut options = options(args, app.room());
    let wants_comments = options.include.contains(&Group::Comments);
    let wants_names = options.include.contains(&Group::Variables);
    // Where Figma does not say what variables are called, their uses in the whole file suggest it.
    let wants_uses = wants_names && ids.is_empty() && variables::known(app, caller, file_key).is_none();
    let met = Arc::new(SetOnce::new());
    let tell = met.clone();
    let visitor = move || {
        let tell = tell.clone();
        // An earlier try may have told it already.
        let collector = Collector::new(hidden).on_bound(move || drop(tell.set(())));
        Pair::new(collector, wants_uses.then(Uses::default))
    };
    // Figma's list of names is asked for as soon as something is bound, while the rest comes in.
    let listing = async {
        if wants_names {
            met.wait().await;
            // What is in its way is said where the names are needed.
            drop(variables::listed(app, caller, tool, file_key).await);
        }
    };
    let mut listing = pin!(maybe_done(listing));
    let mut reading = pin!(source::read(app, caller, tool, file_key, text("version"), &ids, visitor));
    let (read, provenance) = tokio::select! {
        biased;
        read = &mut reading => read,
        () = &mut listing => reading.await,
    }?;
    let (collector, uses) = read.into_inner();
    let design = collector.finish();
    let mut notes = missing(&design, file_key)?;
    if wants_comments {
        match comments(app, caller, file_key).await {
            Ok(comments) => options.comments = comments,
            // A design without its comments is still a design.
            Err(error) => notes.push(format!("No comments: {error}.")),
        }
    }
    if wants_names {
        let learning = async {
            match uses {
                Some(uses) => variables::learn(app, caller, file_key, &provenance, uses).await,
                None => None,
            }
        };
        let listing = async {
            if met.initialized() {
                listing.await;
            }
        };
        let (learned, ()) = tokio::join!(learning, listing);
        let bound = design.variables().into_iter().map(str::to_owned).collect();
        let names = variables::name(app, caller, tool, file_key, &bound, learned).await;
        options.variables = names.for_design();
        notes.extend(names.note);
    }
    let described = describe(design, options).await?;
    if described.folded > 0 {
        notes.push(format!(
            "{} nodes are folded; `node_ids`, `include` or `max_bytes` shows others.",
            described.folded
        ));
    }
    let meta = Map::from_iter([
        ("cache".to_owned(), provenance.to_json()),
        ("nodes_folded".to_owned(), json!(described.folded)),
    ]);
    let output = if args.get("format") == Some(&json!("json")) {
        Output::json(described.text)
    } else {
        Output::text(described.text)
    };
    Ok(Output { notes, meta, ..output })
}

/// Describes a design beside the runtime.
pub(super) async fn describe(design: Design, options: Options) -> Result<Description> {
    let describing = tokio::task::spawn_blocking(move || (context::describe(&design, &options), design));
    let (described, design) =
        describing.await.map_err(|_| Error::Bug { problem: "a description broke off".to_owned() })?;
    // A large one takes its time to go; nobody need wait for that.
    drop(tokio::task::spawn_blocking(move || drop(design)));
    Ok(described)
}

fn strings(args: &Args, name: &str) -> Vec<String> {
    let list = args.get(name).and_then(Value::as_array);
    list.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

fn options(args: &Args, room: usize) -> Options {
    let number = |name: &str| args.get(name).and_then(Value::as_u64);
    let mut options = Options {
        depth: number("depth").and_then(|depth| u32::try_from(depth).ok()),
        max_bytes: number("max_bytes").and_then(|most| usize::try_from(most).ok()).unwrap_or(room),
        format: match args.get("format").and_then(Value::as_str) {
            Some("yaml") => Format::Yaml,
            Some("json") => Format::Json,
            _ => Format::Tree,
        },
        ..Options::default()
    };
    let names = strings(args, "include");
    if !names.is_empty() {
        options.include =
            Group::ALL.into_iter().filter(|group| names.iter().any(|name| name == group.name())).collect();
    }
    options
}

/// A note on the nodes that are not there; an error when there are no others.
fn missing(design: &Design, file_key: &str) -> Result<Vec<String>> {
    let missing: Vec<String> = design.missing().iter().map(|id| foreign(id)).collect();
    if missing.is_empty() {
        return Ok(Vec::new());
    }
    let what = missing.join(", ");
    if design.is_empty() {
        return Err(Error::NotFound {
            what: format!("node {what} of file {}", foreign(file_key)),
            message: String::new(),
        });
    }
    Ok(vec![format!("There is no node {what} in this version of the file.")])
}

/// The open comments of a file by the node that they are pinned to, replies behind what they answer.
async fn comments(app: &App, caller: &Caller, file_key: &str) -> Result<HashMap<String, Vec<String>>> {
    let bug = || Error::Bug { problem: "no tool lists comments".to_owned() };
    let tool = table::find("figma_file_comments_list").ok_or_else(bug)?;
    let Handler::Call(endpoint) = &tool.handler else { return Err(bug()) };
    let args = Map::from_iter([("file_key".to_owned(), json!(file_key))]);
    let answer = app.rest.call(caller, tool, endpoint, &args).await?;
    let answer: Value = serde_json::from_str(&answer.body).unwrap_or_default();
    let list: Vec<&Value> = answer.get("comments").and_then(Value::as_array).into_iter().flatten().collect();
    let text = |value: &Value, pointer: &str| {
        value.pointer(pointer).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned)
    };
    let mut found: HashMap<String, Vec<String>> = HashMap::new();
    for first in list.iter().filter(|comment| text(comment, "/parent_id").is_none()) {
        let is_open = first.get("resolved_at").is_none_or(Value::is_null);
        let (Some(node), Some(id), true) = (text(first, "/client_meta/node_id"), text(first, "/id"), is_open)
        else {
            continue;
        };
        let replies = list.iter().filter(|comment| text(comment, "/parent_id").as_ref() == Some(&id));
        let thread = std::iter::once(first).chain(replies).map(|comment| {
            let by = text(comment, "/user/handle").unwrap_or_else(|| "?".to_owned());
            context::quoted(&format!("{by}: {}", text(comment, "/message").unwrap_or_default()))
        });
        found.entry(node).or_default().extend(thread);
    }
    Ok(found)
}
