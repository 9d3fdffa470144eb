//! Libraries: published components, component sets and styles, of a file, of a team or one by its key.
//!
//! Facts: `developers.figma.com/docs/rest-api/component-endpoints` and Figma's `OpenAPI` document.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{args::*, row::*};

/// What the three lists by file take. Branches publish nothing.
#[derive(Serialize, Deserialize, JsonSchema)]
struct OfFile {
    file_key: MainFileKey,
}

/// What the three lookups by key take.
#[derive(Serialize, Deserialize, JsonSchema)]
struct ByKey {
    key: LibraryKey,
}

/// What the three lists by team take. Figma states the maximum for components and caps larger values.
#[derive(Serialize, Deserialize, JsonSchema)]
struct OfTeam {
    team_id: TeamId,
    /// Items a page; default 30.
    #[schemars(range(min = 1, max = 1000))]
    page_size: Option<u32>,
    /// The previous page's `cursor.after`.
    after: Option<u64>,
    /// The next page's `cursor.before`.
    before: Option<u64>,
}

pub(super) const TOOLSET: Toolset = Toolset {
    name: "library",
    description: "Published components, component sets and styles.",
    everyday: true,
    tools: &[
        Tool {
            name: "figma_file_components_list",
            title: "List components of a file",
            description: "All components that a file has published.",
            effect: Effect::Read,
            input: input::<OfFile>(),
            handler: Handler::Call(Endpoint {
                method: Method::Get,
                path: "/v1/files/{file_key}/components",
                tier: Tier::Three,
                scopes: &[Scope::LibraryContentRead, Scope::FilesRead],
                tokens: ANY_TOKEN,
                quirks: NO_QUIRKS,
            }),
            extra: NO_EXTRA,
        },
        Tool {
            name: "figma_component_get",
            title: "Get a component",
            description: "One published component by its key, with the file and node it stands for.",
            effect: Effect::Read,
            input: input::<ByKey>(),
            handler: Handler::Call(Endpoint {
                method: Method::Get,
                path: "/v1/components/{key}",
                tier: Tier::Three,
                scopes: &[Scope::LibraryAssetsRead, Scope::FilesRead],
                tokens: ANY_TOKEN,
                quirks: NO_QUIRKS,
            }),
            extra: NO_EXTRA,
        },
        Tool {
            name: "figma_file_component_sets_list",
            title: "List component sets of a file",
            description: "All component sets (groups of variants) that a file has published.",
            effect: Effect::Read,
            input: input::<OfFile>(),
            handler: Handler::Call(Endpoint {
                method: Method::Get,
                path: "/v1/files/{file_key}/component_sets",
                tier: Tier::Three,
                scopes: &[Scope::LibraryContentRead, Scope::FilesRead],
                tokens: ANY_TOKEN,
                quirks: NO_QUIRKS,
            }),
            extra: NO_EXTRA,
        },
        Tool {
            name: "figma_component_set_get",
            title: "Get a component set",
            description: "One published component set by its key, with the file and node it stands for.",
            effect: Effect::Read,
            input: input::<ByKey>(),
            handler: Handler::Call(Endpoint {
                method: Method::Get,
                path: "/v1/component_sets/{key}",
                tier: Tier::Three,
                scopes: &[Scope::LibraryAssetsRead, Scope::FilesRead],
                tokens: ANY_TOKEN,
                quirks: NO_QUIRKS,
            }),
            extra: NO_EXTRA,
        },
        Tool {
            name: "figma_team_components_list",
            title: "List components of a team",
            description: "The components that a team has published, over all its files.",
            effect: Effect::Read,
            input: input::<OfTeam>(),
            handler: Handler::Call(Endpoint {
                method: Method::Get,
                path: "/v1/teams/{team_id}/components",
                tier: Tier::Three,
                scopes: &[Scope::TeamLibraryContentRead, Scope::FilesRead],
                tokens: ANY_TOKEN,
                quirks: Quirks { pagination: Pagination::AfterBefore, ..NO_QUIRKS },
            }),
            extra: Extra { rules: &[Rule::AtMostOne(&["after", "before"])], ..NO_EXTRA },
        },
        Tool {
            name: "figma_team_component_sets_list",
            title: "List component sets of a team",
            description: "The component sets that a team has published, over all its files.",
            effect: Effect::Read,
            input: input::<OfTeam>(),
            handler: Handler::Call(Endpoint {
                method: Method::Get,
                path: "/v1/teams/{team_id}/component_sets",
                tier: Tier::Three,
                scopes: &[Scope::TeamLibraryContentRead, Scope::FilesRead],
                tokens: ANY_TOKEN,
                quirks: Quirks { pagination: Pagination::AfterBefore, ..NO_QUIRKS },
            }),
            extra: Extra { rules: &[Rule::AtMostOne(&["after", "before"])], ..NO_EXTRA },
        },
        Tool {
            name: "figma_file_styles_list",
            title: "List styles of a file",
            description: "All styles that a file has published. For values read a style's node with `figma_file_nodes_get`.",
            effect: Effect::Read,
            input: input::<OfFile>(),
            handler: Handler::Call(Endpoint {
                method: Method::Get,
                path: "/v1/files/{file_key}/styles",
                tier: Tier::Three,
                scopes: &[Scope::LibraryContentRead, Scope::FilesRead],
                tokens: ANY_TOKEN,
                quirks: NO_QUIRKS,
            }),
            extra: NO_EXTRA,
        },
        Tool {
            name: "figma_style_get",
            title: "Get a style",
            description: "One published style by its key. For its values read its node with `figma_file_nodes_get`.",
            effect: Effect::Read,
            input: input::<ByKey>(),
            handler: Handler::Call(Endpoint {
                method: Method::Get,
                path: "/v1/styles/{key}",
                tier: Tier::Three,
                scopes: &[Scope::LibraryAssetsRead, Scope::FilesRead],
                tokens: ANY_TOKEN,
                quirks: NO_QUIRKS,
            }),
            extra: NO_EXTRA,
        },
        Tool {
            name: "figma_team_styles_list",
            title: "List styles of a team",
            description: "The styles that a team has published, over all its files.",
            effect: Effect::Read,
            input: input::<OfTeam>(),
            handler: Handler::Call(Endpoint {
                method: Method::Get,
                path: "/v1/teams/{team_id}/styles",
                tier: Tier::Three,
                scopes: &[Scope::TeamLibraryContentRead, Scope::FilesRead],
                tokens: ANY_TOKEN,
                quirks: Quirks { pagination: Pagination::AfterBefore, ..NO_QUIRKS },
            }),
            extra: Extra { rules: &[Rule::AtMostOne(&["after", "before"])], ..NO_EXTRA },
        },
    ],
};
