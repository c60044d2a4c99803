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

// judge says whether the holder of a lease lives, and why. On this host the
// kernel lock of its key decides. Where that is not the holder's, the holder is
// believed until its lease has expired, as one of another host is.
func (d *Dir) judge(lease hybridcore.Lease, lock keyState) (live bool, why string) {
	h, now := d.host, d.now()
	until := deadline(lease)
	switch {
	case lock == keyHeld:
		return true, "its process holds the lock"
	case h.has(lease) && lease.BootID != h.boot:
		return false, fmt.Sprintf("host %s has restarted since", lease.Host)
	case h.has(lease) && lock == keyFree:
		return false, fmt.Sprintf("process %d has ended without releasing it", lease.PID)
	case h.has(lease) && now.Before(until) && until.Sub(now) <= Term+2*Skew:
		return true, fmt.Sprintf("the lock file of process %d was removed or replaced, so that it counts as living until %s unless it renews the lease",
			lease.PID, until.UTC().Format(time.RFC3339))
	case !now.Before(until):
		return false, fmt.Sprintf("host %s has not renewed it since %s", lease.Host, lease.Expires.Add(-Term).UTC().Format(time.RFC3339))
	case until.Sub(now) > Term+2*Skew:
		return true, fmt.Sprintf("host %s holds it until %s, longer than a lease can last: the clock of that host or of this one is wrong",
			lease.Host, until.UTC().Format(time.RFC3339))
	default:
		return true, fmt.Sprintf("host %s has renewed it %s ago", lease.Host, max(0, now.Sub(lease.Expires.Add(-Term))).Round(time.Second))
	}
}

// has says whether a lease was taken on this host, or in a container of its kernel.
func (h host) has(lease hybridcore.Lease) bool {
	return lease.Host == h.name || lease.BootID != "" && lease.BootID == h.boot
}

// deadline is when the holder of a lease on another host counts as dead.
func deadline(lease hybridcore.Lease) time.Time { return lease.Expires.Add(Skew) }
