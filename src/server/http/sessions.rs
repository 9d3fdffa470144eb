//! Sessions of Streamable HTTP: a bounded number, each bound to whoever opened it. A session's id is
//! no proof of anything.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, atomic::Ordering},
};

use futures_util::Stream;
use rmcp::{
    model::{ClientJsonRpcMessage, ServerJsonRpcMessage},
    transport::{
        common::server_side_http::{ServerSseMessage, SessionId},
        streamable_http_server::session::{
            SessionManager,
            local::{LocalSessionManager, LocalSessionManagerError, SessionError},
        },
    },
};

use super::{Metrics, visit::VISIT};
use crate::auth::Fingerprint;

/// How many sessions are open at once.
const MOST_SESSIONS: usize = 256;
/// How many of them one caller has: the others find room too.
const MOST_OF_ONE: usize = 192;

type Owners = HashMap<SessionId, Fingerprint>;

fn has_room(owners: &Owners, caller: &Fingerprint) -> bool {
    let of_one = || owners.values().filter(|owner| *owner == caller).count();
    owners.len() < MOST_SESSIONS && (owners.len() < MOST_OF_ONE || of_one() < MOST_OF_ONE)
}

/// The open sessions.
pub(super) struct Sessions {
    /// Whether there are any at all.
    pub(super) are_on: bool,
    inner: LocalSessionManager,
    owners: Mutex<Owners>,
    metrics: Arc<Metrics>,
}

impl Sessions {
    pub(super) fn new(are_on: bool, metrics: Arc<Metrics>) -> Self {
        Self { are_on, inner: LocalSessionManager::default(), owners: Mutex::default(), metrics }
    }

    /// Whether the present request may use it. The library's own tasks, which belong to no request, may.
    fn is_for(&self, id: &SessionId) -> bool {
        let owners = self.owners.lock().unwrap_or_else(PoisonError::into_inner);
        VISIT.try_with(|visit| owners.get(id) == Some(visit.identity())).unwrap_or(true)
    }

    fn check(&self, id: &SessionId) -> Result<(), LocalSessionManagerError> {
        if self.is_for(id) { Ok(()) } else { Err(LocalSessionManagerError::SessionNotFound(id.clone())) }
    }

    /// Forgets the owner. Sessions that end by themselves come through here too.
    fn forget(&self, id: &SessionId) {
        let mut owners = self.owners.lock().unwrap_or_else(PoisonError::into_inner);
        if owners.remove(id).is_some() {
            self.metrics.sessions.dec();
        }
    }
}

impl SessionManager for Sessions {
    type Error = LocalSessionManagerError;
    type Transport = <LocalSessionManager as SessionManager>::Transport;

    async fn create_session(&self) -> Result<(SessionId, Self::Transport), Self::Error> {
        let no_room = || {
            let _ = VISIT.try_with(|visit| visit.found_no_room.store(true, Ordering::Relaxed));
            LocalSessionManagerError::SessionError(SessionError::SessionServiceTerminated)
        };
        let identity = VISIT.try_with(|visit| visit.identity().clone()).map_err(|_| no_room())?;
        if !has_room(&self.owners.lock().unwrap_or_else(PoisonError::into_inner), &identity) {
            return Err(no_room());
        }
        let (id, transport) = self.inner.create_session().await?;
        let is_over = {
            let mut owners = self.owners.lock().unwrap_or_else(PoisonError::into_inner);
            let is_over = !has_room(&owners, &identity);
            if !is_over {
                owners.insert(id.clone(), identity);
                self.metrics.sessions.inc();
            }
            is_over
        };
        if is_over {
            self.inner.close_session(&id).await?;
            return Err(no_room());
        }
        Ok((id, transport))
    }

    async fn initialize_session(
        &self,
        id: &SessionId,
        message: ClientJsonRpcMessage,
    ) -> Result<ServerJsonRpcMessage, Self::Error> {
        self.inner.initialize_session(id, message).await
    }

    async fn has_session(&self, id: &SessionId) -> Result<bool, Self::Error> {
        Ok(self.is_for(id) && self.inner.has_session(id).await?)
    }

    async fn close_session(&self, id: &SessionId) -> Result<(), Self::Error> {
        self.check(id)?;
        self.forget(id);
        self.inner.close_session(id).await
    }

    async fn create_stream(
        &self,
        id: &SessionId,
        message: ClientJsonRpcMessage,
    ) -> Result<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static, Self::Error> {
        self.check(id)?;
        self.inner.create_stream(id, message).await
    }

    async fn accept_message(&self, id: &SessionId, message: ClientJsonRpcMessage) -> Result<(), Self::Error> {
        self.check(id)?;
        self.inner.accept_message(id, message).await
    }

    async fn create_standalone_stream(
        &self,
        id: &SessionId,
    ) -> Result<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static, Self::Error> {
        self.check(id)?;
        self.inner.create_standalone_stream(id).await
    }

    async fn resume(
        &self,
        id: &SessionId,
        last_event_id: String,
    ) -> Result<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static, Self::Error> {
        self.check(id)?;
        self.inner.resume(id, last_event_id).await
    }
}
