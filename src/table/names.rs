//! Other servers' tools, under their own names and with their own arguments.
//!
//! What people have in their prompts, skills and configurations keeps working: a call of such a name
//! is a call of one of our tools. The names are always accepted, and listed with `--names`. A row's
//! argument struct says both sides: `deserialize` is what those servers call an argument, `serialize`
//! what ours does.
//!
//! Facts: the published tool definitions of Framelink's `figma-developer-mcp` and of Figma's own server.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer};

use super::{args::*, designs, files, row::*};

/// The tools of one other server.
#[derive(Debug)]
pub struct NameSet {
    /// As it is written in `--names`.
    pub name: &'static str,
    /// Whose names they are, for help pages.
    pub description: &'static str,
    /// Its tools.
    pub tools: &'static [Named],
}

/// Another server's tool.
#[derive(Debug)]
pub struct Named {
    /// The tool of ours that it is a name for: where that is not offered, this is not either.
    pub stands_for: &'static str,
    /// Its own name and arguments.
    pub tool: Tool,
}

/// Every set of names.
pub const NAME_SETS: &[NameSet] = &[FRAMELINK, OFFICIAL];

/// Arguments of Figma's own server that mean nothing here: no code is written, and no screenshot comes along.
const OFFICIAL_EXTRAS: &[&str] = &[
    "clientLanguages",
    "clientFrameworks",
    "clientName",
    "clientModel",
    "artifactType",
    "taskType",
    "forceCode",
    "excludeScreenshot",
    "disableCodeConnect",
    "enableBase64Response",
    "contentsOnly",
    "dirForAssetWrites",
];

const FRAMELINK: NameSet = NameSet {
    name: "framelink",
    description: "Framelink's `get_figma_data` and `download_figma_images`.",
    tools: &[
        {
            #[derive(Serialize, Deserialize, JsonSchema)]
            struct Args {
                #[serde(rename(deserialize = "fileKey", serialize = "file_key"))]
                file_key: FileKey,
                #[serde(rename(deserialize = "nodeId", serialize = "node_ids"), serialize_with = "in_list")]
                node_id: Option<NodeId>,
                /// Levels below it; better left out.
                #[schemars(range(min = 1))]
                depth: Option<u32>,
            }
            Named {
                stands_for: "figma_design_context_get",
                tool: Tool {
                    name: "get_figma_data",
                    title: "Figma data",
                    description: "The design of a file or a node: layout, texts, styles, components. Same as `figma_design_context_get`.",
                    effect: Effect::Read,
                    input: input::<Args>(),
                    handler: Handler::DesignContext(files::NODES),
                    extra: NO_EXTRA,
                },
            }
        },
        {
            #[derive(Serialize, Deserialize, JsonSchema)]
            struct Wanted {
                #[serde(rename(deserialize = "nodeId", serialize = "node_id"))]
                node_id: NodeId,
                /// Of an image fill; leave it out to render the node.
                #[serde(rename(deserialize = "imageRef", serialize = "image_ref"))]
                image_ref: Option<String>,
                /// Of a moving image fill.
                #[serde(rename(deserialize = "gifRef", serialize = "gif_ref"))]
                gif_ref: Option<String>,
                /// With its extension: .png, .svg, .gif.
                #[serde(rename(deserialize = "fileName", serialize = "name"))]
                file_name: String,
                /// Whether `cropTransform` is applied.
                #[serde(rename(deserialize = "needsCropping", serialize = "needs_cropping"))]
                needs_cropping: Option<bool>,
                /// Two rows of three numbers.
                #[serde(rename(deserialize = "cropTransform", serialize = "crop"))]
                crop_transform: Option<Vec<Vec<f64>>>,
                /// Sizes are always told.
                #[serde(rename = "requiresImageDimensions")]
                requires_image_dimensions: Option<bool>,
                /// Ends the file name.
                #[serde(rename(deserialize = "filenameSuffix", serialize = "suffix"))]
                filename_suffix: Option<String>,
            }
            #[derive(Serialize, Deserialize, JsonSchema)]
            struct Args {
                #[serde(rename(deserialize = "fileKey", serialize = "file_key"))]
                file_key: FileKey,
                /// The images.
                #[serde(rename(serialize = "items"))]
                #[schemars(length(min = 1))]
                nodes: Vec<Wanted>,
                /// Folder inside the image folder.
                #[serde(rename(deserialize = "localPath", serialize = "folder"))]
                local_path: Option<String>,
                /// Factor for png; default 2.
                #[serde(rename(deserialize = "pngScale", serialize = "scale"), serialize_with = "or_two")]
                #[schemars(range(min = 0.01, max = 4))]
                png_scale: Option<f64>,
                /// Replace existing files.
                overwrite: Option<bool>,
            }
            Named {
                stands_for: "figma_images_download",
                tool: Tool {
                    name: "download_figma_images",
                    title: "Download Figma images",
                    description: "Saves renders and image fills of nodes as files. Same as `figma_images_download`.",
                    effect: Effect::Read,
                    input: input::<Args>(),
                    handler: Handler::ImagesDownload(designs::IMAGES),
                    extra: Extra { ignored_arguments: &["svgOptions"], writes_files: true, ..NO_EXTRA },
                },
            }
        },
    ],
};

const OFFICIAL: NameSet = NameSet {
    name: "official",
    description: "Figma's own `get_design_context`, `get_metadata`, `get_screenshot` and `get_variable_defs`.",
    tools: &[
        {
            #[derive(Serialize, Deserialize, JsonSchema)]
            struct Args {
                #[serde(rename(deserialize = "fileKey", serialize = "file_key"))]
                file_key: FileKey,
                #[serde(rename(deserialize = "nodeId", serialize = "node_ids"), serialize_with = "in_list")]
                node_id: Option<NodeId>,
            }
            Named {
                stands_for: "figma_design_context_get",
                tool: Tool {
                    name: "get_design_context",
                    title: "Design context",
                    description: "A node's design, to write code from: layout, texts, styles, components, variables. Same as `figma_design_context_get`.",
                    effect: Effect::Read,
                    input: input::<Args>(),
                    handler: Handler::DesignContext(files::NODES),
                    extra: official(&["get_code"]),
                },
            }
        },
        {
            #[derive(Serialize, Deserialize, JsonSchema)]
            struct Args {
                #[serde(rename(deserialize = "fileKey", serialize = "file_key"))]
                file_key: FileKey,
                #[serde(rename(deserialize = "nodeId", serialize = "node_id"))]
                node_id: Option<NodeId>,
            }
            Named {
                stands_for: "figma_design_context_get",
                tool: Tool {
                    name: "get_metadata",
                    title: "Outline of a node",
                    description: "The outline of a node or file as XML: ids, names, types, places and sizes. More: `figma_design_context_get`.",
                    effect: Effect::Read,
                    input: input::<Args>(),
                    handler: Handler::Outline(files::NODES),
                    extra: official(&[]),
                },
            }
        },
        {
            #[derive(Serialize, Deserialize, JsonSchema)]
            struct Args {
                #[serde(rename(deserialize = "fileKey", serialize = "file_key"))]
                file_key: FileKey,
                #[serde(rename(deserialize = "nodeId", serialize = "node_id"))]
                node_id: NodeId,
                /// Longest side in pixels.
                #[serde(rename(deserialize = "maxDimension", serialize = "max_pixels"))]
                #[schemars(range(min = 16, max = 4096))]
                max_dimension: Option<u32>,
            }
            Named {
                stands_for: "figma_screenshot_get",
                tool: Tool {
                    name: "get_screenshot",
                    title: "Screenshot",
                    description: "Shows a node as a picture. Same as `figma_screenshot_get`.",
                    effect: Effect::Read,
                    input: input::<Args>(),
                    handler: Handler::ScreenshotGet(designs::IMAGES),
                    extra: official(&[]),
                },
            }
        },
        {
            #[derive(Serialize, Deserialize, JsonSchema)]
            struct Args {
                #[serde(rename(deserialize = "fileKey", serialize = "file_key"))]
                file_key: FileKey,
                #[serde(rename(deserialize = "nodeId", serialize = "node_id"))]
                node_id: Option<NodeId>,
            }
            Named {
                stands_for: "figma_design_context_get",
                tool: Tool {
                    name: "get_variable_defs",
                    title: "Variables of a node",
                    description: "The variables and styles that a node and what is in it use: name and value. More: `figma_design_context_get`.",
                    effect: Effect::Read,
                    input: input::<Args>(),
                    handler: Handler::VariableDefs(files::NODES),
                    extra: official(&[]),
                },
            }
        },
    ],
};

/// What the rows of Figma's own server have in common.
const fn official(aliases: &'static [&'static str]) -> Extra {
    Extra { aliases, ignored_arguments: OFFICIAL_EXTRAS, ..NO_EXTRA }
}

/// One node where our tool takes several.
#[allow(clippy::ref_option, reason = "serde asks for this signature")]
fn in_list<S: Serializer>(id: &Option<NodeId>, serializer: S) -> Result<S::Ok, S::Error> {
    id.as_ref().map(|id| [id]).serialize(serializer)
}

/// Framelink renders PNGs twice as large where nothing is said.
#[allow(clippy::ref_option, reason = "serde asks for this signature")]
fn or_two<S: Serializer>(scale: &Option<f64>, serializer: S) -> Result<S::Ok, S::Error> {
    scale.unwrap_or(2.0).serialize(serializer)
}

/// Every tool of every set.
pub fn named() -> impl Iterator<Item = &'static Named> {
    NAME_SETS.iter().flat_map(|set| set.tools)
}

/// The tool of ours that a tool is: itself, or the one that it is another name for.
pub(super) fn own_name(tool: &Tool) -> &'static str {
    named().find(|named| named.tool.name == tool.name).map_or(tool.name, |named| named.stands_for)
}
