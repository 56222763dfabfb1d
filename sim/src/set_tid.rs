//! Numbers that the caller of clone3(2) has chosen (`set_tid`).
//!
//! In the kernel: kernel/pid.c:alloc_pid.

use pidlab_scenario::{Errno, Fact};

use crate::capable::checkpoint_restore_ns_capable;
use crate::objects::ids::{NsId, PidId, TaskId};
use crate::objects::pid_namespace::RESERVED_PIDS;
use crate::world::World;
use crate::{Misconception, rule};

/// A number that the caller has chosen: it does not move the cursor.
#[cold]
pub(crate) fn take_chosen(w: &mut World, ns: NsId, asked: i32, pid: PidId, caller: TaskId) -> Result<u32, Errno> {
    if !w.holds(Fact::SetTidCheckedFirst) {
        is_in_range(w, ns, asked)?;
    }
    first_is_1(w, ns, asked)?;
    if !w.holds(Fact::SetTidCheckedFirst) {
        may_choose(w, ns, caller)?;
    }
    let number = u32::try_from(asked).expect("it is in the range of the level");
    let restart = restart(w);
    let namespace = w.ns_mut(ns);
    if !namespace.idr.is_free(number) {
        w.because_of_newborn(&rule::SETTID_EEXIST);
        return Err(Errno::EEXIST);
    }
    let floor = if namespace.cursor > RESERVED_PIDS { restart } else { 1 };
    let exhausted = namespace.idr.first_free(floor, namespace.pid_max - 1).is_none();
    namespace.idr.insert(number, pid);
    namespace.pid_allocated += 1;
    if exhausted {
        w.because_of_newborn(&rule::SETTID_BYPASSES_EXHAUSTION);
    }
    w.because_of_newborn(&rule::SETTID_CURSOR_UNMOVED);
    Ok(number)
}

/// Also where numbers are chosen, the first of a namespace is 1.
fn first_is_1(w: &mut World, ns: NsId, asked: i32) -> Result<(), Errno> {
    if asked == 1 || !w.ns(ns).is_unborn() {
        return Ok(());
    }
    w.because_of_newborn(&rule::SETTID_INIT_MUST_BE_1);
    Err(Errno::EINVAL)
}

/// Newer kernels look at every chosen number before they take the first.
#[cold]
pub(crate) fn check_all(w: &mut World, ns: NsId, set_tid: &[i32], caller: TaskId) -> Result<(), Errno> {
    let mut at = Some(ns);
    for asked in set_tid {
        let current = at.expect("there are as many levels as numbers");
        // Linux 7.1 let a namespace be seen before its init, and moved the second to where the number is taken; 7.0 is between the two.
        let moved = w.holds(Fact::PidForChildrenBeforeInit);
        let checked = is_in_range(w, current, *asked)
            .and_then(|()| if moved { Ok(()) } else { first_is_1(w, current, *asked) })
            .and_then(|()| may_choose(w, current, caller));
        if let Err(errno) = checked {
            if set_tid.len() > 1 {
                w.because_of_newborn(&rule::SETTID_CHECKED_FIRST);
            }
            if !w.ns(ns).adding {
                w.because_of_newborn(&rule::ALLOC_ENOMEM_AFTER_EAGAIN);
            }
            return Err(errno);
        }
        at = w.ns(current).parent;
    }
    Ok(())
}

fn is_in_range(w: &mut World, ns: NsId, asked: i32) -> Result<(), Errno> {
    if u32::try_from(asked).is_ok_and(|number| (1..w.ns(ns).pid_max).contains(&number)) {
        return Ok(());
    }
    w.because_of_newborn(&rule::SETTID_RANGE);
    Err(Errno::EINVAL)
}

fn may_choose(w: &mut World, ns: NsId, caller: TaskId) -> Result<(), Errno> {
    if checkpoint_restore_ns_capable(w, caller, w.ns(ns).user_ns) {
        return Ok(());
    }
    w.because_of_newborn(&rule::SETTID_PERM);
    Err(Errno::EPERM)
}

/// From where a cursor that has reached the end goes on.
#[inline]
pub(crate) fn restart(w: &World) -> u32 {
    if w.believes(Misconception::NumbersRestartAtTwo) { 2 } else { RESERVED_PIDS }
}
