//! Teams, their folders (called projects before) and the files in them; and who the token belongs to.
//!
//! Facts: `developers.figma.com/docs/rest-api/projects-endpoints`, `folders-endpoints` and
//! `users-endpoints`, and Figma's `OpenAPI` document. Figma replaces the `v1` project endpoints by
//! `v2` folder endpoints with scopes of their own; a token made for the one is refused by the other,
//! so each falls back to its twin. A project's id is its folder's id.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{args::*, row::*};

/// The projects of a team, as the twin of [`TEAM_FOLDERS`].
const TEAM_PROJECTS: Endpoint = Endpoint {
    method: Method::Get,
    path: "/v1/teams/{team_id}/projects",
    tier: Tier::Two,
    scopes: &[Scope::ProjectsRead, Scope::FilesRead],
    tokens: ANY_TOKEN,
    quirks: NO_QUIRKS,
};

/// The folders of a team.
const TEAM_FOLDERS: Endpoint = Endpoint {
    method: Method::Get,
    path: "/v2/teams/{team_id}/folders",
    tier: Tier::Two,
    scopes: &[Scope::FoldersRead],
    tokens: ANY_TOKEN,
    quirks: NO_QUIRKS,
};

/// The files of a project; [`FOLDER_FILES_BY_PROJECT`] and [`PROJECT_FILES_BY_FOLDER`] are its twins.
const PROJECT_FILES: Endpoint = Endpoint {
    method: Method::Get,
    path: "/v1/projects/{project_id}/files",
    tier: Tier::Two,
    scopes: &[Scope::ProjectsRead, Scope::FilesRead],
    tokens: ANY_TOKEN,
    quirks: NO_QUIRKS,
};
/// The same, for a row whose argument is the folder.
const PROJECT_FILES_BY_FOLDER: Endpoint =
    Endpoint { path: "/v1/projects/{folder_id}/files", ..PROJECT_FILES };

/// The files of a folder.
const FOLDER_FILES: Endpoint = Endpoint {
    method: Method::Get,
    path: "/v2/folders/{folder_id}/files",
    tier: Tier::Two,
    scopes: &[Scope::FoldersRead],
    tokens: ANY_TOKEN,
    quirks: NO_QUIRKS,
};
/// The same, for a row whose argument is the project.
const FOLDER_FILES_BY_PROJECT: Endpoint = Endpoint { path: "/v2/folders/{project_id}/files", ..FOLDER_FILES };

/// A project's metadata. The second scope is named by the documentation, not by the `OpenAPI` document.
const PROJECT_METADATA: Endpoint = Endpoint {
    method: Method::Get,
    path: "/v1/projects/{project_id}/meta",
    tier: Tier::Three,
    scopes: &[Scope::ProjectMetadataRead, Scope::ProjectsRead],
    tokens: ANY_TOKEN,
    quirks: NO_QUIRKS,
};
/// The same, for a row whose argument is the folder.
const PROJECT_METADATA_BY_FOLDER: Endpoint =
    Endpoint { path: "/v1/projects/{folder_id}/meta", ..PROJECT_METADATA };

/// A folder's metadata. Personal tokens are not offered its scope.
const FOLDER_METADATA: Endpoint = Endpoint {
    method: Method::Get,
    path: "/v2/folders/{folder_id}/meta",
    tier: Tier::Three,
    scopes: &[Scope::FolderMetadataRead],
    tokens: PLAN_OR_OAUTH,
    quirks: NO_QUIRKS,
};
/// The same, for a row whose argument is the project.
const FOLDER_METADATA_BY_PROJECT: Endpoint =
    Endpoint { path: "/v2/folders/{project_id}/meta", ..FOLDER_METADATA };

/// What the rows about one team take.
#[derive(Serialize, Deserialize, JsonSchema)]
struct OfTeam {
    team_id: TeamId,
}

pub(super) const TOOLSET: Toolset = Toolset {
    name: "teams",
    description: "The token's owner; teams, folders (projects) and their files.",
    everyday: false,
    tools: &[
        Tool {
            name: "figma_me_get",
            title: "Token owner",
            description: "Whose token this is: id, handle, e-mail, picture.",
            effect: Effect::Read,
            input: input::<NoArgs>(),
            handler: Handler::Call(Endpoint {
                method: Method::Get,
                path: "/v1/me",
                tier: Tier::Three,
                scopes: &[Scope::CurrentUserRead, Scope::FilesRead],
                tokens: PERSON,
                quirks: NO_QUIRKS,
            }),
            extra: NO_EXTRA,
        },
        Tool {
            name: "figma_team_get",
            title: "Get team",
            description: "A team's name and visible folders; no members, roles or plan.",
            effect: Effect::Read,
            input: input::<OfTeam>(),
            handler: Handler::TeamGet(Endpoint {
                quirks: Quirks { fallback: Some(&TEAM_PROJECTS), ..NO_QUIRKS },
                ..TEAM_FOLDERS
            }),
            extra: NO_EXTRA,
        },
        Tool {
            name: "figma_team_projects_list",
            title: "Team projects",
            description: "Visible projects of a team. Prefer `figma_team_folders_list`.",
            effect: Effect::Read,
            input: input::<OfTeam>(),
            handler: Handler::Call(Endpoint {
                quirks: Quirks { fallback: Some(&TEAM_FOLDERS), ..NO_QUIRKS },
                ..TEAM_PROJECTS
            }),
            extra: NO_EXTRA,
        },
        {
            #[derive(Serialize, Deserialize, JsonSchema)]
            struct Args {
                project_id: ProjectId,
                /// Add branches.
                branch_data: Option<bool>,
            }
            Tool {
                name: "figma_project_files_list",
                title: "Project files",
                description: "Files of a project. Prefer `figma_folder_files_list`.",
                effect: Effect::Read,
                input: input::<Args>(),
                handler: Handler::Call(Endpoint {
                    quirks: Quirks { fallback: Some(&FOLDER_FILES_BY_PROJECT), ..NO_QUIRKS },
                    ..PROJECT_FILES
                }),
                extra: NO_EXTRA,
            }
        },
        Tool {
            name: "figma_team_folders_list",
            title: "Team folders",
            description: "Folders of a team that the token can see.",
            effect: Effect::Read,
            input: input::<OfTeam>(),
            handler: Handler::Call(Endpoint {
                quirks: Quirks { fallback: Some(&TEAM_PROJECTS), ..NO_QUIRKS },
                ..TEAM_FOLDERS
            }),
            extra: NO_EXTRA,
        },
        {
            #[derive(Serialize, Deserialize, JsonSchema)]
            struct Args {
                folder_id: FolderId,
            }
            Tool {
                name: "figma_folder_folders_list",
                title: "Folders in a folder",
                description: "Folders directly in a folder (a project).",
                effect: Effect::Read,
                input: input::<Args>(),
                handler: Handler::Call(Endpoint {
                    method: Method::Get,
                    path: "/v2/folders/{folder_id}/folders",
                    tier: Tier::Two,
                    scopes: &[Scope::FoldersRead],
                    tokens: ANY_TOKEN,
                    quirks: NO_QUIRKS,
                }),
                extra: NO_EXTRA,
            }
        },
        {
            #[derive(Serialize, Deserialize, JsonSchema)]
            struct Args {
                folder_id: FolderId,
                /// Add branches.
                branch_data: Option<bool>,
            }
            Tool {
                name: "figma_folder_files_list",
                title: "Folder files",
                description: "Files directly in a folder: key, name, change.",
                effect: Effect::Read,
                input: input::<Args>(),
                handler: Handler::Call(Endpoint {
                    quirks: Quirks { fallback: Some(&PROJECT_FILES_BY_FOLDER), ..NO_QUIRKS },
                    ..FOLDER_FILES
                }),
                extra: NO_EXTRA,
            }
        },
        {
            #[derive(Serialize, Deserialize, JsonSchema)]
            struct Args {
                folder_id: FolderId,
            }
            Tool {
                name: "figma_folder_metadata_get",
                title: "Folder metadata",
                description: "A folder's name, number of files and dates.",
                effect: Effect::Read,
                input: input::<Args>(),
                handler: Handler::Call(Endpoint {
                    quirks: Quirks { fallback: Some(&PROJECT_METADATA_BY_FOLDER), ..NO_QUIRKS },
                    ..FOLDER_METADATA
                }),
                extra: Extra { aliases: &["figma_folder_meta_get"], ..NO_EXTRA },
            }
        },
        {
            #[derive(Serialize, Deserialize, JsonSchema)]
            struct Args {
                project_id: ProjectId,
            }
            Tool {
                name: "figma_project_metadata_get",
                title: "Project metadata",
                description: "A project's name, number of files and dates, for any token.",
                effect: Effect::Read,
                input: input::<Args>(),
                handler: Handler::Call(Endpoint {
                    quirks: Quirks { fallback: Some(&FOLDER_METADATA_BY_PROJECT), ..NO_QUIRKS },
                    ..PROJECT_METADATA
                }),
                extra: Extra { aliases: &["figma_project_meta_get"], ..NO_EXTRA },
            }
        },
    ],
};
