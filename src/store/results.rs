//! Results that were too large to be shown, for later questions.

use rusqlite::{Connection, OptionalExtension, params};

use super::{CallerKey, Store};
use crate::error::Result;

/// A row without a body says only how to get the result again.
pub(super) const TABLE: &str = "CREATE TABLE IF NOT EXISTS results (
    caller BLOB NOT NULL,
    id TEXT NOT NULL,
    tool TEXT NOT NULL,
    arguments TEXT NOT NULL,
    is_text INTEGER NOT NULL,
    body BLOB,
    size INTEGER NOT NULL,
    made INTEGER NOT NULL,
    used INTEGER NOT NULL,
    PRIMARY KEY (caller, id)
) WITHOUT ROWID";

/// How many results one caller has at most.
const MOST: i64 = 64;
/// Which part of the store's capacity all results together take at most, compressed.
const PART: u64 = 8;

/// A result as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Its id.
    pub id: String,
    /// The tool that gave it.
    pub tool: String,
    /// The arguments of that call, as JSON.
    pub arguments: String,
    /// Whether it is text rather than JSON.
    pub is_text: bool,
    /// The compressed body; `None` where only the call is remembered.
    pub body: Option<Vec<u8>>,
    /// How many bytes it has, not compressed.
    pub size: u64,
    /// When it was made, in seconds since 1970.
    pub made: i64,
}

impl Store {
    /// Keeps a result; the least recently used ones make room.
    ///
    /// # Errors
    /// See [`Store::run`].
    pub async fn keep_result(&self, caller: CallerKey, row: Row) -> Result<()> {
        let most = (self.capacity() / PART).cast_signed();
        self.run(move |connection| put(connection, caller, &row, most)).await
    }

    /// The result of this id, if this caller has it. Counts as a use at `now`, in seconds since 1970.
    ///
    /// # Errors
    /// See [`Store::run`].
    pub async fn result(&self, caller: CallerKey, id: String, now: i64) -> Result<Option<Row>> {
        self.run(move |connection| get(connection, caller, &id, now)).await
    }

    /// This caller's results without their bodies, the latest first.
    ///
    /// # Errors
    /// See [`Store::run`].
    pub async fn results(&self, caller: CallerKey) -> Result<Vec<Row>> {
        self.run(move |connection| list(connection, caller)).await
    }
}

fn put(connection: &mut Connection, caller: CallerKey, row: &Row, most: i64) -> rusqlite::Result<()> {
    let work = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    work.execute(
        "INSERT OR REPLACE INTO results VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8)",
        params![
            caller,
            row.id,
            row.tool,
            row.arguments,
            row.is_text,
            row.body,
            row.size.cast_signed(),
            row.made
        ],
    )?;
    work.execute(
        "DELETE FROM results WHERE caller = ?1 AND id IN
            (SELECT id FROM results WHERE caller = ?1 ORDER BY used DESC, made DESC LIMIT -1 OFFSET ?2)",
        params![caller, MOST],
    )?;
    // The most recently used stay, as long as they fit.
    work.execute(
        "DELETE FROM results WHERE (caller, id) IN (SELECT caller, id FROM
            (SELECT caller, id, SUM(LENGTH(body)) OVER (ORDER BY used DESC, made DESC, caller, id) AS total FROM results)
            WHERE total > ?1)",
        params![most],
    )?;
    work.commit()
}

const SELECT: &str =
    "SELECT id, tool, arguments, is_text, body, size, made FROM results WHERE caller = ?1 AND id = ?2";

fn get(connection: &Connection, caller: CallerKey, id: &str, now: i64) -> rusqlite::Result<Option<Row>> {
    connection
        .execute("UPDATE results SET used = ?3 WHERE caller = ?1 AND id = ?2", params![caller, id, now])?;
    connection.prepare_cached(SELECT)?.query_row(params![caller, id], read).optional()
}

fn list(connection: &Connection, caller: CallerKey) -> rusqlite::Result<Vec<Row>> {
    const SQL: &str = "SELECT id, tool, arguments, is_text, NULL, size, made FROM results WHERE caller = ?1 ORDER BY made DESC, id";
    connection.prepare(SQL)?.query_map(params![caller], read)?.collect()
}

fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<Row> {
    Ok(Row {
        id: row.get(0)?,
        tool: row.get(1)?,
        arguments: row.get(2)?,
        is_text: row.get(3)?,
        body: row.get(4)?,
        size: u64::try_from(row.get::<_, i64>(5)?).unwrap_or_default(),
        made: row.get(6)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(id: &str, bytes: usize, made: i64) -> Row {
        Row {
            id: id.to_owned(),
            tool: "figma_file_get".to_owned(),
            arguments: "{}".to_owned(),
            is_text: false,
            body: Some(vec![7; bytes]),
            size: 9,
            made,
        }
    }

    const ONE: CallerKey = CallerKey([1; 32]);
    const TWO: CallerKey = CallerKey([2; 32]);

    #[tokio::test]
    async fn a_result_is_its_callers_alone() {
        let store = Store::in_memory();
        store.keep_result(ONE, row("a", 3, 1)).await.unwrap();
        assert_eq!(store.result(ONE, "a".to_owned(), 2).await.unwrap(), Some(row("a", 3, 1)));
        assert_eq!(store.result(TWO, "a".to_owned(), 2).await.unwrap(), None);
        assert_eq!(store.results(TWO).await.unwrap(), []);
    }

    #[tokio::test]
    async fn the_least_recently_used_make_room() {
        let store = Store::in_memory();
        for made in 0..70 {
            store.keep_result(ONE, row(&format!("r{made}"), 1, made)).await.unwrap();
            store.result(ONE, "r0".to_owned(), made).await.unwrap();
        }
        let left = store.results(ONE).await.unwrap();
        assert_eq!(left.len(), 64);
        assert_eq!((left[0].id.as_str(), left[63].id.as_str()), ("r69", "r0"));
        let half = usize::try_from(store.capacity() / PART / 2 + 1).unwrap();
        store.keep_result(ONE, row("large", half, 100)).await.unwrap();
        store.keep_result(TWO, row("larger", half, 101)).await.unwrap();
        assert_eq!(store.results(ONE).await.unwrap(), [], "nothing older than what does not fit");
        assert_eq!(store.results(TWO).await.unwrap().len(), 1);
    }
}
