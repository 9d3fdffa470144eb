//! Designs as a model needs them: composed of what the other toolsets read.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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

pub(super) const TOOLSET: Toolset = Toolset {
    name: "designs",
    description: "Designs as a model needs them.",
    everyday: true,
    tools: &[{
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
    }],
};
