//! Becoming another user.
//!
//! In the kernel: kernel/sys.c:__sys_setuid, kernel/capability.c:capset.

use pidlab_scenario::{Capability, Errno, Fact};

use crate::cred::commit_creds;
use crate::objects::cred::{CapSet, Cred};
use crate::objects::ids::{TaskId, UserNsId};
use crate::rule;
use crate::world::World;

/// setuid(2), of the calling thread alone, as the system call is (nptl(7) says what the C library makes of it).
///
/// # Errors
/// `EINVAL`: the user namespace has no such user; `EPERM`: the caller is somebody else and may not change that.
///
/// # References
/// kernel/sys.c:__sys_setuid
pub(crate) fn sys_setuid(w: &mut World, caller: TaskId, uid: u32) -> Result<(), Errno> {
    let own = w.cred(caller);
    if own.user_ns != UserNsId::OUTERMOST || (uid != 0 && !w.holds(Fact::AnotherUser)) {
        w.because(&rule::USER_SETUID_UNMAPPED, caller);
        return Err(Errno::EINVAL);
    }
    w.because(&rule::USER_SETUID, caller);
    if uid == own.uid {
        return Ok(());
    }
    if !own.capable {
        return Err(Errno::EPERM);
    }
    if w.task(caller).pdeath_signal.is_some() {
        w.because(&rule::PDEATH_LIFETIME, caller);
    }
    commit_creds(w, caller, Cred { uid, capable: uid == 0, dropped: CapSet::EMPTY, ..own });
    Ok(())
}

/// capset(2), of the calling thread alone: one capability less. Who has none has nothing to give up.
///
/// # References
/// kernel/capability.c:capset
pub(crate) fn drop_capability(w: &mut World, caller: TaskId, capability: Capability) {
    w.because(&rule::USER_DROP_CAPABILITY, caller);
    let own = w.cred(caller);
    if own.capable {
        commit_creds(w, caller, Cred { dropped: own.dropped.with(capability), ..own });
    }
}
