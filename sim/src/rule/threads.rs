//! Threads, new programs, and vfork.

use super::rules;

rules! { THREADS;
    THR_PIDS = "thr.pids",
        "a thread has a TID of its own at every level, as a process has a PID; getpid gives all its threads the PID of their process",
        "kernel/fork.c:copy_process", manual: "gettid(2), DESCRIPTION";
    ALLOC_THREADS_SHARE_SPACE = "alloc.threads-share-space",
        "TIDs are given out from the same cursor as PIDs",
        "kernel/pid.c:alloc_pid", kind: Describes;
    CLONE_FLAG_BASICS = "clone.flag-basics",
        "CLONE_THREAD wants CLONE_SIGHAND, and CLONE_SIGHAND wants CLONE_VM: EINVAL",
        "kernel/fork.c:copy_process", manual: "clone(2), ERRORS";
    CLONE_NEWPID_THREAD = "clone.newpid-thread",
        "a thread cannot be the init of a new namespace: CLONE_NEWPID with CLONE_THREAD is EINVAL",
        "kernel/fork.c:copy_process", manual: "clone(2), CLONE_NEWPID";
    CLONE_THREAD_TARGET_DIFFERS = "clone.thread-target-differs",
        "whoever has its next children in another PID namespace can make no threads: EINVAL",
        "kernel/fork.c:copy_process", manual: "pid_namespaces(7), Compatibility of CLONE_NEWPID with other CLONE_* flags";
    CLONE_SIGHAND_SHARES = "clone.sighand-shares",
        "with CLONE_SIGHAND two processes have one table of signal actions",
        "kernel/fork.c:copy_sighand", manual: "clone(2), CLONE_SIGHAND";
    THR_EXIT = "thr.exit",
        "a thread that terminates leaves its process running, and nobody waits for it",
        "kernel/exit.c:do_exit", manual: "_exit(2), C library/kernel differences";
    THR_GROUP_EXIT = "thr.group-exit",
        "exit, or a fatal signal to any thread, terminates all threads of the process",
        "kernel/exit.c:do_group_exit", manual: "exit_group(2)";
    THR_KILLED_LEADER_DEAD = "thr.killed-leader-dead",
        "a fatal signal to a process whose first thread has terminated kills the threads that are left, and is the status",
        "kernel/signal.c:complete_signal";
    THR_STOP = "thr.stop",
        "a stop signal stops every thread, and the parent hears of it when the last one has stopped",
        "kernel/signal.c:do_signal_stop", manual: "signal(7), Standard signals";
    THR_EXEC_HANDS_ON = "thr.exec-hands-on",
        "a thread that exec terminates hands on the signals of its process that were left to it",
        "kernel/signal.c:exit_signals", since: "5.17", note: "older kernels: see `thr.exec-leaves-unheard`",
        fact: ExecHandsOn = true;
    THR_EXEC_LEAVES_UNHEARD = "thr.exec-leaves-unheard",
        "a signal of the process that was left to a thread which exec terminates stays pending, and nobody looks until something else makes them",
        "kernel/signal.c:exit_signals", until: "5.16", note: "newer kernels: see `thr.exec-hands-on`",
        fact: ExecHandsOn = false;
    WAIT_LEADER_DEAD_THREADS_ALIVE = "wait.leader-dead-threads-alive",
        "a process whose first thread has terminated looks like a zombie while others live, and cannot be waited for",
        "kernel/exit.c:wait_consider_task";
    WAIT_MT_EXIT_CODE = "wait.mt-exit-code",
        "a process whose threads terminate one by one has the status of the last one",
        "kernel/exit.c:synchronize_group_exit", since: "6.0", note: "older kernels: see `wait.mt-exit-code-leader`",
        fact: LastThreadStatus = true;
    WAIT_MT_EXIT_CODE_LEADER = "wait.mt-exit-code-leader",
        "a process whose threads terminate one by one has the status of its first thread",
        "kernel/exit.c:wait_task_zombie", until: "5.19", note: "newer kernels: see `wait.mt-exit-code`",
        fact: LastThreadStatus = false;
    WAIT_ORDER_THREADS = "wait.order-threads",
        "wait looks at the calling thread's own children first, then at those of the other threads in turn",
        "kernel/exit.c:do_wait";
    WAIT_NOTHREAD = "wait.nothread",
        "with __WNOTHREAD, wait sees the children of the calling thread only",
        "kernel/exit.c:do_wait", manual: "wait(2), Linux-specific options";
    REAP_THREAD_FIRST = "reap.thread-first",
        "the children of a thread that terminates go to another thread of its process, and keep their exit signal",
        "kernel/exit.c:find_new_reaper";
    REAP_INIT_MT = "reap.init-mt",
        "a PID namespace lives as long as any thread of its init does",
        "kernel/exit.c:find_child_reaper";
    ZAP_MT_STATUS = "zap.mt-status",
        "the members of a PID namespace are killed when the last thread of its init terminates, whichever it is",
        "kernel/exit.c:find_child_reaper", kind: Describes;
    ZAP_SIGHAND_LEAK = "zap.sighand-leak",
        "an init that shares its table of signal actions with a process in an ancestor namespace makes that one ignore SIGCHLD when it terminates",
        "kernel/pid_namespace.c:zap_pid_ns_processes", since: "4.3";
    SIG_TO_THREAD = "sig.to-thread",
        "tgkill sends to one thread, and only that one takes the signal",
        "kernel/signal.c:do_tkill", manual: "tgkill(2), DESCRIPTION";
    SIG_KILL_BY_TID = "sig.kill-by-tid",
        "kill with a thread's TID is a signal to its process",
        "kernel/signal.c:kill_pid_info", manual: "kill(2)";
    SIG_CHOOSES_THREAD = "sig.chooses-thread",
        "a signal to a process goes to the thread that was addressed if that one is free to take it, otherwise to the next one that is",
        "kernel/signal.c:complete_signal", manual: "signal(7), Signal mask and pending signals";
    SIG_WANTS = "sig.wants",
        "a thread that sleeps is chosen for a signal to its process only if it does not block it, is not ending or stopped, and has no other signal or stop to take first",
        "kernel/signal.c:wants_signal", note: "SIGKILL chooses a stopped thread, and a busy one, too";
    UNSHARE_PER_THREAD = "unshare.per-thread",
        "unshare and setns are about the children of the calling thread only",
        "kernel/nsproxy.c:switch_task_namespaces", manual: "pid_namespaces(7)", note: "unshare(2) says that CLONE_NEWPID implies CLONE_THREAD; it does not",
        kind: Describes;
    PIDFD_OF_THREAD = "pidfd.of-thread",
        "with PIDFD_THREAD, pidfd_open takes the TID of any thread",
        "kernel/pid.c:pidfd_open", manual: "pidfd_open(2), DESCRIPTION", since: "6.9",
        note: "older kernels: see `pidfd.no-threads`", fact: PidfdThread = true;
    PIDFD_SCOPE_THREAD = "pidfd.scope-thread",
        "without flags, a signal through a pidfd of a thread is for that thread alone, as one by tgkill is",
        "kernel/signal.c:pidfd_send_signal", manual: "pidfd_send_signal(2), DESCRIPTION", since: "6.9",
        note: "older kernels: see `pidfd.no-threads`", fact: PidfdThread = true;
    PIDFD_SCOPE_FLAGS = "pidfd.scope-flags",
        "a flag of pidfd_send_signal says for whom the signal is, whatever the pidfd is of: the thread, its process, or a process group; two flags are EINVAL",
        "kernel/signal.c:do_pidfd_send_signal", manual: "pidfd_send_signal(2), DESCRIPTION", since: "6.9",
        note: "older kernels: see `pidfd.no-threads`", fact: PidfdThread = true;
    PIDFD_SCOPE_GROUP = "pidfd.scope-group",
        "with PIDFD_SIGNAL_PROCESS_GROUP a signal goes to the process group whose leader the pidfd refers to, also after that one was waited for; of who leads none it is ESRCH",
        "kernel/signal.c:kill_pgrp_info", manual: "pidfd_send_signal(2), DESCRIPTION", since: "6.9",
        note: "older kernels: see `pidfd.no-threads`", fact: PidfdThread = true;
    PIDFD_NO_THREADS = "pidfd.no-threads",
        "there are no pidfds of threads: PIDFD_THREAD and every flag of pidfd_send_signal are EINVAL",
        "kernel/pid.c:pidfd_open", until: "6.8", note: "newer kernels: see `pidfd.of-thread`", fact: PidfdThread = false;
    VIEW_PIDFD_POLL_THREAD = "view.pidfd-poll-thread",
        "a pidfd of a thread is not readable while the thread runs, and hangs up when it has ended: nobody has to wait for a thread",
        "fs/pidfs.c:pidfd_poll", manual: "pidfd_open(2), DESCRIPTION", since: "6.9", fact: PidfdThread = true;
    PIDFD_OUTLIVES_EXEC = "pidfd.outlives-exec",
        "when a thread that is not the first calls execve, pidfds of its process refer to it from then on, and pidfds of the thread to nobody",
        "fs/exec.c:de_thread", manual: "execve(2), Effect on process attributes";
    VIEW_PIDFD_OPEN_KINDS = "view.pidfd-open-kinds",
        "pidfd_open wants a process: a TID of a thread that is not a leader is ENOENT, and a number that only a group or session has is ESRCH",
        "kernel/fork.c:pidfd_prepare", since: "6.15", note: "older kernels: see `view.pidfd-open-any-number`",
        fact: PidfdOpenThreadIsEnoent = true;
    VIEW_PIDFD_OPEN_ANY_NUMBER = "view.pidfd-open-any-number",
        "pidfd_open fails with EINVAL for any number in use that is no PID of a process: a thread's TID, or one that only a group or session has",
        "kernel/fork.c:pidfd_prepare", manual: "pidfd_open(2), ERRORS", until: "6.14",
        note: "newer kernels: see `view.pidfd-open-kinds`", fact: PidfdOpenThreadIsEnoent = false;
    PG_NO_THREAD = "pg.no-thread",
        "setpgid wants the PID of a process and refuses a TID of another thread with EINVAL; getpgid and getsid take it for its process",
        "kernel/sys.c:setpgid";
    EXEC_KEEPS_PROCESS = "exec.keeps-process",
        "exec runs another program in the same process: PIDs, parent, group, session, blocked, ignored and pending signals stay",
        "fs/exec.c:begin_new_exec", manual: "execve(2), Effect on process attributes", kind: Describes;
    EXEC_RESETS_HANDLERS = "exec.resets-handlers",
        "exec sets handled signals to their default, for the handlers are gone",
        "kernel/signal.c:flush_signal_handlers", manual: "execve(2), Effect on process attributes";
    THR_MT_EXEC = "thr.mt-exec",
        "exec terminates all other threads; the caller gets the PID of the process as its TID, whichever thread it was",
        "fs/exec.c:de_thread", manual: "execve(2), Effect on process attributes";
    THR_EXEC_DROPS_LEADERS_SIGNALS = "thr.exec-drops-leaders-signals",
        "exec by another thread than the first keeps what is pending for that thread; what was pending for the first one alone goes with it",
        "fs/exec.c:de_thread", manual: "execve(2), Effect on process attributes";
    WAIT_ORDER_MT_EXEC = "wait.order-mt-exec",
        "exec by another thread than the first keeps the process's place in its parent's list",
        "fs/exec.c:de_thread";
    ZAP_EXEC_INIT = "zap.exec-init",
        "an init that runs another program is still the init",
        "fs/exec.c:de_thread", kind: Describes;
    PG_EXECED = "pg.execed",
        "a parent cannot move a child to another group once the child runs another program: EACCES",
        "kernel/sys.c:setpgid", manual: "setpgid(2), ERRORS";
    VFORK_STATE = "vfork.state",
        "a vfork sleeps until the child terminates or runs another program; only a fatal signal wakes the caller before",
        "kernel/fork.c:wait_for_vfork_done", manual: "vfork(2), Linux description";
    SIG_FAULT = "sig.fault",
        "a fault terminates a process that has no handler for its signal, or blocks it",
        "kernel/signal.c:force_sig_info_to_task", manual: "signal(7), Signal mask and pending signals";
    SIG_FORCED_RESETS = "sig.forced-resets",
        "a fault whose signal the thread blocks or its process ignores unblocks it and sets its action to the default, for all who share the table",
        "kernel/signal.c:force_sig_info_to_task";
    SIG_DUMP_ALONE = "sig.dump-alone",
        "a process that a signal terminates with a core dump takes nobody along who shares its memory",
        "fs/coredump.c:do_coredump", manual: "core(5)", since: "5.16", note: "older kernels: see `sig.dump-ends-sharers`",
        fact: CoreDumpAlone = true;
    SIG_DUMP_ENDS_SHARERS = "sig.dump-ends-sharers",
        "a signal that terminates a process with a core dump also terminates all other processes that share its memory",
        "fs/coredump.c:zap_threads", until: "5.15", note: "newer kernels: see `sig.dump-alone`",
        fact: CoreDumpAlone = false;
    SIG_INIT_FAULT = "sig.init-fault",
        "a fault that finds no handler terminates an init: the kernel takes the protection away",
        "kernel/signal.c:force_sig_info_to_task";
    SIG_ABORT = "sig.abort",
        "abort terminates a process by SIGABRT even if it is blocked, ignored, or handled by a handler that returns",
        "kernel/signal.c:complete_signal", manual: "abort(3), DESCRIPTION";
    SIG_ABORT_HANDLER = "sig.abort-handler",
        "abort runs the handler of SIGABRT, and when that returns sets the default action and raises the signal again",
        "kernel/signal.c:get_signal", manual: "abort(3), DESCRIPTION";
    SIG_INIT_ABORT = "sig.init-abort",
        "SIGABRT does not terminate an init, so that abort goes on to an instruction that traps: the parent sees SIGSEGV (x86-64)",
        "kernel/signal.c:sig_task_ignored";
    REBOOT_SCOPE = "reboot.scope",
        "reboot is about the caller's own PID namespace, never about an ancestor of it",
        "kernel/pid_namespace.c:reboot_pid_ns", manual: "reboot(2), Behavior inside PID namespaces";
    REBOOT_CALLER = "reboot.caller",
        "whoever calls reboot in a namespace does not come back: its thread exits with 0",
        "kernel/reboot.c:reboot", kind: Describes;
    REBOOT_CODES = "reboot.codes",
        "reboot in a PID namespace kills its init, which its parent sees as SIGHUP (restart) or SIGINT (halt, power off)",
        "kernel/pid_namespace.c:reboot_pid_ns", manual: "reboot(2), Behavior inside PID namespaces", since: "3.4";
}
