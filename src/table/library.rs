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
    /// Default 30.
    #[schemars(range(min = 1, max = 1000))]
    page_size: Option<u32>,
    /// Next page.
    after: Option<u64>,
    /// Page before.
    before: Option<u64>,
}

pub(super) const TOOLSET: Toolset = Toolset {
    name: "library",
    description: "Published components, component sets and styles.",
    everyday: true,
    tools: &[
        Tool {
            name: "figma_file_components_list",
            title: "File components",
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
            title: "Component",
            description: "A published component by key: file, node.",
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
            title: "File component sets",
            description: "All component sets (variants) that a file has published.",
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
            title: "Component set",
            description: "A published component set by key: file, node.",
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
            title: "Team components",
            description: "Components that the files of a team publish.",
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
            title: "Team component sets",
            description: "Component sets that the files of a team publish.",
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
            title: "File styles",
            description: "All styles that a file has published; values: `figma_file_nodes_get`.",
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
            title: "Style",
            description: "A published style by key: its file and node.",
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
            title: "Team styles",
            description: "Styles that the files of a team publish.",
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
