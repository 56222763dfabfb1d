//! reboot(2) in a PID namespace: its init is killed, and the caller exits.
//!
//! In the kernel: kernel/pid_namespace.c:reboot_pid_ns; kernel/reboot.c.

use pidlab_scenario::{Errno, RebootHow, Signal};

use crate::capable::ns_capable;
use crate::objects::ids::TaskId;
use crate::objects::sigpending::To;
use crate::signal::info::Info;
use crate::signal::send::send_signal;
use crate::world::World;
use crate::{Misconception, rule};

/// Kills the init of the caller's namespace. The caller has to exit afterwards, with 0.
///
/// # Errors
/// `EPERM`: the caller has no capabilities in the user namespace that owns its PID namespace.
///
/// # References
/// kernel/pid_namespace.c:reboot_pid_ns
pub(crate) fn reboot_pid_ns(w: &mut World, caller: TaskId, how: RebootHow) -> Result<(), Errno> {
    let ns = w.active_ns(caller);
    if !ns_capable(w, caller, w.ns(ns).user_ns, None) || w.believes(Misconception::RebootIsRefused) {
        w.because(&rule::REBOOT_PERMISSION, caller);
        return Err(Errno::EPERM);
    }
    w.ns_mut(ns).reboot = Some(match how {
        RebootHow::Restart => Signal::HUP,
        RebootHow::Halt | RebootHow::PowerOff => Signal::INT,
    });
    w.because(&rule::REBOOT_SCOPE, caller);
    w.because(&rule::REBOOT_CALLER, caller);
    if let Some(init) = w.ns(ns).reaper() {
        send_signal(w, Signal::KILL, &mut Info::Priv, init, To::Process);
    }
    Ok(())
}
