// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T00:24:49Z
// Spec: openspec/specs/lab-proxmox/spec.md#requirement-life-of-a-virtual-machine
// Diagram: openspec/specs/lab-proxmox/diagram.md#parts

package proxmox

import (
	"fmt"
	"maps"
	"strconv"
	"strings"
)

// VM is one virtual machine or template, as a test or a report looks at it.
type VM struct {
	ID          int
	Ref         string // of its hardware
	Name        string
	Description string
	Tags        []string // in the order in which they were given
	Template    bool
	Running     bool
	Lock        string            // create or clone while such a task is under way
	Settings    map[string]string // the whole configuration, as parameters give it
	Address     string            // of the guest on loopback; empty when it is not up
	Reported    string            // address that its agent reports; empty before its first start
	Typed       string            // keys typed to it, in the notation of Packer's boot commands
}

// VMs lists virtual machines and templates by number.
func (s *Server) VMs() []VM {
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	list := make([]VM, 0, len(s.store.vms))
	for _, v := range s.store.sorted() {
		one := VM{
			ID: v.id, Ref: v.ref(), Name: v.settings["name"], Description: v.settings["description"],
			Tags:     strings.FieldsFunc(v.settings["tags"], func(c rune) bool { return c == ';' || c == ',' || c == ' ' }),
			Template: v.template(), Running: v.running, Lock: v.lock, Settings: maps.Clone(v.settings),
			Address: v.address, Typed: v.typed.String(),
		}
		one.Reported, _, _ = strings.Cut(v.reported, "/")
		list = append(list, one)
	}
	return list
}

// Volumes lists what a storage holds, as STORAGE:NAME, by name.
func (s *Server) Volumes(storage string) ([]string, error) {
	content, err := s.store.content(storage)
	if err != nil {
		return nil, err
	}
	list := make([]string, 0, len(content))
	for _, volume := range content {
		list = append(list, fmt.Sprint(volume["volid"]))
	}
	return list, nil
}

// Plant puts a virtual machine of somebody else there, stopped, with the settings that its configuration is
// to have. Set template to "1" for a template, whose drives then name base volumes.
func (s *Server) Plant(id int, settings map[string]string) error {
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	v, err := s.store.add("vmid", strconv.Itoa(id), "")
	if err != nil {
		return fmt.Errorf("planting a virtual machine: %w", err)
	}
	for name, value := range settings {
		if !settingName.MatchString(name) {
			delete(s.store.vms, id)
			return fmt.Errorf("planting a virtual machine: %q is not the name of a setting", name)
		}
		v.settings[name] = value
	}
	return nil
}
