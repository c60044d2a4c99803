// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T05:30:00Z
// Spec: openspec/specs/platforms/spec.md#requirement-marks-of-a-release
// Diagram: openspec/specs/platforms/diagram.md#mark

package platforms

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armresources"
	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/vapi/library"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/lab/fault"
	lab "github.com/packer-hybrid/packer-hybrid/lab/proxmox"
)

const released = "debian-12-20261102t000000-0badcafe"

// theirs is what people write into notes.
const theirs = "Owner: Zoë <ops@example.org>; 100% \"mine\" & 'yours' \\ 日本\n\n" +
	"packer-hybrid release v0.9: debian-12, run somebody-said-so\n#!/bin/sh $(touch /tmp/x)"

var firstMark = hybridcore.Mark{Release: "v1.0.0", Image: "debian-12", RunID: "20261102t000000-0badcafe", Commit: strings.Repeat("ab", 20)}

// released is a platform with complete artifacts that have somebody's notes.
type markBed struct {
	*testing.T
	Client
	faults *fault.Injector
	uris   []hybridcore.URI
	read   func(int) string // all notes and tags of an artifact
	edit   func(int)        // somebody adds "edited by hand"
	remove func()           // all artifacts
	write  string           // method and path of the calls that mark
	blind  string           // kind of artifact without versions: what is edited at the same time may be lost
}

func (b *markBed) inject(text string) {
	b.Helper()
	b.faults.Clear()
	if err := b.faults.Load(text); err != nil {
		b.Fatal(err)
	}
}

func (b *markBed) mark(of hybridcore.URI, m hybridcore.Mark) (bool, error) {
	marker, ok := b.Client.(Marker)
	if !ok {
		b.Fatalf("a %T is no marker", b.Client)
	}
	return marker.Mark(b.Context(), of, m)
}

var markBeds = map[hybridcore.Platform]func(*testing.T) *markBed{
	hybridcore.Proxmox: proxmoxMarks, hybridcore.Azure: azureMarks, hybridcore.VSphere: vsphereMarks,
}

func proxmoxMarks(t *testing.T) *markBed {
	t.Helper()
	server, target := node(t)
	c := open(t, target)
	plant(t, server, 300, released, "template", "1", "description", theirs, "tags", "packer-hybrid;Zoe")
	at := machine{Node: lab.NodeName, VMID: 300}
	read := func(int) string {
		for _, v := range server.VMs() {
			if v.ID == 300 {
				return v.Settings["description"] + "\ntags " + v.Settings["tags"]
			}
		}
		return "gone"
	}
	return &markBed{
		T: t, Client: c, faults: server.Faults(), uris: []hybridcore.URI{{Kind: vmTemplate, Name: released, ID: at.id()}}, read: read,
		write: "POST /nodes/*/qemu/*/config",
		edit: func(int) {
			form := url.Values{"description": {strings.SplitN(read(0), "\ntags ", 2)[0] + "\nedited by hand"}}
			if err := c.call(t.Context(), http.MethodPost, at.path("config"), form, nil); err != nil {
				t.Error(err)
			}
		},
		remove: func() {
			if err := c.work(t.Context(), http.MethodDelete, at.path(), nil); err != nil {
				t.Fatal(err)
			}
		},
	}
}

func azureMarks(t *testing.T) *markBed {
	t.Helper()
	b := newCloudBed(t)
	source := b.machine("source", nil)
	tags := marks("20261102t000000-0badcafe", released)
	maps.Copy(tags, map[string]*string{"owner": new("Zoë <ops@example.org>; 100%"), "ph_release-v0.9": new("somebody said so")})
	if err := b.image("golden-images", released, source, tags); err != nil {
		t.Fatal(err)
	}
	if err := b.version("3.0.0", source, tags); err != nil {
		t.Fatal(err)
	}
	uris, err := b.client.Find(t.Context(), released)
	if err != nil || len(uris) != 2 {
		t.Fatalf("%v, %v", uris, err)
	}
	return &markBed{
		T: t, Client: b.client, faults: b.faults, uris: uris, write: "PATCH /subscriptions/**/tags/default",
		read: func(i int) string {
			has, err := b.client.tags.GetAtScope(t.Context(), strings.TrimPrefix(uris[i].ID, "/"), nil)
			if err != nil {
				return "gone"
			}
			var all []string
			for name, value := range has.Properties.Tags {
				all = append(all, name+"="+*value)
			}
			slices.Sort(all)
			return strings.Join(all, "\n")
		},
		edit: func(i int) {
			_, err := b.client.tags.UpdateAtScope(t.Context(), strings.TrimPrefix(uris[i].ID, "/"), armresources.TagsPatchResource{
				Operation: new(armresources.TagsPatchOperationMerge), Properties: &armresources.Tags{Tags: map[string]*string{"note": new("edited by hand")}},
			}, nil)
			if err != nil {
				t.Error(err)
			}
		},
		remove: func() {
			for _, u := range uris {
				version := "2024-03-01"
				if u.Kind == galleryVersion {
					version = "2023-07-03"
				}
				begun, err := b.client.resources.BeginDeleteByID(t.Context(), u.ID, version, nil)
				if err := settle(t, begun, err); err != nil {
					t.Fatal(err)
				}
			}
		},
	}
}

func vsphereMarks(t *testing.T) *markBed {
	t.Helper()
	target := with(vcenter(t), "vsphere_datastore", "LocalDS_0")
	v := newCenter(t, target)
	m := v.machine("", released, theirs)
	if err := m.MarkAsTemplate(t.Context()); err != nil {
		t.Fatal(err)
	}
	id := v.addItem(released, theirs, true)
	faults := &fault.Injector{}
	var host string
	if _, err := fmt.Sscanf(target.Variables[0].JSON, "%q", &host); err != nil {
		t.Fatal(err)
	}
	client, err := Open(t.Context(), with(target, "vsphere_endpoint", faulty(t, host, faults)))
	if err != nil {
		t.Fatal(err)
	}
	read := func(i int) string {
		if i == 0 {
			var known mo.VirtualMachine
			if err := m.Properties(t.Context(), m.Reference(), []string{"config.annotation"}, &known); err != nil {
				return "gone"
			}
			return known.Config.Annotation
		}
		item, err := v.items.GetLibraryItem(t.Context(), id)
		if err != nil {
			return "gone"
		}
		return *item.Description
	}
	return &markBed{
		T: t, Client: client, faults: faults, read: read, write: "* /sdk/ReconfigVM_Task", blind: libraryItem,
		uris: []hybridcore.URI{{Kind: vmTemplate, Name: released, ID: m.Reference().Value}, {Kind: libraryItem, Name: released, ID: id}},
		edit: func(i int) {
			notes := read(i) + "\nedited by hand"
			if i == 0 {
				v.must(m.Reconfigure(t.Context(), types.VirtualMachineConfigSpec{Annotation: notes}))
			} else if err := v.items.UpdateLibraryItem(t.Context(), &library.Item{ID: id, Description: &notes}); err != nil {
				t.Error(err)
			}
		},
		remove: func() {
			v.must(object.NewVirtualMachine(v.direct.soap.Client, m.Reference()).Destroy(t.Context()))
			if err := v.items.DeleteLibraryItem(t.Context(), &library.Item{ID: id}); err != nil {
				t.Fatal(err)
			}
		},
	}
}

// kept says whether all lines of before are in after.
func kept(before, after string) bool {
	for line := range strings.SplitSeq(before, "\n") {
		if line, tags := strings.CutPrefix(line, "tags "); tags {
			if !strings.Contains(after, "tags "+line) {
				return false
			}
		} else if !strings.Contains("\n"+after+"\n", "\n"+line+"\n") {
			return false
		}
	}
	return true
}

// writes are the rules that match the calls which mark: of vSphere also those
// of its library.
func (b *markBed) writes(effect string) string {
	if strings.Contains(b.write, "ReconfigVM_Task") {
		return "* /sdk/ReconfigVM_Task " + effect + "\nPATCH /** " + effect
	}
	return b.write + " " + effect
}

func TestConformanceMark(t *testing.T) {
	t.Parallel()
	for platform, begin := range markBeds {
		t.Run(string(platform), func(t *testing.T) {
			t.Parallel()
			b := begin(t)
			for i, of := range b.uris {
				b.adds(i, of)
				b.refusals(i, of)
				b.repeats(i, of)
				b.concurrent(i, of)
			}
			b.remove()
			for i, of := range b.uris {
				if _, err := b.mark(of, firstMark); err == nil || !strings.Contains(err.Error(), "there is no "+of.Kind+" "+of.ID) || b.read(i) != "gone" {
					t.Errorf("%s is gone: %v", of.Kind, err)
				}
			}
		})
	}
}

// adds marks an artifact for two releases: each once, beside what is there.
func (b *markBed) adds(i int, of hybridcore.URI) {
	b.Helper()
	before := b.read(i)
	second := firstMark
	second.Release = "v1.1.0"
	for _, m := range []hybridcore.Mark{firstMark, second} {
		if changed, err := b.mark(of, m); !changed || err != nil {
			b.Errorf("%s, %s: changed %v, %v", of.Kind, m.Release, changed, err)
		}
		once := b.read(i)
		if changed, err := b.mark(of, m); changed || err != nil || b.read(i) != once {
			b.Errorf("%s, %s again: changed %v, %v\n%s", of.Kind, m.Release, changed, err, b.read(i))
		}
	}
	after := b.read(i)
	if !kept(before, after) || strings.Count(after, firstMark.Text()) != 2 || !strings.Contains(after, "v1.0.0") || !strings.Contains(after, "v1.1.0") {
		b.Errorf("%s: before\n%s\nafter\n%s", of.Kind, before, after)
	}
}

// refusals are marks that change nothing.
func (b *markBed) refusals(i int, of hybridcore.URI) {
	b.Helper()
	before := b.read(i)
	other := firstMark
	other.RunID = "20261103t000000-00000001"
	if _, err := b.mark(of, other); hybridcore.ExitCode(err) != hybridcore.ExitBlocked || !strings.Contains(err.Error(), firstMark.Text()) {
		b.Errorf("%s: of another build: %v", of.Kind, err)
	}
	third := firstMark
	third.Release = "v1.2.0"
	b.inject(b.writes("status=403"))
	_, err := b.mark(of, third)
	b.faults.Clear()
	if err == nil || !strings.Contains(err.Error(), of.ID) || !strings.Contains(err.Error(), "v1.2.0") {
		b.Errorf("%s: without permission: %v", of.Kind, err)
	}
	for _, wrong := range []hybridcore.URI{
		{},
		{Kind: of.Kind, Name: of.Name},
		{Kind: of.Kind, ID: of.ID},
		{Kind: of.Kind, Name: of.Name + "x", ID: of.ID},
		{Kind: "vm", Name: of.Name, ID: of.ID},
		{Kind: of.Kind, Name: of.Name, ID: of.ID + "/../1"},
		{Kind: hybridcore.KindIncomplete + of.Kind, Name: of.Name, ID: of.ID},
		{Kind: of.Kind, Name: "*", ID: "*"},
	} {
		if changed, err := b.mark(wrong, third); changed || err == nil {
			b.Errorf("%+v was marked: %v, %v", wrong, changed, err)
		}
	}
	if after := b.read(i); after != before {
		b.Errorf("%s: before\n%s\nafter\n%s", of.Kind, before, after)
	}
}

// repeats breaks off when the mark is made, and makes it again.
func (b *markBed) repeats(i int, of hybridcore.URI) {
	b.Helper()
	third := firstMark
	third.Release = "v1.3.0"
	b.inject(b.writes("nth=1 status=403 after"))
	_, _ = b.mark(of, third) // whether it is an error is the platform's affair
	b.faults.Clear()
	if _, err := b.mark(of, third); err != nil {
		b.Errorf("%s: again: %v", of.Kind, err)
	}
	if after := b.read(i); strings.Count(after, "release v1.3.0: ")+strings.Count(after, "release-v1.3.0=") != 1 {
		b.Errorf("%s: interrupted and repeated:\n%s", of.Kind, after)
	}
}

// concurrent lets somebody edit an artifact while it is marked.
func (b *markBed) concurrent(i int, of hybridcore.URI) {
	b.Helper()
	fourth := firstMark
	fourth.Release = "v1.4.0"
	if of.Kind == b.blind {
		b.edit(i)
		_, err := b.mark(of, fourth)
		if after := b.read(i); err != nil || !strings.Contains(after, "edited by hand") || !strings.Contains(after, "v1.4.0") {
			b.Errorf("%s: %v\n%s", of.Kind, err, after)
		}
		return
	}
	b.inject(b.write + " nth=1 delay=1500ms")
	marked := make(chan error, 1)
	go func() {
		_, err := b.mark(of, fourth)
		marked <- err
	}()
	for deadline := time.Now().Add(10 * time.Second); b.faults.Hits()[0] == 0 && time.Now().Before(deadline); {
		time.Sleep(5 * time.Millisecond)
	}
	b.edit(i)
	if err := <-marked; err != nil {
		b.Errorf("%s: %v", of.Kind, err)
	}
	b.faults.Clear()
	if after := b.read(i); !strings.Contains(after, "edited by hand") || !strings.Contains(after, "v1.4.0") {
		b.Errorf("%s: an edit or the mark is lost:\n%s", of.Kind, after)
	}
}
