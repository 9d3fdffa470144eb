//! The built binary over HTTP: handshakes, the old transport, sessions, switches, shutdown.

use std::{
    io::{BufRead, BufReader, Read, Write},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{
    client::{play, text_of},
    program::figma_mcp,
    web::{ACCEPT, HttpServer, JSON, call, initialize, read_answer, read_head, request, write_request},
};

const LEGACY: [&str; 4] = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"];
const MODERN: &str = "2026-07-28";

#[test]
fn every_revision_of_the_protocol_is_spoken() {
    let server = HttpServer::sandbox(&[]);
    for version in LEGACY {
        let info = server.post(&initialize(version), &[]);
        assert_eq!(info.json()["result"]["protocolVersion"], version);
        assert_eq!(info.header("content-type"), Some("application/json"));
        let headers: &[(&str, &str)] =
            if version < "2025-06-18" { &[] } else { &[("mcp-protocol-version", version)] };
        let done = server.post(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }), headers);
        assert_eq!(done.status, 202);
        let me = server.post(&call("figma_me_get", json!({})), headers).json();
        assert!(text_of(&me["result"]).contains("handle"), "{me}");
    }
    let meta = json!({
        "io.modelcontextprotocol/protocolVersion": MODERN,
        "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": { "name": "tests", "version": "1" },
    });
    let headers =
        [("mcp-protocol-version", MODERN), ("mcp-method", "tools/call"), ("mcp-name", "figma_me_get")];
    let params = json!({ "name": "figma_me_get", "arguments": {}, "_meta": meta });
    let me = server.post(&request("tools/call", params), &headers).json();
    assert!(text_of(&me["result"]).contains("handle"), "{me}");
    // Whoever accepts anything accepts both forms of answers.
    let plain =
        server.send("POST", "/mcp", &[JSON, ("accept", "*/*")], &request("ping", json!({})).to_string());
    assert_eq!(plain.status, 200);
}

#[test]
fn sessions_are_bounded_and_belong_to_whoever_opened_them() {
    let server = HttpServer::sandbox(&["--http-sessions"]);
    let opened = server.post(&initialize("2025-11-25"), &[]);
    let id = opened.header("mcp-session-id").unwrap().to_owned();
    let mine = [("mcp-session-id", id.as_str()), ("mcp-protocol-version", "2025-11-25")];
    let ready = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
    assert_eq!(server.post(&ready, &mine).status, 202);
    let listed = server.post(&request("tools/list", json!({})), &mine);
    assert!(listed.json()["result"]["tools"].as_array().unwrap().len() > 40);
    let theirs = [mine[0], mine[1], ("x-figma-token", "somebody-elses-token")];
    assert_eq!(server.post(&request("tools/list", json!({})), &theirs).status, 404);
    let open = |headers: &[(&str, &str)]| server.post(&initialize("2025-11-25"), headers);
    // One caller leaves room for others.
    for opened in 1..192 {
        assert_eq!(open(&[]).status, 200, "{opened}");
    }
    let full = open(&[]);
    assert_eq!((full.status, full.header("retry-after")), (503, Some("5")));
    for opened in 192..256 {
        assert_eq!(open(&[theirs[2]]).status, 200, "{opened}");
    }
    assert_eq!(open(&[theirs[2]]).status, 503);
    assert!(server.get("/metrics").body.contains("figma_mcp_sessions 256"));
    assert_eq!(server.send("DELETE", "/mcp", &mine, "").status, 200);
    assert_eq!(open(&[]).status, 200);
}

/// The data of the next event of this name.
fn next_event(reader: &mut impl BufRead, name: &str) -> String {
    let mut line = String::new();
    loop {
        line.clear();
        assert_ne!(reader.read_line(&mut line).unwrap(), 0, "the stream ended");
        if line.trim() == format!("event: {name}") {
            line.clear();
            reader.read_line(&mut line).unwrap();
            return line.trim().strip_prefix("data: ").unwrap().to_owned();
        }
    }
}

#[test]
fn the_old_transport_serves_a_whole_session() {
    let server = HttpServer::sandbox(&[]);
    let mut stream = server.connect();
    write_request(&mut stream, &server.address, "GET", "/sse", &[("accept", "text/event-stream")], "");
    let mut events = BufReader::new(stream);
    assert_eq!(read_head(&mut events).0, 200);
    let place = next_event(&mut events, "endpoint");
    let send = |message: &Value, headers: &[(&str, &str)]| {
        server.send("POST", &place, &[&[JSON], headers].concat(), &message.to_string()).status
    };
    // A notification before the handshake must not end the stream.
    assert_eq!(
        send(
            &json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": 9 } }),
            &[]
        ),
        202
    );
    assert_eq!(send(&initialize("2024-11-05"), &[]), 202);
    let info: Value = serde_json::from_str(&next_event(&mut events, "message")).unwrap();
    assert_eq!(info["result"]["protocolVersion"], "2024-11-05");
    assert_eq!(send(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }), &[]), 202);
    assert_eq!(send(&call("figma_me_get", json!({})), &[]), 202);
    let me: Value = serde_json::from_str(&next_event(&mut events, "message")).unwrap();
    assert!(text_of(&me["result"]).contains("handle"));
    assert_eq!(send(&call("figma_me_get", json!({})), &[("x-figma-token", "somebody-elses-token")]), 404);
    assert_eq!(server.send("POST", "/messages?sessionId=guessed", &[JSON], "{}").status, 404);
    assert_eq!(server.send("POST", "/messages", &[JSON], "{}").status, 404);
    drop(events);
    let deadline = Instant::now() + Duration::from_secs(30);
    while send(&request("ping", json!({})), &[]) != 404 {
        assert!(Instant::now() < deadline, "the stream outlives its client");
        std::thread::sleep(Duration::from_millis(20));
    }
    // Clients that try the new transport here first get it.
    let new = server.send("POST", "/sse", &[JSON, ACCEPT], &initialize("2025-11-25").to_string());
    assert_eq!(new.json()["result"]["protocolVersion"], "2025-11-25");
}

#[test]
fn the_old_transport_is_bounded_and_can_be_switched_off() {
    let server = HttpServer::sandbox(&[]);
    let open = || {
        let mut stream = server.connect();
        write_request(&mut stream, &server.address, "GET", "/sse", &[], "");
        let mut reader = BufReader::new(stream);
        (read_head(&mut reader).0, reader)
    };
    let streams: Vec<_> = (0..64).map(|_| open()).collect();
    assert!(streams.iter().all(|(status, _)| *status == 200));
    assert_eq!(open().0, 503);
    let without = HttpServer::sandbox(&["--no-legacy-sse"]);
    assert_eq!(without.get("/sse").status, 404);
    assert_eq!(without.send("POST", "/messages", &[JSON], "{}").status, 404);
}

#[test]
fn a_stream_of_the_old_transport_can_be_read_only() {
    let server = HttpServer::sandbox(&[]);
    let mut stream = server.connect();
    write_request(&mut stream, &server.address, "GET", "/sse/readonly", &[], "");
    let mut events = BufReader::new(stream);
    assert_eq!(read_head(&mut events).0, 200);
    let place = next_event(&mut events, "endpoint");
    let send = |message: &Value| server.send("POST", &place, &[JSON], &message.to_string()).status;
    assert_eq!(send(&initialize("2024-11-05")), 202);
    next_event(&mut events, "message");
    assert_eq!(send(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" })), 202);
    assert_eq!(send(&request("tools/list", json!({}))), 202);
    let listed: Value = serde_json::from_str(&next_event(&mut events, "message")).unwrap();
    let tools = listed["result"]["tools"].as_array().unwrap();
    let listed: Vec<&str> = tools.iter().map(|tool| tool["name"].as_str().unwrap()).collect();
    assert_eq!(listed, names(&server, "/mcp/readonly", &[]));
    // The way around it does not lead there.
    let other = place.replace("/readonly", "");
    assert_eq!(server.send("POST", &other, &[JSON], &request("ping", json!({})).to_string()).status, 404);
}

#[test]
fn json_that_is_no_message_is_told_so() {
    let server = HttpServer::sandbox(&[]);
    let ping = request("ping", json!({}));
    for (path, body) in [
        ("/mcp", json!([ping])),
        ("/mcp", json!({ "hello": 1 })),
        ("/mcp", json!("ping")),
        ("/mcp", json!({ "jsonrpc": "1.0", "id": 1, "method": "ping" })),
        ("/sse", json!([])),
    ] {
        let answer = server.send("POST", path, &[JSON, ACCEPT], &body.to_string());
        assert_eq!((answer.status, &answer.json()["error"]["code"]), (400, &json!(-32600)), "{body}");
    }
}

fn names(server: &HttpServer, path: &str, headers: &[(&str, &str)]) -> Vec<String> {
    let message = request("tools/list", json!({})).to_string();
    let answer = server.send("POST", path, &[&[JSON, ACCEPT], headers].concat(), &message).json();
    let tools = answer["result"]["tools"].as_array().unwrap_or_else(|| panic!("{answer}"));
    tools.iter().map(|tool| tool["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn headers_narrow_what_is_offered_and_never_widen_it() {
    let server = HttpServer::sandbox(&["--exclude-tools", "figma_me_get"]);
    let all = names(&server, "/mcp", &[]);
    assert!(!all.contains(&"figma_me_get".to_owned()));
    assert_eq!(names(&server, "/mcp", &[("x-mcp-tools", "figma_me_get,figma_file_get")]), ["figma_file_get"]);
    let comments = names(&server, "/mcp", &[("x-mcp-toolsets", "comments")]);
    assert!(comments.contains(&"figma_file_comment_create".to_owned()) && comments.len() < 10);
    let read_only = names(&server, "/mcp/readonly", &[]);
    assert!(read_only.len() < all.len() && !read_only.contains(&"figma_file_comment_create".to_owned()));
    // Files on the server's disk are a change as well.
    assert!(!read_only.contains(&"figma_images_download".to_owned()));
    assert_eq!(names(&server, "/mcp", &[("x-mcp-readonly", "true")]), read_only);
    assert_eq!(names(&server, "/mcp", &[("x-mcp-readonly", "false")]), all);
    let hidden = server.call("figma_file_comment_create", json!({}), &[("x-mcp-readonly", "1")]);
    assert_eq!(hidden["structuredContent"]["error"], "hidden_tool", "{hidden}");
    assert!(text_of(&hidden).contains("X-MCP-Readonly"), "{hidden}");
    let wrong = server.post(&request("tools/list", json!({})), &[("x-mcp-toolsets", "comets")]);
    assert!(wrong.status == 400 && wrong.body.contains("comments"), "{wrong:?}");
    let strict = HttpServer::sandbox(&["--read-only"]);
    let insisting =
        names(&strict, "/mcp", &[("x-mcp-readonly", "false"), ("x-mcp-tools", "figma_file_comment_create")]);
    assert!(insisting.is_empty(), "{insisting:?}");
}

#[test]
fn whoever_runs_it_can_see_how_it_is() {
    let server = HttpServer::sandbox(&["--access-log", "json"]);
    assert_eq!((server.get("/health").status, server.get("/ready").status), (200, 200));
    server.call("figma_me_get", json!({}), &[("x-figma-token", "figd_CanaryCanaryCanaryCanary")]);
    server.call("figma_me_get", json!({}), &[]);
    let figures = server.get("/metrics").body;
    assert!(figures.contains(r#"figma_mcp_calls_total{tool="figma_me_get",outcome="ok"} 1"#), "{figures}");
    assert!(figures.contains(r#"figma_mcp_figma_requests_total{tier="3"} 2"#), "{figures}");
    assert!(figures.contains(r#"figma_mcp_call_seconds_count{tool="figma_me_get"} 2"#), "{figures}");
    for file in ["RATEDAYS", "ShopAppSample0000000001a", "ShopAppSample0000000001a"] {
        server.call("figma_file_get", json!({ "file_key": file, "depth": 1 }), &[]);
    }
    let figures = server.get("/metrics").body;
    for line in [
        r#"figma_mcp_kept_answers_total{outcome="hit"} 1"#,
        r#"figma_mcp_kept_answers_total{outcome="stale"} 0"#,
        r#"figma_mcp_kept_answers_total{outcome="joined"} 0"#,
        r#"figma_mcp_closed_gates{tier="1"} 1"#,
        r#"figma_mcp_closed_gates{tier="2"} 0"#,
        "figma_mcp_sessions 0",
    ] {
        assert!(figures.contains(line), "{line}: {figures}");
    }
    server.terminate();
    let said = server.ended();
    let lines: Vec<Value> = said.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    assert!(lines.iter().any(|line| line["tool"] == "figma_me_get" && line["status"] == 200), "{said}");
    assert!(lines.iter().all(|line| line["id"].as_str().is_some_and(|id| id.len() == 32)), "{said}");
    assert!(lines.iter().all(|line| line["time"].as_str().is_some_and(|time| time.ends_with('Z'))), "{said}");
    assert!(!said.contains("Canary"), "{said}");
}

#[test]
fn it_does_not_listen_to_everybody_unprotected() {
    let file = concat!(env!("CARGO_TARGET_TMPDIR"), "/tokens-public.txt");
    std::fs::write(file, "# ours\nours-0123456789abcdef0123456789\n").unwrap();
    let run = |arguments: &[&str]| {
        let output = figma_mcp().args(["serve", "--sandbox"]).args(arguments).output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    for (arguments, said) in [
        (&["--http", "0.0.0.0:0"] as &[&str], "asks nobody"),
        (&["--http", "[::]:0", "--behind-proxy"], "asks nobody"),
        (&["--http", "127.0.0.1:0", "--behind-proxy"], "asks nobody"),
        (&["--http", "0.0.0.0:0", "--auth-token-file", file], "without TLS"),
        (&["--http", "0.0.0.0:0", "--auth-token-file", file, "--tls-cert", "x"], "belong together"),
        (&["--http", "127.0.0.1:0", "--auth-issuer", "http://id.example"], "https"),
        (&["--http", "nonsense"], "no address"),
    ] {
        let (code, stderr) = run(arguments);
        assert!(code == Some(2) && stderr.contains(said), "{arguments:?}: {code:?} {stderr}");
    }
    let (code, stderr) = run(&["--http", "127.0.0.1:0", "--auth-token-file", "/nowhere/tokens"]);
    assert!(code == Some(1) && stderr.contains("/nowhere/tokens"), "{stderr}");
}

#[test]
fn told_to_stop_it_finishes_and_closes() {
    let slow = play(|_, stream| {
        std::thread::sleep(Duration::from_millis(700));
        let body = r#"{"id":"1","handle":"Rosa","email":"r@example.com","img_url":""}"#;
        let _ = write!(
            stream,
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
    });
    let server = HttpServer::start(&[], &[("FIGMA_TOKEN", "figd_x"), ("FIGMA_API_BASE_URL", &slow)]);
    let mut idle = server.connect();
    write_request(&mut idle, &server.address, "GET", "/sse", &[], "");
    let mut idle = BufReader::new(idle);
    assert_eq!(read_head(&mut idle).0, 200);
    let mut stream = server.connect();
    write_request(
        &mut stream,
        &server.address,
        "POST",
        "/mcp",
        &[JSON, ACCEPT],
        &call("figma_me_get", json!({})).to_string(),
    );
    std::thread::sleep(Duration::from_millis(200));
    let told = Instant::now();
    server.terminate();
    let answer = read_answer(&mut BufReader::new(stream));
    assert!(answer.body.contains("Rosa"), "{answer:?}");
    server.ended();
    assert!(told.elapsed() < Duration::from_secs(5), "{:?}", told.elapsed());
    let _ = idle.read_to_end(&mut Vec::new());
}

/// The same call as the protocol library answers it: what has metadata goes there.
fn by_the_library(call: &Value) -> Value {
    let mut call = call.clone();
    call["params"]["_meta"] = json!({});
    call
}

#[test]
fn calls_that_are_answered_on_the_spot_are_answered_as_by_the_library() {
    let server = HttpServer::sandbox(&["--exclude-tools", "figma_team_projects_list"]);
    let sample = "ShopAppSample0000000001a";
    let mut calls = vec![
        call("figma_me_get", json!({})),
        call("figma_file_comments_list", json!({ "file_key": sample })),
        call("figma_design_context_get", json!({ "file_key": sample })),
        call("get_figma_data", json!({ "fileKey": sample, "nodeId": "2:1" })),
        call(
            "figma_file_images_render",
            json!({ "file_key": sample, "ids": ["2:1", "9:9"], "format": "svg" }),
        ),
        // Errors of each kind: an argument, Figma's refusals, a tool that is switched off, none.
        call("figma_file_get", json!({ "file_key": "\u{1F600}\"\\" })),
        call("figma_file_get", json!({ "file_key": "GONE", "depth": 1 })),
        call("figma_file_get", json!({ "file_key": "SCOPE" })),
        call("figma_team_projects_list", json!({ "team_id": "1" })),
        call("no_such_tool", json!({})),
    ];
    for id in [json!("a \u{e4}\"\\\n"), json!(-7), json!(2.0), json!(i64::MAX), json!(u64::MAX), json!(null)]
    {
        let mut call = call("figma_me_get", json!({}));
        call["id"] = id;
        calls.push(call);
    }
    let mut without = call("figma_me_get", json!({}));
    without["params"]["arguments"].take();
    calls.push(without);
    for call in calls {
        // The first answer of all may be made, and the others kept.
        server.post(&call, &[]);
        for headers in [&[][..], &[("mcp-protocol-version", "2025-06-18")]] {
            let (here, there) = (server.post(&call, headers), server.post(&by_the_library(&call), headers));
            assert_eq!(here.status, there.status, "{call}");
            assert_eq!(here.header("content-type"), there.header("content-type"), "{call}");
            assert_eq!(ageless(&here.body), ageless(&there.body), "{call}");
        }
    }
}

/// Without the age of what was kept: a second may pass between two answers.
fn ageless(body: &str) -> String {
    const AGE: &str = "\"age_s\":";
    let mut parts = body.split(AGE);
    let start = parts.next().unwrap_or_default().to_owned();
    parts.fold(start, |out, part| out + AGE + part.trim_start_matches(|c: char| c.is_ascii_digit()))
}

#[test]
fn a_client_that_is_gone_cancels_its_reads() {
    let (sender, closed) = std::sync::mpsc::channel();
    let (asks, asked) = std::sync::mpsc::channel();
    let silent = play(move |_, stream| {
        asks.send(()).unwrap();
        let mut rest = [0; 1];
        sender.send(stream.read(&mut rest).unwrap_or(0)).unwrap();
    });
    let server = HttpServer::start(&[], &[("FIGMA_TOKEN", "figd_x"), ("FIGMA_API_BASE_URL", &silent)]);
    let plain = call("figma_me_get", json!({}));
    for (count, call) in [(1, &plain), (2, &by_the_library(&plain))] {
        let mut stream = server.connect();
        write_request(&mut stream, &server.address, "POST", "/mcp", &[JSON, ACCEPT], &call.to_string());
        asked.recv_timeout(Duration::from_secs(30)).unwrap();
        drop(stream);
        // The server hangs up on Figma.
        assert_eq!(closed.recv_timeout(Duration::from_secs(30)).unwrap(), 0);
        let counted = format!("figma_mcp_calls_total{{tool=\"figma_me_get\",outcome=\"cancelled\"}} {count}");
        let deadline = Instant::now() + Duration::from_secs(30);
        while !server.get("/metrics").body.contains(&counted) {
            assert!(Instant::now() < deadline, "{}", server.get("/metrics").body);
            std::thread::sleep(Duration::from_millis(20));
        }
        let figures = server.get("/metrics").body;
        assert!(figures.contains("figma_mcp_calls_under_way 0"));
        let left = format!("figma_mcp_http_requests_total{{route=\"/mcp\",status=\"499\"}} {count}");
        assert!(figures.contains(&left), "{figures}");
    }
}

#[test]
fn a_client_that_takes_its_time_is_hung_up_on() {
    let server = HttpServer::sandbox(&[]);
    let mut stream = server.connect();
    stream.write_all(b"POST /mcp HTTP/1.1\r\nhost: localhost\r\nx-slow: ").unwrap();
    let started = Instant::now();
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest);
    assert!(started.elapsed() < Duration::from_secs(40));
    assert!(!String::from_utf8_lossy(&rest).contains("200 OK"));
}
