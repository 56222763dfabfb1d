//! Which signals random scenarios send, handle, ignore and block: every one of the 64, the interesting ones more often.

use super::bytes::Bytes;
use crate::{Signal, SignalAction};

/// What most rules are about.
const COMMON: [Signal; 12] = [
    Signal::KILL,
    Signal::TERM,
    Signal::TERM,
    Signal::STOP,
    Signal::CONT,
    Signal::CONT,
    Signal::CHLD,
    Signal::USR1,
    Signal::USR1,
    Signal::HUP,
    Signal::TSTP,
    Signal::KILL,
];

/// Signals that stop and continue.
const JOB_CONTROL: [Signal; 8] =
    [Signal::STOP, Signal::CONT, Signal::TSTP, Signal::CONT, Signal::TTIN, Signal::CONT, Signal::TTOU, Signal::CONT];

/// Signals that are unlike all others: by what they do if nothing is said about them, by when they are taken, by how they queue.
const PECULIAR: [Option<Signal>; 12] = [
    Some(Signal::ABRT),
    Some(Signal::SEGV),
    Some(Signal::PIPE),
    Some(Signal::TTIN),
    Some(Signal::TTOU),
    Some(Signal::URG),
    Some(Signal::WINCH),
    Signal::new(3),
    Signal::new(5),
    Signal::new(34),
    Signal::new(34),
    Signal::new(40),
];

/// What a process handles, ignores or blocks.
const CAUGHT: [Signal; 9] = [
    Signal::CHLD,
    Signal::CHLD,
    Signal::TERM,
    Signal::USR1,
    Signal::CONT,
    Signal::HUP,
    Signal::TSTP,
    Signal::KILL,
    Signal::SEGV,
];

/// What processes do with signals: a handler is what makes a blocked call fail, so it is more frequent.
const ACTIONS: [(SignalAction, u32); 5] = [
    (SignalAction::Handle, 8),
    (SignalAction::HandleRestart, 4),
    (SignalAction::Ignore, 5),
    (SignalAction::Default, 4),
    (SignalAction::NoCldWait, 4),
];

/// A signal to send.
pub(super) fn sent(bytes: &mut Bytes<'_>) -> Signal {
    from(bytes, &COMMON)
}

/// A signal that comes of an end: each of the 64 is as good as another for half of them.
pub(super) fn of_an_end(bytes: &mut Bytes<'_>) -> Signal {
    if bytes.once_in(2) { any(bytes.next()) } else { sent(bytes) }
}

/// A signal to send where stopping and going on matters.
pub(super) fn job_control(bytes: &mut Bytes<'_>) -> Signal {
    from(bytes, &JOB_CONTROL)
}

/// A signal to handle, ignore or block.
pub(super) fn caught(bytes: &mut Bytes<'_>) -> Signal {
    from(bytes, &CAUGHT)
}

/// What to do with it.
pub(super) fn action(bytes: &mut Bytes<'_>) -> SignalAction {
    bytes.weighted(&ACTIONS).unwrap_or(SignalAction::Handle)
}

/// One of a list for nearly half of the bytes, a peculiar one for a fifth, any of the 64 for the rest.
fn from(bytes: &mut Bytes<'_>, usual: &[Signal]) -> Signal {
    let byte = bytes.next();
    let chosen = match byte {
        0..=111 => Some(usual[usize::from(byte) % usual.len()]),
        112..=159 => PECULIAR[usize::from(byte) % PECULIAR.len()],
        // Those below 33 twice as often as the real-time ones, which are all alike.
        160.. => Some(any(byte - 160)),
    };
    chosen.unwrap_or(Signal::TERM)
}

fn any(byte: u8) -> Signal {
    Signal::new(i64::from(byte % 64) + 1).unwrap_or(Signal::TERM)
}
