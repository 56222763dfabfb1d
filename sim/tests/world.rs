//! What the model does, used directly.
#![expect(clippy::unwrap_used, reason = "a failed expectation is a failed test")]

use pidlab_scenario::{
    CloneFlags, Errno, Fact, Facts, MaskChange, PollEvent, Signal, SignalAction, WaitOptions, WaitStatus,
};
use pidlab_sim::{CloneArgs, NsId, State, TaskId, WaitFor, Waited, World};

const NEWPID: CloneArgs<'static> = CloneArgs::new(CloneFlags::CLONE_NEWPID);

const THREAD: CloneFlags = CloneFlags::CLONE_VM.union(CloneFlags::CLONE_SIGHAND).union(CloneFlags::CLONE_THREAD);

/// A world with an init in a namespace of its own.
fn nested() -> (World, TaskId, TaskId) {
    let mut world = World::new();
    let host = world.host();
    let init = world.clone3(host, &NEWPID).unwrap();
    (world, host, init)
}

fn wait_any(world: &mut World, caller: TaskId) -> Result<Waited, Errno> {
    let waited = world.wait4(caller, -1, WaitOptions::WNOHANG);
    world.check_invariants().unwrap();
    waited
}

fn child(waited: Result<Waited, Errno>) -> (TaskId, u32, WaitStatus) {
    match waited {
        Ok(Waited::Child { child, number, status }) => (child, number.get(), status),
        other => panic!("a child was expected, not {other:?}"),
    }
}

#[test]
fn a_process_has_one_number_a_level() {
    let (mut world, _, init) = nested();
    let member = world.fork(init).unwrap();
    assert_eq!(world.pids(init), [2, 1]);
    assert_eq!(world.pids(member), [3, 2]);
    assert_eq!(world.pid_in(member, NsId::OUTERMOST).unwrap().get(), 3);
    assert_eq!(world.getppid(init), None);
    assert_eq!(world.getppid(member).unwrap().get(), 1);
}

#[test]
fn numbers_do_not_come_back_before_the_counter_has_been_round() {
    let mut world = World::new();
    let host = world.host();
    for expected in 2..400 {
        let child = world.fork(host).unwrap();
        assert_eq!(world.pids(child), [expected]);
        world.exit(child, 0);
        assert_eq!(wait_any(&mut world, host).map(|_| ()), Ok(()));
    }
}

#[test]
fn the_counter_begins_again_at_300_and_stops_exactly_at_the_limit() {
    let mut world = World::new();
    let host = world.host();
    world.set_pid_max(host, 303).unwrap();
    world.set_ns_last_pid(host, 301).unwrap();
    let numbers: Vec<u32> = (0..3).map(|_| world.fork(host).map(|child| world.pids(child)[0]).unwrap()).collect();
    assert_eq!(numbers, [302, 300, 301]);
    assert_eq!(world.fork(host), Err(Errno::EAGAIN));
    assert_eq!(world.set_pid_max(host, 300), Err(Errno::EINVAL));
    assert_eq!(world.set_ns_last_pid(host, 304), Err(Errno::EINVAL));
}

#[test]
fn a_failed_fork_moves_the_inner_cursor_and_nothing_else() {
    let (mut world, host, init) = nested();
    world.set_pid_max(host, 301).unwrap();
    world.set_ns_last_pid(host, 299).unwrap();
    let full = world.fork(host).unwrap();
    assert_eq!(world.pids(full), [300]);
    assert_eq!(world.ns_last_pid(init), Ok(1));
    assert_eq!(world.fork(init), Err(Errno::EAGAIN));
    assert_eq!(world.fork(init), Err(Errno::EAGAIN));
    assert_eq!(world.ns_last_pid(init), Ok(3));
    assert_eq!(world.ns_last_pid(host), Ok(300));
    world.exit(full, 0);
    wait_any(&mut world, host).unwrap();
    let child = world.fork(init).unwrap();
    assert_eq!(world.pids(child), [300, 4]);
}

#[test]
fn chosen_numbers_are_checked_from_the_inside_out_or_all_at_first() {
    for (checked_first, taken_and_invalid) in [(false, Errno::EEXIST), (true, Errno::EINVAL)] {
        let facts = Facts::newest().with(Fact::SetTidCheckedFirst, checked_first);
        chosen_numbers(World::with(&facts.with_levels_above(0)), taken_and_invalid);
    }
}

fn chosen_numbers(mut world: World, taken_and_invalid: Errno) {
    let init = world.clone3(world.host(), &NEWPID).unwrap();
    let mut ask = |set_tid: &[i32]| {
        let args = CloneArgs::new(CloneFlags::empty()).with_set_tid(set_tid);
        world.clone3(init, &args).map(|child| world.pids(child).to_vec())
    };
    assert_eq!(ask(&[1, 0]), Err(taken_and_invalid));
    assert_eq!(ask(&[0, 2]), Err(Errno::EINVAL));
    assert_eq!(ask(&[9, 2]), Err(Errno::EEXIST));
    assert_eq!(ask(&[9, 70]), Ok(vec![70, 9]));
    assert_eq!(ask(&[]), Ok(vec![3, 2]));
    assert_eq!(ask(&[5, 5, 5]), Err(Errno::EINVAL));
}

#[test]
fn a_dead_namespace_takes_nobody_in() {
    let mut world = World::new();
    let host = world.host();
    world.unshare(host, CloneFlags::CLONE_NEWPID).unwrap();
    assert_eq!(world.unshare(host, CloneFlags::CLONE_NEWPID), Err(Errno::EINVAL));
    let init = world.fork(host).unwrap();
    assert_eq!(world.pids(init), [2, 1]);
    world.exit(init, 42);
    assert_eq!(child(wait_any(&mut world, host)), (init, 2, WaitStatus::Exited(42)));
    assert_eq!(world.fork(host), Err(Errno::ENOMEM));
    assert_eq!(world.clone3(host, &NEWPID), Err(Errno::EINVAL));
    assert_eq!(world.ns_last_pid(host), Ok(3), "the failed fork has burned a number outside");
    world.setns(host, NsId::OUTERMOST).unwrap();
    assert_eq!(world.fork(host).map(|child| world.pids(child).to_vec()), Ok(vec![4]));
}

#[test]
fn namespaces_nest_32_levels_and_no_deeper() {
    let mut world = World::new();
    let mut init = world.host();
    for level in 1..=32 {
        init = world.clone3(init, &NEWPID).unwrap();
        assert_eq!(world.level(world.namespace(init)), level);
    }
    assert_eq!(world.clone3(init, &NEWPID), Err(Errno::ENOSPC));
    assert_eq!(world.unshare(init, CloneFlags::CLONE_NEWPID), Err(Errno::ENOSPC));
    let deepest = world.fork(init).unwrap();
    assert_eq!(world.pids(deepest).len(), 33);
    world.check_invariants().unwrap();
}

#[test]
fn setns_goes_down_and_back_but_never_up() {
    let (mut world, host, init) = nested();
    let inner = world.namespace(init);
    assert_eq!(world.setns(init, NsId::OUTERMOST), Err(Errno::EINVAL));
    world.setns(host, inner).unwrap();
    let injected = world.fork(host).unwrap();
    assert_eq!(world.pids(injected), [3, 2]);
    assert_eq!((world.parent(injected), world.getppid(injected)), (Some(host), None));
    world.setns(host, NsId::OUTERMOST).unwrap();
    let back = world.fork(host).unwrap();
    assert_eq!(world.pids(back).len(), 1);
}

#[test]
fn an_orphan_goes_to_the_init_of_its_fathers_namespace() {
    let (mut world, host, init) = nested();
    let father = world.fork(init).unwrap();
    let orphan = world.fork(father).unwrap();
    world.exit(father, 0);
    assert_eq!(world.parent(orphan), Some(init));

    let outside = world.fork(host).unwrap();
    world.setns(outside, world.namespace(init)).unwrap();
    let injected = world.fork(outside).unwrap();
    let grandchild = world.fork(injected).unwrap();
    world.exit(injected, 0);
    assert_eq!(world.parent(grandchild), Some(init), "the father was inside");
    let second = world.fork(outside).unwrap();
    world.exit(outside, 0);
    assert_eq!(world.parent(second), Some(host), "the father was outside");
    world.check_invariants().unwrap();
}

#[test]
fn a_subreaper_adopts_within_its_namespace_only() {
    let mut world = World::new();
    let host = world.host();
    let subreaper = world.fork(host).unwrap();
    world.set_child_subreaper(subreaper, true);
    let init = world.clone3(subreaper, &NEWPID).unwrap();
    let father = world.fork(init).unwrap();
    let orphan = world.fork(father).unwrap();
    world.exit(father, 0);
    assert_eq!(world.parent(orphan), Some(init));
    let middle = world.fork(subreaper).unwrap();
    let leaf = world.fork(middle).unwrap();
    world.exit(middle, 0);
    assert_eq!(world.parent(leaf), Some(subreaper));
}

#[test]
fn the_end_of_an_init_is_the_end_of_all_below() {
    let (mut world, host, init) = nested();
    let member = world.fork(init).unwrap();
    let inner = world.clone3(member, &NEWPID).unwrap();
    let deep = world.fork(inner).unwrap();
    world.kill(host, 2, Some(Signal::KILL)).unwrap();
    for gone in [member, inner, deep] {
        assert_eq!(world.state(gone), None);
    }
    assert_eq!(child(wait_any(&mut world, host)), (init, 2, WaitStatus::Killed(Signal::KILL)));
}

#[test]
fn an_outside_parent_holds_the_end_up() {
    let (mut world, host, init) = nested();
    let outside = world.fork(host).unwrap();
    world.setns(outside, world.namespace(init)).unwrap();
    let injected = world.fork(outside).unwrap();
    world.exit(init, 7);
    assert_eq!(world.state(init), Some(State::Exiting));
    assert_eq!(world.state(injected), Some(State::Zombie));
    assert_eq!(world.wait4(host, 2, WaitOptions::WNOHANG), Ok(Waited::Nothing));
    world.kill(host, 2, Some(Signal::KILL)).unwrap();
    assert_eq!(child(wait_any(&mut world, outside)).2, WaitStatus::Killed(Signal::KILL));
    assert_eq!(child(wait_any(&mut world, host)), (init, 2, WaitStatus::Exited(7)));
}

#[test]
fn a_number_in_use_as_a_group_holds_the_end_up() {
    let (mut world, host, init) = nested();
    let leader = world.fork(init).unwrap();
    world.setpgid(leader, 0, 0).unwrap();
    let outside = world.fork(host).unwrap();
    world.setpgid(outside, 0, 3).unwrap();
    world.exit(init, 0);
    assert_eq!((world.state(leader), world.state(init)), (None, Some(State::Exiting)));
    world.check_invariants().unwrap();
    world.setpgid(outside, 0, 0).unwrap();
    assert_eq!(world.state(init), Some(State::Zombie));
    world.check_invariants().unwrap();
}

#[test]
fn an_init_is_protected_from_inside_and_mostly_from_outside() {
    let (mut world, host, init) = nested();
    let member = world.fork(init).unwrap();
    for number in 1..=64 {
        world.kill(member, 1, Signal::new(number)).unwrap();
        assert_eq!(world.state(init), Some(State::Running), "signal {number}");
    }
    world.kill(host, 2, Some(Signal::TERM)).unwrap();
    assert_eq!(world.state(init), Some(State::Running));
    world.sigaction(init, Signal::TERM, SignalAction::Handle).unwrap();
    world.kill(host, 2, Some(Signal::TERM)).unwrap();
    world.kill(member, 1, Some(Signal::TERM)).unwrap();
    let senders: Vec<u32> = world.handled(init).map(|handled| handled.si_pid).collect();
    assert_eq!(senders, [0, 2]);
    world.kill(host, 2, Some(Signal::STOP)).unwrap();
    assert_eq!(world.state(init), Some(State::Stopped));
    world.kill(member, 1, Some(Signal::CONT)).unwrap();
    assert_eq!(world.state(init), Some(State::Running));
}

#[test]
fn a_blocked_signal_of_an_init_waits_and_is_then_dropped() {
    let (mut world, host, init) = nested();
    world.sigprocmask(init, MaskChange::Block, Signal::TERM);
    world.kill(host, 2, Some(Signal::TERM)).unwrap();
    world.sigprocmask(init, MaskChange::Unblock, Signal::TERM);
    assert_eq!(world.state(init), Some(State::Running));
}

#[test]
fn wait_goes_by_the_list_and_not_by_the_deaths() {
    let mut world = World::new();
    let host = world.host();
    let children: Vec<TaskId> = (0..3).map(|_| world.fork(host).unwrap()).collect();
    for dying in [2, 0, 1] {
        world.exit(children[dying], 0);
    }
    for expected in children {
        assert_eq!(child(wait_any(&mut world, host)).0, expected);
    }
    assert_eq!(wait_any(&mut world, host), Err(Errno::ECHILD));
}

#[test]
fn a_sleeping_wait_returns_when_the_child_ends() {
    let mut world = World::new();
    let host = world.host();
    let father = world.fork(host).unwrap();
    let one = world.fork(father).unwrap();
    assert_eq!(world.wait4(father, -1, WaitOptions::empty()), Ok(Waited::Blocks));
    assert_eq!(world.state(father), Some(State::Blocked));
    world.exit(one, 3);
    let returned = world.take_returned();
    assert_eq!(returned.len(), 1);
    assert_eq!(returned[0].0, father);
    assert_eq!(child(returned[0].1), (one, 3, WaitStatus::Exited(3)));
    assert_eq!(world.state(father), Some(State::Running));
}

#[test]
fn a_handler_interrupts_a_wait_and_a_stop_does_not() {
    let mut world = World::new();
    let host = world.host();
    let father = world.fork(host).unwrap();
    world.fork(father).unwrap();
    world.sigaction(father, Signal::USR1, SignalAction::Handle).unwrap();
    assert_eq!(world.wait4(father, -1, WaitOptions::empty()), Ok(Waited::Blocks));
    world.kill(host, 2, Some(Signal::STOP)).unwrap();
    assert_eq!(world.state(father), Some(State::Stopped));
    world.kill(host, 2, Some(Signal::CONT)).unwrap();
    assert_eq!(world.state(father), Some(State::Blocked));
    world.kill(host, 2, Some(Signal::USR1)).unwrap();
    assert_eq!(world.take_returned(), [(father, Err(Errno::EINTR))]);
}

#[test]
fn ignoring_sigchld_removes_children_and_wakes_a_wait() {
    let mut world = World::new();
    let host = world.host();
    let father = world.fork(host).unwrap();
    world.sigaction(father, Signal::CHLD, SignalAction::Ignore).unwrap();
    let one = world.fork(father).unwrap();
    assert_eq!(world.wait4(father, -1, WaitOptions::empty()), Ok(Waited::Blocks));
    world.exit(one, 0);
    assert_eq!(world.state(one), None);
    assert_eq!(world.take_returned(), [(father, Err(Errno::ECHILD))]);
}

#[test]
fn stops_are_reported_once_and_lost_by_sigcont() {
    let mut world = World::new();
    let host = world.host();
    let one = world.fork(host).unwrap();
    let look = |world: &mut World| {
        world.waitid(host, WaitFor::Any, WaitOptions::WSTOPPED | WaitOptions::WCONTINUED | WaitOptions::WNOHANG)
    };
    world.kill(host, 2, Some(Signal::STOP)).unwrap();
    assert_eq!(child(look(&mut world)).2, WaitStatus::Stopped(Signal::STOP));
    assert_eq!(look(&mut world), Ok(Waited::Nothing));
    world.kill(host, 2, Some(Signal::CONT)).unwrap();
    world.kill(host, 2, Some(Signal::STOP)).unwrap();
    world.kill(host, 2, Some(Signal::CONT)).unwrap();
    assert_eq!(child(look(&mut world)).2, WaitStatus::Continued);
    assert_eq!(look(&mut world), Ok(Waited::Nothing));
    assert_eq!(world.state(one), Some(State::Running));
}

#[test]
fn an_orphaned_group_with_a_stopped_member_gets_hup_and_cont() {
    let mut world = World::new();
    let host = world.host();
    let shell = world.fork(host).unwrap();
    world.setsid(shell).unwrap();
    let job = world.fork(shell).unwrap();
    world.setpgid(job, 0, 0).unwrap();
    world.kill(host, 3, Some(Signal::TSTP)).unwrap();
    assert_eq!(world.state(job), Some(State::Stopped));
    world.exit(shell, 0);
    assert_eq!(world.state(job), Some(State::Zombie));
}

/// What kill(-1) by host tells an init, and two that were made after it.
fn told_of_the_sender(facts: &Facts) -> [u32; 3] {
    let mut world = World::with(facts);
    let host = world.host();
    let init = world.clone3(host, &NEWPID).unwrap();
    let others = [world.fork(host).unwrap(), world.fork(host).unwrap()];
    let all = [init, others[0], others[1]];
    for process in all {
        world.sigaction(process, Signal::USR1, SignalAction::Handle).unwrap();
    }
    world.kill(host, -1, Some(Signal::USR1)).unwrap();
    all.map(|process| world.handled(process).next().unwrap().si_pid)
}

#[test]
fn one_siginfo_goes_round_or_each_receiver_has_its_own() {
    // The init is the first to be visited, and cannot see the sender.
    let each = Facts::newest().with(Fact::SenderTranslated, false);
    assert_eq!(told_of_the_sender(&each), [0, 1, 1]);
    assert_eq!(told_of_the_sender(&each.with(Fact::SenderForEach, false)), [0, 0, 0]);
    assert_eq!(told_of_the_sender(&Facts::newest()), [0, 1, 1]);
}

#[test]
fn a_clone_child_needs_its_own_kind_of_wait() {
    let mut world = World::new();
    let host = world.host();
    let none = CloneArgs::new(CloneFlags::empty()).with_exit_signal(None);
    let one = world.clone3(host, &none).unwrap();
    world.exit(one, 0);
    assert_eq!(wait_any(&mut world, host), Err(Errno::ECHILD));
    assert_eq!(child(world.wait4(host, -1, WaitOptions::__WCLONE)).0, one);
}

#[test]
fn the_graph_has_every_process_and_namespace() {
    let (mut world, _, init) = nested();
    world.fork(init).unwrap();
    let graph = world.graph();
    assert_eq!(graph.node_count(), 5);
    assert_eq!(graph.edge_count(), 6);
}

/// Each side of the question that keeps such an init from being made on a machine.
#[test]
fn an_init_never_ends_in_a_group_led_from_inside_or_beside_and_ends_in_any_other() {
    let (mut world, host, init) = nested();
    let beside = world.clone3(host, &CloneArgs::new(CloneFlags::CLONE_NEWPID)).unwrap();
    world.setpgid(host, 3, 0).unwrap();
    assert!(world.would_never_end(host, 2, 3), "its leader is the init of the namespace beside it");
    let member = world.fork(init).unwrap();
    world.setpgid(member, 0, 0).unwrap();
    let other = world.fork(init).unwrap();
    assert!(world.would_never_end(init, 0, 2), "its leader is a member");
    assert!(!world.would_never_end(init, 3, 2), "a member is moved, not the init");
    assert!(!world.would_never_end(other, 0, 2), "a member moves itself");
    for group in [0, 1] {
        assert!(!world.would_never_end(init, 0, group), "a group of its own");
    }
    assert!(!world.would_never_end(init, 0, 99), "there is no such group");
    let outside = world.fork(host).unwrap();
    world.setpgid(outside, 0, 0).unwrap();
    assert!(!world.would_never_end(host, 2, 6), "its leader is outside, in the namespace around it");
    let deeper = world.clone3(init, &CloneArgs::new(CloneFlags::CLONE_NEWPID)).unwrap();
    assert!(!world.would_never_end(init, 4, 2), "the same, one namespace further down");
    for (caller, pid, group) in [(host, 2, 6), (init, 4, 2)] {
        world.setpgid(caller, pid, group).unwrap();
    }
    world.exit(init, 0);
    assert_eq!(
        (world.state(init), world.state(deeper), world.state(beside)),
        (Some(State::Zombie), None, Some(State::Running))
    );
}

#[test]
fn an_init_in_the_group_of_its_own_member_never_ends() {
    let (mut world, host, init) = nested();
    let leader = world.fork(init).unwrap();
    world.setpgid(leader, 0, 0).unwrap();
    assert!(world.would_never_end(init, 0, 2));
    assert!(!world.would_never_end(init, 0, 0));
    world.setpgid(init, 0, 2).unwrap();
    world.exit(init, 0);
    assert_eq!((world.state(leader), world.state(init)), (None, Some(State::Exiting)));
    // Only its parent can still help it.
    world.setpgid(host, 2, 0).unwrap();
    assert_eq!(world.state(init), Some(State::Zombie));
}

#[test]
fn a_pidfd_is_ready_when_its_process_has_ended() {
    let (mut world, host, init) = nested();
    assert_eq!(world.pidfd_poll(host, Some(init)), []);
    world.exit(init, 0);
    assert_eq!(world.pidfd_poll(host, Some(init)), [PollEvent::In]);
    child(wait_any(&mut world, host));
    assert_eq!(world.pidfd_poll(host, None), [PollEvent::In, PollEvent::Hup]);
}

/// Of the thread, and not of the process, whose first thread may have ended long before.
#[test]
fn polling_a_pidfd_of_a_thread_is_a_rule_of_its_own() {
    let (mut world, host, init) = nested();
    let thread = world.clone3(init, &CloneArgs::new(THREAD).with_exit_signal(None)).unwrap();
    for (of, rule) in [(init, "view.pidfd-poll"), (thread, "view.pidfd-poll-thread")] {
        let polls = |world: &mut World| drop(world.pidfd_poll(host, Some(of)));
        assert_eq!(why(&mut world, polls), [(rule, of)]);
    }
}

/// The rules that decide in a call, and about whom.
fn why(world: &mut World, call: impl FnOnce(&mut World)) -> Vec<(&'static str, TaskId)> {
    world.record_reasons(true);
    call(world);
    world.record_reasons(false);
    world.take_reasons().into_iter().map(|(rule, about)| (rule.id, about)).collect()
}

#[test]
fn an_action_is_told_to_concern_those_who_share_the_table() {
    let (mut world, host, init) = nested();
    let shared = CloneFlags::CLONE_VM | CloneFlags::CLONE_SIGHAND;
    let sharers = [0, 1].map(|_| world.clone3(init, &CloneArgs::new(shared)).unwrap());
    world.fork(host).unwrap();
    let ignores = |world: &mut World, who| world.sigaction(who, Signal::TERM, SignalAction::Ignore).unwrap();
    let told: Vec<TaskId> =
        why(&mut world, |world| ignores(world, sharers[0])).into_iter().map(|(_, about)| about).collect();
    assert_eq!(told, [init, sharers[1]]);
    assert_eq!(why(&mut world, |world| ignores(world, host)), []);
    world.check_invariants().unwrap();
}

#[test]
fn only_who_stops_waiting_for_children_is_told_of_its_zombies() {
    let (mut world, host, init) = nested();
    world.exit(init, 0);
    let acts = |world: &mut World, signal, action| {
        why(world, |world| world.sigaction(host, signal, action).unwrap())
            .into_iter()
            .filter(|(_, about)| *about == init)
            .map(|(rule, _)| rule)
            .collect::<Vec<_>>()
    };
    assert!(acts(&mut world, Signal::TERM, SignalAction::Ignore).is_empty());
    assert!(acts(&mut world, Signal::CHLD, SignalAction::Handle).is_empty());
    assert_eq!(acts(&mut world, Signal::CHLD, SignalAction::Ignore), ["exit.autoreap-not-retroactive"]);
}

/// 32 numbers are for the deepest namespace but one, and more are for nobody, not even where there are so many levels.
#[test]
fn set_tid_has_at_most_32_numbers() {
    let mut world = World::new();
    let mut inits = vec![world.host()];
    for level in 0..32 {
        inits.push(world.clone3(inits[level], &NEWPID).unwrap());
    }
    let chosen = [77; 33];
    let with = |numbers| CloneArgs::new(CloneFlags::empty()).with_set_tid(&chosen[..numbers]);
    assert_eq!(world.clone3(inits[31], &with(33)), Err(Errno::EINVAL));
    assert_eq!(world.clone3(inits[32], &with(33)), Err(Errno::EINVAL));
    let child = world.clone3(inits[31], &with(32)).unwrap();
    assert_eq!(world.pids(child), [77; 32]);
}

#[test]
fn a_namespace_has_an_init_from_its_first_birth_on() {
    let mut world = World::new();
    let host = world.host();
    world.unshare(host, CloneFlags::CLONE_NEWPID).unwrap();
    let ns = world.namespace_for_children(host).unwrap();
    assert!(world.is_unborn(ns));
    assert_eq!(world.init(ns), None);
    let init = world.fork(host).unwrap();
    assert!(!world.is_unborn(ns));
    assert_eq!(world.init(ns), Some(init));
    world.exit(init, 0);
    child(wait_any(&mut world, host));
    assert!(!world.is_unborn(ns), "it has had an init");
    assert_eq!(world.init(ns), None);
}
