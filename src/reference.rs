//! The table as Markdown, for the README and for `figma-mcp tools`. Pure; the server does not need it.

use serde_json::Value;

use crate::{
    settings::{TOKEN_KIND_VARIABLE, TOKEN_VARIABLES},
    table::{
        Effect, Endpoint, Pagination, Place, Rule, TOOLSETS, TokenKind, Tool, Toolset, args::Defaults,
        definition,
    },
};

/// Every tool, a table for each toolset: what it calls and what it takes to be allowed to.
#[must_use]
pub fn tools_markdown() -> String {
    TOOLSETS.iter().map(toolset_markdown).collect::<Vec<_>>().join("\n")
}

/// What each kind of token can call: for each toolset the number of tools, and the names of those it
/// cannot.
#[must_use]
pub fn tokens_markdown() -> String {
    let kinds = TokenKind::ALL.map(|kind| match kind {
        TokenKind::Personal => "Personal",
        TokenKind::Plan => "Plan",
        TokenKind::OAuth => "OAuth",
    });
    let mut text = format!("| Toolset | Tools | {} |\n|---|---|---|---|---|\n", kinds.join(" | "));
    for set in TOOLSETS {
        let cells: Vec<String> = TokenKind::ALL.iter().map(|kind| ability(set, *kind)).collect();
        text += &format!("| {} | {} | {} |\n", set.name, set.tools.len(), cells.join(" | "));
    }
    text
}

/// Every flag with its environment variable, in the order of the help page, then the variables that can
/// hold a token. `command` is the command line, whose arguments are the one list of settings.
#[must_use]
pub fn settings_markdown(command: &clap::Command) -> String {
    let mut text = "| Flag | Variable | |\n|---|---|---|\n".to_owned();
    for argument in command.get_arguments().filter(|argument| !argument.is_hide_set()) {
        let (Some(flag), Some(variable)) = (argument.get_long(), argument.get_env()) else { continue };
        let value = argument.get_action().takes_values().then(|| argument.get_value_names()).flatten();
        let value: Vec<String> = value.into_iter().flatten().map(|name| format!(" {name}")).collect();
        let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
        let default: Vec<_> =
            argument.get_default_values().iter().map(|value| value.to_string_lossy()).collect();
        let default = if default.is_empty() {
            String::new()
        } else {
            format!(" (default {})", code(&default.join(",")))
        };
        text += &format!(
            "| {} | {} | {help}{default} |\n",
            code(&format!("--{flag}{}", value.concat())),
            code(&variable.to_string_lossy())
        );
    }
    text + "\n" + &token_variables_markdown()
}

fn token_variables_markdown() -> String {
    let mut text = "| Variable | Holds |\n|---|---|\n".to_owned();
    for variable in TOKEN_VARIABLES {
        let other = if variable.kind_can_change {
            format!(", or the kind that {} says", code(TOKEN_KIND_VARIABLE))
        } else {
            String::new()
        };
        text += &format!("| {} | {}{other} |\n", code(variable.name), variable.kind.description());
    }
    let kinds: Vec<String> = TokenKind::ALL.iter().map(|kind| code(kind.name())).collect();
    text + &format!("| {} | {} |\n", code(TOKEN_KIND_VARIABLE), kinds.join(", "))
}

/// One tool in full.
#[must_use]
pub fn tool_markdown(tool: &Tool) -> String {
    let mut text = format!("## {}\n\n{}. {}\n\n", tool.name, tool.title, tool.description);
    text += &format!("{}\n\n", calls(tool));
    text += &arguments_markdown(tool);
    for rule in tool.extra.rules {
        if let Some(rule) = rule_text(rule) {
            text += &format!("- {rule}\n");
        }
    }
    if tool.extra.rules.iter().any(|rule| rule_text(rule).is_some()) {
        text += "\n";
    }
    for (name, value) in tool.endpoint().map(|endpoint| facts(tool, endpoint)).unwrap_or_default() {
        text += &format!("- {name}: {value}\n");
    }
    text
}

fn toolset_markdown(set: &Toolset) -> String {
    let everyday = if set.everyday { " Everyday." } else { "" };
    let mut text = format!(
        "#### `{}`\n\n{}{everyday}\n\n| Tool | Calls | Scope | Tier | Tokens |\n|---|---|---|---|---|\n",
        set.name, set.description
    );
    for tool in set.tools {
        let none = || "–".to_owned();
        let endpoint = tool.endpoint();
        let scope = endpoint.and_then(|endpoint| endpoint.scopes.first());
        text += &format!(
            "| {} | {} | {} | {} | {} |\n",
            code(tool.name),
            calls(tool),
            scope.map_or_else(none, |scope| code(scope.name())),
            endpoint.map_or_else(none, |endpoint| endpoint.tier.number().to_string()),
            endpoint.map_or_else(none, tokens)
        );
    }
    text
}

/// The request that a tool makes.
fn calls(tool: &Tool) -> String {
    tool.endpoint().map_or_else(
        || "nothing: this server answers".to_owned(),
        |endpoint| code(&format!("{} {}", endpoint.method.name(), endpoint.path)),
    )
}

/// `all`, `none`, or `4 of 5, not …`.
fn ability(set: &Toolset, kind: TokenKind) -> String {
    let is_refused = |tool: &&Tool| !tool.accepts(kind);
    let refused: Vec<String> = set.tools.iter().filter(is_refused).map(|tool| code(tool.name)).collect();
    match set.tools.len() - refused.len() {
        0 => "none".to_owned(),
        _ if refused.is_empty() => "all".to_owned(),
        count => format!("{count}, not {}", refused.join(", ")),
    }
}

/// The arguments as a table, with where each one goes.
fn arguments_markdown(tool: &Tool) -> String {
    let schema = definition::input_schema(tool, &Defaults::default());
    let wire = (tool.input.wire_schema)();
    let Some(properties) = schema.get("properties").and_then(Value::as_object).filter(|all| !all.is_empty())
    else {
        return "No arguments.\n\n".to_owned();
    };
    // Both schemas list the fields of the same struct in the same order.
    let wire_names = wire.get("properties").and_then(Value::as_object).into_iter().flat_map(|all| all.keys());
    let required: Vec<&str> = strings(schema.get("required"));
    let mut text = "| Argument | Type | Required | Goes to | |\n|---|---|---|---|---|\n".to_owned();
    for ((name, schema), wire_name) in properties.iter().zip(wire_names) {
        let endpoint = tool.endpoint().filter(|_| tool.is_plain());
        let place = match endpoint.map(|endpoint| endpoint.place(wire_name)) {
            Some(Place::Path) => "path",
            Some(Place::Query) => "query",
            Some(Place::Body) => "body",
            None => "this server",
        };
        let renamed = if name == wire_name { String::new() } else { format!(" as {}", code(wire_name)) };
        text += &format!(
            "| {} | {} | {} | {place}{renamed} | {} |\n",
            code(name),
            kind(schema),
            if required.contains(&name.as_str()) { "yes" } else { "no" },
            schema.get("description").and_then(Value::as_str).unwrap_or_default()
        );
    }
    text + "\n"
}

/// A schema's type in words: `string`, `list of string`, or its choices.
fn kind(schema: &Value) -> String {
    let choices = strings(schema.get("enum"));
    if !choices.is_empty() {
        return choices.iter().map(|choice| code(choice)).collect::<Vec<_>>().join(", ");
    }
    match schema.get("type").and_then(Value::as_str) {
        Some("array") => format!("list of {}", schema.get("items").map(kind).unwrap_or_default()),
        Some(name) => format!("{name}{}", range(schema)),
        None => "any".to_owned(),
    }
}

fn range(schema: &Value) -> String {
    match (schema.get("minimum"), schema.get("maximum")) {
        (Some(least), Some(most)) => format!(" {least}–{most}"),
        (Some(least), None) => format!(" from {least}"),
        (None, Some(most)) => format!(" to {most}"),
        (None, None) => String::new(),
    }
}

fn rule_text(rule: &Rule) -> Option<String> {
    let all =
        |names: &[&str], joint: &str| names.iter().map(|name| code(name)).collect::<Vec<_>>().join(joint);
    match rule {
        Rule::OneOf(groups) => {
            let groups: Vec<String> = groups.iter().map(|group| all(group, " with ")).collect();
            Some(format!("Give exactly one of: {}.", groups.join("; ")))
        }
        Rule::AnyOf(names) => Some(format!("Give at least one of {}.", all(names, ", "))),
        Rule::AtMostOne(names) => Some(format!("Give at most one of {}.", all(names, ", "))),
        Rule::Needs(name, other) => Some(format!("{} only together with {}.", code(name), code(other))),
        Rule::Check(_) => None,
    }
}

/// What follows from the row's columns.
fn facts(tool: &Tool, endpoint: &Endpoint) -> Vec<(&'static str, String)> {
    let scopes: Vec<String> = endpoint.scopes.iter().map(|scope| code(scope.name())).collect();
    let mut facts = vec![
        ("Rate-limit tier", endpoint.tier.number().to_string()),
        ("Scope", if scopes.is_empty() { "none named by Figma".to_owned() } else { scopes.join(" or ") }),
        ("Tokens", tokens(endpoint)),
        ("Plan", endpoint.quirks.plan.requirement().unwrap_or("any").to_owned()),
        ("Effect", effect(tool.effect)),
    ];
    let paging = match endpoint.quirks.pagination {
        Pagination::None => None,
        Pagination::NextUrl(names) => names.first().map(|name| code(name)),
        Pagination::AfterBefore => Some(code("after")),
        Pagination::Cursor { .. } => Some(code("cursor")),
    };
    facts.extend(paging.map(|name| ("Next page", format!("by {name}"))));
    let fallback = endpoint.quirks.fallback;
    facts.extend(
        fallback
            .map(|other| ("When refused, tries", code(&format!("{} {}", other.method.name(), other.path)))),
    );
    if !tool.extra.aliases.is_empty() {
        let names: Vec<String> = tool.extra.aliases.iter().map(|name| code(name)).collect();
        facts.push(("Also called", names.join(", ")));
    }
    facts
}

/// The annotations in words.
fn effect(effect: Effect) -> String {
    match effect {
        Effect::Read => "reads only".to_owned(),
        Effect::Create { verify_with } => {
            format!("creates; not repeated blindly, check with {}", code(verify_with))
        }
        Effect::Update => "changes; may be repeated".to_owned(),
        Effect::Delete => "deletes; may be repeated".to_owned(),
        Effect::Batch { verify_with } => {
            format!("creates, changes and deletes; not repeated blindly, check with {}", code(verify_with))
        }
    }
}

fn tokens(endpoint: &Endpoint) -> String {
    endpoint.tokens.iter().map(|kind| kind.name()).collect::<Vec<_>>().join(", ")
}

fn strings(value: Option<&Value>) -> Vec<&str> {
    value.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
}

fn code(text: &str) -> String {
    format!("`{text}`")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table;

    #[test]
    fn every_tool_is_in_the_tables() {
        let all = tools_markdown();
        for tool in table::tools() {
            assert!(all.contains(&format!("| `{}` |", tool.name)), "{}", tool.name);
        }
        assert_eq!(all.lines().filter(|line| line.starts_with("| `figma_")).count(), table::tools().count());
    }

    #[test]
    fn token_abilities_follow_the_rows() {
        let text = tokens_markdown();
        assert!(text.starts_with("| Toolset | Tools | Personal | Plan | OAuth |\n"), "{text}");
        assert!(text.contains("| files | 6 | all | all | all |"), "{text}");
        assert!(text.contains("| webhooks | 7 | all | all | all |"), "{text}");
        assert!(
            text.contains("| teams | 9 | 8, not `figma_folder_metadata_get` | 8, not `figma_me_get` | all |"),
            "{text}"
        );
    }

    #[test]
    fn one_tool_in_full_says_where_its_arguments_go() {
        let text = |name: &str| tool_markdown(table::find(name).unwrap());
        let hooks = text("figma_team_webhooks_list");
        assert!(hooks.contains("| `team_id` | string | yes | query as `context_id` |"), "{hooks}");
        let create = text("figma_dev_resource_update");
        assert!(create.contains("| `dev_resource_id` | string | no | body as `id` |"), "{create}");
        assert!(text("figma_file_get").contains("| `file_key` | string | yes | path |"));
        assert!(text("figma_me_get").contains("No arguments."));
    }
}
