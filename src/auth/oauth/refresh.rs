//! Replacing an access token, which several callers and processes may want at once.
//!
//! Figma keeps one live access token a person and app: each refresh kills the one before. So a refresh
//! is a transaction: in turn within this process, under the profile's file lock, the record read
//! again, compared with the token that was refused, and only then Figma asked; the answer is stored
//! before it is used. It runs in a task of its own, which a caller that goes away does not end. What
//! is killed half-way is repeated by the next: the refresh token stays good.

use std::{
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use secrecy::SecretString;
use tokio_util::task::TaskTracker;

use super::{
    App,
    exchange::{Granted, OAuthServer, Refreshed},
    margin, random,
};
use crate::{
    auth::{
        Login, Pending, Refresh, Token, aside, now,
        profiles::{Expiry, ExpirySource, OAuthFacts, Profiles, longest_life},
        record::Record,
        store::EntryName,
    },
    error::{Error, OAuthError, Result},
    table::TokenKind,
};

/// How long another process may hold the lock: longer than its request to Figma can take.
const LOCK_LIMIT: Duration = Duration::from_secs(30);
/// How long the unplanned refreshes are remembered, in seconds.
const MEMORY: u64 = 3600;
/// How many unplanned refreshes there may be within that time.
const MOST_UNPLANNED: usize = 3;
/// The first pause after a failure; it doubles up to the longest.
const FIRST_PAUSE: Duration = Duration::from_secs(5);
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// Replaces the tokens of one login. Whoever shares it takes turns.
#[derive(Debug, Clone)]
pub struct Refresher(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    profiles: Profiles,
    server: OAuthServer,
    /// The app's secret from the environment; else it is in the login's store.
    client_secret: Option<SecretString>,
    /// Between 0.9 and 1.1, so that processes do not all think of it at the same moment.
    jitter: f64,
    /// The refreshes under way.
    tasks: TaskTracker,
    turn: tokio::sync::Mutex<()>,
    trouble: Mutex<Option<Trouble>>,
}

/// The last failure: until then it is not tried again.
#[derive(Debug, Clone)]
struct Trouble {
    error: Error,
    until: Instant,
    pause: Duration,
}

impl Refresher {
    /// For a login that is described in these profiles.
    pub fn new(profiles: Profiles, server: OAuthServer, client_secret: Option<SecretString>) -> Self {
        // Without randomness the processes are in step, which the lock can bear.
        let share = random::<1>().map_or(0.5, |[byte]| f64::from(byte) / 255.0);
        Self(Arc::new(Inner {
            profiles,
            server,
            client_secret,
            jitter: 0.9 + 0.2 * share,
            tasks: TaskTracker::new(),
            turn: tokio::sync::Mutex::default(),
            trouble: Mutex::default(),
        }))
    }
}

impl Refresh for Refresher {
    fn refresh<'a>(&'a self, login: &'a Login, seen: &'a Token) -> Pending<'a, Option<Token>> {
        let (inner, login, seen) = (self.0.clone(), login.clone(), seen.clone());
        Box::pin(async move {
            let tasks = inner.tasks.clone();
            let task = tasks.spawn(async move { inner.run(&login, &seen).await });
            let broke_off = || Error::Bug { problem: "a refresh broke off".to_owned() };
            task.await.unwrap_or_else(|_| Err(broke_off()))
        })
    }

    fn is_due(&self, token: &Token) -> bool {
        self.0.is_due(token) && self.0.pause().is_none()
    }

    fn settled(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        self.0.tasks.close();
        Box::pin(self.0.tasks.wait())
    }
}

impl Inner {
    fn is_due(&self, token: &Token) -> bool {
        token.expires_at.is_some_and(|end| {
            let margin = Duration::from_secs(margin(token.issued_at, end)).mul_f64(self.jitter);
            now() + margin.as_secs() >= end
        })
    }

    fn trouble(&self) -> std::sync::MutexGuard<'_, Option<Trouble>> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Why it is not tried just now.
    fn pause(&self) -> Option<Error> {
        self.trouble().as_ref().filter(|last| Instant::now() < last.until).map(|last| last.error.clone())
    }

    async fn run(&self, login: &Login, seen: &Token) -> Result<Option<Token>> {
        let _turn = self.turn.lock().await;
        let (profiles, profile) = (self.profiles.clone(), login.profile.clone());
        let _lock = aside(move || profiles.lock(&profile, LOCK_LIMIT)).await?;
        let record = login.load().await?;
        let stored = record.token(&login.origin())?;
        if !stored.is_same(seen) {
            // Somebody was faster.
            *self.trouble() = None;
            return Ok(Some(stored));
        }
        let Some(refresh) = record.refresh.clone() else { return Ok(None) };
        if let Some(error) = self.pause() {
            return Err(error);
        }
        let outcome = self.replace(login, record, &stored, &refresh).await;
        self.remember(&outcome);
        outcome.map(Some)
    }

    /// After a failure there is a pause, longer each time; one that only a person can end lasts.
    fn remember(&self, outcome: &Result<Token>) {
        let mut trouble = self.trouble();
        *trouble = outcome.as_ref().err().map(|error| {
            let pause = match (error, trouble.as_ref()) {
                (Error::OAuth(OAuthError::Revoked { .. }), _) => LONGEST_PAUSE,
                (_, Some(last)) => (last.pause * 2).min(LONGEST_PAUSE),
                (_, None) => FIRST_PAUSE,
            };
            Trouble { error: error.clone(), until: Instant::now() + pause, pause }
        });
    }

    async fn replace(
        &self,
        login: &Login,
        record: Record,
        stored: &Token,
        refresh: &SecretString,
    ) -> Result<Token> {
        let profile = &login.profile;
        let facts = self.facts(profile).await?;
        let revoked = |message| Error::from(OAuthError::Revoked { profile: profile.clone(), message });
        if facts.revoked {
            return Err(revoked(String::new()));
        }
        let is_planned = self.is_due(stored);
        let unplanned = recent(&facts.unplanned);
        if !is_planned && unplanned.len() >= MOST_UNPLANNED {
            let times = unplanned.len() + 1;
            return Err(OAuthError::Contended { profile: profile.clone(), times }.into());
        }
        let app = self.app(login, &record).await?;
        match self.server.refresh(&app, refresh).await? {
            Refreshed::Granted(granted) => {
                let record = renewed(record, granted);
                self.save(login, record.clone()).await?;
                self.note(profile, &record, is_planned).await;
                tracing::info!(profile, is_planned, generation = record.generation, "the token was replaced");
                record.token(&login.origin())
            }
            Refreshed::Refused(message) => {
                // The record stays: it is the person's to delete, and the refusal may be a mistake.
                self.update(profile, |facts| facts.revoked = true).await;
                Err(revoked(message))
            }
        }
    }

    /// What is written down of this login, as it is now.
    async fn facts(&self, profile: &str) -> Result<OAuthFacts> {
        let (profiles, profile) = (self.profiles.clone(), profile.to_owned());
        aside(move || Ok(profiles.read()?.get(&profile)?.oauth.clone().unwrap_or_default())).await
    }

    async fn app(&self, login: &Login, record: &Record) -> Result<App> {
        let missing = || OAuthError::NoSecret { profile: Some(login.profile.clone()) };
        let client_id = record.client_id.clone().ok_or_else(missing)?;
        let client_secret = if let Some(secret) = &self.client_secret {
            secret.clone()
        } else {
            let (store, entry) = (login.store.clone(), EntryName::client_secret(&login.profile));
            aside(move || store.read(&entry)).await?.ok_or_else(missing)?
        };
        Ok(App { client_id, client_secret })
    }

    async fn save(&self, login: &Login, record: Record) -> Result<()> {
        let (store, profile) = (login.store.clone(), login.profile.clone());
        aside(move || store.save(&profile, &record)).await
    }

    /// Writes down when the new token ends. It is stored and good, whatever becomes of this.
    async fn note(&self, profile: &str, record: &Record, is_planned: bool) {
        let (expires_at, issued_at) = (record.expires_at, record.issued_at);
        let (profiles, name) = (self.profiles.clone(), profile.to_owned());
        let noted = aside(move || {
            profiles.update(|facts| {
                let Some(profile) = facts.profiles.get_mut(&name) else { return Ok(()) };
                profile.expires = expires_at.map(|at| Expiry { at, from: ExpirySource::OAuth });
                if let Some(oauth) = &mut profile.oauth {
                    oauth.refreshed_at = issued_at;
                    oauth.revoked = false;
                    oauth.unplanned = recent(&oauth.unplanned);
                    oauth.unplanned.extend((!is_planned).then(now));
                }
                Ok(())
            })
        });
        tell(noted.await);
    }

    async fn update(&self, profile: &str, change: impl FnOnce(&mut OAuthFacts) + Send + 'static) {
        let (profiles, name) = (self.profiles.clone(), profile.to_owned());
        let noted = aside(move || {
            profiles.update(|facts| {
                if let Some(oauth) = facts.profiles.get_mut(&name).and_then(|it| it.oauth.as_mut()) {
                    change(oauth);
                }
                Ok(())
            })
        });
        tell(noted.await);
    }
}

fn tell(noted: Result<()>) {
    if let Err(error) = noted {
        tracing::warn!(%error, "what is known of the login could not be written down");
    }
}

/// Those within the last hour.
fn recent(times: &[u64]) -> Vec<u64> {
    let since = now().saturating_sub(MEMORY);
    times.iter().copied().filter(|time| *time > since).collect()
}

/// The record with the new token; the old refresh token stays where no new one came.
fn renewed(record: Record, granted: Granted) -> Record {
    let life = granted.expires_in.unwrap_or_else(|| longest_life(TokenKind::OAuth).as_secs());
    Record {
        access: granted.access,
        refresh: granted.refresh.or(record.refresh),
        issued_at: Some(now()),
        expires_at: Some(now() + life),
        generation: record.generation + 1,
        ..record
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    fn granted(refresh: Option<&str>) -> Granted {
        let refresh = refresh.map(SecretString::from);
        Granted { access: SecretString::from("new"), refresh, expires_in: None, user_id: None }
    }

    #[test]
    fn the_refresh_token_is_kept_unless_a_new_one_comes() {
        let old = Record {
            refresh: Some(SecretString::from("first")),
            ..Record::new(TokenKind::OAuth, SecretString::from("old"))
        };
        let kept = renewed(old.clone(), granted(None));
        assert_eq!(kept.refresh.unwrap().expose_secret(), "first");
        assert_eq!(kept.access.expose_secret(), "new");
        assert_eq!(kept.generation, 1);
        assert!(kept.expires_at.unwrap() > now() + 89 * 86_400);
        assert_eq!(renewed(old, granted(Some("second"))).refresh.unwrap().expose_secret(), "second");
    }

    #[test]
    fn an_hour_is_remembered() {
        assert_eq!(recent(&[1, now() - 3601, now() - 10]).len(), 1);
    }
}
