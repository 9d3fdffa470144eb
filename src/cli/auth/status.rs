//! `auth status` and `auth list`: what is known, without a secret.

use std::time::Duration;

use serde_json::{Value, json};

use super::{chosen, login, masked};
use crate::{
    auth::{
        Found, Login, Token,
        abilities::{Refused, refused_tools},
        now,
        oauth::State,
        profiles::Expiry,
        redacted,
        time::{day, warning},
    },
    cli::{print, setup},
    error::{CredentialError, Error, OAuthError, Result, span},
    settings::Settings,
    table::{self, TokenKind},
};

/// Exit codes of `auth status`.
const USABLE: u8 = 0;
const NONE: u8 = 3;
const EXPIRED: u8 = 4;
const UNAVAILABLE: u8 = 5;

/// What is known of the token in use.
struct Report {
    /// `usable`, `none`, `expired`, `revoked`, `unavailable` or `refused`.
    state: &'static str,
    code: u8,
    profile: Option<String>,
    kind: Option<TokenKind>,
    place: String,
    masked: Option<String>,
    handle: Option<String>,
    team_id: Option<String>,
    scopes: Vec<String>,
    /// How a login with OAuth stands.
    oauth: Option<State>,
    created_at: Option<u64>,
    expires: Option<Expiry>,
    problem: Option<Error>,
    /// Whether Figma accepted it just now; `None` when it was not asked.
    checked: Option<bool>,
}

pub(super) fn run(settings: &Settings, as_json: bool, check: bool) -> Result<u8> {
    let mut report = match setup::environment_token() {
        Found::Token(token) => of_environment(&token),
        Found::Broken(error) => Report::problem(error, None),
        Found::None => match setup::login(settings) {
            Ok(Some(login)) => of_login(&login),
            Ok(None) => Report::problem(Error::NoToken, None),
            Err(error @ Error::Usage { .. }) => return Err(error),
            Err(error) => Report::problem(error, settings.profile.clone()),
        },
    };
    if check && report.state == "usable" {
        report.ask_figma(settings);
    }
    // What Figma, or whoever answers in its place, says can quote the token.
    print(&redacted(&if as_json { report.json() } else { report.text() }))?;
    Ok(report.code)
}

fn of_environment(token: &Token) -> Report {
    Report {
        kind: token.kind,
        place: format!("the environment ({})", token.origin),
        masked: Some(masked(token.secret())),
        ..Report::empty("usable", USABLE)
    }
}

fn of_login(login: &Login) -> Report {
    let facts = &login.facts;
    let (state, code, masked, problem) = match login.load_here() {
        Ok(record) => {
            let masked = Some(masked(&record.access));
            if State::of(facts) == Some(State::Revoked) {
                let (profile, message) = (login.profile.clone(), String::new());
                ("revoked", EXPIRED, masked, Some(OAuthError::Revoked { profile, message }.into()))
            } else if State::of(facts) == Some(State::Expiring) {
                // The next call replaces it.
                ("usable", USABLE, masked, None)
            } else if let Some(expiry) = facts.expires.filter(|expiry| expiry.at <= now()) {
                let ago = span(Duration::from_secs(now() - expiry.at));
                let expired = CredentialError::Expired { profile: login.profile.clone(), ago };
                ("expired", EXPIRED, masked, Some(expired.into()))
            } else {
                ("usable", USABLE, masked, None)
            }
        }
        Err(error) => {
            let (state, code) = state_of(&error);
            (state, code, None, Some(error))
        }
    };
    Report {
        profile: Some(login.profile.clone()),
        kind: Some(facts.kind),
        place: login.store.place().to_string(),
        masked,
        handle: facts.handle.clone(),
        team_id: facts.team_id.clone(),
        oauth: State::of(facts),
        scopes: facts.oauth.as_ref().map(|oauth| oauth.scopes.clone()).unwrap_or_default(),
        created_at: Some(facts.created_at),
        expires: facts.expires,
        problem,
        ..Report::empty(state, code)
    }
}

fn state_of(error: &Error) -> (&'static str, u8) {
    match error {
        Error::NoToken
        | Error::Credential(CredentialError::Gone { .. } | CredentialError::NoProfile { .. }) => {
            ("none", NONE)
        }
        _ => ("unavailable", UNAVAILABLE),
    }
}

impl Report {
    fn empty(state: &'static str, code: u8) -> Self {
        Self {
            state,
            code,
            profile: None,
            kind: None,
            place: "nowhere".to_owned(),
            masked: None,
            handle: None,
            team_id: None,
            scopes: Vec::new(),
            oauth: None,
            created_at: None,
            expires: None,
            problem: None,
            checked: None,
        }
    }

    fn problem(error: Error, profile: Option<String>) -> Self {
        let (state, code) = state_of(&error);
        Self { profile, problem: Some(error), ..Self::empty(state, code) }
    }

    /// Plan tokens cannot be asked about.
    fn ask_figma(&mut self, settings: &Settings) {
        let Some(kind) = self.kind.filter(|kind| *kind != TokenKind::Plan) else { return };
        let outcome = if self.oauth.is_some() {
            login::verify_login(settings)
        } else {
            let token = match setup::environment_token() {
                Found::Token(token) => Ok(token),
                _ => setup::login(settings)
                    .and_then(|login| login.ok_or(Error::NoToken))
                    .and_then(|login| login.load_here()?.token(&login.origin())),
            };
            token.and_then(|token| login::verify(settings, kind, &token))
        };
        match outcome {
            Ok(owner) => {
                self.checked = Some(true);
                self.handle = owner.handle.or_else(|| self.handle.take());
            }
            Err(error) => {
                let is_revoked = matches!(&error, Error::OAuth(OAuthError::Revoked { .. }));
                let is_other = matches!(&error, Error::Credential(CredentialError::OtherKind { .. }));
                let is_refused = is_revoked || is_other;
                if is_revoked {
                    self.oauth = Some(State::Revoked);
                }
                self.checked = is_refused.then_some(false);
                (self.state, self.code) =
                    if is_refused { ("refused", EXPIRED) } else { ("usable", error.exit_code()) };
                self.problem = Some(error);
            }
        }
    }

    fn refused(&self) -> Vec<Refused> {
        self.kind.map(refused_tools).unwrap_or_default()
    }

    fn json(&self) -> String {
        let refused: Vec<Value> = self
            .refused()
            .iter()
            .map(|refused| json!({ "tool": refused.tool.name, "why": refused.why }))
            .collect();
        let report = json!({
            "state": self.state,
            "profile": self.profile,
            "kind": self.kind.map(TokenKind::name),
            "place": self.place,
            "token": self.masked,
            "handle": self.handle,
            "team_id": self.team_id,
            "scopes": self.scopes,
            "oauth": self.oauth.map(State::name),
            "created": self.created_at.map(day),
            "expires": self.expires.map(|expiry| json!({ "on": day(expiry.at), "from": expiry.from.name() })),
            "accepted_by_figma": self.checked,
            "tools_refused": refused,
            "problem": self.problem.as_ref().map(Error::to_json),
        });
        serde_json::to_string_pretty(&report).unwrap_or_default() + "\n"
    }

    fn text(&self) -> String {
        let mut lines = vec![("State", self.state.to_owned())];
        let mut add = |name, value: Option<String>| lines.extend(value.map(|value| (name, value)));
        add("Profile", self.profile.clone());
        add("Kind", self.kind.map(|kind| kind.description().to_owned()));
        add("Kept in", Some(self.place.clone()));
        add("Token", self.masked.clone());
        add("Owner", self.handle.clone());
        add("Team", self.team_id.clone());
        add("OAuth", self.oauth.map(|state| state.name().to_owned()));
        add("Scopes", (!self.scopes.is_empty()).then(|| self.scopes.join(" ")));
        add(
            "Stored",
            self.created_at.map(|at| {
                format!("{} ({} ago)", day(at), span(Duration::from_secs(now().saturating_sub(at))))
            }),
        );
        add("Ends", self.expires.map(|expiry| format!("{} ({})", day(expiry.at), expiry.from.name())));
        add(
            "Figma",
            self.checked.map(|is_accepted| if is_accepted { "accepts it" } else { "refuses it" }.to_owned()),
        );
        let mut text = String::new();
        for (name, value) in lines {
            text += &format!("{name:<9}{value}\n");
        }
        if let Some(kind) = self.kind {
            let refused = self.refused();
            let count = table::tools().count() - refused.len();
            text += &format!(
                "Tools    {count} of {} can be called with {}\n",
                table::tools().count(),
                kind.description()
            );
            for Refused { tool, why } in refused {
                text += &format!("  not {}: {why}\n", tool.name);
            }
        }
        let profile = self.profile.as_deref().unwrap_or("default");
        if let Some(warning) = warning(self.expires, profile).filter(|_| self.state != "expired") {
            text += &format!("warning: {warning}\n");
        }
        if let Some(problem) = &self.problem {
            text += &problem.for_person();
        }
        text
    }
}

/// Every profile, a line each.
pub(super) fn list(settings: &Settings, as_json: bool) -> Result<()> {
    let (profiles, facts, current) = chosen(settings)?;
    if as_json {
        let all: Vec<Value> = facts
            .profiles
            .iter()
            .map(|(name, profile)| {
                json!({
                    "profile": name,
                    "current": *name == current,
                    "kind": profile.kind.name(),
                    "place": profiles.store(profile.store, false).place().to_string(),
                    "handle": profile.handle,
                    "expires": profile.expires.map(|expiry| day(expiry.at)),
                })
            })
            .collect();
        return print(&(serde_json::to_string_pretty(&all).unwrap_or_default() + "\n"));
    }
    let mut text = String::new();
    for (name, profile) in &facts.profiles {
        let mark = if *name == current { '*' } else { ' ' };
        let end = profile.expires.map_or_else(String::new, |expiry| format!("  ends {}", day(expiry.at)));
        text += &format!(
            "{mark} {name:<16} {:<9} {}{}{end}\n",
            profile.kind.name(),
            profiles.store(profile.store, false).place(),
            profile.handle.as_ref().map_or_else(String::new, |handle| format!("  {handle}"))
        );
    }
    if text.is_empty() {
        text += "Nobody is logged in: figma-mcp auth login\n";
    }
    print(&text)
}
