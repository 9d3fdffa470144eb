//! Any tree describes without a panic, the same each time, within its budget, and with what is unknown
//! named.

use figma_mcp::{
    design::context::{Collector, Format, Group, Options, describe},
    walk::Walker,
};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// Types of every sort, and one that no version knows.
const TYPES: &[&str] = &[
    "FRAME",
    "GROUP",
    "TEXT",
    "RECTANGLE",
    "VECTOR",
    "ELLIPSE",
    "INSTANCE",
    "COMPONENT",
    "COMPONENT_SET",
    "SECTION",
    "BOOLEAN_OPERATION",
    "STICKY",
    "CONNECTOR",
    "TABLE",
    "SPARKLE",
    "",
];

/// Values as Figma sends them, and of the wrong kind.
fn any_member() -> impl Strategy<Value = (String, Value)> {
    let paint = json!([{ "type": "SOLID", "color": { "r": 0.2, "g": 0.4, "b": 1, "a": 0.5 } }, { "type": "VIDEO", "x": [1] }]);
    let alias = json!({ "type": "VARIABLE_ALIAS", "id": "VariableID:abcdef0123/1:2" });
    let pool = vec![
        ("fills", paint.clone()),
        ("strokes", paint),
        (
            "effects",
            json!([{ "type": "DROP_SHADOW", "radius": 4, "offset": { "x": 0, "y": 2 }, "color": {} }]),
        ),
        ("characters", json!("Hello \"you\"\n\u{2028}*_😀")),
        ("characterStyleOverrides", json!([0, 1, 1, 2, 7])),
        ("styleOverrideTable", json!({ "1": { "fontWeight": 700 }, "2": { "hyperlink": { "url": "x" } } })),
        ("lineTypes", json!(["ORDERED", "UNORDERED", "NONE"])),
        ("lineIndentations", json!([1, 90, -4])),
        (
            "style",
            json!({ "fontFamily": "A \u{1}B", "fontSize": 12.5, "textAutoResize": "HEIGHT", "odd": 3 }),
        ),
        ("absoluteBoundingBox", json!({ "x": 1e9, "y": -3.25, "width": 10, "height": 1e-9 })),
        ("layoutMode", json!("HORIZONTAL")),
        ("layoutMode", json!("GRID")),
        ("layoutSizingHorizontal", json!("FILL")),
        ("itemSpacing", json!(1e300)),
        ("boundVariables", json!({ "fills": [alias], "size": { "x": alias }, "odd": [[alias]] })),
        ("visible", json!(false)),
        ("componentId", json!("9:9")),
        (
            "componentProperties",
            json!({ "Size#1:2": { "type": "VARIANT", "value": "L" }, "X": { "type": "?", "value": [1] } }),
        ),
        ("componentPropertyReferences", json!({ "visible": "Show#1:1" })),
        ("overrides", json!([{ "id": "1:1", "overriddenFields": ["fills"] }])),
        ("interactions", json!([{ "trigger": null, "actions": [null, { "type": "NODE" }] }])),
        ("sparkle", json!({ "deep": ["value"] })),
        ("rotation", json!(0.5)),
        ("opacity", json!("half")),
        ("cornerRadius", json!([1])),
        ("constraints", json!(7)),
        ("exportSettings", json!({ "not": "a list" })),
    ];
    let names: Vec<&'static str> = pool.iter().map(|(name, _)| *name).collect();
    let wrong = prop_oneof![
        Just(Value::Null),
        Just(json!(-1)),
        Just(json!("x")),
        Just(json!([{}])),
        Just(json!({ "a": [] }))
    ];
    prop_oneof![
        4 => prop::sample::select(pool).prop_map(|(name, value)| (name.to_owned(), value)),
        1 => (prop::sample::select(names), wrong).prop_map(|(name, value)| (name.to_owned(), value)),
    ]
}

/// A tree whose members come in any order, `children` among them.
fn any_tree() -> impl Strategy<Value = Value> {
    let own = || {
        (
            prop::sample::select(TYPES),
            "[a-zA-Z\u{1}\"\\\\ 0-9é]{0,12}",
            prop::collection::vec(any_member(), 0..6),
        )
    };
    let node = |(kind, name, members): (&str, String, Vec<(String, Value)>), children: Vec<Value>| {
        let mut node = Map::new();
        node.insert("id".into(), json!("0:0"));
        node.insert("name".into(), json!(name));
        node.insert("type".into(), json!(kind));
        if !children.is_empty() {
            node.insert("children".into(), Value::Array(children));
        }
        node.extend(members);
        Value::Object(node)
    };
    let leaf = own().prop_map(move |own| node(own, Vec::new()));
    leaf.prop_recursive(6, 48, 6, move |inner| {
        (own(), prop::collection::vec(inner, 0..6)).prop_map(move |(own, children)| node(own, children))
    })
    .prop_map(|mut tree| {
        number(&mut tree, &mut 0);
        tree
    })
}

fn number(node: &mut Value, next: &mut u32) {
    *next += 1;
    node["id"] = json!(format!("1:{next}"));
    if let Some(children) = node.get_mut("children").and_then(Value::as_array_mut) {
        for child in children {
            number(child, next);
        }
    }
}

fn described(answer: &str, chunk: usize, options: &Options) -> String {
    let mut walker = Walker::new(Collector::new(false));
    for chunk in answer.as_bytes().chunks(chunk) {
        walker.push(chunk).unwrap();
    }
    describe(&walker.finish().unwrap().finish(), options).text
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 160, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_tree_is_described_within_its_budget(tree in any_tree(), chunk in 1_usize..300, budget in 200_usize..6000, tiny in 0_usize..300) {
        let answer = tree.to_string();
        for format in [Format::Tree, Format::Json, Format::Yaml] {
            let whole = Options { format, include: Group::ALL.to_vec(), ..Options::default() };
            let text = described(&answer, answer.len(), &whole);
            prop_assert_eq!(&text, &described(&answer, chunk, &whole));
            // A document that says nothing but how much is left out takes a line; a tree can be cut anywhere.
            let least = if format == Format::Tree { 0 } else { 40 };
            for budget in [budget, tiny.max(least)] {
                let bounded = Options { max_bytes: budget, ..whole.clone() };
                let little = described(&answer, answer.len(), &bounded);
                prop_assert!(little.len() <= budget, "{} of {budget} bytes\n{little}", little.len());
            }
        }
    }

    #[test]
    fn what_is_unknown_is_named(tree in any_tree()) {
        let root = json!({ "id": "0:1", "name": "Page", "type": "SPARKLE_BOX", "sparkle": { "deep": [1] }, "children": [tree] });
        let text = described(&root.to_string(), 64, &Options::default());
        prop_assert!(text.contains("sparkle-box") && text.contains("sparkle={\"deep\":[1]}"), "{text}");
    }
}
