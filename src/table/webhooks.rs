//! Webhooks of teams, projects and files.
//!
//! Facts: `developers.figma.com/docs/rest-api/webhooks-endpoints` and Figma's `OpenAPI` document.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{args::*, row::*};

/// What can be subscribed to. `PING` is in Figma's list too, but only Figma sends it.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum EventType {
    FileUpdate,
    FileVersionUpdate,
    FileDelete,
    LibraryPublish,
    FileComment,
    DevModeStatusUpdate,
}

/// What a webhook watches. Figma calls a folder a project here.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Context {
    Team,
    Project,
    File,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
enum Status {
    Active,
    Paused,
}

/// What the rows about one webhook take.
#[derive(Serialize, Deserialize, JsonSchema)]
struct OfWebhook {
    webhook_id: WebhookId,
}

/// Deliveries go to a web address.
fn check_endpoint(args: &Args) -> Result<(), (&'static str, String)> {
    let is_web = |url: &str| {
        let scheme = url.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
        scheme.is_some_and(|scheme| scheme == "https" || scheme == "http")
    };
    match args.get("endpoint").and_then(Value::as_str) {
        Some(url) if !is_web(url) => Err(("endpoint", "must begin with https:// or http://".to_owned())),
        _ => Ok(()),
    }
}

/// Before webhooks of files and projects, there was only `team_id`; and a folder is a project here.
fn adapt_context(args: &mut Args) {
    if let Some(team) = args.remove("team_id") {
        args.entry("context").or_insert_with(|| Value::from("team"));
        args.entry("context_id").or_insert(team);
    }
    if args.get("context").and_then(Value::as_str).is_some_and(|name| name.eq_ignore_ascii_case("folder")) {
        args.insert("context".to_owned(), Value::from("project"));
    }
}

/// The deprecated path: the only one that a token with nothing but `files:read` may call.
const TEAM_WEBHOOKS: Endpoint = Endpoint {
    method: Method::Get,
    path: "/v2/teams/{context_id}/webhooks",
    tier: Tier::Two,
    scopes: &[Scope::WebhooksRead, Scope::FilesRead],
    tokens: ANY_TOKEN,
    quirks: Quirks { plan: Plan::Paid, ..NO_QUIRKS },
};

pub(super) const TOOLSET: Toolset = Toolset {
    name: "webhooks",
    description: "Webhooks of teams, projects and files.",
    everyday: false,
    tools: &[
        {
            #[derive(Serialize, Deserialize, JsonSchema)]
            struct Args {
                /// What to tell.
                event_type: EventType,
                /// A folder is a project.
                context: Context,
                context_id: ContextId,
                /// Receives the events.
                #[schemars(length(min = 1, max = 2048))]
                endpoint: String,
                /// At most 100 characters.
                #[schemars(length(max = 100))]
                passcode: String,
                /// Default ACTIVE: sends a PING.
                status: Option<Status>,
                /// At most 140 characters.
                #[schemars(length(max = 140))]
                description: Option<String>,
            }
            Tool {
                name: "figma_webhook_create",
                title: "Create webhook",
                description: "Subscribes an address to events of a team (admins), project or file (editors).",
                effect: Effect::Create { verify_with: "figma_webhooks_list" },
                input: input::<Args>(),
                handler: Handler::Call(Endpoint {
                    method: Method::Post,
                    path: "/v2/webhooks",
                    tier: Tier::Two,
                    scopes: &[Scope::WebhooksWrite],
                    tokens: ANY_TOKEN,
                    quirks: Quirks { plan: Plan::Paid, ..NO_QUIRKS },
                }),
                extra: Extra {
                    rules: &[Rule::Check(check_endpoint)],
                    adapt: Some(adapt_context),
                    ..NO_EXTRA
                },
            }
        },
        Tool {
            name: "figma_webhook_get",
            title: "Get webhook",
            description: "A webhook: event, context, address, status; no passcode.",
            effect: Effect::Read,
            input: input::<OfWebhook>(),
            handler: Handler::Call(Endpoint {
                method: Method::Get,
                path: "/v2/webhooks/{webhook_id}",
                tier: Tier::Two,
                scopes: &[Scope::WebhooksRead, Scope::FilesRead],
                tokens: ANY_TOKEN,
                quirks: Quirks { plan: Plan::Paid, ..NO_QUIRKS },
            }),
            extra: NO_EXTRA,
        },
        {
            #[derive(Serialize, Deserialize, JsonSchema)]
            struct Args {
                webhook_id: WebhookId,
                /// What to tell.
                event_type: Option<EventType>,
                /// Receives the events.
                #[schemars(length(min = 1, max = 2048))]
                endpoint: Option<String>,
                /// At most 100 characters.
                #[schemars(length(max = 100))]
                passcode: Option<String>,
                /// PAUSED: no deliveries.
                status: Option<Status>,
                /// At most 140 characters; empty erases.
                #[schemars(length(max = 140))]
                description: Option<String>,
            }
            Tool {
                name: "figma_webhook_update",
                title: "Change webhook",
                description: "Changes or pauses a webhook. What it watches stays.",
                effect: Effect::Update,
                input: input::<Args>(),
                handler: Handler::Call(Endpoint {
                    method: Method::Put,
                    path: "/v2/webhooks/{webhook_id}",
                    tier: Tier::Two,
                    scopes: &[Scope::WebhooksWrite],
                    tokens: ANY_TOKEN,
                    quirks: Quirks { plan: Plan::Paid, ..NO_QUIRKS },
                }),
                extra: Extra {
                    rules: &[
                        Rule::AnyOf(&["event_type", "endpoint", "passcode", "status", "description"]),
                        Rule::Check(check_endpoint),
                    ],
                    ..NO_EXTRA
                },
            }
        },
        Tool {
            name: "figma_webhook_delete",
            title: "Delete webhook",
            description: "Deletes a webhook. To pause: `figma_webhook_update`.",
            effect: Effect::Delete,
            input: input::<OfWebhook>(),
            handler: Handler::Call(Endpoint {
                method: Method::Delete,
                path: "/v2/webhooks/{webhook_id}",
                tier: Tier::Two,
                scopes: &[Scope::WebhooksWrite],
                tokens: ANY_TOKEN,
                quirks: Quirks { plan: Plan::Paid, ..NO_QUIRKS },
            }),
            extra: NO_EXTRA,
        },
        {
            #[derive(Serialize, Deserialize, JsonSchema)]
            struct Args {
                #[serde(rename(serialize = "context_id"))]
                team_id: TeamId,
            }
            Tool {
                name: "figma_team_webhooks_list",
                title: "Team webhooks",
                description: "Webhooks of a team. Others: `figma_webhooks_list`.",
                effect: Effect::Read,
                input: input::<Args>(),
                handler: Handler::Call(Endpoint {
                    method: Method::Get,
                    path: "/v2/webhooks",
                    tier: Tier::Two,
                    scopes: &[Scope::WebhooksRead],
                    tokens: ANY_TOKEN,
                    quirks: Quirks {
                        plan: Plan::Paid,
                        fixed_params: &[("context", "team")],
                        fallback: Some(&TEAM_WEBHOOKS),
                        ..NO_QUIRKS
                    },
                }),
                extra: NO_EXTRA,
            }
        },
        Tool {
            name: "figma_webhook_requests_list",
            title: "Webhook deliveries",
            description: "What a webhook sent in 7 days: status, error.",
            effect: Effect::Read,
            input: input::<OfWebhook>(),
            handler: Handler::Call(Endpoint {
                method: Method::Get,
                path: "/v2/webhooks/{webhook_id}/requests",
                tier: Tier::Two,
                scopes: &[Scope::WebhooksRead, Scope::FilesRead],
                tokens: ANY_TOKEN,
                quirks: Quirks { plan: Plan::Paid, ..NO_QUIRKS },
            }),
            extra: NO_EXTRA,
        },
        {
            #[derive(Serialize, Deserialize, JsonSchema)]
            struct Args {
                /// A folder is a project.
                context: Option<Context>,
                context_id: Option<ContextId>,
                /// team-ID or organization-ID.
                plan_api_id: Option<String>,
                /// Next page, of a plan.
                cursor: Option<String>,
            }
            Tool {
                name: "figma_webhooks_list",
                title: "List webhooks",
                description: "Webhooks of a team, project, file or whole plan.",
                effect: Effect::Read,
                input: input::<Args>(),
                handler: Handler::Call(Endpoint {
                    method: Method::Get,
                    path: "/v2/webhooks",
                    tier: Tier::Two,
                    scopes: &[Scope::WebhooksRead],
                    tokens: ANY_TOKEN,
                    quirks: Quirks {
                        plan: Plan::Paid,
                        pagination: Pagination::NextUrl(&["cursor"]),
                        ..NO_QUIRKS
                    },
                }),
                extra: Extra {
                    rules: &[
                        Rule::OneOf(&[&["context", "context_id"], &["plan_api_id"]]),
                        Rule::Needs("cursor", "plan_api_id"),
                    ],
                    adapt: Some(adapt_context),
                    ..NO_EXTRA
                },
            }
        },
    ],
};
