//! The end of a task.
//!
//! ```text
//!   do_exit     PF_EXITING ─▶ its memory ─▶ exit_notify:
//!   reparent      its children find a new parent
//!   zap           (an init: everybody inside is killed first, and waited for)
//!   orphaned_pgrp its group may have lost its last tie to the session
//!   notify        the parent is told (signal/notify)
//!   release       its numbers are free, if nothing else bears them
//! ```

pub(crate) mod orphaned_pgrp;

pub(crate) mod release;

pub(crate) mod reparent;

pub(crate) mod zap;

pub(crate) mod do_exit;
