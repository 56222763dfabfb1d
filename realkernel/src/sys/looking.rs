//! The system calls by which an agent looks at others. What they show goes into the arena's view, unread.

use std::ffi::CStr;
use std::sync::atomic::AtomicU8;

use super::raw::{Raw, Siginfo, plain, syscall};

/// rt_sigpending(2): a bit for each signal, the lowest for signal 1.
pub(crate) fn pending_signals() -> (Raw, u64) {
    let mut set: u64 = 0;
    let out = std::ptr::from_mut(&mut set) as usize;
    // SAFETY: the set outlives the call and has the 8 bytes that are said.
    let result = unsafe { syscall(libc::SYS_rt_sigpending, [out, size_of::<u64>(), 0, 0, 0, 0]) };
    (result, set)
}

/// rt_sigtimedwait(2) of one signal, without waiting: its number, and what comes with it.
pub(crate) fn take_signal(signal: i32) -> (Raw, Siginfo) {
    sigtimedwait(1 << (signal - 1), false)
}

/// rt_sigtimedwait(2) of a set, for ever or without waiting: the signal, and what comes with it.
pub(crate) fn sigtimedwait(set: u64, waits: bool) -> (Raw, Siginfo) {
    let mut told = Siginfo::EMPTY;
    let at_once = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    let timeout = if waits { 0 } else { std::ptr::from_ref(&at_once) as usize };
    let set = std::ptr::from_ref(&set) as usize;
    let arguments = [set, std::ptr::from_mut(&mut told) as usize, timeout, size_of::<u64>(), 0, 0];
    // SAFETY: the set and the time outlive the call, and the information does, with the kernel's 128 bytes.
    let result = unsafe { syscall(libc::SYS_rt_sigtimedwait, arguments) };
    (result, told)
}

/// read(2) of a signalfd(2) that is made for it and does not wait: the signal, and what comes with it.
pub(crate) fn read_signal(set: u64) -> (Raw, Siginfo) {
    let flags = (libc::SFD_NONBLOCK | libc::SFD_CLOEXEC) as usize;
    let set = std::ptr::from_ref(&set) as usize;
    // SAFETY: the set outlives the call and has the 8 bytes that are said.
    let made = unsafe { syscall(libc::SYS_signalfd4, [usize::MAX, set, size_of::<u64>(), flags, 0, 0]) };
    if made < 0 {
        return (made, Siginfo::EMPTY);
    }
    let mut read = std::mem::MaybeUninit::<libc::signalfd_siginfo>::zeroed();
    let arguments = [made as usize, read.as_mut_ptr() as usize, size_of::<libc::signalfd_siginfo>(), 0, 0, 0];
    // SAFETY: the information outlives the call and has the size that is said.
    let result = unsafe { syscall(libc::SYS_read, arguments) };
    plain(libc::SYS_close, [made as usize, 0, 0, 0]);
    // SAFETY: nothing but numbers, and all were zero before.
    let read = unsafe { read.assume_init() };
    let told = Siginfo::read(&read);
    (if result < 0 { result } else { told.signal as Raw }, told)
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
    procfs_of(None)
}

/// The same of another namespace, by a descriptor of that (proc(5), `pidns`).
pub(crate) fn procfs_of(namespace: Option<Raw>) -> Raw {
    const FSOPEN_CLOEXEC: usize = 1;
    const FSCONFIG_SET_FD: usize = 5;
    const FSCONFIG_CMD_CREATE: usize = 6;
    const FSMOUNT_CLOEXEC: usize = 1;
    let name = c"proc".as_ptr() as usize;
    // SAFETY: the name is terminated and static.
    let context = unsafe { syscall(libc::SYS_fsopen, [name, FSOPEN_CLOEXEC, 0, 0, 0, 0]) };
    if context < 0 {
        return context;
    }
    let chosen = namespace.map_or(0, |namespace| {
        let key = c"pidns".as_ptr() as usize;
        let arguments = [context as usize, FSCONFIG_SET_FD, key, 0, namespace as usize, 0];
        // SAFETY: the key is terminated and static; the value is a descriptor and no pointer.
        unsafe { syscall(libc::SYS_fsconfig, arguments) }
    });
    let created = match chosen {
        // SAFETY: the command takes neither key nor value.
        0 => unsafe { syscall(libc::SYS_fsconfig, [context as usize, FSCONFIG_CMD_CREATE, 0, 0, 0, 0]) },
        refused => refused,
    };
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

/// Where the link `self` of a procfs leads the caller to; 0 if nowhere, and a negated errno for other failures.
pub(crate) fn myself_in(root: Raw) -> Raw {
    last_number_of(root, c"self")
}

/// The same of `thread-self`, which leads to `PID/task/TID`: the TID.
pub(crate) fn thread_self_in(root: Raw) -> Raw {
    last_number_of(root, c"thread-self")
}

/// The number that the target of a link ends with.
fn last_number_of(root: Raw, link: &CStr) -> Raw {
    let mut target = [0u8; 32];
    let arguments = [root as usize, link.as_ptr() as usize, target.as_mut_ptr() as usize, target.len(), 0, 0];
    // SAFETY: the path is terminated, the buffer outlives the call with the length that is said, and so does the path.
    let length = unsafe { syscall(libc::SYS_readlinkat, arguments) };
    if length == -(libc::ENOENT as Raw) {
        return 0;
    }
    let characters = target.iter().take(length.max(0) as usize);
    characters.fold(length.min(0), |number, character| match character {
        b'0'..=b'9' => number * 10 + Raw::from(character - b'0'),
        _ => 0,
    })
}

/// `NS_GET_PARENT` of ioctl_nsfs(2): a descriptor of the namespace around.
pub(crate) fn parent_of(namespace: Raw) -> Raw {
    const NS_GET_PARENT: usize = 0xb702;
    plain(libc::SYS_ioctl, [namespace as usize, NS_GET_PARENT, 0, 0])
}

/// `NS_GET_USERNS` of ioctl_nsfs(2): a descriptor of the user namespace that owns it.
pub(crate) fn owner_ns_of(namespace: Raw) -> Raw {
    const NS_GET_USERNS: usize = 0xb701;
    plain(libc::SYS_ioctl, [namespace as usize, NS_GET_USERNS, 0, 0])
}

/// `PIDFD_GET_PID_NAMESPACE` of ioctl_pidfd(2): a descriptor of the namespace (Linux 6.11).
pub(crate) fn namespace_of(pidfd: Raw) -> Raw {
    const PIDFD_GET_PID_NAMESPACE: usize = 0xff05;
    plain(libc::SYS_ioctl, [pidfd as usize, PIDFD_GET_PID_NAMESPACE, 0, 0])
}

/// `PIDFD_GET_PID_FOR_CHILDREN_NAMESPACE` of ioctl_pidfd(2): a descriptor of the namespace.
pub(crate) fn for_children_of(pidfd: Raw) -> Raw {
    const PIDFD_GET_PID_FOR_CHILDREN_NAMESPACE: usize = 0xff06;
    plain(libc::SYS_ioctl, [pidfd as usize, PIDFD_GET_PID_FOR_CHILDREN_NAMESPACE, 0, 0])
}

/// `pid`, `tgid`, `ppid` and `mask` of `PIDFD_GET_INFO` (ioctl_pidfd(2)).
pub(crate) fn pidfd_info(pidfd: Raw) -> (Raw, [u32; 4]) {
    let (result, info) = pidfd_get_info(pidfd, PIDFD_INFO_PID);
    (result, [info.pid, info.tgid, info.ppid, (info.mask & SHOWN) as u32])
}

/// The same, asked for the status too: which parts it gave, and the status among them.
pub(crate) fn pidfd_exit(pidfd: Raw) -> (Raw, u64, i32) {
    let (result, info) = pidfd_get_info(pidfd, PIDFD_INFO_PID | PIDFD_INFO_EXIT);
    (result, info.mask & SHOWN, info.exit_code)
}

const PIDFD_INFO_PID: u64 = 1;
const PIDFD_INFO_CREDS: u64 = 2;

/// Who has ended is told of how (Linux 6.15).
pub(crate) const PIDFD_INFO_EXIT: u64 = 8;

/// The parts that every kernel has which has them at all. Others hang on how it was built (`PIDFD_INFO_CGROUPID`), or came later.
const SHOWN: u64 = PIDFD_INFO_PID | PIDFD_INFO_CREDS | PIDFD_INFO_EXIT;

/// The kernel's `struct pidfd_info`, first version: what it ends with was not used before Linux 6.15.
#[repr(C)]
#[derive(Default)]
struct PidfdInfo {
    mask: u64,
    cgroup: u64,
    pid: u32,
    tgid: u32,
    ppid: u32,
    users: [u32; 8],
    exit_code: i32,
}

fn pidfd_get_info(pidfd: Raw, mask: u64) -> (Raw, PidfdInfo) {
    const PIDFD_GET_INFO: usize = 0xc000_ff0b | (size_of::<PidfdInfo>() << 16);
    let mut info = PidfdInfo { mask, ..PidfdInfo::default() };
    let arguments = [pidfd as usize, PIDFD_GET_INFO, std::ptr::from_mut(&mut info) as usize, 0, 0, 0];
    // SAFETY: the information outlives the call and has the size that the command says.
    let result = unsafe { syscall(libc::SYS_ioctl, arguments) };
    (result, info)
}

/// A new socket whose owner is the caller (F_SETOWN(2const)), and which remembers who made it (unix(7), `SO_PEERCRED`).
pub(crate) fn own_socket() -> Raw {
    let mut ends = [-1i32; 2];
    let kind = (libc::SOCK_SEQPACKET | libc::SOCK_CLOEXEC) as usize;
    let arguments = [libc::AF_UNIX as usize, kind, 0, ends.as_mut_ptr() as usize, 0, 0];
    // SAFETY: two descriptors are written to an array of two.
    let made = unsafe { syscall(libc::SYS_socketpair, arguments) };
    if made < 0 {
        return made;
    }
    let [kept, other] = ends;
    plain(libc::SYS_close, [other as usize, 0, 0, 0]);
    let process = plain(libc::SYS_getpid, [0; 4]);
    match plain(libc::SYS_fcntl, [kept as usize, libc::F_SETOWN as usize, process as usize, 0]) {
        0 => kept as Raw,
        refused => refused,
    }
}

/// The owner of a file, as the caller sees it (F_GETOWN(2const)).
pub(crate) fn owner_of(file: Raw) -> Raw {
    plain(libc::SYS_fcntl, [file as usize, libc::F_GETOWN as usize, 0, 0])
}

/// The number and the user of whoever made a socket, as the caller sees them.
pub(crate) fn maker_of(socket: Raw) -> (Raw, libc::ucred) {
    let mut maker = libc::ucred { pid: 0, uid: 0, gid: 0 };
    let mut length = size_of::<libc::ucred>() as libc::socklen_t;
    let (maker_at, length_at) = (std::ptr::from_mut(&mut maker) as usize, std::ptr::from_mut(&mut length) as usize);
    let arguments = [socket as usize, libc::SOL_SOCKET as usize, libc::SO_PEERCRED as usize, maker_at, length_at, 0];
    // SAFETY: credentials and length outlive the call.
    let result = unsafe { syscall(libc::SYS_getsockopt, arguments) };
    (result, maker)
}

/// Whether two descriptors are of the same file: 1 if so, 0 if not, or a negated errno.
pub(crate) fn same_file(one: Raw, other: Raw) -> Raw {
    let identity = |file: Raw| {
        let mut status = std::mem::MaybeUninit::<libc::stat>::zeroed();
        let arguments = [file as usize, status.as_mut_ptr() as usize, 0, 0, 0, 0];
        // SAFETY: the status outlives the call and has the kernel's layout.
        let result = unsafe { syscall(libc::SYS_fstat, arguments) };
        // SAFETY: every field is a number, and all were zero before.
        let status = unsafe { status.assume_init() };
        (result, status.st_dev, status.st_ino)
    };
    let (one, other) = (identity(one), identity(other));
    if one.0 < 0 { one.0 } else { Raw::from(one == other) }
}
