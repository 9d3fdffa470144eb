//! The built server as a host runs it, watched from outside.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdin, ChildStdout, Stdio},
};

use serde_json::{Value, json};

/// The built binary, until it is dropped.
pub(crate) struct Program {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    /// The address at the end of the first line that a sandbox says.
    pub(crate) base: String,
    calls: u64,
}

impl Program {
    pub(crate) fn start(arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        let is_sandbox = arguments.contains(&"--sandbox");
        let mut child = super::figma_mcp()
            .args(arguments)
            .envs(variables.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(if is_sandbox { Stdio::piped() } else { Stdio::null() })
            .spawn()
            .unwrap();
        let mut line = String::new();
        if is_sandbox {
            BufReader::new(child.stderr.take().unwrap()).read_line(&mut line).unwrap();
        }
        let base = line.trim().rsplit(' ').next().unwrap_or_default().to_owned();
        let (input, output) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        Self { child, input, output, base, calls: 0 }
    }

    pub(crate) fn initialize(&mut self) {
        let client = json!({ "name": "bench", "version": "1" });
        let params = json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": client });
        self.ask("initialize", &params);
        writeln!(self.input, r#"{{"jsonrpc":"2.0","method":"notifications/initialized"}}"#).unwrap();
    }

    pub(crate) fn call(&mut self, tool: &str, arguments: &Value) {
        let answer = self.ask("tools/call", &json!({ "name": tool, "arguments": arguments }));
        assert!(answer.contains(r#""isError":false"#), "{answer:.500}");
    }

    /// The result, whether or not it is an error.
    pub(crate) fn result(&mut self, tool: &str, arguments: &Value) -> Value {
        let answer = self.ask("tools/call", &json!({ "name": tool, "arguments": arguments }));
        serde_json::from_str::<Value>(&answer).unwrap()["result"].take()
    }

    fn ask(&mut self, method: &str, params: &Value) -> String {
        self.calls += 1;
        let message = json!({ "jsonrpc": "2.0", "id": self.calls, "method": method, "params": params });
        writeln!(self.input, "{message}").unwrap();
        let mut line = String::new();
        while !line.contains(&format!(r#""id":{}"#, self.calls)) {
            line.clear();
            assert!(self.output.read_line(&mut line).unwrap() > 0, "the server ended");
        }
        line
    }

    /// In megabytes; 0 where the system does not say.
    pub(crate) fn memory(&self, name: &str) -> f64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
        let kilobytes: f64 = line.trim().trim_end_matches(" kB").parse().unwrap_or_default();
        kilobytes / 1024.0
    }

    /// Milliseconds that its threads have run so far; 0 where the system does not say.
    pub(crate) fn cpu(&self) -> f64 {
        let threads = fs::read_dir(format!("/proc/{}/task", self.child.id())).into_iter().flatten().flatten();
        let times = threads.filter_map(|thread| fs::read_to_string(thread.path().join("schedstat")).ok());
        times.filter_map(|times| times.split(' ').next()?.parse::<f64>().ok()).sum::<f64>() / 1e6
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
