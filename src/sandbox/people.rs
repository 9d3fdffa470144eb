//! The current user, comments and reactions.

use serde_json::{Value, json};

use super::{
    answer::{Answer, Outcome, Refusal},
    files::file_of,
    route::Call,
    state,
    tree::{self, list, text},
};

const REACTIONS_A_PAGE: usize = 3;

/// `GET /v1/me`.
pub(super) fn me(call: &Call) -> Outcome {
    Answer::json(&call.world.localized(call.world.data.workspace().get("me").unwrap_or(&Value::Null)))
}

/// `GET /v1/files/{file_key}/comments`.
pub(super) fn comments(call: &Call) -> Outcome {
    file_of(call, call.arg(0))?;
    let mut state = call.world.state();
    let comments = state.comments(&call.world.data, call.arg(0));
    let shown = comments.iter().map(|comment| shown(call, comment)).collect::<Vec<_>>();
    Answer::json(&json!({ "comments": shown }))
}

/// A comment as it is answered: `message_md` is ours, the text in Markdown where that differs.
fn shown(call: &Call, comment: &Value) -> Value {
    let mut comment = call.world.localized(comment);
    if let Some(fields) = comment.as_object_mut()
        && let Some(markdown) = fields.remove("message_md")
        && call.flag("as_md")
    {
        fields.insert("message".to_owned(), markdown);
    }
    comment
}

/// `POST /v1/files/{file_key}/comments`.
pub(super) fn create_comment(call: &Call) -> Outcome {
    let key = call.arg(0);
    let file = file_of(call, key)?;
    let message = text(&call.body, "message");
    if message.trim().is_empty() {
        return Err(Refusal::bad("Message must not be empty"));
    }
    let parent = call.body.get("comment_id").and_then(Value::as_str).unwrap_or_default();
    let meta = call.body.get("client_meta").filter(|meta| !meta.is_null());
    check_pin(&file.document, meta)?;
    let mut state = call.world.state();
    let id = state.new_id().to_string();
    let comments = state.comments(&call.world.data, key);
    if !parent.is_empty() {
        let found = comments.iter().find(|comment| text(comment, "id") == parent);
        let root = found.ok_or_else(|| Refusal::new(404, "Comment not found"))?;
        if !text(root, "parent_id").is_empty() {
            return Err(Refusal::bad("You cannot reply to a reply"));
        }
    }
    let orders = comments.iter().filter_map(|comment| text(comment, "order_id").parse::<u64>().ok());
    let order = orders.max().unwrap_or_default() + 1;
    let is_root = parent.is_empty();
    let comment = json!({
        "id": id,
        "file_key": key,
        "parent_id": parent,
        "user": call.world.me(),
        "created_at": state::now(),
        "resolved_at": null,
        "message": message,
        "reactions": [],
        "client_meta": if is_root { meta.cloned().unwrap_or(json!({ "x": 0, "y": 0 })) } else { Value::Null },
        "order_id": if is_root { json!(order.to_string()) } else { Value::Null },
    });
    comments.push(comment.clone());
    Answer::json(&comment)
}

/// The place of a comment is a point, or a point of a node that exists and lies in no instance.
fn check_pin(document: &Value, meta: Option<&Value>) -> Result<(), Refusal> {
    let Some(meta) = meta else { return Ok(()) };
    let has = |name: &str| meta.get(name).is_some();
    let is_node = has("node_id") && has("node_offset") && !has("x") && !has("y");
    let is_point = has("x") && has("y") && !has("node_id") && !has("node_offset");
    if !(is_node || is_point) || has("region_width") != has("region_height") {
        return Err(Refusal::bad("Invalid client_meta: give either x and y, or node_id and node_offset"));
    }
    let id = text(meta, "node_id");
    if is_node && (id.starts_with('I') || tree::find(document, id).is_none()) {
        return Err(Refusal::bad(format!("Invalid client_meta: node {id} not found")));
    }
    Ok(())
}

/// `DELETE /v1/files/{file_key}/comments/{comment_id}`: only one's own.
pub(super) fn delete_comment(call: &Call) -> Outcome {
    let (key, id) = (call.arg(0), call.arg(1));
    file_of(call, key)?;
    let me = call.world.me();
    let mut state = call.world.state();
    let comments = state.comments(&call.world.data, key);
    let found = comments.iter().find(|comment| text(comment, "id") == id);
    let comment = found.ok_or_else(|| Refusal::new(404, "Comment not found"))?;
    if comment.pointer("/user/id") != me.get("id") {
        return Err(Refusal::new(403, "Only the author may delete a comment"));
    }
    comments.retain(|comment| text(comment, "id") != id && text(comment, "parent_id") != id);
    Answer::done()
}

/// Does something to the reactions of the comment that the call names.
fn with_reactions<T>(
    call: &Call,
    work: impl FnOnce(&mut Vec<Value>) -> Result<T, Refusal>,
) -> Result<T, Refusal> {
    let (key, id) = (call.arg(0), call.arg(1));
    file_of(call, key)?;
    let mut state = call.world.state();
    let comments = state.comments(&call.world.data, key);
    let found = comments.iter_mut().find(|comment| text(comment, "id") == id);
    let comment = found.ok_or_else(|| Refusal::new(404, "Comment not found"))?;
    let mut reactions = list(comment, "reactions").to_vec();
    let result = work(&mut reactions)?;
    tree::set(comment, "reactions", Value::Array(reactions));
    Ok(result)
}

/// `GET …/reactions`: a few a page; the next page's address carries the cursor.
pub(super) fn reactions(call: &Call) -> Outcome {
    let all = with_reactions(call, |reactions| Ok(reactions.clone()))?;
    let start = match call.text("cursor") {
        Some(cursor) => cursor.parse::<usize>().map_err(|_| Refusal::new(404, "Invalid cursor"))?,
        None => 0,
    };
    let page: Vec<Value> =
        all.iter().skip(start).take(REACTIONS_A_PAGE).map(|one| call.world.localized(one)).collect();
    let path = format!("/v1/files/{}/comments/{}/reactions", call.arg(0), call.arg(1));
    let next = start.saturating_add(REACTIONS_A_PAGE);
    let pagination = if next < all.len() {
        json!({ "next_page": call.world.url(&format!("{path}?cursor={next}")) })
    } else {
        json!({})
    };
    Answer::json(&json!({ "reactions": page, "pagination": pagination }))
}

/// `POST …/reactions`.
pub(super) fn create_reaction(call: &Call) -> Outcome {
    let emoji = text(&call.body, "emoji");
    check_emoji(emoji)?;
    let me = call.world.me();
    with_reactions(call, |reactions| {
        if !reactions.iter().any(|reaction| is_mine(reaction, &me, emoji)) {
            reactions.push(json!({ "user": me, "emoji": emoji, "created_at": state::now() }));
        }
        Ok(())
    })?;
    Answer::done()
}

/// `DELETE …/reactions?emoji=`: one's own.
pub(super) fn delete_reaction(call: &Call) -> Outcome {
    let emoji = call.text("emoji").unwrap_or_default();
    let me = call.world.me();
    with_reactions(call, |reactions| {
        let before = reactions.len();
        reactions.retain(|reaction| !is_mine(reaction, &me, emoji));
        if reactions.len() == before { Err(Refusal::new(404, "Reaction not found")) } else { Ok(()) }
    })?;
    Answer::done()
}

fn is_mine(reaction: &Value, me: &Value, emoji: &str) -> bool {
    reaction.pointer("/user/id") == me.get("id") && text(reaction, "emoji") == emoji
}

/// A shortcode such as `:heart:` or `:+1::skin-tone-2:`. Figma knows which ones exist; here the form
/// decides.
fn check_emoji(emoji: &str) -> Result<(), Refusal> {
    let is_name = |name: &str| {
        !name.is_empty()
            && name
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_+-".contains(&byte))
    };
    let inner = emoji.strip_prefix(':').and_then(|rest| rest.strip_suffix(':')).unwrap_or_default();
    let (name, tone) = inner.split_once("::").unwrap_or((inner, "skin-tone-2"));
    let is_tone =
        tone.strip_prefix("skin-tone-").is_some_and(|tone| matches!(tone, "2" | "3" | "4" | "5" | "6"));
    if is_name(name) && is_tone { Ok(()) } else { Err(Refusal::bad(format!("Invalid emoji {emoji}"))) }
}
