//! Which numbers of one namespace are taken, and by whom (kernel: `struct idr`).
//!
//! A tree of three floors: leaves of 64 numbers with one bit each, blocks of 64 leaves with one bit a full leaf, and a list of
//! blocks. "The lowest free number from here on" never looks at numbers one by one, even when four million of them are taken,
//! and a namespace in which only the number 30000 is taken is as small as one with only the number 2.

use super::again::clone_by_fields;
use crate::objects::ids::PidId;

const FAN: u32 = 64;

#[derive(Clone, Debug)]
struct Leaf {
    used: u64,
    holders: [Option<PidId>; FAN as usize],
}

#[derive(Debug)]
struct Block {
    /// One bit a leaf: no number of it is free.
    full: u64,
    leaves: [Option<Box<Leaf>>; FAN as usize],
}

/// The taken numbers of a namespace, with the `struct pid` that each belongs to.
#[derive(Debug)]
pub(crate) struct Idr {
    blocks: Vec<Option<Box<Block>>>,
}

impl Clone for Block {
    fn clone(&self) -> Block {
        Block { full: self.full, leaves: self.leaves.clone() }
    }

    fn clone_from(&mut self, source: &Block) {
        self.full = source.full;
        for (leaf, other) in self.leaves.iter_mut().zip(&source.leaves) {
            match (leaf, other) {
                (None, None) => {}
                (leaf, other) => leaf.clone_from(other),
            }
        }
    }
}

clone_by_fields!(Idr { blocks });

impl Idr {
    pub(crate) const EMPTY: Idr = Idr { blocks: Vec::new() };

    #[inline]
    fn leaf(&self, number: u32) -> Option<&Leaf> {
        let block = self.blocks.get((number / (FAN * FAN)) as usize)?.as_ref()?;
        block.leaves[(number / FAN % FAN) as usize].as_deref()
    }

    #[inline]
    pub(crate) fn get(&self, number: u32) -> Option<PidId> {
        self.leaf(number)?.holders[(number % FAN) as usize]
    }

    pub(crate) fn is_free(&self, number: u32) -> bool {
        self.get(number).is_none()
    }

    /// Takes a free number.
    #[inline]
    pub(crate) fn insert(&mut self, number: u32, holder: PidId) {
        let block = (number / (FAN * FAN)) as usize;
        if block >= self.blocks.len() {
            self.blocks.resize_with(block + 1, || None);
        }
        let block = self.blocks[block].get_or_insert_with(|| Box::new(Block { full: 0, leaves: [const { None }; 64] }));
        let at = (number / FAN % FAN) as usize;
        let leaf = block.leaves[at].get_or_insert_with(|| Box::new(Leaf { used: 0, holders: [None; FAN as usize] }));
        debug_assert!(leaf.used & (1 << (number % FAN)) == 0, "a number has one holder");
        leaf.used |= 1 << (number % FAN);
        leaf.holders[(number % FAN) as usize] = Some(holder);
        if leaf.used == u64::MAX {
            block.full |= 1 << at;
        }
    }

    /// Takes the lowest free number of `from..=to`.
    #[inline]
    pub(crate) fn insert_first(&mut self, from: u32, to: u32, holder: PidId) -> Option<u32> {
        // Mostly the leaf of `from` has room, and then one visit finds the number and takes it.
        if let Some(Some(block)) = self.blocks.get_mut((from / (FAN * FAN)) as usize)
            && let Some(leaf) = block.leaves[(from / FAN % FAN) as usize].as_deref_mut()
        {
            let free = !leaf.used & (u64::MAX << (from % FAN));
            let offset = free.trailing_zeros();
            let number = from / FAN * FAN + offset;
            if free != 0 && number <= to {
                leaf.used |= 1 << offset;
                leaf.holders[offset as usize % FAN as usize] = Some(holder);
                if leaf.used == u64::MAX {
                    block.full |= 1 << (from / FAN % FAN);
                }
                return Some(number);
            }
        }
        self.insert_beyond(from, to, holder)
    }

    /// The same where it has to be looked for.
    #[cold]
    #[inline(never)]
    pub(crate) fn insert_beyond(&mut self, from: u32, to: u32, holder: PidId) -> Option<u32> {
        let number = self.first_free(from, to)?;
        self.insert(number, holder);
        Some(number)
    }

    /// Gives a taken number back.
    #[inline]
    pub(crate) fn remove(&mut self, number: u32) {
        let block = self.blocks[(number / (FAN * FAN)) as usize].as_deref_mut().expect("a taken number has a block");
        let at = (number / FAN % FAN) as usize;
        let leaf = block.leaves[at].as_deref_mut().expect("a taken number has a leaf");
        leaf.used &= !(1 << (number % FAN));
        leaf.holders[(number % FAN) as usize] = None;
        block.full &= !(1 << at);
    }

    /// The lowest free number of `from..=to`.
    #[inline]
    pub(crate) fn first_free(&self, from: u32, to: u32) -> Option<u32> {
        if from > to {
            return None;
        }
        let Some(leaf) = self.leaf(from) else { return Some(from) };
        let free = !leaf.used & (u64::MAX << (from % FAN));
        let number = if free != 0 { from / FAN * FAN + free.trailing_zeros() } else { self.beyond(from / FAN + 1) };
        (number <= to).then_some(number)
    }

    /// The lowest free number from this leaf on.
    #[cold]
    fn beyond(&self, leaf: u32) -> u32 {
        let mut at = leaf;
        while let Some(Some(block)) = self.blocks.get((at / FAN) as usize) {
            let room = !block.full & (u64::MAX << (at % FAN));
            if room == 0 {
                at = (at / FAN + 1) * FAN;
                continue;
            }
            at = at / FAN * FAN + room.trailing_zeros();
            let used = block.leaves[(at % FAN) as usize].as_ref().map_or(0, |leaf| leaf.used);
            return at * FAN + (!used).trailing_zeros();
        }
        at * FAN
    }

    /// Everybody with a number of at least `from`, in the order of numbers.
    pub(crate) fn holders(&self, from: u32) -> impl Iterator<Item = (u32, PidId)> + '_ {
        let blocks = self.blocks.iter().enumerate().filter_map(|(at, block)| Some((at as u32, block.as_deref()?)));
        let leaves = blocks.flat_map(|(at, block)| {
            block.leaves.iter().enumerate().filter_map(move |(leaf, it)| Some((at * FAN + leaf as u32, it.as_deref()?)))
        });
        leaves.flat_map(move |(at, leaf)| {
            leaf.holders.iter().enumerate().filter_map(move |(offset, holder)| {
                let number = at * FAN + offset as u32;
                holder.filter(|_| number >= from).map(|holder| (number, holder))
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Block, FAN, Idr, Leaf};
    use crate::objects::ids::PidId;

    /// Copied over another one, which has what it has not, and lacks what it has: a full leaf among it.
    #[test]
    fn a_copy_over_another_is_a_copy() {
        fn of(numbers: impl IntoIterator<Item = u32>) -> Idr {
            let mut idr = Idr::EMPTY;
            numbers.into_iter().for_each(|number| idr.insert(number, PidId::FIRST));
            idr
        }
        let all = [of([]), of(1..3), of(0..FAN), of((FAN..2 * FAN).chain(5000..5002)), of(70..80)];
        for source in &all {
            for other in &all {
                let mut copy = other.clone();
                copy.clone_from(source);
                assert!(copy.holders(0).eq(source.holders(0)));
                for from in [0, 1, FAN, 2 * FAN, 5000] {
                    assert_eq!(copy.first_free(from, 10_000), source.first_free(from, 10_000), "from {from}");
                }
            }
        }
    }

    #[test]
    fn a_taken_number_is_little_more_than_the_name_of_its_holder() {
        let numbers = (FAN * FAN) as usize;
        let bytes = size_of::<Block>() + FAN as usize * size_of::<Leaf>();
        assert!(bytes * 10 <= numbers * 43, "{bytes} for {numbers}");
    }
}
