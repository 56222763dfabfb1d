use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::{Call, Claim, Expect, Need, OutcomeClaim, Role};

/// One scenario: a claim about a few processes, in steps.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Scenario {
    /// `chapter/name` in the library, or derived from the path of the file.
    pub name: String,
    /// What it claims, in one line.
    pub title: String,
    /// Why it matters. Markdown.
    pub about: String,
    /// The ids of the rules that it shows.
    pub rules: Vec<String>,
    /// What a kernel must have for it.
    pub needs: Vec<Need>,
    /// The names of its processes, `host` first, then in the order in which the steps make them.
    pub roles: Vec<String>,
    /// What happens.
    pub steps: Vec<Step>,
}

impl Scenario {
    /// A scenario with this title in which nothing happens yet. Its only process is `host`; whoever a step makes is named in `roles` first.
    ///
    /// ```
    /// use pidlab_scenario::{Call, Role, Scenario, Step};
    ///
    /// let mut scenario = Scenario::new("A child has the next number");
    /// scenario.roles.push("child".to_owned());
    /// scenario.steps.push(Step::new(Role::HOST, Call::Fork { child: Role(1) }));
    /// assert_eq!(scenario.role("child"), Some(Role(1)));
    /// ```
    pub fn new(title: &str) -> Scenario {
        Scenario {
            name: String::new(),
            title: title.to_owned(),
            about: String::new(),
            rules: Vec::new(),
            needs: Vec::new(),
            roles: vec!["host".to_owned()],
            steps: Vec::new(),
        }
    }

    /// The name of a process.
    ///
    /// # Panics
    /// If the role is of another scenario.
    pub fn role_name(&self, role: Role) -> &str {
        &self.roles[role.index()]
    }

    /// The process with this name.
    pub fn role(&self, name: &str) -> Option<Role> {
        let index = self.roles.iter().position(|known| known == name)?;
        u16::try_from(index).ok().map(Role)
    }
}

/// One step: a process makes a call.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Step {
    /// Who.
    pub by: Role,
    /// What.
    pub call: Call,
    /// What the scenario's author says will come of it.
    pub expect: Option<Expect>,
    /// What else he claims, in the order of [`Claim`].
    pub claims: Vec<Claim>,
    /// The question that the step is in the learner's mode.
    pub ask: Option<String>,
    /// Where it stands in the file, in bytes; empty for a scenario without a file.
    pub span: Range<usize>,
}

impl Step {
    /// A step of which nothing is claimed.
    pub fn new(by: Role, call: Call) -> Step {
        Step { by, call, expect: None, claims: Vec::new(), ask: None, span: 0..0 }
    }

    /// All that the author claims, what is expected of the call first.
    pub fn claimed(&self) -> impl Iterator<Item = Claim> {
        let expect = self.expect.map(|expect| Claim::Outcome(OutcomeClaim::Result(expect)));
        expect.into_iter().chain(self.claims.iter().cloned())
    }
}
