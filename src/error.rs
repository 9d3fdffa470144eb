//! What went wrong: what happened, why, and what to do next.
//!
//! The variants are situations of the person or the agent that uses this server, never wrappers of a
//! dependency's errors. Each has three parts, its `Display` (what), [`Error::why`] and
//! [`Error::next`], and three renderings: for an agent ([`Error::for_agent`]), as structured data
//! ([`Error::to_json`]) and for a person (the command line's `error:` and `hint:` lines).
//!
//! Only trusted text appears in them: our own words, and Figma's message with control characters
//! removed and cut short. Never a layer's name or a comment.

mod credential;
mod network;
mod oauth;
mod rate_limit;
mod result;
mod size;

use std::time::Duration;

use serde_json::{Value, json};

pub use credential::{CredentialError, KeyringTrouble, TokenProblem};
pub use network::{innermost, unreachable};
pub use oauth::OAuthError;
pub use rate_limit::RateLimit;
pub use result::ResultError;

/// The result of anything that can end in one of our errors.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A situation that the caller has to know about.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no tool of this name.
    #[error("there is no tool `{name}`")]
    UnknownTool {
        /// As it was asked for.
        name: String,
        /// The nearest name that exists.
        near: Option<&'static str>,
    },
    /// The tool exists, but the settings of this server leave it out.
    #[error("the tool `{name}` is switched off here by {setting}")]
    HiddenTool {
        /// The tool.
        name: &'static str,
        /// The flag that leaves it out.
        setting: &'static str,
    },
    /// An argument is wrong, missing or unknown.
    #[error("{} {problem}", argument_name(argument))]
    BadArgument {
        /// The tool.
        tool: &'static str,
        /// The argument at fault; empty when it is about several.
        argument: String,
        /// What is wrong with it, as the rest of a sentence.
        problem: String,
    },
    /// No token is configured.
    #[error("no Figma token is configured")]
    NoToken,
    /// A token is configured but cannot be used.
    #[error("the token from {origin} cannot be used: {problem}")]
    BrokenToken {
        /// Where it came from.
        origin: String,
        /// Why it cannot be used.
        problem: TokenProblem,
    },
    /// A stored credential cannot be used.
    #[error(transparent)]
    Credential(#[from] CredentialError),
    /// A login with OAuth failed, or its token cannot be replaced.
    #[error(transparent)]
    OAuth(#[from] OAuthError),
    /// A question about a kept result cannot be answered.
    #[error(transparent)]
    Result(#[from] ResultError),
    /// Figma never accepts this kind of token for this tool.
    #[error("{kind} cannot call `{tool}`")]
    WrongToken {
        /// The tool.
        tool: &'static str,
        /// The kind in use, with its article.
        kind: &'static str,
        /// The kinds that Figma accepts.
        accepted: String,
        /// The scope to ask for.
        scope: Option<&'static str>,
    },
    /// Figma does not accept the token.
    #[error("Figma does not accept the token")]
    BadToken {
        /// The kind in use, with its article.
        kind: &'static str,
        /// Figma's own words.
        message: String,
    },
    /// The token lacks a scope.
    #[error("the token lacks the scope {}", scope_list(scopes))]
    MissingScope {
        /// Any one of these would do; the first is the one to ask for.
        scopes: Vec<&'static str>,
        /// Figma's own words.
        message: String,
    },
    /// The plan or seat does not include this endpoint.
    #[error("the Figma plan or seat does not include this: it needs {plan}")]
    PlanTooSmall {
        /// What is needed.
        plan: &'static str,
        /// What still works without it.
        instead: Option<&'static str>,
        /// Figma's own words.
        message: String,
    },
    /// The token's owner may not see or change this.
    #[error("Figma denies access to {what}")]
    NoAccess {
        /// What was asked for.
        what: String,
        /// The kind of token in use.
        kind: &'static str,
        /// Figma's own words.
        message: String,
    },
    /// The owner of the file forbids copying and exporting.
    #[error("{what} may not be exported: its owner forbids viewers to copy, share or export")]
    NotExportable {
        /// What was asked for.
        what: String,
    },
    /// Nothing is there.
    #[error("Figma finds nothing at {what}")]
    NotFound {
        /// What was asked for.
        what: String,
        /// Figma's own words.
        message: String,
    },
    /// The answer is larger than Figma makes, or than this server reads.
    #[error("the answer is too large: {limit}")]
    TooLarge {
        /// Whose limit it is.
        limit: String,
        /// What to do to get a smaller one.
        smaller: &'static str,
    },
    /// The file is larger than Figma sends in one piece, and all of it was wanted.
    #[error("the file is too large for one answer of Figma; it has {} pages", pages.len())]
    TooLargeFile {
        /// The pages' node ids.
        pages: Vec<String>,
        /// How many tier 1 calls it takes to fetch those that are not kept yet.
        calls: usize,
        /// The page that is too large for one answer by itself.
        page: Option<String>,
    },
    /// The endpoint does not know this type of file.
    #[error("Figma does not offer this for this type of file")]
    WrongFileType {
        /// Figma's own words.
        message: String,
    },
    /// The rate limit is used up.
    #[error("{0}")]
    RateLimited(Box<RateLimit>),
    /// Too many calls wait already.
    #[error("{waiting} tier {tier} calls wait already")]
    Busy {
        /// The tier of the call.
        tier: u8,
        /// How many wait.
        waiting: usize,
    },
    /// One caller has too many calls under way.
    #[error("{limit} calls of yours are under way already")]
    TooManyCalls {
        /// How many are allowed at once.
        limit: usize,
    },
    /// Figma refused the request as it is.
    #[error("Figma refused the request ({status}): {message}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// Figma's own words.
        message: String,
        /// What to change, where we know it.
        advice: Option<&'static str>,
    },
    /// Figma failed, also when asked again.
    #[error("Figma failed with status {status}: {message}")]
    FigmaFailed {
        /// The HTTP status.
        status: u16,
        /// Figma's own words.
        message: String,
        /// How often it was asked.
        attempts: u32,
    },
    /// A writing call was sent and its outcome is not known.
    #[error("it is not known whether the call was carried out: {problem}")]
    Unknown {
        /// What broke.
        problem: String,
        /// The reading tool that shows it.
        verify_with: &'static str,
    },
    /// Figma could not be reached.
    #[error("Figma could not be reached: {problem}")]
    Unreachable {
        /// What broke.
        problem: String,
        /// How often it was tried.
        attempts: u32,
    },
    /// No answer within the time limit.
    #[error("no answer from Figma within {} s", limit.as_secs())]
    TimedOut {
        /// The limit.
        limit: Duration,
    },
    /// The answer is not what Figma's API sends.
    #[error("the answer is not Figma's: {problem}")]
    BadAnswer {
        /// What is wrong with it.
        problem: String,
    },
    /// Figma answered "success", yet nothing was done.
    #[error("Figma did not do it: {message}")]
    NothingDone {
        /// Figma's own words.
        message: String,
    },
    /// The caller took the call back.
    #[error("the call was cancelled")]
    Cancelled,
    /// The command line was used wrongly.
    #[error("{problem}")]
    Usage {
        /// What is wrong.
        problem: String,
        /// What to type instead.
        hint: String,
    },
    /// A file could not be read or written.
    #[error("{path}: {problem}")]
    File {
        /// The file.
        path: String,
        /// What the operating system says.
        problem: String,
    },
    /// Files are to be written, and no folder for them was named.
    #[error("this server has no folder to write images to")]
    NoImageDir,
    /// A path that leads out of the folder for images, or might.
    #[error("`{path}` is no folder inside the image folder")]
    Outside {
        /// The path, as it was given.
        path: String,
    },
    /// None of the images that were asked for was saved or shown.
    #[error("no image came of it: {reasons}")]
    NoImages {
        /// Which image failed for which reason.
        reasons: String,
    },
    /// A defect of this server.
    #[error("a defect of figma-mcp: {problem}")]
    Bug {
        /// What happened.
        problem: String,
    },
}

/// What to do next, and who does it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// The caller itself: whole sentences.
    Do(String),
    /// Only a person can: what, as a sentence without its subject. An agent is told to ask for it.
    Person(String),
}

impl Next {
    /// For an agent, which has to ask its user where only a person can act.
    #[must_use]
    pub fn for_agent(&self) -> String {
        match self {
            Self::Do(text) => text.clone(),
            Self::Person(text) => format!("Ask the user to {text}"),
        }
    }

    /// For the person at the terminal.
    #[must_use]
    pub fn for_person(&self) -> String {
        match self {
            Self::Do(text) => text.clone(),
            Self::Person(text) => {
                let mut letters = text.chars();
                letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
            }
        }
    }
}

impl Error {
    /// A wrong argument; `problem` is the rest of a sentence that begins with its name.
    pub fn bad_argument(tool: &'static str, argument: &str, problem: impl Into<String>) -> Self {
        Self::BadArgument { tool, argument: argument.to_owned(), problem: problem.into() }
    }

    /// A word for the situation that never changes, for programs.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::UnknownTool { .. } => "unknown_tool",
            Self::HiddenTool { .. } => "hidden_tool",
            Self::BadArgument { .. } => "bad_argument",
            Self::NoToken => "no_token",
            Self::BrokenToken { .. } => "broken_token",
            Self::Credential(error) => error.kind(),
            Self::OAuth(error) => error.kind(),
            Self::Result(error) => error.kind(),
            Self::WrongToken { .. } => "wrong_token",
            Self::BadToken { .. } => "bad_token",
            Self::MissingScope { .. } => "missing_scope",
            Self::PlanTooSmall { .. } => "plan_too_small",
            Self::NoAccess { .. } => "no_access",
            Self::NotExportable { .. } => "not_exportable",
            Self::NotFound { .. } => "not_found",
            Self::TooLarge { .. } => "too_large",
            Self::TooLargeFile { .. } => "too_large_file",
            Self::WrongFileType { .. } => "wrong_file_type",
            Self::RateLimited(_) => "rate_limited",
            Self::Busy { .. } => "busy",
            Self::TooManyCalls { .. } => "too_many_calls",
            Self::Refused { .. } => "refused",
            Self::FigmaFailed { .. } => "figma_failed",
            Self::Unknown { .. } => "unknown_outcome",
            Self::Unreachable { .. } => "unreachable",
            Self::TimedOut { .. } => "timed_out",
            Self::BadAnswer { .. } => "bad_answer",
            Self::NothingDone { .. } => "nothing_done",
            Self::Cancelled => "cancelled",
            Self::Usage { .. } => "usage",
            Self::File { .. } => "file",
            Self::NoImageDir => "no_image_dir",
            Self::Outside { .. } => "outside",
            Self::NoImages { .. } => "no_images",
            Self::Bug { .. } => "bug",
        }
    }

    /// Why it happened, where that is not plain from what happened.
    #[must_use]
    pub fn why(&self) -> Option<String> {
        match self {
            Self::HiddenTool { .. } => Some("whoever started this server chose which tools it offers".into()),
            Self::NoToken => Some("every call to Figma needs a token of yours".into()),
            Self::Credential(error) => error.why(),
            Self::OAuth(error) => error.why(),
            Self::Result(error) => error.why(),
            Self::WrongToken { accepted, scope, .. } => Some(match scope {
                Some(scope) => format!("Figma accepts {accepted} here, with the scope `{scope}`"),
                None => format!("Figma accepts {accepted} here"),
            }),
            Self::BadToken { kind, message } => Some(format!(
                "it has expired (personal tokens end after 90 days at most), was revoked, is missing a part, or is not what it is configured as ({kind}); Figma says: {message}"
            )),
            Self::MissingScope { message, .. } | Self::PlanTooSmall { message, .. } | Self::WrongFileType { message } => figma_says(message),
            Self::NoAccess { kind, message, .. } => Some(format!(
                "the owner of {kind} cannot see it or may not do this (a plan access token may also be limited to listed files and teams); Figma says: {message}"
            )),
            Self::NotFound { message, .. } => Some(format!(
                "the key or id is wrong, it was deleted, or the number comes from a Community page and is no file key; Figma says: {message}"
            )),
            Self::RateLimited(_) => Some(
                "Figma counts calls by tier against the plan of the place where the file lies, not against the plan of the caller; View and Collab seats, and files in a Starter plan, get a handful of tier 1 calls a month".into(),
            ),
            Self::Busy { .. } => Some("this server sends few calls of a tier at a time, so that a burst does not use up Figma's rate limit".into()),
            Self::TooManyCalls { .. } => Some("this server is shared, and no caller may use up its places".into()),
            Self::FigmaFailed { attempts, .. } | Self::Unreachable { attempts, .. } if *attempts > 1 => Some(format!("tried {attempts} times")),
            Self::Unknown { .. } => Some("the request had left before the answer was lost; sending it again could do it twice".into()),
            Self::TimedOut { .. } => Some("Figma gives up on large files after about 55 s".into()),
            Self::NoImageDir => Some("files are only written below one folder, which whoever starts the server names".into()),
            Self::BadAnswer { .. } => Some("a proxy or a wrong API address often answers in Figma's place".into()),
            _ => None,
        }
    }

    /// What to do next.
    #[must_use]
    pub fn next(&self) -> Next {
        use Next::{Do, Person};
        match self {
            Self::UnknownTool { near: Some(near), .. } => {
                Do(format!("Call `{near}` if that is meant; `tools/list` has all names."))
            }
            Self::UnknownTool { near: None, .. } => Do("`tools/list` has all names.".into()),
            Self::HiddenTool { .. } => Person("change that setting if this tool is needed.".into()),
            Self::BadArgument { .. } => Do("Correct it and call again.".into()),
            Self::NoToken => Person("run `figma-mcp auth login` once (or set FIGMA_TOKEN in this server's environment), or try the server with `--sandbox`.".into()),
            Self::BrokenToken { .. } => Person("set it again, exactly as Figma showed it.".into()),
            Self::Credential(error) => error.next(),
            Self::OAuth(error) => error.next(),
            Self::Result(error) => error.next(),
            Self::WrongToken { accepted, .. } => Person(format!("configure {accepted}; retrying will not help.")),
            Self::BadToken { .. } => Person("create a new token, and store it with `figma-mcp auth login` (or set FIGMA_TOKEN; if it is a plan or OAuth token, FIGMA_TOKEN_KIND must say so).".into()),
            Self::MissingScope { scopes, .. } => Person(format!("create a token with the scope {} and set it.", scope_list(scopes))),
            Self::PlanTooSmall { instead: Some(instead), .. } => {
                Do(format!("{instead} Otherwise this needs a larger plan or seat; retrying will not help."))
            }
            Self::PlanTooSmall { instead: None, .. } => {
                Do("This needs a larger plan or seat; retrying will not help.".into())
            }
            Self::NoAccess { .. } => Person("check that the file, project or team is shared with the owner of the token.".into()),
            Self::NotExportable { .. } => Person("have the file's owner allow viewers to copy and export it.".into()),
            Self::NotFound { .. } => Person("give the file's own address, or check the id.".into()),
            Self::TooLarge { smaller, .. } => Do((*smaller).into()),
            Self::TooLargeFile { pages, calls, page } => Do(size::page_by_page(pages, *calls, page.as_deref())),
            Self::WrongFileType { .. } => Do("`figma_file_metadata_get` works for every type of file.".into()),
            Self::RateLimited(limit) => Do(limit.next()),
            Self::Busy { .. } | Self::TooManyCalls { .. } => Do("Wait for the answers of earlier calls, then call again.".into()),
            Self::Refused { advice: Some(advice), .. } => Do((*advice).into()),
            Self::Refused { advice: None, .. } | Self::NothingDone { .. } => {
                Do("Correct the arguments; the same call will be refused again.".into())
            }
            Self::FigmaFailed { .. } => {
                Do("Try again in a minute; for a large file, ask for fewer or smaller nodes.".into())
            }
            Self::Unknown { verify_with, .. } => {
                Do(format!("Look with `{verify_with}` whether it happened before calling again."))
            }
            Self::Unreachable { .. } => Person("check the network, the proxy and --api-base-url, if a second call fails too.".into()),
            Self::TimedOut { .. } => {
                Do("Ask for less (fewer or smaller nodes or renders), or raise --timeout.".into())
            }
            Self::BadAnswer { .. } => Person("check the proxy and --api-base-url.".into()),
            Self::Cancelled => Do("Call again if it is still wanted.".into()),
            Self::Usage { hint, .. } => Do(hint.clone()),
            Self::File { .. } => Person("check the path and its permissions.".into()),
            Self::NoImageDir => Person("start this server with `--image-dir DIR` (or FIGMA_MCP_IMAGE_DIR). Without it, `figma_file_images_render` gives addresses that a browser opens.".into()),
            Self::Outside { .. } => Do("Give a relative path: names joined by `/`, without `..`, and none that begins with a dot.".into()),
            Self::NoImages { .. } => Do("Correct what each reason says; the same call would fail again.".into()),
            Self::Bug { .. } => Person("report it with this text; other calls are not affected.".into()),
        }
    }

    /// The HTTP status that Figma answered with, where one decided.
    #[must_use]
    pub const fn status(&self) -> Option<u16> {
        match self {
            Self::Refused { status, .. } | Self::FigmaFailed { status, .. } => Some(*status),
            Self::RateLimited(_) => Some(429),
            Self::BadToken { .. }
            | Self::MissingScope { .. }
            | Self::PlanTooSmall { .. }
            | Self::NoAccess { .. }
            | Self::NotExportable { .. } => Some(403),
            Self::NotFound { .. } => Some(404),
            _ => None,
        }
    }

    /// Two to four lines for a model: what, why, next.
    #[must_use]
    pub fn for_agent(&self) -> String {
        let mut text = format!("error: {self}\n");
        if let Some(why) = self.why() {
            text += &format!("why: {why}\n");
        }
        text + &format!("next: {}", self.next().for_agent())
    }

    /// The same as structured data: `error`, `what`, `why`, `next`, `status`, `retry_after_s`.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut json =
            json!({ "error": self.kind(), "what": self.to_string(), "next": self.next().for_agent() });
        let retry_after = match self {
            Self::RateLimited(limit) => limit.retry_after.map(|wait| wait.as_secs()),
            _ => None,
        };
        let optional = [
            ("why", self.why().map(Value::from)),
            ("status", self.status().map(Value::from)),
            ("retry_after_s", retry_after.map(Value::from)),
        ];
        if let Value::Object(fields) = &mut json {
            fields.extend(optional.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
        }
        json
    }

    /// For a person at a terminal: `error:` and `hint:` lines.
    #[must_use]
    pub fn for_person(&self) -> String {
        let why = self.why().map(|why| format!("  {why}\n")).unwrap_or_default();
        format!("error: {self}\n{why}hint: {}\n", self.next().for_person())
    }

    /// The command line's exit code: 2 usage, 3 token, 4 refused by Figma, 5 rate limit, 1 anything else.
    #[must_use]
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::UnknownTool { .. }
            | Self::HiddenTool { .. }
            | Self::BadArgument { .. }
            | Self::Result(_)
            | Self::NoImageDir
            | Self::Outside { .. }
            | Self::Usage { .. } => 2,
            Self::NoToken | Self::WrongToken { .. } | Self::BadToken { .. } | Self::MissingScope { .. } => 3,
            Self::PlanTooSmall { .. }
            | Self::NoAccess { .. }
            | Self::NotExportable { .. }
            | Self::NotFound { .. }
            | Self::TooLarge { .. }
            | Self::TooLargeFile { .. }
            | Self::WrongFileType { .. }
            | Self::Refused { .. }
            | Self::NoImages { .. }
            | Self::NothingDone { .. } => 4,
            Self::RateLimited(_) | Self::Busy { .. } | Self::TooManyCalls { .. } => 5,
            Self::BrokenToken { problem, .. } => problem.exit_code(),
            Self::Credential(error) => error.exit_code(),
            Self::OAuth(error) => error.exit_code(),
            _ => 1,
        }
    }
}

/// A length of time as a person says it: `4 d 13 h`, `12 min`, `30 s`.
#[must_use]
pub fn span(time: Duration) -> String {
    let seconds = time.as_secs();
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, m) => format!("{m} min {} s", seconds % 60),
        (0, h, m) => format!("{h} h {m} min"),
        (d, h, _) => format!("{d} d {h} h"),
    }
}

/// Text from outside, fit for an error: one line, no control or invisible characters, at most 300 characters.
#[must_use]
pub fn foreign(text: &str) -> String {
    const LIMIT: usize = 300;
    let is_plain = |c: &char| {
        !c.is_control()
            && !matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
    };
    let spaced = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut clean: String = spaced.chars().filter(is_plain).take(LIMIT + 1).collect();
    if clean.chars().count() > LIMIT {
        clean = clean.chars().take(LIMIT).collect::<String>() + "…";
    }
    clean
}

fn argument_name(argument: &str) -> String {
    if argument.is_empty() {
        "the arguments are incomplete or contradict each other:".to_owned()
    } else {
        format!("argument `{argument}`")
    }
}

fn scope_list(scopes: &[&'static str]) -> String {
    let quoted: Vec<String> = scopes.iter().map(|scope| format!("`{scope}`")).collect();
    if quoted.is_empty() { "that this endpoint needs".to_owned() } else { quoted.join(" or ") }
}

fn figma_says(message: &str) -> Option<String> {
    (!message.is_empty()).then(|| format!("Figma says: {message}"))
}
