//! Image addresses to bytes. Never with a token: these addresses carry their own permission, and the
//! hosts behind them are not Figma's API.

use super::{broke_off, client_builder};
use crate::{
    error::{Error, Result, unreachable as cause},
    rest::retry::Failed,
};

/// The most that is read of one image.
const LARGEST_IMAGE: usize = 64 * 1024 * 1024;

/// Fetches what an image address of a render answer points at.
///
/// # Errors
/// Why there is no image.
pub async fn download(address: &str) -> Result<Vec<u8>> {
    let unreachable =
        |error: reqwest::Error| Error::Unreachable { problem: cause(&error.without_url()), attempts: 1 };
    let client = client_builder(address).build().map_err(unreachable)?;
    let mut response = client.get(address).send().await.map_err(unreachable)?;
    if !response.status().is_success() {
        return Err(Error::BadAnswer {
            problem: format!("the image's address answers with status {}", response.status().as_u16()),
        });
    }
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| match broke_off(error) {
        Failed::NotSent(problem) => Error::Unreachable { problem, attempts: 1 },
        Failed::Broken(error) | Failed::Answered(error) => error,
    })? {
        if bytes.len() + chunk.len() > LARGEST_IMAGE {
            return Err(Error::TooLarge {
                limit: "the image exceeds 64 MB".to_owned(),
                smaller: "Render it with a lower `scale`.",
            });
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}
