//! What an agent with a memory of its own does without: whatever of the conductor's memory only the conductor needs.
//!
//! A fork copies, mapping by mapping, what a process has written to, and each end takes that apart again; with a memory of their own for all, it is half of
//! what a scenario costs. An agent runs this program's code on a stack in the arena, and makes system calls by itself; of libraries it needs
//! none but that of the memcpy that a compiler may call. So the heap, the first stack and all other libraries are left out of a fork (madvise(2),
//! `MADV_DONTFORK`), but where the conductor forks for itself.
//!
//! The kernel writes into memory of the C library whenever a thread that has registered restartable sequences (rseq(2)) was switched off, and in a child that lacks that memory
//! this is a fault. So helpers are started without ([`WITHOUT_RSEQ`]), and where one has them all the same, nothing is left out.

use std::fs;
use std::ops::Range;
use std::os::unix::fs::MetadataExt;
use std::sync::{Mutex, PoisonError};

/// A variable of the GNU C library's (manual, Tunables), and what it has to say at its end.
pub(crate) const WITHOUT_RSEQ: (&str, &str) = ("GLIBC_TUNABLES", "glibc.pthread.rseq=0");

/// What is left out at present.
static LEFT_OUT: Mutex<Vec<Range<usize>>> = Mutex::new(Vec::new());

/// Leaves out what agents do without, from now on: they need what is at these places. Where it cannot be told what that is, nothing.
pub(crate) fn leave_out(places: &[usize]) {
    if has_rseq() {
        return;
    }
    let (Ok(maps), Ok(program)) = (fs::read_to_string("/proc/self/maps"), fs::metadata("/proc/self/exe")) else {
        return;
    };
    let needless = needless(&maps, program.ino(), places, memcpy());
    advise(&needless, libc::MADV_DONTFORK);
    *LEFT_OUT.lock().unwrap_or_else(PoisonError::into_inner) = needless;
}

/// Leaves nothing out any more.
pub(crate) fn take_back() {
    let ranges = std::mem::take(&mut *LEFT_OUT.lock().unwrap_or_else(PoisonError::into_inner));
    advise(&ranges, libc::MADV_DOFORK);
}

/// Does something that forks, of which the child goes on with everything.
pub(crate) fn whole<T>(work: impl FnOnce() -> T) -> T {
    let ranges = LEFT_OUT.lock().unwrap_or_else(PoisonError::into_inner).clone();
    advise(&ranges, libc::MADV_DOFORK);
    let result = work();
    advise(&ranges, libc::MADV_DONTFORK);
    result
}

/// What is not there any more needs no advice, and advice that is not taken costs time alone.
fn advise(ranges: &[Range<usize>], advice: libc::c_int) {
    for range in ranges {
        // SAFETY: both kinds of advice are about what a fork copies, and change nothing in this process.
        unsafe { libc::madvise(range.start as *mut libc::c_void, range.len(), advice) };
    }
}

/// Whether this thread has registered a restartable sequence: then it cannot register another.
fn has_rseq() -> bool {
    /// The least that the kernel takes (include/uapi/linux/rseq.h, `struct rseq`).
    #[repr(C, align(32))]
    struct Area([u64; 4]);
    const UNREGISTER: libc::c_int = 1;
    const SIGNATURE: u32 = 0;
    let mut area = Area([0; 4]);
    let mut rseq = |flags: libc::c_int| {
        // SAFETY: the area outlives its registration, which the second call ends, or this function does not come to it.
        unsafe { libc::syscall(libc::SYS_rseq, &raw mut area, size_of::<Area>(), flags, SIGNATURE) }
    };
    if rseq(0) == 0 {
        return rseq(UNREGISTER) != 0;
    }
    std::io::Error::last_os_error().raw_os_error() != Some(libc::ENOSYS)
}

/// Where memcpy is, if it is in a library.
fn memcpy() -> Option<usize> {
    // SAFETY: the name is terminated and static.
    let place = unsafe { libc::dlsym(libc::RTLD_DEFAULT, c"memcpy".as_ptr()) };
    (!place.is_null()).then_some(place as usize)
}

/// A line of `/proc/PID/maps` (proc_pid_maps(5)).
struct Mapping<'m> {
    range: Range<usize>,
    inode: u64,
    name: &'m str,
}

fn mapping(line: &str) -> Option<Mapping<'_>> {
    let mut fields = line.split_ascii_whitespace();
    let (start, end) = fields.next()?.split_once('-')?;
    let [start, end] = [start, end].map(|address| usize::from_str_radix(address, 16).ok());
    let inode = fields.nth(3)?.parse().ok()?;
    Some(Mapping { range: start?..end?, inode, name: fields.next().unwrap_or("") })
}

/// The mappings that hold neither the program, by its inode, nor one of these places, nor the library with this function. What has no name and follows on one that is
/// needed is the rest of it; what is the kernel's own is for it to say.
fn needless(maps: &str, program: u64, places: &[usize], function: Option<usize>) -> Vec<Range<usize>> {
    let mappings: Vec<Mapping<'_>> = maps.lines().filter_map(mapping).collect();
    let library = mappings.iter().find(|mapping| function.is_some_and(|function| mapping.range.contains(&function)));
    let files = [Some(program), library.map(|library| library.inode)];
    let mut needless = Vec::new();
    let mut needed_to = 0;
    for Mapping { range, inode, name } in mappings {
        let is_of_file = inode != 0 && files.contains(&Some(inode));
        let is_rest = name.is_empty() && range.start == needed_to;
        let is_kernels = name.starts_with("[v");
        if is_of_file || is_rest || is_kernels || places.iter().any(|place| range.contains(place)) {
            if is_of_file {
                needed_to = range.end;
            }
        } else {
            needless.push(range);
        }
    }
    needless
}

#[cfg(test)]
mod tests {
    use super::{has_rseq, needless};

    /// The C library says how large what it has registered is (rseq(2); glibc, from 2.35 on). A helper is started without, and this test is not.
    #[test]
    fn what_the_c_library_has_registered_is_seen() {
        // SAFETY: the name is terminated and static.
        let size = unsafe { libc::dlsym(libc::RTLD_DEFAULT, c"__rseq_size".as_ptr()) };
        // SAFETY: the library's own constant, an unsigned int for the life of the program.
        let is_registered = !size.is_null() && unsafe { *size.cast::<u32>() } > 0;
        assert_eq!(has_rseq(), is_registered);
        assert_eq!(has_rseq(), is_registered, "asking changes nothing");
    }

    const MAPS: &str = "\
00200000-0033c000 r--p 00000000 fe:00 77    /a program
0033c000-0050e000 rw-p 00309000 fe:00 77    /a program
0050e000-00510000 rw-p 00000000 00:00 0
1b137000-1b158000 rw-p 00000000 00:00 0     [heap]
7f5f17000000-7f5f1b000000 rw-p 00000000 00:00 0
7f5f1b1b3000-7f5f1b410000 rw-s 00000000 00:01 152   /memfd:pidlab (deleted)
7f5f1b410000-7f5f1b413000 rw-p 00000000 00:00 0
7f5f1b439000-7f5f1b58f000 r-xp 00026000 fe:00 88    /usr/lib/libc.so.6
7f5f1b5e6000-7f5f1b5e8000 rw-p 001d3000 fe:00 88    /usr/lib/libc.so.6
7f5f1b5e8000-7f5f1b5f5000 rw-p 00000000 00:00 0
7f5f1b5f5000-7f5f1b615000 rw-p 0001e000 fe:00 99    /usr/lib/libgcc_s.so.1
7f5f1b61c000-7f5f1b61e000 rw-s 00000000 00:10 1038  anon_inode:bpf-map
7f5f1b620000-7f5f1b624000 r--p 00000000 00:00 0     [vvar]
7f5f1b626000-7f5f1b628000 r-xp 00000000 00:00 0     [vdso]
7fffa7e7b000-7fffa7e9c000 rw-p 00000000 00:00 0     [stack]
";

    #[test]
    fn only_what_agents_need_is_left() {
        let (slots, stacks, memcpy) = (0x7f5f_1b1b_3000, 0x7f5f_1700_0000, 0x7f5f_1b45_0000);
        let starts = |function| {
            let ranges = needless(MAPS, 77, &[slots, stacks], function);
            ranges.into_iter().map(|range| range.start).collect::<Vec<_>>()
        };
        let [heap, thread_local, gcc, map, stack] =
            [0x1b13_7000, 0x7f5f_1b41_0000, 0x7f5f_1b5f_5000, 0x7f5f_1b61_c000, 0x7fff_a7e7_b000];
        assert_eq!(starts(Some(memcpy)), [heap, thread_local, gcc, map, stack]);
        // In a program without libraries memcpy is its own.
        let libc = [0x7f5f_1b43_9000, 0x7f5f_1b5e_6000, 0x7f5f_1b5e_8000];
        assert_eq!(starts(None), [heap, thread_local, libc[0], libc[1], libc[2], gcc, map, stack]);
        assert!(needless("what is this", 77, &[], None).is_empty());
    }
}
