//! Giving out numbers: one in the namespace of the new process and one in each namespace around it.
//!
//! ```text
//!   level 2   cursor 7   ──▶ 7        the deepest level first;
//!   level 1   cursor 12  ──▶ 12       the first level without a number ends it all
//!   level 0   cursor 31  ──▶ 31
//! ```

use pidlab_scenario::Errno;

use crate::namespace::{Phase, RESERVED_PIDS};
use crate::{NsId, ProcessId, World, rule};

impl World {
    /// Takes a number in `ns` and in every namespace around it, for the record `holder`. `set_tid` asks for particular
    /// numbers, innermost first. Answers the row of numbers.
    ///
    /// # Errors
    /// `EINVAL`, `EEXIST`: what `set_tid` asks for; `EAGAIN`: a level is full; `ENOMEM`: the init of `ns` has ended.
    ///
    /// # References
    /// kernel/pid.c:alloc_pid
    pub(crate) fn allocate_pid(&mut self, ns: NsId, set_tid: &[i32], holder: ProcessId) -> Result<u32, Errno> {
        let level = self.ns(ns).level;
        if set_tid.len() > level as usize + 1 {
            self.because(&rule::SETTID_SIZE, holder);
            return Err(Errno::EINVAL);
        }
        let mut taken = [0; crate::namespace::MAX_LEVEL as usize + 1];
        let mut at = Some(ns);
        let mut done = 0;
        let mut failed = None;
        while let Some(current) = at {
            let asked = set_tid.get(done).copied();
            match self.allocate_at(current, asked, holder) {
                Ok(number) => taken[level as usize - done] = number,
                Err(errno) => {
                    failed = Some(errno);
                    break;
                }
            }
            done += 1;
            at = self.ns(current).parent;
        }
        // Only now: whatever is wrong with a number wins over the death of the namespace.
        if failed.is_none() && !self.ns(ns).is_open() {
            self.because(&rule::ALLOC_ENOMEM_DEAD_NS, holder);
            failed = Some(Errno::ENOMEM);
        }
        if let Some(errno) = failed {
            self.roll_back(ns, &taken[..=level as usize], done);
            return Err(errno);
        }
        self.count_numbers(ns);
        self.because(&rule::ALLOC_ONE_PER_LEVEL, holder);
        Ok(self.numbers.add(level, &taken[..=level as usize]))
    }

    fn allocate_at(&mut self, ns: NsId, asked: Option<i32>, holder: ProcessId) -> Result<u32, Errno> {
        let number = match asked {
            Some(asked) => self.asked_number(ns, asked, holder)?,
            None => self.next_number(ns, holder)?,
        };
        self.ns_mut(ns).ids.insert(number, holder);
        Ok(number)
    }

    /// A number that the caller has chosen; it does not move the cursor.
    fn asked_number(&mut self, ns: NsId, asked: i32, holder: ProcessId) -> Result<u32, Errno> {
        let namespace = self.ns(ns);
        let number = u32::try_from(asked).ok().filter(|number| (1..namespace.pid_max).contains(number));
        let Some(number) = number else {
            self.because(&rule::SETTID_RANGE, holder);
            return Err(Errno::EINVAL);
        };
        if number != 1 && namespace.phase == Phase::Empty {
            self.because(&rule::SETTID_INIT_MUST_BE_1, holder);
            return Err(Errno::EINVAL);
        }
        if !namespace.ids.is_free(number) {
            self.because(&rule::SETTID_EEXIST, holder);
            return Err(Errno::EEXIST);
        }
        self.because(&rule::SETTID_CURSOR_UNMOVED, holder);
        Ok(number)
    }

    /// The next number in turn: the lowest free one from the cursor on, then from the floor.
    fn next_number(&mut self, ns: NsId, holder: ProcessId) -> Result<u32, Errno> {
        let namespace = self.ns(ns);
        let floor = if namespace.cursor > RESERVED_PIDS { RESERVED_PIDS } else { 1 };
        let start = namespace.cursor.max(floor);
        let last = namespace.pid_max - 1;
        let mut wrapped = false;
        let mut found = namespace.ids.first_free(start, last);
        if found.is_none() && start > floor {
            wrapped = true;
            found = namespace.ids.first_free(floor, last);
        }
        let Some(number) = found else {
            self.because(&rule::ALLOC_EAGAIN_EXHAUSTED, holder);
            return Err(Errno::EAGAIN);
        };
        if wrapped {
            self.because(&rule::ALLOC_RESERVED_WRAP, holder);
        } else if number > start {
            self.because(&rule::ALLOC_LIVE_SKIP, holder);
        }
        self.ns_mut(ns).cursor = number + 1;
        Ok(number)
    }

    /// Gives back the numbers of the `done` innermost levels. Their cursors stay where they are, except in a namespace
    /// that has never had a process.
    fn roll_back(&mut self, ns: NsId, taken: &[u32], done: usize) {
        let mut at = Some(ns);
        for number in taken.iter().rev().take(done) {
            let current = at.expect("a number was taken at each of these levels");
            let namespace = self.ns_mut(current);
            namespace.ids.remove(*number);
            at = namespace.parent;
        }
        let namespace = self.ns_mut(ns);
        if namespace.phase == Phase::Empty && namespace.allocated == 0 {
            namespace.cursor = 0;
        }
    }

    fn count_numbers(&mut self, ns: NsId) {
        let mut at = Some(ns);
        while let Some(current) = at {
            let namespace = self.ns_mut(current);
            namespace.allocated += 1;
            at = namespace.parent;
        }
        self.ns_mut(ns).references += 1;
    }

    /// Gives a record's numbers back, at every level, and the record too if nothing refers to it.
    ///
    /// # References
    /// kernel/pid.c:free_pid
    pub(crate) fn free_pid(&mut self, id: ProcessId) {
        let ns = self.process(id).ns;
        let level = self.ns(ns).level;
        let row = self.process(id).row;
        let mut at = Some(ns);
        while let Some(current) = at {
            let number = self.numbers.row(self.ns(ns).level, row)[self.ns(current).level as usize];
            let namespace = self.ns_mut(current);
            namespace.ids.remove(number);
            namespace.allocated -= 1;
            at = namespace.parent;
            if let Phase::Closing(init) = namespace.phase
                && namespace.allocated == 1
            {
                self.wake(init);
            }
        }
        self.numbers.remove(level, row);
        self.put_namespace(ns);
        if self.process(id).pins == 0 {
            self.vacate(id);
        } else {
            // A sleeping wait still means this group; the record only stands for "a group that is gone".
            let pins = self.process(id).pins;
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
    /// `EINVAL`: below 0 or above `pid_max`.
    ///
    /// # References
    /// kernel/pid_namespace.c:pid_ns_ctl_handler
    pub fn set_ns_last_pid(&mut self, caller: ProcessId, value: i64) -> Result<(), Errno> {
        self.because(&rule::LASTPID_WRITE, caller);
        let ns = self.process(caller).ns;
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
        self.because(&rule::LIMIT_PIDMAX_PER_NS, caller);
        self.ns(self.process(caller).ns).pid_max
    }

    /// Writes `pid_max` of the caller's namespace.
    ///
    /// # Errors
    /// `EINVAL`: not in 301 to 4194304.
    ///
    /// # References
    /// proc_sys_kernel(5); kernel/pid.c
    pub fn set_pid_max(&mut self, caller: ProcessId, value: i64) -> Result<(), Errno> {
        self.because(&rule::LIMIT_PIDMAX_RANGE, caller);
        let allowed = i64::from(RESERVED_PIDS) + 1..=i64::from(crate::namespace::PID_MAX_LIMIT);
        let value =
            u32::try_from(value).ok().filter(|value| allowed.contains(&i64::from(*value))).ok_or(Errno::EINVAL)?;
        let ns = self.process(caller).ns;
        self.ns_mut(ns).pid_max = value;
        Ok(())
    }
}
