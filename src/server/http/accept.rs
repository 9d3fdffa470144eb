//! Connections: how many, how long, and in what encryption.

use std::{convert::Infallible, fs, path::Path, sync::Arc, time::Duration};

use axum::body::Body;
use hyper::{Request, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::{GracefulShutdown, Watcher},
};
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::Semaphore,
};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use super::{
    Front,
    gate::{Guest, gate},
    routes,
    visit::Usual,
};
use crate::{
    error::{Error, Result},
    settings::Tls,
};

/// How many connections are open at once; further ones wait in the system's queue.
const MOST_CONNECTIONS: usize = 1024;
/// How long a client may take for a request's head, and keep an idle connection.
const HEAD_LIMIT: Duration = Duration::from_secs(15);
/// How long the handshake of TLS may take.
const TLS_LIMIT: Duration = Duration::from_secs(10);
/// The largest head: a token, a few headers of MCP and a browser's own fit many times.
const LARGEST_HEAD: usize = 32 * 1024;
const MOST_HEADERS: usize = 64;
/// What waits to be written to a slow reader.
const SEND_BUFFER: usize = 64 * 1024;

/// Accepts until stopped, then waits for the open connections to end.
pub(super) async fn run(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    front: Arc<Front>,
    stop: CancellationToken,
) {
    let router = routes::router(&front);
    let places = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    let graceful = GracefulShutdown::new();
    loop {
        let Ok(place) = places.clone().acquire_owned().await else { break };
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        let (stream, address) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Too many open files, usually: some will be closed.
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        // Small answers must not wait for the client's acknowledgement.
        let _ = stream.set_nodelay(true);
        let guest = Arc::new(Guest {
            front: front.clone(),
            router: router.clone(),
            peer: address.ip(),
            usual: Usual::default(),
        });
        let (tls, graceful) = (tls.clone(), graceful.watcher());
        tokio::spawn(async move {
            greet(stream, tls, guest, graceful).await;
            drop(place);
        });
    }
    drop(listener);
    graceful.shutdown().await;
}

async fn greet(stream: TcpStream, tls: Option<TlsAcceptor>, guest: Arc<Guest>, graceful: Watcher) {
    let Some(tls) = tls else { return converse(stream, guest, graceful).await };
    match tokio::time::timeout(TLS_LIMIT, tls.accept(stream)).await {
        Ok(Ok(stream)) => converse(stream, guest, graceful).await,
        Ok(Err(error)) => tracing::debug!(%error, "a handshake of TLS failed"),
        Err(_) => tracing::debug!("a handshake of TLS took too long"),
    }
}

async fn converse<S>(stream: S, guest: Arc<Guest>, graceful: Watcher)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let answer = service_fn(move |request: Request<Incoming>| {
        let answered = gate(guest.clone(), request.map(Body::new));
        async { Ok::<_, Infallible>(answered.await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_LIMIT)
        .max_headers(MOST_HEADERS)
        .max_buf_size(LARGEST_HEAD.max(SEND_BUFFER))
        .serve_connection(TokioIo::new(stream), answer);
    if let Err(error) = graceful.watch(connection).await {
        tracing::debug!(%error, "a connection ended early");
    }
}

/// What serves HTTPS with these files.
///
/// # Errors
/// Which file is wrong, and how. Nothing of the key's text stands in an error.
pub(super) fn tls(files: &Tls) -> Result<TlsAcceptor> {
    let chain: Vec<_> = CertificateDer::pem_slice_iter(&content(&files.certificates)?)
        .collect::<Result<_, _>>()
        .map_err(|_| unusable("--tls-cert", &files.certificates, "is no certificate in PEM"))?;
    if chain.is_empty() {
        return Err(unusable("--tls-cert", &files.certificates, "holds no certificate in PEM"));
    }
    let key = PrivateKeyDer::from_pem_slice(&content(&files.key)?)
        .map_err(|_| unusable("--tls-key", &files.key, "holds no private key in PEM"))?;
    let broken = |error: rustls::Error| match error {
        rustls::Error::InconsistentKeys(_) => {
            unusable("--tls-key", &files.key, "is not the key of the certificate")
        }
        other => unusable("--tls-cert", &files.certificates, &format!("cannot be used: {other}")),
    };
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
        .map_err(broken)?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

fn content(path: &Path) -> Result<Vec<u8>> {
    fs::read(path)
        .map_err(|error| Error::File { path: path.display().to_string(), problem: error.to_string() })
}

fn unusable(flag: &str, path: &Path, problem: &str) -> Error {
    Error::Usage {
        problem: format!("{flag}: {} {problem}", path.display()),
        hint: "Give a certificate chain and the private key that was made with it, both in PEM.".to_owned(),
    }
}
