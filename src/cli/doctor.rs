//! `figma-mcp doctor`: what is around this program, a line each, and what to do where it is not well.

use std::{
    fs,
    path::Path,
    time::{Duration, SystemTime},
};

use serde_json::{Value, json};

use super::{in_runtime, print, setup};
use crate::{
    auth::{
        Found, Keyring,
        private::{read, secret_folder},
        profiles::{Profiles, StoreKind},
        redacted,
        time::warning,
    },
    error::{Error, Result, span},
    settings::{Settings, variable},
};

/// More than this between our clock and Figma's, and tokens and certificates look expired.
const MOST_SKEW: Duration = Duration::from_secs(300);

/// One check's outcome.
struct Line {
    check: &'static str,
    is_well: bool,
    found: String,
    /// What to do, when it is not well.
    next: Option<String>,
}

impl Line {
    fn well(check: &'static str, found: impl Into<String>) -> Self {
        Self { check, is_well: true, found: found.into(), next: None }
    }

    fn bad(check: &'static str, found: impl Into<String>, next: impl Into<String>) -> Self {
        Self { check, is_well: false, found: found.into(), next: Some(next.into()) }
    }

    fn error(check: &'static str, error: &Error) -> Self {
        let why = error.why().map_or_else(String::new, |why| format!(" ({why})"));
        Self::bad(check, format!("{error}{why}"), error.next().for_person())
    }

    fn json(&self) -> Value {
        json!({ "check": self.check, "ok": self.is_well, "found": self.found, "next": self.next })
    }
}

/// Runs every check; the exit code is 1 when one is bad.
pub(super) fn run(settings: &Settings, as_json: bool) -> Result<u8> {
    let mut lines = vec![version(), surroundings(), folder(settings)];
    lines.extend(credential(settings));
    lines.extend([proxies(settings), certificates(settings)]);
    lines.extend(api(settings));
    let text = if as_json {
        let all: Vec<Value> = lines.iter().map(Line::json).collect();
        serde_json::to_string_pretty(&all).unwrap_or_default() + "\n"
    } else {
        lines.iter().map(shown).collect()
    };
    print(&redacted(&text))?;
    Ok(u8::from(lines.iter().any(|line| !line.is_well)))
}

fn shown(line: &Line) -> String {
    let mark = if line.is_well { "ok  " } else { "BAD " };
    let next = line.next.as_ref().map_or_else(String::new, |next| format!("      {next}\n"));
    format!("{mark}  {:<13} {}\n{next}", line.check, line.found)
}

fn version() -> Line {
    let system = format!("{}-{}", std::env::consts::OS, std::env::consts::ARCH);
    Line::well("version", format!("figma-mcp {} on {system}", env!("CARGO_PKG_VERSION")))
}

/// Where keyrings are rare, people should know before they look for one.
fn surroundings() -> Line {
    let kernel = fs::read_to_string("/proc/version").unwrap_or_default().to_ascii_lowercase();
    let is_container = ["/.dockerenv", "/run/.containerenv"].iter().any(|path| Path::new(path).exists());
    let mut found = Vec::new();
    if kernel.contains("microsoft") || variable("WSL_DISTRO_NAME").is_some() {
        found.push(
            "WSL: there is no keyring unless one was installed; `--insecure-storage` or FIGMA_TOKEN work",
        );
    }
    if is_container || variable("KUBERNETES_SERVICE_HOST").is_some() {
        found.push("a container: there is no keyring; pass FIGMA_TOKEN as a secret");
    }
    if variable("SSH_CONNECTION").is_some() {
        found.push("an SSH session: the desktop's keyring is usually locked here");
    }
    Line::well("surroundings", if found.is_empty() { "a plain session".to_owned() } else { found.join("; ") })
}

/// The facts' file, and the folder of stored tokens where somebody chose one.
fn folder(settings: &Settings) -> Line {
    const CHECK: &str = "files";
    let profiles = match settings.config_dir() {
        Ok(folder) => Profiles::new(folder),
        Err(error) => return Line::error(CHECK, &error),
    };
    let facts = match profiles.read() {
        Ok(facts) => facts,
        Err(error) => return Line::error(CHECK, &error),
    };
    let tokens = profiles.folder().join("tokens");
    if tokens.exists()
        && let Err(error) = secret_folder(&tokens)
    {
        return Line::error(CHECK, &error);
    }
    let in_files = facts.profiles.iter().filter(|(_, profile)| profile.store == StoreKind::File);
    for (name, _) in in_files {
        if let Err(error) = read(&tokens.join(format!("{name}.json"))) {
            return Line::error(CHECK, &error);
        }
    }
    let count = facts.profiles.len();
    let plural = if count == 1 { "" } else { "s" };
    Line::well(CHECK, format!("{count} profile{plural} in {}, yours alone", profiles.folder().display()))
}

/// The token and the keyring: a keyring that nobody needs may be missing.
fn credential(settings: &Settings) -> Vec<Line> {
    let keyring = Keyring::new().probe();
    let login = setup::login(settings);
    let from_environment = setup::environment_token();
    let needs_keyring = matches!(&from_environment, Found::None)
        && matches!(&login, Ok(Some(login)) if login.facts.store == StoreKind::Keyring);
    let token = match (from_environment, &login) {
        _ if settings.sandbox && settings.profile.is_none() => Line::well("token", "the sandbox's own"),
        (Found::Token(token), _) => {
            Line::well("token", format!("{} in the environment ({})", token.description(), token.origin))
        }
        (Found::Broken(error), _) => Line::error("token", &error),
        (_, Err(error)) => Line::error("token", error),
        (_, Ok(None)) => Line::error("token", &Error::NoToken),
        // The keyring's own line says what is wrong with it; asking again would only wait again.
        (_, Ok(Some(login))) if needs_keyring && keyring.is_err() => Line::bad(
            "token",
            format!("{} cannot be fetched from the keyring", login.origin()),
            "See the keyring below.",
        ),
        (_, Ok(Some(login))) => match login.load_here() {
            Ok(_) => Line::well(
                "token",
                format!(
                    "{} of {} in {}",
                    login.facts.kind.description(),
                    login.origin(),
                    login.store.place()
                ),
            ),
            Err(error) => Line::error("token", &error),
        },
    };
    let mut lines = vec![token];
    lines.push(match keyring {
        Ok(()) => Line::well("keyring", "answers"),
        Err(error) if needs_keyring => Line::error("keyring", &error),
        Err(error) => Line::well("keyring", format!("not in use, and not usable: {error}")),
    });
    if let Ok(Some(login)) = &login
        && let Some(warning) = warning(login.facts.expires, &login.profile)
    {
        lines.push(Line::bad("expiry", warning, "A new token takes a minute; scopes: figma-mcp auth login"));
    }
    lines
}

/// Which way requests leave this machine; a proxy's password is not shown.
fn proxies(settings: &Settings) -> Line {
    let host = |address: &str| {
        url::Url::parse(address)
            .ok()
            .and_then(|url| Some(format!("{}:{}", url.host_str()?, url.port_or_known_default()?)))
    };
    if let Some(proxy) = &settings.proxy {
        return Line::well("proxy", format!("{} (--proxy)", host(proxy).unwrap_or_default()));
    }
    let mut found = Vec::new();
    for name in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        if let Some(value) = variable(name) {
            match host(&value) {
                Some(host) => found.push(format!("{host} ({name})")),
                None => {
                    return Line::bad(
                        "proxy",
                        format!("{name} is no address"),
                        format!(
                            "Set {name} to an address such as http://proxy.example:8080, or use --proxy."
                        ),
                    );
                }
            }
        }
    }
    found.extend(
        variable("NO_PROXY")
            .or_else(|| variable("no_proxy"))
            .map(|names| format!("not for {names} (NO_PROXY)")),
    );
    Line::well("proxy", if found.is_empty() { "none".to_owned() } else { found.join(", ") })
}

fn certificates(settings: &Settings) -> Line {
    let Some(file) = &settings.ca_file else { return Line::well("certificates", "the system's") };
    let path = Path::new(file);
    match fs::read_to_string(path) {
        Ok(text) if text.contains("-----BEGIN CERTIFICATE-----") => {
            Line::well("certificates", format!("the system's, and those of {}", path.display()))
        }
        Ok(_) => Line::bad(
            "certificates",
            format!("{} holds none in PEM form", path.display()),
            "Give --ca-file a PEM file (-----BEGIN CERTIFICATE-----).",
        ),
        Err(error) => {
            Line::bad("certificates", format!("{}: {error}", path.display()), "Check the path of --ca-file.")
        }
    }
}

/// Whether Figma can be reached, and whether its clock and ours agree.
fn api(settings: &Settings) -> Vec<Line> {
    let outcome = in_runtime(async { setup::Setup::new(settings).await?.app.probe().await });
    let there = match outcome {
        Ok(there) => there,
        Err(error) => return vec![Line::error("network", &error)],
    };
    let mut lines = vec![Line::well("network", "the API answers")];
    if let Some(there) = there {
        let here = SystemTime::now();
        let skew = here.duration_since(there).unwrap_or_else(|error| error.duration());
        lines.push(if skew > MOST_SKEW {
            Line::bad(
                "clock",
                format!("differs from Figma's by {}", span(skew)),
                "Set this machine's clock: tokens and certificates are judged by it.",
            )
        } else {
            Line::well("clock", "agrees with Figma's")
        });
    }
    lines
}
