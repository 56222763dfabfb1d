//! Objects of one kind, each in a slot that has a name of its own type.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::ops::{Index, IndexMut};

use super::unseen::Unseen;

/// The name of a slot.
pub(crate) trait Id: Copy {
    fn from_index(index: usize) -> Self;
    fn index(self) -> usize;
}

/// An object, and what an empty slot holds: all empty slots are equal, whoever had them.
pub(crate) trait Slot {
    const VACANT: Self;
}

/// Declares the type of a name: small, and there is room for "none" in it.
macro_rules! id {
    ($(#[$meta:meta])* $visibility:vis $type:ident) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        $visibility struct $type(std::num::NonZeroU32);

        impl $type {
            /// The first slot; also what stands where nobody is meant.
            pub(crate) const FIRST: $type = $type(std::num::NonZeroU32::MIN);
        }

        impl $crate::storage::arena::Id for $type {
            #[inline]
            fn from_index(index: usize) -> $type {
                let number = u32::try_from(index).ok().and_then(std::num::NonZeroU32::new);
                $type(number.expect("the PIDs of a namespace run out long before the slots do"))
            }

            #[inline]
            fn index(self) -> usize {
                self.0.get() as usize
            }
        }
    };
}
pub(crate) use id;

/// Slots, and which of them are free. How many free ones there are at the end is nothing that could be seen. Slot 0 is nobody's:
/// a name is the place in the list itself, and none is 0.
#[derive(Clone, Debug)]
pub(crate) struct Arena<I: Ord, T> {
    slots: Vec<T>,
    /// The lowest is used first: which became free first must not be seen.
    free: Unseen<BinaryHeap<Reverse<I>>>,
    of: PhantomData<I>,
}

impl<I: Id + Ord, T: Slot> Arena<I, T> {
    pub(crate) fn new() -> Arena<I, T> {
        Arena { slots: vec![T::VACANT], free: Unseen(BinaryHeap::new()), of: PhantomData }
    }

    /// The slot that the next object gets.
    #[inline]
    pub(crate) fn next(&self) -> I {
        self.free.peek().map_or_else(|| I::from_index(self.slots.len()), |lowest| lowest.0)
    }

    /// Puts an object into the slot that [`Arena::next`] named.
    #[inline]
    pub(crate) fn insert(&mut self, object: T) -> I {
        match self.free.pop() {
            Some(Reverse(id)) => {
                self.slots[id.index()] = object;
                id
            }
            None => {
                self.slots.push(object);
                I::from_index(self.slots.len() - 1)
            }
        }
    }

    /// Empties a slot.
    #[inline]
    pub(crate) fn remove(&mut self, id: I) {
        self.slots[id.index()] = T::VACANT;
        self.free.push(Reverse(id));
    }

    /// The object in a slot; a vacant one where the slot is empty.
    #[inline]
    pub(crate) fn get(&self, id: I) -> Option<&T> {
        self.slots.get(id.index())
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (I, &T)> + '_ {
        self.slots.iter().enumerate().skip(1).map(|(index, object)| (I::from_index(index), object))
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> + '_ {
        self.slots.iter_mut()
    }
}

impl<I: Ord, T: Slot + PartialEq> Arena<I, T> {
    /// The slots up to the last one that holds something.
    fn used(&self) -> &[T] {
        let used = self.slots.iter().rposition(|slot| *slot != T::VACANT).map_or(0, |last| last + 1);
        &self.slots[..used]
    }
}

impl<I: Ord, T: Slot + PartialEq> PartialEq for Arena<I, T> {
    fn eq(&self, other: &Arena<I, T>) -> bool {
        self.used() == other.used()
    }
}

impl<I: Ord, T: Slot + Eq> Eq for Arena<I, T> {}

impl<I: Ord, T: Slot + PartialEq + Hash> Hash for Arena<I, T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.used().hash(state);
    }
}

impl<I: Id + Ord, T> Index<I> for Arena<I, T> {
    type Output = T;

    #[inline]
    fn index(&self, id: I) -> &T {
        &self.slots[id.index()]
    }
}

impl<I: Id + Ord, T> IndexMut<I> for Arena<I, T> {
    #[inline]
    fn index_mut(&mut self, id: I) -> &mut T {
        &mut self.slots[id.index()]
    }
}
