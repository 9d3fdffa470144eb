//! What has been understood once is found again by its raw bytes: designs repeat their values by the
//! thousand.

use super::table::Table;

/// Values by the raw JSON that they were read from.
#[derive(Debug)]
pub(in crate::design) struct Memo<T> {
    /// The raw JSON, one behind the other.
    raw: Vec<u8>,
    /// Where each ends in it, and what it means.
    known: Vec<(usize, T)>,
    numbers: Table,
}

/// Longer values hardly ever repeat.
const LONGEST: usize = 4096;
/// No more raw JSON than this is kept in one memo.
const MOST: usize = 1 << 20;

impl<T> Default for Memo<T> {
    fn default() -> Self {
        Self { raw: Vec::new(), known: Vec::new(), numbers: Table::default() }
    }
}

impl<T: Copy> Memo<T> {
    /// What these bytes mean, understood now if not before.
    pub(in crate::design) fn get(&mut self, raw: &[u8], understand: impl FnOnce() -> T) -> T {
        let (known, all) = (&self.known, &self.raw);
        let is_it = |number: u32| {
            let at = number as usize;
            let start = at.checked_sub(1).and_then(|before| known.get(before)).map_or(0, |(end, _)| *end);
            known.get(at).and_then(|(end, _)| all.get(start..*end)) == Some(raw)
        };
        let place = match self.numbers.find(raw, is_it) {
            Ok(number) => match self.known.get(number as usize) {
                Some((_, value)) => return *value,
                None => return understand(),
            },
            Err(place) => place,
        };
        let value = understand();
        if raw.len() <= LONGEST
            && self.raw.len() + raw.len() <= MOST
            && let Ok(number) = u32::try_from(self.known.len())
        {
            self.raw.extend_from_slice(raw);
            self.known.push((self.raw.len(), value));
            self.numbers.put(place, number);
        }
        value
    }
}
