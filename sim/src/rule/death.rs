//! The end of processes and of namespaces.

use super::rules;

rules! { DEATH;
    EXIT_STATUS = "exit.status",
        "a process that calls exit leaves the low eight bits of its status",
        "kernel/exit.c:do_group_exit", manual: "_exit(2), DESCRIPTION";
    EXIT_SIGNAL_SENT = "exit.signal-sent",
        "when a process terminates, its parent is sent its exit signal, SIGCHLD unless clone was given another; si_pid is the child's PID in the parent's namespace",
        "kernel/signal.c:do_notify_parent", manual: "clone(2), The child termination signal";
    EXIT_SIGCHLD_PROCESS_STATUS = "exit.sigchld-process-status",
        "the SIGCHLD of a process whose first thread ended before the others carries the status of the process, as wait gives it",
        "kernel/exit.c:release_task", since: "6.15", note: "older kernels: see `exit.sigchld-leader-status`",
        fact: SigchldTellsProcess = true;
    EXIT_SIGCHLD_LEADER_STATUS = "exit.sigchld-leader-status",
        "the SIGCHLD of a process whose first thread ended before the others carries the status of that thread, and not the one that wait gives",
        "kernel/signal.c:do_notify_parent", until: "6.14", note: "newer kernels: see `exit.sigchld-process-status`",
        fact: SigchldTellsProcess = false;
    EXIT_SIGNAL_RESET = "exit.signal-reset",
        "a child's exit signal becomes SIGCHLD when it is adopted, when it runs another program, and when its parent has done so",
        "kernel/exit.c:reparent_leader";
    EXIT_ORDER_INSIDE = "exit.order-inside",
        "a process that terminates gives up its memory first, then its children, and is a zombie and tells its parent last",
        "kernel/exit.c:do_exit";
    EXIT_SIGCHLD_ORDER = "exit.sigchld-order",
        "whoever adopts a zombie from its own terminating child is told of the zombie first, and then of the child",
        "kernel/exit.c:exit_notify", kind: Describes;
    EXIT_AUTOREAP = "exit.autoreap",
        "a child whose parent ignores SIGCHLD (or has SA_NOCLDWAIT) vanishes when it terminates, without becoming a zombie",
        "kernel/signal.c:do_notify_parent", manual: "wait(2), NOTES";
    EXIT_AUTOREAP_NOT_FOR_CLONE_CHILDREN = "exit.autoreap-not-for-clone-children",
        "a child with another exit signal than SIGCHLD becomes a zombie even if its parent ignores SIGCHLD",
        "kernel/signal.c:do_notify_parent";
    CLONE_AUTOREAP = "clone.autoreap",
        "a child made with CLONE_AUTOREAP is reaped by its own end and sends no signal, whatever its parent does, and whoever that is by then; its own children are ordinary ones",
        "kernel/signal.c:do_notify_parent", since: "7.1", note: "a child that is traced waits for its tracer, as any other; older kernels: see `clone.autoreap-unknown`",
        fact: CloneAutoreap = true;
    CLONE_AUTOREAP_ARGS = "clone.autoreap-args",
        "CLONE_AUTOREAP takes no exit signal, no CLONE_PARENT and no CLONE_THREAD (EINVAL); and who was made with it can make no siblings, which would inherit that they send nothing and not that they vanish",
        "kernel/fork.c:copy_process", since: "7.1", note: "older kernels: see `clone.autoreap-unknown`",
        fact: CloneAutoreap = true;
    CLONE_AUTOREAP_UNKNOWN = "clone.autoreap-unknown",
        "clone3 refuses CLONE_AUTOREAP, a flag that it does not know (EINVAL)",
        "kernel/fork.c:clone3_args_valid", until: "7.0", note: "newer kernels: see `clone.autoreap`",
        fact: CloneAutoreap = false;
    CLONE_AUTOKILL = "clone.autokill",
        "the last close of the pidfd that came with CLONE_PIDFD_AUTOKILL sends the child SIGKILL from the kernel, whoever closes it; other pidfds of the child do not keep it alive",
        "fs/pidfs.c:pidfs_file_release", since: "7.1", note: "older kernels: see `clone.autokill-unknown`", fact: PidfdAutokill = true;
    CLONE_AUTOKILL_ARGS = "clone.autokill-args",
        "CLONE_PIDFD_AUTOKILL goes with CLONE_AUTOREAP and not without (EINVAL)",
        "kernel/fork.c:copy_process", since: "7.1", note: "older kernels: see `clone.autokill-unknown`", fact: PidfdAutokill = true;
    CLONE_AUTOKILL_RIGHT = "clone.autokill-right",
        "CLONE_PIDFD_AUTOKILL takes CAP_SYS_ADMIN in the caller's user namespace (EPERM)",
        "kernel/fork.c:copy_process", since: "7.1",
        note: "or CLONE_NNP, after which the child can gain nothing by exec; older kernels: see `clone.autokill-unknown`", fact: PidfdAutokill = true;
    CLONE_AUTOKILL_UNKNOWN = "clone.autokill-unknown",
        "clone3 refuses CLONE_PIDFD_AUTOKILL, a flag that it does not know (EINVAL)",
        "kernel/fork.c:clone3_args_valid", until: "7.0", note: "newer kernels: see `clone.autokill`", fact: PidfdAutokill = false;
    EXIT_AUTOREAP_NOT_RETROACTIVE = "exit.autoreap-not-retroactive",
        "ignoring SIGCHLD does not remove children that are zombies already",
        "kernel/signal.c:do_sigaction", kind: Describes;
    EXIT_IGN_INHERITED = "exit.ign-inherited",
        "a child of a process that ignores SIGCHLD ignores it too, even if it is an init",
        "kernel/fork.c:copy_sighand", manual: "signal(7), Signal dispositions", kind: Describes;
    EXIT_SIGNAL_CAN_KILL_PARENT = "exit.signal-can-kill-parent",
        "the exit signal is an ordinary signal: it can terminate the parent",
        "kernel/signal.c:do_notify_parent", kind: Describes;
    EXIT_ZOMBIE_IS_ADDRESSABLE = "exit.zombie-is-addressable",
        "a zombie still has its PIDs: a signal to it succeeds and does nothing",
        "kernel/signal.c:prepare_signal", manual: "kill(2), NOTES", kind: Describes;
    EXIT_FIRST_FATAL_WINS = "exit.first-fatal-wins",
        "once the termination of a process is decided, later signals to it are dropped",
        "kernel/signal.c:prepare_signal", kind: Describes;
    EXIT_SIGCHLD_COALESCES = "exit.sigchld-coalesces",
        "a standard signal that is pending already is not queued a second time; the si_pid of the first one stays",
        "kernel/signal.c:legacy_queue", manual: "signal(7), Queueing and delivery semantics for standard signals";
    REAP_NS_IS_FATHERS = "reap.ns-is-fathers",
        "an orphan without a subreaper is adopted by the init of its dead parent's PID namespace, which need not be its own",
        "kernel/exit.c:find_new_reaper", manual: "pid_namespaces(7), Adoption of orphaned children";
    REAP_SUBREAPER = "reap.subreaper",
        "an orphan is adopted by the nearest subreaper among its dead parent's ancestors, within the dead parent's PID namespace",
        "kernel/exit.c:find_new_reaper", manual: "PR_SET_CHILD_SUBREAPER(2const)", since: "3.4";
    REAP_NO_CROSS_BOUNDARY = "reap.no-cross-boundary",
        "a subreaper in an ancestor of the dead parent's PID namespace does not adopt: the init of that namespace does",
        "kernel/exit.c:find_new_reaper", since: "4.11";
    REAP_CHAIN = "reap.chain",
        "when a subreaper terminates, its children, adopted ones too, go to the next subreaper among its own ancestors, or to the init",
        "kernel/exit.c:find_new_reaper";
    REAP_FLAG_SCOPE = "reap.flag-scope",
        "a child does not inherit the subreaper flag",
        "kernel/fork.c:copy_signal", manual: "PR_SET_CHILD_SUBREAPER(2const)", kind: Describes;
    REAP_FLAG_READ = "reap.flag-read",
        "PR_GET_CHILD_SUBREAPER tells whether the process itself adopts, not whether somebody above it does; all threads are told the same",
        "kernel/sys.c:prctl", manual: "PR_GET_CHILD_SUBREAPER(2const)";
    REAP_FLAG_SET_LATE = "reap.flag-set-late",
        "the subreaper flag counts for descendants that exist already, and clearing it ends that",
        "kernel/sys.c:prctl", since: "4.11";
    REAP_CHILD_OF_INJECTED = "reap.child-of-injected",
        "the children of a process that was born into a namespace by a parent in an ancestor are adopted by the init of the namespace that it was born into",
        "kernel/exit.c:find_new_reaper", since: "4.11";
    REAP_INJECTED_CHILD = "reap.injected-child",
        "a process whose parent is in an ancestor namespace is adopted there, where the parent was, when the parent terminates",
        "kernel/exit.c:find_new_reaper", kind: Describes;
    REAP_NS_INIT = "reap.ns-init",
        "an init whose creator terminates is adopted like any child, in the creator's PID namespace, and its own namespace goes on",
        "kernel/exit.c:find_new_reaper", kind: Describes;
    REAP_UNSHARER = "reap.unsharer",
        "when a process that unshared terminates, its children in the new namespace are adopted in its own namespace",
        "kernel/exit.c:find_new_reaper", kind: Describes;
    REAP_ORDER = "reap.order",
        "adopted children come last in the adopter's list, in their old order",
        "kernel/exit.c:forget_original_parent", kind: Describes;
    REAP_LIVE_CHILD_SILENT = "reap.live-child-silent",
        "adopting a living child sends the adopter nothing",
        "kernel/exit.c:reparent_leader", kind: Describes;
    REAP_ZOMBIE_HANDOVER = "reap.zombie-handover",
        "zombie children are handed on too: the adopter is told of each as if it had just terminated",
        "kernel/exit.c:reparent_leader";
    REAP_DYING_INIT_ADOPTS = "reap.dying-init-adopts",
        "an init that waits for its namespace to empty still adopts, and collects whoever terminates at once",
        "kernel/pid_namespace.c:zap_pid_ns_processes";
    PDEATH_WHEN = "pdeath.when",
        "a process with a parent-death signal gets it whenever its parent, the thread that made or adopted it, terminates, before that one is a zombie",
        "kernel/exit.c:forget_original_parent", manual: "PR_SET_PDEATHSIG(2const)";
    PDEATH_SIGINFO = "pdeath.siginfo",
        "the si_pid of a parent-death signal is the PID of the parent's process in the receiver's namespace, or 0",
        "kernel/exit.c:forget_original_parent", manual: "PR_SET_PDEATHSIG(2const)", kind: Describes;
    PDEATH_INIT = "pdeath.init",
        "for an init, whose parent is in an ancestor namespace, the parent-death signal comes from there: SIGKILL terminates it, others need a handler",
        "kernel/signal.c:send_signal_locked", kind: Describes;
    PDEATH_LIFETIME = "pdeath.lifetime",
        "a parent-death signal counts from when it is set, for parents that are still alive; a child does not inherit it, and setuid clears it",
        "kernel/fork.c:copy_process", manual: "PR_SET_PDEATHSIG(2const)";
    PG_SESSION_LEADER_EXIT = "pg.session-leader-exit",
        "when a session leader without a terminal terminates, nobody else in the session is told",
        "drivers/tty/tty_jobctrl.c:disassociate_ctty", manual: "setsid(2), NOTES";
    PG_ORPHAN_EXIT = "pg.orphan-exit",
        "a process group that becomes orphaned by an exit and has a stopped member gets SIGHUP and then SIGCONT",
        "kernel/exit.c:kill_orphaned_pgrp", manual: "setpgid(2), NOTES";
    PG_ORPHAN_NS_INIT = "pg.orphan-ns-init",
        "an init is an ordinary parent for job control: one in the same session and another process group keeps a group from being orphaned",
        "kernel/exit.c:will_become_orphaned_pgrp";
    ZAP_TRIGGER = "zap.trigger",
        "when its init terminates, a PID namespace is torn down: from then on no PID is given out in it",
        "kernel/pid_namespace.c:zap_pid_ns_processes", manual: "pid_namespaces(7), The namespace init process";
    ZAP_ORDER = "zap.order",
        "the teardown of a PID namespace stops the giving out of PIDs, ignores SIGCHLD, kills every member, collects the dead, and waits until the init is alone",
        "kernel/pid_namespace.c:zap_pid_ns_processes", kind: Describes;
    ZAP_VFORK_PARENT = "zap.vfork-parent",
        "whoever made an init with vfork goes on when the init gives up its memory, though the teardown of its namespace may take longer",
        "kernel/fork.c:mm_release", kind: Describes;
    ZAP_STUCK_LOOK = "zap.stuck-look",
        "an init that waits for its namespace to empty is still in procfs, with its PIDs",
        "fs/proc/array.c:task_state", kind: Describes;
    ZAP_KILLS_ALL = "zap.kills-all",
        "when a namespace's init terminates, every other member gets SIGKILL, whatever it blocks, ignores or is doing",
        "kernel/pid_namespace.c:zap_pid_ns_processes", manual: "pid_namespaces(7), The namespace init process";
    ZAP_KILLS_DESCENDANTS = "zap.kills-descendants",
        "the inits of descendant namespaces are killed with the rest, and each tears down its own namespace",
        "kernel/pid_namespace.c:zap_pid_ns_processes";
    ZAP_COLLECTS = "zap.collects",
        "in the teardown of its namespace an init waits for its own children, of every kind",
        "kernel/pid_namespace.c:zap_pid_ns_processes";
    ZAP_WAITS_FOR_OUTSIDE_PARENT = "zap.waits-for-outside-parent",
        "a member whose parent is in an ancestor namespace keeps the terminating init waiting until that parent has waited for it",
        "kernel/pid_namespace.c:zap_pid_ns_processes", since: "3.8", kind: Describes;
    ZAP_PGID_PIN = "zap.pgid-pin",
        "the PID of a member that has been waited for, in use as somebody's PGID or SID, keeps the terminating init waiting",
        "kernel/pid.c:free_pid", since: "3.8", kind: Describes;
    ZAP_STUCK_IMMUNE = "zap.stuck-immune",
        "signals to an init that waits for its namespace to empty succeed and do nothing",
        "kernel/signal.c:prepare_signal", kind: Describes;
    ZAP_INVARIANT = "zap.invariant",
        "an init becomes a zombie, and can be waited for, only when no other PID of its namespace is in use",
        "kernel/pid_namespace.c:zap_pid_ns_processes";
    ZAP_OWN_PGID_NO_PIN = "zap.own-pgid-no-pin",
        "a process in an ancestor namespace that is in the process group led by the init itself does not keep the init waiting",
        "kernel/pid_namespace.c:zap_pid_ns_processes", kind: Describes;
    ZAP_EXIT_STATUS = "zap.exit-status",
        "an init's status is its own, however long the teardown of its namespace takes",
        "kernel/exit.c:do_exit", kind: Describes;
    ZAP_NO_NEW_PIDS = "zap.no-new-pids",
        "a PID namespace whose init has terminated can still be joined, but nobody is ever born in it again",
        "kernel/pid_namespace.c:zap_pid_ns_processes", manual: "pid_namespaces(7), The namespace init process", kind: Describes;
    REBOOT_SIGINFO_DIFFERS = "reboot.siginfo-differs",
        "after a reboot in its PID namespace an init's SIGCHLD says how it really terminated, and only a wait says SIGHUP or SIGINT",
        "kernel/pid_namespace.c:zap_pid_ns_processes";
    ZAP_NESTED_STALL = "zap.nested-stall",
        "an init that is kept waiting keeps the terminating init of every ancestor namespace waiting too",
        "kernel/pid_namespace.c:zap_pid_ns_processes", kind: Describes;
    ZAP_CLASSIC_DEADLOCK = "zap.classic-deadlock",
        "a parent that waits for the init while only it can wait for another terminated member waits for ever",
        "kernel/pid_namespace.c:zap_pid_ns_processes", kind: Describes;
}
