//! System calls of the guard and the conductor: ordinary single-threaded processes with a C library.

use std::ffi::CStr;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::ptr;

use libc::{c_int, c_long};

use super::raw::Raw;
use super::{looking, memory};

fn check(result: c_long) -> io::Result<c_long> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

/// close_range(2) from `first` on: everything that a program inherited, or that a scenario left open.
pub(crate) fn close_from(first: RawFd) {
    // SAFETY: the callers own no descriptor object at or above `first`.
    unsafe { libc::syscall(libc::SYS_close_range, first, c_int::MAX, 0) };
}

/// Binds this process, and all that it makes, to one CPU.
pub(crate) fn pin(cpu: usize) -> io::Result<()> {
    let mut set = [0u64; 16];
    let word = set.get_mut(cpu / 64).ok_or_else(|| io::Error::from_raw_os_error(libc::EINVAL))?;
    *word |= 1 << (cpu % 64);
    // SAFETY: the set outlives the call and has the size that is given.
    let result = unsafe { libc::sched_setaffinity(0, size_of_val(&set), set.as_ptr().cast()) };
    check(result.into()).map(drop)
}

/// The CPUs that this process may run on, in order.
pub(crate) fn allowed_cpus() -> Vec<usize> {
    let mut set = [0u64; 16];
    // SAFETY: the set outlives the call and has the size that is given.
    let result = unsafe { libc::sched_getaffinity(0, size_of_val(&set), set.as_mut_ptr().cast()) };
    if result < 0 {
        return Vec::new();
    }
    (0..set.len() * 64).filter(|cpu| set[cpu / 64] >> (cpu % 64) & 1 == 1).collect()
}

/// The highest priority of an ordinary scheduling class, where that is allowed: whoever yields the CPU to a busy program gets it
/// back only after that one's slice, several milliseconds later.
pub(crate) fn prefer() {
    // SAFETY: numbers only.
    unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, -20) };
}

/// Gives a process, by its number (0 is the caller), a real-time priority: SCHED_FIFO in sched(7).
///
/// # Errors
/// Without CAP_SYS_NICE on the machine or an RLIMIT_RTPRIO as high, and where its cgroup has no time for that.
pub(crate) fn set_real_time(number: i32, priority: i32) -> io::Result<()> {
    set_scheduler(number, libc::SCHED_FIFO, priority)
}

/// Gives a process, by its number (0 is the caller), a place in the ordinary class again, where its nice value counts.
pub(crate) fn set_ordinary(number: i32) -> io::Result<()> {
    set_scheduler(number, libc::SCHED_OTHER, 0)
}

/// The same, of the kind that takes the CPU from nobody when it is woken (`SCHED_BATCH`).
pub(crate) fn set_batch(number: i32) -> io::Result<()> {
    set_scheduler(number, libc::SCHED_BATCH, 0)
}

/// Whether this process is in the ordinary class, where it is if nobody has chosen another (sched_getscheduler(2)).
pub(crate) fn has_ordinary_policy() -> bool {
    // SAFETY: a number only.
    unsafe { libc::sched_getscheduler(0) == libc::SCHED_OTHER }
}

fn set_scheduler(number: i32, policy: c_int, priority: c_int) -> io::Result<()> {
    let parameter = libc::sched_param { sched_priority: priority };
    // SAFETY: the parameter outlives the call.
    check(unsafe { libc::sched_setscheduler(number, policy, &parameter) }.into()).map(drop)
}

/// Lets this process and all that it makes give themselves real-time priorities up to this one, also in a user namespace, where CAP_SYS_NICE does not
/// count. Who may not raise the limit has it as it is.
pub(crate) fn limit_priority(highest: u32) {
    let limit = libc::rlimit { rlim_cur: highest.into(), rlim_max: highest.into() };
    // SAFETY: the limit outlives the call.
    unsafe { libc::setrlimit(libc::RLIMIT_RTPRIO, &limit) };
}

/// Who has a real-time priority and computes for five seconds without going to sleep is killed: no scenario has anybody who does, and nobody else would run on that CPU.
pub(crate) fn limit_real_time() -> io::Result<()> {
    const MICROSECONDS: libc::rlim_t = 5_000_000;
    let limit = libc::rlimit { rlim_cur: MICROSECONDS, rlim_max: MICROSECONDS };
    // SAFETY: the limit outlives the call.
    check(unsafe { libc::setrlimit(libc::RLIMIT_RTTIME, &limit) }.into()).map(drop)
}

/// Naps and waits with a time-out end when they are to, and not up to 50 us later to save an interrupt (PR_SET_TIMERSLACK(2const)): what
/// is waited for here takes less than that. A kernel without it is only slower.
pub(crate) fn punctual() {
    let _ = prctl(libc::PR_SET_TIMERSLACK, 1);
}

/// No process here leaves a core file, nor runs a handler of core dumps: 1 is the limit that forbids both (core(5)). Where there is a
/// handler the kernel logs each dump that is forbidden so; only memory that is not to be dumped would keep it silent, and that is
/// something that a scenario can see.
pub(crate) fn no_core_dumps() {
    let limit = libc::rlimit { rlim_cur: 1, rlim_max: 1 };
    // SAFETY: the limit outlives the call.
    unsafe { libc::setrlimit(libc::RLIMIT_CORE, &limit) };
}

/// As many descriptors as this process may have: three for each process of a scenario.
pub(crate) fn most_descriptors() {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the limit outlives the call.
    if unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) } == 0 {
        limit.rlim_cur = limit.rlim_max;
        // SAFETY: as above.
        unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &limit) };
    }
}

/// Every signal at its default and none blocked, whatever this program inherited: a shell starts background jobs with SIGINT
/// ignored, nohup(1) ignores SIGHUP, and both survive execve(2).
pub(crate) fn default_signals() {
    for signal in 1..=64 {
        // SIGKILL and SIGSTOP refuse, and are at their default anyway.
        super::raw::sigaction(signal, super::raw::Disposition::Default);
    }
    super::raw::unblock_all();
}

/// prctl(2) with a number.
pub(crate) fn prctl(option: c_int, value: usize) -> io::Result<()> {
    // SAFETY: the options used here (PDEATHSIG, DUMPABLE, TIMERSLACK, NAME not among them) take a number.
    let result = unsafe { libc::prctl(option, value, 0, 0, 0) };
    check(result.into()).map(drop)
}

/// Becomes an ordinary user, for good.
pub(crate) fn become_user(id: u32) -> io::Result<()> {
    // SAFETY: no pointers but an empty list.
    check(unsafe { libc::setgroups(0, ptr::null()) }.into())?;
    // SAFETY: numbers only.
    check(unsafe { libc::setresgid(id, id, id) }.into())?;
    // SAFETY: numbers only.
    check(unsafe { libc::setresuid(id, id, id) }.into())?;
    Ok(())
}

/// Acts as this user from now on, and can go back (seteuid(2)).
pub(crate) fn act_as(user: u32) -> io::Result<()> {
    // SAFETY: numbers only.
    check(unsafe { libc::seteuid(user) }.into()).map(drop)
}

/// Gives up every capability (capset(2)).
pub(crate) fn drop_capabilities() -> io::Result<()> {
    /// The kernel's `struct __user_cap_header_struct`: version 3, which takes two sets of 32, and this process.
    const HEADER: [u32; 2] = [0x2008_0522, 0];
    let none = [[0u32; 3]; 2];
    // SAFETY: header and sets outlive the call, with the layout that the version says.
    check(unsafe { libc::syscall(libc::SYS_capset, &HEADER, &none) }).map(drop)
}

/// The effective user and group.
pub(crate) fn user_and_group() -> (u32, u32) {
    // SAFETY: always succeeds.
    let user = unsafe { libc::geteuid() };
    // SAFETY: always succeeds.
    (user, unsafe { libc::getegid() })
}

/// unshare(2).
pub(crate) fn unshare(flags: c_int) -> io::Result<()> {
    // SAFETY: the callers unshare namespaces only, which no memory depends on.
    check(unsafe { libc::unshare(flags) }.into()).map(drop)
}

/// mount(2) without data.
pub(crate) fn mount(source: &CStr, target: &CStr, kind: &CStr, flags: libc::c_ulong) -> io::Result<()> {
    // SAFETY: the texts outlive the call; there is no data.
    let result = unsafe { libc::mount(source.as_ptr(), target.as_ptr(), kind.as_ptr(), flags, ptr::null()) };
    check(result.into()).map(drop)
}

/// fork(2), with a pidfd of the child: `None` in the child.
///
/// Only for single-threaded callers; the child goes on with a copy of everything.
pub(crate) fn fork() -> io::Result<Option<(i32, OwnedFd)>> {
    fork_with(0)
}

/// The same, with flags for new namespaces.
pub(crate) fn fork_with(namespaces: c_int) -> io::Result<Option<(i32, OwnedFd)>> {
    memory::whole(|| fork_as_it_is(namespaces))
}

fn fork_as_it_is(namespaces: c_int) -> io::Result<Option<(i32, OwnedFd)>> {
    let mut pidfd: RawFd = -1;
    let arguments = super::raw::CloneArgs {
        flags: (libc::CLONE_PIDFD | namespaces) as u64,
        pidfd: ptr::from_mut(&mut pidfd) as u64,
        exit_signal: libc::SIGCHLD as u64,
        ..Default::default()
    };
    // SAFETY: without a stack and CLONE_VM this is a fork; the process has one thread, so the copy is whole.
    let result = unsafe { libc::syscall(libc::SYS_clone3, &arguments, size_of_val(&arguments)) };
    match check(result)? {
        0 => Ok(None),
        // SAFETY: the kernel has just opened this descriptor for us.
        pid => Ok(Some((pid as i32, unsafe { OwnedFd::from_raw_fd(pidfd) }))),
    }
}

/// Lets a descriptor stay open over execve(2).
pub(crate) fn keep_over_exec(file: &impl AsRawFd) -> io::Result<()> {
    // SAFETY: numbers only.
    check(unsafe { libc::fcntl(file.as_raw_fd(), libc::F_SETFD, 0) }.into()).map(|_| ())
}

/// A descriptor of another process, by its number there (pidfd_getfd(2)).
pub(crate) fn descriptor_of(pidfd: BorrowedFd<'_>, number: RawFd) -> io::Result<OwnedFd> {
    // SAFETY: numbers only.
    let fd = check(unsafe { libc::syscall(libc::SYS_pidfd_getfd, pidfd.as_raw_fd(), number, 0) })?;
    // SAFETY: the kernel has just opened this descriptor for us.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as RawFd) })
}

/// A pidfd of a thread that need not lead its process; `None` where the kernel has none (before Linux 6.9).
pub(crate) fn thread_pidfd(number: i32) -> Option<OwnedFd> {
    const PIDFD_THREAD: c_int = libc::O_EXCL;
    pidfd_open(number, PIDFD_THREAD)
}

/// A pidfd of a process, by the number of its leader.
pub(crate) fn process_pidfd(number: i32) -> Option<OwnedFd> {
    pidfd_open(number, 0)
}

fn pidfd_open(number: i32, flags: c_int) -> Option<OwnedFd> {
    // SAFETY: numbers only.
    let fd = check(unsafe { libc::syscall(libc::SYS_pidfd_open, number, flags) }).ok()?;
    // SAFETY: the kernel has just opened this descriptor for us.
    Some(unsafe { OwnedFd::from_raw_fd(fd as RawFd) })
}

/// Waits until one of the descriptors has one of the events asked for, and returns what each has.
pub(crate) fn poll<const N: usize>(wanted: [(BorrowedFd<'_>, i16); N], timeout_ms: c_int) -> io::Result<[i16; N]> {
    let mut set = wanted.map(|(fd, events)| libc::pollfd { fd: fd.as_raw_fd(), events, revents: 0 });
    loop {
        // SAFETY: the set outlives the call and has N entries.
        let result = unsafe { libc::poll(set.as_mut_ptr(), N as libc::nfds_t, timeout_ms) };
        match check(result.into()) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
            Ok(_) => return Ok(set.map(|entry| entry.revents)),
        }
    }
}

/// Waits until a descriptor can be read, for so many nanoseconds (less than a second) at most; a signal ends it early. Whether it can be is
/// not said.
pub(crate) fn poll_shortly(fd: BorrowedFd<'_>, nanoseconds: i64) -> io::Result<()> {
    let mut entry = libc::pollfd { fd: fd.as_raw_fd(), events: libc::POLLIN, revents: 0 };
    let time = libc::timespec { tv_sec: 0, tv_nsec: nanoseconds };
    // SAFETY: the entry and the time outlive the call; no mask is given.
    let result = unsafe { libc::ppoll(ptr::from_mut(&mut entry), 1, &time, ptr::null()) };
    check(result.into()).map(drop)
}

/// Sends SIGKILL through a pidfd.
pub(crate) fn kill_pidfd(pidfd: RawFd) {
    // SAFETY: no siginfo is given.
    unsafe { libc::syscall(libc::SYS_pidfd_send_signal, pidfd, libc::SIGKILL, 0, 0) };
}

/// Lets a child go on that somebody may have stopped. It has not been waited for, so the number is still its own.
pub(crate) fn continue_child(child: &std::process::Child) {
    let Ok(pid) = libc::pid_t::try_from(child.id()) else { return };
    // SAFETY: kill takes no pointers.
    unsafe { libc::kill(pid, libc::SIGCONT) };
}

/// Reaps every child that has ended.
pub(crate) fn reap_all() {
    // SAFETY: no status is asked for.
    while unsafe { libc::waitpid(-1, ptr::null_mut(), libc::WNOHANG | libc::__WALL) } > 0 {}
}

/// Waits for a child that has been killed, whatever its exit signal, and reaps it.
///
/// # Errors
/// `ETIMEDOUT` if it does not die within a very long time: an init can be made unable to (see `Translator::refuse_undying`).
pub(crate) fn reap_pidfd(pidfd: BorrowedFd<'_>) -> io::Result<()> {
    const GUARD_MS: c_int = 20_000;
    if poll([(pidfd, libc::POLLIN)], GUARD_MS)? == [0] {
        return Err(io::Error::from_raw_os_error(libc::ETIMEDOUT));
    }
    loop {
        let options = libc::WEXITED | libc::__WALL;
        // SAFETY: neither information nor usage is asked for.
        let result = unsafe { libc::syscall(libc::SYS_waitid, libc::P_PIDFD, pidfd.as_raw_fd(), 0, options, 0) };
        match check(result) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            other => return other.map(drop),
        }
    }
}

/// Waits for a child, reaps it, and gives the status that it exited with, if it did.
pub(crate) fn exit_status(pidfd: RawFd) -> Option<i32> {
    let mut info = super::raw::Siginfo::EMPTY;
    // SAFETY: the information outlives the call and has the kernel's 128 bytes; no usage is asked for.
    let result = unsafe { libc::syscall(libc::SYS_waitid, libc::P_PIDFD, pidfd, &mut info, libc::WEXITED, 0) };
    (result == 0 && info.code == libc::CLD_EXITED).then_some(info.status)
}

/// Waits for a child, reaps it, and gives the signal that ended it, or 0.
pub(crate) fn ended_by(pidfd: RawFd) -> c_int {
    let mut info = super::raw::Siginfo::EMPTY;
    // SAFETY: the information outlives the call and has the kernel's 128 bytes; no usage is asked for.
    let result = unsafe { libc::syscall(libc::SYS_waitid, libc::P_PIDFD, pidfd, &mut info, libc::WEXITED, 0) };
    if result == 0 && info.code != libc::CLD_EXITED { info.status } else { 0 }
}

/// How often this thread, the only one of its process, has been switched off its CPU, by its own will or not.
pub(crate) fn context_switches() -> i64 {
    let mut usage = std::mem::MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: the usage outlives the call.
    unsafe { libc::getrusage(libc::RUSAGE_THREAD, usage.as_mut_ptr()) };
    // SAFETY: zeroed memory is a valid rusage, and the call has filled it.
    let usage = unsafe { usage.assume_init() };
    usage.ru_nvcsw + usage.ru_nivcsw
}

/// sched_yield(2).
pub(crate) fn yield_cpu() {
    // SAFETY: always succeeds.
    unsafe { libc::sched_yield() };
}

/// nanosleep(2), for a while that is shorter than a second; a signal ends it early. It gives the CPU away, and proves nothing.
pub(crate) fn nap(time: std::time::Duration) {
    let time = libc::timespec { tv_sec: 0, tv_nsec: time.subsec_nanos().into() };
    // SAFETY: the time outlives the call, and what is left of it is not asked for.
    unsafe { libc::nanosleep(&time, ptr::null_mut()) };
}

/// A copy of one of this process's own descriptors (F_DUPFD_CLOEXEC(2const)).
pub(crate) fn own_descriptor(number: RawFd) -> io::Result<OwnedFd> {
    copied_from(number, 0)
}

/// The same, with a number above this one.
pub(crate) fn copied_above(file: &OwnedFd, number: RawFd) -> io::Result<OwnedFd> {
    copied_from(file.as_raw_fd(), number + 1)
}

fn copied_from(number: RawFd, least: RawFd) -> io::Result<OwnedFd> {
    // SAFETY: numbers only.
    let fd = check(unsafe { libc::fcntl(number, libc::F_DUPFD_CLOEXEC, least) }.into())?;
    // SAFETY: the kernel has just opened this descriptor for us.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as RawFd) })
}

/// dup2(2), for the next program that this process executes: nobody here owns what is under that number.
pub(crate) fn put_at(file: &OwnedFd, number: RawFd) -> io::Result<()> {
    // SAFETY: numbers only.
    check(unsafe { libc::dup2(file.as_raw_fd(), number) }.into()).map(drop)
}

/// What the program that this process was before has left open under this number. Call it once for each.
pub(crate) fn handed_on(number: RawFd) -> io::Result<OwnedFd> {
    // SAFETY: numbers only.
    check(unsafe { libc::fcntl(number, libc::F_SETFD, libc::FD_CLOEXEC) }.into())?;
    // SAFETY: it is open, and nobody else here knows of it.
    Ok(unsafe { OwnedFd::from_raw_fd(number) })
}

/// pread(2) from the start, without error detail: `None` where the process behind a procfs file is gone.
pub(crate) fn pread(fd: BorrowedFd<'_>, bytes: &mut [u8]) -> Option<usize> {
    // SAFETY: the bytes are ours to write.
    let length = unsafe { libc::pread(fd.as_raw_fd(), bytes.as_mut_ptr().cast(), bytes.len(), 0) };
    usize::try_from(length).ok().filter(|length| *length > 0)
}

/// Whether this number is taken in the caller's namespace, be it only as a group or a session: `F_SETOWN` of fcntl(2) looks
/// for just that (fs/fcntl.c, `f_setown`). The owner of a file is told of signal-driven input, of which a procfs file has none.
pub(crate) fn is_number_taken(file: BorrowedFd<'_>, number: i32) -> bool {
    // SAFETY: the command takes a number.
    let result = unsafe { libc::fcntl(file.as_raw_fd(), libc::F_SETOWN, number) };
    check(result.into()).err().and_then(|error| error.raw_os_error()) != Some(libc::ESRCH)
}

/// Returns when no task holds the lock of the process tree for writing: waitid(2) takes it for reading (kernel/exit.c,
/// `__do_wait`). Nothing is waited for, nobody is reaped.
pub(crate) fn tree_barrier() {
    let options = libc::WEXITED | libc::WNOHANG | libc::WNOWAIT;
    // SAFETY: neither information nor usage is asked for.
    unsafe { libc::syscall(libc::SYS_waitid, libc::P_ALL, 0, 0, options, 0) };
}

/// The number of a pidfd's process in the caller's namespace, by ioctl; `None` on kernels without it.
pub(crate) fn pidfd_number(pidfd: RawFd) -> Option<i32> {
    let (result, [number, ..]) = looking::pidfd_info(pidfd as Raw);
    (result == 0).then_some(number as i32)
}

/// `NS_GET_PARENT` of ioctl_nsfs(2): a descriptor of the parent namespace.
pub(crate) fn namespace_parent(namespace: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    const NS_GET_PARENT: u64 = 0xb702;
    // SAFETY: the request takes no argument.
    let fd = check(unsafe { libc::ioctl(namespace.as_raw_fd(), NS_GET_PARENT as _) }.into())?;
    // SAFETY: the kernel has just opened this descriptor for us.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as RawFd) })
}

/// `PIDFD_GET_PID_NAMESPACE` of ioctl_pidfd(2): a descriptor of the namespace that a process is in.
pub(crate) fn namespace_of(pidfd: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    opened(looking::namespace_of(pidfd.as_raw_fd() as Raw))
}

/// `PIDFD_GET_PID_FOR_CHILDREN_NAMESPACE` of ioctl_pidfd(2): a descriptor of the namespace.
pub(crate) fn namespace_for_children(pidfd: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    opened(looking::for_children_of(pidfd.as_raw_fd() as Raw))
}

/// The descriptor that a system call has opened for this process, or why it has not.
fn opened(fd: Raw) -> io::Result<OwnedFd> {
    if fd < 0 {
        return Err(io::Error::from_raw_os_error(-fd as i32));
    }
    // SAFETY: the kernel has just opened this descriptor for us.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as RawFd) })
}

/// Takes over a descriptor that an agent's clone opened in the shared table.
pub(crate) fn adopt(fd: RawFd) -> OwnedFd {
    // SAFETY: CLONE_PIDFD opened it, nobody else in this program knows of it.
    unsafe { OwnedFd::from_raw_fd(fd) }
}

/// uname(2): the kernel's release.
pub(crate) fn release() -> String {
    let mut name = std::mem::MaybeUninit::<libc::utsname>::zeroed();
    // SAFETY: the name outlives the call.
    unsafe { libc::uname(name.as_mut_ptr()) };
    // SAFETY: zeroed memory is a valid utsname, and the call has filled it.
    let name = unsafe { name.assume_init() };
    let bytes: Vec<u8> = name.release.iter().map(|byte| *byte as u8).take_while(|byte| *byte != 0).collect();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Ends this process at once, without the handlers of the program that it is a copy of.
pub(crate) fn exit_now(status: c_int) -> ! {
    // SAFETY: always succeeds.
    unsafe { libc::_exit(status) }
}

/// A file that is only memory (memfd_create(2)). Its descriptor stays open over execve(2) if it is not for this program alone.
pub(crate) fn memory_file(name: &CStr, for_this_program: bool) -> io::Result<OwnedFd> {
    let flags = libc::MFD_ALLOW_SEALING | if for_this_program { libc::MFD_CLOEXEC } else { 0 };
    // SAFETY: the name is terminated.
    let fd = check(unsafe { libc::memfd_create(name.as_ptr(), flags) }.into())?;
    // SAFETY: the kernel has just opened this descriptor for us.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as RawFd) })
}

/// Standard input, which is the control socket of a helper.
pub(crate) fn control() -> std::os::unix::net::UnixStream {
    // SAFETY: a helper is started with a socket as its standard input and reads it nowhere else.
    unsafe { std::os::unix::net::UnixStream::from_raw_fd(0) }
}

/// What waits to be read on standard input, if that is a socket; it is left there.
pub(crate) fn peek_at_control<const N: usize>() -> Option<[u8; N]> {
    let mut bytes = [0; N];
    let flags = libc::MSG_PEEK | libc::MSG_DONTWAIT;
    // SAFETY: the bytes are ours to write; fails if the descriptor is not open, or no socket.
    let length = unsafe { libc::recv(0, bytes.as_mut_ptr().cast(), N, flags) };
    (usize::try_from(length) == Ok(N)).then_some(bytes)
}

/// Removes a variable from the environment.
pub(crate) fn forget_variable(name: &str) {
    // SAFETY: called before main, while there is only one thread.
    unsafe { std::env::remove_var(name) };
}
