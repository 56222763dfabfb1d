//! The space as a whole: the same however it is explored, and alike where it says so.

use std::collections::{BTreeMap, BTreeSet};

use petgraph::visit::EdgeRef;
use pidlab_explore::{Alphabet, Bounds, Cover, Laying, Plan, Space, When};
use pidlab_scenario::{CallName, Machine};
use pidlab_sim::{Misconception, Model, Numbers, Position};

fn plan(calls: &str, steps: u16, processes: usize) -> Plan {
    let mut bounds = Bounds::default();
    bounds.steps = steps;
    bounds.processes = processes;
    Plan::new(Alphabet::from_words(calls).expect("there are these calls"), bounds)
}

fn explore(plan: &Plan) -> Space {
    Space::explore(plan, |_, _| true).expect("nobody gives it up")
}

/// Written down once: whoever changes the model, the calls or the key sees that this changes, and says so.
#[test]
fn the_hash_is_the_same_for_any_number_of_threads_and_on_any_machine() {
    let alone = explore(&plan("core", 4, 3));
    assert_eq!(alone.hash(), "67c94914f9e7330d86eb943559cafc2c");
    assert_eq!((alone.graph().node_count(), alone.graph().edge_count()), (1_054, 6_313));
    let mut several = plan("core", 4, 3);
    several.jobs = 3;
    let together = explore(&several);
    assert_eq!(together.hash(), alone.hash());
    assert_eq!(together.depths(), alone.depths());
    several.misconception = Some(Misconception::InitDiesFromInside);
    let misconceived = explore(&several);
    assert_ne!(misconceived.hash(), alone.hash());
}

#[test]
fn every_call_is_tried() {
    let tried: BTreeSet<CallName> = Alphabet::all().names().collect();
    let lacking: Vec<&CallName> = CallName::ALL.iter().filter(|name| !tried.contains(*name)).collect();
    assert!(lacking.is_empty(), "{lacking:?}");
    assert!(!Alphabet::all().can_rename() && Alphabet::core().can_rename());
    assert_eq!(Alphabet::from_words("fork, frok"), Err("frok".to_owned()));
    let words: BTreeSet<&str> = Alphabet::all().words().collect();
    assert_eq!(words.len(), Alphabet::all().words().count(), "each is told from the others");
}

/// Of a graph of all that two processes can do, whatever the length: it has an end.
#[test]
fn a_small_space_is_closed() {
    let space = explore(&plan("core", 40, 2));
    assert!(space.is_closed());
    assert_eq!(space.depths(), [1, 6, 26, 76, 120, 96, 36, 5]);
    assert!(!explore(&plan("core", 3, 2)).is_closed());
}

/// Two scenarios that lead to the same state are followed by the same: one that is found later is tried as well, by its own steps.
#[test]
fn what_leads_to_one_state_goes_on_alike() {
    for (calls, steps, at_least) in [("core", 4, 200), ("all", 2, 30)] {
        let space = explore(&plan(calls, steps, 3));
        let mut compared = 0;
        for edge in space.graph().edge_references() {
            let to = space.graph()[edge.target()];
            if edge.source() == edge.target() || to.depth >= steps {
                continue;
            }
            let mut walk = space.path(edge.source());
            walk.push((edge.weight().step, edge.weight().way));
            if walk == space.path(edge.target()) {
                continue;
            }
            let other = space.position(&walk).expect("it can be taken");
            let moves = |position: &Position| space.moves_from(position);
            let first = space.position(&space.path(edge.target())).expect("it can be taken");
            assert_eq!(moves(&other), moves(&first), "{}", space.scenario(&walk).to_toml());
            compared += 1;
        }
        assert!(compared > at_least, "{compared} of {calls}");
    }
}

/// As many keys as hashes of keys.
#[test]
fn no_two_keys_have_the_same_hash_here() {
    let space = explore(&plan("core", 4, 3));
    let mut keys = BTreeSet::new();
    for state in space.graph().node_indices() {
        let mut key = Vec::new();
        space.position(&space.path(state)).expect("it can be taken").key(Numbers::Renamed, &mut key);
        keys.insert(key);
    }
    assert_eq!(keys.len(), space.graph().node_count());
}

#[test]
fn walks_take_every_move_and_the_model_follows_them() {
    for (calls, steps) in [("core", 3), ("all", 2)] {
        let space = explore(&plan(calls, steps, 3));
        let mut cover = Cover::of(&space);
        let all: BTreeSet<_> = cover.moves().collect();
        let (mut taken, mut made, mut steps) = (BTreeSet::new(), BTreeSet::new(), 0);
        while let Some((walk, new)) = cover.walk(&Laying::default()) {
            let scenario = space.scenario(&walk);
            let run = Model::new(space.plan().facts.clone()).run(&scenario).expect("the model always runs");
            assert_eq!(run.refused, None, "{}", scenario.to_toml());
            let followed = space.follow(&walk, &scenario, &run.observations);
            assert!(!followed.left || !space.is_plain(&walk));
            made.extend(followed.moves);
            assert!(!new.is_empty(), "a walk for nothing");
            for edge in new {
                assert!(taken.insert(edge), "it is new");
            }
            steps += walk.len();
        }
        assert_eq!(taken, all);
        // Those behind an outcome that the model does not choose by itself are not made.
        assert!(made.len() * 100 > all.len() * 98, "{} of {}", made.len(), all.len());
        assert!(steps < 4 * all.len(), "{steps} steps for {} moves", all.len());
    }
}

/// Who has come to another outcome than was thought does not make what comes after: the same words are another move from there.
#[test]
fn what_comes_after_another_outcome_is_not_made() {
    let space = explore(&plan("core", 4, 3));
    let graph = space.graph();
    let mut tried = 0;
    for edge in graph.edge_references().filter(|edge| edge.weight().way > 0) {
        let first = space.first_outcome(edge.id());
        let leads_to = |edge| graph.edge_endpoints(edge).map(|(_, to)| to);
        if leads_to(first) == Some(edge.target()) {
            continue;
        }
        for after in graph.edges(edge.target()) {
            let mut walk = space.path(edge.source());
            walk.extend([edge.weight(), after.weight()].map(|one| (one.step, one.way)));
            let scenario = space.scenario(&walk);
            // By itself the model comes to the first outcome of each step.
            let run = Model::new(space.plan().facts.clone()).run(&scenario).expect("the model always runs");
            let followed = space.follow(&walk, &scenario, &run.observations);
            assert!(followed.left && followed.moves.len() < walk.len(), "{}", scenario.to_toml());
            tried += usize::from(run.observations.len() == walk.len() + 1);
        }
    }
    assert!(tried > 20, "{tried} last steps could be taken from there, too");
}

/// The wrong rules that are there to be found are found, by the shortest scenario.
#[test]
fn what_is_always_so_is_wrong_where_a_rule_is() {
    let wrong = |misconception, steps, processes| -> BTreeMap<&str, usize> {
        let mut plan = plan("core", steps, processes);
        plan.misconception = misconception;
        let space = explore(&plan);
        let wrong = space.properties().into_iter().filter(|checked| !checked.is_right());
        let always = wrong.filter(|checked| checked.property.when == When::Always);
        always.map(|checked| (checked.property.id, checked.shown.map_or(0, |shown| shown.steps.len()))).collect()
    };
    assert_eq!(wrong(None, 4, 4), BTreeMap::new());
    assert_eq!(wrong(Some(Misconception::OrphansGoToGrandparent), 4, 4), [("adopted-by-reaper", 4)].into());
    assert_eq!(wrong(Some(Misconception::SubreaperReachesInside), 5, 4), [("adopted-inside", 5)].into());
}
