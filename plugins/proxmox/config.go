// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T01:41:00Z
// Spec: openspec/specs/stand-ins/spec.md#requirement-checks-of-the-real-plugin
// Diagram: openspec/specs/stand-ins/diagram.md#parts

// Package proxmox is the lab's stand-in for the Packer plugin of Proxmox VE: the builders proxmox-iso and
// proxmox-clone.
package proxmox

import (
	"time"

	"github.com/hashicorp/packer-plugin-sdk/bootcommand"
	"github.com/hashicorp/packer-plugin-sdk/common"
	"github.com/hashicorp/packer-plugin-sdk/communicator"
	"github.com/hashicorp/packer-plugin-sdk/multistep/commonsteps"
	"github.com/hashicorp/packer-plugin-sdk/template/config"
	"github.com/hashicorp/packer-plugin-sdk/template/interpolate"

	"github.com/packer-hybrid/packer-hybrid/plugins/standin"
)

// Plugin is the plugin that this package stands in for.
func Plugin() standin.Plugin {
	return standin.Plugin{Name: "Proxmox VE", Source: "github.com/hashicorp/proxmox", Version: "1.2.3"}
}

// Config is the configuration of both builders, as far as the stand-in can honour it.
type Config struct {
	common.PackerConfig    `mapstructure:",squash"`
	commonsteps.HTTPConfig `mapstructure:",squash"`
	bootcommand.BootConfig `mapstructure:",squash"`
	Comm                   communicator.Config `mapstructure:",squash"`
	Access                 `mapstructure:",squash"`
	Hardware               `mapstructure:",squash"`
	Template               Template `mapstructure:",squash"`

	BootKeyInterval time.Duration `mapstructure:"boot_key_interval"`
	VMInterface     string        `mapstructure:"vm_interface"`
	ISOs            []ISO         `mapstructure:"additional_iso_files"`

	ctx interpolate.Context
}

// Access is where the build runs and as whom.
type Access struct {
	URL string `mapstructure:"proxmox_url"`
	// heeded by nobody: the lab's authority is always asked for
	Insecure    bool          `mapstructure:"insecure_skip_tls_verify"`
	Username    string        `mapstructure:"username"`
	Password    string        `mapstructure:"password"`
	Token       string        `mapstructure:"token"`
	Node        string        `mapstructure:"node"`
	Pool        string        `mapstructure:"pool"`
	TaskTimeout time.Duration `mapstructure:"task_timeout"`
}

// Hardware is the virtual machine.
type Hardware struct {
	Processor `mapstructure:",squash"`
	Firmware  `mapstructure:",squash"`

	Memory     int            `mapstructure:"memory"`             // MiB
	BalloonMin int            `mapstructure:"ballooning_minimum"` // MiB; 0 leaves the balloon to Proxmox VE
	OS         string         `mapstructure:"os"`
	Boot       string         `mapstructure:"boot"`
	Onboot     bool           `mapstructure:"onboot"`
	Args       string         `mapstructure:"qemu_additional_args"`
	SCSI       string         `mapstructure:"scsi_controller"`
	Agent      config.Trilean `mapstructure:"qemu_agent"`
	Serials    []string       `mapstructure:"serials"`
	VGA        VGA            `mapstructure:"vga"`
	RNG        *RNG           `mapstructure:"rng0"`
	NICs       []NIC          `mapstructure:"network_adapters"`
	Disks      []Disk         `mapstructure:"disks"`
}

// Processor is the machine's processor.
type Processor struct {
	Cores      int    `mapstructure:"cores"`
	Sockets    int    `mapstructure:"sockets"`
	CPUType    string `mapstructure:"cpu_type"`
	Numa       bool   `mapstructure:"numa"`
	DisableKVM bool   `mapstructure:"disable_kvm"`
}

// Firmware is what the machine starts with.
type Firmware struct {
	BIOS    string `mapstructure:"bios"`
	Machine string `mapstructure:"machine"`
	EFIDisk string `mapstructure:"efidisk"`
	EFI     EFI    `mapstructure:"efi_config"`
	TPM     TPM    `mapstructure:"tpm_config"`
}

// EFI is the disk with the variables of the UEFI.
type EFI struct {
	Storage string `mapstructure:"efi_storage_pool"`
	Format  string `mapstructure:"efi_format"`
	Type    string `mapstructure:"efi_type"`
	Keys    bool   `mapstructure:"pre_enrolled_keys"`
}

// TPM is the disk with the state of the TPM.
type TPM struct {
	Storage string `mapstructure:"tpm_storage_pool"`
	Version string `mapstructure:"tpm_version"`
}

// VGA is the graphics card.
type VGA struct {
	Type   string `mapstructure:"type"`
	Memory int    `mapstructure:"memory"` // MiB
}

// RNG is the source of random numbers.
type RNG struct {
	Source   string `mapstructure:"source"`
	MaxBytes int    `mapstructure:"max_bytes"` // in one period
	Period   int    `mapstructure:"period"`    // milliseconds
}

// NIC is a network card.
type NIC struct {
	Model    string `mapstructure:"model"`
	MAC      string `mapstructure:"mac_address"`
	Bridge   string `mapstructure:"bridge"`
	VLAN     string `mapstructure:"vlan_tag"`
	Firewall bool   `mapstructure:"firewall"`
	MTU      int    `mapstructure:"mtu"`
	Queues   int    `mapstructure:"packet_queues"`
}

// Disk is a new disk.
type Disk struct {
	Type        string `mapstructure:"type"`
	Storage     string `mapstructure:"storage_pool"`
	StorageType string `mapstructure:"storage_pool_type"` // deprecated, means nothing
	Size        string `mapstructure:"disk_size"`
	Cache       string `mapstructure:"cache_mode"`
	Format      string `mapstructure:"format"`
	AsyncIO     string `mapstructure:"asyncio"`
	IOThread    bool   `mapstructure:"io_thread"`
	Discard     bool   `mapstructure:"discard"`
	SSD         bool   `mapstructure:"ssd"`
	NoBackup    bool   `mapstructure:"exclude_from_backup"`
}

// Template is what the build leaves.
type Template struct {
	VMName      string `mapstructure:"vm_name"`
	VMID        int    `mapstructure:"vm_id"`
	Tags        string `mapstructure:"tags"`
	Name        string `mapstructure:"template_name"`
	Description string `mapstructure:"template_description"`

	CloudInit     bool   `mapstructure:"cloud_init"`
	CloudInitPool string `mapstructure:"cloud_init_storage_pool"`
	CloudInitDisk string `mapstructure:"cloud_init_disk_type"`
}

// ISO is a CD of the machine: one in storage, one to download and upload, or one made of files.
type ISO struct {
	commonsteps.ISOConfig `mapstructure:",squash"`
	commonsteps.CDConfig  `mapstructure:",squash"`

	Type        string `mapstructure:"type"`
	Index       string `mapstructure:"index"`
	Device      string `mapstructure:"device"` // deprecated: type and index in one
	File        string `mapstructure:"iso_file"`
	Storage     string `mapstructure:"iso_storage_pool"`
	Unmount     bool   `mapstructure:"unmount"`
	KeepDevice  bool   `mapstructure:"keep_cdrom_device"`
	downloadKey string // where the state has the path of the file to upload
	drive       string // of the machine, "ide2" for example, once it is decided
}

// made says whether the CD is made of files.
func (i *ISO) made() bool { return len(i.CDFiles)+len(i.CDContent) > 0 }

// fetched says whether the CD is to be downloaded.
func (i *ISO) fetched() bool { return len(i.ISOUrls) > 0 || i.RawSingleISOUrl != "" }

// isoConfig is the configuration of proxmox-iso.
type isoConfig struct {
	Config   `mapstructure:",squash"`
	Old      OldBootISO `mapstructure:",squash"`
	BootDisc ISO        `mapstructure:"boot_iso"`
}

// OldBootISO are the deprecated attributes for what is in boot_iso now.
type OldBootISO struct {
	commonsteps.ISOConfig `mapstructure:",squash"`

	File    string `mapstructure:"iso_file"`
	Storage string `mapstructure:"iso_storage_pool"`
	Unmount bool   `mapstructure:"unmount_iso"`
}

// cloneConfig is the configuration of proxmox-clone.
type cloneConfig struct {
	Config `mapstructure:",squash"`

	CloneVM      string         `mapstructure:"clone_vm"`
	CloneVMID    int            `mapstructure:"clone_vm_id"`
	Full         config.Trilean `mapstructure:"full_clone"`
	Nameserver   string         `mapstructure:"nameserver"`
	Searchdomain string         `mapstructure:"searchdomain"`
	IPs          []IP           `mapstructure:"ipconfig"`
}

// IP is what cloud-init gives a network card of a clone.
type IP struct {
	Address  string `mapstructure:"ip"`
	Gateway  string `mapstructure:"gateway"`
	Address6 string `mapstructure:"ip6"`
	Gateway6 string `mapstructure:"gateway6"`
}
