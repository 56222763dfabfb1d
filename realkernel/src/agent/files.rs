//! Files that an agent opens, uses and closes in one command.

use std::sync::atomic::Ordering;

use crate::sys::arena::{Slot, TEXT};
use crate::sys::raw::{self, Raw};

/// The path that the slot holds.
pub(super) fn path_of(slot: &Slot) -> [u8; TEXT] {
    let mut path = [0; TEXT];
    for (byte, wanted) in path.iter_mut().zip(&slot.text) {
        *byte = wanted.load(Ordering::Relaxed);
    }
    path
}

/// Opens the file that the slot names and uses it.
pub(super) fn opened(slot: &Slot, flags: i32, using: impl FnOnce(Raw) -> Raw) -> Raw {
    opened_with(raw::open(&path_of(slot), flags | libc::O_CLOEXEC), using)
}

/// Uses a descriptor that was just opened, if it was, and closes it again: the table of files is shared.
pub(super) fn opened_with(fd: Raw, using: impl FnOnce(Raw) -> Raw) -> Raw {
    if fd < 0 {
        return fd;
    }
    let result = using(fd);
    raw::plain(libc::SYS_close, [fd as usize, 0, 0, 0]);
    result
}

/// Reads a number, as the slot's value.
pub(super) fn read_number(slot: &Slot, fd: Raw) -> Raw {
    let mut text = [0; TEXT];
    let length = raw::read(fd, &mut text);
    let mut value: i64 = 0;
    let mut negative = false;
    for byte in text.iter().take(length.max(0) as usize) {
        match byte {
            b'-' => negative = true,
            b'0'..=b'9' => value = value.wrapping_mul(10).wrapping_add(i64::from(*byte - b'0')),
            _ => break,
        }
    }
    slot.value.store(if negative { -value } else { value }, Ordering::Relaxed);
    length.min(0)
}

/// Writes a number.
pub(super) fn write_number(number: i64, fd: Raw) -> Raw {
    let mut text = [0; TEXT];
    let mut at = TEXT;
    let mut rest = number.unsigned_abs();
    loop {
        at -= 1;
        text[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if number < 0 {
        at -= 1;
        text[at] = b'-';
    }
    raw::write(fd, &text[at..]).min(0)
}
