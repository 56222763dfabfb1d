//! Giving out numbers: one in the namespace of the new process and one in each namespace around it.
//!
//! ```text
//!   level 2   cursor 7   ──▶ 7        the deepest level first;
//!   level 1   cursor 12  ──▶ 12       the first level without a number ends it all
//!   level 0   cursor 31  ──▶ 31
//! ```

use pidlab_scenario::Errno;

use crate::namespace::{Found, Phase, RESERVED_PIDS};
use crate::user::UserNsId;
use crate::{Misconception, NsId, ProcessId, World, rule};

impl World {
    /// Takes a number in `ns` and in every namespace around it, for the record `holder`. `set_tid` asks for particular
    /// numbers, innermost first. Answers the row of numbers.
    ///
    /// # Errors
    /// `EINVAL`, `EPERM`, `EEXIST`: what `set_tid` asks for; `EAGAIN`: a level is full; `ENOMEM`: the init of `ns` has ended.
    ///
    /// # References
    /// kernel/pid.c:alloc_pid
    pub(crate) fn allocate_pid(
        &mut self,
        ns: NsId,
        set_tid: &[i32],
        holder: ProcessId,
        caller: ProcessId,
    ) -> Result<u32, Errno> {
        let innermost = self.ns(ns);
        let (level, open) = (innermost.level, innermost.is_open());
        if set_tid.len() > level as usize + 1 {
            self.because(&rule::SETTID_SIZE, holder);
            return Err(Errno::EINVAL);
        }
        if !set_tid.is_empty() && self.set_tid_checked_first {
            self.check_all(ns, set_tid, holder, caller)?;
        }
        let restart = self.restart();
        let row = self.numbers.add(level);
        let mut at = Some(ns);
        let mut done = 0;
        while let Some(current) = at {
            let asked = set_tid.get(done as usize).copied();
            match self.allocate_at(current, asked, restart, (holder, caller)) {
                Ok((number, around)) => {
                    self.numbers.set(level, row, level - done, number);
                    at = around;
                }
                Err(errno) => {
                    self.roll_back(ns, row, done, set_tid, holder);
                    return Err(errno);
                }
            }
            done += 1;
        }
        // Only now: whatever is wrong with a number wins over the death of the namespace.
        if !open {
            self.because(&rule::ALLOC_ENOMEM_DEAD_NS, holder);
            self.because(&rule::ZAP_NO_NEW_PIDS, holder);
            if !set_tid.is_empty() {
                self.because(&rule::SETTID_DEAD_NS, holder);
            }
            self.roll_back(ns, row, done, set_tid, holder);
            return Err(Errno::ENOMEM);
        }
        if !set_tid.is_empty() {
            self.because(&rule::SETTID_ORDER, holder);
        }
        self.because(&rule::ALLOC_ONE_PER_LEVEL, holder);
        Ok(row)
    }

    /// Newer kernels look at every chosen number before they take the first.
    #[cold]
    fn check_all(&mut self, ns: NsId, set_tid: &[i32], holder: ProcessId, caller: ProcessId) -> Result<(), Errno> {
        let around: Vec<NsId> = std::iter::successors(Some(ns), |at| self.ns(*at).parent).collect();
        let mut asked = around.into_iter().zip(set_tid);
        let mut check = |at: NsId, asked: i32| {
            self.is_in_range(at, asked, holder)?;
            self.may_choose(at, holder, caller)
        };
        asked.try_for_each(|(at, asked)| check(at, *asked)).inspect_err(|_| {
            if set_tid.len() > 1 {
                self.because(&rule::SETTID_CHECKED_FIRST, holder);
            }
            if !self.ns(ns).is_open() {
                self.because(&rule::ALLOC_ENOMEM_AFTER_EAGAIN, holder);
            }
        })
    }

    fn explain_failure(&mut self, ns: NsId, set_tid: &[i32], done: u32, holder: ProcessId) {
        if !self.ns(ns).is_open() {
            self.because(&rule::ALLOC_ENOMEM_AFTER_EAGAIN, holder);
        }
        let level = self.ns(ns).level;
        if level > 0 && done <= level {
            self.because(&rule::ALLOC_ORDER_DEEPEST_FIRST, holder);
        }
        if set_tid.len() > 1 && (done as usize) < set_tid.len() && !self.set_tid_checked_first {
            self.because(&rule::SETTID_INTERLEAVED_ERRORS, holder);
        }
    }

    /// Takes a number at one level. Answers it, and which namespace is around this one.
    #[inline]
    fn allocate_at(
        &mut self,
        ns: NsId,
        asked: Option<i32>,
        restart: u32,
        (holder, caller): (ProcessId, ProcessId),
    ) -> Result<(u32, Option<NsId>), Errno> {
        if let Some(asked) = asked {
            self.check_at(ns, asked, (holder, caller))?;
            let number = self.asked_number(ns, asked, holder)?;
            let namespace = self.ns_mut(ns);
            namespace.take(number, holder);
            return Ok((number, namespace.parent));
        }
        let namespace = self.ns_mut(ns);
        let around = namespace.parent;
        let Some(found) = namespace.take_next(restart, holder) else {
            self.explain_exhaustion(ns, holder);
            return Err(Errno::EAGAIN);
        };
        if self.explains() {
            self.explain_number(ns, found, holder);
        }
        Ok((found.number, around))
    }

    /// From where a cursor that has reached the end goes on.
    #[inline]
    fn restart(&self) -> u32 {
        if self.believes(Misconception::NumbersRestartAtTwo) { 2 } else { RESERVED_PIDS }
    }

    /// What is left to check of a chosen number when its level's turn comes.
    #[cold]
    fn check_at(&mut self, ns: NsId, asked: i32, (holder, caller): (ProcessId, ProcessId)) -> Result<(), Errno> {
        if self.set_tid_checked_first {
            return self.must_be_init(ns, asked, holder);
        }
        self.is_in_range(ns, asked, holder)?;
        self.must_be_init(ns, asked, holder)?;
        self.may_choose(ns, holder, caller)
    }

    fn is_in_range(&mut self, ns: NsId, asked: i32, holder: ProcessId) -> Result<(), Errno> {
        if u32::try_from(asked).is_ok_and(|number| (1..self.ns(ns).pid_max).contains(&number)) {
            return Ok(());
        }
        self.because(&rule::SETTID_RANGE, holder);
        Err(Errno::EINVAL)
    }

    fn may_choose(&mut self, ns: NsId, holder: ProcessId, caller: ProcessId) -> Result<(), Errno> {
        if self.rules_over(caller, ns) {
            return Ok(());
        }
        self.because(&rule::SETTID_PERM, holder);
        Err(Errno::EPERM)
    }

    /// The first number of a namespace is 1, be it chosen or not.
    fn must_be_init(&mut self, ns: NsId, asked: i32, holder: ProcessId) -> Result<(), Errno> {
        if asked != 1 && self.ns(ns).is_unpeopled() {
            self.because(&rule::SETTID_INIT_MUST_BE_1, holder);
            return Err(Errno::EINVAL);
        }
        Ok(())
    }

    /// A number that the caller has chosen and may choose; it does not move the cursor.
    #[cold]
    fn asked_number(&mut self, ns: NsId, asked: i32, holder: ProcessId) -> Result<u32, Errno> {
        let namespace = self.ns(ns);
        let number = u32::try_from(asked).expect("it is in the range of the level");
        if !namespace.ids.is_free(number) {
            self.because(&rule::SETTID_EEXIST, holder);
            return Err(Errno::EEXIST);
        }
        if namespace.is_exhausted(self.restart()) {
            self.because(&rule::SETTID_BYPASSES_EXHAUSTION, holder);
        }
        self.because(&rule::SETTID_CURSOR_UNMOVED, holder);
        Ok(number)
    }

    #[cold]
    fn explain_exhaustion(&mut self, ns: NsId, holder: ProcessId) {
        self.because(&rule::ALLOC_EAGAIN_EXHAUSTED, holder);
        if self.ns(ns).pid_max == RESERVED_PIDS + 1 {
            self.because(&rule::LIMIT_PIDMAX_MINIMAL_TRAP, holder);
        }
    }

    #[cold]
    fn explain_number(&mut self, ns: NsId, found: Found, holder: ProcessId) {
        let rule = match found.wrapped {
            Some(RESERVED_PIDS) => &rule::ALLOC_RESERVED_WRAP,
            Some(_) => &rule::ALLOC_RESERVED_IS_CURSOR_BASED,
            None if self.ns(ns).phase == Phase::Empty => &rule::ALLOC_STARTS_AT_1,
            None if found.number > found.start => &rule::ALLOC_LIVE_SKIP,
            None => &rule::ALLOC_CYCLIC,
        };
        self.because(rule, holder);
        if found.wrapped.is_some() {
            self.because(&rule::ALLOC_ALGORITHM, holder);
        }
    }

    /// Gives back the numbers of the `done` innermost levels, and the row. Their cursors stay where they are, except in a
    /// namespace that has never had a process.
    #[cold]
    fn roll_back(&mut self, ns: NsId, row: u32, done: u32, set_tid: &[i32], holder: ProcessId) {
        self.explain_failure(ns, set_tid, done, holder);
        self.give_back(ns, row, done);
        let namespace = self.ns_mut(ns);
        if namespace.phase == Phase::Empty && namespace.allocated == 0 {
            namespace.cursor = 0;
            self.because(&rule::ALLOC_FAILURE_CURSOR_FIRST, holder);
        } else if done > 0 {
            self.because(&rule::ALLOC_FAILURE_CURSOR, holder);
        }
        if done > 0 {
            self.because(&rule::ALLOC_ROLLBACK, holder);
        }
    }

    /// Gives back the numbers of the `done` innermost levels, and the row.
    fn give_back(&mut self, ns: NsId, row: u32, done: u32) {
        let level = self.ns(ns).level;
        let mut current = ns;
        for depth in 0..done {
            let number = self.numbers.take(level, row, level - depth);
            let namespace = self.ns_mut(current);
            namespace.give_back(number);
            current = namespace.parent.unwrap_or(current);
        }
        self.numbers.remove(level, row);
    }

    /// clone(2) that fails at its very end, with numbers given out at every level: there is nowhere to write its pidfd. Whatever
    /// makes a fork fail earlier does so here, too.
    ///
    /// # Panics
    /// If the caller cannot act.
    ///
    /// # References
    /// clone(2), ERRORS; kernel/fork.c:copy_process; kernel/pid.c:free_pid
    pub fn failed_fork(&mut self, caller: ProcessId) -> Errno {
        self.assert_acts(caller);
        let ns = self.process(caller).target.expect("a live process has a target namespace");
        let row = match self.allocate_pid(ns, &[], self.next_record(), caller) {
            Ok(row) => row,
            Err(errno) => return errno,
        };
        self.because(&rule::ALLOC_POST_ALLOC_FAILURE_BURNS, caller);
        self.give_back(ns, row, self.ns(ns).level + 1);
        if self.ns(ns).phase == Phase::Empty {
            if self.first_fork_may_fail {
                self.because(&rule::ALLOC_POST_ALLOC_FAILURE_TRIED_AGAIN, caller);
                self.ns_mut(ns).cursor = 0;
            } else {
                self.because(&rule::ALLOC_POST_ALLOC_FAILURE_KILLS_FRESH_NS, caller);
                self.ns_mut(ns).phase = Phase::Stillborn;
            }
        }
        Errno::EFAULT
    }

    /// Gives a record's numbers back, at every level, and the record too if nothing refers to it.
    ///
    /// # References
    /// kernel/pid.c:free_pid
    pub(crate) fn free_pid(&mut self, id: ProcessId) {
        let record = self.process(id);
        let (ns, row, pins) = (record.ns, record.row, record.pins);
        let level = self.ns(ns).level;
        let mut at = Some(ns);
        let mut depth = level;
        while let Some(current) = at {
            let number = self.numbers.take(level, row, depth);
            depth = depth.saturating_sub(1);
            let namespace = self.ns_mut(current);
            namespace.give_back(number);
            at = namespace.parent;
            let (phase, left) = (namespace.phase, namespace.allocated);
            if let Phase::Closing(init) = phase
                && left == self.numbers_of_init(init)
            {
                self.wake(init);
            }
        }
        self.numbers.remove(level, row);
        self.put_namespace(ns);
        if pins == 0 {
            self.vacate(id);
        } else {
            // A sleeping wait still means this group; the record only stands for "a group that is gone".
            *self.process_mut(id) = crate::process::Process::vacant();
            self.process_mut(id).pins = pins;
        }
    }

    /// Reads `ns_last_pid` of the caller's namespace: the cursor less one.
    ///
    /// # References
    /// proc_sys_kernel(5); kernel/pid_namespace.c:pid_ns_ctl_handler
    pub fn ns_last_pid(&mut self, caller: ProcessId) -> i64 {
        self.because(&rule::LASTPID_READ, caller);
        i64::from(self.ns(self.process(caller).ns).cursor) - 1
    }

    /// Writes `ns_last_pid` of the caller's namespace: the next number is the lowest free one above.
    ///
    /// # Errors
    /// `EPERM`: the caller has no capabilities in the user namespace that owns it; `EINVAL`: below 0 or above `pid_max`.
    ///
    /// # References
    /// kernel/pid_namespace.c:pid_ns_ctl_handler
    pub fn set_ns_last_pid(&mut self, caller: ProcessId, value: i64) -> Result<(), Errno> {
        let ns = self.process(caller).ns;
        if !self.rules_over(caller, ns) {
            self.because(&rule::LASTPID_PERM, caller);
            return Err(Errno::EPERM);
        }
        self.because(&rule::LASTPID_WRITE, caller);
        let namespace = self.ns_mut(ns);
        let last = u32::try_from(value).ok().filter(|value| *value <= namespace.pid_max).ok_or(Errno::EINVAL)?;
        namespace.cursor = last + 1;
        Ok(())
    }

    /// Reads `pid_max` of the caller's namespace.
    ///
    /// # References
    /// proc_sys_kernel(5); kernel/pid.c:pid_table_root_lookup
    pub fn pid_max(&mut self, caller: ProcessId) -> u32 {
        let per_ns = self.pid_max_per_namespace;
        self.because(if per_ns { &rule::LIMIT_PIDMAX_PER_NS } else { &rule::LIMIT_PIDMAX_COMMON }, caller);
        self.ns(self.process(caller).ns).pid_max
    }

    /// Writes `pid_max` of the caller's namespace.
    ///
    /// # Errors
    /// `EACCES`: the caller has no capabilities in the user namespace that owns it, and is not root there either; `EINVAL`: not
    /// in 301 to 4194304.
    ///
    /// # References
    /// proc_sys_kernel(5); kernel/pid.c:pid_table_root_permissions
    pub fn set_pid_max(&mut self, caller: ProcessId, value: i64) -> Result<(), Errno> {
        if !self.may_write_pid_max(caller) {
            let per_ns = self.pid_max_per_namespace;
            self.because(if per_ns { &rule::LIMIT_PIDMAX_PERM } else { &rule::LIMIT_PIDMAX_PERM_COMMON }, caller);
            return Err(Errno::EACCES);
        }
        self.because(&rule::LIMIT_PIDMAX_RANGE, caller);
        let allowed = i64::from(RESERVED_PIDS) + 1..=i64::from(crate::namespace::PID_MAX_LIMIT);
        let value =
            u32::try_from(value).ok().filter(|value| allowed.contains(&i64::from(*value))).ok_or(Errno::EINVAL)?;
        let ns = self.process(caller).ns;
        if value < self.ns(ns).pid_max {
            self.because(&rule::LIMIT_PIDMAX_LOWERING, caller);
        }
        if self.pid_max_per_namespace {
            self.ns_mut(ns).pid_max = value;
            return Ok(());
        }
        self.because(&rule::LIMIT_PIDMAX_COMMON, caller);
        for ns in self.namespaces().collect::<Vec<_>>() {
            self.ns_mut(ns).pid_max = value;
        }
        Ok(())
    }

    /// Root of the owning user namespace needs no capability, and nobody is root where users have no numbers.
    fn may_write_pid_max(&self, caller: ProcessId) -> bool {
        let ns = if self.pid_max_per_namespace { self.process(caller).ns } else { NsId::OUTERMOST };
        let is_root = self.ns(ns).owner == UserNsId::OUTERMOST && self.user(caller) == 0;
        is_root || self.rules_over(caller, ns)
    }
}
