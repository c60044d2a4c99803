// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:11:00Z
// Spec: openspec/specs/security/spec.md#requirement-a-lab-is-not-a-platform
// Diagram: openspec/specs/lab/diagram.md#lab-and-reality

package platforms

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"syscall"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// reach limits to which addresses a client connects.
type reach func(*http.Transport)

// anywhere leaves it to the settings.
func anywhere(*http.Transport) {}

// thisMachine has a client connect to loopback addresses only. Looked at is the
// address that is dialled, so that no name, redirect or link leads elsewhere;
// and no proxy is asked, which would do the dialling itself.
func thisMachine(t *http.Transport) {
	dialer := &net.Dialer{Timeout: timeout, Control: onlyLoopback}
	t.Proxy, t.DialContext = nil, dialer.DialContext
	t.DialTLSContext = nil // else it dials instead: govmomi's does not know our dialer
}

func onlyLoopback(_, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil || !at.Addr().Unmap().IsLoopback() {
		return &guarded{"in a lab, nothing is sent to another machine, and this is one: " + address}
	}
	return nil
}

// OpenInLab is Open for a process in a lab: the client reaches nothing but this machine.
func OpenInLab(ctx context.Context, target hybridcore.Target) (Client, error) {
	return connected(ctx, target, thisMachine)
}
