//! `figma-mcp auth`: logins, and what is known of them.

mod login;
mod manage;
mod oauth;
mod status;

use clap::{Args, Subcommand, ValueEnum};
use secrecy::{ExposeSecret, SecretString};

use crate::{
    auth::profiles::{Facts, Profiles},
    error::Result,
    settings::Settings,
    table::TokenKind,
};

/// What can be done with logins.
#[derive(Debug, Subcommand)]
pub(super) enum Auth {
    /// Store a token in the system's keyring, once for every MCP host on this machine
    Login(LoginArgs),
    /// Show which token is in use, where it is kept, when it ends and what it cannot do
    Status {
        /// As JSON
        #[arg(long)]
        json: bool,
        /// Ask Figma whether it accepts the token
        #[arg(long)]
        check: bool,
    },
    /// List the profiles
    List {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Choose the profile that is used where none is named
    Switch {
        /// The profile
        name: String,
    },
    /// Replace a plan token; the one before is still tried while Figma accepts both (24 h)
    Rotate(NewToken),
    /// Forget a login, and everything that was kept for it
    Logout {
        /// Every profile
        #[arg(long)]
        all: bool,
        /// Accepted for scripts: nothing is asked anyway
        #[arg(long, hide = true)]
        yes: bool,
    },
    /// Print the token, for scripts
    Token {
        /// Also on a terminal, where it can be seen and is remembered
        #[arg(long)]
        yes: bool,
    },
}

/// How a new token comes in.
#[derive(Debug, Clone, Args)]
pub(super) struct NewToken {
    /// Read the token from stdin (also what happens when stdin is no terminal)
    #[arg(long)]
    pub(super) token_stdin: bool,
    /// How long the token lives, as chosen at Figma: 30d, 12w, 1y
    #[arg(long, value_name = "LIFE")]
    pub(super) expires: Option<String>,
    /// Store it without asking Figma whether it is valid
    #[arg(long)]
    pub(super) no_verify: bool,
}

/// What a login is.
#[derive(Debug, Clone, Args)]
pub(super) struct LoginArgs {
    /// What kind of token it is: Figma does not say, and neither do its first letters
    #[arg(long, value_enum, default_value_t = Kind::Personal)]
    pub(super) kind: Kind,
    #[command(flatten)]
    pub(super) token: NewToken,
    /// Team that is meant where a tool needs one and none is given: its Figma URL or its id
    #[arg(long, value_name = "URL|ID")]
    pub(super) team: Option<String>,
    /// Keep the token in a file that only you can read, in place of the keyring
    #[arg(long)]
    pub(super) insecure_storage: bool,
    #[command(flatten)]
    pub(super) oauth: oauth::OAuthArgs,
}

/// A kind of token, as it is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Kind {
    /// A personal access token: acts as you
    Personal,
    /// A plan access token of an organisation
    Plan,
    /// OAuth 2 with your own Figma app
    #[value(name = "oauth")]
    OAuth,
}

impl From<Kind> for TokenKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Personal => Self::Personal,
            Kind::Plan => Self::Plan,
            Kind::OAuth => Self::OAuth,
        }
    }
}

/// Runs one of them; the exit code is its own where a script wants to know.
pub(super) fn run(settings: &Settings, command: Auth) -> Result<u8> {
    let done = |()| 0;
    match command {
        Auth::Login(login) => login::run(settings, &login).map(done),
        Auth::Status { json, check } => status::run(settings, json, check),
        Auth::List { json } => status::list(settings, json).map(done),
        Auth::Switch { name } => manage::switch(settings, &name).map(done),
        Auth::Rotate(token) => manage::rotate(settings, &token).map(done),
        Auth::Logout { all, yes: _ } => manage::logout(settings, all).map(done),
        Auth::Token { yes } => manage::token(settings, yes).map(done),
    }
}

/// The profiles, what is known of them, and the name that is meant.
fn chosen(settings: &Settings) -> Result<(Profiles, Facts, String)> {
    let profiles = Profiles::new(settings.config_dir()?);
    let facts = profiles.read()?;
    let name = facts.chosen(settings.profile.as_deref())?;
    Ok((profiles, facts, name))
}

/// A token that can be told from others and not be used: its first letters and a part of its hash.
fn masked(secret: &SecretString) -> String {
    let text = secret.expose_secret();
    let start = text.split_once('_').map(|(start, _)| start).filter(|start| start.len() <= 5);
    let hash = ring::digest::digest(&ring::digest::SHA256, text.as_bytes());
    let hex = hash.as_ref().iter().take(3).fold(0_u32, |hex, byte| (hex << 8) | u32::from(*byte));
    format!("{}… (SHA-256 {hex:06x}…)", start.map_or_else(String::new, |start| format!("{start}_")))
}
