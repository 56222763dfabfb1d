//! The conductor: takes a scenario step by step. It gives one agent a command, lets the world run until it is quiet, and writes
//! down what it sees.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::fs::MetadataExt;
use std::sync::atomic::Ordering;
use std::time::Instant;

use pidlab_scenario::syscall::{Syscall, lower};
use pidlab_scenario::{
    CallName, CloneFlags, Fact, Facts, Observation, Outcome, Refusal, Refused, Returned, Role, Run, Scenario, State,
    Step, Sysctl,
};

use crate::agent;
use crate::command::{Command, Translator, outcome, sysctl};
use crate::lab::Sharing;
use crate::look;
use crate::outside::Outside;
use crate::probe;
use crate::processes::{Process, Processes};
use crate::program;
use crate::quiet::{self, Witness};
use crate::roles::Known;
use crate::sys::arena::{self, SLOTS};
use crate::sys::{os, sockets};
use crate::wire::{Failure, Request, Response};

/// What runs scenarios, one after another.
pub(crate) struct Conductor {
    facts: Facts,
    witness: Witness,
    outside: Outside,
}

impl Conductor {
    /// Makes the memory and finds out what this kernel is like.
    ///
    /// # Errors
    /// What this place lacks for it.
    pub(crate) fn new(outside: Outside) -> Result<Conductor, String> {
        // A scenario may call reboot(2), which must never reach the machine: below the initial namespace it ends a namespace.
        let namespace = fs::metadata("/proc/self/ns/pid").map_err(|error| format!("/proc/self/ns/pid: {error}"))?.ino();
        if namespace == INITIAL_PID_NAMESPACE {
            return Err("the runner is not in a PID namespace of its own".to_owned());
        }
        program::prepare().map_err(|error| format!("there is no memory or no program for the agents: {error}"))?;
        sockets::make().map_err(|error| format!("there are no sockets for the agents: {error}"))?;
        let witness = Witness::of_this_kernel()?;
        // A run of host alone: what cannot make one process cannot run a scenario.
        let began = Instant::now();
        World::start(Sharing::Shared, witness)?.end()?;
        quiet::one_life_takes(began.elapsed());
        Ok(Conductor { facts: probe::facts(), witness, outside })
    }

    /// What this kernel is like.
    pub(crate) fn facts(&self) -> &Facts {
        &self.facts
    }

    /// Runs a scenario from its start, and sees that nothing outside has changed by it. `show` is called with each observation.
    pub(crate) fn run(&mut self, request: &Request, show: impl FnMut(&Observation) -> io::Result<()>) -> Response {
        self.outside.before(&request.scenario)?;
        let run = self.run_inside(request, show);
        match self.outside.changed() {
            Some(what) => Err(Failure::Machine(what)),
            None => Ok(run?),
        }
    }

    fn run_inside(&self, request: &Request, show: impl FnMut(&Observation) -> io::Result<()>) -> Result<Run, String> {
        let Request { scenario, sharing, every_step, held: _ } = request;
        if scenario.roles.len() > SLOTS {
            return Err(format!("a scenario has at most {SLOTS} processes"));
        }
        let mut world = World::start(sharing.of(scenario), self.witness)?;
        world.facts = self.facts.clone();
        world.pid_max_is_local = self.facts.holds(Fact::PidMaxPerNamespace) && self.outside.watches(Sysctl::PidMax);
        let run = world.run(scenario, *every_step, show);
        world.end()?;
        // The proof of quiet stands on this; a change of the machine's cpusets may undo it from outside.
        if os::allowed_cpus().len() != 1 {
            return Err("the processes were moved off their CPU".to_owned());
        }
        run
    }
}

/// The inode of the machine's initial PID namespace (include/linux/proc_ns.h, `PROC_PID_INIT_INO`).
const INITIAL_PID_NAMESPACE: u64 = 0xEFFF_FFFC;

/// What came of a step: its outcome, and the calls of others that returned.
type Taken = (Outcome, Vec<Returned>);

/// A call that has not returned.
struct Pending {
    call: CallName,
    syscall: Syscall,
    /// Who was released before it began: no wait can speak of them any more.
    gone: Vec<Role>,
}

/// The world of one run.
struct World {
    processes: Processes,
    /// The role that stands for the first process: host, or a thread of it after an exec.
    first: Role,
    states: BTreeMap<Role, State>,
    /// Calls that have not returned.
    pending: BTreeMap<Role, Pending>,
    sharing: u64,
    /// What the kernel is like.
    facts: Facts,
    /// Whether writing `pid_max` changes the writer's namespace, and not the whole machine.
    pid_max_is_local: bool,
    /// The lowest descriptor that belongs to the run.
    first_fd: i32,
}

impl World {
    /// Makes host: PID 1 of a fresh namespace, leader of a session and a group.
    fn start(sharing: Sharing, witness: Witness) -> Result<World, String> {
        let sharing = match sharing {
            Sharing::Own => 0,
            Sharing::Auto | Sharing::Shared => CloneFlags::CLONE_VM.bits(),
        };
        let first_fd = lowest_free_descriptor()?;
        clear(Role::HOST);
        let flags = CloneFlags::CLONE_NEWPID.bits() | sharing;
        let result = agent::make(0, flags, libc::SIGCHLD as u64, &[]);
        if result < 0 {
            return Err(format!("clone3: {}", io::Error::from_raw_os_error(-result as i32)));
        }
        let pidfd = os::adopt(arena::slot(0).pidfd.load(Ordering::Acquire));
        let mut world = World {
            processes: Processes::new(witness),
            first: Role::HOST,
            states: BTreeMap::new(),
            pending: BTreeMap::new(),
            sharing,
            facts: Facts::newest(),
            pid_max_is_local: false,
            first_fd,
        };
        world.processes.born(Role::HOST, pidfd).map_err(|error| format!("host: {error}"))?;
        world.settle(Role::HOST)?;
        Command::plain(libc::SYS_setsid, &[]).give(arena::slot(0))?;
        world.settle(Role::HOST)?;
        match outcome(&Syscall::Setsid, arena::slot(0), |_, _| None)? {
            Outcome::Ok(1) => Ok(world),
            other => Err(format!("the first setsid gave {other:?}")),
        }
    }

    fn run(
        &mut self,
        scenario: &Scenario,
        every_step: bool,
        mut show: impl FnMut(&Observation) -> io::Result<()>,
    ) -> Result<Run, String> {
        for role in 1..scenario.roles.len() {
            clear(Role(role as u16));
        }
        let mut run = Run { observations: Vec::with_capacity(scenario.steps.len() + 1), refused: None };
        let mut note = |run: &mut Run, observation: Observation| {
            show(&observation).map_err(|error| format!("an observation cannot be shown: {error}"))?;
            run.observations.push(observation);
            Ok::<(), String>(())
        };
        note(&mut run, self.observe(None, Vec::new(), true)?)?;
        for (index, step) in scenario.steps.iter().enumerate() {
            let last = index + 1 == scenario.steps.len();
            match self.take(step)? {
                Ok((outcome, returned)) => {
                    note(&mut run, self.observe(Some(outcome), returned, every_step || last)?)?;
                }
                Err(why) => {
                    run.refused = Some(Refused { step: index + 1, why });
                    break;
                }
            }
        }
        Ok(run)
    }

    /// Takes one step, until the world is quiet. The outer error is the runner's, the inner a mistake of the scenario.
    fn take(&mut self, step: &Step) -> Result<Result<Taken, Refusal>, String> {
        let known = Known { processes: &self.processes, states: &self.states, facts: &self.facts };
        let syscall = match lower(step, &known) {
            Ok(syscall) => syscall,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let translator = Translator {
            processes: &self.processes,
            by: step.by,
            call: step.call.name(),
            sharing: self.sharing,
            pid_max_is_local: self.pid_max_is_local,
        };
        let mut command = match translator.command(&syscall) {
            Ok(command) => command,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let gone: Vec<Role> =
            self.processes.iter().filter(|process| process.gone).map(|process| process.role).collect();
        if let Some(speaker) = syscall.speaker() {
            self.speak(speaker, &syscall)?;
            let offered = look::offered(&syscall, speaker, &self.processes);
            command.descriptor = offered.or(command.descriptor);
        }
        if matches!(syscall, Syscall::Sysctl { name: Sysctl::PidMax, write: Some(_) }) {
            self.check_pid_max(step.by)?;
        }
        command.give(arena::slot(step.by.index()))?;
        self.pending.insert(step.by, Pending { call: step.call.name(), syscall: syscall.clone(), gone });
        if syscall == Syscall::Execve {
            self.await_exec(step.by)?;
        }
        let newborn = match syscall.child() {
            Some(child) => self.await_child(step.by, child)?,
            None => None,
        };
        self.settle(newborn.unwrap_or(step.by))?;
        let mut own = None;
        let mut returned = Vec::new();
        let pending: Vec<Role> = self.pending.keys().copied().collect();
        for role in pending {
            let ended = matches!(self.states.get(&role), None | Some(State::Zombie | State::Exiting));
            let slot = arena::slot(role.index());
            let done = slot.done.load(Ordering::Acquire) == slot.command.load(Ordering::Acquire);
            if !ended && !done {
                continue;
            }
            let Some(Pending { call, syscall, gone }) = self.pending.remove(&role) else { continue };
            if ended {
                continue;
            }
            let gave =
                outcome(&syscall, slot, |number, released| self.processes.by_number(role, number, released, &gone))?;
            if let Some(refusal) = look::refused(&syscall, &gave) {
                return Ok(Err(refusal));
            }
            if role == step.by {
                own = Some(gave);
            } else {
                returned.push(Returned { by: role, call, outcome: gave });
            }
        }
        let own = own.unwrap_or(if self.pending.contains_key(&step.by) { Outcome::Blocks } else { Outcome::Never });
        Ok(Ok((own, returned)))
    }

    /// Lets a process send the message that another will receive, or make the socket that another will look at.
    fn speak(&mut self, speaker: Role, syscall: &Syscall) -> Result<(), String> {
        sockets::clear();
        let slot = arena::slot(speaker.index());
        look::say(syscall).give(slot)?;
        self.settle(speaker)?;
        match slot.result.load(Ordering::Acquire) {
            0 => Ok(()),
            other => Err(format!("a message could not be sent: {other}")),
        }
    }

    /// Makes sure that a process's `pid_max` is not the conductor's: where there is one for all, both would read the same. The
    /// conductor's is another one in any case, once it has been changed by a user who could change no other.
    fn check_pid_max(&mut self, role: Role) -> Result<(), String> {
        let own = || probe::pid_max().ok_or("pid_max cannot be read".to_owned());
        let theirs = self.pid_max_of(role)?;
        if theirs != own()? {
            return Ok(());
        }
        if probe::mark_pid_max(theirs) && self.pid_max_of(role)? != own()? {
            return Ok(());
        }
        Err("pid_max is not the scenario's own: it was not written".to_owned())
    }

    fn pid_max_of(&mut self, role: Role) -> Result<i64, String> {
        let slot = arena::slot(role.index());
        sysctl(Sysctl::PidMax, None).give(slot)?;
        self.settle(role)?;
        match slot.result.load(Ordering::Acquire) {
            0 => Ok(slot.value.load(Ordering::Acquire)),
            other => Err(format!("pid_max could not be read: {other}")),
        }
    }

    /// Lets a clone return, and takes the new process in if there is one.
    fn await_child(&mut self, by: Role, child: Role) -> Result<Option<Role>, String> {
        if self.pending.get(&by).is_some_and(|pending| pending.syscall.is_vfork()) {
            return self.await_vfork_child(by, child);
        }
        // Who made a process lives to say so: quiet is needed only where it does not.
        if !self.processes.get(by).is_some_and(quiet::soon_done) {
            self.settle(by)?;
        }
        let slot = arena::slot(by.index());
        if !quiet::is_done(by) || slot.result.load(Ordering::Acquire) < 0 {
            return Ok(None);
        }
        self.take_in(by, child).map_err(|error| format!("a new process: {error}"))?;
        Ok(Some(child))
    }

    /// A vfork does not return while the child lives on in its program: the child is there once the kernel has written its pidfd,
    /// or the call has failed.
    fn await_vfork_child(&mut self, by: Role, child: Role) -> Result<Option<Role>, String> {
        // The kernel writes the number of the pidfd before there is a process, and opens it when there is (kernel/fork.c,
        // `copy_process`).
        let written = || {
            let number = arena::slot(child.index()).pidfd.load(Ordering::Acquire);
            number >= 0 && self.processes.descriptor_of(by, number).is_ok()
        };
        quiet::until("a vfork neither made a process nor failed", || {
            written() || quiet::is_done(by) || !self.processes.get(by).is_some_and(|process| process.lives())
        })?;
        if !written() || (quiet::is_done(by) && arena::slot(by.index()).result.load(Ordering::Acquire) < 0) {
            return Ok(None);
        }
        self.take_in(by, child).map_err(|error| format!("a new process: {error}"))?;
        Ok(Some(child))
    }

    /// Takes a process or thread in that `by` has just made.
    fn take_in(&mut self, by: Role, child: Role) -> io::Result<()> {
        let is_thread = match self.pending.get(&by) {
            Some(Pending { syscall: Syscall::Clone3 { flags, .. }, .. }) => flags.contains(CloneFlags::CLONE_THREAD),
            _ => false,
        };
        let maker = self.processes.get(by).ok_or_else(|| io::Error::other("a process that nobody made"))?;
        let own_files = maker.own_files;
        let number = arena::slot(child.index()).pidfd.load(Ordering::Acquire);
        match own_files {
            _ if is_thread => self.processes.thread_born(child, by)?,
            true => self.processes.born(child, self.processes.descriptor_of(by, number)?)?,
            false => self.processes.born(child, os::adopt(number))?,
        }
        if own_files {
            self.processes.has_own_files(child);
        }
        Ok(())
    }

    /// Lets an exec come to its end, and notes whose role stands for the process then.
    fn await_exec(&mut self, by: Role) -> Result<(), String> {
        let stat = |role: Role| self.processes.get(role).and_then(Process::stat_now);
        let lives = |role: Role| stat(role).is_some_and(|stat| !stat.exiting);
        let leader = self.processes.leader_of(by).map_or(by, |leader| leader.role);
        // As it was before this step: the exec is under way.
        let was_fresh = self.processes.get(leader).is_some_and(|leader| leader.seen.before_exec);
        // A thread that execs has the leader's number in the end. It can be stopped or killed before the new program's first
        // instruction, by a signal that no other thread had taken.
        let is_stopped = || by != leader && stat(by).is_none() && stat(leader).is_some_and(|stat| stat.state == b'T');
        quiet::until("an exec neither ended nor failed", || {
            quiet::is_done(by) || is_stopped() || !(lives(by) || lives(leader))
        })?;
        let is_done = quiet::is_done(by);
        let has_returned = is_done && arena::slot(by.index()).result.load(Ordering::Acquire) == 0;
        let has_run = || by != leader && stat(by).is_none() && stat(leader).is_some_and(|stat| !stat.before_exec);
        if has_returned || (!is_done && (is_stopped() || (was_fresh && has_run()))) {
            self.processes.has_own_files(by);
            self.processes.take_leaders_place(by);
            if leader == self.first {
                self.first = by;
            }
        }
        Ok(())
    }

    fn settle(&mut self, actor: Role) -> Result<(), String> {
        let pending = &self.pending;
        let may_block = |role: Role| match pending.get(&role) {
            Some(Pending { syscall, .. }) if syscall.is_wait() => Some(b'S'),
            Some(Pending { syscall, .. }) if syscall.is_vfork() => Some(b'D'),
            _ => None,
        };
        self.states = quiet::settle(&mut self.processes, actor, may_block)?;
        Ok(())
    }

    fn observe(
        &mut self,
        outcome: Option<Outcome>,
        returned: Vec<Returned>,
        whole: bool,
    ) -> Result<Observation, String> {
        let processes = if whole {
            self.processes.views(&self.states).map_err(|error| format!("looking at the processes: {error}"))?
        } else {
            Vec::new()
        };
        Ok(Observation { outcome, returned, processes })
    }

    /// Ends everything that the run has made: when host can be waited for, all others are released.
    fn end(self) -> Result<(), String> {
        let host = self.processes.get(self.first).ok_or("there is no host")?;
        let pidfd = host.pidfd.as_ref().ok_or("there is no pidfd of host")?;
        os::kill_pidfd(pidfd.as_raw_fd());
        os::reap_pidfd(pidfd.as_fd()).map_err(|error| format!("host cannot be reaped: {error}"))?;
        let first = self.first_fd;
        drop(self);
        // What an agent held open when it was killed is closed with the rest.
        os::close_from(first);
        Ok(())
    }
}

/// The descriptor that the next open would get: from here on, all belong to the run.
fn lowest_free_descriptor() -> Result<i32, String> {
    fs::File::open("/dev/null")
        .or_else(|_| fs::File::open("/proc/self/status"))
        .map(|file| file.as_raw_fd())
        .map_err(|error| format!("no file can be opened: {error}"))
}

/// Makes a slot as new.
fn clear(role: Role) {
    let slot = arena::slot(role.index());
    for word in [&slot.command, &slot.taken, &slot.done, &slot.handled] {
        word.store(0, Ordering::Relaxed);
    }
    slot.pidfd.store(-1, Ordering::Release);
}
