//! How three bytes become the call of one process: what exists is named often, what is wrong sometimes.

use super::{Guide, RandomConfig, Theme};
use crate::step::MOST_ROLES;
use crate::{
    ANOTHER_USER, Call, CallName, CloneFlags, ExitSignal, KillTarget, LookVia, MaskChange, RebootHow, Role, Scenario,
    SetnsVia, Signal, SignalAction, State, Sysctl, Target, WaitOptions, WaitTarget,
};

/// Signals that scenarios send, the interesting ones more often.
const SIGNALS: [Signal; 12] = [
    Signal::KILL,
    Signal::TERM,
    Signal::TERM,
    Signal::STOP,
    Signal::CONT,
    Signal::CONT,
    Signal::CHLD,
    Signal::USR1,
    Signal::USR1,
    Signal::HUP,
    Signal::TSTP,
    Signal::KILL,
];

/// Signals that stop and continue.
const JOB_CONTROL: [Signal; 4] = [Signal::STOP, Signal::CONT, Signal::TSTP, Signal::CONT];

/// Signals that processes handle, ignore or block.
const CAUGHT: [Signal; 8] =
    [Signal::CHLD, Signal::CHLD, Signal::TERM, Signal::USR1, Signal::CONT, Signal::HUP, Signal::TSTP, Signal::KILL];

/// What processes do with them: a handler is what makes a blocked call fail, so it is more frequent.
const ACTIONS: [SignalAction; 8] = [
    SignalAction::Handle,
    SignalAction::Handle,
    SignalAction::Handle,
    SignalAction::Ignore,
    SignalAction::Ignore,
    SignalAction::Default,
    SignalAction::NoCldWait,
    SignalAction::NoCldWait,
];

/// Values at which numbering turns.
const EDGES: [i64; 16] = [301, 300, 299, 301, 302, 300, 303, 299, 0, 1, 4, 301, 298, 4_194_304, 4_194_303, 4_194_305];

/// Flags that say what is shared, some of them wrong together.
const ABOUT_MEMORY: [CloneFlags; 8] = [
    CloneFlags::CLONE_SIGHAND.union(CloneFlags::CLONE_VM),
    CloneFlags::CLONE_SIGHAND.union(CloneFlags::CLONE_VM).union(CloneFlags::CLONE_NEWPID),
    CloneFlags::CLONE_SIGHAND.union(CloneFlags::CLONE_VM).union(CloneFlags::CLONE_NEWPID),
    CloneFlags::CLONE_VM.union(CloneFlags::CLONE_VFORK).union(CloneFlags::CLONE_NEWPID),
    CloneFlags::CLONE_THREAD,
    CloneFlags::CLONE_SIGHAND,
    CloneFlags::CLONE_VM.union(CloneFlags::CLONE_FS),
    CloneFlags::CLONE_THREAD
        .union(CloneFlags::CLONE_SIGHAND)
        .union(CloneFlags::CLONE_VM)
        .union(CloneFlags::CLONE_NEWPID),
];

const THREAD: CloneFlags = CloneFlags::CLONE_THREAD.union(CloneFlags::CLONE_SIGHAND).union(CloneFlags::CLONE_VM);

/// Flags for who becomes powerful in a small place.
const NEW_USER: [CloneFlags; 8] = [
    CloneFlags::CLONE_NEWUSER,
    CloneFlags::CLONE_NEWUSER.union(CloneFlags::CLONE_NEWPID),
    CloneFlags::CLONE_NEWUSER.union(CloneFlags::CLONE_NEWPID),
    CloneFlags::CLONE_NEWUSER.union(CloneFlags::CLONE_NEWPID),
    CloneFlags::CLONE_NEWUSER.union(CloneFlags::CLONE_PARENT),
    CloneFlags::CLONE_NEWUSER.union(CloneFlags::CLONE_FS),
    CloneFlags::CLONE_NEWUSER.union(CloneFlags::CLONE_VM),
    CloneFlags::CLONE_NEWUSER
        .union(CloneFlags::CLONE_THREAD)
        .union(CloneFlags::CLONE_SIGHAND)
        .union(CloneFlags::CLONE_VM),
];

const WAIT_OPTIONS: [WaitOptions; 8] = [
    WaitOptions::WNOHANG,
    WaitOptions::empty(),
    WaitOptions::WNOHANG.union(WaitOptions::__WALL),
    WaitOptions::empty(),
    WaitOptions::WNOHANG.union(WaitOptions::WSTOPPED).union(WaitOptions::__WNOTHREAD),
    WaitOptions::WNOHANG.union(WaitOptions::WCONTINUED),
    WaitOptions::WNOHANG.union(WaitOptions::__WCLONE),
    WaitOptions::__WALL,
];

/// Numbers that are nobody's, or that mean something else than a process.
const ODD_NUMBERS: [i32; 16] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 300, 301, 4_194_303, 4_194_304, -2, i32::MAX];

/// Makes the call of one step.
pub(super) struct Maker<'a, G> {
    scenario: &'a mut Scenario,
    guide: &'a G,
    config: &'a RandomConfig,
    by: Role,
    /// Processes that it made and that are not reaped, as far as the steps alone tell.
    children: Vec<Role>,
}

impl<'a, G: Guide> Maker<'a, G> {
    /// For a step by this process.
    pub(super) fn new(scenario: &'a mut Scenario, guide: &'a G, config: &'a RandomConfig, by: Role) -> Maker<'a, G> {
        let made = scenario.steps.iter().filter(|step| step.by == by).filter_map(|step| step.call.child());
        let children = made.filter(|child| guide.state(*child).is_some()).collect();
        Maker { scenario, guide, config, by, children }
    }

    /// The call that three bytes choose.
    pub(super) fn call(&mut self, kind: u8, first: u8, second: u8) -> Call {
        match self.sensible(self.name(kind), second) {
            CallName::Fork => Call::Fork { child: self.child() },
            CallName::Vfork => Call::Vfork { child: self.child() },
            CallName::ExitThread => Call::ExitThread { status: i32::from(first % 4) },
            CallName::Exec => Call::Exec,
            CallName::Fault => Call::Fault,
            CallName::FailedFork => Call::FailedFork,
            CallName::BrokenPipe => Call::BrokenPipe,
            CallName::Sigqueue => {
                let signal = signal_or_zero(second);
                Call::Sigqueue { pid: self.target(first), signal, si_pid: u32::from(first) + 700 }
            }
            CallName::Abort => Call::Abort,
            CallName::Sigpending => Call::Sigpending,
            CallName::PidfdPoll => Call::PidfdPoll { pid: self.anything(first) },
            CallName::Look => {
                let pid = if first.is_multiple_of(16) { Target::Number(0) } else { self.anything(first) };
                let exiting = |role| self.guide.state(role) == Some(State::Exiting);
                let via = match pid {
                    // What is seldom there to be seen is looked at in the way that shows most.
                    Target::Role(role) if exiting(role) => LookVia::Proc,
                    _ => one_of(LookVia::ALL, second),
                };
                Call::Look { pid, via }
            }
            CallName::Reboot => Call::Reboot { how: one_of(RebootHow::ALL, first) },
            CallName::Clone => self.clone(first, second),
            CallName::Exit => Call::Exit { status: i32::from(first % 4) },
            CallName::Wait => self.wait(first, second),
            CallName::Waitid => self.waitid(first, second),
            CallName::Kill => self.kill(first, second),
            CallName::Tgkill => Call::Tgkill { pid: self.target(first), signal: signal_or_zero(second) },
            CallName::PidfdSendSignal => {
                Call::PidfdSendSignal { pid: self.target(first), signal: signal_or_zero(second) }
            }
            CallName::PidfdOpen => Call::PidfdOpen { pid: self.target(first) },
            CallName::Unshare => Call::Unshare { flags: self.unshared(first, second) },
            CallName::Setuid => Call::Setuid { uid: if first.is_multiple_of(4) { 0 } else { ANOTHER_USER } },
            CallName::Setns => Call::Setns { to: self.anybody(first), via: one_of(SetnsVia::ALL, second) },
            CallName::SetChildSubreaper => Call::SetChildSubreaper { on: !first.is_multiple_of(4) },
            CallName::SetPdeathsig => {
                let signal = if first.is_multiple_of(8) { None } else { Some(one_of(&SIGNALS, second)) };
                Call::SetPdeathsig { signal }
            }
            CallName::Sigaction => Call::Sigaction { signal: one_of(&CAUGHT, first), action: one_of(&ACTIONS, second) },
            CallName::Sigprocmask => {
                Call::Sigprocmask { how: one_of(MaskChange::ALL, second), signal: one_of(&CAUGHT, first) }
            }
            CallName::Setsid => Call::Setsid,
            CallName::Gettid => Call::Gettid,
            CallName::Getppid => Call::Getppid,
            CallName::Setpgid => {
                if self.config.theme == Theme::Outside && first.is_multiple_of(3) {
                    return Call::Setpgid { pid: Target::Number(0), group: self.target_or_self(second) };
                }
                let pid = if first.is_multiple_of(2) { self.own_child(first / 2) } else { self.target_or_self(first) };
                Call::Setpgid { pid, group: self.target_or_self(second) }
            }
            CallName::Getpgid => Call::Getpgid { pid: self.target_or_self(first) },
            CallName::Getsid => Call::Getsid { pid: self.target_or_self(first) },
            CallName::Sysctl => self.sysctl(first, second),
            CallName::Getpid => Call::Getpid,
        }
    }

    /// The same call, or one that makes more of the step.
    fn sensible(&self, name: CallName, byte: u8) -> CallName {
        let live = roles(self.scenario).filter(|role| self.guide.state(*role).is_some()).count();
        let room = live < self.config.live && self.scenario.roles.len() < MOST_ROLES;
        match name {
            CallName::Fork | CallName::Vfork | CallName::Clone if !room => CallName::Wait,
            // A host that sleeps until somebody else ends is out of many scenarios.
            // Who has made itself powerless does little more; below, that is what is interesting.
            CallName::Setuid | CallName::Unshare if self.by == Role::HOST && !byte.is_multiple_of(8) => CallName::Fork,
            CallName::Vfork if self.by == Role::HOST && !byte.is_multiple_of(8) => CallName::Fork,
            // Who has nobody to wait for mostly makes somebody: most waits would only fail.
            CallName::Wait | CallName::Waitid if room && self.children.is_empty() && !byte.is_multiple_of(4) => {
                CallName::Clone
            }
            // Host's end is the end of everything: not often.
            CallName::Exit
            | CallName::ExitThread
            | CallName::Fault
            | CallName::Abort
            | CallName::Reboot
            | CallName::BrokenPipe
                if self.by == Role::HOST && !byte.is_multiple_of(16) =>
            {
                CallName::Wait
            }
            name => name,
        }
    }

    fn name(&self, byte: u8) -> CallName {
        let total: u64 = self.config.calls.iter().map(|(_, weight)| u64::from(*weight)).sum();
        let mut left = u64::from(byte) * total / 256;
        for (name, weight) in &self.config.calls {
            if left < u64::from(*weight) {
                return *name;
            }
            left -= u64::from(*weight);
        }
        CallName::Getpid
    }

    fn child(&mut self) -> Role {
        let index = self.scenario.roles.len();
        self.scenario.roles.push(format!("p{index}"));
        Role(u16::try_from(index).expect("a scenario has at most 1024 processes"))
    }

    fn clone(&mut self, first: u8, second: u8) -> Call {
        let flags = match (first % 16, self.config.theme) {
            (0..=7, Theme::Threads) => THREAD,
            (8..=13, Theme::Threads) => CloneFlags::empty(),
            (8..=11, Theme::Users) => one_of(&NEW_USER, second),
            (8..=11, Theme::Outside) => CloneFlags::CLONE_PARENT,
            (4..=15, Theme::Stops) => CloneFlags::empty(),
            (0..=9, Theme::Depth) => CloneFlags::CLONE_NEWPID,
            (kind, _) => self.flags(kind, second),
        };
        self.clone_with(flags, first, second)
    }

    fn flags(&self, kind: u8, second: u8) -> CloneFlags {
        match kind {
            8..=11 => THREAD,
            12 => one_of(&ABOUT_MEMORY, second),
            // Host is an init, which can have no siblings: seldom.
            5 | 6 if self.by == Role::HOST && !second.is_multiple_of(8) => CloneFlags::empty(),
            0..=3 | 15 => CloneFlags::CLONE_NEWPID,
            5 => CloneFlags::CLONE_PARENT,
            6 => CloneFlags::CLONE_PARENT | CloneFlags::CLONE_NEWPID,
            13 => one_of(&NEW_USER, second),
            _ => CloneFlags::empty(),
        }
    }

    fn clone_with(&mut self, flags: CloneFlags, first: u8, second: u8) -> Call {
        let exit_signal = match second % 8 {
            // A thread has none.
            _ if flags.contains(THREAD) && second < 250 => ExitSignal::Default,
            0 => ExitSignal::None,
            1 => ExitSignal::Signal(one_of(&SIGNALS, second / 8)),
            _ => ExitSignal::Default,
        };
        let number = i32::from(first / 8);
        let kind = if self.config.theme == Theme::Numbers { second / 8 % 10 } else { second / 8 };
        let set_tid = match kind {
            4 if self.config.theme == Theme::Numbers => vec![number, 0],
            5 if self.config.theme == Theme::Numbers => vec![i32::from(second), 301],
            6 if self.config.theme == Theme::Numbers && second >= 200 => vec![1; 33],
            0 => vec![number],
            1 => vec![1],
            2 => vec![1, number],
            3 => vec![number, number + 1],
            _ => Vec::new(),
        };
        Call::Clone { child: self.child(), flags, exit_signal, set_tid }
    }

    fn sysctl(&self, first: u8, second: u8) -> Call {
        let edge = self.config.theme == Theme::Numbers;
        let write = match first % 4 {
            0 => None,
            _ if edge => Some(one_of(&EDGES, second)),
            1 => Some(i64::from(second)),
            2 => Some(i64::from(second) + 250),
            _ => Some(i64::from(second) + 4_194_100),
        };
        match first / 4 % 4 {
            0 if edge => Call::Sysctl { name: Sysctl::PidMax, write: write.map(|value| value.max(300)) },
            0 => Call::Sysctl { name: Sysctl::PidMax, write: write.map(|value| value + 100) },
            1 if !edge => Call::Sysctl { name: Sysctl::MaxPidNamespaces, write: write.map(|value| value % 5) },
            _ => Call::Sysctl { name: Sysctl::NsLastPid, write },
        }
    }

    fn unshared(&self, first: u8, second: u8) -> CloneFlags {
        match first % 8 {
            0 | 1 => CloneFlags::CLONE_NEWUSER,
            2 | 3 if second.is_multiple_of(2) => CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWPID,
            _ => CloneFlags::CLONE_NEWPID,
        }
    }

    fn wait(&self, first: u8, second: u8) -> Call {
        let mut options = one_of(&WAIT_OPTIONS, second);
        if self.by == Role::HOST && !first.is_multiple_of(8) {
            // A host that blocks for ever ends many scenarios too soon.
            options |= WaitOptions::WNOHANG;
        }
        if second >= 248 {
            // Only waitid(2) knows it.
            options |= WaitOptions::WNOWAIT;
        }
        Call::Wait { target: self.children(first), options }
    }

    fn waitid(&self, first: u8, second: u8) -> Call {
        let asked = match second / 8 % 4 {
            0 => WaitOptions::WEXITED | WaitOptions::WNOWAIT,
            1 => WaitOptions::WSTOPPED | WaitOptions::WCONTINUED,
            2 => WaitOptions::WEXITED | WaitOptions::WSTOPPED,
            // Nothing asked for is a mistake that waitid(2) refuses.
            _ if second >= 240 => WaitOptions::empty(),
            _ => WaitOptions::WEXITED,
        };
        let mut options = one_of(&WAIT_OPTIONS, second) | asked;
        if self.by == Role::HOST {
            options |= WaitOptions::WNOHANG;
        }
        Call::Waitid { target: self.children(first), options }
    }

    fn children(&self, byte: u8) -> WaitTarget {
        match byte % 8 {
            0..=2 => WaitTarget::Any,
            3 | 4 => WaitTarget::Pid(self.own_child(byte / 8)),
            5 => WaitTarget::Pid(self.target(byte / 8)),
            6 if byte & 8 == 0 => WaitTarget::Group(self.own_child(byte / 16)),
            6 => WaitTarget::Group(self.process(byte / 16)),
            _ if byte & 8 == 0 => WaitTarget::OwnGroup,
            _ if byte & 16 == 0 => WaitTarget::Pidfd(self.anybody(byte / 32)),
            _ => WaitTarget::Pidfd(self.children.first().copied().unwrap_or(Role::HOST)),
        }
    }

    fn kill(&self, first: u8, second: u8) -> Call {
        let who = (first / 16) | (second & 0xf0);
        let target = match first % 16 {
            0 => KillTarget::Pid(Target::Number(-1)),
            1 => KillTarget::Pid(Target::Number(0)),
            2 | 3 => KillTarget::Group(self.process(who)),
            4 => KillTarget::Pid(Target::Number(1)),
            5 => KillTarget::Group(self.target(who)),
            6..=9 => KillTarget::Pid(self.blocked(who)),
            _ => KillTarget::Pid(self.target(who)),
        };
        let mut signal = match self.config.theme {
            Theme::Stops if second & 0x0c == 0 => Some(one_of(&JOB_CONTROL, second)),
            _ => signal_or_zero(second),
        };
        if let (KillTarget::Pid(Target::Role(receiver)), true) = (target, second.is_multiple_of(2)) {
            signal = self.handled_by(receiver).or(signal);
        }
        let hits_many = matches!(target, KillTarget::Pid(Target::Number(-1 | 0)));
        if hits_many && signal == Some(Signal::KILL) && second & 128 != 0 {
            signal = Some(Signal::CONT);
        }
        Call::Kill { target, signal }
    }

    /// A child by name; somebody, if there is none.
    fn own_child(&self, byte: u8) -> Target {
        let visible: Vec<Role> =
            self.children.iter().copied().filter(|child| self.guide.has_number(self.by, *child)).collect();
        if visible.is_empty() { self.process(byte) } else { Target::Role(one_of(&visible, byte)) }
    }

    /// A process that is inside a call or stopped, for which a signal makes a difference; somebody, if there is none.
    fn blocked(&self, byte: u8) -> Target {
        let held = |role: &Role| matches!(self.guide.state(*role), Some(State::Blocked | State::Stopped));
        let held: Vec<Role> =
            roles(self.scenario).filter(held).filter(|role| self.guide.has_number(self.by, *role)).collect();
        if held.is_empty() { self.target(byte) } else { Target::Role(one_of(&held, byte)) }
    }

    /// A signal that a process, or who made it, said it would handle: children inherit handlers.
    fn handled_by(&self, role: Role) -> Option<Signal> {
        let mut who = role;
        self.scenario.steps.iter().rev().find_map(|step| match step.call {
            Call::Sigaction { signal, action: SignalAction::Handle } if step.by == who && signal != Signal::KILL => {
                Some(signal)
            }
            Call::Fork { child } | Call::Clone { child, .. } if child == who => {
                who = step.by;
                None
            }
            _ => None,
        })
    }

    /// A process with a number in the caller's namespace.
    fn process(&self, byte: u8) -> Target {
        let visible: Vec<Role> = roles(self.scenario).filter(|role| self.guide.has_number(self.by, *role)).collect();
        if visible.is_empty() { Target::Number(1) } else { Target::Role(one_of(&visible, byte)) }
    }

    /// Mostly a process; sometimes a number that may be nobody's.
    fn target(&self, byte: u8) -> Target {
        if byte % 16 == 15 { Target::Number(one_of(&ODD_NUMBERS, byte / 16)) } else { self.process(byte) }
    }

    /// Mostly a process, visible or not; sometimes a number.
    fn anything(&self, byte: u8) -> Target {
        let mut made = roles(self.scenario);
        let exiting = made.find(|role| self.guide.state(*role) == Some(State::Exiting));
        if let (Some(exiting), true) = (exiting, byte.is_multiple_of(2)) {
            return Target::Role(exiting);
        }
        if byte % 16 == 15 { Target::Number(one_of(&ODD_NUMBERS, byte / 16)) } else { Target::Role(self.anybody(byte)) }
    }

    fn target_or_self(&self, byte: u8) -> Target {
        if byte.is_multiple_of(3) { Target::Number(0) } else { self.target(byte / 3) }
    }

    /// Any process that has been made.
    fn anybody(&self, byte: u8) -> Role {
        let made: Vec<Role> = roles(self.scenario).filter(|role| self.guide.has_number(Role::HOST, *role)).collect();
        if made.is_empty() { Role::HOST } else { one_of(&made, byte) }
    }
}

fn signal_or_zero(byte: u8) -> Option<Signal> {
    if byte % 16 == 7 { None } else { Some(one_of(&SIGNALS, byte)) }
}

/// Every role, host first.
pub(super) fn roles(scenario: &Scenario) -> impl Iterator<Item = Role> + use<> {
    (0..scenario.roles.len()).filter_map(|index| u16::try_from(index).ok().map(Role))
}

/// The item that a byte chooses.
pub(super) fn one_of<T: Copy>(items: &[T], byte: u8) -> T {
    items[usize::from(byte) % items.len()]
}
