//! Designs as a model needs them: composed of what the other toolsets read.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{args::*, files, row::*};

/// What a design's context can hold.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Group {
    Layout,
    Text,
    Paint,
    Effects,
    Components,
    Variables,
    Prototype,
    Dev,
    Comments,
}

/// How a design's context is written.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum ContextFormat {
    Tree,
    Yaml,
    Json,
}

/// Where a query is looked for.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Field {
    Name,
    Text,
    Component,
    Style,
    Variable,
}

/// What developers are told of a design.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum DevStatus {
    ReadyForDev,
    Completed,
}

/// Each text that is looked for has something in it.
fn check_search(args: &Args) -> Result<(), (&'static str, String)> {
    const LONGEST: usize = 200;
    for name in ["query", "component", "style", "variable", "page", "type", "size"] {
        let Some(text) = args.get(name).and_then(Value::as_str) else { continue };
        if text.trim().is_empty() {
            return Err((name, "must not be empty".to_owned()));
        }
        if text.chars().count() > LONGEST {
            return Err((name, format!("must have at most {LONGEST} characters")));
        }
    }
    Ok(())
}

pub(super) const TOOLSET: Toolset = Toolset {
    name: "designs",
    description: "Designs as a model needs them.",
    everyday: true,
    tools: &[
        {
            #[derive(Serialize, Deserialize, JsonSchema)]
            struct Args {
                file_key: FileKey,
                /// Default: the whole file.
                node_ids: Option<NodeIds>,
                /// Levels below them.
                #[schemars(range(min = 1))]
                depth: Option<u32>,
                /// Default: all but comments.
                include: Option<Vec<Group>>,
                /// Default tree, the shortest.
                format: Option<ContextFormat>,
                /// Default 48 KiB.
                #[schemars(range(min = 1000, max = 10_000_000))]
                max_bytes: Option<u32>,
                /// Show hidden layers.
                hidden: Option<bool>,
                /// Version id.
                version: Option<String>,
            }
            Tool {
                name: "figma_design_context_get",
                title: "Design context",
                description: "Best for reading a design: layout, texts, styles, components, variables, interactions in few tokens. What does not fit is folded, with the id that opens it.",
                effect: Effect::Read,
                input: input::<Args>(),
                handler: Handler::DesignContext(files::NODES),
                extra: NO_EXTRA,
            }
        },
        {
            #[derive(Serialize, Deserialize, JsonSchema)]
            struct Args {
                file_key: FileKey,
                /// Words; misspellings are forgiven.
                query: Option<String>,
                /// Where; default everywhere.
                r#in: Option<Vec<Field>>,
                /// Such as TEXT.
                r#type: Option<String>,
                /// Name, id or key, also of a set.
                component: Option<String>,
                /// Name, id or key.
                style: Option<String>,
                /// Name or id.
                variable: Option<String>,
                /// Such as 390x844 or 300-400x*.
                size: Option<String>,
                dev_status: Option<DevStatus>,
                /// Name or id.
                page: Option<String>,
                /// Default 20.
                #[schemars(range(min = 1, max = 100))]
                limit: Option<u32>,
                /// Hits to skip.
                #[schemars(range(max = 10_000))]
                offset: Option<u32>,
            }
            Tool {
                name: "figma_nodes_search",
                title: "Search nodes",
                description: "Finds nodes of a file; what is given must hold together. The best first, with id, size, page and path. No call to Figma while the file is held.",
                effect: Effect::Read,
                input: input::<Args>(),
                handler: Handler::NodesSearch(files::FILE),
                extra: Extra {
                    rules: &[
                        Rule::AnyOf(&[
                            "query",
                            "type",
                            "component",
                            "style",
                            "variable",
                            "size",
                            "dev_status",
                            "page",
                        ]),
                        Rule::Needs("in", "query"),
                        Rule::Check(check_search),
                    ],
                    ..NO_EXTRA
                },
            }
        },
    ],
};
