//! What this server knows of itself.

use super::{args::*, row::*};

pub(super) const TOOLSET: Toolset = Toolset {
    name: "status",
    description: "Whose token is in use, and what it can do.",
    everyday: true,
    tools: TOOLS,
};

const TOOLS: &[Tool] = &[Tool {
    name: "figma_status_get",
    title: "Get this server's status",
    description: "Whose token is in use, its kind and end, the tools it cannot call and why, and the calls made so far by tier.",
    effect: Effect::Read,
    input: input::<NoArgs>(),
    handler: Handler::Status,
    extra: NO_EXTRA,
}];
