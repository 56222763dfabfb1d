//! A step in one possible world: its call begun, and what it came to once the world is quiet.
//!
//! ```text
//!   begin_step    the call's own work; what it sets going is left on the run queue
//!   …             the turns of others, in some order (crate::order)
//!   conclude      results, reasons, who is released, and what an observer sees
//! ```

use pidlab_scenario::syscall::lower;
use pidlab_scenario::{CallName, Outcome, Refusal, Returned, Role, Step};

use super::cast::Branch;
use super::{Answer, Because, Happened};
use crate::objects::ids::TaskId;
use crate::objects::task::At;
use crate::objects::wait_opts::Waited;
use crate::order::orders;
use crate::world::{Handled, InCall, Return};

/// What a call's work came to, before its caller is back in user mode.
pub(super) enum Done {
    /// It will return this.
    Outcome(Outcome),
    /// It will return this, but not yet: the caller sleeps in it.
    Later(Outcome),
    /// The caller sleeps in it.
    Blocks,
    /// The caller is on its way out.
    Never,
}

impl Branch {
    /// Takes a step in the order in which events come up.
    pub(super) fn step(&mut self, step: &Step) -> Result<Answer, Refusal> {
        self.begin_step(step, false)?;
        orders::settle(&mut self.world);
        Ok(self.conclude(step))
    }

    /// The call's own work; what it sets going is left on the run queue. A step that is refused is refused before anything changes.
    pub(super) fn begin_step(&mut self, step: &Step, gone_count: bool) -> Result<(), Refusal> {
        let syscall = lower(step, self)?;
        let caller = self.task(step.by).expect("who can act is there");
        self.world.gone_count = gone_count;
        self.world.begin(caller);
        let done = self.begin(step, caller, &syscall);
        self.world.gone_count = false;
        self.world.current.0 = None;
        let done = done?;
        let known = self.known_mut(step.by).expect("the caller is born");
        known.call = match done {
            Done::Never => None,
            Done::Blocks => Some((step.call.name(), None)),
            Done::Outcome(outcome) | Done::Later(outcome) => Some((step.call.name(), Some(outcome))),
        };
        self.start_returning(caller);
        Ok(())
    }

    /// The work of a call is done. If others have something to do, its caller has yet to come back from it; meanwhile it can be stopped or
    /// killed. If not, it is back at once.
    fn start_returning(&mut self, caller: TaskId) {
        let task = self.world.task(caller);
        if task.at != At::User || !task.is_alive() || self.known_call(caller).is_none() {
            return;
        }
        if self.world.run_queue.is_empty() {
            self.world.returned.push((caller, Return::Told));
            return;
        }
        self.world.enter(caller, At::Returning, InCall::Returning(Return::Told));
        orders::put_first(&mut self.world, caller);
    }

    fn known_call(&self, task: TaskId) -> Option<&(CallName, Option<Outcome>)> {
        self.known(self.role(task)?)?.call.as_ref()
    }

    /// The answer to a step, in a quiet world.
    pub(super) fn conclude(&mut self, step: &Step) -> Answer {
        let (outcome, returned) = self.came(step);
        let because = self.reasons(step);
        self.note_waited();
        self.forget_released();
        let observation = self.observe(Some(outcome), returned);
        self.world.clear_handled();
        Answer { observation, because }
    }

    /// The reasons that were noted, each once.
    fn reasons(&mut self, step: &Step) -> Vec<Because> {
        let reasons = self.world.take_reasons();
        let mut because: Vec<Because> = Vec::with_capacity(reasons.len());
        for (rule, about) in reasons {
            // A child that was never born, for want of a number, has no name: then it is about who wanted it.
            let reason = Because { rule, about: self.role(about).unwrap_or(step.by) };
            if !because.contains(&reason) {
                because.push(reason);
            }
        }
        because
    }

    /// Takes a step as [`Branch::step`] does, and only its reasons are asked for.
    pub(super) fn step_unseen(&mut self, step: &Step) -> Result<Vec<Because>, Refusal> {
        self.begin_step(step, false)?;
        orders::settle(&mut self.world);
        self.take_returned();
        let because = self.reasons(step);
        self.note_waited();
        self.forget_released();
        self.number_namespaces();
        self.world.clear_handled();
        Ok(because)
    }

    /// The same where nobody looks at the world.
    pub(super) fn happen(&mut self, step: &Step) -> Happened {
        let (outcome, returned) = self.came(step);
        let handled = self.world.handled.iter().filter_map(|(task, got)| {
            let handled = pidlab_scenario::Handled { signal: got.signal, si_pid: got.si_pid, child: got.child };
            Some((self.role(*task)?, handled))
        });
        let mut handled: Vec<_> = handled.collect();
        // Each sees its own; in which order those of two processes ran nobody does.
        handled.sort_by_key(|(role, _)| *role);
        self.note_waited();
        self.forget_released();
        self.world.clear_handled();
        Happened { outcome, returned, handled }
    }

    /// What the call of a step gave, and which other calls came back, in a quiet world.
    fn came(&mut self, step: &Step) -> (Outcome, Vec<Returned>) {
        let mut returned = self.take_returned();
        let own = returned.iter().position(|returned| returned.by == step.by);
        let outcome = match own {
            Some(index) => returned.remove(index).outcome,
            None if self.is_gone(step.by) => Outcome::Never,
            None => Outcome::Blocks,
        };
        (outcome, returned)
    }

    /// Whether a role is not there any more to return from its call.
    fn is_gone(&self, role: Role) -> bool {
        let state = self.task(role).and_then(|task| self.world.state(task));
        matches!(state, None | Some(crate::State::Zombie | crate::State::Exiting))
    }

    /// The calls that came back, in the order of roles.
    pub(super) fn take_returned(&mut self) -> Vec<Returned> {
        let mut all = Vec::new();
        for (task, what) in std::mem::take(&mut self.world.returned) {
            let Some(by) = self.role(task) else { continue };
            let (call, told) = self.known_mut(by).and_then(|known| known.call.take()).expect("it was in a call");
            all.push(Returned { by, call, outcome: self.outcome(told, &what) });
        }
        all.sort_by_key(|returned| returned.by);
        all
    }

    /// What a call gives that comes back.
    pub(super) fn outcome(&self, told: Option<Outcome>, what: &Return) -> Outcome {
        match what {
            Return::Told => told.expect("a call that was done has an outcome"),
            Return::Wait(Ok(waited)) => self.waited(*waited),
            Return::Signal(Ok(taken)) => taken_signal(taken),
            Return::Wait(Err(errno)) | Return::Signal(Err(errno)) => Outcome::Err(*errno),
        }
    }

    /// What a wait gave, in the scenario's words.
    pub(super) fn waited(&self, waited: Waited) -> Outcome {
        match waited {
            Waited::Child { child, number, status } => {
                let child = self.role(child).expect("every child has a name");
                Outcome::Waited { number: i64::from(number.get()), child, status }
            }
            Waited::Nothing => Outcome::Ok(0),
            Waited::Blocks => Outcome::Blocks,
        }
    }

    /// Who has waited and is held before it is back may be told of somebody who is released: that one has a name now, and later none.
    pub(super) fn note_waited(&mut self) {
        let waited = self.world.calls.iter().filter_map(|(task, call)| match call {
            InCall::Returning(what @ Return::Wait(Ok(_))) => Some((*task, self.outcome(None, what))),
            _ => None,
        });
        for (task, outcome) in waited.collect::<Vec<_>>() {
            let Some(by) = self.role(task) else { continue };
            if let Some((_, told)) = self.known_mut(by).and_then(|known| known.call.as_mut()) {
                *told = Some(outcome);
                self.world.calls.insert(task, InCall::Returning(Return::Told));
            }
        }
    }
}

/// A signal that was taken, in the scenario's words.
pub(super) fn taken_signal(taken: &Handled) -> Outcome {
    let Handled { signal, si_pid, child } = *taken;
    Outcome::Taken(pidlab_scenario::Handled { signal, si_pid, child })
}
