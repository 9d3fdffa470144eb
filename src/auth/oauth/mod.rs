//! OAuth 2 with a person's own Figma app.
//!
//! Figma has no apps without a secret, so a program that everybody can download cannot be one: each
//! person makes an app and says its id and secret. [`authorize`] gets a code from the browser,
//! [`exchange`] turns it into tokens, [`refresh`] replaces them, one process after the other.

pub mod authorize;
pub mod exchange;
pub mod refresh;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::rand::{SecureRandom, SystemRandom};
use secrecy::SecretString;
use url::Url;

use super::{
    REFRESH_MARGIN, now,
    profiles::{Profile, longest_life},
};
use crate::{
    error::{Error, Result},
    table::TokenKind,
};

/// The ports of the callback, the first free one of which is used. An app names all three addresses,
/// since Figma compares them whole; Windows may have reserved one.
pub const PORTS: [u16; 3] = [14920, 24920, 34920];
/// Figma's consent page.
const CONSENT_PAGE: &str = "https://www.figma.com/oauth";

/// The address that Figma sends the browser to.
pub fn redirect_uri(port: u16) -> String {
    format!("http://127.0.0.1:{port}/callback")
}

/// A person's own Figma app.
#[derive(Debug, Clone)]
pub struct App {
    /// Its public name.
    pub client_id: String,
    /// What it proves itself with.
    pub client_secret: SecretString,
}

/// Where Figma's OAuth server is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoints {
    /// The consent page.
    pub authorize: String,
    /// Turns a code into tokens.
    pub token: String,
    /// Replaces an access token.
    pub refresh: String,
}

impl Endpoints {
    /// Those that belong to the API at this address: a sandbox has its own consent page, Figma's is on
    /// another host than its API.
    pub fn of(base_url: &str) -> Self {
        let authorize = if base_url.starts_with("http://") {
            // Only this very machine is reached without TLS.
            format!("{base_url}/oauth")
        } else {
            let host = Url::parse(base_url).ok().and_then(|url| url.host_str().map(str::to_owned));
            let domain = host.as_deref().and_then(|host| host.strip_prefix("api."));
            domain.map_or_else(|| CONSENT_PAGE.to_owned(), |domain| format!("https://www.{domain}/oauth"))
        };
        Self {
            authorize,
            token: format!("{base_url}/v1/oauth/token"),
            refresh: format!("{base_url}/v1/oauth/refresh"),
        }
    }

    /// Whether a browser may be opened on the consent page: nothing but Figma's, or this machine's.
    pub fn may_open(&self) -> bool {
        self.authorize == CONSENT_PAGE || self.authorize.starts_with("http://")
    }
}

/// How a login with OAuth stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Usable.
    Active,
    /// Near its end, or past it: the next call replaces the token.
    Expiring,
    /// Figma refuses to replace it: only a new login helps.
    Revoked,
}

impl State {
    /// As it is printed.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::Expiring => "EXPIRING",
            Self::Revoked => "REVOKED",
        }
    }

    /// How this login stands, as far as is known here; `None` where it is no login with OAuth.
    pub fn of(profile: &Profile) -> Option<Self> {
        let facts = profile.oauth.as_ref()?;
        if facts.revoked {
            return Some(Self::Revoked);
        }
        let issued = facts.refreshed_at.unwrap_or(profile.created_at);
        let is_near = |end: u64| now() + margin(Some(issued), end) >= end;
        let is_near = profile.expires.is_some_and(|expiry| is_near(expiry.at));
        Some(if is_near { Self::Expiring } else { Self::Active })
    }
}

/// How long before its end a token is replaced: a day or a hundredth of its life, but never as early
/// as the first half of it, or short-lived tokens would be replaced all the time.
fn margin(issued_at: Option<u64>, end: u64) -> u64 {
    let longest = longest_life(TokenKind::OAuth).as_secs();
    let life = issued_at.map_or(longest, |issued| end.saturating_sub(issued));
    REFRESH_MARGIN.max(life / 100).min(life / 2)
}

/// Random bytes that nobody can guess.
fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| Error::Bug { problem: "the system gives no random numbers".to_owned() })?;
    Ok(bytes)
}

/// A random word of 256 bits.
fn random_word() -> Result<SecretString> {
    Ok(SecretString::from(URL_SAFE_NO_PAD.encode(random::<32>()?)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::profiles::{Expiry, ExpirySource, OAuthFacts, StoreKind};

    #[test]
    fn each_api_has_its_consent_page() {
        let page = |base: &str| Endpoints::of(base).authorize;
        assert_eq!(page("https://api.figma.com"), "https://www.figma.com/oauth");
        assert_eq!(page("https://api.figma-gov.com"), "https://www.figma-gov.com/oauth");
        assert_eq!(page("http://127.0.0.1:9"), "http://127.0.0.1:9/oauth");
        assert_eq!(page("https://proxy.example/figma"), "https://www.figma.com/oauth");
        assert!(Endpoints::of("https://api.figma.com").may_open());
        assert!(!Endpoints::of("https://api.figma-gov.com").may_open());
    }

    #[test]
    fn margins_suit_every_life() {
        const DAY: u64 = 86_400;
        assert_eq!(margin(Some(0), 90 * DAY), DAY);
        assert_eq!(margin(Some(0), 365 * DAY), 365 * DAY / 100);
        assert_eq!(margin(Some(0), 3600), 1800);
        assert_eq!(margin(Some(10), 5), 0);
    }

    #[test]
    fn a_login_is_active_expiring_or_revoked() {
        let profile = |ends_in: u64, revoked| Profile {
            kind: TokenKind::OAuth,
            store: StoreKind::File,
            created_at: now() - 86_400,
            expires: Some(Expiry { at: now() + ends_in, from: ExpirySource::OAuth }),
            handle: None,
            user_id: None,
            team_id: None,
            oauth: Some(OAuthFacts { revoked, ..OAuthFacts::default() }),
        };
        assert_eq!(State::of(&profile(80 * 86_400, false)), Some(State::Active));
        assert_eq!(State::of(&profile(3600, false)), Some(State::Expiring));
        assert_eq!(State::of(&profile(80 * 86_400, true)), Some(State::Revoked));
        assert_eq!(State::of(&Profile { oauth: None, ..profile(1, false) }), None);
    }
}
