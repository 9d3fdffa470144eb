//! Connections: how many, how long, and in what encryption.

use std::{io, sync::Arc, time::Duration};

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::{GracefulShutdown, Watcher},
    service::TowerToHyperService,
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

use super::gate::Peer;
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
    router: Router,
    stop: CancellationToken,
) {
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
        let (router, tls, graceful) =
            (router.clone().layer(axum::Extension(Peer(address.ip()))), tls.clone(), graceful.watcher());
        tokio::spawn(async move {
            greet(stream, tls, router, graceful).await;
            drop(place);
        });
    }
    drop(listener);
    graceful.shutdown().await;
}

async fn greet(stream: TcpStream, tls: Option<TlsAcceptor>, router: Router, graceful: Watcher) {
    let Some(tls) = tls else { return converse(stream, router, graceful).await };
    match tokio::time::timeout(TLS_LIMIT, tls.accept(stream)).await {
        Ok(Ok(stream)) => converse(stream, router, graceful).await,
        Ok(Err(error)) => tracing::debug!(%error, "a handshake of TLS failed"),
        Err(_) => tracing::debug!("a handshake of TLS took too long"),
    }
}

async fn converse<S>(stream: S, router: Router, graceful: Watcher)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_LIMIT)
        .max_headers(MOST_HEADERS)
        .max_buf_size(LARGEST_HEAD.max(SEND_BUFFER))
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    if let Err(error) = graceful.watch(connection).await {
        tracing::debug!(%error, "a connection ended early");
    }
}

/// What serves HTTPS with these files.
pub(super) fn tls(files: &Tls) -> Result<TlsAcceptor> {
    let unusable = |path: &std::path::Path, problem: String| Error::File {
        path: path.display().to_string(),
        problem: format!("it cannot serve HTTPS: {problem}"),
    };
    let broken_chain = |error: &dyn std::fmt::Display| unusable(&files.certificates, error.to_string());
    let chain = CertificateDer::pem_file_iter(&files.certificates)
        .map_err(|error| broken_chain(&error))?
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| broken_chain(&error))?;
    // The key's own text never stands in an error.
    let key = PrivateKeyDer::from_pem_file(&files.key)
        .map_err(|_| unusable(&files.key, "it holds no private key in PEM".to_owned()))?;
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
        .map_err(|error| io::Error::other(error.to_string()))
        .map_err(|error| broken_chain(&error))?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}
