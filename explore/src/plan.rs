//! What is explored, and how far.

use pidlab_scenario::Facts;
use pidlab_sim::{Misconception, Numbers};

use crate::bounds::Bounds;
use crate::calls::Alphabet;

/// What is explored.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Plan {
    /// The kernel that the model is one of.
    pub facts: Facts,
    /// What the model takes for true though it is not.
    pub misconception: Option<Misconception>,
    /// Which calls are tried.
    pub alphabet: Alphabet,
    /// How far it goes.
    pub bounds: Bounds,
    /// Whether states that differ in numbers alone are one.
    pub numbers: Numbers,
    /// How many threads work.
    pub jobs: usize,
}

impl Plan {
    /// Of these calls up to these bounds, on the newest kernel; numbers are renamed where no call says any.
    pub fn new(alphabet: Alphabet, bounds: Bounds) -> Plan {
        let numbers = if alphabet.can_rename() { Numbers::Renamed } else { Numbers::Exact };
        Plan { facts: Facts::newest(), misconception: None, alphabet, bounds, numbers, jobs: 1 }
    }
}
