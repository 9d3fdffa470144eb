//! A file that Figma does not send in one piece, put together from its pages.

use std::collections::HashMap;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Map, Value, json, value::RawValue};

use super::{FILE, Held, NODES, endpoint, spool::Spool, unreadable, writer::New};
use crate::{
    auth::{Caller, now},
    error::{Error, Result, foreign},
    rest::{
        Rest,
        inflate::Encoding,
        progress,
        response::{Asked, Output},
    },
    store::FileKey,
    table::{Endpoint, Tool, args::Args},
};

/// How many tier 1 calls a call may take without being told to, the refused one included.
const UNASKED: usize = 2;
/// What `/files` says beside its document of what the nodes use.
const USED: [&str; 3] = ["components", "componentSets", "styles"];

/// A page, as the outline tells it.
struct Page {
    id: String,
    name: String,
}

/// `/files` with `depth=1`: everything but what is on the pages.
struct Outline {
    members: Map<String, Value>,
    document: Map<String, Value>,
    pages: Vec<Page>,
}

/// An answer of `/nodes`.
#[derive(Deserialize)]
struct Answer<'a> {
    version: Option<String>,
    #[serde(borrow)]
    nodes: HashMap<String, Option<Entry<'a>>>,
}

#[derive(Deserialize)]
struct Entry<'a> {
    #[serde(borrow)]
    document: &'a RawValue,
    #[serde(flatten)]
    beside: Map<String, Value>,
}

impl Rest {
    /// The whole file, put together from an answer for each page. Pages that were fetched before are
    /// not fetched again. `most_calls`: how many tier 1 calls the pages may take; what was spent to learn of
    /// them is spent.
    ///
    /// # Errors
    /// [`Error::TooLargeFile`] when it would take more, or when a page is too large by itself;
    /// whatever Figma refused.
    pub async fn hold_by_pages(
        &self,
        caller: &Caller,
        tool: &'static Tool,
        key: (&str, Option<&str>),
        most_calls: Option<usize>,
    ) -> Result<Held> {
        let (file, stamp) = self.present(caller, key.0, key.1).await?;
        let mut args: Args = Map::from_iter([("file_key".to_owned(), json!(key.0))]);
        args.extend(key.1.map(|version| ("version".to_owned(), json!(version))));
        let with = |name: &str, value: Value| {
            let mut args = args.clone();
            args.insert(name.to_owned(), value);
            args
        };
        let outlined = self.call(caller, tool, endpoint(FILE)?, &with("depth", json!(1))).await?;
        let outline = Outline::of(&outlined.body)?;
        let asked: Vec<Args> = outline.pages.iter().map(|page| with("ids", json!([page.id]))).collect();
        let missing = self.count_missing(caller, tool, endpoint(NODES)?, &asked).await;
        let spent = 1 + usize::from(!outlined.meta.contains_key("cache"));
        let may_go_on = most_calls.map_or(spent + missing <= UNASKED, |most| missing <= most);
        if !may_go_on {
            return Err(outline.too_large(missing, None));
        }
        self.assemble(caller, tool, Parts { file, stamp, outline, asked }).await
    }

    async fn count_missing(
        &self,
        caller: &Caller,
        tool: &'static Tool,
        endpoint: &'static Endpoint,
        asked: &[Args],
    ) -> usize {
        let mut missing = 0;
        for args in asked {
            let asked = Asked { tool, endpoint, args, token: caller.description() };
            missing += usize::from(!self.has_kept(caller, asked).await);
        }
        missing
    }

    /// Fetches page after page, each into the store before the next one is asked for.
    async fn assemble(&self, caller: &Caller, tool: &'static Tool, parts: Parts) -> Result<Held> {
        let Parts { file, stamp, outline, asked } = parts;
        let mut spool = Spool::new(self, New { key: file, stamp, at: now() }, Encoding::Plain);
        let mut used = USED.map(|name| (name, Map::new()));
        let (mut calls, mut versions) = (0, vec![outline.version()]);
        // A writer that has left says why in the end.
        let _ = spool.put(outline.begin().into()).await;
        for (number, args) in asked.iter().enumerate() {
            let page = self.page(caller, tool, &outline, number, args).await?;
            calls += u32::from(page.took_a_call);
            versions.push(page.version);
            for (name, all) in &mut used {
                if let Some(Value::Object(more)) = page.beside.get(*name) {
                    all.extend(more.clone());
                }
            }
            let _ = spool.put(Bytes::from_static(if number == 0 { b"" } else { b"," })).await;
            let _ = spool.put(page.document).await;
        }
        let _ = spool.put(end(used).into()).await;
        let written = spool.end().held().await?;
        let held = Held::new(self, &written, false, calls).ok_or_else(unreadable)?;
        versions.dedup();
        let note = "The file was changed while its pages were fetched one by one: they may not fit together.";
        let notes = if versions.len() > 1 { vec![note.to_owned()] } else { Vec::new() };
        Ok(Held { notes: notes.into(), ..held })
    }

    async fn page(
        &self,
        caller: &Caller,
        tool: &'static Tool,
        outline: &Outline,
        number: usize,
        args: &Args,
    ) -> Result<Split> {
        let page = outline.pages.get(number).ok_or_else(broke_off)?;
        let (id, count) = (page.id.clone(), outline.pages.len());
        progress::tell(|| format!("Fetching page {} of {count}: {}", number + 1, foreign(&page.name)));
        let answer = match self.call(caller, tool, endpoint(NODES)?, args).await {
            Err(Error::TooLarge { .. }) => return Err(outline.too_large(count, Some(id))),
            answer => answer?,
        };
        tokio::task::spawn_blocking(move || split(answer, &id)).await.unwrap_or_else(|_| Err(broke_off()))
    }
}

/// What a file is put together from.
struct Parts {
    file: FileKey,
    stamp: Option<String>,
    outline: Outline,
    /// The arguments of the call for each page.
    asked: Vec<Args>,
}

impl Outline {
    fn of(body: &str) -> Result<Self> {
        let bad = || Error::BadAnswer { problem: "it is no outline of a file".to_owned() };
        let mut members: Map<String, Value> = serde_json::from_str(body).map_err(|_| bad())?;
        let Some(Value::Object(mut document)) = members.shift_remove("document") else { return Err(bad()) };
        let Some(Value::Array(children)) = document.shift_remove("children") else { return Err(bad()) };
        let text = |page: &Value, name: &str| page.get(name).and_then(Value::as_str).map(str::to_owned);
        let page = |page: &Value| {
            let id =
                text(page, "id").filter(|id| id.bytes().all(|byte| byte.is_ascii_digit() || byte == b':'));
            Some(Page { id: id?, name: text(page, "name").unwrap_or_default() })
        };
        let pages: Option<Vec<Page>> = children.iter().map(page).collect();
        Ok(Self { members, document, pages: pages.ok_or_else(bad)? })
    }

    fn version(&self) -> Option<String> {
        self.members.get("version").and_then(Value::as_str).map(str::to_owned)
    }

    /// The text of `/files` up to the first page.
    fn begin(&self) -> String {
        let mut text = "{".to_owned();
        for (name, value) in self.members.iter().filter(|(name, _)| !USED.contains(&name.as_str())) {
            text += &format!("{}:{value},", Value::from(name.as_str()));
        }
        text += "\"document\":{";
        for (name, value) in &self.document {
            text += &format!("{}:{value},", Value::from(name.as_str()));
        }
        text + "\"children\":["
    }

    fn too_large(&self, calls: usize, page: Option<String>) -> Error {
        let pages = self.pages.iter().map(|page| page.id.clone()).collect();
        Error::TooLargeFile { pages, calls, page }
    }
}

/// The text of `/files` after the last page.
fn end(used: [(&str, Map<String, Value>); 3]) -> String {
    let mut text = "]}".to_owned();
    for (name, all) in used {
        text += &format!(",\"{name}\":{}", Value::Object(all));
    }
    text + "}"
}

/// A page's part of `/files`.
struct Split {
    took_a_call: bool,
    document: Bytes,
    beside: Map<String, Value>,
    version: Option<String>,
}

/// Takes an answer of `/nodes` apart. Blocks.
fn split(answer: Output, id: &str) -> Result<Split> {
    let bad = |problem: &str| Error::BadAnswer { problem: format!("of page {}: {problem}", foreign(id)) };
    let took_a_call = !answer.meta.contains_key("cache");
    let text = answer.body;
    let (place, beside, version) = {
        let mut parsed: Answer<'_> = serde_json::from_str(&text).map_err(|error| bad(&error.to_string()))?;
        let entry = parsed.nodes.remove(id).flatten().ok_or_else(|| bad("it is not there any more"))?;
        let document = entry.document.get();
        // It is borrowed from the text, so the difference of their places is where it lies.
        let begin = document.as_ptr().addr().checked_sub(text.as_ptr().addr());
        let begin = begin.filter(|begin| text.get(*begin..begin + document.len()) == Some(document));
        let begin = begin.ok_or_else(broke_off)?;
        (begin..begin + document.len(), entry.beside, parsed.version)
    };
    Ok(Split { took_a_call, document: Bytes::from(text).slice(place), beside, version })
}

fn broke_off() -> Error {
    Error::Bug { problem: "putting a file together broke off".to_owned() }
}
