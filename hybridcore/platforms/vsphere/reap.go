// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T00:20:00Z
// Spec: openspec/specs/leases/spec.md#requirement-reap-exactly-what-a-dead-run-left
// Diagram: openspec/specs/leases/diagram.md#reap

package vsphere

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/vmware/govmomi/fault"
	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/platforms/platform"
)

// Reap removes what a dead run left in vCenter: CDs that no machine has, machines
// that are no templates, with what was uploaded for them, and library items that
// are not whole.
func (c *client) Reap(ctx context.Context, of hybridcore.Remains, dry bool) ([]hybridcore.URI, error) {
	if of.Name == "" || of.RunID == "" {
		return nil, errors.New("looking for what a run left in vCenter: a run and a name are needed")
	}
	ctx, cancel := context.WithTimeout(ctx, platform.Timeout)
	defer cancel()
	left, err := c.leftovers(ctx, of)
	if err != nil {
		return nil, fmt.Errorf("looking for what run %s left in vCenter: %w", of.RunID, refusedBy(err))
	}
	done, err := platform.Remove(ctx, left, dry)
	if err != nil {
		return done, fmt.Errorf("reaping what run %s left in vCenter: %w", of.RunID, err)
	}
	return done, nil
}

// leftovers lists what has the name and the mark of a run, and its CDs.
func (c *client) leftovers(ctx context.Context, of hybridcore.Remains) ([]platform.Leftover, error) {
	left, err := c.media(ctx, of.Media)
	if err != nil {
		return nil, fmt.Errorf("looking for CDs: %w", err)
	}
	all, err := c.named(ctx, of.Name, "config", "datastore", "runtime.powerState")
	if err != nil {
		return nil, err
	}
	for _, m := range all {
		if m.Config == nil {
			return nil, fmt.Errorf(
				"vCenter shows no configuration of machine %s: "+
					"it is being created, its host is away, or the account may not read it",
				m.Self.Value,
			)
		}
		if !m.Config.Template && strings.Contains(m.Config.Annotation, platform.RunMark(of.RunID)) {
			left = append(left, platform.Leftover{
				URI:    hybridcore.URI{Kind: platform.VM, Name: m.Name, ID: m.Self.Value},
				Remove: func(ctx context.Context) error { return c.retire(ctx, m) },
				Hand:   "govc object.destroy " + platform.Quoted("VirtualMachine:"+m.Self.Value),
			})
		}
	}
	if c.library == "" {
		return left, nil
	}
	items, err := c.libraryItems(ctx, of.Name)
	if err != nil {
		return nil, fmt.Errorf("looking for %s in content library %s: %w", of.Name, c.library, err)
	}
	for _, i := range items {
		if !i.whole && strings.Contains(i.notes, platform.RunMark(of.RunID)) {
			left = append(left, platform.Leftover{
				URI:    i.uri(),
				Remove: func(ctx context.Context) error { return c.removeItem(ctx, i) },
				Hand:   "govc library.rm " + platform.Quoted(i.id),
			})
		}
	}
	return left, nil
}

// retire removes a machine. It waits while another task works on it, and is
// content when the machine is gone.
func (c *client) retire(ctx context.Context, m mo.VirtualMachine) error {
	for {
		err := c.remove(ctx, m)
		switch {
		case fault.Is(err, &types.ManagedObjectNotFound{}):
			return nil
		case !fault.Is(err, &types.TaskInProgress{}) || platform.Pause(ctx, platform.Poll) != nil:
			return refusedBy(err)
		}
	}
}

// remove powers a machine off, deletes what was uploaded for it, takes off the
// disks of others and destroys it with its own.
func (c *client) remove(ctx context.Context, m mo.VirtualMachine) error {
	machine := object.NewVirtualMachine(c.soap.Client, m.Self)
	if m.Runtime.PowerState != types.VirtualMachinePowerStatePoweredOff {
		err := done(ctx)(machine.PowerOff(ctx))
		if err != nil && !fault.Is(err, &types.InvalidPowerState{}) { // it is off meanwhile
			return fmt.Errorf("powering it off: %w", err)
		}
	}
	files, err := c.uploads(ctx, m)
	if err != nil {
		return fmt.Errorf("looking for what was uploaded for it: %w", err)
	}
	for _, file := range files { // while the machine still leads to them
		if err := c.deleteFile(ctx, m.Self, file); err != nil {
			return fmt.Errorf("deleting %s, which was uploaded for it: %w", file, err)
		}
	}
	if disks := foreignDisks(m); len(disks) > 0 {
		if err := machine.RemoveDevice(ctx, true, disks...); err != nil {
			return fmt.Errorf("taking off disks that are not its own: %w", err)
		}
	}
	if err := done(ctx)(machine.Destroy(ctx)); err != nil {
		return fmt.Errorf("destroying it: %w", err)
	}
	return nil
}
