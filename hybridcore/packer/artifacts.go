// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:02:24Z
// Spec: openspec/specs/packer/spec.md#requirement-success-needs-evidence
// Diagram: openspec/specs/packer/diagram.md#from-bytes-to-outcome

package packer

import (
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/packer/output"
)

// Limits of the artifacts of one run: far beyond any real build.
const (
	maxBuilds    = 64
	maxArtifacts = 256
	maxFiles     = 4096
)

// builds is what the stream said about artifacts, by build.
type builds map[string]*build

type build struct {
	count     int // announced by artifact-count
	counted   bool
	malformed string // the first record that made no sense
	artifacts map[int]*announced
}

// announced is one artifact of the stream.
type announced struct {
	Artifact
	none  bool // announced as nil
	ended bool // its end record came
}

// add takes a record about artifacts; others are ignored.
func (b builds) add(rec output.Record) {
	if rec.Type != output.TypeArtifact && rec.Type != output.TypeArtifactCount {
		return
	}
	one := b[rec.Target]
	if one == nil {
		if len(b) >= maxBuilds {
			return
		}
		one = &build{artifacts: map[int]*announced{}}
		b[rec.Target] = one
	}
	ok := false
	if rec.Type == output.TypeArtifactCount {
		ok = one.setCount(rec.Data)
	} else {
		ok = one.artifact(rec.Target, rec.Data)
	}
	if !ok && one.malformed == "" {
		one.malformed = fmt.Sprintf("%s %.200q", rec.Type, rec.Data)
	}
}

func (b *build) setCount(data []string) bool {
	if len(data) != 1 || b.counted {
		return false
	}
	n, err := strconv.Atoi(data[0])
	b.count, b.counted = n, true
	return err == nil && n >= 0 && n <= maxArtifacts
}

// artifact takes INDEX,KEY,VALUE... It accepts unknown keys, but nothing after
// the end record.
func (b *build) artifact(target string, data []string) bool {
	if len(data) < 2 {
		return false
	}
	index, err := strconv.Atoi(data[0])
	if err != nil || index < 0 || index >= maxArtifacts {
		return false
	}
	a := b.artifacts[index]
	if a == nil {
		a = &announced{Artifact: Artifact{Build: target}}
		b.artifacts[index] = a
	}
	if a.ended {
		return false
	}
	switch key, value := data[1], data[2:]; {
	case key == "end":
		a.ended = true
	case key == "nil":
		a.none = true
	case key == "builder-id" && len(value) == 1:
		a.BuilderID = value[0]
	case key == "id" && len(value) == 1:
		a.ID = value[0]
	case key == "string" && len(value) == 1:
		a.Text = value[0]
	case key == "file" && len(value) == 2 && len(a.Files) < maxFiles:
		a.Files = append(a.Files, value[1])
	case key == "builder-id", key == "id", key == "string", key == "file":
		return false
	}
	return true
}

// complete returns the artifacts of all builds in the order of their names. The
// error says why there is not at least one whole artifact for the source (any
// build when it is empty).
func (b builds) complete(source string) ([]Artifact, error) {
	var all []Artifact
	wanted := 0
	for _, target := range slices.Sorted(maps.Keys(b)) {
		one := b[target]
		switch ended := one.ended(); {
		case one.malformed != "":
			return nil, fmt.Errorf("packer's report on the artifacts of %s makes no sense: %s", target, one.malformed)
		case !one.counted || ended != one.count || len(one.artifacts) != one.count:
			return nil, fmt.Errorf("packer announced %d artifacts of %s and finished reporting %d", one.count, target, ended)
		}
		for _, i := range slices.Sorted(maps.Keys(one.artifacts)) {
			if a := one.artifacts[i]; !a.none {
				all = append(all, a.Artifact)
				if source == "" || output.IsBuild(target, source) {
					wanted++
				}
			}
		}
	}
	if wanted == 0 && source != "" {
		return all, fmt.Errorf("packer reported no artifact of %s", source)
	}
	if wanted == 0 {
		return nil, fmt.Errorf("packer reported no artifact")
	}
	return all, nil
}

func (b *build) ended() int {
	n := 0
	for _, a := range b.artifacts {
		if a.ended {
			n++
		}
	}
	return n
}
