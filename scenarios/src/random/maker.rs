//! How a few bytes become the call of one process.

use super::bytes::Bytes;
use super::config::RandomConfig;
use super::guide::{Guide, roles};
use super::theme::Theme;
use super::{clones, signals};
use crate::limits::MOST_ROLES;
use crate::{
    ANOTHER_USER, Call, CallName, Capability, CloneFlags, Entrance, Keeper, KillTarget, LookVia, MaskChange,
    NamespaceTypes, NsLink, PidfdFlags, PidfdTarget, RebootHow, Role, Scenario, SeccompScope, SetnsVia, SigCode,
    Signal, State, Step, Sysctl, Target, WaitOptions,
};

/// Values at which numbering turns.
const EDGES: [i64; 16] = [301, 300, 299, 301, 302, 300, 303, 299, 0, 1, 4, 301, 298, 4_194_304, 4_194_303, 4_194_305];

/// Makes the call of one step.
pub(super) struct Maker<'a, G> {
    pub(super) scenario: &'a mut Scenario,
    pub(super) guide: &'a G,
    pub(super) config: &'a RandomConfig,
    pub(super) by: Role,
    pub(super) bytes: Bytes<'a>,
    /// Processes that it made and that are not reaped, as far as the steps alone tell.
    pub(super) children: Vec<Role>,
}

impl<'a, G: Guide> Maker<'a, G> {
    /// For a step by this process.
    pub(super) fn new(
        scenario: &'a mut Scenario,
        guide: &'a G,
        config: &'a RandomConfig,
        by: Role,
        bytes: Bytes<'a>,
    ) -> Maker<'a, G> {
        let made = scenario.steps.iter().filter(|step| step.by == by).filter_map(|step| step.call.child());
        let children = made.filter(|child| guide.state(*child).is_some()).collect();
        Maker { scenario, guide, config, by, bytes, children }
    }

    /// The call that the bytes choose.
    pub(super) fn call(&mut self) -> Call {
        let name = self.bytes.weighted(&self.config.calls).unwrap_or(CallName::Getpid);
        match self.sensible(name) {
            CallName::Fork => Call::Fork { child: self.child() },
            CallName::Vfork => Call::Vfork { child: self.child() },
            CallName::Clone => self.clone(),
            CallName::FailedFork => Call::FailedFork,
            CallName::Exit => Call::Exit { status: i32::from(self.bytes.next() % 4) },
            CallName::ExitThread => Call::ExitThread { status: i32::from(self.bytes.next() % 4) },
            CallName::Exec => Call::Exec,
            CallName::Abort => Call::Abort,
            CallName::Fault => Call::Fault,
            CallName::BrokenPipe => Call::BrokenPipe,
            CallName::SeccompKill => Call::SeccompKill { scope: self.bytes.one_of(SeccompScope::ALL) },
            CallName::Wait => self.wait(),
            CallName::Waitid => self.waitid(),
            CallName::Kill => self.kill(),
            CallName::Tgkill => {
                let pid = self.target();
                Call::Tgkill { pid, signal: self.signal_for(pid), tgid: self.another_process() }
            }
            CallName::Tkill => {
                let pid = self.target();
                Call::Tkill { pid, signal: self.signal_for(pid) }
            }
            CallName::PidfdSendSignal => {
                let of = if self.bytes.once_in(4) { PidfdTarget::Directory(self.anybody()) } else { self.pidfd() };
                let signal = self.signal_for(of.named());
                Call::PidfdSendSignal { of, signal, flags: self.scope() }
            }
            CallName::Sigqueue => {
                let (si_code, pid) = self.said_to_come_from();
                let signal = self.signal_for(pid);
                Call::Sigqueue { pid, signal, si_pid: u32::from(self.bytes.next()) + 700, si_code }
            }
            CallName::Tgsigqueueinfo => {
                let (si_code, pid) = self.said_to_come_from();
                let signal = self.signal_for(pid);
                let si_pid = u32::from(self.bytes.next()) + 700;
                Call::Tgsigqueueinfo { pid, signal, si_pid, si_code, tgid: self.another_process() }
            }
            CallName::PidfdOpen => {
                let flags = if self.bytes.once_in(2) { PidfdFlags::PIDFD_THREAD } else { PidfdFlags::empty() };
                Call::PidfdOpen { pid: self.target(), flags }
            }
            CallName::PidfdPoll => Call::PidfdPoll { of: self.pidfd() },
            CallName::Look => self.look(),
            CallName::Unshare => Call::Unshare { flags: self.unshared() },
            CallName::Setns => self.setns(),
            CallName::OpenNs => self.open_ns(),
            CallName::CloseNs => Call::CloseNs { of: self.kept().unwrap_or(self.by) },
            CallName::ClosePidfd => Call::ClosePidfd { of: self.on_a_leash().unwrap_or(self.by) },
            CallName::MqNotify => Call::MqNotify { signal: self.told_with() },
            CallName::MqSend => Call::MqSend { to: self.told().unwrap_or(self.by) },
            CallName::SetChildSubreaper => Call::SetChildSubreaper { on: !self.bytes.once_in(4) },
            CallName::GetChildSubreaper => Call::GetChildSubreaper,
            CallName::SetPdeathsig => Call::SetPdeathsig { signal: self.pdeathsig() },
            CallName::GetPdeathsig => Call::GetPdeathsig,
            CallName::PtraceSeize => Call::PtraceSeize { pid: self.process(), exitkill: self.bytes.once_in(4) },
            CallName::PtraceAttach => Call::PtraceAttach { pid: self.process() },
            CallName::PtraceCont => {
                let (pid, signal) = self.let_go();
                Call::PtraceCont { pid, signal }
            }
            CallName::PtraceDetach => {
                let (pid, signal) = self.let_go();
                Call::PtraceDetach { pid, signal }
            }
            CallName::Setuid => Call::Setuid { uid: if self.bytes.once_in(4) { 0 } else { ANOTHER_USER } },
            CallName::DropCapability => Call::DropCapability { capability: self.bytes.one_of(Capability::ALL) },
            CallName::Sigaction => {
                let action = signals::action(&mut self.bytes);
                Call::Sigaction { signal: signals::caught(&mut self.bytes), action }
            }
            CallName::Sigprocmask => {
                let how = self.bytes.one_of(MaskChange::ALL);
                Call::Sigprocmask { how, signal: signals::caught(&mut self.bytes) }
            }
            CallName::Sigpending => Call::Sigpending,
            CallName::Sigwait => Call::Sigwait { signals: self.awaited() },
            CallName::Sigtimedwait => Call::Sigtimedwait { signals: self.awaited() },
            CallName::Signalfd => Call::Signalfd { signals: self.awaited() },
            CallName::Setsid => Call::Setsid,
            CallName::Setpgid => self.setpgid(),
            CallName::Getpgid => Call::Getpgid { pid: self.target_or_self() },
            CallName::Getsid => Call::Getsid { pid: self.target_or_self() },
            CallName::Getpid => Call::Getpid,
            CallName::Gettid => Call::Gettid,
            CallName::Getppid => Call::Getppid,
            CallName::Sysctl => self.sysctl(),
            CallName::Reboot => Call::Reboot { how: self.bytes.one_of(RebootHow::ALL) },
        }
    }

    /// The same call, or one that makes more of the step.
    fn sensible(&mut self, name: CallName) -> CallName {
        let live = roles(self.scenario).filter(|role| self.guide.state(*role).is_some()).count();
        let room = live < self.config.live && self.scenario.roles.len() < MOST_ROLES;
        let is_host = self.by == Role::HOST;
        // Who spoke of SIGSEGV is to run into one: what a fault makes of a mask or an action shows nowhere else.
        let faults = self.known_to(self.by) == Some(Signal::SEGV) && self.bytes.once_in(2);
        match if faults { CallName::Fault } else { name } {
            CallName::Fork | CallName::Vfork | CallName::Clone if !room => CallName::Wait,
            // Who has made itself powerless does little more; below, that is what is interesting.
            CallName::Setuid | CallName::Unshare | CallName::DropCapability if is_host && !self.bytes.once_in(8) => {
                CallName::Fork
            }
            // A host that sleeps until somebody else ends is out of many scenarios.
            CallName::Vfork if is_host && !self.bytes.once_in(8) => CallName::Fork,
            CallName::Sigwait if is_host && !self.bytes.once_in(8) => CallName::Sigtimedwait,
            // Who has nobody to wait for mostly makes somebody: most waits would only fail.
            CallName::Wait | CallName::Waitid if room && self.children.is_empty() && !self.bytes.once_in(4) => {
                CallName::Clone
            }
            // Host's end is the end of everything: not often.
            CallName::Exit
            | CallName::ExitThread
            | CallName::Fault
            | CallName::Abort
            | CallName::Reboot
            | CallName::BrokenPipe
            | CallName::SeccompKill
                if is_host && !self.bytes.once_in(16) =>
            {
                CallName::Wait
            }
            name => name,
        }
    }

    fn child(&mut self) -> Role {
        let index = self.scenario.roles.len();
        self.scenario.roles.push(format!("p{index}"));
        Role(u16::try_from(index).expect("a scenario has at most 1024 processes"))
    }

    fn clone(&mut self) -> Call {
        let theme = self.config.theme;
        let flags = clones::flags(theme, self.by == Role::HOST, &mut self.bytes);
        let set_tid = clones::set_tid(theme, &mut self.bytes);
        let exit_signal = clones::exit_signal(flags, &mut self.bytes);
        let flags = flags | clones::and_more(&mut self.bytes);
        Call::Clone { child: self.child(), flags, exit_signal, set_tid }
    }

    fn unshared(&mut self) -> CloneFlags {
        match self.bytes.next() % 16 {
            0..=3 => CloneFlags::CLONE_NEWUSER,
            4 | 5 => CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWPID,
            _ => CloneFlags::CLONE_NEWPID,
        }
    }

    fn wait(&mut self) -> Call {
        let target = self.waited_for();
        let mut options = clones::wait_options(self.by == Role::HOST, &mut self.bytes);
        if self.bytes.once_in(32) {
            // Only waitid(2) knows it.
            options |= WaitOptions::WNOWAIT;
        }
        Call::Wait { target, options }
    }

    fn waitid(&mut self) -> Call {
        let target = self.waited_for();
        let asked = clones::asked_of_waitid(&mut self.bytes);
        Call::Waitid { target, options: asked | clones::wait_options(self.by == Role::HOST, &mut self.bytes) }
    }

    fn kill(&mut self) -> Call {
        let target = self.receivers();
        let mut signal = match target {
            KillTarget::Pid(receiver) => self.signal_for(receiver),
            KillTarget::Group(_) => self.signal(),
        };
        let hits_many = matches!(target, KillTarget::Pid(Target::Number(-1 | 0)));
        if hits_many && signal == Some(Signal::KILL) && !self.bytes.once_in(2) {
            signal = Some(Signal::CONT);
        }
        Call::Kill { target, signal }
    }

    /// What a signal is said to come from, and whom it is for: what only the receiver itself may say it mostly says.
    fn said_to_come_from(&mut self) -> (SigCode, Target) {
        let code = if self.bytes.once_in(2) { SigCode::Queue } else { self.bytes.one_of(SigCode::ALL) };
        let to_itself = code != SigCode::Queue && !self.bytes.once_in(3);
        (code, if to_itself { Target::Role(self.by) } else { self.target() })
    }

    /// Seldom a process that may be another one than the thread's.
    fn another_process(&mut self) -> Option<Target> {
        self.bytes.once_in(8).then(|| self.target())
    }

    /// A signal, often one that the receiver handles, ignores or blocks.
    fn signal_for(&mut self, receiver: Target) -> Option<Signal> {
        let known = match receiver {
            Target::Role(role) if self.bytes.once_in(3) => self.known_to(role),
            _ => None,
        };
        known.filter(|known| *known != Signal::KILL).or_else(|| self.signal())
    }

    /// Signals to take: what the caller spoke of, and sometimes others.
    fn awaited(&mut self) -> Vec<Signal> {
        let known = self.known_to(self.by).filter(|_| !self.bytes.once_in(8));
        let mut signals = vec![known.unwrap_or_else(|| signals::caught(&mut self.bytes))];
        while self.bytes.once_in(3) && signals.len() < 4 {
            signals.push(signals::caught(&mut self.bytes));
        }
        signals
    }

    /// A signal, now and then 0.
    fn signal(&mut self) -> Option<Signal> {
        if self.bytes.once_in(16) {
            return None;
        }
        Some(match self.config.theme {
            Theme::Stops if self.bytes.once_in(3) => signals::job_control(&mut self.bytes),
            _ => signals::sent(&mut self.bytes),
        })
    }

    /// A tracee, and what it is to take: nothing, or a signal.
    fn let_go(&mut self) -> (Target, Option<Signal>) {
        let tracee = self.traced();
        (tracee, if self.bytes.once_in(2) { None } else { self.signal_for(tracee) })
    }

    /// What a queue tells with: nothing, or a signal.
    fn told_with(&mut self) -> Option<Signal> {
        if self.bytes.once_in(2) { None } else { self.signal() }
    }

    fn pdeathsig(&mut self) -> Option<Signal> {
        (!self.bytes.once_in(8)).then(|| signals::of_an_end(&mut self.bytes))
    }

    fn look(&mut self) -> Call {
        if self.bytes.once_in(4) {
            let ways = [LookVia::Fdinfo, LookVia::PidfdInfo, LookVia::PidfdExit, LookVia::PidfdSignal];
            return Call::Look { at: self.pidfd(), via: self.bytes.one_of(&ways) };
        }
        let pid = if self.bytes.once_in(16) { Target::Number(0) } else { self.anything() };
        let exiting = |role| self.guide.state(role) == Some(State::Exiting);
        let via = match pid {
            // What is seldom there to be seen is looked at in the way that shows most.
            Target::Role(role) if exiting(role) => LookVia::Proc,
            _ => self.bytes.one_of(LookVia::ALL),
        };
        let at = match (via, pid) {
            // Where no number leads to, a pidfd may.
            (LookVia::Fdinfo | LookVia::PidfdInfo | LookVia::PidfdExit | LookVia::PidfdSignal, Target::Role(role))
                if !self.guide.has_number(self.by, role) =>
            {
                PidfdTarget::Held(role)
            }
            _ => PidfdTarget::Pid(pid),
        };
        Call::Look { at, via }
    }

    /// Mostly one flag or none.
    fn scope(&mut self) -> PidfdFlags {
        match self.bytes.next() % 16 {
            0..=2 => PidfdFlags::PIDFD_SIGNAL_THREAD,
            3..=5 => PidfdFlags::PIDFD_SIGNAL_THREAD_GROUP,
            6..=8 => PidfdFlags::PIDFD_SIGNAL_PROCESS_GROUP,
            9 => PidfdFlags::PIDFD_SIGNAL_THREAD | PidfdFlags::PIDFD_SIGNAL_PROCESS_GROUP,
            _ => PidfdFlags::empty(),
        }
    }

    fn setns(&mut self) -> Call {
        if let (Some(of), true) = (self.kept(), self.bytes.once_in(2)) {
            let nstype = if self.bytes.once_in(2) { None } else { self.nstype(SetnsVia::NsPid) };
            return Call::Setns { to: Entrance::Kept(of), via: SetnsVia::NsPid, nstype };
        }
        if self.bytes.once_in(8) {
            let to = Entrance::Pidfd(self.pidfd());
            let via = self.bytes.one_of(&[SetnsVia::Pidfd, SetnsVia::PidfdForChildren]);
            return Call::Setns { to, via, nstype: self.nstype(via) };
        }
        let (to, via) = (Entrance::Process(self.anybody()), self.bytes.one_of(SetnsVia::ALL));
        Call::Setns { to, via, nstype: self.nstype(via) }
    }

    /// A process under whose name a namespace was opened, and not closed since.
    fn kept(&mut self) -> Option<Role> {
        let mut kept: Vec<Role> = Vec::new();
        for step in &self.scenario.steps {
            match step.call {
                Call::OpenNs { of, .. } => kept.push(of),
                Call::CloseNs { of } => kept.retain(|other| *other != of),
                _ => {}
            }
        }
        if kept.is_empty() { None } else { Some(self.bytes.one_of(&kept)) }
    }

    /// Who has asked to be told of messages.
    fn told(&mut self) -> Option<Role> {
        let steps = self.scenario.steps.iter();
        let told: Vec<Role> =
            steps.filter(|step| matches!(step.call, Call::MqNotify { .. })).map(|step| step.by).collect();
        if told.is_empty() { None } else { Some(self.bytes.one_of(&told)) }
    }

    /// Who is killed when a pidfd is closed.
    fn on_a_leash(&mut self) -> Option<Role> {
        let child = |step: &Step| match step.call {
            Call::Clone { child, flags, .. } if flags.contains(CloneFlags::CLONE_PIDFD_AUTOKILL) => Some(child),
            _ => None,
        };
        let children: Vec<Role> = self.scenario.steps.iter().filter_map(child).collect();
        if children.is_empty() { None } else { Some(self.bytes.one_of(&children)) }
    }

    fn open_ns(&mut self) -> Call {
        let via = match self.bytes.next() % 8 {
            0..=3 => NsLink::Pid,
            _ => self.bytes.one_of(NsLink::ALL),
        };
        let mount = via != NsLink::PidfdForChildren && self.bytes.once_in(4);
        Call::OpenNs { of: self.anybody(), via, keep: if mount { Keeper::Mount } else { Keeper::Descriptor } }
    }

    /// Mostly what goes without saying; with a pidfd often both.
    fn nstype(&mut self, via: SetnsVia) -> Option<NamespaceTypes> {
        const BOTH: NamespaceTypes = NamespaceTypes::CLONE_NEWUSER.union(NamespaceTypes::CLONE_NEWPID);
        let types = match self.bytes.next() % 16 {
            0..=2 if via == SetnsVia::Pidfd => BOTH,
            3..=4 if via == SetnsVia::Pidfd => NamespaceTypes::CLONE_NEWUSER,
            5 => NamespaceTypes::CLONE_NEWUSER,
            6 if via != SetnsVia::OtherKind => NamespaceTypes::empty(),
            7 => self.bytes.one_of(&[NamespaceTypes::CLONE_THREAD, NamespaceTypes::CLONE_NEWPID, BOTH]),
            _ => return None,
        };
        Some(types)
    }

    fn setpgid(&mut self) -> Call {
        if self.config.theme == Theme::Outside && self.bytes.once_in(3) {
            return Call::Setpgid { pid: Target::Number(0), group: self.target_or_self() };
        }
        let pid = if self.bytes.once_in(2) { self.own_child() } else { self.target_or_self() };
        Call::Setpgid { pid, group: self.target_or_self() }
    }

    fn sysctl(&mut self) -> Call {
        let edge = matches!(self.config.theme, Theme::Numbers | Theme::Limits);
        let name = match self.bytes.next() % 8 {
            0 | 1 => Sysctl::PidMax,
            2 if !edge => Sysctl::MaxPidNamespaces,
            2..=4 if self.config.theme == Theme::Limits => Sysctl::MaxPidNamespaces,
            _ => Sysctl::NsLastPid,
        };
        let write = match self.bytes.next() % 4 {
            0 => None,
            _ if edge => Some(self.bytes.one_of(&EDGES)),
            1 => Some(i64::from(self.bytes.next())),
            2 => Some(i64::from(self.bytes.next()) + 250),
            _ => Some(i64::from(self.bytes.next()) + 4_194_100),
        };
        let write = write.map(|value| match name {
            // Lower ones are refused by every kernel, and mean nothing else.
            Sysctl::PidMax => value.max(300),
            Sysctl::MaxPidNamespaces => value % 5,
            Sysctl::NsLastPid => value,
        });
        Call::Sysctl { name, write }
    }
}
