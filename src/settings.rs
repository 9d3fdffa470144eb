//! Every flag and environment variable, in one list with its documentation.
//!
//! This is the only room that reads the environment. Help pages, shell completions and the README's
//! table are made from the same list.

mod cache;
mod http;

use std::{
    env,
    ffi::OsString,
    path::{Path, PathBuf},
    time::Duration,
};

use clap::{
    Args, ValueEnum,
    builder::{FalseyValueParser, NonEmptyStringValueParser},
};
use etcetera::BaseStrategy;
use tracing_subscriber::filter::{LevelFilter, Targets};

pub use self::{
    cache::CacheSettings,
    http::{Access, Format, HttpSettings, Tls},
};
use crate::{
    error::{Error, Result},
    table::{
        NAME_SETS, NameSet, Selection, TokenKind,
        args::Defaults,
        figma_url::{FigmaUrl, is_number},
    },
};

/// Figma's API, for everybody but Figma for Government.
pub const FIGMA_API: &str = "https://api.figma.com";

/// Where our own log lines come from.
const OURS: &str = "figma_mcp";

/// What the person who starts the program chooses.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Settings")]
pub struct Settings {
    /// Toolsets to offer, by name; `default` is the everyday ones, `all` is every one
    #[arg(long, env = "FIGMA_MCP_TOOLSETS", global = true, value_name = "NAMES", value_delimiter = ',')]
    pub toolsets: Vec<String>,

    /// Tools to offer: only these, or these beside `--toolsets`
    #[arg(long, env = "FIGMA_MCP_TOOLS", global = true, value_name = "NAMES", value_delimiter = ',')]
    pub tools: Vec<String>,

    /// Tools not to offer, whatever else is chosen
    #[arg(long, env = "FIGMA_MCP_EXCLUDE_TOOLS", global = true, value_name = "NAMES", value_delimiter = ',')]
    pub exclude_tools: Vec<String>,

    /// Other servers' tool names to list too: `framelink`, `official`; all are accepted without it
    #[arg(long, env = "FIGMA_MCP_NAMES", global = true, value_name = "SETS", value_delimiter = ',')]
    pub names: Vec<String>,

    /// Offer only tools that change nothing, neither at Figma nor on this machine (no saved images)
    #[arg(long, env = "FIGMA_MCP_READ_ONLY", global = true, value_parser = FalseyValueParser::new())]
    pub read_only: bool,

    /// Team that is meant where a tool needs one and none is given: its id or its Figma URL
    #[arg(long, env = "FIGMA_TEAM_ID", global = true, value_name = "ID")]
    pub team_id: Option<String>,

    /// The login to use, by its name; without it the current one (`figma-mcp auth switch`)
    #[arg(long, env = "FIGMA_PROFILE", global = true, value_name = "NAME")]
    pub profile: Option<String>,

    /// Folder for what is known of logins (no secrets, unless `--insecure-storage` was chosen)
    #[arg(long, env = "FIGMA_MCP_CONFIG_DIR", global = true, value_name = "DIR")]
    pub config_dir: Option<OsString>,

    /// Folder below which images may be saved; without it no tool writes a file
    #[arg(long, env = "FIGMA_MCP_IMAGE_DIR", global = true, value_name = "DIR")]
    pub image_dir: Option<OsString>,

    /// Proxy for everything that goes out, in place of `HTTPS_PROXY`
    #[arg(long, env = "FIGMA_MCP_PROXY", global = true, value_name = "URL")]
    pub proxy: Option<String>,

    /// Certificates (PEM) to trust beside the system's, such as those of a company's proxy
    #[arg(long, env = "FIGMA_MCP_CA_FILE", global = true, value_name = "FILE")]
    pub ca_file: Option<OsString>,

    /// Address of Figma's API; Figma for Government is `https://api.figma-gov.com`
    #[arg(long, env = "FIGMA_API_BASE_URL", global = true, value_name = "URL")]
    pub api_base_url: Option<String>,

    /// Seconds after which a call gives up, retries included
    #[arg(long, env = "FIGMA_MCP_TIMEOUT", global = true, value_name = "SECONDS", default_value = "120", value_parser = timeout)]
    pub timeout: u64,

    /// Most bytes of text in one answer to a model; what is larger is kept, and shown in part
    #[arg(long, env = "FIGMA_MCP_MAX_RESULT_BYTES", global = true, value_name = "BYTES", default_value = "49152", value_parser = max_result_bytes)]
    pub max_result_bytes: usize,

    /// Talk to an embedded fake Figma instead of the real one; needs no token
    #[arg(long, env = "FIGMA_MCP_SANDBOX", global = true, value_parser = FalseyValueParser::new())]
    pub sandbox: bool,

    /// Let the fake Figma serve the REST answers (*.json) in this folder; implies `--sandbox`
    #[arg(long, env = "FIGMA_MCP_SANDBOX_DATA", global = true, value_name = "DIR")]
    pub sandbox_data: Option<OsString>,

    /// Let the fake Figma also serve a file of this size (its key: `ScaledSample0000000001a`); implies `--sandbox`
    #[arg(long, env = "FIGMA_MCP_SANDBOX_SCALE", global = true, value_name = "SIZE")]
    pub sandbox_scale: Option<String>,

    /// How much to log on stderr
    #[arg(
        long,
        env = "FIGMA_MCP_LOG_LEVEL",
        global = true,
        value_name = "LEVEL",
        default_value = "warn",
        value_parser = log_level
    )]
    pub log_level: LogLevel,

    /// What is kept between calls.
    #[command(flatten)]
    pub cache: CacheSettings,

    /// Everything about serving over HTTP.
    #[command(flatten)]
    pub http: HttpSettings,

    /// Serve MCP over stdin and stdout: the default; accepted for people who come from other servers
    #[arg(long, global = true, hide = true)]
    pub stdio: bool,

    /// Refused: a token does not belong on a command line
    #[arg(long, global = true, hide = true, value_name = "TOKEN", num_args = 0..=1, default_missing_value = "given", value_parser = NonEmptyStringValueParser::new(), aliases = ["figma-oauth-token", "figma-token", "api-key", "access-token", "token"])]
    figma_api_key: Option<String>,
}

/// How much is logged on stderr. Tokens never are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogLevel {
    /// Nothing.
    Off,
    /// Defects.
    Error,
    /// What the person should know of.
    Warn,
    /// One line a call.
    Info,
    /// Every step.
    Debug,
    /// Every step of the libraries too.
    Trace,
}

impl LogLevel {
    /// The filter for `tracing`: the protocol library logs arguments and results at debug, so it
    /// stays quiet unless everything is asked for.
    pub fn filter(self) -> Targets {
        let others = Targets::new();
        match self {
            Self::Off => others.with_default(LevelFilter::OFF),
            Self::Error => others.with_default(LevelFilter::ERROR),
            Self::Warn => others.with_default(LevelFilter::WARN),
            Self::Info => others.with_default(LevelFilter::WARN).with_target(OURS, LevelFilter::INFO),
            Self::Debug => others.with_default(LevelFilter::WARN).with_target(OURS, LevelFilter::DEBUG),
            Self::Trace => others
                .with_default(LevelFilter::DEBUG)
                .with_target(OURS, LevelFilter::TRACE)
                .with_target("rmcp", LevelFilter::INFO),
        }
    }
}

/// An environment variable that can hold a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenVariable {
    /// Its name.
    pub name: &'static str,
    /// The kind of token that it holds unless [`TOKEN_KIND_VARIABLE`] says otherwise.
    pub kind: TokenKind,
    /// Whether [`TOKEN_KIND_VARIABLE`] can say otherwise.
    pub kind_can_change: bool,
}

/// Where a token is looked for, in this order. The names are those that people already use.
pub const TOKEN_VARIABLES: &[TokenVariable] = &[
    TokenVariable { name: "FIGMA_TOKEN", kind: TokenKind::Personal, kind_can_change: true },
    TokenVariable { name: "FIGMA_API_KEY", kind: TokenKind::Personal, kind_can_change: true },
    TokenVariable { name: "FIGMA_ACCESS_TOKEN", kind: TokenKind::Personal, kind_can_change: true },
    TokenVariable { name: "FIGMA_API_TOKEN", kind: TokenKind::Personal, kind_can_change: true },
    TokenVariable { name: "FIGMA_PAT", kind: TokenKind::Personal, kind_can_change: true },
    TokenVariable { name: "FIGMA_OAUTH_TOKEN", kind: TokenKind::OAuth, kind_can_change: false },
];

/// The secret of the Figma app that logs in with OAuth.
pub const CLIENT_SECRET_VARIABLE: &str = "FIGMA_OAUTH_CLIENT_SECRET";

/// Says which kind of token the others hold: `personal`, `plan` or `oauth`.
pub const TOKEN_KIND_VARIABLE: &str = "FIGMA_TOKEN_KIND";

/// Names the folder for images too: what another server calls it.
const IMAGE_DIR_VARIABLE: &str = "IMAGE_DIR";

/// A variable of the environment. Empty ones, and placeholders that an MCP host left unfilled
/// (`${user_config.token}`), count as absent.
pub fn variable(name: &str) -> Option<String> {
    env::var(name).ok().and_then(|value| meaningful(&value))
}

/// Seconds; an empty value is the default.
fn timeout(text: &str) -> Result<u64, String> {
    const DEFAULT: u64 = 120;
    let Some(text) = meaningful(text) else { return Ok(DEFAULT) };
    text.parse()
        .ok()
        .filter(|seconds| (1..=3600).contains(seconds))
        .ok_or_else(|| "it must be a whole number of seconds from 1 to 3600".to_owned())
}

/// Bytes; an empty value is the default. Below 4 KiB there is no room to say what is left out.
fn max_result_bytes(text: &str) -> Result<usize, String> {
    const DEFAULT: usize = 48 * 1024;
    const SMALLEST: usize = 4 * 1024;
    let Some(text) = meaningful(text) else { return Ok(DEFAULT) };
    text.parse()
        .ok()
        .filter(|bytes| *bytes >= SMALLEST)
        .ok_or_else(|| format!("it must be a whole number of bytes, {SMALLEST} at the least"))
}

/// A level by name; an empty value is the default.
fn log_level(text: &str) -> Result<LogLevel, String> {
    let Some(text) = meaningful(text) else { return Ok(LogLevel::Warn) };
    let names = || LogLevel::value_variants().iter().filter_map(ValueEnum::to_possible_value);
    LogLevel::from_str(&text, true).map_err(|_| {
        let names: Vec<String> = names().map(|name| name.get_name().to_owned()).collect();
        format!("it must be one of {}", names.join(", "))
    })
}

fn meaningful(value: &str) -> Option<String> {
    let value = value.trim();
    let is_placeholder = value.starts_with("${") && value.ends_with('}');
    (!value.is_empty() && !is_placeholder).then(|| value.to_owned())
}

impl Settings {
    /// Checks what a parser of flags cannot, and makes empty values absent.
    ///
    /// # Errors
    /// [`Error::Usage`], with what to type instead.
    pub fn checked(mut self) -> Result<Self> {
        if self.figma_api_key.is_some() {
            return Err(token_on_command_line());
        }
        for list in [&mut self.toolsets, &mut self.tools, &mut self.exclude_tools, &mut self.names] {
            *list = list.iter().filter_map(|name| meaningful(name)).collect();
        }
        self.team_id = self.team_id.as_deref().and_then(meaningful).map(|id| team_id(&id)).transpose()?;
        self.api_base_url =
            self.api_base_url.as_deref().and_then(meaningful).map(|url| base_url(&url)).transpose()?;
        let image_dir = self.image_dir.take().or_else(|| variable(IMAGE_DIR_VARIABLE).map(OsString::from));
        self.image_dir = image_dir;
        for path in [&mut self.sandbox_data, &mut self.config_dir, &mut self.ca_file, &mut self.image_dir] {
            *path = path.take().filter(|path| path.to_str().is_none_or(|text| meaningful(text).is_some()));
        }
        for text in [&mut self.profile, &mut self.proxy, &mut self.sandbox_scale] {
            *text = text.as_deref().and_then(meaningful);
        }
        if let Some(proxy) = &self.proxy {
            check_proxy(proxy)?;
        }
        self.cache.tidy();
        self.http.check()?;
        self.sandbox_size()?;
        self.sandbox |= self.sandbox_data.is_some() || self.sandbox_scale.is_some();
        if self.sandbox && self.api_base_url.is_some() {
            return Err(usage(
                "--sandbox and --api-base-url contradict each other",
                "Leave one of them out; they may also come from FIGMA_MCP_SANDBOX and FIGMA_API_BASE_URL.",
            ));
        }
        Ok(self)
    }

    /// The tools that these settings offer.
    ///
    /// # Errors
    /// [`Error::Usage`] for a name that does not exist.
    pub fn selection(&self) -> Result<Selection> {
        Selection::new(&self.toolsets, &self.tools, &self.exclude_tools, self.read_only)
    }

    /// The other servers whose tool names are listed too.
    ///
    /// # Errors
    /// [`Error::Usage`] for a name that does not exist.
    pub fn name_sets(&self) -> Result<Vec<&'static NameSet>> {
        let find = |name: &String| {
            let found = NAME_SETS.iter().find(|set| set.name.eq_ignore_ascii_case(name));
            found.ok_or_else(|| {
                let names: Vec<&str> = NAME_SETS.iter().map(|set| set.name).collect();
                usage(
                    &format!("there is no set of names `{name}`"),
                    &format!("The sets for --names are: {}.", names.join(", ")),
                )
            })
        };
        self.names.iter().map(find).collect()
    }

    /// What stands in for arguments that are not given.
    pub fn defaults(&self) -> Defaults {
        Defaults { team_id: self.team_id.clone() }
    }

    /// The folder for what is known of logins.
    ///
    /// # Errors
    /// [`Error::Usage`] when there is no home folder to put it in.
    pub fn config_dir(&self) -> Result<PathBuf> {
        if let Some(folder) = &self.config_dir {
            return Ok(PathBuf::from(folder));
        }
        etcetera::choose_base_strategy().map(|folders| folders.config_dir().join("figma-mcp")).map_err(|_| {
            usage(
                "there is no home folder to keep the profiles in",
                "Name a folder with --config-dir (FIGMA_MCP_CONFIG_DIR).",
            )
        })
    }

    /// The folder of REST answers that the sandbox serves in place of its sample data.
    pub fn sandbox_folder(&self) -> Option<&Path> {
        self.sandbox_data.as_deref().map(Path::new)
    }

    /// How many bytes the sandbox's scaled file has.
    ///
    /// # Errors
    /// [`Error::Usage`] when it is no size.
    pub fn sandbox_size(&self) -> Result<Option<u64>> {
        let parse = |text: &String| {
            cache::size(text).map_err(|problem| {
                usage(&format!("--sandbox-scale: {problem}"), "Give a size such as 150MB.")
            })
        };
        self.sandbox_scale.as_ref().map(parse).transpose()
    }

    /// How long one call may take, retries included.
    pub const fn call_limit(&self) -> Duration {
        Duration::from_secs(self.timeout)
    }
}

/// A team's id from what a person typed.
///
/// # Errors
/// [`Error::Usage`]
pub fn team_id(text: &str) -> Result<String> {
    let from_url = FigmaUrl::parse(text).and_then(std::result::Result::ok).and_then(|url| url.team_id);
    from_url.or_else(|| is_number(text).then(|| text.to_owned())).ok_or_else(|| {
        usage(
            "the team in --team-id (FIGMA_TEAM_ID) is neither a team's id nor its address",
            "Open the team in Figma; its address is https://www.figma.com/files/team/ID/NAME.",
        )
    })
}

/// A token travels to this address, so it has to be https, or this very machine.
fn base_url(text: &str) -> Result<String> {
    let refuse = |problem: &str| {
        Err(usage(
            &format!("--api-base-url (FIGMA_API_BASE_URL) {problem}"),
            &format!("Give an address such as {FIGMA_API} or https://api.figma-gov.com."),
        ))
    };
    let Ok(url) = url::Url::parse(text) else { return refuse("is no address") };
    let is_loopback = match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    match url.scheme() {
        "https" => {}
        "http" if is_loopback => {}
        "http" => return refuse("must be https: the token would travel unencrypted"),
        _ => return refuse("must be an https address"),
    }
    if !url.username().is_empty()
        || url.password().is_some()
        || url.query().is_some()
        || url.fragment().is_some()
    {
        return refuse("must hold no user name, query or fragment");
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

/// What a proxy's address may be; its password, if it has one, is not quoted.
fn check_proxy(text: &str) -> Result<()> {
    let is_proxy = url::Url::parse(text)
        .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.host().is_some());
    if is_proxy {
        return Ok(());
    }
    Err(usage(
        "--proxy (FIGMA_MCP_PROXY) is no address of a proxy",
        "Give an address such as http://proxy.example:8080.",
    ))
}

fn token_on_command_line() -> Error {
    usage(
        "a token on the command line can be read by every program on this machine and ends up in shell histories and bug reports",
        "Delete it from the arguments and run `figma-mcp auth login` once (or set FIGMA_TOKEN in the environment); if others may have seen it, revoke it in Figma's settings.",
    )
}

fn usage(problem: &str, hint: &str) -> Error {
    Error::Usage { problem: problem.to_owned(), hint: hint.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unfilled_placeholders_count_as_absent() {
        assert_eq!(meaningful("  "), None);
        assert_eq!(meaningful("${user_config.figma_api_key}"), None);
        assert_eq!(meaningful(" x "), Some("x".to_owned()));
    }

    #[test]
    fn a_token_never_travels_unencrypted() {
        assert_eq!(base_url("https://api.figma-gov.com/").unwrap(), "https://api.figma-gov.com");
        assert_eq!(base_url("http://127.0.0.1:9/x").unwrap(), "http://127.0.0.1:9/x");
        for wrong in [
            "http://api.figma.com",
            "ftp://x",
            "api.figma.com",
            "https://u:p@api.figma.com",
            "http://127.0.0.1.evil.example",
        ] {
            assert!(base_url(wrong).is_err(), "{wrong}");
        }
    }
}
