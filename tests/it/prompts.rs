//! Prompts and completion, over MCP against the sandbox.

use figma_mcp::sandbox::PRODUCT_FILE;
use serde_json::{Value, json};

use crate::client::Client;

fn prompt(client: &mut Client, name: &str, arguments: Value) -> Value {
    client.request("prompts/get", json!({ "name": name, "arguments": arguments }))
}

fn text(answer: &Value) -> &str {
    answer["result"]["messages"][0]["content"]["text"].as_str().unwrap_or_else(|| panic!("{answer}"))
}

fn names(client: &mut Client) -> Vec<String> {
    let answer = client.request("prompts/list", json!({}));
    let prompts = answer["result"]["prompts"].as_array().unwrap_or_else(|| panic!("{answer}")).clone();
    prompts.iter().map(|prompt| prompt["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn prompts_are_listed_in_every_revision() {
    for version in ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"] {
        let mut client = Client::start(&["--sandbox"], &[]);
        let info = client.initialize(version);
        assert!(info["capabilities"]["prompts"].is_object(), "{version}: {info}");
        assert!(info["capabilities"]["completions"].is_object(), "{version}: {info}");
        assert_eq!(
            names(&mut client),
            ["implement_design", "review_comments", "audit_design_system", "sync_tokens"]
        );
    }
    let mut client = Client::sandbox();
    let listed = client.request("prompts/list", json!({}))["result"]["prompts"].clone();
    for prompt in listed.as_array().unwrap() {
        assert!(prompt["title"].is_string() && prompt["description"].is_string(), "{prompt}");
        for argument in prompt["arguments"].as_array().unwrap() {
            assert!(argument["description"].is_string(), "{argument}");
        }
    }
}

#[test]
fn the_newest_revision_gets_hints_for_its_cache() {
    let mut client = Client::start(&["--sandbox"], &[]);
    let meta = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    let listed = client.request("prompts/list", json!({ "_meta": meta }))["result"].clone();
    assert_eq!(
        (&listed["ttlMs"], &listed["cacheScope"], &listed["resultType"]),
        (&json!(3_600_000), &json!("private"), &json!("complete"))
    );
    let params = json!({ "name": "sync_tokens", "arguments": { "file_key": PRODUCT_FILE }, "_meta": meta });
    let got = client.request("prompts/get", params);
    assert_eq!(got["result"]["resultType"], "complete", "{got}");
}

#[test]
fn an_address_says_the_file_and_the_node() {
    let mut client = Client::sandbox();
    let address = format!("https://www.figma.com/design/{PRODUCT_FILE}/Shop?node-id=2-4");
    let answer = prompt(&mut client, "implement_design", json!({ "file_key": address, "target": "Vue" }));
    let said = text(&answer);
    assert!(
        said.starts_with(&format!("Implement the Figma node 2:4 of file {PRODUCT_FILE} with Vue.\n")),
        "{said}"
    );
    assert!(said.contains("`figma_handoff_get`") && said.contains("`figma_images_download`"), "{said}");
    let answer = prompt(&mut client, "review_comments", json!({ "file_key": PRODUCT_FILE }));
    assert!(text(&answer).contains("`group_by` \"frame\""), "{answer}");
}

#[test]
fn steps_name_only_tools_that_are_offered() {
    let mut client = Client::ready(&["--sandbox", "--toolsets", "comments"], &[]);
    assert_eq!(names(&mut client), ["review_comments"]);
    let answer = prompt(&mut client, "review_comments", json!({ "file_key": PRODUCT_FILE }));
    assert!(!text(&answer).contains("figma_screenshot_get"), "{answer}");
    let answer =
        prompt(&mut client, "implement_design", json!({ "file_key": PRODUCT_FILE, "node_id": "2:4" }));
    assert_eq!(answer["error"]["code"], -32602, "{answer}");
}

#[test]
fn wrong_arguments_are_named() {
    let mut client = Client::sandbox();
    for (name, arguments, problem) in [
        ("nothing", json!({}), "there is no prompt of this name; there are: implement_design"),
        ("implement_design", json!({}), "`file_key` is missing"),
        ("implement_design", json!({ "file_key": PRODUCT_FILE }), "`node_id` is missing"),
        (
            "implement_design",
            json!({ "file_key": "not a key", "node_id": "2:4" }),
            "`file_key` must be a file key",
        ),
        (
            "implement_design",
            json!({ "file_key": PRODUCT_FILE, "node": "2:4" }),
            "`node` is not known; the arguments are",
        ),
        (
            "review_comments",
            json!({ "file_key": PRODUCT_FILE, "group_by": "mood" }),
            "`group_by` must be one of page",
        ),
        ("review_comments", json!({ "file_key": PRODUCT_FILE, "since": 7 }), "`since` must be a string"),
        (
            "sync_tokens",
            json!({ "file_key": PRODUCT_FILE, "format": "x".repeat(501) }),
            "at most 500 characters",
        ),
    ] {
        let answer = prompt(&mut client, name, arguments);
        assert_eq!(answer["error"]["code"], -32602, "{answer}");
        assert!(answer["error"]["message"].as_str().unwrap().contains(problem), "{answer}");
    }
    let cursor = client.request("prompts/list", json!({ "cursor": "x" }));
    assert_eq!(cursor["error"]["code"], -32602, "{cursor}");
    let malformed = client.request("prompts/get", json!({ "name": 7 }));
    assert_eq!(malformed["error"]["code"], -32602, "{malformed}");
}

fn complete(client: &mut Client, reference: Value, name: &str, value: &str, known: Value) -> Vec<String> {
    let answer = client.request(
        "completion/complete",
        json!({ "ref": reference, "argument": { "name": name, "value": value }, "context": { "arguments": known } }),
    );
    let values = answer["result"]["completion"]["values"].as_array().unwrap_or_else(|| panic!("{answer}"));
    values.iter().map(|value| value.as_str().unwrap().to_owned()).collect()
}

#[test]
fn arguments_are_completed_from_files_that_are_held() {
    let mut client = Client::sandbox();
    let of = |prompt: &str| json!({ "type": "ref/prompt", "name": prompt });
    let file = json!({ "file_key": PRODUCT_FILE });
    assert_eq!(complete(&mut client, of("review_comments"), "group_by", "f", json!({})), ["frame"]);
    assert!(complete(&mut client, of("implement_design"), "target", "react", json!({})).len() >= 2);
    // Nothing is held yet, and nothing is fetched for this.
    assert!(complete(&mut client, of("implement_design"), "file_key", "", json!({})).is_empty());
    assert!(complete(&mut client, of("implement_design"), "node_id", "", file.clone()).is_empty());
    let before = client.json("figma_status_get", json!({}))["calls_so_far"].clone();
    assert_eq!(before["tier_1"], 0, "{before}");
    client.call("figma_nodes_search", json!({ "file_key": PRODUCT_FILE, "query": "home" }));
    let calls = client.json("figma_status_get", json!({}))["calls_so_far"]["tier_1"].clone();
    assert_eq!(complete(&mut client, of("implement_design"), "file_key", "shop", json!({})), [PRODUCT_FILE]);
    assert_eq!(
        complete(&mut client, of("implement_design"), "file_key", "fernleaf", json!({})),
        [PRODUCT_FILE]
    );
    let nodes = complete(&mut client, of("implement_design"), "node_id", "", file.clone());
    assert!(nodes.contains(&"2:1".to_owned()) && nodes.contains(&"2:4".to_owned()), "{nodes:?}");
    assert_eq!(complete(&mut client, of("implement_design"), "node_id", "checkout", file.clone())[0], "2:4");
    assert!(complete(&mut client, of("implement_design"), "node_id", "2:", file.clone()).len() >= 5);
    assert_eq!(complete(&mut client, of("audit_design_system"), "page", "lang", file), ["Languages"]);
    assert_eq!(client.json("figma_status_get", json!({}))["calls_so_far"]["tier_1"], calls);
}

#[test]
fn what_cannot_be_completed_is_said() {
    let mut client = Client::sandbox();
    for (reference, argument) in [
        (json!({ "type": "ref/prompt", "name": "nothing" }), "file_key"),
        (json!({ "type": "ref/prompt", "name": "sync_tokens" }), "nothing"),
        (json!({ "type": "ref/resource", "uri": "figma://nothing/{x}" }), "x"),
    ] {
        let params = json!({ "ref": reference, "argument": { "name": argument, "value": "" } });
        let answer = client.request("completion/complete", params);
        assert_eq!(answer["error"]["code"], -32602, "{answer}");
    }
}

#[test]
fn every_argument_of_every_prompt_can_be_completed() {
    let mut client = Client::sandbox();
    client.call("figma_nodes_search", json!({ "file_key": PRODUCT_FILE, "query": "home" }));
    let listed = client.request("prompts/list", json!({}))["result"]["prompts"].clone();
    let mut without = Vec::new();
    for listed in listed.as_array().unwrap() {
        let (name, file) = (listed["name"].as_str().unwrap(), json!({ "file_key": PRODUCT_FILE }));
        for argument in listed["arguments"].as_array().unwrap() {
            let argument = argument["name"].as_str().unwrap();
            let reference = json!({ "type": "ref/prompt", "name": name });
            if complete(&mut client, reference, argument, "", file.clone()).is_empty() {
                without.push(argument.to_owned());
            }
        }
        // And it can be had with nothing but what is required.
        let answer = prompt(&mut client, name, json!({ "file_key": PRODUCT_FILE, "node_id": "2:4" }));
        let answer = if answer["error"].is_null() {
            answer
        } else {
            prompt(&mut client, name, json!({ "file_key": PRODUCT_FILE }))
        };
        assert!(text(&answer).contains(PRODUCT_FILE) && !text(&answer).contains('{'), "{answer}");
    }
    // Nobody can guess a day.
    assert_eq!(without, ["since"]);
}
