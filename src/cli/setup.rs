//! From settings to what serves calls: which Figma, which token, which tools.

use std::{path::PathBuf, sync::Arc};

use secrecy::SecretString;

use super::tell;
use crate::{
    auth::{
        Caller, Found, Login, Refresh, Token,
        oauth::{Endpoints, exchange::OAuthServer, refresh::Refresher},
        profiles::{Profile, Profiles},
        time,
    },
    dispatch::{App, ImageDir, Network, Store},
    error::{Error, Result, TokenProblem},
    sandbox::{self, Sandbox},
    settings::{CLIENT_SECRET_VARIABLE, FIGMA_API, Settings, TOKEN_KIND_VARIABLE, TOKEN_VARIABLES, variable},
    table::{TokenKind, args::Defaults},
};

/// What serves calls.
pub(super) struct Setup {
    pub(super) app: Arc<App>,
    pub(super) caller: Arc<Caller>,
    /// Runs for as long as it is held.
    sandbox: Option<Sandbox>,
}

impl Setup {
    /// For answers that people and scripts get: whole, however large.
    pub(super) async fn new(settings: &Settings) -> Result<Self> {
        Self::with_ceiling(settings, None).await
    }

    /// For answers that models get.
    pub(super) async fn for_models(settings: &Settings) -> Result<Self> {
        Self::with_ceiling(settings, Some(settings.max_result_bytes)).await
    }

    async fn with_ceiling(settings: &Settings, ceiling: Option<usize>) -> Result<Self> {
        let sandbox = if settings.sandbox {
            Some(Sandbox::start_scaled(settings.sandbox_folder(), settings.sandbox_size()?).await?)
        } else {
            None
        };
        let base_url = match &sandbox {
            Some(sandbox) => sandbox.base_url(),
            None => settings.api_base_url.clone().unwrap_or_else(|| FIGMA_API.to_owned()),
        };
        let caller = caller(settings);
        let app =
            App::new(base_url, settings.call_limit(), settings.selection()?, defaults(settings, &caller));
        let mut app = app.with_network(network(settings)).with_store(store(settings));
        app = app.with_room(settings.max_result_bytes);
        app.names = settings.name_sets()?;
        app.image_dir = settings.image_dir.as_ref().map(|folder| ImageDir::new(PathBuf::from(folder)));
        if let Some(bytes) = ceiling {
            app = app.with_ceiling(bytes);
        }
        Ok(Self { app: Arc::new(app), caller: Arc::new(caller), sandbox })
    }

    /// Says on stderr that the token ends soon.
    pub(super) fn tell_expiry(&self) {
        let profile = self.caller.login().map_or("default", |login| &login.profile);
        if let Some(warning) = time::warning(self.caller.expiry(), profile) {
            tell(&format!("figma-mcp: {warning}\n"));
        }
    }

    /// Says on stderr where the answers come from, where that is not Figma.
    pub(super) fn tell_origin(&self) {
        if let Some(sandbox) = &self.sandbox {
            tell(&format!(
                "figma-mcp: the sandbox, an embedded fake Figma, answers at {}\n",
                sandbox.base_url()
            ));
        }
    }
}

/// What is kept between calls: in the cache folder, or in memory. Each start of the sandbox is another
/// Figma, of which nothing needs to be known later.
pub(super) fn store(settings: &Settings) -> Store {
    if settings.sandbox || settings.cache.no_cache {
        return Store::in_memory();
    }
    match settings.cache.dir() {
        Ok(folder) => Store::at(folder, settings.cache.cache_size),
        Err(error) => {
            tracing::warn!(%error, "nothing is kept between runs");
            Store::in_memory()
        }
    }
}

/// Whoever calls from this process: with the environment's token, else with that of the login that is
/// meant. In the sandbox only a login that was named counts: a real token is never sent there unasked.
pub(super) fn caller(settings: &Settings) -> Caller {
    let from_environment = match (settings.sandbox, &settings.profile) {
        (true, None) => sandbox_token(),
        (true, Some(_)) => Found::None,
        (false, _) => environment_token(),
    };
    match from_environment {
        Found::None => login(settings).map_or_else(
            |error| Caller::fixed(Found::Broken(error)),
            |login| login.map_or_else(|| Caller::fixed(Found::None), Caller::of),
        ),
        found => Caller::fixed(found),
    }
}

/// The login that is meant, if there is one. A name that nobody logged in under is an error; no
/// login at all is none.
pub(super) fn login(settings: &Settings) -> Result<Option<Login>> {
    let profiles = Profiles::new(settings.config_dir()?);
    let known = profiles.read()?;
    let name = known.chosen(settings.profile.as_deref())?;
    match known.get(&name) {
        Ok(facts) => Ok(Some(Login {
            store: profiles.store(facts.store, false),
            facts: facts.clone(),
            profile: name,
            refresh: refresher(settings, &profiles, facts),
        })),
        Err(_) if settings.profile.is_none() => Ok(None),
        Err(error) => Err(error),
    }
}

/// What replaces the tokens of a login with OAuth. A sandbox of this process's own knows none of them.
fn refresher(settings: &Settings, profiles: &Profiles, facts: &Profile) -> Option<Arc<dyn Refresh>> {
    if settings.sandbox || facts.oauth.is_none() {
        return None;
    }
    let secret = variable(CLIENT_SECRET_VARIABLE).map(SecretString::from);
    Some(Arc::new(Refresher::new(profiles.clone(), oauth_server(settings), secret)))
}

/// The OAuth server of the API that the settings name.
pub(super) fn oauth_server(settings: &Settings) -> OAuthServer {
    let base_url = settings.api_base_url.clone().unwrap_or_else(|| FIGMA_API.to_owned());
    let (endpoints, network) = (Endpoints::of(&base_url), network(settings));
    OAuthServer::new(endpoints, Box::new(move || network.client(&base_url)))
}

/// How requests leave this machine.
fn network(settings: &Settings) -> Network {
    Network { proxy: settings.proxy.clone(), ca_file: settings.ca_file.as_deref().map(PathBuf::from) }
}

/// What stands in for arguments that are not given: the settings', then the login's.
pub(super) fn defaults(settings: &Settings, caller: &Caller) -> Defaults {
    let mut defaults = settings.defaults();
    if defaults.team_id.is_none() {
        defaults.team_id = caller.login().and_then(|login| login.facts.team_id.clone());
    }
    defaults
}

/// The first token in the environment.
pub(super) fn environment_token() -> Found {
    let mut said = None;
    if let Some(text) = variable(TOKEN_KIND_VARIABLE) {
        said = TokenKind::ALL.into_iter().find(|kind| kind.name() == text.to_ascii_lowercase());
        if said.is_none() {
            return Found::Broken(Error::BrokenToken {
                origin: TOKEN_KIND_VARIABLE.to_owned(),
                problem: TokenProblem::Kind,
            });
        }
    }
    Found::from_variables(TOKEN_VARIABLES.iter().filter_map(|token| {
        let kind = said.filter(|_| token.kind_can_change).unwrap_or(token.kind);
        Some((token.name, kind, variable(token.name)?))
    }))
}

/// One of the tokens that the sandbox knows, if the environment names one. A real token is never sent
/// there.
fn sandbox_token() -> Found {
    let named = TOKEN_VARIABLES.iter().find_map(|token| {
        let value = variable(token.name)?;
        sandbox::TOKENS.iter().find(|known| known.secret == value)
    });
    let (kind, secret) = named.map_or((None, sandbox::DEFAULT_TOKEN), |known| (known.kind, known.secret));
    Token::new(kind, secret, "the sandbox").map_or_else(Found::Broken, Found::Token)
}
