//! A log as a program: for each role what it did, in order, and what was there before.

use std::collections::{BTreeMap, BTreeSet};

use pidlab_scenario::{ANOTHER_USER, Call, Entrance, NsLink, PidfdTarget, Role, Signal, Step, WaitStatus, WaitTarget};

use crate::before::Before;
use crate::calls::{Known, Logged, answer, changes_user, deed, needs_permission};
use crate::event::{Answer, Deed, Event, NEVER};
use crate::log::{Log, Unreadable, What};
use crate::shown::shown;
use crate::signalfd::{Signalfds, is_from_the_kernel, is_read, makes_one};
use crate::tasks::{Tasks, makes_a_task};
use crate::users::{Becomes, Users};
use crate::words::{number, outer_number, set_field, signal};

/// What is looked for an order of.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    /// By role.
    pub(crate) roles: Vec<Actor>,
    /// What happened before the log began: each with the number that is tried next in the outermost namespace.
    pub(crate) prologue: Vec<(Option<u32>, Step)>,
    /// Who recorded it.
    pub(crate) recorder: Role,
    /// Calls for which the language has no words, and how many there are.
    pub(crate) lacking: BTreeMap<String, usize>,
    /// Whether the log shows when handlers return.
    pub(crate) masks: bool,
}

/// A role and what it does.
#[derive(Clone, Debug, Default)]
pub(crate) struct Actor {
    pub(crate) name: String,
    pub(crate) events: Vec<Event>,
}

impl Program {
    pub(crate) fn of(log: &Log, partial: bool) -> Result<Program, Unreadable> {
        let tasks = Tasks::of(log, partial)?;
        let before = Before::of(log, &tasks);
        let first = before.roles.len();
        let mut program = Program {
            roles: before.roles.iter().map(|name| Actor { name: name.clone(), events: Vec::new() }).collect(),
            prologue: before.steps,
            recorder: before.recorder,
            lacking: BTreeMap::new(),
            masks: log.records.iter().any(|record| record.is_call("rt_sigreturn")),
        };
        let mut translator = Translator::new(log, &tasks, first);
        for (at, task) in tasks.list.iter().enumerate() {
            let events = translator.events(at, &mut program.lacking);
            let name = translator.name(at, &program.roles, task.pid);
            program.roles.push(Actor { name, events });
        }
        for name in translator.failed {
            program.roles.push(Actor { name, events: Vec::new() });
        }
        program.call_the_one_user_another();
        Ok(program)
    }

    /// The language has one user beside root. Where a log has one, that is who it is.
    fn call_the_one_user_another(&mut self) {
        let events = self.roles.iter_mut().flat_map(|actor| &mut actor.events);
        let calls = events.filter_map(|event| if let Deed::Call(call) = &mut event.deed { Some(call) } else { None });
        let all = calls.chain(self.prologue.iter_mut().map(|(_, step)| &mut step.call));
        let users = all.filter_map(|call| if let Call::Setuid { uid } = call { Some(uid) } else { None });
        let others: Vec<&mut u32> = users.filter(|uid| **uid != 0).collect();
        if others.iter().all(|uid| **uid == *others[0]) {
            others.into_iter().for_each(|uid| *uid = ANOTHER_USER);
        }
    }

    /// How many answers of the kernel are in it.
    pub(crate) fn judged(&self) -> usize {
        self.roles.iter().flat_map(|actor| &actor.events).filter(|event| event.is_judged()).count()
    }

    /// The roles that a call names, and not by a number.
    pub(crate) fn named(&self) -> Vec<Role> {
        let events = self.roles.iter().flat_map(|actor| &actor.events);
        let named = events.filter_map(|event| match &event.deed {
            Deed::Call(Call::Waitid { target: WaitTarget::Pidfd(role), .. }) => Some(*role),
            Deed::Call(Call::PidfdSendSignal { of: PidfdTarget::Held(role), .. }) => Some(*role),
            Deed::Call(Call::Setns { to: Entrance::Process(role), .. }) => Some(*role),
            _ => None,
        });
        named.collect()
    }

    /// How many events.
    pub(crate) fn len(&self) -> usize {
        self.roles.iter().map(|actor| actor.events.len()).sum()
    }
}

struct Translator<'a> {
    log: &'a Log,
    tasks: &'a Tasks,
    /// The role of the first task.
    first: usize,
    /// Who would have been made by calls that failed.
    failed: Vec<String>,
    /// The process that a task is of, by its first task.
    process: Vec<usize>,
    /// The handlers that a process installs: the line, the signal, what it blocks.
    handlers: BTreeMap<usize, Vec<(usize, Signal, Vec<Signal>)>>,
    /// Whose a record is.
    owner: Vec<usize>,
    /// By task, the record of the call that made it.
    maker: BTreeMap<usize, usize>,
    /// Numbers of somebody in the log, in whichever namespace.
    numbers: BTreeSet<i64>,
    signalfds: Signalfds,
    users: Users,
    /// Namespaces by their inodes: when they were opened, and by which link of whom.
    opened: BTreeMap<String, (usize, NsLink)>,
}

impl<'a> Translator<'a> {
    fn new(log: &'a Log, tasks: &'a Tasks, first: usize) -> Translator<'a> {
        let mut translator = Translator {
            log,
            tasks,
            first,
            failed: Vec::new(),
            process: (0..tasks.list.len()).collect(),
            handlers: BTreeMap::new(),
            owner: vec![0; log.records.len()],
            maker: tasks.born.iter().map(|(record, child)| (*child, *record)).collect(),
            numbers: tasks.list.iter().map(|task| i64::from(task.pid)).collect(),
            signalfds: Signalfds::of(log),
            users: Users::of(log, tasks),
            opened: BTreeMap::new(),
        };
        for (at, task) in tasks.list.iter().enumerate() {
            task.records.iter().for_each(|record| translator.owner[*record] = at);
        }
        translator.find_numbers();
        translator.find_processes();
        translator.find_handlers();
        translator.find_namespaces();
        translator
    }

    /// The numbers that tasks of the log have in other namespaces than strace's.
    fn find_numbers(&mut self) {
        for record in &self.log.records {
            let What::Call { name, arguments, result } = &record.what else { continue };
            let made = result.as_deref().filter(|_| makes_a_task(name)).and_then(number);
            self.numbers.extend(made);
            for text in arguments.iter().chain(result) {
                if outer_number(text).is_some_and(|pid| self.numbers.contains(&pid.into())) {
                    self.numbers.extend(number(text).map(i64::abs));
                }
            }
        }
    }

    fn find_processes(&mut self) {
        for (record, child) in &self.tasks.born {
            let What::Call { arguments, .. } = &self.log.records[*record].what else { continue };
            if arguments.iter().any(|argument| argument.contains("CLONE_THREAD")) {
                self.process[*child] = self.process[self.owner[*record]];
            }
        }
    }

    fn find_handlers(&mut self) {
        for (at, task) in self.tasks.list.iter().enumerate() {
            for record in task.records.iter().map(|record| &self.log.records[*record]) {
                let What::Call { name, arguments, .. } = &record.what else { continue };
                let (Some(signal), Some(given)) = (arguments.first().and_then(|name| signal(name)), arguments.get(1))
                else {
                    continue;
                };
                if name != "rt_sigaction" || !given.starts_with('{') {
                    continue;
                }
                let mut blocks = set_field(given, "sa_mask").unwrap_or_default();
                if !given.contains("SA_NODEFER") {
                    blocks.push(signal);
                }
                self.handlers.entry(self.process[at]).or_default().push((record.first, signal, blocks));
            }
        }
        self.handlers.values_mut().for_each(|handlers| handlers.sort_by_key(|(line, ..)| *line));
    }

    /// `openat(…, "/proc/4711/ns/pid", …) = 3<pid:[4026532201]>`
    fn find_namespaces(&mut self) {
        for (at, task) in self.tasks.list.iter().enumerate() {
            for record in task.records.iter().map(|record| &self.log.records[*record]) {
                let What::Call { name, arguments, result: Some(result) } = &record.what else { continue };
                let Some((_, inode)) = result.split_once("<pid:[").filter(|_| name.starts_with("open")) else {
                    continue;
                };
                let Some((inode, _)) = inode.split_once(']') else { continue };
                let path = arguments.iter().find_map(|argument| argument.split_once("/proc/").map(|(_, rest)| rest));
                let Some((whose, link)) = path.and_then(|path| path.split_once("/ns/")) else { continue };
                let link = if link.starts_with("pid_for_children") { NsLink::PidForChildren } else { NsLink::Pid };
                let whose = match whose.parse() {
                    Ok(pid) => self.tasks.at(pid, record.first),
                    Err(_) => Some(at),
                };
                if let Some(whose) = whose {
                    self.opened.insert(inode.to_owned(), (whose, link));
                }
            }
        }
    }

    fn role(&self, task: usize) -> Role {
        Role(u16::try_from(self.first + task).unwrap_or(u16::MAX))
    }

    fn events(&mut self, task: usize, lacking: &mut BTreeMap<String, usize>) -> Vec<Event> {
        let records = &self.tasks.list[task].records;
        let mut events: Vec<Event> = Vec::with_capacity(records.len());
        let mut edge = self.tasks.list[task].first;
        for at in records {
            let record = &self.log.records[*at];
            // What comes between two lines of a task comes after what the first is about, which may have been over right after it.
            let over = record.last.filter(|_| !self.log.apart).unwrap_or(record.first);
            let before = std::mem::replace(&mut edge, over).min(record.first);
            let last = record.last.unwrap_or(NEVER);
            let (first, deed, answer) = match &record.what {
                What::Call { name, .. } if name.starts_with("open") => match self.users.opens_map(*at) {
                    Some(of) => (record.first, Deed::Maps { of: self.role(of) }, Answer::Succeeds),
                    None => continue,
                },
                What::Call { name, arguments, result } => {
                    let call = Logged { name, arguments, result: result.as_deref() };
                    let answer = answer(&call);
                    // What else is read concerns no process.
                    if name == "read" {
                        events.extend(self.read(&call, answer, (record.first, last), lacking));
                        continue;
                    }
                    let deed = self.call(*at, &call).unwrap_or_else(|()| {
                        *lacking.entry(name.clone()).or_default() += 1;
                        Deed::Passes
                    });
                    (record.first, deed, answer)
                }
                What::Stopped => continue,
                What::Exited(status) => {
                    (before, Deed::Ended { status: WaitStatus::Exited((*status & 0xff) as u8) }, Answer::Never)
                }
                What::Killed(name) => match signal(name) {
                    Some(signal) => (before, Deed::Ended { status: WaitStatus::Killed(signal) }, Answer::Never),
                    None => continue,
                },
                What::Superseded(_) => (before, Deed::Superseded, Answer::Never),
                What::Signal { name, info } => match shown(info, Some(name)) {
                    Some(shown) => {
                        let blocks = self.blocks(task, record.first, shown.signal);
                        (before, Deed::Signal { shown, blocks }, Answer::Never)
                    }
                    None => continue,
                },
            };
            // A call that never came back is over when its caller is.
            if let (Deed::Ended { .. } | Deed::Superseded, Some(before)) = (&deed, events.last_mut())
                && before.answer == Answer::Never
                && !matches!(before.deed, Deed::Signal { .. } | Deed::Call(Call::Exit { .. } | Call::ExitThread { .. }))
            {
                before.last = last;
            }
            let line = if self.log.apart { record.first } else { record.last.unwrap_or(record.first) };
            // Capabilities that a user had kept are gone with its program: only now is it one that the model knows.
            if let (Deed::Call(Call::Exec), Becomes::User(uid)) = (&deed, self.users.becomes(*at)) {
                let deed = Deed::Call(Call::Setuid { uid });
                events.push(Event { first, last, line, deed, answer: Answer::Succeeds });
            }
            events.push(Event { first, last, line, deed, answer });
        }
        events
    }

    /// What was read from a signalfd.
    fn read(
        &self,
        call: &Logged<'_>,
        answer: Answer,
        (first, last): (usize, usize),
        lacking: &mut BTreeMap<String, usize>,
    ) -> Vec<Event> {
        if !is_read(call) {
            return Vec::new();
        }
        let line = if self.log.apart || last == NEVER { first } else { last };
        let taken = self.signalfds.read(call, answer).unwrap_or_else(|()| {
            *lacking.entry("read of a signalfd".to_owned()).or_default() += 1;
            Vec::new()
        });
        taken.into_iter().map(|(deed, answer)| Event { first, last, line, deed, answer }).collect()
    }

    fn call(&mut self, record: usize, call: &Logged<'_>) -> Result<Deed, ()> {
        // What comes out of it is judged where it is read.
        if makes_one(call.name) && self.signalfds.are_read {
            return Ok(Deed::Passes);
        }
        if is_from_the_kernel(call, &answer(call)) {
            return Err(());
        }
        if changes_user(call.name) {
            return match self.users.becomes(record) {
                Becomes::Same => Ok(Deed::Passes),
                Becomes::User(uid) => Ok(Deed::Call(Call::Setuid { uid })),
                Becomes::Unsaid => Err(()),
            };
        }
        // Who it is decides, and that is not known.
        if answer(call) == Answer::Fails("EPERM".to_owned())
            && needs_permission(call.name)
            && !self.users.is_known(record)
        {
            return Err(());
        }
        let mut child =
            self.tasks.born.get(&record).map(|child| (self.role(*child), Some(self.tasks.list[*child].pid)));
        if child.is_none() && makes_a_task(call.name) && matches!(answer(call), Answer::Fails(_)) {
            let role = self.role(self.tasks.list.len() + self.failed.len());
            self.failed.push(format!("nobody-{}", self.failed.len() + 1));
            child = Some((role, None));
        }
        let line = self.log.records[record].first;
        let caller = self.role(self.owner[record]);
        deed(call, &AtLine { translator: self, child, caller, line })
    }

    /// What a handler of a process blocks while it runs, as last set before this line.
    fn blocks(&self, task: usize, line: usize, signal: Signal) -> Vec<Signal> {
        let handlers = self.handlers.get(&self.process[task]).map(Vec::as_slice).unwrap_or_default();
        let set = handlers.iter().rev().find(|(at, of, _)| *at < line && *of == signal);
        // It was inherited by a fork, and the mask with it.
        set.map_or_else(|| vec![signal], |(.., blocks)| blocks.clone())
    }

    /// `sleep-4711`: the program that it ran last, and its number.
    fn name(&self, task: usize, taken: &[Actor], pid: u32) -> String {
        let program = |task: usize| {
            self.tasks.list[task].records.iter().rev().find_map(|record| match &self.log.records[*record].what {
                What::Call { name, arguments, result: Some(result) } if name == "execve" && result.starts_with('0') => {
                    let path = arguments.first()?.trim_matches(['"', '.']);
                    path.rsplit('/').next().map(str::to_owned)
                }
                _ => None,
            })
        };
        let line = std::iter::successors(Some(task), |task| self.maker.get(task).map(|record| self.owner[*record]));
        let base = line.take(64).find_map(program).unwrap_or_else(|| "task".to_owned());
        let mut base: String =
            base.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-' || *c == '_').take(16).collect();
        if !base.starts_with(|c: char| c.is_ascii_alphabetic()) {
            base.insert(0, 'p');
        }
        let name = format!("{base}-{pid}");
        let used =
            taken.iter().filter(|actor| actor.name == name || actor.name.starts_with(&format!("{name}_"))).count();
        if used == 0 { name } else { format!("{name}_{}", used + 1) }
    }
}

/// What is known where a call stands in the log.
struct AtLine<'t, 'a> {
    translator: &'t Translator<'a>,
    child: Option<(Role, Option<u32>)>,
    caller: Role,
    line: usize,
}

impl Known for AtLine<'_, '_> {
    fn child(&self) -> Option<(Role, Option<u32>)> {
        self.child
    }

    fn caller(&self) -> Role {
        self.caller
    }

    fn by_outer_number(&self, number: u32) -> Option<Role> {
        self.translator.tasks.at(number, self.line).map(|task| self.translator.role(task))
    }

    fn opened(&self, inode: &str) -> Option<(Role, NsLink)> {
        self.translator.opened.get(inode).map(|(task, link)| (self.translator.role(*task), *link))
    }

    fn may_be_known(&self, wanted: i64) -> bool {
        wanted <= 1 || self.translator.numbers.contains(&wanted)
    }
}
