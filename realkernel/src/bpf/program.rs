//! The program itself. In words:
//!
//! ```text
//! for each wanted number:
//!     task = bpf_task_from_vpid(number), or else its identity is 0
//!     what the task says of itself: state, exit state, flags, run queue
//!     pid = task->thread_pid: its identity, its level, the namespace there, and the inode of that
//!     parent = task->real_parent->signal->pids[TGID], group and session = task->signal->pids[PGID], [SID]:
//!         the number of each at the conductor's level, and of the latter two at the task's own
//!     tracer = if task->ptrace, task->parent->thread_pid: its number at the conductor's level
//!     if asked for: all numbers from the conductor's level on
//! ```

use std::os::fd::{AsRawFd, BorrowedFd};

use super::btf::Layout;
use super::code::{Code, Helper, R, STACK, When, Width};

/// Tasks that one run looks at.
pub(super) const MOST: usize = 64;
/// Levels that a namespace can have above it, with its own (kernel/pid_namespace.c, `MAX_PID_NS_LEVEL`).
const LEVELS: usize = 33;

/// The words of the shared memory: how many numbers are wanted, whether all numbers of the (last) task are wanted, and the level of the
/// looker's namespace, which the program writes.
pub(super) const COUNT: usize = 0;
pub(super) const WITH_NUMBERS: usize = 1;
pub(super) const OWN_LEVEL: usize = 2;
/// The wanted numbers.
pub(super) const WANTED: usize = 3;
/// What is seen of each.
pub(super) const SEEN: usize = WANTED + MOST;
/// The numbers of the last one, each with its namespace.
pub(super) const NUMBERS: usize = SEEN + MOST * FIELDS;
/// All of them.
pub(super) const WORDS: u32 = (NUMBERS + LEVELS * 2) as u32;

/// The words that tell of one task.
#[derive(Clone, Copy)]
pub(super) enum Field {
    Identity,
    State,
    ExitState,
    Flags,
    OnRq,
    Delayed,
    Parent,
    Group,
    Session,
    OwnGroup,
    OwnSession,
    Level,
    Inode,
    Tracer,
}

/// How many they are.
pub(super) const FIELDS: usize = Field::Tracer as usize + 1;

/// What the program holds all the time.
const SHARED: R = R(6);
const INDEX: R = R(7);
const SEEN_OF_IT: R = R(8);
const TASK: R = R(9);

/// The size of `struct upid`: a number, padding, and a pointer.
const UPID: i32 = 16;

/// Places on the stack, each of 8 bytes but where it says more.
mod place {
    /// The level of the looker's namespace, and where that is.
    pub(super) const OWN_LEVEL: i16 = -8;
    pub(super) const OWN_NAMESPACE: i16 = -16;
    /// The same of the task's.
    pub(super) const LEVEL: i16 = -24;
    pub(super) const NAMESPACE: i16 = -32;
    /// The pid at hand.
    pub(super) const PID: i16 = -40;
    /// A `struct upid` of 16 bytes: the number, and 8 bytes on the namespace.
    pub(super) const UPID: i16 = -56;
    pub(super) const UPID_NAMESPACE: i16 = UPID + 8;
    /// The kernel's `struct bpf_iter_num`.
    pub(super) const ITERATOR: i32 = -64;
}

/// In bytes from the start of the memory, as the program counts.
fn byte(word: usize) -> i16 {
    i16::try_from(word * 8).expect("what has a fixed place is at the start")
}

fn field(field: Field) -> i16 {
    byte(field as usize)
}

/// Writes the program, for a kernel with this layout and a map with this descriptor.
pub(super) fn write(layout: &Layout, map: BorrowedFd<'_>) -> Code {
    let mut writer = Writer { layout, code: Code::default() };
    writer.begin(map);
    writer.code.address_on_stack(R(1), place::ITERATOR);
    writer.code.set(R(2), 0);
    writer.code.load(Width::Word, R(3), SHARED, byte(COUNT));
    writer.call("bpf_iter_num_new");
    let again = writer.code.here();
    writer.code.address_on_stack(R(1), place::ITERATOR);
    writer.call("bpf_iter_num_next");
    let all_done = writer.code.jump(R(0), When::Zero);
    writer.code.load(Width::Word, INDEX, R(0), 0);
    // It cannot be, and the kernel wants to be sure.
    let beyond = writer.code.jump(INDEX, When::AtLeast(MOST as i32));
    writer.find_task();
    let found = writer.code.jump(R(0), When::NotZero);
    writer.code.set(R(1), 0);
    writer.code.store(SEEN_OF_IT, field(Field::Identity), R(1));
    writer.code.back_to(again);
    writer.code.land(found);
    writer.code.copy(TASK, R(0));
    writer.look();
    writer.code.copy(R(1), TASK);
    writer.call("bpf_task_release");
    writer.code.back_to(again);
    writer.code.land(all_done);
    writer.code.land(beyond);
    writer.code.address_on_stack(R(1), place::ITERATOR);
    writer.call("bpf_iter_num_destroy");
    writer.code.set(R(0), 0);
    writer.code.exit();
    writer.code
}

struct Writer<'a> {
    layout: &'a Layout,
    code: Code,
}

impl Writer<'_> {
    fn call(&mut self, function: &'static str) {
        self.code.call_kernel(self.layout.function(function));
    }

    /// `to = (*from).member`
    fn follow(&mut self, to: R, from: R, of: &'static str, member: &'static str) {
        self.code.load(self.layout.width(of, member), to, from, self.layout.offset(of, member));
    }

    /// Finds out which namespace the looker is in.
    fn begin(&mut self, map: BorrowedFd<'_>) {
        self.code.address_of_map(SHARED, map.as_raw_fd());
        self.code.call(Helper::GetCurrentTaskBtf);
        self.follow(R(2), R(0), "task_struct", "thread_pid");
        self.follow(R(1), R(2), "pid", "level");
        self.code.store(STACK, place::OWN_LEVEL, R(1));
        self.code.store(SHARED, byte(OWN_LEVEL), R(1));
        self.upid_at(R(2), place::OWN_LEVEL);
        self.code.load(Width::Double, R(1), STACK, place::UPID_NAMESPACE);
        self.code.store(STACK, place::OWN_NAMESPACE, R(1));
    }

    /// Copies `pid->numbers[level]` to the stack.
    fn upid_at(&mut self, pid: R, level: i16) {
        self.code.copy(R(3), pid);
        self.code.load(Width::Double, R(1), STACK, level);
        self.code.multiply(R(1), UPID);
        self.code.add_register(R(3), R(1));
        self.code.add(R(3), self.layout.offset("pid", "numbers").into());
        self.code.address_on_stack(R(1), place::UPID.into());
        self.code.set(R(2), UPID);
        self.code.call(Helper::ProbeReadKernel);
    }

    /// Asks for the task of the number whose turn it is.
    fn find_task(&mut self) {
        self.code.copy(R(1), INDEX);
        self.code.multiply(R(1), 8);
        self.code.add_register(R(1), SHARED);
        self.code.load(Width::Word, R(1), R(1), byte(WANTED));
        self.code.copy(SEEN_OF_IT, INDEX);
        self.code.multiply(SEEN_OF_IT, (FIELDS * 8) as i32);
        self.code.add_register(SEEN_OF_IT, SHARED);
        self.code.add(SEEN_OF_IT, byte(SEEN).into());
        self.call("bpf_task_from_vpid");
    }

    fn look(&mut self) {
        for (member, to) in [
            ("__state", Field::State),
            ("exit_state", Field::ExitState),
            ("flags", Field::Flags),
            ("on_rq", Field::OnRq),
        ] {
            self.follow(R(1), TASK, "task_struct", member);
            self.code.store(SEEN_OF_IT, field(to), R(1));
        }
        let delayed = self.layout.offset("task_struct", "se") + self.layout.offset("sched_entity", "sched_delayed");
        self.code.load(self.layout.width("sched_entity", "sched_delayed"), R(1), TASK, delayed);
        self.code.store(SEEN_OF_IT, field(Field::Delayed), R(1));
        self.follow(R(2), TASK, "task_struct", "thread_pid");
        self.code.store(SEEN_OF_IT, field(Field::Identity), R(2));
        // It has let go of its number since it was found: then it is as good as gone.
        let has_none = self.code.jump(R(2), When::Zero);
        self.own_namespace();
        self.follow(R(2), TASK, "task_struct", "real_parent");
        self.follow(R(2), R(2), "task_struct", "signal");
        self.numbers_of(PIDTYPE_TGID, Field::Parent, None);
        self.follow(R(2), TASK, "task_struct", "signal");
        self.numbers_of(PIDTYPE_PGID, Field::Group, Some(Field::OwnGroup));
        self.follow(R(2), TASK, "task_struct", "signal");
        self.numbers_of(PIDTYPE_SID, Field::Session, Some(Field::OwnSession));
        self.tracer();
        self.all_numbers();
        self.code.land(has_none);
    }

    /// The namespace of the task, whose pid is in register 2: the last of its numbers tells.
    fn own_namespace(&mut self) {
        self.follow(R(1), R(2), "pid", "level");
        self.code.store(SEEN_OF_IT, field(Field::Level), R(1));
        self.code.store(STACK, place::LEVEL, R(1));
        self.upid_at(R(2), place::LEVEL);
        self.code.load(Width::Double, R(3), STACK, place::UPID_NAMESPACE);
        self.code.store(STACK, place::NAMESPACE, R(3));
        let inode = self.layout.offset("pid_namespace", "ns") + self.layout.offset("ns_common", "inum");
        self.code.add(R(3), inode.into());
        self.code.set(R(1), 0);
        self.code.store(STACK, place::UPID, R(1));
        self.code.address_on_stack(R(1), place::UPID.into());
        self.code.set(R(2), 4);
        self.code.call(Helper::ProbeReadKernel);
        self.code.load(Width::Word, R(1), STACK, place::UPID);
        self.code.store(SEEN_OF_IT, field(Field::Inode), R(1));
    }

    /// The number of the thread that traces the task, in the looker's namespace (kernel/ptrace.c, `ptrace_parent`).
    fn tracer(&mut self) {
        self.code.set(R(1), 0);
        self.code.store(SEEN_OF_IT, field(Field::Tracer), R(1));
        self.follow(R(1), TASK, "task_struct", "ptrace");
        let untraced = self.code.jump(R(1), When::Zero);
        self.follow(R(2), TASK, "task_struct", "parent");
        self.follow(R(2), R(2), "task_struct", "thread_pid");
        let none = self.code.jump(R(2), When::Zero);
        self.code.store(STACK, place::PID, R(2));
        self.number_in(place::OWN_LEVEL, place::OWN_NAMESPACE, Field::Tracer);
        self.code.land(none);
        self.code.land(untraced);
    }

    /// The number of one of the pids of a `signal_struct`, which is in register 2: in the looker's namespace, and in the task's own.
    fn numbers_of(&mut self, which: i16, to: Field, own: Option<Field>) {
        self.code.set(R(1), 0);
        for to in [Some(to), own].into_iter().flatten() {
            self.code.store(SEEN_OF_IT, field(to), R(1));
        }
        self.code.load(Width::Double, R(2), R(2), self.layout.offset("signal_struct", "pids") + 8 * which);
        let none = self.code.jump(R(2), When::Zero);
        self.code.store(STACK, place::PID, R(2));
        self.number_in(place::OWN_LEVEL, place::OWN_NAMESPACE, to);
        if let Some(own) = own {
            self.number_in(place::LEVEL, place::NAMESPACE, own);
        }
        self.code.land(none);
    }

    /// The number of the pid at hand in a namespace (kernel/pid.c, `pid_nr_ns`): none where the pid is not so deep, or on another
    /// branch. The same level is not yet the same namespace.
    fn number_in(&mut self, level: i16, namespace: i16, to: Field) {
        self.code.load(Width::Double, R(2), STACK, place::PID);
        self.follow(R(3), R(2), "pid", "level");
        self.code.load(Width::Double, R(1), STACK, level);
        let above = self.code.jump(R(3), When::Below(R(1)));
        self.upid_at(R(2), level);
        self.code.load(Width::Double, R(1), STACK, place::UPID_NAMESPACE);
        self.code.load(Width::Double, R(2), STACK, namespace);
        let beside = self.code.jump(R(1), When::Differs(R(2)));
        self.code.load(Width::Word, R(1), STACK, place::UPID);
        self.code.store(SEEN_OF_IT, field(to), R(1));
        self.code.land(beside);
        self.code.land(above);
    }

    /// All numbers of the task from the looker's level on, if they are asked for.
    fn all_numbers(&mut self) {
        self.code.load(Width::Word, R(1), SHARED, byte(WITH_NUMBERS));
        let unwanted = self.code.jump(R(1), When::Zero);
        self.follow(R(3), TASK, "task_struct", "thread_pid");
        self.code.load(Width::Double, R(1), STACK, place::OWN_LEVEL);
        self.code.multiply(R(1), UPID);
        self.code.add_register(R(3), R(1));
        self.code.add(R(3), self.layout.offset("pid", "numbers").into());
        self.code.load(Width::Double, R(2), STACK, place::LEVEL);
        self.code.load(Width::Double, R(1), STACK, place::OWN_LEVEL);
        self.code.subtract_register(R(2), R(1));
        self.code.add(R(2), 1);
        let too_many = self.code.jump(R(2), When::AtLeast(LEVELS as i32 + 1));
        self.code.multiply(R(2), UPID);
        self.code.copy(R(1), SHARED);
        self.code.add(R(1), byte(NUMBERS).into());
        self.code.call(Helper::ProbeReadKernel);
        self.code.land(too_many);
        self.code.land(unwanted);
    }
}

/// Indices of `signal_struct.pids` (include/linux/pid_types.h).
const PIDTYPE_TGID: i16 = 1;
const PIDTYPE_PGID: i16 = 2;
const PIDTYPE_SID: i16 = 3;
