// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T14:15:00Z
// Spec: openspec/specs/platforms/spec.md#requirement-fingerprints
// Diagram: openspec/specs/platforms/diagram.md#fingerprint

package azure

import (
	"context"
	"fmt"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v6"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armresources"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/webapi"
)

// Types of resources, as the resource manager names them.
var resourceTypes = map[string]string{
	managedImage:   "Microsoft.Compute/images",
	galleryVersion: "Microsoft.Compute/galleries/images/versions",
}

// expanded are the properties of listed resources that are only told when asked for.
const expanded = "createdTime,provisioningState"

// sight is what was read for one look, each list once: by group and what it is of, and in
// it by identifier or name in lower case.
type sight struct {
	client      *client
	whole       bool
	listed      map[string]map[string]*armresources.GenericResourceExpanded
	images      map[string]map[string]*armcompute.Image
	definitions map[string]map[string]*armcompute.GalleryImage
}

func (c *client) sight(whole bool) *sight {
	return &sight{
		client: c, whole: whole, listed: map[string]map[string]*armresources.GenericResourceExpanded{},
		images: map[string]map[string]*armcompute.Image{}, definitions: map[string]map[string]*armcompute.GalleryImage{},
	}
}

// resources lists what a group has of a kind, of any gallery and definition. An account that may
// read images and no lists of resources has none: each object is then read by itself.
func (s *sight) resources(ctx context.Context, kind, group string) (
	map[string]*armresources.GenericResourceExpanded, error,
) {
	key := strings.ToLower(group) + "/" + kind
	if known := s.listed[key]; known != nil {
		return known, nil
	}
	filter, expand := "resourceType eq '"+resourceTypes[kind]+"'", expanded
	pager := s.client.resources.NewListByResourceGroupPager(group,
		&armresources.ClientListByResourceGroupOptions{Filter: &filter, Expand: &expand})
	found, err := pages(ctx, pager,
		func(p armresources.ClientListByResourceGroupResponse) []*armresources.GenericResourceExpanded {
			return p.Value
		},
		func(r *armresources.GenericResourceExpanded) *string { return r.ID })
	if isDenied(err) {
		found, err = map[string]*armresources.GenericResourceExpanded{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("listing the resources of resource group %s: %w", group, err)
	}
	s.listed[key] = found
	return found, nil
}

// imagesOf lists the images of a group, with all that they say.
func (s *sight) imagesOf(ctx context.Context, group string) (map[string]*armcompute.Image, error) {
	key := strings.ToLower(group)
	if known := s.images[key]; known != nil {
		return known, nil
	}
	found, err := pages(ctx, s.client.compute.NewImagesClient().NewListByResourceGroupPager(group, nil),
		func(p armcompute.ImagesClientListByResourceGroupResponse) []*armcompute.Image { return p.Value },
		func(i *armcompute.Image) *string { return i.ID })
	if err != nil {
		return nil, fmt.Errorf("listing the images of resource group %s: %w", group, err)
	}
	s.images[key] = found
	return found, nil
}

// definitionsOf lists the image definitions of a gallery.
func (s *sight) definitionsOf(ctx context.Context, group, gallery string) (map[string]*armcompute.GalleryImage, error) {
	key := strings.ToLower(group + "/" + gallery)
	if known := s.definitions[key]; known != nil {
		return known, nil
	}
	found, err := pages(ctx, s.client.compute.NewGalleryImagesClient().NewListByGalleryPager(group, gallery, nil),
		func(p armcompute.GalleryImagesClientListByGalleryResponse) []*armcompute.GalleryImage { return p.Value },
		func(d *armcompute.GalleryImage) *string { return d.Name })
	if err != nil {
		return nil, fmt.Errorf("listing the definitions of gallery %s: %w", gallery, err)
	}
	s.definitions[key] = found
	return found, nil
}

// pages reads a list to its end. One of something that does not exist is empty.
func pages[P, T any](ctx context.Context, pager *runtime.Pager[P], list func(P) []*T, key func(*T) *string) (
	map[string]*T, error,
) {
	all := map[string]*T{}
	for pager.More() {
		page, err := pager.NextPage(ctx)
		if isGone(err) {
			return all, nil
		}
		if err != nil {
			return nil, err //nolint:wrapcheck // the caller says what was listed
		}
		listed, err := webapi.Elements(list(page))
		if err != nil {
			return nil, err
		}
		for _, one := range listed {
			all[strings.ToLower(optional(key(one)))] = one
		}
	}
	return all, nil
}
