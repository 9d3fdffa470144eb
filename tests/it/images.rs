//! Images: saved as files below one folder, or shown to the model.

use std::{
    fs,
    path::{Path, PathBuf},
};

use figma_mcp::sandbox::PRODUCT_FILE;
use serde_json::{Value, json};

use crate::client::{Client, play, text_of};

/// Frames and photos of the sandbox's product file.
const HOME: &str = "2:1";
const CROPPED: &str = "2:60";
const MOVING: &str = "2:66";

/// An empty folder of a test's own.
fn folder(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("images").join(name);
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).unwrap();
    path.canonicalize().unwrap()
}

fn sandbox(folder: &Path) -> Client {
    Client::ready(&["--sandbox", "--image-dir", folder.to_str().unwrap()], &[])
}

fn download(client: &mut Client, more: Value) -> Value {
    let mut arguments = json!({ "file_key": PRODUCT_FILE });
    arguments.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    client.call("figma_images_download", arguments)
}

fn saved(result: &Value) -> Value {
    assert_ne!(result["isError"], true, "{result}");
    serde_json::from_str(text_of(result)).unwrap()
}

fn names_in(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn image_fills_come_as_they_are_cropped_and_moving() {
    let folder = folder("fills");
    let mut client = sandbox(&folder);
    let answer = saved(&download(&mut client, json!({ "node_ids": [CROPPED, MOVING], "fills": true })));
    let [cropped, moving] = answer["saved"].as_array().unwrap().as_slice() else { panic!("{answer}") };
    // The sandbox's pictures are 64 pixels square, and the node shows the middle quarter of one.
    assert_eq!((&cropped["width"], &cropped["height"]), (&json!(32), &json!(32)), "{answer}");
    assert_eq!((&cropped["file"], &moving["file"]), (&json!("Photo.png"), &json!("Photo-2-66.gif")));
    assert_eq!(&fs::read(folder.join("Photo-2-66.gif")).unwrap()[..6], b"GIF89a");
    // By its ref the image comes whole.
    let image_ref = cropped["image_ref"].as_str().unwrap();
    let whole = saved(&download(
        &mut client,
        json!({ "image_refs": [image_ref], "names": { image_ref: "whole.png" } }),
    ));
    assert_eq!((&whole["saved"][0]["file"], &whole["saved"][0]["width"]), (&json!("whole.png"), &json!(64)));
    assert_eq!(names_in(&folder), ["Photo-2-66.gif", "Photo.png", "whole.png"]);
}

#[test]
fn identical_images_are_one_file() {
    let folder = folder("identical");
    let mut client = sandbox(&folder);
    let ids = ["I2:23;30:21", "2:36", "2:36"];
    let answer = saved(&download(&mut client, json!({ "node_ids": ids, "fills": true })));
    let files: Vec<&str> =
        answer["saved"].as_array().unwrap().iter().map(|image| image["file"].as_str().unwrap()).collect();
    assert_eq!(files, ["Photo.png", "Photo.png"]);
    assert_eq!(names_in(&folder), ["Photo.png"]);
    // Under names that were asked for, each has its own.
    let names = json!({ "I2:23;30:21": "card", "2:36": "detail" });
    saved(&download(&mut client, json!({ "node_ids": ids, "fills": true, "names": names })));
    assert_eq!(names_in(&folder), ["Photo.png", "card.png", "detail.png"]);
}

#[test]
fn one_failure_does_not_take_the_others_with_it() {
    let folder = folder("partial");
    let mut client = sandbox(&folder);
    let result = download(
        &mut client,
        json!({ "node_ids": [HOME, "9:99", "5:3"], "format": "svg", "image_refs": ["nonesuch"] }),
    );
    let answer = saved(&result);
    assert_eq!(answer["saved"].as_array().unwrap().len(), 1);
    let failed: Vec<(&str, bool)> = answer["failed"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| {
            let id = item["node_id"].as_str().or_else(|| item["image_ref"].as_str()).unwrap();
            (id, item["why"].as_str().unwrap().len() > 20)
        })
        .collect();
    assert_eq!(failed, [("9:99", true), ("5:3", true), ("nonesuch", true)]);
    assert!(result.to_string().contains("3 of 4 images failed"), "{result}");
    let none = download(&mut client, json!({ "node_ids": ["9:99"], "format": "svg" }));
    assert_eq!(none["isError"], true);
    assert!(text_of(&none).contains("9:99: Figma does not render it"), "{none}");
}

#[test]
fn nothing_is_written_without_a_folder_outside_it_or_over_a_file() {
    let mut client = Client::sandbox();
    let refused = download(&mut client, json!({ "node_ids": [HOME], "format": "svg" }));
    assert_eq!(refused["structuredContent"]["error"], "no_image_dir");
    assert!(text_of(&refused).contains("--image-dir"), "{refused}");
    let folder = folder("refused");
    let mut client = sandbox(&folder);
    for outside in
        ["..", "/tmp", "a/../../b", ".git", "C:\\x", "a\\b", "~", "%2e%2e/..", "x/..", "CON", "a\0b"]
    {
        let refused =
            download(&mut client, json!({ "node_ids": [HOME], "format": "svg", "folder": outside }));
        assert_eq!(refused["structuredContent"]["error"], "outside", "{outside}: {refused}");
        let theirs = json!({
            "fileKey": PRODUCT_FILE, "localPath": outside, "nodes": [{ "nodeId": HOME, "fileName": "x.svg" }],
        });
        let refused = client.call("download_figma_images", theirs);
        assert_eq!(refused["structuredContent"]["error"], "outside", "{outside}: {refused}");
    }
    let many: Vec<String> = (0..201).map(|id| format!("1:{id}")).collect();
    let refused = download(&mut client, json!({ "node_ids": many }));
    assert!(text_of(&refused).contains("at most 200 images a call"), "{refused}");
    let refused = download(&mut client, json!({}));
    assert!(text_of(&refused).contains("at least one of `node_ids`, `image_refs`"), "{refused}");
    let order = json!({ "node_ids": [HOME], "format": "svg", "names": { HOME: "../../Home" } });
    assert_eq!(saved(&download(&mut client, order.clone()))["saved"][0]["file"], "Home.svg");
    assert_eq!(saved(&download(&mut client, order.clone()))["saved"][0]["unchanged"], true);
    fs::write(folder.join("Home.svg"), "mine").unwrap();
    let refused = download(&mut client, order.clone());
    assert!(text_of(&refused).contains("`overwrite`"), "{refused}");
    assert_eq!(fs::read(folder.join("Home.svg")).unwrap(), b"mine");
    let mut order = order;
    order["overwrite"] = json!(true);
    saved(&download(&mut client, order));
    assert!(fs::read(folder.join("Home.svg")).unwrap().starts_with(b"<svg"));
    assert_eq!(names_in(&folder), ["Home.svg"]);
}

/// A Figma that names this image address for node 1:2, and serves `image` there.
fn figma_with(
    address: impl Fn(&str) -> String + Send + 'static,
    image: Vec<u8>,
) -> (String, std::sync::mpsc::Receiver<String>) {
    let (sender, requests) = std::sync::mpsc::channel();
    let base = play(move |request, stream| {
        use std::io::Write;
        sender.send(request.to_owned()).unwrap();
        let host = request.lines().find_map(|line| line.strip_prefix("host: ")).unwrap_or_default();
        let (kind, body) = if request.starts_with("GET /v1/images/") {
            (
                "application/json",
                json!({ "err": null, "images": { "1:2": address(host) } }).to_string().into_bytes(),
            )
        } else if request.starts_with("GET /elsewhere") {
            let place = address("elsewhere");
            write!(
                stream,
                "HTTP/1.1 302 Found\r\nlocation: {place}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
            )
            .unwrap();
            return;
        } else {
            ("image/png", image.clone())
        };
        write!(
            stream,
            "HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
            body.len()
        )
        .unwrap();
        stream.write_all(&body).unwrap();
    });
    (base, requests)
}

fn ready(base: &str, folder: &Path) -> Client {
    Client::ready(
        &["--image-dir", folder.to_str().unwrap()],
        &[("FIGMA_API_BASE_URL", base), ("FIGMA_TOKEN", "figd_images_canary_0123456789")],
    )
}

#[test]
fn the_token_never_goes_where_images_are() {
    let (base, requests) = figma_with(|host| format!("http://{host}/image"), b"\x89PNG\r\n\x1a\n".to_vec());
    let folder = folder("token");
    let mut client = ready(&base, &folder);
    let order = json!({ "file_key": "abc", "node_ids": ["1:2"] });
    saved(&client.call("figma_images_download", order));
    let all: Vec<String> = requests.try_iter().collect();
    let image = all.iter().find(|request| request.starts_with("GET /image")).unwrap();
    assert!(!image.contains("figd_") && !image.to_lowercase().contains("x-figma-token"), "{image}");
    assert!(all.iter().any(|request| request.contains("figd_")), "the call to Figma carried none either");
}

#[test]
fn one_address_is_fetched_once_however_many_want_it() {
    let (base, requests) = figma_with(|host| format!("http://{host}/image"), b"\x89PNG\r\n\x1a\n".to_vec());
    let folder = folder("once");
    let mut client = ready(&base, &folder);
    // Two names for one render, and a node that is not there.
    let node = |name: &str| json!({ "nodeId": "1:2", "fileName": name });
    let nodes =
        json!([node("a.png"), { "nodeId": "9:9", "fileName": "none.png" }, node("b.png"), node("a.png")]);
    let answer = saved(&client.call("download_figma_images", json!({ "fileKey": "abc", "nodes": nodes })));
    let files: Vec<&str> =
        answer["saved"].as_array().unwrap().iter().map(|image| image["file"].as_str().unwrap()).collect();
    assert_eq!(files, ["a.png", "b.png"]);
    assert_eq!(answer["failed"][0]["node_id"], "9:9");
    assert_eq!(names_in(&folder), ["a.png", "b.png"]);
    let asked = |what: &str, all: &[String]| all.iter().filter(|request| request.starts_with(what)).count();
    let all: Vec<String> = requests.try_iter().collect();
    assert_eq!((asked("GET /image ", &all), asked("GET /v1/images/", &all)), (1, 1), "{all:?}");
}

#[test]
fn no_address_leads_into_a_private_network() {
    let (elsewhere, connections) = {
        let (sender, connections) = std::sync::mpsc::channel();
        (play(move |request, _| sender.send(request.to_owned()).unwrap()), connections)
    };
    let folder = folder("private");
    let port = elsewhere.rsplit_once(':').unwrap().1.to_owned();
    let addresses = [
        elsewhere.clone() + "/x",
        format!("https://127.0.0.1:{port}/x"),
        format!("https://localhost:{port}/x"),
        format!("https://[::ffff:127.0.0.1]:{port}/x"),
        format!("http://user@127.0.0.1:{port}/x"),
        "https://169.254.169.254/latest/meta-data".to_owned(),
        "file:///etc/passwd".to_owned(),
    ];
    for address in addresses {
        for is_redirected in [false, true] {
            let named = address.clone();
            let (base, _requests) = figma_with(
                move |host| {
                    let is_first = is_redirected && host != "elsewhere";
                    if is_first { format!("http://{host}/elsewhere") } else { named.clone() }
                },
                Vec::new(),
            );
            let mut client = ready(&base, &folder);
            let result =
                client.call("figma_images_download", json!({ "file_key": "abc", "node_ids": ["1:2"] }));
            assert_eq!(
                result["structuredContent"]["error"], "bad_answer",
                "{address} {is_redirected}: {result}"
            );
        }
    }
    assert_eq!(connections.try_iter().count(), 0);
    assert_eq!(names_in(&folder), Vec::<String>::new());
}

#[test]
fn what_is_no_image_is_not_saved() {
    for (bytes, why) in [
        (b"<html>".to_vec(), "no image of a known kind"),
        (b"GIF89a\x01\0\x01\0".to_vec(), "a png was asked for, and a gif came"),
    ] {
        let (base, _requests) = figma_with(|host| format!("http://{host}/image"), bytes);
        let folder = folder("magic");
        let mut client = ready(&base, &folder);
        let result = client.call("figma_images_download", json!({ "file_key": "abc", "node_ids": ["1:2"] }));
        assert!(text_of(&result).contains(why), "{result}");
        assert_eq!(names_in(&folder), Vec::<String>::new());
    }
}

#[test]
fn hints_tell_hosts_the_truth() {
    let mut client = Client::sandbox();
    let tools = client.request("tools/list", json!({}))["result"]["tools"].clone();
    let hints = |name: &str| {
        let tool = tools.as_array().unwrap().iter().find(|tool| tool["name"] == name).unwrap();
        tool["annotations"].clone()
    };
    let download = hints("figma_images_download");
    assert_eq!((&download["readOnlyHint"], &download["destructiveHint"]), (&json!(false), &json!(true)));
    assert_eq!(hints("figma_screenshot_get")["readOnlyHint"], true);
}

#[test]
fn read_only_saves_nothing_even_with_a_folder() {
    let folder = folder("read-only");
    let place = folder.to_str().unwrap();
    let all = ["--sandbox", "--read-only", "--image-dir", place, "--names", "framelink"];
    let mut client = Client::ready(&all, &[]);
    let names = client.tool_names();
    assert!(names.iter().any(|name| name == "figma_screenshot_get"), "{names:?}");
    for name in ["figma_images_download", "download_figma_images"] {
        assert!(!names.iter().any(|listed| listed == name), "{names:?}");
        let refusal = client.refusal(name, json!({ "file_key": PRODUCT_FILE, "node_ids": ["2:1"] }));
        assert_eq!(refusal["error"], "hidden_tool", "{refusal}");
        assert!(refusal["what"].as_str().unwrap().contains("--read-only"), "{refusal}");
    }
    assert_eq!(names_in(&folder), Vec::<String>::new());
}

/// What needs pixels from the sandbox.
#[cfg(feature = "sandbox-render")]
mod pixels {
    use std::collections::BTreeMap;

    use base64::{Engine, engine::general_purpose::STANDARD as BASE64};

    use super::*;
    use crate::client::figma_mcp;

    #[test]
    fn renders_are_saved_in_every_format() {
        let folder = folder("formats");
        let mut client = sandbox(&folder);
        let heads: BTreeMap<&str, &[u8]> = BTreeMap::from([
            ("png", &b"\x89PNG"[..]),
            ("jpg", b"\xff\xd8\xff"),
            ("svg", b"<svg "),
            ("pdf", b"%PDF-"),
        ]);
        for (format, head) in heads {
            let result = download(
                &mut client,
                json!({ "node_ids": [HOME], "format": format, "names": { HOME: "Home" } }),
            );
            let answer = saved(&result);
            assert_eq!(answer["folder"], folder.to_str().unwrap());
            let image = &answer["saved"][0];
            assert_eq!(
                (image["node_id"].as_str(), image["file"].as_str()),
                (Some(HOME), Some(&*format!("Home.{format}")))
            );
            let bytes = fs::read(folder.join(format!("Home.{format}"))).unwrap();
            assert!(bytes.starts_with(head), "{format}");
            assert_eq!(image["bytes"], bytes.len());
            if format != "pdf" {
                assert_eq!((&image["width"], &image["height"]), (&json!(390), &json!(1064)), "{format}");
            }
        }
        let double =
            saved(&download(&mut client, json!({ "node_ids": HOME, "scale": 2, "folder": "double/size" })));
        assert_eq!(double["saved"][0]["width"], 780);
        assert!(folder.join("double/size").join(double["saved"][0]["file"].as_str().unwrap()).exists());
    }

    #[test]
    fn a_screenshot_is_a_picture_that_fits() {
        let mut client = Client::sandbox();
        let mut shot = |more: Value| {
            let mut arguments = json!({ "file_key": PRODUCT_FILE, "node_id": HOME });
            arguments.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            let result = client.call("figma_screenshot_get", arguments);
            assert_ne!(result["isError"], true, "{result}");
            assert!(result.to_string().len() < 1024 * 1024);
            let content = result["content"].as_array().unwrap();
            let image = content.iter().find(|block| block["type"] == "image").unwrap();
            assert_eq!(image["mimeType"], "image/png");
            let bytes = BASE64.decode(image["data"].as_str().unwrap()).unwrap();
            let side = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap());
            (side(16), side(20), text_of(&result).to_owned())
        };
        let (width, height, text) = shot(json!({}));
        assert_eq!((width, height), (375, 1023));
        assert!(text.starts_with("Picture: 375 × 1023 pixels.\n2:1 \"Home\" FRAME 390 × 1064\n  "), "{text}");
        let (width, height, _) = shot(json!({ "max_pixels": 100 }));
        assert_eq!((width, height), (36, 100));
        // The whole design, as large as Figma renders it and the limit in bytes lets it through.
        let (width, _, _) = shot(json!({ "max_pixels": 4096 }));
        assert!(width > 390, "{width}");
        let (width, height, _) = shot(json!({ "scale": 0.5 }));
        assert_eq!((width, height), (195, 532));
        let result =
            client.call("figma_screenshot_get", json!({ "file_key": PRODUCT_FILE, "node_id": "9:99" }));
        assert_eq!(result["structuredContent"]["error"], "no_images", "{result}");
    }

    #[test]
    fn a_call_from_the_command_line_writes_the_picture() {
        let file = folder("call").join("home.png");
        let key = format!("file_key={PRODUCT_FILE}");
        let ran = figma_mcp()
            .args(["call", "--sandbox", "figma_screenshot_get", &key, "node_id=2:1", "--output"])
            .arg(&file)
            .output()
            .unwrap();
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
        assert!(fs::read(file).unwrap().starts_with(b"\x89PNG"));
        assert!(String::from_utf8_lossy(&ran.stdout).contains("2:1 \"Home\" FRAME"));
    }
}
