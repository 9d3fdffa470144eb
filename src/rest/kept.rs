//! Kept answers: a read that depends on a file alone is answered from the store until the file changes.
//!
//! Whether it has changed is known from its stamp ([`super::stamp`]); a request for an explicit version
//! needs none, since versions do not change. Where Figma cannot be asked (a closed gate, the network) an
//! older answer is better than none: it is shown and marked as stale. Where Figma refuses the file,
//! nothing is shown, and what was kept of it for this caller is dropped.

use std::{
    io::{self, Read, Write},
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use flate2::{Compression, read::ZlibDecoder, write::ZlibEncoder};
use serde_json::{Value, json};

use super::{
    Freshness, Rest, UNKNOWN_LIFETIME,
    request::Request,
    response::{self, Answer, Asked, Form, Headers, Output},
};
use crate::{
    auth::{Caller, now},
    error::{Error, Result, span},
    store::{CallerKey, Head, Kept, Place},
    table::PartialFailures,
};

/// A store that takes longer than this is not waited for.
const STORE_LIMIT: Duration = Duration::from_secs(2);
/// Larger bodies are packed and unpacked beside the asynchronous threads.
const LARGE: usize = 64 * 1024;
const DAY: u64 = 86_400;

/// How often what was kept was of use, since this process began.
#[derive(Debug, Default)]
pub(super) struct Tally {
    hits: AtomicU64,
    misses: AtomicU64,
    stale: AtomicU64,
    pub(super) joined: AtomicU64,
}

impl Tally {
    /// A whole file was held (or held, but not current), or had to be fetched.
    pub(super) fn held(&self, is_stale: Option<bool>) {
        let count = match is_stale {
            Some(false) => &self.hits,
            Some(true) => &self.stale,
            None => &self.misses,
        };
        count.fetch_add(1, Ordering::Relaxed);
    }
}

/// How often calls to Figma were saved, since this process began.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Saved {
    /// Reads that were answered by a current kept answer.
    pub hits: u64,
    /// Reads that could have been, and were not kept or not current.
    pub misses: u64,
    /// Reads that were answered by an old one, since Figma could not be asked.
    pub stale: u64,
    /// Reads that shared another one's call.
    pub joined: u64,
}

/// What a kept answer is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Worth {
    /// As good as Figma's.
    Current,
    /// All there is while Figma cannot be asked whether the file has changed.
    Stale,
    /// The file has changed, or may have: only where Figma fails.
    Old,
}

impl Rest {
    /// How often calls to Figma were saved.
    pub fn saved(&self) -> Saved {
        let of = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let Tally { hits, misses, stale, joined } = &self.inner.tally;
        Saved { hits: of(hits), misses: of(misses), stale: of(stale), joined: of(joined) }
    }

    /// Answers from what is kept, else from Figma; keeps Figma's answer for so many days at most.
    pub(super) async fn kept(&self, caller: &Caller, asked: Asked<'_>, days: u32) -> Result<Output> {
        let Ok(caller_key) = self.caller_key(caller).await else { return self.joined(caller, asked).await };
        let (place, freshness) = self.place(caller, caller_key, asked).await;
        let found = tokio::time::timeout(STORE_LIMIT, self.inner.store.answer(place)).await;
        let found = found.ok().and_then(Result::ok).flatten();
        let worth = found.as_ref().and_then(|kept| worth(&kept.head, &freshness, now()));
        let tally = &self.inner.tally;
        let (found, is_old) = match (found, worth) {
            (Some(kept), Some(Worth::Current)) => match shown(&kept, asked, None).await {
                Ok(output) => {
                    tally.hits.fetch_add(1, Ordering::Relaxed);
                    return Ok(output);
                }
                // It cannot be read: as if it were not there.
                Err(_) => (None, false),
            },
            (Some(kept), Some(Worth::Stale)) => {
                let reason = "Figma could not be asked whether the file has changed";
                match shown(&kept, asked, Some(reason)).await {
                    Ok(output) => {
                        tally.stale.fetch_add(1, Ordering::Relaxed);
                        return Ok(output);
                    }
                    Err(_) => (None, false),
                }
            }
            (found, worth) => (found, worth == Some(Worth::Old)),
        };
        tally.misses.fetch_add(1, Ordering::Relaxed);
        match self.joined(caller, asked).await {
            Ok(output) if matches!(freshness, Freshness::Refused(_)) => Ok(output),
            Ok(output) => self.keep(place, asked, &freshness, days, output).await,
            Err(error) if is_passing(&error) && is_old => match found {
                Some(kept) => {
                    tally.stale.fetch_add(1, Ordering::Relaxed);
                    shown(&kept, asked, Some(&error.to_string())).await.map_err(|_| error)
                }
                None => Err(error),
            },
            Err(error) => {
                if matches!(
                    error,
                    Error::NotFound { .. } | Error::NoAccess { .. } | Error::NotExportable { .. }
                ) {
                    self.inner.store.drop_answers_of(caller_key, asked.file().to_owned());
                }
                Err(error)
            }
        }
    }

    /// Where this call's answer is kept, and what is known of its file's present state.
    async fn place(&self, caller: &Caller, caller_key: CallerKey, asked: Asked<'_>) -> (Place, Freshness) {
        let line = Request::build(asked.endpoint, asked.args).to_string();
        let freshness = match version(asked) {
            Some(version) => Freshness::Current(format!("fixed {version}")),
            None => self.stamp(caller, asked.file()).await,
        };
        (Place { caller: caller_key, request: hash(&line) }, freshness)
    }

    /// Whether this call would be answered from what is kept. It is not made.
    pub(super) async fn has_kept(&self, caller: &Caller, asked: Asked<'_>) -> bool {
        let Ok(caller_key) = self.caller_key(caller).await else { return false };
        let (place, freshness) = self.place(caller, caller_key, asked).await;
        let head = self.inner.store.head(place).await.ok().flatten();
        matches!(head.and_then(|head| worth(&head, &freshness, now())), Some(Worth::Current | Worth::Stale))
    }

    /// Keeps an answer of Figma's and hands it back.
    async fn keep(
        &self,
        place: Place,
        asked: Asked<'_>,
        freshness: &Freshness,
        days: u32,
        mut output: Output,
    ) -> Result<Output> {
        if output.form != Form::Json || output.stored.is_some() || !output.images.is_empty() {
            return Ok(output);
        }
        let (body, packed) = packed(output.body).await?;
        output.body = body;
        let made_at = now();
        let stamp = match freshness {
            Freshness::Current(stamp) => Some(stamp.clone()),
            Freshness::Stale(_) | Freshness::Unknown | Freshness::Refused(_) => None,
        };
        // The stamp's second word.
        let of_stamp = stamp.as_deref().and_then(|stamp| stamp.split(' ').nth(1)).map(str::to_owned);
        let version = version(asked).map(str::to_owned).or(of_stamp);
        let ends_at = made_at + u64::from(days) * DAY;
        let kept = Kept { head: Head { made_at, ends_at, stamp, version }, body: packed };
        self.inner.store.keep(place, asked.file().to_owned(), kept);
        Ok(output)
    }

    /// Drops what is known of a file that has just been changed through this server.
    pub(super) async fn file_changed(&self, caller: &Caller, file: &str) {
        self.inner.lanes.of(caller.fingerprint()).stamps.forget(file);
        let store = &self.inner.store;
        let dropped = store.drop_answers(file.to_owned()).await;
        if let Err(error) = dropped.and(store.forget_stamps(file.to_owned()).await) {
            tracing::warn!(%error, file, "what was kept of a changed file could not be dropped");
        }
    }
}

/// The version of the file that was asked for, if one was.
fn version(asked: Asked<'_>) -> Option<&str> {
    asked.args.get("version").and_then(Value::as_str).filter(|version| !version.is_empty())
}

/// What a kept answer is worth, given what is known of its file; `None`: it must not be shown.
fn worth(head: &Head, freshness: &Freshness, now: u64) -> Option<Worth> {
    let is_young = now < head.made_at + UNKNOWN_LIFETIME.as_secs();
    match freshness {
        Freshness::Current(stamp) if head.stamp.as_ref() == Some(stamp) => Some(Worth::Current),
        Freshness::Unknown if is_young => Some(Worth::Current),
        Freshness::Stale(Some(stamp)) if head.stamp.as_ref() == Some(stamp) => Some(Worth::Stale),
        Freshness::Stale(_) if head.stamp.is_none() && is_young => Some(Worth::Stale),
        Freshness::Current(_) | Freshness::Unknown | Freshness::Stale(_) => Some(Worth::Old),
        Freshness::Refused(_) => None,
    }
}

/// Whether an error says nothing against showing what was true a while ago.
pub(super) const fn is_passing(error: &Error) -> bool {
    matches!(
        error,
        Error::RateLimited(_)
            | Error::Unreachable { .. }
            | Error::TimedOut { .. }
            | Error::FigmaFailed { .. }
            | Error::BadAnswer { .. }
            | Error::Busy { .. }
    )
}

/// A kept answer as an output; `reason`: why it may be out of date.
async fn shown(kept: &Kept, asked: Asked<'_>, reason: Option<&str>) -> Result<Output> {
    let body = unpacked(kept.body.clone()).await?;
    let mut output = match asked.endpoint.quirks.partial_failures {
        PartialFailures::None => Output::json(body),
        // What is missing in it is told again.
        _ => response::read(asked, Answer { status: 200, headers: Headers::default(), body })?,
    };
    let age = Duration::from_secs(now().saturating_sub(kept.head.made_at));
    let mut facts = json!({ "age_s": age.as_secs(), "version": kept.head.version });
    if let Some(reason) = reason {
        if let Value::Object(facts) = &mut facts {
            facts.insert("stale".to_owned(), Value::Bool(true));
        }
        output.notes.push(format!("This answer is from {} ago and may be out of date: {reason}.", span(age)));
    }
    output.meta.insert("cache".to_owned(), facts);
    Ok(output)
}

/// The hash of a request line.
fn hash(line: &str) -> [u8; 32] {
    let sum = ring::digest::digest(&ring::digest::SHA256, line.as_bytes());
    let mut bytes = [0; 32];
    bytes.iter_mut().zip(sum.as_ref()).for_each(|(to, from)| *to = *from);
    bytes
}

/// A body and its packed form.
async fn packed(body: String) -> Result<(String, Vec<u8>)> {
    let pack = |body: String| {
        let mut packer = ZlibEncoder::new(Vec::with_capacity(body.len() / 8), Compression::fast());
        packer.write_all(body.as_bytes()).and_then(|()| packer.finish()).map(|packed| (body, packed))
    };
    let failed = |problem: String| Error::Bug { problem: format!("an answer cannot be packed: {problem}") };
    if body.len() < LARGE {
        return pack(body).map_err(|error| failed(error.to_string()));
    }
    let packed = tokio::task::spawn_blocking(move || pack(body)).await;
    packed.map_err(|error| failed(error.to_string()))?.map_err(|error| failed(error.to_string()))
}

async fn unpacked(packed: Vec<u8>) -> Result<String> {
    let unpack = |packed: Vec<u8>| -> io::Result<String> {
        let mut body = String::new();
        ZlibDecoder::new(packed.as_slice()).read_to_string(&mut body)?;
        Ok(body)
    };
    let failed = |problem: String| Error::Bug { problem: format!("a kept answer is broken: {problem}") };
    if packed.len() < LARGE / 8 {
        return unpack(packed).map_err(|error| failed(error.to_string()));
    }
    let unpacked = tokio::task::spawn_blocking(move || unpack(packed)).await;
    unpacked.map_err(|error| failed(error.to_string()))?.map_err(|error| failed(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_worth_what_its_stamp_says() {
        use Freshness::{Current, Refused, Stale, Unknown};
        let head = |stamp: Option<&str>| Head {
            made_at: 1_000,
            ends_at: 9_000,
            stamp: stamp.map(str::to_owned),
            version: None,
        };
        let (same, other) = (|| "a".to_owned(), || "b".to_owned());
        let cases = [
            (head(Some("a")), Current(same()), 5_000, Some(Worth::Current)),
            (head(Some("a")), Current(other()), 1_001, Some(Worth::Old)),
            (head(None), Current(same()), 1_001, Some(Worth::Old)),
            (head(Some("a")), Unknown, 1_299, Some(Worth::Current)),
            (head(None), Unknown, 1_300, Some(Worth::Old)),
            (head(Some("a")), Stale(Some(same())), 5_000, Some(Worth::Stale)),
            (head(Some("a")), Stale(Some(other())), 1_001, Some(Worth::Old)),
            (head(Some("a")), Stale(None), 1_001, Some(Worth::Old)),
            (head(None), Stale(None), 1_001, Some(Worth::Stale)),
            (head(Some("a")), Refused(Error::NoToken), 1_001, None),
        ];
        for (head, freshness, now, expected) in cases {
            assert_eq!(worth(&head, &freshness, now), expected, "{head:?} {freshness:?} {now}");
        }
    }

    #[tokio::test]
    async fn what_is_packed_comes_back_and_what_is_broken_does_not() {
        for body in [String::new(), "{}".to_owned(), "ä{\"x\":1}".repeat(50_000)] {
            let (same, small) = packed(body.clone()).await.unwrap();
            assert_eq!(same, body);
            assert_eq!(unpacked(small.clone()).await.unwrap(), body);
            assert!(unpacked(small[..small.len() - 3].to_vec()).await.is_err());
        }
        assert!(unpacked(b"no such thing".to_vec()).await.is_err());
    }
}
