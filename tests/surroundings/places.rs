//! The places, and how a check must end in each.

use crate::going::Way;

/// How a check must end.
pub(crate) enum Ends {
    /// With 0: what is lacking there is not needed.
    Runs,
    /// With 4, and this text names the cause.
    Skips(&'static str),
    /// With either: what this machine, or how busy it is, decides.
    Either(&'static str),
}

/// A place.
pub(crate) struct Place {
    pub(crate) name: String,
    pub(crate) way: Way,
    pub(crate) ends: Ends,
    /// Whether the whole library runs there, and not a selection.
    pub(crate) whole: bool,
}

/// What a test cannot make on any machine that it is started on, or must not.
pub(crate) const NOT_SCRIPTED: &[&str] = &[
    "AppArmor's and SELinux's restrictions of user namespaces: they are policies of the whole machine",
    "kernel.unprivileged_userns_clone, kernel.threads-max, fs.file-max: they are the whole machine's, and no test writes them",
    "a kernel without CONFIG_USER_NS, CONFIG_PID_NS or CONFIG_SECCOMP: it takes another kernel",
    "Docker, Podman, systemd-nspawn and gVisor themselves: what they take away is scripted, one by one",
    "a memory cgroup so small that processes are killed: whom the kernel kills is open, and it writes into the machine's log",
    "filters that look at arguments: what they refuse is not asked for beforehand",
];

/// All of them.
pub(crate) fn all() -> Vec<Place> {
    [filters(), limits(), cgroups(), capabilities(), layouts(), wholes()].into_iter().flatten().collect()
}

fn place(name: String, way: Way, ends: Ends) -> Place {
    Place { name, way, ends, whole: false }
}

/// Each system call that the runner or a scenario makes, answered in the two ways in which filters answer.
fn filters() -> Vec<Place> {
    let calls: [(&str, libc::c_long); 24] = [
        ("clone3", libc::SYS_clone3),
        ("unshare", libc::SYS_unshare),
        ("setns", libc::SYS_setns),
        ("kill", libc::SYS_kill),
        ("tgkill", libc::SYS_tgkill),
        ("rt_sigqueueinfo", libc::SYS_rt_sigqueueinfo),
        ("rt_sigtimedwait", libc::SYS_rt_sigtimedwait),
        ("rt_sigpending", libc::SYS_rt_sigpending),
        ("pidfd_open", libc::SYS_pidfd_open),
        ("pidfd_send_signal", libc::SYS_pidfd_send_signal),
        ("pidfd_getfd", libc::SYS_pidfd_getfd),
        ("execveat", libc::SYS_execveat),
        ("ppoll", libc::SYS_ppoll),
        ("ioctl", libc::SYS_ioctl),
        ("wait4", libc::SYS_wait4),
        ("waitid", libc::SYS_waitid),
        ("prctl", libc::SYS_prctl),
        ("setsid", libc::SYS_setsid),
        ("setpgid", libc::SYS_setpgid),
        ("reboot", libc::SYS_reboot),
        ("fsopen", libc::SYS_fsopen),
        ("mount", libc::SYS_mount),
        ("memfd_create", libc::SYS_memfd_create),
        ("setuid", libc::SYS_setuid),
    ];
    let answers = [("eperm", libc::EPERM), ("enosys", libc::ENOSYS)];
    let one = |(call, number): (&'static str, libc::c_long)| {
        answers.map(|(word, errno)| {
            place(format!("seccomp::{call}::{word}"), Way::Filter(number, errno), Ends::Skips(call))
        })
    };
    // As a kernel that is built without PID namespaces has it.
    let no_namespaces = place(
        "seccomp::unshare::einval".to_owned(),
        Way::Filter(libc::SYS_unshare, libc::EINVAL),
        Ends::Skips("built with CONFIG_PID_NS"),
    );
    calls.into_iter().flat_map(one).chain([no_namespaces]).collect()
}

/// Resource limits. Those of a user are tried as a user that has nothing else.
fn limits() -> Vec<Place> {
    const MIB: u64 = 1 << 20;
    use Ends::{Either, Runs, Skips};
    use rustix::process::Resource::{
        As, Core, Cpu, Data, Fsize, Memlock, Msgqueue, Nice, Nofile, Nproc, Rss, Sigpending, Stack,
    };
    let limits = [
        ("nofile", Nofile, 16, 0, Skips("RLIMIT_NOFILE is 16")),
        ("nofile", Nofile, 20, 0, Skips("RLIMIT_NOFILE is 20")),
        ("nofile", Nofile, 32, 0, Skips("RLIMIT_NOFILE is 32")),
        ("nofile", Nofile, 64, 0, Skips("RLIMIT_NOFILE is 64")),
        ("nofile", Nofile, 128, 0, Skips("RLIMIT_NOFILE is 128")),
        ("nofile", Nofile, 256, 0, Runs),
        ("nproc", Nproc, 1, 0, Either("RLIMIT_NPROC is 1")),
        ("nproc", Nproc, 8, 0, Either("RLIMIT_NPROC is 8")),
        ("nproc-user", Nproc, 1, 20_001, Skips("RLIMIT_NPROC is 1")),
        ("nproc-user", Nproc, 8, 20_002, Skips("RLIMIT_NPROC is 8")),
        ("nproc-user", Nproc, 20, 20_003, Skips("RLIMIT_NPROC is 20")),
        ("nproc-user", Nproc, 36, 20_004, Skips("RLIMIT_NPROC is 36")),
        ("nproc-user", Nproc, 100, 20_005, Runs),
        ("sigpending", Sigpending, 0, 0, Skips("RLIMIT_SIGPENDING is 0")),
        ("sigpending", Sigpending, 8, 0, Skips("RLIMIT_SIGPENDING is 8")),
        ("sigpending-user", Sigpending, 200, 20_006, Runs),
        ("as", As, 100 * MIB, 0, Skips("RLIMIT_AS is 104857600")),
        ("as", As, 256 * MIB, 0, Either("RLIMIT_AS is 268435456")),
        ("data", Data, 48 * MIB, 0, Skips("RLIMIT_DATA is 50331648")),
        ("stack", Stack, 64 << 10, 0, Runs),
        ("fsize", Fsize, 0, 0, Skips("RLIMIT_FSIZE is 0")),
        ("fsize", Fsize, 4096, 0, Skips("RLIMIT_FSIZE is 4096")),
        ("core", Core, 0, 0, Runs),
        ("cpu", Cpu, 1, 0, Skips("RLIMIT_CPU is 1")),
        ("memlock", Memlock, 0, 0, Runs),
        ("msgqueue", Msgqueue, 0, 0, Runs),
        ("nice", Nice, 0, 0, Runs),
        ("rss", Rss, 0, 0, Runs),
    ];
    let one = |(name, resource, most, user, ends)| {
        place(format!("limit::{name}::{most}"), Way::Limit(resource, most, user), ends)
    };
    limits.into_iter().map(one).collect()
}

/// How many processes and threads there may be at once.
fn cgroups() -> Vec<Place> {
    let one = |most: u32| {
        let ends = match most {
            ..=50 => Ends::Skips("pids.max"),
            51..=99 => Ends::Either("pids.max"),
            _ => Ends::Runs,
        };
        place(format!("pids-cgroup::{most}"), Way::Cgroup(most), ends)
    };
    [2, 4, 8, 12, 16, 20, 30, 40, 50, 60, 1000].into_iter().map(one).collect()
}

/// Sets of capabilities, by what is lacking in them (capabilities(7)). In most a user namespace has what is lacking outside.
fn capabilities() -> Vec<Place> {
    const ALL: std::ops::Range<u32> = 0..41;
    const DOCKER: [u32; 14] = [0, 1, 3, 4, 5, 6, 7, 8, 10, 13, 18, 27, 29, 31];
    let without = |kept: &[u32]| ALL.filter(|capability| !kept.contains(capability)).collect::<Vec<_>>();
    let docker_and_admin: Vec<u32> = DOCKER.into_iter().chain([21]).collect();
    let places: [(&str, Vec<u32>, u32, Ends); 16] = [
        ("no-sys-admin", vec![21], 0, Ends::Runs),
        ("no-sys-boot", vec![22], 0, Ends::Runs),
        ("no-kill", vec![5], 0, Ends::Runs),
        ("no-sys-ptrace", vec![19], 0, Ends::Runs),
        ("no-setuid", vec![7], 0, Ends::Runs),
        ("no-setgid", vec![6], 0, Ends::Runs),
        ("no-setpcap", vec![8], 0, Ends::Runs),
        ("no-setfcap", vec![31], 0, Ends::Runs),
        ("no-setfcap-no-boot", vec![31, 22], 0, Ends::Skips("CAP_SYS_BOOT")),
        ("no-setfcap-no-ptrace", vec![31, 19], 0, Ends::Skips("CAP_SYS_PTRACE")),
        ("no-dac-override", vec![1, 2], 0, Ends::Runs),
        ("no-sys-nice-no-resource", vec![23, 24], 0, Ends::Runs),
        ("docker", without(&DOCKER), 0, Ends::Runs),
        ("docker-and-sys-admin", without(&docker_and_admin), 0, Ends::Runs),
        ("none", without(&[]), 0, Ends::Skips("CAP_SETFCAP")),
        ("ordinary-user", vec![], 20_010, Ends::Runs),
    ];
    let one = |(name, capabilities, user, ends)| {
        place(format!("capabilities::{name}"), Way::Without(capabilities, user), ends)
    };
    places.into_iter().map(one).collect()
}

/// A user namespace in which each user may have 70 PID namespaces. `HELD` of them are made by `MAKE`, and `exec GO` becomes the program under
/// test. They count for nobody else's user outside, and what holds them ends with the outermost one.
const USED_UP: &str = r#"
    mount -t proc proc /proc
    folder=$(mktemp -d) && mkfifo "$folder/made" "$folder/held" && exec 3<>"$folder/made" 4<>"$folder/held" && rm -r "$folder"
    setpriv --reuid 20020 --regid 20020 --clear-groups unshare --user sh -c 'echo >&3; exec cat <&4' &
    read -r _ <&3
    echo 0 0 100000 >/proc/$!/uid_map && echo 0 0 100000 >/proc/$!/gid_map || exit 99
    exec nsenter --user=/proc/$!/ns/user sh -c '
        echo 70 >/proc/sys/user/max_pid_namespaces || exit 99
        for _ in $(seq HELD); do MAKE sh -c "echo >&3; exec cat <&4" & done
        for _ in $(seq HELD); do read -r _ <&3; done
        exec GO "$@"
    ' sh "$@""#;

/// Namespaces and mounts, each in a mount namespace of its own.
fn layouts() -> Vec<Place> {
    const ROOT: &str = "--user --map-root-user";
    let fresh = "--pid --fork --mount-proc";
    let own = format!("{ROOT} {fresh}");
    let nested = format!("{own} unshare {own} unshare {own}");
    let used_up =
        |held: &str, make: &str, go: &str| USED_UP.replace("HELD", held).replace("MAKE", make).replace("GO", go);
    let by_root = used_up("67", "unshare --pid --fork", "env");
    // Another user, who has four left: enough to begin, too few to nest as deep as Linux lets. No limit in its user namespace says so.
    const AS_USER: &str = "setpriv --reuid 20022 --regid 20022 --clear-groups";
    let by_user = used_up("66", &format!("{AS_USER} unshare {ROOT} --pid --fork"), AS_USER);
    let places: [(&str, &str, &str, Ends); 20] = [
        ("hidepid", "--mount --pid --fork", "mount -t proc -o hidepid=2 proc /proc", Ends::Runs),
        (
            "subset-pid",
            "--mount --pid --fork",
            "mount -t proc -o subset=pid proc /proc",
            Ends::Skips("/proc/sys/kernel/pid_max"),
        ),
        ("no-proc", "--mount", "mount -t tmpfs none /proc", Ends::Skips("/proc")),
        ("read-only-proc", "--mount", "mount --bind /proc /proc && mount -o remount,bind,ro /proc", Ends::Runs),
        ("read-only-root", "--mount", "mount -o remount,bind,ro /", Ends::Runs),
        ("no-sys", "--mount", "mount -t tmpfs none /sys", Ends::Runs),
        ("no-dev", "--mount", "mount -t tmpfs none /dev", Ends::Runs),
        ("user-namespace", ROOT, "true", Ends::Runs),
        ("user-and-pid-namespace", &own, "true", Ends::Runs),
        ("three-nested", &nested, "true", Ends::Runs),
        ("pid-namespace-without-its-proc", "--pid --fork", "true", Ends::Either("/proc")),
        ("other-namespaces", "--net --ipc --uts --cgroup", "true", Ends::Runs),
        (
            "masked-proc-and-no-boot",
            "--mount",
            "mount --bind /dev/null /proc/version && exec setpriv --bounding-set -sys_boot \"$@\"",
            Ends::Skips("CAP_SYS_BOOT"),
        ),
        (
            "masked-proc-in-a-user-namespace",
            "--mount",
            "mount --bind /dev/null /proc/version && exec unshare --user --map-root-user \"$@\"",
            Ends::Skips("mount a procfs of its own"),
        ),
        ("no-user-namespaces", ROOT, "echo 0 > /proc/sys/user/max_user_namespaces", Ends::Runs),
        (
            "few-pid-namespaces",
            ROOT,
            "echo 20 > /proc/sys/user/max_pid_namespaces",
            Ends::Skips("max_pid_namespaces is 20"),
        ),
        ("used-up", "--mount --pid --fork", &by_root, Ends::Runs),
        ("few-left-to-a-user", "--mount --pid --fork", &by_user, Ends::Skips("used up its PID or user namespaces")),
        (
            "rights-of-root-and-another-user",
            "--mount",
            "exec setpriv --reuid 20010 --clear-groups \
             --inh-caps +sys_admin,+sys_ptrace,+setuid,+setgid,+kill,+sys_boot,+setfcap,+dac_override \
             --ambient-caps +sys_admin,+sys_ptrace,+setuid,+setgid,+kill,+sys_boot,+setfcap,+dac_override \"$@\"",
            Ends::Runs,
        ),
        ("no-new-privileges", "--mount", "exec setpriv --no-new-privs \"$@\"", Ends::Skips("no_new_privs is set")),
    ];
    let one = |(name, unshare, prepare, ends): (&str, &str, &str, Ends)| {
        let script = format!("{prepare} && exec \"$@\"");
        let words = ["unshare"].into_iter().chain(unshare.split(' ')).chain(["sh", "-c", &script, "sh"]);
        place(format!("layout::{name}"), Way::Shell(words.map(str::to_owned).collect()), ends)
    };
    places.into_iter().map(one).collect()
}

/// Places in which the whole library runs.
fn wholes() -> Vec<Place> {
    let whole = |place: Place| Place { name: format!("library::{}", place.name), whole: true, ..place };
    let wanted = [
        "capabilities::docker-and-sys-admin",
        "capabilities::ordinary-user",
        "seccomp::setns::eperm",
        "seccomp::tgkill::enosys",
    ];
    [filters(), capabilities()]
        .into_iter()
        .flatten()
        .filter(|place| wanted.contains(&&place.name[..]))
        .map(whole)
        .collect()
}
