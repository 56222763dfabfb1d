//! Making processes and namespaces.

use super::rules;

rules! { CREATION;
    CLONE_NEWPID_INIT = "clone.newpid-init",
        "clone with CLONE_NEWPID makes a PID namespace and its init, PID 1 there, in one call, which returns the child's PID in the caller's own namespace",
        "kernel/pid_namespace.c:copy_pid_ns", manual: "clone(2), CLONE_NEWPID", since: "2.6.24", kind: Describes;
    CLONE_RETURN_VIEW = "clone.return-view",
        "clone and fork return the child's PID in the caller's own namespace, wherever the child is born",
        "kernel/fork.c:kernel_clone", since: "2.6.24", kind: Describes;
    CLONE_NEWPID_TARGET_DIFFERS = "clone.newpid-target-differs",
        "CLONE_NEWPID fails with EINVAL while the caller's children are born in another namespace than its own, even a dead one",
        "kernel/pid_namespace.c:copy_pid_ns";
    CLONE_NEWPID_VM = "clone.newpid-vm",
        "the init of a new namespace may share its maker's memory, and its table of signal actions too",
        "kernel/fork.c:copy_process", manual: "clone(2), CLONE_NEWPID", since: "3.12", note: "with CLONE_SIGHAND since 4.3",
        kind: Describes;
    CLONE_VM_TARGET_DIFFERS = "clone.vm-target-differs",
        "a child that shares the memory of its maker, as in vfork, may be born in another PID namespace; only a thread may not",
        "kernel/fork.c:copy_process", since: "3.13", kind: Describes;
    CLONE_PARENT_BY_INIT = "clone.parent-by-init",
        "an init cannot make a sibling: CLONE_PARENT fails with EINVAL",
        "kernel/fork.c:copy_process", manual: "clone(2), ERRORS", since: "2.6.32";
    CP_NO_EXIT_SIGNAL = "cp.no-exit-signal",
        "clone3 takes no exit signal together with CLONE_PARENT: EINVAL",
        "kernel/fork.c:clone3_args_valid", manual: "clone(2), ERRORS";
    CP_SIBLING = "cp.sibling",
        "a child made with CLONE_PARENT is the caller's sibling: its parent is the caller's parent, and it takes over the caller's exit signal",
        "kernel/fork.c:copy_process", manual: "clone(2), CLONE_PARENT", kind: Describes;
    CLONE_PARENT_INJECTED = "clone.parent-injected",
        "a process whose parent is in an ancestor namespace may use CLONE_PARENT: the sibling is born in the caller's namespace, with the same parent",
        "kernel/fork.c:copy_process", kind: Describes;
    CP_INJECTED = "cp.injected",
        "a parent in an ancestor namespace can wait for a sibling that its child made, like for any child",
        "kernel/fork.c:copy_process", kind: Describes;
    CLONE_NEWPID_PARENT = "clone.newpid-parent",
        "CLONE_NEWPID and CLONE_PARENT together make an init that is the caller's sibling",
        "kernel/fork.c:copy_process", since: "3.13", note: "clone(2) says EINVAL, which was true before", kind: Describes;
    CLONE_PARENT_TARGET_DIFFERS = "clone.parent-target-differs",
        "CLONE_PARENT works while the caller's children are born in another namespace: the sibling is born there",
        "kernel/fork.c:copy_process", since: "3.13", kind: Describes;
    CLONE_CLEAR_SIGHAND = "clone.clear-sighand",
        "with CLONE_CLEAR_SIGHAND the child has the default action for every signal that its maker handles; what is ignored stays ignored",
        "kernel/fork.c:copy_sighand", manual: "clone(2), CLONE_CLEAR_SIGHAND", since: "5.5";
    CLONE_CLEAR_OR_SHARE = "clone.clear-or-share",
        "a table of signal actions is shared or cleared: CLONE_SIGHAND and CLONE_CLEAR_SIGHAND together fail with EINVAL",
        "kernel/fork.c:clone3_args_valid", manual: "clone(2), ERRORS", since: "5.5";
    CLONE_PARENT_SETTID = "clone.parent-settid",
        "CLONE_PARENT_SETTID writes the TID of the child as its maker sees it: what the call returns",
        "kernel/fork.c:kernel_clone", manual: "clone(2), CLONE_PARENT_SETTID";
    CLONE_CHILD_SETTID = "clone.child-settid",
        "CLONE_CHILD_SETTID writes the TID of the child as the child sees it itself: in an init this is 1",
        "kernel/sched/core.c:schedule_tail", manual: "clone(2), CLONE_CHILD_SETTID";
    CLONE_CHILD_CLEARTID = "clone.child-cleartid",
        "with CLONE_CHILD_CLEARTID the child writes 0 over its TID when it ends or runs another program, but only if somebody else still uses its memory",
        "kernel/fork.c:mm_release", manual: "clone(2), CLONE_CHILD_CLEARTID";
    LIMIT_DEPTH = "limit.depth",
        "PID namespaces nest at most 32 levels below the machine's first one; making a deeper one fails with ENOSPC",
        "kernel/pid_namespace.c:create_pid_namespace", manual: "pid_namespaces(7), Nesting PID namespaces", since: "4.9";
    LIMIT_DEPTH_ABSOLUTE = "limit.depth-absolute",
        "the depth counts from the machine's first namespace, not from that of a container",
        "kernel/pid_namespace.c:create_pid_namespace", kind: Describes;
    LIMIT_DEPTH_OTHER_OPS = "limit.depth-other-ops",
        "at the deepest level all works but another namespace: forks, threads, and children of those who join from an ancestor",
        "kernel/pid_namespace.c:create_pid_namespace", kind: Describes;
    UNSHARE_CHILDREN_ONLY = "unshare.children-only",
        "unshare(CLONE_NEWPID) changes where the caller's children are born; the caller stays where it is",
        "kernel/nsproxy.c:unshare_nsproxy_namespaces", manual: "unshare(2), CLONE_NEWPID", since: "3.8";
    UNSHARE_FIRST_CHILD_INIT = "unshare.first-child-init",
        "the first child born in an unshared namespace is its init",
        "kernel/fork.c:copy_process", manual: "unshare(2), CLONE_NEWPID", since: "3.8", kind: Describes;
    UNSHARE_NO_NUMBER_NO_INIT = "unshare.no-number-no-init",
        "unshare takes no PID: the new namespace is empty until the next fork",
        "kernel/pid_namespace.c:create_pid_namespace", since: "3.8", kind: Describes;
    UNSHARE_CHILD_INHERITS_TARGET = "unshare.child-inherits-target",
        "the children of a process are born in its namespace for children (/proc/PID/ns/pid_for_children), and theirs are born there too",
        "kernel/fork.c:copy_process", since: "3.8", kind: Describes;
    UNSHARE_BY_INIT = "unshare.by-init",
        "an init can unshare: its next child is the init of a child namespace",
        "kernel/pid_namespace.c:copy_pid_ns", since: "3.8", kind: Describes;
    UNSHARE_AFTER_INIT_DIED = "unshare.after-init-died",
        "once the first child born in an unshared namespace has terminated, every fork of the unsharer fails with ENOMEM until its children are born elsewhere",
        "kernel/pid.c:alloc_pid", manual: "pid_namespaces(7), The namespace init process", kind: Describes;
    UNSHARE_TWICE = "unshare.twice",
        "unshare(CLONE_NEWPID) fails with EINVAL while the caller's children are born in another namespace than its own",
        "kernel/pid_namespace.c:copy_pid_ns", manual: "pid_namespaces(7), setns(2) and unshare(2) semantics",
        note: "the manual says that it works once only; going back with setns(2) to the own namespace makes it work again";
    SETNS_CHILDREN_ONLY = "setns.children-only",
        "setns to a PID namespace changes where the caller's children are born; the caller stays where it is",
        "kernel/pid_namespace.c:pidns_install", manual: "setns(2), DESCRIPTION", since: "3.8";
    SETNS_DESCENDANT_ONLY = "setns.descendant-only",
        "setns goes only to the caller's own PID namespace or a descendant of it, otherwise EINVAL",
        "kernel/pid_namespace.c:pidns_install", manual: "setns(2), DESCRIPTION", since: "3.8";
    SETNS_JUDGED_BY_ACTIVE = "setns.judged-by-active",
        "where setns may go depends on the caller's own PID namespace and not on where its children are born now, so it can always go back",
        "kernel/pid_namespace.c:pidns_install", since: "3.8", kind: Describes;
    SETNS_INJECTED_CHILD = "setns.injected-child",
        "a child born in another PID namespace than its parent's is an ordinary member there whose parent is in an ancestor",
        "kernel/fork.c:copy_process", manual: "pid_namespaces(7), Adoption of orphaned children",
        note: "the parent may be several levels up; the manual says one at most", kind: Describes;
    SETNS_DEAD_NS = "setns.dead-ns",
        "setns to a PID namespace whose init has terminated succeeds; only forking into it fails",
        "kernel/pid_namespace.c:pidns_install";
    SETNS_NSTYPE = "setns.nstype",
        "setns takes no namespace of another kind than the one that is asked for: EINVAL",
        "kernel/nsproxy.c:setns", manual: "setns(2), ERRORS";
    SETNS_NSTYPE_ZERO = "setns.nstype-zero",
        "setns that is told 0 joins the namespace that the file is of, whatever its type",
        "kernel/nsproxy.c:setns", manual: "setns(2), DESCRIPTION";
    SETNS_PIDFD_TYPES = "setns.pidfd-types",
        "setns with a pidfd must be told at least one type of namespace, and nothing else: otherwise EINVAL, whatever has become of the process",
        "kernel/nsproxy.c:check_setns_flags", manual: "setns(2), ERRORS", since: "5.8";
    NS_IDENTITY = "ns.identity",
        "two processes are in the same PID namespace if their /proc/PID/ns/pid is the same file",
        "fs/nsfs.c", manual: "namespaces(7), The /proc/pid/ns/ directory", since: "3.8", note: "the inode number may be used for another namespace later";
    NS_LIFETIME = "ns.lifetime",
        "a PID namespace whose init has terminated exists for as long as something refers to it, and nobody is born in it again",
        "kernel/pid_namespace.c:put_pid_ns", manual: "pid_namespaces(7), The namespace init process", kind: Describes;
    NS_KEPT_OPEN = "ns.kept-open",
        "an open file of a namespace leads there whatever has become of the process that it was opened for, and nobody is asked again who may look into that",
        "fs/nsfs.c:ns_get_path", manual: "namespaces(7), The /proc/pid/ns/ directory";
    NS_KEPT_BY_MOUNT = "ns.kept-by-mount",
        "a bind mount keeps a namespace open as a file descriptor does; making one takes CAP_SYS_ADMIN where the mounts belong, otherwise EPERM",
        "fs/namespace.c:may_mount", manual: "namespaces(7), Namespace lifetime";
    NS_KEPT_UNBORN = "ns.kept-unborn",
        "a PID namespace that nobody has been born in can be kept open and joined, and the first child born there is its init",
        "kernel/pid_namespace.c:pidns_install", manual: "pid_namespaces(7), The namespace init process";
    NS_KEPT_LAST = "ns.kept-last",
        "a PID namespace that nothing else refers to ends with the last file descriptor or mount that keeps it open",
        "fs/nsfs.c:nsfs_evict", manual: "namespaces(7), Namespace lifetime";
    ZAP_ZOMBIE_INIT_NS = "zap.zombie-init-ns",
        "the link of a zombie init leads to its PID namespace; it can be joined, and forking there fails",
        "kernel/pid_namespace.c:pidns_get", kind: Describes;
    SETNS_ZOMBIE_INIT_PATH = "setns.zombie-init-path",
        "the link /proc/PID/ns/pid of a zombie still leads to its namespace",
        "kernel/pid_namespace.c:pidns_get";
    SETNS_REAPED_PATH = "setns.reaped-path",
        "a process that has been waited for has no directory in /proc: opening its namespace files fails with ENOENT",
        "fs/proc/base.c:proc_pid_lookup";
    SETNS_PIDFD_ERRORS = "setns.pidfd-errors",
        "to setns a pidfd of a process that has terminated leads to no namespace: ESRCH, waited for or not",
        "kernel/nsproxy.c:validate_nsset", manual: "setns(2), ERRORS", since: "5.8",
        note: "the manual says ESRCH only for processes that have been waited for";
    SETNS_PIDFD_USES_ACTIVE = "setns.pidfd-uses-active",
        "setns with a pidfd goes to the PID namespace that the process is in, not to where its children are born",
        "kernel/nsproxy.c:validate_nsset", since: "5.8";
    PFC_READLINK = "pfc.readlink",
        "pid_for_children of a process that has ended cannot be opened: ENOENT",
        "kernel/pid_namespace.c:pidns_for_children_get", manual: "namespaces(7), /proc/pid/ns/pid_for_children", since: "4.12";
    PFC_NO_INIT_YET = "pfc.no-init-yet",
        "pid_for_children cannot be opened (ENOENT) while nobody has been born in the namespace",
        "kernel/pid_namespace.c:pidns_for_children_get", manual: "namespaces(7), /proc/pid/ns/pid_for_children", since: "4.12",
        until: "7.0", note: "the manual says that the link is empty then; newer kernels: see `pfc.before-init`",
        fact: PidForChildrenBeforeInit = false;
    PFC_PIDFD_BYPASS = "pfc.pidfd-bypass",
        "a pidfd gives the PID namespace of a process's next child, also before anybody is born in it: whoever joins and forks first makes the init",
        "fs/pidfs.c:pidfd_ioctl", manual: "ioctl_pidfd(2), PIDFD_GET_PID_FOR_CHILDREN_NAMESPACE", since: "6.11",
        fact: PidfdNamespaces = true;
    PFC_PIDFD_ACCESS_FIRST = "pfc.pidfd-access-first",
        "a pidfd of a process that has ended gives no namespace: who might not have looked into the process is told that, EACCES, and others ESRCH",
        "fs/pidfs.c:pidfd_ioctl", since: "7.2", note: "stable kernels have it, too; others: see `pfc.pidfd-ended-first`",
        fact: PidfdAccessFirst = true;
    PFC_PIDFD_ENDED_FIRST = "pfc.pidfd-ended-first",
        "a pidfd of a process that has ended gives no namespace, and tells everybody that it has ended, ESRCH, also who might not have looked into it",
        "fs/pidfs.c:pidfd_ioctl", since: "6.11", until: "7.1", note: "newer kernels: see `pfc.pidfd-access-first`",
        fact: PidfdAccessFirst = false;
    PFC_PIDFD_NONE = "pfc.pidfd-none",
        "a pidfd gives no namespaces: the ioctls that ask for them fail with ENOTTY",
        "kernel/fork.c:pidfd_fops", until: "6.10", note: "newer kernels: see `pfc.pidfd-bypass`", fact: PidfdNamespaces = false;
    PFC_BEFORE_INIT = "pfc.before-init",
        "pid_for_children leads to a namespace that nobody has been born in yet, and whoever forks there first makes its init",
        "kernel/pid_namespace.c:pidns_for_children_get", since: "7.1", note: "older kernels: see `pfc.no-init-yet`",
        fact: PidForChildrenBeforeInit = true;
}
