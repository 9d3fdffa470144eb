//! `figma_status_get`: what this server knows of its own credential, without a call and without a secret.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    auth::{
        Caller,
        abilities::refused_tools,
        now,
        time::{day, warning},
    },
    error::{Error, span},
    rest::{Calls, Gate, Rest, response::Output},
    table::TokenKind,
};

/// Who this is, what the token can never do, how many calls were made, and what Figma refuses for now.
pub(super) async fn get(rest: &Rest, caller: &Caller) -> Output {
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
    let usage = if kind.is_ok() { rest.usage(caller).await.ok() } else { None };
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
        "calls_of_all_processes": usage.as_ref().map(|usage| counts(&usage.calls)),
        "figma_named": usage.as_ref().and_then(|usage| usage.named.as_ref()).map(|(plan, seat)| json!({ "plan": plan, "seat": seat })),
        "closed_gates": usage.as_ref().map(|usage| usage.closed.iter().map(closed_gate).collect::<Vec<_>>()),
    });
    let mut notes: Vec<String> =
        warning(caller.expiry(), login.map_or("default", |login| &login.profile)).into_iter().collect();
    notes.extend(kind.err().map(|error: Error| error.next().for_agent()));
    Output { notes, ..Output::json(body.to_string()) }
}

fn counts(calls: &[Calls; 3]) -> Value {
    let of = |calls: &Calls| json!({ "minute": calls.minute, "day": calls.day, "month": calls.month });
    let [one, two, three] = calls.each_ref().map(of);
    json!({ "tier_1": one, "tier_2": two, "tier_3": three })
}

/// What Figma refuses for now. Without a file it is the whole tier.
fn closed_gate(gate: &Gate) -> Value {
    let left = gate.until.saturating_sub(now());
    json!({
        "tier": gate.tier,
        "file_key": Some(&gate.file).filter(|file| !file.is_empty()),
        "opens_in_s": left,
        "opens_in": span(Duration::from_secs(left)),
        "plan": gate.plan,
        "seat": gate.seat,
        "upgrade_link": gate.link,
    })
}
