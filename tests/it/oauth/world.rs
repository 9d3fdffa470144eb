//! A sandbox as Figma's OAuth server, somebody's configuration, and the browser's part.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::Stdio,
};

use figma_mcp::sandbox::oauth::CLIENT_SECRET;
use serde_json::{Value, json};

use crate::{
    client::Client,
    program::{Input, Running, figma_mcp},
};

/// Whether the long tests keep their tokens in the system's keyring: `tests/contract/oauth-keyring`.
pub(super) fn in_keyring() -> bool {
    std::env::var_os("FIGMA_MCP_TEST_KEYRING").is_some_and(|value| value == "1")
}

/// A sandbox that several processes share, and a configuration of this test's own.
pub(super) struct World {
    /// Stays open for as long as the sandbox is to run.
    _input: Input,
    sandbox: Running,
    pub(super) base: String,
    pub(super) folder: PathBuf,
    pub(super) app: &'static str,
}

pub(super) struct Ran {
    pub(super) code: i32,
    pub(super) stdout: String,
    pub(super) stderr: String,
}

impl World {
    pub(super) fn new(name: &str, app: &'static str) -> Self {
        let mut sandbox = figma_mcp().args(["serve", "--sandbox"]).stdin(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(sandbox.stderr.take().unwrap()).read_line(&mut line).unwrap();
        let base = line.trim().rsplit(' ').next().unwrap().to_owned();
        let input = sandbox.stdin.take().unwrap();
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("oauth-{name}"));
        let _ = fs::remove_dir_all(&folder);
        Self { sandbox, _input: input, base, folder, app }
    }

    /// A world in which somebody is logged in.
    pub(super) fn logged_in(name: &str, app: &'static str) -> Self {
        let world = Self::new(name, app);
        let ran = world.login(&[], str::to_owned);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        world
    }

    pub(super) fn start(&self, arguments: &[&str]) -> Running {
        figma_mcp()
            .args(arguments)
            .args(["--api-base-url", &self.base])
            .env("FIGMA_MCP_CONFIG_DIR", &self.folder)
            .env("FIGMA_OAUTH_CLIENT_SECRET", CLIENT_SECRET)
            .stdin(Stdio::piped())
            .spawn()
            .unwrap()
    }

    pub(super) fn run(&self, arguments: &[&str]) -> Ran {
        ended(self.start(arguments))
    }

    /// Logs in by pasting what the browser ends at, after `change`.
    pub(super) fn login(&self, arguments: &[&str], change: impl Fn(&str) -> String) -> Ran {
        let (mut child, url, rest) = self.begin_login(&[&["--manual"], arguments].concat());
        let place = location(&http("GET", &url, "")).expect("nothing came back");
        child.stdin.take().unwrap().write_all((change(&place) + "\n").as_bytes()).unwrap();
        with_stderr(child, rest)
    }

    /// A login up to its printed address; the rest of its stderr follows.
    pub(super) fn begin_login(&self, arguments: &[&str]) -> (Running, String, BufReader<impl Read + use<>>) {
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

    /// A server that runs with this login.
    pub(super) fn serve(&self) -> Client {
        let folder = self.folder.to_str().unwrap();
        let variables = [("FIGMA_MCP_CONFIG_DIR", folder), ("FIGMA_OAUTH_CLIENT_SECRET", CLIENT_SECRET)];
        Client::ready(&["--api-base-url", &self.base], &variables)
    }

    pub(super) fn me(&self) -> Ran {
        self.run(&["call", "figma_me_get"])
    }

    /// Tells the sandbox how the app is to behave.
    pub(super) fn order(&self, what: &Value) {
        let mut order = json!({ "client_id": self.app });
        order.as_object_mut().unwrap().extend(what.as_object().unwrap().clone());
        let answer = http("POST", &format!("{}/_sandbox/oauth", self.base), &order.to_string());
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }

    pub(super) fn expire(&self) {
        self.order(&json!({ "expire_access": true }));
    }

    pub(super) fn count(&self, what: &str) -> u64 {
        self.json("/_sandbox/oauth")[self.app][what].as_u64().unwrap()
    }

    pub(super) fn json(&self, path: &str) -> Value {
        let answer = http("GET", &format!("{}{path}", self.base), "");
        serde_json::from_str(answer.split("\r\n\r\n").nth(1).unwrap()).unwrap()
    }

    /// The last requests, as `PATH STATUS`.
    pub(super) fn last_requests(&self, count: usize) -> Vec<String> {
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

    pub(super) fn record_file(&self) -> PathBuf {
        self.folder.join("tokens/default.json")
    }

    /// What is stored; in a keyring it is looked at from outside.
    pub(super) fn record(&self) -> Value {
        if !in_keyring() {
            return serde_json::from_str(&fs::read_to_string(self.record_file()).unwrap()).unwrap();
        }
        let lookup = ["lookup", "service", "figma-mcp", "username", "default"];
        let output = std::process::Command::new("secret-tool").args(lookup).output().unwrap();
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// An hour passes: what was unplanned is forgotten.
    pub(super) fn forget_unplanned(&self) {
        edit(&self.folder.join("profiles.json"), |facts| {
            facts["profiles"]["default"]["oauth"]["unplanned"] = json!([]);
        });
    }
}

impl Drop for World {
    /// The sandbox must not tell what it handed out either.
    fn drop(&mut self) {
        self.sandbox.secrets.learn(CLIENT_SECRET);
        self.sandbox.secrets.learn_stored(std::slice::from_ref(&self.folder));
    }
}

pub(super) fn ended(mut child: Running) -> Ran {
    let stderr = child.stderr.take().unwrap();
    with_stderr(child, stderr)
}

pub(super) fn with_stderr(mut child: Running, mut stderr: impl Read) -> Ran {
    drop(child.stdin.take());
    let mut said = String::new();
    stderr.read_to_string(&mut said).unwrap();
    let output = child.wait_with_output().unwrap();
    let stdout = String::from_utf8(output.stdout).unwrap();
    Ran { code: output.status.code().unwrap(), stdout, stderr: said }
}

/// One request as a browser sends it; the whole answer. No redirect is followed.
pub(super) fn http(method: &str, url: &str, body: &str) -> String {
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

pub(super) fn location(answer: &str) -> Option<String> {
    let line = answer.lines().find(|line| line.to_ascii_lowercase().starts_with("location:"))?;
    Some(line.split_once(':').unwrap().1.trim().to_owned())
}

/// Changes what is stored, as time does.
pub(super) fn edit(file: &Path, change: impl Fn(&mut Value)) {
    let mut value: Value = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
    change(&mut value);
    fs::write(file, value.to_string()).unwrap();
}

pub(super) fn seconds_now() -> u64 {
    std::time::UNIX_EPOCH.elapsed().unwrap().as_secs()
}
