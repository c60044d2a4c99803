// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T22:47:41Z
// Spec: openspec/specs/lab/spec.md#requirement-guest-life-cycle
// Diagram: openspec/specs/lab/diagram.md#guest-start

package guest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

// startTimeout bounds the time from fork to a listening SSH server. A start takes 20 to 300 ms; the
// limit leaves room for a machine that is busy with builds.
const startTimeout = 60 * time.Second

// Spec is what one start of a guest needs. The directories must be on ext4, xfs, btrfs or tmpfs: the
// kernel refuses an overlay's writable layer on another overlay.
type Spec struct {
	Hostname string   // host name, also written to /etc/hostname at first boot
	Lowers   []string // read-only layers, topmost first; the last one is the root file system
	Upper    string   // writable layer: the guest's delta
	Work     string   // scratch of the overlay, same file system as Upper
	Root     string   // an empty directory, mount point inside the guest's mount namespace only
	Address  string   // IP address that the guest is reached at

	FirstBoot      bool     // do what an installer leaves behind: user, host key, host name
	User           string   // build user, made at first boot, member of group sudo, without sudo password
	Password       string   // password of User
	AuthorizedKeys []string // lines for the build user's authorized_keys
}

// maxHostname is the length of a DNS label (RFC 1035) and what Linux accepts (HOST_NAME_MAX).
const maxHostname = 63

// Hostname makes a host name of a virtual machine's name: letters, digits and hyphens.
func Hostname(name string) string {
	label := make([]byte, 0, len(name))
	for _, c := range []byte(name) {
		switch {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9':
			label = append(label, c)
		case c >= 'A' && c <= 'Z':
			label = append(label, c+'a'-'A')
		case len(label) > 0 && label[len(label)-1] != '-':
			label = append(label, '-')
		}
		if len(label) == maxHostname {
			break
		}
	}
	for len(label) > 0 && label[len(label)-1] == '-' {
		label = label[:len(label)-1]
	}
	if len(label) == 0 {
		return "guest"
	}
	return string(label)
}

// Ending says how a guest ended.
type Ending string

// The endings of a guest.
const (
	PoweredOff Ending = "poweroff" // power-off asked for inside the guest or through Shutdown
	Rebooting  Ending = "reboot"   // reboot asked for inside the guest; the owner starts it again
	Killed     Ending = "killed"   // ended from outside, or died
)

// Guest is one running guest.
type Guest struct {
	cmd     *exec.Cmd
	control net.Conn
	done    chan struct{}

	mu     sync.Mutex
	ending Ending
}

// Start boots a guest whose SSH server accepts connections from listener, and returns when it does.
// The listener stays open in the caller, so that a reboot keeps the address. Messages of the guest's
// first process go to console. The guest is killed when ctx ends, and by the kernel when the caller dies.
func Start(ctx context.Context, spec Spec, listener *net.TCPListener, console *os.File) (*Guest, error) {
	inherited, err := listener.File()
	if err != nil {
		return nil, fmt.Errorf("duplicating the guest's listener: %w", err)
	}
	defer inherited.Close()
	ours, theirs, err := controlPair()
	if err != nil {
		return nil, err
	}

	g := &Guest{control: ours, done: make(chan struct{}), ending: Killed}
	g.cmd = initCommand(inherited, theirs, console)
	exited, err := launch(g.cmd)
	theirs.Close() // or end of file would not tell that the guest is gone
	if err != nil {
		ours.Close()
		return nil, explainRefusal(err)
	}
	ready := make(chan error, 1)
	go g.watch(exited, ready)
	if err := g.handshake(ctx, spec, ready); err != nil {
		g.Kill()
		return nil, err
	}
	context.AfterFunc(ctx, g.Kill)
	return g, nil
}

// handshake sends the specification and waits until the guest says that it is ready.
func (g *Guest) handshake(ctx context.Context, spec Spec, ready <-chan error) error {
	if err := json.NewEncoder(g.control).Encode(spec); err != nil { //nolint:gosec // the socket leads to the guest alone
		return fmt.Errorf("configuring the guest: %w", err)
	}
	select {
	case err := <-ready:
		if err != nil {
			return fmt.Errorf("starting the guest %s: %w", spec.Hostname, err)
		}
		return nil
	case <-ctx.Done():
		return fmt.Errorf("starting the guest %s: %w", spec.Hostname, context.Cause(ctx))
	case <-time.After(startTimeout):
		return fmt.Errorf("starting the guest %s: no answer within %s", spec.Hostname, startTimeout)
	}
}

// watch reads what the guest reports until it is gone.
func (g *Guest) watch(exited <-chan error, ready chan<- error) {
	dec := json.NewDecoder(g.control)
	for {
		var m message
		if err := dec.Decode(&m); err != nil {
			break
		}
		switch {
		case m.Error != "":
			send(ready, errors.New(m.Error))
		case m.Ready:
			send(ready, nil)
		case m.Ending != "":
			g.setEnding(m.Ending)
		}
	}
	err := <-exited
	send(ready, endedEarly(err))
	g.control.Close()
	close(g.done)
}

// endedEarly explains the end of a guest that never was ready; the console's log may tell more.
func endedEarly(exit error) error {
	if exit == nil {
		return errors.New("its first process ended early")
	}
	return fmt.Errorf("its first process ended early: %w", exit)
}

// send gives the first result to whoever waits and drops the later ones.
func send(ready chan<- error, err error) {
	select {
	case ready <- err:
	default:
	}
}

func (g *Guest) setEnding(e Ending) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.ending = e
}

// Pid is the guest's first process as the host numbers it.
func (g *Guest) Pid() int { return g.cmd.Process.Pid }

// Done is closed when the guest's first process, and with it every process of the guest, is gone.
func (g *Guest) Done() <-chan struct{} { return g.done }

// Ending says how the guest ended; it is Killed until Done is closed.
func (g *Guest) Ending() Ending {
	select {
	case <-g.done:
	default:
		return Killed
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.ending
}

// Shutdown asks the guest to power off in an orderly way, as VMware Tools does, and returns at once.
func (g *Guest) Shutdown() error {
	if err := json.NewEncoder(g.control).Encode(message{Ending: PoweredOff}); err != nil {
		return fmt.Errorf("asking the guest to power off: %w", err)
	}
	return nil
}

// Kill ends the guest at once and returns when it is gone. It may be called more than once.
func (g *Guest) Kill() {
	_ = g.cmd.Process.Kill() // fails only when it is gone already
	<-g.done
}

// message is one line on the control socket. The guest reports readiness, a failed start and its ending;
// the lab sends its specification first and later, if at all, an ending that it wants.
type message struct {
	Ready  bool   `json:"ready,omitempty"`
	Error  string `json:"error,omitempty"`
	Ending Ending `json:"ending,omitempty"`
}

// controlPair makes the socket between the lab and a guest's first process. When either side is gone the
// other reads end of file, which ends the guest too.
func controlPair() (net.Conn, *os.File, error) {
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("making the guest's control socket: %w", err)
	}
	local := os.NewFile(uintptr(fds[0]), "guest-control")
	defer local.Close()
	conn, err := net.FileConn(local)
	if err != nil {
		syscall.Close(fds[1])
		return nil, nil, fmt.Errorf("making the guest's control socket: %w", err)
	}
	return conn, os.NewFile(uintptr(fds[1]), "guest-control-init"), nil
}
