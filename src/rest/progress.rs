//! What a long call is at, for whoever waits for it.

use std::sync::{Arc, Mutex, PoisonError};

tokio::task_local! {
    static PROGRESS: Progress;
}

/// What was told last of one call.
#[derive(Debug, Clone, Default)]
pub struct Progress(Arc<Mutex<Option<String>>>);

impl Progress {
    /// Runs a call whose steps tell of themselves here.
    pub async fn watch<T>(&self, call: impl Future<Output = T>) -> T {
        PROGRESS.scope(self.clone(), call).await
    }

    /// What the call is at.
    #[must_use]
    pub fn told(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Tells whoever watches the present call, if anybody does, what it is at.
pub(super) fn tell(what: impl FnOnce() -> String) {
    // Nobody watches a call from the command line.
    let _ = PROGRESS.try_with(|progress| {
        *progress.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(what());
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_told_last_is_known() {
        let progress = Progress::default();
        tell(|| "nobody watches".to_owned());
        assert_eq!(progress.told(), None);
        let watched = progress.watch(async {
            tell(|| "page 1".to_owned());
            tell(|| "page 2".to_owned());
        });
        watched.await;
        assert_eq!(progress.told().as_deref(), Some("page 2"));
    }
}
