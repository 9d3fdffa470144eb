//! `figma-mcp cache`: what is kept between calls.

use clap::Subcommand;
use serde_json::json;

use super::{in_runtime, print, setup, tell};
use crate::{
    auth::{now, time::day},
    dispatch::{Stats, Store, forget_answers},
    error::Result,
    settings::Settings,
};

/// What can be done with what is kept.
#[derive(Debug, Subcommand)]
pub(super) enum Cache {
    /// Show how much is kept
    Stats {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Drop kept answers; logins, limits and counts stay
    Clear {
        /// Forget also the rate limits that Figma has named: after a change of plan or seat
        #[arg(long)]
        limits: bool,
    },
    /// Print where it is kept
    Path,
}

pub(super) fn run(settings: &Settings, command: &Cache) -> Result<()> {
    match command {
        Cache::Stats { json } => stats(settings, *json),
        Cache::Clear { limits } => clear(settings, *limits),
        Cache::Path => {
            let path = settings.cache.dir().map(|folder| Store::at(folder, 0).path())?;
            print(&format!("{}\n", path.unwrap_or_default().display()))
        }
    }
}

fn stats(settings: &Settings, as_json: bool) -> Result<()> {
    let store = setup::store(settings);
    // Looking leaves no trace: nothing is made where nothing is.
    let is_there = store.path().is_some_and(|path| path.exists());
    let stats = if is_there { in_runtime(async { store.stats().await })? } else { Stats::default() };
    let age = stats.oldest.map(|at| now().saturating_sub(at));
    if as_json {
        let json = json!({
            "path": store.path(),
            "answers": stats.answers,
            "files": stats.files,
            "callers": stats.callers,
            "bytes": stats.bytes,
            "capacity_bytes": store.capacity(),
            "oldest_age_s": age,
        });
        return print(&(serde_json::to_string_pretty(&json).unwrap_or_default() + "\n"));
    }
    let place = store.path().map_or_else(|| "memory".to_owned(), |path| path.display().to_string());
    let oldest = stats.oldest.map_or_else(String::new, |at| format!(", the oldest from {}", day(at)));
    print(&format!(
        "{} answers of {} files for {} callers{oldest}\n{} of {} in {place}\n",
        stats.answers,
        stats.files,
        stats.callers,
        megabytes(stats.bytes),
        megabytes(store.capacity())
    ))
}

fn clear(settings: &Settings, has_limits: bool) -> Result<()> {
    let store = setup::store(settings);
    if !store.path().is_some_and(|path| path.exists()) {
        tell("Nothing was kept.\n");
        return Ok(());
    }
    let opened = in_runtime(async {
        forget_answers(&store).await?;
        if has_limits { store.open_gates().await } else { Ok(0) }
    })?;
    tell("Dropped every kept answer.\n");
    if has_limits {
        tell(&format!("Forgot {opened} rate limits; running servers follow within a second.\n"));
    }
    Ok(())
}

fn megabytes(bytes: u64) -> String {
    let (whole, tenths) = (bytes >> 20, ((bytes & 0xf_ffff) * 10) >> 20);
    format!("{whole}.{tenths} MB")
}
