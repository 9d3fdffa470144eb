//! Designs as a model needs them: composed of what the other toolsets read.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{args::*, figma_url::FigmaUrl, files, row::*};

/// Everything that images come from.
pub(super) const IMAGES: ImageEndpoints = ImageEndpoints { render: files::RENDER, fills: files::IMAGE_FILLS };

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

/// Dev Mode.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum DevStatus {
    ReadyForDev,
    Completed,
}

/// Each text that is looked for has something in it.
/// A link to a node asks for that node, unless nodes are named beside it.
fn adapt_link(args: &mut Args) {
    if args.contains_key("node_ids") || args.contains_key("node_id") {
        return;
    }
    let link = ["file_key", "url"].iter().find_map(|name| args.get(*name)).cloned();
    let url = link.as_ref().and_then(Value::as_str).and_then(FigmaUrl::parse);
    if let (Some(Ok(url)), Some(link)) = (url, link)
        && !url.node_ids.is_empty()
    {
        args.insert("node_ids".to_owned(), link);
    }
}

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

pub(super) const TOOLSET: Toolset = Toolset {
    name: "designs",
    description: "Designs as a model needs them.",
    everyday: true,
    tools: &[
        {
            #[derive(Serialize, Deserialize, JsonSchema)]
            struct Args {
                file_key: FileKey,
                /// Default all.
                node_ids: Option<NodeIds>,
                /// Levels.
                #[schemars(range(min = 1))]
                depth: Option<u32>,
                /// Default: no comments.
                include: Option<Vec<Group>>,
                /// Default tree.
                format: Option<ContextFormat>,
                /// Default fits.
                #[schemars(range(min = 1000))]
                max_bytes: Option<u32>,
                /// Hidden layers.
                hidden: Option<bool>,
                /// For a huge file.
                #[schemars(range(min = 1))]
                max_calls: Option<u32>,
                /// Version id.
                version: Option<String>,
            }
            Tool {
                name: "figma_design_context_get",
                title: "Design context",
                description: "A design in few tokens: best to read one. What does not fit is folded.",
                effect: Effect::Read,
                input: input::<Args>(),
                handler: Handler::DesignContext(files::NODES),
                extra: Extra {
                    argument_aliases: &[("url", "file_key"), ("node_id", "node_ids")],
                    adapt: Some(adapt_link),
                    ..NO_EXTRA
                },
            }
        },
        {
            #[derive(Serialize, Deserialize, JsonSchema)]
            #[serde(rename_all = "lowercase")]
            enum Format {
                Png,
                Jpg,
                Svg,
                Pdf,
            }
            #[derive(Serialize, Deserialize, JsonSchema)]
            struct Args {
                file_key: FileKey,
                /// To render.
                node_ids: Option<NodeIds>,
                /// imageRef or gifRef.
                image_refs: Option<Vec<String>>,
                /// Their image fills instead.
                fills: Option<bool>,
                /// Default png.
                format: Option<Format>,
                /// Default 1.
                #[schemars(range(min = 0.01, max = 4))]
                scale: Option<f64>,
                /// Subfolder.
                folder: Option<String>,
                /// By id or ref.
                names: Option<BTreeMap<String, String>>,
                /// Replace files.
                overwrite: Option<bool>,
                /// Version id.
                version: Option<String>,
            }
            Tool {
                name: "figma_images_download",
                title: "Save images",
                description: "Saves renders of nodes and image fills as files.",
                effect: Effect::Read,
                input: input::<Args>(),
                handler: Handler::ImagesDownload(IMAGES),
                extra: Extra {
                    rules: &[Rule::AnyOf(&["node_ids", "image_refs"]), Rule::Needs("fills", "node_ids")],
                    writes_files: true,
                    ..NO_EXTRA
                },
            }
        },
        {
            #[derive(Serialize, Deserialize, JsonSchema)]
            struct Args {
                file_key: FileKey,
                node_id: NodeId,
                /// Longest side; default 1024.
                #[schemars(range(min = 16, max = 4096))]
                max_pixels: Option<u32>,
                /// Default fits.
                #[schemars(range(min = 0.01, max = 4))]
                scale: Option<f64>,
                /// Version id.
                version: Option<String>,
            }
            Tool {
                name: "figma_screenshot_get",
                title: "Screenshot",
                description: "Shows a node as a picture, with its outline.",
                effect: Effect::Read,
                input: input::<Args>(),
                handler: Handler::ScreenshotGet(IMAGES),
                extra: NO_EXTRA,
            }
        },
        {
            #[derive(Serialize, Deserialize, JsonSchema)]
            struct Args {
                file_key: FileKey,
                /// Fuzzy words.
                query: Option<String>,
                /// Default all.
                r#in: Option<Vec<Field>>,
                /// As TEXT.
                r#type: Option<String>,
                /// Name, id or key.
                component: Option<String>,
                /// Name, id or key.
                style: Option<String>,
                /// Name or id.
                variable: Option<String>,
                /// As 300-400x*.
                size: Option<String>,
                dev_status: Option<DevStatus>,
                /// Name or id.
                page: Option<String>,
                /// Default 20.
                #[schemars(range(min = 1, max = 100))]
                limit: Option<u32>,
                /// To skip.
                offset: Option<u32>,
            }
            Tool {
                name: "figma_nodes_search",
                title: "Search",
                description: "Finds nodes by all given, best first: id, size, page, path. Free while the file is held.",
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
        {
            #[derive(Serialize, Deserialize, JsonSchema)]
            struct Args {
                file_key: FileKey,
                node_id: NodeId,
                /// Default fits.
                #[schemars(range(min = 4000))]
                max_bytes: Option<u32>,
                /// Version id.
                version: Option<String>,
            }
            Tool {
                name: "figma_handoff_get",
                title: "Hand over",
                description: "All to implement a node, in at most two calls: design context, picture, variables, styles, dev resources, open comments.",
                effect: Effect::Read,
                input: input::<Args>(),
                handler: Handler::Handoff(files::NODES),
                extra: NO_EXTRA,
            }
        },
    ],
};
