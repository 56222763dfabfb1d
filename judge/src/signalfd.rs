//! What is read from a signalfd(2).
//!
//! strace does not take such a read apart: it shows bytes. They are those of `struct signalfd_siginfo`, one after another, cut off where strace was told
//! to (`-s`): what is cut off is not known, and never held against anybody.

use pidlab_scenario::{Call, ChildStatus, Signal};

use crate::calls::Logged;
use crate::event::{Answer, Deed, From, Shown};
use crate::log::{Log, What};
use crate::words::set;

/// How long one `signalfd_siginfo` is.
const SIZE: usize = 128;

/// The signalfds of a log.
#[derive(Clone, Debug, Default)]
pub(crate) struct Signalfds {
    /// Whether the log has what is read at all.
    pub(crate) are_read: bool,
    /// Which signals they take, if all of them take the same: which one a descriptor is the log does not say, for it can be passed on and made twice.
    set: Option<Vec<Signal>>,
}

impl Signalfds {
    pub(crate) fn of(log: &Log) -> Signalfds {
        let mut found = Signalfds::default();
        let mut sets: Vec<Option<Vec<Signal>>> = Vec::new();
        for record in &log.records {
            let What::Call { name, arguments, .. } = &record.what else { continue };
            match name.as_str() {
                "read" => found.are_read = true,
                "signalfd" | "signalfd4" => sets.push(arguments.get(1).and_then(|text| set(text))),
                _ => {}
            }
        }
        if let [first, rest @ ..] = &sets[..]
            && rest.iter().all(|other| other == first)
        {
            found.set.clone_from(first);
        }
        found
    }

    /// The signals that are taken from this descriptor; newer straces say it of the descriptor itself: `3<signalfd:[TERM CHLD]>`.
    fn taken_from(&self, descriptor: &str) -> Option<Vec<Signal>> {
        match descriptor.split_once("<signalfd:") {
            Some((_, said)) => set(said.strip_suffix('>')?),
            None => self.set.clone(),
        }
    }

    /// What a read of a signalfd was: one signal after another, each with what is known of it. `Err` where it cannot be said to the model.
    pub(crate) fn read(&self, call: &Logged<'_>, answer: Answer) -> Result<Vec<(Deed, Answer)>, ()> {
        let descriptor = call.arguments.first().map_or("", String::as_str);
        let signals = self.taken_from(descriptor);
        match answer {
            Answer::Number(length) => {
                let count = usize::try_from(length).map_err(|_| ())? / SIZE;
                let bytes = call.arguments.get(1).and_then(|text| bytes(text)).unwrap_or_default();
                let taken = (0..count).map(|at| Taken::read(bytes.get(at * SIZE..).unwrap_or_default()));
                taken
                    .enumerate()
                    .map(|(at, taken)| taken.and_then(|it| it.deed(signals.clone(), at > 0).ok_or(())))
                    .collect()
            }
            Answer::Fails(name) if name == "EAGAIN" => {
                let call = Call::Sigtimedwait { signals: signals.ok_or(())? };
                Ok(vec![(Deed::Call(call), Answer::Fails(name))])
            }
            answer @ (Answer::Interrupted | Answer::Never) => {
                Ok(vec![(signals.map_or(Deed::Passes, |signals| Deed::Call(Call::Sigwait { signals })), answer)])
            }
            answer => Ok(vec![(Deed::Passes, answer)]),
        }
    }
}

/// Whether a call reads from a signalfd.
pub(crate) fn is_read(call: &Logged<'_>) -> bool {
    let of = call.arguments.first().map_or("", String::as_str);
    call.name == "read" && (of.contains("<anon_inode:[signalfd]>") || of.contains("<signalfd:"))
}

/// Whether a call makes a signalfd, or changes one.
pub(crate) fn makes_one(name: &str) -> bool {
    matches!(name, "signalfd" | "signalfd4")
}

/// As much of a `signalfd_siginfo` as was shown.
struct Taken {
    signal: Signal,
    code: i32,
    pid: Option<u32>,
    status: Option<i32>,
}

impl Taken {
    fn read(bytes: &[u8]) -> Result<Taken, ()> {
        let word = |at: usize| bytes.get(at..at + 4)?.try_into().ok().map(i32::from_le_bytes);
        let signal = word(0).and_then(|number| Signal::new(number.into())).ok_or(())?;
        // The fields are told in the order of the structure: signo, errno, code, pid, and behind four others and two the status.
        let pid = word(12).and_then(|pid| u32::try_from(pid).ok());
        Ok(Taken { signal, code: word(8).ok_or(())?, pid, status: word(40) })
    }

    /// As what it was; nothing if nobody in the log need have sent it.
    fn deed(self, signals: Option<Vec<Signal>>, later: bool) -> Option<(Deed, Answer)> {
        /// SI_QUEUE, SI_TKILL and SI_USER of asm-generic/siginfo.h.
        const OF_A_PROCESS: [i32; 3] = [-1, -6, 0];
        let child = self.child();
        let from_a_child = self.signal == Signal::CHLD && (1..=6).contains(&self.code);
        if !from_a_child && !OF_A_PROCESS.contains(&self.code) {
            return None;
        }
        let signals = signals.unwrap_or_else(|| vec![self.signal]);
        // A read sleeps for the first one only.
        let call = if later { Call::Sigtimedwait { signals } } else { Call::Sigwait { signals } };
        Some((Deed::Call(call), Answer::Read { signal: self.signal, si_pid: self.pid, child }))
    }

    /// What it says of a child; nothing where that was cut off, and of a signal that is none of a child.
    fn child(&self) -> Option<ChildStatus> {
        let status = self.status.filter(|_| self.signal == Signal::CHLD)?;
        let signal = Signal::new(status.into());
        Some(match self.code {
            1 => ChildStatus::Exited(u8::try_from(status).ok()?),
            2 | 3 => ChildStatus::Killed(signal?),
            4 => ChildStatus::Trapped(signal),
            5 => ChildStatus::Stopped(signal),
            6 => ChildStatus::Continued,
            _ => return None,
        })
    }
}

/// The bytes of a string of strace's: `"\21\0\0\0a"`, with `...` behind it where it was cut off.
fn bytes(text: &str) -> Option<Vec<u8>> {
    let inner = text.strip_prefix('"')?;
    let mut found = Vec::new();
    let mut rest = inner.bytes().peekable();
    loop {
        match rest.next()? {
            b'"' => return Some(found),
            b'\\' => match rest.next()? {
                b'n' => found.push(b'\n'),
                b't' => found.push(b'\t'),
                b'r' => found.push(b'\r'),
                b'f' => found.push(0x0c),
                b'v' => found.push(0x0b),
                b'x' => {
                    let mut value = 0;
                    for _ in 0..2 {
                        let digit = char::from(rest.next()?).to_digit(16)?;
                        value = value * 16 + digit;
                    }
                    found.push(u8::try_from(value).ok()?);
                }
                digit @ b'0'..=b'7' => {
                    let mut value = u32::from(digit - b'0');
                    for _ in 0..2 {
                        let Some(digit) = rest.next_if(|it| (b'0'..=b'7').contains(it)) else { break };
                        value = value * 8 + u32::from(digit - b'0');
                    }
                    found.push(u8::try_from(value).ok()?);
                }
                other => found.push(other),
            },
            plain => found.push(plain),
        }
    }
}

/// Whether a call has taken a signal that nobody in the log need have sent: of a timer, a terminal, the kernel.
pub(crate) fn is_from_the_kernel(call: &Logged<'_>, answer: &Answer) -> bool {
    call.name == "rt_sigtimedwait" && matches!(answer, Answer::Took(Shown { from: From::Kernel | From::Fault, .. }))
}

#[cfg(test)]
mod tests {
    use super::bytes;

    #[test]
    fn a_string_of_straces_is_read_as_it_was_written() {
        assert_eq!(bytes(r#""\21\0\0\0a\"\\\n""#), Some(vec![17, 0, 0, 0, b'a', b'"', b'\\', b'\n']));
        assert_eq!(bytes(r#""\0001\3178\x0f"..."#), Some(vec![0, b'1', 0o317, b'8', 15]));
        for none in ["0x7ffc0000", "", "\"\\", "\"abc", r#""\777""#, r#""\xg0""#] {
            assert_eq!(bytes(none), None, "{none}");
        }
    }
}
