//! Every scenario of nested PID namespaces up to a bound: the states that scenarios lead to, the transitions between them, and what is true of
//! all of them.
//!
//! Random scenarios find what nobody has thought of, and may miss what anybody would have tried. Here nothing is drawn: from every state that
//! a scenario leads to, every call is tried by everybody who can act, and every outcome that Linux may choose is followed.
//!
//! ```
//! use pidlab_explore::{Alphabet, Bounds, Cover, Laying, Plan, Space};
//!
//! let plan = Plan::new(Alphabet::core(), Bounds::default());
//! let space = Space::explore(&plan, |_, _| true).expect("nobody gives it up");
//! assert_eq!(space.graph().node_count(), 1054);
//!
//! // Walks from the start that take every transition, each an ordinary scenario.
//! let mut cover = Cover::of(&space);
//! let (walk, new) = cover.walk(&Laying::default()).expect("there is something left");
//! assert_eq!(space.scenario(&walk).steps.len(), walk.len());
//! assert!(new.len() > 3);
//! ```
//!
//! # What is one state
//!
//! A state is a world without its history, and without names. Two scenarios lead to the same one if whatever is done next comes out alike.
//! For that, [`Position::key`](pidlab_sim::Position::key) writes a world down from its processes, in the order in which they were born, to what
//! they lead to, and leaves out
//!
//! - the slots in which objects stand, and how many others stood there before;
//! - how many births there were, and how many namespaces: only the order of births stays, for kill(-1) goes by it;
//! - credentials and memories that nobody has any more, and what is counted where there is no limit;
//! - where no call says a number ([`Alphabet::can_rename`]): the PIDs themselves, the number that comes next, and who is reaped. Nothing
//!   hangs on them as long as none is given out for the second time, and none is in so short a scenario. With that, making a child and
//!   reaping it leads back to where it began, and small spaces have an end: longer scenarios lead nowhere else ([`Space::is_closed`]).
//!
//! The key is hashed to 128 bits (SipHash-1-3 with a key of zeros), and a state is known by this alone. If two of a million had the same
//! hash, one would be taken for the other, and what it alone leads to would not be seen; the chance of that is one in 10^27.
//!
//! # The hash of a space
//!
//! [`Space::hash`] is the sum, modulo 2^128, of the hashes of all states, and of all transitions: of the state before, the call in words, the
//! places of who calls and who is meant, what happens (results, who else returns, what handlers get), and the state after. A sum knows no
//! order, so the number of threads and the machine do not matter, and whoever explores the same with the same model gets the same.
//!
//! # What it costs
//!
//! A state is some 20 bytes in the graph and 24 in the table of keys, a transition 24. Worlds are not kept: the steps to a state are taken
//! again when its turn comes, and neighbours share most of them.
//!
//! # Reading order
//!
//! `calls` (what is tried), `bounds`, `moves` (one step without names), `expand` and `space` (breadth first), `property` (what is
//! always so), `walk` (the postman), `follow` (where a kernel went), `apart` (two models side by side).
#![forbid(unsafe_code)]

mod apart;
mod bounds;
mod calls;
mod checked;
mod expand;
mod follow;
mod hash;
mod moves;
mod plan;
mod property;
mod shares;
mod space;
mod told;
mod trail;
mod walk;
mod written;

pub use apart::{Apart, Other, tell_apart};
pub use bounds::Bounds;
pub use calls::Alphabet;
pub use checked::Checked;
pub use follow::Followed;
pub use moves::Move;
pub use plan::Plan;
pub use property::{PROPERTIES, Property, When};
pub use space::{Space, State, Transition};
pub use walk::{Cover, Laying, Walk};
