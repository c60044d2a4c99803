// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T01:15:00Z
// Spec: openspec/specs/platforms/spec.md#requirement-live-lookup-of-artifacts
// Diagram: openspec/specs/platforms/diagram.md#lookup-on-proxmox-ve

package proxmox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/platforms/platform"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/text"
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

// nodeName is the name of a node: a host name. It becomes a part of paths.
var nodeName = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$`)

// refusal is an answer other than success, or a task that failed.
type refusal struct{ text string }

// Error returns what Proxmox VE says.
func (r *refusal) Error() string { return r.text }

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
func (c *client) said(raw string) string {
	return "Proxmox VE says: " + strings.ReplaceAll(text.Sanitize(raw), c.secret, "***")
}

// Close forgets the session: a token has none, and a ticket cannot be ended.
func (c *client) Close(context.Context) error {
	c.http.CloseIdleConnections()
	return nil
}

// work makes a call that starts a task, and waits for the task's success.
func (c *client) work(ctx context.Context, method string, path []string, form url.Values) error {
	var started *string
	if err := c.call(ctx, method, path, form, &started); err != nil {
		return err
	}
	if started == nil || *started == "" {
		return nil // null: done at once, without a task
	}
	upid := *started
	parts := strings.Split(upid, ":") // UPID:NODE:...
	if len(parts) < 3 || parts[0] != "UPID" || !nodeName.MatchString(parts[1]) {
		return &refusal{c.said("task " + upid + ", which is no task")}
	}
	for {
		var task struct {
			Status string `json:"status"`
			Exit   string `json:"exitstatus"`
		}
		if err := c.call(ctx, http.MethodGet, []string{"nodes", parts[1], "tasks", upid, "status"}, nil, &task); err != nil {
			return fmt.Errorf("asking for task %s: %w", text.Sanitize(upid), err)
		}
		switch {
		case task.Status != "stopped":
		case task.Exit == "OK" || strings.HasPrefix(task.Exit, "WARNINGS"):
			return nil
		default:
			return &refusal{c.said(task.Exit)}
		}
		if err := platform.Pause(ctx, platform.Poll); err != nil {
			return fmt.Errorf("waiting for task %s: %w", text.Sanitize(upid), err)
		}
	}
}
