//! What variables are called: as Figma says, or, where it does not say, as what surrounds them suggests.
//!
//! Nodes name variables by id only. The names and values stand in an answer that needs the Enterprise
//! plan; without it the styles that carry a variable, and the values it has wherever it is used, say
//! much of what a name would.

mod infer;
mod official;
mod open;
mod styled;
mod uses;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

pub use infer::infer;
pub use official::official;
pub use styled::Styled;
pub use uses::{Use, Uses};

use super::fold::{one_line, quoted};

/// A variable.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Variable {
    /// Its publish key, which is the same in every file; empty where Figma did not tell it.
    pub key: String,
    /// Its name.
    pub name: String,
    /// Whether Figma says so. If not, the name was concluded from [`Variable::known_from`].
    pub is_official: bool,
    /// What the name was concluded from.
    pub known_from: String,
    /// Its values: by mode, where modes are known.
    pub values: Vec<(String, String)>,
}

/// Variables by their ids, as nodes write them.
pub type Variables = BTreeMap<String, Variable>;

/// One line a variable, by name: `"name" = value (mode), value (mode) · official`.
#[must_use]
pub fn lines(variables: &Variables) -> Vec<String> {
    let mut lines: Vec<String> = variables.iter().map(|(id, variable)| variable.line(id)).collect();
    lines.sort();
    lines
}

impl Variable {
    fn line(&self, id: &str) -> String {
        let value = |(mode, value): &(String, String)| {
            if mode.is_empty() { value.clone() } else { format!("{value} ({})", one_line(mode)) }
        };
        let values: Vec<String> = self.values.iter().map(value).collect();
        let origin = if self.is_official {
            "official".to_owned()
        } else {
            format!("inferred from {}", self.known_from)
        };
        format!("{} = {} · {origin} · {id}", quoted(&self.name, 80), values.join(", "))
    }
}
