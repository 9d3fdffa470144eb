//! What a person types.
//!
//! This is the only room that prints. Data goes to stdout, everything else to stderr.

mod auth;
mod cache;
mod call;
mod demo;
mod doctor;
mod setup;
mod tools;

use std::{
    io::{self, IsTerminal, Write},
    num::NonZero,
    path::PathBuf,
    process::ExitCode,
    thread,
    time::Duration,
};

use clap::{CommandFactory, Parser, Subcommand, error::ErrorKind};
use tracing_subscriber::{layer::SubscriberExt, util::SubscriberInitExt};

use crate::{
    auth::{Redacting, hide_in_panics, redacted},
    dispatch::App,
    error::{Error, Result},
    filter, server,
    settings::Settings,
};

/// An MCP server that gives AI agents the whole Figma REST API
#[derive(Debug, Parser)]
#[command(
    name = "figma-mcp",
    version,
    after_help = "MCP hosts start it without a command. To see it work without a token: figma-mcp demo"
)]
struct CommandLine {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    settings: Settings,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve MCP over stdin and stdout (what happens without a command when stdin is a pipe), or over HTTP
    Serve,
    /// Call one tool and print its result
    Call {
        /// The tool's name, as `figma-mcp tools` lists it
        tool: String,
        /// Its arguments
        #[arg(value_name = "NAME=VALUE")]
        arguments: Vec<String>,
        /// Arguments as a JSON object; `-` reads it from stdin
        #[arg(long, value_name = "JSON")]
        json: Option<String>,
        /// Print what this jq filter makes of the result, a line for each output
        #[arg(long, value_name = "JQ")]
        filter: Option<String>,
        /// Write the whole result to this file
        #[arg(long, short, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// List the tools, or explain one
    Tools {
        /// The tool to explain
        name: Option<String>,
        /// As MCP tool definitions
        #[arg(long, conflicts_with = "markdown")]
        json: bool,
        /// As Markdown
        #[arg(long)]
        markdown: bool,
    },
    /// Log in to Figma, and see or change what is stored
    #[command(subcommand)]
    Auth(auth::Auth),
    /// See or drop the answers that are kept between calls
    #[command(subcommand)]
    Cache(cache::Cache),
    /// Show the server at work on the embedded fake Figma; needs no token
    Demo,
    /// Check the token, the keyring, the network and everything around them
    Doctor {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Print a completion script
    Completions {
        /// The shell that it is for
        shell: clap_complete::Shell,
    },
}

/// Runs the program.
pub fn main() -> ExitCode {
    close_to_others();
    hide_in_panics();
    // What this program starts itself for; nothing that a person types.
    if std::env::args_os().nth(1).is_some_and(|first| first == filter::COMMAND) {
        return filter::serve();
    }
    let line = match CommandLine::try_parse() {
        Ok(line) => line,
        Err(error) => return refuse(&error),
    };
    match run(line) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            tell(&error.for_person());
            ExitCode::from(error.exit_code())
        }
    }
}

fn run(line: CommandLine) -> Result<u8> {
    let settings = line.settings.checked()?;
    log_to_stderr(&settings);
    let done = match line.command {
        Some(Command::Auth(command)) => return auth::run(&settings, command),
        Some(Command::Doctor { json }) => return doctor::run(&settings, json),
        None if io::stdin().is_terminal() && settings.http.address()?.is_none() => {
            print(&CommandLine::command().render_help().to_string())
        }
        None | Some(Command::Serve) => serve(&settings),
        Some(Command::Call { tool, arguments, json, filter, output }) => {
            let given = call::arguments(&arguments, json.as_deref())?;
            call::run(&settings, &tool, given, filter, output.as_deref())
        }
        Some(Command::Tools { name, json, markdown }) => {
            tools::run(&settings, name.as_deref(), tools::Form::chosen(json, markdown))
        }
        Some(Command::Cache(command)) => cache::run(&settings, &command),
        Some(Command::Demo) => demo::run(),
        Some(Command::Completions { shell }) => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut CommandLine::command(), "figma-mcp", &mut script);
            print(&String::from_utf8_lossy(&script))
        }
    };
    done.map(|()| 0)
}

/// Keeps other programs of the same user out of this process's memory and environment, and a crash
/// from leaving them on the disk. Where the system refuses, everything else still holds.
fn close_to_others() {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    }
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, setrlimit};
        let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    }
}

fn serve(settings: &Settings) -> Result<()> {
    let is_shared = settings.http.address()?.is_some();
    // Many call at once there: every core that this process may use has one.
    let cores = thread::available_parallelism().map_or(WORKERS, NonZero::get);
    let workers = if is_shared { cores.max(WORKERS) } else { WORKERS };
    in_runtime_with(workers, async {
        let setup = setup::Setup::for_models(settings).await?;
        setup.tell_origin();
        setup.tell_expiry();
        let (app, caller) = (setup.app.clone(), setup.caller.clone());
        let served = if is_shared {
            server::http::serve(app, caller, &settings.http, tell).await
        } else {
            server::stdio::serve(app, caller).await
        };
        settled(&setup.app).await;
        served
    })
}

/// Writes down what is in memory only. A store that is stuck holds nobody up for long.
async fn settled(app: &App) {
    const LIMIT: Duration = Duration::from_secs(1);
    if tokio::time::timeout(LIMIT, app.settle()).await.is_err() {
        tracing::warn!("the store takes too long; the latest counts may be lost");
    }
}

/// Reading large answers is work, and one of them must not hold up the protocol.
const WORKERS: usize = 2;

fn in_runtime<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    in_runtime_with(WORKERS, work)
}

/// What still blocks when the work is done is left behind.
fn in_runtime_with<T>(workers: usize, work: impl Future<Output = Result<T>>) -> Result<T> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(workers).enable_all().build().map_err(
            |error| Error::Bug { problem: format!("the asynchronous runtime does not start: {error}") },
        )?;
    let outcome = runtime.block_on(work);
    runtime.shutdown_timeout(Duration::from_secs(1));
    outcome
}

fn log_to_stderr(settings: &Settings) {
    // Without colours: switching them on panics when the library was built without them.
    let lines = tracing_subscriber::fmt::layer().with_writer(|| Redacting(io::stderr())).with_ansi(false);
    tracing_subscriber::registry().with(settings.log_level.filter()).with(lines).init();
}

/// Help and version are answers; anything else is a mistake. What was typed is quoted without tokens.
fn refuse(error: &clap::Error) -> ExitCode {
    let text = error.render().to_string();
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => match print(&text) {
            Ok(()) => ExitCode::SUCCESS,
            Err(_) => ExitCode::FAILURE,
        },
        _ => {
            tell(&text);
            ExitCode::from(2)
        }
    }
}

/// Prints data. A reader that has seen enough is no error.
fn print(text: &str) -> Result<()> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Error::File { path: "stdout".to_owned(), problem: error.to_string() })
        }
        _ => Ok(()),
    }
}

/// Tells a person something. There is nobody to tell when that fails.
fn tell(text: &str) {
    let _ = io::stderr().lock().write_all(redacted(text).as_bytes());
}

/// The command line, for completions and for the README's table of flags.
pub fn command() -> clap::Command {
    CommandLine::command()
}
