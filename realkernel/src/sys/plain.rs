//! What ordinary single-threaded programs do beside scenarios, where safe Rust has no words for it: for tools that test other programs.

use std::ffi::{CString, c_char, c_int};
use std::io;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicU64, Ordering};
use std::{mem, ptr};

use super::before_main::before_main;
use super::os;
use super::raw::{self, Disposition, Raw};

before_main!(note_birth);

/// What was ignored before main.
static IGNORED_AT_BIRTH: AtomicU64 = AtomicU64::new(0);

fn note_birth() {
    IGNORED_AT_BIRTH.store(ignored(), Ordering::Relaxed);
}

/// The highest signal.
const LAST: i32 = 64;

/// What a program does with a signal that it does not handle.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Unhandled {
    /// What Linux does with it (signal(7)).
    Default,
    /// Nothing.
    Ignore,
}

/// The blocked signals (rt_sigprocmask(2)); signal 1 is the lowest bit.
///
/// # Errors
/// None that Linux gives for these arguments.
pub fn blocked() -> io::Result<u64> {
    mask(None)
}

/// Blocks these signals, and no others.
///
/// # Errors
/// None that Linux gives for these arguments.
pub fn block_only(signals: u64) -> io::Result<()> {
    mask(Some(signals)).map(drop)
}

/// The ignored signals (rt_sigaction(2)); signal 1 is the lowest bit.
pub fn ignored() -> u64 {
    (1..=LAST).filter(|signal| is_ignored(*signal)).fold(0, |set, signal| set | 1 << (signal - 1))
}

/// The same as it was when this program began: std ignores SIGPIPE before main.
pub fn ignored_at_birth() -> u64 {
    constructor();
    IGNORED_AT_BIRTH.load(Ordering::Relaxed)
}

/// Says what is done with a signal. It stays so over execve(2).
///
/// # Errors
/// `EINVAL`: there is no such signal, or nothing can be said about it (SIGKILL, SIGSTOP).
pub fn dispose(signal: i32, how: Unhandled) -> io::Result<()> {
    let how = match how {
        Unhandled::Default => Disposition::Default,
        Unhandled::Ignore => Disposition::Ignore,
    };
    result(raw::sigaction(signal, how)).map(drop)
}

/// signalfd(2): these signals, which are to be blocked, can be read from the descriptor.
///
/// # Errors
/// As signalfd(2): no descriptor is free.
pub fn signals_of(signals: u64) -> io::Result<OwnedFd> {
    let flags = (libc::SFD_NONBLOCK | libc::SFD_CLOEXEC) as usize;
    let set = ptr::from_ref(&signals) as usize;
    // SAFETY: the set outlives the call and has the 8 bytes that are said.
    let made = unsafe { raw::syscall(libc::SYS_signalfd4, [usize::MAX, set, size_of::<u64>(), flags, 0, 0]) };
    Ok(os::adopt(result(made)? as c_int))
}

/// fork(2). The parent gets the child's PID, the child nothing. Only for processes with one thread.
///
/// # Errors
/// As fork(2): there is no PID or no memory, or too many processes.
pub fn fork() -> io::Result<Option<i32>> {
    Ok(os::fork()?.map(|(pid, _)| pid))
}

/// execvp(3), with the signals blocked and ignored as they are: std's own changes that. It comes back only if it fails.
pub fn exec(words: &[CString]) -> io::Error {
    let Some(program) = words.first() else { return io::Error::from_raw_os_error(libc::ENOENT) };
    let list: Vec<*const c_char> = words.iter().map(|word| word.as_ptr()).chain([ptr::null()]).collect();
    // SAFETY: the list ends with a null pointer, and it and its words outlive the call.
    unsafe { libc::execvp(program.as_ptr(), list.as_ptr()) };
    io::Error::last_os_error()
}

/// kill(2), whoever is meant: a process, 0 for the own group, -1 for everybody, `-g` for a group; signal 0 asks.
///
/// # Errors
/// As kill(2): there is no such signal, nobody is meant, or none of them may be signalled.
pub fn kill(pid: i32, signal: i32) -> io::Result<()> {
    // SAFETY: the call takes no memory.
    result(unsafe { raw::syscall(libc::SYS_kill, [pid as usize, signal as usize, 0, 0, 0, 0]) }).map(drop)
}

/// unshare(2) of namespaces.
///
/// # Errors
/// As unshare(2).
pub fn unshare(namespaces: c_int) -> io::Result<()> {
    os::unshare(namespaces & (libc::CLONE_NEWPID | libc::CLONE_NEWNS | libc::CLONE_NEWUTS | libc::CLONE_NEWIPC))
}

/// rt_sigprocmask(2): blocks exactly these, if it is said which. Gives the mask before.
fn mask(blocked: Option<u64>) -> io::Result<u64> {
    let mut old = 0u64;
    let mask = blocked.as_ref().map_or(0, |mask| ptr::from_ref(mask) as usize);
    let arguments = [libc::SIG_SETMASK as usize, mask, ptr::from_mut(&mut old) as usize, size_of::<u64>(), 0, 0];
    // SAFETY: both masks outlive the call and have the 8 bytes that are said.
    result(unsafe { raw::syscall(libc::SYS_rt_sigprocmask, arguments) })?;
    Ok(old)
}

fn is_ignored(signal: c_int) -> bool {
    let mut action = mem::MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: no new action is given, and the old one outlives the call.
    let result = unsafe { libc::sigaction(signal, ptr::null(), action.as_mut_ptr()) };
    // SAFETY: zeroed memory is a valid action, whether the call has filled it or not.
    let action = unsafe { action.assume_init() };
    result == 0 && action.sa_sigaction == libc::SIG_IGN
}

fn result(returned: Raw) -> io::Result<Raw> {
    let error = |errno: Raw| io::Error::from_raw_os_error(c_int::try_from(errno).unwrap_or(libc::EINVAL));
    if returned < 0 { Err(error(-returned)) } else { Ok(returned) }
}
