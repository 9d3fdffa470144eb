//! The integration tests: one binary, a module per room or promise.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::needless_pass_by_value,
    clippy::print_stdout,
    clippy::print_stderr
)]

mod answers;
mod arguments;
mod auth;
mod cli;
mod client;
mod comments;
mod design;
mod design_facts;
mod design_properties;
mod design_sharing;
mod design_tree;
mod errors;
mod faults;
mod figma;
mod generated;
mod golden;
mod handoff;
mod http;
mod http_access;
mod http_tls;
mod images;
mod kept;
mod leaks;
mod names;
mod oauth;
mod program;
mod prompts;
mod readme;
mod requests;
mod resources;
mod results;
mod rooms;
mod search;
mod server;
mod session;
mod source;
mod table;
mod web;
