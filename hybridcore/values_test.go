// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T22:40:00Z
// Spec: openspec/specs/values/spec.md#requirement-targets-and-digests
// Diagram: openspec/specs/values/diagram.md#from-request-to-record

package hybridcore

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const canary = "hunter2-Very-Secret"

func secretTarget() Target {
	return Target{
		Source: "vsphere-iso.linux",
		Image:  Image{Name: "debian-12"}, Platform: VSphere, Env: "lab",
		Files: []File{
			{Path: "common.pkr.hcl", SHA256: "aa", Common: true},
			{Path: "vsphere.pkr.hcl", SHA256: "bb"},
		},
		Variables: []Variable{
			{Name: "cpu", JSON: "2", Common: true},
			{Name: "vsphere_folder", JSON: `"golden"`},
			{Name: "vsphere_endpoint", JSON: `"a"`, Connection: true},
			{Name: "run_id", JSON: `"r1"`, Run: true, Common: true},
			{Name: "vsphere_password", JSON: `"` + canary + `"`, Sensitive: true, Connection: true},
		},
	}
}

func TestSecretsStayOutOfText(t *testing.T) {
	target := secretTarget()
	encoded, err := json.Marshal(target)
	if err != nil {
		t.Fatal(err)
	}
	var logged strings.Builder
	slog.New(slog.NewJSONHandler(&logged, nil)).Info("x", "v", target.Variables[4], "t", target)
	for name, text := range map[string]string{
		"json": string(encoded), "%v": fmt.Sprintf("%v", target), "%+v": fmt.Sprintf("%+v", target),
		"%#v": fmt.Sprintf("%#v", target), "slog": logged.String(),
	} {
		if strings.Contains(text, canary) {
			t.Errorf("%s shows the secret: %s", name, text)
		}
	}
	if got := target.Secrets()["vsphere_password"]; got != canary {
		t.Errorf("Secrets() = %q", got)
	}
}

func TestSeal(t *testing.T) {
	versions := map[string]string{"packer": "1.15.0"}
	base := secretTarget()
	base.Seal(versions)
	want := map[string]string{
		"source": "vsphere-iso.linux", "file:common.pkr.hcl": "aa", "file:vsphere.pkr.hcl": "bb",
		"var:cpu": "2", "var:vsphere_folder": `"golden"`, "packer": "1.15.0",
	}
	if diff := cmp.Diff(want, base.Inputs); diff != "" {
		t.Errorf("inputs (-want +got):\n%s", diff)
	}
	tests := []struct {
		name           string
		change         func(*Target)
		digest, recipe bool // whether they must change
	}{
		{"another source", func(t *Target) { t.Source = "vsphere-clone.linux" }, true, false},
		{"another endpoint", func(t *Target) { t.Variables[2].JSON = `"b"` }, false, false},
		{"another run", func(t *Target) { t.Variables[3].JSON = `"r2"` }, false, false},
		{"another password", func(t *Target) { t.Variables[4].JSON = `"x"` }, false, false},
		{"a common variable", func(t *Target) { t.Variables[0].JSON = "4" }, true, true},
		{"a platform variable", func(t *Target) { t.Variables[1].JSON = `"x"` }, true, false},
		{"a common file", func(t *Target) { t.Files[0].SHA256 = "cc" }, true, true},
		{"a platform file", func(t *Target) { t.Files[1].SHA256 = "cc" }, true, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			changed := secretTarget()
			tt.change(&changed)
			changed.Seal(versions)
			if got := changed.Digest != base.Digest; got != tt.digest {
				t.Errorf("digest changed: %v, want %v", got, tt.digest)
			}
			if got := changed.Recipe != base.Recipe; got != tt.recipe {
				t.Errorf("recipe changed: %v, want %v", got, tt.recipe)
			}
		})
	}
}

func TestDigestOfIsUnambiguous(t *testing.T) {
	a := DigestOf(map[string]string{"a": "b1:c"})
	b := DigestOf(map[string]string{"a": "b", "c": ""})
	if a == b {
		t.Error("two maps have one digest")
	}
}

func TestExitCode(t *testing.T) {
	form := []Finding{{Kind: KindSyntax, Blocking: true}}
	rule := []Finding{{Kind: KindSyntax, Blocking: true}, {Kind: "leak", Blocking: true}}
	tests := []struct {
		err  error
		want int
	}{
		{nil, ExitOK},
		{errors.New("x"), ExitFailed},
		{fmt.Errorf("a: %w", Usagef("x")), ExitUsage},
		{fmt.Errorf("a: %w", fmt.Errorf("b: %w", Blockedf("x"))), ExitBlocked},
		{&FindingsError{Findings: form}, ExitUsage},
		{&FindingsError{Findings: rule}, ExitBlocked},
	}
	for _, tt := range tests {
		if got := ExitCode(tt.err); got != tt.want {
			t.Errorf("ExitCode(%v) = %d, want %d", tt.err, got, tt.want)
		}
	}
}

func TestOverall(t *testing.T) {
	tests := []struct {
		in   []Status
		want Status
	}{
		{nil, UnchangedDone},
		{[]Status{UnchangedDone, Built}, Built},
		{[]Status{Built, Failed, BlockedStatus}, Failed},
		{[]Status{Failed, Cancelled}, Cancelled},
		{[]Status{Validated, Validated}, Validated},
		{[]Status{Validated, Failed}, Failed},
	}
	for _, tt := range tests {
		var results []Result
		for _, s := range tt.in {
			results = append(results, Result{Status: s})
		}
		if got := Overall(results); got != tt.want {
			t.Errorf("Overall(%v) = %s, want %s", tt.in, got, tt.want)
		}
	}
}

func TestFindingString(t *testing.T) {
	f := Finding{
		Message: "no such attribute", File: "a.hcl", Line: 3, Column: 5, Source: "bot_iso = 1",
		Hint: `did you mean "boot_iso"?`,
	}
	want := "a.hcl:3:5: no such attribute\n    bot_iso = 1\n  hint: did you mean \"boot_iso\"?"
	if got := f.String(); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestRunIDSortsByTimeAndIsAName(t *testing.T) {
	early := NewRunID(time.Date(2026, 11, 22, 22, 0, 0, 0, time.UTC))
	for _, late := range []string{
		NewRunID(time.Date(2026, 11, 22, 22, 0, 1, 0, time.UTC)), NewRunID(time.Date(2026, 11, 22, 22, 0, 0, 1e6, time.UTC)),
		NewRunID(time.Date(2026, 11, 22, 22, 0, 0, 999e6, time.UTC)),
	} {
		if early >= late || len(late) != len("20261122t224501-1a2b3c4d") {
			t.Errorf("%s is not before %s", early, late)
		}
	}
	if err := CheckName("run", early); err != nil {
		t.Error(err)
	}
}

func TestIsObjectID(t *testing.T) {
	t.Parallel()
	sha1 := strings.Repeat("0a", 20)
	for text, want := range map[string]bool{
		sha1: true, strings.Repeat("f9", 32): true, sha1[1:]: false, sha1 + "0": false, strings.ToUpper(sha1): false,
		"":              false,
		sha1[2:] + "zz": false, sha1[1:] + "\n": false,
	} {
		if IsObjectID(text) != want {
			t.Errorf("%q: want %v", text, want)
		}
	}
}

func TestDistinct(t *testing.T) {
	t.Parallel()
	a, b := Finding{Kind: KindSyntax, Line: 1}, Finding{Kind: KindSyntax, Line: 2}
	if got := Distinct([]Finding{b, a, b, a, a}); !slices.Equal(got, []Finding{b, a}) {
		t.Errorf("%v", got)
	}
}
