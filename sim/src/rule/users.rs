//! Who may do what.

use super::rules;

rules! { USERS;
    USER_SETUID = "user.setuid",
        "whoever has CAP_SETUID becomes another user and loses all capabilities; others can only stay who they are: EPERM",
        "kernel/sys.c:__sys_setuid", manual: "setuid(2), DESCRIPTION";
    USER_NEWUSER = "user.newuser",
        "CLONE_NEWUSER gives every capability in a new user namespace and none in its ancestors; the user stays the same, and has no user ID there",
        "kernel/user_namespace.c:create_user_ns", manual: "user_namespaces(7), Capabilities", since: "3.8";
    USER_SETUID_UNMAPPED = "user.setuid-unmapped",
        "setuid fails with EINVAL for a user id that the user namespace does not have; a new one has none",
        "kernel/sys.c:__sys_setuid", manual: "setuid(2), ERRORS", since: "3.8";
    USER_NESTED_UNMAPPED = "user.nested-unmapped",
        "whoever has no user ID in its user namespace cannot make another one: EPERM",
        "kernel/user_namespace.c:create_user_ns", manual: "clone(2), ERRORS", since: "3.9";
    USER_EXEC_DROPS = "user.exec-drops",
        "a new program run by a user without a user ID in its user namespace has no capabilities any more",
        "security/commoncap.c:cap_bprm_creds_from_file", manual: "user_namespaces(7), Capabilities", since: "3.8";
    USER_DROP_CAPABILITY = "user.drop-capability",
        "a thread can give up a capability: it is gone for this thread and for whom it makes, not for the other threads of its process",
        "kernel/capability.c:capset", manual: "capabilities(7), Thread capability sets";
    USER_EXEC_REGAINS = "user.exec-regains",
        "root that runs a new program has every capability again, also what it had given up, unless another process shares its filesystem information",
        "security/commoncap.c:cap_bprm_creds_from_file", manual: "capabilities(7), Capabilities and execution of programs by root";
    USER_EXEC_SHARED = "user.exec-shared",
        "a new program has no capability more than the one before while another process shares its filesystem information (CLONE_FS)",
        "fs/exec.c:check_unsafe_exec; security/commoncap.c:cap_bprm_creds_from_file";
    USER_EXEC_GAINS = "user.exec-gains",
        "a new program with more capabilities than the one before has no parent-death signal any more, and its memory is closed to others",
        "kernel/cred.c:commit_creds", manual: "PR_SET_DUMPABLE(2const), DESCRIPTION";
    USER_CHECKPOINT_OR_ADMIN = "user.checkpoint-or-admin",
        "choosing numbers, by set_tid or by ns_last_pid, takes CAP_CHECKPOINT_RESTORE or CAP_SYS_ADMIN; either will do",
        "kernel/pid.c:alloc_pid; include/linux/capability.h:checkpoint_restore_ns_capable", manual: "capabilities(7), CAP_CHECKPOINT_RESTORE", since: "5.9";
    OWNER_WHO = "owner.who",
        "a PID namespace is owned by the user namespace of its maker, for ever, and power over it is capabilities there",
        "kernel/pid_namespace.c:create_pid_namespace", manual: "user_namespaces(7), Interaction of user namespaces and other types of namespaces",
        since: "3.8", kind: Describes;
    OWNER_UNPRIVILEGED = "owner.unprivileged",
        "making a PID namespace takes CAP_SYS_ADMIN in the maker's user namespace, otherwise EPERM",
        "kernel/nsproxy.c:copy_namespaces", manual: "clone(2), ERRORS", since: "3.8";
    CLONE_NEWUSER_NEWPID = "clone.newuser-newpid",
        "with CLONE_NEWUSER in the same call anybody can make a PID namespace: the user namespace is made first and owns it",
        "kernel/fork.c:copy_process", manual: "clone(2), CLONE_NEWUSER", since: "3.8", kind: Describes;
    OWNER_NESTING = "owner.nesting",
        "a PID namespace can be made only from the user namespace that owns the caller's PID namespace or from a descendant of that, otherwise EINVAL, even by root",
        "kernel/pid_namespace.c:create_pid_namespace", since: "4.13";
    OWNER_CHILD_USERNS_CALLER = "owner.child-userns-caller",
        "whoever has all capabilities in a descendant user namespace can nest PID namespaces in one that it does not own",
        "kernel/pid_namespace.c:create_pid_namespace", since: "4.13", kind: Describes;
    CLONE_ERROR_PRECEDENCE = "clone.error-precedence",
        "a call that is wrong in several ways fails for bad flags first, then for lack of capabilities, then for where its children are born",
        "kernel/fork.c:copy_process", kind: Describes;
    UNSHARE_NEWUSER_SINGLE_THREAD = "unshare.newuser-single-thread",
        "unshare(CLONE_NEWUSER) is for processes of one thread, otherwise EINVAL",
        "kernel/fork.c:check_unshare_flags", manual: "unshare(2), CLONE_NEWUSER", since: "3.8";
    UNSHARE_ATOMIC = "unshare.atomic",
        "an unshare that fails in one thing changes nothing",
        "kernel/fork.c:ksys_unshare", manual: "unshare(2), RETURN VALUE";
    SETNS_PERM = "setns.perm",
        "setns to a PID namespace takes CAP_SYS_ADMIN in the user namespace that owns it and in the caller's own, otherwise EPERM, also for the caller's own one",
        "kernel/pid_namespace.c:pidns_install", manual: "setns(2), DESCRIPTION", since: "3.8";
    SETNS_CAP_BEFORE_RELATION = "setns.cap-before-relation",
        "setns asks for capabilities before it asks where the namespace is: EPERM wins over EINVAL",
        "kernel/pid_namespace.c:pidns_install", since: "3.8", kind: Describes;
    SETNS_USER = "setns.user",
        "whoever joins a user namespace has every capability there, also what it had given up, and none in its ancestors",
        "kernel/user_namespace.c:userns_install", manual: "user_namespaces(7), Capabilities", since: "3.8";
    SETNS_USER_PERM = "setns.user-perm",
        "setns to a user namespace takes CAP_SYS_ADMIN there, otherwise EPERM: so nobody gets back into an ancestor of its own",
        "kernel/user_namespace.c:userns_install", manual: "setns(2), DESCRIPTION", since: "3.8";
    SETNS_USER_OWN = "setns.user-own",
        "setns to the caller's own user namespace fails with EINVAL: nobody gets capabilities back by it",
        "kernel/user_namespace.c:userns_install", manual: "setns(2), ERRORS", since: "3.8";
    SETNS_USER_SINGLE_THREAD = "setns.user-single-thread",
        "setns to a user namespace is for processes of one thread, otherwise EINVAL",
        "kernel/user_namespace.c:userns_install", manual: "setns(2), ERRORS", since: "3.8";
    SETNS_USER_FS = "setns.user-fs",
        "setns to a user namespace is EINVAL while the caller shares filesystem information (CLONE_FS) with another process",
        "kernel/user_namespace.c:userns_install", manual: "setns(2), DESCRIPTION", since: "3.9";
    SETNS_USER_STRANGER = "setns.user-stranger",
        "whoever joins a user namespace that another user has made loses its parent-death signal, and its memory is closed to others",
        "kernel/cred.c:commit_creds";
    SETNS_BOTH = "setns.both",
        "setns with a pidfd joins several namespaces at once or none: the user namespace first, so that its capabilities open the PID namespace",
        "kernel/nsproxy.c:validate_nsset", manual: "setns(2), DESCRIPTION", since: "5.8", kind: Describes;
    SETNS_PIDFD_PERM = "setns.pidfd-perm",
        "setns with a pidfd is for those who may look into the process (ptrace, read access), otherwise EPERM",
        "kernel/nsproxy.c:validate_nsset", manual: "setns(2), ERRORS", since: "5.8";
    PROC_NS_LINK = "proc.ns-link",
        "the links in /proc/PID/ns are for those who may look into the process (ptrace, read access), otherwise EACCES; a zombie's too",
        "fs/proc/namespaces.c:proc_ns_get_link", manual: "namespaces(7), The /proc/pid/ns/ directory";
    PROC_CLOSED_AFTER_DEATH = "proc.closed-after-death",
        "a process that has changed its user stays closed to all but the machine's root, though its memory is gone with its death",
        "kernel/exit.c:exit_mm", since: "7.1", note: "stable kernels of 2026 have it, too; others: see `proc.open-after-death`",
        fact: ClosedAfterDeath = true;
    PROC_OPEN_AFTER_DEATH = "proc.open-after-death",
        "a process that has changed its user is open to others of the new user once it has terminated, for what closed it was in its memory",
        "kernel/ptrace.c:__ptrace_may_access", until: "7.0", note: "newer kernels, and stable ones of 2026: see `proc.closed-after-death`",
        fact: ClosedAfterDeath = false;
    SETTID_PERM = "settid.perm",
        "choosing a PID takes CAP_CHECKPOINT_RESTORE or CAP_SYS_ADMIN in the owner of each level that is named, otherwise EPERM",
        "kernel/pid.c:alloc_pid", manual: "clone(2), The set_tid array", since: "5.9";
    LASTPID_PERM = "lastpid.perm",
        "writing ns_last_pid takes CAP_CHECKPOINT_RESTORE or CAP_SYS_ADMIN in the namespace's owner, otherwise EPERM, whatever the value",
        "kernel/pid_namespace.c:pid_ns_ctl_handler", manual: "pid_namespaces(7), /proc files", since: "5.9",
        fact: NsLastPid = true;
    LIMIT_PIDMAX_PERM = "limit.pidmax.perm",
        "pid_max can be written with CAP_SYS_ADMIN in the namespace's owner, or by its root without any capability; others get EACCES",
        "kernel/pid.c:pid_table_root_permissions", since: "6.14", fact: PidMaxPerNamespace = true;
    LIMIT_PIDMAX_PERM_COMMON = "limit.pidmax.perm-common",
        "the common pid_max can be written by root of the machine's first user namespace alone; others get EACCES",
        "fs/proc/proc_sysctl.c:test_perm", until: "6.13", note: "newer kernels: see `limit.pidmax.perm`", fact: PidMaxPerNamespace = false;
    REBOOT_PERMISSION = "reboot.permission",
        "reboot takes CAP_SYS_BOOT in the owner of the caller's PID namespace, otherwise EPERM",
        "kernel/reboot.c:reboot", manual: "reboot(2), ERRORS";
    LIMIT_UCOUNT = "limit.ucount",
        "each user of a user namespace can have max_pid_namespaces PID namespaces there; one more fails with ENOSPC and takes no PID",
        "kernel/ucount.c:inc_ucount", manual: "namespaces(7), The /proc/sys/user directory", since: "4.9";
    LIMIT_UCOUNT_RELEASE = "limit.ucount-release",
        "a PID namespace that is gone may count for some more milliseconds: at the limit, making another one may work or not",
        "kernel/pid_namespace.c:destroy_pid_namespace", since: "4.9";
    LIMIT_UCOUNT_DEFAULT = "limit.ucount-default",
        "max_pid_namespaces of a new user namespace is 2147483647; whoever has the capabilities there can change it for that one alone",
        "kernel/ucount.c:setup_userns_sysctls", manual: "namespaces(7), The /proc/sys/user directory", since: "4.9";
    LIMIT_UCOUNT_PERM = "limit.ucount-perm",
        "max_pid_namespaces can be written with CAP_SYS_RESOURCE in the user namespace, otherwise EACCES",
        "kernel/ucount.c:set_permissions", since: "4.9";
    SIG_PERM = "sig.perm",
        "a signal to another user's process fails with EPERM unless the sender has CAP_KILL in the receiver's user namespace",
        "kernel/signal.c:check_kill_permission", manual: "kill(2), DESCRIPTION";
    SIG_PERM_CONT = "sig.perm-cont",
        "SIGCONT can be sent to anybody in the sender's own session",
        "kernel/signal.c:check_kill_permission", manual: "kill(2), DESCRIPTION";
    SIG_KILL_MINUS1_REFUSED = "sig.kill-minus1-refused",
        "kill(-1) does not tell which processes it was not allowed to signal: it gives 0 even if that was everybody",
        "kernel/signal.c:kill_something_info";
    SIG_PGRP_REFUSED = "sig.pgrp-refused",
        "a signal to a process group succeeds if one member may be signalled; the others do not get it",
        "kernel/signal.c:__kill_pgrp_info", manual: "kill(2), RETURN VALUE";
    PDEATH_PERMISSION = "pdeath.permission",
        "a parent-death signal is sent by the terminating parent, and comes only if that one may signal the child",
        "kernel/exit.c:forget_original_parent";
    VIEW_SCM_CRED_USER = "view.scm-cred-user",
        "the user in the credentials of a message or socket is a user ID of the receiver's user namespace, 65534 if there is none",
        "net/core/scm.c:scm_recv", manual: "user_namespaces(7), Unmapped user and group IDs";
}
