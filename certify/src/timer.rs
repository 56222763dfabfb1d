//! How long somebody sleeps at most, and where: proc_pid_syscall(5), and what the arguments of the call point to.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::time::Duration;

use rustix::time::{ClockId, Timespec, clock_gettime};

/// When somebody wakes without being woken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Alarm {
    Never,
    /// After this at the latest.
    Within(Duration),
    /// It cannot be seen, and a round is awaited.
    Unknown,
    /// It has a timer (timer_create(2)), and no file tells when that ends.
    Untold,
}

/// As good as never.
const FOR_EVER: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

/// Where somebody sleeps: the call, its stack pointer, and what it will return through.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Place {
    call: String,
    stack: u64,
    program: u64,
    returns: Vec<u64>,
}

/// The call that a thread sleeps in.
struct Call {
    name: String,
    arguments: Vec<u64>,
    stack: u64,
    program: u64,
}

fn call(thread: i32) -> Option<Call> {
    let text = fs::read_to_string(format!("/proc/{thread}/syscall")).ok()?;
    let words: Vec<&str> = text.split_ascii_whitespace().collect();
    let number: i64 = words.first()?.parse().ok()?;
    let hexadecimal: Vec<u64> =
        words[1..].iter().filter_map(|word| u64::from_str_radix(word.strip_prefix("0x")?, 16).ok()).collect();
    let (arguments, at) = hexadecimal.split_at(hexadecimal.len().checked_sub(2)?);
    let name = usize::try_from(number).ok().and_then(syscalls::Sysno::new);
    let name = name.map_or_else(|| number.to_string(), |call| call.name().to_owned());
    Some(Call { name, arguments: arguments.to_vec(), stack: at[0], program: at[1] })
}

/// When this thread wakes by itself from the call that it sleeps in.
pub(crate) fn alarm(thread: i32) -> Alarm {
    let Some(call) = call(thread) else { return Alarm::Unknown };
    let argument = |index: usize| call.arguments.get(index).copied().unwrap_or(0);
    let milliseconds = |value: u64| match value as u32 as i32 {
        value @ 0.. => Alarm::Within(Duration::from_millis(value as u64)),
        _ => Alarm::Never,
    };
    let lasting = |pointer: u64| time_at(thread, pointer, 1);
    let until = |pointer: u64, clock: ClockId| match time_at(thread, pointer, 1) {
        Alarm::Within(moment) => Alarm::Within(moment.saturating_sub(now(clock))),
        other => other,
    };
    let alarm = match &*call.name {
        "poll" => milliseconds(argument(2)),
        "epoll_wait" | "epoll_pwait" => milliseconds(argument(3)),
        "select" => time_at(thread, argument(4), 1000),
        "ppoll" | "rt_sigtimedwait" => lasting(argument(2)),
        "epoll_pwait2" | "semtimedop" => lasting(argument(3)),
        "pselect6" | "io_getevents" | "recvmmsg" => lasting(argument(4)),
        "nanosleep" => lasting(argument(0)),
        "clock_nanosleep" if argument(1) & 1 == 0 => lasting(argument(2)),
        "clock_nanosleep" => until(argument(2), clock_of(argument(0) as i32)),
        "mq_timedreceive" | "mq_timedsend" => until(argument(4), ClockId::Realtime),
        "futex" => match argument(1) & 127 {
            0 => lasting(argument(3)),
            9 | 11 | 13 => until(argument(3), clock_of(if argument(1) & 256 == 0 { 1 } else { 0 })),
            6 => until(argument(3), ClockId::Realtime),
            _ => Alarm::Never,
        },
        // What was interrupted goes on, and does not say what that was; or it is in no call at all.
        "restart_syscall" | "futex_waitv" | "futex_wait" | "io_uring_enter" | "-1" => Alarm::Unknown,
        _ => Alarm::Never,
    };
    match alarm {
        Alarm::Within(time) if time > FOR_EVER => Alarm::Never,
        alarm => alarm,
    }
}

/// The signals that a thread waits for where it sleeps (sigwaitinfo(2)); signal 1 is the lowest bit. It has none of them blocked meanwhile.
pub(crate) fn waited_for(thread: i32) -> u64 {
    let Some(call) = call(thread).filter(|call| call.name == "rt_sigtimedwait") else { return 0 };
    let mut set = [0; 8];
    let read = File::open(format!("/proc/{thread}/mem"))
        .and_then(|memory| memory.read_exact_at(&mut set, call.arguments.first().copied().unwrap_or(0)));
    read.map_or(0, |()| u64::from_ne_bytes(set))
}

fn clock_of(number: i32) -> ClockId {
    if number == libc::CLOCK_REALTIME { ClockId::Realtime } else { ClockId::Monotonic }
}

fn now(clock: ClockId) -> Duration {
    let Timespec { tv_sec, tv_nsec } = clock_gettime(clock);
    Duration::new(tv_sec.try_into().unwrap_or(0), tv_nsec.try_into().unwrap_or(0))
}

/// A `struct timespec` of another process, or a `struct timeval` if its parts are that much larger than nanoseconds.
fn time_at(thread: i32, pointer: u64, part: u32) -> Alarm {
    if pointer == 0 {
        return Alarm::Never;
    }
    let mut bytes = [0; 16];
    let read = File::open(format!("/proc/{thread}/mem")).and_then(|memory| memory.read_exact_at(&mut bytes, pointer));
    let word = |at: usize| u64::from_ne_bytes(std::array::from_fn(|index| bytes[at + index]));
    match (read, u32::try_from(word(8))) {
        (Ok(()), Ok(parts)) if parts < 1_000_000_000 / part => Alarm::Within(Duration::new(word(0), parts * part)),
        _ => Alarm::Unknown,
    }
}

/// What a process has beside its calls: timers of descriptors (timerfd_create(2)) and of its own (timer_create(2)).
pub(crate) fn alarm_of_process(process: i32) -> Alarm {
    let mut soonest = Alarm::Never;
    for entry in fs::read_dir(format!("/proc/{process}/fdinfo")).into_iter().flatten().flatten() {
        let text = fs::read_to_string(entry.path()).unwrap_or_default();
        let Some(left) = text.lines().find_map(|line| line.strip_prefix("it_value: (")) else { continue };
        let mut parts = left.trim_end_matches(')').split(", ").map(|part| part.parse::<u64>().unwrap_or(0));
        let (seconds, parts) = (parts.next().unwrap_or(0), parts.next().unwrap_or(0));
        let left = Duration::new(seconds, u32::try_from(parts).unwrap_or(0));
        if left.is_zero() || left > FOR_EVER {
            continue;
        }
        soonest = match soonest {
            Alarm::Within(time) => Alarm::Within(time.min(left)),
            _ => Alarm::Within(left),
        };
    }
    let own = fs::read_to_string(format!("/proc/{process}/timers")).unwrap_or_default();
    if own.is_empty() { soonest } else { Alarm::Untold }
}

/// Where a thread sleeps. Its stack is searched for what points into code: two sleeps of one call from two places of a program differ in that.
pub(crate) fn place(thread: i32) -> Place {
    const DEPTH: usize = 2048;
    let Some(call) = call(thread) else { return Place::default() };
    let maps = fs::read_to_string(format!("/proc/{thread}/maps")).unwrap_or_default();
    let code: Vec<(u64, u64)> = maps.lines().filter(|line| line.contains(" r-xp ")).filter_map(range).collect();
    let mut stack = vec![0; DEPTH];
    let length = File::open(format!("/proc/{thread}/mem"))
        .and_then(|memory| memory.read_at(&mut stack, call.stack))
        .unwrap_or(0);
    let words = stack[..length].chunks_exact(8).map(|word| u64::from_ne_bytes(std::array::from_fn(|at| word[at])));
    let returns = words.filter(|word| code.iter().any(|(from, to)| (from..to).contains(&word))).collect();
    Place { call: call.name, stack: call.stack, program: call.program, returns }
}

fn range(line: &str) -> Option<(u64, u64)> {
    let (from, to) = line.split(' ').next()?.split_once('-')?;
    Some((u64::from_str_radix(from, 16).ok()?, u64::from_str_radix(to, 16).ok()?))
}
