//! From status, headers and body to an answer or an error. Pure.
//!
//! The meanings follow Figma's documentation and the errors that people meet; both of Figma's error
//! bodies are read (`{"status":403,"err":"…"}` and `{"error":true,"status":403,"message":"…"}`), and so
//! are HTML and empty ones. Nothing counts as success only because it came with status 200.

use std::{
    collections::HashMap,
    fmt, io,
    sync::Arc,
    time::{Duration, SystemTime},
};

use serde::de::IgnoredAny;
use serde_json::Value;

use super::{members::Members, pagination};
use crate::{
    error::{Error, RateLimit, Result, foreign},
    table::{Effect, Endpoint, PartialFailures, Plan, Scope, Tool, args::Args},
};

/// What Figma sent, read to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The headers that mean something to us.
    pub headers: Headers,
    /// The body, inflated.
    pub body: String,
}

/// The headers that mean something to us.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Headers {
    /// `Retry-After`, understood.
    pub retry_after: Option<Duration>,
    /// `X-Figma-Plan-Tier`.
    pub plan: Option<String>,
    /// `X-Figma-Rate-Limit-Type`.
    pub seat: Option<String>,
    /// `X-Figma-Upgrade-Link`.
    pub upgrade_link: Option<String>,
}

/// A tool's result.
#[derive(Debug, Clone, Default)]
pub struct Output {
    /// JSON, as Figma sent it, or a text of our own making: [`Output::form`] says which.
    pub body: String,
    /// Where the body is read from when it is too large for the memory; [`Output::body`] is empty then.
    pub stored: Option<Arc<dyn Stored>>,
    /// What the body is.
    pub form: Form,
    /// Pictures that the model is to see.
    pub images: Vec<Image>,
    /// What the caller has to know beside it, a sentence each.
    pub notes: Vec<String>,
    /// What to add to the same arguments to get the next page.
    pub next_page: Option<Args>,
    /// For programs: the members of the result's `_meta`, without our prefix.
    pub meta: Args,
}

/// A body that lies elsewhere than in the memory.
pub trait Stored: fmt::Debug + Send + Sync {
    /// How many bytes it has.
    fn size(&self) -> u64;
    /// Reads it from its first byte on. Blocks: not for a thread of the runtime.
    ///
    /// # Errors
    /// When it is gone.
    fn open(&self) -> io::Result<Box<dyn io::Read + Send>>;
}

/// What an output's body is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Form {
    /// JSON.
    #[default]
    Json,
    /// Lines for a model or a person to read.
    Text,
}

/// A picture that the model is to see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// Its MIME type, such as `image/png`.
    pub mime: &'static str,
    /// The encoded picture.
    pub bytes: Vec<u8>,
}

impl Output {
    /// JSON, with nothing beside it.
    #[must_use]
    pub fn json(body: impl Into<String>) -> Self {
        Self { body: body.into(), ..Self::default() }
    }

    /// Lines to read, with nothing beside them.
    #[must_use]
    pub fn text(body: impl Into<String>) -> Self {
        Self { body: body.into(), form: Form::Text, ..Self::default() }
    }
}

/// What a request was made for, so that its answer can be explained.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The tool.
    pub tool: &'static Tool,
    /// The endpoint that was called: the tool's own or its fallback.
    pub endpoint: &'static Endpoint,
    /// The arguments, by Figma's names.
    pub args: &'a Args,
    /// The kind of token in use, with its article.
    pub token: &'static str,
}

impl<'a> Asked<'a> {
    /// The file that it is about; empty where it is about none.
    #[must_use]
    pub fn file(&self) -> &'a str {
        let is_of_file = self.endpoint.path.contains("{file_key}");
        self.args.get("file_key").and_then(Value::as_str).filter(|_| is_of_file).unwrap_or_default()
    }
}

/// Reads an answer.
///
/// # Errors
/// What Figma refused, and why.
pub fn read(asked: Asked<'_>, answer: Answer) -> Result<Output> {
    match answer.status {
        200..=299 => success(asked, answer.body),
        300..=399 => Err(Error::BadAnswer {
            problem: format!(
                "it redirects elsewhere (status {}); redirects are not followed, since the token would follow them",
                answer.status
            ),
        }),
        _ => Err(failure(asked, &answer)),
    }
}

fn success(asked: Asked<'_>, body: String) -> Result<Output> {
    if body.trim().is_empty() {
        return empty_success(asked);
    }
    let document = Members::parse(&body)?;
    if document.get("error") == Some(Value::Bool(true)) {
        let status = document.get("status").and_then(|status| status.as_u64()).unwrap_or(200);
        let status = u16::try_from(status).unwrap_or(200);
        return Err(failure(asked, &Answer { status, headers: Headers::default(), body }));
    }
    let notes = partial_failures(asked, &document)?;
    let next_page = pagination::next_page(asked.endpoint.quirks.pagination, &document, asked.args);
    Ok(Output { notes, next_page, ..Output::json(body) })
}

/// Some writes are documented to answer with nothing at all; a read never is.
fn empty_success(asked: Asked<'_>) -> Result<Output> {
    if asked.tool.effect.is_read() {
        return Err(Error::BadAnswer { problem: "it is empty".to_owned() });
    }
    let notes = vec!["Done. Figma answers this with an empty body.".to_owned()];
    Ok(Output { notes, ..Output::json("{}") })
}

/// Failures inside a success: told as notes, or as an error when nothing succeeded.
fn partial_failures(asked: Asked<'_>, document: &Members<'_>) -> Result<Vec<String>> {
    let message = document.get("err").and_then(|err| err.as_str().map(foreign)).filter(|err| !err.is_empty());
    match asked.endpoint.quirks.partial_failures {
        PartialFailures::None => Ok(Vec::new()),
        PartialFailures::NullsIn(name) => {
            let entries: HashMap<String, Option<IgnoredAny>> = document.read(name).unwrap_or_default();
            let missing: Vec<String> =
                entries.iter().filter(|(_, entry)| entry.is_none()).map(|(id, _)| id.clone()).collect();
            if entries.is_empty()
                && let Some(message) = message
            {
                return Err(Error::NothingDone { message });
            }
            let mut notes: Vec<String> =
                message.map(|message| format!("Figma says: {message}")).into_iter().collect();
            notes.extend(nulls(name, missing));
            Ok(notes)
        }
        PartialFailures::ErrorsBeside(name) => errors_beside(document, name),
    }
}

/// A note on ids of which there are no nodes.
pub fn missing_nodes(ids: Vec<String>) -> Option<String> {
    nulls("nodes", ids)
}

fn nulls(name: &str, mut ids: Vec<String>) -> Option<String> {
    ids.sort_unstable();
    (!ids.is_empty()).then(|| format!("{} in `{name}` is null: {}.", ids.join(", "), why_null(name)))
}

fn why_null(name: &str) -> &'static str {
    match name {
        "images" => "unknown id, invisible, fully transparent, or nothing to draw",
        _ => "there is no such node in this version of the file",
    }
}

fn errors_beside(document: &Members<'_>, name: &str) -> Result<Vec<String>> {
    let errors: Vec<Value> = document.read("errors").unwrap_or_default();
    if errors.is_empty() {
        return Ok(Vec::new());
    }
    let describe = |error: &Value| {
        let text = |name: &str| error.get(name).and_then(Value::as_str);
        let of =
            text("node_id").or_else(|| text("id")).map(|id| format!("{}: ", foreign(id))).unwrap_or_default();
        of + &foreign(text("error").unwrap_or("no reason given"))
    };
    let messages = errors.iter().map(describe).collect::<Vec<_>>().join("; ");
    let done: Vec<IgnoredAny> = document.read(name).unwrap_or_default();
    if done.is_empty() {
        return Err(Error::NothingDone { message: messages });
    }
    Ok(vec![format!("{} done, {} refused: {messages}.", done.len(), errors.len())])
}

fn failure(asked: Asked<'_>, answer: &Answer) -> Error {
    let message = message_of(&answer.body);
    let lower = message.to_ascii_lowercase();
    match answer.status {
        401 => Error::BadToken { kind: asked.token, message },
        403 => forbidden(asked, message, &lower),
        404 => Error::NotFound { what: described(asked), message },
        400 => bad_request(asked, message, &lower),
        413 => Error::TooLarge {
            limit: "the request holds more than Figma accepts (4 MB, or a very long list of ids)".to_owned(),
            smaller: "Split it into several calls.",
        },
        429 => Error::RateLimited(Box::new(rate_limit(asked.endpoint, &answer.headers))),
        501 => Error::Refused {
            status: 501,
            message,
            advice: Some(
                "This address or format is not supported by Figma's oEmbed; give the address of a file or of a published site.",
            ),
        },
        status @ 500..=599 => Error::FigmaFailed { status, message, attempts: 1 },
        status => Error::Refused { status, message, advice: None },
    }
}

fn forbidden(asked: Asked<'_>, message: String, lower: &str) -> Error {
    let mentions = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    if mentions(&["invalid token", "token expired", "token has expired"]) {
        Error::BadToken { kind: asked.token, message }
    } else if mentions(&["scope"]) {
        Error::MissingScope {
            scopes: asked
                .endpoint
                .scopes
                .iter()
                .map(|scope| scope.name())
                .filter(|name| *name != Scope::FilesRead.name())
                .collect(),
            message,
        }
    } else if mentions(&["figma plan", "account type"]) {
        Error::PlanTooSmall {
            plan: asked.endpoint.quirks.plan.requirement().unwrap_or("a larger plan or another seat"),
            instead: instead_of(asked),
            message,
        }
    } else if mentions(&["only available for design files"]) {
        Error::WrongFileType { message }
    } else if mentions(&["not exportable"]) {
        Error::NotExportable { what: described(asked) }
    } else {
        Error::NoAccess { what: described(asked), kind: asked.token, message }
    }
}

/// Variables need Enterprise; what nodes are bound to can be seen on every plan.
fn instead_of(asked: Asked<'_>) -> Option<&'static str> {
    let is_variables = asked.endpoint.path.contains("/variables");
    (is_variables && asked.endpoint.quirks.plan == Plan::Enterprise)
        .then_some("`figma_file_nodes_get` shows which variables nodes are bound to (`boundVariables`).")
}

fn bad_request(asked: Asked<'_>, message: String, lower: &str) -> Error {
    if lower.contains("request too large") || lower.contains("request timeout") {
        return Error::TooLarge {
            limit: format!("Figma gave up on it ({message})"),
            smaller: "Call again with `depth`: 1 for the outline, then pass `ids` of what is needed.",
        };
    }
    if lower.contains("render timeout") {
        return Error::TooLarge {
            limit: format!("Figma gave up on rendering ({message})"),
            smaller: "Ask for fewer nodes at a time, or for a lower `scale`.",
        };
    }
    if lower.contains("file type not supported") {
        return Error::WrongFileType { message };
    }
    let advice = if matches!(asked.tool.effect, Effect::Update) && lower.contains("passcode") {
        Some("Give `passcode` as well: Figma never shows it, so it cannot be read back.")
    } else {
        None
    };
    Error::Refused { status: 400, message, advice }
}

fn rate_limit(endpoint: &Endpoint, headers: &Headers) -> RateLimit {
    RateLimit {
        tier: endpoint.tier.number(),
        plan: headers.plan.clone(),
        seat: headers.seat.clone(),
        retry_after: headers.retry_after,
        upgrade_link: headers.upgrade_link.clone(),
        still: None,
    }
}

/// What was asked for, by the arguments in the path: `file_key AbC`.
fn described(asked: Asked<'_>) -> String {
    let is_in_path = |name: &str| asked.endpoint.path.contains(&format!("{{{name}}}"));
    let parts: Vec<String> = asked
        .args
        .iter()
        .filter(|(name, _)| is_in_path(name))
        .filter_map(|(name, value)| Some(format!("{name} {}", foreign(value.as_str()?))))
        .collect();
    if parts.is_empty() { "this address".to_owned() } else { parts.join(", ") }
}

/// `err`, then `message`, then the text itself unless it is a web page.
fn message_of(body: &str) -> String {
    let json: Value = serde_json::from_str(body).unwrap_or(Value::Null);
    let named = ["err", "message", "reason"].iter().find_map(|name| json.get(name)?.as_str());
    match named {
        Some(text) => foreign(text),
        None if body.trim().is_empty() => "no reason given".to_owned(),
        None if body.trim_start().starts_with('<') => "an HTML page in place of a reason".to_owned(),
        None => foreign(body),
    }
}

/// Understands `Retry-After`: whole seconds, or a date. Anything else, and the past, is no statement.
pub fn retry_after(value: &str, now: SystemTime) -> Option<Duration> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        const LONGEST: u64 = 366 * 86_400;
        return Some(Duration::from_secs(value.parse().unwrap_or(LONGEST).min(LONGEST)));
    }
    httpdate::parse_http_date(value).ok()?.duration_since(now).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table;

    fn answered(tool: &str, status: u16, body: &str) -> Result<Output> {
        let tool = table::find(tool).unwrap();
        let args = serde_json::json!({"file_key": "abc"}).as_object().unwrap().clone();
        let asked =
            Asked { tool, endpoint: tool.endpoint().unwrap(), args: &args, token: "a personal access token" };
        read(asked, Answer { status, headers: Headers::default(), body: body.to_owned() })
    }

    #[test]
    fn each_refusal_gets_its_own_meaning() {
        let cases = [
            (403, r#"{"status":403,"err":"Invalid token"}"#, "bad_token"),
            (401, r#"{"error":true,"status":401,"message":"Unauthorized"}"#, "bad_token"),
            (
                403,
                r#"{"status":403,"err":"Invalid scope(s): x. This endpoint requires the file_content:read scope"}"#,
                "missing_scope",
            ),
            (403, r#"{"status":403,"err":"Limited by Figma plan"}"#, "plan_too_small"),
            (403, r#"{"status":403,"err":"File not exportable"}"#, "not_exportable"),
            (403, "", "no_access"),
            (404, r#"{"status":404,"err":"Not found"}"#, "not_found"),
            (
                400,
                r#"{"status":400,"err":"Request too large. If applicable, filter by query params."}"#,
                "too_large",
            ),
            (400, r#"{"status":400,"err":"File type not supported by this endpoint"}"#, "wrong_file_type"),
            (400, r#"{"status":400,"err":"bad ids"}"#, "refused"),
            (413, "", "too_large"),
            (429, "", "rate_limited"),
            (500, "<html>", "figma_failed"),
            (302, "", "bad_answer"),
            (200, "<html></html>", "bad_answer"),
            (200, r#"{"name":"x"#, "bad_answer"),
            (200, "", "bad_answer"),
            (200, r#"{"error":true,"status":404,"message":"no"}"#, "not_found"),
        ];
        for (status, body, expected) in cases {
            let error = answered("figma_file_get", status, body).unwrap_err();
            assert_eq!(error.kind(), expected, "{status} {body}");
        }
    }

    #[test]
    fn holes_in_a_success_are_told() {
        let output = answered("figma_file_nodes_get", 200, r#"{"nodes":{"1:2":null,"1:3":{}}}"#).unwrap();
        assert_eq!(
            output.notes,
            ["1:2 in `nodes` is null: there is no such node in this version of the file."]
        );
        let error =
            answered("figma_file_images_render", 200, r#"{"err":"Render failed","images":{}}"#).unwrap_err();
        assert_eq!(error.to_string(), "Figma did not do it: Render failed");
    }

    #[test]
    fn retry_after_takes_seconds_and_dates_only() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
        assert_eq!(retry_after("396749", now), Some(Duration::from_secs(396_749)));
        assert_eq!(retry_after("99999999999999999999999", now), Some(Duration::from_secs(31_622_400)));
        assert_eq!(retry_after("Sun, 09 Sep 2001 01:47:40 GMT", now), Some(Duration::from_secs(60)));
        for nothing in ["", "-5", "soon", "1.5", "Sun, 09 Sep 2001 01:40:40 GMT"] {
            assert_eq!(retry_after(nothing, now), None, "{nothing}");
        }
    }
}
