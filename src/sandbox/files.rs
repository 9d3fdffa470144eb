//! Files, nodes, renders, image fills, versions and metadata.

use std::collections::{HashMap, HashSet};

use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde::Serialize;
use serde_json::{Map, Value, json};
use url::form_urlencoded;

use super::{
    answer::{Answer, Outcome, Refusal},
    data::File,
    render::{self, Format},
    route::Call,
    state::World,
    svg,
    tree::{self, Shown, View, list, text},
};

/// How many versions a page holds where the caller does not say. Figma's own default is 30; a small
/// page lets the sample's short history page for real.
const VERSIONS_A_PAGE: u64 = 5;

/// The file of a call.
pub(super) fn file_of<'a>(call: &'a Call, key: &str) -> Result<&'a File, Refusal> {
    call.world.data.file(key).ok_or_else(Refusal::not_found)
}

/// A file whose type the endpoint knows: design files and boards.
fn readable<'a>(call: &'a Call, key: &str) -> Result<&'a File, Refusal> {
    let file = file_of(call, key)?;
    match file.head.get("editorType").and_then(Value::as_str) {
        Some("figma" | "figjam") => Ok(file),
        _ => Err(Refusal::bad("File type not supported by this endpoint")),
    }
}

/// The fields of a file beside its tree, at the version that the call asks for.
fn head(call: &Call, key: &str, file: &File) -> Result<Map<String, Value>, Refusal> {
    let about = call.world.data.about(key);
    let mut head = file.head.clone();
    if let Some(Value::Object(own)) = about.get("head") {
        head.extend(own.clone());
    }
    head.insert("thumbnailUrl".to_owned(), json!(call.world.url(&thumbnail(key, file))));
    let Some(version) = call.text("version").filter(|version| *version != current_version(&head)) else {
        return Ok(head);
    };
    let kept = list(about, "versions").iter().find(|kept| text(kept, "id") == version);
    let kept = kept.ok_or_else(|| Refusal::new(404, "Version not found"))?;
    head.insert("version".to_owned(), json!(version));
    head.insert("lastModified".to_owned(), json!(text(kept, "created_at")));
    Ok(head)
}

fn current_version(head: &Map<String, Value>) -> &str {
    head.get("version").and_then(Value::as_str).unwrap_or_default()
}

/// The path of a small picture of the first page.
fn thumbnail(key: &str, file: &File) -> String {
    let page = tree::children(&file.document).first().map_or("0:1", tree::id);
    format!("/images/render/{key}/{}.png?scale=0.1", utf8_percent_encode(page, NON_ALPHANUMERIC))
}

/// What the query asks to see.
fn view<'a>(call: &'a Call, key: &str) -> View<'a> {
    let version = call.text("version").unwrap_or_default();
    let kept = list(call.world.data.about(key), "versions").iter().find(|kept| text(kept, "id") == version);
    let without = kept.map(|kept| list(kept, "without")).unwrap_or_default();
    View {
        depth: call.number("depth"),
        only: None,
        without: without.iter().filter_map(Value::as_str).collect(),
        geometry: call.text("geometry") == Some("paths"),
    }
}

fn ids<'a>(call: &'a Call) -> Result<Vec<&'a str>, Refusal> {
    let ids = call.list("ids").unwrap_or_default();
    match ids.iter().find(|id| !is_node_id(id)) {
        Some(id) => Err(Refusal::bad(format!("ID {id} is not a valid node_id"))),
        None => Ok(ids),
    }
}

/// `1:2`, and `I1:2;3:4` inside instances.
fn is_node_id(id: &str) -> bool {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_pair = |text: &str| text.split_once(':').is_some_and(|(a, b)| is_number(a) && is_number(b));
    id.strip_prefix('I').unwrap_or(id).split(';').all(is_pair)
}

/// `GET /v1/files/{file_key}`.
pub(super) fn file(call: &Call) -> Outcome {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Body<'a> {
        #[serde(flatten)]
        head: Map<String, Value>,
        document: Shown<'a>,
        components: &'a Map<String, Value>,
        component_sets: &'a Map<String, Value>,
        styles: &'a Map<String, Value>,
        #[serde(skip_serializing_if = "Option::is_none")]
        main_file_key: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        branches: Option<Value>,
    }
    let key = call.arg(0);
    let file = readable(call, key)?;
    let mut view = view(call, key);
    if call.query.contains_key("ids") {
        view.only = Some(with_main_components(file, ids(call)?));
    }
    let about = call.world.data.about(key);
    let has_branches = call.flag("branch_data");
    Answer::json(&Body {
        head: head(call, key, file)?,
        document: Shown::root(&file.document, &view),
        components: &file.components,
        component_sets: &file.component_sets,
        styles: &file.styles,
        main_file_key: about.get("main_file").and_then(Value::as_str).filter(|_| has_branches),
        branches: has_branches.then(|| call.world.localized(about.get("branches").unwrap_or(&json!([])))),
    })
}

/// The ids, and those of the local components that what they hold depends on.
fn with_main_components<'a>(file: &'a File, ids: Vec<&'a str>) -> HashSet<&'a str> {
    let mut all: HashSet<&str> = HashSet::new();
    let mut waiting = ids;
    while let Some(id) = waiting.pop() {
        if !all.insert(id) {
            continue;
        }
        let node = tree::find(&file.document, id).and_then(|path| path.last().copied());
        if let Some(node) = node {
            tree::visit(node, &mut |node| waiting.extend(node.get("componentId").and_then(Value::as_str)));
        }
    }
    all
}

/// `GET /v1/files/{file_key}/nodes`.
pub(super) fn nodes(call: &Call) -> Outcome {
    let key = call.arg(0);
    let file = readable(call, key)?;
    let view = view(call, key);
    let mut nodes = Map::new();
    for id in ids(call)? {
        let found = tree::find(&file.document, id)
            .filter(|path| !path.iter().any(|node| view.without.contains(tree::id(node))));
        let entry = found.and_then(|path| path.last().copied()).map(|node| node_entry(file, node, &view));
        nodes.insert(id.to_owned(), entry.transpose()?.unwrap_or(Value::Null));
    }
    let mut body = head(call, key, file)?;
    body.remove("linkAccess");
    body.remove("schemaVersion");
    body.insert("nodes".to_owned(), Value::Object(nodes));
    Answer::json(&body)
}

fn node_entry(file: &File, node: &Value, view: &View) -> Result<Value, Refusal> {
    let shown = Shown::root(node, view);
    let (mut components, mut sets, mut styles) = (Map::new(), Map::new(), Map::new());
    shown.visit(&mut |node| {
        let id = if tree::kind(node) == "INSTANCE" { text(node, "componentId") } else { tree::id(node) };
        if let Some(component) = file.components.get(id) {
            components.insert(id.to_owned(), component.clone());
        }
        for used in [Some(id), components.get(id).map(|component| text(component, "componentSetId"))] {
            if let Some((id, set)) = used.and_then(|id| file.component_sets.get_key_value(id)) {
                sets.insert(id.clone(), set.clone());
            }
        }
        let used = node.get("styles").and_then(Value::as_object).into_iter().flat_map(Map::values);
        for (id, style) in used.filter_map(|id| file.styles.get_key_value(id.as_str()?)) {
            styles.insert(id.clone(), style.clone());
        }
    });
    let document = serde_json::to_value(&shown).map_err(|error| Refusal::new(500, error.to_string()))?;
    Ok(json!({
        "document": document,
        "components": components,
        "componentSets": sets,
        "schemaVersion": file.head.get("schemaVersion"),
        "styles": styles,
    }))
}

/// `GET /v1/images/{file_key}`.
pub(super) fn render(call: &Call) -> Outcome {
    let key = call.arg(0);
    let file = readable(call, key)?;
    head(call, key, file)?;
    let name = call.text("format").unwrap_or("png");
    let format = Format::named(name).ok_or_else(|| Refusal::bad("Invalid parameter format"))?;
    if let Some(problem) = format.unavailable() {
        let nothing: Map<String, Value> =
            ids(call)?.into_iter().map(|id| (id.to_owned(), Value::Null)).collect();
        return Answer::json(&json!({ "err": problem, "images": nothing }));
    }
    let options: String = ["scale", "svg_outline_text", "svg_include_id", "svg_include_node_id"]
        .iter()
        .filter_map(|name| Some(format!("&{name}={}", call.query.get(*name)?)))
        .collect();
    let images: Map<String, Value> = ids(call)?
        .into_iter()
        .map(|id| {
            let drawable = drawable(file, id).is_some();
            let id_text = utf8_percent_encode(id, NON_ALPHANUMERIC);
            let query = options.strip_prefix('&').map(|rest| format!("?{rest}")).unwrap_or_default();
            let url =
                drawable.then(|| call.world.url(&format!("/images/render/{key}/{id_text}.{name}{query}")));
            (id.to_owned(), json!(url))
        })
        .collect();
    Answer::json(&json!({ "err": null, "images": images }))
}

/// The node, if there is anything to see of it.
fn drawable<'a>(file: &'a File, id: &str) -> Option<&'a Value> {
    let path = tree::find(&file.document, id)?;
    let is_hidden = |node: &&Value| {
        node.get("visible") == Some(&json!(false)) || node.get("opacity").and_then(Value::as_f64) == Some(0.0)
    };
    let node = path.last().copied()?;
    (!path.iter().any(is_hidden) && svg::has_content(node)).then_some(node)
}

/// `GET /v1/files/{file_key}/images`.
pub(super) fn image_fills(call: &Call) -> Outcome {
    let file = readable(call, call.arg(0))?;
    let mut images = Map::new();
    tree::visit(&file.document, &mut |node| {
        for paint in ["fills", "strokes", "background"].iter().flat_map(|name| list(node, name)) {
            for (name, ending) in [("imageRef", "png"), ("gifRef", "gif")] {
                if let Some(reference) = paint.get(name).and_then(Value::as_str) {
                    let address = call.world.url(&format!("/images/fill/{reference}.{ending}"));
                    images.insert(reference.to_owned(), json!(address));
                }
            }
        }
    });
    Answer::meta(json!({ "images": images }))
}

/// `GET /v1/files/{file_key}/versions`: newest first, `before` and `after` are version ids.
pub(super) fn versions(call: &Call) -> Outcome {
    let key = call.arg(0);
    file_of(call, key)?;
    let all = list(call.world.data.about(key), "versions");
    let size = call.number("page_size").unwrap_or(VERSIONS_A_PAGE);
    let size_of_page = usize::try_from(size).unwrap_or(usize::MAX);
    let position = |id: &str| {
        let found = all.iter().position(|version| text(version, "id") == id);
        found.ok_or_else(|| Refusal::new(404, "Version not found"))
    };
    let start = match (call.text("before"), call.text("after")) {
        (Some(_), Some(_)) => return Err(Refusal::new(404, "Give only one of before and after")),
        (Some(id), None) => position(id)? + 1,
        (None, Some(id)) => position(id)?.saturating_sub(size_of_page),
        (None, None) => 0,
    };
    let end = match call.text("after") {
        Some(id) => position(id)?,
        None => all.len().min(start.saturating_add(size_of_page)),
    };
    let page = all.get(start..end).unwrap_or_default();
    let link = |name: &str, version: Option<&Value>| {
        let id = text(version?, "id");
        Some(call.world.url(&format!("/v1/files/{key}/versions?page_size={size}&{name}={id}")))
    };
    let mut pagination = Map::new();
    if let Some(url) = link("after", page.first()).filter(|_| start > 0) {
        pagination.insert("prev_page".to_owned(), json!(url));
    }
    if let Some(url) = link("before", page.last()).filter(|_| end < all.len()) {
        pagination.insert("next_page".to_owned(), json!(url));
    }
    let mut page: Vec<Value> = page.iter().map(|version| call.world.localized(version)).collect();
    for fields in page.iter_mut().filter_map(Value::as_object_mut) {
        // Ours: what the version does not have yet.
        fields.remove("without");
    }
    Answer::json(&json!({ "versions": page, "pagination": pagination }))
}

/// `GET /v1/files/{file_key}/meta`, which works for files of any type.
pub(super) fn metadata(call: &Call) -> Outcome {
    let key = call.arg(0);
    let file = file_of(call, key)?;
    let head = head(call, key, file)?;
    let about = call.world.data.about(key);
    let editor =
        if key == "SLIDES" { json!("slides") } else { head.get("editorType").cloned().unwrap_or_default() };
    let me = call.world.me();
    // The version moves later, as at Figma.
    let touched = call.world.state().touched(key);
    let mut body = json!({
        "name": head.get("name"),
        "folder_name": call.world.folder(text(about, "folder")).map(|folder| text(folder, "name")),
        "last_touched_at": touched.map(Value::from).or_else(|| head.get("lastModified").cloned()),
        "creator": about.get("creator").unwrap_or(&me),
        "last_touched_by": about.get("last_touched_by"),
        "thumbnail_url": head.get("thumbnailUrl"),
        "editorType": editor,
        "role": head.get("role"),
        "link_access": head.get("linkAccess").unwrap_or(&json!("view")),
        "url": format!("https://www.figma.com/{}/{key}", if editor == "figjam" { "board" } else { "design" }),
        "version": head.get("version"),
    });
    if let Some(fields) = body.as_object_mut() {
        fields.retain(|_, value| !value.is_null());
    }
    Answer::json(&json!({ "file": call.world.localized(&body) }))
}

/// The bytes behind an image address: content type and body.
pub(super) fn image(world: &World, path: &str, query: &str) -> Option<(&'static str, Vec<u8>)> {
    if let Some(name) = path.strip_prefix("/images/fill/") {
        if let Some(name) = name.strip_suffix(".gif") {
            return Some(("image/gif", render::moving_picture(name)));
        }
        return Some(("image/png", render::picture(name.strip_suffix(".png")?)));
    }
    let (key, name) = path.strip_prefix("/images/render/")?.split_once('/')?;
    let (id, format) = name.rsplit_once('.')?;
    let format = Format::named(format)?;
    let id = percent_decode_str(id).decode_utf8().ok()?;
    let node = drawable(world.data.file(key)?, &id)?;
    let options: HashMap<_, _> = form_urlencoded::parse(query.as_bytes()).collect();
    let is = |name: &str| options.get(name).is_some_and(|value| value == "true");
    let scale = options.get("scale").and_then(|scale| scale.parse().ok()).unwrap_or(1.0);
    let has_text =
        format == Format::Svg && options.get("svg_outline_text").is_some_and(|value| value == "false");
    let drawing = svg::draw(
        node,
        svg::Options { has_text, has_ids: is("svg_include_id"), has_node_ids: is("svg_include_node_id") },
    )?;
    Some((format.content_type(), render::bytes(drawing, format, scale)?))
}
