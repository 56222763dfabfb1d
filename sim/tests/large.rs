//! Worlds as large as Linux allows.

use pidlab_scenario::{CloneFlags, Errno, Signal};
use pidlab_sim::{CloneArgs, State, World};

const NEWPID: CloneArgs<'static> = CloneArgs::new(CloneFlags::CLONE_NEWPID);

#[test]
fn a_full_namespace_refuses_one_more_and_dies_at_once() {
    let mut world = World::new();
    let host = world.host();
    let init = world.clone3(host, &NEWPID).unwrap();
    let mut made = 1_u32;
    let refused = loop {
        match world.fork(init) {
            Ok(_) => made += 1,
            Err(errno) => break errno,
        }
    };
    // The outer namespace holds the host too, so the inner one is full one short of its own limit.
    assert_eq!((refused, made), (Errno::EAGAIN, 4_194_302));
    world.kill(host, 2, Some(Signal::KILL)).unwrap();
    assert_eq!(world.processes().count(), 2);
    assert_eq!(world.state(init), Some(State::Zombie));
}

#[test]
fn a_chain_of_a_million_parents_dies_without_recursion() {
    let mut world = World::new();
    let host = world.host();
    let init = world.clone3(host, &NEWPID).unwrap();
    let mut last = init;
    for _ in 0..1_000_000 {
        last = world.fork(last).unwrap();
    }
    world.exit(init, 0);
    assert_eq!(world.processes().count(), 2);
}
