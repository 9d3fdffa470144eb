//! Advice that fits the tool that was called.

use crate::{error::Error, table::Tool};

/// An error as whoever called this tool can use it: what would be smaller is asked for by arguments that
/// the tool has.
pub(super) fn for_tool(error: Error, tool: &Tool) -> Error {
    match error {
        Error::TooLarge { limit, smaller } => Error::TooLarge { limit, smaller: fitting(smaller, tool) },
        other => other,
    }
}

/// This advice where the tool has every argument that it names, else what the tool does have.
fn fitting(smaller: &'static str, tool: &Tool) -> &'static str {
    let schema = (tool.input.schema)();
    let has = |name: &str| schema.get("properties").is_some_and(|properties| properties.get(name).is_some());
    let is_argument = |name: &&str| !name.starts_with("figma_");
    if smaller.split('`').skip(1).step_by(2).filter(is_argument).all(has) {
        smaller
    } else if has("node_ids") {
        "Call again with `node_ids` of smaller parts: `figma_file_get` with `depth` 2 names the frames, `figma_file_nodes_get` with `depth` 1 what is in a node."
    } else if has("node_id") {
        "Call again with the `node_id` of a smaller part: `figma_file_nodes_get` with `depth` 1 names what is in a node."
    } else if has("ids") {
        "Give fewer `ids`, or those of smaller parts."
    } else {
        "`figma_file_get` with `depth` 1 gives an outline, `figma_file_nodes_get` then what is needed."
    }
}
