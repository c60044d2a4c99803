// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T01:43:00Z
// Spec: openspec/specs/stand-ins/spec.md#requirement-checks-of-the-real-plugin
// Diagram: openspec/specs/stand-ins/diagram.md#a-build

package proxmox

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"time"

	"github.com/hashicorp/packer-plugin-sdk/bootcommand"
	packersdk "github.com/hashicorp/packer-plugin-sdk/packer"
	"github.com/hashicorp/packer-plugin-sdk/template/config"
	"github.com/hashicorp/packer-plugin-sdk/uuid"

	"github.com/packer-hybrid/packer-hybrid/plugins/standin"
)

// Patterns of settings.
var (
	dnsName     = regexp.MustCompile(`^([a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?\.)*[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?$`)
	isoFile     = regexp.MustCompile(`^.+:iso/.+$`)
	diskSize    = regexp.MustCompile(`^([1-9][0-9]{0,8})([KMGT])$`)
	serialPort  = regexp.MustCompile(`^(/dev/.+|socket)$`)
	fixedDevice = regexp.MustCompile(`^(ide|sata|scsi)([0-9]{1,2})$`)
)

// buses are the kinds of drives, and how many of each a machine can have.
var buses = map[string]int{"ide": 4, "sata": 6, "scsi": 31, "virtio": 16}

// prepare fills in what was left open and checks what both builders share.
func (c *Config) prepare(p *standin.Problems) {
	packersdk.LogSecretFilter.Set(c.Password, c.Token)
	p.All(c.Comm.Prepare(&c.ctx)...)
	p.All(c.BootConfig.Prepare(&c.ctx)...)
	p.All(c.HTTPConfig.Prepare(&c.ctx)...)
	c.Access.prepare(p)
	c.Processor.prepare()
	c.Firmware.prepare(p)
	c.Hardware.prepare(p)
	c.Template.prepare(p)
	for i := range c.NICs {
		c.NICs[i].prepare(p, i)
	}
	for i := range c.Disks {
		c.Disks[i].prepare(p, i, c.SCSI)
	}
	c.SCSI = cmp.Or(c.SCSI, "lsi")
	for i := range c.ISOs {
		c.ISOs[i].downloadKey = "downloaded_additional_iso_path_" + strconv.Itoa(i)
		c.ISOs[i].prepare(c, p, fmt.Sprintf("additional_iso %d", i))
	}
	c.prepareKeys(p)
	if c.Comm.Type == "winrm" {
		p.All(Plugin().Refuse("communicator = winrm"))
	}
}

// prepareKeys settles the pause between typed keys.
func (c *Config) prepareKeys(p *standin.Problems) {
	if text := os.Getenv(bootcommand.PackerKeyEnv); c.BootKeyInterval == 0 && text != "" {
		interval, err := time.ParseDuration(text)
		p.When(err != nil, "reading %s: %w", bootcommand.PackerKeyEnv, err)
		c.BootKeyInterval = interval
	}
	c.BootKeyInterval = cmp.Or(c.BootKeyInterval, 5*time.Millisecond)
}

func (a *Access) prepare(p *standin.Problems) {
	a.URL = cmp.Or(a.URL, os.Getenv("PROXMOX_URL"))
	a.Username = cmp.Or(a.Username, os.Getenv("PROXMOX_USERNAME"))
	a.Password = cmp.Or(a.Password, os.Getenv("PROXMOX_PASSWORD"))
	a.Token = cmp.Or(a.Token, os.Getenv("PROXMOX_TOKEN"))
	a.TaskTimeout = cmp.Or(a.TaskTimeout, time.Minute)
	p.When(a.Username == "", "username must be specified")
	p.When(a.Password == "" && a.Token == "", "password or token must be specified")
	p.When(a.URL == "", "proxmox_url must be specified")
	if _, err := url.Parse(a.URL); err != nil {
		p.Add("could not parse proxmox_url: %w", err)
	}
	p.When(a.Node == "", "node must be specified")
}

func (c *Processor) prepare() {
	c.Cores, c.Sockets = max(c.Cores, 1), max(c.Sockets, 1)
	c.CPUType = cmp.Or(c.CPUType, "kvm64")
}

func (f *Firmware) prepare(p *standin.Problems) {
	if f.EFIDisk != "" {
		p.When(f.EFI != EFI{}, "both efi_config and efidisk cannot be set at the same time, consider defining only "+
			"efi_config as efidisk is deprecated")
		p.Warn("efidisk is deprecated, please use efi_config instead")
		f.EFI.Storage = f.EFIDisk
	}
	if f.EFI.Storage != "" {
		f.EFI.Type = cmp.Or(f.EFI.Type, "4m")
	}
	p.When(f.EFI.Storage == "" && (f.EFI.Type != "" || f.EFI.Keys), "efi_storage_pool not set for efi_config")
	if f.TPM != (TPM{}) {
		f.TPM.Version = cmp.Or(f.TPM.Version, "v2.0")
		p.When(f.TPM.Storage == "", "tpm_storage_pool not set for tpm_config")
		p.When(f.TPM.Version != "v1.2" && f.TPM.Version != "v2.0", `TPM Version must be one of "v1.2", "v2.0"`)
	}
}

func (h *Hardware) prepare(p *standin.Problems) {
	if h.Agent != config.TriFalse {
		h.Agent = config.TriTrue
	}
	if h.Memory < 16 {
		h.Memory = 512
	}
	h.OS = cmp.Or(h.OS, "other")
	p.When(h.Memory < h.BalloonMin, "ballooning_minimum (%d) must be lower than memory (%d)", h.BalloonMin, h.Memory)
	p.When(len(h.Serials) > 4, "too many serials: %d serials defined, but proxmox accepts 4 elements maximum",
		len(h.Serials))
	for _, serial := range h.Serials {
		p.When(!serialPort.MatchString(serial), `serials must respond to pattern "/dev/.+" or be "socket". It was %q`, serial)
	}
	if h.RNG == nil {
		return
	}
	p.When(!slices.Contains([]string{"/dev/urandom", "/dev/random", "/dev/hwrng"}, h.RNG.Source),
		`source must be one of "/dev/urandom", "/dev/random", "/dev/hwrng"`)
	p.When(h.RNG.MaxBytes < 0, "max_bytes must be >= 0")
	p.When(h.RNG.Period < 0, "period must be >= 0")
	if h.RNG.MaxBytes == 0 {
		p.Warn("max_bytes is 0: potentially dangerous: this disables limiting the entropy allowed to get injected into " +
			"the guest")
	}
}

func (t *Template) prepare(p *standin.Problems) {
	p.When(t.VMID != 0 && !validID(t.VMID), "vm_id must be in range 100-999999999")
	if t.VMName == "" {
		t.VMName = "packer-" + uuid.TimeOrderedUUID()
	}
	p.When(!dnsName.MatchString(t.VMName), "vm_name must be a valid DNS name")
	p.When(t.Name != "" && !dnsName.MatchString(t.Name), "template_name must be a valid DNS name")
	t.CloudInitDisk = cmp.Or(t.CloudInitDisk, "ide")
	p.When(t.CloudInit && !slices.Contains([]string{"ide", "scsi", "sata"}, t.CloudInitDisk),
		"invalid value for `cloud_init_disk_type` %q: only one of 'ide', 'scsi', 'sata' is valid", t.CloudInitDisk)
}

// validID says whether a number can be a virtual machine's in Proxmox VE.
func validID(id int) bool { return id >= 100 && id <= 999999999 }

func (n *NIC) prepare(p *standin.Problems, i int) {
	n.Model = cmp.Or(n.Model, "e1000")
	p.When(n.Bridge == "", "network_adapters[%d].bridge must be specified", i)
	p.When(n.Model != "virtio" && n.Queues > 0, "network_adapters[%d].packet_queues can only be set for 'virtio' driver",
		i)
	p.When(n.MTU < 0 || n.MTU > 65520, "network_adapters[%d].mtu only positive values up to 65520 are supported", i)
}

func (d *Disk) prepare(p *standin.Problems, i int, controller string) {
	if _, known := buses[d.Type]; !known {
		d.Type = "scsi"
	}
	d.Format, d.Size, d.Cache = cmp.Or(d.Format, "raw"), cmp.Or(d.Size, "20G"), cmp.Or(d.Cache, "none")
	if d.IOThread {
		p.When(controller != "virtio-scsi-single", "io thread option requires virtio-scsi-single controller")
		p.When(d.Type != "scsi" && d.Type != "virtio", "io thread option requires scsi or a virtio disk")
	}
	p.When(!slices.Contains([]string{"", "native", "threads", "io_uring"}, d.AsyncIO),
		"AsyncIO must be native, threads or io_uring")
	p.When(d.SSD && d.Type == "virtio", "SSD emulation is not supported on virtio disks")
	p.When(d.Storage == "", "disks[%d].storage_pool must be specified", i)
	p.When(!diskSize.MatchString(d.Size),
		"disks[%d].disk_size must be a whole number with K, M, G or T, for example 20G. It was %q", i, d.Size)
	if d.StorageType != "" {
		p.Warn("storage_pool_type is deprecated and should be omitted, it will be removed in a later version of the " +
			"proxmox plugin")
	}
}

func (i *ISO) prepare(c *Config, p *standin.Problems, what string) {
	if m := fixedDevice.FindStringSubmatch(i.Device); m != nil {
		i.Type, i.Index = m[1], m[2]
	}
	p.When(i.Device != "" && i.Type == "",
		"%s is not a valid device of a CD: ide0 to ide3, sata0 to sata5 or scsi0 to scsi30", i.Device)
	i.Type = cmp.Or(i.Type, "ide")
	p.When(i.Type == "virtio" || buses[i.Type] == 0,
		"ISOs must be of type ide, sata or scsi. VirtIO not supported by Proxmox for ISO devices")
	if n, err := strconv.Atoi(i.Index); i.Index != "" && (err != nil || n < 0 || n >= buses[i.Type]) {
		p.Add("%s is not a valid bus index of %s", i.Index, i.Type)
	}
	switch {
	case i.File != "":
		p.When(!isoFile.MatchString(i.File),
			`iso_path should match pattern "<storage>:iso/<ISO filename>". Provided value was %q`, i.File)
	case i.made():
		p.All(i.CDConfig.Prepare(&c.ctx)...)
		p.When(i.Storage == "", "storage_pool not set for storage of generated ISO from cd_files or cd_content")
	default:
		warnings, errs := i.ISOConfig.Prepare(&c.ctx)
		p.Warnings = append(p.Warnings, warnings...)
		p.All(errs...)
		p.When(i.fetched() && i.Storage == "", "when specifying iso_url, iso_storage_pool must also be specified")
	}
	given := 0
	for _, way := range []bool{i.File != "", i.fetched(), i.made()} {
		if way {
			given++
		}
	}
	p.When(given != 1, "one of iso_file, iso_url, or a combination of cd_files and cd_content must be specified for %s",
		what)
}

// errNoTemplate stands for a build that ended without a template and without an error.
var errNoTemplate = errors.New("template ID could not be determined")
