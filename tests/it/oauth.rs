//! OAuth end to end: the built binary, real HTTP, and the sandbox in the place of Figma's OAuth server.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Stdio},
    sync::{Mutex, MutexGuard, PoisonError},
    thread::sleep,
    time::{Duration, Instant},
};

use figma_mcp::{
    auth::oauth::PORTS,
    sandbox::oauth::{CLIENT_SECRET, DECLINING_APP, LATE_APP, MOVED_APP, SLOPPY_APP},
};
use serde_json::{Value, json};

use crate::client::figma_mcp;

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

/// Whether the long tests keep their tokens in the system's keyring: `tests/contract/oauth-keyring`.
fn in_keyring() -> bool {
    std::env::var_os("FIGMA_MCP_TEST_KEYRING").is_some_and(|value| value == "1")
}

/// A sandbox that several processes share, and a configuration of this test's own.
struct World {
    sandbox: Child,
    _input: ChildStdin,
    base: String,
    folder: PathBuf,
    app: &'static str,
}

struct Ran {
    code: i32,
    stdout: String,
    stderr: String,
}

impl World {
    fn new(name: &str, app: &'static str) -> Self {
        let mut sandbox = figma_mcp()
            .args(["serve", "--sandbox"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(sandbox.stderr.take().unwrap()).read_line(&mut line).unwrap();
        let base = line.trim().rsplit(' ').next().unwrap().to_owned();
        let input = sandbox.stdin.take().unwrap();
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("oauth-{name}"));
        let _ = fs::remove_dir_all(&folder);
        Self { sandbox, _input: input, base, folder, app }
    }

    /// A world in which somebody is logged in.
    fn logged_in(name: &str, app: &'static str) -> Self {
        let world = Self::new(name, app);
        let ran = world.login(&[], str::to_owned);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        world
    }

    fn start(&self, arguments: &[&str]) -> Child {
        figma_mcp()
            .args(arguments)
            .args(["--api-base-url", &self.base])
            .env("FIGMA_MCP_CONFIG_DIR", &self.folder)
            .env("FIGMA_OAUTH_CLIENT_SECRET", CLIENT_SECRET)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        ended(self.start(arguments))
    }

    /// Logs in by pasting what the browser ends at, after `change`.
    fn login(&self, arguments: &[&str], change: impl Fn(&str) -> String) -> Ran {
        let (mut child, url, rest) = self.begin_login(&[&["--manual"], arguments].concat());
        let place = location(&http("GET", &url, "")).expect("nothing came back");
        child.stdin.take().unwrap().write_all((change(&place) + "\n").as_bytes()).unwrap();
        with_stderr(child, rest)
    }

    /// A login up to its printed address; the rest of its stderr follows.
    fn begin_login(&self, arguments: &[&str]) -> (Child, String, BufReader<impl Read + use<>>) {
        let fixed = ["auth", "login", "--kind", "oauth", "--client-id", self.app];
        let store: &[&str] = if in_keyring() { &[] } else { &["--insecure-storage"] };
        let mut child = self.start(&[&fixed, store, arguments].concat());
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut said = String::new();
        let url = loop {
            let mut line = String::new();
            assert_ne!(stderr.read_line(&mut line).unwrap(), 0, "no address was printed: {said}");
            if line.starts_with("http") {
                break line.trim().to_owned();
            }
            said += &line;
        };
        (child, url, stderr)
    }

    fn me(&self) -> Ran {
        self.run(&["call", "figma_me_get"])
    }

    /// Tells the sandbox how the app is to behave.
    fn order(&self, what: &Value) {
        let mut order = json!({ "client_id": self.app });
        order.as_object_mut().unwrap().extend(what.as_object().unwrap().clone());
        let answer = http("POST", &format!("{}/_sandbox/oauth", self.base), &order.to_string());
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }

    fn expire(&self) {
        self.order(&json!({ "expire_access": true }));
    }

    fn count(&self, what: &str) -> u64 {
        self.json("/_sandbox/oauth")[self.app][what].as_u64().unwrap()
    }

    fn json(&self, path: &str) -> Value {
        let answer = http("GET", &format!("{}{path}", self.base), "");
        serde_json::from_str(answer.split("\r\n\r\n").nth(1).unwrap()).unwrap()
    }

    /// The last requests, as `PATH STATUS`.
    fn last_requests(&self, count: usize) -> Vec<String> {
        let log = self.json("/_sandbox/requests");
        let all: Vec<String> = log["requests"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|request| !request["path"].as_str().unwrap().starts_with("/_sandbox"))
            .map(|request| format!("{} {}", request["path"].as_str().unwrap(), request["status"]))
            .collect();
        all[all.len().saturating_sub(count)..].to_vec()
    }

    fn record_file(&self) -> PathBuf {
        self.folder.join("tokens/default.json")
    }

    /// What is stored; in a keyring it is looked at from outside.
    fn record(&self) -> Value {
        if !in_keyring() {
            return serde_json::from_str(&fs::read_to_string(self.record_file()).unwrap()).unwrap();
        }
        let lookup = ["lookup", "service", "figma-mcp", "username", "default"];
        let output = std::process::Command::new("secret-tool").args(lookup).output().unwrap();
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// An hour passes: what was unplanned is forgotten.
    fn forget_unplanned(&self) {
        edit(&self.folder.join("profiles.json"), |facts| {
            facts["profiles"]["default"]["oauth"]["unplanned"] = json!([]);
        });
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = self.sandbox.kill();
        let _ = self.sandbox.wait();
    }
}

fn ended(mut child: Child) -> Ran {
    let stderr = child.stderr.take().unwrap();
    with_stderr(child, stderr)
}

fn with_stderr(mut child: Child, mut stderr: impl Read) -> Ran {
    drop(child.stdin.take());
    let mut said = String::new();
    stderr.read_to_string(&mut said).unwrap();
    let output = child.wait_with_output().unwrap();
    let stdout = String::from_utf8(output.stdout).unwrap();
    Ran { code: output.status.code().unwrap(), stdout, stderr: said }
}

/// One request as a browser sends it; the whole answer. No redirect is followed.
fn http(method: &str, url: &str, body: &str) -> String {
    let (host, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    let head = format!(
        "{method} /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all((head + body).as_bytes()).unwrap();
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    answer
}

fn location(answer: &str) -> Option<String> {
    let line = answer.lines().find(|line| line.to_ascii_lowercase().starts_with("location:"))?;
    Some(line.split_once(':').unwrap().1.trim().to_owned())
}

/// Changes what is stored, as time does.
fn edit(file: &Path, change: impl Fn(&mut Value)) {
    let mut value: Value = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
    change(&mut value);
    fs::write(file, value.to_string()).unwrap();
}

fn seconds_now() -> u64 {
    std::time::UNIX_EPOCH.elapsed().unwrap().as_secs()
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
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
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
    world.order(&json!({}));
    assert_eq!(world.me().code, 0);
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
    assert!(status.stdout.contains("REVOKED"), "{}", status.stdout);
    let again = world.login(&[], str::to_owned);
    assert_eq!(again.code, 0, "{}", again.stderr);
    assert_eq!(world.me().code, 0);
    assert!(world.run(&["auth", "status", "--json"]).stdout.contains("ACTIVE"));
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
    let mut client = crate::client::Client::ready(
        &["--api-base-url", &world.base],
        &[
            ("FIGMA_MCP_CONFIG_DIR", world.folder.to_str().unwrap()),
            ("FIGMA_OAUTH_CLIENT_SECRET", CLIENT_SECRET),
        ],
    );
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
        let processes: Vec<Child> = (0..8).map(|_| world.start(&["call", "figma_me_get"])).collect();
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
