//! What random scenarios are about: which calls are frequent.

use crate::CallName;

/// What a random scenario is mostly about. Some rules need several rare calls in a row, which no mixture of all calls gives.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[non_exhaustive]
pub enum Theme {
    /// Every call of the language.
    Everything,
    /// Numbers that run out, and numbers that are chosen.
    Numbers,
    /// Children inside, parents outside.
    Outside,
    /// Stopping, going on, and groups.
    Stops,
    /// Who may do what.
    Users,
    /// Threads, and programs.
    Threads,
    /// As deep as namespaces nest.
    Depth,
    /// What there can be only few of, and what threads, signals and ends make of it.
    Limits,
    /// Signals at a parent's death.
    Deaths,
    /// The ends of namespaces, with threads in them and somebody who holds them up.
    Endings,
    /// Tracers, and what they hold.
    Tracers,
    /// Every call, after two rare situations at once.
    Mixed,
}

impl Theme {
    /// Every theme.
    pub const ALL: &[Theme] = &[
        Theme::Everything,
        Theme::Numbers,
        Theme::Outside,
        Theme::Stops,
        Theme::Users,
        Theme::Threads,
        Theme::Depth,
        Theme::Limits,
        Theme::Deaths,
        Theme::Endings,
        Theme::Tracers,
        Theme::Mixed,
    ];

    /// The theme of one of many random scenarios, by its index: one of four is about everything, one begins with two rare
    /// situations, the others take turns.
    pub fn of(index: u64) -> Theme {
        match index % 4 {
            0 => Theme::Everything,
            1 => Theme::Mixed,
            _ => Theme::ALL[1 + (index / 4 * 2 + index % 2) as usize % (Theme::ALL.len() - 2)],
        }
    }

    /// Calls and their weights.
    pub(super) fn calls(self) -> Vec<(CallName, u32)> {
        let weights = self.weights();
        let everything = matches!(self, Theme::Everything | Theme::Mixed);
        let others = CallName::ALL.iter().filter(|name| everything && weights.iter().all(|(known, _)| known != *name));
        weights.iter().copied().chain(others.map(|name| (*name, OTHERS))).collect()
    }

    fn weights(self) -> &'static [(CallName, u32)] {
        match self {
            Theme::Everything | Theme::Mixed => EVERYTHING,
            Theme::Numbers => NUMBERS,
            Theme::Outside => OUTSIDE,
            Theme::Stops => STOPS,
            Theme::Users => USERS,
            Theme::Threads => THREADS,
            Theme::Depth => DEPTH,
            Theme::Limits => LIMITS,
            Theme::Deaths => DEATHS,
            Theme::Endings => ENDINGS,
            Theme::Tracers => TRACERS,
        }
    }
}

use CallName as C;

/// How often a call comes up among all, unless it is said.
const OTHERS: u32 = 3;

const EVERYTHING: &[(CallName, u32)] = &[
    (C::Fork, 24),
    (C::Clone, 36),
    (C::Vfork, 6),
    (C::Exit, 18),
    (C::ExitThread, 9),
    (C::Exec, 7),
    (C::Fault, 4),
    (C::BrokenPipe, 4),
    (C::FailedFork, 2),
    (C::Sigqueue, 4),
    (C::Abort, 3),
    (C::Reboot, 2),
    (C::Wait, 26),
    (C::Waitid, 20),
    (C::Kill, 34),
    (C::Tgkill, 7),
    (C::PidfdSendSignal, 3),
    (C::PidfdOpen, 2),
    (C::Unshare, 9),
    (C::Setns, 9),
    (C::OpenNs, 6),
    (C::CloseNs, 1),
    (C::MqNotify, 3),
    (C::MqSend, 4),
    (C::SetChildSubreaper, 5),
    (C::SetPdeathsig, 5),
    (C::Sigaction, 20),
    (C::Sigprocmask, 16),
    (C::Sigpending, 2),
    (C::Sigwait, 5),
    (C::Sigtimedwait, 4),
    (C::Signalfd, 2),
    (C::PidfdPoll, 3),
    (C::Look, 19),
    (C::Setsid, 4),
    (C::Getpid, 2),
    (C::Gettid, 2),
    (C::Getppid, 4),
    (C::Setpgid, 10),
    (C::Getpgid, 3),
    (C::Getsid, 3),
    (C::Sysctl, 8),
    (C::Setuid, 5),
    (C::DropCapability, 3),
    (C::SeccompKill, 2),
];

const NUMBERS: &[(CallName, u32)] = &[
    (C::Fork, 14),
    (C::Clone, 16),
    (C::Exit, 6),
    (C::ExitThread, 2),
    (C::Exec, 2),
    (C::Wait, 8),
    (C::Sysctl, 14),
    (C::FailedFork, 4),
    (C::Unshare, 4),
    (C::Setns, 5),
    (C::Kill, 4),
    (C::SetPdeathsig, 1),
    (C::Setsid, 1),
    (C::Setpgid, 1),
    (C::Look, 3),
];

const OUTSIDE: &[(CallName, u32)] = &[
    (C::Fork, 12),
    (C::Clone, 14),
    (C::Exit, 12),
    (C::ExitThread, 3),
    (C::Exec, 2),
    (C::Wait, 8),
    (C::Kill, 10),
    (C::Unshare, 7),
    (C::Setns, 14),
    (C::OpenNs, 6),
    (C::CloseNs, 4),
    (C::MqSend, 3),
    (C::Setpgid, 6),
    (C::SetPdeathsig, 5),
    (C::SetChildSubreaper, 4),
    (C::Sigaction, 4),
    (C::Getppid, 2),
    (C::Setsid, 2),
    (C::Look, 10),
];

const STOPS: &[(CallName, u32)] = &[
    (C::Fork, 12),
    (C::Clone, 10),
    (C::Vfork, 3),
    (C::Exit, 6),
    (C::ExitThread, 3),
    (C::Exec, 2),
    (C::Wait, 6),
    (C::Waitid, 10),
    (C::Kill, 30),
    (C::Tgkill, 4),
    (C::Sigqueue, 3),
    (C::Sigaction, 8),
    (C::Sigprocmask, 5),
    (C::Sigwait, 3),
    (C::Setpgid, 8),
    (C::Setsid, 3),
    (C::SetChildSubreaper, 1),
];

const USERS: &[(CallName, u32)] = &[
    (C::Fork, 12),
    (C::Clone, 18),
    (C::Setuid, 10),
    (C::DropCapability, 5),
    (C::Unshare, 7),
    (C::Setns, 10),
    (C::OpenNs, 5),
    (C::MqNotify, 3),
    (C::MqSend, 6),
    (C::Kill, 12),
    (C::Tgkill, 2),
    (C::Sigqueue, 2),
    (C::Sysctl, 10),
    (C::SetPdeathsig, 5),
    (C::Exit, 6),
    (C::Wait, 5),
    (C::Setsid, 2),
    (C::Setpgid, 4),
    (C::Exec, 4),
    (C::Reboot, 2),
    (C::Look, 5),
];

const THREADS: &[(CallName, u32)] = &[
    (C::Clone, 30),
    (C::Fork, 8),
    (C::Vfork, 5),
    (C::ExitThread, 14),
    (C::Exit, 5),
    (C::Exec, 9),
    (C::Wait, 10),
    (C::Waitid, 6),
    (C::Kill, 12),
    (C::Tgkill, 8),
    (C::Sigaction, 7),
    (C::Sigprocmask, 7),
    (C::Sigpending, 1),
    (C::Sigwait, 4),
    (C::Sigtimedwait, 2),
    (C::SetPdeathsig, 4),
    (C::Unshare, 2),
    (C::Setns, 2),
    (C::Setuid, 2),
    (C::PidfdPoll, 2),
    (C::PidfdOpen, 1),
    (C::Reboot, 2),
    (C::Look, 5),
];

/// That thirty inits end one in the other can happen in very many orders: only the innermost act.
const DEPTH: &[(CallName, u32)] = &[
    (C::Clone, 22),
    (C::Fork, 8),
    (C::Unshare, 8),
    (C::Setns, 10),
    (C::Look, 4),
    (C::Sysctl, 2),
    (C::Getppid, 1),
    (C::Setpgid, 2),
    (C::Exit, 4),
    (C::ExitThread, 4),
    (C::Exec, 4),
    (C::Wait, 4),
    (C::Kill, 8),
    (C::Tgkill, 2),
    (C::Sigaction, 4),
    (C::Sigprocmask, 2),
    (C::SetPdeathsig, 3),
];

const LIMITS: &[(CallName, u32)] = &[
    (C::Clone, 22),
    (C::Fork, 10),
    (C::Sysctl, 14),
    (C::Unshare, 8),
    (C::Setns, 6),
    (C::Exit, 8),
    (C::ExitThread, 5),
    (C::Exec, 5),
    (C::Wait, 8),
    (C::Kill, 10),
    (C::Tgkill, 2),
    (C::Sigaction, 5),
    (C::SetPdeathsig, 4),
    (C::Setuid, 3),
    (C::FailedFork, 2),
    (C::Look, 4),
    (C::Abort, 1),
    (C::Reboot, 1),
];

const DEATHS: &[(CallName, u32)] = &[
    (C::SetPdeathsig, 20),
    (C::Clone, 22),
    (C::Fork, 10),
    (C::Exit, 12),
    (C::ExitThread, 10),
    (C::Exec, 4),
    (C::Setuid, 4),
    (C::Kill, 8),
    (C::Wait, 6),
    (C::Sigaction, 8),
    (C::Sigprocmask, 3),
    (C::SetChildSubreaper, 3),
    (C::Unshare, 3),
    (C::Setns, 3),
    (C::Look, 10),
    (C::Vfork, 2),
    (C::Setsid, 1),
];

const ENDINGS: &[(CallName, u32)] = &[
    (C::Clone, 20),
    (C::Fork, 10),
    (C::Vfork, 4),
    (C::Exit, 10),
    (C::ExitThread, 10),
    (C::Exec, 4),
    (C::Kill, 16),
    (C::Tgkill, 3),
    (C::Wait, 8),
    (C::Waitid, 4),
    (C::Setns, 8),
    (C::OpenNs, 4),
    (C::Unshare, 3),
    (C::Setpgid, 4),
    (C::SetPdeathsig, 2),
    (C::SetChildSubreaper, 3),
    (C::Sigaction, 5),
    (C::Sigprocmask, 3),
    (C::Fault, 1),
    (C::Abort, 1),
    (C::Reboot, 3),
    (C::Look, 4),
];

const TRACERS: &[(CallName, u32)] = &[
    (C::Clone, 14),
    (C::Fork, 12),
    (C::PtraceSeize, 20),
    (C::PtraceAttach, 10),
    (C::PtraceCont, 24),
    (C::PtraceDetach, 6),
    (C::Kill, 22),
    (C::Tgkill, 2),
    (C::Wait, 14),
    (C::Waitid, 8),
    (C::Exit, 10),
    (C::Exec, 2),
    (C::Sigaction, 10),
    (C::Sigprocmask, 4),
    (C::Sigwait, 2),
    (C::SetPdeathsig, 2),
    (C::SetChildSubreaper, 1),
    (C::Setuid, 2),
    (C::Unshare, 2),
    (C::Setns, 3),
    (C::Setpgid, 2),
    (C::SeccompKill, 2),
    (C::Look, 7),
];
