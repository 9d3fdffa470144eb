//! What was found, as lines for a model.

use super::{Field, Found, Hit, Question};
use crate::design::fold::quoted;

/// How much of a name is shown.
const NAME: usize = 80;

impl Found {
    /// A line a node, the best first, below a line that says how many there are.
    #[must_use]
    pub fn print(&self, question: &Question) -> String {
        let file = quoted(&self.file, NAME);
        if self.total == 0 {
            return format!("No node of {file} fits.\n");
        }
        let (first, last) = (question.offset + 1, question.offset + self.hits.len());
        let which = match self.hits.len() {
            0 => format!("none from {first} on"),
            here if here == self.total => "all of them here".to_owned(),
            _ => format!("{first} to {last} here"),
        };
        let nodes = if self.total == 1 { "node" } else { "nodes" };
        let mut text =
            format!("{} {nodes} of {file}, {which}. ID TYPE \"name\" size · where · why\n", self.total);
        for hit in &self.hits {
            text += &hit.line();
            text.push('\n');
        }
        text
    }
}

impl Hit {
    fn line(&self) -> String {
        let mut line = format!("{} {} {}", self.id, self.kind, quoted(&self.name, NAME));
        if let Some(area) = &self.area {
            line += &format!(" {}", area.size());
        }
        if self.is_hidden {
            line += " hidden";
        }
        match self.dev_status.as_deref() {
            Some("READY_FOR_DEV") => line += " ready for dev",
            Some("COMPLETED") => line += " completed",
            Some(other) => line += &format!(" {other}"),
            None => {}
        }
        if !self.path.is_empty() {
            line += &format!(" · {}", self.path.join(" › "));
        }
        if let Some(component) = &self.component {
            line += &format!(" · of {}", quoted(component, NAME));
        }
        // Many texts are called what they say.
        if let Some(text) = self.text.as_ref().filter(|text| **text != self.name) {
            line += &format!(" · says {}", quoted(text, NAME * 2));
        }
        if let Some((field, fit, name)) = &self.found {
            if let (Some(name), Field::Style | Field::Variable) = (name, field) {
                line += &format!(" · {} {}", field.name(), quoted(name, NAME));
            }
            if fit.is_corrected() {
                line += " · similar";
            }
        }
        line
    }
}
