//! What is concluded from what was seen, on snapshots that are data.
#![forbid(unsafe_code)]

mod holders;
mod reports;
mod seen;
mod told;
