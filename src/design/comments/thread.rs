//! Comments as threads.

use std::collections::{BTreeMap, HashSet};

use serde_json::Value;

/// One comment.
#[derive(Debug, Clone, PartialEq)]
pub struct Comment {
    /// Its id.
    pub id: String,
    /// Who wrote it.
    pub author: String,
    /// When: an instant in UTC, as Figma writes it.
    pub written: String,
    /// What it says.
    pub message: String,
    /// How many reactions it got.
    pub reactions: usize,
}

/// A comment and its replies.
#[derive(Debug, Clone, PartialEq)]
pub struct Thread {
    /// The comment that began it.
    pub root: Comment,
    /// Its number in Figma's interface.
    pub number: Option<u64>,
    /// When it was resolved.
    pub resolved: Option<String>,
    /// Where it is pinned.
    pub pin: Pin,
    /// The comments after the first, oldest first.
    pub replies: Vec<Comment>,
    /// Whether it is a reply whose thread is gone.
    pub is_orphan: bool,
}

/// Where a thread is pinned.
#[derive(Debug, Clone, PartialEq)]
pub enum Pin {
    /// To a node, or a page.
    Node(String),
    /// To a point of the canvas.
    Canvas(f64, f64),
    /// Figma does not say.
    Unknown,
}

impl Thread {
    /// All its comments, the first one first.
    pub fn comments(&self) -> impl Iterator<Item = &Comment> {
        std::iter::once(&self.root).chain(&self.replies)
    }

    /// The id of the node that it is pinned to.
    #[must_use]
    pub fn node(&self) -> Option<&str> {
        if let Pin::Node(id) = &self.pin { Some(id) } else { None }
    }
}

/// The threads in an answer of Figma's list of comments, by their numbers.
#[must_use]
pub fn threads(answer: &Value) -> Vec<Thread> {
    let all = answer.get("comments").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let ids: HashSet<&str> = all.iter().map(|comment| text(comment, "id")).collect();
    let mut replies: BTreeMap<&str, Vec<Comment>> = BTreeMap::new();
    let mut threads = Vec::new();
    for comment in all {
        let parent = text(comment, "parent_id");
        if !parent.is_empty() && ids.contains(parent) {
            replies.entry(parent).or_default().push(read(comment));
        } else {
            threads.push(Thread {
                root: read(comment),
                number: number(comment.get("order_id")),
                resolved: comment.get("resolved_at").and_then(Value::as_str).map(str::to_owned),
                pin: pin(comment.get("client_meta")),
                replies: Vec::new(),
                is_orphan: !parent.is_empty(),
            });
        }
    }
    for thread in &mut threads {
        thread.replies = replies.remove(thread.root.id.as_str()).unwrap_or_default();
        thread.replies.sort_by(|a, b| (&a.written, &a.id).cmp(&(&b.written, &b.id)));
    }
    threads.sort_by(|a, b| {
        let key = |thread: &Thread| {
            (thread.number.unwrap_or(u64::MAX), thread.root.written.clone(), thread.root.id.clone())
        };
        key(a).cmp(&key(b))
    });
    threads
}

fn read(comment: &Value) -> Comment {
    Comment {
        id: text(comment, "id").to_owned(),
        author: comment.get("user").map(|user| text(user, "handle")).unwrap_or_default().to_owned(),
        written: text(comment, "created_at").to_owned(),
        message: text(comment, "message").to_owned(),
        reactions: comment.get("reactions").and_then(Value::as_array).map_or(0, Vec::len),
    }
}

fn pin(meta: Option<&Value>) -> Pin {
    let Some(meta) = meta else { return Pin::Unknown };
    // One id; some answers give the way down to it.
    let node = meta.get("node_id").and_then(|id| match id {
        Value::Array(ids) => ids.last().and_then(Value::as_str),
        id => id.as_str(),
    });
    if let Some(node) = node.filter(|node| !node.is_empty()) {
        return Pin::Node(node.to_owned());
    }
    let axis = |name: &str| meta.get(name).and_then(Value::as_f64);
    match (axis("x"), axis("y")) {
        (Some(x), Some(y)) => Pin::Canvas(x, y),
        _ => Pin::Unknown,
    }
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// Figma writes it as a text.
fn number(value: Option<&Value>) -> Option<u64> {
    value.and_then(|value| value.as_u64().or_else(|| value.as_str()?.parse().ok()))
}
