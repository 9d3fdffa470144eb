//! What an agent asks of one file in a session; `benches/files.rs` asks the same.

use figma_mcp::sandbox::{CART_FRAME, CHECKOUT_FRAME, DETAIL_FRAME, HOME_FRAME, PRODUCT_FILE, STEPPER_SET};
use serde_json::{Value, json};

/// The questions: pages, frames, searches, pictures, comments, components.
pub(crate) fn questions() -> Vec<(&'static str, Value)> {
    let file = |more: Value| {
        let mut arguments = json!({ "file_key": PRODUCT_FILE });
        arguments.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        arguments
    };
    let mut all = vec![("figma_file_get", file(json!({ "depth": 1 })))];
    for frame in [HOME_FRAME, DETAIL_FRAME, CART_FRAME, CHECKOUT_FRAME] {
        all.push(("figma_design_context_get", file(json!({ "node_ids": [frame] }))));
    }
    for frame in [STEPPER_SET, HOME_FRAME] {
        all.push(("figma_file_nodes_get", file(json!({ "ids": [frame], "depth": 1 }))));
    }
    for query in ["checkout", "cart", "price", "button"] {
        all.push(("figma_nodes_search", file(json!({ "query": query }))));
    }
    let pictures = json!({ "ids": [HOME_FRAME, DETAIL_FRAME, CART_FRAME] });
    all.push(("figma_file_images_render", file(pictures)));
    all.push(("figma_comments_digest_get", file(json!({}))));
    all.push(("figma_file_components_list", file(json!({}))));
    all.push(("figma_file_get", file(json!({ "depth": 2 }))));
    all.push(("figma_file_get", file(json!({ "ids": [CART_FRAME] }))));
    all.push(("figma_file_nodes_get", file(json!({ "ids": [CART_FRAME, CHECKOUT_FRAME] }))));
    all.push(("figma_design_context_get", file(json!({}))));
    all.push(("figma_comments_digest_get", file(json!({ "group_by": "author" }))));
    let filtered = json!({ "tool": "figma_file_get", "arguments": { "file_key": PRODUCT_FILE, "depth": 1 }, "filter": ".name" });
    all.push(("figma_result_query", filtered));
    all
}
