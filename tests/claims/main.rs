//! Claims: whatever an observation says can be claimed, and no claim of the library holds by luck.

mod complete;
mod outcomes;
#[path = "../tool/places.rs"]
mod places;
mod wrong;
