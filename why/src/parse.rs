//! The texts of procfs: proc_pid_status(5), proc_pid_stat(5), proc_pid_syscall(5).
//!
//! They are bytes: a process calls itself as it likes, and a name that is no UTF-8, or that holds a parenthesis or the word of another field,
//! must not hide it.

use crate::snapshot::Call;

/// What `status` says.
#[derive(Default)]
pub(crate) struct Status {
    pub(crate) process: u32,
    pub(crate) parent: u32,
    pub(crate) tracer: u32,
    pub(crate) numbers: Vec<u32>,
    pub(crate) groups: Vec<u32>,
    pub(crate) sessions: Vec<u32>,
    pub(crate) pending: u64,
    pub(crate) ignored: u64,
}

/// Reads a `status`; nothing if it is none, as of a process that has just gone.
pub(crate) fn status(text: &[u8]) -> Option<Status> {
    let mut status = Status::default();
    for line in text.split(|byte| *byte == b'\n') {
        let colon = line.iter().position(|byte| *byte == b':')?;
        let (field, value) = (&line[..colon], line.get(colon + 1..).unwrap_or_default());
        match field {
            b"Tgid" => status.process = number(value)?,
            b"PPid" => status.parent = number(value)?,
            b"TracerPid" => status.tracer = number(value)?,
            b"NSpid" => status.numbers = numbers(value)?,
            b"NSpgid" => status.groups = numbers(value)?,
            b"NSsid" => status.sessions = numbers(value)?,
            b"SigPnd" | b"ShdPnd" => status.pending |= mask(value)?,
            // All that is wanted has come by then.
            b"SigIgn" => {
                status.ignored = mask(value)?;
                break;
            }
            _ => {}
        }
    }
    (!status.numbers.is_empty()).then_some(status)
}

/// What `stat` says.
pub(crate) struct Stat {
    pub(crate) name: String,
    pub(crate) state: char,
    pub(crate) flags: u32,
    pub(crate) threads: u32,
    pub(crate) started: u64,
    pub(crate) exit_signal: i32,
}

/// Reads a `stat`; nothing if it is none.
pub(crate) fn stat(text: &[u8]) -> Option<Stat> {
    let open = text.iter().position(|byte| *byte == b'(')?;
    let close = text.iter().rposition(|byte| *byte == b')')?;
    let name = String::from_utf8_lossy(text.get(open + 1..close)?).into_owned();
    let rest = std::str::from_utf8(&text[close + 1..]).ok()?;
    // The manual counts from 1, and two fields have gone by.
    let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
    let field = |of_the_manual: usize| fields.get(of_the_manual - 3).copied();
    Some(Stat {
        name,
        state: field(3)?.chars().next()?,
        flags: field(9)?.parse().ok()?,
        threads: field(20)?.parse().ok()?,
        started: field(22)?.parse().ok()?,
        exit_signal: field(38)?.parse().ok()?,
    })
}

/// Reads a `syscall`; nothing if its process is in none, or runs.
pub(crate) fn call(text: &str) -> Option<Call> {
    let mut words = text.split_ascii_whitespace();
    let number: usize = words.next()?.parse().ok()?;
    let name = syscalls::Sysno::new(number).map_or_else(|| number.to_string(), |call| call.name().to_owned());
    let hexadecimal = |word: &str| u64::from_str_radix(word.strip_prefix("0x")?, 16).ok();
    // Behind the six arguments stand two registers.
    Some(Call { name, arguments: words.take(6).map_while(hexadecimal).collect() })
}

/// A number that stands alone in what is left of a line.
fn number(value: &[u8]) -> Option<u32> {
    std::str::from_utf8(value.trim_ascii()).ok()?.parse().ok()
}

fn numbers(value: &[u8]) -> Option<Vec<u32>> {
    std::str::from_utf8(value).ok()?.split_ascii_whitespace().map(|number| number.parse().ok()).collect()
}

fn mask(value: &[u8]) -> Option<u64> {
    u64::from_str_radix(std::str::from_utf8(value.trim_ascii()).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::{call, stat, status};

    #[test]
    fn no_name_hides_a_process_or_passes_for_another() {
        let text = b"12 (\xffx) Z 1) S 7 12 12 0 -1 4194624 1 2 3 4 5 6 7 8 20 0 3 0 4711 1 2 3 0 0 0 0 0 0 0 0 0 0 0 0 17 1 0 0";
        let stat = stat(text).expect("it is a stat");
        assert_eq!((stat.name.as_str(), stat.state), ("\u{fffd}x) Z 1", 'S'));
        assert_eq!((stat.flags, stat.threads, stat.started, stat.exit_signal), (4_194_624, 3, 4711, 17));
        let text = b"Name:\t\xffPPid: 1\\n\nState:\tS (sleeping)\nTgid:\t12\nPid:\t12\nPPid:\t7\nTracerPid:\t0\n\
            NSpid:\t12\t3\nNSpgid:\t0\t3\nNSsid:\t9\t0\nSigPnd:\t0000000000000100\nShdPnd:\t0000000000000001\nSigIgn:\t0000000000010000\n";
        let status = status(text).expect("it is a status");
        assert_eq!((status.parent, status.process), (7, 12));
        assert_eq!((status.numbers, status.groups, status.sessions), (vec![12, 3], vec![0, 3], vec![9, 0]));
        assert_eq!((status.pending, status.ignored), (0x101, 0x10000));
    }

    #[test]
    fn what_is_cut_off_is_nothing() {
        assert!(status(b"Name:\tx\nState:\tS").is_none());
        assert!(
            status(b"").is_none() && stat(b"").is_none() && stat(b"1 (x").is_none() && stat(b"1 (x) S 1").is_none()
        );
    }

    #[test]
    fn a_call_has_its_name_and_its_arguments() {
        let wait = call("61 0x25 0x0 0x0 0x0 0x0 0x0 0x7ffc 0x7f46\n").expect("it is a call");
        assert_eq!(wait.arguments, [0x25, 0, 0, 0, 0, 0]);
        assert_eq!(call("999999 0x1").map(|call| call.name), Some("999999".to_owned()));
        for none in ["running\n", "-1 0x7ffc 0x7f46\n", ""] {
            assert!(call(none).is_none(), "{none}");
        }
    }
}
