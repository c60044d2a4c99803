// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T10:05:50Z
// Spec: openspec/specs/lab-azure/spec.md#requirement-azure-discovery-and-tokens
// Diagram: openspec/specs/lab-azure/diagram.md#parts

package entra

import (
	"testing"
	"time"
)

func TestTokenExpires(t *testing.T) {
	d, now := New("t", "c", "o", "s", "https://127.0.0.1"), time.Now()
	token, err := d.sign(claims{Expires: now.Add(time.Second).Unix()})
	if err != nil {
		t.Fatal(err)
	}
	if !d.accepts(token, now) || d.accepts(token, now.Add(2*time.Second)) {
		t.Error("a token is good before it expires, and not after")
	}
	if New("t", "c", "o", "s", "https://127.0.0.1").accepts(token, now) {
		t.Error("another directory accepts it")
	}
}
