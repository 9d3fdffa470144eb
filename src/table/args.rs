//! Arguments: from what a model sent to what Figma's API wants.
//!
//! A row declares its arguments as a struct; its schema drives everything here. What can mean only one
//! thing is accepted (`"2"` for 2, an address for a file key), everything else is refused with the
//! argument's name, what is wrong, the near miss and the valid names.

use schemars::{JsonSchema, Schema, generate::SchemaSettings, transform::RecursiveTransform};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use super::{
    figma_url::{self, FigmaUrl},
    row::{Rule, Tool},
};
use crate::error::{Error, Result};

/// Arguments by name.
pub type Args = Map<String, Value>;

/// What a row's argument struct is used for, as plain function pointers: the struct itself is
/// compiled once and forgotten.
#[derive(Debug, Clone, Copy)]
pub struct Input {
    /// The JSON schema by the names that callers use.
    pub schema: fn() -> Args,
    /// The JSON schema by the names that Figma uses.
    pub wire_schema: fn() -> Args,
    to_wire: fn(Value) -> serde_json::Result<Value>,
}

/// The input of a row, from its argument struct.
#[must_use]
pub const fn input<A: JsonSchema + Serialize + DeserializeOwned>() -> Input {
    Input { schema: schema::<A>, wire_schema: wire_schema::<A>, to_wire: to_wire::<A> }
}

/// The arguments of a tool that takes none.
#[derive(Serialize, Deserialize, JsonSchema)]
pub struct NoArgs {}

/// What the person who started the server configured in place of arguments.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Defaults {
    /// The team that is meant where none is given.
    pub team_id: Option<String>,
}

macro_rules! identifiers {
    ($($(#[doc = $doc:literal])+ $name:ident = $format:literal,)*) => {
        $($(#[doc = $doc])+
        #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
        #[serde(transparent)]
        #[schemars(extend("format" = $format))]
        pub struct $name(String);)*
    };
}

// Their doc comments are the descriptions that models read, so that dozens of rows share one wording.
identifiers! {
    /// File or branch key, or URL.
    FileKey = "figma-file-key",
    /// Main file's key (no branch), or URL.
    MainFileKey = "figma-main-file-key",
    /// Node id (`1:2`), or URL.
    NodeId = "figma-node-id",
    /// Team id, or URL.
    TeamId = "figma-team-id",
    /// Project (folder) id, or URL.
    ProjectId = "figma-project-id",
    /// Comment id.
    CommentId = "figma-comment-id",
    /// Id of that team, project or file, or URL.
    ContextId = "figma-context-id",
    /// Folder (project) id, or URL.
    FolderId = "figma-project-id",
    /// Publish key (40 hex digits), not a node id.
    LibraryKey = "figma-library-key",
    /// Webhook id.
    WebhookId = "figma-id",
    /// Dev resource id.
    DevResourceId = "figma-id",
}

/// Node ids (`1:2`) or URLs.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct NodeIds(#[schemars(length(min = 1))] Vec<NodeId>);

impl Input {
    /// Checks what was sent against the row and returns it by Figma's own names, ready to be sent.
    ///
    /// # Errors
    /// [`Error::BadArgument`], with the argument's name and what is wrong with it.
    pub fn check(&self, tool: &'static Tool, mut given: Args, defaults: &Defaults) -> Result<Args> {
        let schema = (self.schema)();
        let properties = object_at(&schema, "properties");
        if let Some(adapt) = tool.extra.adapt {
            adapt(&mut given);
        }
        rename_aliases(tool, &mut given);
        given.retain(|_, value| !value.is_null());
        refuse_unknown(tool, &properties, &given)?;

        let required = names_at(&schema, "required");
        let wanted = wanted_names(tool, &required);
        fill_from_urls(&properties, &wanted, &mut given);
        fill_from_defaults(&properties, &wanted, &mut given, defaults);
        if let Some(name) = required.iter().find(|name| !given.contains_key(**name)) {
            return Err(Error::bad_argument(
                tool.name,
                name,
                format!("is missing; {}", describe(&properties, name)),
            ));
        }

        for (name, value) in &mut given {
            let schema = properties.get(name).unwrap_or(&Value::Null);
            fit(schema, value, name)
                .map_err(|(path, problem)| Error::bad_argument(tool.name, &path, problem))?;
        }
        for rule in tool.extra.rules {
            rule.check(&given)
                .map_err(|(argument, problem)| Error::bad_argument(tool.name, argument, problem))?;
        }
        let checked = (self.to_wire)(Value::Object(given))
            .map_err(|error| Error::bad_argument(tool.name, "", error.to_string()))?;
        let Value::Object(mut checked) = checked else {
            return Err(Error::Bug { problem: format!("the arguments of {} are no object", tool.name) });
        };
        checked.retain(|_, value| !value.is_null());
        Ok(checked)
    }
}

impl Rule {
    fn check(&self, given: &Args) -> Result<(), (&'static str, String)> {
        let has = |name: &&str| given.contains_key(*name);
        match self {
            Self::OneOf(groups) => {
                let is_whole = |group: &&&[&str]| group.iter().all(has);
                let whole: Vec<_> = groups.iter().filter(is_whole).collect();
                let strays = |group: &[&str]| {
                    groups.iter().copied().flatten().any(|name| has(name) && !group.contains(name))
                };
                match whole.as_slice() {
                    [group] if !strays(group) => Ok(()),
                    _ => Err(("", format!("give exactly one of: {}", list_groups(groups)))),
                }
            }
            Self::AnyOf(names) if !names.iter().any(has) => {
                Err(("", format!("give at least one of {}", quoted(names))))
            }
            Self::AtMostOne(names) if names.iter().filter(|name| has(name)).count() > 1 => {
                Err(("", format!("give only one of {}", quoted(names))))
            }
            Self::Needs(name, other) if has(name) && !has(other) => {
                Err((name, format!("is only allowed together with `{other}`")))
            }
            Self::Check(check) => check(given),
            Self::AnyOf(_) | Self::AtMostOne(_) | Self::Needs(..) => Ok(()),
        }
    }
}

/// The published form of a schema: what [`schema`] adds for our own use is taken out again, and so is
/// what not every client knows. Unknown names are refused by us rather than by the client, which would
/// refuse the other spellings that we accept.
pub(super) fn publish(schema: &mut Value) {
    let Value::Object(fields) = schema else { return };
    for name in ["format", "minLength", "maxLength"] {
        fields.shift_remove(name);
    }
    if fields.get("additionalProperties") == Some(&Value::Bool(false)) {
        fields.shift_remove("additionalProperties");
    }
    if fields.get("minimum").and_then(Value::as_u64) == Some(0) {
        fields.shift_remove("minimum");
    }
    let is_described = fields.contains_key("description");
    if let Some(items) = fields.get_mut("items") {
        publish(items);
        // What a list is for says what its items are.
        if let Some(items) = items.as_object_mut().filter(|_| is_described) {
            items.shift_remove("description");
        }
    }
    // The names of properties are not keywords: an argument may be called `format`.
    if let Some(Value::Object(properties)) = fields.get_mut("properties") {
        properties.values_mut().for_each(publish);
    }
}

fn schema<A: JsonSchema>() -> Args {
    schema_of::<A>(SchemaSettings::draft2020_12().for_deserialize())
}

fn wire_schema<A: JsonSchema>() -> Args {
    schema_of::<A>(SchemaSettings::draft2020_12().for_serialize())
}

fn schema_of<A: JsonSchema>(settings: SchemaSettings) -> Args {
    let schema = settings
        .with(|settings| {
            settings.inline_subschemas = true;
            settings.meta_schema = None;
        })
        .with_transform(RecursiveTransform(simplify))
        .into_generator()
        .into_root_schema_for::<A>();
    let mut fields = match schema.to_value() {
        Value::Object(fields) => fields,
        _ => Args::new(),
    };
    fields.remove("description");
    fields.entry("properties").or_insert_with(|| Value::Object(Map::new()));
    fields
}

/// Optional means absent, never null; titles and Rust's number formats mean nothing to a model; an
/// object has the properties that it lists and no others.
fn simplify(schema: &mut Schema) {
    schema.remove("title");
    if !schema.get("format").and_then(Value::as_str).is_some_and(|format| format.starts_with("figma-")) {
        schema.remove("format");
    }
    if let Some(Value::Array(types)) = schema.get_mut("type") {
        types.retain(|name| name != "null");
        if let [one] = types.as_slice() {
            let one = one.clone();
            schema.insert("type".to_owned(), one);
        }
    }
    if let Some(Value::Array(choices)) = schema.get_mut("enum") {
        choices.retain(|choice| !choice.is_null());
    }
    if schema.get("properties").is_some() || schema.get("type").is_some_and(|name| name == "object") {
        schema.ensure_object().entry("additionalProperties").or_insert(Value::Bool(false));
    }
}

fn to_wire<A: Serialize + DeserializeOwned>(given: Value) -> serde_json::Result<Value> {
    serde_json::to_value(serde_json::from_value::<A>(given)?)
}

fn rename_aliases(tool: &Tool, given: &mut Args) {
    for (theirs, ours) in tool.extra.argument_aliases {
        if let Some(value) = given.remove(*theirs) {
            given.entry(*ours).or_insert(value);
        }
    }
    for name in tool.extra.ignored_arguments {
        given.remove(*name);
    }
}

fn refuse_unknown(tool: &Tool, properties: &Args, given: &Args) -> Result<()> {
    let unknown = given.keys().find(|name| !properties.contains_key(*name));
    unknown.map_or(Ok(()), |name| Err(Error::bad_argument(tool.name, name, unknown_name(name, properties))))
}

/// The names that must be given: the required ones, and those that a rule asks for.
fn wanted_names<'a>(tool: &Tool, required: &[&'a str]) -> Vec<&'a str> {
    let grouped = tool.extra.rules.iter().flat_map(|rule| match rule {
        Rule::OneOf(groups) => groups.concat(),
        _ => Vec::new(),
    });
    required.iter().copied().chain(grouped).collect()
}

/// An address given for one argument also says what others are missing: the file of a node, the node
/// of a file's address. Optional arguments are left alone.
fn fill_from_urls(properties: &Args, wanted: &[&str], given: &mut Args) {
    let is_identifier = |name: &str| properties.get(name).and_then(identifier_format).is_some();
    let addresses: Vec<String> = given
        .iter()
        .filter(|(name, _)| is_identifier(name))
        .flat_map(|(_, value)| strings_in(value))
        .filter(|text| matches!(FigmaUrl::parse(text), Some(Ok(_))))
        .map(str::to_owned)
        .collect();
    for name in wanted.iter().filter(|name| !given.contains_key(**name)).copied().collect::<Vec<_>>() {
        let Some(format) = properties.get(name).and_then(identifier_format) else { continue };
        if let Some(address) = addresses.iter().find(|address| identifiers_in(format, address).is_ok()) {
            given.insert(name.to_owned(), Value::from(address.as_str()));
        }
    }
}

fn fill_from_defaults(properties: &Args, wanted: &[&str], given: &mut Args, defaults: &Defaults) {
    let Some(team_id) = &defaults.team_id else { return };
    for name in wanted {
        if properties.get(*name).and_then(identifier_format) == Some("figma-team-id") {
            given.entry(*name).or_insert_with(|| Value::from(team_id.as_str()));
        }
    }
}

/// Makes a value fit its schema, or says where and why it does not: (path, problem).
fn fit(schema: &Value, value: &mut Value, path: &str) -> Result<(), (String, String)> {
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

/// What an identifier's text names, in the API's form. Several only for nodes.
fn identifiers_in(format: &str, text: &str) -> Result<Vec<String>, String> {
    let text = text.trim();
    let address = match FigmaUrl::parse(text) {
        Some(Err(problem)) => return Err(problem.to_string()),
        Some(Ok(address)) => Some(address),
        None => None,
    };
    let plain = |is_valid: fn(&str) -> bool| is_valid(text).then(|| text.to_owned());
    let (what, found) = match (format, address) {
        ("figma-file-key", Some(url)) => ("a file", url.readable_key().map(str::to_owned)),
        ("figma-main-file-key", Some(url)) => ("a file", url.file_key),
        ("figma-file-key" | "figma-main-file-key", None) => {
            ("a file key (letters and digits, from the file's address)", plain(figma_url::is_key))
        }
        ("figma-node-id", Some(url)) if !url.node_ids.is_empty() => return Ok(url.node_ids),
        ("figma-node-id", None) => ("a node id such as 1:2", figma_url::node_id(text)),
        ("figma-node-id", Some(_)) => ("a node (`node-id=…`)", None),
        ("figma-team-id", Some(url)) => ("a team", url.team_id),
        ("figma-project-id", Some(url)) => ("a project", url.project_id),
        ("figma-comment-id", Some(url)) => ("a comment (`#…`)", url.comment_id),
        ("figma-comment-id", None) => ("a comment id (digits)", plain(figma_url::is_number)),
        ("figma-context-id", Some(url)) => {
            ("a file, project or team", url.file_key.or(url.project_id).or(url.team_id))
        }
        ("figma-context-id", None) => ("the id of a file, project or team", plain(figma_url::is_key)),
        ("figma-library-key", None) => ("a publish key (letters and digits)", plain(figma_url::is_key)),
        ("figma-id", None) => ("an id as Figma lists it", plain(figma_url::is_id)),
        (_, None) => ("an id (digits, from Figma's address)", plain(figma_url::is_number)),
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

fn identifier_format(schema: &Value) -> Option<&str> {
    let own = schema.get("format").or_else(|| schema.get("items")?.get("format"))?;
    own.as_str()
}

fn unknown_name(name: &str, properties: &Args) -> String {
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

/// What a caller is told of a missing argument.
fn describe(properties: &Args, name: &str) -> String {
    let schema = properties.get(name);
    let text = schema.and_then(|schema| schema.get("description")).and_then(Value::as_str);
    text.map_or_else(
        || "this tool needs it".to_owned(),
        |text| format!("it is: {}", text.trim_end_matches('.')),
    )
}

fn list_groups(groups: &[&[&str]]) -> String {
    groups
        .iter()
        .map(|group| group.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" with "))
        .collect::<Vec<_>>()
        .join("; ")
}

fn quoted(names: &[&str]) -> String {
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

fn strings_in(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(items) => items.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

fn object_at(schema: &Args, name: &str) -> Args {
    schema.get(name).and_then(Value::as_object).cloned().unwrap_or_default()
}

fn names_at<'a>(schema: &'a Args, name: &str) -> Vec<&'a str> {
    schema.get(name).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::table;

    fn checked(tool: &str, given: &Value) -> Result<Value> {
        let tool = table::find(tool).unwrap();
        let given = given.as_object().unwrap().clone();
        tool.input.check(tool, given, &Defaults::default()).map(Value::Object)
    }

    #[test]
    fn what_can_mean_one_thing_is_accepted() {
        let key = "AbCdEfGhIjKlMnOpQrStUv";
        let url = format!("https://www.figma.com/design/{key}/x?node-id=1-2");
        let cases = [
            (json!({"file_key": key, "ids": "1-2, 3:4"}), json!({"file_key": key, "ids": ["1:2", "3:4"]})),
            (
                json!({"file_key": key, "ids": ["1%3A2"], "depth": "2"}),
                json!({"file_key": key, "ids": ["1:2"], "depth": 2}),
            ),
            (
                json!({"file_key": key, "ids": "[\"1:2\"]", "depth": 3.0}),
                json!({"file_key": key, "ids": ["1:2"], "depth": 3}),
            ),
            (
                json!({"file_key": url, "geometry": "PATHS"}),
                json!({"file_key": key, "ids": ["1:2"], "geometry": "paths"}),
            ),
            (
                json!({"ids": url, "version": 12, "depth": null}),
                json!({"file_key": key, "ids": ["1:2"], "version": "12"}),
            ),
        ];
        for (given, expected) in cases {
            assert_eq!(checked("figma_file_nodes_get", &given), Ok(expected), "{given}");
        }
    }

    #[test]
    fn everything_else_is_refused_by_name() {
        let key = "AbCdEfGhIjKlMnOpQrStUv";
        let cases = [
            (
                json!({"fileKey": key}),
                "argument `fileKey` is not known; did you mean `file_key`? the arguments are",
            ),
            (json!({"file_key": key}), "argument `ids` is missing"),
            (
                json!({"file_key": key, "ids": "abc"}),
                "argument `ids` must be a node id such as 1:2 or a Figma address, not \"abc\"",
            ),
            (json!({"file_key": key, "ids": []}), "argument `ids` must have at least 1 item"),
            (
                json!({"file_key": key, "ids": "1:2", "depth": "two"}),
                "argument `depth` must be a whole number, not \"two\"",
            ),
            (
                json!({"file_key": key, "ids": "1:2", "depth": 0}),
                "argument `depth` must be at least 1, not 0",
            ),
            (
                json!({"file_key": key, "ids": "1:2", "depth": 1.5}),
                "argument `depth` must be a whole number, not 1.5",
            ),
            (
                json!({"file_key": key, "ids": "1:2", "geometry": "path"}),
                "argument `geometry` must be one of `paths`, not \"path\"; did you mean `paths`?",
            ),
            (
                json!({"file_key": "https://example.com/design/x", "ids": "1:2"}),
                "argument `file_key` is not an address of figma.com",
            ),
            (
                json!({"file_key": "https://www.figma.com/community/file/1", "ids": "1:2"}),
                "argument `file_key` is a Community page",
            ),
            (json!({"file_key": "my file", "ids": "1:2"}), "argument `file_key` must be a file key"),
        ];
        for (given, expected) in cases {
            let error = checked("figma_file_nodes_get", &given).unwrap_err().to_string();
            let expected = expected.replace("? the", "?; the");
            assert!(error.starts_with(&expected), "{given}\n  expected {expected}\n       got {error}");
        }
    }
}
