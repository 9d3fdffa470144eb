//! Where compositions read a file's nodes from, whatever it takes to get them.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::App;
use crate::{
    auth::Caller,
    error::{Error, Result},
    table::{self, Endpoint, Tool, args::Args},
    walk::{Flow, Visitor, Walker},
};

const FILE: &str = "/v1/files/{file_key}";
const NODES: &str = "/v1/files/{file_key}/nodes";
/// How much is walked before other work gets its turn.
const STRIDE: usize = 256 * 1024;

/// Where what was read comes from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Provenance {
    /// The file's name.
    pub name: Option<String>,
    /// The version that was read.
    pub version: Option<String>,
    /// When the file was last changed, as Figma writes it.
    pub last_modified: Option<String>,
    /// How long ago Figma sent it.
    pub age: Duration,
    /// Whether it was read from a file that is held here.
    pub derived: bool,
    /// Whether the file may have changed since: Figma could not be asked.
    pub stale: bool,
    /// How many tier 1 calls this took.
    pub calls: u32,
}

impl Provenance {
    /// For [`Output::meta`](super::Output::meta), under the key `cache`.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({
            "derived": self.derived,
            "stale": self.stale,
            "version": self.version,
            "last_modified": self.last_modified,
            "age_s": self.age.as_secs(),
            "tier_1_calls": self.calls,
        })
    }
}

/// Shows a visitor a whole file, or (when `ids` holds any) these nodes of it with what is in them: as
/// an answer of Figma's `/files` or `/nodes` would.
///
/// # Errors
/// Whatever Figma refused, or why it could not be asked; what the walk finds wrong with the answer.
pub async fn read<V: Visitor + Send + 'static>(
    app: &App,
    caller: &Caller,
    tool: &'static Tool,
    file_key: &str,
    version: Option<&str>,
    ids: &[String],
    visitor: V,
) -> Result<(V, Provenance)> {
    let mut args: Args = Map::from_iter([("file_key".to_owned(), json!(file_key))]);
    args.extend(version.map(|version| ("version".to_owned(), json!(version))));
    args.extend((!ids.is_empty()).then(|| ("ids".to_owned(), json!(ids))));
    let endpoint = endpoint(if ids.is_empty() { FILE } else { NODES })?;
    let answer = app.rest.call(caller, tool, endpoint, &args).await?;
    let told = Told { visitor, name: None, version: None, last_modified: None };
    let walk = tokio::task::spawn_blocking(move || {
        let mut walker = Walker::new(told);
        for chunk in answer.body.as_bytes().chunks(STRIDE) {
            walker.push(chunk)?;
        }
        walker.finish()
    });
    let told = walk.await.map_err(|_| Error::Bug { problem: "a walk broke off".to_owned() })??;
    let provenance = Provenance {
        name: told.name,
        version: told.version,
        last_modified: told.last_modified,
        calls: 1,
        ..Provenance::default()
    };
    Ok((told.visitor, provenance))
}

fn endpoint(path: &str) -> Result<&'static Endpoint> {
    let found = table::tools().find_map(|tool| tool.endpoint().filter(|endpoint| endpoint.path == path));
    found.ok_or_else(|| Error::Bug { problem: format!("no tool calls {path}") })
}

/// Passes everything on, and keeps what a provenance says.
#[derive(Debug)]
struct Told<V> {
    visitor: V,
    name: Option<String>,
    version: Option<String>,
    last_modified: Option<String>,
}

impl<V: Visitor> Visitor for Told<V> {
    fn open(&mut self, at: u64) {
        self.visitor.open(at);
    }

    fn member(&mut self, key: &[u8], value: &[u8]) -> Flow {
        self.visitor.member(key, value)
    }

    fn close(&mut self, end: u64) {
        self.visitor.close(end);
    }

    fn beside(&mut self, entry: Option<&str>, key: &[u8], value: &[u8]) {
        let text = || serde_json::from_slice(value).ok();
        match (entry, key) {
            (None, b"name") => self.name = text(),
            (None, b"version") => self.version = text(),
            (None, b"lastModified") => self.last_modified = text(),
            _ => {}
        }
        if self.visitor.wants_beside(key) {
            self.visitor.beside(entry, key, value);
        }
    }

    fn wants(&self, key: &[u8]) -> bool {
        self.visitor.wants(key)
    }

    fn wants_beside(&self, key: &[u8]) -> bool {
        matches!(key, b"name" | b"version" | b"lastModified") || self.visitor.wants_beside(key)
    }
}
