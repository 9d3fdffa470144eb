//! MCP over a pair of byte streams, a message a line.
//!
//! The protocol library's own line transport has four habits that hurt here, all met in practice: it
//! drops unreadable lines without an answer; it dies of a notification that arrives before the client
//! chose a lifecycle; it runs any number of requests at once; and it tells nobody that the client is
//! gone until every call has ended.

use std::{
    collections::HashSet,
    io,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
};

use futures_util::StreamExt;
use rmcp::{
    ErrorData, RoleServer,
    model::{ClientJsonRpcMessage, ClientNotification, ClientRequest, ErrorCode, JsonRpcMessage, RequestId},
    service::{RxJsonRpcMessage, TxJsonRpcMessage},
    transport::Transport,
};
use serde_json::Value;
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt},
    sync::Semaphore,
};
use tokio_util::{
    bytes::{Buf, BytesMut},
    codec::{Decoder, FramedRead},
    sync::CancellationToken,
};

/// The longest message that is read. Arguments are small; Figma itself refuses bodies above 4 MB.
const LONGEST_LINE: usize = 8 * 1024 * 1024;
/// How many requests are under way at once; further ones stay in the pipe. Above what all tiers can
/// hold together (64 waiting each, and those running), so that local answers never wait for Figma's.
const MOST_REQUESTS: usize = 256;

/// See the module's description.
pub(super) struct LineTransport<R, W> {
    lines: FramedRead<R, Lines>,
    writer: Arc<tokio::sync::Mutex<W>>,
    /// An answer that reading itself gives. Kept here since `receive` can be dropped at any point.
    reply: Option<Pin<Box<dyn Future<Output = io::Result<()>> + Send>>>,
    lifecycle_chosen: bool,
    in_flight: Arc<InFlight>,
    closed: CancellationToken,
}

/// The requests that have not been answered yet.
struct InFlight {
    places: Semaphore,
    ids: Mutex<HashSet<RequestId>>,
}

impl InFlight {
    fn add(&self, id: RequestId) -> bool {
        self.ids.lock().unwrap_or_else(PoisonError::into_inner).insert(id)
    }

    fn remove(&self, id: &RequestId) {
        if self.ids.lock().unwrap_or_else(PoisonError::into_inner).remove(id) {
            self.places.add_permits(1);
        }
    }
}

impl<R: AsyncRead, W> LineTransport<R, W> {
    /// `closed` is cancelled when the client closes its end.
    pub(super) fn new(reader: R, writer: W, closed: CancellationToken) -> Self {
        Self {
            lines: FramedRead::with_capacity(reader, Lines::default(), 8 * 1024),
            writer: Arc::new(tokio::sync::Mutex::new(writer)),
            reply: None,
            lifecycle_chosen: false,
            in_flight: Arc::new(InFlight { places: Semaphore::new(MOST_REQUESTS), ids: Mutex::default() }),
            closed,
        }
    }
}

impl<R, W> LineTransport<R, W>
where
    R: AsyncRead + Send + Unpin + 'static,
    W: AsyncWrite + Send + Unpin + 'static,
{
    /// The next message, or `None` at the end of the input.
    async fn next_message(&mut self) -> Option<ClientJsonRpcMessage> {
        loop {
            if let Some(reply) = &mut self.reply {
                let sent = reply.await;
                self.reply = None;
                sent.ok()?;
            }
            let read = match self.lines.next().await? {
                Ok(Line::Whole(line)) => understand(&line),
                Ok(Line::TooLong) => Err(Some(Box::new(refusal(
                    ErrorCode::INVALID_REQUEST,
                    format!(
                        "a message of more than {} MB was dropped; send less",
                        LONGEST_LINE / 1024 / 1024
                    ),
                    None,
                )))),
                Err(error) => {
                    tracing::warn!(%error, "reading from the client failed");
                    return None;
                }
            };
            match read {
                Ok(message) => return Some(message),
                Err(reply) => self.reply = reply.map(|reply| self.write(*reply)),
            }
        }
    }

    fn write(
        &self,
        message: TxJsonRpcMessage<RoleServer>,
    ) -> Pin<Box<dyn Future<Output = io::Result<()>> + Send>> {
        let writer = self.writer.clone();
        Box::pin(async move {
            let mut line = serde_json::to_vec(&message)?;
            line.push(b'\n');
            let mut writer = writer.lock().await;
            writer.write_all(&line).await?;
            writer.flush().await
        })
    }
}

impl<R, W> Transport<RoleServer> for LineTransport<R, W>
where
    R: AsyncRead + Send + Unpin + 'static,
    W: AsyncWrite + Send + Unpin + 'static,
{
    type Error = io::Error;

    fn send(
        &mut self,
        item: TxJsonRpcMessage<RoleServer>,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send + 'static {
        let answered = match &item {
            JsonRpcMessage::Response(response) => Some(response.id.clone()),
            JsonRpcMessage::Error(error) => error.id.clone(),
            JsonRpcMessage::Request(_) | JsonRpcMessage::Notification(_) => None,
        };
        let in_flight = self.in_flight.clone();
        let written = self.write(item);
        async move {
            let outcome = written.await;
            if let Some(id) = answered {
                in_flight.remove(&id);
            }
            outcome
        }
    }

    async fn receive(&mut self) -> Option<RxJsonRpcMessage<RoleServer>> {
        let in_flight = self.in_flight.clone();
        loop {
            // Nobody closes the semaphore.
            let place = in_flight.places.acquire().await.ok()?;
            let Some(message) = self.next_message().await else {
                self.closed.cancel();
                return None;
            };
            match &message {
                JsonRpcMessage::Request(request) => {
                    self.lifecycle_chosen |= !matches!(
                        request.request,
                        ClientRequest::DiscoverRequest(_) | ClientRequest::PingRequest(_)
                    );
                    if in_flight.add(request.id.clone()) {
                        place.forget();
                    }
                }
                _ if !self.lifecycle_chosen => continue,
                JsonRpcMessage::Notification(notification) => {
                    // A cancelled request is not answered.
                    if let ClientNotification::CancelledNotification(cancelled) = &notification.notification
                        && let Some(id) = &cancelled.params.request_id
                    {
                        in_flight.remove(id);
                    }
                }
                JsonRpcMessage::Response(_) | JsonRpcMessage::Error(_) => {}
            }
            return Some(message);
        }
    }

    async fn close(&mut self) -> Result<(), Self::Error> {
        self.writer.lock().await.flush().await
    }
}

/// A line as a message, or the answer it deserves; `None` where none is due.
fn understand(line: &[u8]) -> Result<ClientJsonRpcMessage, Option<Box<TxJsonRpcMessage<RoleServer>>>> {
    const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";
    let line = line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line).trim_ascii();
    if line.is_empty() {
        return Err(None);
    }
    serde_json::from_slice(line).map_err(|problem| answer_to_unreadable(line, &problem).map(Box::new))
}

fn answer_to_unreadable(line: &[u8], problem: &serde_json::Error) -> Option<TxJsonRpcMessage<RoleServer>> {
    let Ok(value) = serde_json::from_slice::<Value>(line) else {
        let text = format!("this line is no JSON ({problem}); send one JSON-RPC message a line");
        return Some(refusal(ErrorCode::PARSE_ERROR, text, None));
    };
    let is_notification = value.get("method").is_some_and(Value::is_string) && value.get("id").is_none();
    if is_notification {
        // Nobody waits for an answer to a notification, also to one that we do not know.
        return None;
    }
    let id = value.get("id").and_then(|id| serde_json::from_value(id.clone()).ok());
    let text = "this is JSON, but no JSON-RPC 2.0 message of MCP (batches are not supported): it needs `jsonrpc`, `id`, `method` and, as an object, `params`";
    Some(refusal(ErrorCode::INVALID_REQUEST, text.to_owned(), id))
}

fn refusal(code: ErrorCode, text: String, id: Option<RequestId>) -> TxJsonRpcMessage<RoleServer> {
    TxJsonRpcMessage::<RoleServer>::error(ErrorData::new(code, text, None), id)
}

/// One line of input.
#[derive(Debug, PartialEq, Eq)]
enum Line {
    Whole(BytesMut),
    /// It was longer than is read; it has been dropped up to its end.
    TooLong,
}

/// Splits input into lines without ever holding more than the longest one.
#[derive(Debug, Default)]
struct Lines {
    searched: usize,
    dropping: bool,
}

impl Decoder for Lines {
    type Item = Line;
    type Error = io::Error;

    fn decode(&mut self, buffer: &mut BytesMut) -> io::Result<Option<Line>> {
        let unsearched = buffer.get(self.searched..).unwrap_or_default();
        let Some(end) = unsearched.iter().position(|byte| *byte == b'\n').map(|found| self.searched + found)
        else {
            if self.dropping || buffer.len() > LONGEST_LINE {
                buffer.clear();
                self.dropping = true;
            }
            self.searched = buffer.len();
            return Ok(None);
        };
        let line = buffer.split_to(end);
        buffer.advance(1);
        self.searched = 0;
        let too_long = std::mem::take(&mut self.dropping) || line.len() > LONGEST_LINE;
        Ok(Some(if too_long { Line::TooLong } else { Line::Whole(line) }))
    }

    /// A last line without its end counts too: `printf '{…}' | figma-mcp` is a fair test.
    fn decode_eof(&mut self, buffer: &mut BytesMut) -> io::Result<Option<Line>> {
        match self.decode(buffer)? {
            Some(line) => Ok(Some(line)),
            None if std::mem::take(&mut self.dropping) => Ok(Some(Line::TooLong)),
            None if buffer.is_empty() => Ok(None),
            None => Ok(Some(Line::Whole(buffer.split()))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(chunks: &[&[u8]]) -> Vec<Line> {
        let (mut decoder, mut buffer, mut found) = (Lines::default(), BytesMut::new(), Vec::new());
        for chunk in chunks {
            buffer.extend_from_slice(chunk);
            while let Some(line) = decoder.decode(&mut buffer).unwrap() {
                found.push(line);
            }
        }
        while let Some(line) = decoder.decode_eof(&mut buffer).unwrap() {
            found.push(line);
        }
        found
    }

    #[test]
    fn lines_come_whole_however_they_are_cut() {
        let whole = |text: &str| Line::Whole(BytesMut::from(text.as_bytes()));
        assert_eq!(
            lines(&[b"ab", b"c\nd", b"\n\nlast"]),
            [whole("abc"), whole("d"), whole(""), whole("last")]
        );
    }

    #[test]
    fn an_endless_line_is_dropped_and_the_next_one_read() {
        let big = vec![b'x'; LONGEST_LINE / 2 + 1];
        assert_eq!(
            lines(&[&big, &big, b"y\nok\n"]),
            [Line::TooLong, Line::Whole(BytesMut::from(&b"ok"[..]))]
        );
    }

    #[test]
    fn unreadable_lines_are_answered_and_notifications_are_not() {
        let code = |line: &str| match understand(line.as_bytes()) {
            Err(Some(reply)) => match *reply {
                JsonRpcMessage::Error(error) => (error.error.code.0, error.id),
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        };
        assert_eq!(code("{\"jsonrpc\":"), (-32700, None));
        assert_eq!(code("[]"), (-32600, None));
        assert_eq!(code(r#"{"jsonrpc":"1.0","id":7,"method":"ping"}"#), (-32600, Some(RequestId::Number(7))));
        assert!(matches!(understand(br#"{"jsonrpc":"1.0","method":"x"}"#), Err(None)));
        assert!(matches!(understand(b"  "), Err(None)));
        assert!(understand(b"\xEF\xBB\xBF{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}\r").is_ok());
    }
}
