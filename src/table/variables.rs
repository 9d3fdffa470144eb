//! Variables: local, published, and changes of them. Enterprise.
//!
//! Facts: `developers.figma.com/docs/rest-api/variables-endpoints` and Figma's `OpenAPI` document.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{args::*, row::*};

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
enum Action {
    Create,
    Update,
    Delete,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
enum ResolvedType {
    Boolean,
    Float,
    String,
    Color,
}

/// Where Figma's picker offers a variable.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum VariableScope {
    AllScopes,
    TextContent,
    CornerRadius,
    WidthHeight,
    Gap,
    AllFills,
    FrameFill,
    ShapeFill,
    TextFill,
    StrokeColor,
    StrokeFloat,
    EffectFloat,
    EffectColor,
    Opacity,
    ColorOpacity,
    FontFamily,
    FontStyle,
    FontWeight,
    FontSize,
    LineHeight,
    LetterSpacing,
    ParagraphSpacing,
    ParagraphIndent,
    FontVariations,
}

// A variable's name in code.
#[derive(Serialize, Deserialize, JsonSchema)]
struct CodeSyntax {
    #[serde(rename = "WEB", skip_serializing_if = "Option::is_none")]
    web: Option<String>,
    #[serde(rename = "ANDROID", skip_serializing_if = "Option::is_none")]
    android: Option<String>,
    #[serde(rename = "iOS", skip_serializing_if = "Option::is_none")]
    ios: Option<String>,
}

/// One entry of `variableCollections`.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct CollectionChange {
    /// CREATE needs name, others id.
    action: Action,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// Temporary id for its first mode.
    #[serde(skip_serializing_if = "Option::is_none")]
    initial_mode_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hidden_from_publishing: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent_variable_collection_id: Option<String>,
    /// Parent's mode ids to temporary ids.
    #[serde(skip_serializing_if = "Option::is_none")]
    initial_mode_id_to_parent_mode_id_mapping: Option<BTreeMap<String, String>>,
}

/// One entry of `variableModes`.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct ModeChange {
    /// CREATE needs name, others id.
    action: Action,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    variable_collection_id: Option<String>,
}

/// One entry of `variables`.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct VariableChange {
    /// CREATE needs name, collection and type, others id.
    action: Action,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    /// Without . { }; / makes groups.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    variable_collection_id: Option<String>,
    /// CREATE only.
    #[serde(skip_serializing_if = "Option::is_none")]
    resolved_type: Option<ResolvedType>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hidden_from_publishing: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scopes: Option<Vec<VariableScope>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code_syntax: Option<CodeSyntax>,
}

/// One entry of `variableModeValues`. Values always replace what was there, so there is no action.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct ModeValue {
    variable_id: String,
    mode_id: String,
    /// Or {r,g,b,a} (0–1), {type:"VARIABLE_ALIAS",id}; null drops an override.
    #[schemars(extend("anyOf" = [{"type": "boolean"}, {"type": "number"}, {"type": "string"}, {"type": "object"}]))]
    value: Value,
}

const LISTS: [&str; 4] = ["variableCollections", "variableModes", "variables", "variableModeValues"];

/// What a change of one kind needs and may hold besides, by action.
struct Shape {
    action: &'static str,
    needs: &'static [&'static str],
    may: &'static [&'static str],
}

/// The table of `variables-endpoints`: which fields go with which action.
const SHAPES: [(&str, [Shape; 3]); 3] = [
    (
        "variableCollections",
        [
            Shape {
                action: "CREATE",
                needs: &["name"],
                may: &[
                    "id",
                    "initialModeId",
                    "hiddenFromPublishing",
                    "parentVariableCollectionId",
                    "initialModeIdToParentModeIdMapping",
                ],
            },
            Shape { action: "UPDATE", needs: &["id"], may: &["name", "hiddenFromPublishing"] },
            Shape { action: "DELETE", needs: &["id"], may: &[] },
        ],
    ),
    (
        "variableModes",
        [
            Shape { action: "CREATE", needs: &["name", "variableCollectionId"], may: &["id"] },
            Shape { action: "UPDATE", needs: &["id", "variableCollectionId"], may: &["name"] },
            Shape { action: "DELETE", needs: &["id"], may: &[] },
        ],
    ),
    (
        "variables",
        [
            Shape {
                action: "CREATE",
                needs: &["name", "variableCollectionId", "resolvedType"],
                may: &["id", "description", "hiddenFromPublishing", "scopes", "codeSyntax"],
            },
            Shape {
                action: "UPDATE",
                needs: &["id"],
                may: &["name", "description", "hiddenFromPublishing", "scopes", "codeSyntax"],
            },
            Shape { action: "DELETE", needs: &["id"], may: &[] },
        ],
    ),
];

type Problem = (&'static str, String);

/// There is a change, each change has the fields of its action, and what Figma states of names and
/// scopes holds. Sizes and what is in the file already are left to Figma.
fn check_changes(args: &Args) -> Result<(), Problem> {
    let changes = |list: &str| args.get(list).and_then(Value::as_array).into_iter().flatten();
    if LISTS.iter().all(|list| changes(list).next().is_none()) {
        return Err(("", "hold no change".to_owned()));
    }
    for (list, shapes) in &SHAPES {
        for (index, change) in changes(list).filter_map(Value::as_object).enumerate() {
            let checked = check_shape(shapes, change).and_then(|()| match *list {
                "variableCollections" => check_extension(change),
                "variableModes" => check_mode_name(change),
                _ => check_variable(change),
            });
            checked.map_err(|problem| (*list, format!("has at index {index} {problem}")))?;
        }
    }
    Ok(())
}

fn is_set(change: &Args, name: &str) -> bool {
    change.get(name).is_some_and(|value| !value.is_null())
}

fn check_shape(shapes: &[Shape], change: &Args) -> Result<(), String> {
    let action = change.get("action").and_then(Value::as_str).unwrap_or_default();
    let Some(shape) = shapes.iter().find(|shape| shape.action == action) else { return Ok(()) };
    if let Some(missing) = shape.needs.iter().find(|name| !is_set(change, name)) {
        return Err(format!("no `{missing}`, which {action} needs"));
    }
    let is_known = |name: &str| name == "action" || shape.needs.contains(&name) || shape.may.contains(&name);
    match change.keys().find(|name| is_set(change, name) && !is_known(name)) {
        Some(name) => Err(format!("`{name}`, which {action} does not take")),
        None => Ok(()),
    }
}

fn check_extension(change: &Args) -> Result<(), String> {
    let is_extension = is_set(change, "parentVariableCollectionId");
    if is_extension && is_set(change, "initialModeId") {
        return Err("`initialModeId` beside `parentVariableCollectionId`; an extended collection takes `initialModeIdToParentModeIdMapping`".to_owned());
    }
    if !is_extension && is_set(change, "initialModeIdToParentModeIdMapping") {
        return Err("`initialModeIdToParentModeIdMapping` without `parentVariableCollectionId`".to_owned());
    }
    Ok(())
}

fn check_mode_name(change: &Args) -> Result<(), String> {
    match change.get("name").and_then(Value::as_str).map(|name| name.chars().count()) {
        Some(length) if length > 40 => Err(format!("a mode name of {length} characters; 40 is the most")),
        _ => Ok(()),
    }
}

fn check_variable(change: &Args) -> Result<(), String> {
    if let Some(name) =
        change.get("name").and_then(Value::as_str).filter(|name| name.contains(['.', '{', '}']))
    {
        return Err(format!("the name \"{name}\"; names take no `.`, `{{` or `}}` (use `/` for groups)"));
    }
    let scopes: Vec<&str> = change
        .get("scopes")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    if scopes.contains(&"ALL_SCOPES") && scopes.len() > 1 {
        return Err("ALL_SCOPES beside other scopes, which it excludes".to_owned());
    }
    let is_fill = |scope: &&&str| matches!(**scope, "FRAME_FILL" | "SHAPE_FILL" | "TEXT_FILL");
    match scopes.iter().find(is_fill) {
        Some(fill) if scopes.contains(&"ALL_FILLS") => {
            Err(format!("ALL_FILLS beside {fill}, which it includes"))
        }
        _ => Ok(()),
    }
}

/// Earlier lists of other servers pass the whole body as one JSON text.
fn adapt_payload(args: &mut Args) {
    let body = match args.get("payload") {
        Some(Value::String(text)) => serde_json::from_str(text).ok(),
        Some(Value::Object(body)) => Some(body.clone()),
        _ => None,
    };
    let Some(body) = body else { return };
    args.remove("payload");
    for (name, value) in body {
        args.entry(name).or_insert(value);
    }
}

pub(super) const TOOLSET: Toolset = Toolset {
    name: "variables",
    description: "Variables (design tokens), their collections, modes and values.",
    everyday: false,
    tools: &[
        {
            #[derive(Serialize, Deserialize, JsonSchema)]
            struct Args {
                file_key: FileKey,
            }
            Tool {
                name: "figma_file_variables_local_get",
                title: "Local variables",
                description: "Variables of a file and remote ones it uses: collections, modes, values.",
                effect: Effect::Read,
                input: input::<Args>(),
                handler: Handler::Call(Endpoint {
                    method: Method::Get,
                    path: "/v1/files/{file_key}/variables/local",
                    tier: Tier::Two,
                    scopes: &[Scope::FileVariablesRead],
                    // Figma's pages disagree about plan tokens: the request is let through.
                    tokens: ANY_TOKEN,
                    quirks: Quirks {
                        plan: Plan::Enterprise,
                        cache: Cache::UntilFileChanges { days: 30 },
                        ..NO_QUIRKS
                    },
                }),
                extra: NO_EXTRA,
            }
        },
        {
            #[derive(Serialize, Deserialize, JsonSchema)]
            struct Args {
                file_key: MainFileKey,
            }
            Tool {
                name: "figma_file_variables_published_get",
                title: "Published variables",
                description: "Variables that a file publishes; values: `figma_file_variables_local_get`.",
                effect: Effect::Read,
                input: input::<Args>(),
                handler: Handler::Call(Endpoint {
                    method: Method::Get,
                    path: "/v1/files/{file_key}/variables/published",
                    tier: Tier::Two,
                    scopes: &[Scope::FileVariablesRead],
                    // As above.
                    tokens: ANY_TOKEN,
                    quirks: Quirks { plan: Plan::Enterprise, ..NO_QUIRKS },
                }),
                extra: NO_EXTRA,
            }
        },
        {
            #[derive(Serialize, Deserialize, JsonSchema)]
            #[serde(rename_all = "camelCase")]
            struct Args {
                #[serde(rename = "file_key")]
                file_key: FileKey,
                /// Collections.
                variable_collections: Option<Vec<CollectionChange>>,
                /// Modes; a new collection already has one.
                variable_modes: Option<Vec<ModeChange>>,
                /// Variables.
                variables: Option<Vec<VariableChange>>,
                /// Values.
                variable_mode_values: Option<Vec<ModeValue>>,
            }
            Tool {
                name: "figma_file_variables_update",
                title: "Change variables",
                description: "Changes variables, collections, modes and values, all or nothing. CREATE takes temporary ids, which connect entries. A library must be published by hand.",
                effect: Effect::Batch { verify_with: "figma_file_variables_local_get" },
                input: input::<Args>(),
                handler: Handler::Call(Endpoint {
                    method: Method::Post,
                    path: "/v1/files/{file_key}/variables",
                    tier: Tier::Three,
                    scopes: &[Scope::FileVariablesWrite],
                    tokens: PERSON,
                    quirks: Quirks { plan: Plan::Enterprise, cache: Cache::ChangesFile, ..NO_QUIRKS },
                }),
                extra: Extra {
                    rules: &[Rule::AnyOf(&LISTS), Rule::Check(check_changes)],
                    adapt: Some(adapt_payload),
                    ..NO_EXTRA
                },
            }
        },
    ],
};
