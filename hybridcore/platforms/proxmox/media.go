// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T03:27:00Z
// Spec: openspec/specs/leases/spec.md#requirement-cds-without-a-machine
// Diagram: openspec/specs/leases/diagram.md#reap-on-proxmox-ve

package proxmox

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/platforms/platform"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/text"
)

// media lists the CDs of these names on the storage for uploads that no machine
// has: one that a machine has goes or stays with the machine.
func (c *client) media(ctx context.Context, names []string) ([]platform.Leftover, error) {
	if len(names) == 0 || !nodeName.MatchString(c.node) || c.storage == "" {
		return nil, nil
	}
	var volumes []struct {
		ID string `json:"volid"`
	}
	err := c.call(
		ctx, http.MethodGet, []string{"nodes", c.node, "storage", c.storage, "content"}, url.Values{"content": {"iso"}},
		&volumes,
	)
	if err != nil {
		return nil, fmt.Errorf("listing the CDs of storage %s: %w", text.Sanitize(c.storage), err)
	}
	var left []platform.Leftover
	for _, v := range volumes {
		name, ok := strings.CutPrefix(v.ID, c.storage+":iso/")
		if !ok || !hybridcore.IsMedium(name) || !slices.Contains(names, name) {
			continue
		}
		used, err := c.mounted(ctx, v.ID)
		if err != nil {
			return nil, err
		}
		if !used {
			left = append(left, c.unmounted(name, v.ID))
		}
	}
	return left, nil
}

// unmounted is a CD and how it goes.
func (c *client) unmounted(name, volume string) platform.Leftover {
	return platform.Leftover{
		URI: hybridcore.URI{Kind: platform.UploadedMedium, Name: name, ID: volume},
		Remove: func(ctx context.Context) error {
			if used, err := c.mounted(ctx, volume); err != nil || used {
				return errors.Join(err, platform.ErrMounted(used))
			}
			return c.deleteVolume(ctx, c.node, volume)
		},
		Hand: "on node " + c.node + ", pvesm free " + platform.Quoted(volume),
	}
}

// mounted reports whether a machine of the cluster has a volume in a drive.
func (c *client) mounted(ctx context.Context, volume string) (used bool, err error) {
	err = c.each(ctx, func(machine) bool { return true }, func(_ machine, s settings) error {
		used = used || slices.ContainsFunc(s.Drives, func(value string) bool {
			file, _, _ := strings.Cut(value, ",")
			return file == volume
		})
		return nil
	})
	if err != nil {
		return false, fmt.Errorf("looking for a machine that has %s: %w", text.Sanitize(volume), err)
	}
	return used, nil
}

// deleteVolume deletes a file of a storage. One that is gone already is no error:
// an earlier reap may have come this far.
func (c *client) deleteVolume(ctx context.Context, node, volume string) error {
	storage, _, _ := strings.Cut(volume, ":")
	err := c.work(ctx, http.MethodDelete, []string{"nodes", node, "storage", storage, "content", volume}, nil)
	if refused := (*refusal)(nil); errors.As(err, &refused) && (strings.Contains(refused.text, "No such file") ||
		strings.Contains(refused.text, "does not exist")) {
		return nil
	}
	return err
}
