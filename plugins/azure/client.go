// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T01:55:00Z
// Spec: openspec/specs/stand-ins/spec.md#requirement-builds-like-the-real-plugin
// Diagram: openspec/specs/stand-ins/diagram.md#a-build

package azure

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Bounds of the client.
const (
	maxAnswer  = 8 << 20 // bytes of an answer
	attempts   = 5       // of a request that is answered with 429 or 5xx
	retryPause = time.Second
	pollPause  = 2 * time.Second // between two looks at what is under way, unless the server says otherwise
)

// errNotFound is the answer about what does not exist.
var errNotFound = errors.New("not found")

// client calls Azure's resource manager.
type client struct {
	http    *http.Client
	manager string // address of the resource manager
	token   string
}

// connect learns from the metadata where the platform's parts are, and signs in.
func connect(ctx context.Context, a Access) (*client, error) {
	lab, err := Plugin().Client()
	if err != nil {
		return nil, err
	}
	c := &client{http: lab}
	if a.MetadataHost == "" {
		return nil, errors.New("metadata_host is not set: without it the real plugin would build on the public Azure; the " +
			"lab sets PKR_VAR_azure_metadata_host")
	}
	var metadata struct {
		Manager        string `json:"resourceManager"`
		Authentication struct {
			Login string `json:"loginEndpoint"`
		} `json:"authentication"`
	}
	if err := c.read(ctx, http.MethodGet,
		strings.TrimSuffix(a.MetadataHost, "/")+"/metadata/endpoints?api-version=2022-09-01", nil, &metadata); err != nil {
		return nil, fmt.Errorf("looking for the platform at metadata_host: %w", err)
	}
	c.manager = strings.TrimSuffix(metadata.Manager, "/")
	form := url.Values{
		"client_id": {a.ClientID}, "client_secret": {a.ClientSecret}, "grant_type": {"client_credentials"},
		"scope": {c.manager + "/.default"},
	}
	var token struct {
		Access string `json:"access_token"`
	}
	login := strings.TrimSuffix(metadata.Authentication.Login, "/") + "/" + url.PathEscape(a.Tenant) + "/oauth2/v2.0/token"
	if err := c.read(ctx, http.MethodPost, login, form, &token); err != nil {
		return nil, fmt.Errorf("signing in: %w", err)
	}
	c.token = token.Access
	return c, nil
}

// answer is what a request is answered with.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// read sends a request and reads its answer into out, unless that is nil.
func (c *client) read(ctx context.Context, method, address string, body, out any) error {
	got, err := c.send(ctx, method, address, body)
	if err != nil || out == nil {
		return err
	}
	if err := json.Unmarshal(got.body, out); err != nil {
		return fmt.Errorf("reading the answer to %s %s: %w", method, address, err)
	}
	return nil
}

// send sends a request, again when the platform is busy. A form is sent as one, other bodies as JSON.
func (c *client) send(ctx context.Context, method, address string, body any) (answer, error) {
	content, kind := []byte(nil), "application/json; charset=utf-8"
	if form, ok := body.(url.Values); ok {
		content, kind = []byte(form.Encode()), "application/x-www-form-urlencoded"
	} else if body != nil {
		var err error
		if content, err = json.Marshal(body); err != nil {
			return answer{}, fmt.Errorf("writing a request: %w", err)
		}
	}
	for attempt := 1; ; attempt++ {
		req, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(content))
		if err != nil {
			return answer{}, fmt.Errorf("making a request: %w", err)
		}
		req.Header.Set("Content-Type", kind)
		if c.token != "" {
			req.Header.Set("Authorization", "Bearer "+c.token)
		}
		got, err := c.once(req)
		busy := got.status == http.StatusTooManyRequests || got.status >= http.StatusInternalServerError
		dropped := got.status == 0 && method == http.MethodGet && ctx.Err() == nil
		if err == nil || attempt == attempts || !busy && !dropped {
			return got, err
		}
		if err := pause(ctx, got.header, retryPause); err != nil {
			return got, err
		}
	}
}

// once sends a request one time.
func (c *client) once(req *http.Request) (answer, error) {
	resp, err := c.http.Do(req)
	if err != nil {
		return answer{}, fmt.Errorf("calling Azure: %w", err)
	}
	defer resp.Body.Close()
	got := answer{status: resp.StatusCode, header: resp.Header}
	if got.body, err = io.ReadAll(io.LimitReader(resp.Body, maxAnswer)); err != nil {
		return got, fmt.Errorf("reading an answer of Azure: %w", err)
	}
	if got.status < http.StatusBadRequest {
		return got, nil
	}
	var failed struct {
		Error failure `json:"error"`
	}
	_ = json.Unmarshal(got.body, &failed) // an answer of another kind still has its status
	return got, &refusal{status: got.status, failure: failed.Error}
}

// refusal is an answer that is none of success.
type refusal struct {
	status  int
	failure failure
}

// Error has the words of the real plugin.
func (r *refusal) Error() string {
	return fmt.Sprintf("unexpected status %d (%[1]d %s) with error: %v", r.status, http.StatusText(r.status), r.failure)
}

// Is makes an answer of 404 errNotFound.
func (r *refusal) Is(target error) bool {
	return target == errNotFound && r.status == http.StatusNotFound
}

// failure is the platform's word for what went wrong.
type failure struct {
	Code    string    `json:"code"`
	Message string    `json:"message"`
	Details []failure `json:"details"`
}

// Error is the code, the message and what is behind it.
func (f failure) Error() string {
	texts := []string{f.Code + ": " + f.Message}
	for _, d := range f.Details {
		texts = append(texts, d.Error())
	}
	return strings.Join(texts, "; ")
}

// pause waits as long as the platform asks for, or otherwise the time given.
func pause(ctx context.Context, header http.Header, otherwise time.Duration) error {
	if seconds, err := strconv.Atoi(header.Get("Retry-After")); err == nil && seconds >= 0 {
		otherwise = time.Duration(seconds) * time.Second
	}
	select {
	case <-time.After(otherwise):
		return nil
	case <-ctx.Done():
		return fmt.Errorf("waiting for Azure: %w", context.Cause(ctx))
	}
}

// at is the address of what the resource manager has under an id.
func (c *client) at(id, version string) string { return c.manager + id + "?api-version=" + version }

// get reads a resource into out, unless that is nil. The error wraps errNotFound when there is none.
func (c *client) get(ctx context.Context, id, version string, out any) error {
	return c.read(ctx, http.MethodGet, c.at(id, version), nil, out)
}

// finish sends a request and waits until what it starts has ended.
func (c *client) finish(ctx context.Context, method, address string, body any) error {
	got, err := c.send(ctx, method, address, body)
	if err != nil {
		return err
	}
	return c.follow(ctx, got)
}

// follow waits for the operation that an answer names, if it names one.
func (c *client) follow(ctx context.Context, got answer) error {
	operation := got.header.Get("Azure-AsyncOperation")
	for header := got.header; operation != ""; {
		if err := pause(ctx, header, pollPause); err != nil {
			return err
		}
		poll, err := c.send(ctx, http.MethodGet, operation, nil)
		if err != nil {
			return err
		}
		header = poll.header
		var state struct {
			Status string  `json:"status"`
			Error  failure `json:"error"`
		}
		if err := json.Unmarshal(poll.body, &state); err != nil {
			return fmt.Errorf("reading the state of an operation: %w", err)
		}
		switch state.Status {
		case "Succeeded":
			return nil
		case "Failed", "Canceled":
			return fmt.Errorf("the operation %s: %w", strings.ToLower(state.Status), state.Error)
		}
	}
	return nil
}

// remove deletes a resource and waits until it is gone. What is gone already is no error.
func (c *client) remove(ctx context.Context, id, version string) error {
	got, err := c.send(ctx, http.MethodDelete, c.at(id, version), nil)
	if err == nil && got.header.Get("Azure-AsyncOperation") != "" {
		return c.follow(ctx, got)
	}
	for err == nil {
		if err = c.get(ctx, id, version, nil); err == nil {
			err = pause(ctx, nil, pollPause)
		}
	}
	if errors.Is(err, errNotFound) {
		return nil
	}
	return err
}
