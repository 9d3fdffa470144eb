//! Logins through the built binary: what is stored, told and refused, and that no secret leaks.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use figma_mcp::table::{self, TokenKind};
use serde_json::{Value, json};

use crate::{
    client::{Client, play},
    program::{Program, figma_mcp},
};

/// A bad input is told within this time.
const QUICK: Duration = Duration::from_secs(6);

/// Somebody's configuration, and nobody's keyring.
struct Home(PathBuf);

struct Ran {
    code: i32,
    stdout: String,
    stderr: String,
}

impl Home {
    fn new(name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("auth-{name}"));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn config(&self) -> PathBuf {
        self.0.join("config")
    }

    fn record(&self, profile: &str) -> PathBuf {
        self.config().join("tokens").join(format!("{profile}.json"))
    }

    fn command(&self, arguments: &[&str]) -> Program {
        let mut command = figma_mcp();
        command
            .args(arguments)
            .env("FIGMA_MCP_CONFIG_DIR", self.config())
            .env("DBUS_SESSION_BUS_ADDRESS", format!("unix:path={}", self.0.join("no-bus").display()));
        command
    }

    fn run_with(&self, arguments: &[&str], input: &str) -> Ran {
        let started = Instant::now();
        let mut child = self.command(arguments).stdin(Stdio::piped()).spawn().unwrap();
        // A program that needs no input may have ended.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        let ran = child.wait_with_output().unwrap();
        assert!(started.elapsed() < 5 * QUICK, "{arguments:?} took {:?}", started.elapsed());
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Ran { code: ran.status.code().unwrap(), stdout: text(ran.stdout), stderr: text(ran.stderr) }
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        self.run_with(arguments, "")
    }

    /// Logs in at the sandbox into a file.
    fn login(&self, token: &str, more: &[&str]) -> Ran {
        let all = [&["auth", "login", "--sandbox", "--insecure-storage", "--token-stdin"], more].concat();
        self.run_with(&all, token)
    }

    fn status(&self) -> (i32, Value) {
        let ran = self.run(&["auth", "status", "--json"]);
        (ran.code, serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{}", ran.stdout)))
    }
}

#[test]
fn a_login_lasts_until_the_logout() {
    let home = Home::new("round-trip");
    assert_eq!(home.status().0, 3);
    let ran = home.login("  sandbox-personal\n", &["--expires", "30d", "--team", "1234567890"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let (code, status) = home.status();
    assert_eq!(code, 0, "{status}");
    assert_eq!((&status["kind"], &status["state"]), (&json!("personal"), &json!("usable")), "{status}");
    assert_eq!(status["expires"]["from"], "declared");
    assert_eq!(status["team_id"], "1234567890");
    assert!(status["handle"].is_string(), "{status}");
    assert!(!status.to_string().contains("sandbox-personal"));
    let call = home.run(&["call", "figma_me_get", "--sandbox", "--profile", "default"]);
    assert_eq!(call.code, 0, "{}", call.stderr);
    assert_eq!(home.run(&["auth", "token"]).stdout, "sandbox-personal\n");

    let ran = home.login("sandbox-plan", &["--kind", "plan", "--profile", "work"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let listed: Value = serde_json::from_str(&home.run(&["auth", "list", "--json"]).stdout).unwrap();
    assert_eq!(listed[0]["profile"], "default");
    assert_eq!((&listed[0]["current"], &listed[1]["current"]), (&json!(true), &json!(false)));
    assert_eq!(home.run(&["auth", "switch", "work"]).code, 0);
    assert_eq!(home.status().1["profile"], "work");
    assert_eq!(home.run(&["auth", "switch", "nobody"]).code, 3);

    let ran = home.run(&["auth", "logout"]);
    assert!(ran.stderr.contains("admin"), "{}", ran.stderr);
    assert_eq!(home.status().1["profile"], "default");
    assert_eq!(home.run(&["auth", "logout", "--all", "--yes"]).code, 0);
    assert_eq!(home.status().0, 3);
    assert!(!home.record("default").exists() && !home.record("work").exists());
}

#[test]
fn every_bad_input_has_its_own_answer() {
    let home = Home::new("bad-input");
    let long = "x".repeat(10_000);
    // (the token, how it is given, exit code, a word of the message)
    let cases: &[(&str, &[&str], i32, &str)] = &[
        ("", &[], 30, "empty"),
        (" \n", &[], 30, "empty"),
        (&long, &[], 31, "longer"),
        ("\"sandbox-personal\"", &[], 32, "quotation"),
        ("sandbox personal", &[], 33, "blanks"),
        ("sandbox-personal\nsandbox-plan", &[], 33, "line breaks"),
        ("sandbox-plan", &["--kind", "personal"], 23, "`personal`"),
        ("figu_0123456789abcdef", &["--kind", "personal"], 23, "`oauth` or `plan`"),
        ("sandbox-personal", &["--expires", "400d"], 2, "90 days"),
        ("sandbox-personal", &["--expires", "soon"], 2, "length of time"),
        ("sandbox-personal", &["--team", "x"], 2, "team"),
        ("sandbox-personal", &["--profile", "A/b"], 2, "no name"),
    ];
    for (token, how, code, word) in cases {
        let ran = home.login(token, how);
        assert_eq!(ran.code, *code, "{token:.30} {how:?}: {}", ran.stderr);
        assert!(ran.stderr.contains(word), "{token:.30} {how:?}: {}", ran.stderr);
        assert!(!home.record("default").exists(), "{token:.30} was stored");
    }
    let ran = home.run_with(&["auth", "login", "--sandbox"], "sandbox-personal");
    assert_eq!(ran.code, if cfg!(target_os = "linux") { 10 } else { 0 }, "{}", ran.stderr);
}

#[test]
fn a_record_that_cannot_be_used_is_told_and_kept() {
    let home = Home::new("broken");
    assert_eq!(home.login("sandbox-personal", &[]).code, 0);
    let call = || home.run(&["call", "figma_me_get", "--sandbox", "--profile", "default"]);
    for (text, word) in [
        ("sandbox-personal", "no record"),
        ("", "no record"),
        ("\u{1}\u{2}", "no record"),
        (r#"{"v":7}"#, "version 7"),
        (r#"{"v":1,"kind":"personal"}"#, "missing"),
    ] {
        fs::write(home.record("default"), text).unwrap();
        let ran = call();
        assert_eq!((ran.code, ran.stderr.contains(word)), (21, true), "{text}: {}", ran.stderr);
        assert_eq!(home.status().0, 5);
        assert_eq!(fs::read_to_string(home.record("default")).unwrap(), text, "the record was changed");
    }
    fs::remove_file(home.record("default")).unwrap();
    let ran = call();
    assert_eq!((ran.code, ran.stderr.contains("gone")), (3, true), "{}", ran.stderr);
    fs::write(home.config().join("profiles.json"), "{").unwrap();
    assert_eq!(home.run(&["auth", "status"]).code, 5);
}

#[cfg(unix)]
#[test]
fn files_that_others_can_read_are_not_used() {
    use std::os::unix::fs::PermissionsExt;
    let home = Home::new("open");
    assert_eq!(home.login("sandbox-personal", &[]).code, 0);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let record = home.record("default");
    let folder = record.parent().unwrap();
    assert_eq!((mode(&record), mode(folder)), (0o600, 0o700));
    let call = || home.run(&["call", "figma_me_get", "--sandbox", "--profile", "default"]);
    let open = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    open(&record, 0o644);
    let ran = call();
    assert_eq!((ran.code, ran.stderr.contains("open to others")), (20, true), "{}", ran.stderr);
    assert!(home.run(&["doctor", "--sandbox"]).stdout.contains("BAD   files"));
    open(&record, 0o600);
    open(folder, 0o755);
    assert_eq!(call().code, 20);
    open(folder, 0o700);
    let elsewhere = home.0.join("elsewhere.json");
    fs::rename(&record, &elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, &record).unwrap();
    let ran = call();
    assert_eq!((ran.code, ran.stderr.contains("link")), (20, true), "{}", ran.stderr);
}

#[test]
fn two_logins_at_once_do_not_meet() {
    let home = Home::new("two");
    let mut first = home
        .command(&["auth", "login", "--sandbox", "--insecure-storage", "--token-stdin"])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let lock = home.config().join("default.login.lock");
    let deadline = Instant::now() + Duration::from_secs(30);
    while !lock.exists() {
        assert!(Instant::now() < deadline, "the first login does not begin");
        std::thread::sleep(Duration::from_millis(5));
    }
    // The lock is taken a moment after its file appears.
    std::thread::sleep(Duration::from_millis(200));
    let second = home.login("sandbox-oauth", &[]);
    assert_eq!((second.code, second.stderr.contains("another")), (22, true), "{}", second.stderr);
    first.stdin.take().unwrap().write_all(b"sandbox-personal").unwrap();
    assert!(first.wait().unwrap().success());
    assert_eq!(home.run(&["auth", "token"]).stdout, "sandbox-personal\n");
}

#[test]
fn a_plan_token_lists_exactly_what_it_can_call() {
    let home = Home::new("plan");
    assert_eq!(home.login("sandbox-plan", &["--kind", "plan"]).code, 0);
    // No store is looked into: a record that is gone changes nothing.
    fs::remove_file(home.record("default")).unwrap();
    let config = home.config();
    let variables = [("FIGMA_MCP_CONFIG_DIR", config.to_str().unwrap()), ("FIGMA_PROFILE", "default")];
    let mut client = Client::ready(&["--sandbox"], &variables);
    let expected: Vec<&str> =
        table::tools().filter(|tool| tool.accepts(TokenKind::Plan)).map(|tool| tool.name).collect();
    assert_eq!(client.tool_names(), expected);
    let status = client.json("figma_status_get", json!({}));
    assert_eq!(status["tools_refused"].as_array().unwrap().len(), table::tools().count() - expected.len());
    assert_eq!(client.refusal("figma_me_get", json!({}))["error"], "wrong_token");
    assert_eq!(
        client.refusal("figma_file_get", json!({ "file_key": "abcdefghijklmnopqrstuv" }))["error"],
        "token_gone"
    );
}

#[test]
fn a_rotated_plan_token_falls_back_while_both_are_accepted() {
    let home = Home::new("rotate");
    assert_eq!(home.login("sandbox-plan", &["--kind", "plan"]).code, 0);
    assert_eq!(home.run_with(&["auth", "rotate"], "sandbox-plan").code, 2);
    // The sandbox refuses this one as dead; Figma does so while a new one is not everywhere yet.
    let ran = home.run_with(&["auth", "rotate"], "sandbox-expired");
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let file = figma_mcp::sandbox::PRODUCT_FILE;
    let call = || {
        home.run(&[
            "call",
            "figma_file_metadata_get",
            &format!("file_key={file}"),
            "--sandbox",
            "--profile",
            "default",
        ])
    };
    assert_eq!(call().code, 0, "{}", call().stderr);
    // A day later the one before is of no use any more.
    let record = fs::read_to_string(home.record("default")).unwrap();
    let mut record: Value = serde_json::from_str(&record).unwrap();
    record["prev"]["until"] = json!(1);
    fs::write(home.record("default"), record.to_string()).unwrap();
    assert_eq!(call().code, 3, "{}", call().stderr);
    assert_eq!(home.login("sandbox-personal", &["--profile", "mine"]).code, 0);
    assert_eq!(home.run_with(&["auth", "rotate", "--profile", "mine"], "x").code, 2);
}

#[test]
fn a_token_that_ends_soon_is_warned_of_everywhere_once() {
    let home = Home::new("expiry");
    assert_eq!(home.login("sandbox-personal", &["--expires", "5d"]).code, 0);
    assert!(home.run(&["auth", "status"]).stdout.contains("warning: The Figma token ends in "));
    let config = home.config();
    let variables = [("FIGMA_MCP_CONFIG_DIR", config.to_str().unwrap()), ("FIGMA_PROFILE", "default")];
    let mut client = Client::ready(&["--sandbox"], &variables);
    let notes = |result: Value| result["content"][1]["text"].as_str().unwrap_or_default().to_owned();
    assert!(notes(client.call("figma_me_get", json!({}))).contains("this week"));
    assert_eq!(notes(client.call("figma_me_get", json!({}))), "");
    assert!(client.close().stderr.contains("this week"));

    let facts = fs::read_to_string(config.join("profiles.json")).unwrap();
    let mut facts: Value = serde_json::from_str(&facts).unwrap();
    facts["profiles"]["default"]["expires"]["at"] = json!(1);
    fs::write(config.join("profiles.json"), facts.to_string()).unwrap();
    let (code, status) = home.status();
    assert_eq!((code, &status["state"]), (4, &json!("expired")), "{status}");
}

#[test]
fn the_environment_goes_first_and_the_sandbox_takes_no_real_token() {
    let home = Home::new("order");
    assert_eq!(home.login("sandbox-personal", &[]).code, 0);
    let mut command = home.command(&["auth", "status", "--json"]);
    let ran = command.env("FIGMA_TOKEN", "figd_fromTheEnvironment").output().unwrap();
    let status: Value = serde_json::from_slice(&ran.stdout).unwrap();
    assert_eq!(status["place"], "the environment (FIGMA_TOKEN)");
    assert_eq!(home.run(&["call", "figma_me_get", "--sandbox"]).code, 0);
    assert_eq!(home.run(&["call", "figma_me_get", "--sandbox", "--profile", "nobody"]).code, 3);
}

#[test]
fn a_dead_token_is_replaced_by_what_was_stored_meanwhile_for_one_replay() {
    let home = Home::new("replay");
    let count = Arc::new(AtomicU32::new(0));
    let counted = count.clone();
    let address = play(move |request, stream| {
        counted.fetch_add(1, Ordering::SeqCst);
        let (status, body) = if request.contains("second-token") {
            ("200 OK", r#"{"id":"1","handle":"Ada","email":"","img_url":""}"#)
        } else {
            ("403 Forbidden", r#"{"status":403,"err":"Invalid token"}"#)
        };
        let _ = write!(
            stream,
            "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        );
    });
    let login = |token: &str| home.run_with(&["auth", "login", "--insecure-storage", "--no-verify"], token);
    assert_eq!(login("first-token-dead").code, 0);
    let config = home.config();
    let mut client =
        Client::ready(&["--api-base-url", &address], &[("FIGMA_MCP_CONFIG_DIR", config.to_str().unwrap())]);
    assert_eq!(client.refusal("figma_me_get", json!({}))["error"], "bad_token");
    assert_eq!(count.load(Ordering::SeqCst), 1);
    assert_eq!(login("second-token").code, 0);
    assert_eq!(client.json("figma_me_get", json!({}))["handle"], "Ada");
    assert_eq!(count.load(Ordering::SeqCst), 3);
    assert_eq!(client.json("figma_me_get", json!({}))["handle"], "Ada");
    assert_eq!(count.load(Ordering::SeqCst), 4);
}

#[test]
fn what_goes_out_goes_through_the_proxy_and_trusts_what_it_is_told() {
    let home = Home::new("proxy");
    let (sender, asked) = std::sync::mpsc::channel();
    let proxy = play(move |request, stream| {
        let _ = sender.send(request.to_owned());
        let _ = stream.write_all(b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n");
    });
    let ran = home.run_with(&["auth", "login", "--insecure-storage", "--proxy", &proxy], "figd_x");
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    let request = asked.recv_timeout(QUICK).unwrap();
    assert!(request.starts_with("CONNECT api.figma.com:443 "), "{request}");
    assert!(!request.contains("figd_x"), "{request}");
    for (setting, value, word) in [
        ("--proxy", "no proxy", "no address of a proxy"),
        ("--ca-file", "no-such-file.pem", "no-such-file.pem"),
        ("--ca-file", "Cargo.toml", "no certificate"),
    ] {
        let ran = home.run_with(&["auth", "login", "--insecure-storage", setting, value], "figd_x");
        assert!(ran.code != 0 && ran.stderr.contains(word), "{setting} {value}: {}", ran.stderr);
        assert!(!home.record("default").exists());
    }
}

#[test]
fn no_secret_leaks() {
    const CANARY: &str = "figd_CANARYcanary0123456789ABCDEFabcdef";
    let home = Home::new("leak");
    // Everything a server can do: echo the token in each header and body, refuse, and break off.
    let count = AtomicU32::new(0);
    let address = play(move |request, stream| {
        let echo = request.lines().find(|line| line.contains("CANARY")).unwrap_or_default().to_owned();
        let answer = match count.fetch_add(1, Ordering::SeqCst) % 4 {
            0 => format!("HTTP/1.1 200 OK\r\ncontent-length: 2\r\nx-echo: {echo}\r\n\r\n{{}}"),
            1 => {
                let body = json!({ "status": 400, "err": format!("bad {echo}") }).to_string();
                format!("HTTP/1.1 400 Bad Request\r\ncontent-length: {}\r\n\r\n{body}", body.len())
            }
            2 => {
                "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n".to_owned()
            }
            _ => String::new(),
        };
        let _ = stream.write_all(answer.as_bytes());
    });
    let trace = ["--log-level", "trace", "--api-base-url", &address];
    let mut said = String::new();
    let mut keep = |ran: Ran| said += &(ran.stdout + &ran.stderr);
    let login = ["auth", "login", "--insecure-storage"];
    keep(home.run_with(&[&login[..], &["--no-verify"], &trace[..]].concat(), CANARY));
    keep(home.run_with(&[&login[..], &trace[..]].concat(), CANARY));
    for arguments in [
        &["auth", "status"][..],
        &["auth", "status", "--check", "--json"],
        &["auth", "list"],
        &["doctor"],
        &["call", "figma_me_get"],
        &["call", "figma_me_get", CANARY],
        &["tools", CANARY],
        &["auth", "switch", CANARY],
        &["auth", "login", "--profile", CANARY],
        &["auth", "login", "--expires", CANARY],
        &["--figma-api-key", CANARY],
    ] {
        keep(home.run(&[arguments, &trace[..]].concat()));
    }
    let config = home.config();
    let mut client = Client::ready(&trace, &[("FIGMA_MCP_CONFIG_DIR", config.to_str().unwrap())]);
    for _ in 0..4 {
        let args = json!({ "file_key": "abcdefghijklmnopqrstuv", "branch_data": true });
        said += &client.call("figma_file_get", args).to_string();
    }
    said += &client.call("figma_status_get", json!({})).to_string();
    let ended = client.close();
    said += &ended.stderr;
    assert!(said.contains("figma_file_get") && said.len() > 5000, "little was said:\n{said}");
    let kept = fs::read_to_string(config.join("profiles.json")).unwrap();
    for (form, needle) in forms(CANARY) {
        assert!(!said.contains(&needle), "{form} in what was said:\n{said}");
        assert!(!kept.contains(&needle), "{form} in the profiles");
    }
}

/// A secret as it is, and as it could be written.
fn forms(secret: &str) -> Vec<(&'static str, String)> {
    let bytes = |form: fn(u8) -> String| secret.bytes().map(form).collect::<Vec<_>>().concat();
    let (hex, percent) = (bytes(|byte| format!("{byte:02x}")), bytes(|byte| format!("%{byte:02X}")));
    vec![
        ("raw", secret.to_owned()),
        ("a part", secret[5..25].to_owned()),
        ("hex", hex.to_uppercase()),
        ("hex", hex),
        ("percent", percent),
        ("percent", secret.replace('_', "%5F")),
        ("base64", base64(secret)),
    ]
}

/// Without its last characters, which depend on what follows.
fn base64(text: &str) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let whole = text.as_bytes().chunks_exact(3);
    whole
        .flat_map(|part| {
            let bits = u32::from_be_bytes([0, part[0], part[1], part[2]]);
            [18, 12, 6, 0].map(|shift| LETTERS[(bits >> shift) as usize & 63] as char)
        })
        .collect()
}

#[cfg(target_os = "linux")]
#[test]
fn no_other_program_may_look_into_the_process() {
    let client = Client::sandbox();
    // A process that may be dumped belongs to its user under /proc; one that may not, to root.
    let limits = fs::read_to_string(format!("/proc/{}/limits", client.process_id())).unwrap();
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(core.split_whitespace().nth(4), Some("0"), "{core}");
}

/// On a terminal, which `script` plays: a typed token is not shown, and a stored one only when asked.
#[cfg(target_os = "linux")]
#[test]
fn a_person_at_a_terminal_sees_no_token() {
    let home = Home::new("terminal");
    let on_terminal = |arguments: &str, input: &str| {
        let line = format!("{} {arguments}", env!("CARGO_BIN_EXE_figma-mcp"));
        let command = home.command(&[]);
        let mut shell = Command::new("script");
        let child = shell.args(["-qec", &line, "/dev/null"]).envs(command.variables());
        let child = child.env("FIGMA_MCP_LOG_LEVEL", "warn").env_remove("FIGMA_TOKEN");
        let child = child.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let Ok(mut child) = child else { return None };
        let mut stdin = child.stdin.take().unwrap();
        // What is typed before the question would be echoed by the terminal itself.
        std::thread::sleep(Duration::from_secs(2));
        stdin.write_all(input.as_bytes()).unwrap();
        let ran = child.wait_with_output().unwrap();
        drop(stdin);
        Some((ran.status.code().unwrap(), String::from_utf8_lossy(&ran.stdout).into_owned()))
    };
    let Some((code, said)) = on_terminal("auth login --sandbox --insecure-storage", "sandbox-personal\n")
    else {
        println!("SKIPPED: `script` is not installed");
        return;
    };
    assert_eq!(code, 0, "{said}");
    for promised in ["https://www.figma.com/settings", "file_content:read", "(not shown)", "Stored"] {
        assert!(said.contains(promised), "no {promised}: {said}");
    }
    assert!(!said.contains("sandbox-personal") && !said.contains("files:read"), "{said}");
    let (code, said) = on_terminal("auth token", "").unwrap();
    assert_eq!((code, said.contains("sandbox-personal")), (25, false), "{said}");
    let (code, said) = on_terminal("auth token --yes", "").unwrap();
    assert_eq!((code, said.trim()), (0, "sandbox-personal"));
    assert_eq!(on_terminal("auth status", "").unwrap().0, 0);
}

/// The six situations of a machine without a desktop, and a whole round trip, against a real one.
#[cfg(target_os = "linux")]
#[test]
fn a_real_secret_service_keeps_the_token() {
    let script = crate::golden::repository("tests/contract/keyring");
    let ran = Command::new("sh").arg(script).arg(env!("CARGO_BIN_EXE_figma-mcp")).output().unwrap();
    let said = String::from_utf8_lossy(&ran.stdout);
    match ran.status.code() {
        Some(0) => println!("{said}"),
        Some(77) => println!("SKIPPED: {said}"),
        _ => panic!("{said}{}", String::from_utf8_lossy(&ran.stderr)),
    }
}
