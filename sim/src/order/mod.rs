//! Who runs when: the list of turns is the list of races.
//!
//! Nobody reacts inside an event. Whoever is signalled, woken or killed is put on the run queue, and what it does there is its next
//! [`turn`]. On Linux the order is the scheduler's choice. [`orders`] follows one order, first come first served; [`possible`] searches
//! all of them for what a kernel showed.

pub(crate) mod turn;

pub(crate) mod orders;

pub(crate) mod possible;

pub(crate) mod spare;
