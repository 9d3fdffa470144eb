//! How fast a design is described, beside a plain parse of the same bytes in the same run.
//!
//! `cargo bench --bench design` prints a table; nothing is asserted. `DESIGN_BENCH_MB=1,10` chooses the
//! sizes. Peak memory is the process's own, above what the answer itself takes, in a process for each size
//! (Linux).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout
)]
#![allow(clippy::cast_precision_loss, clippy::cast_possible_truncation)]

use std::{env, fmt::Write, fs, hint::black_box, process::Command, time::Instant};

use figma_mcp::{
    design::context::{Collector, Options, describe},
    walk::Walker,
};
use serde::Deserialize;
use serde_json::Value;

/// As the download hands them over.
const CHUNK: usize = 64 * 1024;
/// What a description may take by default.
const BUDGET: usize = 47 * 1024;
const RUNS: usize = 3;

fn main() {
    if let Ok(size) = env::var("DESIGN_BENCH_PEAK") {
        return peak(size.parse().unwrap());
    }
    let sizes = env::var("DESIGN_BENCH_MB").unwrap_or_else(|_| "1,10,50,150".to_owned());
    println!("GB/s, the best of {RUNS} runs; peak memory above the answer's own in MB");
    println!(
        "{:>6} {:>8} {:>8} {:>8} {:>8} {:>8} {:>9} {:>8} {:>8}",
        "MB", "nodes", "describe", "collect", "Value", "typed", "× Value", "ms/MB", "peak MB"
    );
    for size in sizes.split(',').map(|size| size.trim().parse::<usize>().unwrap()) {
        let answer = generate(size * 1_000_000);
        let bytes = answer.len() as f64;
        let mut nodes = 0;
        let describing = best(|| {
            let design = collect(&answer);
            nodes = design.size();
            black_box(describe(&design, &Options { max_bytes: BUDGET, ..Options::default() }));
        });
        let collecting = best(|| {
            black_box(collect(&answer));
        });
        let value = best(|| {
            black_box(serde_json::from_slice::<Value>(&answer).unwrap());
        });
        let typed = best(|| {
            black_box(serde_json::from_slice::<File>(&answer).unwrap());
        });
        let peak = Command::new(env::current_exe().unwrap())
            .env("DESIGN_BENCH_PEAK", size.to_string())
            .output()
            .unwrap();
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
fn peak(megabytes: usize) {
    let answer = generate(megabytes * 1_000_000);
    let design = collect(&answer);
    black_box(describe(&design, &Options { max_bytes: BUDGET, ..Options::default() }));
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| {
        line.strip_prefix("VmHWM:")?.trim().strip_suffix("kB")?.trim().parse::<usize>().ok()
    });
    println!("{}", peak.unwrap_or(0) / 1024 - answer.capacity() / 1024 / 1024);
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

// ---------------------------------------------------------------------------- the answer

/// A file of about this many bytes, written as Figma writes: float32 widened, `children` before a node's
/// own members, everything in its usual order.
fn generate(size: usize) -> Vec<u8> {
    let mut out = String::with_capacity(size + 8192);
    out.push_str(r#"{"document":{"id":"0:0","name":"Document","type":"DOCUMENT","scrollBehavior":"SCROLLS","children":[{"id":"0:1","name":"Page","type":"CANVAS","scrollBehavior":"SCROLLS","children":["#);
    let mut screen = 0_u32;
    while out.len() < size {
        if screen > 0 {
            out.push(',');
        }
        self::screen(&mut out, screen);
        screen += 1;
    }
    out.push_str(r#"],"backgroundColor":{"r":0.9607843160629272,"g":0.9607843160629272,"b":0.9607843160629272,"a":1.0}}]},"components":{"9:1":{"key":"0a1b","name":"Size=Large","description":"","componentSetId":"9:0"}},"componentSets":{"9:0":{"key":"0c","name":"Button","description":"Starts an action."}},"schemaVersion":0,"styles":{"8:1":{"key":"1","name":"Text/Body","styleType":"TEXT"},"8:2":{"key":"2","name":"Surface","styleType":"FILL"}},"name":"Generated","version":"1"}"#);
    out.into_bytes()
}

fn screen(out: &mut String, screen: u32) {
    let _ = write!(
        out,
        r#"{{"id":"{screen}:1","name":"Screen {screen}","type":"FRAME","scrollBehavior":"SCROLLS","children":["#
    );
    for card in 0..24 {
        if card > 0 {
            out.push(',');
        }
        self::card(out, screen, card);
    }
    out.push_str("],");
    look(out, "VERTICAL", f64::from(screen) * 400.0, 0.0, 390.0, 844.0, 1.0);
    out.push('}');
}

fn card(out: &mut String, screen: u32, card: u32) {
    let id = 10 + card * 10;
    let hidden = if card % 5 == 4 { r#""visible":false,"# } else { "" };
    let _ = write!(
        out,
        r#"{{"id":"{screen}:{id}","name":"Card {card}",{hidden}"type":"FRAME","scrollBehavior":"SCROLLS","children":["#
    );
    for (line, text) in ["Title", "Some longer text that says more", "Price"].iter().enumerate() {
        let _ = write!(
            out,
            r#"{{"id":"{screen}:{}","name":"{text}","type":"TEXT","scrollBehavior":"SCROLLS","boundVariables":{{"fills":[{{"type":"VARIABLE_ALIAS","id":"VariableID:1:{line}"}}]}},"characters":"{text} {}","characterStyleOverrides":[],"styleOverrideTable":{{}},"lineTypes":["NONE"],"lineIndentations":[0],"style":{{"fontFamily":"Inter","fontPostScriptName":"Inter-Regular","fontStyle":"Regular","fontWeight":400,"textAutoResize":"WIDTH_AND_HEIGHT","fontSize":1{line}.0,"textAlignHorizontal":"LEFT","textAlignVertical":"TOP","letterSpacing":0.0,"lineHeightPx":24.0,"lineHeightPercent":124.0,"lineHeightUnit":"PIXELS"}},"styles":{{"text":"8:1"}},"layoutVersion":4,"#,
            id + 1 + u32::try_from(line).unwrap(),
            screen * 31 + card,
        );
        look(out, "", f64::from(card) * 13.398_437_5, line as f64 * 24.0, 120.5, 24.0, 0.1 * line as f64);
        out.push_str("},");
    }
    let _ = write!(
        out,
        r#"{{"id":"{screen}:{}","name":"Button","type":"INSTANCE","scrollBehavior":"SCROLLS","componentId":"9:1","componentProperties":{{"Label#1:0":{{"value":"Add {}","type":"TEXT"}},"Size":{{"value":"Large","type":"VARIANT","boundVariables":{{}}}}}},"overrides":[],"children":[{{"id":"I{screen}:{};9:2","name":"Vector","type":"VECTOR","scrollBehavior":"SCROLLS","#,
        id + 5,
        card % 7,
        id + 5,
    );
    look(out, "", 4.0, 4.0, 16.0, 16.0, 0.5);
    out.push_str("}],");
    look(out, "HORIZONTAL", 0.0, 96.0, 120.0, 40.0, 0.3);
    out.push_str("}],");
    look(out, "VERTICAL", 0.0, f64::from(card) * 160.0, 342.0, 150.0, 0.9);
    out.push('}');
}

/// What every node says of itself.
fn look(out: &mut String, mode: &str, x: f64, y: f64, width: f64, height: f64, shade: f64) {
    let bounds = format!(r#"{{"x":{x:.8},"y":{y:.8},"width":{width:.8},"height":{height:.8}}}"#);
    let paint = format!(
        r#"[{{"blendMode":"NORMAL","type":"SOLID","color":{{"r":{shade:.17},"g":0.16078431904315948,"b":0.7166666388511658,"a":1.0}},"boundVariables":{{"color":{{"type":"VARIABLE_ALIAS","id":"VariableID:1:2"}}}}}}]"#
    );
    let _ = write!(
        out,
        r#""blendMode":"PASS_THROUGH","clipsContent":false,"background":{paint},"fills":{paint},"strokes":[],"strokeWeight":1.0,"strokeAlign":"INSIDE","cornerRadius":8.0,"cornerSmoothing":0.0,"absoluteBoundingBox":{bounds},"absoluteRenderBounds":{bounds},"constraints":{{"vertical":"TOP","horizontal":"LEFT"}},"#
    );
    if !mode.is_empty() {
        let _ = write!(
            out,
            r#""layoutMode":"{mode}","itemSpacing":8.0,"paddingLeft":16.0,"paddingRight":16.0,"paddingTop":12.0,"paddingBottom":12.0,"counterAxisAlignItems":"CENTER","layoutWrap":"NO_WRAP","#
        );
    }
    out.push_str(
        r#""layoutSizingHorizontal":"FILL","layoutSizingVertical":"HUG","effects":[],"interactions":[]"#,
    );
}
