//! What has been understood once is found again by its raw bytes: designs repeat their values by the
//! thousand.

use std::collections::HashMap;

use foldhash::fast::RandomState;

/// Values by the raw JSON that they were read from.
#[derive(Debug)]
pub(super) struct Memo<T> {
    known: HashMap<Box<[u8]>, T, RandomState>,
    /// How many bytes of raw JSON are kept.
    size: usize,
}

/// Longer values hardly ever repeat.
const LONGEST: usize = 4096;
/// No more raw JSON than this is kept in one memo.
const MOST: usize = 1 << 20;

impl<T> Default for Memo<T> {
    fn default() -> Self {
        Self { known: HashMap::default(), size: 0 }
    }
}

impl<T: Copy> Memo<T> {
    /// What these bytes mean, understood now if not before.
    pub(super) fn get(&mut self, raw: &[u8], understand: impl FnOnce() -> T) -> T {
        if let Some(known) = self.known.get(raw) {
            return *known;
        }
        let value = understand();
        if raw.len() <= LONGEST && self.size + raw.len() <= MOST {
            self.size += raw.len();
            self.known.insert(raw.into(), value);
        }
        value
    }
}
