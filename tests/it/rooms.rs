//! The arrows between the rooms of `src/`: who may use whom.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use crate::golden;

/// Each room, and the rooms that it may use. `main.rs` counts as `cli`; `lib.rs` only lists the rooms.
const ARROWS: &[(&str, &[&str])] = &[
    ("cli", &["server", "dispatch", "filter", "auth", "sandbox", "reference", "settings", "table", "error"]),
    ("server", &["dispatch", "auth", "settings", "table", "error"]),
    ("dispatch", &["rest", "design", "disk", "walk", "filter", "store", "auth", "table", "error"]),
    ("filter", &["error"]),
    ("design", &["walk", "error"]),
    ("walk", &["error"]),
    ("disk", &["error"]),
    ("rest", &["auth", "store", "walk", "table", "error"]),
    ("store", &["error"]),
    ("auth", &["table", "error"]),
    ("sandbox", &["table", "error"]),
    ("reference", &["table", "settings"]),
    ("settings", &["table", "error"]),
    ("table", &["error"]),
    ("error", &[]),
];

#[test]
fn no_room_uses_another_than_it_may() {
    let source = golden::repository("src");
    let mut wrong = Vec::new();
    for file in files_under(&source) {
        let Some(room) = room_of(file.strip_prefix(&source).unwrap()) else { continue };
        let Some((_, allowed)) = ARROWS.iter().find(|(name, _)| *name == room) else {
            wrong.push(format!("room {room} is not in the table of arrows"));
            continue;
        };
        for used in rooms_used(&fs::read_to_string(&file).unwrap()) {
            if used != room && !allowed.contains(&used.as_str()) {
                wrong.push(format!("{}: room {room} may not use room {used}", file.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn room_of(file: &Path) -> Option<String> {
    match file.iter().next()?.to_str()? {
        "lib.rs" => None,
        "main.rs" => Some("cli".to_owned()),
        name => Some(name.trim_end_matches(".rs").to_owned()),
    }
}

/// The rooms after `crate::` (in `main.rs`, after `figma_mcp::`), also those in braces.
fn rooms_used(source: &str) -> BTreeSet<String> {
    let code: Vec<&str> = source.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
    let code = code.join("\n").replace("figma_mcp::", "crate::");
    let mut used = BTreeSet::new();
    for rest in code.split("crate::").skip(1) {
        match rest.strip_prefix('{') {
            Some(group) => used.extend(names_in_group(group)),
            None => used.extend(name_at_start(rest)),
        }
    }
    used
}

/// The first name of each entry of `{a::b, c::{d, e}}`, from after its brace on.
fn names_in_group(group: &str) -> Vec<String> {
    let (mut depth, mut names, mut is_start) = (0_usize, Vec::new(), true);
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => is_start = true,
            c if is_start && !c.is_whitespace() => {
                names.extend(name_at_start(&group[at..]));
                is_start = false;
            }
            _ => {}
        }
    }
    names
}

fn name_at_start(text: &str) -> Option<String> {
    let name: String = text.chars().take_while(|c| c.is_ascii_lowercase() || *c == '_').collect();
    (!name.is_empty()).then_some(name)
}

fn files_under(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files_under(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

#[test]
fn uses_are_found_in_every_form() {
    let source = "use crate::{\n    error::{Error, Result},\n    table::Tool,\n};\n// crate::server\nlet x = crate::rest::call();";
    assert_eq!(rooms_used(source).into_iter().collect::<Vec<_>>(), ["error", "rest", "table"]);
}
