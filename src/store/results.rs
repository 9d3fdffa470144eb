//! Results that were too large to be shown, for later questions.

use rusqlite::{Connection, OptionalExtension, params};

/// `caller` is a keyed fingerprint. A row without a body says only how to get the result again.
pub(super) const TABLE: &str = "CREATE TABLE IF NOT EXISTS results (
    caller TEXT NOT NULL,
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
/// How many bytes all results together take at most, compressed.
const LARGEST: i64 = 64 * 1024 * 1024;

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

/// Keeps a result; the least recently used ones make room.
///
/// # Errors
/// Those of `SQLite`.
pub fn put(connection: &mut Connection, caller: &str, row: &Row) -> rusqlite::Result<()> {
    let work = connection.transaction()?;
    work.execute(
        "INSERT OR REPLACE INTO results VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8)",
        params![caller, row.id, row.tool, row.arguments, row.is_text, row.body, i64::try_from(row.size).unwrap_or(i64::MAX), row.made],
    )?;
    work.execute(
        "DELETE FROM results WHERE caller = ?1 AND id IN
            (SELECT id FROM results WHERE caller = ?1 ORDER BY used DESC, made DESC LIMIT -1 OFFSET ?2)",
        params![caller, MOST],
    )?;
    // The newest stay, as long as they fit.
    work.execute(
        "DELETE FROM results WHERE (caller, id) IN (SELECT caller, id FROM
            (SELECT caller, id, SUM(LENGTH(body)) OVER (ORDER BY used DESC, made DESC, caller, id) AS total FROM results)
            WHERE total > ?1)",
        params![LARGEST],
    )?;
    work.commit()
}

/// The result of this id, if this caller has it. Counts as a use.
///
/// # Errors
/// Those of `SQLite`.
pub fn get(connection: &mut Connection, caller: &str, id: &str, now: i64) -> rusqlite::Result<Option<Row>> {
    connection.execute("UPDATE results SET used = ?3 WHERE caller = ?1 AND id = ?2", params![caller, id, now])?;
    connection
        .query_row(
            "SELECT id, tool, arguments, is_text, body, size, made FROM results WHERE caller = ?1 AND id = ?2",
            params![caller, id],
            read,
        )
        .optional()
}

/// This caller's results without their bodies, the latest first.
///
/// # Errors
/// Those of `SQLite`.
pub fn list(connection: &mut Connection, caller: &str) -> rusqlite::Result<Vec<Row>> {
    connection
        .prepare("SELECT id, tool, arguments, is_text, NULL, size, made FROM results WHERE caller = ?1 ORDER BY made DESC, id")?
        .query_map(params![caller], read)?
        .collect()
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
    use crate::store::Store;

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

    #[tokio::test]
    async fn a_result_is_its_callers_alone() {
        let store = Store::in_memory();
        store.run(|c| put(c, "one", &row("a", 3, 1))).await.unwrap();
        assert_eq!(store.run(|c| get(c, "one", "a", 2)).await.unwrap(), Some(row("a", 3, 1)));
        assert_eq!(store.run(|c| get(c, "two", "a", 2)).await.unwrap(), None);
        assert_eq!(store.run(|c| list(c, "two")).await.unwrap(), []);
    }

    #[tokio::test]
    async fn the_least_recently_used_make_room() {
        let store = Store::in_memory();
        for made in 0..70 {
            store.run(move |c| put(c, "one", &row(&format!("r{made}"), 1, made))).await.unwrap();
            store.run(move |c| get(c, "one", "r0", made)).await.unwrap();
        }
        let left = store.run(|c| list(c, "one")).await.unwrap();
        assert_eq!(left.len(), 64);
        assert_eq!((left[0].id.as_str(), left[63].id.as_str()), ("r69", "r0"));
        let half = usize::try_from(LARGEST / 2 + 1).unwrap();
        store.run(move |c| put(c, "one", &row("large", half, 100))).await.unwrap();
        store.run(move |c| put(c, "two", &row("larger", half, 101))).await.unwrap();
        assert_eq!(store.run(|c| list(c, "one")).await.unwrap().len(), 0, "nothing older than what does not fit");
        assert_eq!(store.run(|c| list(c, "two")).await.unwrap().len(), 1);
    }
}
