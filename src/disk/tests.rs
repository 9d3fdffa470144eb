//! Nothing is ever written outside: the path corpus, and links that change under a writer's feet.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process,
};

use super::*;

const PICTURE: &[u8] = b"\x89PNG\r\n\x1a\n picture";

/// A folder of a test's own, with `inside` for images and `outside` that has to stay empty.
struct Place(PathBuf);

impl Place {
    fn new(name: &str) -> Self {
        let path = env::temp_dir().join(format!("figma-mcp-disk-{name}-{}", process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(path.join("inside")).unwrap();
        fs::create_dir_all(path.join("outside")).unwrap();
        Self(path)
    }

    fn inside(&self) -> PathBuf {
        self.0.join("inside")
    }

    fn images(&self) -> ImageDir {
        ImageDir::new(self.inside())
    }

    /// Everything in the test's folder that is not below `inside`, apart from the two folders.
    fn strays(&self) -> Vec<PathBuf> {
        let mut strays: Vec<PathBuf> = files_below(&self.0.join("outside"));
        let beside = fs::read_dir(&self.0).unwrap().map(|entry| entry.unwrap().path());
        strays.extend(beside.filter(|path| !path.ends_with("inside") && !path.ends_with("outside")));
        strays
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
}

/// Names and paths that have led servers out of their folder, or to something that is no plain file.
#[rustfmt::skip]
const CORPUS: &[&str] = &[
    "..", "../x", "../../x", "../outside/x", "a/../../outside/x", "./../x", "..//x", ".../x", "....//x",
    "/x", "//x", "/etc/passwd", "/tmp/x", "~/x", "~root/x", "$HOME/x", "%TEMP%\\x", "${HOME}/x", "`id`",
    "$(id)", "..\\x", "..\\..\\x", "..\\outside\\x", "a\\..\\..\\x", "\\x", "\\\\server\\share\\x",
    "\\\\?\\C:\\x", "\\\\.\\PhysicalDrive0", "C:x", "C:\\x", "C:/x", "file:///x", "file:x", "http://x/y",
    "x:stream", "x::$DATA", "x.", "x..", "x ", "x. .", " x", ".x", "..x", ".", "", " ", "/", "\\", "-rf",
    "--x", "CON", "con", "PRN", "AUX", "NUL", "nul.png", "COM1", "COM9.txt", "LPT1", "lpt9.x.y", "CONIN$",
    "COM¹", "x\0y", "\0", "x\ny", "x\ry", "x\ty", "x\u{7f}y", "x\u{202e}gnp", "x\u{200b}y", "\u{feff}x",
    "\u{ff0e}\u{ff0e}\u{ff0f}x", "\u{2024}\u{2024}/x", "\u{2215}x", "\u{29f5}x", "%2e%2e%2fx", "%2e%2e/x",
    "..%2fx", "..%5cx", "%00", "..%c0%afx", "..%252fx", "&#46;&#46;/x", "x|y", "x<y", "x>y", "x\"y", "x?y",
    "x*y", "x;y", "x&y", "x#y", "x'y", "x\u{301}", "Ａ", "ﬁle", "desktop.ini", "thumbs.db", ".git/config",
    ".ssh/authorized_keys", ".htaccess", "node_modules/.bin/x", "x.png/../../y", "x.png/", "link/x",
    "outside/x",
];

/// The corpus, and what is too long.
fn corpus() -> Vec<String> {
    let long = ["x".repeat(300), "../".repeat(100) + "x", "é".repeat(200), "a/".repeat(200)];
    CORPUS.iter().map(|text| (*text).to_owned()).chain(long).collect()
}

#[test]
fn the_path_corpus_writes_nothing_outside() {
    let place = Place::new("corpus");
    let corpus = corpus();
    assert!(corpus.len() >= 100, "{}", corpus.len());
    let mut names = Names::default();
    let (mut saved, mut refused) = (0, 0);
    for text in &corpus {
        // As a node's name, as a name for the file as it stands, and as a folder.
        let name = names.give(text, "node", text) + ".png";
        assert!(name::is_safe(&name), "{text:?} became {name:?}");
        place.images().open(None).unwrap().save(&name, PICTURE, false).unwrap();
        if let Ok(Saved { path, .. }) = place.images().open(None).unwrap().save(text, PICTURE, true) {
            assert_eq!(path, place.inside().join(text), "{text:?}");
        }
        match place.images().open(Some(text)) {
            Ok(mut folder) => {
                let path = folder.save("picture.png", PICTURE, false).unwrap().path;
                assert!(path.starts_with(place.inside()), "{text:?}: {}", path.display());
                saved += 1;
            }
            Err(error) => {
                assert!(matches!(error.kind(), "outside" | "file"), "{text:?}: {error}");
                refused += 1;
            }
        }
        assert_eq!(place.strays(), Vec::<PathBuf>::new(), "{text:?}");
    }
    assert!(refused > 60, "as a folder: {saved} inside, {refused} refused");
}

#[test]
fn an_absolute_path_inside_is_understood() {
    let place = Place::new("absolute");
    let inside = place.inside().join("public").join("images");
    let mut folder = place.images().open(inside.to_str()).unwrap();
    assert_eq!(folder.save("a.png", PICTURE, false).unwrap().path, inside.join("a.png"));
    for outside in [place.0.join("outside"), place.inside().join("..").join("outside")] {
        assert_eq!(place.images().open(outside.to_str()).unwrap_err().kind(), "outside");
    }
    assert_eq!(place.strays(), Vec::<PathBuf>::new());
}

#[test]
fn nothing_is_replaced_unless_asked_for() {
    let place = Place::new("overwrite");
    let mut folder = place.images().open(None).unwrap();
    fs::write(place.inside().join("a.png"), "mine").unwrap();
    let refusal = folder.save("a.png", PICTURE, false).unwrap_err();
    assert!(refusal.contains("`overwrite`"), "{refusal}");
    assert_eq!(fs::read(place.inside().join("a.png")).unwrap(), b"mine");
    assert!(!folder.save("a.png", PICTURE, true).unwrap().is_unchanged);
    assert_eq!(fs::read(place.inside().join("a.png")).unwrap(), PICTURE);
    assert!(folder.save("a.png", PICTURE, false).unwrap().is_unchanged, "the same image is no conflict");
    fs::create_dir(place.inside().join("b.png")).unwrap();
    folder.save("b.png", PICTURE, false).unwrap_err();
    folder.save("b.png", PICTURE, true).unwrap_err();
    assert_eq!(files_below(&place.inside()).len(), 2, "a part was left behind");
}

#[test]
fn one_call_writes_only_so_much() {
    let place = Place::new("limits");
    let mut folder = place.images().open(None).unwrap();
    let large = vec![0; LARGEST_IMAGE + 1];
    assert!(folder.save("large.png", &large, false).unwrap_err().contains("64 MB"));
    folder.bytes = MOST_BYTES - 10;
    assert!(folder.save("a.png", PICTURE, false).unwrap_err().contains("256 MB"));
    folder.bytes = 0;
    folder.images = MOST_IMAGES;
    assert!(folder.save("b.png", PICTURE, false).unwrap_err().contains("200 images"));
    assert_eq!(files_below(&place.inside()), Vec::<PathBuf>::new());
}

#[cfg(unix)]
mod links {
    use std::{
        os::unix::fs::symlink,
        sync::atomic::{AtomicBool, Ordering},
        thread,
    };

    use super::*;

    #[test]
    fn no_link_is_followed() {
        let place = Place::new("links");
        let outside = place.0.join("outside");
        symlink(&outside, place.inside().join("folder")).unwrap();
        symlink(outside.join("file.png"), place.inside().join("dangling.png")).unwrap();
        symlink("../outside", place.inside().join("relative")).unwrap();
        symlink(".", place.inside().join("itself")).unwrap();
        for below in ["folder", "folder/deeper", "relative", "itself", "itself/itself"] {
            let error = place.images().open(Some(below)).unwrap_err();
            assert!(error.to_string().contains("link"), "{below}: {error}");
        }
        let mut folder = place.images().open(None).unwrap();
        folder.save("dangling.png", PICTURE, false).unwrap_err();
        assert_eq!(place.strays(), Vec::<PathBuf>::new());
        // A replaced link is gone; where it pointed is as before.
        folder.save("dangling.png", PICTURE, true).unwrap();
        assert!(!place.inside().join("dangling.png").is_symlink());
        assert_eq!(place.strays(), Vec::<PathBuf>::new());
    }

    /// Somebody swaps a folder for a link to elsewhere, and a file for one, as fast as it goes, while
    /// images are written there.
    #[test]
    fn a_link_swapped_in_leads_nowhere() {
        const ROUNDS: usize = 10_000;
        let place = Place::new("race");
        let (inside, outside) = (place.inside(), place.0.join("outside"));
        let is_done = AtomicBool::new(false);
        let (mut written, mut refused, mut swaps) = (0, 0, 0);
        thread::scope(|scope| {
            let swapper = scope.spawn(|| {
                let mut swaps = 0;
                let (folder, aside, file) =
                    (inside.join("folder"), inside.join("aside"), inside.join("picture.png"));
                while !is_done.load(Ordering::Relaxed) {
                    let _ = fs::rename(&folder, &aside);
                    let _ = symlink(&outside, &folder);
                    let _ = fs::remove_file(&file);
                    let _ = symlink(outside.join("stray.png"), &file);
                    thread::yield_now();
                    let _ = fs::remove_file(&folder);
                    let _ = fs::remove_dir_all(&folder);
                    let _ = fs::rename(&aside, &folder);
                    swaps += 1;
                }
                swaps
            });
            for round in 0..ROUNDS {
                let below = (round % 2 == 0).then_some("folder");
                let saved = place
                    .images()
                    .open(below)
                    .map_err(|error| error.to_string())
                    .and_then(|mut folder| folder.save("picture.png", PICTURE, round % 4 < 2));
                if saved.is_ok() { written += 1 } else { refused += 1 }
            }
            is_done.store(true, Ordering::Relaxed);
            swaps = swapper.join().unwrap();
        });
        assert_eq!(place.strays(), Vec::<PathBuf>::new());
        let tried = format!("{ROUNDS} rounds, {swaps} swaps: {written} written, {refused} refused");
        assert!(written > 0 && swaps > 100, "{tried}");
    }
}
