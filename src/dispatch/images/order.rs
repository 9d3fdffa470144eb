//! Which images a call asks for, and which image fills nodes have. Pure.

use std::collections::{BTreeMap, HashMap};

use serde::Deserialize;
use serde_json::Value;

use crate::{
    disk::Kind,
    dispatch::{
        outline::{ImageFill, Node},
        picture::Crop,
    },
    error::{Error, Result},
    table::args::Args,
};

/// What a call says, in the form in which both our own tool and other servers' names say it.
#[derive(Debug, Deserialize)]
pub(super) struct Order {
    pub(super) file_key: String,
    #[serde(default)]
    node_ids: Vec<String>,
    #[serde(default)]
    image_refs: Vec<String>,
    #[serde(default)]
    fills: bool,
    format: Option<String>,
    scale: Option<f64>,
    /// Below the image folder.
    pub(super) folder: Option<String>,
    #[serde(default)]
    names: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) overwrite: bool,
    pub(super) version: Option<String>,
    /// Images each with what is its own, from a tool with another server's name.
    #[serde(default)]
    items: Vec<Item>,
}

/// One image of a list in which each has what is its own.
#[derive(Debug, Deserialize)]
struct Item {
    node_id: Option<String>,
    image_ref: Option<String>,
    gif_ref: Option<String>,
    name: Option<String>,
    suffix: Option<String>,
    needs_cropping: Option<bool>,
    crop: Option<Vec<Vec<f64>>>,
}

/// One image that is wanted.
#[derive(Debug, Clone)]
pub(super) struct Want {
    /// The node that is rendered, or whose fill it is.
    pub(super) node_id: Option<String>,
    /// The name for its file, as the caller gave it.
    pub(super) name: Option<String>,
    /// The node's own name.
    pub(super) node_name: Option<String>,
    pub(super) what: What,
}

impl Want {
    pub(super) const fn is_render(&self) -> bool {
        matches!(self.what, What::Render(_))
    }
}

/// Where an image comes from.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum What {
    /// A render of the node.
    Render(Kind),
    /// The image fills of the node, which are not known yet.
    NodeFills,
    /// An image fill.
    Fill { image_ref: String, crop: Option<Crop> },
}

impl Order {
    pub(super) fn read(args: Args) -> Result<Self> {
        serde_json::from_value(Value::Object(args))
            .map_err(|error| Error::Bug { problem: format!("an order of images does not fit: {error}") })
    }

    /// Every image that is asked for, in the order in which it is.
    pub(super) fn wants(&self) -> Vec<Want> {
        let named = |key: &str| {
            let spelt = |name: &&String| name.replace('-', ":") == key;
            self.names
                .get(key)
                .or_else(|| self.names.keys().find(spelt).and_then(|key| self.names.get(key)))
                .cloned()
        };
        let format = self.format.as_deref().and_then(kind_named).unwrap_or(Kind::Png);
        let nodes = self.node_ids.iter().map(|id| Want {
            node_id: Some(id.clone()),
            name: named(id),
            node_name: None,
            what: if self.fills { What::NodeFills } else { What::Render(format) },
        });
        let fills = self.image_refs.iter().map(|image_ref| Want {
            node_id: None,
            name: named(image_ref),
            node_name: None,
            what: What::Fill { image_ref: image_ref.clone(), crop: None },
        });
        nodes.chain(fills).chain(self.items.iter().map(Item::want)).collect()
    }

    /// The arguments of a call about this file, at the version that is meant.
    pub(super) fn args(&self, more: impl IntoIterator<Item = (&'static str, Value)>) -> Args {
        let mut args = Args::from_iter([("file_key".to_owned(), Value::from(self.file_key.as_str()))]);
        if let Some(version) = &self.version {
            args.insert("version".to_owned(), Value::from(version.as_str()));
        }
        args.extend(more.into_iter().map(|(name, value)| (name.to_owned(), value)));
        args
    }

    /// The arguments of a render of these nodes.
    pub(super) fn render_args(&self, ids: &[&str], kind: Kind) -> Args {
        let mut args = self.args([("ids", Value::from(ids)), ("format", Value::from(kind.extension()))]);
        if let Some(scale) = self.scale.filter(|_| matches!(kind, Kind::Png | Kind::Jpg)) {
            args.insert("scale".to_owned(), Value::from(scale));
        }
        args
    }
}

impl Item {
    fn want(&self) -> Want {
        let filled = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        let crop = self.crop.as_deref().filter(|_| self.needs_cropping != Some(false)).and_then(Crop::new);
        let name =
            filled(&self.name).map(|name| with_suffix(&name, self.suffix.as_deref().unwrap_or_default()));
        let what = match filled(&self.gif_ref).or_else(|| filled(&self.image_ref)) {
            Some(image_ref) => What::Fill { image_ref, crop },
            None => What::Render(name.as_deref().and_then(extension).unwrap_or(Kind::Png)),
        };
        Want { node_id: filled(&self.node_id), name, node_name: None, what }
    }
}

/// `card.png` and `3f2a` make `card-3f2a.png`, unless the name ends with it already.
fn with_suffix(name: &str, suffix: &str) -> String {
    let (stem, end) =
        name.rsplit_once('.').map_or((name, String::new()), |(stem, end)| (stem, format!(".{end}")));
    if suffix.is_empty() || stem.ends_with(suffix) {
        name.to_owned()
    } else {
        format!("{stem}-{suffix}{end}")
    }
}

/// The kind of render that a file name asks for.
fn extension(name: &str) -> Option<Kind> {
    kind_named(name.rsplit_once('.')?.1).filter(|kind| !matches!(kind, Kind::Gif | Kind::Webp))
}

fn kind_named(name: &str) -> Option<Kind> {
    let name = name.to_ascii_lowercase();
    if name == "jpeg" {
        return Some(Kind::Jpg);
    }
    Kind::ALL.into_iter().find(|kind| kind.extension() == name)
}

/// The image fills that a node shows, each as an image that is wanted.
pub(super) fn fills_of(want: &Want, node: &Node) -> Vec<Want> {
    let fill = |fill: &ImageFill| {
        let text = |name: &str| fill.paint.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        // A moving picture's still is an image of its own; the moving one is what is meant.
        let image_ref = text("gifRef").or_else(|| text("imageRef"))?.to_owned();
        let rows: Option<Vec<Vec<f64>>> =
            fill.paint.get("imageTransform").and_then(|rows| Vec::deserialize(rows).ok());
        let crop = rows.as_deref().and_then(Crop::new).filter(|_| text("gifRef").is_none());
        Some(Want {
            node_id: Some(fill.node_id.clone()),
            node_name: Some(fill.node_name.clone()),
            what: What::Fill { image_ref, crop },
            ..want.clone()
        })
    };
    node.image_fills().iter().filter_map(fill).collect()
}

/// The addresses of an answer, by node id or image ref. A null address stays one.
pub(super) fn addresses(images: Option<&Value>) -> HashMap<String, Option<String>> {
    let entries = images.and_then(Value::as_object).into_iter().flatten();
    entries.map(|(id, address)| (id.clone(), address.as_str().map(str::to_owned))).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::dispatch::outline::tests::outline;

    fn order(args: &Value) -> Order {
        Order::read(args.as_object().unwrap().clone()).unwrap()
    }

    #[test]
    fn every_form_of_an_order_is_read() {
        let ours = order(&json!({
            "file_key": "k", "node_ids": ["1:2", "1:3"], "image_refs": ["abc"], "format": "svg",
            "names": { "1-2": "hero", "abc": "photo" },
        }));
        let told: Vec<_> =
            ours.wants().into_iter().map(|want| (want.node_id, want.name, want.what)).collect();
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(
            told,
            [
                (some("1:2"), some("hero"), What::Render(Kind::Svg)),
                (some("1:3"), None, What::Render(Kind::Svg)),
                (None, some("photo"), What::Fill { image_ref: "abc".into(), crop: None }),
            ]
        );
        let theirs = order(&json!({ "file_key": "k", "items": [
            { "node_id": "1:2", "name": "icon.svg" },
            { "node_id": "1:3", "name": "photo.png", "image_ref": "abc", "gif_ref": "", "needs_cropping": true,
              "suffix": "3f2a", "crop": [[0.5, 0, 0], [0, 1, 0]] },
            { "node_id": "1:4", "name": "x.png", "image_ref": "abc", "gif_ref": "gif" },
        ] }));
        let told: Vec<_> = theirs.wants().into_iter().map(|want| (want.name, want.what)).collect();
        let crop = Crop::new(&[vec![0.5, 0.0, 0.0], vec![0.0, 1.0, 0.0]]);
        assert_eq!(
            told,
            [
                (some("icon.svg"), What::Render(Kind::Svg)),
                (some("photo-3f2a.png"), What::Fill { image_ref: "abc".into(), crop }),
                (some("x.png"), What::Fill { image_ref: "gif".into(), crop: None }),
            ]
        );
    }

    #[test]
    fn fills_are_found_on_the_node_or_below_it() {
        let want = Want { node_id: Some("1:1".into()), name: None, node_name: None, what: What::NodeFills };
        let card = json!({ "id": "1:1", "name": "Card", "fills": [{ "type": "SOLID" }], "children": [
            { "id": "1:2", "name": "Photo", "fills": [
                { "type": "IMAGE", "imageRef": "a", "imageTransform": [[0.5, 0, 0.25], [0, 1, 0]] },
                { "type": "IMAGE", "imageRef": "hidden", "visible": false },
            ] },
            { "id": "1:3", "name": "Gone", "visible": false, "fills": [{ "type": "IMAGE", "imageRef": "b" }] },
            { "id": "1:4", "name": "Moving", "fills": [{ "type": "IMAGE", "imageRef": "still", "gifRef": "gif" }] },
        ] });
        let (card, bare) = (outline(&card), outline(&json!({ "id": "1:1", "fills": [] })));
        let found: Vec<_> = fills_of(&want, card.node("1:1").unwrap())
            .into_iter()
            .map(|want| match want.what {
                What::Fill { image_ref, crop } => (want.node_id.unwrap(), image_ref, crop.is_some()),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(
            found,
            [("1:2".to_owned(), "a".to_owned(), true), ("1:4".to_owned(), "gif".to_owned(), false)]
        );
        assert!(fills_of(&want, bare.node("1:1").unwrap()).is_empty());
    }
}
