//! MCP over HTTP: Streamable HTTP at `/mcp`, the old HTTP+SSE transport at `/sse`, and what whoever
//! runs the server needs beside them.
//!
//! Every request passes the same gate first (`gate`): where it is addressed to, which web page sent
//! it, who calls, with whose Figma account, and how large it is. Only then does the protocol library
//! see it.

mod accept;
mod access;
mod direct;
mod gate;
mod jwt;
mod log;
mod metrics;
mod routes;
mod sessions;
mod signature;
mod sse;
mod visit;

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub(super) use self::metrics::Metrics;
use self::{access::Door, gate::Names, log::AccessLog, sessions::Sessions, sse::Streams, visit::Visitors};
use super::{Server, told_to_stop};
use crate::{
    auth::Caller,
    dispatch::App,
    error::{Error, Result},
    settings::HttpSettings,
};

/// How long everything may take to end once the server is told to stop.
const LAST_WORDS: Duration = Duration::from_secs(5);
/// How long answers under way may take before their streams are cut.
const LAST_ANSWERS: Duration = Duration::from_millis(2500);

/// Where lines for a person go.
pub type Tell = fn(&str);

/// What every request needs.
struct Front {
    /// The server as it is for whoever uses its own Figma account.
    server: Server,
    door: Door,
    names: Names,
    visitors: Visitors,
    sessions: Arc<Sessions>,
    streams: Streams,
    metrics: Arc<Metrics>,
    log: Option<AccessLog>,
    is_stopping: AtomicBool,
    /// Whether whoever reaches this server may bring a Figma token.
    takes_tokens: bool,
    has_legacy_sse: bool,
    /// Cuts every stream that is still open.
    cut: CancellationToken,
}

/// Serves until the process is told to stop. Writing calls under way are finished first.
///
/// # Errors
/// When it cannot listen, or when the settings do not fit together.
pub async fn serve(app: Arc<App>, caller: Arc<Caller>, settings: &HttpSettings, tell: Tell) -> Result<()> {
    let Some(address) = settings.address()? else {
        return Err(Error::Bug { problem: "HTTP was asked for without an address".to_owned() });
    };
    let tls = settings.tls().map(|files| accept::tls(&files)).transpose()?;
    let listener = TcpListener::bind(address).await.map_err(|error| cannot_listen(address, &error))?;
    let bound = listener.local_addr().map_err(|error| cannot_listen(address, &error))?;
    let scheme = if tls.is_some() { "https" } else { "http" };
    let public = settings.public_url().map_or_else(|| format!("{scheme}://{bound}"), str::to_owned);
    let closed = CancellationToken::new();
    let front = Arc::new(front(&app, caller, settings, bound, &public, closed.clone(), tell)?);
    tell(&format!("figma-mcp: listening at {scheme}://{bound}/mcp\n"));
    let stop = CancellationToken::new();
    let accepting = accept::run(listener, tls, front.clone(), stop.clone());
    let serving = tokio::spawn(accepting);
    told_to_stop().await;
    front.is_stopping.store(true, Ordering::Relaxed);
    let ended = tokio::time::timeout(LAST_WORDS, end(&app, &front, &stop, &closed, serving)).await;
    if ended.is_err() {
        tracing::warn!("stopping although not everything under way has ended");
    }
    Ok(())
}

/// First no more connections, then the answers under way, then the streams, then what is still written.
async fn end(
    app: &App,
    front: &Front,
    stop: &CancellationToken,
    closed: &CancellationToken,
    serving: tokio::task::JoinHandle<()>,
) {
    stop.cancel();
    closed.cancel();
    let idle = async {
        while front.metrics.calls_under_way() > 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        // The last answers are on their way into the sockets.
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    if tokio::time::timeout(LAST_ANSWERS, idle).await.is_err() {
        tracing::warn!("cutting off answers that take too long");
    }
    front.cut.cancel();
    app.writes.close();
    app.writes.wait().await;
    front.server.caller.settled().await;
    if serving.await.is_err() {
        tracing::error!("the listener broke off");
    }
}

fn front(
    app: &Arc<App>,
    caller: Arc<Caller>,
    settings: &HttpSettings,
    bound: SocketAddr,
    public: &str,
    closed: CancellationToken,
    tell: Tell,
) -> Result<Front> {
    let metrics = Arc::new(Metrics::new(app.clone()));
    let mut server = Server::new(app.clone(), caller, closed);
    server.metrics = Some(metrics.clone());
    Ok(Front {
        server,
        door: Door::new(&settings.access(), public, app.network().clone())?,
        names: Names::new(settings, bound, public)?,
        visitors: Visitors::default(),
        sessions: Arc::new(Sessions::new(settings.http_sessions, metrics.clone())),
        streams: Streams::new(metrics.clone()),
        metrics,
        log: settings.access_log().map(|format| AccessLog::start(format, tell)).transpose()?,
        is_stopping: AtomicBool::new(false),
        takes_tokens: settings.allow_client_token || !settings.is_exposed(),
        has_legacy_sse: !settings.no_legacy_sse,
        cut: CancellationToken::new(),
    })
}

fn cannot_listen(address: SocketAddr, error: &std::io::Error) -> Error {
    Error::Usage {
        problem: format!("cannot listen at {address}: {error}"),
        hint: "Choose another address with --http; port 0 takes any that is free.".to_owned(),
    }
}
