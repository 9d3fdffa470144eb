//! `auth login --kind oauth`: the person's own Figma app.

use std::{
    io::{self, BufRead, IsTerminal},
    time::Duration,
};

use clap::Args;
use secrecy::{ExposeSecret, SecretString};

use super::{LoginArgs, login};
use crate::{
    auth::{
        Token, now,
        oauth::{
            App, Endpoints, PORTS,
            authorize::{Authorization, CALLBACK_LIMIT, Code, listen},
            exchange::Granted,
            redirect_uri,
        },
        profiles::{Expiry, ExpirySource, OAuthFacts, Profile, Profiles, StoreKind, longest_life},
        record::Record,
        redacted,
        store::EntryName,
    },
    cli::{in_runtime, setup, tell},
    error::{Error, OAuthError, Result},
    settings::{CLIENT_SECRET_VARIABLE, FIGMA_API, Settings, variable},
    table::{Scope, TOOLSETS, TokenKind, Tool},
};

/// How long a refresh that is under way may hold up the storing of a new login.
const PATIENCE: Duration = Duration::from_secs(30);

/// What only an OAuth login takes.
#[derive(Debug, Clone, Args)]
pub(in crate::cli) struct OAuthArgs {
    /// OAuth: the client id of your own Figma app; its secret is asked for, or in `FIGMA_OAUTH_CLIENT_SECRET`
    #[arg(long, value_name = "ID", env = "FIGMA_OAUTH_CLIENT_ID")]
    client_id: Option<String>,
    /// OAuth: the scopes to ask for; without it those of the everyday tools, with `--read-only` those that read
    #[arg(long, value_name = "SCOPES", value_delimiter = ',')]
    scopes: Vec<String>,
    /// OAuth: print the address and paste the one that the browser ends at, for SSH and containers
    #[arg(long)]
    manual: bool,
    /// OAuth: print the address without opening a browser
    #[arg(long)]
    no_browser: bool,
    /// OAuth: how long to wait for the browser
    #[arg(long, value_name = "SECONDS", default_value_t = CALLBACK_LIMIT.as_secs(), value_parser = clap::value_parser!(u64).range(1..=3600))]
    callback_limit: u64,
}

/// Logs in with OAuth 2. The login's lock is held by the caller.
pub(super) fn login_oauth(
    settings: &Settings,
    profiles: &Profiles,
    profile: &str,
    login: &LoginArgs,
) -> Result<()> {
    let known = profiles.read()?.profiles.get(profile).cloned();
    let args = &login.oauth;
    let client_id = client_id(settings, args, known.as_ref())?;
    let scopes = scopes(settings, &args.scopes)?;
    let kind = if login.insecure_storage { StoreKind::File } else { StoreKind::Keyring };
    let store = profiles.store(kind, io::stdin().is_terminal());
    // Better before a person has gone to the browser than after.
    match store.load(profile) {
        Err(error) if error.kind() != "broken_record" => return Err(error),
        _ => {}
    }
    let entry = EntryName::client_secret(profile);
    let is_same_app =
        known.as_ref().and_then(|known| known.oauth.as_ref()).is_some_and(|old| old.client_id == client_id);
    let kept = if is_same_app { store.read(&entry)? } else { None };
    let (client_secret, is_new) = client_secret(kept)?;
    let app = App { client_id, client_secret };
    let granted = in_runtime(authorize(settings, &app, &scopes, args))?;
    let record = record(&app, granted);
    let token = record.token("Figma's OAuth answer")?;
    {
        // A refresh of the former login must not come after this.
        let _lock = profiles.lock(profile, PATIENCE)?;
        if is_new {
            store.write(&entry, &app.client_secret)?;
        }
        store.save(profile, &record)?;
    }
    login::check_kept(store.load(profile)?, &token, profile, &store.place().to_string())?;
    // Whose it is comes after: the tokens before are dead by now, and these must not be lost.
    let owner = if login.token.no_verify { login::Owner::default() } else { owner(settings, &token) };
    let team = login.team.as_deref().map(crate::settings::team_id).transpose()?;
    let facts = Profile {
        kind: TokenKind::OAuth,
        store: kind,
        created_at: record.created_at,
        expires: record.expires_at.map(|at| Expiry { at, from: ExpirySource::OAuth }),
        handle: owner.handle,
        user_id: owner.id.or(record.user_id),
        team_id: team.or_else(|| known.and_then(|known| known.team_id)),
        oauth: Some(OAuthFacts { client_id: app.client_id, scopes, ..OAuthFacts::default() }),
    };
    login::remember(profiles, profile, &facts)?;
    tell(&login::summary(profile, &facts, &store.place().to_string()));
    login::tell_environment();
    Ok(())
}

/// Whose token it is. Figma has just made it, so not to know that is no failure.
fn owner(settings: &Settings, token: &Token) -> login::Owner {
    login::verify(settings, TokenKind::OAuth, token).unwrap_or_else(|error| {
        tell(&format!("note: its owner is not known: {error}\n"));
        login::Owner::default()
    })
}

/// The app that is named, else that of the login before.
fn client_id(settings: &Settings, args: &OAuthArgs, known: Option<&Profile>) -> Result<String> {
    let usage = |problem: &str, hint: String| Error::Usage { problem: problem.to_owned(), hint };
    if settings.sandbox {
        return Err(usage(
            "a login with OAuth outlives this command, and the sandbox would not",
            "Start `figma-mcp serve --sandbox` in another terminal and name the address that it prints: --api-base-url http://127.0.0.1:PORT".to_owned(),
        ));
    }
    let before = || known.and_then(|known| known.oauth.as_ref()).map(|oauth| oauth.client_id.clone());
    let given = args.client_id.as_deref().map(str::trim).filter(|id| !id.is_empty()).map(str::to_owned);
    let Some(id) = given.or_else(before) else {
        let urls = PORTS.map(redirect_uri).join(" ");
        return Err(usage(
            "a login with OAuth needs your own Figma app",
            format!(
                "Make one at https://www.figma.com/developers/apps with the redirect URLs {urls}, then give its client id with --client-id."
            ),
        ));
    };
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~');
    if id.len() > 128 || !id.bytes().all(is_plain) {
        return Err(usage(
            "--client-id is no client id",
            "Copy it from the app's page at https://www.figma.com/developers/apps.".to_owned(),
        ));
    }
    Ok(id)
}

/// The app's secret, and whether it is to be stored. One from the environment is: the MCP hosts that
/// need it for a refresh do not have this environment.
fn client_secret(kept: Option<SecretString>) -> Result<(SecretString, bool)> {
    if let Some(secret) = variable(CLIENT_SECRET_VARIABLE) {
        return Ok((SecretString::from(secret), true));
    }
    if let Some(secret) = kept {
        return Ok((secret, false));
    }
    if !io::stdin().is_terminal() {
        return Err(OAuthError::NoSecret { profile: None }.into());
    }
    let typed = rpassword::prompt_password("Client secret of the app (not shown): ")
        .map(|text| SecretString::from(text.trim()))
        .map_err(|error| Error::File { path: "the prompt".to_owned(), problem: error.to_string() })?;
    if typed.expose_secret().is_empty() {
        return Err(OAuthError::NoSecret { profile: None }.into());
    }
    Ok((typed, true))
}

/// The scopes to ask for: those that are named, else those of the tools that the settings offer (the
/// everyday ones, where they choose none).
fn scopes(settings: &Settings, named: &[String]) -> Result<Vec<String>> {
    let named: Vec<&str> = named.iter().map(|name| name.trim()).filter(|name| !name.is_empty()).collect();
    if let Some(wrong) = named.iter().find(|name| !Scope::ALL.iter().any(|scope| scope.name() == **name)) {
        return Err(Error::Usage {
            problem: format!("there is no scope `{}`", redacted(&crate::error::foreign(wrong))),
            hint: "Scopes are such as file_content:read; `figma-mcp tools NAME` says what a tool needs."
                .to_owned(),
        });
    }
    if named.contains(&Scope::FilesRead.name()) {
        return Err(Error::Usage {
            problem: "files:read is deprecated and asks for far more than is needed".to_owned(),
            hint: "Leave --scopes out, or name those that are needed, such as file_content:read.".to_owned(),
        });
    }
    if !named.is_empty() {
        return Ok(named.into_iter().map(str::to_owned).collect());
    }
    let selection = settings.selection()?;
    let is_open = settings.toolsets.is_empty() && settings.tools.is_empty();
    let is_wanted = |everyday: bool, tool: &Tool| {
        let Some(endpoint) = tool.endpoint() else { return false };
        let says_who = endpoint.scopes.contains(&Scope::CurrentUserRead);
        let is_meant = !is_open || everyday || says_who;
        (says_who || selection.check(tool).is_ok()) && is_meant && endpoint.tokens.contains(&TokenKind::OAuth)
    };
    let mut wanted: Vec<Scope> = Vec::new();
    for set in TOOLSETS {
        for tool in set.tools.iter().filter(|tool| is_wanted(set.everyday, tool)) {
            let scopes = tool.endpoint().map_or(&[][..], |endpoint| endpoint.scopes);
            wanted.extend(scopes.iter().find(|scope| **scope != Scope::FilesRead));
        }
    }
    // In Figma's own order, which is that of the app's settings page.
    Ok(Scope::ALL
        .iter()
        .filter(|scope| wanted.contains(scope))
        .map(|scope| scope.name().to_owned())
        .collect())
}

/// Consent in the browser, then the code for tokens, at once: it is good for 30 seconds.
async fn authorize(settings: &Settings, app: &App, scopes: &[String], args: &OAuthArgs) -> Result<Granted> {
    let endpoints = Endpoints::of(settings.api_base_url.as_deref().unwrap_or(FIGMA_API));
    let code = if args.manual {
        paste(&endpoints, app, scopes).await?
    } else {
        let listener = listen().await?;
        let port = listener.local_addr().map_or(0, |address| address.port());
        let login = Authorization::begin(&endpoints, &app.client_id, scopes, port)?;
        let limit = Duration::from_secs(args.callback_limit);
        tell(&format!(
            "Allow the access in the browser (scopes: {}). If none opens, open this address on this machine:\n{}\nWaiting {} s; declining sends no answer, Ctrl-C ends it.\n",
            scopes.join(" "),
            login.url(),
            limit.as_secs()
        ));
        if !args.no_browser && endpoints.may_open() {
            login.open_browser();
        }
        login.wait(listener, limit).await?
    };
    setup::oauth_server(settings).exchange(app, &code).await
}

async fn paste(endpoints: &Endpoints, app: &App, scopes: &[String]) -> Result<Code> {
    let [port, ..] = PORTS;
    let login = Authorization::begin(endpoints, &app.client_id, scopes, port)?;
    tell(&format!(
        "Open this address in a browser and allow the access:\n{}\nThe browser ends at a page that does not load. Paste its whole address here within 30 s:\n",
        login.url()
    ));
    let read = || {
        let mut text = String::new();
        let failed = |error: io::Error| Error::File { path: "stdin".to_owned(), problem: error.to_string() };
        io::stdin().lock().read_line(&mut text).map_err(failed)?;
        Ok(SecretString::from(text))
    };
    let text = crate::auth::aside(read).await?;
    login.read_pasted(text.expose_secret())
}

fn record(app: &App, granted: Granted) -> Record {
    let life = granted.expires_in.unwrap_or_else(|| longest_life(TokenKind::OAuth).as_secs());
    Record {
        refresh: granted.refresh,
        client_id: Some(app.client_id.clone()),
        issued_at: Some(now()),
        expires_at: Some(now() + life),
        user_id: granted.user_id,
        ..Record::new(TokenKind::OAuth, granted.access)
    }
}
