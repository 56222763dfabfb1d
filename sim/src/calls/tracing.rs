use pidlab_scenario::Errno;
use pidlab_scenario::syscall::PtraceRequest;

use crate::objects::ids::TaskId;
use crate::ptrace;
use crate::world::World;

/// # Tracing
///
/// ```
/// use pidlab_scenario::syscall::PtraceRequest;
/// use pidlab_scenario::{Errno, WaitOptions};
/// use pidlab_sim::{State, Waited, World};
///
/// let mut world = World::new();
/// let host = world.host();
/// let shell = world.fork(host)?;
/// let job = world.fork(shell)?;
/// world.ptrace(host, PtraceRequest::Seize { exitkill: false }, 3)?;
/// world.exit(job, 7);
/// // The parent's wait sleeps: the zombie is the tracer's.
/// assert_eq!(world.wait4(shell, -1, WaitOptions::empty())?, Waited::Blocks);
/// assert!(matches!(world.wait4(host, 3, WaitOptions::empty())?, Waited::Child { child, .. } if child == job));
/// assert!(world.can_act(shell), "now it has reaped it");
/// assert_eq!(world.state(job), None);
/// # Ok::<(), Errno>(())
/// ```
impl World {
    /// ptrace(2): of the process with this number in the caller's namespace.
    ///
    /// What an exec, a fault or an abort of a tracee brings upon it is not modelled.
    ///
    /// # Errors
    /// `ESRCH`: nobody has this number in the caller's namespace; or the caller is not its tracer, or does not hold it. `EPERM`: the caller
    /// may not trace it, or somebody does, or it has ended.
    ///
    /// # Panics
    /// If the caller cannot act, or the process that it would trace is one of several threads. Later: if a tracee makes a thread.
    ///
    /// # References
    /// ptrace(2); kernel/ptrace.c
    #[track_caller]
    pub fn ptrace(&mut self, caller: TaskId, request: PtraceRequest, pid: i32) -> Result<(), Errno> {
        self.begin(caller);
        let result = ptrace::sys_ptrace(self, caller, request, pid);
        self.finish(caller, result)
    }

    /// Whether a task is a process of one thread: only such can be traced here, and make no threads then.
    pub fn can_be_traced(&self, task: TaskId) -> bool {
        self.group_leader(task) == task && self.thread_group_empty(task)
    }
}
