//! The pass over a file.

use std::{
    cmp::Ordering,
    collections::{BinaryHeap, HashMap},
};

use super::{Field, Hit, Order, Question};
use crate::{
    design::{
        fold::{Fit, Needle, snippet},
        pieces::{self, Area, Beside},
    },
    walk::{Flow, Member, Visitor},
};

/// How many of a node's ancestors are named.
const LONGEST_PATH: usize = 5;
/// How much of a text is shown.
const SNIPPET: usize = 90;
/// How many names are remembered with how well they fit: most names occur many times.
const REMEMBERED: usize = 20_000;

/// A hit on its way, ordered worst first on a heap.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) hit: Hit,
    pub(super) component: Option<u32>,
}

impl PartialEq for Kept {
    fn eq(&self, other: &Self) -> bool {
        self.hit.order == other.hit.order
    }
}
impl Eq for Kept {}
impl PartialOrd for Kept {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Kept {
    fn cmp(&self, other: &Self) -> Ordering {
        self.hit.order.cmp(&other.hit.order)
    }
}

/// The nodes that use the same things and fit equally well.
#[derive(Debug, Default)]
pub(super) struct Group {
    pub(super) total: usize,
    pub(super) best: BinaryHeap<Kept>,
}

/// A node that is open. Reused, so that its texts keep their memory.
#[derive(Debug, Default)]
struct Open {
    id: String,
    name: String,
    kind: String,
    text: Option<String>,
    area: Option<Area>,
    is_hidden: bool,
    is_left_out: bool,
    dev_status: Option<String>,
    component: Option<u32>,
    /// What it uses, as far as the question needs to know.
    uses: Vec<u32>,
    number: u64,
}

impl Open {
    fn reset(&mut self, number: u64, is_hidden: bool) {
        self.id.clear();
        self.name.clear();
        self.kind.clear();
        self.uses.clear();
        (self.text, self.area, self.dev_status, self.component) = (None, None, None, None);
        (self.number, self.is_hidden, self.is_left_out) = (number, is_hidden, false);
    }
}

/// Looks for nodes.
#[derive(Debug)]
pub struct Search {
    pub(super) question: Question,
    nodes: Vec<Open>,
    depth: usize,
    seen: u64,
    /// What nodes use: a number for each kind and id.
    numbers: HashMap<(Field, String), u32>,
    pub(super) used: Vec<(Field, String)>,
    /// By how well their own fields fit, and what they use.
    pub(super) groups: HashMap<Box<[u32]>, Group>,
    names: HashMap<String, Option<Fit>>,
    pub(super) beside: Beside,
    key: Vec<u32>,
}

impl Visitor for Search {
    fn open(&mut self, _at: u64) {
        let is_hidden = self
            .depth
            .checked_sub(1)
            .and_then(|above| self.nodes.get(above))
            .is_some_and(|node| node.is_hidden);
        if self.nodes.len() == self.depth {
            self.nodes.push(Open::default());
        }
        self.seen += 1;
        if let Some(node) = self.nodes.get_mut(self.depth) {
            node.reset(self.seen, is_hidden);
        }
        self.depth += 1;
    }

    fn member(&mut self, _member: Member, key: &[u8], value: &[u8]) -> Flow {
        let Some(node) = self.depth.checked_sub(1).and_then(|at| self.nodes.get_mut(at)) else {
            return Flow::Continue;
        };
        match key {
            b"id" => node.id.push_str(&pieces::text(value)),
            b"name" => node.name.push_str(&pieces::text(value)),
            b"type" => {
                node.kind.push_str(&pieces::text(value));
                return self.page();
            }
            b"visible" => node.is_hidden |= value == b"false",
            b"characters" => node.text = Some(pieces::text(value).into_owned()),
            b"absoluteBoundingBox" => node.area = pieces::read(value),
            b"devStatus" => {
                let status: HashMap<String, serde_json::Value> = pieces::read(value);
                node.dev_status = status.get("type").and_then(|kind| kind.as_str()).map(str::to_owned);
            }
            b"componentId" => {
                let number =
                    number(&mut self.numbers, &mut self.used, Field::Component, &pieces::text(value));
                node.component = Some(number);
                if self.question.component.is_some() || self.question.looks_in(Field::Component) {
                    node.uses.push(number);
                }
            }
            b"styles" => {
                let styles: HashMap<String, String> = pieces::read(value);
                for id in styles.values() {
                    node.uses.push(number(&mut self.numbers, &mut self.used, Field::Style, id));
                }
            }
            _ => pieces::variables(value, |id| {
                node.uses.push(number(&mut self.numbers, &mut self.used, Field::Variable, id));
            }),
        }
        Flow::Continue
    }

    fn close(&mut self, _end: u64) {
        self.depth = self.depth.saturating_sub(1);
        if self.nodes.get(self.depth).is_some_and(|node| !node.is_left_out && node.kind != "DOCUMENT") {
            self.consider();
        }
    }

    fn beside(&mut self, _entry: Option<&str>, key: &[u8], value: &[u8]) {
        self.beside.member(key, value);
    }

    fn wants(&self, member: Member, _key: &[u8]) -> bool {
        let question = &self.question;
        match member {
            Member::Id
            | Member::Name
            | Member::Type
            | Member::Visible
            | Member::Characters
            | Member::AbsoluteBoundingBox
            | Member::DevStatus
            | Member::ComponentId => true,
            Member::Styles => question.style.is_some() || question.looks_in(Field::Style),
            Member::Fills
            | Member::Strokes
            | Member::Effects
            | Member::BoundVariables
            | Member::ComponentProperties
            | Member::LayoutGrids
            | Member::StyleOverrideTable => question.variable.is_some() || question.looks_in(Field::Variable),
            _ => false,
        }
    }

    fn wants_beside(&self, key: &[u8]) -> bool {
        Beside::wants(key)
    }
}

fn number(
    numbers: &mut HashMap<(Field, String), u32>,
    used: &mut Vec<(Field, String)>,
    field: Field,
    id: &str,
) -> u32 {
    *numbers.entry((field, id.to_owned())).or_insert_with_key(|key| {
        used.push(key.clone());
        u32::try_from(used.len()).unwrap_or(u32::MAX) - 1
    })
}

impl Search {
    /// Looks for what is asked for.
    #[must_use]
    pub fn new(question: Question) -> Self {
        Self {
            question,
            nodes: Vec::new(),
            depth: 0,
            seen: 0,
            numbers: HashMap::new(),
            used: Vec::new(),
            groups: HashMap::new(),
            names: HashMap::new(),
            beside: Beside::default(),
            key: Vec::new(),
        }
    }

    /// Other pages than the one asked for are not even looked at.
    fn page(&mut self) -> Flow {
        let Some(node) = self.depth.checked_sub(1).and_then(|at| self.nodes.get_mut(at)) else {
            return Flow::Continue;
        };
        let is_wanted = |page: &Needle| page.given == node.id || page.fits_plainly(&node.name);
        if node.kind != "CANVAS" || self.question.page.as_ref().is_none_or(is_wanted) {
            return Flow::Continue;
        }
        node.is_left_out = true;
        Flow::Skip
    }

    /// The node that has just ended: whether it may be a hit, and which of its group.
    fn consider(&mut self) {
        let Some(node) = self.nodes.get_mut(self.depth) else { return };
        let question = &self.question;
        let fits_type = question.kind.as_ref().is_none_or(|kind| *kind == node.kind);
        let fits_size = question.size.is_none_or(|size| node.area.is_some_and(|area| size.holds(&area)));
        let fits_status = question.dev_status.is_none_or(|status| node.dev_status.as_deref() == Some(status));
        if !(fits_type && fits_size && fits_status) {
            return;
        }
        let own = self.own_fit();
        let Some(node) = self.nodes.get_mut(self.depth) else { return };
        if self.question.query.is_some() && own.is_none() && node.uses.is_empty() {
            return;
        }
        node.uses.sort_unstable();
        node.uses.dedup();
        self.key.clear();
        self.key
            .push(own.map_or(u32::MAX, |(field, fit)| (u32::from(fit as u8) << 8) | u32::from(field as u8)));
        self.key.extend(&node.uses);
        self.keep(own);
    }

    /// How well the node's own name and text fit.
    fn own_fit(&mut self) -> Option<(Field, Fit)> {
        let node = self.nodes.get(self.depth)?;
        let query = self.question.query.as_ref()?;
        let mut best = None;
        if self.question.looks_in(Field::Name) {
            let fit = if query.given == node.id {
                Some(Fit::Exact)
            } else if let Some(known) = self.names.get(&node.name) {
                *known
            } else {
                let fit = query.fit(&node.name);
                if self.names.len() < REMEMBERED {
                    self.names.insert(node.name.clone(), fit);
                }
                fit
            };
            best = fit.map(|fit| (fit, Field::Name));
        }
        if self.question.looks_in(Field::Text)
            && let Some(fit) = node.text.as_ref().and_then(|text| query.fit(text))
        {
            best = best.into_iter().chain([(fit, Field::Text)]).min();
        }
        best.map(|(fit, field)| (field, fit))
    }

    fn keep(&mut self, own: Option<(Field, Fit)>) {
        let most = self.question.offset.saturating_add(self.question.limit);
        let Some(node) = self.nodes.get(self.depth) else { return };
        let group = match self.groups.get_mut(self.key.as_slice()) {
            Some(group) => group,
            None => self.groups.entry(self.key.as_slice().into()).or_default(),
        };
        group.total += 1;
        let kind = match node.kind.as_str() {
            "COMPONENT_SET" => 0,
            "COMPONENT" => 1,
            _ => 2,
        };
        let order = Order { is_hidden: node.is_hidden, kind, depth: self.depth, number: node.number };
        if group.best.len() >= most && group.best.peek().is_none_or(|worst| worst.hit.order < order) {
            return;
        }
        let path: Vec<String> = self
            .nodes
            .iter()
            .take(self.depth)
            .filter(|node| node.kind != "DOCUMENT")
            .map(|node| snippet(&node.name, None, 40))
            .collect();
        let is_text = own.is_some_and(|(field, _)| field == Field::Text);
        let query = self.question.query.as_ref().filter(|_| is_text);
        let hit = Hit {
            id: node.id.clone(),
            kind: node.kind.clone(),
            name: snippet(&node.name, None, 80),
            path: shortened(path),
            area: node.area,
            is_hidden: node.is_hidden,
            dev_status: node.dev_status.clone().filter(|status| status != "NONE"),
            text: node.text.as_ref().map(|text| snippet(text, query, SNIPPET)),
            component: None,
            found: own.map(|(field, fit)| (field, fit, None)),
            order,
        };
        group.best.push(Kept { hit, component: node.component });
        if group.best.len() > most {
            group.best.pop();
        }
    }
}

/// A long path keeps its ends: the page and the frame, and what the node lies in.
fn shortened(mut path: Vec<String>) -> Vec<String> {
    if path.len() > LONGEST_PATH {
        path.splice(2..path.len() - 2, ["…".to_owned()]);
    }
    path
}
