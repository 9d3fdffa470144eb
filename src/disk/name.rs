//! Names of files and folders that are safe on every system. Pure.
//!
//! A file's name holds only `A-Z a-z 0-9 . _ -`: it also travels through addresses, archives and build
//! tools. Accents are taken off; letters of other scripts are left out, and where nothing remains the
//! name comes from the node's id.

use std::collections::HashSet;

use super::Kind;

/// The longest name, extension included.
pub(super) const LONGEST: usize = 100;
/// The longest name before what makes it unique and its extension.
const LONGEST_STEM: usize = 72;
const DEEPEST: usize = 16;
/// Windows opens a device under these names, whatever follows their first dot.
const DEVICES: [&str; 6] = ["con", "prn", "aux", "nul", "conin$", "conout$"];

/// The names that one call gives, no two alike on any system.
#[derive(Debug, Default)]
pub struct Names(HashSet<String>);

impl Names {
    /// A stem of its own: the wanted name made safe, with the id behind it where another image has that
    /// name already, or `what` it is and its id where nothing of the wanted name is left.
    pub fn give(&mut self, wanted: &str, what: &str, id: &str) -> String {
        let id = stem(id).unwrap_or_else(|| "x".to_owned());
        let own = stem(wanted).unwrap_or_else(|| format!("{what}-{id}"));
        let with_id = format!("{own}-{}", cut(&id, LONGEST - LONGEST_STEM - 8));
        let numbered = (2..).map(|number| format!("{own}-{number}"));
        let mut choices = [own.clone(), with_id].into_iter().chain(numbered);
        // The numbers do not end, so a name is found.
        choices.find(|name| self.0.insert(name.to_ascii_lowercase())).unwrap_or(own)
    }
}

/// A text as the first part of a file name, or nothing where no character of it can stay. An image's
/// extension at its end is taken off.
#[must_use]
pub fn stem(text: &str) -> Option<String> {
    let text = without_extension(text.trim());
    let mut name = String::with_capacity(text.len().min(LONGEST_STEM));
    for c in decomposed(text) {
        let last = name.chars().last();
        match c {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '_' => name.push(c),
            '.' if last.is_some_and(|last| last.is_ascii_alphanumeric()) => name.push('.'),
            // A combining mark belongs to the letter before it.
            '\u{300}'..='\u{36f}' => {}
            _ if last.is_some_and(|last| last != '-' && last != '.') => name.push('-'),
            _ => {}
        }
    }
    let name = cut(&name, LONGEST_STEM);
    (!name.is_empty()).then(|| if is_device(name) { format!("_{name}") } else { name.to_owned() })
}

/// At most so many characters, and neither a dot nor a dash at either end. The text is ASCII.
fn cut(name: &str, longest: usize) -> &str {
    name.get(..longest).unwrap_or(name).trim_matches(['.', '-'])
}

fn without_extension(text: &str) -> &str {
    let Some((name, extension)) = text.rsplit_once('.') else { return text };
    let is_known = Kind::ALL.iter().any(|kind| kind.extension().eq_ignore_ascii_case(extension))
        || extension.eq_ignore_ascii_case("jpeg");
    if is_known { name } else { text }
}

/// The letters of a text with their accents apart, and those that have no such form spelt out.
fn decomposed(text: &str) -> impl Iterator<Item = char> {
    let spelt = text.chars().flat_map(|c| {
        let letters = match c {
            'ß' => "ss",
            'æ' => "ae",
            'Æ' => "AE",
            'œ' => "oe",
            'Œ' => "OE",
            'ø' => "o",
            'Ø' => "O",
            'ł' => "l",
            'Ł' => "L",
            'đ' | 'ð' => "d",
            'Đ' | 'Ð' => "D",
            'þ' => "th",
            'Þ' => "Th",
            'ı' => "i",
            _ => "",
        };
        letters.chars().chain(letters.is_empty().then_some(c))
    });
    icu_normalizer::DecomposingNormalizerBorrowed::new_nfkd()
        .normalize_iter(spelt.collect::<Vec<_>>().into_iter())
}

/// Whether Windows takes the name for a device.
fn is_device(name: &str) -> bool {
    let base = name.split('.').next().unwrap_or_default().trim_end().to_lowercase();
    let is_port = |port: &str| {
        base.strip_prefix(port).is_some_and(|number| {
            let mut digits = number.chars();
            matches!(digits.next(), Some('0'..='9' | '¹' | '²' | '³')) && digits.next().is_none()
        })
    };
    DEVICES.contains(&base.as_str()) || is_port("com") || is_port("lpt")
}

/// What every file name has to be, however it came about.
pub(super) fn is_safe(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    (1..=LONGEST).contains(&name.len())
        && name.bytes().all(is_plain)
        && !name.starts_with(['.', '-'])
        && !name.ends_with('.')
        && !name.contains("..")
        && !is_device(name)
}

/// The names on the way to a folder, or nothing where one of them could lead out of it, hide, or mean
/// something else on another system. A folder's name may hold letters of any script.
pub(super) fn folder_parts(path: &str) -> Option<Vec<String>> {
    if path.starts_with('/') {
        return None;
    }
    let parts: Vec<String> =
        path.split('/').filter(|part| !part.is_empty() && *part != ".").map(str::to_owned).collect();
    let is_allowed = |part: &String| {
        let is_plain = |c: char| c.is_alphanumeric() || " ._-()[]+@&,=".contains(c);
        (1..=LONGEST).contains(&part.len())
            && part.chars().all(is_plain)
            && !part.starts_with(['.', ' '])
            && !part.ends_with(['.', ' '])
            && !is_device(part)
    };
    (parts.len() <= DEEPEST && parts.iter().all(is_allowed)).then_some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn node_names_become_file_names() {
        let cases = [
            ("Hero image", "Hero-image"),
            ("icons/24/arrow left", "icons-24-arrow-left"),
            ("Größe (neu)", "Grosse-neu"),
            ("Crème brûlée.png", "Creme-brulee"),
            ("photo.JPEG", "photo"),
            ("v1.2", "v1.2"),
            ("state=hover, size=L", "state-hover-size-L"),
            ("../../etc/passwd", "etc-passwd"),
            (r"..\..\w", "w"),
            ("a..b", "a.b"),
            (".env", "env"),
            ("name. ", "name"),
            ("CON", "_CON"),
            ("con.png", "_con"),
            ("aux.old", "_aux.old"),
            ("COM¹", "_COM1"),
            ("x:y", "x-y"),
            ("a\0b\nc", "a-b-c"),
            ("__", "__"),
        ];
        for (wanted, expected) in cases {
            assert_eq!(stem(wanted).as_deref(), Some(expected), "{wanted:?}");
        }
        for nothing in ["", " ", "..", "/", "Кнопка", "按钮", "🎉", ".png", "---"] {
            assert_eq!(stem(nothing), None, "{nothing:?}");
        }
    }

    #[test]
    fn no_two_names_are_alike_on_any_system() {
        let mut names = Names::default();
        let given = ["Icon", "icon", "ICON", "icon"].map(|wanted| names.give(wanted, "node", "1:2"));
        assert_eq!(given, ["Icon", "icon-1-2", "ICON-2", "icon-3"]);
        assert_eq!(names.give("Кнопка", "node", "I1:2;3:4"), "node-I1-2-3-4");
    }

    #[test]
    fn folders_stay_inside() {
        assert_eq!(folder_parts("public/images").unwrap(), ["public", "images"]);
        assert_eq!(folder_parts("./src//app/(shop)/[id]/").unwrap(), ["src", "app", "(shop)", "[id]"]);
        assert_eq!(folder_parts("изображения").unwrap(), ["изображения"]);
        assert_eq!(folder_parts("").unwrap(), Vec::<String>::new());
        let wrong = [
            "..",
            "a/..",
            "../a",
            "/a",
            "~",
            "a\\b",
            "C:",
            "C:/x",
            ".git/hooks",
            "a/.ssh",
            "a.",
            "a ",
            " a",
            "nul",
            "a/com1.txt",
            "a\0b",
            "a\nb",
            "a\u{202e}b",
            "a/LPT1",
            "$HOME",
            "%TEMP%",
            "a|b",
            "a*",
        ];
        for path in wrong {
            assert_eq!(folder_parts(path), None, "{path:?}");
        }
        assert_eq!(folder_parts(&"a/".repeat(DEEPEST + 1)), None);
        assert_eq!(folder_parts(&"a".repeat(LONGEST + 1)), None);
    }
}
