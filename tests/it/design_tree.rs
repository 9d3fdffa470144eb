//! Reads a description back: a tree in which nothing is shared any more.

use std::collections::{HashMap, HashSet};

use figma_mcp::design::context::ids;

/// One line and what is below it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Node {
    depth: usize,
    /// Kind, name, id.
    pub(crate) title: String,
    /// As it is written; of a line without one, as it is understood.
    pub(crate) id: String,
    /// The id that this stands for.
    pub(crate) whole_id: String,
    is_instance: bool,
    pub(crate) text: Option<String>,
    /// Everything behind the id, names of what repeats written out.
    pub(crate) rest: String,
    label: Option<String>,
    same: Option<String>,
    slots: Vec<Slot>,
    /// Its place in the raw answer is that of another one: it stands in a repetition.
    pub(crate) is_repeated: bool,
    /// In what is repeated it is a repetition itself: no id names it.
    is_copy: bool,
    pub(crate) children: Vec<Node>,
    /// What makes it differ from what it repeats, in order.
    edits: Vec<Edit>,
    /// A layer that the repeated subtree has not, and where it stands there.
    added: Option<Anchor>,
    pub(crate) folded: u64,
}

/// A text of a repeated subtree, as far as it is another one, and where it is.
#[derive(Debug, Clone, Default)]
struct Slot {
    text: Option<String>,
    place: Option<String>,
}

/// A line below one that repeats a subtree; ids are those of the repeated one.
#[derive(Debug, Clone)]
enum Edit {
    Differs { id: String, rest: String, moved: Option<Anchor> },
    Missing(String),
    Added(Anchor, Box<Node>),
}

#[derive(Debug, Clone)]
enum Anchor {
    Before(String),
    /// Nothing for the repeated node itself.
    LastIn(Option<String>),
}

impl Anchor {
    /// `before #7 …`, `last …`, `last in #7 …`, and what stands behind it.
    fn read(text: &str) -> Option<(Self, &str)> {
        let id = |rest: &str| {
            let end = rest.find(' ').unwrap_or(rest.len());
            (rest[..end].to_owned(), end)
        };
        let (anchor, rest) = if let Some(rest) = text.strip_prefix("before #") {
            let (id, end) = id(rest);
            (Self::Before(id), &rest[end..])
        } else if let Some(rest) = text.strip_prefix("last in #") {
            let (id, end) = id(rest);
            (Self::LastIn(Some(id)), &rest[end..])
        } else {
            (
                Self::LastIn(None),
                text.strip_prefix("last").filter(|rest| rest.is_empty() || rest.starts_with(' '))?,
            )
        };
        Some((anchor, rest.strip_prefix(' ').unwrap_or(rest)))
    }
}

pub(crate) struct Tree {
    pub(crate) roots: Vec<Node>,
    labelled: HashMap<String, Node>,
}

impl Tree {
    pub(crate) fn read(text: &str) -> Self {
        let mut names: HashMap<String, String> = HashMap::new();
        let mut open: Vec<Node> = Vec::new();
        let mut roots: Vec<Node> = Vec::new();
        // The id that the line above says.
        let mut above: Option<(String, u32)> = None;
        let mut instances: HashSet<String> = HashSet::new();
        for line in text.lines() {
            if let Some(definition) = line.strip_prefix('$') {
                let (name, words) = definition.split_once(' ').unwrap();
                names.insert(name.to_owned(), written_out(words, &names));
                continue;
            }
            if line.is_empty()
                || line.starts_with(['#', '('])
                || (line.starts_with('<') && !line.contains(" #"))
            {
                continue;
            }
            close(&mut open, &mut roots, line.len() - line.trim_start_matches(' ').len());
            for piece in pieces(&written_out(line, &names)) {
                let mut node = Node::read(&piece);
                node.is_instance = node.title.starts_with('<')
                    || node.title.starts_with("instance")
                    || node.same.as_ref().is_some_and(|label| instances.contains(label));
                instances.extend(node.label.clone().filter(|_| node.is_instance));
                above = node.complete(open.last(), above);
                let parent = open.last_mut();
                match (parent, &node) {
                    (Some(parent), node) if node.folded > 0 => parent.folded += node.folded,
                    (Some(parent), node) if matches!(node.title.as_str(), "~" | "-") => {
                        parent.edits.push(node.edit());
                    }
                    _ => open.push(node),
                }
            }
        }
        close(&mut open, &mut roots, 0);
        let mut labelled = HashMap::new();
        for root in &roots {
            root.labels(&mut labelled);
        }
        Self { roots, labelled }
    }

    /// A node with every repetition in it written out.
    pub(crate) fn expand(&self, node: &Node) -> Node {
        let mut node = node.clone();
        if let Some(label) = &node.same {
            let mut first = self.expand(&self.labelled[label]);
            first.settle();
            node.children = first.children;
            node.title = format!("{} {} {}", tag(&node.rest).unwrap_or_default(), node.title, first.title);
            node.rest = overlaid(&first.rest, &node.rest);
            let mut slots = node.slots.clone().into_iter();
            node.children.iter_mut().for_each(|child| child.fill(&mut slots));
            assert!(slots.next().is_none(), "more texts than {label} has");
            node.children.iter_mut().for_each(Node::repeat);
            for edit in std::mem::take(&mut node.edits) {
                self.edit(&mut node, edit);
            }
            return node;
        }
        assert!(node.edits.is_empty(), "changes below {} {}, which repeats nothing", node.title, node.id);
        node.children = node.children.iter().map(|child| self.expand(child)).collect();
        node
    }

    fn edit(&self, node: &mut Node, edit: Edit) {
        if let Edit::Differs { id, .. } | Edit::Missing(id) = &edit {
            assert_eq!(node.count(id), 1, "layers called {id} in {}", node.title);
        }
        match edit {
            Edit::Differs { id, rest, moved } => {
                let title = node.title.clone();
                let found = node.find(&id).unwrap_or_else(|| panic!("no {id} in {title}"));
                if let Some(tag) = tag(&rest) {
                    found.title = format!("{tag} {}", found.title);
                }
                found.rest = overlaid(&found.rest, &rest);
                if let Some(anchor) = moved {
                    let layer = node.remove(&id).unwrap();
                    node.insert(&anchor, layer);
                }
            }
            Edit::Missing(id) => {
                assert!(node.remove(&id).is_some(), "no {id} in {}", node.title);
            }
            Edit::Added(anchor, layer) => {
                let mut layer = self.expand(&layer);
                layer.added = Some(anchor.clone());
                node.insert(&anchor, layer);
            }
        }
    }
}

fn close(open: &mut Vec<Node>, roots: &mut Vec<Node>, depth: usize) {
    while open.last().is_some_and(|node| node.depth >= depth) {
        let mut node = open.pop().unwrap();
        match (open.last_mut(), node.added.take()) {
            (Some(parent), Some(anchor)) => parent.edits.push(Edit::Added(anchor, Box::new(node))),
            (Some(parent), None) => parent.children.push(node),
            (None, _) => roots.push(node),
        }
    }
}

/// `<Name id>` at the beginning of what differs.
fn tag(rest: &str) -> Option<&str> {
    let start = rest.find('<')?;
    let end = rest[start..].find('>')?;
    Some(&rest[start..=start + end])
}

/// What a repetition says, before what it repeats: whoever looks for a key finds the newer one first.
fn overlaid(first: &str, own: &str) -> String {
    format!("{own} ⟂ {first}")
}

impl Node {
    fn read(line: &str) -> Self {
        let body = line.trim_start_matches(' ');
        let depth = line.len() - body.len();
        let (added, body) = match body.strip_prefix('+') {
            Some(after) if after.starts_with(|c: char| c.is_ascii_digit()) => {
                let folded = after.split(' ').next().unwrap().parse().unwrap();
                return Self { depth, folded, ..Self::default() };
            }
            Some(after) => {
                let (anchor, rest) = Anchor::read(after).unwrap_or_else(|| panic!("added where? {line}"));
                (Some(anchor), rest)
            }
            None => (None, body),
        };
        for mark in ["~", "-"] {
            if let Some(change) = body.strip_prefix(mark).and_then(|body| body.strip_prefix('#')) {
                let (id, rest) = change.split_once(' ').unwrap_or((change, ""));
                let (title, id, rest) = (mark.to_owned(), id.to_owned(), rest.to_owned());
                return Self { depth, title, id, rest, ..Self::default() };
            }
        }
        let (title, after) = body.split_at(title_end(body));
        let (id, rest) = match after.trim_start_matches(' ').strip_prefix('#') {
            Some(after) => after.split_once(' ').unwrap_or((after, "")),
            None => ("", after.trim_start()),
        };
        let mut node = Self {
            depth,
            title: title.to_owned(),
            id: id.to_owned(),
            rest: rest.to_owned(),
            text: quoted(rest),
            added,
            ..Self::default()
        };
        let label = title.strip_prefix("=T").map(|label| label.split(' ').next().unwrap());
        let first = rest.split(' ').next().unwrap_or_default();
        if let Some(label) = label {
            node.same = Some(label.to_owned());
            node.rest = node.read_slots(&format!(" {rest}")).to_owned();
            node.text = None;
        } else if let Some(label) = first.strip_prefix('T').filter(|label| label.parse::<u32>().is_ok()) {
            node.label = Some(label.to_owned());
            node.text = quoted(rest[first.len()..].trim_start());
        }
        node
    }

    /// Completes its id by that of its parent, or of the node before where it says none. Gives back its
    /// id, and how many nodes running have said none.
    fn complete(&mut self, parent: Option<&Node>, before: Option<(String, u32)>) -> Option<(String, u32)> {
        if self.folded > 0 || matches!(self.title.as_str(), "~" | "-") {
            return None;
        }
        let mut without = 0;
        if self.id.is_empty() {
            let (before, running) =
                before.unwrap_or_else(|| panic!("no id in {} {}, nor before it", self.title, self.rest));
            let (stem, number) = before.rsplit_once(':').unwrap();
            self.whole_id = format!("{stem}:{}", number.parse::<u64>().unwrap() + 1);
            without = running + 1;
            assert!(without <= 2, "who counts to {}?", self.whole_id);
        } else {
            let is_in_instance = parent.is_some_and(|parent| parent.is_instance);
            let parent = parent.map(|parent| parent.whole_id.as_str());
            self.whole_id = ids::long(&self.id, parent, is_in_instance);
        }
        Some((self.whole_id.clone(), without))
    }

    /// What a line with `~` or `-` says.
    fn edit(&self) -> Edit {
        if self.title == "-" {
            return Edit::Missing(self.id.clone());
        }
        // Behind a new name it says where the layer has moved.
        let behind_name = quoted(&self.rest).map_or(0, |name| name.len());
        let moved = Anchor::read(self.rest[behind_name..].trim_start()).map(|(anchor, _)| anchor);
        Edit::Differs { id: self.id.clone(), rest: self.rest.clone(), moved }
    }

    /// ` "text" = "text"(@1,2)`; gives back what stands behind them.
    fn read_slots<'a>(&mut self, mut rest: &'a str) -> &'a str {
        while let Some(after) = rest.strip_prefix(' ') {
            let mut slot = Slot::default();
            if let Some(text) = quoted(after) {
                rest = &after[text.len()..];
                slot.text = Some(text);
            } else if after.starts_with("= ") || after == "=" || after.starts_with("=(") {
                rest = &after[1..];
            } else {
                break;
            }
            if let Some(inside) = rest.strip_prefix('(') {
                let (place, after) = inside.split_once(')').unwrap();
                slot.place = Some(place.to_owned());
                rest = after;
            }
            self.slots.push(slot);
        }
        rest.trim_start()
    }

    fn repeat(&mut self) {
        self.is_repeated = true;
        self.children.iter_mut().for_each(Node::repeat);
    }

    fn labels(&self, into: &mut HashMap<String, Node>) {
        if let Some(label) = &self.label {
            into.insert(label.clone(), self.clone());
        }
        self.children.iter().for_each(|child| child.labels(into));
        for edit in &self.edits {
            if let Edit::Added(_, layer) = edit {
                layer.labels(into);
            }
        }
    }

    fn fill(&mut self, slots: &mut impl Iterator<Item = Slot>) {
        if self.text.is_some()
            && let Some(slot) = slots.next()
        {
            self.text = slot.text.or(self.text.take());
            if let Some(place) = slot.place {
                self.rest = overlaid(&self.rest, &place);
            }
        }
        self.children.iter_mut().for_each(|child| child.fill(slots));
    }

    /// What was added where it stands is part of what others repeat; what is a copy there has no id.
    fn settle(&mut self) {
        self.added = None;
        self.is_copy = self.is_repeated;
        self.children.iter_mut().for_each(Node::settle);
    }

    fn is_called(&self, id: &str) -> bool {
        // In full where the short form is not alone: what it ends with is enough here.
        self.added.is_none() && !self.is_copy && (self.id == id || self.whole_id == id || self.ends_with(id))
    }

    /// Three digits can be the end of a longer number.
    fn ends_with(&self, digits: &str) -> bool {
        let number = self.whole_id.rsplit(':').next().unwrap_or_default();
        digits.len() == 3 && number.len() > 3 && number.ends_with(digits)
    }

    /// How many layers a change of this id could mean.
    fn count(&self, id: &str) -> usize {
        let children = self.children.iter().filter(|child| child.added.is_none());
        children.map(|child| usize::from(child.is_called(id)) + child.count(id)).sum()
    }

    /// The layer of the repeated subtree with this id.
    fn find(&mut self, id: &str) -> Option<&mut Node> {
        let children = self.children.iter_mut().filter(|child| child.added.is_none());
        for child in children {
            if child.is_called(id) {
                return Some(child);
            }
            if let Some(found) = child.find(id) {
                return Some(found);
            }
        }
        None
    }

    fn remove(&mut self, id: &str) -> Option<Node> {
        if let Some(at) = self.children.iter().position(|child| child.is_called(id)) {
            return Some(self.children.remove(at));
        }
        let children = self.children.iter_mut().filter(|child| child.added.is_none());
        children.map(|child| child.remove(id)).find(Option::is_some).flatten()
    }

    fn insert(&mut self, anchor: &Anchor, layer: Node) {
        match anchor {
            Anchor::LastIn(None) => self.children.push(layer),
            Anchor::LastIn(Some(id)) => {
                self.find(id).unwrap_or_else(|| panic!("no {id} to add to")).children.push(layer);
            }
            Anchor::Before(id) => {
                assert!(self.insert_before(id, layer).is_none(), "no {id} to add before");
            }
        }
    }

    /// Gives the layer back where there is none of this id.
    fn insert_before(&mut self, id: &str, layer: Node) -> Option<Node> {
        if let Some(at) = self.children.iter().position(|child| child.is_called(id)) {
            self.children.insert(at, layer);
            return None;
        }
        let mut layer = Some(layer);
        for child in self.children.iter_mut().filter(|child| child.added.is_none()) {
            layer = child.insert_before(id, layer?);
        }
        layer
    }
}

/// Where kind and name of a line end: there stands its id, if it says one.
fn title_end(body: &str) -> usize {
    if body.starts_with(['#', '"']) {
        return 0;
    }
    let mut places = outside(body).chain([body.len()]);
    let kind = places.find(|at| *at > 0 && body[*at..].starts_with(' ')).unwrap_or(body.len());
    let name = body[kind..].strip_prefix(' ').filter(|_| &body[..kind] != "text").and_then(quoted);
    kind + name.map_or(0, |name| name.len() + 1)
}

/// A text in quotation marks at the beginning.
fn quoted(text: &str) -> Option<String> {
    let mut escaped = false;
    let inner = text.strip_prefix('"')?;
    for (at, c) in inner.char_indices() {
        match c {
            '\\' if !escaped => escaped = true,
            '"' if !escaped => return Some(text[..at + 2].to_owned()),
            _ => escaped = false,
        }
    }
    None
}

/// Where a line is outside quotation marks and angle brackets.
fn outside(line: &str) -> impl Iterator<Item = usize> {
    let (mut in_text, mut escaped, mut in_tag) = (false, false, false);
    line.char_indices().filter_map(move |(at, c)| {
        let is_outside = !in_text && !in_tag;
        match c {
            '\\' if in_text && !escaped => {
                escaped = true;
                return None;
            }
            '"' if !escaped => in_text = !in_text,
            '<' if !in_text => in_tag = true,
            '>' if !in_text => in_tag = false,
            _ => {}
        }
        escaped = false;
        is_outside.then_some(at)
    })
}

/// The nodes of a line, each behind the one that it is in, and what differs in a repetition; the
/// indentation before each.
fn pieces(line: &str) -> Vec<String> {
    let depth = line.len() - line.trim_start_matches(' ').len();
    let mut out = Vec::new();
    let mut from = depth;
    for at in outside(line).filter(|at| *at >= depth) {
        let rest = &line[at..];
        let width = if rest.starts_with(" > ") {
            3
        } else if rest.starts_with(" ~#") || rest.starts_with(" -#") {
            1
        } else {
            continue;
        };
        out.push(&line[from..at]);
        from = at + width;
    }
    out.push(&line[from..]);
    out.into_iter().map(|piece| format!("{}{piece}", &line[..depth])).collect()
}

/// With `$n` replaced by what it stands for.
fn written_out(line: &str, names: &HashMap<String, String>) -> String {
    let mut out = String::new();
    let mut from = 0;
    for at in outside(line).collect::<Vec<_>>() {
        if at < from || !line[at..].starts_with('$') {
            continue;
        }
        let name: String = line[at + 1..].chars().take_while(char::is_ascii_digit).collect();
        if let Some(words) = names.get(&name) {
            out += &line[from..at];
            out += words;
            from = at + 1 + name.len();
        }
    }
    out + &line[from..]
}
