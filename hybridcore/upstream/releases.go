// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T15:43:00Z
// Spec: openspec/specs/drift/spec.md#requirement-what-others-have-published
// Diagram: openspec/specs/drift/diagram.md#one-look

package upstream

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"

	"github.com/hashicorp/go-version"
)

const maxReleases = 1 << 14

// plain is the name of a release, and of nothing before one: a date is none.
var plain = regexp.MustCompile(`^v?[0-9]{1,9}\.[0-9]{1,9}\.[0-9]{1,9}$`)

// Index reads the names of releases in a JSON index such as releases.hashicorp.com has: the
// keys of its object "versions".
func Index(text []byte) ([]string, error) {
	var index struct {
		Versions map[string]json.RawMessage `json:"versions"`
	}
	if err := json.Unmarshal(text, &index); err != nil {
		return nil, fmt.Errorf("it is no index of releases: %w", err)
	}
	if index.Versions == nil {
		return nil, errors.New("it has no object \"versions\"")
	}
	return slices.Collect(maps.Keys(index.Versions)), nil
}

// Newest is the newest of releases, without what is before a release; tags may begin with v.
// When none is a version nobody knows, which is an error.
func Newest(releases []string) (string, error) {
	if len(releases) > maxReleases {
		return "", fmt.Errorf("it has more than %d releases", maxReleases)
	}
	var newest *version.Version
	for _, name := range releases {
		if !plain.MatchString(name) {
			continue
		}
		v, err := version.NewSemver(name)
		if err != nil {
			return "", fmt.Errorf("reading the name of a release: %w", err)
		}
		if newest == nil || v.GreaterThan(newest) {
			newest = v
		}
	}
	if newest == nil {
		return "", errors.New("none of its releases is a version")
	}
	return newest.String(), nil
}

// Newer says whether a release is newer than the one in use. One of both that is no version is
// an error.
func Newer(release, used string) (bool, error) {
	a, err := version.NewSemver(release)
	if err != nil {
		return false, fmt.Errorf("comparing versions: %w", err)
	}
	b, err := version.NewSemver(used)
	if err != nil {
		return false, fmt.Errorf("comparing versions: %w", err)
	}
	return a.GreaterThan(b), nil
}
