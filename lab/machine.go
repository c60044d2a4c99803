// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:26:41Z
// Spec: openspec/specs/lab/spec.md#requirement-guest-life-cycle
// Diagram: openspec/specs/lab/diagram.md#guest-start

package lab

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/packer-hybrid/packer-hybrid/lab/guest"
)

// shutdownGrace is how long a guest may take to power off in an orderly way before it is killed.
const shutdownGrace = 10 * time.Second

// machine is one virtual machine's hardware: a chain of disk layers, an address and, while it runs, a guest.
type machine struct {
	all *machines
	ref string // vCenter's object id

	mu       sync.Mutex
	layers   []string // read-only disks below the own one, topmost first, without the root file system
	disk     string   // the own, writable disk; empty before the first power-on
	frozen   bool     // disk is a layer of a clone: the next start writes to a new one
	broken   error    // why it cannot start
	guest    *guest.Guest
	listener *net.TCPListener
	starts   int // counts power events, so that a late start notices that it was cancelled
	runDir   string
	account  account // whom the first boot makes
	fresh    bool    // the next boot is the first of an instance: cloud-init runs
}

// account is the user that the first boot of a machine makes.
type account struct {
	user     string
	password string   // empty: none, keys only
	keys     []string // in authorized_keys format
}

// powerOn starts the guest in the background. up is called with its address when SSH is served, down when
// it ended by itself or could not start.
func (m *machine) powerOn(name string, up func(address string), down func()) {
	m.mu.Lock()
	m.starts++
	event := m.starts
	m.mu.Unlock()
	go func() {
		address, err := m.start(event, name)
		if err != nil {
			m.all.logf("starting the guest of %s: %v", name, err)
			down()
			return
		}
		if address == "" {
			return // powered off in the meantime
		}
		up(address)
		m.follow(event, name, down)
	}()
}

// cloudInit says whom cloud-init makes at the first boot. Later calls do nothing: the instance is known.
func (m *machine) cloudInit(a account) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.disk != "" {
		return
	}
	if a.password == "" && len(a.keys) == 0 && a.user == m.account.user {
		a = m.account // the image has the build user already, as its password in the template says
	}
	m.account, m.fresh = a, true
}

// follow restarts a guest that reboots and reports one that ended.
func (m *machine) follow(event int, name string, down func()) {
	for {
		m.mu.Lock()
		running := m.guest
		m.mu.Unlock()
		if running == nil {
			return
		}
		<-running.Done()
		if running.Ending() != guest.Rebooting {
			m.mu.Lock()
			ours := m.starts == event
			if ours {
				if err := m.release(); err != nil {
					m.all.logf("after the end of %s: %v", name, err)
				}
			}
			m.mu.Unlock()
			if ours {
				down()
			}
			return
		}
		if address, err := m.start(event, name); err != nil || address == "" {
			if err != nil {
				m.all.logf("restarting the guest of %s: %v", name, err)
				down()
			}
			return
		}
	}
}

// start starts the guest if event is still the machine's last power event, and returns its address.
func (m *machine) start(event int, name string) (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.all.mu.Lock()
	closed := m.all.closed
	m.all.mu.Unlock()
	if m.starts != event || closed {
		return "", nil
	}
	if m.broken != nil {
		return "", m.broken
	}
	spec, err := m.spec(name)
	if err != nil {
		return "", err
	}
	if m.listener == nil {
		if m.listener, err = listenOnLoopback(m.all.port); err != nil {
			return "", err
		}
	}
	address, _, err := net.SplitHostPort(m.listener.Addr().String())
	if err != nil {
		return "", errors.Join(fmt.Errorf("reading the guest's address: %w", err), m.release())
	}
	spec.Address = address
	console, err := os.OpenFile(filepath.Join(m.runDir, "console.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return "", errors.Join(fmt.Errorf("opening the console's log: %w", err), m.release())
	}
	defer console.Close()
	if m.guest, err = guest.Start(context.Background(), spec, m.listener, console); err != nil {
		if spec.FirstBoot {
			m.disk, m.fresh = "", true // half made: the next start makes it anew
		}
		return "", errors.Join(err, m.release())
	}
	return address, nil
}

// spec prepares the machine's directories and says what its guest is started with.
func (m *machine) spec(name string) (guest.Spec, error) {
	first := m.disk == "" && len(m.layers) == 0
	if m.disk == "" || m.frozen {
		disk, err := m.all.newDisk()
		if err != nil {
			return guest.Spec{}, err
		}
		if m.frozen {
			m.layers = append([]string{m.disk}, m.layers...)
		}
		m.disk, m.frozen = disk, false
	}
	root, err := m.all.dir.make(0o755, "machines", m.ref, "root")
	if err != nil {
		return guest.Spec{}, err
	}
	m.runDir = filepath.Dir(root)
	first, m.fresh = first || m.fresh, false
	spec := guest.Spec{
		Hostname: guest.Hostname(name), Upper: deltaOf(m.disk), Work: filepath.Join(m.disk, "work"), Root: root,
		FirstBoot: first, User: m.account.user, Password: m.account.password, AuthorizedKeys: m.account.keys,
	}
	for _, layer := range m.layers {
		spec.Lowers = append(spec.Lowers, deltaOf(layer))
	}
	spec.Lowers = append(spec.Lowers, m.all.base)
	return spec, nil
}

// deltaOf is the directory of a disk that holds what was written to it.
func deltaOf(disk string) string { return filepath.Join(disk, "delta") }

// delta is the directory with what the machine wrote; empty before its first start.
func (m *machine) delta() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.disk == "" {
		return ""
	}
	return deltaOf(m.disk)
}

// shutdown asks the guest to power off and waits until it did, or kills it after shutdownGrace.
func (m *machine) shutdown() {
	m.mu.Lock()
	running := m.guest
	m.mu.Unlock()
	if running == nil {
		return
	}
	if running.Shutdown() == nil {
		select {
		case <-running.Done():
			return
		case <-time.After(shutdownGrace):
		}
	}
	running.Kill()
}

// powerOff ends the guest at once and returns when it is gone. It also cancels a start that is under way.
func (m *machine) powerOff() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.starts++
	if m.guest != nil {
		m.guest.Kill()
	}
	if err := m.release(); err != nil {
		m.all.logf("powering off: %v", err)
	}
}

// release gives up what a running guest holds.
func (m *machine) release() error {
	m.guest = nil
	if m.listener == nil {
		return nil
	}
	err := m.listener.Close()
	m.listener = nil
	if err != nil {
		return fmt.Errorf("closing the guest's listener: %w", err)
	}
	return nil
}
