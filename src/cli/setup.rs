//! From settings to what serves calls: which Figma, which token, which tools.

use std::sync::Arc;

use super::tell;
use crate::{
    auth::{Caller, Found, Token},
    dispatch::App,
    error::{Error, Result},
    sandbox::{self, Sandbox},
    settings::{FIGMA_API, Settings, TOKEN_KIND_VARIABLE, TOKEN_VARIABLES, variable},
    table::TokenKind,
};

/// What serves calls.
pub(super) struct Setup {
    pub(super) app: Arc<App>,
    pub(super) caller: Arc<Caller>,
    /// Runs for as long as it is held.
    sandbox: Option<Sandbox>,
}

impl Setup {
    pub(super) async fn new(settings: &Settings) -> Result<Self> {
        let sandbox =
            if settings.sandbox { Some(Sandbox::start(settings.sandbox_folder()).await?) } else { None };
        let base_url = match &sandbox {
            Some(sandbox) => sandbox.base_url(),
            None => settings.api_base_url.clone().unwrap_or_else(|| FIGMA_API.to_owned()),
        };
        let app = App::new(base_url, settings.call_limit(), settings.selection()?, settings.defaults());
        Ok(Self { app: Arc::new(app), caller: Arc::new(caller(settings)), sandbox })
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

/// Whoever calls from this process: with the sandbox's own token there, else with the environment's.
pub(super) fn caller(settings: &Settings) -> Caller {
    Caller { found: if settings.sandbox { sandbox_token() } else { environment_token() } }
}

fn environment_token() -> Found {
    let mut said = None;
    if let Some(text) = variable(TOKEN_KIND_VARIABLE) {
        said = TokenKind::ALL.into_iter().find(|kind| kind.name() == text.to_ascii_lowercase());
        if said.is_none() {
            return Found::Broken(Error::BrokenToken {
                origin: TOKEN_KIND_VARIABLE.to_owned(),
                problem: "its kind must be personal, plan or oauth".to_owned(),
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
