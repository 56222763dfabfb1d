//! Message queues, as far as they tell of a message: a signal to who asked for it, which says who has sent the message.
//!
//! ```text
//!   mq_notify   the process is noted, by its PID (struct pid), and the signal
//!   mq_send     to an empty queue: the signal is sent, once, in the name of who sends the message, and nobody is noted any more
//!   exec        closes the queue, and who closes it is not told
//!   clone       without CLONE_FILES copies the descriptors; where it fails after that, the copies are closed, by who calls it: as if
//!               that one had closed its own
//! ```
//!
//! A queue is empty between two calls here, for who sends a message takes it out again.
//!
//! In the kernel: ipc/mqueue.c.

use pidlab_scenario::{Errno, Signal};

use crate::capable::kill_ok_by_cred;
use crate::objects::ids::TaskId;
use crate::objects::notify::Notify;
use crate::objects::sigpending::To;
use crate::pid::task_tgid_nr_ns;
use crate::rule::{self, Rule};
use crate::signal::info::Info;
use crate::signal::send::send_signal;
use crate::world::World;

/// mq_notify(2), on the queue with this number of the caller's choice, which is made if there is none.
///
/// # Errors
/// `EBUSY`: somebody is to be told already.
///
/// # References
/// ipc/mqueue.c:do_mq_notify
pub(crate) fn sys_mq_notify(w: &mut World, caller: TaskId, number: u16, signal: Option<Signal>) -> Result<(), Errno> {
    let owner = w.group_leader(caller);
    let noted = w.queues.entry(number).or_default();
    *noted = match (*noted, signal) {
        (Some(_), Some(_)) => {
            w.because(&rule::MQ_ONE_AT_A_TIME, caller);
            return Err(Errno::EBUSY);
        }
        (_, signal) => signal.map(|signal| Notify { owner, signal }),
    };
    Ok(())
}

/// mq_timedsend(2) of a message to the queue with this number, and mq_timedreceive(2) of the same message.
///
/// # Errors
/// `EBADF`: there is no such queue.
///
/// # References
/// ipc/mqueue.c:do_mq_timedsend, __do_notify
pub(crate) fn sys_mq_timedsend(w: &mut World, caller: TaskId, number: u16) -> Result<(), Errno> {
    let noted = w.queues.get_mut(&number).ok_or(Errno::EBADF)?.take();
    let Some(Notify { owner, signal }) = noted else { return Ok(()) };
    let Some(owner) = w.there(Some(owner)) else { return Ok(()) };
    w.because(&rule::MQ_TELLS_ONCE, owner);
    let si_pid = task_tgid_nr_ns(w, caller, w.active_ns(owner)).map_or(0, |number| number.get());
    if w.sighand(owner).caught.contains(signal) {
        w.because(&rule::MQ_SENDER, owner);
    }
    if w.explains() && !kill_ok_by_cred(w, caller, owner) {
        w.because(&rule::MQ_NEEDS_NO_PERMISSION, owner);
    }
    send_signal(w, signal, &mut Info::User { si_pid }, owner, To::Process);
    Ok(())
}

/// The first thread's PID is another thread's now, and who is told is noted by the PID.
pub(crate) fn owner_by_pid(w: &mut World, from: TaskId, to: TaskId) {
    w.queues.values_mut().flatten().filter(|noted| noted.owner == from).for_each(|noted| noted.owner = to);
}

/// The descriptors of a process are closed, or copies of them in its name: it is told no more of messages to queues that it has open.
///
/// # References
/// ipc/mqueue.c:mqueue_flush_file
pub(crate) fn mqueue_flush_files(w: &mut World, task: TaskId, rule: &'static Rule) {
    let process = w.task(task).signal;
    let own = |noted: &Notify| w.is_there(noted.owner) && w.task(noted.owner).signal == process;
    let closed: Vec<u16> =
        w.queues.iter().filter(|(_, noted)| noted.as_ref().is_some_and(own)).map(|(at, _)| *at).collect();
    for number in closed {
        w.because(rule, task);
        w.queues.insert(number, None);
    }
}
