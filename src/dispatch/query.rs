//! `figma_result_query`: a question about a result that is kept, or about a fresh one. One call to Figma
//! at the most, and none while the result is kept.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{
    App,
    ceiling::{self, ROOT},
    present::{self, QUERY, Question, aside, notes_limit, shorten, shorten_lines},
    results::{Body, Kept},
};
use crate::{
    auth::Caller,
    error::{Error, Result, ResultError},
    filter::Job,
    rest::response::{Form, Output},
    table::args::Args,
};

/// The tools that this call runs beside itself.
pub(super) fn inner_tool<'a>(name: &str, given: &'a Args) -> Option<&'a str> {
    (name == QUERY).then(|| given.get("tool")?.as_str()).flatten()
}

/// Answers one question.
pub(super) async fn query(app: &Arc<App>, caller: &Arc<Caller>, args: &Args) -> Result<Output> {
    let text = |name: &str| args.get(name).and_then(Value::as_str);
    let number = |name: &str| args.get(name).and_then(Value::as_u64).and_then(|n| usize::try_from(n).ok());
    let (kept, mut notes) = match text("result_id") {
        Some(id) => (app.results.find(caller.fingerprint(), id.trim()).await?, Vec::new()),
        None => (None, Vec::new()).into_kept(app, caller, args).await?,
    };
    todo!()
}
