// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:11:00Z
// Spec: openspec/specs/security/spec.md#requirement-a-lab-is-not-a-platform
// Diagram: openspec/specs/lab/diagram.md#lab-and-reality

package platform

import (
	"net"
	"net/http"
	"net/netip"
	"syscall"
)

// Reach limits to which addresses a client connects.
type Reach func(*http.Transport)

// Anywhere leaves it to the settings.
func Anywhere(*http.Transport) {}

// ThisMachine has a client connect to loopback addresses only. Looked at is the
// address that is dialled, so that no name, redirect or link leads elsewhere;
// and no proxy is asked, which would do the dialling itself.
func ThisMachine(t *http.Transport) {
	dialer := &net.Dialer{Timeout: Timeout, Control: onlyLoopback}
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
