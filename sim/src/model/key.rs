//! A world without its history, as a few bytes.
//!
//! [`World`](crate::World) is equal to another where nothing can tell them apart who knows the names of objects. Names have a history: a
//! task in the third slot is not the one in the second, a namespace knows how many there were before it. Whoever explores wants less: a
//! world in which one process was born and reaped goes on like one in which nothing happened. So everything that refers to an object is
//! written as its place in the order in which the walk below meets it: tasks in the order of roles, then what they lead to.
//!
//! ```text
//!   roles ──▶ tasks ──▶ processes ──▶ tables of actions, memories
//!               │           └───────▶ struct pids (group, session) ──▶ namespaces ──▶ around them, user namespaces
//!               └──▶ struct pid, namespace for children, credentials, the call that it is in
//! ```
//!
//! What no role leads to cannot make a difference: it is not written. What follows from the rest (counts of users, lists that are written
//! from the other end) is not written either.

use std::hash::{Hash, Hasher};

use pidlab_scenario::{Outcome, Role};

use super::cast::Branch;
use crate::objects::ids::{FsId, MmId, NsId, PidId, SighandId, SignalId, TaskId, UserNsId};
use crate::objects::ns_file::NsFile;
use crate::objects::pid_namespace::ChildReaper;
use crate::objects::sigpending::Queue;
use crate::objects::wait_opts::{WaitFor, Waited, Who};
use crate::pid::numbers;
use crate::world::{InCall, Return, World};

/// How a [key](crate::Position::key) takes the numbers that processes have.
///
/// Exhaustive on purpose: a number is either looked at or not.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Numbers {
    /// As they are, and with them which one is tried next, and those of processes that are reaped.
    Exact,
    /// By who has one in which namespace, and not which. That is enough where nobody names a number that is not a process's, and none is
    /// given out for the second time.
    Renamed,
}

/// Nobody, where a place could stand.
const NOBODY: u8 = u8::MAX;
/// Somebody who is released.
const STRANGER: u8 = u8::MAX - 1;

/// Writes the key of a world.
pub(super) fn write(branch: &Branch, kind: Numbers, bytes: &mut Vec<u8>) {
    write_with(branch, kind, true, bytes);
}

/// The same, with the order of births or without it: that in which kill(-1) goes round, of which nobody can tell but by who is signalled first.
pub(super) fn write_with(branch: &Branch, kind: Numbers, births: bool, bytes: &mut Vec<u8>) {
    let tasks: Vec<TaskId> = branch.known_roles().map(|(_, task)| task).collect();
    let mut key = Key {
        w: &branch.world,
        branch,
        kind,
        tasks,
        processes: Vec::new(),
        pids: Vec::new(),
        namespaces: Vec::new(),
        user_namespaces: vec![UserNsId::OUTERMOST],
        sighands: Vec::new(),
        mms: Vec::new(),
        fs: Vec::new(),
        out: Bytes(bytes),
    };
    key.all(births);
}

struct Key<'a> {
    w: &'a World,
    branch: &'a Branch,
    kind: Numbers,
    /// By role; of the others each in the order in which it was met.
    tasks: Vec<TaskId>,
    processes: Vec<SignalId>,
    pids: Vec<PidId>,
    namespaces: Vec<NsId>,
    user_namespaces: Vec<UserNsId>,
    sighands: Vec<SighandId>,
    mms: Vec<MmId>,
    fs: Vec<FsId>,
    out: Bytes<'a>,
}

/// The place of something in a list, at the end if it was not met before.
fn place<T: Copy + PartialEq>(list: &mut Vec<T>, of: T) -> u8 {
    let at = list.iter().position(|known| *known == of).unwrap_or_else(|| {
        list.push(of);
        list.len() - 1
    });
    u8::try_from(at).unwrap_or(STRANGER)
}

impl Key<'_> {
    fn all(&mut self, births: bool) {
        self.out.byte(self.tasks.len());
        for index in 0..self.tasks.len() {
            self.task(self.tasks[index]);
        }
        if births {
            self.births();
        }
        self.roles();
        // Each list can grow while the next ones are written, and none after its own turn.
        let mut at = 0;
        while at < self.processes.len() {
            self.process(self.processes[at]);
            at += 1;
        }
        self.tracing();
        for index in 0..self.sighands.len() {
            self.sighand(self.sighands[index]);
        }
        for index in 0..self.mms.len() {
            let undumpable = self.w.undumpable.contains(&self.mms[index]);
            self.out.byte(usize::from(undumpable));
        }
        self.kept();
        self.queues();
        at = 0;
        while at < self.pids.len() {
            self.pid(self.pids[at]);
            at += 1;
        }
        at = 0;
        while at < self.namespaces.len() {
            self.namespace(self.namespaces[at]);
            at += 1;
        }
        at = 0;
        while at < self.user_namespaces.len() {
            self.user_namespace(self.user_namespaces[at]);
            at += 1;
        }
    }

    fn is_exact(&self) -> bool {
        self.kind == Numbers::Exact
    }

    fn task_place(&self, task: Option<TaskId>) -> u8 {
        let at = task.map(|task| self.tasks.iter().position(|known| *known == task));
        match at {
            None => NOBODY,
            Some(at) => at.and_then(|at| u8::try_from(at).ok()).unwrap_or(STRANGER),
        }
    }

    fn put_task(&mut self, task: Option<TaskId>) {
        let place = self.task_place(task);
        self.out.write_u8(place);
    }

    fn put_pid(&mut self, pid: PidId) {
        let place = place(&mut self.pids, pid);
        self.out.write_u8(place);
    }

    fn put_ns(&mut self, ns: Option<NsId>) {
        let place = ns.map_or(NOBODY, |ns| place(&mut self.namespaces, ns));
        self.out.write_u8(place);
    }

    fn put_user_ns(&mut self, ns: Option<UserNsId>) {
        let place = ns.map_or(NOBODY, |ns| place(&mut self.user_namespaces, ns));
        self.out.write_u8(place);
    }

    fn put_process(&mut self, process: Option<SignalId>) {
        let place = process.map_or(NOBODY, |process| place(&mut self.processes, process));
        self.out.write_u8(place);
    }

    fn task(&mut self, id: TaskId) {
        let w = self.w;
        let task = w.task(id);
        self.put_process(Some(task.signal));
        self.put_pid(task.thread_pid);
        self.put_task(task.real_parent);
        self.put_task(task.first_child);
        self.put_task(task.next_sibling);
        self.put_task(task.next_thread);
        self.put_ns(task.pid_ns_for_children);
        let cred = w.cred(id);
        self.out.number(cred.uid);
        self.put_user_ns(Some(cred.user_ns));
        cred.capable.hash(&mut self.out);
        cred.dropped.hash(&mut self.out);
        let fs = task.fs.map_or(NOBODY, |fs| place(&mut self.fs, fs));
        self.out.write_u8(fs);
        task.blocked.hash(&mut self.out);
        w.pending.of(Queue::Thread(id)).hash(&mut self.out);
        self.out.number(task.flags.bits());
        task.exit_code.hash(&mut self.out);
        task.exit_signal.hash(&mut self.out);
        task.pdeath_signal.hash(&mut self.out);
        task.stop_signal.hash(&mut self.out);
        self.out.byte(task.at as usize);
        self.out.byte(task.exit_state as usize);
        if let Some(call) = w.calls.get(&id) {
            self.call(call);
        }
        w.frames.get(&id).hash(&mut self.out);
    }

    fn call(&mut self, call: &InCall) {
        std::mem::discriminant(call).hash(&mut self.out);
        match call {
            InCall::Wait(opts) => {
                match opts.who {
                    Who::Any => self.out.write_u8(0),
                    Who::Nobody => self.out.write_u8(1),
                    Who::Pid(pid) => {
                        self.out.write_u8(2);
                        self.put_pid(pid);
                    }
                    Who::Pgrp(pid) => {
                        self.out.write_u8(3);
                        self.put_pid(pid);
                    }
                }
                match opts.asked {
                    WaitFor::Pidfd(task) => {
                        self.out.write_u8(0);
                        self.put_task(task);
                    }
                    // The number is looked up anew: it is who has it that matters, and that is not written by number.
                    WaitFor::Pid(_) if !self.is_exact() => self.out.write_u8(1),
                    WaitFor::Group(_) if !self.is_exact() => self.out.write_u8(2),
                    asked => asked.hash(&mut self.out),
                }
                self.out.number(opts.options.bits());
            }
            InCall::Vfork(child) => self.put_task(Some(*child)),
            InCall::Sigwait { set, real_blocked } => (set, real_blocked).hash(&mut self.out),
            InCall::Abort(step) => self.out.write_u8(*step),
            InCall::Returning(what) => self.returning(what),
        }
    }

    fn returning(&mut self, what: &Return) {
        match what {
            Return::Wait(Ok(Waited::Child { child, number, status })) => {
                self.out.write_u8(0);
                self.put_task(Some(*child));
                if self.is_exact() {
                    self.out.number(number.get());
                }
                status.hash(&mut self.out);
            }
            Return::Told => self.out.write_u8(1),
            other => other.hash(&mut self.out),
        }
    }

    /// The order of births, which is that in which kill(-1) goes round: mostly that of roles.
    fn births(&mut self) {
        let born = |task: &TaskId| self.w.pids[self.w.task(*task).thread_pid].born;
        let mut order: Vec<usize> = (0..self.tasks.len()).collect();
        order.sort_by_key(|index| born(&self.tasks[*index]));
        let unusual = !order.is_sorted();
        self.out.byte(usize::from(unusual));
        if unusual {
            order.into_iter().for_each(|index| self.out.byte(index));
        }
    }

    /// What is known of a role beside its task, and of those that are released what still answers to their names.
    fn roles(&mut self) {
        for role in (0..self.branch.named()).filter_map(|index| u16::try_from(index).ok()).map(Role) {
            let Some(known) = self.branch.known(role) else { continue };
            let is_released = self.branch.task(role).is_none();
            if is_released && !self.is_exact() {
                continue;
            }
            self.out.byte(usize::from(known.call.is_some()));
            if let Some((call, outcome)) = &known.call {
                call.hash(&mut self.out);
                self.outcome(outcome.as_ref());
            }
            if self.is_exact() {
                self.out.byte(usize::from(is_released));
                let held = known.held.map_or(NOBODY, |pid| place(&mut self.pids, pid));
                self.out.write_u8(held);
                (known.is_thread, known.on_a_leash, self.branch.ended(role)).hash(&mut self.out);
                self.numbers(&known.numbers);
                self.numbers(&known.process_numbers);
                self.tid_words(role);
            }
        }
    }

    fn outcome(&mut self, outcome: Option<&Outcome>) {
        match outcome {
            Some(Outcome::Ok(_)) if !self.is_exact() => self.out.write_u8(1),
            Some(Outcome::Waited { child, status, .. }) if !self.is_exact() => {
                self.put_task(self.branch.task(*child));
                status.hash(&mut self.out);
            }
            outcome => outcome.hash(&mut self.out),
        }
    }

    /// Numbers that outlive their process, in those of their namespaces that are still there.
    fn numbers(&mut self, numbers: &[(u64, u32)]) {
        self.out.byte(numbers.len());
        for (serial, number) in numbers {
            let there = self.w.namespaces().find(|ns| self.w.namespace_serial(*ns) == *serial);
            self.put_ns(there);
            if there.is_some() {
                self.out.number(*number);
            }
        }
    }

    fn tid_words(&mut self, role: Role) {
        let words = self.branch.tid_words(role).copied();
        self.out.byte(usize::from(words.is_some()));
        if let Some(words) = words {
            self.put_task(words.clears);
            self.out.number(words.parent_tid);
            self.out.number(words.child_tid);
        }
    }

    fn process(&mut self, id: SignalId) {
        let process = self.w.sig(id);
        self.put_task(Some(process.leader));
        self.put_task(Some(process.curr_target));
        self.out.number(process.group_stop_count);
        self.out.number(process.flags.bits().into());
        process.group_exit_code.hash(&mut self.out);
        self.put_pid(process.pgrp);
        self.put_pid(process.session);
        self.put_process(process.pgrp_next);
        let sighand = place(&mut self.sighands, process.sighand);
        self.out.write_u8(sighand);
        let mm = process.mm.map_or(NOBODY, |mm| place(&mut self.mms, mm));
        self.out.write_u8(mm);
        self.w.pending.of(Queue::Process(id)).hash(&mut self.out);
    }

    fn tracing(&mut self) {
        for index in 0..self.tasks.len() {
            let task = self.tasks[index];
            if let Some(tracing) = self.w.tracing.get(&task) {
                self.out.byte(index);
                self.put_task(Some(tracing.tracer));
                (tracing.seized, tracing.exitkill).hash(&mut self.out);
                self.w.traps.get(&task).hash(&mut self.out);
            }
        }
        self.out.write_u8(NOBODY);
        self.out.byte(self.w.ptraced.len());
        for (tracer, tracee) in &self.w.ptraced {
            self.put_task(Some(*tracer));
            self.put_task(Some(*tracee));
        }
    }

    fn sighand(&mut self, id: SighandId) {
        let sighand = &self.w.sighands[id];
        (sighand.ignored, sighand.caught, sighand.restart, sighand.no_cld_wait).hash(&mut self.out);
    }

    fn kept(&mut self) {
        self.out.byte(self.w.kept.len());
        for (role, file) in &self.w.kept {
            self.out.number((*role).into());
            match *file {
                NsFile::Pid(ns) => self.put_ns(Some(ns)),
                NsFile::User(ns) => {
                    self.out.write_u8(NOBODY);
                    self.put_user_ns(Some(ns));
                }
            }
        }
    }

    /// Hardly ever there is one; what follows otherwise does not begin so.
    fn queues(&mut self) {
        if self.w.queues.is_empty() {
            return;
        }
        self.out.write_u8(NOBODY);
        self.out.byte(self.w.queues.len());
        for (role, told) in &self.w.queues {
            self.out.number((*role).into());
            self.put_task(told.map(|notify| notify.owner));
            told.map(|notify| notify.signal).hash(&mut self.out);
        }
    }

    fn pid(&mut self, id: PidId) {
        let pid = &self.w.pids[id];
        self.put_ns(Some(pid.ns));
        self.put_task(pid.task);
        if self.is_exact() {
            numbers(self.w, id).iter().for_each(|number| self.out.number(*number));
        }
    }

    fn namespace(&mut self, id: NsId) {
        let ns = self.w.ns(id);
        self.put_ns(ns.parent);
        match ns.child_reaper {
            ChildReaper::Unborn => self.out.write_u8(STRANGER),
            ChildReaper::Task(task) => self.put_task(Some(task)),
            ChildReaper::Gone => self.out.write_u8(NOBODY),
        }
        self.out.byte(usize::from(ns.adding));
        if self.is_exact() {
            self.out.number(ns.cursor);
        }
        self.out.number(ns.pid_max);
        ns.reboot.hash(&mut self.out);
        self.put_user_ns(Some(ns.user_ns));
        self.out.number(ns.ucounts);
    }

    /// What is counted in the outermost one is the machine's and has no limit.
    fn user_namespace(&mut self, id: UserNsId) {
        let ns = &self.w.user_namespaces[id.0 as usize];
        if ns.parent.is_none() {
            return;
        }
        self.put_user_ns(ns.parent);
        self.out.number(ns.owner);
        self.out.number(ns.max_pid_namespaces);
        self.out.byte(ns.ucounts.len());
        for (user, count) in &ns.ucounts {
            self.out.number(*user);
            self.out.number(count.live);
            self.out.number(count.gone);
        }
    }
}

/// Takes what would be hashed as bytes that are the same on every machine.
struct Bytes<'a>(&'a mut Vec<u8>);

impl Bytes<'_> {
    /// A small number.
    fn byte(&mut self, number: usize) {
        self.0.push(u8::try_from(number).unwrap_or(NOBODY));
    }

    /// A number of any size: small ones take one byte.
    fn number(&mut self, number: u32) {
        self.long(number.into());
    }

    fn long(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.0.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.0.push(number as u8);
    }
}

impl Hasher for Bytes<'_> {
    fn finish(&self) -> u64 {
        unreachable!("it is only written to")
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    fn write_u8(&mut self, number: u8) {
        self.0.push(number);
    }

    fn write_u16(&mut self, number: u16) {
        self.long(number.into());
    }

    fn write_u32(&mut self, number: u32) {
        self.long(number.into());
    }

    fn write_u64(&mut self, number: u64) {
        self.long(number);
    }

    fn write_usize(&mut self, number: usize) {
        self.long(number as u64);
    }

    fn write_isize(&mut self, number: isize) {
        self.long(number as u64);
    }
}
