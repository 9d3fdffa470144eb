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
    title: "Status",
    description: "Token owner, kind, expiry; tools it cannot call; calls so far.",
    effect: Effect::Read,
    input: input::<NoArgs>(),
    handler: Handler::Status,
    extra: NO_EXTRA,
}];
