//! The flags, exit signals and numbers of random clones, and what else is a set of flags.

use super::bytes::Bytes;
use super::signals;
use super::theme::Theme;
use crate::{CloneFlags, ExitSignal, WaitOptions};

/// Three flags that only work together.
pub(super) const THREAD: CloneFlags =
    CloneFlags::CLONE_THREAD.union(CloneFlags::CLONE_SIGHAND).union(CloneFlags::CLONE_VM);

/// Flags that say what is shared, some of them wrong together.
const ABOUT_MEMORY: [CloneFlags; 11] = [
    CloneFlags::CLONE_SIGHAND.union(CloneFlags::CLONE_VM),
    CloneFlags::CLONE_SIGHAND.union(CloneFlags::CLONE_VM),
    CloneFlags::CLONE_SIGHAND.union(CloneFlags::CLONE_VM).union(CloneFlags::CLONE_NEWPID),
    CloneFlags::CLONE_SIGHAND.union(CloneFlags::CLONE_VM).union(CloneFlags::CLONE_NEWPID),
    CloneFlags::CLONE_VM.union(CloneFlags::CLONE_VFORK).union(CloneFlags::CLONE_NEWPID),
    CloneFlags::CLONE_VM.union(CloneFlags::CLONE_VFORK).union(CloneFlags::CLONE_SIGHAND),
    CloneFlags::CLONE_THREAD,
    CloneFlags::CLONE_SIGHAND,
    CloneFlags::CLONE_VM.union(CloneFlags::CLONE_FS),
    CloneFlags::CLONE_FS,
    THREAD.union(CloneFlags::CLONE_NEWPID),
];

/// Flags for who becomes powerful in a small place, some of them wrong together.
const NEW_USER: [CloneFlags; 8] = [
    CloneFlags::CLONE_NEWUSER,
    CloneFlags::CLONE_NEWUSER.union(CloneFlags::CLONE_NEWPID),
    CloneFlags::CLONE_NEWUSER.union(CloneFlags::CLONE_NEWPID),
    CloneFlags::CLONE_NEWUSER.union(CloneFlags::CLONE_NEWPID),
    CloneFlags::CLONE_NEWUSER.union(CloneFlags::CLONE_PARENT),
    CloneFlags::CLONE_NEWUSER.union(CloneFlags::CLONE_FS),
    CloneFlags::CLONE_NEWUSER.union(CloneFlags::CLONE_VM),
    CloneFlags::CLONE_NEWUSER.union(THREAD),
];

/// Flags that are wrong in more than one way for somebody without rights, or whose children are born elsewhere.
const WRONG_TWICE: [CloneFlags; 4] = [
    THREAD.union(CloneFlags::CLONE_NEWPID),
    CloneFlags::CLONE_THREAD.union(CloneFlags::CLONE_NEWPID),
    CloneFlags::CLONE_NEWUSER.union(CloneFlags::CLONE_FS).union(CloneFlags::CLONE_NEWPID),
    CloneFlags::CLONE_PARENT.union(CloneFlags::CLONE_NEWPID),
];

/// Flags by kind, each kind with its weight.
#[derive(Clone, Copy)]
enum Kind {
    Child,
    Init,
    Thread,
    Sibling,
    SiblingInit,
    Memory,
    NewUser,
    WrongTwice,
}

/// The flags of a clone. An init, as host is, can have no siblings: seldom.
pub(super) fn flags(theme: Theme, is_host: bool, bytes: &mut Bytes<'_>) -> CloneFlags {
    use Kind::{Child, Init, Memory, NewUser, Sibling, SiblingInit, Thread, WrongTwice};
    let sibling = if is_host { 0 } else { 2 };
    let kinds: &[(Kind, u32)] = match theme {
        Theme::Threads => &[(Thread, 16), (Child, 8), (Init, 4), (Sibling, 2), (Memory, 2), (SiblingInit, 1)],
        Theme::Endings => &[(Thread, 8), (Child, 10), (Init, 8), (Sibling, 3), (SiblingInit, 1)],
        Theme::Deaths => &[(Child, 14), (Thread, 8), (Init, 5), (Sibling, 3), (NewUser, 1)],
        Theme::Tracers => &[(Child, 12), (Init, 8), (Thread, 2), (Sibling, 2), (NewUser, 1)],
        Theme::Users => &[(NewUser, 8), (Child, 8), (Init, 8), (WrongTwice, 4), (Thread, 2), (Sibling, 2)],
        Theme::Outside => &[(Child, 8), (Init, 9), (Sibling, 9), (SiblingInit, 3), (Thread, 2)],
        Theme::Stops => &[(Child, 10), (Init, 4), (Thread, 5), (Memory, 1)],
        Theme::Depth => &[(Init, 16), (Child, 8), (Thread, 5), (Sibling, 1), (Memory, 1)],
        Theme::Limits => &[(Init, 12), (Child, 8), (Thread, 6), (NewUser, 4), (Sibling, 1)],
        Theme::Everything | Theme::Numbers | Theme::Mixed => &[
            (Child, 4),
            (Init, 8),
            (Thread, 8),
            (Sibling, sibling),
            (SiblingInit, sibling),
            (Memory, 3),
            (NewUser, 2),
            (WrongTwice, 1),
        ],
    };
    match bytes.weighted(kinds).unwrap_or(Child) {
        Child => CloneFlags::empty(),
        Init => CloneFlags::CLONE_NEWPID,
        Thread => THREAD,
        Sibling => CloneFlags::CLONE_PARENT,
        SiblingInit => CloneFlags::CLONE_PARENT | CloneFlags::CLONE_NEWPID,
        Memory => bytes.one_of(&ABOUT_MEMORY),
        NewUser => bytes.one_of(&NEW_USER),
        WrongTwice => bytes.one_of(&WRONG_TWICE),
    }
}

/// What the parent gets when the child ends.
pub(super) fn exit_signal(flags: CloneFlags, bytes: &mut Bytes<'_>) -> ExitSignal {
    match bytes.next() {
        // A thread has none: one that is asked for is a mistake.
        byte if flags.contains(THREAD) && byte < 250 => ExitSignal::Default,
        0..=31 => ExitSignal::None,
        32..=95 => ExitSignal::Signal(signals::of_an_end(bytes)),
        _ => ExitSignal::Default,
    }
}

/// The numbers asked for.
pub(super) fn set_tid(theme: Theme, bytes: &mut Bytes<'_>) -> Vec<i32> {
    let often = matches!(theme, Theme::Numbers | Theme::Deaths | Theme::Threads);
    let kind = bytes.next();
    let number = |byte: u8| i32::from(byte / 8);
    match kind % if often { 16 } else { 32 } {
        0 | 1 => vec![number(bytes.next())],
        2 => vec![1],
        3 => vec![1, number(bytes.next())],
        4 => {
            let inner = number(bytes.next());
            vec![inner, inner + 1]
        }
        5 if theme == Theme::Numbers => vec![number(bytes.next()), 0],
        6 if theme == Theme::Numbers => vec![i32::from(bytes.next()), 301],
        7 if theme == Theme::Numbers && kind >= 200 => vec![1; 33],
        _ => Vec::new(),
    }
}

/// The options of a wait, beside what is waited for. Who must not sleep does not.
pub(super) fn wait_options(awake: bool, bytes: &mut Bytes<'_>) -> WaitOptions {
    const ALL: [WaitOptions; 8] = [
        WaitOptions::WNOHANG,
        WaitOptions::empty(),
        WaitOptions::WNOHANG.union(WaitOptions::__WALL),
        WaitOptions::empty(),
        WaitOptions::WNOHANG.union(WaitOptions::WSTOPPED).union(WaitOptions::__WNOTHREAD),
        WaitOptions::WNOHANG.union(WaitOptions::WCONTINUED),
        WaitOptions::WNOHANG.union(WaitOptions::__WCLONE),
        WaitOptions::__WALL,
    ];
    let mut options = bytes.one_of(&ALL);
    if awake && !bytes.once_in(8) {
        options |= WaitOptions::WNOHANG;
    }
    options
}

/// What waitid(2) is asked for. Nothing at all is a mistake that it refuses.
pub(super) fn asked_of_waitid(bytes: &mut Bytes<'_>) -> WaitOptions {
    let exited = WaitOptions::WEXITED;
    match bytes.next() {
        0..=63 => exited | WaitOptions::WNOWAIT,
        64..=127 => WaitOptions::WSTOPPED | WaitOptions::WCONTINUED,
        128..=191 => exited | WaitOptions::WSTOPPED,
        192..=247 => exited,
        248.. => WaitOptions::empty(),
    }
}

/// What may be asked for beside: that nobody has to wait, that handlers are forgotten, and that the new TID is written somewhere.
pub(super) fn and_more(bytes: &mut Bytes<'_>) -> CloneFlags {
    const SETTID: CloneFlags = CloneFlags::CLONE_PARENT_SETTID.union(CloneFlags::CLONE_CHILD_SETTID);
    match bytes.next() {
        0..=199 => CloneFlags::empty(),
        200..=223 => CloneFlags::CLONE_CLEAR_SIGHAND,
        224..=231 => SETTID,
        232..=233 => CloneFlags::CLONE_AUTOREAP,
        234 => CloneFlags::CLONE_PIDFD_AUTOKILL,
        235 => CloneFlags::CLONE_AUTOREAP | CloneFlags::CLONE_PIDFD_AUTOKILL,
        236..=251 => SETTID.union(CloneFlags::CLONE_CHILD_CLEARTID),
        252.. => SETTID.union(CloneFlags::CLONE_CHILD_CLEARTID).union(CloneFlags::CLONE_CLEAR_SIGHAND),
    }
}
