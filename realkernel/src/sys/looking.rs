//! The system calls by which an agent looks at others. What they show goes into the arena's view, unread.

use std::sync::atomic::AtomicU8;

use super::raw::{Raw, plain, syscall};

/// rt_sigpending(2): a bit for each signal, the lowest for signal 1.
pub(crate) fn pending_signals() -> (Raw, u64) {
    let mut set: u64 = 0;
    let out = std::ptr::from_mut(&mut set) as usize;
    // SAFETY: the set outlives the call and has the 8 bytes that are said.
    let result = unsafe { syscall(libc::SYS_rt_sigpending, [out, size_of::<u64>(), 0, 0, 0, 0]) };
    (result, set)
}

/// poll(2) of one descriptor, without waiting: what is there of input and hang-ups.
pub(crate) fn poll_now(descriptor: Raw) -> (Raw, i16) {
    let mut entry = libc::pollfd { fd: descriptor as i32, events: libc::POLLIN, revents: 0 };
    let at_once = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    let arguments = [std::ptr::from_mut(&mut entry) as usize, 1, std::ptr::from_ref(&at_once) as usize, 0, 0, 0];
    // SAFETY: the entry and the time outlive the call; no mask is given.
    let result = unsafe { syscall(libc::SYS_ppoll, arguments) };
    (result, entry.revents)
}

/// A procfs of the caller's PID namespace, mounted nowhere: a descriptor of its root (fsopen(2), fsconfig(2), fsmount(2)). It
/// goes away with the last descriptor.
pub(crate) fn procfs() -> Raw {
    const FSOPEN_CLOEXEC: usize = 1;
    const FSCONFIG_CMD_CREATE: usize = 6;
    const FSMOUNT_CLOEXEC: usize = 1;
    let name = c"proc".as_ptr() as usize;
    // SAFETY: the name is terminated and static.
    let context = unsafe { syscall(libc::SYS_fsopen, [name, FSOPEN_CLOEXEC, 0, 0, 0, 0]) };
    if context < 0 {
        return context;
    }
    // SAFETY: the command takes neither key nor value.
    let created = unsafe { syscall(libc::SYS_fsconfig, [context as usize, FSCONFIG_CMD_CREATE, 0, 0, 0, 0]) };
    let root = match created {
        0 => plain(libc::SYS_fsmount, [context as usize, FSMOUNT_CLOEXEC, 0, 0]),
        refused => refused,
    };
    plain(libc::SYS_close, [context as usize, 0, 0, 0]);
    root
}

/// openat(2), for reading, of a path that ends with a zero byte.
pub(crate) fn open_at(folder: Raw, path: &[u8]) -> Raw {
    debug_assert!(path.contains(&0));
    let flags = (libc::O_RDONLY | libc::O_CLOEXEC) as usize;
    // SAFETY: the path outlives the call and is terminated.
    unsafe { syscall(libc::SYS_openat, [folder as usize, path.as_ptr() as usize, flags, 0, 0, 0]) }
}

/// read(2) into shared memory.
pub(crate) fn read(descriptor: Raw, into: &[AtomicU8]) -> Raw {
    // SAFETY: atomics may be written by anybody at any time, and there are as many as is said.
    unsafe { syscall(libc::SYS_read, [descriptor as usize, into.as_ptr() as usize, into.len(), 0, 0, 0]) }
}

/// getdents64(2) into shared memory.
pub(crate) fn list(folder: Raw, into: &[AtomicU8]) -> Raw {
    // SAFETY: atomics may be written by anybody at any time, and there are as many as is said.
    unsafe { syscall(libc::SYS_getdents64, [folder as usize, into.as_ptr() as usize, into.len(), 0, 0, 0]) }
}

/// `NS_GET_PID_FROM_PIDNS` of ioctl_nsfs(2): the caller's number for the one that has `number` in the namespace.
pub(crate) fn number_from(namespace: Raw, number: i32) -> Raw {
    const NS_GET_PID_FROM_PIDNS: usize = 0x8004_b706;
    plain(libc::SYS_ioctl, [namespace as usize, NS_GET_PID_FROM_PIDNS, number as usize, 0])
}

/// `NS_GET_PID_IN_PIDNS` of ioctl_nsfs(2): the namespace's number for the one that the caller knows as `number`.
pub(crate) fn number_in(namespace: Raw, number: i32) -> Raw {
    const NS_GET_PID_IN_PIDNS: usize = 0x8004_b708;
    plain(libc::SYS_ioctl, [namespace as usize, NS_GET_PID_IN_PIDNS, number as usize, 0])
}
