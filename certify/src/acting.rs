//! A duty of a user's own is played: the program under test is `init`, puppets are those inside, and `host` is who stands outside.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use pidlab_scenario::{
    Call, ChildStatus, Claim, Errno, Handled, KillTarget, Numbers, Observation, Outcome as Given, OutcomeClaim,
    ProcessClaim, ProcessView, Role, Scenario, Signal, State, Target, WaitOptions, WaitStatus,
};

use crate::deed::{Deed, Known, deed};
use crate::lab::{Bench, Lab, Setting};
use crate::look;
use crate::play::{Outcome, Played};
use crate::report::Ended;
use crate::said::{Order, Said};
use crate::script::{Afterwards, At, Claimed, Script, Turn};
use crate::stop::Stop;

/// Under which name the program's command comes, each time that it is started.
const COMMAND_NAME: &str = "command";

pub(crate) fn play(script: &Script, bench: &mut Bench) -> Played {
    let setting = Setting { blocked: script.blocked.clone(), ignored: script.ignored.clone(), ..Setting::default() };
    let mut lab = match bench.ready(setting) {
        Ok(lab) => lab,
        // Whoever writes a duty means that it is asked.
        Err(Stop::NotAsked(why)) => return Ok(Outcome::holds_if(false, why)),
        Err(other) => return Err(other),
    };
    let mut cast = Cast::new(script, lab.init()?);
    for (index, turn) in script.turns.iter().enumerate() {
        let problems = cast.turn(&mut lab, turn, index + 1 == script.turns.len())?;
        if !problems.is_empty() {
            return Ok(Outcome::unless(&problems).in_lab(&lab));
        }
    }
    Ok(Outcome::unless(&[]).in_lab(&lab))
}

/// Who plays whom.
struct Cast<'a> {
    script: &'a Script,
    /// For the words of claims: nothing but the names.
    scenario: Scenario,
    /// The PID of the program under test, for the conductor.
    init: i32,
    /// Its numbers, from the conductor's namespace inward: they are told when it has gone, too.
    numbers_of_init: Vec<u32>,
    /// `host` has waited for it.
    is_waited_for: bool,
    /// The puppets, by their place in the lab.
    puppets: BTreeMap<Role, usize>,
    /// How often the command has come.
    started: usize,
    /// How many signals of each were looked at.
    told: BTreeMap<Role, usize>,
    /// Who was stopped before he had answered.
    owing: BTreeSet<Role>,
    numbers: Numbers,
}

impl<'a> Cast<'a> {
    fn new(script: &'a Script, init: i32) -> Cast<'a> {
        let mut scenario = Scenario::new("");
        scenario.roles.clone_from(&script.roles);
        Cast {
            script,
            scenario,
            init,
            numbers_of_init: numbers(init),
            is_waited_for: false,
            puppets: BTreeMap::new(),
            started: 0,
            told: BTreeMap::new(),
            owing: BTreeSet::new(),
            numbers: Numbers::default(),
        }
    }

    /// What is not as the turn has it.
    fn turn(&mut self, lab: &mut Lab<'_>, turn: &Turn, is_last: bool) -> Result<Vec<String>, Stop> {
        let given = match self.act(lab, turn)? {
            Ok(given) => given,
            Err(why) => return Ok(vec![self.in_words(&turn.at, &why)]),
        };
        for (role, at) in &turn.starts {
            if let Err(why) = self.start(lab, *role)? {
                return Ok(vec![self.in_words(at, &why)]);
            }
        }
        let is_of_the_world = |claimed: &Claimed| !matches!(claimed.claim, Claim::Outcome(_));
        // A signal is on its way when kill(2) has returned.
        let rests = turn.has_steps_of_init || is_last || matches!(turn.call, Call::Kill { .. });
        let beyond = if rests || turn.claims.iter().any(is_of_the_world) { lab.rest()? } else { None };
        lab.check_started()?;
        let observation = self.observe(lab, given);
        self.numbers = std::mem::take(&mut self.numbers).after(&observation);
        // Where the program has ended too early, whatever else is false is so for that reason.
        let problems: Vec<String> = match self.about_the_program(lab, turn) {
            Some(problem) => vec![problem],
            None => turn.claims.iter().filter_map(|claimed| self.false_claim(claimed, &observation)).collect(),
        };
        match beyond {
            // Whoever has gone does not come back, whatever somebody does when his time-out ends.
            Some(why) if !problems.is_empty() || !turn.claims.iter().all(|claimed| is_for_good(&claimed.claim)) => {
                Err(Stop::Undecided(why))
            }
            _ => Ok(problems),
        }
    }

    fn in_words(&self, at: &At, what: &str) -> String {
        format!("{} ({}:{}): {what}", at.words, self.script.path, at.line)
    }

    /// The program starts its command.
    fn start(&mut self, lab: &mut Lab<'_>, role: Role) -> Result<Result<(), String>, Stop> {
        let nth = |lab: &Lab<'_>, count: usize| {
            let commands = lab.puppets.iter().enumerate().filter(|(_, puppet)| puppet.born.name == COMMAND_NAME);
            commands.map(|(index, _)| index).nth(count)
        };
        let count = self.started;
        lab.until(|lab| nth(lab, count).is_some() || lab.ended.is_some())?;
        let Some(index) = nth(lab, count) else {
            return Ok(Err(format!("it did not start its command once more; {}", lab.how_it_ended())));
        };
        self.started += 1;
        // Like any program it then does about signals what Linux does, until it says otherwise.
        for signal in [None, Some(libc::SIGCHLD)] {
            lab.tell(index, &Order::Plain { signal })?;
        }
        self.enter(lab, role, index);
        Ok(Ok(()))
    }

    fn enter(&mut self, lab: &mut Lab<'_>, role: Role, index: usize) {
        self.script.name(role).clone_into(&mut lab.puppets[index].name);
        self.puppets.insert(role, index);
        self.told.insert(role, lab.puppets[index].heard.len());
    }

    /// What the turn's call gives, or why it cannot be made.
    fn act(&mut self, lab: &mut Lab<'_>, turn: &Turn) -> Result<Result<Given, String>, Stop> {
        if turn.by == Role::HOST {
            return self.act_outside(lab, &turn.call).map(Ok);
        }
        let name = self.script.name(turn.by);
        let Some(index) = self.puppets.get(&turn.by).copied() else {
            return Ok(Err(format!("{name} was never born")));
        };
        let stopped = || Ok(Err(format!("{name} is stopped, and does nothing")));
        if self.owing.contains(&turn.by) && !lab.until(|lab| lab.has_answered(index))? {
            return stopped();
        }
        self.owing.remove(&turn.by);
        if lab.puppets[index].has_ended() {
            let why = match lab.ended {
                Some(ended) => format!("PID 1 is to go on, and {}", ended.in_words()),
                None => format!("{name} has ended, and can do nothing more"),
            };
            return Ok(Err(why));
        }
        let number = |role| self.numbers.of(role, turn.by).and_then(|number| i32::try_from(number).ok());
        let given = match deed(turn.by, &turn.call, number) {
            Err(why) => return Ok(Err(why)),
            Ok(Deed::Fork(child)) => match lab.ask(index, &Order::Fork { name: format!("a child of {name}") })? {
                Some(Said::Done(pid)) => {
                    self.born(lab, child, pid)?;
                    Given::Ok(pid)
                }
                other => self.given(lab, turn, index, other)?,
            },
            Ok(Deed::Exit(status)) => {
                lab.end(index, status)?;
                if !lab.until(|lab| lab.puppets[index].has_ended())? {
                    return stopped();
                }
                Given::Never
            }
            Ok(Deed::Tell(known)) => {
                let said = lab.ask(index, &Order::Who)?;
                let Some(Said::Who(who)) = said else { return self.given(lab, turn, index, said).map(Ok) };
                let number = match known {
                    Known::Pid => who.pid,
                    Known::Parent => who.parent,
                    Known::Group => who.group,
                    Known::Session => who.session,
                };
                Given::Ok(number.into())
            }
            Ok(Deed::Do(order)) => {
                let said = lab.ask(index, &order)?;
                self.given(lab, turn, index, said)?
            }
        };
        let expects = |claimed: &Claimed| matches!(claimed.claim, Claim::Outcome(OutcomeClaim::Result(_)));
        if given == Given::Blocks && matches!(turn.call, Call::Wait { .. }) && !turn.claims.iter().any(expects) {
            let why = format!("{} would wait here, which nobody who plays can", name);
            return Err(Stop::Undecided(self.in_words(&turn.at, &why)));
        }
        Ok(Ok(given))
    }

    /// What a puppet said, as what its call gave.
    fn given(&mut self, lab: &Lab<'_>, turn: &Turn, index: usize, said: Option<Said>) -> Result<Given, Stop> {
        Ok(match said {
            Some(Said::Done(0)) => match &turn.call {
                Call::Wait { options, .. } if !options.contains(WaitOptions::WNOHANG) => Given::Blocks,
                _ => Given::Ok(0),
            },
            Some(Said::Done(value)) => Given::Ok(value),
            Some(Said::Waited { pid, status }) => self.waited(turn.by, pid, status),
            Some(Said::Failed(number)) => match Errno::new(number) {
                Some(errno) => Given::Err(errno),
                None => return Err(std::io::Error::from_raw_os_error(number).into()),
            },
            _ if !lab.puppets[index].has_ended() => {
                self.owing.insert(turn.by);
                Given::Blocks
            }
            _ => Given::Never,
        })
    }

    fn waited(&self, by: Role, pid: i32, raw: i32) -> Given {
        let number = i64::from(pid);
        let child = self.puppets.keys().copied().find(|role| self.numbers.of(*role, by) == Some(number));
        let status = ExitStatus::from_raw(raw);
        let signal = |number: Option<i32>| number.and_then(|number| Signal::new(number.into()));
        let status = match (status.code(), signal(status.signal()), signal(status.stopped_signal())) {
            (Some(code), _, _) => WaitStatus::Exited(code.to_le_bytes()[0]),
            (None, Some(signal), _) => WaitStatus::Killed(signal),
            (None, None, Some(signal)) => WaitStatus::Stopped(signal),
            (None, None, None) => WaitStatus::Continued,
        };
        child.map_or(Given::Ok(number), |child| Given::Waited { number, child, status })
    }

    /// A new child, which says who it is before anybody else does anything.
    fn born(&mut self, lab: &mut Lab<'_>, child: Role, pid: i64) -> Result<(), Stop> {
        let known: BTreeSet<usize> = self.puppets.values().copied().collect();
        let is_it = |(index, puppet): &(usize, &crate::lab::Puppet)| {
            !known.contains(index) && i64::from(puppet.born.pid) == pid && puppet.born.name != COMMAND_NAME
        };
        let find = |lab: &Lab<'_>| lab.puppets.iter().enumerate().find(is_it).map(|(index, _)| index);
        lab.until(|lab| find(lab).is_some())?;
        let Some(index) = find(lab) else {
            return Err(Stop::Broken(format!("{} was not born", self.script.name(child))));
        };
        self.enter(lab, child, index);
        Ok(())
    }

    /// What `host` does.
    fn act_outside(&mut self, lab: &Lab<'_>, call: &Call) -> Result<Given, Stop> {
        let of_init = self.numbers_of_init.first().copied().map_or(i64::from(self.init), i64::from);
        Ok(match call {
            Call::Kill { target: KillTarget::Pid(Target::Role(role)), signal } => {
                let is_init = *role == self.script.init;
                let pid = self.pid(lab, *role);
                match pid.filter(|pid| look::state(*pid).is_some()) {
                    Some(pid) => lab.send(pid, signal.map_or(0, |signal| signal.number().into()))?,
                    // A zombie until it is waited for.
                    None if is_init && lab.ended.is_some() && !self.is_waited_for => {}
                    None => return Ok(Given::Err(Errno::ESRCH)),
                }
                Given::Ok(0)
            }
            Call::Wait { options, .. } => match lab.ended {
                Some(_) if self.is_waited_for => Given::Err(Errno::ECHILD),
                Some(ended) => {
                    self.is_waited_for = true;
                    Given::Waited { number: of_init, child: self.script.init, status: status(ended) }
                }
                None if options.contains(WaitOptions::WNOHANG) => Given::Ok(0),
                None => Given::Blocks,
            },
            Call::Clone { .. } | Call::Fork { .. } => Given::Ok(of_init),
            _ => Given::Ok(0),
        })
    }

    fn pid(&self, lab: &Lab<'_>, role: Role) -> Option<i32> {
        if role == self.script.init {
            return Some(self.init);
        }
        self.puppets.get(&role).map(|index| lab.puppets[*index].pid)
    }

    /// Everybody, as a scenario is observed, as far as claims are about it.
    fn observe(&mut self, lab: &Lab<'_>, given: Given) -> Observation {
        let roles: Vec<Role> = self.puppets.keys().copied().collect();
        let mut processes = vec![view(Role::HOST, State::Running, vec![1])];
        processes.extend(self.view_of_init(lab));
        for role in roles {
            let puppet = &lab.puppets[self.puppets[&role]];
            let handled = &puppet.heard[self.told.insert(role, puppet.heard.len()).unwrap_or(0)..];
            let handled = handled.iter().filter_map(|heard| {
                let signal = Signal::new(heard.number.into())?;
                Some(Handled { signal, si_pid: u32::try_from(heard.si_pid).unwrap_or(0), child: None::<ChildStatus> })
            });
            let handled = handled.collect();
            let state = match look::state(puppet.pid) {
                None | Some('X') => continue,
                Some('Z') => State::Zombie,
                _ if lab.is_stopped(puppet.pid) => State::Stopped,
                _ => State::Running,
            };
            let numbers = numbers(puppet.pid);
            let parent = look::parent(puppet.pid).unwrap_or(0);
            let level = numbers.len().saturating_sub(1);
            let ppid = self::numbers(parent).get(level).copied().unwrap_or(0);
            let parent = self.role(lab, parent);
            processes.push(ProcessView { parent, ppid, handled, ..view(role, state, numbers) });
        }
        processes.sort_by_key(|process| process.role);
        Observation { outcome: Some(given), returned: Vec::new(), processes }
    }

    fn view_of_init(&self, lab: &Lab<'_>) -> Option<ProcessView> {
        let state = match look::state(self.init) {
            _ if lab.ended.is_some() && self.is_waited_for => return None,
            // It is its parent's until that has waited: the conductor, which always has.
            _ if lab.ended.is_some() => State::Zombie,
            None | Some('X') => return None,
            Some('Z') => State::Zombie,
            _ if lab.is_stopped(self.init) => State::Stopped,
            _ => State::Running,
        };
        Some(view(self.script.init, state, self.numbers_of_init.clone()))
    }

    fn role(&self, lab: &Lab<'_>, pid: i32) -> Option<Role> {
        if pid == self.init {
            return Some(self.script.init);
        }
        self.puppets.iter().find(|(_, index)| lab.puppets[**index].pid == pid).map(|(role, _)| *role)
    }

    /// Whether the program goes on, or ends, as it is to.
    fn about_the_program(&self, lab: &Lab<'_>, turn: &Turn) -> Option<String> {
        match &turn.afterwards {
            Afterwards::GoesOn if lab.ended.is_some() => {
                Some(self.in_words(&turn.at, &format!("PID 1 is to go on, and {}", lab.how_it_ended())))
            }
            Afterwards::Exits(status, at) if lab.ended != Some(Ended::Exited(*status)) => {
                Some(self.in_words(at, &format!("PID 1 is to end with status {status}, and {}", lab.how_it_ended())))
            }
            _ => None,
        }
    }

    fn false_claim(&self, claimed: &Claimed, observation: &Observation) -> Option<String> {
        let Claimed { by, claim, at } = claimed;
        let truth = claim.truth(*by, observation, &self.numbers);
        // Whether a program is in a call is its own affair.
        let awake = |claim: &Claim| match claim {
            Claim::Process(role, ProcessClaim::State(State::Blocked)) if *role == self.script.init => {
                Claim::Process(*role, ProcessClaim::State(State::Running))
            }
            other => other.clone(),
        };
        if awake(&truth) == awake(claim) {
            return None;
        }
        let pair = |claim: &Claim| claim.written(&self.scenario).pair();
        Some(self.in_words(at, &format!("claimed is `{}`, and seen is `{}`", pair(claim), pair(&truth))))
    }
}

/// Whether nothing that comes makes it false.
fn is_for_good(claim: &Claim) -> bool {
    matches!(claim, Claim::Gone(_) | Claim::Outcome(_))
}

fn view(role: Role, state: State, pids: Vec<u32>) -> ProcessView {
    ProcessView {
        role,
        thread_of: None,
        state,
        pids,
        namespaces: Vec::new(),
        parent: None,
        ppid: 0,
        pgid: 0,
        sid: 0,
        tracer: None,
        handled: Vec::new(),
    }
}

fn numbers(pid: i32) -> Vec<u32> {
    look::numbers_of(pid).into_iter().filter_map(|number| u32::try_from(number).ok()).collect()
}

fn status(ended: Ended) -> WaitStatus {
    match ended {
        Ended::Exited(status) => WaitStatus::Exited(status.to_le_bytes()[0]),
        Ended::Killed(signal) => WaitStatus::Killed(Signal::new(signal.into()).unwrap_or(Signal::KILL)),
    }
}
