//! A second witness: what a run says of every process after every step is held against `/proc` as this program reads it, while the
//! world stands still. Nothing here knows how the runner came to its words.

mod common;
#[path = "common/proc.rs"]
mod proc;

use std::collections::{BTreeMap, BTreeSet};

use common::scenario;
use pidlab_realkernel::{Lab, LabOptions, Look, Priority, Sharing};
use pidlab_scenario::random::{Choice, Guide, RandomConfig, Theme, scenario as random};
use pidlab_scenario::{
    Handled, Machine, NamespaceId, Observation, ProcessView, Refusal, Role, Scenario, State, Step, library,
};
use proc::{Task, World};

/// What a witness remembers from one step to the next: which namespace an id stands for, and the ids around it.
#[derive(Default)]
struct Witness {
    inodes: BTreeMap<NamespaceId, u64>,
    around: BTreeMap<NamespaceId, Vec<NamespaceId>>,
}

impl Witness {
    /// Holds one observation against what procfs says now.
    fn hold(&mut self, observation: &Observation, world: &World) {
        let tasks = world.shown();
        assert_eq!(
            observation.processes.len(),
            tasks.len(),
            "as many as there are: {:#?}\n{tasks:#?}",
            observation.processes
        );
        let mut roles = BTreeMap::new();
        for view in &observation.processes {
            let mut same = tasks.iter().filter(|task| task.pids == view.pids);
            let task = same.next().unwrap_or_else(|| panic!("nobody has these numbers: {view:?}\n{tasks:#?}"));
            assert!(same.next().is_none(), "two have these numbers: {view:?}");
            roles.insert(task.number, view.role);
        }
        for view in &observation.processes {
            let task = tasks.iter().find(|task| task.pids == view.pids).expect("found before");
            self.hold_view(view, task, &roles, world);
        }
        let inodes: BTreeSet<u64> = self.inodes.values().copied().collect();
        assert_eq!(inodes.len(), self.inodes.len(), "two ids for one namespace: {:?}", self.inodes);
    }

    fn hold_view(&mut self, view: &ProcessView, task: &Task, roles: &BTreeMap<u32, Role>, world: &World) {
        let parent = world.task(task.parent);
        // A parent is never in a namespace below its child's.
        let ppid = parent.filter(|parent| parent.namespace == task.namespace).and_then(|parent| parent.pids.last());
        let expected = ProcessView {
            thread_of: (task.leader != task.number).then(|| roles[&task.leader]),
            state: world.state(task).unwrap_or(view.state),
            parent: roles.get(&task.parent).copied(),
            ppid: ppid.copied().unwrap_or(0),
            pgid: task.group,
            sid: task.session,
            ..view.clone()
        };
        assert_eq!(*view, expected, "{task:?}");
        let own = *view.namespaces.last().expect("a process is in a namespace");
        assert_eq!(view.namespaces.len(), view.pids.len());
        assert_eq!(*self.inodes.entry(own).or_insert(task.namespace), task.namespace, "{view:?}");
        assert_eq!(*self.around.entry(own).or_insert(view.namespaces.clone()), view.namespaces, "{view:?}");
    }
}

/// Runs a scenario with the witness, and then once more for the signals that handlers got: what they got in all the steps is what a run
/// says that is looked at only at its end. Answers how many steps there were.
fn testify(lab: &mut Lab, scenario: &Scenario) -> usize {
    let guard = lab.helper_pid().expect("a lab has a helper");
    let mut witness = Witness::default();
    let mut steps = 0;
    let run = lab.run_held(scenario, |observation| {
        witness.hold(observation, &World::below(guard));
        steps += 1;
    });
    let run = run.unwrap_or_else(|why| panic!("{}: {why}", scenario.name));
    let at_the_end = lab.run_results_only(scenario).expect("it ran before");
    let last = at_the_end.observations.last().expect("there is a start");
    for process in &last.processes {
        let in_each: Vec<Handled> =
            run.observations.iter().flat_map(|it| it.process(process.role)).flat_map(|it| it.handled.clone()).collect();
        assert_eq!(in_each, process.handled, "{}: role {:?}", scenario.name, process.role);
    }
    steps
}

/// A lab of each kind.
fn labs() -> impl Iterator<Item = Lab> {
    let options = [
        LabOptions::default(),
        LabOptions::default().with_sharing(Sharing::Own),
        LabOptions::default().looking(Look::Procfs),
        LabOptions::default().looking(Look::Lean),
        LabOptions::default().with_priority(Priority::Ordinary),
        LabOptions::default().as_ordinary_user(true),
    ];
    options.into_iter().filter_map(Lab::or_skip)
}

#[test]
fn of_the_library() {
    const CHOSEN: [&str; 15] = [
        "creation/each-generation-one-deeper",
        "death/stuck-all-the-way-up",
        "exec/whichever-thread",
        "groups/a-session-loses-its-leader",
        "groups/moved-by-an-outside-parent",
        "init-signals/a-handler-receives",
        "joining/hopping-between-descendants",
        "nesting/the-inner-end-frees-outer-numbers",
        "orphans/told-in-order",
        "signals/lowest-number-first",
        "threads/a-leader-that-looks-dead",
        "threads/the-last-thread-of-init",
        "users/a-kingdom-of-its-own",
        "vfork/an-init-that-cannot-end-yet",
        "waiting/stopped-in-its-wait",
    ];
    for mut lab in labs() {
        for name in CHOSEN {
            let file = library::find(name).unwrap_or_else(|| panic!("{name} is there"));
            let scenario = Scenario::parse(&file.name, &file.path, file.text).expect("the library is well formed");
            if scenario.needs.iter().all(|need| need.is_met(&lab.kernel().facts)) {
                assert!(testify(&mut lab, &scenario) > scenario.steps.len(), "{name} comes to its end");
            }
        }
    }
}

#[test]
fn of_handlers_in_every_step() {
    let scenario = scenario(
        r#"
        { by = "host", call = "sigaction", signal = "SIGUSR1", action = "handle" },
        { by = "host", call = "sigaction", signal = "SIGCHLD", action = "handle" },
        { by = "host", call = "fork", child = "a" },
        { by = "a", call = "kill", pid = "host", signal = "SIGUSR1" },
        { by = "a", call = "kill", pid = 0, signal = "SIGUSR1" },
        { by = "a", call = "setsid" },
        { by = "a", call = "fork", child = "b" },
        { by = "b", call = "setsid" },
        { by = "b", call = "exit", status = 1 },
        { by = "a", call = "exit", status = 2 },
        { by = "host", call = "wait", pid = "any" },
        "#,
    );
    for mut lab in labs() {
        assert_eq!(testify(&mut lab, &scenario), 12);
    }
}

/// Random scenarios need somebody who knows what the steps so far have led to: here the kernel itself, which runs them again and again.
struct OnTheKernel<'a> {
    lab: &'a mut Lab,
    scenario: Scenario,
    last: Observation,
    /// The numbers and namespaces that each role has had.
    known: BTreeMap<Role, (Vec<u32>, Vec<NamespaceId>)>,
}

impl OnTheKernel<'_> {
    fn run(&mut self) -> Option<Refusal> {
        let run = self.lab.run(&self.scenario).unwrap_or_else(|why| panic!("{why}: {:?}", self.scenario));
        for view in run.observations.iter().flat_map(|observation| &observation.processes) {
            self.known.insert(view.role, (view.pids.clone(), view.namespaces.clone()));
        }
        let refused = run.refused.map(|refused| refused.why);
        if refused.is_none() {
            self.last = run.observations.last().expect("there is a start").clone();
        }
        refused
    }
}

impl Guide for OnTheKernel<'_> {
    fn start(&mut self, scenario: &Scenario) {
        self.scenario = scenario.clone();
        self.run();
    }

    fn apply(&mut self, scenario: &Scenario, step: &Step) -> Result<(), Refusal> {
        self.scenario.roles.clone_from(&scenario.roles);
        self.scenario.steps.push(step.clone());
        match self.run() {
            None => Ok(()),
            Some(refusal) => {
                self.scenario.steps.pop();
                Err(refusal)
            }
        }
    }

    fn state(&self, role: Role) -> Option<State> {
        self.last.process(role).map(|process| process.state)
    }

    fn has_number(&self, caller: Role, role: Role) -> bool {
        let (Some((_, callers)), Some((_, namespaces))) = (self.known.get(&caller), self.known.get(&role)) else {
            return false;
        };
        callers.last().is_some_and(|own| namespaces.contains(own))
    }
}

/// Numbers that look random, the same each time (Knuth, The Art of Computer Programming, vol. 2, 3.3.4).
fn choices(seed: u64, steps: usize) -> Vec<Choice> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    (0..steps).map(|_| Choice::default().map(|_| next())).collect()
}

#[test]
fn of_random_scenarios() {
    let ordinary = LabOptions::default().with_priority(Priority::Ordinary);
    let kinds = [LabOptions::default(), ordinary, ordinary.with_sharing(Sharing::Own), LabOptions::default()];
    let mut labs: Vec<Lab> = kinds.into_iter().filter_map(Lab::or_skip).collect();
    let mut steps = 0;
    for (case, lab) in (0..24).zip((0..labs.len()).cycle()) {
        let lab = &mut labs[lab];
        let alone = "title = \"A test\"\nsteps = [{ by = \"host\", call = \"getpid\" }]";
        let scenario = Scenario::parse("random", "random.toml", alone).expect("it is well formed");
        let last = Observation { outcome: None, returned: Vec::new(), processes: Vec::new() };
        let mut guide = OnTheKernel { lab, scenario, last, known: BTreeMap::new() };
        let scenario = random(&choices(case, 16), &mut guide, &RandomConfig::about(Theme::of(case)));
        steps += testify(lab, &scenario);
    }
    assert!(labs.is_empty() || steps > 24 * 8, "{steps} steps are too few to show anything");
}
