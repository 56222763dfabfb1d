//! What there is: one record for each struct of the kernel, and nothing that happens.

pub(crate) mod ids;

pub(crate) mod pid_namespace;

pub(crate) mod pid;

pub(crate) mod task;

pub(crate) mod tracing;

pub(crate) mod signal_struct;

pub(crate) mod sighand;

pub(crate) mod sigpending;

pub(crate) mod cred;

pub(crate) mod clone_args;

pub(crate) mod ns_file;

pub(crate) mod notify;

pub(crate) mod wait_opts;
