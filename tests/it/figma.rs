//! A sandbox in a process of its own, which several servers share as they share Figma, and its log.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::PathBuf,
    process::Stdio,
};

use serde_json::Value;

use crate::{
    client::Client,
    program::{Input, Program, Running, cache_dir, figma_mcp},
};

pub(crate) const TOKEN: &str = "sandbox-personal";

/// A sandbox, and a folder for what servers keep of it.
pub(crate) struct Figma {
    /// Stays open for as long as the sandbox is to run.
    _input: Input,
    sandbox: Running,
    pub(crate) base: String,
    pub(crate) cache: PathBuf,
}

impl Figma {
    pub(crate) fn start() -> Self {
        let mut sandbox = figma_mcp().args(["serve", "--sandbox"]).stdin(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(sandbox.stderr.take().unwrap()).read_line(&mut line).unwrap();
        let base = line.trim().rsplit(' ').next().unwrap().to_owned();
        let input = sandbox.stdin.take().unwrap();
        Self { sandbox, _input: input, base, cache: cache_dir() }
    }

    /// A server of this Figma, which shares what it keeps with the others.
    pub(crate) fn server(&self, arguments: &[&str]) -> Client {
        self.server_of(TOKEN, arguments)
    }

    pub(crate) fn server_of(&self, token: &str, arguments: &[&str]) -> Client {
        let all = [&["--api-base-url", &self.base], arguments].concat();
        let cache = self.cache.to_str().unwrap();
        Client::ready(&all, &[("FIGMA_TOKEN", token), ("FIGMA_MCP_CACHE_DIR", cache)])
    }

    /// The command line, with the same things kept.
    pub(crate) fn command(&self, arguments: &[&str]) -> Program {
        let mut command = figma_mcp();
        command.args(arguments).args(["--api-base-url", &self.base]);
        command.env("FIGMA_TOKEN", TOKEN).env("FIGMA_MCP_CACHE_DIR", &self.cache);
        command
    }

    /// Changes a file, as somebody in Figma would.
    pub(crate) fn touch(&self, key: &str) {
        self.get(&format!("/_sandbox/touch/{key}"));
    }

    /// The requests so far, such as `GET /v1/me`.
    pub(crate) fn requests(&self) -> Vec<String> {
        let log: Value = serde_json::from_str(&self.get("/_sandbox/requests")).unwrap();
        let line = |request: &Value| {
            format!("{} {}", request["method"].as_str().unwrap(), request["path"].as_str().unwrap())
        };
        log["requests"].as_array().unwrap().iter().map(line).collect()
    }

    /// Ends it: from now on nothing answers there.
    pub(crate) fn end(&mut self) {
        let _ = self.sandbox.kill();
        let _ = self.sandbox.wait();
    }

    fn get(&self, path: &str) -> String {
        let host = self.base.trim_start_matches("http://");
        let mut stream = TcpStream::connect(host).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer.split_once("\r\n\r\n").unwrap().1.to_owned()
    }
}

impl Drop for Figma {
    fn drop(&mut self) {
        self.end();
        let _ = std::fs::remove_dir_all(&self.cache);
    }
}
