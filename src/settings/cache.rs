//! The flags of what is kept between calls: where, how much, or nothing.

use std::{ffi::OsString, path::PathBuf};

use clap::{Args, builder::FalseyValueParser};
use etcetera::BaseStrategy;

use super::{meaningful, usage};
use crate::error::Result;

const MEGABYTE: u64 = 1 << 20;
const DEFAULT_SIZE: u64 = 512 * MEGABYTE;

/// What is kept between calls.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Kept answers")]
pub struct CacheSettings {
    /// Keep answers, limits and counts in memory only, for the life of the process
    #[arg(long, env = "FIGMA_MCP_NO_CACHE", global = true, value_parser = FalseyValueParser::new())]
    pub no_cache: bool,

    /// Most that kept answers take on the disk, in megabytes or with a unit: 512, 512MB, 2GB
    #[arg(long, env = "FIGMA_MCP_CACHE_SIZE", global = true, value_name = "SIZE", default_value = "512MB", value_parser = size)]
    pub cache_size: u64,

    /// Folder for kept answers, limits and counts
    #[arg(long, env = "FIGMA_MCP_CACHE_DIR", global = true, value_name = "DIR")]
    cache_dir: Option<OsString>,
}

impl CacheSettings {
    /// Makes empty values absent.
    pub(super) fn tidy(&mut self) {
        let dir = self.cache_dir.take();
        self.cache_dir = dir.filter(|path| path.to_str().is_none_or(|text| meaningful(text).is_some()));
    }

    /// The folder: the one that was named, else `figma-mcp` in the system's cache folder.
    ///
    /// # Errors
    /// [`crate::error::Error::Usage`] when there is no home folder to put it in.
    pub fn dir(&self) -> Result<PathBuf> {
        if let Some(folder) = &self.cache_dir {
            return Ok(PathBuf::from(folder));
        }
        etcetera::choose_base_strategy().map(|folders| folders.cache_dir().join("figma-mcp")).map_err(|_| {
            usage(
                "there is no home folder to keep answers in",
                "Name a folder with --cache-dir (FIGMA_MCP_CACHE_DIR), or pass --no-cache.",
            )
        })
    }
}

/// Bytes from a number of megabytes or a number with its unit; an empty value is the default.
pub(super) fn size(text: &str) -> Result<u64, String> {
    let Some(text) = meaningful(text) else { return Ok(DEFAULT_SIZE) };
    let lower = text.to_ascii_lowercase();
    let digits = lower.trim_end_matches(|c: char| c.is_ascii_alphabetic() || c == ' ');
    let unit = match lower.get(digits.len()..).unwrap_or_default().trim() {
        "" | "m" | "mb" | "mib" => MEGABYTE,
        "k" | "kb" | "kib" => 1 << 10,
        "g" | "gb" | "gib" => 1 << 30,
        _ => 0,
    };
    let bytes = digits.parse::<u64>().ok().and_then(|number| number.checked_mul(unit));
    bytes
        .filter(|bytes| (MEGABYTE..=1 << 40).contains(bytes))
        .ok_or_else(|| "it must be a size from 1MB to 1024GB, such as 512MB or 2GB".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units_and_bounds() {
        let cases =
            [("", DEFAULT_SIZE), ("1", MEGABYTE), ("64 mb", 64 * MEGABYTE), ("2GiB", 2048 * MEGABYTE)];
        for (text, bytes) in cases {
            assert_eq!(size(text), Ok(bytes), "{text}");
        }
        for wrong in ["0", "-1", "1.5GB", "10TB", "x", "MB", "99999999999999999999", "512KB"] {
            assert!(size(wrong).is_err(), "{wrong}");
        }
    }
}
