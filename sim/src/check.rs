//! What always holds in a quiet world.

use std::fmt;

use pidlab_scenario::Fact;

use crate::objects::ids::{NsId, SighandId, SignalId, TaskId};
use crate::objects::pid_namespace::ChildReaper;
use crate::objects::signal_struct::SignalFlags;
use crate::objects::task::{At, ExitState, TaskFlags};
use crate::pid::{is_within, numbers, pgrp_members};
use crate::world::World;

/// An invariant of the world that does not hold: a mistake of the model.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Broken(String);

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Broken {}

fn hold(condition: bool, what: &str, about: impl fmt::Debug) -> Result<(), Broken> {
    if condition { Ok(()) } else { Err(Broken(format!("{what}: {about:?}"))) }
}

impl World {
    /// Checks what always holds between two calls:
    ///
    /// - nobody has anything left to do, and whoever has ended is in no call;
    /// - a process is in its parent's namespace or a descendant of it, and has a parent that is not a zombie (the host has none);
    /// - the lists of children, threads and members of groups fit the objects' own words;
    /// - a number belongs to one `struct pid`, a `struct pid` to each of its numbers, and the counts are right;
    /// - when the child reaper of a namespace has ended for good, no other number of the namespace is taken, but for those of who is born
    ///   later in a namespace below it.
    ///
    /// # Errors
    /// The first that does not hold.
    pub fn check_invariants(&self) -> Result<(), Broken> {
        hold(self.run_queue.is_empty(), "the world is quiet", &self.run_queue.0)?;
        hold(
            self.frames.keys().all(|task| self.task(*task).flags.intersects(TaskFlags::STOPPED | TaskFlags::TRACED)),
            "handlers have run",
            &self.frames,
        )?;
        let lives = |task: &TaskId| self.is_there(*task) && self.task(*task).is_alive();
        hold(self.calls.keys().all(lives), "who is in a call lives", &self.calls)?;
        hold(self.traps.keys().all(lives), "who is held for something lives", &self.traps)?;
        let with_own = self.processes().filter(|leader| self.process(*leader).sighand != SighandId::DEFAULT).count();
        let counted: u32 = self.sighands.iter().map(|table| table.count).sum();
        hold(counted as usize == with_own + 1, "a table of actions counts who has it", counted)?;
        for task in self.tasks() {
            self.check_task(task)?;
        }
        for process in self.processes() {
            self.check_process(process)?;
        }
        for ns in self.namespaces() {
            self.check_namespace(ns)?;
        }
        Ok(())
    }

    /// Whether two worlds differ at most in the numbers that their namespaces try next, and in how many namespaces are gone and which
    /// names the next ones get: all that a failed call may change, but for whom messages are told to (`mq.failed-fork-closes`).
    pub fn equals_but_for_cursors(&self, other: &World) -> bool {
        let forget = |world: &World| {
            let mut world = world.clone();
            for namespace in world.namespaces.iter_mut() {
                namespace.cursor = 0;
            }
            world.namespaces.forget_names();
            world.births = 0;
            world.namespaces_made = 0;
            crate::capable::forget_gone(&mut world);
            world
        };
        forget(self) == forget(other)
    }

    fn check_task(&self, id: TaskId) -> Result<(), Broken> {
        let task = self.task(id);
        hold(!task.has(TaskFlags::ON_RQ), "nothing is left to do", id)?;
        hold(self.pids[task.thread_pid].task == Some(id), "a number knows its task", id)?;
        hold(
            !task.has(TaskFlags::KILLED) || task.exit_state != ExitState::None || task.at >= At::Zap,
            "who is killed has ended",
            id,
        )?;
        hold(!task.is_running() || !task.has(TaskFlags::SIGPENDING), "no signal is left to take", id)?;
        let in_call = !matches!(task.at, At::User | At::DeThread | At::Zap) && task.exit_state == ExitState::None;
        hold(in_call == self.calls.contains_key(&id), "who is in a call has one", id)?;
        hold(self.threads(id).any(|thread| thread == id), "a thread is in its process's list", id)?;
        for child in self.children(id) {
            hold(self.task(child).real_parent == Some(id), "a listed child names its parent", child)?;
        }
        hold(task.exit_state == ExitState::None || task.first_child.is_none(), "who has ended has no children", id)?;
        let held = task.has(TaskFlags::TRACED);
        hold(held == self.traps.contains_key(&id) && held == task.has(TaskFlags::IN_TRAP), "who is held has why", id)?;
        hold(!held || self.tracing.contains_key(&id), "who is held has a tracer", id)?;
        let leads = self.group_leader(id) == id;
        hold(leads || task.exit_state == ExitState::None, "only first threads become zombies", id)?;
        hold(task.pid_ns_for_children.is_some() == task.is_alive(), "who lives can have children", id)
    }

    fn check_process(&self, leader: TaskId) -> Result<(), Broken> {
        let process = self.process(leader);
        hold(self.threads(leader).count() == process.nr_threads as usize, "a process counts its threads", leader)?;
        hold(!process.has(SignalFlags::GROUP_EXEC) || process.nr_threads > 1, "exec is over", leader)?;
        match self.task(leader).real_parent {
            None => hold(leader == self.host(), "every process but the host has a parent", leader)?,
            Some(parent) => {
                hold(self.task(parent).exit_state == ExitState::None, "a parent has not ended", leader)?;
                let (own, theirs) = (self.active_ns(leader), self.active_ns(parent));
                hold(is_within(self, own, theirs), "a child is not above its parent", leader)?;
                hold(self.children(parent).any(|child| child == leader), "a child is in its parent's list", leader)?;
            }
        }
        let signal: SignalId = self.task(leader).signal;
        hold(
            pgrp_members(self, process.pgrp).any(|member| member == signal),
            "a member is in its group's list",
            leader,
        )?;
        let members = self.processes().filter(|other| self.process(*other).session == process.session).count();
        hold(members == self.pids[process.session].session as usize, "a session counts its members", leader)
    }

    fn check_namespace(&self, ns: NsId) -> Result<(), Broken> {
        let namespace = self.ns(ns);
        let held = namespace.idr.holders(0).count();
        hold(held == namespace.pid_allocated as usize, "a namespace counts its numbers", ns)?;
        for (number, pid) in namespace.idr.holders(0) {
            let record = &self.pids[pid];
            let used = record.task.is_some() || record.pgrp.is_some() || record.session > 0;
            hold(used, "a number is somebody's", (ns, number))?;
            let own = numbers(self, pid);
            hold(own.get(namespace.level as usize) == Some(&number), "a number is where it should be", (ns, number))?;
        }
        match namespace.child_reaper {
            ChildReaper::Unborn => hold(held == 0, "nobody is in a namespace without a child reaper", ns),
            ChildReaper::Task(reaper) if namespace.adding => {
                hold(self.task(reaper).is_alive(), "an open namespace has a living child reaper", ns)
            }
            ChildReaper::Task(reaper)
                if self.task(reaper).at == At::Zap && self.task(reaper).exit_state == ExitState::None =>
            {
                hold(!crate::exit::zap::is_alone(self, reaper), "a child reaper waits only for somebody", ns)
            }
            ChildReaper::Task(_) | ChildReaper::Gone => {
                // Where a namespace can be had before it has an init, somebody may be born in one below later.
                let inside = namespace.idr.holders(0).filter(|(_, pid)| self.pids[*pid].ns != ns).count();
                let early = self.holds(Fact::PidForChildrenBeforeInit) || self.holds(Fact::PidfdNamespaces);
                let later = if early { inside } else { 0 };
                hold(held - later <= 2, "an ended init is the last of its namespace", ns)
            }
        }
    }
}
