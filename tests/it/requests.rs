//! `tests/golden/requests.txt`: what every tool sends.
//!
//! Each request stands on one line under `# TOOL (WHICH)`, so that a script can hold it against Figma's
//! `OpenAPI` document. The arguments are made from the schemas, always the same ones.

use std::collections::BTreeSet;

use figma_mcp::{
    rest::request::Request,
    table::{
        self, Endpoint, Rule, Tool,
        args::{Args, Defaults},
    },
};
use serde_json::{Value, json};

use crate::golden;

#[test]
fn every_tool_sends_what_it_promises() {
    let mut page = String::new();
    for tool in table::tools() {
        let Some(endpoint) = tool.endpoint().filter(|_| tool.is_plain()) else { continue };
        for (which, args) in calls(tool) {
            page += &entry(tool, &which, endpoint, args);
        }
        if let Some(fallback) = endpoint.quirks.fallback {
            let args = sample(tool, &[], false);
            page += &entry(tool, "fallback", fallback, args);
        }
    }
    golden::assert_file("tests/golden/requests.txt", &page);
}

fn entry(tool: &'static Tool, which: &str, endpoint: &Endpoint, args: Args) -> String {
    let shown = Value::Object(args.clone());
    let checked = tool.input.check(tool, args, &Defaults::default());
    let checked = checked.unwrap_or_else(|error| panic!("{} ({which}) {shown}: {error}", tool.name));
    format!("# {} ({which})\n{}\n", tool.name, Request::build(endpoint, &checked))
}

/// The calls to show of a tool: with what is required and with everything, for each alternative; and
/// the shapes of nested arguments that one sample cannot show.
fn calls(tool: &Tool) -> Vec<(String, Args)> {
    let alternatives = tool.extra.rules.iter().find_map(|rule| match rule {
        Rule::OneOf(groups) => Some(*groups),
        _ => None,
    });
    let mut calls = Vec::new();
    for group in alternatives.unwrap_or(&[&[]]) {
        let label = if group.is_empty() { String::new() } else { format!(", by {}", group.join(" and ")) };
        calls.push((format!("required{label}"), sample(tool, group, false)));
        calls.push((format!("all{label}"), sample(tool, group, true)));
    }
    for (name, which, more) in shapes() {
        if name == tool.name {
            let mut args = sample(tool, &[], false);
            args.retain(|name, _| name != "variableCollections");
            args.extend(more.as_object().unwrap().clone());
            calls.push((which.to_owned(), args));
        }
    }
    calls
}

/// Arguments for a tool: the required ones and those of an alternative, or everything that may stand
/// beside them.
fn sample(tool: &Tool, group: &[&str], is_full: bool) -> Args {
    let schema = (tool.input.schema)();
    let mut names: BTreeSet<&str> = group.iter().copied().collect();
    let required = schema.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
    names.extend(required.iter().filter_map(Value::as_str));
    let properties = schema["properties"].as_object().unwrap();
    let is_checked_apart = tool.name == "figma_dev_resource_update" && group == ["dev_resource_id"];
    for rule in tool.extra.rules {
        match rule {
            Rule::AnyOf(any) => names.extend(any.first()),
            Rule::Needs(name, _) if is_checked_apart => names.extend([*name]),
            _ => {}
        }
    }
    if is_full {
        let optional = properties.keys().map(String::as_str);
        names.extend(optional.filter(|name| !is_excluded(tool, group, name)));
    }
    let chosen = properties.iter().filter(|(name, _)| names.contains(name.as_str()));
    chosen.map(|(name, schema)| (name.clone(), value(tool.name, name, schema, is_full))).collect()
}

/// Whether an optional argument cannot stand beside this alternative.
fn is_excluded(tool: &Tool, group: &[&str], name: &str) -> bool {
    tool.extra.rules.iter().any(|rule| match rule {
        Rule::OneOf(groups) => groups.iter().any(|other| other.contains(&name)) && !group.contains(&name),
        Rule::AtMostOne(names) => names.iter().skip(1).any(|other| *other == name),
        Rule::Needs(one, other) => *one == name && !group.is_empty() && !group.contains(other),
        Rule::AnyOf(_) | Rule::Check(_) => false,
    })
}

/// A value that fits a schema. Names decide where the schema leaves a choice.
fn value(tool: &str, name: &str, schema: &Value, is_full: bool) -> Value {
    if let Some(fixed) = fixed(tool, name, is_full) {
        return fixed;
    }
    if let Some(choices) = schema.get("enum").and_then(Value::as_array) {
        return choices[0].clone();
    }
    match schema.get("type").and_then(Value::as_str) {
        Some("boolean") => json!(true),
        Some("integer") => number(name, schema),
        Some("number") => json!(1.5),
        Some("string") => json!(text(tool, name, schema)),
        Some("array") => list(tool, name, &schema["items"], is_full),
        Some("object") => {
            let required = schema.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
            let fields = schema["properties"].as_object().unwrap().iter();
            let chosen = fields.filter(|(name, _)| is_full || required.contains(&json!(name)));
            chosen.map(|(name, schema)| (name.clone(), value(tool, name, schema, is_full))).collect()
        }
        _ => panic!("{tool}: no sample for {name} {schema}"),
    }
}

fn number(name: &str, schema: &Value) -> Value {
    let most = schema.get("maximum").and_then(Value::as_u64).unwrap_or(u64::MAX);
    let wanted = match name {
        "depth" => 2,
        "start_time" => 1_767_225_600,
        "end_time" => 1_767_830_400,
        "maxwidth" => 1280,
        "maxheight" => 720,
        _ => 30,
    };
    json!(wanted.min(most))
}

fn list(tool: &str, name: &str, items: &Value, is_full: bool) -> Value {
    match name {
        "plugin_data" => json!(["123456789", "shared"]),
        "events" => json!(["org_user_create", "fig_file_view"]),
        _ if items.get("format").is_some_and(|format| format == "figma-node-id") => {
            json!(["1:2", "I3:4;5:6"])
        }
        _ => json!([value(tool, name, items, is_full)]),
    }
}

fn text(tool: &str, name: &str, schema: &Value) -> &'static str {
    match schema.get("format").and_then(Value::as_str) {
        Some("figma-file-key" | "figma-main-file-key") => return "AbCdEfGhIjKlMnOpQrStUv",
        Some("figma-node-id") => return "1:2",
        Some("figma-team-id" | "figma-context-id") => return "1234567890123456789",
        Some("figma-project-id") => return "9876543210",
        Some("figma-comment-id") => return "987654321",
        Some("figma-library-key") => return "0123456789abcdef0123456789abcdef01234567",
        Some(_) => return "4567890",
        None => {}
    }
    match name {
        "version" | "before" | "after" => "2149075000",
        "start_date" => "2026-01-05",
        "end_date" => "2026-01-31",
        "emoji" => ":+1::skin-tone-2:",
        "message" => "Ready & reviewed: 100 %",
        "url" if tool == "figma_oembed_get" => {
            "https://www.figma.com/design/AbCdEfGhIjKlMnOpQrStUv/Name?node-id=1-2"
        }
        "url" => "https://example.com/button?a=1&b=2",
        "endpoint" => "https://example.com/hooks/figma",
        "name" => "Button, in code",
        "cursor" => "abc+/=",
        "plan_api_id" => "organization-1234567890",
        "user_id" | "plugin_id" | "widget_id" | "community_file_id" => "1234567890",
        "plugin_payment_token" | "token" => "sample",
        "passcode" => "sample passcode",
        "description" => "A sample",
        "token_name" => "Sample token",
        "user_email" => "ada@example.com",
        "ip_address" => "203.0.113.,198.51.100.7",
        _ => panic!("{tool}: no sample for {name}"),
    }
}

/// What the schema cannot say: which nested fields go together.
fn fixed(tool: &str, name: &str, is_full: bool) -> Option<Value> {
    let fixed = match (tool, name) {
        ("figma_file_comment_create", "client_meta") => json!({
            "node_id": "1:2", "node_offset": {"x": 0.5, "y": 0.5},
            "region_width": 100.5, "region_height": 50.5, "comment_pin_corner": "top-left",
        }),
        ("figma_dev_resource_update", "dev_resources") if !is_full => {
            json!([{"dev_resource_id": "4567890", "name": "Button"}])
        }
        ("figma_file_variables_update", "variableCollections") if !is_full => {
            json!([{"action": "CREATE", "name": "Colours"}])
        }
        ("figma_file_variables_update", "variableCollections") => json!([{
            "action": "CREATE", "id": "c1", "name": "Colours", "initialModeId": "m1",
            "hiddenFromPublishing": true,
        }]),
        ("figma_file_variables_update", "variableModes") => json!([
            {"action": "UPDATE", "id": "m1", "name": "Light", "variableCollectionId": "c1"},
            {"action": "CREATE", "id": "m2", "name": "Dark", "variableCollectionId": "c1"},
        ]),
        ("figma_file_variables_update", "variables") => json!([{
            "action": "CREATE", "id": "v1", "name": "text/primary", "variableCollectionId": "c1",
            "resolvedType": "COLOR", "description": "Text", "hiddenFromPublishing": false,
            "scopes": ["TEXT_FILL", "STROKE_COLOR"],
            "codeSyntax": {"WEB": "--text", "ANDROID": "text", "iOS": "text"},
        }]),
        ("figma_file_variables_update", "variableModeValues") => json!([
            {"variableId": "v1", "modeId": "m1", "value": {"r": 0, "g": 0.5, "b": 1, "a": 1}},
            {"variableId": "v1", "modeId": "m2", "value": {"type": "VARIABLE_ALIAS", "id": "VariableID:1:2"}},
        ]),
        _ => return None,
    };
    Some(fixed)
}

/// Further shapes of arguments: (tool, which, arguments beside the required ones).
fn shapes() -> Vec<(&'static str, &'static str, Value)> {
    let variables = "figma_file_variables_update";
    let pin = |pin: Value| json!({"client_meta": pin});
    vec![
        ("figma_file_comment_create", "point", pin(json!({"x": 1.5, "y": -2.5}))),
        (
            "figma_file_comment_create",
            "node",
            pin(json!({"node_id": "1:2", "node_offset": {"x": 1.5, "y": 2.5}})),
        ),
        (
            "figma_file_comment_create",
            "region",
            pin(json!({"x": 1.5, "y": 2.5, "region_width": 10.5, "region_height": 20.5})),
        ),
        (
            variables,
            "changes",
            json!({
                "variableCollections": [{"action": "UPDATE", "id": "VariableCollectionId:1:1", "name": "Colours"}],
                "variableModes": [{"action": "UPDATE", "id": "1:0", "variableCollectionId": "VariableCollectionId:1:1", "name": "Light"}],
                "variables": [{"action": "UPDATE", "id": "VariableID:1:2", "scopes": ["ALL_SCOPES"]}],
            }),
        ),
        (
            variables,
            "deletions",
            json!({
                "variableCollections": [{"action": "DELETE", "id": "VariableCollectionId:1:1"}],
                "variableModes": [{"action": "DELETE", "id": "1:1"}],
                "variables": [{"action": "DELETE", "id": "VariableID:1:2"}],
            }),
        ),
        (
            variables,
            "extension",
            json!({"variableCollections": [{
                "action": "CREATE", "name": "Brand", "parentVariableCollectionId": "VariableCollectionId:1:1",
                "initialModeIdToParentModeIdMapping": {"1:0": "m1"},
            }]}),
        ),
        (
            variables,
            "values",
            json!({"variableModeValues": [
                {"variableId": "VariableID:1:2", "modeId": "1:0", "value": true},
                {"variableId": "VariableID:1:3", "modeId": "1:0", "value": 4.5},
                {"variableId": "VariableID:1:4", "modeId": "1:0", "value": "text"},
                {"variableId": "VariableID:1:5", "modeId": "VariableCollectionId:2:5/1:0", "value": null},
                {"variableId": "VariableID:1:6", "modeId": "1:0", "value": {
                    "color": {"type": "VARIABLE_ALIAS", "id": "VariableID:1:5"}, "opacity": 0.5,
                }},
                {"variableId": "VariableID:1:7", "modeId": "1:0", "value": {
                    "color": {"r": 1, "g": 0.5, "b": 0, "a": 1},
                    "opacity": {"type": "VARIABLE_ALIAS", "id": "VariableID:1:3"},
                }},
            ]}),
        ),
    ]
}
