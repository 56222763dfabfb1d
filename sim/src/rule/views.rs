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
        "kernel/sys.c:do_getpgid";
    PG_SETSID = "pg.setsid",
        "setsid makes a new session and group with the caller's number, unless the caller leads a session or a group has its number: EPERM",
        "kernel/sys.c:ksys_setsid", manual: "setsid(2), DESCRIPTION";
    PG_RULES = "pg.rules",
        "setpgid moves the caller or a child of it, within the session, into a group of the session that the caller has a number for",
        "kernel/sys.c:setpgid", manual: "setpgid(2), ERRORS";
    PG_CROSS_JOIN = "pg.cross-join",
        "a process group can have members in several namespaces",
        "kernel/sys.c:setpgid";
}
