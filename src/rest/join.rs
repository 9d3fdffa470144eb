//! Node ids and renders that are asked for in parallel, joined into one request.
//!
//! Agents ask for several nodes or pictures at once, in a call each. A tier 1 call is scarce, and Figma
//! takes many ids in one: those of one caller that differ in their ids only, and come within a few
//! milliseconds, become one request. Each gets its own part of the answer, as Figma would have sent it.
//! Where that cannot be had from the joint answer, it asks alone.

use std::{
    sync::{Arc, Mutex, PoisonError, atomic::Ordering},
    time::Duration,
};

use serde_json::{Value, value::RawValue};

use super::{
    MONTH, Rest,
    flight::Flights,
    members::Members,
    rate_limit,
    request::Request,
    response::{self, Answer, Asked, Headers, Output},
};
use crate::{
    auth::{Caller, Fingerprint},
    error::{Error, Result},
    table::{Method, PartialFailures, Tier},
};

/// How long the first one waits for others.
const WINDOW: Duration = Duration::from_millis(5);
/// The most ids in one request.
const MOST_IDS: usize = 50;

/// What may be joined: the same caller and the same request but for its ids; and a number, since a
/// request that is full is followed by another.
type Key = (Fingerprint, String, usize);

/// A request that others may still join.
#[derive(Debug, Clone)]
struct Open {
    key: Key,
    /// `None` once it is sent.
    ids: Arc<Mutex<Option<Vec<String>>>>,
}

/// What is being gathered, and what is under way.
#[derive(Debug, Default)]
pub(super) struct Joins {
    open: Mutex<Vec<Open>>,
    flights: Flights<Key, Arc<Joint>>,
}

/// A joint answer, and the ids that it was asked for.
#[derive(Debug)]
pub(super) struct Joint {
    ids: Vec<String>,
    output: Output,
}

impl Rest {
    /// Asks Figma, together with others who ask for other ids of the same.
    pub(super) async fn joined(&self, caller: &Caller, asked: Asked<'_>) -> Result<Output> {
        let Some((name, ids)) = joinable(asked) else { return self.ask(caller, asked).await };
        let (flight, is_shared) = self.gather(caller, asked, &ids);
        if is_shared {
            self.inner.tally.joined.fetch_add(1, Ordering::Relaxed);
        }
        let joint = match flight.await {
            Ok(joint) => joint,
            Err(error) if is_about_ids(&error) && is_shared => {
                return Box::pin(self.ask(caller, asked)).await;
            }
            Err(error) => return Err(error),
        };
        if joint.ids == ids {
            return Ok(Arc::try_unwrap(joint).map_or_else(|joint| joint.output.clone(), |joint| joint.output));
        }
        let Some(body) = part(&joint.output.body, name, &ids) else {
            return Box::pin(self.ask(caller, asked)).await;
        };
        let mut output = response::read(asked, Answer { status: 200, headers: Headers::default(), body })?;
        if let Some(month) = joint.output.meta.get(MONTH) {
            output.notes.extend(month.as_u64().map(rate_limit::month_note));
            output.meta.insert(MONTH.to_owned(), month.clone());
        }
        Ok(output)
    }

    /// The request that these ids go with: one that is being gathered and has room, or a new one.
    fn gather(
        &self,
        caller: &Caller,
        asked: Asked<'_>,
        ids: &[String],
    ) -> (super::flight::Flight<Arc<Joint>>, bool) {
        let mut args = asked.args.clone();
        args.shift_remove("ids");
        let line = Request::build(asked.endpoint, &args).to_string();
        let joins = &self.inner.joins;
        let mut open = joins.open.lock().unwrap_or_else(PoisonError::into_inner);
        let is_same = |key: &Key| key.0 == *caller.fingerprint() && key.1 == line;
        let found = open.iter().filter(|open| is_same(&open.key)).find(|open| add(&open.ids, ids));
        let (this, is_new) = if let Some(found) = found {
            (found.clone(), false)
        } else {
            let number = open.iter().map(|open| open.key.2 + 1).max().unwrap_or_default();
            let key = (caller.fingerprint().clone(), line, number);
            (Open { key, ids: Arc::new(Mutex::new(Some(ids.to_vec()))) }, true)
        };
        let work = self.joint(caller.clone(), asked, this.clone());
        let (flight, is_shared) = joins.flights.board(this.key.clone(), work);
        if is_new || !is_shared {
            open.retain(|open| open.key != this.key);
            open.push(this);
        }
        (flight, is_shared)
    }

    /// Waits for others, then asks for everybody.
    fn joint(
        &self,
        caller: Caller,
        asked: Asked<'_>,
        open: Open,
    ) -> impl Future<Output = Result<Arc<Joint>>> + Send + use<> {
        let (rest, mut args) = (self.clone(), asked.args.clone());
        let Asked { tool, endpoint, token, .. } = asked;
        async move {
            let closed = Closed { rest: rest.clone(), open };
            tokio::time::sleep(WINDOW).await;
            let ids = closed.take();
            args.insert("ids".to_owned(), Value::from(ids.clone()));
            let output = rest.ask(&caller, Asked { tool, endpoint, args: &args, token }).await?;
            Ok(Arc::new(Joint { ids, output }))
        }
    }
}

/// Takes a request off the list of those that can be joined: when it is sent, or given up before.
struct Closed {
    rest: Rest,
    open: Open,
}

impl Closed {
    fn take(&self) -> Vec<String> {
        self.open.ids.lock().unwrap_or_else(PoisonError::into_inner).take().unwrap_or_default()
    }
}

impl Drop for Closed {
    fn drop(&mut self) {
        let mut open = self.rest.inner.joins.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|open| !Arc::ptr_eq(&open.ids, &self.open.ids));
    }
}

/// Adds ids to a request, if it is not sent yet and has room.
fn add(gathered: &Mutex<Option<Vec<String>>>, ids: &[String]) -> bool {
    let mut gathered = gathered.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(gathered) = &mut *gathered else { return false };
    let new: Vec<String> = ids.iter().filter(|id| !gathered.contains(id)).cloned().collect();
    if gathered.len() + new.len() > MOST_IDS {
        return false;
    }
    gathered.extend(new);
    true
}

/// Where the answer holds its parts, and the ids that are asked for, if this can be joined.
fn joinable(asked: Asked<'_>) -> Option<(&'static str, Vec<String>)> {
    let PartialFailures::NullsIn(name) = asked.endpoint.quirks.partial_failures else { return None };
    if asked.endpoint.method != Method::Get || asked.endpoint.tier != Tier::One {
        return None;
    }
    let mut ids: Vec<String> = match asked.args.get("ids")? {
        Value::Array(ids) => ids.iter().map(|id| id.as_str().map(str::to_owned)).collect::<Option<_>>()?,
        Value::String(ids) => ids.split(',').map(str::to_owned).collect(),
        _ => return None,
    };
    let mut seen = std::collections::HashSet::new();
    ids.retain(|id| seen.insert(id.clone()));
    (!ids.is_empty() && ids.len() <= MOST_IDS).then_some((name, ids))
}

/// Whether somebody else's ids may be the reason.
const fn is_about_ids(error: &Error) -> bool {
    matches!(
        error,
        Error::Refused { .. } | Error::TooLarge { .. } | Error::NothingDone { .. } | Error::TimedOut { .. }
    )
}

/// The part of a joint answer that belongs to these ids, as Figma would have sent it alone; `None` where
/// that cannot be known.
fn part(body: &str, name: &str, ids: &[String]) -> Option<String> {
    let members: Members = serde_json::from_str(body).ok()?;
    let all: Members = members.read(name)?;
    let mine: Vec<(&String, &RawValue)> =
        ids.iter().map(|id| Some((id, all.text(id)?))).collect::<Option<_>>()?;
    let has_failed = members.text("err").is_some_and(|value| value.get() != "null");
    if has_failed && mine.iter().any(|(_, value)| value.get() == "null") {
        // Whose failure it tells cannot be seen.
        return None;
    }
    let text = |text: &str| Value::from(text).to_string();
    let mine: Vec<String> =
        mine.into_iter().map(|(id, value)| format!("{}:{}", text(id), value.get())).collect();
    let members: Vec<String> = members
        .0
        .iter()
        .map(|(member, value)| match &**member {
            member if member == name => format!("{}:{{{}}}", text(member), mine.join(",")),
            "err" => r#""err":null"#.to_owned(),
            member => format!("{}:{}", text(member), value.get()),
        })
        .collect();
    Some(format!("{{{}}}", members.join(",")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(ids: &[&str]) -> Vec<String> {
        ids.iter().map(|id| (*id).to_owned()).collect()
    }

    #[test]
    fn each_gets_its_own_part_in_its_own_order() {
        let body = r#"{"name":"x","nodes":{"1:2":{"document":{"id":"1:2"}},"I1:3;4:5":null,"1:1":{}},"version":"9"}"#;
        assert_eq!(
            part(body, "nodes", &ids(&["1:1", "1:2"])).unwrap(),
            r#"{"name":"x","nodes":{"1:1":{},"1:2":{"document":{"id":"1:2"}}},"version":"9"}"#
        );
        assert_eq!(
            part(body, "nodes", &ids(&["I1:3;4:5"])).unwrap(),
            r#"{"name":"x","nodes":{"I1:3;4:5":null},"version":"9"}"#
        );
        for nothing in
            [part(body, "nodes", &ids(&["7:7"])), part("[]", "nodes", &[]), part("{}", "nodes", &[])]
        {
            assert_eq!(nothing, None);
        }
    }

    #[test]
    fn a_failure_is_told_to_whom_it_may_concern_only() {
        let body = r#"{"err":"Some failed","images":{"1:1":"https://a","1:2":null}}"#;
        let good = part(body, "images", &ids(&["1:1"])).unwrap();
        assert_eq!(good, r#"{"err":null,"images":{"1:1":"https://a"}}"#);
        assert_eq!(part(body, "images", &ids(&["1:1", "1:2"])), None);
        let fine = r#"{"err":null,"images":{"1:1":"https://a","1:2":null}}"#;
        assert_eq!(part(fine, "images", &ids(&["1:2"])).unwrap(), r#"{"err":null,"images":{"1:2":null}}"#);
    }

    #[test]
    fn a_request_takes_fifty_ids_and_each_once() {
        let gathered = Mutex::new(Some(ids(&["0"])));
        let more: Vec<String> = (1..50).map(|id| id.to_string()).collect();
        assert!(add(&gathered, &more) && add(&gathered, &ids(&["7", "0"])));
        assert!(!add(&gathered, &ids(&["50"])));
        assert_eq!(gathered.lock().unwrap().as_ref().unwrap().len(), 50);
        *gathered.lock().unwrap() = None;
        assert!(!add(&gathered, &ids(&["7"])));
    }
}
