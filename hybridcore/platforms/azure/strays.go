// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T01:58:00Z
// Spec: openspec/specs/leases/spec.md#requirement-marks-on-azure
// Diagram: openspec/specs/leases/diagram.md#reap-on-azure

package azure

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armresources"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/platforms/platform"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/webapi"
)

// strayKind is a type of resources that a build makes in a resource group that
// stays (build_resource_group_name).
type strayKind struct {
	kind    string // in the kind of a URI
	order   int    // what uses others goes first
	version string // of the API
}

// strayKinds are these types, in lower case. A snapshot and an image are results
// of a build, not in the table, and never removed here.
var strayKinds = map[string]strayKind{
	"microsoft.compute/virtualmachines":       {"virtual-machine", 1, "2024-07-01"},
	"microsoft.network/networkinterfaces":     {"network-interface", 2, "2024-05-01"},
	"microsoft.network/publicipaddresses":     {"public-ip-address", 3, "2024-05-01"},
	"microsoft.network/virtualnetworks":       {"virtual-network", 4, "2024-05-01"},
	"microsoft.network/networksecuritygroups": {"network-security-group", 5, "2024-05-01"},
	"microsoft.compute/disks":                 {"disk", 6, "2024-03-02"},
}

// strays lists the resources of a run that lie in none of its groups, in the
// order in which they can be deleted. A disk that another machine uses stays.
func (c *client) strays(
	ctx context.Context, name, runID string, groups []*armresources.ResourceGroup,
) ([]platform.Leftover, error) {
	var found []*armresources.GenericResourceExpanded
	for pager := c.resources.NewListPager(&armresources.ClientListOptions{Filter: tagged(runID)}); pager.More(); {
		page, err := pager.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("listing resources: %w", err)
		}
		listed, err := webapi.Elements(page.Value)
		if err != nil {
			return nil, fmt.Errorf("listing resources: %w", err)
		}
		for _, r := range listed {
			if tagOf(r.Tags, tagRun) == runID && tagOf(r.Tags, tagArtifact) == name && !within(optional(r.ID), groups) &&
				strayOf(r).order > 0 {
				found = append(found, r)
			}
		}
	}
	slices.SortFunc(found, func(a, b *armresources.GenericResourceExpanded) int {
		return cmp.Or(cmp.Compare(strayOf(a).order, strayOf(b).order), strings.Compare(optional(a.ID), optional(b.ID)))
	})
	found = slices.CompactFunc(
		found, func(a, b *armresources.GenericResourceExpanded) bool { return optional(a.ID) == optional(b.ID) },
	)
	var left []platform.Leftover
	for _, r := range found {
		user := optional(r.ManagedBy)
		if user != "" &&
			!slices.ContainsFunc(
				found, func(m *armresources.GenericResourceExpanded) bool { return strings.EqualFold(optional(m.ID), user) },
			) {
			continue // attached to a machine of somebody else
		}
		id := optional(r.ID)
		left = append(left, platform.Leftover{
			URI:    hybridcore.URI{Kind: strayOf(r).kind, Name: optional(r.Name), ID: id},
			Remove: func(ctx context.Context) error { return c.removeStray(ctx, id, strayOf(r).version) },
			Hand:   "az resource delete --ids " + platform.Quoted(id),
		})
	}
	return left, nil
}

// strayOf looks a resource's type up; the zero value for a type that stays.
func strayOf(r *armresources.GenericResourceExpanded) strayKind {
	return strayKinds[strings.ToLower(optional(r.Type))]
}

// removeStray deletes one resource.
func (c *client) removeStray(ctx context.Context, id, version string) error {
	if id == "" {
		return errors.New("it has no identifier")
	}
	ctx, cancel := context.WithTimeout(ctx, deletion)
	defer cancel()
	poller, err := c.resources.BeginDeleteByID(ctx, id, version, nil)
	return deleted(ctx, poller, err)
}
