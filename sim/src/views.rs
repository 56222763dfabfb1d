//! What one task sees of another: through procfs, a pidfd, the translation of numbers, or a message.
//!
//! Everywhere the same question: which numbers has it where the observer stands?

use pidlab_scenario::{Capability, Errno, Fact, PollEvent, Seen, WaitStatus};

use crate::capable::{check_kill_permission, is_user_ns_within, ns_capable};
use crate::objects::ids::{NsId, TaskId, UserNsId};
use crate::objects::pid::Nr;
use crate::objects::task::ExitState;
use crate::pid::{find_task_by_pid_ns, is_within, task_tgid_nr_ns};
use crate::rule;
use crate::setns::may_follow_link;
use crate::world::World;

/// What a message shows as the user of a sender that has no number in the receiver's user namespace (proc_sys_kernel(5), overflowuid).
const OVERFLOW_USER: u32 = 65534;

/// Which parts of its answer `PIDFD_GET_INFO` fills in of who has not been waited for: `PIDFD_INFO_PID` and `PIDFD_INFO_CREDS`, also where
/// nobody asked for them. Of who has been, `PIDFD_INFO_EXIT`.
const OF_THE_LIVING: u32 = 0b0011;
const OF_THE_REAPED: u32 = 0b1000;

/// What is not visible is shown as 0.
fn bare(number: Option<Nr>) -> u32 {
    number.map_or(0, Nr::get)
}

/// # Looking at others
///
/// Who is looked at is an `Option` where it may be gone: a [`TaskId`] of one that is released counts as `None`.
///
/// ```
/// use pidlab_scenario::Seen;
/// use pidlab_sim::World;
///
/// let mut world = World::new();
/// let host = world.host();
/// world.fork(host)?;
/// assert_eq!(world.look_at_listing(host), Seen::Listing(vec![1, 2]));
/// # Ok::<(), pidlab_scenario::Errno>(())
/// ```
impl World {
    /// poll(2) of a pidfd of a process or thread; `None` for one that is reaped.
    ///
    /// # References
    /// pidfd_open(2), DESCRIPTION; fs/pidfs.c:pidfd_poll
    #[track_caller]
    pub fn pidfd_poll(&mut self, caller: TaskId, of: Option<TaskId>) -> Vec<PollEvent> {
        let is_thread = self.there(of).is_some_and(|of| self.group_leader(of) != of);
        self.poll(caller, of, is_thread)
    }

    /// The same where it is known what the pidfd was opened of, also of one that is gone.
    #[track_caller]
    pub(crate) fn poll(&mut self, caller: TaskId, of: Option<TaskId>, is_thread: bool) -> Vec<PollEvent> {
        self.begin(caller);
        let of = self.there(of);
        let rule = if is_thread { &rule::VIEW_PIDFD_POLL_THREAD } else { &rule::VIEW_PIDFD_POLL };
        self.because(rule, of.unwrap_or(caller));
        match of {
            None if self.holds(Fact::PidfdHangsUp) => {
                self.because(&rule::VIEW_PIDFD_HANGS_UP, caller);
                vec![PollEvent::In, PollEvent::Hup]
            }
            None => {
                self.because(&rule::VIEW_PIDFD_NO_HANGUP, caller);
                vec![PollEvent::In]
            }
            Some(task) if self.is_over(task) => vec![PollEvent::In],
            Some(_) => Vec::new(),
        }
    }

    /// The task that has this number in the caller's namespace; 0 is the caller.
    ///
    /// # Panics
    /// If the task is released.
    #[track_caller]
    pub fn looked_at(&self, caller: TaskId, number: i32) -> Option<TaskId> {
        if number == 0 { Some(caller) } else { find_task_by_pid_ns(self, self.active_ns(self.named(caller)), number) }
    }

    /// Whether a task may mount a file system: all are in the mount namespace that the outermost user namespace owns.
    ///
    /// # Panics
    /// If the task is released.
    #[track_caller]
    pub fn can_mount(&self, task: TaskId) -> bool {
        ns_capable(self, self.named(task), UserNsId::OUTERMOST, Some(Capability::SysAdmin))
    }

    /// `/proc/PID/status` in a procfs that the caller has mounted.
    ///
    /// # Errors
    /// `ENOENT`: it has no number in the caller's namespace.
    ///
    /// # References
    /// proc_pid_status(5); fs/proc/array.c:task_state
    #[track_caller]
    pub fn look_at_status(&mut self, caller: TaskId, at: Option<TaskId>) -> Result<Seen, Errno> {
        self.begin(caller);
        let at = self.there(at);
        let ns = self.active_ns(caller);
        let Some((at, pid)) = at.and_then(|at| Some((at, self.pid_in(at, ns)?))) else {
            self.because(&rule::VIEW_TRANSLATE, caller);
            return Err(Errno::ENOENT);
        };
        self.because(&rule::PROC_STATUS_NS_LINES, at);
        self.because(&rule::PROC_PPID, at);
        let leader = self.group_leader(at);
        if leader != at {
            self.because(&rule::PROC_STATUS_THREAD, at);
        }
        if self.is_zapping(leader) {
            self.because(&rule::ZAP_STUCK_LOOK, at);
        }
        let tracer = self.tracer(at);
        if tracer.is_some() {
            self.because(&rule::PROC_TRACER, at);
        }
        let levels = self.levels_from(ns, self.active_ns(at));
        let each = |number: &dyn Fn(NsId) -> Option<Nr>| levels.iter().map(|ns| bare(number(*ns))).collect::<Vec<_>>();
        Ok(Seen::Status {
            tgid: bare(self.pid_in(leader, ns)),
            pid: pid.get(),
            ppid: bare(self.parent(at).and_then(|parent| self.pid_in(parent, ns))),
            tracer: bare(tracer.and_then(|tracer| self.pid_in(tracer, ns))),
            nstgid: each(&|ns| self.pid_in(leader, ns)),
            nspid: each(&|ns| self.pid_in(at, ns)),
            nspgid: each(&|ns| self.group_in(at, ns)),
            nssid: each(&|ns| self.session_in(at, ns)),
        })
    }

    /// Whether a process is the init of a namespace that it is ending.
    pub(crate) fn is_zapping(&self, task: TaskId) -> bool {
        self.threads_of(self.task(task).signal).any(|thread| self.state(thread) == Some(crate::State::Exiting))
    }

    /// The namespaces from one that is an ancestor of another to that other.
    fn levels_from(&self, outer: NsId, inner: NsId) -> Vec<NsId> {
        let mut levels: Vec<NsId> = std::iter::successors(Some(inner), |ns| self.parent_namespace(*ns)).collect();
        levels.truncate((self.level(inner) - self.level(outer) + 1) as usize);
        levels.reverse();
        levels
    }

    /// The numbers in the listing of a procfs that the caller has mounted: processes, not threads.
    ///
    /// # References
    /// proc_pid(5); fs/proc/base.c:proc_pid_readdir
    #[track_caller]
    pub fn look_at_listing(&mut self, caller: TaskId) -> Seen {
        self.begin(caller);
        self.because(&rule::PROC_LISTING, caller);
        let ns = self.active_ns(caller);
        if self.task(caller).pid_ns_for_children != Some(ns) {
            self.because(&rule::PROC_MOUNT_BINDING, caller);
        }
        Seen::Listing(self.listed(ns))
    }

    /// The numbers that processes, and not threads or mere groups, have in a namespace.
    fn listed(&self, ns: NsId) -> Vec<u32> {
        let listed = |task: TaskId| self.group_leader(task) == task;
        let holders = self.ns(ns).idr.holders(0);
        holders.filter(|(_, pid)| self.pids[*pid].task.is_some_and(listed)).map(|(number, _)| number).collect()
    }

    /// `/proc/PID/task/PID/children` in a procfs that the caller has mounted: what a thread has made or adopted and nobody has waited for.
    /// Whoever sees the parent sees its children.
    ///
    /// # Errors
    /// `ENOENT`: it has no number in the caller's namespace, or the kernel has no such file.
    ///
    /// # References
    /// proc_tid_children(5); fs/proc/array.c:get_children_pid
    #[track_caller]
    pub fn look_at_children(&mut self, caller: TaskId, at: Option<TaskId>) -> Result<Seen, Errno> {
        self.begin(caller);
        let at = self.there(at);
        let ns = self.active_ns(caller);
        let Some(at) = at.filter(|at| self.pid_in(*at, ns).is_some()) else {
            self.because(&rule::VIEW_TRANSLATE, caller);
            return Err(Errno::ENOENT);
        };
        if !self.holds(Fact::ChildrenFile) {
            self.because(&rule::PROC_CHILDREN_ABSENT, at);
            return Err(Errno::ENOENT);
        }
        self.because(&rule::PROC_CHILDREN, at);
        Ok(Seen::Listing(self.children(at).map(|child| bare(self.pid_in(child, ns))).collect()))
    }

    /// The fdinfo of a pidfd, in a procfs that the caller has mounted; `None` for a pidfd of a process that is reaped.
    ///
    /// # References
    /// proc_pid_fdinfo(5); fs/pidfs.c:pidfd_show_fdinfo
    #[track_caller]
    pub fn look_at_fdinfo(&mut self, caller: TaskId, of: Option<TaskId>) -> Seen {
        self.begin(caller);
        let of = self.there(of);
        self.because(&rule::VIEW_PIDFD_FDINFO, of.unwrap_or(caller));
        let ns = self.active_ns(caller);
        let Some(of) = of else { return Seen::Fdinfo { pid: -1, nspid: vec![-1] } };
        let Some(pid) = self.pid_in(of, ns) else { return Seen::Fdinfo { pid: 0, nspid: vec![0] } };
        let levels = self.levels_from(ns, self.active_ns(of));
        let nspid = levels.iter().filter_map(|ns| self.pid_in(of, *ns)).map(|pid| i64::from(pid.get())).collect();
        Seen::Fdinfo { pid: i64::from(pid.get()), nspid }
    }

    /// The translation ioctls on the namespace of a process: its own number there as one of the caller's namespace, and the caller's own
    /// number as one of that namespace.
    ///
    /// # Errors
    /// `ESRCH`: it is reaped, and no file leads to its namespace.
    ///
    /// # References
    /// ioctl_nsfs(2); fs/nsfs.c:ns_ioctl
    #[track_caller]
    pub fn translate(&mut self, caller: TaskId, at: Option<TaskId>) -> Result<Seen, Errno> {
        self.begin(caller);
        let at = self.there(at);
        let at = at.ok_or(Errno::ESRCH)?;
        if !self.holds(Fact::PidTranslation) {
            self.because(&rule::VIEW_NSIO_NONE, at);
            return Ok(Seen::Translated { from: Err(Errno::ENOTTY), into: Err(Errno::ENOTTY) });
        }
        self.because(&rule::VIEW_NSIO_TRANSLATE, at);
        let seen = |task, ns| self.pid_in(task, ns).map(Nr::get).ok_or(Errno::ESRCH);
        Ok(Seen::Translated { from: seen(at, self.active_ns(caller)), into: seen(caller, self.active_ns(at)) })
    }

    /// The credentials of a message that another process has sent.
    ///
    /// # Panics
    /// If the task is released.
    ///
    /// # References
    /// unix(7), SCM_CREDENTIALS; include/net/scm.h:scm_recv
    #[track_caller]
    pub fn look_at_credentials(&mut self, caller: TaskId, sender: TaskId) -> Seen {
        let sender = self.named(sender);
        self.because(&rule::VIEW_SCM_CRED, sender);
        self.credentials_seen(caller, sender)
    }

    /// Number and user of another, as the caller sees them.
    #[track_caller]
    fn credentials_seen(&mut self, caller: TaskId, other: TaskId) -> Seen {
        self.begin(caller);
        let pid = bare(task_tgid_nr_ns(self, other, self.active_ns(caller)));
        let uid = if self.cred(caller).user_ns == UserNsId::OUTERMOST {
            self.user(other)
        } else {
            self.because(&rule::VIEW_SCM_CRED_USER, caller);
            OVERFLOW_USER
        };
        Seen::Credentials { pid, uid }
    }

    /// The credentials of a socket that another process has made.
    ///
    /// # Panics
    /// If the task is released.
    ///
    /// # References
    /// unix(7), SO_PEERCRED; net/core/sock.c:cred_to_ucred
    #[track_caller]
    pub fn look_at_peercred(&mut self, caller: TaskId, maker: TaskId) -> Seen {
        let maker = self.named(maker);
        self.because(&rule::VIEW_PEERCRED, maker);
        self.credentials_seen(caller, maker)
    }

    /// The owner of a file that another process has set to itself.
    ///
    /// # Panics
    /// If the task is released.
    ///
    /// # References
    /// F_GETOWN(2const); fs/fcntl.c:f_getown
    #[track_caller]
    pub fn look_at_owner(&mut self, caller: TaskId, owner: TaskId) -> Seen {
        let owner = self.named(owner);
        self.begin(caller);
        self.because(&rule::VIEW_F_OWNER, owner);
        Seen::Owner { pid: bare(task_tgid_nr_ns(self, owner, self.active_ns(caller))) }
    }

    /// What a pidfd says of its process or thread; `None` for one that is reaped, with whether it had a number in the caller's namespace.
    ///
    /// # Errors
    /// `EREMOTE` (`ESRCH` on older kernels): it has no number in the caller's namespace; `ESRCH`: it is reaped; `ENOTTY`, `EINVAL`: the
    /// kernel has no such call.
    ///
    /// # References
    /// ioctl_pidfd(2), PIDFD_GET_INFO; fs/pidfs.c:pidfd_info
    #[track_caller]
    pub fn look_at_pidfd_info(&mut self, caller: TaskId, of: Option<TaskId>, had_number: bool) -> Result<Seen, Errno> {
        self.begin(caller);
        let of = self.there(of);
        self.may_ask_pidfd(of.unwrap_or(caller), had_number)?;
        if !had_number {
            return Err(Errno::ESRCH);
        }
        let of = of.ok_or(Errno::ESRCH)?;
        let ns = self.active_ns(caller);
        let pid = bare(self.pid_in(of, ns));
        let ppid = bare(self.parent(of).and_then(|parent| self.pid_in(parent, ns)));
        if ppid == 0 && pid != 1 {
            let told = self.holds(Fact::PidfdInfoOfGuest);
            self.because(if told { &rule::VIEW_PIDFD_INFO_GUEST_TOLD } else { &rule::VIEW_PIDFD_INFO_GUEST }, of);
            if !told {
                return Err(Errno::ESRCH);
            }
        }
        self.because(&rule::VIEW_PIDFD_INFO, of);
        self.because(&rule::VIEW_PIDFD_INFO_MASK, of);
        Ok(Seen::PidfdInfo { pid, tgid: bare(task_tgid_nr_ns(self, of, ns)), ppid, mask: OF_THE_LIVING })
    }

    /// What is asked first of a pidfd that is to tell something.
    fn may_ask_pidfd(&mut self, about: TaskId, had_number: bool) -> Result<(), Errno> {
        if !self.holds(Fact::PidfdInfo) {
            self.because(&rule::VIEW_PIDFD_INFO_NONE, about);
            // The first kernels whose pidfds knew any call took none with an argument.
            return Err(if self.holds(Fact::PidfdNamespaces) { Errno::EINVAL } else { Errno::ENOTTY });
        }
        if !had_number {
            let remote = self.holds(Fact::PidfdInfoIsRemote);
            self.because(if remote { &rule::VIEW_PIDFD_INFO_EREMOTE } else { &rule::VIEW_PIDFD_INFO_ESRCH }, about);
            return if remote { Err(Errno::EREMOTE) } else { Ok(()) };
        }
        Ok(())
    }

    /// How the process or thread of a pidfd ended: what [`World::look_at_pidfd_info`] asks for, and that too. `of` is `None` for one that
    /// is reaped, and `ended` says how it ended.
    ///
    /// # Errors
    /// As [`World::look_at_pidfd_info`]; of a reaped one only where the kernel does not know `PIDFD_INFO_EXIT`.
    ///
    /// # References
    /// ioctl_pidfd(2), PIDFD_INFO_EXIT; fs/pidfs.c:pidfd_info, pidfs_exit
    #[track_caller]
    pub fn look_at_pidfd_exit(
        &mut self,
        caller: TaskId,
        of: Option<TaskId>,
        had_number: bool,
        ended: Option<WaitStatus>,
    ) -> Result<Seen, Errno> {
        let of = self.there(of);
        if of.is_some() {
            self.look_at_pidfd_info(caller, of, had_number)?;
            if self.holds(Fact::PidfdExit) {
                self.because(&rule::VIEW_PIDFD_EXIT_EARLY, of.unwrap_or(caller));
            }
            return Ok(Seen::PidfdExit { mask: OF_THE_LIVING, status: None });
        }
        self.begin(caller);
        self.may_ask_pidfd(caller, had_number)?;
        if had_number && self.holds(Fact::PidfdExit) {
            self.because(&rule::VIEW_PIDFD_EXIT, caller);
            return Ok(Seen::PidfdExit { mask: OF_THE_REAPED, status: ended });
        }
        if had_number {
            self.because(&rule::VIEW_PIDFD_EXIT_NONE, caller);
        }
        Err(Errno::ESRCH)
    }

    /// Whether the caller could send a signal through a pidfd of a process, wherever it got it from.
    ///
    /// # Errors
    /// `EINVAL`: it was not in the caller's namespace or a descendant of it; `ESRCH`: it is reaped; `EPERM`: the caller may not signal it.
    ///
    /// # References
    /// pidfd_send_signal(2), ERRORS; kernel/signal.c:access_pidfd_pidns
    #[track_caller]
    pub fn look_at_pidfd_signal(&mut self, caller: TaskId, of: Option<TaskId>, had_number: bool) -> Result<(), Errno> {
        self.begin(caller);
        let of = self.there(of);
        self.because(&rule::VIEW_PIDFD_SIGNAL_SCOPE, of.unwrap_or(caller));
        if !had_number {
            return Err(Errno::EINVAL);
        }
        let of = of.ok_or(Errno::ESRCH)?;
        if check_kill_permission(self, caller, of, None) { Ok(()) } else { Err(Errno::EPERM) }
    }

    /// Whether an open PID namespace of a process gives its parent.
    ///
    /// # Errors
    /// `EPERM`: that one is neither the caller's own nor a descendant of it; `ESRCH`: the process is reaped, and no file leads to its
    /// namespace.
    ///
    /// # References
    /// ioctl_nsfs(2), NS_GET_PARENT; kernel/pid_namespace.c:pidns_get_parent
    #[track_caller]
    pub fn look_at_ns_parent(&mut self, caller: TaskId, at: Option<TaskId>) -> Result<(), Errno> {
        self.begin(caller);
        let at = self.there(at);
        let at = at.ok_or(Errno::ESRCH)?;
        self.because(&rule::VIEW_NSIO_PARENT, at);
        let parent = self.parent_namespace(self.active_ns(at));
        let seen = parent.is_some_and(|parent| is_within(self, parent, self.active_ns(caller)));
        if seen { Ok(()) } else { Err(Errno::EPERM) }
    }

    /// Whether the namespace that an open PID namespace of a process gives as its parent is the caller's own.
    ///
    /// # Errors
    /// As [`World::look_at_ns_parent`].
    ///
    /// # References
    /// ioctl_nsfs(2), NS_GET_PARENT; kernel/pid_namespace.c:pidns_get_parent
    #[track_caller]
    pub fn look_at_ns_parent_file(&mut self, caller: TaskId, at: Option<TaskId>) -> Result<bool, Errno> {
        self.look_at_ns_parent(caller, at)?;
        let at = self.there(at);
        let at = at.ok_or(Errno::ESRCH)?;
        self.because(&rule::VIEW_NSIO_PARENT_WHOSE, at);
        Ok(self.parent_namespace(self.active_ns(at)) == Some(self.active_ns(caller)))
    }

    /// Whether the user namespace that owns the PID namespace of a process is the caller's own.
    ///
    /// # Errors
    /// `EPERM`: it is neither the caller's own nor a descendant of that; `ESRCH`: the process is reaped, and no file leads to its namespace.
    ///
    /// # References
    /// ioctl_nsfs(2), NS_GET_USERNS; kernel/user_namespace.c:ns_get_owner
    #[track_caller]
    pub fn look_at_ns_owner(&mut self, caller: TaskId, at: Option<TaskId>) -> Result<bool, Errno> {
        self.begin(caller);
        let at = self.there(at);
        let at = at.ok_or(Errno::ESRCH)?;
        self.because(&rule::VIEW_NSIO_USERNS, at);
        let owner = self.ns(self.active_ns(at)).user_ns;
        self.is_own_user_ns(caller, Some(owner))
    }

    /// Whether the parent of the user namespace of a process is the caller's own.
    ///
    /// # Errors
    /// As [`World::look_at_ns_owner`].
    ///
    /// # References
    /// ioctl_nsfs(2), NS_GET_PARENT; kernel/user_namespace.c:ns_get_owner
    #[track_caller]
    pub fn look_at_user_ns_parent(&mut self, caller: TaskId, at: Option<TaskId>) -> Result<bool, Errno> {
        self.begin(caller);
        let at = self.there(at);
        let at = at.ok_or(Errno::ESRCH)?;
        self.because(&rule::VIEW_NSIO_USERNS_PARENT, at);
        let parent = self.user_namespaces[self.cred(at).user_ns.0 as usize].parent;
        self.is_own_user_ns(caller, parent)
    }

    fn is_own_user_ns(&self, caller: TaskId, found: Option<UserNsId>) -> Result<bool, Errno> {
        let own = self.cred(caller).user_ns;
        let found = found.filter(|found| is_user_ns_within(self, *found, own)).ok_or(Errno::EPERM)?;
        Ok(found == own)
    }

    /// Whether the file `/proc/PID/ns/pid` of a process is the same as the caller's.
    ///
    /// # Errors
    /// `ENOENT`: the process is reaped; `EACCES`: the caller may not look into it.
    ///
    /// # References
    /// namespaces(7), The /proc/pid/ns/ directory; fs/nsfs.c
    #[track_caller]
    pub fn look_at_ns_file(&mut self, caller: TaskId, of: Option<TaskId>) -> Result<bool, Errno> {
        self.begin(caller);
        let of = self.there(of);
        let of = of.filter(|of| self.task(*of).exit_state != ExitState::Vacant).ok_or(Errno::ENOENT)?;
        may_follow_link(self, caller, of)?;
        self.because(&rule::NS_IDENTITY, of);
        Ok(self.active_ns(of) == self.active_ns(caller))
    }

    /// A procfs that the caller mounts for the PID namespace of a process.
    ///
    /// # Errors
    /// `EINVAL`: that is neither the caller's own namespace nor a descendant of it, or the kernel knows no such option; `ESRCH`: the process
    /// is reaped, and no file leads to its namespace.
    ///
    /// # References
    /// proc(5), pidns; fs/proc/root.c:proc_parse_pidns_param
    #[track_caller]
    pub fn look_at_their_procfs(&mut self, caller: TaskId, at: Option<TaskId>) -> Result<Seen, Errno> {
        self.begin(caller);
        let at = self.there(at);
        let at = at.ok_or(Errno::ESRCH)?;
        if !self.holds(Fact::ProcfsPidns) {
            self.because(&rule::PROC_PIDNS_UNKNOWN, at);
            return Err(Errno::EINVAL);
        }
        self.because(&rule::PROC_PIDNS_OPTION, at);
        let ns = self.active_ns(at);
        if !is_within(self, ns, self.active_ns(caller)) {
            return Err(Errno::EINVAL);
        }
        self.because(&rule::PROC_SELF_OUTSIDE, caller);
        let myself = bare(task_tgid_nr_ns(self, caller, ns));
        Ok(Seen::Procfs { listing: self.listed(ns), myself })
    }

    /// Where the links `self` and `thread-self` of a procfs lead that the caller has mounted.
    ///
    /// # References
    /// proc_pid(5), /proc/self, /proc/thread-self; fs/proc/self.c:proc_self_get_link, fs/proc/thread_self.c:proc_thread_self_get_link
    #[track_caller]
    pub fn look_at_myself(&mut self, caller: TaskId) -> Seen {
        self.begin(caller);
        self.because(&rule::PROC_SELF_LINKS, caller);
        let ns = self.active_ns(caller);
        let myself = bare(task_tgid_nr_ns(self, caller, ns));
        Seen::Myself { myself, thread: bare(self.pid_in(caller, ns)) }
    }

    /// The last field of `/proc/loadavg`.
    ///
    /// # References
    /// proc_loadavg(5); fs/proc/loadavg.c:loadavg_proc_show
    #[track_caller]
    pub fn look_at_loadavg(&mut self, caller: TaskId) -> Seen {
        self.begin(caller);
        self.because(&rule::LASTPID_LOADAVG, caller);
        Seen::LastPid(i64::from(self.ns(self.active_ns(caller)).cursor) - 1)
    }
}
