//! Runs one tool: checks its arguments, then makes one call or one composition of calls.
//!
//! The MCP server and the command line both end here: one pipeline, two shells. This room knows
//! neither MCP nor the terminal.

mod advice;
mod ceiling;
mod comments;
mod context;
mod fold;
mod handoff;
mod images;
mod official;
mod outline;
mod picture;
mod present;
mod query;
mod results;
mod screenshot;
mod search;
pub mod source;
mod status;
pub mod suggest;
mod teams;
mod untrusted;
mod variables;

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use tokio_util::task::TaskTracker;

use self::results::Results;
pub use self::{
    present::{Page, page, present},
    query::inner_tool,
    results::{Body, Kept},
};
pub use crate::disk::ImageDir;
pub use crate::rest::{
    Network, Progress, Saved, Stats, Store,
    document::fetch,
    download::Downloads,
    forget, forget_answers,
    response::{Form, Image, Output},
};
use crate::{
    auth::{Caller, lasting},
    error::{Error, Result},
    filter::Filters,
    rest::Rest,
    store::CallerKey,
    table::{self, Handler, NameSet, Selection, Tool, args::Args, args::Defaults, args::nearest},
};

/// What hosts take without cutting it.
const ROOM: usize = 48 * 1024;
/// What stands beside a composed answer: notes.
const BESIDE: usize = 1024;

/// Everything that a call needs beside its caller. Nothing is global.
#[derive(Debug)]
pub struct App {
    rest: Rest,
    /// Which tools are offered.
    pub selection: Selection,
    /// Other servers' tools that are listed too.
    pub names: Vec<&'static NameSet>,
    /// What stands in for arguments that are not given.
    pub defaults: Defaults,
    /// The most bytes of text that a model gets at once; `None`: any number.
    ceiling: Option<usize>,
    /// How many bytes an answer is composed for whose caller does not say.
    room: usize,
    results: Results,
    filters: Filters,
    /// The folder below which images are saved; without it none are.
    pub image_dir: Option<ImageDir>,
    /// Writing calls under way: they are finished even when nobody waits for them any more.
    pub writes: TaskTracker,
    /// What files' variables are called.
    variables: variables::Memory,
}

impl App {
    /// What calls the API at `base_url`, each call within `call_limit`.
    pub fn new(base_url: String, call_limit: Duration, selection: Selection, defaults: Defaults) -> Self {
        Self {
            rest: Rest::new(base_url, call_limit),
            selection,
            names: Vec::new(),
            defaults,
            ceiling: None,
            room: ROOM - BESIDE,
            results: Results::default(),
            filters: Filters::default(),
            image_dir: None,
            writes: TaskTracker::new(),
            variables: variables::Memory::default(),
        }
    }

    /// With a limit to what a model gets at once, in bytes of text.
    #[must_use]
    pub const fn with_ceiling(mut self, bytes: usize) -> Self {
        self.ceiling = Some(bytes);
        self.with_room(bytes)
    }

    /// Composes answers for this many bytes, notes included, where a caller does not say how long they
    /// may be. Other answers are as long as they are.
    #[must_use]
    pub const fn with_room(mut self, bytes: usize) -> Self {
        self.room = bytes.saturating_sub(BESIDE);
        self
    }

    /// How many bytes a composed answer has where its caller does not say.
    const fn room(&self) -> usize {
        self.room
    }

    /// The most bytes of text that a model gets at once.
    pub fn ceiling(&self) -> usize {
        self.ceiling.unwrap_or(usize::MAX)
    }

    /// What runs jq filters.
    pub const fn filters(&self) -> &Filters {
        &self.filters
    }

    /// The result of this id that is kept for this caller.
    ///
    /// # Errors
    /// [`crate::error::ResultError::Gone`]
    pub async fn kept(&self, caller: &Caller, id: &str) -> Result<Kept> {
        self.results.find(self.rest.store(), self.key(caller).await, id).await
    }

    /// The results that are kept for this caller, the latest first.
    pub async fn all_kept(&self, caller: &Caller) -> Vec<Kept> {
        self.results.list(self.rest.store(), self.key(caller).await).await
    }

    async fn keep(&self, caller: &Caller, call: (&str, &Args), form: Form, body: Body) -> Kept {
        self.results.keep(self.rest.store(), self.key(caller).await, call, form, body).await
    }

    /// Whose results these are. Without a store that can be used, they are kept as long as the process.
    async fn key(&self, caller: &Caller) -> CallerKey {
        let key = self.rest.caller_key(caller).await;
        key.unwrap_or_else(|_| CallerKey(lasting(&[0; 32], &[&caller.fingerprint().text()])))
    }

    /// With another way out of this machine than the usual one.
    #[must_use]
    pub fn with_network(mut self, network: Network) -> Self {
        self.rest = self.rest.with_network(network);
        self
    }

    /// With a store that outlives the process.
    #[must_use]
    pub fn with_store(mut self, store: Store) -> Self {
        self.rest = self.rest.with_store(store);
        self
    }

    /// How many requests this process sent to Figma for everybody: of tier 1, 2 and 3.
    pub fn figma_calls(&self) -> [u64; 3] {
        self.rest.calls()
    }

    /// How often calls to Figma were saved in this process.
    pub fn saved(&self) -> Saved {
        self.rest.saved()
    }

    /// How many gates are closed for the callers of this process: of tier 1, 2 and 3.
    pub fn closed_gates(&self) -> [u64; 3] {
        self.rest.closed_gates()
    }

    /// Writes down what is in memory only, before the process ends.
    pub async fn settle(&self) {
        self.rest.settle().await;
    }

    /// How this machine is left.
    pub fn network(&self) -> &Network {
        self.rest.network()
    }

    /// Asks for nothing, without a token: whether the API can be reached, and what time it is there.
    ///
    /// # Errors
    /// Why it cannot be reached.
    pub async fn probe(&self) -> Result<Option<SystemTime>> {
        self.rest.probe().await
    }

    /// The tool of this name or alias, if it is offered.
    ///
    /// # Errors
    /// [`Error::UnknownTool`] with the nearest name, or [`Error::HiddenTool`].
    pub fn find(&self, name: &str) -> Result<&'static Tool> {
        let tool = table::find(name).ok_or_else(|| {
            let names: Vec<&'static str> = table::tools().map(|tool| tool.name).collect();
            Error::UnknownTool { name: crate::error::foreign(name), near: nearest(name, &names) }
        })?;
        self.selection.check(tool)?;
        Ok(tool)
    }
}

/// Runs a tool.
///
/// Dropping the future takes a reading call back; a writing call that has begun is finished all the
/// same, since half a write is worse than an unwanted one.
///
/// # Errors
/// Whatever stands in its way, with the next step.
pub async fn run(app: &Arc<App>, caller: &Arc<Caller>, name: &str, given: Args) -> Result<Output> {
    let tool = app.find(name)?;
    let args = tool.input.check(tool, given, &app.defaults)?;
    caller.check(tool)?;
    if tool.effect.is_read() {
        return handle(app, caller, tool, args).await.map_err(|error| advice::for_tool(error, tool));
    }
    let (owned, caller) = (app.clone(), caller.clone());
    let write = app.writes.spawn(async move { handle(&owned, &caller, tool, args).await });
    write.await.unwrap_or_else(|_| Err(Error::Bug { problem: format!("{} broke off", tool.name) }))
}

async fn handle(app: &Arc<App>, caller: &Arc<Caller>, tool: &'static Tool, args: Args) -> Result<Output> {
    match &tool.handler {
        Handler::Call(endpoint) if !source::can_derive(endpoint, &args) => {
            app.rest.call(caller, tool, endpoint, &args).await
        }
        // In boxes: what composes is large, and every call would be as large as the largest.
        Handler::Call(endpoint) => Box::pin(source::answer(app, caller, tool, endpoint, &args)).await,
        Handler::ResultQuery => Box::pin(query::query(app, caller, &args)).await,
        Handler::Status => Ok(Box::pin(status::get(&app.rest, caller)).await),
        Handler::ImagesDownload(endpoints) => {
            Box::pin(images::download(app, caller, tool, endpoints, &args)).await
        }
        Handler::ScreenshotGet(endpoints) => {
            Box::pin(screenshot::get(app, caller, tool, endpoints, &args)).await
        }
        Handler::NodesSearch(_) => Box::pin(search::run(app, caller, tool, &args)).await,
        Handler::CommentsDigest(endpoint) => {
            Box::pin(comments::digest_of(app, caller, tool, endpoint, &args)).await
        }
        Handler::Handoff(_) => Box::pin(handoff::get(app, caller, tool, &args)).await,
        Handler::DesignContext(_) => Box::pin(context::run(app, caller, tool, &args)).await,
        Handler::Outline(_) => Box::pin(official::outline(app, caller, tool, &args)).await,
        Handler::VariableDefs(_) => Box::pin(official::variables(app, caller, tool, &args)).await,
        Handler::TeamGet(endpoint) => Box::pin(teams::get(&app.rest, caller, tool, endpoint, &args)).await,
    }
}

/// An argument that is a text; empty where it is not given.
fn text<'a>(args: &'a Args, name: &str) -> &'a str {
    args.get(name).and_then(serde_json::Value::as_str).unwrap_or_default()
}
