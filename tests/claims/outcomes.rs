//! A claim must hold whatever Linux chooses.

use pidlab::claims::Whose;
use pidlab::compare::{Problem, Verdict, with_model};
use pidlab::scenario::{Facts, Machine, Scenario, Signal};
use pidlab::sim::Model;

/// Two guests of a dying namespace, whose parent handles SIGCHLD: it hears of one or of both, in any order.
fn two_deaths(claims: &str) -> (Scenario, Verdict, Verdict) {
    let text = format!(
        r#"title = "Two deaths"
steps = [
  {{ by = "host", call = "clone", child = "init", flags = ["CLONE_NEWPID"] }},
  {{ by = "host", call = "sigaction", signal = "SIGCHLD", action = "handle" }},
  {{ by = "host", call = "setns", to = "init" }},
  {{ by = "host", call = "fork", child = "one" }},
  {{ by = "host", call = "fork", child = "two" }},
  {{ by = "init", call = "exit", {claims} }},
]
"#
    );
    let scenario = Scenario::parse("two", "two.toml", &text).unwrap_or_else(|wrong| panic!("{wrong}"));
    let mut model = Model::new(Facts::newest());
    let Ok(run) = model.run(&scenario);
    let alone = with_model(&mut model, &scenario, None);
    let both = with_model(&mut model, &scenario, Some(&run));
    (scenario, alone, both)
}

#[test]
fn what_holds_on_some_outcomes_only_fails() {
    let (scenario, alone, both) = two_deaths(r#"then = { host = { handled = [{ signal = "SIGCHLD", si_pid = 3 }] } }"#);
    for verdict in [alone, both] {
        let [Problem::ClaimFailed(failed)] = &verdict.problems[..] else { panic!("{verdict:?}") };
        assert_eq!(failed.step, 6);
        assert_eq!(failed.truth, None, "several outcomes are allowed");
        assert!(!failed.machines_differ, "and the kernel took one of them");
        assert!(failed.instead.iter().any(|(whose, _)| *whose == Whose::Allowed), "{failed:?}");
        assert!(failed.told(&scenario).iter().any(|(on, _)| on.contains("Linux may as well")), "{failed:?}");
    }
}

#[test]
fn what_holds_on_every_outcome_holds() {
    let (_, alone, both) = two_deaths(
        r#"then = { one = { state = "zombie" }, two = { state = "zombie" }, init = { state = "exiting" } }"#,
    );
    assert!(alone.agrees() && both.agrees(), "{alone:?}\n{both:?}");
}

#[test]
fn what_both_machines_say_is_told_once_and_true() {
    let (scenario, _, both) = two_deaths(r#"then = { one = { state = "running" } }"#);
    let [Problem::ClaimFailed(failed)] = &both.problems[..] else { panic!("{both:?}") };
    let truth = r#"then = { one = { state = "zombie" } }"#.to_owned();
    assert_eq!(failed.told(&scenario), [("on both machines", truth.clone())]);
    assert_eq!(failed.truth.as_ref().map(|claim| claim.written(&scenario).pair()), Some(truth));
    assert!(both.is_claim_failed() && !both.agrees());
    let line = serde_json::to_value(failed.line(&scenario)).expect("it is JSON");
    assert_eq!(line["claim"], serde_json::json!({ "keys": ["then", "one", "state"], "value": "\"running\"" }));
    assert_eq!(line["instead"][0]["on"], "kernel");
    assert_eq!(line["truth"]["value"], "\"zombie\"");
}

#[test]
fn machines_that_differ_leave_no_truth() {
    let (scenario, ..) = two_deaths(r#"then = { init = { pgid = 9 } }"#);
    let mut model = Model::new(Facts::newest());
    let Ok(mut run) = model.run(&scenario);
    let last = run.observations.last_mut().expect("there are steps");
    last.processes[1].pgid = 5;
    last.processes[1].handled = vec![pidlab::scenario::Handled { signal: Signal::USR1, si_pid: 0, child: None }];
    let verdict = with_model(&mut model, &scenario, Some(&run));
    let failed: Vec<_> = verdict.failed_claims().collect();
    let [failed] = failed[..] else { panic!("{verdict:?}") };
    assert_eq!(failed.truth, None);
    assert!(failed.machines_differ);
    let told: Vec<&str> = failed.told(&scenario).into_iter().map(|(on, _)| on).collect();
    assert_eq!(told, ["on the kernel", "on the model"]);
    assert!(!verdict.is_claim_failed(), "the machines differ, too");
}
