//! What nearly repeats is written as what differs: variants with layers added, removed and moved. Reading
//! them back proves that nothing is lost.

use figma_mcp::design::context::{Group, Options, describe};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::{design::collect, design_facts::problems};

fn described(raw: &Value) -> String {
    let options = Options { include: Group::ALL.to_vec(), ..Options::default() };
    describe(&collect(raw.to_string().as_bytes(), false), &options).text
}

fn layer(kind: &str, name: &str, more: &Value) -> Value {
    let mut layer = json!({ "id": "", "name": name, "type": kind });
    layer.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    layer
}

fn label(name: &str, text: &str) -> Value {
    let style = json!({ "fontFamily": "Inter", "fontWeight": 500, "fontSize": 14.0 });
    let grey = json!([{ "type": "SOLID", "color": { "r": 0.1, "g": 0.2, "b": 0.3, "a": 1 } }]);
    layer("TEXT", name, &json!({ "characters": text, "style": style, "fills": grey }))
}

/// Gives every node an id of its own, in order.
fn number(node: &mut Value, next: &mut u32) {
    *next += 1;
    node["id"] = json!(format!("1:{next}"));
    for child in node["children"].as_array_mut().into_iter().flatten() {
        number(child, next);
    }
}

fn variant(name: &str, children: Vec<Value>) -> Value {
    let look = json!({ "layoutMode": "HORIZONTAL", "itemSpacing": 8, "paddingLeft": 24, "paddingRight": 24, "paddingTop": 12,
        "paddingBottom": 12, "fills": [{ "type": "SOLID", "color": { "r": 0, "g": 0.4, "b": 0.2, "a": 1 } }] });
    let mut out = layer("COMPONENT", name, &look);
    out["children"] = Value::Array(children);
    out
}

#[test]
fn variants_are_the_first_and_what_differs() {
    let icon = || {
        layer(
            "INSTANCE",
            "Icon",
            &json!({ "componentId": "9:1", "children": [label("Glyph", "x"), label("Hint", "y")] }),
        )
    };
    let text = |text: &str| label("Label", text);
    let badge = || {
        layer(
            "FRAME",
            "Badge",
            &json!({ "layoutMode": "VERTICAL", "paddingTop": 4, "children": [label("Count", "3")] }),
        )
    };
    let mut set = layer("COMPONENT_SET", "Button", &json!({}));
    set["children"] = json!([
        variant("Size=Large, State=Default", vec![icon(), text("Send"), badge()]),
        variant("Size=Large, State=Pressed", vec![icon(), text("Send"), badge()]),
        variant("Size=Small, State=Default", vec![icon(), text("Send now")]),
        variant(
            "Size=Small, State=Open",
            vec![icon(), layer("RECTANGLE", "Divider", &json!({ "cornerRadius": 2 })), text("Send"), badge()]
        ),
        variant("Size=Small, State=Turned", vec![badge(), icon(), text("Send")]),
    ]);
    number(&mut set, &mut 0);
    let text = described(&set);
    assert_eq!(problems(&set, &text), Vec::<String>::new(), "{text}");
    for line in [
        " =T1 \"State=Pressed\" #9\n",
        " =T1 \"Size=Small\" #16 = = \"Send now\" -#7\n",
        "  +before #6 rect \"Divider\" #25 r2\n",
        " ~#7 before #3\n",
    ] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
    let alone: usize =
        set["children"].as_array().unwrap().iter().map(|variant| described(variant).len()).sum();
    assert!(text.len() * 2 < alone, "{} bytes, {alone} apart\n{text}", text.len());
}

/// The checker finds a lost, an added and a moved layer that is not said.
#[test]
fn the_checker_reads_differences() {
    let row = |children: Vec<Value>| {
        layer("FRAME", "Row", &json!({ "layoutMode": "HORIZONTAL", "children": children }))
    };
    let texts =
        |names: &[&str]| names.iter().map(|name| label(name, &format!("About {name}"))).collect::<Vec<_>>();
    let mut list = layer(
        "FRAME",
        "List",
        &json!({ "children": [
        row(texts(&["one", "two", "three", "four"])),
        row(texts(&["one", "three", "four", "five"])),
        row([texts(&["four"]), vec![layer("RECTANGLE", "Line", &json!({ "cornerRadius": 3 }))], texts(&["one", "two", "three"])].concat()),
    ] }),
    );
    number(&mut list, &mut 0);
    let text = described(&list);
    assert_eq!(problems(&list, &text), Vec::<String>::new(), "{text}");
    // Each change in a line of its own.
    let (legend, tree) = text.split_once('\n').unwrap();
    let text = format!("{legend}\n{}", tree.replace(" ~#", "\n  ~#").replace(" -#", "\n  -#"));
    assert_eq!(problems(&list, &text), Vec::<String>::new(), "{text}");
    let changes = text.lines().enumerate().filter(|(_, line)| line.trim_start().starts_with(['~', '-', '+']));
    assert_eq!(changes.clone().count(), 2, "{text}");
    for (at, line) in changes {
        let without: Vec<&str> =
            text.lines().enumerate().filter(|(other, _)| *other != at).map(|(_, line)| line).collect();
        assert!(!problems(&list, &without.join("\n")).is_empty(), "{line} was not missed in\n{text}");
    }
}

// ---------------------------------------------------------------------------- any variants

/// A layer with little to choose from: what is alike has to occur.
fn any_layer() -> impl Strategy<Value = Value> {
    let name = || prop::sample::select(vec!["Icon", "Label", "Box", "Frame 1"]);
    let side = || prop::sample::select(vec![0.0, 8.0, 24.5]);
    let own = (name(), side(), side(), 0_u8..3, prop::bool::ANY).prop_map(|(name, x, width, shade, flows)| {
        let mut more = json!({
            "absoluteBoundingBox": { "x": x, "y": 0.0, "width": width, "height": 10.0 },
            "fills": [{ "type": "SOLID", "color": { "r": f64::from(shade) / 2.0, "g": 0, "b": 0, "a": 1 } }],
        });
        if flows {
            more["layoutMode"] = json!("VERTICAL");
            more["layoutSizingHorizontal"] = json!("FILL");
        }
        (name, more)
    });
    let own = move || own.clone();
    let leaf = prop_oneof![
        own().prop_map(|(name, more)| layer("RECTANGLE", name, &more)),
        (name(), "[ab]{1,2}").prop_map(|(name, text)| label(name, &text)),
        own().prop_map(|(name, mut more)| {
            more["componentId"] = json!(format!("9:{}", name.len()));
            layer("INSTANCE", name, &more)
        }),
    ];
    leaf.prop_recursive(3, 16, 4, move |inner| {
        (own(), prop::collection::vec(inner, 1..4)).prop_map(|((name, mut more), children)| {
            more["children"] = Value::Array(children);
            layer("FRAME", name, &more)
        })
    })
}

/// One change of a subtree.
#[derive(Debug, Clone)]
enum Change {
    Remove(usize),
    Insert(usize, Value),
    Swap(usize),
    Recolour(usize),
    Rename(usize),
}

fn any_change() -> impl Strategy<Value = (usize, Change)> {
    let at = || 0_usize..8;
    let change = prop_oneof![
        at().prop_map(Change::Remove),
        (at(), any_layer()).prop_map(|(at, layer)| Change::Insert(at, layer)),
        at().prop_map(Change::Swap),
        at().prop_map(Change::Recolour),
        at().prop_map(Change::Rename),
    ];
    (0_usize..6, change)
}

/// The containers below, itself first.
fn apply(node: &mut Value, container: &mut usize, change: &Change) -> bool {
    let Some(children) =
        node.get_mut("children").and_then(Value::as_array_mut).filter(|list| !list.is_empty())
    else {
        return false;
    };
    if *container > 0 {
        *container -= 1;
        return children.iter_mut().any(|child| apply(child, container, change));
    }
    let count = children.len();
    match change {
        Change::Remove(at) => drop(children.remove(at % count)),
        Change::Insert(at, layer) => children.insert(at % (count + 1), layer.clone()),
        Change::Swap(at) => children.swap(at % count, (at + 1) % count),
        Change::Recolour(at) => {
            children[at % count]["fills"] =
                json!([{ "type": "SOLID", "color": { "r": 0, "g": 0, "b": 1, "a": 1 } }]);
        }
        Change::Rename(at) => children[at % count]["name"] = json!("Renamed"),
    }
    true
}

/// As the API numbers the layers of an instance: by those of its component.
fn inside(node: &mut Value, instance: &str, next: &mut u32) {
    for child in node["children"].as_array_mut().into_iter().flatten() {
        *next += 1;
        child["id"] = json!(format!("I{};30:{next}", instance.trim_start_matches('I')));
        inside(child, instance, next);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_lost_in_what_differs(
        first in prop::collection::vec(any_layer(), 2..6),
        changes in prop::collection::vec(prop::collection::vec(any_change(), 0..4), 1..4),
        are_instances in prop::bool::ANY,
    ) {
        let mut variants = vec![variant("Size=0", first)];
        for (at, changes) in changes.iter().enumerate() {
            let mut next = variants[at % variants.len()].clone();
            next["name"] = json!(format!("Size={}", at + 1));
            for (container, change) in changes {
                apply(&mut next, &mut container.clone(), change);
            }
            variants.push(next);
        }
        if are_instances {
            for variant in &mut variants {
                variant["type"] = json!("INSTANCE");
                variant["componentId"] = json!("9:9");
            }
        }
        let mut set = layer("COMPONENT_SET", "Set", &json!({ "children": variants }));
        number(&mut set, &mut 0);
        if are_instances {
            set["type"] = json!("FRAME");
            for variant in set["children"].as_array_mut().unwrap() {
                let id = variant["id"].as_str().unwrap().to_owned();
                inside(variant, &id, &mut 0);
            }
        }
        let text = described(&set);
        prop_assert_eq!(problems(&set, &text), Vec::<String>::new(), "{}", text);
    }
}
