//! Users, and the user namespaces that say over what a user has power.
//!
//! Nearly every process of a scenario is root of the outermost user namespace, and may do everything. The others:
//!
//! ```text
//!   setuid(1000)         the same user namespace, another user, no capabilities
//!   CLONE_NEWUSER        a new user namespace below, the same user, all capabilities there and none above
//! ```
//!
//! Each PID namespace is owned by a user namespace, and power over it is power in its owner. Nobody here writes a map of
//! users, so no user of a new user namespace has a number in it.

use std::collections::BTreeMap;

use pidlab_scenario::{CloneFlags, Errno, Signal};

use crate::process::Life;
use crate::{NsId, ProcessId, World, rule};

/// A user namespace, by the order in which they are made.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct UserNsId(u32);

impl UserNsId {
    pub(crate) const OUTERMOST: UserNsId = UserNsId(0);
}

/// Who a thread is, and what it may do (kernel: `struct cred`).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Credentials {
    /// Its real, effective and saved user id, as the outermost user namespace has it.
    pub(crate) user: u32,
    pub(crate) user_ns: UserNsId,
    /// It has every capability in its user namespace; otherwise none.
    pub(crate) capable: bool,
}

impl Credentials {
    pub(crate) const ROOT: Credentials = Credentials { user: 0, user_ns: UserNsId::OUTERMOST, capable: true };
}

/// How many PID namespaces are counted for one user of a user namespace.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
struct Count {
    /// That exist.
    live: u32,
    /// That are gone, but that Linux may still count: it forgets them some time later.
    gone: u32,
}

#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct UserNamespace {
    /// `None` for the outermost.
    parent: Option<UserNsId>,
    /// The user that made it.
    owner: u32,
    /// How many PID namespaces each of its users may have (kernel: `ucount_max`).
    max_pid_namespaces: u32,
    counts: BTreeMap<u32, Count>,
}

impl UserNamespace {
    pub(crate) fn outermost() -> UserNamespace {
        UserNamespace { parent: None, owner: 0, max_pid_namespaces: NO_LIMIT, counts: BTreeMap::new() }
    }
}

/// What a new user namespace has as its limit.
const NO_LIMIT: u32 = i32::MAX as u32;

/// What a message shows as the user of a sender that has no number in the receiver's user namespace (proc_sys_kernel(5),
/// `overflowuid`).
pub(crate) const OVERFLOW_USER: u32 = 65534;

impl World {
    pub(crate) fn credentials(&self, thread: ProcessId) -> Credentials {
        self.process(thread).credentials().unwrap_or(Credentials::ROOT)
    }

    /// The user that a process is, as the outermost user namespace has it.
    pub fn user(&self, process: ProcessId) -> u32 {
        self.credentials(process).user
    }

    fn user_ns(&self, id: UserNsId) -> &UserNamespace {
        &self.user_namespaces[id.0 as usize]
    }

    /// Whether somebody has the capabilities in a user namespace: those of its own it has itself, and the user who made a
    /// user namespace has all in it and below.
    ///
    /// # References
    /// user_namespaces(7), Capabilities; security/commoncap.c:cap_capable
    pub(crate) fn is_capable(&self, who: Credentials, over: UserNsId) -> bool {
        let mut at = over;
        loop {
            if at == who.user_ns {
                return who.capable;
            }
            let namespace = self.user_ns(at);
            let Some(parent) = namespace.parent else { return false };
            if parent == who.user_ns && namespace.owner == who.user {
                return true;
            }
            at = parent;
        }
    }

    /// Whether a thread has the capabilities in the user namespace that owns a PID namespace.
    #[inline]
    pub(crate) fn rules_over(&self, thread: ProcessId, ns: NsId) -> bool {
        match self.process(thread).credentials() {
            None => true,
            Some(who) => self.is_capable(who, self.ns(ns).owner),
        }
    }

    /// Whether a thread may mount a file system: all are in the mount namespace that the outermost user namespace owns.
    pub(crate) fn can_mount(&self, thread: ProcessId) -> bool {
        self.is_capable(self.credentials(thread), UserNsId::OUTERMOST)
    }

    /// Whether a user namespace is another one or below it.
    fn is_user_ns_within(&self, inner: UserNsId, outer: UserNsId) -> bool {
        std::iter::successors(Some(inner), |at| self.user_ns(*at).parent).any(|at| at == outer)
    }

    /// The credentials of a child, or of an unsharer: the caller's own, or with `CLONE_NEWUSER` those in a new user namespace.
    ///
    /// # Errors
    /// `EPERM`: the caller's user has no number in its own user namespace.
    ///
    /// # References
    /// clone(2), ERRORS; kernel/user_namespace.c:create_user_ns
    pub(crate) fn new_credentials(&mut self, caller: ProcessId, flags: CloneFlags) -> Result<Credentials, Errno> {
        let own = self.credentials(caller);
        if !flags.contains(CloneFlags::CLONE_NEWUSER) {
            return Ok(own);
        }
        if own.user_ns != UserNsId::OUTERMOST {
            self.because(&rule::USER_NESTED_UNMAPPED, caller);
            return Err(Errno::EPERM);
        }
        self.because(&rule::USER_NEWUSER, caller);
        let made = UserNsId(u32::try_from(self.user_namespaces.len()).expect("each is made by a call"));
        self.user_namespaces.push(UserNamespace {
            parent: Some(own.user_ns),
            owner: own.user,
            max_pid_namespaces: NO_LIMIT,
            counts: BTreeMap::new(),
        });
        Ok(Credentials { user: own.user, user_ns: made, capable: true })
    }

    /// Takes a user namespace back that [`World::new_credentials`] has made for a call that failed.
    pub(crate) fn drop_credentials(&mut self, caller: ProcessId, made: Credentials) {
        if made.user_ns != self.credentials(caller).user_ns {
            self.user_namespaces.truncate(made.user_ns.0 as usize);
        }
    }

    /// Whether a PID namespace may be made below `around` by who has these credentials.
    ///
    /// # Errors
    /// `EINVAL`: the new owner would not be the owner of the namespace around it, nor below that.
    ///
    /// # References
    /// kernel/pid_namespace.c:create_pid_namespace
    pub(crate) fn may_own_below(&mut self, caller: ProcessId, maker: Credentials, around: NsId) -> Result<(), Errno> {
        let outer = self.ns(around).owner;
        if !self.is_user_ns_within(maker.user_ns, outer) {
            self.because(&rule::OWNER_NESTING, caller);
            return Err(Errno::EINVAL);
        }
        if maker.user_ns != outer {
            self.because(&rule::OWNER_CHILD_USERNS_CALLER, caller);
        }
        Ok(())
    }

    /// Whether one more PID namespace stays within the limits.
    ///
    /// # Errors
    /// `ENOSPC`: it does not.
    ///
    /// # References
    /// kernel/ucount.c:inc_ucount
    pub(crate) fn stays_within_limits(&mut self, caller: ProcessId, maker: Credentials) -> Result<(), Errno> {
        if self.limit_is_open(caller) {
            self.because(&rule::LIMIT_UCOUNT_RELEASE, caller);
        }
        let full = |(namespace, count): (&UserNamespace, Count)| {
            let counted = if self.gone_count { count.live + count.gone } else { count.live };
            counted >= namespace.max_pid_namespaces
        };
        if self.charged(maker.user_ns, maker.user).map(|at| self.count(at)).any(full) {
            self.because(&rule::LIMIT_UCOUNT, caller);
            return Err(Errno::ENOSPC);
        }
        Ok(())
    }

    /// Whether it depends on how soon Linux forgets a PID namespace that is gone, if the caller may make one more.
    pub(crate) fn limit_is_open(&self, caller: ProcessId) -> bool {
        let Credentials { user_ns, user, .. } = self.credentials(caller);
        let open = |(namespace, count): (&UserNamespace, Count)| {
            let max = namespace.max_pid_namespaces;
            count.live < max && count.live + count.gone >= max
        };
        self.charged(user_ns, user).map(|at| self.count(at)).any(open)
    }

    /// Where a user's PID namespace counts: for itself, and for whoever made its user namespace, and so on. What counts in the
    /// outermost user namespace is the machine's, and is left out.
    fn charged(&self, user_ns: UserNsId, user: u32) -> impl Iterator<Item = (UserNsId, u32)> + '_ {
        let out = |at: (UserNsId, u32)| Some((self.user_ns(at.0).parent?, self.user_ns(at.0).owner));
        std::iter::successors(Some((user_ns, user)), move |at| out(*at))
            .filter(|at| self.user_ns(at.0).parent.is_some())
    }

    fn count(&self, (user_ns, user): (UserNsId, u32)) -> (&UserNamespace, Count) {
        let namespace = self.user_ns(user_ns);
        (namespace, namespace.counts.get(&user).copied().unwrap_or_default())
    }

    fn count_namespace(&mut self, user_ns: UserNsId, user: u32, change: impl Fn(&mut Count)) {
        if user_ns == UserNsId::OUTERMOST {
            return;
        }
        for (user_ns, user) in self.charged(user_ns, user).collect::<Vec<_>>() {
            change(self.user_namespaces[user_ns.0 as usize].counts.entry(user).or_default());
        }
    }

    /// Forgets the PID namespaces that are gone: a call that failed may have made and lost one.
    pub(crate) fn forget_gone(&mut self) {
        for namespace in &mut self.user_namespaces {
            namespace.counts.retain(|_, count| {
                count.gone = 0;
                count.live > 0
            });
        }
    }

    /// A PID namespace was made.
    pub(crate) fn count_made(&mut self, user_ns: UserNsId, user: u32) {
        self.count_namespace(user_ns, user, |count| count.live += 1);
    }

    /// A PID namespace is gone.
    pub(crate) fn count_gone(&mut self, user_ns: UserNsId, user: u32) {
        self.count_namespace(user_ns, user, |count| {
            count.live -= 1;
            count.gone += 1;
        });
    }

    /// Whether a thread is in another user namespace than the outermost one.
    pub(crate) fn is_in_own_user_namespace(&self, thread: ProcessId) -> bool {
        self.credentials(thread).user_ns != UserNsId::OUTERMOST
    }

    /// Reads `user.max_pid_namespaces` of the caller's user namespace. What it is in the outermost one is the machine's affair; here
    /// there is no limit.
    ///
    /// # References
    /// namespaces(7), The /proc/sys/user directory; kernel/ucount.c
    pub fn max_pid_namespaces(&mut self, caller: ProcessId) -> u32 {
        self.because(&rule::LIMIT_UCOUNT_DEFAULT, caller);
        self.user_ns(self.credentials(caller).user_ns).max_pid_namespaces
    }

    /// Writes `user.max_pid_namespaces` of the caller's user namespace. For the outermost one nothing happens here.
    ///
    /// # Errors
    /// `EACCES`: the caller has no capabilities; `EINVAL`: above 2147483647.
    ///
    /// # References
    /// namespaces(7), The /proc/sys/user directory; kernel/ucount.c:set_permissions
    pub fn set_max_pid_namespaces(&mut self, caller: ProcessId, value: i64) -> Result<(), Errno> {
        let who = self.credentials(caller);
        if !who.capable {
            self.because(&rule::LIMIT_UCOUNT_PERM, caller);
            return Err(Errno::EACCES);
        }
        self.because(&rule::LIMIT_UCOUNT_DEFAULT, caller);
        let value = u32::try_from(value).ok().filter(|value| *value <= NO_LIMIT).ok_or(Errno::EINVAL)?;
        if who.user_ns != UserNsId::OUTERMOST {
            self.user_namespaces[who.user_ns.0 as usize].max_pid_namespaces = value;
        }
        Ok(())
    }

    /// setuid(2), of the calling thread alone, as the system call is (nptl(7) says what the C library makes of it).
    ///
    /// # Errors
    /// `EINVAL`: the user namespace has no such user; `EPERM`: the caller is somebody else and may not change that.
    ///
    /// # Panics
    /// If the caller cannot act.
    ///
    /// # References
    /// setuid(2); kernel/sys.c:__sys_setuid
    pub fn setuid(&mut self, caller: ProcessId, user: u32) -> Result<(), Errno> {
        self.assert_acts(caller);
        let own = self.credentials(caller);
        if own.user_ns != UserNsId::OUTERMOST || (user != 0 && !self.another_user) {
            self.because(&rule::USER_SETUID_UNMAPPED, caller);
            return Err(Errno::EINVAL);
        }
        self.because(&rule::USER_SETUID, caller);
        if user == own.user {
            return Ok(());
        }
        if !own.capable {
            return Err(Errno::EPERM);
        }
        if self.process(caller).pdeath_signal.is_some() {
            self.because(&rule::PDEATH_LIFETIME, caller);
        }
        let record = self.process_mut(caller);
        record.pdeath_signal = None;
        record.set_credentials(Credentials { user, capable: user == 0, ..own });
        let leader = self.leader(caller);
        for sharer in self.sharers_of_memory(leader) {
            self.process_mut(sharer).extra().undumpable = true;
        }
        Ok(())
    }

    /// Everybody with the same memory: processes made with `CLONE_VM`.
    fn sharers_of_memory(&self, leader: ProcessId) -> Vec<ProcessId> {
        let memory = self.process(leader).extra.as_ref().map_or(0, |extra| extra.memory);
        if memory == 0 {
            return vec![leader];
        }
        let same = |other: &ProcessId| self.process(*other).extra.as_ref().is_some_and(|extra| extra.memory == memory);
        self.processes().filter(same).collect()
    }

    /// Whether a thread may look into another process: what opens the namespace links of procfs, and the namespaces behind a
    /// pidfd.
    ///
    /// # References
    /// ptrace(2), Ptrace access mode checking; kernel/ptrace.c:__ptrace_may_access; security/commoncap.c:cap_ptrace_access_check
    pub(crate) fn may_look_into(&mut self, caller: ProcessId, at: ProcessId) -> bool {
        let Some(who) = self.process(caller).credentials() else { return true };
        let (leader, whom) = (self.leader(at), self.credentials(at));
        if leader == self.leader(caller) {
            return true;
        }
        let has_power = self.is_capable(who, whom.user_ns);
        if who.user != whom.user && !has_power {
            return false;
        }
        // What root has left in memory is not for everybody with the new user.
        if self.is_closed(at) && !self.is_capable(who, UserNsId::OUTERMOST) {
            return false;
        }
        has_power || (who.user_ns == whom.user_ns && (who.capable || !whom.capable))
    }

    /// Whether only those with power over everybody may look into a process: its memory is not to be dumped, or was not when it
    /// ended.
    fn is_closed(&mut self, at: ProcessId) -> bool {
        let lives = self.process(at).life == Life::Alive;
        let record = if lives { self.leader(at) } else { at };
        let extra = self.process(record).extra.as_ref();
        if lives {
            return extra.is_some_and(|extra| extra.undumpable);
        }
        if !extra.is_some_and(|extra| extra.closed) {
            return false;
        }
        let closed = self.closed_after_death;
        self.because(if closed { &rule::PROC_CLOSED_AFTER_DEATH } else { &rule::PROC_OPEN_AFTER_DEATH }, at);
        closed
    }

    /// Whether a thread may send this signal to another.
    ///
    /// # References
    /// kill(2), DESCRIPTION; kernel/signal.c:check_kill_permission
    pub(crate) fn may_signal(&mut self, sender: ProcessId, to: ProcessId, signal: Option<Signal>) -> bool {
        let Some(who) = self.process(sender).credentials() else { return true };
        if self.leader(sender) == self.leader(to) {
            return true;
        }
        let whom = self.credentials(to);
        if who.user == whom.user || self.is_capable(who, whom.user_ns) {
            return true;
        }
        if signal == Some(Signal::CONT) && self.session(sender) == self.session(to) {
            self.because(&rule::SIG_PERM_CONT, to);
            return true;
        }
        self.because(&rule::SIG_PERM, to);
        false
    }
}
