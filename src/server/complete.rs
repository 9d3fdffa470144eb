//! Completion of the arguments of prompts and of resources' addresses, from files that are held.

use rmcp::{
    ErrorData,
    model::{CompleteRequestParams, CompleteResult, CompletionInfo, Reference},
};

use super::{
    Server,
    prompts::{self, Values},
    resources,
};
use crate::{dispatch::suggest, table::figma_url::FigmaUrl};

impl Server {
    /// What the argument may become. Nothing is fetched for it.
    pub(super) async fn completed(
        &self,
        request: &CompleteRequestParams,
    ) -> Result<CompleteResult, ErrorData> {
        let (name, typed) = (request.argument.name.as_str(), request.argument.value.as_str());
        let known = |name: &str| {
            let context = request.context.as_ref();
            context.and_then(|context| context.get_argument(name)).map_or("", String::as_str)
        };
        let values = values_of(&request.r#ref, name)?;
        let found = match values {
            Values::File => suggest::files(&self.app, &self.caller, typed).await,
            Values::Node => {
                suggest::nodes(&self.app, &self.caller, &file_key(known("file_key")), typed).await
            }
            Values::Page => {
                suggest::pages(&self.app, &self.caller, &file_key(known("file_key")), typed).await
            }
            Values::One(words) | Values::Any(words) => {
                let begins = |word: &&&str| word.to_lowercase().starts_with(&typed.to_lowercase());
                words.iter().filter(begins).map(|word| (*word).to_owned()).collect()
            }
        };
        let total = u32::try_from(found.len()).ok();
        let is_more = found.len() > CompletionInfo::MAX_VALUES;
        let shown = found.into_iter().take(CompletionInfo::MAX_VALUES).collect();
        let info = CompletionInfo::with_pagination(shown, total, is_more)
            .map_err(|problem| ErrorData::internal_error(problem, None))?;
        Ok(CompleteResult::new(info))
    }
}

/// What the argument of this name can be.
fn values_of(reference: &Reference, name: &str) -> Result<Values, ErrorData> {
    let found = match reference {
        Reference::Prompt(prompt) => prompts::find(&prompt.name)
            .and_then(|row| row.arguments.iter().find(|argument| argument.name == name))
            .map(|argument| argument.values),
        Reference::Resource(resource) => resources::values_of(&resource.uri, name),
        _ => None,
    };
    found.ok_or_else(|| {
        let problem = "there is no prompt or resource template with this argument";
        ErrorData::invalid_params(problem, None)
    })
}

/// The key in what is known to be a key or an address.
fn file_key(text: &str) -> String {
    let address = FigmaUrl::parse(text).and_then(Result::ok);
    address
        .and_then(|address| address.readable_key().map(str::to_owned))
        .unwrap_or_else(|| text.trim().to_owned())
}
