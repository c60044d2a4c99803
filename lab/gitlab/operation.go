// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T10:13:50Z
// Spec: openspec/specs/lab-gitlab/spec.md#requirement-gitlabs-published-reference
// Diagram: openspec/specs/lab-gitlab/diagram.md#path-of-a-call

package gitlab

import (
	"net/http"
	"net/url"
	"strings"
)

// prefix of every path.
const prefix = "/api/v4"

// operation is one thing that can be called.
type operation struct {
	method, path string
	level        int  // of access that it needs
	job          bool // whether CI_JOB_TOKEN may
	open         bool // whether it needs no header at all
	fields       map[string]field
	do           func(request) (int, any, *refusal)
}

// route finds the operation of a call and what stands in its path.
func route(r *http.Request, operations []operation) (*operation, map[string]string) {
	got := strings.Split(strings.TrimPrefix(r.URL.EscapedPath(), prefix), "/")
	for i := range operations {
		op := &operations[i]
		want := strings.Split(op.path, "/")
		if op.method != r.Method || len(want) != len(got) {
			continue
		}
		params, fits := map[string]string{}, true
		for n, part := range want {
			value, err := url.PathUnescape(got[n])
			if name, ok := strings.CutPrefix(part, ":"); ok && value != "" && err == nil {
				params[name] = value
			} else if part != value {
				fits = false
			}
		}
		if fits {
			return op, params
		}
	}
	return nil, nil
}
