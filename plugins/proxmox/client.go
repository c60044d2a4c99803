// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T01:45:00Z
// Spec: openspec/specs/stand-ins/spec.md#requirement-builds-like-the-real-plugin
// Diagram: openspec/specs/stand-ins/diagram.md#a-build

package proxmox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Bounds of the client.
const (
	maxAnswer = 8 << 20                // bytes of an answer
	taskPause = 100 * time.Millisecond // between two looks at a task
	attempts  = 3                      // to read a configuration or to start or stop a machine
)

// client calls Proxmox VE.
type client struct {
	http    *http.Client
	base    string
	sign    func(http.Header)
	timeout time.Duration // of a task
}

// connect signs in with the token, or without one with the password.
func connect(ctx context.Context, a Access) (*client, error) {
	lab, err := Plugin().Client()
	if err != nil {
		return nil, err
	}
	c := &client{http: lab, base: strings.TrimSuffix(a.URL, "/"), timeout: a.TaskTimeout}
	c.sign = func(h http.Header) { h.Set("Authorization", "PVEAPIToken="+a.Username+"="+a.Token) }
	if a.Token != "" {
		return c, nil
	}
	var ticket struct{ Ticket, CSRFPreventionToken string }
	c.sign = func(http.Header) {}
	if err := c.call(ctx, http.MethodPost, "/access/ticket",
		url.Values{"username": {a.Username}, "password": {a.Password}}, &ticket); err != nil {
		return nil, fmt.Errorf("signing in: %w", err)
	}
	c.sign = func(h http.Header) {
		h.Set("Authorization", "PVEAuthCookie="+ticket.Ticket)
		h.Set("CSRFPreventionToken", ticket.CSRFPreventionToken)
	}
	return c, nil
}

// call makes a call and reads its data into out, unless that is nil.
func (c *client) call(ctx context.Context, method, path string, form url.Values, out any) error {
	body := ""
	if method != http.MethodGet {
		body = form.Encode()
	}
	return c.send(ctx, request{method, path, strings.NewReader(body), "application/x-www-form-urlencoded"}, out)
}

// request is a call with its body.
type request struct {
	method, path string
	body         io.Reader
	kind         string // of the body
}

func (c *client) send(ctx context.Context, r request, out any) error {
	req, err := http.NewRequestWithContext(ctx, r.method, c.base+r.path, r.body)
	if err != nil {
		return fmt.Errorf("calling Proxmox VE: %w", err)
	}
	req.Header.Set("Content-Type", r.kind)
	c.sign(req.Header)
	resp, err := c.http.Do(req)
	if err != nil {
		return fmt.Errorf("calling Proxmox VE: %w", err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("reading the answer of Proxmox VE: %w", err)
	}
	var answer struct {
		Data   json.RawMessage   `json:"data"`
		Errors map[string]string `json:"errors"`
	}
	err = json.Unmarshal(data, &answer)
	if resp.StatusCode >= http.StatusMultipleChoices {
		if len(answer.Errors) > 0 {
			return fmt.Errorf("%s: %v", resp.Status, answer.Errors)
		}
		return errors.New(resp.Status)
	}
	if err == nil && out != nil {
		err = json.Unmarshal(answer.Data, out)
	}
	if err != nil {
		return fmt.Errorf("reading the answer to %s %s: %w", r.method, r.path, err)
	}
	return nil
}

// task makes a call that starts a task and waits until the task has ended.
func (c *client) task(ctx context.Context, method, path string, form url.Values) error {
	var id string
	if err := c.call(ctx, method, path, form, &id); err != nil {
		return err
	}
	return c.wait(ctx, id)
}

// power starts, stops or shuts down a machine. When that fails it is tried again, as the real plugin's client does.
func (c *client) power(ctx context.Context, m machine, change string) error {
	for attempt := 1; ; attempt++ {
		err := c.task(ctx, http.MethodPost, m.path()+"/status/"+change, nil)
		if err == nil || attempt == attempts {
			return err
		}
		time.Sleep(taskPause)
	}
}

// wait waits for a task. The node that runs it is in its name: UPID:NODE:….
func (c *client) wait(ctx context.Context, id string) error {
	parts := strings.Split(id, ":")
	if len(parts) < 3 || parts[0] != "UPID" {
		return fmt.Errorf("the answer of Proxmox VE names no task: %q", id)
	}
	for deadline := time.Now().Add(c.timeout); ; time.Sleep(taskPause) {
		var status struct {
			Exit *string `json:"exitstatus"`
		}
		if err := c.call(ctx, http.MethodGet, "/nodes/"+parts[1]+"/tasks/"+id+"/status", nil, &status); err != nil {
			return err
		}
		if status.Exit != nil {
			if strings.HasPrefix(*status.Exit, "OK") || strings.HasPrefix(*status.Exit, "WARNINGS") {
				return nil
			}
			return errors.New(*status.Exit)
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("the task %s has not ended after %s (task_timeout)", id, c.timeout)
		}
	}
}

// upload puts a file of this machine into a storage as an ISO.
func (c *client) upload(ctx context.Context, node, storage, file string) error {
	f, err := os.Open(file)
	if err != nil {
		return fmt.Errorf("uploading an ISO: %w", err)
	}
	defer f.Close()
	reader, writer := io.Pipe()
	form := multipart.NewWriter(writer)
	go func() {
		err := form.WriteField("content", "iso")
		if err == nil {
			var part io.Writer
			if part, err = form.CreateFormFile("filename", filepath.Base(file)); err == nil {
				_, err = io.Copy(part, f)
			}
		}
		if err == nil {
			err = form.Close()
		}
		writer.CloseWithError(err)
	}()
	var id string
	err = c.send(ctx, request{
		http.MethodPost, "/nodes/" + node + "/storage/" + storage + "/upload", reader,
		form.FormDataContentType(),
	}, &id)
	reader.CloseWithError(io.ErrClosedPipe) // ends the writing when the call ended early
	if err != nil {
		return err
	}
	return c.wait(ctx, id)
}

// machine is a virtual machine or template in a list.
type machine struct {
	ID   int    `json:"vmid"`
	Node string `json:"node"`
	Type string `json:"type"`
	Name string `json:"name"`
}

// path is where the machine's calls are.
func (m machine) path() string { return "/nodes/" + m.Node + "/qemu/" + strconv.Itoa(m.ID) }

// machines lists the virtual machines and templates that match.
func (c *client) machines(ctx context.Context, match func(machine) bool) ([]machine, error) {
	var all, found []machine
	if err := c.call(ctx, http.MethodGet, "/cluster/resources?type=vm", nil, &all); err != nil {
		return nil, err
	}
	for _, m := range all {
		if m.Type == "qemu" && match(m) {
			found = append(found, m)
		}
	}
	return found, nil
}

// config is the configuration of a machine. It is asked for again when that fails: the call is known for it.
func (c *client) config(ctx context.Context, m machine) (map[string]any, error) {
	for attempt := 1; ; attempt++ {
		var settings map[string]any
		err := c.call(ctx, http.MethodGet, m.path()+"/config", nil, &settings)
		if err == nil || attempt == attempts {
			return settings, err
		}
	}
}
