// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T10:12:30Z
// Spec: openspec/specs/lab-github/spec.md#requirement-state-as-on-github
// Diagram: openspec/specs/lab-github/diagram.md#path-of-a-call

package github

import (
	"net/http"
	"strconv"
	"strings"
)

// artifacts are the files of runs.
type artifacts struct {
	repo *repository
	all  []artifact
}

type artifact struct {
	run   int64
	zip   []byte
	shown Object
}

func (a *artifacts) list(r request) (int, any, *refusal) {
	items := []any{}
	for _, one := range a.all {
		if one.run == r.number("run_id") {
			items = append(items, one.shown)
		}
	}
	return http.StatusOK, paged{"artifacts", items}, nil
}

// blobs is where artifacts are, without GitHub's own authentication.
const blobs = "/blobs/"

func (a *artifacts) get(r request) (int, any, *refusal) {
	for _, one := range a.all {
		if one.shown["id"] == r.number("artifact_id") && r.params["archive_format"] == "zip" {
			return http.StatusFound, redirect(blobs + r.params["artifact_id"]), nil
		}
	}
	return 0, nil, refuse(http.StatusNotFound, "Not Found")
}

// serve serves an artifact. Its host is another one at GitHub, which must not
// get the token.
func (a *artifacts) serve(w http.ResponseWriter, r *http.Request) {
	for _, one := range a.all {
		if id, _ := one.shown["id"].(int64); strconv.FormatInt(id, 10) == strings.TrimPrefix(r.URL.Path, blobs) {
			w.Header().Set("Content-Type", "application/zip")
			_, _ = w.Write(one.zip)
			return
		}
	}
	w.WriteHeader(http.StatusNotFound)
}
