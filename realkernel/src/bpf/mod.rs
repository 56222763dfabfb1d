//! One look at all processes of a run, by a program in the kernel: what `/proc/PID/stat`, `status` and `wchan` say, without their
//! files, at a thirtieth of the price.
//!
//! The program is of the kind that is run like a system call (`BPF_PROG_TYPE_SYSCALL`). It gets numbers, asks for the task of each as
//! the caller's namespace has it, and writes what it finds into memory that the conductor has mapped. Each value is read where procfs
//! reads it: the pointers followed are those of fs/proc/array.c, `do_task_stat` and `proc_pid_status`. A task is off its queue, which
//! procfs tells by naming a place (kernel/sched/core.c, `get_wchan`), if `on_rq` is 0, or if it sleeps and is only left on the queue
//! until its turn comes (`sched_delayed`, Linux 6.12).
//!
//! Where the members are is asked of the kernel itself ([`btf`]). It takes Linux 6.14 for `bpf_task_from_vpid`, type information in the
//! kernel, and CAP_BPF and CAP_PERFMON in the initial user namespace; whoever has them not looks into procfs. They are asked for when the
//! program is made and not when it runs (kernel/bpf/syscall.c, `bpf_prog_load` and `bpf_prog_test_run`), so who has them and then goes into
//! a user namespace takes it along. What the program says of
//! one process is compared with procfs before anything is run ([`crate::eyes`]), and on whole scenarios by a test.

mod btf;
mod code;
mod program;

use std::io;
use std::os::fd::{AsFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::sys::{bpf, os};
use btf::Layout;
use program::{COUNT, FIELDS, MOST, NUMBERS, SEEN, WANTED, WITH_NUMBERS, WORDS};

/// The program, and the map that is the memory between it and whoever runs it.
#[derive(Debug)]
pub(crate) struct Program {
    program: OwnedFd,
    map: OwnedFd,
}

impl Program {
    /// Makes the program, if this kernel takes it from this process.
    pub(crate) fn make() -> Option<Program> {
        let layout = Layout::of_this_kernel()?;
        let map = bpf::one_value(WORDS).ok()?;
        let program = bpf::load(program::write(&layout, map.as_fd()).instructions()).ok()?;
        Some(Program { program, map })
    }

    /// The descriptors of one that goes with this process into the next program that it executes.
    pub(crate) const HANDED_ON: [RawFd; 2] = [3, 4];

    /// Puts it where that program finds it.
    ///
    /// # Errors
    /// Those of dup2(2).
    pub(crate) fn hand_on(self) -> io::Result<()> {
        let [program_at, map_at] = Program::HANDED_ON;
        // Neither may lie where the other comes to.
        let [program, map] = [self.program, self.map].map(|file| os::copied_above(&file, map_at));
        os::put_at(&program?, program_at)?;
        os::put_at(&map?, map_at)
    }

    /// Takes what was put there.
    ///
    /// # Errors
    /// Nothing was.
    pub(crate) fn handed_on() -> io::Result<Program> {
        let [program, map] = Program::HANDED_ON.map(os::handed_on);
        Ok(Program { program: program?, map: map? })
    }
}

/// The program, and its memory, mapped.
pub(crate) struct Looker {
    program: OwnedFd,
    /// Held so that all descriptors below this process's highest are taken: from the lowest free one on, they are a run's.
    _map: OwnedFd,
    shared: &'static [AtomicU64],
}

/// What the program says of one task.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Seen {
    /// Where its `struct pid` is.
    pub(crate) identity: u64,
    pub(crate) state: u32,
    pub(crate) exit_state: u32,
    pub(crate) flags: u64,
    /// Whether it is on no run queue, but perhaps for a sleeper that is left there.
    pub(crate) off_the_queue: bool,
    /// The number of the process that is its parent, its group and its session, as the conductor sees them; 0 for none that it sees.
    pub(crate) parent: i32,
    pub(crate) group: i32,
    pub(crate) session: i32,
    /// Group and session as it sees them itself.
    pub(crate) pgid: u32,
    pub(crate) sid: u32,
    /// The number of the thread that traces it, as the conductor sees it; 0 for none that it sees.
    pub(crate) tracer: i32,
    /// How deep its namespace is.
    level: u64,
    /// The inode of its namespace.
    pub(crate) inode: u64,
}

impl Looker {
    /// Looks with this program from now on, if its memory can be mapped.
    pub(crate) fn with(Program { program, map }: Program) -> Option<&'static Looker> {
        let shared = bpf::mapped(map.as_fd(), WORDS).ok()?;
        Some(Box::leak(Box::new(Looker { program, _map: map, shared })))
    }

    /// Looks at the tasks with these numbers, one after another, and hands over what was seen of each: nothing where there is no such task.
    pub(crate) fn look(&self, numbers: &[i32], mut each: impl FnMut(usize, Option<Seen>)) {
        for (chunk, numbers) in numbers.chunks(MOST).enumerate() {
            self.run(numbers, false);
            for index in 0..numbers.len() {
                each(chunk * MOST + index, self.seen(index));
            }
        }
    }

    /// Looks at one task, and at its numbers, from the conductor's namespace inward.
    pub(crate) fn look_at(&self, number: i32) -> Option<(Seen, Vec<u32>)> {
        self.run(&[number], true);
        let seen = self.seen(0)?;
        let levels = usize::try_from(seen.level.saturating_sub(self.own_level())).unwrap_or(0);
        let words = self.shared.get(NUMBERS..).unwrap_or_default();
        // The kernel's `struct upid` has padding behind the number, and then where the namespace is.
        let numbers = words.iter().step_by(2).map(|word| word.load(Ordering::Relaxed) as u32);
        Some((seen, numbers.take(levels + 1).collect()))
    }

    fn own_level(&self) -> u64 {
        self.shared[program::OWN_LEVEL].load(Ordering::Relaxed)
    }

    fn run(&self, numbers: &[i32], with_numbers: bool) {
        let set = |word: usize, value: u64| self.shared[word].store(value, Ordering::Relaxed);
        set(COUNT, numbers.len() as u64);
        set(WITH_NUMBERS, with_numbers.into());
        for (index, number) in numbers.iter().enumerate() {
            set(WANTED + index, u64::from(number.cast_unsigned()));
        }
        bpf::run(self.program.as_fd()).expect("a program that was let in runs");
    }

    fn seen(&self, index: usize) -> Option<Seen> {
        let first = SEEN + index * FIELDS;
        let word = |field: program::Field| self.shared[first + field as usize].load(Ordering::Relaxed);
        let number = |field| word(field) as u32;
        let identity = word(program::Field::Identity);
        (identity != 0).then(|| Seen {
            identity,
            state: number(program::Field::State),
            exit_state: number(program::Field::ExitState),
            flags: word(program::Field::Flags),
            off_the_queue: number(program::Field::OnRq) == 0 || word(program::Field::Delayed) != 0,
            parent: number(program::Field::Parent).cast_signed(),
            group: number(program::Field::Group).cast_signed(),
            session: number(program::Field::Session).cast_signed(),
            pgid: number(program::Field::OwnGroup),
            sid: number(program::Field::OwnSession),
            level: word(program::Field::Level),
            inode: word(program::Field::Inode),
            tracer: number(program::Field::Tracer).cast_signed(),
        })
    }
}
