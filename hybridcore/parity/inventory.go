// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:02:14Z
// Spec: openspec/specs/parity/spec.md#requirement-reading-an-inventory
// Diagram: openspec/specs/parity/diagram.md#from-guest-to-record

// Package parity reads the inventories that builds take inside their guests:
// the measure of whether two images are identical.
package parity

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Format is the inventory format that this version reads, as written by
// templates/scripts/*/inventory.*.
const Format = 1

// Inventory is what a guest says of itself. Sections that are compared but not
// looked into are kept as they are.
type Inventory struct {
	Format    int             `json:"format"`
	Image     json.RawMessage `json:"image"`
	OSRelease json.RawMessage `json:"os_release"`
	Kernel    json.RawMessage `json:"kernel"`
	Packages  []Package       `json:"packages"`
	Units     json.RawMessage `json:"units"`
	Users     json.RawMessage `json:"users"`
	Groups    json.RawMessage `json:"groups"`
	SSHD      json.RawMessage `json:"sshd"`
	Sysctl    json.RawMessage `json:"sysctl"`
	// Certificates are SHA-256 fingerprints.
	Certificates []string        `json:"certificates"`
	Listening    json.RawMessage `json:"listening"`
	Files        json.RawMessage `json:"files"`
	Filesystems  json.RawMessage `json:"filesystems"`
	// Transient is what the last step of the build removes: it is listed here
	// and left out everywhere else.
	Transient json.RawMessage `json:"transient"`
	// Errors name the sections that the guest could not read.
	Errors []SectionError `json:"errors"`
}

// Package is one installed package.
type Package struct {
	Name         string `json:"name"`
	Version      string `json:"version"`
	Architecture string `json:"architecture"`
	Manager      string `json:"manager"` // dpkg or rpm
}

// SectionError says why a section is missing.
type SectionError struct {
	Section string `json:"section"`
	Message string `json:"message"`
}

// Parse reads one inventory. It refuses unknown fields, an unknown format,
// trailing data and a document without packages.
func Parse(data []byte) (Inventory, error) {
	if list, rest, ok := fast(data); ok {
		inv, err := decode(rest)
		if err == nil && len(inv.Packages) == 1 && inv.Packages[0].Name == placeholder {
			inv.Packages = list
			return checked(inv)
		}
	}
	inv, err := decode(data)
	if err != nil {
		return Inventory{}, err
	}
	return checked(inv)
}

func decode(data []byte) (Inventory, error) {
	var inv Inventory
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&inv); err != nil {
		return Inventory{}, fmt.Errorf("reading the inventory: %w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return Inventory{}, errors.New("reading the inventory: data after its end")
	}
	return inv, nil
}

func checked(inv Inventory) (Inventory, error) {
	switch {
	case inv.Format != Format:
		return Inventory{}, fmt.Errorf("reading the inventory: it has format %d, this version reads %d", inv.Format, Format)
	case len(inv.Packages) == 0:
		return Inventory{}, errors.New("reading the inventory: it lists no package")
	}
	for i, p := range inv.Packages {
		if p.Name == "" || p.Version == "" {
			return Inventory{}, fmt.Errorf("reading the inventory: package %d has no name or no version", i+1)
		}
	}
	return inv, nil
}

// Digest is the hex sha256 of an inventory as it was downloaded.
func Digest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
