#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]
//! `figma-mcp`: an MCP server that gives AI agents the whole Figma REST API.
//!
//! # The map
//!
//! | Room | Purpose | May use |
//! |---|---|---|
//! | [`cli`] | What a person types | every other room |
//! | [`server`] | MCP: lists rows, runs one, shapes the result | dispatch, auth, table, error |
//! | [`dispatch`] | Runs one tool: checks its arguments, then one call or one composition | rest, design, walk, disk, auth, table, error |
//! | [`disk`] | Writes images below one allowed folder | error |
//! | [`rest`] | The shared REST layer: request, queue, retry, answer | auth, store, walk, table, error |
//! | [`design`] | Understands a design: Figma's JSON in, something short out; pure | walk, error |
//! | [`walk`] | Walks the nodes of an answer as it arrives; pure | error |
//! | [`store`] | What outlives a call, in `SQLite`, opened lazily | error |
//! | [`auth`] | Kinds of token, and where they come from | table, error |
//! | [`sandbox`] | A fake Figma on loopback, routed by the table | table, error |
//! | [`mod@reference`] | The table as Markdown | table, settings |
//! | [`settings`] | Every flag and environment variable | table, error |
//! | [`table`] | The tools, one row each, and how arguments are checked | error |
//! | [`mod@error`] | What happened, why, what to do next | nothing |
//!
//! The arrows are a test: `tests/it/rooms.rs`.
//!
//! # Five-minute tour
//!
//! Read `table/files.rs`, then `dispatch/mod.rs`, then `rest/mod.rs`: one tool from its declaration to
//! the wire.
//!
//! # The next tool
//!
//! 1. Write one block in the file of its toolset: copy its neighbour.
//! 2. `BLESS=1 cargo test` rewrites `tool-schemas/NAME.json`, the README's tables and the golden request
//!    lines, and checks the whole table.
//! 3. Read the diff, and add a line to `CHANGELOG.md`.

pub mod auth;
pub mod cli;
pub mod design;
pub mod disk;
pub mod dispatch;
pub mod error;
pub mod reference;
pub mod rest;
pub mod sandbox;
pub mod server;
pub mod settings;
pub mod store;
pub mod table;
pub mod walk;
