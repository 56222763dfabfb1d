//! Children that are reaped by their own end, and those that are killed when their pidfd is closed.
//!
//! In the kernel: kernel/fork.c:copy_process, `autoreap` of `struct signal_struct`; fs/pidfs.c:pidfs_file_release.

use pidlab_scenario::{Capability, CloneFlags, Fact, Signal};

use crate::capable::ns_capable;
use crate::objects::ids::TaskId;
use crate::objects::signal_struct::SignalFlags;
use crate::objects::sigpending::To;
use crate::signal::info::Info;
use crate::signal::send::send_signal;
use crate::world::World;
use crate::{Rule, rule};

/// Why a clone is refused for what it says of reaping, or for what its caller was made with.
///
/// # References
/// kernel/fork.c:clone3_args_valid, copy_process
pub(crate) fn refused(
    w: &World,
    caller: TaskId,
    flags: CloneFlags,
    exit_signal: Option<Signal>,
) -> Option<&'static Rule> {
    let wanted = flags.contains(CloneFlags::CLONE_AUTOREAP);
    if wanted && !w.holds(Fact::CloneAutoreap) {
        return Some(&rule::CLONE_AUTOREAP_UNKNOWN);
    }
    if flags.contains(CloneFlags::CLONE_PIDFD_AUTOKILL) {
        if !w.holds(Fact::PidfdAutokill) {
            return Some(&rule::CLONE_AUTOKILL_UNKNOWN);
        }
        if !wanted {
            return Some(&rule::CLONE_AUTOKILL_ARGS);
        }
    }
    let elsewhere = flags.intersects(CloneFlags::CLONE_THREAD | CloneFlags::CLONE_PARENT);
    let of_its_own = flags.contains(CloneFlags::CLONE_PARENT) && w.process(caller).has(SignalFlags::AUTOREAP);
    (of_its_own || wanted && (elsewhere || exit_signal.is_some())).then_some(&rule::CLONE_AUTOREAP_ARGS)
}

/// Whether a clone is refused because its caller may not have a child killed by a close.
///
/// # References
/// kernel/fork.c:copy_process
pub(crate) fn lacks_right(w: &World, caller: TaskId, flags: CloneFlags) -> bool {
    flags.contains(CloneFlags::CLONE_PIDFD_AUTOKILL)
        && !ns_capable(w, caller, w.cred(caller).user_ns, Some(Capability::SysAdmin))
}

/// The last close of the pidfd that a process was born with.
///
/// # References
/// fs/pidfs.c:pidfs_file_release
pub(crate) fn pidfd_release(w: &mut World, of: TaskId) {
    let process = w.task(of).signal;
    if !w.sig(process).has(SignalFlags::AUTOKILL) {
        return;
    }
    w.sig_mut(process).flags.remove(SignalFlags::AUTOKILL);
    w.because(&rule::CLONE_AUTOKILL, of);
    send_signal(w, Signal::KILL, &mut Info::Priv, of, To::Process);
}
