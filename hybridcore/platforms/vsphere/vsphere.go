// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T22:55:00Z
// Spec: openspec/specs/platforms/spec.md#requirement-live-lookup-of-artifacts
// Diagram: openspec/specs/platforms/diagram.md#lookup-after-a-build

// Package vsphere is all that VMware vSphere needs: the client of a vCenter, which finds templates,
// machines and library items, marks them and removes what a dead run left.
package vsphere

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	"github.com/vmware/govmomi"
	"github.com/vmware/govmomi/session"
	"github.com/vmware/govmomi/vapi/rest"
	"github.com/vmware/govmomi/vim25"
	"github.com/vmware/govmomi/vim25/soap"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/platforms/platform"
)

// Open logs in to both of vCenter's interfaces: SOAP for machines, REST
// for content libraries.
func Open(ctx context.Context, settings map[string]string, limit platform.Reach) (platform.Client, error) {
	for _, name := range []string{"vsphere_endpoint", "vsphere_username", "vsphere_password"} {
		if settings[name] == "" {
			return nil, platform.Missing(name)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, platform.Timeout)
	defer cancel()
	address, err := soap.ParseURL(settings["vsphere_endpoint"])
	if err != nil {
		return nil, errors.New("vsphere_endpoint is not an address: want HOST, HOST:PORT or a URL")
	}
	login := url.UserPassword(settings["vsphere_username"], settings["vsphere_password"])
	address.User = nil // kept out of every error text
	transport := soap.NewClient(address, settings["vsphere_insecure_connection"] == "true")
	limit(transport.DefaultTransport())
	watched := &platform.Guard{Next: &platform.Patient{Next: transport.Transport}, Hosts: []string{address.Host}}
	transport.Transport = watched
	vim, err := vim25.NewClient(ctx, transport)
	if err != nil {
		return nil, fmt.Errorf("connecting to vCenter %s: %w", address.Host, err)
	}
	if has := vim.ServiceContent; has.SessionManager == nil || has.ViewManager == nil ||
		has.FileManager == nil { // govmomi follows them
		return nil, fmt.Errorf(
			"connecting to vCenter %s: its answer names no manager of sessions, views or files; it may be no vCenter",
			address.Host,
		)
	}
	c := &client{
		soap:    &govmomi.Client{Client: vim, SessionManager: session.NewManager(vim)},
		rest:    rest.NewClient(vim),
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
		return nil, errors.Join(
			fmt.Errorf("logging in to the content library service of vCenter %s: %w", address.Host, err), c.Close(ctx),
		)
	}
	return c, nil
}
