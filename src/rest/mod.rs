//! The shared REST layer: the only room that calls Figma's API. It knows no tool by name.

pub mod request;
