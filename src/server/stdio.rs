//! MCP over stdin and stdout. stdout carries the protocol and nothing else.

use std::{sync::Arc, time::Duration};

use rmcp::{
    service::{ServerInitializeError, serve_server_with_ct},
    transport::stdio_pipes,
};
use tokio_util::sync::CancellationToken;

use super::{Server, told_to_stop, transport::LineTransport};
use crate::{
    auth::Caller,
    dispatch::App,
    error::{Error, Result},
};

/// How long writing calls and the replacement of a token may take to finish once the server is to stop.
const LAST_WRITES: Duration = Duration::from_secs(5);

/// Serves one client until it closes its end or the process is told to stop. Writing calls under way,
/// and the replacement of a token, are finished first.
///
/// # Errors
/// When the connection fails in a way that the client did not intend.
pub async fn serve(app: Arc<App>, caller: Arc<Caller>) -> Result<()> {
    let closed = CancellationToken::new();
    let stop = CancellationToken::new();
    let (reader, writer) = stdio_pipes();
    let transport = LineTransport::new(reader, writer, closed.clone());
    let server = Server::new(app.clone(), caller.clone(), closed);
    let serving = async {
        match serve_server_with_ct(server, transport, stop.clone()).await {
            Ok(running) => running.waiting().await.map(drop).map_err(|error| failed(&error)),
            // Clients probe on a throw-away process and close it without a word.
            Err(ServerInitializeError::ConnectionClosed(_) | ServerInitializeError::Cancelled) => Ok(()),
            Err(error) => Err(failed(&error)),
        }
    };
    tokio::pin!(serving);
    let outcome = tokio::select! {
        outcome = &mut serving => outcome,
        () = told_to_stop() => {
            stop.cancel();
            // Answers on their way out get a moment; a client that does not read gets no more.
            tokio::time::timeout(Duration::from_secs(1), serving).await.unwrap_or(Ok(()))
        }
    };
    app.writes.close();
    let last = async {
        app.writes.wait().await;
        caller.settled().await;
    };
    if tokio::time::timeout(LAST_WRITES, last).await.is_err() {
        tracing::warn!("stopping although a writing call or a new token has not been answered");
    }
    outcome
}

fn failed(error: &dyn std::error::Error) -> Error {
    Error::Bug {
        problem: format!(
            "the connection to the client failed: {}",
            crate::error::foreign(&error.to_string())
        ),
    }
}
