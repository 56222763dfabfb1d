//! The scenario language of `pidlab`: what a few named processes do in nested Linux PID namespaces, one step at a
//! time, and what a machine observes of them after each step.
//!
//! A [`Scenario`] is a value. It comes from a TOML file ([`Scenario::parse`]), from the library inside the program
//! ([`library`]), from a generator ([`random`]) or from code. A [`Machine`] runs it: the model (`pidlab-sim`) or a
//! real kernel (`pidlab-realkernel`). Both execute the same system calls ([`syscall`]) and answer with the same
//! [`Observation`]s, and that is all they share.
//!
//! Nothing in this crate knows what Linux does.
#![forbid(unsafe_code)]

mod argument;
mod arguments;
mod builder;
mod call;
mod claim;
mod claims;
mod diagnose;
mod errno;
mod expect;
mod facts;
mod flags;
mod form;
pub mod held;
pub mod library;
mod limits;
mod line;
mod machine;
mod mistakes;
mod names;
mod observation;
mod parse;
mod part;
mod printable;
pub mod random;
mod refusal;
mod refused;
mod role;
mod scenario;
pub mod schema;
mod signal;
mod spelling;
mod step;
pub mod syscall;
mod terms;
pub mod told;
mod truth;
mod values;
pub mod words;
mod write;
mod written;

pub use builder::{Builder, StepValue};
pub use call::{Call, CallName};
pub use claim::{
    Claim, Expect, HandledClaim, OutcomeClaim, ProcessClaim, ReturnValue, ReturnedClaim, SeenField, SeenValue,
};
pub use diagnose::{Diagnostic, Diagnostics};
pub use errno::Errno;
pub use facts::{ANOTHER_USER, Fact, Facts, LEAST_PID_MAX, Need};
pub use flags::{CloneFlags, NamespaceTypes, PidfdFlags, WaitOptions};
pub use form::{Given, GivenArgument};
pub use limits::MOST_BYTES;
pub use line::{
    BecauseLine, HandledLine, Header, KernelHeader, Line, ProcessLine, ResultLine, ReturnedLine, SeenLine, SignalName,
    SignalOrZero, StatusLine, TranslatedLine,
};
pub use machine::{Machine, Refused, Run};
pub use observation::{
    ChildStatus, Handled, NamespaceId, Observation, Outcome, PollEvent, ProcessView, Returned, Seen, State, WaitStatus,
};
pub use part::Prediction;
pub use printable::{escaped_json, is_hidden, one_line, printable, printable_styled};
pub use refusal::{Harm, Refusal, Unmodelled};
pub use role::Role;
pub use scenario::{Scenario, Step};
pub use signal::Signal;
pub use spelling::nearest;
pub use syscall::Syscall;
pub use terms::{
    Capability, Entrance, ExitSignal, Keeper, KillTarget, LookVia, MaskChange, NsLink, PidfdTarget, RebootHow,
    SeccompScope, SetnsVia, SigCode, SignalAction, Sysctl, Target, WaitTarget,
};
pub use truth::Numbers;
pub use written::{Place, Written};
