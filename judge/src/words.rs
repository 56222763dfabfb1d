//! The words of strace inside arguments and results.

use pidlab_scenario::{ChildStatus, Signal, WaitStatus};

/// A number, before whatever comment or path follows it.
pub(crate) fn number(text: &str) -> Option<i64> {
    let end = text.char_indices().find(|(at, c)| !(c.is_ascii_digit() || *at == 0 && *c == '-'));
    text[..end.map_or(text.len(), |(at, _)| at)].parse().ok()
}

/// The number that strace itself sees, where that is another one: `2 /* 4711 in strace's PID NS */`.
pub(crate) fn outer_number(text: &str) -> Option<u32> {
    let (_, comment) = text.split_once("/* ")?;
    comment
        .strip_suffix(" in strace's PID NS */")
        .or_else(|| comment.split_once(" in strace's PID NS").map(|it| it.0))?
        .parse()
        .ok()
}

/// A signal by strace's name; those that have none, by their place among the real-time ones.
pub(crate) fn signal(name: &str) -> Option<Signal> {
    let name = name.split_whitespace().next()?;
    if let Some(number) = name.strip_prefix("SIGRT_").or_else(|| name.strip_prefix("SIG_")) {
        return Signal::new(32 + number.parse::<i64>().ok()?);
    }
    match name {
        // strace counts from 32, the C libraries from 34.
        "SIGRTMIN" => Signal::new(32),
        _ => Signal::from_name(name).or_else(|| Signal::new(name.parse().ok()?)),
    }
}

/// A set: `[INT TERM]`, `~[RTMIN RT_1]`, `[]`.
pub(crate) fn set(text: &str) -> Option<Vec<Signal>> {
    let (negated, inner) = match text.trim().strip_prefix('~') {
        Some(rest) => (true, rest),
        None => (false, text.trim()),
    };
    let inner = inner.strip_prefix('[')?.strip_suffix(']')?;
    let named: Vec<Signal> =
        inner.split_whitespace().map(|word| signal(&format!("SIG{word}"))).collect::<Option<_>>()?;
    if !negated {
        return Some(named);
    }
    Some((1..=64).filter_map(Signal::new).filter(|signal| !named.contains(signal)).collect())
}

/// A field of a structure: `si_pid=3`.
pub(crate) fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let from = text.split(['{', '}', ' ', ',']).find_map(|piece| piece.strip_prefix(name)?.strip_prefix('='))?;
    Some(from)
}

/// A field that is a set.
pub(crate) fn set_field(text: &str, name: &str) -> Option<Vec<Signal>> {
    let (_, rest) = text.split_once(&format!("{name}="))?;
    let end = rest.find(']')?;
    set(&rest[..=end])
}

/// What wait4(2) has written: `[{WIFEXITED(s) && WEXITSTATUS(s) == 0}]`.
pub(crate) fn wait_status(text: &str) -> Option<WaitStatus> {
    let value = |name: &str| {
        let (_, rest) = text.split_once(&format!("{name}(s) == "))?;
        Some(rest.split([' ', '}']).next().unwrap_or(rest))
    };
    if let Some(status) = value("WEXITSTATUS") {
        return status.parse().ok().map(WaitStatus::Exited);
    }
    if let Some(name) = value("WTERMSIG") {
        return signal(name).map(WaitStatus::Killed);
    }
    if let Some(name) = value("WSTOPSIG") {
        return signal(name).map(WaitStatus::Stopped);
    }
    text.contains("WIFCONTINUED").then_some(WaitStatus::Continued)
}

/// What a `siginfo_t` says of a child.
pub(crate) fn child_status(info: &str) -> Option<ChildStatus> {
    let status = field(info, "si_status")?;
    Some(match field(info, "si_code")? {
        "CLD_EXITED" => ChildStatus::Exited(status.parse().ok()?),
        "CLD_KILLED" | "CLD_DUMPED" => ChildStatus::Killed(signal(status)?),
        "CLD_STOPPED" => ChildStatus::Stopped(signal(status)),
        "CLD_TRAPPED" => ChildStatus::Trapped(signal(status)),
        "CLD_CONTINUED" => ChildStatus::Continued,
        _ => return None,
    })
}
