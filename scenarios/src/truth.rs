//! What an observation says of the things that claims are about.
//!
//! [`Claim::truth`] is the claim about the same thing that an observation makes true. A claim holds where that is the claim itself.

use std::collections::BTreeMap;

use crate::{
    Claim, Errno, Expect, Handled, HandledClaim, Observation, Outcome, OutcomeClaim, ProcessClaim, ProcessView,
    ReturnValue, Returned, ReturnedClaim, Role, Scenario, Seen, SeenField, SeenLine, SeenValue, TranslatedLine,
};

/// The numbers that the processes of a run have, or last had.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Numbers(BTreeMap<Role, Vec<u32>>);

impl Numbers {
    /// The same, after this was observed.
    #[must_use]
    pub fn after(mut self, observation: &Observation) -> Numbers {
        for process in &observation.processes {
            self.0.insert(process.role, process.pids.clone());
        }
        self
    }

    /// The number of a process in the namespace of `by`.
    pub fn of(&self, role: Role, by: Role) -> Option<i64> {
        let level = self.0.get(&by)?.len().checked_sub(1)?;
        self.0.get(&role)?.get(level).map(|number| i64::from(*number))
    }
}

impl Claim {
    /// The claim about the same thing that this observation of a step makes true; where it says nothing of that thing, one that
    /// says why. `by` took the step, and the numbers are those after it.
    pub fn truth(&self, by: Role, observation: &Observation, numbers: &Numbers) -> Claim {
        match self {
            Claim::Outcome(claim) => match &observation.outcome {
                Some(outcome) => Claim::Outcome(claim.truth(outcome, &|role| numbers.of(role, by))),
                None => self.clone(),
            },
            Claim::Process(role, ProcessClaim::Returned(claim)) => {
                let returned = observation.returned.iter().find(|returned| returned.by == *role);
                let truth = returned.map(|returned| {
                    let number = |other| numbers.of(other, *role);
                    match claim {
                        Some(claim) => claim.truth(returned, &number),
                        None => ReturnedClaim::whole(returned, &number),
                    }
                });
                Claim::Process(*role, ProcessClaim::Returned(truth))
            }
            Claim::Process(role, claim) => match observation.process(*role) {
                Some(process) => Claim::Process(*role, claim.truth(process)),
                None => Claim::Gone(*role),
            },
            Claim::Gone(role) => match observation.process(*role) {
                Some(process) => Claim::Process(*role, ProcessClaim::State(process.state)),
                None => self.clone(),
            },
        }
    }

    /// Everything that an observation says, as claims of step `number`. The numbers are those after it.
    ///
    /// # Panics
    /// If the scenario has no such step.
    pub fn all_of(scenario: &Scenario, number: usize, observation: &Observation, numbers: &Numbers) -> Vec<Claim> {
        let step = &scenario.steps[number - 1];
        let made = scenario.steps[..number].iter().filter_map(|step| step.call.child());
        let mut roles: Vec<Role> = [Role::HOST].into_iter().chain(made).collect();
        roles.sort_unstable();
        roles.dedup();
        let mut claims = Vec::new();
        if let Some(outcome) = &observation.outcome {
            let outcome = OutcomeClaim::all_of(outcome, &|role| numbers.of(role, step.by));
            claims.extend(outcome.into_iter().map(Claim::Outcome));
        }
        for role in roles {
            match observation.process(role) {
                Some(process) => {
                    claims.extend(ProcessClaim::all_of(process).into_iter().map(|claim| Claim::Process(role, claim)));
                    let returned = Claim::Process(role, ProcessClaim::Returned(None));
                    claims.push(returned.truth(step.by, observation, numbers));
                }
                None => claims.push(Claim::Gone(role)),
            }
        }
        claims
    }
}

impl OutcomeClaim {
    fn truth(&self, outcome: &Outcome, number: &dyn Fn(Role) -> Option<i64>) -> OutcomeClaim {
        match (self, outcome) {
            (OutcomeClaim::Result(expect), _) => OutcomeClaim::Result(expect.truth(outcome, number)),
            (OutcomeClaim::Status(_), Outcome::Waited { status, .. }) => OutcomeClaim::Status(*status),
            (OutcomeClaim::Sees(claimed), Outcome::Seen(seen)) => {
                let fields = SeenField::all_of(seen);
                let same = fields.iter().find(|field| field.name == claimed.name).or(fields.first());
                OutcomeClaim::Sees(same.unwrap_or(claimed).clone())
            }
            (OutcomeClaim::Pending(_), Outcome::Pending(signals)) => OutcomeClaim::Pending(signals.clone()),
            (OutcomeClaim::Took(claim), Outcome::Taken(taken)) => OutcomeClaim::Took(claim.truth(taken)),
            (OutcomeClaim::Events(_), Outcome::Polled(events)) => OutcomeClaim::Events(events.clone()),
            _ => OutcomeClaim::Result(Expect::of(outcome, number)),
        }
    }

    /// Everything that there is to say of an outcome.
    fn all_of(outcome: &Outcome, number: &dyn Fn(Role) -> Option<i64>) -> Vec<OutcomeClaim> {
        let mut claims = vec![OutcomeClaim::Result(Expect::of(outcome, number))];
        match outcome {
            Outcome::Waited { status, .. } => claims.push(OutcomeClaim::Status(*status)),
            Outcome::Seen(seen) => {
                claims.extend(SeenField::all_of(seen).into_iter().map(OutcomeClaim::Sees));
            }
            Outcome::Pending(signals) => claims.push(OutcomeClaim::Pending(signals.clone())),
            Outcome::Taken(taken) => claims.push(OutcomeClaim::Took(HandledClaim::whole(taken))),
            Outcome::Polled(events) => claims.push(OutcomeClaim::Events(events.clone())),
            Outcome::Ok(_) | Outcome::Err(_) | Outcome::Never | Outcome::Blocks => {}
        }
        claims
    }
}

impl Expect {
    /// What is to be expected of this outcome, said as this expectation says it.
    fn truth(self, outcome: &Outcome, number: &dyn Fn(Role) -> Option<i64>) -> Expect {
        match (self, outcome) {
            (Expect::Returns(ReturnValue::Role(role)), Outcome::Ok(got)) if number(role) == Some(*got) => self,
            (Expect::Returns(ReturnValue::Number(_)), Outcome::Waited { number, .. }) => {
                Expect::Returns(ReturnValue::Number(*number))
            }
            _ => Expect::of(outcome, number),
        }
    }

    fn of(outcome: &Outcome, number: &dyn Fn(Role) -> Option<i64>) -> Expect {
        let returns = |number| Expect::Returns(ReturnValue::Number(number));
        match outcome {
            Outcome::Ok(got) => returns(*got),
            Outcome::Waited { number: got, child, .. } if number(*child) == Some(*got) => {
                Expect::Returns(ReturnValue::Role(*child))
            }
            Outcome::Waited { number, .. } => returns(*number),
            Outcome::Pending(_) | Outcome::Seen(_) => returns(0),
            Outcome::Taken(taken) => returns(i64::from(taken.signal.number())),
            // poll(2) returns how many descriptors are ready, and there is one.
            Outcome::Polled(events) => returns(i64::from(!events.is_empty())),
            Outcome::Err(errno) => Expect::Fails(*errno),
            Outcome::Never => Expect::Ends,
            Outcome::Blocks => Expect::Blocks,
        }
    }
}

/// Which values a field of what a look shows can have.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum SeenKind {
    Number,
    Numbers,
    Translated,
    Status,
}

impl SeenField {
    /// The fields that there are, over all ways of looking.
    pub(crate) const KINDS: [(&str, SeenKind); 19] = [
        ("tgid", SeenKind::Number),
        ("pid", SeenKind::Number),
        ("ppid", SeenKind::Number),
        ("tracer_pid", SeenKind::Number),
        ("uid", SeenKind::Number),
        ("nstgid", SeenKind::Numbers),
        ("nspid", SeenKind::Numbers),
        ("nspgid", SeenKind::Numbers),
        ("nssid", SeenKind::Numbers),
        ("listing", SeenKind::Numbers),
        ("self", SeenKind::Number),
        ("thread_self", SeenKind::Number),
        ("mask", SeenKind::Number),
        ("last_pid", SeenKind::Number),
        ("from", SeenKind::Translated),
        ("into", SeenKind::Translated),
        ("parent_tid", SeenKind::Number),
        ("child_tid", SeenKind::Number),
        ("status", SeenKind::Status),
    ];

    /// The fields of what was seen.
    fn all_of(seen: &Seen) -> Vec<SeenField> {
        let number = |number: Option<i64>| number.map(SeenValue::Number);
        let whole = |number: &Option<u32>| number.map(|number| SeenValue::Number(i64::from(number)));
        let list = |numbers: &Option<Vec<u32>>| {
            numbers.as_ref().map(|all| SeenValue::Numbers(all.iter().map(|one| i64::from(*one)).collect()))
        };
        let translated = |line: &Option<TranslatedLine>| match line {
            Some(TranslatedLine::Ok(number)) => Some(SeenValue::Translated(Ok(*number))),
            Some(TranslatedLine::Err(errno)) => Errno::from_name(errno).map(|errno| SeenValue::Translated(Err(errno))),
            None => None,
        };
        // Each by its name: a field that is added is to be claimed, too.
        let SeenLine {
            tgid,
            pid,
            ppid,
            tracer_pid,
            uid,
            nstgid,
            nspid,
            nspgid,
            nssid,
            listing,
            myself,
            thread_self,
            mask,
            last_pid,
            from,
            into,
            parent_tid,
            child_tid,
            // The line leaves it out where nothing is said yet, and that is to be claimed as well.
            status: _,
        } = &SeenLine::from(seen);
        let status = match seen {
            Seen::PidfdExit { status, .. } => Some(SeenValue::Status(*status)),
            _ => None,
        };
        let values = [
            whole(tgid),
            number(*pid),
            whole(ppid),
            whole(tracer_pid),
            whole(uid),
            list(nstgid),
            nspid.clone().map(SeenValue::Numbers),
            list(nspgid),
            list(nssid),
            list(listing),
            whole(myself),
            whole(thread_self),
            whole(mask),
            number(*last_pid),
            translated(from),
            translated(into),
            whole(parent_tid),
            whole(child_tid),
            status,
        ];
        let named = SeenField::KINDS.iter().zip(values);
        named.filter_map(|((name, _), value)| Some(SeenField { name: (*name).to_owned(), value: value? })).collect()
    }
}

impl ProcessClaim {
    fn truth(&self, process: &ProcessView) -> ProcessClaim {
        match self {
            ProcessClaim::State(_) => ProcessClaim::State(process.state),
            ProcessClaim::Pids(_) => ProcessClaim::Pids(process.pids.clone()),
            ProcessClaim::Namespaces(_) => {
                ProcessClaim::Namespaces(process.namespaces.iter().map(|namespace| namespace.0).collect())
            }
            ProcessClaim::Parent(_) => ProcessClaim::Parent(process.parent),
            ProcessClaim::Ppid(_) => ProcessClaim::Ppid(process.ppid),
            ProcessClaim::Pgid(_) => ProcessClaim::Pgid(process.pgid),
            ProcessClaim::Sid(_) => ProcessClaim::Sid(process.sid),
            ProcessClaim::ThreadOf(_) => ProcessClaim::ThreadOf(process.thread_of),
            ProcessClaim::Tracer(_) => ProcessClaim::Tracer(process.tracer),
            ProcessClaim::Handled(claims) => {
                let truth = |(index, handled): (usize, &Handled)| match claims.get(index) {
                    Some(claim) => claim.truth(handled),
                    None => HandledClaim::whole(handled),
                };
                ProcessClaim::Handled(process.handled.iter().enumerate().map(truth).collect())
            }
            // Of this the process says nothing; `Claim::truth` asks the observation.
            ProcessClaim::Returned(_) => self.clone(),
        }
    }

    /// Everything that there is to say of a process, but for what its blocked call gave.
    fn all_of(process: &ProcessView) -> Vec<ProcessClaim> {
        let about = [
            ProcessClaim::State(process.state),
            ProcessClaim::Pids(Vec::new()),
            ProcessClaim::Namespaces(Vec::new()),
            ProcessClaim::Parent(None),
            ProcessClaim::Ppid(0),
            ProcessClaim::Pgid(0),
            ProcessClaim::Sid(0),
            ProcessClaim::ThreadOf(None),
            ProcessClaim::Tracer(None),
            ProcessClaim::Handled(Vec::new()),
        ];
        about.iter().map(|claim| claim.truth(process)).collect()
    }
}

impl HandledClaim {
    /// Of what is claimed, what is so.
    fn truth(&self, handled: &Handled) -> HandledClaim {
        HandledClaim {
            signal: handled.signal,
            si_pid: self.si_pid.map(|_| handled.si_pid),
            status: self.status.map(|_| handled.child),
        }
    }

    fn whole(handled: &Handled) -> HandledClaim {
        HandledClaim { signal: handled.signal, si_pid: Some(handled.si_pid), status: Some(handled.child) }
    }
}

impl ReturnedClaim {
    /// Of what is claimed, what is so.
    fn truth(&self, returned: &Returned, number: &dyn Fn(Role) -> Option<i64>) -> ReturnedClaim {
        let mut outcome: Vec<OutcomeClaim> = Vec::new();
        for claim in &self.outcome {
            let truth = claim.truth(&returned.outcome, number);
            if !outcome.contains(&truth) {
                outcome.push(truth);
            }
        }
        ReturnedClaim { call: self.call.map(|_| returned.call), outcome }
    }

    fn whole(returned: &Returned, number: &dyn Fn(Role) -> Option<i64>) -> ReturnedClaim {
        ReturnedClaim { call: Some(returned.call), outcome: OutcomeClaim::all_of(&returned.outcome, number) }
    }
}
