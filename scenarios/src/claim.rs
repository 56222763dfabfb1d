//! What a scenario's author claims of a step.
//!
//! Whatever a JSON line says can be claimed. A claim is about one thing; what an observation says of the same thing is
//! [`Claim::truth`].

use serde::{Deserialize, Serialize};

use crate::{CallName, ChildStatus, Errno, PollEvent, Role, Signal, State, WaitStatus};

/// One claim about the world after a step.
///
/// Exhaustive on purpose: whoever holds claims against a run, or makes them false for a test, knows each, and the compiler says where a new one is missing.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Claim {
    /// About what the step's call gives.
    Outcome(OutcomeClaim),
    /// `then = { leaf = "gone" }`: there is no such process, for it is reaped.
    Gone(Role),
    /// `then = { leaf = { … } }`
    Process(Role, ProcessClaim),
}

/// A claim about what a call gives.
///
/// Exhaustive on purpose: whoever holds claims against a run, or makes them false for a test, knows each, and the compiler says where a new one is missing.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum OutcomeClaim {
    /// `returns`, `fails`, `blocks` or `ends`.
    Result(Expect),
    /// `status = { exited = 3 }`: what a wait says of the child.
    Status(WaitStatus),
    /// `sees = { ppid = 0 }`: one field of what a look shows.
    Sees(SeenField),
    /// `pending = ["SIGUSR1"]`: the whole set.
    Pending(Vec<Signal>),
    /// `events = ["POLLIN"]`: the whole set.
    Events(Vec<PollEvent>),
    /// `took = { signal = "SIGCHLD", si_pid = 2 }`: the signal that was taken without a handler.
    Took(HandledClaim),
}

/// One field of what a look shows.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SeenField {
    /// As the JSON line calls it.
    pub name: String,
    /// Its value.
    pub value: SeenValue,
}

/// The value of a field of what a look shows.
///
/// Exhaustive on purpose: whoever holds claims against a run, or makes them false for a test, knows each, and the compiler says where a new one is missing.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum SeenValue {
    /// A number.
    Number(i64),
    /// A list of numbers.
    Numbers(Vec<i64>),
    /// `{ ok = 3 }` or `{ err = "ESRCH" }`
    Translated(Result<u32, Errno>),
    /// How a process ended; `status = false`: it does not say so yet.
    Status(Option<WaitStatus>),
}

/// A claim about one process, or one thread that is not the leader of its process.
///
/// Exhaustive on purpose: whoever holds claims against a run, or makes them false for a test, knows each, and the compiler says where a new one is missing.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum ProcessClaim {
    /// What it is doing.
    State(State),
    /// Its numbers, from the scenario's outermost namespace inward.
    Pids(Vec<u32>),
    /// The namespaces of those numbers.
    Namespaces(Vec<u16>),
    /// Its real parent; `parent = false` is one outside the scenario.
    Parent(Option<Role>),
    /// Its parent's number as it sees it.
    Ppid(u32),
    /// Its process group as it sees it.
    Pgid(u32),
    /// Its session as it sees it.
    Sid(u32),
    /// Whose thread it is; `thread_of = false` for the leader of a process.
    ThreadOf(Option<Role>),
    /// The thread that traces it; `tracer = false`: nobody does.
    Tracer(Option<Role>),
    /// Every signal that its handlers received since the last step, in order.
    Handled(Vec<HandledClaim>),
    /// What a call that had blocked gave in this step; `returned = false`: no such call has returned.
    Returned(Option<ReturnedClaim>),
}

/// A claim about a handled signal; what is `None` is not claimed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct HandledClaim {
    /// Which signal.
    pub signal: Signal,
    /// The sender's number.
    pub si_pid: Option<u32>,
    /// What a SIGCHLD says of the child; `status = false`: nothing.
    pub status: Option<Option<ChildStatus>>,
}

/// A claim about a call that had blocked and returned.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ReturnedClaim {
    /// Which call, if that is claimed.
    pub call: Option<CallName>,
    /// What it gave.
    pub outcome: Vec<OutcomeClaim>,
}

/// What a step's author says that it does.
///
/// Exhaustive on purpose: whoever tells of it has words for each, and the compiler says where one is missing.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Expect {
    /// `returns = …`
    Returns(ReturnValue),
    /// `fails = "ESRCH"`
    Fails(Errno),
    /// `blocks = true`
    Blocks,
    /// `ends = true`: the call does not return, for its caller ends.
    Ends,
}

/// The value that an author expects.
///
/// Exhaustive on purpose: whoever tells of it has words for each, and the compiler says where one is missing.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum ReturnValue {
    /// This number.
    Number(i64),
    /// The number of this process in the caller's namespace.
    Role(Role),
}
