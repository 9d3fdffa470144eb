//! Runs a jq filter over a JSON document, in a process of its own.
//!
//! A filter is a program, and nobody knows whether it ends or how much memory it takes. So this program
//! starts itself once more, without an environment and with limits on time and memory, hands it the
//! document on stdin and kills it when its time is over. The session that asked lives on.

mod child;
mod path;

use std::{
    io::Read,
    path::PathBuf,
    process::Stdio,
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::json;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    process::{Child, ChildStdin, ChildStdout, Command},
    sync::{Semaphore, mpsc},
};

pub use self::child::{COMMAND, serve};
use crate::error::{Error, Result, ResultError};

/// How long a filter may work once it has read the document.
const WORK_LIMIT: Duration = Duration::from_millis(1_500);
/// How long reading the document may take: a second for every 10 MB at the least.
const READ_LIMIT: Duration = Duration::from_secs(20);
/// The most that a filter may give, in bytes.
const LARGEST_OUTPUT: usize = 32 * 1024 * 1024;
/// How many filters work at once; further ones wait.
const MOST_AT_ONCE: usize = 2;
const CHUNK: usize = 64 * 1024;

/// What filters are run with. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Filters {
    program: PathBuf,
    places: Arc<Semaphore>,
}

/// The document that a filter works on.
pub enum Document {
    /// In the memory.
    Text(Arc<str>),
    /// Read as it is needed. Reading may block.
    Reader(Box<dyn Read + Send>),
}

/// What a filter is to do.
#[derive(Debug, Clone)]
pub struct Job {
    /// The filter, in the language of jq.
    pub filter: String,
    /// With this many outputs, no more are asked for.
    pub most_outputs: Option<usize>,
}

impl Default for Filters {
    fn default() -> Self {
        // The running program itself, also when its file was replaced meanwhile.
        let program = if cfg!(target_os = "linux") {
            Ok(PathBuf::from("/proc/self/exe"))
        } else {
            std::env::current_exe()
        };
        Self {
            program: program.unwrap_or_else(|_| PathBuf::from("figma-mcp")),
            places: Arc::new(Semaphore::new(MOST_AT_ONCE)),
        }
    }
}

impl Filters {
    /// What the filter makes of the document: each output as JSON, in order.
    ///
    /// # Errors
    /// [`ResultError::Filter`] with what is wrong with the filter, or what it used up.
    pub async fn run(&self, job: Job, document: Document) -> Result<Vec<String>> {
        let broken = |_| Error::Bug { problem: "the filters' places are gone".to_owned() };
        let _place = self.places.acquire().await.map_err(broken)?;
        let failed = |error: std::io::Error| Error::Bug {
            problem: format!("a process for the filter does not start: {error}"),
        };
        let mut process = self.start().map_err(failed)?;
        let (Some(input), Some(output)) = (process.stdin.take(), process.stdout.take()) else {
            return Err(Error::Bug { problem: "a process without pipes".to_owned() });
        };
        let mut first = json!({ "filter": job.filter, "most_outputs": job.most_outputs }).to_string();
        first.push('\n');
        let feeding = tokio::spawn(feed(input, first, document));
        let outcome = collect(&mut process, output).await;
        feeding.abort();
        outcome
    }

    fn start(&self) -> std::io::Result<Child> {
        let mut command = Command::new(&self.program);
        command.arg(COMMAND).env_clear();
        // Windows programs do not start without it.
        if let Some(root) = std::env::var_os("SystemRoot") {
            command.env("SystemRoot", root);
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true).spawn()
    }
}

/// Hands over the job and the document. A filter that needs no more of it closes its end.
async fn feed(mut input: ChildStdin, first: String, document: Document) {
    if input.write_all(first.as_bytes()).await.is_err() {
        return;
    }
    match document {
        Document::Text(text) => {
            let _ = input.write_all(text.as_bytes()).await;
        }
        Document::Reader(mut reader) => {
            let (sender, mut chunks) = mpsc::channel::<Vec<u8>>(4);
            let reading = tokio::task::spawn_blocking(move || {
                loop {
                    let mut chunk = vec![0; CHUNK];
                    let read = reader.read(&mut chunk)?;
                    chunk.truncate(read);
                    if read == 0 || sender.blocking_send(chunk).is_err() {
                        return std::io::Result::Ok(());
                    }
                }
            });
            while let Some(chunk) = chunks.recv().await {
                if input.write_all(&chunk).await.is_err() {
                    return;
                }
            }
            if !matches!(reading.await, Ok(Ok(()))) {
                tracing::warn!("the document of a filter could not be read to its end");
            }
        }
    }
    // Dropping our end says that there is no more.
}

async fn collect(process: &mut Child, output: ChildStdout) -> Result<Vec<String>> {
    let mut lines = BufReader::new(output.take(LARGEST_OUTPUT as u64)).lines();
    let (mut outputs, mut size) = (Vec::new(), 0);
    let mut deadline = Instant::now() + READ_LIMIT;
    let mut is_read = false;
    loop {
        let line = match tokio::time::timeout_at(deadline.into(), lines.next_line()).await {
            Ok(line) => line.ok().flatten(),
            Err(_) => return Err(out_of_time(is_read, outputs.len())),
        };
        let Some(line) = line else { return Err(ended_early(process, size).await) };
        size += line.len() + 1;
        let (mark, rest) = line.split_at_checked(1).unwrap_or_default();
        match mark {
            child::READ => {
                is_read = true;
                deadline = Instant::now() + WORK_LIMIT;
            }
            child::OUTPUT => outputs.push(rest.to_owned()),
            child::END => return Ok(outputs),
            child::ERROR => return Err(refused(rest)),
            _ => return Err(Error::Bug { problem: "the filter's process spoke out of turn".to_owned() }),
        }
    }
}

/// What the child said is wrong.
fn refused(json: &str) -> Error {
    let said: serde_json::Value = serde_json::from_str(json).unwrap_or_default();
    let text = |name: &str| said.get(name).and_then(serde_json::Value::as_str).unwrap_or_default().to_owned();
    ResultError::Filter { problem: text("problem"), next: text("next") }.into()
}

fn out_of_time(is_read: bool, outputs: usize) -> Error {
    let problem = if !is_read {
        format!("could not start: the document was not read within {} s", READ_LIMIT.as_secs())
    } else if outputs > 0 {
        format!("did not end within {} s ({outputs} outputs until then)", WORK_LIMIT.as_secs_f32())
    } else {
        format!("did not end within {} s", WORK_LIMIT.as_secs_f32())
    };
    ResultError::Filter {
        problem,
        next: "Look for a recursion or a generator without an end; begin with a path such as `.document.children[0]`, or bound it with `limit`: N.".to_owned(),
    }
    .into()
}

/// The process is gone without a last word: it was out of memory or of stack, or wrote too much.
async fn ended_early(process: &mut Child, size: usize) -> Error {
    if size >= LARGEST_OUTPUT - CHUNK {
        return ResultError::Filter {
            problem: format!("gives more than the {} MB that are taken", LARGEST_OUTPUT / 1024 / 1024),
            next: "Ask for less: `select(…)`, or only the members that are needed, as in `{id, name}`."
                .to_owned(),
        }
        .into();
    }
    let status = tokio::time::timeout(WORK_LIMIT, process.wait()).await;
    tracing::debug!(?status, "the filter's process ended early");
    if matches!(status, Ok(Ok(status)) if status.code() == Some(child::OVER_TIME)) {
        return out_of_time(true, 0);
    }
    ResultError::Filter {
        problem: "used up its memory or recursed too deeply".to_owned(),
        next: "Begin with a path, such as `.document.children[0] | …`: only what lies there is loaded then; and bound recursions and lists.".to_owned(),
    }
    .into()
}
