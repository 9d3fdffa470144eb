//! Resources: what a client can read by its address, without a tool. A kind of resource is a row.

use std::borrow::Cow;

use rmcp::{
    ErrorData,
    model::{
        CacheScope, ListResourceTemplatesResult, ListResourcesResult, MetaObject, PaginatedRequestParams,
        ReadResourceResult, Resource, ResourceContents, ResourceTemplate,
    },
};
use serde_json::{Value, json};

use super::{LIST_LIFETIME_MS, Server, result::PREFIX};
use crate::{
    dispatch::{self, Form},
    error::Error,
};

/// How long a client may keep what it read: a result never changes, but it can be gone.
const READ_LIFETIME_MS: u64 = 5_000;
/// How many resources are listed, the latest first.
const MOST_LISTED: usize = 50;

/// A kind of resource.
struct Kind {
    /// RFC 6570, as it is listed.
    template: &'static str,
    name: &'static str,
    title: &'static str,
    description: &'static str,
    /// What every address of this kind begins with.
    prefix: &'static str,
    source: Source,
}

/// Where a resource comes from.
#[derive(Clone, Copy)]
enum Source {
    /// A result that was too large to be shown.
    Result,
}

const KINDS: &[Kind] = &[Kind {
    template: "figma://results/{id}{?offset}",
    name: "result",
    title: "A large result",
    description: "A result that was too large to show, in pages of bytes; `_meta` has the offset of the next page.",
    prefix: "figma://results/",
    source: Source::Result,
}];

impl Server {
    pub(super) fn resource_templates(
        request: Option<&PaginatedRequestParams>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        one_page(request)?;
        let templates = KINDS.iter().map(|kind| {
            ResourceTemplate::new(kind.template, kind.name)
                .with_title(kind.title)
                .with_description(kind.description)
        });
        Ok(ListResourceTemplatesResult::with_all_items(templates.collect())
            .with_ttl_ms(LIST_LIFETIME_MS)
            .with_cache_scope(CacheScope::Public))
    }

    /// What this caller can read right now: the latest results.
    pub(super) async fn resources(
        &self,
        request: Option<&PaginatedRequestParams>,
    ) -> Result<ListResourcesResult, ErrorData> {
        one_page(request)?;
        let kept = self.app.all_kept(&self.caller).await;
        let resources = kept.into_iter().take(MOST_LISTED).map(|kept| {
            Resource::new(format!("figma://results/{}", kept.id), format!("{} {}", kept.tool, kept.id))
                .with_title(format!("Result of {}", kept.tool))
                .with_mime_type(mime(kept.form))
                .with_size(kept.size)
        });
        Ok(ListResourcesResult::with_all_items(resources.collect())
            .with_ttl_ms(0)
            .with_cache_scope(CacheScope::Private))
    }

    pub(super) async fn resource(&self, uri: &str) -> Result<ReadResourceResult, ErrorData> {
        let unknown = |why: &str| ErrorData::resource_not_found(why.to_owned(), Some(json!({ "uri": uri })));
        let Some((kind, rest)) = KINDS.iter().find_map(|kind| Some((kind, uri.strip_prefix(kind.prefix)?)))
        else {
            return Err(unknown("there is no such resource"));
        };
        match kind.source {
            Source::Result => self.result_page(uri, rest).await.map_err(|error| match error {
                Error::Result(_) | Error::BadArgument { .. } => unknown(&error.for_agent()),
                other => ErrorData::internal_error(other.for_agent(), None),
            }),
        }
    }

    /// A page of a result: `ID` or `ID?offset=N`.
    async fn result_page(&self, uri: &str, rest: &str) -> Result<ReadResourceResult, Error> {
        let (id, query) = rest.split_once('?').unwrap_or((rest, ""));
        let offset = url::form_urlencoded::parse(query.as_bytes())
            .find_map(|(name, value)| (name == "offset").then(|| value.parse::<u64>()))
            .unwrap_or(Ok(0))
            .map_err(|_| Error::bad_argument("resources/read", "offset", "must be a whole number"))?;
        let page = dispatch::page(&self.app, &self.caller, id, offset).await?;
        let next = page.next.map(|next| format!("figma://results/{id}?offset={next}"));
        let mut facts = json!({ "offset": page.offset, "bytes": page.text.len(), "total": page.total });
        if let (Some(next), Value::Object(facts)) = (&next, &mut facts) {
            facts.insert("next".to_owned(), json!(next));
        }
        let is_whole = next.is_none() && page.offset == 0;
        let mut meta = MetaObject::new();
        meta.insert(format!("{PREFIX}page"), facts);
        meta.insert(format!("{PREFIX}untrusted"), json!(true));
        // A part of a JSON text is none.
        let mime: Cow<'_, str> = if is_whole { mime(page.form).into() } else { "text/plain".into() };
        let contents = ResourceContents::text(page.text, uri).with_mime_type(mime).with_meta(meta);
        Ok(ReadResourceResult::new(vec![contents])
            .with_ttl_ms(READ_LIFETIME_MS)
            .with_cache_scope(CacheScope::Private))
    }
}

/// Lists are short: there is nothing behind a cursor.
fn one_page(request: Option<&PaginatedRequestParams>) -> Result<(), ErrorData> {
    if request.is_some_and(|request| request.cursor.is_some()) {
        return Err(ErrorData::invalid_params("there is only one page: call again without a cursor", None));
    }
    Ok(())
}

const fn mime(form: Form) -> &'static str {
    match form {
        Form::Json => "application/json",
        Form::Text => "text/plain",
    }
}
