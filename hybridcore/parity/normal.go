// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T00:15:43Z
// Spec: openspec/specs/parity/spec.md#requirement-normalisation
// Diagram: openspec/specs/parity/diagram.md#from-inventories-to-verdict

package parity

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// Categories are the sections of an inventory that are compared, in report order.
func Categories() []string { return slices.Clone(categories) }

var categories = []string{
	"packages", "kernel", "units", "users", "groups", "sshd", "sysctl", "certificates", "listening", "files", "filesystems",
	"os_release", "image",
}

// Entry is one fact about a guest. Two entries with the same key are the same
// fact when value and qualifier are equal.
type Entry struct {
	Key       string
	Value     string
	Qualifier string // a package's architecture
}

// text is the entry's value for people; it is never empty.
func (e Entry) text() string {
	switch {
	case e.Qualifier != "":
		return e.Value + " (" + e.Qualifier + ")"
	case e.Value == "":
		return `""`
	default:
		return e.Value
	}
}

// Normal is an inventory without what differs by nature: for each category
// the entries in the order of their keys, each key once.
type Normal struct {
	sections map[string][]Entry
	unread   map[string]string // category → why the guest could not read it
}

// Len is the number of entries in a category.
func (n Normal) Len(category string) int { return len(n.sections[category]) }

// System is what the guest says it is; empty texts where it does not say it.
func (n Normal) System() hybridcore.System {
	var said hybridcore.System
	for _, e := range n.sections["os_release"] {
		switch e.Key {
		case "ID":
			said.ID = e.Value
		case "VERSION_ID":
			said.Version = e.Value
		}
	}
	return said
}

// Normalise brings an inventory into entries. The error says which section is
// not what Format says.
func Normalise(inv Inventory) (Normal, error) {
	n := Normal{sections: map[string][]Entry{"packages": packages(inv.Packages)}, unread: map[string]string{}}
	for _, e := range inv.Errors {
		n.unread[e.Section] = e.Message
	}
	for _, fingerprint := range inv.Certificates {
		n.add("certificates", fingerprint, "trusted")
	}
	sections := []struct {
		name string
		raw  json.RawMessage
		read func(*Normal, json.RawMessage) error
	}{
		{"kernel", inv.Kernel, kernel},
		{"units", inv.Units, units},
		{"users", inv.Users, users},
		{"groups", inv.Groups, groups},
		{"sshd", inv.SSHD, sshd},
		{"sysctl", inv.Sysctl, sysctl},
		{"listening", inv.Listening, listening},
		{"files", inv.Files, files},
		{"filesystems", inv.Filesystems, filesystems},
		{"os_release", inv.OSRelease, settings("os_release")},
		{"image", inv.Image, settings("image", "IMAGE_RUN", "IMAGE_PLATFORM")},
	}
	for _, s := range sections {
		if len(s.raw) == 0 || string(s.raw) == "null" {
			if _, told := n.unread[s.name]; !told {
				n.unread[s.name] = "the inventory does not have it"
			}
			continue
		}
		if err := s.read(&n, s.raw); err != nil {
			return Normal{}, fmt.Errorf("reading the inventory: section %s: %w", s.name, err)
		}
	}
	for name := range n.sections {
		n.sections[name] = sorted(n.sections[name])
	}
	return n, nil
}

func (n *Normal) add(category, key, value string) {
	n.sections[category] = append(n.sections[category], Entry{Key: key, Value: value})
}

// sorted puts entries in order and joins those with one key, as of a package
// that is installed for two architectures.
func sorted(entries []Entry) []Entry {
	if increasing(entries) {
		return entries
	}
	slices.SortFunc(entries, func(a, b Entry) int {
		if c := strings.Compare(a.Key, b.Key); c != 0 {
			return c
		}
		return strings.Compare(a.text(), b.text())
	})
	if increasing(entries) {
		return entries
	}
	values := map[string][]string{}
	for _, e := range entries {
		values[e.Key] = append(values[e.Key], e.text())
	}
	var out []Entry
	for i, e := range entries {
		if i > 0 && entries[i-1].Key == e.Key {
			continue
		}
		if all := values[e.Key]; len(all) > 1 {
			slices.Sort(all)
			e = Entry{Key: e.Key, Value: strings.Join(slices.Compact(all), ", ")}
		}
		out = append(out, e)
	}
	return out
}

// increasing says whether the entries are in order, each key once.
func increasing(entries []Entry) bool {
	for i := 1; i < len(entries); i++ {
		if entries[i-1].Key >= entries[i].Key {
			return false
		}
	}
	return true
}

func packages(list []Package) []Entry {
	entries := make([]Entry, len(list))
	for i, p := range list {
		entries[i] = Entry{Key: p.Name, Value: p.Version, Qualifier: p.Architecture}
	}
	return sorted(entries)
}
