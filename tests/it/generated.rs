//! `tool-schemas/NAME.json` is the exact `tools/list` entry of that tool, and there is no other file.

use std::{collections::BTreeSet, fs};

use figma_mcp::table::{self, args::Defaults, definition::definition};

use crate::golden;

#[test]
fn every_tool_has_its_schema_file_and_there_is_no_other() {
    let mut problems = Vec::new();
    let mut expected = BTreeSet::new();
    for tool in table::tools() {
        let name = format!("{}.json", tool.name);
        let text = format!("{:#}\n", definition(tool, &Defaults::default()));
        problems.extend(golden::difference(&format!("tool-schemas/{name}"), &text));
        expected.insert(name);
    }
    for entry in fs::read_dir(golden::repository("tool-schemas")).into_iter().flatten() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        if expected.contains(&name) {
            continue;
        }
        if golden::is_blessing() {
            fs::remove_file(entry.path()).unwrap();
        } else {
            problems.push(format!("tool-schemas/{name} belongs to no tool"));
        }
    }
    assert!(problems.is_empty(), "{}\nTo accept it: {}", problems.join("\n"), golden::BLESS);
}
