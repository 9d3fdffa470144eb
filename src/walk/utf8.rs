//! Whether bytes that come in chunks are UTF-8.

/// What is open between two chunks: the beginning of one character.
#[derive(Debug, Default)]
pub(super) struct Utf8 {
    begun: Vec<u8>,
}

impl Utf8 {
    pub(super) const fn new() -> Self {
        Self { begun: Vec::new() }
    }

    /// Whether all bytes so far can be the beginning of a UTF-8 text.
    pub(super) fn check(&mut self, mut chunk: &[u8]) -> bool {
        while !self.begun.is_empty() {
            let Some((first, rest)) = chunk.split_first() else { return true };
            chunk = rest;
            self.begun.push(*first);
            match std::str::from_utf8(&self.begun) {
                Ok(_) => self.begun.clear(),
                Err(error) if error.error_len().is_none() => {}
                Err(_) => return false,
            }
        }
        match std::str::from_utf8(chunk) {
            Ok(_) => true,
            Err(error) if error.error_len().is_none() => {
                self.begun.extend(chunk.iter().skip(error.valid_up_to()));
                true
            }
            Err(_) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn chunks_are_judged_as_the_whole(bytes in prop::collection::vec(any::<u8>(), 0..20), text in ".{0,20}", size in 1_usize..9) {
            for bytes in [bytes.as_slice(), text.as_bytes()] {
                let mut utf8 = Utf8::new();
                let is_text = bytes.chunks(size).all(|chunk| utf8.check(chunk)) && utf8.begun.is_empty();
                prop_assert_eq!(is_text, std::str::from_utf8(bytes).is_ok());
            }
        }
    }
}
