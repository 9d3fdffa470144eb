//! The same facts as JSON or YAML, one object a node, for programs. Nothing is shared here: each node
//! says all of its own.

use serde_json::{Map, Value, json};

use super::{
    Format, Options,
    lines::{Line, Role},
    model::{Group, Key, Kind, Mode},
    print::Printer,
    view::View,
    words,
};

/// The lines as a document.
pub(super) fn print(view: &View<'_>, options: &Options, lines: &[Line], longest_text: usize) -> String {
    let mut printer = Printer::new(view, options, longest_text);
    let mut nodes: Vec<(usize, Map<String, Value>)> = Vec::new();
    let mut roots = Vec::new();
    for line in lines {
        close(&mut nodes, &mut roots, line.depth);
        nodes.push((line.depth, object(&mut printer, line, options)));
    }
    close(&mut nodes, &mut roots, 0);
    let left_out: Vec<&str> = Group::ALL
        .iter()
        .filter(|group| !options.include.contains(group))
        .map(|group| group.name())
        .collect();
    let mut document = Map::new();
    if !view.design.name.is_empty() {
        document.insert("name".to_owned(), json!(view.design.name));
    }
    let components = printer.component_table();
    if !components.is_empty() {
        document.insert("components".to_owned(), Value::Object(components));
    }
    document.insert("nodes".to_owned(), Value::Array(roots));
    if !left_out.is_empty() {
        document.insert("not_included".to_owned(), json!(left_out));
    }
    match options.format {
        Format::Yaml => yaml(&Value::Object(document)),
        _ => Value::Object(document).to_string(),
    }
}

/// Puts every open node of this depth or deeper into its parent.
fn close(open: &mut Vec<(usize, Map<String, Value>)>, roots: &mut Vec<Value>, depth: usize) {
    while let Some((_, node)) = open.pop_if(|(open, _)| *open >= depth) {
        match open.last_mut() {
            None => roots.push(Value::Object(node)),
            Some((_, parent)) => {
                let is_fold = node.contains_key("folded");
                if is_fold {
                    parent.extend(node);
                } else if let Value::Array(children) =
                    parent.entry("children").or_insert_with(|| Value::Array(Vec::new()))
                {
                    // They are closed one after the other, each before the next one opens.
                    children.push(Value::Object(node));
                }
            }
        }
    }
}

fn object(printer: &mut Printer<'_>, line: &Line, options: &Options) -> Map<String, Value> {
    let mut out = Map::new();
    if let Role::Folded { counts } = &line.role {
        out.insert("folded".to_owned(), json!(counts.nodes));
        return out;
    }
    let node = printer.design().node(line.node);
    let mut put = |name: &str, text: String| {
        if text.is_empty() {
            return;
        }
        match out.get_mut(name) {
            Some(Value::String(before)) => {
                before.push(' ');
                before.push_str(&text);
            }
            _ => {
                out.insert(name.to_owned(), Value::String(text));
            }
        }
    };
    let kind = if node.is_drawing && node.kind != Kind::Instance { "svg" } else { node.kind.word() };
    put("type", kind.to_owned());
    put("id", printer.id(line.node).to_owned());
    put("name", printer.design().symbols.get(node.name).to_owned());
    if let Some(place) = &line.place {
        let mut words = String::new();
        place.write(&mut words);
        put("box", words.trim_start().to_owned());
    }
    if options.include.contains(&Group::Layout) {
        match node.geometry.mode {
            Mode::None => {}
            Mode::Row => put("layout", "row".to_owned()),
            Mode::Column => put("layout", "column".to_owned()),
            Mode::Grid => put("layout", "grid".to_owned()),
        }
    }
    for fact in &line.facts {
        let words = printer.words(fact);
        match fact.key {
            Key::Text => put("text", serde_json::from_str(&words).unwrap_or(words)),
            key => put(key_name(key), words),
        }
    }
    for comment in options.comments.get(printer.id(line.node)).into_iter().flatten() {
        put("comments", comment.clone());
    }
    if node.hidden > 0 {
        out.insert("hidden_children".to_owned(), json!(node.hidden));
    }
    out
}

const fn key_name(key: Key) -> &'static str {
    match key {
        Key::Type => "figma_type",
        Key::Hidden => "visibility",
        Key::Component => "component",
        Key::Properties => "properties",
        Key::Definitions => "property_definitions",
        Key::Text => "text",
        Key::Ends => "connects",
        Key::Reference => "set_by_property",
        Key::Layout | Key::Limits | Key::Cell | Key::Scroll | Key::Rotation | Key::Guides => "layout",
        Key::Font => "font",
        Key::TextWords | Key::Runs => "text_style",
        Key::Fill => "fill",
        Key::Stroke | Key::StrokeWords => "stroke",
        Key::Radius => "radius",
        Key::Effects => "effects",
        Key::Opacity | Key::Blend | Key::Mask | Key::Shape => "paint",
        Key::Inside => "drawing",
        Key::Overrides | Key::Exposed => "overrides",
        Key::Variables | Key::Modes => "variables",
        Key::Flow | Key::Interaction => "interactions",
        Key::Dev | Key::Annotation | Key::Measurement | Key::Export => "dev",
        Key::Other => "other",
    }
}

/// A document of objects, lists, texts and numbers as YAML. Texts that are not plain words are quoted as
/// in JSON, which YAML reads the same.
fn yaml(value: &Value) -> String {
    let mut out = String::new();
    write_yaml(&mut out, value, 0);
    out
}

fn write_yaml(out: &mut String, value: &Value, depth: usize) {
    match value {
        Value::Object(members) => {
            for (at, (name, value)) in members.iter().enumerate() {
                if at > 0 {
                    indent(out, depth);
                }
                out.push_str(&plain(name));
                out.push(':');
                below(out, value, depth + 1);
            }
        }
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    indent(out, depth);
                }
                out.push_str("- ");
                write_yaml(out, item, depth + 1);
                if !matches!(item, Value::Object(_) | Value::Array(_)) {
                    out.push('\n');
                }
            }
        }
        Value::String(text) => out.push_str(&plain(text)),
        other => out.push_str(&other.to_string()),
    }
}

/// A member's value: on its line when it is simple, else on the lines below.
fn below(out: &mut String, value: &Value, depth: usize) {
    match value {
        Value::Object(members) if members.is_empty() => out.push_str(" {}\n"),
        Value::Array(items) if items.is_empty() => out.push_str(" []\n"),
        Value::Object(_) | Value::Array(_) => {
            out.push('\n');
            indent(out, depth);
            write_yaml(out, value, depth);
        }
        value => {
            out.push(' ');
            write_yaml(out, value, depth);
            out.push('\n');
        }
    }
}

fn indent(out: &mut String, depth: usize) {
    out.extend(std::iter::repeat_n("  ", depth));
}

/// A text as YAML: bare only where nothing in it can mean anything else.
fn plain(text: &str) -> String {
    let is_word = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, ' ' | '-' | '_' | '/' | '.' | '%'))
        && !text.ends_with(' ')
        && !matches!(
            text.to_ascii_lowercase().as_str(),
            "true" | "false" | "yes" | "no" | "on" | "off" | "null" | "y" | "n"
        );
    if is_word { text.to_owned() } else { words::quoted(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn yaml_is_indented_and_safe() {
        let value = json!({ "name": "x: y", "nodes": [{ "type": "frame", "children": [{ "id": "1:2" }, { "id": "no" }] }], "count": 2, "none": [] });
        let expected = "name: \"x: y\"\nnodes:\n  - type: frame\n    children:\n      - id: \"1:2\"\n      - id: \"no\"\ncount: 2\nnone: []\n";
        assert_eq!(yaml(&value), expected);
    }
}
