//! A log as a scenario: the same answers, with one step after the other.
//!
//! A scenario knows no overlap: what a step sets going has happened before the next one. So another search: for an order of whole steps, that
//! leaves what each task did in its order and is free in all the rest, and in which every answer is the recorded one.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::rc::Rc;

use pidlab_scenario::{
    Call, Claim, Errno, Expect, Handled, HandledClaim, KillTarget, MaskChange, Outcome, OutcomeClaim, ProcessClaim,
    ReturnValue, ReturnedClaim, Role, Scenario, Signal, State, Step, Sysctl, Target,
};
use pidlab_sim::{Happened, Numbers, Position};

use crate::event::{Answer, Deed, Event, MaskHow, NEVER};
use crate::fits::{fits, is_from_nobody, shows};
use crate::program::Program;

/// How many places are looked at.
const MOST_PLACES: usize = 10_000;
/// How many orders of one step's events.
const MOST_WORLDS: usize = 2_000;

/// A scenario that has the same answers, if one is found.
pub(crate) fn scenario(program: &Program, start: Position, title: &str) -> Option<Scenario> {
    let mut scenario = Scenario::new(title);
    scenario.roles = program.roles.iter().map(|actor| actor.name.clone()).collect();
    scenario.steps = steps(program, start)?;
    // A name that nobody bears, for its call failed, stays: the step names it.
    Some(scenario)
}

struct Place {
    position: Position,
    done: Vec<u32>,
    begun: Vec<bool>,
    saved: BTreeMap<Role, Vec<Signal>>,
}

struct Path {
    steps: Vec<Step>,
    before: Option<Rc<Path>>,
}

fn steps(program: &Program, start: Position) -> Option<Vec<Step>> {
    let matter = signals_that_matter(program);
    let (start, first) = prologue(program, start)?;
    let roles = program.roles.len();
    let root = Place { position: start, done: vec![0; roles], begun: vec![false; roles], saved: BTreeMap::new() };
    let mut open = vec![(root, Rc::new(Path { steps: first, before: None }))];
    let mut met = HashSet::new();
    let mut looked_at = 0;
    while let Some((mut place, path)) = open.pop() {
        looked_at += 1;
        if looked_at > MOST_PLACES {
            return None;
        }
        place.pass(program, &matter);
        if place.is_over(program) {
            return Some(all_steps(&path));
        }
        if !met.insert(place.key()) {
            continue;
        }
        for role in place.ready(program).into_iter().rev() {
            for (next, steps) in place.take(program, role, &matter) {
                open.push((next, Rc::new(Path { steps, before: Some(Rc::clone(&path)) })));
            }
        }
    }
    None
}

fn all_steps(path: &Path) -> Vec<Step> {
    let mut parts: Vec<&Vec<Step>> =
        std::iter::successors(Some(path), |path| path.before.as_deref()).map(|path| &path.steps).collect();
    parts.reverse();
    parts.into_iter().flatten().cloned().collect()
}

/// Signals that nobody ever gets need neither masks nor actions.
fn signals_that_matter(program: &Program) -> BTreeSet<Signal> {
    let events = program.roles.iter().flat_map(|actor| &actor.events);
    let named = events.filter_map(|event| match &event.deed {
        Deed::Signal { shown, .. } => Some(shown.signal),
        Deed::Call(
            Call::Kill { signal, .. }
            | Call::Tgkill { signal, .. }
            | Call::Tkill { signal, .. }
            | Call::PidfdSendSignal { signal, .. }
            | Call::SetPdeathsig { signal },
        ) => *signal,
        _ => None,
    });
    named.chain([Signal::CHLD]).collect()
}

fn prologue(program: &Program, mut position: Position) -> Option<(Position, Vec<Step>)> {
    let mut steps = Vec::new();
    for (number, step) in &program.prologue {
        position = number.map_or(Some(position.clone()), |number| skip(&position, number, &mut steps))?;
        position = after(&position, step)?.into_iter().next()?.0;
        steps.push(step.clone());
    }
    Some((position, steps))
}

/// Lets the host make this number the next one of the outermost namespace.
fn skip(position: &Position, number: u32, steps: &mut Vec<Step>) -> Option<Position> {
    if position.next_number() == number {
        return Some(position.clone());
    }
    let write = Some(i64::from(number) - 1);
    let step = Step::new(Role::HOST, Call::Sysctl { name: Sysctl::NsLastPid, write });
    let position = after(position, &step)?.into_iter().next()?.0;
    steps.push(step);
    Some(position)
}

fn after(position: &Position, step: &Step) -> Option<Vec<(Position, Happened)>> {
    let ways = position.after(step, MOST_WORLDS).ok()?;
    Some(ways.ways.into_iter().map(|way| (way.position, way.happened)).collect())
}

impl Place {
    fn next<'p>(&self, program: &'p Program, role: Role) -> Option<&'p Event> {
        program.roles[role.index()].events.get(self.done[role.index()] as usize)
    }

    fn complete(&mut self, role: Role) {
        self.done[role.index()] += 1;
        self.begun[role.index()] = false;
    }

    fn is_over(&self, program: &Program) -> bool {
        (0..program.roles.len())
            .all(|role| program.roles[role].events[self.done[role] as usize..].iter().all(|event| event.last == NEVER))
    }

    fn key(&self) -> u64 {
        let mut bytes = Vec::new();
        self.position.key(Numbers::Exact, &mut bytes);
        let mut hasher = DefaultHasher::new();
        (bytes, &self.done, &self.begun, &self.saved).hash(&mut hasher);
        hasher.finish()
    }

    /// Who makes a step next, what the log has first before the rest.
    fn ready(&self, program: &Program) -> Vec<Role> {
        let roles = (0..program.roles.len()).map(|index| Role(u16::try_from(index).unwrap_or(u16::MAX)));
        let able = |role: &Role| self.position.state(*role) == Some(State::Running);
        let mut ready: Vec<(usize, Role)> = roles
            .filter(able)
            .filter_map(|role| self.next(program, role).map(|event| (event.last.min(event.line), role)))
            .collect();
        ready.sort_unstable();
        ready.into_iter().map(|(_, role)| role).collect()
    }

    /// Goes past what is no step.
    fn pass(&mut self, program: &Program, matter: &BTreeSet<Signal>) {
        for index in 0..program.roles.len() {
            let role = Role(u16::try_from(index).unwrap_or(u16::MAX));
            while let Some(event) = self.next(program, role)
                && self.is_passed(program, role, event, matter)
            {
                self.complete(role);
            }
        }
    }

    fn is_passed(&mut self, program: &Program, role: Role, event: &Event, matter: &BTreeSet<Signal>) -> bool {
        let state = self.position.state(role);
        let gone = matches!(state, None | Some(State::Zombie | State::Exiting));
        match &event.deed {
            Deed::Ended { .. } | Deed::Superseded => gone,
            Deed::Signal { shown, .. } => gone || !self.position.catches(role, shown.signal),
            Deed::Passes | Deed::Maps { .. } => true,
            Deed::Call(Call::Sigaction { signal, .. }) => !matter.contains(signal),
            Deed::Call(call) if state == Some(State::Blocked) && !self.begun[role.index()] => {
                // The log has a call that was cut short, and goes on, once more.
                let same = self.done[role.index()].checked_sub(1).and_then(|before| {
                    program.roles[role.index()].events[..=before as usize]
                        .iter()
                        .rev()
                        .find(|event| !matches!(event.deed, Deed::Signal { .. } | Deed::Passes))
                });
                let goes_on = same.is_some_and(|before| {
                    before.answer == Answer::Interrupted && matches!(&before.deed, Deed::Call(other) if other == call)
                });
                self.begun[role.index()] |= goes_on;
                false
            }
            Deed::Call(_) if self.begun[role.index()] && event.answer == Answer::Interrupted => {
                // Cut short by a signal that does nothing: it goes on.
                let next = program.roles[role.index()].events.get(self.done[role.index()] as usize + 1);
                !matches!(next, Some(Event { deed: Deed::Signal { shown, .. }, .. }) if self.position.catches(role, shown.signal))
                    && state == Some(State::Blocked)
            }
            _ => gone && event.answer == Answer::Never,
        }
    }

    /// What comes of the next event of a role: each with the steps that it takes.
    fn take(&self, program: &Program, role: Role, matter: &BTreeSet<Signal>) -> Vec<(Place, Vec<Step>)> {
        let Some(event) = self.next(program, role) else { return Vec::new() };
        let mut steps = Vec::new();
        match &event.deed {
            Deed::Mask { .. } | Deed::Restore { .. } => self.mask(program, role, event, matter).into_iter().collect(),
            Deed::Suspend { .. } => self.suspend(program, role, event, matter).into_iter().collect(),
            Deed::Signal { shown, .. } if is_from_nobody(shown) => {
                let by_host = KillTarget::Pid(Target::Role(role));
                let kill = Call::Kill { target: by_host, signal: Some(shown.signal) };
                self.step(program, Step::new(Role::HOST, kill), None, steps)
            }
            Deed::Call(call) => self.step(program, Step::new(role, call.clone()), Some(role), steps),
            Deed::Birth { call, number, .. } => {
                let at = number.and_then(|number| skip(&self.position, number, &mut steps));
                let place = at.map_or_else(|| self.copy(), |position| Place { position, ..self.copy() });
                place.step(program, Step::new(role, call.clone()), Some(role), steps)
            }
            _ => Vec::new(),
        }
    }

    fn copy(&self) -> Place {
        Place {
            position: self.position.clone(),
            done: self.done.clone(),
            begun: self.begun.clone(),
            saved: self.saved.clone(),
        }
    }

    /// One step, and every way in which it may come out as the log has it.
    fn step(&self, program: &Program, step: Step, of: Option<Role>, before: Vec<Step>) -> Vec<(Place, Vec<Step>)> {
        let Some(ways) = after(&self.position, &step) else { return Vec::new() };
        let certain = ways.len() == 1;
        let fitting = ways.into_iter().filter_map(|(position, happened)| {
            let mut place = Place { position, ..self.copy() };
            if let Some(role) = of {
                if step.call.name().returns() { place.begun[role.index()] = true } else { place.complete(role) }
            }
            let mut claimed = step.clone();
            place.hear(program, &happened, of)?;
            if certain {
                claim(&mut claimed, &happened);
            }
            let mut steps = before.clone();
            steps.push(claimed);
            Some((place, steps))
        });
        fitting.collect()
    }

    /// Whether what happened is what the log has.
    fn hear(&mut self, program: &Program, happened: &Happened, of: Option<Role>) -> Option<()> {
        if let Some(role) = of
            && self.begun[role.index()]
            && !matches!(happened.outcome, Outcome::Blocks | Outcome::Never)
        {
            self.returned(program, role, &happened.outcome)?;
        }
        for returned in &happened.returned {
            self.returned(program, returned.by, &returned.outcome)?;
        }
        happened.handled.iter().try_for_each(|(role, handled)| self.handled(program, *role, handled))
    }

    fn returned(&mut self, program: &Program, role: Role, outcome: &Outcome) -> Option<()> {
        let event = self.next(program, role)?;
        if !self.begun[role.index()] {
            return (*outcome == Outcome::Err(Errno::EINTR)).then_some(());
        }
        if event.answer != Answer::Never && !fits(&event.answer, outcome) {
            return None;
        }
        self.complete(role);
        Some(())
    }

    fn handled(&mut self, program: &Program, role: Role, handled: &Handled) -> Option<()> {
        loop {
            let event = self.next(program, role)?;
            match &event.deed {
                Deed::Signal { shown, .. } if shows(shown, handled) || is_from_nobody(shown) => {
                    self.complete(role);
                    return Some(());
                }
                Deed::Suspend { .. } if self.begun[role.index()] => self.complete(role),
                Deed::Passes => self.complete(role),
                Deed::Call(_) if self.begun[role.index()] && event.answer == Answer::Interrupted => self.complete(role),
                _ => return None,
            }
        }
    }

    /// The steps that change a mask to another, as far as it matters.
    fn change(&self, role: Role, to: &[Signal], matter: &BTreeSet<Signal>) -> Vec<Step> {
        let from = self.position.mask(role);
        let fixed = |signal: &Signal| !matches!(*signal, Signal::KILL | Signal::STOP);
        let block = matter.iter().filter(|it| to.contains(it) && !from.contains(it));
        let unblock = matter.iter().filter(|it| !to.contains(it) && from.contains(it));
        let block = block.map(|signal| (MaskChange::Block, *signal));
        let all = block.chain(unblock.map(|signal| (MaskChange::Unblock, *signal)));
        all.filter(|(_, signal)| fixed(signal))
            .map(|(how, signal)| Step::new(role, Call::Sigprocmask { how, signal }))
            .collect()
    }

    fn mask(
        &self,
        program: &Program,
        role: Role,
        event: &Event,
        matter: &BTreeSet<Signal>,
    ) -> Option<(Place, Vec<Step>)> {
        let old = self.position.mask(role);
        let new: Vec<Signal> = match &event.deed {
            Deed::Mask { how: MaskHow::Block, set } => old.iter().chain(set).copied().collect(),
            Deed::Mask { how: MaskHow::Unblock, set } => old.iter().filter(|it| !set.contains(it)).copied().collect(),
            Deed::Mask { set, .. } | Deed::Restore { set } | Deed::Suspend { set } => set.clone(),
            _ => return None,
        };
        let mut place = self.copy();
        place.complete(role);
        place.all(program, self.change(role, &new, matter))
    }

    fn suspend(
        &self,
        program: &Program,
        role: Role,
        event: &Event,
        matter: &BTreeSet<Signal>,
    ) -> Option<(Place, Vec<Step>)> {
        let mut place = self.copy();
        if let Some(old) = place.saved.remove(&role) {
            // It comes back: its mask does, too.
            place.complete(role);
            return place.all(program, self.change(role, &old, matter));
        }
        let Deed::Suspend { set } = &event.deed else { return None };
        place.saved.insert(role, self.position.mask(role));
        place.begun[role.index()] = true;
        place.all(program, self.change(role, set, matter))
    }

    /// Steps that set going nothing but signals.
    fn all(mut self, program: &Program, steps: Vec<Step>) -> Option<(Place, Vec<Step>)> {
        for step in &steps {
            let (position, happened) = after(&self.position, step)?.into_iter().next()?;
            self.position = position;
            for returned in &happened.returned {
                self.returned(program, returned.by, &returned.outcome)?;
            }
            happened.handled.iter().try_for_each(|(role, handled)| self.handled(program, *role, handled))?;
        }
        Some((self, steps))
    }
}

/// What the log says of a step that can come out in one way alone.
fn claim(step: &mut Step, happened: &Happened) {
    step.expect = match &happened.outcome {
        Outcome::Ok(number) => Some(Expect::Returns(ReturnValue::Number(*number))),
        Outcome::Waited { number, .. } => Some(Expect::Returns(ReturnValue::Number(*number))),
        Outcome::Err(errno) => Some(Expect::Fails(*errno)),
        Outcome::Blocks => Some(Expect::Blocks),
        _ => None,
    };
    if let Outcome::Waited { status, .. } = &happened.outcome {
        step.claims.push(Claim::Outcome(OutcomeClaim::Status(*status)));
    }
    let mut handled: BTreeMap<Role, Vec<HandledClaim>> = BTreeMap::new();
    for (role, got) in &happened.handled {
        let said = HandledClaim { signal: got.signal, si_pid: Some(got.si_pid), status: None };
        handled.entry(*role).or_default().push(said);
    }
    for returned in &happened.returned {
        let outcome = match &returned.outcome {
            Outcome::Waited { number, status, .. } => {
                vec![OutcomeClaim::Result(Expect::Returns(ReturnValue::Number(*number))), OutcomeClaim::Status(*status)]
            }
            Outcome::Ok(number) => vec![OutcomeClaim::Result(Expect::Returns(ReturnValue::Number(*number)))],
            Outcome::Err(errno) => vec![OutcomeClaim::Result(Expect::Fails(*errno))],
            _ => continue,
        };
        let said = ReturnedClaim { call: Some(returned.call), outcome };
        step.claims.push(Claim::Process(returned.by, ProcessClaim::Returned(Some(said))));
    }
    step.claims.extend(handled.into_iter().map(|(role, said)| Claim::Process(role, ProcessClaim::Handled(said))));
}
