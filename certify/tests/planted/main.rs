//! A fault in each duty: a small PID 1 with one fault switched on is caught by that duty, and by no other.
#![forbid(unsafe_code)]

mod faulty;
mod own;

use std::io::{self, Write};
use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};
use pidlab_certify::{
    AskError, Asked, DUTIES, Duty, Log, Profile, Recorded, Recording, Report, Subject, Verdict, find,
};
use pidlab_realkernel::must_not_skip;

/// One that is not there.
const NO_FAULT: &str = "no-fault";

fn main() -> ExitCode {
    if let Some(code) = pidlab_certify::enter_if_part() {
        return code;
    }
    let mut words = std::env::args();
    if words.nth(1).as_deref() == Some(faulty::WORD) {
        return match faulty::run(words) {
            Ok(status) => ExitCode::from(u8::try_from(status).unwrap_or(255)),
            Err(error) => {
                // What is written here is shown with the duty that fails.
                let _ = writeln!(io::stderr(), "{error}");
                ExitCode::from(99)
            }
        };
    }
    let arguments = Arguments::from_args();
    let mut trials = Vec::new();
    for (kind, profile) in KINDS {
        trials.push(Trial::test(format!("a_good_{kind}_does_all"), move || does_all(kind, profile)));
        let duties = DUTIES.iter().filter(|duty| duty.profiles.contains(&profile) && duty.is_for_started());
        // The others were tried as a container's.
        for duty in duties.filter(|duty| profile == Profile::Container || !duty.profiles.contains(&Profile::Container))
        {
            trials.push(Trial::test(format!("a_fault_in_{}", duty.name), move || is_caught(kind, profile, duty)));
        }
    }
    trials.push(Trial::test("one_that_takes_its_time_is_awaited", takes_its_time));
    // Where strace is not installed that is told as ignored.
    let lacking = std::process::Command::new("strace").arg("-V").output().is_err();
    trials.push(Trial::test("strace_changes_nothing_of_a_good_one", strace_changes_nothing).with_ignored_flag(lacking));
    trials.push(Trial::test("a_recording_shows_the_fault", a_recording_shows).with_ignored_flag(lacking));
    trials.extend(own::trials(lacking));
    libtest_mimic::run(&arguments, trials).exit_code()
}

const KINDS: [(&str, Profile); 3] =
    [("container", Profile::Container), ("supervisor", Profile::Supervisor), ("pause", Profile::Pause)];

/// This program as an init of a kind, with a fault.
fn init(kind: &str, fault: &str) -> Subject {
    let own = std::env::current_exe().expect("it is running").to_string_lossy().into_owned();
    let mut words = vec![own, faulty::WORD.to_owned(), kind.to_owned(), fault.to_owned()];
    if kind != "pause" {
        words.push("{}".to_owned());
    }
    Subject::new(words)
}

/// How each duty of a profile comes out; nothing where it cannot be asked here.
fn ask_all(kind: &str, profile: Profile, fault: &str) -> Result<Vec<Report>, Failed> {
    let subject = init(kind, fault);
    let mut reports = Vec::new();
    for duty in DUTIES.iter().filter(|duty| duty.profiles.contains(&profile) && duty.is_for_started()) {
        match subject.ask(duty) {
            Ok(report) => reports.push(report),
            Err(AskError::Unavailable { reason, .. }) if !must_not_skip() => {
                writeln!(io::stderr(), "skipped: {reason}")?;
                return Ok(Vec::new());
            }
            Err(error) => return Err(error.to_string().into()),
        }
    }
    Ok(reports)
}

fn does_all(kind: &str, profile: Profile) -> Result<(), Failed> {
    let reports = ask_all(kind, profile, NO_FAULT)?;
    let wrong: Vec<&Report> = reports.iter().filter(|report| report.verdict != Verdict::Holds).collect();
    if wrong.is_empty() { Ok(()) } else { Err(format!("{wrong:#?}").into()) }
}

fn takes_its_time() -> Result<(), Failed> {
    let subject = init("container", faulty::SLUGGISH);
    for name in ["orphan", "thousand", "status", "twice"] {
        let duty = find(name).ok_or("it is in the table")?;
        match subject.ask(duty) {
            Ok(report) if report.verdict == Verdict::Holds => {}
            Err(AskError::Unavailable { .. }) if !must_not_skip() => return Ok(()),
            other => return Err(format!("{name}: {other:#?}").into()),
        }
    }
    Ok(())
}

/// What a second play under strace gives; nothing where it cannot be asked here.
fn record(subject: &Subject, duty: &str) -> Result<Option<Recording>, Failed> {
    record_this(subject, find(duty).ok_or("it is in the table")?.into())
}

fn record_this(subject: &Subject, asked: Asked<'_>) -> Result<Option<Recording>, Failed> {
    match subject.record(asked, None) {
        Ok(Recorded::Played(recording)) => Ok(Some(recording)),
        Err(AskError::Unavailable { .. }) if !must_not_skip() => Ok(None),
        other => Err(format!("{}: {other:?}", asked.name()).into()),
    }
}

/// Whether a log is whole, and what Linux allows.
fn judged(log: &Log) -> Result<(), Failed> {
    let read = pidlab_judge::Log::read(&log.text, false)?;
    match pidlab_judge::judge(&read, &pidlab_judge::Options::default())?.finding {
        pidlab_judge::Finding::Accepted => Ok(()),
        other => Err(format!("{other:#?} of\n{}", log.text).into()),
    }
}

/// Those whose stops, ends and starts strace has its hands in.
fn strace_changes_nothing() -> Result<(), Failed> {
    let names = [
        "dead-orphan",
        "crowd",
        "exec-orphan",
        "stopped-command",
        "nested",
        "subreaper",
        "status-killed",
        "job-control",
        "ctrl-c",
    ];
    for name in names {
        let Some(recording) = record(&init("container", NO_FAULT), name)? else { return Ok(()) };
        if recording.verdict != Verdict::Holds {
            return Err(format!("{name}: {:?}: {}", recording.verdict, recording.seen).into());
        }
    }
    Ok(())
}

fn a_recording_shows() -> Result<(), Failed> {
    // The duty, how often the program is started for it, and of which its calls are told.
    for (kind, name, count, shown) in [
        ("container", "orphan", 1, 0),
        ("container", "exec-orphan", 1, 0),
        ("container", "nested", 1, 0),
        ("container", "subreaper", 1, 0),
        ("container", "status", 3, 2),
        ("container", "twice", 1, 0),
        ("pause", "ends", 1, 0),
    ] {
        let Some(recording) = record(&init(kind, name), name)? else { return Ok(()) };
        let is_shown = recording.logs.iter().map(|log| log.shown).enumerate().filter(|(_, shown)| *shown);
        let is_shown: Vec<usize> = is_shown.map(|(index, _)| index).collect();
        if recording.verdict != Verdict::Fails || recording.logs.len() != count || is_shown != [shown] {
            let Recording { verdict, seen, logs, .. } = recording;
            return Err(format!("{name}: {verdict:?}: {seen}; {} logs, {is_shown:?}", logs.len()).into());
        }
        if recording.calls.is_empty() || recording.calls.iter().any(|call| call.contains("killed by SIGKILL")) {
            return Err(format!("{name}: {:?}", recording.calls).into());
        }
        recording.logs.iter().try_for_each(judged)?;
    }
    Ok(())
}

fn is_caught(kind: &str, profile: Profile, duty: &Duty) -> Result<(), Failed> {
    let reports = ask_all(kind, profile, duty.name)?;
    for report in reports {
        let is_it = report.duty == duty.name;
        // Nothing more can be asked where no command is.
        let expected = match () {
            () if is_it => Verdict::Fails,
            () if duty.name == "starts" => report.verdict,
            () => Verdict::Holds,
        };
        if report.verdict != expected || (is_it && report.seen.is_empty()) {
            return Err(format!("the fault is in {}: {report:#?}", duty.name).into());
        }
    }
    Ok(())
}
