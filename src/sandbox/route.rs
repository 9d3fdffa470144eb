//! From a request line to an operation: the table's endpoints, and what answers each.

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use super::{
    answer::{Outcome, Refusal},
    check::Expected,
    files, folders, library, people, reports, resources,
    state::World,
    variables,
};
use crate::table::{self, Endpoint, Method};

/// One call that passed every check.
pub(super) struct Call<'a> {
    pub(super) world: &'a World,
    /// The path's arguments, in order.
    pub(super) path: Vec<String>,
    /// The query's parameters, with their types.
    pub(super) query: Map<String, Value>,
    /// The JSON body; null where there is none.
    pub(super) body: Value,
}

impl Call<'_> {
    /// A path argument by its place; the handlers below know how many there are.
    pub(super) fn arg(&self, index: usize) -> &str {
        self.path.get(index).map_or("", String::as_str)
    }

    /// A query parameter that is a text.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.query.get(name)?.as_str()
    }

    /// A query parameter that is a whole number.
    pub(super) fn number(&self, name: &str) -> Option<u64> {
        self.query.get(name)?.as_u64()
    }

    /// A query parameter that is true or false; absent is false.
    pub(super) fn flag(&self, name: &str) -> bool {
        self.query.get(name).and_then(Value::as_bool).unwrap_or_default()
    }

    /// A query parameter that is a list, or a text that reads as one.
    pub(super) fn list(&self, name: &str) -> Option<Vec<&str>> {
        match self.query.get(name)? {
            Value::Array(items) => Some(items.iter().filter_map(Value::as_str).collect()),
            Value::String(text) => Some(text.split(',').collect()),
            _ => None,
        }
    }
}

/// What answers an operation.
pub(super) type Handler = fn(&Call) -> Outcome;

/// One method and path, whatever rows share it.
#[derive(Debug)]
pub(super) struct Operation {
    pub(super) endpoint: &'static Endpoint,
    /// What each row that uses it says of the parameters; a request has to suit one of them.
    pub(super) expected: Vec<Expected>,
    /// The statuses whose body is `{error, status, message}`; the others are `{status, err}`.
    pub(super) boolean_style: &'static [u16],
    pub(super) handler: Handler,
}

/// The error styles of `figma-api.md`, section 6: statuses whose body is `{error, status, message}`.
type Style = &'static [u16];
const NONE: Style = &[];
const BAD: Style = &[400];
const MISSING: Style = &[404];
const BAD_MISSING: Style = &[400, 404];
const BAD_MISSING_FAILED: Style = &[400, 404, 500];
const ALL: Style = &[400, 401, 403, 404, 413, 429, 500];

use Method::{Delete, Get, Post, Put};

/// What answers each operation. Path arguments have no names here, since rows name them differently.
#[rustfmt::skip]
const HANDLERS: &[(Method, &str, Style, Handler)] = &[
    (Get, "/v1/files/{}", NONE, files::file),
    (Get, "/v1/files/{}/nodes", NONE, files::nodes),
    (Get, "/v1/images/{}", NONE, files::render),
    (Get, "/v1/files/{}/images", NONE, files::image_fills),
    (Get, "/v1/files/{}/versions", NONE, files::versions),
    (Get, "/v1/files/{}/meta", NONE, files::metadata),
    (Get, "/v1/files/{}/comments", NONE, people::comments),
    (Post, "/v1/files/{}/comments", BAD, people::create_comment),
    (Delete, "/v1/files/{}/comments/{}", NONE, people::delete_comment),
    (Get, "/v1/files/{}/comments/{}/reactions", NONE, people::reactions),
    (Post, "/v1/files/{}/comments/{}/reactions", BAD, people::create_reaction),
    (Delete, "/v1/files/{}/comments/{}/reactions", NONE, people::delete_reaction),
    (Get, "/v1/files/{}/components", MISSING, |call| library::published_in_file(call, "components")),
    (Get, "/v1/files/{}/component_sets", MISSING, |call| library::published_in_file(call, "component_sets")),
    (Get, "/v1/files/{}/styles", MISSING, |call| library::published_in_file(call, "styles")),
    (Get, "/v1/components/{}", MISSING, |call| library::published(call, "components")),
    (Get, "/v1/component_sets/{}", MISSING, |call| library::published(call, "component_sets")),
    (Get, "/v1/styles/{}", MISSING, |call| library::published(call, "styles")),
    (Get, "/v1/teams/{}/components", MISSING, |call| library::published_in_team(call, "components")),
    (Get, "/v1/teams/{}/component_sets", MISSING, |call| library::published_in_team(call, "component_sets")),
    (Get, "/v1/teams/{}/styles", MISSING, |call| library::published_in_team(call, "styles")),
    (Get, "/v1/files/{}/variables/local", ALL, variables::local),
    (Get, "/v1/files/{}/variables/published", ALL, variables::published),
    (Post, "/v1/files/{}/variables", ALL, variables::update),
    (Get, "/v1/me", NONE, people::me),
    (Get, "/v1/teams/{}/projects", BAD, folders::team_projects),
    (Get, "/v1/projects/{}/files", BAD, folders::folder_files),
    (Get, "/v1/projects/{}/meta", NONE, folders::folder_metadata),
    (Get, "/v2/teams/{}/folders", BAD, folders::team_folders),
    (Get, "/v2/folders/{}/folders", BAD, folders::folder_folders),
    (Get, "/v2/folders/{}/files", BAD, folders::folder_files),
    (Get, "/v2/folders/{}/meta", NONE, folders::folder_metadata),
    (Get, "/v1/files/{}/dev_resources", ALL, resources::dev_resources),
    (Post, "/v1/dev_resources", ALL, resources::create_dev_resources),
    (Put, "/v1/dev_resources", ALL, resources::update_dev_resources),
    (Delete, "/v1/files/{}/dev_resources/{}", ALL, resources::delete_dev_resource),
    (Get, "/v2/webhooks", BAD, resources::webhooks),
    (Post, "/v2/webhooks", BAD, resources::create_webhook),
    (Get, "/v2/webhooks/{}", BAD_MISSING, resources::webhook),
    (Put, "/v2/webhooks/{}", BAD_MISSING, resources::update_webhook),
    (Delete, "/v2/webhooks/{}", BAD_MISSING_FAILED, resources::delete_webhook),
    (Get, "/v2/webhooks/{}/requests", BAD_MISSING_FAILED, resources::webhook_requests),
    (Get, "/v2/teams/{}/webhooks", NONE, resources::team_webhooks),
    (Get, "/v1/payments", ALL, reports::payments),
    (Get, "/v1/oembed", BAD, reports::oembed),
    (Get, "/v1/activity_logs", ALL, reports::activity_logs),
    (Post, "/v1/developer_logs", ALL, reports::developer_logs),
    (Get, "/v1/ai_usage/daily", ALL, reports::ai_usage),
    (Get, "/v1/analytics/libraries/{}/component/actions", ALL, |call| library::analytics(call, "component/actions")),
    (Get, "/v1/analytics/libraries/{}/component/usages", ALL, |call| library::analytics(call, "component/usages")),
    (Get, "/v1/analytics/libraries/{}/style/actions", ALL, |call| library::analytics(call, "style/actions")),
    (Get, "/v1/analytics/libraries/{}/style/usages", ALL, |call| library::analytics(call, "style/usages")),
    (Get, "/v1/analytics/libraries/{}/variable/actions", ALL, |call| library::analytics(call, "variable/actions")),
    (Get, "/v1/analytics/libraries/{}/variable/usages", ALL, |call| library::analytics(call, "variable/usages")),
];

/// Every operation of the table that something answers.
pub(super) fn operations() -> Vec<Operation> {
    let mut operations: Vec<Operation> = Vec::new();
    for tool in table::tools().filter(|tool| tool.is_plain()) {
        for endpoint in tool.endpoints() {
            let expected = Expected::new(&tool.input, endpoint);
            let path = template(endpoint.path);
            let known = operations.iter_mut().find(|other| {
                other.endpoint.method == endpoint.method && template(other.endpoint.path) == path
            });
            if let Some(operation) = known {
                operation.expected.push(expected);
            } else if let Some((_, _, boolean_style, handler)) =
                HANDLERS.iter().find(|(method, wanted, ..)| *method == endpoint.method && *wanted == path)
            {
                let (boolean_style, handler) = (*boolean_style, *handler);
                operations.push(Operation { endpoint, expected: vec![expected], boolean_style, handler });
            }
        }
    }
    operations
}

/// A path with its arguments' names taken out.
pub(super) fn template(path: &str) -> String {
    let plain = |segment: &str| if segment.starts_with('{') { "{}".to_owned() } else { segment.to_owned() };
    path.split('/').map(plain).collect::<Vec<_>>().join("/")
}

impl Operation {
    /// The path's arguments, if the request is for this operation.
    pub(super) fn matches(&self, method: &str, path: &str) -> Option<Vec<String>> {
        if self.endpoint.method.name() != method {
            return None;
        }
        let (mut ours, mut theirs) = (self.endpoint.path.split('/'), path.split('/'));
        let mut args = Vec::new();
        loop {
            match (ours.next(), theirs.next()) {
                (None, None) => return Some(args),
                (Some(name), Some(value)) if name.starts_with('{') && !value.is_empty() => {
                    args.push(percent_decode_str(value).decode_utf8_lossy().into_owned());
                }
                (Some(literal), Some(value)) if literal == value => {}
                _ => return None,
            }
        }
    }

    /// The file key that the call is about, if it is about one.
    pub(super) fn file_key(&self, args: &[String], body: &Value) -> Option<String> {
        let names = self.endpoint.path.split('/').filter(|segment| segment.starts_with('{'));
        let in_path = names.zip(args).find(|(name, _)| *name == "{file_key}").map(|(_, key)| key.clone());
        in_path.or_else(|| {
            let item = body.get(self.endpoint.quirks.wrap_in_list?)?.get(0)?;
            Some(item.get("file_key")?.as_str()?.to_owned())
        })
    }

    /// The query's parameters with their types, if they suit one of the rows.
    pub(super) fn check_query(&self, query: &[(String, String)]) -> Result<Map<String, Value>, Refusal> {
        let mut first = None;
        for expected in &self.expected {
            match expected.query(query) {
                Ok(params) => return Ok(params),
                Err(refusal) => first = first.or(Some(refusal)),
            }
        }
        Err(first.unwrap_or_else(Refusal::not_found))
    }

    /// Whether the body suits one of the rows.
    pub(super) fn check_body(&self, body: &Value) -> Result<(), Refusal> {
        let mut outcomes = self.expected.iter().map(|expected| expected.body(body));
        let first = outcomes.next().unwrap_or(Ok(()));
        if first.is_ok() || outcomes.any(|outcome| outcome.is_ok()) { Ok(()) } else { first }
    }
}
