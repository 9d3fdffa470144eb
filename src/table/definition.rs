//! A row as an MCP tool definition.

use serde_json::{Value, json};

use super::{
    args::{self, Defaults},
    row::{Endpoint, Plan, Rule, Tier, Tool},
};

/// The exact entry of this tool in `tools/list`.
#[must_use]
pub fn definition(tool: &Tool, defaults: &Defaults) -> Value {
    json!({
        "name": tool.name,
        "title": tool.title,
        "description": description(tool),
        "inputSchema": input_schema(tool, defaults),
        "annotations": annotations(tool),
    })
}

/// MCP's hints, all four on every tool: clients differ in what they assume of an absent one.
fn annotations(tool: &Tool) -> Value {
    json!({
        "readOnlyHint": tool.changes_nothing(),
        "destructiveHint": tool.is_destructive(),
        "idempotentHint": tool.effect.is_idempotent(),
        "openWorldHint": tool.endpoint().is_some(),
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
    let cost = tool.endpoint().map_or(" Free.", cost);
    let plan = tool.endpoint().map_or("", plan);
    text + cost + plan
}

/// Only the tier that is scarce is told. The others and the scopes stay out of what every model reads
/// with every conversation: they are in the README, in `figma-mcp tools NAME`, and in the error when a
/// limit is met or a scope is missing.
fn cost(endpoint: &Endpoint) -> &'static str {
    if endpoint.tier == Tier::One { " Tier 1." } else { "" }
}

/// The plan that is needed.
fn plan(endpoint: &Endpoint) -> &'static str {
    match endpoint.quirks.plan {
        Plan::Any => "",
        Plan::Paid => " Paid plans.",
        Plan::Enterprise => " Enterprise.",
        Plan::Governance => " Enterprise with Governance+.",
    }
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
