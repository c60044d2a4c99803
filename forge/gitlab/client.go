// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T10:00:00Z
// Spec: openspec/specs/posting/spec.md#requirement-limits-and-time
// Diagram: openspec/specs/posting/diagram.md#want-try-made-sent

package gitlab

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/xanzy/go-gitlab"

	"github.com/packer-hybrid/packer-hybrid/forge"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/webapi"
)

// client is GitLab's API for one project: the only way in which it is asked.
type client struct {
	http    *http.Client
	base    *url.URL
	project string
	timeout time.Duration // of one request
}

// newClient makes a client that signs by a token.
func newClient(api, project, token string, timeout time.Duration) (client, error) {
	if api == "" {
		api = "https://gitlab.com/api/v4/"
	}
	base, err := forge.Address(title, api)
	if err != nil {
		return client{}, err
	}
	sign := func(h http.Header) { h.Set("Private-Token", token) }
	return client{forge.Client(sign), base, project, timeout}, nil
}

// files is the client for the files of jobs, which are not looked into.
func (c client) files(token string) client {
	sign := func(h http.Header) { h.Set("Private-Token", token) }
	c.http = webapi.Client(webapi.Transport{Most: forge.MaxAnswer, Sign: sign, Files: true})
	return c
}

// call makes one request, with a new library's client each time: go-gitlab's remembers
// limits by the system's clock, and holds requests back itself.
func (c client) call(ctx context.Context, do func(*gitlab.Client, gitlab.RequestOptionFunc) error) error {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	api, err := gitlab.NewClient("", gitlab.WithBaseURL(c.base.String()), gitlab.WithHTTPClient(c.http),
		gitlab.WithoutRetries())
	if err != nil {
		return fmt.Errorf("making a client for GitLab: %w", err)
	}
	return webapi.Plainly(do(api, gitlab.WithContext(ctx)))
}
