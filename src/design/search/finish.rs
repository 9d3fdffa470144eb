//! The end of a search: what components, styles and variables are called is known by now.

use std::collections::{HashMap, HashSet};

use super::{Field, Found, Search};
use crate::design::fold::{Fit, Needle};

/// What something that nodes use is called.
#[derive(Debug, Default)]
struct Called<'a> {
    /// By people.
    names: Vec<&'a str>,
    /// By programs: ids and keys.
    ids: Vec<&'a str>,
}

impl Called<'_> {
    fn fit(&self, query: &Needle) -> Option<Fit> {
        if self.ids.contains(&query.given.as_str()) {
            return Some(Fit::Exact);
        }
        self.names.iter().filter_map(|name| query.fit(name)).min()
    }
}

impl Search {
    /// Says what variables are called, by their ids.
    pub fn call_variables(&mut self, names: HashMap<String, String>) {
        self.question.variables = names;
    }

    /// What was found.
    #[must_use]
    pub fn finish(mut self) -> Found {
        let groups = std::mem::take(&mut self.groups);
        let meant = self.meant();
        let (mut total, mut hits) = (0, Vec::new());
        for (key, group) in groups {
            let uses = key.get(1..).unwrap_or_default();
            let own = group.best.peek().and_then(|kept| kept.hit.found.as_ref());
            let own = own.map(|(field, fit, _)| (*fit, *field));
            let by_use =
                self.fit_of(uses).filter(|(fit, field, _)| own.is_none_or(|own| (*fit, *field) < own));
            let is_found = self.question.query.is_none() || own.is_some() || by_use.is_some();
            if !is_found || !meant.iter().all(|meant| uses.iter().any(|number| meant.contains(number))) {
                continue;
            }
            total += group.total;
            for kept in group.best {
                let mut hit = kept.hit;
                let component = kept.component.and_then(|number| self.used.get(number as usize));
                hit.component = component.and_then(|(_, id)| self.beside.component(id));
                if let Some((fit, field, name)) = &by_use {
                    hit.found = Some((*field, *fit, Some(name.clone())));
                }
                hits.push(hit);
            }
        }
        hits.sort_by_key(|hit| {
            let found = hit.found.as_ref().map(|(field, fit, _)| (*fit, hit.is_hidden, *field));
            (found, hit.order)
        });
        let hits = hits.into_iter().skip(self.question.offset).take(self.question.limit).collect();
        Found { file: self.beside.name, total, hits }
    }

    /// For each kind of thing that is asked for, the numbers of those that are meant: the one of that
    /// name where there is one, else those whose names are like it, else those that take a correction.
    fn meant(&self) -> Vec<HashSet<u32>> {
        let question = &self.question;
        let wanted = [
            (Field::Component, &question.component),
            (Field::Style, &question.style),
            (Field::Variable, &question.variable),
        ];
        let meant = |(field, wanted): (Field, &Option<Needle>)| {
            let wanted = wanted.as_ref()?;
            let numbered = (0..).zip(&self.used).filter(|(_, (used, _))| *used == field);
            let fits: Vec<(u32, Fit)> = numbered
                .filter_map(|(number, (_, id))| Some((number, self.called(field, id).fit(wanted)?)))
                .collect();
            let class = |fit: Fit| (fit != Fit::Exact, fit.is_corrected());
            let best = fits.iter().map(|(_, fit)| class(*fit)).min();
            Some(
                fits.into_iter()
                    .filter(|(_, fit)| Some(class(*fit)) == best)
                    .map(|(number, _)| number)
                    .collect(),
            )
        };
        wanted.into_iter().filter_map(meant).collect()
    }

    /// How well the names of what a node uses fit the query, and the best of them.
    fn fit_of(&self, uses: &[u32]) -> Option<(Fit, Field, String)> {
        let query = self.question.query.as_ref()?;
        let looked_at = self.used_by(uses).filter(|(field, _)| self.question.looks_in(*field));
        looked_at
            .filter_map(|(field, id)| {
                let called = self.called(field, id);
                let name = called.names.first().copied().unwrap_or(id);
                Some((called.fit(query)?, field, name.to_owned()))
            })
            .min()
    }

    fn used_by(&self, uses: &[u32]) -> impl Iterator<Item = (Field, &str)> {
        uses.iter()
            .filter_map(|number| self.used.get(*number as usize))
            .map(|(field, id)| (*field, id.as_str()))
    }

    fn called<'a>(&'a self, field: Field, id: &'a str) -> Called<'a> {
        let mut called = Called { names: Vec::new(), ids: vec![id] };
        match field {
            Field::Component => {
                let component = self.beside.components.get(id);
                let set_id = component.and_then(|component| component.component_set_id.as_deref());
                let set = set_id.and_then(|set| self.beside.sets.get(set));
                called.ids.extend(set_id);
                for named in set.into_iter().chain(component) {
                    called.names.push(&named.name);
                    called.ids.push(&named.key);
                }
            }
            Field::Style => {
                if let Some(style) = self.beside.styles.get(id) {
                    called.names.push(&style.name);
                    called.ids.push(&style.key);
                }
            }
            Field::Variable => called.names.extend(self.question.variables.get(id).map(String::as_str)),
            Field::Name | Field::Text => {}
        }
        called
    }
}
