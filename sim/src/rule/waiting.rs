//! Waiting for children.

use super::rules;

rules! { WAITING;
    WAIT_ORDER = "wait.order",
        "wait takes the first ready child in the order of the parent's list, births and adoptions in turn, not in the order of deaths",
        "kernel/exit.c:do_wait", kind: Describes;
    WAIT_ORDER_CLONE_PARENT = "wait.order-clone-parent",
        "a sibling made with CLONE_PARENT is appended to the parent's list when it is made",
        "kernel/fork.c:copy_process", kind: Describes;
    WAIT_PID_NUMBER_SPACE = "wait.pid-number-space",
        "the PIDs and PGIDs that wait takes, and the PID that it gives, are those of the caller's namespace",
        "kernel/exit.c:kernel_wait4", kind: Describes;
    WAIT_PGID_ACROSS_NS = "wait.pgid-across-ns",
        "waiting for a process group matches its members in every PID namespace, and the caller's own group even where that has no PGID",
        "kernel/exit.c:eligible_pid", kind: Describes;
    WAIT_PGID_ORDER = "wait.pgid-order",
        "waiting for a process group goes through the same list in the same order, leaving the others out",
        "kernel/exit.c:do_wait", kind: Describes;
    WAIT_KINDS = "wait.kinds",
        "wait sees children with exit signal SIGCHLD; __WCLONE sees only the others, __WALL all",
        "kernel/exit.c:eligible_child", manual: "wait(2), Linux-specific options";
    WAIT_ECHILD = "wait.echild",
        "wait fails with ECHILD when no child can ever be what is asked for",
        "kernel/exit.c:do_wait", manual: "wait(2), ERRORS";
    CLONE_PIDFD = "clone.pidfd",
        "the pidfd that clone gave with a child can be waited for; the wait gives the child's PID in the waiter's namespace",
        "kernel/exit.c:kernel_waitid_prepare", manual: "waitid(2), P_PIDFD", since: "5.4";
    WAIT_STATUS_SOURCE = "wait.status-source",
        "the status that a SIGCHLD carries and the one that wait gives are kept in two places: nearly always they are the same, and not always",
        "kernel/signal.c:do_notify_parent", kind: Describes;
    WAIT_NOHANG = "wait.nohang",
        "with WNOHANG, wait gives 0 while some child could still be what is asked for",
        "kernel/exit.c:do_wait", manual: "wait(2), RETURN VALUE";
    WAIT_BLOCKS = "wait.blocks",
        "wait sleeps while some child could still be what is asked for",
        "kernel/exit.c:do_wait", manual: "wait(2), DESCRIPTION";
    WAIT_SA_RESTART = "wait.sa-restart",
        "a handler that is installed with SA_RESTART runs, and then the wait that it has interrupted starts over, with its numbers looked up again",
        "arch/x86/kernel/signal.c:handle_signal", manual: "signal(7), Interruption of system calls and library functions by signal handlers";
    WAIT_EINTR = "wait.eintr",
        "a handled signal, with a handler installed without SA_RESTART, makes a sleeping wait fail with EINTR",
        "kernel/exit.c:do_wait", manual: "signal(7), Interruption of system calls and library functions by signal handlers";
    WAIT_ARGS = "wait.args",
        "wait refuses options and IDs that make no sense with EINVAL; wait4 refuses the lowest number that there is with ESRCH",
        "kernel/exit.c:kernel_waitid_prepare", manual: "wait(2), ERRORS";
    WAIT_NOWAIT = "wait.nowait",
        "with WNOWAIT the child stays as it was and can be waited for again",
        "kernel/exit.c:wait_task_zombie", manual: "wait(2), waitid()", kind: Describes;
    WAIT_STOPPED = "wait.stopped",
        "a stop and a continuation are each reported once, and SIGCONT takes an unreported stop away",
        "kernel/exit.c:wait_task_stopped", manual: "wait(2), DESCRIPTION", kind: Describes;
    WAIT_CONTINUED_ONCE = "wait.continued-once",
        "a new stop takes back the report of a continuation that nobody has waited for",
        "kernel/signal.c:task_participate_group_stop", manual: "wait(2), DESCRIPTION";
    WAIT_STOPPED_ZOMBIE_ONLY = "wait.stopped-zombie-only",
        "a wait that does not ask for terminated children does not count zombies: they can never stop or continue",
        "kernel/exit.c:wait_consider_task";
    WAIT_STOP_AFTER_ADOPTION = "wait.stop-after-adoption",
        "the adopter of a stopped child gets no signal, but can still collect a stop that nobody has",
        "kernel/exit.c:wait_task_stopped", kind: Describes;
    EXIT_AUTOREAP_WAKES_WAIT = "exit.autoreap-wakes-wait",
        "a sleeping wait fails with ECHILD when the last child that it could have returned vanishes",
        "kernel/signal.c:do_notify_parent", manual: "wait(2), NOTES";
}
