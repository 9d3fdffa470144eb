//! Texts that are kept beside the code and compared byte for byte.

use std::{fs, path::PathBuf};

use snapbox::{
    Data,
    report::{Palette, write_diff},
};

/// The command that accepts every difference.
pub(crate) const BLESS: &str = "BLESS=1 cargo test";

/// Whether differences are to be accepted.
pub(crate) fn is_blessing() -> bool {
    std::env::var_os("BLESS").is_some_and(|value| value == "1")
}

/// A file or folder of the repository.
pub(crate) fn repository(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Compares a text with a file of the repository, or rewrites the file when blessing. A missing file
/// fails like a wrong one: it is never created silently.
pub(crate) fn assert_file(path: &str, text: &str) {
    if let Some(difference) = difference(path, text) {
        panic!("{difference}\nTo accept it: {BLESS}");
    }
}

/// As [`assert_file`], for many files at once: what differs, if anything does.
pub(crate) fn difference(path: &str, text: &str) -> Option<String> {
    let file = repository(path);
    let kept = fs::read_to_string(&file);
    if kept.as_deref().is_ok_and(|kept| kept == text) {
        return None;
    }
    if is_blessing() {
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, text).unwrap();
        return None;
    }
    let Ok(kept) = kept else { return Some(format!("{path} is missing")) };
    let mut shown = String::new();
    let (kept, text) = (Data::text(kept).raw(), Data::text(text).raw());
    write_diff(&mut shown, &kept, &text, Some(&path), Some(&"now"), Palette::plain()).unwrap();
    Some(shown)
}
