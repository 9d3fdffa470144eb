//! Whether a file has changed: its stamp, from its metadata.
//!
//! The stamp is what Figma says of the file's last change (`last_touched_at`, which also moves for what
//! `version` lags behind). Asking is a tier 3 call that saves tier 1 calls, of which some seats have a
//! handful a month. It is asked at most once in [`LIFETIME`] for a file and a caller, by all processes
//! together, and by one call at a time.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::{Duration, Instant},
};

use serde_json::{Map, Value};

use super::{Rest, lane::Lane, members::Members, response::Asked};
use crate::{
    auth::{Caller, now, random},
    error::{Error, Result},
    store::{CallerKey, Seen},
    table::{self, Endpoint, Tool},
};

/// How long a stamp counts as current.
const LIFETIME: Duration = Duration::from_secs(30);
/// How long the next ones are not tried again after one could not be asked for.
const TROUBLE_LIFETIME: Duration = Duration::from_secs(2);
/// How long an answer counts as current where the token may not ask for the file's metadata.
pub const UNKNOWN_LIFETIME: Duration = Duration::from_secs(300);
/// A stamp that takes longer than this is not worth waiting for.
const LIMIT: Duration = Duration::from_secs(10);
/// Beyond this many files of one caller, those that nobody asks for right now are forgotten.
const MOST_FILES: usize = 1024;
/// Where the metadata is.
const PATH: &str = "/v1/files/{file_key}/meta";

/// How much is known of a file's current state.
#[derive(Debug, Clone, PartialEq)]
pub enum Freshness {
    /// Its stamp, at most 30 s old.
    Current(String),
    /// It cannot be asked for now (the network, a rate limit): the last known stamp, if there is one.
    /// What is kept may be shown, marked as stale.
    Stale(Option<String>),
    /// The token may not ask: an answer counts as current for [`UNKNOWN_LIFETIME`].
    Unknown,
    /// Figma refuses the file or the token: nothing that is kept may be shown.
    Refused(Error),
}

impl Freshness {
    const fn lifetime(&self) -> Duration {
        match self {
            Self::Current(_) | Self::Unknown => LIFETIME,
            Self::Stale(_) | Self::Refused(_) => TROUBLE_LIFETIME,
        }
    }
}

/// One caller's files.
#[derive(Debug, Default)]
pub(super) struct Stamps(Mutex<HashMap<String, Arc<File>>>);

/// What is known of one file. Whoever asks holds the lock, and the others get its answer.
type File = tokio::sync::Mutex<Option<(Instant, Freshness)>>;

impl Stamps {
    fn of(&self, file: &str) -> Arc<File> {
        let mut files = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if files.len() >= MOST_FILES && !files.contains_key(file) {
            files.retain(|_, known| Arc::strong_count(known) > 1);
        }
        files.entry(file.to_owned()).or_default().clone()
    }

    /// Forgets a file, which has just been changed.
    pub(super) fn forget(&self, file: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(file);
    }
}

impl Rest {
    /// What stands for this caller in the store, in all processes.
    ///
    /// # Errors
    /// When the store cannot be used.
    pub async fn caller_key(&self, caller: &Caller) -> Result<CallerKey> {
        let lane = self.inner.lanes.of(caller.fingerprint());
        self.key_of(&lane, caller).await
    }

    pub(super) async fn key_of(&self, lane: &Lane, caller: &Caller) -> Result<CallerKey> {
        let make = async || {
            let store = &self.inner.store;
            let secret = store.secret(random()).await?;
            let key = CallerKey(caller.lasting(&secret, &self.inner.base_url));
            let login = caller.login().map(|login| CallerKey(login.lasting(&secret)));
            store.meet(key, login).await?;
            Ok(key)
        };
        lane.key.get_or_try_init(make).await.copied()
    }

    /// The stamp of a file, as this caller may see it.
    pub async fn stamp(&self, caller: &Caller, file: &str) -> Freshness {
        let lane = self.inner.lanes.of(caller.fingerprint());
        let known = lane.stamps.of(file);
        let mut known = known.lock().await;
        if let Some((at, freshness)) = &*known
            && at.elapsed() < freshness.lifetime()
        {
            return freshness.clone();
        }
        let (age, freshness) = self.look_up(&lane, caller, file).await;
        *known = Instant::now().checked_sub(age).map(|at| (at, freshness.clone()));
        freshness
    }

    /// From the store, where another process has asked lately; else from Figma. The age of the answer
    /// comes first.
    async fn look_up(&self, lane: &Lane, caller: &Caller, file: &str) -> (Duration, Freshness) {
        let store = &self.inner.store;
        let Ok(key) = self.key_of(lane, caller).await else { return (Duration::ZERO, Freshness::Unknown) };
        let seen = store.stamp(key, file.to_owned()).await.ok().flatten();
        if let Some(seen) = &seen
            && let Some(age) = now().checked_sub(seen.at).filter(|age| *age < LIFETIME.as_secs())
        {
            let freshness = seen.stamp.clone().map_or(Freshness::Unknown, Freshness::Current);
            return (Duration::from_secs(age), freshness);
        }
        let freshness = self.ask_figma(caller, file, seen.and_then(|seen| seen.stamp)).await;
        let stamp = match &freshness {
            Freshness::Current(stamp) => Some(stamp.clone()),
            Freshness::Unknown => None,
            Freshness::Stale(_) | Freshness::Refused(_) => return (Duration::ZERO, freshness),
        };
        store.note_stamp(key, file.to_owned(), Seen { at: now(), stamp });
        (Duration::ZERO, freshness)
    }

    /// Asks once: what stands in the way of this call stands in the way of the next one too, which will
    /// say so.
    async fn ask_figma(&self, caller: &Caller, file: &str, last: Option<String>) -> Freshness {
        let Some((tool, endpoint)) = metadata() else { return Freshness::Unknown };
        if !caller.can_call_endpoint(endpoint) {
            return Freshness::Unknown;
        }
        let args = Map::from_iter([("file_key".to_owned(), Value::from(file))]);
        let asked = Asked { tool, endpoint, args: &args, token: caller.description() };
        let answer = self.send_once(caller, asked, LIMIT.min(self.inner.call_limit)).await;
        match answer.and_then(|answer| read(&answer.body)) {
            Ok(stamp) => Freshness::Current(stamp),
            Err(Error::MissingScope { .. }) => Freshness::Unknown,
            Err(
                Error::RateLimited(_)
                | Error::Unreachable { .. }
                | Error::TimedOut { .. }
                | Error::FigmaFailed { .. }
                | Error::BadAnswer { .. }
                | Error::Busy { .. },
            ) => Freshness::Stale(last),
            Err(error) => Freshness::Refused(error),
        }
    }
}

/// The tool and the endpoint that tell a file's metadata.
fn metadata() -> Option<(&'static Tool, &'static Endpoint)> {
    static FOUND: OnceLock<Option<(&'static Tool, &'static Endpoint)>> = OnceLock::new();
    *FOUND.get_or_init(|| {
        table::tools().find_map(|tool| {
            let endpoint = tool.endpoint().filter(|endpoint| endpoint.path == PATH)?;
            Some((tool, endpoint))
        })
    })
}

/// The stamp in the metadata of a file.
///
/// # Errors
/// [`Error::BadAnswer`] where there is none.
fn read(body: &str) -> Result<String> {
    let metadata = Members::parse(body)?;
    let text = |name: &str| metadata.at(name).and_then(|value| Some(value.as_str()?.to_owned()));
    let touched = text("/file/last_touched_at").or_else(|| text("/last_touched_at"));
    let version = text("/file/version").or_else(|| text("/version"));
    match (touched, version) {
        (None, None) => Err(Error::BadAnswer { problem: "it does not say when the file changed".to_owned() }),
        (touched, version) => {
            Ok([touched, version].map(Option::unwrap_or_default).join(" ").trim().to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_holds_the_last_change_and_the_version() {
        let body = r#"{"file":{"name":"x","last_touched_at":"2026-01-01T00:00:00Z","version":"42"}}"#;
        assert_eq!(read(body).unwrap(), "2026-01-01T00:00:00Z 42");
        assert_eq!(read(r#"{"version":"42"}"#).unwrap(), "42");
        assert_eq!(read("{}").unwrap_err().kind(), "bad_answer");
        assert!(metadata().is_some());
    }
}
