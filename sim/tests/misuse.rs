//! Whoever uses a world in a way that means nothing is told so at the line where that was done.

use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Mutex;

use pidlab_scenario::{CloneFlags, Errno, WaitOptions};
use pidlab_sim::{CloneArgs, NsId, TaskId, WaitFor, World};

/// Where the last panic was, and what it said.
static PANICKED: Mutex<Option<(String, u32, String)>> = Mutex::new(None);

/// Misuses a world; answers what that said, or that it was not said of this line.
fn told(line: u32, misuse: impl FnOnce()) -> String {
    let silent = catch_unwind(AssertUnwindSafe(misuse)).is_ok();
    match PANICKED.lock().expect("nobody panics with it").take() {
        Some((file, at, said)) if file.ends_with("misuse.rs") && at == line => said,
        other => format!("line {line}, silent {silent}: {other:?}"),
    }
}

macro_rules! misuse {
    ($call:expr) => {
        told(line!(), || {
            let _ = $call;
        })
    };
}

/// A world with a process that is reaped, in whose place another one is, and a namespace that is gone.
fn world() -> Result<(World, TaskId, NsId), Errno> {
    let mut world = World::new();
    let host = world.host();
    let container = CloneArgs::new(CloneFlags::CLONE_NEWPID);
    let old = world.clone3(host, &container)?;
    let ns = world.namespace(old);
    world.exit(old, 0);
    world.wait4(host, -1, WaitOptions::empty())?;
    let young = world.clone3(host, &container)?;
    assert_eq!(young.index(), old.index());
    Ok((world, old, ns))
}

#[test]
fn misuse_is_told_where_it_is_done() -> Result<(), Errno> {
    let (mut w, old, ns) = world()?;
    let other_world = {
        let mut other = World::new();
        (0..20).map(|_| other.fork(other.host())).last().expect("twenty")?
    };
    let host = w.host();
    let hook = take_hook();
    set_hook(Box::new(|info| {
        let place = info.location().expect("a panic has a place");
        let payload = info.payload();
        let formatted = payload.downcast_ref::<String>().cloned();
        let said = formatted.or_else(|| Some((*payload.downcast_ref::<&str>()?).to_owned())).unwrap_or_default();
        *PANICKED.lock().expect("nobody panics with it") = Some((place.file().to_owned(), place.line(), said));
    }));
    let mut all = vec![
        misuse!(w.fork(old)),
        misuse!(w.exit(old, 0)),
        misuse!(w.kill(old, 1, None)),
        misuse!(w.wait4(old, -1, WaitOptions::empty())),
        misuse!(w.getpid(other_world)),
        misuse!(w.pids(old)),
        misuse!(w.leader(old)),
        misuse!(w.parent(old)),
        misuse!(w.namespace(old)),
        misuse!(w.threads(old).next()),
        misuse!(w.children(other_world).next()),
        misuse!(w.user(old)),
        misuse!(w.visible_parent(old)),
        misuse!(w.look_at_credentials(host, old)),
        misuse!(w.look_at_owner(host, old)),
        misuse!(w.level(ns)),
        misuse!(w.setns(host, ns)),
    ];
    set_hook(hook);
    all.sort();
    all.dedup();
    let wrong: Vec<&String> = all
        .iter()
        .filter(|said| !["able to act", "is released", "is gone"].iter().any(|words| said.contains(words)))
        .collect();
    assert!(wrong.is_empty(), "{wrong:?}");
    w.check_invariants().expect("nothing was changed by it");
    Ok(())
}

/// Where it may be gone, one who is released is nobody, whoever has its slot.
#[test]
fn who_is_released_counts_as_nobody() -> Result<(), Errno> {
    let (mut w, old, ns) = world()?;
    let host = w.host();
    assert_eq!((w.state(old), w.can_act(old), w.pid_in(old, NsId::OUTERMOST)), (None, false, None));
    assert_eq!((w.init(ns), w.find(ns, 1), w.pid_in(host, ns), w.group_in(host, ns)), (None, None, None, None));
    assert_eq!(w.pidfd_poll(host, Some(old)), w.pidfd_poll(host, None));
    assert_eq!(w.look_at_status(host, Some(old)), w.look_at_status(host, None));
    assert_eq!(w.look_at_fdinfo(host, Some(old)), w.look_at_fdinfo(host, None));
    assert_eq!(w.setns_path(host, Some(old)), Err(Errno::ENOENT));
    let waits = |w: &mut World, child| w.waitid(host, WaitFor::Pidfd(child), WaitOptions::WEXITED);
    assert_eq!(waits(&mut w, Some(old)), Err(Errno::ECHILD));
    Ok(())
}
