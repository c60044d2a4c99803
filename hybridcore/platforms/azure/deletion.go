// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T01:15:00Z
// Spec: openspec/specs/leases/spec.md#requirement-reap-exactly-what-a-dead-run-left
// Diagram: openspec/specs/leases/diagram.md#reap

package azure

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armresources"
)

const (
	// deletion bounds the deletion of one group or image. A group with a machine
	// takes Azure one to five minutes.
	deletion = 10 * time.Minute
	// poll is how often Azure is asked whether a deletion has ended, unless it says how long to wait.
	poll = 5 * time.Second
)

// tagged is the filter of a list for what has a run's tag.
func tagged(runID string) *string {
	filter := fmt.Sprintf("tagName eq '%s' and tagValue eq '%s'", tagRun, strings.ReplaceAll(runID, "'", "''"))
	return &filter
}

// within reports whether a resource lies in one of some groups.
func within(id string, groups []*armresources.ResourceGroup) bool {
	parsed, err := arm.ParseResourceID(id)
	return err == nil && slices.ContainsFunc(groups, func(g *armresources.ResourceGroup) bool {
		return strings.EqualFold(optional(g.Name), parsed.ResourceGroupName)
	})
}

// deleted waits for the end of a deletion that has begun.
func deleted[T any](ctx context.Context, poller *runtime.Poller[T], err error) error {
	if isGone(err) {
		return nil
	}
	if err == nil {
		_, err = poller.PollUntilDone(ctx, &runtime.PollUntilDoneOptions{Frequency: poll})
	}
	if err != nil {
		return fmt.Errorf("deleting it: %w", err)
	}
	return nil
}
