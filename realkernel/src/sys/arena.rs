//! The memory through which the conductor and the agents speak: one slot a role, and one stack a role.
//!
//! Slots are shared by all processes (`MAP_SHARED`), whether or not these share their whole memory. Stacks are ordinary
//! memory: shared with the conductor where the agents share its memory, and each process's own copy where they do not.
//!
//! Everything in a slot is an atomic, so that no reference to it is ever a claim about who writes it. In fact one side writes
//! at a time: the agent between taking a command and having done it, the conductor otherwise.

use std::io;
use std::os::fd::{IntoRawFd, RawFd};
use std::ptr;
use std::sync::atomic::{AtomicI32, AtomicI64, AtomicPtr, AtomicU8, AtomicU32, AtomicUsize, Ordering};

/// Roles that a scenario can have.
pub(crate) const SLOTS: usize = 1024;
/// Bytes of an agent's stack. A signal frame takes 4 to 12 KiB of it on machines with wide vector registers.
pub(crate) const STACK: usize = 64 * 1024;
/// Signals that a slot can note between two steps: more are counted, but not kept.
pub(crate) const NOTED: usize = 128;
/// Bytes of a path or text in a slot, its zero byte included.
pub(crate) const TEXT: usize = 64;
/// Bytes that one look can show: the listing of a procfs with as many processes as there are roles, and half as much again.
pub(crate) const VIEW: usize = 64 * 1024;
/// Numbers in `set_tid`.
pub(crate) const LEVELS: usize = 33;

/// What the conductor asks of one agent, and what the agent answers.
#[repr(C)]
pub(crate) struct Slot {
    /// Counts commands; the agent sleeps on it.
    pub(crate) command: AtomicU32,
    /// The last command that the agent began.
    pub(crate) taken: AtomicU32,
    /// The last command that the agent finished.
    pub(crate) done: AtomicU32,
    /// Which operation.
    pub(crate) operation: AtomicU32,
    /// Its arguments.
    pub(crate) arguments: [AtomicI64; 6],
    /// What the system call returned.
    pub(crate) result: AtomicI64,
    /// A second value: a wait status, a number read from a file.
    pub(crate) value: AtomicI64,
    /// `si_code` of waitid(2).
    pub(crate) code: AtomicI32,
    /// What does not go into those two.
    pub(crate) more: AtomicI32,
    /// The pidfd of the process in this role, written by the kernel for its parent.
    pub(crate) pidfd: AtomicI32,
    /// The message queue of the process or thread in this role: its descriptor, 0 for none.
    pub(crate) queue: AtomicI32,
    /// Where the clone that makes the process in this role has its TID written: for its maker, and for itself.
    pub(crate) tid_words: [AtomicI32; 2],
    /// How many signals a handler has received.
    pub(crate) handled: AtomicU32,
    /// A path or text, with a zero byte at its end.
    pub(crate) text: [AtomicU8; TEXT],
    /// The numbers of `set_tid`.
    pub(crate) numbers: [AtomicI32; LEVELS],
    /// The signals that a handler received: number, sender, `si_code` and `si_status`.
    pub(crate) notes: [[AtomicI32; 4]; NOTED],
}

static SLOT_BASE: AtomicPtr<Slot> = AtomicPtr::new(ptr::null_mut());
static STACK_BASE: AtomicUsize = AtomicUsize::new(0);

/// Stands for a role that is nobody's.
const NOBODY: usize = usize::MAX;
/// The role that runs on the program's first stack, which is not in the arena: an agent that has called execve(2).
static FIRST_STACK: AtomicUsize = AtomicUsize::new(NOBODY);

/// What the shared part begins with, by which another program knows it for what it is.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq)]
struct Head {
    magic: [u8; 16],
    /// The program that made it.
    maker: Identity,
    _spare: [u64; 4],
}

/// A file, by device and inode.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) device: u64,
    pub(crate) inode: u64,
}

impl Head {
    fn of(maker: Identity) -> Head {
        Head { magic: *b"pidlab's agents\0", maker, _spare: [0; 4] }
    }
}

/// Bytes of the shared part: the head, the slots, the view.
const SHARED: usize = size_of::<Head>() + SLOTS * size_of::<Slot>() + VIEW;

/// Its size can never change.
const SEALS: libc::c_int = libc::F_SEAL_SEAL | libc::F_SEAL_SHRINK | libc::F_SEAL_GROW;

/// Makes the memory. Once, before the first agent. Answers the descriptor of its shared part, which stays open over execve(2).
///
/// # Errors
/// If there is not enough address space.
pub(crate) fn make(maker: Identity) -> io::Result<RawFd> {
    let file = super::os::memory_file(c"pidlab", false)?.into_raw_fd();
    let head = Head::of(maker);
    // SAFETY: numbers only.
    let sized = unsafe { libc::ftruncate(file, SHARED as libc::off_t) } == 0;
    // SAFETY: numbers only.
    let sealed = sized && unsafe { libc::fcntl(file, libc::F_ADD_SEALS, SEALS) } == 0;
    // SAFETY: the head outlives the call and has the size that is given.
    let written = sealed && unsafe { libc::pwrite(file, (&raw const head).cast(), size_of::<Head>(), 0) } > 0;
    if !written {
        return Err(io::Error::last_os_error());
    }
    attach(file)?;
    Ok(file)
}

/// The slot of a role in the shared part that a descriptor is of, as it is now; `None` if the descriptor is of anything else, or if
/// another program made it.
pub(crate) fn read_slot(file: RawFd, role: usize, maker: Identity) -> Option<Slot> {
    // SAFETY: numbers only; fails if the descriptor is not open, or not of memory.
    let ours = role < SLOTS && unsafe { libc::fcntl(file, libc::F_GET_SEALS) } == SEALS;
    let head: Head = ours.then(|| read_at(file, 0)).flatten()?;
    let at = size_of::<Head>() + role * size_of::<Slot>();
    if head == Head::of(maker) { read_at(file, at) } else { None }
}

/// A value out of a file.
fn read_at<T: Plain>(file: RawFd, at: usize) -> Option<T> {
    let mut value = std::mem::MaybeUninit::<T>::zeroed();
    // SAFETY: the value outlives the call and has the size that is given.
    let length = unsafe { libc::pread(file, value.as_mut_ptr().cast(), size_of::<T>(), at as libc::off_t) };
    // SAFETY: a plain value is valid whatever its bytes are.
    (usize::try_from(length) == Ok(size_of::<T>())).then(|| unsafe { value.assume_init() })
}

/// # Safety
/// Valid whatever its bytes are.
unsafe trait Plain {}

// SAFETY: nothing but numbers.
unsafe impl Plain for Head {}

// SAFETY: nothing but atomic numbers.
unsafe impl Plain for Slot {}

/// Maps the shared part of memory that another program has made, and stacks of this program's own.
///
/// # Errors
/// If there is not enough address space.
pub(crate) fn attach(file: RawFd) -> io::Result<()> {
    let slots = map(SHARED, libc::MAP_SHARED, file)?;
    let stacks = map(SLOTS * STACK, libc::MAP_PRIVATE | libc::MAP_NORESERVE | libc::MAP_ANONYMOUS, -1)?;
    SLOT_BASE.store(slots.wrapping_byte_add(size_of::<Head>()).cast(), Ordering::Release);
    STACK_BASE.store(stacks as usize, Ordering::Release);
    Ok(())
}

/// Whether there is any.
pub(crate) fn is_made() -> bool {
    !SLOT_BASE.load(Ordering::Acquire).is_null()
}

/// An address in each of its parts.
pub(crate) fn places() -> [usize; 2] {
    [SLOT_BASE.load(Ordering::Acquire) as usize, STACK_BASE.load(Ordering::Acquire)]
}

/// Says which role runs on the program's first stack.
pub(crate) fn stay_on_first_stack(role: usize) {
    FIRST_STACK.store(role, Ordering::Release);
}

fn map(bytes: usize, kind: libc::c_int, file: i32) -> io::Result<*mut libc::c_void> {
    let access = libc::PROT_READ | libc::PROT_WRITE;
    // SAFETY: a new mapping at an address of the kernel's choice touches nothing that exists.
    let address = unsafe { libc::mmap(ptr::null_mut(), bytes, access, kind, file, 0) };
    if address == libc::MAP_FAILED { Err(io::Error::last_os_error()) } else { Ok(address) }
}

/// The slot of a role.
///
/// # Panics
/// If the role is beyond [`SLOTS`], or before [`make`]: both are faults of the conductor, which checks scenarios first.
pub(crate) fn slot(role: usize) -> &'static Slot {
    let base = SLOT_BASE.load(Ordering::Acquire);
    assert!(role < SLOTS && !base.is_null());
    // SAFETY: the index is inside the mapping, which is never unmapped; zeroed memory is a valid slot.
    let slot = unsafe { base.add(role) };
    // SAFETY: as above, and a slot has only atomics, which may be shared.
    unsafe { &*slot }
}

/// What the last look showed. One for all: only one agent looks at a time, and what it saw is read before the next step.
///
/// # Panics
/// Before [`make`].
pub(crate) fn view() -> &'static [AtomicU8; VIEW] {
    let base = SLOT_BASE.load(Ordering::Acquire);
    assert!(!base.is_null());
    // SAFETY: the view stands behind the slots in the same mapping, which is never unmapped.
    let view = unsafe { base.add(SLOTS) };
    // SAFETY: as above, and it has only atomics, which may be shared.
    unsafe { &*view.cast::<[AtomicU8; VIEW]>() }
}

/// The lowest address of a role's stack.
pub(crate) fn stack(role: usize) -> usize {
    assert!(role < SLOTS);
    STACK_BASE.load(Ordering::Acquire) + role * STACK
}

/// The role on whose stack an address lies: how a signal handler knows for whom it runs.
pub(crate) fn role_of(address: usize) -> Option<usize> {
    let offset = address.wrapping_sub(STACK_BASE.load(Ordering::Acquire));
    let first = FIRST_STACK.load(Ordering::Acquire);
    if offset < SLOTS * STACK { Some(offset / STACK) } else { Some(first).filter(|role| *role != NOBODY) }
}
