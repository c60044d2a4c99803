// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T01:15:00Z
// Spec: openspec/specs/lab-gitlab/spec.md#requirement-gitlabs-published-reference
// Diagram: openspec/specs/lab-gitlab/diagram.md#path-of-a-call

package gitlab

import (
	"net/http"
	"strconv"
)

// page cuts a list as GitLab does, and says so in the answer's headers.
func page(h http.Header, all []Object, r request) []Object {
	at, size := max(1, r.number("page")), r.number("per_page")
	if size <= 0 {
		size = 20
	}
	size = min(size, 100)
	total := int64(len(all))
	from, to := min((at-1)*size, total), min(at*size, total)
	h.Set("X-Page", strconv.FormatInt(at, 10))
	h.Set("X-Per-Page", strconv.FormatInt(size, 10))
	h.Set("X-Total", strconv.FormatInt(total, 10))
	h.Set("X-Total-Pages", strconv.FormatInt((total+size-1)/size, 10))
	h.Set("X-Next-Page", "")
	if to < total {
		h.Set("X-Next-Page", strconv.FormatInt(at+1, 10))
	}
	return append([]Object{}, all[from:to]...)
}
