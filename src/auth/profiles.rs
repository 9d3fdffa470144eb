//! What is known of each profile without its secret: a small file of its owner.
//!
//! It answers which tools a credential can call and when it ends without opening a keyring.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use serde::{Deserialize, Serialize};

use super::{
    file::Files,
    keyring::Keyring,
    now,
    private::{self, Lock},
    store::Store,
};
use crate::{
    error::{CredentialError, Error, Result},
    table::TokenKind,
};

/// The profile that is meant where none is named.
pub const DEFAULT_PROFILE: &str = "default";
const VERSION: u32 = 1;
/// How long one change of the facts may wait for another.
const PATIENCE: Duration = Duration::from_secs(5);

/// Everything that is known without a secret.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Facts {
    v: u32,
    /// The profile that is meant where none is named.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub current: Option<String>,
    /// The profiles by name.
    #[serde(default)]
    pub profiles: BTreeMap<String, Profile>,
}

impl Default for Facts {
    fn default() -> Self {
        Self { v: VERSION, current: None, profiles: BTreeMap::new() }
    }
}

/// What is known of one login.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// The kind of its token, as it was said at login.
    #[serde(with = "kind_name")]
    pub kind: TokenKind,
    /// Where its token is kept.
    pub store: StoreKind,
    /// When it logged in, in seconds since 1970.
    pub created_at: u64,
    /// When its token ends.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub expires: Option<Expiry>,
    /// The owner's name at Figma.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub handle: Option<String>,
    /// The owner's id at Figma.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub user_id: Option<String>,
    /// The team that is meant where a tool needs one and none is given.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub team_id: Option<String>,
    /// What OAuth needs to know beside its secrets.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub oauth: Option<OAuthFacts>,
}

/// Where a profile's token is kept. Chosen at login and never changed silently.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StoreKind {
    /// The operating system's keyring.
    Keyring,
    /// A file of its owner, chosen with `--insecure-storage`.
    File,
}

/// When a token ends. Figma's API does not tell for tokens that people make.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expiry {
    /// In seconds since 1970.
    pub at: u64,
    /// How that is known.
    pub from: ExpirySource,
}

/// How the end of a token's life is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ExpirySource {
    /// Said at login with `--expires`.
    Declared,
    /// The longest life that Figma gives to this kind.
    Assumed,
    /// Said by Figma's OAuth answer.
    OAuth,
}

impl ExpirySource {
    /// As it is printed.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Declared => "declared",
            Self::Assumed => "assumed",
            Self::OAuth => "oauth",
        }
    }
}

/// What OAuth needs to know beside its secrets.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OAuthFacts {
    /// The person's own Figma app.
    pub client_id: String,
    /// What was asked for.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// Whether Figma refused the last refresh: only a new login helps then.
    #[serde(default)]
    pub revoked: bool,
    /// When the token was last replaced, in seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub refreshed_at: Option<u64>,
    /// When it was replaced although its end was far, within the last hour: somebody else uses the app.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub unplanned: Vec<u64>,
}

/// The longest life that Figma gives to a kind of token.
pub const fn longest_life(kind: TokenKind) -> Duration {
    const DAY: u64 = 86_400;
    match kind {
        TokenKind::Personal | TokenKind::OAuth => Duration::from_secs(90 * DAY),
        TokenKind::Plan => Duration::from_secs(365 * DAY),
    }
}

impl Expiry {
    /// The end of the longest life that this kind can have from now on.
    pub fn assumed(kind: TokenKind) -> Self {
        Self { at: now() + longest_life(kind).as_secs(), from: ExpirySource::Assumed }
    }
}

/// The folder in which everything of ours is kept.
#[derive(Debug, Clone)]
pub struct Profiles {
    folder: PathBuf,
}

impl Profiles {
    /// In this folder, which is made when something is written.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The file of the facts.
    pub fn file(&self) -> PathBuf {
        self.folder.join("profiles.json")
    }

    /// What is known.
    ///
    /// # Errors
    /// When the file is not its owner's alone, or is not ours. It is left as it is.
    pub fn read(&self) -> Result<Facts> {
        let Some(text) = private::read(&self.file())? else { return Ok(Facts::default()) };
        let broken = |problem: &str| Error::File {
            path: self.file().display().to_string(),
            problem: problem.to_owned(),
        };
        let facts: Facts = serde_json::from_str(&text)
            .map_err(|_| broken("it is no list of profiles; move it away and log in again"))?;
        if facts.v != VERSION {
            return Err(broken("it was written by another version of figma-mcp"));
        }
        Ok(facts)
    }

    /// Changes what is known, one process after the other.
    ///
    /// # Errors
    /// When it cannot be read or written; it is as it was then.
    pub fn update<T>(&self, change: impl FnOnce(&mut Facts) -> Result<T>) -> Result<T> {
        let _lock = Lock::take(&self.folder.join(".profiles.lock"), "the profiles", PATIENCE)?;
        let mut facts = self.read()?;
        let outcome = change(&mut facts)?;
        let text = serde_json::to_string_pretty(&facts)
            .map_err(|_| Error::Bug { problem: "the profiles have no JSON form".to_owned() })?;
        private::write(&self.file(), &(text + "\n"))?;
        Ok(outcome)
    }

    /// The lock of one profile's stored record: for a refresh, which reads, asks Figma and writes.
    ///
    /// Blocks: not for asynchronous threads.
    ///
    /// # Errors
    /// [`CredentialError::Locked`] after this time.
    pub fn lock(&self, profile: &str, limit: Duration) -> Result<Lock> {
        let path = self.folder.join(format!("{profile}.lock"));
        Lock::take(&path, &format!("profile `{profile}`"), limit)
    }

    /// The lock of a login, which can take minutes; refused at once when another is under way.
    ///
    /// # Errors
    /// [`CredentialError::Locked`]
    pub fn lock_login(&self, profile: &str) -> Result<Lock> {
        let path = self.folder.join(format!("{profile}.login.lock"));
        Lock::take(&path, &format!("profile `{profile}`"), Duration::ZERO)
    }

    /// The store of this kind.
    pub fn store(&self, kind: StoreKind, is_interactive: bool) -> Arc<dyn Store> {
        match kind {
            StoreKind::Keyring if is_interactive => Arc::new(Keyring::interactive()),
            StoreKind::Keyring => Arc::new(Keyring::new()),
            StoreKind::File => Arc::new(Files::new(self.folder.join("tokens"))),
        }
    }
}

impl Facts {
    /// The name of the profile that is meant: this one, else the current one, else the default one.
    ///
    /// # Errors
    /// A name that no profile can have.
    pub fn chosen(&self, named: Option<&str>) -> Result<String> {
        let name = named.or(self.current.as_deref()).unwrap_or(DEFAULT_PROFILE);
        check_name(name)?;
        Ok(name.to_owned())
    }

    /// The profile of this name.
    ///
    /// # Errors
    /// [`CredentialError::NoProfile`]
    pub fn get(&self, name: &str) -> Result<&Profile> {
        self.profiles.get(name).ok_or_else(|| {
            CredentialError::NoProfile {
                name: name.to_owned(),
                known: self.profiles.keys().cloned().collect(),
            }
            .into()
        })
    }
}

/// Names are parts of file names and of keyring entries.
///
/// # Errors
/// [`Error::Usage`]
pub fn check_name(name: &str) -> Result<()> {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if (1..=32).contains(&name.len()) && name.bytes().all(is_plain) {
        return Ok(());
    }
    Err(Error::Usage {
        problem: format!("`{}` is no name of a profile", super::redacted(&crate::error::foreign(name))),
        hint: "Use 1 to 32 of a-z, 0-9 and `-`, such as `work`.".to_owned(),
    })
}

mod kind_name {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    use crate::table::TokenKind;

    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
    pub(super) fn serialize<S: Serializer>(kind: &TokenKind, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(kind.name())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<TokenKind, D::Error> {
        let name = String::deserialize(deserializer)?;
        TokenKind::ALL
            .into_iter()
            .find(|kind| kind.name() == name)
            .ok_or_else(|| D::Error::custom("an unknown kind of token"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_plain() {
        assert!(check_name("work-2").is_ok());
        for wrong in ["", "Work", "a/b", "a.b", "ü", &"x".repeat(33)] {
            assert!(check_name(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_chosen_profile_is_the_named_the_current_or_the_default() {
        let mut facts = Facts::default();
        assert_eq!(facts.chosen(None).unwrap(), "default");
        facts.current = Some("work".to_owned());
        assert_eq!(facts.chosen(None).unwrap(), "work");
        assert_eq!(facts.chosen(Some("home")).unwrap(), "home");
        assert_eq!(facts.get("home").unwrap_err().kind(), "no_profile");
    }
}
