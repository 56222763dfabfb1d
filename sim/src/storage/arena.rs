//! Objects of one kind, each in a slot that has a name of its own type.

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
                let number = u32::try_from(index + 1).ok().and_then(std::num::NonZeroU32::new);
                $type(number.expect("the PIDs of a namespace run out long before the slots do"))
            }

            #[inline]
            fn index(self) -> usize {
                self.0.get() as usize - 1
            }
        }
    };
}
pub(crate) use id;

/// Slots, and which of them are free. The order of the free ones is nothing that could be seen.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Arena<I, T> {
    slots: Vec<T>,
    free: Unseen<Vec<I>>,
    of: PhantomData<I>,
}

impl<I: Id + Ord, T: Slot> Arena<I, T> {
    pub(crate) fn new() -> Arena<I, T> {
        Arena { slots: Vec::new(), free: Unseen(Vec::new()), of: PhantomData }
    }

    /// The slot that the next object gets.
    #[inline]
    pub(crate) fn next(&self) -> I {
        self.free.last().copied().unwrap_or_else(|| I::from_index(self.slots.len()))
    }

    /// Puts an object into the slot that [`Arena::next`] named.
    #[inline]
    pub(crate) fn insert(&mut self, object: T) -> I {
        match self.free.pop() {
            Some(id) => {
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
        self.free.push(id);
    }

    /// The object in a slot; a vacant one where the slot is empty.
    #[inline]
    pub(crate) fn get(&self, id: I) -> Option<&T> {
        self.slots.get(id.index())
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (I, &T)> + '_ {
        self.slots.iter().enumerate().map(|(index, object)| (I::from_index(index), object))
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> + '_ {
        self.slots.iter_mut()
    }

    /// Which slots are used next must not depend on the order in which they became free.
    pub(crate) fn sort_free(&mut self) {
        self.free.sort_unstable_by(|a, b| b.cmp(a));
    }
}

impl<I: Id, T> Index<I> for Arena<I, T> {
    type Output = T;

    #[inline]
    fn index(&self, id: I) -> &T {
        &self.slots[id.index()]
    }
}

impl<I: Id, T> IndexMut<I> for Arena<I, T> {
    #[inline]
    fn index_mut(&mut self, id: I) -> &mut T {
        &mut self.slots[id.index()]
    }
}
