//! The browser's part of a login: the consent page's address, and the callback.
//!
//! The callback is listened for on loopback only, for one request, with a random `state` that is
//! compared in constant time. What comes back is never shown in a page.

use std::{net::Ipv4Addr, time::Duration};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use ring::digest::{SHA256, digest};
use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    time::timeout,
};
use url::form_urlencoded;

use super::{Endpoints, PORTS, random_word, redirect_uri};
use crate::{
    auth::redacted,
    error::{Error, OAuthError, Result, foreign},
};

/// How long the callback is waited for: a refusal sends none.
pub const CALLBACK_LIMIT: Duration = Duration::from_secs(120);
/// How long a browser may take to send its request.
const REQUEST_LIMIT: Duration = Duration::from_secs(10);
const LARGEST_REQUEST: usize = 16 * 1024;
/// What stays readable in the address.
const VALUE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What the browser gets, whatever came: it says nothing of what was sent.
const PAGE: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>figma-mcp</title><p>Figma has answered figma-mcp. Close this tab and go back to the terminal.</p></html>";
const HEADERS: &str = "content-type: text/html; charset=utf-8\r\ncache-control: no-store\r\ncontent-security-policy: default-src 'none'\r\nreferrer-policy: no-referrer\r\nx-content-type-options: nosniff\r\nconnection: close\r\n";

/// A login that waits for its callback. Its `Debug` shows no secret.
#[derive(Debug)]
pub struct Authorization {
    client_id: String,
    scopes: Vec<String>,
    redirect_uri: String,
    authorize: String,
    state: SecretString,
    verifier: SecretString,
}

/// What a code is exchanged with.
#[derive(Debug)]
pub struct Code {
    /// The code, good for 30 seconds.
    pub code: SecretString,
    /// What proves that whoever exchanges it began the login (PKCE).
    pub verifier: SecretString,
    /// The address that it came to.
    pub redirect_uri: String,
}

/// Listens for the callback on the first free port.
///
/// # Errors
/// [`OAuthError::NoPort`]
pub async fn listen() -> Result<TcpListener> {
    for port in PORTS {
        if let Ok(listener) = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await {
            return Ok(listener);
        }
    }
    let ports = PORTS.map(|port| port.to_string()).join(", ");
    Err(OAuthError::NoPort { ports }.into())
}

impl Authorization {
    /// A login of this app, whose callback comes to this port.
    ///
    /// # Errors
    /// [`Error::Bug`] where the system gives no random numbers.
    pub fn begin(endpoints: &Endpoints, client_id: &str, scopes: &[String], port: u16) -> Result<Self> {
        Ok(Self {
            client_id: client_id.to_owned(),
            scopes: scopes.to_vec(),
            redirect_uri: redirect_uri(port),
            authorize: endpoints.authorize.clone(),
            state: random_word()?,
            verifier: random_word()?,
        })
    }

    /// The consent page. The `state` in it is no secret to whoever sees this address, but stays out
    /// of logs.
    pub fn url(&self) -> String {
        let challenge = URL_SAFE_NO_PAD.encode(digest(&SHA256, self.verifier.expose_secret().as_bytes()));
        let scope = self.scopes.join(" ");
        let query = [
            ("client_id", self.client_id.as_str()),
            ("redirect_uri", &self.redirect_uri),
            ("scope", &scope),
            ("state", self.state.expose_secret()),
            ("response_type", "code"),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ];
        let query = query.map(|(name, value)| format!("{name}={}", utf8_percent_encode(value, VALUE)));
        format!("{}?{}", self.authorize, query.join("&"))
    }

    /// Opens the consent page in the browser, without a shell and without waiting. Whether one opened
    /// is not known: the address is printed too.
    pub fn open_browser(&self) {
        let url = self.url();
        let open = move || {
            if let Err(error) = webbrowser::open(&url) {
                tracing::info!(problem = %error.kind(), "no browser was opened");
            }
        };
        // Without a thread nothing opens, as without a browser.
        let _ = std::thread::Builder::new().name("browser".to_owned()).spawn(open);
    }

    /// Waits for the browser to come back.
    ///
    /// # Errors
    /// [`OAuthError::NoCallback`] after this time, or what is wrong with what came.
    pub async fn wait(self, listener: TcpListener, limit: Duration) -> Result<Code> {
        let (sender, mut queries) = mpsc::channel(1);
        let host = listener.local_addr().map(|address| address.to_string()).unwrap_or_default();
        let serving = tokio::spawn(async move {
            // A browser opens connections ahead of time and asks for icons, so there can be several.
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(timeout(REQUEST_LIMIT, serve(stream, host.clone(), sender.clone())));
            }
        });
        let query = timeout(limit, queries.recv()).await;
        serving.abort();
        let Ok(Some(query)) = query else {
            return Err(OAuthError::NoCallback { limit, redirect_uri: self.redirect_uri }.into());
        };
        self.read(query.expose_secret())
    }

    /// The code in the address that a person pasted.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read_pasted(self, text: &str) -> Result<Code> {
        let text = text.trim();
        let bad = |problem| Err(OAuthError::BadCallback { problem }.into());
        if text.is_empty() {
            return bad("nothing was pasted");
        }
        let Some(query) = text.strip_prefix(&self.redirect_uri).and_then(|rest| rest.strip_prefix('?'))
        else {
            return bad("it is another address");
        };
        let query = query.split('#').next().unwrap_or_default().to_owned();
        self.read(&query)
    }

    fn read(self, query: &str) -> Result<Code> {
        let all = |wanted: &str| -> Vec<String> {
            let pairs = form_urlencoded::parse(query.as_bytes());
            pairs.filter(|(name, _)| name == wanted).map(|(_, value)| value.into_owned()).collect()
        };
        let one = |wanted: &str| Some(all(wanted)).filter(|found| found.len() == 1)?.pop();
        let state = one("state").unwrap_or_default();
        if !bool::from(state.as_bytes().ct_eq(self.state.expose_secret().as_bytes())) {
            return Err(OAuthError::WrongState.into());
        }
        if let Some(word) = one("error") {
            let message = one("error_description").unwrap_or(word);
            return Err(OAuthError::Refused { message: redacted(&foreign(&message)) }.into());
        }
        let code = one("code").filter(|code| !code.is_empty()).map(SecretString::from);
        let code = code.ok_or(OAuthError::BadCallback { problem: "there is no code in it" })?;
        Ok(Code { code, verifier: self.verifier, redirect_uri: self.redirect_uri })
    }
}

/// One connection: the first callback is passed on, anything else is not found.
async fn serve(mut stream: TcpStream, host: String, sender: mpsc::Sender<SecretString>) -> Result<()> {
    let head = read_head(&mut stream).await;
    let query = head.as_deref().and_then(|head| callback_query(head, &host));
    // The channel holds one: a second callback finds nobody.
    let first = query.zip(sender.try_reserve().ok());
    let (status, body) = if first.is_some() { ("200 OK", PAGE) } else { ("404 Not Found", "") };
    let answer = format!("HTTP/1.1 {status}\r\n{HEADERS}content-length: {}\r\n\r\n{body}", body.len());
    let failed = |error: std::io::Error| Error::Bug { problem: error.to_string() };
    let written = stream.write_all(answer.as_bytes()).await;
    let _ = stream.shutdown().await;
    // The page first: the login can end at once, and the program with it.
    if let Some((query, place)) = first {
        place.send(SecretString::from(query));
    }
    written.map_err(failed)
}

async fn read_head(stream: &mut TcpStream) -> Option<String> {
    let mut stream = BufReader::new(stream);
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") && head.len() < LARGEST_REQUEST {
        let byte = stream.read_u8().await.ok()?;
        head.push(byte);
    }
    String::from_utf8(head).ok()
}

/// The query of a callback; `None` for any other request. The host is compared too, so that no other
/// site's name can lead here.
fn callback_query(head: &str, host: &str) -> Option<String> {
    let mut lines = head.split("\r\n");
    let mut first = lines.next()?.split(' ');
    let (method, target) = (first.next()?, first.next()?);
    let is_ours = lines.any(|line| {
        line.split_once(':')
            .is_some_and(|(name, value)| name.eq_ignore_ascii_case("host") && value.trim() == host)
    });
    let query = target.strip_prefix("/callback?")?;
    (method == "GET" && is_ours).then(|| query.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn begun() -> Authorization {
        let endpoints = Endpoints::of("https://api.figma.com");
        let scopes = ["current_user:read".to_owned(), "file_content:read".to_owned()];
        Authorization::begin(&endpoints, "app&1", &scopes, PORTS[0]).unwrap()
    }

    #[test]
    fn the_consent_page_gets_everything_it_needs() {
        let login = begun();
        let url = login.url();
        let start = "https://www.figma.com/oauth?client_id=app%261&redirect_uri=http%3A%2F%2F127.0.0.1%3A14920%2Fcallback&scope=current_user%3Aread%20file_content%3Aread&state=";
        assert!(url.starts_with(start), "{url}");
        assert!(url.contains("&response_type=code&code_challenge="));
        assert!(url.ends_with("&code_challenge_method=S256"));
        assert!(!url.contains(login.verifier.expose_secret()));
        assert!(login.state.expose_secret().len() >= 43);
        assert!(!format!("{login:?}").contains(login.state.expose_secret()));
    }

    #[test]
    fn only_this_logins_answer_counts() {
        let kind = |change: &dyn Fn(&str) -> String| {
            let login = begun();
            let text = change(login.state.expose_secret());
            login.read_pasted(&text).map_or_else(|error| error.kind(), |_| "code")
        };
        let uri = redirect_uri(PORTS[0]);
        assert_eq!(kind(&|state| format!(" {uri}?code=x&state={state}#_ \n")), "code");
        assert_eq!(kind(&|_| format!("{uri}?code=x&state=other")), "oauth_wrong_state");
        assert_eq!(kind(&|_| format!("{uri}?code=x")), "oauth_wrong_state");
        assert_eq!(kind(&|state| format!("{uri}?code=x&state={state}&state={state}")), "oauth_wrong_state");
        assert_eq!(kind(&|state| format!("{uri}?state={state}")), "oauth_bad_callback");
        assert_eq!(kind(&|state| format!("{uri}?error=access_denied&state={state}")), "oauth_refused");
        assert_eq!(
            kind(&|state| format!("http://other/callback?code=x&state={state}")),
            "oauth_bad_callback"
        );
        assert_eq!(kind(&|_| " ".to_owned()), "oauth_bad_callback");
    }

    #[test]
    fn only_a_get_of_the_callback_on_this_host_counts() {
        let query = |line: &str, host: &str| {
            callback_query(&format!("{line} HTTP/1.1\r\nHost: {host}\r\n\r\n"), "127.0.0.1:14920")
        };
        assert_eq!(query("GET /callback?code=1", "127.0.0.1:14920").as_deref(), Some("code=1"));
        assert_eq!(query("POST /callback?code=1", "127.0.0.1:14920"), None);
        assert_eq!(query("GET /callback?code=1", "evil.example:14920"), None);
        assert_eq!(query("GET /favicon.ico", "127.0.0.1:14920"), None);
        assert_eq!(query("GET /callback/x?code=1", "127.0.0.1:14920"), None);
    }
}
