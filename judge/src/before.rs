//! Who was there before a log began: the recorder, its process group and its session.
//!
//! `pidlab record` says so. Of other logs it is taken from the first answers that tell it; what none tells makes no difference.

use pidlab_scenario::{Call, MaskChange, Role, Signal, SignalAction, Step, Target};

use crate::log::{Log, What};
use crate::tasks::Tasks;
use crate::users::recorder;
use crate::words::number;

/// The roles before those of the log, and how they came to be.
pub(crate) struct Before {
    pub(crate) roles: Vec<String>,
    pub(crate) steps: Vec<(Option<u32>, Step)>,
    /// Who records, which is who has made the first process of the log.
    pub(crate) recorder: Role,
}

impl Before {
    pub(crate) fn of(log: &Log, tasks: &Tasks) -> Before {
        let header = &log.header;
        let root = tasks.list.first().map_or(2, |task| task.pid);
        let spare = (2..).find(|number| tasks.list.iter().all(|task| task.pid != *number)).unwrap_or(2);
        let tracer = header.tracer.or_else(|| first_answer(log, tasks, &["getppid"])).unwrap_or(spare).max(1);
        let group = header.pgid.or_else(|| first_answer(log, tasks, &["getpgrp", "getpgid"])).unwrap_or(tracer);
        let session = header.sid.or_else(|| first_answer(log, tasks, &["getsid"])).unwrap_or(group);
        let mut before = Before { roles: vec!["host".to_owned()], steps: Vec::new(), recorder: Role::HOST };
        let mut maker = Role::HOST;
        if session > 1 && session != tracer {
            maker = before.make(maker, "session", session);
            before.step(maker, Call::Setsid);
        }
        if group > 1 && group != session && group != tracer {
            maker = before.make(maker, "group", group);
            before.step(maker, Call::Setpgid { pid: itself(), group: itself() });
        }
        if tracer > 1 {
            maker = before.make(maker, "tracer", tracer);
            if session == tracer {
                before.step(maker, Call::Setsid);
            } else if group == tracer {
                before.step(maker, Call::Setpgid { pid: itself(), group: itself() });
            }
        }
        if let Some(uid) = recorder(header) {
            before.step(maker, Call::Setuid { uid });
        }
        for step in inherited(maker, header.blocked, header.ignored) {
            before.steps.push((None, step));
        }
        let child = Role(u16::try_from(before.roles.len()).unwrap_or(u16::MAX));
        before.steps.push((Some(root), Step::new(maker, Call::Fork { child })));
        before.recorder = maker;
        before
    }

    fn make(&mut self, maker: Role, name: &str, number: u32) -> Role {
        let child = Role(u16::try_from(self.roles.len()).unwrap_or(u16::MAX));
        self.roles.push(name.to_owned());
        self.steps.push((Some(number), Step::new(maker, Call::Fork { child })));
        child
    }

    fn step(&mut self, by: Role, call: Call) {
        self.steps.push((None, Step::new(by, call)));
    }
}

/// The steps that give somebody the signal mask and the ignored signals of a header.
fn inherited(role: Role, blocked: u64, ignored: u64) -> Vec<Step> {
    let signals = |bits: u64| (1..=64).filter_map(Signal::new).filter(move |it| bits & 1 << (it.number() - 1) != 0);
    let fixed = |signal: &Signal| !matches!(*signal, Signal::KILL | Signal::STOP);
    let blocked = signals(blocked).filter(fixed).map(|signal| Call::Sigprocmask { how: MaskChange::Block, signal });
    let ignored = signals(ignored).filter(fixed).map(|signal| Call::Sigaction { signal, action: SignalAction::Ignore });
    blocked.chain(ignored).map(|call| Step::new(role, call)).collect()
}

/// The number itself, as a target.
fn itself() -> Target {
    Target::Number(0)
}

/// The first answer to a call of this name.
fn first_answer(log: &Log, tasks: &Tasks, names: &[&str]) -> Option<u32> {
    let root = tasks.list.first()?;
    let records = root.records.iter().map(|at| &log.records[*at]);
    let unchanged = records.take_while(|record| !record.is_call("setsid") && !record.is_call("setpgid"));
    unchanged
        .filter_map(|record| match &record.what {
            What::Call { name, result: Some(result), arguments } if names.contains(&name.as_str()) => {
                let own = |pid: &String| number(pid).is_some_and(|pid| pid == 0 || pid == i64::from(root.pid));
                number(result)
                    .filter(|_| arguments.first().is_none_or(own))
                    .and_then(|number| u32::try_from(number).ok())
            }
            _ => None,
        })
        .next()
}
