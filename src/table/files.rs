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

/// A file.
pub(super) const FILE: Endpoint = Endpoint {
    method: Method::Get,
    path: "/v1/files/{file_key}",
    tier: Tier::One,
    scopes: &[Scope::FileContentRead, Scope::FilesRead],
    tokens: ANY_TOKEN,
    quirks: Quirks { cache: Cache::UntilFileChanges { days: 30 }, ..NO_QUIRKS },
};

/// Nodes of a file.
pub(super) const NODES: Endpoint = Endpoint {
    method: Method::Get,
    path: "/v1/files/{file_key}/nodes",
    tier: Tier::One,
    scopes: &[Scope::FileContentRead, Scope::FilesRead],
    tokens: ANY_TOKEN,
    quirks: Quirks {
        partial_failures: PartialFailures::NullsIn("nodes"),
        cache: Cache::UntilFileChanges { days: 30 },
        ..NO_QUIRKS
    },
};

/// Nodes as images.
pub(super) const RENDER: Endpoint = Endpoint {
    method: Method::Get,
    path: "/v1/images/{file_key}",
    tier: Tier::One,
    scopes: &[Scope::FileContentRead, Scope::FilesRead],
    tokens: ANY_TOKEN,
    quirks: Quirks {
        partial_failures: PartialFailures::NullsIn("images"),
        // The addresses in it live 30 days.
        cache: Cache::UntilFileChanges { days: 20 },
        ..NO_QUIRKS
    },
};

/// The addresses of image fills.
pub(super) const IMAGE_FILLS: Endpoint = Endpoint {
    method: Method::Get,
    path: "/v1/files/{file_key}/images",
    tier: Tier::Two,
    scopes: &[Scope::FileContentRead, Scope::FilesRead],
    tokens: ANY_TOKEN,
    // The addresses in it live at most 14 days.
    quirks: Quirks { cache: Cache::UntilFileChanges { days: 7 }, ..NO_QUIRKS },
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
                /// Only these and their ancestors.
                ids: Option<NodeIds>,
                /// 1: pages, 2: frames.
                #[schemars(range(min = 1))]
                depth: Option<u32>,
                /// Add vectors.
                geometry: Option<Geometry>,
                /// Plugin ids or shared.
                plugin_data: Option<Vec<String>>,
                /// Add branches.
                branch_data: Option<bool>,
            }
            Tool {
                name: "figma_file_get",
                title: "File",
                description: "A file's tree, maybe huge: depth 1 or 2, then `figma_file_nodes_get`.",
                effect: Effect::Read,
                input: input::<Args>(),
                handler: Handler::Call(FILE),
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
                /// Levels below; 1: children.
                #[schemars(range(min = 1))]
                depth: Option<u32>,
                /// Add vectors.
                geometry: Option<Geometry>,
                /// Plugin ids or shared.
                plugin_data: Option<Vec<String>>,
            }
            Tool {
                name: "figma_file_nodes_get",
                title: "Nodes",
                description: "Subtrees of nodes, in one call. null: no such node.",
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
                /// For jpg and png; default 1.
                #[schemars(range(min = 0.01, max = 4))]
                scale: Option<f64>,
                /// Default png.
                format: Option<Format>,
                /// Default true.
                svg_outline_text: Option<bool>,
                /// Layer names as ids.
                svg_include_id: Option<bool>,
                /// As data-node-id.
                svg_include_node_id: Option<bool>,
                /// Default true.
                svg_simplify_stroke: Option<bool>,
                /// No overlaps; default true.
                contents_only: Option<bool>,
                /// Ignore cropping.
                use_absolute_bounds: Option<bool>,
            }
            Tool {
                name: "figma_file_images_render",
                title: "Render",
                description: "Image URLs (30 days) of nodes, in one call. null: not renderable.",
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
                title: "Image fills",
                description: "Addresses (14 days) of a file's image fills, by imageRef.",
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
                /// Default 30.
                #[schemars(range(min = 1, max = 50))]
                page_size: Option<u32>,
                /// Older than this.
                before: Option<String>,
                /// Newer than this.
                after: Option<String>,
            }
            Tool {
                name: "figma_file_versions_list",
                title: "Versions",
                description: "A file's versions, newest first, autosaves too.",
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
                title: "File metadata",
                description: "A file's name, folder, type and last change: cheapest.",
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
