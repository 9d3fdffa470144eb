//! Dev resources: links that developers attach to nodes.
//!
//! Facts: `developers.figma.com/docs/rest-api/dev-resources-endpoints` and Figma's `OpenAPI` document.
//! Figma creates and changes them in bulk and answers 200 even where an entry failed; these rows take
//! one or many. Dev resources belong to main files, never to branches.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{args::*, row::*};

/// A link to attach.
#[derive(Serialize, Deserialize, JsonSchema)]
struct NewResource {
    file_key: MainFileKey,
    node_id: NodeId,
    /// Link text.
    name: String,
    /// Web address.
    url: String,
}

/// A change of a link.
#[derive(Serialize, Deserialize, JsonSchema)]
struct Change {
    #[serde(rename(serialize = "id"))]
    dev_resource_id: DevResourceId,
    /// New text.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// New address.
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
}

/// Each change changes something.
fn check_changes(args: &Args) -> Result<(), (&'static str, String)> {
    let is_empty = |change: &Args| !["name", "url"].iter().any(|name| change.contains_key(*name));
    match args.get("dev_resources") {
        None if is_empty(args) => Err(("", "give `name`, `url` or both".to_owned())),
        Some(Value::Array(changes)) if changes.iter().filter_map(Value::as_object).any(is_empty) => {
            Err(("dev_resources", "must hold `name`, `url` or both in each item".to_owned()))
        }
        _ => Ok(()),
    }
}

/// Figma's own name for `dev_resource_id` is `id`.
fn adapt_changes(args: &mut Args) {
    let Some(Value::Array(changes)) = args.get_mut("dev_resources") else { return };
    for change in changes.iter_mut().filter_map(Value::as_object_mut) {
        if let Some(id) = change.remove("id") {
            change.entry("dev_resource_id").or_insert(id);
        }
    }
}

pub(super) const TOOLSET: Toolset = Toolset {
    name: "dev_resources",
    description: "Links that developers attach to nodes.",
    everyday: false,
    tools: &[
        {
            #[derive(Serialize, Deserialize, JsonSchema)]
            struct Args {
                file_key: MainFileKey,
                /// Only of these nodes.
                node_ids: Option<NodeIds>,
            }
            Tool {
                name: "figma_dev_resources_list",
                title: "Dev resources",
                description: "Links attached to a file's nodes: id, name, url, node.",
                effect: Effect::Read,
                input: input::<Args>(),
                handler: Handler::Call(Endpoint {
                    method: Method::Get,
                    path: "/v1/files/{file_key}/dev_resources",
                    tier: Tier::Two,
                    scopes: &[Scope::FileDevResourcesRead],
                    tokens: ANY_TOKEN,
                    quirks: NO_QUIRKS,
                }),
                extra: Extra { argument_aliases: &[("node_id", "node_ids")], ..NO_EXTRA },
            }
        },
        {
            #[derive(Serialize, Deserialize, JsonSchema)]
            struct Args {
                file_key: Option<MainFileKey>,
                node_id: Option<NodeId>,
                /// Link text.
                name: Option<String>,
                /// Web address.
                url: Option<String>,
                /// Several.
                #[schemars(length(min = 1))]
                dev_resources: Option<Vec<NewResource>>,
            }
            Tool {
                name: "figma_dev_resource_create",
                title: "Attach dev resources",
                description: "Attaches links to nodes: at most 10 a node, each address once.",
                effect: Effect::Create { verify_with: "figma_dev_resources_list" },
                input: input::<Args>(),
                handler: Handler::Call(Endpoint {
                    method: Method::Post,
                    path: "/v1/dev_resources",
                    tier: Tier::Two,
                    scopes: &[Scope::FileDevResourcesWrite],
                    tokens: ANY_TOKEN,
                    quirks: Quirks {
                        wrap_in_list: Some("dev_resources"),
                        partial_failures: PartialFailures::ErrorsBeside("links_created"),
                        ..NO_QUIRKS
                    },
                }),
                extra: Extra {
                    rules: &[Rule::OneOf(&[&["file_key", "node_id", "name", "url"], &["dev_resources"]])],
                    ..NO_EXTRA
                },
            }
        },
        {
            #[derive(Serialize, Deserialize, JsonSchema)]
            struct Args {
                #[serde(rename(serialize = "id"))]
                dev_resource_id: Option<DevResourceId>,
                /// New text.
                name: Option<String>,
                /// New address.
                url: Option<String>,
                /// Several.
                #[schemars(length(min = 1))]
                dev_resources: Option<Vec<Change>>,
            }
            Tool {
                name: "figma_dev_resource_update",
                title: "Change dev resources",
                description: "Changes text or address of links on nodes.",
                effect: Effect::Update,
                input: input::<Args>(),
                handler: Handler::Call(Endpoint {
                    method: Method::Put,
                    path: "/v1/dev_resources",
                    tier: Tier::Two,
                    scopes: &[Scope::FileDevResourcesWrite],
                    tokens: ANY_TOKEN,
                    quirks: Quirks {
                        wrap_in_list: Some("dev_resources"),
                        partial_failures: PartialFailures::ErrorsBeside("links_updated"),
                        ..NO_QUIRKS
                    },
                }),
                extra: Extra {
                    argument_aliases: &[("id", "dev_resource_id")],
                    ignored_arguments: &["file_key"],
                    rules: &[
                        Rule::OneOf(&[&["dev_resource_id"], &["dev_resources"]]),
                        Rule::Needs("name", "dev_resource_id"),
                        Rule::Needs("url", "dev_resource_id"),
                        Rule::Check(check_changes),
                    ],
                    adapt: Some(adapt_changes),
                    ..NO_EXTRA
                },
            }
        },
        {
            #[derive(Serialize, Deserialize, JsonSchema)]
            struct Args {
                file_key: MainFileKey,
                dev_resource_id: DevResourceId,
            }
            Tool {
                name: "figma_dev_resource_delete",
                title: "Remove dev resource",
                description: "Removes a link from its node, for everybody.",
                effect: Effect::Delete,
                input: input::<Args>(),
                handler: Handler::Call(Endpoint {
                    method: Method::Delete,
                    path: "/v1/files/{file_key}/dev_resources/{dev_resource_id}",
                    tier: Tier::Two,
                    scopes: &[Scope::FileDevResourcesWrite],
                    tokens: ANY_TOKEN,
                    quirks: NO_QUIRKS,
                }),
                extra: NO_EXTRA,
            }
        },
    ],
};
