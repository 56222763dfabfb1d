//! A process, as the model keeps it.
//!
//! One record is both the kernel's `task_struct` and its `struct pid`: after the process is reaped, the record stays as
//! [`Life::Detached`] while its number is still the id of a process group or session with members.

use pidlab_scenario::{Errno, Signal, WaitStatus};

use crate::signal::{Handled, Pending, SignalSet};
use crate::thread::Team;
use crate::user::Credentials;
use crate::wait::{WaitQuery, Waited};
use crate::{NsId, ProcessId};

/// What a process is doing, as everybody can see it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum ProcessState {
    /// Able to make a call.
    Running,
    /// Inside a wait that has not returned.
    Blocked,
    /// Stopped by a signal.
    Stopped,
    /// The init of a namespace, ended, inside `zap_pid_ns_processes`.
    Exiting,
    /// Ended and not waited for.
    Zombie,
}

/// The steps of a life; it only ever goes downwards in this list.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) enum Life {
    /// It exists and has not begun to exit (it may be [`Process::doomed`]).
    Alive,
    /// It has begun its exit but has not told anybody (kernel: `PF_EXITING`).
    Leaving,
    /// An init that waits for its namespace to become empty.
    Zapping,
    /// Ended, its parent may wait for it.
    Zombie,
    /// Reaped; its number is still the id of a group or session.
    Detached,
    /// Nothing: the record can be used again.
    Vacant,
}

/// A call that the process is in.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) enum InCall {
    /// Asleep in a wait.
    Wait(WaitQuery),
    /// Asleep until the child that it made with vfork has ended, or runs another program. Only its own end wakes it before.
    Vfork(ProcessId),
    /// An exec that waits until the other threads have ended.
    Exec,
    /// A handler interrupts the wait: it will fail with EINTR.
    Interrupted,
    /// The work is done, the process has not come back to user mode.
    Returning(Return),
}

/// What a call that comes back gives.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Return {
    /// Whatever the caller of the model was already told.
    Told,
    /// A wait that had blocked.
    Wait(Result<Waited, Errno>),
}

/// What few processes have at any moment; kept out of line.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub(crate) struct Extra {
    pub(crate) pending: Vec<Pending>,
    pub(crate) handled: Vec<Handled>,
    /// Handlers that are to run, but not before the process has left the stop that came in between.
    pub(crate) framed: Vec<Handled>,
    pub(crate) call: Option<InCall>,
    /// Who sleeps in the vfork that made this process (kernel: `vfork_done`).
    pub(crate) vfork_waiter: Option<ProcessId>,
    /// Its threads, if it is the leader of others.
    pub(crate) team: Option<Box<Team>>,
    /// Which processes share its actions for signals: those with the same number here, unless it is 0 (kernel: `sighand`).
    pub(crate) handlers: u32,
    /// Which processes share its memory: those with the same number here, unless it is 0 (kernel: `mm`).
    pub(crate) memory: u32,
    /// Somebody with this memory has changed its user since the program began (kernel: `dumpable`).
    pub(crate) undumpable: bool,
    /// It has ended, and its memory was such then (kernel: not `user_dumpable`).
    pub(crate) closed: bool,
    /// How it ended itself, where a wait is told something else: the init of a namespace in which reboot was called.
    pub(crate) own_status: Option<WaitStatus>,
    /// Who it is, if it is not root with all capabilities.
    pub(crate) credentials: Option<Credentials>,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Process {
    pub(crate) life: Life,
    /// This thread exits as soon as it runs.
    pub(crate) doomed: bool,
    /// The end of the process is decided (kernel: `SIGNAL_GROUP_EXIT`); `status` says which, and nothing changes it any more.
    pub(crate) sealed: bool,
    pub(crate) status: WaitStatus,
    /// In the queue of processes that have something to do.
    pub(crate) queued: bool,

    pub(crate) ns: NsId,
    /// Where its children are born (kernel: `pid_ns_for_children`); `None` once it has ended.
    pub(crate) target: Option<NsId>,
    /// Its row in the table of numbers of its level.
    pub(crate) row: u32,
    /// Processes are counted as they are made.
    pub(crate) born: u64,

    /// The leader of its process; `None` for a leader.
    pub(crate) thread_of: Option<ProcessId>,
    /// The thread that is its parent (kernel: `real_parent`). Only leaders have one.
    pub(crate) parent: Option<ProcessId>,
    pub(crate) first_child: Option<ProcessId>,
    pub(crate) last_child: Option<ProcessId>,
    pub(crate) next_sibling: Option<ProcessId>,
    pub(crate) previous_sibling: Option<ProcessId>,
    /// What the parent gets at the end; `None` is exit signal 0.
    pub(crate) exit_signal: Option<Signal>,
    pub(crate) pdeath_signal: Option<Signal>,
    pub(crate) subreaper: bool,
    /// The init of a namespace (kernel: `SIGNAL_UNKILLABLE`).
    pub(crate) unkillable: bool,

    pub(crate) group: Option<ProcessId>,
    /// The newest member of the group that has this process's number.
    pub(crate) first_member: Option<ProcessId>,
    pub(crate) next_member: Option<ProcessId>,
    pub(crate) previous_member: Option<ProcessId>,
    pub(crate) session: Option<ProcessId>,
    /// How many processes are in the session that has this process's number.
    pub(crate) session_members: u32,
    pub(crate) session_leader: bool,
    /// Sleeping waits that refer to the group with this number.
    pub(crate) pins: u32,

    pub(crate) blocked: SignalSet,
    pub(crate) ignored: SignalSet,
    pub(crate) caught: SignalSet,
    pub(crate) no_child_wait: bool,
    /// It runs another program than the one that it was born with (kernel: not `PF_FORKNOEXEC`).
    pub(crate) execed: bool,
    /// Its parent runs another program than when it was born (kernel: `parent_exec_id`).
    pub(crate) parent_execed: bool,
    pub(crate) stopped: bool,
    /// It has still to take part in a stop of its process (kernel: `JOBCTL_STOP_PENDING`).
    pub(crate) stop_pending: bool,
    /// It was told that there is a signal to take (kernel: `TIF_SIGPENDING`). Kept only where there are several threads.
    pub(crate) alerted: bool,
    /// It left a stop and has not run yet.
    pub(crate) resumed: bool,
    /// The parent is to be told of a SIGCONT (kernel: `SIGNAL_CLD_CONTINUED`).
    pub(crate) tell_continued: bool,
    /// A stop that no wait has reported.
    pub(crate) stop_report: Option<Signal>,
    /// A continuation that no wait has reported (kernel: `SIGNAL_STOP_CONTINUED`).
    pub(crate) continue_report: bool,
    pub(crate) extra: Option<Box<Extra>>,
}

impl Process {
    /// Whether a SIGCHLD comes and goes without a trace: the default, and the common case, in which there is nothing to do.
    #[inline]
    pub(crate) fn lets_sigchld_pass(&self) -> bool {
        !self.caught.contains(Signal::CHLD) && !self.blocked.contains(Signal::CHLD)
    }

    /// A record that stands for nobody. All vacant records are equal, whoever had them.
    pub(crate) fn vacant() -> Process {
        Process {
            life: Life::Vacant,
            doomed: false,
            sealed: false,
            status: WaitStatus::Exited(0),
            queued: false,
            ns: NsId::OUTERMOST,
            target: None,
            row: 0,
            born: 0,
            thread_of: None,
            parent: None,
            first_child: None,
            last_child: None,
            next_sibling: None,
            previous_sibling: None,
            exit_signal: None,
            pdeath_signal: None,
            subreaper: false,
            unkillable: false,
            group: None,
            first_member: None,
            next_member: None,
            previous_member: None,
            session: None,
            session_members: 0,
            session_leader: false,
            pins: 0,
            blocked: SignalSet::EMPTY,
            ignored: SignalSet::EMPTY,
            caught: SignalSet::EMPTY,
            no_child_wait: false,
            execed: false,
            parent_execed: false,
            stopped: false,
            stop_pending: false,
            alerted: false,
            resumed: false,
            tell_continued: false,
            stop_report: None,
            continue_report: false,
            extra: None,
        }
    }

    /// Whether there is a process, dead or alive, and not only a number.
    pub(crate) fn is_task(&self) -> bool {
        self.life <= Life::Zombie
    }

    /// Its threads, if it is the leader of others.
    #[inline]
    pub(crate) fn team(&self) -> Option<&Team> {
        self.extra.as_ref()?.team.as_deref()
    }

    pub(crate) fn team_mut(&mut self) -> Option<&mut Team> {
        self.extra.as_mut()?.team.as_deref_mut()
    }

    /// Takes its list of threads away.
    pub(crate) fn take_team(&mut self) -> Option<Box<Team>> {
        let team = self.extra.as_mut()?.team.take();
        self.trim();
        team
    }

    pub(crate) fn handlers(&self) -> u32 {
        self.extra.as_ref().map_or(0, |extra| extra.handlers)
    }

    /// Who it is; `None` for root with all capabilities.
    #[inline]
    pub(crate) fn credentials(&self) -> Option<Credentials> {
        self.extra.as_ref()?.credentials
    }

    pub(crate) fn set_credentials(&mut self, credentials: Credentials) {
        let credentials = Some(credentials).filter(|it| *it != Credentials::ROOT);
        if credentials != self.credentials() {
            self.extra().credentials = credentials;
            self.trim();
        }
    }

    #[inline]
    pub(crate) fn call(&self) -> Option<&InCall> {
        self.extra.as_ref()?.call.as_ref()
    }

    pub(crate) fn extra(&mut self) -> &mut Extra {
        self.extra.get_or_insert_default()
    }

    /// Forgets the out-of-line part if there is nothing in it, so that equal processes compare equal.
    pub(crate) fn trim(&mut self) {
        if self.extra.as_deref().is_some_and(|extra| *extra == Extra::default()) {
            self.extra = None;
        }
    }

    /// Whether its state is [`ProcessState::Running`].
    #[inline]
    pub(crate) fn is_running(&self) -> bool {
        self.life <= Life::Leaving && !self.stopped && self.call().is_none()
    }

    pub(crate) fn state(&self) -> Option<ProcessState> {
        match self.life {
            _ if self.is_running() => Some(ProcessState::Running),
            Life::Alive | Life::Leaving if self.stopped => Some(ProcessState::Stopped),
            Life::Alive | Life::Leaving => Some(ProcessState::Blocked),
            Life::Zapping => Some(ProcessState::Exiting),
            Life::Zombie => Some(ProcessState::Zombie),
            Life::Detached | Life::Vacant => None,
        }
    }
}
