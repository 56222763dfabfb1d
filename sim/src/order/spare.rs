//! Worlds that nobody needs any more: the next copies are made in their memory.

use std::fmt;

use crate::world::World;

/// Some of them. A copy of a world asks for memory a dozen times and more; one that is made in another's asks for none, mostly, and that is a fifth of a
/// search.
#[derive(Default)]
pub struct Spare(Vec<World>);

/// A copy has none: they are worth nothing but time.
impl Clone for Spare {
    fn clone(&self) -> Spare {
        Spare::default()
    }
}

impl fmt::Debug for Spare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Spare").field(&self.0.len()).finish()
    }
}

impl Spare {
    /// More are never at hand between two copies but after a search, where they would only be held.
    const MOST: usize = 64;

    /// Copies a world.
    pub(crate) fn copy(&mut self, of: &World) -> World {
        match self.0.pop() {
            Some(mut world) => {
                world.clone_from(of);
                world
            }
            None => of.clone(),
        }
    }

    /// Takes back a world that nobody needs any more.
    pub(crate) fn take_back(&mut self, world: World) {
        if self.0.len() < Spare::MOST {
            self.0.push(world);
        }
    }
}
