//! What to do about a file that is too large for one answer.

/// How to read a file in parts, and what it costs. `page` is too large by itself.
pub(super) fn page_by_page(pages: &[String], calls: usize, page: Option<&str>) -> String {
    const MOST: usize = 40;
    if let Some(page) = page {
        return format!(
            "Page {page} is too large for one answer by itself: read it in parts, by `figma_file_nodes_get` with `ids` [\"{page}\"] and `depth` 2, then by the ids that this names. The other pages can be read by their ids."
        );
    }
    let some: Vec<&str> = pages.iter().take(MOST).map(String::as_str).collect();
    let more = if pages.len() > MOST { " and more" } else { "" };
    format!(
        "Call again with the ids of the nodes or pages that are needed: together they take one tier 1 call. Or have all pages fetched, once, for {calls} tier 1 calls: `figma_design_context_get` with `max_calls`: {calls}; every tool answers from them then. The pages are {}{more}; `figma_file_get` with `depth`: 1 names them.",
        some.join(", ")
    )
}
