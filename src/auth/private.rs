//! Files that only their owner may read: created that way, checked on every read, replaced whole.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Read, Write},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant, SystemTime},
};

use crate::error::{CredentialError, Error, Result};

/// What a file that is being written is called until it is whole.
const PART: &str = ".tok.";
/// A part this old belongs to nobody any more.
const ORPHAN_AGE: Duration = Duration::from_secs(3600);
/// Nothing of ours is larger.
const LARGEST: u64 = 256 * 1024;

/// Makes a folder that only its owner may enter, unless it is there. One that others may change is
/// refused; one that they may look into is fine, since its files are their owner's alone.
///
/// # Errors
/// [`CredentialError::UnsafeFile`], or what the system says.
pub fn folder(path: &Path) -> Result<()> {
    checked_folder(path, 0o022)
}

/// As [`folder`], and others may not look into it either: for secrets.
///
/// # Errors
/// [`CredentialError::UnsafeFile`], or what the system says.
pub fn secret_folder(path: &Path) -> Result<()> {
    checked_folder(path, 0o077)
}

fn checked_folder(path: &Path, forbidden: u32) -> Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(|error| failed(path, &error))?;
    let facts = fs::metadata(path).map_err(|error| failed(path, &error))?;
    check(path, &facts, forbidden)
}

/// A file's text, or `None` where there is none.
///
/// # Errors
/// [`CredentialError::UnsafeFile`] when others could read or replace it, or what the system says.
pub fn read(path: &Path) -> Result<Option<String>> {
    let mut options = OpenOptions::new();
    options.read(true);
    follow_no_links(&mut options);
    let file = match options.open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(_) if fs::symlink_metadata(path).is_ok_and(|facts| facts.is_symlink()) => {
            return Err(unsafe_file(path, "it is a link to another file"));
        }
        Err(error) => return Err(failed(path, &error)),
    };
    check(path, &file.metadata().map_err(|error| failed(path, &error))?, 0o077)?;
    let mut text = String::new();
    match file.take(LARGEST).read_to_string(&mut text) {
        Ok(_) => Ok(Some(text)),
        // Not text: whoever parses it says so better than the system does.
        Err(error) if error.kind() == io::ErrorKind::InvalidData => Ok(Some(String::new())),
        Err(error) => Err(failed(path, &error)),
    }
}

/// Replaces a file: whole or not at all, also when the machine stops in the middle.
///
/// # Errors
/// What the system says; the file is as it was then.
pub fn write(path: &Path, text: &str) -> Result<()> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let parent = path.parent().unwrap_or(Path::new("."));
    folder(parent)?;
    sweep(parent);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let part = parent.join(format!("{PART}{}.{number}", std::process::id()));
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    follow_no_links(&mut options);
    let written = options.open(&part).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&part, path)?;
        sync_folder(parent)
    });
    written.map_err(|error| {
        // What is left of a failed attempt is swept later if it cannot be removed now.
        let _ = fs::remove_file(&part);
        failed(path, &error)
    })
}

/// Removes a file; none being there is fine.
///
/// # Errors
/// What the system says.
pub fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed(path, &error)),
        _ => Ok(()),
    }
}

/// A lock that other processes respect; it ends with this value or with the process. Its file stays:
/// removing it would let two processes hold two locks of one name.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock of this file, waiting at most `limit` for another to give it back. `what` says
    /// what it protects, for the person who meets a held one.
    ///
    /// Blocks: not for asynchronous threads.
    ///
    /// # Errors
    /// [`CredentialError::Locked`], or what the system says.
    pub fn take(path: &Path, what: &str, limit: Duration) -> Result<Self> {
        const POLL: Duration = Duration::from_millis(5);
        folder(path.parent().unwrap_or(Path::new(".")))?;
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        follow_no_links(&mut options);
        let file = options.open(path).map_err(|error| failed(path, &error))?;
        let started = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Self { _file: file }),
                Err(TryLockError::WouldBlock) if started.elapsed() < limit => std::thread::sleep(POLL),
                Err(TryLockError::WouldBlock) => {
                    return Err(CredentialError::Locked { what: what.to_owned() }.into());
                }
                Err(TryLockError::Error(error)) => return Err(failed(path, &error)),
            }
        }
    }
}

/// None of the forbidden permissions are given, and the owner is whoever runs this.
fn check(path: &Path, facts: &fs::Metadata, forbidden: u32) -> Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let mode = facts.mode() & 0o777;
        if mode & forbidden != 0 {
            return Err(unsafe_file(path, &format!("its permissions are open to others ({mode:o})")));
        }
        if facts.uid() != rustix::process::geteuid().as_raw() {
            return Err(unsafe_file(path, "it belongs to another user"));
        }
    }
    #[cfg(not(unix))]
    let _ = (path, facts, forbidden);
    Ok(())
}

fn follow_no_links(options: &mut OpenOptions) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::CLOEXEC;
        options.custom_flags(i32::try_from(flags.bits()).unwrap_or_default());
    }
    #[cfg(not(unix))]
    let _ = options;
}

/// A rename lasts through a power failure only when its folder is on the disk too.
fn sync_folder(path: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(path)?.sync_all() } else { Ok(()) }
}

/// Removes what killed processes left behind. A file that cannot be removed is somebody's problem another day.
fn sweep(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    let is_orphan = |path: &PathBuf| {
        let is_part =
            path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with(PART));
        let age = fs::symlink_metadata(path)
            .and_then(|facts| facts.modified())
            .ok()
            .and_then(|time| SystemTime::now().duration_since(time).ok());
        is_part && age.is_some_and(|age| age > ORPHAN_AGE)
    };
    for path in entries.filter_map(|entry| Some(entry.ok()?.path())).filter(is_orphan) {
        let _ = fs::remove_file(path);
    }
}

fn unsafe_file(path: &Path, problem: &str) -> Error {
    CredentialError::UnsafeFile { path: path.display().to_string(), problem: problem.to_owned() }.into()
}

fn failed(path: &Path, error: &io::Error) -> Error {
    Error::File { path: path.display().to_string(), problem: error.to_string() }
}
