//! What happens before main: a program that this crate is linked into may have been started as a helper, or go on as an agent.

use crate::guard;
use crate::program;
use crate::sys::before_main::before_main;

before_main!(enter);

/// Comes back in every other program.
fn enter() {
    program::enter_if_agent();
    guard::enter_if_helper();
}
