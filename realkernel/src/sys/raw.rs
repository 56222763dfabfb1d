//! System calls without a C library, and the way into a new process with a stack of its own.

use std::arch::asm;

use libc::c_long;

/// What a system call returned: a value, or a negated errno.
pub(crate) type Raw = isize;

/// Makes a system call.
///
/// # Safety
/// As the call itself: pointers among the arguments must be valid for what the call does with them.
#[cfg(target_arch = "x86_64")]
pub(crate) unsafe fn syscall(number: c_long, arguments: [usize; 6]) -> Raw {
    let [a, b, c, d, e, f] = arguments;
    let result: isize;
    // SAFETY: the kernel keeps all registers but rax, rcx and r11; the caller answers for the arguments.
    unsafe {
        asm!(
            "syscall",
            inlateout("rax") number as isize => result,
            in("rdi") a, in("rsi") b, in("rdx") c, in("r10") d, in("r8") e, in("r9") f,
            lateout("rcx") _, lateout("r11") _,
            options(nostack),
        );
    }
    result
}

/// Makes a system call.
///
/// # Safety
/// As the call itself: pointers among the arguments must be valid for what the call does with them.
#[cfg(target_arch = "aarch64")]
pub(crate) unsafe fn syscall(number: c_long, arguments: [usize; 6]) -> Raw {
    let [a, b, c, d, e, f] = arguments;
    let result: isize;
    // SAFETY: the kernel keeps all registers but x0; the caller answers for the arguments.
    unsafe {
        asm!(
            "svc 0",
            in("x8") number as isize,
            inlateout("x0") a as isize => result,
            in("x1") b, in("x2") c, in("x3") d, in("x4") e, in("x5") f,
            options(nostack),
        );
    }
    result
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
compile_error!("the runner knows the system call convention of x86_64 and aarch64");

/// The argument of clone3(2), version 2 (Linux 5.7).
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub(crate) struct CloneArgs {
    pub(crate) flags: u64,
    pub(crate) pidfd: u64,
    pub(crate) child_tid: u64,
    pub(crate) parent_tid: u64,
    pub(crate) exit_signal: u64,
    pub(crate) stack: u64,
    pub(crate) stack_size: u64,
    pub(crate) tls: u64,
    pub(crate) set_tid: u64,
    pub(crate) set_tid_size: u64,
    pub(crate) cgroup: u64,
}

/// clone3(2): the new process runs `entry(argument)` on the stack that `arguments` name; the caller gets its number.
///
/// # Safety
/// The stack must be large enough, aligned to 16 bytes at its top, and used by nobody else while the process lives.
#[cfg(target_arch = "x86_64")]
pub(crate) unsafe fn clone3(arguments: &CloneArgs, entry: extern "C" fn(usize) -> !, argument: usize) -> Raw {
    let result: isize;
    // SAFETY: the child starts on its own stack and never comes back; in the parent this is an ordinary system call.
    unsafe {
        asm!(
            "syscall",
            "test rax, rax",
            "jnz 2f",
            "xor ebp, ebp",
            "mov rdi, r13",
            "call r12",
            "ud2",
            "2:",
            inlateout("rax") libc::SYS_clone3 as isize => result,
            in("rdi") arguments, in("rsi") size_of::<CloneArgs>(),
            in("r12") entry, in("r13") argument,
            lateout("rcx") _, lateout("r11") _,
        );
    }
    result
}

/// clone3(2): the new process runs `entry(argument)` on the stack that `arguments` name; the caller gets its number.
///
/// # Safety
/// The stack must be large enough, aligned to 16 bytes at its top, and used by nobody else while the process lives.
#[cfg(target_arch = "aarch64")]
pub(crate) unsafe fn clone3(arguments: &CloneArgs, entry: extern "C" fn(usize) -> !, argument: usize) -> Raw {
    let result: isize;
    // SAFETY: the child starts on its own stack and never comes back; in the parent this is an ordinary system call.
    unsafe {
        asm!(
            "svc 0",
            "cbnz x0, 2f",
            "mov x29, xzr",
            "mov x0, x21",
            "blr x20",
            "brk 1",
            "2:",
            in("x8") libc::SYS_clone3 as isize,
            inlateout("x0") std::ptr::from_ref(arguments) as isize => result,
            in("x1") size_of::<CloneArgs>(),
            in("x20") entry, in("x21") argument,
        );
    }
    result
}

/// The kernel's `struct sigaction` (not the C library's).
#[repr(C)]
struct KernelSigaction {
    handler: usize,
    flags: u64,
    #[cfg(target_arch = "x86_64")]
    restorer: usize,
    mask: u64,
}

/// What is done with a signal.
pub(crate) enum Disposition {
    /// `SIG_DFL`.
    Default,
    /// `SIG_IGN`.
    Ignore,
    /// `SIG_DFL` with `SA_NOCLDWAIT`.
    NoCldWait,
    /// A handler, with every signal blocked while it runs.
    Handle(extern "C" fn(i32, *const Siginfo, *mut libc::ucontext_t)),
    /// The same with `SA_RESTART`.
    HandleRestart(extern "C" fn(i32, *const Siginfo, *mut libc::ucontext_t)),
    /// A handler that can never run: its stack is where no memory is.
    HandleNowhere,
}

/// The head of `siginfo_t`, as far as a handler here reads it.
#[repr(C)]
pub(crate) struct Siginfo {
    pub(crate) signal: i32,
    pub(crate) errno: i32,
    pub(crate) code: i32,
    pad: i32,
    /// `si_pid`, for signals from processes and for `SIGCHLD`.
    pub(crate) pid: i32,
    pub(crate) uid: u32,
    /// `si_status`, for `SIGCHLD` and waitid(2).
    pub(crate) status: i32,
    rest: [i32; 25],
}

impl Siginfo {
    /// All zero, as waitid(2) leaves it when there is nothing to report.
    pub(crate) const EMPTY: Siginfo =
        Siginfo { signal: 0, errno: 0, code: 0, pad: 0, pid: 0, uid: 0, status: 0, rest: [0; 25] };

    /// As a sender makes it that says itself what it is about.
    pub(crate) fn said(signal: i32, code: i32, pid: i32) -> Siginfo {
        Siginfo { signal, code, pid, ..Siginfo::EMPTY }
    }

    /// As a signalfd gives it.
    pub(crate) fn read(read: &libc::signalfd_siginfo) -> Siginfo {
        let (pid, status) = (read.ssi_pid as i32, read.ssi_status);
        Siginfo { signal: read.ssi_signo as i32, code: read.ssi_code, pid, status, ..Siginfo::EMPTY }
    }
}

/// Where a handler returns to: `rt_sigreturn`, which the kernel takes from the program on this architecture.
#[cfg(target_arch = "x86_64")]
#[unsafe(naked)]
extern "C" fn restorer() {
    std::arch::naked_asm!("mov eax, {number}", "syscall", number = const libc::SYS_rt_sigreturn)
}

/// rt_sigaction(2).
pub(crate) fn sigaction(signal: i32, disposition: Disposition) -> Raw {
    let siginfo = libc::SA_SIGINFO as u64;
    #[cfg(target_arch = "x86_64")]
    let siginfo = siginfo | 0x0400_0000; // SA_RESTORER
    let (handler, flags) = match disposition {
        Disposition::Default => (libc::SIG_DFL, 0),
        Disposition::Ignore => (libc::SIG_IGN, 0),
        Disposition::NoCldWait => (libc::SIG_DFL, libc::SA_NOCLDWAIT as u64),
        Disposition::Handle(handler) => (handler as usize, siginfo),
        Disposition::HandleRestart(handler) => (handler as usize, siginfo | libc::SA_RESTART as u64),
        Disposition::HandleNowhere => (restorer as *const () as usize, siginfo | libc::SA_ONSTACK as u64),
    };
    let action = KernelSigaction {
        handler,
        flags,
        #[cfg(target_arch = "x86_64")]
        restorer: restorer as *const () as usize,
        mask: u64::MAX,
    };
    let action = std::ptr::from_ref(&action) as usize;
    // SAFETY: the action outlives the call, the old one is not asked for, and the mask has 8 bytes.
    unsafe { syscall(libc::SYS_rt_sigaction, [signal as usize, action, 0, 8, 0, 0]) }
}

/// Whether the caller's process has a handler for a signal.
fn is_handled(signal: i32) -> bool {
    let mut action = KernelSigaction {
        handler: libc::SIG_DFL,
        flags: 0,
        #[cfg(target_arch = "x86_64")]
        restorer: 0,
        mask: 0,
    };
    let out = std::ptr::from_mut(&mut action) as usize;
    // SAFETY: no action is given, the old one outlives the call, and the mask has 8 bytes.
    let result = unsafe { syscall(libc::SYS_rt_sigaction, [signal as usize, 0, out, 8, 0, 0]) };
    result == 0 && ![libc::SIG_DFL, libc::SIG_IGN].contains(&action.handler)
}

/// Sees that the kernel writes nothing into its log about a signal that it is going to force on the caller, who has no handler for it.
///
/// It logs such a signal if there is no handler (kernel/signal.c, `unhandled_signal`). One whose handler has no stack to run on is not
/// handled either: the kernel takes the handler away and forces the signal once more (`force_sigsegv`), so the process ends as if there
/// had been none. Blocking the signal would do, too, but a mask that changes makes a thread look for signals that it was not told of.
fn keep_out_of_the_log(signal: i32) {
    /// Below all that can be mapped (proc_sys_vm(5), `mmap_min_addr`).
    const NOWHERE: libc::stack_t = libc::stack_t { ss_sp: 4096 as *mut libc::c_void, ss_flags: 0, ss_size: 56 * 1024 };
    if is_handled(signal) {
        return;
    }
    // SAFETY: the description outlives the call, and the old one is not asked for.
    unsafe { syscall(libc::SYS_sigaltstack, [std::ptr::from_ref(&NOWHERE) as usize, 0, 0, 0, 0, 0]) };
    sigaction(signal, Disposition::HandleNowhere);
}

/// rt_sigprocmask(2): blocks or unblocks one signal.
pub(crate) fn sigprocmask(how: i32, signal: i32) -> Raw {
    let mask: u64 = 1 << (signal - 1);
    let mask = std::ptr::from_ref(&mask) as usize;
    // SAFETY: the mask outlives the call and has 8 bytes; the old one is not asked for.
    unsafe { syscall(libc::SYS_rt_sigprocmask, [how as usize, mask, 0, 8, 0, 0]) }
}

/// rt_sigprocmask(2): blocks nothing.
pub(crate) fn unblock_all() -> Raw {
    let mask = std::ptr::from_ref(&0u64) as usize;
    // SAFETY: the mask outlives the call and has 8 bytes; the old one is not asked for.
    unsafe { syscall(libc::SYS_rt_sigprocmask, [libc::SIG_SETMASK as usize, mask, 0, 8, 0, 0]) }
}

/// set_tid_address(2): the word becomes 0, and its waiter wakes, when the caller ends before another thread of its process.
pub(crate) fn set_tid_address(word: &'static std::sync::atomic::AtomicU32) {
    let word = std::ptr::from_ref(word) as usize;
    // SAFETY: the word lives as long as the program, and is an atomic, which may be written at any time.
    unsafe { syscall(libc::SYS_set_tid_address, [word, 0, 0, 0, 0, 0]) };
}

/// wait4(2), status included.
pub(crate) fn wait4(pid: i32, options: u32) -> (Raw, i32) {
    let mut status = 0;
    let out = std::ptr::from_mut(&mut status) as usize;
    // SAFETY: the status outlives the call; no usage is asked for.
    let result = unsafe { syscall(libc::SYS_wait4, [pid as usize, out, options as usize, 0, 0, 0]) };
    (result, status)
}

/// waitid(2), with what it reports.
pub(crate) fn waitid(kind: i32, id: i32, options: u32) -> (Raw, Siginfo) {
    let mut info = Siginfo::EMPTY;
    let out = std::ptr::from_mut(&mut info) as usize;
    // SAFETY: the information outlives the call and has the kernel's 128 bytes; no usage is asked for.
    let result = unsafe { syscall(libc::SYS_waitid, [kind as usize, id as usize, out, options as usize, 0, 0]) };
    (result, info)
}

/// execveat(2) of the program behind a descriptor, with one variable as its environment.
pub(crate) fn exec(program: i32, variable: &[u8]) -> Raw {
    debug_assert!(variable.contains(&0));
    let name = c"pidlab-agent".as_ptr() as usize;
    let (arguments, environment) = ([name, 0], [variable.as_ptr() as usize, 0]);
    let lists = (arguments.as_ptr() as usize, environment.as_ptr() as usize);
    let flags = libc::AT_EMPTY_PATH as usize;
    // SAFETY: both lists end with 0 and, like what they point to, outlive the call, which copies them.
    unsafe { syscall(libc::SYS_execveat, [program as usize, c"".as_ptr() as usize, lists.0, lists.1, flags, 0]) }
}

/// openat(2) of an absolute path that ends with a zero byte.
pub(crate) fn open(path: &[u8], flags: i32) -> Raw {
    debug_assert!(path.contains(&0));
    // SAFETY: the path outlives the call and is terminated.
    unsafe { syscall(libc::SYS_openat, [libc::AT_FDCWD as usize, path.as_ptr() as usize, flags as usize, 0, 0, 0]) }
}

/// open_tree(2) of such a path, with `OPEN_TREE_CLONE`: a bind mount that is mounted nowhere.
pub(crate) fn open_tree(path: &[u8]) -> Raw {
    const OPEN_TREE_CLONE: usize = 1;
    debug_assert!(path.contains(&0));
    let flags = OPEN_TREE_CLONE | libc::O_CLOEXEC as usize;
    // SAFETY: the path outlives the call and is terminated.
    unsafe { syscall(libc::SYS_open_tree, [libc::AT_FDCWD as usize, path.as_ptr() as usize, flags, 0, 0, 0]) }
}

/// read(2).
pub(crate) fn read(fd: Raw, bytes: &mut [u8]) -> Raw {
    // SAFETY: the bytes are ours to write.
    unsafe { syscall(libc::SYS_read, [fd as usize, bytes.as_mut_ptr() as usize, bytes.len(), 0, 0, 0]) }
}

/// write(2).
pub(crate) fn write(fd: Raw, bytes: &[u8]) -> Raw {
    // SAFETY: the bytes are ours to read.
    unsafe { syscall(libc::SYS_write, [fd as usize, bytes.as_ptr() as usize, bytes.len(), 0, 0, 0]) }
}

/// A system call whose arguments are numbers only.
pub(crate) fn plain(number: c_long, arguments: [usize; 4]) -> Raw {
    let [a, b, c, d] = arguments;
    // SAFETY: the callers in `agent` pass no pointers, and the calls change nothing of this program but what a scenario
    // asks for.
    unsafe { syscall(number, [a, b, c, d, 0, 0]) }
}

/// prctl(2), for the options that write a number: that, or a negated errno.
pub(crate) fn prctl_number(option: i32) -> Raw {
    let mut number: i32 = 0;
    let out = std::ptr::from_mut(&mut number) as usize;
    // SAFETY: the number outlives the call, which writes no more than that.
    let result = unsafe { syscall(libc::SYS_prctl, [option as usize, out, 0, 0, 0, 0]) };
    if result < 0 { result } else { number as Raw }
}

/// capget(2) and capset(2): the calling thread gives up one capability.
pub(crate) fn drop_capability(number: u32) -> Raw {
    /// `_LINUX_CAPABILITY_VERSION_3`, and the calling thread.
    const HEADER: [u32; 2] = [0x2008_0522, 0];
    // Effective, permitted and inheritable, the lower 32 first.
    let mut sets = [[0u32; 3]; 2];
    let mut header = HEADER;
    let header = std::ptr::from_mut(&mut header) as usize;
    // SAFETY: header and sets outlive the call, and the sets are as many as this version has.
    let got = unsafe { syscall(libc::SYS_capget, [header, std::ptr::from_mut(&mut sets) as usize, 0, 0, 0, 0]) };
    let Some([effective, permitted, _]) = sets.get_mut(number as usize / 32).filter(|_| got == 0) else { return got };
    *effective &= !(1 << (number % 32));
    *permitted &= !(1 << (number % 32));
    // SAFETY: as above.
    unsafe { syscall(libc::SYS_capset, [header, std::ptr::from_ref(&sets) as usize, 0, 0, 0, 0]) }
}

/// futex(2), `FUTEX_WAIT`: sleeps while the word has this value. Ends for any reason; look at the word again.
pub(crate) fn futex_wait(word: &std::sync::atomic::AtomicU32, value: u32) -> Raw {
    let word = std::ptr::from_ref(word) as usize;
    // SAFETY: the word outlives the call; there is no timeout.
    unsafe { syscall(libc::SYS_futex, [word, libc::FUTEX_WAIT as usize, value as usize, 0, 0, 0]) }
}

/// The same, for so many nanoseconds at most.
pub(crate) fn futex_wait_at_most(word: &std::sync::atomic::AtomicU32, value: u32, nanoseconds: i64) -> Raw {
    let word = std::ptr::from_ref(word) as usize;
    let timeout = libc::timespec { tv_sec: 0, tv_nsec: nanoseconds };
    let timeout = std::ptr::from_ref(&timeout) as usize;
    // SAFETY: the word and the timeout outlive the call.
    unsafe { syscall(libc::SYS_futex, [word, libc::FUTEX_WAIT as usize, value as usize, timeout, 0, 0]) }
}

/// futex(2), `FUTEX_WAKE`: wakes the one sleeper.
pub(crate) fn futex_wake(word: &std::sync::atomic::AtomicU32) {
    let word = std::ptr::from_ref(word) as usize;
    // SAFETY: the word outlives the call.
    unsafe { syscall(libc::SYS_futex, [word, libc::FUTEX_WAKE as usize, 1, 0, 0, 0]) };
}

/// Makes an agent: [`clone3`] with a stack from the arena.
pub(crate) fn clone3_agent(arguments: &CloneArgs, entry: extern "C" fn(usize) -> !, role: usize) -> Raw {
    // SAFETY: each role has a stack of its own, 64 KiB, page-aligned, and a role is made only while it has no process.
    unsafe { clone3(arguments, entry, role) }
}

/// clone3(2) that copies everything, with these flags and no exit signal. It returns twice, as fork(2) does.
pub(crate) fn fork_with(flags: u64) -> Raw {
    let arguments = CloneArgs { flags, ..CloneArgs::default() };
    // SAFETY: the arguments outlive the call; the flags share no memory, so that the child has its own copy of the stack.
    unsafe { syscall(libc::SYS_clone3, [std::ptr::from_ref(&arguments) as usize, size_of::<CloneArgs>(), 0, 0, 0, 0]) }
}

/// The same with a pidfd of the child, beside what the call returned.
pub(crate) fn fork_with_pidfd(flags: u64) -> (Raw, i32) {
    let mut pidfd = -1i32;
    let flags = flags | libc::CLONE_PIDFD as u64;
    let arguments = CloneArgs { flags, pidfd: std::ptr::from_mut(&mut pidfd) as u64, ..CloneArgs::default() };
    let call = [std::ptr::from_ref(&arguments) as usize, size_of::<CloneArgs>(), 0, 0, 0, 0];
    // SAFETY: arguments and descriptor outlive the call; the flags share no memory, so that the child has its own copy of the stack.
    let made = unsafe { syscall(libc::SYS_clone3, call) };
    (made, pidfd)
}

/// clone3(2) that copies everything, gives out numbers, and then finds nowhere to write the pidfd: nothing is ever mapped at such a
/// low address.
pub(crate) fn failed_fork() -> Raw {
    const NOWHERE: u64 = 8;
    let arguments = CloneArgs {
        flags: libc::CLONE_PIDFD as u64,
        pidfd: NOWHERE,
        exit_signal: libc::SIGCHLD as u64,
        ..CloneArgs::default()
    };
    // SAFETY: the arguments outlive the call; without CLONE_VM a child, if there were one, would have its own copy of the stack.
    let result = unsafe {
        syscall(libc::SYS_clone3, [std::ptr::from_ref(&arguments) as usize, size_of::<CloneArgs>(), 0, 0, 0, 0])
    };
    if result == 0 {
        plain(libc::SYS_exit_group, [0; 4]);
    }
    result
}

/// A filter that gives every call of the thread from now on this answer, and one call. Where the filter is refused that is the result.
pub(crate) fn seccomp_kill(answer: u32) -> Raw {
    const SECCOMP_SET_MODE_FILTER: usize = 1;
    let filter = [libc::sock_filter { code: (libc::BPF_RET | libc::BPF_K) as u16, jt: 0, jf: 0, k: answer }];
    let program = libc::sock_fprog { len: 1, filter: filter.as_ptr().cast_mut() };
    // Who has no capability for it may have a filter if it can gain none any more; the thread ends in any case.
    plain(libc::SYS_prctl, [libc::PR_SET_NO_NEW_PRIVS as usize, 1, 0, 0]);
    // SAFETY: the program is read during the call, and outlives it.
    let set = unsafe {
        syscall(libc::SYS_seccomp, [SECCOMP_SET_MODE_FILTER, 0, std::ptr::from_ref(&program) as usize, 0, 0, 0])
    };
    if set < 0 { set } else { plain(libc::SYS_getppid, [0; 4]) }
}

/// Writes a byte into a pipe whose other end is closed.
pub(crate) fn broken_pipe() -> Raw {
    let mut ends = [-1i32; 2];
    // SAFETY: two descriptors are written to an array of two.
    let made = unsafe { syscall(libc::SYS_pipe2, [ends.as_mut_ptr() as usize, libc::O_CLOEXEC as usize, 0, 0, 0, 0]) };
    if made < 0 {
        return made;
    }
    let [reader, writer] = ends;
    plain(libc::SYS_close, [reader as usize, 0, 0, 0]);
    let written = write(writer as Raw, &[0]);
    plain(libc::SYS_close, [writer as usize, 0, 0, 0]);
    written
}

/// rt_sigqueueinfo(2), as a program would send it that says itself what it is about.
pub(crate) fn sigqueue(pid: i32, signal: i32, told: &Siginfo) -> Raw {
    let told = std::ptr::from_ref(told) as usize;
    // SAFETY: the information outlives the call and has the kernel's 128 bytes.
    unsafe { syscall(libc::SYS_rt_sigqueueinfo, [pid as usize, signal as usize, told, 0, 0, 0]) }
}

/// rt_tgsigqueueinfo(2): the same for one thread.
pub(crate) fn sigqueue_thread(process: i32, thread: i32, signal: i32, told: &Siginfo) -> Raw {
    let told = std::ptr::from_ref(told) as usize;
    let arguments = [process as usize, thread as usize, signal as usize, told, 0, 0];
    // SAFETY: the information outlives the call and has the kernel's 128 bytes.
    unsafe { syscall(libc::SYS_rt_tgsigqueueinfo, arguments) }
}

/// Writes to address 0, which is never mapped. Comes back if a handler, installed by [`sigaction`], has skipped the
/// instruction ([`skip_fault`]).
pub(crate) fn fault() -> Raw {
    keep_out_of_the_log(libc::SIGSEGV);
    #[cfg(target_arch = "x86_64")]
    // SAFETY: the write to address 0 never takes place: it ends the process, or is skipped.
    unsafe {
        asm!(".byte 0x88, 0x00", in("rax") 0usize) // mov [rax], al
    };
    #[cfg(target_arch = "aarch64")]
    // SAFETY: as above.
    unsafe {
        asm!("str xzr, [{zero}]", zero = in(reg) 0usize)
    };
    0
}

/// Bytes of the instruction that [`fault`] fails at.
#[cfg(target_arch = "x86_64")]
const FAULT_LENGTH: i64 = 2;
#[cfg(target_arch = "aarch64")]
const FAULT_LENGTH: u64 = 4;

/// In a handler: lets the program go on behind the instruction of [`fault`], if it was that.
pub(crate) fn skip_fault(signal: i32, info: *const Siginfo, context: *mut libc::ucontext_t) {
    const SEGV_MAPERR: i32 = 1;
    // SAFETY: the kernel hands a handler installed with SA_SIGINFO a valid siginfo_t on its stack.
    let info = unsafe { &*info };
    // The code of a fault means something else where SIGSEGV is a child's exit signal: then the child's number stands where the
    // address would, which was 0.
    if signal != libc::SIGSEGV || info.code != SEGV_MAPERR || info.pid != 0 {
        return;
    }
    // SAFETY: the kernel hands it a valid context too, and takes the registers from there when the handler returns.
    let machine = unsafe { &mut (*context).uc_mcontext };
    #[cfg(target_arch = "x86_64")]
    {
        machine.gregs[libc::REG_RIP as usize] += FAULT_LENGTH;
    }
    #[cfg(target_arch = "aarch64")]
    {
        machine.pc += FAULT_LENGTH;
    }
}

/// An instruction that no program may execute: what abort(3) ends with where signals do not.
pub(crate) fn trap() -> Raw {
    keep_out_of_the_log(if cfg!(target_arch = "x86_64") { libc::SIGSEGV } else { libc::SIGTRAP });
    #[cfg(target_arch = "x86_64")]
    // SAFETY: the instruction is privileged: it never takes place.
    unsafe {
        asm!("hlt")
    };
    #[cfg(target_arch = "aarch64")]
    // SAFETY: the instruction traps.
    unsafe {
        asm!("brk #1000")
    };
    0
}

/// `si_pid`, `si_code` and `si_status` of the information that the kernel hands to a handler.
pub(crate) fn noted(info: *const Siginfo) -> [i32; 3] {
    // SAFETY: the kernel hands a handler installed with SA_SIGINFO a valid siginfo_t on its stack.
    let info = unsafe { &*info };
    [info.pid, info.code, info.status]
}
