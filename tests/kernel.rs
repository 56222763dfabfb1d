//! Everything that runs on the kernel at hand: the library and random scenarios, held against the model.
//!
//! Where the kernel side cannot run, these tests are listed as ignored and the reason is printed; with
//! `PIDLAB_REQUIRE_KERNEL=1`, as in CI, they fail instead. A scenario about kernels unlike this one is listed as ignored.

use std::collections::BTreeMap;
use std::fmt::{self, Display};
use std::process::ExitCode;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use libtest_mimic::{Arguments, Failed, Trial};
use pidlab::compare::{self, Problem};
use pidlab::coverage::{self, Coverage};
use pidlab::realkernel::{Lab, LabError, LabOptions, Look, Priority, RunOptions, Sharing};
use pidlab::scenario::random::Theme;
use pidlab::scenario::{Fact, Facts, Machine, Outcome, Refusal, Run, Scenario, Unmodelled, library};
use pidlab::sim::{Misconception, Model};
use pidlab::{random, tell};
use proptest::sample::select;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};

/// Random scenarios in the test run, and how long each may be.
const RANDOM_SCENARIOS: u32 = 400;
const RANDOM_STEPS: usize = 20;

/// A test that takes the lab.
type Test = fn(&mut Lab) -> Result<(), Failed>;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let required = pidlab_realkernel::must_not_skip();
    let lab = Lab::open(LabOptions::default());
    if let Err(unavailable) = &lab {
        eprintln!("kernel tests cannot run here: {}\nremedy: {}", unavailable.reason, unavailable.remedy);
    }
    let ignored = lab.is_err() && !required;
    let facts = lab.as_ref().ok().map(|lab| lab.kernel().facts.clone());
    let has_program = lab.as_ref().is_ok_and(|lab| lab.kernel().look == Look::Bpf);
    let lab = Arc::new(lab.map(Mutex::new).map_err(|unavailable| unavailable.reason));
    let mut trials: Vec<Trial> = library::files()
        .map(|file| {
            let lab = Arc::clone(&lab);
            // A claim about other kernels: tests/library.rs holds it against the model, `pidlab check` counts it apart.
            let elsewhere = facts.as_ref().is_some_and(|facts| is_elsewhere(&file, facts));
            let name = format!("library::{}", file.name);
            let trial = Trial::test(name, move || with(&lab, |lab| library_file(&file, lab)));
            trial.with_ignored_flag(ignored || elsewhere)
        })
        .collect();
    let tests: [(&str, Test); 8] = [
        ("random::model_and_kernel_agree", random_scenarios_agree),
        ("random::a_run_repeated_is_the_same", a_run_repeated_is_the_same),
        ("names::who_execs_and_is_reaped_at_once", who_execs_and_is_reaped_at_once),
        ("looks::who_has_no_rights_looks_by_calls", who_has_no_rights_looks_by_calls),
        ("coverage::every_rule_is_covered", every_rule_is_covered),
        ("readme::shows_a_real_run", the_readme_shows_a_real_run),
        ("misconceptions::the_library_finds_each", the_library_finds_each_misconception),
        ("misconceptions::random_scenarios_find_them", random_scenarios_find_misconceptions),
    ];
    trials.extend(tests.map(|(name, test)| {
        let lab = Arc::clone(&lab);
        Trial::test(name, move || with(&lab, test)).with_ignored_flag(ignored)
    }));
    let by_all = Trial::test("looks::all_ways_see_what_procfs_shows", all_ways_see_what_procfs_shows);
    trials.push(by_all.with_ignored_flag(!has_program));
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// Runs a test on the lab, or fails with the reason why there is none.
fn with(lab: &Result<Mutex<Lab>, String>, test: impl FnOnce(&mut Lab) -> Result<(), Failed>) -> Result<(), Failed> {
    match lab {
        Ok(lab) => {
            let mut lab = lab.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            test(&mut lab)
        }
        Err(reason) => Err(format!("the kernel side cannot run here: {reason}").into()),
    }
}

fn library_file(file: &library::LibraryFile, lab: &mut Lab) -> Result<(), Failed> {
    let scenario =
        Scenario::parse(&file.name, &file.path, file.text).map_err(|diagnostics| diagnostics.render(false))?;
    let facts = lab.kernel().facts.clone();
    agrees(&scenario, lab, RunOptions::default(), &facts).map_err(|wrong| wrong.to_string().into())
}

/// Whether a file is about kernels, or places, unlike this one.
fn is_elsewhere(file: &library::LibraryFile, facts: &Facts) -> bool {
    Scenario::parse(&file.name, &file.path, file.text).is_ok_and(|scenario| !runs_on(&scenario, facts))
}

/// Whether a kernel with these facts can judge what the scenario claims.
fn runs_on(scenario: &Scenario, facts: &Facts) -> bool {
    scenario.needs.iter().all(|need| need.is_met(facts) && !need.is_for_the_model_alone())
}

/// What is wrong with a scenario's two runs, in words.
enum Wrong {
    /// Both machines say that a step cannot be taken, or one does not take it for safety.
    Refused(Refusal, String),
    /// The surroundings lack what a step needs.
    Lacks(String),
    /// Anything else.
    Differs(String),
}

impl Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Wrong::Refused(_, why) | Wrong::Lacks(why) | Wrong::Differs(why)) = self;
        f.write_str(why)
    }
}

/// Runs on both machines.
fn agrees(scenario: &Scenario, lab: &mut Lab, options: RunOptions, facts: &Facts) -> Result<(), Wrong> {
    let run = lab.run_with(scenario, options).map_err(|error| match error {
        LabError::Lacking(why) => Wrong::Lacks(why.to_string()),
        other => Wrong::Differs(other.to_string()),
    })?;
    holds(scenario, &run, facts)
}

/// Whether a run is among what the model allows.
fn holds(scenario: &Scenario, run: &Run, facts: &Facts) -> Result<(), Wrong> {
    let verdict = compare::with_model(&mut Model::new(facts.clone()), scenario, Some(run));
    if let Some(refused) = &verdict.mistake {
        let why = format!("step {}: {}", refused.step, tell::refusal(scenario, refused));
        return Err(Wrong::Refused(refused.why, why));
    }
    if verdict.problems.is_empty() {
        return Ok(());
    }
    let problems: String = verdict.problems.iter().map(|problem: &Problem| tell::problem(scenario, problem)).collect();
    Err(Wrong::Differs(format!("{}\n{}", scenario.to_toml(), anstream::adapter::strip_str(&problems))))
}

/// Whether a random scenario may come to a step that cannot be taken: a choice that Linux leaves open makes a later step impossible, or
/// only the model may run it.
fn may_be_refused(refusal: Refusal) -> bool {
    match refusal {
        Refusal::NotBorn { .. } | Refusal::CannotAct { .. } | Refusal::NoNumber { .. } => true,
        Refusal::Harmful { .. } | Refusal::NeedsFact { .. } => true,
        // A signal that waits for another thread than the caller can be one, too.
        Refusal::NotModelled { what, .. } => what == Unmodelled::HiddenSignal,
        _ => false,
    }
}

/// A third of the random scenarios run with processes that have a memory of their own.
const SHARINGS: &[Sharing] = &[Sharing::Auto, Sharing::Auto, Sharing::Own];

/// And half of them without real-time priorities.
const PRIORITIES: &[Priority] = &[Priority::Auto, Priority::Ordinary];

fn random_scenarios_agree(lab: &mut Lab) -> Result<(), Failed> {
    let facts = lab.kernel().facts.clone();
    let config =
        Config { cases: RANDOM_SCENARIOS, failure_persistence: None, max_shrink_iters: 2000, ..Config::default() };
    // The same scenarios every time: `pidlab fuzz` looks further.
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let lab = Mutex::new(lab);
    let refused = AtomicU32::new(0);

    let choices = pidlab::scenario::random::choices(RANDOM_STEPS);
    let drawn = (select(Theme::ALL), select(SHARINGS), select(PRIORITIES), choices);
    let outcome = runner.run(&drawn, |(theme, sharing, priority, choices)| {
        let scenario = random::scenario(&choices, theme, &mut Model::new(facts.clone()), "random");
        let mut lab = lab.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        match agrees(&scenario, &mut lab, RunOptions::from(sharing).with_priority(priority), &facts) {
            Ok(()) => Ok(()),
            Err(Wrong::Refused(refusal, _)) if may_be_refused(refusal) => {
                refused.fetch_add(1, Ordering::Relaxed);
                Ok(())
            }
            // An ordinary user cannot take every step.
            Err(Wrong::Lacks(_)) if !pidlab_realkernel::must_not_skip() => {
                refused.fetch_add(1, Ordering::Relaxed);
                Ok(())
            }
            Err(wrong) => Err(TestCaseError::fail(wrong.to_string())),
        }
    });
    let refused = refused.into_inner();
    eprintln!("{refused} of {RANDOM_SCENARIOS} random scenarios came to a step that could not be taken");
    match outcome {
        Ok(()) if refused * 20 > RANDOM_SCENARIOS => {
            Err(format!("{refused} scenarios did not come to their end").into())
        }
        Ok(()) => Ok(()),
        Err(TestError::Fail(why, (theme, .., choices))) => {
            let scenario = random::scenario(&choices, theme, &mut Model::new(facts.clone()), "random");
            Err(format!("{why}\nshrunk to:\n{}", scenario.to_toml()).into())
        }
        Err(TestError::Abort(why)) => Err(why.to_string().into()),
    }
}

/// A signal that was left to others ends the program before its first instruction, and a parent that waits reaps the process at once: whose
/// name it ended by, that of the thread that called exec, is then told by that one's pidfd alone. No scenario of the library can claim a name that
/// somebody gets and loses in one step.
fn who_execs_and_is_reaped_at_once(lab: &mut Lab) -> Result<(), Failed> {
    let facts = lab.kernel().facts.clone();
    if !facts.holds(Fact::PidfdExit) {
        return Ok(());
    }
    let text = r#"
        title = "Killed on its way into a program"
        steps = [
          { by = "host",    call = "fork",  child = "app" },
          { by = "app",     call = "clone", child = "sleeper", flags = ["CLONE_VM", "CLONE_SIGHAND", "CLONE_THREAD"] },
          { by = "sleeper", call = "clone", child = "starter", flags = ["CLONE_VM", "CLONE_SIGHAND", "CLONE_THREAD"] },
          { by = "sleeper", call = "vfork", child = "kid" },
          { by = "app",     call = "kill",  pid = "sleeper", signal = "SIGFPE" },
          { by = "host",    call = "wait",  pid = "any" },
          { by = "starter", call = "exec" },
        ]
    "#;
    let scenario = Scenario::parse("killed", "killed.toml", text).map_err(|wrong| wrong.render(false))?;
    let starter = scenario.role("starter").ok_or("it has that role")?;
    for _ in 0..20 {
        agrees(&scenario, lab, RunOptions::default(), &facts).map_err(|wrong| wrong.to_string())?;
        let run = lab.run(&scenario).map_err(|why| why.to_string())?;
        let returned = &run.observations.last().ok_or("it was observed")?.returned;
        let named = returned
            .iter()
            .any(|returned| matches!(returned.outcome, Outcome::Waited { child, .. } if child == starter));
        if !named {
            return Err(format!("{returned:?}").into());
        }
    }
    Ok(())
}

/// The library and random scenarios, where every field of every process is looked at by all ways in the same moment. What differs ends a run without a
/// result.
fn all_ways_see_what_procfs_shows() -> Result<(), Failed> {
    let mut lab = Lab::open(LabOptions::default().looking(Look::Both)).map_err(|why| why.to_string())?;
    let facts = lab.kernel().facts.clone();
    for file in library::files().filter(|file| !is_elsewhere(file, &facts)) {
        let scenario = Scenario::parse(&file.name, &file.path, file.text).map_err(|wrong| wrong.render(false))?;
        for sharing in [Sharing::Auto, Sharing::Own] {
            lab.run_with(&scenario, sharing).map_err(|why| format!("{}: {why}", file.name))?;
        }
    }
    random_scenarios_agree(&mut lab)
}

/// The ways that an ordinary user has: all but the program.
fn who_has_no_rights_looks_by_calls(lab: &mut Lab) -> Result<(), Failed> {
    let ordinary = LabOptions::default().as_ordinary_user(true);
    let facts = &lab.kernel().facts;
    let has_calls = facts.holds(Fact::PidfdInfo) && facts.holds(Fact::PidTranslation);
    let fastest = if has_calls { Look::Lean } else { Look::Procfs };
    let expected = [
        (Look::Auto, Some(fastest)),
        (Look::Procfs, Some(Look::Procfs)),
        (Look::Lean, has_calls.then_some(Look::Lean)),
        (Look::Bpf, None),
        (Look::Both, has_calls.then_some(Look::Both)),
    ];
    for (asked, comes) in expected {
        match (Lab::open(ordinary.looking(asked)), comes) {
            (Ok(mut lab), Some(Look::Both)) if lab.kernel().look == Look::Both => doubt_the_calls(&mut lab)?,
            (Ok(lab), Some(way)) if lab.kernel().look == way => {}
            (Err(why), None) if why.remedy.contains("--look") => {
                let lacks = if asked == Look::Bpf { "BPF" } else { "calls" };
                if !why.reason.contains(lacks) {
                    return Err(format!("{asked:?}: {why}").into());
                }
            }
            (other, _) => return Err(format!("{asked:?} gave {other:?}").into()),
        }
    }
    Ok(())
}

/// The library, as an ordinary user may run it, every field of every process looked at by calls and by procfs in the same moment.
fn doubt_the_calls(lab: &mut Lab) -> Result<(), Failed> {
    let facts = lab.kernel().facts.clone();
    let (mut ran, mut lacking) = (0, 0);
    for file in library::files().filter(|file| !is_elsewhere(file, &facts)) {
        let scenario = Scenario::parse(&file.name, &file.path, file.text).map_err(|wrong| wrong.render(false))?;
        match lab.run(&scenario) {
            Ok(_) => ran += 1,
            Err(LabError::Lacking(_)) => lacking += 1,
            Err(why) => return Err(format!("{}: {why}", file.name).into()),
        }
    }
    if lacking * 4 > ran { Err(format!("{ran} ran, and {lacking} could not").into()) } else { Ok(()) }
}

/// Whether Linux leaves nothing open in a scenario, as far as the model knows.
fn is_closed(scenario: &Scenario, facts: &Facts) -> bool {
    let mut model = Model::new(facts.clone());
    model.start(scenario);
    scenario.steps.iter().all(|step| {
        let outcomes = model.outcomes(step, 2);
        outcomes.is_ok_and(|outcomes| outcomes.complete && outcomes.answers.len() == 1)
            && model.step(scenario, step).is_ok()
    })
}

/// Two runs are the same; where Linux leaves something open, each is among what the model allows.
fn a_run_repeated_is_the_same(lab: &mut Lab) -> Result<(), Failed> {
    let facts = lab.kernel().facts.clone();
    let mut closed = 0;
    for case in 0..50 {
        let choices = random::choices(20, case, RANDOM_STEPS);
        let scenario = random::scenario(&choices, Theme::of(case), &mut Model::new(facts.clone()), "random");
        let first = lab.run(&scenario).map_err(|error| error.to_string())?;
        let second = lab.run(&scenario).map_err(|error| error.to_string())?;
        if is_closed(&scenario, &facts) {
            closed += 1;
            if first != second {
                return Err(format!("two runs differ:\n{}\n{first:?}\n{second:?}", scenario.to_toml()).into());
            }
        }
        for run in [first, second] {
            holds(&scenario, &run, &facts).or_else(|wrong| match wrong {
                Wrong::Refused(refusal, _) if may_be_refused(refusal) => Ok(()),
                wrong => Err(wrong.to_string()),
            })?;
        }
    }
    if closed < 40 { Err(format!("only {closed} of 50 scenarios leave nothing open").into()) } else { Ok(()) }
}

/// The report on a model that believes something wrong, if the kernel's run contradicts it.
fn refuted(belief: Misconception, scenario: &Scenario, run: &Run, facts: &Facts) -> Option<String> {
    let verdict = compare::with_model(&mut Model::misconceived(facts.clone(), belief), scenario, Some(run));
    let difference = verdict.problems.iter().find(|problem| matches!(problem, Problem::Difference { .. }));
    difference.map(|problem| anstream::adapter::strip_str(&tell::problem(scenario, problem)).to_string())
}

/// A report is of use only if it says where, and by which rule the model decided.
fn names_step_and_rule(belief: Misconception, report: &str) -> Result<(), Failed> {
    let id = belief.rule().id;
    let family = &id[..=id.find('.').expect("an id has a family")];
    let rules = report.split("rules fired in this step").nth(1).unwrap_or("");
    if report.starts_with("difference at step ") && rules.contains(family) {
        Ok(())
    } else {
        Err(format!("{}: the report names no step, or no rule `{family}…`:\n{report}", belief.word()).into())
    }
}

fn the_library_finds_each_misconception(lab: &mut Lab) -> Result<(), Failed> {
    let facts = lab.kernel().facts.clone();
    let mut open: BTreeMap<Misconception, Option<String>> =
        Misconception::ALL.iter().map(|belief| (*belief, None)).collect();
    for file in library::files() {
        let scenario =
            Scenario::parse(&file.name, &file.path, file.text).map_err(|diagnostics| diagnostics.render(false))?;
        if !runs_on(&scenario, &facts) {
            continue;
        }
        let run = lab.run(&scenario).map_err(|error| error.to_string())?;
        open.retain(|belief, first| {
            let Some(report) = refuted(*belief, &scenario, &run, &facts) else { return true };
            let names = names_step_and_rule(*belief, &report).is_ok();
            first.get_or_insert(report);
            !names
        });
    }
    // A wrong rule that says nothing itself is refuted all the same; that some scenario is of the right one is told without a kernel.
    open.retain(|belief, first| first.is_none() || MET_SOON.contains(belief));
    match open.first_key_value() {
        None => Ok(()),
        Some((belief, first)) => {
            let first = first.as_deref().unwrap_or("none");
            Err(format!("{}: no report of the library names the rule; the first: {first}", belief.word()).into())
        }
    }
}

/// Those that random scenarios are soon about. That the others are met as well needs no kernel: sim/tests/misconceptions.rs.
const MET_SOON: [Misconception; 8] = [
    Misconception::OrphansGoToGrandparent,
    Misconception::SubreaperReachesInside,
    Misconception::InitDiesFromInside,
    Misconception::NumbersRestartAtTwo,
    Misconception::ChildrenDieWithParent,
    Misconception::TermFromOutsideKillsInit,
    Misconception::UnshareMovesTheCaller,
    Misconception::MembersOutliveInit,
];

fn random_scenarios_find_misconceptions(lab: &mut Lab) -> Result<(), Failed> {
    let facts = lab.kernel().facts.clone();
    for belief in MET_SOON {
        let mut found = None;
        for case in 0..20_000 {
            let choices = random::choices(3, case, RANDOM_STEPS);
            let scenario = random::scenario(&choices, Theme::of(case), &mut Model::new(facts.clone()), "random");
            // Only scenarios in which the wrong model and the right one differ are worth a run.
            let right = Model::new(facts.clone()).run(&scenario);
            let wrong = Model::misconceived(facts.clone(), belief).run(&scenario);
            if right.is_ok() && right.ok() == wrong.ok() {
                continue;
            }
            let run = lab.run(&scenario).map_err(|error| error.to_string())?;
            found = refuted(belief, &scenario, &run, &facts);
            if found.as_ref().is_some_and(|report| names_step_and_rule(belief, report).is_ok()) {
                break;
            }
        }
        let report = found.ok_or_else(|| format!("{} survives 20000 random scenarios", belief.word()))?;
        names_step_and_rule(belief, &report)?;
    }
    Ok(())
}

/// Random cases of one round, and how many rounds there may be until every rule was fired.
const CASES: u64 = 3000;
const ROUNDS: u64 = 20;

/// Each rule is shown by a scenario, fired by random runs, and agreed by this kernel unless it is about others.
fn every_rule_is_covered(lab: &mut Lab) -> Result<(), Failed> {
    let facts = lab.kernel().facts.clone();
    let mut covered = Coverage::new(true);
    for file in library::files() {
        let scenario =
            Scenario::parse(&file.name, &file.path, file.text).map_err(|diagnostics| diagnostics.render(false))?;
        let here = runs_on(&scenario, &facts);
        let run = if here { Some(lab.run(&scenario).map_err(|error| error.to_string())?) } else { None };
        let mut model = Model::new(facts.clone().with_all(&scenario.needs));
        covered.add_scenario(&scenario, &compare::with_model(&mut model, &scenario, run.as_ref()), here);
    }
    let jobs = std::thread::available_parallelism().map_or(1, usize::from) as u64;
    for seed in 1..=ROUNDS {
        for kind in coverage::kinds_of_kernels(&facts) {
            covered.add_random(&coverage::random_on_the_model(&kind, seed, CASES, jobs));
        }
        if covered.lacking().next().is_none() {
            return Ok(());
        }
    }
    let lacking: Vec<String> =
        covered.lacking().map(|row| format!("{} lacks {}", row.rule.id, covered.lacks(row).join(", "))).collect();
    Err(format!("after {ROUNDS} rounds:\n{}", lacking.join("\n")).into())
}

const README: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");
const TOLD: &str = "init-signals/kill-9-1-does-nothing";

/// The run in the README is what `pidlab run` prints, on this kernel. With `PIDLAB_WRITE=1` it is written.
fn the_readme_shows_a_real_run(lab: &mut Lab) -> Result<(), Failed> {
    let file = library::find(TOLD).ok_or("the told scenario is in the library")?;
    let scenario =
        Scenario::parse(&file.name, &file.path, file.text).map_err(|diagnostics| diagnostics.render(false))?;
    let run = lab.run(&scenario).map_err(|error| error.to_string())?;
    let verdict = compare::with_model(&mut Model::new(lab.kernel().facts.clone()), &scenario, Some(&run));
    let told = anstream::adapter::strip_str(&tell::run(&scenario, &verdict)).to_string();
    let readme = std::fs::read_to_string(README)?;
    let (before, rest) = readme.split_once("<!-- told:begin -->").ok_or("the README has a place for the run")?;
    let (_, after) = rest.split_once("<!-- told:end -->").ok_or("that place has an end")?;
    let block = format!("\n```console\n$ pidlab run {TOLD}\n{told}```\n");
    let made = format!("{before}<!-- told:begin -->{block}<!-- told:end -->{after}");
    if std::env::var_os("PIDLAB_WRITE").is_some() {
        std::fs::write(README, &made)?;
    } else if made != readme {
        return Err(format!("the README shows an old run; PIDLAB_WRITE=1 writes this:\n{block}").into());
    }
    Ok(())
}
