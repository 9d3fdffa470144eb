//! Interactions as arrows, and where flows start.

use serde_json::Value;

use super::{paint::clean, raw, words};

/// `interactions`, each as `click → 2:2 navigate smart-animate 300ms ease-out`. `legacy` is the
/// destination that older members name: some answers name none in the action itself.
pub(super) fn interactions(list: &Value, legacy: Option<&str>) -> String {
    let shown: Vec<String> = list
        .as_array()
        .map_or(&[][..], Vec::as_slice)
        .iter()
        .map(|interaction| {
            let actions: Vec<String> = raw::list(interaction, "actions")
                .iter()
                .filter(|action| !action.is_null())
                .map(|action| action_words(action, legacy, 0))
                .collect();
            format!(
                "{} → {}",
                trigger(interaction.get("trigger").unwrap_or(&Value::Null)),
                actions.join(" then ")
            )
        })
        .collect();
    shown.join("; ")
}

/// What older answers say instead of interactions: only where it leads.
pub(super) fn transition(destination: &str) -> String {
    format!("click → {}", clean(destination))
}

fn trigger(trigger: &Value) -> String {
    let kind = raw::text(trigger, "type").unwrap_or("ON_CLICK");
    let mut out = match kind {
        "ON_CLICK" => "click".to_owned(),
        "AFTER_TIMEOUT" => "after".to_owned(),
        "ON_KEY_DOWN" => "key".to_owned(),
        kind => words::lower(kind.strip_prefix("ON_").unwrap_or(kind)),
    };
    if kind == "AFTER_TIMEOUT" {
        out.push_str(&format!(" {}", milliseconds(raw::float(trigger, "timeout").unwrap_or(0.0))));
    } else if let Some(delay) = raw::float(trigger, "delay").filter(|delay| *delay > 0.0) {
        out.push_str(&format!(" after {}", milliseconds(delay)));
    }
    let codes: Vec<String> = raw::list(trigger, "keyCodes").iter().map(Value::to_string).collect();
    if !codes.is_empty() {
        out.push_str(&format!(" {}", codes.join("+")));
    }
    if let Some(time) = raw::float(trigger, "mediaHitTime") {
        out.push_str(&format!(" at {}", milliseconds(time)));
    }
    out
}

/// Figma counts seconds.
fn milliseconds(seconds: f64) -> String {
    format!("{}ms", (seconds * 1000.0).round())
}

/// Conditions can hold further actions: three levels of them are written out.
fn action_words(action: &Value, legacy: Option<&str>, depth: usize) -> String {
    let id = |name: &str| raw::text(action, name).map(clean);
    match raw::text(action, "type").unwrap_or_default() {
        "NODE" => {
            let target =
                id("destinationId").or_else(|| legacy.map(clean)).unwrap_or_else(|| "nowhere".to_owned());
            let mut out =
                format!("{target} {}", words::lower(raw::text(action, "navigation").unwrap_or("NAVIGATE")));
            out.push_str(&transition_words(action.get("transition").unwrap_or(&Value::Null)));
            if action.get("preserveScrollPosition") == Some(&Value::Bool(true)) {
                out.push_str(" keep-scroll");
            }
            if let Some(offset) = action.get("overlayRelativePosition").filter(|offset| !offset.is_null()) {
                let axis = |name| raw::float(offset, name).unwrap_or(0.0).round();
                out.push_str(&format!(" at {},{}", axis("x"), axis("y")));
            }
            out
        }
        "URL" => {
            let new_tab = action.get("openInNewTab") == Some(&Value::Bool(true));
            let url = words::quoted(raw::text(action, "url").unwrap_or_default());
            format!("{url}{}", if new_tab { " in a new tab" } else { "" })
        }
        "BACK" => "back".to_owned(),
        "CLOSE" => "close overlay".to_owned(),
        "SET_VARIABLE" => {
            let variable = id("variableId").unwrap_or_default();
            let value = action.get("variableValue").map(|value| value.get("value").unwrap_or(value));
            let value = value.map_or_else(|| "?".to_owned(), super::paint::other);
            format!("set {}= {value}", super::variables::mark(&variable))
        }
        "SET_VARIABLE_MODE" => format!(
            "mode {} = {}",
            id("variableCollectionId").unwrap_or_default(),
            id("variableModeId").unwrap_or_default()
        ),
        "CONDITIONAL" if depth < 3 => conditional(action, legacy, depth),
        "UPDATE_MEDIA_RUNTIME" => format!(
            "{} {}",
            words::lower(raw::text(action, "mediaAction").unwrap_or("media")),
            id("destinationId").unwrap_or_default()
        ),
        kind => format!("{} {}", words::lower(kind), super::paint::other(action)),
    }
}

fn conditional(action: &Value, legacy: Option<&str>, depth: usize) -> String {
    let blocks: Vec<String> = raw::list(action, "conditionalBlocks")
        .iter()
        .map(|block| {
            let condition = match block.get("condition").filter(|condition| !condition.is_null()) {
                Some(condition) => format!("if {}", condition_words(condition, 0)),
                None => "else".to_owned(),
            };
            let actions: Vec<String> = raw::list(block, "actions")
                .iter()
                .map(|action| action_words(action, legacy, depth + 1))
                .collect();
            format!("{condition} {{{}}}", actions.join(" then "))
        })
        .collect();
    blocks.join(" ")
}

/// A condition is a tree of expressions over variables and values.
fn condition_words(condition: &Value, depth: usize) -> String {
    let value = condition.get("value").unwrap_or(condition);
    if depth < 4
        && let Some(function) = raw::text(value, "expressionFunction")
    {
        let parts: Vec<String> = raw::list(value, "expressionArguments")
            .iter()
            .map(|part| condition_words(part, depth + 1))
            .collect();
        return format!("({})", parts.join(&format!(" {} ", words::lower(function))));
    }
    match raw::text(value, "id") {
        Some(id) => super::variables::mark(&clean(id)),
        None => super::paint::other(value),
    }
}

fn transition_words(transition: &Value) -> String {
    let Some(kind) = raw::text(transition, "type") else { return String::new() };
    let mut out = format!(" {}", words::lower(kind));
    if let Some(direction) = raw::text(transition, "direction") {
        out.push_str(&format!(" {}", words::lower(direction)));
    }
    if let Some(duration) = raw::float(transition, "duration") {
        out.push_str(&format!(" {}", milliseconds(duration)));
    }
    let easing = transition.get("easing").and_then(|easing| raw::text(easing, "type")).unwrap_or("LINEAR");
    if easing != "LINEAR" {
        out.push_str(&format!(" {}", words::lower(easing)));
    }
    out
}

/// `flowStartingPoints`, `prototypeStartNodeID` of a page.
pub(super) fn flows(list: &Value) -> String {
    let shown: Vec<String> = list
        .as_array()
        .map_or(&[][..], Vec::as_slice)
        .iter()
        .map(|flow| {
            let node = clean(raw::text(flow, "nodeId").unwrap_or("?"));
            format!("flow {} starts at {node}", words::quoted(raw::text(flow, "name").unwrap_or_default()))
        })
        .collect();
    shown.join("; ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn interactions_are_arrows() {
        let list = json!([
            { "trigger": { "type": "ON_CLICK" }, "actions": [{ "type": "NODE", "destinationId": "12:34", "navigation": "NAVIGATE",
                "transition": { "type": "SMART_ANIMATE", "duration": 0.3, "easing": { "type": "EASE_OUT" } } }] },
            { "trigger": { "type": "AFTER_TIMEOUT", "timeout": 0.8 }, "actions": [{ "type": "BACK" }] },
            { "trigger": { "type": "ON_HOVER" }, "actions": [{ "type": "URL", "url": "https://example.com" }, { "type": "TELEPORT" }] },
        ]);
        assert_eq!(
            interactions(&list, None),
            "click → 12:34 navigate smart-animate 300ms ease-out; after 800ms → back; hover → \"https://example.com\" then teleport {\"type\":\"TELEPORT\"}"
        );
    }

    #[test]
    fn an_action_without_destination_takes_the_older_member() {
        let list = json!([{ "trigger": { "type": "ON_CLICK" }, "actions": [{ "type": "NODE", "destinationId": null, "navigation": "NAVIGATE", "transition": null }] }]);
        assert_eq!(interactions(&list, Some("281:14763")), "click → 281:14763 navigate");
    }

    #[test]
    fn conditions_are_read() {
        let list = json!([{ "trigger": { "type": "ON_CLICK" }, "actions": [{ "type": "CONDITIONAL", "conditionalBlocks": [
            { "condition": { "type": "EXPRESSION", "value": { "expressionFunction": "EQUALS", "expressionArguments": [
                { "type": "VARIABLE_ALIAS", "value": { "type": "VARIABLE_ALIAS", "id": "VariableID:1:2" } }, { "type": "BOOLEAN", "value": true } ] } },
              "actions": [{ "type": "CLOSE" }] },
            { "actions": [{ "type": "BACK" }] } ] }] }]);
        assert_eq!(
            interactions(&list, None),
            "click → if (\u{1}VariableID:1:2\u{2} equals true) {close overlay} else {back}"
        );
    }
}
