//! The text tree: the only place that knows its form.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    fmt::Write,
};

use super::{
    Options,
    collapse::DRAWINGS,
    facts::Facts,
    ids,
    legend::Term,
    lines::{Line, Role, Slot},
    model::{COMPONENT, Design, END, FAMILY, Fact, Group, Key, Kind, Mode, NODE, Symbol, VARIABLE},
    names::{self, Definition, Names, UsualFont},
    share::Anchor,
    variables::{self, Origin},
    view::View,
    words,
};

/// Writes the lines of a view.
#[derive(Debug)]
pub(super) struct Printer<'a> {
    pub(super) design: &'a Design,
    pub(super) view: &'a View<'a>,
    facts: Facts<'a>,
    pub(super) options: &'a Options,
    names: Names,
    /// The font family and weight that are not said again.
    usual_font: Option<UsualFont<'a>>,
    /// Texts longer than this are cut.
    longest_text: usize,
    pub(super) terms: BTreeSet<Term>,
    /// Nodes whose id stands in full, since their parent has no line.
    pub(super) with_whole_id: HashSet<u32>,
    /// Where the words of the line that is written begin.
    pub(super) line_start: usize,
    /// Nodes that other lines mean by their id.
    pub(super) meant: HashSet<u32>,
    /// The node of the line above, and how many lines running have said no id.
    pub(super) above: Option<(u32, u32)>,
    /// Nodes by their id, once somebody asked.
    by_id: Option<HashMap<&'a str, u32>>,
    /// Components whose id stands already.
    pub(super) named: HashSet<&'a str>,
    /// Components and sets that are mentioned, in order, for their descriptions.
    pub(super) mentioned: Vec<&'a str>,
    pub(super) out: String,
}

impl<'a> Printer<'a> {
    /// With nothing written and no names for what repeats.
    pub(super) fn new(view: &'a View<'a>, options: &'a Options, longest_text: usize) -> Self {
        Self {
            design: view.design,
            view,
            facts: Facts::new(view, options),
            options,
            names: Names::default(),
            usual_font: None,
            longest_text,
            terms: BTreeSet::new(),
            with_whole_id: HashSet::new(),
            line_start: 0,
            meant: HashSet::new(),
            above: None,
            by_id: None,
            named: HashSet::new(),
            mentioned: Vec::new(),
            out: String::new(),
        }
    }

    pub(super) const fn design(&self) -> &'a Design {
        self.design
    }

    /// The words of one fact, with the names of what they mention.
    pub(super) fn words(&mut self, fact: &Fact) -> String {
        let before = std::mem::take(&mut self.out);
        match fact.key {
            Key::Text => self.text(fact.words),
            Key::Component => self.component(self.design.symbols.get(fact.words)),
            _ => self.value(fact),
        }
        std::mem::replace(&mut self.out, before)
    }

    /// What the library says of the components that were mentioned, by id.
    pub(super) fn component_table(&self) -> serde_json::Map<String, serde_json::Value> {
        let entry = |id: &&str| {
            let component = self.design.components.get(*id).or_else(|| self.design.sets.get(*id))?;
            Some((
                (*id).to_owned(),
                serde_json::json!({
                    "name": component.name, "set": component.set, "description": component.description, "docs": component.links,
                }),
            ))
        };
        self.mentioned.iter().filter_map(entry).collect()
    }

    /// The whole description.
    pub(super) fn print(
        view: &'a View<'a>,
        options: &'a Options,
        lines: &[Line],
        longest_text: usize,
    ) -> String {
        let mut printer = Self {
            names: Names::of(view, lines),
            usual_font: names::usual_font(view.design, lines),
            meant: meant(view.design, lines),
            ..Self::new(view, options, longest_text)
        };
        let definitions = printer.definitions();
        for line in lines {
            printer.line(line);
        }
        let tree = std::mem::take(&mut printer.out);
        let mut out = printer.head();
        out.push_str(&definitions);
        printer.descriptions(&mut out);
        out.push_str(&tree);
        printer.foot(&mut out);
        out
    }

    pub(super) fn includes(&self, group: Group) -> bool {
        self.options.include.contains(&group)
    }

    fn head(&self) -> String {
        let mut out = String::new();
        if !self.design.name.is_empty() {
            let _ = writeln!(out, "# {}", words::quoted(&self.design.name));
        }
        let terms = self.terms.iter().filter(|term| !term.is_explained_by(&self.terms));
        let mut legend: Vec<String> = terms.map(|term| term.explained().to_owned()).collect();
        legend.extend(self.usual_font.map(|UsualFont { family, weight }| match weight {
            Some(weight) => format!("font {family} {weight} unless said"),
            None => format!("font {family} unless said"),
        }));
        if !legend.is_empty() {
            let _ = writeln!(out, "({})", legend.join("; "));
        }
        out
    }

    fn foot(&self, out: &mut String) {
        let left_out: Vec<&str> =
            Group::ALL.iter().filter(|group| !self.includes(**group)).map(|group| group.name()).collect();
        if !left_out.is_empty() {
            let _ = writeln!(out, "(not included: {})", left_out.join(", "));
        }
    }

    fn definitions(&mut self) -> String {
        let definitions = std::mem::take(&mut self.names.definitions);
        for (number, definition) in (1..).zip(&definitions) {
            let _ = write!(self.out, "${number}");
            match definition {
                Definition::Value(fact) => {
                    self.out.push(' ');
                    self.value(fact);
                }
                Definition::Look(facts) => facts.iter().for_each(|fact| self.fact(fact)),
            }
            self.out.push('\n');
        }
        std::mem::take(&mut self.out)
    }

    /// What the library says of the components that occur.
    fn descriptions(&self, out: &mut String) {
        for id in &self.mentioned {
            let Some(component) = self.design.components.get(*id).or_else(|| self.design.sets.get(*id))
            else {
                continue;
            };
            if component.description.is_empty() && component.links.is_empty() {
                continue;
            }
            let _ = write!(out, "<{}>", words::name(&component.name));
            if !component.description.is_empty() {
                let _ = write!(out, " {}", cut(&words::quoted(&component.description), 600));
            }
            for link in &component.links {
                let _ = write!(out, " docs {}", words::name(link));
            }
            out.push('\n');
        }
    }

    fn line(&mut self, line: &Line) {
        self.line_begins(line);
        match &line.role {
            Role::Folded { counts } => {
                let _ = write!(self.out, "+{} folded", counts.nodes);
                if counts.texts > 0 {
                    let _ = write!(self.out, " ({} texts)", counts.texts);
                }
                let _ = write!(self.out, " in {}", self.id(line.node));
                self.terms.insert(Term::Folded);
            }
            Role::Full { label } => {
                self.title(line);
                if *label > 0 {
                    let _ = write!(self.out, " T{label}");
                }
                self.rest(line);
            }
            Role::Same { label, first, texts } => {
                self.terms.insert(Term::Same);
                let _ = write!(self.out, "=T{label}");
                self.changed_name(line.node, *first);
                self.line_id(line);
                self.slots(texts);
                self.rest(line);
            }
            Role::Difference { from, first } => {
                self.terms.insert(Term::Difference);
                self.out.push_str("~#");
                self.id_in(*first, *from);
                self.changed_name(line.node, *from);
                if let Some((anchor, first)) = line.anchor {
                    self.terms.insert(Term::Moved);
                    self.out.push(' ');
                    self.anchor(anchor, first);
                }
                self.rest(line);
            }
            Role::Missing { from, first } => {
                self.terms.insert(Term::Missing);
                self.out.push_str("-#");
                self.id_in(*first, *from);
            }
        }
        self.out.push('\n');
        if !matches!(line.role, Role::Full { .. } | Role::Same { .. }) {
            self.above = None;
        }
    }

    /// The indentation, and of what is added to a repeated subtree where it stands.
    fn line_begins(&mut self, line: &Line) {
        if line.is_joined {
            self.out.pop();
            let is_inside = matches!(line.role, Role::Full { .. });
            self.out.push_str(if is_inside { " > " } else { " " });
        } else {
            self.out.extend(std::iter::repeat_n(' ', line.depth));
        }
        self.line_start = self.out.len();
        if let Some((anchor, first)) = line.anchor
            && !matches!(line.role, Role::Difference { .. })
        {
            self.terms.insert(Term::Added);
            self.out.push('+');
            self.anchor(anchor, first);
            self.out.push(' ');
        }
    }

    /// Where a layer stands that the repeated subtree has not there.
    fn anchor(&mut self, anchor: Anchor, first: u32) {
        match anchor {
            Anchor::Before(node) => {
                self.out.push_str("before #");
                self.id_in(first, node);
            }
            Anchor::LastIn(node) if node == first => self.out.push_str("last"),
            Anchor::LastIn(node) => {
                self.out.push_str("last in #");
                self.id_in(first, node);
            }
        }
    }

    /// The id of a node in a repeated subtree: what it ends with, or as its line says it, where that can
    /// be no other one in it.
    fn id_in(&mut self, first: u32, node: u32) {
        let short = if self.with_whole_id.contains(&node) { "" } else { self.short_id(node) };
        let whole = self.id(node);
        let mut forms = [ids::ending(whole).unwrap_or_default(), short].into_iter();
        let id = forms.find(|form| !form.is_empty() && self.count_called(first, form) == 1);
        self.out.push_str(id.unwrap_or(whole));
    }

    fn changed_name(&mut self, node: u32, before: u32) {
        if self.design.node(node).name != self.design.node(before).name {
            self.name(node);
        }
    }

    fn slots(&mut self, slots: &[Slot]) {
        for slot in slots {
            self.out.push(' ');
            match slot.text {
                Some(text) => self.text(text),
                None => self.out.push('='),
            }
            if let Some(place) = &slot.place {
                let mut words = String::new();
                if let Some(before) = self.facts.place_in_tree(slot.from) {
                    place.write_changes(&before, &mut words);
                }
                self.note_place(&words);
                let _ = write!(self.out, "({})", words.trim_start());
            }
        }
    }

    /// Everything behind the title.
    fn rest(&mut self, line: &Line) {
        let node = self.design.node(line.node);
        let facts = &line.facts;
        let before = match line.role {
            Role::Same { first, .. } => Some(first),
            Role::Difference { from, .. } => Some(from),
            _ => None,
        };
        for fact in facts.iter().filter(|fact| fact.key < Key::Layout) {
            match fact.key {
                Key::Type => {}
                Key::Component if before.is_none() => {}
                _ => self.fact(fact),
            }
        }
        if let Some(place) = &line.place {
            let mut words = String::new();
            match before.and_then(|before| self.facts.place_in_tree(before)) {
                Some(before) => place.write_changes(&before, &mut words),
                None => place.write_in_tree(&mut words),
            }
            self.note_place(&words);
            self.out.push_str(&words);
        }
        if node.geometry.mode != Mode::None && self.includes(Group::Layout) {
            self.terms.insert(Term::Layout);
            if node.kind != Kind::Frame && before.is_none() {
                self.out.push_str(match node.geometry.mode {
                    Mode::None => "",
                    Mode::Row => " row",
                    Mode::Column => " column",
                    Mode::Grid => " grid",
                });
            }
        }
        if facts.iter().any(|fact| fact.key == Key::Stroke) && !self.is_stroke_told(facts) {
            self.terms.insert(Term::stroke(node.kind));
        }
        self.facts_with_look(facts);
        for key in &line.absent {
            let _ = write!(self.out, " {}", key.absent());
        }
        if node.hidden != before.map_or(0, |before| self.design.node(before).hidden) {
            let _ = write!(self.out, " ({} hidden)", node.hidden);
            self.terms.insert(Term::Hidden);
        }
        if self.includes(Group::Comments)
            && let Some(comments) = self.options.comments.get(self.id(line.node))
        {
            for comment in comments {
                let _ = write!(self.out, " comment {comment}");
            }
        }
    }

    /// Whether a line says how wide a stroke is and where it lies.
    fn is_stroke_told(&self, facts: &[Fact]) -> bool {
        let words = facts.iter().find(|fact| fact.key == Key::StrokeWords);
        let words = words.map_or("", |fact| self.design.symbols.get(fact.words));
        words.contains("px") && ["inside", "center", "outside"].iter().any(|side| words.contains(side))
    }

    /// Between two words of a line.
    pub(super) fn space(&mut self) {
        if self.out.len() > self.line_start {
            self.out.push(' ');
        }
    }

    fn note_place(&mut self, words: &str) {
        for (has, term) in [
            (words.contains('@'), Term::Position),
            (words.contains(" stretch"), Term::Stretch),
            (words.contains(['×', 'w', 'h']) || words.contains(" size"), Term::Size),
        ] {
            if has {
                self.terms.insert(term);
            }
        }
    }

    fn facts_with_look(&mut self, facts: &[Fact]) {
        let look = names::look(facts);
        let named = facts.get(look.clone()).and_then(|facts| self.names.look(facts));
        for (at, fact) in facts.iter().enumerate().filter(|(_, fact)| fact.key >= Key::Layout) {
            match named {
                Some(name) if at == look.start => {
                    let _ = write!(self.out, " ${name}");
                }
                Some(_) if look.contains(&at) => {}
                _ => self.fact(fact),
            }
        }
    }

    fn fact(&mut self, fact: &Fact) {
        match fact.key {
            Key::Text => {
                self.space();
                return self.text(fact.words);
            }
            Key::Runs => {
                self.terms.insert(Term::Run);
            }
            Key::Reference => {
                self.terms.insert(Term::Reference);
            }
            Key::Component => {
                self.out.push(' ');
                return self.component_tag(fact.words);
            }
            _ => {}
        }
        self.out.push(' ');
        self.out.push_str(fact.key.prefix());
        match self.names.value(fact) {
            Some(name) if fact.style != DRAWINGS => {
                let _ = write!(self.out, "${name}");
            }
            _ => self.value(fact),
        }
    }

    /// A fact's words, behind the name of the style that they come from.
    fn value(&mut self, fact: &Fact) {
        if fact.style != 0 && fact.style != DRAWINGS {
            let id = self.design.symbols.get(fact.style);
            if let Some(style) = self.design.styles.get(id) {
                self.out.push_str(&words::name(style));
                self.out.push(' ');
            }
        }
        let words = self.design.symbols.get(fact.words);
        if words.contains('(') && words.contains("blur(") {
            self.terms.insert(Term::Blur);
        }
        self.resolved(words);
    }

    /// Words with the names of what their marks stand for.
    fn resolved(&mut self, words: &'a str) {
        let mut rest = words;
        if let Some((family, font)) = words.split_once(FAMILY) {
            rest = match self.usual_font.filter(|usual| usual.family == family) {
                Some(usual) => without_weight(font.trim_start(), usual.weight),
                None => font,
            };
            if rest == font {
                self.resolved(family);
            }
        }
        // By bytes, which is faster: the marks are ASCII.
        let is_mark = |byte: u8| [VARIABLE, COMPONENT, NODE].contains(&char::from(byte));
        while let Some(at) = rest.bytes().position(is_mark) {
            let (before, marked) = rest.split_at_checked(at).unwrap_or((rest, ""));
            self.out.push_str(before);
            let mark = marked.chars().next();
            let (id, after) =
                marked.get(1..).and_then(|marked| marked.split_once(END)).unwrap_or((marked, ""));
            match mark {
                Some(VARIABLE) => self.variable(id),
                Some(NODE) => self.mention(id),
                _ => self.component(id),
            }
            rest = after;
        }
        self.out.push_str(rest);
    }

    /// Another node by its kind, its text or name, and its id.
    fn mention(&mut self, id: &str) {
        const LONGEST: usize = 40;
        let design = self.design;
        let numbers = self.by_id.get_or_insert_with(|| {
            (0..).zip(&design.nodes).map(|(number, _)| (design.id(number), number)).collect()
        });
        if let Some(number) = numbers.get(id) {
            let node = design.node(*number);
            let text = self.design.facts(node).iter().find(|fact| fact.key == Key::Text);
            let name = match text {
                Some(text) => design.symbols.get(text.words).to_owned(),
                None => format!("\"{}\"", design.symbols.get(node.name)),
            };
            let _ = write!(self.out, "{} {} ", node.kind.word(), cut(&name, LONGEST));
        }
        let _ = write!(self.out, "#{id}");
    }

    fn variable(&mut self, id: &str) {
        if !self.includes(Group::Variables) {
            return;
        }
        self.terms.insert(Term::Variable);
        self.out.push('@');
        match self.options.variables.0.get(id) {
            Some((name, origin)) => {
                if *origin == Origin::Inferred {
                    self.terms.insert(Term::Inferred);
                    self.out.push('~');
                }
                self.out.push_str(&words::name(name).replace(' ', "_"));
            }
            None => self.out.push_str(&variables::short(id)),
        }
    }

    /// A text in quotation marks.
    fn text(&mut self, text: Symbol) {
        let text = self.design.symbols.get(text);
        self.out.push_str(&cut(text, self.longest_text));
    }
}

/// The words of a font without its weight, where that is the usual one.
fn without_weight<'a>(font: &'a str, usual: Option<&str>) -> &'a str {
    let after = usual.and_then(|usual| font.strip_prefix(usual));
    // A weight that a variable sets is said.
    after.and_then(|after| after.strip_prefix(' ')).unwrap_or(font)
}

/// The nodes that lines other than their own name by their id.
fn meant(design: &Design, lines: &[Line]) -> HashSet<u32> {
    let mut out = HashSet::new();
    let mut ids: HashSet<&str> = HashSet::new();
    for line in lines {
        if let Role::Difference { from, .. } | Role::Missing { from, .. } = line.role {
            out.insert(from);
        }
        if let Some((Anchor::Before(node) | Anchor::LastIn(node), _)) = line.anchor {
            out.insert(node);
        }
        for fact in &line.facts {
            let mentions = design.symbols.get(fact.words).split(NODE).skip(1);
            ids.extend(mentions.filter_map(|rest| rest.split(END).next()));
        }
    }
    if !ids.is_empty() {
        out.extend(lines.iter().map(|line| line.node).filter(|node| ids.contains(design.id(*node))));
    }
    out
}

/// A quoted text, cut where it is longer than this many characters.
fn cut(quoted: &str, longest: usize) -> std::borrow::Cow<'_, str> {
    let count = quoted.chars().count();
    if count <= longest.saturating_add(2) {
        return quoted.into();
    }
    let kept: String = quoted.chars().take(longest + 1).collect();
    // Never in the middle of an escape.
    let kept = kept.trim_end_matches('\\');
    format!("{kept}…\" ({} more characters)", count - longest - 2).into()
}
