//! `figma_handoff_get`, over MCP against the sandbox.

use figma_mcp::sandbox::PRODUCT_FILE;
use serde_json::{Value, json};

use crate::client::{Client, text_of};

fn handoff(client: &mut Client, arguments: Value) -> Value {
    let mut all = json!({ "file_key": PRODUCT_FILE, "node_id": "2:4" });
    all.as_object_mut().unwrap().extend(arguments.as_object().unwrap().clone());
    let result = client.call("figma_handoff_get", all);
    assert_eq!(result["isError"], false, "{result}");
    result
}

fn tier_1(client: &mut Client) -> u64 {
    client.json("figma_status_get", json!({}))["calls_so_far"]["tier_1"].as_u64().unwrap()
}

#[test]
fn one_call_has_all_that_it_takes() {
    let mut client = Client::sandbox();
    let result = handoff(&mut client, json!({}));
    assert!(tier_1(&mut client) <= 2);
    let text = text_of(&result);
    for part in [
        "## Design\n",
        "\"E-mail\"",
        "## Open comments (1; ",
        "> @Rosa Lindqvist do guests see this form too?\n",
        "  > Yes, without the e-mail hint.\n",
        "## Variables used\n- \"color/",
        "· official · VariableID:",
        "## Styles used\n",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    // Comments on other frames are left out.
    assert!(!text.contains("offer banner"), "{text}");
    if cfg!(feature = "sandbox-render") {
        assert!(text.starts_with("Picture: "), "{text}");
        let images = result["content"].as_array().unwrap();
        assert_eq!(images.iter().filter(|block| block["type"] == "image").count(), 1);
        assert!(!text.contains("## Not here"), "{text}");
    }
    // Everything but the picture is held by now, and the picture's address is kept.
    let before = tier_1(&mut client);
    let home = handoff(&mut client, json!({ "node_id": "2:1" }));
    assert!(text_of(&home).contains("Copy comes on Thursday"), "{home}");
    assert!(tier_1(&mut client) <= before + 1);
}

#[test]
fn links_for_developers_come_along() {
    let mut client = Client::sandbox();
    client.json(
        "figma_dev_resource_create",
        json!({ "file_key": PRODUCT_FILE, "node_id": "2:4", "name": "Checkout.tsx", "url": "https://example.com/checkout" }),
    );
    let result = handoff(&mut client, json!({}));
    let line = "- \"Checkout.tsx\" https://example.com/checkout · on \"Checkout\" 2:4\n";
    assert!(text_of(&result).contains(line), "{result}");
}

#[test]
fn it_stays_within_its_bytes() {
    let mut client = Client::sandbox();
    for most in [4000, 6000, 12_000] {
        let result = handoff(&mut client, json!({ "node_id": "2:1", "max_bytes": most }));
        assert!(text_of(&result).len() <= most, "{most}: {}", text_of(&result).len());
        assert!(text_of(&result).contains("## Design\n"), "{result}");
    }
}

#[test]
fn what_cannot_be_had_is_named_and_the_rest_comes() {
    // No picture can be made.
    let mut client = Client::sandbox();
    let result = handoff(&mut client, json!({ "file_key": "RENDERSLOW" }));
    let text = text_of(&result);
    assert!(text.contains("## Design\n") && text.contains("\n## Not here\n- picture: "), "{text}");
    // Variables are not for this token, and a whole toolset is switched off.
    let mut client = Client::ready(
        &["--sandbox", "--exclude-tools", "figma_comments_digest_get"],
        &[("FIGMA_TOKEN", "sandbox-readonly")],
    );
    let result = handoff(&mut client, json!({}));
    let text = text_of(&result);
    assert!(text.contains("- comments: the tool `figma_comments_digest_get` is switched off"), "{text}");
    assert!(
        text.contains("lacks the scope `file_variables:read`") && text.contains("inferred from"),
        "{text}"
    );
    // A branch has no links of its own.
    let result = handoff(&mut client, json!({ "file_key": "ShopAppBranch0000000001b" }));
    assert!(text_of(&result).contains("- dev resources: "), "{result}");
}

#[test]
fn what_is_not_there_is_an_error() {
    let mut client = Client::sandbox();
    for (arguments, error) in [
        (json!({ "file_key": PRODUCT_FILE, "node_id": "99:99" }), "not_found"),
        (json!({ "file_key": "GONE", "node_id": "2:4" }), "not_found"),
        (json!({ "file_key": PRODUCT_FILE }), "bad_argument"),
        (json!({ "file_key": PRODUCT_FILE, "node_id": "2:4", "max_bytes": 10 }), "bad_argument"),
    ] {
        let refusal = client.refusal("figma_handoff_get", arguments);
        assert_eq!(refusal["error"], error, "{refusal}");
    }
}

#[test]
fn what_is_too_large_is_told_by_arguments_that_the_tool_has() {
    let mut client = Client::sandbox();
    for (tool, arguments, advice) in [
        (
            "figma_handoff_get",
            json!({ "node_id": "2:4" }),
            "Call again with the `node_id` of a smaller part: ",
        ),
        (
            "figma_design_context_get",
            json!({ "node_ids": "2:4" }),
            "Call again with `node_ids` of smaller parts: ",
        ),
        ("figma_file_images_render", json!({ "ids": "2:4" }), "Give fewer `ids`, or those of smaller parts."),
        ("figma_file_nodes_get", json!({ "ids": "2:4" }), "Call again with `depth`: 1 "),
    ] {
        let mut all = json!({ "file_key": "HUGE" });
        all.as_object_mut().unwrap().extend(arguments.as_object().unwrap().clone());
        let refusal = client.refusal(tool, all);
        assert_eq!(refusal["error"], "too_large", "{tool}: {refusal}");
        assert!(refusal["next"].as_str().unwrap().starts_with(advice), "{tool}: {refusal}");
        // What it names is there to be given.
        let listed = client.request("tools/list", json!({}));
        let mut listed = listed["result"]["tools"].as_array().unwrap().iter();
        let schema = &listed.find(|listed| listed["name"] == tool).unwrap()["inputSchema"]["properties"];
        let next = refusal["next"].as_str().unwrap().split(": `figma_").next().unwrap();
        for name in next.split('`').skip(1).step_by(2) {
            assert!(schema.get(name).is_some(), "{tool} has no {name}: {next}");
        }
    }
}

#[test]
fn two_scarce_calls_are_the_most() {
    let mut client = Client::sandbox();
    // A file that Figma does not send whole costs the refusal the first time: then there is no picture yet.
    for (key, most, has_picture) in [
        (PRODUCT_FILE, 2, true),
        ("HUGE", 2, false),
        ("HUGEFILE", 2, false),
        ("HUGEFILE", 2, true),
        ("HUGEFILE", 0, true),
        (PRODUCT_FILE, 1, true),
    ] {
        let before = tier_1(&mut client);
        let result = client.call("figma_handoff_get", json!({ "file_key": key, "node_id": "2:4" }));
        let calls = tier_1(&mut client) - before;
        assert!(calls <= most, "{key}: {calls}");
        let mut blocks = result["content"].as_array().unwrap().iter();
        assert_eq!(blocks.any(|block| block["type"] == "image"), has_picture, "{key}: {result}");
    }
}
