//! Who is in the way, where two answers are alike: each case was found by a mistake that nothing else noticed. What is expected is what Linux
//! does, in words.

use pidlab_why::{Condition, Doing, Finding, Help, Holder, How, explain, explain_process, nests, text};
use serde_json::{Value, json};

use crate::seen::{
    EXITING, FORKED, OF_THE_KERNEL, container, first, member, of, only, process, snapshot, two_trees, words, zombie,
};
#[test]
fn only_an_init_that_has_ended_or_was_killed_is_told() {
    // The init of the procfs's own namespace: who it keeps waiting is outside of what is seen.
    let own = snapshot([process(1, 0, 'S', &[1], json!({ "flags": EXITING })), zombie(12, 0, json!({}))]);
    assert!(explain(&own).findings.is_empty(), "{:?}", explain(&own));
    // A zombie of which nothing lives waits for nobody, though its SIGKILL was seen a moment before.
    let over = json!({ "namespace": 7, "flags": EXITING, "killed": true });
    assert!(explain(&snapshot([process(11, 10, 'Z', &[11, 1], over)])).findings.is_empty());
    let init = |state: char, more: Value| {
        let mut all = json!({ "namespace": 7 });
        all.as_object_mut().expect("it is a table").extend(more.as_object().cloned().unwrap_or_default());
        snapshot([process(10, 0, 'S', &[10], json!({})), process(11, 10, state, &[11, 1], all)])
    };
    assert!(explain(&init('S', json!({}))).findings.is_empty());
    let killed = only(explain(&init('R', json!({ "killed": true }))));
    assert!(killed.condition == Condition::Killed && !killed.stuck && killed.holders.is_empty(), "{killed:?}");
    let asleep = only(explain(&init('D', json!({ "killed": true, "detail": { "wchan": "nfs_wait" } }))));
    assert!(asleep.condition == Condition::Killed && asleep.stuck, "{asleep:?}");
    assert!(matches!(&asleep.holders[0].how, How::Uninterruptible { wchan: Some(at) } if at == "nfs_wait"));
    let told = words(&text(&explain(&init('D', json!({ "killed": true }))), 200));
    assert!(told.contains("was killed, and cannot take its SIGKILL"), "{told}");
    assert!(told.contains("It sleeps where no signal wakes it"), "the init itself is no other: {told}");
    // SIGKILL ends a stop.
    assert!(!explain(&init('T', json!({ "killed": true }))).is_stuck());
    let stopped = of(&init('T', json!({})), 11);
    assert!(stopped.condition == Condition::Held && !stopped.stuck, "a stop is nothing wrong: {stopped:?}");
    assert!(matches!(stopped.holders[0].helps[..], [Help::Continue { .. }]));
    assert!(
        words(&text(&explain_process(&init('S', json!({})), 11).expect("it is there"), 200)).contains("is the init of")
    );
}

#[test]
fn a_first_thread_that_has_ended_is_no_end_of_a_process() {
    let threads = |state: char, flags: u32| json!([{ "tid": 11, "state": "Z", "flags": EXITING }, { "tid": 12, "state": state, "flags": flags }]);
    let init = |threads: Value, count: u32| {
        let more = json!({ "namespace": 7, "flags": EXITING, "threads": count, "detail": { "tasks": threads } });
        snapshot([process(10, 0, 'S', &[10], json!({})), process(11, 10, 'Z', &[11, 1], more)])
    };
    let headless = init(threads('S', 0), 2);
    assert!(explain(&headless).findings.is_empty(), "others live, and so does its namespace");
    assert_eq!(of(&headless, 11).condition, Condition::Headless);
    assert_eq!(of(&init(json!([]), 1), 11).condition, Condition::Unreaped);
    // Once the last of them leaves, so does the namespace.
    let leaving = only(explain(&init(threads('S', EXITING), 2)));
    assert_eq!(leaving.condition, Condition::Emptying);
    let gone = init(json!([{ "tid": 11, "state": "Z", "flags": EXITING }]), 2);
    assert!(explain(&gone).findings.is_empty(), "whose threads are not seen, nothing is said of");
    // Who has ended and left threads is none that is stuck.
    let more = json!({ "flags": EXITING, "threads": 2, "detail": { "tasks": threads('S', 0) } });
    let plain = of(&snapshot([process(1, 0, 'S', &[1], json!({})), process(11, 1, 'Z', &[11], more)]), 11);
    assert!(
        !plain.stuck && matches!(&plain.holders[0].how, How::ThreadsLeft { threads } if threads.len() == 1),
        "{plain:?}"
    );
}

#[test]
fn a_member_whose_last_threads_leave_is_no_zombie_for_its_parent() {
    let tasks = |state: char, flags: u32| json!({ "tasks": [{ "tid": 12, "state": "Z", "flags": EXITING }, { "tid": 13, "state": state, "flags": flags }] });
    let going = container(json!({}), [zombie(12, 10, json!({ "threads": 2, "detail": tasks('S', EXITING) }))]);
    assert!(!explain(&going).is_stuck(), "{:?}", explain(&going));
    let held = container(json!({}), [zombie(12, 10, json!({ "threads": 2, "detail": tasks('D', EXITING) }))]);
    assert!(matches!(&first(&held).how, How::ThreadsLeft { threads } if threads[0].0 == 13), "in its exit, too");
    let traced = container(json!({}), [zombie(12, 10, json!({ "threads": 2, "detail": tasks('t', 0) }))]);
    assert!(matches!(&first(&traced).how, How::ThreadsLeft { threads } if threads[0].0 == 13));
    let runs = container(json!({}), [zombie(12, 10, json!({ "threads": 2, "detail": tasks('R', 0) }))]);
    let finding = only(explain(&runs));
    assert!(finding.holders.is_empty() && finding.following == 1, "it was killed, and goes: {finding:?}");
}

#[test]
fn who_goes_by_himself_is_not_in_the_way() {
    // Just being taken away.
    let dead = container(json!({}), [member(12, 10, 'X', json!({ "flags": EXITING }))]);
    assert!(!explain(&dead).is_stuck());
    // A tracer that is a member is killed with the rest, and its tracees are handed back.
    let inside = [member(12, 11, 'R', json!({})), zombie(13, 11, json!({ "tracer": 12 }))];
    assert!(!explain(&container(json!({}), inside)).is_stuck());
    let outside = container(json!({}), [zombie(13, 11, json!({ "tracer": 10 }))]);
    let traced = first(&outside);
    assert!(
        traced.how == How::Traced && traced.scenario.as_deref() == Some("tracing/held-up-by-a-tracer"),
        "{traced:?}"
    );
    // A tracer that is the parent as well waits once for both.
    assert_eq!(first(&container(json!({}), [zombie(13, 10, json!({ "tracer": 10 }))])).how, How::Unreaped);
    // A parent in there goes, and the init waits for whom it leaves.
    let orphan = [member(12, 11, 'R', json!({})), zombie(13, 12, json!({}))];
    assert!(!explain(&container(json!({}), orphan)).is_stuck());
    // The child of an init that is in its own teardown is waited for there.
    let zombies = snapshot([
        process(1, 0, 'S', &[1], json!({})),
        process(11, 1, 'S', &[11, 1], json!({ "namespace": 7, "flags": EXITING })),
        process(12, 11, 'Z', &[12, 2], json!({ "flags": EXITING })),
    ]);
    assert_eq!(of(&zombies, 12).condition, Condition::Nothing);
}

#[test]
fn an_inner_namespace_is_told_when_its_own_init_leaves() {
    let inner = |flags: u32, more: &[Value]| {
        let all = [
            process(1, 0, 'S', &[1], json!({})),
            process(10, 1, 'S', &[10], json!({})),
            process(11, 10, 'S', &[11, 1], json!({ "namespace": 7, "flags": EXITING })),
            process(12, 11, 'S', &[12, 2, 1], json!({ "namespace": 8, "flags": flags })),
        ];
        snapshot(all.into_iter().chain(more.iter().cloned()))
    };
    assert!(!explain(&inner(0, &[])).is_stuck(), "an inner init that lives was killed with the rest, and goes");
    // Somebody is on the way, and so nobody is guessed at.
    let grouped = process(20, 1, 'S', &[20], json!({ "groups": [19] }));
    assert!(only(explain(&inner(0, &[grouped]))).holders.is_empty());
    // Of three in one another and one beside them, the asked one and those in it, from outside inward.
    let deeper = [
        process(13, 12, 'S', &[13, 3, 2, 1], json!({ "namespace": 9, "flags": EXITING })),
        process(14, 10, 'Z', &[14, 4, 3, 2], json!({ "namespace": 9, "flags": EXITING })),
        process(30, 10, 'S', &[30, 1], json!({ "namespace": 17, "flags": EXITING })),
        process(31, 10, 'Z', &[31, 2], json!({ "namespace": 17, "flags": EXITING })),
        // Seen before 12, and deeper.
    ];
    let report = explain_process(&inner(EXITING, &deeper), 11).expect("it is there");
    let about: Vec<u32> = report.findings.iter().map(|finding| finding.who.pid).collect();
    assert_eq!(about, [11, 12, 13]);
    // The same where the deeper one was seen first.
    let turned = snapshot([
        process(10, 0, 'S', &[10], json!({})),
        process(11, 10, 'S', &[11, 3, 2, 1], json!({ "namespace": 9, "flags": EXITING, "parent": 12 })),
        process(12, 13, 'S', &[12, 2, 1], json!({ "namespace": 8, "flags": EXITING })),
        process(13, 10, 'S', &[13, 1], json!({ "namespace": 7, "flags": EXITING })),
        process(14, 10, 'Z', &[14, 4, 3, 2], json!({ "namespace": 9, "flags": EXITING })),
    ]);
    for report in [explain(&turned), explain_process(&turned, 13).expect("it is there")] {
        let about: Vec<u32> = report.findings.iter().map(|finding| finding.who.pid).collect();
        assert_eq!(about, [13, 12, 11]);
    }
}

#[test]
fn a_group_without_a_leader_is_guessed_at_and_not_at_random() {
    let session = |pid: u32, session: u32, groups: &[u32]| {
        process(pid, 1, 'S', &[pid], json!({ "session": session, "groups": groups }))
    };
    let with = |more: Vec<Value>| {
        let more = [session(10, 10, &[10])].into_iter().chain(more);
        let outside = [
            process(1, 0, 'S', &[1], json!({ "groups": [1] })),
            process(
                15,
                10,
                'S',
                &[15, 1],
                json!({ "namespace": 7, "flags": EXITING, "session": 10, "groups": [15, 1] }),
            ),
        ];
        only(explain(&snapshot(outside.into_iter().chain(more))))
    };
    let groups = |finding: &Finding| -> Vec<u32> {
        let of = |holder: &Holder| match &holder.how {
            How::PerhapsGroup { group, .. } => *group,
            other => panic!("{other:?}"),
        };
        finding.holders.iter().map(of).collect()
    };
    assert!(!with(vec![]).stuck, "all groups have a leader");
    let one = with(vec![session(20, 10, &[17])]);
    assert_eq!(groups(&one), [17]);
    assert!(!one.holders[0].certain && one.holders[0].number.is_none());
    let [Help::LeaveGroup { who, by }, Help::End { who: ends, .. }] = &one.holders[0].helps[..] else {
        panic!("{one:?}")
    };
    assert!(who == by && ends.pid == 20);
    // Each of two has to leave, and no end of one is enough.
    let two = with(vec![session(20, 10, &[17]), session(21, 10, &[17])]);
    assert!(matches!(two.holders[0].helps[..], [Help::LeaveGroup { .. }, Help::LeaveGroup { .. }]), "{two:?}");
    let report = explain(&snapshot([
        process(15, 10, 'S', &[15, 1], json!({ "namespace": 7, "flags": EXITING })),
        session(20, 10, &[17]),
        session(21, 10, &[17]),
    ]));
    let told = text(&report, 80);
    assert!(told.contains("    and:   21 (p21) leaves the group: setpgid(0, 0)"), "{told}");
    // The init's session comes before others, then numbers that were given out after its own.
    assert_eq!(groups(&with(vec![session(20, 9, &[16]), session(21, 10, &[18])])), [18, 16]);
    assert_eq!(groups(&with(vec![session(20, 10, &[5]), session(21, 10, &[18])])), [18, 5]);
    assert_eq!(groups(&with((20..26).map(|pid| session(pid, 10, &[pid + 100])).collect())).len(), 3);
    // No member: a group that a member sees as 0 has no PID in there; and threads of the kernel are in no group of anybody.
    let kernel = json!({ "flags": OF_THE_KERNEL, "groups": [17] });
    assert!(!with(vec![process(20, 2, 'S', &[20], kernel)]).stuck);
    let passes = process(16, 15, 'R', &[16, 2], json!({ "namespace": 7, "groups": [17, 0] }));
    let members = with(vec![passes, session(20, 10, &[17])]);
    assert!(members.holders.is_empty() && members.following == 1, "{members:?}");
    let inner_init = json!({ "namespace": 7, "flags": EXITING, "session": 10, "groups": [17, 0] });
    let own = only(explain(&snapshot([process(15, 10, 'S', &[15, 1], inner_init), session(20, 10, &[17])])));
    assert!(own.holders.is_empty(), "the init sees it as 0: {own:?}");
}

#[test]
fn what_a_parent_does_is_what_it_does() {
    let does = |state: char, more: Value| {
        let outside = [
            process(1, 0, 'S', &[1], json!({})),
            process(9, 1, 'S', &[9], json!({})),
            process(10, 1, state, &[10], more),
            process(11, 10, 'S', &[11, 1], json!({ "namespace": 7, "flags": EXITING })),
        ];
        first(&snapshot(outside.into_iter().chain([zombie(12, 10, json!({}))])))
    };
    let call = |name: &str, arguments: &[u64]| json!({ "detail": { "call": { "name": name, "arguments": arguments }, "wchan": "do_wait" } });
    let doing = |state: char, more: Value| does(state, more).by.expect("a parent").does;
    // A freezer shows as sleep.
    let frozen = json!({ "detail": { "wchan": "do_freezer_trap" } });
    assert_eq!(doing('S', frozen.clone()), Doing::Frozen);
    assert!(matches!(does('S', frozen.clone()).helps[..2], [Help::Thaw { .. }, Help::Wait { .. }]));
    assert_eq!(doing('R', frozen), Doing::Runs, "who runs is not frozen");
    assert_eq!(doing('R', call("wait4", &[11])), Doing::Runs);
    assert_eq!(doing('S', json!({ "flags": EXITING })), Doing::Leaves);
    assert_eq!(doing('t', json!({})), Doing::HeldByTracer);
    let held = does('t', json!({ "tracer": 9 }));
    let [Help::LetGo { tracer: Some(tracer), who }, Help::Wait { .. }, ..] = &held.helps[..] else {
        panic!("{held:?}")
    };
    assert!(tracer.pid == 9 && who.pid == 10 && held.helps[0].goes_with(&held.helps[1]));
    let threads = json!({ "threads": 2, "detail": { "call": { "name": "wait4", "arguments": [11] }, "tasks": [{ "tid": 20, "state": "S" }] } });
    assert_eq!(doing('Z', threads), Doing::Sleeps { place: None }, "its first thread is in no call");
    // Any child, by waitid; a group is nobody of whom it is known.
    assert!(matches!(doing('S', call("waitid", &[0, 0])), Doing::WaitsForAny { .. }));
    assert_eq!(doing('S', call("wait4", &[0xffff_fff5])), Doing::Sleeps { place: Some("wait4".to_owned()) });
    assert_eq!(
        doing('S', json!({ "detail": { "wchan": "pipe_read" } })),
        Doing::Sleeps { place: Some("pipe_read".to_owned()) }
    );
    // Who waits for somebody else is in no deadlock.
    let other = does('S', call("wait4", &[1]));
    assert!(!other.rules.iter().any(|rule| rule == "zap.classic-deadlock"), "{other:?}");
    assert_eq!(other.scenario.as_deref(), Some("death/not-gone-yet"));
    // What sleeps in a wait for the init has to be said with the help.
    let told = words(&text(&explain(&container(call("wait4", &[11]), [zombie(12, 10, json!({}))])), 100));
    assert!(told.contains("waits for 12 (p12) before 11 (p11)"), "{told}");
}

#[test]
fn numbers_are_those_of_whoever_uses_them() {
    // A parent one level down waits for 3, and that is 13 here; 3 itself is somebody else.
    let call = json!({ "namespace": 7, "detail": { "call": { "name": "wait4", "arguments": [3] } } });
    let nested = snapshot([
        process(1, 0, 'S', &[1], json!({})),
        process(3, 1, 'S', &[3], json!({})),
        process(11, 1, 'S', &[11, 1], json!({ "namespace": 7 })),
        process(12, 11, 'S', &[12, 2], call),
        process(13, 12, 'S', &[13, 3, 1], json!({ "namespace": 8, "flags": EXITING })),
        process(14, 12, 'Z', &[14, 4, 2], json!({ "namespace": 8, "flags": EXITING })),
    ]);
    let holder = first(&nested);
    assert!(
        matches!(&holder.by.as_ref().expect("a parent").does, Doing::WaitsFor { whom, .. } if whom.pid == 13),
        "{holder:?}"
    );
    assert!(matches!(holder.helps[0], Help::Wait { number: Some(4), .. }), "{holder:?}");
    let told = words(&text(&explain(&nested), 200));
    assert!(told.contains("12 (p12) waits for 14 (p14), 4 for it"), "{told}");
    // Who adopts is the init of the parent's namespace.
    assert!(matches!(&holder.helps[1], Help::End { adopter: Some(init), .. } if init.pid == 11), "{holder:?}");
    assert!(holder.rules.iter().any(|rule| rule == "reap.zombie-handover"), "{holder:?}");
    let alike = words(&text(&explain(&container(json!({}), [zombie(12, 10, json!({}))])), 200));
    assert!(alike.contains("10 (p10) waits for 12 (p12) or:"), "one number is said once: {alike}");
    // Outside, the init that adopts ends with its whole namespace.
    let by_init =
        snapshot([process(1, 0, 'S', &[1], json!({})), process(12, 1, 'Z', &[12], json!({ "flags": EXITING }))]);
    let alone = of(&by_init, 12);
    assert!(alone.stuck && !alone.holders[0].helps.iter().any(|help| matches!(help, Help::End { .. })), "{alone:?}");
    let with_parent = snapshot([
        process(1, 0, 'S', &[1], json!({})),
        process(10, 1, 'S', &[10], json!({})),
        process(12, 10, 'Z', &[12], json!({ "flags": EXITING })),
    ]);
    assert_eq!(of(&with_parent, 12).holders[0].rules, ["reap.zombie-handover"], "said once, of a plain zombie");
    // A parent one level down takes its child out of a group by the number that it has for it.
    let group = json!({ "namespace": 8, "flags": EXITING | FORKED, "groups": [44, 5, 4] });
    let moved = snapshot([
        process(1, 0, 'S', &[1], json!({})),
        process(11, 1, 'S', &[11, 1], json!({ "namespace": 7 })),
        process(13, 11, 'S', &[13, 3, 1], group),
    ]);
    let told = words(&text(&explain(&moved), 200));
    assert!(told.contains("11 (p11) takes 13 (p13) out of the group: setpgid(3, 3)"), "{told}");
}

#[test]
fn a_tracer_asks_for_no_kind_and_leaves_nobody_to_adopt() {
    let outside = container(json!({}), [zombie(13, 11, json!({ "tracer": 10, "exit_signal": 0 }))]);
    let traced = first(&outside);
    assert_eq!(traced.by.as_ref().expect("a tracer").exit_signal, None);
    let [Help::Wait { of_all_kinds: false, .. }, Help::End { adopter: None, .. }] = &traced.helps[..] else {
        panic!("{traced:?}")
    };
    assert!(!traced.rules.iter().any(|rule| rule == "wait.kinds"), "{traced:?}");
    // A parent does both.
    let clone = container(json!({ "ignores_sigchld": true }), [zombie(13, 10, json!({ "exit_signal": 10 }))]);
    let told = words(&text(&explain(&clone), 200));
    for part in ["and ignores SIGCHLD", "exit signal 10: only __WALL or __WCLONE finds it", "13 (p13), with __WALL"] {
        assert!(told.contains(part), "{part}: {told}");
    }
}

#[test]
fn whose_namespace_is_hidden_is_where_its_number_is_free() {
    // Two namespaces; in one of them is somebody with number 2, so 13 = 2 is in the other.
    let two = |more: &[Value]| {
        let all = [
            process(1, 0, 'S', &[1], json!({})),
            process(10, 1, 'S', &[10], json!({})),
            process(11, 10, 'S', &[11, 1], json!({ "namespace": 7, "flags": EXITING })),
            process(12, 10, 'S', &[12, 1], json!({ "namespace": 8, "flags": EXITING })),
            process(14, 11, 'R', &[14, 2], json!({ "namespace": 7 })),
        ];
        explain(&snapshot(all.into_iter().chain(more.iter().cloned())))
    };
    let report = two(&[process(13, 10, 'Z', &[13, 2], json!({ "flags": EXITING }))]);
    let of = |pid: u32| report.findings.iter().find(|finding| finding.who.pid == pid).expect("it is found");
    assert!(of(11).holders.is_empty() && of(11).following == 1, "{report:?}");
    assert!(of(12).holders.len() == 1 && of(12).holders[0].certain && of(12).holders[0].who.pid == 13, "{report:?}");
    // A hidden child of a hidden parent of the same depth is where that is, whoever was seen first.
    let hidden = |pid: u32, parent: u32, state: char, number: u32, flags: u32| {
        process(pid, parent, state, &[pid, number], json!({ "flags": flags }))
    };
    let line = two(&[hidden(15, 16, 'R', 9, 0), hidden(16, 12, 'R', 8, 0)]);
    let following =
        |pid: u32| line.findings.iter().find(|finding| finding.who.pid == pid).expect("it is found").following;
    assert_eq!((following(11), following(12)), (1, 2), "{line:?}");
}

#[test]
fn a_hidden_one_is_looked_for_below_its_parent() {
    // Two trees of namespaces, 7 and 8, each with one below; a hidden guest of somebody in 7 is below 7.
    let all = two_trees([process(15, 11, 'Z', &[15, 3, 2], json!({ "flags": EXITING }))]);
    let report = explain(&all);
    let holders: Vec<(u32, Vec<(u32, bool)>)> = report
        .findings
        .iter()
        .map(|it| (it.who.pid, it.holders.iter().map(|holder| (holder.who.pid, holder.certain)).collect()))
        .collect();
    assert_eq!(holders, [(13, vec![(15, true)]), (14, vec![])]);
    // Whose parent is in the procfs's own namespace lies in one right below that, unless it was brought there by setns.
    let nested = nests(&all, None);
    let inner: Vec<usize> = nested[0].inner.iter().map(|nest| nest.inner.len()).collect();
    assert_eq!(inner, [1, 1], "{nested:?}");
}

#[test]
fn an_init_whose_parent_is_far_away_lies_where_its_number_is_free() {
    // 14 was made by 10 from outside: by setns into 8 and a fork. In 7 its number 2 is taken, in 8 it is not.
    let all = snapshot([
        process(1, 0, 'S', &[1], json!({})),
        process(10, 1, 'S', &[10], json!({})),
        process(11, 10, 'S', &[11, 1], json!({ "namespace": 7 })),
        process(12, 10, 'S', &[12, 1], json!({ "namespace": 8 })),
        process(13, 11, 'S', &[13, 2], json!({ "namespace": 7 })),
        process(14, 10, 'S', &[14, 2, 1], json!({ "namespace": 9, "flags": EXITING })),
    ]);
    let nested = nests(&all, None);
    let with = |inode: u64| nested[0].inner.iter().find(|nest| nest.namespace == Some(inode)).expect("it is there");
    assert_eq!((with(7).inner.len(), with(8).inner.len()), (0, 1), "{nested:?}");
    // Where it is free in both, nothing is said, and what is not placed stands behind.
    let mut open = all.clone();
    open.processes.retain(|process| process.pid != 13);
    let nested = nests(&open, None);
    assert_eq!(nested.iter().map(|nest| nest.level).collect::<Vec<_>>(), [0, 2], "{nested:?}");
    // Then a member of it may be a member of either: of 8, whose init has ended, it is said as a perhaps.
    let mut perhaps = open.clone();
    perhaps.processes.iter_mut().filter(|it| it.pid == 12).for_each(|it| it.flags = EXITING);
    let finding = explain(&perhaps).findings.into_iter().find(|it| it.who.pid == 12).expect("it is found");
    assert!(matches!(&finding.holders[..], [holder] if holder.who.pid == 14 && !holder.certain), "{finding:?}");
}

#[test]
fn another_containers_number_is_another_number() {
    // Group 2 of the first container, whose leader is gone; in the second somebody has PID 2.
    let group = json!({ "namespace": 7, "flags": EXITING | FORKED, "groups": [12, 2] });
    let all = snapshot([
        process(10, 0, 'S', &[10], json!({})),
        process(11, 10, 'S', &[11, 1], group),
        process(21, 10, 'S', &[21, 1], json!({ "namespace": 8 })),
        process(22, 21, 'S', &[22, 2], json!({ "namespace": 8 })),
    ]);
    assert_eq!(first(&all).how, How::OwnGroup { group: 2 });
}

#[test]
fn who_cannot_be_waked_lives_and_so_the_namespace_stays() {
    for (state, wchan) in [('D', "nfs_wait"), ('S', "do_freezer_trap")] {
        let asleep = member(12, 11, state, json!({ "killed": true, "detail": { "wchan": wchan } }));
        let holder = first(&container(json!({}), [asleep]));
        assert!(holder.rules.iter().any(|rule| rule == "zap.stuck-immune"), "{holder:?}");
        assert_eq!(holder.scenario.as_deref(), Some("death/not-gone-yet"));
    }
}

#[test]
fn a_namespace_lies_where_a_parent_of_its_members_is() {
    // Its init is not seen; the parent of a member is in 7, and there are others of the same depth.
    let all = snapshot([
        process(1, 0, 'S', &[1], json!({})),
        process(11, 1, 'S', &[11, 1], json!({ "namespace": 7 })),
        process(12, 1, 'S', &[12, 1], json!({ "namespace": 8 })),
        process(13, 11, 'S', &[13, 3, 2], json!({ "namespace": 9 })),
    ]);
    let nested = nests(&all, None);
    assert!(nested.len() == 1 && nested[0].inner[0].inner[0].namespace == Some(9), "{nested:?}");
    // A parent two levels above says at least in which tree it lies.
    let deep = |namespace: u64, parent: u32, pid: u32| {
        process(pid, parent, 'S', &[pid, 2, 1], json!({ "namespace": namespace }))
    };
    let far = process(30, 11, 'S', &[30, 8, 5, 1], json!({ "namespace": 30 }));
    let trees = [deep(20, 11, 21), deep(22, 12, 23), far];
    let all = snapshot(
        [
            process(1, 0, 'S', &[1], json!({})),
            process(11, 1, 'S', &[11, 1], json!({ "namespace": 7 })),
            process(12, 1, 'S', &[12, 1], json!({ "namespace": 8 })),
        ]
        .into_iter()
        .chain(trees),
    );
    let nested = nests(&all, None);
    assert!(nested.len() == 1 && nested[0].inner[0].inner[0].inner[0].namespace == Some(30), "{nested:?}");
}

#[test]
fn a_hidden_parent_is_placed_before_its_child() {
    let all = two_trees([
        process(15, 16, 'Z', &[15, 3, 2], json!({ "flags": EXITING })),
        process(16, 11, 'S', &[16, 4], json!({})),
    ]);
    let findings = explain(&all).findings;
    let of = |pid: u32| findings.iter().find(|finding| finding.who.pid == pid).expect("it is found");
    assert!(of(13).holders.len() == 1 && of(13).holders[0].certain && of(14).holders.is_empty(), "{findings:?}");
}
