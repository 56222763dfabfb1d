//! The yardstick of the benchmarks: the same processes as [`pidlab`'s bench scenario](scenario), made, ended and reaped by a
//! tree that scripts itself, with nobody who watches between the steps.
//!
//! It is the fastest way to make these processes: children share the memory of their parent (`CLONE_VM`) and run on stacks
//! that are prepared beforehand.

use std::io;

use libc::{c_int, c_long, c_void};
use pidlab_scenario::{Call, CloneFlags, ExitSignal, Role, Scenario, Step, WaitOptions, WaitTarget};

/// Bytes of one child's stack.
const STACK: usize = 16 * 1024;

/// What every process of the tree shares with its parent.
const SHARED: c_int = libc::CLONE_VM | libc::CLONE_FILES | libc::CLONE_FS;

/// Stacks for the eight processes of the tree, made once and used again and again.
pub struct Tree {
    stacks: Box<[[u8; STACK]]>,
}

/// Where each process finds the stacks of its children. All run on one CPU, each stack belongs to one process at a time.
#[derive(Clone, Copy)]
#[repr(C)]
struct Stacks(*mut [u8; STACK]);

impl Default for Tree {
    fn default() -> Tree {
        Tree { stacks: vec![[0; STACK]; 8].into_boxed_slice() }
    }
}

impl Tree {
    /// Makes, ends and reaps the eight processes of [`scenario`] once.
    ///
    /// # Errors
    /// If the first clone fails: no privileges, or no PID namespaces.
    pub fn grow(&mut self) -> io::Result<()> {
        let mut stacks = Stacks(self.stacks.as_mut_ptr());
        let flags = SHARED | libc::CLONE_NEWPID | libc::SIGCHLD;
        let host = clone(&mut stacks, 0, flags, host);
        if host < 0 {
            return Err(io::Error::last_os_error());
        }
        wait();
        Ok(())
    }

    /// Makes, ends and reaps one process `count` times: the kernel's fastest fork, exit and wait.
    ///
    /// # Errors
    /// If a clone fails.
    pub fn cycles(&mut self, count: usize) -> io::Result<()> {
        let mut stacks = Stacks(self.stacks.as_mut_ptr());
        for _ in 0..count {
            if clone(&mut stacks, 0, SHARED | libc::CLONE_SIGHAND | libc::SIGCHLD, idle_exit) < 0 {
                return Err(io::Error::last_os_error());
            }
            wait();
        }
        Ok(())
    }
}

/// Binds this program, and the labs that it opens, to the first CPU that it may use: a wake-up across CPUs costs ten times what
/// is to be measured.
///
/// # Errors
/// If the kernel does not let it.
pub fn pin_to_one_cpu() -> io::Result<()> {
    let cpus = crate::sys::os::allowed_cpus();
    crate::sys::os::pin(cpus.first().copied().unwrap_or(0))
}

/// The scenario that [`Tree::grow`] is measured against: 8 processes, 2 namespaces, 20 steps.
pub fn scenario() -> Scenario {
    let names = ["host", "a", "b", "c", "d", "init", "e", "f"];
    let [host, a, b, c, d, init, e, f] = [0, 1, 2, 3, 4, 5, 6, 7].map(Role);
    let fork = |child| Call::Fork { child };
    let newpid = Call::Clone {
        child: init,
        flags: CloneFlags::CLONE_NEWPID,
        exit_signal: ExitSignal::Default,
        set_tid: Vec::new(),
    };
    let wait = || Call::Wait { target: WaitTarget::Any, options: WaitOptions::empty() };
    let exit = || Call::Exit { status: 0 };
    let calls = [
        (host, fork(a)),
        (host, fork(b)),
        (a, fork(c)),
        (a, fork(d)),
        (host, newpid),
        (init, fork(e)),
        (init, fork(f)),
        (f, Call::Getppid),
        (d, exit()),
        (a, wait()),
        (a, exit()),
        (c, Call::Getppid),
        (host, wait()),
        (c, exit()),
        (host, wait()),
        (e, exit()),
        (init, wait()),
        (init, exit()),
        (b, Call::Getppid),
        (host, wait()),
    ];
    let mut scenario = Scenario::new("Eight processes in two namespaces");
    "bench/tree".clone_into(&mut scenario.name);
    scenario.roles = names.map(str::to_owned).to_vec();
    scenario.steps = calls.into_iter().map(|(by, call)| Step::new(by, call)).collect();
    scenario
}

extern "C" fn host(stacks: *mut c_void) -> c_int {
    let stacks = stacks.cast::<Stacks>();
    child(stacks, 1, 0, a);
    child(stacks, 2, 0, looks_and_stays);
    child(stacks, 5, libc::CLONE_NEWPID, init);
    for _ in ["a", "c", "init"] {
        wait();
    }
    exit()
}

extern "C" fn a(stacks: *mut c_void) -> c_int {
    let stacks = stacks.cast::<Stacks>();
    child(stacks, 3, 0, looks_and_exits);
    child(stacks, 4, 0, idle_exit);
    wait();
    exit()
}

extern "C" fn init(stacks: *mut c_void) -> c_int {
    let stacks = stacks.cast::<Stacks>();
    child(stacks, 6, 0, idle_exit);
    child(stacks, 7, 0, looks_and_stays);
    wait();
    exit()
}

extern "C" fn looks_and_stays(_: *mut c_void) -> c_int {
    call(libc::SYS_getppid);
    loop {
        call(libc::SYS_pause);
    }
}

extern "C" fn looks_and_exits(_: *mut c_void) -> c_int {
    call(libc::SYS_getppid);
    exit()
}

extern "C" fn idle_exit(_: *mut c_void) -> c_int {
    exit()
}

fn child(stacks: *mut Stacks, index: usize, flags: c_int, run: extern "C" fn(*mut c_void) -> c_int) {
    // SAFETY: every process of the tree shares the memory in which `grow` keeps the stacks until all have ended.
    let stacks = unsafe { &mut *stacks };
    clone(stacks, index, SHARED | flags | libc::SIGCHLD, run);
}

fn clone(stacks: &mut Stacks, index: usize, flags: c_int, run: extern "C" fn(*mut c_void) -> c_int) -> c_int {
    // SAFETY: `index` is below the number of stacks, so this is one past the end of a stack inside the allocation.
    let top = unsafe { stacks.0.add(index + 1) };
    // SAFETY: the stack is unused (its last user has been reaped), the function never returns into its caller, and it
    // only makes system calls that do not fail, so the shared errno is left alone.
    unsafe { libc::clone(run, top.cast(), flags, std::ptr::from_mut(stacks).cast()) }
}

fn call(number: c_long) {
    // SAFETY: getppid and pause take no arguments.
    unsafe { libc::syscall(number) };
}

fn wait() {
    // SAFETY: a null status is allowed.
    unsafe { libc::syscall(libc::SYS_wait4, -1, 0, libc::__WALL, 0) };
}

fn exit() -> ! {
    // SAFETY: ends the calling process and nothing else.
    unsafe { libc::syscall(libc::SYS_exit_group, 0) };
    loop {
        call(libc::SYS_pause);
    }
}
