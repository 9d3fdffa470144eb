//! What little of a node the image tools need: its name, its size, what lies in it, its image fills.

use serde::Deserialize;
use serde_json::Value;

use crate::{
    error::foreign,
    walk::{Flow, Member, Visitor},
};

/// How many levels below a node are listed.
const LEVELS: usize = 2;
/// How many lines an outline has.
const MOST_LINES: usize = 60;

/// A node, and what lies in it as far as that is listed.
#[derive(Debug, Default)]
pub(super) struct Node {
    pub(super) id: String,
    pub(super) name: String,
    kind: String,
    size: Option<(f64, f64)>,
    children: Vec<Node>,
    /// How many nodes lie in it, at any depth, hidden ones left out.
    count: usize,
    own: Vec<ImageFill>,
    below: Vec<ImageFill>,
    is_hidden: bool,
}

/// An image fill of a node: Figma's own paint.
#[derive(Debug, Clone)]
pub(super) struct ImageFill {
    pub(super) node_id: String,
    pub(super) node_name: String,
    pub(super) paint: Value,
}

/// Gathers nodes from an answer.
#[derive(Debug, Default)]
pub(super) struct Outline {
    open: Vec<Node>,
    /// The nodes that were asked for, those that exist.
    pub(super) nodes: Vec<Node>,
}

impl Outline {
    /// The node of this id, if it was asked for and exists.
    pub(super) fn node(&self, id: &str) -> Option<&Node> {
        self.nodes.iter().find(|node| node.id == id)
    }
}

impl Visitor for Outline {
    fn open(&mut self, _at: u64) {
        self.open.push(Node::default());
    }

    fn member(&mut self, _member: Member, key: &[u8], value: &[u8]) -> Flow {
        let is_asked_for = self.open.len() == 1;
        let Some(node) = self.open.last_mut() else { return Flow::Continue };
        let text = || serde_json::from_slice(value).unwrap_or_default();
        match key {
            b"id" => node.id = text(),
            b"name" => node.name = text(),
            b"type" => node.kind = text(),
            b"visible" if value == b"false" => {
                node.is_hidden = true;
                // What was asked for is told of, whether it shows or not.
                return if is_asked_for { Flow::Continue } else { Flow::Skip };
            }
            b"absoluteBoundingBox" => node.size = size(value),
            b"fills" | b"strokes" => node.add_fills(value),
            _ => {}
        }
        Flow::Continue
    }

    fn close(&mut self, _end: u64) {
        let Some(mut node) = self.open.pop() else { return };
        let depth = self.open.len();
        for fill in &mut node.own {
            fill.node_id.clone_from(&node.id);
            fill.node_name.clone_from(&node.name);
        }
        let Some(parent) = self.open.last_mut() else {
            self.nodes.push(node);
            return;
        };
        if node.is_hidden {
            return;
        }
        parent.count += 1 + node.count;
        parent.below.append(&mut node.own);
        parent.below.append(&mut node.below);
        if depth <= LEVELS {
            parent.children.push(node);
        }
    }

    fn beside(&mut self, _entry: Option<&str>, _key: &[u8], _value: &[u8]) {}

    fn wants(&self, member: Member, _key: &[u8]) -> bool {
        matches!(
            member,
            Member::Id
                | Member::Name
                | Member::Type
                | Member::Visible
                | Member::AbsoluteBoundingBox
                | Member::Fills
                | Member::Strokes
        )
    }

    fn wants_beside(&self, _key: &[u8]) -> bool {
        false
    }
}

impl Node {
    /// The visible image fills: its own, or where it has none those of what is in it.
    pub(super) fn image_fills(&self) -> &[ImageFill] {
        if self.own.is_empty() { &self.below } else { &self.own }
    }

    fn add_fills(&mut self, paints: &[u8]) {
        // Most paints are colours: they are not parsed.
        if !paints.windows(3).any(|word| word == b"Ref") {
            return;
        }
        let paints: Vec<Value> = serde_json::from_slice(paints).unwrap_or_default();
        let is_shown = |paint: &Value| {
            paint.get("visible") != Some(&Value::Bool(false))
                && ["imageRef", "gifRef"].iter().any(|name| paint.get(*name).is_some_and(Value::is_string))
        };
        self.own.extend(paints.into_iter().filter(is_shown).map(|paint| ImageFill {
            node_id: String::new(),
            node_name: String::new(),
            paint,
        }));
    }

    /// The longest side, in Figma's pixels.
    pub(super) fn longest_side(&self) -> Option<f64> {
        self.size.map(|(width, height)| width.max(height)).filter(|side| *side > 0.0)
    }

    /// A line a node: this one, then what lies in it, indented.
    pub(super) fn lines(&self) -> String {
        let mut lines = vec![self.line(0)];
        self.add_lines(1, &mut lines);
        let more = 1 + self.count - lines.len().min(1 + self.count);
        if more > 0 {
            lines.push(format!("… and {more} more nodes in it"));
        }
        lines.join("\n")
    }

    fn add_lines(&self, depth: usize, lines: &mut Vec<String>) {
        for child in &self.children {
            if lines.len() >= MOST_LINES {
                return;
            }
            lines.push(child.line(depth));
            child.add_lines(depth + 1, lines);
        }
    }

    fn line(&self, depth: usize) -> String {
        let size = self.size.map(|(width, height)| format!(" {} × {}", width.round(), height.round()));
        format!(
            "{}{} \"{}\" {}{}",
            "  ".repeat(depth),
            foreign(&self.id),
            foreign(&self.name),
            foreign(&self.kind),
            size.unwrap_or_default()
        )
    }
}

fn size(value: &[u8]) -> Option<(f64, f64)> {
    #[derive(Deserialize)]
    struct Area {
        width: f64,
        height: f64,
    }
    serde_json::from_slice::<Area>(value).ok().map(|area| (area.width, area.height))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::walk::Walker;

    /// What is gathered of an answer.
    pub(in crate::dispatch) fn outline(answer: &Value) -> Outline {
        let mut walker = Walker::new(Outline::default());
        walker.push(answer.to_string().as_bytes()).unwrap();
        walker.finish().unwrap()
    }

    #[test]
    fn a_node_is_told_with_what_lies_in_it() {
        let leaf = |id: &str| serde_json::json!({ "id": id, "name": "Leaf", "type": "VECTOR" });
        let answer = serde_json::json!({ "nodes": { "1:1": { "document": {
            "id": "1:1", "name": "Home\u{202e}\n", "type": "FRAME",
            "absoluteBoundingBox": { "x": 0, "y": 0, "width": 390, "height": 844.4 },
            "children": [
                { "id": "1:2", "name": "Bar", "type": "FRAME", "children": [
                    { "id": "1:3", "name": "Icon", "type": "FRAME", "children": [leaf("1:4"), leaf("1:5")] },
                ] },
                { "id": "1:6", "name": "Gone", "visible": false, "type": "FRAME", "children": [leaf("1:7")] },
            ],
        } }, "9:9": null } });
        let outline = outline(&answer);
        assert!(outline.node("9:9").is_none());
        let home = outline.node("1:1").unwrap();
        assert_eq!(home.longest_side(), Some(844.4));
        assert_eq!(
            home.lines(),
            "1:1 \"Home\" FRAME 390 × 844\n  1:2 \"Bar\" FRAME\n    1:3 \"Icon\" FRAME\n… and 2 more nodes in it"
        );
    }
}
