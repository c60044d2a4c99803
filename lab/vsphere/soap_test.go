// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T09:59:00Z
// Spec: openspec/specs/lab-faults/spec.md#requirement-rules-for-a-whole-lab
// Diagram: openspec/specs/lab-faults/diagram.md#from-a-flag-to-a-platform

package vsphere

import (
	"encoding/xml"
	"strings"
	"testing"
)

// FuzzSOAPMethod checks that any bytes have a method that fits into a path, or none.
func FuzzSOAPMethod(f *testing.F) {
	f.Add([]byte(`<?xml version="1.0"?><Envelope><Header><a/></Header><Body><CreateVM_Task xmlns="urn:vim25"/></Body></Envelope>`))
	f.Add([]byte(`<Body><<`))
	f.Fuzz(func(t *testing.T, envelope []byte) {
		if name := soapMethod(envelope); strings.ContainsAny(name, "/ <>") {
			t.Errorf("method %q", name)
		} else if name != "" && xml.Unmarshal(envelope, new(struct{ XMLName xml.Name })) == nil &&
			!strings.Contains(string(envelope), name) {
			t.Errorf("method %q is not in the call", name)
		}
	})
}
