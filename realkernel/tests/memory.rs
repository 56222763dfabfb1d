//! What is left out of a fork: an agent with a memory of its own has nothing that only the conductor needs.
#![cfg(target_env = "gnu")]

mod common;
#[expect(dead_code, reason = "another test wants more of it")]
#[path = "common/proc.rs"]
mod proc;

use std::fs;

use common::scenario;
use pidlab_realkernel::{Lab, LabOptions, Sharing};

use proc::World;

/// The names of what is mapped (proc_pid_maps(5)).
fn mapped(number: u32) -> Vec<String> {
    let maps = fs::read_to_string(format!("/proc/{number}/maps")).expect("it stands still");
    maps.lines().map(|line| line.split_ascii_whitespace().nth(5).unwrap_or_default().to_owned()).collect()
}

#[test]
fn neither_heap_nor_first_stack_are_copied() {
    let scenario = scenario(
        r#"
        { by = "host", call = "fork", child = "a" },
        { by = "a",    call = "sigaction", signal = "SIGUSR1", action = "handle" },
        { by = "host", call = "kill", pid = "a", signal = "SIGUSR1" },
        { by = "a",    call = "fork", child = "b" },
        { by = "b",    call = "exec" },
        { by = "b",    call = "fork", child = "c" },
        "#,
    );
    for (sharing, are_there) in [(Sharing::Own, false), (Sharing::Shared, true)] {
        let Some(mut lab) = Lab::or_skip(LabOptions::default().with_sharing(sharing)) else { return };
        let guard = lab.helper_pid().expect("a lab has a helper");
        let mut seen = 0;
        let run = lab.run_held(&scenario, |observation| {
            // From the fifth step on there is another program.
            if observation.processes.len() > 2 {
                return;
            }
            for task in World::below(guard).shown() {
                let names = mapped(task.number);
                let has = |name: &str| names.iter().any(|mapped| mapped == name);
                assert!(has("/memfd:pidlab"), "{names:?}");
                assert_eq!([has("[heap]"), has("[stack]")], [are_there; 2], "{sharing:?} {names:?}");
                seen += 1;
            }
        });
        let run = run.expect("it runs");
        assert_eq!((run.observations.len(), seen), (7, 7));
        assert_eq!(run.observations[3].processes[1].handled.len(), 1, "its handler has run");
    }
}
