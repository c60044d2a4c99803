// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T14:25:00Z
// Spec: openspec/specs/platforms/spec.md#requirement-fingerprints
// Diagram: openspec/specs/platforms/diagram.md#fingerprint

package platformtest

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/platforms/platform"
	"github.com/packer-hybrid/packer-hybrid/lab/fault"
)

// least is how many changes each platform plants.
const least = 12

// FingerprintBed is a platform with what a build left: Released, in one or more objects.
type FingerprintBed struct {
	*testing.T
	platform.Client
	Faults  *fault.Injector
	All     string // method and path of the calls that look at objects, in rules
	One     string // of a call that reads one object, or many by their identifiers
	URIs    []hybridcore.URI
	Facts   []string // names of facts that a fingerprint has at least, of the first object
	Changes []Change
}

// Change is one that somebody makes to an object after it was built.
type Change struct {
	What string
	Of   int    // the object, by its place
	Make func() // makes it
	Told string // what a comparison says: see told
}

// told is what a fingerprint and a later look come to, in words.
func told(was hybridcore.Fingerprint, now hybridcore.Seen) string {
	var said []string
	add := func(yes bool, word string) {
		if yes {
			said = append(said, word)
		}
	}
	switch {
	case now.Unseen != "":
		add(true, "unseen")
	case !now.There():
		add(true, "gone")
	case was.Replaced(now.Facts):
		add(true, "replaced")
	default:
		add(now.Now.Name != was.Of.Name, "name")
		add(now.Now.Kind != was.Of.Kind, "kind")
		for _, c := range was.Changes(now.Facts) {
			add(!c.Half(), c.Name)
			add(c.Half(), "half: "+c.Name)
		}
	}
	add(now.Twin != hybridcore.URI{}, "twin")
	return strings.Join(said, ", ")
}

// Fingerprint checks that a client sees each change that is planted, and none where
// nothing was changed.
func Fingerprint(t *testing.T, begin func(*testing.T) *FingerprintBed) {
	t.Helper()
	first := begin(t)
	if len(first.Changes) < least {
		t.Errorf("%d changes are planted, want %d", len(first.Changes), least)
	}
	first.same()
	first.troubles()
	for i, change := range first.Changes {
		t.Run(change.What, func(t *testing.T) {
			t.Parallel()
			b := begin(t)
			was := b.taken()
			b.Changes[i].Make()
			now, err := b.Fingerprint(t.Context(), b.URIs)
			if err != nil || len(now) != len(b.URIs) {
				t.Fatalf("%+v, %v", now, err)
			}
			for n, one := range now {
				want := change.Told
				if n != change.Of {
					want = ""
				}
				if got := told(was[n], one); got != want {
					t.Errorf("%s: told %q, want %q\nwas %v\nnow %+v", one.Of.Kind, got, want, was[n], one)
				}
			}
			b.short(now)
		})
	}
}

// taken takes the fingerprints of all objects.
func (b *FingerprintBed) taken() []hybridcore.Fingerprint {
	b.Helper()
	seen, err := b.Fingerprint(b.Context(), b.URIs)
	if err != nil || len(seen) != len(b.URIs) {
		b.Fatalf("%+v, %v", seen, err)
	}
	var all []hybridcore.Fingerprint
	for i, one := range seen {
		if one.Of != b.URIs[i] || one.Now != one.Of || one.Unseen != "" || one.Twin != (hybridcore.URI{}) ||
			len(one.Facts) == 0 {
			b.Fatalf("seen %+v", one)
		}
		all = append(all, hybridcore.Fingerprint{Of: one.Of, Facts: one.Facts})
	}
	return all
}

// same checks that nothing has changed where nothing was: not by a second look, nor by a
// release.
func (b *FingerprintBed) same() {
	b.Helper()
	was := b.taken()
	for _, name := range b.Facts {
		if was[0].Facts[name] == "" {
			b.Errorf("a fingerprint without %q: %v", name, was[0].Facts)
		}
	}
	for _, of := range b.URIs {
		if _, err := b.Mark(b.Context(), of, firstMark); err != nil {
			b.Fatal(err)
		}
	}
	if diff := cmp.Diff(was, b.taken()); diff != "" {
		b.Errorf("after a release (-before +after):\n%s", diff)
	}
	now, err := b.Look(b.Context(), b.URIs)
	if err != nil {
		b.Fatal(err)
	}
	b.short(now)
	if seen, err := b.Fingerprint(b.Context(), nil); err != nil || len(seen) != 0 {
		b.Errorf("of nothing: %v, %v", seen, err)
	}
	for _, wrong := range []hybridcore.URI{
		{},
		{Kind: b.URIs[0].Kind, Name: Released},
		{Kind: "table", Name: Released, ID: b.URIs[0].ID},
		{Kind: b.URIs[0].Kind, Name: Released, ID: "../../access"},
	} {
		seen, err := b.Fingerprint(b.Context(), []hybridcore.URI{wrong})
		if err == nil && seen[0].There() {
			b.Errorf("%+v is said to be %+v", wrong, seen[0].Now)
		}
	}
}

// short checks that a look by lists says what a look at everything says of existence, kind and
// name.
func (b *FingerprintBed) short(whole []hybridcore.Seen) {
	b.Helper()
	quick, err := b.Look(b.Context(), b.URIs)
	if err != nil || len(quick) != len(whole) {
		b.Fatalf("%+v, %v", quick, err)
	}
	for i, one := range quick {
		if one.There() != whole[i].There() || (one.Unseen == "") != (whole[i].Unseen == "") ||
			one.Now.Kind != whole[i].Now.Kind {
			b.Errorf("by lists %+v, by itself %+v", one, whole[i])
		}
	}
}

// troubles checks that nothing is said to be gone, changed or well when the platform refuses,
// breaks off or does not answer.
func (b *FingerprintBed) troubles() {
	b.Helper()
	for _, effect := range []string{
		"status=403", "status=500", "cut", "drop", `status=429 header="Retry-After: 3600"`, "delay=1m",
	} {
		for _, calls := range []string{b.All, b.One} {
			b.Faults.Clear()
			if err := b.Faults.Load(calls + " " + effect); err != nil {
				b.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(b.Context(), 1500*time.Millisecond)
			seen, err := b.Fingerprint(ctx, b.URIs)
			cancel()
			hits := b.Faults.Hits()[0]
			if hits == 0 {
				b.Errorf("%s %s: nothing was hit", calls, effect)
			}
			unseen := slices.ContainsFunc(seen, func(one hybridcore.Seen) bool { return one.Unseen != "" })
			if err == nil && !unseen {
				b.Errorf("%s %s: seen %+v", calls, effect, seen)
			}
			for _, one := range seen {
				if one.Unseen == "" && !one.There() {
					b.Errorf("%s %s: %s is said to be gone", calls, effect, one.Of.Kind)
				}
			}
		}
	}
	b.Faults.Clear()
}
