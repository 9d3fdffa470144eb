//! Questions about results that were too large to be shown.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{args::*, row::*};

pub(super) const TOOLSET: Toolset = Toolset {
    name: "results",
    description: "Questions about large results, without another call.",
    everyday: true,
    tools: TOOLS,
};

const TOOLS: &[Tool] = &[{
    #[derive(Serialize, Deserialize, JsonSchema)]
    struct Args {
        /// Of an answer.
        result_id: Option<String>,
        /// A reading tool.
        tool: Option<String>,
        /// Its arguments.
        arguments: Option<Map<String, Value>>,
        /// jq, as .comments[].id.
        filter: Option<String>,
        /// To skip.
        offset: Option<u32>,
        /// At most.
        limit: Option<u32>,
    }
    Tool {
        name: "figma_result_query",
        title: "Query result",
        description: "Filters (jq) or pages an earlier result, or tool's answer.",
        effect: Effect::Read,
        input: input::<Args>(),
        handler: Handler::ResultQuery,
        extra: Extra {
            rules: &[Rule::OneOf(&[&["result_id"], &["tool"]]), Rule::Needs("arguments", "tool")],
            ..NO_EXTRA
        },
    }
}];
