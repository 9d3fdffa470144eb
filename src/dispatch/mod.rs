//! Runs one tool: checks its arguments, then makes one call or one composition of calls.
//!
//! The MCP server and the command line both end here: one pipeline, two shells. This room knows
//! neither MCP nor the terminal.

mod comments;
mod context;
mod handoff;
mod images;
mod outline;
mod picture;
mod screenshot;
mod search;
pub mod source;
mod status;
pub mod suggest;
mod teams;
mod variables;

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use tokio_util::task::TaskTracker;

pub use crate::disk::ImageDir;
pub use crate::rest::{
    Network, Saved, Stats, Store,
    document::fetch,
    download::Downloads,
    forget, forget_answers,
    response::{Form, Image, Output},
};
use crate::{
    auth::Caller,
    error::{Error, Result},
    rest::Rest,
    table::{self, Handler, NameSet, Selection, Tool, args::Args, args::Defaults, args::nearest},
};

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
            image_dir: None,
            writes: TaskTracker::new(),
            variables: variables::Memory::default(),
        }
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
        return Box::pin(handle(app, caller, tool, args)).await;
    }
    let (owned, caller) = (app.clone(), caller.clone());
    let write = app.writes.spawn(async move { handle(&owned, &caller, tool, args).await });
    write.await.unwrap_or_else(|_| Err(Error::Bug { problem: format!("{} broke off", tool.name) }))
}

async fn handle(app: &App, caller: &Caller, tool: &'static Tool, args: Args) -> Result<Output> {
    match &tool.handler {
        Handler::Status => Ok(status::get(&app.rest, caller).await),
        Handler::Call(endpoint) if source::can_derive(endpoint, &args) => {
            source::answer(app, caller, tool, endpoint, &args).await
        }
        Handler::Call(endpoint) => app.rest.call(caller, tool, endpoint, &args).await,
        // In boxes: what composes is large, and every call would be as large as the largest.
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
        Handler::TeamGet(endpoint) => teams::get(&app.rest, caller, tool, endpoint, &args).await,
    }
}

/// An argument that is a text; empty where it is not given.
fn text<'a>(args: &'a Args, name: &str) -> &'a str {
    args.get(name).and_then(serde_json::Value::as_str).unwrap_or_default()
}
