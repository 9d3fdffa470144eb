//! A row as an MCP tool definition.

use serde_json::{Value, json};

use super::{
    args::{self, Defaults},
    row::{Effect, Endpoint, Rule, Tool},
};

/// The exact entry of this tool in `tools/list`.
#[must_use]
pub fn definition(tool: &Tool, defaults: &Defaults) -> Value {
    json!({
        "name": tool.name,
        "title": tool.title,
        "description": description(tool),
        "inputSchema": input_schema(tool, defaults),
        "annotations": annotations(tool.effect),
    })
}

/// MCP's hints. The destructive and the idempotent one mean nothing for a tool that only reads, and
/// `openWorldHint` is true unless it is given; a listing is read by models, so none of them is repeated.
fn annotations(effect: Effect) -> Value {
    if effect.is_read() {
        return json!({ "readOnlyHint": true });
    }
    json!({
        "readOnlyHint": false,
        "destructiveHint": effect.is_destructive(),
        "idempotentHint": effect.is_idempotent(),
    })
}

/// The input schema as it is published: plain objects, none of the keywords that strict clients refuse.
#[must_use]
pub fn input_schema(tool: &Tool, defaults: &Defaults) -> Value {
    let mut schema = Value::Object((tool.input.schema)());
    if defaults.team_id.is_some() {
        make_team_optional(&mut schema);
    }
    args::publish(&mut schema);
    schema
}

/// The row's own text, then what follows from its columns and so cannot go stale.
#[must_use]
pub fn description(tool: &Tool) -> String {
    let mut text = tool.description.to_owned();
    for rule in tool.extra.rules {
        if let Rule::OneOf(groups) = rule {
            let groups: Vec<String> = groups.iter().map(|group| group.join("+")).collect();
            text += &format!(" Give {}.", groups.join(" or "));
        }
    }
    text + " " + &cost(tool.endpoint())
}

/// `Tier 1, file_content:read.` and the plan where one is needed.
fn cost(endpoint: &Endpoint) -> String {
    let tier = format!("Tier {}", endpoint.tier.number());
    let scope = endpoint.scopes.first().map(|scope| format!(", {}", scope.name())).unwrap_or_default();
    let plan = endpoint.quirks.plan.requirement().map(|plan| format!(", needs {plan}")).unwrap_or_default();
    format!("{tier}{scope}{plan}.")
}

fn make_team_optional(schema: &mut Value) {
    let is_team = |schema: &Value, name: &str| {
        schema.pointer(&format!("/properties/{name}/format")).is_some_and(|format| format == "figma-team-id")
    };
    let Some(Value::Array(required)) = schema.get("required") else { return };
    let kept: Vec<Value> =
        required.iter().filter(|name| !is_team(schema, name.as_str().unwrap_or_default())).cloned().collect();
    if let Some(fields) = schema.as_object_mut() {
        if kept.is_empty() {
            fields.remove("required");
        } else {
            fields.insert("required".to_owned(), Value::Array(kept));
        }
    }
}
