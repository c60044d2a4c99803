// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:50:00Z
// Spec: openspec/specs/security/spec.md#requirement-an-answer-never-ends-a-run
// Diagram: openspec/specs/security/diagram.md#an-answer-that-is-null

package platform

import (
	"context"
	"strings"
	"testing"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// broken is a client of a platform that panics.
type broken struct{}

func (broken) Find(context.Context, string) ([]hybridcore.URI, error) { panic("no find") }

func (broken) Reap(context.Context, hybridcore.Remains, bool) ([]hybridcore.URI, error) {
	panic("no reap")
}

func (broken) Mark(context.Context, hybridcore.URI, hybridcore.Mark) (bool, error) { panic("no mark") }

func (broken) Look(context.Context, []hybridcore.URI) ([]hybridcore.Seen, error) { panic("no look") }

func (broken) Fingerprint(context.Context, []hybridcore.URI) ([]hybridcore.Seen, error) {
	panic("no fingerprint")
}

func (broken) Close(context.Context) error { panic("no close") }

// TestLibraryPanics checks that a panic inside of a client is an error of each call.
func TestLibraryPanics(t *testing.T) {
	t.Parallel()
	c, err := Contained(func() (Client, error) { return broken{}, nil })
	if err != nil {
		t.Fatal(err)
	}
	_, open := Contained(func() (Client, error) { panic("no opening") })
	found, find := c.Find(t.Context(), "x")
	done, reap := c.Reap(t.Context(), hybridcore.Remains{}, false)
	changed, mark := c.Mark(t.Context(), hybridcore.URI{}, hybridcore.Mark{})
	_, look := c.Look(t.Context(), nil)
	_, fingerprint := c.Fingerprint(t.Context(), nil)
	for want, err := range map[string]error{
		"no opening": open, "no find": find, "no reap": reap, "no mark": mark, "no close": c.Close(t.Context()),
		"no look": look, "no fingerprint": fingerprint,
	} {
		if err == nil || !strings.Contains(err.Error(), "the platform's answer could not be used") ||
			!strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
	if len(found) > 0 || len(done) > 0 || changed {
		t.Error(found, done, changed)
	}
}
