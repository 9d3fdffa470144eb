//! `figma_nodes_search`, over MCP against the sandbox.

use figma_mcp::sandbox::{PRODUCT_FILE, WHITEBOARD_FILE};
use serde_json::{Value, json};

use crate::{
    client::{Client, text_of},
    figma::Figma,
};

/// The search's text, and its result.
fn search(client: &mut Client, arguments: Value) -> (String, Value) {
    let mut all = json!({ "file_key": PRODUCT_FILE });
    all.as_object_mut().unwrap().extend(arguments.as_object().unwrap().clone());
    let result = client.call("figma_nodes_search", all);
    assert_eq!(result["isError"], false, "{result}");
    (text_of(&result).to_owned(), result)
}

#[test]
fn nodes_are_found_by_what_people_know_of_them() {
    let mut client = Client::sandbox();
    let mut lines = |arguments: Value| -> Vec<String> {
        search(&mut client, arguments).0.lines().map(str::to_owned).collect()
    };
    let named = lines(json!({ "query": "Checkout" }));
    assert!(named[1].starts_with("2:4 FRAME \"Checkout\" 390×524 ready for dev · Shop"), "{named:?}");
    let misspelt = lines(json!({ "query": "chekout", "in": ["name"] }));
    assert!(misspelt[1].starts_with("2:4 FRAME") && misspelt[1].ends_with("similar"), "{misspelt:?}");
    let text = lines(json!({ "query": "monstera", "in": "text" }));
    assert!(text.iter().any(|line| line.contains("says \"Monstera deliciosa\"")), "{text:?}");
    let russian = lines(json!({ "query": "растения для дома" }));
    assert!(russian[1].starts_with("3:1 TEXT") && russian[1].contains("Languages › "), "{russian:?}");
    let hidden = lines(json!({ "query": "debug banner" }));
    assert!(hidden[1].contains(" hidden · Shop › Home"), "{hidden:?}");
    let cards = lines(json!({ "component": "Product card", "type": "instance" }));
    assert_eq!(cards.len(), 5, "{cards:?}");
    let ready = lines(json!({ "dev_status": "ready_for_dev" }));
    assert!(ready[1].contains(" ready for dev"), "{ready:?}");
    let sized = lines(json!({ "size": "390x400-600", "page": "shop" }));
    assert_eq!(sized.len(), 5, "{sized:?}");
    assert_eq!(lines(json!({ "query": "zzzz" })), ["No node of \"Fernleaf shop app\" fits."]);
}

#[test]
fn variables_are_found_by_official_and_by_inferred_names() {
    let mut client = Client::sandbox();
    let (official, result) = search(&mut client, json!({ "variable": "space/s" }));
    assert!(official.starts_with(|first: char| first.is_ascii_digit()), "{official}");
    assert_eq!(result["content"].as_array().unwrap().len(), 2, "{result}");
    assert!(!result.to_string().contains("inferred"), "{result}");
    // A token without the scope: what is found is the same, and why the names are others is said.
    let mut client = Client::ready(&["--sandbox"], &[("FIGMA_TOKEN", "sandbox-readonly")]);
    let (inferred, result) = search(&mut client, json!({ "variable": "space/8" }));
    assert_eq!(official.lines().next(), inferred.lines().next());
    assert!(result["content"][1]["text"].as_str().unwrap().contains("lacks the scope `file_variables:read`"));
}

#[test]
fn pages_of_hits_are_told() {
    let mut client = Client::sandbox();
    let (_, first) = search(&mut client, json!({ "type": "TEXT", "limit": 5 }));
    assert_eq!(first["_meta"]["figma-mcp/nextPage"], json!({ "offset": 5 }));
    let (text, rest) = search(&mut client, json!({ "type": "TEXT", "offset": 10_000 }));
    assert!(text.contains("none from 10001 on"), "{text}");
    assert!(rest["_meta"].get("figma-mcp/nextPage").is_none());
}

#[test]
fn what_cannot_be_looked_for_is_refused() {
    let mut client = Client::sandbox();
    for (arguments, argument) in [
        (json!({}), "give at least one of"),
        (json!({ "query": "" }), "`query` must not be empty"),
        (json!({ "query": "x".repeat(201) }), "`query` must have at most 200 characters"),
        (json!({ "size": "big" }), "`size` must be WIDTHxHEIGHT"),
        (json!({ "in": ["name"], "type": "TEXT" }), "`in` is only allowed together with `query`"),
        (json!({ "query": "x", "in": ["nowhere"] }), "must be one of"),
        (json!({ "query": "x", "limit": 0 }), "`limit` must be from 1 to 100"),
    ] {
        let mut all = json!({ "file_key": PRODUCT_FILE });
        all.as_object_mut().unwrap().extend(arguments.as_object().unwrap().clone());
        let refusal = client.refusal("figma_nodes_search", all);
        assert!(refusal["what"].as_str().unwrap().contains(argument), "{refusal}");
    }
    assert_eq!(
        client.refusal("figma_nodes_search", json!({ "file_key": "GONE", "query": "x" }))["error"],
        "not_found"
    );
}

#[test]
fn the_names_of_variables_are_asked_for_once_and_only_where_something_is_bound() {
    let figma = Figma::start();
    let lists = || figma.requests().iter().filter(|line| line.contains("/variables/local")).count();
    let mut server = figma.server(&[]);
    let mut describe = |file: &str, include: Value| {
        let arguments = json!({ "file_key": file, "include": include });
        let described = server.call("figma_design_context_get", arguments);
        assert_eq!(described["isError"], false, "{described}");
        text_of(&described).to_owned()
    };
    describe(WHITEBOARD_FILE, json!([]));
    describe(PRODUCT_FILE, json!(["layout", "text"]));
    assert_eq!(lists(), 0, "nothing is bound, or nobody wants to know");
    // The file is read back, then the same anew while it comes in.
    let held = describe(PRODUCT_FILE, json!([]));
    assert_eq!(lists(), 1);
    let mut forgetful = figma.server(&["--no-cache"]);
    let fetched = forgetful.call("figma_design_context_get", json!({ "file_key": PRODUCT_FILE }));
    assert_eq!(text_of(&fetched), held);
    assert_eq!(lists(), 2);
}
