// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T05:23:00Z
// Spec: openspec/specs/platforms/spec.md#requirement-marks-of-a-release
// Diagram: openspec/specs/platforms/diagram.md#mark

package vsphere

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/vmware/govmomi/fault"
	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/vapi/library"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/platforms/platform"
)

// Mark adds a line to the notes of a template, or to the description of a
// library item.
func (c *client) Mark(ctx context.Context, of hybridcore.URI, mark hybridcore.Mark) (bool, error) {
	return platform.Marked(ctx, "vCenter", of, mark, func(ctx context.Context) (bool, error) {
		switch {
		case of.Kind == platform.VMTemplate:
			return c.markTemplate(ctx, of, mark)
		case of.Kind == libraryItem && c.library != "":
			return c.markItem(ctx, of, mark)
		default:
			return false, fmt.Errorf(
				"%.80q is neither a template nor an item of a library that is configured", of.Kind+" "+of.ID,
			)
		}
	})
}

func (c *client) markTemplate(ctx context.Context, of hybridcore.URI, mark hybridcore.Mark) (bool, error) {
	machines, err := c.named(ctx, of.Name, "config.template", "config.annotation", "config.changeVersion")
	if err != nil {
		return false, err
	}
	at := slices.IndexFunc(machines, func(m mo.VirtualMachine) bool { return m.Self.Value == of.ID })
	if at < 0 || machines[at].Config == nil || !machines[at].Config.Template {
		return false, platform.ErrGone(of)
	}
	now := machines[at].Config
	notes, err := mark.AddTo(now.Annotation)
	if err != nil || notes == now.Annotation {
		return false, err
	}
	machine := object.NewVirtualMachine(c.soap.Client, machines[at].Self)
	change := types.VirtualMachineConfigSpec{Annotation: notes, ChangeVersion: now.ChangeVersion}
	err = done(ctx)(machine.Reconfigure(ctx, change)) // refused when the machine has another version by now
	switch {
	case fault.Is(err, &types.ConcurrentAccess{}):
		return false, platform.ErrEdited
	case fault.Is(err, &types.ManagedObjectNotFound{}):
		return false, platform.ErrGone(of)
	case err != nil:
		return false, fmt.Errorf("changing its notes: %w", refusedBy(err))
	}
	return true, nil
}

func (c *client) markItem(ctx context.Context, of hybridcore.URI, mark hybridcore.Mark) (bool, error) {
	description := func() (string, error) {
		items, err := c.libraryItems(ctx, of.Name)
		if err != nil {
			return "", err
		}
		at := slices.IndexFunc(items, func(i item) bool { return i.id == of.ID && i.whole })
		if at < 0 {
			return "", platform.ErrGone(of)
		}
		return items[at].notes, nil
	}
	now, err := description()
	if err != nil {
		return false, err
	}
	notes, err := mark.AddTo(now)
	if err != nil || notes == now {
		return false, err
	}
	if err := library.NewManager(c.rest).
		UpdateLibraryItem(ctx, &library.Item{ID: of.ID, Description: &notes}); err != nil {
		return false, fmt.Errorf("changing its description (which needs ContentLibrary.UpdateLibraryItem): %w", err)
	}
	// The library has no versions of descriptions: what was written over in the
	// moment before cannot be told, what was written over afterwards can.
	if after, err := description(); err != nil || after != notes {
		return false, errors.Join(platform.ErrEdited, err)
	}
	return true, nil
}
