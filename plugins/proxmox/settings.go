// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T01:47:00Z
// Spec: openspec/specs/stand-ins/spec.md#requirement-builds-like-the-real-plugin
// Diagram: openspec/specs/stand-ins/diagram.md#a-build

package proxmox

import (
	"crypto/rand"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/packer-plugin-sdk/template/config"
)

// ephemeral is the description of a machine while it is built.
const ephemeral = "Packer ephemeral build VM"

// option is NAME=value in a device's value; options without value are left out.
func option(name string, value any) string {
	switch v := value.(type) {
	case string:
		if v != "" {
			return name + "=" + v
		}
	case int:
		if v > 0 {
			return name + "=" + strconv.Itoa(v)
		}
	case bool:
		if v {
			return name + "=1"
		}
	}
	return ""
}

// device joins what is set of a device's options.
func device(options ...string) string {
	return strings.Join(slices.DeleteFunc(options, func(o string) bool { return o == "" }), ",")
}

// flag is how the API writes a boolean.
func flag(on bool) string {
	if on {
		return "1"
	}
	return "0"
}

// settings are the parameters of a new machine, without its drives.
func (c *Config) settings(id int) url.Values {
	v := url.Values{
		"vmid": {strconv.Itoa(id)}, "name": {c.Template.VMName}, "description": {ephemeral}, "tags": {c.Template.Tags},
		"agent": {flag(c.Agent != config.TriFalse)}, "kvm": {flag(!c.DisableKVM)}, "onboot": {flag(c.Onboot)},
		"numa":  {flag(c.Numa)},
		"cores": {strconv.Itoa(c.Cores)}, "sockets": {strconv.Itoa(c.Sockets)}, "cpu": {c.CPUType},
		"memory": {strconv.Itoa(c.Memory)}, "ostype": {c.OS}, "scsihw": {c.SCSI},
	}
	set := func(name, value string) {
		if value != "" {
			v.Set(name, value)
		}
	}
	set("bios", c.BIOS)
	set("machine", c.Machine)
	set("boot", c.Boot)
	set("args", c.Args)
	set("vga", device(option("type", c.VGA.Type), option("memory", c.VGA.Memory)))
	if c.BalloonMin > 0 {
		set("balloon", strconv.Itoa(c.BalloonMin))
	}
	if c.EFI.Storage != "" {
		set("efidisk0", device(c.EFI.Storage+":1", option("efitype", c.EFI.Type), option("format", c.EFI.Format),
			"pre-enrolled-keys="+flag(c.EFI.Keys)))
	}
	if c.TPM.Storage != "" {
		set("tpmstate0", device(c.TPM.Storage+":1", option("version", c.TPM.Version)))
	}
	if c.RNG != nil {
		set("rng0", device("source="+c.RNG.Source, "max_bytes="+strconv.Itoa(c.RNG.MaxBytes), option("period", c.RNG.Period)))
	}
	for i, serial := range c.Serials {
		set("serial"+strconv.Itoa(i), serial)
	}
	for i, n := range c.NICs {
		set("net"+strconv.Itoa(i), device(n.Model+"="+n.mac(), option("bridge", n.Bridge), option("firewall", n.Firewall),
			option("mtu", n.MTU), option("queues", n.Queues), option("tag", n.VLAN)))
	}
	return v
}

// mac is the card's address, or a random one of those that everybody may use.
func (n NIC) mac() string {
	if n.MAC != "" {
		return n.MAC
	}
	address := make(net.HardwareAddr, 6)
	_, _ = rand.Read(address)            // never fails
	address[0] = address[0]&^0x01 | 0x02 // one station, locally administered
	return strings.ToUpper(address.String())
}

// drives are a machine's new disks and its CDs.
type drives struct {
	settings url.Values
	grow     map[string]string // drive to the size in KiB that it gets after it was made
}

// plug gives each disk and CD a place. taken are those of the disks that a clone has from its source. CDs with a
// place of their own come first, then disks and the other CDs in the free places.
func (c *Config) plug(taken []string) (drives, error) {
	used, d := map[string]bool{}, drives{url.Values{}, map[string]string{}}
	for _, name := range taken {
		used[name] = true
	}
	place := func(bus string) (string, error) {
		for n := range buses[bus] {
			if name := bus + strconv.Itoa(n); !used[name] {
				used[name] = true
				return name, nil
			}
		}
		return "", fmt.Errorf("storage enumeration reached %s index %d, too many %s devices configured", bus, buses[bus], bus)
	}
	for i := range c.ISOs {
		if iso := &c.ISOs[i]; iso.Index != "" {
			iso.drive = iso.Type + iso.Index
			used[iso.drive] = true
			d.settings.Set(iso.drive, iso.File+",media=cdrom")
		}
	}
	for _, disk := range c.Disks {
		name, err := place(disk.Type)
		if err != nil {
			return d, err
		}
		d.settings.Set(name, disk.value())
		if kib := disk.kib(); kib%gib != 0 {
			d.grow[name] = strconv.FormatInt(kib, 10) + "K"
		}
	}
	for i := range c.ISOs {
		iso := &c.ISOs[i]
		if iso.Index != "" {
			continue
		}
		var err error
		if iso.drive, err = place(iso.Type); err != nil {
			return d, err
		}
		d.settings.Set(iso.drive, iso.File+",media=cdrom")
	}
	return d, nil
}

// gib is a GiB in KiB.
const gib = 1 << 20

// value asks for the disk in a drive. Sizes that are no whole GiB are asked for as a tiny disk, see grow.
func (d Disk) value() string {
	size := "0.001"
	if kib := d.kib(); kib%gib == 0 {
		size = strconv.FormatInt(kib/gib, 10)
	}
	backup, discard, ssd := "", "", option("ssd", d.SSD)
	if d.NoBackup {
		backup = "backup=0"
	}
	if d.Discard {
		discard = "discard=on"
	}
	return device(d.Storage+":"+size, option("aio", d.AsyncIO), backup, option("cache", d.Cache), discard,
		option("format", d.Format),
		option("iothread", d.IOThread), "replicate=0", ssd)
}

// kib is the disk's size in KiB.
func (d Disk) kib() int64 {
	m := diskSize.FindStringSubmatch(d.Size)
	if m == nil {
		return 0 // prepare has refused it
	}
	n, err := strconv.ParseInt(m[1], 10, 64)
	if err != nil {
		return 0
	}
	return n << map[string]uint{"K": 0, "M": 10, "G": 20, "T": 30}[m[2]]
}
