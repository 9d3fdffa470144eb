//! Whose things are kept: callers known by a keyed sum, under a key that is random for each store.

use rusqlite::{Connection, OptionalExtension, Result, params};

use super::Store;
use crate::error;

pub(super) const TABLE: &str = "\
CREATE TABLE IF NOT EXISTS secret (one INTEGER PRIMARY KEY CHECK (one = 1), key BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS callers (caller BLOB PRIMARY KEY, login BLOB) WITHOUT ROWID;";

/// Whoever something is kept for. Equal in all processes of a user; says nothing about a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CallerKey(pub [u8; 32]);

impl rusqlite::ToSql for CallerKey {
    fn to_sql(&self) -> Result<rusqlite::types::ToSqlOutput<'_>> {
        Ok(self.0.as_slice().into())
    }
}

impl Store {
    /// The key under which callers are known here: `candidate`, unless there is one.
    ///
    /// # Errors
    /// See [`Store::run`].
    pub async fn secret(&self, candidate: [u8; 32]) -> error::Result<[u8; 32]> {
        self.run(move |connection| secret(connection, candidate)).await
    }

    /// Remembers a caller, so that what is kept for its login can be found when it logs out.
    ///
    /// # Errors
    /// See [`Store::run`].
    pub async fn meet(&self, caller: CallerKey, login: Option<CallerKey>) -> error::Result<()> {
        const SQL: &str = "INSERT OR IGNORE INTO callers (caller, login) VALUES (?1, ?2)";
        self.run(move |connection| connection.execute(SQL, params![caller, login]).map(drop)).await
    }

    /// Forgets everything that is kept for this login.
    ///
    /// # Errors
    /// See [`Store::run`].
    pub async fn forget(&self, login: CallerKey) -> error::Result<()> {
        self.run(move |connection| forget(connection, login)).await
    }
}

fn secret(connection: &Connection, candidate: [u8; 32]) -> Result<[u8; 32]> {
    let read = || connection.query_row("SELECT key FROM secret", [], |row| row.get(0)).optional();
    if let Some(key) = read()? {
        return Ok(key);
    }
    connection.execute("INSERT OR IGNORE INTO secret (one, key) VALUES (1, ?1)", [candidate.as_slice()])?;
    // Another process may have been first.
    Ok(read()?.unwrap_or(candidate))
}

fn forget(connection: &mut Connection, login: CallerKey) -> Result<()> {
    let work = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    for table in super::owned_tables(&work)? {
        work.execute(
            &format!("DELETE FROM \"{table}\" WHERE caller IN (SELECT caller FROM callers WHERE login = ?1)"),
            [login],
        )?;
    }
    work.execute("DELETE FROM callers WHERE login = ?1", [login])?;
    work.commit()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_first_key_stays_and_a_login_takes_its_own_away() {
        let store = Store::in_memory();
        assert_eq!(store.secret([1; 32]).await.unwrap(), [1; 32]);
        assert_eq!(store.secret([2; 32]).await.unwrap(), [1; 32]);
        let [mine, yours, login] = [3, 4, 5].map(|byte| CallerKey([byte; 32]));
        store.meet(mine, Some(login)).await.unwrap();
        store.meet(yours, None).await.unwrap();
        for caller in [mine, yours] {
            let seen = super::super::stamps::Seen { at: 1, stamp: None };
            store.note_stamp(caller, "file".to_owned(), seen);
        }
        store.forget(login).await.unwrap();
        assert!(store.stamp(mine, "file".to_owned()).await.unwrap().is_none());
        assert!(store.stamp(yours, "file".to_owned()).await.unwrap().is_some());
    }
}
