//! From what came of a command back to an outcome.

use std::sync::atomic::Ordering;

use pidlab_scenario::syscall::Syscall;
use pidlab_scenario::{ChildStatus, Errno, Outcome, Role, WaitOptions, WaitStatus};

use crate::look;
use crate::status::{child_status, handled, wait_status};
use crate::sys::arena::Slot;

/// What a call that returned gave. `child_of` finds the child that a wait's number means, one that it released or another.
///
/// # Errors
/// An answer that this runner cannot read.
pub(crate) fn outcome(
    syscall: &Syscall,
    slot: &Slot,
    child_of: impl Fn(i64, bool) -> Option<Role>,
) -> Result<Outcome, String> {
    let result = slot.result.load(Ordering::Acquire);
    let value = slot.value.load(Ordering::Relaxed);
    if result < 0 {
        let number = i32::try_from(-result).map_err(|_| format!("the call returned {result}"))?;
        let errno = Errno::new(number).ok_or_else(|| format!("the call failed with errno {number}"))?;
        return Ok(Outcome::Err(errno));
    }
    let status = match syscall {
        Syscall::RtSigpending | Syscall::PidfdPoll(_) | Syscall::Look(_) => {
            return look::outcome(syscall, result, slot);
        }
        Syscall::RtSigtimedwait { .. } | Syscall::SignalfdRead { .. } => {
            let taken = handled(result, value as i32, slot.code.load(Ordering::Relaxed), value >> 32);
            return taken.map(Outcome::Taken).ok_or_else(|| format!("a signal was taken that is none: {result}"));
        }
        Syscall::Sysctl { write: None, .. } => return Ok(Outcome::Ok(value)),
        Syscall::Waitid { .. } if result > 0 => {
            child_status(slot.code.load(Ordering::Relaxed), value).and_then(ChildStatus::waited)
        }
        Syscall::Wait4 { .. } if result > 0 => wait_status(value as i32),
        _ => return Ok(Outcome::Ok(result)),
    };
    let keeps = matches!(syscall, Syscall::Waitid { options, .. } if options.contains(WaitOptions::WNOWAIT));
    let released = !keeps && matches!(status, Some(WaitStatus::Exited(_) | WaitStatus::Killed(_)));
    let child = child_of(result, released).ok_or_else(|| format!("a wait returned {result}, which is no process"))?;
    let status = status.ok_or_else(|| format!("a wait returned the status {value}"))?;
    Ok(Outcome::Waited { number: result, child, status })
}
