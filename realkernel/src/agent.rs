//! What a scenario's process runs: it waits for a command, makes exactly one system call, notes what came of it, and waits
//! again.
//!
//! An agent may share all memory with the conductor and with the other agents. So nothing here allocates, panics or uses the C
//! library: only its slot, its stack and raw system calls.

mod files;
mod look;
mod numbered;

use std::sync::atomic::Ordering;

pub(crate) use look::Sight;

use self::files::{opened, opened_with, path_of, read_number, write_number};
use self::numbered::numbered;
use crate::sys::arena::{self, LEVELS, NOTED, SLOTS, STACK, Slot};
use crate::sys::raw::{self, CloneArgs, Disposition, Raw, Siginfo};
use crate::sys::sockets;
use crate::sys::{looking, queues};

numbered! {
    /// What a command asks for. The arguments are those of the system call, in its order, unless said otherwise.
    Operation {
        /// flags, exit signal, role of the child, how many numbers of `set_tid`.
        Clone,
        /// status.
        Exit,
        /// status, of this thread alone.
        ExitThread,
        /// Touches memory that is not there.
        Fault,
        /// A clone that has nowhere to write its pidfd.
        FailedFork,
        /// A write into a pipe that nobody reads.
        BrokenPipe,
        /// pid, signal, the number given for the sender, and the code.
        Sigqueue,
        /// The same of a thread; and the process that it must be one of.
        SigqueueThread,
        /// a filter's answer to the next call of the thread.
        SeccompKill,
        /// abort(3), as the C library does it.
        Abort,
        /// execve of the program behind a descriptor, with the slot's text as its environment.
        Exec,
        /// pid, options; the status is the second value.
        Wait4,
        /// kind, id, options; the result is the child's number, the second value its status.
        Waitid,
        /// As `Waitid` of a pidfd, which is handed over at the socket that the first argument names.
        WaitidHanded,
        /// setns with a pidfd, which is handed over at such a socket, or opened by the number that follows; flags.
        SetnsPidfd,
        /// The same with what such a pidfd says of the next child's namespace; flags.
        SetnsForChildren,
        /// flags, behind the socket at which the namespace is handed over, or nothing.
        SetnsKept,
        /// whether to make a bind mount: opens the file in the slot's text and keeps it open; its descriptor, as the value.
        KeepPath,
        /// a pidfd as for `SetnsPidfd`: the same with what it says of the next child's namespace.
        KeepForChildren,
        /// the socket at which a descriptor is handed over, or nothing: closes it.
        CloseHanded,
        /// signal: the agent's own message queue, made if there is none, tells of a message with it; the descriptor, as the value.
        MqNotify,
        /// the socket at which a message queue is handed over, or nothing: a message for it.
        MqSend,
        /// number of a system call without pointers, and four arguments.
        Plain,
        /// an option of prctl(2) that writes a number, which is the result.
        PrctlNumber,
        /// a set of signals, and whether to wait: the one that was taken; as values, what comes with it.
        TakeSignal,
        /// a set of signals: the same through a signalfd.
        ReadSignal,
        /// the number of a capability.
        DropCapability,
        /// signal, and 0 to 4: default, ignore, handle, nocldwait, handle and restart.
        Sigaction,
        /// how, signal.
        Sigprocmask,
        /// the flags that a file descriptor opened from the slot's text is given to setns(2) with.
        SetnsPath,
        /// pid, flags.
        Pidfd,
        /// signal and flags, behind a pidfd as for `SetnsPidfd`.
        PidfdSignal,
        /// signal and flags, through the directory in the slot's text.
        DirectorySignal,
        /// reads the file in the slot's text: a number, as the second value.
        ReadNumber,
        /// writes the number into the file in the slot's text.
        WriteNumber,
        /// a [`Sight`], and its arguments.
        Look,
    }
}

/// Makes the process or thread of a role: with `flags` beside those that every agent has. Threads do without a pidfd, which
/// kernels before 6.9 do not give together with one: the conductor finds them by their process.
pub(crate) fn make(role: usize, flags: u64, exit_signal: u64, set_tid: &[i32]) -> Raw {
    let Some(slot) = (role < SLOTS).then(|| arena::slot(role)) else { return -(libc::EINVAL as Raw) };
    let pidfd = if flags & libc::CLONE_THREAD as u64 == 0 { libc::CLONE_PIDFD as u64 } else { 0 };
    let arguments = CloneArgs {
        flags: flags | libc::CLONE_FILES as u64 | pidfd,
        pidfd: std::ptr::from_ref(&slot.pidfd) as u64,
        parent_tid: std::ptr::from_ref(&slot.tid_words[0]) as u64,
        child_tid: std::ptr::from_ref(&slot.tid_words[1]) as u64,
        exit_signal,
        stack: arena::stack(role) as u64,
        stack_size: STACK as u64,
        set_tid: if set_tid.is_empty() { 0 } else { set_tid.as_ptr() as u64 },
        set_tid_size: set_tid.len() as u64,
        ..CloneArgs::default()
    };
    raw::clone3_agent(&arguments, live, role)
}

/// An agent goes on in a new program: its exec has worked.
pub(crate) fn go_on(role: usize) -> ! {
    let slot = arena::slot(role);
    let command = slot.command.load(Ordering::Acquire);
    // It was closed (mq_open(3)).
    slot.queue.store(0, Ordering::Relaxed);
    slot.result.store(0, Ordering::Relaxed);
    slot.done.store(command, Ordering::Release);
    raw::futex_wake(&slot.done);
    serve(slot, command)
}

/// The life of an agent. What it has done first is to come into the world.
extern "C" fn live(role: usize) -> ! {
    let slot = arena::slot(role);
    slot.done.store(0, Ordering::Release);
    raw::futex_wake(&slot.done);
    serve(slot, 0)
}

/// Takes commands, after the one that was the last.
fn serve(slot: &Slot, mut last: u32) -> ! {
    loop {
        let command = slot.command.load(Ordering::Acquire);
        if command == last {
            raw::futex_wait(&slot.command, last);
            continue;
        }
        last = command;
        slot.taken.store(command, Ordering::Release);
        let result = perform(slot);
        slot.result.store(result as i64, Ordering::Relaxed);
        slot.done.store(command, Ordering::Release);
        raw::futex_wake(&slot.done);
    }
}

fn perform(slot: &Slot) -> Raw {
    let Some(operation) = Operation::of(slot.operation.load(Ordering::Relaxed)) else {
        return -(libc::ENOSYS as Raw);
    };
    let argument = |index: usize| slot.arguments[index].load(Ordering::Relaxed);
    match operation {
        Operation::Clone => {
            let mut numbers = [0; LEVELS];
            for (number, wanted) in numbers.iter_mut().zip(&slot.numbers) {
                *number = wanted.load(Ordering::Relaxed);
            }
            let count = (argument(3) as usize).min(LEVELS);
            make(argument(2) as usize, argument(0) as u64, argument(1) as u64, numbers.get(..count).unwrap_or(&[]))
        }
        Operation::Exit => raw::plain(libc::SYS_exit_group, [argument(0) as usize, 0, 0, 0]),
        Operation::ExitThread => raw::plain(libc::SYS_exit, [argument(0) as usize, 0, 0, 0]),
        Operation::Fault => raw::fault(),
        Operation::FailedFork => raw::failed_fork(),
        Operation::BrokenPipe => raw::broken_pipe(),
        Operation::Sigqueue | Operation::SigqueueThread => {
            let [to, signal, sender, code] = [0, 1, 2, 3].map(|index| argument(index) as i32);
            let told = Siginfo::said(signal, code, sender);
            match operation {
                Operation::Sigqueue => raw::sigqueue(to, signal, &told),
                _ => raw::sigqueue_thread(argument(4) as i32, to, signal, &told),
            }
        }
        Operation::SeccompKill => raw::seccomp_kill(argument(0) as u32),
        Operation::Abort => abort(),
        Operation::Wait4 => {
            let (result, status) = raw::wait4(argument(0) as i32, argument(1) as u32);
            slot.value.store(i64::from(status), Ordering::Relaxed);
            result
        }
        Operation::Exec => raw::exec(argument(0) as i32, &path_of(slot)),
        Operation::Waitid => waitid(slot, argument(0) as i32, argument(1) as i32, argument(2) as u32),
        Operation::WaitidHanded => opened_with(sockets::take_over(argument(0) as i32), |pidfd| {
            waitid(slot, libc::P_PIDFD as i32, pidfd as i32, argument(2) as u32)
        }),
        Operation::SetnsPidfd => opened_with(pidfd(argument(0) as i32, argument(1) as i32), |fd| {
            raw::plain(libc::SYS_setns, [fd as usize, argument(2) as usize, 0, 0])
        }),
        Operation::SetnsForChildren => opened_with(pidfd(argument(0) as i32, argument(1) as i32), |pidfd| {
            opened_with(looking::for_children_of(pidfd), |fd| {
                raw::plain(libc::SYS_setns, [fd as usize, argument(2) as usize, 0, 0])
            })
        }),
        Operation::SetnsKept => {
            kept(argument(0) as i32, |fd| raw::plain(libc::SYS_setns, [fd as usize, argument(1) as usize, 0, 0]))
        }
        Operation::KeepPath => {
            let path = path_of(slot);
            let mount = argument(0) != 0;
            keep(slot, if mount { raw::open_tree(&path) } else { raw::open(&path, libc::O_RDONLY | libc::O_CLOEXEC) })
        }
        Operation::KeepForChildren => opened_with(pidfd(argument(0) as i32, argument(1) as i32), |pidfd| {
            keep(slot, looking::for_children_of(pidfd))
        }),
        Operation::CloseHanded => {
            let fd = if argument(0) < 0 { NONE } else { sockets::take_over(argument(0) as i32) };
            raw::plain(libc::SYS_close, [fd as usize, 0, 0, 0])
        }
        Operation::MqNotify => own_queue(slot, |queue| queues::notify(queue, argument(0) as i32)),
        Operation::MqSend => kept(argument(0) as i32, queues::send),
        Operation::Plain => {
            let [number, a, b, c, d] = [0, 1, 2, 3, 4].map(argument);
            raw::plain(number, [a as usize, b as usize, c as usize, d as usize])
        }
        Operation::PrctlNumber => raw::prctl_number(argument(0) as i32),
        Operation::DropCapability => raw::drop_capability(argument(0) as u32),
        Operation::Sigaction => {
            let disposition = match argument(1) {
                0 => Disposition::Default,
                1 => Disposition::Ignore,
                2 => Disposition::Handle(handler),
                4 => Disposition::HandleRestart(handler),
                _ => Disposition::NoCldWait,
            };
            raw::sigaction(argument(0) as i32, disposition)
        }
        Operation::TakeSignal => taken(slot, looking::sigtimedwait(argument(0) as u64, argument(1) != 0)),
        Operation::ReadSignal => taken(slot, looking::read_signal(argument(0) as u64)),
        Operation::Sigprocmask => raw::sigprocmask(argument(0) as i32, argument(1) as i32),
        Operation::SetnsPath => {
            opened(slot, libc::O_RDONLY, |fd| raw::plain(libc::SYS_setns, [fd as usize, argument(0) as usize, 0, 0]))
        }
        Operation::Pidfd => {
            let [pid, flags] = [0, 1].map(|index| argument(index) as usize);
            opened_with(raw::plain(libc::SYS_pidfd_open, [pid, flags, 0, 0]), |_| 0)
        }
        Operation::PidfdSignal => opened_with(pidfd(argument(0) as i32, argument(1) as i32), |pidfd| {
            raw::plain(libc::SYS_pidfd_send_signal, [pidfd as usize, argument(2) as usize, 0, argument(3) as usize])
        }),
        Operation::DirectorySignal => opened(slot, libc::O_RDONLY | libc::O_DIRECTORY, |directory| {
            let [signal, flags] = [0, 1].map(|index| argument(index) as usize);
            raw::plain(libc::SYS_pidfd_send_signal, [directory as usize, signal, 0, flags])
        }),
        Operation::ReadNumber => opened(slot, libc::O_RDONLY, |fd| read_number(slot, fd)),
        Operation::WriteNumber => opened(slot, libc::O_WRONLY, |fd| write_number(argument(0), fd)),
        Operation::Look => look::perform(slot),
    }
}

/// No descriptor.
const NONE: Raw = -1;

/// Uses the descriptor that was handed over, and closes it again; none where nothing was.
fn kept(socket: i32, using: impl FnOnce(Raw) -> Raw) -> Raw {
    if socket < 0 { using(NONE) } else { opened_with(sockets::take_over(socket), using) }
}

/// Uses the agent's own message queue, which stays open.
fn own_queue(slot: &Slot, using: impl FnOnce(Raw) -> Raw) -> Raw {
    let known = slot.queue.load(Ordering::Relaxed);
    let queue = if known == 0 { queues::make() } else { known as Raw };
    if queue < 0 {
        return queue;
    }
    slot.queue.store(queue as i32, Ordering::Relaxed);
    slot.value.store(queue as i64, Ordering::Relaxed);
    using(queue)
}

/// Leaves a descriptor that stays open.
fn keep(slot: &Slot, fd: Raw) -> Raw {
    slot.value.store(fd as i64, Ordering::Relaxed);
    fd.min(0)
}

/// Leaves what came with a signal.
fn taken(slot: &Slot, (result, told): (Raw, Siginfo)) -> Raw {
    slot.value.store(i64::from(told.pid as u32) | i64::from(told.status) << 32, Ordering::Relaxed);
    slot.code.store(told.code, Ordering::Relaxed);
    result
}

fn waitid(slot: &Slot, kind: i32, id: i32, options: u32) -> Raw {
    let (result, info) = raw::waitid(kind, id, options);
    slot.value.store(i64::from(info.status), Ordering::Relaxed);
    slot.code.store(info.code, Ordering::Relaxed);
    if result < 0 { result } else { info.pid as Raw }
}

/// What abort(3) does in the GNU C library: SIGABRT unblocked and raised, for a handler that may not return; raised again with
/// its default action; and for those whom that does not end, an instruction that traps.
fn abort() -> Raw {
    raw::sigprocmask(libc::SIG_UNBLOCK, libc::SIGABRT);
    let raise = || {
        let process = raw::plain(libc::SYS_getpid, [0; 4]);
        let thread = raw::plain(libc::SYS_gettid, [0; 4]);
        raw::plain(libc::SYS_tgkill, [process as usize, thread as usize, libc::SIGABRT as usize, 0])
    };
    raise();
    raw::sigaction(libc::SIGABRT, Disposition::Default);
    raise();
    raw::trap()
}

/// The pidfd that was handed over, or one of the process with this number.
fn pidfd(socket: i32, number: i32) -> Raw {
    if socket < 0 { raw::plain(libc::SYS_pidfd_open, [number as usize, 0, 0, 0]) } else { sockets::take_over(socket) }
}

/// Notes the signal in the slot of the role on whose stack this runs.
extern "C" fn handler(signal: i32, info: *const Siginfo, context: *mut libc::ucontext_t) {
    raw::skip_fault(signal, info, context);
    let here = 0u8;
    let Some(role) = arena::role_of(std::ptr::from_ref(&here) as usize) else { return };
    let slot = arena::slot(role);
    let noted = raw::noted(info);
    let count = slot.handled.load(Ordering::Relaxed);
    if let Some(note) = slot.notes.get(count as usize % NOTED) {
        for (place, value) in note.iter().zip([signal].into_iter().chain(noted)) {
            place.store(value, Ordering::Relaxed);
        }
    }
    slot.handled.store(count.wrapping_add(1), Ordering::Release);
}
