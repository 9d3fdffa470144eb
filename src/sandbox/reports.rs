//! Payments, embeds, activity logs, developer logs and AI usage.

use serde_json::{Value, json};

use super::{
    answer::{Answer, Outcome, Refusal},
    library::{cursor, offset},
    route::Call,
    tree::{self, list, text},
};

/// Figma's default is 1,000; small pages let the sample page for real.
const EVENTS_A_PAGE: u64 = 10;
const DEVELOPER_LOGS_A_PAGE: u64 = 25;
const USAGE_ROWS_A_PAGE: u64 = 10;
const FIRST_DAY_OF_AI_USAGE: &str = "2025-12-01";

/// `GET /v1/payments`.
pub(super) fn payments(call: &Call) -> Outcome {
    const RESOURCES: [(&str, &str); 3] =
        [("plugin_id", "PLUGIN"), ("widget_id", "WIDGET"), ("community_file_id", "COMMUNITY_FILE")];
    let payments = list(call.world.data.workspace(), "payments");
    let given: Vec<(&str, &str)> =
        RESOURCES.iter().filter_map(|(name, kind)| Some((*kind, call.text(name)?))).collect();
    let found = match (call.text("plugin_payment_token"), call.text("user_id"), given.as_slice()) {
        (Some(_), None, []) => payments.first(),
        (None, Some(user), [(kind, id)]) => payments.iter().find(|payment| {
            text(payment, "user_id") == user
                && text(payment, "resource_type") == *kind
                && text(payment, "resource_id") == *id
        }),
        _ => {
            return Err(Refusal::bad(
                "Give plugin_payment_token, or user_id and one of plugin_id, widget_id, community_file_id",
            ));
        }
    };
    let unpaid = || {
        let (kind, id) = given.first().copied().unwrap_or_default();
        json!({
            "user_id": call.text("user_id"), "resource_id": id, "resource_type": kind,
            "payment_status": { "type": "UNPAID" },
        })
    };
    Answer::meta(found.cloned().unwrap_or_else(unpaid))
}

/// `GET /v1/oembed`.
pub(super) fn oembed(call: &Call) -> Outcome {
    let url = call.text("url").unwrap_or_default();
    let parsed = url::Url::parse(url).map_err(|_| Refusal::bad("Invalid parameter url"))?;
    let host = parsed.host_str().unwrap_or_default();
    let key = parsed.path_segments().and_then(|mut segments| segments.nth(1)).unwrap_or_default();
    if host != "figma.com" && !host.ends_with(".figma.com") {
        return Err(Refusal::new(501, "URL is not supported"));
    }
    let file = call.world.data.file(key).ok_or_else(Refusal::not_found)?;
    // The frame is kept at 16:9 within the given size.
    let width = call.number("maxwidth").unwrap_or(800).min(call.number("maxheight").unwrap_or(450) * 16 / 9);
    let height = width * 9 / 16;
    let embed: String = url::form_urlencoded::byte_serialize(url.as_bytes()).collect();
    Answer::json(&json!({
        "version": "1.0",
        "type": "rich",
        "title": file.head.get("name"),
        "key": key,
        "url": url,
        "provider_name": "Figma",
        "provider_url": "https://www.figma.com",
        "cache_age": 3600,
        "width": width,
        "height": height,
        "html": format!(
            "<iframe width=\"{width}\" height=\"{height}\" src=\"https://www.figma.com/embed?embed_host=oembed&url={embed}\" allowfullscreen></iframe>"
        ),
        "thumbnail_url": call.world.url(&format!("/images/fill/{key}.png")),
        "thumbnail_width": 64,
        "thumbnail_height": 64,
    }))
}

/// A page of rows: its items, and the cursor of the next page.
fn page<'a>(
    rows: &[&'a Value],
    at: Option<&str>,
    limit: u64,
) -> Result<(Vec<&'a Value>, Option<String>), Refusal> {
    let (start, limit) = (offset(at)?, usize::try_from(limit).unwrap_or(usize::MAX));
    let next = start.saturating_add(limit);
    let items = rows.iter().skip(start).take(limit).copied().collect();
    Ok((items, (next < rows.len()).then(|| cursor(next))))
}

/// `GET /v1/activity_logs`.
pub(super) fn activity_logs(call: &Call) -> Outcome {
    let events = call.list("events");
    let time = |event: &Value| event.get("timestamp").and_then(Value::as_u64).unwrap_or_default();
    let is_wanted = |event: &&Value| {
        let kind = event.pointer("/action/type").and_then(Value::as_str).unwrap_or_default();
        events.as_ref().is_none_or(|events| events.contains(&kind))
            && call.number("start_time").is_none_or(|start| time(event) >= start)
            && call.number("end_time").is_none_or(|end| time(event) <= end)
    };
    let mut rows: Vec<&Value> =
        list(call.world.data.workspace(), "activity_logs").iter().filter(is_wanted).collect();
    if call.text("order") == Some("desc") {
        rows.reverse();
    }
    let (items, next) = page(&rows, call.text("cursor"), call.number("limit").unwrap_or(EVENTS_A_PAGE))?;
    let mut meta = json!({ "activity_logs": items, "next_page": next.is_some() });
    if let Some(next) = next {
        tree::set(&mut meta, "cursor", json!(next));
    }
    Answer::meta(meta)
}

/// `POST /v1/developer_logs`, which only reads.
pub(super) fn developer_logs(call: &Call) -> Outcome {
    let body = &call.body;
    let is_wanted = |item: &&Value| {
        let is =
            |name: &str, place: &str| body.get(name).is_none_or(|wanted| item.pointer(place) == Some(wanted));
        let address = item.pointer("/context/ip_address").and_then(Value::as_str).unwrap_or_default();
        let from = body.get("ip_address").and_then(Value::as_str);
        is("token_type", "/actor/token_type")
            && is("token_name", "/actor/token_name")
            && is("user_email", "/actor/user_email")
            && is("event_source", "/action/event_source")
            && from.is_none_or(|from| from.split(',').any(|prefix| address.starts_with(prefix.trim())))
    };
    let rows: Vec<&Value> =
        list(call.world.data.workspace(), "developer_logs").iter().filter(is_wanted).collect();
    let limit = body.get("limit").and_then(Value::as_u64).unwrap_or(DEVELOPER_LOGS_A_PAGE);
    let (items, next) = page(&rows, body.get("cursor").and_then(Value::as_str), limit)?;
    Answer::meta(json!({ "items": items, "cursor": next, "has_more": next.is_some() }))
}

/// `GET /v1/ai_usage/daily`.
pub(super) fn ai_usage(call: &Call) -> Outcome {
    let (start, end) =
        (call.text("start_date").unwrap_or_default(), call.text("end_date").unwrap_or_default());
    // Days written this way sort as texts.
    if start < FIRST_DAY_OF_AI_USAGE || end < start {
        return Err(Refusal::bad(format!(
            "start_date must be {FIRST_DAY_OF_AI_USAGE} or later, and end_date not before it"
        )));
    }
    let all = list(call.world.data.workspace(), "ai_usage");
    let email = call.text("user_email");
    if email.is_some_and(|email| !all.iter().any(|row| text(row, "user_email") == email)) {
        return Err(Refusal::bad("user_email is not known"));
    }
    let is_wanted = |row: &&Value| {
        let day = text(row, "day");
        day >= start && day <= end && email.is_none_or(|email| text(row, "user_email") == email)
    };
    let rows: Vec<&Value> = all.iter().filter(is_wanted).collect();
    let (items, next) = page(&rows, call.text("cursor"), call.number("limit").unwrap_or(USAGE_ROWS_A_PAGE))?;
    let has_more = next.is_some();
    Answer::json(
        &json!({ "rows": items, "next_cursor": next.unwrap_or_default(), "has_next_page": has_more }),
    )
}
