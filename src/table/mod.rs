//! The table: one row per tool. Pure data and what reads it; nothing here does I/O.
//!
//! Everything about a tool stands in its row: the MCP listing, the argument checks, the HTTP request,
//! the sandbox's routes, `tool-schemas/` and the README's tables are all made from it. To add a tool,
//! write one block in the file of its toolset and run `BLESS=1 cargo test`.

// Arguments' documentation is what models read and pay for: backticks are tokens.
#![allow(clippy::doc_markdown)]

pub mod args;
pub mod definition;
pub mod figma_url;
mod fit;
mod row;
mod selection;

mod admin;
mod analytics;
mod comments;
mod date;
mod designs;
mod dev_resources;
mod files;
mod library;
mod names;
mod results;
mod status;
mod teams;
mod variables;
mod webhooks;

use std::{collections::HashMap, sync::LazyLock};

use foldhash::fast::RandomState;

pub use names::{NAME_SETS, NameSet, Named, named};
pub use row::*;
pub use selection::Selection;

/// Every toolset, in the order in which its tools are listed.
pub const TOOLSETS: &[Toolset] = &[
    files::TOOLSET,
    comments::TOOLSET,
    library::TOOLSET,
    designs::TOOLSET,
    variables::TOOLSET,
    teams::TOOLSET,
    dev_resources::TOOLSET,
    webhooks::TOOLSET,
    analytics::TOOLSET,
    admin::TOOLSET,
    results::TOOLSET,
    status::TOOLSET,
];

/// Every tool, in the order in which it is listed.
pub fn tools() -> impl Iterator<Item = &'static Tool> {
    TOOLSETS.iter().flat_map(|set| set.tools)
}

/// The tool of this name or alias, also by other servers' names.
#[must_use]
pub fn find(name: &str) -> Option<&'static Tool> {
    static FOUND: LazyLock<HashMap<&str, &Tool, RandomState>> = LazyLock::new(|| {
        let mut found = HashMap::default();
        for tool in tools().chain(named().map(|named| &named.tool)) {
            for name in std::iter::once(&tool.name).chain(tool.extra.aliases) {
                // What stands first in the table has the name.
                found.entry(*name).or_insert(tool);
            }
        }
        found
    });
    FOUND.get(name).copied()
}
