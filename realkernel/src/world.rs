//! The world of one run: takes a scenario step by step. A step is prepared; it may need somebody to speak first; its command is given
//! to an agent; who is made by it is taken in; the world settles; what has returned is collected; and everybody is observed.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::sync::atomic::Ordering;

use pidlab_scenario::syscall::{Syscall, lower};
use pidlab_scenario::{
    CallName, CloneFlags, Facts, Observation, Outcome, Refusal, Refused, Returned, Role, Run, Scenario, State, Step,
    Sysctl,
};

use crate::agent::{self, Operation};
use crate::blame;
use crate::command::{Caller, Command};
use crate::eyes::Eyes;
use crate::look;
use crate::needs::{self, Allowed};
use crate::outcome::outcome;
use crate::priority::Given;
use crate::probe;
use crate::process::Process;
use crate::processes::Processes;
use crate::quiet;
use crate::roles::Known;
use crate::sharing::Sharing;
use crate::sys::arena;
use crate::sys::{os, sockets};
use crate::translate::{Translator, sysctl};
use crate::trouble::{Trouble, Unavailable};

/// What came of a step: its outcome, and the calls of others that returned.
type Taken = (Outcome, Vec<Returned>);

/// Why a step was not taken.
enum Stop {
    /// It is a mistake of the scenario.
    Refused(Refusal),
    /// The runner could not go on.
    Failed(Trouble),
}

impl<T: Into<Trouble>> From<T> for Stop {
    fn from(why: T) -> Stop {
        Stop::Failed(why.into())
    }
}

/// A call that has not returned.
struct Pending {
    call: CallName,
    syscall: Syscall,
    /// Who was released before it began: no wait can speak of them any more.
    gone: Vec<Role>,
}

/// The world of one run.
pub(crate) struct World {
    processes: Processes,
    /// The role that stands for the first process: host, or a thread of it after an exec.
    first: Role,
    states: BTreeMap<Role, State>,
    /// Calls that have not returned.
    pending: BTreeMap<Role, Pending>,
    sharing: u64,
    /// What the kernel is like.
    pub(crate) facts: Facts,
    /// Whether writing `pid_max` changes the writer's namespace, and not the whole machine, and a mistake about that would be noticed.
    pub(crate) pid_max_is_local: bool,
    /// The lowest descriptor that belongs to the run.
    first_fd: i32,
    /// What the place lets processes do.
    pub(crate) allowed: Option<Allowed>,
    /// Whether a process has, or had, another user than the conductor.
    several_users: bool,
    /// Whether a process has called ptrace(2): until then nobody has a tracer.
    tracing: bool,
}

impl World {
    /// Makes host: PID 1 of a fresh namespace, leader of a session and a group, with these priorities.
    pub(crate) fn start(sharing: Sharing, given: Given, eyes: &'static Eyes) -> Result<World, Trouble> {
        let sharing = match sharing {
            Sharing::Own => 0,
            Sharing::Auto | Sharing::Shared => CloneFlags::CLONE_VM.bits(),
        };
        let first_fd = lowest_free_descriptor()?;
        clear(Role::HOST);
        let flags = CloneFlags::CLONE_NEWPID.bits() | sharing;
        let result = agent::make(0, flags, libc::SIGCHLD as u64, &[]);
        if result < 0 {
            let error = io::Error::from_raw_os_error(-result as i32);
            return Err(blame::trouble("the first process of a scenario could not be made (clone3)", &error));
        }
        let pidfd = os::adopt(arena::slot(0).pidfd.load(Ordering::Acquire));
        let mut world = World {
            processes: Processes::new(eyes, given == Given::RealTime),
            first: Role::HOST,
            states: BTreeMap::new(),
            pending: BTreeMap::new(),
            sharing,
            facts: Facts::newest(),
            pid_max_is_local: false,
            first_fd,
            allowed: None,
            several_users: false,
            tracing: false,
        };
        let host = world.processes.born(Role::HOST, pidfd);
        host.map_err(|error| blame::trouble("the first process of a scenario", &error))?;
        if let Some(host) = world.processes.get(Role::HOST) {
            given.to_agents(host.number)?;
        }
        world.settle(Role::HOST)?;
        Command::plain(libc::SYS_setsid, &[]).give(arena::slot(0))?;
        world.settle(Role::HOST)?;
        match outcome(&Syscall::Setsid, arena::slot(0), |_, _| None)? {
            Outcome::Ok(1) => Ok(world),
            other => Err(format!("the first setsid gave {other:?}").into()),
        }
    }

    /// Takes the steps of a scenario, one after another, and calls `show` with each observation.
    pub(crate) fn run(
        &mut self,
        scenario: &Scenario,
        every_step: bool,
        mut show: impl FnMut(&Observation) -> io::Result<()>,
    ) -> Result<Run, Trouble> {
        for role in 1..scenario.roles.len() {
            clear(Role(role as u16));
        }
        let mut run = Run { observations: Vec::with_capacity(scenario.steps.len() + 1), refused: None };
        let mut note = |run: &mut Run, observation: Observation| {
            show(&observation).map_err(|error| format!("an observation cannot be shown: {error}"))?;
            run.observations.push(observation);
            Ok::<(), Trouble>(())
        };
        note(&mut run, self.observe(None, Vec::new(), true)?)?;
        for (index, step) in scenario.steps.iter().enumerate() {
            let last = index + 1 == scenario.steps.len();
            match self.take(step) {
                Ok((outcome, returned)) => {
                    note(&mut run, self.observe(Some(outcome), returned, every_step || last)?)?;
                }
                Err(Stop::Refused(why)) => {
                    run.refused = Some(Refused { step: index + 1, why });
                    break;
                }
                Err(Stop::Failed(why)) => return Err(why),
            }
        }
        Ok(run)
    }

    /// Takes one step, until the world is quiet.
    fn take(&mut self, step: &Step) -> Result<Taken, Stop> {
        let (syscall, command) = self.prepare(step).map_err(Stop::Refused)?;
        if let Some(lacks) = self.allowed.as_ref().and_then(|allowed| allowed.lacks(&syscall, self.several_users)) {
            return Err(lacks.into());
        }
        self.several_users |= matches!(syscall, Syscall::Setuid { .. });
        self.tracing |= matches!(syscall, Syscall::Ptrace { .. });
        let command = self.speak(&syscall, command)?;
        self.give(step, &syscall, &command)?;
        drop(command);
        if let Syscall::ClosePidfd { of } = syscall {
            self.processes.let_the_leash_go(of);
        }
        let newborn = self.await_newborn(step.by, &syscall)?;
        self.settle_with(newborn.unwrap_or(step.by), step.by)?;
        if self.tracing {
            self.processes.look_for_tracers();
        }
        let taken = self.collect(step.by)?;
        match syscall {
            Syscall::OpenNs { of, .. } if taken.0 == Outcome::Ok(0) => self.keep(step.by, of)?,
            Syscall::Clone3 { child, flags, .. }
                if flags.contains(CloneFlags::CLONE_PIDFD_AUTOKILL) && matches!(taken.0, Outcome::Ok(_)) =>
            {
                self.put_on_a_leash(step.by, child)?;
            }
            Syscall::MqNotify { .. } if taken.0 == Outcome::Ok(0) => self.keep_queue(step.by)?,
            Syscall::CloseNs { of } => self.processes.let_go(of),
            _ => {}
        }
        Ok(taken)
    }

    /// Takes over the namespace that a process has opened: it is kept open for the whole scenario, whatever becomes of the process.
    fn keep(&mut self, by: Role, of: Role) -> Result<(), Trouble> {
        let number = arena::slot(by.index()).value.load(Ordering::Relaxed);
        let kept = i32::try_from(number).map_err(io::Error::other);
        let kept = kept.and_then(|number| self.processes.descriptor_of(by, number));
        let kept = kept.map_err(|error| blame::trouble("an open namespace could not be kept", &error))?;
        self.processes.keep(of, kept);
        Command::plain(libc::SYS_close, &[number]).give(arena::slot(by.index()))?;
        self.settle(by)?;
        Ok(())
    }

    /// Takes the pidfd out of the hands of who has made a process by it: it is closed when a step says so, and by nobody's death.
    fn put_on_a_leash(&mut self, by: Role, child: Role) -> Result<(), Trouble> {
        let leashed = self.processes.put_on_a_leash(child);
        leashed.map_err(|error| blame::trouble("a pidfd could not be kept", &error))?;
        if self.processes.get(by).is_some_and(|maker| maker.own_files) {
            let number = arena::slot(child.index()).pidfd.load(Ordering::Acquire);
            Command::plain(libc::SYS_close, &[number.into()]).give(arena::slot(by.index()))?;
            self.settle(by)?;
        }
        Ok(())
    }

    /// Holds a message queue for those who will send to it, whatever becomes of who has made it. That one's own descriptor stays open: to
    /// close it is not to be told of messages (mq_close(3)).
    fn keep_queue(&mut self, by: Role) -> Result<(), Trouble> {
        let number = arena::slot(by.index()).queue.load(Ordering::Relaxed);
        let queue = self.processes.descriptor_of(by, number);
        let queue = queue.map_err(|error| blame::trouble("a message queue could not be kept", &error))?;
        self.processes.keep_queue(by, queue);
        Ok(())
    }

    /// The system call of a step, and the command for it.
    fn prepare(&self, step: &Step) -> Result<(Syscall, Command), Refusal> {
        let known = Known { processes: &self.processes, states: &self.states, facts: &self.facts };
        let syscall = lower(step, &known)?;
        let translator = Translator {
            caller: Caller { processes: &self.processes, by: step.by, call: step.call.name() },
            sharing: self.sharing,
            pid_max_is_local: self.pid_max_is_local,
        };
        let command = translator.command(&syscall)?;
        Ok((syscall, command))
    }

    /// Lets a process send the message that another will receive, or make the socket that another will look at.
    fn speak(&mut self, syscall: &Syscall, mut command: Command) -> Result<Command, Trouble> {
        let Some(speaker) = syscall.speaker() else { return Ok(command) };
        sockets::clear();
        let slot = arena::slot(speaker.index());
        look::say(syscall).give(slot)?;
        self.settle(speaker)?;
        match slot.result.load(Ordering::Acquire) {
            0 => {}
            other => {
                let error = io::Error::from_raw_os_error(-other as i32);
                return Err(blame::trouble("a message could not be sent", &error));
            }
        }
        let offered = look::offered(syscall, speaker, &self.processes);
        command.descriptor = offered.or(command.descriptor);
        Ok(command)
    }

    /// Gives the command to its agent. The call is pending from here on.
    fn give(&mut self, step: &Step, syscall: &Syscall, command: &Command) -> Result<(), Trouble> {
        if matches!(syscall, Syscall::Sysctl { name: Sysctl::PidMax, write: Some(_) }) {
            self.check_pid_max(step.by)?;
        }
        let gone = self.processes.iter().filter(|process| process.gone).map(|process| process.role).collect();
        command.give(arena::slot(step.by.index()))?;
        self.pending.insert(step.by, Pending { call: step.call.name(), syscall: syscall.clone(), gone });
        Ok(())
    }

    /// Waits until whoever the call makes is there, and takes it in: a child, or the program that takes a process over.
    fn await_newborn(&mut self, by: Role, syscall: &Syscall) -> Result<Option<Role>, Trouble> {
        if *syscall == Syscall::Execve {
            self.await_exec(by)?;
        }
        match syscall.child() {
            Some(child) => self.await_child(by, child),
            None => Ok(None),
        }
    }

    /// Lets the world run until it is quiet.
    fn settle(&mut self, actor: Role) -> Result<(), Trouble> {
        self.settle_with(actor, actor)
    }

    /// The same after somebody was made.
    fn settle_with(&mut self, actor: Role, maker: Role) -> Result<(), Trouble> {
        let pending = &self.pending;
        let may_block = |role: Role| match pending.get(&role) {
            Some(Pending { syscall, .. }) if syscall.may_sleep() => Some(b'S'),
            Some(Pending { syscall, .. }) if syscall.is_vfork() => Some(b'D'),
            _ => None,
        };
        self.states = quiet::settle(&mut self.processes, [actor, maker], may_block)?;
        Ok(())
    }

    /// What the calls gave that have returned, and what became of the one that was made now.
    fn collect(&mut self, by: Role) -> Result<Taken, Stop> {
        let mut own = None;
        let mut returned = Vec::new();
        let pending: Vec<Role> = self.pending.keys().copied().collect();
        for role in pending {
            let ended = matches!(self.states.get(&role), None | Some(State::Zombie | State::Exiting));
            if !ended && !quiet::is_done(role) {
                continue;
            }
            let Some(Pending { call, syscall, gone }) = self.pending.remove(&role) else { continue };
            if ended {
                continue;
            }
            if let Some(lacks) = self.answered_by_a_limit(role, &syscall) {
                return Err(lacks.into());
            }
            let child_of = |number, released| self.processes.by_number(role, number, released, &gone);
            let gave = outcome(&syscall, arena::slot(role.index()), child_of)?;
            if let Some(refusal) = look::refused(&syscall, &gave) {
                return Err(Stop::Refused(refusal));
            }
            if role == by {
                own = Some(gave);
            } else {
                returned.push(Returned { by: role, call, outcome: gave });
            }
        }
        let own = own.unwrap_or(if self.pending.contains_key(&by) { Outcome::Blocks } else { Outcome::Never });
        Ok((own, returned))
    }

    /// The limit around this program that answered a call, in the kernel's place.
    fn answered_by_a_limit(&self, by: Role, syscall: &Syscall) -> Option<Unavailable> {
        let result = arena::slot(by.index()).result.load(Ordering::Acquire);
        let errno = i32::try_from(-result).ok().filter(|errno| *errno > 0)?;
        let is_conductors_user = !self.several_users || self.processes.get(by).is_some_and(Process::is_conductors_user);
        blame::answered(syscall, errno, blame::Caller { is_conductors_user })
    }

    /// Writes down what every process looks like now.
    fn observe(
        &mut self,
        outcome: Option<Outcome>,
        returned: Vec<Returned>,
        whole: bool,
    ) -> Result<Observation, Trouble> {
        let processes = if whole {
            let views = self.processes.views(&self.states);
            views.map_err(|error| blame::trouble("a look at the processes", &error))?
        } else {
            Vec::new()
        };
        Ok(Observation { outcome, returned, processes })
    }

    /// Makes sure that a process's `pid_max` is not the conductor's: where there is one for all, both would read the same. The
    /// conductor's is another one in any case, once it has been changed by a user who could change no other.
    fn check_pid_max(&mut self, role: Role) -> Result<(), Trouble> {
        let own = || probe::pid_max().ok_or_else(|| Trouble::Broken("pid_max cannot be read".to_owned()));
        let theirs = self.pid_max_of(role)?;
        if theirs != own()? {
            return Ok(());
        }
        if probe::mark_pid_max(theirs) && self.pid_max_of(role)? != own()? {
            return Ok(());
        }
        Err("pid_max is not the scenario's own: it was not written".to_owned().into())
    }

    fn pid_max_of(&mut self, role: Role) -> Result<i64, Trouble> {
        let slot = arena::slot(role.index());
        sysctl(Sysctl::PidMax, None).give(slot)?;
        self.settle(role)?;
        match slot.result.load(Ordering::Acquire) {
            0 => Ok(slot.value.load(Ordering::Acquire)),
            other => {
                let error = io::Error::from_raw_os_error(-other as i32);
                Err(blame::trouble("pid_max could not be read", &error))
            }
        }
    }

    /// Lets a clone return, and takes the new process in if there is one.
    fn await_child(&mut self, by: Role, child: Role) -> Result<Option<Role>, Trouble> {
        if self.pending.get(&by).is_some_and(|pending| pending.syscall.is_vfork()) {
            return self.await_vfork_child(by, child);
        }
        // Who made a process lives to say so: quiet is needed only where it does not.
        if !quiet::soon_done(&self.processes, by) {
            self.settle(by)?;
        }
        let slot = arena::slot(by.index());
        if !quiet::is_done(by) || slot.result.load(Ordering::Acquire) < 0 {
            return Ok(None);
        }
        self.take_in(by, child).map_err(|error| blame::trouble("a new process could not be looked at", &error))?;
        Ok(Some(child))
    }

    /// A vfork does not return while the child lives on in its program: the child is there once the kernel has written its pidfd,
    /// or the call has failed.
    fn await_vfork_child(&mut self, by: Role, child: Role) -> Result<Option<Role>, Trouble> {
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
        self.take_in(by, child).map_err(|error| blame::trouble("a new process could not be looked at", &error))?;
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
    fn await_exec(&mut self, by: Role) -> Result<(), Trouble> {
        let stat = |role: Role| self.processes.get(role).and_then(Process::stat_now);
        let lives = |role: Role| stat(role).is_some_and(|stat| !stat.exiting);
        let leader = self.processes.leader_of(by).map_or(by, |leader| leader.role);
        // As it was before this step: the exec is under way.
        let was_fresh = self.processes.get(leader).is_some_and(|leader| leader.seen.before_exec);
        // A thread that execs has the leader's number in the end. It can be stopped or killed before the new program's first
        // instruction, by a signal that no other thread had taken. Once the process is reaped as well, which can be at once, only the pidfd
        // of the thread tells: what bears its number then is the old leader, which exec has ended, and not the thread, which a signal has.
        let is_stopped = || (by == leader || stat(by).is_none()) && stat(leader).is_some_and(|stat| stat.state == b'T');
        quiet::until("an exec neither ended nor failed", || {
            quiet::is_done(by) || is_stopped() || !(lives(by) || lives(leader))
        })?;
        let is_done = quiet::is_done(by);
        let has_returned = is_done && arena::slot(by.index()).result.load(Ordering::Acquire) == 0;
        let has_run = || match stat(leader) {
            _ if by == leader || stat(by).is_some() => Ok(false),
            Some(stat) if was_fresh => Ok(!stat.before_exec),
            _ => {
                let told = self.processes.get(by).and_then(Process::has_exited);
                told.ok_or_else(needs::pidfds_that_tell_of_ends)
            }
        };
        if has_returned || (!is_done && (is_stopped() || has_run()?)) {
            self.processes.has_executed(by);
            self.processes.take_leaders_place(by);
            if leader == self.first {
                self.first = by;
            }
        }
        Ok(())
    }

    /// Ends everything that the run has made: when host can be waited for, all others are released.
    pub(crate) fn end(self) -> Result<(), String> {
        // Whoever runs it by now: the pidfd goes on referring to the process.
        let host = self.processes.get(Role::HOST).ok_or("there is no host")?;
        let pidfd = host.pidfd.as_ref().ok_or("there is no pidfd of host")?;
        os::kill_pidfd(pidfd.as_raw_fd());
        os::reap_pidfd(pidfd.as_fd()).map_err(|error| format!("host cannot be reaped: {error}"))?;
        self.processes.take_registrations_back();
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
    for word in [&slot.command, &slot.taken, &slot.handled] {
        word.store(0, Ordering::Relaxed);
    }
    // Whose it will be says itself that it is there, which is the end of a clone.
    slot.operation.store(Operation::Clone.number(), Ordering::Relaxed);
    slot.done.store(u32::MAX, Ordering::Relaxed);
    for word in &slot.tid_words {
        word.store(0, Ordering::Relaxed);
    }
    slot.queue.store(0, Ordering::Relaxed);
    slot.pidfd.store(-1, Ordering::Release);
}
