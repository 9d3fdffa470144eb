//! What the sandbox remembers for as long as it runs.

use std::{
    collections::{HashMap, VecDeque},
    net::SocketAddr,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::{
    data::Data,
    faults::Fault,
    oauth::Apps,
    route::{self, Operation},
    tree,
};

/// Everything a handler may look at.
#[derive(Debug)]
pub(super) struct World {
    pub(super) data: Data,
    /// How many bytes the scaled file has.
    pub(super) scale: Option<u64>,
    pub(super) operations: Vec<Operation>,
    pub(super) address: SocketAddr,
    pub(super) stop: CancellationToken,
    /// What plays Figma's OAuth server.
    pub(super) apps: Apps,
    state: Mutex<State>,
    log: Mutex<Log>,
}

/// What was written.
#[derive(Debug, Default)]
pub(super) struct State {
    comments: HashMap<String, Vec<Value>>,
    dev_resources: HashMap<String, Vec<Value>>,
    variables: HashMap<String, Value>,
    webhooks: Option<Vec<Value>>,
    fault_hits: HashMap<&'static str, u32>,
    touched: HashMap<String, u64>,
    last_id: u64,
}

/// The requests that came in, the newest last.
#[derive(Debug, Default)]
struct Log {
    total: u64,
    kept: VecDeque<Value>,
}

/// How many requests are kept.
const KEPT_REQUESTS: usize = 1000;

impl World {
    pub(super) fn new(data: Data, scale: Option<u64>, address: SocketAddr, stop: CancellationToken) -> Self {
        Self {
            data,
            scale,
            operations: route::operations(),
            address,
            stop,
            apps: Apps::default(),
            state: Mutex::default(),
            log: Mutex::default(),
        }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a request; its status follows when it is known.
    pub(super) fn note_request(&self, method: &str, path: &str, token_header: Option<&str>) -> u64 {
        let mut log = self.log();
        if log.kept.len() == KEPT_REQUESTS {
            log.kept.pop_front();
        }
        log.kept.push_back(
            json!({ "method": method, "path": path, "token_header": token_header, "status": null }),
        );
        log.total += 1;
        log.total
    }

    /// Notes the status of the request with this number.
    pub(super) fn note_status(&self, number: u64, status: u16) {
        let mut log = self.log();
        let age = log.total.saturating_sub(number);
        let index = log.kept.len().checked_sub(1 + usize::try_from(age).unwrap_or(usize::MAX));
        if let Some(entry) = index.and_then(|index| log.kept.get_mut(index)) {
            tree::set(entry, "status", json!(status));
        }
    }

    /// `{total, requests}`.
    pub(super) fn requests(&self) -> Value {
        let log = self.log();
        json!({ "total": log.total, "requests": log.kept })
    }

    /// The person whom every token acts as.
    pub(super) fn me(&self) -> Value {
        let me = self.data.workspace().get("me").unwrap_or(&Value::Null);
        json!({ "id": tree::text(me, "id"), "handle": tree::text(me, "handle"), "img_url": self.url(tree::text(me, "img_url")) })
    }

    /// A folder by its id.
    pub(super) fn folder(&self, id: &str) -> Option<&Value> {
        tree::list(self.data.workspace(), "folders").iter().find(|folder| tree::text(folder, "id") == id)
    }

    /// A copy whose image paths are addresses on the sandbox's own host.
    pub(super) fn localized(&self, value: &Value) -> Value {
        match value {
            Value::String(path) if path.starts_with("/images/") => json!(self.url(path)),
            Value::Array(items) => items.iter().map(|item| self.localized(item)).collect(),
            Value::Object(fields) => {
                fields.iter().map(|(name, value)| (name.clone(), self.localized(value))).collect()
            }
            other => other.clone(),
        }
    }

    /// An address on the sandbox's own host.
    pub(super) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

impl State {
    /// The comments of a file, oldest first.
    pub(super) fn comments(&mut self, data: &Data, key: &str) -> &mut Vec<Value> {
        self.comments.entry(key.to_owned()).or_insert_with(|| of_file(data, key, "comments"))
    }

    /// The dev resources of a file.
    pub(super) fn dev_resources(&mut self, data: &Data, key: &str) -> &mut Vec<Value> {
        self.dev_resources.entry(key.to_owned()).or_insert_with(|| of_file(data, key, "dev_resources"))
    }

    /// The file and the place of a dev resource.
    pub(super) fn find_dev_resource(&mut self, data: &Data, id: &str) -> Option<(String, usize)> {
        let sample = data.workspace().get("files").and_then(Value::as_object);
        for key in sample.into_iter().flat_map(|files| files.keys()) {
            self.dev_resources(data, key);
        }
        self.dev_resources.iter().find_map(|(key, resources)| {
            Some((key.clone(), resources.iter().position(|resource| tree::text(resource, "id") == id)?))
        })
    }

    /// The local variables of a file: `variables` and `variableCollections`.
    pub(super) fn variables(&mut self, data: &Data, key: &str) -> &mut Value {
        self.variables.entry(key.to_owned()).or_insert_with(|| {
            let none = json!({ "variables": {}, "variableCollections": {} });
            let about = data.about(key);
            // A branch begins with its main file's variables.
            let main = data.about(tree::text(about, "main_file")).get("variables");
            about.get("variables").or(main).cloned().unwrap_or(none)
        })
    }

    /// All webhooks.
    pub(super) fn webhooks(&mut self, data: &Data) -> &mut Vec<Value> {
        self.webhooks.get_or_insert_with(|| tree::list(data.workspace(), "webhooks").to_vec())
    }

    /// Whether this fault strikes now, or has had its times.
    pub(super) fn strikes(&mut self, fault: &Fault) -> bool {
        let hits = self.fault_hits.entry(fault.key).or_default();
        *hits = hits.saturating_add(1);
        *hits > fault.spares && fault.times.is_none_or(|times| *hits <= times)
    }

    /// Notes a change of a file, later than any before.
    pub(super) fn touch(&mut self, key: &str) {
        let at = self.touched.entry(key.to_owned()).or_default();
        *at = seconds().max(*at + 1);
    }

    /// When a file was last changed here, in Figma's form.
    pub(super) fn touched(&self, key: &str) -> Option<String> {
        self.touched.get(key).map(|at| timestamp(*at))
    }

    /// A number that was not used before.
    pub(super) fn new_id(&mut self) -> u64 {
        self.last_id += 1;
        900_000_000 + self.last_id
    }
}

/// A list of the sample, as belonging to the file under which it was asked for.
fn of_file(data: &Data, key: &str, name: &str) -> Vec<Value> {
    let mut items = tree::list(data.about(key), name).to_vec();
    for item in &mut items {
        tree::set(item, "file_key", json!(key));
    }
    items
}

/// The current time in Figma's form.
pub(super) fn now() -> String {
    timestamp(seconds())
}

fn seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

/// Seconds since 1970 in Figma's form, `2026-01-31T23:59:59Z`.
fn timestamp(seconds: u64) -> String {
    let (days, time) = (seconds / 86_400, seconds % 86_400);
    // Howard Hinnant's `civil_from_days`, for dates after 1970: years are counted from March on.
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", time / 3600, time / 60 % 60, time % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_know_leap_years() {
        assert_eq!(timestamp(0), "1970-01-01T00:00:00Z");
        assert_eq!(timestamp(1_709_164_800), "2024-02-29T00:00:00Z");
        assert_eq!(timestamp(1_798_761_599), "2026-12-31T23:59:59Z");
    }
}
