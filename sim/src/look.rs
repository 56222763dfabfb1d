//! What one process sees of another: through procfs, a pidfd, the translation of numbers, or a message.
//!
//! Everywhere the same question: which numbers has it where the observer stands?

use pidlab_scenario::{Errno, PollEvent, Seen, Signal};

use crate::process::Life;
use crate::user::{OVERFLOW_USER, UserNsId};
use crate::{NsId, Pid, ProcessId, ProcessState, World, rule};

impl World {
    /// sigpending(2): the signals that wait for the calling thread or its process and that the thread blocks, by number.
    ///
    /// # References
    /// sigpending(2); kernel/signal.c:do_sigpending
    pub fn sigpending(&mut self, caller: ProcessId) -> Vec<Signal> {
        self.assert_acts(caller);
        self.because(&rule::SIG_PENDING_SET, caller);
        let blocked = self.process(caller).blocked;
        let pending = self.pending_for(caller);
        let waits = |signal: &Signal| pending.contains(*signal) && blocked.contains(*signal);
        (1..=64).filter_map(Signal::new).filter(waits).collect()
    }

    /// poll(2) of a pidfd of a process or thread; `None` for one that is reaped.
    ///
    /// # References
    /// pidfd_open(2), DESCRIPTION; fs/pidfs.c:pidfd_poll
    pub fn pidfd_poll(&mut self, caller: ProcessId, of: Option<ProcessId>) -> Vec<PollEvent> {
        self.assert_acts(caller);
        self.because(&rule::VIEW_PIDFD_POLL, of.unwrap_or(caller));
        match of {
            None if self.pidfd_hangs_up => {
                self.because(&rule::VIEW_PIDFD_HANGS_UP, caller);
                vec![PollEvent::In, PollEvent::Hup]
            }
            None => {
                self.because(&rule::VIEW_PIDFD_NO_HANGUP, caller);
                vec![PollEvent::In]
            }
            Some(process) if self.is_over(process) => vec![PollEvent::In],
            Some(_) => Vec::new(),
        }
    }

    /// The process or thread that has this number in the caller's namespace; 0 is the caller.
    pub(crate) fn looked_at(&self, caller: ProcessId, number: i32) -> Option<ProcessId> {
        if number == 0 { Some(caller) } else { self.find(self.process(caller).ns, number) }
    }

    /// `/proc/PID/status` in a procfs that the caller has mounted.
    ///
    /// # Errors
    /// `ENOENT`: it has no number in the caller's namespace.
    ///
    /// # References
    /// proc_pid_status(5); fs/proc/array.c:task_state
    pub fn look_at_status(&mut self, caller: ProcessId, at: Option<ProcessId>) -> Result<Seen, Errno> {
        self.assert_acts(caller);
        let ns = self.process(caller).ns;
        let Some((at, pid)) = at.and_then(|at| Some((at, self.pid_in(at, ns)?))) else {
            self.because(&rule::VIEW_TRANSLATE, caller);
            return Err(Errno::ENOENT);
        };
        self.because(&rule::PROC_STATUS_NS_LINES, at);
        self.because(&rule::PROC_PPID, at);
        let leader = self.leader(at);
        if leader != at {
            self.because(&rule::PROC_STATUS_THREAD, at);
        }
        if self.shown_state(leader) == Some(ProcessState::Exiting) {
            self.because(&rule::ZAP_STUCK_LOOK, at);
        }
        let levels = self.levels_from(ns, self.process(at).ns);
        let bare = |pid: Option<Pid>| pid.map_or(0, Pid::get);
        let each = |number: &dyn Fn(NsId) -> Option<Pid>| levels.iter().map(|ns| bare(number(*ns))).collect::<Vec<_>>();
        Ok(Seen::Status {
            tgid: bare(self.pid_in(leader, ns)),
            pid: pid.get(),
            ppid: bare(self.parent(at).and_then(|parent| self.pid_in(parent, ns))),
            nstgid: each(&|ns| self.pid_in(leader, ns)),
            nspid: each(&|ns| self.pid_in(at, ns)),
            nspgid: each(&|ns| self.group_in(at, ns)),
            nssid: each(&|ns| self.session_in(at, ns)),
        })
    }

    /// The namespaces from one that is around another to that other.
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
    pub fn look_at_listing(&mut self, caller: ProcessId) -> Seen {
        self.assert_acts(caller);
        self.because(&rule::PROC_LISTING, caller);
        let ns = self.process(caller).ns;
        if self.process(caller).target != Some(ns) {
            self.because(&rule::PROC_MOUNT_BINDING, caller);
        }
        Seen::Listing(self.listed(ns))
    }

    /// The numbers that processes, and not threads or mere groups, have in a namespace.
    fn listed(&self, ns: NsId) -> Vec<u32> {
        let is_listed = |holder: ProcessId| {
            let record = self.process(holder);
            record.is_task() && record.thread_of.is_none()
        };
        self.ns(ns).ids.holders(0).filter(|(_, holder)| is_listed(*holder)).map(|(pid, _)| pid).collect()
    }

    /// The fdinfo of a pidfd, in a procfs that the caller has mounted; `None` for a pidfd of a process that is reaped.
    ///
    /// # References
    /// proc_pid_fdinfo(5); fs/pidfs.c:pidfd_show_fdinfo
    pub fn look_at_fdinfo(&mut self, caller: ProcessId, of: Option<ProcessId>) -> Seen {
        self.assert_acts(caller);
        self.because(&rule::VIEW_PIDFD_FDINFO, of.unwrap_or(caller));
        let ns = self.process(caller).ns;
        let Some(of) = of else { return Seen::Fdinfo { pid: -1, nspid: vec![-1] } };
        let Some(pid) = self.pid_in(of, ns) else { return Seen::Fdinfo { pid: 0, nspid: vec![0] } };
        let levels = self.levels_from(ns, self.process(of).ns);
        let nspid = levels.iter().filter_map(|ns| self.pid_in(of, *ns)).map(|pid| i64::from(pid.get())).collect();
        Seen::Fdinfo { pid: i64::from(pid.get()), nspid }
    }

    /// The translation ioctls on the namespace of a process: its own number there as one of the caller's namespace, and the
    /// caller's own number as one of that namespace.
    ///
    /// # Errors
    /// `ESRCH`: it is reaped, and no file leads to its namespace.
    ///
    /// # References
    /// ioctl_nsfs(2); fs/nsfs.c:ns_ioctl
    pub fn translate(&mut self, caller: ProcessId, at: Option<ProcessId>) -> Result<Seen, Errno> {
        self.assert_acts(caller);
        let Some(at) = at.filter(|at| self.process(*at).life <= Life::Zombie) else {
            return Err(Errno::ESRCH);
        };
        if !self.pid_translation {
            self.because(&rule::VIEW_NSIO_NONE, at);
            return Ok(Seen::Translated { from: Err(Errno::ENOTTY), into: Err(Errno::ENOTTY) });
        }
        self.because(&rule::VIEW_NSIO_TRANSLATE, at);
        let seen = |process, ns| self.pid_in(process, ns).map(Pid::get).ok_or(Errno::ESRCH);
        Ok(Seen::Translated { from: seen(at, self.process(caller).ns), into: seen(caller, self.process(at).ns) })
    }

    /// The credentials of a message that another process has sent.
    ///
    /// # References
    /// unix(7), `SCM_CREDENTIALS`; include/net/scm.h:scm_recv
    pub fn look_at_credentials(&mut self, caller: ProcessId, sender: ProcessId) -> Seen {
        self.because(&rule::VIEW_SCM_CRED, sender);
        self.credentials_seen(caller, sender)
    }

    /// Number and user of another, as the caller sees them.
    fn credentials_seen(&mut self, caller: ProcessId, other: ProcessId) -> Seen {
        self.assert_acts(caller);
        let pid = self.pid_in(self.leader(other), self.process(caller).ns).map_or(0, Pid::get);
        let uid = if self.credentials(caller).user_ns == UserNsId::OUTERMOST {
            self.user(other)
        } else {
            self.because(&rule::VIEW_SCM_CRED_USER, caller);
            OVERFLOW_USER
        };
        Seen::Credentials { pid, uid }
    }

    /// The credentials of a socket that another process has made.
    ///
    /// # References
    /// unix(7), `SO_PEERCRED`; net/core/sock.c:cred_to_ucred
    pub fn look_at_peercred(&mut self, caller: ProcessId, maker: ProcessId) -> Seen {
        self.because(&rule::VIEW_PEERCRED, maker);
        self.credentials_seen(caller, maker)
    }

    /// The owner of a file that another process has set to itself.
    ///
    /// # References
    /// F_GETOWN(2const); fs/fcntl.c:f_getown
    pub fn look_at_owner(&mut self, caller: ProcessId, owner: ProcessId) -> Seen {
        self.assert_acts(caller);
        self.because(&rule::VIEW_F_OWNER, owner);
        let pid = self.pid_in(self.leader(owner), self.process(caller).ns).map_or(0, Pid::get);
        Seen::Owner { pid }
    }

    /// What a pidfd says of its process or thread; `None` for one that is reaped, with the numbers that it had in the caller's
    /// namespace.
    ///
    /// # Errors
    /// `EREMOTE` (`ESRCH` on older kernels): it has no number in the caller's namespace; `ESRCH`: it is reaped; `ENOTTY`,
    /// `EINVAL`: the kernel has no such call.
    ///
    /// # References
    /// ioctl_pidfd(2), `PIDFD_GET_INFO`; fs/pidfs.c:pidfd_info
    pub fn look_at_pidfd_info(
        &mut self,
        caller: ProcessId,
        of: Option<ProcessId>,
        had_number: bool,
    ) -> Result<Seen, Errno> {
        self.assert_acts(caller);
        if !self.pidfd_info {
            self.because(&rule::VIEW_PIDFD_INFO_NONE, of.unwrap_or(caller));
            // The first kernels whose pidfds knew any call took none with an argument.
            return Err(if self.pidfd_namespaces { Errno::EINVAL } else { Errno::ENOTTY });
        }
        if !had_number {
            let (rule, errno) = if self.pidfd_info_is_remote {
                (&rule::VIEW_PIDFD_INFO_EREMOTE, Errno::EREMOTE)
            } else {
                (&rule::VIEW_PIDFD_INFO_ESRCH, Errno::ESRCH)
            };
            self.because(rule, of.unwrap_or(caller));
            return Err(errno);
        }
        self.because(&rule::VIEW_PIDFD_INFO, of.unwrap_or(caller));
        let of = of.ok_or(Errno::ESRCH)?;
        let ns = self.process(caller).ns;
        let number = |process: ProcessId| self.pid_in(process, ns).map_or(0, Pid::get);
        let ppid = self.parent(of).map_or(0, number);
        Ok(Seen::PidfdInfo { pid: number(of), tgid: number(self.leader(of)), ppid })
    }

    /// Whether the caller could send a signal through a pidfd of a process, wherever it got it from.
    ///
    /// # Errors
    /// `EINVAL`: it was not in the caller's namespace or below; `ESRCH`: it is reaped; `EPERM`: the caller may not signal it.
    ///
    /// # References
    /// pidfd_send_signal(2), ERRORS; kernel/signal.c:access_pidfd_pidns
    pub fn look_at_pidfd_signal(
        &mut self,
        caller: ProcessId,
        of: Option<ProcessId>,
        had_number: bool,
    ) -> Result<(), Errno> {
        self.assert_acts(caller);
        self.because(&rule::VIEW_PIDFD_SIGNAL_SCOPE, of.unwrap_or(caller));
        if !had_number {
            return Err(Errno::EINVAL);
        }
        let of = of.ok_or(Errno::ESRCH)?;
        if self.may_signal(caller, of, None) { Ok(()) } else { Err(Errno::EPERM) }
    }

    /// Whether an open PID namespace of a process gives the one around it.
    ///
    /// # Errors
    /// `EPERM`: that one is not the caller's own or below; `ESRCH`: the process is reaped, and no file leads to its namespace.
    ///
    /// # References
    /// ioctl_nsfs(2), `NS_GET_PARENT`; kernel/pid_namespace.c:pidns_get_parent
    pub fn look_at_ns_parent(&mut self, caller: ProcessId, at: Option<ProcessId>) -> Result<(), Errno> {
        self.assert_acts(caller);
        let at = at.filter(|at| self.process(*at).life <= Life::Zombie).ok_or(Errno::ESRCH)?;
        self.because(&rule::VIEW_NSIO_PARENT, at);
        let around = self.parent_namespace(self.process(at).ns);
        let seen = around.is_some_and(|around| self.is_within(around, self.process(caller).ns));
        if seen { Ok(()) } else { Err(Errno::EPERM) }
    }

    /// Whether the file `/proc/PID/ns/pid` of a process is the same as the caller's.
    ///
    /// # Errors
    /// `ENOENT`: the process is reaped; `EACCES`: the caller may not look into it.
    ///
    /// # References
    /// namespaces(7), The /proc/pid/ns/ directory; fs/nsfs.c
    pub fn look_at_ns_file(&mut self, caller: ProcessId, of: Option<ProcessId>) -> Result<bool, Errno> {
        self.assert_acts(caller);
        let of = of.filter(|of| self.process(*of).is_task()).ok_or(Errno::ENOENT)?;
        self.may_follow_link(caller, of)?;
        self.because(&rule::NS_IDENTITY, of);
        Ok(self.process(of).ns == self.process(caller).ns)
    }

    /// A procfs that the caller mounts for the PID namespace of a process.
    ///
    /// # Errors
    /// `EINVAL`: that is not the caller's own namespace or below, or the kernel knows no such option; `ESRCH`: the process is
    /// reaped, and no file leads to its namespace.
    ///
    /// # References
    /// proc(5), `pidns`; fs/proc/root.c:proc_parse_pidns_param
    pub fn look_at_their_procfs(&mut self, caller: ProcessId, at: Option<ProcessId>) -> Result<Seen, Errno> {
        self.assert_acts(caller);
        let at = at.filter(|at| self.process(*at).life <= Life::Zombie).ok_or(Errno::ESRCH)?;
        if !self.procfs_pidns {
            self.because(&rule::PROC_PIDNS_UNKNOWN, at);
            return Err(Errno::EINVAL);
        }
        self.because(&rule::PROC_PIDNS_OPTION, at);
        let ns = self.process(at).ns;
        if !self.is_within(ns, self.process(caller).ns) {
            return Err(Errno::EINVAL);
        }
        self.because(&rule::PROC_SELF_OUTSIDE, caller);
        let myself = self.pid_in(self.leader(caller), ns).map_or(0, Pid::get);
        Ok(Seen::Procfs { listing: self.listed(ns), myself })
    }

    /// The last field of `/proc/loadavg`.
    ///
    /// # References
    /// proc_loadavg(5); fs/proc/loadavg.c:loadavg_proc_show
    pub fn look_at_loadavg(&mut self, caller: ProcessId) -> Seen {
        self.assert_acts(caller);
        self.because(&rule::LASTPID_LOADAVG, caller);
        Seen::LastPid(i64::from(self.ns(self.process(caller).ns).cursor) - 1)
    }
}
