//! The operations by which an agent looks at others. It only fetches: the conductor reads what came.

use std::sync::atomic::Ordering;

use super::{opened_with, path_of};
use crate::sys::arena::{self, Slot};
use crate::sys::looking;
use crate::sys::raw::{self, Raw};
use crate::sys::sockets;

/// What to look with. The arguments stand behind the kind, from the second on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(i64)]
pub(crate) enum Sight {
    /// The pending signals; a bit each, as the value.
    Pending = 1,
    /// socket, number: what poll(2) reports of a pidfd, as the value.
    Poll,
    /// The file that the text names, in a procfs of the agent's own: its length; its bytes are in the view.
    File,
    /// The root of such a procfs, as getdents64(2) gives it: as `File`.
    Listing,
    /// socket, number: the fdinfo of a pidfd, in such a procfs; as `File`.
    Fdinfo,
    /// socket, number there, number here: as values, what the two ioctls give.
    Translation,
    /// socket: sends a message.
    Say,
    /// socket: receives it; as values, number and user of its sender.
    Hear,
}

const SIGHTS: [Sight; 8] = [
    Sight::Pending,
    Sight::Poll,
    Sight::File,
    Sight::Listing,
    Sight::Fdinfo,
    Sight::Translation,
    Sight::Say,
    Sight::Hear,
];

pub(super) fn perform(slot: &Slot) -> Raw {
    let [kind, a, b, c] = [0, 1, 2, 3].map(|index| slot.arguments[index].load(Ordering::Relaxed));
    let Some(sight) = SIGHTS.iter().find(|sight| **sight as i64 == kind) else { return -(libc::ENOSYS as Raw) };
    let [first, second, third] = [a as i32, b as i32, c as i32];
    match sight {
        Sight::Pending => {
            let (result, set) = looking::pending_signals();
            slot.value.store(set as i64, Ordering::Relaxed);
            result
        }
        Sight::Poll => opened_with(pidfd(first, second), |pidfd| {
            let (result, events) = looking::poll_now(pidfd);
            slot.value.store(i64::from(events), Ordering::Relaxed);
            result.min(0)
        }),
        Sight::File => opened_with(looking::procfs(), |proc| file(proc, &path_of(slot))),
        Sight::Listing => opened_with(looking::procfs(), |proc| {
            // The root of the mount cannot be read through a descriptor that only names it (open(2), `O_PATH`).
            opened_with(looking::open_at(proc, b".\0"), |root| all_of(|rest| looking::list(root, rest)))
        }),
        Sight::Fdinfo => opened_with(pidfd(first, second), |pidfd| {
            opened_with(looking::procfs(), |proc| file(proc, &fdinfo_path(pidfd)))
        }),
        Sight::Translation => opened_with(received(first), |namespace| {
            slot.value.store(looking::number_from(namespace, second) as i64, Ordering::Relaxed);
            slot.code.store(looking::number_in(namespace, third) as i32, Ordering::Relaxed);
            0
        }),
        Sight::Say => sockets::say(first),
        Sight::Hear => match sockets::hear(first) {
            Ok((pid, uid)) => {
                slot.value.store(pid.into(), Ordering::Relaxed);
                slot.code.store(uid as i32, Ordering::Relaxed);
                0
            }
            Err(refused) => refused,
        },
    }
}

/// The pidfd that was handed over, or one of the process with this number.
fn pidfd(socket: i32, number: i32) -> Raw {
    if socket < 0 { raw::plain(libc::SYS_pidfd_open, [number as usize, 0, 0, 0]) } else { sockets::take_over(socket) }
}

/// The descriptor that was handed over. None is where nothing was left to open.
fn received(socket: i32) -> Raw {
    if socket < 0 { -(libc::ESRCH as Raw) } else { sockets::take_over(socket) }
}

/// Reads a file into the view.
fn file(folder: Raw, path: &[u8]) -> Raw {
    opened_with(looking::open_at(folder, path), |file| all_of(|rest| looking::read(file, rest)))
}

/// Fetches until nothing more comes, and says how much came. More than the view holds is an error of the call itself.
fn all_of(fetch: impl Fn(&[std::sync::atomic::AtomicU8]) -> Raw) -> Raw {
    let view = arena::view();
    let mut length = 0;
    loop {
        let Some(rest) = view.get(length..).filter(|rest| !rest.is_empty()) else { return -(libc::E2BIG as Raw) };
        match fetch(rest) {
            0 => return length as Raw,
            got if got < 0 => return got,
            got => length += got as usize,
        }
    }
}

/// `thread-self/fdinfo/N`. Not `self`: that is the leader, whose files are gone when it ends before its threads.
fn fdinfo_path(descriptor: Raw) -> [u8; 32] {
    const FOLDER: &[u8] = b"thread-self/fdinfo/";
    let mut path = [0; 32];
    let mut digits = 1;
    while digits < 10 && descriptor as u64 >= 10u64.pow(digits) {
        digits += 1;
    }
    let (folder, rest) = path.split_at_mut(FOLDER.len());
    folder.copy_from_slice(FOLDER);
    for (place, byte) in rest.iter_mut().take(digits as usize).enumerate() {
        *byte = b'0' + (descriptor as u64 / 10u64.pow(digits - 1 - place as u32) % 10) as u8;
    }
    path
}
