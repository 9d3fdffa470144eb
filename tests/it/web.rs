//! An HTTP/1.1 client of the built binary: small enough to send what no library would.

use std::{
    io::{BufRead, BufReader, Write},
    net::TcpStream,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{
    leaks,
    program::{Running, figma_mcp},
};

const PATIENCE: Duration = Duration::from_secs(60);
pub(crate) const JSON: (&str, &str) = ("content-type", "application/json");
/// What a client of Streamable HTTP accepts.
pub(crate) const ACCEPT: (&str, &str) = ("accept", "application/json, text/event-stream");

/// A server that listens.
pub(crate) struct HttpServer {
    process: Running,
    pub(crate) address: String,
    said: Arc<Mutex<String>>,
}

/// What was answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (known, value) = line.split_once(':')?;
            known.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    /// The body as JSON, or its last event's data.
    pub(crate) fn json(&self) -> Value {
        let text = self
            .body
            .lines()
            .rev()
            .find_map(|line| line.strip_prefix("data: {").map(|rest| format!("{{{rest}")));
        serde_json::from_str(&text.unwrap_or_else(|| self.body.clone()))
            .unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

impl HttpServer {
    pub(crate) fn start(arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        let mut process = figma_mcp()
            .args(["serve", "--http", "127.0.0.1:0"])
            .args(arguments)
            .envs(variables.iter().copied())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stderr.take().unwrap()).lines().map_while(Result::ok);
        let said = Arc::new(Mutex::new(String::new()));
        let address = loop {
            let line = lines
                .next()
                .unwrap_or_else(|| panic!("the server does not listen: {}", said.lock().unwrap()));
            *said.lock().unwrap() += &format!("{line}\n");
            if let Some((_, rest)) = line.split_once("listening at ") {
                break rest.trim_end_matches("/mcp").split("//").nth(1).unwrap().to_owned();
            }
        };
        leaks::listens(&address, &process.secrets);
        let kept = said.clone();
        std::thread::spawn(move || lines.for_each(|line| *kept.lock().unwrap() += &format!("{line}\n")));
        Self { process, address, said }
    }

    pub(crate) fn sandbox(arguments: &[&str]) -> Self {
        Self::start(&[&["--sandbox"], arguments].concat(), &[])
    }

    pub(crate) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        stream
    }

    /// One request on a connection of its own.
    pub(crate) fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut stream = self.connect();
        write_request(
            &mut stream,
            &self.address,
            method,
            path,
            &[headers, &[("connection", "close")]].concat(),
            body,
        );
        let answer = read_answer(&mut BufReader::new(stream));
        for (what, text) in [("a head", &answer.head), ("a body", &answer.body)] {
            self.process.secrets.assert_none_in(what, text.as_bytes());
        }
        answer
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], "")
    }

    /// A message of MCP to `/mcp`.
    pub(crate) fn post(&self, message: &Value, headers: &[(&str, &str)]) -> Answer {
        self.send("POST", "/mcp", &[&[JSON, ACCEPT], headers].concat(), &message.to_string())
    }

    /// A tool's result.
    pub(crate) fn call(&self, tool: &str, arguments: Value, headers: &[(&str, &str)]) -> Value {
        let answer = self.post(&call(tool, arguments), headers);
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()["result"].clone()
    }

    pub(crate) fn said(&self) -> String {
        self.said.lock().unwrap().clone()
    }

    pub(crate) fn terminate(&self) {
        let id = self.process.id().to_string();
        assert!(std::process::Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    }

    /// Waits for the end, which has to be a good one.
    pub(crate) fn ended(mut self) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.process.try_wait().unwrap() {
                assert!(status.success(), "{status}: {}", self.said());
                return self.said();
            }
            assert!(Instant::now() < deadline, "the server does not end");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

pub(crate) fn call(tool: &str, arguments: Value) -> Value {
    request("tools/call", json!({ "name": tool, "arguments": arguments }))
}

pub(crate) fn request(method: &str, params: Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params })
}

pub(crate) fn initialize(version: &str) -> Value {
    let info = json!({ "name": "tests", "version": "1" });
    request("initialize", json!({ "protocolVersion": version, "capabilities": {}, "clientInfo": info }))
}

/// Writes a request; a `host` among the headers replaces the server's own.
pub(crate) fn write_request(
    stream: &mut impl Write,
    host: &str,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) {
    leaks::carried(host, headers);
    let mut text = format!("{method} {path} HTTP/1.1\r\n");
    if !headers.iter().any(|(name, _)| *name == "host") {
        text += &format!("host: {host}\r\n");
    }
    for (name, value) in headers.iter().filter(|(_, value)| *value != "-") {
        text += &format!("{name}: {value}\r\n");
    }
    text += &format!("content-length: {}\r\n\r\n", body.len());
    stream.write_all(text.as_bytes()).unwrap();
    // A server that refuses early may close before it has all.
    let _ = stream.write_all(body.as_bytes());
}

pub(crate) fn read_head(reader: &mut impl BufRead) -> (u16, String) {
    let mut head = String::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 || line == "\r\n" {
            break;
        }
        head += &line;
    }
    let status = head.split(' ').nth(1).and_then(|text| text.parse().ok()).unwrap_or(0);
    (status, head)
}

pub(crate) fn read_answer(reader: &mut impl BufRead) -> Answer {
    let (status, head) = read_head(reader);
    let mut answer = Answer { status, head, body: String::new() };
    if let Some(length) = answer.header("content-length") {
        let mut body = vec![0; length.parse().unwrap()];
        reader.read_exact(&mut body).unwrap();
        answer.body = String::from_utf8(body).unwrap();
    } else if answer.header("transfer-encoding").is_some() {
        loop {
            let mut size = String::new();
            reader.read_line(&mut size).unwrap();
            let size = usize::from_str_radix(size.trim(), 16).unwrap();
            let mut chunk = vec![0; size + 2];
            reader.read_exact(&mut chunk).unwrap();
            if size == 0 {
                break;
            }
            answer.body += std::str::from_utf8(&chunk[..size]).unwrap();
        }
    }
    answer
}
