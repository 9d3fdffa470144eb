//! Understands a design: Figma's JSON in, something short out. Pure: no I/O, no clock.

pub mod comments;
pub mod context;
pub mod fold;
mod memo;
pub mod naming;
pub mod outline;
pub mod pieces;
pub mod search;
mod symbols;
mod table;
