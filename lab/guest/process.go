// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T22:47:41Z
// Spec: openspec/specs/lab/spec.md#requirement-guest-access
// Diagram: openspec/specs/lab/diagram.md#guest-start

package guest

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// processes starts the guest's processes, all from the confined thread, and reaps every child of pid 1:
// its own and the orphans that the kernel hands to it.
type processes struct {
	thread *confinedThread

	mu      sync.Mutex // held while starting, so that a child is known before it is reaped
	waiting map[int]chan syscall.WaitStatus
}

// environment is what the programs of the first process start with.
var environment = []string{
	"PATH=" + searchPath, "HOME=/root", "LC_ALL=C.UTF-8", "DEBIAN_FRONTEND=noninteractive",
}

func newProcesses() (*processes, error) {
	thread, err := newConfinedThread()
	if err != nil {
		return nil, err
	}
	p := &processes{thread: thread, waiting: make(map[int]chan syscall.WaitStatus)}
	children := make(chan os.Signal, 1)
	signal.Notify(children, unix.SIGCHLD)
	go func() {
		for range children {
			p.reap()
		}
	}()
	return p, nil
}

// start starts a program as root, in a session of its own. Files become descriptors 0, 1 and 2. The channel gives
// its status once.
func (p *processes) start(argv []string, files []*os.File) (<-chan syscall.WaitStatus, error) {
	attr := &syscall.ProcAttr{Dir: "/", Env: environment, Sys: &syscall.SysProcAttr{Setsid: true}}
	for _, f := range files {
		attr.Files = append(attr.Files, f.Fd())
	}
	done := make(chan syscall.WaitStatus, 1)
	var failed error
	p.thread.do(func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		pid, err := syscall.ForkExec(argv[0], argv, attr)
		if err != nil {
			failed = fmt.Errorf("starting %s: %w", argv[0], err)
			return
		}
		p.waiting[pid] = done
	})
	return done, failed
}

// reap collects every child that has ended.
func (p *processes) reap() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, syscall.WNOHANG, nil)
		switch {
		case errors.Is(err, syscall.EINTR):
			continue
		case err != nil || pid <= 0:
			return
		}
		if done, ours := p.waiting[pid]; ours {
			delete(p.waiting, pid)
			done <- status
		}
	}
}

// run runs a program as root to its end with the given standard input, and returns its combined output.
func (p *processes) run(stdin []byte, argv ...string) ([]byte, error) {
	in, feed, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("running %s: %w", argv[0], err)
	}
	drain, out, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("running %s: %w", argv[0], err), in.Close(), feed.Close())
	}
	done, err := p.start(argv, []*os.File{in, out, out})
	in.Close()
	out.Close()
	if err != nil {
		return nil, errors.Join(err, feed.Close(), drain.Close())
	}
	go func() {
		_, _ = feed.Write(stdin) // a program that does not read says so with its status
		feed.Close()
	}()
	var output bytes.Buffer
	_, err = output.ReadFrom(drain)
	drain.Close()
	if status := <-done; status != 0 {
		return output.Bytes(), fmt.Errorf("running %s: status %d: %s", argv[0], status.ExitStatus(),
			bytes.TrimSpace(output.Bytes()))
	}
	return output.Bytes(), err
}
