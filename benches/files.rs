//! What large files cost: the walk beside a full parse, the memory while one streams in and after it,
//! and how long a node of a held file takes.
//!
//! `cargo bench --bench files` prints a table; nothing is asserted. The files are the sandbox's own
//! (`--sandbox-scale`), served by a process of its own. `FIGMA_BENCH_QUICK=1` takes smaller ones.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::print_stdout)]
// Figures of a handful of digits.
#![allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]

mod common;

use std::{
    env, fs,
    path::PathBuf,
    time::{Duration, Instant},
};

use common::{download, program::Program};
use figma_mcp::{
    sandbox::{PRODUCT_FILE, SCALED_FILE},
    walk::{Flow, Member, Visitor, Walker},
};
use serde_json::{Value, json};

#[path = "../tests/it/session/questions.rs"]
mod questions;

use questions::questions;

fn main() {
    let sizes = if env::var_os("FIGMA_BENCH_QUICK").is_some() { ["5MB", "10MB"] } else { ["50MB", "150MB"] };
    for size in sizes {
        let figma = Program::start(&["serve", "--sandbox", "--sandbox-scale", size], &[]);
        let base = figma.base.clone();
        let text = download(&base);
        println!("\n{size}: {:.1} MB", mega(text.len()));
        speed(&text);
        drop(text);
        server(&base);
    }
    session();
}

/// What an agent's session costs: 20 questions about one file, asked twice.
fn session() {
    let mut server = Program::start(&["serve", "--sandbox"], &[]);
    server.initialize();
    let questions = questions();
    for (tool, arguments) in questions.iter().chain(&questions) {
        server.call(tool, arguments);
    }
    let status = server.result("figma_status_get", &json!({}));
    let status: Value = serde_json::from_str(status["content"][0]["text"].as_str().unwrap()).unwrap();
    let costs_a_call = |(tool, arguments): &(&str, Value)| {
        let tool = arguments["tool"].as_str().unwrap_or(tool);
        let endpoint = figma_mcp::table::find(tool).and_then(figma_mcp::table::Tool::endpoint);
        endpoint.is_some_and(|endpoint| endpoint.tier == figma_mcp::table::Tier::One)
    };
    println!(
        "\n{} questions: {} tier 1 calls; one for each question would be {}",
        2 * questions.len(),
        status["calls_so_far"]["tier_1"],
        2 * questions.iter().filter(|question| costs_a_call(question)).count()
    );
    for (what, filter) in [("endless", "def f: f; f"), ("greedy", "[range(infinite)]"), ("malformed", ".a |")]
    {
        let of = json!({ "file_key": PRODUCT_FILE });
        let query = json!({ "tool": "figma_file_get", "arguments": of, "filter": filter });
        let started = Instant::now();
        let answer = server.result("figma_result_query", &query);
        assert_eq!(answer["isError"], true, "{answer}");
        println!("  a filter that is {what}: refused after {:.0} ms", started.elapsed().as_secs_f64() * 1e3);
    }
}

fn mega(bytes: usize) -> f64 {
    bytes as f64 / 1e6
}

/// The walk beside a full parse of the same bytes.
fn speed(text: &[u8]) {
    let rate = |time: Duration| text.len() as f64 / 1e9 / time.as_secs_f64();
    let walks = [Wanted::Nothing, Wanted::Id, Wanted::All].map(|wanted| {
        let time = best(5, || {
            let mut walker = Walker::new(Count { wanted, bytes: 0 });
            text.chunks(64 * 1024).for_each(|chunk| walker.push(chunk).unwrap());
            assert!(walker.finish().unwrap().bytes < usize::MAX);
        });
        (wanted, time)
    });
    let parse = best(2, || drop(serde_json::from_slice::<Value>(text).unwrap()));
    for (wanted, time) in walks {
        println!("  walk, members wanted: {wanted:?}: {:.2} GB/s", rate(time));
    }
    println!("  serde_json::Value: {:.2} GB/s", rate(parse));
}

#[derive(Debug, Clone, Copy)]
enum Wanted {
    Nothing,
    Id,
    All,
}

struct Count {
    wanted: Wanted,
    bytes: usize,
}

impl Visitor for Count {
    fn open(&mut self, _at: u64) {}
    fn member(&mut self, _member: Member, _key: &[u8], value: &[u8]) -> Flow {
        self.bytes += value.len();
        Flow::Continue
    }
    fn close(&mut self, _end: u64) {}
    fn beside(&mut self, _entry: Option<&str>, _key: &[u8], _value: &[u8]) {}
    fn wants(&self, member: Member, _key: &[u8]) -> bool {
        match self.wanted {
            Wanted::Nothing => false,
            Wanted::Id => member == Member::Id,
            Wanted::All => true,
        }
    }
}

/// A server that fetches the file once and then answers from it.
fn server(base: &str) {
    let cache = env::temp_dir().join(format!("figma-mcp-bench-{}", std::process::id()));
    let folder = cache.to_str().unwrap();
    let mut server = Program::start(
        &["serve", "--api-base-url", base],
        &[("FIGMA_TOKEN", common::TOKEN), ("FIGMA_MCP_CACHE_DIR", folder)],
    );
    server.initialize();
    let before = server.memory("VmRSS:");
    let outline = json!({ "file_key": SCALED_FILE, "depth": 1 });
    let started = Instant::now();
    server.call("figma_file_get", &outline);
    println!("  first read, whole file fetched: {:.0} ms", started.elapsed().as_secs_f64() * 1e3);
    println!(
        "  resident: {before:.1} MB before, {:.1} MB at most, {:.1} MB after",
        server.memory("VmHWM:"),
        server.memory("VmRSS:")
    );
    let mut times: Vec<Duration> = (0..50)
        .map(|n| {
            let node = json!({ "file_key": SCALED_FILE, "ids": format!("1:{}", 2 + n * 17), "depth": 2 });
            let started = Instant::now();
            server.call("figma_file_nodes_get", &node);
            started.elapsed()
        })
        .collect();
    times.sort();
    println!(
        "  node of the held file: {:.2} ms median, {:.2} ms at most",
        times[times.len() / 2].as_secs_f64() * 1e3,
        times[times.len() - 1].as_secs_f64() * 1e3
    );
    println!("  on the disk: {:.1} MB", mega(usize::try_from(size_of_folder(&cache)).unwrap()));
    drop(server);
    let _ = fs::remove_dir_all(&cache);
}

fn size_of_folder(folder: &PathBuf) -> u64 {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().metadata().unwrap().len()).sum()
}

fn best(times: usize, mut work: impl FnMut()) -> Duration {
    let once = |()| {
        let started = Instant::now();
        work();
        started.elapsed()
    };
    std::iter::repeat_n((), times).map(once).min().unwrap()
}
