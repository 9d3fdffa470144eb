//! Published components, component sets and styles, and how they are used.

use serde_json::{Map, Value, json};

use super::{
    answer::{Answer, Outcome, Refusal},
    files::file_of,
    folders::check_team,
    route::Call,
    tree::{self, list, text},
};

/// Figma's default is 30, and 1,000 for analytics; small pages let the sample page for real.
const ITEMS_A_PAGE: u64 = 5;
const MOST_ITEMS_A_PAGE: u64 = 1000;
const ROWS_A_PAGE: usize = 10;

/// Everything published of a kind.
fn all<'a>(call: &'a Call, kind: &str) -> &'a [Value] {
    call.world.data.workspace().get("published").map(|published| list(published, kind)).unwrap_or_default()
}

/// A list under the name of its kind.
fn named(kind: &str, items: Vec<Value>) -> Map<String, Value> {
    Map::from_iter([(kind.to_owned(), Value::Array(items))])
}

/// Lists by file: a branch cannot publish.
pub(super) fn published_in_file(call: &Call, kind: &str) -> Outcome {
    let key = call.arg(0);
    file_of(call, key)?;
    let data = &call.world.data;
    if data.about(key).get("main_file").is_some() {
        return Err(Refusal::bad("Branches cannot publish: use the key of the main file"));
    }
    let canonical = data.canonical(key).unwrap_or_default();
    let items = all(call, kind).iter().filter(|item| text(item, "file_key") == canonical);
    Answer::meta(named(kind, items.map(|item| call.world.localized(item)).collect()))
}

/// One by its key.
pub(super) fn published(call: &Call, kind: &str) -> Outcome {
    let found = all(call, kind).iter().find(|item| text(item, "key") == call.arg(0));
    Answer::meta(call.world.localized(found.ok_or_else(Refusal::not_found)?))
}

/// Lists by team: `after` and `before` are opaque numbers, here positions counted from one.
pub(super) fn published_in_team(call: &Call, kind: &str) -> Outcome {
    check_team(call, call.arg(0))?;
    let all = all(call, kind);
    let size = call.number("page_size").unwrap_or(ITEMS_A_PAGE).clamp(1, MOST_ITEMS_A_PAGE);
    let position = |number: u64| usize::try_from(number).unwrap_or(usize::MAX).min(all.len());
    let (start, end) = match (call.number("after"), call.number("before")) {
        (Some(_), Some(_)) => return Err(Refusal::bad("Give only one of after and before")),
        (Some(after), None) => (position(after), position(after.saturating_add(size))),
        (None, Some(before)) => {
            let end = before.saturating_sub(1);
            (position(end.saturating_sub(size)), position(end))
        }
        (None, None) => (0, position(size)),
    };
    let page = all.get(start..end).unwrap_or_default();
    let mut cursor = Map::new();
    if start > 0 {
        cursor.insert("before".to_owned(), json!(start + 1));
    }
    if end < all.len() {
        cursor.insert("after".to_owned(), json!(end));
    }
    let mut meta = named(kind, page.iter().map(|item| call.world.localized(item)).collect());
    meta.insert("cursor".to_owned(), Value::Object(cursor));
    Answer::meta(meta)
}

/// `GET /v1/analytics/libraries/{file_key}/…`.
pub(super) fn analytics(call: &Call, report: &str) -> Outcome {
    let key = call.arg(0);
    file_of(call, key)?;
    let group = call.text("group_by").unwrap_or_default();
    let reports = call.world.data.workspace().get("analytics").and_then(|reports| reports.get(report));
    let rows = reports.map(|reports| list(reports, group)).unwrap_or_default();
    // Only the library has been used.
    let is_library = call.world.data.about(key).get("is_library").is_some();
    let (start, end) = (call.text("start_date"), call.text("end_date"));
    let is_wanted = |row: &&Value| {
        let week = text(row, "week");
        is_library && start.is_none_or(|start| week_covers(week, start)) && end.is_none_or(|end| week <= end)
    };
    let rows: Vec<&Value> = rows.iter().filter(is_wanted).collect();
    let offset = offset(call.text("cursor"))?;
    let page: Vec<&Value> = rows.iter().skip(offset).take(ROWS_A_PAGE).copied().collect();
    let next = offset.saturating_add(ROWS_A_PAGE);
    let has_more = next < rows.len();
    let mut body = json!({ "rows": page, "next_page": has_more });
    if has_more {
        tree::set(&mut body, "cursor", json!(cursor(next)));
    }
    Answer::json(&body)
}

/// Whether the week that begins on this Sunday ends on or after the day: periods are rounded outwards.
fn week_covers(week: &str, day: &str) -> bool {
    day_number(week).zip(day_number(day)).is_none_or(|(week, day)| week + 6 >= day)
}

/// Days since some day, for counting: Howard Hinnant's `days_from_civil`.
fn day_number(date: &str) -> Option<u64> {
    let mut parts = date.split('-').map(|part| part.parse::<u64>().ok());
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    let (year, month) = if month > 2 { (year, month - 3) } else { (year.checked_sub(1)?, month + 9) };
    Some(year * 365 + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day)
}

/// A cursor as the callers of reports get it: opaque, so that nobody counts with it.
pub(super) fn cursor(offset: usize) -> String {
    format!("c2FuZGJveA{offset:06}")
}

/// Where a cursor points.
pub(super) fn offset(cursor: Option<&str>) -> Result<usize, Refusal> {
    let Some(cursor) = cursor else { return Ok(0) };
    let number = cursor.strip_prefix("c2FuZGJveA").and_then(|number| number.parse().ok());
    number.ok_or_else(|| Refusal::bad("Invalid cursor"))
}
