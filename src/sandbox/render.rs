//! From an SVG picture to the bytes of an image.

use std::io::Write;

use flate2::{Compression, Crc, write::ZlibEncoder};

use super::svg::Drawing;

/// What images can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Png,
    Jpg,
    Svg,
    Pdf,
}

impl Format {
    /// By its name in the API.
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "png" => Self::Png,
            "jpg" => Self::Jpg,
            "svg" => Self::Svg,
            "pdf" => Self::Pdf,
            _ => return None,
        })
    }

    /// Its MIME type.
    pub(super) fn content_type(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Jpg => "image/jpeg",
            Self::Svg => "image/svg+xml",
            Self::Pdf => "application/pdf",
        }
    }

    /// Why this build cannot make it, if it cannot.
    pub(super) fn unavailable(self) -> Option<&'static str> {
        let is_possible = cfg!(feature = "sandbox-render") || self == Self::Svg;
        (!is_possible).then_some("This sandbox was built without sandbox-render: only svg can be rendered")
    }
}

/// The bytes of a drawing in this format.
#[cfg(feature = "sandbox-render")]
pub(super) fn bytes(drawing: Drawing, format: Format, scale: f64) -> Option<Vec<u8>> {
    use svg2pdf::{ConversionOptions, PageOptions};

    if format == Format::Svg {
        return Some(drawing.svg.into_bytes());
    }
    let tree = resvg::usvg::Tree::from_str(&drawing.svg, &resvg::usvg::Options::default()).ok()?;
    if format == Format::Pdf {
        return svg2pdf::to_pdf(&tree, ConversionOptions::default(), PageOptions::default()).ok();
    }
    let (width, height, factor) = raster_size(drawing.width, drawing.height, scale);
    let mut pixels = resvg::tiny_skia::Pixmap::new(width, height)?;
    if format == Format::Png {
        resvg::render(&tree, factor, &mut pixels.as_mut());
        let rows: Vec<u8> = pixels
            .pixels()
            .iter()
            .flat_map(|pixel| {
                let pixel = pixel.demultiply();
                [pixel.red(), pixel.green(), pixel.blue(), pixel.alpha()]
            })
            .collect();
        return Some(png(width, height, &rows));
    }
    // JPEG has no transparency: paper is white.
    pixels.fill(resvg::tiny_skia::Color::WHITE);
    resvg::render(&tree, factor, &mut pixels.as_mut());
    let mut bytes = Vec::new();
    let (width, height) = (u16::try_from(width).ok()?, u16::try_from(height).ok()?);
    jpeg_encoder::Encoder::new(&mut bytes, 90)
        .encode(pixels.data(), width, height, jpeg_encoder::ColorType::Rgba)
        .ok()?;
    Some(bytes)
}

/// Without the feature only SVG is possible.
#[cfg(not(feature = "sandbox-render"))]
pub(super) fn bytes(drawing: Drawing, format: Format, _scale: f64) -> Option<Vec<u8>> {
    (format == Format::Svg).then(|| drawing.svg.into_bytes())
}

/// The size in pixels and the transformation to it. Above 32 megapixels Figma scales down silently.
#[cfg(feature = "sandbox-render")]
fn raster_size(width: f64, height: f64, scale: f64) -> (u32, u32, resvg::tiny_skia::Transform) {
    const MOST_PIXELS: f64 = 32e6;
    let scale = scale.clamp(0.01, 4.0);
    let excess = (width * height * scale * scale / MOST_PIXELS).max(1.0);
    let scale = scale / excess.sqrt();
    // The cast saturates, and the product is bounded above.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let pixels = |length: f64| (length * scale).floor().max(1.0) as u32;
    #[allow(clippy::cast_possible_truncation)]
    let factor = scale as f32;
    (pixels(width), pixels(height), resvg::tiny_skia::Transform::from_scale(factor, factor))
}

/// A picture for an image fill or an avatar: a slope between two colours that follow from its name.
pub(super) fn picture(name: &str) -> Vec<u8> {
    const SIDE: u8 = 64;
    let hash = name.bytes().fold(17_u32, |hash, byte| hash.wrapping_mul(31).wrapping_add(u32::from(byte)));
    let [red, green, blue, _] = hash.to_le_bytes();
    let mut pixels = Vec::with_capacity(usize::from(SIDE) * usize::from(SIDE) * 4);
    for y in 0..SIDE {
        for x in 0..SIDE {
            let shade = x.saturating_add(y);
            pixels.extend([
                (red / 2).saturating_add(shade),
                (green / 2).saturating_add(shade),
                blue / 2,
                255,
            ]);
        }
    }
    png(u32::from(SIDE), u32::from(SIDE), &pixels)
}

/// A GIF for an image fill that moves: two frames of one colour each, which follow from its name
/// (<https://www.w3.org/Graphics/GIF/spec-gif89a.txt>).
pub(super) fn moving_picture(name: &str) -> Vec<u8> {
    const SIDE: u8 = 16;
    let hash = name.bytes().fold(17_u32, |hash, byte| hash.wrapping_mul(31).wrapping_add(u32::from(byte)));
    let [red, green, blue, _] = hash.to_le_bytes();
    let mut file = b"GIF89a".to_vec();
    // The screen, and a table of two colours.
    file.extend([SIDE, 0, SIDE, 0, 0x80, 0, 0, red, green, blue, green, blue, red]);
    file.extend(b"\x21\xff\x0bNETSCAPE2.0\x03\x01\0\0\0");
    for colour in [0, 1] {
        // Half a second, then the frame.
        file.extend([0x21, 0xf9, 4, 0, 50, 0, 0, 0, 0x2c, 0, 0, 0, 0, SIDE, 0, SIDE, 0, 0]);
        file.extend(one_colour(usize::from(SIDE) * usize::from(SIDE), colour));
    }
    file.push(0x3b);
    file
}

/// So many pixels of one colour as GIF data: codes of three bits, begun anew before they would get longer.
fn one_colour(pixels: usize, colour: u32) -> Vec<u8> {
    const CLEAR: u32 = 4;
    const END: u32 = 5;
    let mut codes = Vec::new();
    for _ in 0..pixels.div_ceil(2) {
        codes.extend([CLEAR, colour, colour]);
    }
    codes.push(END);
    let (mut bytes, mut held, mut bits) = (Vec::new(), 0_u32, 0);
    for code in codes {
        held |= code << bits;
        bits += 3;
        while bits >= 8 {
            bytes.extend(held.to_le_bytes().first());
            held >>= 8;
            bits -= 8;
        }
    }
    bytes.extend(held.to_le_bytes().first());
    let mut data = vec![2];
    for block in bytes.chunks(255) {
        data.extend(u8::try_from(block.len()));
        data.extend(block);
    }
    data.push(0);
    data
}

/// A PNG file of eight-bit RGBA pixels (<https://www.w3.org/TR/png/>).
fn png(width: u32, height: u32, pixels: &[u8]) -> Vec<u8> {
    let row_length = usize::try_from(width).unwrap_or(1).saturating_mul(4).max(1);
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    for row in pixels.chunks(row_length) {
        // Each row begins with its filter, 0 for none. Writing to memory does not fail.
        drop(encoder.write_all(&[0]).and_then(|()| encoder.write_all(row)));
    }
    let data = encoder.finish().unwrap_or_default();
    let mut header = Vec::from(width.to_be_bytes());
    header.extend(height.to_be_bytes());
    header.extend([8, 6, 0, 0, 0]);
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    for (name, content) in [(b"IHDR", header), (b"IDAT", data), (b"IEND", Vec::new())] {
        let mut crc = Crc::new();
        crc.update(name);
        crc.update(&content);
        file.extend(u32::try_from(content.len()).unwrap_or_default().to_be_bytes());
        file.extend(name);
        file.extend(content);
        file.extend(crc.sum().to_be_bytes());
    }
    file
}
