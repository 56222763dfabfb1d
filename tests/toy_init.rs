//! A small init, held against the model and against Linux by random events: the worked example of docs/testing-an-init.md.

use pidlab_realkernel::{Lab, LabOptions};
use pidlab_scenario::{
    Call, CloneFlags, ExitSignal, Facts, KillTarget, Machine, Observation, Outcome, Role, Scenario, Signal,
    SignalAction, State, Step, Target, WaitOptions, WaitStatus, WaitTarget,
};
use pidlab_sim::{Judgement, Model};
use proptest::prelude::*;
use proptest::strategy::{NewTree, ValueTree};
use proptest::test_runner::{Config, TestError, TestRng, TestRunner};

/// What is tested: a PID 1 that starts a command, reaps whoever is left to it, hands SIGTERM on, and ends as its command did.
#[derive(Clone, Copy, Default)]
struct Init {
    /// A mistake: it waits for its own command alone.
    reaps_its_own: bool,
    /// A mistake: it keeps SIGTERM for itself.
    keeps_the_signal: bool,
}

const INIT: Role = Role(1);
const COMMAND: Role = Role(2);

impl Init {
    fn start(stage: &mut Stage) {
        // In this order: a child inherits the handlers that there are.
        stage.fork(INIT);
        stage.take(INIT, Call::Sigaction { signal: Signal::TERM, action: SignalAction::Handle });
    }

    /// Goes round its loop until there is nothing more to do.
    fn serve(self, stage: &mut Stage) {
        for _ in 0..if self.keeps_the_signal { 0 } else { stage.handled(INIT, Signal::TERM) } {
            let target = KillTarget::Pid(Target::Role(COMMAND));
            stage.take(INIT, Call::Kill { target, signal: Some(Signal::TERM) });
        }
        let target = if self.reaps_its_own { WaitTarget::Pid(Target::Role(COMMAND)) } else { WaitTarget::Any };
        while let Some(Outcome::Waited { child, status, .. }) =
            stage.take(INIT, Call::Wait { target, options: WaitOptions::WNOHANG })
        {
            if child == COMMAND {
                stage.take(INIT, Call::Exit { status: as_status(status).into() });
            }
        }
    }
}

/// As a shell has it.
fn as_status(status: WaitStatus) -> u8 {
    match status {
        WaitStatus::Exited(status) => status,
        WaitStatus::Killed(signal) => 128 + signal.number(),
        other => panic!("{other:?} was not asked for"),
    }
}

/// What happens around the init. Processes have numbers of their own, the command 0; what is about somebody who cannot act is left out.
#[derive(Clone, Copy, Debug)]
enum Event {
    /// The first makes the second, who is nobody yet, or not any more.
    Fork(usize, usize),
    Exit(usize, u8),
    Setsid(usize),
    /// Somebody outside sends SIGTERM to the init.
    Term,
}

/// How many processes there may be beside host and init.
const NUMBERS: usize = 6;

fn events() -> impl Strategy<Value = Vec<Event>> {
    let event = prop_oneof![
        3 => (0..NUMBERS, 1..NUMBERS).prop_map(|(by, child)| Event::Fork(by, child)),
        3 => (0..NUMBERS, 0..4u8).prop_map(|(who, status)| Event::Exit(who, status)),
        1 => (0..NUMBERS).prop_map(Event::Setsid),
        1 => Just(Event::Term),
    ];
    Fewer(prop::collection::vec(event, 1..25))
}

/// Lists that shrink by leaving events out, one at a time, until none can go any more. (A list of proptest's own tries each once, and what
/// cannot go while others are there often can when they are gone.)
#[derive(Debug)]
struct Fewer<S>(S);

struct FewerTree {
    kept: Vec<Event>,
    tried: Option<Vec<Event>>,
    /// Before which event the next one to be left out stands.
    at: usize,
    /// Whether one went since the last time round.
    removed: bool,
}

impl<S: Strategy<Value = Vec<Event>>> Strategy for Fewer<S> {
    type Tree = FewerTree;
    type Value = Vec<Event>;

    fn new_tree(&self, runner: &mut TestRunner) -> NewTree<Fewer<S>> {
        let kept = self.0.new_tree(runner)?.current();
        Ok(FewerTree { at: kept.len(), kept, tried: None, removed: false })
    }
}

impl ValueTree for FewerTree {
    type Value = Vec<Event>;

    fn current(&self) -> Vec<Event> {
        self.tried.as_ref().unwrap_or(&self.kept).clone()
    }

    fn simplify(&mut self) -> bool {
        if let Some(fewer) = self.tried.take() {
            self.kept = fewer;
            self.removed = true;
        }
        if self.at == 0 && std::mem::take(&mut self.removed) {
            self.at = self.kept.len();
        }
        let Some(at) = self.at.checked_sub(1) else { return false };
        let mut fewer = self.kept.clone();
        fewer.remove(at);
        (self.at, self.tried) = (at, Some(fewer));
        true
    }

    fn complicate(&mut self) -> bool {
        self.tried.take().is_some() && self.simplify()
    }
}

/// The model, and what was played on it so far, as a scenario that Linux can play, too.
struct Stage {
    model: Model,
    scenario: Scenario,
    seen: Observation,
    /// Who has which number of [`Event`]s, or had it last.
    numbered: [Option<Role>; NUMBERS],
}

impl Stage {
    /// A container with its init in it.
    fn new(facts: Facts) -> Stage {
        let scenario = Scenario::new("A toy init");
        let mut model = Model::new(facts);
        let seen = model.start(&scenario).observation;
        let mut numbered = [None; NUMBERS];
        numbered[0] = Some(COMMAND);
        let mut stage = Stage { model, scenario, seen, numbered };
        let (child, flags) = (stage.next("init"), CloneFlags::CLONE_NEWPID);
        stage.take(Role::HOST, Call::Clone { child, flags, exit_signal: ExitSignal::Default, set_tid: vec![] });
        Init::start(&mut stage);
        stage
    }

    fn next(&mut self, name: &str) -> Role {
        self.scenario.roles.push(format!("{name}{}", self.scenario.roles.len()));
        Role(u16::try_from(self.scenario.roles.len() - 1).expect("they are few"))
    }

    fn fork(&mut self, by: Role) -> Role {
        let child = self.next("p");
        self.take(by, Call::Fork { child });
        child
    }

    /// Takes a step; `None` if it cannot be taken, because its caller is gone, or whom it is about has no number here.
    fn take(&mut self, by: Role, call: Call) -> Option<Outcome> {
        let step = Step::new(by, call);
        let answer = self.model.step(&self.scenario, &step).ok()?;
        self.scenario.steps.push(step);
        self.seen = answer.observation;
        self.seen.outcome.clone()
    }

    /// How often a handler of somebody ran in the last step.
    fn handled(&self, role: Role, signal: Signal) -> usize {
        let process = self.seen.process(role);
        process.map_or(0, |process| process.handled.iter().filter(|handled| handled.signal == signal).count())
    }

    /// Plays an event, if there is somebody for it.
    fn play(&mut self, event: Event) {
        let state = |who: usize| Some(self.seen.process(self.numbered[who]?)?.state);
        let able = |who: usize| self.numbered[who].filter(|_| state(who) == Some(State::Running));
        match event {
            Event::Fork(who, child) if state(child).is_none() => {
                if let Some(by) = able(who) {
                    self.numbered[child] = Some(self.fork(by));
                }
            }
            Event::Fork(..) => {}
            Event::Exit(who, status) => {
                if let Some(by) = able(who) {
                    self.take(by, Call::Exit { status: status.into() });
                }
            }
            Event::Setsid(who) => {
                if let Some(by) = able(who) {
                    self.take(by, Call::Setsid);
                }
            }
            Event::Term => {
                let target = KillTarget::Pid(Target::Role(INIT));
                self.take(Role::HOST, Call::Kill { target, signal: Some(Signal::TERM) });
            }
        }
    }
}

/// Its duties, after it went round its loop. `asked`: whether it was just told to end.
fn did_its_duties(seen: &Observation, asked: bool) -> Result<(), String> {
    let left = seen.processes.iter().find(|process| process.parent == Some(INIT) && process.state == State::Zombie);
    if let Some(zombie) = left {
        return Err(format!("a zombie is left: {:?}", zombie.role));
    }
    let lives = |role| seen.process(role).is_some_and(|process| process.state != State::Zombie);
    match (lives(INIT), lives(COMMAND)) {
        (true, true) if asked => Err("SIGTERM did not reach the command".to_owned()),
        (true, false) => Err("the init outlives its command".to_owned()),
        _ => Ok(()),
    }
}

/// Plays events on the model, the init after each; answers what was played.
fn play(init: Init, facts: &Facts, events: &[Event]) -> Result<Scenario, String> {
    let mut stage = Stage::new(facts.clone());
    let mut status = None;
    for event in events {
        stage.play(*event);
        if let (Event::Exit(..), Some(Call::Exit { status: left })) =
            (event, stage.scenario.steps.last().map(|step| &step.call))
            && stage.scenario.steps.last().is_some_and(|step| step.by == COMMAND)
        {
            status = status.or(u8::try_from(*left).ok());
        }
        init.serve(&mut stage);
        did_its_duties(&stage.seen, matches!(event, Event::Term))?;
    }
    // Whoever has started the container hears how the command ended.
    let waited = stage.take(Role::HOST, Call::Wait { target: WaitTarget::Any, options: WaitOptions::WNOHANG });
    match (waited, status) {
        (Some(Outcome::Waited { status: WaitStatus::Exited(told), .. }), Some(status)) if told != status => {
            Err(format!("the command ended with {status}, and the container with {told}"))
        }
        _ => Ok(stage.scenario),
    }
}

/// Plays the same on Linux, and asks the model of each observation whether it could be.
fn linux_agrees(lab: &mut Lab, scenario: &Scenario) -> Result<(), String> {
    let run = lab.run(scenario).map_err(|why| why.to_string())?;
    let mut model = Model::new(lab.kernel().facts.clone());
    model.start(scenario);
    for (step, seen) in scenario.steps.iter().zip(&run.observations[1..]) {
        match model.judge(scenario, step, seen) {
            Ok(Judgement::Agrees(_)) => {}
            other => return Err(format!("{other:?}")),
        }
    }
    if run.refused.is_none() { Ok(()) } else { Err(format!("{:?}", run.refused)) }
}

/// The same cases each time.
fn runner(cases: u32) -> TestRunner {
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    TestRunner::new_with_rng(config, TestRng::deterministic_rng(Default::default()))
}

#[test]
fn the_init_does_its_duties() {
    // Where there are no namespaces to be had, the model is asked alone.
    let lab = Lab::or_skip(LabOptions::default());
    let facts = lab.as_ref().map_or_else(Facts::newest, |lab| lab.kernel().facts.clone());
    let lab = std::cell::RefCell::new(lab);
    let result = runner(200).run(&events(), |events| {
        let scenario = play(Init::default(), &facts, &events).map_err(TestCaseError::fail)?;
        match lab.borrow_mut().as_mut() {
            Some(lab) => linux_agrees(lab, &scenario).map_err(TestCaseError::fail),
            None => Ok(()),
        }
    });
    assert!(result.is_ok(), "{}", result.unwrap_err());
}

/// What a test of an init with this mistake ends with: the shortest events that show it, and what they show.
fn found(init: Init) -> (Vec<Event>, String) {
    let result = runner(500)
        .run(&events(), |events| play(init, &Facts::newest(), &events).map(drop).map_err(TestCaseError::fail));
    match result {
        Err(TestError::Fail(why, events)) => (events, why.message().to_owned()),
        other => panic!("the mistake was not noticed: {other:?}"),
    }
}

#[test]
fn an_init_that_reaps_its_own_children_alone_is_found() {
    let (events, why) = found(Init { reaps_its_own: true, ..Init::default() });
    // Somebody is made, makes another and ends; and so does that one, as a child of the init's.
    assert!(matches!(events[..], [Event::Fork(..), Event::Fork(..), Event::Exit(..), Event::Exit(..)]), "{events:?}");
    assert!(why.starts_with("a zombie is left"), "{why}");
}

#[test]
fn an_init_that_keeps_the_signal_is_found() {
    let (events, why) = found(Init { keeps_the_signal: true, ..Init::default() });
    assert!(matches!(events[..], [Event::Term]), "{events:?}");
    assert_eq!(why, "SIGTERM did not reach the command");
}
