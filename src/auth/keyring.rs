//! Secrets in the operating system's keyring.
//!
//! A keyring can hang for ever (its service is stopped, or waits for a password that nobody types),
//! and it must not run on an asynchronous thread. So one thread per process does all the work, and
//! every call waits for it for a limited time only. The library's errors can hold the secret itself
//! in their `Debug`, so they end here.

use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, RecvTimeoutError, Sender, channel, sync_channel},
    },
    time::Duration,
};

use keyring::Entry;
use secrecy::{ExposeSecret, SecretString};

use super::store::{EntryName, Place, Store};
use crate::error::{CredentialError, Error, KeyringTrouble, Result, foreign};

/// Under which all entries are kept.
pub const SERVICE: &str = "figma-mcp";
/// How long a call may take.
const LIMIT: Duration = Duration::from_secs(5);
/// How long it may take where a person can be typing a password.
const LIMIT_WITH_PROMPT: Duration = Duration::from_secs(30);

/// The operating system's keyring.
#[derive(Debug, Clone, Copy)]
pub struct Keyring {
    limit: Duration,
}

impl Keyring {
    /// For work in the background: nobody is there to unlock it.
    pub const fn new() -> Self {
        Self { limit: LIMIT }
    }

    /// For a person at a terminal, who can answer the question for the keyring's password.
    pub const fn interactive() -> Self {
        Self { limit: LIMIT_WITH_PROMPT }
    }

    /// Whether it answers at all.
    ///
    /// # Errors
    /// In which way it cannot be used.
    pub fn probe(self) -> Result<()> {
        self.read(&EntryName::record("probe-of-doctor")).map(drop)
    }

    fn run<T: Send + 'static>(
        self,
        work: impl FnOnce() -> keyring::Result<T> + Send + 'static,
    ) -> Result<Option<T>> {
        static WAS_OPEN: AtomicBool = AtomicBool::new(false);
        let trouble = |keyring, detail| Err(CredentialError::Keyring { keyring, detail }.into());
        let (sender, receiver) = sync_channel(1);
        let given_up = Arc::new(AtomicBool::new(false));
        let is_unwanted = given_up.clone();
        let job: Job = Box::new(move || {
            // Nobody waits for it any more: a late write would contradict what its caller was told.
            if !is_unwanted.load(Ordering::SeqCst) {
                // Whoever asked may have stopped waiting.
                let _ = sender.send(status().and_then(|()| work().map_err(Refusal::from)));
            }
        });
        if actor().is_none_or(|actor| actor.send(job).is_err()) {
            return trouble(KeyringTrouble::Failed, "its thread does not start".to_owned());
        }
        match receiver.recv_timeout(self.limit) {
            Ok(Ok(value)) => {
                WAS_OPEN.store(true, Ordering::SeqCst);
                Ok(Some(value))
            }
            Ok(Err(Refusal::NoEntry)) => Ok(None),
            Ok(Err(Refusal::Trouble(KeyringTrouble::Locked, detail))) if WAS_OPEN.load(Ordering::SeqCst) => {
                trouble(KeyringTrouble::LockedAgain, detail)
            }
            Ok(Err(Refusal::Trouble(keyring, detail))) => trouble(keyring, detail),
            Err(RecvTimeoutError::Timeout) => {
                given_up.store(true, Ordering::SeqCst);
                trouble(KeyringTrouble::Hung, format!("no answer within {} s", self.limit.as_secs()))
            }
            Err(RecvTimeoutError::Disconnected) => {
                trouble(KeyringTrouble::Failed, "its thread ended".to_owned())
            }
        }
    }
}

impl Default for Keyring {
    fn default() -> Self {
        Self::new()
    }
}

impl Store for Keyring {
    fn read(&self, entry: &EntryName) -> Result<Option<SecretString>> {
        let name = entry.clone();
        let bytes = self.run(move || Entry::new(SERVICE, name.as_str())?.get_secret())?;
        let Some(bytes) = bytes else { return Ok(None) };
        String::from_utf8(bytes).map(|text| Some(SecretString::from(text))).map_err(|_| {
            CredentialError::BrokenRecord {
                profile: entry.as_str().to_owned(),
                problem: "it is no text".to_owned(),
            }
            .into()
        })
    }

    fn write(&self, entry: &EntryName, secret: &SecretString) -> Result<()> {
        let (name, secret) = (entry.clone(), secret.clone());
        let written = self
            .run(move || Entry::new(SERVICE, name.as_str())?.set_secret(secret.expose_secret().as_bytes()))?;
        written
            .ok_or_else(|| Error::Bug { problem: "the keyring finds no entry while writing one".to_owned() })
    }

    fn remove(&self, entry: &EntryName) -> Result<()> {
        let name = entry.clone();
        self.run(move || Entry::new(SERVICE, name.as_str())?.delete_credential()).map(drop)
    }

    fn place(&self) -> Place {
        Place::Keyring
    }
}

type Job = Box<dyn FnOnce() + Send>;

/// The thread that does all the work of this process; `None` where none could be started.
fn actor() -> Option<&'static Sender<Job>> {
    static ACTOR: OnceLock<Option<Sender<Job>>> = OnceLock::new();
    let started = ACTOR.get_or_init(|| {
        let (sender, jobs): (Sender<Job>, Receiver<Job>) = channel();
        let work = move || jobs.into_iter().for_each(|job| job());
        std::thread::Builder::new().name("keyring".to_owned()).spawn(work).ok().map(|_| sender)
    });
    started.as_ref()
}

/// Why the library did not do it, with nothing secret in it.
enum Refusal {
    NoEntry,
    Trouble(KeyringTrouble, String),
}

/// Whether the library found a store when it looked for one: that error says most.
fn status() -> std::result::Result<(), Refusal> {
    match Entry::store_status() {
        Ok(()) => Ok(()),
        Err(error) => Err(refusal(error)),
    }
}

impl From<keyring::Error> for Refusal {
    fn from(error: keyring::Error) -> Self {
        refusal(&error)
    }
}

/// From the library's error to ours. Only the platform's own words are kept: other variants carry
/// what was stored.
fn refusal(error: &keyring::Error) -> Refusal {
    use keyring::Error as E;
    let (keyring, detail) = match error {
        E::NoEntry => return Refusal::NoEntry,
        E::NoStorageAccess(cause) => {
            let text = cause.to_string();
            (no_access(&text), text)
        }
        E::PlatformFailure(cause) => {
            let text = cause.to_string();
            (failure(&text), text)
        }
        E::TooLong(name, limit) => (KeyringTrouble::Full, format!("its {name} may have {limit} characters")),
        E::NoDefaultStore => (KeyringTrouble::NoService, "there is none for this system".to_owned()),
        E::BadEncoding(_) | E::BadDataFormat(..) => {
            (KeyringTrouble::Failed, "what it holds has another form".to_owned())
        }
        E::Ambiguous(entries) => {
            (KeyringTrouble::Failed, format!("it holds {} entries of this name", entries.len()))
        }
        _ => (KeyringTrouble::Failed, String::new()),
    };
    Refusal::Trouble(keyring, foreign(&detail))
}

/// A store that is there and does not let us in. Secret Service's words for its cases are the only
/// thing that tells them apart.
fn no_access(text: &str) -> KeyringTrouble {
    let text = text.to_ascii_lowercase();
    if text.contains("result not returned") { KeyringTrouble::NoCollection } else { KeyringTrouble::Locked }
}

fn failure(text: &str) -> KeyringTrouble {
    const NOBODY: [&str; 3] = ["serviceunknown", "was not provided by any", "namehasnoowner"];
    const NO_BUS: [&str; 6] =
        ["no such file", "connection refused", "not found", "address", "i/o error", "autolaunch"];
    // The last two are GNOME Keyring's words on a full disk.
    const FULL: [&str; 5] =
        ["no space", "disk full", "quota", "couldn't set item secret", "couldn't create item"];
    let text = text.to_ascii_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| text.contains(word));
    if says(&NOBODY) {
        KeyringTrouble::NoService
    } else if says(&FULL) {
        KeyringTrouble::Full
    } else if cfg!(target_os = "linux") && says(&NO_BUS) {
        KeyringTrouble::NoBus
    } else if text.contains("locked") {
        KeyringTrouble::Locked
    } else {
        KeyringTrouble::Failed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_secret_leaves_the_librarys_errors() {
        for error in [
            keyring::Error::BadEncoding(b"figd_Canary".to_vec()),
            keyring::Error::BadDataFormat(b"figd_Canary".to_vec(), "figd_Canary".into()),
        ] {
            let Refusal::Trouble(_, detail) = refusal(&error) else { panic!("told as absent") };
            assert!(!detail.contains("Canary"));
        }
    }

    #[test]
    fn a_keyring_that_hangs_is_given_up() {
        let short = Keyring { limit: Duration::from_millis(50) };
        let stuck: Result<Option<()>> = short.run(|| {
            std::thread::sleep(Duration::from_millis(200));
            Ok(())
        });
        let kind = stuck.unwrap_err().kind();
        // Without a session bus the library says so before the work begins.
        assert!(["keyring_hung", "keyring_no_bus", "keyring_absent"].contains(&kind), "{kind}");
    }
}
