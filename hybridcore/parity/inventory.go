// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:02:14Z
// Spec: openspec/specs/parity/spec.md#requirement-reading-an-inventory
// Diagram: openspec/specs/parity/diagram.md#from-guest-to-record

// Package parity reads the inventories that builds take inside their guests:
// the measure of whether two images are identical.
package parity

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"

	strictjson "github.com/go-json-experiment/json"
)

// Format is the newest inventory format that this version reads, as written by
// templates/scripts/*/inventory.*. Format 1 had the sections of Linux beside
// its other fields; in formats 1 and 2 the section files has a fixed list of files,
// since 3 whole folders.
const Format = 3

const wholeFolders = 3 // the first format that has them

// Inventory is what a guest says of itself.
type Inventory struct {
	Format   int
	System   string // operating system: linux, windows
	Packages []Package
	// Sections are all others by name, also those that nothing here knows.
	Sections map[string]json.RawMessage
	// Transient is what the last step of the build removes: it is listed here
	// and left out everywhere else.
	Transient json.RawMessage
	// Errors name the sections that the guest could not read.
	Errors []SectionError
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

// maxSections bounds the sections of an inventory.
const maxSections = 100

// sectionName is what a section may be called: it is a category in reports.
var sectionName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,39}$`)

// Parse reads one inventory. It refuses unknown fields, an unknown format,
// trailing data and a document without packages.
func Parse(data []byte) (Inventory, error) {
	inv, err := decode(data)
	if err != nil {
		return Inventory{}, err
	}
	return checked(inv)
}

func decode(data []byte) (Inventory, error) {
	var fields map[string]json.RawMessage
	if err := strictjson.Unmarshal(data, &fields); err != nil {
		return Inventory{}, fmt.Errorf("reading the inventory: %w", err)
	}
	var inv Inventory
	take := func(from map[string]json.RawMessage, name string, into any) error {
		raw, ok := from[name]
		delete(from, name)
		if !ok {
			return nil
		}
		if err := strict(raw, into); err != nil {
			return fmt.Errorf("reading the inventory: %s: %w", name, err)
		}
		return nil
	}
	err := errors.Join(take(fields, "format", &inv.Format), take(fields, "errors", &inv.Errors),
		take(fields, "transient", &inv.Transient))
	switch inv.Format {
	case 1:
		inv.System, inv.Sections, fields = "linux", fields, nil
		for _, name := range slices.Sorted(maps.Keys(inv.Sections)) {
			if !slices.Contains(firstSections, name) {
				err = errors.Join(err, unknownField(name))
			}
		}
	case 2, Format:
		err = errors.Join(err, take(fields, "system", &inv.System), take(fields, "sections", &inv.Sections))
	default:
		return inv, err // checked refuses it
	}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		err = errors.Join(err, unknownField(name))
	}
	return inv, errors.Join(err, take(inv.Sections, "packages", &inv.Packages))
}

// firstSections are those that format 1 has.
var firstSections = []string{
	"packages", "kernel", "units", "users", "groups", "sshd", "sysctl", "certificates", "listening", "files",
	"filesystems", "os_release", "image",
}

func unknownField(name string) error {
	return fmt.Errorf("reading the inventory: unknown field %.80q", name)
}

// strict reads a value that has no field but those that it is to have.
func strict(raw json.RawMessage, into any) error {
	//nolint:wrapcheck // the caller names the field
	return strictjson.Unmarshal(raw, into, strictjson.RejectUnknownMembers(true))
}

func checked(inv Inventory) (Inventory, error) {
	switch {
	case inv.Format < 1 || inv.Format > Format:
		return Inventory{}, fmt.Errorf("reading the inventory: it has format %d, this version reads 1 to %d",
			inv.Format, Format)
	case !sectionName.MatchString(inv.System):
		return Inventory{}, fmt.Errorf("reading the inventory: %.80q is no operating system", inv.System)
	case len(inv.Sections) > maxSections:
		return Inventory{}, fmt.Errorf("reading the inventory: it has more than %d sections", maxSections)
	case len(inv.Packages) == 0:
		return Inventory{}, errors.New("reading the inventory: it lists no package")
	}
	for i, p := range inv.Packages {
		if p.Name == "" || p.Version == "" {
			return Inventory{}, fmt.Errorf("reading the inventory: package %d has no name or no version", i+1)
		}
	}
	names := slices.Sorted(maps.Keys(inv.Sections))
	for _, e := range inv.Errors {
		names = append(names, e.Section)
	}
	for _, name := range names {
		if !sectionName.MatchString(name) {
			return Inventory{}, fmt.Errorf("reading the inventory: %.80q is no name of a section", name)
		}
	}
	return inv, nil
}

// Digest is the hex sha256 of an inventory as it was downloaded.
func Digest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
