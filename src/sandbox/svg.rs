//! From a node's subtree to an SVG picture.
//!
//! Honest, not exact: boxes, ellipses, vectors, corners, solid and gradient fills, strokes, opacity and
//! clipping are drawn; effects, blending and rotation are not, and images are a plain colour. No font
//! is shipped, so text is one bar for each line unless the caller wants it as text.

use serde_json::Value;

use super::tree::{self, Area, area, children, list, text};

/// What the caller wants in the SVG.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Options {
    /// Text as `<text>` rather than as bars.
    pub(super) has_text: bool,
    /// Layer names as `id`.
    pub(super) has_ids: bool,
    /// Node ids as `data-node-id`.
    pub(super) has_node_ids: bool,
}

/// A picture and its size in pixels.
#[derive(Debug)]
#[cfg_attr(not(feature = "sandbox-render"), allow(dead_code, reason = "only pixels need the size"))]
pub(super) struct Drawing {
    pub(super) svg: String,
    pub(super) width: f64,
    pub(super) height: f64,
}

/// Whether there is anything to see.
pub(super) fn has_content(node: &Value) -> bool {
    bounds(node).is_some_and(|area| area.width > 0.0 && area.height > 0.0)
        && (has_paint(node) || children(node).iter().any(|child| is_visible(child) && has_content(child)))
}

fn has_paint(node: &Value) -> bool {
    let paints = list(node, "fills").iter().chain(list(node, "strokes"));
    paints.filter(|paint| is_visible(paint)).count() > 0
}

fn is_visible(thing: &Value) -> bool {
    thing.get("visible") != Some(&Value::Bool(false))
        && thing.get("opacity").and_then(Value::as_f64) != Some(0.0)
}

/// A node's box; a page has none of its own and is as large as what lies on it.
fn bounds(node: &Value) -> Option<Area> {
    area(node).or_else(|| {
        let areas = children(node).iter().filter(|child| is_visible(child)).filter_map(bounds);
        areas.reduce(|a, b| {
            let (x, y) = (a.x.min(b.x), a.y.min(b.y));
            let width = (a.x + a.width).max(b.x + b.width) - x;
            let height = (a.y + a.height).max(b.y + b.height) - y;
            Area { x, y, width, height }
        })
    })
}

/// Draws a node.
pub(super) fn draw(node: &Value, options: Options) -> Option<Drawing> {
    let area = bounds(node)?;
    let mut pen =
        Pen { options, body: String::new(), definitions: String::new(), count: 0, origin: (area.x, area.y) };
    pen.node(node);
    let (width, height) = (area.width, area.height);
    let definitions =
        if pen.definitions.is_empty() { String::new() } else { format!("<defs>{}</defs>", pen.definitions) };
    let svg = format!(
        "<svg width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" fill=\"none\" xmlns=\"http://www.w3.org/2000/svg\">{}{definitions}</svg>\n",
        pen.body
    );
    Some(Drawing { svg, width, height })
}

struct Pen {
    options: Options,
    body: String,
    definitions: String,
    count: usize,
    origin: (f64, f64),
}

impl Pen {
    fn node(&mut self, node: &Value) {
        if !is_visible(node) {
            return;
        }
        self.body += "<g";
        if self.options.has_ids {
            self.body += &format!(" id=\"{}\"", escape(text(node, "name")));
        }
        if self.options.has_node_ids {
            self.body += &format!(" data-node-id=\"{}\"", escape(tree::id(node)));
        }
        if let Some(opacity) = node.get("opacity").and_then(Value::as_f64) {
            self.body += &format!(" opacity=\"{opacity}\"");
        }
        self.body += ">";
        let place =
            area(node).map(|area| Area { x: area.x - self.origin.0, y: area.y - self.origin.1, ..area });
        if let Some(place) = place {
            match tree::kind(node) {
                "GROUP" | "BOOLEAN_OPERATION"
                    if list(node, "fillGeometry").is_empty() && !children(node).is_empty() => {}
                "TEXT" => self.text(node, place),
                _ => self.shape(node, place),
            }
        }
        let clip = place.filter(|_| node.get("clipsContent") == Some(&Value::Bool(true)));
        let is_clipped = clip.is_some_and(|place| {
            let id = self.next_id("clip");
            self.definitions +=
                &format!("<clipPath id=\"{id}\">{}</clipPath>", outline(node, place, "", 0.0));
            self.body += &format!("<g clip-path=\"url(#{id})\">");
            true
        });
        // A boolean operation's own outline is what comes of its children.
        let is_combined = tree::kind(node) == "BOOLEAN_OPERATION" && !list(node, "fillGeometry").is_empty();
        for child in children(node).iter().filter(|_| !is_combined) {
            self.node(child);
        }
        self.body += if is_clipped { "</g></g>" } else { "</g>" };
    }

    fn next_id(&mut self, what: &str) -> String {
        self.count += 1;
        format!("{what}{}", self.count)
    }

    /// Fills, then strokes, each along the node's outline.
    fn shape(&mut self, node: &Value, place: Area) {
        for paint in list(node, "fills") {
            if let Some(paint) = self.paint(paint, place) {
                self.body += &outline(node, place, &format!("fill=\"{}\"{}", paint.0, paint.1), 0.0);
            }
        }
        let weight = node.get("strokeWeight").and_then(Value::as_f64).unwrap_or(1.0);
        let inset = match text(node, "strokeAlign") {
            "INSIDE" => weight / 2.0,
            "OUTSIDE" => -weight / 2.0,
            _ => 0.0,
        };
        for paint in list(node, "strokes") {
            if let Some((colour, opacity)) = self.paint(paint, place) {
                let opacity = opacity.replace("fill-opacity", "stroke-opacity");
                let style = format!("stroke=\"{colour}\"{opacity} stroke-width=\"{weight}\"");
                self.body += &outline(node, place, &style, inset);
            }
        }
    }

    /// A paint as an SVG colour, and its opacity as an attribute.
    fn paint(&mut self, paint: &Value, place: Area) -> Option<(String, String)> {
        if !is_visible(paint) {
            return None;
        }
        let opacity = paint.get("opacity").and_then(Value::as_f64).unwrap_or(1.0);
        let attribute = |opacity: f64| {
            if opacity < 1.0 { format!(" fill-opacity=\"{opacity}\"") } else { String::new() }
        };
        match text(paint, "type") {
            "SOLID" => {
                let (colour, alpha) = colour(paint.get("color")?);
                Some((colour, attribute(opacity * alpha)))
            }
            "IMAGE" | "VIDEO" => Some((stand_in(text(paint, "imageRef")), attribute(opacity))),
            kind if kind.starts_with("GRADIENT_") => {
                let id = self.gradient(paint, place)?;
                Some((format!("url(#{id})"), attribute(opacity)))
            }
            _ => None,
        }
    }

    /// Radial and diamond gradients are drawn as circles, angular ones as linear.
    fn gradient(&mut self, paint: &Value, place: Area) -> Option<String> {
        let handle = |index: usize| {
            let handle = list(paint, "gradientHandlePositions").get(index)?;
            let part = |name: &str| handle.get(name).and_then(Value::as_f64);
            Some((place.x + part("x")? * place.width, place.y + part("y")? * place.height))
        };
        let ((x1, y1), (x2, y2)) = (handle(0)?, handle(1)?);
        let stops: String = list(paint, "gradientStops")
            .iter()
            .filter_map(|stop| {
                let (colour, alpha) = colour(stop.get("color")?);
                let position = stop.get("position")?.as_f64()?;
                Some(format!(
                    "<stop offset=\"{position}\" stop-color=\"{colour}\" stop-opacity=\"{alpha}\"/>"
                ))
            })
            .collect();
        let id = self.next_id("paint");
        let units = "gradientUnits=\"userSpaceOnUse\"";
        self.definitions += &if matches!(text(paint, "type"), "GRADIENT_RADIAL" | "GRADIENT_DIAMOND") {
            let radius = (x2 - x1).hypot(y2 - y1);
            format!(
                "<radialGradient id=\"{id}\" cx=\"{x1}\" cy=\"{y1}\" r=\"{radius}\" {units}>{stops}</radialGradient>"
            )
        } else {
            format!(
                "<linearGradient id=\"{id}\" x1=\"{x1}\" y1=\"{y1}\" x2=\"{x2}\" y2=\"{y2}\" {units}>{stops}</linearGradient>"
            )
        };
        Some(id)
    }

    fn text(&mut self, node: &Value, place: Area) {
        let paint = list(node, "fills").iter().find_map(|paint| self.paint(paint, place));
        let Some((colour, opacity)) = paint else { return };
        let style = node.get("style").unwrap_or(&Value::Null);
        let number = |name: &str| style.get(name).and_then(Value::as_f64);
        let size = number("fontSize").unwrap_or(14.0);
        let line_height = number("lineHeightPx").unwrap_or(size * 1.2).max(1.0);
        let characters = text(node, "characters");
        if self.options.has_text {
            let family = escape(text(style, "fontFamily"));
            let weight = number("fontWeight").unwrap_or(400.0);
            self.body += &format!(
                "<text fill=\"{colour}\"{opacity} xml:space=\"preserve\" font-family=\"{family}\" font-size=\"{size}\" font-weight=\"{weight}\">"
            );
            let mut y = place.y + line_height.midpoint(size * 0.7);
            for line in characters.lines() {
                self.body += &format!("<tspan x=\"{}\" y=\"{y}\">{}</tspan>", place.x, escape(line));
                y += line_height;
            }
            self.body += "</text>";
            return;
        }
        for bar in bars(characters, place, size, line_height, text(style, "textAlignHorizontal")) {
            self.body += &format!(
                "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"{}\" fill=\"{colour}\"{opacity}/>",
                bar.x,
                bar.y,
                bar.width,
                bar.height,
                bar.height / 4.0
            );
        }
    }
}

/// One bar for each line of a text, about as long as the line.
fn bars(characters: &str, place: Area, size: f64, line_height: f64, align: &str) -> Vec<Area> {
    const WIDTH_OF_A_LETTER: f64 = 0.52;
    let mut widths = Vec::new();
    for line in characters.lines() {
        let letters = u32::try_from(line.chars().count()).map_or(0.0, f64::from);
        let mut rest = letters * size * WIDTH_OF_A_LETTER;
        while rest > place.width && place.width > 0.0 && widths.len() < 1000 {
            widths.push(place.width);
            rest -= place.width;
        }
        widths.push(rest);
    }
    let mut y = place.y;
    let mut bars = Vec::new();
    for width in widths {
        let free = place.width - width;
        let x = match align {
            "RIGHT" => place.x + free,
            "CENTER" => place.x.midpoint(place.x + free),
            _ => place.x,
        };
        if width > 0.0 && y < place.y + place.height {
            bars.push(Area { x, y: y + (line_height - size * 0.5) / 2.0, width, height: size * 0.5 });
        }
        y += line_height;
    }
    bars
}

/// The outline of a node as one SVG element; `inset` moves it inwards.
fn outline(node: &Value, place: Area, style: &str, inset: f64) -> String {
    let (x, y) = (place.x + inset, place.y + inset);
    let (width, height) = ((place.width - 2.0 * inset).max(0.0), (place.height - 2.0 * inset).max(0.0));
    let mut paths = String::new();
    for path in list(node, "fillGeometry") {
        let rule = if text(path, "windingRule") == "EVENODD" { " fill-rule=\"evenodd\"" } else { "" };
        let data = escape(text(path, "path"));
        paths +=
            &format!("<path transform=\"translate({} {})\" d=\"{data}\"{rule} {style}/>", place.x, place.y);
    }
    if !paths.is_empty() {
        return paths;
    }
    match tree::kind(node) {
        "ELLIPSE" => {
            let (rx, ry) = (width / 2.0, height / 2.0);
            format!("<ellipse cx=\"{}\" cy=\"{}\" rx=\"{rx}\" ry=\"{ry}\" {style}/>", x + rx, y + ry)
        }
        "LINE" => {
            let (x2, y2) = (x + width, y + height);
            format!("<line x1=\"{x}\" y1=\"{y}\" x2=\"{x2}\" y2=\"{y2}\" {style}/>")
        }
        _ => {
            let radii: Vec<f64> =
                list(node, "rectangleCornerRadii").iter().filter_map(Value::as_f64).collect();
            if let Ok(radii) = <[f64; 4]>::try_from(radii) {
                let data = rounded(Area { x, y, width, height }, radii);
                return format!("<path d=\"{data}\" {style}/>");
            }
            let radius = node.get("cornerRadius").and_then(Value::as_f64).unwrap_or_default();
            let radius = (radius - inset).clamp(0.0, width.min(height) / 2.0);
            format!(
                "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"{radius}\" {style}/>"
            )
        }
    }
}

/// A rectangle whose corners differ: upper left, upper right, lower right, lower left.
fn rounded(place: Area, radii: [f64; 4]) -> String {
    let Area { x, y, width, height } = place;
    let [r1, r2, r3, r4] = radii.map(|radius| radius.clamp(0.0, width.min(height) / 2.0));
    let (right, bottom) = (x + width, y + height);
    let top = format!("M{} {y}H{}A{r2} {r2} 0 0 1 {right} {}", x + r1, right - r2, y + r2);
    let side = format!("V{}A{r3} {r3} 0 0 1 {} {bottom}", bottom - r3, right - r3);
    let floor = format!("H{}A{r4} {r4} 0 0 1 {x} {}", x + r4, bottom - r4);
    format!("{top}{side}{floor}V{}A{r1} {r1} 0 0 1 {} {y}Z", y + r1, x + r1)
}

/// `#rrggbb` and the alpha.
fn colour(colour: &Value) -> (String, f64) {
    let part = |name: &str| colour.get(name).and_then(Value::as_f64);
    // The cast saturates, and the value lies between 0 and 255.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let byte = |name: &str| (part(name).unwrap_or_default().clamp(0.0, 1.0) * 255.0).round() as u8;
    (format!("#{:02x}{:02x}{:02x}", byte("r"), byte("g"), byte("b")), part("a").unwrap_or(1.0))
}

/// The colour that stands for an image.
fn stand_in(reference: &str) -> String {
    let hash =
        reference.bytes().fold(17_u32, |hash, byte| hash.wrapping_mul(31).wrapping_add(u32::from(byte)));
    format!(
        "#{:02x}{:02x}{:02x}",
        0x60 + (hash & 0x3f),
        0x80 + (hash >> 8 & 0x3f),
        0x60 + (hash >> 16 & 0x3f)
    )
}

/// Text fit for an attribute or an element.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped += "&amp;",
            '<' => escaped += "&lt;",
            '>' => escaped += "&gt;",
            '"' => escaped += "&quot;",
            '\'' => escaped += "&apos;",
            // XML has no way to write control characters.
            other if other.is_control() && !matches!(other, '\n' | '\t') => {}
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_and_texts_are_escaped() {
        let node = json!({
            "id": "1:2", "name": "<b>\"&'\u{7}", "type": "TEXT", "characters": "1 < 2 & 3",
            "fills": [{ "type": "SOLID", "color": { "r": 0, "g": 0, "b": 0, "a": 1 } }],
            "absoluteBoundingBox": { "x": 10, "y": 10, "width": 50, "height": 20 },
        });
        let options = Options { has_text: true, has_ids: true, has_node_ids: true };
        let svg = draw(&node, options).unwrap().svg;
        assert!(svg.contains("id=\"&lt;b&gt;&quot;&amp;&apos;\" data-node-id=\"1:2\""), "{svg}");
        assert!(svg.contains(">1 &lt; 2 &amp; 3</tspan>"), "{svg}");
    }

    #[test]
    fn hidden_and_empty_nodes_have_nothing_to_draw() {
        let area = json!({ "x": 0, "y": 0, "width": 10, "height": 10 });
        let paint =
            json!([{ "type": "SOLID", "visible": false, "color": { "r": 0, "g": 0, "b": 0, "a": 1 } }]);
        assert!(!has_content(&json!({ "type": "FRAME", "absoluteBoundingBox": area, "fills": paint })));
        assert!(!has_content(&json!({ "type": "FRAME", "absoluteBoundingBox": null })));
    }
}
