//! Figma's OAuth server, for one person who allows everything at once.
//!
//! Any client id is an app, with the secret [`CLIENT_SECRET`]; some ids and `/_sandbox/oauth` make an
//! app behave badly. One access token lives per app, and a refresh kills it at once, as at Figma.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use axum::{
    body::{Body, Bytes},
    extract::Request,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::Response,
};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use ring::{
    digest,
    rand::{SecureRandom, SystemRandom},
};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use url::form_urlencoded;

use super::{
    serve::{JSON, respond},
    state::World,
    tokens::Grant,
};
use crate::table::{Scope, TokenKind};

/// The secret of every app here.
pub const CLIENT_SECRET: &str = "sandbox-secret";
/// An app whose authorisation is declined: nothing comes back.
pub const DECLINING_APP: &str = "sandbox-declines";
/// An app whose codes are too old when they arrive.
pub const LATE_APP: &str = "sandbox-late";
/// An app that finds nothing at `/v1/oauth/refresh`, so that `/v1/oauth/token` has to do.
pub const MOVED_APP: &str = "sandbox-moved";
/// An app whose answers have their numbers as texts, and no `token_type`.
pub const SLOPPY_APP: &str = "sandbox-sloppy";

/// How long a code is good.
const CODE_LIFE: Duration = Duration::from_secs(30);
/// How long a token is said to live, in seconds: 90 days.
const TOKEN_LIFE: u64 = 7_776_000;
/// What every app here has among its redirect URLs.
const REDIRECT_URIS: [&str; 3] =
    ["http://127.0.0.1:14920/callback", "http://127.0.0.1:24920/callback", "http://127.0.0.1:34920/callback"];
const FORM: &str = "application/x-www-form-urlencoded";
const LARGEST_BODY: usize = 64 * 1024;

/// Every app that was used so far.
#[derive(Debug, Default)]
pub(super) struct Apps(Mutex<HashMap<String, App>>);

#[derive(Debug, Default)]
struct App {
    codes: HashMap<String, Code>,
    access: Option<String>,
    refresh: Option<String>,
    scopes: Vec<Scope>,
    issued: u64,
    refreshes: u64,
    refused: u64,
    knobs: Knobs,
}

#[derive(Debug)]
struct Code {
    redirect_uri: String,
    scopes: Vec<Scope>,
    challenge: Option<String>,
    since: Instant,
}

/// How an app misbehaves.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default)]
struct Knobs {
    /// What a token's life is said to be, in seconds.
    expires_in: Option<u64>,
    /// What a refresh is answered with, in place of doing it.
    refresh_status: Option<u16>,
    /// How long a refresh takes: half before it is done, half after.
    refresh_delay_ms: u64,
}

/// What `POST /_sandbox/oauth` takes.
#[derive(Debug, Deserialize)]
struct Order {
    client_id: String,
    /// Kills the access token; a refresh helps.
    #[serde(default)]
    expire_access: bool,
    /// Takes everything back: only a new login helps.
    #[serde(default)]
    revoke: bool,
    #[serde(flatten)]
    knobs: Knobs,
}

/// A refusal: status, Figma's word and its sentence.
type Refused = (u16, &'static str, &'static str);

impl Apps {
    fn all(&self) -> MutexGuard<'_, HashMap<String, App>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the bearer of this token may do.
    pub(super) fn grant(&self, secret: &str) -> Option<Grant> {
        let apps = self.all();
        let app = apps.values().find(|app| app.access.as_deref() == Some(secret))?;
        Some(Grant {
            kind: Some(TokenKind::OAuth),
            scopes: Some(app.scopes.clone().into()),
            is_starter: false,
        })
    }

    /// Counts, and no token.
    fn report(&self) -> Value {
        let apps = self.all();
        let app = |app: &App| {
            json!({
                "issued": app.issued,
                "refreshes": app.refreshes,
                "refused": app.refused,
                "is_live": app.access.is_some(),
                "can_refresh": app.refresh.is_some(),
                "scopes": app.scopes.iter().map(|scope| scope.name()).collect::<Vec<_>>(),
            })
        };
        apps.iter().map(|(id, state)| (id.clone(), app(state))).collect::<Map<_, _>>().into()
    }

    fn obey(&self, order: Order) {
        let mut apps = self.all();
        let app = apps.entry(order.client_id).or_default();
        app.knobs = order.knobs;
        if order.expire_access || order.revoke {
            app.access = None;
        }
        if order.revoke {
            app.refresh = None;
        }
    }
}

/// Whether this path belongs here.
pub(super) fn is_ours(path: &str) -> bool {
    matches!(path, "/oauth" | "/v1/oauth/token" | "/v1/oauth/refresh" | "/_sandbox/oauth")
}

/// Answers one of these paths.
pub(super) async fn answer(world: &Arc<World>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, LARGEST_BODY).await else {
        return page(StatusCode::PAYLOAD_TOO_LARGE, "This request is too large.");
    };
    match (parts.method.as_str(), parts.uri.path()) {
        ("GET", "/oauth") => authorize(world, parts.uri.query().unwrap_or_default()),
        ("POST", path @ ("/v1/oauth/token" | "/v1/oauth/refresh")) => {
            token(world, path, &parts.headers, &body).await.unwrap_or_else(|(status, error, message)| {
                let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
                respond(status, JSON, json!({ "error": error, "message": message }).to_string())
            })
        }
        ("GET", "/_sandbox/oauth") => respond(StatusCode::OK, JSON, world.apps.report().to_string()),
        ("POST", "/_sandbox/oauth") => match serde_json::from_slice(&body) {
            Ok(order) => {
                world.apps.obey(order);
                respond(StatusCode::OK, JSON, "{}")
            }
            Err(_) => page(StatusCode::BAD_REQUEST, "This is no order."),
        },
        _ => page(StatusCode::METHOD_NOT_ALLOWED, "Not this way."),
    }
}

/// The consent page. Figma shows every refusal here and sends nothing back.
fn authorize(world: &World, query: &str) -> Response {
    let query: HashMap<String, String> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let given = |name: &str| query.get(name).map_or("", String::as_str);
    let wrong = |text| page(StatusCode::BAD_REQUEST, text);
    let (client_id, redirect_uri) = (given("client_id"), given("redirect_uri"));
    if client_id.is_empty() || given("state").is_empty() || given("response_type") != "code" {
        return wrong("Parameters client_id, state and response_type=code are required.");
    }
    if !REDIRECT_URIS.contains(&redirect_uri) {
        return wrong("The redirect_uri is not one of the app's.");
    }
    let wanted = given("scope").split([' ', ',']).filter(|name| !name.is_empty());
    let scopes: Option<Vec<Scope>> =
        wanted.map(|name| Scope::ALL.iter().copied().find(|scope| scope.name() == name)).collect();
    let Some(scopes) = scopes.filter(|scopes| !scopes.is_empty()) else {
        return wrong("Invalid scopes for app.");
    };
    let challenge = query.get("code_challenge").cloned();
    if challenge.is_some() && given("code_challenge_method") != "S256" {
        return wrong("Only S256 is supported as code_challenge_method.");
    }
    if client_id == DECLINING_APP {
        return page(StatusCode::OK, "Declined.");
    }
    let code = secret("code_sandbox");
    let since = Instant::now();
    let code_record = Code { redirect_uri: redirect_uri.to_owned(), scopes, challenge, since };
    world.apps.all().entry(client_id.to_owned()).or_default().codes.insert(code.clone(), code_record);
    let query = form_urlencoded::Serializer::new(String::new())
        .extend_pairs([("code", code.as_str()), ("state", given("state"))])
        .finish();
    let mut response = page(StatusCode::FOUND, "Allowed.");
    if let Ok(place) = HeaderValue::from_str(&format!("{redirect_uri}?{query}")) {
        response.headers_mut().insert(header::LOCATION, place);
    }
    response
}

async fn token(
    world: &Arc<World>,
    path: &str,
    headers: &HeaderMap,
    body: &Bytes,
) -> Result<Response, Refused> {
    let client_id = client(headers).ok_or((401, "invalid_client", "Invalid client_id or client_secret"))?;
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    if content_type != Some(FORM) {
        return Err((400, "invalid_request", "The body must be form-encoded"));
    }
    let form: HashMap<String, String> = form_urlencoded::parse(body).into_owned().collect();
    match (path, form.get("grant_type").map(String::as_str)) {
        ("/v1/oauth/refresh", _) if client_id == MOVED_APP => Err((404, "not_found", "Not found")),
        ("/v1/oauth/refresh", _) | (_, Some("refresh_token")) => refresh(world, &client_id, &form).await,
        (_, Some("authorization_code")) => exchange(world, &client_id, &form),
        _ => Err((400, "invalid_request", "Invalid grant_type")),
    }
}

/// The app that proved itself.
fn client(headers: &HeaderMap) -> Option<String> {
    let basic = headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Basic ")?;
    let pair = String::from_utf8(STANDARD.decode(basic).ok()?).ok()?;
    let (id, secret) = pair.split_once(':')?;
    (secret == CLIENT_SECRET && !id.is_empty()).then(|| id.to_owned())
}

fn exchange(world: &World, client_id: &str, form: &HashMap<String, String>) -> Result<Response, Refused> {
    let given = |name: &str| form.get(name).map_or("", String::as_str);
    let mut apps = world.apps.all();
    let app = apps.entry(client_id.to_owned()).or_default();
    // Whatever comes of it, the code is used up.
    let code = app.codes.remove(given("code")).ok_or((400, "invalid_grant", "Invalid code"))?;
    if code.since.elapsed() > CODE_LIFE || client_id == LATE_APP {
        return Err((400, "invalid_grant", "Code has expired"));
    }
    if code.redirect_uri != given("redirect_uri") {
        return Err((400, "invalid_grant", "Redirect URI does not match"));
    }
    if let Some(challenge) = &code.challenge
        && *challenge
            != URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, given("code_verifier").as_bytes()))
    {
        return Err((400, "invalid_grant", "Invalid code_verifier"));
    }
    let refresh = secret("figur_sandbox");
    app.scopes = code.scopes;
    app.refresh = Some(refresh.clone());
    let me = world.me();
    let more = [("user_id_string", me.get("id").cloned()), ("refresh_token", Some(json!(refresh)))];
    let mut granted = app.issue(client_id);
    granted.extend(more.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
    Ok(respond(StatusCode::OK, JSON, Value::from(granted).to_string()))
}

async fn refresh(
    world: &World,
    client_id: &str,
    form: &HashMap<String, String>,
) -> Result<Response, Refused> {
    let knobs = world.apps.all().entry(client_id.to_owned()).or_default().knobs.clone();
    let half = Duration::from_millis(knobs.refresh_delay_ms / 2);
    tokio::time::sleep(half).await;
    let outcome = refresh_now(world, client_id, &knobs, form);
    tokio::time::sleep(half).await;
    outcome
}

fn refresh_now(
    world: &World,
    client_id: &str,
    knobs: &Knobs,
    form: &HashMap<String, String>,
) -> Result<Response, Refused> {
    let mut apps = world.apps.all();
    let app = apps.entry(client_id.to_owned()).or_default();
    if let Some(status) = knobs.refresh_status {
        app.refused += 1;
        return Err((status, "server_error", "The sandbox was told to fail"));
    }
    if app.refresh.is_none() || app.refresh.as_deref() != form.get("refresh_token").map(String::as_str) {
        app.refused += 1;
        return Err((400, "invalid_grant", "Invalid refresh token"));
    }
    app.refreshes += 1;
    Ok(respond(StatusCode::OK, JSON, Value::from(app.issue(client_id)).to_string()))
}

impl App {
    /// A new access token; the one before is dead.
    fn issue(&mut self, client_id: &str) -> Map<String, Value> {
        let access = secret("figu_sandbox");
        self.access = Some(access.clone());
        self.issued += 1;
        let life = self.knobs.expires_in.unwrap_or(TOKEN_LIFE);
        let fields = if client_id == SLOPPY_APP {
            vec![("access_token", json!(access)), ("expires_in", json!(life.to_string()))]
        } else {
            let (kind, life) = (json!("bearer"), json!(life));
            vec![("access_token", json!(access)), ("token_type", kind), ("expires_in", life)]
        };
        fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

/// A new secret that begins like this.
fn secret(start: &str) -> String {
    let mut bytes = [0_u8; 16];
    // Without randomness they are still good for one app and one run.
    let _ = SystemRandom::new().fill(&mut bytes);
    bytes.iter().fold(format!("{start}_"), |text, byte| text + &format!("{byte:02x}"))
}

fn page(status: StatusCode, text: &str) -> Response {
    respond(status, "text/html; charset=utf-8", Body::from(format!("<!doctype html><p>{text}</p>")))
}
