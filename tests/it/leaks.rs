//! No test lets a secret out: whatever a server prints in any test is searched for the tokens that it
//! was given, as they are, base64, hex and percent-encoded, with the log at its most talkative.

use figma_mcp::settings::TOKEN_VARIABLES;

/// Shorter values stand in for tokens where a test does not care; they would be found anywhere.
const SHORTEST: usize = 8;

/// The secrets among a server's arguments and variables: the sandbox's own, and those in variables.
pub(crate) fn secrets(arguments: &[&str], variables: &[(&str, &str)]) -> Vec<String> {
    let is_token = |name: &str| TOKEN_VARIABLES.iter().any(|token| token.name == name);
    let given = variables.iter().filter(|(name, _)| is_token(name)).map(|(_, value)| (*value).to_owned());
    let sandbox = arguments.contains(&"--sandbox").then(|| figma_mcp::sandbox::DEFAULT_TOKEN.to_owned());
    given.chain(sandbox).filter(|secret| secret.len() >= SHORTEST && !secret.contains(' ')).collect()
}

/// Fails when a text holds a secret in any of its forms.
pub(crate) fn assert_none(secrets: &[String], what: &str, text: &str) {
    for secret in secrets {
        for form in forms(secret) {
            if let Some(at) = text.find(&form) {
                let start = text[..at].char_indices().rev().nth(80).map_or(0, |(start, _)| start);
                panic!("{what} holds the secret {secret} as {form}: {}", &text[start..at]);
            }
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
    let secret = ["figd_Canary0123456789".to_owned()];
    let found = |text: &str| std::panic::catch_unwind(|| assert_none(&secret, "a text", text)).is_err();
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
