//! From an endpoint and checked arguments to one HTTP request. Pure.
//!
//! One rule says where each argument goes, and no row repeats it: an argument named in the path goes
//! there; the others go to the query of a GET or DELETE, and into the JSON body of a POST or PUT.

use std::{borrow::Cow, fmt};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value};

use crate::table::{Endpoint, Method, args::Args};

/// What stays readable in a path segment: RFC 3986's unreserved characters.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// In the query also what joins lists, node ids and addresses and means nothing else there.
const QUERY: &AsciiSet = &SEGMENT.remove(b',').remove(b':').remove(b'/').remove(b'@');

/// One HTTP request to Figma's API, not yet authenticated. Its body can hold a secret (a webhook's
/// passcode, a token to trace): do not log it.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// The HTTP method.
    pub method: Method,
    /// The path, percent-encoded; begins with `/`.
    pub path: String,
    /// The query's names and values, not yet encoded.
    pub query: Vec<(String, String)>,
    /// The JSON body of a POST or PUT.
    pub body: Option<Value>,
}

impl Request {
    /// Puts each argument, by Figma's own names, where the endpoint wants it.
    #[must_use]
    pub fn build(endpoint: &Endpoint, args: &Args) -> Self {
        let path = fill(endpoint.path, args);
        let mut query: Vec<(String, String)> = endpoint
            .quirks
            .fixed_params
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let is_in_path = |name: &str| places(endpoint.path).any(|(_, place)| place == name);
        let others = args.iter().filter(|(name, _)| !is_in_path(name));
        let body = if endpoint.method.uses_query() {
            let given = others.filter(|(_, value)| !value.is_null());
            query.extend(given.map(|(name, value)| (name.clone(), text(value).into_owned())));
            None
        } else {
            let others = others.map(|(name, value)| (name.clone(), value.clone())).collect();
            Some(Value::Object(wrap(endpoint.quirks.wrap_in_list, others)))
        };
        Self { method: endpoint.method, path, query, body }
    }

    /// Path and query as they stand on the request line, percent-encoded.
    #[must_use]
    pub fn target(&self) -> Cow<'_, str> {
        if self.query.is_empty() {
            return Cow::Borrowed(&self.path);
        }
        let mut target = self.path.clone();
        for (index, (name, value)) in self.query.iter().enumerate() {
            target.push(if index == 0 { '?' } else { '&' });
            target.extend(utf8_percent_encode(name, QUERY));
            target.push('=');
            target.extend(utf8_percent_encode(value, QUERY));
        }
        Cow::Owned(target)
    }
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.method.name())?;
        f.write_str(" ")?;
        f.write_str(&self.target())?;
        match &self.body {
            Some(body) => write!(f, " {body}"),
            None => Ok(()),
        }
    }
}

/// The `{name}` parts of a path, each a whole segment: what stands before it, and its name.
fn places(path: &str) -> impl Iterator<Item = (&str, &str)> {
    path.split_inclusive('}').filter_map(|part| part.strip_suffix('}')?.split_once('{'))
}

/// Fills the `{name}` parts of a path. That no argument is missing is an invariant of the table; here a
/// missing one would leave its segment empty.
fn fill(path: &str, args: &Args) -> String {
    let mut filled = String::with_capacity(path.len() + 32);
    for (before, name) in places(path) {
        filled += before;
        push_segment(&mut filled, &args.get(name).map(text).unwrap_or_default());
    }
    filled + path.rsplit('}').next().unwrap_or_default()
}

/// One path segment. Clients resolve `.` and `..` even when they are encoded once, which would send
/// the request to another endpoint: such a value is encoded twice and names nothing.
fn push_segment(path: &mut String, value: &str) {
    if matches!(value, "." | "..") {
        *path += &"%252E".repeat(value.len());
    } else {
        path.extend(utf8_percent_encode(value, SEGMENT));
    }
}

/// An argument as text: lists joined with commas, whole numbers without a fraction (Figma refuses
/// `30.0`, figma/rest-api-spec issue 86).
fn text(value: &Value) -> Cow<'_, str> {
    match value {
        Value::String(text) => Cow::Borrowed(text),
        Value::Array(items) => items.iter().map(text).collect::<Vec<_>>().join(",").into(),
        Value::Number(number) => match number.as_f64() {
            Some(float) if number.is_f64() => float.to_string().into(),
            _ => number.to_string().into(),
        },
        other => other.to_string().into(),
    }
}

/// The API takes a list where the caller gave a single item.
fn wrap(list: Option<&str>, args: Args) -> Map<String, Value> {
    match list {
        Some(name) if !args.contains_key(name) => {
            Map::from_iter([(name.to_owned(), Value::Array(vec![Value::Object(args)]))])
        }
        _ => args,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::table::{ANY_TOKEN, NO_QUIRKS, Quirks, Tier};

    const fn endpoint(method: Method, path: &'static str, quirks: Quirks) -> Endpoint {
        Endpoint { method, path, tier: Tier::Two, scopes: &[], tokens: ANY_TOKEN, quirks }
    }

    fn line(endpoint: &Endpoint, args: Value) -> String {
        let Value::Object(args) = args else { panic!("arguments are an object") };
        Request::build(endpoint, &args).to_string()
    }

    #[test]
    fn arguments_go_where_the_endpoint_wants_them() {
        let get = endpoint(Method::Get, "/v1/files/{file_key}/nodes", NO_QUIRKS);
        assert_eq!(
            line(
                &get,
                json!({"ids": ["1:2", "I3:4;5:6"], "depth": 30, "file_key": "abc", "scale": 2.0, "half": 0.5, "on": true, "none": null})
            ),
            "GET /v1/files/abc/nodes?ids=1:2,I3:4%3B5:6&depth=30&scale=2&half=0.5&on=true"
        );
        assert_eq!(line(&get, json!({"file_key": "abc"})), "GET /v1/files/abc/nodes");
        let fixed = Quirks { fixed_params: &[("context", "team")], ..NO_QUIRKS };
        assert_eq!(
            line(&endpoint(Method::Get, "/v2/webhooks", fixed), json!({"context_id": "1"})),
            "GET /v2/webhooks?context=team&context_id=1"
        );
        assert_eq!(
            line(
                &endpoint(Method::Put, "/v2/webhooks/{webhook_id}", NO_QUIRKS),
                json!({"webhook_id": "7", "status": "PAUSED", "description": ""})
            ),
            r#"PUT /v2/webhooks/7 {"status":"PAUSED","description":""}"#
        );
        assert_eq!(
            line(&endpoint(Method::Post, "/v1/developer_logs", NO_QUIRKS), json!({})),
            "POST /v1/developer_logs {}"
        );
    }

    #[test]
    fn single_items_are_wrapped_and_lists_are_not() {
        let put = endpoint(
            Method::Put,
            "/v1/dev_resources",
            Quirks { wrap_in_list: Some("dev_resources"), ..NO_QUIRKS },
        );
        let expected = r#"PUT /v1/dev_resources {"dev_resources":[{"id":"1","name":"a"}]}"#;
        assert_eq!(line(&put, json!({"id": "1", "name": "a"})), expected);
        assert_eq!(line(&put, json!({"dev_resources": [{"id": "1", "name": "a"}]})), expected);
    }

    #[test]
    fn nothing_breaks_out_of_its_place() {
        let get = endpoint(Method::Get, "/v1/components/{key}", NO_QUIRKS);
        assert_eq!(
            line(&get, json!({"key": "a/../b?c#d%", "q": "a b&c+d#e%f;g=ü:+1:"})),
            "GET /v1/components/a%2F..%2Fb%3Fc%23d%25?q=a%20b%26c%2Bd%23e%25f%3Bg%3D%C3%BC:%2B1:"
        );
        assert_eq!(line(&get, json!({"key": ".."})), "GET /v1/components/%252E%252E");
        assert_eq!(line(&get, json!({})), "GET /v1/components/");
    }
}
