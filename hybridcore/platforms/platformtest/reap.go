// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T01:55:00Z
// Spec: openspec/specs/leases/spec.md#requirement-reap-exactly-what-a-dead-run-left
// Diagram: openspec/specs/leases/diagram.md#reap

package platformtest

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/platforms/platform"
	"github.com/packer-hybrid/packer-hybrid/lab/fault"
)

// remains are what to look for, with names that Packer gives to no CD.
var remains = hybridcore.Remains{
	Name:  DeadName,
	RunID: DeadRun,
	Media: []string{
		BuiltISO,
		LooseISO,
		MountedISO,
		"debian-12.iso",
		"debian.iso",
		"../iso/" + BuiltISO,
		"*",
		"packer*.iso",
		"",
	},
}

// Bed is one simulated platform with what belongs to others on it, and a client.
type Bed struct {
	platform.Client
	Faults    *fault.Injector
	Prefix    string          // path of the calls that reach the platform's objects, in rules
	Effects   string          // method and path of the calls that change something
	Denied    string          // rules that refuse every removal
	Hands     []string        // how a person removes what the first case leaves
	Orphans   []Orphan        // the first is the richest
	Inventory func() []string // all that there is, one line each, sorted
}

// Orphan is a way in which a build ends without cleaning up.
type Orphan struct {
	Name  string
	Leave func() []string // makes the leftovers of DeadRun and DeadName: KIND IDENTIFIER of each
}

// Reap checks what a client does with what a dead run left, on a bed of its own for
// each test.
func Reap(t *testing.T, begin func(*testing.T) *Bed) {
	for name, test := range map[string]func(*Bed, *testing.T){
		"orphans": (*Bed).removesOrphans, "interrupted": (*Bed).goesOn, "dropped": (*Bed).survivesDrops,
		"denied": (*Bed).saysWhatIsDenied, "rate limit": (*Bed).waits, "names": (*Bed).takesExactNames,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(begin(t), t)
		})
	}
}

// ReapDead calls Reap for the dead run.
func (b *Bed) ReapDead(t *testing.T, dry bool) []string {
	t.Helper()
	got, err := b.Reap(t.Context(), remains, dry)
	if err != nil {
		t.Errorf("Reap(dry %v): %v", dry, err)
	}
	return Lines(got)
}

// Inject replaces the fault rules.
func (b *Bed) Inject(t *testing.T, text string) {
	t.Helper()
	b.Faults.Clear()
	if err := b.Faults.Load(text); err != nil {
		t.Fatal(err)
	}
}

// removesOrphans checks for each way to leave something that it is listed, removed and then gone,
// and that nothing else changes.
func (b *Bed) removesOrphans(t *testing.T) {
	before := b.Inventory()
	for _, o := range b.Orphans {
		left := o.Leave()
		full := b.Inventory()
		for range 2 {
			Same(t, o.Name+": a dry run lists", left, b.ReapDead(t, true))
		}
		Same(t, o.Name+": after dry runs there is", full, b.Inventory())
		Same(t, o.Name+": removed is", left, b.ReapDead(t, false))
		Same(t, o.Name+": afterwards there is", before, b.Inventory())
		Same(t, o.Name+": a second run removes", nil, b.ReapDead(t, false))
		Same(t, o.Name+": after that there is", before, b.Inventory())
	}
}

// goesOn breaks off at every call that changes something, after it took effect, and at
// ever later ones of all calls, before. It checks that the next run ends the work and that nothing is removed twice.
func (b *Bed) goesOn(t *testing.T) {
	for n := 1; b.interrupted(t, b.Effects+" nth="+strconv.Itoa(n)+" status=403 after"); n++ {
	}
	for n, next := 1, 2; b.interrupted(t, "* "+b.Prefix+" nth="+strconv.Itoa(n)+" status=403"); n, next = next, n+next {
	}
}

// interrupted runs into a rule and then without. It reports whether the rule hit, and so may a later one.
func (b *Bed) interrupted(t *testing.T, rule string) bool {
	t.Helper()
	before := b.Inventory()
	left := b.Orphans[0].Leave()
	b.Inject(t, rule)
	first, err := b.Reap(t.Context(), remains, false)
	hit := b.Faults.Hits()[0] > 0
	b.Faults.Clear()
	if err != nil && !strings.Contains(err.Error(), "by hand") && !strings.Contains(err.Error(), "looking for") {
		t.Errorf("%s: the error does not say what is left: %v", rule, err)
	}
	second := b.ReapDead(t, false)
	for _, u := range Lines(first) {
		if slices.Contains(second, u) || !slices.Contains(left, u) {
			t.Errorf("%s: %s was removed twice", rule, u)
		}
	}
	Same(t, rule+": in the end there is", before, b.Inventory())
	return hit && !t.Failed()
}

// survivesDrops checks a connection that breaks when a removal has begun.
func (b *Bed) survivesDrops(t *testing.T) {
	before := b.Inventory()
	left := b.Orphans[0].Leave()
	b.Inject(t, b.Effects+" nth=1 drop after")
	first, err := b.Reap(t.Context(), remains, false)
	if len(first) != len(left) && (err == nil || !strings.Contains(err.Error(), "by hand")) {
		t.Errorf("removed %v, %v", first, err)
	}
	b.ReapDead(t, false)
	Same(t, "in the end there is", before, b.Inventory())
}

// saysWhatIsDenied checks that an account without permissions removes nothing, and that the error says
// for each leftover what it is and how to remove it.
func (b *Bed) saysWhatIsDenied(t *testing.T) {
	left := b.Orphans[0].Leave()
	full := b.Inventory()
	b.Inject(t, b.Denied)
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
	for _, hand := range append(b.Hands, "packer-hybrid reap again") {
		if !strings.Contains(err.Error(), hand) {
			t.Errorf("the error does not say %q: %v", hand, err)
		}
	}
	Same(t, "there is", full, b.Inventory())
	b.Faults.Clear()
	Same(t, "removed is", left, b.ReapDead(t, false))
}

// waits checks that a platform which asks for patience gets it.
func (b *Bed) waits(t *testing.T) {
	left := b.Orphans[0].Leave()
	b.Inject(t, "* "+b.Prefix+" nth=1 status=429\n* "+b.Prefix+" nth=4 status=429")
	Same(t, "removed is", left, b.ReapDead(t, false))
	if hits := b.Faults.Hits(); hits[0] != 1 || hits[1] != 1 {
		t.Errorf("the rules hit %v", hits)
	}
}

// takesExactNames checks names that are no names, or not the run's: none of them reaches anything.
func (b *Bed) takesExactNames(t *testing.T) {
	left := b.Orphans[0].Leave()
	full := b.Inventory()
	for _, name := range []string{
		DeadName + "-copy-2", DeadName[:len(DeadName)-2], DeadName + " ", DeadName + "\x00",
		"D" + DeadName[1:], "debian-12-*", "*", "",
		"debi\u0430n-12-" + DeadRun, DeadName + "' or 'a' eq 'a", `debian-12-` + DeadRun + `" OR name="x`,
		"../" + DeadName, DeadName + "%", DeadName + "%00",
	} {
		if got, err := b.Reap(t.Context(), hybridcore.Remains{Name: name, RunID: DeadRun}, false); len(got) != 0 ||
			(err != nil) != (name == "") {
			t.Errorf("Reap(%q) = %v, %v", name, got, err)
		}
		if found, err := b.Find(t.Context(), name); len(found) != 0 || err != nil {
			t.Errorf("Find(%q) = %v, %v", name, found, err)
		}
	}
	for _, run := range []string{
		"", DeadRun[:len(DeadRun)-1], DeadRun + "1", strings.ToUpper(DeadRun), DeadRun + "' or tagName eq 'artifact", "*",
	} {
		if got, err := b.Reap(t.Context(), hybridcore.Remains{Name: "debian-12", RunID: run}, false); len(got) != 0 ||
			(err != nil) != (run == "") {
			t.Errorf("Reap of run %q = %v, %v", run, got, err)
		}
	}
	Same(t, "there is", full, b.Inventory())
	Same(t, "a dry run lists", left, b.ReapDead(t, true))
}
