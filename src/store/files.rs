//! Whole files, held in compressed pieces under the caller that may see them.
//!
//! A file's row is there from the beginning of its download, but counts only once it is complete, which
//! happens in one transaction: what breaks off leaves nothing that anybody reads, and is swept up later.

use rusqlite::{Connection, OptionalExtension, Result, Row, Transaction, TransactionBehavior, params};

use super::{CallerKey, Store, make_room, millis};
use crate::error;

/// A piece's key is its file's id, its kind and its number: all pieces of a file lie side by side.
pub(super) const TABLE: &str = "\
CREATE TABLE IF NOT EXISTS files (
    id INTEGER PRIMARY KEY AUTOINCREMENT, caller BLOB NOT NULL, file TEXT NOT NULL, version TEXT NOT NULL,
    stamp TEXT, at INTEGER NOT NULL, used_at INTEGER NOT NULL, complete INTEGER NOT NULL,
    size INTEGER NOT NULL, facts TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS files_by_key ON files (caller, file, version);
CREATE TABLE IF NOT EXISTS pieces (key INTEGER PRIMARY KEY, data BLOB NOT NULL);
CREATE TRIGGER IF NOT EXISTS files_end AFTER DELETE ON files BEGIN
    DELETE FROM pieces WHERE key >= OLD.id << 24 AND key < (OLD.id + 1) << 24;
END;
CREATE TABLE IF NOT EXISTS too_large (
    caller BLOB NOT NULL, file TEXT NOT NULL, version TEXT NOT NULL, stamp TEXT, at INTEGER NOT NULL,
    PRIMARY KEY (caller, file, version)
) WITHOUT ROWID;";

/// A download that has not been finished in a quarter of an hour never will be.
pub(super) const TIDY: &str =
    "DELETE FROM files WHERE NOT complete AND used_at < (unixepoch() - 900) * 1000;";

/// How long a replaced file stays for whoever is reading it, in milliseconds.
const GRACE: i64 = 120_000;
/// `used_at` is exact to this many milliseconds, so that reading does not mean writing.
const USE_PRECISION: i64 = 60_000;

/// What file, for whom.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FileKey {
    /// Whose.
    pub caller: CallerKey,
    /// Its key.
    pub file: String,
    /// The version that was asked for; empty for the current one.
    pub version: String,
}

/// The row of a file that is held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldFile {
    /// Under which its pieces are found.
    pub id: i64,
    /// What Figma said of its last change before it was fetched.
    pub stamp: Option<String>,
    /// When it was fetched, in seconds since 1970.
    pub at: u64,
    /// What whoever wrote it has to know to read it.
    pub facts: String,
}

/// That Figma did not make one answer of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TooLarge {
    /// What Figma said of its last change then.
    pub stamp: Option<String>,
    /// When that was, in seconds since 1970.
    pub at: u64,
}

/// What a piece holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A part of the text.
    Text = 0,
    /// A part of the list of nodes.
    Nodes = 1,
    /// A part of the index from ids to nodes.
    Ids = 2,
}

/// A part of a held file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// What it holds.
    pub kind: Kind,
    /// Its place among those of its kind; less than 2²⁰.
    pub number: u32,
    /// Compressed.
    pub data: Vec<u8>,
}

fn key(id: i64, kind: Kind, number: u32) -> i64 {
    id << 24 | (kind as i64) << 20 | i64::from(number)
}

impl Store {
    /// The file, if it is held.
    ///
    /// # Errors
    /// See [`Store::run`].
    pub async fn held_file(&self, key: FileKey) -> error::Result<Option<HeldFile>> {
        self.run(move |connection| held(connection, &key)).await
    }

    /// The same, and whether the file was once too large.
    ///
    /// # Errors
    /// See [`Store::run`].
    pub async fn known_file(&self, key: FileKey) -> error::Result<(Option<HeldFile>, Option<TooLarge>)> {
        self.run(move |connection| Ok((held(connection, &key)?, too_large(connection, &key)?))).await
    }

    /// What is held for a caller in its current version: each file's key and facts, the latest used first.
    ///
    /// # Errors
    /// See [`Store::run`].
    pub async fn held_files(&self, caller: CallerKey) -> error::Result<Vec<(String, String)>> {
        const SQL: &str = "\
SELECT file, facts FROM files WHERE caller = ?1 AND version = '' AND complete
GROUP BY file HAVING id = MAX(id) ORDER BY used_at DESC LIMIT 1000";
        self.run(move |connection| {
            connection.prepare(SQL)?.query_map([caller], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
        })
        .await
    }

    /// Begins to hold a file; its pieces come next. Blocks.
    ///
    /// # Errors
    /// See [`Store::run`].
    pub fn begin_file(&self, key: FileKey) -> error::Result<i64> {
        self.run_blocking(move |connection| begin(connection, &key))
    }

    /// Adds pieces of a file that is not complete yet. Blocks.
    ///
    /// # Errors
    /// See [`Store::run`].
    pub fn add_pieces(&self, id: i64, pieces: Vec<Piece>) -> error::Result<()> {
        self.run_blocking(move |connection| {
            let work = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            add(&work, id, &pieces)?;
            work.commit()
        })
    }

    /// Adds the last pieces; from now on the file is held. Blocks.
    ///
    /// # Errors
    /// See [`Store::run`].
    pub fn finish_file(&self, key: FileKey, file: HeldFile, pieces: Vec<Piece>) -> error::Result<()> {
        let capacity = self.capacity();
        self.run_blocking(move |connection| finish(connection, &key, &file, &pieces, capacity))
    }

    /// Takes a file away. Blocks.
    ///
    /// # Errors
    /// See [`Store::run`].
    pub fn drop_file(&self, id: i64) -> error::Result<()> {
        self.run_blocking(move |connection| {
            connection.execute("DELETE FROM files WHERE id = ?1", [id]).map(drop)
        })
    }

    /// Reads pieces that lie side by side: fewer than asked for when they are gone. Blocks.
    ///
    /// # Errors
    /// See [`Store::run`].
    pub fn pieces(&self, id: i64, kind: Kind, from: u32, count: u32) -> error::Result<Vec<Vec<u8>>> {
        const SQL: &str = "SELECT data FROM pieces WHERE key >= ?1 AND key < ?2 ORDER BY key";
        self.run_blocking(move |connection| {
            let range = params![key(id, kind, from), key(id, kind, from) + i64::from(count)];
            connection.prepare_cached(SQL)?.query_map(range, |row| row.get(0))?.collect()
        })
    }

    /// Remembers that Figma does not make one answer of this file.
    ///
    /// # Errors
    /// See [`Store::run`].
    pub async fn note_too_large(&self, key: FileKey, stamp: Option<String>, now: u64) -> error::Result<()> {
        const SQL: &str =
            "INSERT OR REPLACE INTO too_large (caller, file, version, stamp, at) VALUES (?1, ?2, ?3, ?4, ?5)";
        self.run(move |connection| {
            let values = params![key.caller, key.file, key.version, stamp, now.cast_signed()];
            connection.execute(SQL, values).map(drop)
        })
        .await
    }
}

fn too_large(connection: &Connection, key: &FileKey) -> Result<Option<TooLarge>> {
    const SQL: &str = "SELECT stamp, at FROM too_large WHERE caller = ?1 AND file = ?2 AND version = ?3";
    let noted = |row: &Row<'_>| Ok(TooLarge { stamp: row.get(0)?, at: row.get::<_, i64>(1)?.unsigned_abs() });
    connection.prepare_cached(SQL)?.query_row(params![key.caller, key.file, key.version], noted).optional()
}

fn held(connection: &Connection, key: &FileKey) -> Result<Option<HeldFile>> {
    const SQL: &str = "\
SELECT id, stamp, at, facts, used_at FROM files
WHERE caller = ?1 AND file = ?2 AND version = ?3 AND complete ORDER BY id DESC LIMIT 1";
    let found = connection
        .prepare_cached(SQL)?
        .query_row(params![key.caller, key.file, key.version], |row| {
            let at = row.get::<_, i64>(2)?.unsigned_abs();
            let file = HeldFile { id: row.get(0)?, stamp: row.get(1)?, at, facts: row.get(3)? };
            Ok((file, row.get::<_, i64>(4)?))
        })
        .optional()?;
    let now = millis();
    if let Some((file, used_at)) = &found
        && now - used_at > USE_PRECISION
    {
        connection.execute("UPDATE files SET used_at = ?1 WHERE id = ?2", params![now, file.id])?;
    }
    Ok(found.map(|(file, _)| file))
}

fn begin(connection: &mut Connection, key: &FileKey) -> Result<i64> {
    const SQL: &str = "\
INSERT INTO files (caller, file, version, at, used_at, complete, size, facts)
VALUES (?1, ?2, ?3, 0, ?4, 0, 0, '')";
    let work = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    work.execute_batch(TIDY)?;
    work.execute(SQL, params![key.caller, key.file, key.version, millis()])?;
    let id = work.last_insert_rowid();
    work.commit()?;
    Ok(id)
}

fn add(work: &Transaction<'_>, id: i64, pieces: &[Piece]) -> Result<()> {
    let mut insert = work.prepare_cached("INSERT INTO pieces (key, data) VALUES (?1, ?2)")?;
    for piece in pieces {
        insert.execute(params![key(id, piece.kind, piece.number), piece.data])?;
    }
    let bytes: usize = pieces.iter().map(|piece| piece.data.len()).sum();
    let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
    work.execute("UPDATE files SET size = size + ?1 WHERE id = ?2", params![bytes, id]).map(drop)
}

fn finish(
    connection: &mut Connection,
    key: &FileKey,
    file: &HeldFile,
    pieces: &[Piece],
    capacity: u64,
) -> Result<()> {
    const COMPLETE: &str = "\
UPDATE files SET complete = 1, stamp = ?1, at = ?2, used_at = ?3, facts = ?4 WHERE id = ?5 RETURNING size";
    const REPLACED: &str = "\
DELETE FROM files
WHERE caller = ?1 AND file = ?2 AND version = ?3 AND complete AND id < ?4 AND used_at < ?5";
    const NOT_TOO_LARGE: &str = "DELETE FROM too_large WHERE caller = ?1 AND file = ?2 AND version = ?3";
    let work = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    add(&work, file.id, pieces)?;
    let now = millis();
    let values = params![file.stamp, file.at.cast_signed(), now, file.facts, file.id];
    let size: i64 = work.query_row(COMPLETE, values, |row| row.get(0))?;
    work.execute(REPLACED, params![key.caller, key.file, key.version, file.id, now - GRACE])?;
    work.execute(NOT_TOO_LARGE, params![key.caller, key.file, key.version])?;
    // This one stays, whatever its size: somebody waits for it.
    make_room(&work, capacity.max(size.unsigned_abs()))?;
    work.commit()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINE: CallerKey = CallerKey([1; 32]);

    fn file(name: &str) -> FileKey {
        FileKey { caller: MINE, file: name.to_owned(), version: String::new() }
    }

    fn piece(number: u32, size: usize) -> Piece {
        Piece { kind: Kind::Text, number, data: vec![7; size] }
    }

    fn keep(store: &Store, name: &str, size: usize) -> i64 {
        let id = store.begin_file(file(name)).unwrap();
        store.add_pieces(id, vec![piece(0, size)]).unwrap();
        let held = HeldFile { id, stamp: Some("s".to_owned()), at: 1000, facts: "{}".to_owned() };
        store.finish_file(file(name), held, vec![piece(1, size)]).unwrap();
        id
    }

    fn count(store: &Store, table: &'static str) -> i64 {
        let sql = format!("SELECT COUNT(*) FROM {table}");
        store.run_blocking(move |connection| connection.query_row(&sql, [], |row| row.get(0))).unwrap()
    }

    /// As if so many milliseconds had passed.
    fn wait(store: &Store, time: i64) {
        store
            .run_blocking(move |connection| {
                connection.execute("UPDATE files SET used_at = used_at - ?1", [time]).map(drop)
            })
            .unwrap();
    }

    fn held(store: &Store, name: &str) -> Option<HeldFile> {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(store.held_file(file(name))).unwrap()
    }

    #[test]
    fn a_file_counts_once_it_is_complete() {
        let store = Store::in_memory();
        let id = store.begin_file(file("a")).unwrap();
        store.add_pieces(id, vec![piece(0, 3)]).unwrap();
        assert_eq!(held(&store, "a"), None);
        let broken = store.begin_file(file("b")).unwrap();
        store.add_pieces(broken, vec![piece(0, 3), piece(1, 3)]).unwrap();
        let kept = HeldFile { id, stamp: None, at: 1000, facts: "{}".to_owned() };
        store.finish_file(file("a"), kept.clone(), vec![piece(1, 4)]).unwrap();
        assert_eq!(held(&store, "a"), Some(kept));
        assert_eq!(store.pieces(id, Kind::Text, 0, 9).unwrap(), [vec![7; 3], vec![7; 4]]);
        assert_eq!(store.pieces(id, Kind::Nodes, 0, 9).unwrap(), Vec::<Vec<u8>>::new());
        // What broke off is swept up by a later beginning, with its pieces.
        wait(&store, 902_000);
        store.begin_file(file("c")).unwrap();
        assert_eq!((count(&store, "pieces"), count(&store, "files")), (2, 2));
    }

    #[test]
    fn a_newer_one_replaces_it_and_readers_have_time_to_finish() {
        let store = Store::in_memory();
        let old = keep(&store, "a", 10);
        let new = keep(&store, "a", 10);
        assert_eq!(held(&store, "a").unwrap().id, new);
        assert_eq!(store.pieces(old, Kind::Text, 0, 2).unwrap().len(), 2);
        wait(&store, GRACE + 1);
        keep(&store, "a", 10);
        assert!(store.pieces(old, Kind::Text, 0, 2).unwrap().is_empty());
    }

    #[test]
    fn what_was_used_longest_ago_makes_room() {
        let store = Store::in_memory();
        let size = usize::try_from(store.capacity()).unwrap() / 5;
        keep(&store, "a", size);
        wait(&store, 1000);
        keep(&store, "b", size);
        wait(&store, USE_PRECISION);
        assert!(held(&store, "a").is_some());
        keep(&store, "c", size);
        assert!(held(&store, "b").is_none());
        assert!(held(&store, "a").is_some() && held(&store, "c").is_some());
    }

    #[test]
    fn one_login_ends_with_its_pieces() {
        let store = Store::in_memory();
        keep(&store, "a", 10);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(store.meet(MINE, Some(CallerKey([9; 32])))).unwrap();
        runtime.block_on(store.forget(CallerKey([9; 32]))).unwrap();
        assert_eq!((count(&store, "pieces"), count(&store, "files")), (0, 0));
    }
}
