//! The operations by which an agent looks at others. It only fetches: the conductor reads what came.

use std::sync::atomic::Ordering;

use super::files::{opened_with, path_of};
use super::numbered::numbered;
use super::pidfd;
use crate::sys::arena::{self, Slot};
use crate::sys::looking;
use crate::sys::raw::{self, Raw};
use crate::sys::sockets;

numbered! {
    /// What to look with. The arguments stand behind the kind, from the second on.
    Sight {
        /// The pending signals; a bit each, as the value.
        Pending,
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
        /// Makes a socket of its own and keeps it open: its descriptor, as the value.
        Offer,
        /// socket: takes the socket that another has offered; as values, number and user of its maker.
        Peer,
        /// socket: takes it too; as the value, its owner.
        Owner,
        /// socket, number: as values, what a pidfd says: pid and tgid in one, ppid, and which parts it gave.
        PidfdInfo,
        /// socket, number: as values, which parts of it a pidfd gave, and the status in them.
        PidfdExit,
        /// socket, number: signal 0 through a pidfd.
        PidfdSignal,
        /// socket: takes a namespace, and asks for the one around it.
        Parent,
        /// socket: takes a namespace; the root of a procfs of it, as `Listing`, and as the value where its link `self` leads.
        TheirListing,
        /// Where the links `self` and `thread-self` of such a procfs lead, as values.
        OwnLinks,
        /// The file that the text names, wherever it is: as `File`.
        Path,
        /// role: as values, the two words that its clone was given.
        TidWords,
        /// socket: takes a namespace, and asks for the one around it: 1 if that is the agent's own PID namespace.
        ParentFile,
        /// socket: takes a namespace, and asks for its owner: 1 if that is the agent's own user namespace.
        OwnerFile,
        /// socket: takes a user namespace, and asks for its parent: 1 if that is the agent's own.
        UserParentFile,
        /// The file that the text names and the agent's own PID namespace: 1 if they are the same.
        SameFile,
    }
}

pub(super) fn perform(slot: &Slot) -> Raw {
    let [kind, a, b, c] = [0, 1, 2, 3].map(|index| slot.arguments[index].load(Ordering::Relaxed));
    let Some(sight) = u32::try_from(kind).ok().and_then(Sight::of) else { return -(libc::ENOSYS as Raw) };
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
        Sight::Listing => opened_with(looking::procfs(), listing),
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
        Sight::Offer => {
            let socket = looking::own_socket();
            slot.value.store(socket as i64, Ordering::Relaxed);
            socket.min(0)
        }
        Sight::Peer => opened_with(received(first), |socket| {
            let (result, maker) = looking::maker_of(socket);
            slot.value.store(maker.pid.into(), Ordering::Relaxed);
            slot.code.store(maker.uid as i32, Ordering::Relaxed);
            result
        }),
        Sight::Owner => opened_with(received(first), |socket| {
            let owner = looking::owner_of(socket);
            slot.value.store(owner as i64, Ordering::Relaxed);
            owner.min(0)
        }),
        Sight::PidfdInfo => opened_with(pidfd(first, second), |pidfd| {
            let (result, [pid, tgid, ppid, mask]) = looking::pidfd_info(pidfd);
            slot.value.store(i64::from(pid) | i64::from(tgid) << 32, Ordering::Relaxed);
            slot.code.store(ppid as i32, Ordering::Relaxed);
            slot.more.store(mask as i32, Ordering::Relaxed);
            result
        }),
        Sight::PidfdExit => opened_with(pidfd(first, second), |pidfd| {
            let (result, given, status) = looking::pidfd_exit(pidfd);
            slot.value.store(given as i64, Ordering::Relaxed);
            slot.code.store(status, Ordering::Relaxed);
            result
        }),
        Sight::PidfdSignal => {
            let pidfd = pidfd(first, second);
            opened_with(pidfd, |pidfd| raw::plain(libc::SYS_pidfd_send_signal, [pidfd as usize, 0, 0, 0]))
        }
        Sight::Parent => opened_with(received(first), |namespace| opened_with(looking::parent_of(namespace), |_| 0)),
        Sight::ParentFile => is_own(first, looking::parent_of, OWN_PID_NS),
        Sight::OwnerFile => is_own(first, looking::owner_ns_of, OWN_USER_NS),
        Sight::UserParentFile => is_own(first, looking::parent_of, OWN_USER_NS),
        Sight::TheirListing => opened_with(received(first), |namespace| {
            opened_with(looking::procfs_of(Some(namespace)), |proc| {
                let myself = looking::myself_in(proc);
                slot.value.store(myself as i64, Ordering::Relaxed);
                if myself < 0 { myself } else { listing(proc) }
            })
        }),
        Sight::OwnLinks => opened_with(looking::procfs(), |proc| {
            let (myself, thread) = (looking::myself_in(proc), looking::thread_self_in(proc));
            slot.value.store(myself as i64, Ordering::Relaxed);
            slot.code.store(thread as i32, Ordering::Relaxed);
            myself.min(thread).min(0)
        }),
        Sight::TidWords => {
            let Some(other) = usize::try_from(first).ok().filter(|role| *role < arena::SLOTS).map(arena::slot) else {
                return -(libc::EINVAL as Raw);
            };
            let [parents, childs] = [0, 1].map(|word| other.tid_words[word].load(Ordering::Acquire));
            slot.value.store(parents.into(), Ordering::Relaxed);
            slot.code.store(childs, Ordering::Relaxed);
            0
        }
        Sight::Path => opened_with(raw::open(&path_of(slot), libc::O_RDONLY | libc::O_CLOEXEC), |file| {
            all_of(|rest| looking::read(file, rest))
        }),
        Sight::SameFile => opened_with(raw::open(&path_of(slot), libc::O_RDONLY | libc::O_CLOEXEC), |theirs| {
            same_as(theirs, OWN_PID_NS)
        }),
    }
}

/// The root of a mount cannot be read through a descriptor that only names it (open(2), `O_PATH`).
fn listing(proc: Raw) -> Raw {
    opened_with(looking::open_at(proc, b".\0"), |root| all_of(|rest| looking::list(root, rest)))
}

const OWN_PID_NS: &[u8] = b"/proc/thread-self/ns/pid\0";
const OWN_USER_NS: &[u8] = b"/proc/thread-self/ns/user\0";

/// Whether a descriptor is of the same file as a path: 1 if so.
fn same_as(theirs: Raw, path: &[u8]) -> Raw {
    opened_with(raw::open(path, libc::O_RDONLY | libc::O_CLOEXEC), |own| looking::same_file(theirs, own))
}

/// Whether what a namespace that is handed over gives when it is asked is one of the agent's own: 1 if so.
fn is_own(socket: i32, asked: fn(Raw) -> Raw, own: &[u8]) -> Raw {
    opened_with(received(socket), |namespace| opened_with(asked(namespace), |given| same_as(given, own)))
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
