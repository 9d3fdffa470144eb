//! The access log: a line a request, without anything secret: no header, no query, no argument.

use std::{
    net::IpAddr,
    sync::mpsc::{SyncSender, sync_channel},
    time::{Duration, SystemTime},
};

use axum::http::Method;
use serde::Deserialize;
use serde_json::json;

use super::Tell;
use crate::{
    auth::time::day,
    error::{Error, Result, foreign},
    settings::Format,
};

/// How many lines wait for a slow terminal; further ones are lost rather than kept.
const QUEUE: usize = 1024;

/// What stands for the status where a client left before it had an answer: as nginx writes it.
const CLIENT_LEFT: u16 = 499;

/// Writes lines beside the requests.
pub(super) struct AccessLog {
    format: Format,
    lines: SyncSender<String>,
}

/// What is known of a request.
#[derive(Debug)]
pub(super) struct Line<'a> {
    pub(super) id: &'a str,
    pub(super) peer: IpAddr,
    pub(super) method: &'a Method,
    pub(super) path: &'a str,
    pub(super) status: u16,
    pub(super) took: Duration,
    /// A fingerprint that tells callers apart.
    pub(super) caller: String,
    /// The method of MCP.
    pub(super) spoken: Option<String>,
    pub(super) tool: Option<String>,
}

/// The parts of a message that are named.
#[derive(Debug, Default, Deserialize)]
struct Spoken {
    method: Option<String>,
    #[serde(default)]
    params: Option<SpokenParams>,
}

#[derive(Debug, Default, Deserialize)]
struct SpokenParams {
    name: Option<String>,
}

/// A moment as RFC 3339 writes it, which tools that read logs know.
fn moment(time: SystemTime) -> String {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let (seconds, millis) = (since.as_secs(), since.subsec_millis());
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z", day(seconds))
}

impl<'a> Line<'a> {
    /// What is known at the beginning.
    pub(super) fn new(id: &'a str, peer: IpAddr, method: &'a Method, path: &'a str) -> Self {
        Self {
            id,
            peer,
            method,
            path,
            status: CLIENT_LEFT,
            took: Duration::ZERO,
            caller: String::new(),
            spoken: None,
            tool: None,
        }
    }

    /// The method and the tool that a message names.
    pub(super) fn says(&mut self, body: &[u8]) {
        let Ok(spoken) = serde_json::from_slice::<Spoken>(body) else { return };
        self.spoken = spoken.method.map(|method| foreign(&method));
        self.tool = spoken.params.and_then(|params| params.name).map(|name| foreign(&name));
    }
}

impl AccessLog {
    pub(super) fn start(format: Format, tell: Tell) -> Result<Self> {
        let (lines, waiting) = sync_channel::<String>(QUEUE);
        std::thread::Builder::new()
            .name("access log".to_owned())
            .spawn(move || waiting.into_iter().for_each(|line| tell(&line)))
            .map_err(|error| Error::Bug { problem: format!("no thread for the access log: {error}") })?;
        Ok(Self { format, lines })
    }

    pub(super) fn write(&self, line: &Line<'_>) {
        let time = moment(SystemTime::now());
        let (ms, path) = (u64::try_from(line.took.as_millis()).unwrap_or(u64::MAX), foreign(line.path));
        let text = match self.format {
            Format::Text | Format::Off => format!(
                "{time} {} {} {} {path} {} {ms} ms {} {} {}\n",
                line.id,
                line.peer,
                line.method,
                line.status,
                if line.caller.is_empty() { "-" } else { &line.caller },
                line.spoken.as_deref().unwrap_or("-"),
                line.tool.as_deref().unwrap_or("-"),
            ),
            Format::Json => {
                json!({
                    "time": time, "id": line.id, "peer": line.peer, "method": line.method.as_str(),
                    "path": path, "status": line.status, "ms": ms, "caller": line.caller,
                    "rpc": line.spoken, "tool": line.tool,
                })
                .to_string()
                    + "\n"
            }
        };
        // A line that finds no room is lost.
        let _ = self.lines.try_send(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_written_as_tools_read_them() {
        let time = SystemTime::UNIX_EPOCH + Duration::from_millis(1_795_575_605_007);
        assert_eq!(moment(time), "2026-11-25T03:00:05.007Z");
    }
}
