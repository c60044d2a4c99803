// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:26:41Z
// Spec: openspec/specs/lab/spec.md#requirement-disk-delta
// Diagram: openspec/specs/lab/diagram.md#disks

package lab

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
)

// isoFiles are the installation media of every platform that has some. Nothing boots from them: they only have to
// exist.
var isoFiles = []string{"debian-12.iso", "ubuntu-24.04.iso"}

// preferredPort is the SSH port of all guests of a lab, unless another program listens on it on all addresses.
const preferredPort = 2222

// addressTries bounds the search for a free loopback address.
const addressTries = 64

// machines is the hardware of the lab: what vCenter only knows the names of. A machine is made when its
// virtual machine is first powered on or cloned.
type machines struct {
	dir     *labDir
	base    string  // the root file system
	account account // whom the first boot of a machine makes
	logf    func(format string, args ...any)
	port    int // of every guest's SSH server

	mu     sync.Mutex
	byRef  map[string]*machine // by vCenter's object id
	disks  int                 // made so far
	closed bool
}

// choosePort chooses the port of the lab's guests.
func (m *machines) choosePort() error {
	//nolint:gosec // no secret
	for _, port := range []int{preferredPort, 10000 + rand.IntN(20000), 10000 + rand.IntN(20000)} {
		listener, err := listenOnLoopback(port)
		if err == nil {
			m.port = port
			if err := listener.Close(); err != nil {
				return fmt.Errorf("choosing the guests' port: %w", err)
			}
			return nil
		}
		if !errors.Is(err, syscall.EADDRINUSE) {
			return err
		}
	}
	return fmt.Errorf("no free port for the guests' SSH servers, tried %d and two others", preferredPort)
}

// listenOnLoopback listens on an address of 127.0.0.0/8 that nobody listens on at that port. Linux answers
// on all of them without configuration, so that each guest has an address of its own and all share a port.
func listenOnLoopback(port int) (*net.TCPListener, error) {
	var last error
	for range addressTries {
		ip := net.IPv4(127, byte(1+rand.IntN(254)), byte(rand.IntN(256)), byte(1+rand.IntN(254))) //nolint:gosec // no secret
		listener, err := net.ListenTCP("tcp4", &net.TCPAddr{IP: ip, Port: port})
		if err == nil {
			return listener, nil
		}
		last = err
		if !errors.Is(err, syscall.EADDRINUSE) {
			break
		}
	}
	return nil, fmt.Errorf("finding an address for a guest: %w", last)
}

// of returns the machine of a virtual machine, and makes it, with the lab's build user, when there is none yet.
func (m *machines) of(ref string) *machine {
	m.mu.Lock()
	defer m.mu.Unlock()
	if found, ok := m.byRef[ref]; ok {
		return found
	}
	made := &machine{all: m, ref: ref, account: m.account}
	m.byRef[ref] = made
	return made
}

// find returns the machine of a virtual machine if it has one.
func (m *machines) find(ref string) (*machine, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	found, ok := m.byRef[ref]
	return found, ok
}

// every returns all machines.
func (m *machines) every() []*machine {
	m.mu.Lock()
	defer m.mu.Unlock()
	list := make([]*machine, 0, len(m.byRef))
	for _, one := range m.byRef {
		list = append(list, one)
	}
	return list
}

// newDisk makes an empty writable layer.
func (m *machines) newDisk() (string, error) {
	m.mu.Lock()
	m.disks++
	name := strconv.Itoa(m.disks)
	m.mu.Unlock()
	for _, part := range []string{"delta", "work"} {
		if _, err := m.dir.make(0o755, "disks", name, part); err != nil {
			return "", err
		}
	}
	return filepath.Join(m.dir.path, "disks", name), nil
}

// cloned gives the clone the disk of its source as read-only layers. The source keeps its own disk: what
// both share is frozen, and whoever starts next writes to a new layer.
func (m *machines) cloned(source, clone string) error {
	from, to := m.of(source), m.of(clone)
	from.mu.Lock()
	layers := append([]string(nil), from.layers...)
	if from.disk != "" {
		layers = append([]string{from.disk}, layers...)
		from.frozen = true
	}
	running := from.guest != nil
	from.mu.Unlock()
	to.mu.Lock()
	defer to.mu.Unlock()
	to.layers = layers
	if running {
		to.broken = errors.New("it was cloned from a running virtual machine, which the lab does not simulate")
	}
	return to.broken
}

// removed forgets a machine and removes the disks that no other machine needs.
func (m *machines) removed(ref string) error {
	gone, ok := m.find(ref)
	if !ok {
		return nil
	}
	gone.powerOff()
	m.mu.Lock()
	delete(m.byRef, ref)
	m.mu.Unlock()
	needed := make(map[string]bool)
	for _, one := range m.every() {
		one.mu.Lock()
		needed[one.disk] = true
		for _, layer := range one.layers {
			needed[layer] = true
		}
		one.mu.Unlock()
	}
	var failed error
	gone.mu.Lock()
	defer gone.mu.Unlock()
	for _, disk := range append([]string{gone.disk}, gone.layers...) {
		if disk != "" && !needed[disk] {
			failed = errors.Join(failed, os.RemoveAll(disk))
		}
	}
	return failed
}

// close ends all guests for good.
func (m *machines) close() {
	m.mu.Lock()
	m.closed = true
	m.mu.Unlock()
	var all sync.WaitGroup
	for _, one := range m.every() {
		all.Go(one.powerOff)
	}
	all.Wait()
}
