use crate::{Fact, Role, State};

/// What a machine knows of a scenario's processes at this moment.
pub trait Roles {
    /// Whether the process has been made, even if it is gone by now.
    fn is_born(&self, role: Role) -> bool;

    /// What it is doing; `None` if it is not born, or released.
    fn state(&self, role: Role) -> Option<State>;

    /// The number that a process or thread has, or last had, in the PID namespace of another; `None` if it has none there.
    fn number(&self, caller: Role, of: Role) -> Option<i32>;

    /// The same of the process that it is, or is or was a thread of: its TGID.
    fn process_number(&self, caller: Role, of: Role) -> Option<i32>;

    /// Whether it was born as a thread of a process that there was.
    fn was_born_a_thread(&self, role: Role) -> bool;

    /// In how many of the scenario's namespaces the next child of a process will have a number, without a new namespace.
    fn levels_for_children(&self, caller: Role) -> usize;

    /// Whether the user of a process is root.
    fn is_root(&self, role: Role) -> bool;

    /// Whether a process is in a user namespace that the scenario made.
    fn has_own_user_namespace(&self, role: Role) -> bool;

    /// Whether it has a tracer.
    fn is_traced(&self, role: Role) -> bool;

    /// Whether this number of another process's namespace is that of a process that is not the other's own, and of several threads, or of
    /// one of them.
    fn is_among_threads(&self, caller: Role, number: i32) -> bool;

    /// Whether the processes are those of a recording: of whichever users they were, with programs of their own, and all traced by who recorded them.
    fn is_recorded(&self) -> bool {
        false
    }

    /// Whether this fact holds where the machine runs.
    fn holds(&self, fact: Fact) -> bool;
}
