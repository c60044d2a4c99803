// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T01:55:00Z
// Spec: openspec/specs/leases/spec.md#requirement-marks-on-azure
// Diagram: openspec/specs/leases/diagram.md#reap-on-azure

package azure

import (
	"fmt"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v6"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armresources"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/platforms/platformtest"
	simulator "github.com/packer-hybrid/packer-hybrid/lab/azure"
)

// azureSix are the resources of a machine, as tests name them.
var azureSix = []string{
	"virtual-machine Microsoft.Compute/virtualMachines/%s", "network-interface Microsoft.Network/networkInterfaces/%s",
	"public-ip-address Microsoft.Network/publicIPAddresses/%s", "virtual-network Microsoft.Network/virtualNetworks/%s",
	"network-security-group Microsoft.Network/networkSecurityGroups/%s", "disk Microsoft.Compute/disks/%s_OsDisk_1",
}

// six lists the resources of a machine.
func (b *cloudBed) six(group, name string) []string {
	var all []string
	for _, form := range azureSix {
		kind, path, _ := strings.Cut(fmt.Sprintf(form, name), " ")
		all = append(all, kind+" "+b.id(group)+"/providers/"+path)
	}
	return all
}

// id is the identifier of a resource group.
func (b *cloudBed) id(group string) string {
	return "/subscriptions/" + b.server.Identity().Subscription + "/resourceGroups/" + group
}

// drop deletes a machine of a group, as the plugin does first.
func (b *cloudBed) drop(group, name string) {
	b.Helper()
	begun, err := b.client.compute.NewVirtualMachinesClient().BeginDelete(b.Context(), group, name, nil)
	if err := settle(b.T, begun, err); err != nil {
		b.Fatal(err)
	}
}

// half begins an image and a version whose capture does not end, and a version whose capture failed.
func (b *cloudBed) half(machine string, tags map[string]*string) []string {
	b.Helper()
	b.fail(
		"PUT /subscriptions/**/images/* task delay=1h\n" +
			"PUT /subscriptions/**/versions/9.0.0 task delay=1h\n" +
			"PUT /subscriptions/**/versions/9.0.1 task reason=broken",
	)
	defer b.faults.Clear()
	image := armcompute.Image{
		Location:   new(simulator.Location),
		Tags:       tags,
		Properties: &armcompute.ImageProperties{SourceVirtualMachine: &armcompute.SubResource{ID: &machine}},
	}
	if _, err := b.client.compute.NewImagesClient().
		BeginCreateOrUpdate(b.Context(), simulator.Group, deadName, image, nil); err != nil {
		b.Fatal(err)
	}
	version := armcompute.GalleryImageVersion{
		Location: new(simulator.Location),
		Tags:     tags,
		Properties: &armcompute.GalleryImageVersionProperties{
			StorageProfile: &armcompute.GalleryImageVersionStorageProfile{
				Source: &armcompute.GalleryArtifactVersionFullSource{VirtualMachineID: &machine},
			},
		},
	}
	versions := b.client.compute.NewGalleryImageVersionsClient()
	if _, err := versions.BeginCreateOrUpdate(
		b.Context(), simulator.Group, simulator.Gallery, "debian-12", "9.0.0", version, nil,
	); err != nil {
		b.Fatal(err)
	}
	if err := b.version("9.0.1", machine, tags); err == nil {
		b.Fatal("the version is whole")
	}
	gallery := b.id(
		simulator.Group,
	) + "/providers/Microsoft.Compute/galleries/" + simulator.Gallery + "/images/debian-12/versions/"
	return []string{
		"incomplete-managed-image " + b.id(simulator.Group) + "/providers/Microsoft.Compute/images/" + deadName,
		"incomplete-gallery-image-version " + gallery + "9.0.0", "incomplete-gallery-image-version " + gallery + "9.0.1",
	}
}

// others makes what belongs to somebody else, and returns a machine to capture.
func (b *cloudBed) others() string {
	b.Helper()
	mine := marks(deadRun, deadName)
	source := b.machine("source", nil)
	b.group("builds", mine)                       // a group of one's own that somebody tagged: no temporary name
	b.group("ph-untagged", nil)                   // a name is no mark
	b.group("ph-1", marks(deadRun+"0", deadName)) // another run's
	b.group("ph-2", marks(strings.ToUpper(deadRun), deadName))
	b.group("ph-3", marks(deadRun, deadName+"-copy"))          // another target of the run, which may live
	b.group("ph-4", marks(deadRun, "d\u0435bian-12-"+deadRun)) // looks the same
	b.group("ph-5", map[string]*string{"ph_run2": new(deadRun), "artifact": new(deadName)})
	b.group("xph-6", mine)
	b.deploy("builds", "other", marks(deadRun, "ubuntu-24.04-"+deadRun))
	b.deploy("builds", "theirs", nil)
	disk := "theirs_OsDisk_1" // has the tags, and is in use by a machine without
	patched, err := b.client.resources.BeginUpdateByID(
		b.Context(), b.id("builds")+"/providers/Microsoft.Compute/disks/"+disk, "2024-03-02",
		armresources.GenericResource{Tags: mine}, nil,
	)
	if err := settle(b.T, patched, err); err != nil {
		b.Fatal(err)
	}
	for group, tags := range map[string]map[string]*string{simulator.Group: nil, "builds": mine} { // complete
		if err := b.image(group, deadName+"-whole", source, tags); err != nil {
			b.Fatal(err)
		}
	}
	if err := b.version("1.0.0", source, mine); err != nil {
		b.Fatal(err)
	}
	return source
}

// reapBed is a simulated Azure with what belongs to others.
func reapBed(t *testing.T) *platformtest.Bed {
	t.Helper()
	b := newCloudBed(t)
	source := b.others()
	mine := marks(deadRun, deadName)
	whole := func() []string {
		b.group("ph-left", mine)
		b.deploy("ph-left", "m", mine)
		b.deploy("builds", "pkrvm1", mine)
		return append(append(b.six("builds", "pkrvm1"), "resource-group "+b.id("ph-left")), b.half(source, mine)...)
	}
	return &platformtest.Bed{
		Client:  b.client,
		Faults:  b.faults,
		Prefix:  "/subscriptions/**",
		Effects: "DELETE /subscriptions/**",
		Denied:  `DELETE /subscriptions/** status=403 reason="does not have authorization to perform action 'delete'"`,
		Hands: []string{
			"az group delete --name 'ph-left'",
			"az resource delete --ids '" + b.id("builds") + "/providers/Microsoft.Compute/virtualMachines/pkrvm1'",
			"Azure answers 403",
			"does not have authorization",
		},
		Inventory: func() []string {
			var all []string
			for _, g := range b.server.ResourceGroups() {
				all = append(all, fmt.Sprintf("%s %s %v %v", g.Name, g.State, g.Tags, g.Resources))
			}
			for _, i := range b.server.Images() {
				all = append(all, fmt.Sprintf("%s %s %v", i.ID, i.State, i.Tags))
			}
			for _, v := range b.server.GalleryVersions() {
				all = append(all, fmt.Sprintf("%s %s %v", v.ID, v.State, v.Tags))
			}
			return all
		},
		Orphans: []platformtest.Orphan{
			{Name: "everything at once", Leave: whole},
			{Name: "deletion of the group refused, exit 0", Leave: func() []string {
				b.group("ph-left", mine)
				b.deploy("ph-left", "m", mine)
				return []string{"resource-group " + b.id("ph-left")}
			}},
			{Name: "deletion of the machine refused in a group that stays", Leave: func() []string {
				b.deploy("builds", "pkrvm1", mine)
				return b.six("builds", "pkrvm1")
			}},
			{Name: "cancelled as GitHub does, own group", Leave: func() []string {
				b.group("ph-left", mine)
				b.deploy("ph-left", "m", mine)
				b.drop("ph-left", "m")
				return []string{"resource-group " + b.id("ph-left")}
			}},
			{Name: "cancelled as GitHub does, group that stays", Leave: func() []string {
				b.deploy("builds", "pkrvm1", mine)
				b.drop("builds", "pkrvm1")
				return b.six("builds", "pkrvm1")[1:]
			}},
			{Name: "cancelled during the capture", Leave: func() []string { return b.half(source, mine) }},
			{Name: "only the empty group", Leave: func() []string {
				b.group("PH-Left", mine)
				return []string{"resource-group " + b.id("PH-Left")}
			}},
		},
	}
}

// TestConformanceReap holds the client to what every platform's reap does.
func TestConformanceReap(t *testing.T) {
	t.Parallel()
	platformtest.Reap(t, reapBed)
}
