//! Signals, from the sender's call to the receiver's way back to user mode.
//!
//! What becomes of a signal is decided when it is sent, by the sender ([`send`]): dropped, put into a queue, or fatal there and then.
//! The receiver only carries it out ([`entry`](crate::entry)).

pub(crate) mod info;

pub(crate) mod pending;

pub(crate) mod send;

pub(crate) mod notify;

pub(crate) mod stop;

pub(crate) mod force;

pub(crate) mod kill;

pub(crate) mod action;

pub(crate) mod sigwait;
