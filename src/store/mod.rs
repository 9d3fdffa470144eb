//! What outlives a call, in one `SQLite` file that all server processes of a user share.
//!
//! One thread of its own owns the connection, opened with the first piece of work: `SQLite` blocks, and
//! no thread of the runtime may. A crash tears nothing (WAL), and two processes may write at once (each
//! waits for the other). Nothing secret is ever kept here: callers are known by a keyed fingerprint.
//!
//! What is kept is made to be lost: a file of another layout is emptied, not converted.

mod answers;
mod callers;
mod files;
mod limits;
mod pack;
pub mod results;
mod stamps;

use std::{
    fs::{self, OpenOptions},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError, mpsc},
    time::{Duration, SystemTime},
};

use rusqlite::{Connection, OptionalExtension};
use tokio::sync::oneshot;

pub use self::{
    answers::{Head, Kept, Place, Stats},
    callers::CallerKey,
    files::{FileKey, HeldFile, Kind, Piece, TooLarge},
    limits::{Calls, Gate},
    pack::{pack, unpack},
    stamps::Seen,
};
use crate::error::{Error, Result};

/// The layout's number. Raise it whenever a table changes: what older versions kept is dropped then.
const LAYOUT: i64 = 2;
/// Every table, each where the code that uses it stands. What is kept for a caller has a column
/// `caller`, by which it is found when that login ends.
const TABLES: &[&str] =
    &[callers::TABLE, stamps::TABLE, limits::TABLE, answers::TABLE, files::TABLE, results::TABLE];
/// What is done at each opening: what has had its time goes.
const TIDY: &[&str] = &[limits::TIDY, answers::TIDY, files::TIDY];
/// Tables whose rows are large, each with the columns `size` (bytes) and `used_at` (from [`millis`]): they
/// share one capacity, and what was used least lately goes first.
const LARGE: &[&str] = &["answers", "files"];
/// How long one process waits for another that is writing.
const PATIENCE: Duration = Duration::from_secs(5);
/// The file's name in its folder.
const FILE: &str = "store.sqlite";
/// What a store in memory holds at most, unless it is told otherwise.
const SMALL: u64 = 64 << 20;

/// What the write-ahead log is cut down to once it is worked in.
const LARGEST_JOURNAL: i64 = 16 << 20;

type Job = Box<dyn FnOnce(&mut Connection) + Send>;

/// What outlives a call. Opened lazily, on a thread of its own.
#[derive(Debug)]
pub struct Store {
    /// `None` keeps everything in the memory of this process.
    folder: Option<PathBuf>,
    /// The most bytes that kept answers take together.
    capacity: u64,
    thread: Mutex<Option<mpsc::Sender<Job>>>,
}

impl Store {
    /// In this folder, which is made when it is needed. Kept answers take at most `capacity` bytes.
    pub const fn at(folder: PathBuf, capacity: u64) -> Self {
        Self { folder: Some(folder), capacity, thread: Mutex::new(None) }
    }

    /// For the life of this process only.
    pub const fn in_memory() -> Self {
        Self { folder: None, capacity: SMALL, thread: Mutex::new(None) }
    }

    /// The most bytes that kept answers take together.
    pub const fn capacity(&self) -> u64 {
        self.capacity
    }

    /// Where it lies on the disk, if it does.
    pub fn path(&self) -> Option<PathBuf> {
        self.folder.as_ref().map(|folder| folder.join(FILE))
    }

    /// Runs a piece of work with the connection, after those that were there before it. The work is
    /// done also when nobody waits for it any more.
    ///
    /// # Errors
    /// [`Error::File`] when the store cannot be opened or read.
    pub async fn run<T, W>(&self, work: W) -> Result<T>
    where
        T: Send + 'static,
        W: FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        let done = self.begin(work)?.await;
        self.outcome(done)
    }

    /// As [`Store::run`], for threads that may block: never call it on one of the runtime's.
    ///
    /// # Errors
    /// The same.
    pub fn run_blocking<T, W>(&self, work: W) -> Result<T>
    where
        T: Send + 'static,
        W: FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        let done = self.begin(work)?.blocking_recv();
        self.outcome(done)
    }

    fn begin<T, W>(&self, work: W) -> Result<oneshot::Receiver<rusqlite::Result<T>>>
    where
        T: Send + 'static,
        W: FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        let (sender, done) = oneshot::channel();
        // Nobody may wait any more; the work is done all the same.
        let job: Job = Box::new(move |connection| drop(sender.send(work(connection))));
        self.thread()?.send(job).map_err(|_| self.failed("it is closed"))?;
        Ok(done)
    }

    fn outcome<T>(&self, done: Result<rusqlite::Result<T>, oneshot::error::RecvError>) -> Result<T> {
        match done {
            Ok(outcome) => outcome.map_err(|error| self.failed(&error.to_string())),
            Err(_) => Err(self.failed("the work broke off")),
        }
    }

    /// Has a piece of work done without waiting for it. What goes wrong is logged.
    pub fn post<W>(&self, work: W)
    where
        W: FnOnce(&mut Connection) -> rusqlite::Result<()> + Send + 'static,
    {
        let job: Job = Box::new(move |connection| {
            if let Err(error) = work(connection) {
                tracing::warn!(%error, "something could not be kept");
            }
        });
        if let Err(error) =
            self.thread().and_then(|thread| thread.send(job).map_err(|_| self.failed("it is closed")))
        {
            tracing::warn!(%error, "something could not be kept");
        }
    }

    /// Waits until everything is done that was asked for so far. A store that was never used is not
    /// opened for it.
    pub async fn settle(&self) {
        let is_open = self.thread.lock().unwrap_or_else(PoisonError::into_inner).is_some();
        if is_open && let Err(error) = self.run(|_| Ok(())).await {
            tracing::debug!(%error, "the store does not settle");
        }
    }

    fn thread(&self) -> Result<mpsc::Sender<Job>> {
        let mut thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sender) = &*thread {
            return Ok(sender.clone());
        }
        let (sender, jobs) = mpsc::channel::<Job>();
        let folder = self.folder.clone();
        std::thread::Builder::new()
            .name("store".to_owned())
            .spawn(move || serve(folder.as_deref(), &jobs))
            .map_err(|error| self.failed(&error.to_string()))?;
        *thread = Some(sender.clone());
        Ok(sender)
    }

    fn failed(&self, problem: &str) -> Error {
        let path =
            self.path().map_or_else(|| "the store in memory".to_owned(), |path| path.display().to_string());
        Error::File { path, problem: problem.to_owned() }
    }
}

fn serve(folder: Option<&Path>, jobs: &mpsc::Receiver<Job>) {
    let opened = || folder.map_or_else(Connection::open_in_memory, open).and_then(prepared);
    let connection = opened()
        .or_else(|error| {
            let Some(folder) = folder.filter(|_| is_broken(&error)) else { return Err(error) };
            tracing::warn!(%error, "the store is broken and made anew");
            for end in ["", "-wal", "-shm"] {
                // What cannot be removed shows at the next attempt.
                let _ = fs::remove_file(folder.join(format!("{FILE}{end}")));
            }
            opened()
        })
        .or_else(|error| {
            tracing::warn!(%error, "the store cannot be opened; what is kept now ends with this process");
            Connection::open_in_memory().and_then(prepared)
        });
    let mut connection = match connection {
        Ok(connection) => connection,
        Err(error) => return tracing::error!(%error, "there is no store, not even in memory"),
    };
    while let Ok(job) = jobs.recv() {
        let work = std::panic::AssertUnwindSafe(|| job(&mut connection));
        if std::panic::catch_unwind(work).is_err() {
            tracing::error!("a piece of work in the store panicked");
        }
    }
}

/// Whether the file is no store, or not whole.
fn is_broken(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
    matches!(error.sqlite_error_code(), Some(DatabaseCorrupt | NotADatabase))
}

/// Opens the file; it and what `SQLite` lays beside it are their owner's alone.
fn open(folder: &Path) -> rusqlite::Result<Connection> {
    let path = folder.join(FILE);
    if let Err(error) = make_private(folder, &path) {
        tracing::warn!(%error, "the store's folder cannot be made");
    }
    let connection = Connection::open(&path)?;
    connection.busy_timeout(PATIENCE)?;
    // A new file waits for the disk ten times otherwise; one that is torn while it is made is made anew.
    connection.pragma_update(None, "synchronous", "OFF")?;
    // Has an effect only before the first table: what is dropped gives its room back to the disk.
    connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "journal_size_limit", LARGEST_JOURNAL)?;
    Ok(connection)
}

fn make_private(folder: &Path, path: &Path) -> std::io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    let mut options = OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    {
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    }
    builder.create(folder)?;
    options.open(path).map(drop)
}

/// The time as `used_at` has it: milliseconds since 1970.
fn millis() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// How many bytes everything takes that is large.
fn total(connection: &Connection) -> rusqlite::Result<i64> {
    LARGE.iter().try_fold(0, |sum, table| {
        let size: f64 =
            connection.query_row(&format!("SELECT total(size) FROM {table}"), [], |row| row.get(0))?;
        #[allow(clippy::cast_possible_truncation, reason = "far below 2^53")]
        Ok(sum + size as i64)
    })
}

/// Removes what was used least lately until the rest fits.
fn make_room(connection: &Connection, capacity: u64) -> rusqlite::Result<()> {
    let mut excess = total(connection)? - i64::try_from(capacity).unwrap_or(i64::MAX);
    if excess <= 0 {
        return Ok(());
    }
    while excess > 0 {
        let mut oldest: Option<(i64, &str, i64, i64)> = None;
        for table in LARGE {
            let sql = format!("SELECT used_at, rowid, size FROM {table} ORDER BY used_at LIMIT 1");
            let found = connection
                .query_row(&sql, [], |row| Ok((row.get(0)?, *table, row.get(1)?, row.get(2)?)))
                .optional()?;
            oldest = [oldest, found].into_iter().flatten().min();
        }
        let Some((_, table, id, size)) = oldest else { break };
        connection.execute(&format!("DELETE FROM {table} WHERE rowid = ?1"), [id])?;
        excess -= size;
    }
    // A page a row.
    let mut shrink = connection.prepare("PRAGMA incremental_vacuum(2000)")?;
    let mut pages = shrink.query([])?;
    while pages.next()?.is_some() {}
    Ok(())
}

/// Removes every row that is large, and what was seen of files.
fn clear(connection: &mut Connection) -> rusqlite::Result<()> {
    let work = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    for table in LARGE {
        work.execute(&format!("DELETE FROM {table}"), [])?;
    }
    work.execute("DELETE FROM stamps", [])?;
    work.commit()?;
    connection.execute_batch("VACUUM")
}

/// The tables whose rows belong to a caller.
fn owned_tables(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    const SQL: &str = "\
SELECT t.name FROM sqlite_schema t JOIN pragma_table_info(t.name) c
WHERE t.type = 'table' AND t.name <> 'callers' AND c.name = 'caller'";
    connection.prepare(SQL)?.query_map([], |row| row.get(0))?.collect()
}

fn prepared(mut connection: Connection) -> rusqlite::Result<Connection> {
    let work = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    let layout: i64 = work.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if layout != LAYOUT {
        let names: Vec<String> = work
            .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")?
            .query_map([], |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        for name in names {
            work.execute_batch(&format!("DROP TABLE \"{name}\""))?;
        }
        work.pragma_update(None, "user_version", LAYOUT)?;
    }
    for statements in TABLES.iter().chain(TIDY) {
        work.execute_batch(statements)?;
    }
    work.commit()?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    Ok(connection)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn work_is_done_in_order_and_a_panic_ends_only_itself() {
        let store = Store::in_memory();
        store.run(|c| c.execute_batch("CREATE TABLE t (x); INSERT INTO t VALUES (7)")).await.unwrap();
        assert!(store.run::<(), _>(|_| panic!("no such luck")).await.is_err());
        let x: i64 = store.run(|c| c.query_row("SELECT x FROM t", [], |row| row.get(0))).await.unwrap();
        assert_eq!(x, 7);
    }
}
