//! How what is kept is compressed: by LZ4, which costs next to nothing on the way in and out, and makes
//! Figma's JSON about as small as quick deflate does.

use std::io;

/// The most that one pack may hold, in bytes: a larger number at its front was not written here.
const LARGEST_PACK: usize = 256 << 20;

/// Compressed, with the size before that in front.
#[must_use]
pub fn pack(bytes: &[u8]) -> Vec<u8> {
    lz4_flex::block::compress_prepend_size(bytes)
}

/// The bytes as they were.
///
/// # Errors
/// When this was not packed here, or is spoilt.
pub fn unpack(packed: &[u8]) -> io::Result<Vec<u8>> {
    let spoilt = || io::Error::new(io::ErrorKind::InvalidData, "what was kept is spoilt");
    let (size, rest) = lz4_flex::block::uncompressed_size(packed).map_err(|_| spoilt())?;
    if size > LARGEST_PACK {
        return Err(spoilt());
    }
    let bytes = lz4_flex::block::decompress(rest, size).map_err(|_| spoilt())?;
    if bytes.len() == size { Ok(bytes) } else { Err(spoilt()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_in_comes_out() {
        let noise: Vec<u8> =
            (0..70_000_u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
        for bytes in [&b""[..], b"x", &b"a".repeat(300_000), &noise] {
            let packed = pack(bytes);
            assert_eq!(unpack(&packed).unwrap(), bytes);
            assert!(unpack(&packed[..packed.len() - 1]).is_err(), "{}", bytes.len());
        }
        for spoilt in [&b""[..], b"abc", &[255; 9], &[9, 0, 0, 0, 1, 2, 3]] {
            assert!(unpack(spoilt).is_err());
        }
    }
}
