//! Files, nodes and comments by their addresses, over MCP against the sandbox.

use figma_mcp::sandbox::PRODUCT_FILE;
use serde_json::{Value, json};

use crate::{
    client::{Client, text_of},
    web::{HttpServer, call, request},
};

const FILE: &str = "figma://file/{file_key}";
const NODE: &str = "figma://file/{file_key}/node/{node_id}";
const COMMENTS: &str = "figma://file/{file_key}/comments";

/// All that stands in the contents, which must be of this address.
fn read(client: &mut Client, uri: &str) -> (String, Value) {
    let answer = client.request("resources/read", json!({ "uri": uri }));
    let contents = answer["result"]["contents"].as_array().unwrap_or_else(|| panic!("{answer}"));
    assert!(contents.iter().all(|part| part["uri"] == uri && part["mimeType"] == "text/plain"), "{answer}");
    let texts: Vec<&str> = contents.iter().map(|part| part["text"].as_str().unwrap()).collect();
    (texts.join("\n"), contents[0].clone())
}

fn refusal(client: &mut Client, uri: &str) -> Value {
    let answer = client.request("resources/read", json!({ "uri": uri }));
    assert!(answer["error"]["code"].is_i64(), "{uri}: {answer}");
    assert_eq!(answer["error"]["data"]["uri"], uri);
    answer["error"].clone()
}

fn templates(client: &mut Client) -> Vec<String> {
    let answer = client.request("resources/templates/list", json!({}));
    let listed = answer["result"]["resourceTemplates"].as_array().unwrap_or_else(|| panic!("{answer}"));
    for one in listed {
        assert!(one["title"].is_string() && one["description"].is_string(), "{one}");
    }
    listed.iter().map(|one| one["uriTemplate"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn templates_are_listed_where_their_tools_are_offered() {
    let mut client = Client::sandbox();
    assert_eq!(templates(&mut client), [FILE, NODE, COMMENTS, "figma://results/{id}{?offset}"]);
    let mut client = Client::ready(&["--sandbox", "--exclude-tools", "figma_design_context_get"], &[]);
    assert_eq!(templates(&mut client), [COMMENTS, "figma://results/{id}{?offset}"]);
    let refused = refusal(&mut client, &format!("figma://file/{PRODUCT_FILE}"));
    assert!(refused["message"].as_str().unwrap().contains("is switched off here by"), "{refused}");
}

#[test]
fn each_says_what_its_tool_says() {
    let mut client = Client::sandbox();
    let (file, contents) = read(&mut client, &format!("figma://file/{PRODUCT_FILE}"));
    let tool = client.call("figma_design_context_get", json!({ "file_key": PRODUCT_FILE }));
    assert!(file.contains("Home") && file.starts_with(text_of(&tool)), "{file}");
    assert_eq!(contents["_meta"]["figma-mcp/untrusted"], true, "{contents}");
    let tool =
        client.call("figma_design_context_get", json!({ "file_key": PRODUCT_FILE, "node_ids": ["2:4"] }));
    for id in ["2:4", "2%3A4", "2%3a4", "2-4"] {
        let (node, _) = read(&mut client, &format!("figma://file/{PRODUCT_FILE}/node/{id}"));
        assert!(node.contains("E-mail") && node.starts_with(text_of(&tool)), "{id}: {node}");
    }
    let tool = client.call("figma_comments_digest_get", json!({ "file_key": PRODUCT_FILE }));
    let (comments, _) = read(&mut client, &format!("figma://file/{PRODUCT_FILE}/comments"));
    assert!(comments.contains("do guests see this form too?"), "{comments}");
    assert!(comments.starts_with(text_of(&tool)), "{comments}");
    // One tier 1 call for all of it.
    assert_eq!(client.json("figma_status_get", json!({}))["calls_so_far"]["tier_1"], 1);
}

#[test]
fn nothing_is_above_the_ceiling() {
    const CEILING: usize = 4096;
    let mut client = Client::ready(&["--sandbox", "--max-result-bytes", "4096"], &[]);
    for rest in ["", "/node/2:1", "/comments"] {
        let (text, _) = read(&mut client, &format!("figma://file/{PRODUCT_FILE}{rest}"));
        assert!(!text.is_empty() && text.len() <= CEILING, "{rest}: {}", text.len());
    }
}

#[test]
fn what_leads_nowhere_says_why_and_what_next() {
    let mut client = Client::sandbox();
    for (uri, code, problem) in [
        ("figma://file/not%20a%20key".to_owned(), -32002, "argument `file_key` must be a file key"),
        ("figma://file/GONE".to_owned(), -32002, "next: "),
        ("figma://file/GONE/comments".to_owned(), -32002, "next: "),
        ("figma://file/BROKEN".to_owned(), -32603, "next: "),
        (format!("figma://file/{PRODUCT_FILE}/node/home"), -32002, "argument `node_id` must be a node id"),
        (format!("figma://file/{PRODUCT_FILE}/node/99%3A99"), -32002, "node 99:99 of file"),
        (format!("figma://file/{PRODUCT_FILE}/node/"), -32002, "there is no such resource"),
        (format!("figma://file/{PRODUCT_FILE}/nodes/2:4"), -32002, "there is no such resource"),
        (format!("figma://file/{PRODUCT_FILE}/node/2:4/x"), -32002, "there is no such resource"),
        (format!("figma://file/{PRODUCT_FILE}/node/%FF"), -32002, "there is no such resource"),
        ("figma://file/".to_owned(), -32002, "there is no such resource"),
        (
            "figma://file/..%2F..%2Fetc".to_owned(),
            -32002,
            "argument `file_key` is not an address of figma.com",
        ),
    ] {
        let refused = refusal(&mut client, &uri);
        assert_eq!(refused["code"], code, "{uri}: {refused}");
        assert!(refused["message"].as_str().unwrap().contains(problem), "{uri}: {refused}");
        if code != -32002 || !problem.starts_with("there is no such") {
            assert!(refused["data"]["next"].is_string() && refused["data"]["what"].is_string(), "{refused}");
        }
    }
}

fn completed(answer: &Value) -> Vec<&str> {
    let values = answer["result"]["completion"]["values"].as_array().unwrap_or_else(|| panic!("{answer}"));
    values.iter().map(|value| value.as_str().unwrap()).collect()
}

fn completion(template: &str, name: &str, value: &str, known: Value) -> Value {
    json!({
        "ref": { "type": "ref/resource", "uri": template },
        "argument": { "name": name, "value": value },
        "context": { "arguments": known },
    })
}

#[test]
fn addresses_are_completed_from_files_that_are_held() {
    let mut client = Client::sandbox();
    let mut complete = |template, name, value, known| {
        let answer = client.request("completion/complete", completion(template, name, value, known));
        completed(&answer).iter().map(|value| (*value).to_owned()).collect::<Vec<_>>()
    };
    let file = json!({ "file_key": PRODUCT_FILE });
    assert!(complete(FILE, "file_key", "", json!({})).is_empty());
    read(&mut client, &format!("figma://file/{PRODUCT_FILE}"));
    let mut complete = |template, name, value, known| {
        let answer = client.request("completion/complete", completion(template, name, value, known));
        completed(&answer).iter().map(|value| (*value).to_owned()).collect::<Vec<_>>()
    };
    for template in [FILE, NODE, COMMENTS] {
        assert_eq!(complete(template, "file_key", "shop", json!({})), [PRODUCT_FILE], "{template}");
    }
    assert_eq!(complete(NODE, "node_id", "checkout", file.clone())[0], "2:4");
    assert!(complete(NODE, "node_id", "2:", file).len() >= 5);
    for (template, name) in
        [(FILE, "node_id"), ("figma://results/{id}{?offset}", "id"), ("figma://x", "file_key")]
    {
        let answer = client.request("completion/complete", completion(template, name, "", json!({})));
        assert_eq!(answer["error"]["code"], -32602, "{answer}");
    }
}

#[test]
fn callers_of_a_shared_server_see_only_what_is_theirs() {
    let server = HttpServer::sandbox(&[]);
    let (one, other) = ([("x-figma-token", "sandbox-personal")], [("x-figma-token", "sandbox-oauth")]);
    let file = format!("figma://file/{PRODUCT_FILE}");
    let read = |uri: &str, headers: &[(&str, &str)]| {
        server.post(&request("resources/read", json!({ "uri": uri })), headers).json()
    };
    assert!(read(&file, &one)["result"]["contents"][0]["text"].as_str().unwrap().contains("Home"));
    let comments = read(&format!("{file}/comments"), &one);
    assert!(comments["result"]["contents"][0]["text"].is_string(), "{comments}");
    let node = read(&format!("{file}/node/2%3A4"), &one);
    assert!(node["result"]["contents"][0]["text"].as_str().unwrap().contains("E-mail"), "{node}");
    let suggest = |name: &str, headers: &[(&str, &str)]| {
        let params = completion(NODE, name, "", json!({ "file_key": PRODUCT_FILE }));
        let answer = server.post(&request("completion/complete", params), headers).json();
        completed(&answer).len()
    };
    assert_eq!(suggest("file_key", &one), 1);
    assert!(suggest("node_id", &one) > 1);
    assert_eq!((suggest("file_key", &other), suggest("node_id", &other)), (0, 0));
    // What one caller holds opens nothing to another, who is asked for a credential that may read it.
    let expired = [("x-figma-token", "sandbox-expired")];
    for rest in ["", "/node/2:4", "/comments"] {
        let refused = read(&format!("{file}{rest}"), &expired);
        assert!(refused["error"]["data"]["next"].is_string(), "{rest}: {refused}");
    }
    let status = server.post(&call("figma_status_get", json!({})), &other).json();
    assert!(text_of(&status["result"]).contains("\"tier_1\":0"), "{status}");
}
