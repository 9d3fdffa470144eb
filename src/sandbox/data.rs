//! The files that the sandbox serves: its own sample, or a folder of answers of Figma's REST API.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::{LazyLock, OnceLock},
};

use serde::{Deserialize, de::IgnoredAny};
use serde_json::{Map, Value, json};

use super::{DESIGN_SYSTEM_FILE, PRODUCT_BRANCH, PRODUCT_FILE, TEAM, WHITEBOARD_FILE, faults, sample, tree};
use crate::error::{Error, Result};

/// Everything of the sample that is not a file: people, folders, comments, versions, logs.
static WORKSPACE: LazyLock<Value> = LazyLock::new(|| embedded(include_str!("data/workspace.json")));

/// The project that holds the files of a folder given by the user.
const FOLDER_OF_GIVEN_FILES: &str = "1000000000000000001";

/// The files, and what is known about them.
#[derive(Debug)]
pub(super) struct Data {
    files: BTreeMap<String, Source>,
    /// Where fault keys find their content.
    main_file: String,
    workspace: Workspace,
}

/// What is known beside the files.
#[derive(Debug)]
enum Workspace {
    Sample,
    Given(Value),
}

#[derive(Debug)]
struct Source {
    origin: Origin,
    /// Parsed on first use: a file can be large, and most runs need one or two.
    file: OnceLock<Option<File>>,
}

#[derive(Debug)]
enum Origin {
    Embedded(&'static str),
    Disk(PathBuf),
}

/// A parsed file.
#[derive(Debug)]
pub(super) struct File {
    /// `name`, `lastModified`, `editorType`, `version` and the like.
    pub(super) head: Map<String, Value>,
    /// The node of type DOCUMENT.
    pub(super) document: Value,
    /// `components`, `componentSets` and `styles`, by node id.
    pub(super) components: Map<String, Value>,
    pub(super) component_sets: Map<String, Value>,
    pub(super) styles: Map<String, Value>,
}

impl Data {
    /// The sample.
    pub(super) fn sample() -> Self {
        let product = include_str!("data/product.json");
        let files = [
            (PRODUCT_FILE, product),
            (PRODUCT_BRANCH, product),
            (DESIGN_SYSTEM_FILE, include_str!("data/design-system.json")),
            (WHITEBOARD_FILE, include_str!("data/whiteboard.json")),
        ];
        let files = files.map(|(key, text)| (key.to_owned(), Source::new(Origin::Embedded(text))));
        Self { files: files.into(), main_file: PRODUCT_FILE.to_owned(), workspace: Workspace::Sample }
    }

    /// A folder's `*.json`, each an answer of Figma's REST API.
    pub(super) fn folder(folder: &Path) -> Result<Self> {
        let failure =
            |path: &Path, problem: String| Error::File { path: path.display().to_string(), problem };
        let entries = fs::read_dir(folder).map_err(|error| failure(folder, error.to_string()))?;
        let mut paths = entries
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<std::io::Result<Vec<_>>>()
            .map_err(|error| failure(folder, error.to_string()))?;
        paths.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
        paths.sort();
        let mut files = BTreeMap::new();
        for path in paths {
            shape_of(&path).map_err(|problem| failure(&path, problem))?;
            let stem = path.file_stem().unwrap_or_default().to_string_lossy();
            let key: String = stem.chars().filter(char::is_ascii_alphanumeric).collect();
            if key.is_empty() || files.insert(key.clone(), Source::new(Origin::Disk(path.clone()))).is_some()
            {
                return Err(failure(
                    &path,
                    format!("its name gives the file key \"{key}\", which is empty or taken"),
                ));
            }
        }
        let Some(main_file) = files.keys().next().cloned() else {
            return Err(failure(folder, "holds no *.json".to_owned()));
        };
        let workspace = Workspace::Given(given_workspace(files.keys()));
        Ok(Self { files, main_file, workspace })
    }

    /// People, folders, comments, logs.
    pub(super) fn workspace(&self) -> &Value {
        match &self.workspace {
            Workspace::Sample => &WORKSPACE,
            Workspace::Given(workspace) => workspace,
        }
    }

    /// The key under which a file's content lies: a fault key stands for the product file, and
    /// underscores mean nothing.
    pub(super) fn canonical<'a>(&'a self, key: &'a str) -> Option<&'a str> {
        if faults::find(key).is_some() {
            return Some(&self.main_file);
        }
        self.files
            .get_key_value(key)
            .or_else(|| {
                let plain: String = key.chars().filter(char::is_ascii_alphanumeric).collect();
                self.files.get_key_value(&plain)
            })
            .map(|(key, _)| key.as_str())
    }

    /// The file with this key.
    pub(super) fn file(&self, key: &str) -> Option<&File> {
        self.files.get(self.canonical(key)?)?.parsed()
    }

    /// What the workspace knows of the file: comments, versions, variables. Null where nothing.
    pub(super) fn about(&self, key: &str) -> &Value {
        let key = self.canonical(key).unwrap_or_default();
        self.workspace().get("files").and_then(|files| files.get(key)).unwrap_or(&Value::Null)
    }
}

impl Source {
    fn new(origin: Origin) -> Self {
        Self { origin, file: OnceLock::new() }
    }

    fn parsed(&self) -> Option<&File> {
        let parse = || match &self.origin {
            Origin::Embedded(text) => Some(File::new(sample::complete(embedded(text)), "")),
            // Checked at the start; one that has gone since is simply not there.
            Origin::Disk(path) => {
                let value = serde_json::from_slice(&fs::read(path).ok()?).ok()?;
                Some(File::new(value, &path.file_stem()?.to_string_lossy()))
            }
        };
        self.file.get_or_init(parse).as_ref()
    }
}

impl File {
    /// Any of the three kinds of answer.
    fn new(answer: Value, name: &str) -> Self {
        let Value::Object(mut head) = answer else { return Self::around(Vec::new(), Map::new(), name) };
        if head.contains_key("document") {
            return Self::whole(head, name);
        }
        let Some(Value::Object(nodes)) = head.remove("nodes") else {
            return Self::around(vec![Value::Object(head)], Map::new(), name);
        };
        let mut documents = Vec::new();
        let mut maps = Map::new();
        for mut node in nodes.into_iter().map(|(_, node)| node).filter(Value::is_object) {
            for name in ["components", "componentSets", "styles"] {
                if let (Some(Value::Object(more)), Value::Object(all)) =
                    (node.get_mut(name).map(Value::take), maps.entry(name).or_insert_with(|| json!({})))
                {
                    all.extend(more);
                }
            }
            documents.extend(node.get_mut("document").map(Value::take));
        }
        head.extend(maps);
        Self::around(documents, head, name)
    }

    /// A file made around nodes that came without one.
    fn around(nodes: Vec<Value>, mut head: Map<String, Value>, name: &str) -> Self {
        let is_root = |node: &&Value| tree::kind(node) == "DOCUMENT";
        let document = nodes.iter().find(is_root).cloned().unwrap_or_else(|| {
            let (mut pages, nodes): (Vec<_>, Vec<_>) =
                nodes.into_iter().partition(|node| tree::kind(node) == "CANVAS");
            if !nodes.is_empty() {
                pages.push(page_around(&nodes));
            }
            json!({ "id": "0:0", "name": "Document", "type": "DOCUMENT", "scrollBehavior": "SCROLLS", "children": pages })
        });
        head.insert("document".to_owned(), document);
        Self::whole(head, name)
    }

    fn whole(mut head: Map<String, Value>, name: &str) -> Self {
        let mut map = |name: &str| match head.remove(name) {
            Some(Value::Object(map)) => map,
            _ => Map::new(),
        };
        let (components, component_sets, styles) = (map("components"), map("componentSets"), map("styles"));
        let document = head.remove("document").unwrap_or_default();
        let usual = [
            ("name", json!(name.replace('_', " "))),
            ("lastModified", json!("2026-01-01T00:00:00Z")),
            ("version", json!("1")),
            ("role", json!("viewer")),
            ("editorType", json!("figma")),
            ("schemaVersion", json!(0)),
        ];
        for (name, value) in usual {
            head.entry(name).or_insert(value);
        }
        Self { head, document, components, component_sets, styles }
    }
}

fn page_around(nodes: &[Value]) -> Value {
    json!({
        "id": "0:1", "name": "Page 1", "type": "CANVAS", "scrollBehavior": "SCROLLS",
        "backgroundColor": { "r": 0.96, "g": 0.96, "b": 0.96, "a": 1 },
        "prototypeStartNodeID": null, "flowStartingPoints": [], "prototypeDevice": { "type": "NONE", "rotation": "NONE" },
        "children": nodes,
    })
}

/// The sample is part of the program and tested, so it always parses.
fn embedded(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_default()
}

/// Looks at a file without keeping it: is it one of the three kinds of answer?
fn shape_of(path: &Path) -> std::result::Result<(), String> {
    #[derive(Deserialize)]
    struct Shape {
        document: Option<IgnoredAny>,
        nodes: Option<IgnoredAny>,
        id: Option<IgnoredAny>,
        r#type: Option<IgnoredAny>,
    }
    let bytes = fs::read(path).map_err(|error| error.to_string())?;
    let shape: Shape =
        serde_json::from_slice(&bytes).map_err(|error| format!("is not a JSON object: {error}"))?;
    let is_node = shape.id.is_some() && shape.r#type.is_some();
    if shape.document.is_some() || shape.nodes.is_some() || is_node {
        Ok(())
    } else {
        Err("is neither a file (`document`), nor nodes (`nodes`), nor a node (`id` and `type`)".to_owned())
    }
}

/// One team with one folder that holds the given files; the person is the sample's.
fn given_workspace<'a>(keys: impl Iterator<Item = &'a String>) -> Value {
    let keys: Vec<&String> = keys.collect();
    let files: Map<String, Value> =
        keys.iter().map(|key| ((*key).clone(), json!({ "folder": FOLDER_OF_GIVEN_FILES }))).collect();
    json!({
        "me": WORKSPACE.get("me"),
        "team": { "id": TEAM, "name": "Given files" },
        "folders": [{
            "id": FOLDER_OF_GIVEN_FILES, "name": "Given files", "parent_folder_id": null, "files": keys,
            "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z",
        }],
        "files": files,
    })
}
