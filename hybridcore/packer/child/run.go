// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T22:59:51Z
// Spec: openspec/specs/packer/spec.md#requirement-owned-child-process
// Diagram: openspec/specs/packer/diagram.md#one-job

// Package child runs a program with an owned process group, drained pipes and an end for all that it started.
package child

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

const (
	// linger is the time between SIGTERM and SIGKILL for what a normally ended
	// Packer left behind.
	linger = 2 * time.Second
	// pipeWait bounds the wait for the end of a pipe once the group is gone: a
	// process that could not be found may hold it.
	pipeWait = 2 * time.Second
	// cancelWait bounds the wait for the caller's OnCancel.
	cancelWait = 10 * time.Second
)

// Watch is what run needs to know to own a child.
type Watch struct {
	Grace          time.Duration   // between SIGTERM and SIGKILL after a cancel
	Marker         string          // environment entry that the child's descendants carry
	Stdout, Stderr func(io.Reader) // each reads its pipe to the end
	Ended          func()          // the child is gone: readers must not wait for anybody; may be nil
	OnCancel       func()          // may be nil
	Hurry          <-chan struct{} // ends the grace; may be nil
}

// Ending is how a child ended.
type Ending struct {
	Code      int    // exit code, -1 after a signal or when it never started
	Signal    string // that ended it
	Cancelled bool   // the context was cancelled while it ran, or before
	Killed    bool   // it outlived the grace and got SIGKILL
	Swept     int    // processes that it left behind, which got SIGTERM
}

func (e Ending) String() string {
	if e.Signal != "" {
		return "signal: " + e.Signal
	}
	return fmt.Sprintf("exit code %d", e.Code)
}

// running is a started command.
type running struct {
	cmd       *exec.Cmd
	exited    chan struct{} // closed when it ended; it is a zombie until release
	signalled bool          // valid after exited
	err       error         // valid after exited
	release   chan struct{} // closed to reap it
	reaped    chan struct{}
}

// Run starts the command and returns when it, its pipes and its descendants
// have ended. The error says that it could not be run.
func Run(ctx context.Context, cmd *exec.Cmd, o Watch) (Ending, error) {
	if ctx.Err() != nil {
		return Ending{Code: -1, Cancelled: true}, nil //nolint:nilerr // a cancel is an ending, not an error
	}
	readers, err := pipes(cmd)
	if err != nil {
		return Ending{Code: -1}, err
	}
	c, err := start(cmd)
	if err != nil {
		closeAll(readers)
		return Ending{Code: -1}, err
	}
	read := make(chan struct{}, 2)
	for i, f := range []func(io.Reader){o.Stdout, o.Stderr} {
		go func() { defer func() { read <- struct{}{} }(); f(readers[i]) }()
	}
	var e Ending
	notified := c.await(ctx, o, &e)
	c.terminate(o, &e)
	if o.Ended != nil {
		o.Ended()
	}
	for _, r := range readers {
		_ = r.SetReadDeadline(time.Now().Add(pipeWait)) // without one the read just waits
	}
	<-read
	<-read
	closeAll(readers)
	close(c.release)
	<-c.reaped
	if c.err != nil {
		return e, fmt.Errorf("running %s: %w", cmd.Path, c.err)
	}
	e.describe(cmd.ProcessState)
	select {
	case <-notified:
	case <-time.After(cancelWait):
	}
	return e, nil
}

func (e *Ending) describe(state *os.ProcessState) {
	e.Code = state.ExitCode()
	if status, ok := state.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		e.Signal = status.Signal().String()
	}
}

// pipes gives the command's output to pipes of our own. exec's own would make
// Wait hang for as long as any descendant holds them. The child gets a reading
// end of each pipe too: when packer-hybrid is killed, Packer's first message
// about its clean-up would otherwise end it with SIGPIPE.
func pipes(cmd *exec.Cmd) ([]*os.File, error) {
	readers := make([]*os.File, 0, 2)
	for _, to := range []*io.Writer{&cmd.Stdout, &cmd.Stderr} {
		r, w, err := os.Pipe()
		if err != nil {
			closeAll(append(readers, ours(cmd)...))
			return nil, fmt.Errorf("making a pipe: %w", err)
		}
		readers, *to = append(readers, r), w
		if held := secondReader(r); held != nil {
			cmd.ExtraFiles = append(cmd.ExtraFiles, held)
		}
	}
	return readers, nil
}

// ours are the files that the child has inherited and we have no use for.
func ours(cmd *exec.Cmd) []*os.File {
	files := cmd.ExtraFiles
	for _, w := range []io.Writer{cmd.Stdout, cmd.Stderr} {
		if f, ok := w.(*os.File); ok {
			files = append(files, f)
		}
	}
	return files
}

func closeAll(files []*os.File) {
	for _, f := range files {
		_ = f.Close() // pipes: nothing is buffered
	}
}

// start starts the command on a thread of its own and keeps that thread until
// the child is reaped: the parent-death signal goes out when the thread ends.
func start(cmd *exec.Cmd) (*running, error) {
	c := &running{cmd: cmd, exited: make(chan struct{}), release: make(chan struct{}), reaped: make(chan struct{})}
	started := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		closeAll(ours(cmd))
		started <- err
		if err != nil {
			return
		}
		c.signalled, c.err = awaitExit(cmd)
		close(c.exited)
		<-c.release
		if cmd.ProcessState == nil {
			_ = cmd.Wait() // an exit code is no error here; ProcessState has it
		}
		close(c.reaped)
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("starting %s: %w", cmd.Path, err)
	}
	return c, nil
}

// await returns when the child has ended by itself or after a cancel. The
// channel is closed when onCancel has returned.
func (c *running) await(ctx context.Context, o Watch, e *Ending) <-chan struct{} {
	notified := make(chan struct{})
	select {
	case <-c.exited:
		close(notified)
		return notified
	case <-ctx.Done():
	}
	c.signalGroup(syscall.SIGTERM)
	e.Cancelled = true
	go func() {
		defer close(notified)
		if o.OnCancel != nil {
			o.OnCancel()
		}
	}()
	select {
	case <-c.exited:
		return notified
	case <-time.After(o.Grace):
	case <-o.Hurry:
	}
	e.Killed = true
	c.signalGroup(syscall.SIGKILL)
	<-c.exited
	return notified
}

// signalGroup reaches the child and what it started. The group exists for as
// long as the child is not reaped.
func (c *running) signalGroup(sig syscall.Signal) {
	_ = syscall.Kill(-c.cmd.Process.Pid, sig) // every member may have ended
}

// terminate ends what the child left behind: SIGTERM, a wait, SIGKILL. When a
// Signal ended the outer Packer, the inner one is still cleaning up its virtual
// machine, and has the whole grace.
func (c *running) terminate(o Watch, e *Ending) {
	left := Survivors(c.cmd.Process.Pid, o.Marker)
	if len(left) == 0 {
		return
	}
	e.Swept = len(left)
	wait := linger
	if c.signalled && !e.Killed {
		wait = o.Grace
	}
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		for _, p := range left {
			p.Signal(sig)
		}
		if left = c.waitGone(wait, sig, o); len(left) == 0 {
			return
		}
		wait = time.Second
	}
}

// waitGone polls until nothing is left, and returns what is when time is up. A
// Process that was forked meanwhile gets the same signal.
func (c *running) waitGone(wait time.Duration, sig syscall.Signal, o Watch) []Process {
	deadline := time.After(wait)
	known := map[Process]bool{}
	for tick := time.Millisecond; ; tick = min(2*tick, 100*time.Millisecond) {
		left := Survivors(c.cmd.Process.Pid, o.Marker)
		if len(left) == 0 {
			return nil
		}
		first := len(known) == 0 // these have the signal
		for _, p := range left {
			if !known[p] && !first {
				p.Signal(sig)
			}
			known[p] = true
		}
		select {
		case <-time.After(tick):
		case <-deadline:
			return left
		case <-o.Hurry:
			return left
		}
	}
}
