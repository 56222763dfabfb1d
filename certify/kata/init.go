// A PID 1 for a container, as docs/kata.md builds it: go build init.go
package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"unsafe"
)

const ioctlIsTerminal = 0x5401

func main() {
	// Go asks for a signal with a handler, which also lets those through that were blocked at the start; a handler is gone after exec.
	signals := make(chan os.Signal, 64)
	signal.Notify(signals)
	command := start(os.Args[1:])
	for one := range signals {
		switch one {
		case syscall.SIGCHLD:
			reap(command)
		// Go sends this to itself, to take turns.
		case syscall.SIGURG:
		default:
			syscall.Kill(command, one.(syscall.Signal))
		}
	}
}

func start(words []string) int {
	path, err := exec.LookPath(words[0])
	if err == nil {
		how := &syscall.SysProcAttr{Setpgid: true}
		if hasTerminal() {
			how = &syscall.SysProcAttr{Foreground: true, Ctty: 0}
		}
		var process *os.Process
		process, err = os.StartProcess(path, words, &os.ProcAttr{Files: []*os.File{os.Stdin, os.Stdout, os.Stderr}, Sys: how})
		if err == nil {
			return process.Pid
		}
	}
	fmt.Fprintln(os.Stderr, err)
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, exec.ErrNotFound) {
		os.Exit(127)
	}
	os.Exit(126)
	return 0
}

func hasTerminal() bool {
	var settings [64]byte
	_, _, errno := syscall.Syscall(syscall.SYS_IOCTL, 0, ioctlIsTerminal, uintptr(unsafe.Pointer(&settings)))
	return errno == 0
}

// Waits for whoever has ended: there may be many for one SIGCHLD, or nobody.
func reap(command int) {
	for {
		var status syscall.WaitStatus
		child, err := syscall.Wait4(-1, &status, syscall.WNOHANG, nil)
		if err != nil || child <= 0 {
			return
		}
		if child == command && status.Signaled() {
			os.Exit(128 + int(status.Signal()))
		}
		if child == command && status.Exited() {
			os.Exit(status.ExitStatus())
		}
	}
}
