//! A step in every order of events: what may come of it, and which worlds look like what was seen.

use pidlab_scenario::syscall::{Syscall, lower};
use pidlab_scenario::{CloneFlags, Observation, Refusal, Role, State, Step};

use super::cast::Branch;
use super::{Answer, Outcomes};
use crate::capable::is_limit_open;
use crate::objects::ids::TaskId;
use crate::objects::task::TaskFlags;
use crate::order::spare::Spare;
use crate::order::{orders, possible};
use crate::world::World;

/// The worlds that a step leads to and that look like what was seen.
pub(super) struct Searched {
    pub(super) results: Vec<(Branch, Answer)>,
    pub(super) looked_at: usize,
    pub(super) complete: bool,
}

impl Branch {
    /// Takes a step in every order, and keeps what looks like what was seen.
    pub(super) fn search(
        &self,
        step: &Step,
        most: usize,
        seen: &Observation,
        spare: &mut Spare,
    ) -> Result<Searched, Refusal> {
        let mut searched = Searched { results: Vec::new(), looked_at: 0, complete: true };
        for mut begun in self.begin_all(step, spare)? {
            // Mostly nobody has a choice: then this is the only world, and no other one is made to hold against what was seen.
            possible::advance(&mut begun.world, |_| ());
            if begun.world.run_queue.is_empty() {
                searched.looked_at += 1;
                let answer = begun.conclude(step);
                if answer.observation == *seen {
                    searched.results.push((begun, answer));
                } else {
                    spare.take_back(begun.world);
                }
                continue;
            }
            let left = most.saturating_sub(searched.looked_at);
            let hopeless = |world: &World| begun.is_hopeless(step, world, seen);
            let looks_like = |world: &World, spare: &mut Spare| {
                let mut branch = begun.with(spare.copy(world));
                let looks_like = branch.conclude(step).observation == *seen;
                spare.take_back(branch.world);
                looks_like
            };
            let found = possible::search(&begun.world, left, hopeless, looks_like, spare);
            searched.looked_at += found.looked_at;
            searched.complete &= found.complete;
            searched.results.extend(found.worlds.into_iter().map(|world| {
                let mut branch = begun.with(world);
                let answer = branch.conclude(step);
                (branch, answer)
            }));
            spare.take_back(begun.world);
        }
        Ok(searched)
    }

    /// Takes a step in every order, and notes what it comes to. Answers how many worlds were looked at.
    pub(super) fn outcomes(
        &self,
        step: &Step,
        worlds: usize,
        most: usize,
        outcomes: &mut Outcomes,
    ) -> Result<usize, Refusal> {
        let mut looked_at = 0;
        let mut spare = Spare::default();
        for begun in self.begin_all(step, &mut spare)? {
            let mut canonical = begun.clone();
            orders::settle(&mut canonical.world);
            outcomes.add(canonical.conclude(step), most);
            if begun.world.run_queue.is_empty() {
                continue;
            }
            let left = worlds.saturating_sub(looked_at);
            let found = possible::search(&begun.world, left, |_| false, |_, _| true, &mut spare);
            looked_at += found.looked_at;
            outcomes.complete &= found.complete;
            for world in found.worlds {
                outcomes.add(begun.with(world).conclude(step), most);
            }
        }
        Ok(looked_at)
    }

    /// The step begun, once or, where it depends on how soon Linux forgets PID namespaces that are gone, twice.
    pub(super) fn begin_all(&self, step: &Step, spare: &mut Spare) -> Result<Vec<Branch>, Refusal> {
        let mut begun = |gone_count| {
            let mut branch = self.with(spare.copy(&self.world));
            match branch.begin_step(step, gone_count) {
                Ok(()) => Ok(branch),
                Err(refusal) => {
                    spare.take_back(branch.world);
                    Err(refusal)
                }
            }
        };
        let mut all = vec![begun(false)?];
        let open = self.task(step.by).is_some_and(|caller| is_limit_open(&self.world, caller));
        if open && makes_namespace(&lower(step, self)?) {
            all.push(begun(true)?);
        }
        Ok(all)
    }

    /// Every quiet world that this one may become, and whether these are all. Where nobody has a choice nothing is searched.
    pub(super) fn settled(mut self, most: usize, spare: &mut Spare) -> (Vec<Branch>, bool) {
        possible::advance(&mut self.world, |_| ());
        if self.world.run_queue.is_empty() {
            return (vec![self], true);
        }
        let found = possible::search(&self.world, most, |_| false, |_, _| true, spare);
        let settled = found.worlds.into_iter().map(|world| self.with(world)).collect();
        spare.take_back(self.world);
        (settled, found.complete)
    }

    /// Whether nothing that still happens to a world can make it look like what was seen: somebody is dead that was seen alive, or a
    /// handler or a call noted what was not seen.
    fn is_hopeless(&self, step: &Step, world: &World, seen: &Observation) -> bool {
        let dead = |role: Role, task: TaskId| {
            let lives = seen.process(role).is_some_and(|view| !matches!(view.state, State::Zombie | State::Exiting));
            let record = world.is_there(task).then(|| world.task(task));
            lives && !record.is_some_and(|record| record.is_alive() && !record.has(TaskFlags::KILLED))
        };
        if self.known_roles().any(|(role, task)| dead(role, task)) {
            return true;
        }
        self.notes_what_was_not_seen(world, seen) || self.returns_what_was_not_seen(step, world, seen)
    }

    fn notes_what_was_not_seen(&self, world: &World, seen: &Observation) -> bool {
        let mut at = vec![0usize; self.named()];
        for (task, handled) in &world.handled {
            let Some(role) = self.role(*task) else { continue };
            let Some(view) = seen.process(role) else { continue };
            let place = &mut at[role.index()];
            let same = view.handled.get(*place).is_some_and(|noted| {
                noted.signal == handled.signal && noted.si_pid == handled.si_pid && noted.child == handled.child
            });
            if !same {
                return true;
            }
            *place += 1;
        }
        false
    }

    fn returns_what_was_not_seen(&self, step: &Step, world: &World, seen: &Observation) -> bool {
        world.returned.iter().any(|(task, what)| {
            let Some(role) = self.role(*task) else { return false };
            let told = self.known(role).and_then(|known| known.call.as_ref()).and_then(|(_, told)| told.clone());
            let outcome = self.outcome(told, what);
            let shown = if role == step.by {
                seen.outcome.as_ref()
            } else {
                seen.returned.iter().find(|returned| returned.by == role).map(|returned| &returned.outcome)
            };
            shown != Some(&outcome)
        })
    }
}

impl Outcomes {
    fn add(&mut self, answer: Answer, most: usize) {
        if self.answers.iter().any(|known| known.observation == answer.observation) {
            return;
        }
        if self.answers.len() < most {
            self.answers.push(answer);
        } else {
            self.complete = false;
        }
    }
}

fn makes_namespace(syscall: &Syscall) -> bool {
    let (Syscall::Clone3 { flags, .. } | Syscall::Unshare { flags }) = syscall else { return false };
    flags.contains(CloneFlags::CLONE_NEWPID)
}
