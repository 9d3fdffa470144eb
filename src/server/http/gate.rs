//! What every request has to pass, in this order: where it is addressed to, which web page sent it,
//! whether there is anything, who calls, what it carries, whose Figma account is meant.

use std::{
    hash::{BuildHasher, RandomState},
    net::{IpAddr, SocketAddr},
    sync::{
        Arc, LazyLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::Request,
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use futures_util::{StreamExt, future::BoxFuture};
use serde::de::IgnoredAny;
use serde_json::json;
use tower_service::Service;
use tracing::Instrument;
use url::Url;

use super::{
    Front,
    access::Who,
    direct::{BOTH, Call},
    log::Line,
    visit::{Usual, VISIT, Visit},
};
use crate::{
    auth::hex,
    error::{Error, Result},
    settings::HttpSettings,
};

/// The largest body. Arguments are small; Figma's own limit is for what we send, not for what we get.
pub(super) const LARGEST_BODY: usize = 1024 * 1024;
/// What is read beyond that and thrown away, so that the client gets to read the refusal.
const MOST_THROWN_AWAY: usize = 8 * LARGEST_BODY;
const BODY_LIMIT: Duration = Duration::from_secs(30);

/// Who is at the other end of a connection, and what is shown there. All of its requests share it:
/// counters that all connections share are contended for.
pub(super) struct Guest {
    pub(super) front: Arc<Front>,
    pub(super) router: Router,
    pub(super) peer: IpAddr,
    pub(super) usual: Usual,
}

/// A request that goes no further.
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    word: &'static str,
    text: String,
    challenge: Option<String>,
}

impl Refusal {
    pub(super) fn new(status: StatusCode, word: &'static str, text: impl Into<String>) -> Self {
        Self { status, word, text: text.into(), challenge: None }
    }

    /// With what a client has to present.
    pub(super) fn challenging(mut self, challenge: String) -> Self {
        self.challenge = Some(challenge);
        self
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = json!({ "error": self.word, "what": self.text });
        let mut response =
            (self.status, [(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response();
        let headers = response.headers_mut();
        if let Some(challenge) = self.challenge.and_then(|text| HeaderValue::from_str(&text).ok()) {
            headers.insert(header::WWW_AUTHENTICATE, challenge);
        }
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
        }
        response
    }
}

/// By which names the server goes, and which web pages may speak to it.
#[derive(Debug)]
pub(super) struct Names {
    hosts: Vec<Host>,
    origins: Vec<String>,
    takes_local_pages: bool,
}

/// A host, and its port where only one is meant.
#[derive(Debug, PartialEq, Eq)]
struct Host {
    name: String,
    port: Option<u16>,
}

impl Host {
    fn parse(text: &str) -> Option<Self> {
        let (name, port) = host_and_port(text)?;
        Some(Self { name: name.to_ascii_lowercase(), port })
    }

    /// Whether this name and port are the ones that are meant.
    fn is(&self, (name, port): (&str, Option<u16>)) -> bool {
        self.name.eq_ignore_ascii_case(name) && (self.port.is_none() || self.port == port)
    }
}

/// A name as it is written before a port, and the port.
fn host_and_port(text: &str) -> Option<(&str, Option<u16>)> {
    let text = text.trim();
    let (name, port) = match text.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') => (name, Some(port.parse().ok()?)),
        _ => (text, None),
    };
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '[' | ']' | ':');
    let is_fit = !name.is_empty()
        && name.chars().all(is_name)
        && (!name.contains(':') || name.starts_with('[') && name.ends_with(']'));
    is_fit.then(|| (name.trim_end_matches('.'), port))
}

impl Names {
    pub(super) fn new(settings: &HttpSettings, bound: SocketAddr, public: &str) -> Result<Self> {
        let wrong = |flag: &str, text: &str, example: &str| Error::Usage {
            problem: format!("{flag}: `{}` is none", crate::error::foreign(text)),
            hint: format!("Give something such as {example}."),
        };
        let mut hosts: Vec<Host> =
            ["localhost", "127.0.0.1", "[::1]"].iter().filter_map(|name| Host::parse(name)).collect();
        if !bound.ip().is_unspecified() {
            hosts.extend(Host::parse(&bound.to_string()));
        }
        let public = Url::parse(public).map_err(|_| wrong("--public-url", public, "https://mcp.example"))?;
        hosts.extend(public.host_str().map(|name| Host { name: name.to_owned(), port: None }));
        for text in &settings.allowed_hosts {
            hosts.push(Host::parse(text).ok_or_else(|| wrong("--allowed-hosts", text, "mcp.example"))?);
        }
        let mut origins = vec![public.origin().ascii_serialization()];
        for text in &settings.allowed_origins {
            let url = Url::parse(text).ok().filter(|url| url.origin().is_tuple());
            let url = url.ok_or_else(|| wrong("--allowed-origins", text, "https://app.example"))?;
            origins.push(url.origin().ascii_serialization());
        }
        Ok(Self { hosts, origins, takes_local_pages: !settings.is_exposed() })
    }

    /// Against DNS rebinding: a web page's own name may lead to this machine, ours does not change.
    fn check_host(&self, uri: &Uri, headers: &HeaderMap) -> Result<(), Refusal> {
        let missing = || Refusal::new(StatusCode::BAD_REQUEST, "bad_host", "exactly one `Host` is needed");
        let mut given = headers.get_all(header::HOST).iter();
        let (Some(host), None) = (given.next(), given.next()) else { return Err(missing()) };
        let Some(named) = host.to_str().ok().and_then(host_and_port) else { return Err(missing()) };
        let is_ours = |named| self.hosts.iter().any(|host| host.is(named));
        // Who names a host in the request line as well is held to both.
        let is_line_fine =
            uri.authority().is_none_or(|authority| host_and_port(authority.as_str()).is_some_and(is_ours));
        if is_ours(named) && is_line_fine {
            return Ok(());
        }
        Err(Refusal::new(
            StatusCode::FORBIDDEN,
            "wrong_host",
            "this server does not go by that name; see --allowed-hosts",
        ))
    }

    /// Against web pages that speak to servers behind their reader's back.
    fn check_origin(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        let is_fine = |value: &HeaderValue| {
            let Some(url) = value.to_str().ok().and_then(|text| Url::parse(text).ok()) else { return false };
            let is_local = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
            let is_plain = url.path() == "/" && url.query().is_none() && url.username().is_empty();
            let origin = url.origin();
            is_plain
                && origin.is_tuple()
                && (self.takes_local_pages && is_local
                    || self.origins.contains(&origin.ascii_serialization()))
        };
        let mut given = headers.get_all(header::ORIGIN).iter();
        match (given.next(), given.next()) {
            (None, _) => Ok(()),
            (Some(origin), None) if is_fine(origin) => Ok(()),
            _ => Err(Refusal::new(
                StatusCode::FORBIDDEN,
                "wrong_origin",
                "web pages from there may not use this server; see --allowed-origins",
            )),
        }
    }
}

/// What becomes of a request that was let in.
enum Admitted {
    /// It is a call that is answered on the spot.
    Call(Call, Arc<Visit>),
    /// It goes on, as part of a visit where the protocol is spoken.
    On(Box<Request>, Option<Arc<Visit>>),
}

/// The gate itself: answers a request, or passes it on to what there is at its path.
pub(super) async fn gate(guest: Arc<Guest>, request: Request) -> Response {
    let front = &*guest.front;
    let id = request_name();
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let line = Line::new(&id, guest.peer, &method, &path);
    let mut told = Told { front, line, started: front.log.is_some().then(Instant::now) };
    let span = tracing::info_span!("request", id = id.as_str());
    let mut response = match admit(&guest, request, &mut told.line).await {
        Ok(Admitted::Call(call, visit)) => call.answer(&visit.server).instrument(span).await,
        Ok(Admitted::On(request, Some(visit))) => {
            let passed = passed_on(guest.router.clone(), request);
            let answered = VISIT.scope(visit.clone(), passed).instrument(span).await;
            mended(answered, &method, &visit)
        }
        Ok(Admitted::On(request, None)) => passed_on(guest.router.clone(), request).instrument(span).await,
        Err(refusal) => refusal.into_response(),
    };
    told.line.status = response.status().as_u16();
    drop(told);
    if let Ok(value) = HeaderValue::from_str(&id) {
        static NAME: HeaderName = HeaderName::from_static("x-request-id");
        response.headers_mut().insert(&NAME, value);
    }
    response
}

/// Tells of a request at its end, also where its client leaves before the answer.
struct Told<'a> {
    front: &'a Front,
    line: Line<'a>,
    /// Where a log is kept.
    started: Option<Instant>,
}

impl Drop for Told<'_> {
    fn drop(&mut self) {
        self.front.metrics.answered(self.line.path, self.line.status);
        if let (Some(log), Some(started)) = (&self.front.log, self.started) {
            self.line.took = started.elapsed();
            log.write(&self.line);
        }
    }
}

/// Boxed: few requests go here, and all would be as large as the largest.
fn passed_on(mut router: Router, request: Box<Request>) -> BoxFuture<'static, Response> {
    Box::pin(async move { router.call(*request).await.unwrap_or_else(|never| match never {}) })
}

/// A name for a request that no other has, here or in another process. It is no secret, and costs no
/// call of the system.
fn request_name() -> String {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    static KEYS: LazyLock<[RandomState; 2]> = LazyLock::new(Default::default);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let parts = KEYS.each_ref().map(|key| key.hash_one(number).to_be_bytes());
    hex(parts.as_flattened().iter())
}

/// What the protocol library answers in a way that clients stumble over.
fn mended(mut response: Response, method: &Method, visit: &Visit) -> Response {
    match response.status() {
        // Python's client takes anything but 200 and 204 for a failure.
        StatusCode::ACCEPTED if method == Method::DELETE => *response.status_mut() = StatusCode::OK,
        StatusCode::INTERNAL_SERVER_ERROR if visit.found_no_room.load(Ordering::Relaxed) => {
            let text = "all sessions are taken, or you have as many as one caller may have; close one, or call without sessions";
            return Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "no_room", text).into_response();
        }
        // The content type has been checked: what was sent is JSON, but no message.
        StatusCode::UNSUPPORTED_MEDIA_TYPE => return no_message(),
        _ => {}
    }
    response
}

/// JSON-RPC's answer to what is none of its messages.
pub(super) fn no_message() -> Response {
    let text = "the body must be one JSON-RPC 2.0 message; batches are not taken";
    let body = json!({ "jsonrpc": "2.0", "id": null, "error": { "code": -32600, "message": text } });
    let kind = [(header::CONTENT_TYPE, "application/json")];
    (StatusCode::BAD_REQUEST, kind, body.to_string()).into_response()
}

/// Everything that has to be right before the protocol is spoken.
async fn admit(guest: &Guest, request: Request, line: &mut Line<'_>) -> Result<Admitted, Refusal> {
    let front = &*guest.front;
    front.names.check_host(request.uri(), request.headers())?;
    front.names.check_origin(request.headers())?;
    let path = request.uri().path();
    let is_legacy =
        front.has_legacy_sse && matches!(path, "/sse" | "/sse/readonly" | "/messages" | "/messages/readonly");
    let is_streamable = matches!(path, "/mcp" | "/mcp/readonly");
    match path {
        "/health" | "/ready" => return Ok(Admitted::On(Box::new(request), None)),
        "/.well-known/oauth-protected-resource" | "/.well-known/oauth-protected-resource/mcp"
            if front.door.has_issuer() =>
        {
            return Ok(Admitted::On(Box::new(request), None));
        }
        "/metrics" => {
            check_reader(front, request.headers(), guest.peer).await?;
            return Ok(Admitted::On(Box::new(request), None));
        }
        _ if is_streamable || is_legacy => {}
        _ => return Err(Refusal::new(StatusCode::NOT_FOUND, "not_found", "MCP is spoken at /mcp")),
    }
    let who = front.door.check(request.headers()).await?;
    let (mut parts, body) = request.into_parts();
    if parts.method != Method::POST {
        let visit = front.visit(&who, parts.uri.path(), &parts.headers)?;
        name_caller(front, line, &visit);
        return Ok(Admitted::On(Box::new(Request::from_parts(parts, body)), Some(Arc::new(visit))));
    }
    name_media_types(&mut parts.headers);
    let body = checked_body(&parts.headers, body).await?;
    let may_be_answered_here = is_streamable && !front.sessions.are_on;
    let call = if may_be_answered_here { Call::read(&parts.headers, &body) } else { None };
    if call.is_none() {
        check_json(&body)?;
    }
    if front.log.is_some() {
        line.says(&body);
    }
    let Some(call) = call else {
        let visit = front.visit(&who, parts.uri.path(), &parts.headers)?;
        name_caller(front, line, &visit);
        let request = Box::new(Request::from_parts(parts, Body::from(body)));
        return Ok(Admitted::On(request, Some(Arc::new(visit))));
    };
    let visit = front.visit_again(&guest.usual, &who, parts.uri.path(), &parts.headers)?;
    name_caller(front, line, &visit);
    Ok(Admitted::Call(call, visit))
}

fn name_caller(front: &Front, line: &mut Line<'_>, visit: &Visit) {
    if front.log.is_some() {
        line.caller = visit.identity().short();
    }
}

/// Figures are for whoever runs the server: who shows a token, or sits at this machine.
async fn check_reader(front: &Front, headers: &HeaderMap, peer: IpAddr) -> Result<(), Refusal> {
    match front.door.check(headers).await? {
        Who::Anybody => {
            if peer.to_canonical().is_loopback() {
                return Ok(());
            }
            Err(Refusal::new(StatusCode::FORBIDDEN, "not_here", "the figures are for this machine only"))
        }
        Who::Known(_) => Ok(()),
    }
}

/// The protocol library wants both media types by name. Whoever accepts anything accepts both.
fn name_media_types(headers: &mut HeaderMap) {
    let accepts_anything = headers.get(header::ACCEPT).is_none_or(|value| {
        if value == BOTH {
            return false;
        }
        let is_anything = |text: &str| text.split([',', ';']).any(|part| part.trim() == "*/*");
        value.to_str().is_ok_and(|text| text.contains('*') && is_anything(text))
    });
    if accepts_anything {
        let both = HeaderValue::from_static(BOTH);
        headers.insert(header::ACCEPT, both);
    }
}

/// The whole body, if its head says that it is JSON and it is of a fit size.
async fn checked_body(headers: &HeaderMap, body: Body) -> Result<Bytes, Refusal> {
    let is_json = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.split(';').next())
        .is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"));
    if !is_json {
        let text = "the content type must be application/json";
        return Err(Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "wrong_type", text));
    }
    let too_slow = |_| Refusal::new(StatusCode::REQUEST_TIMEOUT, "too_slow", "the body took too long");
    tokio::time::timeout(BODY_LIMIT, whole(body)).await.map_err(too_slow)?
}

fn check_json(body: &[u8]) -> Result<(), Refusal> {
    serde_json::from_slice::<IgnoredAny>(body)
        .map(drop)
        .map_err(|_| Refusal::new(StatusCode::BAD_REQUEST, "bad_json", "the body is no JSON"))
}

async fn whole(body: Body) -> Result<Bytes, Refusal> {
    let mut stream = body.into_data_stream();
    let (mut bytes, mut length) = (Vec::new(), 0);
    while let Some(chunk) = stream.next().await {
        let broken = |_| Refusal::new(StatusCode::BAD_REQUEST, "broken_body", "the body broke off");
        let chunk = chunk.map_err(broken)?;
        length += chunk.len();
        if length <= LARGEST_BODY {
            bytes.extend_from_slice(&chunk);
        } else if length > MOST_THROWN_AWAY {
            break;
        }
    }
    if length > LARGEST_BODY {
        return Err(Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", "a body has at most 1 MiB"));
    }
    Ok(bytes.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_read_strictly() {
        let host = |name: &str, port| Some(Host { name: name.to_owned(), port });
        assert_eq!(Host::parse("LocalHost:80"), host("localhost", Some(80)));
        assert_eq!(Host::parse("[::1]:80"), host("[::1]", Some(80)));
        assert_eq!(Host::parse("[::1]"), host("[::1]", None));
        for wrong in ["", ":80", "a:b", "a@b", "::1", "a b", "localhost:99999"] {
            assert_eq!(Host::parse(wrong), None, "{wrong}");
        }
    }
}
