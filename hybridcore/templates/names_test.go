// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:02:00Z
// Spec: openspec/specs/templates/spec.md#requirement-names-that-a-platform-accepts
// Diagram: openspec/specs/templates/diagram.md#ways-to-build-on-one-platform

package templates_test

import (
	"strings"
	"testing"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/templates"
)

const runID = "20261122t224501-1a2b3c4d"

func TestNamesOfArtifacts(t *testing.T) {
	tests := []struct {
		platform hybridcore.Platform
		image    string
		want     string // empty: accepted
	}{
		{hybridcore.VSphere, strings.Repeat("a", 55), ""},
		{hybridcore.VSphere, strings.Repeat("a", 56), "it has 81 characters, a virtual machine's name at most 80"},
		{hybridcore.Azure, strings.Repeat("a", 55), ""},
		{hybridcore.Azure, strings.Repeat("a", 56), "a managed image is named with 1 to 80"},
		{hybridcore.Proxmox, "ubuntu-24.04", ""},
		{hybridcore.Proxmox, strings.Repeat("a", 38), ""},
		{hybridcore.Proxmox, strings.Repeat("a", 39), "at most 63 between dots"},
		{hybridcore.Proxmox, "base_image", `"base_image-20261122t224501-1a2b3c4d" is no part of one`},
		{hybridcore.Proxmox, "a-.b", `"a-" is no part of one`},
	}
	for _, test := range tests {
		target := hybridcore.Target{
			Platform: test.platform,
			Image:    hybridcore.Image{Name: test.image, File: "templates/images.hcl", Line: 4},
		}
		got := templates.CheckNames(target, test.image+"-"+runID)
		switch {
		case test.want == "" && len(got) > 0, test.want != "" && len(got) != 1:
			t.Errorf("%s on %s: %v", test.image, test.platform, got)
		case test.want != "" && (!strings.Contains(got[0].Message, test.want) || got[0].Line != 4 || !got[0].Blocking):
			t.Errorf("%s on %s: %v, want %q", test.image, test.platform, got[0], test.want)
		}
	}
}

func TestNamesInVariables(t *testing.T) {
	const home = `azure_location="westeurope" azure_gallery="g" `
	tests := []struct {
		platform  hybridcore.Platform
		variables string // NAME=JSON, separated by blanks
		want      string // empty: accepted
	}{
		{hybridcore.VSphere, `clone_from="golden/debian-12-base"`, ""},
		{hybridcore.VSphere, `clone_from="golden//base"`, "clone_from must be the name or the inventory path"},
		{hybridcore.VSphere, `clone_from="` + strings.Repeat("a", 81) + `"`, "1 to 80 characters"},
		{hybridcore.Proxmox, `clone_from="debian-12-base"`, ""},
		{hybridcore.Proxmox, `clone_from="9000"`, ""},
		{hybridcore.Proxmox, `clone_from="99"`, "is no number of a template on Proxmox VE: 100 to 999999999"},
		{hybridcore.Proxmox, `clone_from="1000000000"`, "is no number of a template"},
		{hybridcore.Proxmox, `clone_from="base_image"`, "clone_from names no template on Proxmox VE"},
		{hybridcore.Azure, `azure_managed_image=true azure_gallery=""`, ""},
		{hybridcore.Azure, `azure_managed_image=false azure_gallery=""`, "the build would leave nothing"},
		{hybridcore.Azure, `azure_resource_group="golden-images"`, ""},
		{hybridcore.Azure, `azure_resource_group="golden."`, "azure_resource_group = \"golden.\" is not accepted by Azure"},
		{hybridcore.Azure, home + `azure_gallery="my-gallery"`, "a gallery's name has no '-'"},
		{hybridcore.Azure, home + `azure_gallery_image="debian_12"`, ""},
		{hybridcore.Azure, home + `azure_gallery_image="-debian"`, "azure_gallery_image = \"-debian\" is not accepted"},
		{hybridcore.Azure, home + `azure_gallery_version="2026.1122.93005"`, ""},
		{hybridcore.Azure, home + `azure_gallery_version="1.2"`, "three whole numbers"},
		{hybridcore.Azure, home + `azure_gallery_version="1.02.3"`, "three whole numbers"},
		{hybridcore.Azure, home + `azure_gallery_version="1.2.2147483648"`, "2147483648 is larger than 2147483647"},
		{hybridcore.Azure, home + `azure_gallery_regions=[]`, ""},
		{
			hybridcore.Azure, home + `azure_gallery_regions=[{"name":"West_Europe","replicas":1}]`,
			"lacks azure_location, westeurope",
		},
		{
			hybridcore.Azure, home + `azure_gallery_regions=[{"name":"westeurope","replicas":101}]`,
			"westeurope has 101 replicas",
		},
		{
			hybridcore.Azure, home +
				`azure_gallery_regions=[{"name":"westeurope","replicas":1},{"name":"WestEurope","replicas":1}]`,
			`names "WestEurope" twice`,
		},
		{hybridcore.Azure, home +
			`azure_gallery_regions=[{"name":"westeurope","replicas":2},{"name":"northeurope","replicas":100}]`, ""},
	}
	for _, test := range tests {
		target := hybridcore.Target{Platform: test.platform, Image: hybridcore.Image{Name: "debian-12"}}
		for i, entry := range strings.Fields(test.variables) {
			name, json, _ := strings.Cut(entry, "=")
			target.Variables = append(target.Variables, hybridcore.Variable{Name: name, JSON: json, Layers: []hybridcore.Layer{
				{Name: "default", File: "templates/x.pkr.hcl", Line: 1},
				{Name: "configs/prod/azure", File: "configs/prod/azure.pkrvars.hcl", Line: i + 1},
			}})
		}
		got := templates.CheckNames(target, "debian-12-"+runID)
		switch {
		case test.want == "" && len(got) > 0, test.want != "" && len(got) != 1:
			t.Errorf("%s: %v", test.variables, got)
		case test.want != "" && (!strings.Contains(got[0].Message, test.want) ||
			got[0].File != "configs/prod/azure.pkrvars.hcl" || got[0].Line == 0):
			t.Errorf("%s: %v, want %q", test.variables, got[0], test.want)
		}
	}
}
