//! `figma-mcp demo`: the server at work, seen from a client.
//!
//! It starts this very program as a server on the embedded sandbox and talks MCP to it over its stdin
//! and stdout, as an MCP host does. Nothing is sent to Figma and no token is needed.

use std::{
    collections::BTreeMap,
    env,
    io::{self, BufRead, BufReader, Write},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    time::Duration,
};

use serde_json::{Value, json};

use super::{call::save, command, in_runtime, print};
use crate::{
    dispatch::{Downloads, Network},
    error::{Error, Result, foreign},
    sandbox,
};

/// Shows six things, one after the other.
pub(super) fn run() -> Result<()> {
    let mut server = Server::start()?;
    print(
        "Starting the server on its sandbox, a fake Figma inside this program, and talking MCP to it.\n\n",
    )?;
    show_handshake(&mut server)?;
    show_pages(&mut server)?;
    let frame = show_comments(&mut server)?;
    show_render(&mut server, &frame)?;
    show_error(
        &mut server,
        "A wrong argument is refused by name, before any call to Figma",
        "figma_file_nodes_get",
        &json!({ "file_key": sandbox::PRODUCT_FILE, "ids": "the login frame" }),
    )?;
    show_error(
        &mut server,
        "A used-up rate limit says whose it is and what to do",
        "figma_file_get",
        &json!({ "file_key": "RATEDAYS" }),
    )?;
    print(WHAT_NEXT)
}

/// How long the picture may take.
const IMAGE_LIMIT: Duration = Duration::from_secs(60);

const WHAT_NEXT: &str = "\
What to type next:
  figma-mcp tools                              what there is
  figma-mcp tools figma_file_nodes_get         what one tool takes
  figma-mcp call --sandbox figma_me_get        one call to the sandbox
  FIGMA_TOKEN=… figma-mcp call figma_me_get    the same to Figma, with your token
The README says how to put it into Claude Desktop, Claude Code, Cursor, VS Code and Codex.
";

fn show_handshake(server: &mut Server) -> Result<()> {
    let info = server.initialize()?;
    let text = |pointer: &str| info.pointer(pointer).and_then(Value::as_str).unwrap_or("?");
    let tools = server.request("tools/list", &json!({}))?;
    let count = tools.get("tools").and_then(Value::as_array).map_or(0, Vec::len);
    print(&format!(
        "1. {} {} speaks MCP {} and offers {count} tools.\n\n",
        text("/serverInfo/name"),
        text("/serverInfo/version"),
        text("/protocolVersion")
    ))
}

fn show_pages(server: &mut Server) -> Result<()> {
    let file = server.call("figma_file_get", &json!({ "file_key": sandbox::PRODUCT_FILE, "depth": 1 }))?;
    let pages: Vec<String> = items(&file, "/document/children")
        .map(|page| format!("   - {} ({})\n", name_of(page), id_of(page)))
        .collect();
    print(&format!("2. The pages of the file \"{}\":\n{}\n", name_of(&file), pages.concat()))
}

/// The open comments by the frame that they are pinned to; returns the frame with the most.
fn show_comments(server: &mut Server) -> Result<String> {
    let answer = server.call("figma_file_comments_list", &json!({ "file_key": sandbox::PRODUCT_FILE }))?;
    let mut by_frame: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for comment in
        items(&answer, "/comments").filter(|comment| comment.get("resolved_at").is_none_or(Value::is_null))
    {
        let Some(frame) = comment.pointer("/client_meta/node_id").and_then(Value::as_str) else { continue };
        let text =
            |pointer: &str| foreign(comment.pointer(pointer).and_then(Value::as_str).unwrap_or_default());
        by_frame.entry(frame.to_owned()).or_default().push(format!(
            "     {}: {}\n",
            text("/user/handle"),
            text("/message")
        ));
    }
    let ids: Vec<&String> = by_frame.keys().collect();
    let nodes = server.call(
        "figma_file_nodes_get",
        &json!({ "file_key": sandbox::PRODUCT_FILE, "ids": ids, "depth": 1 }),
    )?;
    print("3. Its open comments, by the frame that they are pinned to:\n")?;
    for (frame, comments) in &by_frame {
        let node = nodes.pointer(&format!("/nodes/{frame}/document")).unwrap_or(&Value::Null);
        print(&format!("   {} ({frame})\n{}", name_of(node), comments.concat()))?;
    }
    print("\n")?;
    let busiest = by_frame.into_iter().rev().max_by_key(|(_, comments)| comments.len());
    busiest.map(|(frame, _)| frame).ok_or_else(|| unexpected("no open comment"))
}

fn show_render(server: &mut Server, frame: &str) -> Result<()> {
    let answer = server.call(
        "figma_file_images_render",
        &json!({ "file_key": sandbox::PRODUCT_FILE, "ids": [frame], "format": "png" }),
    )?;
    let address = answer.get("images").and_then(|images| images.get(frame)).and_then(Value::as_str);
    let Some(address) = address else {
        return print(
            "4. This build renders SVG only (feature `sandbox-render` is off), so no PNG is shown.\n\n",
        );
    };
    let downloads = Downloads::new(Network::default(), address, IMAGE_LIMIT);
    let image = in_runtime(downloads.get(address))?;
    let path = env::temp_dir().join("figma-mcp-demo.png");
    save(&path, &image)?;
    print(&format!("4. That frame rendered as a PNG of {} bytes:\n   {}\n\n", image.len(), path.display()))
}

fn show_error(server: &mut Server, title: &str, tool: &str, arguments: &Value) -> Result<()> {
    let result = server.request("tools/call", &json!({ "name": tool, "arguments": arguments }))?;
    if result.get("isError") != Some(&Value::Bool(true)) {
        return Err(unexpected("a call that should fail did not"));
    }
    let number = if tool == "figma_file_get" { 6 } else { 5 };
    let lines: Vec<String> = text_of(&result).lines().map(|line| format!("   {line}\n")).collect();
    print(&format!("{number}. {title}:\n{}\n", lines.concat()))
}

/// The server as a child process, and the client's side of the conversation.
struct Server {
    process: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    requests: u64,
}

impl Server {
    fn start() -> Result<Self> {
        let program = env::current_exe().map_err(|error| failed(&error))?;
        let mut child = Command::new(program);
        // The person's own settings are for their own server, not for this show.
        for variable in command().get_arguments().filter_map(|argument| argument.get_env()) {
            child.env_remove(variable);
        }
        let mut process = child
            .args(["serve", "--sandbox"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| failed(&error))?;
        match (process.stdin.take(), process.stdout.take()) {
            (Some(input), Some(output)) => {
                Ok(Self { process, input, output: BufReader::new(output), requests: 0 })
            }
            _ => Err(unexpected("the server has no stdin or stdout")),
        }
    }

    fn initialize(&mut self) -> Result<Value> {
        let info = self.request(
            "initialize",
            &json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": { "name": "figma-mcp demo", "version": env!("CARGO_PKG_VERSION") } }),
        )?;
        self.send(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }))?;
        Ok(info)
    }

    /// A tool's answer as JSON.
    fn call(&mut self, tool: &str, arguments: &Value) -> Result<Value> {
        let result = self.request("tools/call", &json!({ "name": tool, "arguments": arguments }))?;
        let text = text_of(&result);
        if result.get("isError") == Some(&Value::Bool(true)) {
            return Err(unexpected(&text));
        }
        serde_json::from_str(&text).map_err(|error| unexpected(&error.to_string()))
    }

    fn request(&mut self, method: &str, params: &Value) -> Result<Value> {
        self.requests += 1;
        let id = self.requests;
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }))?;
        loop {
            let mut line = String::new();
            if self.output.read_line(&mut line).map_err(|error| failed(&error))? == 0 {
                return Err(unexpected("it closed the connection"));
            }
            let message: Value =
                serde_json::from_str(&line).map_err(|error| unexpected(&error.to_string()))?;
            if message.get("id").and_then(Value::as_u64) == Some(id) {
                return message.get("result").cloned().ok_or_else(|| unexpected(&message.to_string()));
            }
        }
    }

    fn send(&mut self, message: &Value) -> Result<()> {
        writeln!(self.input, "{message}").and_then(|()| self.input.flush()).map_err(|error| failed(&error))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It is a server without a client by then; that it has ended already is no failure.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn items<'a>(value: &'a Value, pointer: &str) -> impl Iterator<Item = &'a Value> {
    value.pointer(pointer).and_then(Value::as_array).into_iter().flatten()
}

fn name_of(node: &Value) -> String {
    foreign(node.get("name").and_then(Value::as_str).unwrap_or("?"))
}

fn id_of(node: &Value) -> &str {
    node.get("id").and_then(Value::as_str).unwrap_or("?")
}

/// The first text block of a result.
fn text_of(result: &Value) -> String {
    result.pointer("/content/0/text").and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn failed(error: &io::Error) -> Error {
    unexpected(&error.to_string())
}

fn unexpected(problem: &str) -> Error {
    Error::Bug { problem: format!("the demo's server did something unexpected: {problem}") }
}
