//! How a world looks, in the scenario's words.

use pidlab_scenario::syscall::{Look, LookedAt, Syscall, lower};
use pidlab_scenario::{Handled, NamespaceId, Observation, Outcome, ProcessView, Returned, Role, State, Step};

use super::cast::Branch;
use crate::objects::ids::TaskId;
use crate::objects::task::{At, TaskFlags};
use crate::pid::find_task_by_pid_ns;

impl Branch {
    /// Whether an init is on its way out of which only the machine's root could say whether it sleeps, and nobody here is that
    /// (kernel/ptrace.c, `task_still_dumpable`; fs/proc/base.c, `proc_pid_wchan`).
    pub(super) fn hides_an_exit(&self) -> bool {
        let world = &self.world;
        world.tasks().any(|task| world.task(task).at == At::Zap && world.task(task).has(TaskFlags::CLOSED))
    }

    /// Whether a step looks at somebody who has ended, through a link of `/proc/PID/ns` that only the machine's root could follow.
    pub(super) fn looks_at_the_closed(&self, step: &Step) -> bool {
        let Ok(Syscall::Look(
            Look::Translate(at)
            | Look::NsParent(at)
            | Look::NsParentFile(at)
            | Look::NsOwner(at)
            | Look::UserNsParent(at)
            | Look::TheirProcfs(at),
        )) = lower(step, self)
        else {
            return false;
        };
        let world = &self.world;
        let looked_at = match at {
            LookedAt::Role(role) => self.task(role),
            LookedAt::Number(number) => {
                self.task(step.by).and_then(|caller| find_task_by_pid_ns(world, world.active_ns(caller), number))
            }
        };
        looked_at.is_some_and(|task| world.task(task).has(TaskFlags::CLOSED))
    }

    /// What a task is seen to be doing. Which thread of an init is its last, and waits for the members of the namespace, can be open where
    /// several end at once: so the process is seen on its way out, and the thread has ended.
    pub(super) fn shown_state(&self, task: TaskId) -> Option<State> {
        let world = &self.world;
        let state = world.state(task)?;
        if world.leader(task) == task && world.is_zapping(task) {
            return Some(State::Exiting);
        }
        match state {
            crate::State::Exiting => None,
            crate::State::Running => Some(State::Running),
            crate::State::Blocked => Some(State::Blocked),
            crate::State::Stopped => Some(State::Stopped),
            crate::State::Traced => Some(State::Traced),
            crate::State::Zombie => Some(State::Zombie),
        }
    }

    /// How the world looks.
    pub(super) fn observe(&mut self, outcome: Option<Outcome>, returned: Vec<Returned>) -> Observation {
        let mut processes = Vec::new();
        let roles: Vec<(Role, TaskId)> = self.known_roles().collect();
        for (role, task) in roles {
            let Some(state) = self.shown_state(task) else { continue };
            let namespaces = self.show_namespaces(task);
            let world = &self.world;
            let ns = world.namespace(task);
            let bare = |number: Option<crate::Nr>| number.map_or(0, crate::Nr::get);
            let handled =
                world.handled(task).map(|got| Handled { signal: got.signal, si_pid: got.si_pid, child: got.child });
            processes.push(ProcessView {
                role,
                thread_of: Some(world.leader(task)).filter(|leader| *leader != task).and_then(|it| self.role(it)),
                state,
                pids: world.pids(task).to_vec(),
                namespaces,
                parent: world.parent(task).and_then(|parent| self.role(parent)),
                ppid: bare(world.visible_parent(task)),
                pgid: bare(world.group_in(task, ns)),
                sid: bare(world.session_in(task, ns)),
                tracer: world.tracer(task).and_then(|tracer| self.role(tracer)),
                handled: handled.collect(),
            });
        }
        Observation { outcome, returned, processes }
    }

    /// Gives the namespaces their numbers that an observation would show now for the first time.
    pub(super) fn number_namespaces(&mut self) {
        let roles: Vec<(Role, TaskId)> = self.known_roles().collect();
        for (_, task) in roles {
            let serial = self.world.namespace_serial(self.world.namespace(task));
            // Who is in a namespace is in those around it.
            if !self.shown.contains(&serial) && self.shown_state(task).is_some() {
                self.show_namespaces(task);
            }
        }
    }

    fn show_namespaces(&mut self, task: TaskId) -> Vec<NamespaceId> {
        let mut ids = Vec::new();
        for serial in self.lineage(self.world.namespace(task)) {
            let index = self.shown.iter().position(|known| *known == serial).unwrap_or_else(|| {
                self.shown.push(serial);
                self.shown.len() - 1
            });
            ids.push(NamespaceId(u16::try_from(index).expect("a scenario has few namespaces")));
        }
        ids
    }
}
