#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]
//! `figma-mcp`: an MCP server that gives AI agents the whole Figma REST API.

pub mod error;
pub mod reference;
pub mod rest;
pub mod sandbox;
pub mod table;
