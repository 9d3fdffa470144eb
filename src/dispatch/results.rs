//! Results that were too large to be shown, kept for later questions.
//!
//! Each is its caller's alone: it is found by the caller's fingerprint and its id, never by the id alone.
//! A few lie in the memory; all of them in the store, where other processes of the same user find them.

use std::{
    collections::VecDeque,
    fmt,
    io::{self, Read},
    sync::{Arc, Mutex, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

use super::untrusted::{Cleaned, Within};
use crate::{
    auth::lasting,
    error::{Error, Result, ResultError},
    filter::Document,
    rest::response::{Form, Stored},
    store::{CallerKey, Store, pack, results::Row, unpack},
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
    caller: CallerKey,
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

    /// All of it.
    ///
    /// # Errors
    /// When it cannot be read, or is too large for the memory.
    pub(super) fn text(&self) -> Result<Arc<str>> {
        match &self.body {
            Body::Text(text) => Ok(text.clone()),
            Body::Stored(stored) if stored.size() <= LARGEST_STORED as u64 => {
                let mut text = String::new();
                cleaned(&**stored, self.form)
                    .and_then(|mut reader| reader.read_to_string(&mut text))
                    .map_err(|error| Error::File {
                        path: "a kept answer".to_owned(),
                        problem: error.to_string(),
                    })?;
                Ok(Arc::from(text))
            }
            Body::Stored(_) => Err(ResultError::Filter {
                problem: "is missing: this result is too large to be paged as it is".to_owned(),
                next: "Give a `filter` that begins with a path, such as `.document.children`.".to_owned(),
            }
            .into()),
            Body::Again => Err(ResultError::Gone { id: self.id.clone() }.into()),
        }
    }

    /// The bytes from an offset on, at most this many and whole characters only; and where they begin.
    pub(super) fn bytes(&self, offset: u64, most: usize) -> io::Result<(u64, String)> {
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
        let mut page = Vec::new();
        (&mut reader).take(most as u64).read_to_end(&mut page)?;
        let begun = page.iter().take_while(|byte| **byte & 0xc0 == 0x80).count();
        let whole = page.get(begun..).unwrap_or_default();
        let text = std::str::from_utf8(whole).unwrap_or_else(|error| {
            std::str::from_utf8(whole.get(..error.valid_up_to()).unwrap_or_default()).unwrap_or_default()
        });
        Ok((offset + begun as u64, text.to_owned()))
    }
}

/// A stored body without what nobody sees.
pub(super) fn cleaned(stored: &dyn Stored, form: Form) -> io::Result<Cleaned<Box<dyn Read + Send>>> {
    let within = if form == Form::Json { Within::Json } else { Within::Text };
    Ok(Cleaned::new(stored.open()?, within))
}

/// The results that lie in the memory, and the way to the others.
#[derive(Default)]
pub(super) struct Results {
    /// The most recently used last.
    memory: Mutex<VecDeque<Kept>>,
}

impl fmt::Debug for Results {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Results").finish_non_exhaustive()
    }
}

impl Results {
    /// Keeps a result for this caller. The same result has the same id.
    pub(super) async fn keep(
        &self,
        store: &Store,
        caller: CallerKey,
        (tool, arguments): (&str, &Args),
        form: Form,
        body: Body,
    ) -> Kept {
        let made = SystemTime::now();
        let (id, size) = match &body {
            Body::Text(text) => (id(caller, text), text.len() as u64),
            Body::Stored(stored) => (id(caller, &format!("{made:?}")), stored.size()),
            Body::Again => (id(caller, &format!("{made:?}")), 0),
        };
        let (tool, arguments) = (tool.to_owned(), arguments.clone());
        let kept = Kept { id, tool, arguments, form, body, size, made, caller };
        self.remember(kept.clone());
        save(store, &kept).await;
        kept
    }

    /// The result of this id, if this caller has it.
    ///
    /// # Errors
    /// [`ResultError::Gone`]
    pub(super) async fn find(&self, store: &Store, caller: CallerKey, id: &str) -> Result<Kept> {
        let remembered = {
            let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
            let position = memory.iter().position(|kept| kept.id == id && kept.caller == caller);
            position.and_then(|position| memory.remove(position))
        };
        let found = match remembered {
            Some(kept) => Some(kept),
            None => load(store, caller, id.to_owned()).await,
        };
        let kept = found.ok_or_else(|| ResultError::Gone { id: crate::error::foreign(id) })?;
        self.remember(kept.clone());
        Ok(kept)
    }

    /// This caller's results, the latest first.
    pub(super) async fn list(&self, store: &Store, caller: CallerKey) -> Vec<Kept> {
        let mut all: Vec<Kept> = {
            let memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
            memory.iter().filter(|kept| kept.caller == caller).cloned().collect()
        };
        for row in store.results(caller).await.unwrap_or_default() {
            if !all.iter().any(|kept| kept.id == row.id) {
                all.push(of_row(row, caller, Body::Again));
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
}

/// When that fails, the memory has to do.
async fn save(store: &Store, kept: &Kept) {
    let text = match &kept.body {
        Body::Text(text) if text.len() <= LARGEST_STORED => Some(text.clone()),
        _ => None,
    };
    let body = match text {
        Some(text) => tokio::task::spawn_blocking(move || pack(text.as_bytes())).await.ok(),
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
    if let Err(error) = store.keep_result(kept.caller, row).await {
        tracing::warn!(%error, "a result is kept in the memory only");
    }
}

async fn load(store: &Store, caller: CallerKey, id: String) -> Option<Kept> {
    let found = store.result(caller, id, seconds(SystemTime::now())).await;
    let mut row = found.inspect_err(|error| tracing::warn!(%error, "no result can be read")).ok()??;
    let body = match row.body.take() {
        None => Body::Again,
        Some(bytes) => {
            let text = tokio::task::spawn_blocking(move || String::from_utf8(unpack(&bytes).ok()?).ok());
            Body::Text(Arc::from(text.await.ok()??))
        }
    };
    Some(of_row(row, caller, body))
}

fn of_row(row: Row, caller: CallerKey, body: Body) -> Kept {
    Kept {
        id: row.id,
        tool: row.tool,
        arguments: serde_json::from_str(&row.arguments).unwrap_or_default(),
        form: if row.is_text { Form::Text } else { Form::Json },
        body,
        size: row.size,
        made: UNIX_EPOCH + std::time::Duration::from_secs(row.made.cast_unsigned()),
        caller,
    }
}

/// Ten letters and digits that stand for this text of this caller's.
fn id(caller: CallerKey, text: &str) -> String {
    const DIGITS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let sum = lasting(&caller.0, &[text]);
    let digit = |byte: &u8| DIGITS.get(usize::from(byte % 32)).copied().map(char::from);
    sum.iter().take(10).filter_map(digit).collect()
}

fn seconds(time: SystemTime) -> i64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: CallerKey = CallerKey([1; 32]);
    const TWO: CallerKey = CallerKey([2; 32]);

    async fn keep(results: &Results, store: &Store, caller: CallerKey, text: &str) -> String {
        let call = ("figma_file_get", &Args::new());
        results.keep(store, caller, call, Form::Json, Body::Text(Arc::from(text))).await.id
    }

    #[tokio::test]
    async fn a_result_is_found_by_its_caller_only_and_after_a_restart() {
        let (store, results) = (Store::in_memory(), Results::default());
        let id = keep(&results, &store, ONE, "[1]").await;
        assert_eq!(id.len(), 10);
        assert_eq!(keep(&results, &store, ONE, "[1]").await, id, "the same result has the same id");
        assert_ne!(keep(&results, &store, TWO, "[1]").await, id);
        assert!(results.find(&store, TWO, &id).await.is_err());
        let restarted = Results::default();
        let kept = restarted.find(&store, ONE, &id).await.unwrap();
        assert!(matches!(&kept.body, Body::Text(text) if &**text == "[1]"));
        assert!(restarted.find(&store, TWO, &id).await.is_err());
        assert_eq!(restarted.list(&store, ONE).await.len(), 1);
    }

    #[tokio::test]
    async fn the_memory_is_bounded() {
        let (store, results) = (Store::in_memory(), Results::default());
        let mut ids = Vec::new();
        for n in 0..20 {
            ids.push(keep(&results, &store, ONE, &format!("[{n}]")).await);
        }
        let held = |results: &Results| results.memory.lock().unwrap().len();
        assert_eq!(held(&results), MOST);
        assert!(results.find(&store, ONE, &ids[0]).await.is_ok(), "the store has it");
        let large = "x".repeat(LARGEST);
        for n in 0..3 {
            keep(&results, &store, ONE, &format!("{large}{n}")).await;
        }
        assert_eq!(held(&results), 1);
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
            caller: ONE,
        };
        let (mut offset, mut whole) = (0, String::new());
        while let Some((start, page)) = Some(kept.bytes(offset, 4).unwrap()).filter(|page| !page.1.is_empty())
        {
            assert_eq!(start, offset);
            offset += page.len() as u64;
            whole += &page;
        }
        assert_eq!(whole, "aäöü");
        assert_eq!(kept.bytes(2, 4).unwrap(), (3, "ö".to_owned()), "not within a character");
    }
}
