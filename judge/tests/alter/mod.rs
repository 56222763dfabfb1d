//! One answer of a log, another than the kernel gave.

/// Each with what was altered: a few places of a log, the same ones every time.
pub(crate) fn some(text: &str, seed: &str) -> Vec<(String, String)> {
    let mut all: Vec<(usize, String)> = Vec::new();
    let lines: Vec<&str> = text.lines().collect();
    for (at, line) in lines.iter().enumerate() {
        all.extend(alterations(line).into_iter().map(|line| (at, line)));
    }
    let mut random =
        fastrand::Rng::with_seed(seed.bytes().fold(7, |seed, byte| seed.wrapping_mul(31).wrapping_add(byte.into())));
    random.shuffle(&mut all);
    let chosen = all.into_iter().take(PER_RECORDING);
    let with = |(at, line): (usize, String)| {
        let mut altered: Vec<&str> = lines.clone();
        altered[at] = &line;
        (format!("line {}: {} became {line}", at + 1, lines[at]), altered.join("\n") + "\n")
    };
    chosen.map(with).collect()
}

/// So many places of each recording.
const PER_RECORDING: usize = 25;

/// Calls whose number is a PID.
const GIVE_A_PID: [&str; 11] =
    ["getpid", "gettid", "getppid", "getpgrp", "getpgid", "getsid", "setsid", "fork", "vfork", "clone", "clone3"];

/// Every other answer that a line could have in place of the one that it has.
fn alterations(line: &str) -> Vec<String> {
    let mut all = Vec::new();
    let name = call_of(line);
    if let Some((call, result)) = line.rsplit_once(") = ") {
        if let Some(number) = leading_number(result) {
            let rest = &result[number.to_string().len()..];
            if number > 0 && (GIVE_A_PID.contains(&name) || name == "wait4") {
                all.push(format!("{call}) = {}{rest}", number + 1));
            }
            if number == 0 && matches!(name, "kill" | "tgkill" | "setpgid") {
                all.push(format!("{call}) = -1 ESRCH (No such process)"));
            }
            if number == 0 && matches!(name, "kill" | "tgkill" | "ptrace") {
                all.push(format!("{call}) = -1 EPERM (Operation not permitted)"));
            }
            if number == 0 && name == "wait4" {
                all.push(format!("{call}) = -1 ECHILD (No child processes)"));
            }
        }
        if matches!(name, "kill" | "ptrace" | "setuid" | "setresuid") && result.starts_with("-1 EPERM ") {
            all.push(format!("{call}) = 0"));
        }
        if matches!(name, "wait4" | "kill" | "setpgid" | "setsid" | "waitid" | "rt_sigtimedwait") {
            for (errno, other) in [
                ("ECHILD", "EINVAL"),
                ("ESRCH", "EPERM"),
                ("EPERM", "ESRCH"),
                ("EACCES", "EPERM"),
                ("EAGAIN", "EINVAL"),
            ] {
                if result.starts_with(&format!("-1 {errno} ")) {
                    all.push(format!("{call}) = -1 {other} (altered)"));
                }
            }
        }
    }
    for (from, to) in
        [("WTERMSIG(s) == SIGKILL", "WTERMSIG(s) == SIGTERM"), ("WTERMSIG(s) == SIGTERM", "WTERMSIG(s) == SIGHUP")]
    {
        if line.contains(from) {
            all.push(line.replace(from, to));
        }
    }
    for key in ["WEXITSTATUS(s) == ", "si_pid=", "si_status=", "+++ exited with "] {
        all.extend(another_number(line, key));
    }
    all
}

fn call_of(line: &str) -> &str {
    let rest = line.split_once(' ').map_or("", |(_, rest)| rest).trim_start();
    let rest = rest.strip_prefix("<... ").unwrap_or(rest);
    rest.split(['(', ' ']).next().unwrap_or_default()
}

fn leading_number(text: &str) -> Option<i64> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    text[..end].parse().ok()
}

/// The same line with the number behind this word one greater.
fn another_number(line: &str, key: &str) -> Option<String> {
    let (before, rest) = line.split_once(key)?;
    let number = leading_number(rest)?;
    let after = &rest[number.to_string().len()..];
    Some(format!("{before}{key}{}{after}", (number + 1) % if key == "si_pid=" { i64::MAX } else { 256 }))
}
