//! Calls that stand for themselves: groups and sessions, small settings, users, files below /proc/sys, reboot.

pub(crate) mod pgrp;

pub(crate) mod prctl;

pub(crate) mod users;

pub(crate) mod sysctl;

pub(crate) mod reboot;
