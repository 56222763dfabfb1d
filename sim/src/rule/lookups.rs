//! What one process sees of another.

use super::rules;

rules! { LOOKUPS;
    PROC_STATUS_NS_LINES = "proc.status-ns-lines",
        "the NS lines of /proc/PID/status give its numbers from the namespace of the mount inward; a group or session without a number there is 0",
        "fs/proc/array.c:task_state", manual: "proc_pid_status(5), NSpid", since: "4.1";
    PROC_PPID = "proc.ppid",
        "the PPid of /proc/PID/status is the parent's number in the namespace of the mount, 0 if it has none there",
        "fs/proc/array.c:task_state", manual: "proc_pid_status(5), PPid";
    PROC_STATUS_THREAD = "proc.status-thread",
        "a thread has a status of its own under its number, though /proc does not list it; its Tgid is the process's number",
        "fs/proc/array.c:task_state", manual: "proc_pid_status(5), Tgid";
    PROC_LISTING = "proc.listing",
        "procfs lists the processes that have a number in the namespace of the mount, zombies too, by these numbers",
        "fs/proc/base.c:next_tgid", manual: "pid_namespaces(7), /proc and PID namespaces";
    VIEW_PIDFD_FDINFO = "view.pidfd-fdinfo",
        "the fdinfo of a pidfd gives the numbers from the namespace of the procfs inward, 0 if there is none, -1 once the process is reaped",
        "fs/pidfs.c:pidfd_show_fdinfo", manual: "proc_pid_fdinfo(5)";
    VIEW_PIDFD_POLL = "view.pidfd-poll",
        "a pidfd becomes readable when the process has ended with all its threads, and hangs up when it is reaped",
        "fs/pidfs.c:pidfd_poll", manual: "pidfd_open(2), DESCRIPTION", note: "it hangs up since 6.9";
    VIEW_NSIO_TRANSLATE = "view.nsio-translate",
        "an open namespace translates numbers: one of its own into the caller's, one of the caller's into its own, ESRCH where there is none",
        "fs/nsfs.c:ns_ioctl", manual: "ioctl_nsfs(2)", since: "6.11";
    VIEW_SCM_CRED = "view.scm-cred",
        "the credentials of a message carry the sender's number in the receiver's namespace, 0 if it has none there",
        "net/core/scm.c:scm_recv", manual: "unix(7), SCM_CREDENTIALS";
    SIG_PENDING_SET = "sig.pending-set",
        "sigpending gives the signals that wait for the thread or its process and that the thread blocks",
        "kernel/signal.c:do_sigpending", manual: "sigpending(2), DESCRIPTION";
}
