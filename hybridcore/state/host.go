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

// judge says whether the holder of a lease lives, and why. Locked says that
// somebody holds the kernel lock of its key.
func (h host) judge(lease hybridcore.Lease, locked bool) (live bool, why string) {
	switch {
	case locked:
		return true, "its process holds the lock"
	case lease.BootID != "" && lease.BootID == h.boot:
		return false, fmt.Sprintf("process %d has ended without releasing it", lease.PID)
	case lease.Host == h.name && lease.BootID != h.boot:
		return false, fmt.Sprintf("host %s has restarted since", lease.Host)
	case lease.Host == h.name:
		return false, fmt.Sprintf("process %d has ended without releasing it", lease.PID)
	default:
		return true, fmt.Sprintf("it was taken on host %s, which cannot be checked from host %s", lease.Host, h.name)
	}
}
