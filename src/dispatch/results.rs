//! Results that were too large to be shown, kept for later questions.
//!
//! Each is its caller's alone: it is found by the caller's fingerprint and its id, never by the id alone.
//! A few lie in the memory; all of them in the store, where other processes of the same user find them.

use std::{
    collections::VecDeque,
    fmt,
    io::{self, Read, Write},
    sync::{Arc, Mutex, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

use flate2::{Compression, read::ZlibDecoder, write::ZlibEncoder};

use super::untrusted::{Cleaned, Within};
use crate::{
    auth::Fingerprint,
    error::{Result, ResultError},
    filter::Document,
    rest::response::{Form, Stored},
    store::{
        Store,
        results::{self, Row},
    },
    table::args::Args,
};

/// How many results the memory holds, and how many bytes of them at most.
const MOST: usize = 8;
const LARGEST: usize = 8 * 1024 * 1024;
/// What is larger is not stored: only the call that gave it is.
const LARGEST_STORED: usize = 64 * 1024 * 1024;

/// A result that is kept.
#[derive(Clone)]
pub struct Kept {
    /// What it is asked for by.
    pub id: String,
    /// The tool that gave it.
    pub tool: String,
    /// The arguments of that call.
    pub arguments: Args,
    /// What it is.
    pub form: Form,
    /// Its bytes.
    pub body: Body,
    /// How many there are.
    pub size: u64,
    /// When it was made.
    pub made: SystemTime,
    caller: String,
}

/// Where a kept result's bytes are.
#[derive(Clone)]
pub enum Body {
    /// In the memory, fit for a model.
    Text(Arc<str>),
    /// Elsewhere, as it came.
    Stored(Arc<dyn Stored>),
    /// Nowhere: the same call gives it again.
    Again,
}

impl Kept {
    /// What a filter reads.
    pub(super) fn document(&self) -> io::Result<Document> {
        Ok(match &self.body {
            Body::Text(text) => Document::Text(text.clone()),
            Body::Stored(stored) => Document::Reader(Box::new(cleaned(&**stored, self.form)?)),
            Body::Again => Document::Text(Arc::from("null")),
        })
    }

    /// The bytes from an offset on, at most this many and whole characters only.
    pub(super) fn bytes(&self, offset: u64, most: usize) -> io::Result<String> {
        let mut reader: Box<dyn Read> = match &self.body {
            Body::Text(text) => {
                let from = usize::try_from(offset).unwrap_or(usize::MAX).min(text.len());
                Box::new(text.as_bytes().get(from..).unwrap_or_default())
            }
            Body::Stored(stored) => {
                let mut reader = cleaned(&**stored, self.form)?;
                io::copy(&mut (&mut reader).take(offset), &mut io::sink())?;
                Box::new(reader)
            }
            Body::Again => Box::new(io::empty()),
        };
        let mut page = Vec::with_capacity(most.min(64 * 1024));
        (&mut reader).take(most as u64).read_to_end(&mut page)?;
        Ok(String::from_utf8(page).unwrap_or_else(|error| {
            let whole = error.utf8_error().valid_up_to();
            String::from_utf8_lossy(error.as_bytes().get(..whole).unwrap_or_default()).into_owned()
        }))
    }
}

/// A stored body without what nobody sees.
pub(super) fn cleaned(stored: &dyn Stored, form: Form) -> io::Result<Cleaned<Box<dyn Read + Send>>> {
    let within = if form == Form::Json { Within::Json } else { Within::Text };
    Ok(Cleaned::new(stored.open()?, within))
}

/// All results that are kept.
#[derive(Default)]
pub(super) struct Results {
    store: Option<Arc<Store>>,
    /// The most recently used last.
    memory: Mutex<VecDeque<Kept>>,
}

impl fmt::Debug for Results {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Results").field("store", &self.store).finish_non_exhaustive()
    }
}

impl Results {
    pub(super) fn in_store(store: Arc<Store>) -> Self {
        Self { store: Some(store), memory: Mutex::default() }
    }

    /// Keeps a result for this caller. The same result has the same id.
    pub(super) async fn keep(
        &self,
        caller: &Fingerprint,
        (tool, arguments): (&str, &Args),
        form: Form,
        body: Body,
    ) -> Kept {
        let (caller, made) = (caller.text(), SystemTime::now());
        let (id, size) = match &body {
            Body::Text(text) => (id(&[&caller, text]), text.len() as u64),
            Body::Stored(stored) => (id(&[&caller, &format!("{made:?}")]), stored.size()),
            Body::Again => (id(&[&caller, &format!("{made:?}")]), 0),
        };
        let (tool, arguments) = (tool.to_owned(), arguments.clone());
        let kept = Kept { id, tool, arguments, form, body, size, made, caller };
        self.remember(kept.clone());
        self.save(&kept).await;
        kept
    }

    /// The result of this id, if this caller has it.
    ///
    /// # Errors
    /// [`ResultError::Gone`]
    pub(super) async fn find(&self, caller: &Fingerprint, id: &str) -> Result<Kept> {
        let caller = caller.text();
        let remembered = {
            let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
            let position = memory.iter().position(|kept| kept.id == id && kept.caller == caller);
            position.and_then(|position| memory.remove(position))
        };
        let found = match remembered {
            Some(kept) => Some(kept),
            None => self.load(caller, id.to_owned()).await,
        };
        let kept = found.ok_or_else(|| ResultError::Gone { id: crate::error::foreign(id) })?;
        self.remember(kept.clone());
        Ok(kept)
    }

    /// This caller's results, the latest first.
    pub(super) async fn list(&self, caller: &Fingerprint) -> Vec<Kept> {
        let caller = caller.text();
        let mut all: Vec<Kept> = {
            let memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
            memory.iter().filter(|kept| kept.caller == caller).cloned().collect()
        };
        if let Some(store) = &self.store {
            let of = caller.clone();
            let rows = store.run(move |connection| results::list(connection, &of)).await;
            for row in rows.unwrap_or_default() {
                if !all.iter().any(|kept| kept.id == row.id) {
                    all.push(of_row(row, &caller, Body::Again));
                }
            }
        }
        all.sort_by(|a, b| b.made.cmp(&a.made).then_with(|| a.id.cmp(&b.id)));
        all
    }

    fn remember(&self, kept: Kept) {
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        memory.retain(|other| other.id != kept.id || other.caller != kept.caller);
        memory.push_back(kept);
        let held = |kept: &Kept| match &kept.body {
            Body::Text(text) => text.len(),
            Body::Stored(_) | Body::Again => 0,
        };
        // The newest stays, however large: without a store it lies nowhere else.
        while memory.len() > 1 && (memory.len() > MOST || memory.iter().map(held).sum::<usize>() > LARGEST) {
            memory.pop_front();
        }
    }

    /// Without a store, or when that fails, the memory has to do.
    async fn save(&self, kept: &Kept) {
        let Some(store) = &self.store else { return };
        let text = match &kept.body {
            Body::Text(text) if text.len() <= LARGEST_STORED => Some(text.clone()),
            _ => None,
        };
        let body = match text {
            Some(text) => tokio::task::spawn_blocking(move || compressed(&text)).await.unwrap_or_default(),
            None => None,
        };
        let row = Row {
            id: kept.id.clone(),
            tool: kept.tool.clone(),
            arguments: serde_json::Value::Object(kept.arguments.clone()).to_string(),
            is_text: kept.form == Form::Text,
            body,
            size: kept.size,
            made: seconds(kept.made),
        };
        let caller = kept.caller.clone();
        if let Err(error) = store.run(move |connection| results::put(connection, &caller, &row)).await {
            tracing::warn!(%error, "a result is kept in the memory only");
        }
    }

    async fn load(&self, caller: String, id: String) -> Option<Kept> {
        let store = self.store.as_ref()?;
        let (of, now) = (caller.clone(), seconds(SystemTime::now()));
        let found = store.run(move |connection| results::get(connection, &of, &id, now)).await;
        let mut row = found
            .inspect_err(|error| tracing::warn!(%error, "the store has no results"))
            .ok()
            .flatten()?;
        let body = match row.body.take() {
            None => Body::Again,
            Some(bytes) => {
                let text = tokio::task::spawn_blocking(move || inflated(&bytes)).await.ok()??;
                Body::Text(Arc::from(text))
            }
        };
        Some(of_row(row, &caller, body))
    }
}

fn of_row(row: Row, caller: &str, body: Body) -> Kept {
    Kept {
        id: row.id,
        tool: row.tool,
        arguments: serde_json::from_str(&row.arguments).unwrap_or_default(),
        form: if row.is_text { Form::Text } else { Form::Json },
        body,
        size: row.size,
        made: UNIX_EPOCH + std::time::Duration::from_secs(u64::try_from(row.made).unwrap_or_default()),
        caller: caller.to_owned(),
    }
}

/// Ten letters and digits that stand for these parts.
fn id(parts: &[&str]) -> String {
    const DIGITS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let sum = Fingerprint::of(parts).text();
    let mut number = u64::from_str_radix(sum.get(..16).unwrap_or_default(), 16).unwrap_or_default();
    let digit = |number: u64| DIGITS.get(usize::try_from(number % 32).unwrap_or_default()).copied();
    (0..10)
        .filter_map(|_| {
            let c = digit(number).map(char::from);
            number /= 32;
            c
        })
        .collect()
}

fn seconds(time: SystemTime) -> i64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

fn compressed(text: &str) -> Option<Vec<u8>> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_bytes()).ok()?;
    encoder.finish().ok()
}

fn inflated(bytes: &[u8]) -> Option<String> {
    let mut text = String::new();
    ZlibDecoder::new(bytes).take(LARGEST_STORED as u64 + 1).read_to_string(&mut text).ok()?;
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn keep(results: &Results, caller: &Fingerprint, text: &str) -> String {
        let call = ("figma_file_get", &Args::new());
        results.keep(caller, call, Form::Json, Body::Text(Arc::from(text))).await.id
    }

    #[tokio::test]
    async fn a_result_is_found_by_its_caller_only_and_after_a_restart() {
        let store = Arc::new(Store::in_memory());
        let results = Results::in_store(store.clone());
        let (one, two) = (Fingerprint::of(&["one"]), Fingerprint::of(&["two"]));
        let id = keep(&results, &one, "[1]").await;
        assert_eq!(id.len(), 10);
        assert_eq!(keep(&results, &one, "[1]").await, id, "the same result has the same id");
        assert_ne!(keep(&results, &two, "[1]").await, id);
        assert!(results.find(&two, &id).await.is_err());
        let restarted = Results::in_store(store);
        let kept = restarted.find(&one, &id).await.unwrap();
        assert!(matches!(&kept.body, Body::Text(text) if &**text == "[1]"));
        assert!(restarted.find(&two, &id).await.is_err());
        assert_eq!(restarted.list(&one).await.len(), 1);
    }

    #[tokio::test]
    async fn the_memory_is_bounded() {
        let results = Results::default();
        let caller = Fingerprint::of(&["one"]);
        let mut ids = Vec::new();
        for n in 0..20 {
            ids.push(keep(&results, &caller, &format!("[{n}]")).await);
        }
        assert!(results.find(&caller, &ids[0]).await.is_err());
        assert!(results.find(&caller, &ids[19]).await.is_ok());
        let large = "x".repeat(LARGEST);
        for n in 0..3 {
            keep(&results, &caller, &format!("{large}{n}")).await;
        }
        assert_eq!(results.list(&caller).await.len(), 1);
    }

    #[test]
    fn pages_hold_whole_characters() {
        let kept = Kept {
            id: String::new(),
            tool: String::new(),
            arguments: Args::new(),
            form: Form::Json,
            body: Body::Text(Arc::from("aäöü")),
            size: 7,
            made: UNIX_EPOCH,
            caller: String::new(),
        };
        let (mut offset, mut whole) = (0, String::new());
        while let Some(page) = Some(kept.bytes(offset, 4).unwrap()).filter(|page| !page.is_empty()) {
            offset += page.len() as u64;
            whole += &page;
        }
        assert_eq!(whole, "aäöü");
    }
}
