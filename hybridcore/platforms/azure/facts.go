// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T14:18:00Z
// Spec: openspec/specs/platforms/spec.md#requirement-fingerprints
// Diagram: openspec/specs/platforms/diagram.md#fingerprint

package azure

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v6"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/platforms/platform"
)

// imageFacts are what a managed image is made of. When it was made only the list of resources tells.
func imageFacts(i *armcompute.Image, made *time.Time) (map[string]string, error) {
	f := platform.Facts{}
	f.Set(hybridcore.FactIdentity, day(made))
	common(f, i.Location, i.Tags, optional(i.Properties.ProvisioningState))
	f.Set("generation", optional(i.Properties.HyperVGeneration))
	if source := i.Properties.SourceVirtualMachine; source != nil {
		f.Set("source", identifier(source.ID))
	}
	storage := i.Properties.StorageProfile
	if storage == nil {
		return f.Bounded()
	}
	flag(f, "zone resilient", storage.ZoneResilient)
	if d := storage.OSDisk; d != nil {
		f.Set("system", words(optional(d.OSType), optional(d.OSState)))
		f.Set("disk system", words(gigabytes(d.DiskSizeGB), optional(d.StorageAccountType), optional(d.Caching),
			subresource(d.ManagedDisk), subresource(d.Snapshot), optional(d.BlobURI)))
	}
	for n, d := range storage.DataDisks {
		if d == nil {
			return nil, nullDisk(n)
		}
		f.Set("disk "+lun(d.Lun, n), words(gigabytes(d.DiskSizeGB), optional(d.StorageAccountType), optional(d.Caching),
			subresource(d.ManagedDisk), subresource(d.Snapshot), optional(d.BlobURI)))
	}
	return f.Bounded()
}

// versionFacts are what a version in a gallery is made of, where it is, and what it is a version of.
func versionFacts(v *armcompute.GalleryImageVersion, of *armcompute.GalleryImage) (map[string]string, error) {
	f := platform.Facts{}
	common(f, v.Location, v.Tags, optional(v.Properties.ProvisioningState))
	if err := published(f, v.Properties.PublishingProfile); err != nil {
		return nil, err
	}
	if err := stored(f, v.Properties.StorageProfile); err != nil {
		return nil, err
	}
	if status := v.Properties.ReplicationStatus; status != nil {
		for n, one := range status.Summary {
			if one == nil {
				return nil, fmt.Errorf("the status of its replication has null as entry %d", n+1)
			}
			f.Set(hybridcore.FactReplication+region(one.Region), optional(one.State))
		}
	}
	if of == nil || of.Properties == nil {
		return f.Bounded()
	}
	f.Set("generation", optional(of.Properties.HyperVGeneration))
	f.Set("system", words(optional(of.Properties.OSType), optional(of.Properties.OSState)))
	f.Set("architecture", optional(of.Properties.Architecture))
	f.Set(hybridcore.FactDefinitionEnd, day(of.Properties.EndOfLifeDate))
	for n, one := range of.Properties.Features {
		if one == nil {
			return nil, fmt.Errorf("the features of its definition have null as entry %d", n+1)
		}
		f.Set("feature "+optional(one.Name), optional(one.Value))
	}
	return f.Bounded()
}

// published is to whom, where and how long a version is offered.
func published(f platform.Facts, p *armcompute.GalleryImageVersionPublishingProfile) error {
	if p == nil {
		return nil
	}
	f.Set(hybridcore.FactEndOfLife, day(p.EndOfLifeDate))
	flag(f, hybridcore.FactExcluded, p.ExcludeFromLatest)
	f.Set(hybridcore.FactIdentity, day(p.PublishedDate))
	for n, one := range p.TargetRegions {
		if one == nil {
			return fmt.Errorf("its target regions have null as entry %d", n+1)
		}
		replicas := int32(1)
		if one.RegionalReplicaCount != nil {
			replicas = *one.RegionalReplicaCount
		}
		f.Set(hybridcore.FactRegion+region(one.Name),
			words(strconv.Itoa(int(replicas))+" copies", optional(one.StorageAccountType)))
	}
	return nil
}

// stored is what a version was made of, and its disks.
func stored(f platform.Facts, s *armcompute.GalleryImageVersionStorageProfile) error {
	if s == nil {
		return nil
	}
	if source := s.Source; source != nil {
		f.Set("source", words(identifier(source.ID), identifier(source.VirtualMachineID),
			optional(source.CommunityGalleryImageID)))
	}
	if d := s.OSDiskImage; d != nil {
		f.Set("disk system", words(gigabytes(d.SizeInGB), optional(d.HostCaching), origin(d.Source)))
	}
	for n, d := range s.DataDiskImages {
		if d == nil {
			return nullDisk(n)
		}
		f.Set("disk "+lun(d.Lun, n), words(gigabytes(d.SizeInGB), optional(d.HostCaching), origin(d.Source)))
	}
	return nil
}

// common are facts of both.
func common(f platform.Facts, location *string, tags map[string]*string, state string) {
	f.Set("location", region(location))
	if state == string(armcompute.GalleryProvisioningStateSucceeded) {
		state = hybridcore.StateComplete
	}
	f.Set(hybridcore.FactState, state)
	for name, value := range tags {
		name = strings.ToLower(name) // Azure does not tell them apart by case
		switch {
		case strings.HasPrefix(name, strings.ToLower(tagRelease+hybridcore.Mark{}.Tag())), strings.HasPrefix(name, "hidden-"):
		case name == tagRun:
			f.Set(hybridcore.FactMark, optional(value))
		default:
			f.Tag(name, optional(value))
		}
	}
}

func flag(f platform.Facts, name string, on *bool) {
	if on != nil {
		f.Set(name, strconv.FormatBool(*on))
	}
}

// words are those of some words that there are.
func words(all ...string) string {
	return strings.Join(strings.FieldsFunc(strings.Join(all, "\n"), func(r rune) bool { return r == '\n' }), ", ")
}

// identifier is an identifier in one form: Azure does not tell them apart by case.
func identifier(id *string) string { return strings.ToLower(optional(id)) }

func subresource(of *armcompute.SubResource) string {
	if of == nil {
		return ""
	}
	return identifier(of.ID)
}

func origin(of *armcompute.GalleryDiskImageSource) string {
	if of == nil {
		return ""
	}
	return words(identifier(of.ID), identifier(of.StorageAccountID), optional(of.URI))
}

// region is the name of a region as identifiers have it: "West Europe" is westeurope.
func region(name *string) string { return strings.ToLower(strings.ReplaceAll(optional(name), " ", "")) }

func gigabytes(n *int32) string {
	if n == nil {
		return ""
	}
	return strconv.Itoa(int(*n)) + " GiB"
}

// lun is the number of a data disk; without one, its place in the list.
func lun(n *int32, at int) string {
	if n == nil {
		return "number " + strconv.Itoa(at+1)
	}
	return "lun " + strconv.Itoa(int(*n))
}

func nullDisk(n int) error { return fmt.Errorf("its data disks have null as entry %d", n+1) }

// day is a time in one form.
func day(t *time.Time) string {
	if t == nil || t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
