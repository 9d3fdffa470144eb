//! What can go wrong with a stored credential. Each situation has its own word, message and exit
//! code, so that scripts and people can tell a locked keyring from an absent one.

use super::Next;

/// A situation of the stored credentials.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CredentialError {
    /// The operating system's keyring cannot be used.
    #[error("{}", keyring.what())]
    Keyring {
        /// In which way.
        keyring: KeyringTrouble,
        /// What the system says, without any secret.
        detail: String,
    },
    /// A stored record cannot be read. It is left alone.
    #[error("the stored record of profile `{profile}` cannot be read: {problem}")]
    BrokenRecord {
        /// The profile.
        profile: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A record is larger than every keyring takes.
    #[error("the record of profile `{profile}` has {bytes} bytes; 2400 is the most that every keyring takes")]
    LargeRecord {
        /// The profile.
        profile: String,
        /// Its size.
        bytes: usize,
    },
    /// A file that must be its owner's alone is open to others, or somebody else's.
    #[error("{path} is not used: {problem}")]
    UnsafeFile {
        /// The file or folder.
        path: String,
        /// Why not.
        problem: String,
    },
    /// The facts say that a token is stored, and it is not there.
    #[error("the token of profile `{profile}` is gone from {place}")]
    Gone {
        /// The profile.
        profile: String,
        /// Where it was kept.
        place: String,
    },
    /// There is no such profile.
    #[error("there is no profile `{name}`")]
    NoProfile {
        /// As it was asked for.
        name: String,
        /// Those that exist.
        known: Vec<String>,
    },
    /// Another process holds the lock.
    #[error("another `figma-mcp auth` command is changing {what}")]
    Locked {
        /// What it is changing.
        what: String,
    },
    /// The token's life is over.
    #[error("the token of profile `{profile}` expired {ago} ago")]
    Expired {
        /// The profile.
        profile: String,
        /// How long ago, in words.
        ago: String,
    },
    /// The token is of another kind than was said.
    #[error("this is no token of the kind `{said}`, or it is not valid")]
    OtherKind {
        /// The kind that was said.
        said: &'static str,
        /// The kind that it looks like.
        likely: Option<&'static str>,
    },
    /// A secret would have been printed on a terminal.
    #[error("a token would be shown on this terminal")]
    Shown,
}

/// Why a text cannot be a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenProblem {
    /// Nothing was given.
    #[error("it is empty")]
    Empty,
    /// Far longer than any.
    #[error("it is longer than any token")]
    TooLong,
    /// Copied with its quotation marks.
    #[error("it is in quotation marks, which are not part of it")]
    Quoted,
    /// A blank, a line break, or a letter that none has.
    #[error("it holds blanks, line breaks or characters that no token has")]
    Blank,
    /// The kind that goes with it is unknown.
    #[error("its kind must be personal, plan or oauth")]
    Kind,
}

impl TokenProblem {
    pub(super) const fn exit_code(self) -> u8 {
        match self {
            Self::Empty => 30,
            Self::TooLong => 31,
            Self::Quoted => 32,
            Self::Blank => 33,
            Self::Kind => 34,
        }
    }
}

/// In which way the keyring cannot be used: the headless situations, each on its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyringTrouble {
    /// No session bus: containers, cron, WSL.
    NoBus,
    /// A bus, and nobody on it who keeps secrets.
    NoService,
    /// A service without a collection to put secrets in.
    NoCollection,
    /// Locked, and nobody to ask for the password.
    Locked,
    /// Locked although it was open before: its service has been restarted, or this is another session.
    LockedAgain,
    /// No answer in time.
    Hung,
    /// It takes no more, or nothing as large as this.
    Full,
    /// Anything else.
    Failed,
}

impl KeyringTrouble {
    const fn what(self) -> &'static str {
        match self {
            Self::NoBus => "the keyring cannot be reached: there is no session bus here",
            Self::NoService => "there is no keyring: no secret service runs on the session bus",
            Self::NoCollection => "the keyring has no collection to keep a secret in",
            Self::Locked => "the keyring is locked, and nothing here can ask for its password",
            Self::LockedAgain => "the keyring is locked, although it was open when the token was stored",
            Self::Hung => "the keyring does not answer",
            Self::Full => "the keyring takes no more",
            Self::Failed => "the keyring failed",
        }
    }

    /// A word for the situation that never changes.
    #[must_use]
    pub const fn kind(self) -> &'static str {
        match self {
            Self::NoBus => "keyring_no_bus",
            Self::NoService => "keyring_absent",
            Self::NoCollection => "keyring_no_collection",
            Self::Locked => "keyring_locked",
            Self::LockedAgain => "keyring_locked_again",
            Self::Hung => "keyring_hung",
            Self::Full => "keyring_full",
            Self::Failed => "keyring_failed",
        }
    }

    const fn exit_code(self) -> u8 {
        match self {
            Self::NoBus => 10,
            Self::NoService => 11,
            Self::NoCollection => 12,
            Self::Locked => 13,
            Self::LockedAgain => 14,
            Self::Hung => 15,
            Self::Full => 16,
            Self::Failed => 17,
        }
    }

    const fn next(self) -> &'static str {
        match self {
            Self::NoBus => {
                "log in with `--insecure-storage` (a file of your own), or set FIGMA_TOKEN: containers, WSL, cron and bare SSH sessions have no keyring."
            }
            Self::NoService => {
                "install and start one (GNOME Keyring, KWallet, KeePassXC) and start this program again, log in with `--insecure-storage`, or set FIGMA_TOKEN."
            }
            Self::NoCollection => {
                "create a default keyring (the login keyring of your desktop session), log in with `--insecure-storage`, or set FIGMA_TOKEN."
            }
            Self::Locked => {
                "unlock it in your desktop session, log in with `--insecure-storage`, or set FIGMA_TOKEN."
            }
            Self::LockedAgain => {
                "unlock it: its service was restarted, or this is another session (SSH, cron) than the one of the login. Or log in again with `--insecure-storage`, or set FIGMA_TOKEN."
            }
            Self::Hung => {
                "restart the keyring's service (it may wait for a password prompt), or set FIGMA_TOKEN; `figma-mcp doctor` shows more."
            }
            Self::Full => {
                "make room in it (or on its disk), log in with `--insecure-storage`, or set FIGMA_TOKEN."
            }
            Self::Failed => "run `figma-mcp doctor`, log in with `--insecure-storage`, or set FIGMA_TOKEN.",
        }
    }
}

impl CredentialError {
    /// A word for the situation that never changes.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Keyring { keyring, .. } => keyring.kind(),
            Self::BrokenRecord { .. } => "broken_record",
            Self::LargeRecord { .. } => "large_record",
            Self::UnsafeFile { .. } => "unsafe_file",
            Self::Gone { .. } => "token_gone",
            Self::NoProfile { .. } => "no_profile",
            Self::Locked { .. } => "login_busy",
            Self::Expired { .. } => "token_expired",
            Self::OtherKind { .. } => "other_kind",
            Self::Shown => "would_be_shown",
        }
    }

    pub(super) fn why(&self) -> Option<String> {
        match self {
            Self::Keyring { detail, .. } => {
                (!detail.is_empty()).then(|| format!("the system says: {detail}"))
            }
            Self::BrokenRecord { .. } => {
                Some("it was damaged, or written by a newer figma-mcp; it has been left as it is".into())
            }
            Self::UnsafeFile { .. } => Some("others could read or replace the token in it".into()),
            Self::Gone { .. } => {
                Some("somebody deleted it there, or the keyring forgets when its session ends".into())
            }
            Self::NoProfile { known, .. } if known.is_empty() => Some("nobody has logged in yet".into()),
            Self::NoProfile { known, .. } => Some(format!("there are: {}", known.join(", "))),
            Self::OtherKind { likely, .. } => {
                likely.map(|kind| format!("by its first letters it may be of the kind `{kind}`"))
            }
            Self::LargeRecord { .. } | Self::Locked { .. } | Self::Expired { .. } | Self::Shown => None,
        }
    }

    pub(super) fn next(&self) -> Next {
        let text = match self {
            Self::Keyring { keyring, .. } => keyring.next().to_owned(),
            Self::BrokenRecord { profile, .. } => {
                format!("update figma-mcp, or log in again: `figma-mcp auth login --profile {profile}`.")
            }
            Self::LargeRecord { .. } => "check that what was given is a Figma token.".to_owned(),
            Self::UnsafeFile { path, .. } => {
                format!(
                    "make it yours alone (`chmod go= '{path}'`), and replace the token if others could read it."
                )
            }
            Self::Gone { profile, .. } => {
                format!("log in again: `figma-mcp auth login --profile {profile}`.")
            }
            Self::NoProfile { name, .. } => {
                format!("log in: `figma-mcp auth login --profile {name}`, or choose another with --profile.")
            }
            Self::Locked { .. } => "finish or end that command, then try again.".to_owned(),
            Self::Expired { profile, .. } => {
                format!("create a new token and log in: `figma-mcp auth login --profile {profile}`.")
            }
            Self::OtherKind { .. } => {
                "name its kind with `--kind personal`, `--kind plan` or `--kind oauth`, and copy it whole."
                    .to_owned()
            }
            Self::Shown => "pipe it to where it is needed, or add --yes.".to_owned(),
        };
        Next::Person(text)
    }

    pub(super) const fn exit_code(&self) -> u8 {
        match self {
            Self::Keyring { keyring, .. } => keyring.exit_code(),
            Self::NoProfile { .. } | Self::Gone { .. } => 3,
            Self::Expired { .. } => 4,
            Self::UnsafeFile { .. } => 20,
            Self::BrokenRecord { .. } => 21,
            Self::Locked { .. } => 22,
            Self::OtherKind { .. } => 23,
            Self::LargeRecord { .. } => 24,
            Self::Shown => 25,
        }
    }
}
