//! Figma's paging styles, as what to add to the same arguments for the next page. Pure.
//!
//! An address in an answer is never fetched as it stands: its parameters are taken out and the request
//! is built anew on our own base, so that the token cannot follow a foreign host.

use serde_json::Value;
use url::Url;

use super::members::Members;
use crate::table::{Pagination, args::Args};

/// What to add to the same arguments to get the next page, or `None` on the last one.
pub fn next_page(style: Pagination, document: &Members<'_>, args: &Args) -> Option<Args> {
    let next: Args = match style {
        Pagination::None => return None,
        Pagination::NextUrl(names) => from_url(&document.at("/pagination/next_page")?, names)?,
        Pagination::AfterBefore => {
            [("after".to_owned(), document.at("/meta/cursor/after")?)].into_iter().collect()
        }
        Pagination::Cursor { cursor, has_more } => {
            document.at(has_more).filter(|more| *more == Value::Bool(true))?;
            [("cursor".to_owned(), document.at(cursor)?)].into_iter().collect()
        }
    };
    let is_nothing = |value: &Value| value.is_null() || value == "";
    let repeats = next.iter().all(|(name, value)| args.get(name) == Some(value));
    (!next.values().any(is_nothing) && !repeats).then_some(next)
}

/// The wanted parameters of an address. Some endpoints send the bare cursor instead.
fn from_url(next: &Value, names: &[&str]) -> Option<Args> {
    let text = next.as_str()?;
    let Ok(url) = Url::parse(text).or_else(|_| {
        Url::parse("https://api.figma.com")?
            .join(text)
            .and_then(|url| if url.query().is_some() { Ok(url) } else { Err(url::ParseError::EmptyHost) })
    }) else {
        return (names == ["cursor"] && !text.is_empty())
            .then(|| [("cursor".to_owned(), Value::from(text))].into_iter().collect());
    };
    let found: Args = url
        .query_pairs()
        .filter(|(name, _)| names.contains(&&**name))
        .map(|(name, value)| {
            (
                name.into_owned(),
                value.parse::<u32>().map_or_else(|_| Value::from(value.into_owned()), Value::from),
            )
        })
        .collect();
    (!found.is_empty()).then_some(found)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const TEAM: Pagination = Pagination::AfterBefore;
    const LOGS: Pagination = Pagination::Cursor { cursor: "/meta/cursor", has_more: "/meta/has_more" };
    const AI: Pagination = Pagination::Cursor { cursor: "/next_cursor", has_more: "/has_next_page" };
    const VERSIONS: Pagination = Pagination::NextUrl(&["before", "after", "page_size"]);
    const REACTIONS: Pagination = Pagination::NextUrl(&["cursor"]);

    #[test]
    fn every_style_gives_the_next_call() {
        let cases = [
            (
                VERSIONS,
                json!({"pagination": {"next_page": "https://evil.example/v1/files/x/versions?page_size=2&before=12345678901"}}),
                Some(json!({"page_size": 2, "before": "12345678901"})),
            ),
            (VERSIONS, json!({"pagination": {"prev_page": "https://api.figma.com/x?after=1"}}), None),
            (
                REACTIONS,
                json!({"pagination": {"next_page": "https://api.figma.com/x?cursor=a%20b"}}),
                Some(json!({"cursor": "a b"})),
            ),
            (
                REACTIONS,
                json!({"pagination": {"next_page": "opaque=="}}),
                Some(json!({"cursor": "opaque=="})),
            ),
            (REACTIONS, json!({"pagination": {}}), None),
            (TEAM, json!({"meta": {"components": [], "cursor": {"after": 30}}}), Some(json!({"after": 30}))),
            (TEAM, json!({"meta": {"components": []}}), None),
            (LOGS, json!({"meta": {"cursor": "x", "has_more": true}}), Some(json!({"cursor": "x"}))),
            (LOGS, json!({"meta": {"cursor": "x", "has_more": false}}), None),
            (LOGS, json!({"meta": {"cursor": null, "has_more": true}}), None),
            (AI, json!({"next_cursor": "", "has_next_page": true}), None),
            (Pagination::None, json!({"next_page": true}), None),
        ];
        for (style, body, expected) in cases {
            let text = body.to_string();
            let next = next_page(style, &Members::parse(&text).unwrap(), &Args::new()).map(Value::Object);
            assert_eq!(next, expected, "{text}");
        }
    }

    #[test]
    fn a_page_that_points_at_itself_is_the_last() {
        let args = json!({"after": 30}).as_object().unwrap().clone();
        let document = Members::parse(r#"{"meta":{"cursor":{"after":30}}}"#).unwrap();
        assert_eq!(next_page(TEAM, &document, &args), None);
    }
}
