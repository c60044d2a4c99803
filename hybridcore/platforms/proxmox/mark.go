// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T05:22:00Z
// Spec: openspec/specs/platforms/spec.md#requirement-marks-of-a-release
// Diagram: openspec/specs/platforms/diagram.md#mark

package proxmox

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/platforms/platform"
)

// Mark adds a line to a template's notes and a tag.
func (c *client) Mark(ctx context.Context, of hybridcore.URI, mark hybridcore.Mark) (bool, error) {
	return platform.Marked(ctx, "Proxmox VE", of, mark, func(ctx context.Context) (bool, error) {
		node, number, _ := strings.Cut(of.ID, "/")
		id, err := strconv.Atoi(number)
		if err != nil || id <= 0 || !nodeName.MatchString(node) || of.Kind != platform.VMTemplate {
			return false, fmt.Errorf("%.80q is no template NODE/NUMBER", of.Kind+" "+of.ID)
		}
		m := machine{Node: node, VMID: id}
		s, there, err := c.settings(ctx, m)
		if err != nil {
			return false, fmt.Errorf("reading its configuration: %w", err)
		}
		if !there || s.Name != of.Name || !s.Template {
			return false, platform.ErrGone(of)
		}
		change := url.Values{}
		notes, err := mark.AddTo(s.Description)
		if err != nil {
			return false, err
		}
		if notes != s.Description {
			change.Set("description", notes)
		}
		if !slices.Contains(s.tags(), mark.Tag()) {
			change.Set("tags", strings.TrimLeft(strings.TrimRight(s.Tags, "; ,")+";"+mark.Tag(), ";"))
		}
		if len(change) == 0 {
			return false, nil
		}
		change.Set("digest", s.Digest) // of what was read: Proxmox VE refuses when it is another one by now
		err = c.work(ctx, http.MethodPost, m.path("config"), change)
		if refused := (*refusal)(nil); errors.As(err, &refused) &&
			strings.Contains(refused.text, "detected modified configuration") {
			return false, platform.ErrEdited
		}
		if err != nil {
			return false, fmt.Errorf("changing notes and tags (which needs VM.Config.Options): %w", err)
		}
		return true, nil
	})
}
