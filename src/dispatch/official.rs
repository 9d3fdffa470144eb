//! `get_metadata` and `get_variable_defs`, answered in the form that those who call them expect.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{App, Output, source, text, variables};
use crate::{
    auth::Caller,
    design::{
        naming::{Styled, Uses, Variable},
        outline::Outline,
        pieces::Pair,
    },
    error::{Error, Result, foreign},
    table::{Tool, args::Args},
};

/// An element a layer: of the node, or of the whole file.
pub(super) async fn outline(app: &App, caller: &Caller, tool: &'static Tool, args: &Args) -> Result<Output> {
    let (file_key, ids) = (text(args, "file_key"), ids(args));
    let (outline, provenance) =
        source::read(app, caller, tool, file_key, None, &ids, Outline::default).await?;
    if outline.is_empty() {
        return Err(nothing(file_key, &ids));
    }
    let printed = outline.print(app.room());
    let mut notes = provenance.notes.clone();
    if printed.left_out > 0 {
        notes.push(format!(
            "{} nodes are left out: call `{}` with the `nodeId` of an element that has `children`.",
            printed.left_out, tool.name
        ));
    }
    let meta = Map::from_iter([("cache".to_owned(), provenance.to_json())]);
    Ok(Output { notes, meta, ..Output::text(printed.text) })
}

/// What the variables and styles are called that a node and what is in it use, each with its value.
pub(super) async fn variables(
    app: &App,
    caller: &Caller,
    tool: &'static Tool,
    args: &Args,
) -> Result<Output> {
    let (file_key, ids) = (text(args, "file_key"), ids(args));
    let visitor = || Pair::new(Uses::default(), Some(Pair::new(Styled::default(), Some(Outline::default()))));
    let (both, provenance) = source::read(app, caller, tool, file_key, None, &ids, visitor).await?;
    let (uses, others) = both.into_inner();
    let (styled, outline) = others.map(Pair::into_inner).unwrap_or_default();
    if outline.is_none_or(|outline| outline.is_empty()) {
        return Err(nothing(file_key, &ids));
    }
    let bound = uses.found.keys().cloned().collect();
    let names = variables::name(app, caller, tool, file_key, &bound, None).await;
    let names = if names.variables.len() == bound.len() {
        names
    } else {
        // No file is held: what was read is all that names can be concluded from.
        variables::name_all(app, caller, tool, file_key, &uses).await
    };
    let mut map: BTreeMap<String, String> =
        styled.named().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    for (id, variable) in &names.variables {
        // Names are the keys: of a variable that is called like a style, or like another, more is said.
        let spellings = [
            variable.name.clone(),
            format!("{} (variable)", variable.name),
            format!("{} ({id})", variable.name),
        ];
        let name = spellings.into_iter().find(|name| !map.contains_key(name));
        map.extend(name.map(|name| (name, value_of(variable))));
    }
    let mut notes = provenance.notes.clone();
    notes.extend(names.note);
    if map.is_empty() {
        notes.push("No variable and no style is used here.".to_owned());
    }
    let meta = Map::from_iter([("cache".to_owned(), provenance.to_json())]);
    Ok(Output { notes, meta, ..Output::json(json!(map).to_string()) })
}

/// By mode where there are several; a name that is not Figma's own says so.
fn value_of(variable: &Variable) -> String {
    let one = |(mode, value): &(String, String)| {
        if mode.is_empty() { value.clone() } else { format!("{value} ({mode})") }
    };
    let values: Vec<String> = variable.values.iter().map(one).collect();
    if variable.is_official {
        values.join(", ")
    } else {
        format!("{} · name inferred from {}", values.join(", "), variable.known_from)
    }
}

fn ids(args: &Args) -> Vec<String> {
    args.get("node_id").and_then(Value::as_str).map(str::to_owned).into_iter().collect()
}

fn nothing(file_key: &str, ids: &[String]) -> Error {
    let what = format!("node {} of file {}", foreign(&ids.join(", ")), foreign(file_key));
    Error::NotFound { what, message: String::new() }
}
