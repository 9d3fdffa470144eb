//! Whoever calls a tool: which tools that can be is known at once, the secret is fetched when the
//! first call needs it.

use std::{borrow::Cow, fmt, pin::Pin, sync::Arc};

use tokio::sync::Mutex;

use super::{
    Fingerprint, Found, Token,
    abilities::accepted,
    aside, lasting, now,
    profiles::{Expiry, Profile, StoreKind},
    store::Store,
};
use crate::{
    error::{CredentialError, Error, KeyringTrouble, Result},
    table::{Endpoint, TokenKind, Tool},
};

/// How long before its end an OAuth token is replaced, in seconds.
pub const REFRESH_MARGIN: u64 = 24 * 3600;

/// Work that is under way.
pub type Pending<'a, T> = Pin<Box<dyn Future<Output = Result<T>> + Send + 'a>>;

/// Gets a new OAuth token for a profile. It has to be safe against several callers and processes,
/// and against being dropped half-way: run it in a task of its own.
pub trait Refresh: Send + Sync + fmt::Debug {
    /// A token that is not `seen`: one that another process got already, or a new one. `None` where
    /// this login has nothing to refresh with.
    fn refresh<'a>(&'a self, login: &'a Login, seen: &'a Token) -> Pending<'a, Option<Token>>;

    /// Whether this token is so near its end that it should be replaced before it is used.
    fn is_due(&self, token: &Token) -> bool;

    /// Waits until none is under way any more.
    fn settled(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;
}

/// Whoever calls a tool. Cheap to clone: a clone is the same caller.
#[derive(Debug, Clone)]
pub struct Caller {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    source: Source,
    /// The token in use, once one was needed.
    current: Mutex<Option<Token>>,
    fingerprint: Fingerprint,
}

#[derive(Debug)]
enum Source {
    /// Known from the start: the environment, a request's header, the sandbox.
    Fixed(Found),
    /// A login, whose secret is in its store.
    Login(Login),
}

/// A profile and where its secret is.
#[derive(Debug, Clone)]
pub struct Login {
    /// The profile's name.
    pub profile: String,
    /// What is known without the secret.
    pub facts: Profile,
    /// Where the secret is.
    pub store: Arc<dyn Store>,
    /// OAuth: how a new token is got.
    pub refresh: Option<Arc<dyn Refresh>>,
}

impl Login {
    /// Where its tokens say that they come from.
    pub fn origin(&self) -> String {
        format!("profile `{}`", self.profile)
    }

    /// Stands for it on the disk, whatever API it calls; see [`Caller::lasting`].
    pub fn lasting(&self, key: &[u8; 32]) -> [u8; 32] {
        let parts = self.parts();
        lasting(key, &parts.iter().map(|part| &**part).collect::<Vec<_>>())
    }

    /// The profile and the account: another account under the same name is somebody else. Where Figma
    /// does not say whose token it is, each login is.
    fn parts(&self) -> Vec<Cow<'_, str>> {
        let account = self
            .facts
            .user_id
            .as_deref()
            .map_or_else(|| Cow::Owned(format!("login at {}", self.facts.created_at)), Cow::Borrowed);
        vec!["profile".into(), (&*self.profile).into(), self.facts.kind.name().into(), account]
    }

    /// The stored record, fetched beside the asynchronous threads.
    ///
    /// # Errors
    /// Why it cannot be read, or [`CredentialError::Gone`].
    pub async fn load(&self) -> Result<super::record::Record> {
        let login = self.clone();
        aside(move || login.load_here()).await
    }

    /// As [`Login::load`], on this thread, which it blocks.
    ///
    /// # Errors
    /// Why it cannot be read, or [`CredentialError::Gone`].
    pub fn load_here(&self) -> Result<super::record::Record> {
        let found = self.store.load(&self.profile).map_err(|error| match error {
            // It was open once: at the login.
            Error::Credential(CredentialError::Keyring { keyring: KeyringTrouble::Locked, detail })
                if self.facts.store == StoreKind::Keyring =>
            {
                CredentialError::Keyring { keyring: KeyringTrouble::LockedAgain, detail }.into()
            }
            other => other,
        })?;
        found.ok_or_else(|| {
            let place = self.store.place().to_string();
            CredentialError::Gone { profile: self.profile.clone(), place }.into()
        })
    }
}

impl Caller {
    /// With what is known from the start.
    pub fn fixed(found: Found) -> Self {
        let fingerprint = match &found {
            Found::Token(token) => token.fingerprint(),
            Found::None | Found::Broken(_) => Fingerprint::of(&["none"]),
        };
        Self::new(Source::Fixed(found), fingerprint)
    }

    /// With a login's token, which is fetched on the first call.
    pub fn of(login: Login) -> Self {
        // A login stays the same one when its token is replaced.
        let fingerprint = Fingerprint::of(&["profile", &login.profile]);
        Self::new(Source::Login(login), fingerprint)
    }

    fn new(source: Source, fingerprint: Fingerprint) -> Self {
        Self { inner: Arc::new(Inner { source, current: Mutex::default(), fingerprint }) }
    }

    /// What everything that is kept for this credential is kept under.
    pub fn fingerprint(&self) -> &Fingerprint {
        &self.inner.fingerprint
    }

    /// Stands for it in all processes and after a restart, for calls to the API at `api`: what is kept
    /// between calls is kept under this. Without the key it says nothing about a token.
    pub fn lasting(&self, key: &[u8; 32], api: &str) -> [u8; 32] {
        let parts = match &self.inner.source {
            Source::Login(login) => login.parts(),
            Source::Fixed(Found::Token(token)) => token.parts().map(Cow::Borrowed).to_vec(),
            Source::Fixed(_) => vec![Cow::Borrowed("none")],
        };
        let mut parts: Vec<&str> = parts.iter().map(|part| &**part).collect();
        parts.push(api);
        lasting(key, &parts)
    }

    /// The login behind it, if it is one.
    pub fn login(&self) -> Option<&Login> {
        match &self.inner.source {
            Source::Login(login) => Some(login),
            Source::Fixed(_) => None,
        }
    }

    /// Where the token comes from, in words; `None` where there is none.
    pub fn origin(&self) -> Option<String> {
        match &self.inner.source {
            Source::Login(login) => Some(login.origin()),
            Source::Fixed(Found::Token(token)) => Some(token.origin.clone()),
            Source::Fixed(_) => None,
        }
    }

    /// The kind of token, when one is configured: the inner `None` is the sandbox's own, which may do
    /// everything.
    ///
    /// # Errors
    /// Why there is none. A login's store is not looked into.
    pub fn kind(&self) -> Result<Option<TokenKind>> {
        match &self.inner.source {
            Source::Login(login) => Ok(Some(login.facts.kind)),
            Source::Fixed(Found::Token(token)) => Ok(token.kind),
            Source::Fixed(Found::None) => Err(Error::NoToken),
            Source::Fixed(Found::Broken(error)) => Err(error.clone()),
        }
    }

    /// When the token ends, if that is known.
    pub fn expiry(&self) -> Option<Expiry> {
        self.login().and_then(|login| login.facts.expires)
    }

    /// What a person calls the kind of token in use.
    pub fn description(&self) -> &'static str {
        self.kind().ok().flatten().map_or("the sandbox's token", TokenKind::description)
    }

    /// Whether a tool is worth listing: without a credential all are, so that people see what there is.
    pub fn can_call(&self, tool: &Tool) -> bool {
        self.kind().is_err() || tool.endpoint().is_none_or(|endpoint| self.can_call_endpoint(endpoint))
    }

    /// Whether Figma accepts this kind of token at this endpoint.
    pub fn can_call_endpoint(&self, endpoint: &Endpoint) -> bool {
        self.kind().is_ok_and(|kind| kind.is_none_or(|kind| endpoint.tokens.contains(&kind)))
    }

    /// Whether there is a token for this tool; it is not fetched.
    ///
    /// # Errors
    /// Why there is none, or why Figma would never accept it here.
    pub fn check(&self, tool: &'static Tool) -> Result<()> {
        let Some(endpoint) = tool.endpoint() else { return Ok(()) };
        self.kind()?;
        if self.can_call_endpoint(endpoint) {
            return Ok(());
        }
        Err(Error::WrongToken {
            tool: tool.name,
            kind: self.description(),
            accepted: accepted(tool),
            scope: endpoint.scopes.first().map(|scope| scope.name()),
        })
    }

    /// The token to call with: fetched once, then remembered. An OAuth token that is about to end is
    /// replaced first.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn token(&self) -> Result<Token> {
        let login = match &self.inner.source {
            Source::Fixed(Found::Token(token)) => return Ok(token.clone()),
            Source::Fixed(Found::None) => return Err(Error::NoToken),
            Source::Fixed(Found::Broken(error)) => return Err(error.clone()),
            Source::Login(login) => login,
        };
        let mut current = self.inner.current.lock().await;
        let mut token = match current.take() {
            Some(token) => token,
            None => login.load().await?.token(&login.origin())?,
        };
        if let Some(refresh) = login.refresh.as_ref().filter(|refresh| refresh.is_due(&token)) {
            match refresh.refresh(login, &token).await {
                Ok(Some(fresh)) => token = fresh,
                Ok(None) => {}
                // The old one is good for a while yet: Figma says when it is not.
                Err(error) if token.expires_at.is_some_and(|end| now() < end) => {
                    tracing::warn!(%error, "the token could not be replaced before its end");
                }
                Err(error) => return Err(error),
            }
        }
        *current = Some(token.clone());
        Ok(token)
    }

    /// Waits until no token is being replaced any more. What ends the program in the middle of that
    /// would lose the token that Figma has just granted.
    pub async fn settled(&self) {
        if let Some(refresh) = self.login().and_then(|login| login.refresh.as_ref()) {
            refresh.settled().await;
        }
    }

    /// Another token in place of one that Figma refused as dead, for one more attempt: what another
    /// process stored meanwhile, a refreshed OAuth token, or the previous plan token while Figma
    /// accepts both.
    ///
    /// # Errors
    /// Why there is none, where that says more than Figma's refusal.
    pub async fn replaced(&self, dead: &Token) -> Result<Option<Token>> {
        let Source::Login(login) = &self.inner.source else { return Ok(None) };
        let mut current = self.inner.current.lock().await;
        if let Some(token) = current.as_ref().filter(|token| !token.is_same(dead)) {
            return Ok(Some(token.clone()));
        }
        let fresh = if let Some(refresh) = &login.refresh {
            refresh.refresh(login, dead).await?
        } else {
            let origin = login.origin();
            let other = |token: &Token| !token.is_same(dead);
            match login.load().await {
                Ok(record) => (record.token(&origin).ok().filter(other))
                    .or_else(|| record.previous_token(&origin).filter(other)),
                Err(error) => {
                    // Figma's refusal says more than that there is nothing to replace it with.
                    tracing::warn!(%error, "no other token can be looked for");
                    None
                }
            }
        };
        if let Some(token) = &fresh {
            *current = Some(token.clone());
        }
        Ok(fresh)
    }
}

#[cfg(test)]
mod tests {
    use secrecy::SecretString;

    use super::*;
    use crate::auth::{
        record::{Previous, Record},
        store::Memory,
    };

    fn login(kind: TokenKind, store: Arc<dyn Store>) -> Login {
        let facts = Profile {
            kind,
            store: StoreKind::File,
            created_at: 0,
            expires: None,
            handle: None,
            user_id: None,
            team_id: None,
            oauth: None,
        };
        Login { profile: "default".to_owned(), facts, store, refresh: None }
    }

    fn record(kind: TokenKind, access: &str) -> Record {
        Record::new(kind, SecretString::from(access))
    }

    #[tokio::test]
    async fn a_rotated_plan_token_falls_back_to_the_one_before_once() {
        let store = Arc::new(Memory::default());
        let previous = Previous { access: SecretString::from("old"), until: now() + 60 };
        let kept = Record { previous: Some(previous), ..record(TokenKind::Plan, "new") };
        store.save("default", &kept).unwrap();
        let caller = Caller::of(login(TokenKind::Plan, store));
        let new = caller.token().await.unwrap();
        let old = caller.replaced(&new).await.unwrap().unwrap();
        assert!(!old.is_same(&new));
        assert!(caller.token().await.unwrap().is_same(&old));
    }

    #[tokio::test]
    async fn a_token_that_was_replaced_in_the_store_is_taken_up() {
        let store = Arc::new(Memory::default());
        store.save("default", &record(TokenKind::Personal, "one")).unwrap();
        let caller = Caller::of(login(TokenKind::Personal, store.clone()));
        let one = caller.token().await.unwrap();
        assert!(caller.replaced(&one).await.unwrap().is_none());
        store.save("default", &record(TokenKind::Personal, "two")).unwrap();
        assert!(!caller.replaced(&one).await.unwrap().unwrap().is_same(&one));
    }

    #[tokio::test]
    async fn a_record_that_is_gone_is_told() {
        let caller = Caller::of(login(TokenKind::Personal, Arc::new(Memory::default())));
        assert!(caller.can_call(crate::table::find("figma_me_get").unwrap()));
        assert_eq!(caller.token().await.unwrap_err().kind(), "token_gone");
    }
}
