//! A scenario as a C program that needs nothing else: what one sends along when a kernel does not do as it should.

use std::fmt::Write as _;

use pidlab_scenario::syscall::{Pidfd, WaitId};
use pidlab_scenario::{CloneFlags, MaskChange, Scenario, SetnsVia, SignalAction, Syscall, WaitOptions};
use pidlab_sim::Model;

use crate::words;

/// What is the same in all of them.
const FRAME: &str = include_str!("standalone.c");

/// The program that takes the steps of a scenario, and prints what comes of each; `told` is what to look for, in words.
///
/// # Errors
/// Which step has no C form: what it takes is not in the frame.
pub(crate) fn program(model: &mut Model, scenario: &Scenario, told: &str) -> Result<String, String> {
    let (mut calls, mut turns) = (String::new(), String::new());
    model.start(scenario);
    for (index, step) in scenario.steps.iter().enumerate() {
        let (number, what) = (index + 1, words::call(scenario, &step.call));
        let no_form = || format!("step {number}, {what}, has no C form here");
        let call = model.lowered(step).ok().and_then(|call| expression(&call)).ok_or_else(no_form)?;
        let _ = writeln!(calls, "\tcase {number}: return {call};");
        let _ = writeln!(turns, "\tturn({number}, {}, {});", step.by.index(), quoted(&what));
        if model.step(scenario, step).is_err() && number < scenario.steps.len() {
            return Err(no_form());
        }
    }
    let names: Vec<String> = scenario.roles.iter().map(|name| quoted(name)).collect();
    let comment: String = told.lines().map(|line| format!(" * {}\n", line.replace("*/", "* /").trim_end())).collect();
    let (roles, names) = (names.len(), names.join(", "));
    Ok(format!(
        "/* {title}\n *\n{comment} *\n * cc -o shown shown.c && sudo ./shown\n */\n\
         #define ROLES {roles}\nstatic const char *const names[ROLES] = {{ {names} }};\n\
         static void run(void);\n\n{FRAME}\n\
         /* The steps, as system calls: what a process does in its turn. */\n\
         static long perform(int step)\n{{\n\tswitch (step) {{\n{calls}\tdefault: return -ENOSYS;\n\t}}\n}}\n\n\
         static void run(void)\n{{\n{turns}}}\n",
        title = scenario.title.replace("*/", "* /"),
    ))
}

/// What the model says of a scenario, in words: what each step gives, and what handlers receive.
pub(crate) fn expected(model: &mut Model, scenario: &Scenario) -> String {
    let mut told = String::new();
    model.start(scenario);
    for (number, step) in (1..).zip(&scenario.steps) {
        let Ok(answer) = model.step(scenario, step) else { break };
        let outcome = answer.observation.outcome.as_ref().map(|outcome| words::outcome(scenario, outcome));
        let _ = write!(told, "{number}. {}", outcome.unwrap_or_default());
        for process in &answer.observation.processes {
            for handled in &process.handled {
                let name = scenario.role_name(process.role);
                let _ = write!(told, "; {name} received signal {} from {}", handled.signal.number(), handled.si_pid);
            }
        }
        told.push('\n');
    }
    told
}

/// A text as C has it.
fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_graphic() || c == ' ';
    let text: String = text.replace('→', "->").chars().filter(|c| plain(*c)).collect();
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// The system call as a C expression; nothing where it takes more than the frame has.
fn expression(call: &Syscall) -> Option<String> {
    let number = |signal: &Option<pidlab_scenario::Signal>| signal.map_or(0, |signal| signal.number());
    Some(match call {
        Syscall::Clone3 { child, flags, exit_signal, set_tid } if set_tid.is_empty() => {
            // clone(2) has no room for the flags that came with clone3(2), and takes a signal for a sibling or a thread without a word.
            let too_much =
                flags.intersects(CloneFlags::CLONE_PARENT | CloneFlags::CLONE_THREAD) && exit_signal.is_some();
            if too_much || u32::try_from(flags.bits()).is_err() {
                return None;
            }
            format!("make({}, {:#x} | {})", child.index(), flags.bits(), number(exit_signal))
        }
        Syscall::ExitGroup { status } => format!("CALL(SYS_exit_group, {status})"),
        Syscall::Exit { status } => format!("CALL(SYS_exit, {status})"),
        Syscall::Abort => "(abort(), 0)".to_owned(),
        Syscall::Fault => "fault()".to_owned(),
        Syscall::Wait4 { pid, options } => format!("wait_for({pid}, {:#x})", wait4(*options)),
        Syscall::Waitid { id, options } => {
            let (kind, id) = match id {
                WaitId::All => ("P_ALL", 0),
                WaitId::Pid(pid) => ("P_PID", *pid),
                WaitId::Pgid(pgid) => ("P_PGID", *pgid),
                WaitId::Pidfd(_) => return None,
            };
            format!("CALL(SYS_waitid, {kind}, {id}, NULL, {:#x}, NULL)", options.bits())
        }
        Syscall::Kill { pid, signal } => format!("CALL(SYS_kill, {pid}, {})", number(signal)),
        Syscall::Tgkill { tgid, tid, signal } => format!("CALL(SYS_tgkill, {tgid}, {tid}, {})", number(signal)),
        Syscall::Tkill { tid, signal } => format!("CALL(SYS_tkill, {tid}, {})", number(signal)),
        Syscall::RtSigqueueinfo { pid, signal, si_pid, si_code } => {
            format!("queue(0, {pid}, {}, {si_pid}, {})", number(signal), si_code.word())
        }
        Syscall::RtTgsigqueueinfo { tgid, tid, signal, si_pid, si_code } if *tgid != 0 => {
            format!("queue({tgid}, {tid}, {}, {si_pid}, {})", number(signal), si_code.word())
        }
        Syscall::RtSigpending => "pending()".to_owned(),
        Syscall::PidfdOpen { pid, flags } => format!("pidfd({pid}, {:#x})", flags.bits()),
        Syscall::PidfdSendSignal { pidfd: Pidfd::Opened(pid), signal, flags } if flags.is_empty() => {
            format!("send_by_pidfd({pid}, {})", number(signal))
        }
        Syscall::Unshare { flags } => format!("CALL(SYS_unshare, {:#x})", flags.bits()),
        Syscall::Setns { to, via, nstype } => {
            let file = match via {
                SetnsVia::NsPid => "pid",
                SetnsVia::PidForChildren => "pid_for_children",
                SetnsVia::NsUser => "user",
                _ => return None,
            };
            format!("join({}, \"ns/{file}\", {:#x})", to.index(), nstype.bits())
        }
        Syscall::PrctlSetChildSubreaper { on } => {
            format!("CALL(SYS_prctl, PR_SET_CHILD_SUBREAPER, {}, 0, 0, 0)", u8::from(*on))
        }
        Syscall::PrctlSetPdeathsig { signal } => {
            format!("CALL(SYS_prctl, PR_SET_PDEATHSIG, {}, 0, 0, 0)", number(signal))
        }
        Syscall::Setuid { uid } => format!("CALL(SYS_setuid, {uid})"),
        Syscall::RtSigaction { signal, action } => {
            let signal = signal.number();
            match action {
                SignalAction::Default => format!("act({signal}, SIG_DFL, 0)"),
                SignalAction::Ignore => format!("act({signal}, SIG_IGN, 0)"),
                SignalAction::Handle => format!("handle({signal}, 0)"),
                SignalAction::HandleRestart => format!("handle({signal}, SA_RESTART)"),
                SignalAction::NoCldWait => format!("act({signal}, SIG_DFL, SA_NOCLDWAIT)"),
            }
        }
        Syscall::RtSigprocmask { how, signal } => {
            let how = match how {
                MaskChange::Block => "SIG_BLOCK",
                MaskChange::Unblock => "SIG_UNBLOCK",
            };
            format!("mask({how}, {})", signal.number())
        }
        Syscall::Setsid => "CALL(SYS_setsid)".to_owned(),
        Syscall::Setpgid { pid, pgid } => format!("CALL(SYS_setpgid, {pid}, {pgid})"),
        Syscall::Getpgid { pid } => format!("CALL(SYS_getpgid, {pid})"),
        Syscall::Getsid { pid } => format!("CALL(SYS_getsid, {pid})"),
        Syscall::Getpid => "CALL(SYS_getpid)".to_owned(),
        Syscall::Gettid => "CALL(SYS_gettid)".to_owned(),
        Syscall::Getppid => "CALL(SYS_getppid)".to_owned(),
        _ => return None,
    })
}

/// wait4(2) asks for children that have ended by itself, and refuses the flag.
fn wait4(options: WaitOptions) -> u32 {
    options.difference(WaitOptions::WEXITED).bits()
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::process::{Command, Stdio};

    use pidlab_scenario::{Facts, Scenario, library};
    use pidlab_sim::Model;

    use super::program;

    /// Most scenarios have a C form, and a C compiler takes it. Where there is none, only the text is made.
    #[test]
    fn scenarios_become_programs() {
        let mut model = Model::new(Facts::newest());
        let (mut made, mut sample) = (0, None);
        let all = library::files().count();
        for file in library::files() {
            let scenario = Scenario::parse(&file.name, &file.path, file.text).expect("it is in the library");
            if let Ok(text) = program(&mut model, &scenario, "what to look for */") {
                made += 1;
                sample = Some(text);
            }
        }
        assert!(made > all / 3, "{made} of {all}");
        let compiler = Command::new("cc")
            .args(["-x", "c", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", "-"])
            .stdin(Stdio::piped())
            .spawn();
        let Ok(mut compiler) = compiler else { return };
        let text = sample.expect("there is one");
        compiler.stdin.take().expect("it is a pipe").write_all(text.as_bytes()).expect("it reads");
        assert!(compiler.wait().expect("it ends").success(), "{text}");
    }
}
