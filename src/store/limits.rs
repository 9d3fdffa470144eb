//! What Figma has said of its rate limits, and how many calls were made: gates and the ledger.
//!
//! A gate is closed by a 429 that lasts. Its row stays when its time is over: it is all that is known of
//! the caller's plan and seat there.

use rusqlite::{Connection, Result, Row, params};

use super::{CallerKey, Store};
use crate::error;

pub(super) const TABLE: &str = "\
CREATE TABLE IF NOT EXISTS gates (
    caller BLOB NOT NULL, tier INTEGER NOT NULL, file TEXT NOT NULL, until INTEGER NOT NULL,
    plan TEXT, seat TEXT, link TEXT, seen_at INTEGER NOT NULL,
    PRIMARY KEY (caller, tier, file)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS calls (
    caller BLOB NOT NULL, tier INTEGER NOT NULL, unit INTEGER NOT NULL, span INTEGER NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (caller, tier, unit, span)
) WITHOUT ROWID;";

/// Removes counts that nobody asks for any more, and what was known of a plan half a year ago.
pub(super) const TIDY: &str = "\
DELETE FROM calls WHERE unit = 0 AND span < unixepoch() / 60 - 60 OR unit = 1 AND span < unixepoch() / 86400 - 62;
DELETE FROM gates WHERE max(until, seen_at) < unixepoch() - 180 * 86400;";

/// The most gates of one caller that are looked at.
const MOST_GATES: u32 = 500;

/// A rate limit that Figma named, for a caller and a tier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gate {
    /// The tier, 1 to 3.
    pub tier: u8,
    /// The file whose place decides; empty where the whole tier is closed.
    pub file: String,
    /// When it opens again, in seconds since 1970.
    pub until: u64,
    /// The plan of the place, as Figma named it.
    pub plan: Option<String>,
    /// The kind of seat, as Figma named it.
    pub seat: Option<String>,
    /// Where Figma says that more can be had.
    pub link: Option<String>,
    /// When Figma said so, in seconds since 1970.
    pub seen_at: u64,
}

/// Calls of one tier.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Calls {
    /// In this minute.
    pub minute: u64,
    /// On this day (UTC).
    pub day: u64,
    /// In this month (UTC).
    pub month: u64,
}

impl Store {
    /// What Figma has said to this caller, newest first, closed gates and others.
    ///
    /// # Errors
    /// See [`Store::run`].
    pub async fn gates(&self, caller: CallerKey) -> error::Result<Vec<Gate>> {
        const SQL: &str = "\
SELECT tier, file, until, plan, seat, link, seen_at FROM gates WHERE caller = ?1 ORDER BY seen_at DESC LIMIT ?2";
        self.run(move |connection| {
            connection.prepare_cached(SQL)?.query_map(params![caller, MOST_GATES], gate)?.collect()
        })
        .await
    }

    /// Notes what Figma said. A gate that is closed for longer stays closed for longer.
    ///
    /// # Errors
    /// See [`Store::run`].
    pub async fn close(&self, caller: CallerKey, gates: Vec<Gate>) -> error::Result<()> {
        const SQL: &str = "\
INSERT INTO gates (caller, tier, file, until, plan, seat, link, seen_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
ON CONFLICT DO UPDATE SET until = max(until, excluded.until), plan = excluded.plan, seat = excluded.seat,
    link = excluded.link, seen_at = excluded.seen_at";
        self.run(move |connection| {
            let work = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
            for Gate { tier, file, until, plan, seat, link, seen_at } in gates {
                let (until, seen_at) = (until.cast_signed(), seen_at.cast_signed());
                work.execute(SQL, params![caller, tier, file, until, plan, seat, link, seen_at])?;
            }
            work.commit()
        })
        .await
    }

    /// Opens every gate of everybody.
    ///
    /// # Errors
    /// See [`Store::run`].
    pub async fn open_gates(&self) -> error::Result<usize> {
        self.run(|connection| connection.execute("DELETE FROM gates", [])).await
    }

    /// Counts calls and returns how many there were in this month. `at`: in seconds since 1970.
    ///
    /// # Errors
    /// See [`Store::run`].
    pub async fn count(&self, caller: CallerKey, tier: u8, calls: u64, at: u64) -> error::Result<u64> {
        self.run(move |connection| add(connection, caller, &[(tier, calls)], at)).await
    }

    /// As [`Store::count`], for several tiers and without waiting.
    pub fn count_later(&self, caller: CallerKey, calls: Vec<(u8, u64)>, at: u64) {
        self.post(move |connection| add(connection, caller, &calls, at).map(drop));
    }

    /// How many calls this caller made, by tier.
    ///
    /// # Errors
    /// See [`Store::run`].
    pub async fn calls(&self, caller: CallerKey, at: u64) -> error::Result<[Calls; 3]> {
        self.run(move |connection| calls(connection, caller, at)).await
    }
}

fn gate(row: &Row<'_>) -> Result<Gate> {
    Ok(Gate {
        tier: row.get(0)?,
        file: row.get(1)?,
        until: row.get::<_, i64>(2)?.unsigned_abs(),
        plan: row.get(3)?,
        seat: row.get(4)?,
        link: row.get(5)?,
        seen_at: row.get::<_, i64>(6)?.unsigned_abs(),
    })
}

fn add(connection: &mut Connection, caller: CallerKey, calls: &[(u8, u64)], at: u64) -> Result<u64> {
    // The month comes last, so that its count is what is left.
    const SQL: &str = "\
INSERT INTO calls (caller, tier, unit, span, count) VALUES
    (?1, ?2, 0, ?4 / 60, ?3), (?1, ?2, 1, ?4 / 86400, ?3),
    (?1, ?2, 2, CAST(strftime('%Y%m', ?4, 'unixepoch') AS INTEGER), ?3)
ON CONFLICT DO UPDATE SET count = count + excluded.count RETURNING count";
    let work = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    let mut month = 0_i64;
    for (tier, count) in calls {
        let mut statement = work.prepare_cached(SQL)?;
        let counts = statement
            .query_map(params![caller, tier, count.cast_signed(), at.cast_signed()], |row| row.get(0))?;
        for count in counts {
            month = count?;
        }
    }
    work.commit()?;
    Ok(month.unsigned_abs())
}

fn calls(connection: &Connection, caller: CallerKey, at: u64) -> Result<[Calls; 3]> {
    const SQL: &str = "\
SELECT tier, unit, count FROM calls WHERE caller = ?1 AND (
    unit = 0 AND span = ?2 / 60 OR unit = 1 AND span = ?2 / 86400
    OR unit = 2 AND span = CAST(strftime('%Y%m', ?2, 'unixepoch') AS INTEGER))";
    let mut all = [Calls::default(); 3];
    let mut statement = connection.prepare(SQL)?;
    let rows = statement.query_map(params![caller, at.cast_signed()], |row| {
        Ok((usize::from(row.get::<_, u8>(0)?), row.get::<_, u8>(1)?, row.get::<_, i64>(2)?.unsigned_abs()))
    })?;
    for row in rows {
        let (tier, unit, count) = row?;
        let Some(calls) = tier.checked_sub(1).and_then(|index| all.get_mut(index)) else { continue };
        match unit {
            0 => calls.minute = count,
            1 => calls.day = count,
            _ => calls.month = count,
        }
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ME: CallerKey = CallerKey([1; 32]);
    /// 2026-11-30, 23:59:30 UTC.
    const AT: u64 = 1_796_083_170;

    #[tokio::test]
    async fn calls_are_counted_by_minute_day_and_month() {
        let store = Store::in_memory();
        assert_eq!(store.count(ME, 1, 1, AT - 86_400).await.unwrap(), 1);
        assert_eq!(store.count(ME, 1, 2, AT).await.unwrap(), 3);
        store.count_later(ME, vec![(2, 5), (3, 7)], AT);
        let [one, two, three] = store.calls(ME, AT).await.unwrap();
        assert_eq!(one, Calls { minute: 2, day: 2, month: 3 });
        assert_eq!((two.minute, three.month), (5, 7));
        // A minute later it is December.
        assert_eq!(store.calls(ME, AT + 60).await.unwrap(), [Calls::default(); 3]);
        assert_eq!(store.calls(CallerKey([2; 32]), AT).await.unwrap(), [Calls::default(); 3]);
    }

    #[tokio::test]
    async fn a_gate_never_opens_sooner_than_it_was_said() {
        let store = Store::in_memory();
        let gate = |until| Gate {
            tier: 1,
            file: "file".to_owned(),
            until,
            plan: Some("starter".to_owned()),
            seat: None,
            link: None,
            seen_at: AT,
        };
        store.close(ME, vec![gate(AT + 100)]).await.unwrap();
        store.close(ME, vec![gate(AT + 10)]).await.unwrap();
        assert_eq!(store.gates(ME).await.unwrap(), [gate(AT + 100)]);
        assert_eq!(store.open_gates().await.unwrap(), 1);
    }
}
