//! An executable, explained model of Linux PID namespaces: who gets which number, who adopts whom, who dies with whom, and which signal
//! does nothing.
//!
//! ```text
//!  namespace level 0     1 host ──┬── 2 ───── 4
//!                                 │   │       │
//!  namespace level 1              └─  1 init  2 leaf        one process, one number at each level
//! ```
//!
//! There are two ways in. A [`World`] is used directly, with methods named like system calls:
//!
//! ```
//! use pidlab_scenario::{CloneFlags, Errno, Signal};
//! use pidlab_sim::{CloneArgs, World};
//!
//! let mut world = World::new();
//! let host = world.host();
//! let new_namespace = CloneArgs::new(CloneFlags::CLONE_NEWPID);
//! let init = world.clone3(host, &new_namespace)?;
//! assert_eq!(world.pids(init), [2, 1]);
//!
//! // From inside, even SIGKILL does nothing to init; from above it ends the namespace.
//! let member = world.fork(init)?;
//! world.kill(member, 1, Some(Signal::KILL))?;
//! assert!(world.state(member).is_some());
//! world.kill(host, 2, Some(Signal::KILL))?;
//! assert!(world.state(member).is_none());
//! # Ok::<(), Errno>(())
//! ```
//!
//! A [`Model`] runs scenarios on worlds, says which [`Rule`]s decided each step, and, where Linux leaves the order of events open, whether
//! what a kernel showed is allowed.
//!
//! # The shape of the kernel
//!
//! There is one record for each struct of the kernel, with the kernel's name, in `objects`. Functions have the names of the kernel's, and
//! stand in files named after what they do there; their first argument is the [`World`]. So whoever knows processes finds the way, and
//! whoever learns them here finds it in the kernel.
//!
//! # Reading order
//!
//! **Part one**, an hour's reading: `objects` (PID namespace, `struct pid`, task, `signal_struct`), `alloc` (a number at every level),
//! `fork` (where a child is born), `signal::send` (what becomes of a signal), `exit::do_exit`, `exit::reparent` (who adopts whom),
//! `exit::zap` (the death of a namespace), `exit::release`.
//!
//! **Part two**: `pid` (who has a number), `set_tid` (numbers that the caller chooses), `nsproxy` (unshare), `setns`, `wait`, `entry` (the way
//! back to user mode), `signal::info`, `signal::pending`, `signal::stop`, `signal::notify`, `signal::kill`, `signal::action`,
//! `signal::force`, `signal::sigwait`, `exit::orphaned_pgrp`, `coredump`, `exec`, `tracing`, `ptrace`, `mm`, `tid_words`, `autoreap`, `capable`, `failed_clone`. `describe` names rules that decide nothing by themselves.
//!
//! **Part three**: `sys` (groups, settings, files below /proc/sys, reboot), `views` (what one sees of another), `calls` (all of it as
//! methods).
//!
//! **Order**: `order::turn` lists what a task does before another may run. There is no other source of races. `order::possible` searches
//! the orders for what a kernel showed. `model` is scenarios on worlds. `named` is for names from outside; `storage` can be skipped.
//!
//! An `Err` is an answer of Linux; a panic is a mistake of whoever calls, or of the model.
#![forbid(unsafe_code)]

mod storage;

mod objects;

mod world;

mod named;

pub mod rule;

mod misconception;

mod misconceived;

mod pid;

mod set_tid;

mod alloc;

mod capable;

mod describe;

mod mm;

mod cred;

mod tid_words;

mod autoreap;

mod fork;

mod failed_clone;

mod nsproxy;

mod setns;

mod signal;

mod exit;

mod coredump;

mod entry;

mod wait;

mod mqueue;

mod exec;

mod tracing;

mod ptrace;

mod sys;

mod views;

mod order;

mod calls;

mod check;

mod graph;

mod model;

#[cfg(feature = "proptest")]
mod strategy;

pub use calls::State;
pub use check::Broken;
pub use graph::{Edge, Graph, Node};
pub use misconception::Misconception;
pub use model::{
    Answer, Because, Happened, Heard, Judgement, Model, Moment, Never, Numbers, Origin, Outcomes, Position, Turn, Way,
    Ways, random_scenario,
};
pub use objects::clone_args::CloneArgs;
pub use objects::ids::{NsId, TaskId};
pub use objects::pid::Nr;
pub use objects::wait_opts::{WaitFor, Waited};
pub use order::spare::Spare;
pub use rule::Rule;
#[cfg(feature = "proptest")]
pub use strategy::{ScenarioTree, Scenarios, scenarios};
pub use world::{Handled, World};

/// What becomes of a task at the end of its turn.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Next {
    /// It has more to do; others may come first.
    GoesOn,
    /// It sleeps, or is in user mode with nothing to do.
    Sleeps,
    /// It has ended.
    Ended,
}
