//! Arguments: from what a model sent to what Figma's API wants.
//!
//! A row declares its arguments as a struct; its schema drives everything here. What can mean only one
//! thing is accepted (`"2"` for 2, an address for a file key), everything else is refused with the
//! argument's name, what is wrong, the near miss and the valid names.

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock, PoisonError, RwLock},
};

use foldhash::fast::RandomState;
use schemars::{JsonSchema, Schema, generate::SchemaSettings, transform::RecursiveTransform};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

pub use super::fit::nearest;
use super::{
    figma_url::FigmaUrl,
    fit::{fit, identifier_format, identifiers_in, plain_form, quoted, unknown_name},
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
    /// Or URL.
    FileKey = "figma-file-key",
    /// Main file.
    MainFileKey = "figma-main-file-key",
    /// 1:2 or URL.
    NodeId = "figma-node-id",
    /// Or URL.
    TeamId = "figma-team-id",
    /// Id or URL.
    ProjectId = "figma-project-id",
    /// Comment id.
    CommentId = "figma-comment-id",
    /// Its id or URL.
    ContextId = "figma-context-id",
    /// Id or URL.
    FolderId = "figma-project-id",
    /// Publish key.
    LibraryKey = "figma-library-key",
    /// Webhook id.
    WebhookId = "figma-id",
    /// Dev resource id.
    DevResourceId = "figma-id",
}

/// 1:2 or URLs.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct NodeIds(#[schemars(length(min = 1))] Vec<NodeId>);

impl Input {
    /// Checks what was sent against the row and returns it by Figma's own names, ready to be sent.
    ///
    /// # Errors
    /// [`Error::BadArgument`], with the argument's name and what is wrong with it.
    pub fn check(&self, tool: &'static Tool, mut given: Args, defaults: &Defaults) -> Result<Args> {
        let Known { properties, required } = &*self.known(tool);
        if let Some(adapt) = tool.extra.adapt {
            adapt(&mut given);
        }
        rename_aliases(tool, &mut given);
        given.retain(|_, value| !value.is_null());
        refuse_unknown(tool, properties, &given)?;

        let wanted = wanted_names(tool, required, &given);
        fill_from_urls(properties, &wanted, &mut given);
        fill_from_defaults(properties, &wanted, &mut given, defaults);
        if let Some(name) = required.iter().find(|name| !given.contains_key(*name)) {
            return Err(Error::bad_argument(
                tool.name,
                name,
                format!("is missing; {}", describe(properties, name)),
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

    /// What every call is checked against, by the names that callers use: made once for each tool.
    fn known(&self, tool: &'static Tool) -> Arc<Known> {
        static KNOWN: LazyLock<RwLock<HashMap<usize, Arc<Known>, RandomState>>> =
            LazyLock::new(RwLock::default);
        let row = std::ptr::from_ref(tool).addr();
        if let Some(known) = KNOWN.read().unwrap_or_else(PoisonError::into_inner).get(&row) {
            return known.clone();
        }
        let known = Arc::new(Known::of((self.schema)()));
        KNOWN.write().unwrap_or_else(PoisonError::into_inner).insert(row, known.clone());
        known
    }
}

/// What a schema says of the arguments.
struct Known {
    properties: Args,
    required: Vec<String>,
}

impl Known {
    fn of(mut schema: Args) -> Self {
        let properties = match schema.remove("properties") {
            Some(Value::Object(properties)) => properties,
            _ => Args::new(),
        };
        let required = schema.get("required").and_then(Value::as_array).into_iter().flatten();
        let required = required.filter_map(Value::as_str).map(str::to_owned).collect();
        Self { properties, required }
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
    if fields.get("additionalProperties").is_some_and(Value::is_boolean) {
        fields.shift_remove("additionalProperties");
    }
    // Bounds that nobody would go below go without saying; what is less is refused all the same.
    for name in ["minimum", "minItems"] {
        if fields.get(name).and_then(Value::as_f64).is_some_and(|least| least <= 1.0) {
            fields.shift_remove(name);
        }
    }
    let is_described = fields.contains_key("description");
    if let Some(items) = fields.get_mut("items") {
        publish(items);
        // What a list is for says what its items are.
        if let Some(items) = items.as_object_mut().filter(|_| is_described) {
            items.shift_remove("description");
        }
    }
    if let Some(Value::Array(choices)) = fields.get_mut("anyOf") {
        choices.iter_mut().for_each(publish);
    }
    // The names of properties are not keywords: an argument may be called `format`.
    if let Some(Value::Object(properties)) = fields.get_mut("properties") {
        properties.values_mut().for_each(publish);
        say_once(properties);
        properties.values_mut().for_each(say_above);
    }
    // In this order a listing costs a model the fewest tokens.
    for name in ["type", "description"] {
        if let Some(value) = fields.shift_remove(name) {
            fields.shift_insert(0, name.to_owned(), value);
        }
    }
}

/// An argument whose description names its fields has said what they are.
fn say_above(schema: &mut Value) {
    let Some(text) = schema.get("description").and_then(Value::as_str).map(str::to_owned) else { return };
    let fields = schema.get_mut("properties").and_then(Value::as_object_mut).into_iter().flatten();
    let ends_word = |c: char| !(c.is_alphanumeric() || c == '_');
    for (name, field) in fields {
        let is_named = text.split(ends_word).any(|word| word == name.as_str());
        if let Some(field) = field.as_object_mut().filter(|_| is_named) {
            field.shift_remove("description");
        }
    }
}

/// A list of what the arguments beside it give once: they have said what its fields are.
fn say_once(properties: &mut Args) {
    let said: Vec<(String, Value)> = properties
        .iter()
        .filter_map(|(name, schema)| Some((name.clone(), schema.get("description")?.clone())))
        .collect();
    for schema in properties.values_mut() {
        let Some(Value::Object(fields)) = schema.pointer_mut("/items/properties") else { continue };
        for (name, text) in &said {
            if let Some(Value::Object(field)) = fields.get_mut(name)
                && field.get("description") == Some(text)
            {
                field.shift_remove("description");
            }
        }
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
fn wanted_names<'a>(tool: &Tool, required: &'a [String], given: &Args) -> Vec<&'a str> {
    let grouped = tool.extra.rules.iter().flat_map(|rule| match rule {
        Rule::OneOf(groups) => groups.concat(),
        Rule::AnyOf(names) if !names.iter().any(|name| given.contains_key(*name)) => names.to_vec(),
        _ => Vec::new(),
    });
    required.iter().map(String::as_str).chain(grouped).collect()
}

/// An address given for one argument also says what others are missing: the file of a node, the node
/// of a file's address. Optional arguments are left alone.
fn fill_from_urls(properties: &Args, wanted: &[&str], given: &mut Args) {
    let missing: Vec<&str> = wanted.iter().copied().filter(|name| !given.contains_key(*name)).collect();
    if missing.is_empty() {
        return;
    }
    let is_identifier = |name: &str| properties.get(name).and_then(identifier_format).is_some();
    let addresses: Vec<String> = given
        .iter()
        .filter(|(name, _)| is_identifier(name))
        .flat_map(|(_, value)| strings_in(value))
        .filter(|text| matches!(FigmaUrl::parse(text), Some(Ok(_))))
        .map(str::to_owned)
        .collect();
    for name in missing {
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

/// What a caller is told of a missing argument.
fn describe(properties: &Args, name: &str) -> String {
    let schema = properties.get(name);
    if let Some(format) = schema.and_then(identifier_format) {
        // No address holds these.
        let has_address = !matches!(format, "figma-library-key" | "figma-id");
        return format!(
            "it is {}{}",
            plain_form(format),
            if has_address { " or a Figma address" } else { "" }
        );
    }
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

fn strings_in(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(items) => items.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
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
    fn a_link_to_a_node_asks_for_a_description_of_that_node() {
        let key = "AbCdEfGhIjKlMnOpQrStUv";
        let file = format!("https://www.figma.com/design/{key}/x");
        let node = format!("{file}?node-id=1-2");
        let cases = [
            (json!({"file_key": node}), json!({"file_key": key, "node_ids": ["1:2"]})),
            (json!({"url": node, "depth": 1}), json!({"file_key": key, "node_ids": ["1:2"], "depth": 1})),
            (json!({"url": node, "node_ids": ["3:4"]}), json!({"file_key": key, "node_ids": ["3:4"]})),
            (json!({"file_key": node, "node_id": "3-4"}), json!({"file_key": key, "node_ids": ["3:4"]})),
            (json!({"file_key": file}), json!({"file_key": key})),
            (json!({"file_key": key}), json!({"file_key": key})),
        ];
        for (given, expected) in cases {
            assert_eq!(checked("figma_design_context_get", &given), Ok(expected), "{given}");
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
