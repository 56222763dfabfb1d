//! Objects of one kind, each in a slot that has a name of its own type.

use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::ops::{Index, IndexMut};

use super::again::clone_fields;
use super::free::Free;
use super::unseen::Unseen;

/// The name of an object in a slot.
pub(crate) trait Id: Copy {
    /// Whether a slot's objects have names of their own.
    const COUNTS: bool;
    /// The name of the first object in a slot.
    fn first(index: usize) -> Self;
    /// Its slot.
    fn index(self) -> usize;
    /// The name of the slot's next object; `None` if the slot has no name left: then it stays empty.
    fn successor(self) -> Option<Self>;
}

/// An object, and what an empty slot holds: all empty slots are equal, whoever had them.
pub(crate) trait Slot {
    const VACANT: Self;
}

/// Declares the type of a name: small, and there is room for "none" in it.
///
/// The slot stands in the high bits. In the low ones, as many as are given here, stands how many others had the slot before, so that
/// no name comes back as a stranger's. Names that nobody outside can keep need none of these bits.
macro_rules! id {
    ($(#[$meta:meta])* $visibility:vis $type:ident, $bits:literal) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        $visibility struct $type(std::num::NonZeroU32);

        impl $type {
            /// The first object in the first slot; also what stands where nobody is meant.
            pub(crate) const FIRST: $type = $type(std::num::NonZeroU32::MIN.saturating_mul(Self::NAMES));
            /// How many names a slot has.
            const NAMES: std::num::NonZeroU32 = std::num::NonZeroU32::new(1 << $bits).expect("a power is not 0");
        }

        impl $crate::storage::arena::Id for $type {
            const COUNTS: bool = $bits > 0;

            #[inline]
            fn first(index: usize) -> $type {
                let number = u32::try_from(index).ok().and_then(std::num::NonZeroU32::new);
                $type(number.and_then(|number| number.checked_mul(Self::NAMES)).expect("there are names left"))
            }

            #[inline(always)]
            fn index(self) -> usize {
                (self.0.get() >> $bits) as usize
            }

            #[inline]
            fn successor(self) -> Option<$type> {
                if !Self::COUNTS {
                    return Some(self);
                }
                let next = $type(self.0.checked_add(1)?);
                (next.index() == self.index()).then_some(next)
            }
        }

        impl std::fmt::Debug for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{}({}", stringify!($type), $crate::storage::arena::Id::index(*self))?;
                match self.0.get() % Self::NAMES {
                    0 => write!(f, ")"),
                    before => write!(f, ", after {before} others)"),
                }
            }
        }
    };
}
pub(crate) use id;

/// Slots, and which of them are free. How many free ones there are at the end is nothing that could be seen, unless their next objects
/// have names of their own. Slot 0 is nobody's: no name is 0.
#[derive(Debug)]
pub(crate) struct Arena<I: Ord, T> {
    slots: Vec<T>,
    /// The names that the next objects get. The lowest slot is used first: which became free first must not be seen.
    free: Unseen<Free<I>>,
    of: PhantomData<I>,
}

impl<I: Ord + Clone, T: Clone> Clone for Arena<I, T> {
    fn clone(&self) -> Arena<I, T> {
        Arena { slots: self.slots.clone(), free: self.free.clone(), of: PhantomData }
    }

    fn clone_from(&mut self, source: &Arena<I, T>) {
        clone_fields!(self, source, Arena { slots, free, of });
    }
}

impl<I: Id + Ord, T: Slot> Arena<I, T> {
    pub(crate) fn new() -> Arena<I, T> {
        Arena { slots: vec![T::VACANT], free: Unseen(Free::default()), of: PhantomData }
    }

    /// The name that the next object gets.
    #[inline(always)]
    pub(crate) fn next(&self) -> I {
        self.free.peek().unwrap_or_else(|| I::first(self.slots.len()))
    }

    /// Puts an object where [`Arena::next`] said.
    #[inline(always)]
    pub(crate) fn insert(&mut self, object: T) -> I {
        match self.free.pop() {
            Some(id) => {
                self.slots[id.index()] = object;
                id
            }
            None => {
                self.slots.push(object);
                I::first(self.slots.len() - 1)
            }
        }
    }

    /// Empties a slot. Nothing has this name any more, ever, where names have room for that.
    #[inline(always)]
    pub(crate) fn remove(&mut self, id: I) {
        self.slots[id.index()] = T::VACANT;
        if let Some(next) = id.successor() {
            self.free.push(next);
        }
    }

    /// What is in the slot of a name, whoever that is by now; a vacant object where it is empty.
    #[inline]
    pub(crate) fn in_slot_of(&self, id: I) -> Option<&T> {
        self.slots.get(id.index())
    }

    /// What is in the slots, vacant ones included.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> + '_ {
        self.slots.iter()
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> + '_ {
        self.slots.iter_mut()
    }
}

impl<I: Id + Ord, T: Slot + PartialEq> Arena<I, T> {
    /// The slots up to the last one that matters: one that holds something, or one whose next object has another name than a first one.
    fn used(&self) -> &[T] {
        if I::COUNTS {
            return &self.slots;
        }
        let used = self.slots.iter().rposition(|slot| *slot != T::VACANT).map_or(0, |last| last + 1);
        &self.slots[..used]
    }

    /// The names that objects will get, where these are not simply those of slots.
    fn names_to_come(&self) -> Vec<I> {
        let mut names: Vec<I> = self.free.iter().filter(|_| I::COUNTS).collect();
        names.sort_unstable();
        names
    }

    /// Forgets how many objects the vacant slots have held.
    pub(crate) fn forget_names(&mut self) {
        let used = self.slots.iter().rposition(|slot| *slot != T::VACANT).map_or(1, |last| last + 1);
        self.slots.truncate(used);
        self.free = Unseen(Free::default());
    }
}

impl<I: Id + Ord, T: Slot + PartialEq> PartialEq for Arena<I, T> {
    fn eq(&self, other: &Arena<I, T>) -> bool {
        self.used() == other.used() && self.names_to_come() == other.names_to_come()
    }
}

impl<I: Id + Ord, T: Slot + Eq> Eq for Arena<I, T> {}

impl<I: Id + Ord + Hash, T: Slot + PartialEq + Hash> Hash for Arena<I, T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.used().hash(state);
        self.names_to_come().hash(state);
    }
}

impl<I: Id + Ord, T> Index<I> for Arena<I, T> {
    type Output = T;

    #[inline(always)]
    fn index(&self, id: I) -> &T {
        &self.slots[id.index()]
    }
}

impl<I: Id + Ord, T> IndexMut<I> for Arena<I, T> {
    #[inline(always)]
    fn index_mut(&mut self, id: I) -> &mut T {
        &mut self.slots[id.index()]
    }
}
