//! Secrets in files of their owner, for people who chose that with `--insecure-storage`.

use std::path::PathBuf;

use secrecy::{ExposeSecret, SecretString};

use super::{
    private,
    store::{EntryName, Place, Store},
};
use crate::error::Result;

/// A folder with one file an entry.
#[derive(Debug)]
pub struct Files {
    folder: PathBuf,
}

impl Files {
    /// The store in this folder, which is made when something is written.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    fn path(&self, entry: &EntryName) -> PathBuf {
        self.folder.join(format!("{}.json", entry.as_str()))
    }
}

impl Store for Files {
    fn read(&self, entry: &EntryName) -> Result<Option<SecretString>> {
        if self.folder.exists() {
            private::secret_folder(&self.folder)?;
        }
        Ok(private::read(&self.path(entry))?.map(SecretString::from))
    }

    fn write(&self, entry: &EntryName, secret: &SecretString) -> Result<()> {
        private::secret_folder(&self.folder)?;
        private::write(&self.path(entry), secret.expose_secret())
    }

    fn remove(&self, entry: &EntryName) -> Result<()> {
        private::remove(&self.path(entry))
    }

    fn place(&self) -> Place {
        Place::Folder(self.folder.clone())
    }
}
