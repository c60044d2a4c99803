// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:34:30Z
// Spec: openspec/specs/lab/spec.md#requirement-lab-environment
// Diagram: openspec/specs/lab/diagram.md#life-of-a-lab

package lab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// cancelDelay is how long a cancelled context waits for the signal that may have cancelled it, so that
// the command is told once.
const cancelDelay = 200 * time.Millisecond

// Command is what Run runs.
type Command struct {
	Argv []string
	// Environ makes its whole environment of that of the lab. Nil is the lab's alone.
	Environ  func(lab []string) []string
	In       io.Reader
	Out, Err io.Writer
}

// Run starts a lab, runs a command in its environment, ends the lab and returns the command's exit code:
// 128 and the signal's number when a signal ended it, as shells have it. SIGINT, SIGTERM, SIGHUP and
// SIGQUIT go to the command, except those that a terminal sends to both. The end of ctx sends it SIGTERM,
// and the lab stays until the command has ended. An error means that the command did not run to its end.
func Run(ctx context.Context, config Config, command Command) (code int, err error) {
	argv := command.Argv
	if len(argv) == 0 {
		return 0, errors.New("running in the lab: no command")
	}
	l, err := Start(ctx, config)
	if err != nil {
		return 0, err
	}
	if !l.stop() {
		return 0, errors.Join(fmt.Errorf("running in the lab: %w", context.Cause(ctx)), l.Close())
	}
	defer func() { err = errors.Join(err, l.Close()) }()

	cmd := exec.Command(argv[0], argv[1:]...) //nolint:noctx // the context ends it with SIGTERM, see runForwarding
	cmd.Env = l.Env()
	if command.Environ != nil {
		cmd.Env = command.Environ(cmd.Env)
	}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = command.In, command.Out, command.Err
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM} // a build cleans up when the lab dies
	return runForwarding(ctx, cmd)
}

// runForwarding runs cmd, passes signals on, and returns its exit code.
func runForwarding(ctx context.Context, cmd *exec.Cmd) (int, error) {
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, unix.SIGINT, unix.SIGTERM, unix.SIGHUP, unix.SIGQUIT)
	defer signal.Stop(signals)
	exited, err := startBound(cmd)
	if err != nil {
		return 0, fmt.Errorf("running %s in the lab: %w", cmd.Path, err)
	}
	cancelled := ctx.Done()
	var late <-chan time.Time
	for {
		select {
		case err := <-exited:
			return exitCode(cmd, err)
		case sig := <-signals:
			cancelled, late = nil, nil
			if keyboardSignal(sig) && onTerminal() {
				continue // the terminal told the command too
			}
			_ = cmd.Process.Signal(sig) // fails only when it has ended
		case <-cancelled:
			cancelled, late = nil, time.After(cancelDelay)
		case <-late:
			_ = cmd.Process.Signal(syscall.SIGTERM) // fails only when it has ended
		}
	}
}

// startBound starts cmd on a thread that lives as long as it does: the parent-death signal is the thread's.
func startBound(cmd *exec.Cmd) (<-chan error, error) {
	started, exited := make(chan error, 1), make(chan error, 1)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with this goroutine
		err := cmd.Start()
		started <- err
		if err == nil {
			exited <- cmd.Wait()
		}
	}()
	return exited, <-started
}

func exitCode(cmd *exec.Cmd, err error) (int, error) {
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return 0, fmt.Errorf("running %s in the lab: %w", cmd.Path, err)
	}
	status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus)
	if ok && status.Signaled() {
		return 128 + int(status.Signal()), nil
	}
	return cmd.ProcessState.ExitCode(), nil
}

func keyboardSignal(sig os.Signal) bool { return sig == unix.SIGINT || sig == unix.SIGQUIT }

// onTerminal reports whether this process is in the foreground of a terminal, whose keys then signal the
// command as well.
func onTerminal() bool {
	tty, err := os.Open("/dev/tty")
	if err != nil {
		return false
	}
	defer tty.Close()
	group, err := unix.IoctlGetInt(int(tty.Fd()), unix.TIOCGPGRP)
	return err == nil && group == unix.Getpgrp()
}
