//! The claims that come with the program: each is decided, by something that matters, and a trial that decides nothing is noticed.
#![forbid(unsafe_code)]

use std::collections::BTreeSet;

use pidlab_claims::{Case, Kernel, Overall, Ruling, Trial, Undecided, Verdict, library};
use pidlab_scenario::{Claim, Fact, Facts, Role, State};

/// The kernels at both ends, and one with all that only vendors have.
fn kinds() -> Vec<Facts> {
    let vendors = Fact::ALL.iter().filter(|fact| fact.is_of_a_vendor());
    vec![Facts::newest(), Facts::oldest(), vendors.fold(Facts::newest(), |facts, fact| facts.with(*fact, true))]
}

fn decided() -> Vec<Case> {
    library::cases().into_iter().filter(|case| case.not_here.is_none()).collect()
}

#[test]
fn there_are_enough_claims_and_not_only_false_ones() {
    let cases = decided();
    assert!(cases.len() >= 60, "only {} claims", cases.len());
    let mut counts = [0; 3];
    for case in &cases {
        let heard = case.on_facts(&Facts::newest()).unwrap_or_else(|wrong| panic!("{}: {wrong}", case.id));
        match heard.ruling {
            Ruling::Verdict(verdict) => counts[verdict as usize] += 1,
            ref ruling => assert!(case.needs().iter().any(|need| !need.holds), "{}: {ruling:?}", case.id),
        }
    }
    assert!(counts.iter().all(|count| *count >= 15), "true, false, not always: {counts:?}");
}

/// A sentence is named by an id, told in one line, and has its place in the article alone.
#[test]
fn every_claim_is_told_as_it_should_be() {
    let mut places = BTreeSet::new();
    for case in library::cases() {
        let id = &case.id;
        assert!(id.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-'), "{id}");
        for text in [&case.sentence, &case.correction] {
            assert!(text.ends_with('.') && text.len() <= 400, "{id}: {text}");
        }
        if let Some(place) = case.article {
            assert!(places.insert(place), "{id}: {place} is another's place");
            assert!(case.met.iter().any(|met| met.contains("notes.darshanraul.me")), "{id}");
        }
    }
    let count = u32::try_from(places.len()).expect("there are few");
    assert!(places.iter().copied().eq(1..=count), "the places in the article have a gap: {places:?}");
    assert!(count >= 40);
}

/// The rules that a claim names are those that decide it: the model fires each, on some kernel.
#[test]
fn the_rules_of_a_claim_fire_in_its_trials() {
    let mut lacking = Vec::new();
    for case in decided() {
        let mut fired = BTreeSet::new();
        for trial in &case.trials {
            for facts in kinds() {
                let tried = trial.on_facts(&facts.with_all(&trial.scenario.needs)).expect("it decides");
                fired.extend(tried.because.iter().map(|(_, because)| because.rule.id));
            }
        }
        let silent: Vec<&str> = case.rules.iter().map(|rule| rule.id).filter(|id| !fired.contains(id)).collect();
        if !silent.is_empty() {
            lacking.push(format!("{}: {silent:?} of {fired:?}", case.id));
        }
    }
    assert!(lacking.is_empty(), "{}", lacking.join("\n"));
}

/// A sentence is looked at on a few kernels first, and facts are switched only where they differ. Nothing is missed by that.
#[test]
fn what_is_the_same_at_both_ends_hangs_on_nothing() {
    let mut depends = 0;
    for case in decided() {
        let record = case.record(&[]).expect("it decides");
        let hangs_on = case.hangs_on(&[]).expect("it decides");
        match record.overall {
            Overall::Depends(facts) => {
                assert!(!facts.is_empty() && facts == hangs_on, "{}: {facts:?}, {hangs_on:?}", case.id);
                depends += 1;
            }
            _ => assert!(hangs_on.is_empty(), "{}: {hangs_on:?}", case.id),
        }
    }
    assert!(depends >= 2, "{depends} claims depend on the kernel");
}

/// The same sentence with another prediction.
fn with(case: &Case, change: impl Fn(&mut Trial)) -> Case {
    let mut changed = case.clone();
    changed.trials.iter_mut().for_each(change);
    changed
}

/// Whoever predicts what came is right, and whoever predicts that the host is gone is wrong: for every trial of the library.
#[test]
fn a_prediction_decides_whatever_it_is() {
    let newest = Facts::newest();
    let mut corrected = 0;
    for case in decided() {
        let Ok(heard) = case.on_facts(&newest) else { panic!("{} is not decided", case.id) };
        for tried in heard.trials {
            let mut right = tried.trial.clone();
            for held in &tried.held {
                let claims = &mut right.scenario.steps[held.step - 1].claims;
                let claim = claims.iter_mut().find(|claim| **claim == held.predicted).expect("it was predicted");
                if let Some(came) = &held.came {
                    *claim = came.clone();
                    corrected += 1;
                }
            }
            assert!(right.on_facts(&newest).is_ok_and(|tried| tried.holds()), "{}: {:?}", case.id, tried.held);
            let last = right.last();
            right.scenario.steps[last - 1].claims.push(Claim::Gone(Role::HOST));
            assert!(right.on_facts(&newest).is_ok_and(|tried| !tried.holds()), "{}", case.id);
        }
    }
    assert!(corrected >= 40, "{corrected}");
}

#[test]
fn several_trials_make_three_verdicts() {
    let case = library::find("init-adopts-every-orphan").expect("it is in the library");
    let verdict = |case: &Case| case.on_facts(&Facts::newest()).expect("it decides").ruling;
    assert_eq!(verdict(&case), Ruling::Verdict(Verdict::NotAlways));
    let only = |wanted: usize| {
        let mut one = case.clone();
        one.trials = vec![case.trials[wanted].clone()];
        one
    };
    assert_eq!(verdict(&only(0)), Ruling::Verdict(Verdict::True));
    assert_eq!(verdict(&only(1)), Ruling::Verdict(Verdict::False));
}

/// A step that is never reached is no verdict, on either machine.
#[test]
fn a_trial_that_is_not_reached_is_an_error() {
    let case = library::find("kill-9-1-inside-kills-init").expect("it is in the library");
    let lost = with(&case, |trial| {
        // The caller has ended before.
        let exit = pidlab_scenario::Step::new(trial.scenario.steps[2].by, pidlab_scenario::Call::Exit { status: 0 });
        trial.scenario.steps.insert(2, exit);
    });
    let wrong = lost.on_facts(&Facts::newest()).expect_err("nobody can take the step");
    assert!(matches!(wrong, Undecided::NotReached { step: 4, .. }), "{wrong:?}");
    let told = wrong.to_string();
    assert!(told.contains("does not come to step 4") && told.contains("`shell` cannot act here"), "{told}");
    let run = pidlab_scenario::Run { observations: Vec::new(), refused: None };
    let wrong = case.on_runs(&Facts::newest(), &[run]).expect_err("nothing was observed");
    assert!(matches!(wrong, Undecided::NotReached { .. }), "{wrong:?}");
    let wrong = case.on_runs(&Facts::newest(), &[]).expect_err("there is one trial");
    assert!(matches!(wrong, Undecided::OtherRuns { trials: 1, runs: 0 }), "{wrong:?}");
}

/// Of what Linux leaves open nothing follows, whichever way it goes first.
#[test]
fn what_linux_leaves_open_is_an_error() {
    let text = r#"
        sentence = "Of several deaths at once a handler hears of each."
        met = ["a test"]
        rules = ["zap.kills-all"]
        correction = "It is open."
        [[trial]]
        scenario = "death/six-deaths-and-one-handler"
        predicts = [{ step = STEP, by = "BY", call = "CALL", then = { HOST = { handled = [] } } }]
    "#;
    let file = pidlab_scenario::library::find("death/six-deaths-and-one-handler").expect("it is in the library");
    let scenario = pidlab_scenario::Scenario::parse(&file.name, &file.path, file.text).expect("it is well formed");
    let mut open = 0;
    for (index, step) in scenario.steps.iter().enumerate() {
        for role in &scenario.roles {
            let text = text
                .replace("STEP", &(index + 1).to_string())
                .replace("BY", scenario.role_name(step.by))
                .replace("CALL", step.call.name().word())
                .replace("HOST", role);
            let Ok(case) = Case::parse("open", "open.toml", &text) else { continue };
            open += usize::from(matches!(case.on_facts(&Facts::newest()), Err(Undecided::Open { .. })));
        }
    }
    assert!(open > 0, "nothing of it is open");
}

/// A kernel that lacks what a trial needs decides nothing, unless another trial is about just that lack.
#[test]
fn half_of_a_sentence_decides_nothing() {
    let case = library::find("pids-start-again-at-2").expect("it is in the library");
    let old = Facts::newest().with(Fact::PidMaxPerNamespace, false);
    assert!(matches!(case.on_facts(&old).expect("no error").ruling, Ruling::Lacks(_)));
    let case = library::find("pids-inside-are-below-the-hosts-limit").expect("it is in the library");
    assert_eq!(case.on_facts(&old).expect("no error").ruling, Ruling::Verdict(Verdict::True));
    assert_eq!(case.on_facts(&Facts::newest()).expect("no error").ruling, Ruling::Verdict(Verdict::False));
    let kernel = Kernel { name: "old".to_owned(), release: "6.1".to_owned(), facts: old };
    let record = case.record(&[kernel]).expect("it decides");
    assert_eq!(record.overall, Overall::Depends(vec![Fact::PidMaxPerNamespace]));
}

/// What a claim says of a state is what it says: no verdict is kept anywhere.
#[test]
fn the_same_sentence_with_another_prediction_is_another_verdict() {
    let case = library::find("kill-9-1-inside-kills-init").expect("it is in the library");
    let lives = with(&case, |trial| {
        for claim in &mut trial.scenario.steps[2].claims {
            if let Claim::Process(_, pidlab_scenario::ProcessClaim::State(state)) = claim {
                *state = State::Running;
            }
        }
    });
    assert_eq!(case.on_facts(&Facts::newest()).expect("it decides").ruling, Ruling::Verdict(Verdict::False));
    assert_eq!(lives.on_facts(&Facts::newest()).expect("it decides").ruling, Ruling::Verdict(Verdict::True));
}
