//! What can go wrong between a person's own Figma app and us. Figma shows most of it in the browser
//! only, so these say what the browser may have shown.

use std::time::Duration;

use super::{Next, figma_says, span};

/// Whom an app admits: the cause behind most authorisations that never come back.
const APP_STATES: &str = "a draft app admits its owner and the plan's admins only, a private one its own team or organisation, and a public one everybody once Figma has reviewed it";

/// A situation of a login with OAuth, or of its token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OAuthError {
    /// The app's secret is nowhere to be found.
    #[error("the client secret of the Figma app is missing")]
    NoSecret {
        /// The profile that needs it, when it is about a stored login.
        profile: Option<String>,
    },
    /// None of the callback's ports is free.
    #[error("none of the callback's ports {ports} is free")]
    NoPort {
        /// The ports, as a list.
        ports: String,
    },
    /// No callback came: declining sends none, and neither does an app that does not admit the person.
    #[error("no answer came from the browser within {}", span(*limit))]
    NoCallback {
        /// How long it was waited for.
        limit: Duration,
        /// The address that Figma should have come back to.
        redirect_uri: String,
    },
    /// The callback belongs to another login, or somebody made it up.
    #[error("the answer from the browser belongs to another login")]
    WrongState,
    /// What came back is no callback.
    #[error("this is not the address that Figma sends the browser to: {problem}")]
    BadCallback {
        /// What is wrong with it, without its contents.
        problem: &'static str,
    },
    /// Figma came back with a refusal.
    #[error("Figma refused the authorisation")]
    Refused {
        /// Figma's own words.
        message: String,
    },
    /// The code was used before, or is older than 30 seconds.
    #[error("Figma does not accept the code: it is good once, for 30 seconds")]
    ExpiredCode {
        /// Figma's own words.
        message: String,
    },
    /// Client id and secret do not belong together.
    #[error("Figma does not accept the client id with this client secret")]
    WrongSecret {
        /// Figma's own words.
        message: String,
    },
    /// The address of the callback is not among the app's.
    #[error("the app does not have {redirect_uri} among its redirect URLs")]
    WrongRedirect {
        /// The address.
        redirect_uri: String,
        /// Figma's own words.
        message: String,
    },
    /// Figma refused to exchange the code for another reason.
    #[error("Figma refused to exchange the code ({status})")]
    NotExchanged {
        /// The HTTP status.
        status: u16,
        /// Figma's own words.
        message: String,
    },
    /// Figma refuses to replace the token: only a new login helps.
    #[error("the login of profile `{profile}` has been revoked")]
    Revoked {
        /// The profile.
        profile: String,
        /// Figma's own words; empty where they were heard by an earlier call.
        message: String,
    },
    /// Somebody else keeps replacing the token.
    #[error("the token of profile `{profile}` was invalidated {times} times within an hour")]
    Contended {
        /// The profile.
        profile: String,
        /// How often.
        times: usize,
    },
}

impl OAuthError {
    /// A word for the situation that never changes.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::NoSecret { .. } => "oauth_no_secret",
            Self::NoPort { .. } => "oauth_no_port",
            Self::NoCallback { .. } => "oauth_no_callback",
            Self::WrongState => "oauth_wrong_state",
            Self::BadCallback { .. } => "oauth_bad_callback",
            Self::Refused { .. } => "oauth_refused",
            Self::ExpiredCode { .. } => "oauth_expired_code",
            Self::WrongSecret { .. } => "oauth_wrong_secret",
            Self::WrongRedirect { .. } => "oauth_wrong_redirect",
            Self::NotExchanged { .. } => "oauth_not_exchanged",
            Self::Revoked { .. } => "oauth_revoked",
            Self::Contended { .. } => "oauth_contended",
        }
    }

    pub(super) fn why(&self) -> Option<String> {
        match self {
            Self::NoSecret { .. } => {
                Some("Figma gives tokens only to an app that proves itself with its secret".to_owned())
            }
            Self::NoPort { .. } => Some("other programs listen there".to_owned()),
            Self::NoCallback { .. } => Some(format!(
                "Figma sends nothing back when a person declines, and shows it in the browser only when the app does not have this redirect URL or scope, or does not admit the person: {APP_STATES}"
            )),
            Self::WrongState => Some(
                "it does not carry the random word of this login; it may come from an older browser tab"
                    .to_owned(),
            ),
            Self::BadCallback { .. } => None,
            Self::Refused { message }
            | Self::ExpiredCode { message }
            | Self::WrongSecret { message }
            | Self::WrongRedirect { message, .. }
            | Self::NotExchanged { message, .. }
            | Self::Revoked { message, .. } => figma_says(message),
            Self::Contended { .. } => Some(
                "Figma keeps one live token a person and app, so every login or refresh with the same app elsewhere kills this one"
                    .to_owned(),
            ),
        }
    }

    pub(super) fn next(&self) -> Next {
        let text = match self {
            Self::NoSecret { profile: Some(profile) } => format!(
                "log in again: `figma-mcp auth login --kind oauth --profile {profile}`, or set FIGMA_OAUTH_CLIENT_SECRET."
            ),
            Self::NoSecret { profile: None } => {
                "copy it from the app's page at https://www.figma.com/developers/apps and type it at the prompt, or set FIGMA_OAUTH_CLIENT_SECRET; never as an argument.".to_owned()
            }
            Self::NoPort { .. } => {
                "end the program that uses one of them, or log in with `--manual`, which needs none.".to_owned()
            }
            Self::NoCallback { redirect_uri, .. } => format!(
                "read what the browser shows: allow the access there, or add the redirect URL {redirect_uri} and the scopes to the app, or use an app of your own team; then log in again. On another machine than the browser's, add `--manual`."
            ),
            Self::WrongState => {
                "close older tabs of Figma's consent page and log in again, in the tab that opens.".to_owned()
            }
            Self::BadCallback { .. } => {
                "allow the access in the browser, then copy the whole address of the page that fails to load (it begins with http://127.0.0.1), and log in again.".to_owned()
            }
            Self::Refused { .. } => format!(
                "check the app's scopes and who may use it ({APP_STATES}; a public one must not ask for projects:read or folders:read), then log in again."
            ),
            Self::ExpiredCode { .. } => {
                "log in again, and finish within 30 seconds of allowing the access; also check the clock.".to_owned()
            }
            Self::WrongSecret { .. } => {
                "copy client id and secret anew from the app's page at https://www.figma.com/developers/apps and log in again.".to_owned()
            }
            Self::WrongRedirect { redirect_uri, .. } => {
                format!("add {redirect_uri} to the app's redirect URLs, exactly so, and log in again.")
            }
            Self::NotExchanged { .. } => {
                format!("check client id, secret, redirect URLs and who may use the app ({APP_STATES}), then log in again.")
            }
            Self::Revoked { profile, .. } => format!(
                "log in again: `figma-mcp auth login --kind oauth --profile {profile}`. The access was taken back in Figma's settings, or the app or its secret changed."
            ),
            Self::Contended { .. } => {
                "give each machine an app of its own, or use a personal access token here; the next attempt is possible within the hour.".to_owned()
            }
        };
        Next::Person(text)
    }

    pub(super) const fn exit_code(&self) -> u8 {
        match self {
            Self::NoSecret { .. } => 40,
            Self::NoPort { .. } => 41,
            Self::NoCallback { .. } => 42,
            Self::WrongState => 43,
            Self::BadCallback { .. } => 44,
            Self::Refused { .. } => 45,
            Self::ExpiredCode { .. } => 46,
            Self::WrongSecret { .. } => 47,
            Self::WrongRedirect { .. } => 48,
            Self::NotExchanged { .. } => 49,
            Self::Revoked { .. } => 50,
            Self::Contended { .. } => 51,
        }
    }
}
