//! The sandbox: an embedded fake of Figma's REST API on loopback.
//!
//! A newcomer tries the server with it, without a token, and the end-to-end tests run against it, so
//! it is as strict as Figma: it is routed by the table, checks token, scopes and parameters, pages for
//! real, remembers what was written, and fails on demand ([`faults`]). It must not be reachable from
//! outside, and nothing else of this program may depend on it but the command line and tests.

mod answer;
mod check;
mod connection;
mod data;
mod faults;
mod files;
mod folders;
mod library;
pub mod oauth;
mod people;
mod render;
mod reports;
mod resources;
mod route;
mod sample;
mod scale;
mod serve;
mod state;
mod svg;
#[cfg(test)]
mod tests;
mod tokens;
mod tree;
mod variables;

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    sync::Arc,
};

use tokio_util::sync::{CancellationToken, DropGuard};

pub use faults::faults;
pub use tokens::{DEFAULT_TOKEN, SandboxToken, TOKENS};

use crate::error::{Error, Result};

/// The sample's product file: the app of a plant shop.
pub const PRODUCT_FILE: &str = "ShopAppSample0000000001a";
/// A branch of the product file.
pub const PRODUCT_BRANCH: &str = "ShopAppBranch0000000001b";
/// The design system that the product file uses.
pub const DESIGN_SYSTEM_FILE: &str = "DesignSystemSample00001a";
/// A `FigJam` board.
pub const WHITEBOARD_FILE: &str = "WhiteboardSample0000001a";
/// A file of the size that `--sandbox-scale` says; without it there is none.
pub const SCALED_FILE: &str = "ScaledSample0000000001a";
/// The team that owns everything.
pub const TEAM: &str = "1234567890123456789";
/// The project (folder) of the product file.
pub const PROJECT: &str = "2234567890123456789";
/// The organisation that the team belongs to.
pub const ORGANIZATION: &str = "3234567890123456789";

/// The frame "Home" of the product file: auto layout, instances inside instances, a hidden text.
pub const HOME_FRAME: &str = "2:1";
/// The frame "Product detail" of the product file.
pub const DETAIL_FRAME: &str = "2:2";
/// The frame "Cart" of the product file: instances of a local component set.
pub const CART_FRAME: &str = "2:3";
/// The frame "Checkout" of the product file: ready for development, with dev resources.
pub const CHECKOUT_FRAME: &str = "2:4";
/// The local component set "Quantity stepper" of the product file.
pub const STEPPER_SET: &str = "2:5";
/// The section "Heroes by language" of the product file: Russian, Arabic and Japanese texts.
pub const LANGUAGES_SECTION: &str = "3:13";
/// The group "Badge / Organic" of the product file: an ellipse and vectors.
pub const BADGE_GROUP: &str = "4:4";
/// A hidden frame of the product file, which cannot be rendered.
pub const HIDDEN_FRAME: &str = "5:3";
/// The component set "Button" of the design system.
pub const BUTTON_SET: &str = "30:100";

/// A running sandbox; stops when dropped.
#[derive(Debug)]
pub struct Sandbox {
    address: SocketAddr,
    _stop: DropGuard,
}

impl Sandbox {
    /// Starts on a free loopback port. `data`: a folder of Figma REST answers to serve instead of the
    /// sample data.
    ///
    /// # Errors
    /// [`Error::File`] if the folder or a file in it cannot be used; [`Error::Bug`] if there is no free
    /// port.
    pub async fn start(data: Option<&Path>) -> Result<Self> {
        Self::start_scaled(data, None).await
    }

    /// The same, with [`SCALED_FILE`] of about so many bytes.
    ///
    /// # Errors
    /// See [`Sandbox::start`].
    pub async fn start_scaled(data: Option<&Path>, scale: Option<u64>) -> Result<Self> {
        let data = data.map_or_else(|| Ok(data::Data::sample()), data::Data::folder)?;
        let no_port =
            |error: std::io::Error| Error::Bug { problem: format!("the sandbox cannot listen: {error}") };
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(no_port)?;
        let address = listener.local_addr().map_err(no_port)?;
        let stop = CancellationToken::new();
        let world = Arc::new(state::World::new(data, scale, address, stop.clone()));
        tokio::spawn(serve::run(listener, world));
        Ok(Self { address, _stop: stop.drop_guard() })
    }

    /// Where it listens: `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }
}
