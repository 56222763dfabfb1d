//! The world: every process and every namespace, and the queue of what is about to happen.

use std::collections::VecDeque;
use std::hash::{Hash, Hasher};
use std::num::NonZeroU32;

use pidlab_scenario::{Errno, Fact, Facts};

use crate::ids::IdTable;
use crate::namespace::{Namespace, PID_MAX_LIMIT, Phase};
use crate::numbers::NumberTable;
use crate::process::{Life, Process, ProcessState, Return};
use crate::signal::Handled;
use crate::user::{Credentials, UserNamespace};
use crate::wait::Waited;
use crate::{Misconception, Rule};

/// A process of a [`World`], from its birth until it is reaped. Not a number: those belong to namespaces.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ProcessId(NonZeroU32);

impl ProcessId {
    pub(crate) fn new(index: usize) -> ProcessId {
        let number = u32::try_from(index + 1).ok().and_then(NonZeroU32::new);
        ProcessId(number.expect("the numbers of a namespace run out long before the records do"))
    }

    /// Its place in the arena: small, and used again after the process is reaped.
    pub fn index(self) -> usize {
        self.0.get() as usize - 1
    }
}

/// A PID namespace of a [`World`], for as long as something keeps it in existence.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct NsId(NonZeroU32);

impl NsId {
    /// The world's outermost namespace.
    pub const OUTERMOST: NsId = NsId(NonZeroU32::MIN);

    pub(crate) fn new(index: usize) -> NsId {
        let number = u32::try_from(index + 1).ok().and_then(NonZeroU32::new);
        NsId(number.expect("there are fewer namespaces than processes"))
    }

    /// Its place in the arena: small, and used again after the namespace is gone.
    pub fn index(self) -> usize {
        self.0.get() as usize - 1
    }
}

/// A number that a process has in one namespace; never 0. What is not visible in a namespace has no `Pid` there.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[doc(alias = "pid_t")]
pub struct Pid(pub(crate) NonZeroU32);

impl Pid {
    pub(crate) fn new(number: u32) -> Pid {
        Pid(NonZeroU32::new(number).expect("numbers are given out from 1 on"))
    }

    /// The bare number.
    pub fn get(self) -> u32 {
        self.0.get()
    }
}

/// A world of processes in nested PID namespaces.
///
/// It starts with one process, [`World::host`], PID 1 of the outermost namespace. Operations are named after the system
/// calls, take the calling process first, and answer with what Linux would answer. After each the world is quiet:
/// everything that the call set going has happened, first come first served.
///
/// ```
/// use pidlab_sim::{ProcessState, World};
///
/// let mut world = World::new();
/// let host = world.host();
/// let parent = world.fork(host)?;
/// let child = world.fork(parent)?;
/// world.exit(parent, 0);
/// assert_eq!(world.state(parent), Some(ProcessState::Zombie));
/// assert_eq!(world.parent(child), Some(host));
/// # Ok::<(), pidlab_scenario::Errno>(())
/// ```
#[derive(Clone)]
pub struct World {
    pub(crate) processes: Vec<Process>,
    free_processes: Vec<ProcessId>,
    namespaces: Vec<Option<Namespace>>,
    pub(crate) numbers: NumberTable,
    /// Processes with something to do: a signal to take, an exit to run, a wait to look at again.
    pub(crate) runnable: VecDeque<ProcessId>,
    pub(crate) returned: Vec<(ProcessId, Return)>,
    pub(crate) births: u64,
    namespaces_made: u64,
    /// How many levels of namespaces are above the outermost one of this world.
    pub(crate) levels_above: u32,
    pub(crate) pid_max_per_namespace: bool,
    pub(crate) last_thread_status: bool,
    pub(crate) pidfd_hangs_up: bool,
    pub(crate) pid_translation: bool,
    pub(crate) pidfd_open_thread_is_enoent: bool,
    pub(crate) set_tid_checked_first: bool,
    pub(crate) pid_for_children_before_init: bool,
    pub(crate) closed_after_death: bool,
    pub(crate) first_fork_may_fail: bool,
    pub(crate) pidfd_namespaces: bool,
    pub(crate) pidfd_info: bool,
    pub(crate) pidfd_info_is_remote: bool,
    pub(crate) procfs_pidns: bool,
    /// Whether there is another user to become than root.
    pub(crate) another_user: bool,
    /// For one call: PID namespaces that are gone still count for the limits on them.
    pub(crate) gone_count: bool,
    /// User namespaces in the order in which they were made. They stay: nothing can tell.
    pub(crate) user_namespaces: Vec<UserNamespace>,
    /// Tables of signal actions that processes share, counted as they are made.
    pub(crate) handler_tables: u32,
    /// Memories that processes share, counted in the same way.
    pub(crate) memories: u32,
    /// Threads whose exec has put them in their leader's place, each with the leader.
    pub(crate) replaced: Vec<(ProcessId, ProcessId)>,
    recording: bool,
    pub(crate) belief: Option<Misconception>,
    reasons: Vec<(&'static Rule, ProcessId)>,
}

impl World {
    /// A world of the newest kernel, its outermost namespace at the top.
    pub fn new() -> World {
        World::with(&Facts::newest(), 0)
    }

    /// A world of a kernel with these facts, with `levels_above` namespaces around its outermost one (they count for the
    /// nesting limit of 32).
    pub fn with(facts: &Facts, levels_above: u32) -> World {
        let host = ProcessId::new(0);
        let mut world = World {
            processes: Vec::new(),
            free_processes: Vec::new(),
            namespaces: Vec::new(),
            numbers: NumberTable::default(),
            runnable: VecDeque::new(),
            returned: Vec::new(),
            births: 0,
            namespaces_made: 0,
            levels_above,
            pid_max_per_namespace: facts.holds(Fact::PidMaxPerNamespace),
            last_thread_status: facts.holds(Fact::LastThreadStatus),
            pidfd_hangs_up: facts.holds(Fact::PidfdHangsUp),
            pid_translation: facts.holds(Fact::PidTranslation),
            pidfd_open_thread_is_enoent: facts.holds(Fact::PidfdOpenThreadIsEnoent),
            set_tid_checked_first: facts.holds(Fact::SetTidCheckedFirst),
            pid_for_children_before_init: facts.holds(Fact::PidForChildrenBeforeInit),
            first_fork_may_fail: facts.holds(Fact::FirstForkMayFail),
            pidfd_namespaces: facts.holds(Fact::PidfdNamespaces),
            pidfd_info: facts.holds(Fact::PidfdInfo),
            pidfd_info_is_remote: facts.holds(Fact::PidfdInfoIsRemote),
            procfs_pidns: facts.holds(Fact::ProcfsPidns),
            closed_after_death: facts.holds(Fact::ClosedAfterDeath),
            another_user: facts.holds(Fact::AnotherUser),
            gone_count: false,
            user_namespaces: vec![UserNamespace::outermost()],
            handler_tables: 0,
            memories: 0,
            replaced: Vec::new(),
            recording: false,
            belief: None,
            reasons: Vec::new(),
        };
        let outermost = world.new_namespace(None, Credentials::ROOT);
        debug_assert_eq!(outermost, NsId::OUTERMOST);
        let allocated = world.allocate_pid(outermost, &[], host, host).expect("an empty namespace has room");
        let namespace = world.ns_mut(outermost);
        namespace.phase = Phase::Open(host);
        // As its own namespace, and as the target of its children.
        namespace.references += 2;
        let mut process = Process::vacant();
        process.life = Life::Alive;
        process.target = Some(outermost);
        process.row = allocated;
        process.unkillable = true;
        process.session_leader = true;
        world.processes.push(process);
        world.births = 1;
        world.join_group(host, host);
        world.join_session(host, host);
        world
    }

    /// The first process: PID 1 of the outermost namespace, leader of its group and session, its parent outside.
    pub fn host(&self) -> ProcessId {
        ProcessId::new(0)
    }

    /// What a process is doing; `None` once it is reaped.
    pub fn state(&self, process: ProcessId) -> Option<ProcessState> {
        self.processes.get(process.index())?.state()
    }

    /// Every process, and every thread beside a leader, that is not reaped, in the order of the arena.
    pub fn processes(&self) -> impl Iterator<Item = ProcessId> + '_ {
        self.processes
            .iter()
            .enumerate()
            .filter(|(_, process)| process.is_task())
            .map(|(index, _)| ProcessId::new(index))
    }

    /// Its parent, by the leader of it; `None` for the host, whose parent is outside.
    #[doc(alias = "real_parent")]
    pub fn parent(&self, process: ProcessId) -> Option<ProcessId> {
        self.lead(process).parent.map(|parent| self.leader(parent))
    }

    /// The children of a thread, in the order of the parent's list: born and adopted ones at the tail.
    pub fn children(&self, process: ProcessId) -> impl Iterator<Item = ProcessId> + '_ {
        let mut next = self.process(process).first_child;
        std::iter::from_fn(move || {
            let child = next?;
            next = self.process(child).next_sibling;
            Some(child)
        })
    }

    /// The PID namespace that it is in, for life.
    #[doc(alias = "task_active_pid_ns")]
    pub fn namespace(&self, process: ProcessId) -> NsId {
        self.process(process).ns
    }

    /// The PID namespace of its next child; `None` once it has ended.
    #[doc(alias = "pid_ns_for_children")]
    pub fn namespace_for_children(&self, process: ProcessId) -> Option<NsId> {
        self.process(process).target
    }

    /// The namespace around a namespace; `None` for the outermost.
    pub fn parent_namespace(&self, ns: NsId) -> Option<NsId> {
        self.ns(ns).parent
    }

    /// How deep a namespace is; the outermost has 0.
    pub fn level(&self, ns: NsId) -> u32 {
        self.ns(ns).level
    }

    /// A number for the namespace that no other namespace of this world ever has.
    pub fn namespace_serial(&self, ns: NsId) -> u64 {
        self.ns(ns).serial
    }

    /// The init of a namespace; `None` before it is born and after it has ended.
    #[doc(alias = "child_reaper")]
    pub fn init(&self, ns: NsId) -> Option<ProcessId> {
        self.ns(ns).reaper()
    }

    /// Its numbers, from the outermost namespace inward.
    pub fn pids(&self, process: ProcessId) -> &[u32] {
        let record = self.process(process);
        self.numbers.row(self.ns(record.ns).level, record.row)
    }

    /// Its number in a namespace; `None` where it has none.
    ///
    /// # References
    /// kernel/pid.c:pid_nr_ns
    #[doc(alias = "pid_nr_ns")]
    pub fn pid_in(&self, process: ProcessId, ns: NsId) -> Option<Pid> {
        let record = self.process(process);
        let level = self.ns(ns).level;
        // Mostly somebody looks at its like.
        let own_level = if record.ns == ns { level } else { self.ns(record.ns).level };
        let visible = record.ns == ns || self.ancestor_at(record.ns, level) == Some(ns);
        visible.then(|| Pid::new(self.numbers.row(own_level, record.row)[level as usize]))
    }

    /// The process that has this number in a namespace.
    #[doc(alias = "find_task_by_pid_ns")]
    pub fn find(&self, ns: NsId, number: i32) -> Option<ProcessId> {
        self.find_pid(ns, number).filter(|found| self.process(*found).is_task())
    }

    /// The leader of its process group; it may be reaped already.
    pub fn group(&self, process: ProcessId) -> Option<ProcessId> {
        self.lead(process).group
    }

    /// The leader of its session; it may be reaped already.
    pub fn session(&self, process: ProcessId) -> Option<ProcessId> {
        self.lead(process).session
    }

    /// The signals that its handlers got since [`World::clear_handled`], in the order in which they ran.
    pub fn handled(&self, process: ProcessId) -> &[Handled] {
        self.process(process).extra.as_ref().map_or(&[], |extra| &extra.handled)
    }

    /// Forgets the signals that handlers got.
    pub fn clear_handled(&mut self) {
        for process in &mut self.processes {
            if let Some(extra) = process.extra.as_mut() {
                extra.handled.clear();
                process.trim();
            }
        }
    }

    /// Waits that had blocked and have returned since the last call of this, in the order of the processes.
    pub fn take_returned(&mut self) -> Vec<(ProcessId, Result<Waited, Errno>)> {
        let waits = |(process, what)| match what {
            Return::Wait(result) => Some((process, result)),
            Return::Told => None,
        };
        self.returned.drain(..).filter_map(waits).collect()
    }

    /// Starts (or ends) noting which rule decides what; off at the start, and then costs nothing.
    pub fn record_reasons(&mut self, on: bool) {
        self.recording = on;
    }

    /// The rules that decided since the last call of this, in order, each with the process that it was about.
    pub fn take_reasons(&mut self) -> Vec<(&'static Rule, ProcessId)> {
        std::mem::take(&mut self.reasons)
    }

    /// Notes that a rule decided something about a process.
    #[inline]
    pub(crate) fn because(&mut self, rule: &'static Rule, subject: ProcessId) {
        if self.recording {
            self.note(rule, subject);
        }
    }

    /// Apart, so that what nobody asks for takes no room in the code that decides.
    #[cold]
    #[inline(never)]
    fn note(&mut self, rule: &'static Rule, subject: ProcessId) {
        self.reasons.push((rule, subject));
    }

    /// Whether reasons are noted: what only serves to find them is skipped otherwise.
    #[inline]
    pub(crate) fn explains(&self) -> bool {
        self.recording
    }

    #[inline]
    pub(crate) fn process(&self, process: ProcessId) -> &Process {
        &self.processes[process.index()]
    }

    #[inline]
    pub(crate) fn process_mut(&mut self, process: ProcessId) -> &mut Process {
        &mut self.processes[process.index()]
    }

    #[inline]
    pub(crate) fn ns(&self, ns: NsId) -> &Namespace {
        self.namespaces[ns.index()].as_ref().expect("a namespace in use exists")
    }

    #[inline]
    pub(crate) fn ns_mut(&mut self, ns: NsId) -> &mut Namespace {
        self.namespaces[ns.index()].as_mut().expect("a namespace in use exists")
    }

    /// The namespace itself or the one around it that is at this level.
    pub(crate) fn ancestor_at(&self, mut ns: NsId, level: u32) -> Option<NsId> {
        loop {
            let namespace = self.ns(ns);
            if namespace.level <= level {
                return (namespace.level == level).then_some(ns);
            }
            ns = namespace.parent?;
        }
    }

    /// Whether `inner` is `outer` or below it.
    pub(crate) fn is_within(&self, inner: NsId, outer: NsId) -> bool {
        self.ancestor_at(inner, self.ns(outer).level) == Some(outer)
    }

    /// Whoever holds this number, be it only as the id of a group or session.
    pub(crate) fn find_pid(&self, ns: NsId, number: i32) -> Option<ProcessId> {
        let number = u32::try_from(number).ok().filter(|number| *number > 0)?;
        self.ns(ns).ids.get(number)
    }

    /// The record that the next process will have.
    #[inline]
    pub(crate) fn next_record(&self) -> ProcessId {
        self.free_processes.last().copied().unwrap_or_else(|| ProcessId::new(self.processes.len()))
    }

    /// Takes the record that [`World::next_record`] named; it is vacant, to be filled in place.
    #[inline]
    pub(crate) fn occupy(&mut self, id: ProcessId) {
        match self.free_processes.pop() {
            Some(free) => debug_assert_eq!(free, id),
            None => self.processes.push(Process::vacant()),
        }
    }

    #[inline(always)]
    pub(crate) fn vacate(&mut self, id: ProcessId) {
        self.processes[id.index()] = Process::vacant();
        self.free_processes.push(id);
    }

    /// Which records are used next must not depend on the order in which processes died.
    pub(crate) fn sort_free_records(&mut self) {
        self.free_processes.sort_unstable_by(|a, b| b.cmp(a));
        self.numbers.sort_free_rows();
    }

    pub(crate) fn new_namespace(&mut self, parent: Option<NsId>, maker: Credentials) -> NsId {
        self.count_made(maker.user_ns, maker.user);
        let pid_max = match parent {
            Some(parent) if !self.pid_max_per_namespace => self.ns(parent).pid_max,
            None if !self.pid_max_per_namespace => 32_768,
            _ => PID_MAX_LIMIT,
        };
        let namespace = Namespace {
            parent,
            level: parent.map_or(0, |parent| self.ns(parent).level + 1),
            phase: Phase::Empty,
            ids: IdTable::default(),
            cursor: 0,
            pid_max,
            allocated: 0,
            references: 0,
            reboot: None,
            owner: maker.user_ns,
            counted_for: maker.user,
            serial: self.namespaces_made,
        };
        self.namespaces_made += 1;
        if let Some(parent) = parent {
            self.ns_mut(parent).references += 1;
        }
        match self.namespaces.iter().position(Option::is_none) {
            Some(index) => {
                self.namespaces[index] = Some(namespace);
                NsId::new(index)
            }
            None => {
                self.namespaces.push(Some(namespace));
                NsId::new(self.namespaces.len() - 1)
            }
        }
    }

    /// Every namespace in existence.
    pub(crate) fn namespaces(&self) -> impl Iterator<Item = NsId> + '_ {
        (0..self.namespaces.len()).filter(|index| self.namespaces[*index].is_some()).map(NsId::new)
    }

    /// One reason less for a namespace to exist; without one it goes, and so may the ones around it.
    #[inline]
    pub(crate) fn put_namespace(&mut self, ns: NsId) {
        let namespace = self.ns_mut(ns);
        namespace.references -= 1;
        if namespace.references == 0 {
            self.remove_namespace(ns);
        }
    }

    #[cold]
    fn remove_namespace(&mut self, ns: NsId) {
        let namespace = self.ns(ns);
        let (around, owner, user) = (namespace.parent, namespace.owner, namespace.counted_for);
        self.namespaces[ns.index()] = None;
        self.count_gone(owner, user);
        if let Some(around) = around {
            self.put_namespace(around);
        }
    }
}

impl Default for World {
    fn default() -> World {
        World::new()
    }
}

/// Worlds are equal when nothing can ever tell them apart. Left out: the reasons so far, the order of the queue (all
/// orders are possible), the order of free records, and the tables of numbers, which follow from the processes.
impl PartialEq for World {
    fn eq(&self, other: &World) -> bool {
        let namespace = |ns: &Option<Namespace>| {
            ns.as_ref().map(|ns| {
                (ns.parent, ns.phase, ns.cursor, ns.pid_max, ns.allocated, ns.references, ns.reboot, ns.serial)
            })
        };
        self.births == other.births
            && self.processes == other.processes
            && self.returned == other.returned
            && self.numbers == other.numbers
            && self.user_namespaces == other.user_namespaces
            && self.namespaces.iter().map(namespace).eq(other.namespaces.iter().map(namespace))
    }
}

impl Eq for World {}

impl Hash for World {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.processes.hash(state);
        self.returned.hash(state);
        self.user_namespaces.hash(state);
        for ns in self.namespaces.iter().flatten() {
            (ns.phase, ns.cursor, ns.pid_max, ns.allocated, ns.reboot, ns.serial).hash(state);
        }
    }
}
