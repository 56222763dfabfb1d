//! What one process sees of another.

use super::rules;

rules! { LOOKUPS;
    PROC_STATUS_NS_LINES = "proc.status-ns-lines",
        "the NS lines of /proc/PID/status give its PIDs from the namespace of the mount inward; a PGID or SID without a number there is 0",
        "fs/proc/array.c:task_state", manual: "proc_pid_status(5), NSpid", since: "4.1";
    PROC_PPID = "proc.ppid",
        "the PPid in /proc/PID/status is the parent's PID in the namespace of the mount, 0 if it has none there",
        "fs/proc/array.c:task_state", manual: "proc_pid_status(5), PPid", kind: Describes;
    PROC_STATUS_THREAD = "proc.status-thread",
        "a thread has a status of its own under its TID, though /proc does not list it; its Tgid is the PID of the process",
        "fs/proc/array.c:task_state", manual: "proc_pid_status(5), Tgid", kind: Describes;
    PROC_LISTING = "proc.listing",
        "a procfs lists the processes that have a PID in the namespace of the mount, zombies too, by these PIDs",
        "fs/proc/base.c:next_tgid", manual: "pid_namespaces(7), /proc and PID namespaces";
    PROC_CHILDREN = "proc.children",
        "the children file of a thread lists the processes that this thread has made or adopted, zombies too, in that order, by their PIDs in the namespace of the mount",
        "fs/proc/array.c:get_children_pid", manual: "proc_tid_children(5)", since: "3.5",
        note: "kernels without the file: see `proc.children-absent`", fact: ChildrenFile = true;
    PROC_CHILDREN_ABSENT = "proc.children-absent",
        "a kernel built without CONFIG_PROC_CHILDREN has no children file: to read it fails with ENOENT",
        "fs/proc/base.c:tid_base_stuff", manual: "proc_tid_children(5)",
        note: "others: see `proc.children`", fact: ChildrenFile = false;
    VIEW_PIDFD_FDINFO = "view.pidfd-fdinfo",
        "the fdinfo of a pidfd gives the PIDs from the namespace of the procfs inward, 0 if there is none, -1 once the process has been waited for",
        "fs/pidfs.c:pidfd_show_fdinfo", manual: "proc_pid_fdinfo(5)";
    VIEW_PIDFD_POLL = "view.pidfd-poll",
        "a pidfd is readable once the process has terminated with all its threads, and not before",
        "fs/pidfs.c:pidfd_poll", manual: "pidfd_open(2), DESCRIPTION";
    VIEW_PIDFD_HANGS_UP = "view.pidfd-hangs-up",
        "a pidfd hangs up (POLLHUP) when its process has been waited for",
        "fs/pidfs.c:pidfd_poll", manual: "pidfd_open(2), DESCRIPTION", since: "6.9",
        note: "older kernels: see `view.pidfd-no-hangup`", fact: PidfdHangsUp = true;
    VIEW_PIDFD_NO_HANGUP = "view.pidfd-no-hangup",
        "a pidfd does not show whether its process has been waited for: it is readable before and after",
        "kernel/fork.c:pidfd_poll", until: "6.8", note: "newer kernels: see `view.pidfd-hangs-up`", fact: PidfdHangsUp = false;
    VIEW_NSIO_TRANSLATE = "view.nsio-translate",
        "an open PID namespace translates PIDs: one of its own into the caller's, one of the caller's into its own, ESRCH where there is none",
        "fs/nsfs.c:ns_ioctl", manual: "ioctl_nsfs(2)", since: "6.11", note: "older kernels: see `view.nsio-none`",
        fact: PidTranslation = true;
    VIEW_NSIO_NONE = "view.nsio-none",
        "an open namespace does not translate PIDs: the ioctls that ask for it fail with ENOTTY",
        "fs/nsfs.c:ns_ioctl", until: "6.10", note: "newer kernels: see `view.nsio-translate`", fact: PidTranslation = false;
    VIEW_SCM_CRED = "view.scm-cred",
        "the credentials of a message carry the sender's PID in the receiver's namespace, 0 if it has none there",
        "net/core/scm.c:scm_recv", manual: "unix(7), SCM_CREDENTIALS";
    VIEW_PEERCRED = "view.peercred",
        "a socket knows who made it, and tells it as a PID of the asker's namespace, 0 if there is none",
        "net/core/sock.c:cred_to_ucred", manual: "unix(7), SO_PEERCRED", note: "it goes on telling the PID after its maker is gone";
    VIEW_F_OWNER = "view.f_owner",
        "the owner of a file is told as a PID of the asker's namespace, 0 if it has none there",
        "fs/fcntl.c:f_getown", manual: "F_GETOWN(2const)";
    VIEW_PIDFD_INFO = "view.pidfd-info",
        "a pidfd tells its process's PIDs as the asker sees them, of one that has a PID in the asker's namespace",
        "fs/pidfs.c:pidfd_info", manual: "ioctl_pidfd(2), PIDFD_GET_INFO", since: "6.13",
        note: "older kernels: see `view.pidfd-info-none`", fact: PidfdInfo = true;
    VIEW_PIDFD_INFO_NONE = "view.pidfd-info-none",
        "a pidfd does not tell its process's PIDs: PIDFD_GET_INFO fails, with EINVAL where pidfds have other ioctls and with ENOTTY where they have none",
        "fs/pidfs.c:pidfd_ioctl", until: "6.12", note: "newer kernels: see `view.pidfd-info`", fact: PidfdInfo = false;
    VIEW_PIDFD_INFO_EREMOTE = "view.pidfd-info-eremote",
        "PIDFD_GET_INFO of a process that has no PID in the asker's namespace fails with EREMOTE",
        "fs/pidfs.c:pidfd_info", manual: "ioctl_pidfd(2), PIDFD_GET_INFO", since: "7.0",
        note: "stable kernels have it, too; others: see `view.pidfd-info-esrch`", fact: PidfdInfoIsRemote = true;
    VIEW_PIDFD_INFO_ESRCH = "view.pidfd-info-esrch",
        "PIDFD_GET_INFO of a process that has no PID in the asker's namespace fails with ESRCH, as if it had been waited for",
        "fs/pidfs.c:pidfd_info", since: "6.13", until: "6.19", note: "newer kernels: see `view.pidfd-info-eremote`",
        fact: PidfdInfoIsRemote = false;
    VIEW_PIDFD_INFO_GUEST_TOLD = "view.pidfd-info-guest-told",
        "PIDFD_GET_INFO of a process whose parent has no PID in the asker's namespace tells its PIDs, and 0 for the parent",
        "fs/pidfs.c:pidfd_info", since: "6.16", note: "6.15.3 has it, too; older kernels: see `view.pidfd-info-guest`",
        fact: PidfdInfoOfGuest = true;
    VIEW_PIDFD_INFO_GUEST = "view.pidfd-info-guest",
        "PIDFD_GET_INFO of a process whose parent has no PID in the asker's namespace fails with ESRCH, unless it is PID 1 there",
        "fs/pidfs.c:pidfd_info", since: "6.13", until: "6.15", note: "newer kernels: see `view.pidfd-info-guest-told`",
        fact: PidfdInfoOfGuest = false;
    VIEW_PIDFD_INFO_MASK = "view.pidfd-info-mask",
        "PIDFD_GET_INFO says in its mask what it has filled in: who somebody is and whose, asked for or not, until that one has been waited for",
        "fs/pidfs.c:pidfd_info", manual: "ioctl_pidfd(2), PIDFD_GET_INFO", since: "6.13",
        note: "older kernels: see `view.pidfd-info-none`", fact: PidfdInfo = true;
    VIEW_PIDFD_EXIT = "view.pidfd-exit",
        "a pidfd tells how its process ended once that has been waited for, whoever did; of a thread, once it has ended",
        "fs/pidfs.c:pidfs_exit", manual: "ioctl_pidfd(2), PIDFD_INFO_EXIT", since: "6.15",
        note: "older kernels: see `view.pidfd-exit-none`", fact: PidfdExit = true;
    VIEW_PIDFD_EXIT_EARLY = "view.pidfd-exit-early",
        "a pidfd does not tell how its process ended before that has been waited for: of a zombie it tells who it is, and no status",
        "fs/pidfs.c:pidfd_info", manual: "ioctl_pidfd(2), PIDFD_INFO_EXIT", since: "6.15",
        note: "older kernels: see `view.pidfd-exit-none`", fact: PidfdExit = true;
    VIEW_PIDFD_EXIT_NONE = "view.pidfd-exit-none",
        "a pidfd tells nothing of a process that has been waited for: PIDFD_GET_INFO fails with ESRCH, whatever is asked for",
        "fs/pidfs.c:pidfd_info", since: "6.13", until: "6.14", note: "newer kernels: see `view.pidfd-exit`",
        fact: PidfdExit = false;
    VIEW_PIDFD_SIGNAL_SCOPE = "view.pidfd-signal-scope",
        "a pidfd of a process that is neither in the caller's PID namespace nor in a descendant of it cannot be used to signal it: EINVAL",
        "kernel/signal.c:access_pidfd_pidns", manual: "pidfd_send_signal(2), ERRORS";
    VIEW_NSIO_PARENT = "view.nsio-parent",
        "an open PID namespace gives its parent namespace only to callers in that parent or in an ancestor of it, otherwise EPERM",
        "kernel/pid_namespace.c:pidns_get_parent", manual: "ioctl_nsfs(2), NS_GET_PARENT", since: "4.9";
    VIEW_NSIO_PARENT_WHOSE = "view.nsio-parent-whose",
        "NS_GET_PARENT gives the PID namespace in which the open one was made, also when everybody in that has terminated",
        "kernel/pid_namespace.c:pidns_get_parent", manual: "ioctl_nsfs(2), NS_GET_PARENT", since: "4.9";
    VIEW_NSIO_USERNS = "view.nsio-userns",
        "an open PID namespace gives the user namespace that owns it only to callers in that or in an ancestor of it, otherwise EPERM",
        "kernel/user_namespace.c:ns_get_owner", manual: "ioctl_nsfs(2), NS_GET_USERNS", since: "4.9";
    VIEW_NSIO_USERNS_PARENT = "view.nsio-userns-parent",
        "an open user namespace gives its parent only to callers in that parent or in an ancestor of it, otherwise EPERM: nobody gets the parent of its own",
        "kernel/user_namespace.c:ns_get_owner", manual: "ioctl_nsfs(2), NS_GET_PARENT", since: "4.9";
    PROC_PIDNS_OPTION = "proc.pidns-option",
        "a procfs can be mounted for the mounter's PID namespace and for descendants of it, and for no other: EINVAL",
        "fs/proc/root.c:proc_parse_pidns_param", manual: "proc(5), pidns", since: "6.18",
        note: "older kernels: see `proc.pidns-unknown`", fact: ProcfsPidns = true;
    PROC_PIDNS_UNKNOWN = "proc.pidns-unknown",
        "a procfs can be mounted for no other PID namespace than the mounter's: the option pidns is EINVAL",
        "fs/proc/root.c:proc_parse_param", until: "6.17", note: "newer kernels: see `proc.pidns-option`", fact: ProcfsPidns = false;
    PROC_SELF_OUTSIDE = "proc.self-outside",
        "the link self of a procfs leads to the reader's PID in the namespace of the mount, and nowhere if it has none there",
        "fs/proc/self.c:proc_self_get_link", manual: "proc_pid(5), /proc/self";
    PROC_SELF_LINKS = "proc.self-links",
        "the link self of /proc leads to the PID of the reader's process, thread-self to the TID of the reader, in the namespace of the mount",
        "fs/proc/thread_self.c:proc_thread_self_get_link", manual: "proc_pid(5), /proc/thread-self", since: "3.17";
    PROC_MOUNT_BINDING = "proc.mount-binding",
        "a procfs belongs to the PID namespace that its mounter is in, not to where its children are born",
        "fs/proc/root.c:proc_init_fs_context", manual: "pid_namespaces(7), /proc and PID namespaces", kind: Describes;
    LASTPID_LOADAVG = "lastpid.loadavg",
        "the last field of /proc/loadavg is ns_last_pid of the reader's PID namespace, whatever namespace the procfs belongs to",
        "fs/proc/loadavg.c:loadavg_proc_show", manual: "proc_loadavg(5)";
    SIG_PENDING_SET = "sig.pending-set",
        "sigpending gives the signals that are pending for the thread or its process and that the thread blocks",
        "kernel/signal.c:do_sigpending", manual: "sigpending(2), DESCRIPTION";
}
