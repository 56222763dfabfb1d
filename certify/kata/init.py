"""A PID 1 for a container, as docs/kata.md builds it: python3 init.py COMMAND..."""

import errno
import os
import signal
import sys

FROM_THE_TERMINAL = {signal.SIGINT, signal.SIGQUIT, signal.SIGWINCH}
SI_KERNEL = 128


def start(words):
    """The command, in a process group of its own, with no signal blocked and none ignored."""
    every = set(range(1, signal.NSIG)) - {signal.SIGKILL, signal.SIGSTOP, 32, 33}
    try:
        child = os.posix_spawnp(words[0], words, os.environ, setpgroup=0, setsigmask=[], setsigdef=every)
    except OSError as error:
        print(f"{words[0]}: {error.strerror}", file=sys.stderr)
        sys.exit(127 if error.errno == errno.ENOENT else 126)
    if os.isatty(0):
        os.tcsetpgrp(0, child)
    return child


def reap(command):
    """Waits for whoever has ended: there may be many for one SIGCHLD, or nobody."""
    while True:
        try:
            child, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if child == command:
            code = os.waitstatus_to_exitcode(status)
            sys.exit(code if code >= 0 else 128 - code)
        if child == 0:
            return


def main():
    # Blocked signals wait until they are asked for, and none is lost; those that were there before wait as well.
    signals = signal.valid_signals()
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    command = start(sys.argv[1:])
    while True:
        info = signal.sigwaitinfo(signals)
        if info.si_signo == signal.SIGCHLD:
            reap(command)
        elif not (info.si_signo in FROM_THE_TERMINAL and info.si_code == SI_KERNEL):
            os.kill(command, info.si_signo)


main()
