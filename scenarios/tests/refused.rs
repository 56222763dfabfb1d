//! Steps that a run cannot take, as a user sees them.
#![forbid(unsafe_code)]

use pidlab_scenario::{
    CallName, CloneFlags, Diagnostics, Fact, Harm, Refusal, Refused, Role, Scenario, State, Unmodelled,
};

const TEXT: &str = r#"title = "A claim"
steps = [
  { by = "host", call = "clone", child = "init", flags = ["CLONE_NEWPID"] },
  { by = "init", call = "setns", to = "host" },
]
"#;

#[test]
fn each_refusal_says_what_is_wrong_and_what_to_do() {
    let scenario = Scenario::parse("refused", "refused.toml", TEXT).unwrap_or_else(|wrong| panic!("{wrong}"));
    let (host, init) = (Role::HOST, Role(1));
    let cannot = |state| Refusal::CannotAct { role: init, state };
    let refusals = [
        Refusal::NotBorn { role: init },
        Refusal::BornTwice { role: init },
        cannot(None),
        cannot(Some(State::Zombie)),
        cannot(Some(State::Exiting)),
        cannot(Some(State::Stopped)),
        cannot(Some(State::Traced)),
        cannot(Some(State::Blocked)),
        Refusal::NoNumber { role: host, caller: init },
        Refusal::NotModelled { call: CallName::Setns, what: Unmodelled::NumberForProcess },
        Refusal::NotModelled { call: CallName::Clone, what: Unmodelled::Flags(CloneFlags::CLONE_THREAD) },
        Refusal::Harmful { call: CallName::Setpgid, harm: Harm::UndyingInit },
        Refusal::Harmful { call: CallName::Abort, harm: Harm::EndlessAbort },
        Refusal::NeedsFact { call: CallName::Unshare, fact: Fact::UserNamespaces },
    ];
    let shown = refusals.map(|why| Diagnostics::refused(&scenario, "refused.toml", TEXT, &Refused { step: 2, why }));
    let shown: Vec<String> = shown.iter().map(|diagnostics| diagnostics.render(false)).collect();
    insta::assert_snapshot!(shown.join("\n\n"));
}

#[test]
fn a_scenario_without_a_file_is_no_reason_to_panic() {
    let scenario = Scenario::builder("A claim").step("host", CallName::Getpid).build();
    let scenario = scenario.unwrap_or_else(|wrong| panic!("{wrong}"));
    let refused = Refused { step: 1, why: Refusal::NotBorn { role: Role::HOST } };
    assert!(Diagnostics::refused(&scenario, "random", "", &refused).render(true).contains("no process `host`"));
}
