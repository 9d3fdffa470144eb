//! Bodies as they come over the wire, inflated here: who reads one decides on which thread, and whether it
//! is kept as it came.

use std::io::{self, Write};

use flate2::write::MultiGzDecoder;
use reqwest::header::{CONTENT_ENCODING, HeaderMap};

/// What our requests accept.
pub(super) const ACCEPTED: &str = "gzip";

/// How much is inflated at once of what came in: it becomes a thousand times as much at worst.
pub(super) const PIECE: usize = 16 * 1024;

/// How a body is packed on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Plain,
    Gzip,
}

impl Encoding {
    /// What an answer's headers say; `None` for what was not asked for.
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        let Some(value) = headers.get(CONTENT_ENCODING) else { return Some(Self::Plain) };
        let name = value.to_str().ok()?.trim().to_ascii_lowercase();
        match name.as_str() {
            "" | "identity" => Some(Self::Plain),
            "gzip" | "x-gzip" => Some(Self::Gzip),
            _ => None,
        }
    }
}

/// Writes what comes in to a writer, inflated.
#[derive(Debug)]
pub(super) enum Inflater<W: Write> {
    Plain(W),
    /// With whether anything came: an empty body is empty, however it says that it is packed.
    Gzip(Box<MultiGzDecoder<W>>, bool),
}

impl<W: Write> Inflater<W> {
    pub(super) fn new(encoding: Encoding, to: W) -> Self {
        match encoding {
            Encoding::Plain => Self::Plain(to),
            Encoding::Gzip => Self::Gzip(Box::new(MultiGzDecoder::new(to)), false),
        }
    }

    /// Takes what came in.
    ///
    /// # Errors
    /// When it is no gzip, or the writer refuses it.
    pub(super) fn push(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Plain(to) => to.write_all(bytes),
            Self::Gzip(to, has_begun) => {
                *has_begun |= !bytes.is_empty();
                to.write_all(bytes)
            }
        }
    }

    /// The body has ended.
    ///
    /// # Errors
    /// When it breaks off before its end, or its sums are wrong.
    pub(super) fn finish(&mut self) -> io::Result<()> {
        match self {
            Self::Gzip(to, true) => to.try_finish(),
            Self::Plain(_) | Self::Gzip(..) => Ok(()),
        }
    }

    pub(super) fn get_ref(&self) -> &W {
        match self {
            Self::Plain(to) => to,
            Self::Gzip(to, _) => to.get_ref(),
        }
    }

    pub(super) fn get_mut(&mut self) -> &mut W {
        match self {
            Self::Plain(to) => to,
            Self::Gzip(to, _) => to.get_mut(),
        }
    }
}

/// A body in memory, up to a limit.
#[derive(Debug)]
pub(super) struct Capped {
    pub(super) bytes: Vec<u8>,
    cap: usize,
    /// Whether there was more than fits.
    pub(super) is_full: bool,
}

impl Capped {
    pub(super) const fn new(cap: usize) -> Self {
        Self { bytes: Vec::new(), cap, is_full: false }
    }
}

impl Write for Capped {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + bytes.len() > self.cap {
            self.is_full = true;
            return Err(io::ErrorKind::QuotaExceeded.into());
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use flate2::{Compression, write::GzEncoder};

    use super::*;

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    /// What comes of a body that arrives in pieces of this size.
    fn inflated(body: &[u8], piece: usize) -> io::Result<Vec<u8>> {
        let mut inflater = Inflater::new(Encoding::Gzip, Capped::new(1_000_000));
        for piece in body.chunks(piece) {
            inflater.push(piece)?;
        }
        inflater.finish()?;
        Ok(std::mem::take(&mut inflater.get_mut().bytes))
    }

    #[test]
    fn a_body_in_pieces_is_inflated_to_its_last_byte() {
        let text = "{\"name\":\"Ä\"}".repeat(9000);
        for piece in [1, 7, 4096, 1 << 20] {
            assert_eq!(inflated(&gzip(text.as_bytes()), piece).unwrap(), text.as_bytes());
        }
        // As RFC 1952 allows: several, one behind the other.
        let two = [gzip(b"one"), gzip(b"two")].concat();
        assert_eq!(inflated(&two, 5).unwrap(), b"onetwo");
        assert_eq!(inflated(b"", 1).unwrap(), b"");
    }

    #[test]
    fn a_body_that_breaks_off_or_is_spoilt_is_no_body() {
        let whole = gzip(&b"abcdefghijklmnopqrstuvwxyz".repeat(100));
        for length in 1..whole.len() {
            assert!(inflated(&whole[..length], 9).is_err(), "{length} of {}", whole.len());
        }
        let mut spoilt = whole.clone();
        let last = spoilt.len() - 5;
        spoilt[last] ^= 1;
        assert!(inflated(&spoilt, 9).is_err());
        assert!(inflated(b"<html>", 9).is_err());
    }

    #[test]
    fn no_more_is_inflated_than_fits() {
        let bomb = gzip(&vec![b'a'; 50_000_000]);
        let mut inflater = Inflater::new(Encoding::Gzip, Capped::new(1_000_000));
        assert!(inflater.push(&bomb).is_err());
        assert!(inflater.get_ref().is_full && inflater.get_ref().bytes.len() <= 1_000_000);
    }

    #[test]
    fn what_was_not_asked_for_is_not_understood() {
        let of =
            |value: &str| Encoding::of(&HeaderMap::from_iter([(CONTENT_ENCODING, value.parse().unwrap())]));
        assert_eq!(Encoding::of(&HeaderMap::new()), Some(Encoding::Plain));
        assert_eq!(
            (of("identity"), of("GZIP"), of("br")),
            (Some(Encoding::Plain), Some(Encoding::Gzip), None)
        );
    }
}
