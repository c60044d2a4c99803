// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T00:58:30Z
// Spec: openspec/specs/platforms/spec.md#requirement-live-lookup-of-artifacts
// Diagram: openspec/specs/platforms/diagram.md#lookup-on-proxmox-ve

// Package proxmox is all that Proxmox VE needs: the client of a cluster, which finds templates and
// machines, marks them and removes what a dead run left.
package proxmox

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/platforms/platform"
)

// Open checks that the credentials are taken and may see something: a
// token without permissions gets empty lists, not errors.
func Open(ctx context.Context, variables map[string]string, limit platform.Reach) (platform.Client, error) {
	for _, name := range []string{"proxmox_url", "proxmox_username"} {
		if variables[name] == "" {
			return nil, platform.Missing(name)
		}
	}
	base, err := url.Parse(variables["proxmox_url"])
	if err != nil || base.Scheme != "https" || base.Host == "" {
		return nil, errors.New("proxmox_url is not an address: want https://HOST:8006/api2/json")
	}
	base = &url.URL{Scheme: base.Scheme, Host: base.Host, Path: base.Path} // neither user information nor a query
	transport := &http.Transport{
		Proxy: http.ProxyFromEnvironment,
		TLSClientConfig: &tls.Config{
			MinVersion:         tls.VersionTLS12,
			InsecureSkipVerify: variables["proxmox_insecure_connection"] == "true", //nolint:gosec // the user's word
			// HTTP/2 has no reason phrases, and they hold the errors.
			NextProtos: []string{"http/1.1"},
		},
		IdleConnTimeout: platform.Timeout,
	}
	limit(transport)
	c := &client{
		base:    base,
		node:    variables["proxmox_node"],
		storage: variables["iso_storage"],
		header:  http.Header{"Accept": {"application/json"}},
		http: &http.Client{
			Transport:     &platform.Patient{Next: transport},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
	ctx, cancel := context.WithTimeout(ctx, platform.Timeout)
	defer cancel()
	if err := c.signIn(ctx, variables); err != nil {
		return nil, err
	}
	var permissions map[string]any
	if err := c.call(ctx, http.MethodGet, []string{"access", "permissions"}, nil, &permissions); err != nil {
		return nil, fmt.Errorf(
			"asking Proxmox VE %s with proxmox_username and its proxmox_token or proxmox_password: %w", base.Host, err,
		)
	}
	if len(permissions) == 0 {
		return nil, fmt.Errorf(
			"proxmox_username may see nothing on Proxmox VE %s: give the token the permissions of a build "+
				"(a token with privilege separation has none of its user's)",
			base.Host,
		)
	}
	return c, nil
}

// signIn takes the token, or gets a ticket for the password.
func (c *client) signIn(ctx context.Context, variables map[string]string) error {
	user := variables["proxmox_username"]
	if token := variables["proxmox_token"]; token != "" {
		c.secret = token
		c.header.Set("Authorization", "PVEAPIToken="+user+"="+token)
		return nil
	}
	if c.secret = variables["proxmox_password"]; c.secret == "" {
		return platform.Missing("proxmox_token")
	}
	var session struct {
		Ticket string `json:"ticket"`
		CSRF   string `json:"CSRFPreventionToken"`
	}
	form := url.Values{"username": {user}, "password": {c.secret}}
	if err := c.call(ctx, http.MethodPost, []string{"access", "ticket"}, form, &session); err != nil {
		return fmt.Errorf("signing in to Proxmox VE %s with proxmox_username and proxmox_password: %w", c.base.Host, err)
	}
	if session.Ticket == "" {
		return fmt.Errorf("signing in to Proxmox VE %s: the answer has no ticket", c.base.Host)
	}
	c.header.Set("Cookie", "PVEAuthCookie="+session.Ticket)
	c.header.Set("CSRFPreventionToken", session.CSRF)
	return nil
}
