//! Giving out numbers.

use super::rules;

rules! { NUMBERS;
    ALLOC_ONE_PER_LEVEL = "alloc.one-per-level",
        "a new process gets one number in its own PID namespace and one in every namespace around it",
        "kernel/pid.c:alloc_pid", manual: "pid_namespaces(7), Nesting PID namespaces";
    ALLOC_STARTS_AT_1 = "alloc.starts-at-1",
        "the first number given out in a new namespace is 1, whatever the numbers around it are",
        "kernel/pid.c:alloc_pid", manual: "pid_namespaces(7), DESCRIPTION", kind: Describes;
    ALLOC_CYCLIC = "alloc.cyclic",
        "numbers are given out in turn: a freed number does not come back before the counter has been all the way round",
        "kernel/pid.c:alloc_pid", kind: Describes;
    ALLOC_LIVE_SKIP = "alloc.live-skip",
        "a number that is in use is skipped: the next one is the lowest free number from the cursor on",
        "kernel/pid.c:alloc_pid", kind: Describes;
    ALLOC_RESERVED_WRAP = "alloc.reserved-wrap",
        "when the top is reached and the cursor has passed 300, the search begins again at 300",
        "kernel/pid.c:alloc_pid",
        note: "where the cursor has not passed 300, see `alloc.reserved-is-cursor-based`", kind: Describes;
    ALLOC_RESERVED_IS_CURSOR_BASED = "alloc.reserved-is-cursor-based",
        "the floor of 300 holds only while the cursor is above 300; otherwise the search begins again at 1",
        "kernel/pid.c:alloc_pid", kind: Describes;
    ALLOC_ALGORITHM = "alloc.algorithm",
        "each level is searched from its cursor to pid_max - 1, and then once more from its floor",
        "kernel/pid.c:alloc_pid", kind: Describes;
    ALLOC_EAGAIN_EXHAUSTED = "alloc.eagain-exhausted",
        "a fork fails with EAGAIN when any level, its own or one around it, has no free number below its pid_max",
        "kernel/pid.c:alloc_pid", manual: "fork(2), ERRORS", since: "4.0",
        note: "the cursors of the levels below the full one have moved all the same", kind: Describes;
    ALLOC_ENOMEM_DEAD_NS = "alloc.enomem-dead-ns",
        "once the init of a namespace has begun to die, every fork into that namespace fails with ENOMEM, for ever",
        "kernel/pid.c:alloc_pid", manual: "pid_namespaces(7), The namespace init process",
        note: "it is the last check: the failed fork has moved the cursor of every living namespace around";
    ALLOC_ENOMEM_AFTER_EAGAIN = "alloc.enomem-after-eagain",
        "whether the namespace is dead is asked last, so any other error of the allocation wins over ENOMEM",
        "kernel/pid.c:alloc_pid", note: "a fork refused with ENOMEM has moved the cursors of the namespaces around";
    ALLOC_ORDER_DEEPEST_FIRST = "alloc.order-deepest-first",
        "levels are asked for a number from the innermost outward, and the first that has none decides the error",
        "kernel/pid.c:alloc_pid", kind: Describes;
    ALLOC_ROLLBACK = "alloc.rollback",
        "if one level has no number, the numbers already taken at deeper levels are given back",
        "kernel/pid.c:alloc_pid";
    ALLOC_FAILURE_CURSOR = "alloc.failure-cursor",
        "a failed fork gives its numbers back but leaves the cursors where they are",
        "kernel/pid.c:alloc_pid";
    ALLOC_FAILURE_CURSOR_FIRST = "alloc.failure-cursor-first",
        "a failed first fork sets the cursor of the new namespace back, so that its init will still be 1",
        "kernel/pid.c:alloc_pid";
    ALLOC_POST_ALLOC_FAILURE_BURNS = "alloc.post-alloc-failure-burns",
        "a fork that fails after its numbers were given out gives them back, and the cursors of all levels have moved",
        "kernel/fork.c:copy_process";
    ALLOC_POST_ALLOC_FAILURE_KILLS_FRESH_NS = "alloc.post-alloc-failure-kills-fresh-ns",
        "if that fork was the first into an unshared namespace, nobody is ever born there: every later one fails with ENOMEM",
        "kernel/pid.c:free_pid", until: "7.0", note: "newer kernels: see `alloc.post-alloc-failure-tried-again`",
        fact: FirstForkMayFail = false;
    ALLOC_POST_ALLOC_FAILURE_TRIED_AGAIN = "alloc.post-alloc-failure-tried-again",
        "if that fork was the first into an unshared namespace, the next one is the first again, and its child the init",
        "kernel/pid.c:free_pid", since: "7.1", note: "older kernels: see `alloc.post-alloc-failure-kills-fresh-ns`",
        fact: FirstForkMayFail = true;
    ALLOC_FREED_WHEN = "alloc.freed-when",
        "the number of a reaped process stays taken while it is the id of a process group or session with members",
        "kernel/pid.c:__change_pid";
    LIMIT_PIDMAX_PER_NS = "limit.pidmax.per-ns",
        "each PID namespace has a pid_max of its own, and the file shows that of the reader's namespace",
        "kernel/pid.c:pid_table_root_lookup", since: "6.14",
        note: "a new namespace starts with 4194304, whatever the one around it has", fact: PidMaxPerNamespace = true;
    LIMIT_PIDMAX_COMMON = "limit.pidmax.common",
        "there is one pid_max for all PID namespaces of a machine, and whoever writes it writes it for all",
        "kernel/pid.c:pid_max", manual: "proc_sys_kernel(5), pid_max", until: "6.13", note: "newer kernels: see `limit.pidmax.per-ns`",
        fact: PidMaxPerNamespace = false;
    LIMIT_PIDMAX_RANGE = "limit.pidmax.range",
        "pid_max takes values from 301 to 4194304, also below numbers that are in use, and refuses others with EINVAL",
        "kernel/pid.c:pid_max_min", note: "the lower end is higher where there are more than 37 possible CPUs";
    LIMIT_PIDMAX_NO_INHERIT = "limit.pidmax.no-inherit",
        "a new namespace does not take over the pid_max of the one around it, whose limit binds all the same",
        "kernel/pid_namespace.c:create_pid_namespace", since: "6.14", fact: PidMaxPerNamespace = true;
    LIMIT_PIDMAX_LOWERING = "limit.pidmax.lowering",
        "pid_max can be set below numbers that are in use; they stay, and new ones are below it",
        "kernel/pid.c:alloc_pid";
    LIMIT_PIDMAX_MINIMAL_TRAP = "limit.pidmax.minimal-trap",
        "with pid_max 301 the only number left after the first round is 300",
        "kernel/pid.c:alloc_pid", kind: Describes;
    LASTPID_READ = "lastpid.read",
        "ns_last_pid is the cursor less one, in the reader's namespace; it is not the number of the last process made",
        "kernel/pid_namespace.c:pid_ns_ctl_handler", manual: "pid_namespaces(7), /proc files", since: "3.3";
    LASTPID_WRITE = "lastpid.write",
        "writing ns_last_pid makes the next number the lowest free one above it; values above pid_max are refused with EINVAL",
        "kernel/pid_namespace.c:pid_ns_ctl_handler", manual: "pid_namespaces(7), /proc files", since: "3.3";
    LASTPID_ABSENT = "lastpid.absent",
        "a kernel built without CONFIG_CHECKPOINT_RESTORE has no ns_last_pid: to read or write it fails with ENOENT",
        "kernel/pid_namespace.c:pid_namespaces_init", manual: "pid_namespaces(7), /proc files";
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
    SETTID_ORDER = "settid.order",
        "set_tid names the innermost namespace's number first, then those around it; levels not named are automatic",
        "kernel/pid.c:alloc_pid", manual: "clone(2), The set_tid array", since: "5.5";
    SETTID_INTERLEAVED_ERRORS = "settid.interleaved-errors",
        "each level of set_tid is checked and taken before the next outer one is looked at, so an inner error wins",
        "kernel/pid.c:alloc_pid", since: "5.5", until: "6.19", note: "newer kernels: see `settid.checked-first`",
        fact: SetTidCheckedFirst = false, kind: Describes;
    SETTID_CHECKED_FIRST = "settid.checked-first",
        "every number of set_tid must be in range and allowed before the first is taken, so an outer EINVAL or EPERM wins over an inner EEXIST",
        "kernel/pid.c:alloc_pid", since: "7.0", note: "older kernels: see `settid.interleaved-errors`",
        fact: SetTidCheckedFirst = true;
    SETTID_THREAD = "settid.thread",
        "set_tid chooses the number of a thread in the same way",
        "kernel/pid.c:alloc_pid", since: "5.5";
    SETTID_BYPASSES_EXHAUSTION = "settid.bypasses-exhaustion",
        "a free number can be chosen even where automatic numbers have run out",
        "kernel/pid.c:alloc_pid", since: "5.5";
    SETTID_DEAD_NS = "settid.dead-ns",
        "chosen numbers do not help in a dead namespace: ENOMEM, once they have passed the other checks",
        "kernel/pid.c:alloc_pid", since: "5.6";
    SETTID_CURSOR_UNMOVED = "settid.cursor-unmoved",
        "a chosen number does not move the cursor of its level",
        "kernel/pid.c:alloc_pid", since: "5.5";
}
