//! What the program and its helper say to each other: length, then postcard.

use std::io::{self, Read, Write};

use pidlab_scenario::{Facts, Observation, Run, Scenario};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::eyes::Look;
use crate::priority::Priority;
use crate::sharing::Sharing;
use crate::trouble::{Trouble, Unavailable};

/// More than any run of a valid scenario.
const MOST: u32 = 256 << 20;

/// What a program has said to its helper before that starts. Without it a program is no helper, whatever its environment says.
pub(crate) const GREETING: [u8; 16] = *b"pidlab's helper\0";

/// How a helper is to be set up; the value of the environment variable that starts one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Setup {
    pub(crate) cpu: Option<usize>,
    pub(crate) unprivileged: bool,
    /// Make a user namespace only where it cannot do without, though it would have more capabilities there.
    pub(crate) stay: bool,
    /// It is in a user namespace of its own already.
    pub(crate) entered: bool,
    /// And that because root has used up its PID namespaces.
    pub(crate) used_up: bool,
    /// It has been handed on a program to look with ([`crate::bpf::Program::hand_on`]).
    pub(crate) has_program: bool,
    /// How it is to look at processes.
    pub(crate) look: Look,
}

impl Setup {
    pub(crate) fn to_variable(self) -> String {
        let cpu = self.cpu.map_or_else(|| "-".to_owned(), |cpu| cpu.to_string());
        let flags = [self.unprivileged, self.stay, self.entered, self.used_up, self.has_program];
        let flags = flags.map(|flag| if flag { "1" } else { "0" });
        format!("{cpu} {} {}", flags.join(" "), self.look.word())
    }

    pub(crate) fn from_variable(variable: &str) -> Option<Setup> {
        let fields: Vec<&str> = variable.split(' ').collect();
        let [cpu, flags @ .., look] = &fields[..] else { return None };
        let cpu = if *cpu == "-" { None } else { Some(cpu.parse().ok()?) };
        let look = Look::ALL.into_iter().find(|way| way.word() == *look)?;
        let flags = <[&str; 5]>::try_from(flags).ok()?;
        let [unprivileged, stay, entered, used_up, has_program] = flags.map(|flag| flag == "1");
        Some(Setup { cpu, unprivileged, stay, entered, used_up, has_program, look })
    }
}

/// The first message of a helper.
#[derive(Serialize, Deserialize, Debug)]
pub(crate) enum Hello {
    /// It can run scenarios.
    Ready {
        release: String,
        facts: Facts,
        user_namespace: bool,
        used_up: bool,
        refused: Vec<String>,
        look: Look,
        real_time: bool,
    },
    /// It cannot, and why, and what to do about it. It may be able to without a user namespace, if it was in one that it need not have.
    Unavailable { why: Unavailable, in_needless_user_namespace: bool },
}

/// What a helper is asked to run.
#[derive(Serialize, Deserialize, Debug)]
pub(crate) struct Request {
    pub(crate) scenario: Scenario,
    pub(crate) sharing: Sharing,
    pub(crate) priority: Priority,
    /// Observe the world after every step, or only at the end.
    pub(crate) every_step: bool,
    /// Show each observation when it is made, and wait for a [`GoOn`] before the next step: for whoever wants to look, too.
    pub(crate) held: bool,
}

/// What a helper answers.
#[derive(Serialize, Deserialize, Debug)]
pub(crate) enum Answer {
    /// The run at hand, which is held, has come so far.
    Held(Observation),
    /// The run at hand, which goes on, has taken so many steps.
    Taken(usize),
    /// Its end.
    Ended(Response),
}

/// The word that a run which is held waits for.
#[derive(Serialize, Deserialize, Debug)]
pub(crate) struct GoOn;

/// A run, or why there is none.
pub(crate) type Response = Result<Run, Failure>;

/// Why a run gave no result.
#[derive(Serialize, Deserialize, Debug)]
pub(crate) enum Failure {
    /// It could not be brought to its end.
    Run(String),
    /// What it needs is lacking here: nothing is known about the kernel.
    Lacks(Unavailable),
    /// It has changed something of the machine. The helper runs nothing any more.
    Machine(String),
}

impl<T: Into<Trouble>> From<T> for Failure {
    fn from(why: T) -> Failure {
        match why.into() {
            Trouble::Broken(why) => Failure::Run(why),
            Trouble::Lacks(why) => Failure::Lacks(why),
        }
    }
}

/// Sends one message.
pub(crate) fn send(stream: &mut impl Write, message: &impl Serialize) -> io::Result<()> {
    let mut bytes = vec![0; 4];
    bytes = postcard::to_extend(message, bytes).map_err(io::Error::other)?;
    let length = u32::try_from(bytes.len() - 4).map_err(io::Error::other)?;
    bytes[..4].copy_from_slice(&length.to_le_bytes());
    stream.write_all(&bytes)
}

/// Receives one message.
pub(crate) fn receive<T: DeserializeOwned>(stream: &mut impl Read) -> io::Result<T> {
    let mut length = [0; 4];
    stream.read_exact(&mut length)?;
    let length = u32::from_le_bytes(length);
    if length > MOST {
        return Err(io::Error::other("a message of this size is not ours"));
    }
    let mut bytes = vec![0; length as usize];
    stream.read_exact(&mut bytes)?;
    postcard::from_bytes(&bytes).map_err(io::Error::other)
}
