//! `figma_team_get`: a team, as far as Figma shows one.
//!
//! Figma's API has no endpoint for a team. What it does offer is the list of the team's folders (or,
//! for older tokens, its projects), which comes with the team's name.

use serde_json::{Value, json};

use crate::{
    auth::Caller,
    error::{Error, Result},
    rest::{Rest, response::Output},
    table::{Endpoint, Tool, args::Args},
};

/// The team's name and what it holds, with what Figma does not offer said plainly.
pub(super) async fn get(
    rest: &Rest,
    caller: &Caller,
    tool: &'static Tool,
    endpoint: &'static Endpoint,
    args: &Args,
) -> Result<Output> {
    let answer = rest.call(caller, tool, endpoint, args).await?;
    let team: Value = serde_json::from_str(&answer.body)
        .map_err(|_| Error::BadAnswer { problem: "it is no list of folders".to_owned() })?;
    let (source, list) = match (team.get("folders"), team.get("projects")) {
        (Some(folders), _) => ("folders", folders),
        (None, Some(projects)) => ("projects", projects),
        (None, None) => {
            return Err(Error::BadAnswer { problem: "it lists neither folders nor projects".to_owned() });
        }
    };
    let folders: Vec<Value> = list.as_array().into_iter().flatten().map(id_and_name).collect();
    let body = json!({
        "id": args.get("team_id"),
        "name": team.get("name"),
        "folder_count": folders.len(),
        "folders": folders,
        "member_count": null,
        "source": source,
        "note": "Only folders that the token's owner can see. Figma's REST API does not expose a team's members, roles or plan.",
    });
    Ok(Output { notes: answer.notes, ..Output::json(body.to_string()) })
}

fn id_and_name(folder: &Value) -> Value {
    json!({ "id": folder.get("id"), "name": folder.get("name") })
}
