//! Whose the tasks of a log are, as far as it tells.
//!
//! The model has one user id for each task, with all capabilities or none. A log has three ids, and sets of capabilities, and maps of user namespaces
//! of which it does not show what is written. So each task is followed from call to call: where it is what the model can say, its calls are said; where
//! it is not, the model lets it be whoever it was, and that somebody was not permitted something is not held against the kernel.

use std::collections::{BTreeMap, BTreeSet};

use crate::header::Header;
use crate::log::{Log, What};
use crate::tasks::Tasks;
use crate::words::number;

/// Whose a task is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct User {
    /// Its real, effective and saved user id; `None`: unknown.
    ids: Option<[u32; 3]>,
    /// Whether it has all capabilities as root, and none as another.
    as_ids: bool,
    /// It keeps its capabilities when it becomes another user (`PR_SET_KEEPCAPS`).
    keeps: bool,
    /// It has lost some for good (the bounding set), and may have some as another user (the ambient set).
    limited: bool,
    ambient: bool,
    /// Its program may be a set-user-ID program, which gives it another effective user id: no log tells that.
    may_be_lent: bool,
    /// Whether such programs have an effect: not where the tracer has no power over their owner (security/commoncap.c:cap_bprm_creds_from_file).
    lends: bool,
    /// The user namespace that it is in, by the record of the call that made it; `None`: the one that the log began in.
    namespace: Option<usize>,
    /// Who it is to the model.
    model: u32,
}

/// What a change of user ids is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Becomes {
    /// Nobody else.
    Same,
    /// This user in all respects, as setuid(2) by root makes it; or it may not.
    User(u32),
    /// Somebody whom the model has no words for.
    Unsaid,
}

/// Whose all tasks are, at each record.
#[derive(Clone, Debug, Default)]
pub(crate) struct Users {
    /// By record, whose its task is before.
    before: BTreeMap<usize, User>,
    /// By record, whom its task becomes by it, or would.
    becomes: BTreeMap<usize, Becomes>,
    /// User namespaces whose maps are opened.
    mapped: BTreeSet<usize>,
    /// By record of a map that is opened: of which task.
    opens: BTreeMap<usize, usize>,
}

impl Users {
    pub(crate) fn of(log: &Log, tasks: &Tasks) -> Users {
        let mut users = Users::default();
        let first = User::recorded(&log.header);
        let mut born: BTreeMap<usize, User> = BTreeMap::new();
        // Who is made stands behind its maker.
        for (task, whose) in tasks.list.iter().enumerate() {
            let mut user = born.get(&task).copied().unwrap_or(first);
            for at in &whose.records {
                users.before.insert(*at, user);
                let What::Call { name, arguments, result } = &log.records[*at].what else { continue };
                if let Some(child) = tasks.born.get(at) {
                    let new = arguments.iter().any(|argument| argument.contains("CLONE_NEWUSER"));
                    born.insert(*child, if new { user.within(*at) } else { user });
                    continue;
                }
                let succeeds = result.as_deref().is_some_and(|result| !result.starts_with(['-', '?']));
                let (after, becomes) = if succeeds {
                    user.after(*at, name, arguments).told(user)
                } else {
                    (user, user.tries(name, arguments, result.as_deref()))
                };
                user = after;
                users.becomes.insert(*at, becomes);
            }
        }
        users.find_maps(log, tasks);
        users
    }

    /// `openat(…, "/proc/4711/uid_map", …)`
    fn find_maps(&mut self, log: &Log, tasks: &Tasks) {
        for (task, whose) in tasks.list.iter().enumerate() {
            for at in &whose.records {
                let What::Call { name, arguments, result: Some(result) } = &log.records[*at].what else { continue };
                let path =
                    arguments.iter().find_map(|argument| argument.strip_suffix("/uid_map\"")?.split_once("/proc/"));
                let Some((_, of)) = path.filter(|_| name.starts_with("open") && !result.starts_with('-')) else {
                    continue;
                };
                let line = log.records[*at].first;
                let of = of.parse().map_or(Some(task), |pid| tasks.at(pid, line));
                let namespace = of.and_then(|of| {
                    let records = &tasks.list[of].records;
                    let then = records.iter().find(|at| log.records[**at].first > line).or(records.last());
                    self.before.get(then?)?.namespace
                });
                if let (Some(of), Some(namespace)) = (of, namespace) {
                    self.mapped.insert(namespace);
                    self.opens.insert(*at, of);
                }
            }
        }
    }

    /// Of which task a map of users is opened by a record.
    pub(crate) fn opens_map(&self, record: usize) -> Option<usize> {
        self.opens.get(&record).copied()
    }

    /// Whether the model knows what the task of a record is permitted to do when it makes this call.
    pub(crate) fn is_known(&self, record: usize) -> bool {
        let user = self.before.get(&record);
        let mapped = |user: &User| user.namespace.is_some_and(|it| self.mapped.contains(&it));
        user.is_some_and(|user| user.is_one().is_some() && !mapped(user))
    }

    /// Whom a task becomes by a record, or would.
    pub(crate) fn becomes(&self, record: usize) -> Becomes {
        let mapped = |user: &User| user.namespace.is_some_and(|it| self.mapped.contains(&it));
        match self.becomes.get(&record) {
            Some(Becomes::User(_)) if self.before.get(&record).is_some_and(mapped) => Becomes::Unsaid,
            Some(becomes) => *becomes,
            None => Becomes::Unsaid,
        }
    }
}

/// The capabilities that decide about processes, as bits: CAP_KILL, CAP_SETUID, CAP_SYS_PTRACE, CAP_SYS_ADMIN.
const OF_THE_MODEL: u64 = 1 << 5 | 1 << 7 | 1 << 19 | 1 << 21;

/// As whom the recorder is to be said to the model; nothing if that is root, or cannot be said.
pub(crate) fn recorder(header: &Header) -> Option<u32> {
    Some(User::recorded(header).model).filter(|uid| *uid != 0)
}

impl User {
    /// Who recorded a log. Of one that does not say so it was root.
    fn recorded(header: &Header) -> User {
        let ids = match header.uid {
            Some(uid) => Some([uid; 3]),
            None => Some([0; 3]).filter(|_| !header.uids_differ),
        };
        let as_ids = match (ids, header.capabilities) {
            (_, None) => true,
            (Some([_, 0, _]), Some(has)) => has & OF_THE_MODEL == OF_THE_MODEL,
            (_, Some(has)) => has == 0,
        };
        let user = User {
            ids,
            as_ids,
            keeps: false,
            limited: !as_ids,
            ambient: !as_ids,
            may_be_lent: false,
            lends: true,
            namespace: None,
            model: 0,
        };
        let uid = user.is_one();
        User { lends: uid.is_none_or(|uid| uid == 0), model: uid.unwrap_or(0), ..user }
    }

    fn within(self, made: usize) -> User {
        User { namespace: Some(made), ..self }
    }

    /// The one user that it is, with what such a one may do.
    fn is_one(self) -> Option<u32> {
        let [real, effective, saved] = self.ids?;
        (self.as_ids && real == effective && effective == saved).then_some(real)
    }

    /// Whose a task is after a call that has succeeded.
    fn after(self, at: usize, name: &str, arguments: &[String]) -> User {
        let flag = |flag: &str| arguments.iter().any(|argument| argument.contains(flag));
        match name {
            "unshare" if flag("CLONE_NEWUSER") => self.within(at),
            // It has what it is not known to have there.
            "setns" if flag("<user:") || flag("CLONE_NEWUSER") => User { ids: None, ..self },
            "capset" => User { as_ids: false, ..self },
            "prctl" if flag("PR_SET_SECUREBITS") => User { ids: None, ..self },
            "prctl" if flag("PR_SET_KEEPCAPS") => User { keeps: arguments.get(1).is_none_or(|on| on != "0"), ..self },
            "prctl" if flag("PR_CAPBSET_DROP") => User { limited: true, ..self },
            "prctl" if flag("PR_CAP_AMBIENT_RAISE") => User { ambient: true, ..self },
            "setuid" | "setreuid" | "setresuid" => self.becoming(name, arguments),
            "execve" | "execveat" => self.running_another_program(),
            _ => self,
        }
    }

    /// kernel/sys.c:__sys_setresuid; security/commoncap.c:cap_emulate_setxuid
    fn becoming(self, name: &str, arguments: &[String]) -> User {
        let Some(ids) = self.ids.map(|ids| after(ids, name, arguments)) else { return self };
        let is_root = |ids: Option<[u32; 3]>| ids.is_some_and(|ids| ids.contains(&0));
        let gives_up = is_root(self.ids) && !is_root(Some(ids));
        let as_ids = if gives_up { !self.keeps } else { self.as_ids };
        User { ids: Some(ids), as_ids, ambient: self.ambient && !gives_up, ..self }
    }

    /// What a program starts with that is no set-user-ID program: security/commoncap.c:cap_bprm_creds_from_file.
    fn running_another_program(self) -> User {
        let Some([real, effective, _]) = self.ids else { return self };
        let as_ids = match (real, effective) {
            (0, 0) => !self.limited,
            (0, _) | (_, 0) => false,
            _ => !self.ambient,
        };
        let may_be_lent = self.lends && (self.may_be_lent || real != 0);
        User { ids: Some([real, effective, effective]), as_ids, keeps: false, may_be_lent, ..self }
    }

    /// Tells the model whose the task is now, if it can.
    fn told(self, before: User) -> (User, Becomes) {
        let other = self.ids.unwrap_or_default().into_iter().find(|id| *id != self.model);
        match self.is_one() {
            // It may not become anybody else, and the model will say so.
            _ if before.is_one().is_some_and(|uid| uid != 0) && !before.may_be_lent && self.ids.is_some() => {
                (before.with_program_of(self), other.map_or(Becomes::Same, Becomes::User))
            }
            Some(uid) if uid == self.model => (self, Becomes::Same),
            Some(uid) if self.model == 0 => (User { model: uid, ..self }, Becomes::User(uid)),
            _ if self.ids == before.ids => (self, Becomes::Same),
            _ => (self, Becomes::Unsaid),
        }
    }

    /// The same user with another program or namespace.
    fn with_program_of(self, after: User) -> User {
        User { ids: self.ids, as_ids: self.as_ids, model: self.model, ..after }
    }

    /// What a call would make it that has failed.
    fn tries(self, name: &str, arguments: &[String], result: Option<&str>) -> Becomes {
        let refused = result.is_some_and(|result| result.starts_with("-1 EPERM") || result.starts_with("-1 EINVAL"));
        let (Some(own), true) = (self.is_one(), refused) else { return Becomes::Unsaid };
        // One id that is refused is enough.
        let other = after([own; 3], name, arguments).into_iter().find(|id| *id != own);
        other.map_or(Becomes::Unsaid, Becomes::User)
    }
}

/// The real, effective and saved user id after a call that has succeeded.
fn after([real, effective, saved]: [u32; 3], name: &str, arguments: &[String]) -> [u32; 3] {
    let given = |at: usize| {
        let id = arguments.get(at).and_then(|argument| number(argument))?;
        // Old straces show -1 as what it is without a sign.
        u32::try_from(id).ok().filter(|id| *id != u32::MAX)
    };
    match name {
        "setuid" => match given(0) {
            Some(id) if effective == 0 => [id; 3],
            id => [real, id.unwrap_or(effective), saved],
        },
        "setreuid" => {
            let saves = given(0).is_some() || given(1).is_some_and(|id| id != real);
            let after = given(1).unwrap_or(effective);
            [given(0).unwrap_or(real), after, if saves { after } else { saved }]
        }
        "setresuid" => [given(0).unwrap_or(real), given(1).unwrap_or(effective), given(2).unwrap_or(saved)],
        _ => [real, effective, saved],
    }
}

#[cfg(test)]
mod tests {
    use super::{Becomes, User};
    use crate::header::Header;

    fn root() -> User {
        User::recorded(&Header::default())
    }

    fn words(text: &str) -> (&str, Vec<String>) {
        let (name, arguments) = text.split_once(' ').unwrap_or((text, ""));
        (name, arguments.split_whitespace().map(str::to_owned).collect())
    }

    /// Whom calls make of root that all succeed, one after the other.
    fn becomes(calls: &[&str]) -> Vec<Becomes> {
        let mut user = root();
        let step = |call: &&str| {
            let (name, arguments) = words(call);
            let (after, becomes) = user.after(0, name, &arguments).told(user);
            user = after;
            becomes
        };
        calls.iter().map(step).collect()
    }

    #[test]
    fn one_user_in_all_respects_is_said_and_no_mixture() {
        use Becomes::{Same, Unsaid, User};
        assert_eq!(becomes(&["setuid 1000", "setuid 1000"]), [User(1000), Same]);
        assert_eq!(becomes(&["setresuid 1000 1000 1000", "setresuid -1 1000 -1"]), [User(1000), Same]);
        assert_eq!(becomes(&["setreuid 1000 1000"]), [User(1000)]);
        assert_eq!(becomes(&["setresuid -1 1000 4294967295", "setresuid -1 0 -1"]), [Unsaid, Same]);
        assert_eq!(becomes(&["setreuid 1000 -1", "setreuid 0 -1", "setuid 1000"]), [Unsaid, Same, User(1000)]);
        assert_eq!(becomes(&["setresuid -1 1000 0", "setresuid 1000 1000 1000"]), [Unsaid, User(1000)]);
        let kept = ["prctl PR_SET_KEEPCAPS 1", "setresuid 1000 1000 1000", "execve"];
        assert_eq!(becomes(&kept), [Same, Unsaid, User(1000)]);
        assert_eq!(becomes(&["prctl PR_CAPBSET_DROP CAP_KILL", "execve", "setuid 1000"]), [Same, Same, User(1000)]);
    }

    #[test]
    fn what_is_refused_would_have_been_another() {
        let refused = Some("-1 EPERM (Operation not permitted)");
        let (name, arguments) = words("setresuid -1 1000 -1");
        assert_eq!(root().tries(name, &arguments, refused), Becomes::User(1000));
        assert_eq!(root().tries(name, &arguments, Some("-1 EAGAIN (…)")), Becomes::Unsaid);
        assert_eq!(root().tries("setuid", &["0".to_owned()], refused), Becomes::Unsaid);
    }
}
