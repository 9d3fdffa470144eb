//! A small public JSON document of somebody else's server, such as an identity provider's keys.

use std::time::Duration;

use serde_json::Value;

use super::Network;
use crate::error::{Error, Result, unreachable as cause};

const LIMIT: Duration = Duration::from_secs(10);
const LARGEST: usize = 512 * 1024;

/// Fetches a document without any credential, following no redirect.
///
/// # Errors
/// Why there is none.
pub async fn fetch(network: &Network, url: &str) -> Result<Value> {
    let unreachable = |problem| Error::Unreachable { problem, attempts: 1 };
    let broken = |error: reqwest::Error| unreachable(cause(&error.without_url()));
    let mut response = network.client(url)?.get(url).timeout(LIMIT).send().await.map_err(broken)?;
    if !response.status().is_success() {
        return Err(unreachable(format!("the answer has the status {}", response.status().as_u16())));
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(broken)? {
        if body.len() + chunk.len() > LARGEST {
            return Err(unreachable("the answer is too large".to_owned()));
        }
        body.extend_from_slice(&chunk);
    }
    serde_json::from_slice(&body).map_err(|_| unreachable("the answer is no JSON".to_owned()))
}
