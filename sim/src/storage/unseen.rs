//! What a world carries along without being another world for it.

use std::hash::{Hash, Hasher};
use std::ops::{Deref, DerefMut};

/// A value that two worlds may differ in and still be equal: it follows from the rest, or no one can ever see it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Unseen<T>(pub(crate) T);

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
