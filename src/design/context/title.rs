//! What stands at the beginning of a line: what a node is, what it is called, which id it has.

use std::fmt::Write;

use super::{
    ids,
    legend::Term,
    lines::{Line, Role},
    model::{Component, Design, Fact, Group, Key, Kind, Mode, Node, Symbol},
    print::Printer,
    view::is_generated,
    words,
};

impl<'a> Printer<'a> {
    /// What a node is, what it is called, which id it has.
    pub(super) fn title(&mut self, line: &Line) {
        let node = self.design.node(line.node);
        let kind_word = line.facts.iter().find(|fact| fact.key == Key::Type);
        let is_laid_out = self.includes(Group::Layout);
        match (node.kind, node.geometry.mode) {
            _ if node.is_drawing && node.kind != Kind::Instance && node.kind != Kind::Component => {
                self.terms.insert(Term::Drawing);
                self.out.push_str("svg");
            }
            (Kind::Text, _) if is_bare(line) => {}
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
        self.line_id(line);
    }

    /// The id, unless it is what the line above leads to expect.
    pub(super) fn line_id(&mut self, line: &Line) {
        /// So few that nobody has to count.
        const MOST_WITHOUT: u32 = 2;
        let above = self.above.replace((line.node, 0)).filter(|(_, without)| *without < MOST_WITHOUT);
        if let Some((_, without)) = above.filter(|(above, _)| self.is_id_left_out(line, *above)) {
            self.terms.insert(Term::NextId);
            self.above = Some((line.node, without + 1));
            return;
        }
        self.space();
        self.out.push('#');
        let id = if line.parent.is_some() {
            self.short_id(line.node)
        } else {
            self.with_whole_id.insert(line.node);
            self.id(line.node)
        };
        self.out.push_str(id);
    }

    /// Whether a line needs no id, since it is one more than that of the line above: only for what nobody
    /// looks for by its id.
    fn is_id_left_out(&self, line: &Line, above: u32) -> bool {
        let node = self.design.node(line.node);
        let is_landmark = match line.parent.map(|parent| self.design.node(parent).kind) {
            None | Some(Kind::Document | Kind::Page | Kind::Section | Kind::ComponentSet) => true,
            // The ids of what is in an instance begin with its own.
            Some(_) => {
                matches!(node.kind, Kind::Component | Kind::ComponentSet | Kind::Section | Kind::Instance)
            }
        };
        // Behind a name, a text of another kind of node could be taken for the name.
        let can_be_told_apart =
            node.kind == Kind::Text || !self.design.facts(node).iter().any(|fact| fact.key == Key::Text);
        // Nor could the colours of a drawing be taken for an id.
        let has_colours = self.design.facts(node).iter().any(|fact| fact.key == Key::Inside);
        matches!(line.role, Role::Full { .. })
            && !has_colours
            && line.anchor.is_none()
            && !is_landmark
            && can_be_told_apart
            && !self.meant.contains(&line.node)
            && ids::follows(self.id(line.node), self.id(above))
    }

    /// The layer's name, where it says more than the type or the component.
    pub(super) fn name(&mut self, number: u32) {
        let node = self.design.node(number);
        let name = self.design.symbols.get(node.name);
        let says_the_same = |fact: &Fact| {
            fact.key == Key::Text && self.design.symbols.get(fact.words).trim_matches('"') == name
        };
        let is_left_out = node.kind == Kind::Text
            || self.design.facts(node).iter().any(says_the_same)
            || node.kind == Kind::Document
            || is_generated(name, node.kind)
            || is_key(name)
            || (node.is_drawing && name.eq_ignore_ascii_case("svg"))
            || (node.kind == Kind::Instance
                && self.component_name(node_component(self.design, node)) == Some(name));
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
    pub(super) fn changed_axes(&self, number: u32, set: u32, name: &str) -> String {
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

    pub(super) fn short_id(&mut self, number: u32) -> &'a str {
        let id = self.id(number);
        let Some(parent) = self.view.parent(number) else { return id };
        let short = ids::short(id, Some(self.id(parent)));
        if short.len() < id.len() {
            let is_inner = self.design.node(parent).kind == Kind::Instance && short.contains(':');
            self.terms.insert(if is_inner { Term::InnerId } else { Term::Id });
        }
        short
    }

    /// How many nodes of a subtree somebody could mean who calls one so: by the short id or its end.
    pub(super) fn count_called(&self, root: u32, called: &str) -> usize {
        let own = |child: u32| {
            let id = self.id(child);
            usize::from(ids::short(id, Some(self.id(root))) == called || ids::ending(id) == Some(called))
        };
        self.view.children(root).map(|child| own(child) + self.count_called(child, called)).sum()
    }

    pub(super) fn component_name(&self, component: Symbol) -> Option<&'a str> {
        let id = self.design.symbols.get(component);
        let component = self.design.components.get(id)?;
        Some(self.set_of(component).map_or(&component.name, |set| &set.name))
    }

    pub(super) fn set_of(&self, component: &Component) -> Option<&'a Component> {
        self.design.sets.get(component.set.as_ref()?)
    }

    pub(super) fn instance(&mut self, number: u32) {
        match node_component(self.design, self.design.node(number)) {
            0 => self.out.push_str("instance"),
            _ if !self.includes(Group::Components) => self.out.push_str("instance"),
            component => self.component_tag(component),
        }
    }

    pub(super) fn component_tag(&mut self, component: Symbol) {
        self.terms.insert(Term::Instance);
        self.out.push('<');
        self.component(self.design.symbols.get(component));
        self.out.push('>');
    }

    /// A component by its set's or its own name, with the ids where it is met first.
    pub(super) fn component(&mut self, id: &'a str) {
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
}

/// Whether a line is that of a text whose letters say what it is.
fn is_bare(line: &Line) -> bool {
    let first = line.facts.iter().find(|fact| fact.key != Key::Type);
    line.depth > 0 && line.anchor.is_none() && first.is_some_and(|fact| fact.key == Key::Text)
}

/// Whether a name is a key that some machine made: it tells nobody anything.
fn is_key(name: &str) -> bool {
    name.len() > 24
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
        && name.bytes().filter(u8::is_ascii_digit).count() > 2
        && name.bytes().any(|byte| byte.is_ascii_uppercase())
}

/// Names can be longer than what they name.
fn shortened(name: &str) -> std::borrow::Cow<'_, str> {
    const LONGEST: usize = 60;
    match name.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{}…", name.get(..at).unwrap_or_default().trim_end_matches('\\')).into(),
        None => name.into(),
    }
}

/// The component that an instance is of; 0 for none.
fn node_component(design: &Design, node: &Node) -> Symbol {
    design.facts(node).iter().find(|fact| fact.key == Key::Component).map_or(0, |fact| fact.words)
}
