//! `figma_handoff_get`: everything that who builds a node needs, in one answer.
//!
//! The parts are fetched side by side, with two tier 1 calls at most: the file, unless it is held, and
//! the picture. Only the first call about a file that Figma does not send whole costs a third, to learn
//! that. What fails is said where it would stand; the rest comes all the same.

mod sheet;

use serde_json::{Map, Value, json};

use self::sheet::{Link, Sheet};
use super::{App, Output, comments, screenshot, source, text, variables};
use crate::{
    auth::Caller,
    design::{
        comments::Thread,
        context::{Collector, Options},
        pieces::{Pair, Subtree},
    },
    error::{Error, Result},
    rest::held::{Outlook, Provenance},
    table::{Endpoint, Handler, Tool, args::Args},
};

const SCREENSHOT: &str = "figma_screenshot_get";
const COMMENTS: &str = "figma_comments_digest_get";
const LINKS: &str = "figma_dev_resources_list";

/// Puts the parts together.
pub(super) async fn get(app: &App, caller: &Caller, tool: &'static Tool, args: &Args) -> Result<Output> {
    let (file_key, node_id) = (text(args, "file_key"), text(args, "node_id"));
    let most = args.get("max_bytes").and_then(Value::as_u64).and_then(|most| usize::try_from(most).ok());
    let Parts { read, picture, links, threads } = Box::pin(Parts::fetch(app, caller, tool, args)).await;
    let mut sheet = Sheet::new(most.unwrap_or_else(|| app.room()));
    let images = match picture {
        Some(picture) => sheet.picture(picture),
        None => sheet.without_picture(),
    };
    let (both, provenance) = match read {
        Ok(read) => read,
        // Without the file there is nothing to hand over but the picture.
        Err(error) if images.is_empty() => return Err(error),
        Err(error) => {
            sheet.missing("design", &error);
            return Ok(Output { images, ..Output::text(sheet.finish("")) });
        }
    };
    let (collector, subtree) = both.into_inner();
    let design = collector.finish();
    if design.is_empty() {
        let what =
            format!("node {} of file {}", crate::error::foreign(node_id), crate::error::foreign(file_key));
        return Err(Error::NotFound { what, message: "there is no such node in this version".to_owned() });
    }
    let bound = design.variables().into_iter().map(str::to_owned).collect();
    let names = variables::name(app, caller, tool, file_key, &bound, None).await;
    let subtree = subtree.unwrap_or_default();
    sheet.links(links, &subtree);
    sheet.threads(threads, &subtree);
    sheet.styles(&subtree.beside);
    sheet.variables(&names);
    let options = Options { max_bytes: sheet.left(), variables: names.for_design(), ..Options::default() };
    let described = super::context::describe(design, options).await?;
    let mut notes = provenance.notes.clone();
    if described.folded > 0 {
        notes.push(format!(
            "{} nodes are folded; `figma_design_context_get` opens them, and costs no tier 1 call now.",
            described.folded
        ));
    }
    let meta = Map::from_iter([
        ("cache".to_owned(), provenance.to_json()),
        ("nodes_folded".to_owned(), json!(described.folded)),
    ]);
    Ok(Output { images, notes, meta, ..Output::text(sheet.finish(&described.text)) })
}

/// What is put together.
struct Parts {
    read: Result<(Pair<Collector, Subtree>, Provenance)>,
    /// `None` where it would be the third tier 1 call.
    picture: Option<Result<Output>>,
    links: Result<Vec<Link>>,
    threads: Result<Vec<Thread>>,
}

impl Parts {
    /// At once as far as that is possible.
    async fn fetch(app: &App, caller: &Caller, tool: &'static Tool, args: &Args) -> Self {
        let (file_key, ids) = (text(args, "file_key"), [text(args, "node_id").to_owned()]);
        let version = args.get("version").and_then(Value::as_str);
        let visitor = || Pair::new(Collector::new(false), Some(Subtree::default()));
        // Where a refusal has yet to be paid for, the picture would be the third tier 1 call: it waits for
        // what becomes of the file.
        let outlook = async || app.rest.outlook(caller, file_key, version).await.unwrap_or(Outlook::Unknown);
        let is_known = outlook().await != Outlook::Unknown;
        let (read, early, links, threads) = tokio::join!(
            source::read(app, caller, tool, file_key, version, &ids, visitor),
            async { if is_known { Some(picture(app, caller, args).await) } else { None } },
            links(app, caller, file_key),
            threads(app, caller, file_key),
        );
        let picture = match early {
            Some(picture) => Some(picture),
            None if outlook().await == Outlook::InParts => None,
            None => Some(picture(app, caller, args).await),
        };
        Self { read, picture, links, threads }
    }
}

/// A tool whose work is a part of this one, and its endpoint: not where it is switched off here, nor
/// where this kind of token cannot call it.
fn part(app: &App, caller: &Caller, name: &str) -> Result<(&'static Tool, &'static Endpoint)> {
    let tool = app.find(name)?;
    caller.check(tool)?;
    let endpoint =
        tool.endpoint().ok_or_else(|| Error::Bug { problem: format!("{} calls nothing", tool.name) })?;
    Ok((tool, endpoint))
}

/// The node as the model sees it.
async fn picture(app: &App, caller: &Caller, args: &Args) -> Result<Output> {
    let (tool, _) = part(app, caller, SCREENSHOT)?;
    let Handler::ScreenshotGet(endpoints) = &tool.handler else {
        return Err(Error::Bug { problem: format!("{} makes no picture", tool.name) });
    };
    let wanted = ["file_key", "node_id", "version"];
    let wanted =
        wanted.into_iter().filter_map(|name| Some((name.to_owned(), args.get(name)?.clone()))).collect();
    screenshot::get(app, caller, tool, endpoints, &wanted).await
}

/// What developers linked to nodes of the file.
async fn links(app: &App, caller: &Caller, file_key: &str) -> Result<Vec<Link>> {
    let (tool, endpoint) = part(app, caller, LINKS)?;
    let args = Args::from_iter([("file_key".to_owned(), json!(file_key))]);
    let answer = app.rest.call(caller, tool, endpoint, &args).await?;
    let answer: Value = serde_json::from_str(&answer.body)
        .map_err(|_| Error::BadAnswer { problem: "it is no list of dev resources".to_owned() })?;
    let links = answer.get("dev_resources").and_then(Value::as_array).into_iter().flatten();
    Ok(links.filter_map(Link::read).collect())
}

async fn threads(app: &App, caller: &Caller, file_key: &str) -> Result<Vec<Thread>> {
    let (tool, endpoint) = part(app, caller, COMMENTS)?;
    comments::all(app, caller, tool, endpoint, file_key).await
}
