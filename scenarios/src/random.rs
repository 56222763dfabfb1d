//! Random scenarios that are valid: nobody acts who cannot, nobody is named who has no number.
//!
//! A scenario grows from a list of choices, a few bytes each. Every list gives a valid scenario, so a generator of bytes is a
//! generator of scenarios, and leaving choices out is all that shrinking takes. Who can act depends on what Linux does, and this
//! crate does not know that: a [`Guide`] does (the model).

mod bytes;
mod clones;
mod config;
mod grow;
mod guide;
mod maker;
mod opening;
mod signals;
mod targets;
#[cfg(test)]
mod tests;
mod theme;

pub use bytes::Choice;
pub use config::RandomConfig;
#[cfg(feature = "proptest")]
pub use grow::choices;
pub use grow::scenario;
pub use guide::Guide;
pub use theme::Theme;
