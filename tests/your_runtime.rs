//! A runtime held against the model, and the model against Linux: the example in the README.

use pidlab_realkernel::{Lab, LabOptions};
use pidlab_scenario::{CloneFlags, Errno, Machine, Scenario, WaitOptions};
use pidlab_sim::{CloneArgs, Model, TaskId, Waited, World};

/// What is tested: the loop of a PID 1 that reaps whoever there is. Yours goes here.
fn reap_all(world: &mut World, init: TaskId) -> usize {
    let mut reaped = 0;
    while let Ok(Waited::Child { .. }) = world.wait4(init, -1, WaitOptions::WNOHANG) {
        reaped += 1;
    }
    reaped
}

#[test]
fn no_zombie_is_left() -> Result<(), Errno> {
    let mut world = World::new();
    let container = CloneArgs::new(CloneFlags::CLONE_NEWPID);
    let init = world.clone3(world.host(), &container)?;
    let service = world.fork(init)?;
    let worker = world.fork(service)?;
    world.exit(worker, 0);
    world.exit(service, 1);
    assert_eq!(reap_all(&mut world, init), 2, "the orphan, too");
    Ok(())
}

#[test]
fn linux_does_what_the_model_says() {
    let scenario = Scenario::parse("mine", "mine.toml", include_str!("mine.toml")).expect("a true claim");
    // Where there are no namespaces to be had it is skipped, or, with PIDLAB_REQUIRE_KERNEL=1, fails.
    let Some(mut lab) = Lab::or_skip(LabOptions::default()) else { return };
    let seen = lab.run(&scenario).expect("the lab works");
    let mut model = Model::new(lab.kernel().facts.clone());
    assert_eq!(model.run(&scenario).expect("the model takes it").observations, seen.observations);
}
