//! An MCP client of the built binary: what a host does, a line at a time.

use std::{
    io::{BufRead, BufReader, Read, Write},
    process::Stdio,
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

pub(crate) use crate::program::figma_mcp;
use crate::program::{Input, Running};

/// Long enough for a busy machine; no test measures time with it.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running server and our end of the conversation.
pub(crate) struct Client {
    process: Running,
    input: Option<Input>,
    lines: Receiver<String>,
    /// Messages that came while another was awaited.
    early: Vec<Value>,
    requests: u64,
}

/// How a server ended.
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stderr: String,
}

impl Client {
    /// Starts `figma-mcp serve` with these arguments and variables; no handshake yet.
    pub(crate) fn start(arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        let mut process = figma_mcp()
            .arg("serve")
            .args(arguments)
            .envs(variables.iter().copied())
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let (sender, lines) = channel();
        let stdout = BufReader::new(process.stdout.take().unwrap());
        std::thread::spawn(move || {
            // The test may have seen enough.
            stdout.lines().map_while(Result::ok).take_while(|line| sender.send(line.clone()).is_ok()).count()
        });
        let input = process.stdin.take();
        Self { process, input, lines, early: Vec::new(), requests: 0 }
    }

    /// A server on the sandbox, ready for calls.
    pub(crate) fn sandbox() -> Self {
        Self::ready(&["--sandbox"], &[])
    }

    /// A server after the handshake.
    pub(crate) fn ready(arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        let mut client = Self::start(arguments, variables);
        client.initialize("2025-11-25");
        client
    }

    pub(crate) fn initialize(&mut self, version: &str) -> Value {
        let info = json!({ "name": "tests", "version": "1" });
        let answer = self.request(
            "initialize",
            json!({ "protocolVersion": version, "capabilities": {}, "clientInfo": info }),
        );
        self.send(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }));
        answer["result"].clone()
    }

    /// Sends a line as it stands.
    pub(crate) fn send_raw(&mut self, line: &[u8]) {
        let input = self.input.as_mut().unwrap();
        input.write_all(line).unwrap();
        input.write_all(b"\n").unwrap();
        input.flush().unwrap();
    }

    pub(crate) fn send(&mut self, message: &Value) {
        self.send_raw(message.to_string().as_bytes());
    }

    /// Sends a request and returns its number without waiting.
    pub(crate) fn begin(&mut self, method: &str, params: Value) -> u64 {
        self.requests += 1;
        let id = self.requests;
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }));
        id
    }

    pub(crate) fn begin_call(&mut self, tool: &str, arguments: &Value) -> u64 {
        self.begin("tools/call", json!({ "name": tool, "arguments": arguments }))
    }

    /// The answer to a request: the whole message.
    pub(crate) fn request(&mut self, method: &str, params: Value) -> Value {
        let id = self.begin(method, params);
        self.answer(id)
    }

    /// Waits for the answer to the request of this number. Answers may overtake each other.
    pub(crate) fn answer(&mut self, id: u64) -> Value {
        self.wait_for(&format!("an answer to request {id}"), |message| message["id"] == id)
    }

    pub(crate) fn wait_for(&mut self, what: &str, is_it: impl Fn(&Value) -> bool) -> Value {
        if let Some(position) = self.early.iter().position(&is_it) {
            return self.early.remove(position);
        }
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let message = self.next(left).unwrap_or_else(|problem| panic!("{what}: {problem}"));
            if is_it(&message) {
                return message;
            }
            self.early.push(message);
        }
    }

    /// The next message, whatever it is. Anything on stdout that is no message fails the test.
    pub(crate) fn next(&mut self, patience: Duration) -> Result<Value, RecvTimeoutError> {
        let line = self.lines.recv_timeout(patience)?;
        let message: Value =
            serde_json::from_str(&line).unwrap_or_else(|error| panic!("stdout carries {line:?}: {error}"));
        assert_eq!(message["jsonrpc"], "2.0", "{line}");
        Ok(message)
    }

    /// A tool's result.
    pub(crate) fn call(&mut self, tool: &str, arguments: Value) -> Value {
        let id = self.begin_call(tool, &arguments);
        let answer = self.answer(id);
        assert!(answer["result"].is_object(), "{answer}");
        answer["result"].clone()
    }

    /// A tool's answer, which must be a success, as JSON.
    pub(crate) fn json(&mut self, tool: &str, arguments: Value) -> Value {
        let result = self.call(tool, arguments);
        assert_eq!(result["isError"], false, "{result}");
        serde_json::from_str(text_of(&result)).unwrap()
    }

    /// A tool's refusal: its structured form.
    pub(crate) fn refusal(&mut self, tool: &str, arguments: Value) -> Value {
        let result = self.call(tool, arguments);
        assert_eq!(result["isError"], true, "{result}");
        assert!(text_of(&result).contains("\nnext: "), "{result}");
        result["structuredContent"].clone()
    }

    pub(crate) fn tool_names(&mut self) -> Vec<String> {
        let answer = self.request("tools/list", json!({}));
        let tools = answer["result"]["tools"].as_array().unwrap();
        tools.iter().map(|tool| tool["name"].as_str().unwrap().to_owned()).collect()
    }

    pub(crate) fn process_id(&self) -> u32 {
        self.process.id()
    }

    /// Closes stdin, as a host does, and waits for the end.
    pub(crate) fn close(mut self) -> Ended {
        drop(self.input.take());
        self.ended()
    }

    /// Waits for the server to end by itself.
    pub(crate) fn ended(mut self) -> Ended {
        let deadline = Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = self.process.try_wait().unwrap() {
                break status;
            }
            assert!(Instant::now() < deadline, "the server does not end");
            std::thread::sleep(Duration::from_millis(5));
        };
        Ended { code: status.code(), stderr: self.process.told() }
    }
}

/// The first text block of a result.
pub(crate) fn text_of(result: &Value) -> &str {
    result["content"][0]["text"].as_str().unwrap_or_default()
}

/// A server that a test plays itself: one connection after the other, each answered by `answer`, which
/// gets the whole request and may write what it likes, or nothing.
pub(crate) fn play(answer: impl Fn(&str, &mut std::net::TcpStream) + Send + 'static) -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let request = read_request(&mut stream);
            answer(&request, &mut stream);
        }
    });
    address
}

fn read_request(stream: &mut std::net::TcpStream) -> String {
    let mut reader = BufReader::new(stream);
    let (mut request, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            return request;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        request += &line;
        if line == "\r\n" {
            break;
        }
    }
    let mut body = vec![0; length];
    let _ = reader.read_exact(&mut body);
    request + &String::from_utf8_lossy(&body)
}
