// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T01:15:00Z
// Spec: openspec/specs/platforms/spec.md#requirement-live-lookup-of-artifacts
// Diagram: openspec/specs/platforms/diagram.md#lookup-after-a-build

package vsphere

import (
	"context"
	"errors"
	"fmt"

	"github.com/vmware/govmomi"
	"github.com/vmware/govmomi/fault"
	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/vapi/rest"
	"github.com/vmware/govmomi/vim25/types"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/platforms/platform"
)

// client speaks to one vCenter.
type client struct {
	soap    *govmomi.Client
	rest    *rest.Client
	library string // name of the content library, empty when the build uses none
	store   string // name of the datastore into which Packer uploads, empty when the build names none
}

// libraryItem is the kind of an item in a content library.
const libraryItem = "content-library-item"

// Close logs out of both interfaces.
func (c *client) Close(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), platform.Timeout)
	defer cancel()
	var errs []error
	if c.library != "" {
		errs = append(errs, c.rest.Logout(ctx))
	}
	return errors.Join(append(errs, c.soap.Logout(ctx))...)
}

// done waits for the task of a call.
func done(ctx context.Context) func(*object.Task, error) error {
	return func(task *object.Task, err error) error {
		if err != nil {
			return err
		}
		return task.Wait(ctx)
	}
}

// refusedBy makes the privilege that an account lacks a part of the error:
// vCenter's text only says that permission was denied.
func refusedBy(err error) error {
	var denied *types.NoPermission
	if _, ok := fault.As(err, &denied); ok && denied.PrivilegeId != "" {
		return fmt.Errorf("%w: the account lacks the privilege %s", err, denied.PrivilegeId)
	}
	return err
}
