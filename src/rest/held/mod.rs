//! Whole files, held: fetched once with one tier 1 call, and everything later is answered from them.

mod along;
mod derive;
mod fetch;
mod fetches;
mod index;
mod pages;
mod spool;
mod text;
mod writer;

use std::{io, sync::Arc, time::Duration};

use futures_util::FutureExt;
use serde_json::{Map, Value, json};
use tokio::sync::Notify;

pub use self::{along::Told, text::Composed};
use self::{
    along::{Along, Reading, Seen},
    derive::Derivation,
    fetch::End,
    index::MOST_NODES,
    writer::Facts,
};
pub(super) use self::{fetch::Sink, fetches::Fetches};
use super::{Freshness, Rest, UNKNOWN_LIFETIME, kept::is_passing, response::Asked};
use crate::{
    auth::{Caller, now, time::moment},
    error::{Error, Result, span},
    store::{FileKey, HeldFile, Kind, TooLarge},
    table::{self, Endpoint, Tool},
    walk::Visitor,
};

/// The endpoint that answers with a whole file.
pub const FILE: &str = "/v1/files/{file_key}";
/// The endpoint that answers with some of its nodes.
pub const NODES: &str = "/v1/files/{file_key}/nodes";
/// The most that a file may have, inflated.
pub const LARGEST_FILE: u64 = 256 * 1024 * 1024;
/// How long whoever has read a file that came in has the processors and the store to themselves, unless
/// somebody else waits for the file: their answer comes first, then the file is written down.
const HEAD_START: Duration = Duration::from_millis(50);
/// How long a file without a known stamp counts as too large, in seconds.
const TOO_LARGE_LIFETIME: u64 = 86_400;

/// A file that is held here. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Held {
    rest: Rest,
    id: i64,
    facts: Arc<Facts>,
    /// When it was fetched, in seconds since 1970.
    at: u64,
    is_stale: bool,
    calls: u32,
    /// What was told with Figma's answer, a sentence each.
    notes: Arc<Vec<String>>,
}

/// What is known of reading a file as a whole, before it is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outlook {
    /// It is held: that takes no call.
    Held,
    /// Figma does not send it in one piece.
    InParts,
    /// It takes a tier 1 call, and Figma may refuse it.
    Unknown,
}

/// How a file is there.
#[derive(Debug)]
pub enum Reached<V> {
    /// It was fetched for this call: this visitor has seen all of it.
    Read(V, Provenance),
    /// It is held.
    Held(Held),
}

/// The same for whoever has its visitor.
enum Came {
    Held(Held),
    Seen(Seen),
}

/// Where what was read comes from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Provenance {
    /// The file's name.
    pub name: Option<String>,
    /// The version that was read.
    pub version: Option<String>,
    /// When the file was last changed, as Figma writes it.
    pub last_modified: Option<String>,
    /// When Figma sent it, in seconds since 1970.
    pub fetched_at: u64,
    /// How long ago that is.
    pub age: Duration,
    /// Whether it was read from a file that is held here.
    pub derived: bool,
    /// Whether the file may have changed since: Figma could not be asked.
    pub stale: bool,
    /// How many tier 1 calls this took.
    pub calls: u32,
    /// What the reader has to know, a sentence each.
    pub notes: Vec<String>,
}

impl Provenance {
    /// For [`Output::meta`](super::response::Output::meta), under the key `cache`.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({
            "derived": self.derived,
            "stale": self.stale,
            "version": self.version,
            "last_modified": self.last_modified,
            "fetched_at": moment(self.fetched_at),
            "age_s": self.age.as_secs(),
            "tier_1_calls": self.calls,
        })
    }
}

impl Held {
    fn new(rest: &Rest, file: &HeldFile, is_stale: bool, calls: u32) -> Option<Self> {
        let facts = serde_json::from_str(&file.facts).ok()?;
        let (rest, facts, notes) = (rest.clone(), Arc::new(facts), Arc::default());
        Some(Self { rest, id: file.id, facts, at: file.at, is_stale, calls, notes })
    }

    fn facts(&self) -> &Facts {
        &self.facts
    }

    fn pieces(&self, kind: Kind, from: u32, count: u32) -> io::Result<Vec<Vec<u8>>> {
        self.rest.store().pieces(self.id, kind, from, count).map_err(io::Error::other)
    }

    /// What is told of what is read from it.
    #[must_use]
    pub fn provenance(&self) -> Provenance {
        let age = Duration::from_secs(now().saturating_sub(self.at));
        let mut notes = self.notes.to_vec();
        if self.is_stale {
            notes.push(format!(
                "This answer is from {} ago and may be out of date: Figma could not be asked whether the file has changed.",
                span(age)
            ));
        }
        Provenance {
            name: self.facts.name.clone(),
            version: self.facts.version.clone(),
            last_modified: self.facts.last_modified.clone(),
            fetched_at: self.at,
            age,
            derived: true,
            stale: self.is_stale,
            calls: self.calls,
            notes,
        }
    }

    /// What `/files` would answer: all of it, or these nodes with what is in and above them, so many
    /// levels deep. Blocks.
    ///
    /// # Errors
    /// When the file is not held any more.
    pub fn file(&self, ids: Option<&[String]>, depth: Option<u64>) -> Result<Composed> {
        Derivation::of(self).file(ids, depth).map_err(lost)
    }

    /// What `/nodes` would answer, and which ids it would have no node for. Blocks.
    ///
    /// # Errors
    /// When the file is not held any more.
    pub fn nodes(&self, ids: &[String], depth: Option<u64>) -> Result<(Composed, Vec<String>)> {
        Derivation::of(self).nodes(ids, depth).map_err(lost)
    }
}

/// A held file cannot be read any more: another process has replaced it, or the disk fails.
pub fn lost(error: io::Error) -> Error {
    error
        .downcast()
        .unwrap_or_else(|error| Error::File { path: "a held file".to_owned(), problem: error.to_string() })
}

impl Rest {
    /// The whole file (the current version unless one is named), from the store or with one tier 1 call.
    ///
    /// # Errors
    /// [`Error::TooLarge`] when Figma does not make one answer of it, which is remembered; else what
    /// stands in the way.
    pub async fn hold(
        &self,
        caller: &Caller,
        tool: &'static Tool,
        file: &str,
        version: Option<&str>,
    ) -> Result<Held> {
        match self.hold_for(caller, tool, (file, version), None).await? {
            Came::Held(held) => Ok(held),
            Came::Seen(_) => Err(unreadable()),
        }
    }

    /// The same, read along by whoever wants to if it is fetched for this call; then nobody waits until it
    /// is in the store.
    async fn hold_for(
        &self,
        caller: &Caller,
        tool: &'static Tool,
        (file, version): (&str, Option<&str>),
        along: Option<Arc<dyn Along>>,
    ) -> Result<Came> {
        let (key, freshness) = self.key_of_file(caller, file, version).await?;
        let (kept, too_large) = self.store().known_file(key.clone()).await?;
        if let Some(file) = &kept
            && let Some(is_stale) = judge(file, &freshness)
        {
            self.inner.tally.held(Some(is_stale));
            return Held::new(self, file, is_stale, 0).ok_or_else(unreadable).map(Came::Held);
        }
        let stamp = stamp_of(freshness);
        self.inner.tally.held(None);
        check_size(too_large, stamp.as_deref())?;
        let begin = |awaited| {
            let (rest, caller, key) = (self.clone(), caller.clone(), key.clone());
            let along = along.clone().map(|along| (along, awaited));
            async move { rest.fetch(&caller, tool, key, stamp, along).await }.boxed()
        };
        let (fetch, is_first) = self.inner.fetches.join(&key, begin);
        let seen = async {
            match &along {
                Some(along) if is_first => along.seen().await,
                _ => std::future::pending().await,
            }
        };
        let fetched = tokio::select! {
            biased;
            fetched = fetch.clone() => fetched,
            seen = seen => {
                self.inner.fetches.keep(&key, fetch);
                return Ok(Came::Seen(seen));
            }
        };
        let held = match (fetched, kept) {
            (Ok((file, notes)), _) => {
                let held = Held::new(self, &file, false, u32::from(is_first)).ok_or_else(unreadable)?;
                Ok(if is_first { Held { notes, ..held } } else { held })
            }
            (Err(error), Some(kept)) if is_passing(&error) => Held::new(self, &kept, true, 0).ok_or(error),
            (Err(error), _) => Err(error),
        };
        held.map(Came::Held)
    }

    /// The same, shown to a visitor while it comes in if it is fetched for this call: it need not be read
    /// back. `make` makes the visitor, once for each try of the download.
    ///
    /// # Errors
    /// As [`Rest::hold`].
    pub async fn hold_reading<V: Visitor + Send + 'static>(
        &self,
        caller: &Caller,
        tool: &'static Tool,
        file: (&str, Option<&str>),
        make: impl Fn() -> V + Send + Sync + 'static,
    ) -> Result<Reached<V>> {
        let reading = Reading::new(make, self.inner.fetches.places.clone());
        let came = self.hold_for(caller, tool, file, Some(reading.clone())).await?;
        match (came, reading.take()) {
            (Came::Held(held), None) => Ok(Reached::Held(held)),
            (Came::Held(held), Some(told)) => Ok(Reached::Read(told.visitor, held.provenance())),
            (Came::Seen(seen), Some(told)) => {
                let (visitor, provenance) = told.into_parts(seen.at);
                let notes = seen.notes.to_vec();
                Ok(Reached::Read(visitor, Provenance { derived: true, notes, ..provenance }))
            }
            (Came::Seen(_), None) => Err(unreadable()),
        }
    }

    /// Where a file is held, and what is known of its present state.
    async fn key_of_file(
        &self,
        caller: &Caller,
        file: &str,
        version: Option<&str>,
    ) -> Result<(FileKey, Freshness)> {
        let key = FileKey {
            caller: self.caller_key(caller).await?,
            file: file.to_owned(),
            version: version.unwrap_or_default().to_owned(),
        };
        let freshness = match version {
            Some(version) => Freshness::Current(version.to_owned()),
            None => self.stamp(caller, file).await,
        };
        if let Freshness::Refused(error) = freshness { Err(error) } else { Ok((key, freshness)) }
    }

    /// The same, and the stamp that a file fetched now has.
    async fn present(
        &self,
        caller: &Caller,
        file: &str,
        version: Option<&str>,
    ) -> Result<(FileKey, Option<String>)> {
        let (key, freshness) = self.key_of_file(caller, file, version).await?;
        Ok((key, stamp_of(freshness)))
    }

    /// The current version of a file, if it is held and may be shown. It is never fetched for this.
    ///
    /// # Errors
    /// What stands in the way of the store; Figma's refusal.
    pub async fn held(&self, caller: &Caller, file: &str) -> Result<Option<Held>> {
        let key =
            FileKey { caller: self.caller_key(caller).await?, file: file.to_owned(), version: String::new() };
        self.inner.fetches.kept(&key).await;
        let Some(kept) = self.store().held_file(key).await? else { return Ok(None) };
        let freshness = self.stamp(caller, file).await;
        if let Freshness::Refused(error) = freshness {
            return Err(error);
        }
        let is_current = judge(&kept, &freshness) == Some(false);
        Ok(Held::new(self, &kept, !is_current, 0))
    }

    /// What to expect of [`Rest::hold`]. It is never fetched for this.
    ///
    /// # Errors
    /// What stands in the way of the store; Figma's refusal.
    pub async fn outlook(&self, caller: &Caller, file: &str, version: Option<&str>) -> Result<Outlook> {
        let (key, freshness) = self.key_of_file(caller, file, version).await?;
        self.inner.fetches.kept(&key).await;
        let (kept, too_large) = self.store().known_file(key).await?;
        if kept.is_some_and(|file| judge(&file, &freshness).is_some()) {
            return Ok(Outlook::Held);
        }
        match check_size(too_large, stamp_of(freshness).as_deref()) {
            Ok(()) => Ok(Outlook::Unknown),
            Err(Error::TooLarge { .. }) => Ok(Outlook::InParts),
            Err(error) => Err(error),
        }
    }

    /// The keys and names of the files that are held for this caller, the latest used first.
    ///
    /// # Errors
    /// What stands in the way of the store.
    pub async fn held_names(&self, caller: &Caller) -> Result<Vec<(String, String)>> {
        let key = self.caller_key(caller).await?;
        self.inner.fetches.kept_of(&key).await;
        let held = self.store().held_files(key).await?;
        let name = |facts: &str| serde_json::from_str::<Facts>(facts).ok().and_then(|facts| facts.name);
        Ok(held.into_iter().map(|(key, facts)| (key, name(&facts).unwrap_or_default())).collect())
    }

    /// Fetches a file into the store.
    async fn fetch(
        self,
        caller: &Caller,
        tool: &'static Tool,
        key: FileKey,
        stamp: Option<String>,
        along: Option<(Arc<dyn Along>, Arc<Notify>)>,
    ) -> Result<(HeldFile, Arc<Vec<String>>)> {
        let endpoint = endpoint(FILE)?;
        let mut args: Map<String, Value> = Map::from_iter([("file_key".to_owned(), json!(key.file))]);
        if !key.version.is_empty() {
            args.insert("version".to_owned(), json!(key.version));
        }
        let reader = along.as_ref().map(|(along, _)| along.clone());
        let sink = Sink::new(self.clone(), key.clone(), stamp.clone(), reader);
        let asked = Asked { tool, endpoint, args: &args, token: caller.description() };
        match self.send(caller, asked, self.inner.call_limit, Some(&sink)).await {
            Ok(output) => {
                let notes = Arc::new(output.notes);
                let held = match sink.end() {
                    Some(End::Held(held)) => held,
                    Some(End::Seen(writing, at)) => {
                        if let Some((along, awaited)) = along {
                            along.tell(Seen { at, notes: notes.clone() });
                            drop(tokio::time::timeout(HEAD_START, awaited.notified()).await);
                        }
                        writing.held().await?
                    }
                    None => return Err(Error::BadAnswer { problem: "it is no file".to_owned() }),
                };
                Ok((held, notes))
            }
            Err(error) => {
                let error = match error {
                    Error::TimedOut { limit } if sink.has_begun() => too_slow(limit),
                    error => error,
                };
                if matches!(error, Error::TooLarge { .. }) {
                    self.store().note_too_large(key, stamp, now()).await?;
                }
                Err(error)
            }
        }
    }
}

/// # Errors
/// When this file, in its present state, is known to be too large for one answer.
fn check_size(noted: Option<TooLarge>, stamp: Option<&str>) -> Result<()> {
    let Some(noted) = noted else { return Ok(()) };
    let is_known = match stamp {
        Some(stamp) => noted.stamp.as_deref() == Some(stamp),
        None => now().saturating_sub(noted.at) < TOO_LARGE_LIFETIME,
    };
    if is_known { Err(too_large()) } else { Ok(()) }
}

fn stamp_of(freshness: Freshness) -> Option<String> {
    match freshness {
        Freshness::Current(stamp) => Some(stamp),
        Freshness::Stale(_) | Freshness::Unknown | Freshness::Refused(_) => None,
    }
}

/// Whether a held file may be shown, and then whether it is stale.
fn judge(file: &HeldFile, freshness: &Freshness) -> Option<bool> {
    match freshness {
        Freshness::Current(stamp) => (file.stamp.as_ref() == Some(stamp)).then_some(false),
        Freshness::Stale(_) => Some(true),
        Freshness::Unknown => (now().saturating_sub(file.at) < UNKNOWN_LIFETIME.as_secs()).then_some(false),
        Freshness::Refused(_) => None,
    }
}

fn too_large() -> Error {
    Error::TooLarge {
        limit: "Figma does not send this file in one piece".to_owned(),
        smaller: "Call again with `depth`: 1 for the outline, then pass `ids` of what is needed.",
    }
}

fn too_large_to_hold() -> Error {
    Error::TooLarge {
        limit: format!(
            "it exceeds the {} MB or {MOST_NODES} nodes that are read at most",
            LARGEST_FILE / 1024 / 1024
        ),
        smaller: "Ask for less: `depth` for an outline, `ids` for a part.",
    }
}

fn too_slow(limit: Duration) -> Error {
    Error::TooLarge {
        limit: format!("it did not come within {}", span(limit)),
        smaller: "Call again with `depth`: 1 for the outline, then pass `ids` of what is needed.",
    }
}

fn unreadable() -> Error {
    Error::Bug { problem: "a held file cannot be read".to_owned() }
}

/// The endpoint with this path.
///
/// # Errors
/// When no tool calls it.
pub fn endpoint(path: &str) -> Result<&'static Endpoint> {
    let found = table::tools().find_map(|tool| tool.endpoint().filter(|endpoint| endpoint.path == path));
    found.ok_or_else(|| Error::Bug { problem: format!("no tool calls {path}") })
}

#[cfg(test)]
mod tests;
