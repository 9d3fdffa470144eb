//! The outline of a tree of nodes that is too large to be shown: `id`, `name` and `type` of as many nodes
//! as fit, the upper levels first. What is left out is said in its place, with its size.
//!
//! The answer is read as a stream and never held: a file can have hundreds of megabytes.

use std::{collections::HashMap, io::Read};

use super::ceiling::marker;
use crate::{
    error::{Error, Result},
    walk::{Flow, Member, Visitor, Walker},
};

/// What a node takes beside its texts: brackets, the names of its members, what it says of its children.
const NODE: usize = 96;
/// Members beside the trees up to this size are shown whole.
const SMALL: usize = 256;
const CHUNK: usize = 64 * 1024;

/// An outline.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Outline {
    /// The outline as JSON, in the shape of the answer.
    pub(super) body: String,
    /// How many nodes it shows.
    pub(super) shown: usize,
    /// How many there are.
    pub(super) total: usize,
}

/// Reads a tree and makes its outline, at most `limit` bytes long.
///
/// # Errors
/// When this is no tree of nodes, or cannot be read.
pub(super) fn outline(mut source: impl Read, limit: usize) -> Result<Outline> {
    let mut walker = Walker::new(Levels { limit, ..Levels::default() });
    let mut chunk = vec![0; CHUNK];
    loop {
        let read = source
            .read(&mut chunk)
            .map_err(|error| Error::File { path: "a kept answer".to_owned(), problem: error.to_string() })?;
        if read == 0 {
            break;
        }
        walker.push(chunk.get(..read).unwrap_or_default())?;
    }
    Ok(walker.finish()?.printed())
}

/// A node of the outline.
#[derive(Debug, Default)]
struct Node {
    /// `"id":"1:2","name":…`
    texts: Vec<String>,
    children: Vec<usize>,
    /// How many children it has in truth.
    count: usize,
    bytes: u64,
    /// The entry of `nodes` that it is the document of.
    entry: Option<String>,
}

impl Node {
    fn size(&self) -> usize {
        NODE + self.texts.iter().map(|text| text.len() + 1).sum::<usize>()
            + self.entry.as_ref().map_or(0, |id| id.len() + 20)
    }
}

/// A node that is being read.
#[derive(Debug)]
struct Open {
    /// Its number in the outline, if it has a place there.
    shown: Option<usize>,
    begin: u64,
    count: usize,
}

#[derive(Debug, Default)]
struct Levels {
    limit: usize,
    used: usize,
    nodes: HashMap<usize, Node>,
    /// The nodes of each level that have a place, in their order.
    by_level: Vec<Vec<usize>>,
    /// The first level that takes no more nodes: it or one above it did not fit.
    full: Option<usize>,
    open: Vec<Open>,
    total: usize,
    /// Members of the answer beside its trees: (entry of `nodes`, name and value).
    beside: Vec<(Option<String>, String)>,
    beside_used: usize,
    /// Entries of `nodes` that are null.
    nulls: Vec<String>,
    beside_left: usize,
    /// How many trees there are.
    roots: usize,
}

impl Visitor for Levels {
    fn open(&mut self, at: u64) {
        let level = self.open.len();
        if let Some(parent) = self.open.last_mut() {
            parent.count += 1;
        } else {
            self.roots += 1;
        }
        let number = self.total;
        self.total += 1;
        let has_room = self.full.is_none_or(|full| level < full);
        // A node whose parent has no place lies on a level that is full.
        let shown = has_room.then_some(number);
        if has_room {
            if self.by_level.len() <= level {
                self.by_level.push(Vec::new());
            }
            if let Some(nodes) = self.by_level.get_mut(level) {
                nodes.push(number);
            }
            let node = Node::default();
            self.used += node.size();
            self.nodes.insert(number, node);
            if let Some(parent) = self.open.last().and_then(|parent| self.nodes.get_mut(&parent.shown?)) {
                parent.children.push(number);
            }
            self.shrink();
        }
        self.open.push(Open { shown, begin: at, count: 0 });
    }

    fn member(&mut self, _member: Member, key: &[u8], value: &[u8]) -> Flow {
        let node = self.open.last().and_then(|open| self.nodes.get_mut(&open.shown?));
        if let Some(node) = node {
            let value = String::from_utf8_lossy(value);
            let value = if value.len() > SMALL { marker(&value) } else { value.into_owned() };
            let text = format!("\"{}\":{value}", String::from_utf8_lossy(key));
            self.used += text.len() + 1;
            node.texts.push(text);
            self.shrink();
        }
        Flow::Continue
    }

    fn close(&mut self, end: u64) {
        let Some(open) = self.open.pop() else { return };
        if let Some(node) = open.shown.and_then(|number| self.nodes.get_mut(&number)) {
            node.count = open.count;
            node.bytes = end.saturating_sub(open.begin);
        }
    }

    fn beside(&mut self, entry: Option<&str>, key: &[u8], value: &[u8]) {
        let value = String::from_utf8_lossy(value);
        if entry.is_some() && key.is_empty() {
            // An entry that is null.
            let null = entry.map(|id| format!("{}:null", quoted(id))).unwrap_or_default();
            self.used += null.len() + 1;
            self.nulls.push(null);
            self.shrink();
            return;
        }
        let value = if value.len() > SMALL { marker(&value) } else { value.into_owned() };
        let member = format!("{}:{value}", quoted(&String::from_utf8_lossy(key)));
        self.keep_beside(entry.map(str::to_owned), member);
    }

    fn wants(&self, member: Member, _key: &[u8]) -> bool {
        matches!(member, Member::Id | Member::Name | Member::Type)
    }
}

impl Levels {
    /// Takes the last nodes of the lowest level away until the rest fits: then every upper level is
    /// there whole, and the lowest one up to some node.
    fn shrink(&mut self) {
        while self.used > self.limit {
            let Some(last) = self.by_level.pop() else { return };
            let level = self.by_level.len();
            self.full = Some(self.full.map_or(level, |full| full.min(level)));
            let mut last = last;
            if let Some(node) = last.pop().and_then(|number| self.nodes.remove(&number)) {
                self.used = self.used.saturating_sub(node.size());
            }
            if !last.is_empty() {
                self.by_level.push(last);
            }
        }
    }

    fn keep_beside(&mut self, entry: Option<String>, member: String) {
        if entry.is_some() && self.entry_of_last_root() {
            // The document of an entry comes before its other members.
            let root = self.by_level.first().and_then(|roots| roots.last()).copied();
            if let Some(node) = root.and_then(|root| self.nodes.get_mut(&root)) {
                node.entry.clone_from(&entry);
            }
        }
        let size = member.len() + 1;
        if self.beside_used + size > self.limit / 4 {
            self.beside_left += 1;
            return;
        }
        self.beside_used += size;
        self.used += size;
        self.beside.push((entry, member));
        self.shrink();
    }

    /// Whether the last tree was read within an entry whose name is not known yet.
    fn entry_of_last_root(&self) -> bool {
        let root = self.by_level.first().and_then(|roots| roots.last());
        root.and_then(|root| self.nodes.get(root)).is_some_and(|node| node.entry.is_none())
    }

    fn printed(self) -> Outline {
        let roots = self.by_level.first().cloned().unwrap_or_default();
        let beside = |entry: Option<&str>| -> Vec<String> {
            self.beside
                .iter()
                .filter(|(of, _)| of.as_deref() == entry)
                .map(|(_, member)| member.clone())
                .collect()
        };
        let is_map =
            self.roots > 1 || !self.nulls.is_empty() || self.beside.iter().any(|(entry, _)| entry.is_some());
        let mut members: Vec<String> = Vec::new();
        if is_map {
            let mut entries: Vec<String> = roots
                .iter()
                .map(|root| {
                    let entry = self.nodes.get(root).and_then(|node| node.entry.clone());
                    let mut inner = vec![format!("\"document\":{}", self.print(*root))];
                    inner.extend(beside(entry.as_deref().or(Some(""))));
                    let name = entry.map_or_else(|| self.id_of(*root), |entry| quoted(&entry));
                    format!("{name}:{{{}}}", inner.join(","))
                })
                .collect();
            entries.extend(self.nulls.iter().cloned());
            members.push(format!("\"nodes\":{{{}}}", entries.join(",")));
            if self.roots > roots.len() {
                members.push(format!("\"nodes_left\":{}", self.roots - roots.len()));
            }
        } else if let Some(root) = roots.first() {
            members.push(format!("\"document\":{}", self.print(*root)));
        }
        let others = beside(None);
        let is_node_alone = !is_map && others.is_empty() && self.beside_left == 0;
        members.extend(others);
        if self.beside_left > 0 {
            members.push(format!("\"members_left\":{}", self.beside_left));
        }
        let body = match roots.first() {
            Some(root) if is_node_alone => self.print(*root),
            _ => format!("{{{}}}", members.join(",")),
        };
        Outline { body, shown: self.nodes.len(), total: self.total }
    }

    /// The node's id as JSON.
    fn id_of(&self, number: usize) -> String {
        let id = self.nodes.get(&number).and_then(|node| {
            node.texts.iter().find_map(|text| text.strip_prefix("\"id\":").map(str::to_owned))
        });
        id.filter(|id| id.starts_with('"')).unwrap_or_else(|| "\"\"".to_owned())
    }

    fn print(&self, number: usize) -> String {
        let Some(node) = self.nodes.get(&number) else { return "null".to_owned() };
        let mut members = node.texts.clone();
        let children: Vec<String> = node
            .children
            .iter()
            .filter(|child| self.nodes.contains_key(child))
            .map(|child| self.print(*child))
            .collect();
        if children.is_empty() && node.count > 0 {
            members.push(format!(
                "\"children\":{{\"folded\":\"array\",\"items\":{},\"bytes\":{}}}",
                node.count, node.bytes
            ));
        } else if !children.is_empty() {
            members.push(format!("\"children\":[{}]", children.join(",")));
            if node.count > children.len() {
                members.push(format!("\"children_left\":{}", node.count - children.len()));
            }
        }
        format!("{{{}}}", members.join(","))
    }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn tree(name: &str, fan: usize, depth: usize) -> Value {
        let children: Vec<Value> = if depth == 0 {
            Vec::new()
        } else {
            (0..fan).map(|n| tree(&format!("{name}.{n}"), fan, depth - 1)).collect()
        };
        let mut node =
            json!({ "id": name, "name": format!("Node {name}"), "visible": false, "type": "FRAME" });
        if depth > 0 {
            node["children"] = json!(children);
        }
        node["fills"] = json!([{ "color": { "r": 0.5 } }]);
        node
    }

    fn count(node: &Value) -> usize {
        1 + node["children"].as_array().map_or(0, |children| children.iter().map(count).sum())
    }

    fn outlined(answer: &Value, limit: usize) -> (Outline, Value) {
        let outline = outline(answer.to_string().as_bytes(), limit).unwrap();
        assert!(outline.body.len() <= limit, "{} > {limit}", outline.body.len());
        let shown = serde_json::from_str(&outline.body).unwrap();
        (outline, shown)
    }

    #[test]
    fn the_upper_levels_come_first_and_what_is_left_out_is_said() {
        let file =
            json!({ "document": tree("0", 6, 4), "components": { "a": "x".repeat(500) }, "name": "File" });
        let (outline, shown) = outlined(&file, 4_000);
        assert_eq!(outline.total, count(&file["document"]));
        assert_eq!(outline.shown, count(&shown["document"]));
        assert_eq!(shown["name"], "File");
        assert_eq!(shown["components"]["folded"], "object");
        let pages = shown["document"]["children"].as_array().unwrap();
        assert_eq!(pages.len(), 6);
        assert_eq!(pages[0]["children"][0]["name"], "Node 0.0.0");
        assert_eq!(pages[0]["type"], "FRAME");
        assert!(pages[0].get("fills").is_none());
        let folded = pages.iter().rfind(|page| page["children"].is_object()).unwrap();
        assert_eq!(folded["children"]["items"], 6);
        assert!(folded["children"]["bytes"].as_u64().unwrap() > 1_000);
    }

    #[test]
    fn a_wide_level_ends_early() {
        let (outline, shown) = outlined(&json!({ "document": tree("0", 500, 1), "name": "File" }), 4_000);
        let shown_children = shown["document"]["children"].as_array().unwrap().len();
        assert!(shown_children > 20, "{shown_children}");
        assert_eq!(shown["document"]["children_left"], 500 - shown_children);
        assert_eq!(outline.shown, shown_children + 1);
    }

    #[test]
    fn nodes_keep_their_entries() {
        let entry = |id: &str| json!({ "document": tree(id, 6, 2), "components": {}, "schemaVersion": 0 });
        let answer =
            json!({ "name": "File", "nodes": { "1:1": entry("1:1"), "1:2": null, "1:3": entry("1:3") } });
        let (_, shown) = outlined(&answer, 4_000);
        assert_eq!(shown["nodes"]["1:3"]["document"]["id"], "1:3");
        assert_eq!(shown["nodes"]["1:1"]["schemaVersion"], 0);
        assert!(shown["nodes"]["1:2"].is_null());
        let one = entry("1:1");
        let many: serde_json::Map<String, Value> = (0..60).map(|n| (format!("1:{n}"), one.clone())).collect();
        let (_, shown) = outlined(&json!({ "nodes": many }), 4_096);
        let entries = shown["nodes"].as_object().unwrap().len();
        assert_eq!(shown["nodes_left"], 60 - entries);
    }

    #[test]
    fn a_node_alone_is_a_tree_too() {
        let (outline, shown) = outlined(&tree("7:7", 9, 3), 2_000);
        assert_eq!((shown["id"].as_str(), outline.total), (Some("7:7"), 820));
    }
}
