//! The course: which scenarios to look at first, and in which order.

/// A lesson: a few scenarios of the library about one thing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Lesson {
    /// What it is about.
    pub title: &'static str,
    /// Its scenarios, in order.
    pub scenarios: &'static [&'static str],
}

const fn lesson(title: &'static str, scenarios: &'static [&'static str]) -> Lesson {
    Lesson { title, scenarios }
}

/// All lessons, from the first question on.
pub const LESSONS: &[Lesson] = &[
    lesson("A process has a number and a parent", &["orphans/adopted-by-own-init", "numbers/not-reused-at-once"]),
    lesson("An end takes two", &["zombies/dead-but-not-gone", "numbers/zombie-holds-its-number", "waiting/nohang"]),
    lesson("Who gets the orphans", &["orphans/not-to-the-grandparent", "waiting/one-child-first"]),
    lesson(
        "One process, many numbers",
        &["numbers/start-at-one", "numbers/one-process-two-numbers", "numbers/inside-and-outside-can-coincide"],
    ),
    lesson(
        "Three doors: clone, unshare, setns",
        &["creation/the-child-is-the-init", "creation/unshare-moves-the-children", "joining/setns-moves-the-children"],
    ),
    lesson(
        "What can be seen and signalled from where",
        &["views/proc-shows-whom-it-can", "signals/only-what-you-can-see", "signals/a-sender-from-above-is-zero"],
    ),
    lesson(
        "PID 1 is deaf",
        &[
            "init-signals/kill-9-1-does-nothing",
            "init-signals/term-from-outside-is-dropped",
            "init-signals/a-handler-receives",
            "init-signals/kill-from-outside-works",
        ],
    ),
    lesson(
        "PID 1 must reap",
        &["zombies/adoption-is-not-reaping", "zombies/two-deaths-one-signal", "orphans/orphans-that-ignored-pid-1"],
    ),
    lesson(
        "Guests: what docker exec does",
        &[
            "joining/a-guest-is-nobodys-child-inside",
            "orphans/a-guest-is-adopted-outside",
            "zombies/probes-fill-the-container",
        ],
    ),
    lesson(
        "The end of a namespace",
        &["death/an-init-takes-everybody-along", "death/the-status-is-its-own", "death/nested-namespaces-die-too"],
    ),
    lesson(
        "Namespaces in namespaces, and subreapers",
        &["nesting/orphans-stay-on-their-level", "nesting/an-init-inside-an-init", "orphans/tini-is-not-pid-1"],
    ),
    lesson(
        "Why this container cannot be removed",
        &["death/not-gone-yet", "death/the-classic-deadlock", "death/stuck-all-the-way-up"],
    ),
];

#[cfg(test)]
mod tests {
    use super::LESSONS;

    #[test]
    fn every_scenario_of_a_lesson_is_in_the_library() {
        let named = LESSONS.iter().flat_map(|lesson| lesson.scenarios);
        let lost: Vec<&&str> = named.filter(|name| pidlab_scenario::library::find(name).is_none()).collect();
        assert!(lost.is_empty(), "{lost:?}");
    }
}
