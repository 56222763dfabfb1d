//! Random calls: what always holds, holds; what fails, changes nothing but what Linux changes; and it is all determined.

mod calls;

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use calls::{BIRTHS, Bytes, NAMES, caller, make, tell_of_nothing};
use pidlab_scenario::{CloneFlags, Errno, Facts, WaitOptions};
use pidlab_sim::{CloneArgs, NsId, World};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

/// Lists of calls.
fn calls(most: usize) -> impl Strategy<Value = Vec<Bytes>> {
    vec(any::<Bytes>(), 0..most)
}

/// A world of the newest kernel or of the oldest.
fn world(newest: bool) -> World {
    World::with(&if newest { Facts::newest() } else { Facts::oldest() })
}

fn hash(world: &World) -> u64 {
    let mut hasher = DefaultHasher::new();
    world.hash(&mut hasher);
    hasher.finish()
}

/// All that can be seen of what was going on.
fn shown(world: &mut World) -> String {
    let returned = world.take_returned();
    let tasks: Vec<_> = world.tasks().map(|task| (task, world.state(task), world.pids(task).to_vec())).collect();
    format!("{returned:?} {tasks:?}")
}

proptest! {
    #[test]
    fn invariants_always_hold(newest: bool, calls in calls(120)) {
        let mut world = world(newest);
        for bytes in calls {
            let made = make(&mut world, bytes);
            if let Err(broken) = world.check_invariants() {
                prop_assert!(false, "after {:?}: {broken}", made.map(|made| (made.call, made.gave)));
            }
        }
    }

    #[test]
    fn a_failed_call_leaves_at_most_a_moved_cursor(newest: bool, calls in calls(80)) {
        let mut world = world(newest);
        for bytes in calls {
            let before = world.clone();
            if let Some((call, errno)) = make(&mut world, bytes).and_then(|made| Some((made.call, made.errno?))) {
                // Only a birth that comes to nothing moves a cursor; newer kernels check the numbers asked for before.
                let unmoved = !BIRTHS.contains(&call) || (newest && ["fork", "vfork", "thread"].contains(&call));
                if unmoved && !matches!(errno, Errno::ENOMEM | Errno::EAGAIN | Errno::EEXIST) {
                    prop_assert!(world == before, "{call}: {errno} changed the world");
                }
                // A fork that fails late closes its copies of the descriptors in its caller's name, who is told of no message any more.
                let (mut one, mut other) = (world.clone(), before);
                if let Some(by) = caller(&other, bytes).filter(|_| call == "failed_clone3") {
                    tell_of_nothing(&mut one, by);
                    tell_of_nothing(&mut other, by);
                }
                // On older kernels a first fork that fails late is the end of its namespace.
                if newest || call != "failed_clone3" {
                    prop_assert!(one.equals_but_for_cursors(&other), "{call}: {errno} changed more than cursors");
                }
            }
        }
    }

    #[test]
    fn the_same_calls_make_the_same_world(newest: bool, calls in calls(80)) {
        let (mut one, mut two) = (world(newest), world(newest));
        for bytes in calls {
            let (made, again) = (make(&mut one, bytes), make(&mut two, bytes));
            prop_assert_eq!(made.map(|made| made.gave), again.map(|made| made.gave));
        }
        prop_assert!(one == two);
    }

    #[test]
    fn who_asks_for_reasons_gets_the_same_world(newest: bool, calls in calls(80)) {
        let (mut silent, mut telling) = (world(newest), world(newest));
        telling.record_reasons(true);
        for bytes in calls {
            let (made, told) = (make(&mut silent, bytes), make(&mut telling, bytes));
            let call = made.as_ref().map(|made| made.call);
            prop_assert_eq!(made.map(|made| made.gave), told.map(|made| made.gave));
            prop_assert!(silent == telling, "{call:?} made another world");
            prop_assert_eq!(hash(&silent), hash(&telling));
            prop_assert!(silent.take_reasons().is_empty());
        }
    }

    /// Along one history: worlds that are equal have one hash, and those that are not, two.
    #[test]
    fn worlds_are_equal_where_their_hashes_are(newest: bool, calls in calls(60)) {
        let mut world = world(newest);
        let mut met: Vec<(World, u64)> = Vec::new();
        for bytes in calls {
            make(&mut world, bytes);
            let copy = world.clone();
            prop_assert!(copy == world && hash(&copy) == hash(&world));
            for (other, theirs) in &met {
                prop_assert_eq!(*other == world, *theirs == hash(&world));
            }
            met.push((copy, hash(&world)));
        }
    }

    /// What has a name has it alone, for good: whoever is born later, the names of those who are gone stay nobody's.
    #[test]
    fn names_do_not_come_back(newest: bool, calls in calls(160)) {
        let mut world = world(newest);
        let (mut tasks, mut namespaces) = (Named::default(), Named::default());
        for bytes in calls {
            let call = make(&mut world, bytes).map(|made| made.call);
            prop_assert_eq!(tasks.meet(world.tasks()), None, "{:?}", call);
            prop_assert_eq!(namespaces.meet(world.namespaces()), None, "{:?}", call);
            for gone in &tasks.gone {
                prop_assert!(!world.can_act(*gone));
                prop_assert_eq!(world.state(*gone), None);
                prop_assert_eq!(world.pid_in(*gone, NsId::OUTERMOST), None);
            }
            for gone in &namespaces.gone {
                prop_assert_eq!(world.init(*gone), None);
                prop_assert_eq!(world.find(*gone, 1), None);
            }
        }
    }

    /// Two calls in the other order: where that comes to the same, nothing that comes later can tell.
    #[test]
    fn equal_worlds_stay_equal(newest: bool, before in calls(40), two: [Bytes; 2], after in calls(40)) {
        let (mut one, mut other) = (world(newest), world(newest));
        for bytes in before {
            make(&mut one, bytes);
            make(&mut other, bytes);
        }
        make(&mut one, two[0]);
        make(&mut one, two[1]);
        make(&mut other, two[1]);
        make(&mut other, two[0]);
        if one == other {
            for bytes in after {
                let (made, theirs) = (make(&mut one, bytes), make(&mut other, bytes));
                let call = made.as_ref().map(|made| made.call);
                prop_assert_eq!(made.map(|made| made.gave), theirs.map(|made| made.gave), "{:?}", call);
                prop_assert_eq!(shown(&mut one), shown(&mut other), "{:?}", call);
                prop_assert!(one == other, "after {call:?}");
            }
        }
    }
}

/// Those who have a name, and those who had one.
struct Named<T> {
    there: BTreeSet<T>,
    gone: BTreeSet<T>,
}

impl<T> Default for Named<T> {
    fn default() -> Named<T> {
        Named { there: BTreeSet::new(), gone: BTreeSet::new() }
    }
}

impl<T: Ord + Copy> Named<T> {
    /// Whoever is there now. Answers one that was gone.
    fn meet(&mut self, there: impl Iterator<Item = T>) -> Option<T> {
        let there: BTreeSet<T> = there.collect();
        self.gone.extend(self.there.difference(&there));
        self.there = there;
        self.there.intersection(&self.gone).next().copied()
    }
}

/// A slot has names for five hundred objects; then it stays empty.
#[test]
fn thousands_in_the_same_slot_have_thousands_of_names() {
    let mut world = World::new();
    let host = world.host();
    let mut met = BTreeSet::new();
    for _ in 0..5000 {
        let child = world.fork(host).expect("there is room");
        assert!(met.insert(child), "{child:?} comes back");
        world.exit(child, 0);
        world.wait4(host, -1, WaitOptions::empty()).expect("it has ended");
    }
    assert!(met.iter().all(|child| world.state(*child).is_none()));
    assert!(met.iter().map(|child| child.index()).max() < Some(20), "slots are used again");
    let container = CloneArgs::new(CloneFlags::CLONE_NEWPID);
    let mut namespaces = BTreeSet::new();
    for _ in 0..2000 {
        let init = world.clone3(host, &container).expect("there is room");
        assert!(namespaces.insert(world.namespace(init)));
        world.exit(init, 0);
        world.wait4(host, -1, WaitOptions::empty()).expect("it has ended");
    }
    assert!(namespaces.iter().all(|ns| world.init(*ns).is_none()));
}

/// None of this is about calls that are hardly ever made, or only ever fail.
#[test]
fn every_call_is_made_and_succeeds_often() {
    let mut runner = TestRunner::deterministic();
    let mut succeeded: BTreeMap<&str, u32> = BTreeMap::new();
    for _ in 0..6000 {
        let calls = calls(120).new_tree(&mut runner).expect("lists of bytes can always be had").current();
        let mut world = world(true);
        for made in calls.into_iter().filter_map(|bytes| make(&mut world, bytes)) {
            *succeeded.entry(made.call).or_default() += u32::from(made.errno.is_none());
        }
    }
    println!("{succeeded:?}");
    let seldom = |name: &&&str| succeeded.get(**name).is_none_or(|times| *times < 100);
    let seldom: Vec<&&str> = NAMES.iter().filter(seldom).collect();
    assert_eq!(seldom, [&"failed_clone3"], "{succeeded:?}");
}

/// In which order places became free is nothing that can be told.
#[test]
fn who_is_reaped_first_makes_no_difference_later() {
    let worlds = [[2, 3], [3, 2]].map(|order| {
        let mut world = World::new();
        let host = world.host();
        let children = [world.fork(host), world.fork(host)].map(|child| child.expect("there is room"));
        children.iter().for_each(|child| world.exit(*child, 0));
        for child in order {
            world.wait4(host, child, WaitOptions::empty()).expect("it has ended");
        }
        world
    });
    let [mut one, mut other] = worlds;
    let host = one.host();
    assert!(one == other);
    assert_eq!(one.fork(host), other.fork(host));
    assert!(one == other);
}
