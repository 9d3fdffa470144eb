//! `figma_images_download`: renders and image fills, saved as files.
//!
//! All renders of one format come from one call to Figma, all image fills from another. The images
//! themselves are fetched without a token, a few at a time, and written one after the other, so that
//! the same call always gives the same names. One image that fails does not take the others with it.

mod order;

use std::{
    collections::{HashMap, HashSet},
    path::{Path, PathBuf},
};

use futures_util::{StreamExt, stream};
use serde_json::Value;

use self::order::{Order, Want, What};
use super::{App, Output, outline::Outline, picture, source};
use crate::{
    auth::Caller,
    disk::{self, Folder, Kind, Names},
    error::{Error, Result},
    table::{Endpoint, ImageEndpoints, Tool, args::Args},
};

/// How many images are fetched at a time.
const AT_A_TIME: usize = 4;
/// The longest list of ids in one request, in bytes: addresses above 8 kB are refused on the way.
const LONGEST_IDS: usize = 6000;

/// Why Figma has no address of a render.
pub(super) const NOT_RENDERED: &str =
    "Figma does not render it: an unknown id, invisible, or nothing to draw";

/// Why an image is not there: in our words, or a whole error.
#[derive(Debug, Clone)]
enum Missing {
    Because(String),
    Error(Error),
}

impl Missing {
    fn because(reason: &str) -> Self {
        Self::Because(reason.to_owned())
    }

    fn reason(&self) -> String {
        match self {
            Self::Because(reason) => reason.clone(),
            Self::Error(error) => error.to_string(),
        }
    }
}

/// An image with where it is to be had.
struct Job {
    want: Want,
    stem: String,
    address: Result<String, Missing>,
}

/// Saves every image that is asked for, and says what became of each.
pub(super) async fn download(
    app: &App,
    caller: &Caller,
    tool: &'static Tool,
    endpoints: &'static ImageEndpoints,
    args: &Args,
) -> Result<Output> {
    let images = app.image_dir.clone().ok_or(Error::NoImageDir)?;
    let order = Order::read(args.clone())?;
    let wants = order.wants();
    if wants.len() > disk::MOST_IMAGES {
        let problem = format!("ask for at most {} images a call, not {}", disk::MOST_IMAGES, wants.len());
        return Err(Error::bad_argument(tool.name, "", problem));
    }
    // Opened first: a folder that cannot be used is no reason to spend a call.
    let below = order.folder.clone();
    let folder = blocking(move || images.open(below.as_deref())).await??;
    let figma = Figma { app, caller, tool, endpoints, order: &order };
    let (wants, mut missing, note) = figma.looked_up(wants).await?;
    let addresses = figma.addresses(&wants).await;
    let jobs = named(wants, &addresses);
    let writer = Saver { folder, may_overwrite: order.overwrite, known: HashMap::new() };
    let place = writer.folder.path().to_owned();
    let mut saved = Vec::new();
    for (want, outcome) in save_all(app, jobs, writer).await? {
        match outcome {
            Ok(image) => saved.push(described(&want, &image)),
            Err(why) => missing.push((want, why)),
        }
    }
    let mut output = report(&place, &saved, &missing)?;
    output.notes.extend(note);
    Ok(output)
}

/// Work that would hold up a thread of the runtime.
pub(super) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|_| Error::Bug { problem: "the work on an image broke off".to_owned() })
}

/// What asks Figma where the images are.
struct Figma<'a> {
    app: &'a App,
    caller: &'a Caller,
    tool: &'static Tool,
    endpoints: &'static ImageEndpoints,
    order: &'a Order,
}

/// Where images are, or why not: by node and format, and by image ref.
#[derive(Default)]
struct Addresses {
    renders: HashMap<(String, Kind), Result<String, Missing>>,
    fills: HashMap<String, Result<String, Missing>>,
}

impl Figma<'_> {
    async fn call(&self, endpoint: &'static Endpoint, args: &Args) -> Result<Value> {
        let output = self.app.rest.call(self.caller, self.tool, endpoint, args).await?;
        serde_json::from_str(&output.body)
            .map_err(|_| Error::BadAnswer { problem: "it is no list of images".to_owned() })
    }

    /// Puts the image fills of nodes in the place of those nodes, and gives renders their nodes' names.
    async fn looked_up(&self, wants: Vec<Want>) -> Result<(Vec<Want>, Vec<(Want, Missing)>, Option<String>)> {
        let has_fills = wants.iter().any(|want| want.what == What::NodeFills);
        let ids: HashSet<&str> = wants
            .iter()
            .filter(|want| want.what == What::NodeFills || (want.is_render() && want.name.is_none()))
            .filter_map(|want| want.node_id.as_deref())
            .collect();
        if ids.is_empty() {
            return Ok((wants, Vec::new(), None));
        }
        let ids: Vec<String> = ids.into_iter().map(str::to_owned).collect();
        let (key, version) = (&self.order.file_key, self.order.version.as_deref());
        let read = source::read(self.app, self.caller, self.tool, key, version, &ids, Outline::default);
        let outline = match read.await {
            Ok((outline, _)) => outline,
            // Without names there are still ids to name files by.
            Err(error) if !has_fills => {
                return Ok((wants, Vec::new(), Some(format!("No node names: {error}."))));
            }
            Err(error) => return Err(error),
        };
        let (mut all, mut missing) = (Vec::new(), Vec::new());
        for mut want in wants {
            let node = want.node_id.as_deref().and_then(|id| outline.node(id));
            if want.what != What::NodeFills {
                want.node_name = node.map(|node| node.name.clone());
                all.push(want);
                continue;
            }
            let fills = node.map(|node| order::fills_of(&want, node));
            match fills {
                Some(fills) if !fills.is_empty() => all.extend(fills),
                Some(_) => missing
                    .push((want, Missing::because("it has no image fill: without `fills` it is rendered"))),
                None => missing
                    .push((want, Missing::because("there is no such node in this version of the file"))),
            }
        }
        Ok((all, missing, None))
    }

    /// Asks once for all renders of a format, and once for all image fills.
    async fn addresses(&self, wants: &[Want]) -> Addresses {
        let mut addresses = Addresses::default();
        for kind in Kind::ALL {
            let mut seen = HashSet::new();
            let ids: Vec<&str> = wants
                .iter()
                .filter(|want| want.what == What::Render(kind))
                .filter_map(|want| want.node_id.as_deref())
                .filter(|id| seen.insert(*id))
                .collect();
            for ids in in_requests(&ids) {
                let answer = self.call(&self.endpoints.render, &self.order.render_args(ids, kind)).await;
                let found = answer.as_ref().map(|answer| order::addresses(answer.get("images")));
                for id in ids {
                    let address = match &found {
                        Ok(found) => {
                            found.get(*id).cloned().flatten().ok_or_else(|| Missing::because(NOT_RENDERED))
                        }
                        Err(error) => Err(Missing::Error((*error).clone())),
                    };
                    addresses.renders.insert(((*id).to_owned(), kind), address);
                }
            }
        }
        addresses.fills = self.fill_addresses(wants).await;
        addresses
    }

    async fn fill_addresses(&self, wants: &[Want]) -> HashMap<String, Result<String, Missing>> {
        let refs = wants.iter().filter_map(|want| match &want.what {
            What::Fill { image_ref, .. } => Some(image_ref.as_str()),
            _ => None,
        });
        let refs: HashSet<&str> = refs.collect();
        if refs.is_empty() {
            return HashMap::new();
        }
        // This endpoint knows no version: an image ref names the same image for ever.
        let mut args = self.order.args([]);
        args.remove("version");
        let answer = self.call(&self.endpoints.fills, &args).await;
        let found = answer.map(|answer| order::addresses(answer.pointer("/meta/images")));
        let address = |image_ref: &str| match &found {
            Ok(found) => found.get(image_ref).cloned().flatten().ok_or_else(|| {
                Missing::because("the file has no image of this ref: take `imageRef` or `gifRef` from a fill")
            }),
            Err(error) => Err(Missing::Error(error.clone())),
        };
        refs.into_iter().map(|image_ref| (image_ref.to_owned(), address(image_ref))).collect()
    }
}

/// The ids in as few requests as their length allows.
fn in_requests<'a, 'b>(ids: &'a [&'b str]) -> Vec<&'a [&'b str]> {
    let (mut requests, mut start, mut length) = (Vec::new(), 0, 0);
    for (index, id) in ids.iter().enumerate() {
        // A colon and a semicolon take three bytes each in an address.
        let more = id.len() * 2 + 3;
        if index > start && length + more > LONGEST_IDS {
            requests.extend(ids.get(start..index));
            (start, length) = (index, 0);
        }
        length += more;
    }
    requests.extend(ids.get(start..).filter(|rest| !rest.is_empty()));
    requests
}

/// Each image with its address and with a file name that no other has.
fn named(wants: Vec<Want>, addresses: &Addresses) -> Vec<Job> {
    let mut names = Names::default();
    let mut seen = HashSet::new();
    let mut jobs = Vec::new();
    for want in wants {
        let (address, id, mark) = match &want.what {
            What::Render(kind) => {
                let id = want.node_id.clone().unwrap_or_default();
                (addresses.renders.get(&(id.clone(), *kind)).cloned(), id, format!("{kind:?}"))
            }
            What::Fill { image_ref, crop } => {
                let id = want.node_id.as_ref().map_or_else(|| image_ref.clone(), Clone::clone);
                (
                    addresses.fills.get(image_ref).cloned(),
                    id,
                    format!("{image_ref} {:?}", crop.map(picture::Crop::bits)),
                )
            }
            What::NodeFills => continue,
        };
        // The same image under the same name twice is one image.
        if !seen.insert((id.clone(), mark, want.name.clone())) {
            continue;
        }
        let wanted = want.name.as_deref().or(want.node_name.as_deref()).unwrap_or_default();
        let short = id.get(..12).filter(|_| want.node_id.is_none()).unwrap_or(&id);
        let what = if want.node_id.is_some() { "node" } else { "image" };
        let stem = names.give(wanted, what, short);
        let address = address.unwrap_or_else(|| Err(Missing::because("Figma did not name its address")));
        jobs.push(Job { want, stem, address });
    }
    jobs
}

/// Fetches and saves all, each address once. What became of each image, in their order.
async fn save_all(
    app: &App,
    jobs: Vec<Job>,
    mut writer: Saver,
) -> Result<Vec<(Want, Result<Image, Missing>)>> {
    let mut done = Vec::new();
    let mut fetched = stream::iter(by_address(jobs)).map(|jobs| fetch(app, jobs)).buffered(AT_A_TIME);
    while let Some((jobs, bytes)) = fetched.next().await {
        match bytes {
            Ok(bytes) => {
                let (back, outcomes) = blocking(move || {
                    let save = |(at, job): (usize, Job)| {
                        let outcome = writer.save(&job, &bytes);
                        (at, job.want, outcome)
                    };
                    let outcomes: Vec<_> = jobs.into_iter().map(save).collect();
                    (writer, outcomes)
                })
                .await?;
                writer = back;
                done.extend(outcomes);
            }
            Err(why) => done.extend(jobs.into_iter().map(|(at, job)| (at, job.want, Err(why.clone())))),
        }
    }
    done.sort_by_key(|(at, ..)| *at);
    Ok(done.into_iter().map(|(_, want, outcome)| (want, outcome)).collect())
}

/// The jobs that take the same bytes together, in the order of the first of them; with their places.
fn by_address(jobs: Vec<Job>) -> Vec<Vec<(usize, Job)>> {
    let mut groups: Vec<Vec<(usize, Job)>> = Vec::new();
    let mut known: HashMap<String, usize> = HashMap::new();
    for (at, job) in jobs.into_iter().enumerate() {
        let group = job.address.as_ref().ok().map(|address| (address.clone(), groups.len()));
        let group = group.map(|(address, next)| *known.entry(address).or_insert(next));
        match group.and_then(|group| groups.get_mut(group)) {
            Some(group) => group.push((at, job)),
            None => groups.push(vec![(at, job)]),
        }
    }
    groups
}

/// What the address of these jobs leads to.
async fn fetch(app: &App, jobs: Vec<(usize, Job)>) -> (Vec<(usize, Job)>, Result<Vec<u8>, Missing>) {
    let address = jobs.first().map(|(_, job)| job.address.clone());
    let bytes = match address {
        Some(Ok(address)) => app.rest.downloads().get(&address).await.map_err(Missing::Error),
        Some(Err(why)) => Err(why),
        None => Ok(Vec::new()),
    };
    (jobs, bytes)
}

/// An image that lies on the disk.
#[derive(Debug, Clone)]
struct Image {
    path: PathBuf,
    bytes: usize,
    size: Option<(u32, u32)>,
    is_unchanged: bool,
    remark: Option<String>,
}

/// Writes images, the same one only once.
struct Saver {
    folder: Folder,
    may_overwrite: bool,
    /// What was written under a name that nobody asked for, by its contents.
    known: HashMap<Vec<u8>, Image>,
}

impl Saver {
    fn save(&mut self, job: &Job, bytes: &[u8]) -> Result<Image, Missing> {
        let kind =
            Kind::of(bytes).ok_or_else(|| Missing::because("what came is no image of a known kind"))?;
        let mut remark = None;
        let mut part = None;
        match &job.want.what {
            What::Render(wanted) if *wanted != kind => {
                let reason =
                    format!("a {} was asked for, and a {} came", wanted.extension(), kind.extension());
                return Err(Missing::Because(reason));
            }
            What::Fill { crop: Some(crop), .. } => match picture::cropped(kind, bytes, *crop) {
                Ok(cropped) => part = Some(cropped),
                Err(problem) => remark = Some(format!("saved whole: {problem}")),
            },
            _ => {}
        }
        let bytes = part.as_deref().unwrap_or(bytes);
        let digest = ring::digest::digest(&ring::digest::SHA256, bytes).as_ref().to_vec();
        if job.want.name.is_none()
            && let Some(image) = self.known.get(&digest)
        {
            return Ok(image.clone());
        }
        if kind == Kind::Svg && disk::is_active(bytes) {
            remark = Some("holds a script: do not put it into a page unchecked".to_owned());
        }
        let name = format!("{}.{}", job.stem, kind.extension());
        let saved = self.folder.save(&name, bytes, self.may_overwrite).map_err(Missing::Because)?;
        let size = picture::size(kind, bytes);
        let image =
            Image { path: saved.path, bytes: bytes.len(), size, is_unchanged: saved.is_unchanged, remark };
        self.known.entry(digest).or_insert_with(|| image.clone());
        Ok(image)
    }
}

/// What the caller is told of a saved image.
fn described(want: &Want, image: &Image) -> Value {
    let name = image.path.file_name().map(|name| name.to_string_lossy().into_owned());
    object([
        ("node_id", node_id(want)),
        ("image_ref", image_ref(want).map(Value::from)),
        ("file", name.map(Value::from)),
        ("bytes", Some(Value::from(image.bytes))),
        ("width", image.size.map(|(width, _)| Value::from(width))),
        ("height", image.size.map(|(_, height)| Value::from(height))),
        ("unchanged", image.is_unchanged.then_some(Value::Bool(true))),
        ("remark", image.remark.clone().map(Value::from)),
    ])
}

fn node_id(want: &Want) -> Option<Value> {
    want.node_id.clone().map(Value::from)
}

fn image_ref(want: &Want) -> Option<&str> {
    match &want.what {
        What::Fill { image_ref, .. } => Some(image_ref),
        What::Render(_) | What::NodeFills => None,
    }
}

/// What was saved and what was not; an error where nothing was.
fn report(folder: &Path, saved: &[Value], missing: &[(Want, Missing)]) -> Result<Output> {
    if saved.is_empty() {
        return Err(nothing_saved(missing));
    }
    let failed: Vec<Value> = missing
        .iter()
        .map(|(want, why)| {
            let reason = Some(Value::from(why.reason()));
            object([
                ("node_id", node_id(want)),
                ("image_ref", image_ref(want).map(Value::from)),
                ("why", reason),
            ])
        })
        .collect();
    let all = failed.len() + saved.len();
    let notes = (!failed.is_empty()).then(|| format!("{} of {all} images failed.", failed.len()));
    let failed = (!failed.is_empty()).then_some(Value::from(failed));
    let folder = Value::from(folder.display().to_string());
    let body = object([("folder", Some(folder)), ("saved", Some(Value::from(saved))), ("failed", failed)]);
    Ok(Output { notes: notes.into_iter().collect(), ..Output::json(body.to_string()) })
}

/// An object of what there is.
fn object<const N: usize>(members: [(&str, Option<Value>); N]) -> Value {
    members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

/// The error that all images share, or what each of them failed of.
fn nothing_saved(missing: &[(Want, Missing)]) -> Error {
    const MOST: usize = 10;
    if let Some((_, Missing::Error(first))) = missing.first()
        && missing.iter().all(|(_, why)| matches!(why, Missing::Error(error) if error.kind() == first.kind()))
    {
        return first.clone();
    }
    let told = |(want, why): &(Want, Missing)| {
        let id = want.node_id.as_deref().or_else(|| image_ref(want)).unwrap_or("an image");
        format!("{}: {}", crate::error::foreign(id), why.reason())
    };
    let mut reasons: Vec<String> = missing.iter().take(MOST).map(told).collect();
    if missing.len() > MOST {
        reasons.push(format!("and {} more", missing.len() - MOST));
    }
    Error::NoImages { reasons: reasons.join("; ") }
}
