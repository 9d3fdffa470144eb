//! `figma_screenshot_get`: a node's render, small enough for a model to look at, and what it shows.

use serde_json::Value;

use super::{
    App, Image, Output,
    images::{NOT_RENDERED, blocking},
    outline::Outline,
    picture, source,
};
use crate::{
    auth::Caller,
    disk::Kind,
    error::{Error, Result, foreign},
    table::{ImageEndpoints, Tool, args::Args},
};

/// The longest side of a picture where the caller does not say.
const LONGEST_SIDE: u32 = 1024;
/// The largest picture in bytes: as base64 and with a text beside it, the result stays below the one
/// megabyte that some clients read of a message.
const MOST_BYTES: usize = 700_000;
/// How much larger than in the design a small node is shown.
const LARGEST_SCALE: f64 = 4.0;

/// Reads the node's outline, renders it, and makes the picture fit.
pub(super) async fn get(
    app: &App,
    caller: &Caller,
    tool: &'static Tool,
    endpoints: &'static ImageEndpoints,
    args: &Args,
) -> Result<Output> {
    let text = |name: &str| args.get(name).and_then(Value::as_str);
    let (file_key, node_id) = (text("file_key").unwrap_or_default(), text("node_id").unwrap_or_default());
    let longest = args.get("max_pixels").and_then(Value::as_u64).and_then(|side| u32::try_from(side).ok());
    let longest = longest.unwrap_or(LONGEST_SIDE);
    let ids = [node_id.to_owned()];
    let read = source::read(app, caller, tool, file_key, text("version"), &ids, Outline::default);
    let (outline, mut notes) = match read.await {
        Ok((outline, _)) => (outline, Vec::new()),
        // A picture without its outline is still a picture.
        Err(error) => (Outline::default(), vec![format!("No outline: {error}.")]),
    };
    let node = outline.node(node_id);
    let fitting = node.and_then(super::outline::Node::longest_side).map(|side| fitting(side, longest));
    let scale = args.get("scale").and_then(Value::as_f64).or(fitting);
    let address = address(app, caller, tool, endpoints, args, scale).await?;
    let bytes = app.rest.downloads().get(&address).await?;
    let shown = blocking(move || picture::shrunk(bytes, longest, MOST_BYTES)).await?;
    let shown = shown.map_err(|problem| nothing(node_id, &problem))?;
    let mut told = format!("Picture: {} × {} pixels.", shown.width, shown.height);
    if let Some(node) = node {
        told += &format!("\n{}", node.lines());
    } else if notes.is_empty() {
        notes.push("There is no outline of it.".to_owned());
    }
    let mime = if shown.kind == Kind::Jpg { "image/jpeg" } else { "image/png" };
    Ok(Output { images: vec![Image { mime, bytes: shown.bytes }], notes, ..Output::text(told) })
}

/// The scale at which a node of this longest side fills the picture, as far as Figma renders it so.
fn fitting(side: f64, longest: u32) -> f64 {
    (f64::from(longest) / side).clamp(0.01, LARGEST_SCALE)
}

/// Where Figma put the render.
async fn address(
    app: &App,
    caller: &Caller,
    tool: &'static Tool,
    endpoints: &'static ImageEndpoints,
    args: &Args,
    scale: Option<f64>,
) -> Result<String> {
    let node_id = args.get("node_id").and_then(Value::as_str).unwrap_or_default();
    let mut render = Args::from_iter([
        ("ids".to_owned(), Value::from([node_id].as_slice())),
        ("format".to_owned(), Value::from(Kind::Png.extension())),
    ]);
    for name in ["file_key", "version"] {
        render.extend(args.get(name).map(|value| (name.to_owned(), value.clone())));
    }
    // Fewer digits, so that the same picture is asked for by the same request.
    render.extend(scale.map(|scale| ("scale".to_owned(), Value::from((scale * 1000.0).round() / 1000.0))));
    let answer = app.rest.call(caller, tool, &endpoints.render, &render).await?;
    let answer: Value = serde_json::from_str(&answer.body)
        .map_err(|_| Error::BadAnswer { problem: "it is no list of images".to_owned() })?;
    let address = answer.get("images").and_then(|images| images.get(node_id)).and_then(Value::as_str);
    address.map(str::to_owned).ok_or_else(|| nothing(node_id, NOT_RENDERED))
}

fn nothing(node_id: &str, reason: &str) -> Error {
    Error::NoImages { reasons: format!("{}: {reason}", foreign(node_id)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_fills_its_picture() {
        assert!((fitting(2048.0, 1024) - 0.5).abs() < 1e-9);
        assert!((fitting(24.0, 1024) - 4.0).abs() < 1e-9, "an icon is not blown up without end");
        assert!((fitting(1e9, 1024) - 0.01).abs() < 1e-9);
    }
}
