// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T01:58:00Z
// Spec: openspec/specs/static-validation/spec.md#requirement-what-prepare-demands
// Diagram: openspec/specs/static-validation/diagram.md#one-pass

package validate

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/validate/eval"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/validate/finding"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/validate/parts"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/validate/schemas"
)

// demand is one thing that Prepare refuses to go without. The schemas call
// every attribute optional.
type demand struct {
	in    string   // the block that it is about; empty for the component itself
	oneOf []string // at least one of these is set
}

// demands lists, by component, what the real plugins' Prepare refuses. Sources:
// packer-plugin-proxmox 1.2.3 builder/proxmox/{common,iso,clone}/config.go;
// packer-plugin-vsphere 1.4.2 builder/vsphere/common/{step_connect,
// config_location,storage_config}.go and clone/step_clone.go;
// packer-plugin-azure 2.5.0 builder/azure/arm/config.go; Packer 1.15.0
// provisioner/*/provisioner.go and shell-local/config.go of its SDK;
// packer-plugin-ansible 1.1.2 provisioner/ansible/provisioner.go.
var demands = map[string][]demand{
	"builder.proxmox-iso": slices.Concat(proxmoxDemands,
		[]demand{{"", []string{"boot_iso", "iso_file", "iso_url", "iso_urls"}}}),
	"builder.proxmox-clone":      slices.Concat(proxmoxDemands, []demand{{"", []string{"clone_vm", "clone_vm_id"}}}),
	"builder.vsphere-iso":        vsphereDemands,
	"builder.vsphere-clone":      slices.Concat(vsphereDemands, []demand{{"", []string{"template"}}}),
	"builder.azure-arm":          azureDemands,
	"provisioner.shell":          {{"", []string{"inline", "script", "scripts"}}},
	"provisioner.powershell":     {{"", []string{"inline", "script", "scripts"}}},
	"provisioner.windows-shell":  {{"", []string{"inline", "script", "scripts"}}},
	"provisioner.shell-local":    {{"", []string{"command", "inline", "script", "scripts"}}},
	"provisioner.file":           {{"", []string{"destination"}}, {"", []string{"source", "sources", "content"}}},
	"provisioner.ansible":        {{"", []string{"playbook_file"}}},
	"provisioner.hcp-sbom":       {{"", []string{"source"}}},
	"post-processor.shell-local": {{"", []string{"command", "inline", "script", "scripts"}}},
	"data.http":                  {{"", []string{"url"}}},
}

var proxmoxDemands = []demand{
	{"", []string{"proxmox_url"}},
	{"", []string{"username"}},
	{"", []string{"password", "token"}},
	{"", []string{"node"}},
	{"disks", []string{"storage_pool"}},
	{"network_adapters", []string{"bridge"}},
	{"efi_config", []string{"efi_storage_pool"}},
	{"tpm_config", []string{"tpm_storage_pool"}},
	{"boot_iso", []string{"iso_file", "iso_url", "iso_urls", "cd_files", "cd_content"}},
	{"additional_iso_files", []string{"iso_file", "iso_url", "iso_urls", "cd_files", "cd_content"}},
}

var vsphereDemands = []demand{
	{"", []string{"vcenter_server"}},
	{"", []string{"username"}},
	{"", []string{"password"}},
	{"", []string{"vm_name"}},
	{"", []string{"host", "cluster"}},
	{"storage", []string{"disk_size"}},
}

var azureDemands = []demand{
	{"", []string{"os_type"}},
	{"", []string{"location", "build_resource_group_name"}},
	{"", []string{"capture_container_name", "managed_image_name", "shared_image_gallery_destination"}},
	{"", []string{"image_url", "image_publisher", "custom_managed_image_name", "shared_image_gallery"}},
	{"shared_image_gallery_destination", []string{"resource_group"}},
	{"shared_image_gallery_destination", []string{"image_name"}},
	{"shared_image_gallery_destination", []string{"image_version"}},
}

// choices lists settings that take a few words only, from the same sources. An
// empty text means the default.
var choices = map[string]map[string][]string{
	"builder.vsphere-iso":   {"firmware": {"bios", "efi", "efi-secure"}, "communicator": {"ssh", "winrm", "none"}},
	"builder.vsphere-clone": {"firmware": {"bios", "efi", "efi-secure"}, "communicator": {"ssh", "winrm", "none"}},
	"builder.proxmox-iso":   {"communicator": {"ssh", "winrm", "none"}},
	"builder.proxmox-clone": {"communicator": {"ssh", "winrm", "none"}},
	"builder.azure-arm": {
		"os_type":      {"Linux", "Windows", "linux", "windows"},
		"communicator": {"ssh", "winrm", "none"},
	},
	"provisioner.file": {"direction": {"upload", "download"}},
}

// durations are the settings that Prepare reads as a duration.
var durations = []string{
	"boot_key_interval", "boot_keygroup_interval", "boot_wait", "ip_settle_timeout", "ip_wait_timeout", "pause_before",
	"pause_before_connecting",
	"pause_after", "restart_timeout", "shutdown_timeout", "ssh_handshake_timeout", "ssh_keep_alive_interval",
	"ssh_read_write_timeout",
	"ssh_timeout", "start_retry_timeout", "task_timeout", "timeout", "winrm_timeout",
}

// required reports settings that are missing, or whose value is none.
func required(found *finding.List, p *parts.Part) {
	for _, d := range demands[string(p.Kind)+"."+p.Name] {
		if d.in == "" {
			missing(found, p, d.oneOf)
			continue
		}
		for _, inner := range p.Blocks[d.in] {
			missing(found, inner, d.oneOf)
		}
	}
	if p.Kind == schemas.Builder && (strings.HasPrefix(p.Name, "vsphere-") || strings.HasPrefix(p.Name, "proxmox-")) {
		switch communicator := p.Attrs["communicator"]; {
		case communicator.Attr == nil, eval.StringOf(communicator.Value) == "ssh":
			missing(found, p, []string{"ssh_username"})
		case eval.StringOf(communicator.Value) == "winrm":
			missing(found, p, []string{"winrm_username"})
		}
	}
	acceptable(found, p)
}

func missing(found *finding.List, p *parts.Part, oneOf []string) {
	at := p.At
	how := "it is not there"
	for _, name := range oneOf {
		if p.Set(name) {
			return
		}
		if setting, ok := p.Attrs[name]; ok {
			at, how = setting.Attr.SrcRange, "its value is empty"
		}
	}
	if len(oneOf) > 1 {
		how = "none of them has a value"
	}
	found.Refuse(p.File, finding.RuleRequired, at,
		fmt.Sprintf("%s needs %s; %s", p.What, strings.Join(oneOf, " or "), how),
		"the plugin refuses to build without it")
}

// acceptable checks the values that Prepare would refuse.
func acceptable(found *finding.List, p *parts.Part) {
	for _, name := range slices.Sorted(maps.Keys(p.Attrs)) {
		setting := p.Attrs[name]
		text := eval.StringOf(setting.Value)
		if text == "" {
			continue
		}
		if allowed := choices[string(p.Kind)+"."+p.Name][name]; allowed != nil && !slices.Contains(allowed, text) {
			found.Refuse(p.File, finding.RuleValue, setting.Attr.Expr.Range(),
				fmt.Sprintf("%s of %s cannot be %.80q%s", name, p.What, text,
					finding.Near(text, allowed)), "known: "+strings.Join(allowed,
					", "))
		}
		if slices.Contains(durations, name) {
			if _, err := time.ParseDuration(text); err != nil {
				found.Refuse(p.File, finding.RuleValue, setting.Attr.Expr.Range(),
					fmt.Sprintf("%s of %s is no duration: %.40q", name, p.What, text), `write for example "90s", "10m" or "1h30m"`)
			}
		}
	}
}
