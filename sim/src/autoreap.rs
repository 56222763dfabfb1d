//! Children that are reaped by their own end.
//!
//! In the kernel: kernel/fork.c:copy_process, `autoreap` of `struct signal_struct`.

use pidlab_scenario::{CloneFlags, Fact, Signal};

use crate::objects::ids::TaskId;
use crate::objects::signal_struct::SignalFlags;
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
    let elsewhere = flags.intersects(CloneFlags::CLONE_THREAD | CloneFlags::CLONE_PARENT);
    let of_its_own = flags.contains(CloneFlags::CLONE_PARENT) && w.process(caller).has(SignalFlags::AUTOREAP);
    (of_its_own || wanted && (elsewhere || exit_signal.is_some())).then_some(&rule::CLONE_AUTOREAP_ARGS)
}
