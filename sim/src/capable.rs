//! Who may do what: capabilities, looking into others, signalling them, and how many namespaces one may have.
//!
//! ```text
//!   user namespace 0     root: every capability here and below
//!        └── 1           its maker: every capability here and below, from outside too
//! ```
//!
//! Power over a PID namespace is power in the user namespace that owns it, which is the one that its maker was in.
//!
//! In the kernel: security/commoncap.c, kernel/ptrace.c, kernel/signal.c:check_kill_permission, kernel/ucount.c.

use pidlab_scenario::{Capability, CloneFlags, Errno, Fact, Signal};

use crate::objects::cred::{Cap, CapSet, Cred, Kuid, Ucount, UserNamespace};
use crate::objects::ids::{NsId, TaskId, UserNsId};
use crate::objects::task::TaskFlags;
use crate::rule;
use crate::world::World;

/// Whether somebody has a capability in a user namespace: those of its own it has itself, and the user who made a user namespace has
/// all in it and below.
///
/// # References
/// user_namespaces(7), Capabilities; security/commoncap.c:cap_capable
pub(crate) fn cap_capable(w: &World, who: Cred, over: UserNsId, capability: Cap) -> bool {
    let mut at = over;
    loop {
        if at == who.user_ns {
            return who.has(capability);
        }
        let namespace = &w.user_namespaces[at.0 as usize];
        let Some(parent) = namespace.parent else { return false };
        if parent == who.user_ns && namespace.owner == who.uid {
            return true;
        }
        at = parent;
    }
}

/// Whether a task has a capability in a user namespace.
#[inline]
pub(crate) fn ns_capable(w: &World, task: TaskId, over: UserNsId, capability: Cap) -> bool {
    cap_capable(w, w.cred(task), over, capability)
}

/// Whether a task may choose numbers where a user namespace has the say: either of two capabilities will do.
///
/// # References
/// include/linux/capability.h:checkpoint_restore_ns_capable
pub(crate) fn checkpoint_restore_ns_capable(w: &mut World, task: TaskId, over: UserNsId) -> bool {
    let either = [Capability::CheckpointRestore, Capability::SysAdmin].map(|one| ns_capable(w, task, over, Some(one)));
    if either[0] != either[1] {
        w.because(&rule::USER_CHECKPOINT_OR_ADMIN, task);
    }
    either[0] || either[1]
}

/// Whether a user namespace is another one or below it.
pub(crate) fn is_user_ns_within(w: &World, inner: UserNsId, outer: UserNsId) -> bool {
    std::iter::successors(Some(inner), |at| w.user_namespaces[at.0 as usize].parent).any(|at| at == outer)
}

/// The credentials of a child, or of an unsharer: the caller's own, or with `CLONE_NEWUSER` those in a new user namespace.
///
/// # Errors
/// `EPERM`: the caller's user has no number in its own user namespace.
///
/// # References
/// clone(2), ERRORS; kernel/user_namespace.c:create_user_ns
pub(crate) fn copy_creds(w: &mut World, caller: TaskId, flags: CloneFlags) -> Result<Cred, Errno> {
    let own = w.cred(caller);
    if !flags.contains(CloneFlags::CLONE_NEWUSER) {
        return Ok(own);
    }
    if own.user_ns != UserNsId::OUTERMOST {
        w.because(&rule::USER_NESTED_UNMAPPED, caller);
        return Err(Errno::EPERM);
    }
    w.because(&rule::USER_NEWUSER, caller);
    let made = UserNsId(u32::try_from(w.user_namespaces.len()).expect("each is made by a call"));
    w.user_namespaces.push(UserNamespace::new(Some(own.user_ns), own.uid));
    Ok(join_user_ns(own, made))
}

/// Who has these credentials once it has joined a user namespace: the same user, with every capability there.
///
/// # References
/// kernel/user_namespace.c:set_cred_user_ns
pub(crate) fn join_user_ns(own: Cred, ns: UserNsId) -> Cred {
    Cred { uid: own.uid, user_ns: ns, capable: true, dropped: CapSet::EMPTY }
}

/// Takes a user namespace back that [`copy_creds`] has made for a call that failed.
pub(crate) fn put_creds(w: &mut World, caller: TaskId, made: Cred) {
    if made.user_ns != w.cred(caller).user_ns {
        w.user_namespaces.truncate(made.user_ns.0 as usize);
    }
}

/// Whether a PID namespace may be made in `parent` by who has these credentials.
///
/// # Errors
/// `EINVAL`: the new owner would not be the owner of the parent namespace, nor below that.
///
/// # References
/// kernel/pid_namespace.c:create_pid_namespace
pub(crate) fn may_own_below(w: &mut World, caller: TaskId, maker: Cred, parent: NsId) -> Result<(), Errno> {
    let outer = w.ns(parent).user_ns;
    if !is_user_ns_within(w, maker.user_ns, outer) {
        w.because(&rule::OWNER_NESTING, caller);
        return Err(Errno::EINVAL);
    }
    if maker.user_ns != outer {
        w.because(&rule::OWNER_CHILD_USERNS_CALLER, caller);
    }
    Ok(())
}

/// Whether a task may look into another process: what opens the namespace links of procfs, and the namespaces behind a pidfd.
///
/// # References
/// ptrace(2), Ptrace access mode checking; kernel/ptrace.c:__ptrace_may_access; security/commoncap.c:cap_ptrace_access_check
pub(crate) fn ptrace_may_access(w: &mut World, caller: TaskId, at: TaskId) -> bool {
    let (who, whom) = (w.cred(caller), w.cred(at));
    // The memory of who has ended is gone, and who had the say over it is not known: only the machine's root is asked for.
    let is_beyond = w.task(at).has(TaskFlags::CLOSED) && !w.holds(Fact::MachineRoot);
    if (who == Cred::ROOT && !is_beyond) || w.same_thread_group(caller, at) {
        return true;
    }
    let has_power = cap_capable(w, who, whom.user_ns, None);
    if who.uid != whom.uid && !has_power {
        return false;
    }
    // What root has left in memory is not for everybody with the new user.
    if is_closed(w, at) && (is_beyond || !cap_capable(w, who, UserNsId::OUTERMOST, None)) {
        return false;
    }
    has_power || (who.user_ns == whom.user_ns && (who.capable || !whom.capable))
}

/// Whether only those with power over everybody may look into a task: its memory is not to be dumped, or was not when it gave it up.
fn is_closed(w: &mut World, at: TaskId) -> bool {
    if w.task(at).is_alive() {
        return w.process(at).mm.is_some_and(|mm| w.undumpable.contains(&mm));
    }
    if !w.task(at).has(TaskFlags::CLOSED) {
        return false;
    }
    let closed = w.holds(Fact::ClosedAfterDeath);
    w.because(if closed { &rule::PROC_CLOSED_AFTER_DEATH } else { &rule::PROC_OPEN_AFTER_DEATH }, at);
    closed
}

/// Whether a task may send this signal to another.
///
/// # References
/// kill(2), DESCRIPTION; kernel/signal.c:check_kill_permission
pub(crate) fn check_kill_permission(w: &mut World, sender: TaskId, to: TaskId, signal: Option<Signal>) -> bool {
    if kill_ok_by_cred(w, sender, to) {
        return true;
    }
    if signal == Some(Signal::CONT) && w.process(sender).session == w.process(to).session {
        w.because(&rule::SIG_PERM_CONT, to);
        return true;
    }
    w.because(&rule::SIG_PERM, to);
    false
}

/// Whether who they are lets a task signal another.
///
/// # References
/// kernel/signal.c:kill_ok_by_cred
#[inline]
pub(crate) fn kill_ok_by_cred(w: &World, sender: TaskId, to: TaskId) -> bool {
    let who = w.cred(sender);
    if who == Cred::ROOT || w.same_thread_group(sender, to) {
        return true;
    }
    let whom = w.cred(to);
    who.uid == whom.uid || cap_capable(w, who, whom.user_ns, Some(Capability::Kill))
}

/// Whether one more PID namespace stays within the limits.
///
/// # Errors
/// `ENOSPC`: it does not.
///
/// # References
/// kernel/ucount.c:inc_ucount
pub(crate) fn check_ucounts(w: &mut World, caller: TaskId, maker: Cred) -> Result<(), Errno> {
    if is_limit_open(w, caller) {
        w.because(&rule::LIMIT_UCOUNT_RELEASE, caller);
    }
    let full = |(max, count): (u32, Ucount)| count.live + if w.gone_count { count.gone } else { 0 } >= max;
    if charged(w, maker.user_ns, maker.uid).map(|at| ucount(w, at)).any(full) {
        w.because(&rule::LIMIT_UCOUNT, caller);
        return Err(Errno::ENOSPC);
    }
    Ok(())
}

/// Whether it depends on how soon Linux forgets a PID namespace that is gone, if the caller may make one more.
pub(crate) fn is_limit_open(w: &World, caller: TaskId) -> bool {
    let Cred { user_ns, uid, .. } = w.cred(caller);
    let open = |(max, count): (u32, Ucount)| count.live < max && count.live + count.gone >= max;
    charged(w, user_ns, uid).map(|at| ucount(w, at)).any(open)
}

/// Where a user's PID namespace counts: for itself, and for whoever made its user namespace, and so on. What counts in the outermost
/// user namespace is the machine's, and is left out.
fn charged(w: &World, user_ns: UserNsId, uid: Kuid) -> impl Iterator<Item = (UserNsId, Kuid)> + '_ {
    let of = |id: UserNsId| &w.user_namespaces[id.0 as usize];
    std::iter::successors(Some((user_ns, uid)), move |at| Some((of(at.0).parent?, of(at.0).owner)))
        .filter(move |at| of(at.0).parent.is_some())
}

fn ucount(w: &World, (user_ns, uid): (UserNsId, Kuid)) -> (u32, Ucount) {
    let namespace = &w.user_namespaces[user_ns.0 as usize];
    (namespace.max_pid_namespaces, namespace.ucounts.get(&uid).copied().unwrap_or_default())
}

fn change_ucounts(w: &mut World, user_ns: UserNsId, uid: Kuid, change: impl Fn(&mut Ucount)) {
    if user_ns == UserNsId::OUTERMOST {
        return;
    }
    for (user_ns, uid) in charged(w, user_ns, uid).collect::<Vec<_>>() {
        change(w.user_namespaces[user_ns.0 as usize].ucounts.entry(uid).or_default());
    }
}

/// A PID namespace was made.
pub(crate) fn inc_pid_namespaces(w: &mut World, user_ns: UserNsId, uid: Kuid) {
    change_ucounts(w, user_ns, uid, |count| count.live += 1);
}

/// A PID namespace is gone.
pub(crate) fn dec_pid_namespaces(w: &mut World, user_ns: UserNsId, uid: Kuid) {
    change_ucounts(w, user_ns, uid, |count| {
        count.live -= 1;
        count.gone += 1;
    });
}

/// Forgets the PID namespaces that are gone: a call that failed may have made and lost one.
pub(crate) fn forget_gone(w: &mut World) {
    for namespace in &mut w.user_namespaces {
        namespace.ucounts.retain(|_, count| {
            count.gone = 0;
            count.live > 0
        });
    }
}
