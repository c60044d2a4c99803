// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T22:51:34Z
// Spec: openspec/specs/lab/spec.md#requirement-guest-access
// Diagram: openspec/specs/lab/diagram.md#guest-start

package guest

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"sync"

	"golang.org/x/crypto/ssh"
	"golang.org/x/sys/unix"
)

// ttyGroup is the group of terminals in Debian (base-passwd).
const ttyGroup = 5

// terminal is a pseudo-terminal pair.
type terminal struct {
	term          string
	master, slave *os.File
	once          sync.Once
}

// windowSize is the size part of RFC 4254's pty-req and window-change requests.
type windowSize struct{ Columns, Rows, Width, Height uint32 }

// openTerminal serves pty-req: a terminal that belongs to the session's user.
func (s *session) openTerminal(payload []byte) error {
	term, size, err := parseTerminal(payload)
	if err != nil {
		return err
	}
	if s.terminal != nil || s.pid != 0 {
		return errors.New("the session has its terminal already")
	}
	// Nonblocking, so that reads can be given deadlines.
	fd, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return fmt.Errorf("opening a terminal: %w", err)
	}
	master := os.NewFile(uintptr(fd), "/dev/ptmx")
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0)
	}
	if err != nil {
		master.Close()
		return fmt.Errorf("opening a terminal: %w", err)
	}
	name := "/dev/pts/" + strconv.Itoa(number)
	slave, err := os.OpenFile(name, os.O_RDWR|unix.O_NOCTTY, 0)
	if err == nil {
		err = os.Chown(name, int(s.account.uid), ttyGroup)
	}
	if err != nil {
		master.Close()
		return fmt.Errorf("opening a terminal: %w", err)
	}
	s.terminal = &terminal{term: term, master: master, slave: slave}
	return s.terminal.resize(size)
}

// parseTerminal reads a pty-req payload (RFC 4254, section 6.2); the encoded modes are not used.
func parseTerminal(payload []byte) (string, windowSize, error) {
	var v struct {
		Term                         string
		Columns, Rows, Width, Height uint32
		Modes                        string
	}
	if err := ssh.Unmarshal(payload, &v); err != nil {
		return "", windowSize{}, fmt.Errorf("reading the terminal request: %w", err)
	}
	for _, r := range v.Term {
		if r < ' ' || r > '~' {
			return "", windowSize{}, errors.New("reading the terminal request: not a terminal name")
		}
	}
	return v.Term, windowSize{v.Columns, v.Rows, v.Width, v.Height}, nil
}

// resize serves window-change.
func (s *session) resize(payload []byte) error {
	var size windowSize
	if err := ssh.Unmarshal(payload, &size); err != nil {
		return fmt.Errorf("reading the window size: %w", err)
	}
	if s.terminal == nil {
		return errors.New("the session has no terminal")
	}
	return s.terminal.resize(size)
}

func (t *terminal) resize(size windowSize) error {
	raw, err := t.master.SyscallConn()
	if err != nil {
		return fmt.Errorf("resizing the terminal: %w", err)
	}
	var failed error
	if err := raw.Control(func(fd uintptr) {
		failed = unix.IoctlSetWinsize(int(fd), unix.TIOCSWINSZ, &unix.Winsize{
			Row: uint16(size.Rows), Col: uint16(size.Columns), Xpixel: uint16(size.Width), Ypixel: uint16(size.Height),
		})
	}); err != nil {
		return fmt.Errorf("resizing the terminal: %w", err)
	}
	if failed != nil {
		return fmt.Errorf("resizing the terminal: %w", failed)
	}
	return nil
}

// hangUp closes the terminal: the kernel sends SIGHUP to its session.
func (t *terminal) hangUp() {
	t.once.Do(func() {
		t.slave.Close()
		t.master.Close()
	})
}
