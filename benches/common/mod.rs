// Each measurement uses a part of it.
#![allow(dead_code)]
//! What the measurements share: the fake Figma, a client that does nothing but a round trip, times, a table.
//!
//! What can be compared is measured side by side in the same run. `FIGMA_BENCH_QUICK=1` does a tenth of
//! the work.

pub(crate) mod program;

use std::{
    env, fs,
    io::{Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    process::{Child, Command},
    thread,
    time::{Duration, Instant},
};

use figma_mcp::sandbox::SCALED_FILE;

/// What `/v1/me` answers: about as long as Figma's own.
pub(crate) const ME: &str =
    r#"{"id":"1234567890123456789","handle":"Ada Example","email":"ada@example.com","img_url":""}"#;

/// One that the sandbox takes.
pub(crate) const TOKEN: &str = "sandbox-personal";

/// Whether a tenth of the work is enough.
pub(crate) fn is_quick() -> bool {
    env::var_os("FIGMA_BENCH_QUICK").is_some()
}

/// The built server without the settings of whoever measures.
pub(crate) fn figma_mcp() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_figma-mcp"));
    for (name, _) in env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("FIGMA")) {
        command.env_remove(name);
    }
    command.env("FIGMA_MCP_CACHE_DIR", concat!(env!("CARGO_TARGET_TMPDIR"), "/kept-by-benches"));
    command
}

/// A line of what Linux tells about a process, in MB; other systems do not tell it like this.
pub(crate) fn memory(process: &Child, name: &str) -> Option<f64> {
    let status = fs::read_to_string(format!("/proc/{}/status", process.id())).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    let kib: f64 = line.trim().trim_end_matches(" kB").parse().ok()?;
    Some(kib * 1024.0 / 1e6)
}

/// The least that can answer `/v1/me`: a thread a connection, kept open.
pub(crate) fn fake_figma() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let answer = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{ME}",
        ME.len()
    );
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, answer) = (stream.unwrap(), answer.clone());
            stream.set_nodelay(true).unwrap();
            thread::spawn(move || {
                let mut request = Vec::new();
                while read_to(&mut stream, &mut request, b"\r\n\r\n") {
                    if stream.write_all(answer.as_bytes()).is_err() {
                        return;
                    }
                }
            });
        }
    });
    address
}

/// A client that does nothing but the round trip.
pub(crate) struct Connection {
    stream: TcpStream,
    answer: Vec<u8>,
}

impl Connection {
    pub(crate) fn to(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, answer: Vec::new() }
    }

    pub(crate) fn round_trip(&mut self) {
        self.stream
            .write_all(b"GET /v1/me HTTP/1.1\r\nhost: 127.0.0.1\r\nx-figma-token: x\r\naccept: */*\r\n\r\n")
            .unwrap();
        assert!(read_to(&mut self.stream, &mut self.answer, ME.as_bytes()));
    }
}

/// Reads one message by its end. Nobody here sends a second one before the first is answered.
pub(crate) fn read_to(stream: &mut TcpStream, message: &mut Vec<u8>, end: &[u8]) -> bool {
    message.clear();
    let mut chunk = [0; 1024];
    while !message.ends_with(end) {
        match stream.read(&mut chunk) {
            Ok(0) | Err(_) => return false,
            Ok(read) => message.extend_from_slice(&chunk[..read]),
        }
    }
    true
}

/// The text of the sandbox's file of `--sandbox-scale`, not compressed, over HTTP/1.0, which needs no chunks.
pub(crate) fn download(base: &str) -> Vec<u8> {
    let mut stream = TcpStream::connect(base.trim_start_matches("http://")).unwrap();
    write!(stream, "GET /v1/files/{SCALED_FILE} HTTP/1.0\r\nx-figma-token: {TOKEN}\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let head = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n").unwrap();
    answer.split_off(head + 4)
}

pub(crate) fn timed<T>(work: impl FnOnce() -> T) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

/// Durations in order.
pub(crate) struct Times(Vec<Duration>);

impl Times {
    pub(crate) fn of(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        Self(times)
    }

    /// What this share of them stays within, in milliseconds.
    pub(crate) fn at(&self, share: f64) -> f64 {
        let last = self.0.len() - 1;
        self.0[(last as f64 * share).round() as usize].as_secs_f64() * 1e3
    }
}

pub(crate) fn least(values: impl Iterator<Item = f64>) -> f64 {
    values.fold(f64::INFINITY, f64::min)
}

/// What is printed.
#[derive(Default)]
pub(crate) struct Table(Vec<[String; 4]>);

impl Table {
    pub(crate) fn row(&mut self, figure: &str, measured: f64, unit: &str, target: Option<f64>) {
        let ratio = target.map(|target| format!("{:.2}", measured / target)).unwrap_or_default();
        let target = target.map(|target| format!("{} {unit}", number(target))).unwrap_or_default();
        self.0.push([figure.to_owned(), format!("{} {unit}", number(measured)), target, ratio]);
    }

    pub(crate) fn memory(&mut self, figure: &str, measured: Option<f64>, target: Option<f64>) {
        match measured {
            Some(measured) => self.row(figure, measured, "MB", target),
            None => {
                self.0.push([figure.to_owned(), "on Linux only".to_owned(), String::new(), String::new()]);
            }
        }
    }

    /// Times and sizes should stay below their target (a ratio under 1), calls a second above it.
    pub(crate) fn print(&self) {
        println!("{:44} {:>16} {:>16} {:>9}", "figure", "measured", "target", "ratio");
        for [figure, measured, target, ratio] in &self.0 {
            println!("{figure:44} {measured:>16} {target:>16} {ratio:>9}");
        }
    }
}

/// Three digits that count, or all of a large number.
pub(crate) fn number(value: f64) -> String {
    match value.abs() {
        large if large >= 100.0 || value.fract() == 0.0 => format!("{value:.0}"),
        middle if middle >= 1.0 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}
