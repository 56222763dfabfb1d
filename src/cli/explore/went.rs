//! What came of one walk on the kernel.

use pidlab_explore::Followed;
use pidlab_scenario::Scenario;

/// A walk that goes wrong, as short as it could be made.
pub(super) struct Wrong {
    pub(super) scenario: Scenario,
    pub(super) report: String,
    pub(super) replays: usize,
}

/// What came of one walk.
pub(super) enum Went {
    /// Both machines agree on so many steps; where no moves are given, the kernel has made all of the walk.
    Well(usize, Option<Followed>),
    NotDecided,
    /// The surroundings did not let it run.
    Skipped(String),
    Wrong(Box<Wrong>),
}
