//! Where Linux leaves the order of events open, the model gives every outcome.
#![expect(clippy::unwrap_used, reason = "a failed expectation is a failed test")]

use pidlab_scenario::{
    Builder, Call, CallName, CloneFlags, Errno, ExitSignal, Facts, KillTarget, Outcome, Refusal, Role, Scenario,
    Signal, SignalAction, State, Step, Target, WaitOptions, WaitTarget,
};
use pidlab_sim::{Answer, Judgement, Model};

fn step(by: u16, call: Call) -> Step {
    Step::new(Role(by), call)
}

fn fork(by: u16, child: u16) -> Step {
    step(by, Call::Fork { child: Role(child) })
}

fn kill(by: u16, target: Target, signal: Signal) -> Step {
    step(by, Call::Kill { target: KillTarget::Pid(target), signal: Some(signal) })
}

fn scenario(steps: Vec<Step>) -> Scenario {
    let mut scenario = Scenario::new("");
    scenario.roles = (0..24).map(|index| format!("p{index}")).collect();
    scenario.steps = steps;
    scenario
}

/// Takes the steps, the last of which may have several outcomes.
fn answers(steps: Vec<Step>) -> (Model, Result<Vec<Answer>, Refusal>) {
    let scenario = scenario(steps);
    let mut model = Model::new(Facts::newest());
    model.start(&scenario);
    let (last, before) = scenario.steps.split_last().unwrap();
    for step in before {
        let outcomes = model.outcomes(step, 64).unwrap();
        assert_eq!(outcomes.answers.len(), 1, "{step:?}");
        model.step(&scenario, step).unwrap();
    }
    let last = model.outcomes(last, 64).map(|outcomes| {
        assert!(outcomes.complete, "all orders were tried");
        outcomes.answers
    });
    (model, last)
}

#[test]
fn one_death_has_one_outcome() {
    let (_, answers) = answers(vec![fork(0, 1), kill(0, Target::Role(Role(1)), Signal::KILL)]);
    let answers = answers.unwrap();
    assert_eq!(answers.len(), 1);
    assert_eq!(answers[0].observation.outcome, Some(Outcome::Ok(0)));
    assert_eq!(answers[0].observation.process(Role(1)).unwrap().state, State::Zombie);
}

/// Whoever is killed in a wait looks at its children for the last time, and only later takes the signal. Between the two a child can hand its own
/// on and end: then both are left to the init, the grandchild first.
#[test]
fn a_child_may_end_between_the_last_look_and_the_signal() {
    let wait = |by: u16, target: WaitTarget| step(by, Call::Wait { target, options: WaitOptions::empty() });
    let everybody = kill(0, Target::Number(-1), Signal::KILL);
    let before = vec![fork(0, 1), fork(1, 2), wait(1, WaitTarget::Pid(Target::Role(Role(2)))), fork(2, 3)];
    let steps = [before, vec![everybody.clone()]].concat();
    let (mut model, found) = answers(steps.clone());
    let is_left = |answer: &&Answer| {
        let state = |role: u16| answer.observation.process(Role(role)).map(|process| process.state);
        (1..4).all(|role| state(role) == Some(State::Zombie))
    };
    let found = found.unwrap();
    let left = found.iter().find(is_left).unwrap();
    assert!(found.iter().any(|answer| answer.observation.process(Role(2)).is_none()), "the wait may have had it");
    let scenario = scenario(steps);
    assert!(matches!(model.judge(&scenario, &everybody, &left.observation), Ok(Judgement::Agrees(_))));
    let first = wait(0, WaitTarget::Pid(Target::Role(Role(1))));
    let given = model.outcomes(&first, 64).unwrap().answers.remove(0).observation;
    assert!(matches!(model.judge(&scenario, &first, &given), Ok(Judgement::Agrees(_))));
    let next = model.outcomes(&wait(0, WaitTarget::Any), 64).unwrap();
    let mut taken: Vec<Role> = next
        .answers
        .iter()
        .filter_map(|answer| match answer.observation.outcome {
            Some(Outcome::Waited { child, .. }) => Some(child),
            _ => None,
        })
        .collect();
    taken.sort_unstable();
    assert_eq!(taken, [Role(2), Role(3)]);
}

#[test]
fn two_deaths_may_signal_once_or_twice() {
    let ignore_none = step(0, Call::Sigaction { signal: Signal::CHLD, action: SignalAction::Handle });
    let everybody = kill(0, Target::Number(-1), Signal::KILL);
    let (mut model, found) = answers(vec![ignore_none, fork(0, 1), fork(0, 2), everybody.clone()]);
    let found = found.unwrap();
    let handled: Vec<Vec<u32>> = found
        .iter()
        .map(|answer| answer.observation.process(Role::HOST).unwrap().handled.iter().map(|got| got.si_pid).collect())
        .collect();
    for possible in [vec![2, 3], vec![3, 2], vec![2], vec![3]] {
        assert!(handled.contains(&possible), "{possible:?} is not among {handled:?}");
    }
    assert_eq!(handled.len(), 4);
    for answer in &found {
        let judged = model.clone().judge(&scenario(vec![everybody.clone()]), &everybody, &answer.observation);
        assert!(matches!(judged, Ok(Judgement::Agrees(same)) if same.observation == answer.observation));
    }
    let mut other = found[0].observation.clone();
    other.processes[0].handled.reverse();
    other.processes[0].handled.extend_from_within(..);
    let judged = model.judge(&scenario(vec![everybody.clone()]), &everybody, &other);
    assert!(matches!(judged, Ok(Judgement::Differs(outcomes)) if outcomes.answers.len() == 4 && outcomes.complete));
}

#[test]
fn an_exit_signal_may_meet_its_parent_before_or_after_the_call_returns() {
    let clone = Call::Clone {
        child: Role(2),
        flags: CloneFlags::empty(),
        exit_signal: ExitSignal::Signal(Signal::KILL),
        set_tid: vec![],
    };
    let (_, found) = answers(vec![fork(0, 1), step(1, clone), kill(1, Target::Role(Role(2)), Signal::KILL)]);
    let outcomes: Vec<Outcome> = found.unwrap().into_iter().filter_map(|answer| answer.observation.outcome).collect();
    assert_eq!(outcomes, [Outcome::Ok(0), Outcome::Never]);
}

#[test]
fn a_call_that_stops_its_caller_has_not_returned() {
    let stop = kill(1, Target::Role(Role(1)), Signal::STOP);
    let (_, found) = answers(vec![fork(0, 1), stop.clone()]);
    let found = found.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].observation.outcome, Some(Outcome::Blocks));
    assert_eq!(found[0].observation.process(Role(1)).unwrap().state, State::Stopped);
    let (_, found) = answers(vec![fork(0, 1), stop, kill(0, Target::Role(Role(1)), Signal::CONT)]);
    let returned = found.unwrap().swap_remove(0).observation.returned;
    assert_eq!((returned.len(), &returned[0].outcome), (1, &Outcome::Ok(0)));
}

#[test]
fn mistakes_of_the_scenario_are_refused() {
    let refused = |steps| answers(steps).1.unwrap_err();
    assert_eq!(refused(vec![fork(1, 2)]), Refusal::NotBorn { role: Role(1) });
    assert_eq!(refused(vec![fork(0, 1), fork(0, 1)]), Refusal::BornTwice { role: Role(1) });
    let exit = step(1, Call::Exit { status: 0 });
    assert_eq!(
        refused(vec![fork(0, 1), exit.clone(), exit]),
        Refusal::CannotAct { role: Role(1), state: Some(State::Zombie) }
    );
    let newpid = Call::Clone {
        child: Role(1),
        flags: CloneFlags::CLONE_NEWPID,
        exit_signal: ExitSignal::Default,
        set_tid: vec![],
    };
    assert_eq!(
        refused(vec![step(0, newpid), kill(1, Target::Role(Role::HOST), Signal::TERM)]),
        Refusal::NoNumber { role: Role::HOST, caller: Role(1) }
    );
    assert!(refused(vec![step(0, Call::Setuid { uid: 7 })]).is_not_modelled());
    let wait = Call::Wait { target: WaitTarget::Pid(Target::Role(Role(3))), options: WaitOptions::empty() };
    assert_eq!(refused(vec![step(0, wait)]), Refusal::NotBorn { role: Role(3) });
}

#[test]
fn a_chain_of_stopped_processes_that_becomes_orphaned_dies_in_every_order() {
    let ignore = step(0, Call::Sigaction { signal: Signal::CHLD, action: SignalAction::NoCldWait });
    let newpid = Call::Clone {
        child: Role(6),
        flags: CloneFlags::CLONE_NEWPID,
        exit_signal: ExitSignal::Default,
        set_tid: Vec::new(),
    };
    let steps = vec![
        ignore,
        fork(0, 1),
        fork(1, 2),
        fork(2, 3),
        fork(3, 4),
        kill(4, Target::Number(-1), Signal::STOP),
        fork(4, 5),
        step(5, newpid),
        step(5, Call::Setpgid { pid: Target::Number(0), group: Target::Number(0) }),
        step(5, Call::Exit { status: 0 }),
    ];
    let (_, answers) = answers(steps);
    for answer in answers.unwrap() {
        let left: Vec<Role> = answer.observation.processes.iter().map(|process| process.role).collect();
        assert_eq!(left, [Role::HOST, Role(6)]);
    }
}

/// At the limit a namespace that is gone counts or does not, below it neither; one that is kept open is not gone, and one that was made
/// for a clone that failed is.
#[test]
fn a_namespace_that_is_gone_counts_or_does_not() {
    let lived = |guest: Builder| {
        guest
            .step("guest", CallName::Clone)
            .with("child", "init")
            .with("flags", ["CLONE_NEWPID"])
            .step("guest", CallName::OpenNs)
            .with("of", "init")
            .step("init", CallName::Exit)
            .step("guest", CallName::Wait)
            .with("pid", "any")
    };
    let failed = |guest: Builder| {
        guest.step("guest", CallName::Clone).with("child", "never").with("flags", ["CLONE_NEWPID"]).with("set_tid", [2])
    };
    let closed = |guest: Builder| lived(guest).step("guest", CallName::CloseNs).with("of", "init");
    let outcomes = |limit: i64, happened: &dyn Fn(Builder) -> Builder| {
        let guest = Scenario::builder("Is there room for one more?")
            .step("host", CallName::Clone)
            .with("child", "guest")
            .with("flags", ["CLONE_NEWUSER"])
            .step("guest", CallName::Sysctl)
            .with("name", "max_pid_namespaces")
            .with("write", limit);
        let built = happened(guest).step("guest", CallName::Unshare).with("flags", ["CLONE_NEWPID"]).build().unwrap();
        let mut model = Model::new(Facts::newest());
        model.start(&built);
        let (last, before) = built.steps.split_last().unwrap();
        before.iter().for_each(|step| drop(model.step(&built, step).unwrap()));
        let answers = model.outcomes(last, 64).unwrap().answers;
        answers.into_iter().map(|answer| answer.observation.outcome.unwrap()).collect::<Vec<_>>()
    };
    let either = [Outcome::Ok(0), Outcome::Err(Errno::ENOSPC)];
    let (made, refused) = either.split_at(1);
    assert_eq!(outcomes(1, &|guest| guest), made);
    assert_eq!(outcomes(1, &lived), refused);
    assert_eq!(outcomes(1, &closed), either);
    assert_eq!(outcomes(1, &failed), either);
    assert_eq!(outcomes(2, &closed), made);
}
