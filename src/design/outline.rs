//! The outline of a design: an element for each layer, with its id, name, place and size, and nothing
//! else. It is the form in which Figma's own server answers `get_metadata`.

use std::collections::VecDeque;
use std::fmt::Write as _;

use super::{
    fold::one_line,
    pieces::{Area, read, text},
};
use crate::walk::{Flow, Member, Visitor};

/// How much of a name is shown, in characters.
const LONGEST_NAME: usize = 120;
/// What a line takes at the least: no more nodes than this allows need to be looked at.
const INDENT: &str = "  ";

/// Gathers the nodes of an answer.
#[derive(Debug, Default)]
pub struct Outline {
    nodes: Vec<Node>,
    /// Indexes of the nodes that are open.
    open: Vec<usize>,
    /// Indexes of the outermost nodes.
    roots: Vec<usize>,
}

#[derive(Debug, Default)]
struct Node {
    id: String,
    name: String,
    kind: String,
    area: Option<Area>,
    is_hidden: bool,
    children: Vec<usize>,
}

/// An outline, as far as it fits.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Printed {
    /// An element a line.
    pub text: String,
    /// How many nodes are left out.
    pub left_out: usize,
}

impl Visitor for Outline {
    fn open(&mut self, _at: u64) {
        let index = self.nodes.len();
        self.nodes.push(Node::default());
        match self.open.last().and_then(|parent| self.nodes.get_mut(*parent)) {
            Some(parent) => parent.children.push(index),
            None => self.roots.push(index),
        }
        self.open.push(index);
    }

    fn member(&mut self, _member: Member, key: &[u8], value: &[u8]) -> Flow {
        let Some(node) = self.open.last().and_then(|index| self.nodes.get_mut(*index)) else {
            return Flow::Continue;
        };
        match key {
            b"id" => node.id = text(value).into_owned(),
            b"name" => node.name = one_line(&text(value)).chars().take(LONGEST_NAME).collect(),
            b"type" => node.kind = text(value).into_owned(),
            b"visible" => node.is_hidden = value == b"false",
            b"absoluteBoundingBox" => node.area = read(value),
            _ => {}
        }
        Flow::Continue
    }

    fn close(&mut self, _end: u64) {
        self.open.pop();
    }

    fn beside(&mut self, _entry: Option<&str>, _key: &[u8], _value: &[u8]) {}

    fn wants(&self, member: Member, _key: &[u8]) -> bool {
        matches!(
            member,
            Member::Id | Member::Name | Member::Type | Member::Visible | Member::AbsoluteBoundingBox
        )
    }

    fn wants_beside(&self, _key: &[u8]) -> bool {
        false
    }
}

impl Outline {
    /// Whether there was no node at all.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// The elements, upper levels first where there is no room for all: what lies in a node is shown
    /// whole or counted.
    #[must_use]
    pub fn print(&self, most: usize) -> Printed {
        let shown = self.shown(most);
        let mut printed = Printed::default();
        for root in &self.roots {
            self.write(*root, None, 0, &shown, &mut printed.text);
        }
        printed.left_out = self.nodes.len() - self.count(&shown);
        printed
    }

    /// Which nodes are shown with what lies in them.
    fn shown(&self, most: usize) -> Vec<bool> {
        let mut shown = vec![false; self.nodes.len()];
        let mut left = most;
        let mut queue: VecDeque<(usize, usize)> = self.roots.iter().map(|root| (*root, 0)).collect();
        for root in &self.roots {
            left = left.saturating_sub(self.longest(*root, 0));
        }
        while let Some((index, depth)) = queue.pop_front() {
            let Some(node) = self.nodes.get(index) else { continue };
            let cost: usize = node.children.iter().map(|child| self.longest(*child, depth + 1)).sum();
            if cost <= left {
                left -= cost;
                if let Some(is_shown) = shown.get_mut(index) {
                    *is_shown = true;
                }
                queue.extend(node.children.iter().map(|child| (*child, depth + 1)));
            }
        }
        shown
    }

    fn count(&self, shown: &[bool]) -> usize {
        let of = |(node, is_shown): (&Node, &bool)| if *is_shown { node.children.len() } else { 0 };
        self.roots.len() + self.nodes.iter().zip(shown).map(of).sum::<usize>()
    }

    /// More than the element of this node takes, with its end on a line of its own.
    fn longest(&self, index: usize, depth: usize) -> usize {
        let Some(node) = self.nodes.get(index) else { return 0 };
        let mut text = String::new();
        node.write_start(node.area, &mut text);
        // Coordinates within a parent can be longer than those on the canvas; the number of children.
        text.len() + 60 + node.kind.len() + 2 * INDENT.len() * depth
    }

    fn write(&self, index: usize, parent: Option<Area>, depth: usize, shown: &[bool], text: &mut String) {
        let Some(node) = self.nodes.get(index) else { return };
        let area = node.area.map(|area| match parent {
            Some(parent) => Area { x: area.x - parent.x, y: area.y - parent.y, ..area },
            None => area,
        });
        let indent = INDENT.repeat(depth);
        *text += &indent;
        node.write_start(area, text);
        if node.children.is_empty() {
            *text += " />\n";
            return;
        }
        if shown.get(index) != Some(&true) {
            let _ = writeln!(text, " children=\"{}\" />", node.children.len());
            return;
        }
        *text += ">\n";
        for child in &node.children {
            self.write(*child, node.area.or(parent), depth + 1, shown, text);
        }
        let _ = writeln!(text, "{indent}</{}>", node.element());
    }
}

impl Node {
    fn write_start(&self, area: Option<Area>, text: &mut String) {
        let _ =
            write!(text, "<{} id=\"{}\" name=\"{}\"", self.element(), escaped(&self.id), escaped(&self.name));
        if let Some(area) = area {
            let round = |length: f64| (length * 100.0).round() / 100.0 + 0.0;
            let (x, y, width, height) = (round(area.x), round(area.y), round(area.width), round(area.height));
            let _ = write!(text, " x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\"");
        }
        if self.is_hidden {
            *text += " hidden=\"true\"";
        }
    }

    /// The type as an element's name: `rounded-rectangle`.
    fn element(&self) -> String {
        let letter = |c: char| if c == '_' { '-' } else { c.to_ascii_lowercase() };
        let name: String =
            self.kind.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').map(letter).collect();
        if name.starts_with(|c: char| c.is_ascii_alphabetic()) { name } else { "node".to_owned() }
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::walk::Walker;

    fn outline(answer: &Value) -> Outline {
        let mut walker = Walker::new(Outline::default());
        walker.push(answer.to_string().as_bytes()).unwrap();
        walker.finish().unwrap()
    }

    fn leaf(id: usize) -> Value {
        json!({ "id": format!("1:{id}"), "name": "Leaf", "type": "VECTOR",
            "absoluteBoundingBox": { "x": 10.126, "y": 20, "width": 5, "height": 6 } })
    }

    #[test]
    fn an_element_a_layer_at_its_place_in_its_parent() {
        let tree = json!({ "id": "1:1", "name": "A \"<&>\"\n", "type": "FRAME", "children": [
            { "id": "1:2", "name": "Hid", "visible": false, "type": "BOOLEAN_OPERATION", "children": [leaf(3)] },
        ], "absoluteBoundingBox": { "x": 10, "y": -20, "width": 390, "height": 844 } });
        assert_eq!(
            outline(&tree).print(9999).text,
            "<frame id=\"1:1\" name=\"A &quot;&lt;&amp;&gt;&quot;\" x=\"10\" y=\"-20\" width=\"390\" height=\"844\">\n  \
             <boolean-operation id=\"1:2\" name=\"Hid\" hidden=\"true\">\n    \
             <vector id=\"1:3\" name=\"Leaf\" x=\"0.13\" y=\"40\" width=\"5\" height=\"6\" />\n  \
             </boolean-operation>\n</frame>\n"
        );
        assert!(outline(&json!({ "nodes": { "9:9": null } })).is_empty());
    }

    #[test]
    fn what_does_not_fit_is_counted() {
        let branch = |id: usize| {
            json!({ "id": format!("2:{id}"), "name": "Branch", "type": "GROUP",
                "children": (0..20).map(|leaf_id| leaf(id * 100 + leaf_id)).collect::<Vec<_>>() })
        };
        let tree = json!({ "id": "1:1", "name": "Root", "type": "FRAME",
            "children": (0..10).map(branch).collect::<Vec<_>>() });
        let outline = outline(&tree);
        for most in [200, 2_000, 5_000, 12_000, 100_000] {
            let printed = outline.print(most);
            assert!(printed.text.len() <= most, "{most}: {}", printed.text.len());
            let elements = printed.text.matches(" id=\"").count();
            assert_eq!(elements + printed.left_out, 211, "{most}");
        }
        assert!(outline.print(2_000).text.contains("<group id=\"2:9\" name=\"Branch\" children=\"20\" />"));
        assert_eq!(outline.print(100_000).left_out, 0);
    }
}
