//! Answers too large to show: the ceiling, the next calls, `figma_result_query`, results as resources.

use std::{env, fs, path::PathBuf};

use figma_mcp::{
    sandbox::{DESIGN_SYSTEM_FILE, PRODUCT_FILE, SCALED_FILE},
    table::{self, args::Defaults, definition},
};
use serde_json::{Map, Value, json};

use crate::{
    client::{Client, figma_mcp, text_of},
    golden::repository,
};

const CEILING: usize = 4_096;

fn small() -> Client {
    Client::ready(&["--sandbox", "--max-result-bytes", "4096"], &[])
}

/// All text of a result.
fn size(result: &Value) -> usize {
    let blocks = result["content"].as_array().unwrap();
    blocks.iter().filter_map(|block| block["text"].as_str()).map(str::len).sum()
}

fn note(result: &Value) -> &str {
    result["content"][1]["text"].as_str().unwrap_or_default()
}

/// The arguments of the next call of `figma_result_query` that a note names.
fn next_call(note: &str) -> Option<Value> {
    let (_, call) = note.split_once("`figma_result_query` ")?;
    serde_json::Deserializer::from_str(call).into_iter::<Value>().next()?.ok()
}

#[test]
fn an_agent_that_follows_the_next_calls_gets_every_item_once() {
    let mut client = small();
    let whole =
        Client::sandbox().json("figma_file_components_list", json!({ "file_key": DESIGN_SYSTEM_FILE }));
    let expected = whole["meta"]["components"].as_array().unwrap();
    let result = client.call("figma_file_components_list", json!({ "file_key": DESIGN_SYSTEM_FILE }));
    let first: Value = serde_json::from_str(text_of(&result)).unwrap();
    let mut seen = first["meta"]["components"].as_array().unwrap().clone();
    assert!(!seen.is_empty() && seen.len() < expected.len(), "{}", note(&result));
    let mut next = next_call(note(&result));
    let mut calls = 0;
    while let Some(arguments) = next {
        let result = client.call("figma_result_query", arguments);
        assert!(size(&result) <= CEILING, "{result}");
        assert_eq!(result["_meta"]["figma-mcp/untrusted"], true);
        seen.extend(serde_json::from_str::<Vec<Value>>(text_of(&result)).unwrap());
        next = next_call(note(&result));
        calls += 1;
    }
    let ids = |items: &[Value]| items.iter().map(|item| item["node_id"].clone()).collect::<Vec<_>>();
    assert_eq!(ids(&seen), ids(expected));
    assert!(calls > 1, "{calls}");
    assert_eq!(
        client.json("figma_status_get", json!({}))["calls_so_far"]["tier_3"],
        1,
        "only the first call went to Figma"
    );
}

#[test]
fn a_tree_becomes_an_outline() {
    let mut client = small();
    let result = client.call("figma_file_get", json!({ "file_key": PRODUCT_FILE }));
    assert!(size(&result) <= CEILING && size(&result) > CEILING / 2, "{}", size(&result));
    let outline: Value = serde_json::from_str(text_of(&result)).unwrap();
    assert_eq!(outline["document"]["type"], "DOCUMENT");
    assert!(outline["document"]["children"][0]["name"].is_string());
    assert!(note(&result).contains("figma_file_nodes_get"), "{}", note(&result));
    let id = result["_meta"]["figma-mcp/result"]["id"].as_str().unwrap();
    let filter = "[.. | objects | select(.type? == \"TEXT\") | .characters]";
    let texts = client.json("figma_result_query", json!({ "result_id": id, "filter": filter, "limit": 3 }));
    assert_eq!(texts.as_array().unwrap().len(), 3);
    let pages = json!({ "result_id": id, "filter": ".document.children[] | {id, name}" });
    assert!(client.json("figma_result_query", pages)[0]["name"].is_string());
}

#[test]
fn a_fresh_result_is_asked_in_one_call() {
    let mut client = small();
    let arguments = json!({
        "tool": "figma_file_comments_list", "arguments": { "file_key": PRODUCT_FILE },
        "filter": ".comments | length",
    });
    assert!(client.json("figma_result_query", arguments).as_u64().unwrap() > 0);
    for (arguments, problem) in [
        (json!({ "tool": "figma_webhook_delete", "arguments": { "webhook_id": "1" } }), "only reads"),
        (json!({ "tool": "figma_result_query", "arguments": {} }), "another tool"),
        (json!({ "tool": "figma_fil_get" }), "did you mean `figma_file_get`"),
        (json!({ "filter": "." }), "exactly one of"),
        (json!({ "result_id": "a", "tool": "figma_me_get" }), "exactly one of"),
        (json!({ "result_id": "a", "arguments": {} }), "only allowed together"),
    ] {
        let refusal = client.refusal("figma_result_query", arguments);
        assert_eq!(refusal["error"], "bad_argument");
        assert!(refusal["what"].as_str().unwrap().contains(problem), "{refusal}");
    }
    assert_eq!(
        client.refusal("figma_result_query", json!({ "result_id": "nosuch" }))["error"],
        "result_gone"
    );
}

/// A tool that a client asked to be left without cannot be called through another one.
#[test]
fn a_question_reaches_no_tool_that_is_switched_off() {
    let mut client = Client::ready(&["--sandbox", "--exclude-tools", "figma_me_get"], &[]);
    let refusal = client.refusal("figma_result_query", json!({ "tool": "figma_me_get" }));
    assert_eq!(refusal["error"], "hidden_tool");
}

#[test]
fn filters_that_go_astray_end_and_the_session_lives() {
    let mut client = small();
    let result = client.call("figma_file_get", json!({ "file_key": PRODUCT_FILE }));
    let id = result["_meta"]["figma-mcp/result"]["id"].as_str().unwrap().to_owned();
    for (filter, problem) in [
        ("def f: f; f", "did not end"),
        ("[limit(1e12; repeat(0))]", ""),
        ("\"x\" * 4000000000", "memory"),
        ("last(repeat(1))", "did not end"),
        ("def f: 1 + f; f", "recursed too deeply"),
        ("repeat(\"0123456789abcdef\" * 4096)", ""),
        (".a | (", "is no valid jq"),
        ("lenght", "did you mean `length`"),
        ("env", "does not have"),
        ("$ENV.HOME", "does not have"),
        ("input", "does not have"),
        ("import \"x\" as x; .", "import"),
        (".document[0]", "finds no such place"),
        (".document | keys | .x", "failed"),
        ("nan", "JSON cannot hold"),
        ("error(\"\\u202e\" * 9999)", "failed"),
    ] {
        let refusal = client.refusal("figma_result_query", json!({ "result_id": id, "filter": filter }));
        assert_eq!(refusal["error"], "bad_filter", "{filter}: {refusal}");
        assert!(refusal["what"].as_str().unwrap().contains(problem), "{filter}: {refusal}");
    }
    let name = json!({ "result_id": id, "filter": ".name" });
    assert!(client.json("figma_result_query", name).is_string());
    let behind = json!({ "result_id": id, "filter": ".document.children", "offset": 99 });
    assert_eq!(client.refusal("figma_result_query", behind)["error"], "behind_end");
}

#[test]
fn results_are_resources_in_pages() {
    let mut client = small();
    let templates = client.request("resources/templates/list", json!({}));
    let templates = templates["result"]["resourceTemplates"].as_array().unwrap();
    assert!(templates.iter().any(|one| one["uriTemplate"] == "figma://results/{id}{?offset}"));
    assert_eq!(client.request("resources/list", json!({}))["result"]["resources"], json!([]));
    let result = client.call("figma_file_get", json!({ "file_key": PRODUCT_FILE }));
    let listed = client.request("resources/list", json!({}));
    let resource = &listed["result"]["resources"][0];
    let id = result["_meta"]["figma-mcp/result"]["id"].as_str().unwrap();
    assert_eq!(resource["uri"], format!("figma://results/{id}"));
    assert_eq!(resource["size"], result["_meta"]["figma-mcp/result"]["bytes"]);
    let (mut uri, mut whole) = (Some(resource["uri"].as_str().unwrap().to_owned()), String::new());
    while let Some(next) = uri {
        let read = client.request("resources/read", json!({ "uri": next }));
        let contents = &read["result"]["contents"][0];
        let text = contents["text"].as_str().unwrap();
        assert!(text.len() <= CEILING);
        assert_eq!(contents["_meta"]["figma-mcp/untrusted"], true);
        whole += text;
        uri = contents["_meta"]["figma-mcp/page"]["next"].as_str().map(str::to_owned);
    }
    let whole: Value = serde_json::from_str(&whole).unwrap();
    assert_eq!(whole["document"]["type"], "DOCUMENT");
    for wrong in [
        "figma://results/nosuch",
        "figma://other/x",
        "http://x",
        &format!("figma://results/{id}?offset=999999999"),
        &format!("figma://results/{id}?offset=x"),
    ] {
        let answer = client.request("resources/read", json!({ "uri": wrong }));
        assert!(answer["error"]["code"].is_i64(), "{wrong}: {answer}");
    }
}

#[test]
fn the_command_line_filters_and_writes_the_whole() {
    let run = |arguments: &[&str]| {
        let output = figma_mcp().args(["call", "--sandbox"]).args(arguments).output().unwrap();
        (
            output.status.code(),
            String::from_utf8(output.stdout).unwrap(),
            String::from_utf8(output.stderr).unwrap(),
        )
    };
    let file = format!("file_key={PRODUCT_FILE}");
    let (code, stdout, _) = run(&["figma_file_get", &file, "--filter", ".document.children[].name"]);
    assert_eq!(code, Some(0));
    assert!(stdout.lines().count() > 1 && stdout.starts_with('"'), "{stdout}");
    let (code, stdout, stderr) = run(&["figma_file_get", &file, "--filter", ".a |"]);
    assert_eq!((code, stdout.as_str()), (Some(2), ""));
    assert!(stderr.starts_with("error: the filter is no valid jq"), "{stderr}");
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("whole.json");
    let (code, ..) =
        run(&["figma_file_get", &file, "--output", path.to_str().unwrap(), "--max-result-bytes", "4096"]);
    assert_eq!(code, Some(0));
    let (_, piped, _) = run(&["figma_file_get", &file]);
    let without_port = |text: &str| -> String {
        let mut parts = text.trim_end().split("127.0.0.1:");
        parts.next().unwrap_or_default().to_owned()
            + &parts.map(|part| part.trim_start_matches(|c: char| c.is_ascii_digit())).collect::<String>()
    };
    assert_eq!(without_port(&fs::read_to_string(path).unwrap()), without_port(&piped));
    assert!(piped.len() > CEILING);
}

/// Every tool that reads a file, asked of this one with what it must be given: nothing is above the
/// ceiling, and JSON stays JSON.
fn every_reading_tool_stays_below_the_ceiling(client: &mut Client, key: &str, node: &str) {
    for tool in table::tools().filter(|tool| tool.effect.is_read()) {
        let schema = definition::input_schema(tool, &Defaults::default());
        if schema["properties"]["file_key"].is_null() {
            continue;
        }
        let argument = |name: &Value| {
            let name = name.as_str().unwrap();
            let value = match &schema["properties"][name] {
                _ if name == "file_key" => json!(key),
                property if property["type"] == "array" => json!([node]),
                property if property["enum"].is_array() => property["enum"][0].clone(),
                _ => json!(node),
            };
            (name.to_owned(), value)
        };
        let arguments: Value =
            schema["required"].as_array().unwrap().iter().map(argument).collect::<Map<_, _>>().into();
        let result = client.call(tool.name, arguments);
        assert!(size(&result) <= CEILING, "{}, {key}: {} bytes", tool.name, size(&result));
        let is_json = text_of(&result).starts_with(['{', '[']);
        assert!(!is_json || serde_json::from_str::<Value>(text_of(&result)).is_ok(), "{}, {key}", tool.name);
        if ["figma_file_get", "figma_design_context_get"].contains(&tool.name) {
            assert_eq!(result["isError"], false, "{}, {key}: {result}", tool.name);
            println!("{key}: {}: {} bytes: {}", tool.name, size(&result), note(&result));
        }
    }
}

#[test]
fn no_real_file_is_above_the_ceiling() {
    let real = repository("../shared/figma-real");
    let Ok(folder) = fs::read_dir(&real) else {
        return println!("skipped: there are no real answers at {}", real.display());
    };
    for entry in folder {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("real").join(path.file_stem().unwrap());
        fs::create_dir_all(&folder).unwrap();
        fs::copy(&path, folder.join(path.file_name().unwrap())).unwrap();
        let mut client =
            Client::ready(&["--sandbox-data", folder.to_str().unwrap(), "--max-result-bytes", "4096"], &[]);
        let key = path.file_stem().unwrap().to_str().unwrap().replace('_', "");
        let outline = json!({ "tool": "figma_file_get", "arguments": { "file_key": key }, "filter": "[.document | .. | .id? // empty][5]" });
        let node: String =
            serde_json::from_str(text_of(&client.call("figma_result_query", outline))).unwrap();
        every_reading_tool_stays_below_the_ceiling(&mut client, &key, &node);
    }
}

/// 150 MB with `FIGMA_MCP_THOROUGH=1`.
#[test]
fn no_huge_file_is_above_the_ceiling() {
    let size = if env::var_os("FIGMA_MCP_THOROUGH").is_some() { "150MB" } else { "5MB" };
    let mut client = Client::ready(&["--sandbox-scale", size, "--max-result-bytes", "4096"], &[]);
    let pages = json!({ "file_key": SCALED_FILE, "depth": 1 });
    let pages = client.json("figma_file_get", pages);
    let page = pages["document"]["children"][0]["id"].as_str().unwrap().to_owned();
    every_reading_tool_stays_below_the_ceiling(&mut client, SCALED_FILE, &page);
}
