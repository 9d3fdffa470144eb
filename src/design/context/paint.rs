//! Paints, strokes, corners and effects, in words.

mod plain;

use serde_json::Value;

use super::{
    model::{END, Kind, VARIABLE},
    raw, words,
};

/// [`paints`] of raw JSON.
pub(super) fn raw_paints(out: &mut String, raw: &[u8]) {
    if plain::solids(out, raw).is_none() {
        out.clear();
        out.push_str(&paints(&raw::value(raw)));
    }
}

/// [`effects`] of raw JSON.
pub(super) fn raw_effects(out: &mut String, raw: &[u8]) {
    if plain::effects(out, raw).is_none() {
        out.clear();
        out.push_str(&effects(&raw::value(raw)));
    }
}

/// Paints as they lie over each other, the topmost first. Invisible ones are left out; empty when
/// nothing is painted.
pub(super) fn paints(list: &Value) -> String {
    let shown: Vec<String> = list
        .as_array()
        .map_or(&[][..], Vec::as_slice)
        .iter()
        .rev()
        .filter(|paint| paint.get("visible") != Some(&Value::Bool(false)))
        .map(paint)
        .collect();
    shown.join(" over ")
}

fn paint(paint: &Value) -> String {
    let opacity = raw::float(paint, "opacity").unwrap_or(1.0);
    let mut out = match raw::text(paint, "type").unwrap_or_default() {
        "SOLID" => {
            let mut out = colour(paint.get("color").unwrap_or(&Value::Null), opacity);
            out.push_str(&bound(paint, "color"));
            out
        }
        kind if kind.starts_with("GRADIENT_") => faded(gradient(kind, paint), opacity),
        "IMAGE" => faded(image(paint), opacity),
        "PATTERN" => faded(pattern(paint), opacity),
        kind => faded(unknown(kind, paint), opacity),
    };
    push_blend(&mut out, raw::text(paint, "blendMode").unwrap_or("NORMAL"));
    out.push_str(&bound(paint, "opacity"));
    out
}

fn faded(mut out: String, opacity: f64) -> String {
    if opacity < 0.9995 {
        out.push_str(&format!("/{}%", (opacity * 1000.0).round() / 10.0));
    }
    out
}

/// How a stroke lies on the edge when nothing is said: what Figma draws for each kind of node.
pub(super) const fn usual_stroke(kind: Kind) -> &'static str {
    match kind {
        Kind::Vector | Kind::Line | Kind::Star | Kind::Polygon | Kind::Boolean | Kind::Connector => "center",
        Kind::Text => "outside",
        _ => "inside",
    }
}

/// A colour object, its opacity multiplied.
pub(super) fn colour(colour: &Value, opacity: f64) -> String {
    let part = |name| raw::float(colour, name);
    let mut out = String::new();
    words::colour(
        &mut out,
        part("r").unwrap_or(0.0),
        part("g").unwrap_or(0.0),
        part("b").unwrap_or(0.0),
        part("a").unwrap_or(1.0) * opacity,
    );
    out
}

/// The variable that a member is bound to, marked for whoever knows its name.
fn bound(holder: &Value, member: &str) -> String {
    let id = holder
        .get("boundVariables")
        .and_then(|bound| bound.get(member))
        .and_then(|alias| raw::text(alias, "id"));
    let mut out = String::new();
    push_mark(&mut out, id);
    out
}

/// The mark of a variable, if there is one.
fn push_mark(out: &mut String, id: Option<&str>) {
    if let Some(id) = id {
        out.push(VARIABLE);
        out.extend(id.chars().filter(|c| !c.is_control() && !c.is_whitespace()));
        out.push(END);
    }
}

/// Writes a number of at most one decimal, as [`rounded`] makes it.
fn push_rounded(out: &mut String, value: f64) {
    let tenths = (value * 10.0).round();
    if tenths.abs() < 1e9 {
        #[expect(clippy::cast_possible_truncation, reason = "whole and small enough")]
        words::tenths(out, tenths as i64);
    } else {
        out.push_str(&rounded(value).to_string());
    }
}

/// How a layer is blended with what is below, where that is said.
fn push_blend(out: &mut String, blend: &str) {
    if !matches!(blend, "NORMAL" | "PASS_THROUGH") {
        out.push(' ');
        out.push_str(&words::lower(blend));
    }
}

/// An id that goes between our own marks.
pub(super) fn clean(id: &str) -> String {
    id.chars().filter(|c| !c.is_control() && !c.is_whitespace()).collect()
}

fn gradient(kind: &str, paint: &Value) -> String {
    let stops: Vec<String> = raw::list(paint, "gradientStops")
        .iter()
        .map(|stop| {
            let position = raw::float(stop, "position").unwrap_or(0.0);
            let colour = colour(stop.get("color").unwrap_or(&Value::Null), 1.0);
            format!("{colour}{} {}%", bound(stop, "color"), rounded(position * 100.0))
        })
        .collect();
    let points: Vec<(f64, f64)> = raw::list(paint, "gradientHandlePositions")
        .iter()
        .map(|point| (raw::float(point, "x").unwrap_or(0.0), raw::float(point, "y").unwrap_or(0.0)))
        .collect();
    let name = match kind {
        "GRADIENT_LINEAR" => "linear",
        "GRADIENT_RADIAL" => "radial",
        "GRADIENT_ANGULAR" => "conic",
        "GRADIENT_DIAMOND" => "diamond",
        other => &words::lower(other),
    };
    let place = match (name, points.as_slice()) {
        ("linear", [start, end, ..]) => line(*start, *end),
        (_, [centre, end, side, ..]) => {
            let reach = |(x, y): (f64, f64)| percent((x - centre.0).hypot(y - centre.1));
            format!("at {}, {}×{}, ", point(*centre), reach(*end), reach(*side))
        }
        _ => String::new(),
    };
    format!("{name}({place}{})", stops.join(", "))
}

/// A linear gradient's angle as CSS counts it, and its ends where they do not lie on the box.
fn line(start: (f64, f64), end: (f64, f64)) -> String {
    let (x, y) = (end.0 - start.0, end.1 - start.1);
    let angle = rounded((y.atan2(x).to_degrees() + 90.0).rem_euclid(360.0));
    let angle = if angle >= 360.0 { 0.0 } else { angle };
    let near = |a: f64, b: f64| (a - b).abs() < 0.01;
    let spans = |from: f64, to: f64| (near(from, 0.0) && near(to, 1.0)) || (near(from, 1.0) && near(to, 0.0));
    let is_along_side = (near(x, 0.0) && spans(start.1, end.1)) || (near(y, 0.0) && spans(start.0, end.0));
    if is_along_side {
        format!("{angle}deg, ")
    } else {
        format!("{angle}deg from {} to {}, ", point(start), point(end))
    }
}

fn point((x, y): (f64, f64)) -> String {
    format!("{} {}", percent(x), percent(y))
}

fn percent(part: f64) -> String {
    format!("{}%", rounded(part * 100.0))
}

/// To one decimal, and never a negative zero.
fn rounded(value: f64) -> f64 {
    (value * 10.0).round() / 10.0 + 0.0
}

fn image(paint: &Value) -> String {
    let mut out = match (raw::text(paint, "gifRef"), raw::text(paint, "imageRef")) {
        (Some(reference), _) => format!("gif({}", short_reference(reference)),
        (None, reference) => format!("image({}", short_reference(reference.unwrap_or("?"))),
    };
    match raw::text(paint, "scaleMode").unwrap_or("FILL") {
        "FILL" => {}
        "STRETCH" => out.push_str(&crop(paint)),
        "TILE" => {
            let scale = raw::float(paint, "scalingFactor").unwrap_or(1.0);
            out.push_str(&format!(" tile {}", percent(scale)));
        }
        mode => out.push_str(&format!(" {}", words::lower(mode))),
    }
    if let Some(turn) = raw::float(paint, "rotation").filter(|turn| *turn != 0.0) {
        out.push_str(&format!(" rotate {}", rounded(turn)));
    }
    for (name, value) in paint.get("filters").and_then(Value::as_object).into_iter().flatten() {
        if let Some(amount) = value.as_f64().filter(|amount| *amount != 0.0) {
            out.push_str(&format!(" {} {}", words::name(name), rounded(amount * 100.0) / 100.0));
        }
    }
    out.push(')');
    out
}

/// The first eight digits of an image's reference: enough to tell images apart.
pub(super) fn short_reference(reference: &str) -> String {
    clean(reference).chars().take(8).collect()
}

/// Which part of the image is shown, in parts of the image; the matrix itself where it also turns.
fn crop(paint: &Value) -> String {
    let rows: Vec<Vec<f64>> = raw::list(paint, "imageTransform")
        .iter()
        .map(|row| {
            row.as_array().map(|row| row.iter().filter_map(Value::as_f64).collect()).unwrap_or_default()
        })
        .collect();
    let [top, bottom] = rows.as_slice() else { return " stretch".to_owned() };
    let ([width, turn, x], [twist, height, y]) = (top.as_slice(), bottom.as_slice()) else {
        return " stretch".to_owned();
    };
    if turn.abs() > 1e-4 || twist.abs() > 1e-4 {
        let numbers: Vec<String> = [width, twist, turn, height, x, y]
            .iter()
            .map(|number| ((**number * 1000.0).round() / 1000.0).to_string())
            .collect();
        return format!(" matrix {}", numbers.join(","));
    }
    let is_whole =
        (width - 1.0).abs() < 1e-3 && (height - 1.0).abs() < 1e-3 && x.abs() < 1e-3 && y.abs() < 1e-3;
    if is_whole {
        return " stretch".to_owned();
    }
    format!(" crop {} {}×{}", point((*x, *y)), percent(*width), percent(*height))
}

fn pattern(paint: &Value) -> String {
    let mut out = format!("pattern({}", clean(raw::text(paint, "sourceNodeId").unwrap_or("?")));
    if let Some(tile) = raw::text(paint, "tileType") {
        out.push_str(&format!(" {}", words::lower(tile)));
    }
    if let Some(scale) = raw::float(paint, "scalingFactor").filter(|scale| (*scale - 1.0).abs() > 1e-3) {
        out.push_str(&format!(" {}", percent(scale)));
    }
    if let Some(spacing) = paint.get("spacing") {
        let part = |name| percent(raw::float(spacing, name).unwrap_or(0.0));
        out.push_str(&format!(" gap {} {}", part("x"), part("y")));
    }
    out.push(')');
    out
}

/// A kind of paint that this version does not know: its name and its members.
fn unknown(kind: &str, paint: &Value) -> String {
    let members: Vec<String> = paint
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(name, _)| {
            !matches!(name.as_str(), "type" | "blendMode" | "opacity" | "visible" | "boundVariables")
        })
        .map(|(name, value)| format!("{} {}", words::name(name), other(value)))
        .collect();
    format!("{}({})", words::name(&words::lower(kind)), members.join(", "))
}

/// A foreign value in one piece, cut where it is long.
pub(super) fn other(value: &Value) -> String {
    const MOST: usize = 160;
    let text = match value {
        Value::String(text) => return words::name(text),
        other => other.to_string(),
    };
    let mut out = String::new();
    words::push_escaped(&mut out, &text.chars().take(MOST).collect::<String>());
    let out = out.replace("\\\"", "\"");
    if text.chars().count() > MOST { format!("{out}… ({} bytes)", text.len()) } else { out }
}

/// Shadows, blurs and the like, without the invisible ones.
pub(super) fn effects(list: &Value) -> String {
    let shown: Vec<String> = list
        .as_array()
        .map_or(&[][..], Vec::as_slice)
        .iter()
        .filter(|effect| effect.get("visible") != Some(&Value::Bool(false)))
        .map(effect)
        .collect();
    shown.join(" + ")
}

fn effect(effect: &Value) -> String {
    let number = |name: &str| {
        let value = raw::float(effect, name).unwrap_or(0.0);
        format!("{}{}", rounded(value), bound(effect, name))
    };
    let is_zero = |name: &str| raw::float(effect, name).unwrap_or(0.0) == 0.0;
    let mut out = match raw::text(effect, "type").unwrap_or_default() {
        kind @ ("DROP_SHADOW" | "INNER_SHADOW") => {
            let offset = effect.get("offset").unwrap_or(&Value::Null);
            let axis = |axis: &str, name: &str| {
                format!("{}{}", rounded(raw::float(offset, axis).unwrap_or(0.0)), bound(effect, name))
            };
            let spread = if is_zero("spread") && bound(effect, "spread").is_empty() {
                String::new()
            } else {
                format!(",{}", number("spread"))
            };
            let colour = colour(effect.get("color").unwrap_or(&Value::Null), 1.0);
            format!(
                "{}({},{},{}{spread} {colour}{})",
                if kind == "DROP_SHADOW" { "shadow" } else { "inset" },
                axis("x", "offsetX"),
                axis("y", "offsetY"),
                number("radius"),
                bound(effect, "color"),
            )
        }
        kind @ ("LAYER_BLUR" | "BACKGROUND_BLUR") => {
            let name = if kind == "LAYER_BLUR" { "blur" } else { "backdrop-blur" };
            format!("{name}({}{})", number("radius"), progressive(effect))
        }
        kind => unknown(kind, effect),
    };
    push_blend(&mut out, raw::text(effect, "blendMode").unwrap_or("NORMAL"));
    out
}

/// A blur that grows from one end to the other.
fn progressive(effect: &Value) -> String {
    if raw::text(effect, "blurType") != Some("PROGRESSIVE") {
        return String::new();
    }
    let end = |name: &str| {
        let at = effect.get(name).unwrap_or(&Value::Null);
        point((raw::float(at, "x").unwrap_or(0.0), raw::float(at, "y").unwrap_or(0.0)))
    };
    let start = rounded(raw::float(effect, "startRadius").unwrap_or(0.0));
    format!(" from {start} at {} to {}", end("startOffset"), end("endOffset"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn paints_are_listed_from_the_top() {
        let list = json!([
            { "type": "SOLID", "color": { "r": 1, "g": 1, "b": 1, "a": 1 } },
            { "type": "SOLID", "visible": false, "color": { "r": 0, "g": 1, "b": 1, "a": 1 } },
            { "type": "SOLID", "opacity": 0.5, "blendMode": "MULTIPLY", "color": { "r": 1, "g": 0, "b": 0, "a": 1 },
              "boundVariables": { "color": { "type": "VARIABLE_ALIAS", "id": "VariableID:1:2" } } },
        ]);
        assert_eq!(paints(&list), "#F00/50%\u{1}VariableID:1:2\u{2} multiply over #FFF");
        assert_eq!(paints(&json!([])), "");
    }

    #[test]
    fn gradients_have_an_angle_and_stops() {
        let stops = json!([{ "color": { "r": 1, "g": 1, "b": 1, "a": 1 }, "position": 0 }, { "color": { "r": 0, "g": 0, "b": 0, "a": 0.5 }, "position": 1 }]);
        let paint = |kind: &str, handles: Value| {
            paints(&json!([{ "type": kind, "gradientHandlePositions": handles, "gradientStops": stops }]))
        };
        let down = json!([{ "x": 0.5, "y": 0 }, { "x": 0.5, "y": 1 }, { "x": 0, "y": 0 }]);
        assert_eq!(paint("GRADIENT_LINEAR", down), "linear(180deg, #FFF 0%, #000/50% 100%)");
        let across = json!([{ "x": 0, "y": 0 }, { "x": 1, "y": 1 }, { "x": 0, "y": 0 }]);
        assert_eq!(
            paint("GRADIENT_LINEAR", across),
            "linear(135deg from 0% 0% to 100% 100%, #FFF 0%, #000/50% 100%)"
        );
        let round = json!([{ "x": 0.5, "y": 0.5 }, { "x": 1, "y": 0.5 }, { "x": 0.5, "y": 1 }]);
        assert_eq!(paint("GRADIENT_RADIAL", round), "radial(at 50% 50%, 50%×50%, #FFF 0%, #000/50% 100%)");
    }

    #[test]
    fn images_say_how_they_are_scaled() {
        let paint = |more: Value| {
            let mut paint =
                json!({ "type": "IMAGE", "imageRef": "a7117e9972b4c4ce32755f0df427ba2fc5e431ee" });
            paint.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            paints(&json!([paint]))
        };
        assert_eq!(paint(json!({ "scaleMode": "FILL" })), "image(a7117e99)");
        assert_eq!(paint(json!({ "scaleMode": "FIT", "opacity": 0.2 })), "image(a7117e99 fit)/20%");
        assert_eq!(paint(json!({ "scaleMode": "TILE", "scalingFactor": 0.5 })), "image(a7117e99 tile 50%)");
        let crop = json!({ "scaleMode": "STRETCH", "imageTransform": [[0.5, 0, 0.25], [0, 1, 0]] });
        assert_eq!(paint(crop), "image(a7117e99 crop 25% 0% 50%×100%)");
    }

    #[test]
    fn effects_read_like_css() {
        let list = json!([
            { "type": "DROP_SHADOW", "color": { "r": 0, "g": 0, "b": 0, "a": 0.12 }, "offset": { "x": 0, "y": 4 }, "radius": 16 },
            { "type": "BACKGROUND_BLUR", "radius": 20 },
            { "type": "SPARKLE", "amount": 3 },
        ]);
        assert_eq!(effects(&list), "shadow(0,4,16 #000/12%) + backdrop-blur(20) + sparkle(amount 3)");
    }

    #[test]
    fn unknown_paints_pass_through_named() {
        let list = json!([{ "type": "VIDEO", "videoRef": "abc", "blendMode": "NORMAL" }]);
        assert_eq!(paints(&list), "video(videoRef abc)");
    }
}
