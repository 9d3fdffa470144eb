//! The figures that this server is held to, measured on the built binary from outside, as a host sees it.
//!
//! `cargo bench` prints a table; nothing is asserted, since an absolute time says as much about the
//! machine as about the program. What can be compared is measured side by side in the same run: an
//! empty process beside a start, a bare HTTP round trip beside a call. `FIGMA_BENCH_QUICK=1` does a
//! tenth of the work.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout
)]
// Figures of a handful of digits.
#![allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]

use std::{
    env, fs,
    io::{BufRead, BufReader, Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

/// What `/v1/me` answers: about as long as Figma's own.
const ME: &str =
    r#"{"id":"1234567890123456789","handle":"Ada Example","email":"ada@example.com","img_url":""}"#;
/// An argument that makes this program an empty process: the price of any start on this machine.
const EMPTY_PROCESS: &str = "--empty-process";
const INITIALIZE: &str = r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"bench","version":"1"}}}"#;
const INITIALIZED: &str = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;
/// How many calls the throughput is measured with at a time.
const IN_FLIGHT: usize = 16;
/// How many rounds the overhead is measured in.
const ROUNDS: usize = 10;

fn main() {
    if env::args().any(|argument| argument == EMPTY_PROCESS) {
        return;
    }
    let size = if env::var_os("FIGMA_BENCH_QUICK").is_some() { Size::QUICK } else { Size::FULL };
    let fake = fake_figma();
    let mut table = Table::default();

    starts(&mut table, size.starts);
    listing(&mut table, size.listings);
    let binary = fs::metadata(env!("CARGO_BIN_EXE_figma-mcp")).unwrap().len();
    table.row("binary", binary as f64 / 1e6, "MB", Some(12.0));
    tokens(&mut table);
    overhead(&mut table, fake, size.overheads);
    throughput(&mut table, fake, size.calls);
    flood(&mut table, fake, size.flood);

    table.print();
}

/// How often each thing is measured.
struct Size {
    starts: usize,
    listings: usize,
    overheads: usize,
    calls: usize,
    flood: usize,
}

impl Size {
    const FULL: Self = Self { starts: 40, listings: 1_000, overheads: 5_000, calls: 50_000, flood: 20_000 };
    const QUICK: Self = Self { starts: 4, listings: 100, overheads: 500, calls: 5_000, flood: 2_000 };
}

/// From the start of a process to its answer to `initialize`, beside a process that does nothing.
fn starts(table: &mut Table, times: usize) {
    let (mut empty, mut ours) = (Vec::new(), Vec::new());
    for _ in 0..times {
        empty.push(timed(|| {
            let this = env::current_exe().unwrap();
            Command::new(this).arg(EMPTY_PROCESS).stdin(Stdio::null()).status().unwrap()
        }));
        let mut server = None;
        ours.push(timed(|| {
            server.insert(Server::spawn(&[], None)).request(INITIALIZE);
        }));
    }
    let (empty, ours) = (Times::of(empty), Times::of(ours));
    table.row("empty process, median", empty.at(0.5), "ms", None);
    table.row("start to the answer to initialize, median", ours.at(0.5), "ms", Some(5.0));
    table.row("start to the answer to initialize, least", ours.at(0.0), "ms", Some(5.0));
    table.row("start, in empty processes (medians)", ours.at(0.5) / empty.at(0.5), "x", None);
}

/// `tools/list`: how long it takes, and what the process holds after the first one.
fn listing(table: &mut Table, times: usize) {
    let mut server = Server::spawn(&[], None);
    server.handshake();
    server.list();
    let (resident, own) = (server.memory("VmRSS:"), server.memory("RssAnon:"));
    let took = Times::of((0..times).map(|_| timed(|| server.list().len())).collect());
    table.memory("resident after tools/list", resident, Some(8.0));
    table.memory("  of it not the program's own file or a library", own, None);
    table.row("tools/list, p50", took.at(0.5), "ms", Some(0.3));
    table.row("tools/list, p99", took.at(0.99), "ms", None);
}

/// What a model pays for the listing with every conversation.
fn tokens(table: &mut Table) {
    let encoding = tiktoken_rs::o200k_base().unwrap();
    for (name, arguments, target) in [
        ("the whole listing", &[][..], 9_000.0),
        ("the everyday listing", &["--toolsets", "default"], 4_000.0),
    ] {
        let mut server = Server::spawn(arguments, None);
        server.handshake();
        let answer: Value = serde_json::from_str(server.list()).unwrap();
        let tools = answer["result"]["tools"].as_array().unwrap();
        let sum: usize = tools.iter().map(|tool| encoding.encode_ordinary(&tool.to_string()).len()).sum();
        table.row(&format!("{name}, {} tools", tools.len()), sum as f64, "tokens", Some(target));
    }
}

/// A small call beside the bare HTTP round trip that it makes, in turns. Of several rounds the quietest
/// counts, of each kind: one slow moment of a shared machine makes the whole p99 of a round.
fn overhead(table: &mut Table, fake: SocketAddr, times: usize) {
    let mut server = Server::ready(fake);
    let mut bare = Connection::to(fake);
    let mut round = || -> (Times, Times) {
        let turn = |id| (timed(|| bare.round_trip()), timed(|| server.request(&me(id)).len()));
        let (bares, calls) = (0..times / ROUNDS).map(turn).unzip();
        (Times::of(bares), Times::of(calls))
    };
    // The first round warms both up.
    round();
    let rounds: Vec<_> = (0..ROUNDS).map(|_| round()).collect();
    for (name, share, target) in [("p50", 0.5, 0.3), ("p99", 0.99, 1.0)] {
        let bare = least(rounds.iter().map(|(bares, _)| bares.at(share)));
        let call = least(rounds.iter().map(|(_, calls)| calls.at(share)));
        table.row(&format!("bare HTTP round trip, {name}"), bare, "ms", None);
        table.row(&format!("what a small call adds to it, {name}"), call - bare, "ms", Some(target));
    }
}

/// Small calls a second with several in flight, beside bare round trips on as many connections.
fn throughput(table: &mut Table, fake: SocketAddr, calls: usize) {
    let bare = timed(|| {
        thread::scope(|scope| {
            for _ in 0..IN_FLIGHT {
                scope.spawn(|| {
                    let mut connection = Connection::to(fake);
                    (0..calls / IN_FLIGHT).for_each(|_| connection.round_trip());
                });
            }
        });
    });
    let mut server = Server::ready(fake);
    let ours = timed(|| {
        (0..IN_FLIGHT).for_each(|id| server.send(&me(id)));
        for id in IN_FLIGHT..calls + IN_FLIGHT {
            assert!(server.receive().contains(r#""isError":false"#));
            if id < calls {
                server.send(&me(id));
            }
        }
    });
    let per_second = |time: Duration| calls as f64 / time.as_secs_f64();
    table.row(&format!("bare round trips, {IN_FLIGHT} connections"), per_second(bare), "/s", None);
    table.row(&format!("small calls, {IN_FLIGHT} in flight"), per_second(ours), "/s", Some(5_000.0));
    table.row("small calls to bare round trips", per_second(ours) / per_second(bare), "x", None);
}

/// Far more calls at once than are taken: the memory stays bounded, and each is answered.
fn flood(table: &mut Table, fake: SocketAddr, calls: usize) {
    let mut server = Server::ready(fake);
    let mut input = server.input.take().unwrap();
    let writing = thread::spawn(move || {
        for id in 0..calls {
            writeln!(input, "{}", me(id)).unwrap();
        }
        input
    });
    let (mut done, mut busy) = (0, 0);
    for _ in 0..calls {
        let answer = server.receive();
        done += usize::from(answer.contains(r#""isError":false"#));
        busy += usize::from(answer.contains(r#""error":"busy""#));
    }
    server.input = Some(writing.join().unwrap());
    table.memory(&format!("peak over {calls} calls at once"), server.memory("VmHWM:"), Some(20.0));
    for (name, count) in [("answered", done), ("told to wait", busy), ("otherwise", calls - done - busy)] {
        table.row(&format!("  of these {name}"), count as f64, "", None);
    }
}

/// The request for a small call, each of its own, since equal ones at the same moment share one.
fn me(id: usize) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","id":{},"method":"tools/call","params":{{"name":"figma_component_get","arguments":{{"key":"{id:040x}"}}}}}}"#,
        id + 1
    )
}

/// A running server with a line to and from it.
struct Server {
    process: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    line: String,
}

impl Server {
    /// Without a fake there is no token, and so every tool is listed.
    fn spawn(arguments: &[&str], fake: Option<SocketAddr>) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_figma-mcp"));
        for (name, _) in env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("FIGMA")) {
            command.env_remove(name);
        }
        if let Some(fake) = fake {
            command.arg(format!("--api-base-url=http://{fake}")).env("FIGMA_TOKEN", "x");
            command.env("FIGMA_MCP_CACHE_DIR", concat!(env!("CARGO_TARGET_TMPDIR"), "/kept-by-figures"));
        }
        let mut process = command
            .arg("serve")
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let (input, output) = (process.stdin.take(), BufReader::new(process.stdout.take().unwrap()));
        Self { process, input, output, line: String::new() }
    }

    fn ready(fake: SocketAddr) -> Self {
        let mut server = Self::spawn(&[], Some(fake));
        server.handshake();
        server
    }

    fn handshake(&mut self) {
        self.request(INITIALIZE);
        self.send(INITIALIZED);
    }

    fn list(&mut self) -> &str {
        self.request(r#"{"jsonrpc":"2.0","id":0,"method":"tools/list"}"#)
    }

    fn request(&mut self, line: &str) -> &str {
        self.send(line);
        self.receive()
    }

    fn send(&mut self, line: &str) {
        self.input.as_mut().unwrap().write_all(format!("{line}\n").as_bytes()).unwrap();
    }

    fn receive(&mut self) -> &str {
        self.line.clear();
        assert_ne!(self.output.read_line(&mut self.line).unwrap(), 0, "the server has ended");
        &self.line
    }

    /// A line of what Linux tells about the process, in MB; other systems do not tell it like this.
    fn memory(&self, name: &str) -> Option<f64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id())).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        let kib: f64 = line.trim().trim_end_matches(" kB").parse().ok()?;
        Some(kib * 1024.0 / 1e6)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The least that can answer `/v1/me`: a thread a connection, kept open.
fn fake_figma() -> SocketAddr {
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
struct Connection {
    stream: TcpStream,
    answer: Vec<u8>,
}

impl Connection {
    fn to(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, answer: Vec::new() }
    }

    fn round_trip(&mut self) {
        self.stream
            .write_all(b"GET /v1/me HTTP/1.1\r\nhost: 127.0.0.1\r\nx-figma-token: x\r\naccept: */*\r\n\r\n")
            .unwrap();
        assert!(read_to(&mut self.stream, &mut self.answer, ME.as_bytes()));
    }
}

/// Reads one message by its end. Nobody here sends a second one before the first is answered.
fn read_to(stream: &mut TcpStream, message: &mut Vec<u8>, end: &[u8]) -> bool {
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

fn timed<T>(work: impl FnOnce() -> T) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

/// Durations in order.
struct Times(Vec<Duration>);

impl Times {
    fn of(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        Self(times)
    }

    /// What this share of them stays within, in milliseconds.
    fn at(&self, share: f64) -> f64 {
        let last = self.0.len() - 1;
        self.0[(last as f64 * share).round() as usize].as_secs_f64() * 1e3
    }
}

fn least(values: impl Iterator<Item = f64>) -> f64 {
    values.fold(f64::INFINITY, f64::min)
}

/// What is printed.
#[derive(Default)]
struct Table(Vec<[String; 4]>);

impl Table {
    fn row(&mut self, figure: &str, measured: f64, unit: &str, target: Option<f64>) {
        let ratio = target.map(|target| format!("{:.2}", measured / target)).unwrap_or_default();
        let target = target.map(|target| format!("{} {unit}", number(target))).unwrap_or_default();
        self.0.push([figure.to_owned(), format!("{} {unit}", number(measured)), target, ratio]);
    }

    fn memory(&mut self, figure: &str, measured: Option<f64>, target: Option<f64>) {
        match measured {
            Some(measured) => self.row(figure, measured, "MB", target),
            None => {
                self.0.push([figure.to_owned(), "on Linux only".to_owned(), String::new(), String::new()]);
            }
        }
    }

    /// Times and sizes should stay below their target (a ratio under 1), calls a second above it.
    fn print(&self) {
        println!("{:44} {:>16} {:>16} {:>9}", "figure", "measured", "target", "ratio");
        for [figure, measured, target, ratio] in &self.0 {
            println!("{figure:44} {measured:>16} {target:>16} {ratio:>9}");
        }
    }
}

/// Three digits that count, or all of a large number.
fn number(value: f64) -> String {
    match value.abs() {
        large if large >= 100.0 || value.fract() == 0.0 => format!("{value:.0}"),
        middle if middle >= 1.0 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}
