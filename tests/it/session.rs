//! One tier 1 call, unlimited questions: what an agent asks in a session, and what Figma is asked for it.

use figma_mcp::sandbox::{CART_FRAME, CHECKOUT_FRAME, DETAIL_FRAME, HOME_FRAME, PRODUCT_FILE, STEPPER_SET};
use serde_json::{Value, json};

use crate::{client::Client, figma::Figma, golden, kept};

/// The questions: pages, frames, searches, pictures, comments, components.
fn questions() -> Vec<(&'static str, Value)> {
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

fn ask_all(server: &mut Client) {
    for (tool, arguments) in questions() {
        let result = server.call(tool, arguments);
        assert_eq!(result["isError"], false, "{tool}: {result}");
    }
}

#[test]
fn a_session_spends_two_tier_one_calls() {
    assert_eq!(questions().len(), 20);
    let figma = Figma::start();
    let (mut log, mut seen) = (String::new(), 0);
    let mut told = |when: &str| {
        let requests = figma.requests();
        log += &format!("# {when}\n");
        requests.iter().skip(seen).for_each(|line| log += &format!("{line}\n"));
        seen = requests.len();
    };
    let mut server = figma.server(&[]);
    ask_all(&mut server);
    told("20 questions");
    ask_all(&mut server);
    told("the same again");
    drop(server);
    kept::forget_stamps(&figma);
    ask_all(&mut figma.server(&[]));
    told("the same, after an idle minute and a restart");
    golden::assert_file("tests/golden/session.txt", &log);
    let requests = figma.requests();
    let spent = kept::tier_one(&requests);
    // The file and its pictures. With a call for each question that needs one, it would be 57.
    assert_eq!(spent.len(), 2, "{spent:?}");
}
