//! Pictures: their size, a part of them, a smaller one. Pure, and work: not for a thread of the runtime.

use std::io::Cursor;

use image::{
    DynamicImage, ImageDecoder, ImageReader, Limits, Rgba, RgbaImage,
    codecs::jpeg::JpegEncoder,
    imageops::{FilterType, interpolate_bilinear},
};

use crate::disk::Kind;

/// The most memory that one picture may take when it is opened. Figma's largest render has 32 million
/// pixels.
const MOST_MEMORY: u64 = 256 * 1024 * 1024;
/// The quality of a JPEG that stands for another.
const QUALITY: u8 = 90;
/// The qualities that are tried, one after the other, to make a picture small enough.
const LOWER_QUALITIES: [u8; 2] = [85, 70];

/// Which part of an image a node shows: Figma's `imageTransform`, from the node's unit square to the
/// image's.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Crop {
    /// What makes a place across the image: times the place across the node, times that down, plus.
    across: [f64; 3],
    /// The same for a place down the image.
    down: [f64; 3],
}

impl Crop {
    /// From two rows of three numbers. Nothing where that shows the whole image as it is.
    pub(super) fn new(rows: &[Vec<f64>]) -> Option<Self> {
        const NOTHING: f64 = 1e-6;
        let [across, down, ..] = rows else { return None };
        let (across, down) =
            (<[f64; 3]>::try_from(across.as_slice()).ok()?, <[f64; 3]>::try_from(down.as_slice()).ok()?);
        let identity = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0];
        let differences: Vec<f64> =
            across.into_iter().chain(down).zip(identity).map(|(number, plain)| number - plain).collect();
        let is_sound = differences.iter().all(|number| number.is_finite() && number.abs() < 1e4);
        let is_something = differences.iter().any(|number| number.abs() > NOTHING);
        (is_sound && is_something).then_some(Self { across, down })
    }

    /// The numbers' own bits, to tell crops apart.
    pub(super) fn bits(self) -> [[u64; 3]; 2] {
        [self.across, self.down].map(|row| row.map(f64::to_bits))
    }

    /// The place in the image of a place in the node.
    fn place(self, right: f64, below: f64) -> (f64, f64) {
        let along = |row: [f64; 3]| row[0] * right + row[1] * below + row[2];
        (along(self.across), along(self.down))
    }

    /// Whether it is neither turned nor mirrored.
    fn is_upright(self) -> bool {
        self.across[1].abs() < 1e-6 && self.down[0].abs() < 1e-6 && self.across[0] > 0.0 && self.down[1] > 0.0
    }
}

/// A picture's width and height in pixels, as far as its head tells.
pub(super) fn size(kind: Kind, bytes: &[u8]) -> Option<(u32, u32)> {
    match kind {
        Kind::Png | Kind::Jpg => reader(bytes, kind)?.into_dimensions().ok(),
        Kind::Gif => {
            let [w, v, h, g] = *bytes.get(6..10)? else { return None };
            Some((u16::from_le_bytes([w, v]).into(), u16::from_le_bytes([h, g]).into()))
        }
        Kind::Svg => {
            let start = String::from_utf8_lossy(bytes.get(..2048).unwrap_or(bytes));
            let tag = start.split_once("<svg")?.1.split_once('>')?.0.to_owned();
            Some((svg_length(&tag, "width")?, svg_length(&tag, "height")?))
        }
        Kind::Webp | Kind::Pdf => None,
    }
}

/// A length of an SVG's first tag, in whole pixels.
fn svg_length(tag: &str, name: &str) -> Option<u32> {
    let value = tag.split_once(&format!(" {name}=\""))?.1.split('"').next()?;
    let number: f64 = value.trim_end_matches("px").parse().ok()?;
    // Bounded, so that the cast loses nothing but the fraction.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    (0.0..1e9).contains(&number).then_some(number.round() as u32)
}

/// The part of a picture that a crop shows, as a picture of the same kind. Other kinds stay whole.
///
/// # Errors
/// Why it cannot be cropped.
pub(super) fn cropped(kind: Kind, bytes: &[u8], crop: Crop) -> Result<Vec<u8>, String> {
    if !matches!(kind, Kind::Png | Kind::Jpg) {
        return Err(format!("a {} is not cropped", kind.extension()));
    }
    let picture = open(kind, bytes)?;
    let part = part(&picture, crop).ok_or("its crop shows nothing of the image")?;
    encoded(&part, kind, QUALITY)
}

fn part(picture: &DynamicImage, crop: Crop) -> Option<DynamicImage> {
    let (width, height) = (f64::from(picture.width()), f64::from(picture.height()));
    if crop.is_upright() {
        let (start, end) = (crop.place(0.0, 0.0), crop.place(1.0, 1.0));
        let left = pixels(start.0 * width, 0, picture.width())?;
        let top = pixels(start.1 * height, 0, picture.height())?;
        let right = pixels(end.0 * width, left, picture.width())?;
        let bottom = pixels(end.1 * height, top, picture.height())?;
        let (width, height) = (right - left, bottom - top);
        return (width > 0 && height > 0).then(|| picture.crop_imm(left, top, width, height));
    }
    // Turned or mirrored: each pixel of the part is looked up in the image.
    let side = |column: usize| {
        let across = crop.across.get(column).copied().unwrap_or_default() * width;
        let down = crop.down.get(column).copied().unwrap_or_default() * height;
        pixels(across.hypot(down), 1, u32::MAX)
    };
    let (across, down) = (side(0)?, side(1)?);
    if u64::from(across) * u64::from(down) * 4 > MOST_MEMORY {
        return None;
    }
    let source = picture.to_rgba8();
    Some(DynamicImage::ImageRgba8(RgbaImage::from_fn(across, down, |column, row| {
        let middle = |pixel: u32, all: u32| (f64::from(pixel) + 0.5) / f64::from(all);
        let (right, below) = crop.place(middle(column, across), middle(row, down));
        sample(&source, right * width - 0.5, below * height - 0.5)
    })))
}

/// The colour at a place between the pixels, or none outside the image.
fn sample(source: &RgbaImage, right: f64, below: f64) -> Rgba<u8> {
    let last = |length: u32| f64::from(length.saturating_sub(1));
    let (most_right, most_below) = (last(source.width()), last(source.height()));
    if !(-0.5..most_right + 0.5).contains(&right) || !(-0.5..most_below + 0.5).contains(&below) {
        return Rgba([0; 4]);
    }
    // Places of pixels; a picture of so many that a float loses one does not fit the memory.
    #[allow(clippy::cast_possible_truncation)]
    let (right, below) = (right.clamp(0.0, most_right) as f32, below.clamp(0.0, most_below) as f32);
    interpolate_bilinear(source, right, below).unwrap_or(Rgba([0; 4]))
}

/// A length in whole pixels within bounds.
fn pixels(length: f64, least: u32, most: u32) -> Option<u32> {
    // Bounded first, so that the cast loses nothing but the fraction.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    length.is_finite().then(|| length.round().clamp(f64::from(least), f64::from(most)) as u32)
}

/// A picture small enough to be shown: its kind, its bytes, its width and height.
pub(super) struct Shown {
    pub(super) kind: Kind,
    pub(super) bytes: Vec<u8>,
    pub(super) width: u32,
    pub(super) height: u32,
}

/// Makes a PNG or JPEG small enough: no side longer than `longest` pixels, no more than `most` bytes.
/// One that is small enough already stays as it is.
///
/// # Errors
/// Why it cannot be shown.
pub(super) fn shrunk(bytes: Vec<u8>, longest: u32, most: usize) -> Result<Shown, String> {
    let kind = Kind::of(&bytes).filter(|kind| matches!(kind, Kind::Png | Kind::Jpg));
    let kind = kind.ok_or("it is neither a PNG nor a JPEG")?;
    let (width, height) = size(kind, &bytes).ok_or("its head cannot be read")?;
    if width.max(height) <= longest && bytes.len() <= most {
        return Ok(Shown { kind, bytes, width, height });
    }
    let mut picture = open(kind, &bytes)?;
    let mut longest = longest.min(width.max(height)).max(1);
    loop {
        if picture.width().max(picture.height()) > longest {
            picture = picture.resize(longest, longest, FilterType::Triangle);
        }
        for (kind, quality) in
            [(Kind::Png, 0)].into_iter().chain(LOWER_QUALITIES.map(|quality| (Kind::Jpg, quality)))
        {
            let bytes = encoded(&picture, kind, quality)?;
            if bytes.len() <= most {
                let (width, height) = (picture.width(), picture.height());
                return Ok(Shown { kind, bytes, width, height });
            }
        }
        longest = longest * 3 / 4;
        if longest < 16 {
            return Err("it does not become small enough".to_owned());
        }
    }
}

fn reader(bytes: &[u8], kind: Kind) -> Option<ImageReader<Cursor<&[u8]>>> {
    let format = match kind {
        Kind::Png => image::ImageFormat::Png,
        Kind::Jpg => image::ImageFormat::Jpeg,
        _ => return None,
    };
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    let mut limits = Limits::default();
    limits.max_alloc = Some(MOST_MEMORY);
    reader.limits(limits);
    Some(reader)
}

fn open(kind: Kind, bytes: &[u8]) -> Result<DynamicImage, String> {
    let reader = reader(bytes, kind).ok_or("it is neither a PNG nor a JPEG")?;
    let told = |error: image::ImageError| {
        format!("it cannot be read ({})", crate::error::foreign(&error.to_string()))
    };
    let mut decoder = reader.into_decoder().map_err(told)?;
    if decoder.total_bytes() > MOST_MEMORY {
        return Err("it has too many pixels".to_owned());
    }
    // A photo that lies on its side says so in its head.
    let orientation = decoder.orientation().map_err(told)?;
    let mut picture = DynamicImage::from_decoder(decoder).map_err(told)?;
    picture.apply_orientation(orientation);
    Ok(picture)
}

fn encoded(picture: &DynamicImage, kind: Kind, quality: u8) -> Result<Vec<u8>, String> {
    let mut bytes = Cursor::new(Vec::new());
    let written = if kind == Kind::Jpg {
        JpegEncoder::new_with_quality(&mut bytes, quality).encode_image(&on_white(picture))
    } else {
        picture.write_to(&mut bytes, image::ImageFormat::Png)
    };
    written.map_err(|error| format!("it cannot be written ({error})"))?;
    Ok(bytes.into_inner())
}

/// Without transparency, which JPEG does not have: paper is white.
fn on_white(picture: &DynamicImage) -> DynamicImage {
    if !picture.color().has_alpha() {
        return DynamicImage::ImageRgb8(picture.to_rgb8());
    }
    let mut paper = picture.to_rgba8();
    for Rgba([red, green, blue, alpha]) in paper.pixels_mut() {
        let shade = |colour: u8| {
            let (colour, alpha) = (u16::from(colour), u16::from(*alpha));
            u8::try_from((colour * alpha + 255 * (255 - alpha)) / 255).unwrap_or(u8::MAX)
        };
        (*red, *green, *blue) = (shade(*red), shade(*green), shade(*blue));
        *alpha = 255;
    }
    DynamicImage::ImageRgb8(DynamicImage::ImageRgba8(paper).to_rgb8())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A picture of four quarters: red, green, blue, white.
    fn quarters(width: u32, height: u32) -> DynamicImage {
        DynamicImage::ImageRgba8(RgbaImage::from_fn(width, height, |x, y| {
            match (x < width / 2, y < height / 2) {
                (true, true) => Rgba([255, 0, 0, 255]),
                (false, true) => Rgba([0, 255, 0, 255]),
                (true, false) => Rgba([0, 0, 255, 255]),
                (false, false) => Rgba([255, 255, 255, 255]),
            }
        }))
    }

    fn png(picture: &DynamicImage) -> Vec<u8> {
        encoded(picture, Kind::Png, 0).unwrap()
    }

    fn crop(rows: [[f64; 3]; 2]) -> Crop {
        Crop::new(&rows.map(|row| row.to_vec())).unwrap()
    }

    fn pixel(bytes: &[u8], x: u32, y: u32) -> [u8; 4] {
        open(Kind::Png, bytes).unwrap().to_rgba8().get_pixel(x, y).0
    }

    #[test]
    fn a_crop_is_the_part_that_the_node_shows() {
        let image = png(&quarters(40, 20));
        // The right half.
        let right = cropped(Kind::Png, &image, crop([[0.5, 0.0, 0.5], [0.0, 1.0, 0.0]])).unwrap();
        assert_eq!(size(Kind::Png, &right), Some((20, 20)));
        assert_eq!((pixel(&right, 5, 5), pixel(&right, 5, 15)), ([0, 255, 0, 255], [255; 4]));
        // Mirrored left to right.
        let mirrored = cropped(Kind::Png, &image, crop([[-1.0, 0.0, 1.0], [0.0, 1.0, 0.0]])).unwrap();
        assert_eq!(size(Kind::Png, &mirrored), Some((40, 20)));
        assert_eq!((pixel(&mirrored, 5, 5), pixel(&mirrored, 35, 5)), ([0, 255, 0, 255], [255, 0, 0, 255]));
        // A quarter turn: the node's width runs down the image.
        let turned = cropped(Kind::Png, &image, crop([[0.0, -1.0, 1.0], [1.0, 0.0, 0.0]])).unwrap();
        assert_eq!(size(Kind::Png, &turned), Some((20, 40)));
        assert_eq!(pixel(&turned, 5, 5), [0, 255, 0, 255]);
        // Larger than the image: what is not there is not made up.
        let larger = cropped(Kind::Png, &image, crop([[2.0, 0.0, -0.5], [0.0, 2.0, -0.5]])).unwrap();
        assert_eq!(size(Kind::Png, &larger), Some((40, 20)));
    }

    #[test]
    fn crops_that_mean_nothing_are_none() {
        let whole = [vec![1.0, 0.0, 0.0], vec![0.0, 1.0, 1e-9]];
        assert_eq!(Crop::new(&whole), None);
        for wrong in [vec![], vec![vec![1.0]], vec![vec![f64::NAN, 0.0, 0.0], vec![0.0, 1.0, 0.0]]] {
            assert_eq!(Crop::new(&wrong), None, "{wrong:?}");
        }
        let image = png(&quarters(4, 4));
        let beside = crop([[0.5, 0.0, 3.0], [0.0, 0.5, 0.0]]);
        assert!(cropped(Kind::Png, &image, beside).unwrap_err().contains("shows nothing"));
        assert!(cropped(Kind::Gif, b"GIF89a", beside).unwrap_err().contains("not cropped"));
    }

    #[test]
    fn a_shown_picture_fits_its_limits() {
        let small = png(&quarters(30, 20));
        let kept = shrunk(small.clone(), 1024, 100_000).unwrap();
        assert_eq!((kept.bytes, kept.width, kept.height), (small, 30, 20));
        let scaled = shrunk(png(&quarters(400, 200)), 100, 100_000).unwrap();
        assert_eq!((scaled.kind, scaled.width, scaled.height), (Kind::Png, 100, 50));
        // Noise does not compress: it becomes a JPEG, then smaller.
        let mut state = 1_u32;
        let noise = DynamicImage::ImageRgba8(RgbaImage::from_fn(256, 256, |_, _| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let [a, b, c, _] = state.to_be_bytes();
            Rgba([a, b, c, 255])
        }));
        let fitted = shrunk(png(&noise), 1024, 60_000).unwrap();
        assert_eq!(fitted.kind, Kind::Jpg);
        assert!(fitted.bytes.len() <= 60_000 && Kind::of(&fitted.bytes) == Some(Kind::Jpg));
        assert!(shrunk(png(&noise), 1024, 10).is_err());
        assert!(shrunk(b"%PDF-1.7".to_vec(), 1024, 100_000).is_err());
    }

    #[test]
    fn heads_tell_sizes() {
        assert_eq!(size(Kind::Gif, b"GIF89a\x40\x01\x10\x00\0"), Some((320, 16)));
        assert_eq!(size(Kind::Svg, b"<svg width=\"24.4\" height=\"16px\" fill=\"none\">"), Some((24, 16)));
        assert_eq!(size(Kind::Svg, b"<svg viewBox=\"0 0 1 1\">"), None);
        assert_eq!(size(Kind::Png, b"\x89PNG\r\n\x1a\n"), None);
    }

    #[test]
    fn a_bomb_is_not_opened() {
        // A head that promises 60,000 × 60,000 pixels.
        let mut bomb = png(&quarters(2, 2));
        bomb[16..24].copy_from_slice(&[0, 0, 0xea, 0x60, 0, 0, 0xea, 0x60]);
        assert!(shrunk(bomb.clone(), 1024, 100_000).is_err());
        assert!(cropped(Kind::Png, &bomb, crop([[0.5, 0.0, 0.5], [0.0, 1.0, 0.0]])).is_err());
    }
}
