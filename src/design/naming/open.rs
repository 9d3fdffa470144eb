//! The members of the nodes that are open, from the root down.

/// What was told of each open node so far.
#[derive(Debug, Default)]
pub(super) struct OpenNodes<T> {
    /// By level; those above the open ones keep their room for the next node.
    levels: Vec<Vec<(String, T)>>,
    depth: usize,
}

impl<T> OpenNodes<T> {
    pub(super) fn open(&mut self) {
        if self.levels.len() == self.depth {
            self.levels.push(Vec::new());
        }
        if let Some(members) = self.levels.get_mut(self.depth) {
            members.clear();
        }
        self.depth += 1;
    }

    /// Notes a member of the innermost open node.
    pub(super) fn member(&mut self, key: &[u8], value: T) {
        if let Some(members) = self.depth.checked_sub(1).and_then(|at| self.levels.get_mut(at)) {
            members.push((String::from_utf8_lossy(key).into_owned(), value));
        }
    }

    /// The members of the innermost open node, which ends.
    pub(super) fn close(&mut self) -> Vec<(String, T)> {
        self.depth = self.depth.saturating_sub(1);
        self.levels.get_mut(self.depth).map(std::mem::take).unwrap_or_default()
    }
}
