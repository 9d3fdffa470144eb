//! Who may call over HTTP, and with whose Figma account.

use std::{
    collections::{HashMap, HashSet, hash_map::DefaultHasher},
    fs,
    hash::{Hash, Hasher},
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    sync::{Arc, Mutex},
    time::SystemTime,
};

use ring::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair},
};
use serde_json::{Value, json};

use crate::{
    client::{play, text_of},
    web::{ACCEPT, HttpServer, JSON, call, initialize, read_answer, request, write_request},
};

const OURS: &str = "Bearer ours-0123456789abcdef0123456789";

fn token_file(name: &str) -> String {
    let path = format!("{}/{name}.txt", env!("CARGO_TARGET_TMPDIR"));
    fs::write(&path, "# one of ours\nours-0123456789abcdef0123456789\n\nother-0123456789abcdef012345678\n")
        .unwrap();
    path
}

/// Host, Origin, Authorization, content type, bytes of the body, status. `-` is none, `=` the address
/// that it listens at, `@` the same in https.
type Row = (&'static str, &'static str, &'static str, &'static str, usize, u16);

const J: &str = "application/json";
const BIG: usize = 1024 * 1024;
const BAD: &str = "Bearer ours-0123456789abcdef012345678X";

#[rustfmt::skip]
const MATRIX: &[Row] = &[
    // Host: the own names and those that were allowed, at any port or at theirs.
    ("=", "-", OURS, J, 0, 200), ("localhost", "-", OURS, J, 0, 200), ("LOCALHOST:9", "-", OURS, J, 0, 200),
    ("127.0.0.1", "-", OURS, J, 0, 200), ("[::1]:3333", "-", OURS, J, 0, 200), ("localhost.", "-", OURS, J, 0, 200),
    ("mcp.example", "-", OURS, J, 0, 200), ("mcp.example:8443", "-", OURS, J, 0, 200), ("port.example:81", "-", OURS, J, 0, 200),
    ("port.example", "-", OURS, J, 0, 403), ("port.example:82", "-", OURS, J, 0, 403),
    ("evil.example", "-", OURS, J, 0, 403), ("127.0.0.1.evil.example", "-", OURS, J, 0, 403), ("localhost.evil.example:80", "-", OURS, J, 0, 403),
    ("0.0.0.0", "-", OURS, J, 0, 403), ("127.0.0.2", "-", OURS, J, 0, 403), ("[::2]", "-", OURS, J, 0, 403), ("2130706433", "-", OURS, J, 0, 403),
    ("notmcp.example", "-", OURS, J, 0, 403), ("mcp.example.evil", "-", OURS, J, 0, 403),
    ("-", "-", OURS, J, 0, 400), ("a b", "-", OURS, J, 0, 400), ("localhost:x", "-", OURS, J, 0, 400), ("u@localhost", "-", OURS, J, 0, 400),
    // Origin: this machine's pages and those that were allowed, exactly.
    ("=", "http://localhost:5173", OURS, J, 0, 200), ("=", "http://127.0.0.1", OURS, J, 0, 200), ("=", "https://localhost", OURS, J, 0, 200),
    ("=", "http://[::1]:9", OURS, J, 0, 200), ("=", "https://app.example", OURS, J, 0, 200), ("=", "https://app.example:443", OURS, J, 0, 200),
    ("=", "http://app.example", OURS, J, 0, 403), ("=", "https://app.example:444", OURS, J, 0, 403), ("=", "https://evil.example", OURS, J, 0, 403),
    ("=", "https://app.example.evil.example", OURS, J, 0, 403), ("=", "http://localhost.evil.example", OURS, J, 0, 403),
    ("=", "null", OURS, J, 0, 403), ("=", "file://", OURS, J, 0, 403), ("=", "nonsense", OURS, J, 0, 403), ("=", "http://localhost@evil.example", OURS, J, 0, 403),
    ("=", "https://app.example/path", OURS, J, 0, 403), ("evil.example", "http://evil.example", OURS, J, 0, 403), ("evil.example", "http://localhost", OURS, J, 0, 403),
    // Authorization: one of the tokens, whole.
    ("=", "-", "-", J, 0, 401), ("=", "-", BAD, J, 0, 401), ("=", "-", "Bearer ", J, 0, 401), ("=", "-", "Bearer", J, 0, 401),
    ("=", "-", "Basic b3VyczpvdXJz", J, 0, 401), ("=", "-", "ours-0123456789abcdef0123456789", J, 0, 401),
    ("=", "-", "Bearer figd_notours-0123456789abcdef", J, 0, 401), ("=", "-", "bearer ours-0123456789abcdef0123456789", J, 0, 200),
    ("=", "-", "Bearer other-0123456789abcdef012345678", J, 0, 200), ("=", "-", "Bearer # one of ours", J, 0, 401),
    ("=", "http://localhost", "-", J, 0, 401), ("=", "https://evil.example", "-", J, 0, 403), ("evil.example", "-", "-", J, 0, 403),
    // Content type.
    ("=", "-", OURS, "application/json; charset=utf-8", 0, 200), ("=", "-", OURS, "APPLICATION/JSON", 0, 200),
    ("=", "-", OURS, "text/plain", 0, 415), ("=", "-", OURS, "-", 0, 415), ("=", "-", OURS, "application/x-www-form-urlencoded", 0, 415),
    ("=", "-", OURS, "multipart/form-data", 0, 415), ("=", "-", OURS, "application/jsonx", 0, 415), ("=", "-", OURS, "text/json", 0, 415),
    ("=", "-", "-", "text/plain", 0, 401), ("=", "null", OURS, "text/plain", 0, 403),
    // Size.
    ("=", "-", OURS, J, BIG, 200), ("=", "-", OURS, J, BIG + 1, 413), ("=", "-", OURS, J, 3 * BIG, 413),
    ("=", "-", BAD, J, BIG + 1, 401), ("evil.example", "-", OURS, J, BIG + 1, 403), ("=", "-", OURS, "text/plain", BIG + 1, 415),
];

#[test]
fn every_combination_has_its_status() {
    assert!(MATRIX.len() >= 60, "{}", MATRIX.len());
    let file = token_file("matrix");
    let server = HttpServer::sandbox(&[
        "--auth-token-file",
        &file,
        "--allowed-hosts",
        "mcp.example,port.example:81",
        "--allowed-origins",
        "https://app.example",
    ]);
    let message = request("ping", json!({})).to_string();
    let mut wrong = Vec::new();
    for row @ (host, origin, auth, kind, size, status) in MATRIX {
        let host = if *host == "=" { &server.address } else { *host };
        let headers =
            [("host", host), ("origin", origin), ("authorization", auth), ("content-type", kind), ACCEPT];
        let headers: Vec<_> =
            headers.into_iter().filter(|(name, value)| *name == "host" || *value != "-").collect();
        // Blanks after a message are still JSON.
        let body =
            if *size == 0 { message.clone() } else { message.clone() + &" ".repeat(size - message.len()) };
        let answer = server.send("POST", "/mcp", &headers, &body);
        if answer.status != *status {
            wrong.push(format!("{row:?}: {}", answer.status));
        }
        assert_eq!(answer.header("access-control-allow-origin"), None);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_route_checks_hosts_origins_and_callers() {
    let file = token_file("routes");
    let server = HttpServer::sandbox(&["--auth-token-file", &file]);
    for path in ["/mcp", "/mcp/readonly", "/sse", "/messages", "/health", "/ready", "/metrics", "/elsewhere"]
    {
        assert_eq!(server.send("GET", path, &[("host", "evil.example")], "").status, 403, "{path}");
        assert_eq!(server.send("GET", path, &[("origin", "https://evil.example")], "").status, 403, "{path}");
        let unknown = server.get(path);
        let expected = match path {
            "/health" | "/ready" => 200,
            "/elsewhere" => 404,
            _ => 401,
        };
        assert_eq!(unknown.status, expected, "{path}");
        assert_eq!(unknown.header("www-authenticate").is_some(), expected == 401, "{path}");
    }
    let ours = [("authorization", OURS)];
    assert_eq!(server.send("GET", "/metrics", &ours, "").status, 200);
    assert_eq!(server.send("GET", "/mcp", &ours, "").status, 405);
    assert_eq!(server.send("OPTIONS", "/mcp", &ours, "").status, 405);
    assert_eq!(server.send("POST", "/mcp", &[ours[0], JSON], "{\"jsonrpc\":").status, 400);
    assert_eq!(server.send("POST", "/mcp", &[ours[0], ours[0], JSON], "{}").status, 401);
    assert_eq!(server.send("GET", "/.well-known/oauth-protected-resource", &[], "").status, 404);
    // The server's own account is used.
    let me = server.call("figma_me_get", json!({}), &ours);
    assert!(text_of(&me).contains("Rosa"), "{me}");
}

/// Whatever came before on the same connection, as behind a proxy that many callers share.
#[test]
fn what_a_request_asks_for_ends_with_it() {
    /// Path, headers, and what becomes of a comment without its arguments.
    type Turn<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a str);
    const OTHER: &str = "Bearer other-0123456789abcdef012345678";
    let file = token_file("in_turns");
    let server = HttpServer::sandbox(&["--auth-token-file", &file, "--access-log", "json"]);
    let (ours, other) = (("authorization", OURS), ("authorization", OTHER));
    let plan = [ours, ("x-figma-token", "sandbox-plan"), ("x-figma-token-kind", "plan")];
    let requests: [Turn; 8] = [
        ("/mcp", &[ours], "bad_argument"),
        ("/mcp/readonly", &[ours], "hidden_tool"),
        ("/mcp", &[ours, ("x-mcp-readonly", "1")], "hidden_tool"),
        ("/mcp", &[other], "bad_argument"),
        ("/mcp", &[ours, ("x-mcp-tools", "figma_file_get")], "hidden_tool"),
        ("/mcp/readonly", &[other], "hidden_tool"),
        ("/mcp", &plan, "bad_argument"),
        ("/mcp", &[ours], "bad_argument"),
    ];
    for first in [0, 1, 6] {
        let mut stream = server.connect();
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        for (path, headers, expected) in requests.iter().cycle().skip(first).take(requests.len()) {
            let headers = [&[JSON, ACCEPT], *headers].concat();
            let body = call("figma_file_comment_create", json!({})).to_string();
            write_request(&mut stream, &server.address, "POST", path, &headers, &body);
            let answer = read_answer(&mut reader).json();
            assert_eq!(answer["result"]["structuredContent"]["error"], *expected, "{path} {headers:?}");
        }
    }
    server.terminate();
    let log = server.ended();
    let callers: HashSet<String> = log
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok()?["caller"].as_str().map(str::to_owned))
        .collect();
    // Each caller as it is and only reading, and one with a tool and with an account of its own.
    assert_eq!(callers.len(), 6, "{log}");
}

#[test]
fn a_callers_own_token_is_taken_where_that_is_allowed() {
    let seen = play(|request, stream| {
        let kind = if request.to_ascii_lowercase().contains("authorization: bearer theirs") {
            "oauth"
        } else {
            "personal"
        };
        let body = json!({ "id": "1", "handle": kind, "email": "", "img_url": "" }).to_string();
        let _ = write!(
            stream,
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
    });
    let variables = [("FIGMA_API_BASE_URL", seen.as_str())];
    let server = HttpServer::start(&[], &variables);
    let without = server.call("figma_me_get", json!({}), &[]);
    assert_eq!(without["structuredContent"]["error"], "no_token", "{without}");
    let oauth = [("x-figma-token", "theirs"), ("x-figma-token-kind", "oauth")];
    assert!(text_of(&server.call("figma_me_get", json!({}), &oauth)).contains("oauth"));
    assert!(text_of(&server.call("figma_me_get", json!({}), &oauth[..1])).contains("personal"));
    for wrong in [
        &[("x-figma-token", "two words")] as &[(&str, &str)],
        &[("x-figma-token", "one"), ("x-figma-token", "two")],
        &[("x-figma-token", "one"), ("x-figma-token-kind", "magic")],
    ] {
        assert_eq!(server.post(&request("ping", json!({})), wrong).status, 400, "{wrong:?}");
    }
    let file = token_file("client-tokens");
    let exposed = ["--auth-token-file", &file, "--behind-proxy"];
    let ours = ("authorization", OURS);
    let closed = HttpServer::start(&exposed, &variables);
    assert_eq!(closed.post(&request("ping", json!({})), &[ours, oauth[0]]).status, 403);
    assert_eq!(closed.post(&request("ping", json!({})), &[ours]).status, 200);
    let open = HttpServer::start(&[&exposed[..], &["--allow-client-token"]].concat(), &variables);
    assert!(text_of(&open.call("figma_me_get", json!({}), &[ours, oauth[0], oauth[1]])).contains("oauth"));
}

fn hash(token: &str) -> String {
    let mut hasher = DefaultHasher::new();
    token.hash(&mut hasher);
    hasher.finish().to_string()
}

/// How many requests came with each token.
type Seen = Arc<Mutex<HashMap<String, u64>>>;

/// A Figma that answers everything with a hash of the token that it saw, over kept connections.
fn echo() -> (String, Seen) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let seen = Seen::default();
    let counted = seen.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let seen = counted.clone();
            std::thread::spawn(move || {
                let mut reader = BufReader::new(stream);
                loop {
                    let (mut token, mut line) = (String::new(), String::new());
                    while reader.read_line(&mut line).unwrap_or(0) > 2 {
                        if let Some(value) = line.strip_prefix("x-figma-token: ") {
                            value.trim().clone_into(&mut token);
                        }
                        line.clear();
                    }
                    if line.is_empty() {
                        return;
                    }
                    *seen.lock().unwrap().entry(token.clone()).or_default() += 1;
                    let whose = hash(&token);
                    let page = json!({ "id": "1:2", "name": whose, "type": "CANVAS", "children": [] });
                    let document =
                        json!({ "id": "0:0", "name": whose, "type": "DOCUMENT", "children": [page] });
                    let body = json!({
                        "document": document, "components": {}, "componentSets": {}, "styles": {}, "comments": [],
                        "id": whose, "handle": whose, "name": whose, "file": { "name": whose },
                    })
                    .to_string();
                    let head = format!(
                        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
                        body.len()
                    );
                    if reader.get_mut().write_all((head + &body).as_bytes()).is_err() {
                        return;
                    }
                }
            });
        }
    });
    (address, seen)
}

/// One of the mixed calls. The file and its version are the same for everybody: its answers are kept.
fn mixed(turn: u64) -> Value {
    let file = "SameFileForEverybody01";
    match turn % 6 {
        0 => call("figma_me_get", json!({})),
        1 => call("figma_file_metadata_get", json!({ "file_key": file })),
        2 => call("figma_file_comments_list", json!({ "file_key": file })),
        3 => call("figma_file_get", json!({ "file_key": file, "version": "7" })),
        // A pair, which may share one call to Figma.
        4 => call(
            "figma_file_nodes_get",
            json!({ "file_key": file, "ids": "1:2", "version": turn.to_string() }),
        ),
        _ => call("figma_status_get", json!({})),
    }
}

#[test]
fn nobody_ever_sees_what_is_anothers() {
    let calls: u64 = std::env::var("ISOLATION_CALLS").ok().and_then(|text| text.parse().ok()).unwrap_or(200);
    let (figma, seen) = echo();
    let server =
        HttpServer::start(&[], &[("FIGMA_API_BASE_URL", &figma), ("FIGMA_TOKEN", "the-servers-own")]);
    std::thread::scope(|scope| {
        for number in 0..100 {
            let (server, seen) = (&server, &seen);
            scope.spawn(move || {
                let token = format!("caller-{number}-of-a-hundred");
                let headers = [JSON, ACCEPT, ("x-figma-token", token.as_str())];
                let mut connections = [(); 2].map(|()| BufReader::new(server.connect()));
                for turn in 0..calls {
                    let used = if turn % 6 == 4 { 2 } else { 1 };
                    let message = mixed(turn).to_string();
                    for to in &mut connections[..used] {
                        write_request(to.get_mut(), &server.address, "POST", "/mcp", &headers, &message);
                    }
                    for from in &mut connections[..used] {
                        let answer = read_answer(from).json();
                        let text = text_of(&answer["result"]);
                        if turn % 6 < 5 {
                            assert!(text.contains(&hash(&token)), "{answer}");
                            continue;
                        }
                        let status: Value = serde_json::from_str(text).unwrap();
                        let counts = status["calls_so_far"].as_object().unwrap();
                        let counted: u64 = counts.values().filter_map(Value::as_u64).sum();
                        assert_eq!(counted, seen.lock().unwrap()[&token], "{text}");
                    }
                }
            });
        }
    });
    let figures = server.get("/metrics").body;
    let hits =
        figures.lines().find_map(|line| line.strip_prefix("figma_mcp_kept_answers_total{outcome=\"hit\"} "));
    // Each caller asks for the same version every sixth time.
    let least = 100 * (calls / 6).saturating_sub(1);
    assert!(hits.unwrap().parse::<u64>().unwrap() >= least / 2, "{figures}");
    let own = server.call("figma_me_get", json!({}), &[]);
    assert!(text_of(&own).contains(&hash("the-servers-own")), "{own}");
}

fn base64url(bytes: &[u8]) -> String {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    URL_SAFE_NO_PAD.encode(bytes)
}

#[test]
fn tokens_of_an_authorization_server_are_checked() {
    let random = SystemRandom::new();
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref(), &random).unwrap();
    let point = pair.public_key().as_ref().to_vec();
    let issuer = play(move |request, stream| {
        let host = request.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
        let body = if request.starts_with("GET /keys") {
            let key = json!({ "kty": "EC", "crv": "P-256", "kid": "k", "alg": "ES256", "use": "sig", "x": base64url(&point[1..33]), "y": base64url(&point[33..]) });
            json!({ "keys": [key] })
        } else {
            json!({ "issuer": format!("http://{host}"), "jwks_uri": format!("http://{host}/keys") })
        }
        .to_string();
        let _ = write!(
            stream,
            "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
    });
    let public = "https://mcp.example";
    let server = HttpServer::sandbox(&["--auth-issuer", &issuer, "--public-url", public]);
    let now = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs();
    let token = |header: Value, claims: Value| {
        let signed = format!(
            "{}.{}",
            base64url(header.to_string().as_bytes()),
            base64url(claims.to_string().as_bytes())
        );
        let signature = pair.sign(&random, signed.as_bytes()).unwrap();
        format!("Bearer {signed}.{}", base64url(signature.as_ref()))
    };
    let header = json!({ "alg": "ES256", "kid": "k", "typ": "JWT" });
    let claims = json!({ "iss": issuer, "aud": "https://mcp.example/mcp", "exp": now + 300, "sub": "rosa" });
    let with = |name: &str, value: Value| {
        let mut changed = claims.clone();
        changed[name] = value;
        changed
    };
    let status = |token: &str| server.post(&initialize("2025-11-25"), &[("authorization", token)]).status;
    let good = token(header.clone(), claims.clone());
    assert_eq!(status(&good), 200);
    assert_eq!(
        status(&token(header.clone(), with("aud", json!(["https://x.example", "https://mcp.example/mcp"])))),
        200
    );
    for (name, value) in [
        ("aud", json!("https://other.example/mcp")),
        ("iss", json!("https://evil.example")),
        ("exp", json!(now - 300)),
        ("exp", json!("tomorrow")),
        ("exp", Value::Null),
        ("aud", Value::Null),
        ("nbf", json!(now + 300)),
        ("sub", Value::Null),
    ] {
        assert_eq!(status(&token(header.clone(), with(name, value.clone()))), 401, "{name}: {value}");
    }
    for header in [
        json!({ "alg": "none" }),
        json!({ "alg": "HS256", "kid": "k" }),
        json!({ "alg": "RS256", "kid": "k" }),
        json!({ "alg": "ES256", "kid": "other" }),
    ] {
        assert_eq!(status(&token(header.clone(), claims.clone())), 401, "{header}");
    }
    let (signed, signature) = good.rsplit_once('.').unwrap();
    let forged = signed.replace(&base64url(b"rosa")[..4], "xxxx");
    let swapped =
        format!("{signed}.{}A", &signature[..signature.len() - 1].chars().rev().collect::<String>());
    assert_eq!((status(&swapped), status(&format!("{forged}.")), status("Bearer nonsense")), (401, 401, 401));
    let refused = server.post(&initialize("2025-11-25"), &[]);
    let place = format!("{public}/.well-known/oauth-protected-resource/mcp");
    assert!(refused.header("www-authenticate").unwrap().contains(&format!("resource_metadata=\"{place}\"")));
    for path in ["/.well-known/oauth-protected-resource", "/.well-known/oauth-protected-resource/mcp"] {
        let metadata = server.get(path).json();
        assert_eq!(metadata["resource"], "https://mcp.example/mcp");
        assert_eq!(metadata["authorization_servers"], json!([issuer]));
    }
}
