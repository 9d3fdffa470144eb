//! `figma_comments_digest_get`, over MCP against the sandbox.

use figma_mcp::sandbox::PRODUCT_FILE;
use serde_json::{Value, json};

use crate::client::{Client, text_of};

fn digest(client: &mut Client, arguments: Value) -> Value {
    let mut all = json!({ "file_key": PRODUCT_FILE });
    all.as_object_mut().unwrap().extend(arguments.as_object().unwrap().clone());
    let result = client.call("figma_comments_digest_get", all);
    assert_eq!(result["isError"], false, "{result}");
    result
}

#[test]
fn threads_come_with_the_frames_that_they_are_about() {
    let mut client = Client::sandbox();
    let result = digest(&mut client, json!({}));
    let text = text_of(&result);
    assert!(text.starts_with("5 open threads of \"Fernleaf shop app\"; left out: 1 resolved"), "{text}");
    assert!(text.contains("\n# Page \"Shop\" 0:2\n#1 · comment 1200001 · Amir Haddad"), "{text}");
    assert!(text.contains("\n  > Copy comes on Thursday.\n"), "{text}");
    assert_eq!(text, text_of(&digest(&mut client, json!({ "group_by": "page" }))));
    let by_frame = digest(&mut client, json!({ "group_by": "frame", "include_resolved": true }));
    assert!(text_of(&by_frame).contains("\n# Frame \"Home\" 2:1 · Page \"Shop\" 0:2\n"), "{by_frame}");
    let by_author = digest(&mut client, json!({ "group_by": "author", "since": "2026-10-01" }));
    assert!(text_of(&by_author).starts_with("2 open threads"), "{by_author}");
    assert!(text_of(&by_author).contains("\n# Amir Haddad\n#5"), "{by_author}");
}

#[test]
fn a_long_digest_goes_on() {
    let mut client = Client::sandbox();
    let first = digest(&mut client, json!({ "limit": 2 }));
    assert_eq!(first["_meta"]["figma-mcp/nextPage"], json!({ "offset": 2 }));
    let last = digest(&mut client, json!({ "limit": 2, "offset": 4 }));
    assert!(last["_meta"].get("figma-mcp/nextPage").is_none(), "{last}");
    assert!(text_of(&last).contains("5 to 5 here"), "{last}");
}

#[test]
fn without_the_file_there_are_ids_and_the_reason() {
    // Its comments can be read, the file itself cannot.
    let mut client = Client::sandbox();
    let result = client.call("figma_comments_digest_get", json!({ "file_key": "NOEXPORT" }));
    assert_eq!(result["isError"], false, "{result}");
    assert!(text_of(&result).contains(" · on 2:4\n"), "{result}");
    let note = result["content"][1]["text"].as_str().unwrap();
    assert!(note.contains("the file could not be read"), "{note}");
}

#[test]
fn what_is_no_date_is_refused() {
    let mut client = Client::sandbox();
    for since in ["yesterday", "2026-02-30", "2026-01-01T00:00:00+02:00"] {
        let refusal =
            client.refusal("figma_comments_digest_get", json!({ "file_key": PRODUCT_FILE, "since": since }));
        assert!(refusal["what"].as_str().unwrap().starts_with("argument `since` must be a day"), "{refusal}");
    }
    assert_eq!(
        client.refusal("figma_comments_digest_get", json!({ "file_key": "GONE" }))["error"],
        "not_found"
    );
}
