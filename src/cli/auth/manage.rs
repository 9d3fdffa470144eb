//! `auth switch`, `rotate`, `logout` and `token`.

use std::{
    io::{self, IsTerminal},
    time::Duration,
};

use secrecy::ExposeSecret;

use super::{NewToken, chosen, login};
use crate::{
    auth::{
        Login, now,
        profiles::{Facts, Profiles},
        record::{Previous, Record},
    },
    cli::{in_runtime, print, setup, tell},
    dispatch,
    error::{CredentialError, Error, Result},
    settings::Settings,
    table::TokenKind,
};

/// How long Figma accepts a plan token after it was replaced.
const OVERLAP: u64 = 24 * 3600;
/// How long a refresh that is under way may hold up a logout.
const REFRESH_LIMIT: Duration = Duration::from_secs(30);

pub(super) fn switch(settings: &Settings, name: &str) -> Result<()> {
    let profiles = Profiles::new(settings.config_dir()?);
    profiles.update(|facts| {
        facts.get(name)?;
        facts.current = Some(name.to_owned());
        Ok(())
    })?;
    tell(&format!("Now `{name}` is used where no profile is named.\n"));
    Ok(())
}

pub(super) fn rotate(settings: &Settings, new: &NewToken) -> Result<()> {
    let (profiles, facts, name) = chosen(settings)?;
    let mut profile = facts.get(&name)?.clone();
    if profile.kind != TokenKind::Plan {
        return Err(Error::Usage {
            problem: format!(
                "only plan tokens are rotated, and `{name}` holds {}",
                profile.kind.description()
            ),
            hint: format!(
                "Log in again with the new one: figma-mcp auth login --kind {}",
                profile.kind.name()
            ),
        });
    }
    let expires = login::expiry(profile.kind, new.expires.as_deref())?;
    let _lock = profiles.lock_login(&name)?;
    let store = profiles.store(profile.store, io::stdin().is_terminal());
    let login = Login { profile: name.clone(), facts: profile.clone(), store: store.clone(), refresh: None };
    let old = login.load_here()?;
    let token = login::read_token(profile.kind, new)?;
    if old.token("")?.is_same(&token) {
        return Err(Error::Usage {
            problem: "this is the token that is stored already".to_owned(),
            hint: "Replace it at Figma first, then give the new one.".to_owned(),
        });
    }
    let record = Record {
        access: token.secret().clone(),
        expires_at: Some(expires.at),
        generation: old.generation + 1,
        created_at: now(),
        previous: Some(Previous { access: old.access.clone(), until: now() + OVERLAP }),
        ..old
    };
    store.save(&name, &record)?;
    login::check_kept(store.load(&name)?, &token, &name, &store.place().to_string())?;
    (profile.expires, profile.created_at) = (Some(expires), record.created_at);
    login::remember(&profiles, &name, &profile)?;
    tell(&format!(
        "Replaced the plan token of profile `{name}`. The one before is tried once more where Figma refuses the new one, for 24 h.\n"
    ));
    Ok(())
}

pub(super) fn logout(settings: &Settings, all: bool) -> Result<()> {
    let (profiles, facts, name) = chosen(settings)?;
    let names: Vec<String> = if all { facts.profiles.keys().cloned().collect() } else { vec![name] };
    for name in &names {
        forget(settings, &profiles, &facts, name)?;
    }
    if names.is_empty() {
        tell("Nobody was logged in.\n");
    }
    Ok(())
}

fn forget(settings: &Settings, profiles: &Profiles, facts: &Facts, name: &str) -> Result<()> {
    let profile = facts.get(name)?;
    let _lock = profiles.lock_login(name)?;
    let store = profiles.store(profile.store, io::stdin().is_terminal());
    // A refresh that is under way would store its token after this.
    let _refresh = profiles.lock(name, REFRESH_LIMIT)?;
    store.delete(name)?;
    let login =
        Login { profile: name.to_owned(), facts: profile.clone(), store: store.clone(), refresh: None };
    forget_kept(settings, &login)?;
    profiles.update(|facts| {
        facts.profiles.remove(name);
        if facts.current.as_deref() == Some(name) {
            facts.current = facts.profiles.keys().next().cloned();
        }
        Ok(())
    })?;
    let revoke = match profile.kind {
        TokenKind::Personal => "https://www.figma.com/settings, Security, Personal access tokens",
        TokenKind::Plan => "Figma's admin settings, by an admin of the organisation",
        TokenKind::OAuth => "https://www.figma.com/settings, Security, Connected apps",
    };
    tell(&format!(
        "Forgot profile `{name}`: nothing is left in {}.\nThe token itself lives on; Figma revokes it only at {revoke}.\n",
        store.place()
    ));
    Ok(())
}

/// Removes what was kept of this login's answers, where anything ever was.
fn forget_kept(settings: &Settings, login: &Login) -> Result<()> {
    let kept = setup::store(settings);
    if !kept.path().is_some_and(|path| path.exists()) {
        return Ok(());
    }
    in_runtime(async { dispatch::forget(&kept, login).await })
}

pub(super) fn token(settings: &Settings, yes: bool) -> Result<()> {
    if io::stdout().is_terminal() && !yes {
        return Err(CredentialError::Shown.into());
    }
    let login = setup::login(settings)?.ok_or(Error::NoToken)?;
    let record = login.load_here()?;
    print(&format!("{}\n", record.access.expose_secret()))
}
