//! What callers send, and the request that comes of it or why none does.

use figma_mcp::{
    error::Result,
    rest::request::Request,
    table::{self, args::Defaults},
};
use serde_json::{Value, json};

const KEY: &str = "AbCdEfGhIjKlMnOpQrStUv";

/// The request that a call comes to, as one line.
fn line(tool: &str, given: &Value) -> Result<String> {
    let tool = table::find(tool).unwrap();
    let args = tool.input.check(tool, given.as_object().unwrap().clone(), &Defaults::default())?;
    Ok(Request::build(tool.endpoint().unwrap(), &args).to_string())
}

/// Checks that each of these calls comes to this request.
fn assert_sent(cases: &[(&str, Value, String)]) {
    for (tool, given, expected) in cases {
        assert_eq!(line(tool, given).as_ref(), Ok(expected), "{tool} {given}");
    }
}

#[test]
fn other_spellings_mean_the_same() {
    assert_sent(&[
        (
            "figma_file_comment_create",
            json!({"file_key": KEY, "message": "Hi", "client_meta": "{\"node_id\":\"1-2\",\"node_offset\":{\"x\":0,\"y\":1}}"}),
            format!(r#"POST /v1/files/{KEY}/comments {{"message":"Hi","client_meta":{{"node_id":"1:2","node_offset":{{"x":0.0,"y":1.0}}}}}}"#),
        ),
        (
            "figma_file_variables_update",
            json!({"file_key": KEY, "payload": "{\"variableModeValues\":[{\"variableId\":\"VariableID:1:2\",\"modeId\":\"1:0\",\"value\":null}]}"}),
            format!(r#"POST /v1/files/{KEY}/variables {{"variableModeValues":[{{"variableId":"VariableID:1:2","modeId":"1:0","value":null}}]}}"#),
        ),
        ("figma_dev_resources_list", json!({"file_key": KEY, "node_id": "1-2"}), format!("GET /v1/files/{KEY}/dev_resources?node_ids=1:2")),
        (
            "figma_dev_resource_update",
            json!({"file_key": KEY, "id": 7, "name": "a"}),
            r#"PUT /v1/dev_resources {"dev_resources":[{"id":"7","name":"a"}]}"#.to_owned(),
        ),
        (
            "figma_dev_resource_update",
            json!({"dev_resources": [{"id": "7", "url": "https://example.com"}, {"dev_resource_id": "8", "name": "b"}]}),
            r#"PUT /v1/dev_resources {"dev_resources":[{"id":"7","url":"https://example.com"},{"id":"8","name":"b"}]}"#.to_owned(),
        ),
        (
            "figma_dev_resource_create",
            json!({"node_id": format!("https://www.figma.com/design/{KEY}/x?node-id=1-2"), "name": "a", "url": "https://example.com"}),
            format!(r#"POST /v1/dev_resources {{"dev_resources":[{{"file_key":"{KEY}","node_id":"1:2","name":"a","url":"https://example.com"}}]}}"#),
        ),
    ]);
}

#[test]
fn other_spellings_of_administration_mean_the_same() {
    assert_sent(&[
        (
            "figma_webhook_create",
            json!({"team_id": "12", "event_type": "file_update", "endpoint": "https://example.com", "passcode": "p"}),
            r#"POST /v2/webhooks {"event_type":"FILE_UPDATE","context":"team","context_id":"12","endpoint":"https://example.com","passcode":"p"}"#.to_owned(),
        ),
        ("figma_webhooks_list", json!({"context": "FOLDER", "context_id": "12"}), "GET /v2/webhooks?context=project&context_id=12".to_owned()),
        ("figma_team_webhooks_list", json!({"team_id": "12"}), "GET /v2/webhooks?context=team&context_id=12".to_owned()),
        (
            "figma_activity_logs_list",
            json!({"event_type": "org_user_create", "org_id": "1", "next_page": true}),
            "GET /v1/activity_logs?events=org_user_create".to_owned(),
        ),
        (
            "figma_payments_get",
            json!({"user_id": 1, "resource_type": "plugin", "resource_id": 2}),
            "GET /v1/payments?user_id=1&plugin_id=2".to_owned(),
        ),
        (
            "figma_developer_logs_list",
            json!({"token_type": "PERSONAL_ACCESS_TOKEN", "date_range": "LAST_24H"}),
            r#"POST /v1/developer_logs {"token_type":"developer_token","date_range":"last_24h"}"#.to_owned(),
        ),
        (
            "figma_comment_reaction_delete",
            json!({"file_key": KEY, "comment_id": 7, "emoji": ":+1::skin-tone-2:"}),
            format!("DELETE /v1/files/{KEY}/comments/7/reactions?emoji=:%2B1::skin-tone-2:"),
        ),
    ]);
}

/// Checks that each of these calls is refused with a message that begins so.
fn assert_refused(cases: &[((&str, Value), &str)]) {
    for ((tool, given), expected) in cases {
        let error = line(tool, given).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{given}\n  expected {expected}\n       got {error}");
    }
}

#[test]
fn mixed_pins_are_refused() {
    let pin = |pin: Value| {
        ("figma_file_comment_create", json!({"file_key": KEY, "message": "Hi", "client_meta": pin}))
    };
    assert_refused(&[
        (pin(json!({})), "argument `client_meta` must hold x and y, or node_id and node_offset"),
        (pin(json!({"x": 1})), "argument `client_meta` must hold both x and y"),
        (pin(json!({"x": 1, "y": 1, "node_id": "1:2"})), "argument `client_meta` must hold either"),
        (pin(json!({"node_id": "1:2"})), "argument `client_meta` must hold both node_id"),
        (
            pin(json!({"x": 1, "y": 1, "region_width": 1})),
            "argument `client_meta` must hold both region_width",
        ),
        (
            pin(json!({"x": 1, "y": 1, "comment_pin_corner": "top-left"})),
            "argument `client_meta` holds comment_pin_corner",
        ),
        (
            pin(json!({"node_id": "I3:4;5:6", "node_offset": {"x": 0, "y": 0}})),
            "argument `client_meta` names a node inside an instance, where Figma pins no comments; pin to the instance, 3:4",
        ),
    ]);
}

#[test]
fn changes_of_variables_have_the_fields_of_their_action() {
    let change =
        |list: &str, change: Value| ("figma_file_variables_update", json!({"file_key": KEY, list: [change]}));
    assert_refused(&[
        (
            change("variableCollections", json!({"action": "CREATE"})),
            "argument `variableCollections` has at index 0 no `name`",
        ),
        (
            change("variables", json!({"action": "UPDATE", "id": "a", "resolvedType": "FLOAT"})),
            "argument `variables` has at index 0 `resolvedType`",
        ),
        (
            change("variables", json!({"action": "UPDATE", "id": "a", "name": "a.b"})),
            "argument `variables` has at index 0 the name",
        ),
        (
            change("variables", json!({"action": "UPDATE", "id": "a", "scopes": ["GAP", "ALL_SCOPES"]})),
            "argument `variables` has at index 0 ALL_SCOPES",
        ),
        (
            change("variables", json!({"action": "UPDATE", "id": "a", "scopes": ["TEXT_FILL", "ALL_FILLS"]})),
            "argument `variables` has at index 0 ALL_FILLS",
        ),
        (
            change(
                "variableModes",
                json!({"action": "UPDATE", "id": "a", "variableCollectionId": "b", "name": "x".repeat(41)}),
            ),
            "argument `variableModes` has at index 0 a mode name",
        ),
        (
            change("variableModeValues", json!({"variableId": "a", "modeId": "b"})),
            "argument `variableModeValues[0].value` is missing",
        ),
        (
            ("figma_file_get", json!({})),
            "argument `file_key` is missing; it is a file key (letters and digits, from the file's address) or a Figma address",
        ),
        (
            ("figma_style_get", json!({})),
            "argument `key` is missing; it is a publish key (letters and digits)",
        ),
        (
            ("figma_file_variables_update", json!({"file_key": KEY})),
            "the arguments are incomplete or contradict each other: give at least one of",
        ),
        (
            ("figma_file_variables_update", json!({"file_key": KEY, "variables": []})),
            "the arguments are incomplete or contradict each other: hold no change",
        ),
    ]);
}

#[test]
fn webhooks_are_refused_for_their_reason() {
    let webhook = |endpoint: &str, passcode: &str| {
        (
            "figma_webhook_create",
            json!({"event_type": "FILE_UPDATE", "context": "team", "context_id": "1", "endpoint": endpoint, "passcode": passcode}),
        )
    };
    assert_refused(&[
        (webhook("ftp://example.com", "p"), "argument `endpoint` must begin with https://"),
        (
            webhook(&format!("https://{}", "x".repeat(2041)), "p"),
            "argument `endpoint` must have at most 2048 characters",
        ),
        (
            webhook("https://example.com", &"x".repeat(101)),
            "argument `passcode` must have at most 100 characters",
        ),
        (
            ("figma_webhook_update", json!({"webhook_id": "1", "event_type": "PING"})),
            "argument `event_type` must be one of",
        ),
        (
            ("figma_webhook_update", json!({"webhook_id": "1"})),
            "the arguments are incomplete or contradict each other: give at least one of",
        ),
        (
            ("figma_webhooks_list", json!({"context": "team", "context_id": "1", "cursor": "a"})),
            "argument `cursor` is only allowed together with `plan_api_id`",
        ),
        (("figma_webhook_get", json!({"webhook_id": "a?b"})), "argument `webhook_id` must be an id"),
    ]);
}

#[test]
fn everything_else_is_refused_for_its_reason() {
    let period =
        |start: &str, end: &str| ("figma_ai_usage_list", json!({"start_date": start, "end_date": end}));
    assert_refused(&[
        (
            ("figma_dev_resource_update", json!({"dev_resource_id": "1"})),
            "the arguments are incomplete or contradict each other: give `name`, `url` or both",
        ),
        (
            ("figma_dev_resource_update", json!({"dev_resources": [{"dev_resource_id": "1"}]})),
            "argument `dev_resources` must hold `name`",
        ),
        (
            ("figma_payments_get", json!({"user_id": "1"})),
            "the arguments are incomplete or contradict each other: give exactly one of",
        ),
        (("figma_component_get", json!({"key": ".."})), "argument `key` must be a publish key"),
        (period("2026-02-30", "2026-03-01"), "argument `start_date` must be a day such as"),
        (period("2026-03-02", "2026-03-01"), "argument `end_date` must not lie before"),
        (
            ("figma_file_components_list", json!({"file_key": "https://www.figma.com/files/team/12"})),
            "argument `file_key` is an address that does not name a file",
        ),
    ]);
}

#[test]
fn main_files_are_named_by_a_branch_address_too() {
    let branch = format!("https://www.figma.com/design/{KEY}/branch/BrAnChKeyBrAnChKeyBrAn/x");
    let read = |tool: &str| line(tool, &json!({"file_key": branch})).unwrap();
    assert_eq!(
        read("figma_file_variables_local_get"),
        "GET /v1/files/BrAnChKeyBrAnChKeyBrAn/variables/local"
    );
    assert_eq!(
        read("figma_file_variables_published_get"),
        format!("GET /v1/files/{KEY}/variables/published")
    );
    assert_eq!(read("figma_file_styles_list"), format!("GET /v1/files/{KEY}/styles"));
}
