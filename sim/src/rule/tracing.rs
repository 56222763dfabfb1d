//! Tracers.

use super::rules;

rules! { TRACING;
    PTRACE_NUMBER = "ptrace.number",
        "ptrace takes a PID of the tracer's own namespace: nobody can trace who has no PID there, and so no process of an ancestor namespace",
        "kernel/ptrace.c:find_get_task_by_vpid";
    PTRACE_OWN_THREAD = "ptrace.own-thread",
        "a thread cannot trace a thread of its own process (EPERM)",
        "kernel/ptrace.c:ptrace_attach", manual: "ptrace(2), ERRORS";
    PTRACE_PERMISSION = "ptrace.permission",
        "who may not look into a process may not trace it (EPERM): over who is in another user namespace, CAP_SYS_PTRACE there is needed",
        "kernel/ptrace.c:__ptrace_may_access", manual: "ptrace(2), Ptrace access mode checking";
    PTRACE_ONE_TRACER = "ptrace.one-tracer",
        "a process that has a tracer, or has terminated, gets no other one (EPERM)",
        "kernel/ptrace.c:ptrace_attach", manual: "ptrace(2), ERRORS";
    PTRACE_REAL_PARENT = "ptrace.real-parent",
        "a tracer is a second parent: getppid, adoption and the parent-death signal go by the real one",
        "kernel/ptrace.c:ptrace_link", manual: "ptrace(2), DESCRIPTION";
    PTRACE_ATTACH_STOPS = "ptrace.attach-stops",
        "PTRACE_ATTACH has the tracee take a SIGSTOP, for which it is held, an init too; PTRACE_SEIZE sends nothing",
        "kernel/ptrace.c:ptrace_set_stopped", manual: "ptrace(2), Attaching and detaching";
    PTRACE_HELD = "ptrace.held",
        "a tracee that is to take a signal is held first, whatever its action is, until its tracer lets it go on; SIGKILL alone is not asked about",
        "kernel/signal.c:ptrace_signal", manual: "ptrace(2), Signal-delivery-stop";
    PTRACE_HEARS = "ptrace.hears",
        "a tracee is sent also what it ignores, for its tracer to know",
        "kernel/signal.c:sig_ignored";
    PTRACE_INIT_HEARS = "ptrace.init-hears",
        "an init that is traced is sent every signal but SIGKILL, from inside too, and is held for it",
        "kernel/signal.c:sig_ignored",
        note: "Only its being held is new: what its tracer lets through does to an init what it always does, which is nothing without a handler (ptrace.init-spared).";
    PTRACE_INIT_SPARED = "ptrace.init-spared",
        "a signal that a tracer lets through does nothing to an init that has no handler for it, but for SIGKILL and SIGSTOP",
        "kernel/signal.c:get_signal";
    PTRACE_INIT_INJECTED = "ptrace.init-injected",
        "SIGKILL or SIGSTOP that a tracer lets an init take acts on it, even if the tracer is a member of the namespace",
        "kernel/signal.c:get_signal",
        note: "It is the one way in which a member ends its init by a signal that the init does not handle.";
    PTRACE_INJECTED_SENDER = "ptrace.injected-sender",
        "a signal that a tracer puts in the place of another comes from the tracer: si_pid is its TID in the tracee's namespace, 0 if it has none there",
        "kernel/signal.c:ptrace_signal",
        note: "After PTRACE_DETACH it comes from the real parent, for that is the parent by then.";
    PTRACE_INJECTED_BLOCKED = "ptrace.injected-blocked",
        "a signal that a tracer puts in the place of another and that the tracee blocks is pending from then on; the other is gone",
        "kernel/signal.c:ptrace_signal";
    PTRACE_PUT_IN_PLACE = "ptrace.put-in-place",
        "a signal that a tracer puts in and that the tracee blocks is pending where the other was: for the process, or for the thread",
        "kernel/signal.c:ptrace_signal", since: "5.17", note: "older kernels: see `ptrace.put-to-thread`",
        fact: PutInPlace = true;
    PTRACE_PUT_TO_THREAD = "ptrace.put-to-thread",
        "a signal that a tracer puts in and that the tracee blocks is pending for the thread, though it be pending for the process already",
        "kernel/signal.c:ptrace_signal", until: "5.16", note: "newer kernels: see `ptrace.put-in-place`",
        fact: PutInPlace = false;
    PTRACE_HOLDS = "ptrace.holds",
        "only the thread that traces a process can let it go on, and only while it holds it (ESRCH)",
        "kernel/ptrace.c:ptrace_check_attach", manual: "ptrace(2), ERRORS",
        note: "So a tracer cannot detach from a zombie: it has to wait for it, or to terminate.";
    PTRACE_DETACH = "ptrace.detach",
        "PTRACE_DETACH ends the tracing and lets the process go on",
        "kernel/ptrace.c:ptrace_detach", manual: "ptrace(2), Attaching and detaching";
    PTRACE_STOP = "ptrace.stop",
        "a tracee does not stop, it is held instead: SIGCONT does not end that, and its tracer can let it run though its process is stopped",
        "kernel/signal.c:do_jobctl_trap", manual: "ptrace(2), Group-stop";
    PTRACE_SEIZED_CONT = "ptrace.seized-cont",
        "SIGCONT makes a tracee that was seized stop once to tell its tracer, also if it was running",
        "kernel/signal.c:ptrace_trap_notify", manual: "ptrace(2), PTRACE_EVENT stops";
    PTRACE_STILL_STOPPED = "ptrace.still-stopped",
        "a tracee that its tracer leaves while its process is stopped is stopped for good, until SIGCONT",
        "kernel/ptrace.c:__ptrace_unlink";
    PTRACE_WAIT = "ptrace.wait",
        "a tracer's wait tells what its tracee is held for, without WSTOPPED and once",
        "kernel/exit.c:wait_task_stopped", manual: "ptrace(2), Death under ptrace";
    PTRACE_WAIT_ORDER = "ptrace.wait-order",
        "a wait takes what its caller traces after its own children, and of these first the one that was attached to last",
        "kernel/exit.c:ptrace_do_wait";
    PTRACE_TOLD = "ptrace.told",
        "the end of a tracee is told to its tracer, in its number there, and to the real parent only when the tracer lets go of the zombie",
        "kernel/exit.c:exit_notify", manual: "ptrace(2), Death under ptrace";
    PTRACE_ZOMBIE_HELD = "ptrace.zombie-held",
        "a zombie that is traced is there for its tracer alone: the real parent's wait sleeps, and does not fail",
        "kernel/exit.c:wait_consider_task", manual: "wait(2), NOTES";
    PTRACE_HANDED_BACK = "ptrace.handed-back",
        "once its tracer has waited for it or terminated, a zombie is there for its real parent: two waits give the same status",
        "kernel/exit.c:wait_task_zombie";
    PTRACE_NO_AUTOREAP = "ptrace.no-autoreap",
        "a tracee does not vanish at its end, though its parent or its tracer ignores SIGCHLD: the tracer has to wait, or to let go",
        "kernel/signal.c:do_notify_parent";
    PTRACE_VANISHES_LATE = "ptrace.vanishes-late",
        "a zombie whose tracer is its parent vanishes when that tracer terminates, if the tracer ignores SIGCHLD, and is handed on otherwise",
        "kernel/ptrace.c:__ptrace_detach", manual: "ptrace(2), Death under ptrace";
    PTRACE_TRACER_ENDS = "ptrace.tracer-ends",
        "when its tracer terminates, a tracee goes on with what it was held for",
        "kernel/ptrace.c:exit_ptrace", manual: "ptrace(2), Death under ptrace";
    PTRACE_SIGNAL_LOST = "ptrace.signal-lost",
        "a tracer that has waited for its tracee's stop and terminates takes the signal along",
        "kernel/exit.c:wait_task_stopped",
        note: "The wait takes the signal's number out of the word from which the tracee goes on.";
    PTRACE_EXITKILL = "ptrace.exitkill",
        "with PTRACE_O_EXITKILL a tracee gets SIGKILL from the kernel when its tracer terminates: an init too, and from inside",
        "kernel/ptrace.c:exit_ptrace", manual: "ptrace(2), PTRACE_O_EXITKILL", since: "3.8";
    ZAP_TRACER = "zap.tracer",
        "a member that has terminated and is traced from outside keeps its dying init waiting, until the tracer has waited or terminated",
        "kernel/pid_namespace.c:zap_pid_ns_processes", kind: Describes;
    PROC_TRACER = "proc.tracer",
        "TracerPid of /proc/PID/status is the tracer's TID in the namespace of the procfs, 0 if it has none there",
        "fs/proc/array.c:task_state", manual: "proc_pid_status(5), TracerPid";
}
