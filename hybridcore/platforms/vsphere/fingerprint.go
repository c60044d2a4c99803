// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T14:02:00Z
// Spec: openspec/specs/platforms/spec.md#requirement-fingerprints
// Diagram: openspec/specs/platforms/diagram.md#fingerprint

package vsphere

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"

	"github.com/vmware/govmomi/fault"
	"github.com/vmware/govmomi/property"
	"github.com/vmware/govmomi/vapi/library"
	"github.com/vmware/govmomi/vapi/rest"
	"github.com/vmware/govmomi/view"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/platforms/platform"
)

// page is how many machines are read by one call: some 30 KB each.
const page = 100

// identifier is the form of vCenter's identifiers: vm-54, and that of an item.
var identifier = regexp.MustCompile(`^[A-Za-z0-9-]{1,64}$`)

// properties are those of a machine of which a fingerprint is made.
var properties = []string{
	"name", "config.template", "config.annotation", "config.instanceUuid", "config.firmware", "config.guestId",
	"config.version", "config.bootOptions", "config.hardware",
}

// Look implements platform.Looker: one list of all machines, and one of the items of each
// library.
func (c *client) Look(ctx context.Context, of []hybridcore.URI) ([]hybridcore.Seen, error) {
	return c.look(ctx, of, false)
}

// Fingerprint implements platform.Looker: the lists, the hardware of a hundred machines by
// one call, and each item of a library by one.
func (c *client) Fingerprint(ctx context.Context, of []hybridcore.URI) ([]hybridcore.Seen, error) {
	return c.look(ctx, of, true)
}

func (c *client) look(ctx context.Context, of []hybridcore.URI, whole bool) ([]hybridcore.Seen, error) {
	ctx, cancel := context.WithTimeout(ctx, platform.LookTime(len(of)))
	defer cancel()
	all := make([]hybridcore.Seen, len(of))
	var machines, items []int
	for i, uri := range of {
		all[i].Of = uri
		switch known := identifier.MatchString(uri.ID); {
		case known && (uri.Kind == platform.VM || uri.Kind == platform.VMTemplate):
			machines = append(machines, i)
		case known && uri.Kind == libraryItem:
			items = append(items, i)
		default:
			all[i] = platform.Unseen(uri, errors.New("vCenter has nothing of this kind and identifier"))
		}
	}
	s := sight{c, whole, all}
	if err := s.machines(ctx, machines); err != nil {
		return nil, fmt.Errorf("looking at machines of vCenter: %w", refusedBy(err))
	}
	if err := s.items(ctx, items); err != nil {
		return nil, fmt.Errorf("looking at items of content libraries: %w", err)
	}
	return all, nil
}

// sight is one look at objects.
type sight struct {
	client *client
	whole  bool
	all    []hybridcore.Seen
}

// machines says what there is of the machines at some places of the list.
func (s sight) machines(ctx context.Context, at []int) error {
	if len(at) == 0 {
		return nil
	}
	listed, err := s.everyMachine(ctx)
	if err != nil {
		return err
	}
	asked := map[string]bool{}
	for _, i := range at {
		asked[s.all[i].Of.ID] = true
	}
	read, there := map[string]mo.VirtualMachine{}, []types.ManagedObjectReference{}
	for _, m := range listed {
		if asked[m.Self.Value] {
			read[m.Self.Value], there = m, append(there, m.Self)
		}
	}
	if s.whole {
		if read, err = s.hardware(ctx, there); err != nil {
			return err
		}
	}
	for _, i := range at {
		one := &s.all[i]
		for _, m := range listed {
			if m.Name == one.Of.Name && m.Self.Value != one.Of.ID {
				one.Twin = machineURI(m)
			}
		}
		m, known := read[one.Of.ID]
		if !known {
			// An account may not see all machines: only vCenter knows that it is gone.
			var there bool
			if m, there, err = s.machine(ctx, one.Of.ID); err != nil {
				one.Unseen = platform.Unseen(one.Of, refusedBy(err)).Unseen
			}
			if !there {
				continue
			}
		}
		see(one, m, s.whole)
	}
	return nil
}

// everyMachine lists all machines and templates, with their names.
func (s sight) everyMachine(ctx context.Context) ([]mo.VirtualMachine, error) {
	all, err := view.NewManager(s.client.soap.Client).
		CreateContainerView(ctx, s.client.soap.ServiceContent.RootFolder, []string{"VirtualMachine"}, true)
	if err != nil {
		return nil, fmt.Errorf("listing machines: %w", err)
	}
	defer func() { _ = all.Destroy(context.WithoutCancel(ctx)) }()
	var listed []mo.VirtualMachine
	if err = all.Retrieve(ctx, []string{"VirtualMachine"}, []string{"name", "config.template"}, &listed); err != nil {
		return nil, fmt.Errorf("listing machines: %w", err)
	}
	return listed, nil
}

// machine reads one machine, and whether vCenter has it.
func (s sight) machine(ctx context.Context, id string) (m mo.VirtualMachine, there bool, err error) {
	ref := types.ManagedObjectReference{Type: "VirtualMachine", Value: id}
	err = property.DefaultCollector(s.client.soap.Client).RetrieveOne(ctx, ref, properties, &m)
	switch {
	case fault.Is(err, &types.ManagedObjectNotFound{}):
		return m, false, nil
	case err != nil:
		return m, false, fmt.Errorf("reading the machine: %w", err)
	case m.Self != ref:
		return m, false, errors.New("the answer says nothing of the machine")
	}
	return m, true, nil
}

// hardware reads machines, by their identifiers. What is gone is not among them.
func (s sight) hardware(ctx context.Context, refs []types.ManagedObjectReference) (
	map[string]mo.VirtualMachine, error,
) {
	read := map[string]mo.VirtualMachine{}
	for some := range slices.Chunk(refs, page) {
		found, err := s.client.read(ctx, some, properties...)
		if err != nil {
			return nil, fmt.Errorf("reading machines: %w", err)
		}
		for _, m := range found {
			read[m.Self.Value] = m
		}
	}
	return read, nil
}

// machineURI describes a machine.
func machineURI(m mo.VirtualMachine) hybridcore.URI {
	kind := platform.VM
	if m.Config != nil && m.Config.Template {
		kind = platform.VMTemplate
	}
	return hybridcore.URI{Kind: kind, Name: m.Name, ID: m.Self.Value}
}

// see says what there is of a machine.
func see(one *hybridcore.Seen, m mo.VirtualMachine, whole bool) {
	if m.Config == nil {
		one.Unseen = fmt.Sprintf("vCenter knows no configuration of %s %s now: its host may not be connected", one.Of.Kind,
			one.Of.ID)
		return
	}
	if whole {
		facts, err := machineFacts(m)
		if err != nil {
			one.Unseen = platform.Unseen(one.Of, err).Unseen
			return
		}
		one.Facts = facts
	}
	one.Now = machineURI(m)
}

// items says what there is of the library items at some places of the list.
func (s sight) items(ctx context.Context, at []int) error {
	if len(at) == 0 {
		return nil
	}
	if s.client.library == "" {
		return errors.New("vsphere_content_library is not set: nothing is asked of the service of content libraries")
	}
	manager := library.NewManager(s.client.rest)
	var ids []string
	if !s.whole { // else each is read anyway
		lib, err := s.find(ctx, manager)
		if err == nil {
			ids, err = manager.ListLibraryItems(ctx, lib)
		}
		if err != nil {
			return fmt.Errorf("listing the library %s: %w", s.client.library, err)
		}
	}
	for _, i := range at {
		one := &s.all[i]
		if slices.Contains(ids, one.Of.ID) {
			one.Now = one.Of // lists have no names of items
			continue
		}
		known, err := manager.GetLibraryItem(ctx, one.Of.ID)
		switch {
		case rest.IsStatusError(err, http.StatusNotFound):
			err = s.twin(ctx, manager, one)
		case err == nil && known.ID != one.Of.ID:
			err = fmt.Errorf("vCenter answers with the item %.80q", known.ID)
		case err == nil:
			one.Now = hybridcore.URI{Kind: libraryItem, Name: known.Name, ID: known.ID}
			one.Facts, err = itemFacts(*known)
		}
		if err != nil {
			*one = platform.Unseen(one.Of, err)
		}
	}
	return nil
}

// find finds the library.
func (s sight) find(ctx context.Context, manager *library.Manager) (id string, err error) {
	found, err := manager.FindLibrary(ctx, library.Find{Name: s.client.library})
	if err != nil {
		return "", fmt.Errorf("finding it: %w", err)
	}
	if len(found) == 0 {
		return "", errors.New("there is none of that name")
	}
	return found[0], nil
}

// twin looks for another item with the name of one that is gone.
func (s sight) twin(ctx context.Context, manager *library.Manager, one *hybridcore.Seen) error {
	lib, err := s.find(ctx, manager)
	if err != nil {
		return fmt.Errorf("looking for another item in library %s: %w", s.client.library, err)
	}
	ids, err := manager.FindLibraryItems(ctx, library.FindItem{LibraryID: lib, Name: one.Of.Name})
	if err != nil {
		return fmt.Errorf("finding items: %w", err)
	}
	if len(ids) > 0 {
		one.Twin = hybridcore.URI{Kind: libraryItem, Name: one.Of.Name, ID: ids[0]}
	}
	return nil
}
