// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T05:30:00Z
// Spec: openspec/specs/platforms/spec.md#requirement-marks-of-a-release
// Diagram: openspec/specs/platforms/diagram.md#mark

package azure

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armresources"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/platforms/platformtest"
)

// markBed is a simulated Azure with an image and a version that have somebody's tags.
func markBed(t *testing.T) *platformtest.MarkBed {
	t.Helper()
	b := newCloudBed(t)
	source := b.machine("source", nil)
	tags := marks("20261102t000000-0badcafe", released)
	maps.Copy(
		tags, map[string]*string{"owner": new("Zoë <ops@example.org>; 100%"), "ph_release-v0.9": new("somebody said so")},
	)
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
	return &platformtest.MarkBed{
		T: t, Client: b.client, Faults: b.faults, URIs: uris, Writes: []string{"PATCH /subscriptions/**/tags/default"},
		Read: func(i int) string {
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
		Edit: func(i int) {
			_, err := b.client.tags.UpdateAtScope(
				t.Context(),
				strings.TrimPrefix(uris[i].ID, "/"),
				armresources.TagsPatchResource{
					Operation: new(
						armresources.TagsPatchOperationMerge,
					),
					Properties: &armresources.Tags{Tags: map[string]*string{"note": new("edited by hand")}},
				},
				nil,
			)
			if err != nil {
				t.Error(err)
			}
		},
		Remove: func() {
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

// TestConformanceMark holds the client to how every platform marks.
func TestConformanceMark(t *testing.T) {
	t.Parallel()
	platformtest.Mark(t, markBed)
}
