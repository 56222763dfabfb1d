//! Joining a namespace that is there.
//!
//! ```text
//!   a file in /proc/PID/ns     is of one namespace; the type that is told must be its, or 0
//!   a pidfd                    is of a process; the types that are told say which of its namespaces
//! ```
//!
//! What is joined is prepared first, user namespace before PID namespace, and takes effect at the end, or not at all.
//!
//! In the kernel: kernel/nsproxy.c:setns; kernel/pid_namespace.c:pidns_install; kernel/user_namespace.c:userns_install.

use pidlab_scenario::{Capability, Errno, Fact, Keeper, NamespaceTypes, NsLink};

use crate::alloc::put_pid_ns;
use crate::capable::{cap_capable, join_user_ns, ns_capable, ptrace_may_access};
use crate::cred::commit_creds;
use crate::nsproxy::switch_task_namespaces;
use crate::objects::cred::Cred;
use crate::objects::ids::{NsId, TaskId, UserNsId};
use crate::objects::ns_file::NsFile;
use crate::objects::task::ExitState;
use crate::pid::is_within;
use crate::world::World;
use crate::{Misconception, misconceived, rule};

/// What a setns(2) is going to change (`struct nsset`).
struct Nsset {
    /// Who the caller will be.
    cred: Cred,
    /// Where its children will be born; `None`: where they are now.
    pid_ns: Option<NsId>,
}

impl Nsset {
    /// Nothing yet.
    fn prepare(w: &World, caller: TaskId) -> Nsset {
        Nsset { cred: w.cred(caller), pid_ns: None }
    }

    /// kernel/nsproxy.c:commit_nsset
    fn commit(self, w: &mut World, caller: TaskId) {
        let before = w.cred(caller);
        if self.cred.user_ns != before.user_ns {
            w.because(&rule::SETNS_USER, caller);
            if commit_creds(w, caller, self.cred) {
                w.because(&rule::SETNS_USER_STRANGER, caller);
            }
        }
        if let Some(ns) = self.pid_ns {
            w.because(&rule::SETNS_CHILDREN_ONLY, caller);
            switch_task_namespaces(w, caller, ns);
            if w.believes(Misconception::SetnsMovesTheCaller) {
                misconceived::places::enter(w, caller, ns);
            }
        }
    }
}

/// setns(2) with an open namespace file.
///
/// # Errors
/// `EINVAL`: another type is told; and as [`pidns_install`] and [`userns_install`].
///
/// # References
/// kernel/nsproxy.c:setns
pub(crate) fn setns_file(w: &mut World, caller: TaskId, file: NsFile, nstype: NamespaceTypes) -> Result<(), Errno> {
    if !nstype.is_empty() && nstype != file.nstype() {
        w.because(&rule::SETNS_NSTYPE, caller);
        return Err(Errno::EINVAL);
    }
    if nstype.is_empty() {
        w.because(&rule::SETNS_NSTYPE_ZERO, caller);
    }
    let mut set = Nsset::prepare(w, caller);
    match file {
        NsFile::Pid(ns) => pidns_install(w, caller, &mut set, ns)?,
        NsFile::User(ns) => userns_install(w, caller, &mut set, ns)?,
    }
    set.commit(w, caller);
    Ok(())
}

/// Prepares to join a PID namespace.
///
/// # Errors
/// `EPERM`: no capabilities in the user namespace that owns `ns`, or in that which the caller will be in; `EINVAL`: `ns` is neither the
/// caller's own namespace nor a descendant of it.
///
/// # References
/// kernel/pid_namespace.c:pidns_install
fn pidns_install(w: &mut World, caller: TaskId, set: &mut Nsset, ns: NsId) -> Result<(), Errno> {
    let own = w.active_ns(caller);
    let within = is_within(w, ns, own);
    let admin = Some(Capability::SysAdmin);
    if !ns_capable(w, caller, w.ns(ns).user_ns, admin) || !ns_capable(w, caller, set.cred.user_ns, admin) {
        w.because(&rule::SETNS_PERM, caller);
        if !within {
            w.because(&rule::SETNS_CAP_BEFORE_RELATION, caller);
        }
        return Err(Errno::EPERM);
    }
    if !within {
        w.because(&rule::SETNS_DESCENDANT_ONLY, caller);
        // Where it would be born nobody has thought of: its children go where they went before.
        return if w.believes(Misconception::MembersCanLeave) { Ok(()) } else { Err(Errno::EINVAL) };
    }
    if !w.ns(ns).adding {
        w.because(&rule::SETNS_DEAD_NS, caller);
        w.because(&rule::NS_LIFETIME, caller);
        w.because(&rule::ZAP_NO_NEW_PIDS, caller);
        if w.believes(Misconception::DeadNamespaceIsClosed) {
            return Err(Errno::EINVAL);
        }
    } else if ns == own {
        w.because(&rule::SETNS_JUDGED_BY_ACTIVE, caller);
    }
    set.pid_ns = Some(ns);
    Ok(())
}

/// Prepares to join a user namespace.
///
/// # Errors
/// `EINVAL`: it is the caller's own, or the caller has other threads, or shares filesystem information; `EPERM`: no capabilities there.
///
/// # References
/// kernel/user_namespace.c:userns_install
fn userns_install(w: &mut World, caller: TaskId, set: &mut Nsset, ns: UserNsId) -> Result<(), Errno> {
    let own = w.cred(caller);
    if ns == own.user_ns {
        w.because(&rule::SETNS_USER_OWN, caller);
        return Err(Errno::EINVAL);
    }
    if !w.thread_group_empty(caller) {
        w.because(&rule::SETNS_USER_SINGLE_THREAD, caller);
        return Err(Errno::EINVAL);
    }
    if shares_fs_with(w, caller, Sharer::Task) {
        w.because(&rule::SETNS_USER_FS, caller);
        return Err(Errno::EINVAL);
    }
    if !cap_capable(w, own, ns, Some(Capability::SysAdmin)) {
        w.because(&rule::SETNS_USER_PERM, caller);
        return Err(Errno::EPERM);
    }
    set.cred = join_user_ns(own, ns);
    Ok(())
}

/// Who else shares filesystem information.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sharer {
    /// Any other task.
    Task,
    /// A task of another process.
    Process,
}

/// Whether filesystem information is shared (`fs->users`). Who has begun to exit has given it up.
pub(crate) fn shares_fs_with(w: &World, task: TaskId, whom: Sharer) -> bool {
    let Some(fs) = w.task(task).fs else { return false };
    let counts = |other: TaskId| other != task && (whom == Sharer::Task || !w.same_thread_group(task, other));
    w.tasks().any(|other| counts(other) && w.task(other).fs == Some(fs) && w.task(other).is_alive())
}

/// setns(2) to a PID namespace, as with a file of it.
///
/// # Errors
/// As [`pidns_install`].
pub(crate) fn setns_pid_ns(w: &mut World, caller: TaskId, ns: NsId) -> Result<(), Errno> {
    setns_file(w, caller, NsFile::Pid(ns), NamespaceTypes::CLONE_NEWPID)
}

/// The links below `/proc/PID/ns` are not for everybody.
///
/// # Errors
/// `EACCES`.
///
/// # References
/// fs/proc/namespaces.c:proc_ns_get_link
pub(crate) fn may_follow_link(w: &mut World, caller: TaskId, of: TaskId) -> Result<(), Errno> {
    if ptrace_may_access(w, caller, of) {
        return Ok(());
    }
    w.because(&rule::PROC_NS_LINK, of);
    Err(Errno::EACCES)
}

/// Who is not reaped has a directory in procfs.
///
/// # Errors
/// `ENOENT`.
pub(crate) fn in_procfs(w: &mut World, caller: TaskId, of: Option<TaskId>) -> Result<TaskId, Errno> {
    of.filter(|of| w.task(*of).exit_state != ExitState::Vacant).ok_or_else(|| {
        w.because(&rule::SETNS_REAPED_PATH, caller);
        Errno::ENOENT
    })
}

/// Opens `/proc/PID/ns/pid` of `of`, which works for zombies too; `None`: it is reaped.
///
/// # Errors
/// `ENOENT`: `of` is reaped; `EACCES`: the caller may not look into it.
///
/// # References
/// fs/proc/namespaces.c; kernel/pid_namespace.c:pidns_get
pub(crate) fn open_pid(w: &mut World, caller: TaskId, of: Option<TaskId>) -> Result<NsFile, Errno> {
    let of = in_procfs(w, caller, of)?;
    may_follow_link(w, caller, of)?;
    if w.task(of).exit_state == ExitState::Zombie {
        w.because(&rule::SETNS_ZOMBIE_INIT_PATH, of);
        if w.is_unkillable(of) {
            w.because(&rule::ZAP_ZOMBIE_INIT_NS, of);
        }
    }
    Ok(NsFile::Pid(w.active_ns(of)))
}

/// The same with `/proc/PID/ns/user`.
///
/// # Errors
/// As [`open_pid`].
///
/// # References
/// fs/proc/namespaces.c; kernel/user_namespace.c:userns_get
pub(crate) fn open_user(w: &mut World, caller: TaskId, of: Option<TaskId>) -> Result<NsFile, Errno> {
    let of = in_procfs(w, caller, of)?;
    may_follow_link(w, caller, of)?;
    Ok(NsFile::User(w.cred(of).user_ns))
}

/// The same with `/proc/PID/ns/pid_for_children`.
///
/// # Errors
/// `ENOENT`: `of` has ended, or nobody has been born yet where its children will be; `EACCES`: the caller may not look into it.
///
/// # References
/// kernel/pid_namespace.c:pidns_for_children_get
pub(crate) fn open_for_children(w: &mut World, caller: TaskId, of: Option<TaskId>) -> Result<NsFile, Errno> {
    if let Some(of) = of {
        may_follow_link(w, caller, of)?;
    }
    let plan = of.and_then(|of| w.task(of).pid_ns_for_children);
    let unborn = plan.is_some_and(|plan| w.ns(plan).is_unborn());
    let shown = plan.filter(|_| !unborn || w.holds(Fact::PidForChildrenBeforeInit));
    let Some(plan) = shown else {
        w.because(if unborn { &rule::PFC_NO_INIT_YET } else { &rule::PFC_READLINK }, of.unwrap_or(caller));
        return Err(Errno::ENOENT);
    };
    if unborn {
        w.because(&rule::PFC_BEFORE_INIT, caller);
    }
    Ok(NsFile::Pid(plan))
}

/// What `PIDFD_GET_PID_FOR_CHILDREN_NAMESPACE` of a pidfd of `of` gives.
///
/// # Errors
/// `ENOTTY`: the kernel has no such call; `ESRCH`: `of` has ended; `EACCES`: the caller may not look into it.
///
/// # References
/// fs/pidfs.c:pidfd_ioctl
pub(crate) fn pidfd_for_children(w: &mut World, caller: TaskId, of: Option<TaskId>) -> Result<NsFile, Errno> {
    if !w.holds(Fact::PidfdNamespaces) {
        w.because(&rule::PFC_PIDFD_NONE, of.unwrap_or(caller));
        return Err(Errno::ENOTTY);
    }
    let of = of.ok_or(Errno::ESRCH)?;
    let Some(plan) = w.task(of).pid_ns_for_children else {
        let access_first = w.holds(Fact::PidfdAccessFirst);
        w.because(if access_first { &rule::PFC_PIDFD_ACCESS_FIRST } else { &rule::PFC_PIDFD_ENDED_FIRST }, of);
        if access_first {
            may_follow_link(w, caller, of)?;
        }
        return Err(Errno::ESRCH);
    };
    w.because(&rule::PFC_PIDFD_BYPASS, of);
    may_follow_link(w, caller, of)?;
    Ok(NsFile::Pid(plan))
}

/// setns(2) with `/proc/PID/ns/uts` of `to`, told that it is of another kind.
///
/// # References
/// kernel/nsproxy.c:setns
pub(crate) fn setns_other_kind(w: &mut World, caller: TaskId, to: Option<TaskId>) -> Errno {
    w.because(&rule::SETNS_NSTYPE, caller);
    let Some(to) = to else { return Errno::ENOENT };
    match may_follow_link(w, caller, to) {
        Err(errno) => errno,
        Ok(()) if w.task(to).pid_ns_for_children.is_none() => Errno::ENOENT,
        Ok(()) => Errno::EINVAL,
    }
}

/// setns(2) with a pidfd of `to`: its own namespaces of these types, and only while it lives.
///
/// # Errors
/// `EINVAL`: no type, or one that is none; `ESRCH`: `to` has ended; `EPERM`: the caller may not look into it; and as
/// [`pidns_install`] and [`userns_install`].
///
/// # References
/// kernel/nsproxy.c:check_setns_flags, validate_nsset
pub(crate) fn setns_pidfd(
    w: &mut World,
    caller: TaskId,
    to: Option<TaskId>,
    nstype: NamespaceTypes,
) -> Result<(), Errno> {
    let (user, pid) = (NamespaceTypes::CLONE_NEWUSER, NamespaceTypes::CLONE_NEWPID);
    if nstype.is_empty() || !(user | pid).contains(nstype) {
        w.because(&rule::SETNS_PIDFD_TYPES, caller);
        return Err(Errno::EINVAL);
    }
    if let Some(to) = to
        && !ptrace_may_access(w, caller, to)
    {
        w.because(&rule::SETNS_PIDFD_PERM, to);
        return Err(Errno::EPERM);
    }
    let lives = to.and_then(|to| Some((to, w.task(to).pid_ns_for_children?)));
    let Some((to, plan)) = lives else {
        w.because(&rule::SETNS_PIDFD_ERRORS, caller);
        return Err(Errno::ESRCH);
    };
    if nstype.contains(user | pid) {
        w.because(&rule::SETNS_BOTH, caller);
    }
    let mut set = Nsset::prepare(w, caller);
    if nstype.contains(user) {
        userns_install(w, caller, &mut set, w.cred(to).user_ns)?;
    }
    if nstype.contains(pid) {
        let ns = w.active_ns(to);
        if plan != ns {
            w.because(&rule::SETNS_PIDFD_USES_ACTIVE, to);
        }
        pidns_install(w, caller, &mut set, ns)?;
    }
    set.commit(w, caller);
    Ok(())
}

/// Opens a file that leads to a namespace of `of`, and keeps it open in place of what was kept so before.
///
/// # Errors
/// `EPERM`: the caller may make no mount; and as the opening of the file.
///
/// # References
/// fs/nsfs.c:ns_get_path; fs/namespace.c:open_tree
pub(crate) fn open_ns(
    w: &mut World,
    caller: TaskId,
    of: Option<TaskId>,
    link: NsLink,
    keep: Keeper,
) -> Result<NsFile, Errno> {
    if keep == Keeper::Mount && !w.can_mount(caller) {
        w.because(&rule::NS_KEPT_BY_MOUNT, caller);
        return Err(Errno::EPERM);
    }
    let file = match link {
        NsLink::Pid => open_pid(w, caller, of)?,
        NsLink::PidForChildren => open_for_children(w, caller, of)?,
        NsLink::PidfdForChildren => pidfd_for_children(w, caller, of)?,
        NsLink::User => open_user(w, caller, of)?,
    };
    if keep == Keeper::Mount {
        w.because(&rule::NS_KEPT_BY_MOUNT, caller);
    }
    Ok(file)
}

/// Keeps a namespace open.
pub(crate) fn keep(w: &mut World, number: u16, file: NsFile) {
    if let NsFile::Pid(ns) = file {
        w.ns_mut(ns).count += 1;
    }
    if let Some(before) = w.kept.insert(number, file) {
        put_ns(w, before);
    }
}

/// Keeps a namespace open no longer.
///
/// # Errors
/// `EBADF`: none was.
///
/// # References
/// fs/nsfs.c:nsfs_evict
pub(crate) fn close_ns(w: &mut World, caller: TaskId, number: u16) -> Result<(), Errno> {
    let file = w.kept.remove(&number).ok_or(Errno::EBADF)?;
    if let NsFile::Pid(ns) = file
        && w.ns(ns).count == 1
    {
        w.because(&rule::NS_KEPT_LAST, caller);
    }
    put_ns(w, file);
    Ok(())
}

fn put_ns(w: &mut World, file: NsFile) {
    if let NsFile::Pid(ns) = file {
        put_pid_ns(w, ns);
    }
}

/// setns(2) to a namespace that is kept open.
///
/// # Errors
/// `EBADF`: none is; and as [`setns_file`].
pub(crate) fn setns_kept(w: &mut World, caller: TaskId, number: u16, nstype: NamespaceTypes) -> Result<(), Errno> {
    let file = *w.kept.get(&number).ok_or(Errno::EBADF)?;
    setns_file(w, caller, file, nstype)?;
    w.because(&rule::NS_KEPT_OPEN, caller);
    if let NsFile::Pid(ns) = file
        && w.ns(ns).is_unborn()
    {
        w.because(&rule::NS_KEPT_UNBORN, caller);
    }
    Ok(())
}
