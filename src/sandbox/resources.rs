//! Dev resources and webhooks.

use serde_json::{Value, json};

use super::{
    ORGANIZATION, TEAM,
    answer::{Answer, Outcome, Refusal},
    data::Data,
    files::file_of,
    folders::check_team,
    route::Call,
    state,
    tree::{self, list, text},
};

/// Figma's limit.
const DEV_RESOURCES_PER_NODE: usize = 10;
const WEBHOOKS_A_PAGE: usize = 2;

/// Dev resources belong to main files.
fn check_main_file(data: &Data, key: &str) -> Result<(), Refusal> {
    data.file(key).ok_or_else(Refusal::not_found)?;
    if data.about(key).get("main_file").is_some() {
        return Err(Refusal::bad("Dev resources belong to the main file: use its key"));
    }
    Ok(())
}

/// `GET /v1/files/{file_key}/dev_resources`.
pub(super) fn dev_resources(call: &Call) -> Outcome {
    let (data, key) = (&call.world.data, call.arg(0));
    check_main_file(data, key)?;
    let nodes = call.list("node_ids");
    let is_wanted = |one: &&Value| nodes.as_ref().is_none_or(|nodes| nodes.contains(&text(one, "node_id")));
    let mut state = call.world.state();
    let found: Vec<&Value> = state.dev_resources(data, key).iter().filter(is_wanted).collect();
    Answer::json(&json!({ "dev_resources": found }))
}

/// `POST /v1/dev_resources`: what fails is told in a 200.
pub(super) fn create_dev_resources(call: &Call) -> Outcome {
    let (mut created, mut errors) = (Vec::new(), Vec::new());
    for wanted in list(&call.body, "dev_resources") {
        match create_one(call, wanted) {
            Ok(one) => created.push(one),
            Err(problem) => errors.push(json!({
                "file_key": wanted.get("file_key"), "node_id": wanted.get("node_id"), "error": problem,
            })),
        }
    }
    let mut body = json!({ "links_created": created });
    if !errors.is_empty() {
        tree::set(&mut body, "errors", json!(errors));
    }
    Answer::json(&body)
}

fn create_one(call: &Call, wanted: &Value) -> Result<Value, String> {
    let (data, key, node) = (&call.world.data, text(wanted, "file_key"), text(wanted, "node_id"));
    check_main_file(data, key).map_err(|refusal| refusal.message)?;
    let file = data.file(key).ok_or("Not found")?;
    tree::find(&file.document, node).ok_or_else(|| format!("Node {node} not found"))?;
    if url::Url::parse(text(wanted, "url")).is_err() {
        return Err("Invalid url".to_owned());
    }
    let mut state = call.world.state();
    let id = format!("dr-{}", state.new_id());
    let all = state.dev_resources(data, key);
    let of_node: Vec<&Value> = all.iter().filter(|one| text(one, "node_id") == node).collect();
    if of_node.iter().any(|one| text(one, "url") == text(wanted, "url")) {
        return Err("A dev resource with this url exists on this node already".to_owned());
    }
    if of_node.len() >= DEV_RESOURCES_PER_NODE {
        return Err(format!("A node can have at most {DEV_RESOURCES_PER_NODE} dev resources"));
    }
    let (name, url) = (text(wanted, "name"), text(wanted, "url"));
    let one = json!({ "id": id, "name": name, "url": url, "file_key": key, "node_id": node });
    all.push(one.clone());
    Ok(one)
}

/// `PUT /v1/dev_resources`.
pub(super) fn update_dev_resources(call: &Call) -> Outcome {
    let (mut updated, mut errors) = (Vec::new(), Vec::new());
    for wanted in list(&call.body, "dev_resources") {
        match update_one(call, wanted) {
            Ok(one) => updated.push(one),
            Err(problem) => errors.push(json!({ "id": wanted.get("id"), "error": problem })),
        }
    }
    let mut body = json!({ "links_updated": updated });
    if !errors.is_empty() {
        tree::set(&mut body, "errors", json!(errors));
    }
    Answer::json(&body)
}

fn update_one(call: &Call, wanted: &Value) -> Result<Value, String> {
    let data = &call.world.data;
    let mut state = call.world.state();
    let (key, index) = state
        .find_dev_resource(data, text(wanted, "id"))
        .ok_or_else(|| "Dev resource not found".to_owned())?;
    let all = state.dev_resources(data, &key);
    let node = all.get(index).map(|one| text(one, "node_id").to_owned()).unwrap_or_default();
    let url = wanted.get("url").and_then(Value::as_str);
    let is_taken = |(other, one): (usize, &Value)| {
        other != index && text(one, "node_id") == node && Some(text(one, "url")) == url
    };
    if all.iter().enumerate().any(is_taken) {
        return Err("A dev resource with this url exists on this node already".to_owned());
    }
    let one = all.get_mut(index).ok_or("Dev resource not found")?;
    for name in ["name", "url"] {
        if let Some(value) = wanted.get(name) {
            tree::set(one, name, value.clone());
        }
    }
    Ok(one.clone())
}

/// `DELETE /v1/files/{file_key}/dev_resources/{dev_resource_id}`: nothing is answered.
pub(super) fn delete_dev_resource(call: &Call) -> Outcome {
    let (data, key, id) = (&call.world.data, call.arg(0), call.arg(1));
    check_main_file(data, key)?;
    let mut state = call.world.state();
    let all = state.dev_resources(data, key);
    let before = all.len();
    all.retain(|one| text(one, "id") != id);
    if all.len() == before { Err(Refusal::new(404, "Dev resource not found")) } else { Ok(Answer::EMPTY) }
}

/// A webhook as it is answered: the passcode can never be read back.
fn public(webhook: &Value) -> Value {
    let mut webhook = webhook.clone();
    tree::set(&mut webhook, "passcode", json!(""));
    if let Some(fields) = webhook.as_object_mut() {
        // Ours: when the PING was sent.
        fields.remove("created_at");
    }
    webhook
}

/// `GET /v2/webhooks`: of a context, or page by page of a plan.
pub(super) fn webhooks(call: &Call) -> Outcome {
    let data = &call.world.data;
    let all = call.world.state().webhooks(data).clone();
    match (call.text("context"), call.text("context_id"), call.text("plan_api_id")) {
        (None, _, None) => Err(Refusal::bad("Missing required parameter context")),
        (Some(_), None, None) => Err(Refusal::bad("Missing required parameter context_id")),
        (Some(_), Some(_), None) if call.query.contains_key("cursor") => {
            Err(Refusal::bad("cursor is only allowed with plan_api_id"))
        }
        (Some(context), Some(id), None) => {
            check_context(call, context, id)?;
            let context = context.to_ascii_uppercase();
            let is_wanted = |one: &&Value| text(one, "context") == context && text(one, "context_id") == id;
            let found: Vec<Value> = all.iter().filter(is_wanted).map(public).collect();
            Answer::json(&json!({ "webhooks": found }))
        }
        (None, None, Some(plan)) => {
            if plan != format!("organization-{ORGANIZATION}") && plan != format!("team-{TEAM}") {
                return Err(Refusal::bad("Invalid parameter plan_api_id"));
            }
            let start = call.text("cursor").map_or(Ok(0), str::parse::<usize>);
            let start = start.map_err(|_| Refusal::bad("Invalid parameter cursor"))?;
            let page: Vec<Value> = all.iter().skip(start).take(WEBHOOKS_A_PAGE).map(public).collect();
            let next = start.saturating_add(WEBHOOKS_A_PAGE);
            let url = call.world.url(&format!("/v2/webhooks?plan_api_id={plan}&cursor={next}"));
            let pagination = if next < all.len() { json!({ "next_page": url }) } else { json!({}) };
            Answer::json(&json!({ "webhooks": page, "pagination": pagination }))
        }
        _ => Err(Refusal::bad("Give either context and context_id, or plan_api_id")),
    }
}

/// Whether there is such a team, project or file.
fn check_context(call: &Call, context: &str, id: &str) -> Result<(), Refusal> {
    match context {
        "team" => check_team(call, id).map(drop),
        "project" => call.world.folder(id).map(drop).ok_or_else(Refusal::not_found),
        "file" => file_of(call, id).map(drop),
        _ => Err(Refusal::bad("Invalid parameter context: must be one of team, project, file")),
    }
    .map_err(
        |refusal| if refusal.status == 404 { Refusal::bad("Invalid parameter context_id") } else { refusal },
    )
}

/// `GET /v2/teams/{team_id}/webhooks`, the older way.
pub(super) fn team_webhooks(call: &Call) -> Outcome {
    check_team(call, call.arg(0))?;
    let all = call.world.state().webhooks(&call.world.data).clone();
    let of_team = all.iter().filter(|one| text(one, "context_id") == call.arg(0));
    Answer::json(&json!({ "webhooks": of_team.map(public).collect::<Vec<_>>() }))
}

/// `POST /v2/webhooks`.
pub(super) fn create_webhook(call: &Call) -> Outcome {
    let body = &call.body;
    let (context, id) = (text(body, "context"), text(body, "context_id"));
    check_context(call, context, id)?;
    check_webhook(body)?;
    let mut state = call.world.state();
    let webhook = json!({
        "id": state.new_id().to_string(),
        "event_type": body.get("event_type"),
        "team_id": if context == "team" { id } else { "" },
        "context": context.to_ascii_uppercase(),
        "context_id": id,
        "plan_api_id": format!("organization-{ORGANIZATION}"),
        "status": body.get("status").cloned().unwrap_or(json!("ACTIVE")),
        "client_id": null,
        "passcode": text(body, "passcode"),
        "endpoint": body.get("endpoint"),
        "description": body.get("description"),
        "created_at": state::now(),
    });
    state.webhooks(&call.world.data).push(webhook.clone());
    Answer::json(&public(&webhook))
}

/// Figma's own limits.
fn check_webhook(body: &Value) -> Result<(), Refusal> {
    for (name, most) in [("endpoint", 2048), ("passcode", 100), ("description", 140)] {
        if text(body, name).chars().count() > most {
            return Err(Refusal::bad(format!("Invalid parameter {name}: at most {most} characters")));
        }
    }
    let is_web = |url: &str| url.starts_with("https://") || url.starts_with("http://");
    if body.get("endpoint").and_then(Value::as_str).is_some_and(|url| !is_web(url)) {
        return Err(Refusal::bad("Invalid parameter endpoint"));
    }
    Ok(())
}

/// Does something with the webhook that the call names.
fn with_webhook(call: &Call, work: impl FnOnce(&mut Vec<Value>, usize) -> Outcome) -> Outcome {
    let mut state = call.world.state();
    let all = state.webhooks(&call.world.data);
    let found = all.iter().position(|webhook| text(webhook, "id") == call.arg(0));
    work(all, found.ok_or_else(|| Refusal::new(404, "Webhook not found"))?)
}

/// `GET /v2/webhooks/{webhook_id}`.
pub(super) fn webhook(call: &Call) -> Outcome {
    with_webhook(call, |all, index| Answer::json(&all.get(index).map(public)))
}

/// `PUT /v2/webhooks/{webhook_id}`: only what is given changes.
pub(super) fn update_webhook(call: &Call) -> Outcome {
    check_webhook(&call.body)?;
    with_webhook(call, |all, index| {
        let webhook = all.get_mut(index).ok_or_else(Refusal::not_found)?;
        for (name, value) in call.body.as_object().into_iter().flatten() {
            tree::set(webhook, name, value.clone());
        }
        Answer::json(&public(webhook))
    })
}

/// `DELETE /v2/webhooks/{webhook_id}`: answers what was removed.
pub(super) fn delete_webhook(call: &Call) -> Outcome {
    with_webhook(call, |all, index| Answer::json(&public(&all.remove(index))))
}

/// `GET /v2/webhooks/{webhook_id}/requests`: the PING that Figma sends at creation.
pub(super) fn webhook_requests(call: &Call) -> Outcome {
    with_webhook(call, |all, index| {
        let webhook = all.get(index).ok_or_else(Refusal::not_found)?;
        let sent_at = webhook.get("created_at").and_then(Value::as_str).unwrap_or("2026-09-01T08:00:00Z");
        let ping = json!({
            "webhook_id": text(webhook, "id"),
            "request_info": {
                "id": format!("{}-1", text(webhook, "id")),
                "endpoint": text(webhook, "endpoint"),
                "payload": {
                    "event_type": "PING",
                    "passcode": text(webhook, "passcode"),
                    "timestamp": sent_at,
                    "webhook_id": text(webhook, "id"),
                },
                "sent_at": sent_at,
            },
            "response_info": { "status": "200", "received_at": sent_at },
            "error_msg": null,
        });
        let is_active = text(webhook, "status") == "ACTIVE";
        Answer::json(&json!({ "requests": if is_active { vec![ping] } else { Vec::new() } }))
    })
}
