//! `figma_screenshot_get`: a node's render, small enough for a model to look at.

use serde_json::Value;

use super::{App, Image, Output, images::blocking, picture};
use crate::{
    auth::Caller,
    disk::Kind,
    error::{Error, Result},
    table::{ImageEndpoints, Tool, args::Args},
};

/// The longest side of a picture where the caller does not say.
const LONGEST_SIDE: u32 = 1024;
/// The largest picture in bytes: as base64 and with a text beside it, the result stays below the one
/// megabyte that some clients read of a message.
const MOST_BYTES: usize = 700_000;

/// Renders the node, and makes the picture fit.
pub(super) async fn get(
    app: &App,
    caller: &Caller,
    tool: &'static Tool,
    endpoints: &'static ImageEndpoints,
    args: &Args,
) -> Result<Output> {
    let text = |name: &str| args.get(name).and_then(Value::as_str);
    let node_id = text("node_id").unwrap_or_default();
    let mut render = Args::from_iter([
        ("file_key".to_owned(), Value::from(text("file_key").unwrap_or_default())),
        ("ids".to_owned(), Value::from([node_id].as_slice())),
        ("format".to_owned(), Value::from(Kind::Png.extension())),
    ]);
    for name in ["version", "scale"] {
        render.extend(args.get(name).map(|value| (name.to_owned(), value.clone())));
    }
    let answer = app.rest.call(caller, tool, &endpoints.render, &render).await?;
    let answer: Value = serde_json::from_str(&answer.body)
        .map_err(|_| Error::BadAnswer { problem: "it is no list of images".to_owned() })?;
    let address = answer.get("images").and_then(|images| images.get(node_id)).and_then(Value::as_str);
    let none =
        |reason: &str| Error::NoImages { reasons: format!("{}: {reason}", crate::error::foreign(node_id)) };
    let address = address
        .ok_or_else(|| none("Figma does not render it: an unknown id, invisible, or nothing to draw"))?;
    let bytes = app.rest.downloads().get(address).await?;
    let longest = args.get("max_pixels").and_then(Value::as_u64).and_then(|side| u32::try_from(side).ok());
    let shown = blocking(move || {
        let size = picture::size(Kind::Png, &bytes);
        picture::shrunk(bytes, longest.unwrap_or(LONGEST_SIDE), MOST_BYTES).map(|shown| (shown, size))
    });
    let (shown, size) = shown.await?.map_err(|problem| none(&problem))?;
    let mime = if shown.kind == Kind::Jpg { "image/jpeg" } else { "image/png" };
    let mut text = format!("{node_id}: {} × {} pixels", shown.width, shown.height);
    if let Some((width, height)) = size.filter(|size| *size != (shown.width, shown.height)) {
        text += &format!(", scaled down from {width} × {height}");
    }
    Ok(Output { images: vec![Image { mime, bytes: shown.bytes }], ..Output::text(text) })
}
