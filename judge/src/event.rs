//! What the tasks of a log did, in the words of the scenario language.

use pidlab_scenario::{Call, ChildStatus, Role, Signal, WaitStatus};

/// Something that a task did or that happened to it, between two lines of the log.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    /// It did not happen before this line.
    pub(crate) first: usize,
    /// It had happened when this line was written; [`NEVER`] if no line says so.
    pub(crate) last: usize,
    /// The line that tells it.
    pub(crate) line: usize,
    pub(crate) deed: Deed,
    pub(crate) answer: Answer,
}

/// No line says that it has happened.
pub(crate) const NEVER: usize = usize::MAX;

/// What a task did or what happened to it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Deed {
    /// A call of the language.
    Call(Call),
    /// A call that makes somebody; the number that is known of it in the outermost namespace.
    Birth { call: Call, child: Role, number: Option<u32> },
    /// rt_sigprocmask(2).
    Mask { how: MaskHow, set: Vec<Signal> },
    /// A call that has another mask while it sleeps: rt_sigsuspend(2), ppoll(2), pselect(2).
    Suspend { set: Vec<Signal> },
    /// rt_sigreturn(2): a handler is over, and this is blocked again.
    Restore { set: Vec<Signal> },
    /// A map of the users of a user namespace is opened, that of this role's: from now on its maker may be root in it.
    Maps { of: Role },
    /// Nothing that the model knows.
    Passes,
    /// A signal was shown to the tracer. What it blocks while its handler runs, if it has one.
    Signal { shown: Shown, blocks: Vec<Signal> },
    /// The end of a task.
    Ended { status: WaitStatus },
    /// An exec of another thread has put that in this one's place.
    Superseded,
}

/// How rt_sigprocmask(2) changes a mask.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum MaskHow {
    Block,
    Unblock,
    Set,
}

/// A signal as strace shows it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Shown {
    pub(crate) signal: Signal,
    pub(crate) from: From,
    pub(crate) si_pid: Option<u32>,
    pub(crate) child: Option<ChildStatus>,
}

/// Where a signal comes from, as its `si_code` says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum From {
    /// A process (`SI_USER`, `SI_TKILL`, `SI_QUEUE`).
    Process,
    /// A child (`CLD_…`).
    Child,
    /// The kernel or a timer.
    Kernel,
    /// An instruction of the receiver.
    Fault,
}

/// What a call gave.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Answer {
    Number(i64),
    /// It did not fail; the number says nothing.
    Succeeds,
    Waited {
        number: i64,
        status: Option<WaitStatus>,
    },
    Took(Shown),
    /// What a signalfd gave; of what is not known any will do.
    Read {
        signal: Signal,
        si_pid: Option<u32>,
        child: Option<ChildStatus>,
    },
    Fails(String),
    /// A signal has cut it short, and it starts over or not (`ERESTARTSYS` and the like).
    Interrupted,
    /// It never came back.
    Never,
}

impl Event {
    /// Whether it is an answer of the kernel that the model is held against.
    pub(crate) fn is_judged(&self) -> bool {
        match self.deed {
            Deed::Call(_) | Deed::Birth { .. } => !matches!(self.answer, Answer::Never | Answer::Interrupted),
            Deed::Signal { .. } | Deed::Ended { .. } => true,
            _ => false,
        }
    }
}
