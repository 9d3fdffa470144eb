//! The one place that writes images: under one folder that whoever starts the program names, never
//! outside it.
//!
//! Every step is taken from an open folder, one name at a time, and no symbolic link is followed on the
//! way: a name that turns into a link between two steps leads nowhere. A file appears whole or not at
//! all, and in place of another only when that was asked for.

mod kind;
mod name;

use std::{
    io::{self, Read, Write},
    path::{Component, Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

use cap_fs_ext::{DirExt, FollowSymlinks, OpenOptionsFollowExt};
use cap_std::{
    ambient_authority,
    fs::{Dir, OpenOptions},
};

pub use self::{
    kind::{Kind, is_active},
    name::{Names, stem},
};
use crate::error::{Error, Result};

/// The largest image, in bytes.
pub const LARGEST_IMAGE: usize = 64 * 1024 * 1024;
/// The most images of one call.
pub const MOST_IMAGES: usize = 200;
/// The most bytes of one call's images.
pub const MOST_BYTES: usize = 256 * 1024 * 1024;

/// The folder below which images may be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageDir(PathBuf);

impl ImageDir {
    /// This folder; nothing is touched before something is written.
    #[must_use]
    pub const fn new(path: PathBuf) -> Self {
        Self(path)
    }

    /// Opens the folder for the images of one call, or a folder below it; makes what is missing.
    /// `below` is relative, with `/` between names; an absolute path that lies inside is understood.
    /// Blocks.
    ///
    /// # Errors
    /// [`Error::Outside`], or why the folder cannot be used.
    pub fn open(&self, below: Option<&str>) -> Result<Folder> {
        let parts = below.map_or(Ok(Vec::new()), |below| self.parts(below))?;
        let (mut dir, mut path) = self.root()?;
        for part in parts {
            path.push(&part);
            dir = enter(&dir, &part).map_err(|problem| failed(&path, problem))?;
        }
        Ok(Folder { dir, path, images: 0, bytes: 0 })
    }

    fn root(&self) -> Result<(Dir, PathBuf)> {
        let open = || {
            std::fs::create_dir_all(&self.0)?;
            // What leads to this folder is the choice of whoever named it: links there are followed.
            Ok((Dir::open_ambient_dir(&self.0, ambient_authority())?, std::path::absolute(&self.0)?))
        };
        open().map_err(|error: io::Error| failed(&self.0, error.to_string()))
    }

    /// The names on the way to a folder below this one.
    fn parts(&self, below: &str) -> Result<Vec<String>> {
        let outside = || Error::Outside { path: crate::error::foreign(below) };
        let root = std::path::absolute(&self.0).unwrap_or_else(|_| self.0.clone());
        let relative = match Path::new(below).strip_prefix(&root) {
            Ok(inside) => inside
                .components()
                .map(|part| match part {
                    Component::Normal(name) => name.to_str(),
                    _ => None,
                })
                .collect::<Option<Vec<_>>>()
                .map(|names| names.join("/")),
            Err(_) => Some(below.to_owned()),
        };
        name::folder_parts(&relative.ok_or_else(outside)?).ok_or_else(outside)
    }
}

/// An open folder, and how much one call has written there.
#[derive(Debug)]
pub struct Folder {
    dir: Dir,
    path: PathBuf,
    images: usize,
    bytes: usize,
}

/// What became of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Saved {
    /// Where it lies.
    pub path: PathBuf,
    /// Whether the same image lay there already, so that nothing was written.
    pub is_unchanged: bool,
}

impl Folder {
    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes an image under this name, which has to come from [`Names`]. Blocks.
    ///
    /// # Errors
    /// Why it was not written, as a sentence without its full stop.
    pub fn save(&mut self, name: &str, bytes: &[u8], may_overwrite: bool) -> Result<Saved, String> {
        if !name::is_safe(name) {
            return Err("its name is not one that files may have here".to_owned());
        }
        self.count(bytes.len())?;
        let path = self.path.join(name);
        let told = |error: io::Error| error.to_string();
        let part = part_name();
        self.create(&part, bytes).map_err(told)?;
        let placed = self.place(&part, name, bytes, may_overwrite);
        // After a rename there is nothing left to remove, and a rest that stays harms nobody.
        let _ = self.dir.remove_file(&part);
        match placed {
            Ok(()) => Ok(Saved { path, is_unchanged: false }),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                if self.holds(name, bytes) {
                    Ok(Saved { path, is_unchanged: true })
                } else {
                    Err("another file of this name is there: give `overwrite`, another name or another folder".to_owned())
                }
            }
            Err(error) => Err(told(error)),
        }
    }

    fn count(&mut self, bytes: usize) -> Result<(), String> {
        if self.images == MOST_IMAGES {
            return Err(format!("one call writes at most {MOST_IMAGES} images"));
        }
        if bytes > LARGEST_IMAGE {
            return Err("it exceeds 64 MB".to_owned());
        }
        if self.bytes + bytes > MOST_BYTES {
            return Err("one call writes at most 256 MB".to_owned());
        }
        self.images += 1;
        self.bytes += bytes;
        Ok(())
    }

    /// Writes a new file. It is not flushed to the disk: an image that a power cut takes is fetched again.
    fn create(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).follow(FollowSymlinks::No);
        let written = self.dir.open_with(name, &options).and_then(|mut file| file.write_all(bytes));
        if written.as_ref().is_err_and(|error| error.kind() != io::ErrorKind::AlreadyExists) {
            let _ = self.dir.remove_file(name);
        }
        written
    }

    /// Gives the finished file its name. A link fails where the name is taken, a rename does not.
    fn place(&self, part: &str, name: &str, bytes: &[u8], may_overwrite: bool) -> io::Result<()> {
        if may_overwrite {
            return self.dir.rename(part, &self.dir, name);
        }
        match self.dir.hard_link(part, &self.dir, name) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                // Not every file system knows hard links.
                self.create(name, bytes)
            }
            linked => linked,
        }
    }

    /// Whether this very image lies under this name.
    fn holds(&self, name: &str, bytes: &[u8]) -> bool {
        let mut options = OpenOptions::new();
        options.read(true).follow(FollowSymlinks::No);
        let same = || -> io::Result<bool> {
            // Looked at before it is opened: a pipe of that name would wait for ever.
            let facts = self.dir.symlink_metadata(name)?;
            if !facts.is_file() || usize::try_from(facts.len()).ok() != Some(bytes.len()) {
                return Ok(false);
            }
            let mut file = self.dir.open_with(name, &options)?;
            let mut there = Vec::with_capacity(bytes.len());
            file.read_to_end(&mut there)?;
            Ok(there == bytes)
        };
        same().unwrap_or(false)
    }
}

/// Opens a folder inside another, made if it is missing, but not through a link.
fn enter(dir: &Dir, name: &str) -> Result<Dir, String> {
    let told = |error: io::Error| error.to_string();
    match dir.create_dir(name) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(told(error)),
        _ => {}
    }
    if dir.symlink_metadata(name).is_ok_and(|facts| facts.is_symlink()) {
        return Err("is a link; folders below the image folder are not reached through links".to_owned());
    }
    dir.open_dir_nofollow(name).map_err(told)
}

/// A name that nobody else uses: the process and a count, and a part that cannot be foreseen.
fn part_name() -> String {
    use std::hash::{BuildHasher, Hasher, RandomState};
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!(
        ".figma-mcp-{}-{count}-{:08x}.part",
        std::process::id(),
        RandomState::new().build_hasher().finish()
    )
}

fn failed(path: &Path, problem: String) -> Error {
    Error::File { path: path.display().to_string(), problem }
}

#[cfg(test)]
mod tests;
