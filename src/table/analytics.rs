//! Library analytics: how published components, styles and variables are used. Enterprise.
//!
//! Facts: `developers.figma.com/docs/rest-api/library-analytics-endpoints` and Figma's `OpenAPI` document.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{args::*, date::check_period, row::*};

/// What the three lists of actions take; `G` is what their rows can be grouped by.
#[derive(Serialize, Deserialize, JsonSchema)]
struct Actions<G> {
    file_key: MainFileKey,
    /// A row each.
    group_by: G,
    /// YYYY-MM-DD.
    start_date: Option<String>,
    /// Last day.
    end_date: Option<String>,
    /// Next page.
    cursor: Option<String>,
}

/// What the three lists of usages take: a snapshot, so there are no dates.
#[derive(Serialize, Deserialize, JsonSchema)]
struct Usages<G> {
    file_key: MainFileKey,
    /// A row each.
    group_by: G,
    /// Next page.
    cursor: Option<String>,
}

/// Figma's pages hold up to 1,000 rows.
const QUIRKS: Quirks = Quirks {
    plan: Plan::Enterprise,
    pagination: Pagination::Cursor { cursor: "/cursor", has_more: "/next_page" },
    ..NO_QUIRKS
};

pub(super) const TOOLSET: Toolset = Toolset {
    name: "analytics",
    description: "How a library's components, styles and variables are used.",
    everyday: false,
    tools: &[
        {
            #[derive(Serialize, Deserialize, JsonSchema)]
            #[serde(rename_all = "lowercase")]
            enum GroupBy {
                Component,
                Team,
            }
            Tool {
                name: "figma_library_analytics_component_actions_get",
                title: "Component actions",
                description: "Weekly insertions and detachments of a library's components.",
                effect: Effect::Read,
                input: input::<Actions<GroupBy>>(),
                handler: Handler::Call(Endpoint {
                    method: Method::Get,
                    path: "/v1/analytics/libraries/{file_key}/component/actions",
                    tier: Tier::Three,
                    scopes: &[Scope::LibraryAnalyticsRead],
                    tokens: ANY_TOKEN,
                    quirks: QUIRKS,
                }),
                extra: Extra { rules: &[Rule::Check(check_period)], ..NO_EXTRA },
            }
        },
        {
            #[derive(Serialize, Deserialize, JsonSchema)]
            #[serde(rename_all = "lowercase")]
            enum GroupBy {
                Component,
                File,
            }
            Tool {
                name: "figma_library_analytics_component_usages_get",
                title: "Component usages",
                description: "Current use of a library's components: teams, files.",
                effect: Effect::Read,
                input: input::<Usages<GroupBy>>(),
                handler: Handler::Call(Endpoint {
                    method: Method::Get,
                    path: "/v1/analytics/libraries/{file_key}/component/usages",
                    tier: Tier::Three,
                    scopes: &[Scope::LibraryAnalyticsRead],
                    tokens: ANY_TOKEN,
                    quirks: QUIRKS,
                }),
                extra: NO_EXTRA,
            }
        },
        {
            #[derive(Serialize, Deserialize, JsonSchema)]
            #[serde(rename_all = "lowercase")]
            enum GroupBy {
                Style,
                Team,
            }
            Tool {
                name: "figma_library_analytics_style_actions_get",
                title: "Style actions",
                description: "Weekly insertions and detachments of a library's styles.",
                effect: Effect::Read,
                input: input::<Actions<GroupBy>>(),
                handler: Handler::Call(Endpoint {
                    method: Method::Get,
                    path: "/v1/analytics/libraries/{file_key}/style/actions",
                    tier: Tier::Three,
                    scopes: &[Scope::LibraryAnalyticsRead],
                    tokens: ANY_TOKEN,
                    quirks: QUIRKS,
                }),
                extra: Extra { rules: &[Rule::Check(check_period)], ..NO_EXTRA },
            }
        },
        {
            #[derive(Serialize, Deserialize, JsonSchema)]
            #[serde(rename_all = "lowercase")]
            enum GroupBy {
                Style,
                File,
            }
            Tool {
                name: "figma_library_analytics_style_usages_get",
                title: "Style usages",
                description: "Current use of a library's styles: teams, files.",
                effect: Effect::Read,
                input: input::<Usages<GroupBy>>(),
                handler: Handler::Call(Endpoint {
                    method: Method::Get,
                    path: "/v1/analytics/libraries/{file_key}/style/usages",
                    tier: Tier::Three,
                    scopes: &[Scope::LibraryAnalyticsRead],
                    tokens: ANY_TOKEN,
                    quirks: QUIRKS,
                }),
                extra: NO_EXTRA,
            }
        },
        {
            #[derive(Serialize, Deserialize, JsonSchema)]
            #[serde(rename_all = "lowercase")]
            enum GroupBy {
                Variable,
                Team,
            }
            Tool {
                name: "figma_library_analytics_variable_actions_get",
                title: "Variable actions",
                description: "Weekly insertions and detachments of a library's variables.",
                effect: Effect::Read,
                input: input::<Actions<GroupBy>>(),
                handler: Handler::Call(Endpoint {
                    method: Method::Get,
                    path: "/v1/analytics/libraries/{file_key}/variable/actions",
                    tier: Tier::Three,
                    scopes: &[Scope::LibraryAnalyticsRead],
                    tokens: ANY_TOKEN,
                    quirks: QUIRKS,
                }),
                extra: Extra { rules: &[Rule::Check(check_period)], ..NO_EXTRA },
            }
        },
        {
            #[derive(Serialize, Deserialize, JsonSchema)]
            #[serde(rename_all = "lowercase")]
            enum GroupBy {
                Variable,
                File,
            }
            Tool {
                name: "figma_library_analytics_variable_usages_get",
                title: "Variable usages",
                description: "Current use of a library's variables: teams, files.",
                effect: Effect::Read,
                input: input::<Usages<GroupBy>>(),
                handler: Handler::Call(Endpoint {
                    method: Method::Get,
                    path: "/v1/analytics/libraries/{file_key}/variable/usages",
                    tier: Tier::Three,
                    scopes: &[Scope::LibraryAnalyticsRead],
                    tokens: ANY_TOKEN,
                    quirks: QUIRKS,
                }),
                extra: NO_EXTRA,
            }
        },
    ],
};
