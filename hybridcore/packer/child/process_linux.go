// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T22:57:48Z
// Spec: openspec/specs/packer/spec.md#requirement-owned-child-process
// Diagram: openspec/specs/packer/diagram.md#one-job

package child

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// OwnGroup puts a child into a process group of its own and lets the kernel
// send it SIGTERM when the thread that started it ends. SIGTERM, not SIGKILL:
// Packer must get the chance to delete its virtual machine.
func OwnGroup() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
}

// pipeSize is the room for what Packer says after its parent was killed, in
// bytes. Linux gives it to anybody by default (fs.pipe-max-size).
const pipeSize = 1 << 20

// secondReader opens the reading end of a pipe once more, with a mode of its
// own (a duplicate would share it), and makes the pipe larger. It returns nil
// when /proc is not there: the child then ends at its first message after our
// death.
func secondReader(r *os.File) *os.File {
	conn, err := r.SyscallConn()
	if err != nil {
		return nil
	}
	var held *os.File
	_ = conn.Control(func(fd uintptr) { // cannot fail on an open file
		_, _ = unix.FcntlInt(fd, unix.F_SETPIPE_SZ, pipeSize) // a small one works too
		held, _ = os.OpenFile("/proc/self/fd/"+strconv.Itoa(int(fd)), os.O_RDONLY, 0)
	})
	return held
}

// awaitExit waits for the end of a child without reaping it, and says whether
// a signal ended it. Until it is reaped its number, which is also its group's,
// cannot be taken by another process, so the group can be signalled safely.
func awaitExit(cmd *exec.Cmd) (signalled bool, err error) {
	const exited = 1 // CLD_EXITED: any other code of an ended child means a signal
	for {
		var info unix.Siginfo
		err := unix.Waitid(unix.P_PID, cmd.Process.Pid, &info, unix.WEXITED|unix.WNOWAIT, nil)
		switch {
		case err == nil:
			return info.Code != exited, nil
		case !errors.Is(err, unix.EINTR):
			return false, fmt.Errorf("waiting for process %d: %w", cmd.Process.Pid, err)
		}
	}
}

// Process is one entry of the process table.
type Process struct {
	PID, Group int
	start      string // clock ticks since boot; with the pid it names a process for good
}

// Survivors lists the living processes of a group, and those outside of it
// that carry the marker in their environment: daemons that made a session of
// their own. Zombies do not live.
func Survivors(group int, marker string) []Process {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	var found []Process
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil || pid == os.Getpid() {
			continue
		}
		if p, ok := Alive(pid); ok && (p.Group == group || carries(pid, marker)) {
			found = append(found, p)
		}
	}
	return found
}

// Alive reads the state of a process: `PID (COMM) STATE PPID PGRP ... START`.
func Alive(pid int) (Process, bool) {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return Process{}, false
	}
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	if len(fields) < 20 || fields[0][0] == 'Z' || fields[0][0] == 'X' {
		return Process{}, false
	}
	group, err := strconv.Atoi(string(fields[2]))
	return Process{PID: pid, Group: group, start: string(fields[19])}, err == nil
}

func carries(pid int, marker string) bool {
	env, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/environ")
	if err != nil || marker == "" {
		return false // another user's process, or gone
	}
	return bytes.HasPrefix(env, []byte(marker+"\x00")) || bytes.Contains(env, []byte("\x00"+marker+"\x00"))
}

// Signal sends a signal to the process, unless its number belongs to another
// one by now.
func (p Process) Signal(sig syscall.Signal) {
	if now, ok := Alive(p.PID); ok && now.start == p.start {
		_ = syscall.Kill(p.PID, sig) // it may have ended
	}
}
