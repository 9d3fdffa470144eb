//! Variables, where they are used.

use std::collections::HashMap;

use serde_json::Value;

use super::{
    model::{END, VARIABLE},
    paint::clean,
};
use crate::design::pieces::aliases;

/// How the name of a variable is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Figma says so.
    Official,
    /// Concluded from what surrounds it.
    Inferred,
}

/// The names of variables by their ids, as far as they are known.
#[derive(Debug, Clone, Default)]
pub struct VariableNames(pub HashMap<String, (String, Origin)>);

/// What a node's members are bound to: by the member's path, such as `size.x`, the ids between their marks.
#[derive(Debug, Clone, Default)]
pub(super) struct Bound(pub(super) Vec<(String, Vec<String>)>);

impl Bound {
    /// From `boundVariables`.
    pub(super) fn read(bound: &[u8]) -> Self {
        let mut out: Vec<(String, Vec<String>)> = Vec::new();
        aliases(bound, |path, id| {
            let mark = mark(&clean(id));
            match out.iter_mut().find(|(name, _)| name == path) {
                Some((_, marks)) => marks.push(mark),
                None => out.push((path.to_owned(), vec![mark])),
            }
        });
        Self(out)
    }

    /// From a value.
    pub(super) fn of(bound: &Value) -> Self {
        Self::read(bound.to_string().as_bytes())
    }

    /// Whether nothing is bound.
    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The mark of the variable that a member is bound to; empty where it is not.
    #[inline]
    pub(super) fn mark(&self, path: &str) -> String {
        if self.is_empty() { String::new() } else { self.mark_of(path) }
    }

    fn mark_of(&self, path: &str) -> String {
        self.0.iter().find(|(name, _)| name == path).map(|(_, marks)| marks.concat()).unwrap_or_default()
    }

    /// Whether a member is bound whose path begins like one of these.
    pub(super) fn is_about(&self, beginnings: &[&str]) -> bool {
        self.0.iter().any(|(path, _)| beginnings.iter().any(|beginning| path.starts_with(beginning)))
    }
}

/// A variable's id between its marks.
pub(super) fn mark(id: &str) -> String {
    format!("{VARIABLE}{id}{END}")
}

/// A variable's id, short and still its own: `VariableID:1:20` as `1:20`, of a library's variable
/// the first six digits of its key: `7bb669/1:20`.
pub(super) fn short(id: &str) -> String {
    let id = id.strip_prefix("VariableID:").unwrap_or(id);
    match id.split_once('/') {
        Some((key, rest)) => format!("{}/{rest}", key.chars().take(6).collect::<String>()),
        None => id.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn aliases_are_found_in_every_shape() {
        let alias = |id: &str| json!({ "type": "VARIABLE_ALIAS", "id": id });
        let bound = Bound::of(&json!({
            "itemSpacing": alias("VariableID:1:2"),
            "fills": [alias("VariableID:1:3"), alias("VariableID:1:4")],
            "size": { "x": alias("VariableID:1:5") },
        }));
        assert_eq!(bound.mark("itemSpacing"), "\u{1}VariableID:1:2\u{2}");
        assert_eq!(bound.mark("fills"), "\u{1}VariableID:1:3\u{2}\u{1}VariableID:1:4\u{2}");
        assert_eq!(bound.mark("size.x"), "\u{1}VariableID:1:5\u{2}");
        assert_eq!(bound.mark("paddingTop"), "");
    }

    #[test]
    fn short_ids_stay_apart() {
        assert_eq!(short("VariableID:114:225"), "114:225");
        assert_eq!(short("VariableID:7bb6690ae061e4f5bb76fd80122cd8bccc81cac6/1:20"), "7bb669/1:20");
    }
}
