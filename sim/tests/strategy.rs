//! The strategy of whole scenarios: each is valid, and so is whatever it shrinks to.

use pidlab_scenario::random::{Guide, RandomConfig, Theme};
use pidlab_scenario::{Call, Fact, Facts, Machine, Refusal, Role, Scenario, State, Step};
use pidlab_sim::{Model, scenarios};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, TestCaseError, TestError, TestRunner};

fn is_valid(scenario: &Scenario) -> bool {
    let run = Model::new(Facts::newest()).run(scenario).expect("the model always runs");
    let made = scenario.steps.iter().filter(|step| step.call.child().is_some()).count();
    run.refused.is_none() && scenario.roles.len() == made + 1
}

/// However a test answers while it shrinks, every scenario that it is asked about can be run, and it comes to an end.
#[test]
fn whatever_it_shrinks_to_is_valid() {
    let mut runner = TestRunner::deterministic();
    for (case, theme) in Theme::ALL.iter().cycle().take(40).enumerate() {
        let strategy = scenarios(Facts::newest(), RandomConfig::about(*theme), 25);
        let mut tree = strategy.new_tree(&mut runner).expect("every list of choices makes a scenario");
        assert!(is_valid(&tree.current()), "{:?}", tree.current());
        let (mut tries, mut failed) = (0, tree.current());
        let mut more = tree.simplify();
        while more {
            tries += 1;
            assert!(tries < 10_000, "it shrinks for ever");
            assert!(is_valid(&tree.current()), "{:?}", tree.current());
            // Every third one still fails.
            more = if (tries + case).is_multiple_of(3) {
                failed = tree.current();
                tree.simplify()
            } else {
                tree.complicate()
            };
        }
        assert_eq!(tree.current(), failed, "what is left is the smallest that failed");
    }
}

/// A test that fails where somebody leads a session and somebody sleeps in vfork is left with who does, and who made them.
#[test]
fn a_failing_scenario_shrinks_to_what_matters() {
    let strategy = scenarios(Facts::newest(), RandomConfig::default(), 40);
    let config = Config { cases: 2000, failure_persistence: None, ..Config::default() };
    let mut runner =
        TestRunner::new_with_rng(config, proptest::test_runner::TestRng::deterministic_rng(Default::default()));
    let found = runner.run(&strategy, |scenario| {
        let leads = scenario.steps.iter().any(|step| matches!(step.call, Call::Setsid));
        let sleeps = scenario.steps.iter().any(|step| matches!(step.call, Call::Vfork { .. }));
        if leads && sleeps { Err(TestCaseError::fail("both")) } else { Ok(()) }
    });
    let Err(TestError::Fail(_, scenario)) = found else { panic!("{found:?}") };
    let is_one = |step: &Step| matches!(step.call, Call::Setsid | Call::Vfork { .. });
    assert_eq!(scenario.steps.iter().filter(|step| is_one(step)).count(), 2, "{}", scenario.to_toml());
    for (index, step) in scenario.steps.iter().enumerate().filter(|(_, step)| !is_one(step)) {
        let acts = |role| scenario.steps[index..].iter().any(|later| later.by == role);
        assert!(step.call.child().is_some_and(acts), "step {} is for nothing: {}", index + 1, scenario.to_toml());
    }
    assert!(is_valid(&scenario));
}

/// Where nobody is the machine's root, two things cannot be looked at that have closed their memory: an init that waits for its namespace, and the namespaces of whoever
/// has ended. No random scenario asks for it.
#[test]
fn what_nobody_here_may_look_at_is_not_drawn() {
    const EXIT: &str = r#"title = "An init of another user waits for its namespace"
needs = ["another-user"]
steps = [
  { by = "host", call = "clone",  child = "init", flags = ["CLONE_NEWPID"] },
  { by = "host", call = "setns",  to = "init" },
  { by = "host", call = "fork",   child = "guest" },
  { by = "init", call = "setuid", uid = 1000 },
  { by = "init", call = "exit" },
]
"#;
    const LOOK: &str = r#"title = "The namespace of somebody of another user who has ended"
needs = ["another-user"]
steps = [
  { by = "host", call = "fork",   child = "user" },
  { by = "user", call = "setuid", uid = 1000 },
  { by = "user", call = "exit" },
  { by = "host", call = "look",   pid = "user", via = "ns-parent" },
]
"#;
    // Neither is so where nothing was closed, and a number is no secret of who has ended.
    let open = [EXIT, LOOK].map(|text| text.replace("uid = 1000", "uid = 0"));
    let by_pidfd = LOOK.replace("ns-parent", "pidfd-info");
    let (exits, ended) = ((State::Running, State::Exiting), (State::Zombie, State::Zombie));
    for (text, (before, after), can_hide) in [
        (EXIT, exits, true),
        (LOOK, ended, true),
        (&open[0], exits, false),
        (&open[1], ended, false),
        (&by_pidfd, ended, false),
    ] {
        let scenario = Scenario::parse("hidden", "hidden.toml", text).expect("it is sound");
        let (last, steps) = scenario.steps.split_last().expect("it has steps");
        for (closes, is_machines, is_shown) in [(true, true, true), (true, false, false), (false, false, true)] {
            let facts = Facts::newest().with(Fact::ClosedAfterDeath, closes).with(Fact::MachineRoot, is_machines);
            let mut model = Model::new(facts);
            Guide::start(&mut model, &scenario);
            for step in steps {
                assert_eq!(model.apply(&scenario, step), Ok(()));
            }
            let is_shown = is_shown || !can_hide;
            let applied = model.apply(&scenario, last);
            let refused = Refusal::NeedsFact { call: last.call.name(), fact: Fact::MachineRoot };
            assert_eq!(applied, if is_shown { Ok(()) } else { Err(refused) }, "{closes} {is_machines}");
            assert_eq!(model.state(Role(1)), Some(if is_shown { after } else { before }));
        }
    }
}
