//! Finds again what is kept one behind the other, by its bytes.

use std::hash::{BuildHasher, Hasher};

use foldhash::fast::RandomState;

/// Numbers by the bytes of what they stand for, which lie elsewhere.
#[derive(Debug, Default)]
pub(in crate::design) struct Table {
    /// A part of the hash, and the number plus one; 0 is a free place. Never more than two thirds full.
    slots: Vec<(u32, u32)>,
    count: usize,
    hashing: RandomState,
}

/// A place for what is not there yet.
#[derive(Debug, Clone, Copy)]
pub(in crate::design) struct Place {
    hash: u32,
    at: usize,
}

impl Table {
    /// The number of what has these bytes, as `is_it` says of a number; else where to put it.
    #[inline]
    pub(in crate::design) fn find(
        &mut self,
        bytes: &[u8],
        is_it: impl Fn(u32) -> bool,
    ) -> Result<u32, Place> {
        if self.count * 3 >= self.slots.len() * 2 {
            self.widen();
        }
        let hash = self.hash(bytes);
        let mask = self.slots.len() - 1;
        let mut at = hash as usize & mask;
        while let Some(&(known, number)) = self.slots.get(at)
            && let Some(number) = number.checked_sub(1)
        {
            if known == hash && is_it(number) {
                return Ok(number);
            }
            at = (at + 1) & mask;
        }
        Err(Place { hash, at })
    }

    /// Puts a number where [`Table::find`] found nothing just now.
    pub(in crate::design) fn put(&mut self, place: Place, number: u32) {
        if let (Some(slot), Some(number)) = (self.slots.get_mut(place.at), number.checked_add(1)) {
            *slot = (place.hash, number);
            self.count += 1;
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "half of a hash is one")]
    fn hash(&self, bytes: &[u8]) -> u32 {
        let mut hasher = self.hashing.build_hasher();
        hasher.write(bytes);
        hasher.finish() as u32
    }

    fn widen(&mut self) {
        let slots = vec![(0, 0); (self.slots.len() * 2).max(64)];
        let mask = slots.len() - 1;
        for (hash, number) in std::mem::replace(&mut self.slots, slots) {
            let mut at = hash as usize & mask;
            while self.slots.get(at).is_some_and(|(_, number)| *number != 0) {
                at = (at + 1) & mask;
            }
            if let Some(slot) = self.slots.get_mut(at).filter(|_| number != 0) {
                *slot = (hash, number);
            }
        }
    }
}
