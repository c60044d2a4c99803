// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T10:10:00Z
// Spec: openspec/specs/lab-proxmox/spec.md#requirement-life-of-a-virtual-machine
// Diagram: openspec/specs/lab-proxmox/diagram.md#life-of-a-machine

package proxmox

import (
	"fmt"
	"maps"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Numbers that a virtual machine may have (pve-guest-common, pve-vmid).
const (
	minID = 100
	maxID = 999_999_999
)

// store holds the virtual machines.
type store struct {
	isos isoFolder

	mu      sync.Mutex
	vms     map[int]*vm
	made    int // virtual machines, ever
	started int // virtual machines that were given an address
}

// set changes the configuration by the parameters of a call. Nothing changes when one is refused.
func (s *store) set(v *vm, p params) error {
	if digest := p.get("digest"); digest != "" && digest != v.document()["digest"] {
		return refuse("detected modified configuration - file changed by other user? Try again.")
	}
	changed := &vm{id: v.id, settings: maps.Clone(v.settings)}
	for _, name := range strings.FieldsFunc(p.get("delete"),
		func(c rune) bool { return c == ',' || c == ' ' || c == ';' }) {
		delete(changed.settings, name)
	}
	for _, name := range sortedKeys(p) {
		if notSettings[name] {
			continue
		}
		value, err := s.setting(changed, name, p[name])
		if err != nil {
			return err
		}
		if changed.settings[name] = value; value == "" {
			delete(changed.settings, name)
		}
	}
	v.settings = changed.settings
	return nil
}

// setting checks one setting and makes the volumes that it asks for.
func (s *store) setting(v *vm, name, value string) (string, error) {
	switch {
	case !settingName.MatchString(name):
		return "", invalid(name, "property is not defined in schema and the schema does not allow additional properties")
	case driveName.MatchString(name):
		return s.drive(v, name, value)
	case name == "name" && value != "" && (!dnsName.MatchString(value) || len(value) > 253):
		return "", invalid(name, "invalid format - value does not look like a valid DNS name")
	case name == "tags" && value != "" && !tagList.MatchString(value):
		return "", invalid(name, "invalid format - invalid characters in tag")
	case name == "sshkeys":
		if _, err := url.PathUnescape(value); err != nil {
			return "", invalid(name, "invalid format - invalid urlencoded string")
		}
	case numeric[name] && value != "":
		if _, ok := finite(value); !ok {
			return "", invalid(name, "type check ('integer') failed - got '"+value+"'")
		}
	}
	return value, nil
}

// drive makes what a drive's value asks for: a new disk (STORAGE:GIBIBYTES) or a cloud-init drive. An ISO
// has to be in storage.
func (s *store) drive(v *vm, name, value string) (string, error) {
	volume, rest, _ := strings.Cut(value, ",")
	storage, what, found := strings.Cut(volume, ":")
	if volume == "none" || volume == "cdrom" {
		return value, nil
	}
	if !found || (storage != ISOStorage && storage != DiskStorage) {
		return "", refuse("storage '%s' does not exist", storage)
	}
	options := slices.DeleteFunc(strings.Split(rest, ","), func(o string) bool {
		return o == "" || strings.HasPrefix(o, "format=") || strings.HasPrefix(o, "import-from=")
	})
	switch {
	case what == "cloudinit":
		return fmt.Sprintf("%s:vm-%d-cloudinit,media=cdrom,size=4M", storage, v.id), nil
	case strings.HasPrefix(what, "iso/"):
		if !s.isos.has(storage, strings.TrimPrefix(what, "iso/")) {
			return "", refuse("volume '%s' does not exist", volume)
		}
		return value, nil
	case !diskSize.MatchString(what):
		return value, nil // a volume that is there already
	case storage != DiskStorage:
		return "", refuse("storage '%s' does not support content-type 'images'", storage)
	}
	size := what + "G"
	if strings.HasPrefix(name, "efidisk") || strings.HasPrefix(name, "tpmstate") {
		size = "4M"
	}
	disk := fmt.Sprintf("%s:vm-%d-disk-%d", storage, v.id, v.nextDisk())
	v.settings[name] = disk // so that the next disk of the same call gets the next number
	return strings.Join(append(append([]string{disk}, options...), "size="+size), ","), nil
}

// find returns the virtual machine of a call's path. The caller holds s.mu.
func (s *store) find(r *http.Request) (*vm, error) {
	id, err := strconv.Atoi(r.PathValue("vmid"))
	if err != nil {
		return nil, invalid("vmid", "type check ('integer') failed - got '"+r.PathValue("vmid")+"'")
	}
	v, ok := s.vms[id]
	if !ok {
		return nil, refuse("Configuration file 'nodes/%s/qemu-server/%d.conf' does not exist", NodeName, id)
	}
	return v, nil
}

// change finds the machine of a call's path that is not locked. The caller holds s.mu.
func (s *store) change(r *http.Request) (*vm, error) {
	v, err := s.find(r)
	if err == nil && v.lock != "" {
		err = refuse("VM is locked (%s)", v.lock)
	}
	return v, err
}

// sorted returns all machines by number. The caller holds s.mu.
func (s *store) sorted() []*vm {
	return slices.SortedFunc(maps.Values(s.vms), func(a, b *vm) int { return a.id - b.id })
}

// add enters a locked machine of a number that is free. The caller holds s.mu.
func (s *store) add(name, number, lock string) (*vm, error) {
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
func (s *store) forget(v *vm) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.vms, v.id)
}

// unlock ends the lock of a task.
func (s *store) unlock(v *vm) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v.lock = ""
}

// removable says why a machine must stay. The caller holds s.mu.
func (s *store) removable(v *vm) error {
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

// ended marks a machine as stopped if event is still its last power event.
func (s *store) ended(v *vm, event int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if v.event == event {
		v.running, v.address = false, ""
	}
}

// guestAt returns the loopback address of the running guest that reports an address.
func (s *store) guestAt(wanted netip.Addr) (string, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, v := range s.vms {
		if v.running && v.address != "" && netip.MustParsePrefix(v.reported).Addr() == wanted {
			return v.address, true
		}
	}
	return "", false
}

// content lists the volumes of a storage, by name.
func (s *store) content(storage string) ([]map[string]any, error) {
	list := []map[string]any{}
	if storage == DiskStorage {
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, v := range s.sorted() {
			for _, volume := range v.volumes() {
				if strings.HasPrefix(volume, DiskStorage+":") {
					list = append(list, map[string]any{"volid": volume, "content": "images", "format": "raw", "vmid": v.id})
				}
			}
		}
	} else {
		var err error
		if list, err = s.isos.list(); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(list, func(a, b map[string]any) int {
		return strings.Compare(fmt.Sprint(a["volid"]), fmt.Sprint(b["volid"]))
	})
	return list, nil
}
