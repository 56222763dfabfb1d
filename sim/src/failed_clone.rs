//! A clone that fails at its very end, with numbers given out.
//!
//! In the kernel: kernel/fork.c:copy_process, the labels at its end; kernel/pid.c:free_pid.

use pidlab_scenario::Errno;

use crate::alloc::{alloc_pid, free_pid};
use crate::mqueue::mqueue_flush_files;
use crate::objects::ids::TaskId;
use crate::rule;
use crate::world::World;

/// clone(2) that fails at its very end, with numbers given out at every level: there is nowhere to write its pidfd. Whatever makes a
/// fork fail earlier does so here, too.
///
/// # References
/// kernel/fork.c:copy_process, bad_fork_cleanup_files; kernel/pid.c:free_pid
pub(crate) fn failed_clone3(w: &mut World, caller: TaskId) -> Errno {
    // Descriptors are copied before numbers are taken, and nobody is to share them.
    mqueue_flush_files(w, caller, &rule::MQ_FAILED_FORK_CLOSES);
    let ns = w.task(caller).pid_ns_for_children.expect("who can act has a plan for its children");
    let fresh = w.ns(ns).is_unborn();
    let pid = match alloc_pid(w, ns, &[], caller) {
        Ok(pid) => pid,
        Err(errno) => return errno,
    };
    w.because(&rule::ALLOC_POST_ALLOC_FAILURE_BURNS, caller);
    free_pid(w, pid);
    if fresh {
        let spoilt = !w.ns(ns).adding;
        let rule = if spoilt {
            &rule::ALLOC_POST_ALLOC_FAILURE_KILLS_FRESH_NS
        } else {
            &rule::ALLOC_POST_ALLOC_FAILURE_TRIED_AGAIN
        };
        w.because(rule, caller);
    }
    Errno::EFAULT
}
