//! The course: which scenarios to look at first, and in which order.

/// A lesson: a few scenarios of the library about one thing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Lesson {
    /// A word to call it by.
    pub word: &'static str,
    /// What it is about.
    pub title: &'static str,
    /// What to look for.
    pub text: &'static str,
    /// Its scenarios, in order.
    pub scenarios: &'static [&'static str],
}

/// All lessons, from the first question on.
pub const LESSONS: &[Lesson] = &[
    Lesson {
        word: "parents",
        title: "A process has a number and a parent",
        text: "Every process has a number, its PID, and a parent: who made it, or who adopted it when its maker \
            ended. Look at what changes when a parent ends before its child, and at which number the next \
            process gets.",
        scenarios: &["orphans/adopted-by-own-init", "numbers/not-reused-at-once"],
    },
    Lesson {
        word: "ends",
        title: "An end takes two",
        text: "A process that has ended is still there until its parent has asked how: a zombie, with its number. \
            Look at who has to do what before a number is free.",
        scenarios: &["zombies/dead-but-not-gone", "numbers/zombie-holds-its-number", "waiting/nohang"],
    },
    Lesson {
        word: "orphans",
        title: "Who gets the orphans",
        text: "When a process ends its children get another parent. Ask each time: whose namespace counts, is there \
            a subreaper above, and does anybody else move?",
        scenarios: &["orphans/not-to-the-grandparent", "waiting/one-child-first"],
    },
    Lesson {
        word: "numbers",
        title: "One process, many numbers",
        text: "A process has one number in its own PID namespace and one in every namespace around it. The same \
            number can be two processes, and one process has several.",
        scenarios: &[
            "numbers/start-at-one",
            "numbers/one-process-two-numbers",
            "numbers/inside-and-outside-can-coincide",
        ],
    },
    Lesson {
        word: "doors",
        title: "Three doors: clone, unshare, setns",
        text: "There are three ways into a PID namespace, and by none of them a process moves itself: it is always \
            a child that is born inside.",
        scenarios: &[
            "creation/the-child-is-the-init",
            "creation/unshare-moves-the-children",
            "joining/setns-moves-the-children",
        ],
    },
    Lesson {
        word: "sight",
        title: "What can be seen and signalled from where",
        text: "A namespace sees its own members and those of the namespaces inside of it, never outward. What is \
            not seen has the number 0, or none.",
        scenarios: &[
            "views/proc-shows-whom-it-can",
            "signals/only-what-you-can-see",
            "signals/a-sender-from-above-is-zero",
        ],
    },
    Lesson {
        word: "deaf",
        title: "PID 1 is deaf",
        text: "To the init of a namespace a signal that it has no handler for is as if it were not sent. This is \
            why `docker stop` takes ten seconds. Look from where a signal comes, and whether there is a handler.",
        scenarios: &[
            "init-signals/kill-9-1-does-nothing",
            "init-signals/term-from-outside-is-dropped",
            "init-signals/a-handler-receives",
            "init-signals/kill-from-outside-works",
        ],
    },
    Lesson {
        word: "reap",
        title: "PID 1 must reap",
        text: "Orphans come to the init of their namespace. That is all the kernel does: reaping is a system call \
            that the init has to make, as often as there are dead, not as often as there are signals.",
        scenarios: &[
            "zombies/adoption-is-not-reaping",
            "zombies/two-deaths-one-signal",
            "orphans/orphans-that-ignored-pid-1",
        ],
    },
    Lesson {
        word: "guests",
        title: "Guests: what docker exec does",
        text: "`docker exec`, `kubectl exec` and health probes put a process into a namespace whose parent stays \
            outside. Look who its parent is, inside and outside, and who has to wait for it.",
        scenarios: &[
            "joining/a-guest-is-nobodys-child-inside",
            "orphans/a-guest-is-adopted-outside",
            "zombies/probes-fill-the-container",
        ],
    },
    Lesson {
        word: "death",
        title: "The end of a namespace",
        text: "With its init a namespace ends. Look who is killed, in which order things can be seen, and what the \
            parent of the init is told.",
        scenarios: &[
            "death/an-init-takes-everybody-along",
            "death/the-status-is-its-own",
            "death/nested-namespaces-die-too",
        ],
    },
    Lesson {
        word: "nesting",
        title: "Namespaces in namespaces, and subreapers",
        text: "Namespaces nest, each with an init of its own. A border keeps orphans in, and a subreaper is one \
            only to those below it on its own side.",
        scenarios: &[
            "nesting/orphans-stay-on-their-level",
            "nesting/an-init-inside-an-init",
            "orphans/tini-is-not-pid-1",
        ],
    },
    Lesson {
        word: "stuck",
        title: "Why this container cannot be removed",
        text: "The end of an init cannot be seen before every other number of its namespace is free. Find who still \
            holds one, and who could let it go.",
        scenarios: &["death/not-gone-yet", "death/the-classic-deadlock", "death/stuck-all-the-way-up"],
    },
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
