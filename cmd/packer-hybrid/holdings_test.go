// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:36:00Z
// Spec: openspec/specs/leases/spec.md#requirement-reap-exactly-what-a-dead-run-left
// Diagram: openspec/specs/leases/diagram.md#reap

package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/lab/azure"
	"github.com/packer-hybrid/packer-hybrid/lab/proxmox"
)

// holdings are what the simulated platforms hold: PLATFORM KIND ID, as reap
// names things, and what is to be seen of each.
type holdings map[string]string

// Kinds of what has no name of a run: reap finds it through a machine, or CDs
// through the lease.
const (
	kindCD     = "uploaded-cd"
	kindVolume = "volume"
)

// holdings looks into all three platforms, as their administrator.
func (b *bed) holdings(t *testing.T) holdings {
	t.Helper()
	all := holdings{}
	add := func(p hybridcore.Platform, kind, id string, seen any) {
		all[key(p, kind, id)] = fmt.Sprintf("%+v", seen)
	}
	kind := map[bool]string{false: "vm", true: "vm-template"}
	machines, err := b.lab.VSphere().Machines(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range machines {
		add(hybridcore.VSphere, kind[m.Template], m.ID, m)
	}
	items, err := b.lab.VSphere().LibraryItems(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range items {
		add(hybridcore.VSphere, "content-library-item", i.ID, i)
	}
	cds, err := filepath.Glob(filepath.Join(b.lab.VSphere().Datastore(), "packer_cache", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, cd := range cds {
		add(hybridcore.VSphere, kindCD, "[LocalDS_0] packer_cache/"+filepath.Base(cd), "")
	}
	for _, vm := range b.lab.Proxmox().VMs() {
		add(hybridcore.Proxmox, kind[vm.Template], fmt.Sprintf("%s/%d", proxmox.NodeName, vm.ID), vm)
	}
	for kind, storage := range map[string]string{kindCD: proxmox.ISOStorage, kindVolume: proxmox.DiskStorage} {
		volumes, err := b.lab.Proxmox().Volumes(storage)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range volumes {
			add(hybridcore.Proxmox, kind, v, "")
		}
	}
	for _, g := range b.lab.Azure().ResourceGroups() {
		if g.Name == azure.Group {
			g.Resources = nil // they are below
		}
		add(hybridcore.Azure, "resource-group", g.Name, g)
	}
	incomplete := map[bool]string{false: "incomplete-"}
	for _, i := range b.lab.Azure().Images() {
		add(hybridcore.Azure, incomplete[i.State == "Succeeded"]+"managed-image", i.ID, i)
	}
	for _, v := range b.lab.Azure().GalleryVersions() {
		add(hybridcore.Azure, incomplete[v.State == "Succeeded"]+"gallery-image-version", v.ID, v)
	}
	return all
}

func key(p hybridcore.Platform, kind, id string) string {
	return string(p) + " " + kind + " " + id
}

// keys names what reap says in the form of holdings.
func keys(p hybridcore.Platform, uris []hybridcore.URI) []string {
	var all []string
	for _, u := range uris {
		id := u.ID
		if u.Kind == "resource-group" {
			id = path.Base(id)
		}
		all = append(all, key(p, u.Kind, id))
	}
	return all
}

// without is what h has and other has not. CDs and volumes, which have nothing
// of a run in their names, are in the second list.
func (h holdings) without(other holdings) (named, nameless []string) {
	for _, k := range slices.Sorted(maps.Keys(h)) {
		if _, there := other[k]; there {
			continue
		}
		if kind := strings.Fields(k)[1]; kind == kindCD || kind == kindVolume {
			nameless = append(nameless, k)
		} else {
			named = append(named, k)
		}
	}
	return named, nameless
}

// plant puts things of other people on the platforms that look like what a run
// made, and returns which of them reap is to name as complete images.
func (b *bed) plant(t *testing.T, l hybridcore.Lease, before holdings) (kept []string, all holdings) {
	t.Helper()
	name, run := l.Artifact, l.RunID
	mine, other := "run "+run+", built by packer-hybrid", "run 20200101t000000-00000000, built by packer-hybrid"
	for i, one := range []struct {
		name, notes, tags string
		template          bool
		proxmoxToo        bool // there the name, which holds the run's ID, is a mark by itself
	}{
		{name: "x" + name, notes: mine, proxmoxToo: true},
		{name: name + "-2", notes: mine, tags: "ph-run-" + run, proxmoxToo: true},
		{name: strings.TrimSuffix(name, run), notes: mine, proxmoxToo: true},
		{name: name, notes: ""},
		{name: name, notes: other},
		{name: name, notes: mine, template: true, proxmoxToo: true},
		{name: "web-" + run, notes: other, proxmoxToo: true},
	} {
		if err := b.lab.VSphere().Plant(t.Context(), fmt.Sprintf("others-%d", i), one.name, one.notes,
			one.template); err != nil {
			t.Fatal(err)
		}
		if !one.proxmoxToo {
			continue
		}
		settings := map[string]string{"name": strings.TrimSuffix(one.name, "-"), "description": one.notes, "tags": one.tags}
		if one.template {
			settings["template"] = "1"
		}
		if err := b.lab.Proxmox().Plant(50000+len(b.lab.Proxmox().VMs()), settings); err != nil {
			t.Fatal(err)
		}
	}
	marks := map[string]string{"ph_run": run, "artifact": name}
	group := "ph-" + run + "-debian-12"
	for other, tags := range map[string]map[string]string{
		group + "-2": nil,
		"x" + group:  marks,
		group + "-3": {"ph_run": run},
		group + "-4": {"ph_run": run, "artifact": "x" + name},
		group + "-5": {"ph_run": run + "x", "artifact": name},
		"web-" + run: marks,
	} {
		b.lab.Azure().PlantGroup(other, tags)
	}
	for _, image := range []string{"x" + name, name + "-2"} {
		if err := b.lab.Azure().PlantImage(azure.Group, image, marks); err != nil {
			t.Fatal(err)
		}
	}
	all = b.holdings(t)
	planted, _ := all.without(before)
	for _, k := range planted {
		if strings.Contains(k, "vm-template") {
			kept = append(kept, k)
		}
	}
	if len(planted) != 20 || len(kept) != 2 {
		t.Fatalf("planted %d things, of them %d templates: %v", len(planted), len(kept), planted)
	}
	return kept, all
}

// leases reads the leases of the run that has just been killed.
func (b *bed) leases(t *testing.T) []hybridcore.Lease {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(b.dir, "state", "leases", "*", "*"))
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(files)
	var all []hybridcore.Lease
	for i, file := range files {
		if i+1 < len(files) && filepath.Dir(files[i+1]) == filepath.Dir(file) {
			continue // the newest of each target counts
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var stored struct{ Lease hybridcore.Lease }
		if err := json.Unmarshal(text, &stored); err != nil {
			t.Fatal(err)
		}
		if stored.Lease.Phase != hybridcore.PhaseReleased {
			all = append(all, stored.Lease)
		}
	}
	return all
}
