//! Where compositions read nodes from: the reading door, against the sandbox.

use std::{io::Read as _, path::Path, sync::Arc, time::Duration};

use figma_mcp::{
    auth::{Caller, Found, Token},
    dispatch::{self, App, Output, source},
    sandbox::{
        CART_FRAME, DEFAULT_TOKEN, DESIGN_SYSTEM_FILE, HOME_FRAME, PRODUCT_FILE, SCALED_FILE, Sandbox,
        WHITEBOARD_FILE,
    },
    table,
    table::args::Defaults,
    walk::{Flow, Member, Visitor},
};
use serde_json::{Value, json};

/// Notes the ids of the nodes, and what stands beside them.
#[derive(Debug, Default)]
struct Ids {
    nodes: Vec<String>,
    beside: Vec<(Option<String>, String)>,
}

impl Visitor for Ids {
    fn open(&mut self, _at: u64) {}
    fn member(&mut self, _member: Member, _key: &[u8], value: &[u8]) -> Flow {
        self.nodes.push(serde_json::from_slice(value).unwrap());
        Flow::Continue
    }
    fn close(&mut self, _end: u64) {}
    fn beside(&mut self, entry: Option<&str>, key: &[u8], _value: &[u8]) {
        self.beside.push((entry.map(str::to_owned), String::from_utf8(key.to_vec()).unwrap()));
    }
    fn wants(&self, member: Member, _key: &[u8]) -> bool {
        member == Member::Id
    }
}

struct World {
    runtime: tokio::runtime::Runtime,
    app: Arc<App>,
    caller: Arc<Caller>,
    sandbox: Sandbox,
    client: reqwest::Client,
}

impl World {
    fn new() -> Self {
        Self::over(None)
    }

    fn over(data: Option<&Path>) -> Self {
        Self::scaled(data, None)
    }

    fn scaled(data: Option<&Path>, size: Option<u64>) -> Self {
        Self::within(Duration::from_secs(60), data, size)
    }

    fn within(call_limit: Duration, data: Option<&Path>, size: Option<u64>) -> Self {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let sandbox = runtime.block_on(Sandbox::start_scaled(data, size)).unwrap();
        let client = dispatch::Network::default().client(&sandbox.base_url()).unwrap();
        let app = App::new(sandbox.base_url(), call_limit, table::Selection::default(), Defaults::default());
        let token = Token::new(None, DEFAULT_TOKEN, "the test").unwrap();
        let caller = Caller::fixed(Found::Token(token));
        Self { runtime, app: Arc::new(app), caller: Arc::new(caller), sandbox, client }
    }

    /// What a tool answers.
    fn run(&self, name: &str, args: Value) -> Output {
        self.try_run(name, args).unwrap()
    }

    fn try_run(&self, name: &str, args: Value) -> figma_mcp::error::Result<Output> {
        let args = args.as_object().unwrap().clone();
        self.runtime.block_on(dispatch::run(&self.app, &self.caller, name, args))
    }

    /// What the sandbox answers itself.
    fn figma(&self, target: &str) -> Value {
        let ask = async {
            let request = self.client.get(format!("{}{target}", self.sandbox.base_url()));
            let answer = request.header("X-Figma-Token", DEFAULT_TOKEN).send().await.unwrap();
            answer.text().await.unwrap()
        };
        serde_json::from_str(&self.runtime.block_on(ask)).unwrap()
    }

    fn read(&self, key: &str, ids: &[&str]) -> figma_mcp::error::Result<(Ids, source::Provenance)> {
        let tool = table::find("figma_file_get").unwrap();
        let ids: Vec<String> = ids.iter().map(|id| (*id).to_owned()).collect();
        self.runtime.block_on(source::read(&self.app, &self.caller, tool, key, None, &ids, Ids::default))
    }
}

#[test]
fn a_visitor_sees_a_file_or_some_of_its_nodes() {
    let world = World::new();
    let (ids, provenance) = world.read(PRODUCT_FILE, &[]).unwrap();
    assert_eq!(ids.nodes[0], "0:0");
    assert!(ids.nodes.len() > 100 && ids.nodes.contains(&CART_FRAME.to_owned()));
    assert!(ids.beside.contains(&(None, "components".to_owned())));
    assert!(provenance.name.is_some() && provenance.version.is_some() && provenance.last_modified.is_some());

    let (ids, _) = world.read(PRODUCT_FILE, &[HOME_FRAME, "9999:1"]).unwrap();
    assert_eq!(ids.nodes[0], HOME_FRAME);
    assert!(!ids.nodes.contains(&CART_FRAME.to_owned()));
    assert!(ids.beside.contains(&(Some(HOME_FRAME.to_owned()), "components".to_owned())));
    assert!(ids.beside.contains(&(Some("9999:1".to_owned()), String::new())));
    assert_eq!(world.read("GONE", &[]).unwrap_err().kind(), "not_found");
}

/// An output's body, wherever it lies.
fn body(output: &Output) -> Value {
    let Some(stored) = &output.stored else { return serde_json::from_str(&output.body).unwrap() };
    let mut text = String::new();
    stored.open().unwrap().read_to_string(&mut text).unwrap();
    assert_eq!(stored.size(), text.len() as u64);
    serde_json::from_str(&text).unwrap()
}

fn ids_of(node: &Value, ids: &mut Vec<String>) {
    ids.push(node["id"].as_str().unwrap().to_owned());
    for child in node["children"].as_array().into_iter().flatten() {
        ids_of(child, ids);
    }
}

/// Every node of a file, the file itself, and the file around some of its nodes, at several depths:
/// one call of tier 1, and the same answers as Figma's own.
fn same_as_figma(world: &World, key: &str, some: usize) {
    let whole = world.figma(&format!("/v1/files/{key}"));
    let mut ids = Vec::new();
    ids_of(&whole["document"], &mut ids);
    let [before, ..] = world.app.figma_calls();
    for depth in [None, Some(1), Some(2), Some(5)] {
        let query = depth.map(|depth| format!("depth={depth}")).unwrap_or_default();
        let output = world.run("figma_file_get", json!({ "file_key": key, "depth": depth }));
        assert_eq!(body(&output), world.figma(&format!("/v1/files/{key}?{query}")), "{key} {query}");
        assert_eq!(output.meta["cache"]["derived"], true);
        for chunk in ids.chunks(60) {
            let (listed, escaped) = (chunk.join(","), chunk.join(",").replace(';', "%3B"));
            let args = json!({ "file_key": key, "ids": listed, "depth": depth });
            let theirs = world.figma(&format!("/v1/files/{key}/nodes?ids={escaped}&{query}"));
            assert_eq!(body(&world.run("figma_file_nodes_get", args)), theirs, "{key} {listed} {query}");
        }
        for id in ids.iter().step_by(ids.len() / some + 1) {
            let args = json!({ "file_key": key, "ids": id, "depth": depth });
            let theirs = world.figma(&format!("/v1/files/{key}?ids={}&{query}", id.replace(';', "%3B")));
            assert_eq!(body(&world.run("figma_file_get", args)), theirs, "{key} {id} {query}");
        }
    }
    let [after, ..] = world.app.figma_calls();
    assert_eq!(after - before, 1, "{key}");
}

#[test]
fn answers_from_a_held_file_are_figmas() {
    let world = World::new();
    for key in [PRODUCT_FILE, DESIGN_SYSTEM_FILE, WHITEBOARD_FILE] {
        same_as_figma(&world, key, 20);
    }
}

#[test]
fn answers_from_real_files_are_figmas() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/figma-real");
    if !folder.exists() {
        return eprintln!("skipped: {} is not there", folder.display());
    }
    let world = World::over(Some(&folder));
    for file in std::fs::read_dir(&folder).unwrap().map(|file| file.unwrap().path()) {
        if file.extension().is_some_and(|extension| extension == "json") {
            let key = file.file_stem().unwrap().to_str().unwrap().replace('_', "");
            same_as_figma(&world, &key, 3);
        }
    }
}

#[test]
fn nodes_that_are_not_there_are_told_without_a_call() {
    let world = World::new();
    world.run("figma_file_get", json!({ "file_key": PRODUCT_FILE, "depth": 1 }));
    let args = json!({ "file_key": PRODUCT_FILE, "ids": ["9999:1", HOME_FRAME, "I9:9;1:1"], "depth": 1 });
    let output = world.run("figma_file_nodes_get", args);
    assert_eq!(body(&output)["nodes"]["9999:1"], Value::Null);
    assert_eq!(body(&output)["nodes"][HOME_FRAME]["document"]["id"], HOME_FRAME);
    assert_eq!(
        output.notes,
        ["9999:1, I9:9;1:1 in `nodes` is null: there is no such node in this version of the file."]
    );
    assert_eq!(world.app.figma_calls()[0], 1);
}

#[test]
fn questions_at_once_share_one_fetch() {
    let world = World::new();
    let calls = (0..20).map(|n| {
        let (app, caller) = (world.app.clone(), world.caller.clone());
        let args = json!({ "file_key": PRODUCT_FILE, "depth": n % 3 + 1 }).as_object().unwrap().clone();
        world.runtime.spawn(async move { dispatch::run(&app, &caller, "figma_file_get", args).await })
    });
    for call in calls.collect::<Vec<_>>() {
        world.runtime.block_on(call).unwrap().unwrap();
    }
    assert_eq!(world.app.figma_calls()[0], 1);
}

#[test]
fn a_caller_that_leaves_leaves_no_half_of_a_file() {
    let world = World::new();
    for after in [0, 1, 5, 20, 60] {
        let (app, caller) = (world.app.clone(), world.caller.clone());
        // Arrives only after a while, so that most of these are cancelled on the way.
        let args = json!({ "file_key": "SLOW", "depth": 1 }).as_object().unwrap().clone();
        let call =
            world.runtime.spawn(async move { dispatch::run(&app, &caller, "figma_file_get", args).await });
        std::thread::sleep(Duration::from_millis(after));
        call.abort();
        assert!(world.runtime.block_on(call).is_err());
    }
    let output = world.run("figma_file_get", json!({ "file_key": PRODUCT_FILE }));
    assert_eq!(body(&output)["document"]["id"], "0:0");
}

#[test]
fn what_only_figma_has_is_asked_of_figma() {
    let world = World::new();
    world.run("figma_file_get", json!({ "file_key": PRODUCT_FILE }));
    let args = json!({ "file_key": PRODUCT_FILE, "ids": HOME_FRAME, "geometry": "paths" });
    let output = world.run("figma_file_nodes_get", args);
    assert!(body(&output)["nodes"][HOME_FRAME]["document"]["size"].is_object());
    assert_eq!(world.app.figma_calls()[0], 2);
    let version = json!({ "file_key": PRODUCT_FILE, "depth": 1, "branch_data": true });
    assert!(body(&world.run("figma_file_get", version))["branches"].is_array());
}

#[test]
fn a_version_is_held_by_itself() {
    let world = World::new();
    let versions = body(&world.run("figma_file_versions_list", json!({ "file_key": PRODUCT_FILE })));
    let version = versions["versions"][1]["id"].as_str().unwrap().to_owned();
    let [before, ..] = world.app.figma_calls();
    for _ in 0..2 {
        let args = json!({ "file_key": PRODUCT_FILE, "version": version, "depth": 2 });
        let theirs = world.figma(&format!("/v1/files/{PRODUCT_FILE}?version={version}&depth=2"));
        assert_eq!(body(&world.run("figma_file_get", args)), theirs);
    }
    assert_eq!(world.app.figma_calls()[0] - before, 1);
}

#[test]
fn a_file_too_large_for_one_answer_is_read_in_parts() {
    let world = World::new();
    let refused = world.read("HUGE", &[]).unwrap_err();
    assert_eq!(refused.kind(), "too_large_file");
    assert!(refused.for_agent().contains("0:1"), "{}", refused.for_agent());
    assert_eq!(world.app.figma_calls()[0], 2);
    // That it is too large is known now.
    assert_eq!(
        world.try_run("figma_file_get", json!({ "file_key": "HUGE" })).unwrap_err().kind(),
        "too_large_file"
    );
    assert_eq!(world.app.figma_calls()[0], 2);
    let args = json!({ "file_key": "HUGE", "ids": HOME_FRAME, "depth": 2 });
    let output = world.run("figma_file_nodes_get", args);
    assert_eq!(body(&output)["nodes"][HOME_FRAME]["document"]["id"], HOME_FRAME);
    assert_eq!(world.app.figma_calls()[0], 3);
}

#[test]
fn a_file_too_large_for_one_answer_is_put_together_from_its_pages() {
    let world = World::new();
    let theirs = world.figma(&format!("/v1/files/{PRODUCT_FILE}"));
    let pages: Vec<&str> = theirs["document"]["children"]
        .as_array()
        .unwrap()
        .iter()
        .map(|page| page["id"].as_str().unwrap())
        .collect();
    let whole = json!({ "file_key": "HUGEFILE" });
    // The plan and its cost come before the third call.
    let refused = world.try_run("figma_design_context_get", whole.clone()).unwrap_err();
    assert_eq!(refused.kind(), "too_large_file");
    let plan = refused.for_agent();
    assert!(plan.contains(&format!("`max_calls`: {}", pages.len())), "{plan}");
    assert_eq!(world.app.figma_calls()[0], 2);
    // A page that is kept costs nothing.
    world.run("figma_file_nodes_get", json!({ "file_key": "HUGEFILE", "ids": pages[0] }));
    assert_eq!(world.app.figma_calls()[0], 3);
    let with = |most: usize| json!({ "file_key": "HUGEFILE", "max_calls": most });
    let refused = world.try_run("figma_design_context_get", with(pages.len() - 2)).unwrap_err();
    assert!(refused.for_agent().contains(&format!("`max_calls`: {}", pages.len() - 1)));
    assert_eq!(world.app.figma_calls()[0], 3);
    let output = world.run("figma_design_context_get", with(pages.len() - 1));
    assert!(!output.body.is_empty());
    assert_eq!(world.app.figma_calls()[0], 2 + pages.len() as u64);
    // From now on every tool answers as if Figma had sent it whole.
    let ours = world.run("figma_file_get", whole.clone());
    let mine: Value = serde_json::from_str(&ours.body.replace("HUGEFILE", PRODUCT_FILE)).unwrap();
    for (name, value) in theirs.as_object().unwrap() {
        assert!(mine[name] == *value, "{name}");
    }
    assert_eq!(mine.as_object().unwrap().len(), theirs.as_object().unwrap().len());
    assert_eq!(ours.meta["cache"]["derived"], true);
    let args = json!({ "file_key": "HUGEFILE", "ids": HOME_FRAME });
    let nodes = world.run("figma_file_nodes_get", args);
    let theirs = world.figma(&format!("/v1/files/{PRODUCT_FILE}/nodes?ids={HOME_FRAME}"));
    assert!(body(&nodes)["nodes"] == theirs["nodes"]);
    world.run("figma_nodes_search", json!({ "file_key": "HUGEFILE", "query": "cart" }));
    assert_eq!(world.app.figma_calls()[0], 2 + pages.len() as u64);
}

#[test]
fn a_file_too_slow_for_one_answer_is_too_large() {
    let world = World::within(Duration::from_secs(3), None, None);
    let args = json!({ "file_key": "STALLFILE" });
    let refused = world.try_run("figma_file_get", args.clone()).unwrap_err();
    assert_eq!(refused.kind(), "too_large_file");
    // That is known now; and Figma is asked for its parts.
    assert_eq!(world.try_run("figma_file_get", args).unwrap_err().kind(), "too_large_file");
    world.run("figma_file_nodes_get", json!({ "file_key": "STALLFILE", "ids": HOME_FRAME }));
    assert_eq!(world.app.figma_calls()[0], 3);
}

#[test]
fn a_file_that_breaks_off_once_is_seen_as_it_came_the_second_time() {
    let world = World::new();
    // Shown while it comes in, then read back.
    let (along, _) = world.read("FLAKYFILE", &[]).unwrap();
    assert_eq!(world.app.figma_calls()[0], 2);
    let (back, provenance) = world.read("FLAKYFILE", &[]).unwrap();
    assert_eq!(world.app.figma_calls()[0], 2);
    assert!(provenance.derived && along.nodes.len() > 100);
    assert_eq!((along.nodes, along.beside), (back.nodes, back.beside));
}

#[test]
fn a_page_too_large_by_itself_is_named() {
    let world = World::new();
    let args = json!({ "file_key": "HUGE", "max_calls": 40 });
    let refused = world.try_run("figma_design_context_get", args).unwrap_err();
    assert_eq!(refused.kind(), "too_large_file");
    assert!(refused.for_agent().contains("Page 0:1 is too large"), "{}", refused.for_agent());
    // The file, its outline and the first page.
    assert_eq!(world.app.figma_calls()[0], 3);
}

#[test]
fn a_large_file_is_held_and_left_where_it_lies() {
    let world = World::scaled(None, Some(3 << 20));
    let (ids, _) = world.read(SCALED_FILE, &[]).unwrap();
    assert!(ids.nodes.len() > 2000, "{} nodes", ids.nodes.len());
    let whole = world.run("figma_file_get", json!({ "file_key": SCALED_FILE }));
    let mut listed = Vec::new();
    ids_of(&body(&whole)["document"], &mut listed);
    assert_eq!(listed, ids.nodes);
    assert_eq!(body(&whole), world.figma(&format!("/v1/files/{SCALED_FILE}")));
    assert_eq!(world.app.figma_calls()[0], 1);
    assert_eq!(World::new().read(SCALED_FILE, &[]).unwrap_err().kind(), "not_found");
}
