//! Looking at a machine that goes on meanwhile.

use std::io;
use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, pidfd_open};

use crate::explain::{explain, explain_process};
use crate::finding::{Condition, Finding, Report};
use crate::reader::Procfs;
use crate::snapshot::Belongs;

impl Procfs {
    /// Looks for what is stuck, or at one process; nothing if there is no process with this PID. Where something seems to be stuck it looks
    /// twice, with this time between: what has changed is on its way, and not stuck. Who has gone between the two looks was there, and nothing is
    /// found of it any more.
    ///
    /// # Errors
    /// As [`Procfs::read`].
    pub fn look(&self, pid: Option<u32>, moment: Duration) -> io::Result<Option<Report>> {
        let Some(first) = self.once(pid)? else { return Ok(None) };
        if !first.is_stuck() {
            return Ok(Some(first));
        }
        rest(&first, moment);
        let second = self.once(pid)?.map(|second| second.since(&first));
        Ok(Some(second.unwrap_or(Report { findings: Vec::new(), ..first })))
    }

    fn once(&self, pid: Option<u32>) -> io::Result<Option<Report>> {
        let snapshot = self.read()?;
        Ok(match pid {
            None => Some(explain(&snapshot)),
            Some(pid) => {
                let mut snapshot = snapshot;
                // It may be nobody of whom more is read.
                snapshot.processes.iter_mut().filter(|process| process.pid == pid).for_each(|it| self.add_detail(it));
                explain_process(&snapshot, pid)
            }
        })
    }
}

/// Waits for this long, or until an init that is waited for has ended.
pub fn rest(report: &Report, at_most: Duration) {
    let ends_alone = |finding: &&Finding| matches!(finding.condition, Condition::Emptying | Condition::Killed);
    // A PID of another namespace is somebody else's here.
    let stuck = report.findings.iter().filter(|_| report.view.procfs == Belongs::Own).filter(ends_alone);
    let pidfds: Vec<OwnedFd> = stuck
        .filter_map(|finding| Pid::from_raw(i32::try_from(finding.who.pid).ok()?))
        .filter_map(|pid| pidfd_open(pid, PidfdFlags::empty()).ok())
        .collect();
    let mut polled: Vec<PollFd<'_>> = pidfds.iter().map(|pidfd| PollFd::new(pidfd, PollFlags::IN)).collect();
    // A failure only means that it is looked at again sooner.
    let _ = poll(&mut polled, Timespec::try_from(at_most).ok().as_ref());
}
