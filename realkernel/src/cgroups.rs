//! The cgroup of this process, and those around it, as far as a file system shows them: how many processes they may have.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// How many processes and threads a cgroup may have (cgroup v1 and v2, `pids.max`).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CgroupLimit {
    /// Its folder.
    pub folder: PathBuf,
    /// How many it may have.
    pub most: u64,
    /// How many it had when this was read.
    pub current: u64,
}

impl fmt::Display for CgroupLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "pids.max of {} is {} ({} are there)", self.folder.display(), self.most, self.current)
    }
}

/// The limits that there are, the nearest first. None where no cgroup file system is mounted.
pub(crate) fn limits() -> Vec<CgroupLimit> {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let folders = folders(&read("/proc/self/cgroup"), &read("/proc/self/mountinfo"));
    folders.iter().filter_map(|folder| limit(folder)).collect()
}

fn limit(folder: &Path) -> Option<CgroupLimit> {
    let number = |file: &str| fs::read_to_string(folder.join(file)).ok()?.trim().parse().ok();
    Some(CgroupLimit { folder: folder.to_owned(), most: number("pids.max")?, current: number("pids.current")? })
}

/// The folders of the own cgroup and of all around it, in the hierarchies that can count processes.
fn folders(own: &str, mounts: &str) -> Vec<PathBuf> {
    let mut folders = Vec::new();
    for line in own.lines() {
        // ID:controllers:path, without controllers for the second version (cgroups(7)).
        let mut fields = line.splitn(3, ':');
        let (Some(_), Some(controllers), Some(path)) = (fields.next(), fields.next(), fields.next()) else { continue };
        let is_second = controllers.is_empty();
        if !is_second && !controllers.split(',').any(|name| name == "pids") {
            continue;
        }
        let Some((root, top)) = mounts.lines().find_map(|line| mounted(line, is_second)) else { continue };
        // What is mounted may be a part of the hierarchy only; and the path may lead out of it (cgroup_namespaces(7)).
        let Ok(below) = Path::new(path).strip_prefix(root) else { continue };
        let lowest = Path::new(top).join(below);
        folders.extend(lowest.ancestors().take_while(|folder| folder.starts_with(top)).map(Path::to_owned));
    }
    folders
}

/// Root and place of a mount that shows the hierarchy (proc_pid_mountinfo(5)).
fn mounted(line: &str, is_second: bool) -> Option<(&str, &str)> {
    let (mount, file_system) = line.split_once(" - ")?;
    let mut fields = mount.split(' ').skip(3);
    let (root, top) = (fields.next()?, fields.next()?);
    let mut fields = file_system.split(' ');
    let (kind, options) = (fields.next()?, fields.nth(1)?);
    let right = match is_second {
        true => kind == "cgroup2",
        false => kind == "cgroup" && options.split(',').any(|option| option == "pids"),
    };
    right.then_some((root, top))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTS: &str = "30 25 0:26 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids\n\
                          31 25 0:27 /box /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n";

    #[test]
    fn every_cgroup_around_is_found_in_both_versions() {
        let own = "8:pids:/a/b\n3:cpuset:/\n0::/box/c\n";
        let places = ["pids/a/b", "pids/a", "pids", "unified/c", "unified"];
        assert_eq!(folders(own, MOUNTS), places.map(|place| PathBuf::from("/sys/fs/cgroup").join(place)));
    }

    #[test]
    fn what_is_not_mounted_is_not_there() {
        assert_eq!(folders("0::/other\n", MOUNTS), [""; 0].map(PathBuf::from));
        assert_eq!(folders("8:pids:/\n", ""), [""; 0].map(PathBuf::from));
    }
}
