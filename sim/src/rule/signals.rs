//! Signals.

use super::rules;

rules! { SIGNALS;
    SIG_VISIBLE_ONLY = "sig.visible-only",
        "those whom a signal is for are looked up in the caller's own PID namespace; where that is nobody, it fails with ESRCH",
        "kernel/signal.c:kill_something_info", manual: "kill(2), ERRORS";
    SIG_EXISTENCE = "sig.existence",
        "signal 0 only asks whether there is such a process",
        "kernel/signal.c:do_send_sig_info", manual: "kill(2), DESCRIPTION";
    SIG_FATAL = "sig.fatal",
        "a signal whose default action is to terminate terminates a process that neither catches, ignores nor blocks it",
        "kernel/signal.c:complete_signal", manual: "signal(7), Standard signals";
    SIG_HANDLER = "sig.handler",
        "a signal for which a process has a handler runs the handler",
        "kernel/signal.c:get_signal", manual: "signal(7), Signal dispositions";
    SIG_IGNORED = "sig.ignored",
        "a signal that is ignored and not blocked is dropped when it is sent",
        "kernel/signal.c:sig_ignored", manual: "signal(7), Signal dispositions";
    SIG_BLOCKED_QUEUES = "sig.blocked-queues",
        "a blocked signal is queued, also one that would be ignored",
        "kernel/signal.c:sig_ignored", manual: "signal(7), Signal mask and pending signals";
    SIG_UNCATCHABLE = "sig.uncatchable",
        "SIGKILL and SIGSTOP cannot be caught or ignored (EINVAL), and leave no trace in a mask",
        "kernel/signal.c:do_sigaction", manual: "sigaction(2), ERRORS";
    SIG_INIT_IMMUNE_INSIDE = "sig.init-immune-inside",
        "a signal from inside its PID namespace does nothing to an init that neither handles nor blocks it, not even SIGKILL; the call succeeds",
        "kernel/signal.c:sig_task_ignored", manual: "pid_namespaces(7), The namespace init process", since: "2.6.30";
    SIG_INIT_OUTER_FORCED = "sig.init-outer-forced",
        "from an ancestor namespace, SIGKILL and SIGSTOP do act on an init",
        "kernel/signal.c:sig_task_ignored", manual: "pid_namespaces(7), The namespace init process", since: "2.6.30";
    SIG_INIT_OUTER_DROPPED = "sig.init-outer-dropped",
        "other signals from an ancestor namespace do nothing to an init that neither handles nor blocks them",
        "kernel/signal.c:sig_task_ignored", manual: "pid_namespaces(7), The namespace init process", since: "2.6.30";
    SIG_INIT_SIGPIPE = "sig.init-sigpipe",
        "an init that writes into a pipe without a reader is not terminated: the write fails with EPIPE",
        "fs/pipe.c:anon_pipe_write", manual: "pipe(7), I/O on pipes and FIFOs";
    SIG_SIGPIPE = "sig.sigpipe",
        "a write into a pipe without a reader is SIGPIPE for the writer, and EPIPE if it survives",
        "fs/pipe.c:anon_pipe_write", manual: "pipe(7), I/O on pipes and FIFOs";
    VIEW_SIGINFO_FORGED = "view.siginfo-forged",
        "a sender may give another si_pid than its own PID, and it passes unchanged, except to receivers in whose namespace the sender has no PID: to them it is 0",
        "kernel/signal.c:send_signal_locked", manual: "rt_sigqueueinfo(2), DESCRIPTION";
    SIG_INIT_HANDLER = "sig.init-handler",
        "a signal for which an init has a handler is delivered, whoever sends it",
        "kernel/signal.c:get_signal", manual: "pid_namespaces(7), The namespace init process", kind: Describes;
    SIG_INIT_FLAG_SCOPE = "sig.init-flag-scope",
        "an init's protection is its own: its children do not inherit it",
        "kernel/fork.c:copy_process", kind: Describes;
    SIG_INIT_STOPPED = "sig.init-stopped",
        "a stopped init keeps its protection: what comes from inside is not even queued, and SIGKILL from an ancestor namespace acts at once",
        "kernel/signal.c:sig_task_ignored";
    SIG_INIT_CONT = "sig.init-cont",
        "SIGCONT from inside its namespace continues an init that was stopped from an ancestor",
        "kernel/signal.c:prepare_signal", kind: Describes;
    SIG_INIT_BLOCKED = "sig.init-blocked",
        "a signal that an init blocks is queued, and the thread that takes it later drops it if there is no handler",
        "kernel/signal.c:get_signal";
    SIG_INIT_THREAD_KILLS = "sig.init-thread-kills",
        "a signal that terminates by default, blocked by the thread of an init that it is sent to and not by another one, terminates the init, from inside its namespace too",
        "kernel/signal.c:complete_signal",
        note: "pid_namespaces(7) says that only signals with a handler arrive; a mask passes by the check",
        fact: InitThreadsSpared = false;
    SIG_INIT_THREAD_SPARED = "sig.init-thread-spared",
        "a signal that is blocked by the thread of an init that it is sent to and not by another one is taken by that one and dropped",
        "kernel/signal.c:complete_signal", note: "kernels of some vendors; others: see `sig.init-thread-kills`",
        fact: InitThreadsSpared = true;
    SIG_STOPS = "sig.stops",
        "a stop signal stops a process; its parent is sent SIGCHLD and can wait for the stop",
        "kernel/signal.c:do_signal_stop", manual: "signal(7), Standard signals";
    SIG_CONT_RESUMES = "sig.cont-resumes",
        "SIGCONT continues a stopped process when it is sent, even if the process (an init, say) ignores the signal itself",
        "kernel/signal.c:prepare_signal", manual: "signal(7), Standard signals";
    SIG_STOP_CONT_CANCEL = "sig.stop-cont-cancel",
        "a stop signal takes back a pending SIGCONT; SIGCONT takes back stop signals that are pending or that a tracee is held for, and the report of a stop that nobody has waited for",
        "kernel/signal.c:prepare_signal", manual: "signal(7), Standard signals";
    SIG_STOP_BROKEN_OFF = "sig.stop-broken-off",
        "SIGCONT that comes while a process is still stopping ends the stop, and the parent's SIGCHLD tells of a stop by signal 0, not of a continuation",
        "kernel/signal.c:prepare_signal";
    SIG_STOPPED_WAITS = "sig.stopped-waits",
        "a stopped process takes signals only when it continues; SIGKILL alone acts at once",
        "kernel/signal.c:wants_signal";
    SIG_LOWEST_FIRST = "sig.lowest-first",
        "of the signals pending for a thread, and then of those for its process, the lowest is taken first, leaving those of faults aside",
        "kernel/signal.c:next_signal", manual: "signal(7), Real-time signals";
    SIG_FAULTS_FIRST = "sig.faults-first",
        "of the signals pending for a thread, and then of those for its process, SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGFPE and SIGSYS are taken first",
        "kernel/signal.c:dequeue_synchronous_signal", note: "real faults come before the same signals sent by kill(2)";
    SIG_RT_QUEUES = "sig.rt-queues",
        "real-time signals queue: each one that is sent is delivered, though the same signal is pending already",
        "kernel/signal.c:legacy_queue", manual: "signal(7), Real-time signals";
    SIG_WAIT_TAKES = "sig.wait-takes",
        "sigtimedwait and a signalfd take a pending signal without a handler: those for the thread first, then those for its process, as they were told when they were sent",
        "kernel/signal.c:do_sigtimedwait", manual: "sigwaitinfo(2), DESCRIPTION";
    SIG_WAIT_NOTHING = "sig.wait-nothing",
        "who does not want to wait, and for whom none of the signals is pending, gets EAGAIN",
        "kernel/signal.c:do_sigtimedwait", manual: "sigwaitinfo(2), ERRORS";
    SIG_WAIT_BLOCKS = "sig.wait-blocks",
        "sigtimedwait sleeps until one of the signals comes",
        "kernel/signal.c:do_sigtimedwait", manual: "sigwaitinfo(2), DESCRIPTION";
    SIG_WAIT_KEEPS = "sig.wait-keeps",
        "a signal that a thread blocks and waits for in sigtimedwait is neither dropped nor fatal, whatever its action is",
        "kernel/signal.c:sig_ignored";
    SIG_WAIT_EINTR = "sig.wait-eintr",
        "sigtimedwait ends with EINTR when another signal wakes its caller: one with a handler, SA_RESTART or not, and also a stop that has ended",
        "kernel/signal.c:do_sigtimedwait", manual: "signal(7), Interruption of system calls and library functions by stop signals";
    SIG_WAIT_BY_INIT = "sig.wait-by-init",
        "an init can take in sigtimedwait what it blocks, from inside its namespace too: no protection lies between",
        "kernel/signal.c:do_sigtimedwait";
    PG_TSTP_ORPHANED = "pg.tstp-orphaned",
        "SIGTSTP, SIGTTIN and SIGTTOU do not stop a member of an orphaned process group; SIGSTOP does",
        "kernel/signal.c:get_signal", manual: "setpgid(2), NOTES";
    SIG_TGKILL = "sig.tgkill",
        "tgkill sends to one thread, named by the PID of its process and its own TID, both above 0",
        "kernel/signal.c:do_tkill", manual: "tgkill(2), DESCRIPTION";
    SIG_TGKILL_BOTH = "sig.tgkill-both",
        "tgkill looks at both numbers: ESRCH if the thread belongs to another process than the one named, or to none",
        "kernel/signal.c:do_send_specific", manual: "tgkill(2), ERRORS";
    SIG_TKILL = "sig.tkill",
        "tkill names a thread by its TID alone, above 0, and does not ask whose thread it is",
        "kernel/signal.c:do_send_specific", manual: "tgkill(2), DESCRIPTION";
    SIG_ENDED_THREAD_DEAF = "sig.ended-thread-deaf",
        "a signal for one thread does nothing once that thread has ended, though its process lives on",
        "kernel/signal.c:task_can_queue_signal", since: "7.3", note: "and stable kernels of 2026; older kernels: see `sig.ended-thread-hears`",
        fact: EndedThreadDeaf = true;
    SIG_ENDED_THREAD_HEARS = "sig.ended-thread-hears",
        "SIGCONT for a thread that has ended continues its process, and a stop signal for it takes back a SIGCONT that is pending",
        "kernel/signal.c:prepare_signal", until: "7.2", note: "newer kernels: see `sig.ended-thread-deaf`",
        fact: EndedThreadDeaf = false;
    SIG_TGSIGQUEUE = "sig.tgsigqueue",
        "rt_tgsigqueueinfo sends to one thread, named by both numbers as in tgkill, and the sender says itself which si_pid is told",
        "kernel/signal.c:do_rt_tgsigqueueinfo", manual: "rt_sigqueueinfo(2), DESCRIPTION";
    SIG_FORGED_CODE = "sig.forged-code",
        "only to itself, named by its own TID, may a thread send a siginfo of its own that claims to come from kill or tgkill; otherwise EPERM, whoever else is meant",
        "kernel/signal.c:do_rt_sigqueueinfo", manual: "rt_sigqueueinfo(2), ERRORS";
    SIG_KILL_MINUS1 = "sig.kill-minus1",
        "kill(-1) goes to every process whose PID in the caller's namespace is above 1, the caller's own left out",
        "kernel/signal.c:kill_something_info", manual: "pid_namespaces(7), The namespace init process", kind: Describes;
    SIG_KILL_MINUS1_OUTSIDE = "sig.kill-minus1-outside",
        "kill(-1) never reaches a process that has no PID in the caller's namespace",
        "kernel/signal.c:kill_something_info", kind: Describes;
    SIG_PGRP_ORDER = "sig.pgrp-order",
        "the members of a process group are signalled in turn, those who joined last first",
        "kernel/signal.c:__kill_pgrp_info", kind: Describes;
    SIG_PIDFD_REAPED = "sig.pidfd-reaped",
        "a signal through a pidfd of a process that has been waited for fails with ESRCH, whoever has its PID now",
        "kernel/signal.c:kill_pid_info_type", manual: "pidfd_send_signal(2), ERRORS";
    SIG_PIDFD_NS = "sig.pidfd-ns",
        "a signal through a pidfd goes to the caller's PID namespace and its descendants, under the same rules as kill",
        "kernel/signal.c:pidfd_send_signal", manual: "pidfd_send_signal(2), DESCRIPTION", since: "5.1";
    PIDFD_PROC_DIRECTORY = "pidfd.proc-directory",
        "pidfd_send_signal takes an open directory /proc/PID for a pidfd of that process",
        "fs/proc/base.c:tgid_pidfd_to_pid", manual: "pidfd_send_signal(2), DESCRIPTION", since: "5.1",
        note: "no other call does: waitid, setns and poll refuse it or see a directory";
    SECCOMP_KILLS_PROCESS = "seccomp.kills-process",
        "a call that a filter answers with SECCOMP_RET_KILL_PROCESS terminates the process by SIGSYS, handled, ignored or blocked; SECCOMP_RET_KILL_THREAD too where the thread is the last",
        "kernel/seccomp.c:__seccomp_filter", manual: "seccomp(2), Filters",
        note: "it leaves a line in the kernel's log (audit), unless kernel.seccomp.actions_logged says otherwise";
    SECCOMP_KILLS_INIT = "seccomp.kills-init",
        "an init is not shielded from a filter of its own: it terminates, and its namespace with it",
        "kernel/signal.c:force_sig_info_to_task";
    SECCOMP_KILLS_THREAD = "seccomp.kills-thread",
        "a call that a filter answers with SECCOMP_RET_KILL_THREAD terminates the calling thread alone, as if by SIGSYS, and nobody is told",
        "kernel/seccomp.c:__seccomp_filter", manual: "seccomp(2), Filters";
    SECCOMP_NOT_HELD = "seccomp.not-held",
        "a tracee that a filter kills is not held for it: its tracer is only told of the end",
        "kernel/signal.c:get_signal";
    SIG_KILL0_ESCAPES = "sig.kill0-escapes",
        "kill(0) goes to the whole process group of the caller, also to members that have no PID in the caller's namespace",
        "kernel/signal.c:kill_something_info", kind: Describes;
    SIG_PGRP_MIXED_NS = "sig.pgrp-mixed-ns",
        "a signal to a process group or to everybody reaches members in descendant namespaces as well",
        "kernel/signal.c:__kill_pgrp_info", kind: Describes;
    SIG_SI_PID_DOWN = "sig.si-pid-down",
        "a receiver in whose namespace the sender has no PID is told si_pid 0",
        "kernel/signal.c:send_signal_locked", manual: "sigaction(2), si_pid";
    SIG_SI_PID_UP_UNTRANSLATED = "sig.si-pid-up-untranslated",
        "a receiver in an ancestor of the sender's namespace is told the sender's PID in the sender's own namespace",
        "kernel/signal.c:prepare_kill_siginfo", until: "7.2",
        note: "the number may mean somebody else to the receiver; newer kernels: see `sig.si-pid-up-translated`",
        fact: SenderTranslated = false;
    SIG_SI_PID_UP_TRANSLATED = "sig.si-pid-up-translated",
        "a receiver in an ancestor of the sender's namespace is told the PID that the sender has in the receiver's namespace",
        "kernel/signal.c:send_signal_locked", since: "7.3",
        note: "a si_pid that the sender gives itself is not translated; older kernels: see `sig.si-pid-up-untranslated`",
        fact: SenderTranslated = true;
    MQ_TELLS_ONCE = "mq.tells-once",
        "who has asked for it with mq_notify gets one signal, for the next message to the empty queue, and has to ask anew",
        "ipc/mqueue.c:__do_notify", manual: "mq_notify(3), DESCRIPTION";
    MQ_SENDER = "mq.sender",
        "the signal of a message queue says who has sent the message: by its PID in the receiver's namespace, 0 if it has none there",
        "ipc/mqueue.c:__do_notify", manual: "sigaction(2), SI_MESGQ", kind: Describes;
    MQ_NEEDS_NO_PERMISSION = "mq.needs-no-permission",
        "who may send a message needs no permission to signal the process that has asked to be told of it",
        "ipc/mqueue.c:__do_notify";
    MQ_ONE_AT_A_TIME = "mq.one-at-a-time",
        "only one process is told of a message to a queue: while one is to be told, mq_notify fails with EBUSY",
        "ipc/mqueue.c:do_mq_notify", manual: "mq_notify(3), ERRORS";
    MQ_EXEC_CLOSES = "mq.exec-closes",
        "exec closes message queues, and a process that has closed its queue is not told of messages",
        "ipc/mqueue.c:mqueue_flush_file", manual: "mq_close(3), DESCRIPTION";
    MQ_FAILED_FORK_CLOSES = "mq.failed-fork-closes",
        "a clone without CLONE_FILES that fails after it has copied the descriptors closes the copies in its caller's name: the caller is not told of messages any more",
        "ipc/mqueue.c:mqueue_flush_file", note: "kernel/fork.c:copy_process, bad_fork_cleanup_files; no manual page says so";
    SIG_SI_PID_STICKY_ZERO = "sig.si-pid-sticky-zero",
        "one siginfo goes round all receivers of a call: after the first that cannot see the sender, si_pid is 0 for the rest",
        "kernel/signal.c:send_signal_locked", note: "newer kernels, and stable ones of 2026: see `sig.si-pid-each`",
        fact: SenderForEach = false;
    SIG_SI_PID_EACH = "sig.si-pid-each",
        "each receiver of a call has its own siginfo: one that cannot see the sender is told si_pid 0, and those after it are told the PID",
        "kernel/signal.c:send_signal_locked", since: "7.2",
        note: "stable kernels of 2026 have it, too; others: see `sig.si-pid-sticky-zero`",
        fact: SenderForEach = true;
}
