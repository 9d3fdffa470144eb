//! Resources: what a client can read by its address, without a tool. A kind of resource is a row.

use std::borrow::Cow;

use rmcp::{
    ErrorData, RoleServer,
    model::{
        CacheScope, ListResourceTemplatesResult, ListResourcesResult, MetaObject, PaginatedRequestParams,
        ReadResourceResult, Resource, ResourceContents, ResourceTemplate,
    },
    service::RequestContext,
};
use serde_json::{Value, json};

use super::{
    LIST_LIFETIME_MS, Server,
    prompts::Values,
    result::{self, PREFIX},
};
use crate::{
    auth::redacted,
    dispatch::{self, Form},
    error::Error,
    table::args::Args,
};

/// How long a client may keep what it read: a result never changes, but it can be gone.
const READ_LIFETIME_MS: u64 = 5_000;
/// How many resources are listed, the latest first.
const MOST_LISTED: usize = 50;

/// A kind of resource.
pub(super) struct Kind {
    /// RFC 6570, as it is listed.
    template: &'static str,
    name: &'static str,
    title: &'static str,
    description: &'static str,
    /// Of what is read whole.
    mime: Option<&'static str>,
    source: Source,
}

/// Where a resource comes from.
#[derive(Clone, Copy)]
enum Source {
    /// A result that was too large to be shown: what its addresses begin with.
    Result(&'static str),
    /// What this tool answers, given the variables of the address as these of its arguments.
    Tool(&'static str, &'static [Variable]),
}

/// A variable of a template, and the argument of the tool that it is.
#[derive(Clone, Copy)]
struct Variable {
    name: &'static str,
    argument: &'static str,
    values: Values,
}

const FILE: Variable = Variable { name: "file_key", argument: "file_key", values: Values::File };
const NODE: Variable = Variable { name: "node_id", argument: "node_ids", values: Values::Node };
const CONTEXT: &str = "figma_design_context_get";

const KINDS: &[Kind] = &[
    Kind {
        template: "figma://file/{file_key}",
        name: "file",
        title: "A file's design",
        description: "Outline and design context of a whole file: pages, frames, layout, texts, styles, components; what does not fit is folded.",
        mime: Some("text/plain"),
        source: Source::Tool(CONTEXT, &[FILE]),
    },
    Kind {
        template: "figma://file/{file_key}/node/{node_id}",
        name: "node",
        title: "A node's design",
        description: "Design context of a node and what is in it.",
        mime: Some("text/plain"),
        source: Source::Tool(CONTEXT, &[FILE, NODE]),
    },
    Kind {
        template: "figma://file/{file_key}/comments",
        name: "comments",
        title: "A file's open comments",
        description: "Open comment threads of a file, by page, with replies and the nodes that they are pinned to.",
        mime: Some("text/plain"),
        source: Source::Tool("figma_comments_digest_get", &[FILE]),
    },
    Kind {
        template: "figma://results/{id}{?offset}",
        name: "result",
        title: "A large result",
        description: "A result that was too large to show, in pages of bytes; `_meta` has the offset of the next page.",
        mime: None,
        source: Source::Result("figma://results/"),
    },
];

impl Kind {
    /// What the variables of this kind's addresses are in this one, if it is one.
    fn read(&self, uri: &str) -> Option<Vec<(&'static str, String)>> {
        let parts: Vec<&str> = uri.split('/').collect();
        let wanted: Vec<&'static str> = self.template.split('/').collect();
        if parts.len() != wanted.len() {
            return None;
        }
        let mut found = Vec::new();
        for (part, wanted) in parts.into_iter().zip(wanted) {
            match wanted.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
                Some(name) if !part.is_empty() => found.push((name, decoded(part)?)),
                None if part == wanted => {}
                _ => return None,
            }
        }
        Some(found)
    }
}

/// What the variable of this name can be, in the addresses of this template.
pub(super) fn values_of(template: &str, name: &str) -> Option<Values> {
    let kind = KINDS.iter().find(|kind| kind.template == template)?;
    let Source::Tool(_, variables) = kind.source else { return None };
    variables.iter().find(|variable| variable.name == name).map(|variable| variable.values)
}

/// A part of an address as it is meant: clients write `1:2` as `1%3A2`.
fn decoded(part: &str) -> Option<String> {
    let text = percent_encoding::percent_decode_str(part).decode_utf8().ok()?;
    Some(text.into_owned())
}

impl Server {
    /// What this caller can read: what comes from a tool only where that is offered.
    pub(super) fn resource_templates(
        &self,
        request: Option<&PaginatedRequestParams>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        one_page(request)?;
        let offered: Vec<&str> = self.offered().map(|tool| tool.name).collect();
        let is_offered = |kind: &&Kind| match kind.source {
            Source::Tool(tool, _) => offered.contains(&tool),
            Source::Result(_) => true,
        };
        let templates = KINDS.iter().filter(is_offered).map(|kind| {
            let template = ResourceTemplate::new(kind.template, kind.name)
                .with_title(kind.title)
                .with_description(kind.description);
            match kind.mime {
                Some(mime) => template.with_mime_type(mime),
                None => template,
            }
        });
        Ok(ListResourceTemplatesResult::with_all_items(templates.collect())
            .with_ttl_ms(LIST_LIFETIME_MS)
            .with_cache_scope(CacheScope::Private))
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

    pub(super) async fn resource(
        &self,
        uri: &str,
        context: &RequestContext<RoleServer>,
    ) -> Result<ReadResourceResult, ErrorData> {
        for kind in KINDS {
            match kind.source {
                Source::Result(prefix) => {
                    if let Some(rest) = uri.strip_prefix(prefix) {
                        return self.result_page(uri, rest).await.map_err(|error| refused(uri, &error));
                    }
                }
                Source::Tool(tool, variables) => {
                    if let Some(found) = kind.read(uri) {
                        let read = self.tool_page(uri, kind, tool, variables, found, context).await;
                        return read.map_err(|error| refused(uri, &error));
                    }
                }
            }
        }
        let templates: Vec<&str> = KINDS.iter().map(|kind| kind.template).collect();
        let problem =
            format!("there is no such resource; addresses are of the form {}", templates.join(", "));
        Err(ErrorData::resource_not_found(problem, Some(json!({ "uri": uri }))))
    }

    /// What a tool answers, as it would be shown to a model.
    async fn tool_page(
        &self,
        uri: &str,
        kind: &Kind,
        tool: &'static str,
        variables: &[Variable],
        found: Vec<(&'static str, String)>,
        context: &RequestContext<RoleServer>,
    ) -> Result<ReadResourceResult, Error> {
        let argument = |name: &str| variables.iter().find(|variable| variable.name == name);
        let args: Args = found
            .into_iter()
            .filter_map(|(name, value)| Some((argument(name)?.argument.to_owned(), json!(value))))
            .collect();
        let output = self.counted(tool, args.clone(), Some(context)).await.map_err(|error| match error {
            // By its name in the address.
            Error::BadArgument { tool, argument, problem } => {
                let known = variables.iter().find(|variable| variable.argument == argument);
                let argument = known.map_or(argument, |variable| variable.name.to_owned());
                Error::BadArgument { tool, argument, problem }
            }
            other => other,
        })?;
        let mut notes = output.notes;
        notes.extend(output.next_page.map(|next| {
            let next: Args = args.into_iter().chain(next).collect();
            format!("There is more: call `{tool}` {}.", Value::Object(next))
        }));
        let mut meta = MetaObject::new();
        for (key, value) in output.meta {
            meta.insert(format!("{PREFIX}{key}"), value);
        }
        let main = ResourceContents::text(output.body, uri)
            .with_mime_type(kind.mime.unwrap_or_else(|| mime(output.form)))
            .with_meta(meta);
        let beside = (!notes.is_empty())
            .then(|| ResourceContents::text(result::note_lines(&notes), uri).with_mime_type("text/plain"));
        Ok(ReadResourceResult::new([Some(main), beside].into_iter().flatten().collect())
            .with_ttl_ms(READ_LIFETIME_MS)
            .with_cache_scope(CacheScope::Private))
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

/// An address that leads nowhere, or what stands in the way of what it names.
fn refused(uri: &str, error: &Error) -> ErrorData {
    let text = redacted(&error.for_agent());
    let facts = redacted(&error.to_json().to_string());
    let mut facts: Value = serde_json::from_str(&facts).unwrap_or_default();
    if let Value::Object(facts) = &mut facts {
        facts.insert("uri".to_owned(), json!(uri));
    }
    match error {
        Error::Result(_) | Error::BadArgument { .. } | Error::NotFound { .. } | Error::HiddenTool { .. } => {
            ErrorData::resource_not_found(text, Some(facts))
        }
        _ => ErrorData::internal_error(text, Some(facts)),
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
