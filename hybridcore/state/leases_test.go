// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:23:40Z
// Spec: openspec/specs/state/spec.md#requirement-leases
// Diagram: openspec/specs/state/diagram.md#lease

package state

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

func TestLeaseRace(t *testing.T) {
	d := open(NewMemory())
	type result struct {
		held *Held
		err  error
	}
	results := make(chan result)
	for i := range 8 {
		go func() {
			held, err := d.Acquire(t.Context(), lease(fmt.Sprintf("run-%d", i)))
			results <- result{held, err}
		}()
		go func() {
			_, _ = d.Leases(t.Context()) // a probe is no holder
		}()
	}
	got := 0
	for range 8 {
		r := <-results
		var held *HeldError
		switch {
		case r.err == nil:
			got++
			runtime.GC() // this test forgets the lease: it is held all the same
			runtime.GC()
		case !errors.As(r.err, &held):
			t.Error(r.err)
		}
	}
	if got != 1 {
		t.Errorf("%d holders, want 1", got)
	}
}

func TestLeaseDamaged(t *testing.T) {
	m := NewMemory()
	d := open(m)
	held, err := d.Acquire(t.Context(), lease("run-1"))
	if err != nil {
		t.Fatal(err)
	}
	file := Generation(LeaseFolder(held.key), 1)
	text := m.objects[file]
	if err := held.hold.Unlock(); err != nil {
		t.Fatal(err)
	}
	for says, bad := range map[string]string{
		"it is empty": "", "cut short": string(text[:len(text)/2]),
		"changed after": strings.Replace(string(text), "run-1", "run-2", 1),
		"newer":         strings.Replace(string(text), `"format_version": 1`, `"format_version": 2`, 1),
	} {
		m.objects[file] = []byte(bad)
		_, err := d.Acquire(t.Context(), lease("run-3"))
		wantBlocked(t, err, file, says, "look on the platform")
		all, err := d.Leases(t.Context())
		wantBlocked(t, err, says)
		if len(all) != 0 {
			t.Errorf("leases %+v", all)
		}
	}
	m.objects[file] = text
	if held, err := d.Acquire(t.Context(), lease("run-3")); err != nil || len(held.Past()) != 1 {
		t.Errorf("the failed tries kept the lock: %v", err)
	}
}

func TestHeldErrorIsPrintable(t *testing.T) {
	err := &HeldError{Lease: hybridcore.Lease{
		Key: "lab/x@vsphere", Owner: "\x1b[31mroot\r\n::error::",
		Host: strings.Repeat("h", 500),
	}}
	if text := err.Error(); strings.ContainsAny(text, "\x1b\r") || strings.Contains(text, "\n::") || len(text) > 1000 {
		t.Errorf("%q", text)
	}
}

func FuzzLease(f *testing.F) {
	text, err := encodeLease(lease("run-1"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte(`{"format_version":1,"lease":null}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		l, err := decodeLease(data, "lab/debian-12@vsphere")
		if err == nil && l.Key != "lab/debian-12@vsphere" {
			t.Errorf("lease of %q", l.Key)
		}
	})
}
