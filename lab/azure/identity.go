// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T10:05:50Z
// Spec: openspec/specs/lab-azure/spec.md#requirement-azure-discovery-and-tokens
// Diagram: openspec/specs/lab-azure/diagram.md#parts

package azure

import (
	"crypto/rand"
	"fmt"
)

// Identity is the one account of a simulated Azure. Secret is a password; the rest are GUIDs.
type Identity struct {
	Subscription string
	Tenant       string
	Client       string // the application that may sign in
	Object       string // the application's object in the directory: oid in tokens
	Secret       string
}

// NewIdentity makes a random account.
func NewIdentity(secret string) Identity { return Identity{guid(), guid(), guid(), guid(), secret} }

// guid makes a random identifier as Azure has them.
func guid() string {
	var id [16]byte
	_, _ = rand.Read(id[:])                         // never fails
	id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80 // version 4, RFC 9562
	return fmt.Sprintf("%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:])
}
