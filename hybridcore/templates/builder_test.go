// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:00:00Z
// Spec: openspec/specs/templates/spec.md#requirement-ways-to-build
// Diagram: openspec/specs/templates/diagram.md#ways-to-build-on-one-platform

package templates_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/templates"
)

// from is a value of build_from that a site's file sets.
func from(way string) hybridcore.Variable {
	return hybridcore.Variable{Name: "build_from", JSON: `"` + way + `"`, Layers: []hybridcore.Layer{
		{Name: "configs/lab/vsphere", File: "configs/lab/vsphere.pkrvars.hcl", Line: 7},
	}}
}

// The project's own templates: what is staged for each way to build.
func TestWaysToBuild(t *testing.T) {
	set := load(t, "../..")
	tests := []struct {
		platform hybridcore.Platform
		from     string
		source   string
		files    []string // beside the common ones
		asks     string   // a variable that only this way has
		ignores  string   // and one that it has not
	}{
		{
			hybridcore.VSphere, "iso", "vsphere-iso.linux",
			[]string{"from-iso", "from", "installers/debian/preseed.cfg.pkrtpl.hcl", "os-linux-iso", "vsphere-iso", "vsphere"},
			"iso_file", "clone_from",
		},
		{
			hybridcore.VSphere, "clone", "vsphere-clone.linux",
			[]string{"from-clone", "from", "vsphere-clone", "vsphere"},
			"clone_from", "iso_file",
		},
		{
			hybridcore.Proxmox, "iso", "proxmox-iso.linux",
			[]string{"from-iso", "from", "installers/debian/preseed.cfg.pkrtpl.hcl", "os-linux-iso", "proxmox-iso", "proxmox"},
			"boot_command", "clone_from",
		},
		{
			hybridcore.Proxmox, "clone", "proxmox-clone.linux",
			[]string{"from-clone", "from", "proxmox-clone", "proxmox"},
			"clone_from", "boot_command",
		},
		{hybridcore.Azure, "", "azure-arm.linux", []string{"azure"}, "azure_image", "build_from"},
	}
	for _, test := range tests {
		t.Run(string(test.platform)+" "+test.from, func(t *testing.T) {
			target, err := set.Target("debian-12", test.platform, "lab", from(test.from))
			if err != nil {
				t.Fatal(err)
			}
			var files []string
			for _, f := range target.Files {
				name := strings.TrimSuffix(f.Path, ".pkr.hcl")
				if strings.HasSuffix(name, ".hcl") || (name != f.Path && !f.Common) {
					files = append(files, name)
				}
			}
			if diff := cmp.Diff(test.files, files); diff != "" || target.Source != test.source {
				t.Errorf("source %s, files (-want +got):\n%s", target.Source, diff)
			}
			var declared []string
			for _, d := range set.Declarations(target) {
				declared = append(declared, d.Name)
			}
			elsewhere := set.Elsewhere(target)
			if !slices.Contains(declared, test.asks) || slices.Contains(elsewhere, test.asks) {
				t.Errorf("%s is not declared", test.asks)
			}
			if slices.Contains(declared, test.ignores) || !slices.Contains(elsewhere, test.ignores) {
				t.Errorf("%s is declared", test.ignores)
			}
			if chooses := len(set.Choice(test.platform)) == 1; chooses != (test.from != "") {
				t.Errorf("there is a choice: %v", chooses)
			}
		})
	}
	_, err := set.Target("debian-12", hybridcore.VSphere, "lab", from("ovf"))
	if want := "configs/lab/vsphere.pkrvars.hcl:7: VMware vSphere has no template for build_from = \"ovf\"; it can " +
		"build from: clone, iso"; err == nil ||
		!strings.HasPrefix(err.Error(), want) || hybridcore.ExitCode(err) != hybridcore.ExitUsage {
		t.Errorf("error %v, want %q", err, want)
	}
}

func TestWaysThatDoNotFit(t *testing.T) {
	const clone = "locals {\n  sources = [\"source.vsphere-clone.linux\"]\n}\nsource \"vsphere-clone\" \"linux\" {}\n"
	const choice = "variable \"build_from\" { default = \"clone\" }\n"
	tests := map[string]struct {
		files map[string]string
		want  string
	}{
		"no choice": {
			map[string]string{"platforms/vsphere-clone.pkr.hcl": clone, "platforms/vsphere.pkr.hcl": ""},
			"templates/platforms/vsphere-clone.pkr.hcl: no template declares the variable build_from",
		},
		"sources for all": {
			map[string]string{"platforms/vsphere-clone.pkr.hcl": clone, "from/common.pkr.hcl": choice},
			"templates/platforms/vsphere.pkr.hcl: local.sources stands in a template that all ways to build share",
		},
		"no sources": {
			map[string]string{
				"platforms/vsphere-clone.pkr.hcl": "", "platforms/vsphere.pkr.hcl": "",
				"from/common.pkr.hcl": choice,
			},
			"templates/platforms/vsphere-clone.pkr.hcl: the template of a platform must say what it builds with",
		},
		"declared twice": {
			map[string]string{
				"platforms/vsphere-clone.pkr.hcl": clone, "platforms/vsphere.pkr.hcl": "variable \"build_from\" {}",
				"from/common.pkr.hcl": choice,
			},
			"templates/platforms/vsphere.pkr.hcl:1: the variable build_from is declared twice, first at " +
				"templates/from/common.pkr.hcl:1",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			dir := fixture(t)
			for file, text := range test.files {
				write(t, filepath.Join(dir, "templates", file), text)
			}
			_, err := templates.Load(open(t, dir))
			if err == nil || !strings.Contains(err.Error(), test.want) || strings.Count(err.Error(), test.want) != 1 {
				t.Errorf("error %v, want %q once", err, test.want)
			}
		})
	}
}

func TestTemplateThatNothingUses(t *testing.T) {
	dir := fixture(t)
	write(t, filepath.Join(dir, "templates/platforms/vspere-clone.pkr.hcl"), "")
	for _, f := range load(t, dir).Warnings() {
		if f.File == "templates/platforms/vspere-clone.pkr.hcl" {
			return
		}
	}
	t.Error("not told")
}

// A plugin that moved is required in the stage under the address that is there.
func TestStageRequiresWhatIsInstalled(t *testing.T) {
	dir := fixture(t)
	found := target(t, dir)
	plugins := load(t, dir).Plugins(found)
	if diff := cmp.Diff([]string{"github.com/hashicorp/vsphere", "github.com/vmware/vsphere"},
		plugins[1].Addresses()); diff != "" {
		t.Fatal(diff)
	}
	plugins[0].Installed, plugins[1].Installed = plugins[0].Source, "github.com/vmware/vsphere"
	work := filepath.Join(t.TempDir(), "work")
	if err := templates.Stage(found, open(t, dir), work, plugins); err != nil {
		t.Fatal(err)
	}
	for name, from := range map[string]string{
		"vsphere.pkr.hcl": "platforms/vsphere.pkr.hcl",
		"common.pkr.hcl":  "common.pkr.hcl",
	} {
		was, err := os.ReadFile(filepath.Join(dir, "templates", from))
		if err != nil {
			t.Fatal(err)
		}
		is, err := os.ReadFile(filepath.Join(work, name))
		if err != nil {
			t.Fatal(err)
		}
		want := strings.ReplaceAll(string(was), "github.com/hashicorp/vsphere", "github.com/vmware/vsphere")
		if diff := cmp.Diff(want, string(is)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
