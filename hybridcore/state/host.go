// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:06:11Z
// Spec: openspec/specs/state/spec.md#requirement-leases
// Diagram: openspec/specs/state/diagram.md#lease

package state

import (
	"fmt"
	"os"
	"os/user"
	"strings"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// host is where this process runs. The boot ID changes with each start of the
// kernel and is the same in all containers of one kernel; it is empty on
// systems other than Linux.
type host struct{ name, boot, user string }

// thisHost asks the operating system. What cannot be told is "unknown" or empty.
func thisHost() host {
	h := host{name: "unknown", user: "unknown"}
	if name, err := os.Hostname(); err == nil && name != "" {
		h.name = name
	}
	if u, err := user.Current(); err == nil && u.Username != "" {
		h.user = u.Username
	}
	if boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id"); err == nil {
		h.boot = strings.TrimSpace(string(boot))
	}
	if len(h.boot) > 36 {
		h.boot = ""
	}
	return h
}

// Elsewhere is New as another host with a clock of its own sees the state, for tests of backends: up is the time since
// it was opened, which nobody can set.
func Elsewhere(b Backend, can Capabilities, name string, clock func() (wall time.Time, up time.Duration)) *Store {
	s := New(b, can)
	s.host, s.clock = host{name: name, boot: "boot-of-" + name, user: s.host.user}, clock
	return s
}

// believe says whether the holder of a lease counts as living, and why. On this
// host it is known when its process has ended. Where that cannot be told, the
// holder is believed until its lease has expired, as one of another host is.
func (s *Store) believe(lease hybridcore.Lease, life Life) (live bool, why string) {
	h, now := s.host, s.now()
	until := deadline(lease)
	switch {
	case life == Living:
		return true, "its process holds the lock"
	case life == Taken:
		return true, "another process holds the lock"
	case h.has(lease) && lease.BootID != h.boot:
		return false, fmt.Sprintf("host %s has restarted since", lease.Host)
	case h.has(lease) && life == Ended:
		return false, fmt.Sprintf("process %d has ended without releasing it", lease.PID)
	case h.has(lease) && now.Before(until) && until.Sub(now) <= Term+2*Skew:
		return true, fmt.Sprintf("%s, so that it counts as living until %s unless it renews the lease",
			unknown(lease, s.lives.Who(lease.Key)), until.UTC().Format(time.RFC3339))
	case !now.Before(until):
		return false, fmt.Sprintf("host %s has not renewed it since %s", lease.Host,
			lease.Expires.Add(-Term).UTC().Format(time.RFC3339))
	case until.Sub(now) > Term+2*Skew:
		return true, fmt.Sprintf(
			"host %s holds it until %s, longer than a lease can last: the clock of that host or of this one is wrong",
			lease.Host, until.UTC().Format(time.RFC3339))
	default:
		return true, fmt.Sprintf("host %s has renewed it %s ago", lease.Host,
			max(0, now.Sub(lease.Expires.Add(-Term))).Round(time.Second))
	}
}

// unknown says why nothing is known of a process of this host; who is the command that
// shows who has its lock.
func unknown(lease hybridcore.Lease, who string) string {
	if who == "" {
		return fmt.Sprintf("nothing tells whether process %d has ended", lease.PID)
	}
	return fmt.Sprintf("the lock file of process %d was removed or replaced", lease.PID)
}

// proven says that a holder which does not live cannot wake up any more.
func (h host) proven(lease hybridcore.Lease, life Life) bool {
	return h.has(lease) && (life == Ended || lease.BootID != h.boot)
}

// has says whether a lease was taken on this host, or in a container of its kernel.
func (h host) has(lease hybridcore.Lease) bool {
	return lease.Host == h.name || lease.BootID != "" && lease.BootID == h.boot
}

// deadline is when the holder of a lease on another host counts as dead.
func deadline(lease hybridcore.Lease) time.Time { return lease.Expires.Add(Skew) }
