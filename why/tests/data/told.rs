//! Trees, graphs and words, where two are alike: each case was found by a mistake that nothing else noticed.

use pidlab_why::{dot, explain, explain_process, nests, notes, svg, text, tree};
use serde_json::{Value, json};

use crate::seen::{EXITING, OF_THE_KERNEL, container, member, process, seen_from, snapshot, words, zombie};
#[test]
fn the_tree_shows_each_where_it_is_and_what_is_odd_about_it() {
    let threads = json!({ "namespace": 7, "flags": EXITING, "threads": 2, "detail": { "tasks": [{ "tid": 99, "state": "S", "flags": EXITING }] } });
    let all = snapshot([
        process(1, 0, 'S', &[1], json!({})),
        process(2, 0, 'S', &[2], json!({ "flags": OF_THE_KERNEL })),
        process(3, 2, 'S', &[3], json!({ "flags": OF_THE_KERNEL })),
        process(10, 1, 'S', &[10], json!({})),
        process(11, 10, 'S', &[11, 1], json!({ "namespace": 7, "flags": EXITING })),
        process(12, 11, 'D', &[12, 2], json!({ "namespace": 7 })),
        process(13, 12, 'Z', &[13, 3], threads),
        process(14, 10, 'Z', &[14, 4], json!({ "namespace": 7, "flags": EXITING })),
        process(15, 0, 'T', &[15, 5], json!({ "namespace": 7 })),
        process(16, 15, 't', &[16, 6], json!({ "namespace": 7 })),
    ]);
    let told = tree(&nests(&all, None), 200);
    let expected = "\
┌ PID namespace: 2 processes, and 2 threads of the kernel
│ 1 p1
│   10 p10
│ ┌ PID namespace 7: 6 processes
│ │ 11 = 1 p11, has ended, on its way out
│ │   12 = 2 p12, sleeps, no signal wakes it
│ │     13 = 3 p13, first thread has ended, the rest is on its way out
│ │ 14 = 4 p14, zombie, its parent 10 is outside
│ │ 15 = 5 p15, stopped, its parent is not seen
│ │   16 = 6 p16, stopped for its tracer
│ └
└
";
    assert_eq!(told, expected);
    // A picture of what is found has who is in the way, and who could end that; and what lies around them.
    let report = explain(&all);
    let shown = tree(&nests(&all, Some(&report)), 200);
    let lines: Vec<&str> = shown.lines().map(|line| line.trim_start_matches(['│', '┌', '└', ' '])).collect();
    assert_eq!(lines[0], "PID namespace: 1 process", "{shown}");
    assert!(lines.contains(&"10 p10") && !shown.contains("16 p16"), "{shown}");
    let lone = snapshot([process(11, 0, 'S', &[11, 1], json!({ "namespace": 7, "flags": EXITING }))]);
    assert!(tree(&nests(&lone, Some(&explain(&lone))), 80).contains("11 = 1 p11"));
    let inner = snapshot([
        process(11, 0, 'S', &[11, 1], json!({ "namespace": 7 })),
        process(12, 11, 'S', &[12, 2, 1], json!({ "namespace": 8, "flags": EXITING })),
    ]);
    let around = nests(&inner, Some(&explain(&inner)));
    assert!(around.len() == 1 && around[0].level == 0 && around[0].inner[0].namespace == Some(7), "{around:?}");
    // What lies beside one another stands by its PIDs, not by when it was seen.
    let beside = snapshot([
        process(20, 0, 'S', &[20], json!({})),
        process(21, 20, 'S', &[21, 2], json!({ "namespace": 9 })),
        process(22, 20, 'S', &[22, 1], json!({ "namespace": 8 })),
        process(19, 20, 'S', &[19, 1], json!({ "namespace": 9 })),
    ]);
    let order: Vec<Option<u64>> = nests(&beside, None)[0].inner.iter().map(|nest| nest.namespace).collect();
    assert_eq!(order, [Some(9), Some(8)]);
}

#[test]
fn what_lies_very_deep_stays_on_the_page() {
    let line = (1..=60).map(|pid| process(pid, pid - 1, 'S', &[pid], json!({})));
    let deep = nests(&snapshot(line), None);
    let told = tree(&deep, 40);
    assert!(told.lines().all(|line| line.chars().count() <= 40), "{told}");
    assert_eq!(deep[0].members[59].depth, 59);
    let picture = svg(&deep);
    let document = roxmltree::Document::parse(&picture).expect("it is XML");
    let number = |node: roxmltree::Node<'_, '_>, name: &str| node.attribute(name)?.parse::<usize>().ok();
    let width = number(document.root_element(), "width").expect("it has one");
    let texts: Vec<_> = document.descendants().filter(|node| node.has_tag_name("text")).collect();
    assert_eq!(texts.len(), 61);
    for node in texts {
        // A letter is no wider than eight.
        let end = number(node, "x").expect("it has one") + 8 * node.text().unwrap_or_default().chars().count();
        assert!(end <= width && width < 1000, "{node:?} of {width}");
    }
}

#[test]
fn a_graph_has_no_edge_from_nobody_and_quotes_what_it_must() {
    let named = |pid: u32, parent: u32, name: &str| process(pid, parent, 'S', &[pid], json!({ "name": name }));
    let graph = dot(&nests(&snapshot([named(1, 0, "a"), named(2, 1, "\\\"")]), None));
    assert!(graph.contains("  1 -> 2;\n") && !graph.contains("0 ->"), "{graph}");
    assert!(graph.contains(r#"label="2 \\\"""#), "{graph}");
}

#[test]
fn what_many_hold_is_counted_and_not_told_in_full() {
    let many = |count: u32| explain(&container(json!({}), (12..12 + count).map(|pid| zombie(pid, 10, json!({})))));
    let told = |count: u32| words(&text(&many(count), 200));
    assert!(!told(20).contains("more like these"));
    assert!(told(21).contains("1 more like these") && told(25).contains("5 more like these"));
    let going = |held: u32| {
        let held = (0..held).map(|_| zombie(12, 10, json!({})));
        let going = [member(40, 11, 'R', json!({})), member(41, 11, 'R', json!({}))];
        words(&text(&explain(&container(json!({}), held.chain(going))), 200))
    };
    assert!(going(0).contains("has ended, and so do all others in it"), "{}", going(0));
    assert!(going(0).contains("2 other PIDs are in use by whoever is on the way out."), "{}", going(0));
    assert!(
        going(1).contains("2 other PIDs are in use by whoever is on the way out, or waits for the above."),
        "{}",
        going(1)
    );
    let one = words(&text(&explain(&container(json!({}), [member(40, 11, 'R', json!({}))])), 200));
    assert!(one.contains("1 other PID is in use"), "{one}");
    let alone = words(&text(&explain(&container(json!({}), [])), 200));
    assert!(alone.contains("nobody is seen whose PID it waits for"), "{alone}");
    let in_group = |pid: u32| process(pid, 1, 'S', &[pid], json!({ "groups": [17] }));
    let crowd = text(&explain(&container(json!({}), (20..40).map(in_group))), 80);
    assert_eq!(crowd.matches("setpgid(0, 0)").count(), 8, "{crowd}");
    let tasks: Vec<Value> = (13..33).map(|tid| json!({ "tid": tid, "state": "D", "wchan": "nfs_wait" })).collect();
    let threads = zombie(12, 10, json!({ "threads": 21, "detail": { "tasks": tasks } }));
    let told = words(&text(&explain(&container(json!({}), [threads])), 200));
    assert_eq!(told.matches("(in nfs_wait)").count(), 5, "{told}");
}

#[test]
fn what_is_hidden_is_said() {
    let told = |view: Value| notes(&seen_from(view, []).view).concat();
    assert_eq!(told(json!({})), "");
    assert!(told(json!({ "procfs": "ancestor" })).contains("an ancestor"));
    assert!(told(json!({ "procfs": "elsewhere" })).contains("is not in"));
    assert!(told(json!({ "hidepid": "2" })).contains("hidepid=2"));
    assert!(told(json!({ "unreadable": 1 })).contains("1 process may not be read"));
    assert!(told(json!({ "unreadable": 2 })).contains("2 processes may not be read"));
    assert!(told(json!({ "without_namespace": 3 })).contains("of 3 processes in inner PID namespaces"));
}

#[test]
fn what_was_held_otherwise_is_not_what_was_held() {
    let traced = container(json!({}), [zombie(12, 11, json!({ "tracer": 10 }))]);
    let unreaped = container(json!({}), [zombie(12, 10, json!({}))]);
    assert!(!explain(&unreaped).since(&explain(&traced)).is_stuck(), "its tracer has let it go since");
    assert!(explain(&unreaped).since(&explain(&unreaped)).is_stuck());
    // Another init with the same guest; and one that was not stuck.
    let mut other = unreaped.clone();
    other.processes.iter_mut().filter(|it| it.pid == 11).for_each(|it| it.started = 4711);
    assert!(!explain(&other).since(&explain(&unreaped)).is_stuck());
    let stopped = |state: char| {
        let more = json!({ "detail": { "wchan": "x" } });
        explain_process(&snapshot([process(1, 0, 'S', &[1], json!({})), process(12, 1, state, &[12], more)]), 12)
            .expect("it is there")
    };
    assert!(!stopped('T').is_stuck() && stopped('D').is_stuck());
}
