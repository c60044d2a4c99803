// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T01:55:00Z
// Spec: openspec/specs/leases/spec.md#requirement-reap-exactly-what-a-dead-run-left
// Diagram: openspec/specs/leases/diagram.md#reap

package platforms

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/lab/fault"
)

// The CDs that the dead run's Packer had made: one is of a machine of its own in
// some cases, one has no machine, and somebody has put one into another machine.
const (
	builtISO   = "packer1902627640.iso"
	looseISO   = "packer55.iso"
	mountedISO = "packer888.iso"
)

// remains are what to look for, with names that Packer gives to no CD.
var remains = hybridcore.Remains{
	Name: deadName, RunID: deadRun,
	Media: []string{builtISO, looseISO, mountedISO, "debian-12.iso", "debian.iso", "../iso/" + builtISO, "*", "packer*.iso", ""},
}

// bed is one simulated platform with what belongs to others on it, and a client.
type bed struct {
	*testing.T
	Client
	faults    *fault.Injector
	prefix    string          // path of the calls that reach the platform's objects, in rules
	effects   string          // method and path of the calls that change something
	denied    string          // rules that refuse every removal
	hands     []string        // how a person removes what the first case leaves
	orphans   []orphan        // the first is the richest
	inventory func() []string // all that there is, one line each, sorted
}

// orphan is a way in which a build ends without cleaning up.
type orphan struct {
	name  string
	leave func() []string // makes the leftovers of deadRun and deadName: KIND IDENTIFIER of each
}

// platformBeds are the simulators, each with all the look-alikes of a leftover that must stay.
var platformBeds = map[hybridcore.Platform]func(*testing.T) *bed{
	hybridcore.Proxmox: proxmoxBed,
	hybridcore.Azure:   azureBed,
	hybridcore.VSphere: vsphereBed,
}

// conform runs a test on all platforms.
func conform(t *testing.T, test func(*bed)) {
	t.Helper()
	for platform, begin := range platformBeds {
		t.Run(string(platform), func(t *testing.T) {
			t.Parallel()
			b := begin(t)
			b.T = t
			test(b)
		})
	}
}

// lines are URIs as orphan.leave writes them.
func lines(uris []hybridcore.URI) []string {
	list := make([]string, 0, len(uris))
	for _, u := range uris {
		list = append(list, u.Kind+" "+u.ID)
	}
	slices.Sort(list)
	return list
}

// same compares lists whose order does not matter.
func same(t *testing.T, what string, want, got []string) {
	t.Helper()
	want, got = slices.Sorted(slices.Values(want)), slices.Sorted(slices.Values(got))
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// reap calls Reap for the dead run.
func (b *bed) reap(t *testing.T, dry bool) []string {
	t.Helper()
	got, err := b.Reap(t.Context(), remains, dry)
	if err != nil {
		t.Errorf("Reap(dry %v): %v", dry, err)
	}
	return lines(got)
}

// inject replaces the fault rules.
func (b *bed) inject(t *testing.T, text string) {
	t.Helper()
	b.faults.Clear()
	if err := b.faults.Load(text); err != nil {
		t.Fatal(err)
	}
}

// TestConformanceOrphans checks for each way to leave something that it is listed, removed and then gone,
// and that nothing else changes.
func TestConformanceOrphans(t *testing.T) {
	t.Parallel()
	conform(t, func(b *bed) {
		t := b.T
		before := b.inventory()
		for _, o := range b.orphans {
			left := o.leave()
			full := b.inventory()
			for range 2 {
				same(t, o.name+": a dry run lists", left, b.reap(t, true))
			}
			same(t, o.name+": after dry runs there is", full, b.inventory())
			same(t, o.name+": removed is", left, b.reap(t, false))
			same(t, o.name+": afterwards there is", before, b.inventory())
			same(t, o.name+": a second run removes", nil, b.reap(t, false))
			same(t, o.name+": after that there is", before, b.inventory())
		}
	})
}

// TestConformanceInterrupted breaks off at every call that changes something, after it took effect, and at
// ever later ones of all calls, before. It checks that the next run ends the work and that nothing is removed twice.
func TestConformanceInterrupted(t *testing.T) {
	t.Parallel()
	conform(t, func(b *bed) {
		t := b.T
		for n := 1; b.interrupted(t, b.effects+" nth="+strconv.Itoa(n)+" status=403 after"); n++ {
		}
		for n, next := 1, 2; b.interrupted(t, "* "+b.prefix+" nth="+strconv.Itoa(n)+" status=403"); n, next = next, n+next {
		}
	})
}

// interrupted runs into a rule and then without. It reports whether the rule hit, and so may a later one.
func (b *bed) interrupted(t *testing.T, rule string) bool {
	t.Helper()
	before := b.inventory()
	left := b.orphans[0].leave()
	b.inject(t, rule)
	first, err := b.Reap(t.Context(), remains, false)
	hit := b.faults.Hits()[0] > 0
	b.faults.Clear()
	if err != nil && !strings.Contains(err.Error(), "by hand") && !strings.Contains(err.Error(), "looking for") {
		t.Errorf("%s: the error does not say what is left: %v", rule, err)
	}
	second := b.reap(t, false)
	for _, u := range lines(first) {
		if slices.Contains(second, u) || !slices.Contains(left, u) {
			t.Errorf("%s: %s was removed twice", rule, u)
		}
	}
	same(t, rule+": in the end there is", before, b.inventory())
	return hit && !t.Failed()
}

// TestConformanceDropped checks a connection that breaks when a removal has begun.
func TestConformanceDropped(t *testing.T) {
	t.Parallel()
	conform(t, func(b *bed) {
		t := b.T
		before := b.inventory()
		left := b.orphans[0].leave()
		b.inject(t, b.effects+" nth=1 drop after")
		first, err := b.Reap(t.Context(), remains, false)
		if len(first) != len(left) && (err == nil || !strings.Contains(err.Error(), "by hand")) {
			t.Errorf("removed %v, %v", first, err)
		}
		b.reap(t, false)
		same(t, "in the end there is", before, b.inventory())
	})
}

// TestConformanceDenied checks that an account without permissions removes nothing, and that the error says
// for each leftover what it is and how to remove it.
func TestConformanceDenied(t *testing.T) {
	t.Parallel()
	conform(t, func(b *bed) {
		t := b.T
		left := b.orphans[0].leave()
		full := b.inventory()
		b.inject(t, b.denied)
		got, err := b.Reap(t.Context(), remains, false)
		if err == nil || len(got) != 0 {
			t.Fatalf("removed %v, %v; want an error", got, err)
		}
		for _, line := range left {
			_, id, _ := strings.Cut(line, " ")
			if !strings.Contains(err.Error(), id) {
				t.Errorf("the error does not name %s: %v", id, err)
			}
		}
		for _, hand := range append(b.hands, "packer-hybrid reap again") {
			if !strings.Contains(err.Error(), hand) {
				t.Errorf("the error does not say %q: %v", hand, err)
			}
		}
		same(t, "there is", full, b.inventory())
		b.faults.Clear()
		same(t, "removed is", left, b.reap(t, false))
	})
}

// TestConformanceRateLimit checks that a platform which asks for patience gets it.
func TestConformanceRateLimit(t *testing.T) {
	t.Parallel()
	conform(t, func(b *bed) {
		t := b.T
		left := b.orphans[0].leave()
		b.inject(t, "* "+b.prefix+" nth=1 status=429\n* "+b.prefix+" nth=4 status=429")
		same(t, "removed is", left, b.reap(t, false))
		if hits := b.faults.Hits(); hits[0] != 1 || hits[1] != 1 {
			t.Errorf("the rules hit %v", hits)
		}
	})
}

// TestConformanceNames checks names that are no names, or not the run's: none of them reaches anything.
func TestConformanceNames(t *testing.T) {
	t.Parallel()
	conform(t, func(b *bed) {
		t := b.T
		left := b.orphans[0].leave()
		full := b.inventory()
		for _, name := range []string{
			deadName + "-copy-2", deadName[:len(deadName)-2], deadName + " ", deadName + "\x00", "D" + deadName[1:], "debian-12-*", "*", "",
			"debi\u0430n-12-" + deadRun, deadName + "' or 'a' eq 'a", `debian-12-` + deadRun + `" OR name="x`, "../" + deadName, deadName + "%", deadName + "%00",
		} {
			if got, err := b.Reap(t.Context(), hybridcore.Remains{Name: name, RunID: deadRun}, false); len(got) != 0 || (err != nil) != (name == "") {
				t.Errorf("Reap(%q) = %v, %v", name, got, err)
			}
			if found, err := b.Find(t.Context(), name); len(found) != 0 || err != nil {
				t.Errorf("Find(%q) = %v, %v", name, found, err)
			}
		}
		for _, run := range []string{"", deadRun[:len(deadRun)-1], deadRun + "1", strings.ToUpper(deadRun), deadRun + "' or tagName eq 'artifact", "*"} {
			if got, err := b.Reap(t.Context(), hybridcore.Remains{Name: "debian-12", RunID: run}, false); len(got) != 0 || (err != nil) != (run == "") {
				t.Errorf("Reap of run %q = %v, %v", run, got, err)
			}
		}
		same(t, "there is", full, b.inventory())
		same(t, "a dry run lists", left, b.reap(t, true))
	})
}
