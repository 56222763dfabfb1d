//! How far an exploration goes.

use pidlab_sim::Position;

use crate::calls::Makes;

/// How long scenarios are, and how much there may be at one time in their worlds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Bounds {
    /// How many steps a scenario has at most.
    pub steps: u16,
    /// How many processes there are at most that are not reaped, `host` among them.
    pub processes: usize,
    /// How many threads there are at most beside the first ones of processes.
    pub threads: usize,
    /// How many PID namespaces exist at most, the outermost one among them.
    pub namespaces: usize,
}

impl Default for Bounds {
    fn default() -> Bounds {
        Bounds { steps: 4, processes: 3, threads: 1, namespaces: 2 }
    }
}

impl Bounds {
    /// What a position has still room for.
    pub(crate) fn room(&self, position: &Position) -> Room {
        let world = position.world();
        let (mut processes, mut threads) = (0, 0);
        for task in world.tasks() {
            if world.leader(task) == task {
                processes += 1;
            } else {
                threads += 1;
            }
        }
        Room {
            process: processes < self.processes,
            thread: threads < self.threads,
            namespace: world.namespaces().count() < self.namespaces,
        }
    }
}

/// What there is still room for.
pub(crate) struct Room {
    process: bool,
    thread: bool,
    namespace: bool,
}

impl Room {
    /// Whether it is enough for what a call makes.
    pub(crate) fn is_for(&self, makes: Makes) -> bool {
        match makes {
            Makes::Nothing => true,
            Makes::Process => self.process,
            Makes::Thread => self.thread,
            Makes::Namespace => self.namespace,
            Makes::ProcessAndNamespace => self.process && self.namespace,
        }
    }
}
