//! Kernels to choose from: what was measured on them.

/// What a kernel is like, as measured.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct KernelFacts {
    /// What the list of kernels calls it.
    pub name: &'static str,
    /// Its release.
    pub release: &'static str,
    /// The facts that do not hold on it. All others do.
    pub lacking: &'static [&'static str],
}

const fn kernel(name: &'static str, release: &'static str, lacking: &'static [&'static str]) -> KernelFacts {
    KernelFacts { name, release, lacking }
}

/// Debian's kernels, the newest first; `docs/kernels.md` has how they were measured, and more of them.
pub const KERNELS: &[KernelFacts] = &[
    kernel("qemu-7.3", "7.3.4+deb13-cloud-amd64", &["init-threads-spared"]),
    kernel("qemu-7.2", "7.2.12+deb13-cloud-amd64", &["init-threads-spared", "sender-translated"]),
    kernel(
        "qemu-7.1",
        "7.1.13+deb13-cloud-amd64",
        &["ended-thread-deaf", "init-threads-spared", "pidfd-access-first", "sender-for-each", "sender-translated"],
    ),
    kernel(
        "qemu-7.0",
        "7.0.13+deb13-cloud-amd64",
        &[
            "clone-autoreap",
            "ended-thread-deaf",
            "first-fork-may-fail",
            "init-threads-spared",
            "pid_for_children-before-init",
            "pidfd-access-first",
            "pidfd-autokill",
            "sender-for-each",
            "sender-translated",
        ],
    ),
    kernel(
        "qemu-6.18",
        "6.18.15+deb13-cloud-amd64",
        &[
            "clone-autoreap",
            "closed-after-death",
            "ended-thread-deaf",
            "first-fork-may-fail",
            "init-threads-spared",
            "pid_for_children-before-init",
            "pidfd-access-first",
            "pidfd-autokill",
            "sender-for-each",
            "sender-translated",
            "set_tid-checked-first",
        ],
    ),
    kernel(
        "qemu-6.16",
        "6.16.12+deb13-cloud-amd64",
        &[
            "clone-autoreap",
            "closed-after-death",
            "ended-thread-deaf",
            "first-fork-may-fail",
            "init-threads-spared",
            "pid_for_children-before-init",
            "pidfd-access-first",
            "pidfd-autokill",
            "pidfd-info-eremote",
            "procfs-pidns",
            "sender-for-each",
            "sender-translated",
            "set_tid-checked-first",
        ],
    ),
    kernel(
        "qemu-6.12",
        "6.12.118+deb13-cloud-amd64",
        &[
            "clone-autoreap",
            "ended-thread-deaf",
            "first-fork-may-fail",
            "init-threads-spared",
            "pid_for_children-before-init",
            "pid_max-per-namespace",
            "pidfd-autokill",
            "pidfd-exit",
            "pidfd-info",
            "pidfd-info-eremote",
            "pidfd-info-guest",
            "pidfd_open-thread-enoent",
            "procfs-pidns",
            "sender-translated",
            "set_tid-checked-first",
            "sigchld-process-status",
        ],
    ),
    kernel(
        "qemu-6.1",
        "6.1.0-56-cloud-amd64",
        &[
            "clone-autoreap",
            "ended-thread-deaf",
            "first-fork-may-fail",
            "init-threads-spared",
            "pid-translation",
            "pid_for_children-before-init",
            "pid_max-per-namespace",
            "pidfd-access-first",
            "pidfd-autokill",
            "pidfd-exit",
            "pidfd-hangs-up",
            "pidfd-info",
            "pidfd-info-eremote",
            "pidfd-info-guest",
            "pidfd-namespaces",
            "pidfd-thread",
            "pidfd_open-thread-enoent",
            "procfs-pidns",
            "sender-translated",
            "set_tid-checked-first",
            "sigchld-process-status",
        ],
    ),
    kernel(
        "qemu-5.10",
        "5.10.0-46-cloud-amd64",
        &[
            "clone-autoreap",
            "core-dump-alone",
            "ended-thread-deaf",
            "exec-hands-on",
            "first-fork-may-fail",
            "init-threads-spared",
            "last-thread-status",
            "pid-translation",
            "pid_for_children-before-init",
            "pid_max-per-namespace",
            "pidfd-access-first",
            "pidfd-autokill",
            "pidfd-exit",
            "pidfd-hangs-up",
            "pidfd-info",
            "pidfd-info-eremote",
            "pidfd-info-guest",
            "pidfd-namespaces",
            "pidfd-thread",
            "pidfd_open-thread-enoent",
            "procfs-pidns",
            "put-in-place",
            "sender-for-each",
            "sender-translated",
            "set_tid-checked-first",
            "sigchld-process-status",
        ],
    ),
];

impl KernelFacts {
    /// The facts, for a model.
    pub fn facts(&self) -> pidlab_scenario::Facts {
        use pidlab_scenario::{Fact, Facts};
        Fact::ALL.iter().fold(Facts::newest(), |facts, fact| facts.with(*fact, !self.lacking.contains(&fact.word())))
    }
}

#[cfg(test)]
mod tests {
    use super::KERNELS;
    use pidlab_scenario::Fact;

    /// The cells of all tables.
    fn rows(page: &str) -> Vec<Vec<&str>> {
        page.lines()
            .filter(|line| line.starts_with('|'))
            .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
            .collect()
    }

    #[test]
    fn each_kernel_is_as_it_was_measured() {
        let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/kernels.md"));
        let page = page.expect("the page of kernels is in the source tree");
        let rows = rows(&page);
        let head = rows.iter().find(|row| row.get(1) == Some(&"native")).expect("there is a table of facts");
        for kernel in KERNELS {
            assert!(rows.iter().any(|row| row[0] == kernel.name && row[1] == kernel.release), "{}", kernel.name);
            let column = head.iter().position(|cell| *cell == kernel.name).expect("the kernel has a column");
            let facts = kernel.facts();
            for fact in Fact::ALL {
                let row = rows.iter().find(|row| row[0] == format!("`{fact}`")).expect("each fact has a row");
                assert_eq!(facts.holds(*fact), row[column] == "+", "{fact} on {}", kernel.name);
            }
        }
    }
}
