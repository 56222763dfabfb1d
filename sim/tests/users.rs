//! Users and user namespaces, used directly.
#![expect(clippy::unwrap_used, reason = "a failed expectation is a failed test")]

use pidlab_scenario::{CloneFlags, Errno, Fact, Facts, NamespaceTypes, Signal};
use pidlab_sim::{CloneArgs, TaskId, World};

const NEWPID: CloneFlags = CloneFlags::CLONE_NEWPID;
const NEWUSER: CloneFlags = CloneFlags::CLONE_NEWUSER;

fn clone(world: &mut World, caller: TaskId, flags: CloneFlags) -> Result<TaskId, Errno> {
    let made = world.clone3(caller, &CloneArgs::new(flags));
    world.check_invariants().unwrap();
    made
}

/// A world with a child of host that is an ordinary user.
fn with_a_user() -> (World, TaskId, TaskId) {
    let mut world = World::new();
    let host = world.host();
    let user = world.fork(host).unwrap();
    world.setuid(user, 1000).unwrap();
    (world, host, user)
}

#[test]
fn a_call_that_fails_leaves_no_user_namespace_behind() {
    let (mut world, _, user) = with_a_user();
    // The PID namespace that it turned to is not its own, so it can make no other.
    world.unshare(user, NEWUSER).unwrap();
    world.unshare(user, NEWPID).unwrap();
    let turned = world.clone();
    assert_eq!(clone(&mut world, user, NEWPID), Err(Errno::EINVAL));
    assert_eq!(clone(&mut world, user, NEWUSER | NEWPID), Err(Errno::EPERM));
    assert!(world == turned);
    assert_eq!(world.user(user), 1000);
}

#[test]
fn power_reaches_down_and_never_up() {
    let (mut world, host, user) = with_a_user();
    let init = clone(&mut world, user, NEWUSER | NEWPID).unwrap();
    let member = world.fork(init).unwrap();
    let other = world.fork(host).unwrap();
    world.setuid(other, 1000).unwrap();
    let term = Some(Signal::TERM);
    // The same user, the owner, and root may; a capable member may not touch root.
    assert_eq!(world.kill(other, i32::try_from(world.pids(member)[0]).unwrap(), None), Ok(()));
    assert_eq!(world.kill(user, 1, term), Err(Errno::EPERM));
    assert_eq!(world.kill(host, i32::try_from(world.pids(member)[0]).unwrap(), term), Ok(()));
    assert_eq!(world.set_ns_last_pid(init, 50), Ok(()));
    assert_eq!(world.set_ns_last_pid(user, 50), Err(Errno::EPERM));
}

#[test]
fn without_a_second_user_setuid_knows_only_root() {
    let mut world = World::with(&Facts::newest().with(Fact::AnotherUser, false).with_levels_above(0));
    let host = world.host();
    assert_eq!(world.setuid(host, 1000), Err(Errno::EINVAL));
    assert_eq!(world.setuid(host, 0), Ok(()));
    assert_eq!(world.user(host), 0);
}

/// The last step of `users/closed-after-death`, which claims neither: on a kernel it is one or the other, by who root is there.
#[test]
fn who_has_ended_is_open_to_the_machines_root_and_closed_to_another() {
    for (closes, is_machines, told, opened) in [
        (true, true, Errno::ESRCH, Ok(())),
        (true, false, Errno::EPERM, Err(Errno::EACCES)),
        (false, false, Errno::ESRCH, Ok(())),
    ] {
        let facts = Facts::newest().with(Fact::ClosedAfterDeath, closes).with(Fact::MachineRoot, is_machines);
        let mut world = World::with(&facts);
        let host = world.host();
        let user = world.fork(host).unwrap();
        world.setuid(user, 1000).unwrap();
        assert_eq!(world.setns_path(host, Some(user)), Ok(()), "it lives");
        world.exit(user, 0);
        let pidfd = world.setns_pidfd(host, Some(user), NamespaceTypes::CLONE_NEWPID);
        assert_eq!((pidfd, world.setns_path(host, Some(user))), (Err(told), opened), "{closes} {is_machines}");
    }
}

#[test]
fn a_limit_counts_what_exists_for_each_user() {
    let mut world = World::new();
    let host = world.host();
    let guest = clone(&mut world, host, NEWUSER).unwrap();
    assert_eq!(world.max_pid_namespaces(guest), 2_147_483_647);
    assert_eq!(world.set_max_pid_namespaces(guest, -1), Err(Errno::EINVAL));
    world.set_max_pid_namespaces(guest, 1).unwrap();
    let init = clone(&mut world, guest, NEWPID).unwrap();
    assert_eq!(clone(&mut world, guest, NEWPID), Err(Errno::ENOSPC));
    assert_eq!(clone(&mut world, init, NEWPID), Err(Errno::ENOSPC));
    world.exit(init, 0);
    world.wait4(guest, -1, pidlab_scenario::WaitOptions::empty()).unwrap();
    assert!(clone(&mut world, guest, NEWPID).is_ok());
}

#[test]
fn a_change_of_user_closes_every_process_with_the_same_memory() {
    let mut world = World::new();
    let host = world.host();
    let twin = clone(&mut world, host, CloneFlags::CLONE_VM).unwrap();
    let user = world.fork(host).unwrap();
    world.setuid(user, 1000).unwrap();
    world.setuid(twin, 1000).unwrap();
    // user's memory is its own, twin's is host's: each is closed to the other, and both to nobody with power.
    assert_eq!(world.setns_path(user, Some(twin)), Err(Errno::EACCES));
    assert_eq!(world.setns_path(twin, Some(user)), Err(Errno::EACCES));
    assert_eq!(world.setns_path(host, Some(user)), Ok(()));
    assert_eq!(world.setns_path(user, Some(user)), Err(Errno::EPERM));
}
