//! What happens to a task whose credentials change.
//!
//! Whoever becomes another user, or can do more than before, is kept from those who had power over it until now: its parent-death signal is
//! forgotten, and its memory is closed.
//!
//! ```text
//!   capset    less than before                         nothing
//!   unshare   all, in a user namespace of one's own    nothing
//!   setns     all, in another user's user namespace    forgotten and closed
//!   setuid    another user                             forgotten and closed
//!   exec      root has again what it had given up      forgotten and closed
//! ```
//!
//! In the kernel: kernel/cred.c.

use crate::mm::close_memory;
use crate::objects::cred::Cred;
use crate::objects::ids::{TaskId, UserNsId};
use crate::world::World;

/// Gives a task new credentials. Answers whether they were a gain, or another user's.
///
/// # References
/// kernel/cred.c:commit_creds
pub(crate) fn commit_creds(w: &mut World, task: TaskId, new: Cred) -> bool {
    let old = w.cred(task);
    let cred = w.cred_id(new);
    w.task_mut(task).cred = cred;
    let is_safe = old.uid == new.uid && cred_cap_issubset(w, old, new);
    if !is_safe {
        w.task_mut(task).pdeath_signal = None;
        close_memory(w, w.task(task).signal);
    }
    !is_safe
}

/// Whether what the new credentials allow was allowed by the old ones.
///
/// # References
/// kernel/cred.c:cred_cap_issubset
fn cred_cap_issubset(w: &World, old: Cred, new: Cred) -> bool {
    if old.user_ns == new.user_ns {
        return !new.capable || (old.capable && old.dropped.is_subset(new.dropped));
    }
    let mut at = new.user_ns;
    while at != UserNsId::OUTERMOST {
        let namespace = &w.user_namespaces[at.0 as usize];
        let Some(parent) = namespace.parent else { return false };
        if parent == old.user_ns && namespace.owner == old.uid {
            return true;
        }
        at = parent;
    }
    false
}
