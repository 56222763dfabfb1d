//! What a PID means to whom.

use super::rules;

rules! { VIEWS;
    VIEW_TRANSLATE = "view.translate",
        "a process is shown by the PID that it has in the observer's namespace, and as 0 if it has none there",
        "kernel/pid.c:pid_nr_ns", manual: "pid_namespaces(7), Nesting PID namespaces";
    VIEW_LOOKUP_OWN_NS = "view.lookup-own-ns",
        "a PID given to a call is looked up in the caller's own PID namespace; the PIDs of other namespaces do not exist for it",
        "kernel/pid.c:find_vpid", manual: "pid_namespaces(7), Nesting PID namespaces";
    VIEW_GETPID_FIXED = "view.getpid-fixed",
        "getpid and gettid give the PID and TID in the caller's own PID namespace; unshare and setns do not change them",
        "kernel/sys.c:getpid", manual: "pid_namespaces(7), setns(2) and unshare(2) semantics";
    VIEW_GETPPID_OUTSIDE = "view.getppid-outside",
        "getppid gives 0 where the parent has no PID in the caller's namespace",
        "kernel/sys.c:getppid", manual: "pid_namespaces(7), Nesting PID namespaces";
    REAP_GETPPID = "reap.getppid",
        "getppid gives the present parent's PID in the caller's namespace",
        "kernel/sys.c:getppid", manual: "getpid(2), DESCRIPTION";
    VIEW_PGID_SID_OUTSIDE = "view.pgid-sid-outside",
        "a process group or session whose ID has no number in the caller's namespace is shown as 0",
        "kernel/sys.c:do_getpgid", kind: Describes;
    PG_SETSID = "pg.setsid",
        "setsid makes a new session and process group with the caller's PID as their IDs, unless it is a group's ID already: EPERM",
        "kernel/sys.c:ksys_setsid", manual: "setsid(2), DESCRIPTION";
    PG_INIT_INITIAL = "pg.init-initial",
        "a new init is in its maker's process group and session, whose IDs it sees as 0",
        "kernel/fork.c:copy_process", kind: Describes;
    VIEW_INIT_SETSID = "view.init-setsid",
        "an init can make its own session; then its PGID and SID are 1",
        "kernel/sys.c:ksys_setsid", kind: Describes;
    PG_RULES = "pg.rules",
        "setpgid moves the caller or a child of it, within its session, into a process group of that session that the caller has a PGID for",
        "kernel/sys.c:setpgid", manual: "setpgid(2), ERRORS";
    PG_ONE_WAY = "pg.one-way",
        "a process group that is led from an ancestor namespace has no PGID in the caller's: whoever leaves it cannot name it again",
        "kernel/sys.c:setpgid";
    VIEW_SETPGID_CROSS = "view.setpgid-cross",
        "a parent can move its child in a descendant namespace into any process group of the session that the parent can name",
        "kernel/sys.c:setpgid", kind: Describes;
    PG_CROSS_JOIN = "pg.cross-join",
        "a process group can have members in several PID namespaces",
        "kernel/sys.c:setpgid";
    PG_GROUP_OUTLIVES_LEADER = "pg.group-outlives-leader",
        "a process group lives until its last member, zombies included, has been waited for",
        "kernel/pid.c:__change_pid", kind: Describes;
    VIEW_SIGINFO_SENDER = "view.siginfo-sender",
        "si_pid says who sent a signal; which PID it is, or 0, depends on the namespaces of sender and receiver, and on the call",
        "kernel/signal.c:send_signal_locked", manual: "sigaction(2), si_pid", kind: Describes;
    VIEW_SIGINFO_SIGCHLD = "view.siginfo-sigchld",
        "SIGCHLD and wait name the child by its PID in the parent's namespace",
        "kernel/signal.c:do_notify_parent";
}
