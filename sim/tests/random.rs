//! Random calls: what always holds, holds; what fails, changes nothing but what Linux changes; and it is all determined.

use pidlab_scenario::{CloneFlags, Errno, MaskChange, Signal, SignalAction, WaitOptions};
use pidlab_sim::{CloneArgs, State, TaskId, World};
use proptest::prelude::*;

/// Makes one call from three bytes; answers its errno, if it failed.
fn call(world: &mut World, bytes: [u8; 3]) -> Option<(TaskId, Errno)> {
    let able: Vec<TaskId> = world.processes().filter(|process| world.state(*process) == Some(State::Running)).collect();
    let caller = *able.get(usize::from(bytes[0]) % able.len().max(1))?;
    let all: Vec<TaskId> = world.processes().collect();
    let other = all[usize::from(bytes[2]) % all.len()];
    let number = i32::from(bytes[2] % 12) - 3;
    let signals = [Signal::KILL, Signal::TERM, Signal::STOP, Signal::CONT, Signal::USR1, Signal::CHLD, Signal::TSTP];
    let signal = signals[usize::from(bytes[2] / 12) % signals.len()];
    let flags = [CloneFlags::CLONE_NEWPID, CloneFlags::CLONE_PARENT, CloneFlags::empty()];
    let flags = flags[usize::from(bytes[2]) % flags.len()];
    let exit_signal = (!flags.contains(CloneFlags::CLONE_PARENT)).then_some(Signal::CHLD);
    let result = match bytes[1] % 22 {
        0..=2 => world.fork(caller).map(|_| ()),
        3 | 4 => world.clone3(caller, &CloneArgs { flags, exit_signal, set_tid: &[] }).map(|_| ()),
        5 if caller != world.host() => {
            world.exit(caller, i32::from(bytes[2]));
            Ok(())
        }
        6 => world.wait4(caller, -1, WaitOptions::WNOHANG | WaitOptions::__WALL).map(|_| ()),
        7 if caller != world.host() => world.wait4(caller, number, WaitOptions::WSTOPPED).map(|_| ()),
        8 | 9 => world.kill(caller, number, Some(signal)),
        10 => world.unshare(caller, CloneFlags::CLONE_NEWPID),
        11 => world.setns(caller, world.namespace(other)),
        12 => world.setpgid(caller, number, i32::from(bytes[2] % 5)),
        13 => world.setsid(caller).map(|_| ()),
        14 => world.sigaction(
            caller,
            signal,
            [SignalAction::Ignore, SignalAction::Handle, SignalAction::Default][usize::from(bytes[2]) % 3],
        ),
        16 | 17 => {
            let flags = CloneFlags::CLONE_THREAD | CloneFlags::CLONE_SIGHAND | CloneFlags::CLONE_VM;
            world.clone3(caller, &CloneArgs { flags, exit_signal: None, set_tid: &[] }).map(|_| ())
        }
        18 if world.leader(caller) != world.host() => {
            world.exit_thread(caller, i32::from(bytes[2]));
            Ok(())
        }
        19 => {
            world.exec(caller);
            Ok(())
        }
        20 if world.leader(caller) != world.host() => world.vfork(caller).map(|_| ()),
        15 => {
            world.set_child_subreaper(caller, bytes[2] & 2 == 0);
            Ok(())
        }
        _ => {
            world.sigprocmask(caller, [MaskChange::Block, MaskChange::Unblock][usize::from(bytes[2] & 1)], signal);
            Ok(())
        }
    };
    result.err().map(|errno| (caller, errno))
}

proptest! {
    #[test]
    fn invariants_always_hold(calls in prop::collection::vec(any::<[u8; 3]>(), 0..120)) {
        let mut world = World::new();
        for bytes in calls {
            call(&mut world, bytes);
            if let Err(broken) = world.check_invariants() {
                prop_assert!(false, "{broken}");
            }
        }
    }

    #[test]
    fn a_failed_call_leaves_at_most_a_moved_cursor(calls in prop::collection::vec(any::<[u8; 3]>(), 0..80)) {
        let mut world = World::new();
        for bytes in calls {
            let before = world.clone();
            if let Some((_, errno)) = call(&mut world, bytes) {
                // Only an allocation that comes to nothing moves a cursor.
                if !matches!(errno, Errno::ENOMEM | Errno::EAGAIN) {
                    prop_assert!(world == before, "{errno} changed the world");
                }
                prop_assert!(world.equals_but_for_cursors(&before), "{errno} changed more than cursors");
            }
        }
    }

    #[test]
    fn the_same_calls_make_the_same_world(calls in prop::collection::vec(any::<[u8; 3]>(), 0..80)) {
        let (mut one, mut two) = (World::new(), World::new());
        for bytes in calls {
            call(&mut one, bytes);
            call(&mut two, bytes);
        }
        prop_assert!(one == two);
    }
}
