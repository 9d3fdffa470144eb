//! Files: the document tree, its nodes, rendered images, versions, metadata.
//!
//! Facts: `developers.figma.com/docs/rest-api/file-endpoints` and Figma's `OpenAPI` document.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{args::*, row::*};

/// Whether vector data comes along.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Geometry {
    Paths,
}

/// Nodes of a file.
pub(super) const NODES: Endpoint = Endpoint {
    method: Method::Get,
    path: "/v1/files/{file_key}/nodes",
    tier: Tier::One,
    scopes: &[Scope::FileContentRead, Scope::FilesRead],
    tokens: ANY_TOKEN,
    quirks: Quirks { partial_failures: PartialFailures::NullsIn("nodes"), ..NO_QUIRKS },
};

/// Nodes as images.
pub(super) const RENDER: Endpoint = Endpoint {
    method: Method::Get,
    path: "/v1/images/{file_key}",
    tier: Tier::One,
    scopes: &[Scope::FileContentRead, Scope::FilesRead],
    tokens: ANY_TOKEN,
    quirks: Quirks { partial_failures: PartialFailures::NullsIn("images"), ..NO_QUIRKS },
};

/// The addresses of image fills.
pub(super) const IMAGE_FILLS: Endpoint = Endpoint {
    method: Method::Get,
    path: "/v1/files/{file_key}/images",
    tier: Tier::Two,
    scopes: &[Scope::FileContentRead, Scope::FilesRead],
    tokens: ANY_TOKEN,
    quirks: NO_QUIRKS,
};

pub(super) const TOOLSET: Toolset = Toolset {
    name: "files",
    description: "Files, nodes, rendered images, versions and metadata.",
    everyday: true,
    tools: &[
        {
            #[derive(Serialize, Deserialize, JsonSchema)]
            struct Args {
                file_key: FileKey,
                /// Version id.
                version: Option<String>,
                /// Only these nodes (`1:2` or URLs), their subtrees and ancestors.
                ids: Option<NodeIds>,
                /// Levels: 1 = pages, 2 = also top-level objects.
                #[schemars(range(min = 1))]
                depth: Option<u32>,
                /// Add vector data.
                geometry: Option<Geometry>,
                /// Plugin ids whose data to add, or `shared`.
                plugin_data: Option<Vec<String>>,
                /// Add the list of branches.
                branch_data: Option<bool>,
            }
            Tool {
                name: "figma_file_get",
                title: "Get a file",
                description: "A file's document tree. Can be huge: start with `depth` 1 or 2, then use `figma_file_nodes_get`.",
                effect: Effect::Read,
                input: input::<Args>(),
                handler: Handler::Call(Endpoint {
                    method: Method::Get,
                    path: "/v1/files/{file_key}",
                    tier: Tier::One,
                    scopes: &[Scope::FileContentRead, Scope::FilesRead],
                    tokens: ANY_TOKEN,
                    quirks: NO_QUIRKS,
                }),
                extra: NO_EXTRA,
            }
        },
        {
            #[derive(Serialize, Deserialize, JsonSchema)]
            struct Args {
                file_key: FileKey,
                ids: NodeIds,
                /// Version id.
                version: Option<String>,
                /// Levels below each node; 1 = direct children.
                #[schemars(range(min = 1))]
                depth: Option<u32>,
                /// Add vector data.
                geometry: Option<Geometry>,
                /// Plugin ids whose data to add, or `shared`.
                plugin_data: Option<Vec<String>>,
            }
            Tool {
                name: "figma_file_nodes_get",
                title: "Get nodes of a file",
                description: "The subtrees of some nodes. Ask for all in one call. A node that does not exist is null.",
                effect: Effect::Read,
                input: input::<Args>(),
                handler: Handler::Call(NODES),
                extra: NO_EXTRA,
            }
        },
        {
            #[derive(Serialize, Deserialize, JsonSchema)]
            #[serde(rename_all = "lowercase")]
            enum Format {
                Jpg,
                Png,
                Svg,
                Pdf,
            }
            #[derive(Serialize, Deserialize, JsonSchema)]
            struct Args {
                file_key: FileKey,
                ids: NodeIds,
                /// Version id.
                version: Option<String>,
                /// Factor for jpg and png; default 1.
                #[schemars(range(min = 0.01, max = 4))]
                scale: Option<f64>,
                /// Default png.
                format: Option<Format>,
                /// SVG: text as outlines; default true.
                svg_outline_text: Option<bool>,
                /// SVG: layer names as ids.
                svg_include_id: Option<bool>,
                /// SVG: node ids as `data-node-id`.
                svg_include_node_id: Option<bool>,
                /// SVG: simplify strokes; default true.
                svg_simplify_stroke: Option<bool>,
                /// Without overlapping content; default true.
                contents_only: Option<bool>,
                /// Use the full box, even if cropped or empty.
                use_absolute_bounds: Option<bool>,
            }
            Tool {
                name: "figma_file_images_render",
                title: "Render nodes as images",
                description: "Renders nodes; the addresses live 30 days. Ask for all in one call. null: not renderable.",
                effect: Effect::Read,
                input: input::<Args>(),
                handler: Handler::Call(RENDER),
                extra: NO_EXTRA,
            }
        },
        {
            #[derive(Serialize, Deserialize, JsonSchema)]
            struct Args {
                file_key: FileKey,
            }
            Tool {
                name: "figma_file_image_fills_get",
                title: "Get image fills",
                description: "Addresses, by `imageRef`, of all images used as fills in a file. They live at most 14 days.",
                effect: Effect::Read,
                input: input::<Args>(),
                handler: Handler::Call(IMAGE_FILLS),
                extra: NO_EXTRA,
            }
        },
        {
            #[derive(Serialize, Deserialize, JsonSchema)]
            struct Args {
                file_key: FileKey,
                /// Versions a page; default 30.
                #[schemars(range(min = 1, max = 50))]
                page_size: Option<u32>,
                /// Only versions older than this version id.
                before: Option<String>,
                /// Only versions newer than this version id.
                after: Option<String>,
            }
            Tool {
                name: "figma_file_versions_list",
                title: "List versions of a file",
                description: "The version history, newest first. Autosaves have no label.",
                effect: Effect::Read,
                input: input::<Args>(),
                handler: Handler::Call(Endpoint {
                    method: Method::Get,
                    path: "/v1/files/{file_key}/versions",
                    tier: Tier::Two,
                    scopes: &[Scope::FileVersionsRead, Scope::FilesRead],
                    tokens: ANY_TOKEN,
                    quirks: Quirks {
                        pagination: Pagination::NextUrl(&["before", "after", "page_size"]),
                        ..NO_QUIRKS
                    },
                }),
                extra: Extra { rules: &[Rule::AtMostOne(&["before", "after"])], ..NO_EXTRA },
            }
        },
        {
            #[derive(Serialize, Deserialize, JsonSchema)]
            struct Args {
                file_key: FileKey,
            }
            Tool {
                name: "figma_file_metadata_get",
                title: "Get file metadata",
                description: "Name, folder, type and last change of any file. The cheapest way to see whether a file changed.",
                effect: Effect::Read,
                input: input::<Args>(),
                handler: Handler::Call(Endpoint {
                    method: Method::Get,
                    path: "/v1/files/{file_key}/meta",
                    tier: Tier::Three,
                    scopes: &[Scope::FileMetadataRead, Scope::FilesRead],
                    tokens: ANY_TOKEN,
                    quirks: NO_QUIRKS,
                }),
                extra: Extra { aliases: &["figma_file_meta_get"], ..NO_EXTRA },
            }
        },
    ],
};
