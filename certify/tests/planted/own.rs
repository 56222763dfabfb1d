//! Duties of a user's own: each example is done by a good init, and notices its faults and no others.

use std::fs;
use std::path::{Path, PathBuf};

use libtest_mimic::{Failed, Trial};
use pidlab_certify::{AskError, DUTIES, OwnDuty, Profile, Report, Subject, Verdict};
use pidlab_realkernel::must_not_skip;
use pidlab_scenario::Scenario;

use super::{NO_FAULT, faulty, init, judged, record_this};

/// The examples of the manual, each with the faults that it is to notice. Where the command never comes nothing is done.
const EXAMPLES: [(&str, &[&str]); 3] = [
    ("orphan", &["orphan", "starts"]),
    ("term-reaches-the-command", &[faulty::DEAF, "starts", "stop-clean"]),
    ("status-is-passed-on", &["starts", "status", "stays"]),
];

pub(crate) fn trials(strace_is_lacking: bool) -> Vec<Trial> {
    let mut trials = Vec::new();
    for (name, faults) in EXAMPLES {
        trials.push(Trial::test(format!("own_{name}_notices_its_faults"), move || notices(name, faults)));
    }
    for (kind, folder) in [("container", "container"), ("supervisor", "supervisor")] {
        for file in files(&Path::new("tests/duties").join(folder)) {
            let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let (played, recorded) = (file.clone(), file);
            trials.push(Trial::test(format!("own_{name}_is_done"), move || holds(kind, &played)));
            let under_strace =
                Trial::test(format!("own_{name}_is_done_under_strace"), move || holds_under_strace(kind, &recorded));
            trials.push(under_strace.with_ignored_flag(strace_is_lacking));
        }
    }
    let shows = Trial::test("own_a_recording_shows_the_fault", a_recording_shows);
    trials.push(shows.with_ignored_flag(strace_is_lacking));
    trials
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let entries = fs::read_dir(folder).expect("the folder is there");
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("it can be read").path()).collect();
    files.sort();
    files
}

fn duty(file: &Path) -> Result<OwnDuty, Failed> {
    let (text, path) = (fs::read_to_string(file)?, file.display().to_string());
    let scenario = Scenario::parse("own", &path, &text)?;
    Ok(OwnDuty::of(&scenario, &path, &text)?)
}

fn example(name: &str) -> Result<OwnDuty, Failed> {
    duty(&Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/duties").join(format!("{name}.toml")))
}

fn ask(subject: &Subject, duty: &OwnDuty) -> Result<Option<Report>, Failed> {
    match subject.ask(duty) {
        Ok(report) => Ok(Some(report)),
        Err(AskError::Unavailable { .. }) if !must_not_skip() => Ok(None),
        Err(error) => Err(error.to_string().into()),
    }
}

fn notices(name: &str, expected: &[&str]) -> Result<(), Failed> {
    let duty = example(name)?;
    let of_a_container =
        DUTIES.iter().filter(|duty| duty.profiles.contains(&Profile::Container) && duty.is_for_started());
    for fault in of_a_container.map(|duty| duty.name).chain([NO_FAULT, faulty::DEAF]) {
        let Some(report) = ask(&init("container", fault), &duty)? else { return Ok(()) };
        let verdict = if expected.contains(&fault) { Verdict::Fails } else { Verdict::Holds };
        if report.verdict != verdict || (verdict == Verdict::Fails && report.seen.is_empty()) {
            return Err(format!("the fault is {fault}: {report:#?}").into());
        }
    }
    Ok(())
}

fn holds(kind: &str, file: &Path) -> Result<(), Failed> {
    match ask(&init(kind, NO_FAULT), &duty(file)?)? {
        Some(report) if report.verdict != Verdict::Holds => Err(format!("{report:#?}").into()),
        _ => Ok(()),
    }
}

fn holds_under_strace(kind: &str, file: &Path) -> Result<(), Failed> {
    let duty = duty(file)?;
    match record_this(&init(kind, NO_FAULT), (&duty).into())? {
        Some(recording) if recording.verdict != Verdict::Holds => {
            Err(format!("{:?}: {}", recording.verdict, recording.seen).into())
        }
        Some(recording) => recording.logs.iter().try_for_each(judged),
        None => Ok(()),
    }
}

fn a_recording_shows() -> Result<(), Failed> {
    let duty = example("orphan")?;
    let Some(recording) = record_this(&init("container", "orphan"), (&duty).into())? else { return Ok(()) };
    if recording.verdict != Verdict::Fails || recording.calls.is_empty() {
        return Err(format!("{:?}: {}; {:?}", recording.verdict, recording.seen, recording.calls).into());
    }
    recording.logs.iter().try_for_each(judged)
}
