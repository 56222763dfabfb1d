//! What numbers mean to whom.

use super::rules;

rules! { VIEWS;
    VIEW_TRANSLATE = "view.translate",
        "a process is shown by the number that it has in the observer's namespace, and as 0 if it has none there",
        "kernel/pid.c:pid_nr_ns", manual: "pid_namespaces(7), Nesting PID namespaces";
    VIEW_LOOKUP_OWN_NS = "view.lookup-own-ns",
        "a number given to a call is looked up in the caller's own namespace; nobody else's numbers exist for it",
        "kernel/pid.c:find_vpid", manual: "pid_namespaces(7), Nesting PID namespaces";
    VIEW_GETPID_FIXED = "view.getpid-fixed",
        "getpid gives the number in the process's own namespace, for life; unshare and setns do not change it",
        "kernel/sys.c:getpid", manual: "pid_namespaces(7), setns(2) and unshare(2) semantics";
    VIEW_GETPPID_OUTSIDE = "view.getppid-outside",
        "getppid gives 0 where the parent has no number in the caller's namespace",
        "kernel/sys.c:getppid", manual: "pid_namespaces(7), Nesting PID namespaces";
    REAP_GETPPID = "reap.getppid",
        "getppid gives the present parent's number in the caller's namespace",
        "kernel/sys.c:getppid", manual: "getpid(2), DESCRIPTION";
    VIEW_PGID_SID_OUTSIDE = "view.pgid-sid-outside",
        "a group or session whose id has no number in the caller's namespace is shown as 0",
        "kernel/sys.c:do_getpgid", kind: Describes;
    PG_SETSID = "pg.setsid",
        "setsid makes a new session and group with the caller's number, unless the caller leads a session or a group has its number: EPERM",
        "kernel/sys.c:ksys_setsid", manual: "setsid(2), DESCRIPTION";
    PG_INIT_INITIAL = "pg.init-initial",
        "a new init is in its maker's process group and session, which it sees as 0",
        "kernel/fork.c:copy_process", kind: Describes;
    VIEW_INIT_SETSID = "view.init-setsid",
        "an init can make its own session; then its group and session are 1",
        "kernel/sys.c:ksys_setsid";
    PG_RULES = "pg.rules",
        "setpgid moves the caller or a child of it, within the session, into a group of the session that the caller has a number for",
        "kernel/sys.c:setpgid", manual: "setpgid(2), ERRORS";
    PG_ONE_WAY = "pg.one-way",
        "a group led from outside has no number inside: whoever leaves it cannot name it again",
        "kernel/sys.c:setpgid";
    VIEW_SETPGID_CROSS = "view.setpgid-cross",
        "a parent can move its child in a namespace below into any group of the session that the parent can name",
        "kernel/sys.c:setpgid";
    PG_CROSS_JOIN = "pg.cross-join",
        "a process group can have members in several namespaces",
        "kernel/sys.c:setpgid";
    PG_GROUP_OUTLIVES_LEADER = "pg.group-outlives-leader",
        "a process group lives until its last member, zombies included, is reaped",
        "kernel/pid.c:__change_pid";
    VIEW_SIGINFO_SENDER = "view.siginfo-sender",
        "the si_pid of a signal is meant for the receiver: the sender's number, or 0 if it cannot see the sender",
        "kernel/signal.c:send_signal_locked", manual: "sigaction(2), si_pid";
    VIEW_SIGINFO_SIGCHLD = "view.siginfo-sigchld",
        "SIGCHLD and wait name the child by its number in the parent's namespace",
        "kernel/signal.c:do_notify_parent";
}
