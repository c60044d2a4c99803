// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:18:00Z
// Spec: openspec/specs/stand-ins/spec.md#requirement-checks-of-the-real-plugin
// Diagram: openspec/specs/stand-ins/diagram.md#parts

package plugins_test

import (
	"strings"
	"testing"

	packersdk "github.com/hashicorp/packer-plugin-sdk/packer"

	"github.com/packer-hybrid/packer-hybrid/plugins/azure"
	"github.com/packer-hybrid/packer-hybrid/plugins/proxmox"
)

// Bodies that nothing is wrong with.
const (
	isoBody = `
proxmox_url  = "https://127.0.0.1:1/api2/json"
username     = "packer@pve!lab"
token        = "secret"
node         = "pve1"
ssh_username = "packer"
`
	bootISO   = "boot_iso {\n iso_file = \"local:iso/debian-12.iso\"\n}\n"
	cloneBody = isoBody + "clone_vm = \"base\"\n"
	armBody   = `
subscription_id = "s"
tenant_id       = "t"
client_id       = "c"
client_secret   = "secret"
location        = "westeurope"
image_publisher = "Debian"
image_offer     = "debian-12"
image_sku       = "12-gen2"
os_type         = "linux"
communicator    = "ssh"
`
	managed = "managed_image_name = \"image\"\nmanaged_image_resource_group_name = \"group\"\n"
	gallery = "shared_image_gallery_destination {\n gallery_name = \"g\"\n image_name = \"i\"\n resource_group = " +
		"\"r\"\n image_version = \"1.0.0\"\n%\n}\n"
)

// destination is a gallery with more in it.
func destination(more string) string { return strings.Replace(gallery, "%", more, 1) }

func TestPrepare(t *testing.T) {
	t.Parallel()
	iso := func() packersdk.Builder { return new(proxmox.ISOBuilder) }
	clone := func() packersdk.Builder { return new(proxmox.CloneBuilder) }
	arm := func() packersdk.Builder { return new(azure.Builder) }
	disk := "disks {\n storage_pool = \"p\"\n%\n}\n"
	for name, tc := range map[string]struct {
		builder func() packersdk.Builder
		body    string
		want    []string // texts of the error; none: no error
	}{
		"iso": {iso, isoBody + bootISO, nil},
		"iso, all that is left": {
			iso, isoBody + bootISO + "winrm_insecure = false\npci_devices {\n}\n",
			[]string{`cannot honour "pci_devices"`},
		},
		"iso without anything": {
			iso, "",
			[]string{
				"username must be specified", "password or token must be specified", "proxmox_url must be specified",
				"node must be specified", "ssh_username must be specified", "must be specified for boot_iso",
			},
		},
		"deprecated boot ISO": {iso, isoBody + "iso_file = \"local:iso/a.iso\"\nunmount_iso = true\n", nil},
		"unknown attribute":   {iso, isoBody + bootISO + "bogus = 1\n", []string{`"bogus" is not expected`}},
		"Windows on Proxmox VE": {
			iso, isoBody + bootISO + "communicator = \"winrm\"\nwinrm_username = \"a\"\n",
			[]string{`cannot honour "communicator = winrm"`},
		},
		"two ways to a CD": {iso, isoBody + bootISO + "additional_iso_files {\n iso_file = \"a:iso/b\"\n cd_content " +
			"= { a = \"b\" }\n}\n", []string{"additional_iso 0"}},
		"CD without storage": {
			iso, isoBody + bootISO + "additional_iso_files {\n cd_content = { a = \"b\" }\n}\n",
			[]string{"storage_pool not set"},
		},
		"CD on no bus": {
			iso,
			isoBody + bootISO + "additional_iso_files {\n iso_file = \"a:iso/b\"\n type = \"virtio\"\n}\n",
			[]string{"ISOs must be of type"},
		},
		"CD on a place too far": {
			iso,
			isoBody + bootISO + "additional_iso_files {\n iso_file = \"a:iso/b\"\n index = \"4\"\n}\n",
			[]string{"not a valid bus index"},
		},
		"number of the machine": {iso, isoBody + bootISO + "vm_id = 99\n", []string{"vm_id must be in range"}},
		"name of the template": {
			iso, isoBody + bootISO + "template_name = \"a_b\"\n",
			[]string{"template_name must be a valid DNS name"},
		},
		"I/O thread": {
			iso, isoBody + bootISO + strings.Replace(disk, "%", "io_thread = true", 1),
			[]string{"requires virtio-scsi-single"},
		},
		"size of a disk": {
			iso, isoBody + bootISO + strings.Replace(disk, "%", "disk_size = \"20\"", 1),
			[]string{"disks[0].disk_size"},
		},
		"disk without a storage": {
			iso, isoBody + bootISO + "disks {\n}\n",
			[]string{"disks[0].storage_pool must be specified"},
		},
		"card without a bridge": {
			iso, isoBody + bootISO + "network_adapters {\n}\n",
			[]string{"network_adapters[0].bridge must be specified"},
		},
		"keys without a disk": {
			iso, isoBody + bootISO + "efi_config {\n pre_enrolled_keys = true\n}\n",
			[]string{"efi_storage_pool not set"},
		},
		"version of the TPM": {
			iso,
			isoBody + bootISO + "tpm_config {\n tpm_storage_pool = \"p\"\n tpm_version = \"v3\"\n}\n",
			[]string{"TPM Version must be"},
		},
		"random numbers": {
			iso, isoBody + bootISO + "rng0 {\n source = \"/dev/zero\"\n}\n",
			[]string{"source must be one of"},
		},
		"serial port":      {iso, isoBody + bootISO + "serials = [\"tty\"]\n", []string{"serials must respond"}},
		"clone":            {clone, cloneBody, nil},
		"clone of nothing": {clone, isoBody, []string{"one of clone_vm or clone_vm_id must be specified"}},
		"clone of two":     {clone, cloneBody + "clone_vm_id = 100\n", []string{"cannot both be specified"}},
		"addresses of a clone": {clone, cloneBody + "nameserver = \"a\"\nipconfig {\n ip = \"192.0.2.1\"\n gateway = " +
			"\"b\"\n}\n", []string{
			"parse nameserver", "parse ipconfig.ip", "parse ipconfig.gateway",
			"1 ipconfig blocks given",
		}},
		"managed image": {arm, armBody + managed, nil},
		"gallery":       {arm, armBody + destination("replication_regions = [\"northeurope\"]"), nil},
		"arm without anything": {
			arm, "",
			[]string{
				"No valid set of authentication values", "managed_image_name and managed_image_resource_group_name",
				"An image_publisher must", "An image_offer must", "An image_sku must", "A storage_account must",
				"A resource_group_name must", "An os_type must", "Specify either a location",
			},
		},
		"Windows on Azure": {
			arm, strings.Replace(armBody, `"linux"`, `"Windows"`, 1) + managed,
			[]string{`cannot honour "os_type = Windows"`},
		},
		"data for cloud-init": {
			arm, armBody + managed + "custom_data = \"eA==\"\n",
			[]string{`cannot honour "custom_data"`},
		},
		"no data for cloud-init": {arm, armBody + managed + "custom_data = \"\"\nuse_azure_cli_auth = false\n", nil},
		"two groups": {arm, armBody + managed + "temp_resource_group_name = \"a\"\nbuild_resource_group_name " +
			"= \"b\"\n", []string{"cannot both be defined", "Specify either a location"}},
		"name of a group": {
			arm, armBody + managed + "temp_resource_group_name = \"a.\"\n",
			[]string{"temp_resource_group_name must match"},
		},
		"version in the gallery": {
			arm, armBody + strings.Replace(destination(""), "1.0.0", "latest", 1),
			[]string{"An image_version must be specified"},
		},
		"both kinds of regions": {arm, armBody + destination("replication_regions = [\"a\"]\n target_region {\n name = "+
			"\"b\"\n }"), []string{"can not be defined alongside"}},
		"encryption of a region": {arm, armBody + destination("target_region {\n name = \"b\"\n disk_encryption_set_id = "+
			"\"x\"\n }"), []string{"disk_encryption_set_id", "cannot honour"}},
		"kind of a disk": {
			arm, armBody + managed + "managed_image_storage_account_type = \"Fast\"\n",
			[]string{"managed_image_storage_account_type"},
		},
		"addresses let in": {
			arm, armBody + managed + "allowed_inbound_ip_addresses = [\"here\"]\n",
			[]string{"valid IP addresses"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := prepare(t, tc.builder(), tc.body)
			if (err == nil) != (len(tc.want) == 0) {
				t.Fatalf("error %v, want %q", err, tc.want)
			}
			for _, text := range tc.want {
				if !strings.Contains(err.Error(), text) {
					t.Errorf("error %v, want %q in it", err, text)
				}
			}
		})
	}
}

func TestWarnsOfDeprecatedAttributes(t *testing.T) {
	t.Parallel()
	warnings, err := prepare(t, new(proxmox.ISOBuilder), isoBody+"iso_file = \"local:iso/a.iso\"\nefidisk = \"p\"\n")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"iso_file", "efidisk"} {
		if !strings.Contains(strings.Join(warnings, "\n"), name) {
			t.Errorf("warnings %q, want one of %s", warnings, name)
		}
	}
}
