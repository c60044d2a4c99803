// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:35:20Z
// Spec: openspec/specs/plan/spec.md#requirement-remembered-verdicts
// Diagram: openspec/specs/plan/diagram.md#verdicts

package plan

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// canary is a secret.
const canary = "Canary-3f9a-build-password"

func same(text string) string { return text }

func clean(key string) Verdict {
	return Verdict{
		Key: key, Of: "20261122t224501-1a2b3c4d", At: time.Date(2026, 11, 22, 22, 45, 1, 0, time.UTC),
		Findings: []hybridcore.Finding{},
		Results:  []hybridcore.Result{{Target: "debian-12@vsphere", Status: hybridcore.Validated}},
	}
}

func TestVerdictsAreRemembered(t *testing.T) {
	t.Parallel()
	v := Verdicts(filepath.Join(t.TempDir(), "verdicts"))
	want := clean(strings.Repeat("a", 64))
	v.Remember(want, same)
	got, ok := v.Recall(want.Key)
	if diff := cmp.Diff(want, got); !ok || diff != "" {
		t.Errorf("recalled %v (-want +got):\n%s", ok, diff)
	}
	if _, ok := v.Recall(strings.Repeat("b", 64)); ok {
		t.Error("another key has a verdict")
	}
	for _, none := range []func() (Verdict, bool){
		func() (Verdict, bool) { return v.Recall("") },
		func() (Verdict, bool) { return Verdicts("").Recall(want.Key) },
	} {
		if _, ok := none(); ok {
			t.Error("a verdict out of nothing")
		}
	}
}

func TestDamagedVerdictsAreNone(t *testing.T) {
	t.Parallel()
	v := Verdicts(t.TempDir())
	want := clean(strings.Repeat("a", 64))
	v.Remember(want, same)
	text, err := os.ReadFile(v.file(want.Key))
	if err != nil {
		t.Fatal(err)
	}
	damaged := [][]byte{
		nil, []byte("null"), []byte("[]"), bytes.Replace(text, []byte("aaa"), []byte("aab"), 1),
		bytes.Replace(text, []byte("validated"), []byte("failed"), 1),
	}
	for n := range len(text) {
		damaged = append(damaged, text[:n])
	}
	for _, d := range damaged {
		if err := os.WriteFile(v.file(want.Key), d, 0o600); err != nil {
			t.Fatal(err)
		}
		if got, ok := v.Recall(want.Key); ok {
			t.Errorf("%q gives %+v", d, got)
		}
	}
}

func TestOnlyHarmlessVerdictsAreKept(t *testing.T) {
	t.Parallel()
	finding := func(kind string, blocking bool) []hybridcore.Finding {
		return []hybridcore.Finding{{Kind: kind, Message: "m", Blocking: blocking, Severity: hybridcore.Error}}
	}
	for name, tt := range map[string]struct {
		change func(*Verdict)
		keep   bool
	}{
		"clean":            {func(*Verdict) {}, true},
		"a warning":        {func(v *Verdict) { v.Findings = finding(hybridcore.KindVariable, false) }, true},
		"form":             {func(v *Verdict) { v.Findings, v.Results = finding(hybridcore.KindSchema, true), nil }, true},
		"a leak":           {func(v *Verdict) { v.Findings, v.Results = finding("leak", true), nil }, false},
		"drift":            {func(v *Verdict) { v.Findings, v.Results = finding("drift", true), nil }, false},
		"failed":           {func(v *Verdict) { v.Results[0].Status = hybridcore.Failed }, false},
		"cancelled":        {func(v *Verdict) { v.Results[0].Status = hybridcore.Cancelled }, false},
		"Packer's finding": {func(v *Verdict) { v.Results[0].Findings = finding(hybridcore.KindSyntax, false) }, false},
		"nothing":          {func(v *Verdict) { v.Results = nil }, false},
		"a secret": {func(v *Verdict) {
			v.Findings = finding(hybridcore.KindSchema,
				false)
			v.Findings[0].Message = canary
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := Verdicts(t.TempDir())
			verdict := clean(strings.Repeat("a", 64))
			tt.change(&verdict)
			v.Remember(verdict, func(text string) string { return strings.ReplaceAll(text, canary, "***") })
			if _, ok := v.Recall(verdict.Key); ok != tt.keep {
				t.Errorf("kept: %v, want %v", ok, tt.keep)
			}
		})
	}
}

func TestVerdictsAreBounded(t *testing.T) {
	t.Parallel()
	v := Verdicts(t.TempDir())
	for i := range maxVerdicts + 5 {
		verdict := clean(fmt.Sprintf("%064d", i))
		v.Remember(verdict, same)
		at := time.Now().Add(time.Duration(i-1000) * time.Second)
		if err := os.Chtimes(v.file(verdict.Key), at, at); err != nil {
			t.Fatal(err)
		}
	}
	v.trim()
	entries, err := os.ReadDir(string(v))
	if err != nil || len(entries) != maxVerdicts {
		t.Errorf("%d verdicts, %v; want %d", len(entries), err, maxVerdicts)
	}
	if _, ok := v.Recall(fmt.Sprintf("%064d", 0)); ok {
		t.Error("the oldest one is still there")
	}
}
