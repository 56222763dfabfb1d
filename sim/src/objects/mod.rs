//! What there is: one record for each struct of the kernel, and nothing that happens.

use crate::storage::again::clone_by_fields;
use pid_namespace::PidNamespace;

pub(crate) mod ids;

pub(crate) mod pid_namespace;

pub(crate) mod pid;

pub(crate) mod task;

pub(crate) mod tracing;

pub(crate) mod signal_struct;

pub(crate) mod sighand;

pub(crate) mod sigpending;

pub(crate) mod cred;

pub(crate) mod clone_args;

pub(crate) mod ns_file;

pub(crate) mod notify;

pub(crate) mod wait_opts;

#[rustfmt::skip]
clone_by_fields!(PidNamespace {
    id, parent, level, child_reaper, adding, pid_allocated, idr, cursor, pid_max,
    reboot, user_ns, ucounts, count, serial,
});

#[cfg(test)]
mod tests {
    use super::{pid::Pid, signal_struct::SignalStruct, task::Task};

    /// A process at depth 1 has one of each, and at both levels a place in the table of numbers, which is little more than 4 bytes
    /// (`storage::idr`): 148 in all, of the 160 that it may have. What nearly nobody has stands in maps of the world.
    #[test]
    fn a_process_is_small() {
        let bytes = [size_of::<Task>(), size_of::<SignalStruct>(), size_of::<Pid>()];
        assert_eq!(bytes, [64, 48, 28]);
    }

    /// A world is copied at each choice of a search; these are copied as bytes, and a slot is emptied without looking at what was in it.
    #[test]
    fn nothing_hangs_on_a_record() {
        let hangs =
            [std::mem::needs_drop::<Task>(), std::mem::needs_drop::<SignalStruct>(), std::mem::needs_drop::<Pid>()];
        assert_eq!(hangs, [false; 3]);
    }
}
