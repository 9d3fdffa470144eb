//! Kept answers, gates and counts: shared by processes, and never somebody else's.

use std::{
    collections::BTreeSet,
    io::Write,
    sync::{Arc, Mutex},
    time::Duration,
};

use figma_mcp::sandbox::PRODUCT_FILE;
use serde_json::{Value, json};

use crate::{
    client::{Client, play, text_of},
    figma::Figma,
    program::cache_dir,
};

fn nodes() -> Value {
    json!({ "file_key": PRODUCT_FILE, "ids": "2:1", "geometry": "paths" })
}

/// What a result says of its age.
fn cache_of(result: &Value) -> &Value {
    &result["_meta"]["figma-mcp/cache"]
}

pub(crate) fn tier_one(requests: &[String]) -> Vec<&str> {
    let is_tier_one = |line: &&str| {
        let path = line.trim_start_matches("GET ");
        path.starts_with("/v1/images/")
            || path.starts_with("/v1/files/") && (path.contains("/nodes") || path.matches('/').count() == 3)
    };
    requests.iter().map(String::as_str).filter(is_tier_one).collect()
}

#[test]
fn a_read_is_answered_without_a_call_until_the_file_changes() {
    let figma = Figma::start();
    let mut server = figma.server(&[]);
    let first = server.call("figma_file_nodes_get", nodes());
    assert_eq!(first["isError"], false, "{first}");
    assert!(cache_of(&first).is_null(), "{first}");
    let requests = figma.requests();
    assert_eq!(requests.len(), 2, "{requests:?}");
    assert!(requests[0].ends_with("/meta") && requests[1].contains("/nodes?ids=2:1"), "{requests:?}");

    let again = server.call("figma_file_nodes_get", nodes());
    assert_eq!(text_of(&again), text_of(&first));
    assert!(cache_of(&again)["age_s"].is_u64() && cache_of(&again)["version"].is_string(), "{again}");
    assert_eq!(cache_of(&again)["stale"], Value::Null);
    assert_eq!(again["content"], first["content"], "nothing is said beside it");
    assert_eq!(figma.requests().len(), 2);

    // Another process, and another after the first has ended, know the answer and the stamp.
    let mut other = figma.server(&[]);
    assert!(!cache_of(&other.call("figma_file_nodes_get", nodes())).is_null());
    drop((server, other));
    let mut after = figma.server(&[]);
    assert!(!cache_of(&after.call("figma_file_nodes_get", nodes())).is_null());
    assert_eq!(figma.requests().len(), 2);
    // Nobody else gets it.
    let mut stranger = figma.server_of("sandbox-oauth", &[]);
    assert!(cache_of(&stranger.call("figma_file_nodes_get", nodes())).is_null());
    assert_eq!(figma.requests().len(), 4);
    // And nobody who keeps nothing.
    let mut forgetful = figma.server(&["--no-cache"]);
    assert!(cache_of(&forgetful.call("figma_file_nodes_get", nodes())).is_null());
    assert_eq!(figma.requests().len(), 6);
}

#[test]
fn a_version_needs_no_stamp() {
    let figma = Figma::start();
    let mut server = figma.server(&[]);
    let versions = server.json("figma_file_versions_list", json!({ "file_key": PRODUCT_FILE }));
    let version = versions["versions"][1]["id"].as_str().unwrap();
    let asked = json!({ "file_key": PRODUCT_FILE, "version": version, "depth": 1 });
    let first = server.call("figma_file_get", asked.clone());
    let again = server.call("figma_file_get", asked);
    assert_eq!(text_of(&again), text_of(&first));
    assert_eq!(cache_of(&again)["version"], version);
    assert!(!figma.requests().iter().any(|line| line.ends_with("/meta")), "{:?}", figma.requests());
    assert_eq!(figma.requests().len(), 2);
}

#[test]
fn a_write_drops_what_was_kept_and_a_list_of_branches_is_not_kept() {
    let figma = Figma::start();
    let mut server = figma.server(&[]);
    let asked = json!({ "file_key": PRODUCT_FILE });
    let before = server.json("figma_file_variables_local_get", asked.clone());
    let result = server.call("figma_file_variables_local_get", asked.clone());
    assert!(!cache_of(&result).is_null(), "{result}");
    let variables = before["meta"]["variables"].as_object().unwrap();
    let id = variables.iter().find(|(_, variable)| variable["remote"] == false).unwrap().0.clone();
    let changed = server.call(
        "figma_file_variables_update",
        json!({ "file_key": PRODUCT_FILE, "variables": [{ "action": "UPDATE", "id": id, "name": "renamed" }] }),
    );
    assert_eq!(changed["isError"], false, "{changed}");
    let result = server.call("figma_file_variables_local_get", asked);
    assert!(cache_of(&result).is_null() && text_of(&result).contains("renamed"), "{result}");

    let branches = json!({ "file_key": PRODUCT_FILE, "depth": 1, "branch_data": true });
    server.call("figma_file_get", branches.clone());
    assert!(cache_of(&server.call("figma_file_get", branches)).is_null());
}

#[test]
fn without_figma_an_old_answer_is_better_than_none() {
    let mut figma = Figma::start();
    let mut server = figma.server(&[]);
    server.call("figma_file_nodes_get", nodes());
    drop(server);
    forget_stamps(&figma);
    figma.end();
    let mut server = figma.server(&[]);
    let result = server.call("figma_file_nodes_get", nodes());
    assert_eq!(result["isError"], false, "{result}");
    assert_eq!(cache_of(&result)["stale"], true, "{result}");
    let note = result["content"][1]["text"].as_str().unwrap();
    assert!(note.contains("may be out of date"), "{note}");
    // What was never read is refused.
    let refusal = server.refusal("figma_file_image_fills_get", json!({ "file_key": PRODUCT_FILE }));
    assert_eq!(refusal["error"], "unreachable");
}

/// Ages what is known of files, so that they are asked for again.
pub(crate) fn forget_stamps(figma: &Figma) {
    let store = rusqlite::Connection::open(figma.cache.join("store.sqlite")).unwrap();
    store.execute("UPDATE stamps SET at = at - 60", []).unwrap();
}

#[test]
fn a_closed_gate_is_known_to_all_and_old_answers_are_shown_behind_it() {
    let figma = Figma::start();
    let mut server = figma.server(&[]);
    let read = json!({ "file_key": "RATELATER", "depth": 1 });
    server.json("figma_file_get", read.clone());
    let other_read = json!({ "file_key": "RATELATER", "ids": "2:1", "geometry": "paths" });
    let refusal = server.refusal("figma_file_nodes_get", other_read.clone());
    assert_eq!((&refusal["error"], &refusal["status"]), (&json!("rate_limited"), &json!(429)), "{refusal}");
    assert!(refusal["next"].as_str().unwrap().contains("tier 2 and tier 3 tools still work"), "{refusal}");
    let count = tier_one(&figma.requests()).len();
    assert_eq!(count, 2);

    // In this process, in another one, and after a restart: no call, and the time that is left.
    let mut other = figma.server(&[]);
    for client in [&mut server, &mut other] {
        let refusal = client.refusal("figma_file_nodes_get", other_read.clone());
        let left = refusal["retry_after_s"].as_u64().unwrap();
        assert!((390_000..=396_749).contains(&left), "{refusal}");
        let text = refusal.to_string();
        assert!(text.contains("starter") && text.contains("cache clear --limits"), "{refusal}");
        assert!(text.contains("https://www.figma.com/pricing"), "{refusal}");
    }
    assert_eq!(tier_one(&figma.requests()).len(), count);
    // Other files are open, and so are other tiers.
    assert_eq!(other.call("figma_file_nodes_get", nodes())["isError"], false);
    assert_eq!(other.call("figma_file_comments_list", json!({ "file_key": "RATELATER" }))["isError"], false);
    // The account has been called low: its tier 1 answers say what was spent.
    let spent = other.call("figma_file_get", json!({ "file_key": PRODUCT_FILE, "depth": 2 }));
    assert!(spent["content"][1]["text"].as_str().unwrap().contains("Tier 1 calls of this month"), "{spent}");

    // The file has changed meanwhile, and cannot be read again: what was kept is shown, marked.
    figma.touch("RATELATER");
    server.close();
    other.close();
    forget_stamps(&figma);
    let mut late = figma.server(&[]);
    let result = late.call("figma_file_get", read);
    assert_eq!(result["isError"], false, "{result}");
    assert_eq!(cache_of(&result)["stale"], true, "{result}");
    let status = late.json("figma_status_get", json!({}));
    assert_eq!(status["closed_gates"][0]["file_key"], "RATELATER", "{status}");
    assert_eq!(status["closed_gates"][0]["tier"], 1);
    assert_eq!(status["figma_named"], json!({ "plan": "starter", "seat": "low" }));
    assert_eq!(status["calls_of_all_processes"]["tier_1"]["month"], 4, "{status}");
    assert!(status["calls_of_all_processes"]["tier_3"]["day"].as_u64().unwrap() >= 2, "{status}");

    // A person who knows better opens the gates.
    let ran = figma.command(&["cache", "clear", "--limits"]).output().unwrap();
    assert!(ran.status.success(), "{ran:?}");
    let refusal = late.refusal("figma_file_nodes_get", other_read);
    assert_eq!(refusal["retry_after_s"], 396_749, "{refusal}");
}

#[test]
fn two_files_refused_in_one_plan_close_the_tier_for_an_hour_at_most() {
    let figma = Figma::start();
    let mut server = figma.server(&[]);
    server.refusal("figma_file_get", json!({ "file_key": "RATEDAYS", "depth": 1 }));
    server.json("figma_file_get", json!({ "file_key": "RATELATER", "depth": 1 }));
    // What the held file does not answer.
    let beyond = json!({ "file_key": "RATELATER", "ids": "2:1", "geometry": "paths" });
    server.refusal("figma_file_nodes_get", beyond);
    let refusal = server.refusal("figma_file_get", json!({ "file_key": PRODUCT_FILE, "depth": 1 }));
    assert!((3_000..=3_600).contains(&refusal["retry_after_s"].as_u64().unwrap()), "{refusal}");
}

#[test]
fn what_is_kept_can_be_seen_and_dropped() {
    let figma = Figma::start();
    let stats = |figma: &Figma| -> Value {
        let ran = figma.command(&["cache", "stats", "--json"]).output().unwrap();
        serde_json::from_slice(&ran.stdout).unwrap_or_else(|_| panic!("{ran:?}"))
    };
    assert_eq!(stats(&figma)["answers"], 0);
    assert!(!figma.cache.exists(), "looking makes nothing");
    // The command line keeps and finds as the server does.
    let key = format!("file_key={PRODUCT_FILE}");
    let call = ["call", "figma_file_get", &key, "depth=1"];
    let first = figma.command(&call).output().unwrap();
    assert!(first.status.success(), "{first:?}");
    let again = figma.command(&call).output().unwrap();
    assert_eq!(first.stdout, again.stdout);
    assert_eq!(tier_one(&figma.requests()).len(), 1);
    let shown = stats(&figma);
    assert_eq!((&shown["answers"], &shown["files"], &shown["callers"]), (&json!(1), &json!(1), &json!(1)));
    assert!(shown["bytes"].as_u64().unwrap() > 100 && shown["capacity_bytes"] == 512 << 20, "{shown}");
    let path = figma.command(&["cache", "path"]).output().unwrap();
    assert_eq!(
        String::from_utf8(path.stdout).unwrap().trim(),
        figma.cache.join("store.sqlite").to_str().unwrap()
    );
    assert!(figma.command(&["cache", "clear"]).output().unwrap().status.success());
    assert_eq!(stats(&figma)["answers"], 0);
    figma.command(&call).output().unwrap();
    assert_eq!(tier_one(&figma.requests()).len(), 2);
}

#[test]
#[cfg(unix)]
fn the_store_is_its_owners_alone_and_holds_no_token() {
    use std::os::unix::fs::PermissionsExt;
    let figma = Figma::start();
    let mut server = figma.server(&[]);
    server.json("figma_file_get", json!({ "file_key": PRODUCT_FILE, "depth": 1 }));
    server.json("figma_status_get", json!({}));
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&figma.cache), 0o700);
    for entry in std::fs::read_dir(&figma.cache).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
        let bytes = std::fs::read(&path).unwrap();
        let token = crate::figma::TOKEN.as_bytes();
        assert!(!bytes.windows(token.len()).any(|part| part == token), "{}", path.display());
    }
}

#[test]
fn a_store_that_is_none_is_made_anew_and_calls_go_on() {
    let figma = Figma::start();
    std::fs::create_dir_all(&figma.cache).unwrap();
    std::fs::write(figma.cache.join("store.sqlite"), vec![7; 9_000]).unwrap();
    let mut server = figma.server(&[]);
    server.json("figma_file_nodes_get", nodes());
    drop(server);
    let mut after = figma.server(&[]);
    assert!(!cache_of(&after.call("figma_file_nodes_get", nodes())).is_null());
    // Where nothing can be kept at all, calls work all the same.
    let mut nowhere = Client::ready(
        &["--api-base-url", &figma.base, "--cache-dir", "/dev/null/nowhere"],
        &[("FIGMA_TOKEN", "sandbox-personal")],
    );
    nowhere.json("figma_file_nodes_get", nodes());
}

#[test]
fn what_is_asked_at_once_is_one_request_and_each_gets_its_own_part() {
    let figma = Figma::start();
    let mut server = figma.server(&["--no-cache"]);
    // With what a held file does not have.
    let nodes =
        |ids: &[&str]| json!({ "file_key": PRODUCT_FILE, "ids": ids, "depth": 1, "geometry": "paths" });
    let renders = |ids: &[&str]| json!({ "file_key": PRODUCT_FILE, "ids": ids, "format": "svg" });
    let calls = [
        ("figma_file_nodes_get", nodes(&["2:1"])),
        ("figma_file_nodes_get", nodes(&["2:4", "99:99"])),
        ("figma_file_nodes_get", nodes(&["2:1"])),
        ("figma_file_images_render", renders(&["2:1"])),
        ("figma_file_images_render", renders(&["2:4", "2:1"])),
        // Other parameters: a request of its own.
        (
            "figma_file_nodes_get",
            json!({ "file_key": PRODUCT_FILE, "ids": "2:4", "depth": 2, "geometry": "paths" }),
        ),
    ];
    // The stamp first, so that it holds nobody up.
    server.json("figma_file_image_fills_get", json!({ "file_key": PRODUCT_FILE }));
    let before = figma.requests().len();
    let begun: Vec<u64> = calls.iter().map(|(tool, arguments)| server.begin_call(tool, arguments)).collect();
    let together: Vec<Value> = begun.into_iter().map(|id| server.answer(id)["result"].clone()).collect();
    let requests = figma.requests();
    let sent = tier_one(&requests[before..]);
    assert!(sent.len() < calls.len() - 1, "{sent:?}");
    // In which order they were joined is the runtime's affair.
    let is_joined = |line: &str| {
        let ids = line.split_once("/nodes?ids=").and_then(|(_, rest)| rest.split_once("&depth=1"));
        let ids: BTreeSet<&str> = ids.map_or_else(BTreeSet::new, |(ids, _)| ids.split(',').collect());
        ids == BTreeSet::from(["2:1", "2:4", "99:99"])
    };
    assert!(sent.iter().any(|line| is_joined(line)), "{sent:?}");
    for ((tool, arguments), result) in calls.iter().zip(together) {
        let mut alone = figma.server(&["--no-cache"]);
        let expected = alone.call(tool, arguments.clone());
        assert_eq!(result["isError"], false, "{result}");
        assert_eq!(result["content"], expected["content"], "{tool} {arguments}");
    }
}

#[test]
fn a_bad_id_of_one_call_is_not_the_others_problem() {
    let figma = Figma::start();
    let mut server = figma.server(&[]);
    server.json("figma_file_image_fills_get", json!({ "file_key": "RENDERSLOW" }));
    let call = |format: &str, ids: &str| json!({ "file_key": "RENDERSLOW", "ids": ids, "format": format });
    // Refused together, so each asks alone, and each is told.
    let ids = ["2:1", "2:4"].map(|id| server.begin_call("figma_file_images_render", &call("svg", id)));
    for id in ids {
        let answer = server.answer(id);
        assert_eq!(answer["result"]["structuredContent"]["error"], "too_large", "{answer}");
    }
}

/// Kills servers in the middle of their writes; afterwards the store is whole, and every gate that was
/// told of is closed.
#[test]
fn a_kill_tears_nothing_and_loses_no_gate() {
    let rounds = if std::env::var_os("FIGMA_MCP_THOROUGH").is_some() { 200 } else { 25 };
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = seen.clone();
    let filler = (0..60_000_u64)
        .fold(String::new(), |text, n| text + &format!("{:x}", n.wrapping_mul(0x9E37_79B9_7F4A_7C15)));
    let base = play(move |request, stream| {
        let path = request.split(' ').nth(1).unwrap_or_default().to_owned();
        let (status, more, body) = if path.ends_with("/meta") {
            ("200 OK", "", r#"{"file":{"last_touched_at":"2026-01-01T00:00:00Z","version":"1"}}"#.to_owned())
        } else if path.contains("GATE") {
            (
                "429 Too Many Requests",
                "retry-after: 300000\r\n",
                r#"{"status":429,"err":"Rate limit exceeded"}"#.to_owned(),
            )
        } else {
            ("200 OK", "", format!(r#"{{"name":"{filler}","document":{{}}}}"#))
        };
        log.lock().unwrap().push(path);
        let length = body.len();
        let head = format!(
            "HTTP/1.1 {status}\r\ncontent-type: application/json\r\n{more}content-length: {length}\r\nconnection: close\r\n\r\n"
        );
        let _ = stream.write_all((head + &body).as_bytes());
    });
    let cache = cache_dir();
    let server = || {
        let cache = cache.to_str().unwrap();
        Client::ready(&["--api-base-url", &base], &[("FIGMA_TOKEN", "x"), ("FIGMA_MCP_CACHE_DIR", cache)])
    };
    let file = |name: &str, round: u64| json!({ "file_key": format!("{name}{round:018}") });
    for round in 0..rounds {
        let mut client = server();
        client.begin_call("figma_file_get", &file("LARGE", round));
        client.refusal("figma_file_get", file("GATE", round));
        std::thread::sleep(Duration::from_millis(round % 9));
        // Killed, as its end is not waited for.
        drop(client);
    }
    let requests = |name: &str| {
        let seen = seen.lock().unwrap();
        seen.iter().filter(|path| path.contains(name) && !path.ends_with("/meta")).count()
    };
    assert_eq!(requests("GATE"), usize::try_from(rounds).unwrap());
    let mut last = server();
    for round in 0..rounds {
        let refusal = last.refusal("figma_file_get", file("GATE", round));
        assert!(refusal["retry_after_s"].as_u64().unwrap() > 290_000, "{refusal}");
    }
    assert_eq!(requests("GATE"), usize::try_from(rounds).unwrap());
    // Nothing that was sent is missing in the count.
    let status = last.json("figma_status_get", json!({}));
    let counted = status["calls_of_all_processes"]["tier_1"]["month"].as_u64().unwrap();
    assert!(counted >= u64::try_from(requests("GATE") + requests("LARGE")).unwrap(), "{status}");
    let store = rusqlite::Connection::open(cache.join("store.sqlite")).unwrap();
    let verdict: String = store.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(verdict, "ok");
    drop(last);
    let _ = std::fs::remove_dir_all(&cache);
}
