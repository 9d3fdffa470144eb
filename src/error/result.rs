//! What can go wrong with results that are kept and with the questions that are asked about them.

use super::Next;

/// A situation of `figma_result_query`, of a result's pages or of a filter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ResultError {
    /// A filter is malformed, fails, does not end or takes too much.
    #[error("the filter {problem}")]
    Filter {
        /// The rest of the sentence.
        problem: String,
        /// What to write instead.
        next: String,
    },
    /// No such result is kept for this caller.
    #[error("no result `{id}` is kept")]
    Gone {
        /// As it was asked for.
        id: String,
    },
    /// The offset lies behind the end.
    #[error("there is nothing at offset {offset}: {holds}")]
    BehindEnd {
        /// As it was asked for.
        offset: u64,
        /// What there is: `the list has 12 items`.
        holds: String,
    },
    /// A question that only JSON can answer, about a text.
    #[error("result `{id}` is text, and a filter reads JSON")]
    IsText {
        /// The result.
        id: String,
    },
}

impl ResultError {
    /// A word for the situation that never changes.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Filter { .. } => "bad_filter",
            Self::Gone { .. } => "result_gone",
            Self::BehindEnd { .. } => "behind_end",
            Self::IsText { .. } => "result_is_text",
        }
    }

    /// Why it happened, where that is not plain.
    #[must_use]
    pub fn why(&self) -> Option<String> {
        match self {
            Self::Gone { .. } => Some(
                "results are kept for whoever asked for them, and only the latest; the others make room"
                    .to_owned(),
            ),
            _ => None,
        }
    }

    /// What to do next.
    #[must_use]
    pub fn next(&self) -> Next {
        Next::Do(match self {
            Self::Filter { next, .. } => next.clone(),
            Self::Gone { .. } => "Call `figma_result_query` with `tool` and `arguments` in place of `result_id`, or call that tool again.".to_owned(),
            Self::BehindEnd { .. } => "Everything before was the rest: there is no further page.".to_owned(),
            Self::IsText { .. } => "Page through its lines with `offset` and `limit`, without `filter`.".to_owned(),
        })
    }
}
