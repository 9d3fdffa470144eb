//! What the server is held to over HTTP, measured on the built binary from outside.
//!
//! `cargo bench --bench http` prints a table; nothing is asserted, since an absolute time says as much
//! about the machine as about the program. A call is set beside the bare HTTP request that it makes (by as
//! little as it takes, a socket; and by reqwest, as a program would make it), an event stream beside an
//! answer in JSON, a caller among slow readers beside the same caller alone.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout
)]
// Figures of a handful of digits.
#![allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]

mod common;

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    process::{Child, Stdio},
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use common::{Connection, Table, Times, fake_figma, figma_mcp, is_quick, least, memory, timed};

const INITIALIZE: &str = r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"bench","version":"1"}}}"#;
const INITIALIZED: &str = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;
const LIST: &str = r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#;
const STATUS: &str =
    r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"figma_status_get","arguments":{}}}"#;
/// How many rounds that are compared are measured in, in turns.
const ROUNDS: usize = 5;
const SLOW_READERS: usize = 200;
/// How many listings each slow reader asks for at once: several times what the buffers of both ends hold.
const ASKED_AHEAD: usize = 200;

fn main() {
    let share = if is_quick() { 10 } else { 1 };
    let fake = fake_figma();
    let mut table = Table::default();
    for connections in [8, 64] {
        calls(&mut table, fake, connections, 20_000 / share);
    }
    event_streams(&mut table, fake, 5_000 / share);
    sessions(&mut table, fake, 10_000 / share);
    slow_readers(&mut table, fake, 2_000 / share);
    table.print();
}

/// Calls a second and how long each takes, beside the bare request on as many connections, in turns. Of
/// several rounds the best counts, of each kind: other programs of this machine have their moments.
fn calls(table: &mut Table, fake: SocketAddr, connections: usize, times: usize) {
    let server = Server::start(fake, &[]);
    let each = times / ROUNDS / connections;
    let bare = || crowd(connections, each, || Connection::to(fake), |to, _| to.round_trip());
    let ours = |round: usize| {
        crowd(
            connections,
            each,
            || Client::to(server.address),
            |client, number| {
                let answer = client.post(&comments(round * times + number), "");
                assert!(answer.contains(r#""isError":false"#), "{answer}");
            },
        )
    };
    let client = Reqwest::new();
    bare();
    ours(ROUNDS);
    let rounds: Vec<_> = (0..ROUNDS).map(|round| (bare(), ours(round))).collect();
    let by_reqwest = least((0..ROUNDS).map(|_| client.crowd(fake, connections, each).as_secs_f64()));
    let best = |share| {
        let (bares, calls): (Vec<_>, Vec<_>) =
            rounds.iter().map(|(bare, ours)| (bare.1.at(share), ours.1.at(share))).unzip();
        (least(bares.into_iter()), least(calls.into_iter()))
    };
    let per_second = |kind: fn(&(Crowd, Crowd)) -> &Crowd| {
        let quickest = least(rounds.iter().map(|round| kind(round).0.as_secs_f64()));
        (each * connections) as f64 / quickest
    };
    let (bares, calls) = (per_second(|round| &round.0), per_second(|round| &round.1));
    table.row(&format!("bare requests, {connections} connections"), bares, "/s", None);
    table.row(&format!("calls, {connections} connections"), calls, "/s", None);
    table.row(&format!("calls to bare requests, {connections} connections"), calls / bares, "x", Some(0.25));
    let by_reqwest = (each * connections) as f64 / by_reqwest;
    table.row(&format!("requests by reqwest, {connections} connections"), by_reqwest, "/s", None);
    table.row("  calls to these", calls / by_reqwest, "x", Some(0.25));
    for (name, share) in [("p50", 0.5), ("p99", 0.99)] {
        let (bare, call) = best(share);
        table.row(&format!("  bare request, {name}"), bare, "ms", None);
        table.row(&format!("  call, {name}"), call, "ms", None);
    }
}

/// How long everything took, and how long each.
type Crowd = (Duration, Times);

/// So many at once, each doing one thing so many times.
fn crowd<C>(
    many: usize,
    each: usize,
    client: impl Fn() -> C + Sync,
    work: impl Fn(&mut C, usize) + Sync,
) -> Crowd {
    let mut times = Vec::new();
    let whole = timed(|| {
        times = thread::scope(|scope| {
            let one = |number: usize| {
                let (client, work) = (&client, &work);
                scope.spawn(move || {
                    let mut client = client();
                    (0..each)
                        .map(|turn| timed(|| work(&mut client, number * each + turn)))
                        .collect::<Vec<_>>()
                })
            };
            let threads: Vec<_> = (0..many).map(one).collect();
            threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
        });
    });
    (whole, Times::of(times))
}

/// An answer as an event stream, which a session gives, beside the same answer in JSON.
fn event_streams(table: &mut Table, fake: SocketAddr, times: usize) {
    let (stateless, sessions) = (Server::start(fake, &[]), Server::start(fake, &["--http-sessions"]));
    let (mut json, mut stream) = (Client::to(stateless.address), Client::to(sessions.address));
    let session = format!("mcp-session-id: {}\r\n", stream.open_session());
    let mut number = 0;
    let mut round = || -> (Times, Times) {
        let turn = |_| {
            number += 2;
            let in_json = timed(|| assert!(json.post(&comments(number), "").contains(r#""isError":false"#)));
            let streamed = timed(|| {
                assert!(stream.post(&comments(number + 1), &session).contains(r#""isError":false"#));
            });
            assert!(stream.is_stream && !json.is_stream);
            (in_json, streamed)
        };
        let (jsons, streams) = (0..times / ROUNDS).map(turn).unzip();
        (Times::of(jsons), Times::of(streams))
    };
    round();
    let rounds: Vec<_> = (0..ROUNDS).map(|_| round()).collect();
    let json = least(rounds.iter().map(|(json, _)| json.at(0.5)));
    let stream = least(rounds.iter().map(|(_, stream)| stream.at(0.5)));
    table.row("an answer in JSON, p50", json, "ms", None);
    table.row("the same as an event stream, p50", stream, "ms", None);
    table.row("event stream to JSON", stream / json, "x", Some(2.0));
}

/// Memory after sessions and old streams that were opened and dropped, in order and without a word.
fn sessions(table: &mut Table, fake: SocketAddr, times: usize) {
    let server = Server::start(fake, &["--http-sessions"]);
    let mut client = Client::to(server.address);
    for _ in 0..times {
        let session = client.open_session();
        client.send("DELETE", "/mcp", "", &format!("mcp-session-id: {session}\r\n"));
        assert_eq!(client.status, 200);
    }
    table.memory(
        &format!("{times} sessions opened and closed, resident"),
        server.memory("VmRSS:"),
        Some(64.0),
    );
    let mut refused = 0;
    for _ in 0..times {
        client.post(INITIALIZE, "");
        refused += usize::from(client.status == 503);
    }
    table.memory(&format!("{times} opened and forgotten, resident"), server.memory("VmRSS:"), Some(64.0));
    table.row("  of these told that there is no room", refused as f64, "", None);
    for _ in 0..times / 10 {
        let mut stream = TcpStream::connect(server.address).unwrap();
        stream
            .write_all(format!("GET /sse HTTP/1.1\r\nhost: {}\r\n\r\n", server.address).as_bytes())
            .unwrap();
        assert_ne!(stream.read(&mut [0; 16]).unwrap(), 0);
    }
    table.memory(
        &format!("and {} old streams opened and dropped, peak", times / 10),
        server.memory("VmHWM:"),
        Some(64.0),
    );
}

/// A caller's local tool while many others hardly read what they asked for.
fn slow_readers(table: &mut Table, fake: SocketAddr, times: usize) {
    let server = Server::start(fake, &[]);
    let mut client = Client::to(server.address);
    let mut round =
        || Times::of((0..times / ROUNDS).map(|_| timed(|| client.post(STATUS, "").len())).collect());
    round();
    let alone = least((0..ROUNDS).map(|_| round().at(0.99)));
    let mut readers: Vec<TcpStream> = (0..SLOW_READERS).map(|_| slow_reader(server.address)).collect();
    let is_over = AtomicBool::new(false);
    let among = thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                for reader in &mut readers {
                    let _ = reader.read(&mut [0; 1024]);
                    thread::sleep(Duration::from_micros(50));
                }
            }
        });
        // Until what the buffers take has been sent.
        thread::sleep(Duration::from_secs(3));
        let among = least((0..ROUNDS).map(|_| round().at(0.99)));
        is_over.store(true, Ordering::Relaxed);
        among
    });
    table.row("a local tool alone, p99", alone, "ms", None);
    table.row(&format!("a local tool among {SLOW_READERS} slow readers, p99"), among, "ms", Some(50.0));
    table.row("  among them to alone", among / alone, "x", None);
    table.memory("  peak of the server", server.memory("VmHWM:"), Some(64.0));
}

/// A client that asks for much and is read from by whoever holds it.
fn slow_reader(address: SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_millis(1))).unwrap();
    stream.set_write_timeout(Some(Duration::from_millis(200))).unwrap();
    let request = request("POST", "/mcp", LIST, "", address);
    for _ in 0..ASKED_AHEAD {
        // The server takes no more than it can answer.
        if stream.write_all(request.as_bytes()).is_err() {
            break;
        }
    }
    stream
}

/// A call that has to ask Figma: about another file each time.
fn comments(number: usize) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"figma_file_comments_list","arguments":{{"file_key":"BenchFile{number:012}"}}}}}}"#
    )
}

fn request(method: &str, path: &str, body: &str, headers: &str, host: SocketAddr) -> String {
    format!(
        "{method} {path} HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\naccept: application/json, text/event-stream\r\n{headers}content-length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// A server that listens.
struct Server {
    process: Child,
    address: SocketAddr,
}

impl Server {
    fn start(fake: SocketAddr, flags: &[&str]) -> Self {
        let mut process = figma_mcp()
            .args([&format!("--api-base-url=http://{fake}"), "serve", "--http", "127.0.0.1:0"])
            .args(flags)
            .env("FIGMA_TOKEN", "x")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stderr.take().unwrap()).lines().map_while(Result::ok);
        let line = lines.find(|line| line.contains("listening at ")).expect("the server listens");
        let address = line.split("://").nth(1).unwrap().trim_end_matches("/mcp").parse().unwrap();
        thread::spawn(move || lines.for_each(drop));
        Self { process, address }
    }

    fn memory(&self, name: &str) -> Option<f64> {
        memory(&self.process, name)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The client that our server uses: what an ordinary program pays for the same request.
struct Reqwest(tokio::runtime::Runtime);

impl Reqwest {
    fn new() -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        Self(tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap())
    }

    fn crowd(&self, fake: SocketAddr, many: usize, each: usize) -> Duration {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let one = || {
            let client = client.clone();
            self.0.spawn(async move {
                for _ in 0..each {
                    let request = client.get(format!("http://{fake}/v1/me")).header("x-figma-token", "x");
                    request.send().await.unwrap().bytes().await.unwrap();
                }
            })
        };
        timed(|| {
            let tasks: Vec<_> = (0..many).map(|_| one()).collect();
            for task in tasks {
                self.0.block_on(task).unwrap();
            }
        })
    }
}

/// A client on one connection, which reads as little of HTTP as it needs.
struct Client {
    reader: BufReader<TcpStream>,
    address: SocketAddr,
    status: u16,
    is_stream: bool,
    session: String,
    body: String,
}

impl Client {
    fn to(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        let reader = BufReader::new(stream);
        Self { reader, address, status: 0, is_stream: false, session: String::new(), body: String::new() }
    }

    /// Its id.
    fn open_session(&mut self) -> String {
        self.post(INITIALIZE, "");
        assert_eq!(self.status, 200, "{}", self.body);
        let session = self.session.clone();
        self.post(INITIALIZED, &format!("mcp-session-id: {session}\r\n"));
        assert_eq!(self.status, 202, "{}", self.body);
        session
    }

    fn post(&mut self, body: &str, headers: &str) -> &str {
        self.send("POST", "/mcp", body, headers)
    }

    fn send(&mut self, method: &str, path: &str, body: &str, headers: &str) -> &str {
        let request = request(method, path, body, headers, self.address);
        self.reader.get_mut().write_all(request.as_bytes()).unwrap();
        self.read()
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        assert_ne!(self.reader.read_line(&mut line).unwrap(), 0, "the server hung up");
        line
    }

    fn read(&mut self) -> &str {
        let (mut length, mut is_chunked) = (0, false);
        self.status = self.line().split(' ').nth(1).unwrap().parse().unwrap();
        self.is_stream = false;
        loop {
            let line = self.line();
            let Some((name, value)) = line.trim().split_once(": ") else { break };
            match name {
                "content-length" => length = value.parse().unwrap(),
                "transfer-encoding" => is_chunked = true,
                "content-type" => self.is_stream = value.starts_with("text/event-stream"),
                "mcp-session-id" => value.clone_into(&mut self.session),
                _ => {}
            }
        }
        let mut body = Vec::new();
        if is_chunked {
            loop {
                let size = usize::from_str_radix(self.line().trim(), 16).unwrap();
                let start = body.len();
                body.resize(start + size + 2, 0);
                self.reader.read_exact(&mut body[start..]).unwrap();
                body.truncate(start + size);
                if size == 0 {
                    break;
                }
            }
        } else {
            body.resize(length, 0);
            self.reader.read_exact(&mut body).unwrap();
        }
        self.body = String::from_utf8(body).unwrap();
        &self.body
    }
}
