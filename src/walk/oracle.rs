//! The same events as the [`Walker`](super::Walker)'s, from a parsed document: for tests to compare with.

use serde_json::{Map, Value};

use super::{Children, Flow, Visitor};

/// Writes an answer as Figma does, without white space, and tells the visitor what a walk over the
/// text has to tell it. Returns the text.
pub(crate) fn drive(answer: &Map<String, Value>, visitor: &mut impl Visitor) -> String {
    let mut oracle = Oracle { text: String::new(), visitor };
    match answer.keys().next().map(String::as_str) {
        Some("id" | "type" | "visible" | "children") => oracle.node(answer, true),
        _ => oracle.answer(answer),
    }
    oracle.text
}

struct Oracle<'a, V> {
    text: String,
    visitor: &'a mut V,
}

impl<V: Visitor> Oracle<'_, V> {
    fn object(&mut self, members: &Map<String, Value>, mut each: impl FnMut(&mut Self, &str, &Value)) {
        self.text.push('{');
        for (n, (key, value)) in members.iter().enumerate() {
            if n > 0 {
                self.text.push(',');
            }
            self.text.push_str(&Value::from(key.as_str()).to_string());
            self.text.push(':');
            each(self, key, value);
        }
        self.text.push('}');
    }

    fn answer(&mut self, answer: &Map<String, Value>) {
        self.object(answer, |this, key, value| match (key, value) {
            ("document", Value::Object(node)) => this.node(node, true),
            ("nodes", Value::Object(entries)) => this.object(entries, Self::entry),
            _ => this.beside(None, key, value),
        });
    }

    fn entry(&mut self, id: &str, entry: &Value) {
        let Value::Object(entry) = entry else { return self.beside(Some(id), "", entry) };
        self.object(entry, |this, key, value| match (key, value) {
            ("document", Value::Object(node)) => this.node(node, true),
            _ => this.beside(Some(id), key, value),
        });
    }

    fn beside(&mut self, entry: Option<&str>, key: &str, value: &Value) {
        let value = value.to_string();
        if entry.is_none() {
            let begin = self.text.len();
            self.visitor.lies(key.as_bytes(), begin as u64, (begin + value.len()) as u64);
        }
        let wanted = if entry.is_some() && key.is_empty() { entry.unwrap_or_default() } else { key };
        if self.visitor.wants_beside(wanted.as_bytes()) {
            self.visitor.beside(entry, key.as_bytes(), value.as_bytes());
        }
        self.text.push_str(&value);
    }

    /// `is_told` is false within a node that is skipped: it is written all the same.
    fn node(&mut self, node: &Map<String, Value>, mut is_told: bool) {
        let was_told = is_told;
        let mut after = self.text.len() as u64 + 1;
        if was_told {
            self.visitor.open(self.text.len() as u64);
        }
        self.object(node, |this, key, value| {
            if let ("children", Value::Array(children)) = (key, value) {
                let begin = this.text.len();
                this.children(children, is_told);
                if is_told {
                    let (begin, end) = (begin as u64, this.text.len() as u64);
                    this.visitor.children(Children { after, begin, end });
                }
                after = this.text.len() as u64;
                return;
            }
            let value = value.to_string();
            let member = super::Member::of(key.as_bytes());
            if is_told && this.visitor.wants(member, key.as_bytes()) {
                is_told = this.visitor.member(member, key.as_bytes(), value.as_bytes()) == Flow::Continue;
            }
            this.text.push_str(&value);
            after = this.text.len() as u64;
        });
        if was_told {
            self.visitor.close(self.text.len() as u64);
        }
    }

    fn children(&mut self, children: &[Value], is_told: bool) {
        self.text.push('[');
        for (n, child) in children.iter().enumerate() {
            if n > 0 {
                self.text.push(',');
            }
            self.node(child.as_object().unwrap(), is_told);
        }
        self.text.push(']');
    }
}
