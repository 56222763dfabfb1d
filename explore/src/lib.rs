//! Every scenario of nested PID namespaces up to a bound.
#![forbid(unsafe_code)]

mod apart;
mod bounds;
mod calls;
mod expand;
mod follow;
mod hash;
mod moves;
mod property;
mod space;
mod told;
mod trail;
mod walk;
mod written;

pub use apart::{Apart, Other, tell_apart};
pub use bounds::Bounds;
pub use calls::Alphabet;
pub use follow::Followed;
pub use moves::Move;
pub use property::{Checked, PROPERTIES, Property, When};
pub use space::{Plan, Space, State, Transition};
pub use walk::{Cover, Laying, Walk};
