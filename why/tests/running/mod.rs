//! Programs that tests run beside themselves.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use pidlab_realkernel::cannot_run;

/// Whether namespaces can be made here; says why it is skipped where not.
pub(crate) fn can_unshare() -> bool {
    let tried = Command::new("unshare").args(["--pid", "--fork", "true"]).stderr(Stdio::null()).status();
    let can = tried.is_ok_and(|status| status.success());
    if !can {
        cannot_run("no PID namespace can be made here");
    }
    can
}

/// A program that has come so far that it has written a line; ended when the test is over, whatever becomes of that.
pub(crate) struct Running(pub(crate) Child);

impl Running {
    pub(crate) fn start(program: &str, arguments: &[&str]) -> Running {
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().expect("it is installed");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("it is piped")).read_line(&mut line).expect("it writes");
        assert_eq!(line, "up\n", "{program} {arguments:?}");
        Running(child)
    }

    pub(crate) fn pid(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
