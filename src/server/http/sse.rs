//! The old HTTP+SSE transport (revision 2024-11-05), which many configurations still name: a stream
//! from `GET /sse`, and messages to `POST /messages`. To the protocol library it is a pair of channels.

use std::{
    collections::HashMap,
    convert::Infallible,
    io,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{
    body::Bytes,
    http::{StatusCode, Uri},
    response::{
        IntoResponse, Response, Sse,
        sse::{Event, KeepAlive},
    },
};
use futures_util::{SinkExt, StreamExt, stream};
use rmcp::{
    RoleServer,
    model::{ClientJsonRpcMessage, JsonRpcMessage},
    service::{TxJsonRpcMessage, serve_server_with_ct},
};
use tokio::sync::mpsc;
use tokio_util::sync::{CancellationToken, DropGuard, PollSender};
use url::form_urlencoded;

use super::{
    Metrics,
    gate::{Refusal, no_message},
    visit::Visit,
};
use crate::auth::{Fingerprint, random_name};

/// How many streams are open at once.
const MOST_STREAMS: usize = 64;
/// How many messages wait in each direction: a client that does not read is not read either.
const QUEUE: usize = 16;
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// How long a message waits for a place in the queue.
const PATIENCE: Duration = Duration::from_secs(10);

/// The open streams.
pub(super) struct Streams {
    open: Arc<Mutex<HashMap<String, Open>>>,
    metrics: Arc<Metrics>,
}

/// Our end of a stream.
#[derive(Clone)]
struct Open {
    /// Whoever opened it.
    identity: Fingerprint,
    messages: mpsc::Sender<ClientJsonRpcMessage>,
    has_begun: Arc<AtomicBool>,
}

/// Ends everything about a stream when its answer is dropped: the client is gone.
struct Ending {
    name: String,
    open: Arc<Mutex<HashMap<String, Open>>>,
    metrics: Arc<Metrics>,
    _stop: DropGuard,
}

impl Drop for Ending {
    fn drop(&mut self) {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.name);
        self.metrics.streams.dec();
    }
}

impl Streams {
    pub(super) fn new(metrics: Arc<Metrics>) -> Self {
        Self { open: Arc::default(), metrics }
    }

    /// Opens a stream whose messages go to this path. `cut` ends all of them.
    pub(super) fn open(&self, visit: &Visit, path: &str, cut: &CancellationToken) -> Response {
        let name = random_name();
        let (messages, incoming) = mpsc::channel(QUEUE);
        let (outgoing, answers) = mpsc::channel::<TxJsonRpcMessage<RoleServer>>(QUEUE);
        let stop = cut.child_token();
        {
            let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
            if open.len() >= MOST_STREAMS {
                let text = "all streams are taken; /mcp has no such limit";
                return Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "no_room", text).into_response();
            }
            let identity = visit.identity().clone();
            open.insert(name.clone(), Open { identity, messages, has_begun: Arc::default() });
        }
        self.metrics.streams.inc();
        let ending = Ending {
            name: name.clone(),
            open: self.open.clone(),
            metrics: self.metrics.clone(),
            _stop: stop.clone().drop_guard(),
        };
        let transport =
            (PollSender::new(outgoing).sink_map_err(io::Error::other), Box::pin(received(incoming)));
        let (server, stopped) = (visit.server.clone(), stop.clone());
        tokio::spawn(async move {
            match serve_server_with_ct(server, transport, stopped).await {
                Ok(running) => drop(running.waiting().await),
                Err(error) => tracing::debug!(%error, "a stream ended before its handshake"),
            }
        });
        let place = Event::default().event("endpoint").data(format!("{path}?sessionId={name}"));
        let events = stream::once(async move { place })
            .chain(received(answers).map(|message| event(&message)))
            .map(move |event| {
                // Lives as long as the stream.
                let _ = &ending;
                Ok::<_, Infallible>(event)
            });
        let events = events.take_until(async move { stop.cancelled().await });
        Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response()
    }

    /// Takes a message for a stream. Only whoever opened it may send: its name alone proves nothing.
    pub(super) async fn take(&self, visit: &Visit, uri: &Uri, body: &Bytes) -> Response {
        let unknown = || {
            Refusal::new(
                StatusCode::NOT_FOUND,
                "no_stream",
                "there is no such stream; open one with GET /sse",
            )
        };
        let query = uri.query().unwrap_or_default().as_bytes();
        let name = form_urlencoded::parse(query)
            .find(|(name, _)| name == "sessionId")
            .map(|(_, value)| value.into_owned());
        let open = name
            .and_then(|name| self.open.lock().unwrap_or_else(PoisonError::into_inner).get(&name).cloned());
        let Some(open) = open.filter(|open| open.identity == *visit.identity()) else {
            return unknown().into_response();
        };
        let Ok(message) = serde_json::from_slice::<ClientJsonRpcMessage>(body) else {
            return no_message();
        };
        match &message {
            JsonRpcMessage::Request(_) => open.has_begun.store(true, Ordering::Relaxed),
            // The protocol library gives up on a client whose first message is not a request.
            _ if !open.has_begun.load(Ordering::Relaxed) => return StatusCode::ACCEPTED.into_response(),
            _ => {}
        }
        match tokio::time::timeout(PATIENCE, open.messages.send(message)).await {
            Ok(Ok(())) => (StatusCode::ACCEPTED, "Accepted").into_response(),
            Ok(Err(_)) => unknown().into_response(),
            Err(_) => {
                let text = "the messages before this one are not taken yet";
                Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "too_many_messages", text).into_response()
            }
        }
    }
}

fn received<T>(receiver: mpsc::Receiver<T>) -> impl stream::Stream<Item = T> {
    stream::unfold(receiver, async |mut receiver| receiver.recv().await.map(|message| (message, receiver)))
}

fn event(message: &TxJsonRpcMessage<RoleServer>) -> Event {
    Event::default().event("message").data(serde_json::to_string(message).unwrap_or_default())
}
