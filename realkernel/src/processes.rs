//! Every process of a scenario as the conductor knows them, by role, and the namespaces that they are in.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::fs::MetadataExt;

use pidlab_scenario::{NamespaceId, ProcessView, Role, State};

use crate::eyes::{Eyes, Kind};
use crate::lean;
use crate::process::{Inode, Process};
use crate::sight::{self, Sight};
use crate::sys::raw::Raw;
use crate::sys::{os, queues};

/// Every process of a run, by role.
pub(crate) struct Processes {
    eyes: &'static Eyes,
    /// Whether they have real-time priorities, above the conductor's.
    pub(crate) real_time: bool,
    known: BTreeMap<Role, Process>,
    /// Namespaces with their ancestors (outermost first, itself last), each held open.
    namespaces: BTreeMap<Inode, (Vec<Inode>, File)>,
    /// The order in which observations first showed them.
    shown: Vec<Inode>,
    /// Namespaces that a step keeps open, by the role that they were opened for. A mount is a descriptor that names a file and has not
    /// opened it.
    kept: BTreeMap<Role, File>,
    /// The pidfds whose last close kills, by who is killed. Nobody else has one.
    leashes: BTreeMap<Role, OwnedFd>,
    /// The message queues, by who has made each.
    queues: BTreeMap<Role, OwnedFd>,
}

impl Processes {
    /// None yet.
    pub(crate) fn new(eyes: &'static Eyes, real_time: bool) -> Processes {
        Processes {
            eyes,
            real_time,
            known: BTreeMap::new(),
            namespaces: BTreeMap::new(),
            shown: Vec::new(),
            kept: BTreeMap::new(),
            leashes: BTreeMap::new(),
            queues: BTreeMap::new(),
        }
    }

    /// Takes in a process that has just been made: `pidfd` is the conductor's.
    pub(crate) fn born(&mut self, role: Role, pidfd: OwnedFd) -> io::Result<()> {
        let number = number_of(&pidfd)?;
        self.take_in(role, None, number, Some(pidfd))
    }

    /// Takes in a thread that another one of its process has just made: it is the one that nobody knows yet.
    pub(crate) fn thread_born(&mut self, role: Role, maker: Role) -> io::Result<()> {
        let maker = self.get(maker).ok_or_else(|| io::Error::other("a thread that nobody made"))?;
        let leader = maker.leader();
        let mut number = None;
        for entry in fs::read_dir(format!("/proc/{}/task", maker.number))? {
            let found = entry?.file_name().to_str().and_then(|name| name.parse::<i32>().ok());
            if !self.iter().any(|process| !process.gone && Some(process.number) == found) {
                number = found;
            }
        }
        let number = number.ok_or_else(|| io::Error::other("a new thread is not among those of its process"))?;
        self.take_in(role, Some(leader), number, os::thread_pidfd(number))
    }

    fn take_in(&mut self, role: Role, thread_of: Option<Role>, number: i32, pidfd: Option<OwnedFd>) -> io::Result<()> {
        let rest = self.eyes.rest.as_ref();
        let (sight, told, namespaces) = match &self.eyes.kind {
            Kind::Files(witness) => {
                let namespaces = self.path_of_namespace(number, pidfd.as_ref(), None)?;
                let files = namespaces.iter().filter_map(|inode| Some(&self.namespaces.get(inode)?.1));
                let told = rest.and_then(|_| lean::told(number, files));
                let told = told.map_or_else(|| sight::read_status(number), Ok)?;
                let sight =
                    if rest.is_some() { Sight::by_few_files(number)? } else { Sight::by_files(number, *witness)? };
                (sight, told, namespaces)
            }
            Kind::Program(looker) => {
                let (sight, told, namespace) = Sight::by_program(looker, number)?;
                (sight, told, self.path_of_namespace(number, pidfd.as_ref(), Some(namespace))?)
            }
        };
        self.known.insert(role, Process::new(role, thread_of, number, namespaces, pidfd, (sight, rest), told)?);
        Ok(())
    }

    /// Looks at all that are not gone, where that is done at once.
    pub(crate) fn look_at_all(&mut self) {
        let Kind::Program(looker) = &self.eyes.kind else { return };
        let mut alive: Vec<&mut Process> = self.known.values_mut().filter(|process| !process.gone).collect();
        let numbers: Vec<i32> = alive.iter().map(|process| process.number).collect();
        looker.look(&numbers, |index, seen| alive[index].was_seen(seen.as_ref()));
    }

    /// A descriptor of a process or thread, by its number there. Before Linux 6.9 a thread has no pidfd, but its leader has, and they
    /// have one table of files.
    pub(crate) fn descriptor_of(&self, role: Role, number: i32) -> io::Result<OwnedFd> {
        let process = self.get(role).ok_or_else(|| io::Error::other("a descriptor of nobody"))?;
        if !process.own_files {
            return os::own_descriptor(number);
        }
        // Not the one that has been held: after an exec by a thread that is of nobody.
        let leaders = || os::process_pidfd(self.leader_of(role)?.number);
        let pidfd = os::thread_pidfd(process.number).or_else(leaders);
        os::descriptor_of(pidfd.ok_or_else(|| io::Error::other("a process without a pidfd"))?.as_fd(), number)
    }

    /// Keeps a namespace open, in place of what was kept for this role.
    pub(crate) fn keep(&mut self, of: Role, namespace: OwnedFd) {
        self.kept.insert(of, File::from(namespace));
    }

    /// Keeps it open no longer.
    pub(crate) fn let_go(&mut self, of: Role) {
        self.kept.remove(&of);
    }

    /// What is kept open for a role, opened anew: also where it is a mount.
    pub(crate) fn kept(&self, of: Role) -> Option<io::Result<OwnedFd>> {
        let kept = self.kept.get(&of)?;
        Some(File::open(format!("/proc/self/fd/{}", kept.as_raw_fd())).map(OwnedFd::from))
    }

    /// Lets the pidfd that a process was born with be its leash, and holds the process by another.
    pub(crate) fn put_on_a_leash(&mut self, role: Role) -> io::Result<()> {
        let process = self.known.get_mut(&role).ok_or_else(|| io::Error::other("a leash for nobody"))?;
        let another = os::process_pidfd(process.number).ok_or_else(|| io::Error::other("a process without a pidfd"))?;
        if let Some(leash) = process.pidfd.replace(another) {
            self.leashes.insert(role, leash);
        }
        Ok(())
    }

    /// A copy of the leash of a process, if it has one.
    pub(crate) fn leash(&self, of: Role) -> Option<io::Result<OwnedFd>> {
        self.leashes.get(&of).map(OwnedFd::try_clone)
    }

    /// Lets the leash be in nobody's hands but those that have a copy.
    pub(crate) fn let_the_leash_go(&mut self, of: Role) {
        self.leashes.remove(&of);
    }

    /// Holds the message queue of a process, in place of one that it had before it ran another program.
    pub(crate) fn keep_queue(&mut self, of: Role, queue: OwnedFd) {
        self.queues.insert(of, queue);
    }

    /// The message queue of a process, if it has made one.
    pub(crate) fn queue(&self, of: Role) -> Option<io::Result<OwnedFd>> {
        self.queues.get(&of).map(OwnedFd::try_clone)
    }

    /// Takes back who of these, dead by now, is to be told of messages. A queue that is closed for the last time by somebody else keeps its hold of a `struct pid` and of
    /// a user namespace for ever, and so of a PID namespace (ipc/mqueue.c:mqueue_evict_inode); a message that nobody hears of ends the registration.
    pub(crate) fn take_registrations_back(&self) {
        for queue in self.queues.values() {
            queues::send(queue.as_raw_fd() as Raw);
        }
    }

    /// Notes that a process has a table of files of its own.
    pub(crate) fn has_own_files(&mut self, role: Role) {
        if let Some(process) = self.known.get_mut(&role) {
            process.own_files = true;
        }
    }

    /// Notes that it has called execve, by which it has a table of files of its own.
    pub(crate) fn has_executed(&mut self, role: Role) {
        if let Some(process) = self.known.get_mut(&role) {
            process.has_executed();
        }
    }

    /// After an exec by a thread, its role stands for the process: with the leader's number, and what belongs to it. The leader's
    /// role is gone, as is the thread's own number.
    pub(crate) fn take_leaders_place(&mut self, role: Role) {
        let Some(leader) = self.get(role).and_then(|thread| thread.thread_of) else { return };
        let (Some(mut thread), Some(mut process)) = (self.known.remove(&role), self.known.remove(&leader)) else {
            return;
        };
        thread.take_place_of(&mut process);
        self.known.insert(role, process);
        self.known.insert(leader, thread);
    }

    /// The namespaces of a process, outermost first. Its own may be known already.
    fn path_of_namespace(
        &mut self,
        number: i32,
        pidfd: Option<&OwnedFd>,
        own: Option<Inode>,
    ) -> io::Result<Vec<Inode>> {
        if let Some((path, _)) = own.and_then(|own| self.namespaces.get(&own)) {
            return Ok(path.clone());
        }
        // By its pidfd where that tells: a process whose files in procfs were looked up takes longer to end.
        let by_pidfd = pidfd.and_then(|pidfd| os::namespace_of(pidfd.as_fd()).ok()).map(File::from);
        let file = by_pidfd.map_or_else(|| File::open(format!("/proc/{number}/ns/pid")), Ok)?;
        let inode = file.metadata()?.ino();
        if let Some((path, _)) = self.namespaces.get(&inode) {
            return Ok(path.clone());
        }
        let mut path = match self.namespaces.is_empty() {
            // The first process is host, and its namespace the outermost of the scenario.
            true => Vec::new(),
            false => {
                let parent = File::from(os::namespace_parent(file.as_fd())?).metadata()?.ino();
                let known = self.namespaces.get(&parent);
                known.ok_or_else(|| io::Error::other("a namespace below one that no process is in"))?.0.clone()
            }
        };
        path.push(inode);
        self.namespaces.insert(inode, (path.clone(), file));
        Ok(path)
    }

    /// In how many of the scenario's namespaces the next child of a process will have a number.
    pub(crate) fn levels_for_children(&self, role: Role) -> usize {
        let Some(process) = self.get(role) else { return 0 };
        let link = format!("/proc/{}/ns/pid_for_children", process.number);
        let path = fs::metadata(link).ok().and_then(|file| self.namespaces.get(&file.ino()));
        // A namespace without an init does not show (namespaces(7)). Where pidfds give namespaces somebody else may have made it, further
        // down; elsewhere it was unshared, and is below the process's own.
        path.map(|(path, _)| path.len()).or_else(|| self.levels_of_unborn(process)).unwrap_or(process.pids.len() + 1)
    }

    /// The same where the namespace has no init yet, by the one around it.
    fn levels_of_unborn(&self, process: &Process) -> Option<usize> {
        let namespace = os::namespace_for_children(process.pidfd.as_ref()?.as_fd()).ok()?;
        let parent = File::from(os::namespace_parent(namespace.as_fd()).ok()?).metadata().ok()?.ino();
        self.namespaces.get(&parent).map(|(path, _)| path.len() + 1)
    }

    pub(crate) fn get(&self, role: Role) -> Option<&Process> {
        self.known.get(&role)
    }

    /// The one that stands for the process that a role is, or is a thread of.
    pub(crate) fn leader_of(&self, role: Role) -> Option<&Process> {
        self.get(self.get(role)?.leader())
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Process> {
        self.known.values()
    }

    /// Those that are not gone, to look at: these first, then the others.
    pub(crate) fn alive_mut(&mut self, first: [Role; 2]) -> impl Iterator<Item = &mut Process> {
        let (mut ahead, mut others) = (Vec::with_capacity(first.len()), Vec::with_capacity(self.known.len()));
        for process in self.known.values_mut().filter(|process| !process.gone) {
            if first.contains(&process.role) { ahead.push(process) } else { others.push(process) }
        }
        ahead.into_iter().chain(others)
    }

    /// Somebody who is gone, but whose number is still taken though nobody has it, nor uses it as group or session: the task is
    /// on its way through `release_task`, where no file shows it any more.
    pub(crate) fn half_released(&mut self) -> Option<Role> {
        if !self.iter().any(Process::may_be_half_released) {
            return None;
        }
        let alive = self.iter().filter(|process| !process.gone);
        let numbers = |process: &Process| [process.number, process.seen.group, process.seen.session];
        let held: Vec<i32> = alive.flat_map(numbers).collect();
        let mut gone = self.known.values_mut().filter(|process| process.gone && !held.contains(&process.number));
        gone.find_map(|process| process.number_is_taken(self.eyes.any_file()).then_some(process.role))
    }

    /// The process, not among those that were gone before, that has or had this number in the namespace of the caller. A call may
    /// return long after it found it: if it released it, the number can be another's by now.
    pub(crate) fn by_number(&self, caller: Role, number: i64, released: bool, gone_before: &[Role]) -> Option<Role> {
        let caller = self.get(caller)?;
        let had_number = |process: &&Process| {
            process.thread_of.is_none()
                && !process.replaced
                && !gone_before.contains(&process.role)
                && process.number_for(caller).map(i64::from) == Some(number)
        };
        let mut found = self.iter().filter(had_number);
        let first = found.next()?;
        let meant = if first.gone == released { Some(first) } else { found.find(|process| process.gone == released) };
        Some(meant.unwrap_or(first).role)
    }

    /// The process or thread that has this number in the namespace of the caller now.
    pub(crate) fn alive_by_number(&self, caller: Role, number: i32) -> Option<Role> {
        let (caller, number) = (self.get(caller)?, u32::try_from(number).ok()?);
        let mut alive = self.iter().filter(|process| !process.gone);
        alive.find(|process| process.number_for(caller) == Some(number)).map(|process| process.role)
    }

    /// Asks of everybody who traces it.
    pub(crate) fn look_for_tracers(&mut self) {
        self.known.values_mut().filter(|process| !process.gone).for_each(Process::look_for_tracer);
    }

    /// Holds what has been seen of everybody against what procfs shows, if that is wanted. The world stands still.
    fn doubt(&self) -> io::Result<()> {
        let mut alive = self.iter().filter(|process| self.eyes.doubts && !process.gone);
        alive.try_for_each(|process| process.compare_with_procfs(file_of(&self.namespaces, process)))
    }

    /// Every process and thread as it is now, in order of roles. `states` says what each is doing; who is not in it is not
    /// shown.
    pub(crate) fn views(&mut self, states: &BTreeMap<Role, State>) -> io::Result<Vec<ProcessView>> {
        self.doubt()?;
        let mut told = Vec::with_capacity(states.len());
        for process in self.known.values_mut().filter(|process| !process.gone) {
            let Some(state) = states.get(&process.role) else { continue };
            let views = process.views(file_of(&self.namespaces, process))?;
            told.push((process.role, *state, views, process.take_handled()?));
        }
        let alive = self.known.values().filter(|process| !process.gone);
        let by_number: BTreeMap<i32, &Process> = alive.map(|process| (process.number, process)).collect();
        let mut views = Vec::with_capacity(told.len());
        for (role, state, (pgid, sid), handled) in told {
            let Some(process) = self.known.get(&role) else { continue };
            for namespace in &process.namespaces {
                if !self.shown.contains(namespace) {
                    self.shown.push(*namespace);
                }
            }
            let shown = |namespace: &Inode| {
                let index = self.shown.iter().position(|known| known == namespace).unwrap_or_default();
                NamespaceId(u16::try_from(index).unwrap_or(u16::MAX))
            };
            let parent = by_number.get(&process.seen.parent);
            let namespaces = process.namespaces.iter().map(shown).collect();
            views.push(ProcessView {
                role,
                thread_of: process.thread_of,
                state,
                pids: process.pids.clone(),
                namespaces,
                parent: parent.map(|parent| parent.role),
                ppid: parent.and_then(|parent| parent.number_for(process)).unwrap_or(0),
                pgid,
                sid,
                tracer: by_number.get(&process.tracer).map(|tracer| tracer.role),
                handled,
            });
        }
        Ok(views)
    }
}

/// The file of the namespace that a process is in.
fn file_of<'n>(namespaces: &'n BTreeMap<Inode, (Vec<Inode>, File)>, process: &Process) -> Option<&'n File> {
    namespaces.get(&process.namespace()).map(|(_, file)| file)
}

/// The number of a pidfd's process in the conductor's namespace.
fn number_of(pidfd: &OwnedFd) -> io::Result<i32> {
    if let Some(number) = os::pidfd_number(pidfd.as_raw_fd()) {
        return Ok(number);
    }
    let info = fs::read_to_string(format!("/proc/self/fdinfo/{}", pidfd.as_raw_fd()))?;
    let number = info.lines().find_map(|line| line.strip_prefix("Pid:")).and_then(|number| number.trim().parse().ok());
    number.filter(|number| *number > 0).ok_or_else(|| io::Error::other("a pidfd does not say whose it is"))
}
