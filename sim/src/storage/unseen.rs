//! What a world carries along without being another world for it.

use std::hash::{Hash, Hasher};
use std::ops::{Deref, DerefMut};

/// A value that two worlds may differ in and still be equal: it follows from the rest, or no one can ever see it.
#[derive(Debug, Default)]
pub(crate) struct Unseen<T>(pub(crate) T);

impl<T: Clone> Clone for Unseen<T> {
    fn clone(&self) -> Unseen<T> {
        Unseen(self.0.clone())
    }

    fn clone_from(&mut self, source: &Unseen<T>) {
        self.0.clone_from(&source.0);
    }
}

impl<T> PartialEq for Unseen<T> {
    fn eq(&self, _: &Unseen<T>) -> bool {
        true
    }
}

impl<T> Eq for Unseen<T> {}

impl<T> Hash for Unseen<T> {
    fn hash<H: Hasher>(&self, _: &mut H) {}
}

impl<T> Deref for Unseen<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> DerefMut for Unseen<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}
