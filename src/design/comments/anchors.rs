//! Where comments are pinned: the nodes, the frames that they lie in, and the pages.

use std::collections::{HashMap, HashSet};

use crate::{
    design::pieces::{self, Area},
    walk::{Flow, Member, Visitor},
};

/// A node as comments know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
}

/// Where a node lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anchor {
    /// The node itself.
    pub node: Place,
    /// The outermost frame that it lies in, or is; none for a page.
    pub frame: Option<Place>,
    /// The page.
    pub page: Place,
    /// How the places are sorted: as they come in the file.
    pub order: u64,
}

/// A page and the boxes of what lies directly on it.
#[derive(Debug, Clone)]
pub struct Page {
    /// The page.
    pub place: Place,
    /// What lies on it.
    pub frames: Vec<(Place, Area)>,
}

/// Looks for the nodes with these ids. All the rest is passed over.
#[derive(Debug, Default)]
pub struct Anchors {
    wanted: HashSet<String>,
    /// Whether points on the canvas have to be placed, too.
    wants_boxes: bool,
    path: Vec<Open>,
    seen: u64,
    /// What was found, by id.
    pub found: HashMap<String, Anchor>,
    /// The pages in their order.
    pub pages: Vec<Page>,
    /// The file's name.
    pub file: String,
}

#[derive(Debug)]
struct Open {
    place: Place,
    kind: Kind,
    area: Option<Area>,
    order: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Document,
    Page,
    Other,
}

impl Anchors {
    /// Looks for nodes with these ids and, if wanted, for what lies where on the pages.
    #[must_use]
    pub fn new(wanted: HashSet<String>, wants_boxes: bool) -> Self {
        Self { wanted, wants_boxes, ..Self::default() }
    }

    fn level(&self) -> Option<usize> {
        self.path.iter().position(|node| node.kind == Kind::Page).map(|page| self.path.len() - page)
    }

    fn note(&mut self) {
        let Some(node) = self.path.last().filter(|node| self.wanted.contains(&node.place.id)) else { return };
        let mut above = self.path.iter().skip_while(|node| node.kind != Kind::Page);
        let Some(page) = above.next() else { return };
        let anchor = Anchor {
            node: node.place.clone(),
            frame: above.next().map(|node| node.place.clone()),
            page: page.place.clone(),
            order: node.order,
        };
        self.found.insert(node.place.id.clone(), anchor);
    }
}

impl Visitor for Anchors {
    fn open(&mut self, _at: u64) {
        self.seen += 1;
        let place = Place { id: String::new(), name: String::new() };
        self.path.push(Open { place, kind: Kind::Other, area: None, order: self.seen });
    }

    fn member(&mut self, _member: Member, key: &[u8], value: &[u8]) -> Flow {
        let Some(node) = self.path.last_mut() else { return Flow::Continue };
        match key {
            b"id" => node.place.id = pieces::text(value).into_owned(),
            b"name" => node.place.name = pieces::text(value).into_owned(),
            b"absoluteBoundingBox" => node.area = pieces::read(value),
            _ => {
                node.kind = match value {
                    b"\"DOCUMENT\"" => Kind::Document,
                    b"\"CANVAS\"" => Kind::Page,
                    _ => Kind::Other,
                };
                if node.kind == Kind::Page {
                    self.pages.push(Page { place: node.place.clone(), frames: Vec::new() });
                }
            }
        }
        Flow::Continue
    }

    fn close(&mut self, _end: u64) {
        self.note();
        let is_on_page = self.wants_boxes && self.level() == Some(2);
        if let Some(node) = self.path.pop()
            && is_on_page
            && let (Some(page), Some(area)) = (self.pages.last_mut(), node.area)
        {
            page.frames.push((node.place, area));
        }
    }

    fn beside(&mut self, _entry: Option<&str>, key: &[u8], value: &[u8]) {
        if key == b"name" {
            self.file = pieces::text(value).into_owned();
        }
    }

    fn wants(&self, member: Member, _key: &[u8]) -> bool {
        match member {
            Member::Id | Member::Name | Member::Type => true,
            Member::AbsoluteBoundingBox => self.wants_boxes && self.level() == Some(2),
            _ => false,
        }
    }

    fn wants_beside(&self, key: &[u8]) -> bool {
        key == b"name"
    }
}

impl Anchors {
    /// The page, and the frame on it, that a point of the canvas lies in. Figma does not say the page:
    /// it is known where there is only one, or where only one has something there.
    #[must_use]
    pub fn at(&self, x: f64, y: f64) -> Option<(&Place, Option<&Place>)> {
        let on = |page: &Page| {
            page.frames.iter().rev().find(|(_, area)| area.holds(x, y)).map(|(place, _)| place.clone())
        };
        if let [page] = self.pages.as_slice() {
            let frame = page.frames.iter().rev().find(|(_, area)| area.holds(x, y));
            return Some((&page.place, frame.map(|(place, _)| place)));
        }
        let mut there = self.pages.iter().filter(|page| on(page).is_some());
        let (page, other) = (there.next()?, there.next());
        let frame = page.frames.iter().rev().find(|(_, area)| area.holds(x, y)).map(|(place, _)| place);
        other.is_none().then_some((&page.place, frame))
    }
}
