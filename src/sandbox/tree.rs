//! A document tree, and the parts of it that an answer shows. Nothing is copied: an answer is written
//! straight from the parsed file.

use std::collections::HashSet;

use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::{Value, json};

/// What of a tree is shown.
#[derive(Debug, Default, Clone)]
pub(super) struct View<'a> {
    /// How many levels of children; `None`: all.
    pub(super) depth: Option<u64>,
    /// Only these nodes with what is inside and above them; `None`: all.
    pub(super) only: Option<HashSet<&'a str>>,
    /// Nodes that an older version does not have yet.
    pub(super) without: HashSet<&'a str>,
    /// Whether vector data comes along.
    pub(super) geometry: bool,
}

/// A node with the part of its subtree that the view shows.
pub(super) struct Shown<'a> {
    pub(super) node: &'a Value,
    pub(super) view: &'a View<'a>,
    pub(super) level: u64,
    /// Whether an ancestor was asked for, so that everything below is shown.
    pub(super) is_inside: bool,
    /// The upper left corner of what it lies in, where that is known.
    pub(super) origin: (f64, f64),
}

const GEOMETRY: [&str; 5] =
    ["fillGeometry", "strokeGeometry", "size", "relativeTransform", "fillOverrideTable"];

impl<'a> Shown<'a> {
    /// A root of its own.
    pub(super) fn root(node: &'a Value, view: &'a View<'a>) -> Self {
        Self { node, view, level: 0, is_inside: view.only.is_none(), origin: (0.0, 0.0) }
    }

    fn children(&self) -> Option<Vec<Shown<'a>>> {
        let view = self.view;
        if view.depth.is_some_and(|depth| self.level >= depth) {
            return None;
        }
        let is_inside = self.is_inside || view.only.as_ref().is_none_or(|only| only.contains(id(self.node)));
        let origin = corner(self.node).unwrap_or_default();
        let shown = |child: &&Value| {
            let is_page = kind(child) == "CANVAS";
            !view.without.contains(id(child)) && (is_inside || is_page || view.holds(child))
        };
        let children = children_array(self.node)?.iter().filter(shown);
        Some(children.map(|node| Shown { node, view, level: self.level + 1, is_inside, origin }).collect())
    }

    /// Every node that is shown, this one first.
    pub(super) fn visit(&self, visitor: &mut impl FnMut(&'a Value)) {
        visitor(self.node);
        for child in self.children().unwrap_or_default() {
            child.visit(visitor);
        }
    }
}

impl View<'_> {
    fn holds(&self, node: &Value) -> bool {
        self.only.as_ref().is_none_or(|only| only.contains(id(node)))
            || children(node).iter().any(|child| self.holds(child))
    }
}

impl Serialize for Shown<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Some(fields) = self.node.as_object() else { return self.node.serialize(serializer) };
        let mut map = serializer.serialize_map(None)?;
        for (name, value) in fields {
            if name == "children" {
                if let Some(children) = self.children() {
                    map.serialize_entry(name, &children)?;
                }
            } else if self.view.geometry || !GEOMETRY.contains(&name.as_str()) {
                map.serialize_entry(name, value)?;
            }
        }
        if self.view.geometry {
            for (name, value) in derived_geometry(self.node, self.origin) {
                if !fields.contains_key(name) {
                    map.serialize_entry(name, &value)?;
                }
            }
        }
        map.end()
    }
}

/// The geometry that follows from a node's box. Vectors have their own in the file.
fn derived_geometry(node: &Value, origin: (f64, f64)) -> Vec<(&'static str, Value)> {
    let Some(area) = area(node) else { return Vec::new() };
    let mut fields = vec![
        ("size", json!({ "x": area.width, "y": area.height })),
        ("relativeTransform", json!([[1, 0, area.x - origin.0], [0, 1, area.y - origin.1]])),
    ];
    if !matches!(kind(node), "GROUP" | "SECTION" | "BOOLEAN_OPERATION") {
        let path = format!("M0 0L{w} 0L{w} {h}L0 {h}L0 0Z", w = area.width, h = area.height);
        let paints =
            |name: &str| node.get(name).and_then(Value::as_array).is_some_and(|paints| !paints.is_empty());
        let geometry = |is_there: bool| {
            if is_there { json!([{ "path": path, "windingRule": "NONZERO" }]) } else { json!([]) }
        };
        fields.push(("fillGeometry", geometry(paints("fills"))));
        fields.push(("strokeGeometry", geometry(paints("strokes"))));
    }
    fields
}

/// A box on the canvas.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Area {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) width: f64,
    pub(super) height: f64,
}

/// A node's box on the canvas.
pub(super) fn area(node: &Value) -> Option<Area> {
    let area = node.get("absoluteBoundingBox")?;
    let number = |name: &str| area.get(name)?.as_f64();
    Some(Area { x: number("x")?, y: number("y")?, width: number("width")?, height: number("height")? })
}

fn corner(node: &Value) -> Option<(f64, f64)> {
    area(node).map(|area| (area.x, area.y))
}

/// A node's id.
pub(super) fn id(node: &Value) -> &str {
    text(node, "id")
}

/// A node's type.
pub(super) fn kind(node: &Value) -> &str {
    text(node, "type")
}

/// A text field, empty where there is none.
pub(super) fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// A list field, empty where there is none.
pub(super) fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// What lies directly in a node.
pub(super) fn children(node: &Value) -> &[Value] {
    list(node, "children")
}

fn children_array(node: &Value) -> Option<&Vec<Value>> {
    node.get("children").and_then(Value::as_array)
}

/// The nodes from the root down to the one with this id.
pub(super) fn find<'a>(node: &'a Value, wanted: &str) -> Option<Vec<&'a Value>> {
    if id(node) == wanted {
        return Some(vec![node]);
    }
    children(node).iter().find_map(|child| {
        let mut path = find(child, wanted)?;
        path.insert(0, node);
        Some(path)
    })
}

/// Every node, this one first.
pub(super) fn visit<'a>(node: &'a Value, visitor: &mut impl FnMut(&'a Value)) {
    visitor(node);
    for child in children(node) {
        visit(child, visitor);
    }
}

/// Sets a field of an object.
pub(super) fn set(object: &mut Value, name: &str, value: Value) {
    if let Some(fields) = object.as_object_mut() {
        fields.insert(name.to_owned(), value);
    }
}
