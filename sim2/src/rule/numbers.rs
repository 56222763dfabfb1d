//! Giving out PIDs.

use super::rules;

rules! { NUMBERS;
    ALLOC_ONE_PER_LEVEL = "alloc.one-per-level",
        "a new process gets one PID in its own PID namespace and one in every ancestor of it",
        "kernel/pid.c:alloc_pid", manual: "pid_namespaces(7), Nesting PID namespaces";
    ALLOC_STARTS_AT_1 = "alloc.starts-at-1",
        "the first PID given out in a new namespace is 1, whatever the PIDs in its ancestors are",
        "kernel/pid.c:alloc_pid", manual: "pid_namespaces(7), DESCRIPTION", kind: Describes;
    ALLOC_CYCLIC = "alloc.cyclic",
        "PIDs are given out in ascending order from a cursor, not the lowest free one first: a freed PID comes back when the cursor has been all the way round",
        "kernel/pid.c:alloc_pid", kind: Describes;
    ALLOC_LIVE_SKIP = "alloc.live-skip",
        "a PID in use is skipped: the next one is the lowest free PID from the cursor on",
        "kernel/pid.c:alloc_pid", kind: Describes;
    ALLOC_RESERVED_WRAP = "alloc.reserved-wrap",
        "when no PID from the cursor on is free and the cursor is above 300, the search begins again at 300",
        "kernel/pid.c:alloc_pid",
        note: "where the cursor has not passed 300, see `alloc.reserved-is-cursor-based`", kind: Describes;
    ALLOC_RESERVED_IS_CURSOR_BASED = "alloc.reserved-is-cursor-based",
        "when no PID from the cursor on is free and the cursor is not above 300, the search begins again at 1: only a higher cursor reserves the PIDs below 300",
        "kernel/pid.c:alloc_pid", kind: Describes;
    ALLOC_ALGORITHM = "alloc.algorithm",
        "each level is searched from its cursor to pid_max - 1, and then once more from its lowest PID",
        "kernel/pid.c:alloc_pid", kind: Describes;
    ALLOC_EAGAIN_EXHAUSTED = "alloc.eagain-exhausted",
        "fork fails with EAGAIN when its PID namespace or any ancestor of it has no free PID below its pid_max",
        "kernel/pid.c:alloc_pid", manual: "fork(2), ERRORS", since: "4.0",
        note: "the cursors of the levels deeper than the full one have moved all the same", kind: Describes;
    ALLOC_ENOMEM_DEAD_NS = "alloc.enomem-dead-ns",
        "once the init of a PID namespace has begun to terminate, every fork into that namespace fails with ENOMEM, for ever",
        "kernel/pid.c:alloc_pid", manual: "pid_namespaces(7), The namespace init process",
        note: "it is the last check: the failed fork has moved the cursor of every ancestor that is alive";
    ALLOC_ENOMEM_AFTER_EAGAIN = "alloc.enomem-after-eagain",
        "whether the namespace has lost its init is asked last, so that any other error of the allocation wins over ENOMEM",
        "kernel/pid.c:alloc_pid", note: "a fork refused with ENOMEM has moved the cursors of the ancestors", kind: Describes;
    ALLOC_ORDER_DEEPEST_FIRST = "alloc.order-deepest-first",
        "the levels are asked for a PID from the innermost namespace to the outermost ancestor, and the first that has none decides the error",
        "kernel/pid.c:alloc_pid", kind: Describes;
    ALLOC_ROLLBACK = "alloc.rollback",
        "if one level has no PID to give, the PIDs already taken at deeper levels are given back",
        "kernel/pid.c:alloc_pid", kind: Describes;
    ALLOC_FAILURE_CURSOR = "alloc.failure-cursor",
        "a fork that fails gives its PIDs back but leaves the cursors where they are",
        "kernel/pid.c:alloc_pid";
    ALLOC_FAILURE_CURSOR_FIRST = "alloc.failure-cursor-first",
        "a first fork into a new namespace that finds no PID sets the cursor of that namespace back, so that its init will still be PID 1",
        "kernel/pid.c:alloc_pid";
    ALLOC_POST_ALLOC_FAILURE_BURNS = "alloc.post-alloc-failure-burns",
        "a fork that fails after its PIDs were given out gives them back, and the cursors of all levels have moved",
        "kernel/fork.c:copy_process";
    ALLOC_POST_ALLOC_FAILURE_KILLS_FRESH_NS = "alloc.post-alloc-failure-kills-fresh-ns",
        "if that fork was the first into an unshared namespace, nobody is ever born there: every later fork into it fails with ENOMEM",
        "kernel/pid.c:free_pid", until: "7.0", note: "newer kernels: see `alloc.post-alloc-failure-tried-again`",
        fact: FirstForkMayFail = false;
    ALLOC_POST_ALLOC_FAILURE_TRIED_AGAIN = "alloc.post-alloc-failure-tried-again",
        "if that fork was the first into an unshared namespace, the next one is the first again, and its child the init",
        "kernel/pid.c:free_pid", since: "7.1", note: "older kernels: see `alloc.post-alloc-failure-kills-fresh-ns`",
        fact: FirstForkMayFail = true;
    ALLOC_FREED_WHEN = "alloc.freed-when",
        "the PID of a process that has been waited for stays in use while it is the ID of a process group or session with members",
        "kernel/pid.c:__change_pid";
    LIMIT_PIDMAX_PER_NS = "limit.pidmax.per-ns",
        "each PID namespace has a pid_max of its own, and the file shows that of the reader's namespace",
        "kernel/pid.c:pid_table_root_lookup", since: "6.14",
        note: "a new namespace starts with 4194304, whatever its parent namespace has", fact: PidMaxPerNamespace = true;
    LIMIT_PIDMAX_COMMON = "limit.pidmax.common",
        "there is one pid_max for all PID namespaces of a machine, and whoever writes it writes it for all",
        "kernel/pid.c:pid_max", manual: "proc_sys_kernel(5), pid_max", until: "6.13", note: "newer kernels: see `limit.pidmax.per-ns`",
        fact: PidMaxPerNamespace = false;
    LIMIT_PIDMAX_RANGE = "limit.pidmax.range",
        "pid_max takes values from the larger of 301 and 8 for each possible CPU up to 4194304, and refuses others with EINVAL",
        "kernel/pid.c:pid_idr_init", note: "from 38 possible CPUs on the lower end is above 301";
    LIMIT_PIDMAX_NO_INHERIT = "limit.pidmax.no-inherit",
        "a new PID namespace does not take over the pid_max of its parent namespace, whose limit binds its members all the same",
        "kernel/pid_namespace.c:create_pid_namespace", since: "6.14", fact: PidMaxPerNamespace = true, kind: Describes;
    LIMIT_PIDMAX_LOWERING = "limit.pidmax.lowering",
        "pid_max can be set below PIDs that are in use; they stay, and new ones are below it",
        "kernel/pid.c:alloc_pid", kind: Describes;
    LIMIT_PIDMAX_MINIMAL_TRAP = "limit.pidmax.minimal-trap",
        "with pid_max 301 the only PID left after the first round is 300",
        "kernel/pid.c:alloc_pid", kind: Describes;
    LASTPID_READ = "lastpid.read",
        "ns_last_pid is the cursor of the reader's namespace less one, which need not be the PID of the process made last",
        "kernel/pid_namespace.c:pid_ns_ctl_handler", manual: "pid_namespaces(7), /proc files", since: "3.3",
        fact: NsLastPid = true;
    LASTPID_WRITE = "lastpid.write",
        "writing ns_last_pid makes the next PID the lowest free one above it; values below 0 or above pid_max are refused with EINVAL",
        "kernel/pid_namespace.c:pid_ns_ctl_handler", manual: "pid_namespaces(7), /proc files", since: "3.3",
        fact: NsLastPid = true;
    LASTPID_ABSENT = "lastpid.absent",
        "a kernel built without CONFIG_CHECKPOINT_RESTORE has no ns_last_pid: to read or write it fails with ENOENT",
        "kernel/pid_namespace.c:pid_namespaces_init", manual: "pid_namespaces(7), /proc files",
        fact: NsLastPid = false;
    SETTID_SIZE = "settid.size",
        "set_tid can name at most one PID for each level of the new process, otherwise EINVAL",
        "kernel/pid.c:alloc_pid", manual: "clone(2), The set_tid array", since: "5.5";
    SETTID_RANGE = "settid.range",
        "a chosen PID must be between 1 and pid_max - 1 of its level, otherwise EINVAL",
        "kernel/pid.c:alloc_pid", manual: "clone(2), The set_tid array", since: "5.5";
    SETTID_INIT_MUST_BE_1 = "settid.init-must-be-1",
        "in a namespace that has no init yet only PID 1 can be chosen, otherwise EINVAL",
        "kernel/pid.c:alloc_pid", manual: "clone(2), The set_tid array", since: "5.5";
    SETTID_EEXIST = "settid.eexist",
        "choosing a PID that is in use, be it by a zombie, a process group or a session, fails with EEXIST",
        "kernel/pid.c:alloc_pid", manual: "clone(2), ERRORS", since: "5.5";
    SETTID_ORDER = "settid.order",
        "set_tid names the PID in the innermost namespace first, then those in its parent namespace and so on; the kernel chooses at the levels not named",
        "kernel/pid.c:alloc_pid", manual: "clone(2), The set_tid array", since: "5.5", kind: Describes;
    SETTID_INTERLEAVED_ERRORS = "settid.interleaved-errors",
        "each level of set_tid is checked and taken before the next outer one is looked at, so an inner error wins",
        "kernel/pid.c:alloc_pid", since: "5.5", until: "6.19", note: "newer kernels: see `settid.checked-first`",
        fact: SetTidCheckedFirst = false, kind: Describes;
    SETTID_CHECKED_FIRST = "settid.checked-first",
        "every PID in set_tid must be in range and allowed before the first is taken, so that an outer EINVAL or EPERM wins over an inner EEXIST",
        "kernel/pid.c:alloc_pid", since: "7.0", note: "older kernels: see `settid.interleaved-errors`",
        fact: SetTidCheckedFirst = true;
    SETTID_THREAD = "settid.thread",
        "set_tid chooses the TIDs of a thread in the same way",
        "kernel/pid.c:alloc_pid", since: "5.5", kind: Describes;
    SETTID_BYPASSES_EXHAUSTION = "settid.bypasses-exhaustion",
        "a free PID can be chosen even where there is none left for the kernel to choose",
        "kernel/pid.c:alloc_pid", since: "5.5", kind: Describes;
    SETTID_DEAD_NS = "settid.dead-ns",
        "choosing the PIDs does not help in a namespace that has lost its init: ENOMEM, once they have passed the other checks",
        "kernel/pid.c:alloc_pid", since: "5.6", kind: Describes;
    SETTID_CURSOR_UNMOVED = "settid.cursor-unmoved",
        "a chosen PID does not move the cursor of its level",
        "kernel/pid.c:alloc_pid", since: "5.5";
}
