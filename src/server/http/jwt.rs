//! Tokens of the operator's authorization server: signed by one of its keys, made for this server, and
//! not over.

use std::{
    sync::Once,
    time::{Duration, Instant},
};

use jsonwebtoken::{
    Algorithm, DecodingKey, Validation, decode, decode_header,
    jwk::{Jwk, JwkSet, PublicKeyUse},
};
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::Mutex;

use super::signature;
use crate::dispatch::{Network, fetch};

/// The algorithms that are accepted: none that shares a secret, and never `none`.
const ALGORITHMS: [Algorithm; 9] = [
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::EdDSA,
];
/// How long the issuer's keys are kept.
const KEYS_LIFETIME: Duration = Duration::from_secs(600);
/// Unknown keys make us look again, but not more often than this.
const LOOK_AGAIN: Duration = Duration::from_secs(30);
/// How far clocks may be apart, in seconds.
const LEEWAY: u64 = 30;

/// The authorization server.
pub(super) struct Issuer {
    name: String,
    audience: String,
    network: Network,
    keys: Mutex<Keys>,
}

#[derive(Default)]
struct Keys {
    set: Option<JwkSet>,
    fetched: Option<Instant>,
    tried: Option<Instant>,
}

#[derive(Deserialize)]
struct Claims {
    #[serde(default)]
    sub: Option<String>,
    #[serde(default)]
    client_id: Option<String>,
}

impl Issuer {
    pub(super) fn new(name: String, audience: String, network: Network) -> Self {
        static INSTALL: Once = Once::new();
        // A second installation is refused and changes nothing.
        INSTALL.call_once(|| {
            let _ = signature::RING.install_default();
        });
        Self { name, audience, network, keys: Mutex::default() }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn audience(&self) -> &str {
        &self.audience
    }

    /// Whom the token is about.
    ///
    /// # Errors
    /// What is wrong with it, in words that hold nothing of it.
    pub(super) async fn check(&self, token: &str) -> Result<String, String> {
        let header = decode_header(token).map_err(|_| "the token is no JWT".to_owned())?;
        if !ALGORITHMS.contains(&header.alg) {
            return Err("the token's algorithm is not accepted".to_owned());
        }
        let key = self.key(header.kid.as_deref(), header.alg).await?;
        let mut validation = Validation::new(header.alg);
        validation.leeway = LEEWAY;
        validation.validate_nbf = true;
        validation.set_audience(&[&self.audience]);
        // Some issuers write a slash at the end of their name, some do not.
        validation.set_issuer(&[self.name.clone(), format!("{}/", self.name)]);
        validation.set_required_spec_claims(&["exp", "iss", "aud"]);
        let claims = decode::<Claims>(token, &key, &validation).map_err(|error| reason(error.kind()))?.claims;
        claims.sub.or(claims.client_id).ok_or_else(|| "the token names no subject".to_owned())
    }

    async fn key(&self, id: Option<&str>, algorithm: Algorithm) -> Result<DecodingKey, String> {
        let mut keys = self.keys.lock().await;
        let is_stale = keys.fetched.is_none_or(|time| time.elapsed() > KEYS_LIFETIME);
        let found = keys.set.as_ref().and_then(|set| find(set, id, algorithm));
        let may_look = keys.tried.is_none_or(|time| time.elapsed() > LOOK_AGAIN);
        if (found.is_none() || is_stale) && may_look {
            keys.tried = Some(Instant::now());
            match self.fetch_keys().await {
                Ok(set) => {
                    keys.set = Some(set);
                    keys.fetched = Some(Instant::now());
                }
                Err(problem) => tracing::warn!(problem, "the authorization server's keys cannot be read"),
            }
        }
        let found = keys.set.as_ref().and_then(|set| find(set, id, algorithm));
        let key = found.ok_or_else(|| "the token's key is not known".to_owned())?;
        signature::key(key).ok_or_else(|| "the token's key cannot be used".to_owned())
    }

    async fn fetch_keys(&self) -> Result<JwkSet, String> {
        let mut problem = String::new();
        for place in self.places() {
            let metadata = match fetch(&self.network, &place).await {
                Ok(metadata) => metadata,
                Err(error) => {
                    problem = error.to_string();
                    continue;
                }
            };
            let is_it = metadata
                .get("issuer")
                .and_then(Value::as_str)
                .is_some_and(|name| name.trim_end_matches('/') == self.name);
            let Some(keys) = metadata.get("jwks_uri").and_then(Value::as_str).filter(|_| is_it) else {
                "its metadata names another issuer, or no keys".clone_into(&mut problem);
                continue;
            };
            if !keys.starts_with("https://") && !self.name.starts_with("http://") {
                return Err("its keys are not served over https".to_owned());
            }
            let set = fetch(&self.network, keys).await.map_err(|error| error.to_string())?;
            return serde_json::from_value(set).map_err(|_| "its keys are no JWK set".to_owned());
        }
        Err(problem)
    }

    /// Where its metadata can be: RFC 8414 puts the well-known part before the path, `OpenID` Connect
    /// after it.
    fn places(&self) -> Vec<String> {
        let start = self.name.find("://").map_or(0, |at| at + 3);
        let path_at =
            self.name.get(start..).and_then(|rest| rest.find('/')).map_or(self.name.len(), |at| start + at);
        let (origin, path) = self.name.split_at(path_at);
        vec![
            format!("{origin}/.well-known/oauth-authorization-server{path}"),
            format!("{origin}/.well-known/openid-configuration{path}"),
            format!("{}/.well-known/openid-configuration", self.name),
        ]
    }
}

/// The key of this id; without one, the only key of the right kind.
fn find<'a>(set: &'a JwkSet, id: Option<&str>, algorithm: Algorithm) -> Option<&'a Jwk> {
    let is_fit = |key: &&Jwk| {
        let said = key.common.key_algorithm.map(|said| said.to_string());
        let family = signature::key(key).map(|key| key.family());
        key.common.public_key_use.as_ref().is_none_or(|usage| *usage == PublicKeyUse::Signature)
            && said.is_none_or(|said| said == format!("{algorithm:?}"))
            && family.is_some_and(|family| family == algorithm.family())
    };
    let mut fit = set.keys.iter().filter(is_fit);
    match id {
        Some(id) => fit.find(|key| key.common.key_id.as_deref() == Some(id)),
        None => fit.next().filter(|_| fit.next().is_none()),
    }
}

fn reason(kind: &jsonwebtoken::errors::ErrorKind) -> String {
    use jsonwebtoken::errors::ErrorKind;
    match kind {
        ErrorKind::ExpiredSignature => "the token has expired",
        ErrorKind::ImmatureSignature => "the token is not valid yet",
        ErrorKind::InvalidAudience => "the token is not for this server",
        ErrorKind::InvalidIssuer => "the token is from another issuer",
        ErrorKind::InvalidSignature => "the token's signature is wrong",
        ErrorKind::MissingRequiredClaim(_) => "the token lacks its issuer, audience or end",
        _ => "the token cannot be read",
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_is_looked_for_where_the_standards_put_it() {
        let issuer = Issuer::new("https://id.example/team".to_owned(), String::new(), Network::default());
        assert_eq!(
            issuer.places(),
            [
                "https://id.example/.well-known/oauth-authorization-server/team",
                "https://id.example/.well-known/openid-configuration/team",
                "https://id.example/team/.well-known/openid-configuration",
            ]
        );
    }
}
