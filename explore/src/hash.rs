//! Hashes of 128 bits: the same on every machine, and for what is known of as a set, in whatever order it is met.

use siphasher::sip128::{Hasher128, SipHasher13};
use std::hash::Hasher;

/// SipHash-1-3 with 128 bits and a key of zeros.
///
/// States are told apart by it alone. Two of a million states have the same one with a chance of one in 10^27; then one of them is taken for
/// the other, and what only it leads to is not seen.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct Hash128(pub(crate) [u64; 2]);

impl Hash128 {
    pub(crate) fn of(bytes: &[u8]) -> Hash128 {
        let mut hasher = SipHasher13::new();
        hasher.write(bytes);
        let hash = hasher.finish128();
        Hash128([hash.h1, hash.h2])
    }

    /// Of several parts, each of which has an end of its own.
    pub(crate) fn of_all(parts: &[Hash128]) -> Hash128 {
        let mut hasher = SipHasher13::new();
        for part in parts {
            part.0.iter().for_each(|word| hasher.write(&word.to_le_bytes()));
        }
        let hash = hasher.finish128();
        Hash128([hash.h1, hash.h2])
    }
}

/// The hash of a set: the sum of those of its members, so that no order matters.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct SetHash(u128);

impl SetHash {
    pub(crate) fn add(&mut self, member: Hash128) {
        self.0 = self.0.wrapping_add(u128::from(member.0[0]) << 64 | u128::from(member.0[1]));
    }

    pub(crate) fn add_all(&mut self, other: SetHash) {
        self.0 = self.0.wrapping_add(other.0);
    }

    pub(crate) fn value(self) -> u128 {
        self.0
    }
}

/// A hasher for what is a hash already.
#[derive(Clone, Default)]
pub(crate) struct AsItIs(u64);

impl Hasher for AsItIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _: &[u8]) {
        unreachable!("it is for hashes only")
    }

    fn write_u64(&mut self, word: u64) {
        self.0 = word;
    }

    fn write_usize(&mut self, _: usize) {}
}

/// A key in the table: its first word is hash enough.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Key(pub(crate) Hash128);

impl std::hash::Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.0.0[0]);
    }
}
