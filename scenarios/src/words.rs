//! How a scenario file is written, for programs that help to write one: the table of calls, and what a mistyped word means.

pub use crate::argument::{Alternatives, Argument, CallWords, Kind};
pub use crate::call::calls;
pub use crate::spelling::nearest;
