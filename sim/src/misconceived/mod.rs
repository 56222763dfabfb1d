//! What would happen if a [`Misconception`](crate::Misconception) were true: the wrong turns, apart from what is so.
//!
//! Where one would be decided the model asks with one comparison whether it follows it; what it does then stands here, so that the rest
//! can be read without it. A file for each place, for the places use one another.
//!
//! A wrong world need not be a sound one, and nobody checks its invariants; but it goes on, whatever a scenario does to it.

pub(crate) mod numbers;

pub(crate) mod birth;

pub(crate) mod shield;

pub(crate) mod places;

pub(crate) mod orphans;

pub(crate) mod ends;

pub(crate) mod targets;
