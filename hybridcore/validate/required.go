// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T01:58:00Z
// Spec: openspec/specs/static-validation/spec.md#requirement-what-prepare-demands
// Diagram: openspec/specs/static-validation/diagram.md#one-pass

package validate

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
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
func (s *scope) required(p *component) {
	for _, d := range demands[string(p.kind)+"."+p.name] {
		if d.in == "" {
			s.demand(p, d.oneOf)
			continue
		}
		for _, inner := range p.blocks[d.in] {
			s.demand(inner, d.oneOf)
		}
	}
	if p.kind == Builder && (strings.HasPrefix(p.name, "vsphere-") || strings.HasPrefix(p.name, "proxmox-")) {
		switch communicator := p.attrs["communicator"]; {
		case communicator.attr == nil, stringOf(communicator.value) == "ssh":
			s.demand(p, []string{"ssh_username"})
		case stringOf(communicator.value) == "winrm":
			s.demand(p, []string{"winrm_username"})
		}
	}
	s.acceptable(p)
}

func (s *scope) demand(p *component, oneOf []string) {
	at := p.at
	how := "it is not there"
	for _, name := range oneOf {
		if p.set(name) {
			return
		}
		if setting, ok := p.attrs[name]; ok {
			at, how = setting.attr.SrcRange, "its value is empty"
		}
	}
	if len(oneOf) > 1 {
		how = "none of them has a value"
	}
	s.refuse(p.file, RuleRequired, at, fmt.Sprintf("%s needs %s; %s", p.what, strings.Join(oneOf, " or "), how),
		"the plugin refuses to build without it")
}

// acceptable checks the values that Prepare would refuse.
func (s *scope) acceptable(p *component) {
	for _, name := range sortedKeys(p.attrs) {
		setting := p.attrs[name]
		text := stringOf(setting.value)
		if text == "" {
			continue
		}
		if allowed := choices[string(p.kind)+"."+p.name][name]; allowed != nil && !slices.Contains(allowed, text) {
			s.refuse(p.file, RuleValue, setting.attr.Expr.Range(),
				fmt.Sprintf("%s of %s cannot be %.80q%s", name, p.what, text, near(text, allowed)), "known: "+strings.Join(allowed,
					", "))
		}
		if slices.Contains(durations, name) {
			if _, err := time.ParseDuration(text); err != nil {
				s.refuse(p.file, RuleValue, setting.attr.Expr.Range(),
					fmt.Sprintf("%s of %s is no duration: %.40q", name, p.what, text), `write for example "90s", "10m" or "1h30m"`)
			}
		}
	}
}

// production refuses connections without TLS verification in an environment
// that is marked prod.
func (s *scope) production() {
	if !s.t.Prod {
		return
	}
	for _, p := range s.parts {
		if !p.own {
			continue
		}
		for _, name := range sortedKeys(p.attrs) {
			setting := p.attrs[name]
			if value := setting.value; !insecure(name) || !value.IsKnown() || value.IsNull() || value.Type() != cty.Bool ||
				value.False() {
				continue
			}
			s.insecure(p, name, setting)
		}
	}
}

// insecure says whether a setting of that name turns off the verification of a
// certificate.
func insecure(name string) bool {
	return strings.HasPrefix(name, "insecure_") || strings.HasSuffix(name, "_skip_tls_verify") ||
		strings.HasSuffix(name, "_insecure")
}

func (s *scope) insecure(p *component, name string, setting setting) {
	message := fmt.Sprintf("%s of %s is true in the environment %s, which is marked prod", name, p.what, s.t.Env)
	hint := "give the platform a certificate that this machine trusts"
	if t, ok := plain(setting.attr.Expr); ok && t.RootName() == "var" {
		if layer := s.winner(attrName(t, 1)); layer.File != "" {
			if file := s.parsed[layer.File]; file != nil {
				s.refuse(file, RuleInsecure, hcl.Range{Start: hcl.Pos{Line: layer.Line, Column: 1}},
					message+", by the variable "+attrName(t, 1), hint)
				return
			}
		}
	}
	s.refuse(p.file, RuleInsecure, setting.attr.SrcRange, message, hint)
}
