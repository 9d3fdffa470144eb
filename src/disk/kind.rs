//! What an image is, by its first bytes: never by what somebody says it is.

/// The kinds of image that Figma hands out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Portable Network Graphics.
    Png,
    /// JPEG.
    Jpg,
    /// GIF, moving ones too.
    Gif,
    /// WebP.
    Webp,
    /// Scalable Vector Graphics.
    Svg,
    /// Portable Document Format.
    Pdf,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 6] = [Self::Png, Self::Jpg, Self::Gif, Self::Webp, Self::Svg, Self::Pdf];

    /// What these bytes are, if they are an image at all.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some(Self::Png),
            [0xff, 0xd8, 0xff, ..] => Some(Self::Jpg),
            [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some(Self::Gif),
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some(Self::Webp),
            [b'%', b'P', b'D', b'F', b'-', ..] => Some(Self::Pdf),
            _ => is_svg(bytes).then_some(Self::Svg),
        }
    }

    /// The end of its file names, which is also its name in Figma's API.
    #[must_use]
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Png => "png",
            Self::Jpg => "jpg",
            Self::Gif => "gif",
            Self::Webp => "webp",
            Self::Svg => "svg",
            Self::Pdf => "pdf",
        }
    }
}

/// Whether the first element of a text is `svg`, whatever declarations and comments stand before it.
fn is_svg(bytes: &[u8]) -> bool {
    const FIRST: usize = 4096;
    let start = bytes.get(..FIRST).unwrap_or(bytes);
    let text = String::from_utf8_lossy(start);
    let mut rest = text.trim_start_matches('\u{feff}').trim_start();
    loop {
        let after = if let Some(comment) = rest.strip_prefix("<!--") {
            comment.split_once("-->")
        } else if rest.starts_with("<?") || rest.starts_with("<!") {
            rest.split_once('>')
        } else {
            break;
        };
        let Some((_, after)) = after else { return false };
        rest = after.trim_start();
    }
    let Some(after) = rest.strip_prefix("<svg") else { return false };
    after.starts_with(|c: char| c.is_whitespace() || c == '>' || c == '/')
}

/// Whether an SVG holds something that runs when a browser shows it. Figma's own never do.
#[must_use]
pub fn is_active(svg: &[u8]) -> bool {
    let text = String::from_utf8_lossy(svg).to_ascii_lowercase();
    let has_handler = || {
        text.match_indices(" on").any(|(at, _)| {
            let name = text.get(at + 3..).unwrap_or_default();
            let name = name.trim_start_matches(|c: char| c.is_ascii_lowercase());
            name.trim_start().starts_with('=')
        })
    };
    ["<script", "javascript:", "<foreignobject"].iter().any(|word| text.contains(word)) || has_handler()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_say_what_they_are() {
        let cases: [(&[u8], Option<Kind>); 16] = [
            (b"\x89PNG\r\n\x1a\n\0\0", Some(Kind::Png)),
            (b"\xff\xd8\xff\xe0", Some(Kind::Jpg)),
            (b"GIF89a\x01\0", Some(Kind::Gif)),
            (b"GIF87a", Some(Kind::Gif)),
            (b"RIFF\x01\x02\x03\x04WEBPVP8 ", Some(Kind::Webp)),
            (b"%PDF-1.7", Some(Kind::Pdf)),
            (b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>", Some(Kind::Svg)),
            (b"\xef\xbb\xbf<?xml version=\"1.0\"?>\n<!-- <html> -->\n<!DOCTYPE svg>\n<svg>", Some(Kind::Svg)),
            (b"<svg>", Some(Kind::Svg)),
            (b"<svgx>", None),
            (b"<html><svg></svg></html>", None),
            (b"<!-- <svg> ", None),
            (b"#!/bin/sh\n<svg>", None),
            (b"\x7fELF", None),
            (b"MZ\x90", None),
            (b"", None),
        ];
        for (bytes, expected) in cases {
            assert_eq!(Kind::of(bytes), expected, "{:?}", String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn an_svg_that_runs_something_is_known() {
        for active in [
            "<svg><script>x</script></svg>",
            "<svg onload=\"x\">",
            "<svg ONLOAD = 'x'>",
            "<a href=\"javascript:x\">",
            "<svg><foreignObject>",
        ] {
            assert!(is_active(active.as_bytes()), "{active}");
        }
        for still in ["<svg><text>on the one</text></svg>", "<svg fill=\"none\" id=\"on\">"] {
            assert!(!is_active(still.as_bytes()), "{still}");
        }
    }
}
