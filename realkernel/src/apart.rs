//! Namespaces for something that is no scenario, and of which nothing is to be left either.

use std::fs;

use crate::sys::os;
use crate::trouble::Unavailable;

/// Lets the next child of this process, which must have one thread, be the first in a PID namespace of its own, and gives it and this process
/// mounts of their own. What that child makes ends with it. An ordinary user gets a user namespace around both.
///
/// # Errors
/// Where no such namespaces can be had.
pub fn set_apart() -> Result<(), Unavailable> {
    let namespaces = libc::CLONE_NEWPID | libc::CLONE_NEWNS;
    match os::unshare(namespaces) {
        Err(error) if error.raw_os_error() == Some(libc::EPERM) => {
            let (user, group) = os::user_and_group();
            os::unshare(libc::CLONE_NEWUSER | namespaces)
                .and_then(|()| fs::write("/proc/self/setgroups", "deny"))
                .and_then(|()| fs::write("/proc/self/uid_map", format!("0 {user} 1")))
                .and_then(|()| fs::write("/proc/self/gid_map", format!("0 {group} 1")))
        }
        done => done,
    }
    .map_err(|error| {
        Unavailable::new(
            format!("no PID namespace could be made for a guest to be in: {error}"),
            "run as root, or allow user namespaces (sysctl user.max_user_namespaces)",
        )
    })
}
