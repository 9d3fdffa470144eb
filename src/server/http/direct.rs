//! Calls of tools that are answered on the spot.
//!
//! The protocol library starts a service with its own tasks, channels and cancellation tokens for every
//! HTTP request: more work than the call itself. What is called most needs none of that: a call of one of
//! our tools, by a client of a revision before 2026-07-28, outside a session, that wants no progress. It
//! has one answer, which is what the library would send, byte for byte (`tests/it/http.rs` compares them).
//! Everything that is in any way else goes to the library.

use std::{borrow::Cow, fmt, marker::PhantomData};

use axum::{
    body::Body,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use rmcp::model::{
    ContentBlock, JsonRpcMessage, JsonRpcVersion2_0, ProtocolVersion, RequestId, ServerJsonRpcMessage,
    ServerResult,
};
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor, value::MapAccessDeserializer},
};

use crate::{
    server::Server,
    table::{self, Tool, args::Args},
};

/// Such a call.
#[derive(Debug)]
pub(super) struct Call {
    id: RequestId,
    tool: &'static Tool,
    arguments: Args,
}

/// Its message. With any other member it is not one.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Message<'a> {
    #[serde(rename = "jsonrpc")]
    _version: JsonRpcVersion2_0,
    id: RequestId,
    #[serde(borrow)]
    method: Cow<'a, str>,
    #[serde(borrow)]
    params: Object<Params<'a>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Params<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    arguments: Option<Args>,
}

/// Only as an object: what is derived is also read from a list of its members.
struct Object<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Members<T> {
            type Value = Object<T>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Object<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(members)).map(Object)
            }
        }
        deserializer.deserialize_map(Members(PhantomData))
    }
}

impl Call {
    /// The call in this body, if it is one that can be answered here.
    pub(super) fn read(headers: &HeaderMap, body: &[u8]) -> Option<Self> {
        if !accepts_both(headers) || !is_old(headers) {
            return None;
        }
        let Object(message) = serde_json::from_slice::<Object<Message>>(body).ok()?;
        let Message { id, method, params: Object(Params { name, arguments }), .. } = message;
        if method != "tools/call" {
            return None;
        }
        // What is no tool of ours is the library's to answer.
        let tool = table::find(&name)?;
        Some(Self { id, tool, arguments: arguments.unwrap_or_default() })
    }

    /// Runs it. Dropping the future takes a reading call back.
    pub(super) async fn answer(self, server: &Server) -> Response {
        let Self { id, tool, arguments } = self;
        let mut room = ROOM;
        let message: ServerJsonRpcMessage = match server.answer(tool.name, arguments, None).await {
            Ok(result) => {
                let texts = result.content.iter().filter_map(ContentBlock::as_text);
                room += texts.map(|text| text.text.len() + text.text.len() / 8).sum::<usize>();
                let mut result = ServerResult::CallToolResult(result);
                result.strip_result_type_for_legacy_peer();
                JsonRpcMessage::response(result, id)
            }
            Err(error) => JsonRpcMessage::error(error, Some(id)),
        };
        let mut body = Vec::with_capacity(room);
        match serde_json::to_writer(&mut body, &message) {
            Ok(()) => {
                let mut response = Response::new(Body::from(body));
                response
                    .headers_mut()
                    .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
                response
            }
            Err(error) => {
                tracing::error!(%error, "an answer could not be written");
                StatusCode::INTERNAL_SERVER_ERROR.into_response()
            }
        }
    }
}

/// What an answer takes beside its texts, usually; of a text an eighth more, for what is escaped in JSON.
const ROOM: usize = 512;

/// As nearly all clients write it.
pub(super) const BOTH: &str = "application/json, text/event-stream";

/// Both media types, without weights.
fn accepts_both(headers: &HeaderMap) -> bool {
    let mut given = headers.get_all(header::ACCEPT).iter();
    let (Some(value), None) = (given.next(), given.next()) else { return false };
    if value == BOTH {
        return true;
    }
    let Ok(text) = value.to_str() else { return false };
    let named = |kind: &str| text.split(',').any(|part| part.trim().eq_ignore_ascii_case(kind));
    !text.contains(['"', ';']) && named("application/json") && named("text/event-stream")
}

/// A revision in which an answer depends on nothing but the call.
fn is_old(headers: &HeaderMap) -> bool {
    static VERSION: HeaderName = HeaderName::from_static("mcp-protocol-version");
    let mut given = headers.get_all(&VERSION).iter();
    match (given.next(), given.next()) {
        (None, _) => true,
        (Some(value), None) => ProtocolVersion::KNOWN_VERSIONS
            .iter()
            .any(|known| *known < ProtocolVersion::STANDARD_HEADERS && value == known.as_str()),
        (Some(_), Some(_)) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_read(headers: &[(&'static str, &str)], body: &str) -> bool {
        let mut given = HeaderMap::new();
        for (name, value) in headers {
            given.append(*name, HeaderValue::from_str(value).unwrap());
        }
        Call::read(&given, body.as_bytes()).is_some()
    }

    const BOTH: (&str, &str) = ("accept", super::BOTH);
    const ME: &str =
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"figma_me_get","arguments":{}}}"#;

    #[test]
    fn only_a_plain_head_is_answered_here() {
        let version = |version| ("mcp-protocol-version", version);
        for plain in [
            &[BOTH][..],
            &[("accept", "Text/Event-Stream,application/json,*/*")],
            &[BOTH, version("2024-11-05")],
            &[BOTH, version("2025-11-25")],
        ] {
            assert!(is_read(plain, ME), "{plain:?}");
        }
        for other in [
            &[][..],
            &[("accept", "application/json")],
            &[("accept", "application/json, text/event-stream;q=0")],
            &[BOTH, BOTH],
            &[BOTH, version("2026-07-28")],
            &[BOTH, version("2025-01-01")],
            &[BOTH, version("2025-11-25"), version("2025-11-25")],
        ] {
            assert!(!is_read(other, ME), "{other:?}");
        }
    }

    #[test]
    fn only_a_plain_call_of_a_tool_of_ours_is_answered_here() {
        for call in [
            ME,
            r#" {"params":{"name":"figma_me_get"},"method":"tools/call","id":"a","jsonrpc":"2.0"} "#,
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"figma_me_get","arguments":null}}"#,
        ] {
            assert!(is_read(&[BOTH], call), "{call}");
        }
        for (part, other) in [
            (r#""2.0""#, r#""1.0""#),
            (r#""id":1"#, r#""id":null"#),
            (r#""id":1"#, r#""id":1.5"#),
            (r#""id":1,"#, ""),
            (r#""id":1"#, r#""id":1,"id":2"#),
            ("tools/call", "tools/list"),
            ("figma_me_get", "no_such_tool"),
            (r#""arguments":{}"#, r#""arguments":[]"#),
            (r#""arguments":{}"#, r#""arguments":{},"_meta":{"progressToken":1}"#),
            (r#""arguments":{}"#, r#""arguments":{},"task":{}"#),
            (r#"{"name":"figma_me_get","arguments":{}}"#, r#"["figma_me_get",{}]"#),
            (r#""jsonrpc""#, r#""result":{},"jsonrpc""#),
            ("}}}", "}}"),
            ("}}}", "}}}]"),
        ] {
            let message = ME.replace(part, other);
            assert_ne!(message, ME, "{part}");
            assert!(!is_read(&[BOTH], &message), "{message}");
        }
        assert!(!is_read(&[BOTH], r#"["2.0",1,"tools/call",{"name":"figma_me_get"}]"#));
    }
}
