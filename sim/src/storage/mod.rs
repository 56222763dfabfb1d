//! Where the objects are kept. Nothing here knows what Linux is; skip it at a first reading.

pub(crate) mod again;

pub(crate) mod arena;

pub(crate) mod free;

pub(crate) mod idr;

pub(crate) mod numbers;

pub(crate) mod unseen;
