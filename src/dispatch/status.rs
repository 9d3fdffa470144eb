//! `figma_status_get`: what this server knows of its own credential, without a call and without a secret.

use serde_json::{Value, json};

use crate::{
    auth::{
        Caller,
        abilities::refused_tools,
        time::{day, warning},
    },
    error::Error,
    rest::{Rest, response::Output},
    table::TokenKind,
};

/// Who this is, what the token can never do, and how many calls were made.
pub(super) fn get(rest: &Rest, caller: &Caller) -> Output {
    let kind = caller.kind();
    let login = caller.login();
    let refused: Vec<Value> = kind
        .as_ref()
        .ok()
        .copied()
        .flatten()
        .map(refused_tools)
        .unwrap_or_default()
        .into_iter()
        .map(|refused| json!({ "tool": refused.tool.name, "why": refused.why }))
        .collect();
    let [one, two, three] = rest.calls_of(caller);
    let body = json!({
        "token": match &kind {
            Ok(kind) => json!({
                "kind": kind.map_or("sandbox", TokenKind::name),
                "from": caller.origin(),
                "profile": login.map(|login| &login.profile),
                "handle": login.and_then(|login| login.facts.handle.as_ref()),
                "ends": caller.expiry().map(|expiry| json!({ "on": day(expiry.at), "known_from": expiry.from.name() })),
            }),
            Err(error) => error.to_json(),
        },
        "tools_refused": refused,
        "calls_so_far": { "tier_1": one, "tier_2": two, "tier_3": three },
    });
    let mut notes: Vec<String> =
        warning(caller.expiry(), login.map_or("default", |login| &login.profile)).into_iter().collect();
    notes.extend(kind.err().map(|error: Error| error.next().for_agent()));
    Output { notes, ..Output::json(body.to_string()) }
}
