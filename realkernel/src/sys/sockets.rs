//! Two pairs of sockets, made once: one on which the conductor hands descriptors to an agent, one on which an agent says to
//! another who it is.
//!
//! Most agents share the conductor's table of files, but one that has called execve(2) has a copy. The sockets are in every
//! table, at the same numbers, since they are older than the first agent and stay open over execve(2). What passes through
//! them arrives in both kinds of tables.

use std::io;
use std::mem::offset_of;
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};
use std::sync::atomic::{AtomicI32, Ordering};

use super::raw::{self, Raw};

/// One pair: the end that is written to, and the end that is read.
struct Pair([AtomicI32; 2]);

impl Pair {
    const fn new() -> Pair {
        Pair([const { AtomicI32::new(-1) }; 2])
    }

    fn writer(&self) -> RawFd {
        self.0[0].load(Ordering::Acquire)
    }

    fn reader(&self) -> RawFd {
        self.0[1].load(Ordering::Acquire)
    }

    fn make(&self) -> io::Result<()> {
        let mut ends = [-1; 2];
        let kind = libc::SOCK_SEQPACKET | libc::SOCK_NONBLOCK;
        // SAFETY: two descriptors are written to an array of two.
        if unsafe { libc::socketpair(libc::AF_UNIX, kind, 0, ends.as_mut_ptr()) } < 0 {
            return Err(io::Error::last_os_error());
        }
        for (end, made) in self.0.iter().zip(ends) {
            end.store(made, Ordering::Release);
        }
        Ok(())
    }
}

static DESCRIPTORS: Pair = Pair::new();
static CREDENTIALS: Pair = Pair::new();

/// Makes both pairs. Once, before the first agent.
///
/// # Errors
/// Where there are no sockets.
pub(crate) fn make() -> io::Result<()> {
    DESCRIPTORS.make()?;
    CREDENTIALS.make()?;
    // On before anything is sent: what is sent earlier has no sender (unix(7), `SO_PASSCRED`).
    let on: i32 = 1;
    let (on, size) = (std::ptr::from_ref(&on).cast(), size_of::<i32>() as libc::socklen_t);
    // SAFETY: the option is an int, which outlives the call.
    let result = unsafe { libc::setsockopt(CREDENTIALS.reader(), libc::SOL_SOCKET, libc::SO_PASSCRED, on, size) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// The descriptors of both pairs, for a program that takes them over.
pub(crate) fn all() -> [RawFd; 4] {
    [DESCRIPTORS.writer(), DESCRIPTORS.reader(), CREDENTIALS.writer(), CREDENTIALS.reader()]
}

/// Takes over the pairs that another program has made.
pub(crate) fn adopt(descriptors: [RawFd; 4]) {
    for (end, descriptor) in DESCRIPTORS.0.iter().chain(&CREDENTIALS.0).zip(descriptors) {
        end.store(descriptor, Ordering::Release);
    }
}

/// Where an agent finds the descriptor that was handed over.
pub(crate) fn handed_over_at() -> RawFd {
    DESCRIPTORS.reader()
}

/// Where an agent says who it is, and where another hears it.
pub(crate) fn credentials() -> (RawFd, RawFd) {
    (CREDENTIALS.writer(), CREDENTIALS.reader())
}

/// Throws away what nobody took: an agent that fails early leaves it.
pub(crate) fn clear() {
    for socket in [DESCRIPTORS.reader(), CREDENTIALS.reader()] {
        let mut message = Incoming::default();
        while message.receive(socket) >= 0 {
            close_all(&message);
            message = Incoming::default();
        }
    }
}

/// The kernel's `struct user_msghdr`.
#[repr(C)]
struct Header {
    name: usize,
    name_length: u32,
    parts: usize,
    part_count: usize,
    control: usize,
    control_length: usize,
    flags: i32,
}

/// The kernel's `struct iovec`.
#[repr(C)]
struct Part {
    base: usize,
    length: usize,
}

/// The kernel's `struct cmsghdr`, with room for the longest content used here: `struct ucred`.
#[repr(C)]
#[derive(Default)]
struct Control {
    length: usize,
    level: i32,
    kind: i32,
    content: [i32; 4],
}

/// Bytes of a control message with so many numbers as its content.
const fn control_length(numbers: usize) -> usize {
    offset_of!(Control, content) + numbers * size_of::<i32>()
}

/// Hands a descriptor to the agent that gets the next command (unix(7), `SCM_RIGHTS`).
///
/// # Errors
/// Where the kernel does not take it.
pub(crate) fn hand_over(descriptor: BorrowedFd<'_>) -> io::Result<()> {
    let content = [descriptor.as_raw_fd(), 0, 0, 0];
    let length = control_length(1);
    let control = Control { length, level: libc::SOL_SOCKET, kind: libc::SCM_RIGHTS, content };
    let byte = 0u8;
    let part = Part { base: std::ptr::from_ref(&byte) as usize, length: 1 };
    let header = Header {
        name: 0,
        name_length: 0,
        parts: std::ptr::from_ref(&part) as usize,
        part_count: 1,
        control: std::ptr::from_ref(&control) as usize,
        control_length: length,
        flags: 0,
    };
    let arguments = [DESCRIPTORS.writer() as usize, std::ptr::from_ref(&header) as usize, 0, 0, 0, 0];
    // SAFETY: the header and all that it points to outlive the call, with the lengths that it says.
    let result = unsafe { raw::syscall(libc::SYS_sendmsg, arguments) };
    if result < 0 { Err(io::Error::from_raw_os_error(-result as i32)) } else { Ok(()) }
}

/// A message that is received.
#[derive(Default)]
struct Incoming {
    control: Control,
    is_cut: bool,
}

impl Incoming {
    /// recvmsg(2). The result is that of the call.
    fn receive(&mut self, socket: RawFd) -> Raw {
        let mut byte = 0u8;
        let part = Part { base: std::ptr::from_mut(&mut byte) as usize, length: 1 };
        let mut header = Header {
            name: 0,
            name_length: 0,
            parts: std::ptr::from_ref(&part) as usize,
            part_count: 1,
            control: std::ptr::from_mut(&mut self.control) as usize,
            control_length: size_of::<Control>(),
            flags: 0,
        };
        let flags = (libc::MSG_DONTWAIT | libc::MSG_CMSG_CLOEXEC) as usize;
        let arguments = [socket as usize, std::ptr::from_mut(&mut header) as usize, flags, 0, 0, 0];
        // SAFETY: the header and all that it points to are ours to write, with the lengths that it says.
        let result = unsafe { raw::syscall(libc::SYS_recvmsg, arguments) };
        self.is_cut = result >= 0 && header.flags & libc::MSG_CTRUNC != 0;
        result
    }

    /// The numbers that came with it, if they are of this kind.
    fn content(&self, kind: i32, numbers: usize) -> Option<&[i32]> {
        let Control { length, level, kind: got, content } = &self.control;
        let right = *level == libc::SOL_SOCKET && *got == kind && *length >= control_length(numbers);
        if right { content.get(..numbers) } else { None }
    }
}

fn close_all(message: &Incoming) {
    if let Some([descriptor]) = message.content(libc::SCM_RIGHTS, 1) {
        raw::plain(libc::SYS_close, [*descriptor as usize, 0, 0, 0]);
    }
}

/// Takes the descriptor that was handed over; for agents.
pub(crate) fn take_over(socket: RawFd) -> Raw {
    let mut message = Incoming::default();
    let result = message.receive(socket);
    match message.content(libc::SCM_RIGHTS, 1) {
        _ if result < 0 => result,
        Some([descriptor]) => *descriptor as Raw,
        // There was no room for it among the descriptors.
        _ if message.is_cut => -(libc::EMFILE as Raw),
        _ => -(libc::EBADF as Raw),
    }
}

/// Sends a message whose sender the kernel notes; for agents.
pub(crate) fn say(socket: RawFd) -> Raw {
    raw::write(socket as Raw, &[0]).min(0)
}

/// Receives such a message, and the number and the user of its sender as the caller sees them (unix(7), `SCM_CREDENTIALS`);
/// for agents.
pub(crate) fn hear(socket: RawFd) -> Result<(i32, u32), Raw> {
    let mut message = Incoming::default();
    let result = message.receive(socket);
    match message.content(libc::SCM_CREDENTIALS, 3) {
        _ if result < 0 => Err(result),
        Some([pid, uid, _]) => Ok((*pid, *uid as u32)),
        _ => Err(-(libc::EBADF as Raw)),
    }
}
