//! The two requests to Figma's OAuth server: a code for tokens, and a refresh token for an access
//! token. Answers are read leniently: a number may be a text, and what is not needed may be missing.

use std::{collections::HashMap, fmt, sync::OnceLock, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD};
use reqwest::{Client, header::HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::Value;
use url::form_urlencoded;

use super::{App, Endpoints, authorize::Code};
use crate::{
    auth::{keep_out, redacted},
    error::{Error, OAuthError, Result, foreign, unreachable},
};

/// How long an answer may take.
const LIMIT: Duration = Duration::from_secs(20);
/// The most that is read of an answer.
const LARGEST_ANSWER: usize = 64 * 1024;
/// No token lives longer than this, whatever is said.
const LONGEST_LIFE: u64 = 10 * 365 * 86_400;

/// What Figma grants.
#[derive(Debug, Clone)]
pub struct Granted {
    /// The token to call with.
    pub access: SecretString,
    /// What to get the next one with; a refresh brings none, and the old one stays good.
    pub refresh: Option<SecretString>,
    /// How long it lives, in seconds.
    pub expires_in: Option<u64>,
    /// Whose it is.
    pub user_id: Option<String>,
}

/// How a refresh ended.
#[derive(Debug, Clone)]
pub enum Refreshed {
    /// With a new token.
    Granted(Granted),
    /// Figma refuses for good; its own words.
    Refused(String),
}

/// Makes the client. How requests leave this machine is not known here; it must follow no redirects,
/// since the app's secret would follow too.
pub type MakeClient = Box<dyn Fn() -> Result<Client> + Send + Sync>;

/// A way to Figma's OAuth server.
pub struct OAuthServer {
    endpoints: Endpoints,
    make_client: MakeClient,
    client: OnceLock<Client>,
}

/// An answer, read to its end.
struct Reply {
    status: u16,
    body: String,
}

/// A refusal in Figma's words.
struct Refusal {
    status: u16,
    /// A word such as `invalid_grant`; empty where there is none.
    word: String,
    message: String,
}

impl fmt::Debug for OAuthServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OAuthServer").field("endpoints", &self.endpoints).finish_non_exhaustive()
    }
}

impl OAuthServer {
    /// At these addresses.
    pub const fn new(endpoints: Endpoints, make_client: MakeClient) -> Self {
        Self { endpoints, make_client, client: OnceLock::new() }
    }

    /// Turns a code into tokens.
    ///
    /// # Errors
    /// Why Figma refuses, or why it could not be asked.
    pub async fn exchange(&self, app: &App, code: &Code) -> Result<Granted> {
        keep_out(code.code.expose_secret());
        let form = [
            ("grant_type", "authorization_code"),
            ("redirect_uri", &code.redirect_uri),
            ("code", code.code.expose_secret()),
            ("code_verifier", code.verifier.expose_secret()),
        ];
        let reply = self.post(&self.endpoints.token, app, &form).await?;
        if reply.status == 200 {
            return granted(&reply.body);
        }
        let refusal = Refusal::of(&reply)?;
        Err(not_exchanged(refusal, &code.redirect_uri).into())
    }

    /// Replaces an access token. The refresh token stays good, so an answer that never comes may be
    /// asked for again.
    ///
    /// # Errors
    /// Why Figma could not be asked, or a refusal that says nothing of the login.
    pub async fn refresh(&self, app: &App, refresh: &SecretString) -> Result<Refreshed> {
        keep_out(refresh.expose_secret());
        let token = ("refresh_token", refresh.expose_secret());
        let mut reply = self.post(&self.endpoints.refresh, app, &[token]).await?;
        if matches!(reply.status, 404 | 410) {
            // Figma announced this address as the next one (change log, 16 May 2025).
            let form = [("grant_type", "refresh_token"), token];
            reply = self.post(&self.endpoints.token, app, &form).await?;
        }
        if reply.status == 200 {
            return granted(&reply.body).map(Refreshed::Granted);
        }
        let refusal = Refusal::of(&reply)?;
        if refusal.is_about_the_app() {
            return Err(OAuthError::WrongSecret { message: refusal.message }.into());
        }
        match refusal.status {
            400 | 401 | 403 => Ok(Refreshed::Refused(refusal.message)),
            status => Err(Error::FigmaFailed { status, message: refusal.message, attempts: 1 }),
        }
    }

    async fn post(&self, url: &str, app: &App, form: &[(&str, &str)]) -> Result<Reply> {
        keep_out(app.client_secret.expose_secret());
        let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let request = self
            .client()?
            .post(url)
            .header("authorization", basic(app)?)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form);
        let answered = tokio::time::timeout(LIMIT, read(request)).await;
        answered.map_err(|_| Error::TimedOut { limit: LIMIT })?
    }

    /// The client is made on first use: reading the system's certificates takes a while.
    fn client(&self) -> Result<&Client> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        let client = (self.make_client)()?;
        Ok(self.client.get_or_init(|| client))
    }
}

async fn read(request: reqwest::RequestBuilder) -> Result<Reply> {
    let mut response = request.send().await.map_err(not_answered)?;
    let status = response.status().as_u16();
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(not_answered)? {
        if body.len() + chunk.len() > LARGEST_ANSWER {
            return Err(Error::BadAnswer { problem: "it is far larger than a token".to_owned() });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Reply { status, body: String::from_utf8_lossy(&body).into_owned() })
}

/// The app's proof, which no log prints.
fn basic(app: &App) -> Result<HeaderValue> {
    let pair = format!("{}:{}", app.client_id, app.client_secret.expose_secret());
    let mut value = HeaderValue::from_str(&format!("Basic {}", STANDARD.encode(pair)))
        .map_err(|_| Error::Bug { problem: "base64 does not fit a header".to_owned() })?;
    value.set_sensitive(true);
    Ok(value)
}

/// Why there is no answer, without the address.
fn not_answered(error: reqwest::Error) -> Error {
    Error::Unreachable { problem: unreachable(&error.without_url()), attempts: 1 }
}

/// A number, also as a text.
#[derive(Deserialize)]
#[serde(untagged)]
enum Number {
    Number(f64),
    Text(String),
}

impl Number {
    fn seconds(&self) -> Option<u64> {
        let number = match self {
            Self::Number(number) => *number,
            Self::Text(text) => text.trim().parse().ok()?,
        };
        // The smallest life that makes sense; the cast saturates.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "bounded above and below")]
        (number >= 1.0).then_some(number.min(1e12) as u64).map(|seconds| seconds.min(LONGEST_LIFE))
    }
}

/// What is needed of an answer. The parser's own words could quote it, so they are dropped.
fn granted(body: &str) -> Result<Granted> {
    #[derive(Deserialize)]
    struct Wire {
        access_token: String,
        #[serde(default)]
        refresh_token: Option<String>,
        #[serde(default)]
        expires_in: Option<Number>,
        #[serde(default)]
        user_id_string: Option<String>,
    }
    let bad = |problem: &str| Error::BadAnswer { problem: problem.to_owned() };
    let wire: Wire = serde_json::from_str(body).map_err(|_| bad("it holds no access token"))?;
    let is_token = |text: &String| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
    if !is_token(&wire.access_token) {
        return Err(bad("its access token cannot be one"));
    }
    for secret in [Some(&wire.access_token), wire.refresh_token.as_ref()].into_iter().flatten() {
        keep_out(secret);
    }
    Ok(Granted {
        access: SecretString::from(wire.access_token),
        refresh: wire.refresh_token.filter(is_token).map(SecretString::from),
        expires_in: wire.expires_in.as_ref().and_then(Number::seconds),
        user_id: wire.user_id_string.map(|id| foreign(&id)).filter(|id| !id.is_empty()),
    })
}

impl Refusal {
    /// Figma's words, in any of its forms.
    ///
    /// # Errors
    /// Where the answer is not Figma's, or says that Figma failed.
    fn of(reply: &Reply) -> Result<Self> {
        let status = reply.status;
        if !(400..500).contains(&status) && status < 500 {
            return Err(Error::BadAnswer { problem: format!("it has status {status}") });
        }
        if reply.body.trim_start().starts_with('<') {
            // A proxy's page: nothing that Figma's OAuth server would send.
            return Err(match status {
                500.. => Error::FigmaFailed { status, message: "it is HTML".to_owned(), attempts: 1 },
                _ => Error::BadAnswer { problem: format!("it has status {status} and is HTML, not JSON") },
            });
        }
        let fields: HashMap<String, Value> = serde_json::from_str(&reply.body).unwrap_or_default();
        let text = |name: &str| fields.get(name).and_then(Value::as_str).map(|text| redacted(&foreign(text)));
        let word = text("error").unwrap_or_default();
        let message = ["message", "error_description", "err", "error"].into_iter().find_map(text);
        let refusal = Self { status, word, message: message.unwrap_or_default() };
        match status {
            429 | 500.. => Err(Error::FigmaFailed { status, message: refusal.message, attempts: 1 }),
            _ => Ok(refusal),
        }
    }

    fn says(&self, text: &str) -> bool {
        self.word.to_ascii_lowercase().contains(text) || self.message.to_ascii_lowercase().contains(text)
    }

    /// The app did not prove itself: that says nothing of the person's login.
    fn is_about_the_app(&self) -> bool {
        self.says("invalid_client")
            || self.says("client_id")
            || self.says("client_secret")
            || self.says("client secret")
    }
}

fn not_exchanged(refusal: Refusal, redirect_uri: &str) -> OAuthError {
    if refusal.is_about_the_app() || refusal.status == 401 {
        OAuthError::WrongSecret { message: refusal.message }
    } else if refusal.says("redirect") {
        OAuthError::WrongRedirect { redirect_uri: redirect_uri.to_owned(), message: refusal.message }
    } else if refusal.says("verifier") {
        OAuthError::NotExchanged { status: refusal.status, message: refusal.message }
    } else if refusal.says("code") || refusal.says("invalid_grant") {
        OAuthError::ExpiredCode { message: refusal.message }
    } else {
        OAuthError::NotExchanged { status: refusal.status, message: refusal.message }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read_leniently() {
        let life = |text: &str| {
            granted(&format!(r#"{{"access_token":"figu_Canary","expires_in":{text}}}"#)).unwrap().expires_in
        };
        assert_eq!(life("7776000"), Some(7_776_000));
        assert_eq!(life("\"3600\""), Some(3600));
        assert_eq!(life("7.5"), Some(7));
        assert_eq!(life("1e300"), Some(LONGEST_LIFE));
        for none in ["0", "-5", "null", "\"soon\""] {
            assert_eq!(life(none), None, "{none}");
        }
        let all = granted(r#"{"access_token":"a","token_type":"bearer","expires_in":1,"refresh_token":"r","user_id":1e99,"user_id_string":"7"}"#).unwrap();
        assert_eq!(all.user_id.as_deref(), Some("7"));
        assert!(all.refresh.is_some());
        for wrong in ["", "[]", "{}", r#"{"access_token":""}"#, r#"{"access_token":"Canary two"}"#] {
            let error = granted(wrong).unwrap_err();
            assert_eq!(error.kind(), "bad_answer", "{wrong}");
            assert!(!error.for_agent().contains("Canary"));
        }
    }

    #[test]
    fn refusals_are_told_apart() {
        let kind = |status, body: &str| {
            let reply = Reply { status, body: body.to_owned() };
            Refusal::of(&reply)
                .map_or_else(|error| error.kind(), |refusal| not_exchanged(refusal, "x").kind())
        };
        let message = |text: &str| format!(r#"{{"error":true,"message":"{text}"}}"#);
        assert_eq!(
            kind(400, r#"{"error":"invalid_grant","message":"Code has expired"}"#),
            "oauth_expired_code"
        );
        assert_eq!(kind(401, r#"{"error":"invalid_client"}"#), "oauth_wrong_secret");
        assert_eq!(kind(403, &message("Invalid client secret")), "oauth_wrong_secret");
        assert_eq!(kind(400, &message("Redirect URI does not match")), "oauth_wrong_redirect");
        assert_eq!(kind(400, &message("Invalid code_verifier")), "oauth_not_exchanged");
        assert_eq!(kind(403, ""), "oauth_not_exchanged");
        assert_eq!(kind(403, "<html>"), "bad_answer");
        assert_eq!(kind(302, ""), "bad_answer");
        assert_eq!(kind(429, ""), "figma_failed");
        assert_eq!(kind(502, "<html>"), "figma_failed");
    }
}
