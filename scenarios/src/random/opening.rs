//! What random scenarios begin with, so that their steps find something rare to work on.

use super::bytes::Bytes;
use super::clones::THREAD;
use super::theme::Theme;
use crate::{
    ANOTHER_USER, Call, Capability, CloneFlags, Entrance, ExitSignal, Keeper, KillTarget, MaskChange, NsLink, Role,
    SetnsVia, Signal, SignalAction, Sysctl, Target, WaitOptions, WaitTarget,
};

/// Namespaces, one in the other, that a scenario about depth begins with.
pub(super) const PREPARED: u16 = 29;

/// Steps, each with who takes it.
pub(super) type Opening = Vec<(Role, Call)>;

/// What a scenario begins with whose last process so far is `last`: nothing, for every second one.
pub(super) fn opening(theme: Theme, last: u16, bytes: &mut Bytes<'_>) -> Opening {
    let all = match theme {
        Theme::Mixed => {
            let rare = bytes.one_of(&[
                Theme::Numbers,
                Theme::Outside,
                Theme::Stops,
                Theme::Users,
                Theme::Threads,
                Theme::Limits,
                Theme::Deaths,
                Theme::Endings,
                Theme::Tracers,
            ]);
            openings(rare, last)
        }
        theme => openings(theme, last),
    };
    let always = matches!(theme, Theme::Depth | Theme::Mixed);
    if all.is_empty() || (!always && bytes.once_in(2)) {
        return Vec::new();
    }
    all[usize::from(bytes.next()) % all.len()].clone()
}

/// Writes openings: process 0 is host, the others have the next free roles.
struct Writer {
    last: u16,
}

impl Writer {
    fn role(&self, number: u16) -> Role {
        if number == 0 { Role::HOST } else { Role(self.last + number) }
    }

    fn of(&self, number: u16) -> Target {
        Target::Role(self.role(number))
    }

    fn made(&self, child: u16, flags: CloneFlags) -> Call {
        Call::Clone { child: self.role(child), flags, exit_signal: ExitSignal::Default, set_tid: Vec::new() }
    }

    fn fork(&self, child: u16) -> Call {
        self.made(child, CloneFlags::empty())
    }

    fn init(&self, child: u16) -> Call {
        self.made(child, CloneFlags::CLONE_NEWPID)
    }

    fn thread(&self, child: u16) -> Call {
        self.made(child, THREAD)
    }

    fn group(&self, number: u16) -> Call {
        Call::Setpgid { pid: Target::Number(0), group: self.of(number) }
    }

    fn wait(&self, child: u16) -> Call {
        Call::Wait { target: WaitTarget::Pid(self.of(child)), options: WaitOptions::empty() }
    }

    fn kill(&self, whom: u16, signal: Signal) -> Call {
        Call::Kill { target: KillTarget::Pid(self.of(whom)), signal: Some(signal) }
    }

    fn setns(&self, to: u16) -> Call {
        Call::Setns { to: Entrance::Process(self.role(to)), via: SetnsVia::NsPid, nstype: None }
    }

    fn open_ns(&self, of: u16) -> Call {
        Call::OpenNs { of: self.role(of), via: NsLink::Pid, keep: Keeper::Descriptor }
    }

    fn steps<const N: usize>(&self, steps: [(u16, Call); N]) -> Opening {
        steps.into_iter().map(|(by, call)| (self.role(by), call)).collect()
    }
}

fn wait_for_own() -> Call {
    Call::Wait { target: WaitTarget::Any, options: WaitOptions::__WNOTHREAD }
}

fn exit() -> Call {
    Call::Exit { status: 0 }
}

fn unshare() -> Call {
    Call::Unshare { flags: CloneFlags::CLONE_NEWPID }
}

fn own_group() -> Call {
    Call::Setpgid { pid: Target::Number(0), group: Target::Number(0) }
}

fn write(name: Sysctl, value: i64) -> Call {
    Call::Sysctl { name, write: Some(value) }
}

fn mq_notify(signal: Signal) -> Call {
    Call::MqNotify { signal: Some(signal) }
}

fn setuid() -> Call {
    Call::Setuid { uid: ANOTHER_USER }
}

fn without_admin() -> Call {
    Call::DropCapability { capability: Capability::SysAdmin }
}

fn handle(signal: Signal) -> Call {
    Call::Sigaction { signal, action: SignalAction::Handle }
}

fn ignore(signal: Signal) -> Call {
    Call::Sigaction { signal, action: SignalAction::Ignore }
}

fn handle_and_restart(signal: Signal) -> Call {
    Call::Sigaction { signal, action: SignalAction::HandleRestart }
}

fn block(signal: Signal) -> Call {
    Call::Sigprocmask { how: MaskChange::Block, signal }
}

fn sigwait(signal: Signal) -> Call {
    Call::Sigwait { signals: vec![signal] }
}

fn pdeathsig(signal: Signal) -> Call {
    Call::SetPdeathsig { signal: Some(signal) }
}

/// Rare situations, each by the steps that lead to it.
fn openings(theme: Theme, last: u16) -> Vec<Opening> {
    let w = Writer { last };
    match theme {
        Theme::Everything | Theme::Mixed => Vec::new(),
        Theme::Depth => {
            vec![(0..PREPARED).map(|depth| (w.role(depth), w.init(depth + 1))).collect()]
        }
        Theme::Numbers => numbers(&w),
        Theme::Outside => outside(&w),
        Theme::Stops => stops(&w),
        Theme::Users => users(&w),
        Theme::Threads => threads(&w),
        Theme::Limits => limits(&w),
        Theme::Deaths => deaths(&w),
        Theme::Endings => endings(&w),
        Theme::Tracers => tracers(&w),
    }
}

fn numbers(w: &Writer) -> Vec<Opening> {
    vec![
        // Nearly all numbers are out of reach,
        w.steps([(0, w.init(1)), (1, write(Sysctl::PidMax, 302)), (1, write(Sysctl::NsLastPid, 298))]),
        // and the low ones come back.
        w.steps([(0, w.init(1)), (1, write(Sysctl::PidMax, 301)), (1, write(Sysctl::NsLastPid, 300)), (1, w.fork(2))]),
        // Children are to be born where nobody can be any more.
        w.steps([(0, w.fork(1)), (1, unshare()), (1, w.fork(2)), (2, exit())]),
    ]
}

fn outside(w: &Writer) -> Vec<Opening> {
    vec![
        // A namespace whose init and first member both have the same parent outside,
        w.steps([(0, w.fork(1)), (1, unshare()), (1, w.fork(2)), (1, w.fork(3))]),
        // which may wait for the wrong one.
        w.steps([(0, w.fork(1)), (1, unshare()), (1, w.fork(2)), (1, w.fork(3)), (1, w.wait(2))]),
        // Somebody outside in the group of an init,
        w.steps([(0, w.init(1)), (1, own_group()), (0, w.fork(2)), (2, w.group(1))]),
        // or of a member, whose number it can hold after that one's end.
        w.steps([(0, w.init(1)), (1, w.fork(2)), (2, own_group()), (0, w.fork(3)), (3, w.group(2))]),
        // An init that has asked to be killed by a message.
        w.steps([(0, w.init(1)), (1, w.fork(2)), (1, mq_notify(Signal::KILL))]),
        // A sibling that a thread has made.
        w.steps([(0, w.fork(1)), (1, w.thread(2)), (2, w.made(3, CloneFlags::CLONE_PARENT))]),
        // A namespace that is kept open, with nobody left in it.
        w.steps([(0, w.init(1)), (0, w.open_ns(1)), (1, exit()), (0, w.wait(1))]),
    ]
}

fn stops(w: &Writer) -> Vec<Opening> {
    let stop = |whom| w.kill(whom, Signal::STOP);
    vec![
        // A job with a member that is stopped,
        w.steps([(0, w.fork(1)), (1, w.fork(2)), (2, own_group()), (0, stop(2))]),
        // and one whose shell leads a session of its own: its end leaves the job an orphan.
        w.steps([(0, w.fork(1)), (1, Call::Setsid), (1, w.fork(2)), (2, own_group()), (0, stop(2))]),
        // An init that was stopped from outside, with somebody within.
        w.steps([(0, w.init(1)), (1, w.fork(2)), (0, stop(1))]),
        // Somebody who sleeps, and has a handler for what may wake it.
        w.steps([(0, w.fork(1)), (1, handle(Signal::USR1)), (1, w.fork(2)), (1, w.wait(2))]),
        w.steps([(0, w.fork(1)), (1, handle(Signal::CHLD)), (1, w.fork(2)), (1, w.fork(3)), (1, w.wait(2))]),
        w.steps([(0, w.fork(1)), (1, handle_and_restart(Signal::USR1)), (1, w.fork(2)), (1, w.wait(2))]),
        // Somebody who sleeps until a signal comes, and an init that does.
        w.steps([(0, w.fork(1)), (1, block(Signal::TERM)), (1, sigwait(Signal::TERM))]),
        w.steps([(0, w.init(1)), (1, w.fork(2)), (1, block(Signal::CHLD)), (1, sigwait(Signal::CHLD))]),
        // A stop that one thread cannot join: its child has its memory.
        w.steps([(0, w.fork(1)), (1, w.thread(2)), (2, Call::Vfork { child: w.role(3) }), (0, stop(1))]),
    ]
}

fn users(w: &Writer) -> Vec<Opening> {
    let newuser = CloneFlags::CLONE_NEWUSER;
    let few = || write(Sysctl::MaxPidNamespaces, 1);
    vec![
        // Somebody with power over few namespaces,
        w.steps([(0, w.made(1, newuser)), (1, few()), (1, w.init(2))]),
        // one of which is gone.
        w.steps([(0, w.made(1, newuser)), (1, few()), (1, w.init(2)), (2, exit()), (1, w.wait(2))]),
        // Somebody whose power a new program has lost.
        w.steps([(0, w.made(1, newuser)), (1, Call::Exec)]),
        w.steps([(0, w.made(1, newuser)), (1, Call::Exec), (1, few())]),
        // The same user, with a memory that was root's, dead and alive.
        w.steps([(0, w.fork(1)), (1, setuid()), (1, w.fork(2)), (2, exit()), (1, w.fork(3))]),
        // Somebody who has asked for messages, and a stranger who may signal nobody.
        w.steps([
            (0, w.init(1)),
            (1, handle(Signal::USR1)),
            (1, mq_notify(Signal::USR1)),
            (1, w.fork(2)),
            (2, setuid()),
        ]),
        // Root in somebody else's namespace.
        w.steps([(0, w.made(1, newuser | CloneFlags::CLONE_NEWPID)), (0, w.setns(1)), (0, w.fork(2))]),
        // Somebody to be joined by its own user, who has no power outside, or by others.
        w.steps([(0, w.made(1, newuser | CloneFlags::CLONE_NEWPID)), (0, w.fork(2)), (2, without_admin())]),
        w.steps([(0, w.fork(1)), (1, setuid()), (1, w.made(2, newuser | CloneFlags::CLONE_NEWPID)), (0, w.fork(3))]),
        w.steps([(0, w.made(1, newuser)), (0, w.fork(2)), (2, w.made(3, CloneFlags::CLONE_FS))]),
        // Children are to be born elsewhere, by who has no rights.
        w.steps([(0, w.fork(1)), (1, unshare()), (1, setuid())]),
        // Nobody whom the user may signal.
        w.steps([(0, w.init(1)), (1, w.fork(2)), (1, w.fork(3)), (2, setuid())]),
    ]
}

fn threads(w: &Writer) -> Vec<Opening> {
    vec![
        // A leader that ends first,
        w.steps([(0, w.fork(1)), (1, w.thread(2)), (1, Call::ExitThread { status: 1 })]),
        // or sleeps while another thread runs a new program.
        w.steps([(0, w.fork(1)), (1, w.thread(2)), (1, w.fork(3)), (1, w.wait(3))]),
        // Two processes with one table of handlers.
        w.steps([(0, w.fork(1)), (1, w.made(2, CloneFlags::CLONE_VM | CloneFlags::CLONE_SIGHAND)), (1, w.thread(3))]),
        // A thread that takes the signals of all,
        w.steps([(0, w.fork(1)), (1, block(Signal::USR1)), (1, w.thread(2)), (2, sigwait(Signal::USR1))]),
        // or would, if another one did not.
        w.steps([(0, w.fork(1)), (1, w.thread(2)), (2, block(Signal::TERM)), (2, sigwait(Signal::TERM))]),
        // A thread that sleeps until its child is on its own,
        w.steps([(0, w.fork(1)), (1, w.thread(2)), (2, Call::Vfork { child: w.role(3) })]),
        // or until one of its own has ended, and not of the others.
        w.steps([(0, w.fork(1)), (1, w.thread(2)), (1, w.fork(3)), (2, w.fork(4)), (2, wait_for_own())]),
    ]
}

fn limits(w: &Writer) -> Vec<Opening> {
    let newuser = CloneFlags::CLONE_NEWUSER;
    let few = || write(Sysctl::MaxPidNamespaces, 1);
    vec![
        // Few namespaces, and threads that make them.
        w.steps([(0, w.made(1, newuser)), (1, few()), (1, w.thread(2)), (2, w.init(3))]),
        w.steps([(0, w.made(1, newuser)), (1, few()), (1, w.init(2)), (2, w.thread(3)), (2, pdeathsig(Signal::TERM))]),
        // Few numbers, in a namespace with threads,
        w.steps([
            (0, w.init(1)),
            (1, write(Sysctl::PidMax, 302)),
            (1, write(Sysctl::NsLastPid, 299)),
            (1, w.fork(2)),
            (2, w.thread(3)),
        ]),
        // or with somebody who is to die with its parent.
        w.steps([
            (0, w.init(1)),
            (1, write(Sysctl::PidMax, 301)),
            (1, w.fork(2)),
            (2, w.fork(3)),
            (3, pdeathsig(Signal::KILL)),
        ]),
    ]
}

fn deaths(w: &Writer) -> Vec<Opening> {
    vec![
        // A child that is to die with its parent, which may lose the right to kill it.
        w.steps([(0, w.fork(1)), (1, w.fork(2)), (2, pdeathsig(Signal::KILL)), (1, setuid())]),
        w.steps([(0, w.fork(1)), (1, w.fork(2)), (2, pdeathsig(Signal::TERM)), (2, setuid())]),
        // A child of a thread, which hears of the thread's end.
        w.steps([
            (0, w.fork(1)),
            (1, w.thread(2)),
            (2, w.fork(3)),
            (3, pdeathsig(Signal::USR1)),
            (3, handle(Signal::USR1)),
        ]),
        // A child of an init, and one of somebody outside.
        w.steps([(0, w.init(1)), (1, w.fork(2)), (2, pdeathsig(Signal::TERM)), (1, w.thread(3))]),
        w.steps([(0, w.fork(1)), (1, unshare()), (1, w.fork(2)), (2, pdeathsig(Signal::KILL)), (1, w.fork(3))]),
        // A thread with a signal of its own.
        w.steps([
            (0, w.fork(1)),
            (1, w.fork(2)),
            (2, w.thread(3)),
            (3, pdeathsig(Signal::HUP)),
            (3, handle(Signal::HUP)),
        ]),
    ]
}

fn endings(w: &Writer) -> Vec<Opening> {
    vec![
        // An init with threads, and a member with threads.
        w.steps([(0, w.init(1)), (1, w.thread(2)), (1, w.fork(3)), (3, w.thread(4))]),
        // An init whose first thread has ended.
        w.steps([(0, w.init(1)), (1, w.thread(2)), (1, w.fork(3)), (1, Call::ExitThread { status: 0 })]),
        // Somebody who was let in from outside, and will be a zombie there;
        w.steps([(0, w.init(1)), (0, w.setns(1)), (0, w.fork(2)), (2, w.thread(3))]),
        // the same one level deeper, so that two inits wait.
        w.steps([(0, w.init(1)), (1, w.init(2)), (0, w.setns(2)), (0, w.fork(3))]),
        w.steps([(0, w.init(1)), (1, w.init(2)), (0, w.setns(2)), (0, w.fork(3)), (1, exit())]),
        // A parent that sleeps in vfork until the init that it made has ended.
        w.steps([(0, w.fork(1)), (1, w.made(2, VFORKED_INIT)), (2, w.fork(3)), (3, w.thread(4))]),
        // A member whose thread sleeps in vfork, and cannot die before its child.
        w.steps([(0, w.init(1)), (1, w.fork(2)), (2, w.thread(3)), (3, Call::Vfork { child: w.role(4) })]),
    ]
}

fn tracers(w: &Writer) -> Vec<Opening> {
    let seize = |number| Call::PtraceSeize { pid: w.of(number), exitkill: false };
    let leash = |number| Call::PtraceSeize { pid: w.of(number), exitkill: true };
    vec![
        // A member that is traced from outside,
        w.steps([(0, w.init(1)), (1, w.fork(2)), (0, w.fork(3)), (3, seize(2))]),
        // and is a zombie there.
        w.steps([(0, w.init(1)), (1, w.fork(2)), (0, w.fork(3)), (3, seize(2)), (2, exit())]),
        // An init that a member traces, or somebody outside.
        w.steps([(0, w.init(1)), (1, w.fork(2)), (1, w.fork(3)), (2, seize(1))]),
        w.steps([(0, w.init(1)), (1, w.fork(2)), (2, leash(1)), (0, w.fork(3))]),
        w.steps([(0, w.init(1)), (1, w.fork(2)), (0, w.fork(3)), (3, seize(1))]),
        // A parent that traces its child, and a child its parent, who handle what is told.
        w.steps([(0, w.fork(1)), (1, w.fork(2)), (1, handle(Signal::CHLD)), (1, seize(2))]),
        w.steps([(0, w.fork(1)), (1, w.fork(2)), (2, handle(Signal::CHLD)), (2, seize(1))]),
        // one that has a zombie, and one that wants none.
        w.steps([(0, w.fork(1)), (1, w.fork(2)), (1, seize(2)), (2, exit())]),
        w.steps([(0, w.fork(1)), (1, ignore(Signal::CHLD)), (1, w.fork(2)), (1, seize(2)), (2, exit())]),
        // A stopped one.
        w.steps([(0, w.fork(1)), (0, w.fork(2)), (2, seize(1)), (0, w.kill(1, Signal::STOP))]),
        // One that is given a signal that it blocks, in the place of another, and takes it later.
        w.steps([
            (0, w.fork(1)),
            (1, block(Signal::USR1)),
            (0, w.fork(2)),
            (2, seize(1)),
            (0, w.kill(1, Signal::USR2)),
            (2, Call::PtraceCont { pid: w.of(1), signal: Some(Signal::USR1) }),
            (1, Call::Sigprocmask { how: MaskChange::Unblock, signal: Signal::USR1 }),
        ]),
        // The same where it waits already.
        w.steps([
            (0, w.fork(1)),
            (1, block(Signal::USR1)),
            (0, w.fork(2)),
            (2, seize(1)),
            (0, w.kill(1, Signal::USR1)),
            (0, w.kill(1, Signal::USR2)),
            (2, Call::PtraceCont { pid: w.of(1), signal: Some(Signal::USR1) }),
            (1, Call::Sigprocmask { how: MaskChange::Unblock, signal: Signal::USR1 }),
            (2, Call::PtraceCont { pid: w.of(1), signal: None }),
        ]),
    ]
}

const VFORKED_INIT: CloneFlags = CloneFlags::CLONE_NEWPID.union(CloneFlags::CLONE_VM).union(CloneFlags::CLONE_VFORK);
