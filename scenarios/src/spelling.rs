//! What a mistyped word most likely means.

/// Names that the C library, or the kernel's table, has for what goes by another name here.
const OTHER_NAMES: &[(&str, &str)] = &[
    ("_exit", "exit"),
    ("clone3", "clone"),
    ("execv", "exec"),
    ("execve", "exec"),
    ("execveat", "exec"),
    ("execvp", "exec"),
    ("exit_group", "exit"),
    ("killpg", "kill"),
    ("poll", "pidfd_poll"),
    ("pthread_create", "clone"),
    ("pthread_exit", "exit_thread"),
    ("pthread_kill", "tgkill"),
    ("pthread_sigmask", "sigprocmask"),
    ("raise", "kill"),
    ("setresuid", "setuid"),
    ("signal", "sigaction"),
    ("sigwaitinfo", "sigwait"),
    ("wait3", "wait"),
    ("wait4", "wait"),
    ("waitpid", "wait"),
];

/// The candidate that a mistyped word most likely means: what goes by that name elsewhere, one a few edits away, or the word with a part
/// left out (`NEWPID` for `CLONE_NEWPID`).
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    let bare = word.strip_prefix("rt_").unwrap_or(&word);
    let candidates: Vec<&str> = candidates.into_iter().collect();
    let same = OTHER_NAMES.iter().find(|(other, _)| *other == bare).map(|(_, known)| *known);
    if let Some(same) = candidates.iter().find(|candidate| Some(**candidate) == same) {
        return Some(same);
    }
    candidates
        .into_iter()
        .filter_map(|candidate| {
            let known = candidate.to_lowercase();
            let distance = strsim::damerau_levenshtein(&word, &known);
            let shorter = word.len().min(known.len());
            // An edit of every letter would make any word of any other.
            let close = distance <= 1 + shorter / 4 && distance < shorter;
            let part = word.len() >= 3 && (known.starts_with(&word) || known.ends_with(&word));
            (close || part).then_some((!close, distance, candidate))
        })
        .min_by_key(|(only_part, distance, _)| (*only_part, *distance))
        .map(|(_, _, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_call_of_another_name_is_known() {
        let calls: Vec<&str> = crate::call::calls().iter().map(|call| call.name).collect();
        for (other, known) in super::OTHER_NAMES {
            assert!(calls.contains(known) && !calls.contains(other), "{other} {known}");
            assert_eq!(nearest(other, calls.iter().copied()), Some(*known));
        }
        assert_eq!(nearest("rt_sigprocmask", calls.iter().copied()), Some("sigprocmask"));
        assert_eq!(nearest("signal", ["pid", "signals"]), Some("signals"), "what is no call is not meant");
    }

    #[test]
    fn a_part_of_a_word_is_enough() {
        assert_eq!(nearest("NEWPID", ["CLONE_NEWUSER", "CLONE_NEWPID"]), Some("CLONE_NEWPID"));
        assert_eq!(nearest("sig", ["pid", "group", "signal"]), Some("signal"));
        assert_eq!(nearest("si", ["signal"]), None);
    }

    #[test]
    fn the_nearest_word_is_a_few_edits_away_or_none() {
        assert_eq!(nearest("getpid", ["fork", "getppid", "getpgid"]), Some("getppid"));
        assert_eq!(nearest("clone_newpid", ["CLONE_NEWPID", "CLONE_VM"]), Some("CLONE_NEWPID"));
        assert_eq!(nearest("frobnicate", ["fork", "clone"]), None);
        assert_eq!(nearest("b", ["a"]), None);
        assert_eq!(nearest("", ["a", "on"]), None);
    }
}
