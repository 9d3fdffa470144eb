//! Secrets taken out of whatever is written: log lines, messages, panics.
//!
//! The values that this process knows are taken out wherever they stand, and so is what looks like a
//! Figma token that it does not know.

use std::{
    borrow::Cow,
    collections::VecDeque,
    io::{self, Write},
    panic,
    sync::{PoisonError, RwLock},
};

use secrecy::{ExposeSecret, SecretString};

/// What stands in a secret's place.
const MARK: &str = "[token]";
/// Shorter values would take innocent words out.
const SHORTEST: usize = 8;
/// A process knows few; a loop that makes tokens must not grow for ever.
const MOST: usize = 64;

static KNOWN: RwLock<Vec<SecretString>> = RwLock::new(Vec::new());
static VISITING: RwLock<VecDeque<SecretString>> = RwLock::new(VecDeque::new());

/// From now on this value is taken out of everything that is written.
pub fn keep_out(secret: &str) {
    let mut known = KNOWN.write().unwrap_or_else(PoisonError::into_inner);
    if secret.len() >= SHORTEST && !known.iter().any(|other| other.expose_secret() == secret) {
        if known.len() >= MOST {
            known.remove(0);
        }
        known.push(SecretString::from(secret));
    }
}

/// The same for a token that a request brought. There can be any number of those, and they must not
/// push out the ones of this process itself.
pub fn keep_out_for_now(secret: &str) {
    const MOST_VISITING: usize = 256;
    if secret.len() < SHORTEST
        || VISITING
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
            .any(|other| other.expose_secret() == secret)
    {
        return;
    }
    let mut visiting = VISITING.write().unwrap_or_else(PoisonError::into_inner);
    if visiting.len() >= MOST_VISITING {
        visiting.pop_front();
    }
    visiting.push_back(SecretString::from(secret));
}

/// A text without the secrets that this process knows, and without anything that looks like a token.
pub fn redacted(text: &str) -> String {
    let mut clean = text.to_owned();
    let known = KNOWN.read().unwrap_or_else(PoisonError::into_inner);
    let visiting = VISITING.read().unwrap_or_else(PoisonError::into_inner);
    for secret in known.iter().chain(visiting.iter()) {
        if clean.contains(secret.expose_secret()) {
            clean = clean.replace(secret.expose_secret(), MARK);
        }
    }
    without_lookalikes(&clean)
}

/// The same for what Figma answers, where words after `Bearer` are somebody's text.
pub fn redacted_in_data(text: &str) -> Cow<'_, str> {
    let mut clean = Cow::Borrowed(text);
    let known = KNOWN.read().unwrap_or_else(PoisonError::into_inner);
    let visiting = VISITING.read().unwrap_or_else(PoisonError::into_inner);
    for secret in known.iter().chain(visiting.iter()) {
        if clean.contains(secret.expose_secret()) {
            clean = Cow::Owned(clean.replace(secret.expose_secret(), MARK));
        }
    }
    let mut kept = String::new();
    let mut from = 0;
    for (at, _) in clean.match_indices("fig") {
        let rest = clean.get(at..).unwrap_or_default();
        let word = rest.get(..rest.find(|c| !is_part(c)).unwrap_or(rest.len())).unwrap_or_default();
        let begins = is_word_start(clean.get(..at).unwrap_or_default());
        if begins && at >= from && looks_like_a_token(word) {
            kept += clean.get(from..at).unwrap_or_default();
            kept += MARK;
            from = at + word.len();
        }
    }
    if from == 0 {
        return clean;
    }
    kept += clean.get(from..).unwrap_or_default();
    Cow::Owned(kept)
}

fn is_part(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-')
}

/// Whether a word can begin after this: no letter stands there, but for one of JSON's escapes.
fn is_word_start(before: &str) -> bool {
    let from_end = |count: usize| before.len().checked_sub(count).and_then(|start| before.get(start..));
    !before.ends_with(is_part)
        || from_end(2).is_some_and(|escape| escape.starts_with('\\'))
        || from_end(6).is_some_and(|escape| escape.starts_with("\\u"))
}

/// Takes out words such as `figd_…`, and what follows `Bearer`.
fn without_lookalikes(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let (mut rest, mut after_bearer) = (text, false);
    while let Some(start) = rest.find(is_part) {
        let (before, from) = rest.split_at(start);
        let (word, after) = from.split_at(from.find(|c| !is_part(c)).unwrap_or(from.len()));
        clean += before;
        let is_borne = after_bearer && before == " " && word.len() >= SHORTEST;
        clean += if is_borne || looks_like_a_token(word) { MARK } else { word };
        after_bearer = word.eq_ignore_ascii_case("bearer");
        rest = after;
    }
    clean + rest
}

/// `fig`, one to four letters, `_`, and something long and random; tools begin with `figma_`.
fn looks_like_a_token(word: &str) -> bool {
    const SECRET: usize = 12;
    let parts = word.strip_prefix("fig").and_then(|rest| rest.split_once('_'));
    parts.is_some_and(|(kind, secret)| {
        (1..=4).contains(&kind.len())
            && kind != "ma"
            && kind.bytes().all(|byte| byte.is_ascii_lowercase())
            && secret.len() >= SECRET
            && secret.bytes().any(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
    })
}

/// A writer that takes secrets out. Each write has to be whole lines, as `tracing` makes them.
#[derive(Debug)]
pub struct Redacting<W>(pub W);

impl<W: Write> Write for Redacting<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write_all(redacted(&String::from_utf8_lossy(bytes)).as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Panics are told on stderr without secrets: their texts can quote anything.
pub fn hide_in_panics() {
    panic::set_hook(Box::new(|panic| {
        // There is nobody left to tell when that fails.
        let _ = writeln!(Redacting(io::stderr().lock()), "{panic}");
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_a_token_is_taken_out() {
        assert_eq!(redacted("no 'figd_SecretSecretSecret' here"), "no '[token]' here");
        assert_eq!(redacted("x-y: Bearer abcdefghij.k"), "x-y: Bearer [token].k");
        for innocent in ["figma_file_components_list fig_x", "a bearer of news", "figures_of_something_else"]
        {
            assert_eq!(redacted(innocent), innocent);
        }
    }

    #[test]
    fn data_loses_tokens_and_nothing_else() {
        let text = r#"{"name":"Bearer certificates","t":"figd_SecretSecret123 x\nfigu_SecretSecret12","u":"figma_file_get configd_x"}"#;
        let clean =
            r#"{"name":"Bearer certificates","t":"[token] x\n[token]","u":"figma_file_get configd_x"}"#;
        assert_eq!(redacted_in_data(text), clean);
        assert!(matches!(redacted_in_data(clean), Cow::Borrowed(_)));
    }

    #[test]
    fn known_values_are_taken_out_wherever_they_stand() {
        keep_out("KnownCanaryValue");
        let mut line = Vec::new();
        writeln!(Redacting(&mut line), "a=xKnownCanaryValuey").unwrap();
        assert_eq!(String::from_utf8(line).unwrap(), "a=x[token]y\n");
    }
}
