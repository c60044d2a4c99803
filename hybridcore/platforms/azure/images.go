// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T01:15:00Z
// Spec: openspec/specs/platforms/spec.md#requirement-live-lookup-of-artifacts
// Diagram: openspec/specs/platforms/diagram.md#azure

package azure

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v6"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/platforms/platform"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/webapi"
)

// Find returns managed images of that name, and versions in the gallery that
// carry it in their tag: Azure lets their own names be numbers only.
func (c *client) Find(ctx context.Context, name string) ([]hybridcore.URI, error) {
	ctx, cancel := context.WithTimeout(ctx, platform.Timeout)
	defer cancel()
	all, err := c.images(ctx)
	if err != nil {
		return nil, fmt.Errorf("looking for image %s in Azure: %w", name, c.explain(err))
	}
	found := []hybridcore.URI{}
	for _, i := range all {
		if i.name == name {
			found = append(found, i.uri())
		}
	}
	return found, nil
}

// image is a managed image or a version in a gallery.
type image struct {
	kind, id string
	name     string // of the artifact: the image's own, or what the version's tag says
	state    string // provisioningState
	run      string // of the tag; empty: not ours
	artifact string // of the tag; empty: not ours
}

// uri describes the image. Reap and Find agree on it.
func (i image) uri() hybridcore.URI {
	kind := i.kind
	if i.state != string(armcompute.GalleryProvisioningStateSucceeded) {
		kind = hybridcore.KindIncomplete + kind
	}
	return hybridcore.URI{Kind: kind, Name: i.name, ID: i.id}
}

// images lists all images at the places where builds put them, by identifier:
// first those outside of the gallery.
func (c *client) images(ctx context.Context) ([]image, error) {
	found, err := c.managed(ctx, c.group)
	if err != nil || c.gallery == "" {
		return found, err
	}
	var versions []image
	pager := c.compute.NewGalleryImageVersionsClient().NewListByGalleryImagePager(c.group, c.gallery, c.definition, nil)
	for pager.More() {
		page, err := pager.NextPage(ctx)
		if isGone(err) {
			break // no such definition: nothing was put there
		}
		if err != nil {
			return nil, fmt.Errorf("listing versions of %s in gallery %s: %w", c.definition, c.gallery, err)
		}
		listed, err := webapi.Elements(page.Value)
		if err != nil {
			return nil, fmt.Errorf("listing versions of %s in gallery %s: %w", c.definition, c.gallery, err)
		}
		for _, v := range listed {
			i := image{
				kind:     galleryVersion,
				id:       optional(v.ID),
				name:     tagOf(v.Tags, tagArtifact),
				run:      tagOf(v.Tags, tagRun),
				artifact: tagOf(v.Tags, tagArtifact),
			}
			if v.Properties != nil {
				i.state = optional(v.Properties.ProvisioningState)
			}
			versions = append(versions, i)
		}
	}
	return append(found, sortedImages(versions)...), nil
}

// managed lists the managed images of a resource group; empty: of all.
func (c *client) managed(ctx context.Context, group string) ([]image, error) {
	client := c.compute.NewImagesClient()
	var found []image
	add := func(page []*armcompute.Image) error {
		listed, err := webapi.Elements(page)
		for _, v := range listed {
			i := image{
				kind:     managedImage,
				id:       optional(v.ID),
				name:     optional(v.Name),
				run:      tagOf(v.Tags, tagRun),
				artifact: tagOf(v.Tags, tagArtifact),
			}
			if v.Properties != nil {
				i.state = optional(v.Properties.ProvisioningState)
			}
			found = append(found, i)
		}
		return err
	}
	if group == "" {
		for pager := client.NewListPager(nil); pager.More(); {
			page, err := pager.NextPage(ctx)
			if err == nil {
				err = add(page.Value)
			}
			if err != nil {
				return nil, fmt.Errorf("listing the subscription's images: %w", err)
			}
		}
		return sortedImages(found), nil
	}
	for pager := client.NewListByResourceGroupPager(group, nil); pager.More(); {
		page, err := pager.NextPage(ctx)
		if err == nil {
			err = add(page.Value)
		}
		if err != nil {
			return nil, fmt.Errorf("listing the images of resource group %s: %w", group, err)
		}
	}
	return sortedImages(found), nil
}

// sortedImages puts images into a fixed order.
func sortedImages(images []image) []image {
	slices.SortFunc(images, func(a, b image) int { return strings.Compare(a.id, b.id) })
	return images
}
