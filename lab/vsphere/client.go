// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T09:56:10Z
// Spec: openspec/specs/lab/spec.md#requirement-simulated-vcenter
// Diagram: openspec/specs/lab/diagram.md#parts

package vsphere

import (
	"context"
	"fmt"
	"net/url"

	"github.com/vmware/govmomi"
	"github.com/vmware/govmomi/session"
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vapi/rest"
	"github.com/vmware/govmomi/vim25"
	"github.com/vmware/govmomi/vim25/soap"
)

// User is the only account of a simulated vCenter.
const User = "packer@lab.local"

// internalClient speaks to the simulator in process, without signing in.
func internalClient(service *simulator.Service) *vim25.Client {
	client, err := vim25.NewClient(context.Background(), service)
	if err != nil {
		panic("vsphere: the simulator refuses its own client: " + err.Error())
	}
	return client
}

// client is a signed-in client of both of vCenter's interfaces.
type client struct {
	vim  *govmomi.Client
	rest *rest.Client
}

// address is where a vCenter is reached, and how.
type address struct {
	url           *url.URL
	authorityFile string
	password      string
}

// signIn signs in over the network, checking the lab's certificate, as any other client does.
func (a address) signIn(ctx context.Context) (*client, error) {
	transport := soap.NewClient(a.url, false)
	if err := transport.SetRootCAs(a.authorityFile); err != nil {
		return nil, fmt.Errorf("trusting the lab's certificate: %w", err)
	}
	vim, err := vim25.NewClient(ctx, transport)
	if err != nil {
		return nil, fmt.Errorf("connecting to vCenter: %w", err)
	}
	user := url.UserPassword(User, a.password)
	manager := session.NewManager(vim)
	if err := manager.Login(ctx, user); err != nil {
		return nil, fmt.Errorf("signing in to vCenter: %w", err)
	}
	c := &client{vim: &govmomi.Client{Client: vim, SessionManager: manager}, rest: rest.NewClient(vim)}
	if err := c.rest.Login(ctx, user); err != nil {
		return nil, fmt.Errorf("signing in to vCenter's REST interface: %w", err)
	}
	return c, nil
}

// signOut ends both sessions. It cannot fail in a way that matters: sessions end with the lab.
func (c *client) signOut(ctx context.Context) {
	_ = c.rest.Logout(ctx)
	_ = c.vim.Logout(ctx)
}
