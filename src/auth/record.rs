//! What is stored of a credential: one small piece of JSON.
//!
//! Windows keeps at most 2,560 bytes an entry, so there is a limit that every keyring holds. A record
//! that cannot be read is told and left alone: it may be a newer version's.

use std::borrow::Cow;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use super::{Token, keep_out, now};
use crate::{
    error::{CredentialError, Error, Result},
    table::TokenKind,
};

/// The most bytes that a record may have.
pub const LARGEST_RECORD: usize = 2400;
/// The version that this program writes.
const VERSION: u32 = 1;

/// A stored credential. Its `Debug` shows no secret.
#[derive(Debug, Clone)]
pub struct Record {
    /// What kind of token it is: as it was said at login, never guessed.
    pub kind: TokenKind,
    /// The token that calls go out with.
    pub access: SecretString,
    /// OAuth: what a new one is got with.
    pub refresh: Option<SecretString>,
    /// OAuth: the app.
    pub client_id: Option<String>,
    /// When the token ends, in seconds since 1970.
    pub expires_at: Option<u64>,
    /// OAuth: when this token was issued, in seconds since 1970.
    pub issued_at: Option<u64>,
    /// When it was stored first, in seconds since 1970.
    pub created_at: u64,
    /// Counts how often the token was replaced.
    pub generation: u64,
    /// The owner's id.
    pub user_id: Option<String>,
    /// The owner's name at Figma.
    pub handle: Option<String>,
    /// Plan tokens: the one before, which Figma still accepts for a while.
    pub previous: Option<Previous>,
}

/// The token before a rotation.
#[derive(Debug, Clone)]
pub struct Previous {
    /// The token.
    pub access: SecretString,
    /// Until when Figma accepts it, in seconds since 1970.
    pub until: u64,
}

/// As it is stored. Short-lived: it borrows the secrets or is turned into a [`Record`] at once.
#[derive(Serialize, Deserialize)]
struct Stored<'a> {
    v: u32,
    #[serde(borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    access: Cow<'a, str>,
    #[serde(borrow, skip_serializing_if = "Option::is_none", default)]
    refresh: Option<Cow<'a, str>>,
    #[serde(borrow, skip_serializing_if = "Option::is_none", default)]
    client_id: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    expires_at: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    issued_at: Option<u64>,
    created_at: u64,
    #[serde(rename = "gen", default)]
    generation: u64,
    #[serde(borrow, skip_serializing_if = "Option::is_none", default)]
    user_id: Option<Cow<'a, str>>,
    #[serde(borrow, skip_serializing_if = "Option::is_none", default)]
    handle: Option<Cow<'a, str>>,
    #[serde(borrow, skip_serializing_if = "Option::is_none", default)]
    prev: Option<StoredPrevious<'a>>,
}

#[derive(Serialize, Deserialize)]
struct StoredPrevious<'a> {
    #[serde(borrow)]
    access: Cow<'a, str>,
    until: u64,
}

impl Record {
    /// A fresh record of this token.
    pub fn new(kind: TokenKind, access: SecretString) -> Self {
        Self {
            kind,
            access,
            refresh: None,
            client_id: None,
            expires_at: None,
            issued_at: None,
            created_at: now(),
            generation: 0,
            user_id: None,
            handle: None,
            previous: None,
        }
    }

    /// The JSON that is stored for this profile.
    ///
    /// # Errors
    /// [`CredentialError::LargeRecord`]
    pub fn to_json(&self, profile: &str) -> Result<SecretString> {
        let stored = Stored {
            v: VERSION,
            kind: self.kind.name().into(),
            access: self.access.expose_secret().into(),
            refresh: self.refresh.as_ref().map(|refresh| refresh.expose_secret().into()),
            client_id: self.client_id.as_deref().map(Cow::from),
            expires_at: self.expires_at,
            issued_at: self.issued_at,
            created_at: self.created_at,
            generation: self.generation,
            user_id: self.user_id.as_deref().map(Cow::from),
            handle: self.handle.as_deref().map(Cow::from),
            prev: self.previous.as_ref().map(|previous| StoredPrevious {
                access: previous.access.expose_secret().into(),
                until: previous.until,
            }),
        };
        let text = serde_json::to_string(&stored)
            .map_err(|_| Error::Bug { problem: "a record has no JSON form".to_owned() })?;
        if text.len() > LARGEST_RECORD {
            return Err(
                CredentialError::LargeRecord { profile: profile.to_owned(), bytes: text.len() }.into()
            );
        }
        Ok(SecretString::from(text))
    }

    /// A record from what is stored for this profile.
    ///
    /// # Errors
    /// [`CredentialError::BrokenRecord`]; never with a part of the text.
    pub fn parse(profile: &str, text: &SecretString) -> Result<Self> {
        #[derive(Deserialize)]
        struct Version {
            v: u32,
        }
        let broken = |problem: &str| {
            Error::from(CredentialError::BrokenRecord {
                profile: profile.to_owned(),
                problem: problem.to_owned(),
            })
        };
        let text = text.expose_secret();
        // The parser's own words could quote the text.
        let Version { v } = serde_json::from_str(text).map_err(|_| broken("it is no record of figma-mcp"))?;
        if v != VERSION {
            return Err(broken(&format!("it has version {v}, and this program knows version {VERSION}")));
        }
        let stored: Stored = serde_json::from_str(text).map_err(|_| broken("a part of it is missing"))?;
        let kind = TokenKind::ALL.into_iter().find(|kind| kind.name() == stored.kind);
        let secret = |text: Cow<str>| {
            keep_out(&text);
            SecretString::from(text.into_owned())
        };
        Ok(Self {
            kind: kind.ok_or_else(|| broken("its kind of token is unknown"))?,
            access: secret(stored.access),
            refresh: stored.refresh.map(secret),
            client_id: stored.client_id.map(Cow::into_owned),
            expires_at: stored.expires_at,
            issued_at: stored.issued_at,
            created_at: stored.created_at,
            generation: stored.generation,
            user_id: stored.user_id.map(Cow::into_owned),
            handle: stored.handle.map(Cow::into_owned),
            previous: stored
                .prev
                .map(|previous| Previous { access: secret(previous.access), until: previous.until }),
        })
    }

    /// The token to call with.
    ///
    /// # Errors
    /// What is wrong with it, if somebody changed the record by hand.
    pub fn token(&self, origin: &str) -> Result<Token> {
        let mut token = Token::new(Some(self.kind), self.access.expose_secret(), origin)?;
        token.expires_at = self.expires_at;
        token.issued_at = self.issued_at;
        Ok(token)
    }

    /// The token before a rotation, while Figma still accepts it.
    pub fn previous_token(&self, origin: &str) -> Option<Token> {
        let previous = self.previous.as_ref().filter(|previous| now() < previous.until)?;
        Token::new(Some(self.kind), previous.access.expose_secret(), origin).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> Record {
        Record::new(TokenKind::Plan, SecretString::from("figu_CanaryCanary"))
    }

    #[test]
    fn what_is_stored_comes_back() {
        let previous = Previous { access: SecretString::from("old"), until: now() + 60 };
        let kept = Record {
            refresh: Some(SecretString::from("again")),
            handle: Some("Ada \"A\" Ünal".to_owned()),
            expires_at: Some(7),
            previous: Some(previous),
            ..record()
        };
        let text = kept.to_json("default").unwrap();
        let back = Record::parse("default", &text).unwrap();
        assert_eq!(back.to_json("default").unwrap().expose_secret(), text.expose_secret());
        assert_eq!(back.handle, kept.handle);
        assert!(back.previous_token("x").is_some());
        assert!(!format!("{back:?}").contains("Canary"));
    }

    #[test]
    fn what_cannot_be_read_is_told_without_its_text() {
        let problem = |text: &str| {
            let error = Record::parse("default", &SecretString::from(text)).unwrap_err();
            assert_eq!(error.kind(), "broken_record");
            assert!(!error.for_agent().contains("Canary"));
            error.to_string()
        };
        assert!(problem("figd_CanaryCanary").ends_with("no record of figma-mcp"));
        assert!(problem("").ends_with("no record of figma-mcp"));
        assert!(problem(r#"{"v":9,"access":"figd_Canary"}"#).contains("version 9"));
        assert!(problem(r#"{"v":1,"access":"figd_Canary"}"#).ends_with("missing"));
        assert!(problem(r#"{"v":1,"kind":"magic","access":"Canary","created_at":1}"#).contains("kind"));
    }

    #[test]
    fn a_record_fits_every_keyring() {
        let large = Record { access: SecretString::from("x".repeat(LARGEST_RECORD)), ..record() };
        assert_eq!(large.to_json("default").unwrap_err().kind(), "large_record");
    }
}
