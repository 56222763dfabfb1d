//! bpf(2): a program, and the memory that it writes into.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::ptr;
use std::slice;
use std::sync::atomic::AtomicU64;

use libc::{c_int, c_long};

const BPF_MAP_CREATE: c_int = 0;
const BPF_PROG_LOAD: c_int = 5;
const BPF_PROG_TEST_RUN: c_int = 10;

/// The kernel's `union bpf_attr`, as words: what is not set is 0.
type Attributes = [u64; 18];

fn bpf(command: c_int, attributes: &mut Attributes) -> io::Result<c_int> {
    // SAFETY: the attributes outlive the call and have the size that is given; the callers answer for the addresses in them.
    let result = unsafe {
        libc::syscall(libc::SYS_bpf, c_long::from(command), attributes.as_mut_ptr(), size_of::<Attributes>())
    };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result as c_int) }
}

/// A map of one value, which can be mapped into memory: so many words of 64 bits.
pub(crate) fn one_value(words: u32) -> io::Result<OwnedFd> {
    const BPF_MAP_TYPE_ARRAY: u64 = 2;
    const BPF_F_MMAPABLE: u64 = 1 << 10;
    const KEY: u64 = 4;
    let mut attributes: Attributes = [0; 18];
    attributes[0] = BPF_MAP_TYPE_ARRAY | (KEY << 32);
    attributes[1] = (u64::from(words) * 8) | (1 << 32);
    attributes[2] = BPF_F_MMAPABLE;
    let map = bpf(BPF_MAP_CREATE, &mut attributes)?;
    // SAFETY: the kernel has just opened this descriptor for us.
    Ok(unsafe { OwnedFd::from_raw_fd(map) })
}

/// Maps the value of such a map, for as long as this process lives. Agents that share this process's memory never touch it.
pub(crate) fn mapped(map: BorrowedFd<'_>, words: u32) -> io::Result<&'static [AtomicU64]> {
    let words = words as usize;
    let length = (words * 8).next_multiple_of(4096);
    // SAFETY: a new mapping, at an address that the kernel chooses.
    let address = unsafe {
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        libc::mmap(ptr::null_mut(), length, protection, libc::MAP_SHARED, map.as_raw_fd(), 0)
    };
    if address == libc::MAP_FAILED {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the mapping is large enough, aligned to pages, zeroed, and never unmapped; who else writes there is the kernel, and
    // atomics of 64 bits allow that.
    Ok(unsafe { slice::from_raw_parts(address.cast(), words) })
}

/// Loads a program that may be run like a system call (`BPF_PROG_TYPE_SYSCALL`).
pub(crate) fn load(instructions: &[u64]) -> io::Result<OwnedFd> {
    const BPF_PROG_TYPE_SYSCALL: u64 = 31;
    const BPF_F_SLEEPABLE: u64 = 1 << 4;
    let count = u64::try_from(instructions.len()).map_err(io::Error::other)?;
    let license = c"GPL";
    let mut attributes: Attributes = [0; 18];
    attributes[0] = BPF_PROG_TYPE_SYSCALL | (count << 32);
    attributes[1] = instructions.as_ptr() as u64;
    attributes[2] = license.as_ptr() as u64;
    // log_level, log_size, log_buf and kern_version stay 0; the flags are the second half of the sixth.
    attributes[5] = BPF_F_SLEEPABLE << 32;
    let program = bpf(BPF_PROG_LOAD, &mut attributes)?;
    // SAFETY: the kernel has just opened this descriptor for us.
    Ok(unsafe { OwnedFd::from_raw_fd(program) })
}

/// Runs it once.
pub(crate) fn run(program: BorrowedFd<'_>) -> io::Result<()> {
    let mut attributes: Attributes = [0; 18];
    attributes[0] = program.as_raw_fd() as u64;
    bpf(BPF_PROG_TEST_RUN, &mut attributes).map(drop)
}
