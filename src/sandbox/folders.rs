//! Teams, their folders (projects) and the files in them.

use serde_json::{Map, Value, json};

use super::{
    answer::{Answer, Outcome, Refusal},
    route::Call,
    state::World,
    tree::{self, list, text},
};

/// The team, if it is the one that there is.
pub(super) fn check_team<'a>(call: &'a Call, id: &str) -> Result<&'a Value, Refusal> {
    let team = call.world.data.workspace().get("team");
    team.filter(|team| text(team, "id") == id).ok_or_else(Refusal::not_found)
}

fn folder<'a>(call: &'a Call) -> Result<&'a Value, Refusal> {
    call.world.folder(call.arg(0)).ok_or_else(Refusal::not_found)
}

/// The folders that lie directly in this one; `None`: in the team.
fn inside(world: &World, parent: Option<&str>) -> Vec<Value> {
    let folders = list(world.data.workspace(), "folders").iter();
    folders
        .filter(|folder| folder.get("parent_folder_id").and_then(Value::as_str) == parent)
        .map(|folder| {
            json!({
                "id": text(folder, "id"),
                "name": text(folder, "name"),
                "parent_folder_id": folder.get("parent_folder_id"),
            })
        })
        .collect()
}

/// `GET /v2/teams/{team_id}/folders`.
pub(super) fn team_folders(call: &Call) -> Outcome {
    let team = check_team(call, call.arg(0))?;
    Answer::json(&json!({ "name": text(team, "name"), "folders": inside(call.world, None) }))
}

/// `GET /v1/teams/{team_id}/projects`: the same by its older name.
pub(super) fn team_projects(call: &Call) -> Outcome {
    let team = check_team(call, call.arg(0))?;
    let projects = inside(call.world, None);
    let projects: Vec<Value> = projects
        .iter()
        .map(|folder| json!({ "id": text(folder, "id"), "name": text(folder, "name") }))
        .collect();
    Answer::json(&json!({ "name": text(team, "name"), "projects": projects }))
}

/// `GET /v2/folders/{folder_id}/folders`.
pub(super) fn folder_folders(call: &Call) -> Outcome {
    let folder = folder(call)?;
    Answer::json(&json!({ "name": text(folder, "name"), "folders": inside(call.world, Some(call.arg(0))) }))
}

/// `GET /v2/folders/{folder_id}/files`, and by its older name `GET /v1/projects/{project_id}/files`.
pub(super) fn folder_files(call: &Call) -> Outcome {
    let folder = folder(call)?;
    let with_branches = call.flag("branch_data");
    let keys = list(folder, "files").iter().filter_map(Value::as_str);
    let files: Vec<Value> = keys.filter_map(|key| listed(call.world, key, with_branches)).collect();
    Answer::json(&json!({ "name": text(folder, "name"), "files": files }))
}

fn listed(world: &World, key: &str, with_branches: bool) -> Option<Value> {
    let file = world.data.file(key)?;
    let mut entry = json!({
        "key": key,
        "name": file.head.get("name"),
        "thumbnail_url": world.url(&format!("/images/fill/{key}.png")),
        "last_modified": file.head.get("lastModified"),
    });
    if with_branches {
        let branches = list(world.data.about(key), "branches").iter();
        let plain = |branch: &Value| {
            let mut branch = world.localized(branch);
            branch.as_object_mut().map(|fields: &mut Map<_, _>| fields.remove("link_access"));
            branch
        };
        tree::set(&mut entry, "branches", branches.map(plain).collect());
    }
    Some(entry)
}

/// `GET /v2/folders/{folder_id}/meta` and `GET /v1/projects/{project_id}/meta`.
pub(super) fn folder_metadata(call: &Call) -> Outcome {
    let folder = folder(call)?;
    Answer::json(&json!({
        "id": text(folder, "id"),
        "name": text(folder, "name"),
        "thumbnail_url": null,
        "file_count": list(folder, "files").len(),
        "updated_at": text(folder, "updated_at"),
        "created_at": text(folder, "created_at"),
    }))
}
