// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T01:58:00Z
// Spec: openspec/specs/stand-ins/spec.md#requirement-builds-like-the-real-plugin
// Diagram: openspec/specs/stand-ins/diagram.md#a-build

package azure

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"strings"
	"time"

	"github.com/hashicorp/packer-plugin-sdk/multistep"
)

// Versions of the API that the real plugin calls.
const (
	groups      = "2022-09-01" // and deployments
	machines    = "2022-03-01" // and managed images
	disks       = "2022-03-02"
	networks    = "2023-09-01"
	galleries   = "2023-07-03"
	undoTimeout = 10 * time.Minute
)

// Limits of the number of copies in a region.
const (
	minReplicas = 1
	maxReplicas = 100
)

func (b *build) groupID(subscription, name string) string {
	return "/subscriptions/" + subscription + "/resourceGroups/" + name
}

// own is the id of one of the build's own things.
func (b *build) own(kind, name string) string {
	return b.groupID(b.Subscription, b.names.group) + "/providers/" + kind + "/" + name
}

func (b *build) machineID() string {
	return b.own("Microsoft.Compute/virtualMachines", b.names.compute)
}

func (b *build) deploymentID() string {
	return b.own("Microsoft.Resources/deployments", b.names.deployment)
}

func (b *build) imageID() string {
	return b.groupID(b.Subscription, b.Image.Group) + "/providers/Microsoft.Compute/images/" + b.Image.Name
}

// definitionID is the id of the gallery's image, of which the build makes a version.
func (b *build) definitionID() string {
	g := b.Gallery
	return b.groupID(g.Subscription, g.Group) + "/providers/Microsoft.Compute/galleries/" + g.Name + "/images/" + g.Image
}

func (b *build) versionID() string { return b.definitionID() + "/versions/" + b.Gallery.Version }

// checkTarget checks that the place of the image is there and free. With -force it makes it free.
func (b *build) checkTarget(ctx context.Context) error {
	if b.managed() {
		if err := b.client.get(ctx, b.groupID(b.Subscription, b.Image.Group), groups, nil); err != nil {
			//nolint:staticcheck // the real plugin's words
			return fmt.Errorf("Cannot locate the managed image resource group %s, received error %w", b.Image.Group, err)
		}
		if err := b.free(ctx, b.imageID(), machines,
			"the managed image named "+b.Image.Name+" in the resource group "+b.Image.Group); err != nil {
			return err
		}
	}
	if b.Temporary.ExistingGroup != "" {
		var group struct {
			Location string `json:"location"`
		}
		if err := b.client.get(ctx, b.groupID(b.Subscription, b.Temporary.ExistingGroup), groups, &group); err != nil {
			//nolint:staticcheck // the real plugin's words
			return fmt.Errorf("Cannot locate the existing build resource resource group %s: %w", b.Temporary.ExistingGroup, err)
		}
		b.Location = group.Location
	}
	if !b.published() {
		return nil
	}
	if err := b.client.get(ctx, b.definitionID(), galleries, nil); err != nil {
		return fmt.Errorf("failed to get image %q from image gallery %q in resource group %q: %w", b.Gallery.Image,
			b.Gallery.Name, b.Gallery.Group, err)
	}
	return b.free(ctx, b.versionID(), galleries,
		"a gallery image version for image name:version "+b.Gallery.Image+":"+b.Gallery.Version+" in gallery "+b.Gallery.Name)
}

// free checks that there is nothing under an id, or with -force deletes it. An error other than that it is missing
// does not stop the real plugin either.
func (b *build) free(ctx context.Context, id, version, what string) error {
	switch err := b.client.get(ctx, id, version, nil); {
	case err != nil:
		return nil //nolint:nilerr // see above
	case !b.PackerForce:
		return fmt.Errorf("%s already exists, use another name or version or use the -force option to "+
			"automatically delete it", what)
	}
	b.ui.Say(what + " already exists, but deleting it due to -force flag")
	if err := b.client.remove(ctx, id, version); err != nil {
		return fmt.Errorf("failed to delete %s: %w", what, err)
	}
	return nil
}

// makeGroup makes the build's resource group, unless it was given one.
func (b *build) makeGroup(ctx context.Context, _ multistep.StateBag) error {
	id := b.groupID(b.Subscription, b.names.group)
	err := b.client.get(ctx, id, groups, nil)
	switch {
	case err != nil && !errors.Is(err, errNotFound):
		return err
	case err == nil && b.Temporary.ExistingGroup == "":
		//nolint:staticcheck // the real plugin's words
		return errors.New("A resource group with that name already exists. Please use build_resource_group_name to use an " +
			"existing resource group.")
	case err != nil && b.Temporary.ExistingGroup != "":
		//nolint:staticcheck // the real plugin's words
		return errors.New("The resource group you want to use does not exist yet. Please use temp_resource_group_name to " +
			"create a temporary resource group.")
	case b.Temporary.ExistingGroup != "":
		b.ui.Say("Using existing resource group " + b.names.group)
	default:
		b.ui.Say(fmt.Sprintf("Creating resource group %s in %s ...", b.names.group, b.Location))
		if _, err := b.client.send(ctx, http.MethodPut, b.client.at(id, groups),
			object{"location": b.Location, "tags": b.Tags}); err != nil {
			return err
		}
	}
	b.inGroup = true
	return nil
}

// removeGroup deletes the build's own resource group.
func (b *build) removeGroup(multistep.StateBag) {
	if !b.inGroup {
		return
	}
	if b.Temporary.ExistingGroup != "" {
		b.ui.Say("The resource group was not created by Packer, not deleting ...")
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), undoTimeout)
	defer cancel()
	id := b.groupID(b.Subscription, b.names.group)
	if b.client.get(ctx, id, groups, nil) != nil {
		return
	}
	b.ui.Say("Cleanup requested, deleting resource group ...")
	var err error
	if b.Temporary.AsyncDelete {
		_, err = b.client.send(ctx, http.MethodDelete, b.client.at(id, groups), nil)
	} else {
		err = b.client.remove(ctx, id, groups)
	}
	switch {
	case err != nil:
		b.ui.Error(fmt.Sprintf("Error deleting resource group.  Please delete it manually.\n\nName: %s\nError: %v",
			b.names.group, err))
	case b.Temporary.AsyncDelete:
		b.ui.Say("Not waiting for Resource Group delete as requested by user. Resource Group Name is " + b.names.group)
	default:
		b.ui.Say("Resource group has been deleted.")
	}
}

// validate asks whether the deployment could be made.
func (b *build) validate(ctx context.Context, _ multistep.StateBag) error {
	b.ui.Say("Validating deployment template ...")
	return b.client.finish(ctx, http.MethodPost, b.client.at(b.deploymentID()+"/validate", groups), b.template())
}

// deploy makes the machine with its network.
func (b *build) deploy(ctx context.Context, _ multistep.StateBag) error {
	ctx, cancel := context.WithTimeout(ctx, b.PollingTimeout)
	defer cancel()
	b.ui.Say(fmt.Sprintf("Deploying deployment template %s ...", b.names.deployment))
	return b.client.finish(ctx, http.MethodPut, b.client.at(b.deploymentID(), groups), b.template())
}

// learn learns the machine's address and disk.
func (b *build) learn(ctx context.Context, state multistep.StateBag) error {
	var address struct {
		Properties struct {
			Address string `json:"ipAddress"`
		} `json:"properties"`
	}
	b.ui.Say("Getting the VM's IP address ...")
	if err := b.client.get(ctx, b.own("Microsoft.Network/publicIPAddresses", b.names.address), networks,
		&address); err != nil {
		return err
	}
	b.address = address.Properties.Address
	state.Put("sshHost", b.address)
	var err error
	b.disk, err = b.findDisk(ctx)
	return err
}

// findDisk is the id of the machine's system disk.
func (b *build) findDisk(ctx context.Context) (string, error) {
	var vm struct {
		Properties struct {
			Storage struct {
				Disk struct {
					Managed struct {
						ID string `json:"id"`
					} `json:"managedDisk"`
				} `json:"osDisk"`
			} `json:"storageProfile"`
		} `json:"properties"`
	}
	err := b.client.get(ctx, b.machineID(), machines, &vm)
	return vm.Properties.Storage.Disk.Managed.ID, err
}

// powerOff shuts the machine down.
func (b *build) powerOff(ctx context.Context, _ multistep.StateBag) error {
	b.ui.Say("Powering off machine ...")
	return b.client.finish(ctx, http.MethodPost, b.client.at(b.machineID()+"/deallocate", machines)+"&hibernate=false",
		nil)
}

// capture makes the managed image, when one is asked for.
func (b *build) capture(ctx context.Context, _ multistep.StateBag) error {
	if b.Gallery.Specialized {
		b.ui.Say("Skipping generalization of Compute Gallery Image")
		return nil
	}
	b.ui.Say("Generalizing machine ...")
	if err := b.client.finish(ctx, http.MethodPost, b.client.at(b.machineID()+"/generalize", machines), nil); err != nil ||
		!b.managed() {
		return err
	}
	b.ui.Say(fmt.Sprintf("Capturing image %s into the resource group %s ...", b.Image.Name, b.Image.Group))
	return b.client.finish(ctx, http.MethodPut, b.client.at(b.imageID(), machines), object{
		"location": b.Location, "tags": b.Tags,
		"properties": object{
			"sourceVirtualMachine": object{"id": b.machineID()},
			"storageProfile":       object{"zoneResilient": b.Image.ZoneResilient},
		},
	})
}

// region is a region's name as Azure writes it in ids.
func region(name string) string { return strings.ToLower(strings.ReplaceAll(name, " ", "")) }

// regions are where the gallery's version goes. The build's own region is always one.
func (b *build) regions() []Region {
	var list []Region
	here := false
	for _, r := range b.Gallery.Targets {
		list = append(list, Region{region(r.Name), r.Replicas})
	}
	for _, name := range b.Gallery.Regions {
		list = append(list, Region{region(name), b.Image.Replicas})
		here = here || region(name) == region(b.Location)
	}
	if len(b.Gallery.Targets) == 0 && !here {
		list = append(list, Region{region(b.Location), b.Image.Replicas})
	}
	return list
}

// regionNames are the names of regions.
func regionNames(list []Region) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, r := range list {
			if !yield(r.Name) {
				return
			}
		}
	}
}

// publish makes the gallery's version, when one is asked for: of the managed image or, without one, of the machine.
func (b *build) publish(ctx context.Context, _ multistep.StateBag) error {
	if !b.published() {
		return nil
	}
	source := object{"virtualMachineId": b.machineID()}
	if b.managed() {
		source = object{"id": b.imageID()}
	}
	mode, replicas := "Full", b.Image.Replicas
	if b.Gallery.Shallow {
		mode = "Shallow"
	}
	var targets []object
	for _, r := range b.regions() {
		if len(b.Gallery.Targets) > 0 && r.Name == region(b.Location) && r.Replicas != 0 {
			replicas = r.Replicas
		}
		targets = append(targets,
			object{"name": r.Name, "regionalReplicaCount": min(max(r.Replicas, minReplicas), maxReplicas)})
	}
	b.ui.Say(fmt.Sprintf("Publishing to Shared Image Gallery %s: %s %s ...", b.Gallery.Name, b.Gallery.Image,
		b.Gallery.Version))
	ctx, cancel := context.WithTimeout(ctx, b.GalleryTimeout)
	defer cancel()
	if err := b.client.finish(ctx, http.MethodPut, b.client.at(b.versionID(), galleries), object{
		"location": b.Location, "tags": b.Tags,
		"properties": object{
			"storageProfile": object{"source": source},
			"publishingProfile": object{
				"targetRegions": targets, "endOfLifeDate": b.Image.EndOfLife, "excludeFromLatest": b.Image.NotLatest,
				"replicationMode": mode,
				"replicaCount":    min(max(replicas, minReplicas), maxReplicas), "storageAccountType": b.Gallery.StorageType,
			},
		},
	}); err != nil {
		return err
	}
	var made struct {
		ID string `json:"id"`
	}
	err := b.client.get(ctx, b.versionID(), galleries, &made)
	b.version = made.ID
	return err
}
