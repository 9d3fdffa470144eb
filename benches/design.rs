//! How fast a design is described, beside a plain parse of the same bytes in the same run.
//!
//! Then the whole call of a server beside the bare download of the same bytes, which come packed by gzip and
//! are inflated by all: on loopback and at the pace of a line. The download is made twice: with as little as
//! it takes (a socket and zlib-rs), and with reqwest, as a program would that fetches a file.
//!
//! `cargo bench --bench design` prints two tables; nothing is asserted. `DESIGN_BENCH_MB=1,10` chooses the
//! sizes. Peak memory is the process's own, above what the answer itself takes, in a process for each size
//! (Linux).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout
)]
#![allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]

mod common;

use std::{
    env, fs,
    hint::black_box,
    io::{BufRead, BufReader, Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    process::Command,
    thread,
    time::{Duration, Instant},
};

use common::program::Program;
use figma_mcp::{
    design::context::{Collector, Options, describe},
    walk::Walker,
};
use flate2::{Compression, bufread::GzDecoder, write::GzEncoder};
use serde::Deserialize;
use serde_json::{Value, json};

/// As the download hands them over.
const CHUNK: usize = 64 * 1024;
/// What a description may take by default.
const BUDGET: usize = 47 * 1024;
const RUNS: usize = 3;

fn main() {
    if let Some(file) = env::var_os("DESIGN_BENCH_PEAK") {
        return peak(&fs::read(file).unwrap());
    }
    let sizes = env::var("DESIGN_BENCH_MB").unwrap_or_else(|_| "1,10,50,150".to_owned());
    let sizes: Vec<usize> = sizes.split(',').map(|size| size.trim().parse().unwrap()).collect();
    println!("GB/s, the best of {RUNS} runs; peak memory above the answer's own in MB");
    println!(
        "{:>6} {:>8} {:>8} {:>8} {:>8} {:>8} {:>9} {:>8} {:>8}",
        "MB", "nodes", "describe", "collect", "Value", "typed", "× Value", "ms/MB", "peak MB"
    );
    for size in &sizes {
        rates(&generated(*size));
    }
    calls(&sizes);
}

/// A file of the sandbox's, of about so many megabytes.
fn generated(size: usize) -> Vec<u8> {
    let figma = Program::start(&["serve", "--sandbox", "--sandbox-scale", &format!("{size}MB")], &[]);
    common::download(&figma.base)
}

/// Prints a line of the first table.
fn rates(answer: &[u8]) {
    let bytes = answer.len() as f64;
    let mut nodes = 0;
    let describing = best(|| {
        let design = collect(answer);
        nodes = design.size();
        black_box(describe(&design, &Options { max_bytes: BUDGET, ..Options::default() }));
    });
    let collecting = best(|| {
        black_box(collect(answer));
    });
    let value = best(|| {
        black_box(serde_json::from_slice::<Value>(answer).unwrap());
    });
    let typed = best(|| {
        black_box(serde_json::from_slice::<File>(answer).unwrap());
    });
    let file = env::temp_dir().join(format!("figma-mcp-bench-{}.json", std::process::id()));
    fs::write(&file, answer).unwrap();
    let peak = Command::new(env::current_exe().unwrap()).env("DESIGN_BENCH_PEAK", &file).output().unwrap();
    fs::remove_file(&file).unwrap();
    println!(
        "{:6.1} {nodes:8} {:8.2} {:8.2} {:8.2} {:8.2} {:9.1} {:8.2} {:>8}",
        bytes / 1e6,
        bytes / describing / 1e9,
        bytes / collecting / 1e9,
        bytes / value / 1e9,
        bytes / typed / 1e9,
        value / describing,
        describing * 1e9 / bytes,
        String::from_utf8_lossy(&peak.stdout).trim(),
    );
}

fn best(mut run: impl FnMut()) -> f64 {
    (0..RUNS)
        .map(|_| {
            let start = Instant::now();
            run();
            start.elapsed().as_secs_f64()
        })
        .fold(f64::INFINITY, f64::min)
}

fn collect(answer: &[u8]) -> figma_mcp::design::context::Design {
    let mut walker = Walker::new(Collector::new(false));
    for chunk in answer.chunks(CHUNK) {
        walker.push(chunk).unwrap();
    }
    walker.finish().unwrap().finish()
}

/// Prints the peak of this process while it describes one answer, less the answer itself.
fn peak(answer: &[u8]) {
    let design = collect(answer);
    black_box(describe(&design, &Options { max_bytes: BUDGET, ..Options::default() }));
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| {
        line.strip_prefix("VmHWM:")?.trim().strip_suffix("kB")?.trim().parse::<usize>().ok()
    });
    println!("{}", (peak.unwrap_or(0) / 1024).saturating_sub(answer.len() / 1024 / 1024));
}

/// The members that a typed reader would keep.
#[derive(Deserialize)]
#[allow(dead_code)]
struct File {
    document: Node,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(dead_code)]
struct Node {
    id: String,
    name: String,
    r#type: String,
    visible: Option<bool>,
    #[serde(default)]
    children: Vec<Node>,
    #[serde(default)]
    fills: Vec<Value>,
    #[serde(default)]
    strokes: Vec<Value>,
    #[serde(default)]
    effects: Vec<Value>,
    layout_mode: Option<String>,
    item_spacing: Option<f32>,
    padding_left: Option<f32>,
    corner_radius: Option<f32>,
    absolute_bounding_box: Option<Bounds>,
    characters: Option<String>,
    style: Option<Value>,
    component_id: Option<String>,
    component_properties: Option<Value>,
}

#[derive(Deserialize)]
#[allow(dead_code)]
struct Bounds {
    x: f32,
    y: f32,
    width: f32,
    height: f32,
}

// ---------------------------------------------------------------------------- whole calls

/// Two files of the same content: what a server asks first, and what it asks when it is warm.
const FILES: [&str; 2] = ["BenchSample00000000001a", "BenchSample00000000001b"];
/// What a line of 100 Mbit/s carries.
const PACE: f64 = 12.5e6;
/// What it delivers at a time: a few packets.
const PACKETS: usize = 4096;

/// The whole call beside the bare download of the same bytes, and what it costs the process.
fn calls(sizes: &[usize]) {
    println!(
        "\nwhole call of a file that is not held beside the bare download, the best of {RUNS} runs; `first` is a new \
         server's very first call\nlimits: 4 ×, paced 1.15 ×, 16 MB + half the size"
    );
    println!(
        "{:>6} {:>8} {:>8} {:>8} {:>8} {:>6} {:>9} {:>8} {:>8} {:>8} {:>6} {:>9} {:>8} {:>8}",
        "MB",
        "bare ms",
        "reqwest",
        "first ms",
        "call ms",
        "× bare",
        "× reqwest",
        "paced ms",
        "first ms",
        "call ms",
        "×",
        "CPU ms/MB",
        "peak MB",
        "limit MB"
    );
    let mut costs: Vec<(usize, f64)> = Vec::new();
    for size in sizes {
        let answer = generated(*size);
        let megabytes = answer.len() as f64 / 1e6;
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(&answer).unwrap();
        let gzip = encoder.finish().unwrap();
        drop(answer);
        let (loopback, paced) = (figma(gzip.clone(), None), figma(gzip, Some(PACE)));
        let bare = best(|| download(loopback));
        let fetched = best(|| fetch(loopback));
        let bare_paced = best(|| download(paced));
        let (quick, slow) = (Call::best(loopback, *size), Call::best(paced, *size));
        let cpu = quick.cpu / megabytes;
        costs.push((*size, cpu));
        println!(
            "{megabytes:6.1} {:8.1} {:8.1} {:8.1} {:8.1} {:6.2} {:9.2} {:8.1} {:8.1} {:8.1} {:6.3} {cpu:9.2} {:8.1} \
             {:8.1}",
            bare * 1e3,
            fetched * 1e3,
            quick.first * 1e3,
            quick.warm * 1e3,
            quick.warm / bare,
            quick.warm / fetched,
            bare_paced * 1e3,
            slow.first * 1e3,
            slow.warm * 1e3,
            slow.warm / bare_paced,
            quick.peak,
            16.0 + megabytes / 2.0,
        );
    }
    let cost = |size: usize| costs.iter().find(|(known, _)| *known == size).map(|(_, cost)| *cost);
    if let (Some(small), Some(large)) = (cost(10), cost(150)) {
        println!("CPU a MB from 10 to 150 MB: {:.2} × (limit 1.15)", large / small);
    }
}

fn once(run: impl FnOnce()) -> f64 {
    let start = Instant::now();
    run();
    start.elapsed().as_secs_f64()
}

/// What whole calls of a fresh server took.
struct Call {
    /// Seconds from its first question to the answer.
    first: f64,
    /// The same for another file, once the first is kept.
    warm: f64,
    /// CPU time of the first, in ms, with the keeping of the file that comes after the answer.
    cpu: f64,
    /// The most memory that it took, in MB, with the keeping.
    peak: f64,
}

impl Call {
    /// The least of several servers', and the most of their memory.
    fn best(figma: SocketAddr, size: usize) -> Self {
        let least = |best: Self, run: Self| Self {
            first: best.first.min(run.first),
            warm: best.warm.min(run.warm),
            cpu: best.cpu.min(run.cpu),
            peak: best.peak.max(run.peak),
        };
        (0..RUNS).map(|run| Self::made(figma, size, run)).reduce(least).unwrap()
    }

    fn made(figma: SocketAddr, size: usize, run: usize) -> Self {
        let base = format!("http://{figma}");
        let folder = env::temp_dir().join(format!("figma-mcp-bench-{}-{size}-{run}", std::process::id()));
        let mut server = Program::start(
            &["serve", "--api-base-url", &base],
            &[("FIGMA_TOKEN", "bench"), ("FIGMA_MCP_CACHE_DIR", folder.to_str().unwrap())],
        );
        server.initialize();
        let describe = |server: &mut Program, file| {
            once(|| server.call("figma_design_context_get", &json!({ "file_key": file })))
        };
        let before = server.cpu();
        let first = describe(&mut server, FILES[0]);
        // Waits until the file is held.
        server.call("figma_file_get", &json!({ "file_key": FILES[0], "depth": 1 }));
        let (cpu, peak) = (server.cpu() - before, server.memory("VmHWM:"));
        let warm = describe(&mut server, FILES[1]);
        drop(server);
        let _ = fs::remove_dir_all(&folder);
        Self { first, warm, cpu, peak }
    }
}

/// Answers with this body, which gzip has packed, for the file: as fast as it can or at so many bytes a
/// second.
fn figma(body: Vec<u8>, pace: Option<f64>) -> SocketAddr {
    const META: &str = r#"{"file":{"name":"Generated","last_touched_at":"2026-01-01T00:00:00Z","version":"1","editorType":"figma","role":"viewer"}}"#;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let body = std::sync::Arc::new(body);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, body) = (stream.unwrap(), body.clone());
            stream.set_nodelay(true).unwrap();
            thread::spawn(move || {
                let mut request = Vec::new();
                while common::read_to(&mut stream, &mut request, b"\r\n\r\n") {
                    let line = String::from_utf8_lossy(&request);
                    let path = line.split([' ', '?']).nth(1).unwrap_or_default();
                    let of_file = path.strip_prefix("/v1/files/").unwrap_or_default();
                    let of_file = FILES.iter().find_map(|file| of_file.strip_prefix(file));
                    let (status, bytes, encoding) = match of_file {
                        Some("") => ("200 OK", body.as_slice(), "content-encoding: gzip\r\n"),
                        Some("/meta") => ("200 OK", META.as_bytes(), ""),
                        // As for most: no variables without Enterprise.
                        _ => (
                            "403 Forbidden",
                            br#"{"status":403,"err":"Limited by Figma plan"}"#.as_slice(),
                            "",
                        ),
                    };
                    let head = format!(
                        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\n{encoding}content-length: {}\r\n\r\n",
                        bytes.len()
                    );
                    if stream.write_all(head.as_bytes()).is_err() || send(&mut stream, bytes, pace).is_err() {
                        return;
                    }
                }
            });
        }
    });
    address
}

/// At a pace, no byte is there before the line has carried it.
fn send(stream: &mut TcpStream, bytes: &[u8], pace: Option<f64>) -> std::io::Result<()> {
    let Some(pace) = pace else { return stream.write_all(bytes) };
    let start = Instant::now();
    let mut sent = 0;
    for piece in bytes.chunks(PACKETS) {
        sent += piece.len();
        let due = sent as f64 / pace - start.elapsed().as_secs_f64();
        thread::sleep(Duration::from_secs_f64(due.max(0.0)));
        stream.write_all(piece)?;
    }
    Ok(())
}

/// Reads the answer, inflates it and forgets it.
fn download(figma: SocketAddr) {
    let stream = TcpStream::connect(figma).unwrap();
    write!(&stream, "GET /v1/files/{} HTTP/1.1\r\nhost: figma\r\n\r\n", FILES[0]).unwrap();
    let mut stream = BufReader::with_capacity(CHUNK, stream);
    let mut line = String::new();
    while line != "\r\n" {
        line.clear();
        stream.read_line(&mut line).unwrap();
    }
    let (mut inflated, mut buffer) = (GzDecoder::new(stream), vec![0; CHUNK]);
    while inflated.read(&mut buffer).unwrap() > 0 {}
}

/// The same with reqwest.
fn fetch(figma: SocketAddr) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().no_proxy().tls_certs_only([]).build().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut response = client.get(format!("http://{figma}/v1/files/{}", FILES[0])).send().await.unwrap();
        while let Some(chunk) = response.chunk().await.unwrap() {
            black_box(chunk);
        }
    });
}
