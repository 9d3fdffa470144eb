use serde_json::{Value, json};

use super::*;
use crate::walk::Walker;

fn uses(file: &[u8]) -> Uses {
    let mut walker = Walker::new(Uses::default());
    walker.push(file).unwrap();
    walker.finish().unwrap()
}

fn sample() -> Uses {
    uses(include_bytes!("../../sandbox/data/product.json"))
}

#[test]
fn official_names_come_with_the_value_in_every_mode() {
    let workspace: Value = serde_json::from_str(include_str!("../../sandbox/data/workspace.json")).unwrap();
    let answer = json!({ "meta": workspace["files"]["ShopAppSample0000000001a"]["variables"] });
    let variables = official(&answer);
    let offer = &variables["VariableID:40:2"];
    assert_eq!(offer.name, "offer/background");
    let text = |mode: &str, value: &str| (mode.to_owned(), value.to_owned());
    assert_eq!(
        offer.values,
        [text("Autumn", "color/accent → #C8683F"), text("Spring", "color/brand → #1F6B45")]
    );
    let space = &variables["VariableID:7bb6690ae061e4f5bb76fd80122cd8bccc81cac6/1:20"];
    assert_eq!((space.name.as_str(), space.values.as_slice()), ("space/s", [text("", "8")].as_slice()));
    assert!(official(&json!({})).is_empty());
}

#[test]
fn aliases_in_a_circle_end() {
    let alias =
        |id: &str| json!({ "name": id, "valuesByMode": { "m": { "type": "VARIABLE_ALIAS", "id": id } } });
    let variables = official(&json!({ "meta": { "variables": { "a": alias("b"), "b": alias("a") } } }));
    assert!(variables["a"].values[0].1.len() < 200);
}

#[test]
fn without_official_names_styles_and_values_say_what_a_variable_is() {
    let variables = infer(&sample());
    let space = &variables["VariableID:7bb6690ae061e4f5bb76fd80122cd8bccc81cac6/1:20"];
    assert_eq!((space.name.as_str(), space.is_official), ("space/8", false));
    let border = &variables["VariableID:144036c528ede8b0f23bb4c865b8e1f23138efa0/1:14"];
    assert!(border.known_from.starts_with("the style \""), "{border:?}");
    assert!(variables.values().all(|variable| !variable.is_official && !variable.known_from.is_empty()));
    let names: std::collections::BTreeSet<&str> = variables.values().map(|one| one.name.as_str()).collect();
    assert_eq!(names.len(), variables.len());
    assert_eq!(lines(&variables), lines(&infer(&sample())));
    let line = "\"space/8\" = 8 · inferred from its value in 22 uses, as space · VariableID:7bb6690ae061e4f5bb76fd80122cd8bccc81cac6/1:20";
    assert!(lines(&variables).contains(&line.to_owned()), "{:?}", lines(&variables));
}

#[test]
fn every_form_of_binding_is_understood() {
    let alias = |id: &str| json!({ "type": "VARIABLE_ALIAS", "id": format!("VariableID:{id}") });
    let node = json!({
        "id": "1:1", "name": "n", "type": "TEXT", "characters": "Hello",
        "absoluteBoundingBox": { "x": 0, "y": 0, "width": 320, "height": 40 },
        "style": { "fontSize": 14, "lineHeightPx": 20 },
        "fills": [{ "type": "SOLID", "color": { "r": 1, "g": 0, "b": 0, "a": 0.5 }, "boundVariables": { "color": alias("1") } }],
        "boundVariables": {
            "fills": [alias("1")], "size": { "x": alias("2") }, "fontSize": [alias("3")], "lineHeight": [alias("4")],
            "characters": alias("5"), "componentProperties": { "a": alias("6") }, "what": "ever",
        },
    });
    let variables = infer(&uses(node.to_string().as_bytes()));
    let names: Vec<(&str, &str)> =
        variables.iter().map(|(id, one)| (id.as_str(), one.name.as_str())).collect();
    assert_eq!(
        names,
        [
            ("VariableID:1", "color/ff000080"),
            ("VariableID:2", "size/320"),
            ("VariableID:3", "font-size/14"),
            ("VariableID:4", "line-height/20"),
            ("VariableID:5", "text/hello"),
            ("VariableID:6", "value/?"),
        ]
    );
}
