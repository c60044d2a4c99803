// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T09:52:00Z
// Spec: openspec/specs/posting/spec.md#requirement-limits-and-time
// Diagram: openspec/specs/posting/diagram.md#want-try-made-sent

package github

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/google/go-github/v62/github"

	"github.com/packer-hybrid/packer-hybrid/forge"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/webapi"
)

// standardAPI is where GitHub's own API is.
const standardAPI = "https://api.github.com/"

// client is GitHub's API for one repository: the only way in which it is asked.
type client struct {
	http        *http.Client
	base        *url.URL
	owner, repo string
	timeout     time.Duration // of one request
}

// newClient makes a client that signs by a token, or that signs itself.
func newClient(api, repository string, through *http.Client, timeout time.Duration) (client, error) {
	if api == "" {
		api = standardAPI
	}
	base, err := forge.Address(title, api)
	if err != nil {
		return client{}, err
	}
	owner, repo, ok := strings.Cut(repository, "/")
	if !ok || owner == "" || repo == "" || strings.Contains(repo, "/") {
		return client{}, hybridcore.Usagef("%.80q is not the name of a repository: give --repository OWNER/NAME", repository)
	}
	return client{through, base, owner, repo, timeout}, nil
}

// byToken is a client's transport with a token.
func byToken(token string) *http.Client { return forge.Client(webapi.Bearer(token)) }

// call makes one request, with a new library's client each time: go-github's remembers
// limits by the system's clock, and refuses requests itself.
func (c client) call(ctx context.Context, do func(context.Context, *github.Client) error) error {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	api := github.NewClient(c.http)
	api.BaseURL = c.base
	return webapi.Plainly(do(ctx, api))
}
