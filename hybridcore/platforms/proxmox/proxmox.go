// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T00:58:30Z
// Spec: openspec/specs/platforms/spec.md#requirement-live-lookup-of-artifacts
// Diagram: openspec/specs/platforms/diagram.md#lookup-on-proxmox-ve

// Package proxmox is all that Proxmox VE needs: the client of a cluster, which finds templates and
// machines, marks them and removes what a dead run left.
package proxmox

import (
	"cmp"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/platforms/platform"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/webapi"
)

// client speaks the HTTP API itself: a handful of calls. The client library
// for Go takes an answer of status 502, 595 or 596 for an empty list, and an
// empty list here means that a lease may be forgotten.
type client struct {
	http   *http.Client
	base   *url.URL    // with /api2/json, without user information
	header http.Header // signs each call in
	secret string      // never in an error, even when the other side repeats it

	node, storage string // to which Packer uploads CDs; empty when the build names none
}

// machine is a virtual machine or template as lists and configurations show it.
type machine struct {
	Node     string `json:"node"`
	VMID     int    `json:"vmid"`
	Type     string `json:"type"` // qemu, or lxc for a container
	Name     string `json:"name"`
	Template int    `json:"template"`
}

// id is how a report names a machine. The number is unique in a cluster, and
// the node is where to look.
func (m machine) id() string { return m.Node + "/" + strconv.Itoa(m.VMID) }

// nameless says whether a list shows no name of the machine: Proxmox VE writes
// VM and the number then.
func (m machine) nameless() bool { return m.Name == "" || m.Name == "VM "+strconv.Itoa(m.VMID) }

// path is where the machine is in the API.
func (m machine) path(more ...string) []string {
	return append([]string{"nodes", m.Node, "qemu", strconv.Itoa(m.VMID)}, more...)
}

// settings is the part of a machine's configuration that says whose it is.
type settings struct {
	Name        string
	Description string
	Tags        string // separated by semicolons, commas or spaces
	Lock        string // kind of the task that holds the machine, empty when none does
	Template    bool
	Protected   bool     // somebody has said that it is not to be removed
	Drives      []string // values of IDE, SATA and SCSI drives
	Digest      string   // of the whole configuration
}

// nodeName is the name of a node: a host name. It becomes a part of paths.
var nodeName = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$`)

// refusal is an answer other than success, or a task that failed.
type refusal struct{ text string }

// Error returns what Proxmox VE says.
func (r *refusal) Error() string { return r.text }

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

// call makes one call and decodes the data of its answer into result, unless
// that is nil. Data that is null or missing is an error, unless result points to a
// pointer. Every status but 200 is a refusal with the reason phrase.
func (c *client) call(ctx context.Context, method string, path []string, form url.Values, result any) error {
	address := c.base
	for _, part := range path {
		address = address.JoinPath(url.PathEscape(part))
	}
	address = &url.URL{Scheme: address.Scheme, Host: address.Host, Path: address.Path, RawPath: address.RawPath}
	var body io.Reader
	if method == http.MethodPost {
		body = strings.NewReader(form.Encode())
	} else {
		address.RawQuery = form.Encode()
	}
	request, err := http.NewRequestWithContext(ctx, method, address.String(), body)
	if err != nil {
		return fmt.Errorf("preparing the call: %w", err)
	}
	request.Header = c.header.Clone()
	if body != nil {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	response, err := c.http.Do(request)
	if err != nil {
		return fmt.Errorf("calling Proxmox VE: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return &refusal{c.said(response.Status)}
	}
	var answer struct {
		Data json.RawMessage `json:"data"`
	}
	err = webapi.Check(response, platform.MaxAnswer)
	if err == nil {
		err = json.NewDecoder(response.Body).Decode(&answer)
	}
	if none := len(answer.Data) == 0 || string(answer.Data) == "null"; err == nil && none {
		if _, optional := result.(**string); result == nil || optional {
			return nil
		}
		err = errors.New("it has no data")
	}
	if err == nil && result != nil {
		err = json.Unmarshal(answer.Data, result)
	}
	if err != nil {
		return fmt.Errorf("reading the answer of Proxmox VE to %s %s: %w", method, address.Path, webapi.Plainly(err))
	}
	return nil
}

// said is what the other side says, fit for an error.
func (c *client) said(text string) string {
	return "Proxmox VE says: " + strings.ReplaceAll(hybridcore.Sanitize(text), c.secret, "***")
}

// Find returns templates and machines of that name. An ID is NODE/VMID.
func (c *client) Find(ctx context.Context, name string) ([]hybridcore.URI, error) {
	ctx, cancel := context.WithTimeout(ctx, platform.Timeout)
	defer cancel()
	found := []hybridcore.URI{}
	err := c.named(ctx, name, func(m machine, s settings) error {
		uri := hybridcore.URI{Kind: platform.VM, Name: name, ID: m.id()}
		if s.Template {
			uri.Kind = platform.VMTemplate
		}
		found = append(found, uri)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("looking for machine %s in Proxmox VE: %w", name, err)
	}
	return found, nil
}

// named calls do with each machine of exactly this name, by number. The list
// of a cluster is some seconds old, so the configuration decides: what has no
// name in the list may be new, and what has no configuration is gone.
func (c *client) named(ctx context.Context, name string, do func(machine, settings) error) error {
	return c.each(ctx, func(m machine) bool { return m.Name == name || m.nameless() }, func(m machine, s settings) error {
		if s.Name != name {
			return nil
		}
		return do(m, s)
	})
}

// each calls do with each machine whose line in the list is wanted, by number.
func (c *client) each(ctx context.Context, wanted func(machine) bool, do func(machine, settings) error) error {
	var all []machine
	if err := c.call(ctx, http.MethodGet, []string{"cluster", "resources"}, url.Values{"type": {"vm"}}, &all); err != nil {
		return fmt.Errorf("listing machines: %w", err)
	}
	slices.SortStableFunc(all, func(a, b machine) int { return cmp.Compare(a.VMID, b.VMID) })
	last := 0
	for _, m := range all {
		if m.Type != "qemu" || !wanted(m) || m.VMID == last {
			continue
		}
		if !nodeName.MatchString(m.Node) || m.VMID <= 0 {
			return fmt.Errorf("listing machines: %q is no machine of a node", hybridcore.Sanitize(m.id()))
		}
		last = m.VMID
		s, there, err := c.settings(ctx, m)
		if err != nil {
			return fmt.Errorf("reading the configuration of machine %s: %w", m.id(), err)
		}
		if !there {
			continue
		}
		if err := do(m, s); err != nil {
			return err
		}
	}
	return nil
}

// Close forgets the session: a token has none, and a ticket cannot be ended.
func (c *client) Close(context.Context) error {
	c.http.CloseIdleConnections()
	return nil
}
