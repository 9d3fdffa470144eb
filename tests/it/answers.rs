//! Every tool, called over stdio against the sandbox, its answer compared whole with
//! `tests/golden/answers/NAME.json`.

use std::collections::BTreeSet;

use figma_mcp::{
    sandbox::{DESIGN_SYSTEM_FILE, PRODUCT_FILE, PROJECT, TEAM},
    table,
};
use serde_json::{Value, json};

use crate::{
    client::{Client, text_of},
    golden,
};

const BUTTON_SET: &str = "4bedacc615c3c60ad0f1c7ac56eaa9ade5a8d38b";
const BUTTON: &str = "40d53d0efad4f3a7532e21125203ac30db3921bd";
const GREEN: &str = "993a8b7b224eb5c82bf37592b2ddbcc38a8a714d";
const COMMENT: &str = "1200001";
const WEBHOOK: &str = "700001";

/// One call of each tool, in an order in which what is written can be read back. What is removed is
/// what the sample holds, so that ids are known.
#[allow(clippy::too_many_lines, reason = "a line or two a tool")]
fn calls() -> Vec<(&'static str, Value)> {
    let analytics = |group: &str| json!({ "file_key": DESIGN_SYSTEM_FILE, "group_by": group });
    vec![
        ("figma_file_get", json!({ "file_key": PRODUCT_FILE, "depth": 2 })),
        ("figma_file_nodes_get", json!({ "file_key": PRODUCT_FILE, "ids": ["2:4", "99:99"], "depth": 1 })),
        (
            "figma_file_images_render",
            json!({ "file_key": PRODUCT_FILE, "ids": "2:1,99:99", "format": "svg" }),
        ),
        ("figma_file_image_fills_get", json!({ "file_key": PRODUCT_FILE })),
        ("figma_file_versions_list", json!({ "file_key": PRODUCT_FILE, "page_size": 3 })),
        ("figma_file_metadata_get", json!({ "file_key": PRODUCT_FILE })),
        (
            "figma_file_comment_create",
            json!({ "file_key": PRODUCT_FILE, "message": "Looks good", "client_meta": { "node_id": "2-4", "node_offset": { "x": 1, "y": 2 } } }),
        ),
        (
            "figma_comment_reaction_create",
            json!({ "file_key": PRODUCT_FILE, "comment_id": COMMENT, "emoji": ":heart:" }),
        ),
        ("figma_comment_reactions_list", json!({ "file_key": PRODUCT_FILE, "comment_id": COMMENT })),
        (
            "figma_comment_reaction_delete",
            json!({ "file_key": PRODUCT_FILE, "comment_id": COMMENT, "emoji": ":heart:" }),
        ),
        ("figma_file_comments_list", json!({ "file_key": PRODUCT_FILE, "as_md": true })),
        (
            "figma_design_context_get",
            json!({ "file_key": PRODUCT_FILE, "node_ids": ["4:4"], "format": "json" }),
        ),
        ("figma_file_components_list", json!({ "file_key": DESIGN_SYSTEM_FILE })),
        ("figma_component_get", json!({ "key": BUTTON })),
        ("figma_file_component_sets_list", json!({ "file_key": DESIGN_SYSTEM_FILE })),
        ("figma_component_set_get", json!({ "key": BUTTON_SET })),
        ("figma_team_components_list", json!({ "team_id": TEAM, "page_size": 2 })),
        ("figma_team_component_sets_list", json!({ "team_id": TEAM, "page_size": 1 })),
        ("figma_file_styles_list", json!({ "file_key": DESIGN_SYSTEM_FILE })),
        ("figma_style_get", json!({ "key": GREEN })),
        ("figma_team_styles_list", json!({ "team_id": TEAM, "page_size": 2 })),
        ("figma_file_variables_local_get", json!({ "file_key": DESIGN_SYSTEM_FILE })),
        ("figma_file_variables_published_get", json!({ "file_key": DESIGN_SYSTEM_FILE })),
        (
            "figma_file_variables_update",
            json!({
                "file_key": DESIGN_SYSTEM_FILE,
                "variableCollections": [{ "action": "CREATE", "id": "c", "name": "Season", "initialModeId": "m" }],
                "variableModes": [{ "action": "UPDATE", "id": "m", "variableCollectionId": "c", "name": "Spring" }],
                "variables": [{ "action": "CREATE", "id": "v", "name": "accent", "variableCollectionId": "c", "resolvedType": "COLOR" }],
                "variableModeValues": [{ "variableId": "v", "modeId": "m", "value": { "r": 1, "g": 0.5, "b": 0 } }],
            }),
        ),
        (
            "figma_images_download",
            json!({ "file_key": PRODUCT_FILE, "node_ids": ["2:1"], "image_refs": ["0350e81c55b37b9550dcfeec68c68f093f6e8bbe"], "format": "svg", "overwrite": true }),
        ),
        ("figma_screenshot_get", json!({ "file_key": PRODUCT_FILE, "node_id": "2:1", "max_pixels": 200 })),
        ("figma_me_get", json!({})),
        ("figma_status_get", json!({})),
        ("figma_nodes_search", json!({ "file_key": PRODUCT_FILE, "query": "cart", "limit": 8 })),
        ("figma_comments_digest_get", json!({ "file_key": PRODUCT_FILE, "include_resolved": true })),
        ("figma_handoff_get", json!({ "file_key": PRODUCT_FILE, "node_id": "2:4" })),
        ("figma_team_get", json!({ "team_id": format!("https://www.figma.com/files/team/{TEAM}/Fernleaf") })),
        ("figma_team_projects_list", json!({ "team_id": TEAM })),
        ("figma_project_files_list", json!({ "project_id": PROJECT, "branch_data": true })),
        ("figma_project_metadata_get", json!({ "project_id": PROJECT })),
        ("figma_team_folders_list", json!({ "team_id": TEAM })),
        ("figma_folder_folders_list", json!({ "folder_id": PROJECT })),
        ("figma_folder_files_list", json!({ "folder_id": PROJECT })),
        ("figma_folder_metadata_get", json!({ "folder_id": PROJECT })),
        (
            "figma_dev_resource_create",
            json!({ "file_key": PRODUCT_FILE, "node_id": "2:1", "name": "Code", "url": "https://example.com/home" }),
        ),
        ("figma_dev_resource_update", json!({ "dev_resource_id": "dr-1", "name": "Checkout, code" })),
        ("figma_dev_resource_delete", json!({ "file_key": PRODUCT_FILE, "dev_resource_id": "dr-2" })),
        ("figma_dev_resources_list", json!({ "file_key": PRODUCT_FILE })),
        (
            "figma_webhook_create",
            json!({ "event_type": "file_update", "context": "file", "context_id": PRODUCT_FILE, "endpoint": "https://example.com/hook", "passcode": "open sesame" }),
        ),
        ("figma_webhook_update", json!({ "webhook_id": WEBHOOK, "status": "paused" })),
        ("figma_webhook_get", json!({ "webhook_id": WEBHOOK })),
        ("figma_team_webhooks_list", json!({ "team_id": TEAM })),
        ("figma_webhook_requests_list", json!({ "webhook_id": WEBHOOK })),
        ("figma_webhooks_list", json!({ "context": "file", "context_id": PRODUCT_FILE })),
        ("figma_webhook_delete", json!({ "webhook_id": WEBHOOK })),
        ("figma_library_analytics_component_actions_get", analytics("team")),
        ("figma_library_analytics_component_usages_get", analytics("file")),
        ("figma_library_analytics_style_actions_get", analytics("style")),
        ("figma_library_analytics_style_usages_get", analytics("style")),
        ("figma_library_analytics_variable_actions_get", analytics("variable")),
        ("figma_library_analytics_variable_usages_get", analytics("file")),
        ("figma_payments_get", json!({ "user_id": "501234567890123456", "plugin_id": "900" })),
        ("figma_activity_logs_list", json!({ "events": "fig_file_create", "limit": 2, "order": "desc" })),
        ("figma_developer_logs_list", json!({ "event_source": "rest_api", "limit": 2 })),
        ("figma_ai_usage_list", json!({ "start_date": "2026-09-01", "end_date": "2026-10-31", "limit": 2 })),
        (
            "figma_oembed_get",
            json!({ "url": format!("https://www.figma.com/design/{PRODUCT_FILE}/Shop"), "maxwidth": 400 }),
        ),
        ("figma_file_comment_delete", json!({ "file_key": PRODUCT_FILE, "comment_id": "CREATED" })),
    ]
}

/// Questions about other tools' answers.
fn questions() -> Vec<(&'static str, Value)> {
    vec![(
        "figma_result_query",
        json!({ "tool": "figma_file_comments_list", "arguments": { "file_key": PRODUCT_FILE }, "filter": ".comments[] | {id, message}" }),
    )]
}

#[test]
fn every_tool_answers_as_it_should() {
    let calls = [calls(), questions()].concat();
    let called: BTreeSet<&str> = calls.iter().map(|(tool, _)| *tool).collect();
    let missing: Vec<&str> =
        table::tools().map(|tool| tool.name).filter(|name| !called.contains(name)).collect();
    assert!(missing.is_empty(), "not called: {missing:?}");

    let images = concat!(env!("CARGO_TARGET_TMPDIR"), "/answers");
    let mut client = Client::ready(&["--sandbox", "--image-dir", images], &[]);
    let (mut problems, mut created) = (Vec::new(), String::new());
    for (tool, mut arguments) in calls {
        if arguments["comment_id"] == "CREATED" {
            arguments["comment_id"] = json!(created);
        }
        let result = client.call(tool, arguments.clone());
        assert_eq!(result["isError"], false, "{tool}: {}", text_of(&result));
        // What is no JSON is kept a line a line.
        let mut body: Value = serde_json::from_str(text_of(&result))
            .unwrap_or_else(|_| text_of(&result).lines().collect::<Vec<_>>().into());
        if tool == "figma_images_download" {
            assert!(body["folder"].take().is_string(), "{body}");
        }
        if tool == "figma_file_comment_create" {
            created = body["id"].as_str().unwrap().to_owned();
        }
        let notes = &result["content"][1]["text"];
        let mut meta = result["_meta"].clone();
        if let Some(result) = meta.get_mut("figma-mcp/result") {
            // Its id and its size hold the sandbox's port.
            *result = json!("RESULT");
        }
        let kept = json!({ "arguments": arguments, "body": body, "notes": notes, "meta": meta });
        let text = without_what_varies(&format!("{kept:#}\n"));
        problems.extend(golden::difference(&format!("tests/golden/answers/{tool}.json"), &text));
    }
    assert!(problems.is_empty(), "{}\nTo accept it: {}", problems.join("\n"), golden::BLESS);
}

/// The day after the last that the sample data name.
const SAMPLE_ENDS: &str = "2026-11-01";

/// The sandbox's port differs from run to run, and so does the time at which something was written:
/// every time after the sample's own. A minute or a day can end in the middle.
fn without_what_varies(text: &str) -> String {
    let lines = text.lines().map(|line| {
        let line = without_later_days(&without_port(line));
        let is_count = |rest: &str| rest.starts_with(|c: char| c.is_ascii_digit());
        let counted = ["\"minute\": ", "\"day\": "].iter().find_map(|name| line.split_once(name));
        if let Some((start, _)) = counted.filter(|(_, rest)| is_count(rest)) {
            return format!("{start}(a count)\n");
        }
        if let Some((name, age)) = line.split_once("\"age_s\": ") {
            return format!("{name}\"age_s\": 0{}\n", if age.ends_with(',') { "," } else { "" });
        }
        match line.split_once(": \"20") {
            Some((name, time)) if line.contains("_at\"") && format!("20{time}").as_str() > SAMPLE_ENDS => {
                format!("{name}: \"NOW\"{}\n", if time.ends_with(',') { "," } else { "" })
            }
            _ => line + "\n",
        }
    });
    lines.collect()
}

/// Days between the signs that a digest's lines have between their parts.
fn without_later_days(line: &str) -> String {
    let is_later = |part: &str| {
        let is_day = part.len() == SAMPLE_ENDS.len() && part.split('-').map(str::len).eq([4, 2, 2]);
        is_day && part.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-') && part > SAMPLE_ENDS
    };
    let parts: Vec<&str> = line.split(" · ").map(|part| if is_later(part) { "NOW" } else { part }).collect();
    parts.join(" · ")
}

fn without_port(line: &str) -> String {
    const HOST: &str = "http://127.0.0.1:";
    let mut parts = line.split(HOST);
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |clean, part| {
        clean + "http://SANDBOX" + part.trim_start_matches(|c: char| c.is_ascii_digit())
    })
}
