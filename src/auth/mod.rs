//! Who is asking, and with what: kinds of token and where they come from.
//!
//! A token's kind is said by whoever configures it, never guessed from its prefix: plan and OAuth
//! tokens can begin alike. This room never prints a secret.

pub mod abilities;
mod caller;
mod file;
mod fingerprint;
mod keyring;
pub mod oauth;
pub mod private;
pub mod profiles;
pub mod record;
mod redact;
pub mod store;
pub mod time;

use std::time::SystemTime;

use secrecy::{ExposeSecret, SecretString};

pub use self::{
    caller::{Caller, Login, Pending, REFRESH_MARGIN, Refresh},
    file::Files,
    fingerprint::{Fingerprint, hex, lasting, random, random_name},
    keyring::{Keyring, SERVICE},
    redact::{Redacting, hide_in_panics, keep_out, keep_out_for_now, redacted, redacted_in_data},
};
use crate::{
    error::{Error, Result, TokenProblem},
    table::TokenKind,
};

/// A Figma credential.
#[derive(Debug, Clone)]
pub struct Token {
    /// What kind it is; `None` for the sandbox's own, which may do everything.
    pub kind: Option<TokenKind>,
    secret: SecretString,
    /// Where it came from, such as `FIGMA_TOKEN`.
    pub origin: String,
    /// When it ends, in seconds since 1970, if that is known.
    pub expires_at: Option<u64>,
    /// When it began, in seconds since 1970, if that is known.
    pub issued_at: Option<u64>,
}

/// The outcome of looking for a token: three states, never two, so that a broken one is told and
/// not mistaken for none.
#[derive(Debug, Clone)]
pub enum Found {
    /// A usable token.
    Token(Token),
    /// None is configured.
    None,
    /// One is configured, and cannot be used.
    Broken(Error),
}

impl Token {
    /// A token of a stated kind.
    ///
    /// # Errors
    /// What is wrong with it, when it cannot stand in an HTTP header.
    pub fn new(kind: Option<TokenKind>, secret: &str, origin: &str) -> Result<Self> {
        let token = Self::of_request(kind, secret, origin)?;
        keep_out(token.secret.expose_secret());
        Ok(token)
    }

    /// As [`Token::new`], for a token that somebody else's request brought.
    ///
    /// # Errors
    /// What is wrong with it, when it cannot stand in an HTTP header.
    pub fn of_request(kind: Option<TokenKind>, secret: &str, origin: &str) -> Result<Self> {
        let secret = secret.trim();
        let broken = |problem| Err(Error::BrokenToken { origin: origin.to_owned(), problem });
        if secret.is_empty() {
            return broken(TokenProblem::Empty);
        }
        // Figma's own are far shorter; a record has to fit every keyring.
        if secret.len() > 1024 {
            return broken(TokenProblem::TooLong);
        }
        if secret.starts_with(['"', '\'']) {
            return broken(TokenProblem::Quoted);
        }
        if !secret.bytes().all(|byte| byte.is_ascii_graphic()) {
            return broken(TokenProblem::Blank);
        }
        keep_out_for_now(secret);
        Ok(Self {
            kind,
            secret: SecretString::from(secret),
            origin: origin.to_owned(),
            expires_at: None,
            issued_at: None,
        })
    }

    /// The secret itself, for whoever stores it.
    pub const fn secret(&self) -> &SecretString {
        &self.secret
    }

    /// Whether both are the same secret.
    pub fn is_same(&self, other: &Self) -> bool {
        self.secret.expose_secret() == other.secret.expose_secret()
    }

    /// Stands for it where credentials are told apart.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(&self.parts())
    }

    /// Its kind and its secret, for a keyed sum that stands for it.
    fn parts(&self) -> [&str; 3] {
        ["token", self.kind.map_or("sandbox", TokenKind::name), self.secret.expose_secret()]
    }

    /// The header that carries it: its name and its value. Exactly one per request.
    ///
    /// Source: security schemes of Figma's `OpenAPI` document.
    pub fn header(&self) -> (&'static str, SecretString) {
        match self.kind {
            Some(TokenKind::OAuth) => {
                ("authorization", SecretString::from(format!("Bearer {}", self.secret.expose_secret())))
            }
            Some(TokenKind::Personal | TokenKind::Plan) | None => ("x-figma-token", self.secret.clone()),
        }
    }

    /// What a person calls this kind of token.
    pub fn description(&self) -> &'static str {
        self.kind.map_or("the sandbox's token", TokenKind::description)
    }
}

impl Found {
    /// The first token in the environment, as `variables` has it: (name, kind, value).
    pub fn from_variables<'a>(variables: impl IntoIterator<Item = (&'a str, TokenKind, String)>) -> Self {
        variables.into_iter().next().map_or(Self::None, |(name, kind, value)| {
            Token::new(Some(kind), &value, name).map_or_else(Self::Broken, Self::Token)
        })
    }
}

/// Seconds since 1970.
pub fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |time| time.as_secs())
}

/// Runs work that blocks on a thread of its own. Not on the runtime's blocking threads: a keyring that
/// hangs there would hold up the end of the process.
///
/// # Errors
/// Those of the work.
pub async fn aside<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    let (sender, receiver) = tokio::sync::oneshot::channel();
    let broke_off = || Error::Bug { problem: "a thread for the credentials broke off".to_owned() };
    std::thread::Builder::new()
        .name("credentials".to_owned())
        .spawn(move || {
            // Whoever asked may be gone.
            let _ = sender.send(work());
        })
        .map_err(|_| broke_off())?;
    receiver.await.map_err(|_| broke_off())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_never_printed() {
        let token = Token::new(Some(TokenKind::Personal), "figd_CanaryCanaryCanary", "FIGMA_TOKEN").unwrap();
        assert!(!format!("{token:?} {:?}", token.header()).contains("Canary"));
    }

    #[test]
    fn a_broken_token_is_told_apart_from_none() {
        let found = |value: &str| Found::from_variables([("FIGMA_TOKEN", TokenKind::Plan, value.to_owned())]);
        assert!(matches!(found("figu_abc"), Found::Token(token) if token.kind == Some(TokenKind::Plan)));
        assert!(matches!(found("two words"), Found::Broken(_)));
        assert!(matches!(found("\"figd_abc\""), Found::Broken(_)));
        assert!(matches!(Found::from_variables([]), Found::None));
    }

    #[test]
    fn the_kind_decides_the_header() {
        let header = |kind| Token::new(kind, "x", "test").unwrap().header().0;
        assert_eq!(header(Some(TokenKind::Personal)), "x-figma-token");
        assert_eq!(header(Some(TokenKind::Plan)), "x-figma-token");
        assert_eq!(header(Some(TokenKind::OAuth)), "authorization");
    }
}
