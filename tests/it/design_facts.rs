//! Proves that a description loses nothing: reads the tree back, what repeats written out again, and
//! walks it side by side with the raw answer.

#![allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]

use std::collections::BTreeSet;

use figma_mcp::design::context::{Group, Options, describe};
use serde_json::{Map, Value};

use crate::{
    design::{collect, real_files, sandbox_files},
    design_tree::{Node, Tree},
};

#[test]
fn every_fact_of_real_designs_is_said() {
    for (name, answer) in real_files() {
        check(&name, &answer);
    }
}

#[test]
fn every_fact_of_the_sandbox_files_is_said() {
    for (name, answer) in sandbox_files() {
        check(&name, &answer);
    }
}

/// The checker notices when something is missing: else it proves nothing.
#[test]
fn the_checker_finds_what_is_lost() {
    let raw = serde_json::json!({ "id": "1:1", "name": "Box", "type": "FRAME", "children": [
        { "id": "1:2", "name": "x", "type": "TEXT", "characters": "Hello", "style": { "fontFamily": "Inter", "fontSize": 12 } },
        { "id": "1:3", "name": "y", "type": "INSTANCE", "componentId": "9:9",
          "fills": [{ "type": "SOLID", "color": { "r": 1, "g": 0, "b": 0, "a": 1 }, "boundVariables": { "color": { "type": "VARIABLE_ALIAS", "id": "VariableID:7:7" } } }],
          "interactions": [{ "trigger": { "type": "ON_CLICK" }, "actions": [{ "type": "NODE", "destinationId": "5:5" }] }] },
    ] });
    let design = collect(raw.to_string().as_bytes(), false);
    let whole = describe(&design, &everything()).text;
    assert_eq!(problems(&raw, &whole), Vec::<String>::new());
    for lost in ["\"Hello\"", "#F00", "9:9", "@7:7", "5:5"] {
        let without = whole.replace(lost, "");
        assert!(!problems(&raw, &without).is_empty(), "{lost} was not missed in\n{without}");
    }
}

/// It also reads what one line says for others: ids that are left out, what everything in a box does.
#[test]
fn the_checker_finds_what_is_wrongly_left_out() {
    let bounds = |width: f64| serde_json::json!({ "x": 0, "y": 0, "width": width, "height": 20 });
    let child = |id: &str, width: f64| {
        serde_json::json!({ "id": id, "name": "Rectangle", "type": "RECTANGLE", "cornerRadius": width,
            "absoluteBoundingBox": bounds(width), "layoutSizingHorizontal": "FILL", "layoutSizingVertical": "FIXED" })
    };
    let raw = serde_json::json!({ "id": "1:1", "name": "Box", "type": "FRAME", "layoutMode": "VERTICAL",
        "absoluteBoundingBox": bounds(40.0), "children": [child("1:2", 40.0), child("1:3", 41.0), child("1:4", 42.0), child("1:6", 43.0)] });
    let whole = describe(&collect(raw.to_string().as_bytes(), false), &everything()).text;
    assert!(whole.contains("\n rect h20 r40\n rect h20 r41\n rect #4 h20 r42\n rect #6 h20"), "{whole}");
    assert_eq!(problems(&raw, &whole), Vec::<String>::new());
    for (said, wrong) in
        [("#1:1 stretch", "#1:1"), ("#4", "#5"), (" #6", ""), ("#1:1", "#1:2"), (" h20 r43", " w43 h20 r43")]
    {
        assert!(
            !problems(&raw, &whole.replacen(said, wrong, 1)).is_empty(),
            "{said} was not missed in\n{whole}"
        );
    }
}

fn everything() -> Options {
    Options { include: Group::ALL.to_vec(), ..Options::default() }
}

fn check(name: &str, answer: &[u8]) {
    let text = describe(&collect(answer, false), &everything()).text;
    let raw: Value = serde_json::from_slice(answer).unwrap();
    let problems = problems(&raw, &text);
    assert!(
        problems.is_empty(),
        "{name}: {} facts are missing\n{}",
        problems.len(),
        problems[..problems.len().min(20)].join("\n")
    );
}

pub(crate) fn problems(raw: &Value, text: &str) -> Vec<String> {
    let tree = Tree::read(text);
    let root = raw.get("document").unwrap_or(raw);
    let mut checker = Checker { raw, text, problems: Vec::new() };
    match tree.roots.as_slice() {
        [node] => checker.node(root, None, &tree.expand(node), false),
        roots => checker.problems.push(format!("{} roots", roots.len())),
    }
    checker.problems
}

struct Checker<'a> {
    raw: &'a Value,
    text: &'a str,
    problems: Vec<String>,
}

impl Checker<'_> {
    fn node(&mut self, raw: &Value, parent: Option<(&Value, &Node)>, said: &Node, in_component: bool) {
        let id = raw["id"].as_str().unwrap();
        self.own_facts(id, raw, said);
        self.place(id, raw, parent, said);
        if is_drawing(said) {
            self.drawing(id, raw, said);
            return;
        }
        let in_component = in_component || raw["type"] == "COMPONENT";
        let visible = visible_children(raw, in_component);
        if visible.len() as u64 != said.children.len() as u64 + said.folded {
            self.problems.push(format!("{id}: {} children, {} said", visible.len(), said.children.len()));
            return;
        }
        for (child, child_said) in visible.iter().zip(&said.children) {
            self.node(child, Some((raw, said)), child_said, in_component);
        }
    }

    /// Its size and position, where the answer says how they come about.
    fn place(&mut self, id: &str, raw: &Value, parent: Option<(&Value, &Node)>, said: &Node) {
        let Some(bounds) = rectangle(raw) else { return };
        let is_absolute = raw["layoutPositioning"] == "ABSOLUTE";
        let stretched = parent.filter(|_| !is_absolute).and_then(|(raw, said)| stretches(raw, said));
        let parent = parent.map(|(parent, _)| parent);
        let words = |test: &dyn Fn(&str) -> Option<String>| {
            said.rest.split(" ⟂ ").find_map(|part| part.split(' ').find_map(test)).unwrap_or_default()
        };
        let side = |at: usize, mark: &str| {
            words(&|word| match (word.strip_prefix(mark), word.split_once('×')) {
                (Some(side), _) if side.starts_with(|c: char| c.is_ascii_digit()) => Some(side.to_owned()),
                (Some(side @ ("-fill" | "-hug")), _) => Some(side[1..].to_owned()),
                _ if word.strip_prefix("size").is_some_and(|side| side.parse::<f64>().is_ok()) => {
                    Some(word["size".len()..].to_owned())
                }
                (_, Some(sides)) => {
                    let side = if at == 2 { sides.0 } else { sides.1 };
                    (side.parse::<f64>().is_ok() || matches!(side, "fill" | "hug")).then(|| side.to_owned())
                }
                _ => (word == "inset0").then(|| word.to_owned()),
            })
        };
        for (name, at, mark) in [("layoutSizingHorizontal", 2, "w"), ("layoutSizingVertical", 3, "h")] {
            let mut found = side(at, mark);
            if found.is_empty() && stretched == Some(mark) {
                "fill".clone_into(&mut found);
            }
            let covers = found == "inset0"
                && parent.and_then(rectangle).is_some_and(|parent| (bounds[at] - parent[at]).abs() <= 1.05);
            let is_said = covers
                || match raw[name].as_str() {
                    Some("FIXED") => found == tenths(bounds[at]),
                    Some("FILL") => found == "fill",
                    Some("HUG") => found.is_empty() || found == "hug",
                    _ => true,
                };
            if !is_said {
                self.problems.push(format!("{id}: {name} {} said as {found}", bounds[at]));
            }
        }
        let free = |parent: &&Value| {
            matches!(parent["type"].as_str(), Some("FRAME" | "GROUP" | "INSTANCE" | "COMPONENT"))
                && parent["layoutMode"].as_str().is_none_or(|mode| mode == "NONE")
        };
        if let Some(parent) = parent.filter(free).and_then(rectangle) {
            let found = words(&|word| {
                let is_position = word.strip_prefix('@').is_some_and(|at| at.contains(','));
                (is_position || matches!(word, "inset0" | "in-flow")).then(|| word.to_owned())
            });
            let offset = [bounds[0] - parent[0], bounds[1] - parent[1]];
            let wanted = format!("@{},{}", tenths(offset[0]), tenths(offset[1]));
            let is_said = match found.as_str() {
                "" => wanted == "@0,0",
                "inset0" => offset.iter().all(|offset| offset.abs() <= 1.05),
                found => found == wanted,
            };
            if !is_said && raw["type"] != "CONNECTOR" {
                self.problems.push(format!("{id}: at {wanted} said as {found}"));
            }
        }
    }

    fn own_facts(&mut self, id: &str, raw: &Value, said: &Node) {
        if !said.is_repeated && said.whole_id != id {
            self.problems.push(format!("{id}: said as {} = {}", said.id, said.whole_id));
        }
        if let Some(text) = raw["characters"].as_str().filter(|text| !text.is_empty()) {
            self.characters(id, raw, text, said);
        }
        for paints in ["fills", "strokes"] {
            let key = if paints == "fills" { "fill=" } else { "stroke=" };
            for wanted in paint_words(&raw[paints]) {
                if !newest(&said.rest, key).contains(&wanted) {
                    self.problems.push(format!("{id}: {paints} {wanted} not in {}", said.rest));
                }
            }
        }
        if let Some(component) = raw["componentId"].as_str().filter(|_| raw["type"] == "INSTANCE") {
            let name = self.component_name(component);
            let is_said =
                said.title.contains(&format!("<{name}")) || said.title.contains(&format!("<\"{name}"));
            if !is_said || !self.text.contains(component) {
                self.problems.push(format!("{id}: component {component} ({name}) not in {}", said.title));
            }
        }
        for end in ["connectorStart", "connectorEnd"] {
            if let Some(to) = raw[end]["endpointNodeId"].as_str()
                && !said.rest.contains(&format!("#{to}"))
            {
                self.problems.push(format!("{id}: {end} {to} not in {}", said.rest));
            }
        }
        for variable in variables(raw) {
            if !said.rest.contains(&format!("@{variable}")) {
                self.problems.push(format!("{id}: variable {variable} not in {}", said.rest));
            }
        }
        for wanted in destinations(raw) {
            if !newest(&said.rest, "→ ").contains(&wanted) {
                self.problems.push(format!("{id}: interaction to {wanted} not in {}", said.rest));
            }
        }
    }

    fn characters(&mut self, id: &str, raw: &Value, text: &str, said: &Node) {
        let Some(found) = &said.text else {
            self.problems.push(format!("{id}: no text {text:?}"));
            return;
        };
        let found: String = serde_json::from_str(found).unwrap_or_else(|_| found.clone());
        let plain = text.replace(['\u{2028}', '\u{2029}'], "\n");
        let has_marks = raw["characterStyleOverrides"].as_array().is_some_and(|list| !list.is_empty())
            || raw["lineTypes"].as_array().is_some_and(|list| list.iter().any(|kind| kind != "NONE"));
        let is_said = if has_marks {
            let found = unmarked(&found);
            plain.split_whitespace().all(|word| found.contains(&unmarked(word)))
        } else {
            found == plain
        };
        if !is_said {
            self.problems.push(format!("{id}: text {text:?} said as {found:?}"));
        }
    }

    /// A drawing's line names or counts what it is painted with, and counts its paths.
    fn drawing(&mut self, id: &str, raw: &Value, said: &Node) {
        let (mut paths, mut paints) = (0, BTreeSet::new());
        let mut variables_inside = BTreeSet::new();
        marks(raw, &mut |mark| {
            paths += 1;
            paints.extend(paint_words(&mark["fills"]));
            paints.extend(paint_words(&mark["strokes"]));
            variables_inside.extend(variables(mark));
        });
        if !said.rest.contains(&format!("{paths} path")) {
            self.problems.push(format!("{id}: {paths} paths not in {}", said.rest));
        }
        if !said.rest.contains("more paints") {
            for paint in paints.into_iter().filter(|paint| !said.rest.contains(paint)) {
                self.problems.push(format!("{id}: paint {paint} not in {}", said.rest));
            }
            for variable in variables_inside {
                if !said.rest.contains(&format!("@{variable}")) {
                    self.problems.push(format!("{id}: variable {variable} not in {}", said.rest));
                }
            }
        }
    }

    fn component_name(&self, id: &str) -> String {
        let Some(component) = self.raw["components"].get(id) else { return id.to_owned() };
        let set = component["componentSetId"].as_str().and_then(|set| self.raw["componentSets"].get(set));
        set.unwrap_or(component)["name"].as_str().unwrap_or(id).to_owned()
    }
}

/// The side along which a node says that everything in it fills it.
fn stretches(raw: &Value, said: &Node) -> Option<&'static str> {
    let mut words = said.rest.split(" ⟂ ").flat_map(|part| part.split(' '));
    let newest = words.find(|word| matches!(*word, "stretch" | "no-stretch"));
    let side = if raw["layoutMode"] == "HORIZONTAL" { "h" } else { "w" };
    newest.filter(|word| *word == "stretch").map(|_| side)
}

/// Where a node lies and how large it is.
fn rectangle(raw: &Value) -> Option<[f64; 4]> {
    let side = |name: &str| raw["absoluteBoundingBox"][name].as_f64();
    Some([side("x")?, side("y")?, side("width")?, side("height")?])
}

/// A number of pixels as it is written.
fn tenths(pixels: f64) -> String {
    // As precise as the description's own arithmetic.
    let pixels = f64::from(pixels as f32);
    ((pixels * 10.0).round() / 10.0 + 0.0).to_string()
}

/// A text without light markup.
fn unmarked(text: &str) -> String {
    let mut out = String::new();
    for (at, part) in text.split('‹').enumerate() {
        let part =
            if at == 0 { part } else { part.trim_start_matches(|c: char| c.is_ascii_digit()).trim_start() };
        out += part;
    }
    out.replace(['*', '_', '~', '›'], "")
}

/// The part of a line from where a key is said last, up to where an older line begins.
fn newest<'a>(rest: &'a str, key: &str) -> &'a str {
    rest.split(" ⟂ ").find(|part| part.contains(key)).unwrap_or("")
}

fn is_drawing(said: &Node) -> bool {
    let newest = said.rest.split(" ⟂ ").find(|part| part.contains(" path") || part.starts_with("1 path"));
    said.children.is_empty()
        && newest.is_some_and(|part| {
            let words: Vec<&str> = part.split(' ').collect();
            words.windows(2).any(|pair| pair[0].parse::<u32>().is_ok() && matches!(pair[1], "path" | "paths"))
        })
}

fn visible_children(raw: &Value, in_component: bool) -> Vec<&Value> {
    let is_shown = |child: &&Value| {
        child["visible"] != false
            || (in_component && child["componentPropertyReferences"].get("visible").is_some())
    };
    raw["children"].as_array().map(|list| list.iter().filter(is_shown).collect()).unwrap_or_default()
}

/// Every visible node below that has no children of its own.
fn marks(raw: &Value, each: &mut impl FnMut(&Value)) {
    for child in visible_children(raw, false) {
        if visible_children(child, false).is_empty() {
            each(child);
        } else {
            marks(child, each);
        }
    }
}

/// What each visible paint of a list must be said with.
fn paint_words(list: &Value) -> Vec<String> {
    let paints = list.as_array().map(Vec::as_slice).unwrap_or_default();
    paints.iter().filter(|paint| paint["visible"] != false).flat_map(one_paint).collect()
}

fn one_paint(paint: &Value) -> Vec<String> {
    match paint["type"].as_str().unwrap_or_default() {
        "SOLID" => vec![hex(&paint["color"])],
        kind if kind.starts_with("GRADIENT") => {
            paint["gradientStops"].as_array().into_iter().flatten().map(|stop| hex(&stop["color"])).collect()
        }
        "IMAGE" => paint["gifRef"]
            .as_str()
            .or_else(|| paint["imageRef"].as_str())
            .map(|image| image[..8].to_owned())
            .into_iter()
            .collect(),
        _ => Vec::new(),
    }
}

fn hex(colour: &Value) -> String {
    let byte = |name: &str| (colour[name].as_f64().unwrap_or(0.0) * 255.0).round() as u8;
    let digits = format!("{:02X}{:02X}{:02X}", byte("r"), byte("g"), byte("b"));
    let is_short = digits.as_bytes().chunks(2).all(|pair| pair[0] == pair[1]);
    if is_short {
        format!("#{}{}{}", &digits[..1], &digits[2..3], &digits[4..5])
    } else {
        format!("#{digits}")
    }
}

/// The variables that a node itself is bound to, as they are written without names.
fn variables(raw: &Value) -> BTreeSet<String> {
    fn aliases(value: &Value, found: &mut BTreeSet<String>) {
        match value {
            Value::Object(map) if map.get("type").is_some_and(|kind| kind == "VARIABLE_ALIAS") => {
                let id = map["id"].as_str().unwrap().trim_start_matches("VariableID:");
                found.insert(match id.split_once('/') {
                    Some((key, rest)) => format!("{}/{rest}", &key[..6]),
                    None => id.to_owned(),
                });
            }
            Value::Object(map) if map.get("visible").is_some_and(|visible| visible == false) => {}
            Value::Object(map) => map.values().for_each(|value| aliases(value, found)),
            Value::Array(list) => list.iter().for_each(|value| aliases(value, found)),
            _ => {}
        }
    }
    let own: Map<String, Value> = raw
        .as_object()
        .unwrap()
        .iter()
        .filter(|(name, _)| !matches!(name.as_str(), "children" | "visible" | "background"))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    let mut found = BTreeSet::new();
    aliases(&Value::Object(own), &mut found);
    found
}

/// Where a node's interactions lead.
fn destinations(raw: &Value) -> Vec<String> {
    let mut found = Vec::new();
    for interaction in raw["interactions"].as_array().into_iter().flatten() {
        for action in interaction["actions"].as_array().into_iter().flatten() {
            let destination = action["destinationId"].as_str().or_else(|| action["url"].as_str());
            found.extend(destination.or_else(|| raw["transitionNodeID"].as_str()).map(str::to_owned));
        }
    }
    found
}
