//! `auth login`: takes a token in, asks Figma whose it is, and stores it.

use std::io::{self, IsTerminal, Read};

use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use super::{Kind, LoginArgs, NewToken, chosen, oauth};
use crate::{
    auth::{
        Caller, Found, Token,
        abilities::{refused_tools, scopes},
        now,
        profiles::{Expiry, ExpirySource, Profile, Profiles, StoreKind, longest_life},
        record::Record,
        time::{day, life},
    },
    cli::{in_runtime, setup, tell},
    dispatch,
    error::{CredentialError, Error, Result, foreign},
    settings::{self, Settings},
    table::{TokenKind, args::Args},
};

/// The most that is read of stdin: longer than any token, so that a wrong file is told as one.
const MOST_INPUT: u64 = 16 * 1024;

pub(super) fn run(settings: &Settings, login: &LoginArgs) -> Result<()> {
    let (profiles, facts, name) = chosen(settings)?;
    let expires = expiry(login.kind.into(), login.token.expires.as_deref())?;
    let team = login.team.as_deref().map(settings::team_id).transpose()?;
    let _lock = profiles.lock_login(&name)?;
    if login.kind == Kind::OAuth {
        return oauth::login_oauth(settings, &profiles, &name, login);
    }
    let kind: TokenKind = login.kind.into();
    let store_kind = if login.insecure_storage { StoreKind::File } else { StoreKind::Keyring };
    let store = profiles.store(store_kind, io::stdin().is_terminal());
    // Better before a person has gone for a token than after. Only whether it answers counts: a
    // record that cannot be read is replaced by this login.
    match store.load(&name) {
        Err(error) if error.kind() != "broken_record" => return Err(error),
        _ => {}
    }
    let token = read_token(kind, &login.token)?;
    let owner = if login.token.no_verify { Owner::default() } else { verify(settings, kind, &token)? };
    let mut record = Record::new(kind, token.secret().clone());
    record.expires_at = Some(expires.at);
    record.handle.clone_from(&owner.handle);
    record.user_id.clone_from(&owner.id);
    store.save(&name, &record)?;
    check_kept(store.load(&name)?, &token, &name, &store.place().to_string())?;
    let known = facts.profiles.get(&name);
    let profile = Profile {
        kind,
        store: store_kind,
        created_at: record.created_at,
        expires: Some(expires),
        handle: owner.handle,
        user_id: owner.id,
        team_id: team
            .or_else(|| settings.team_id.clone())
            .or_else(|| known.and_then(|old| old.team_id.clone())),
        oauth: None,
    };
    remember(&profiles, &name, &profile)?;
    tell(&summary(&name, &profile, &store.place().to_string()));
    tell_environment();
    Ok(())
}

/// Says so where a token in the environment hides the stored one.
pub(super) fn tell_environment() {
    if let Found::Token(token) = setup::environment_token() {
        tell(&format!("note: {} is set, and goes before what is stored here\n", token.origin));
    }
}

/// Writes down what is known of a login, and forgets the token that another store held for it.
pub(super) fn remember(profiles: &Profiles, name: &str, profile: &Profile) -> Result<()> {
    let before = profiles.update(|facts| {
        facts.current.get_or_insert_with(|| name.to_owned());
        Ok(facts.profiles.insert(name.to_owned(), profile.clone()))
    })?;
    if let Some(old) = before.filter(|old| old.store != profile.store)
        && let Err(error) = profiles.store(old.store, false).delete(name)
    {
        tell(&format!("note: the former token could not be removed: {error}\n"));
    }
    Ok(())
}

/// When a token ends: as it was said, else as late as it can.
pub(super) fn expiry(kind: TokenKind, said: Option<&str>) -> Result<Expiry> {
    let Some(said) = said else { return Ok(Expiry::assumed(kind)) };
    let wrong = |problem: String| Error::Usage {
        problem,
        hint: "Give the life that was chosen at Figma, such as 90d, 12w or 1y.".to_owned(),
    };
    let given = life(said)
        .ok_or_else(|| wrong(format!("--expires `{}` is no length of time", crate::auth::redacted(said))))?;
    let longest = longest_life(kind);
    if given > longest {
        let days = longest.as_secs() / 86_400;
        return Err(wrong(format!("{} lives {days} days at most", kind.description())));
    }
    Ok(Expiry { at: now() + given.as_secs(), from: ExpirySource::Declared })
}

/// The token, from stdin or typed without being shown. Never from the command line.
pub(super) fn read_token(kind: TokenKind, how: &NewToken) -> Result<Token> {
    let is_typed = io::stdin().is_terminal() && !how.token_stdin;
    let (text, origin) = if is_typed {
        tell(&explanation(kind));
        (rpassword::prompt_password("Token (not shown): "), "the prompt")
    } else {
        let mut text = String::new();
        (io::stdin().take(MOST_INPUT).read_to_string(&mut text).map(|_| text), "stdin")
    };
    let text = text.map(SecretString::from).map_err(|error| match error.kind() {
        io::ErrorKind::InvalidData => {
            Error::BrokenToken { origin: origin.to_owned(), problem: crate::error::TokenProblem::Blank }
        }
        _ => Error::File { path: origin.to_owned(), problem: error.to_string() },
    })?;
    Token::new(Some(kind), text.expose_secret(), origin)
}

/// Whose token it is, as far as Figma says.
#[derive(Debug, Default)]
pub(super) struct Owner {
    pub(super) handle: Option<String>,
    pub(super) id: Option<String>,
}

/// Asks Figma whether it accepts the token. There is nothing to ask for a plan token.
pub(super) fn verify(settings: &Settings, kind: TokenKind, token: &Token) -> Result<Owner> {
    if kind == TokenKind::Plan {
        tell("note: not verified: Figma has no endpoint to ask about a plan token; the first call shows\n");
        return Ok(Owner::default());
    }
    match ask_who(settings, Some(token)) {
        Ok(owner) => Ok(owner),
        // A refusal for its scope is an answer to a live token.
        Err(Error::MissingScope { .. }) => {
            tell("note: the token is valid, and lacks `current_user:read`: its owner is not known\n");
            Ok(Owner::default())
        }
        Err(Error::BadToken { .. } | Error::NoAccess { .. }) => {
            Err(CredentialError::OtherKind { said: kind.name(), likely: likely_kind(kind, token) }.into())
        }
        Err(error) => Err(error),
    }
}

/// What the first letters suggest, where that is another kind than was said. Only for a message.
fn likely_kind(said: TokenKind, token: &Token) -> Option<&'static str> {
    let text = token.secret().expose_secret();
    let likely = match text.get(..5)? {
        "figd_" => "personal",
        "figu_" => "oauth` or `plan",
        _ => return None,
    };
    (!likely.starts_with(said.name())).then_some(likely)
}

/// Asks Figma with the login that is meant, whose token is replaced where that helps.
pub(super) fn verify_login(settings: &Settings) -> Result<Owner> {
    match ask_who(settings, None) {
        // A refusal for its scope is an answer to a live token.
        Err(Error::MissingScope { .. }) => Ok(Owner::default()),
        outcome => outcome,
    }
}

/// Whose token this is, or that of the login that is meant.
fn ask_who(settings: &Settings, token: Option<&Token>) -> Result<Owner> {
    // Which tools are offered has nothing to do with a login.
    let mut settings = settings.clone();
    (settings.toolsets, settings.tools, settings.exclude_tools) = Default::default();
    let answer = in_runtime(async {
        let mut setup = setup::Setup::new(&settings).await?;
        if let Some(token) = token {
            setup.caller = Caller::fixed(Found::Token(token.clone())).into();
        }
        dispatch::run(&setup.app, &setup.caller, "figma_me_get", Args::new()).await
    })?;
    let who: Value = serde_json::from_str(&answer.body)
        .map_err(|_| Error::BadAnswer { problem: "it says nothing of a user".to_owned() })?;
    let text = |name: &str| who.get(name).and_then(Value::as_str).map(foreign);
    Ok(Owner { handle: text("handle"), id: text("id") })
}

/// Some keyrings take a secret and forget it.
pub(super) fn check_kept(found: Option<Record>, token: &Token, profile: &str, place: &str) -> Result<()> {
    let kept = found.and_then(|record| record.token("").ok());
    if kept.is_some_and(|kept| kept.is_same(token)) {
        return Ok(());
    }
    Err(CredentialError::Gone { profile: profile.to_owned(), place: place.to_owned() }.into())
}

/// Where to make a token, and with which scopes.
fn explanation(kind: TokenKind) -> String {
    let place = match kind {
        TokenKind::Personal => {
            "Make one at https://www.figma.com/settings: Security, Personal access tokens."
        }
        TokenKind::Plan => {
            "An admin of the organisation makes one in Figma's admin settings (Organization and Enterprise plans): https://developers.figma.com/docs/rest-api/plan-access-tokens/"
        }
        TokenKind::OAuth => "Make an app at https://www.figma.com/developers/apps.",
    };
    let wanted = scopes(kind);
    format!(
        "{place}\nScopes, least first; leave out what you do not need:\n  to read designs:    {}\n  to read the rest:   {}\n  to write:           {}\n",
        wanted.everyday.join(" "),
        wanted.reading.join(" "),
        wanted.writing.join(" ")
    )
}

pub(super) fn summary(name: &str, profile: &Profile, place: &str) -> String {
    let who = profile.handle.as_ref().map_or_else(String::new, |handle| format!(" of {handle}"));
    let mut text = format!("Stored {}{who} as profile `{name}` in {place}.\n", profile.kind.description());
    if let Some(expiry) = profile.expires {
        text += &format!("It ends on {} ({}).\n", day(expiry.at), expiry.from.name());
    }
    let refused = refused_tools(profile.kind).len();
    if refused > 0 {
        text += &format!("{refused} tools need another kind of token: figma-mcp auth status\n");
    }
    text
}
