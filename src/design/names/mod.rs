//! What variables are called: as Figma says, or, where it does not say, as what surrounds them suggests.
//!
//! Nodes name variables by id only. The names and values stand in an answer that needs the Enterprise
//! plan; without it the styles that carry a variable, and the values it has wherever it is used, say
//! much of what a name would.

mod infer;
mod official;
mod uses;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

pub use infer::infer;
pub use official::official;
pub use uses::{Use, Uses};

use super::fold::{one_line, quoted};

/// A variable.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Variable {
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

/// One line a variable: `name = value (mode), value (mode)`, and what is not official said so.
#[must_use]
pub fn print(variables: &Variables) -> String {
    let mut lines: Vec<String> = variables
        .iter()
        .map(|(id, variable)| {
            let values: Vec<String> =
                variable
                    .values
                    .iter()
                    .map(|(mode, value)| {
                        if mode.is_empty() { value.clone() } else { format!("{value} ({})", one_line(mode)) }
                    })
                    .collect();
            let from = if variable.is_official { "official" } else { variable.known_from.as_str() };
            let from = if variable.is_official { from.to_owned() } else { format!("inferred from {from}") };
            format!("{} = {} · {from} · {id}\n", quoted(&variable.name, 80), values.join(", "))
        })
        .collect();
    lines.sort();
    lines.concat()
}
