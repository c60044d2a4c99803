// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T03:19:00Z
// Spec: openspec/specs/posting/spec.md#requirement-what-a-dead-run-left
// Diagram: openspec/specs/posting/diagram.md#want-try-made-sent

package job

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/packer-hybrid/packer-hybrid/forge/forges"
	"github.com/packer-hybrid/packer-hybrid/forge/post"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/runner/places"
)

// Flush sends the reports that earlier jobs on this machine could not send, and
// returns what is to be said about those that are left.
func (h *Host) Flush(ctx context.Context, within time.Duration) ([]string, error) {
	root := h.Process.Top()
	dir, err := h.Process.Places().JobDir(root)
	if err != nil {
		return nil, err
	}
	left := post.Strays(root)
	ends := time.Now().Add(within)
	tokens := 0
	var needed []string
	for _, f := range forges.All() {
		if f.Reports.Access == nil {
			continue
		}
		needed = append(needed, f.Reports.Needs)
		access := f.Reports.Access(h.Process.Getenv)
		if access.Token == "" {
			continue
		}
		tokens++
		more, err := post.Flush(ctx, places.Outboxes(dir), access, time.Until(ends), post.WithLog(h.faulty))
		if err != nil {
			return nil, fmt.Errorf("sending reports: %w", err)
		}
		left = append(left, more...)
	}
	if tokens == 0 {
		return nil, hybridcore.Usagef("flush needs %s", strings.Join(needed, ", or "))
	}
	return left, nil
}
