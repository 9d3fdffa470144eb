//! The text tree: the only place that knows its form.

use std::{
    collections::{BTreeSet, HashSet},
    fmt::Write,
};

use super::{
    Options,
    collapse::DRAWINGS,
    ids,
    legend::Term,
    lines::{Line, Role, Slot},
    model::{COMPONENT, Component, Design, END, Fact, Group, Key, Kind, Mode, Symbol, VARIABLE},
    names::{self, Definition, Names},
    variables::{self, Origin},
    view::{View, is_generated},
    words,
};

/// Writes the lines of a view.
#[derive(Debug)]
pub(super) struct Printer<'a> {
    design: &'a Design,
    view: &'a View<'a>,
    options: &'a Options,
    names: Names,
    /// Texts longer than this are cut.
    longest_text: usize,
    terms: BTreeSet<Term>,
    /// Components whose id stands already.
    named: HashSet<&'a str>,
    /// Components and sets that are mentioned, in order, for their descriptions.
    mentioned: Vec<&'a str>,
    out: String,
}

impl<'a> Printer<'a> {
    /// With nothing written and no names for what repeats.
    pub(super) fn new(view: &'a View<'a>, options: &'a Options, longest_text: usize) -> Self {
        Self {
            design: view.design,
            view,
            options,
            names: Names::default(),
            longest_text,
            terms: BTreeSet::new(),
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
        let mut printer =
            Self { names: Names::of(view.design, lines), ..Self::new(view, options, longest_text) };
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

    fn includes(&self, group: Group) -> bool {
        self.options.include.contains(&group)
    }

    fn head(&self) -> String {
        let mut out = String::new();
        if !self.design.name.is_empty() {
            let _ = writeln!(out, "# {}", words::quoted(&self.design.name));
        }
        let legend: Vec<&str> = self.terms.iter().map(|term| term.explained()).collect();
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
            self.terms.insert(Term::Name);
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
        for _ in 0..line.depth {
            self.out.push(' ');
        }
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
                self.title(line, "");
                if *label > 0 {
                    let _ = write!(self.out, " T{label}");
                }
                self.rest(line);
            }
            Role::Same { label, texts } => {
                self.title(line, "");
                let _ = write!(self.out, " =T{label}");
                self.terms.insert(Term::Same);
                self.slots(texts);
                self.rest(line);
            }
            Role::Difference { from, first } => {
                self.terms.insert(Term::Difference);
                let short = self.short_id(*from);
                let is_alone = self.count_short(*first, short) == 1;
                let from_id = if is_alone { short } else { self.id(*from) };
                let node = self.design.node(line.node);
                let _ = write!(self.out, "~#{from_id}");
                if node.name != self.design.node(*from).name {
                    self.name(line.node);
                }
                self.rest(line);
            }
        }
        self.out.push('\n');
    }

    fn slots(&mut self, texts: &[Slot]) {
        if texts.iter().all(|slot| slot.text.is_none() && slot.place.is_none()) {
            return;
        }
        for slot in texts {
            self.out.push(' ');
            match slot.text {
                Some(text) => self.text(text),
                None => self.out.push('='),
            }
            if let Some(place) = &slot.place {
                let mut words = String::new();
                place.write(&mut words);
                let _ = write!(self.out, "({})", words.trim_start());
            }
        }
    }

    /// What a node is, what it is called, which id it has.
    fn title(&mut self, line: &Line, mark: &str) {
        let node = self.design.node(line.node);
        self.out.push_str(mark);
        let kind_word = line.facts.iter().find(|fact| fact.key == Key::Type);
        let is_laid_out = self.includes(Group::Layout);
        match (node.kind, node.geometry.mode) {
            _ if node.is_drawing && node.kind != Kind::Instance && node.kind != Kind::Component => {
                self.terms.insert(Term::Drawing);
                self.out.push_str("svg");
            }
            (Kind::Instance, _) => self.instance(line.node),
            (Kind::Frame, Mode::Row) if is_laid_out => self.out.push_str("row"),
            (Kind::Frame, Mode::Column) if is_laid_out => self.out.push_str("column"),
            (Kind::Frame, Mode::Grid) if is_laid_out => self.out.push_str("grid"),
            (Kind::Other, _) => {
                let word = kind_word.map_or(0, |fact| fact.words);
                self.out.push_str(match self.design.symbols.get(word) {
                    "" => "node",
                    word => word,
                });
            }
            (kind, _) => {
                if kind.is_drawing() {
                    self.terms.insert(Term::Drawing);
                }
                self.out.push_str(kind.word());
            }
        }
        self.name(line.node);
        self.out.push_str(" #");
        let id = match line.parent {
            Some(_) => self.short_id(line.node),
            None => self.id(line.node),
        };
        self.out.push_str(id);
    }

    /// The layer's name, where it says more than the type or the component.
    fn name(&mut self, number: u32) {
        let node = self.design.node(number);
        let name = self.design.symbols.get(node.name);
        let says_the_same = |fact: &Fact| {
            fact.key == Key::Text && self.design.symbols.get(fact.words).trim_matches('"') == name
        };
        let is_left_out = node.kind == Kind::Text
            || node.facts.iter().any(says_the_same)
            || node.kind == Kind::Document
            || is_generated(name, node.kind)
            || (node.kind == Kind::Instance && self.component_name(node_component(node)) == Some(name));
        if is_left_out {
            return;
        }
        if node.kind == Kind::Component
            && let Some(parent) =
                self.view.parent(number).filter(|parent| self.design.node(*parent).kind == Kind::ComponentSet)
        {
            let own = self.changed_axes(number, parent, name);
            let _ = write!(self.out, " \"{own}\"");
            return;
        }
        let _ = write!(self.out, " \"{}\"", shortened(name));
    }

    /// A variant's name is its place on each axis: after the first, only what differs from it.
    fn changed_axes(&self, number: u32, set: u32, name: &str) -> String {
        let Some(first) = self.view.children(set).next().filter(|first| *first != number) else {
            return name.to_owned();
        };
        let first = self.design.symbols.get(self.design.node(first).name);
        let known: Vec<&str> = first.split(", ").collect();
        let own: Vec<&str> = name.split(", ").filter(|axis| !known.contains(axis)).collect();
        if own.is_empty() { name.to_owned() } else { own.join(", ") }
    }

    pub(super) fn id(&self, number: u32) -> &'a str {
        self.design.id(number)
    }

    fn short_id(&mut self, number: u32) -> &'a str {
        let id = self.id(number);
        let Some(parent) = self.view.parent(number) else { return id };
        let short = ids::short(id, Some(self.id(parent)));
        if short.len() < id.len() {
            let is_inner = self.design.node(parent).kind == Kind::Instance && short.contains(':');
            self.terms.insert(if is_inner { Term::InnerId } else { Term::Id });
        }
        short
    }

    /// How many nodes of a subtree have this short id.
    fn count_short(&self, root: u32, short: &str) -> usize {
        let own = |child: u32| usize::from(ids::short(self.id(child), Some(self.id(root))) == short);
        self.view.children(root).map(|child| own(child) + self.count_short(child, short)).sum()
    }

    fn component_name(&self, component: Symbol) -> Option<&'a str> {
        let id = self.design.symbols.get(component);
        let component = self.design.components.get(id)?;
        Some(self.set_of(component).map_or(&component.name, |set| &set.name))
    }

    fn set_of(&self, component: &Component) -> Option<&'a Component> {
        self.design.sets.get(component.set.as_ref()?)
    }

    fn instance(&mut self, number: u32) {
        match node_component(self.design.node(number)) {
            0 => self.out.push_str("instance"),
            _ if !self.includes(Group::Components) => self.out.push_str("instance"),
            component => self.component_tag(component),
        }
    }

    fn component_tag(&mut self, component: Symbol) {
        self.terms.insert(Term::Instance);
        self.out.push('<');
        self.component(self.design.symbols.get(component));
        self.out.push('>');
    }

    /// A component by its set's or its own name, with the ids where it is met first.
    fn component(&mut self, id: &'a str) {
        let component = self.design.components.get(id);
        let is_first = self.named.insert(id);
        let Some(component) = component else {
            self.out.push_str(id);
            return;
        };
        let set = component.set.as_deref();
        let name = self.set_of(component).map_or(&component.name, |set| &set.name);
        self.out.push_str(&words::name(name));
        if is_first {
            let _ = write!(self.out, " {id}");
            self.mentioned.push(id);
            if let Some(set) = set
                && self.named.insert(set)
            {
                let _ = write!(self.out, " of {set}");
                self.mentioned.push(set);
            }
        }
    }

    /// Everything behind the title.
    fn rest(&mut self, line: &Line) {
        let node = self.design.node(line.node);
        let has_mode =
            node.kind != Kind::Frame && !matches!(line.role, Role::Difference { .. } | Role::Same { .. });
        let facts = &line.facts;
        let before = |key: Key| key < Key::Layout;
        let is_difference = matches!(line.role, Role::Difference { .. });
        for fact in facts.iter().filter(|fact| before(fact.key)) {
            match fact.key {
                Key::Type => {}
                Key::Component if !is_difference => {}
                _ => self.fact(fact),
            }
        }
        if let Some(place) = &line.place {
            let start = self.out.len();
            place.write(&mut self.out);
            self.note_place(start);
        }
        if has_mode && self.includes(Group::Layout) {
            match node.geometry.mode {
                Mode::None => {}
                Mode::Row => self.out.push_str(" row"),
                Mode::Column => self.out.push_str(" column"),
                Mode::Grid => self.out.push_str(" grid"),
            }
        }
        if node.geometry.mode != Mode::None && self.includes(Group::Layout) {
            self.terms.insert(Term::Layout);
        }
        self.facts_with_look(facts);
        for key in &line.absent {
            let _ = write!(self.out, " {}", key.absent());
        }
        if node.hidden > 0 && matches!(line.role, Role::Full { .. }) {
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

    fn note_place(&mut self, start: usize) {
        let written = self.out.get(start..).unwrap_or_default();
        let (has_position, has_inset, has_size) = (
            written.contains('@'),
            written.contains("inset0"),
            written.contains('×') || written.contains(" w-"),
        );
        for (has, term) in [(has_position, Term::Position), (has_inset, Term::Inset), (has_size, Term::Size)]
        {
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
                self.out.push(' ');
                return self.text(fact.words);
            }
            Key::Stroke | Key::StrokeWords => {
                self.terms.insert(Term::Stroke);
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
        if words.contains("blur(") {
            self.terms.insert(Term::Blur);
        }
        if words.contains("image(") || words.contains("gif(") {
            self.terms.insert(Term::Image);
        }
        self.resolved(words);
    }

    /// Words with the names of what their marks stand for.
    fn resolved(&mut self, words: &'a str) {
        let mut rest = words;
        while let Some(at) = rest.find([VARIABLE, COMPONENT]) {
            let (before, marked) = rest.split_at_checked(at).unwrap_or((rest, ""));
            self.out.push_str(before);
            let is_variable = marked.starts_with(VARIABLE);
            let (id, after) =
                marked.get(1..).and_then(|marked| marked.split_once(END)).unwrap_or((marked, ""));
            if is_variable {
                self.variable(id);
            } else {
                self.component(id);
            }
            rest = after;
        }
        self.out.push_str(rest);
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

/// Names that a machine made can be longer than what they name.
fn shortened(name: &str) -> std::borrow::Cow<'_, str> {
    const LONGEST: usize = 60;
    match name.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{}…", name.get(..at).unwrap_or_default().trim_end_matches('\\')).into(),
        None => name.into(),
    }
}

/// The component that an instance is of; 0 for none.
fn node_component(node: &super::model::Node) -> Symbol {
    node.facts.iter().find(|fact| fact.key == Key::Component).map_or(0, |fact| fact.words)
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
