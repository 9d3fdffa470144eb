//! The last known stamp of each file, by caller: what tells whether a file has changed.

use rusqlite::{OptionalExtension, params};

use super::{CallerKey, Store};
use crate::error::Result;

pub(super) const TABLE: &str = "\
CREATE TABLE IF NOT EXISTS stamps (
    caller BLOB NOT NULL, file TEXT NOT NULL, at INTEGER NOT NULL, stamp TEXT,
    PRIMARY KEY (caller, file)
) WITHOUT ROWID;";

/// What was seen of a file, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// In seconds since 1970.
    pub at: u64,
    /// `None`: the token may not ask.
    pub stamp: Option<String>,
}

impl Store {
    /// What was last seen of this file.
    ///
    /// # Errors
    /// See [`Store::run`].
    pub async fn stamp(&self, caller: CallerKey, file: String) -> Result<Option<Seen>> {
        const SQL: &str = "SELECT at, stamp FROM stamps WHERE caller = ?1 AND file = ?2";
        self.run(move |connection| {
            let seen = |row: &rusqlite::Row<'_>| {
                Ok(Seen { at: row.get::<_, i64>(0)?.unsigned_abs(), stamp: row.get(1)? })
            };
            connection.prepare_cached(SQL)?.query_row(params![caller, file], seen).optional()
        })
        .await
    }

    /// Notes what was seen of a file. Nobody waits for it.
    pub fn note_stamp(&self, caller: CallerKey, file: String, seen: Seen) {
        const SQL: &str = "INSERT OR REPLACE INTO stamps (caller, file, at, stamp) VALUES (?1, ?2, ?3, ?4)";
        self.post(move |connection| {
            let at = seen.at.cast_signed();
            connection.prepare_cached(SQL)?.execute(params![caller, file, at, seen.stamp]).map(drop)
        });
    }

    /// Forgets what was seen of a file, whoever saw it: it has just been changed.
    ///
    /// # Errors
    /// See [`Store::run`].
    pub async fn forget_stamps(&self, file: String) -> Result<()> {
        self.run(move |connection| connection.execute("DELETE FROM stamps WHERE file = ?1", [file]).map(drop))
            .await
    }
}
