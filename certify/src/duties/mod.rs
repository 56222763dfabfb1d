//! What is played for each duty.

pub(crate) mod reaping;
pub(crate) mod running;
pub(crate) mod signals;
pub(crate) mod status;
pub(crate) mod terminal;
pub(crate) mod told;
