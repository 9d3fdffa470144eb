use std::{collections::BTreeMap, path::Path};

use reqwest::{Client, Response, StatusCode};
use serde_json::{Value, json};

use super::{route::operations, *};
use crate::table;

const BRAND_COLOR: &str = "VariableID:1:10";

struct Figma {
    sandbox: Sandbox,
    client: Client,
    token: &'static str,
}

impl Figma {
    async fn start() -> Self {
        Self::with(None).await
    }

    async fn with(data: Option<&Path>) -> Self {
        // Another test of this process may have been first.
        drop(rustls::crypto::ring::default_provider().install_default());
        let client =
            Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Self { sandbox: Sandbox::start(data).await.unwrap(), client, token: DEFAULT_TOKEN }
    }

    async fn send(&self, method: &str, path: &str, body: Option<&Value>) -> reqwest::Result<Response> {
        let url = self.sandbox.base_url() + path;
        let mut request =
            self.client.request(method.parse().unwrap(), url).header("X-Figma-Token", self.token);
        if let Some(body) = body {
            request = request.header("Content-Type", "application/json").body(body.to_string());
        }
        request.send().await
    }

    async fn call(&self, method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
        let response = self.send(method, path, body).await.unwrap();
        let status = response.status().as_u16();
        let text = response.text().await.unwrap();
        (status, serde_json::from_str(&text).unwrap_or_default())
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        self.call("GET", path, None).await
    }

    async fn ok(&self, path: &str) -> Value {
        let (status, body) = self.get(path).await;
        assert_eq!(status, 200, "{path}: {body}");
        body
    }
}

/// One working request for each operation, the writes after what they need.
fn every_request() -> Vec<(&'static str, String, Option<Value>)> {
    let reads = reads().into_iter().map(|path| ("GET", path, None));
    reads.chain(writes()).collect()
}

fn reads() -> Vec<String> {
    let (p, d) = (PRODUCT_FILE, DESIGN_SYSTEM_FILE);
    let components = sample_key("components");
    let mut paths = vec![
        format!("/v1/files/{p}?depth=1&branch_data=true"),
        format!("/v1/files/{p}/nodes?ids={HOME_FRAME}"),
        format!("/v1/images/{p}?ids={HOME_FRAME}&scale=2"),
        format!("/v1/files/{p}/images"),
        format!("/v1/files/{p}/versions"),
        format!("/v1/files/{p}/meta"),
        format!("/v1/files/{p}/comments?as_md=true"),
        format!("/v1/files/{p}/comments/1200001/reactions"),
        format!("/v1/files/{d}/components"),
        format!("/v1/files/{d}/component_sets"),
        format!("/v1/files/{d}/styles"),
        format!("/v1/components/{components}"),
        format!("/v1/component_sets/{}", sample_key("component_sets")),
        format!("/v1/styles/{}", sample_key("styles")),
        format!("/v1/teams/{TEAM}/components?page_size=2"),
        format!("/v1/teams/{TEAM}/component_sets"),
        format!("/v1/teams/{TEAM}/styles?after=5"),
        format!("/v1/files/{p}/variables/local"),
        format!("/v1/files/{d}/variables/published"),
        "/v1/me".to_owned(),
        format!("/v1/teams/{TEAM}/projects"),
        format!("/v1/projects/{PROJECT}/files?branch_data=true"),
        format!("/v1/projects/{PROJECT}/meta"),
        format!("/v2/teams/{TEAM}/folders"),
        format!("/v2/teams/{TEAM}/webhooks"),
        format!("/v2/folders/{PROJECT}/folders"),
        format!("/v2/folders/{PROJECT}/files"),
        format!("/v2/folders/{PROJECT}/meta"),
        format!("/v1/files/{p}/dev_resources?node_ids={CHECKOUT_FRAME}"),
        format!("/v2/webhooks?context=team&context_id={TEAM}"),
        format!("/v2/webhooks?plan_api_id=organization-{ORGANIZATION}"),
        "/v2/webhooks/700001".to_owned(),
        "/v2/webhooks/700001/requests".to_owned(),
        "/v1/payments?user_id=502234567890123456&plugin_id=1100000000000000001".to_owned(),
        format!("/v1/oembed?url=https%3A%2F%2Fwww.figma.com%2Fdesign%2F{p}%2FShop"),
        "/v1/activity_logs?limit=3&order=desc".to_owned(),
        "/v1/ai_usage/daily?start_date=2026-09-01&end_date=2026-09-30".to_owned(),
    ];
    for kind in ["component", "style", "variable"] {
        paths.push(format!("/v1/analytics/libraries/{d}/{kind}/actions?group_by={kind}"));
        paths.push(format!("/v1/analytics/libraries/{d}/{kind}/usages?group_by=file"));
    }
    paths
}

fn writes() -> Vec<(&'static str, String, Option<Value>)> {
    let p = PRODUCT_FILE;
    let comments = format!("/v1/files/{p}/comments");
    let webhook = json!({
        "event_type": "FILE_COMMENT", "context": "file", "context_id": p, "endpoint": "https://example.com/hook",
        "passcode": "secret",
    });
    let resource =
        json!({ "file_key": p, "node_id": HOME_FRAME, "name": "Code", "url": "https://example.com/code" });
    let mode = json!({ "action": "CREATE", "name": "Contrast", "variableCollectionId": "VariableCollectionId:40:1" });
    vec![
        ("POST", comments.clone(), Some(json!({ "message": "Good" }))),
        ("POST", format!("{comments}/1200001/reactions"), Some(json!({ "emoji": ":tada:" }))),
        ("DELETE", format!("{comments}/1200001/reactions?emoji=%3Atada%3A"), None),
        ("DELETE", format!("{comments}/1200007"), None),
        ("POST", format!("/v1/files/{p}/variables"), Some(json!({ "variableModes": [mode] }))),
        ("POST", "/v1/dev_resources".to_owned(), Some(json!({ "dev_resources": [resource] }))),
        (
            "PUT",
            "/v1/dev_resources".to_owned(),
            Some(json!({ "dev_resources": [{ "id": "dr-1", "name": "New" }] })),
        ),
        ("DELETE", format!("/v1/files/{p}/dev_resources/dr-2"), None),
        ("POST", "/v2/webhooks".to_owned(), Some(webhook)),
        ("PUT", "/v2/webhooks/700001".to_owned(), Some(json!({ "status": "PAUSED" }))),
        ("DELETE", "/v2/webhooks/700002".to_owned(), None),
        ("POST", "/v1/developer_logs".to_owned(), Some(json!({ "limit": 2 }))),
    ]
}

fn sample_key(kind: &str) -> String {
    let data = data::Data::sample();
    tree::text(&data.workspace()["published"][kind][0], "key").to_owned()
}

#[tokio::test]
async fn every_endpoint_of_the_table_works_on_the_default_credential() {
    let figma = Figma::start().await;
    let mut unmet: Vec<(String, String)> = Vec::new();
    for tool in table::tools() {
        let Some(endpoint) = tool.endpoint() else { continue };
        for endpoint in std::iter::once(endpoint).chain(endpoint.quirks.fallback) {
            unmet.push((endpoint.method.name().to_owned(), route::template(endpoint.path)));
        }
    }
    let operations = operations();
    for (method, path, body) in every_request() {
        let (status, answer) = figma.call(method, &path, body.as_ref()).await;
        assert_eq!(status, 200, "{method} {path}: {answer}");
        let plain = path.split('?').next().unwrap();
        let met = operations.iter().find(|one| one.matches(method, plain).is_some()).unwrap().endpoint;
        unmet.retain(|(method, path)| *method != met.method.name() || *path != route::template(met.path));
    }
    assert!(unmet.is_empty(), "no sample request for {unmet:?}");
}

#[tokio::test]
async fn tokens_are_checked_as_figma_does() {
    let mut figma = Figma::start().await;
    let file = format!("/v1/files/{PRODUCT_FILE}/meta");
    let variables = format!("/v1/files/{PRODUCT_FILE}/variables/local");
    let cases = [
        ("nobody", file.as_str(), 403, "/err", "Invalid token"),
        ("nobody", &variables, 401, "/message", "Invalid token"),
        ("sandbox-expired", &file, 403, "/err", "Invalid token"),
        // An OAuth token in the header of personal tokens.
        ("sandbox-oauth", &file, 403, "/err", "Invalid token"),
        (
            "sandbox-readonly",
            &variables,
            403,
            "/message",
            "This endpoint requires the file_variables:read scope",
        ),
        ("sandbox-plan", "/v1/me", 403, "/err", "a plan access token"),
    ];
    for (token, path, status, place, words) in cases {
        figma.token = token;
        let (got, body) = figma.get(path).await;
        let message = body.pointer(place).and_then(Value::as_str).unwrap_or_default();
        assert!(got == status && message.contains(words), "{token} {path}: {got} {body}");
    }
    figma.token = "sandbox-personal";
    figma.ok("/v1/me").await;
    let url = figma.sandbox.base_url() + &file;
    let bearer = figma.client.get(url).header("Authorization", "Bearer sandbox-oauth").send().await.unwrap();
    assert_eq!(bearer.status(), StatusCode::OK);

    figma.token = "sandbox-starter";
    let limited = figma.send("GET", &format!("/v1/files/{PRODUCT_FILE}"), None).await.unwrap();
    assert_eq!(limited.status(), StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(limited.headers()["x-figma-rate-limit-type"], "low");
    figma.ok(&file).await;
}

#[tokio::test]
async fn parameters_are_refused_by_name() {
    let figma = Figma::start().await;
    let (p, comments) = (PRODUCT_FILE, format!("/v1/files/{PRODUCT_FILE}/comments"));
    let cases = [
        ("GET", format!("/v1/files/{p}?detph=1"), None, "Unknown parameter detph"),
        ("GET", format!("/v1/files/{p}?depth=1.0"), None, "Invalid parameter depth"),
        ("GET", format!("/v1/files/{p}/nodes"), None, "Missing required parameter ids"),
        ("GET", format!("/v1/files/{p}/nodes?ids=1-2"), None, "ID 1-2 is not a valid node_id"),
        ("GET", format!("/v1/images/{p}?ids=2:1&format=gif"), None, "must be one of jpg, png, svg, pdf"),
        ("GET", format!("/v1/images/{p}?ids=2:1&scale=9"), None, "Invalid parameter scale"),
        ("GET", "/v2/webhooks".to_owned(), None, "Missing required parameter context"),
        ("POST", comments.clone(), Some(json!({})), "Missing required parameter message"),
        ("POST", comments.clone(), Some(json!({ "message": "a", "node": 1 })), "Unknown parameter node"),
        (
            "POST",
            comments.clone(),
            Some(json!({ "message": "a", "comment_id": "1200002" })),
            "reply to a reply",
        ),
        (
            "POST",
            comments,
            Some(
                json!({ "message": "a", "client_meta": { "node_id": "9:9", "node_offset": { "x": 0, "y": 0 } } }),
            ),
            "node 9:9 not found",
        ),
    ];
    for (method, path, body, words) in cases {
        let (status, answer) = figma.call(method, &path, body.as_ref()).await;
        assert!(status == 400 && answer.to_string().contains(words), "{method} {path}: {status} {answer}");
    }
}

#[tokio::test]
async fn files_are_cut_as_asked() {
    let figma = Figma::start().await;
    let pages = figma.ok(&format!("/v1/files/{PRODUCT_FILE}?depth=1")).await;
    assert_eq!(pages["document"]["children"].as_array().unwrap().len(), 5);
    assert!(pages["document"]["children"][1].get("children").is_none());

    let some = figma.ok(&format!("/v1/files/{PRODUCT_FILE}?ids={CART_FRAME}")).await;
    let shown: Vec<&str> = tree::children(&some["document"]["children"][1]).iter().map(tree::id).collect();
    // The cart's instances depend on the local component set, so that comes along.
    assert_eq!(shown, [CART_FRAME, STEPPER_SET]);

    let nodes =
        figma.ok(&format!("/v1/files/{PRODUCT_FILE}/nodes?ids={CART_FRAME},99:99&geometry=paths")).await;
    let cart = &nodes["nodes"][CART_FRAME];
    assert_eq!(cart["document"]["size"]["x"].as_f64(), Some(390.0));
    assert!(nodes["nodes"]["99:99"].is_null());
    let sets = cart["componentSets"].as_object().unwrap();
    assert!(sets.contains_key(STEPPER_SET) && sets.contains_key(BUTTON_SET) && sets.len() == 2, "{sets:?}");

    let versions = figma.ok(&format!("/v1/files/{PRODUCT_FILE}/versions?page_size=50")).await;
    let first = tree::text(versions["versions"].as_array().unwrap().last().unwrap(), "id").to_owned();
    let old = figma.ok(&format!("/v1/files/{PRODUCT_FILE}/nodes?ids={CART_FRAME}&version={first}")).await;
    assert!(old["version"] == first.as_str() && old["nodes"][CART_FRAME].is_null());

    let branch = figma.ok(&format!("/v1/files/{PRODUCT_BRANCH}?depth=1&branch_data=true")).await;
    assert_eq!(branch["mainFileKey"], PRODUCT_FILE);
    assert_eq!(
        figma.get("/v1/files/NoSuchFile?depth=1").await,
        (404, json!({ "status": 404, "err": "Not found" }))
    );
}

#[tokio::test]
async fn lists_page_to_their_end() {
    let figma = Figma::start().await;
    let mut path = format!("/v1/files/{PRODUCT_FILE}/versions");
    let mut ids = Vec::new();
    loop {
        let page = figma.ok(&path).await;
        ids.extend(page["versions"].as_array().unwrap().iter().map(|one| tree::text(one, "id").to_owned()));
        let Some(next) = page["pagination"]["next_page"].as_str() else { break };
        path = next.strip_prefix(&figma.sandbox.base_url()).unwrap().to_owned();
    }
    assert_eq!(ids.len(), 12);

    let first = figma.ok(&format!("/v1/teams/{TEAM}/components")).await;
    let after = first["meta"]["cursor"]["after"].as_u64().unwrap();
    let second = figma.ok(&format!("/v1/teams/{TEAM}/components?after={after}")).await;
    assert_ne!(first["meta"]["components"][0]["key"], second["meta"]["components"][0]["key"]);
}

#[tokio::test]
async fn what_is_posted_shows_in_the_list() {
    let figma = Figma::start().await;
    let comments = format!("/v1/files/{PRODUCT_FILE}/comments");
    let (_, posted) = figma.call("POST", &comments, Some(&json!({ "message": "Here" }))).await;
    let is_there =
        |list: &Value| list["comments"].as_array().unwrap().iter().any(|one| one["id"] == posted["id"]);
    assert!(is_there(&figma.ok(&comments).await));
    let one = format!("{comments}/{}", tree::text(&posted, "id"));
    assert_eq!(figma.call("DELETE", &one, None).await.0, 200);
    assert!(!is_there(&figma.ok(&comments).await));
    assert_eq!(figma.call("DELETE", &one, None).await.0, 404);
    assert_eq!(figma.call("DELETE", &format!("{comments}/1200001"), None).await.0, 403);

    let resource =
        json!({ "file_key": PRODUCT_FILE, "node_id": HOME_FRAME, "name": "a", "url": "https://example.com" });
    let body = json!({ "dev_resources": [resource, resource] });
    let (status, answer) = figma.call("POST", "/v1/dev_resources", Some(&body)).await;
    assert_eq!((status, answer["links_created"].as_array().unwrap().len()), (200, 1));
    assert!(answer["errors"][0]["error"].as_str().unwrap().contains("exists"));
}

#[tokio::test]
async fn variables_change_all_or_not_at_all() {
    let figma = Figma::start().await;
    let path = format!("/v1/files/{DESIGN_SYSTEM_FILE}/variables");
    let body = json!({
        "variableCollections": [{ "action": "CREATE", "id": "c", "name": "Motion", "initialModeId": "m" }],
        "variableModes": [{ "action": "UPDATE", "id": "m", "name": "Calm", "variableCollectionId": "c" }],
        "variables": [{ "action": "CREATE", "id": "v", "name": "duration/short", "variableCollectionId": "c", "resolvedType": "FLOAT" }],
        "variableModeValues": [{ "variableId": "v", "modeId": "m", "value": 200 }],
    });
    let (status, answer) = figma.call("POST", &path, Some(&body)).await;
    assert_eq!(status, 200, "{answer}");
    let real = |id: &str| tree::text(&answer["meta"]["tempIdToRealId"], id).to_owned();
    let local = figma.ok(&format!("{path}/local")).await;
    assert_eq!(local["meta"]["variables"][real("v")]["valuesByMode"][real("m")], 200);
    assert_eq!(local["meta"]["variableCollections"][real("c")]["modes"][0]["name"], "Calm");

    let change = |value: Value| {
        json!({
            "variables": [{ "action": "DELETE", "id": real("v") }],
            "variableModeValues": [{ "variableId": BRAND_COLOR, "modeId": "1:0", "value": value }],
        })
    };
    for wrong in [json!("red"), json!({ "type": "VARIABLE_ALIAS", "id": BRAND_COLOR })] {
        let (status, answer) = figma.call("POST", &path, Some(&change(wrong))).await;
        assert_eq!(status, 400, "{answer}");
    }
    assert_eq!(figma.ok(&format!("{path}/local")).await, local, "a refused batch changed something");
}

#[tokio::test]
async fn images_are_real_and_take_no_token() {
    let figma = Figma::start().await;
    let formats: &[(&str, &[u8])] = if cfg!(feature = "sandbox-render") {
        &[("svg", b"<svg"), ("png", b"\x89PNG"), ("jpg", b"\xff\xd8"), ("pdf", b"%PDF")]
    } else {
        &[("svg", b"<svg")]
    };
    for (format, start) in formats {
        let ids = format!("{HOME_FRAME},{BADGE_GROUP},0:3,{HIDDEN_FRAME},9:99");
        let answer = figma.ok(&format!("/v1/images/{PRODUCT_FILE}?ids={ids}&format={format}")).await;
        let images = &answer["images"];
        assert!(images[HIDDEN_FRAME].is_null() && images["9:99"].is_null(), "{answer}");
        for id in [HOME_FRAME, BADGE_GROUP, "0:3"] {
            let url = images[id].as_str().unwrap();
            let response = figma.client.get(url).send().await.unwrap();
            assert_eq!(response.status(), StatusCode::OK, "{url}");
            assert!(response.bytes().await.unwrap().starts_with(start), "{url}");
            let leak = figma.client.get(url).header("X-Figma-Token", DEFAULT_TOKEN).send().await.unwrap();
            assert_eq!(leak.status(), StatusCode::BAD_REQUEST);
        }
    }
    let fills = figma.ok(&format!("/v1/files/{PRODUCT_FILE}/images")).await;
    let (_, url) = fills["meta"]["images"].as_object().unwrap().iter().next().unwrap();
    let bytes = figma.client.get(url.as_str().unwrap()).send().await.unwrap().bytes().await.unwrap();
    assert!(bytes.starts_with(b"\x89PNG"));
}

#[tokio::test]
async fn fault_keys_fail_as_they_say() {
    let figma = Figma::start().await;
    let statuses = [
        ("RATE1", 429),
        ("RATE30", 429),
        ("RATEDAYS", 429),
        ("SCOPE", 403),
        ("DEADTOKEN", 403),
        ("PLAN", 403),
        ("NOEXPORT", 403),
        ("NOACCESS", 403),
        ("GONE", 404),
        ("HUGE", 400),
        ("SLIDES", 400),
        ("FLAKY", 500),
        ("DOWN", 500),
        ("HTML", 200),
        ("EMPTY", 200),
        ("REDIRECT", 302),
    ];
    for (key, status) in statuses {
        assert_eq!(figma.get(&format!("/v1/files/{key}")).await.0, status, "{key}");
    }
    figma.ok("/v1/files/RATE1?depth=1").await;
    figma.ok("/v1/files/HUGE?depth=1").await;
    assert_eq!(figma.get("/v1/files/FLAKY").await.0, 500);
    figma.ok("/v1/files/FLAKY?depth=1").await;
    assert_eq!(figma.ok("/v1/files/SLIDES/meta").await["file"]["editorType"], "slides");
    assert_eq!(figma.get(&format!("/v1/images/RENDERSLOW?ids={HOME_FRAME}")).await.0, 400);
    let limited = figma.send("GET", "/v1/files/RATEDAYS/meta", None).await.unwrap();
    assert_eq!(limited.headers()["retry-after"], "396749");

    let broken = figma.send("GET", "/v1/files/BROKEN", None).await.unwrap();
    assert!(broken.text().await.is_err());
    let comments = "/v1/files/BROKENLATE/comments";
    assert!(figma.send("POST", comments, Some(&json!({ "message": "Late" }))).await.is_err());
    assert!(figma.ok(comments).await.to_string().contains("\"Late\""), "the write was not carried out");
}

#[tokio::test]
async fn a_flood_is_valid_json_in_either_form() {
    let figma = Figma::start().await;
    let mut response = figma.send("GET", "/v1/files/BOMB", None).await.unwrap();
    let mut length = 0;
    while let Some(chunk) = response.chunk().await.unwrap() {
        length += chunk.len();
    }
    // reqwest asks for gzip and checks the sums at its end.
    assert!((200_000_000..220_000_000).contains(&length), "{length}");
}

#[tokio::test]
async fn requests_are_counted_without_their_tokens() {
    let figma = Figma::start().await;
    figma.ok("/v1/me").await;
    figma.get("/v1/files/GONE?depth=1").await;
    let log = figma.ok("/_sandbox/requests").await;
    let expected = json!({ "total": 2, "requests": [
        { "method": "GET", "path": "/v1/me", "token_header": "X-Figma-Token", "status": 200 },
        { "method": "GET", "path": "/v1/files/GONE?depth=1", "token_header": "X-Figma-Token", "status": 404 },
    ] });
    assert_eq!(log, expected);
}

#[tokio::test]
async fn a_folder_of_answers_is_served() {
    let folder = std::env::temp_dir().join(format!("figma-mcp-sandbox-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let write = |name: &str, value: &Value| std::fs::write(folder.join(name), value.to_string()).unwrap();
    let node = json!({
        "id": "7:1", "name": "Card", "type": "FRAME", "fills": [],
        "absoluteBoundingBox": { "x": 0, "y": 0, "width": 10, "height": 10 }, "children": [],
    });
    write("bank_home.json", &node);
    write(
        "some-nodes.json",
        &json!({ "name": "Some", "nodes": { "7:1": { "document": node }, "1:9": null } }),
    );
    let figma = Figma::with(Some(&folder)).await;
    for key in ["bankhome", "bank_home", "somenodes"] {
        let answer = figma.ok(&format!("/v1/files/{key}/nodes?ids=7:1")).await;
        assert_eq!(answer["nodes"]["7:1"]["document"]["name"], "Card", "{key}");
    }
    assert_eq!(figma.ok("/v1/files/bankhome/comments").await, json!({ "comments": [] }));
    assert_eq!(figma.get(&format!("/v1/files/{PRODUCT_FILE}")).await.0, 404);

    write("wrong.json", &json!({ "hello": 1 }));
    let error = Sandbox::start(Some(&folder)).await.unwrap_err().to_string();
    assert!(error.contains("wrong.json") && error.contains("neither"), "{error}");
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn the_sample_is_consistent() {
    let data = data::Data::sample();
    let named = [
        (PRODUCT_FILE, HOME_FRAME, "Home"),
        (PRODUCT_FILE, DETAIL_FRAME, "Product detail"),
        (PRODUCT_FILE, CART_FRAME, "Cart"),
        (PRODUCT_FILE, CHECKOUT_FRAME, "Checkout"),
        (PRODUCT_FILE, STEPPER_SET, "Quantity stepper"),
        (PRODUCT_FILE, LANGUAGES_SECTION, "Heroes by language"),
        (PRODUCT_FILE, BADGE_GROUP, "Badge / Organic"),
        (PRODUCT_FILE, HIDDEN_FRAME, "Home, first draft"),
        (DESIGN_SYSTEM_FILE, BUTTON_SET, "Button"),
    ];
    for (key, id, name) in named {
        let path = tree::find(&data.file(key).unwrap().document, id).unwrap();
        assert_eq!(tree::text(path.last().unwrap(), "name"), name);
    }
    for key in [PRODUCT_FILE, DESIGN_SYSTEM_FILE, WHITEBOARD_FILE] {
        let file = data.file(key).unwrap();
        let variables = data.about(key)["variables"]["variables"].to_string();
        let mut ids = std::collections::HashSet::new();
        tree::visit(&file.document, &mut |node| {
            let id = tree::id(node);
            assert!(ids.insert(id), "{key}: {id} twice");
            if tree::kind(node) == "INSTANCE" {
                assert!(file.components.contains_key(tree::text(node, "componentId")), "{key} {id}");
            }
            for style in node["styles"].as_object().into_iter().flatten() {
                assert!(file.styles.contains_key(style.1.as_str().unwrap()), "{key} {id}: {style:?}");
            }
            let own = json!([node["boundVariables"], node["fills"], node["strokes"]]).to_string();
            for variable in own.split("\"VariableID:").skip(1) {
                let variable = format!("\"VariableID:{}\":", variable.split('"').next().unwrap());
                assert!(variables.contains(&variable), "{key} {id}: {variable}");
            }
        });
    }
}

#[tokio::test]
async fn a_dropped_sandbox_is_gone() {
    let Figma { sandbox, client, .. } = Figma::start().await;
    let url = sandbox.base_url() + "/v1/files/HANG";
    let hanging = tokio::spawn(client.get(&url).header("X-Figma-Token", DEFAULT_TOKEN).send());
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    assert!(!hanging.is_finished());
    drop(sandbox);
    tokio::time::timeout(std::time::Duration::from_secs(5), hanging).await.unwrap().unwrap().ok();
    assert!(client.get(&url).send().await.is_err());
}

/// What nodes of the sample files say of their styles is what the files say of them.
#[test]
fn the_sample_files_use_styles_for_what_they_are() {
    fn walk(node: &Value, styles: &Value, paints: &mut BTreeMap<String, String>) {
        for (property, id) in node["styles"].as_object().into_iter().flatten() {
            let (id, of) = (id.as_str().unwrap(), format!("{} of node {}", property, node["id"]));
            let kind =
                styles[id]["styleType"].as_str().unwrap_or_else(|| panic!("{of}: there is no style {id}"));
            let wanted = match property.trim_end_matches('s') {
                "fill" | "stroke" => "FILL",
                "text" => "TEXT",
                "effect" => "EFFECT",
                other => panic!("{of}: {other}"),
            };
            assert_eq!(kind, wanted, "{of} is {}", styles[id]["name"]);
            // One style is one colour, one type.
            let value = match property.trim_end_matches('s') {
                "fill" => node["fills"][0]["color"].to_string(),
                "stroke" => node["strokes"][0]["color"].to_string(),
                "text" => node["style"]["fontSize"].to_string(),
                _ => continue,
            };
            let known = paints.entry(id.to_owned()).or_insert_with(|| value.clone());
            assert_eq!(*known, value, "{of} is {}", styles[id]["name"]);
        }
        node["children"].as_array().into_iter().flatten().for_each(|child| walk(child, styles, paints));
    }
    let mut seen = 0;
    for text in [include_str!("data/product.json"), include_str!("data/design-system.json")] {
        let file = super::sample::complete(serde_json::from_str(text).unwrap());
        let mut paints = BTreeMap::new();
        walk(&file["document"], &file["styles"], &mut paints);
        seen += paints.len();
    }
    assert!(seen > 15, "{seen}");
}
