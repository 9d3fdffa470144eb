//! Kept answers: what Figma sent for a request, until its file changes. Compressed, and bounded together
//! with everything else that is large.

use rusqlite::{Connection, OptionalExtension, Result, Row, params};

use super::{CallerKey, Store, millis};
use crate::error;

pub(super) const TABLE: &str = "\
CREATE TABLE IF NOT EXISTS answers (
    id INTEGER PRIMARY KEY, caller BLOB NOT NULL, request BLOB NOT NULL, file TEXT NOT NULL,
    made_at INTEGER NOT NULL, ends_at INTEGER NOT NULL, used_at INTEGER NOT NULL, size INTEGER NOT NULL,
    stamp TEXT, version TEXT, body BLOB NOT NULL,
    UNIQUE (caller, request)
);
CREATE INDEX IF NOT EXISTS answers_by_file ON answers (file);
CREATE INDEX IF NOT EXISTS answers_by_use ON answers (used_at, size);";

/// Removes what is too old to be shown.
pub(super) const TIDY: &str = "DELETE FROM answers WHERE ends_at <= unixepoch();";

/// One answer takes at most this part of the room for all of them.
const SHARE: u64 = 4;
/// How long ago an answer was used is noted this precisely, in milliseconds: not every use is a write.
const USE_PRECISION: i64 = 60_000;

/// What is known of a kept answer without its body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// When Figma sent it, in seconds since 1970.
    pub made_at: u64,
    /// When it must not be shown any more, in seconds since 1970.
    pub ends_at: u64,
    /// The stamp of its file then; `None` where it could not be known.
    pub stamp: Option<String>,
    /// The version of the file that it shows, as far as it is known.
    pub version: Option<String>,
}

/// A kept answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// What is known of it.
    pub head: Head,
    /// Its body, compressed.
    pub body: Vec<u8>,
}

/// What a kept answer is found by.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    /// Whose it is.
    pub caller: CallerKey,
    /// The hash of the request line.
    pub request: [u8; 32],
}

/// How much is kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stats {
    /// How many answers, whole files included.
    pub answers: u64,
    /// Of how many files.
    pub files: u64,
    /// Of how many callers.
    pub callers: u64,
    /// The bytes of all that is large, kept whole files included.
    pub bytes: u64,
    /// When the oldest was sent, in seconds since 1970.
    pub oldest: Option<u64>,
}

impl Store {
    /// The kept answer of a request, if there is one.
    ///
    /// # Errors
    /// See [`Store::run`].
    pub async fn answer(&self, place: Place) -> error::Result<Option<Kept>> {
        self.run(move |connection| answer(connection, place)).await
    }

    /// What is known of it without its body.
    ///
    /// # Errors
    /// See [`Store::run`].
    pub async fn head(&self, place: Place) -> error::Result<Option<Head>> {
        const SQL: &str = "\
SELECT made_at, ends_at, stamp, version FROM answers
WHERE caller = ?1 AND request = ?2 AND ends_at > unixepoch()";
        self.run(move |connection| {
            let values = params![place.caller, place.request.as_slice()];
            connection.prepare_cached(SQL)?.query_row(values, read_head).optional()
        })
        .await
    }

    /// Keeps an answer, in place of the one before, and makes room for it. Nobody waits for it.
    pub fn keep(&self, place: Place, file: String, kept: Kept) {
        let capacity = self.capacity();
        self.post(move |connection| keep(connection, place, &file, &kept, capacity));
    }

    /// Drops what is kept of a file, for everybody.
    ///
    /// # Errors
    /// See [`Store::run`].
    pub async fn drop_answers(&self, file: String) -> error::Result<()> {
        self.run(move |connection| {
            connection.execute("DELETE FROM answers WHERE file = ?1", [file]).map(drop)
        })
        .await
    }

    /// Drops what is kept of a file for one caller, who may not see it any more.
    pub fn drop_answers_of(&self, caller: CallerKey, file: String) {
        self.post(move |connection| {
            const SQL: &str = "DELETE FROM answers WHERE file = ?1 AND caller = ?2";
            connection.execute(SQL, params![file, caller]).map(drop)
        });
    }

    /// Drops every large thing that is kept, of everybody, and gives its room back to the disk.
    ///
    /// # Errors
    /// See [`Store::run`].
    pub async fn clear(&self) -> error::Result<()> {
        self.run(super::clear).await
    }

    /// How much is kept.
    ///
    /// # Errors
    /// See [`Store::run`].
    pub async fn stats(&self) -> error::Result<Stats> {
        const SQL: &str = "\
SELECT count(*), count(DISTINCT file), count(DISTINCT caller), min(made_at) FROM (
    SELECT file, caller, made_at FROM answers UNION ALL SELECT file, caller, at FROM files WHERE complete
)";
        self.run(|connection| {
            let bytes = super::total(connection)?.unsigned_abs();
            connection.query_row(SQL, [], |row| {
                let number = |index| row.get::<_, i64>(index).map(i64::unsigned_abs);
                let oldest = row.get::<_, Option<i64>>(3)?.map(i64::unsigned_abs);
                Ok(Stats { answers: number(0)?, files: number(1)?, callers: number(2)?, bytes, oldest })
            })
        })
        .await
    }
}

fn read_head(row: &Row<'_>) -> Result<Head> {
    let time = |index| row.get::<_, i64>(index).map(i64::unsigned_abs);
    Ok(Head { made_at: time(0)?, ends_at: time(1)?, stamp: row.get(2)?, version: row.get(3)? })
}

fn answer(connection: &Connection, place: Place) -> Result<Option<Kept>> {
    const SQL: &str = "\
SELECT made_at, ends_at, stamp, version, body, used_at, id FROM answers
WHERE caller = ?1 AND request = ?2 AND ends_at > unixepoch()";
    let found = connection
        .prepare_cached(SQL)?
        .query_row(params![place.caller, place.request.as_slice()], |row| {
            let head = read_head(row)?;
            Ok((Kept { head, body: row.get(4)? }, row.get::<_, i64>(5)?, row.get::<_, i64>(6)?))
        })
        .optional()?;
    let Some((kept, used_at, id)) = found else { return Ok(None) };
    let now = millis();
    if now - used_at > USE_PRECISION {
        connection.execute("UPDATE answers SET used_at = ?1 WHERE id = ?2", params![now, id])?;
    }
    Ok(Some(kept))
}

fn keep(connection: &mut Connection, place: Place, file: &str, kept: &Kept, capacity: u64) -> Result<()> {
    const SQL: &str = "\
INSERT OR REPLACE INTO answers (caller, request, file, made_at, ends_at, used_at, size, stamp, version, body)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
    let Kept { head: Head { made_at, ends_at, stamp, version }, body } = kept;
    let size = i64::try_from(body.len()).unwrap_or(i64::MAX);
    if size.unsigned_abs() > capacity / SHARE {
        return Ok(());
    }
    let work = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    let (made_at, ends_at) = (made_at.cast_signed(), ends_at.cast_signed());
    let request = place.request.as_slice();
    let values = params![place.caller, request, file, made_at, ends_at, millis(), size, stamp, version, body];
    work.prepare_cached(SQL)?.execute(values)?;
    super::make_room(&work, capacity)?;
    work.commit()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(caller: u8, request: u8) -> Place {
        Place { caller: CallerKey([caller; 32]), request: [request; 32] }
    }

    fn kept(size: usize) -> Kept {
        let head = Head { made_at: 1, ends_at: u64::MAX >> 2, stamp: Some("s".to_owned()), version: None };
        Kept { head, body: vec![7; size] }
    }

    #[tokio::test]
    async fn an_answer_is_its_callers_alone_until_its_file_is_dropped() {
        let store = Store::in_memory();
        store.keep(place(1, 1), "file".to_owned(), kept(10));
        assert_eq!(store.answer(place(1, 1)).await.unwrap(), Some(kept(10)));
        assert_eq!(store.answer(place(2, 1)).await.unwrap(), None);
        assert_eq!(store.answer(place(1, 2)).await.unwrap(), None);
        store.drop_answers_of(CallerKey([2; 32]), "file".to_owned());
        assert!(store.answer(place(1, 1)).await.unwrap().is_some());
        store.drop_answers("file".to_owned()).await.unwrap();
        assert_eq!(store.answer(place(1, 1)).await.unwrap(), None);
    }

    #[tokio::test]
    async fn an_answer_that_has_ended_is_none() {
        let store = Store::in_memory();
        let mut old = kept(1);
        old.head.ends_at = 2;
        store.keep(place(1, 1), "file".to_owned(), old);
        assert_eq!(store.answer(place(1, 1)).await.unwrap(), None);
    }

    #[tokio::test]
    async fn the_room_is_bounded_and_the_least_used_goes_first() {
        let store = Store { capacity: 4_000, ..Store::in_memory() };
        for request in 0..20 {
            store.keep(place(1, request), "file".to_owned(), kept(900));
            // The first one is in use; a use is noted to the minute, so it is made old first.
            store
                .run(|c| {
                    c.execute(
                        "UPDATE answers SET used_at = used_at - 100000 WHERE request <> zeroblob(32)",
                        [],
                    )
                })
                .await
                .unwrap();
        }
        assert!(store.answer(place(1, 0)).await.unwrap().is_some());
        assert!(store.answer(place(1, 19)).await.unwrap().is_some());
        assert!(store.answer(place(1, 1)).await.unwrap().is_none());
        let stats = store.stats().await.unwrap();
        assert!(stats.bytes <= 4_000 && stats.answers == 4, "{stats:?}");
        // More than its share of the room: not kept at all.
        store.keep(place(1, 99), "file".to_owned(), kept(1_001));
        assert!(store.answer(place(1, 99)).await.unwrap().is_none());
    }
}
