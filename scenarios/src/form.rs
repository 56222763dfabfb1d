//! The forms that arguments take: how each is read from a file, and how it is given.
//!
//! The table of calls names one form for each field of a call; reading, writing, telling and the schema all follow from it.

use crate::argument::{Alternatives, Argument, Kind};
use crate::arguments::Arguments;
use crate::terms::Word;
use crate::{
    CloneFlags, Entrance, ExitSignal, KillTarget, NamespaceTypes, PidfdFlags, PidfdTarget, Role, Signal, Target,
    WaitOptions, WaitTarget,
};

/// An argument as a step gives it, with the key that it has in a file.
pub type GivenArgument = (&'static str, Given);

/// The value of an argument.
///
/// Exhaustive on purpose: whoever tells of it has words for each, and the compiler says where one is missing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Given {
    /// A process that the step makes.
    NewProcess(Role),
    /// A process by name.
    Process(Role),
    /// The process that a pidfd refers to.
    Pidfd(Role),
    /// The directory of a process in /proc.
    Directory(Role),
    /// The namespace that is kept open under the name of a process.
    Kept(Role),
    /// A process by name or number.
    Target(Target),
    /// The same, as the receiver of a signal: 0 and -1 mean many.
    Receiver(Target),
    /// A process group by name or number.
    Group(Target),
    /// The caller's own group.
    OwnGroup,
    /// Any child.
    Any,
    /// A signal, or 0.
    Signal(Option<Signal>),
    /// A list of signals.
    Signals(Vec<Signal>),
    /// A list of names.
    Names(Vec<&'static str>),
    /// A list of numbers.
    Numbers(Vec<i32>),
    /// A number.
    Number(i64),
    /// `true` or `false`.
    Flag(bool),
    /// A word.
    Word(&'static str),
}

/// How a field of a call is written: as one argument, or as one of several.
pub(crate) struct Form<T> {
    /// The arguments; one whose name is empty has the field's.
    arguments: [Option<Argument>; 4],
    /// Whether there must be one, where there are several.
    needed: bool,
    read: fn(&mut Arguments<'_, '_>, &'static str) -> Option<T>,
    given: fn(&'static str, &T) -> Option<GivenArgument>,
}

impl<T> Form<T> {
    fn of(
        kind: Kind,
        about: &'static str,
        read: fn(&mut Arguments<'_, '_>, &'static str) -> Option<T>,
        given: fn(&'static str, &T) -> Option<GivenArgument>,
    ) -> Form<T> {
        let argument = Argument { name: "", kind, required: true, about, meanings: &[] };
        Form { arguments: [Some(argument), None, None, None], needed: false, read, given }
    }

    /// An argument that is one of some words, with what each means.
    fn meaning(mut self, meanings: &'static [&'static str]) -> Form<T> {
        if let Some(argument) = &mut self.arguments[0] {
            argument.meanings = meanings;
        }
        self
    }

    /// An argument that may be absent.
    fn optional(mut self) -> Form<T> {
        if let Some(argument) = &mut self.arguments[0] {
            argument.required = false;
        }
        self
    }

    /// The rows of the table, for a field of this name.
    pub(crate) fn rows(&self, field: &'static str) -> Vec<Argument> {
        let named = |argument: &Argument| match argument.name {
            "" => Argument { name: field, ..*argument },
            _ => *argument,
        };
        self.arguments.iter().flatten().map(named).collect()
    }

    /// The names of the arguments of which a step has exactly one, or at most one, where there are several.
    pub(crate) fn one_of(&self) -> Option<Alternatives> {
        let names: Vec<&str> = self.arguments.iter().flatten().map(|argument| argument.name).collect();
        (names.len() > 1).then_some((names, self.needed))
    }

    /// Reads the field; nothing where it has a mistake, or is missing.
    pub(crate) fn read(&self, from: &mut Arguments<'_, '_>, field: &'static str) -> Option<T> {
        (self.read)(from, field)
    }

    /// The argument that a value is given by, unless it is what the absence of one means.
    pub(crate) fn given(&self, field: &'static str, value: &T) -> Option<GivenArgument> {
        (self.given)(field, value)
    }
}

pub(crate) fn new_process() -> Form<Role> {
    Form::of(
        Kind::NewProcess,
        "the new process",
        |from, _| from.child(),
        |field, role| Some((field, Given::NewProcess(*role))),
    )
}

pub(crate) fn target(about: &'static str) -> Form<Target> {
    Form::of(
        Kind::Target,
        about,
        |from, field| from.target(field),
        |field, target| Some((field, Given::Target(*target))),
    )
}

/// A process; 0 if it is absent.
pub(crate) fn target_or_zero(about: &'static str) -> Form<Target> {
    Form { read: |from, field| from.target_or_zero(field), ..target(about).optional() }
}

/// A process that may be left out.
pub(crate) fn target_if_given(about: &'static str) -> Form<Option<Target>> {
    let form = Form::of(
        Kind::Target,
        about,
        |from, field| match from.value(field) {
            None => Some(None),
            Some(_) => from.target(field).map(Some),
        },
        |field, target: &Option<Target>| target.map(|target| (field, Given::Target(target))),
    );
    form.optional()
}

/// Whom kill(2) is for.
pub(crate) fn receivers() -> Form<KillTarget> {
    fn row(name: &'static str, about: &'static str) -> Option<Argument> {
        Some(Argument { name, kind: Kind::Target, required: false, about, meanings: &[] })
    }
    Form {
        arguments: [
            row("pid", "the process; 0 is the caller's group, -1 everybody that the caller sees, as in kill(2)"),
            row("group", "the process group"),
            None,
            None,
        ],
        needed: true,
        read: |from, _| from.receivers(),
        given: |_, receivers| {
            Some(match receivers {
                KillTarget::Pid(target) => ("pid", Given::Receiver(*target)),
                KillTarget::Group(target) => ("group", Given::Group(*target)),
            })
        },
    }
}

fn alternative(name: &'static str, kind: Kind, about: &'static str) -> Option<Argument> {
    Some(Argument { name, kind, required: false, about, meanings: &[] })
}

fn given_pidfd(of: &PidfdTarget) -> Option<GivenArgument> {
    Some(match of {
        PidfdTarget::Pid(target) => ("pid", Given::Target(*target)),
        PidfdTarget::Held(role) => ("pidfd", Given::Pidfd(*role)),
        PidfdTarget::Directory(role) => ("proc", Given::Directory(*role)),
    })
}

const KEPT: &str = "the namespace that is kept open under the name of this process";

const HELD: &str = "the process whose pidfd has been held since it was born";

/// To whom a pidfd refers.
pub(crate) fn pidfd() -> Form<PidfdTarget> {
    Form {
        arguments: [
            alternative("pid", Kind::Target, "the process that has this number when the call is made"),
            alternative("pidfd", Kind::Process, HELD),
            None,
            None,
        ],
        needed: true,
        read: |from, _| from.pidfd(),
        given: |_, of| given_pidfd(of),
    }
}

/// The same, or the directory of a process, which pidfd_send_signal(2) takes for one.
pub(crate) fn pidfd_or_directory() -> Form<PidfdTarget> {
    let mut form = pidfd();
    form.arguments[2] =
        alternative("proc", Kind::Process, "the process whose directory in /proc is opened and taken for a pidfd");
    Form {
        read: |from, _| match from.value("proc") {
            Some(_) => from.process("proc").map(PidfdTarget::Directory),
            None => from.pidfd(),
        },
        ..form
    }
}

/// Flags of pidfd_open(2).
pub(crate) fn pidfd_open_flags(about: &'static str) -> Form<PidfdFlags> {
    Form::of(
        Kind::PidfdFlags(PidfdFlags::PIDFD_THREAD),
        about,
        |from, _| from.pidfd_flags(PidfdFlags::PIDFD_THREAD),
        given_pidfd_flags,
    )
    .optional()
}

/// Flags of pidfd_send_signal(2).
pub(crate) fn pidfd_scopes(about: &'static str) -> Form<PidfdFlags> {
    Form::of(
        Kind::PidfdFlags(PidfdFlags::SCOPES),
        about,
        |from, _| from.pidfd_flags(PidfdFlags::SCOPES),
        given_pidfd_flags,
    )
    .optional()
}

/// The types of namespaces that setns(2) is told; those that go without saying if they are absent.
pub(crate) fn namespace_types(about: &'static str) -> Form<Option<NamespaceTypes>> {
    let form = Form::of(
        Kind::NamespaceTypes,
        about,
        |from, field| match from.value(field) {
            None => Some(None),
            Some(_) => from.namespace_types(field).map(Some),
        },
        |field, types: &Option<NamespaceTypes>| {
            types.map(|types| (field, Given::Names(types.iter_names().map(|(name, _)| name).collect())))
        },
    );
    form.optional()
}

fn given_pidfd_flags(field: &'static str, flags: &PidfdFlags) -> Option<GivenArgument> {
    let names: Vec<&str> = flags.iter_names().map(|(name, _)| name).collect();
    (!names.is_empty()).then_some((field, Given::Names(names)))
}

/// Whom a look is at; the caller if nobody is named.
pub(crate) fn looked_at() -> Form<PidfdTarget> {
    Form {
        arguments: [
            alternative("pid", Kind::Target, "the process; the caller if absent or 0"),
            alternative("pidfd", Kind::Process, HELD),
            None,
            None,
        ],
        needed: false,
        read: |from, _| {
            if from.value("pidfd").is_some() { from.pidfd() } else { from.target_or_zero("pid").map(PidfdTarget::Pid) }
        },
        given: |_, at| given_pidfd(at),
    }
}

/// Whose namespace setns(2) is for.
pub(crate) fn entrance() -> Form<Entrance> {
    Form {
        arguments: [
            alternative("to", Kind::Process, "whose namespace"),
            alternative("pid", Kind::Target, "that of who has this number when the call is made, by a pidfd"),
            alternative("pidfd", Kind::Process, HELD),
            alternative("ns", Kind::Process, KEPT),
        ],
        needed: true,
        read: |from, _| {
            if from.value("to").is_some() {
                from.process("to").map(Entrance::Process)
            } else if from.value("ns").is_some() {
                from.process("ns").map(Entrance::Kept)
            } else {
                from.pidfd().map(Entrance::Pidfd)
            }
        },
        given: |_, to| match to {
            Entrance::Process(role) => Some(("to", Given::Process(*role))),
            Entrance::Kept(role) => Some(("ns", Given::Kept(*role))),
            Entrance::Pidfd(of) => given_pidfd(of),
        },
    }
}

/// Whose namespace file is opened, or under whose name a namespace is kept open.
pub(crate) fn keeper(about: &'static str) -> Form<Role> {
    Form::of(
        Kind::Process,
        about,
        |from, field| from.process(field),
        |field, role| Some((field, Given::Process(*role))),
    )
}

/// Whom a wait is for.
pub(crate) fn children() -> Form<WaitTarget> {
    fn row(name: &'static str, kind: Kind, about: &'static str) -> Option<Argument> {
        Some(Argument { name, kind, required: false, about, meanings: &[] })
    }
    Form {
        arguments: [
            row("pid", Kind::WaitPid, "the child; any if absent"),
            row("group", Kind::WaitGroup, "children in this process group"),
            row("pidfd", Kind::Process, "the child that a pidfd refers to"),
            None,
        ],
        needed: false,
        read: |from, _| from.children(),
        given: |_, children| {
            Some(match children {
                WaitTarget::Any => ("pid", Given::Any),
                WaitTarget::Pid(target) => ("pid", Given::Target(*target)),
                WaitTarget::OwnGroup => ("group", Given::OwnGroup),
                WaitTarget::Group(target) => ("group", Given::Group(*target)),
                WaitTarget::Pidfd(role) => ("pidfd", Given::Pidfd(*role)),
            })
        },
    }
}

/// Options of wait4(2), which always asks for ended children.
pub(crate) fn wait_options(about: &'static str) -> Form<WaitOptions> {
    Form {
        read: |from, _| from.options(&WaitOptions::of_wait()),
        ..Form::of(Kind::WaitOptions, about, |_, _| None, given_options).optional()
    }
}

/// Options of waitid(2).
pub(crate) fn waitid_options(about: &'static str) -> Form<WaitOptions> {
    Form {
        read: |from, _| from.options(&WaitOptions::of_waitid()),
        ..Form::of(Kind::WaitidOptions, about, |_, _| None, given_options).optional()
    }
}

fn given_options(field: &'static str, options: &WaitOptions) -> Option<GivenArgument> {
    let names: Vec<&str> = options.iter_names().map(|(name, _)| name).collect();
    (!names.is_empty()).then_some((field, Given::Names(names)))
}

pub(crate) fn clone_flags(about: &'static str) -> Form<CloneFlags> {
    Form {
        given: |field, flags| (!flags.is_empty()).then_some((field, Given::Names(flag_names(*flags)))),
        ..clone_flags_or(about, |from, _| from.clone_flags(CloneFlags::empty()))
    }
}

/// Flags; `CLONE_NEWPID` if they are absent.
pub(crate) fn clone_flags_or_newpid(about: &'static str) -> Form<CloneFlags> {
    clone_flags_or(about, |from, _| from.clone_flags(CloneFlags::CLONE_NEWPID))
}

fn clone_flags_or(
    about: &'static str,
    read: fn(&mut Arguments<'_, '_>, &'static str) -> Option<CloneFlags>,
) -> Form<CloneFlags> {
    Form::of(Kind::CloneFlags, about, read, |field, flags| Some((field, Given::Names(flag_names(*flags))))).optional()
}

fn flag_names(flags: CloneFlags) -> Vec<&'static str> {
    flags.iter_names().map(|(name, _)| name).collect()
}

pub(crate) fn exit_signal(about: &'static str) -> Form<ExitSignal> {
    let form = Form::of(
        Kind::SignalOrZero,
        about,
        |from, _| from.exit_signal(),
        |field, signal: &ExitSignal| match signal {
            ExitSignal::Default => None,
            ExitSignal::None => Some((field, Given::Signal(None))),
            ExitSignal::Signal(signal) => Some((field, Given::Signal(Some(*signal)))),
        },
    );
    form.optional()
}

pub(crate) fn set_tid(about: &'static str) -> Form<Vec<i32>> {
    let form = Form::of(
        Kind::Numbers,
        about,
        |from, _| from.set_tid(),
        |field, numbers: &Vec<i32>| (!numbers.is_empty()).then(|| (field, Given::Numbers(numbers.clone()))),
    );
    form.optional()
}

pub(crate) fn signal(about: &'static str) -> Form<Signal> {
    Form::of(
        Kind::Signal,
        about,
        |from, field| from.signal(field),
        |field, signal| Some((field, Given::Signal(Some(*signal)))),
    )
}

pub(crate) fn signal_or_zero(about: &'static str) -> Form<Option<Signal>> {
    Form::of(
        Kind::SignalOrZero,
        about,
        |from, field| from.signal_or_zero(field),
        |field, signal| Some((field, Given::Signal(*signal))),
    )
}

/// A signal, or 0, which it is if it is absent.
pub(crate) fn signal_if_given(about: &'static str) -> Form<Option<Signal>> {
    let form = Form::of(
        Kind::SignalOrZero,
        about,
        |from, field| match from.value(field) {
            None => Some(None),
            Some(_) => from.signal_or_zero(field),
        },
        |field, signal: &Option<Signal>| Some((field, Given::Signal(*signal))),
    );
    form.optional()
}

/// A list of signals, at least one.
pub(crate) fn signals(about: &'static str) -> Form<Vec<Signal>> {
    Form::of(
        Kind::Signals,
        about,
        |from, field| from.signals(field),
        |field, signals: &Vec<Signal>| Some((field, Given::Signals(signals.clone()))),
    )
}

/// An exit status; 0 if it is absent.
pub(crate) fn status(about: &'static str) -> Form<i32> {
    let form = Form::of(
        Kind::Status,
        about,
        |from, _| from.status(),
        |field, status: &i32| Some((field, Given::Number(i64::from(*status)))),
    );
    form.optional()
}

pub(crate) fn uid(about: &'static str) -> Form<u32> {
    Form::of(
        Kind::Uid,
        about,
        |from, field| u32::try_from(from.integer(field, 0..=0xffff_fffe)?).ok(),
        |field, uid| Some((field, Given::Number(i64::from(*uid)))),
    )
}

/// The number of a process, or 0.
pub(crate) fn number(about: &'static str) -> Form<u32> {
    Form::of(
        Kind::Number,
        about,
        |from, field| u32::try_from(from.integer(field, 0..=i64::from(i32::MAX))?).ok(),
        |field, number| Some((field, Given::Number(i64::from(*number)))),
    )
}

/// A number to write, if it is there.
pub(crate) fn value(about: &'static str) -> Form<Option<i64>> {
    let form = Form::of(
        Kind::Value,
        about,
        |from, field| match from.value(field) {
            None => Some(None),
            Some(_) => from.integer(field, i64::from(i32::MIN)..=i64::from(i32::MAX)).map(Some),
        },
        |field, value: &Option<i64>| value.map(|value| (field, Given::Number(value))),
    );
    form.optional()
}

/// `true` if it is absent.
pub(crate) fn flag(about: &'static str) -> Form<bool> {
    Form::of(Kind::Flag, about, |from, field| from.flag(field), |field, flag: &bool| Some((field, Given::Flag(*flag))))
        .optional()
}

/// `false` if it is absent.
pub(crate) fn flag_unset(about: &'static str) -> Form<bool> {
    let form = Form::of(
        Kind::Flag,
        about,
        |from, field| if from.value(field).is_some() { from.flag(field) } else { Some(false) },
        |field, flag: &bool| Some((field, Given::Flag(*flag))),
    );
    form.optional()
}

pub(crate) fn word<T: Word>(about: &'static str) -> Form<T> {
    Form::of(
        Kind::Word(T::WORDS),
        about,
        |from, field| from.word(field),
        |field, word: &T| Some((field, Given::Word(word.written()))),
    )
    .meaning(T::MEANINGS)
}

/// The first word of the set if it is absent.
pub(crate) fn word_or_first<T: Word>(about: &'static str) -> Form<T> {
    let read: fn(&mut Arguments<'_, '_>, &'static str) -> Option<T> = |from, field| match from.value(field) {
        None => T::WORDS.first().and_then(|word| T::read(word)),
        Some(_) => from.word(field),
    };
    Form { read, ..word(about).optional() }
}
