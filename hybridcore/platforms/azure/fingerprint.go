// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T14:12:00Z
// Spec: openspec/specs/platforms/spec.md#requirement-fingerprints
// Diagram: openspec/specs/platforms/diagram.md#fingerprint

package azure

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v6"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armresources"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/platforms/platform"
)

// Look implements platform.Looker: a list of the images and one of the versions of each
// resource group.
func (c *client) Look(ctx context.Context, of []hybridcore.URI) ([]hybridcore.Seen, error) {
	return c.look(ctx, of, false)
}

// Fingerprint implements platform.Looker: these lists, those of images and definitions with
// all that they say, and each version by itself, for its replication.
func (c *client) Fingerprint(ctx context.Context, of []hybridcore.URI) ([]hybridcore.Seen, error) {
	return c.look(ctx, of, true)
}

func (c *client) look(ctx context.Context, of []hybridcore.URI, whole bool) ([]hybridcore.Seen, error) {
	ctx, cancel := context.WithTimeout(ctx, platform.LookTime(len(of)))
	defer cancel()
	s := c.sight(whole)
	all := make([]hybridcore.Seen, 0, len(of))
	for _, uri := range of {
		id, err := arm.ParseResourceID(uri.ID)
		if want := resourceTypes[uri.Kind]; err != nil || want == "" || !strings.EqualFold(id.ResourceType.String(), want) ||
			id.ResourceGroupName == "" || !strings.EqualFold(id.SubscriptionID, c.subscription) {
			all = append(all, platform.Unseen(uri,
				errors.New("this is no image or version of the subscription azure_subscription_id")))
			continue
		}
		resources, err := s.resources(ctx, uri.Kind, id.ResourceGroupName)
		if err != nil {
			return nil, c.explain(err)
		}
		one := hybridcore.Seen{Of: uri}
		listed := resources[strings.ToLower(uri.ID)]
		if listed != nil && !whole {
			see(&one, nameOf(uri.Kind, listed), optional(listed.ProvisioningState))
		} else if err := s.read(ctx, &one, id, listed); err != nil {
			one = platform.Unseen(uri, c.explain(err))
		}
		one.Twin = twin(uri, resources)
		all = append(all, one)
	}
	return all, nil
}

// read reads one object: out of a list that was read for all of its group, or by itself.
func (s *sight) read(ctx context.Context, one *hybridcore.Seen, id *arm.ResourceID,
	listed *armresources.GenericResourceExpanded,
) (err error) {
	if one.Of.Kind != managedImage {
		return s.readVersion(ctx, one, id)
	}
	var made *time.Time
	if listed != nil {
		made = listed.CreatedTime
	}
	return s.readImage(ctx, one, id, made)
}

func (s *sight) readImage(ctx context.Context, one *hybridcore.Seen, id *arm.ResourceID, made *time.Time) error {
	images, err := s.imagesOf(ctx, id.ResourceGroupName)
	if err != nil {
		return err
	}
	image := images[strings.ToLower(one.Of.ID)]
	if image == nil { // a list may be some moments old
		read, err := s.client.compute.NewImagesClient().Get(ctx, id.ResourceGroupName, id.Name, nil)
		if isGone(err) {
			return nil
		}
		if err != nil {
			return err //nolint:wrapcheck // the caller explains it
		}
		image = &read.Image
	}
	if image.Properties == nil {
		return errors.New("the answer says nothing of the image")
	}
	if see(one, optional(image.Name), optional(image.Properties.ProvisioningState)); one.Unseen == "" && s.whole {
		one.Facts, err = imageFacts(image, made)
	}
	return err
}

func (s *sight) readVersion(ctx context.Context, one *hybridcore.Seen, id *arm.ResourceID) error {
	expand := armcompute.ReplicationStatusTypesReplicationStatus
	group, gallery, definition := id.ResourceGroupName, id.Parent.Parent.Name, id.Parent.Name
	read, err := s.client.compute.NewGalleryImageVersionsClient().Get(ctx, group, gallery, definition, id.Name,
		&armcompute.GalleryImageVersionsClientGetOptions{Expand: &expand})
	if isGone(err) {
		return nil
	}
	if err != nil {
		return err //nolint:wrapcheck // the caller explains it
	}
	if read.Properties == nil {
		return errors.New("the answer says nothing of the version")
	}
	version := &read.GalleryImageVersion
	see(one, tagOf(version.Tags, tagArtifact), optional(version.Properties.ProvisioningState))
	if one.Unseen != "" || !s.whole {
		return nil
	}
	definitions, err := s.definitionsOf(ctx, group, gallery)
	if err != nil {
		return err
	}
	one.Facts, err = versionFacts(version, definitions[strings.ToLower(definition)])
	return err
}

// see notes that an object is there, unless Azure is changing it now.
func see(one *hybridcore.Seen, name, state string) {
	switch state {
	case "Creating", "Updating", "Deleting", "Migrating", "Accepted", "Running":
		one.Unseen = fmt.Sprintf("Azure is changing %s %s now (%s)", one.Of.Kind, one.Of.Name, state)
		return
	case string(armcompute.GalleryProvisioningStateSucceeded):
		state = hybridcore.StateComplete
	}
	one.Now = hybridcore.URI{Kind: one.Of.Kind, Name: name, ID: one.Of.ID}
	one.Facts = map[string]string{hybridcore.FactState: state}
}

// nameOf is the name of an artifact: the image's own, or what the version's tag says.
func nameOf(kind string, of *armresources.GenericResourceExpanded) string {
	if kind == galleryVersion {
		return tagOf(of.Tags, tagArtifact)
	}
	return optional(of.Name)
}

// twin is another object of the same kind and name; the zero value for none.
func twin(of hybridcore.URI, among map[string]*armresources.GenericResourceExpanded) hybridcore.URI {
	for id, other := range among {
		if id != strings.ToLower(of.ID) && nameOf(of.Kind, other) == of.Name {
			return hybridcore.URI{Kind: of.Kind, Name: of.Name, ID: optional(other.ID)}
		}
	}
	return hybridcore.URI{}
}
