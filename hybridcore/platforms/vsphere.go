// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T22:55:00Z
// Spec: openspec/specs/platforms/spec.md#requirement-live-lookup-of-artifacts
// Diagram: openspec/specs/platforms/diagram.md#lookup-after-a-build

package platforms

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/vmware/govmomi"
	"github.com/vmware/govmomi/session"
	"github.com/vmware/govmomi/vapi/rest"
	"github.com/vmware/govmomi/vim25"
	"github.com/vmware/govmomi/vim25/soap"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// Kinds of objects that a vSphere build leaves.
const (
	vmTemplate  = "vm-template"
	vm          = hybridcore.KindVM
	libraryItem = "content-library-item"
)

type vsphere struct {
	soap    *govmomi.Client
	rest    *rest.Client
	library string // name of the content library, empty when the build uses none
	store   string // name of the datastore into which Packer uploads, empty when the build names none
}

// openVSphere logs in to both of vCenter's interfaces: SOAP for machines, REST
// for content libraries.
func openVSphere(ctx context.Context, settings map[string]string, limit reach) (client, error) {
	for _, name := range []string{"vsphere_endpoint", "vsphere_username", "vsphere_password"} {
		if settings[name] == "" {
			return nil, missing(name)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	address, err := soap.ParseURL(settings["vsphere_endpoint"])
	if err != nil {
		return nil, errors.New("vsphere_endpoint is not an address: want HOST, HOST:PORT or a URL")
	}
	login := url.UserPassword(settings["vsphere_username"], settings["vsphere_password"])
	address.User = nil // kept out of every error text
	transport := soap.NewClient(address, settings["vsphere_insecure_connection"] == "true")
	limit(transport.DefaultTransport())
	watched := &guard{next: &patient{transport.Transport}, hosts: []string{address.Host}}
	transport.Transport = watched
	client, err := vim25.NewClient(ctx, transport)
	if err != nil {
		return nil, fmt.Errorf("connecting to vCenter %s: %w", address.Host, err)
	}
	if has := client.ServiceContent; has.SessionManager == nil || has.ViewManager == nil || has.FileManager == nil { // govmomi follows them
		return nil, fmt.Errorf("connecting to vCenter %s: its answer names no manager of sessions, views or files; it may be no vCenter", address.Host)
	}
	c := &vsphere{
		soap:    &govmomi.Client{Client: client, SessionManager: session.NewManager(client)},
		rest:    rest.NewClient(client),
		library: settings["vsphere_content_library"],
		store:   settings["vsphere_datastore"],
	}
	c.rest.Transport = watched
	if err := c.soap.Login(ctx, login); err != nil {
		return nil, fmt.Errorf("vCenter %s refuses vsphere_username and vsphere_password: %w", address.Host, err)
	}
	if c.library == "" {
		return c, nil
	}
	if err := c.rest.Login(ctx, login); err != nil {
		return nil, errors.Join(fmt.Errorf("logging in to the content library service of vCenter %s: %w", address.Host, err), c.Close(ctx))
	}
	return c, nil
}

// Find returns templates, machines and library items of that name.
func (c *vsphere) Find(ctx context.Context, name string) ([]hybridcore.URI, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	found, err := c.machines(ctx, name)
	if err != nil {
		return nil, fmt.Errorf("looking for machine %s in vCenter: %w", name, err)
	}
	if c.library == "" {
		return found, nil
	}
	items, err := c.items(ctx, name)
	if err != nil {
		return nil, fmt.Errorf("looking for %s in content library %s: %w", name, c.library, err)
	}
	return append(found, items...), nil
}

func (c *vsphere) machines(ctx context.Context, name string) ([]hybridcore.URI, error) {
	machines, err := c.named(ctx, name, "config.template")
	if err != nil {
		return nil, err
	}
	found := []hybridcore.URI{}
	for _, m := range machines {
		kind := vm
		if m.Config != nil && m.Config.Template {
			kind = vmTemplate
		}
		found = append(found, hybridcore.URI{Kind: kind, Name: m.Name, ID: m.Self.Value})
	}
	slices.SortFunc(found, func(a, b hybridcore.URI) int { return strings.Compare(a.ID, b.ID) })
	return found, nil
}

// items lists the library items of exactly this name. One without a descriptor
// is not whole, so that nobody takes it for an image.
func (c *vsphere) items(ctx context.Context, name string) ([]hybridcore.URI, error) {
	items, err := c.libraryItems(ctx, name)
	if err != nil {
		return nil, err
	}
	found := make([]hybridcore.URI, 0, len(items))
	for _, i := range items {
		found = append(found, i.uri())
	}
	return found, nil
}

// Close logs out of both interfaces.
func (c *vsphere) Close(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), timeout)
	defer cancel()
	var errs []error
	if c.library != "" {
		errs = append(errs, c.rest.Logout(ctx))
	}
	return errors.Join(append(errs, c.soap.Logout(ctx))...)
}
