//! The conductor: runs one scenario after another, and sees that nothing else changes by it.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::time::Instant;

use pidlab_scenario::{Call, Fact, Facts, Observation, Run, Sysctl};

use crate::blame;
use crate::bpf::Program;
use crate::eyes::{Eyes, Look};
use crate::needs::{self, Allowed};
use crate::outside::Outside;
use crate::priority::{self, Given};
use crate::probe::{self, RefusedCalls};
use crate::program;
use crate::quiet;
use crate::sharing::Sharing;
use crate::surroundings::{self, Surroundings};
use crate::sys::arena::{self, SLOTS};
use crate::sys::{memory, os, sockets};
use crate::trouble::{Trouble, Unavailable};
use crate::wire::{Failure, Request, Response};
use crate::world::World;

/// What runs scenarios, one after another.
pub(crate) struct Conductor {
    facts: Facts,
    eyes: &'static Eyes,
    outside: Outside,
    allowed: Allowed,
    /// Whether real-time priorities may be given.
    real_time: bool,
    /// Whether they can have ordinary ones, which takes who was started with one.
    ordinary: bool,
}

impl Conductor {
    /// Makes the memory and finds out what this kernel is like.
    ///
    /// # Errors
    /// What this place lacks for it.
    pub(crate) fn new(outside: Outside, program: Option<Program>, look: Look) -> Result<Conductor, Trouble> {
        // A scenario may call reboot(2), which must never reach the machine: below the initial namespace it ends a namespace.
        let namespace = fs::metadata("/proc/self/ns/pid").map_err(|error| format!("/proc/self/ns/pid: {error}"))?.ino();
        if namespace == INITIAL_PID_NAMESPACE {
            return Err("the runner is not in a PID namespace of its own".to_owned().into());
        }
        program::prepare()
            .map_err(|error| blame::trouble("there is no memory or no program for the agents", &error))?;
        sockets::make().map_err(|error| blame::trouble("there are no sockets for the agents", &error))?;
        let refused = RefusedCalls::of_this_place();
        if let Some(vital) = refused.vital() {
            return Err(needs::filtered(vital).into());
        }
        let eyes = Eyes::open(program, look)?;
        // A run of host alone: what cannot make one process cannot run a scenario.
        let began = Instant::now();
        World::start(Sharing::Shared, Given::Kept, eyes)?.end()?;
        quiet::one_life_takes(began.elapsed());
        let facts = probe::facts()?;
        let allowed = Allowed {
            capabilities: Surroundings::here().effective,
            refused,
            signals_can_queue: probe::signals_can_queue(),
            in_own_ipc_namespace: surroundings::has_ipc_namespaces(),
        };
        memory::leave_out(&arena::places());
        // Some place may know of more that a process needs: a sanitizer, another C library.
        if World::start(Sharing::Own, Given::Kept, eyes).and_then(|world| Ok(world.end()?)).is_err() {
            memory::take_back();
            os::reap_all();
        }
        let real_time = priority::is_allowed();
        Ok(Conductor { facts, eyes, outside, allowed, real_time, ordinary: os::has_ordinary_policy() })
    }

    /// The system calls that do not come through here.
    pub(crate) fn refused(&self) -> Vec<String> {
        self.allowed.refused.names()
    }

    /// How it looks at processes.
    pub(crate) fn look(&self) -> Look {
        self.eyes.look()
    }

    /// Whether processes can have real-time priorities.
    pub(crate) fn real_time(&self) -> bool {
        self.real_time
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

    fn run_inside(&self, request: &Request, show: impl FnMut(&Observation) -> io::Result<()>) -> Result<Run, Trouble> {
        let Request { scenario, sharing, priority, every_step, held: _ } = request;
        if scenario.roles.len() > SLOTS {
            return Err(format!("a scenario has at most {SLOTS} processes").into());
        }
        let is_local = self.facts.holds(Fact::PidMaxPerNamespace);
        let is_watched = self.outside.watches(Sysctl::PidMax);
        let is_about_pid_max =
            |step: &pidlab_scenario::Step| matches!(step.call, Call::Sysctl { name: Sysctl::PidMax, .. });
        if is_local && !is_watched && scenario.steps.iter().any(is_about_pid_max) {
            return Err(Unavailable::new(
                "/proc/sys/kernel/pid_max cannot be read, so it could not be seen whether that of the machine changes",
                "run where /proc has it (mounted without subset=pid)",
            )
            .into());
        }
        if let Some(lacks) = blame::too_few_descriptors(scenario.roles.len()) {
            return Err(lacks.into());
        }
        let real_time = priority::granted(*priority, self.real_time)?;
        let given = Given::of(real_time, self.ordinary);
        given.to_conductor()?;
        let mut world = World::start(sharing.of(scenario), given, self.eyes)?;
        world.facts = self.facts.clone();
        world.allowed = Some(self.allowed.clone());
        world.pid_max_is_local = is_local && is_watched;
        let run = world.run(scenario, *every_step, show);
        world.end()?;
        // The proof of quiet stands on this; a change of the machine's cpusets may undo it from outside.
        if os::allowed_cpus().len() != 1 {
            return Err("the processes were moved off their CPU".to_owned().into());
        }
        run
    }
}

/// The inode of the machine's initial PID namespace (include/linux/proc_ns.h, `PROC_PID_INIT_INO`).
const INITIAL_PID_NAMESPACE: u64 = 0xEFFF_FFFC;
