// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T00:22:53Z
// Spec: openspec/specs/lab-proxmox/spec.md#requirement-life-of-a-virtual-machine
// Diagram: openspec/specs/lab-proxmox/diagram.md#life-of-a-machine

package proxmox

import (
	"crypto/sha1" //nolint:gosec // Proxmox VE's digest of a configuration, not a protection
	"encoding/hex"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
)

// vm is one virtual machine or template.
type vm struct {
	id       int
	serial   int               // of all machines: numbers are used again
	settings map[string]string // its configuration, as parameters give it
	pool     string
	lock     string // create or clone while such a task is under way
	running  bool
	event    int           // counts power events, so that a late report is noticed
	up       chan struct{} // closed when the guest of the last start is up
	address  string        // of the guest on loopback; empty before it is up
	reported string        // the address that its agent tells, with its network's length; empty before the first start
	typed    strings.Builder
}

// numeric are the settings that the API shows as JSON numbers: the plugin's client asserts the type.
var numeric = map[string]bool{
	"acpi": true, "autostart": true, "balloon": true, "ciupgrade": true, "cores": true, "cpulimit": true, "cpuunits": true,
	"freeze": true, "kvm": true, "localtime": true, "numa": true, "onboot": true, "protection": true, "reboot": true,
	"shares": true, "sockets": true, "tablet": true, "template": true, "vcpus": true,
}

// notSettings are parameters of calls that are no part of a configuration.
var notSettings = map[string]bool{
	"vmid": true, "node": true, "delete": true, "digest": true, "revert": true, "force": true, "skiplock": true,
	"background_delay": true, "pool": true, "start": true, "storage": true, "unique": true, "archive": true,
}

// Patterns of settings.
var (
	driveName   = regexp.MustCompile(`^(ide|sata|scsi|virtio|efidisk|tpmstate|unused)[0-9]{1,2}$`)
	settingName = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,39}$`)
	dnsName     = regexp.MustCompile(
		`^[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?(\.[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*$`)
	tagList    = regexp.MustCompile(`^[a-zA-Z0-9_][a-zA-Z0-9_+.-]*([;, ][a-zA-Z0-9_][a-zA-Z0-9_+.-]*)*[;, ]?$`)
	diskSize   = regexp.MustCompile(`^[0-9]+(\.[0-9]+)?$`)
	volumeDisk = regexp.MustCompile(`(vm|base)-[0-9]+-disk-([0-9]+)`)
)

// ref is the name of the machine's hardware.
func (v *vm) ref() string { return fmt.Sprintf("qemu-%d-%d", v.id, v.serial) }

// template reports whether it is a template.
func (v *vm) template() bool { return v.settings["template"] == "1" }

// status is running or stopped.
func (v *vm) status() string {
	if v.running {
		return "running"
	}
	return "stopped"
}

// document is the configuration as the API shows it.
func (v *vm) document() map[string]any {
	d := make(map[string]any, len(v.settings)+2)
	digest := sha1.New() //nolint:gosec // see the import
	for _, name := range sortedKeys(v.settings) {
		value := v.settings[name]
		fmt.Fprintf(digest, "%s: %s\n", name, value)
		d[name] = typed(name, value)
	}
	if v.lock != "" {
		d["lock"] = v.lock
	}
	d["digest"] = hex.EncodeToString(digest.Sum(nil))
	return d
}

// typed gives a setting the type that the API shows.
func typed(name, value string) any {
	if n, ok := finite(value); ok && numeric[name] {
		return n
	}
	return value
}

// finite reads a number that JSON can show.
func finite(text string) (float64, bool) {
	n, err := strconv.ParseFloat(text, 64)
	return n, err == nil && !math.IsNaN(n) && !math.IsInf(n, 0)
}

// summary is the machine in lists.
func (v *vm) summary() map[string]any {
	d := map[string]any{
		"id": "qemu/" + strconv.Itoa(v.id), "vmid": v.id, "node": NodeName, "type": "qemu",
		"name": v.settings["name"], "status": v.status(), "template": 0,
	}
	if v.template() {
		d["template"] = 1
	}
	if d["name"] == "" {
		d["name"] = "VM " + strconv.Itoa(v.id) // what the list says of a machine without a name
	}
	for name, value := range map[string]string{"tags": v.settings["tags"], "lock": v.lock, "pool": v.pool} {
		if value != "" {
			d[name] = value
		}
	}
	return d
}

// volumes are the volume names in drives, without the storage.
func (v *vm) volumes() []string {
	var list []string
	for name, value := range v.settings {
		if driveName.MatchString(name) {
			volume, _, _ := strings.Cut(value, ",")
			list = append(list, volume)
		}
	}
	return list
}

// nextDisk is the number of the machine's next disk.
func (v *vm) nextDisk() int {
	next := 0
	for _, volume := range v.volumes() {
		if m := volumeDisk.FindStringSubmatch(volume); m != nil {
			if n, err := strconv.Atoi(m[2]); err == nil {
				next = max(next, n+1)
			}
		}
	}
	return next
}
