//! Every fault that the sandbox can play, as an agent sees it: `tests/golden/faults.txt`.

use figma_mcp::sandbox::{self, PRODUCT_FILE};
use serde_json::{Value, json};

use crate::{
    client::{Client, text_of},
    golden,
};

#[test]
fn every_fault_is_explained() {
    // Shorter than the tool's own limit, so that a file that never answers ends the test in time.
    let mut client = Client::ready(&["--sandbox", "--timeout", "8"], &[]);
    let mut text = String::new();
    for (key, description) in sandbox::faults() {
        text += &format!("# {key}: {description}\n");
        let (tool, arguments) = call_for(key);
        let result = client.call(tool, arguments);
        text += &format!("{tool}\n{}\n\n", shown(&result));
        assert_eq!(
            client.json("figma_file_metadata_get", json!({ "file_key": PRODUCT_FILE }))["file"]["editorType"],
            "figma"
        );
    }
    golden::assert_file("tests/golden/faults.txt", &text);
}

/// The call that meets the fault: reading the file, unless it is about something else.
fn call_for(key: &str) -> (&'static str, Value) {
    match key {
        "RENDERSLOW" => ("figma_file_images_render", json!({ "file_key": key, "ids": "2:1" })),
        "BROKENLATE" => ("figma_file_comment_create", json!({ "file_key": key, "message": "Hello" })),
        "PLAN" => ("figma_file_variables_local_get", json!({ "file_key": key })),
        _ => ("figma_file_nodes_get", json!({ "file_key": key, "ids": "0:1", "depth": 9 })),
    }
}

fn shown(result: &Value) -> String {
    if result["isError"] == true { text_of(result).to_owned() } else { "(answers)".to_owned() }
}

#[test]
fn a_write_that_broke_off_late_happened_once() {
    let mut client = Client::sandbox();
    let before = client.json("figma_file_comments_list", json!({ "file_key": "BROKENLATE" }));
    let refusal =
        client.refusal("figma_file_comment_create", json!({ "file_key": "BROKENLATE", "message": "Once" }));
    assert_eq!(refusal["error"], "unknown_outcome");
    let after = client.json("figma_file_comments_list", json!({ "file_key": "BROKENLATE" }));
    let count = |list: &Value| list["comments"].as_array().unwrap().len();
    assert_eq!(count(&after), count(&before) + 1);
}
