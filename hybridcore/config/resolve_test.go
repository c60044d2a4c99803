// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:16:15Z
// Spec: openspec/specs/config/spec.md#requirement-variable-layers-with-provenance
// Diagram: openspec/specs/config/diagram.md#layers-of-a-variable

package config_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/config"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/goldentest"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/hclfile"
)

const declared = `
variable "run_id" { type = string }
variable "vm_memory_mb" {
  type    = number
  default = 2048
}
variable "packages" {
  type    = list(string)
  default = []
}
variable "users" {
  type    = list(object({ name = string, sudo = bool }))
  default = []
}
variable "build_password" {
  type        = string
  sensitive   = true
  description = "Password of the build account."
}
variable "keys" {
  type      = list(string)
  sensitive = true
  default   = []
}
variable "vsphere_endpoint" { type = string }
variable "vsphere_host" {
  type    = string
  default = null
}
`

// input reads declarations and layers from texts; layers are NAME=TEXT.
func input(t *testing.T, declarations string, layers ...string) config.Input {
	t.Helper()
	file, err := hclfile.Parse([]byte(declarations), "templates/common.pkr.hcl", hclfile.Template())
	if err != nil {
		t.Fatal(err)
	}
	decls, findings := file.Declarations()
	if len(findings) > 0 {
		t.Fatal(findings)
	}
	for i := range decls {
		decls[i].Common = !strings.HasPrefix(decls[i].Name, "vsphere_")
	}
	dir := t.TempDir()
	var places []hybridcore.Layer
	for _, layer := range layers {
		name, text, _ := strings.Cut(layer, "=")
		path := name + ".pkrvars.hcl"
		write(t, filepath.Join(dir, path), text)
		places = append(places, hybridcore.Layer{Name: name, File: path})
	}
	places = append(places, hybridcore.Layer{Name: "absent", File: "absent.pkrvars.hcl"})
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	read, findings := config.NewReader(root).Layers(places)
	if len(findings) > 0 {
		t.Fatal(findings)
	}
	return config.Input{Platform: hybridcore.VSphere, Env: "prod", Declarations: decls, Layers: read}
}

func TestResolve(t *testing.T) {
	in := input(t, declared,
		"linux/common=packages = [\"a\"]\nvm_memory_mb = \"4096\"\n",
		"linux/vsphere=\nvm_memory_mb = 8192\nproxmox_node = \"pve\"\n",
		"configs/prod/vsphere=vsphere_endpoint = \"vc\"\nkeys = []\nusers = [{ sudo = true, name = \"op\", more = 1 "+
			"}]\nbuild_password = \"CHANGE_ME\"\n")
	in.Elsewhere = []string{"proxmox_node"}
	in.Environ = []string{
		"HOME=/root", "PKR_VAR_build_password=pa$s \"${w}\"", "PKR_VAR_packages=[\"x\", \"y\"]", "PKR_VAR_keys=[\"k\"]",
		"PKR_VAR_vm_memory_mb=1", "PKR_VAR_vm_memory_mb=16384", "PKR_VAR_other=1",
	}
	in.Run = map[string]string{"run_id": `"20261122"`, "not_declared": `1`}
	vars, findings := config.Resolve(in)
	if len(findings) > 0 {
		t.Fatal(findings)
	}
	goldentest.Compare(t, "resolve.golden", describe(t, vars))
	for _, v := range vars {
		if v.Name == "build_password" && v.JSON != `"pa$s \"${w}\""` {
			t.Errorf("password is %s", v.JSON)
		}
		if v.Name == "keys" && v.JSON != `["k"]` {
			t.Errorf("keys are %s", v.JSON)
		}
	}
}

func describe(t *testing.T, vars []hybridcore.Variable) string {
	t.Helper()
	var b strings.Builder
	for _, v := range vars {
		fmt.Fprintf(&b, "%s connection=%v run=%v common=%v\n", v, v.Connection, v.Run, v.Common)
		for _, layer := range v.Layers {
			text, err := json.Marshal(layer)
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&b, "  %s\n", text)
		}
	}
	return b.String()
}

func TestResolveFindsEverything(t *testing.T) {
	in := input(t, declared,
		"linux/common=vm_memroy_mb = 1\nvm_memory_mb = \"much\"\npackages = \"vim\"\n",
		"configs/prod/common=build_password = \"<set me>\"\nusers = [{ name = \"a\", sudo = \"perhaps\" }]\nkeys = "+
			"[\"hunter2\"]\n",
		"configs/prod/vsphere=some_token = \"hunter2\"\nvsphere_host = \"-----BEGIN OPENSSH PRIVATE KEY-----\\nhunter2\"\n")
	in.Environ = []string{
		"PKR_VAR_packages=vim", "PKR_VAR_users=hunter2(", "PKR_VAR_vsphere_endpiont=vc",
		"PKR_VAR_keys=hunter2",
	}
	in.Run = map[string]string{"run_id": `{`}
	vars, findings := config.Resolve(in)
	var b strings.Builder
	for _, f := range findings {
		fmt.Fprintf(&b, "[%s %s blocking=%v] %s\n", f.Kind, f.Severity, f.Blocking, f)
	}
	if text := b.String() + describe(t, vars); strings.Contains(text, "hunter2") {
		t.Errorf("a secret shows:\n%s", text)
	}
	goldentest.Compare(t, "findings.golden", b.String())
	if hybridcore.Blocked(findings) != hybridcore.BlockedByRule {
		t.Error("a leak must block by rule")
	}
}

func TestSecretsInFiles(t *testing.T) {
	tests := map[string]struct {
		declaration, value string
		leaks, missing     bool
	}{
		"plain":       {`variable "pin" { sensitive = true }`, `"1234"`, true, false},
		"empty":       {`variable "pin" { sensitive = true }`, `""`, false, false},
		"null":        {`variable "pin" { sensitive = true }`, `null`, false, false},
		"placeholder": {`variable "pin" { sensitive = true }`, `"CHANGE_ME"`, false, true},
		"angle":       {`variable "pin" { sensitive = true }`, `"<your pin>"`, false, true},
		"stars":       {`variable "pin" { sensitive = true }`, `"******"`, false, true},
		"number":      {`variable "pin" { sensitive = true, type = number }`, `1234`, true, false},
		"list":        {`variable "pin" { sensitive = true, type = list(string) }`, `["a"]`, true, false},
		"by name":     {`variable "db_password" { type = string }`, `"x"`, true, false},
		"path":        {`variable "private_key_file" { type = string }`, `"~/.ssh/id"`, false, false},
		"key in a plain list": {
			`variable "files" { type = list(string) }`, `["-----BEGIN RSA PRIVATE KEY-----"]`, true,
			false,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			declaration := strings.ReplaceAll(strings.ReplaceAll(strings.ReplaceAll(test.declaration, "{ ", "{\n"), ", ", "\n"),
				" }", "\n}\n")
			variable := strings.Split(declaration, `"`)[1]
			_, findings := config.Resolve(input(t, declaration, "x="+variable+" = "+test.value+"\n"))
			leaks, missing := false, false
			for _, f := range findings {
				leaks = leaks || f.Kind == config.KindLeak && f.Blocking && f.Source == "" && f.Line == 1 &&
					f.File == "x.pkrvars.hcl"
				missing = missing || f.Kind == hybridcore.KindVariable &&
					strings.Contains(f.Hint, "export PKR_VAR_"+variable+"; a secret belongs into no file")
			}
			if leaks != test.leaks || missing != test.missing {
				t.Errorf("leaks %v, missing %v: %v", leaks, missing, findings)
			}
		})
	}
}

func TestWhatCannotBePassedOn(t *testing.T) {
	tests := map[string]struct{ declaration, env, value string }{
		"list of any type": {"variable \"s\" {\n  sensitive = true\n}\n", "", "[]"},
		"null over default": {
			"variable \"s\" {\n  type      = string\n  sensitive = true\n  default   = \"\"\n}\n", "",
			"null",
		},
		"NUL":   {"variable \"s\" {\n  type      = list(string)\n  sensitive = true\n}\n", `PKR_VAR_s=["\u0000"]`, ""},
		"bytes": {"variable \"s\" {\n  type      = string\n  sensitive = true\n}\n", "PKR_VAR_s=\xff", ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			text := "x="
			if test.value != "" {
				text += "s = " + test.value + "\n"
			}
			in := input(t, test.declaration, text)
			in.Environ = []string{test.env}
			if _, findings := config.Resolve(in); hybridcore.Blocked(findings) != hybridcore.BlockedByForm {
				t.Errorf("findings %v", findings)
			}
		})
	}
}

func TestReaderReportsEachFileAndKeepsTheRest(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "good.hcl"), "a = 1\n")
	write(t, filepath.Join(dir, "call.hcl"), "a = 1\nb = f()\n")
	write(t, filepath.Join(dir, "deep.hcl"), strings.Repeat("[", 200_000))
	if err := os.Mkdir(filepath.Join(dir, "dir.hcl"), 0o700); err != nil {
		t.Fatal(err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	reader := config.NewReader(root)
	var places []hybridcore.Layer
	for _, name := range []string{"dir.hcl", "good.hcl", "none.hcl", "call.hcl", "deep.hcl"} {
		places = append(places, hybridcore.Layer{Name: name, File: name})
	}
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			layers, findings := reader.Layers(places)
			if len(layers) != 2 || layers[0].Name != "good.hcl" || layers[1].Values["a"].JSON != "1" {
				t.Errorf("layers %v", layers)
			}
			var at []string
			for _, f := range findings {
				at = append(at, fmt.Sprintf("%s:%d", f.File, f.Line))
			}
			if diff := cmp.Diff([]string{"dir.hcl:0", "call.hcl:2", "deep.hcl:1"}, at); diff != "" {
				t.Error(diff)
			}
		})
	}
	group.Wait()
}
