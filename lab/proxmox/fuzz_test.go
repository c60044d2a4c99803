// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T00:34:51Z
// Spec: openspec/specs/lab-proxmox/spec.md#requirement-guest-address
// Diagram: openspec/specs/lab-proxmox/diagram.md#parts

package proxmox

import (
	"bytes"
	"encoding/json"
	"io"
	"testing"
)

// wire is a client that sends some bytes and takes every answer.
type wire struct {
	io.Reader
	answers bytes.Buffer
}

// Write takes an answer.
func (w *wire) Write(p []byte) (int, error) { return w.answers.Write(p) }

// FuzzNegotiate checks that a request is only accepted from a client that offered to go without a password.
func FuzzNegotiate(f *testing.F) {
	f.Add([]byte{5, 1, 0, 5, 1, 0, 1, 198, 18, 0, 1, 0, 22})
	f.Add(append([]byte{5, 2, 2, 0, 5, 1, 0, 3, 10}, "198.18.0.1\x00\x16"...))
	f.Fuzz(func(t *testing.T, sent []byte) {
		w := &wire{Reader: bytes.NewReader(sent)}
		wanted, code := negotiate(w)
		if code != socksSucceeded {
			return
		}
		if !wanted.IsValid() || !bytes.Equal(w.answers.Bytes(), []byte{socksVersion, socksNoPassword}) {
			t.Errorf("%x: accepted for %s, answered %x", sent, wanted, w.answers.Bytes())
		}
	})
}

// FuzzSet checks that whatever settings are taken can be shown.
func FuzzSet(f *testing.F) {
	f.Add("scsi0", "local-lvm:8,format=raw")
	f.Add("cores", "NaN")
	f.Add("net0", "virtio,bridge=vmbr0")
	f.Fuzz(func(t *testing.T, name, value string) {
		s := &store{}
		v := &vm{id: 100, settings: map[string]string{"name": "one"}}
		if err := s.set(v, params{name: value}); err != nil {
			return
		}
		if _, err := json.Marshal(v.document()); err != nil {
			t.Errorf("%q=%q cannot be shown: %v", name, value, err)
		}
		v.boot()
		v.nextDisk()
	})
}
