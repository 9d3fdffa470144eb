//! No test lets a secret out: whatever the program prints in any test, and every file that it leaves,
//! is searched for the tokens, codes and keys that it was given, as they are, base64, hex and
//! percent-encoded, with the log at its most talkative ([`crate::program`]).

use std::{
    collections::{BTreeSet, HashMap},
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use figma_mcp::settings::{CLIENT_SECRET_VARIABLE, TOKEN_VARIABLES};
use serde_json::Value;

/// Shorter values stand in for tokens where a test does not care; they would be found anywhere.
const SHORTEST: usize = 8;
/// Where records lie that a person chose to keep in a file: they hold what they are there to hold.
const RECORDS: &str = "tokens";
/// The variables that name folders in which files are left, and their flags.
const FOLDERS: [(&str, &str); 2] =
    [("FIGMA_MCP_CONFIG_DIR", "--config-dir"), ("FIGMA_MCP_CACHE_DIR", "--cache-dir")];

/// What one program must not tell. Clones are the same list.
#[derive(Clone, Default)]
pub(crate) struct Secrets {
    known: Arc<Mutex<BTreeSet<String>>>,
    /// Whether what is typed is a token: at a login.
    is_typed: bool,
}

impl Secrets {
    /// Those among a program's arguments and variables, and in the files that they name.
    pub(crate) fn given(arguments: &[String], variables: &[(String, String)]) -> Self {
        let is_login = arguments.first().is_some_and(|word| word == "auth");
        let secrets = Self { is_typed: is_login, ..Self::default() };
        for (name, value) in variables {
            if name == CLIENT_SECRET_VARIABLE || TOKEN_VARIABLES.iter().any(|token| token.name == name) {
                secrets.learn(value);
            }
        }
        if arguments.iter().any(|argument| argument == "--sandbox") {
            secrets.learn(figma_mcp::sandbox::DEFAULT_TOKEN);
        }
        let file = arguments.iter().skip_while(|argument| *argument != "--auth-token-file").nth(1);
        for line in file.and_then(|path| fs::read_to_string(path).ok()).unwrap_or_default().lines() {
            if !line.starts_with('#') {
                secrets.learn(line);
            }
        }
        secrets.learn_stored(&folders(arguments, variables));
        secrets
    }

    fn known(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn learn(&self, secret: &str) {
        let secret = secret.trim();
        if secret.len() >= SHORTEST && !secret.contains([' ', '\n']) {
            self.known().insert(secret.to_owned());
        }
    }

    /// What goes into stdin: a token at a login, or the address with which a browser came back.
    pub(crate) fn learn_typed(&self, text: &str) {
        if let Some((_, code)) = text.split_once("code=") {
            self.learn(code.split('&').next().unwrap_or_default());
        } else if self.is_typed && !text.contains("://") {
            self.learn(text);
        }
    }

    /// The tokens in the records of these folders.
    pub(crate) fn learn_stored(&self, folders: &[PathBuf]) {
        for file in folders.iter().flat_map(|folder| files_in(&folder.join(RECORDS))) {
            let record = fs::read_to_string(file).ok().and_then(|text| serde_json::from_str(&text).ok());
            let record: Value = record.unwrap_or_default();
            for place in ["/access", "/refresh", "/prev/access"] {
                self.learn(record.pointer(place).and_then(Value::as_str).unwrap_or_default());
            }
        }
    }

    /// Fails when a text holds a secret in any of its forms.
    pub(crate) fn assert_none_in(&self, what: &str, text: &[u8]) {
        let text = String::from_utf8_lossy(text);
        for secret in self.known().iter() {
            for form in forms(secret) {
                if let Some(at) = text.find(&form) {
                    let start = text[..at].char_indices().rev().nth(80).map_or(0, |(start, _)| start);
                    panic!("{what} holds the secret {secret} as {form}: {}", &text[start..at]);
                }
            }
        }
    }

    /// Fails when a file in these folders holds one, other than the records.
    pub(crate) fn assert_none_left(&self, folders: &[PathBuf]) {
        for folder in folders {
            let records = folder.join(RECORDS);
            for file in files_in(folder).into_iter().filter(|file| !file.starts_with(&records)) {
                // Another program that uses the folder may have taken it away.
                self.assert_none_in(&file.display().to_string(), &fs::read(&file).unwrap_or_default());
            }
        }
    }
}

/// The folders in which a program with these arguments and variables leaves files.
pub(crate) fn folders(arguments: &[String], variables: &[(String, String)]) -> Vec<PathBuf> {
    let named = |(variable, flag): (&str, &str)| {
        let argument = arguments.iter().skip_while(|argument| *argument != flag).nth(1);
        let value = variables.iter().find(|(name, _)| name == variable).map(|(_, value)| value);
        argument.or(value).map(PathBuf::from)
    };
    FOLDERS.into_iter().filter_map(named).collect()
}

fn files_in(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => files.extend(files_in(&entry.path())),
            Ok(kind) if kind.is_file() => files.push(entry.path()),
            _ => {}
        }
    }
    files
}

static SERVERS: Mutex<Option<HashMap<String, Secrets>>> = Mutex::new(None);

/// A server that listens: what requests to it carry must not come out of it.
pub(crate) fn listens(address: &str, secrets: &Secrets) {
    let mut servers = SERVERS.lock().unwrap_or_else(PoisonError::into_inner);
    servers.get_or_insert_default().insert(address.to_owned(), secrets.clone());
}

/// What a request to the server at this address carries.
pub(crate) fn carried(address: &str, headers: &[(&str, &str)]) {
    let servers = SERVERS.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(secrets) = servers.as_ref().and_then(|servers| servers.get(address)) else { return };
    for (name, value) in headers {
        match name.to_ascii_lowercase().as_str() {
            "x-figma-token" => secrets.learn(value),
            "authorization" => secrets.learn(value.rsplit(' ').next().unwrap_or_default()),
            _ => {}
        }
    }
}

fn forms(secret: &str) -> Vec<String> {
    let bytes = secret.as_bytes();
    let each = |form: fn(&u8) -> String| bytes.iter().map(form).collect::<Vec<String>>();
    let (hex, decimal) = (each(|byte| format!("{byte:02x}")).concat(), each(u8::to_string));
    let percent = each(|byte| format!("%{byte:02X}")).concat();
    let mut forms =
        vec![secret.to_owned(), hex.to_uppercase(), hex, percent, decimal.join(","), decimal.join(", ")];
    // Base64 depends on what stands before: three alignments, without the characters that neighbours share.
    forms.extend((0..3).map(|before| {
        let padded = [&b"   "[..before], bytes].concat();
        let whole = base64(&padded[..padded.len() / 3 * 3]);
        whole[if before == 0 { 0 } else { 4 }..].to_owned()
    }));
    forms
}

/// Of whole groups of three bytes.
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let group = |group: &[u8]| {
        let bits = group.iter().fold(0_usize, |bits, byte| bits << 8 | usize::from(*byte));
        [18, 12, 6, 0].map(|shift| char::from(LETTERS[bits >> shift & 63]))
    };
    bytes.chunks(3).flat_map(group).collect()
}

#[test]
fn a_secret_is_found_in_every_form() {
    let secrets = Secrets::default();
    secrets.learn("figd_Canary0123456789");
    let found = |text: &str| {
        let (secrets, text) = (secrets.clone(), text.as_bytes().to_vec());
        std::panic::catch_unwind(move || secrets.assert_none_in("a text", &text)).is_err()
    };
    assert_eq!(base64(b"foobar"), "Zm9vYmFy");
    for text in [
        "x figd_Canary0123456789 y".to_owned(),
        base64(b"figd_Canary0123456789"),
        base64(b"Bearer figd_Canary012345678900"),
        base64(b"x:figd_Canary0123456789.."),
        "666967645f43616e61727930313233343536373839".to_owned(),
    ] {
        assert!(found(&text), "{text}");
    }
    assert!(!found("figd_Canary"));
}

#[test]
fn files_and_records_are_searched() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("leaks");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(folder.join("tokens")).unwrap();
    fs::create_dir_all(folder.join("deeper")).unwrap();
    fs::write(folder.join("tokens/default.json"), r#"{"access":"hush-hush-hush"}"#).unwrap();
    let folders = [folder.clone()];
    let secrets = Secrets::default();
    secrets.learn_stored(&folders);
    secrets.assert_none_left(&folders);
    fs::write(folder.join("deeper/store.sqlite"), b"\xff\0hush-hush-hush\0").unwrap();
    assert!(std::panic::catch_unwind(|| secrets.assert_none_left(&folders)).is_err());
}
