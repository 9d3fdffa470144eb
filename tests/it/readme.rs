//! The README keeps its promises: its tables are made from the table of tools, its commands are run,
//! its snippets are valid.

use std::fs;

use figma_mcp::{cli, reference};

use crate::golden;

#[test]
fn the_tables_are_fresh() {
    let blocks = [
        ("settings", reference::settings_markdown(&cli::command())),
        ("tokens", reference::tokens_markdown()),
        ("tools", reference::tools_markdown()),
    ];
    let mut text = fs::read_to_string(golden::repository("README.md")).unwrap();
    for (name, block) in blocks {
        let (begin, end) = (format!("<!-- begin:{name} -->\n"), format!("<!-- end:{name} -->"));
        let from = text.find(&begin).unwrap_or_else(|| panic!("README.md has no {begin}")) + begin.len();
        let to = from + text[from..].find(&end).unwrap_or_else(|| panic!("README.md has no {end}"));
        text.replace_range(from..to, &format!("\n{}\n\n", block.trim()));
    }
    golden::assert_file("README.md", &text);
}

#[test]
fn the_commands_print_what_the_readme_shows() {
    let cases = trycmd::TestCases::new();
    for variable in cli::command().get_arguments().filter_map(|argument| argument.get_env()) {
        cases.env(variable.to_string_lossy(), "");
    }
    cases.env("FIGMA_TOKEN", "").case(golden::repository("README.md"));
}

#[test]
fn the_snippets_for_hosts_are_valid() {
    let text = fs::read_to_string(golden::repository("README.md")).unwrap();
    let snippets: Vec<&str> =
        text.split("```json\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert!(snippets.len() >= 3, "{}", snippets.len());
    for snippet in snippets {
        let json: serde_json::Value =
            serde_json::from_str(snippet).unwrap_or_else(|error| panic!("{error}: {snippet}"));
        assert!(json.to_string().contains("\"command\":\"figma-mcp\""), "{snippet}");
    }
}

#[test]
fn the_page_on_hosting_explains_every_switch_of_http() {
    let text = fs::read_to_string(golden::repository("docs/hosting.md")).unwrap();
    let command = cli::command();
    let switches: Vec<String> = command
        .get_arguments()
        .filter(|argument| argument.get_help_heading() == Some("HTTP") && !argument.is_hide_set())
        .filter_map(|argument| argument.get_long().map(|name| format!("`--{name}")))
        .collect();
    assert!(switches.len() >= 14, "{switches:?}");
    let (_, table) = text.split_once("| Switch of `serve`").unwrap();
    for switch in switches {
        assert!(table.lines().any(|line| line.starts_with('|') && line.contains(&switch)), "{switch}");
    }
}
