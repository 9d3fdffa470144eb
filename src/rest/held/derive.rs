//! What Figma would have answered, made from a held file.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    io,
    ops::ControlFlow,
};

use serde::Deserialize;
use serde_json::{Value, value::RawValue};

use super::{
    Held,
    index::{NODES_A_PIECE, Node, bucket_of, node_in, numbers_in},
    text::{Composed, Composer, Text, gone},
};
use crate::{
    store::{Kind, unpack},
    walk::{Flow, Member, Visitor, Walker},
};

/// The members that a `/nodes` answer does not have at its top.
const NOT_BESIDE_NODES: [&str; 7] =
    ["components", "componentSets", "styles", "schemaVersion", "linkAccess", "mainFileKey", "branches"];
/// How many pieces of the list of nodes are kept while an answer is made.
const MOST_PIECES: usize = 64;

/// Makes one answer. Blocks.
#[derive(Debug)]
pub(super) struct Derivation {
    held: Held,
    text: Text,
    nodes: HashMap<u32, Vec<u8>>,
}

/// Which nodes are wanted of a tree, by their numbers.
#[derive(Debug)]
struct Only {
    wanted: HashSet<u32>,
    above: HashSet<u32>,
}

impl Derivation {
    pub(super) fn of(held: &Held) -> Self {
        Self { held: held.clone(), text: Text::of(held.clone()), nodes: HashMap::new() }
    }

    /// As `/files` answers. `ids` keeps those nodes with what is in and above them.
    pub(super) fn file(mut self, ids: Option<&[String]>, depth: Option<u64>) -> io::Result<Composed> {
        let root = self.node(0)?;
        let only = ids.map(|ids| self.only(ids)).transpose()?;
        let mut answer = Composer::default();
        answer.range(0, root.at);
        self.tree(&mut answer, 0, depth, only.as_ref())?;
        answer.range(root.end(), self.held.facts().size);
        Ok(answer.finish(&self.held))
    }

    /// As `/nodes` answers; also which ids there are no nodes of.
    pub(super) fn nodes(mut self, ids: &[String], depth: Option<u64>) -> io::Result<(Composed, Vec<String>)> {
        let mut answer = Composer::default();
        answer.words("{");
        for (name, begin, end) in self.held.facts().beside.clone() {
            if !NOT_BESIDE_NODES.contains(&name.as_str()) {
                answer.words(format!("{}:", Value::from(name)));
                answer.range(begin, end);
                answer.words(",");
            }
        }
        answer.words("\"nodes\":{");
        let (mut missing, mut told) = (Vec::new(), HashSet::new());
        let (mut library, mut is_first) = (Library::default(), true);
        for id in ids.iter().filter(|id| told.insert(id.as_str())).collect::<Vec<_>>() {
            let separator = if is_first { "" } else { "," };
            is_first = false;
            answer.words(format!("{separator}{}:", Value::from(id.as_str())));
            if let Some(number) = self.find(id)? {
                self.entry(&mut answer, number, depth, &mut library)?;
            } else {
                missing.push(id.clone());
                answer.words("null");
            }
        }
        answer.words("}}");
        Ok((answer.finish(&self.held), missing))
    }

    /// A node, with the components and styles that it uses.
    fn entry(
        &mut self,
        answer: &mut Composer,
        number: u32,
        depth: Option<u64>,
        library: &mut Library,
    ) -> io::Result<()> {
        let mut tree = Composer::default();
        self.tree(&mut tree, number, depth, None)?;
        let tree = tree.finish(&self.held);
        let mut walker = Walker::new(Used::default());
        tree.read(|bytes| walker.push(bytes).map_err(io::Error::other))?;
        let used = walker.finish().map_err(io::Error::other)?;
        library.load(self, &used)?;
        let components = library.components.only(&used.components);
        let mut sets = used.components;
        sets.extend(components.values().filter_map(|component| set_of(component)));
        let sets = library.sets.only(&sets);
        let styles = library.styles.only(&used.styles);
        answer.words("{\"document\":");
        answer.append(tree);
        answer.words(format!(",\"components\":{},\"componentSets\":{}", json(&components), json(&sets)));
        match self.held.facts().place("schemaVersion") {
            Some((begin, end)) => {
                answer.words(",\"schemaVersion\":");
                answer.range(begin, end);
            }
            None => answer.words(",\"schemaVersion\":0"),
        }
        answer.words(format!(",\"styles\":{}}}", json(&styles)));
        Ok(())
    }

    /// The tree below a node, as far as it is wanted.
    fn tree(
        &mut self,
        answer: &mut Composer,
        root: u32,
        depth: Option<u64>,
        only: Option<&Only>,
    ) -> io::Result<()> {
        enum Step {
            Node { number: u32, level: u64, is_inside: bool },
            Comma,
            Rest(u64, u64),
        }
        let mut steps = vec![Step::Node { number: root, level: 0, is_inside: only.is_none() }];
        while let Some(step) = steps.pop() {
            let (number, level, is_inside) = match step {
                Step::Comma => {
                    answer.words(",");
                    continue;
                }
                Step::Rest(begin, end) => {
                    answer.range(begin, end);
                    continue;
                }
                Step::Node { number, level, is_inside } => (number, level, is_inside),
            };
            let node = self.node(number)?;
            let is_inside = is_inside || only.is_none_or(|only| only.wanted.contains(&number));
            if node.list_end == 0 || (depth.is_none() && is_inside) {
                answer.range(node.at, node.end());
                continue;
            }
            if depth.is_some_and(|depth| level >= depth) {
                self.without_children(answer, &node)?;
                continue;
            }
            answer.range(node.at, node.at + u64::from(node.list) + 1);
            let mut below = Vec::new();
            let mut child = number + 1;
            while child < number + node.count {
                // Pages are shown always.
                let is_shown = is_inside
                    || number == 0
                    || only.is_none_or(|only| only.wanted.contains(&child) || only.above.contains(&child));
                if is_shown {
                    if !below.is_empty() {
                        below.push(Step::Comma);
                    }
                    below.push(Step::Node { number: child, level: level + 1, is_inside });
                }
                child += self.node(child)?.count.max(1);
            }
            steps.push(Step::Rest(node.at + u64::from(node.list_end) - 1, node.end()));
            steps.extend(below.into_iter().rev());
        }
        Ok(())
    }

    /// A node without its member `children` and the comma that goes with it.
    fn without_children(&mut self, answer: &mut Composer, node: &Node) -> io::Result<()> {
        answer.range(node.at, node.at + u64::from(node.cut));
        let mut rest = node.at + u64::from(node.list_end);
        if node.cut == 1 {
            // It is the first member: the comma stands behind it.
            let follows = self.text.range(rest, node.end())?;
            let comma = follows.iter().position(|byte| !byte.is_ascii_whitespace());
            if let Some(comma) = comma.filter(|at| follows.get(*at) == Some(&b',')) {
                rest += comma as u64 + 1;
            }
        }
        answer.range(rest, node.end());
        Ok(())
    }

    /// The nodes of these ids, of the local components that they depend on, and those above them.
    fn only(&mut self, ids: &[String]) -> io::Result<Only> {
        let mut only = Only { wanted: HashSet::new(), above: HashSet::new() };
        let (mut waiting, mut met) = (ids.to_vec(), HashSet::new());
        while let Some(id) = waiting.pop() {
            if !met.insert(id.clone()) {
                continue;
            }
            let Some(number) = self.find(&id)? else { continue };
            only.wanted.insert(number);
            let node = self.node(number)?;
            let mut above = node;
            let mut last = number;
            while above.parent != last {
                last = above.parent;
                only.above.insert(last);
                above = self.node(last)?;
            }
            let mut tree = Composer::default();
            tree.range(node.at, node.end());
            let mut walker = Walker::new(Used::default());
            tree.finish(&self.held).read(|bytes| walker.push(bytes).map_err(io::Error::other))?;
            waiting.extend(walker.finish().map_err(io::Error::other)?.depends_on);
        }
        Ok(only)
    }

    /// The node of this id.
    pub(super) fn find(&mut self, id: &str) -> io::Result<Option<u32>> {
        let bucket = bucket_of(id, self.held.facts().bits);
        let Some(piece) = self.held.pieces(Kind::Ids, bucket, 1)?.pop() else { return Ok(None) };
        for number in numbers_in(&unpack(&piece)?, id) {
            let node = self.node(number)?;
            let head = self.text.range(node.at, node.end().min(node.at + 512))?;
            if has_id(&head, id) {
                return Ok(Some(number));
            }
        }
        Ok(None)
    }

    fn node(&mut self, number: u32) -> io::Result<Node> {
        let place = number / NODES_A_PIECE;
        if !self.nodes.contains_key(&place) {
            if self.nodes.len() >= MOST_PIECES {
                self.nodes.clear();
            }
            let piece = self.held.pieces(Kind::Nodes, place, 1)?.pop().ok_or_else(gone)?;
            self.nodes.insert(place, unpack(&piece)?);
        }
        self.nodes.get(&place).and_then(|piece| node_in(piece, number)).ok_or_else(gone)
    }

    fn beside(&mut self, name: &str) -> io::Result<Vec<u8>> {
        match self.held.facts().place(name) {
            Some((begin, end)) => self.text.range(begin, end),
            None => Ok(b"{}".to_vec()),
        }
    }
}

/// Whether a node has this id, as far as its beginning says: equal sums of two ids are next to
/// impossible, so that a beginning without an id is taken for the right one.
fn has_id(head: &[u8], id: &str) -> bool {
    struct Id(ControlFlow<Option<String>>);
    impl Visitor for Id {
        fn open(&mut self, _at: u64) {}
        fn member(&mut self, _member: Member, _key: &[u8], value: &[u8]) -> Flow {
            if self.0.is_continue() {
                self.0 = ControlFlow::Break(serde_json::from_slice(value).ok());
            }
            Flow::Skip
        }
        fn close(&mut self, _end: u64) {}
        fn beside(&mut self, _entry: Option<&str>, _key: &[u8], _value: &[u8]) {}
        fn wants(&self, member: Member, _key: &[u8]) -> bool {
            member == Member::Id
        }
    }
    // Of the first node only: its children would be told next.
    let head = memchr::memmem::find(head, b"\"children\"").and_then(|at| head.get(..at)).unwrap_or(head);
    let mut walker = Walker::new(Id(ControlFlow::Continue(())));
    drop(walker.push(head));
    match walker.visitor().0.clone() {
        ControlFlow::Break(Some(found)) => found == id,
        _ => true,
    }
}

/// What a tree uses of the file's library.
#[derive(Debug, Default)]
struct Used {
    components: HashSet<String>,
    styles: HashSet<String>,
    /// What any `componentId` names.
    depends_on: HashSet<String>,
    open: Vec<Using>,
}

#[derive(Debug, Default)]
struct Using {
    id: String,
    is_instance: bool,
    component: String,
}

impl Visitor for Used {
    fn open(&mut self, _at: u64) {
        self.open.push(Using::default());
    }

    fn member(&mut self, _member: Member, key: &[u8], value: &[u8]) -> Flow {
        let text = || serde_json::from_slice(value).unwrap_or_default();
        let Some(node) = self.open.last_mut() else { return Flow::Continue };
        match key {
            b"id" => node.id = text(),
            b"type" => node.is_instance = value == b"\"INSTANCE\"",
            b"componentId" => {
                node.component = text();
                self.depends_on.insert(node.component.clone());
            }
            _ => {
                let styles: HashMap<String, Value> = serde_json::from_slice(value).unwrap_or_default();
                self.styles.extend(styles.values().filter_map(Value::as_str).map(str::to_owned));
            }
        }
        Flow::Continue
    }

    fn close(&mut self, _end: u64) {
        if let Some(node) = self.open.pop() {
            self.components.insert(if node.is_instance { node.component } else { node.id });
        }
    }

    fn beside(&mut self, _entry: Option<&str>, _key: &[u8], _value: &[u8]) {}

    fn wants(&self, member: Member, _key: &[u8]) -> bool {
        matches!(member, Member::Id | Member::Type | Member::ComponentId | Member::Styles)
    }
}

/// The maps beside the document, read when they are needed first.
#[derive(Debug, Default)]
struct Library {
    components: Entries,
    sets: Entries,
    styles: Entries,
}

#[derive(Debug, Default)]
struct Entries {
    /// Its members' raw JSON, by name; `None`: not read yet.
    members: Option<HashMap<String, Box<RawValue>>>,
}

impl Library {
    fn load(&mut self, from: &mut Derivation, used: &Used) -> io::Result<()> {
        if !used.components.is_empty() {
            self.components.load(from, "components")?;
            self.sets.load(from, "componentSets")?;
        }
        if !used.styles.is_empty() {
            self.styles.load(from, "styles")?;
        }
        Ok(())
    }
}

impl Entries {
    fn load(&mut self, from: &mut Derivation, name: &str) -> io::Result<()> {
        if self.members.is_none() {
            self.members = Some(serde_json::from_slice(&from.beside(name)?).unwrap_or_default());
        }
        Ok(())
    }

    fn only(&self, wanted: &HashSet<String>) -> BTreeMap<String, Box<RawValue>> {
        let Some(members) = &self.members else { return BTreeMap::new() };
        let member = |id: &String| Some((id.clone(), members.get(id)?.clone()));
        wanted.iter().filter_map(member).collect()
    }
}

fn set_of(component: &RawValue) -> Option<String> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Component {
        component_set_id: Option<String>,
    }
    serde_json::from_str::<Component>(component.get()).ok()?.component_set_id
}

fn json(entries: &BTreeMap<String, Box<RawValue>>) -> String {
    serde_json::to_string(entries).unwrap_or_else(|_| "{}".to_owned())
}
