//! The end of a node: its members together become facts.

use std::fmt::Write;

use serde_json::Value;

use super::{
    collapse,
    collect::Collector,
    dev,
    draft::{Corners, Draft},
    layout::Around,
    model::{Constraint, Fact, Key, Kind, Mode, Node, Sizing, Span, Symbol, Symbols, VARIABLE},
    prototype, raw, text,
    variables::Bound,
    words,
};

impl Draft {
    /// Notes an opacity that is not full.
    pub(super) fn opacity(&mut self, opacity: f32, symbols: &mut Symbols) {
        if opacity < 0.9995 {
            let mut words = String::from("opacity ");
            words::number(&mut words, opacity);
            let words = symbols.keep(&words);
            self.fact(Key::Opacity, words);
        }
    }

    /// Makes it as good as new.
    pub(super) fn reset(&mut self) {
        let (mut facts, mut children) = (std::mem::take(&mut self.facts), std::mem::take(&mut self.children));
        facts.clear();
        children.clear();
        *self = Self { facts, children, ..Self::default() };
    }
}

impl Collector {
    /// Makes a node of a complete draft. Children that it stands for are dropped from the design.
    pub(super) fn node(&mut self, draft: &mut Draft) -> Node {
        let all_bound = std::mem::take(&mut self.bound);
        let nothing = Bound::default();
        let bound = all_bound.get(draft.bound as usize).unwrap_or(&nothing);
        if draft.kind == Kind::Table {
            self.table_facts(draft);
        }
        self.box_facts(draft, bound);
        self.stroke_facts(draft, bound);
        self.text_facts(draft, bound);
        self.prototype_facts(draft);
        style_facts(draft);
        self.variable_facts(draft, bound);
        self.bound = all_bound;
        let mut geometry = draft.layout.geometry();
        if draft.kind == Kind::Text && geometry.sizing == [Sizing::Unknown; 2] {
            geometry.sizing = self
                .styles
                .get(draft.text_style as usize)
                .map_or_else(Default::default, |(style, _)| style.sizing);
        }
        self.size_children(geometry.mode, &draft.children);
        geometry.clips = geometry.clips && self.is_cutting(draft);
        geometry.shared_constraints = self.shared_constraints(&draft.children);
        geometry.stretches = self.stretches(geometry.mode, &draft.children);
        let is_drawing = collapse::collapse(&mut self.design, draft);
        draft.facts.sort_by_key(|fact| fact.key);
        Node {
            id: draft.id,
            name: draft.name,
            kind: draft.kind,
            is_drawing,
            geometry,
            facts: self.design.keep_facts(&draft.facts),
            children: self.design.keep_children(&draft.children),
            hidden: draft.hidden,
            too_deep: draft.too_deep,
        }
    }

    /// The constraints that all of several children have, where they are not the usual ones: said once.
    fn shared_constraints(&self, children: &[u32]) -> Option<[Constraint; 2]> {
        let mut all = children.iter().map(|child| self.design.node(*child).geometry.constraints);
        let first = all.next().filter(|first| *first != [Constraint::Start; 2] && children.len() > 1)?;
        all.all(|constraints| constraints == first).then_some(first)
    }

    /// Whether all children that an auto layout of this mode places fill it across.
    fn stretches(&self, mode: Mode, children: &[u32]) -> bool {
        let across = match mode {
            Mode::Row => 1,
            Mode::Column => 0,
            Mode::None | Mode::Grid => return false,
        };
        let geometries = children.iter().map(|child| &self.design.node(*child).geometry);
        let mut flowing = geometries.filter(|geometry| !geometry.is_absolute).peekable();
        flowing.peek().is_some()
            && flowing.all(|geometry| {
                geometry.sizing.get(across) == Some(&Sizing::Fill) && geometry.bounds.is_some()
            })
    }

    /// Figma does not say in which row and column a cell is: its place does.
    fn table_facts(&mut self, draft: &mut Draft) {
        let place = |cell: &u32| self.design.node(*cell).geometry.bounds.map(|[x, y, ..]| [x, y]);
        let places: Vec<[f32; 2]> = draft.children.iter().filter_map(place).collect();
        let mut tracks: [Vec<f32>; 2] =
            [0, 1].map(|axis| places.iter().filter_map(|at| at.get(axis).copied()).collect());
        for track in &mut tracks {
            track.sort_by(f32::total_cmp);
            track.dedup_by(|next, before| *next - *before < 0.5);
        }
        let [columns, rows] = &tracks;
        let number = |track: &[f32], at: f32| track.iter().filter(|start| **start <= at + 0.25).count();
        for cell in &draft.children {
            let Some(node) = self.design.nodes.get_mut(*cell as usize) else { continue };
            let Some([x, y, ..]) = node.geometry.bounds else { continue };
            let words = format!("row{} col{}", number(rows, y), number(columns, x));
            let words = self.design.symbols.keep(&words);
            let mut facts = self
                .design
                .facts
                .get(node.facts.start as usize..node.facts.end as usize)
                .unwrap_or_default()
                .to_vec();
            facts.push(Fact { key: Key::Cell, words, style: 0 });
            facts.sort_by_key(|fact| fact.key);
            node.facts = Span::new(self.design.facts.len(), self.design.facts.len() + facts.len());
            self.design.facts.append(&mut facts);
        }
        let words = format!("{} rows × {} columns", rows.len(), columns.len());
        let words = self.keep(&words);
        draft.fact(Key::Guides, words);
    }

    /// What older files say at the children, where the sizing itself is not said: only now is it known
    /// along which axis.
    fn size_children(&mut self, mode: Mode, children: &[u32]) {
        let (primary, counter) = match mode {
            Mode::Row => (0, 1),
            Mode::Column => (1, 0),
            Mode::None | Mode::Grid => return,
        };
        for child in children {
            let Some(node) = self.design.nodes.get_mut(*child as usize) else { continue };
            let [grows, stretches] = node.geometry.older;
            for (axis, fills) in [(primary, grows), (counter, stretches)] {
                if let Some(sizing) = node.geometry.sizing.get_mut(axis)
                    && fills
                {
                    *sizing = Sizing::Fill;
                }
            }
        }
    }

    /// Whether something reaches over the edge, or into a round corner: else cutting it off does nothing.
    fn is_cutting(&self, draft: &Draft) -> bool {
        let Some([x, y, width, height]) = draft.layout.geometry.bounds else { return false };
        let is_round = draft.words(Key::Radius) != 0;
        draft.children.iter().filter_map(|child| self.design.node(*child).geometry.bounds).any(|bounds| {
            let [left, top] = [bounds[0] - x, bounds[1] - y];
            let [right, bottom] = [width - left - bounds[2], height - top - bounds[3]];
            let is_over = [left, top, right, bottom].iter().any(|distance| *distance < -0.5);
            let is_in_corner = left.min(right) < 0.5 && top.min(bottom) < 0.5;
            is_over || is_round && is_in_corner
        })
    }

    /// The number of what is written, without a space before it; 0 for nothing.
    fn written(&mut self, write: impl FnOnce(&mut String)) -> Symbol {
        self.scratch.clear();
        write(&mut self.scratch);
        self.design.symbols.keep(self.scratch.trim_start())
    }

    fn box_facts(&mut self, draft: &mut Draft, bound: &Bound) {
        let around = Around {
            has_several: draft.children.len() as u64 + u64::from(draft.hidden + draft.too_deep) > 1,
            has_strokes: draft.words(Key::Stroke) != 0,
        };
        let words = self.written(|out| draft.layout.words(out, bound, around));
        draft.fact(Key::Layout, words);
        let words = self.written(|out| draft.layout.limits(out, bound));
        draft.fact(Key::Limits, words);
        let words = self.written(|out| draft.layout.cell(out));
        draft.fact(Key::Cell, words);
        let words = self.written(|out| draft.layout.scroll(out));
        draft.fact(Key::Scroll, words);
        let words = self.keep(draft.mask.unwrap_or_default());
        draft.fact(Key::Mask, words);
        let words = self.written(|out| radius_words(out, &draft.corners, bound));
        draft.fact(Key::Radius, words);
        if let Some(connector) = draft.connector.take()
            && connector.ends.iter().any(|end| !end.is_empty())
        {
            let words = self.keep(&dev::connector(&connector.ends, &connector.caps, &connector.line));
            draft.fact(Key::Ends, words);
        }
    }

    fn stroke_facts(&mut self, draft: &mut Draft, bound: &Bound) {
        if draft.words(Key::Stroke) == 0 {
            return;
        }
        let stroke = &draft.stroke;
        let usual = super::paint::usual_stroke(draft.kind);
        let mut mark = bound.mark("strokeWeight");
        let has_sides = bound.is_about(&["individualStrokeWeights"]);
        let sides = if has_sides { &["TOP", "RIGHT", "BOTTOM", "LEFT"][..] } else { &[] };
        for side in sides {
            let side = bound.mark(&format!("individualStrokeWeights.{side}"))
                + &bound.mark(&format!("individualStrokeWeights.{}", side.to_ascii_lowercase()));
            if !mark.contains(&side) {
                mark.push_str(&side);
            }
        }
        let words = self.written(|out| {
            if let Some(sides) = stroke.sides {
                out.push(' ');
                let sides = sides.map(words::of);
                let [top, right, bottom, left] = &sides;
                words::sides(out, [top, right, bottom, left]);
                out.push_str("px");
            } else if (stroke.weight - 1.0).abs() > 0.005 || !mark.is_empty() {
                out.push(' ');
                words::number(out, stroke.weight);
                out.push_str("px");
            }
            out.push_str(&mark);
            if !stroke.align.is_empty() && stroke.align != usual {
                let _ = write!(out, " {}", stroke.align);
            }
            if !stroke.dashes.is_empty() {
                let dashes: Vec<String> = stroke.dashes.iter().map(|dash| words::of(*dash)).collect();
                let _ = write!(out, " dash{}", dashes.join(","));
            }
            for (name, value, usual) in [("cap", &stroke.cap, "NONE"), ("join", &stroke.join, "MITER")] {
                if !value.is_empty() && value != usual {
                    let _ = write!(out, " {name}-{}", words::lower(value));
                }
            }
        });
        draft.fact(Key::StrokeWords, words);
    }

    fn text_facts(&mut self, draft: &mut Draft, bound: &Bound) {
        let Some(characters) = draft.characters.take() else { return };
        let styles = std::mem::take(&mut self.styles);
        let nothing = (text::Style::default(), 0);
        let (style, font) = styles.get(draft.text_style as usize).unwrap_or(&nothing);
        self.styled_text_facts(draft, bound, &characters, style, *font);
        self.styles = styles;
    }

    fn styled_text_facts(
        &mut self,
        draft: &mut Draft,
        bound: &Bound,
        characters: &str,
        style: &text::Style,
        font: Symbol,
    ) {
        let runs = draft.runs.take().filter(|runs| !runs.is_plain());
        let is_one_line = !characters.contains(['\n', '\u{2028}', '\u{2029}']);
        let sizing = match draft.layout.geometry.sizing {
            [Sizing::Unknown, Sizing::Unknown] => style.sizing,
            sizing => sizing,
        };
        if let Some(runs) = runs {
            let (text, notes) = text::marked(characters, style, &runs);
            let words = self.keep(&format!("\"{text}\""));
            draft.fact(Key::Text, words);
            let words = self.keep(notes.trim_start());
            draft.fact(Key::Runs, words);
        } else {
            let words = self.written(|out| {
                out.push('"');
                words::push_escaped(out, characters);
                out.push('"');
            });
            draft.fact(Key::Text, words);
        }
        if characters.is_empty() {
            return;
        }
        let font = match bound.mark("fontSize") {
            mark if mark.is_empty() => font,
            mark => self.design.symbols.keep(&style.font_with_size(&mark)),
        };
        draft.fact(Key::Font, font);
        // A box no higher than a line leaves nothing to align in it.
        let height = draft.layout.geometry.bounds.map_or(f32::MAX, |[.., height]| height);
        let sizing = if height < style.line_height() + 1.0 { [sizing[0], Sizing::Hug] } else { sizing };
        let words = self.written(|out| style.box_words(out, sizing, is_one_line));
        draft.fact(Key::TextWords, words);
    }

    fn prototype_facts(&mut self, draft: &mut Draft) {
        let transition = draft.transition.take();
        let list = draft.interactions.take();
        let words = match (&list, &transition) {
            (Some(list), legacy) => self.interaction_words(list, legacy.as_deref()),
            (None, Some(destination)) => self.design.symbols.keep(&prototype::transition(destination)),
            (None, None) => 0,
        };
        draft.fact(Key::Interaction, words);
    }

    /// Variables that no other words mention.
    fn variable_facts(&mut self, draft: &mut Draft, bound: &Bound) {
        if bound.is_empty() {
            return;
        }
        let mut out = std::mem::take(&mut self.scratch);
        out.clear();
        for (path, marks) in &bound.0 {
            for mark in marks {
                let is_said = |fact: &Fact| {
                    let words = self.design.symbols.get(fact.words);
                    let mut marks = words.match_indices(VARIABLE).filter_map(|(at, _)| words.get(at..));
                    marks.any(|rest| rest.starts_with(mark.as_str()))
                };
                if draft.facts.iter().any(is_said) {
                    continue;
                }
                let name = match path.as_str() {
                    "size.x" => "w",
                    "size.y" => "h",
                    "characters" => "text",
                    path => path,
                };
                out.push(' ');
                out.push_str(&words::name(name));
                out.push_str(mark);
            }
        }
        let words = self.design.symbols.keep(out.trim_start());
        draft.fact(Key::Variables, words);
        self.scratch = out;
    }
}

/// Says with each value which style it comes from. A style that paints nothing is not said.
fn style_facts(draft: &mut Draft) {
    let styles = draft.styles;
    for fact in &mut draft.facts {
        fact.style = match fact.key {
            Key::Fill => styles.fill,
            Key::Stroke => styles.stroke,
            Key::Font => styles.text,
            Key::Effects => styles.effect,
            Key::Guides => styles.grid,
            _ => 0,
        };
    }
}

fn radius_words(out: &mut String, corners: &Corners, bound: &Bound) {
    let radii = corners.radii.unwrap_or([corners.radius; 4]);
    let [first, others @ ..] = radii;
    let is_bound = bound.is_about(&["cornerRadius", "rectangleCornerRadii", "top", "bottom"]);
    if !is_bound && others.iter().all(|radius| radius.to_bits() == first.to_bits()) {
        match first {
            ..0.005 => return,
            999.0.. => out.push_str("r-full"),
            radius => {
                out.push('r');
                words::number(out, radius);
            }
        }
        return smoothing(out, corners);
    }
    let names = [
        ("RECTANGLE_TOP_LEFT_CORNER_RADIUS", "topLeftRadius"),
        ("RECTANGLE_TOP_RIGHT_CORNER_RADIUS", "topRightRadius"),
        ("RECTANGLE_BOTTOM_RIGHT_CORNER_RADIUS", "bottomRightRadius"),
        ("RECTANGLE_BOTTOM_LEFT_CORNER_RADIUS", "bottomLeftRadius"),
    ];
    let all = bound.mark("cornerRadius");
    let parts: Vec<String> = radii
        .iter()
        .zip(names)
        .map(|(radius, (name, short))| {
            let mark = bound.mark(&format!("rectangleCornerRadii.{name}"));
            words::of(*radius) + if mark.is_empty() { &all } else { &mark } + &bound.mark(short)
        })
        .collect();
    if parts.iter().all(|part| part == "0") {
        return;
    }
    // Whoever says thousands means a pill.
    let is_pill = |radius: &f32| *radius >= 999.0;
    if radii.iter().all(is_pill) && parts.iter().all(|part| !part.contains(VARIABLE)) {
        out.push_str("r-full");
    } else if let [top_left, top_right, bottom_right, bottom_left] = parts.as_slice() {
        out.push('r');
        words::sides(out, [top_left, top_right, bottom_right, bottom_left]);
    }
    smoothing(out, corners);
}

fn smoothing(out: &mut String, corners: &Corners) {
    if corners.smoothing > 0.0 {
        let _ = write!(out, " smooth{}%", (corners.smoothing * 100.0).round());
    }
}

/// `individualStrokeWeights`, from the top on, clockwise.
pub(super) fn side_weights(value: &Value) -> Option<[f32; 4]> {
    let side = |name| raw::number(raw::float(value, name).unwrap_or(0.0).to_string().as_bytes());
    value.is_object().then(|| [side("top"), side("right"), side("bottom"), side("left")])
}

/// On which side of the edge a stroke lies.
pub(super) fn stroke_align(value: &[u8]) -> &'static str {
    match value {
        b"\"INSIDE\"" => "inside",
        b"\"OUTSIDE\"" => "outside",
        b"\"CENTER\"" => "center",
        _ => "",
    }
}

/// Adds a fact unless the same is known already.
pub(super) fn add_once(facts: &mut Vec<Fact>, fact: Fact) {
    if !facts.contains(&fact) {
        facts.push(fact);
    }
}

/// Whether the words of a symbol paint an image.
pub(super) fn is_image(symbols: &Symbols, words: Symbol) -> bool {
    let words = symbols.get(words);
    ["image(", "gif(", "video(", "pattern("].iter().any(|start| words.contains(start))
}
