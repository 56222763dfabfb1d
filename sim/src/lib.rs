//! An executable, explained model of Linux PID namespaces: who gets which number, who adopts whom, who dies with whom,
//! and which signal does nothing.
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
//! let new_namespace =
//!     CloneArgs { flags: CloneFlags::CLONE_NEWPID, exit_signal: Some(Signal::CHLD), set_tid: &[] };
//! let init = world.clone_process(host, &new_namespace)?;
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
//! A [`Model`] runs scenarios on worlds, says which [`Rule`]s decided each step, and, where Linux leaves the order of
//! events open, gives every outcome that is allowed.
//!
//! # Words
//!
//! - **level**: how deep a namespace is; the outermost of a world has 0.
//! - **active namespace**: where a process has its own number. Never changes.
//! - **target namespace**: where its next child is born (`pid_ns_for_children`); unshare(2) and setns(2) change it.
//! - **init**: the process with number 1 in a namespace (`child_reaper`).
//! - **outside parent**: a parent that has no number in the child's namespace; the child is *injected*.
//! - **cursor**: the number that a namespace tries next.
//! - **leader**: the first thread of a process; its record also stands for the process. A *process* without more is its leader.
//! - **sealed**: the end of a process is decided (`SIGNAL_GROUP_EXIT`).
//! - **doomed**: a thread whose exit has not run yet, but will.
//! - **owner** of a PID namespace: the user namespace that its maker was in, or made with it; power over it is power there.
//! - **capable**: with all capabilities in its user namespace; the others here have none.
//! - **zap**: what an init does after its end: `zap_pid_ns_processes`, the state *exiting*.
//! - **quiet**: nobody has anything to do; so is a world after each call.
//! - **step**, **role**, **observation**: words of the scenario language, used by [`Model`] alone.
//!
//! # Reading order
//!
//! The modules below, from first to last: what there is (`world`, `process`, `thread`, `namespace`, `user`), how it begins
//! (`allocate`, `create`, `join`), groups, signals (`signal`: sending; `deliver`: taking, and the queue of events; `kill`), what
//! processes see of each other (`look`), how it ends (`exit`, `fault`, `zap`, `wait`), and the [`rule`]s. Then `model`:
//! scenarios. An `Err` is an answer of Linux; a panic is a mistake of whoever calls, or of the model.
#![forbid(unsafe_code)]

mod world;

mod process;

mod thread;

mod namespace;

mod user;

mod ids;

mod numbers;

mod allocate;

mod create;

mod join;

mod group;

mod signal;

mod deliver;

mod kill;

mod look;

mod exit;

mod fault;

mod zap;

mod wait;

pub mod rule;

mod misconception;

mod check;

mod graph;

mod model;

pub use check::Broken;
pub use create::CloneArgs;
pub use graph::{Edge, Graph, Node};
pub use misconception::Misconception;
pub use model::{Answer, Because, Model, Never};
pub use process::ProcessState;
pub use rule::Rule;
pub use signal::Handled;
pub use wait::{WaitFor, Waited};
pub use world::{NsId, Pid, ProcessId, World};
