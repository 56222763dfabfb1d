//! What many believe and Linux does not do: the model can be told to follow it, to see which scenarios prove it wrong.
//!
//! Each is a claim from teaching material or from a public thread, put into the one branch of the model where it would be decided
//! (`misconceived` has what happens then). A harness that does not notice a wrong model is worth nothing; this is how it shows that it
//! does. And a wrong answer that a wrong rule really gives is the best one to put beside the right one.

use crate::rule::{self, Rule};

/// Declares misconceptions: the word, what people say, what is so, and the rule that it breaks.
macro_rules! misconceptions {
    ($($name:ident = $word:literal, $claim:literal, $truth:literal, $rule:ident;)*) => {
        /// A wrong belief about Linux.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        #[non_exhaustive]
        pub enum Misconception {
            $(#[doc = concat!("\"", $claim, ".\" ", $truth, ".")] $name,)*
        }

        impl Misconception {
            /// Every one.
            pub const ALL: &[Misconception] = &[$(Misconception::$name),*];

            /// Its word on the command line.
            pub const fn word(self) -> &'static str {
                match self { $(Misconception::$name => $word,)* }
            }

            /// What is believed, as people say it; a sentence without its full stop.
            pub const fn claim(self) -> &'static str {
                match self { $(Misconception::$name => $claim,)* }
            }

            /// What is so instead; a sentence without its full stop.
            pub const fn truth(self) -> &'static str {
                match self { $(Misconception::$name => $truth,)* }
            }

            /// The rule that it breaks.
            pub const fn rule(self) -> &'static Rule {
                match self { $(Misconception::$name => &rule::$rule,)* }
            }
        }
    };
}

misconceptions! {
    OrphansGoToGrandparent = "orphans-go-to-grandparent",
        "An orphan goes to its grandparent",
        "It goes to the nearest subreaper above its dead parent, else to the init of that parent's namespace",
        REAP_NS_IS_FATHERS;
    SubreaperReachesInside = "subreaper-reaches-inside",
        "A subreaper outside collects the orphans of a namespace",
        "The search for a subreaper ends at the border of the dead parent's namespace",
        REAP_NO_CROSS_BOUNDARY;
    DescendantsGoToInit = "descendants-go-to-init",
        "When a process dies, all its descendants become children of init",
        "Only its children move; a grandchild stays with its parent",
        REAP_NS_IS_FATHERS;
    ChildrenDieWithParent = "children-die-with-parent",
        "When a process dies, its children die with it",
        "They live on with another parent, unless the dead one was the init of their namespace or they have asked for a signal",
        REAP_NS_IS_FATHERS;
    InitReapsByItself = "init-reaps-by-itself",
        "Whom init adopts it also reaps: zombies of orphans vanish by themselves",
        "The kernel only changes the parent; the zombie stays until that parent waits",
        REAP_ZOMBIE_HANDOVER;
    SubreaperFlagIsInherited = "subreaper-flag-is-inherited",
        "The children of a subreaper are subreapers, too",
        "The flag is of the one process that has set it",
        REAP_FLAG_SCOPE;
    TheDeadAreGone = "the-dead-are-gone",
        "A process that has terminated is gone",
        "It is a zombie, with its PID, until its parent has waited for it",
        EXIT_SIGNAL_SENT;
    KillRemovesZombies = "kill-removes-zombies",
        "`kill -9` removes a zombie",
        "A zombie has ended already: the signal is sent without an error and does nothing",
        EXIT_ZOMBIE_IS_ADDRESSABLE;
    IgnoringSigchldChangesNothing = "ignoring-sigchld-changes-nothing",
        "SIGCHLD is ignored by default, so ignoring it changes nothing",
        "Who sets it to be ignored has said that it will not wait: its children leave no zombies",
        EXIT_AUTOREAP;
    SignalsAreCounted = "signals-are-counted",
        "Each child that ends sends a SIGCHLD, so there are as many as deaths",
        "A signal below 32 that is pending is not queued a second time",
        EXIT_SIGCHLD_COALESCES;
    InitDiesFromInside = "init-dies-from-inside",
        "`kill -9 1` inside a container ends it",
        "From inside, init gets no signal that it has no handler for; SIGKILL is dropped, and kill returns 0",
        SIG_INIT_IMMUNE_INSIDE;
    TermFromOutsideKillsInit = "term-from-outside-kills-init",
        "`docker stop` ends PID 1 by its SIGTERM, as any other process",
        "From an ancestor namespace only SIGKILL and SIGSTOP get through; SIGTERM without a handler is dropped",
        SIG_INIT_OUTER_DROPPED;
    KillFromOutsideIsDropped = "kill-from-outside-is-dropped",
        "PID 1 of a namespace cannot be killed, by nobody",
        "SIGKILL from an ancestor namespace kills it",
        SIG_INIT_OUTER_FORCED;
    StopFromOutsideIsDropped = "stop-from-outside-is-dropped",
        "PID 1 of a namespace cannot be stopped; all that works from outside is SIGKILL",
        "SIGSTOP from an ancestor namespace stops it",
        SIG_INIT_OUTER_FORCED;
    InitLosesBlockedSignals = "init-loses-blocked-signals",
        "PID 1 never receives a signal that it has no handler for",
        "One that it blocks is queued, and can be taken with sigwait or signalfd",
        SIG_INIT_BLOCKED;
    InitSurvivesCrashes = "init-survives-crashes",
        "PID 1 is protected from SIGSEGV: it survives a crash",
        "A real fault takes the protection away and kills it; only a SIGSEGV that somebody sends is dropped",
        SIG_INIT_FAULT;
    DroppedSignalsAreErrors = "dropped-signals-are-errors",
        "A signal that init would drop cannot be sent: kill fails with EPERM",
        "kill returns 0, and the signal is dropped",
        SIG_INIT_IMMUNE_INSIDE;
    KillAllKillsTheCaller = "kill-all-kills-the-caller",
        "kill(-1) kills the caller, too",
        "It spares the caller and PID 1",
        SIG_KILL_MINUS1;
    KillAllReachesOutside = "kill-all-reaches-outside",
        "kill(-1) in a container kills everything on the machine",
        "It means those that the caller can see: its own namespace and the descendants of it",
        SIG_KILL_MINUS1_OUTSIDE;
    PidsAreGlobal = "pids-are-global",
        "A PID means the same process in every namespace",
        "A number is looked up in the caller's namespace, where it can be another process's or nobody's",
        SIG_VISIBLE_ONLY;
    OutsideCannotSignalInside = "outside-cannot-signal-inside",
        "Namespaces isolate both ways: who is outside cannot signal who is inside",
        "Each process has a number in every ancestor namespace, too, and can be signalled by it from there",
        ALLOC_ONE_PER_LEVEL;
    GroupsEndAtTheBorder = "groups-end-at-the-border",
        "A process group ends at the border of a namespace",
        "A group has members in any namespace, and a signal for it reaches them all",
        SIG_PGRP_MIXED_NS;
    SenderAsItSeesItself = "sender-as-it-sees-itself",
        "The receiver of a signal is told the PID that the sender has for itself",
        "It is told the sender's PID in its own namespace, 0 if there is none",
        SIG_SI_PID_DOWN;
    GuestsAreChildrenOf1 = "guests-are-children-of-1",
        "In a container every process descends from PID 1, so getppid of `docker exec` gives 1",
        "Its parent is outside, and getppid gives 0",
        VIEW_GETPPID_OUTSIDE;
    GetpidIsTheHosts = "getpid-is-the-hosts",
        "A process in a container sees the PID that the host has for it",
        "getpid gives the number in its own, innermost namespace",
        VIEW_GETPID_FIXED;
    UnshareMovesTheCaller = "unshare-moves-the-caller",
        "unshare moves the caller into the new namespace, as PID 1",
        "The caller stays where it is; its next child is PID 1",
        UNSHARE_CHILDREN_ONLY;
    SetnsMovesTheCaller = "setns-moves-the-caller",
        "setns moves the caller into the namespace",
        "The caller stays where it is; its next children are born there",
        SETNS_CHILDREN_ONLY;
    UnshareWorksTwice = "unshare-works-twice",
        "One may unshare again before the first child, for another new namespace",
        "The second unshare fails with EINVAL while children are born elsewhere",
        UNSHARE_TWICE;
    MembersCanLeave = "members-can-leave",
        "A member that has the file of its parent namespace can join that",
        "setns goes down only: to the caller's own namespace or a descendant of it, else EINVAL",
        SETNS_DESCENDANT_ONLY;
    DepthHasNoLimit = "depth-has-no-limit",
        "Namespaces nest as deep as one likes",
        "At the 33rd level ENOSPC comes",
        LIMIT_DEPTH;
    DeadNamespaceIsClosed = "dead-namespace-is-closed",
        "A namespace whose init has ended cannot be joined",
        "setns succeeds; it is the next fork that fails, with ENOMEM",
        SETNS_DEAD_NS;
    ForkRevivesNamespace = "fork-revives-namespace",
        "If the first child after unshare has ended, the next one is the new init",
        "A namespace whose init has ended is dead for ever: fork fails with ENOMEM",
        ALLOC_ENOMEM_DEAD_NS;
    MembersOutliveInit = "members-outlive-init",
        "When PID 1 ends, the other processes of the container go on as children of the host",
        "All of them are killed before the end of init can be seen",
        ZAP_KILLS_ALL;
    InitTakesOnlyItsChildren = "init-takes-only-its-children",
        "When PID 1 ends, its children are killed, and whoever has another parent lives on",
        "Every process with a number in the namespace is killed, whoever its parent is",
        ZAP_KILLS_ALL;
    NestedNamespacesSurvive = "nested-namespaces-survive",
        "A namespace inside of another survives the end of that",
        "Its members have numbers in the outer one as well, and are killed with it, its init first",
        ZAP_KILLS_DESCENDANTS;
    InitDoesNotWait = "init-does-not-wait",
        "When PID 1 is killed, the container is gone at once",
        "Its end cannot be seen before every other member has been reaped, a guest by its parent outside",
        ZAP_WAITS_FOR_OUTSIDE_PARENT;
    NumbersRestartAtTwo = "numbers-restart-at-two",
        "After the highest PID the numbers start again at 2",
        "They start again at 300",
        ALLOC_RESERVED_WRAP;
    NumbersAreReusedAtOnce = "numbers-are-reused-at-once",
        "A new process gets the lowest free PID",
        "It gets the next one; a number that was given back comes again when all others have had their turn",
        ALLOC_CYCLIC;
    HandlersSurviveExec = "handlers-survive-exec",
        "Signal handlers survive exec",
        "Their functions are gone with the old program: the actions go back to the default",
        EXEC_RESETS_HANDLERS;
    MaskIsNotInherited = "mask-is-not-inherited",
        "A new process blocks no signals",
        "It has its maker's mask, and keeps it over exec",
        SIG_BLOCKED_QUEUES;
    PromiseIsInherited = "promise-is-inherited",
        "PR_SET_PDEATHSIG holds for the children of who has set it, too",
        "A child starts without one",
        PDEATH_LIFETIME;
    RebootIsRefused = "reboot-is-refused",
        "In a container reboot fails with EPERM",
        "Who has the capability ends its own namespace with it",
        REBOOT_SCOPE;
}

impl Misconception {
    /// The one with this word.
    pub fn from_word(word: &str) -> Option<Misconception> {
        Misconception::ALL.iter().copied().find(|known| known.word() == word)
    }
}
