//! Administration: payments, activity and developer logs, AI usage; and embeds.
//!
//! Facts: `developers.figma.com/docs/rest-api` (payments, activity logs, developer logs, AI usage and
//! oEmbed endpoints) and Figma's `OpenAPI` document.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{args::*, date::check_period, row::*};

/// Earlier lists of other servers name what was bought by `resource_type` and `resource_id`.
fn adapt_resource(args: &mut Args) {
    let kind = args.get("resource_type").and_then(Value::as_str).map(str::to_ascii_uppercase);
    let name = match kind.as_deref() {
        Some("PLUGIN") => "plugin_id",
        Some("WIDGET") => "widget_id",
        Some("COMMUNITY_FILE") => "community_file_id",
        _ => return,
    };
    if let Some(id) = args.remove("resource_id") {
        args.remove("resource_type");
        args.entry(name).or_insert(id);
    }
}

/// The documentation calls a developer token a personal access token.
fn adapt_token_type(args: &mut Args) {
    let kind = args.get("token_type").and_then(Value::as_str);
    if kind.is_some_and(|kind| kind.eq_ignore_ascii_case("personal_access_token")) {
        args.insert("token_type".to_owned(), Value::from("developer_token"));
    }
}

pub(super) const TOOLSET: Toolset = Toolset {
    name: "admin",
    description: "Payments, activity logs, developer logs, AI usage and embeds.",
    everyday: false,
    tools: &[
        {
            #[derive(Serialize, Deserialize, JsonSchema)]
            struct Args {
                /// Of getPluginPaymentTokenAsync.
                plugin_payment_token: Option<String>,
                /// Buyer.
                user_id: Option<String>,
                /// Bought.
                plugin_id: Option<String>,
                /// Bought.
                widget_id: Option<String>,
                /// Bought.
                community_file_id: Option<String>,
            }
            Tool {
                name: "figma_payments_get",
                title: "Payment",
                description: "Whether a user paid for the token owner's resource.",
                effect: Effect::Read,
                input: input::<Args>(),
                handler: Handler::Call(Endpoint {
                    method: Method::Get,
                    path: "/v1/payments",
                    tier: Tier::Three,
                    scopes: &[],
                    tokens: PERSONAL_ONLY,
                    quirks: NO_QUIRKS,
                }),
                extra: Extra {
                    rules: &[Rule::OneOf(&[
                        &["plugin_payment_token"],
                        &["user_id", "plugin_id"],
                        &["user_id", "widget_id"],
                        &["user_id", "community_file_id"],
                    ])],
                    adapt: Some(adapt_resource),
                    ..NO_EXTRA
                },
            }
        },
        {
            #[derive(Serialize, Deserialize, JsonSchema)]
            #[serde(rename_all = "lowercase")]
            enum Order {
                Asc,
                Desc,
            }
            #[derive(Serialize, Deserialize, JsonSchema)]
            struct Args {
                /// Types, as org_user_create.
                events: Option<Vec<String>>,
                /// Unix; default: a year ago.
                start_time: Option<u64>,
                /// Unix; default: now.
                end_time: Option<u64>,
                /// Default 1000.
                #[schemars(range(min = 1, max = 1000))]
                limit: Option<u32>,
                /// Default asc.
                order: Option<Order>,
                /// Next page.
                cursor: Option<String>,
            }
            Tool {
                name: "figma_activity_logs_list",
                title: "Activity logs",
                description: "Who did what in the organisation, for a year. OAuth: admins only.",
                effect: Effect::Read,
                input: input::<Args>(),
                handler: Handler::Call(Endpoint {
                    method: Method::Get,
                    path: "/v1/activity_logs",
                    tier: Tier::Three,
                    scopes: &[Scope::ActivityLogRead],
                    tokens: PLAN_OR_OAUTH,
                    quirks: Quirks {
                        plan: Plan::Enterprise,
                        pagination: Pagination::Cursor {
                            cursor: "/meta/cursor",
                            has_more: "/meta/next_page",
                        },
                        ..NO_QUIRKS
                    },
                }),
                extra: Extra {
                    argument_aliases: &[("event_type", "events")],
                    ignored_arguments: &["org_id", "next_page"],
                    ..NO_EXTRA
                },
            }
        },
        {
            #[derive(Serialize, Deserialize, JsonSchema)]
            enum TokenType {
                #[serde(rename = "plan_access_token")]
                Plan,
                #[serde(rename = "developer_token")]
                Developer,
                #[serde(rename = "oauth_token")]
                OAuth,
            }
            #[derive(Serialize, Deserialize, JsonSchema)]
            #[serde(rename_all = "snake_case")]
            enum EventSource {
                RestApi,
                McpServer,
            }
            #[derive(Serialize, Deserialize, JsonSchema)]
            enum DateRange {
                #[serde(rename = "last_24h")]
                Day,
                #[serde(rename = "last_7d")]
                Week,
                #[serde(rename = "last_30d")]
                Month,
            }
            #[derive(Serialize, Deserialize, JsonSchema)]
            struct Args {
                /// developer_token: personal.
                token_type: Option<TokenType>,
                /// The secret.
                token: Option<String>,
                /// Its name.
                token_name: Option<String>,
                /// Caller.
                user_email: Option<String>,
                /// Prefixes, with commas.
                ip_address: Option<String>,
                /// What was called.
                event_source: Option<EventSource>,
                /// Default last_30d.
                date_range: Option<DateRange>,
                /// Default 25.
                #[schemars(range(min = 1, max = 100))]
                limit: Option<u32>,
                /// Next page.
                cursor: Option<String>,
            }
            Tool {
                name: "figma_developer_logs_list",
                title: "Developer logs",
                description: "Calls of Figma's API and MCP server in 30 days, newest first.",
                effect: Effect::Read,
                input: input::<Args>(),
                handler: Handler::Call(Endpoint {
                    method: Method::Post,
                    path: "/v1/developer_logs",
                    tier: Tier::Three,
                    scopes: &[Scope::DeveloperLogRead],
                    tokens: PLAN_ONLY,
                    quirks: Quirks {
                        plan: Plan::Governance,
                        pagination: Pagination::Cursor { cursor: "/meta/cursor", has_more: "/meta/has_more" },
                        ..NO_QUIRKS
                    },
                }),
                extra: Extra { adapt: Some(adapt_token_type), ..NO_EXTRA },
            }
        },
        {
            #[derive(Serialize, Deserialize, JsonSchema)]
            struct Args {
                /// YYYY-MM-DD, from 2025-12-01.
                start_date: String,
                /// Last day.
                end_date: String,
                /// Only this user.
                user_email: Option<String>,
                /// Default 1000.
                #[schemars(range(min = 1, max = 1000))]
                limit: Option<u32>,
                /// Next page.
                cursor: Option<String>,
            }
            Tool {
                name: "figma_ai_usage_list",
                title: "AI usage",
                description: "AI credits per user and day, for 366 days.",
                effect: Effect::Read,
                input: input::<Args>(),
                handler: Handler::Call(Endpoint {
                    method: Method::Get,
                    path: "/v1/ai_usage/daily",
                    tier: Tier::Three,
                    scopes: &[Scope::AiUsageRead],
                    tokens: PLAN_ONLY,
                    quirks: Quirks {
                        plan: Plan::Enterprise,
                        pagination: Pagination::Cursor { cursor: "/next_cursor", has_more: "/has_next_page" },
                        ..NO_QUIRKS
                    },
                }),
                extra: Extra {
                    aliases: &["figma_ai_usage_daily_get"],
                    rules: &[Rule::Check(check_period)],
                    ..NO_EXTRA
                },
            }
        },
        {
            #[derive(Serialize, Deserialize, JsonSchema)]
            struct Args {
                /// Of file, prototype or site.
                url: String,
                /// Default 800.
                #[schemars(range(min = 1))]
                maxwidth: Option<u32>,
                /// Default 450.
                #[schemars(range(min = 1))]
                maxheight: Option<u32>,
            }
            Tool {
                name: "figma_oembed_get",
                title: "Embed",
                description: "HTML to embed a file or site, title and thumbnail.",
                effect: Effect::Read,
                input: input::<Args>(),
                handler: Handler::Call(Endpoint {
                    method: Method::Get,
                    path: "/v1/oembed",
                    tier: Tier::Three,
                    scopes: &[Scope::FileMetadataRead],
                    tokens: PERSON,
                    quirks: NO_QUIRKS,
                }),
                extra: NO_EXTRA,
            }
        },
    ],
};
