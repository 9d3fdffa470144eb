//! Credentials told apart without keeping them.

use std::{fmt, sync::OnceLock};

use ring::{
    hmac,
    rand::{SecureRandom, SystemRandom},
};

/// Stands for a credential: equal for equal ones. The key differs in each process, so a fingerprint in
/// a log says nothing about the secret, not even to somebody who guesses it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// Of these parts, in this order. Parts cannot run into each other.
    #[must_use]
    pub fn of(parts: &[&str]) -> Self {
        static KEY: OnceLock<hmac::Key> = OnceLock::new();
        let key = KEY.get_or_init(|| hmac::Key::new(hmac::HMAC_SHA256, &random()));
        Self(sum(key, parts))
    }

    /// Enough of it for a person to tell callers apart.
    #[must_use]
    pub fn short(&self) -> String {
        hex(self.0.iter().take(4))
    }

    /// All of it, as text.
    #[must_use]
    pub fn text(&self) -> String {
        hex(self.0.iter())
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.short())
    }
}

/// As [`Fingerprint::of`], under a key that outlives the process: what is kept on the disk belongs to it.
#[must_use]
pub fn lasting(key: &[u8; 32], parts: &[&str]) -> [u8; 32] {
    sum(&hmac::Key::new(hmac::HMAC_SHA256, key), parts)
}

fn sum(key: &hmac::Key, parts: &[&str]) -> [u8; 32] {
    let mut sum = hmac::Context::with_key(key);
    for part in parts {
        sum.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_le_bytes());
        sum.update(part.as_bytes());
    }
    let mut bytes = [0; 32];
    bytes.iter_mut().zip(sum.sign().as_ref()).for_each(|(to, from)| *to = *from);
    bytes
}

/// 256 bits that nobody can guess. Where the system's source fails, the standard library's seeds, which
/// come from another call of the same system, are all there is.
#[must_use]
pub fn random() -> [u8; 32] {
    use std::hash::{BuildHasher, RandomState};
    let mut bytes = [0; 32];
    if SystemRandom::new().fill(&mut bytes).is_err() {
        for part in bytes.chunks_mut(8) {
            let number = RandomState::new().hash_one(0_u8).to_le_bytes();
            part.iter_mut().zip(number).for_each(|(to, from)| *to = from);
        }
    }
    bytes
}

/// A name that nobody can guess.
#[must_use]
pub fn random_name() -> String {
    hex(random().iter().take(16))
}

/// Two digits a byte, in small letters.
#[must_use]
pub fn hex<'a>(bytes: impl Iterator<Item = &'a u8>) -> String {
    let digit = |value: u8| char::from(if value < 10 { b'0' + value } else { b'a' + value - 10 });
    let mut text = String::with_capacity(64);
    for byte in bytes {
        text.push(digit(byte >> 4));
        text.push(digit(byte & 15));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_do_not_run_into_each_other() {
        assert_eq!(Fingerprint::of(&["a", "b"]), Fingerprint::of(&["a", "b"]));
        assert_ne!(Fingerprint::of(&["a", "b"]), Fingerprint::of(&["ab", ""]));
        assert_ne!(random_name(), random_name());
    }
}
