//! What random scenarios are about: which calls are frequent, and what they begin with.

use crate::{
    ANOTHER_USER, Call, CallName, CloneFlags, ExitSignal, KillTarget, Role, SetnsVia, Signal, Sysctl, Target,
    WaitOptions, WaitTarget,
};

/// What a random scenario is mostly about. Some rules need several rare calls in a row, which no mixture of all calls gives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
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
}

impl Theme {
    /// Every theme.
    pub const ALL: &[Theme] =
        &[Theme::Everything, Theme::Numbers, Theme::Outside, Theme::Stops, Theme::Users, Theme::Threads, Theme::Depth];

    /// The theme of one of many random scenarios, by its index: every second one is about everything, the others take turns.
    pub fn of(index: u64) -> Theme {
        if index.is_multiple_of(2) {
            return Theme::Everything;
        }
        Theme::ALL[1 + (index / 2 % (Theme::ALL.len() as u64 - 1)) as usize]
    }

    /// Calls and their weights.
    pub(super) fn calls(self) -> Vec<(CallName, u32)> {
        use CallName as C;
        match self {
            Theme::Everything => vec![
                (C::Fork, 12),
                (C::Clone, 18),
                (C::Vfork, 2),
                (C::Exit, 10),
                (C::ExitThread, 4),
                (C::Exec, 3),
                (C::Fault, 1),
                (C::BrokenPipe, 1),
                (C::FailedFork, 1),
                (C::Sigqueue, 2),
                (C::Abort, 1),
                (C::Reboot, 1),
                (C::Wait, 14),
                (C::Waitid, 7),
                (C::Kill, 16),
                (C::Tgkill, 3),
                (C::PidfdSendSignal, 1),
                (C::PidfdOpen, 1),
                (C::Unshare, 5),
                (C::Setns, 5),
                (C::SetChildSubreaper, 3),
                (C::SetPdeathsig, 2),
                (C::Sigaction, 8),
                (C::Sigprocmask, 5),
                (C::Sigpending, 1),
                (C::PidfdPoll, 2),
                (C::Look, 5),
                (C::Setsid, 2),
                (C::Getpid, 1),
                (C::Gettid, 1),
                (C::Getppid, 2),
                (C::Setpgid, 5),
                (C::Getpgid, 2),
                (C::Getsid, 2),
                (C::Sysctl, 4),
                (C::Setuid, 3),
            ],
            Theme::Numbers => vec![
                (C::Fork, 14),
                (C::Clone, 14),
                (C::Exit, 6),
                (C::Wait, 8),
                (C::Sysctl, 14),
                (C::FailedFork, 4),
                (C::Unshare, 4),
                (C::Setns, 5),
                (C::Kill, 3),
                (C::Setsid, 1),
                (C::Setpgid, 1),
            ],
            Theme::Outside => vec![
                (C::Fork, 12),
                (C::Clone, 12),
                (C::Exit, 12),
                (C::Wait, 8),
                (C::Kill, 10),
                (C::Unshare, 7),
                (C::Setns, 14),
                (C::Setpgid, 6),
                (C::SetPdeathsig, 5),
                (C::SetChildSubreaper, 4),
                (C::Sigaction, 4),
                (C::Getppid, 2),
                (C::Setsid, 2),
                (C::Look, 8),
            ],
            Theme::Stops => vec![
                (C::Fork, 12),
                (C::Clone, 6),
                (C::Exit, 6),
                (C::Wait, 6),
                (C::Waitid, 10),
                (C::Kill, 30),
                (C::Tgkill, 2),
                (C::Sigaction, 6),
                (C::Sigprocmask, 4),
                (C::Setpgid, 8),
                (C::Setsid, 3),
                (C::SetChildSubreaper, 1),
            ],
            Theme::Users => vec![
                (C::Fork, 12),
                (C::Clone, 16),
                (C::Setuid, 10),
                (C::Unshare, 7),
                (C::Setns, 10),
                (C::Kill, 12),
                (C::Tgkill, 2),
                (C::Sysctl, 8),
                (C::SetPdeathsig, 5),
                (C::Exit, 6),
                (C::Wait, 5),
                (C::Setsid, 2),
                (C::Setpgid, 4),
                (C::Exec, 2),
                (C::Reboot, 2),
                (C::Look, 4),
            ],
            // Nobody ends: that thirty inits end one in the other can happen in very many orders.
            Theme::Depth => vec![
                (C::Clone, 20),
                (C::Fork, 8),
                (C::Unshare, 8),
                (C::Setns, 10),
                (C::Look, 3),
                (C::Sysctl, 2),
                (C::Getppid, 2),
                (C::Setpgid, 2),
            ],
            Theme::Threads => vec![
                (C::Clone, 30),
                (C::Fork, 10),
                (C::Vfork, 2),
                (C::ExitThread, 14),
                (C::Exit, 4),
                (C::Exec, 8),
                (C::Wait, 10),
                (C::Waitid, 6),
                (C::Kill, 10),
                (C::Tgkill, 6),
                (C::Sigaction, 4),
                (C::Sigprocmask, 5),
                (C::SetPdeathsig, 2),
                (C::Unshare, 2),
                (C::Setuid, 2),
                (C::PidfdPoll, 2),
                (C::Reboot, 2),
                (C::Look, 4),
            ],
        }
    }
}

/// Namespaces, one in the other, that a scenario about depth begins with.
pub(super) const PREPARED: u16 = 29;

/// What a scenario begins with, so that its random steps find something rare to work on: nothing, for every second one.
pub(super) fn opening(theme: Theme, choice: Option<&[u8; 4]>) -> Vec<(u16, Call)> {
    let all = openings(theme);
    let Some([_, _, choice, _]) = choice else { return Vec::new() };
    if all.is_empty() || (theme != Theme::Depth && choice.is_multiple_of(2)) {
        return Vec::new();
    }
    all[usize::from(choice / 2) % all.len()].clone()
}

/// Rare situations, each by the steps that lead to it.
fn openings(theme: Theme) -> Vec<Vec<(u16, Call)>> {
    let made = |child: u16, flags| Call::Clone {
        child: Role(child),
        flags,
        exit_signal: ExitSignal::Default,
        set_tid: Vec::new(),
    };
    let fork = |child| made(child, CloneFlags::empty());
    let [newpid, newuser] = [CloneFlags::CLONE_NEWPID, CloneFlags::CLONE_NEWUSER];
    let group = |group| Call::Setpgid { pid: Target::Number(0), group };
    let own_group = || group(Target::Number(0));
    let of = |role| Target::Role(Role(role));
    let wait = |child| Call::Wait { target: WaitTarget::Pid(of(child)), options: WaitOptions::empty() };
    let stop = |whom| Call::Kill { target: KillTarget::Pid(of(whom)), signal: Some(Signal::STOP) };
    let exit = || Call::Exit { status: 0 };
    let unshare = || Call::Unshare { flags: newpid };
    let write = |name, value| Call::Sysctl { name, write: Some(value) };
    let setuid = || Call::Setuid { uid: ANOTHER_USER };
    match theme {
        Theme::Everything | Theme::Threads => Vec::new(),
        Theme::Depth => vec![(0..PREPARED).map(|depth| (depth, made(depth + 1, newpid))).collect()],
        Theme::Numbers => vec![
            // Nearly all numbers are out of reach.
            vec![(0, made(1, newpid)), (1, write(Sysctl::PidMax, 302)), (1, write(Sysctl::NsLastPid, 298))],
        ],
        Theme::Outside => vec![
            // A namespace whose init and first member both have the same parent outside,
            vec![(0, fork(1)), (1, unshare()), (1, fork(2)), (1, fork(3))],
            // which may wait for the wrong one.
            vec![(0, fork(1)), (1, unshare()), (1, fork(2)), (1, fork(3)), (1, wait(2))],
            // Somebody outside in the group of an init,
            vec![(0, made(1, newpid)), (1, own_group()), (0, fork(2)), (2, group(of(1)))],
            // or of a member, whose number it can hold after that one's end.
            vec![(0, made(1, newpid)), (1, fork(2)), (2, own_group()), (0, fork(3)), (3, group(of(2)))],
        ],
        Theme::Stops => vec![
            // A job with a member that is stopped,
            vec![(0, fork(1)), (1, fork(2)), (2, own_group()), (0, stop(2))],
            // and one whose shell leads a session of its own: its end leaves the job an orphan.
            vec![(0, fork(1)), (1, Call::Setsid), (1, fork(2)), (2, own_group()), (0, stop(2))],
        ],
        Theme::Users => vec![
            // Somebody with power over few namespaces,
            vec![(0, made(1, newuser)), (1, write(Sysctl::MaxPidNamespaces, 1)), (1, made(2, newpid))],
            // one of which is gone.
            vec![
                (0, made(1, newuser)),
                (1, write(Sysctl::MaxPidNamespaces, 1)),
                (1, made(2, newpid)),
                (2, exit()),
                (1, wait(2)),
            ],
            // Somebody whose power a new program has lost.
            vec![(0, made(1, newuser)), (1, Call::Exec)],
            // A child that is to die with its parent, which may lose the right to kill it.
            vec![(0, fork(1)), (1, fork(2)), (2, Call::SetPdeathsig { signal: Some(Signal::KILL) })],
            // The same user, with a memory that was root's, dead and alive.
            vec![(0, fork(1)), (1, setuid()), (1, fork(2)), (2, exit()), (1, fork(3))],
            // Root in somebody else's namespace.
            vec![(0, made(1, newuser | newpid)), (0, Call::Setns { to: Role(1), via: SetnsVia::NsPid }), (0, fork(2))],
        ],
    }
}
