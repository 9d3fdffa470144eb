//! Descriptions of designs: over the sandbox's own files, and over real answers of Figma where the
//! folder `../shared/figma-real` lies beside the checkout.

use std::{fs, path::PathBuf};

use figma_mcp::{
    design::context::{Collector, Design, Options, describe},
    walk::Walker,
};

use figma_mcp::sandbox::{DESIGN_SYSTEM_FILE, PRODUCT_FILE, WHITEBOARD_FILE};
use serde_json::json;

use crate::{
    client::{Client, figma_mcp, text_of},
    golden,
};

/// Real answers, by file name; none where the folder is missing, which is said.
pub(crate) fn real_files() -> Vec<(String, Vec<u8>)> {
    let folder = golden::repository("../shared/figma-real");
    let Ok(entries) = fs::read_dir(&folder) else {
        eprintln!("skipped: {} is not there", folder.display());
        return Vec::new();
    };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    paths.sort();
    paths
        .into_iter()
        .map(|path| (path.file_stem().unwrap().to_string_lossy().into_owned(), fs::read(&path).unwrap()))
        .collect()
}

/// The pruned tree of an answer.
pub(crate) fn collect(answer: &[u8], hidden: bool) -> Design {
    let mut walker = Walker::new(Collector::new(hidden));
    walker.push(answer).unwrap();
    walker.finish().unwrap().finish()
}

#[test]
fn the_sandbox_files_read_as_they_did() {
    let mut client = Client::sandbox();
    let mut problems = Vec::new();
    for (name, arguments) in [
        ("product", json!({ "file_key": PRODUCT_FILE })),
        ("design-system", json!({ "file_key": DESIGN_SYSTEM_FILE })),
        ("whiteboard", json!({ "file_key": WHITEBOARD_FILE })),
        (
            "cart-with-comments",
            json!({ "file_key": PRODUCT_FILE, "node_ids": ["2:3", "99:99"], "include": ["text", "comments"] }),
        ),
        (
            "checkout-variables",
            json!({ "file_key": PRODUCT_FILE, "node_ids": "2:4", "include": ["variables"] }),
        ),
        ("home-in-little-room", json!({ "file_key": PRODUCT_FILE, "node_ids": "2:1", "max_bytes": 1500 })),
        (
            "languages-hidden-yaml",
            json!({ "file_key": PRODUCT_FILE, "node_ids": "0:3", "format": "yaml", "hidden": true }),
        ),
    ] {
        let result = client.call("figma_design_context_get", arguments);
        assert_eq!(result["isError"], false, "{name}: {}", text_of(&result));
        let mut text = text_of(&result).to_owned();
        for note in result["content"].as_array().unwrap().iter().skip(1) {
            text += &format!("\n[{}]\n", note["text"].as_str().unwrap());
        }
        problems.extend(golden::difference(&format!("tests/golden/designs/{name}.txt"), &text));
    }
    assert!(problems.is_empty(), "{}\nTo accept it: {}", problems.join("\n"), golden::BLESS);
}

/// Members that mostly say nothing are still read for the values that do.
#[test]
fn masks_lists_and_spread_lines_are_said() {
    let answer = json!({ "id": "1:1", "name": "Around", "type": "FRAME", "children": [
        { "id": "1:2", "name": "Cut", "type": "RECTANGLE", "isMask": true, "maskType": "LUMINANCE" },
        { "id": "1:3", "name": "List", "type": "TEXT", "characters": "mix\nbake", "lineTypes": ["ORDERED", "ORDERED"], "lineIndentations": [1, 1] },
        { "id": "1:4", "name": "Tags", "type": "FRAME", "layoutMode": "HORIZONTAL", "layoutWrap": "WRAP", "counterAxisAlignContent": "SPACE_BETWEEN" },
        { "id": "1:5", "name": "Plain", "type": "RECTANGLE", "isMask": false, "maskType": "ALPHA", "backgroundColor": { "r": 1, "g": 0, "b": 0, "a": 1 } },
    ] });
    let text = describe(&collect(answer.to_string().as_bytes(), false), &Options::default()).text;
    for said in ["\"Cut\" mask-luminance", "1. mix\\n2. bake", "content-between"] {
        assert!(text.contains(said), "{said} is not in\n{text}");
    }
    assert_eq!(text.matches("mask").count(), 1, "{text}");
    assert!(!text.contains("#F00"), "{text}");
}

#[test]
fn nodes_that_are_not_there_are_refused() {
    let mut client = Client::sandbox();
    let result =
        client.call("figma_design_context_get", json!({ "file_key": PRODUCT_FILE, "node_ids": "99:99" }));
    assert_eq!(result["isError"], true);
    assert!(text_of(&result).contains("99:99"), "{}", text_of(&result));
}

/// Framelink's default output of the same files, in o200k tokens.
const FRAMELINK: &[(&str, usize)] = &[
    ("bank_home", 4_959),
    ("cart_ru_deep", 14_728),
    ("chats_ru", 5_083),
    ("homepage_landing", 2_248),
    ("home_small", 1_996),
    ("illustrations_vectors", 5_292),
];

/// The sandbox's own files as the API serves them.
pub(crate) fn sandbox_files() -> Vec<(String, Vec<u8>)> {
    // A tool's result may hold only a part of a large answer; the program prints all of it.
    [("product", PRODUCT_FILE), ("design-system", DESIGN_SYSTEM_FILE), ("whiteboard", WHITEBOARD_FILE)]
        .map(|(name, key)| {
            let call = ["call", "--sandbox", "figma_file_get"];
            let output = figma_mcp().args(call).arg(format!("file_key={key}")).output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            (name.to_owned(), output.stdout)
        })
        .to_vec()
}

/// `cargo test real_screens -- --nocapture` prints what each file costs; `DESIGN_OUT=FOLDER` also writes
/// the trees there.
#[test]
fn real_screens_take_few_tokens() {
    let bpe = tiktoken_rs::o200k_base_singleton();
    let tokens = |text: &str| bpe.encode_ordinary(text).len();
    let (mut ours, mut theirs) = (0, 0);
    println!(
        "{:28} {:>6} {:>8} {:>7} {:>9} {:>10} {:>6}",
        "o200k tokens", "nodes", "raw", "ours", "per node", "framelink", "share"
    );
    for (name, answer) in real_files().into_iter().chain(sandbox_files()) {
        let design = collect(&answer, false);
        let text = describe(&design, &Options::default()).text;
        if let Ok(folder) = std::env::var("DESIGN_OUT") {
            fs::write(format!("{folder}/{name}.txt"), &text).unwrap();
        }
        let count = tokens(&text);
        let raw = tokens(std::str::from_utf8(&answer).unwrap());
        let peer = FRAMELINK.iter().find(|(known, _)| *known == name).map(|(_, count)| *count);
        let nodes = usize::try_from(design.size()).unwrap();
        let tenths = count * 10 / nodes;
        println!(
            "{name:28} {nodes:>6} {raw:>8} {count:>7} {:>9} {:>10} {:>6}",
            format!("{}.{}", tenths / 10, tenths % 10),
            peer.map_or_else(String::new, |peer| peer.to_string()),
            peer.map_or_else(String::new, |peer| format!("{} %", count * 100 / peer)),
        );
        assert!(count * 5 < raw, "{name}: {count} of {raw} tokens");
        if let Some(peer) = peer {
            assert!(count <= peer, "{name}: {count} tokens, the peer {peer}");
            ours += count;
            theirs += peer;
        }
    }
    let share = (ours * 100).checked_div(theirs).unwrap_or(0);
    println!("sum of the {}: {ours} of {theirs}, {share} %", FRAMELINK.len());
    assert!(ours * 4 <= theirs, "{ours} tokens, the peer {theirs}");
}

#[test]
fn answers_are_composed_for_the_limit_that_is_set() {
    // Within it from the start, so that nothing has to be cut out of an answer afterwards.
    for most in [4096_usize, 6000] {
        let limit = most.to_string();
        let mut client = Client::ready(&["--sandbox", "--max-result-bytes", &limit], &[]);
        for (tool, arguments) in [
            ("figma_design_context_get", json!({ "file_key": PRODUCT_FILE })),
            ("get_design_context", json!({ "fileKey": PRODUCT_FILE, "nodeId": "2:1" })),
            ("figma_handoff_get", json!({ "file_key": PRODUCT_FILE, "node_id": "2:1" })),
        ] {
            let result = client.call(tool, arguments);
            assert_eq!(result["isError"], false, "{result}");
            let texts =
                result["content"].as_array().unwrap().iter().filter_map(|block| block["text"].as_str());
            let size: usize = texts.map(str::len).sum();
            assert!(size > most / 4 && size <= most, "{tool}, {most}: {size}");
            assert!(result["_meta"]["figma-mcp/result"].is_null(), "{tool}, {most}: {result}");
        }
        let file = format!("file_key={PRODUCT_FILE}");
        let output = crate::client::figma_mcp()
            .args(["call", "--sandbox", "--max-result-bytes", &limit, "figma_design_context_get", &file])
            .output()
            .unwrap();
        assert!(output.stdout.len() > most / 4 && output.stdout.len() <= most, "{}", output.stdout.len());
    }
    // What is asked for is given, as far as the limit goes.
    let mut client = Client::sandbox();
    let of = |bytes: usize| json!({ "file_key": PRODUCT_FILE, "max_bytes": bytes });
    let (small, large) = (
        client.call("figma_design_context_get", of(2000)),
        client.call("figma_design_context_get", of(40_000)),
    );
    assert!(text_of(&small).len() <= 2000 && text_of(&large).len() > 4000, "{large}");
}
