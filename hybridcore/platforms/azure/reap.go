// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T00:58:05Z
// Spec: openspec/specs/leases/spec.md#requirement-reap-exactly-what-a-dead-run-left
// Diagram: openspec/specs/leases/diagram.md#reap

package azure

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v6"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armresources"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/platforms/platform"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/webapi"
)

const (
	// resourceGroup is the kind of what a build makes its machine in.
	resourceGroup = "resource-group"
	// tempPrefix is how the name of every resource group begins that a build makes.
	tempPrefix = "ph-"
)

// Reap removes what a dead run left in Azure: the resource group of its machine
// with all that is in it, what it made in a group that stays, and images that
// are not whole.
func (c *client) Reap(ctx context.Context, of hybridcore.Remains, dry bool) ([]hybridcore.URI, error) {
	left, err := c.leftovers(ctx, of.Name, of.RunID)
	if err != nil {
		return nil, fmt.Errorf("looking for what run %s left in Azure: %w", of.RunID, c.explain(err))
	}
	for n := range left {
		left[n] = c.explained(left[n])
	}
	done, err := platform.Remove(ctx, left, dry)
	if err != nil {
		return done, fmt.Errorf("reaping what run %s left in Azure: %w", of.RunID, err)
	}
	return done, nil
}

// explained puts the errors of a leftover on one line, without the secret.
func (c *client) explained(l platform.Leftover) platform.Leftover {
	wrap := func(do func(context.Context) error) func(context.Context) error {
		return func(ctx context.Context) error {
			if err := do(ctx); err != nil {
				return c.explain(err)
			}
			return nil
		}
	}
	l.Remove = wrap(l.Remove)
	if l.Check != nil {
		l.Check = wrap(l.Check)
	}
	return l
}

// leftovers lists what has the tags of a run and an artifact: resource groups,
// resources in other groups, and incomplete images.
func (c *client) leftovers(ctx context.Context, name, runID string) ([]platform.Leftover, error) {
	if name == "" || runID == "" {
		return nil, errors.New("a run and a name are needed") // else what has no tag would match
	}
	ctx, cancel := context.WithTimeout(ctx, platform.Timeout)
	defer cancel()
	groups, err := c.leftGroups(ctx, name, runID)
	if err != nil {
		return nil, err
	}
	var left []platform.Leftover
	for _, g := range groups {
		group := optional(g.Name)
		left = append(left, platform.Leftover{
			URI:    hybridcore.URI{Kind: resourceGroup, Name: group, ID: optional(g.ID)},
			Check:  func(ctx context.Context) error { return c.holdsImage(ctx, group) },
			Remove: func(ctx context.Context) error { return c.removeGroup(ctx, group) },
			Hand:   "az group delete --name " + platform.Quoted(group),
		})
	}
	strays, err := c.strays(ctx, name, runID, groups)
	if err != nil {
		return nil, err
	}
	left = append(left, strays...)
	images, err := c.images(ctx)
	if err != nil {
		return nil, err
	}
	for _, i := range images {
		unfinished := i.state == string(armcompute.GalleryProvisioningStateCreating) ||
			i.state == string(armcompute.GalleryProvisioningStateFailed)
		if unfinished && i.run == runID && i.artifact == name && !within(i.id, groups) {
			left = append(left, platform.Leftover{
				URI: i.uri(), Hand: "az resource delete --ids " + platform.Quoted(i.id),
				Remove: func(ctx context.Context) error { return c.removeImage(ctx, i) },
			})
		}
	}
	return left, nil
}

// leftGroups lists the resource groups that a build made, by name.
func (c *client) leftGroups(ctx context.Context, name, runID string) ([]*armresources.ResourceGroup, error) {
	var groups []*armresources.ResourceGroup
	options := &armresources.ResourceGroupsClientListOptions{Filter: tagged(runID)}
	for pager := c.groups.NewListPager(options); pager.More(); {
		page, err := pager.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("listing resource groups: %w", err)
		}
		listed, err := webapi.Elements(page.Value)
		if err != nil {
			return nil, fmt.Errorf("listing resource groups: %w", err)
		}
		for _, g := range listed {
			if tagOf(g.Tags, tagRun) == runID && tagOf(g.Tags, tagArtifact) == name && c.isTemporary(optional(g.Name)) {
				groups = append(groups, g)
			}
		}
	}
	slices.SortFunc(
		groups, func(a, b *armresources.ResourceGroup) int { return strings.Compare(optional(a.Name), optional(b.Name)) },
	)
	return slices.CompactFunc(
		groups, func(a, b *armresources.ResourceGroup) bool { return optional(a.ID) == optional(b.ID) },
	), nil
}

// isTemporary says whether a resource group may be one that a build made.
func (c *client) isTemporary(group string) bool {
	return strings.HasPrefix(strings.ToLower(group), tempPrefix) && !strings.EqualFold(group, c.group)
}

// holdsImage is an error when somebody keeps images in a resource group.
func (c *client) holdsImage(ctx context.Context, group string) error {
	ctx, cancel := context.WithTimeout(ctx, platform.Timeout)
	defer cancel()
	held, err := c.managed(ctx, group)
	if isGone(err) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, i := range held {
		if i.state == string(armcompute.GalleryProvisioningStateSucceeded) {
			return fmt.Errorf("it holds image %s: move or delete the image, then delete the group", i.name)
		}
	}
	return nil
}

// removeGroup deletes a resource group.
func (c *client) removeGroup(ctx context.Context, group string) error {
	ctx, cancel := context.WithTimeout(ctx, deletion)
	defer cancel()
	poller, err := c.groups.BeginDelete(ctx, group, nil)
	return deleted(ctx, poller, err)
}

// removeImage deletes a managed image or a version in the gallery.
func (c *client) removeImage(ctx context.Context, i image) error {
	ctx, cancel := context.WithTimeout(ctx, deletion)
	defer cancel()
	id, err := arm.ParseResourceID(i.id)
	if err != nil {
		return fmt.Errorf("reading its identifier: %w", err)
	}
	if i.kind == managedImage {
		poller, err := c.compute.NewImagesClient().BeginDelete(ctx, id.ResourceGroupName, id.Name, nil)
		return deleted(ctx, poller, err)
	}
	if id.Parent == nil || id.Parent.Parent == nil {
		return errors.New("its identifier names no gallery")
	}
	poller, err := c.compute.NewGalleryImageVersionsClient().
		BeginDelete(ctx, id.ResourceGroupName, id.Parent.Parent.Name, id.Parent.Name, id.Name, nil)
	return deleted(ctx, poller, err)
}
