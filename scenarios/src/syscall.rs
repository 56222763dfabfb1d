//! From a step to its system call.
//!
//! A scenario speaks of processes by name and leaves out what goes without saying. The kernel knows numbers and wants every
//! argument. What lies between is decided here, once: [`lower`] turns a step into a [`Syscall`], and every machine executes
//! that. So two machines cannot understand one step in two ways.
//!
//! ```text
//! kill pid = "leaf"                  kill(4, …)
//! kill group = "job"                 kill(-3, …)
//! tgkill pid = "thread"              tgkill(2, 5, …)      both numbers: its process's and its own
//! tgkill pid = 5                     tgkill(5, 5, …)
//! fork                               clone3(SIGCHLD)
//! wait pidfd = "leaf"                waitid(P_PIDFD, …, WEXITED)
//! ```
//!
//! What only the machine knows (who has which number just now) it says through [`Roles`].

mod kinds;
mod look;
mod lowering;
mod roles;
mod who;

pub use kinds::{PtraceRequest, Syscall, WaitId};
pub use look::Look;
pub use lowering::lower;
pub use roles::Roles;
pub use who::{LookedAt, Pidfd};
