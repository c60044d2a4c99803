// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T00:22:53Z
// Spec: openspec/specs/lab-proxmox/spec.md#requirement-life-of-a-virtual-machine
// Diagram: openspec/specs/lab-proxmox/diagram.md#life-of-a-machine

package proxmox

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// vmAPI answers calls that list, make, clone and delete virtual machines.
type vmAPI struct {
	store    *store
	tasks    *tasks
	hardware Hardware
}

// nextID answers GET /cluster/nextid, with a string.
func (a *vmAPI) nextID(_ *http.Request, p params) (any, error) {
	a.store.mu.Lock()
	defer a.store.mu.Unlock()
	wanted, err := p.number("vmid")
	if err != nil {
		return nil, err
	}
	if wanted != 0 {
		if _, taken := a.store.vms[wanted]; taken {
			return nil, invalid("vmid", fmt.Sprintf("VM %d already exists", wanted))
		}
		return strconv.Itoa(wanted), nil
	}
	id := minID
	for a.store.vms[id] != nil {
		id++
	}
	return strconv.Itoa(id), nil
}

// resources answers GET /cluster/resources.
func (a *vmAPI) resources(r *http.Request, p params) (any, error) {
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
	vms, err := a.list(r, p)
	if machines, ok := vms.([]any); ok {
		list = append(list, machines...)
	}
	return list, err
}

// list answers GET /nodes/{node}/qemu.
func (a *vmAPI) list(*http.Request, params) (any, error) {
	a.store.mu.Lock()
	defer a.store.mu.Unlock()
	list := []any{}
	for _, v := range a.store.sorted() {
		list = append(list, v.summary())
	}
	return list, nil
}

// create answers POST /nodes/{node}/qemu.
func (a *vmAPI) create(r *http.Request, p params) (any, error) {
	v, err := a.newVM(p)
	if err != nil {
		return nil, err
	}
	return a.tasks.run(r, job{
		kind: "qmcreate", id: strconv.Itoa(v.id),
		do:   func() error { a.store.unlock(v); return nil },
		undo: func() { a.store.forget(v) },
	})
}

// newVM enters a new machine with the settings of a call.
func (a *vmAPI) newVM(p params) (*vm, error) {
	a.store.mu.Lock()
	defer a.store.mu.Unlock()
	v, err := a.store.add("vmid", p.get("vmid"), "create")
	if err != nil {
		return nil, err
	}
	if err := a.store.set(v, p); err != nil {
		delete(a.store.vms, v.id)
		return nil, err
	}
	if v.settings["smbios1"] == "" {
		v.settings["smbios1"] = newUUID()
	}
	v.pool = p.get("pool")
	return v, nil
}

// clone answers POST /nodes/{node}/qemu/{vmid}/clone.
func (a *vmAPI) clone(r *http.Request, p params) (any, error) {
	source, clone, settings, err := a.newClone(r, p)
	if err != nil {
		return nil, err
	}
	return a.tasks.run(r, job{
		kind: "qmclone", id: strconv.Itoa(source.id), undo: func() { a.store.forget(clone) },
		half: func() { // with the first disk
			a.store.mu.Lock()
			defer a.store.mu.Unlock()
			clone.settings = settings
		},
		do: func() error {
			if err := a.hardware.Clone(source.ref(), clone.ref()); err != nil {
				a.store.forget(clone)
				return fmt.Errorf("clone failed: %w", err)
			}
			a.store.unlock(clone)
			return nil
		},
	})
}

// newClone enters a locked clone. Its settings, the third result, and with them its name come later.
func (a *vmAPI) newClone(r *http.Request, p params) (source, clone *vm, settings map[string]string, err error) {
	a.store.mu.Lock()
	defer a.store.mu.Unlock()
	if source, err = a.store.change(r); err != nil {
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
	if clone, err = a.store.add("newid", p.get("newid"), "clone"); err != nil {
		return nil, nil, nil, err
	}
	named := &vm{id: clone.id, settings: make(map[string]string)}
	for name, value := range source.settings {
		if name != "template" {
			named.settings[name] = cloneDrive(name, value, source.id, clone.id, full)
		}
	}
	named.settings["smbios1"] = newUUID()
	given := params{"name": p.get("name"), "description": p.get("description")}
	if given["name"] == "" {
		given["name"] = fmt.Sprintf("Copy-of-VM-%s", source.settings["name"])
	}
	if err := a.store.set(named, given); err != nil {
		delete(a.store.vms, clone.id)
		return nil, nil, nil, err
	}
	clone.pool = p.get("pool")
	return source, clone, named.settings, nil
}

// newUUID is the setting by which a new machine, and a clone too, is known to its guest.
func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("uuid=%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
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

// remove answers DELETE /nodes/{node}/qemu/{vmid}.
func (a *vmAPI) remove(r *http.Request, _ params) (any, error) {
	a.store.mu.Lock()
	v, err := a.store.change(r)
	if err == nil {
		err = a.store.removable(v)
	}
	a.store.mu.Unlock()
	if err != nil {
		return nil, err
	}
	return a.tasks.run(r, job{kind: "qmdestroy", id: strconv.Itoa(v.id), do: func() error {
		a.store.mu.Lock()
		if err := a.store.removable(v); err != nil {
			a.store.mu.Unlock()
			return err
		}
		delete(a.store.vms, v.id)
		a.store.mu.Unlock()
		return a.hardware.Remove(v.ref())
	}})
}

// makeTemplate answers POST /nodes/{node}/qemu/{vmid}/template.
func (a *vmAPI) makeTemplate(r *http.Request, _ params) (any, error) {
	a.store.mu.Lock()
	v, err := a.store.change(r)
	switch {
	case err != nil:
	case v.template():
		err = refuse("you can't convert a template to a template")
	case v.running:
		err = refuse("you can't convert a VM to template if VM is running")
	}
	a.store.mu.Unlock()
	if err != nil {
		return nil, err
	}
	return a.tasks.run(r, job{kind: "qmtemplate", id: strconv.Itoa(v.id), do: func() error {
		a.store.mu.Lock()
		defer a.store.mu.Unlock()
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
