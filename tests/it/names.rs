//! Other servers' tools by their own names, with the arguments that their users' prompts hold.

use std::{fs, path::Path};

use figma_mcp::{sandbox::PRODUCT_FILE, table::NAME_SETS};
use serde_json::{Value, json};

use crate::client::{Client, text_of};

fn names_of(set: &str) -> Vec<&'static str> {
    let set = NAME_SETS.iter().find(|one| one.name == set).unwrap();
    set.tools.iter().map(|named| named.tool.name).collect()
}

/// The text of a call that succeeds.
fn told(client: &mut Client, tool: &str, arguments: Value) -> String {
    let result = client.call(tool, arguments);
    assert_ne!(result["isError"], true, "{tool}: {result}");
    text_of(&result).to_owned()
}

#[test]
fn names_are_listed_only_when_asked_for() {
    assert_eq!(names_of("framelink"), ["get_figma_data", "download_figma_images"]);
    assert_eq!(
        names_of("official"),
        ["get_design_context", "get_metadata", "get_screenshot", "get_variable_defs"]
    );
    let plain = Client::sandbox().tool_names();
    for set in NAME_SETS {
        let names = names_of(set.name);
        assert!(plain.iter().all(|name| !names.contains(&name.as_str())), "{}", set.name);
        let listed = Client::ready(&["--sandbox", "--names", set.name], &[]).tool_names();
        assert_eq!(listed.len(), plain.len() + names.len());
        assert!(names.iter().all(|name| listed.iter().any(|other| other == name)), "{listed:?}");
    }
    let both = Client::ready(&["--sandbox"], &[("FIGMA_MCP_NAMES", "Framelink,official")]).tool_names();
    assert_eq!(both.len(), plain.len() + 6);
    // A name is offered where the tool is that it stands for.
    let narrow = ["--sandbox", "--names", "framelink", "--exclude-tools", "figma_images_download"];
    let listed = Client::ready(&narrow, &[]).tool_names();
    assert!(listed.iter().any(|name| name == "get_figma_data"));
    assert!(!listed.iter().any(|name| name == "download_figma_images"), "{listed:?}");
    let ran = crate::program::figma_mcp().args(["tools", "--names", "cursor"]).output().unwrap();
    let stderr = String::from_utf8_lossy(&ran.stderr);
    assert!(
        stderr.contains("no set of names `cursor`") && stderr.contains("framelink, official"),
        "{stderr}"
    );
}

#[test]
fn framelinks_tools_take_framelinks_arguments() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("framelink");
    let _ = fs::remove_dir_all(&folder);
    let mut client = Client::ready(&["--sandbox", "--image-dir", folder.to_str().unwrap()], &[]);
    let whole = told(&mut client, "get_figma_data", json!({ "fileKey": PRODUCT_FILE, "depth": 1 }));
    assert!(whole.contains("Shop"), "{whole}");
    let node = told(&mut client, "get_figma_data", json!({ "fileKey": PRODUCT_FILE, "nodeId": "2-1" }));
    assert!(node.contains("Home"), "{node}");
    let answer = told(
        &mut client,
        "download_figma_images",
        json!({
            "fileKey": PRODUCT_FILE,
            "localPath": "public/images",
            "svgOptions": { "outlineText": true },
            "nodes": [
                { "nodeId": "2:1", "fileName": "home.svg" },
                { "nodeId": "2:60", "fileName": "photo.png", "imageRef": "0350e81c55b37b9550dcfeec68c68f093f6e8bbe",
                  "needsCropping": true, "cropTransform": [[0.5, 0, 0.25], [0, 0.5, 0.25]],
                  "requiresImageDimensions": true, "filenameSuffix": "a1b2c3" },
                { "nodeId": "2:66", "fileName": "moving.gif", "gifRef": "5d2f0c9ae1b74a6f8e03c5b9712d4f60a8e9b317" },
            ],
        }),
    );
    let answer: Value = serde_json::from_str(&answer).unwrap();
    let files: Vec<(&str, &Value)> = answer["saved"]
        .as_array()
        .unwrap()
        .iter()
        .map(|image| (image["file"].as_str().unwrap(), &image["width"]))
        .collect();
    assert_eq!(
        files,
        [("home.svg", &json!(390)), ("photo-a1b2c3.png", &json!(32)), ("moving.gif", &json!(16))]
    );
    for (file, _) in files {
        assert!(folder.join("public/images").join(file).exists(), "{file}");
    }
    // What is wrong is told by the names that were used.
    let refused = client
        .call("download_figma_images", json!({ "fileKey": PRODUCT_FILE, "nodes": [{ "nodeId": "2:1" }] }));
    assert!(text_of(&refused).contains("`nodes[0].fileName` is missing"), "{refused}");
    let refused = client.call("get_figma_data", json!({ "nodeId": "2:1" }));
    assert!(text_of(&refused).contains("`fileKey` is missing"), "{refused}");
}

#[test]
#[cfg(feature = "sandbox-render")]
fn the_official_tools_take_the_official_arguments() {
    let mut client = Client::sandbox();
    let official = |more: Value| {
        let mut arguments = json!({
            "fileKey": PRODUCT_FILE, "nodeId": "2:1",
            "clientLanguages": "typescript", "clientFrameworks": "react", "forceCode": true,
        });
        arguments.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        arguments
    };
    let context = told(
        &mut client,
        "get_design_context",
        official(
            json!({ "excludeScreenshot": true, "disableCodeConnect": true, "dirForAssetWrites": "/tmp" }),
        ),
    );
    assert!(context.contains("Home"), "{context}");
    let shot = client.call("get_screenshot", official(json!({})));
    assert!(shot["content"].as_array().unwrap().iter().any(|block| block["type"] == "image"), "{shot}");
    // From an address alone, as people paste it.
    let url = format!("https://www.figma.com/design/{PRODUCT_FILE}/Shop?node-id=2-1");
    let context = told(&mut client, "get_code", json!({ "fileKey": url, "nodeId": url }));
    assert!(context.contains("Home"), "{context}");
}

#[test]
fn the_official_outline_and_variables_have_the_official_form() {
    let mut client = Client::sandbox();
    let mut poor = Client::ready(&["--sandbox"], &[("FIGMA_TOKEN", "sandbox-readonly")]);
    let mut problems = Vec::new();
    let node = json!({ "fileKey": PRODUCT_FILE, "nodeId": "2-4", "clientFrameworks": "react" });
    let whole = json!({ "fileKey": PRODUCT_FILE });
    for (is_poor, name, tool, arguments) in [
        (false, "outline-of-a-node", "get_metadata", &node),
        (false, "outline-of-a-file", "get_metadata", &whole),
        (false, "variables-of-a-node", "get_variable_defs", &node),
        (true, "variables-without-the-scope", "get_variable_defs", &node),
    ] {
        let client = if is_poor { &mut poor } else { &mut client };
        let result = client.call(tool, arguments.clone());
        assert_eq!(result["isError"], false, "{name}: {}", text_of(&result));
        let mut text = text_of(&result).to_owned();
        if tool == "get_variable_defs" {
            let map: std::collections::BTreeMap<String, String> = serde_json::from_str(&text).unwrap();
            text = serde_json::to_string_pretty(&map).unwrap() + "\n";
        }
        for note in result["content"].as_array().unwrap().iter().skip(1) {
            text += &format!("[{}]\n", note["text"].as_str().unwrap());
        }
        problems.extend(crate::golden::difference(&format!("tests/golden/names/{name}.txt"), &text));
    }
    assert!(problems.is_empty(), "{}\nTo accept it: {}", problems.join("\n"), crate::golden::BLESS);
    for tool in ["get_metadata", "get_variable_defs"] {
        let refusal = client.refusal(tool, json!({ "fileKey": PRODUCT_FILE, "nodeId": "99:99" }));
        assert_eq!(refusal["error"], "not_found", "{refusal}");
    }
    // A leaf has its own.
    let nothing = client.call("get_variable_defs", json!({ "fileKey": PRODUCT_FILE, "nodeId": "2:86" }));
    assert!(text_of(&nothing).contains("color/accent"), "{nothing}");
    let mut small = Client::ready(&["--sandbox", "--max-result-bytes", "4096"], &[]);
    let outline = small.call("get_metadata", whole);
    let notes = outline["content"][1]["text"].as_str().unwrap();
    assert!(text_of(&outline).len() <= 4096 && notes.contains("nodes are left out"), "{notes}");
}
