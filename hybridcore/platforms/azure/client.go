// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T01:15:00Z
// Spec: openspec/specs/platforms/spec.md#requirement-live-lookup-of-artifacts
// Diagram: openspec/specs/platforms/diagram.md#azure

package azure

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v6"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armresources"
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

// client speaks to one subscription.
type client struct {
	http         *http.Client
	secret       string // kept out of every error text
	compute      *armcompute.ClientFactory
	groups       *armresources.ResourceGroupsClient
	resources    *armresources.Client
	tags         *armresources.TagsClient
	subscription string
	group        string // of the images; empty: managed images are looked for in the whole subscription
	gallery      string // empty when the build uses none
	definition   string // image definition in the gallery
}

// Close ends idle connections. Azure has no session to end.
func (c *client) Close(context.Context) error {
	c.http.CloseIdleConnections()
	return nil
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

// isGone says whether an error is that something does not exist, or what it is a part of. For
// what is to be deleted that is no error: another reap, or Packer itself, came first. A 404 with
// another code, or of something between us and Azure, says nothing of the object.
func isGone(err error) bool {
	answer, ok := errors.AsType[*azcore.ResponseError](err)
	if !ok || answer.StatusCode != http.StatusNotFound {
		return false
	}
	switch answer.ErrorCode {
	case "ResourceNotFound", "NotFound", "ParentResourceNotFound", "ResourceGroupNotFound":
		return true
	}
	return false
}

// isDenied says whether an error is that the account may not do something.
func isDenied(err error) bool {
	answer, ok := errors.AsType[*azcore.ResponseError](err)
	return ok && answer.StatusCode == http.StatusForbidden
}
