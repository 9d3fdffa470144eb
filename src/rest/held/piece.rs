//! Pieces of a held file: compressed, with their size before that in front.

use std::io;

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress};

/// More than any piece holds; a larger number is no piece of ours.
const LARGEST: usize = 16 << 20;

/// Compresses pieces, one after the other, in the same memory.
#[derive(Debug)]
pub(super) struct Press {
    state: Compress,
    room: Vec<u8>,
}

impl Press {
    pub(super) fn new() -> Self {
        Self { state: Compress::new(Compression::fast(), false), room: Vec::new() }
    }

    pub(super) fn press(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.state.reset();
        self.room.clear();
        // Deflate adds five bytes to each 16 KiB that it cannot make smaller.
        self.room.reserve(bytes.len() + bytes.len() / 1024 + 64);
        self.room.extend(u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes());
        // With that much room everything fits at once, so there is nothing to repeat or to fail.
        drop(self.state.compress_vec(bytes, &mut self.room, FlushCompress::Finish));
        self.room.clone()
    }
}

/// A piece as it was.
///
/// # Errors
/// When this is no piece.
pub(super) fn unpress(piece: &[u8]) -> io::Result<Vec<u8>> {
    let spoilt = || io::Error::new(io::ErrorKind::InvalidData, "a piece of a held file is spoilt");
    let (size, packed) = piece.split_first_chunk::<4>().ok_or_else(spoilt)?;
    let size = usize::try_from(u32::from_le_bytes(*size)).ok().filter(|size| *size <= LARGEST);
    let size = size.ok_or_else(spoilt)?;
    let mut bytes = Vec::with_capacity(size);
    let inflated = Decompress::new(false).decompress_vec(packed, &mut bytes, FlushDecompress::Finish);
    if inflated.is_err() || bytes.len() != size { Err(spoilt()) } else { Ok(bytes) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_in_comes_out() {
        let noise: Vec<u8> =
            (0..70_000_u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
        let mut press = Press::new();
        for bytes in [&b""[..], b"x", &b"a".repeat(300_000), &noise] {
            assert_eq!(unpress(&press.press(bytes)).unwrap(), bytes);
        }
        for spoilt in [&b""[..], b"abc", &[255; 9], &[9, 0, 0, 0, 1, 2, 3]] {
            assert!(unpress(spoilt).is_err());
        }
    }
}
