//! What is always so, and what is sometimes: sentences about every state that scenarios lead to, and every step to it.

use petgraph::graph::EdgeIndex;
use pidlab_sim::{NsId, Position, State, TaskId, World};

/// When a sentence is to be true.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum When {
    /// After every step of every scenario. One that shows it to be wrong is a mistake.
    Always,
    /// After some step of some scenario: it says that the space is not empty where it matters.
    Sometimes,
}

/// A sentence about worlds.
pub struct Property {
    /// Its name.
    pub id: &'static str,
    /// In plain words.
    pub sentence: &'static str,
    /// When it is to be true.
    pub when: When,
    /// Whether it is, of the worlds before and after a step.
    holds: fn(&World, &World) -> bool,
}

macro_rules! properties {
    ($($id:literal $when:ident $sentence:literal $holds:expr;)*) => {
        /// Every one.
        pub const PROPERTIES: &[Property] =
            &[$(Property { id: $id, sentence: $sentence, when: When::$when, holds: $holds }),*];
    };
}

properties! {
    "numbers" Always "a process has as many PIDs as its namespace's level and one more" |_, w| {
        w.tasks().all(|task| w.pids(task).len() == w.level(w.namespace(task)) as usize + 1)
    };
    "one-holder" Always "no PID is held by two at once in a namespace" |_, w| {
        w.namespaces().all(|ns| {
            let mut held: Vec<_> = w.tasks().filter_map(|task| w.pid_in(task, ns)).collect();
            held.sort_unstable();
            held.windows(2).all(|two| two[0] != two[1])
        })
    };
    "init-is-1" Always "the init of a namespace has PID 1 there" |_, w| {
        w.namespaces().all(|ns| w.init(ns).is_none_or(|init| w.pid_in(w.leader(init), ns).is_none_or(|number| number.get() == 1)))
    };
    "parent-lives" Always "every process but the first has a parent that has not terminated" |_, w| {
        w.processes().filter(|process| *process != w.host()).all(|process| {
            w.parent(process).is_some_and(|parent| !has_ended(w, parent))
        })
    };
    "descends" Always "a process is in its parent's namespace or in one below it" |_, w| {
        w.processes().all(|process| {
            w.parent(process).is_none_or(|parent| around(w, w.namespace(process)).any(|ns| ns == w.namespace(parent)))
        })
    };
    "adopted-inside" Always "who adopts an orphan is in the PID namespace of the parent that terminated" |before, w| {
        adopted(before, w).all(|(_, old, new)| before.namespace(old) == w.namespace(new))
    };
    "adopted-by-reaper" Always "who adopts an orphan is the init of its namespace, or has called prctl(PR_SET_CHILD_SUBREAPER)" |before, w| {
        adopted(before, w).all(|(_, _, new)| is_init(w, new) || w.is_child_subreaper(new))
    };
    "nobody-is-born-late" Always "a namespace whose init is terminating gets no new member" |before, w| {
        let leaving = before.namespaces().filter(|ns| has_lost_init(before, *ns));
        leaving.into_iter().all(|ns| {
            let old = before.tasks().filter(|task| before.namespace(*task) == ns).count();
            w.tasks().filter(|task| w.namespace(*task) == ns).count() <= old
        })
    };
    "nobody-survives-init" Always "when the init of a namespace is a zombie or reaped, nobody in the namespace lives" |_, w| {
        w.tasks().filter(|task| w.state(*task) != Some(State::Zombie)).all(|task| {
            w.init(w.namespace(task)).is_some_and(|init| !has_ended(w, w.leader(init)))
        })
    };
    "model-invariants" Always "the model's own lists and counts fit one another" |_, w| w.check_invariants().is_ok();

    "init-waits-for-zombie" Sometimes "an init cannot finish, for a parent outside does not wait for a zombie inside" |_, w| {
        w.tasks().filter(|task| w.state(*task) == Some(State::Exiting)).any(|init| {
            let ns = w.namespace(init);
            w.processes().any(|process| {
                let outside = |parent| !around(w, w.namespace(parent)).any(|other| other == ns);
                w.state(process) == Some(State::Zombie)
                    && around(w, w.namespace(process)).any(|other| other == ns)
                    && w.parent(process).is_some_and(outside)
            })
        })
    };
    "parent-unseen" Sometimes "a process is told that its parent is 0, for it is outside" |_, w| {
        w.processes().any(|process| process != w.host() && is_alive(w, process) && w.visible_parent(process).is_none())
    };
    "born-elsewhere" Sometimes "a process's children will be born in a namespace that it is not in" |_, w| {
        w.tasks().any(|task| w.namespace_for_children(task).is_some_and(|ns| ns != w.namespace(task)))
    };
    "no-more-children" Sometimes "a living process can have no more children, for the init of their namespace has gone" |_, w| {
        w.tasks().filter(|task| is_alive(w, *task)).any(|task| {
            w.namespace_for_children(task).is_some_and(|ns| has_lost_init(w, ns))
        })
    };
    "subreaper-adopts" Sometimes "a subreaper that is no init adopts an orphan" |before, w| {
        adopted(before, w).any(|(_, _, new)| !is_init(w, new))
    };
    "skips-a-generation" Sometimes "an orphan is adopted by somebody who is not its parent's parent" |before, w| {
        adopted(before, w).any(|(_, old, new)| before.parent(old) != Some(new))
    };
    "nobody-can-act" Sometimes "host lives, and nobody can do anything any more" |_, w| {
        w.tasks().next().is_some() && !w.tasks().any(|task| w.can_act(task)) && is_alive(w, w.host())
    };
    "init-outlives-parent" Sometimes "the init of a namespace has a parent that did not make it" |before, w| {
        adopted(before, w).any(|(process, _, _)| is_init(w, process))
    };
}

/// A namespace and those around it.
fn around(w: &World, ns: NsId) -> impl Iterator<Item = NsId> + '_ {
    std::iter::successors(Some(ns), |ns| w.parent_namespace(*ns))
}

/// Whether no thread of a process is left that has not ended.
fn has_ended(w: &World, process: TaskId) -> bool {
    w.threads(process).all(|thread| matches!(w.state(thread), None | Some(State::Zombie)))
}

/// Whether a process is the init of its namespace.
fn is_init(w: &World, process: TaskId) -> bool {
    w.init(w.namespace(process)).is_some_and(|init| w.leader(init) == process)
}

fn is_alive(w: &World, task: TaskId) -> bool {
    !matches!(w.state(task), None | Some(State::Zombie | State::Exiting))
}

/// Whether the init of a namespace has come, and is leaving or gone.
fn has_lost_init(w: &World, ns: NsId) -> bool {
    match w.init(ns) {
        Some(init) => !is_alive(w, init),
        None => !w.is_unborn(ns),
    }
}

/// Who got another parent in a step, with the old and the new one. A process in which another thread than the first has called exec is the
/// same one: it has the same PIDs.
fn adopted<'a>(before: &'a World, after: &'a World) -> impl Iterator<Item = (TaskId, TaskId, TaskId)> + 'a {
    before.processes().filter(|process| after.state(*process).is_some()).filter_map(|process| {
        let (old, new) = (before.parent(process)?, after.parent(process)?);
        let other = old != new && before.pids(old) != after.pids(new);
        (other && after.leader(process) == process).then_some((process, old, new))
    })
}

/// The properties that a step shows, or for those that are always so, shows to be wrong: one bit each.
pub(crate) fn hits(before: &Position, after: &Position, same: bool) -> u32 {
    // A step after which nothing is different says nothing about worlds.
    if same || after.world().tasks().next().is_none() {
        return 0;
    }
    let (before, after) = (before.world(), after.world());
    let hit = |property: &Property| (property.holds)(before, after) == (property.when == When::Sometimes);
    PROPERTIES.iter().enumerate().filter(|(_, property)| hit(property)).fold(0, |set, (index, _)| set | 1 << index)
}

/// The first transition that shows each property, or shows it to be wrong.
pub(crate) struct Hits(Vec<Option<EdgeIndex>>);

impl Hits {
    pub(crate) fn new() -> Hits {
        Hits(vec![None; PROPERTIES.len()])
    }

    pub(crate) fn take(&mut self, hits: u32, transition: EdgeIndex) {
        let mut left = hits;
        while left != 0 {
            let first = &mut self.0[left.trailing_zeros() as usize];
            *first = first.or(Some(transition));
            left &= left - 1;
        }
    }

    /// Each property with its first transition.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&'static Property, Option<EdgeIndex>)> + '_ {
        PROPERTIES.iter().zip(self.0.iter().copied())
    }
}
