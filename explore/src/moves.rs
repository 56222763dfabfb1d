//! One move of an exploration: who makes which call, about whom, without a name.

use pidlab_scenario::{Outcome, Refusal, Returned, Role, Step};
use pidlab_sim::{Happened, Numbers, Position, Spare, Ways};

use crate::bounds::Bounds;
use crate::calls::{About, Alphabet, Given, KINDS, Kind};
use crate::hash::Hash128;

/// So many worlds are looked at for what one step may come to.
const MOST_WORLDS: usize = 200_000;

/// Who makes which call about whom. Processes are called by their place among those that are not reaped, in the order of births; behind
/// them come those that are.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Move {
    pub(crate) kind: u16,
    pub(crate) by: u8,
    pub(crate) at: u8,
}

/// About nobody.
const NOBODY: u8 = u8::MAX;

impl Move {
    pub(crate) fn kind(self) -> &'static Kind {
        &KINDS[usize::from(self.kind)]
    }

    /// Its call, in words.
    pub fn word(self) -> &'static str {
        self.kind().word
    }

    /// The step that it is here, with this role for whoever it makes.
    pub(crate) fn step(self, position: &Position) -> Step {
        let role = |place: u8| self.role(position, place);
        let child = Role(u16::try_from(position.named()).unwrap_or(u16::MAX));
        Step::new(role(self.by), (self.kind().call)(Given { at: role(self.at), child }))
    }

    /// The same with other names: that of each role here, and one for whoever it makes.
    pub(crate) fn named_step(self, position: &Position, name: impl Fn(Role) -> Role, child: Role) -> Step {
        let role = |place: u8| name(self.role(position, place));
        Step::new(role(self.by), (self.kind().call)(Given { at: role(self.at), child }))
    }

    fn role(self, position: &Position, place: u8) -> Role {
        let all = position.roles().map(|(role, _)| role).chain(position.released());
        all.into_iter().nth(usize::from(place)).unwrap_or(Role::HOST)
    }
}

/// Everything that can be tried in a position. Whether it can be done is another question.
pub(crate) fn moves(position: &Position, alphabet: &Alphabet, bounds: &Bounds, list: &mut Vec<Move>) {
    list.clear();
    let room = bounds.room(position);
    let roles: Vec<Role> = position.roles().map(|(role, _)| role).collect();
    let remembered = roles.len() + position.released().count();
    for (by, caller) in (0..).zip(&roles) {
        if position.state(*caller) != Some(pidlab_scenario::State::Running) {
            continue;
        }
        for (index, kind) in alphabet.kinds() {
            if !room.is_for(kind.makes) {
                continue;
            }
            let mut push = |at: u8| list.push(Move { kind: index, by, at });
            match kind.about {
                About::Nobody => push(NOBODY),
                About::Anybody => (0..).zip(&roles).for_each(|(at, _)| push(at)),
                About::Remembered => (0..).take(remembered).for_each(push),
                About::Numbered => {
                    let seen = (0..).zip(&roles).filter(|(_, role)| position.has_number(*caller, **role));
                    seen.for_each(|(at, _)| push(at));
                }
            }
        }
    }
}

/// One way in which a move comes out.
pub(crate) struct Came {
    pub(crate) position: Position,
    /// The key of the position.
    pub(crate) key: Hash128,
    /// What the call gave, and who else heard of something.
    pub(crate) happened: Hash128,
}

/// All ways in which a move comes out, those that look alike and go on alike as one, and whether these are all.
pub(crate) fn came(
    position: &Position,
    step: Move,
    numbers: Numbers,
    bytes: &mut Vec<u8>,
    spare: &mut Spare,
) -> Result<(Vec<Came>, bool), Refusal> {
    let Ways { ways, complete, .. } = position.after_with(&step.step(position), MOST_WORLDS, spare)?;
    let mut all: Vec<Came> = Vec::with_capacity(ways.len());
    for way in ways {
        bytes.clear();
        write_happened(position, step, &way.happened, numbers, bytes);
        let happened = Hash128::of(bytes);
        bytes.clear();
        way.position.key(numbers, bytes);
        let key = Hash128::of(bytes);
        if !all.iter().any(|known| known.key == key && known.happened == happened) {
            all.push(Came { position: way.position, key, happened });
        } else {
            way.position.give_back(spare);
        }
    }
    Ok((all, complete))
}

/// The same position again: the way with this place among those of [`came`].
pub(crate) fn go(position: &Position, step: Move, way: u16, numbers: Numbers) -> Option<Position> {
    let ways = position.after(&step.step(position), MOST_WORLDS).ok()?;
    if ways.ways.len() == 1 && way == 0 {
        return ways.ways.into_iter().next().map(|way| way.position);
    }
    let (all, _) = came(position, step, numbers, &mut Vec::new(), &mut Spare::default()).ok()?;
    all.into_iter().nth(usize::from(way)).map(|came| came.position)
}

/// What happened, by the places of processes before the step.
fn write_happened(before: &Position, step: Move, happened: &Happened, numbers: Numbers, bytes: &mut Vec<u8>) {
    let makes = |call: pidlab_scenario::CallName| {
        use pidlab_scenario::CallName;
        matches!(call, CallName::Fork | CallName::Vfork | CallName::Clone)
    };
    write_outcome(before, &happened.outcome, makes(step.kind().name()), numbers, bytes);
    for Returned { by, call, outcome } in &happened.returned {
        bytes.push(place(before, *by));
        bytes.extend_from_slice(call.word().as_bytes());
        write_outcome(before, outcome, makes(*call), numbers, bytes);
    }
    for (role, handled) in &happened.handled {
        bytes.push(place(before, *role));
        bytes.push(handled.signal.number());
        if numbers == Numbers::Exact {
            bytes.extend_from_slice(&handled.si_pid.to_le_bytes());
        }
        bytes.extend_from_slice(format!("{:?}", handled.child).as_bytes());
    }
}

fn place(before: &Position, role: Role) -> u8 {
    let all = before.roles().map(|(role, _)| role);
    all.into_iter().position(|known| known == role).and_then(|place| u8::try_from(place).ok()).unwrap_or(NOBODY)
}

fn write_outcome(before: &Position, outcome: &Outcome, makes: bool, numbers: Numbers, bytes: &mut Vec<u8>) {
    let exact = numbers == Numbers::Exact;
    match outcome {
        Outcome::Ok(_) if makes && !exact => bytes.push(0),
        Outcome::Ok(number) => {
            bytes.push(1);
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        Outcome::Waited { number, child, status } => {
            bytes.push(2);
            bytes.push(place(before, *child));
            if exact {
                bytes.extend_from_slice(&number.to_le_bytes());
            }
            bytes.extend_from_slice(status.to_string().as_bytes());
        }
        Outcome::Err(errno) => {
            bytes.push(3);
            bytes.extend_from_slice(&errno.number().to_le_bytes());
        }
        Outcome::Never => bytes.push(4),
        Outcome::Blocks => bytes.push(5),
        // Seldom, and only with numbers as they are.
        other => bytes.extend_from_slice(format!("{other:?}").as_bytes()),
    }
}
