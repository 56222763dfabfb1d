//! What the comparison calls a difference, and what a mistake of the scenario.

mod fields;
#[path = "../tool/places.rs"]
mod places;

use pidlab::claims::Whose;
use pidlab::compare::{Problem, Side, Verdict, kernel_only, with_model};
use pidlab_scenario::{CallName, Facts, Harm, Machine, Outcome, Refusal, Refused, Run, Scenario, Unmodelled};
use pidlab_sim::Model;

fn model() -> Model {
    Model::new(Facts::newest())
}

fn scenario(last: &str) -> Scenario {
    let text = format!("title = \"A claim\"\nsteps = [ {{ by = \"host\", call = \"getpid\" }}, {last} ]");
    Scenario::parse("compare", "compare.toml", &text).unwrap_or_else(|wrong| panic!("{wrong}"))
}

/// The verdict on a kernel that takes the first step as the model does, and refuses the second.
fn refused_by_the_kernel(last: &str, why: Refusal) -> Verdict {
    let first = model().run(&scenario(r#"{ by = "host", call = "getpid" }"#)).map(|run| run.observations);
    let Ok(mut observations) = first;
    observations.truncate(2);
    let run = Run { observations, refused: Some(Refused { step: 2, why }) };
    with_model(&mut model(), &scenario(last), Some(&run))
}

#[test]
fn what_one_machine_alone_does_not_know_is_a_difference() {
    let call = CallName::Setuid;
    let unknown = |uid| Refusal::NotModelled { call, what: Unmodelled::User(uid) };
    let only_kernel = refused_by_the_kernel(r#"{ by = "host", call = "getpid" }"#, unknown(7));
    assert!(matches!(only_kernel.problems[..], [Problem::OneRefused { side: Side::Kernel, .. }]), "{only_kernel:?}");
    let other_reasons = refused_by_the_kernel(r#"{ by = "host", call = "setuid", uid = 7 }"#, unknown(8));
    assert!(matches!(other_reasons.problems[..], [Problem::OneRefused { side: Side::Model, .. }]), "{other_reasons:?}");
    let both = refused_by_the_kernel(r#"{ by = "host", call = "setuid", uid = 7 }"#, unknown(7));
    assert!(both.problems.is_empty() && both.mistake.is_some(), "{both:?}");
}

#[test]
fn what_only_the_model_knows_is_a_difference_too() {
    let step = r#"{ by = "host", call = "setuid", uid = 7 }"#;
    let Ok(run) = model().run(&scenario(r#"{ by = "host", call = "getpid" }"#));
    let verdict = with_model(&mut model(), &scenario(step), Some(&run));
    assert!(matches!(verdict.problems[..], [Problem::OneRefused { side: Side::Model, .. }]), "{verdict:?}");
}

#[test]
fn what_a_machine_refuses_for_safety_the_model_may_run() {
    let why = Refusal::Harmful { call: CallName::Abort, harm: Harm::EndlessAbort };
    let verdict = refused_by_the_kernel(r#"{ by = "host", call = "getpid" }"#, why);
    assert!(verdict.problems.is_empty() && verdict.mistake == Some(Refused { step: 2, why }), "{verdict:?}");
}

/// An init is killed, and so many members with it; and a kernel that afterwards makes host a member of session 77.
fn deaths_that_differ(members: usize) -> (Scenario, Verdict) {
    let mut text = String::from(
        "title = \"Many orders\"\nsteps = [ { by = \"host\", call = \"clone\", child = \"init\", flags = [\"CLONE_NEWPID\"] },",
    );
    for member in 0..members {
        text += &format!("{{ by = \"init\", call = \"fork\", child = \"m{member}\" }},");
    }
    text += "{ by = \"host\", call = \"kill\", pid = \"init\", signal = \"SIGKILL\" } ]";
    let scenario = Scenario::parse("many", "many.toml", &text).unwrap_or_else(|wrong| panic!("{wrong}"));
    let Ok(mut run) = model().run(&scenario);
    run.observations.last_mut().expect("a run has a start").processes[0].sid = 77;
    let verdict = with_model(&mut model(), &scenario, Some(&run));
    (scenario, verdict)
}

/// Eighteen deaths have more orders than are looked at.
#[test]
fn a_search_that_is_given_up_is_no_agreement() {
    let (_, verdict) = deaths_that_differ(18);
    assert!(matches!(verdict.problems[..], [Problem::NotDecided { step: 20, .. }]), "{:?}", verdict.problems);
    assert!(verdict.is_not_decided() && !verdict.agrees());
}

/// Of twelve all are looked at for the verdict, and not all for the list that goes with it.
#[test]
fn a_list_of_what_is_allowed_says_where_it_ends_early() {
    for (members, all) in [(2, true), (12, false)] {
        let (scenario, verdict) = deaths_that_differ(members);
        let [problem @ Problem::Difference { complete, .. }] = &verdict.problems[..] else {
            panic!("{members}: {verdict:?}")
        };
        assert_eq!(*complete, all, "{members}");
        assert_eq!(pidlab::tell::problem(&scenario, problem).contains("or something else"), !all, "{members}");
    }
}

#[test]
fn a_claim_is_held_against_the_kernel_too() {
    let scenario = scenario(r#"{ by = "host", call = "getpid", returns = 1 }"#);
    let Ok(mut run) = model().run(&scenario);
    assert!(kernel_only(&scenario, run.clone()).agrees());
    run.observations[2].outcome = Some(Outcome::Ok(7));
    let verdict = kernel_only(&scenario, run);
    let [Problem::ClaimFailed(failed)] = &verdict.problems[..] else { panic!("{verdict:?}") };
    assert_eq!(failed.step, 2);
    assert!(matches!(failed.instead[..], [(Whose::Kernel, _)]), "{failed:?}");
}

/// Two children die at once, and one handler hears of both, of one after the other, or of either alone.
#[test]
fn a_claim_is_held_against_all_that_may_come() {
    let claiming = |then: &str| {
        let text = format!(
            r#"
            title = "Two deaths"
            steps = [
              {{ by = "host", call = "sigaction", signal = "SIGCHLD", action = "handle" }},
              {{ by = "host", call = "fork", child = "a" }},
              {{ by = "host", call = "fork", child = "b" }},
              {{ by = "host", call = "kill", pid = -1, signal = "SIGKILL", then = {{ {then} }} }},
            ]
            "#
        );
        Scenario::parse("deaths", "deaths.toml", &text).unwrap_or_else(|wrong| panic!("{wrong}"))
    };
    let of_all = claiming(r#"a = { state = "zombie" }, b = { state = "zombie" }"#);
    let of_one =
        claiming(r#"host = { handled = [{ signal = "SIGCHLD", si_pid = 2, status = { killed = "SIGKILL" } }] }"#);
    for (scenario, holds) in [(of_all, true), (of_one, false)] {
        let Ok(run) = model().run(&scenario);
        // Whatever came, another outcome would have been as good.
        let verdict = with_model(&mut model(), &scenario, Some(&run));
        assert_eq!(verdict.agrees(), holds, "{verdict:?}");
        assert_eq!(verdict.failed_claims().count(), usize::from(!holds));
    }
}
