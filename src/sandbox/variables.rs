//! Variables: local, published, and changes of them, which are carried out all or not at all.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{
    answer::{Answer, Outcome, Refusal},
    files::file_of,
    route::Call,
    tree::{self, list, text},
};

const MOST_MODES: usize = 40;
const LONGEST_MODE_NAME: usize = 40;

/// Variables exist in design files only.
fn check_file(call: &Call) -> Result<(), Refusal> {
    let file = file_of(call, call.arg(0))?;
    if file.head.get("editorType") == Some(&json!("figma")) {
        Ok(())
    } else {
        Err(Refusal::new(403, "API only available for design files"))
    }
}

/// `GET /v1/files/{file_key}/variables/local`.
pub(super) fn local(call: &Call) -> Outcome {
    check_file(call)?;
    Answer::meta(call.world.state().variables(&call.world.data, call.arg(0)))
}

/// `GET /v1/files/{file_key}/variables/published`: no modes and no values.
pub(super) fn published(call: &Call) -> Outcome {
    check_file(call)?;
    let about = call.world.data.about(call.arg(0));
    if about.get("main_file").is_some() {
        return Err(Refusal::bad("Branches cannot publish: use the key of the main file"));
    }
    let local = call.world.state().variables(&call.world.data, call.arg(0)).clone();
    let is_library = about.get("is_library").is_some();
    let of = |name: &str, work: fn(&str, &Value) -> Value| -> Map<String, Value> {
        let all = local.get(name).and_then(Value::as_object).into_iter().flatten();
        let is_published = |one: &Value| {
            is_library
                && one.get("remote") == Some(&json!(false))
                && one.get("hiddenFromPublishing") == Some(&json!(false))
        };
        all.filter(|(_, one)| is_published(one)).map(|(id, one)| (id.clone(), work(id, one))).collect()
    };
    let variables = of("variables", |id, one| {
        json!({
            "id": id,
            "subscribed_id": format!("VariableID:{}/{}", text(one, "key"), id.trim_start_matches("VariableID:")),
            "name": text(one, "name"),
            "key": text(one, "key"),
            "variableCollectionId": text(one, "variableCollectionId"),
            "resolvedDataType": text(one, "resolvedType"),
            "updatedAt": "2026-09-28T09:14:03Z",
        })
    });
    let collections = of("variableCollections", |id, one| {
        json!({
            "id": id,
            "subscribed_id": format!("VariableCollectionId:{}/{}", text(one, "key"), id.trim_start_matches("VariableCollectionId:")),
            "name": text(one, "name"),
            "key": text(one, "key"),
            "updatedAt": "2026-09-28T09:14:03Z",
        })
    });
    Answer::meta(json!({ "variables": variables, "variableCollections": collections }))
}

/// `POST /v1/files/{file_key}/variables`.
pub(super) fn update(call: &Call) -> Outcome {
    const LISTS: [&str; 4] = ["variableCollections", "variableModes", "variables", "variableModeValues"];
    check_file(call)?;
    if LISTS.iter().all(|name| list(&call.body, name).is_empty()) {
        return Err(Refusal::bad("Request body must contain at least one change"));
    }
    let mut state = call.world.state();
    // Worked on as a copy: if anything is refused, nothing has changed.
    let mut copy = state.variables(&call.world.data, call.arg(0)).clone();
    let mut take = |name: &str| match copy.get_mut(name).map(Value::take) {
        Some(Value::Object(map)) => map,
        _ => Map::new(),
    };
    let (variables, collections) = (take("variables"), take("variableCollections"));
    let mut batch = Batch { variables, collections, real_ids: BTreeMap::new(), new_id: || state.new_id() };
    list(&call.body, "variableCollections").iter().try_for_each(|change| batch.collection(change))?;
    list(&call.body, "variableModes").iter().try_for_each(|change| batch.mode(change))?;
    list(&call.body, "variables").iter().try_for_each(|change| batch.variable(change))?;
    list(&call.body, "variableModeValues").iter().try_for_each(|change| batch.value(change))?;
    let Batch { variables, collections, real_ids, .. } = batch;
    *state.variables(&call.world.data, call.arg(0)) =
        json!({ "variables": variables, "variableCollections": collections });
    state.touch(call.arg(0));
    Answer::meta(json!({ "tempIdToRealId": real_ids }))
}

/// Changes on their way into a copy of a file's variables.
struct Batch<F> {
    variables: Map<String, Value>,
    collections: Map<String, Value>,
    real_ids: BTreeMap<String, String>,
    new_id: F,
}

impl<F: FnMut() -> u64> Batch<F> {
    /// The real id for a temporary or a real one.
    fn real(&self, id: &str) -> String {
        self.real_ids.get(id).map_or_else(|| id.to_owned(), Clone::clone)
    }

    /// A new id of this form, known by the temporary one from now on.
    fn create(&mut self, temporary: Option<&Value>, form: impl Fn(u64) -> String) -> Result<String, Refusal> {
        let id = form((self.new_id)());
        if let Some(temporary) = temporary.and_then(Value::as_str)
            && self.real_ids.insert(temporary.to_owned(), id.clone()).is_some()
        {
            return Err(Refusal::bad(format!("Duplicate temporary id {temporary}")));
        }
        Ok(id)
    }

    fn map(&mut self, name: &str) -> &mut Map<String, Value> {
        if name == "variables" { &mut self.variables } else { &mut self.collections }
    }

    /// An item of ours that the caller may change.
    fn item(&mut self, map: &str, what: &str, id: &str) -> Result<&mut Value, Refusal> {
        let id = self.real(id);
        let item = self.map(map).get_mut(&id);
        let item = item.ok_or_else(|| Refusal::bad(format!("{what} with id {id} not found")))?;
        if item.get("remote") == Some(&json!(true)) {
            return Err(Refusal::bad(format!("{what} with id {id} is remote and cannot be changed")));
        }
        Ok(item)
    }

    fn collection(&mut self, change: &Value) -> Result<(), Refusal> {
        let name = text(change, "name").to_owned();
        match text(change, "action") {
            "CREATE" => {
                check_name("variableCollections", &name)?;
                if change.get("parentVariableCollectionId").is_some_and(|parent| !parent.is_null()) {
                    return Err(Refusal::bad("The sandbox does not know extended collections"));
                }
                let id =
                    self.create(change.get("id"), |number| format!("VariableCollectionId:{number}:0"))?;
                let mode = self.create(change.get("initialModeId"), |number| format!("{number}:0"))?;
                let collection = json!({
                    "defaultModeId": mode,
                    "id": id,
                    "name": name,
                    "remote": false,
                    "modes": [{ "modeId": mode, "name": "Mode 1" }],
                    "key": key_for(&id),
                    "hiddenFromPublishing": change.get("hiddenFromPublishing").unwrap_or(&json!(false)),
                    "variableIds": [],
                });
                self.map("variableCollections").insert(id, collection);
            }
            "UPDATE" => {
                let collection =
                    self.item("variableCollections", "Variable collection", text(change, "id"))?;
                copy_fields(change, collection, &["name", "hiddenFromPublishing"]);
            }
            _ => {
                let id = self.real(text(change, "id"));
                self.item("variableCollections", "Variable collection", &id)?;
                self.map("variableCollections").shift_remove(&id);
                self.map("variables").retain(|_, variable| text(variable, "variableCollectionId") != id);
            }
        }
        Ok(())
    }

    fn mode(&mut self, change: &Value) -> Result<(), Refusal> {
        let name = text(change, "name").to_owned();
        if name.chars().count() > LONGEST_MODE_NAME {
            return Err(Refusal::bad(format!(
                "Mode name {name} is longer than {LONGEST_MODE_NAME} characters"
            )));
        }
        if text(change, "action") == "CREATE" {
            check_name("variableModes", &name)?;
            let owner = text(change, "variableCollectionId").to_owned();
            self.item("variableCollections", "Variable collection", &owner)?;
            let id = self.create(change.get("id"), |number| format!("{number}:0"))?;
            return self.add_mode(&owner, &id, &name);
        }
        let id = self.real(text(change, "id"));
        let owner = self.owner_of_mode(&id)?;
        let collection = self.item("variableCollections", "Variable collection", &owner)?;
        let mut modes = list(collection, "modes").to_vec();
        if text(change, "action") == "UPDATE" {
            for mode in modes.iter_mut().filter(|mode| text(mode, "modeId") == id && !name.is_empty()) {
                tree::set(mode, "name", json!(name));
            }
        } else {
            if modes.len() == 1 {
                return Err(Refusal::bad("A collection keeps at least one mode"));
            }
            modes.retain(|mode| text(mode, "modeId") != id);
            if text(collection, "defaultModeId") == id {
                let default = modes.first().map_or(Value::Null, |mode| json!(text(mode, "modeId")));
                tree::set(collection, "defaultModeId", default);
            }
        }
        tree::set(collection, "modes", json!(modes));
        let is_deleted = text(change, "action") == "DELETE";
        for variable in self.map("variables").values_mut().filter(|_| is_deleted) {
            if let Some(Value::Object(values)) = variable.get_mut("valuesByMode") {
                values.shift_remove(&id);
            }
        }
        Ok(())
    }

    /// A mode more; the collection's variables get the value that they have in its default mode.
    fn add_mode(&mut self, owner: &str, id: &str, name: &str) -> Result<(), Refusal> {
        let owner = self.real(owner);
        let collection = self.item("variableCollections", "Variable collection", &owner)?;
        let mut modes = list(collection, "modes").to_vec();
        if modes.iter().any(|mode| text(mode, "name") == name) {
            return Err(Refusal::bad(format!("Duplicate mode name {name}")));
        }
        if modes.len() >= MOST_MODES {
            return Err(Refusal::bad(format!("A collection has at most {MOST_MODES} modes")));
        }
        modes.push(json!({ "modeId": id, "name": name }));
        tree::set(collection, "modes", json!(modes));
        let default = text(collection, "defaultModeId").to_owned();
        for variable in self.map("variables").values_mut() {
            if text(variable, "variableCollectionId") == owner
                && let Some(Value::Object(values)) = variable.get_mut("valuesByMode")
            {
                let value = values.get(&default).cloned().unwrap_or_default();
                values.insert(id.to_owned(), value);
            }
        }
        Ok(())
    }

    fn owner_of_mode(&mut self, id: &str) -> Result<String, Refusal> {
        let has_mode =
            |collection: &Value| list(collection, "modes").iter().any(|mode| text(mode, "modeId") == id);
        let found = self.map("variableCollections").iter().find(|(_, collection)| has_mode(collection));
        found.map(|(id, _)| id.clone()).ok_or_else(|| Refusal::bad(format!("Mode with id {id} not found")))
    }

    fn variable(&mut self, change: &Value) -> Result<(), Refusal> {
        const FIELDS: [&str; 5] = ["name", "description", "hiddenFromPublishing", "scopes", "codeSyntax"];
        let (action, id) = (text(change, "action"), self.real(text(change, "id")));
        if action == "DELETE" {
            let variable = self.item("variables", "Variable", &id)?;
            let owner = text(variable, "variableCollectionId").to_owned();
            self.map("variables").shift_remove(&id);
            if let Some(Value::Array(ids)) =
                self.map("variableCollections").get_mut(&owner).and_then(|owner| owner.get_mut("variableIds"))
            {
                ids.retain(|other| *other != json!(id));
            }
            return Ok(());
        }
        let (name, wanted) = (text(change, "name"), text(change, "variableCollectionId"));
        let owner = if action == "CREATE" {
            self.real(wanted)
        } else {
            text(self.item("variables", "Variable", &id)?, "variableCollectionId").to_owned()
        };
        if action == "CREATE" || change.get("name").is_some() {
            check_name("variables", name)?;
            let is_taken = |(other, one): (&String, &Value)| {
                text(one, "variableCollectionId") == owner && text(one, "name") == name && *other != id
            };
            if self.map("variables").iter().any(is_taken) {
                return Err(Refusal::bad(format!("Duplicate variable name {name} in its collection")));
            }
        }
        if action == "UPDATE" {
            copy_fields(change, self.item("variables", "Variable", &id)?, &FIELDS);
            return Ok(());
        }
        self.add_variable(change, &owner)
    }

    fn add_variable(&mut self, change: &Value, owner: &str) -> Result<(), Refusal> {
        let kind = text(change, "resolvedType");
        let initial = match kind {
            "COLOR" => json!({ "r": 1, "g": 1, "b": 1, "a": 1 }),
            "FLOAT" => json!(0),
            "BOOLEAN" => json!(false),
            "STRING" => json!(""),
            _ => return Err(Refusal::bad("Missing required parameter variables.resolvedType")),
        };
        let collection = self.item("variableCollections", "Variable collection", owner)?;
        let modes =
            list(collection, "modes").iter().map(|mode| (text(mode, "modeId").to_owned(), initial.clone()));
        let values: Map<String, Value> = modes.collect();
        let id = self.create(change.get("id"), |number| format!("VariableID:{number}:0"))?;
        let mut variable = json!({
            "id": id,
            "name": text(change, "name"),
            "remote": false,
            "key": key_for(&id),
            "variableCollectionId": owner,
            "resolvedType": kind,
            "description": "",
            "hiddenFromPublishing": false,
            "valuesByMode": values,
            "scopes": if kind == "BOOLEAN" { json!([]) } else { json!(["ALL_SCOPES"]) },
            "codeSyntax": {},
        });
        copy_fields(change, &mut variable, &["description", "hiddenFromPublishing", "scopes", "codeSyntax"]);
        self.map("variables").insert(id.clone(), variable);
        let collection = self.item("variableCollections", "Variable collection", owner)?;
        if let Some(Value::Array(ids)) = collection.get_mut("variableIds") {
            ids.push(json!(id));
        }
        Ok(())
    }

    fn value(&mut self, change: &Value) -> Result<(), Refusal> {
        let (id, mode) = (self.real(text(change, "variableId")), self.real(text(change, "modeId")));
        let mut value = change.get("value").cloned().unwrap_or_default();
        let variable = self.item("variables", "Variable", &id)?;
        let kind = text(variable, "resolvedType").to_owned();
        if variable.get("valuesByMode").is_none_or(|values| values.get(&mode).is_none()) {
            return Err(Refusal::bad(format!("Mode with id {mode} not found")));
        }
        if text(&value, "type") == "VARIABLE_ALIAS" {
            let target = self.real(text(&value, "id"));
            self.check_alias(&id, &target, &kind)?;
            tree::set(&mut value, "id", json!(target));
        } else if !is_of_kind(&kind, &value) {
            return Err(Refusal::bad(format!("Invalid value for a variable of type {kind}")));
        }
        if let Some(values) = self.item("variables", "Variable", &id)?.get_mut("valuesByMode") {
            tree::set(values, &mode, value);
        }
        Ok(())
    }

    /// An alias leads to a variable of the same type, and never back.
    fn check_alias(&mut self, id: &str, target: &str, kind: &str) -> Result<(), Refusal> {
        let variables = self.map("variables");
        let found = variables.get(target);
        let found = found.ok_or_else(|| Refusal::bad(format!("Variable with id {target} not found")))?;
        if text(found, "resolvedType") != kind {
            return Err(Refusal::bad("An alias must have the type of its variable"));
        }
        let (mut waiting, mut seen) = (vec![target.to_owned()], Vec::new());
        while let Some(next) = waiting.pop() {
            if next == id {
                return Err(Refusal::bad("An alias must not lead back to its variable"));
            }
            if !seen.contains(&next) {
                let values = variables.get(&next).and_then(|one| one.get("valuesByMode")?.as_object());
                let aliases = values.into_iter().flat_map(Map::values);
                waiting.extend(aliases.filter_map(|value| value.get("id")?.as_str().map(str::to_owned)));
                seen.push(next);
            }
        }
        Ok(())
    }
}

/// Names must be there and free of the signs that separate them in code.
fn check_name(what: &str, name: &str) -> Result<(), Refusal> {
    if name.is_empty() {
        return Err(Refusal::bad(format!("Missing required parameter {what}.name")));
    }
    if what == "variables" && name.contains(['.', '{', '}']) {
        return Err(Refusal::bad(format!("Invalid variable name {name}: must not contain . {{ }}")));
    }
    Ok(())
}

fn is_of_kind(kind: &str, value: &Value) -> bool {
    match kind {
        "COLOR" => ["r", "g", "b"].iter().all(|part| {
            value.get(*part).and_then(Value::as_f64).is_some_and(|part| (0.0..=1.0).contains(&part))
        }),
        "FLOAT" => value.is_number(),
        "BOOLEAN" => value.is_boolean(),
        _ => value.is_string(),
    }
}

fn copy_fields(from: &Value, to: &mut Value, names: &[&str]) {
    for name in names {
        if let Some(value) = from.get(*name).filter(|value| !value.is_null()) {
            tree::set(to, name, value.clone());
        }
    }
}

/// 40 hexadecimal digits, as publish keys are.
fn key_for(id: &str) -> String {
    let hash = |seed: u64| {
        id.bytes().fold(seed, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
    };
    format!("{:016x}{:016x}{:08x}", hash(0xcbf2_9ce4_8422_2325), hash(7), hash(11) >> 32)
}
