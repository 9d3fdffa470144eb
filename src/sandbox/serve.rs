//! One request from arrival to answer, in the order in which Figma looks at it.

use std::{convert::Infallible, io, sync::Arc, time::Duration};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{ConnectInfo, Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::Response,
};
use flate2::{Compress, Compression, Crc, FlushCompress};
use futures_util::{StreamExt, stream};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use url::form_urlencoded;

use super::{
    answer::{Answer, Outcome, Refusal},
    check,
    connection::{Cut, CuttableListener},
    faults::{self, DAYS, Failure, Fault},
    files, oauth,
    route::{Call, Operation},
    scale,
    state::World,
};
use crate::table::Tier;

pub(super) const JSON: &str = "application/json; charset=utf-8";
/// Figma refuses larger bodies with 413.
const BODY_LIMIT: usize = 4 << 20;
const MEGABYTE: usize = 1 << 20;

/// Serves until the world stops.
pub(super) async fn run(listener: TcpListener, world: Arc<World>) {
    let stop = world.stop.clone();
    let app = Router::new().fallback(receive).with_state(world).into_make_service_with_connect_info::<Cut>();
    let served = axum::serve(CuttableListener(listener), app)
        .with_graceful_shutdown(async move { stop.cancelled().await })
        .await;
    if let Err(error) = served {
        tracing::warn!(%error, "the sandbox stopped");
    }
}

/// Notes the request and its status around the answer.
async fn receive(
    State(world): State<Arc<World>>,
    ConnectInfo(cut): ConnectInfo<Cut>,
    request: Request,
) -> Response {
    let uri = request.uri();
    if uri.path() == "/_sandbox/requests" {
        return respond(StatusCode::OK, JSON, world.requests().to_string());
    }
    if let Some(key) = uri.path().strip_prefix("/_sandbox/touch/") {
        // As if somebody had changed that file in Figma.
        world.state().touch(key);
        return respond(StatusCode::OK, JSON, "{}");
    }
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let token = check::token_header(request.headers());
    let number = world.note_request(request.method().as_str(), path, token);
    let response = if uri.path().starts_with("/images/") {
        let (path, query) = (uri.path().to_owned(), uri.query().unwrap_or_default().to_owned());
        image(&world, path, query, token.is_some()).await
    } else if uri.path() == "/_sandbox/elsewhere" {
        // Where the redirect leads: a client that brings its token here has given it away.
        respond(StatusCode::OK, JSON, json!({ "token_received": token.is_some() }).to_string())
    } else if oauth::is_ours(uri.path()) {
        oauth::answer(&world, request).await
    } else {
        api(&world, &cut, request).await
    };
    world.note_status(number, response.status().as_u16());
    response
}

/// Image addresses need no token, and must never see one.
async fn image(world: &Arc<World>, path: String, query: String, has_token: bool) -> Response {
    if has_token {
        return refused(&Refusal::bad("An image address must not be sent a Figma token"), false);
    }
    let world = Arc::clone(world);
    // Drawing takes time that other requests should not wait for.
    let drawn = tokio::task::spawn_blocking(move || files::image(&world, &path, &query)).await;
    match drawn.ok().flatten() {
        Some((content_type, bytes)) => respond(StatusCode::OK, content_type, bytes),
        None => refused(&Refusal::not_found(), false),
    }
}

/// A call of the API.
async fn api(world: &Arc<World>, cut: &Cut, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let matched = world
        .operations
        .iter()
        .find_map(|operation| Some((operation, operation.matches(parts.method.as_str(), parts.uri.path())?)));
    let Some((operation, args)) = matched else {
        return refused(&Refusal::not_found(), false);
    };
    let style = |refusal: &Refusal| refused(refusal, operation.boolean_style.contains(&refusal.status));
    let Ok(body) = axum::body::to_bytes(body, BODY_LIMIT).await else {
        return style(&Refusal::new(413, "Request payload too large"));
    };
    let incoming =
        Incoming { world, operation, args, headers: &parts.headers, query: parts.uri.query(), body };
    match incoming.check() {
        Err(refusal) => style(&refusal),
        Ok((call, None)) => scale::answer(&call, operation, &parts.headers)
            .unwrap_or_else(|| answer(&(operation.handler)(&call), operation)),
        Ok((call, Some(fault))) => fail(fault, &call, operation, &parts.headers, cut).await,
    }
}

/// A request for a known operation.
struct Incoming<'a> {
    world: &'a World,
    operation: &'a Operation,
    args: Vec<String>,
    headers: &'a HeaderMap,
    query: Option<&'a str>,
    body: Bytes,
}

impl<'a> Incoming<'a> {
    /// Everything that Figma checks, in its order; then the fault that strikes, if any.
    fn check(self) -> Result<(Call<'a>, Option<&'static Fault>), Refusal> {
        let Self { world, operation, args, headers, query, body } = self;
        let endpoint = operation.endpoint;
        let has_401 = operation.boolean_style.contains(&401);
        let token = check::token(headers, world).ok_or_else(|| check::invalid_token(has_401))?;
        check::permission(&token, endpoint)?;
        if token.is_starter && endpoint.tier == Tier::One {
            return Err(Refusal::rate_limit(DAYS, true));
        }
        let query: Vec<(String, String)> =
            form_urlencoded::parse(query.unwrap_or_default().as_bytes()).into_owned().collect();
        let (query, body) = if endpoint.method.uses_query() {
            (operation.check_query(&query)?, Value::Null)
        } else {
            if let Some((name, _)) = query.first() {
                return Err(Refusal::bad(format!("Unknown parameter {name}")));
            }
            let body: Value = if body.is_empty() { json!({}) } else { read_json(headers, &body)? };
            operation.check_body(&body)?;
            (serde_json::Map::new(), body)
        };
        let key = operation.file_key(&args, &body);
        let call = Call { world, path: args, query, body };
        let fault = key
            .and_then(|key| faults::find(&key))
            .filter(|fault| fault.concerns(endpoint, call.number("depth")))
            .filter(|fault| world.state().strikes(fault));
        Ok((call, fault))
    }
}

fn read_json(headers: &HeaderMap, body: &[u8]) -> Result<Value, Refusal> {
    let content_type =
        headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !content_type.starts_with("application/json") {
        return Err(Refusal::bad("Request body must be sent as application/json"));
    }
    serde_json::from_slice(body).map_err(|_| Refusal::bad("Request body is not valid JSON"))
}

/// Fails a call as its file key asks for.
async fn fail(
    fault: &Fault,
    call: &Call<'_>,
    operation: &Operation,
    headers: &HeaderMap,
    cut: &Cut,
) -> Response {
    let refuse = |refusal: &Refusal| refused(refusal, operation.boolean_style.contains(&refusal.status));
    match fault.failure {
        Failure::Refuse(status, message) => refuse(&Refusal::new(status, message)),
        Failure::InvalidToken => refuse(&check::invalid_token(operation.boolean_style.contains(&401))),
        Failure::InvalidScope => refuse(&check::invalid_scope("current_user:read", operation.endpoint)),
        Failure::RateLimit(seconds, explained) => refuse(&Refusal::rate_limit(seconds, explained)),
        Failure::Delay(seconds) => {
            tokio::select! {
                () = tokio::time::sleep(Duration::from_secs(seconds)) => {}
                () = call.world.stop.cancelled() => {}
            }
            answer(&(operation.handler)(call), operation)
        }
        Failure::Hang => {
            call.world.stop.cancelled().await;
            refuse(&Refusal::new(500, "The sandbox stops"))
        }
        Failure::BreakOff => {
            // Head and half have to leave before the connection closes.
            broken(&(operation.handler)(call), tokio::time::sleep(Duration::from_millis(100)))
        }
        Failure::Stall => broken(&(operation.handler)(call), std::future::pending()),
        Failure::CloseUnanswered => {
            let outcome = (operation.handler)(call);
            cut.now();
            answer(&outcome, operation)
        }
        Failure::Other { content_type, body } => respond(StatusCode::OK, content_type, body),
        Failure::Flood(megabytes) => flood(megabytes, headers),
        Failure::Redirect => redirect(call.world),
    }
}

fn answer(outcome: &Outcome, operation: &Operation) -> Response {
    match outcome {
        Ok(Answer(body)) => respond(StatusCode::OK, JSON, body.clone()),
        Err(refusal) => refused(refusal, operation.boolean_style.contains(&refusal.status)),
    }
}

pub(super) fn respond(status: StatusCode, content_type: &str, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    if let Ok(value) = HeaderValue::from_str(content_type) {
        response.headers_mut().insert(header::CONTENT_TYPE, value);
    }
    response
}

fn refused(refusal: &Refusal, is_boolean_style: bool) -> Response {
    let status = StatusCode::from_u16(refusal.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = respond(status, JSON, refusal.body(is_boolean_style).to_string());
    for (name, value) in &refusal.headers {
        if let Ok(value) = HeaderValue::from_str(value) {
            response.headers_mut().insert(*name, value);
        }
    }
    response
}

/// Promises the whole answer, sends half of it and closes the connection after a while.
fn broken(outcome: &Outcome, a_while: impl Future<Output = ()> + Send + 'static) -> Response {
    let body = outcome.as_ref().map(|answer| answer.0.clone()).unwrap_or_default();
    let length = body.len().max(2);
    let half = Bytes::from(body).slice(..length / 2);
    let end = stream::once(async {
        a_while.await;
        Err(io::Error::from(io::ErrorKind::ConnectionAborted))
    });
    let broken = stream::iter([Ok(half)]).chain(end);
    let mut response = respond(StatusCode::OK, JSON, Body::from_stream(broken));
    response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    response
}

fn redirect(world: &World) -> Response {
    // The same machine by another name: for an HTTP client that is another host.
    let place = format!("http://localhost:{}/_sandbox/elsewhere", world.address.port());
    let mut response = respond(StatusCode::FOUND, JSON, Body::empty());
    if let Ok(place) = HeaderValue::from_str(&place) {
        response.headers_mut().insert(header::LOCATION, place);
    }
    response
}

const FLOOD_START: &str = r#"{"name":"Endless","role":"viewer","lastModified":"2026-01-01T00:00:00Z","editorType":"figma","version":"1","document":{"id":"0:0","name":"Document","type":"DOCUMENT","children":["#;
const FLOOD_NODE: &str = r#"{"id":"1:1","name":"Leaf","type":"RECTANGLE","scrollBehavior":"SCROLLS","blendMode":"PASS_THROUGH","fills":[],"strokes":[]},"#;
const FLOOD_END: &str = r#"{"id":"0:1","name":"Page","type":"CANVAS","children":[]}]},"components":{},"componentSets":{},"schemaVersion":0,"styles":{}}"#;

/// So many megabytes of valid JSON, never held in memory.
fn flood(megabytes: usize, headers: &HeaderMap) -> Response {
    let chunk = Bytes::from(FLOOD_NODE.repeat(MEGABYTE / FLOOD_NODE.len()));
    let accepted =
        headers.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let is_compressed = accepted.contains("gzip");
    let (start, chunk, end) = if is_compressed {
        compressed(&chunk, megabytes)
    } else {
        (Bytes::from_static(FLOOD_START.as_bytes()), chunk, Bytes::from_static(FLOOD_END.as_bytes()))
    };
    let parts = std::iter::once(start).chain(std::iter::repeat_n(chunk, megabytes)).chain([end]);
    let body = Body::from_stream(stream::iter(parts.map(Ok::<_, Infallible>)));
    let mut response = respond(StatusCode::OK, JSON, body);
    if is_compressed {
        response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    response
}

/// The three parts as pieces of one gzip stream. The middle ends with a full flush, so that the same
/// bytes can be sent again and again.
fn compressed(chunk: &[u8], count: usize) -> (Bytes, Bytes, Bytes) {
    const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    let deflated = |data: &[u8], flush| {
        let mut piece = Vec::with_capacity(data.len() + 64);
        // A buffer of that size takes everything at once, so there is nothing to repeat or to fail.
        drop(Compress::new(Compression::fast(), false).compress_vec(data, &mut piece, flush));
        piece
    };
    let mut start = HEADER.to_vec();
    start.extend(deflated(FLOOD_START.as_bytes(), FlushCompress::Full));
    let middle = deflated(chunk, FlushCompress::Full);
    let mut end = deflated(FLOOD_END.as_bytes(), FlushCompress::Finish);
    let crc_of = |data: &[u8]| {
        let mut crc = Crc::new();
        crc.update(data);
        crc
    };
    let (mut all, one) = (crc_of(FLOOD_START.as_bytes()), crc_of(chunk));
    (0..count).for_each(|_| all.combine(&one));
    all.combine(&crc_of(FLOOD_END.as_bytes()));
    end.extend(all.sum().to_le_bytes());
    end.extend(all.amount().to_le_bytes());
    (start.into(), middle.into(), end.into())
}
