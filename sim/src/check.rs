//! What always holds in a quiet world.

use std::fmt;

use crate::namespace::Phase;
use crate::process::Life;
use crate::{NsId, ProcessId, World};

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
    /// - nobody has anything left to do;
    /// - a process is in its parent's namespace or below it, and has a parent that is not a zombie (the host has none);
    /// - the lists of children, and of the members of groups, fit the processes' own words;
    /// - a number belongs to one process, a process to each of its numbers, and the counts are right;
    /// - when the init of a namespace has ended for good, no other number of the namespace is taken.
    ///
    /// # Errors
    /// The first that does not hold.
    pub fn check_invariants(&self) -> Result<(), Broken> {
        hold(self.runnable.is_empty(), "the world is quiet", &self.runnable)?;
        for id in self.processes() {
            self.check_family(id)?;
            self.check_group(id)?;
        }
        for ns in self.namespaces() {
            self.check_namespace(ns)?;
        }
        Ok(())
    }

    /// Whether two worlds differ at most in the numbers that their namespaces try next, and in how many namespaces are gone: all
    /// that a failed call may change.
    pub fn equals_but_for_cursors(&self, other: &World) -> bool {
        let forget = |world: &World| {
            let mut world = world.clone();
            for ns in world.namespaces().collect::<Vec<_>>() {
                world.ns_mut(ns).cursor = 0;
            }
            world.forget_gone();
            world
        };
        forget(self) == forget(other)
    }

    fn check_family(&self, id: ProcessId) -> Result<(), Broken> {
        let record = self.process(id);
        hold(!record.queued && !record.resumed, "nothing is left to do", id)?;
        hold(!record.doomed || record.life >= Life::Zapping, "who is doomed has ended", id)?;
        let awake = record.life == Life::Alive && !record.stopped && record.call().is_none();
        hold(!awake || (!record.alerted && !record.stop_pending), "no signal is left to take", id)?;
        if let Some(leader) = record.thread_of {
            hold(self.threads(leader).any(|thread| thread == id), "a thread is in its process's list", id)?;
            return hold(record.parent.is_none() && record.life <= Life::Zapping, "only processes become zombies", id);
        }
        match record.parent {
            None => hold(id == self.host(), "every process but the host has a parent", id)?,
            Some(parent) => {
                hold(self.process(parent).life <= Life::Zapping, "a parent has not ended", id)?;
                hold(self.is_within(record.ns, self.process(parent).ns), "a child is not above its parent", id)?;
                hold(self.children(parent).any(|child| child == id), "a child is in its parent's list", id)?;
            }
        }
        for child in self.children(id) {
            hold(self.process(child).parent == Some(id), "a listed child names its parent", child)?;
        }
        hold(record.life != Life::Zombie || record.first_child.is_none(), "a zombie has no children", id)?;
        hold(record.target.is_some() == (record.life < Life::Leaving), "who lives can have children", id)
    }

    fn check_group(&self, id: ProcessId) -> Result<(), Broken> {
        let record = self.process(id);
        if record.thread_of.is_some() {
            return Ok(());
        }
        let Some((group, session)) = record.group.zip(record.session) else {
            return hold(false, "every process is in a group and a session", id);
        };
        hold(self.members(group).contains(&id), "a member is in its group's list", id)?;
        hold(self.process(group).life != Life::Vacant, "a group's number is held", group)?;
        hold(self.process(session).life != Life::Vacant, "a session's number is held", session)?;
        let members = self.processes().filter(|other| self.process(*other).session == Some(session)).count();
        hold(members == self.process(session).session_members as usize, "a session counts its members", session)
    }

    fn check_namespace(&self, ns: NsId) -> Result<(), Broken> {
        let namespace = self.ns(ns);
        let held = namespace.ids.holders(0).count();
        hold(held == namespace.allocated as usize, "a namespace counts its numbers", ns)?;
        for (number, holder) in namespace.ids.holders(0) {
            let record = self.process(holder);
            hold(record.life != Life::Vacant, "a number is somebody's", (ns, number))?;
            let own = self.numbers.row(self.level(record.ns), record.row);
            hold(own.get(namespace.level as usize) == Some(&number), "a holder knows its number", (ns, number))?;
        }
        if namespace.phase == Phase::Dead {
            hold(held <= 2, "an ended init is the last of its namespace", ns)?;
        }
        if let Phase::Open(init) = namespace.phase {
            hold(self.process(init).life == Life::Alive, "an open namespace has a living init", ns)?;
        }
        if let Phase::Closing(init) = namespace.phase {
            hold(self.process(init).life == Life::Zapping, "a closing namespace has an exiting init", ns)?;
            hold(held > 1, "an init waits only for somebody", ns)?;
        }
        Ok(())
    }
}
