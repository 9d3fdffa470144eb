//! What there is at which path.

use std::{
    io,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use axum::{
    Router,
    body::to_bytes,
    extract::{Request, State},
    http::{Method, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{any, get, post},
};
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};

use super::{Front, gate::LARGEST_BODY, sessions::Sessions, visit::VISIT};

const KEEP_ALIVE: Duration = Duration::from_secs(15);

#[cfg(not(feature = "conformance"))]
type Served = crate::server::Server;
#[cfg(feature = "conformance")]
type Served = crate::server::fixtures::WithFixtures;
type Mcp = StreamableHttpService<Served, Sessions>;

#[cfg(not(feature = "conformance"))]
const fn served(server: Served) -> Served {
    server
}

#[cfg(feature = "conformance")]
const fn served(server: crate::server::Server) -> Served {
    crate::server::fixtures::WithFixtures(server)
}

/// Everything that is served. Nothing comes here but through the gate.
pub(super) fn router(front: &Arc<Front>) -> Router {
    let mcp = streamable(front);
    let serve =
        |mcp: Mcp| any(move |request: Request| async move { mcp.handle(request).await.into_response() });
    let mut router = Router::new()
        .route("/mcp", serve(mcp.clone()))
        .route("/mcp/readonly", serve(mcp.clone()))
        .route("/health", get(async || "ok\n"))
        .route("/ready", get(ready))
        .route("/metrics", get(figures))
        .route("/.well-known/oauth-protected-resource", get(metadata))
        .route("/.well-known/oauth-protected-resource/mcp", get(metadata));
    if front.has_legacy_sse {
        let sse = any(move |front: State<Arc<Front>>, request: Request| legacy(front, mcp, request));
        router = router
            .route("/sse", sse.clone())
            .route("/sse/readonly", sse)
            .route("/messages", post(messages))
            .route("/messages/readonly", post(messages));
    }
    router.with_state(front.clone())
}

/// The protocol library's service. The gate has checked hosts and origins, on these routes and on all
/// others, so the library's own lists, which it keeps for its routes only, stay empty.
fn streamable(front: &Front) -> Mcp {
    let config = StreamableHttpServerConfig::default()
        .with_legacy_session_mode(front.sessions.are_on)
        .with_json_response(true)
        .disable_allowed_hosts()
        .disable_allowed_origins()
        .with_max_request_body_bytes(LARGEST_BODY)
        .with_sse_keep_alive(Some(KEEP_ALIVE))
        .with_cancellation_token(front.cut.child_token());
    let server = || VISIT.try_with(|visit| served(visit.server.clone())).map_err(io::Error::other);
    StreamableHttpService::new(server, front.sessions.clone(), config)
}

/// Whether requests should be sent here.
async fn ready(State(front): State<Arc<Front>>) -> Response {
    if front.is_stopping.load(Ordering::Relaxed) {
        return (StatusCode::SERVICE_UNAVAILABLE, "stopping\n").into_response();
    }
    "ok\n".into_response()
}

async fn figures(State(front): State<Arc<Front>>) -> Response {
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], front.metrics.text()).into_response()
}

async fn metadata(State(front): State<Arc<Front>>) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], front.door.metadata().to_string()).into_response()
}

/// A stream of the old transport; clients that try the new one here first get it.
async fn legacy(State(front): State<Arc<Front>>, mcp: Mcp, request: Request) -> Response {
    if request.method() != Method::GET {
        return mcp.handle(request).await.into_response();
    }
    let is_read_only = request.uri().path().ends_with("/readonly");
    let place = if is_read_only { "/messages/readonly" } else { "/messages" };
    VISIT
        .try_with(|visit| front.streams.open(visit, place, &front.cut))
        .unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())
}

async fn messages(State(front): State<Arc<Front>>, request: Request) -> Response {
    let Ok(visit) = VISIT.try_with(Arc::clone) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let uri = request.uri().clone();
    match to_bytes(request.into_body(), LARGEST_BODY).await {
        Ok(body) => front.streams.take(&visit, &uri, &body).await,
        Err(_) => StatusCode::PAYLOAD_TOO_LARGE.into_response(),
    }
}
