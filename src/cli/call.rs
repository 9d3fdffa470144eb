//! `figma-mcp call`: one tool from a terminal or a script, through the same pipeline as the server.

use std::{
    fs,
    io::{self, IsTerminal, Read},
    path::Path,
};

use serde_json::Value;

use super::{in_runtime, print, settled, setup::Setup, tell};
use crate::{
    dispatch::{self, Output},
    error::{Error, Result},
    settings::Settings,
    table::args::Args,
};

/// The arguments from `NAME=VALUE` words and a JSON object; a word wins.
pub(super) fn arguments(words: &[String], json: Option<&str>) -> Result<Args> {
    let mut given = match json {
        None => Args::new(),
        Some("-") => {
            let mut text = String::new();
            io::stdin()
                .read_to_string(&mut text)
                .map_err(|error| Error::File { path: "stdin".to_owned(), problem: error.to_string() })?;
            object(&text)?
        }
        Some(text) => object(text)?,
    };
    for word in words {
        let (name, value) = word.split_once('=').ok_or_else(|| Error::Usage {
            problem: format!("`{}` is no argument", crate::auth::redacted(word)),
            hint: "Write NAME=VALUE, such as file_key=https://www.figma.com/design/…; `figma-mcp tools NAME` lists the names.".to_owned(),
        })?;
        given.insert(name.to_owned(), Value::from(value));
    }
    Ok(given)
}

fn object(text: &str) -> Result<Args> {
    serde_json::from_str(text).map_err(|error| Error::Usage {
        problem: format!("--json is no JSON object: {error}"),
        hint: "Write for example --json '{\"file_key\": \"…\"}', or --json - and pipe it in.".to_owned(),
    })
}

/// Calls the tool and prints its result: readable on a terminal, as Figma sent it into a pipe or file.
pub(super) fn run(settings: &Settings, tool: &str, given: Args, file: Option<&Path>) -> Result<()> {
    let output = in_runtime(async {
        let setup = Setup::new(settings).await?;
        let outcome = dispatch::run(&setup.app, &setup.caller, tool, given).await;
        settled(&setup.app).await;
        outcome
    })?;
    match (file, output.images.first()) {
        // The picture is what a file is wanted for; what is said of it is read here.
        (Some(path), Some(image)) => {
            save(path, &image.bytes)?;
            print(&printable(&output, io::stdout().is_terminal()))?;
        }
        (Some(path), None) => save(path, output.body.as_bytes())?,
        (None, image) => {
            print(&printable(&output, io::stdout().is_terminal()))?;
            if image.is_some() {
                tell("note: There is a picture too: --output FILE saves it\n");
            }
        }
    }
    for note in &output.notes {
        tell(&format!("note: {note}\n"));
    }
    if let Some(next) = &output.next_page {
        let words: Vec<String> = next
            .iter()
            .map(|(name, value)| {
                format!("{name}={}", value.as_str().map_or_else(|| value.to_string(), str::to_owned))
            })
            .collect();
        tell(&format!("note: There is more: add {}\n", words.join(" ")));
    }
    Ok(())
}

fn printable(output: &Output, is_terminal: bool) -> String {
    let pretty = is_terminal.then(|| serde_json::from_str::<Value>(&output.body).ok()).flatten();
    let text = pretty.and_then(|value| serde_json::to_string_pretty(&value).ok());
    text.unwrap_or_else(|| output.body.clone()) + "\n"
}

/// Whole or not at all: written beside the target first, then put in its place.
pub(super) fn save(path: &Path, bytes: &[u8]) -> Result<()> {
    let failed =
        |error: io::Error| Error::File { path: path.display().to_string(), problem: error.to_string() };
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.part", std::process::id()));
    let part = path.with_file_name(name);
    fs::write(&part, bytes).and_then(|()| fs::rename(&part, path)).map_err(|error| {
        // What is left of a failed attempt helps nobody; that it cannot be removed changes nothing.
        let _ = fs::remove_file(&part);
        failed(error)
    })
}
