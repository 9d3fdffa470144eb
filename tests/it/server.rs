//! The built binary over stdio: handshakes, listings, hostile input, cancellation, shutdown.

use std::{
    io::Write,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use figma_mcp::table;
use serde_json::{Value, json};

use crate::client::{Client, play, text_of};

const LEGACY: [&str; 4] = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"];
const MODERN: &str = "2026-07-28";

/// What a client of the newest revision sends with every request, since there is no handshake.
fn modern_meta() -> Value {
    json!({
        "io.modelcontextprotocol/protocolVersion": MODERN,
        "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": { "name": "tests", "version": "1" },
    })
}

#[test]
fn every_revision_of_the_protocol_is_spoken() {
    for version in LEGACY {
        let mut client = Client::start(&["--sandbox"], &[]);
        let info = client.initialize(version);
        assert_eq!(info["protocolVersion"], version);
        assert_eq!(info["serverInfo"]["name"], "figma-mcp");
        assert_eq!(info["serverInfo"]["version"], env!("CARGO_PKG_VERSION"));
        assert_eq!(info["serverInfo"]["icons"][0]["mimeType"], "image/png");
        assert!(info["instructions"].as_str().unwrap().contains("Figma URL"));
        assert!(client.json("figma_me_get", json!({}))["handle"].is_string());
        assert_eq!(client.close().code, Some(0), "{version}");
    }
    let mut client = Client::start(&["--sandbox"], &[]);
    let discovered = client.request("server/discover", json!({ "_meta": modern_meta() }))["result"].clone();
    let versions: Vec<&str> =
        discovered["supportedVersions"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert!(LEGACY.iter().chain([&MODERN]).all(|version| versions.contains(version)), "{versions:?}");
    assert_eq!((&discovered["ttlMs"], &discovered["cacheScope"]), (&json!(3_600_000), &json!("private")));
    let listed = client.request("tools/list", json!({ "_meta": modern_meta() }))["result"].clone();
    assert_eq!((&listed["ttlMs"], &listed["resultType"]), (&json!(3_600_000), &json!("complete")));
    let called = client.request("tools/call", json!({ "name": "figma_me_get", "_meta": modern_meta() }));
    assert_eq!(called["result"]["isError"], false, "{called}");
}

#[test]
fn probing_clients_are_survived() {
    // End of input before anything, and right after a probe: both happen with real clients.
    assert_eq!(Client::start(&["--sandbox"], &[]).close().code, Some(0));
    let mut client = Client::start(&["--sandbox"], &[]);
    client.request("server/discover", json!({ "_meta": modern_meta() }));
    assert_eq!(client.close().code, Some(0));
    // A notification before the client chose how it talks.
    let mut client = Client::start(&["--sandbox"], &[]);
    client.request("server/discover", json!({ "_meta": modern_meta() }));
    client.send(
        &json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": 1 } }),
    );
    assert_eq!(client.initialize("2025-06-18")["protocolVersion"], "2025-06-18");
    assert_eq!(client.tool_names().len(), table::tools().count());
}

#[test]
fn the_listing_is_the_same_every_time_and_everywhere() {
    let list = |client: &mut Client| client.request("tools/list", json!({}))["result"]["tools"].to_string();
    let (mut one, mut other) = (Client::sandbox(), Client::sandbox());
    let listed = list(&mut one);
    assert_eq!(listed, list(&mut one));
    assert_eq!(listed, list(&mut other));
    let committed: Vec<Value> = one
        .tool_names()
        .iter()
        .map(|name| {
            let path = format!("{}/tool-schemas/{name}.json", env!("CARGO_MANIFEST_DIR"));
            serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
        })
        .collect();
    assert_eq!(listed, Value::from(committed).to_string());
    let cursor = one.request("tools/list", json!({ "cursor": "x" }));
    assert_eq!(cursor["error"]["code"], -32602, "{cursor}");
}

#[test]
fn each_kind_of_token_sees_what_it_can_call() {
    let all = Client::sandbox().tool_names();
    let missing = |kind: &str| -> Vec<String> {
        let mut client = Client::ready(&[], &[("FIGMA_TOKEN", "x"), ("FIGMA_TOKEN_KIND", kind)]);
        let listed = client.tool_names();
        all.iter().filter(|name| !listed.contains(name)).cloned().collect()
    };
    assert_eq!(all.len(), table::tools().count());
    assert_eq!(
        missing("personal"),
        [
            "figma_folder_metadata_get",
            "figma_activity_logs_list",
            "figma_developer_logs_list",
            "figma_ai_usage_list"
        ]
    );
    assert_eq!(
        missing("plan"),
        [
            "figma_file_comment_create",
            "figma_file_comment_delete",
            "figma_comment_reaction_create",
            "figma_comment_reaction_delete",
            "figma_file_variables_update",
            "figma_me_get",
            "figma_payments_get",
            "figma_oembed_get",
        ]
    );
    assert_eq!(missing("oauth"), ["figma_payments_get", "figma_developer_logs_list", "figma_ai_usage_list"]);
    // Without any, everything is listed, and calling says how to get one.
    let mut client = Client::ready(&[], &[]);
    assert_eq!(client.tool_names(), all);
    assert_eq!(client.refusal("figma_me_get", json!({}))["error"], "no_token");
    // A tool that is not listed says why.
    let mut client = Client::ready(&[], &[("FIGMA_OAUTH_TOKEN", "x")]);
    let refusal = client
        .refusal("figma_ai_usage_list", json!({ "start_date": "2026-01-01", "end_date": "2026-01-02" }));
    assert_eq!(refusal["error"], "wrong_token", "{refusal}");
    let mut client = Client::ready(&[], &[("FIGMA_TOKEN", "x"), ("FIGMA_TOKEN_KIND", "robot")]);
    assert_eq!(client.refusal("figma_me_get", json!({}))["error"], "broken_token");
}

#[test]
fn settings_narrow_the_listing_and_say_so() {
    let names = |arguments: &[&str]| Client::ready(&[&["--sandbox"], arguments].concat(), &[]).tool_names();
    assert_eq!(names(&["--toolsets", "files"]).len(), 6);
    assert_eq!(names(&["--tools", "figma_me_get"]), ["figma_me_get"]);
    assert_eq!(names(&["--toolsets", "files", "--tools", "figma_me_get"]).len(), 7);
    assert_eq!(names(&["--exclude-tools", "figma_me_get"]).len(), table::tools().count() - 1);
    assert!(
        names(&["--read-only"]).iter().all(|name| !name.ends_with("_create") && !name.ends_with("_delete"))
    );
    let mut client = Client::ready(&["--sandbox", "--read-only"], &[("FIGMA_MCP_TOOLSETS", "comments")]);
    let refusal = client.refusal("figma_file_comment_create", json!({ "file_key": "x", "message": "y" }));
    assert_eq!(
        (&refusal["error"], refusal["what"].as_str().unwrap().contains("--read-only")),
        (&json!("hidden_tool"), true)
    );
    // The default team makes the argument optional.
    let mut client = Client::ready(&["--sandbox", "--team-id", "123"], &[]);
    let listed = client.request("tools/list", json!({}));
    let tools = listed["result"]["tools"].as_array().unwrap();
    let team = tools.iter().find(|tool| tool["name"] == "figma_team_get").unwrap();
    assert_eq!(team["inputSchema"].get("required"), None, "{team}");
    assert_eq!(client.refusal("figma_team_get", json!({}))["error"], "not_found");
}

#[test]
fn hostile_input_gets_an_answer_and_the_session_lives() {
    let mut client = Client::sandbox();
    let mut code_of = |line: &[u8]| {
        client.send_raw(line);
        let answer = client.wait_for("an error", |message| message["error"].is_object());
        assert!(client.json("figma_me_get", json!({}))["handle"].is_string());
        answer["error"]["code"].clone()
    };
    assert_eq!(code_of(b"{\"jsonrpc\":"), -32700);
    assert_eq!(code_of(b"\xff\xfe\x00"), -32700);
    assert_eq!(code_of(b"[]"), -32600);
    assert_eq!(code_of(br#"{"jsonrpc":"2.0","id":"a","method":"tools/call","params":[1]}"#), -32600);
    assert_eq!(code_of(br#"{"jsonrpc":"2.0","id":"b","method":"no/such"}"#), -32601);
    assert_eq!(code_of(br#"{"jsonrpc":"2.0","id":"c","method":"tools/call","params":{"name":1}}"#), -32602);
    assert_eq!(
        code_of(br#"{"jsonrpc":"2.0","id":"d","method":"tools/call","params":{"name":"figma_fil_get"}}"#),
        -32602
    );
    assert_eq!(code_of(&[b"[".repeat(20_000), b"]".repeat(20_000)].concat()), -32700);
    let mut long = br#"{"jsonrpc":"2.0","id":"e","method":"ping","params":{"x":""#.to_vec();
    long.resize(20 * 1024 * 1024, b'x');
    long.extend_from_slice(br#""}}"#);
    assert_eq!(code_of(&long), -32600);
}

#[test]
fn a_cancelled_call_is_given_up_and_not_answered() {
    let mut client = Client::sandbox();
    let hanging = client.begin_call("figma_file_get", &json!({ "file_key": "HANG" }));
    client.json("figma_me_get", json!({}));
    client.send(
        &json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": hanging } }),
    );
    // Its place is free again: more than the tier's two places would hang otherwise.
    for _ in 0..3 {
        let hanging = client.begin_call("figma_file_get", &json!({ "file_key": "HANG" }));
        client.json("figma_me_get", json!({}));
        client.send(&json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": hanging } }));
    }
    client.json("figma_file_get", json!({ "file_key": figma_mcp::sandbox::PRODUCT_FILE, "depth": 1 }));
    assert!(client.next(Duration::from_millis(200)).is_err(), "a cancelled call was answered");
}

#[test]
fn progress_tells_how_much_of_a_file_has_come() {
    let mut client = Client::ready(&["--sandbox", "--timeout", "5"], &[]);
    let arguments = json!({ "file_key": "STALLFILE" });
    let params =
        json!({ "name": "figma_file_get", "arguments": arguments, "_meta": { "progressToken": "p" } });
    let asked = client.begin("tools/call", params);
    let progress = client.wait_for("progress", |message| message["method"] == "notifications/progress");
    assert_eq!(progress["params"]["message"], "Fetching the file: 0 MB so far");
    assert_eq!(client.answer(asked)["result"]["structuredContent"]["error"], "too_large_file");
}

#[test]
fn a_slow_call_reports_progress_to_those_who_ask() {
    let mut client = Client::sandbox();
    let params = |meta: Value| json!({ "name": "figma_file_get", "arguments": { "file_key": "SLOW", "depth": 1 }, "_meta": meta });
    let asked = client.begin("tools/call", params(json!({ "progressToken": "p" })));
    let silent = client.begin("tools/call", params(json!({})));
    let progress = client.wait_for("progress", |message| message["method"] == "notifications/progress");
    assert_eq!(
        (&progress["params"]["progressToken"], &progress["params"]["progress"]),
        (&json!("p"), &json!(1.0))
    );
    assert_eq!(client.answer(asked)["result"]["isError"], false);
    assert_eq!(client.answer(silent)["result"]["isError"], false);
    if let Ok(message) = client.next(Duration::from_millis(2500)) {
        panic!("a message after the result: {message}");
    }
}

#[test]
fn a_flood_is_bounded_and_local_answers_stay_quick() {
    let mut client = Client::sandbox();
    // Each of its own, since equal ones share a call.
    let call = |version: u32| json!({ "file_key": "HANG", "version": version.to_string() });
    let ids: Vec<u64> = (0..150).map(|version| client.begin_call("figma_file_get", &call(version))).collect();
    // Two run, 64 wait, the rest is told so at once.
    let busy = |message: &Value| message["result"]["structuredContent"]["error"] == "busy";
    for _ in 0..ids.len() - 66 {
        client.wait_for("a busy answer", busy);
    }
    assert_eq!(client.tool_names().len(), table::tools().count());
    assert!(client.json("figma_me_get", json!({}))["handle"].is_string());
}

#[test]
fn a_write_that_was_sent_is_never_sent_twice() {
    for (cut, outcome) in [
        ("before", "unknown_outcome"),
        ("status", "unknown_outcome"),
        ("middle", "unknown_outcome"),
        ("500", "unknown_outcome"),
    ] {
        let sent = Arc::new(AtomicU32::new(0));
        let count = sent.clone();
        let base = play(move |request, stream| {
            assert!(request.starts_with("POST /v1/files/abc/comments"), "{request}");
            count.fetch_add(1, Ordering::SeqCst);
            let _ = match cut {
                "status" => stream.write_all(b"HTTP/1.1 20"),
                "middle" => stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"id\":"),
                "500" => stream.write_all(b"HTTP/1.1 500 Oops\r\ncontent-length: 0\r\n\r\n"),
                _ => Ok(()),
            };
        });
        let mut client = Client::ready(&["--api-base-url", &base], &[("FIGMA_TOKEN", "x")]);
        let refusal =
            client.refusal("figma_file_comment_create", json!({ "file_key": "abc", "message": "hello" }));
        assert_eq!(refusal["error"], outcome, "{cut}: {refusal}");
        assert!(refusal["next"].as_str().unwrap().contains("figma_file_comments_list"), "{refusal}");
        assert_eq!(sent.load(Ordering::SeqCst), 1, "{cut}");
    }
}

#[test]
fn a_read_is_repeated_and_the_count_is_told() {
    let sent = Arc::new(AtomicU32::new(0));
    let count = sent.clone();
    let base = play(move |_, _| {
        count.fetch_add(1, Ordering::SeqCst);
    });
    let mut client = Client::ready(&["--api-base-url", &base], &[("FIGMA_TOKEN", "x")]);
    let refusal = client.refusal("figma_me_get", json!({}));
    assert_eq!(
        (&refusal["error"], &refusal["why"]),
        (&json!("unreachable"), &json!("tried 3 times")),
        "{refusal}"
    );
    assert_eq!(sent.load(Ordering::SeqCst), 3);
    // Nobody listens there at all.
    let mut client = Client::ready(&["--api-base-url", "http://127.0.0.1:1"], &[("FIGMA_TOKEN", "x")]);
    assert_eq!(client.refusal("figma_me_get", json!({}))["error"], "unreachable");
}

#[test]
fn the_token_goes_to_no_other_host() {
    for status in [301, 302, 303, 307, 308] {
        let visited = Arc::new(AtomicU32::new(0));
        let count = visited.clone();
        let other = play(move |_, _| {
            count.fetch_add(1, Ordering::SeqCst);
        });
        let base = play(move |_, stream| {
            let answer = format!(
                "HTTP/1.1 {status} Elsewhere\r\nlocation: {other}/v1/me\r\ncontent-length: 0\r\n\r\n"
            );
            let _ = stream.write_all(answer.as_bytes());
        });
        let mut client = Client::ready(&["--api-base-url", &base], &[("FIGMA_TOKEN", "x")]);
        assert_eq!(client.refusal("figma_me_get", json!({}))["error"], "bad_answer", "{status}");
        assert_eq!(visited.load(Ordering::SeqCst), 0, "{status}");
    }
}

#[test]
fn a_secret_appears_nowhere() {
    const SECRET: &str = "figd_Canary0Canary1Canary2Canary3Canary4Ca";
    let base = play(|_, stream| {
        let body = r#"{"status":403,"err":"Invalid token"}"#;
        let answer = format!("HTTP/1.1 403 Forbidden\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        let _ = stream.write_all(answer.as_bytes());
    });
    let mut client =
        Client::ready(&["--log-level", "trace", "--api-base-url", &base], &[("FIGMA_TOKEN", SECRET)]);
    let mut seen = String::new();
    for tool in client.tool_names() {
        let id = client.begin_call(&tool, &json!({ "file_key": "abc", "team_id": "1", "ids": "1:2" }));
        seen += &client.answer(id).to_string();
    }
    let id = client.begin_call("figma_me_get", &json!({}));
    let refused = client.answer(id);
    assert_eq!(refused["result"]["structuredContent"]["error"], "bad_token", "{refused}");
    seen += &refused.to_string();
    let ended = client.close();
    assert!(ended.stderr.contains("figma_me_get"), "the log is not talkative: {}", ended.stderr);
    for hidden in [SECRET, "Canary0", "Q2FuYXJ5", "43616e617279"] {
        assert!(!seen.contains(hidden) && !ended.stderr.contains(hidden), "{hidden} leaked");
    }
}

#[cfg(unix)]
#[test]
fn being_told_to_stop_finishes_writes_and_ends_cleanly() {
    let written = Arc::new(AtomicU32::new(0));
    let count = written.clone();
    let base = play(move |_, stream| {
        std::thread::sleep(Duration::from_millis(800));
        let body = r#"{"id":"1"}"#;
        let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        if stream.write_all(answer.as_bytes()).is_ok() {
            count.fetch_add(1, Ordering::SeqCst);
        }
    });
    for way in ["-TERM", "-INT", "end of input"] {
        let mut client = Client::ready(&["--api-base-url", &base], &[("FIGMA_TOKEN", "x")]);
        client.begin_call("figma_file_comment_create", &json!({ "file_key": "abc", "message": "hello" }));
        client.begin_call("figma_file_get", &json!({ "file_key": "abc" }));
        client.tool_names();
        std::thread::sleep(Duration::from_millis(200));
        let before = (written.load(Ordering::SeqCst), Instant::now());
        let ended = if way == "end of input" {
            client.close()
        } else {
            let kill =
                std::process::Command::new("kill").args([way, &client.process_id().to_string()]).status();
            assert!(kill.unwrap().success());
            client.ended()
        };
        assert_eq!(ended.code, Some(0), "{way}: {}", ended.stderr);
        assert!(before.1.elapsed() < Duration::from_secs(8), "{way}");
        assert!(written.load(Ordering::SeqCst) > before.0, "{way}: the write was cut off");
    }
}

#[test]
fn answers_that_nobody_should_read_whole_are_cut_off() {
    let mut client = Client::sandbox();
    for (file_key, expected) in
        [("BOMB", "too_large"), ("HTML", "bad_answer"), ("EMPTY", "bad_answer"), ("BROKEN", "unreachable")]
    {
        let refusal = client.refusal("figma_file_get", json!({ "file_key": file_key }));
        assert_eq!(refusal["error"], expected, "{file_key}: {refusal}");
    }
    let result = client.call("figma_file_get", json!({ "file_key": "FLAKY", "depth": 1 }));
    assert_eq!(result["isError"], false, "{}", text_of(&result));
}
