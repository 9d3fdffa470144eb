//! The built binary, as every test starts it: at its most talkative, with all that it says and leaves
//! behind searched for the secrets that it was given ([`crate::leaks`]). A test sees what a person
//! would; who wants the log asks for a level.

use std::{
    collections::VecDeque,
    ffi::OsStr,
    io::{self, BufRead, BufReader, Read, Write},
    path::PathBuf,
    process::{Child, ChildStdin, Command, ExitStatus, Output, Stdio},
    sync::{
        LazyLock, Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
        mpsc::{Receiver, channel},
    },
    thread::JoinHandle,
    time::Duration,
};

use crate::leaks::{self, Secrets};

/// Hands over all that was said.
type Reader = JoinHandle<Vec<u8>>;

const LOG_LEVEL: &str = "FIGMA_MCP_LOG_LEVEL";

/// The built binary without any of our variables in its environment, without anybody's logins, and with
/// a folder of its own for what it keeps.
pub(crate) fn figma_mcp() -> Program {
    let mut command = Command::new(env!("CARGO_BIN_EXE_figma-mcp"));
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("FIGMA")) {
        command.env_remove(name);
    }
    command.env("FIGMA_MCP_CONFIG_DIR", concat!(env!("CARGO_TARGET_TMPDIR"), "/nobody"));
    command.env("FIGMA_MCP_CACHE_DIR", cache_dir());
    command.env(LOG_LEVEL, "trace").stdin(Stdio::null());
    Program { command, is_log_wanted: false }
}

/// A folder that nobody else keeps anything in. It is made only by servers that talk to something else
/// than their own sandbox.
pub(crate) fn cache_dir() -> PathBuf {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    static ROOT: LazyLock<PathBuf> = LazyLock::new(|| {
        let root = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("kept");
        let is_old = |entry: &std::fs::DirEntry| {
            let changed = entry.metadata().and_then(|facts| facts.modified());
            changed.is_ok_and(|at| at.elapsed().is_ok_and(|age| age > Duration::from_secs(3600)))
        };
        // What earlier runs of the tests left behind.
        for entry in std::fs::read_dir(&root).into_iter().flatten().flatten().filter(is_old) {
            let _ = std::fs::remove_dir_all(entry.path());
        }
        root.join(std::process::id().to_string())
    });
    ROOT.join(COUNT.fetch_add(1, Ordering::Relaxed).to_string())
}

/// How it is to be started; used like the standard library's `Command`.
pub(crate) struct Program {
    command: Command,
    /// Whether the test chose how talkative it is, and so wants to read that.
    is_log_wanted: bool,
}

impl Program {
    pub(crate) fn arg(&mut self, argument: impl AsRef<OsStr>) -> &mut Self {
        self.is_log_wanted |= argument.as_ref() == "--log-level";
        self.command.arg(argument);
        self
    }

    pub(crate) fn args<T: AsRef<OsStr>>(&mut self, arguments: impl IntoIterator<Item = T>) -> &mut Self {
        for argument in arguments {
            self.arg(argument);
        }
        self
    }

    pub(crate) fn env(&mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> &mut Self {
        self.is_log_wanted |= name.as_ref() == LOG_LEVEL;
        self.command.env(name, value);
        self
    }

    pub(crate) fn envs<N: AsRef<OsStr>, V: AsRef<OsStr>>(
        &mut self,
        variables: impl IntoIterator<Item = (N, V)>,
    ) -> &mut Self {
        for (name, value) in variables {
            self.env(name, value);
        }
        self
    }

    pub(crate) fn stdin(&mut self, stdin: Stdio) -> &mut Self {
        self.command.stdin(stdin);
        self
    }

    /// The variables that it is given, for whoever starts it otherwise.
    pub(crate) fn variables(&self) -> impl Iterator<Item = (&OsStr, &OsStr)> {
        self.command.get_envs().filter_map(|(name, value)| Some((name, value?)))
    }

    pub(crate) fn spawn(&mut self) -> io::Result<Running> {
        let arguments: Vec<String> = self.command.get_args().map(text).collect();
        let variables: Vec<(String, String)> =
            self.variables().map(|(name, value)| (text(name), text(value))).collect();
        let secrets = Secrets::given(&arguments, &variables);
        let folders = leaks::folders(&arguments, &variables);
        let mut child = self.command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let (stdout, said) = Piped::of(child.stdout.take().unwrap(), true);
        let (stderr, told) = Piped::of(child.stderr.take().unwrap(), self.is_log_wanted);
        let stdin = child.stdin.take().map(|pipe| Input { pipe, secrets: secrets.clone() });
        Ok(Running {
            child,
            stdin,
            stdout: Some(stdout),
            stderr: Some(stderr),
            // The one command that is there to print one.
            may_print: arguments.starts_with(&["auth".to_owned(), "token".to_owned()]),
            readers: Some((said, told)),
            secrets,
            folders,
        })
    }

    pub(crate) fn output(&mut self) -> io::Result<Output> {
        self.spawn()?.wait_with_output()
    }
}

fn text(name: &OsStr) -> String {
    name.to_string_lossy().into_owned()
}

/// A started program, like the standard library's `Child`. Its end is the search.
pub(crate) struct Running {
    child: Child,
    pub(crate) stdin: Option<Input>,
    pub(crate) stdout: Option<Piped>,
    pub(crate) stderr: Option<Piped>,
    may_print: bool,
    readers: Option<(Reader, Reader)>,
    /// What it knows and must not tell. Tests add to it as they hand out more.
    pub(crate) secrets: Secrets,
    folders: Vec<PathBuf>,
}

impl Running {
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn kill(&mut self) -> io::Result<()> {
        self.child.kill()
    }

    pub(crate) fn wait(&mut self) -> io::Result<ExitStatus> {
        drop(self.stdin.take());
        self.child.wait()
    }

    pub(crate) fn try_wait(&mut self) -> io::Result<Option<ExitStatus>> {
        self.child.try_wait()
    }

    pub(crate) fn wait_with_output(mut self) -> io::Result<Output> {
        drop(self.stdin.take());
        let rest = |pipe: Option<Piped>| {
            let mut rest = Vec::new();
            pipe.map_or(Ok(0), |mut pipe| pipe.read_to_end(&mut rest)).map(|_| rest)
        };
        let (stdout, stderr) = (rest(self.stdout.take())?, rest(self.stderr.take())?);
        Ok(Output { status: self.child.wait()?, stdout, stderr })
    }

    /// All that an ended program said on stderr, the log too. Searched first.
    pub(crate) fn told(&mut self) -> String {
        self.search().1
    }

    /// Fails when a secret is in what was said or left behind.
    fn search(&mut self) -> (String, String) {
        let Some((said, told)) = self.readers.take() else { return Default::default() };
        let all = |reader: Reader| reader.join().unwrap_or_default();
        let (said, told) = (all(said), all(told));
        if !std::thread::panicking() {
            self.secrets.learn_stored(&self.folders);
            if !self.may_print {
                self.secrets.assert_none_in("stdout", &said);
            }
            self.secrets.assert_none_in("stderr", &told);
            self.secrets.assert_none_left(&self.folders);
        }
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        (text(said), text(told))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.stdin.take());
        let _ = self.child.kill();
        let _ = self.child.wait();
        self.search();
    }
}

/// stdin; tokens and codes that go in must not come out.
pub(crate) struct Input {
    pipe: ChildStdin,
    secrets: Secrets,
}

impl Write for Input {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.secrets.learn_typed(&String::from_utf8_lossy(bytes));
        self.pipe.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.pipe.flush()
    }
}

/// stdout or stderr. A thread reads it to its end, whoever takes an interest.
pub(crate) struct Piped {
    lines: Mutex<Receiver<Vec<u8>>>,
    ready: VecDeque<u8>,
}

impl Piped {
    fn of(pipe: impl Read + Send + 'static, is_log_wanted: bool) -> (Self, Reader) {
        let (sender, lines) = channel();
        let reader = std::thread::spawn(move || {
            let (mut pipe, mut whole) = (BufReader::new(pipe), Vec::new());
            loop {
                let start = whole.len();
                if pipe.read_until(b'\n', &mut whole).unwrap_or(0) == 0 {
                    return whole;
                }
                if is_log_wanted || !is_chatter(&whole[start..]) {
                    let _ = sender.send(whole[start..].to_vec());
                }
            }
        });
        (Self { lines: Mutex::new(lines), ready: VecDeque::new() }, reader)
    }
}

impl Read for Piped {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.ready.is_empty() {
            let lines = self.lines.get_mut().unwrap_or_else(PoisonError::into_inner);
            self.ready.extend(lines.recv().unwrap_or_default());
        }
        self.ready.read(buffer)
    }
}

/// A line of the log that is not written unless somebody asks for it.
fn is_chatter(line: &[u8]) -> bool {
    let mut words = line.split(|byte| *byte == b' ').filter(|word| !word.is_empty());
    let is_time = words.next().is_some_and(|word| word.first().is_some_and(u8::is_ascii_digit));
    is_time && words.next().is_some_and(|word| matches!(word, b"TRACE" | b"DEBUG" | b"INFO"))
}

#[test]
fn a_leak_fails_the_test() {
    let searched = |secret: &'static str| {
        std::panic::catch_unwind(|| {
            let running = figma_mcp().args(["tools", "figma_me_get"]).spawn().unwrap();
            running.secrets.learn(secret);
            running.wait_with_output().unwrap()
        })
    };
    assert!(searched("figma_file_get").is_ok());
    assert!(searched("figma_me_get").is_err());
}
