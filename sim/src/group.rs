//! Process groups and sessions: ids that are the number of a process, alive or gone.

use pidlab_scenario::{Errno, Signal};

use crate::signal::Origin;
use crate::{Pid, ProcessId, World, rule};

impl World {
    /// getpid(2): the caller's number in its own namespace, for life.
    ///
    /// # References
    /// getpid(2); kernel/sys.c
    pub fn getpid(&mut self, caller: ProcessId) -> Pid {
        self.because(&rule::VIEW_GETPID_FIXED, caller);
        self.own_number(self.leader(caller))
    }

    /// gettid(2): the calling thread's own number in its namespace; the process's for a leader.
    ///
    /// # References
    /// gettid(2); kernel/sys.c
    pub fn gettid(&mut self, caller: ProcessId) -> Pid {
        self.because(&rule::VIEW_GETPID_FIXED, caller);
        self.own_number(caller)
    }

    fn own_number(&self, thread: ProcessId) -> Pid {
        Pid::new(*self.pids(thread).last().expect("a process has a number at every level"))
    }

    /// getppid(2): `None` (Linux says 0) where the parent is not visible.
    ///
    /// # References
    /// getpid(2); kernel/sys.c
    pub fn getppid(&mut self, caller: ProcessId) -> Option<Pid> {
        let seen = self.visible_parent(caller);
        self.because(if seen.is_some() { &rule::REAP_GETPPID } else { &rule::VIEW_GETPPID_OUTSIDE }, caller);
        seen
    }

    /// The parent's number as the process itself sees it.
    pub fn visible_parent(&self, process: ProcessId) -> Option<Pid> {
        self.pid_in(self.parent(process)?, self.process(process).ns)
    }

    /// Its process group's number in a namespace; `None` where not visible.
    pub fn group_in(&self, process: ProcessId, ns: crate::NsId) -> Option<Pid> {
        self.pid_in(self.group(process)?, ns)
    }

    /// Its session's number in a namespace; `None` where not visible.
    pub fn session_in(&self, process: ProcessId, ns: crate::NsId) -> Option<Pid> {
        self.pid_in(self.session(process)?, ns)
    }

    /// getpgid(2); `pid` 0 is the caller. `None` (Linux says 0): the group has no number in the caller's namespace.
    ///
    /// # Errors
    /// `ESRCH`: nobody has this number in the caller's namespace.
    ///
    /// # References
    /// getpgid(2); kernel/sys.c:do_getpgid
    pub fn getpgid(&mut self, caller: ProcessId, pid: i32) -> Result<Option<Pid>, Errno> {
        let process = self.find_or_self(caller, pid)?;
        let number = self.group_in(process, self.process(caller).ns);
        self.explain_view(process, number);
        Ok(number)
    }

    /// getsid(2); as [`World::getpgid`].
    ///
    /// # Errors
    /// `ESRCH`: nobody has this number in the caller's namespace.
    ///
    /// # References
    /// getsid(2); kernel/sys.c
    pub fn getsid(&mut self, caller: ProcessId, pid: i32) -> Result<Option<Pid>, Errno> {
        let process = self.find_or_self(caller, pid)?;
        let number = self.session_in(process, self.process(caller).ns);
        self.explain_view(process, number);
        Ok(number)
    }

    fn find_or_self(&mut self, caller: ProcessId, pid: i32) -> Result<ProcessId, Errno> {
        self.assert_acts(caller);
        if pid == 0 {
            return Ok(caller);
        }
        match self.find(self.process(caller).ns, pid) {
            Some(found) => Ok(found),
            None => {
                self.because(&rule::VIEW_LOOKUP_OWN_NS, caller);
                Err(Errno::ESRCH)
            }
        }
    }

    fn explain_view(&mut self, process: ProcessId, number: Option<Pid>) {
        let rule = if number.is_some() { &rule::VIEW_TRANSLATE } else { &rule::VIEW_PGID_SID_OUTSIDE };
        self.because(rule, process);
    }

    /// setsid(2): a new session and a new group, both with the caller's number.
    ///
    /// # Errors
    /// `EPERM`: the caller leads a session, or a group has its number.
    ///
    /// # Panics
    /// If the caller cannot act.
    ///
    /// # References
    /// setsid(2); kernel/sys.c:ksys_setsid
    pub fn setsid(&mut self, caller: ProcessId) -> Result<Pid, Errno> {
        let result = self.begin_setsid(caller);
        self.settle();
        result
    }

    pub(crate) fn begin_setsid(&mut self, caller: ProcessId) -> Result<Pid, Errno> {
        self.assert_acts(caller);
        let caller = self.leader(caller);
        self.because(&rule::PG_SETSID, caller);
        if self.process(caller).unkillable {
            self.because(&rule::VIEW_INIT_SETSID, caller);
        }
        if self.process(caller).session_leader || self.process(caller).first_member.is_some() {
            return Err(Errno::EPERM);
        }
        self.process_mut(caller).session_leader = true;
        let session = self.leave_session(caller);
        self.join_session(caller, caller);
        let group = self.leave_group(caller);
        self.join_group(caller, caller);
        self.free_if_unused(session);
        if group != session {
            self.free_if_unused(group);
        }
        Ok(Pid::new(*self.pids(caller).last().expect("a process has a number at every level")))
    }

    /// setpgid(2); 0 is the caller, and the process's own number.
    ///
    /// # Errors
    /// `EINVAL`: the group is negative; `ESRCH`: not the caller and not a child of it; `EPERM`: a session leader, a child in
    /// another session, or no such group in the caller's session.
    ///
    /// # Panics
    /// If the caller cannot act.
    ///
    /// # References
    /// setpgid(2); kernel/sys.c:setpgid
    pub fn setpgid(&mut self, caller: ProcessId, pid: i32, group: i32) -> Result<(), Errno> {
        let result = self.begin_setpgid(caller, pid, group);
        self.settle();
        result
    }

    pub(crate) fn begin_setpgid(&mut self, caller: ProcessId, pid: i32, group: i32) -> Result<(), Errno> {
        self.assert_acts(caller);
        let caller = self.leader(caller);
        self.because(&rule::PG_RULES, caller);
        let ns = self.process(caller).ns;
        let own = i32::try_from(*self.pids(caller).last().expect("a process has a number")).expect("numbers fit pid_t");
        let pid = if pid == 0 { own } else { pid };
        let group = if group == 0 { pid } else { group };
        if group < 0 {
            return Err(Errno::EINVAL);
        }
        let process = self.find(ns, pid).ok_or(Errno::ESRCH)?;
        if self.process(process).thread_of.is_some() {
            return Err(Errno::EINVAL);
        }
        let session = self.process(caller).session;
        if self.parent(process) == Some(caller) {
            if self.process(process).session != session {
                return Err(Errno::EPERM);
            }
            if self.process(process).execed {
                self.because(&rule::PG_EXECED, process);
                return Err(Errno::EACCES);
            }
        } else if process != caller {
            return Err(Errno::ESRCH);
        }
        if self.process(process).session_leader {
            return Err(Errno::EPERM);
        }
        let mut leader = process;
        if group != pid {
            let Some(found) = self.find_pid(ns, group) else {
                self.because(&rule::PG_ONE_WAY, process);
                return Err(Errno::EPERM);
            };
            leader = found;
            let member = self.process(leader).first_member.ok_or(Errno::EPERM)?;
            if self.process(member).session != session {
                return Err(Errno::EPERM);
            }
        }
        if self.process(process).ns != ns {
            self.because(&rule::VIEW_SETPGID_CROSS, process);
        }
        if self.group_in(process, self.process(process).ns).is_none() {
            self.because(&rule::PG_ONE_WAY, process);
        }
        self.change_group(process, leader);
        Ok(())
    }

    /// Whether a setpgid(2) would succeed and put the init of a namespace into a group that is led from inside its own namespace, or
    /// from one beside it.
    ///
    /// On Linux such an init may never end: it waits in `zap_pid_ns_processes` for a number that its own membership keeps
    /// in use (or, in a circle, another such init), no signal reaches it, and if its parent is ending too, then nothing
    /// but a restart of the machine removes it. The world models this; nobody should try it on a machine.
    pub fn would_never_end(&self, actor: ProcessId, pid: i32, group: i32) -> bool {
        let caller = self.leader(actor);
        let ns = self.process(caller).ns;
        let process = if pid == 0 { Some(caller) } else { self.find(ns, pid) };
        let leader = if group == 0 { process } else { self.find_pid(ns, group) };
        let (Some(process), Some(leader)) = (process, leader) else { return false };
        let beneath = self.is_within(self.process(process).ns, self.process(leader).ns);
        let own_member = self.process(process).ns == self.process(leader).ns;
        let risky = self.process(process).unkillable && process != leader && (!beneath || own_member);
        risky && self.clone().begin_setpgid(actor, pid, group).is_ok()
    }

    /// Whether a process is stopped: every thread of it that lives.
    ///
    /// # References
    /// kernel/exit.c:has_stopped_jobs
    fn is_stopped(&self, leader: ProcessId) -> bool {
        let half = self.process(leader).team().is_some_and(|team| team.stopping > 0);
        !half && self.threads(leader).any(|thread| self.process(thread).stopped)
    }

    fn change_group(&mut self, process: ProcessId, leader: ProcessId) {
        if self.process(process).group == Some(leader) {
            return;
        }
        if self.process(process).ns != self.process(leader).ns {
            self.because(&rule::PG_CROSS_JOIN, process);
        }
        let old = self.leave_group(process);
        self.join_group(process, leader);
        self.free_if_unused(old);
    }

    /// The members of a group, the newest first.
    pub(crate) fn members(&self, leader: ProcessId) -> Vec<ProcessId> {
        let mut members = Vec::new();
        let mut next = self.process(leader).first_member;
        while let Some(member) = next {
            members.push(member);
            next = self.process(member).next_member;
        }
        members
    }

    pub(crate) fn join_group(&mut self, process: ProcessId, leader: ProcessId) {
        let first = self.process_mut(leader).first_member.replace(process);
        if let Some(first) = first {
            self.process_mut(first).previous_member = Some(process);
        }
        let record = self.process_mut(process);
        record.group = Some(leader);
        record.next_member = first;
        record.previous_member = None;
    }

    #[inline(always)]
    pub(crate) fn leave_group(&mut self, process: ProcessId) -> ProcessId {
        let record = self.process_mut(process);
        let leader = record.group.take().expect("every process is in a group until it is reaped");
        let (previous, next) = (record.previous_member.take(), record.next_member.take());
        match previous {
            Some(previous) => self.process_mut(previous).next_member = next,
            None => self.process_mut(leader).first_member = next,
        }
        if let Some(next) = next {
            self.process_mut(next).previous_member = previous;
        }
        leader
    }

    pub(crate) fn join_session(&mut self, process: ProcessId, leader: ProcessId) {
        self.process_mut(process).session = Some(leader);
        self.process_mut(leader).session_members += 1;
    }

    #[inline]
    pub(crate) fn leave_session(&mut self, process: ProcessId) -> ProcessId {
        let leader =
            self.process_mut(process).session.take().expect("every process is in a session until it is reaped");
        self.process_mut(leader).session_members -= 1;
        leader
    }

    /// Whether the group of a process is orphaned: no member has a parent in another group of the same session.
    pub(crate) fn is_orphaned_group(&self, process: ProcessId) -> bool {
        self.group(process).is_some_and(|group| self.link_of_group(group, None).is_none())
    }

    /// The member whose parent keeps the group from being orphaned: a parent in another group of the same session.
    ///
    /// # References
    /// kernel/exit.c:will_become_orphaned_pgrp
    fn link_of_group(&self, group: ProcessId, leaving: Option<ProcessId>) -> Option<ProcessId> {
        let mut next = self.process(group).first_member;
        while let Some(member) = next {
            let record = self.process(member);
            next = record.next_member;
            if Some(member) == leaving || self.is_over(member) {
                continue;
            }
            let Some(parent) = record.parent else { continue };
            let parent = self.lead(parent);
            if parent.group != record.group && parent.session == record.session {
                return Some(member);
            }
        }
        None
    }

    /// SIGHUP and SIGCONT for a group that has just become orphaned with a stopped member. `father`: the parent that the
    /// process has just lost; `None`: the process itself is the one that goes.
    ///
    /// # References
    /// kernel/exit.c:kill_orphaned_pgrp
    #[inline]
    pub(crate) fn kill_orphaned_group(&mut self, process: ProcessId, father: Option<ProcessId>) {
        let record = self.process(process);
        let (Some(group), Some(parent)) = (record.group, father.or(record.parent)) else { return };
        let parent = self.lead(parent);
        if parent.group != record.group && parent.session == record.session {
            self.group_lost_a_link(group, process, father);
        }
    }

    /// A parent in another group of the session is gone: it may have been the last.
    #[inline(never)]
    fn group_lost_a_link(&mut self, group: ProcessId, process: ProcessId, father: Option<ProcessId>) {
        let leaving = if father.is_none() { Some(process) } else { None };
        if let Some(link) = self.link_of_group(group, leaving) {
            if self.process(link).parent.is_some_and(|parent| self.lead(parent).unkillable) {
                self.because(&rule::PG_ORPHAN_NS_INIT, link);
            }
            return;
        }
        let members = self.members(group);
        if !members.iter().any(|member| self.is_stopped(*member)) {
            return;
        }
        self.because(&rule::PG_ORPHAN_EXIT, group);
        for signal in [Signal::HUP, Signal::CONT] {
            for member in &members {
                self.send(signal, *member, &mut Origin::Kernel);
            }
        }
    }
}
