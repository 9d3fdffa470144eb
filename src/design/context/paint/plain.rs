//! Solid colours, shadows and blurs, as Figma usually writes them, read without building values: most
//! designs have thousands that differ.

use super::{super::reader::Reader, push_blend, push_mark, push_rounded, words};

/// More layers than these are read by way of values.
const MOST: usize = 4;

/// The layers of a list, one behind the other.
#[derive(Debug)]
struct Layers<T> {
    all: [Option<T>; MOST],
    count: usize,
}

impl<T> Layers<T> {
    fn read<'a>(raw: &'a [u8], mut layer: impl FnMut(&mut Reader<'a>) -> Option<T>) -> Option<Self> {
        let mut layers = Self { all: [const { None }; MOST], count: 0 };
        Reader::whole(raw, |reader| {
            reader.list(|reader| {
                *layers.all.get_mut(layers.count)? = Some(layer(reader)?);
                layers.count += 1;
                Some(())
            })
        })?;
        Some(layers)
    }
}

/// A colour with its opacity, of four parts between 0 and 1.
#[derive(Debug, Clone, Copy)]
struct Colour([f64; 4]);

impl Colour {
    /// What is said where no colour is.
    const NONE: Self = Self([0.0, 0.0, 0.0, 1.0]);

    #[inline]
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let mut colour = Self::NONE;
        let [red, green, blue, alpha] = &mut colour.0;
        reader.object(|reader, name| {
            let part = match name {
                b"r" => &mut *red,
                b"g" => &mut *green,
                b"b" => &mut *blue,
                b"a" => &mut *alpha,
                _ => return reader.skip(),
            };
            *part = reader.number()?;
            Some(())
        })?;
        Some(colour)
    }

    fn write(self, out: &mut String, opacity: f64) {
        let [red, green, blue, alpha] = self.0;
        words::colour(out, red, green, blue, alpha * opacity);
    }
}

/// The id in an alias of a variable, into its place.
fn alias<'a>(reader: &mut Reader<'a>, id: &mut Option<&'a str>) -> Option<()> {
    *id = None;
    reader.object(|reader, name| {
        if name == b"id" {
            *id = Some(reader.text()?);
            return Some(());
        }
        reader.skip()
    })
}

/// A paint of one colour.
struct Solid<'a> {
    colour: Colour,
    opacity: f64,
    blend: &'a str,
    is_visible: bool,
    colour_id: Option<&'a str>,
    opacity_id: Option<&'a str>,
}

impl<'a> Solid<'a> {
    fn read(reader: &mut Reader<'a>) -> Option<Self> {
        let mut paint = Self {
            colour: Colour::NONE,
            opacity: 1.0,
            blend: "NORMAL",
            is_visible: true,
            colour_id: None,
            opacity_id: None,
        };
        let mut is_solid = false;
        reader.object(|reader, name| {
            match name {
                b"color" => paint.colour = Colour::read(reader)?,
                b"blendMode" => paint.blend = reader.text()?,
                b"type" => is_solid = reader.text()? == "SOLID",
                b"opacity" => paint.opacity = reader.number()?,
                b"visible" => paint.is_visible = reader.boolean()?,
                b"boundVariables" => {
                    (paint.colour_id, paint.opacity_id) = (None, None);
                    reader.object(|reader, name| match name {
                        b"color" => alias(reader, &mut paint.colour_id),
                        b"opacity" => alias(reader, &mut paint.opacity_id),
                        _ => reader.skip(),
                    })?;
                }
                _ => reader.skip()?,
            }
            Some(())
        })?;
        is_solid.then_some(paint)
    }

    fn write(&self, out: &mut String) {
        self.colour.write(out, self.opacity);
        push_mark(out, self.colour_id);
        push_blend(out, self.blend);
        push_mark(out, self.opacity_id);
    }
}

/// What [`super::paints`] writes of a list of solid paints; `None` when there is anything else in it.
pub(super) fn solids(out: &mut String, raw: &[u8]) -> Option<()> {
    let paints = Layers::read(raw, Solid::read)?;
    for paint in paints.all.iter().rev().flatten().filter(|paint| paint.is_visible) {
        if !out.is_empty() {
            out.push_str(" over ");
        }
        paint.write(out);
    }
    Some(())
}

/// A shadow or an even blur; nothing of it is bound to a variable.
struct Effect<'a> {
    kind: &'a str,
    colour: Colour,
    offset: [f64; 2],
    radius: f64,
    spread: f64,
    blend: &'a str,
    is_visible: bool,
}

impl<'a> Effect<'a> {
    fn read(reader: &mut Reader<'a>) -> Option<Self> {
        let mut effect = Self {
            kind: "",
            colour: Colour::NONE,
            offset: [0.0; 2],
            radius: 0.0,
            spread: 0.0,
            blend: "NORMAL",
            is_visible: true,
        };
        reader.object(|reader, name| {
            match name {
                b"type" => effect.kind = reader.text()?,
                b"color" => effect.colour = Colour::read(reader)?,
                b"radius" => effect.radius = reader.number()?,
                b"spread" => effect.spread = reader.number()?,
                b"blendMode" => effect.blend = reader.text()?,
                b"visible" => effect.is_visible = reader.boolean()?,
                b"offset" => effect.offset = offset(reader)?,
                b"boundVariables" => reader.eat(b"{}")?,
                b"blurType" => reader.eat(b"\"NORMAL\"")?,
                _ => reader.skip()?,
            }
            Some(())
        })?;
        matches!(effect.kind, "DROP_SHADOW" | "INNER_SHADOW" | "LAYER_BLUR" | "BACKGROUND_BLUR")
            .then_some(effect)
    }

    fn write(&self, out: &mut String) {
        out.push_str(match self.kind {
            "DROP_SHADOW" => "shadow(",
            "INNER_SHADOW" => "inset(",
            "LAYER_BLUR" => "blur(",
            _ => "backdrop-blur(",
        });
        let is_shadow = self.kind.ends_with("SHADOW");
        if is_shadow {
            for side in self.offset {
                push_rounded(out, side);
                out.push(',');
            }
        }
        push_rounded(out, self.radius);
        if is_shadow && self.spread != 0.0 {
            out.push(',');
            push_rounded(out, self.spread);
        }
        if is_shadow {
            out.push(' ');
            self.colour.write(out, 1.0);
        }
        out.push(')');
        push_blend(out, self.blend);
    }
}

fn offset(reader: &mut Reader<'_>) -> Option<[f64; 2]> {
    let (mut x, mut y) = (0.0, 0.0);
    reader.object(|reader, name| {
        match name {
            b"x" => x = reader.number()?,
            b"y" => y = reader.number()?,
            _ => reader.skip()?,
        }
        Some(())
    })?;
    Some([x, y])
}

/// What [`super::effects`] writes of a list of shadows and even blurs; `None` when there is anything else in
/// it.
pub(super) fn effects(out: &mut String, raw: &[u8]) -> Option<()> {
    let effects = Layers::read(raw, Effect::read)?;
    for effect in effects.all.iter().flatten().filter(|effect| effect.is_visible) {
        if !out.is_empty() {
            out.push_str(" + ");
        }
        effect.write(out);
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::super::{effects, paints, raw_effects, raw_paints};

    fn any_number() -> impl Strategy<Value = Value> {
        prop_oneof![
            Just(json!(0)),
            Just(json!(1.0)),
            Just(json!(-0.0)),
            Just(json!(5.343_781_637_290_585e-24)),
            any::<i32>().prop_map(Value::from),
            (0.0_f32..1.0).prop_map(|part| json!(f64::from(part))),
            (-1e4_f64..1e4).prop_map(Value::from),
        ]
    }

    /// A member of a paint or an effect, now and then with a value of another kind.
    fn any_member() -> impl Strategy<Value = (String, Value)> {
        let parts = prop::collection::vec(
            (prop::sample::select(&["r", "g", "b", "a", "x", "y", "z"][..]), any_number()),
            0..5,
        );
        let object = parts.prop_map(|parts| {
            parts.into_iter().map(|(name, part)| (name.to_owned(), part)).collect::<Value>()
        });
        let alias = json!({ "type": "VARIABLE_ALIAS", "id": "VariableID:1:2 \u{85}" });
        let value = prop_oneof![
            4 => object,
            4 => any_number(),
            1 => any::<bool>().prop_map(Value::from),
            1 => prop::sample::select(&["NORMAL", "MULTIPLY", "PROGRESSIVE", "a\"b", ""][..]).prop_map(Value::from),
            1 => Just(Value::Null),
            1 => Just(json!({ "color": alias, "opacity": alias, "radius": alias, "other": [alias] })),
            1 => Just(json!({ "color": null })),
            1 => Just(json!({})),
        ];
        let names = [
            "color",
            "opacity",
            "radius",
            "spread",
            "offset",
            "blendMode",
            "visible",
            "boundVariables",
            "blurType",
            "other",
        ];
        (prop::sample::select(names.to_vec()), value).prop_map(|(name, value)| (name.to_owned(), value))
    }

    fn any_list() -> impl Strategy<Value = Value> {
        let kinds = [
            "SOLID",
            "DROP_SHADOW",
            "INNER_SHADOW",
            "LAYER_BLUR",
            "BACKGROUND_BLUR",
            "GRADIENT_LINEAR",
            "SPARKLE",
        ];
        let layer = (prop::sample::select(kinds.to_vec()), prop::collection::vec(any_member(), 0..6));
        let layer = layer.prop_map(|(kind, members)| {
            let mut layer: serde_json::Map<String, Value> = members.into_iter().collect();
            layer.insert("type".to_owned(), kind.into());
            Value::Object(layer)
        });
        prop::collection::vec(layer, 0..6).prop_map(Value::from)
    }

    /// The members that are usual, of the kinds that they have.
    fn usual_list() -> impl Strategy<Value = Value> {
        let part = || (0.0_f32..1.0).prop_map(f64::from);
        let layer = (any::<bool>(), [part(), part(), part(), part()], -50.0_f64..50.0, any::<[bool; 4]>());
        let layer = layer.prop_map(|(is_blur, [r, g, b, a], length, [is_visible, is_bound, is_blended, is_faded])| {
            let mut layer = json!({ "color": { "r": r, "g": g, "b": b, "a": a }, "visible": is_visible, "radius": length });
            layer["type"] = json!(if is_blur { "LAYER_BLUR" } else if is_faded { "DROP_SHADOW" } else { "SOLID" });
            if is_bound && !is_blur && !is_faded {
                layer["boundVariables"] = json!({ "color": { "type": "VARIABLE_ALIAS", "id": "VariableID:1:2" } });
            }
            if is_blended {
                layer["blendMode"] = json!("COLOR_BURN");
            }
            layer["offset"] = json!({ "x": length, "y": 4 });
            layer["opacity"] = json!(a);
            layer
        });
        prop::collection::vec(layer, 0..4).prop_map(Value::from)
    }

    fn written(write: fn(&mut String, &[u8]), raw: &str) -> String {
        let mut out = String::new();
        write(&mut out, raw.as_bytes());
        out
    }

    proptest! {
        #[test]
        fn both_ways_write_the_same(list in prop_oneof![any_list(), usual_list()]) {
            let raw = list.to_string();
            let value = serde_json::from_str(&raw).unwrap();
            prop_assert_eq!(written(raw_paints, &raw), paints(&value));
            prop_assert_eq!(written(raw_effects, &raw), effects(&value));
        }

        #[test]
        fn what_is_no_json_paints_nothing(list in usual_list(), at in any::<prop::sample::Index>(), put in "[{}\\[\\],:\"0e. -]") {
            let mut raw = list.to_string();
            let at = at.index(raw.len());
            raw.replace_range(at..=at, &put);
            let value = serde_json::from_str(&raw).unwrap_or_default();
            prop_assert_eq!(written(raw_paints, &raw), paints(&value));
            prop_assert_eq!(written(raw_effects, &raw), effects(&value));
        }
    }

    #[test]
    fn what_is_usual_needs_no_values() {
        let mut out = String::new();
        let paint = r#"[{"blendMode":"NORMAL","type":"SOLID","color":{"r":0.5,"g":0.25,"b":1.0,"a":1.0},"boundVariables":{"color":{"type":"VARIABLE_ALIAS","id":"VariableID:1:2"}}}]"#;
        assert!(super::solids(&mut out, paint.as_bytes()).is_some());
        assert_eq!(out, "#8040FF\u{1}VariableID:1:2\u{2}");
        out.clear();
        let shadow = r#"[{"type":"DROP_SHADOW","visible":true,"color":{"r":0.0,"g":0.0,"b":0.0,"a":0.25},"blendMode":"NORMAL","offset":{"x":0.0,"y":4.0},"radius":12.5,"showShadowBehindNode":false}]"#;
        assert!(super::effects(&mut out, shadow.as_bytes()).is_some());
        assert_eq!(out, "shadow(0,4,12.5 #000/25%)");
    }
}
