//! Who calls: nobody is asked on loopback, a bearer token of ours or of the operator's authorization
//! server is needed elsewhere.
//!
//! `Authorization` is for tokens made for this very server. A Figma token in it is never passed on:
//! the protocol forbids it.

use std::fs;

use axum::http::{HeaderMap, StatusCode, header};
use ring::digest;
use serde_json::{Value, json};
use subtle::{Choice, ConstantTimeEq};

use super::{gate::Refusal, jwt::Issuer};
use crate::{
    auth::{Fingerprint, keep_out},
    dispatch::Network,
    error::{Error, Result},
    settings::Access,
};

/// Shorter tokens can be guessed.
const SHORTEST_TOKEN: usize = 24;
const LONGEST_TOKEN: usize = 8 * 1024;

/// Whoever calls.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Who {
    /// Callers are not told apart: nobody but this machine reaches the server.
    Anybody,
    /// One who showed a token.
    Known(Fingerprint),
}

/// Lets callers in.
pub(super) struct Door {
    is_open: bool,
    /// SHA-256 of the tokens: comparing these tells nothing of the tokens themselves.
    tokens: Vec<[u8; 32]>,
    issuer: Option<Issuer>,
    public: String,
}

impl Door {
    /// # Errors
    /// When the file of tokens cannot be used.
    pub(super) fn new(access: &Access, public: &str, network: Network) -> Result<Self> {
        let tokens = access.token_file.as_ref().map(|path| tokens_in(path)).transpose()?;
        let audience = access.audience.clone().unwrap_or_else(|| format!("{public}/mcp"));
        Ok(Self {
            is_open: !access.is_required(),
            tokens: tokens.unwrap_or_default(),
            issuer: access.issuer.clone().map(|issuer| Issuer::new(issuer, audience, network)),
            public: public.to_owned(),
        })
    }

    pub(super) const fn has_issuer(&self) -> bool {
        self.issuer.is_some()
    }

    /// What a client needs to know to get a token (RFC 9728).
    pub(super) fn metadata(&self) -> Value {
        json!({
            "resource": self.issuer.as_ref().map(Issuer::audience),
            "authorization_servers": self.issuer.iter().map(Issuer::name).collect::<Vec<_>>(),
            "bearer_methods_supported": ["header"],
            "resource_name": "figma-mcp",
        })
    }

    /// Who calls.
    ///
    /// # Errors
    /// 401 with what is needed.
    pub(super) async fn check(&self, headers: &HeaderMap) -> Result<Who, Refusal> {
        if self.is_open {
            return Ok(Who::Anybody);
        }
        let mut given = headers.get_all(header::AUTHORIZATION).iter();
        let (first, None) = (given.next(), given.next()) else {
            return Err(self.unknown("more than one `Authorization`", true));
        };
        let Some(first) = first else { return Err(self.unknown("a bearer token is needed", false)) };
        let token = first.to_str().ok().and_then(|text| text.split_once(' ')).filter(|(scheme, token)| {
            scheme.eq_ignore_ascii_case("bearer") && (1..=LONGEST_TOKEN).contains(&token.trim().len())
        });
        let Some((_, token)) = token else { return Err(self.unknown("a bearer token is needed", true)) };
        let token = token.trim();
        if self.is_ours(token) {
            return Ok(Who::Known(Fingerprint::of(&["bearer", token])));
        }
        if let Some(issuer) = &self.issuer {
            return match issuer.check(token).await {
                Ok(subject) => Ok(Who::Known(Fingerprint::of(&["subject", issuer.name(), &subject]))),
                Err(problem) => Err(self.unknown(&problem, true)),
            };
        }
        Err(self.unknown(
            "the bearer token is none of this server's; a Figma token belongs into `X-Figma-Token`",
            true,
        ))
    }

    /// Every token is looked at, so that the time does not tell which one was nearly right.
    fn is_ours(&self, token: &str) -> bool {
        let given = sha256(token);
        let found = self.tokens.iter().fold(Choice::from(0), |found, known| found | known.ct_eq(&given));
        found.into()
    }

    fn unknown(&self, text: &str, was_given: bool) -> Refusal {
        let mut challenge = "Bearer realm=\"figma-mcp\"".to_owned();
        if was_given {
            challenge += ", error=\"invalid_token\"";
        }
        if self.has_issuer() {
            challenge +=
                &format!(", resource_metadata=\"{}/.well-known/oauth-protected-resource/mcp\"", self.public);
        }
        Refusal::new(StatusCode::UNAUTHORIZED, "unauthorized", text).challenging(challenge)
    }
}

fn sha256(text: &str) -> [u8; 32] {
    let mut bytes = [0; 32];
    let sum = digest::digest(&digest::SHA256, text.as_bytes());
    bytes.iter_mut().zip(sum.as_ref()).for_each(|(to, from)| *to = *from);
    bytes
}

/// The tokens in a file, one a line; empty lines and lines after `#` do not count.
fn tokens_in(path: &std::path::Path) -> Result<Vec<[u8; 32]>> {
    let wrong = |problem: String| Error::File { path: path.display().to_string(), problem };
    let text = fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let mut tokens = Vec::new();
    for token in lines {
        let is_fit = (SHORTEST_TOKEN..=LONGEST_TOKEN).contains(&token.len())
            && token.bytes().all(|byte| byte.is_ascii_graphic());
        if !is_fit {
            return Err(wrong(format!(
                "a token needs at least {SHORTEST_TOKEN} visible characters and no blanks (`openssl rand -hex 32` makes one)"
            )));
        }
        keep_out(token);
        tokens.push(sha256(token));
    }
    if tokens.is_empty() { Err(wrong("it holds no token".to_owned())) } else { Ok(tokens) }
}
