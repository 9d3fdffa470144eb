//! Comments and reactions.
//!
//! Facts: `developers.figma.com/docs/rest-api/comments-endpoints` and Figma's `OpenAPI` document.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{args::*, date::is_instant, row::*};

/// One comment's reactions, to read, add to and remove from.
const REACTIONS: &str = "/v1/files/{file_key}/comments/{comment_id}/reactions";

// The corner of an area at which its pin sits.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Corner {
    TopLeft,
    TopRight,
    BottomLeft,
    BottomRight,
}

// A distance from a node's top left corner.
#[derive(Serialize, Deserialize, JsonSchema)]
struct Offset {
    x: f64,
    y: f64,
}

/// Where a comment is pinned. The API takes one of four shapes (Vector, `FrameOffset`, Region,
/// `FrameOffsetRegion`); [`check_pin`] refuses every mixture of them.
#[derive(Serialize, Deserialize, JsonSchema)]
struct Pin {
    #[serde(skip_serializing_if = "Option::is_none")]
    x: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    y: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    node_id: Option<NodeId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    node_offset: Option<Offset>,
    #[serde(skip_serializing_if = "Option::is_none")]
    region_width: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    region_height: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    comment_pin_corner: Option<Corner>,
}

/// Exactly one of the four shapes of `client_meta`.
fn check_pin(args: &Args) -> Result<(), (&'static str, String)> {
    let Some(Value::Object(pin)) = args.get("client_meta") else { return Ok(()) };
    let has = |name: &str| pin.get(name).is_some_and(|value| !value.is_null());
    let fail = |problem: &str| Err(("client_meta", problem.to_owned()));
    match (has("x") || has("y"), has("node_id") || has("node_offset")) {
        (true, true) => return fail("must hold either x and y or node_id and node_offset, not both"),
        (false, false) => return fail("must hold x and y, or node_id and node_offset"),
        (true, false) if !(has("x") && has("y")) => return fail("must hold both x and y"),
        (false, true) if !(has("node_id") && has("node_offset")) => {
            return fail("must hold both node_id and node_offset, such as {\"x\":0,\"y\":0}");
        }
        _ => {}
    }
    if has("region_width") != has("region_height") {
        return fail("must hold both region_width and region_height, or neither");
    }
    if has("comment_pin_corner") && !has("region_width") {
        return fail("holds comment_pin_corner, which needs region_width and region_height");
    }
    if let Some((instance, _)) = pin.get("node_id").and_then(Value::as_str).and_then(|id| id.split_once(';'))
    {
        let outer = instance.trim_start_matches('I');
        return fail(&format!(
            "names a node inside an instance, where Figma pins no comments; pin to the instance, {outer}"
        ));
    }
    Ok(())
}

/// All comments of a file.
const COMMENTS: Endpoint = Endpoint {
    method: Method::Get,
    path: "/v1/files/{file_key}/comments",
    tier: Tier::Two,
    scopes: &[Scope::FileCommentsRead, Scope::FilesRead],
    tokens: ANY_TOKEN,
    quirks: NO_QUIRKS,
};

/// `since` is a day or an instant in UTC, as comments are dated.
fn check_since(args: &Args) -> Result<(), (&'static str, String)> {
    match args.get("since").and_then(Value::as_str) {
        Some(text) if !is_instant(text) => Err((
            "since",
            "must be a day such as 2026-01-31 or a time such as 2026-01-31T08:00:00Z".to_owned(),
        )),
        _ => Ok(()),
    }
}

/// What threads are put together by.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum GroupBy {
    Page,
    Frame,
    Author,
}

pub(super) const TOOLSET: Toolset = Toolset {
    name: "comments",
    description: "Comments on files, replies and reactions.",
    everyday: true,
    tools: &[
        {
            #[derive(Serialize, Deserialize, JsonSchema)]
            struct Args {
                file_key: FileKey,
                /// As Markdown.
                as_md: Option<bool>,
            }
            Tool {
                name: "figma_file_comments_list",
                title: "Comments",
                description: "All comments of a file, resolved too. Replies have parent_id.",
                effect: Effect::Read,
                input: input::<Args>(),
                handler: Handler::Call(COMMENTS),
                extra: NO_EXTRA,
            }
        },
        {
            #[derive(Serialize, Deserialize, JsonSchema)]
            struct Args {
                file_key: FileKey,
                /// Default page.
                group_by: Option<GroupBy>,
                /// Resolved too.
                include_resolved: Option<bool>,
                /// Day or UTC time.
                since: Option<String>,
                /// Default 50.
                #[schemars(range(min = 1, max = 200))]
                limit: Option<u32>,
                /// To skip.
                offset: Option<u32>,
            }
            Tool {
                name: "figma_comments_digest_get",
                title: "Digest comments",
                description: "Open comment threads in short: replies, page, frame, node.",
                effect: Effect::Read,
                input: input::<Args>(),
                handler: Handler::CommentsDigest(COMMENTS),
                extra: Extra { rules: &[Rule::Check(check_since)], ..NO_EXTRA },
            }
        },
        {
            #[derive(Serialize, Deserialize, JsonSchema)]
            struct Args {
                file_key: FileKey,
                /// The text.
                #[schemars(length(min = 1))]
                message: String,
                /// To reply to.
                comment_id: Option<CommentId>,
                /// Pin: x, y or node_id, node_offset.
                client_meta: Option<Pin>,
            }
            Tool {
                name: "figma_file_comment_create",
                title: "Post comment",
                description: "Posts a comment or reply. It cannot be edited later.",
                effect: Effect::Create { verify_with: "figma_file_comments_list" },
                input: input::<Args>(),
                handler: Handler::Call(Endpoint {
                    method: Method::Post,
                    path: "/v1/files/{file_key}/comments",
                    tier: Tier::Two,
                    scopes: &[Scope::FileCommentsWrite],
                    tokens: PERSON,
                    quirks: NO_QUIRKS,
                }),
                extra: Extra { rules: &[Rule::Check(check_pin)], ..NO_EXTRA },
            }
        },
        {
            #[derive(Serialize, Deserialize, JsonSchema)]
            struct Args {
                file_key: FileKey,
                comment_id: CommentId,
            }
            Tool {
                name: "figma_file_comment_delete",
                title: "Delete comment",
                description: "Deletes one of your own comments or replies.",
                effect: Effect::Delete,
                input: input::<Args>(),
                handler: Handler::Call(Endpoint {
                    method: Method::Delete,
                    path: "/v1/files/{file_key}/comments/{comment_id}",
                    tier: Tier::Two,
                    scopes: &[Scope::FileCommentsWrite],
                    tokens: PERSON,
                    quirks: NO_QUIRKS,
                }),
                extra: NO_EXTRA,
            }
        },
        {
            #[derive(Serialize, Deserialize, JsonSchema)]
            struct Args {
                file_key: FileKey,
                comment_id: CommentId,
                /// Next page.
                cursor: Option<String>,
            }
            Tool {
                name: "figma_comment_reactions_list",
                title: "List reactions",
                description: "Reactions to a comment: who, emoji, when.",
                effect: Effect::Read,
                input: input::<Args>(),
                handler: Handler::Call(Endpoint {
                    method: Method::Get,
                    path: REACTIONS,
                    tier: Tier::Two,
                    scopes: &[Scope::FileCommentsRead, Scope::FilesRead],
                    tokens: ANY_TOKEN,
                    quirks: Quirks { pagination: Pagination::NextUrl(&["cursor"]), ..NO_QUIRKS },
                }),
                extra: NO_EXTRA,
            }
        },
        {
            #[derive(Serialize, Deserialize, JsonSchema)]
            struct Args {
                file_key: FileKey,
                comment_id: CommentId,
                /// :heart:.
                #[schemars(length(min = 1))]
                emoji: String,
            }
            Tool {
                name: "figma_comment_reaction_create",
                title: "Add reaction",
                description: "Adds your reaction to a comment or reply.",
                effect: Effect::Create { verify_with: "figma_comment_reactions_list" },
                input: input::<Args>(),
                handler: Handler::Call(Endpoint {
                    method: Method::Post,
                    path: REACTIONS,
                    tier: Tier::Two,
                    scopes: &[Scope::FileCommentsWrite],
                    tokens: PERSON,
                    quirks: NO_QUIRKS,
                }),
                extra: NO_EXTRA,
            }
        },
        {
            #[derive(Serialize, Deserialize, JsonSchema)]
            struct Args {
                file_key: FileKey,
                comment_id: CommentId,
                /// :heart:.
                #[schemars(length(min = 1))]
                emoji: String,
            }
            Tool {
                name: "figma_comment_reaction_delete",
                title: "Remove reaction",
                description: "Removes your own reaction from a comment.",
                effect: Effect::Delete,
                input: input::<Args>(),
                handler: Handler::Call(Endpoint {
                    method: Method::Delete,
                    path: REACTIONS,
                    tier: Tier::Two,
                    scopes: &[Scope::FileCommentsWrite],
                    tokens: PERSON,
                    quirks: NO_QUIRKS,
                }),
                extra: NO_EXTRA,
            }
        },
    ],
};
