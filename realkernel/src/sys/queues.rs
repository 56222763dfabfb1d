//! Message queues (mq_overview(7)): one for a process, without a name.

use super::raw::{Raw, plain, syscall};

/// What it is called until it has lost its name, right after it is made. Nobody else is in the IPC namespace.
const NAME: &std::ffi::CStr = c"pidlab";

/// The kernel's `struct mq_attr`.
#[repr(C)]
struct Attributes {
    flags: libc::c_long,
    most_messages: libc::c_long,
    message_size: libc::c_long,
    messages: libc::c_long,
    reserved: [libc::c_long; 4],
}

/// The kernel's `struct sigevent`, as far as it is for signals.
#[repr(C)]
struct Sigevent {
    value: usize,
    signal: i32,
    notify: i32,
    rest: [u64; 6],
}

/// mq_open(2) and mq_unlink(2): a new queue for small messages, that nobody else can open.
pub(crate) fn make() -> Raw {
    let attributes = Attributes { flags: 0, most_messages: 10, message_size: 1, messages: 0, reserved: [0; 4] };
    let flags = (libc::O_RDWR | libc::O_CREAT | libc::O_EXCL | libc::O_NONBLOCK | libc::O_CLOEXEC) as usize;
    let [name, attributes] = [NAME.as_ptr() as usize, std::ptr::from_ref(&attributes) as usize];
    // SAFETY: the name is terminated and static, and the attributes outlive the call with the kernel's layout.
    let queue = unsafe { syscall(libc::SYS_mq_open, [name, flags, 0o600, attributes, 0, 0]) };
    // SAFETY: the name is terminated and static.
    let unlinked = unsafe { syscall(libc::SYS_mq_unlink, [name, 0, 0, 0, 0, 0]) };
    if queue < 0 || unlinked == 0 {
        return queue;
    }
    plain(libc::SYS_close, [queue as usize, 0, 0, 0]);
    unlinked
}

/// mq_notify(2): a signal at the next message, or 0 for none any more.
pub(crate) fn notify(queue: Raw, signal: i32) -> Raw {
    let event = Sigevent { value: 0, signal, notify: libc::SIGEV_SIGNAL, rest: [0; 6] };
    let event = if signal == 0 { 0 } else { std::ptr::from_ref(&event) as usize };
    // SAFETY: the event outlives the call and has the kernel's 64 bytes, or there is none.
    unsafe { syscall(libc::SYS_mq_notify, [queue as usize, event, 0, 0, 0, 0]) }
}

/// mq_timedsend(2) of a message, and mq_timedreceive(2) of it or of one before: neither waits. The result is that of the first.
pub(crate) fn send(queue: Raw) -> Raw {
    let mut message = [0u8; 1];
    let at = message.as_mut_ptr() as usize;
    // SAFETY: the message outlives the call and has the length that is said.
    let sent = unsafe { syscall(libc::SYS_mq_timedsend, [queue as usize, at, message.len(), 0, 0, 0]) };
    // SAFETY: as before.
    unsafe { syscall(libc::SYS_mq_timedreceive, [queue as usize, at, message.len(), 0, 0, 0]) };
    sent
}
