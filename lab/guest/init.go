// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T22:50:05Z
// Spec: openspec/specs/lab/spec.md#requirement-guest-life-cycle
// Diagram: openspec/specs/lab/diagram.md#guest-start

package guest

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Times of an orderly end: the time for the answer to the command that asked for it, and for processes to end.
const (
	endingNotice = 150 * time.Millisecond
	endingGrace  = 2 * time.Second
)

// Main runs the guest's first process when the calling process was started to be one, and then does not
// return. In every other process it returns at once. Call it before anything else in main and TestMain.
func Main() {
	if len(os.Args) == 0 {
		return
	}
	switch os.Args[0] {
	case initName:
		syscall.Exit(initMain()) // not os.Exit: under the race detector that sleeps for a second
	case probeName:
		syscall.Exit(0)
	}
}

// system is the running guest as its first process sees it.
type system struct {
	spec      Spec
	processes *processes
	endings   chan Ending
}

// initMain is the guest's first process. It returns only when the guest ends, with the exit code.
func initMain() int {
	inherited := os.NewFile(controlFD, "control")
	control, err := net.FileConn(inherited)
	inherited.Close() // FileConn made its own copy
	if err != nil {
		fmt.Fprintln(os.Stderr, "guest: opening the control socket:", err)
		return 1
	}
	s := &system{endings: make(chan Ending, 4)}
	commands := json.NewDecoder(control)
	if err := commands.Decode(&s.spec); err != nil {
		fmt.Fprintln(os.Stderr, "guest: reading the configuration:", err)
		return 1
	}
	report := json.NewEncoder(control)
	if err := s.boot(); err != nil {
		fmt.Fprintln(os.Stderr, "guest:", err)
		_ = report.Encode(message{Error: err.Error()})
		return 1
	}
	if err := report.Encode(message{Ready: true}); err != nil {
		return 1
	}
	go s.obey(commands)
	ending := <-s.endings
	s.stop()
	_ = report.Encode(message{Ending: ending}) // without a reader the lab is gone, and so are we
	return 0
}

// boot brings the guest up to the point where its SSH server accepts connections.
func (s *system) boot() error {
	inherited := os.NewFile(listenerFD, "listener")
	outside, err := net.FileListener(inherited)
	inherited.Close() // FileListener made its own copy
	if err != nil {
		return fmt.Errorf("inheriting the listener: %w", err)
	}
	if err := mountRoot(s.spec); err != nil {
		return err
	}
	// Programs look here for the kind of init; "init" makes them look at what /sbin/init is.
	if err := os.WriteFile("/proc/1/comm", []byte("init"), 0); err != nil {
		return fmt.Errorf("naming the first process: %w", err)
	}
	if err := unix.Sethostname([]byte(s.spec.Hostname)); err != nil {
		return fmt.Errorf("setting the host name: %w", err)
	}
	if err := raiseLoopback(); err != nil {
		return err
	}
	if err := forbidTracing(); err != nil {
		return err
	}
	if s.processes, err = newProcesses(); err != nil {
		return err
	}
	if err := firstBoot(s.spec, s.processes); err != nil {
		return err
	}
	if err := listenForPowerRequests(s.end); err != nil {
		return err
	}
	server, err := newServer(s.processes, s.spec.Address)
	if err != nil {
		return err
	}
	server.serve(outside)
	return nil
}

// obey waits for the lab's wishes. When the control socket closes the lab is gone and the guest ends at once.
func (s *system) obey(commands *json.Decoder) {
	for {
		var m message
		if err := commands.Decode(&m); err != nil {
			syscall.Exit(1)
		}
		if m.Ending != "" {
			s.end(m.Ending)
		}
	}
}

// end asks for the guest's end; the first wish counts.
func (s *system) end(e Ending) {
	select {
	case s.endings <- e:
	default:
	}
}

// stop ends all processes of the guest, politely first. Signal -1 reaches every process but pid 1.
func (s *system) stop() {
	time.Sleep(endingNotice)
	_ = syscall.Kill(-1, syscall.SIGTERM)
	_ = syscall.Kill(-1, syscall.SIGHUP) // interactive shells ignore SIGTERM
	for deadline := time.Now().Add(endingGrace); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if syscall.Kill(-1, 0) == syscall.ESRCH {
			break
		}
	}
	_ = syscall.Kill(-1, syscall.SIGKILL)
	unix.Sync()
}

// raiseLoopback brings up lo, the only network interface of the guest.
func raiseLoopback() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("raising the loopback interface: %w", err)
	}
	defer unix.Close(fd)
	request, err := unix.NewIfreq("lo")
	if err != nil {
		return fmt.Errorf("raising the loopback interface: %w", err)
	}
	request.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	if err := unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, request); err != nil {
		return fmt.Errorf("raising the loopback interface: %w", err)
	}
	return nil
}
