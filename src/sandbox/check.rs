//! What Figma checks before it does anything: the token, its kind, its scopes, the parameters.

use axum::http::HeaderMap;
use serde_json::{Map, Value, json};

use super::{
    answer::Refusal,
    state::World,
    tokens::{self, Grant},
};
use crate::table::{Endpoint, TokenKind, args::Input};

const PERSONAL_HEADER: &str = "x-figma-token";
const INVALID_TOKEN: &str = "Invalid token";

/// The header that carries a token, by its usual spelling.
pub(super) fn token_header(headers: &HeaderMap) -> Option<&'static str> {
    match (headers.contains_key(PERSONAL_HEADER), headers.contains_key("authorization")) {
        (true, true) => Some("X-Figma-Token and Authorization"),
        (true, false) => Some("X-Figma-Token"),
        (false, true) => Some("Authorization"),
        (false, false) => None,
    }
}

/// What the token grants, from the header that its kind belongs in.
pub(super) fn token(headers: &HeaderMap, world: &World) -> Option<Grant> {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    let (secret, is_bearer) = match (text(PERSONAL_HEADER), text("authorization")) {
        (Some(secret), None) => (secret, false),
        (None, Some(value)) => (value.strip_prefix("Bearer ")?, true),
        // Two credentials contradict each other, even where they are the same.
        (Some(_), Some(_)) | (None, None) => return None,
    };
    let grant = tokens::find(secret).or_else(|| world.apps.grant(secret))?;
    let fits = grant.kind.is_none_or(|kind| (kind == TokenKind::OAuth) == is_bearer);
    fits.then_some(grant)
}

/// Refused tokens are a 401 where the endpoint declares one, else a 403.
pub(super) fn invalid_token(has_401: bool) -> Refusal {
    Refusal::new(if has_401 { 401 } else { 403 }, INVALID_TOKEN)
}

/// Whether this token may call this endpoint.
pub(super) fn permission(token: &Grant, endpoint: &Endpoint) -> Result<(), Refusal> {
    if let Some(kind) = token.kind.filter(|kind| !endpoint.tokens.contains(kind)) {
        return Err(Refusal::new(403, format!("This endpoint cannot be called with {}", kind.description())));
    }
    let Some(granted) = token.scopes.as_deref().filter(|_| !endpoint.scopes.is_empty()) else {
        return Ok(());
    };
    if endpoint.scopes.iter().any(|scope| granted.contains(scope)) {
        return Ok(());
    }
    let granted: Vec<&str> = granted.iter().map(|scope| scope.name()).collect();
    Err(invalid_scope(&granted.join(", "), endpoint))
}

/// Figma's words for a token without the scope that an endpoint asks for.
pub(super) fn invalid_scope(granted: &str, endpoint: &Endpoint) -> Refusal {
    let needed = endpoint.scopes.first().map_or("current_user:read", |scope| scope.name());
    Refusal::new(403, format!("Invalid scope(s): {granted}. This endpoint requires the {needed} scope"))
}

/// What one row says of an operation's parameters, by Figma's own names.
#[derive(Debug)]
pub(super) struct Expected {
    pub(super) properties: Map<String, Value>,
    pub(super) required: Vec<String>,
    /// The body is an object with this list alone; the parameters are those of an item.
    pub(super) list: Option<&'static str>,
}

impl Expected {
    /// What the row declares, less what stands in the path. Whether an argument is required only the
    /// callers' schema says; both list the arguments in the same order.
    pub(super) fn new(input: &Input, endpoint: &Endpoint) -> Self {
        let (given, mut wire) = ((input.schema)(), (input.wire_schema)());
        let mut properties = match wire.remove("properties") {
            Some(Value::Object(properties)) => properties,
            _ => Map::new(),
        };
        let given_names = given.get("properties").and_then(Value::as_object).into_iter().flat_map(Map::keys);
        let is_required = |name: &str| list(&given, "required").iter().any(|required| required == name);
        let is_in_path = |name: &str| endpoint.path.contains(&format!("{{{name}}}"));
        let required = given_names
            .zip(properties.keys())
            .filter(|(given, wire)| is_required(given) && !is_in_path(wire))
            .map(|(_, wire)| wire.clone())
            .collect();
        properties.retain(|name, _| !is_in_path(name));
        for (name, value) in endpoint.quirks.fixed_params {
            properties.insert((*name).to_owned(), json!({ "type": "string", "enum": [value] }));
        }
        Self { properties, required, list: endpoint.quirks.wrap_in_list }
    }

    /// The query's parameters with their types.
    pub(super) fn query(&self, query: &[(String, String)]) -> Result<Map<String, Value>, Refusal> {
        let mut params = Map::new();
        for (name, text) in query {
            let schema = self.properties.get(name).ok_or_else(|| unknown(name))?;
            let value = typed(schema, text).ok_or_else(|| invalid(name, schema))?;
            value_fits(schema, &value, name)?;
            if params.insert(name.clone(), value).is_some() {
                return Err(Refusal::bad(format!("Parameter {name} is given twice")));
            }
        }
        self.has_required(&params)?;
        Ok(params)
    }

    /// A JSON body.
    pub(super) fn body(&self, body: &Value) -> Result<(), Refusal> {
        let fields = body.as_object().ok_or_else(|| Refusal::bad("Request body must be a JSON object"))?;
        let Some(list) = self.list else { return self.fields(fields) };
        if let Some(name) = fields.keys().find(|name| *name != list) {
            return Err(unknown(name));
        }
        let items = fields
            .get(list)
            .and_then(Value::as_array)
            .ok_or_else(|| Refusal::bad(format!("Missing required parameter {list}")))?;
        items.iter().try_for_each(|item| {
            self.fields(item.as_object().ok_or_else(|| Refusal::bad(format!("{list} must hold objects")))?)
        })
    }

    fn fields(&self, fields: &Map<String, Value>) -> Result<(), Refusal> {
        for (name, value) in fields {
            value_fits(self.properties.get(name).ok_or_else(|| unknown(name))?, value, name)?;
        }
        self.has_required(fields)
    }

    fn has_required(&self, given: &Map<String, Value>) -> Result<(), Refusal> {
        let missing = self.required.iter().find(|name| !given.contains_key(*name));
        missing.map_or(Ok(()), |name| Err(Refusal::bad(format!("Missing required parameter {name}"))))
    }
}

fn unknown(name: &str) -> Refusal {
    Refusal::bad(format!("Unknown parameter {name}"))
}

fn invalid(name: &str, schema: &Value) -> Refusal {
    let wanted = schema.get("type").and_then(Value::as_str).unwrap_or("valid");
    Refusal::bad(format!("Invalid parameter {name}: expected {wanted}"))
}

/// A query parameter's text as the type that the schema asks for. `30.0` is not a whole number here.
fn typed(schema: &Value, text: &str) -> Option<Value> {
    match schema.get("type").and_then(Value::as_str) {
        Some("integer") => text.parse::<i64>().ok().map(Value::from),
        Some("number") => text.parse::<f64>().ok().filter(|number| number.is_finite()).map(Value::from),
        Some("boolean") => text.parse::<bool>().ok().map(Value::from),
        Some("array") => Some(text.split(',').map(str::trim).collect()),
        _ => Some(Value::from(text)),
    }
}

/// Whether a value is what the schema declares, all the way down.
fn value_fits(schema: &Value, value: &Value, name: &str) -> Result<(), Refusal> {
    let fits = match schema.get("type").and_then(Value::as_str) {
        Some("integer") => value.is_i64() || value.is_u64(),
        Some("number") => value.is_number(),
        Some("boolean") => value.is_boolean(),
        Some("string") => value.is_string(),
        Some("array") => value.is_array(),
        Some("object") => value.is_object(),
        _ => true,
    };
    let bound = |bound: &str| schema.get(bound).and_then(Value::as_f64);
    let number = value.as_f64();
    let is_low = number.zip(bound("minimum")).is_some_and(|(number, least)| number < least);
    let is_high = number.zip(bound("maximum")).is_some_and(|(number, most)| number > most);
    if !fits || is_low || is_high {
        return Err(invalid(name, schema));
    }
    if let Some(choices) = schema.get("enum").and_then(Value::as_array)
        && !choices.contains(value)
    {
        let choices: Vec<&str> = choices.iter().filter_map(Value::as_str).collect();
        return Err(Refusal::bad(format!("Invalid parameter {name}: must be one of {}", choices.join(", "))));
    }
    match value {
        Value::Array(items) => {
            let schema = schema.get("items").unwrap_or(&Value::Null);
            items.iter().try_for_each(|item| value_fits(schema, item, name))
        }
        Value::Object(fields) => nested_fits(schema, fields, name),
        _ => Ok(()),
    }
}

fn nested_fits(schema: &Value, fields: &Map<String, Value>, name: &str) -> Result<(), Refusal> {
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else { return Ok(()) };
    for (field, value) in fields {
        let path = format!("{name}.{field}");
        let schema = properties.get(field).ok_or_else(|| unknown(&path))?;
        // A null can be a value of its own, as for variables.
        if !value.is_null() {
            value_fits(schema, value, &path)?;
        }
    }
    let required = schema.get("required").and_then(Value::as_array);
    let mut required = required.into_iter().flatten().filter_map(Value::as_str);
    required
        .find(|field| !fields.contains_key(*field))
        .map_or(Ok(()), |field| Err(Refusal::bad(format!("Missing required parameter {name}.{field}"))))
}

fn list<'a>(fields: &'a Map<String, Value>, name: &str) -> &'a [Value] {
    fields.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}
