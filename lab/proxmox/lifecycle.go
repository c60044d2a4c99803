// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T00:22:53Z
// Spec: openspec/specs/lab-proxmox/spec.md#requirement-life-of-a-virtual-machine
// Diagram: openspec/specs/lab-proxmox/diagram.md#life-of-a-machine

package proxmox

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// Numbers that a virtual machine may have (pve-guest-common, pve-vmid).
const (
	minID = 100
	maxID = 999_999_999
)

// nextID answers GET /cluster/nextid, with a string.
func (s *Server) nextID(_ *http.Request, p params) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	wanted, err := p.number("vmid")
	if err != nil {
		return nil, err
	}
	if wanted != 0 {
		if _, taken := s.vms[wanted]; taken {
			return nil, invalid("vmid", fmt.Sprintf("VM %d already exists", wanted))
		}
		return strconv.Itoa(wanted), nil
	}
	id := minID
	for s.vms[id] != nil {
		id++
	}
	return strconv.Itoa(id), nil
}

// sorted returns all machines by number. The caller holds s.mu.
func (s *Server) sorted() []*vm {
	return slices.SortedFunc(maps.Values(s.vms), func(a, b *vm) int { return a.id - b.id })
}

// resources answers GET /cluster/resources.
func (s *Server) resources(r *http.Request, p params) (any, error) {
	list := []any{}
	kind := p.get("type")
	if kind == "" || kind == "node" {
		list = append(list, map[string]any{"id": "node/" + NodeName, "node": NodeName, "type": "node", "status": "online"})
	}
	if kind == "" || kind == "storage" {
		for _, name := range []string{ISOStorage, DiskStorage} {
			list = append(list, map[string]any{
				"id": "storage/" + NodeName + "/" + name, "node": NodeName, "storage": name,
				"type": "storage", "status": "available",
			})
		}
	}
	if kind != "" && kind != "vm" {
		return list, nil
	}
	vms, err := s.listVMs(r, p)
	if machines, ok := vms.([]any); ok {
		list = append(list, machines...)
	}
	return list, err
}

// listVMs answers GET /nodes/{node}/qemu.
func (s *Server) listVMs(*http.Request, params) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := []any{}
	for _, v := range s.sorted() {
		list = append(list, v.summary())
	}
	return list, nil
}

// add enters a locked machine of a number that is free. The caller holds s.mu.
func (s *Server) add(name, number, lock string) (*vm, error) {
	id, err := strconv.Atoi(number)
	if err != nil || id < minID || id > maxID {
		return nil, invalid(name, fmt.Sprintf("invalid format - value does not look like a valid VM ID: '%s'", number))
	}
	if _, taken := s.vms[id]; taken {
		return nil, refuse("unable to create VM %d - VM %d already exists on node '%s'", id, id, NodeName)
	}
	s.made++
	v := &vm{id: id, serial: s.made, lock: lock, settings: make(map[string]string)}
	s.vms[id] = v
	return v, nil
}

// forget removes a machine whose task failed.
func (s *Server) forget(v *vm) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.vms, v.id)
}

// unlock ends the lock of a task.
func (s *Server) unlock(v *vm) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v.lock = ""
}

// createVM answers POST /nodes/{node}/qemu.
func (s *Server) createVM(r *http.Request, p params) (any, error) {
	v, err := s.newVM(p)
	if err != nil {
		return nil, err
	}
	return s.run(r, job{
		kind: "qmcreate", id: strconv.Itoa(v.id),
		do:   func() error { s.unlock(v); return nil },
		undo: func() { s.forget(v) },
	})
}

// newVM enters a new machine with the settings of a call.
func (s *Server) newVM(p params) (*vm, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v, err := s.add("vmid", p.get("vmid"), "create")
	if err != nil {
		return nil, err
	}
	if err := s.set(v, p); err != nil {
		delete(s.vms, v.id)
		return nil, err
	}
	v.pool = p.get("pool")
	return v, nil
}

// cloneVM answers POST /nodes/{node}/qemu/{vmid}/clone.
func (s *Server) cloneVM(r *http.Request, p params) (any, error) {
	source, clone, settings, err := s.newClone(r, p)
	if err != nil {
		return nil, err
	}
	return s.run(r, job{
		kind: "qmclone", id: strconv.Itoa(source.id), undo: func() { s.forget(clone) },
		half: func() { // with the first disk
			s.mu.Lock()
			defer s.mu.Unlock()
			clone.settings = settings
		},
		do: func() error {
			if err := s.config.Hardware.Clone(source.ref(), clone.ref()); err != nil {
				s.forget(clone)
				return fmt.Errorf("clone failed: %w", err)
			}
			s.unlock(clone)
			return nil
		},
	})
}

// newClone enters a locked clone. Its settings, the third result, and with them its name come later.
func (s *Server) newClone(r *http.Request, p params) (source, clone *vm, settings map[string]string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if source, err = s.change(r); err != nil {
		return nil, nil, nil, err
	}
	full := p.get("full") == "1"
	switch {
	case p.get("target") != "" && p.get("target") != NodeName:
		return nil, nil, nil, refuse("no such cluster node '%s'", p.get("target"))
	case !full && !source.template():
		return nil, nil, nil, refuse("Linked clone feature is not supported for drive of a VM that is no template")
	case source.running:
		return nil, nil, nil, refuse("clone of a running VM is not simulated")
	}
	if clone, err = s.add("newid", p.get("newid"), "clone"); err != nil {
		return nil, nil, nil, err
	}
	named := &vm{id: clone.id, settings: make(map[string]string)}
	for name, value := range source.settings {
		if name != "template" {
			named.settings[name] = cloneDrive(name, value, source.id, clone.id, full)
		}
	}
	given := params{"name": p.get("name"), "description": p.get("description")}
	if given["name"] == "" {
		given["name"] = fmt.Sprintf("Copy-of-VM-%s", source.settings["name"])
	}
	if err := s.set(named, given); err != nil {
		delete(s.vms, clone.id)
		return nil, nil, nil, err
	}
	clone.pool = p.get("pool")
	return source, clone, named.settings, nil
}

// cloneDrive gives a drive of a clone its own volume. A linked clone's names its base.
func cloneDrive(name, value string, source, clone int, full bool) string {
	if !driveName.MatchString(name) {
		return value
	}
	from, to := strconv.Itoa(source), strconv.Itoa(clone)
	value = strings.Replace(value, ":vm-"+from+"-", ":vm-"+to+"-", 1)
	base := ":base-" + from + "-"
	if !strings.Contains(value, base) {
		return value
	}
	if full {
		return strings.Replace(value, base, ":vm-"+to+"-", 1)
	}
	volume, rest, _ := strings.Cut(value, ",")
	storage, disk, _ := strings.Cut(volume, ":")
	return storage + ":" + disk + "/" + strings.Replace(disk, "base-"+from+"-", "vm-"+to+"-", 1) + "," + rest
}

// deleteVM answers DELETE /nodes/{node}/qemu/{vmid}.
func (s *Server) deleteVM(r *http.Request, _ params) (any, error) {
	s.mu.Lock()
	v, err := s.change(r)
	if err == nil {
		err = s.removable(v)
	}
	s.mu.Unlock()
	if err != nil {
		return nil, err
	}
	return s.run(r, job{kind: "qmdestroy", id: strconv.Itoa(v.id), do: func() error {
		s.mu.Lock()
		if err := s.removable(v); err != nil {
			s.mu.Unlock()
			return err
		}
		delete(s.vms, v.id)
		s.mu.Unlock()
		return s.config.Hardware.Remove(v.ref())
	}})
}

// removable says why a machine must stay. The caller holds s.mu.
func (s *Server) removable(v *vm) error {
	if v.running {
		return refuse("VM %d is running - destroy failed", v.id)
	}
	if v.settings["protection"] == "1" {
		return refuse("can't remove VM %d - protection mode enabled", v.id)
	}
	base := fmt.Sprintf(":base-%d-", v.id)
	for _, other := range s.vms {
		for _, volume := range other.volumes() {
			if other != v && strings.Contains(volume, base) {
				used, _, _ := strings.Cut(volume, "/")
				return refuse("base volume '%s' is still in use by linked cloned", used)
			}
		}
	}
	return nil
}

// makeTemplate answers POST /nodes/{node}/qemu/{vmid}/template.
func (s *Server) makeTemplate(r *http.Request, _ params) (any, error) {
	s.mu.Lock()
	v, err := s.change(r)
	switch {
	case err != nil:
	case v.template():
		err = refuse("you can't convert a template to a template")
	case v.running:
		err = refuse("you can't convert a VM to template if VM is running")
	}
	s.mu.Unlock()
	if err != nil {
		return nil, err
	}
	return s.run(r, job{kind: "qmtemplate", id: strconv.Itoa(v.id), do: func() error {
		s.mu.Lock()
		defer s.mu.Unlock()
		if v.running {
			return errors.New("you can't convert a VM to template if VM is running")
		}
		own := fmt.Sprintf(":vm-%d-disk-", v.id)
		for name, value := range v.settings {
			if driveName.MatchString(name) {
				v.settings[name] = strings.Replace(value, own, fmt.Sprintf(":base-%d-disk-", v.id), 1)
			}
		}
		v.settings["template"] = "1"
		return nil
	}})
}
