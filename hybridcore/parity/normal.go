// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T00:15:43Z
// Spec: openspec/specs/parity/spec.md#requirement-normalisation
// Diagram: openspec/specs/parity/diagram.md#from-inventories-to-verdict

package parity

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// kind is a row of the table of sections.
type kind struct {
	name    string
	systems []string // that have it; none: all
	read    func(*Normal, json.RawMessage) error
}

// sections are the known ones, in report order. A row says how a section is
// read and what of it differs by nature; one that nothing here knows is read
// like a row with plain(NAME) is, and comes behind them.
var sections = []kind{
	{"packages", nil, nil}, // Inventory.Packages
	{"kernel", linux, kernel},
	{"units", linux, units},
	{"users", linux, users},
	{"groups", linux, groups},
	{"sshd", linux, sshd},
	{"sysctl", linux, sysctl},
	{"certificates", linux, certificates},
	{"listening", linux, listening},
	{"files", linux, files},
	{"filesystems", linux, filesystems},
	{"os_release", nil, settings("os_release")},
	{"image", nil, settings("image", "IMAGE_RUN", "IMAGE_PLATFORM")},
}

var linux = []string{"linux"}

func (k kind) has(system string) bool {
	return len(k.systems) == 0 || slices.Contains(k.systems, system)
}

// categories are the names of the known sections, each once.
func categories() []string {
	var all []string
	for _, k := range sections {
		if !slices.Contains(all, k.name) {
			all = append(all, k.name)
		}
	}
	return all
}

// readerOf finds how a section of a system is read.
func readerOf(system, name string) func(*Normal, json.RawMessage) error {
	for _, k := range sections {
		if k.name == name && k.has(system) {
			return k.read
		}
	}
	return plain(name)
}

// Normal is an inventory without what differs by nature: for each category
// the entries in the order of their keys, each key once.
type Normal struct {
	sections map[string][]Entry
	unread   map[string]string // category → why the guest could not read it
	format   int
	scope    *hybridcore.Scope // of its files; nil in formats that list some files only
	rules    int               // entries of the category files that are rules
	contents map[string]string // of packages, NAME:ARCHITECTURE or NAME → digest of what it brings
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
// not what its format says.
func Normalise(inv Inventory) (Normal, error) {
	n := Normal{sections: map[string][]Entry{}, unread: map[string]string{}, format: inv.Format}
	for _, e := range inv.Errors {
		n.unread[e.Section] = e.Message
	}
	missing := func(name string) {
		if _, told := n.unread[name]; !told {
			n.unread[name] = "the inventory does not have it"
		}
	}
	for _, name := range slices.Sorted(maps.Keys(inv.Sections)) {
		raw := inv.Sections[name]
		if string(raw) == "null" {
			missing(name)
			continue
		}
		if err := readerOf(inv.System, name)(&n, raw); err != nil {
			return Normal{}, fmt.Errorf("reading the inventory: section %s: %w", name, err)
		}
	}
	for _, k := range sections {
		if _, given := inv.Sections[k.name]; !given && k.read != nil && k.has(inv.System) {
			missing(k.name)
		}
	}
	n.sections["packages"] = packages(inv.Packages, n.contents)
	for name := range n.sections {
		n.sections[name] = sorted(n.sections[name])
	}
	return n, nil
}

// categoriesOf lists the sections of inventories: the known ones in report
// order, then others by name.
func categoriesOf(all ...Normal) []string {
	known := categories()
	var more []string
	for _, n := range all {
		more = slices.AppendSeq(slices.AppendSeq(more, maps.Keys(n.sections)), maps.Keys(n.unread))
	}
	slices.Sort(more)
	more = slices.DeleteFunc(slices.Compact(more), func(name string) bool { return slices.Contains(known, name) })
	return append(known, more...)
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
		return cmp.Or(strings.Compare(a.Key, b.Key), strings.Compare(a.text(), b.text()),
			strings.Compare(a.Content, b.Content))
	})
	if increasing(entries) {
		return entries
	}
	values, contents := map[string][]string{}, map[string][]string{}
	for _, e := range entries {
		values[e.Key], contents[e.Key] = append(values[e.Key], e.text()), append(contents[e.Key], e.Content)
	}
	var out []Entry
	for i, e := range entries {
		if i > 0 && entries[i-1].Key == e.Key {
			continue
		}
		if all := values[e.Key]; len(all) > 1 {
			slices.Sort(all)
			e = Entry{Key: e.Key, Value: strings.Join(slices.Compact(all), ", "), Content: strings.Join(contents[e.Key], " ")}
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

func packages(list []Package, contents map[string]string) []Entry {
	entries := make([]Entry, len(list))
	for i, p := range list {
		content, ok := contents[p.Name+":"+p.Architecture]
		if !ok {
			content = contents[p.Name]
		}
		entries[i] = Entry{Key: p.Name, Value: p.Version, Qualifier: p.Architecture, Content: content}
	}
	return sorted(entries)
}

// plain reads a section without knowing it: of an object each member is an
// entry, of a list each element, by its name if it has one. What lies deeper is
// compared as JSON in canonical form.
func plain(category string) func(*Normal, json.RawMessage) error {
	return func(n *Normal, raw json.RawMessage) error {
		var value any
		dec := json.NewDecoder(bytes.NewReader(raw))
		dec.UseNumber() // 2^53 + 1 stays itself
		if err := dec.Decode(&value); err != nil {
			return fmt.Errorf("reading it: %w", err)
		}
		switch value := value.(type) {
		case map[string]any:
			for name, member := range value {
				n.add(category, name, flat(member))
			}
		case []any:
			for _, element := range value {
				if object, ok := element.(map[string]any); ok {
					if name, ok := object["name"].(string); ok {
						n.add(category, name, flat(object))
						continue
					}
				}
				n.add(category, flat(element), "listed")
			}
		default:
			n.add(category, "value", flat(value))
		}
		return nil
	}
}

// flat is a text as it is, and any other value as JSON with sorted names.
func flat(value any) string {
	if text, ok := value.(string); ok {
		return text
	}
	text, err := json.Marshal(value)
	if err != nil {
		panic("parity: what was read as JSON does not encode: " + err.Error())
	}
	return string(text)
}
