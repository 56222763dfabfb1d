//! What the program and its helper say to each other: length, then postcard.

use std::io::{self, Read, Write};

use pidlab_scenario::{Facts, Observation, Run, Scenario};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::sharing::Sharing;

/// More than any run of a valid scenario.
const MOST: u32 = 256 << 20;

/// What a program has said to its helper before that starts. Without it a program is no helper, whatever its environment says.
pub(crate) const GREETING: [u8; 16] = *b"pidlab's helper\0";

/// How a helper is to be set up; the value of the environment variable that starts one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Setup {
    pub(crate) cpu: Option<usize>,
    pub(crate) unprivileged: bool,
}

impl Setup {
    pub(crate) fn to_variable(self) -> String {
        let cpu = self.cpu.map_or_else(|| "-".to_owned(), |cpu| cpu.to_string());
        format!("{cpu} {}", u8::from(self.unprivileged))
    }

    pub(crate) fn from_variable(variable: &str) -> Option<Setup> {
        let (cpu, unprivileged) = variable.split_once(' ')?;
        let cpu = if cpu == "-" { None } else { Some(cpu.parse().ok()?) };
        Some(Setup { cpu, unprivileged: unprivileged == "1" })
    }
}

/// The first message of a helper.
#[derive(Serialize, Deserialize, Debug)]
pub(crate) enum Hello {
    /// It can run scenarios.
    Ready { release: String, facts: Facts, user_namespace: bool },
    /// It cannot, and why, and what to do about it.
    Unavailable { reason: String, remedy: String },
}

/// What a helper is asked to run.
#[derive(Serialize, Deserialize, Debug)]
pub(crate) struct Request {
    pub(crate) scenario: Scenario,
    pub(crate) sharing: Sharing,
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
    /// It has changed something of the machine. The helper runs nothing any more.
    Machine(String),
}

impl From<String> for Failure {
    fn from(why: String) -> Failure {
        Failure::Run(why)
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
