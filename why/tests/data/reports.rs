//! What is concluded from what was seen, on snapshots that are data.

use pidlab_why::{
    Condition, Doing, Help, How, Report, Snapshot, dot, explain, explain_process, nests, svg, text, tree,
};
use serde_json::{Value, json};

use crate::seen::{self, EXITING, FORKED, process, snapshot};

/// A runtime with an init that has ended; its namespace is 7.
fn container(more: impl IntoIterator<Item = Value>) -> Snapshot {
    seen::container(json!({ "detail": { "call": { "name": "poll", "arguments": [] } } }), more)
}

fn holder(snapshot: &Snapshot) -> pidlab_why::Holder {
    let Report { findings, .. } = explain(snapshot);
    assert_eq!(findings.len(), 1);
    assert!(findings[0].stuck && findings[0].condition == Condition::Emptying, "{findings:?}");
    findings[0].holders.first().cloned().expect("somebody is in the way")
}

#[test]
fn an_init_that_goes_at_once_is_not_stuck() {
    let alone = explain(&container([]));
    assert!(!alone.is_stuck() && alone.findings[0].holders.is_empty(), "{alone:?}");
    let killed = process(12, 11, 'R', &[12, 2], json!({ "namespace": 7, "killed": true }));
    let going = explain(&container([killed]));
    assert!(!going.is_stuck() && going.findings[0].following == 1, "{going:?}");
    let reaped_by_it = process(12, 11, 'Z', &[12, 2], json!({ "namespace": 7, "flags": EXITING }));
    assert!(!explain(&container([reaped_by_it])).is_stuck());
}

#[test]
fn an_init_in_the_group_of_a_dead_member_is_freed_by_its_parent_or_never() {
    let in_group = |flags: u32, parent_flags: u32| {
        let groups = json!({ "namespace": 7, "flags": flags, "groups": [12, 2] });
        holder(&snapshot([
            process(10, 0, 'S', &[10], json!({ "flags": parent_flags })),
            process(11, 10, 'S', &[11, 1], groups),
        ]))
    };
    let held = in_group(EXITING | FORKED, 0);
    assert!(matches!(held.how, How::OwnGroup { group: 2 }), "{held:?}");
    assert!(matches!(&held.helps[..], [Help::LeaveGroup { who, by }] if who.pid == 11 && by.pid == 10), "{held:?}");
    assert_eq!(in_group(EXITING, 0).helps, [Help::Nothing], "it runs another program: EACCES");
    assert_eq!(in_group(EXITING | FORKED, EXITING).helps, [Help::Nothing], "its parent is on its way out");
    // A group that a process still leads is that one's affair.
    let led = json!({ "namespace": 7, "flags": EXITING, "groups": [12, 2] });
    let member = process(12, 10, 'Z', &[12, 2], json!({ "namespace": 7, "flags": EXITING }));
    let init = process(11, 10, 'S', &[11, 1], led);
    assert_eq!(holder(&snapshot([process(10, 0, 'S', &[10], json!({})), init, member])).how, How::Unreaped);
}

#[test]
fn who_cannot_act_is_named_with_what_would_let_it() {
    let member = |state: char, more: Value| {
        let mut more = more;
        more["namespace"] = json!(7);
        holder(&container([process(12, 11, state, &[12, 2], more)]))
    };
    let frozen = member('D', json!({ "killed": true, "detail": { "wchan": "__refrigerator" } }));
    assert!(frozen.how == How::Frozen && matches!(frozen.helps[..], [Help::Thaw { .. }]), "{frozen:?}");
    let asleep = member('D', json!({ "killed": true, "detail": { "wchan": "nfs_wait" } }));
    assert!(matches!(&asleep.helps[..], [Help::WhatItWaitsFor { wchan: Some(at) }] if at == "nfs_wait"), "{asleep:?}");
    let traced = member('t', json!({ "tracer": 10 }));
    assert!(matches!(&traced.helps[..], [Help::LetGo { tracer: Some(by), .. }] if by.pid == 10), "{traced:?}");
    let threads = json!([{ "tid": 12, "state": "Z", "flags": EXITING }, { "tid": 13, "state": "D", "flags": 0, "wchan": "nfs_wait" }]);
    let headless = member('Z', json!({ "threads": 2, "flags": EXITING, "detail": { "tasks": threads } }));
    assert_eq!(headless.how, How::ThreadsLeft { threads: vec![(13, Some("nfs_wait".to_owned()))] });
}

#[test]
fn what_a_parent_does_instead_is_told() {
    let guest = |parent: Value, child: Value| {
        let mut child = child;
        child["namespace"] = json!(7);
        child["flags"] = json!(EXITING);
        let init = process(11, 10, 'S', &[11, 1], json!({ "namespace": 7, "flags": EXITING }));
        let outside = [process(1, 0, 'S', &[1], json!({})), parent];
        holder(&snapshot(outside.into_iter().chain([init, process(12, 10, 'Z', &[12, 2], child)])))
    };
    let waits = |name: &str, arguments: &[u64]| {
        let call = json!({ "name": name, "arguments": arguments });
        guest(process(10, 1, 'S', &[10], json!({ "detail": { "call": call, "pidfd_of": 11 } })), json!({}))
            .by
            .expect("a parent")
            .does
    };
    // As a number, by waitid, by pidfd: always the init.
    for (name, arguments) in [("wait4", &[11, 0][..]), ("waitid", &[1, 11]), ("waitid", &[3, 5])] {
        assert!(
            matches!(waits(name, arguments), Doing::WaitsFor { whom, .. } if whom.pid == 11),
            "{name}{arguments:?}"
        );
    }
    assert!(matches!(waits("wait4", &[0xffff_ffff]), Doing::WaitsForAny { .. }));
    assert_eq!(waits("poll", &[]), Doing::Sleeps { place: Some("poll".to_owned()) });
    let deadlock = guest(
        process(10, 1, 'S', &[10], json!({ "detail": { "call": { "name": "wait4", "arguments": [11] } } })),
        json!({}),
    );
    assert_eq!(deadlock.scenario.as_deref(), Some("death/the-classic-deadlock"));
    let stopped = guest(process(10, 1, 'T', &[10], json!({ "ignores_sigchld": true })), json!({ "exit_signal": 0 }));
    assert!(
        matches!(&stopped.helps[..2], [Help::Continue { .. }, Help::Wait { of_all_kinds: true, .. }]),
        "{stopped:?}"
    );
    for rule in ["wait.kinds", "exit.autoreap-not-retroactive"] {
        assert!(stopped.rules.iter().any(|it| it == rule), "{rule}: {stopped:?}");
    }
    // The end of an init is that of its namespace, and no help.
    let by_init = guest(process(10, 0, 'S', &[10], json!({ "numbers": [1] })), json!({}));
    assert!(!by_init.helps.iter().any(|help| matches!(help, Help::End { .. })), "{by_init:?}");
}

#[test]
fn what_is_not_known_is_not_said_as_if_it_were() {
    // Two inits, and a zombie in the namespace of one of them; whose is hidden.
    let hidden = snapshot([
        process(1, 0, 'S', &[1], json!({})),
        process(10, 1, 'S', &[10], json!({})),
        process(11, 10, 'S', &[11, 1], json!({ "flags": EXITING })),
        process(12, 10, 'S', &[12, 1], json!({ "flags": EXITING })),
        process(13, 10, 'Z', &[13, 2], json!({ "flags": EXITING })),
    ]);
    let report = explain(&hidden);
    assert_eq!(report.findings.len(), 2);
    for finding in &report.findings {
        assert!(finding.holders.iter().all(|holder| holder.who.pid == 13 && !holder.certain), "{finding:?}");
    }
    // With one init only there is but one namespace that it can be.
    let mut plain = hidden.clone();
    plain.processes.retain(|process| process.pid != 12);
    assert!(explain(&plain).findings[0].holders[0].certain);
    assert!(text(&report, 80).contains("Perhaps: "));
}

#[test]
fn a_guest_two_levels_down_holds_up_both_and_is_named_once() {
    let in_both = snapshot([
        process(1, 0, 'S', &[1], json!({})),
        process(10, 1, 'S', &[10], json!({})),
        process(11, 10, 'S', &[11, 1], json!({ "namespace": 7, "flags": EXITING })),
        process(12, 11, 'S', &[12, 2, 1], json!({ "namespace": 8, "flags": EXITING })),
        process(13, 10, 'Z', &[13, 3, 2], json!({ "namespace": 8, "flags": EXITING })),
    ]);
    let report = explain(&in_both);
    let holders: Vec<Vec<u32>> =
        report.findings.iter().map(|finding| finding.holders.iter().map(|holder| holder.who.pid).collect()).collect();
    assert_eq!(holders, [vec![12], vec![13]]);
    assert_eq!(report.findings[0].holders[0].how, How::NestedInit);
    assert_eq!(explain_process(&in_both, 11), Some(report), "asked for the outer one, both are told");
    assert_eq!(explain_process(&in_both, 99), None);
}

#[test]
fn ten_thousand_processes_of_a_thousand_containers() {
    let of_one = |index: u32| {
        let first = 100 + index * 10;
        let shim = process(first, 1, 'S', &[first], json!({}));
        let init = process(first + 1, first, 'S', &[first + 1, 1], json!({ "namespace": first, "flags": EXITING }));
        let members = (2..10).map(move |number| {
            // The last one is the shim's own child, and a zombie.
            let (parent, state) = if number == 9 { (first, 'Z') } else { (first + 1, 'R') };
            process(
                first + number,
                parent,
                state,
                &[first + number, number],
                json!({ "namespace": first, "killed": true }),
            )
        });
        [shim, init].into_iter().chain(members)
    };
    let all = snapshot([process(1, 0, 'S', &[1], json!({}))].into_iter().chain((0..1000).flat_map(of_one)));
    let report = explain(&all);
    assert_eq!(report.findings.len(), 1000);
    for finding in &report.findings {
        assert!(
            finding.holders.len() == 1 && finding.holders[0].number == Some(9) && finding.following == 7,
            "{finding:?}"
        );
    }
    // The same without namespaces: of whose shim nothing is seen, it could be any.
    let mut hidden = all.clone();
    hidden.processes.iter_mut().for_each(|process| process.namespace = None);
    assert_eq!(explain(&hidden).findings.len(), 1000);
    let all = nests(&all, None);
    assert_eq!((all.len(), all[0].inner.len(), all[0].members.len()), (1, 1000, 1001));
}

#[test]
fn no_name_acts_on_a_terminal_or_breaks_a_picture() {
    let named = |pid: u32, name: &str| {
        let more = json!({ "name": name, "namespace": 7, "flags": EXITING });
        process(pid, 10, 'Z', &[pid, pid], more)
    };
    let odd = container([named(12, "\u{1b}[2J\n\u{9b}"), named(13, "\"\\<&>\u{202e}")]);
    let report = explain(&odd);
    let all = nests(&odd, None);
    for told in [text(&report, 80), tree(&all, 80), dot(&all), svg(&all)] {
        assert!(!told.chars().any(|letter| letter != '\n' && (letter.is_control() || letter == '\u{202e}')), "{told}");
        assert!(told.contains("12") && told.contains("13"), "{told}");
    }
    let picture = svg(&all);
    let document = roxmltree::Document::parse(&picture).expect("it is XML");
    assert!(document.descendants().any(|node| node.text().is_some_and(|text| text.contains("\"\\<&>"))), "{picture}");
    assert!(text(&report, 80).lines().all(|line| line.chars().count() <= 80));
}

#[test]
fn what_was_not_so_before_is_not_stuck() {
    let guest = |pid: u32| process(pid, 10, 'Z', &[pid, 2], json!({ "namespace": 7, "flags": EXITING }));
    let of = |guests: &[u32]| explain(&container(guests.iter().map(|pid| guest(*pid))));
    assert!(of(&[12]).is_stuck() && of(&[12]).since(&of(&[12])).is_stuck());
    assert!(of(&[12, 13]).since(&of(&[13, 14])).is_stuck(), "one of them stays");
    assert!(!of(&[12]).since(&of(&[13])).is_stuck(), "another one was");
    assert!(!of(&[12]).since(&of(&[])).is_stuck(), "nobody was");
    let living = process(12, 10, 'S', &[12, 2], json!({ "namespace": 7 }));
    assert!(!of(&[12]).since(&explain(&container([living]))).is_stuck(), "it has ended since");
}
