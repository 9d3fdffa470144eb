//! What to do about a file that is too large for one answer.

/// How to read a file in parts, and what it costs.
pub(super) fn page_by_page(pages: &[String]) -> String {
    const MOST: usize = 40;
    let some: Vec<&str> = pages.iter().take(MOST).map(String::as_str).collect();
    let more = if pages.len() > MOST { " and more" } else { "" };
    format!(
        "Call again with the ids of the nodes or pages that are needed: together they take one tier 1 call. All pages, one at a time, would take {}. They are {}{more}; `figma_file_get` with `depth`: 1 names them.",
        pages.len(),
        some.join(", ")
    )
}
