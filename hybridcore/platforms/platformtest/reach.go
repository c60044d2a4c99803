// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:14:00Z
// Spec: openspec/specs/security/spec.md#requirement-a-lab-is-not-a-platform
// Diagram: openspec/specs/lab/diagram.md#lab-and-reality

package platformtest

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/platforms/platform"
)

// ElsewhereIP is an address of a network that exists in documents only (RFC 5737).
const ElsewhereIP = "192.0.2.1"

// ResolveElsewhere has every name but those of this machine resolve to ElsewhereIP.
func ResolveElsewhere(t *testing.T) {
	t.Helper()
	server, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		query := make([]byte, 512)
		for {
			n, from, err := server.ReadFrom(query)
			if err != nil || n < 17 {
				return
			}
			end := 12 + strings.IndexByte(string(query[12:n]), 0) + 5 // the question: name, type, class
			answer := append([]byte(nil), query[:end]...)
			answer[2], answer[3] = 0x81, 0x80                // an answer, without an error
			copy(answer[4:], []byte{0, 1, 0, 0, 0, 0, 0, 0}) // one question
			if query[end-3] == 1 {                           // for an IPv4 address
				answer[7] = 1
				answer = append(answer, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4)
				answer = append(answer, net.ParseIP(ElsewhereIP).To4()...)
			}
			_, _ = server.WriteTo(answer, from) // who asked may have gone
		}
	}()
	former := net.DefaultResolver
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		return net.Dial("udp4", server.LocalAddr().String())
	}}
	t.Cleanup(func() { net.DefaultResolver = former; server.Close() })
}

// Reach checks that a client in a lab connects to this machine, where the settings
// lead, and to no other, however one of them names it: scheme and host. Not for a
// parallel test: it changes how names are resolved.
func Reach(t *testing.T, open platform.Opener, settings map[string]string, setting, scheme string) {
	t.Helper()
	ResolveElsewhere(t)
	client, err := open(t.Context(), settings, platform.ThisMachine)
	if err != nil {
		t.Fatalf("on this machine: %v", err)
	}
	if err := client.Close(t.Context()); err != nil {
		t.Error(err)
	}
	for _, host := range []string{
		ElsewhereIP + ":8006", "[::ffff:" + ElsewhereIP + "]:443", "vcenter.corp.example:443",
		"[2001:db8::1]:443", "0.0.0.0:443",
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		_, err := open(ctx, With(settings, setting, scheme+host), platform.ThisMachine)
		cancel()
		if err == nil || !strings.Contains(err.Error(), "in a lab, nothing is sent to another machine") {
			t.Errorf("%s: %v", host, err)
		}
	}
}
