//! Giving out numbers.

use super::rules;

rules! { NUMBERS;
    ALLOC_ONE_PER_LEVEL = "alloc.one-per-level",
        "a new process gets one number in its own PID namespace and one in every namespace around it",
        "kernel/pid.c:alloc_pid", manual: "pid_namespaces(7), Nesting PID namespaces";
    ALLOC_LIVE_SKIP = "alloc.live-skip",
        "a number that is in use is skipped: the next one is the lowest free number from the cursor on",
        "kernel/pid.c:alloc_pid";
    ALLOC_RESERVED_WRAP = "alloc.reserved-wrap",
        "when the top is reached the search starts again, at 300 if the cursor has passed 300 and at 1 otherwise",
        "kernel/pid.c:alloc_pid",
        note: "the floor depends on where the cursor is, so low numbers can come back in a small namespace";
    ALLOC_EAGAIN_EXHAUSTED = "alloc.eagain-exhausted",
        "a fork fails with EAGAIN when any level, its own or one around it, has no free number below its pid_max",
        "kernel/pid.c:alloc_pid", manual: "fork(2), ERRORS", since: "4.0",
        note: "the cursors of the levels below the full one have moved all the same";
    ALLOC_ENOMEM_DEAD_NS = "alloc.enomem-dead-ns",
        "once the init of a namespace has begun to die, every fork into that namespace fails with ENOMEM, for ever",
        "kernel/pid.c:alloc_pid", manual: "pid_namespaces(7), The namespace init process",
        note: "it is the last check: the failed fork has moved the cursor of every living namespace around";
    ALLOC_FREED_WHEN = "alloc.freed-when",
        "the number of a reaped process stays taken while it is the id of a process group or session with members",
        "kernel/pid.c:__change_pid";
    LIMIT_PIDMAX_PER_NS = "limit.pidmax.per-ns",
        "each PID namespace has a pid_max of its own, and the file shows that of the reader's namespace",
        "kernel/pid.c:pid_table_root_lookup", since: "6.14",
        note: "a new namespace starts with 4194304, whatever the one around it has";
    LIMIT_PIDMAX_RANGE = "limit.pidmax.range",
        "pid_max takes values from 301 to 4194304, also below numbers that are in use, and refuses others with EINVAL",
        "kernel/pid.c:pid_max_min", note: "the lower end is higher where there are more than 37 possible CPUs";
    LASTPID_READ = "lastpid.read",
        "ns_last_pid is the cursor less one, in the reader's namespace; it is not the number of the last process made",
        "kernel/pid_namespace.c:pid_ns_ctl_handler", manual: "pid_namespaces(7), /proc files", since: "3.3";
    LASTPID_WRITE = "lastpid.write",
        "writing ns_last_pid makes the next number the lowest free one above it; values above pid_max are refused with EINVAL",
        "kernel/pid_namespace.c:pid_ns_ctl_handler", manual: "pid_namespaces(7), /proc files", since: "3.3";
    SETTID_SIZE = "settid.size",
        "set_tid can name at most one number for each level of the new process, otherwise EINVAL",
        "kernel/pid.c:alloc_pid", manual: "clone(2), The set_tid array", since: "5.5";
    SETTID_RANGE = "settid.range",
        "a chosen number must be between 1 and pid_max - 1 of its level, otherwise EINVAL",
        "kernel/pid.c:alloc_pid", manual: "clone(2), The set_tid array", since: "5.5";
    SETTID_INIT_MUST_BE_1 = "settid.init-must-be-1",
        "in a namespace that has no init yet only the number 1 can be chosen",
        "kernel/pid.c:alloc_pid", manual: "clone(2), The set_tid array", since: "5.5";
    SETTID_EEXIST = "settid.eexist",
        "choosing a number that is taken, be it by a zombie, a group or a session, fails with EEXIST",
        "kernel/pid.c:alloc_pid", manual: "clone(2), ERRORS", since: "5.5";
    SETTID_CURSOR_UNMOVED = "settid.cursor-unmoved",
        "a chosen number does not move the cursor of its level",
        "kernel/pid.c:alloc_pid", since: "5.5";
}
