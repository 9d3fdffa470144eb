//! `figma-mcp call`: one tool from a terminal or a script, through the same pipeline as the server.

use std::{
    fs,
    io::{self, IsTerminal, Read, Write},
    path::Path,
};

use serde_json::Value;

use super::{in_runtime, print, settled, setup::Setup, tell};
use crate::{
    dispatch::{self, Form, Output},
    error::{Error, Result},
    filter::{Document, Job},
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
pub(super) fn run(
    settings: &Settings,
    tool: &str,
    given: Args,
    filter: Option<String>,
    file: Option<&Path>,
) -> Result<()> {
    let output = in_runtime(async {
        let setup = Setup::new(settings).await?;
        let outcome = dispatch::run(&setup.app, &setup.caller, tool, given).await;
        settled(&setup.app).await;
        match filter {
            Some(filter) => filtered(&setup, outcome?, filter).await,
            None => outcome,
        }
    })?;
    match (file, output.images.first()) {
        // The picture is what a file is wanted for; what is said of it is read here.
        (Some(path), Some(image)) => {
            save(path, &image.bytes)?;
            show(&output)?;
        }
        (Some(path), None) => save_body(path, &output)?,
        (None, image) => {
            show(&output)?;
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
    let pretty = (is_terminal && output.form == Form::Json)
        .then(|| serde_json::from_str::<Value>(&output.body).ok())
        .flatten();
    let text = pretty.and_then(|value| serde_json::to_string_pretty(&value).ok());
    text.unwrap_or_else(|| output.body.clone()) + "\n"
}

/// Prints the whole body.
fn show(output: &Output) -> Result<()> {
    let Some(stored) = &output.stored else {
        return print(&printable(output, io::stdout().is_terminal()));
    };
    let mut body = stored.open().map_err(|error| unreadable(&error))?;
    match io::copy(&mut body, &mut io::stdout().lock()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(unreadable(&error)),
        _ => print("\n"),
    }
}

/// Writes the whole body.
fn save_body(path: &Path, output: &Output) -> Result<()> {
    let Some(stored) = &output.stored else { return save(path, output.body.as_bytes()) };
    let mut body = stored.open().map_err(|error| unreadable(&error))?;
    save_with(path, |file| io::copy(&mut body, file).map(drop))
}

fn unreadable(error: &io::Error) -> Error {
    Error::File { path: "the answer".to_owned(), problem: error.to_string() }
}

/// What a filter makes of a result: its outputs, a line each.
async fn filtered(setup: &Setup, output: Output, filter: String) -> Result<Output> {
    if output.form == Form::Text {
        return Err(Error::Usage {
            problem: "--filter reads JSON, and this tool answers with text".to_owned(),
            hint: "Leave it out, and pipe the text into another program.".to_owned(),
        });
    }
    let document = match &output.stored {
        Some(stored) => Document::Reader(stored.open().map_err(|error| unreadable(&error))?),
        None => Document::Text(output.body.as_str().into()),
    };
    let lines = setup.app.filters().run(Job { filter, most_outputs: None }, document).await?;
    Ok(Output { body: lines.join("\n"), stored: None, form: Form::Text, ..output })
}

/// Whole or not at all: written beside the target first, then put in its place.
pub(super) fn save(path: &Path, bytes: &[u8]) -> Result<()> {
    save_with(path, |file| file.write_all(bytes))
}

fn save_with(path: &Path, write: impl FnOnce(&mut fs::File) -> io::Result<()>) -> Result<()> {
    let failed =
        |error: io::Error| Error::File { path: path.display().to_string(), problem: error.to_string() };
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.part", std::process::id()));
    let part = path.with_file_name(name);
    let written = fs::File::create(&part).and_then(|mut file| write(&mut file));
    written.and_then(|()| fs::rename(&part, path)).map_err(|error| {
        // What is left of a failed attempt helps nobody; that it cannot be removed changes nothing.
        let _ = fs::remove_file(&part);
        failed(error)
    })
}
