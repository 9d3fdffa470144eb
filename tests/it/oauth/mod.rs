//! OAuth end to end: the built binary, real HTTP, and the sandbox in the place of Figma's OAuth server.

mod world;

use std::{
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    process::Stdio,
    sync::{Mutex, MutexGuard, PoisonError},
    thread::sleep,
    time::{Duration, Instant},
};

use figma_mcp::{
    auth::oauth::PORTS,
    sandbox::oauth::{CLIENT_SECRET, DECLINING_APP, LATE_APP, MOVED_APP, SLOPPY_APP},
};
use serde_json::json;

use self::world::*;
use crate::{
    http_tls::issue,
    program::{Running, figma_mcp},
    web::HttpServer,
};

const APP: &str = "tests";

/// One login through the callback's ports at a time.
fn ports() -> MutexGuard<'static, ()> {
    static PORTS: Mutex<()> = Mutex::new(());
    PORTS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How often the long tests repeat themselves.
fn rounds(few: usize, thorough: usize) -> usize {
    if std::env::var_os("FIGMA_MCP_THOROUGH").is_some_and(|value| value == "1") { thorough } else { few }
}

/// Somewhere between nothing and `most`.
fn somewhere(most: Duration) -> Duration {
    use std::hash::{BuildHasher, Hasher, RandomState};
    let share = RandomState::new().build_hasher().finish() % 10_000;
    most.mul_f64(f64::from(u32::try_from(share).unwrap()) / 10_000.0)
}

#[test]
fn a_login_comes_back_through_the_browser() {
    let _ports = ports();
    let world = World::new("browser", APP);
    let (child, url, rest) = world.begin_login(&["--no-browser"]);
    let scopes = url.split("scope=").nth(1).unwrap().split('&').next().unwrap().replace("%3A", ":");
    assert_eq!(
        scopes.replace("%20", " "),
        "current_user:read file_content:read file_metadata:read file_versions:read file_comments:read file_comments:write library_content:read library_assets:read team_library_content:read"
    );
    let place = location(&http("GET", &url, "")).unwrap();
    let icon = http("GET", &format!("{}/favicon.ico", place.split("/callback").next().unwrap()), "");
    assert!(icon.starts_with("HTTP/1.1 404"), "{icon}");
    let page = http("GET", &place, "");
    assert!(page.starts_with("HTTP/1.1 200"), "{page}");
    assert!(page.contains("cache-control: no-store") && page.contains("default-src 'none'"), "{page}");
    for secret in place.split(['?', '&']).skip(1) {
        assert!(!page.contains(secret.split_once('=').unwrap().1), "{secret} is shown: {page}");
    }
    let ran = with_stderr(child, rest);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stderr.contains("Stored an OAuth token of "), "{}", ran.stderr);
    let me = world.me();
    assert_eq!(me.code, 0, "{}", me.stderr);
    assert_eq!(world.record()["kind"], "oauth");
    // What was granted is what was asked for, and no more.
    let refused = world.run(&["call", "figma_dev_resources_list", "file_key=ShopAppSample0000000001a"]);
    assert!(refused.stderr.contains("file_dev_resources:read"), "{}", refused.stderr);
}

#[test]
fn pasting_the_address_does_too() {
    let world = World::logged_in("manual", SLOPPY_APP);
    assert_eq!(world.me().code, 0);
    assert!(world.record()["expires_at"].as_u64().unwrap() > seconds_now() + 89 * 86_400);
    let again = World::new("read-only", APP);
    let ran = again.login(&["--read-only"], str::to_owned);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let granted = again.json("/_sandbox/oauth")[APP]["scopes"].to_string();
    assert!(granted.contains("file_comments:read") && !granted.contains("write"), "{granted}");
}

#[test]
fn every_failed_login_says_what_it_was() {
    let world = World::new("failed", APP);
    let told = |ran: Ran, code: i32, word: &str| {
        assert_eq!(ran.code, code, "{}", ran.stderr);
        assert!(ran.stderr.contains(word) && ran.stderr.contains("hint: "), "{}", ran.stderr);
    };
    told(world.login(&[], |place| place.replace("state=", "state=x")), 43, "another login");
    told(world.login(&[], |_| "https://www.figma.com/".to_owned()), 44, "another address");
    told(world.login(&[], |_| String::new()), 44, "nothing was pasted");
    told(world.login(&[], |place| place.replace("code=", "error=access_denied&x=")), 45, "access_denied");
    told(world.login(&[], |place| place.replace("code=", "code=x")), 46, "30 seconds");
    told(World::new("late", LATE_APP).login(&[], str::to_owned), 46, "Code has expired");
    told(
        world.run(&["auth", "login", "--kind", "oauth", "--insecure-storage"]),
        2,
        "127.0.0.1:24920/callback",
    );
    let bundle = [
        "auth",
        "login",
        "--kind",
        "oauth",
        "--client-id",
        APP,
        "--insecure-storage",
        "--scopes",
        "files:read",
    ];
    told(world.run(&bundle), 2, "deprecated");
    assert!(!world.record_file().exists());
}

#[test]
fn a_wrong_or_missing_secret_is_told() {
    let world = World::new("secret", APP);
    let arguments =
        ["auth", "login", "--kind", "oauth", "--client-id", APP, "--insecure-storage", "--manual"];
    let run = |secret: &str| {
        let mut child = figma_mcp()
            .args(arguments)
            .args(["--api-base-url", &world.base])
            .env("FIGMA_MCP_CONFIG_DIR", &world.folder)
            .env("FIGMA_OAUTH_CLIENT_SECRET", secret)
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        while !line.starts_with("http") && !line.starts_with("error") {
            line.clear();
            assert_ne!(stderr.read_line(&mut line).unwrap(), 0);
        }
        if line.starts_with("http") {
            let place = location(&http("GET", line.trim(), "")).unwrap();
            child.stdin.take().unwrap().write_all((place + "\n").as_bytes()).unwrap();
        }
        with_stderr(child, stderr)
    };
    let wrong = run("WrongCanarySecret");
    assert_eq!(wrong.code, 47, "{}", wrong.stderr);
    assert!(!wrong.stderr.contains("WrongCanarySecret"));
    assert_eq!(run("").code, 40);
}

#[test]
fn a_callback_that_is_wrong_or_never_comes_is_told() {
    let _ports = ports();
    let declined = World::new("declined", DECLINING_APP);
    let begun = Instant::now();
    let (child, url, rest) = declined.begin_login(&["--no-browser", "--callback-limit", "1"]);
    assert_eq!(location(&http("GET", &url, "")), None);
    let ran = with_stderr(child, rest);
    assert!(ran.code == 42 && ran.stderr.contains("declines"), "{}", ran.stderr);
    assert!(begun.elapsed() < Duration::from_secs(10));

    let world = World::new("state", APP);
    let (child, url, rest) = world.begin_login(&["--no-browser"]);
    let place = location(&http("GET", &url, "")).unwrap();
    assert!(http("GET", &place.replace("state=", "state=x"), "").starts_with("HTTP/1.1 200"));
    let ran = with_stderr(child, rest);
    assert_eq!(ran.code, 43, "{}", ran.stderr);

    // Whichever are taken by others already are taken too.
    let taken: Vec<_> = PORTS.iter().map(|port| TcpListener::bind(("127.0.0.1", *port))).collect();
    let login =
        ["auth", "login", "--kind", "oauth", "--client-id", APP, "--insecure-storage", "--no-browser"];
    let ran = world.run(&login);
    drop(taken);
    assert!(ran.code == 41 && ran.stderr.contains("14920, 24920, 34920"), "{}", ran.stderr);
}

#[test]
fn a_dead_token_is_replaced_with_one_replay() {
    for (name, app) in [("dead", APP), ("moved", MOVED_APP)] {
        let world = World::logged_in(name, app);
        let before = world.record();
        world.expire();
        let ran = world.me();
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        assert!(ran.stdout.contains("handle"), "{}", ran.stdout);
        assert_eq!(world.count("refreshes"), 1);
        let mut expected = vec!["/v1/me 403", "/v1/oauth/refresh 200", "/v1/me 200"];
        if app == MOVED_APP {
            expected.splice(1..2, ["/v1/oauth/refresh 404", "/v1/oauth/token 200"]);
        }
        assert_eq!(world.last_requests(expected.len()), expected);
        let after = world.record();
        assert_eq!(after["refresh"], before["refresh"], "the refresh token stays");
        assert_ne!(after["access"], before["access"]);
        assert_eq!(after["gen"], 1);
    }
}

#[test]
fn a_token_near_its_end_is_replaced_before_it_is_used() {
    let world = World::logged_in("proactive", APP);
    let end = |seconds: u64| {
        edit(&world.record_file(), |record| record["expires_at"] = json!(seconds_now() + seconds));
    };
    end(25 * 3600 * 2);
    assert_eq!(world.me().code, 0);
    assert_eq!(world.count("refreshes"), 0);
    edit(&world.record_file(), |record| record["issued_at"] = json!(seconds_now() - 80 * 86_400));
    end(3600);
    assert_eq!(world.me().code, 0);
    assert_eq!(world.last_requests(2), ["/v1/oauth/refresh 200", "/v1/me 200"]);
    assert_eq!(world.me().code, 0);
    assert_eq!(world.count("refreshes"), 1);
    // Figma fails: the token is good for a while yet, and nothing is lost.
    edit(&world.record_file(), |record| record["issued_at"] = json!(seconds_now() - 80 * 86_400));
    end(3600);
    world.order(&json!({ "refresh_status": 503 }));
    let ran = world.me();
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stderr.contains("could not be replaced"), "{}", ran.stderr);
    world.order(&json!({}));
    assert_eq!(world.me().code, 0);
    assert_eq!(world.count("refreshes"), 2);
}

#[test]
fn a_failing_refresh_loses_nothing() {
    let world = World::logged_in("failing", APP);
    let before = world.record();
    world.order(&json!({ "expire_access": true, "refresh_status": 500 }));
    let ran = world.me();
    assert!(ran.code == 1 && ran.stderr.contains("Figma failed with status 500"), "{}", ran.stderr);
    assert_eq!(world.record(), before);
    // One process does not ask again and again.
    let mut client = world.serve();
    let asked = world.count("refused");
    for _ in 0..3 {
        assert_eq!(client.refusal("figma_me_get", json!({}))["error"], "figma_failed");
    }
    assert_eq!(world.count("refused"), asked + 1);
    world.order(&json!({}));
    assert_eq!(world.me().code, 0);
    assert!(client.json("figma_me_get", json!({}))["handle"].is_string());
}

#[test]
fn a_revoked_login_is_told_and_asked_about_once() {
    let world = World::logged_in("revoked", APP);
    world.order(&json!({ "revoke": true }));
    for _ in 0..3 {
        let ran = world.me();
        assert_eq!(ran.code, 50, "{}", ran.stderr);
        assert!(ran.stderr.contains("has been revoked"), "{}", ran.stderr);
        assert!(ran.stderr.contains("figma-mcp auth login --kind oauth --profile default"), "{}", ran.stderr);
    }
    assert_eq!(world.count("refused"), 1, "it was asked again and again");
    assert!(world.record_file().exists(), "the record is the person's to delete");
    let status = world.run(&["auth", "status", "--json"]);
    assert!(status.code == 4 && status.stdout.contains("REVOKED"), "{}", status.stdout);
    let again = world.login(&[], str::to_owned);
    assert_eq!(again.code, 0, "{}", again.stderr);
    assert_eq!(world.me().code, 0);
    world.expire();
    let status = world.run(&["auth", "status", "--check"]);
    assert!(status.code == 0 && status.stdout.contains("ACTIVE"), "{}", status.stdout);
    world.order(&json!({ "revoke": true }));
    let status = world.run(&["auth", "status", "--check"]);
    assert!(status.code == 4 && status.stdout.contains("REVOKED"), "{}", status.stdout);
}

#[test]
fn two_machines_that_share_an_app_are_told() {
    let world = World::logged_in("contended", APP);
    for _ in 0..3 {
        world.expire();
        assert_eq!(world.me().code, 0);
    }
    world.expire();
    for _ in 0..2 {
        let ran = world.me();
        assert!(ran.code == 51 && ran.stderr.contains("invalidated 4 times"), "{}", ran.stderr);
    }
    assert_eq!(world.count("refreshes"), 3);
    world.forget_unplanned();
    assert_eq!(world.me().code, 0);
}

#[test]
fn a_server_that_runs_takes_up_what_another_process_stored() {
    let world = World::logged_in("shared", APP);
    let mut client = world.serve();
    assert!(client.json("figma_me_get", json!({}))["handle"].is_string());
    world.expire();
    assert_eq!(world.me().code, 0);
    assert!(client.json("figma_me_get", json!({}))["handle"].is_string());
    assert_eq!(world.count("refreshes"), 1);
    // Calls at once in one process are one refresh too.
    world.expire();
    let calls: Vec<u64> = (0..8).map(|_| client.begin_call("figma_me_get", &json!({}))).collect();
    for call in calls {
        assert_eq!(client.answer(call)["result"]["isError"], false);
    }
    assert_eq!(world.count("refreshes"), 2);
}

#[test]
fn nothing_secret_is_logged() {
    let world = World::logged_in("logged", APP);
    let mut secrets = vec![CLIENT_SECRET.to_owned()];
    let said = ["--log-level", "trace"];
    let mut text = String::new();
    for _ in 0..2 {
        let record = world.record();
        secrets.extend(["access", "refresh"].map(|name| record[name].as_str().unwrap().to_owned()));
        world.expire();
        let ran = world.run(&[&["call", "figma_me_get"], &said[..]].concat());
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        text += &(ran.stdout + &ran.stderr);
    }
    world.order(&json!({ "revoke": true }));
    let ran = world.run(&[&["call", "figma_me_get"], &said[..]].concat());
    text += &(ran.stdout + &ran.stderr);
    let code = std::cell::RefCell::new(String::new());
    let login = world.login(&said, |place| {
        *code.borrow_mut() = place.split("code=").nth(1).unwrap().split('&').next().unwrap().to_owned();
        place.to_owned()
    });
    secrets.push(code.into_inner());
    secrets.push(world.record()["refresh"].as_str().unwrap().to_owned());
    text += &(login.stdout + &login.stderr);
    assert!(text.contains("DEBUG") || text.contains("TRACE"), "{text}");
    for secret in secrets {
        let hex = secret.bytes().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
        let encoded = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, &secret);
        for form in [secret, hex, encoded] {
            assert!(!text.contains(&form), "{form} is in {text}");
        }
    }
}

/// Somebody else's certificate is shown in Figma's place, as a company's proxy does.
#[test]
fn a_tls_failure_names_its_remedy() {
    let shown = issue("tls-oauth");
    let server = HttpServer::sandbox(&["--tls-cert", &shown.chain_file, "--tls-key", &shown.key_file]);
    let mut world = World::logged_in("tls", APP);
    world.base = format!("https://localhost:{}", server.address.rsplit(':').next().unwrap());
    let login = |more: &[&str]| {
        let (mut child, url, rest) = world.begin_login(&[&["--manual"], more].concat());
        let state = url.split("state=").nth(1).unwrap().split('&').next().unwrap();
        let place = format!("http://127.0.0.1:{}/callback?code=abcdefgh&state={state}\n", PORTS[0]);
        child.stdin.take().unwrap().write_all(place.as_bytes()).unwrap();
        with_stderr(child, rest)
    };
    let names_it = |ran: &Ran| ran.stderr.contains("UnknownIssuer") && ran.stderr.contains("--ca-file");
    let ran = login(&[]);
    assert!(ran.code == 1 && names_it(&ran), "{}", ran.stderr);
    let ran = login(&["--ca-file", &shown.chain_file]);
    assert!(ran.code != 0 && !ran.stderr.contains("certificate"), "{}", ran.stderr);
    edit(&world.record_file(), |record| record["expires_at"] = json!(seconds_now() - 60));
    let ran = world.me();
    assert!(ran.code == 1 && names_it(&ran), "{}", ran.stderr);
}

/// Figma has switched tokens, its answer is on the way, and the server is told to stop.
#[cfg(unix)]
#[test]
fn a_server_that_stops_stores_the_new_token_first() {
    let stop = |name: &str, is_told: bool| {
        let world = World::logged_in(name, APP);
        let mut client = world.serve();
        let before = world.record();
        world.order(&json!({ "expire_access": true, "refresh_delay_ms": 7000 }));
        client.begin_call("figma_me_get", &json!({}));
        while world.count("refreshes") == 0 {
            sleep(Duration::from_millis(20));
        }
        assert_eq!(world.record()["access"], before["access"], "{name}: it came too early to prove anything");
        let ended = if is_told {
            let id = client.process_id().to_string();
            assert!(std::process::Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
            client.ended()
        } else {
            client.close()
        };
        assert_eq!(ended.code, Some(0), "{name}: {}", ended.stderr);
        assert_ne!(world.record()["access"], before["access"], "{name}: the new token is lost");
        world.order(&json!({}));
        assert_eq!(world.me().code, 0, "{name}");
        assert_eq!(world.count("refreshes"), 1, "{name}");
    };
    std::thread::scope(|scope| {
        scope.spawn(|| stop("stopped", true));
        scope.spawn(|| stop("closed", false));
    });
}

/// Eight processes meet a dead token at once, again and again.
#[test]
fn eight_processes_refresh_once() {
    let world = World::logged_in("race", APP);
    world.order(&json!({ "refresh_delay_ms": 20 }));
    let (rounds, begun) = (rounds(5, 50), Instant::now());
    for round in 0..rounds {
        world.forget_unplanned();
        let before = world.count("refreshes");
        world.order(&json!({ "expire_access": true, "refresh_delay_ms": 20 }));
        let processes: Vec<Running> = (0..8).map(|_| world.start(&["call", "figma_me_get"])).collect();
        for process in processes {
            let ran = ended(process);
            assert_eq!(ran.code, 0, "round {round}: {}", ran.stderr);
        }
        assert_eq!(world.count("refreshes"), before + 1, "round {round}");
    }
    println!("race: 8 processes, {rounds} rounds, one refresh in each, {:?}", begun.elapsed());
}

/// A process is killed at a random moment of its refresh, again and again.
#[test]
fn what_is_killed_in_a_refresh_is_repeated() {
    let world = World::logged_in("killed", APP);
    let refresh_token = world.record()["refresh"].clone();
    let dead = || {
        world.forget_unplanned();
        world.order(&json!({ "expire_access": true, "refresh_delay_ms": 10 }));
    };
    let mut whole = Duration::ZERO;
    for _ in 0..5 {
        dead();
        let begun = Instant::now();
        assert_eq!(world.me().code, 0);
        whole += begun.elapsed() / 5;
    }
    let (runs, begun) = (rounds(20, 200), Instant::now());
    let (mut killed, mut between) = (0, 0);
    for run in 0..runs {
        dead();
        let (before, refreshes) = (world.record(), world.count("refreshes"));
        let mut process = world.start(&["call", "figma_me_get"]);
        sleep(somewhere(whole.mul_f64(1.1)));
        let _ = process.kill();
        let ran = process.wait().unwrap();
        killed += usize::from(!ran.success());
        let after = world.record();
        assert_eq!(after["refresh"], refresh_token, "run {run}: the refresh token is lost");
        between += usize::from(world.count("refreshes") > refreshes && after["access"] == before["access"]);
        world.forget_unplanned();
        let recovered = world.me();
        assert_eq!(recovered.code, 0, "run {run}: {}", recovered.stderr);
    }
    println!(
        "kill -9: {runs} runs, {killed} killed, {between} after Figma switched tokens and before they were stored; 0 lost, 0 unreadable, all recovered, {:?}",
        begun.elapsed()
    );
}
