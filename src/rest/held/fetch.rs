//! A whole file on its way in: to whoever reads it, and into the store; never held in memory.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use bytes::Bytes;
use tokio::sync::mpsc;

use super::{
    along::Along,
    spool::{Spool, Writing},
    writer::New,
};
use crate::{
    auth::now,
    error::{Error, Result},
    rest::{Rest, SILENCE_LIMIT, broke_off, inflate::Encoding, progress, retry::Failed, unknown_encoding},
    store::{FileKey, HeldFile},
};

const MEGABYTE: usize = 1024 * 1024;

/// Where an answer goes instead of into memory.
#[derive(Debug)]
pub(in crate::rest) struct Sink {
    rest: Rest,
    new: New,
    along: Option<Arc<dyn Along>>,
    end: Mutex<Option<End>>,
    has_begun: AtomicBool,
}

/// How it came in.
#[derive(Debug)]
pub(super) enum End {
    /// It is in the store.
    Held(HeldFile),
    /// It has been read, and is on its way into the store; with when it was fetched.
    Seen(Writing, u64),
}

impl Sink {
    pub(super) const fn new(
        rest: Rest,
        key: FileKey,
        stamp: Option<String>,
        along: Option<Arc<dyn Along>>,
    ) -> Self {
        let new = New { key, stamp, at: 0 };
        Self { rest, new, along, end: Mutex::new(None), has_begun: AtomicBool::new(false) }
    }

    /// How it came in.
    pub(super) fn end(&self) -> Option<End> {
        self.end.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Whether anything of an answer has come.
    pub(super) fn has_begun(&self) -> bool {
        self.has_begun.load(Ordering::Relaxed)
    }

    /// Takes the body of an answer. What is no file comes back as text, to be explained.
    pub(in crate::rest) async fn receive(&self, response: reqwest::Response) -> Result<String, Failed> {
        let encoding = Encoding::of(response.headers()).ok_or_else(unknown_encoding)?;
        let new = New { at: now(), ..self.new.clone() };
        let at = new.at;
        let mut spool = Spool::new(&self.rest, new, encoding);
        let reader = self.along.as_ref().and_then(|along| along.begin(encoding));
        if reader.is_none() {
            spool.start();
        }
        self.pass_on(response, &mut spool, reader).await?;
        let has_seen = match &self.along {
            Some(along) => along.has_seen().await,
            None => false,
        };
        let writing = spool.end();
        let end = if has_seen {
            End::Seen(writing, at)
        } else {
            match writing.end().await {
                Ok(held) => End::Held(held),
                Err((Error::BadAnswer { .. }, start)) => {
                    return Ok(String::from_utf8_lossy(&start).into_owned());
                }
                Err((error @ Error::Unreachable { .. }, _)) => return Err(Failed::Broken(error)),
                Err((error, _)) => return Err(Failed::Answered(error)),
            }
        };
        *self.end.lock().unwrap_or_else(PoisonError::into_inner) = Some(end);
        Ok("{}".to_owned())
    }

    /// Hands the body on, to the reader first.
    async fn pass_on(
        &self,
        mut response: reqwest::Response,
        spool: &mut Spool,
        mut reader: Option<mpsc::Sender<Bytes>>,
    ) -> Result<(), Failed> {
        let mut size = 0;
        loop {
            let chunk = tokio::time::timeout(SILENCE_LIMIT, response.chunk())
                .await
                .map_err(|_| Failed::Broken(Error::TimedOut { limit: SILENCE_LIMIT }))?
                .map_err(broke_off)?;
            let before = size;
            size += chunk.as_ref().map_or(0, Bytes::len);
            if before == 0 || size / MEGABYTE > before / MEGABYTE {
                progress::tell(|| format!("Fetching the file: {} MB so far", size / MEGABYTE));
            }
            self.has_begun.store(true, Ordering::Relaxed);
            let Some(chunk) = chunk else { return Ok(()) };
            if let Some(one) = &reader
                && one.send(chunk.clone()).await.is_err()
            {
                // It has seen what is wrong with the file; the writer says it.
                reader = None;
            }
            if spool.put(chunk).await.is_break() {
                return Ok(());
            }
        }
    }
}
