//! Every scenario of nested PID namespaces up to a bound.
#![forbid(unsafe_code)]

mod bounds;
mod calls;
mod expand;
mod hash;
mod moves;
mod property;
mod space;
mod told;
mod written;

pub use bounds::Bounds;
pub use calls::Alphabet;
pub use moves::Move;
pub use property::{Checked, PROPERTIES, Property, When};
pub use space::{Plan, Space, State, Transition};
