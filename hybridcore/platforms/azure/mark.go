// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T05:24:00Z
// Spec: openspec/specs/platforms/spec.md#requirement-marks-of-a-release
// Diagram: openspec/specs/platforms/diagram.md#mark

package azure

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armresources"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/platforms/platform"
)

// tagRelease begins the name of the tag of a release, which ends with its name:
// an image may have several.
const tagRelease = "ph_"

// Mark adds a tag to a managed image or a version in a gallery. Azure merges it
// with those that are there, in one call.
func (c *client) Mark(ctx context.Context, of hybridcore.URI, mark hybridcore.Mark) (bool, error) {
	return platform.Marked(ctx, "Azure", of, mark, func(ctx context.Context) (bool, error) {
		changed, err := c.mark(ctx, of, mark)
		if _, blocked := errors.AsType[*hybridcore.BlockedError](err); err == nil || blocked {
			return changed, err
		}
		return false, c.explain(err)
	})
}

func (c *client) mark(ctx context.Context, of hybridcore.URI, mark hybridcore.Mark) (bool, error) {
	all, err := c.images(ctx)
	if err != nil {
		return false, err
	}
	at := slices.IndexFunc(all, func(i image) bool { return i.uri() == of })
	if at < 0 || !of.Complete() {
		return false, platform.ErrGone(of)
	}
	scope := strings.TrimPrefix(all[at].id, "/")
	has, err := c.tags.GetAtScope(ctx, scope, nil)
	if err != nil {
		return false, fmt.Errorf("reading its tags: %w", err)
	}
	name := tagRelease + mark.Tag()
	if has.Properties != nil {
		switch said := tagOf(has.Properties.Tags, name); said {
		case "":
		case mark.Text():
			return false, nil
		default:
			return false, mark.Conflict(said)
		}
	}
	_, err = c.tags.UpdateAtScope(ctx, scope, armresources.TagsPatchResource{
		Operation: new(
			armresources.TagsPatchOperationMerge,
		),
		Properties: &armresources.Tags{Tags: map[string]*string{name: new(mark.Text())}},
	}, nil)
	if isGone(err) {
		return false, platform.ErrGone(of)
	}
	if err != nil {
		return false, fmt.Errorf("tagging it (which needs Microsoft.Resources/tags/write): %w", err)
	}
	return true, nil
}
