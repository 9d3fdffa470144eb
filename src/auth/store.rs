//! Where secrets are kept: three verbs over named entries.

use std::{
    collections::HashMap,
    fmt,
    path::PathBuf,
    sync::{Mutex, PoisonError},
};

use secrecy::{ExposeSecret, SecretString};

use super::record::Record;
use crate::error::Result;

/// The name under which one secret is kept. A profile's name has no dot, so the two never collide.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct EntryName(String);

impl EntryName {
    /// A profile's record.
    pub fn record(profile: &str) -> Self {
        Self(profile.to_owned())
    }

    /// The secret of the OAuth app that a profile logs in with.
    pub fn client_secret(profile: &str) -> Self {
        Self(format!("{profile}.client-secret"))
    }

    /// As the store knows it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Where a store keeps things, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// The operating system's keyring.
    Keyring,
    /// Files in this folder.
    Folder(PathBuf),
    /// This process's memory.
    Memory,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Keyring if cfg!(target_os = "macos") => f.write_str("the macOS Keychain"),
            Self::Keyring if cfg!(windows) => f.write_str("the Windows Credential Manager"),
            Self::Keyring => f.write_str("the keyring (Secret Service)"),
            Self::Folder(path) => write!(f, "a file in {}", path.display()),
            Self::Memory => f.write_str("memory"),
        }
    }
}

/// A place for secrets. Every call may block for a while: never call it on an asynchronous thread,
/// use [`super::aside`].
pub trait Store: Send + Sync + fmt::Debug {
    /// What is kept under this name.
    ///
    /// # Errors
    /// Why it cannot be known; "nothing is there" is no error.
    fn read(&self, entry: &EntryName) -> Result<Option<SecretString>>;

    /// Keeps this under the name, in place of what was there.
    ///
    /// # Errors
    /// Why not; what was there before is still there then.
    fn write(&self, entry: &EntryName, secret: &SecretString) -> Result<()>;

    /// Forgets what is kept under this name; nothing being there is fine.
    ///
    /// # Errors
    /// Why it may still be there.
    fn remove(&self, entry: &EntryName) -> Result<()>;

    /// Where that is.
    fn place(&self) -> Place;

    /// A profile's record.
    ///
    /// # Errors
    /// Why it cannot be read. It is left as it is.
    fn load(&self, profile: &str) -> Result<Option<Record>> {
        let text = self.read(&EntryName::record(profile))?;
        text.map(|text| Record::parse(profile, &text)).transpose()
    }

    /// Stores a profile's record.
    ///
    /// # Errors
    /// Why not.
    fn save(&self, profile: &str, record: &Record) -> Result<()> {
        self.write(&EntryName::record(profile), &record.to_json(profile)?)
    }

    /// Forgets a profile's record and its app's secret.
    ///
    /// # Errors
    /// Why they may still be there.
    fn delete(&self, profile: &str) -> Result<()> {
        self.remove(&EntryName::record(profile))?;
        self.remove(&EntryName::client_secret(profile))
    }
}

/// A store that ends with the process, for tests.
#[derive(Debug, Default)]
pub struct Memory(Mutex<HashMap<EntryName, SecretString>>);

impl Memory {
    fn entries(&self) -> std::sync::MutexGuard<'_, HashMap<EntryName, SecretString>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for Memory {
    fn read(&self, entry: &EntryName) -> Result<Option<SecretString>> {
        Ok(self.entries().get(entry).cloned())
    }

    fn write(&self, entry: &EntryName, secret: &SecretString) -> Result<()> {
        self.entries().insert(entry.clone(), SecretString::from(secret.expose_secret()));
        Ok(())
    }

    fn remove(&self, entry: &EntryName) -> Result<()> {
        self.entries().remove(entry);
        Ok(())
    }

    fn place(&self) -> Place {
        Place::Memory
    }
}
