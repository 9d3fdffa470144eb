//! The command line: whole stdout, stderr and exit code.

use std::{
    io::Write,
    path::{Path, PathBuf},
    process::{Output, Stdio},
};

use figma_mcp::sandbox::PRODUCT_FILE;
use figma_mcp::table;
use serde_json::{Value, json};

use crate::program::figma_mcp;

struct Ran {
    code: i32,
    stdout: String,
    stderr: String,
}

fn run(arguments: &[&str]) -> Ran {
    run_with(arguments, &[], "")
}

fn run_with(arguments: &[&str], variables: &[(&str, &str)], input: &str) -> Ran {
    let mut child =
        figma_mcp().args(arguments).envs(variables.iter().copied()).stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let Output { status, stdout, stderr } = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ran { code: status.code().unwrap(), stdout: text(stdout), stderr: text(stderr) }
}

/// A folder of this test's own, empty.
fn folder(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&path);
    std::fs::create_dir_all(&path).unwrap();
    path
}

#[test]
fn the_demo_shows_what_it_promises() {
    let ran = run_with(
        &["demo"],
        &[("FIGMA_API_BASE_URL", "https://api.figma-gov.com"), ("FIGMA_TOKEN", "figd_real")],
        "",
    );
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{}", ran.stdout);
    let offered = format!("offers {} tools", table::tools().count());
    for promised in [
        offered.as_str(),
        "   - Shop (0:2)\n",
        "   Home (2:1)\n     Amir Haddad: The offer banner",
        "4. That frame rendered as a PNG of ",
        "error: argument `ids` must be a node id such as 1:2",
        "used up for 4 d 14 h (plan \"starter\", seat limit \"low\"",
        "What to type next:",
    ] {
        assert!(ran.stdout.contains(promised), "{promised}\n{}", ran.stdout);
    }
    let png = std::fs::read(std::env::temp_dir().join("figma-mcp-demo.png")).unwrap();
    assert_eq!(&png[..8], b"\x89PNG\r\n\x1a\n");
}

#[test]
fn a_call_takes_words_and_json_and_writes_files() {
    let file = format!("file_key={PRODUCT_FILE}");
    let words = run(&["call", "--sandbox", "figma_file_get", &file, "depth=1"]);
    assert_eq!((words.code, words.stderr.as_str()), (0, ""));
    let json = json!({ "file_key": PRODUCT_FILE, "depth": 1 }).to_string();
    let inline = run(&["call", "--sandbox", "figma_file_get", "--json", &json]);
    let piped = run_with(&["call", "--sandbox", "figma_file_get", "--json", "-"], &[], &json);
    let names = |ran: &Ran| serde_json::from_str::<Value>(&ran.stdout).unwrap()["document"].clone();
    assert_eq!((names(&words), names(&words)), (names(&inline), names(&piped)));

    let path = folder("call").join("file.json");
    let saved = run(&["call", "--sandbox", "figma_file_get", &file, "--output", path.to_str().unwrap()]);
    assert_eq!((saved.code, saved.stdout.as_str()), (0, ""));
    let whole: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    assert_eq!(whole["document"]["type"], "DOCUMENT");
    assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "something was left behind");
    let nowhere = run(&["call", "--sandbox", "figma_me_get", "--output", "no/such/folder/x.json"]);
    assert!(
        nowhere.code == 1 && nowhere.stderr.starts_with("error: no/such/folder/x.json: "),
        "{}",
        nowhere.stderr
    );
}

#[test]
fn every_mistake_has_its_exit_code_and_a_hint() {
    // (arguments, token, exit code, what stderr begins with)
    let cases: &[(&[&str], &str, i32, &str)] = &[
        (&["call", "--sandbox", "figma_fil_get"], "", 2, "error: there is no tool `figma_fil_get`"),
        (&["call", "--sandbox", "figma_me_get", "x"], "", 2, "error: `x` is no argument"),
        (&["call", "--sandbox", "figma_me_get", "--json", "["], "", 2, "error: --json is no JSON object"),
        (
            &["call", "--sandbox", "figma_file_get", "file_key=GONE"],
            "",
            4,
            "error: Figma finds nothing at file_key GONE",
        ),
        (
            &["call", "--sandbox", "figma_file_get", "file_key=SLIDES"],
            "",
            4,
            "error: Figma does not offer this for this type of file",
        ),
        (
            &["call", "--sandbox", "figma_file_get", "file_key=SCOPE"],
            "",
            3,
            "error: the token lacks the scope `file_content:read`",
        ),
        (
            &["call", "--sandbox", "figma_file_get", "file_key=RATE30"],
            "",
            5,
            "error: Figma's rate limit for tier 1 calls is used up for 30 s",
        ),
        (
            &["call", "--sandbox", "figma_file_get", "file_key=NOEXPORT"],
            "",
            4,
            "error: file_key NOEXPORT may not be exported",
        ),
        (
            &["call", "--sandbox", "--timeout", "1", "figma_file_get", "file_key=HANG"],
            "",
            1,
            "error: no answer from Figma within",
        ),
        (
            &["call", "--sandbox", "figma_me_get"],
            "sandbox-expired",
            3,
            "error: Figma does not accept the token",
        ),
        (
            &["call", "--sandbox", "figma_me_get"],
            "sandbox-plan",
            3,
            "error: a plan access token cannot call `figma_me_get`",
        ),
        (&["call", "figma_me_get"], "", 3, "error: no Figma token is configured"),
        (&["call", "figma_me_get"], "two words", 33, "error: the token from FIGMA_TOKEN cannot be used"),
        (
            &["--api-base-url", "http://api.figma.com", "tools"],
            "",
            2,
            "error: --api-base-url (FIGMA_API_BASE_URL) must be https",
        ),
        (&["--toolsets", "fils", "tools"], "", 2, "error: there is no toolset `fils`"),
        (&["--team-id", "my team", "tools"], "", 2, "error: the team in --team-id"),
        (&["--sandbox-data", "no/such/folder", "call", "figma_me_get"], "", 1, "error: no/such/folder"),
        (&["--figma-api-key=figd_0123456789abcdef", "--stdio"], "", 2, "error: a token on the command line"),
        (&["--token", "figd_0123456789abcdef"], "", 2, "error: a token on the command line"),
    ];
    for (arguments, token, code, begins) in cases {
        let ran = run_with(arguments, &[("FIGMA_TOKEN", token)], "");
        assert_eq!(ran.code, *code, "{arguments:?}: {}", ran.stderr);
        let told = ran.stderr.lines().find(|line| line.starts_with("error:")).unwrap_or_default();
        assert!(told.starts_with(begins), "{arguments:?}: {}", ran.stderr);
        assert!(ran.stderr.contains("\nhint: ") && ran.stdout.is_empty(), "{arguments:?}: {}", ran.stderr);
        assert!(!ran.stderr.contains("0123456789abcdef"), "{arguments:?}: {}", ran.stderr);
    }
}

#[test]
fn empty_variables_count_as_absent() {
    let variables: Vec<(String, &str)> = figma_mcp::cli::command()
        .get_arguments()
        .filter_map(|argument| Some((argument.get_env()?.to_str()?.to_owned(), "")))
        .collect();
    let variables: Vec<(&str, &str)> =
        variables.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    let ran = run_with(&["tools", "--json"], &variables, "");
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    assert_eq!(serde_json::from_str::<Vec<Value>>(&ran.stdout).unwrap().len(), table::tools().count());
}

#[test]
fn tools_lists_and_explains() {
    let all = run(&["tools"]);
    let count = table::tools().count();
    assert!(
        all.stdout.ends_with(&format!(
            "{count} tools; * changes something. More about one: figma-mcp tools NAME\n"
        )),
        "{}",
        all.stdout
    );
    let plan = run_with(&["tools"], &[("FIGMA_TOKEN", "x"), ("FIGMA_TOKEN_KIND", "plan")], "");
    assert!(
        plan.stdout.contains(&format!("\n{} tools; ", count - 8))
            && plan.stderr.starts_with("Not with a plan access token: "),
        "{}",
        plan.stderr
    );
    let one = run(&["tools", "figma_file_versions_list"]);
    assert!(
        one.stdout.contains("| `page_size` | ") && one.stdout.contains("file_versions:read"),
        "{}",
        one.stdout
    );
    let json = run(&["tools", "figma_me_get", "--json"]);
    assert_eq!(serde_json::from_str::<Value>(&json.stdout).unwrap()["name"], "figma_me_get");
    assert_eq!(run(&["tools", "--markdown"]).stdout, figma_mcp::reference::tools_markdown());
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = run(&["completions", shell]);
        assert!(script.code == 0 && script.stdout.contains("sandbox-data"), "{shell}");
    }
}

#[test]
fn the_sandbox_serves_a_folder_of_answers() {
    let data = folder("data");
    let node = json!({ "id": "1:2", "name": "Screen", "type": "FRAME", "children": [{ "id": "1:3", "name": "Leaf", "type": "TEXT" }] });
    std::fs::write(data.join("bare_node.json"), node.to_string()).unwrap();
    let nodes =
        json!({ "name": "N", "nodes": { "1:2": { "document": node, "components": {}, "styles": {} } } });
    std::fs::write(data.join("answer.json"), nodes.to_string()).unwrap();
    let file = json!({ "name": "F", "document": { "id": "0:0", "name": "Document", "type": "DOCUMENT", "children": [{ "id": "0:1", "name": "Page", "type": "CANVAS", "children": [node] }] } });
    std::fs::write(data.join("whole.json"), file.to_string()).unwrap();
    for key in ["barenode", "answer", "whole"] {
        let file = format!("file_key={key}");
        let ran = run(&[
            "--sandbox-data",
            data.to_str().unwrap(),
            "call",
            "figma_file_nodes_get",
            &file,
            "ids=1:2,9:9",
        ]);
        assert_eq!(ran.code, 0, "{key}: {}", ran.stderr);
        let answer: Value = serde_json::from_str(&ran.stdout).unwrap();
        assert_eq!(answer["nodes"]["1:2"]["document"]["children"][0]["name"], "Leaf", "{key}: {answer}");
        assert!(ran.stderr.contains("9:9 in `nodes` is null"), "{}", ran.stderr);
    }
    std::fs::write(data.join("wrong.json"), "[1]").unwrap();
    let ran = run(&["--sandbox-data", data.to_str().unwrap(), "call", "figma_file_get", "file_key=whole"]);
    assert!(ran.code != 0 && ran.stderr.contains("wrong.json"), "{}", ran.stderr);
}

/// Real answers of Figma's API lie beside the checkout where this project is developed.
#[test]
fn real_answers_are_served_and_read() {
    let real = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/figma-real");
    if !real.is_dir() {
        println!("skipped: there are no real answers beside this checkout");
        return;
    }
    for (file, ids) in [
        ("bank_home", "2:22909"),
        ("cart_ru_deep", "281:12205"),
        ("illustrations_vectors", "1:2"),
        ("whole_file_figmagic_2022", "2605:12"),
    ] {
        let file = format!("file_key={}", file.replace('_', ""));
        let ids = format!("ids={ids}");
        let ran =
            run(&["--sandbox-data", real.to_str().unwrap(), "call", "figma_file_nodes_get", &file, &ids]);
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{file}");
        let answer: Value = serde_json::from_str(&ran.stdout).unwrap();
        assert!(
            answer["nodes"].as_object().unwrap().values().all(|node| node["document"]["children"].is_array()),
            "{file}"
        );
    }
}
