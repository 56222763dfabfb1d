//! How large a scenario may be.

/// More bytes than this are no scenario file.
pub const MOST_BYTES: usize = 1 << 20;
/// More steps than this are refused.
pub(crate) const MOST_STEPS: usize = 4096;
/// More processes than this are refused.
pub(crate) const MOST_ROLES: usize = 1024;
/// The length of the longest list of numbers that `set_tid` takes: one more than the kernel does.
pub(crate) const MOST_LEVELS: usize = 33;
