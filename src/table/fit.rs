//! A value against its schema: made to fit where it can mean only one thing, refused with its path and
//! the problem where not. Pure.

use serde_json::Value;

use super::{
    args::Args,
    figma_url::{self, FigmaUrl},
};

/// Makes a value fit its schema, or says where and why it does not: (path, problem).
pub(super) fn fit(schema: &Value, value: &mut Value, path: &str) -> Result<(), (String, String)> {
    coerce(schema, value);
    let fail = |problem: String| Err((path.to_owned(), problem));
    let wanted = schema.get("type").and_then(Value::as_str).unwrap_or_default();
    let fits = match wanted {
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => true,
    };
    if !fits {
        return fail(format!("must be {}, not {}", type_name(wanted), brief(value)));
    }
    match value {
        Value::String(text) => fit_string(schema, text).or_else(fail),
        Value::Number(number) => fit_number(schema, number.as_f64().unwrap_or_default()).or_else(fail),
        Value::Array(items) => fit_list(schema, items, path),
        Value::Object(fields) => fit_object(schema, fields, path),
        _ => Ok(()),
    }
}

/// Accepts what can mean only one thing.
fn coerce(schema: &Value, value: &mut Value) {
    let wanted = schema.get("type").and_then(Value::as_str).unwrap_or_default();
    let is_identifier = identifier_format(schema).is_some();
    let better = match (wanted, &*value) {
        ("integer", Value::String(text)) => text.trim().parse::<i64>().ok().map(Value::from),
        ("integer", Value::Number(number)) => whole_number(number),
        ("number", Value::String(text)) => {
            text.trim().parse::<f64>().ok().filter(|n| n.is_finite()).map(Value::from)
        }
        ("boolean", Value::String(text)) => {
            text.trim().to_ascii_lowercase().parse::<bool>().ok().map(Value::from)
        }
        ("string", Value::Number(number)) if !number.is_f64() => Some(Value::from(number.to_string())),
        ("object" | "array", Value::String(text)) if text.trim_start().starts_with(['{', '[']) => {
            serde_json::from_str(text).ok()
        }
        ("array", Value::String(text)) => Some(split_list(text, is_identifier)),
        ("array", Value::Number(_) | Value::Object(_)) => Some(Value::Array(vec![value.clone()])),
        _ => None,
    };
    if let Some(better) = better {
        *value = better;
    }
    // A list of one inside the text, such as `"{\"x\":1}"` for a list of objects.
    if wanted == "array" && value.is_object() {
        *value = Value::Array(vec![value.take()]);
    }
}

/// `30.0` is 30; a fraction stays what it is.
fn whole_number(number: &serde_json::Number) -> Option<Value> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let float = number.as_f64().filter(|f| number.is_f64() && f.fract() == 0.0 && f.abs() <= EXACT)?;
    format!("{float:.0}").parse::<i64>().ok().map(Value::from)
}

/// `a,b` is a list of two. An address is one item even where it holds a comma.
fn split_list(text: &str, is_identifier: bool) -> Value {
    if is_identifier && FigmaUrl::parse(text).is_some_and(|parsed| parsed.is_ok()) {
        return Value::Array(vec![Value::from(text)]);
    }
    text.split(',').map(str::trim).filter(|item| !item.is_empty()).collect()
}

fn fit_string(schema: &Value, text: &mut String) -> Result<(), String> {
    if let Some(format) = identifier_format(schema) {
        let found = identifiers_in(format, text)?;
        let [one] = found.as_slice() else {
            return Err(format!("names {} of them; give one", found.len()));
        };
        text.clone_from(one);
    }
    if let Some(Value::Array(choices)) = schema.get("enum") {
        let choices: Vec<&str> = choices.iter().filter_map(Value::as_str).collect();
        match choices.iter().find(|choice| choice.eq_ignore_ascii_case(text)) {
            Some(choice) => (*choice).clone_into(text),
            None => {
                return Err(format!(
                    "must be one of {}, not {}{}",
                    quoted(&choices),
                    brief(&Value::from(text.as_str())),
                    did_you_mean(text, &choices)
                ));
            }
        }
    }
    let length = text.chars().count() as u64;
    match (schema.get("minLength").and_then(Value::as_u64), schema.get("maxLength").and_then(Value::as_u64)) {
        (Some(least), _) if length < least => Err(format!("must have at least {least} characters")),
        (_, Some(most)) if length > most => Err(format!("must have at most {most} characters, not {length}")),
        _ => Ok(()),
    }
}

fn fit_number(schema: &Value, number: f64) -> Result<(), String> {
    let bound = |name: &str| schema.get(name).and_then(Value::as_f64);
    match (bound("minimum"), bound("maximum")) {
        (Some(least), Some(most)) if number < least || number > most => {
            Err(format!("must be from {least} to {most}, not {number}"))
        }
        (Some(least), None) if number < least => Err(format!("must be at least {least}, not {number}")),
        (None, Some(most)) if number > most => Err(format!("must be at most {most}, not {number}")),
        _ => Ok(()),
    }
}

fn fit_list(schema: &Value, items: &mut Vec<Value>, path: &str) -> Result<(), (String, String)> {
    let item_schema = schema.get("items").unwrap_or(&Value::Null);
    if let Some(format) = identifier_format(item_schema) {
        // One address can name several nodes.
        let mut spread = Vec::with_capacity(items.len());
        for item in items.iter() {
            let text = item.as_str().map_or_else(|| item.to_string(), str::to_owned);
            let found = identifiers_in(format, &text).map_err(|problem| (path.to_owned(), problem))?;
            spread.extend(found.into_iter().map(Value::from));
        }
        spread.dedup();
        *items = spread;
    } else {
        for (index, item) in items.iter_mut().enumerate() {
            fit(item_schema, item, &format!("{path}[{index}]"))?;
        }
    }
    let count = items.len() as u64;
    match (schema.get("minItems").and_then(Value::as_u64), schema.get("maxItems").and_then(Value::as_u64)) {
        (Some(least), _) if count < least => {
            Err((path.to_owned(), format!("must have at least {least} item")))
        }
        (_, Some(most)) if count > most => {
            Err((path.to_owned(), format!("must have at most {most} items, not {count}")))
        }
        _ => Ok(()),
    }
}

fn fit_object(schema: &Value, fields: &mut Args, path: &str) -> Result<(), (String, String)> {
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else {
        return Ok(());
    };
    if let Some(name) = fields.keys().find(|name| !properties.contains_key(*name)) {
        return Err((format!("{path}.{name}"), unknown_name(name, properties)));
    }
    let required =
        schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    if let Some(name) = required.into_iter().find(|name| !fields.contains_key(*name)) {
        return Err((format!("{path}.{name}"), "is missing".to_owned()));
    }
    for (name, value) in fields.iter_mut() {
        let schema = properties.get(name).unwrap_or(&Value::Null);
        // Deeper down a null can be a value of its own, as for variables.
        if !value.is_null() {
            fit(schema, value, &format!("{path}.{name}"))?;
        }
    }
    Ok(())
}

/// What an identifier is where it is no address.
pub(super) fn plain_form(format: &str) -> &'static str {
    match format {
        "figma-file-key" | "figma-main-file-key" => {
            "a file key (letters and digits, from the file's address)"
        }
        "figma-node-id" => "a node id such as 1:2",
        "figma-comment-id" => "a comment id (digits)",
        "figma-context-id" => "the id of a file, project or team",
        "figma-library-key" => "a publish key (letters and digits)",
        "figma-id" => "an id as Figma lists it",
        _ => "an id (digits, from Figma's address)",
    }
}

/// Whether a text is one of these; nodes are read in another way.
fn is_plain(format: &str) -> fn(&str) -> bool {
    match format {
        "figma-file-key" | "figma-main-file-key" | "figma-context-id" | "figma-library-key" => {
            figma_url::is_key
        }
        "figma-id" => figma_url::is_id,
        _ => figma_url::is_number,
    }
}

/// What an identifier's text names, in the API's form. Several only for nodes.
pub(super) fn identifiers_in(format: &str, text: &str) -> Result<Vec<String>, String> {
    let text = text.trim();
    let address = match FigmaUrl::parse(text) {
        Some(Err(problem)) => return Err(problem.to_string()),
        Some(Ok(address)) => Some(address),
        None => None,
    };
    let (what, found) = match (format, address) {
        ("figma-file-key", Some(url)) => ("a file", url.readable_key().map(str::to_owned)),
        ("figma-main-file-key", Some(url)) => ("a file", url.file_key),
        ("figma-node-id", Some(url)) if !url.node_ids.is_empty() => return Ok(url.node_ids),
        ("figma-node-id", None) => (plain_form(format), figma_url::node_id(text)),
        ("figma-node-id", Some(_)) => ("a node (`node-id=…`)", None),
        ("figma-team-id", Some(url)) => ("a team", url.team_id),
        ("figma-project-id", Some(url)) => ("a project", url.project_id),
        ("figma-comment-id", Some(url)) => ("a comment (`#…`)", url.comment_id),
        ("figma-context-id", Some(url)) => {
            ("a file, project or team", url.file_key.or(url.project_id).or(url.team_id))
        }
        (_, None) => (plain_form(format), is_plain(format)(text).then(|| text.to_owned())),
        (_, Some(_)) => ("anything usable here", None),
    };
    let is_address = FigmaUrl::parse(text).is_some();
    found.map(|one| vec![one]).ok_or_else(|| {
        if is_address {
            format!("is an address that does not name {what}")
        } else {
            format!("must be {what} or a Figma address, not {}", brief(&Value::from(text)))
        }
    })
}

pub(super) fn identifier_format(schema: &Value) -> Option<&str> {
    let own = schema.get("format").or_else(|| schema.get("items")?.get("format"))?;
    own.as_str()
}

pub(super) fn unknown_name(name: &str, properties: &Args) -> String {
    let names: Vec<&str> = properties.keys().map(String::as_str).collect();
    if names.is_empty() {
        return "is not known; this tool takes no arguments".to_owned();
    }
    format!("is not known{}; the arguments are {}", did_you_mean(name, &names), names.join(", "))
}

/// `; did you mean …?` where one of the names is near.
fn did_you_mean(given: &str, names: &[&str]) -> String {
    nearest(given, names).map_or_else(String::new, |near| format!("; did you mean `{near}`?"))
}

/// The nearest of these names, if any is near at all. Case and underscores do not count.
#[must_use]
pub fn nearest<'a>(given: &str, names: &[&'a str]) -> Option<&'a str> {
    const NEAR: f64 = 0.82;
    let plain = |name: &str| name.to_ascii_lowercase().replace(['_', '-'], "");
    let given = plain(given);
    let scored = names.iter().map(|name| (strsim::jaro_winkler(&given, &plain(name)), *name));
    scored.filter(|(score, _)| *score >= NEAR).max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, name)| name)
}

pub(super) fn quoted(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

fn type_name(wanted: &str) -> &'static str {
    match wanted {
        "integer" => "a whole number",
        "number" => "a number",
        "boolean" => "true or false",
        "string" => "a text",
        "array" => "a list",
        _ => "an object",
    }
}

/// A value as it is quoted in a message.
fn brief(value: &Value) -> String {
    match value {
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
        other => {
            let text = other.to_string();
            if text.chars().count() > 60 { text.chars().take(60).collect::<String>() + "…" } else { text }
        }
    }
}
