//! What must hold over all rows.

use std::collections::BTreeSet;

use figma_mcp::table::{
    self, Cache, Effect, Endpoint, Handler, Method, Pagination, Rule, Selection, TOOLSETS, Tool, Toolset,
    args::{Args, Defaults},
    definition::{definition, input_schema},
};
use serde_json::Value;

/// The names of the table that this server follows, and the operations beyond it.
const NAMES: [&str; 63] = [
    "figma_file_get",
    "figma_file_nodes_get",
    "figma_file_images_render",
    "figma_file_image_fills_get",
    "figma_file_versions_list",
    "figma_file_comments_list",
    "figma_file_comment_create",
    "figma_file_comment_delete",
    "figma_comment_reactions_list",
    "figma_comment_reaction_create",
    "figma_comment_reaction_delete",
    "figma_file_components_list",
    "figma_component_get",
    "figma_file_component_sets_list",
    "figma_component_set_get",
    "figma_team_components_list",
    "figma_team_component_sets_list",
    "figma_file_styles_list",
    "figma_style_get",
    "figma_team_styles_list",
    "figma_file_variables_local_get",
    "figma_file_variables_published_get",
    "figma_file_variables_update",
    "figma_me_get",
    "figma_team_get",
    "figma_team_projects_list",
    "figma_project_files_list",
    "figma_dev_resources_list",
    "figma_dev_resource_create",
    "figma_dev_resource_update",
    "figma_dev_resource_delete",
    "figma_webhook_create",
    "figma_webhook_get",
    "figma_webhook_update",
    "figma_webhook_delete",
    "figma_team_webhooks_list",
    "figma_webhook_requests_list",
    "figma_payments_get",
    "figma_activity_logs_list",
    "figma_library_analytics_component_actions_get",
    "figma_library_analytics_component_usages_get",
    "figma_library_analytics_style_actions_get",
    "figma_library_analytics_style_usages_get",
    "figma_library_analytics_variable_actions_get",
    "figma_library_analytics_variable_usages_get",
    // Beyond the first table.
    "figma_file_metadata_get",
    "figma_webhooks_list",
    "figma_team_folders_list",
    "figma_folder_folders_list",
    "figma_folder_files_list",
    "figma_folder_metadata_get",
    "figma_project_metadata_get",
    "figma_developer_logs_list",
    "figma_ai_usage_list",
    "figma_oembed_get",
    "figma_status_get",
    "figma_design_context_get",
    "figma_nodes_search",
    "figma_comments_digest_get",
    "figma_handoff_get",
    "figma_images_download",
    "figma_screenshot_get",
    "figma_result_query",
];

/// Names in people's configurations.
const ALIASES: [&str; 4] =
    ["figma_file_meta_get", "figma_folder_meta_get", "figma_project_meta_get", "figma_ai_usage_daily_get"];

/// The only keywords that schemas use: others make strict clients refuse a whole listing.
const KEYWORDS: [&str; 11] = [
    // Not at the top, and only where a value may be of several types: the Inspector warns of a value of any.
    "anyOf",
    "type",
    "properties",
    "required",
    "additionalProperties",
    "items",
    "enum",
    "description",
    "minimum",
    "maximum",
    "minItems",
];

fn properties(tool: &Tool) -> BTreeSet<String> {
    (tool.input.schema)()["properties"].as_object().unwrap().keys().cloned().collect()
}

fn required(tool: &Tool) -> BTreeSet<String> {
    let schema = (tool.input.schema)();
    let names = schema.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
    names.iter().map(|name| name.as_str().unwrap().to_owned()).collect()
}

/// Our rows, and those of other servers' names.
fn all_rows() -> impl Iterator<Item = &'static Tool> {
    table::tools().chain(table::named().map(|named| &named.tool))
}

/// The row's endpoint and its fallback.
fn endpoints(tool: &'static Tool) -> impl Iterator<Item = &'static Endpoint> {
    tool.endpoints()
}

#[test]
fn every_promised_name_is_there() {
    for name in NAMES {
        assert!(table::tools().any(|tool| tool.name == name), "{name} is missing");
    }
    for name in ALIASES {
        assert!(table::find(name).is_some_and(|tool| tool.name != name), "alias {name} is missing");
    }
}

#[test]
fn only_reads_of_a_file_are_kept_and_only_its_changes_drop_them() {
    for tool in table::tools() {
        for endpoint in endpoints(tool) {
            let is_of_file = endpoint.path.contains("/{file_key}");
            let (name, is_read) = (tool.name, endpoint.method == Method::Get);
            match endpoint.quirks.cache {
                Cache::Never => {}
                Cache::UntilFileChanges { days } => {
                    assert!(is_of_file && is_read && (1..=30).contains(&days), "{name}");
                }
                Cache::ChangesFile => assert!(is_of_file && !is_read, "{name}"),
            }
        }
    }
}

#[test]
fn names_are_unique_and_well_formed() {
    let mut seen = BTreeSet::new();
    for tool in table::tools() {
        for name in std::iter::once(&tool.name).chain(tool.extra.aliases) {
            assert!(seen.insert(*name), "{name} appears twice");
            let rest = name.strip_prefix("figma_").unwrap_or_default();
            let is_plain = rest.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
            assert!(is_plain && (1..=58).contains(&rest.len()), "{name}");
        }
    }
    let sets: BTreeSet<&str> = TOOLSETS.iter().map(|set| set.name).collect();
    assert_eq!(sets.len(), TOOLSETS.len(), "a toolset's name appears twice");
    let everyday: Vec<&str> = TOOLSETS.iter().filter(|set| set.everyday).map(|set| set.name).collect();
    assert_eq!(everyday[..3], ["files", "comments", "library"]);
}

#[test]
fn other_servers_names_are_other_names_for_our_tools() {
    let mut seen: BTreeSet<&str> = table::tools()
        .flat_map(|tool| std::iter::once(&tool.name).chain(tool.extra.aliases))
        .copied()
        .collect();
    for named in table::named() {
        let (name, tool) = (named.tool.name, &named.tool);
        let own = table::tools().find(|tool| tool.name == named.stands_for).unwrap();
        assert!(table::find(name).is_some_and(|found| found.name == name), "{name} is not found");
        for name in std::iter::once(&name).chain(tool.extra.aliases) {
            assert!(seen.insert(name), "{name} appears twice");
            assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{name}");
        }
        assert_eq!(tool.effect, own.effect, "{name}");
        assert_eq!(tool.extra.writes_files, own.extra.writes_files, "{name}");
        // These read the same, and write it down as their callers expect.
        let has_own_form = matches!(tool.handler, Handler::Outline(_) | Handler::VariableDefs(_));
        assert!(
            has_own_form || std::mem::discriminant(&tool.handler) == std::mem::discriminant(&own.handler),
            "{name} does something else"
        );
        let path = |tool: &table::Tool| tool.endpoint().map(|endpoint| endpoint.path);
        assert_eq!(path(tool), path(own), "{name}");
        assert!(tool.description.contains(&format!("`{}`", own.name)), "{name}");
    }
}

/// The required arguments by Figma's names: both schemas list the fields of one struct in one order.
fn required_on_the_wire(tool: &Tool) -> BTreeSet<String> {
    let required = required(tool);
    let names =
        |schema: Args| -> Vec<String> { schema["properties"].as_object().unwrap().keys().cloned().collect() };
    let both = names((tool.input.schema)()).into_iter().zip(names((tool.input.wire_schema)()));
    both.filter(|(ours, _)| required.contains(ours.as_str())).map(|(_, theirs)| theirs).collect()
}

#[test]
fn every_part_of_a_path_is_literal_or_a_required_argument() {
    for tool in table::tools() {
        let required = required_on_the_wire(tool);
        for endpoint in endpoints(tool) {
            let path = endpoint.path.strip_prefix('/').unwrap();
            for part in path.split('/') {
                if let Some(name) = part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
                    assert!(required.contains(name), "{}: {name} of {path} is not required", tool.name);
                } else {
                    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
                    assert!(!part.is_empty() && part.chars().all(is_plain), "{}: {path}", tool.name);
                }
            }
        }
    }
}

#[test]
fn descriptions_are_sentences_about_tools_that_exist() {
    for tool in all_rows() {
        let text = tool.description;
        assert!((40..=400).contains(&text.chars().count()), "{}: {} characters", tool.name, text.len());
        assert!(text.ends_with('.'), "{}: no full stop", tool.name);
        assert!((3..=40).contains(&tool.title.len()), "{}: {}", tool.name, tool.title);
        let published = definition(tool, &Defaults::default()).to_string();
        for quoted in published.split('`').skip(1).step_by(2).filter(|text| text.starts_with("figma_")) {
            assert!(table::tools().any(|tool| tool.name == quoted), "{}: no tool {quoted}", tool.name);
        }
    }
    for Toolset { name, description, .. } in TOOLSETS {
        assert!(description.ends_with('.'), "{name}: no full stop");
    }
}

#[test]
fn published_schemas_are_plain_and_fully_described() {
    fn walk(schema: &Value, at: &str, needs_description: bool) {
        let fields = schema.as_object().unwrap_or_else(|| panic!("{at}: {schema} is no object"));
        for name in fields.keys() {
            assert!(KEYWORDS.contains(&name.as_str()), "{at}: keyword {name}");
        }
        let description = fields.get("description").map(|text| text.as_str().unwrap());
        let is_right = description.map_or(!needs_description, |text| (4..=110).contains(&text.len()));
        assert!(is_right, "{at}: {description:?}");
        if let Some(kind) = fields.get("type") {
            assert!(kind.is_string(), "{at}: type {kind}");
        }
        for (name, schema) in fields.get("properties").and_then(Value::as_object).into_iter().flatten() {
            // The name of a field inside an argument may say enough.
            let is_argument = !at.contains(['.', '[']);
            walk(schema, &format!("{at}.{name}"), is_argument);
        }
        for name in ["items", "additionalProperties"] {
            if let Some(schema) = fields.get(name).filter(|schema| !schema.is_boolean()) {
                walk(schema, &format!("{at}[]"), false);
            }
        }
    }
    for tool in all_rows() {
        let schema = input_schema(tool, &Defaults::default());
        assert_eq!(schema["type"], "object", "{}", tool.name);
        assert!(schema.get("anyOf").is_none(), "{}: a choice at the top", tool.name);
        walk(&schema, tool.name, false);
        let published = schema["properties"].as_object().unwrap();
        assert_eq!(published.len(), properties(tool).len(), "{}: an argument is not published", tool.name);
    }
}

#[test]
fn effects_methods_and_scopes_agree() {
    for tool in table::tools() {
        let reads_by_post = tool.name == "figma_developer_logs_list";
        for endpoint in endpoints(tool) {
            let expected = match tool.effect {
                Effect::Read if reads_by_post => Method::Post,
                Effect::Read => Method::Get,
                Effect::Create { .. } | Effect::Batch { .. } => Method::Post,
                Effect::Update => Method::Put,
                Effect::Delete => Method::Delete,
            };
            assert_eq!(endpoint.method, expected, "{}", tool.name);
            assert!(!endpoint.tokens.is_empty(), "{}", tool.name);
            let ending = if tool.effect.is_read() { "read" } else { ":write" };
            match endpoint.scopes.first() {
                Some(scope) => assert!(scope.name().ends_with(ending), "{}: {}", tool.name, scope.name()),
                None => assert_eq!(tool.name, "figma_payments_get", "no scope"),
            }
        }
        if let Some(name) = tool.effect.verify_with() {
            let verifier = table::tools().find(|tool| tool.name == name);
            assert!(verifier.is_some_and(|tool| tool.effect.is_read()), "{}: {name}", tool.name);
        }
        if let Some(fallback) = tool.endpoint().and_then(|endpoint| endpoint.quirks.fallback) {
            assert!(tool.effect.is_read(), "{}: a fallback of a write could do it twice", tool.name);
            assert!(fallback.quirks.fallback.is_none(), "{}: a fallback is tried once", tool.name);
            assert_ne!(fallback.path, tool.endpoint().unwrap().path, "{}", tool.name);
        }
    }
}

#[test]
fn columns_name_arguments_that_exist() {
    for tool in all_rows() {
        let names = properties(tool);
        let has = |name: &str| assert!(names.contains(name), "{}: no argument {name}", tool.name);
        let has_not = |name: &str| assert!(!names.contains(name), "{}: {name} is an argument", tool.name);
        tool.extra.argument_aliases.iter().for_each(|(theirs, ours)| {
            has_not(theirs);
            has(ours);
        });
        tool.extra.ignored_arguments.iter().copied().for_each(has_not);
        for rule in tool.extra.rules {
            match rule {
                Rule::OneOf(groups) => groups.iter().copied().flatten().copied().for_each(has),
                Rule::AnyOf(names) | Rule::AtMostOne(names) => names.iter().copied().for_each(has),
                Rule::Needs(name, other) => [*name, *other].into_iter().for_each(has),
                Rule::Check(_) => {}
            }
        }
        let Some(endpoint) = tool.endpoint() else { continue };
        match endpoint.quirks.pagination {
            Pagination::None => {}
            Pagination::NextUrl(names) => names.iter().copied().for_each(has),
            Pagination::AfterBefore => ["after", "before"].into_iter().for_each(has),
            Pagination::Cursor { cursor, has_more } => {
                has("cursor");
                assert!(cursor.starts_with('/') && has_more.starts_with('/'), "{}", tool.name);
            }
        }
        if let Some(name) = endpoint.quirks.wrap_in_list {
            has(name);
        }
        for (name, _) in endpoint.quirks.fixed_params {
            let wire = (tool.input.wire_schema)();
            assert!(wire["properties"].get(name).is_none(), "{}: {name} is fixed", tool.name);
        }
    }
}

/// What a model pays for the listing, in `o200k_base` tokens.
#[test]
fn the_listing_stays_within_its_price() {
    let encoding = tiktoken_rs::o200k_base().unwrap();
    let price =
        |tool: &Tool| encoding.encode_ordinary(&definition(tool, &Defaults::default()).to_string()).len();
    let everyday = Selection::new(&["default".to_owned()], &[], &[], false).unwrap();
    let everyday: usize = table::tools().filter(|tool| everyday.check(tool).is_ok()).map(price).sum();
    let mut all = 0;
    for set in TOOLSETS {
        let sum: usize = set.tools.iter().map(price).sum();
        println!("{sum:6} tokens  {:3} tools  {}", set.tools.len(), set.name);
        all += sum;
    }
    println!("{all:6} tokens  {:3} tools  all; everyday {everyday}", table::tools().count());
    assert!(all <= 9_000, "the whole listing costs {all} tokens");
    assert!(everyday <= 4_000, "the everyday listing costs {everyday} tokens");
}
