// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T00:58:05Z
// Spec: openspec/specs/platforms/spec.md#requirement-live-lookup-of-artifacts
// Diagram: openspec/specs/platforms/diagram.md#azure

// Package azure is all that Azure needs: the client of a subscription, which finds images, marks
// them and removes what a dead run left.
package azure

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v6"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armresources"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/platforms/platform"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/webapi"
)

// Kinds of objects that an Azure build leaves. What is not whole has a kind of
// its own, so that nobody takes it for an image.
const (
	managedImage   = "managed-image"
	galleryVersion = "gallery-image-version"
)

// Tags of everything that a build creates in Azure: its run, and the name of
// its artifact, which tells the targets of one run apart.
const (
	tagRun      = "ph_run"
	tagArtifact = "artifact"
)

// retry is how often, and how long after, a call is tried again that Azure
// did not answer or answered with 429 or 5xx. It honours Retry-After.
func retry() policy.RetryOptions {
	return policy.RetryOptions{MaxRetries: 3, RetryDelay: 500 * time.Millisecond, MaxRetryDelay: 10 * time.Second}
}

type client struct {
	http       *http.Client
	secret     string // kept out of every error text
	compute    *armcompute.ClientFactory
	groups     *armresources.ResourceGroupsClient
	resources  *armresources.Client
	tags       *armresources.TagsClient
	group      string // of the images; empty: managed images are looked for in the whole subscription
	gallery    string // empty when the build uses none
	definition string // image definition in the gallery
}

// Open signs in to Azure and returns a client of one subscription.
func Open(ctx context.Context, settings map[string]string, limit platform.Reach) (platform.Client, error) {
	for _, name := range []string{"azure_subscription_id", "azure_tenant_id", "azure_client_id", "azure_client_secret"} {
		if settings[name] == "" {
			return nil, platform.Missing(name)
		}
	}
	if settings["azure_gallery"] != "" && settings["azure_resource_group"] == "" {
		return nil, platform.Missing("azure_resource_group")
	}
	ctx, cancel := context.WithTimeout(ctx, platform.Timeout)
	defer cancel()
	transport := &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		ForceAttemptHTTP2:   true,
		TLSHandshakeTimeout: platform.Timeout,
		IdleConnTimeout:     platform.Timeout,
	}
	limit(transport)
	c := &client{
		http:       &http.Client{Transport: &platform.Guard{Next: transport}},
		secret:     settings["azure_client_secret"],
		group:      settings["azure_resource_group"],
		gallery:    settings["azure_gallery"],
		definition: settings["azure_gallery_image"],
	}
	if c.definition == "" {
		c.definition = settings["image"] // as the template does
	}
	if err := c.connect(ctx, settings); err != nil {
		transport.CloseIdleConnections()
		return nil, err
	}
	return c, nil
}

// connect finds the cloud, proves the credentials and makes the clients.
func (c *client) connect(ctx context.Context, settings map[string]string) error {
	where, err := c.cloud(ctx, settings["azure_metadata_host"], settings["azure_cloud_environment_name"])
	if err != nil {
		return err
	}
	options := azcore.ClientOptions{Cloud: where, Transport: c.http, Retry: retry()}
	credential, err := azidentity.NewClientSecretCredential(
		settings["azure_tenant_id"],
		settings["azure_client_id"],
		c.secret,
		&azidentity.ClientSecretCredentialOptions{
			ClientOptions:            options,
			DisableInstanceDiscovery: settings["azure_metadata_host"] != "",
		},
	)
	if err != nil {
		return fmt.Errorf("reading azure_tenant_id, azure_client_id and azure_client_secret: %w", c.explain(err))
	}
	scope := where.Services["resourceManager"].Audience + "/.default"
	if _, err := credential.GetToken(ctx, policy.TokenRequestOptions{Scopes: []string{scope}}); err != nil {
		return fmt.Errorf(
			"signing in to Azure with azure_tenant_id, azure_client_id and azure_client_secret: %w", c.explain(err),
		)
	}
	manager := &arm.ClientOptions{ClientOptions: options, DisableRPRegistration: true}
	subscription := settings["azure_subscription_id"]
	if c.compute, err = armcompute.NewClientFactory(subscription, credential, manager); err != nil {
		return fmt.Errorf("making a client of Azure's virtual machines: %w", c.explain(err))
	}
	if c.groups, err = armresources.NewResourceGroupsClient(subscription, credential, manager); err != nil {
		return fmt.Errorf("making a client of Azure's resource groups: %w", c.explain(err))
	}
	if c.tags, err = armresources.NewTagsClient(subscription, credential, manager); err != nil {
		return fmt.Errorf("making a client of Azure's tags: %w", c.explain(err))
	}
	if c.resources, err = armresources.NewClient(subscription, credential, manager); err != nil {
		return fmt.Errorf("making a client of Azure's resources: %w", c.explain(err))
	}
	return nil
}

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

// Close ends idle connections. Azure has no session to end.
func (c *client) Close(context.Context) error {
	c.http.CloseIdleConnections()
	return nil
}

// sortedImages puts images into a fixed order.
func sortedImages(images []image) []image {
	slices.SortFunc(images, func(a, b image) int { return strings.Compare(a.id, b.id) })
	return images
}

// optional is an optional text; empty when there is none.
func optional[T ~string](v *T) string {
	if v == nil {
		return ""
	}
	return string(*v)
}

// tagOf is the value of a tag. Azure does not tell names of tags apart by case.
func tagOf(tags map[string]*string, name string) string {
	for n, value := range tags {
		if strings.EqualFold(n, name) {
			return optional(value)
		}
	}
	return ""
}
