//! Snapshots, written as a procfs would show them, and what is concluded from them.

use pidlab_why::{Finding, Holder, Report, Snapshot, explain, explain_process};
use serde_json::{Value, json};

/// On its way out; runs its parent's program still; a thread of the kernel.
pub(crate) const EXITING: u32 = 0x4;
pub(crate) const FORKED: u32 = 0x40;
pub(crate) const OF_THE_KERNEL: u32 = 0x0020_0000;

pub(crate) fn process(pid: u32, parent: u32, state: char, numbers: &[u32], more: Value) -> Value {
    let mut process = json!({
        "pid": pid, "name": format!("p{pid}"), "state": state, "parent": parent, "numbers": numbers, "groups": vec![0; numbers.len()],
        "threads": 1, "exit_signal": 17, "started": pid, "flags": 0,
    });
    let fields = process.as_object_mut().expect("it is a table");
    fields.extend(more.as_object().cloned().unwrap_or_default());
    process
}

pub(crate) fn seen_from(view: Value, processes: impl IntoIterator<Item = Value>) -> Snapshot {
    let mut whole = json!({ "procfs": "own", "hidepid": null, "unreadable": 0, "without_namespace": 0 });
    whole.as_object_mut().expect("it is a table").extend(view.as_object().cloned().unwrap_or_default());
    let processes: Vec<Value> = processes.into_iter().collect();
    serde_json::from_value(json!({ "view": whole, "processes": processes })).expect("it is a snapshot")
}

pub(crate) fn snapshot(processes: impl IntoIterator<Item = Value>) -> Snapshot {
    seen_from(json!({}), processes)
}

/// A runtime, 10, with an init that has ended, 11, in namespace 7; and more.
pub(crate) fn container(runtime: Value, more: impl IntoIterator<Item = Value>) -> Snapshot {
    let outside = [
        process(1, 0, 'S', &[1], json!({})),
        process(10, 1, 'S', &[10], runtime),
        process(11, 10, 'S', &[11, 1], json!({ "namespace": 7, "flags": EXITING | FORKED })),
    ];
    snapshot(outside.into_iter().chain(more))
}

/// A zombie in namespace 7, PID 2 there, of this parent.
pub(crate) fn zombie(pid: u32, parent: u32, more: Value) -> Value {
    let mut all = json!({ "namespace": 7, "flags": EXITING });
    all.as_object_mut().expect("it is a table").extend(more.as_object().cloned().unwrap_or_default());
    process(pid, parent, 'Z', &[pid, pid - 10], all)
}

pub(crate) fn member(pid: u32, parent: u32, state: char, more: Value) -> Value {
    let mut all = json!({ "namespace": 7 });
    all.as_object_mut().expect("it is a table").extend(more.as_object().cloned().unwrap_or_default());
    process(pid, parent, state, &[pid, pid - 10], all)
}

pub(crate) fn only(report: Report) -> Finding {
    let [finding] = <[Finding; 1]>::try_from(report.findings).expect("it is one");
    finding
}

pub(crate) fn of(snapshot: &Snapshot, pid: u32) -> Finding {
    only(explain_process(snapshot, pid).expect("it is there"))
}

/// The first who is in the way of the init.
pub(crate) fn first(snapshot: &Snapshot) -> Holder {
    only(explain(snapshot)).holders.first().cloned().expect("somebody is in the way")
}

/// What a text says, on one line.
pub(crate) fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Two trees of namespaces, 7 and 8, each with an init that has ended in one below, 9 and 10; and more.
pub(crate) fn two_trees(more: impl IntoIterator<Item = Value>) -> Snapshot {
    let both = [
        process(1, 0, 'S', &[1], json!({})),
        process(11, 1, 'S', &[11, 1], json!({ "namespace": 7 })),
        process(12, 1, 'S', &[12, 1], json!({ "namespace": 8 })),
        process(13, 11, 'S', &[13, 2, 1], json!({ "namespace": 9, "flags": EXITING })),
        process(14, 12, 'S', &[14, 2, 1], json!({ "namespace": 10, "flags": EXITING })),
    ];
    snapshot(both.into_iter().chain(more))
}
