// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T05:30:00Z
// Spec: openspec/specs/platforms/spec.md#requirement-marks-of-a-release
// Diagram: openspec/specs/platforms/diagram.md#mark

package platformtest

import (
	"strings"
	"testing"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/platforms/platform"
	"github.com/packer-hybrid/packer-hybrid/lab/fault"
)

// Released is the name of an artifact that is to be marked.
const Released = "debian-12-20261102t000000-0badcafe"

// Theirs is what people write into notes.
const Theirs = "Owner: Zoë <ops@example.org>; 100% \"mine\" & 'yours' \\ 日本\n\n" +
	"packer-hybrid release v0.9: debian-12, run somebody-said-so\n#!/bin/sh $(touch /tmp/x)"

var firstMark = hybridcore.Mark{
	Release: "v1.0.0",
	Image:   "debian-12",
	RunID:   "20261102t000000-0badcafe",
	Commit:  strings.Repeat("ab", 20),
}

// MarkBed is a platform with complete artifacts that have somebody's notes.
type MarkBed struct {
	*testing.T
	platform.Client
	Faults *fault.Injector
	URIs   []hybridcore.URI
	Read   func(int) string // all notes and tags of an artifact
	Edit   func(int)        // somebody adds "edited by hand"
	Remove func()           // all artifacts
	Writes []string         // method and path of the calls that mark, of the first artifact first
	Blind  string           // kind of artifact without versions: what is edited at the same time may be lost
}

// inject has calls go wrong.
func (b *MarkBed) inject(effect string, calls ...string) {
	b.Helper()
	b.Faults.Clear()
	for _, call := range calls {
		if err := b.Faults.Load(call + " " + effect); err != nil {
			b.Fatal(err)
		}
	}
}

// kept says whether all lines of before are in after.
func kept(before, after string) bool {
	for line := range strings.SplitSeq(before, "\n") {
		if line, tags := strings.CutPrefix(line, "tags "); tags {
			if !strings.Contains(after, "tags "+line) {
				return false
			}
		} else if !strings.Contains("\n"+after+"\n", "\n"+line+"\n") {
			return false
		}
	}
	return true
}

// Mark checks that a client adds a mark once, beside what is there, and to nothing else.
func Mark(t *testing.T, begin func(*testing.T) *MarkBed) {
	t.Helper()
	b := begin(t)
	for i, of := range b.URIs {
		b.adds(i, of)
		b.refusals(i, of)
		b.repeats(i, of)
		b.concurrent(i, of)
	}
	b.Remove()
	for i, of := range b.URIs {
		_, err := b.Mark(b.Context(), of, firstMark)
		if err == nil || !strings.Contains(err.Error(), "there is no "+of.Kind+" "+of.ID) || b.Read(i) != "gone" {
			t.Errorf("%s is gone: %v", of.Kind, err)
		}
	}
}

// adds marks an artifact for two releases: each once, beside what is there.
func (b *MarkBed) adds(i int, of hybridcore.URI) {
	b.Helper()
	before := b.Read(i)
	second := firstMark
	second.Release = "v1.1.0"
	for _, m := range []hybridcore.Mark{firstMark, second} {
		if changed, err := b.Mark(b.Context(), of, m); !changed || err != nil {
			b.Errorf("%s, %s: changed %v, %v", of.Kind, m.Release, changed, err)
		}
		once := b.Read(i)
		if changed, err := b.Mark(b.Context(), of, m); changed || err != nil || b.Read(i) != once {
			b.Errorf("%s, %s again: changed %v, %v\n%s", of.Kind, m.Release, changed, err, b.Read(i))
		}
	}
	after := b.Read(i)
	if !kept(before, after) || strings.Count(after, firstMark.Text()) != 2 || !strings.Contains(after, "v1.0.0") ||
		!strings.Contains(after, "v1.1.0") {
		b.Errorf("%s: before\n%s\nafter\n%s", of.Kind, before, after)
	}
}

// refusals are marks that change nothing.
func (b *MarkBed) refusals(i int, of hybridcore.URI) {
	b.Helper()
	before := b.Read(i)
	other := firstMark
	other.RunID = "20261103t000000-00000001"
	if _, err := b.Mark(b.Context(), of, other); hybridcore.ExitCode(err) != hybridcore.ExitBlocked ||
		!strings.Contains(err.Error(), firstMark.Text()) {
		b.Errorf("%s: of another build: %v", of.Kind, err)
	}
	third := firstMark
	third.Release = "v1.2.0"
	b.inject("status=403", b.Writes...)
	_, err := b.Mark(b.Context(), of, third)
	b.Faults.Clear()
	if err == nil || !strings.Contains(err.Error(), of.ID) || !strings.Contains(err.Error(), "v1.2.0") {
		b.Errorf("%s: without permission: %v", of.Kind, err)
	}
	for _, wrong := range []hybridcore.URI{
		{},
		{Kind: of.Kind, Name: of.Name},
		{Kind: of.Kind, ID: of.ID},
		{Kind: of.Kind, Name: of.Name + "x", ID: of.ID},
		{Kind: "vm", Name: of.Name, ID: of.ID},
		{Kind: of.Kind, Name: of.Name, ID: of.ID + "/../1"},
		{Kind: hybridcore.KindIncomplete + of.Kind, Name: of.Name, ID: of.ID},
		{Kind: of.Kind, Name: "*", ID: "*"},
	} {
		if changed, err := b.Mark(b.Context(), wrong, third); changed || err == nil {
			b.Errorf("%+v was marked: %v, %v", wrong, changed, err)
		}
	}
	if after := b.Read(i); after != before {
		b.Errorf("%s: before\n%s\nafter\n%s", of.Kind, before, after)
	}
}

// repeats breaks off when the mark is made, and makes it again.
func (b *MarkBed) repeats(i int, of hybridcore.URI) {
	b.Helper()
	third := firstMark
	third.Release = "v1.3.0"
	b.inject("nth=1 status=403 after", b.Writes...)
	_, _ = b.Mark(b.Context(), of, third) // whether it is an error is the platform's affair
	b.Faults.Clear()
	if _, err := b.Mark(b.Context(), of, third); err != nil {
		b.Errorf("%s: again: %v", of.Kind, err)
	}
	if after := b.Read(i); strings.Count(after, "release v1.3.0: ")+strings.Count(after, "release-v1.3.0=") != 1 {
		b.Errorf("%s: interrupted and repeated:\n%s", of.Kind, after)
	}
}

// concurrent lets somebody edit an artifact while it is marked.
func (b *MarkBed) concurrent(i int, of hybridcore.URI) {
	b.Helper()
	fourth := firstMark
	fourth.Release = "v1.4.0"
	if of.Kind == b.Blind {
		b.Edit(i)
		_, err := b.Mark(b.Context(), of, fourth)
		if after := b.Read(i); err != nil || !strings.Contains(after, "edited by hand") ||
			!strings.Contains(after, "v1.4.0") {
			b.Errorf("%s: %v\n%s", of.Kind, err, after)
		}
		return
	}
	b.inject("nth=1 delay=1500ms", b.Writes[0])
	marked := make(chan error, 1)
	go func() {
		_, err := b.Mark(b.Context(), of, fourth)
		marked <- err
	}()
	for deadline := time.Now().Add(10 * time.Second); b.Faults.Hits()[0] == 0 && time.Now().Before(deadline); {
		time.Sleep(5 * time.Millisecond)
	}
	b.Edit(i)
	if err := <-marked; err != nil {
		b.Errorf("%s: %v", of.Kind, err)
	}
	b.Faults.Clear()
	if after := b.Read(i); !strings.Contains(after, "edited by hand") || !strings.Contains(after, "v1.4.0") {
		b.Errorf("%s: an edit or the mark is lost:\n%s", of.Kind, after)
	}
}
