//! What somebody may mean who has begun to write an argument: from files that are held. Nothing is
//! fetched for it.

use std::collections::HashSet;

use super::{App, source};
use crate::{
    auth::Caller,
    design::{
        comments::{Anchors, Page, Place},
        fold::{Fit, Needle, fold},
    },
};

/// The keys of files that are held, the latest used first: by the beginning of the key, or by name.
pub async fn files(app: &App, caller: &Caller, typed: &str) -> Vec<String> {
    let held = app.rest.held_names(caller).await.unwrap_or_default();
    let fits = held.into_iter().filter_map(|(key, name)| Some((fit(typed, &key, &name)?, key)));
    best(fits.collect())
}

/// The ids of what lies directly on the pages of a file: by the beginning of the id, or by name.
pub async fn nodes(app: &App, caller: &Caller, file_key: &str, typed: &str) -> Vec<String> {
    let frames = outline(app, caller, file_key).await.into_iter().flat_map(|page| page.frames);
    best(frames.filter_map(|(frame, _)| suggested(frame, typed)).collect())
}

/// The names of a file's pages.
pub async fn pages(app: &App, caller: &Caller, file_key: &str, typed: &str) -> Vec<String> {
    let pages = outline(app, caller, file_key).await.into_iter().map(|page| page.place);
    best(pages.filter_map(|page| Some((fit(typed, &page.id, &page.name)?, page.name))).collect())
}

async fn outline(app: &App, caller: &Caller, file_key: &str) -> Vec<Page> {
    let visitor = Anchors::new(HashSet::new(), true);
    source::peek(app, caller, file_key, &[], visitor).await.map(|anchors| anchors.pages).unwrap_or_default()
}

fn suggested(place: Place, typed: &str) -> Option<(Fit, String)> {
    Some((fit(typed, &place.id, &place.name)?, place.id))
}

/// How well what was typed fits an id or a name. Nothing fits everything.
fn fit(typed: &str, id: &str, name: &str) -> Option<Fit> {
    let typed = typed.trim();
    if typed.is_empty() || fold(id).starts_with(&fold(typed)) {
        return Some(Fit::Prefix);
    }
    Needle::new(typed).fit(name)
}

/// The best first, each once; those that fit equally well stay in their order.
fn best(mut found: Vec<(Fit, String)>) -> Vec<String> {
    found.sort_by_key(|(fit, _)| *fit);
    let mut values: Vec<String> = Vec::new();
    for (_, value) in found {
        if !values.contains(&value) {
            values.push(value);
        }
    }
    values
}
