//! Whose Figma account a request is for, and which tools it may see.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, OnceLock, PoisonError, Weak, atomic::AtomicBool},
};

use axum::http::{HeaderMap, HeaderName, StatusCode};
use foldhash::fast::RandomState;
use tokio::sync::Semaphore;

use super::{Front, access::Who, gate::Refusal};
use crate::{
    auth::{Caller, Fingerprint, Found, Token},
    error::Result,
    server::{MOST_CALLS, Server},
    table::{Selection, TokenKind},
};

tokio::task_local! {
    /// The visit that the present request is part of: the protocol library makes servers and sessions
    /// without saying for whom.
    pub(super) static VISIT: Arc<Visit>;
}

/// One request's view of the server.
#[derive(Debug)]
pub(super) struct Visit {
    who: Who,
    /// The selection, in words; empty where none was asked for.
    wanted: String,
    identity: OnceLock<Fingerprint>,
    pub(super) server: Server,
    /// Whether a session was wanted and there was no room for it.
    pub(super) found_no_room: AtomicBool,
}

impl Visit {
    /// Equal for requests of the same caller with the same account and the same selection. Only what
    /// outlives a request asks for it.
    pub(super) fn identity(&self) -> &Fingerprint {
        self.identity.get_or_init(|| {
            let caller_name = match &self.who {
                Who::Anybody => String::new(),
                Who::Known(caller) => caller.text(),
            };
            Fingerprint::of(&[&caller_name, &self.server.caller.fingerprint().text(), &self.wanted])
        })
    }
}

/// The places of callers that have something under way.
#[derive(Debug, Default)]
pub(super) struct Visitors(Mutex<HashMap<Visitor, Weak<Semaphore>, RandomState>>);

/// Who calls, with which Figma account.
type Visitor = (Who, Fingerprint);

impl Visitors {
    fn places(&self, of: &Visitor) -> Arc<Semaphore> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(places) = known.get(of).and_then(Weak::upgrade) {
            return places;
        }
        if known.len() >= 1024 {
            known.retain(|_, places| places.strong_count() > 0);
        }
        let places = Arc::new(Semaphore::new(MOST_CALLS));
        known.insert(of.clone(), Arc::downgrade(&places));
        places
    }
}

/// What the requests of one connection see that ask for nothing of their own, by who sends them and
/// whether they may only read: for nearly all of them it is the same. What brings a token is not kept.
#[derive(Debug, Default)]
pub(super) struct Usual(OnceLock<(Who, bool, Arc<Visit>)>);

impl Front {
    /// As [`Front::visit`], for a request that adds nothing to its visit.
    pub(super) fn visit_again(
        &self,
        usual: &Usual,
        who: &Who,
        path: &str,
        headers: &HeaderMap,
    ) -> Result<Arc<Visit>, Refusal> {
        let visit = || self.visit(who, path, headers).map(Arc::new);
        if has_own(headers) {
            return visit();
        }
        let is_read_only = is_read_only(path);
        match usual.0.get() {
            Some((other, was_read_only, seen)) if other == who && *was_read_only == is_read_only => {
                Ok(seen.clone())
            }
            Some(_) => visit(),
            None => {
                let visit = visit()?;
                // Requests of a connection come one after the other.
                let _ = usual.0.set((who.clone(), is_read_only, visit.clone()));
                Ok(visit)
            }
        }
    }

    /// What this request is to see.
    ///
    /// # Errors
    /// What is wrong with its headers.
    pub(super) fn visit(&self, who: &Who, path: &str, headers: &HeaderMap) -> Result<Visit, Refusal> {
        let (caller, wants) = if has_own(headers) {
            (self.caller(headers)?, Wants::read(path, headers)?)
        } else {
            (None, Wants { read_only: is_read_only(path), ..Wants::default() })
        };
        let account = caller.as_ref().unwrap_or(&self.server.caller).fingerprint();
        let is_narrowed = wants != Wants::default();
        let wanted = if is_narrowed { format!("{wants:?}") } else { String::new() };
        let places = self.visitors.places(&(who.clone(), account.clone()));
        let mut server = self.server.clone();
        if let Some(caller) = caller {
            server.caller = caller;
        }
        server.places = Some(places);
        if is_narrowed {
            server.narrow = Arc::new(wants.selection()?);
            server.about = Arc::default();
        }
        let identity = OnceLock::new();
        Ok(Visit { who: who.clone(), wanted, identity, server, found_no_room: AtomicBool::new(false) })
    }

    /// Whoever brings a Figma token; `None` for the server's own account.
    fn caller(&self, headers: &HeaderMap) -> Result<Option<Arc<Caller>>, Refusal> {
        let refuse = |text: &str| Refusal::new(StatusCode::BAD_REQUEST, "bad_figma_token", text);
        let kind = match one(headers, &KIND)? {
            None => TokenKind::Personal,
            Some(text) => TokenKind::ALL
                .into_iter()
                .find(|kind| kind.name().eq_ignore_ascii_case(text.trim()))
                .ok_or_else(|| refuse("`X-Figma-Token-Kind` must be personal, plan or oauth"))?,
        };
        let Some(secret) = one(headers, &TOKEN)? else { return Ok(None) };
        if !self.takes_tokens {
            let text = "this server uses its own Figma account; callers' tokens have to be allowed with --allow-client-token";
            return Err(Refusal::new(StatusCode::FORBIDDEN, "no_client_tokens", text));
        }
        let token = Token::of_request(Some(kind), secret, "X-Figma-Token")
            .map_err(|error| refuse(&error.to_string()))?;
        Ok(Some(Arc::new(Caller::fixed(Found::Token(token)))))
    }
}

/// What the request asks for. The operator's selection is a ceiling: it is checked beside this one.
#[derive(Debug, Default, PartialEq, Eq)]
struct Wants {
    toolsets: Vec<String>,
    tools: Vec<String>,
    excluded: Vec<String>,
    read_only: bool,
}

static TOOLSETS: HeaderName = HeaderName::from_static("x-mcp-toolsets");
static TOOLS: HeaderName = HeaderName::from_static("x-mcp-tools");
static EXCLUDED: HeaderName = HeaderName::from_static("x-mcp-exclude-tools");
static READ_ONLY: HeaderName = HeaderName::from_static("x-mcp-readonly");
static TOKEN: HeaderName = HeaderName::from_static("x-figma-token");
static KIND: HeaderName = HeaderName::from_static("x-figma-token-kind");

impl Wants {
    fn read(path: &str, headers: &HeaderMap) -> Result<Self, Refusal> {
        let list = |name| {
            let text = one(headers, name)?.unwrap_or_default();
            let names = text.split(',').map(str::trim).filter(|name| !name.is_empty());
            Ok::<_, Refusal>(names.map(str::to_owned).collect())
        };
        // Anything that does not plainly say no says yes: the safe side.
        let says_yes = |text: &str| {
            !matches!(text.trim().to_ascii_lowercase().as_str(), "" | "0" | "false" | "no" | "off")
        };
        Ok(Self {
            toolsets: list(&TOOLSETS)?,
            tools: list(&TOOLS)?,
            excluded: list(&EXCLUDED)?,
            read_only: is_read_only(path) || one(headers, &READ_ONLY)?.is_some_and(says_yes),
        })
    }

    fn selection(&self) -> Result<Selection, Refusal> {
        Selection::new(&self.toolsets, &self.tools, &self.excluded, self.read_only)
            .map(Selection::from_headers)
            .map_err(|error| {
                let text = format!("{error}. {}", error.next().for_agent());
                Refusal::new(StatusCode::BAD_REQUEST, "bad_selection", text)
            })
    }
}

/// Whether there may be headers of ours: their names begin like this, and few requests have any.
fn has_own(headers: &HeaderMap) -> bool {
    headers.keys().any(|name| name.as_str().starts_with("x-"))
}

fn is_read_only(path: &str) -> bool {
    path.ends_with("/readonly")
}

/// A header that is there at most once.
fn one<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, Refusal> {
    let mut given = headers.get_all(name).iter();
    let wrong = || {
        Refusal::new(StatusCode::BAD_REQUEST, "bad_header", format!("`{name}` must be given once, as text"))
    };
    match (given.next(), given.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => value.to_str().map(Some).map_err(|_| wrong()),
        (Some(_), Some(_)) => Err(wrong()),
    }
}
