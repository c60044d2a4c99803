// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T00:22:53Z
// Spec: openspec/specs/lab-proxmox/spec.md#requirement-life-of-a-virtual-machine
// Diagram: openspec/specs/lab-proxmox/diagram.md#life-of-a-machine

package proxmox

import (
	"net/http"
	"regexp"
	"strconv"
	"strings"
)

// configAPI answers calls on the configuration of virtual machines.
type configAPI struct {
	store *store
	tasks *tasks
}

// get answers GET config.
func (a *configAPI) get(r *http.Request, _ params) (any, error) {
	a.store.mu.Lock()
	defer a.store.mu.Unlock()
	v, err := a.store.find(r)
	if err != nil {
		return nil, err
	}
	return v.document(), nil
}

// post answers POST config: the change is a task.
func (a *configAPI) post(r *http.Request, p params) (any, error) {
	a.store.mu.Lock()
	v, err := a.store.change(r)
	a.store.mu.Unlock()
	if err != nil {
		return nil, err
	}
	return a.tasks.run(r, job{kind: "qmconfig", id: strconv.Itoa(v.id), do: func() error {
		a.store.mu.Lock()
		defer a.store.mu.Unlock()
		return a.store.set(v, p)
	}})
}

// put answers PUT config: the change is made at once.
func (a *configAPI) put(r *http.Request, p params) (any, error) {
	a.store.mu.Lock()
	defer a.store.mu.Unlock()
	v, err := a.store.change(r)
	if err != nil {
		return nil, err
	}
	return nil, a.store.set(v, p)
}

// pending answers GET pending. Changes take effect at once here, so that none is pending.
func (a *configAPI) pending(r *http.Request, _ params) (any, error) {
	a.store.mu.Lock()
	defer a.store.mu.Unlock()
	v, err := a.store.find(r)
	if err != nil {
		return nil, err
	}
	list, document := []any{}, v.document()
	for _, name := range sortedKeys(document) {
		list = append(list, map[string]any{"key": name, "value": document[name]})
	}
	return list, nil
}

// sizePattern is the size of a disk: 8G, 512000K, 0.001G.
var sizePattern = regexp.MustCompile(`^([0-9]{1,9}(?:\.[0-9]{1,9})?)([KMGT])$`)

// sizeOption is the size in a drive's value.
var sizeOption = regexp.MustCompile(`(^|,)size=([0-9.]+[KMGT])`)

// kibibytes are the factors of the units of sizes.
var kibibytes = map[string]float64{"K": 1, "M": 1 << 10, "G": 1 << 20, "T": 1 << 30}

// parseSize reads a size, in KiB.
func parseSize(text string) (int64, bool) {
	m := sizePattern.FindStringSubmatch(text)
	if m == nil {
		return 0, false
	}
	n, err := strconv.ParseFloat(m[1], 64)
	return int64(n * kibibytes[m[2]]), err == nil
}

// formatSize writes a size of so many KiB in the largest unit that shows it whole.
func formatSize(size int64) string {
	for _, unit := range []string{"T", "G", "M"} {
		if factor := int64(kibibytes[unit]); size > 0 && size%factor == 0 {
			return strconv.FormatInt(size/factor, 10) + unit
		}
	}
	return strconv.FormatInt(size, 10) + "K"
}

// resize answers PUT resize: disk=scsi0, size=20G or +5G.
func (a *configAPI) resize(r *http.Request, p params) (any, error) {
	a.store.mu.Lock()
	v, err := a.store.change(r)
	a.store.mu.Unlock()
	if err != nil {
		return nil, err
	}
	text, grow := strings.CutPrefix(p.get("size"), "+")
	wanted, ok := parseSize(text)
	if !ok {
		return nil, invalid("size", "value does not match the regex pattern")
	}
	return a.tasks.run(r, job{kind: "resize", id: strconv.Itoa(v.id), do: func() error {
		a.store.mu.Lock()
		defer a.store.mu.Unlock()
		drive := v.settings[p.get("disk")]
		m := sizeOption.FindStringSubmatch(drive)
		if m == nil || !driveName.MatchString(p.get("disk")) {
			return refuse("disk '%s' does not exist", p.get("disk"))
		}
		now, _ := parseSize(m[2]) // 0 when it is none
		total := wanted
		if grow {
			total += now
		}
		if total < now {
			return refuse("shrinking disks is not supported")
		}
		v.settings[p.get("disk")] = strings.Replace(drive, m[0], m[1]+"size="+formatSize(total), 1)
		return nil
	}})
}

// status answers GET status/current.
func (a *configAPI) status(r *http.Request, _ params) (any, error) {
	a.store.mu.Lock()
	defer a.store.mu.Unlock()
	v, err := a.store.find(r)
	if err != nil {
		return nil, err
	}
	d := v.summary()
	d["qmpstatus"], d["ha"] = v.status(), map[string]any{"managed": 0}
	return d, nil
}
