//! Every call that a world has, from a few bytes.

#![expect(clippy::unit_arg, reason = "what a call gives is told, also where it gives nothing")]

use pidlab_scenario::syscall::PtraceRequest;
use pidlab_scenario::{
    ANOTHER_USER, CloneFlags, Errno, Keeper, MaskChange, NamespaceTypes, NsLink, RebootHow, SeccompScope, SigCode,
    Signal, SignalAction, WaitOptions,
};
use pidlab_sim::{CloneArgs, State, TaskId, WaitFor, World};

/// The bytes of one call: who, which, and its arguments.
pub(crate) type Bytes = [u8; 6];

/// A call that was made.
pub(crate) struct Made {
    /// Its name.
    pub(crate) call: &'static str,
    /// Why it failed.
    pub(crate) errno: Option<Errno>,
    /// What it gave.
    pub(crate) gave: String,
}

impl Made {
    fn of<T: std::fmt::Debug>(call: &'static str, result: Result<T, Errno>) -> Made {
        Made { call, errno: result.as_ref().err().copied(), gave: format!("{result:?}") }
    }

    fn done(call: &'static str, gave: impl std::fmt::Debug) -> Made {
        Made { call, errno: None, gave: format!("{gave:?}") }
    }
}

/// The calls, some of them several times.
pub(crate) const NAMES: &[&str] = &[
    "fork",
    "fork",
    "vfork",
    "clone3",
    "clone3",
    "clone3",
    "thread",
    "init",
    "failed_clone3",
    "exit",
    "exit_thread",
    "exec",
    "wait4",
    "wait4",
    "waitid",
    "waitid",
    "kill",
    "kill",
    "kill",
    "tgkill",
    "tkill",
    "sigqueue",
    "tgsigqueue",
    "pidfd_open",
    "pidfd_send_signal",
    "sigaction",
    "sigaction",
    "sigprocmask",
    "sigpending",
    "sigtimedwait",
    "fault",
    "broken_pipe",
    "abort",
    "unshare",
    "setns",
    "setns_path",
    "setns_user",
    "setns_kept",
    "open_ns",
    "close_ns",
    "mq_notify",
    "close_pidfd",
    "mq_send",
    "setns_pidfd",
    "setns_for_children",
    "setns_pidfd_for_children",
    "setsid",
    "setpgid",
    "set_child_subreaper",
    "set_pdeathsig",
    "setuid",
    "set_ns_last_pid",
    "set_pid_max",
    "set_max_pid_namespaces",
    "reboot",
    "ptrace",
    "ptrace",
    "ptrace",
    "ptrace",
    "ptrace_cont",
    "ptrace_cont",
    "seccomp_kill",
    "look",
];

/// Nobody is told of a message, whoever asked.
pub(crate) fn tell_of_nothing(world: &mut World, by: TaskId) {
    for number in 0..QUEUES {
        world.mq_notify(by, number.into(), None).expect("that is always possible");
    }
}

/// So many message queues there are.
const QUEUES: u8 = 4;

/// Those that make somebody.
pub(crate) const BIRTHS: [&str; 6] = ["fork", "vfork", "clone3", "thread", "init", "failed_clone3"];

const FLAGS: [CloneFlags; 13] = [
    CloneFlags::CLONE_NEWPID,
    CloneFlags::CLONE_PARENT,
    CloneFlags::CLONE_VM.union(CloneFlags::CLONE_SIGHAND),
    CloneFlags::CLONE_VM.union(CloneFlags::CLONE_VFORK),
    CloneFlags::CLONE_NEWUSER,
    CloneFlags::CLONE_NEWUSER.union(CloneFlags::CLONE_NEWPID),
    CloneFlags::CLONE_PARENT.union(CloneFlags::CLONE_NEWPID),
    CloneFlags::CLONE_SIGHAND,
    CloneFlags::CLONE_THREAD.union(CloneFlags::CLONE_NEWPID),
    CloneFlags::CLONE_VM.union(CloneFlags::CLONE_SIGHAND).union(CloneFlags::CLONE_NEWPID),
    CloneFlags::CLONE_FS.union(CloneFlags::CLONE_NEWUSER),
    CloneFlags::CLONE_FS,
    CloneFlags::empty(),
];

const THREAD: CloneFlags = CloneFlags::CLONE_THREAD.union(CloneFlags::CLONE_SIGHAND).union(CloneFlags::CLONE_VM);

/// What the bytes of a call choose from.
struct Choice<'a> {
    world: &'a World,
    by: TaskId,
    bytes: Bytes,
}

impl Choice<'_> {
    /// Half of the signals are those that most rules are about.
    fn signal(&self) -> Signal {
        const USUAL: [Signal; 8] = [
            Signal::KILL,
            Signal::TERM,
            Signal::STOP,
            Signal::CONT,
            Signal::CHLD,
            Signal::USR1,
            Signal::TSTP,
            Signal::SEGV,
        ];
        let byte = self.bytes[2];
        Signal::new(i64::from(byte / 2 % 64) + 1)
            .filter(|_| byte.is_multiple_of(2))
            .unwrap_or(USUAL[usize::from(byte / 2) % 8])
    }

    /// The same, or 0.
    fn sent(&self) -> Option<Signal> {
        Some(self.signal()).filter(|_| !self.bytes[3].is_multiple_of(16))
    }

    /// The number of somebody; one in four is 0, -1, that of a group, or nobody's.
    fn number(&self, byte: u8) -> i32 {
        let somebody = self.world.pid_in(self.somebody(byte), self.world.namespace(self.by));
        let somebody = somebody.and_then(|number| i32::try_from(number.get()).ok());
        somebody.filter(|_| byte >= 64).unwrap_or(i32::from(byte % 24) - 6)
    }

    fn task(&self) -> TaskId {
        self.somebody(self.bytes[5])
    }

    fn somebody(&self, byte: u8) -> TaskId {
        let all: Vec<TaskId> = self.world.tasks().collect();
        all[usize::from(byte) % all.len()]
    }

    fn one_of<T: Copy>(&self, items: &[T]) -> T {
        items[usize::from(self.bytes[4]) % items.len()]
    }

    /// What setns(2) is told of a pidfd: one of four is wrong.
    fn types(&self) -> NamespaceTypes {
        let (user, pid) = (NamespaceTypes::CLONE_NEWUSER, NamespaceTypes::CLONE_NEWPID);
        self.one_of(&[pid, user, user | pid, pid, user, user | pid, NamespaceTypes::empty(), NamespaceTypes::all()])
    }

    /// Options of a wait: those that only waitid(2) knows are mistakes of wait4(2).
    fn options(&self) -> WaitOptions {
        let options = WaitOptions::from_bits_truncate(u32::from(self.bytes[2]) << 24 | u32::from(self.bytes[3]));
        let only_waitid = WaitOptions::WEXITED | WaitOptions::WNOWAIT;
        if self.bytes[1].is_multiple_of(2) { options } else { options - only_waitid }
    }
}

/// Who makes the call, if anybody can.
pub(crate) fn caller(world: &World, bytes: Bytes) -> Option<TaskId> {
    let able: Vec<TaskId> = world.tasks().filter(|task| world.state(*task) == Some(State::Running)).collect();
    able.get(usize::from(bytes[0]) % able.len().max(1)).copied()
}

/// Who could let a tracee go on, if anybody holds one.
fn holder(world: &World) -> Option<TaskId> {
    let held = world.tasks().filter(|task| world.state(*task) == Some(State::Traced));
    held.filter_map(|task| world.tracer(task)).find(|tracer| world.can_act(*tracer))
}

/// Makes the call that the bytes choose; nothing, if nobody can act, or if it would never end.
pub(crate) fn make(world: &mut World, bytes: Bytes) -> Option<Made> {
    let by = caller(world, bytes)?;
    let name = NAMES[usize::from(bytes[1]) % NAMES.len()];
    // Who holds a tracee is who can let it go on.
    let by = if name == "ptrace_cont" { holder(world).unwrap_or(by) } else { by };
    // The host's end is the end of everything: seldom.
    let is_host = world.leader(by) == world.host();
    let ends = ["exit", "exit_thread", "abort", "fault", "reboot", "vfork", "broken_pipe", "seccomp_kill"];
    if is_host && ends.contains(&name) && bytes[5] > 8 {
        return None;
    }
    // A tracee has one thread, and what it brings upon itself is another matter.
    if world.tracer(by).is_some() && ["thread", "exec", "fault", "abort"].contains(&name) {
        return None;
    }
    let made = match name {
        _ if BIRTHS.contains(&name) => born(world, by, name, bytes),
        "exit" | "exit_thread" | "exec" | "wait4" | "waitid" | "reboot" => life(world, by, name, bytes)?,
        "kill" | "tgkill" | "tkill" | "sigqueue" | "tgsigqueue" | "pidfd_open" | "pidfd_send_signal" => {
            sent(world, by, name, bytes)
        }
        "sigaction" | "sigprocmask" | "sigpending" | "sigtimedwait" | "fault" | "broken_pipe" | "abort" => {
            got(world, by, name, bytes)?
        }
        "ptrace" | "ptrace_cont" => traced(world, by, name, bytes)?,
        "seccomp_kill" => {
            let scope = Choice { world, by, bytes }.one_of(SeccompScope::ALL);
            Made::done(name, world.seccomp_kill(by, scope))
        }
        "look" => looked(world, by, bytes),
        _ => changed(world, by, name, bytes),
    };
    Some(made)
}

fn born(world: &mut World, by: TaskId, name: &'static str, bytes: Bytes) -> Made {
    let choice = Choice { world, by, bytes };
    let flags = match name {
        "thread" => THREAD,
        "init" => CloneFlags::CLONE_NEWPID,
        _ => choice.one_of(&FLAGS),
    };
    let without_signal = flags.intersects(CloneFlags::CLONE_THREAD | CloneFlags::CLONE_PARENT);
    let other = (!bytes[3].is_multiple_of(4)).then(|| choice.signal());
    let exit_signal = (!without_signal).then_some(if bytes[3] >= 64 { Some(Signal::CHLD) } else { other }).flatten();
    let number = i32::from(bytes[5] / 4);
    let set_tid: &[i32] = if bytes[5].is_multiple_of(4) { &[number] } else { &[] };
    match name {
        "fork" => Made::of(name, world.fork(by)),
        "vfork" => Made::of(name, world.vfork(by)),
        "failed_clone3" => {
            let errno = world.failed_clone3(by);
            Made::of(name, Err::<(), Errno>(errno))
        }
        _ => {
            Made::of(name, world.clone3(by, &CloneArgs::new(flags).with_exit_signal(exit_signal).with_set_tid(set_tid)))
        }
    }
}

fn life(world: &mut World, by: TaskId, name: &'static str, bytes: Bytes) -> Option<Made> {
    let choice = Choice { world, by, bytes };
    let (number, task, options) = (choice.number(bytes[4]), choice.task(), choice.options());
    let exited = if bytes[5] >= 64 { WaitOptions::WEXITED } else { WaitOptions::empty() };
    // A host that sleeps may sleep for ever.
    let awake = if world.leader(by) == world.host() { WaitOptions::WNOHANG } else { WaitOptions::empty() };
    let asked = match bytes[4] % 5 {
        0 => WaitFor::Any,
        1 => WaitFor::OwnGroup,
        2 => WaitFor::Group(i32::from(bytes[5] % 16)),
        3 => WaitFor::Pidfd(Some(task)),
        _ => WaitFor::Pid(i32::from(bytes[5] % 16)),
    };
    Some(match name {
        "exit" => Made::done(name, world.exit(by, i32::from(bytes[3]))),
        "exit_thread" => Made::done(name, world.exit_thread(by, i32::from(bytes[3]))),
        "exec" => Made::done(name, world.exec(by)),
        "wait4" => Made::of(name, world.wait4(by, number, options | awake)),
        "waitid" => Made::of(name, world.waitid(by, asked, options | awake | exited)),
        "reboot" => Made::of(name, world.reboot(by, RebootHow::ALL[usize::from(bytes[4]) % RebootHow::ALL.len()])),
        _ => return None,
    })
}

fn sent(world: &mut World, by: TaskId, name: &'static str, bytes: Bytes) -> Made {
    let choice = Choice { world, by, bytes };
    let (to, thread, signal) = (choice.number(bytes[4]), choice.number(bytes[4] ^ (bytes[5] / 128)), choice.sent());
    let code = SigCode::ALL[usize::from(bytes[3]) % SigCode::ALL.len()];
    match name {
        "kill" => Made::of(name, world.kill(by, to, signal)),
        "tgkill" => Made::of(name, world.tgkill(by, to, thread, signal)),
        "tkill" => Made::of(name, world.tkill(by, thread, signal)),
        "sigqueue" => Made::of(name, world.sigqueue(by, to, signal, u32::from(bytes[5]), code)),
        "tgsigqueue" => Made::of(name, world.tgsigqueue(by, (to, thread), signal, u32::from(bytes[5]), code)),
        "pidfd_open" => Made::of(name, world.pidfd_open(by, to)),
        _ => Made::of(name, world.pidfd_send_signal(by, to, signal)),
    }
}

fn got(world: &mut World, by: TaskId, name: &'static str, bytes: Bytes) -> Option<Made> {
    let choice = Choice { world, by, bytes };
    let (signal, action, how) = (choice.signal(), choice.one_of(SignalAction::ALL), choice.one_of(MaskChange::ALL));
    // A host that sleeps may sleep for ever.
    let waits = world.leader(by) != world.host() && bytes[5] >= 64;
    Some(match name {
        "sigaction" => Made::of(name, world.sigaction(by, signal, action)),
        "sigprocmask" => Made::done(name, world.sigprocmask(by, how, signal)),
        "sigtimedwait" => Made::of(name, world.sigtimedwait(by, &[signal], waits)),
        "sigpending" => Made::done(name, world.sigpending(by)),
        "fault" => Made::done(name, world.fault(by)),
        "broken_pipe" => Made::done(name, world.broken_pipe(by)),
        _ if world.aborts_for_ever(by) => return None,
        _ => Made::done(name, world.abort(by)),
    })
}

fn traced(world: &mut World, by: TaskId, name: &'static str, bytes: Bytes) -> Option<Made> {
    let choice = Choice { world, by, bytes };
    let signal = Some(choice.signal()).filter(|_| bytes[3] >= 128);
    // Its own tracee, if it holds one; else anybody.
    let held = world.tasks().find(|task| world.tracer(*task) == Some(by) && world.state(*task) == Some(State::Traced));
    let task = held.filter(|_| name == "ptrace_cont").unwrap_or_else(|| choice.task());
    let number = world.pid_in(task, world.namespace(by)).map_or(0, |number| number.get() as i32);
    let request = match bytes[4] % 4 {
        0 if name == "ptrace_cont" => PtraceRequest::Detach(signal),
        _ if name == "ptrace_cont" => PtraceRequest::Cont(signal),
        0 | 2 => PtraceRequest::Attach,
        other => PtraceRequest::Seize { exitkill: other == 1 },
    };
    let attaches = name == "ptrace" && world.leader(task) != world.leader(by);
    (!attaches || world.can_be_traced(task)).then(|| Made::of(name, world.ptrace(by, request, number)))
}

fn changed(world: &mut World, by: TaskId, name: &'static str, bytes: Bytes) -> Made {
    let choice = Choice { world, by, bytes };
    let (pid, group, task) = (choice.number(bytes[4]), choice.number(bytes[3]).max(-1), choice.task());
    let (pid, group) = (if bytes[5] < 128 { 0 } else { pid }, if bytes[2] < 128 { 0 } else { group });
    let flags = choice.one_of(&[CloneFlags::CLONE_NEWPID, CloneFlags::CLONE_NEWUSER, FLAGS[5]]);
    match name {
        "unshare" => Made::of(name, world.unshare(by, flags)),
        "setns" => Made::of(name, world.setns(by, world.namespace(task))),
        "setns_path" => Made::of(name, world.setns_path(by, Some(task))),
        "open_ns" => {
            let (link, keep) = (choice.one_of(NsLink::ALL), Keeper::ALL[usize::from(bytes[3]) % Keeper::ALL.len()]);
            Made::of(name, world.open_ns(by, u16::from(bytes[2] % 4), Some(task), link, keep))
        }
        "close_pidfd" => Made::done(name, world.close_pidfd(by, Some(task))),
        "mq_notify" => Made::of(name, world.mq_notify(by, u16::from(bytes[2] % QUEUES), choice.sent())),
        "mq_send" => Made::of(name, world.mq_send(by, u16::from(bytes[2] % QUEUES))),
        "close_ns" => Made::of(name, world.close_ns(by, u16::from(bytes[2] % 4))),
        "setns_kept" => Made::of(name, world.setns_kept(by, u16::from(bytes[2] % 4), NamespaceTypes::empty())),
        "setns_user" => Made::of(name, world.setns_user(by, Some(task))),
        "setns_pidfd" => Made::of(name, world.setns_pidfd(by, Some(task), choice.types())),
        "setns_for_children" => Made::of(name, world.setns_for_children(by, Some(task))),
        "setns_pidfd_for_children" => Made::of(name, world.setns_pidfd_for_children(by, Some(task))),
        "setsid" => Made::of(name, world.setsid(by)),
        "setpgid" => Made::of(name, world.setpgid(by, pid, group)),
        "set_child_subreaper" => Made::done(name, world.set_child_subreaper(by, !bytes[3].is_multiple_of(4))),
        "set_pdeathsig" => {
            let signal = choice.sent();
            Made::done(name, world.set_pdeathsig(by, signal))
        }
        "setuid" => Made::of(name, world.setuid(by, if !bytes[3].is_multiple_of(4) { ANOTHER_USER } else { 0 })),
        "set_ns_last_pid" => Made::of(name, world.set_ns_last_pid(by, i64::from(bytes[3]) + 50 * i64::from(bytes[4]))),
        "set_pid_max" => Made::of(name, world.set_pid_max(by, 300 + i64::from(bytes[3] % 4))),
        _ => Made::of(name, world.set_max_pid_namespaces(by, i64::from(bytes[3] % 5))),
    }
}

/// Everything that can be seen of another, and of oneself.
fn looked(world: &mut World, by: TaskId, bytes: Bytes) -> Made {
    let task = Choice { world, by, bytes }.task();
    let number = Choice { world, by, bytes }.number(bytes[3]);
    match bytes[4] % 13 {
        0 => Made::of("look", world.look_at_status(by, Some(task))),
        1 => Made::done("look", world.look_at_listing(by)),
        2 => Made::done("look", world.look_at_fdinfo(by, Some(task))),
        3 => Made::of("look", world.translate(by, Some(task))),
        4 => Made::of("look", world.look_at_pidfd_info(by, Some(task), true)),
        5 => Made::of("look", world.look_at_ns_parent(by, Some(task))),
        6 => Made::of("look", world.look_at_ns_file(by, Some(task))),
        7 => Made::done("look", world.look_at_loadavg(by)),
        8 => Made::done("look", world.pidfd_poll(by, Some(task))),
        9 => Made::of("look", world.getpgid(by, number)),
        10 => Made::of("look", world.getsid(by, number)),
        11 => Made::done("look", world.look_at_myself(by)),
        _ => {
            let own = (world.getpid(by), world.gettid(by), world.getppid(by), world.ns_last_pid(by), world.pid_max(by));
            Made::done("look", own)
        }
    }
}
