//! `auth login --kind oauth`: the person's own Figma app.

use clap::Args;

use super::LoginArgs;
use crate::{
    auth::profiles::Profiles,
    error::{Error, Result},
    settings::Settings,
};

/// What only an OAuth login takes.
#[derive(Debug, Clone, Args)]
pub(in crate::cli) struct OAuthArgs {}

/// Logs in with OAuth 2. The login's lock is held by the caller.
pub(super) fn login_oauth(
    _settings: &Settings,
    _profiles: &Profiles,
    _profile: &str,
    _login: &LoginArgs,
) -> Result<()> {
    Err(Error::Usage {
        problem: "this build cannot log in with OAuth yet".to_owned(),
        hint: "Use `--kind personal` or `--kind plan`, or set FIGMA_OAUTH_TOKEN.".to_owned(),
    })
}
