//! Making processes, threads and namespaces.

use pidlab_scenario::{CloneFlags, Errno, Signal};

use crate::namespace::{MAX_LEVEL, Phase};
use crate::process::{Extra, InCall, Life};
use crate::user::{Credentials, UserNsId};
use crate::{NsId, ProcessId, World, rule};

/// What clone3(2) is asked for.
#[derive(Clone, Debug)]
pub struct CloneArgs<'a> {
    /// Its flags; `CLONE_FILES` and `CLONE_FS` change nothing here.
    pub flags: CloneFlags,
    /// What the parent gets when the child ends; `None` is 0.
    pub exit_signal: Option<Signal>,
    /// The numbers asked for, innermost namespace first.
    pub set_tid: &'a [i32],
}

impl World {
    /// fork(2): a child in the caller's target namespace.
    ///
    /// # Errors
    /// `EAGAIN`: no number is free at some level; `ENOMEM`: the init of the target namespace has ended.
    ///
    /// # Panics
    /// If the caller cannot act.
    ///
    /// # References
    /// fork(2); kernel/fork.c:copy_process
    #[inline]
    pub fn fork(&mut self, caller: ProcessId) -> Result<ProcessId, Errno> {
        self.clone_process(
            caller,
            &CloneArgs { flags: CloneFlags::empty(), exit_signal: Some(Signal::CHLD), set_tid: &[] },
        )
    }

    /// clone(2), as clone3.
    ///
    /// # Errors
    /// `EINVAL`: flags that do not go together, `CLONE_PARENT` by an init or with an exit signal, `CLONE_NEWPID` with a target
    /// namespace that is not the caller's own, a bad `set_tid`; `EPERM`: no capabilities; `ENOSPC`: namespaces are nested too
    /// deep, or a user has too many; `EEXIST`: a number of `set_tid` is taken; and as [`World::fork`].
    ///
    /// # Panics
    /// If the caller cannot act.
    ///
    /// # References
    /// clone(2); kernel/fork.c:copy_process; kernel/pid_namespace.c:copy_pid_ns
    #[doc(alias = "clone3")]
    pub fn clone_process(&mut self, caller: ProcessId, args: &CloneArgs<'_>) -> Result<ProcessId, Errno> {
        self.assert_acts(caller);
        let plain = args.flags.is_empty() && args.set_tid.is_empty();
        let new = if plain { None } else { self.prepare_clone(caller, args)? };
        let made = self.make(caller, args, new);
        if let (Err(_), Some(new)) = (&made, new) {
            self.drop_credentials(caller, new);
        }
        made
    }

    /// What comes before anything is made: the flags, and with `CLONE_NEWUSER` new credentials.
    #[cold]
    fn prepare_clone(&mut self, caller: ProcessId, args: &CloneArgs<'_>) -> Result<Option<Credentials>, Errno> {
        self.check_clone(caller, args)?;
        if args.flags.contains(CloneFlags::CLONE_NEWUSER) {
            self.new_credentials(caller, args.flags).map(Some)
        } else {
            Ok(None)
        }
    }

    /// Makes a process or thread with new credentials, or with the caller's own.
    #[inline(always)]
    fn make(&mut self, caller: ProcessId, args: &CloneArgs<'_>, new: Option<Credentials>) -> Result<ProcessId, Errno> {
        let target = self.process(caller).target.expect("a live process has a target namespace");
        let new_ns = args.flags.contains(CloneFlags::CLONE_NEWPID);
        let ns = if new_ns {
            let maker = new.unwrap_or_else(|| self.credentials(caller));
            self.nest(caller, maker, &rule::CLONE_NEWPID_TARGET_DIFFERS)?
        } else {
            target
        };
        let id = self.next_record();
        let row = match self.allocate_pid(ns, args.set_tid, id, caller) {
            Ok(row) => row,
            Err(errno) => {
                if errno == Errno::ENOMEM && ns != self.process(caller).ns {
                    self.because(&rule::UNSHARE_AFTER_INIT_DIED, caller);
                }
                if new_ns {
                    self.ns_mut(ns).references += 1;
                    self.put_namespace(ns);
                }
                return Err(errno);
            }
        };
        self.occupy(id);
        if args.flags.contains(CloneFlags::CLONE_THREAD) {
            self.thread_born(caller, id, ns, row);
            if !args.set_tid.is_empty() {
                self.because(&rule::SETTID_THREAD, id);
            }
            self.explain_depth(id, false);
        } else {
            let parent = self.newborn(caller, id, ns, row, args.exit_signal, args.flags);
            self.settle_in(caller, id, parent, ns, args.flags);
        }
        let maker = self.process(caller);
        if new.is_some() || maker.extra.is_some() || maker.thread_of.is_some() {
            self.inherit_rarities(caller, id, new);
        }
        if args.flags.contains(CloneFlags::CLONE_VFORK) {
            self.because(&rule::VFORK_STATE, caller);
            self.process_mut(id).extra().vfork_waiter = Some(caller);
            self.process_mut(caller).extra().call = Some(InCall::Vfork(id));
        }
        Ok(id)
    }

    /// vfork(2): the caller sleeps until the child has ended or runs another program.
    ///
    /// # Errors
    /// As [`World::fork`].
    ///
    /// # Panics
    /// If the caller cannot act.
    ///
    /// # References
    /// vfork(2); kernel/fork.c:kernel_clone
    pub fn vfork(&mut self, caller: ProcessId) -> Result<ProcessId, Errno> {
        let flags = CloneFlags::CLONE_VFORK | CloneFlags::CLONE_VM;
        self.clone_process(caller, &CloneArgs { flags, exit_signal: Some(Signal::CHLD), set_tid: &[] })
    }

    /// Fills the record of a thread, and gives it its place in the process.
    fn thread_born(&mut self, caller: ProcessId, id: ProcessId, ns: NsId, row: u32) {
        let born = self.births;
        self.births += 1;
        let leader = self.leader(caller);
        let blocked = self.process(caller).blocked;
        let thread = self.process_mut(id);
        thread.life = Life::Alive;
        thread.ns = ns;
        thread.target = Some(ns);
        thread.row = row;
        thread.born = born;
        thread.thread_of = Some(leader);
        thread.blocked = blocked;
        // As its own namespace, and as the target of its children.
        self.ns_mut(ns).references += 2;
        self.join_team(leader, id);
    }

    /// What clone3(2) refuses before anything is made.
    #[cold]
    fn check_clone(&mut self, caller: ProcessId, args: &CloneArgs<'_>) -> Result<(), Errno> {
        let flags = args.flags;
        let thread = flags.contains(CloneFlags::CLONE_THREAD);
        if args.set_tid.len() > MAX_LEVEL as usize {
            self.because(&rule::SETTID_SIZE, caller);
            return Err(Errno::EINVAL);
        }
        let sibling = flags.contains(CloneFlags::CLONE_PARENT);
        let needs_more = |flag, other| flags.contains(flag) && !flags.contains(other);
        let user_and_fs = CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_FS;
        let rule = if (sibling || thread) && args.exit_signal.is_some() {
            &rule::CP_NO_EXIT_SIGNAL
        } else if needs_more(CloneFlags::CLONE_THREAD, CloneFlags::CLONE_SIGHAND)
            || needs_more(CloneFlags::CLONE_SIGHAND, CloneFlags::CLONE_VM)
            || flags.contains(user_and_fs)
        {
            &rule::CLONE_FLAG_BASICS
        } else if sibling && self.lead(caller).unkillable {
            &rule::CLONE_PARENT_BY_INIT
        } else if thread && flags.intersects(CloneFlags::CLONE_NEWPID | CloneFlags::CLONE_NEWUSER) {
            &rule::CLONE_NEWPID_THREAD
        } else if thread && self.process(caller).target != Some(self.process(caller).ns) {
            &rule::CLONE_THREAD_TARGET_DIFFERS
        } else {
            return Ok(());
        };
        self.because(rule, caller);
        Err(Errno::EINVAL)
    }

    /// A new namespace below the caller's own, made by who has these credentials: the caller, or what it will be in its new user
    /// namespace.
    ///
    /// # References
    /// kernel/nsproxy.c:copy_namespaces; kernel/pid_namespace.c:copy_pid_ns, create_pid_namespace
    pub(crate) fn nest(
        &mut self,
        caller: ProcessId,
        maker: Credentials,
        differs: &'static crate::Rule,
    ) -> Result<NsId, Errno> {
        let process = self.process(caller);
        let own = process.ns;
        let elsewhere = process.target != Some(own);
        if !maker.capable {
            self.because(&rule::OWNER_UNPRIVILEGED, caller);
            if elsewhere {
                self.because(&rule::CLONE_ERROR_PRECEDENCE, caller);
            }
            return Err(Errno::EPERM);
        }
        if elsewhere {
            self.because(differs, caller);
            return Err(Errno::EINVAL);
        }
        self.may_own_below(caller, maker, own)?;
        if self.ns(own).level + self.levels_above >= MAX_LEVEL {
            self.because(&rule::LIMIT_DEPTH, caller);
            if self.levels_above > 0 {
                self.because(&rule::LIMIT_DEPTH_ABSOLUTE, caller);
            }
            return Err(Errno::ENOSPC);
        }
        self.stays_within_limits(caller, maker)?;
        if maker.user_ns != self.credentials(caller).user_ns {
            self.because(&rule::CLONE_NEWUSER_NEWPID, caller);
        }
        if maker.user_ns != UserNsId::OUTERMOST {
            self.because(&rule::OWNER_WHO, caller);
        }
        if self.pid_max_per_namespace && self.ns(own).pid_max != crate::namespace::PID_MAX_LIMIT {
            self.because(&rule::LIMIT_PIDMAX_NO_INHERIT, caller);
        }
        Ok(self.new_namespace(Some(own), maker))
    }

    /// Fills the record of a child: what it inherits; the rest is as in every vacant record. Answers its parent.
    fn newborn(
        &mut self,
        caller: ProcessId,
        child: ProcessId,
        ns: NsId,
        row: u32,
        exit_signal: Option<Signal>,
        flags: CloneFlags,
    ) -> ProcessId {
        let born = self.births;
        self.births += 1;
        let blocked = self.process(caller).blocked;
        let leader = self.leader(caller);
        if flags.intersects(CloneFlags::CLONE_SIGHAND | CloneFlags::CLONE_VM) {
            self.share(leader, child, flags);
        }
        let father = self.process(leader);
        let mut parent_execed = false;
        let (parent, exit_signal) = if flags.contains(CloneFlags::CLONE_PARENT) {
            parent_execed = father.parent_execed;
            let parent = father.parent.expect("only an init has its parent outside, and it has no siblings");
            (parent, father.exit_signal)
        } else {
            (caller, exit_signal)
        };
        let (ignored, caught) = (father.ignored, father.caught);
        let no_child_wait = father.no_child_wait;
        let child = self.process_mut(child);
        debug_assert!(child.life == Life::Vacant, "a record is emptied when it becomes free");
        child.life = Life::Alive;
        child.ns = ns;
        child.target = Some(ns);
        child.row = row;
        child.born = born;
        child.parent = Some(parent);
        child.exit_signal = exit_signal;
        child.blocked = blocked;
        child.ignored = ignored;
        child.caught = caught;
        child.no_child_wait = no_child_wait;
        child.parent_execed = parent_execed;
        parent
    }

    /// What few callers have and their children have then, too: other credentials than root's, and a memory that is closed.
    #[cold]
    fn inherit_rarities(&mut self, caller: ProcessId, child: ProcessId, new: Option<Credentials>) {
        let who = new.unwrap_or_else(|| self.credentials(caller));
        self.process_mut(child).set_credentials(who);
        let closed = self.lead(caller).extra.as_ref().is_some_and(|extra| extra.undumpable);
        if closed && self.process(child).thread_of.is_none() {
            self.process_mut(child).extra().undumpable = true;
        }
    }

    /// One memory for both, and perhaps one table of signal actions.
    #[cold]
    fn share(&mut self, leader: ProcessId, child: ProcessId, flags: CloneFlags) {
        let own = &mut self.processes[leader.index()].extra().memory;
        if *own == 0 {
            self.memories += 1;
            *own = self.memories;
        }
        let memory = *own;
        self.process_mut(child).extra().memory = memory;
        if !flags.contains(CloneFlags::CLONE_SIGHAND) {
            return;
        }
        if self.process(leader).handlers() == 0 {
            self.handler_tables += 1;
            let table = self.handler_tables;
            self.process_mut(leader).extra().handlers = table;
        }
        let table = self.process(leader).handlers();
        self.process_mut(child).extra().handlers = table;
        self.because(&rule::CLONE_SIGHAND_SHARES, child);
    }

    /// Gives a new process its place: in the tree, in its group and session, and as init if it is the first.
    fn settle_in(&mut self, caller: ProcessId, child: ProcessId, parent: ProcessId, ns: NsId, flags: CloneFlags) {
        self.append_child(parent, child);
        let maker = self.lead(caller);
        let group = maker.group.expect("a live process is in a group");
        let session = maker.session.expect("a live process is in a session");
        self.join_group(child, group);
        self.join_session(child, session);
        let namespace = self.ns_mut(ns);
        // As its own namespace, and as the target of its children.
        namespace.references += 2;
        // The first process of a namespace has number 1 there.
        let first = namespace.phase == Phase::Empty;
        if first {
            namespace.phase = Phase::Open(child);
            self.process_mut(child).unkillable = true;
        }
        if self.explains() {
            self.explain_birth(caller, child, first, flags);
        }
    }

    #[cold]
    fn explain_birth(&mut self, caller: ProcessId, child: ProcessId, first: bool, flags: CloneFlags) {
        let new_ns = flags.contains(CloneFlags::CLONE_NEWPID);
        let elsewhere = self.process(child).ns != self.process(caller).ns;
        if first {
            self.because(if new_ns { &rule::CLONE_NEWPID_INIT } else { &rule::UNSHARE_FIRST_CHILD_INIT }, child);
            self.because(&rule::PG_INIT_INITIAL, child);
        } else if elsewhere {
            self.because(&rule::SETNS_INJECTED_CHILD, child);
        }
        if elsewhere {
            self.because(&rule::CLONE_RETURN_VIEW, child);
            self.because(&rule::UNSHARE_CHILD_INHERITS_TARGET, child);
            if flags.contains(CloneFlags::CLONE_VM) {
                self.because(if new_ns { &rule::CLONE_NEWPID_VM } else { &rule::CLONE_VM_TARGET_DIFFERS }, child);
            }
        }
        self.explain_depth(child, new_ns);
        if flags.contains(CloneFlags::CLONE_PARENT) {
            self.explain_sibling(caller, child, new_ns);
        }
        self.explain_inheritance(caller, child);
    }

    fn explain_depth(&mut self, child: ProcessId, new_ns: bool) {
        if !new_ns && self.ns(self.process(child).ns).level + self.levels_above == MAX_LEVEL {
            self.because(&rule::LIMIT_DEPTH_OTHER_OPS, child);
        }
    }

    fn explain_sibling(&mut self, caller: ProcessId, child: ProcessId, new_ns: bool) {
        let caller = self.leader(caller);
        self.because(&rule::CP_SIBLING, child);
        self.because(&rule::WAIT_ORDER_CLONE_PARENT, child);
        let own = self.process(caller).ns;
        let parent_outside = self.process(caller).parent.is_some_and(|parent| self.process(parent).ns != own);
        if parent_outside {
            self.because(&rule::CLONE_PARENT_INJECTED, child);
            self.because(&rule::CP_INJECTED, child);
        }
        if new_ns {
            self.because(&rule::CLONE_NEWPID_PARENT, child);
        } else if self.process(child).ns != own {
            self.because(&rule::CLONE_PARENT_TARGET_DIFFERS, child);
        }
    }

    /// What a child has from its maker, and what it has not.
    fn explain_inheritance(&mut self, caller: ProcessId, child: ProcessId) {
        let father = self.lead(caller);
        let (ignores, subreaper, pdeath) =
            (father.ignored.contains(Signal::CHLD), father.subreaper, father.pdeath_signal.is_some());
        let of_init = father.unkillable && !self.process(child).unkillable;
        if ignores {
            self.because(&rule::EXIT_IGN_INHERITED, child);
        }
        if subreaper {
            self.because(&rule::REAP_FLAG_SCOPE, child);
        }
        if pdeath {
            self.because(&rule::PDEATH_LIFETIME, child);
        }
        if of_init {
            self.because(&rule::SIG_INIT_FLAG_SCOPE, child);
        }
    }

    pub(crate) fn append_child(&mut self, parent: ProcessId, child: ProcessId) {
        let last = self.process(parent).last_child;
        {
            let child = self.process_mut(child);
            child.previous_sibling = last;
            child.next_sibling = None;
        }
        match last {
            Some(last) => self.process_mut(last).next_sibling = Some(child),
            None => self.process_mut(parent).first_child = Some(child),
        }
        self.process_mut(parent).last_child = Some(child);
    }

    /// Takes a child out of the list that `owner` heads.
    pub(crate) fn unlink_child(&mut self, owner: ProcessId, child: ProcessId) {
        let (previous, next) = (self.process(child).previous_sibling, self.process(child).next_sibling);
        match previous {
            Some(previous) => self.process_mut(previous).next_sibling = next,
            None => self.process_mut(owner).first_child = next,
        }
        match next {
            Some(next) => self.process_mut(next).previous_sibling = previous,
            None => self.process_mut(owner).last_child = previous,
        }
        let child = self.process_mut(child);
        child.previous_sibling = None;
        child.next_sibling = None;
    }

    /// prctl(2), `PR_SET_CHILD_SUBREAPER`.
    ///
    /// # References
    /// PR_SET_CHILD_SUBREAPER(2const); kernel/sys.c:prctl
    pub fn set_child_subreaper(&mut self, caller: ProcessId, on: bool) {
        self.assert_acts(caller);
        if self.process(caller).first_child.is_some() {
            self.because(&rule::REAP_FLAG_SET_LATE, caller);
        }
        self.lead_mut(caller).subreaper = on;
    }

    /// prctl(2), `PR_SET_PDEATHSIG`.
    ///
    /// # References
    /// PR_SET_PDEATHSIG(2const); kernel/sys.c:prctl
    pub fn set_pdeathsig(&mut self, caller: ProcessId, signal: Option<Signal>) {
        self.assert_acts(caller);
        self.because(&rule::PDEATH_LIFETIME, caller);
        self.process_mut(caller).pdeath_signal = signal;
    }

    /// Calls are made by processes that are able to.
    #[inline]
    pub(crate) fn assert_acts(&self, caller: ProcessId) {
        assert!(self.process(caller).is_running(), "the caller of a call is able to act");
    }

    pub(crate) fn forget_signals(&mut self, process: ProcessId) {
        // Signals for the process are left to its other threads.
        let shared_stay = self.has_threads(process);
        let closed = self.process(self.leader(process)).extra.as_ref().is_some_and(|extra| extra.undumpable);
        let process = self.process_mut(process);
        if let Some(mut extra) = process.extra.take() {
            extra.pending.retain(|pending| shared_stay && !pending.private);
            process.extra =
                Some(Box::new(Extra { framed: Vec::new(), call: None, vfork_waiter: None, closed, ..*extra }));
            process.trim();
        }
    }
}
