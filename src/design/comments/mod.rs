//! The comments of a file as a digest: threads, grouped, with the names of what they are pinned to.

mod anchors;
mod print;
mod thread;

#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};

pub use anchors::{Anchor, Anchors, Page, Place};
pub use thread::{Comment, Pin, Thread, threads};

/// What threads are put together by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum GroupBy {
    /// The page.
    #[default]
    Page,
    /// The outermost frame.
    Frame,
    /// Who began the thread.
    Author,
}

impl GroupBy {
    /// The grouping of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        [Self::Page, Self::Frame, Self::Author].into_iter().find(|group| group.name() == name)
    }

    /// As it is written in arguments.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Page => "page",
            Self::Frame => "frame",
            Self::Author => "author",
        }
    }
}

/// Which threads are wanted, and how.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// What they are put together by.
    pub group_by: GroupBy,
    /// Whether resolved threads are shown as well.
    pub include_resolved: bool,
    /// Only threads in which something was written since then.
    pub since: Option<String>,
    /// How many to leave out.
    pub offset: usize,
    /// How many to show.
    pub limit: usize,
}

/// Threads in order, with where each is.
#[derive(Debug, Clone, PartialEq)]
pub struct Digest {
    /// How many there are altogether.
    pub total: usize,
    /// How many resolved ones were left out.
    pub resolved_left_out: usize,
    /// How many were left out since nothing was written in them lately.
    pub older_left_out: usize,
    /// The ones to show.
    pub threads: Vec<Located>,
}

/// A thread, and where it is.
#[derive(Debug, Clone, PartialEq)]
pub struct Located {
    /// The thread.
    pub thread: Thread,
    /// The page.
    pub page: Option<Place>,
    /// The outermost frame.
    pub frame: Option<Place>,
    /// The node that it is pinned to, where that is neither of them.
    pub node: Option<Place>,
    /// Whether the place is what lies at the point, rather than what Figma says.
    pub is_by_point: bool,
    order: u64,
}

/// The ids of the nodes that threads are pinned to, and whether some are pinned to the canvas.
#[must_use]
pub fn pins(threads: &[Thread]) -> (HashSet<String>, bool) {
    let nodes = threads.iter().filter_map(|thread| thread.node().map(str::to_owned)).collect();
    (nodes, threads.iter().any(|thread| matches!(thread.pin, Pin::Canvas(..))))
}

/// Chooses, places and sorts threads. Without `anchors` they are placed by ids alone.
#[must_use]
pub fn digest(threads: Vec<Thread>, anchors: Option<&Anchors>, wanted: &Wanted) -> Digest {
    let (mut resolved_left_out, mut older_left_out) = (0, 0);
    let mut kept: Vec<Located> = Vec::new();
    for thread in threads {
        if thread.resolved.is_some() && !wanted.include_resolved {
            resolved_left_out += 1;
        } else if wanted.since.as_ref().is_some_and(|since| thread.comments().all(|one| one.written < *since))
        {
            older_left_out += 1;
        } else {
            kept.push(locate(thread, anchors));
        }
    }
    // Threads come in by number, and stay so within a group.
    match wanted.group_by {
        GroupBy::Author => kept.sort_by_cached_key(|located| located.thread.root.author.to_lowercase()),
        GroupBy::Page => kept.sort_by_cached_key(|located| page_order(located, anchors)),
        GroupBy::Frame => {
            let first = frame_orders(&kept);
            kept.sort_by_cached_key(|located| {
                let frame = located.frame.as_ref().and_then(|frame| first.get(&frame.id)).copied();
                (page_order(located, anchors), frame.unwrap_or(u64::MAX))
            });
        }
    }
    let total = kept.len();
    let threads = kept.into_iter().skip(wanted.offset).take(wanted.limit).collect();
    Digest { total, resolved_left_out, older_left_out, threads }
}

/// Pages as they come in the file; what is on no known page comes last.
fn page_order(located: &Located, anchors: Option<&Anchors>) -> usize {
    let pages = anchors.map(|anchors| anchors.pages.as_slice()).unwrap_or_default();
    let page = located.page.as_ref();
    page.and_then(|page| pages.iter().position(|other| other.place.id == page.id)).unwrap_or(usize::MAX)
}

/// Frames as they come in the file, as far as threads are pinned into them.
fn frame_orders(threads: &[Located]) -> HashMap<String, u64> {
    let mut first = HashMap::new();
    for located in threads {
        if let Some(frame) = &located.frame {
            let order = first.entry(frame.id.clone()).or_insert(located.order);
            *order = located.order.min(*order);
        }
    }
    first
}

fn locate(thread: Thread, anchors: Option<&Anchors>) -> Located {
    let mut located =
        Located { thread, page: None, frame: None, node: None, is_by_point: false, order: u64::MAX };
    match (&located.thread.pin, anchors) {
        (Pin::Node(id), anchors) => match anchors.and_then(|anchors| anchors.found.get(id)) {
            Some(anchor) => {
                let is_nested = anchor.frame.as_ref().is_some_and(|frame| frame.id != anchor.node.id);
                located.node = is_nested.then(|| anchor.node.clone());
                located.order = anchor.order;
                located.frame.clone_from(&anchor.frame);
                located.page = Some(anchor.page.clone());
            }
            None => located.node = Some(Place { id: id.clone(), name: String::new() }),
        },
        (Pin::Canvas(x, y), Some(anchors)) => {
            if let Some((page, frame)) = anchors.at(*x, *y) {
                located.page = Some(page.clone());
                located.frame = frame.cloned();
                located.is_by_point = true;
            }
        }
        (Pin::Canvas(..) | Pin::Unknown, _) => {}
    }
    located
}
