// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:59:56Z
// Spec: openspec/specs/state/spec.md#requirement-values-for-another-process
// Diagram: openspec/specs/state/diagram.md#objects

package state

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

func sealedStep(t *testing.T) (hybridcore.ReleaseStep, []byte, string) {
	t.Helper()
	step := hybridcore.ReleaseStep{
		Target: "debian-12@azure", Started: time.Date(2026, 11, 30, 1, 2, 3, 4, time.UTC),
		Duration: time.Second, Failure: "no \"write\"\n",
	}
	data, sum, err := Seal("step", step)
	if err != nil {
		t.Fatal(err)
	}
	return step, data, sum
}

func TestSealedIsTheSameValue(t *testing.T) {
	step, data, sum := sealedStep(t)
	got, again, err := Unseal[hybridcore.ReleaseStep]("step", data)
	if err != nil || again != sum || cmp.Diff(step, got) != "" {
		t.Errorf("%v, %s after %s, %s", err, again, sum, cmp.Diff(step, got))
	}
	if only, err := Sum("step", step); err != nil || only != sum {
		t.Errorf("%s, %v", only, err)
	}
	if other, err := Sum("another", step); err != nil || other == sum {
		t.Errorf("another kind has the same checksum: %s, %v", other, err)
	}
}

func TestSealedRefuses(t *testing.T) {
	_, data, sum := sealedStep(t)
	for name, tt := range map[string]struct{ data, want string }{
		"another kind":  {strings.Replace(string(data), `"kind":"step"`, `"kind":"part"`, 1), "and no step"},
		"another value": {strings.Replace(string(data), "azure", "azura", 1), "it was changed after it was written"},
		"another checksum": {
			strings.Replace(string(data), sum, strings.Repeat("0", 64), 1),
			"it was changed after it was written",
		},
		"null":            {"null", "is null"},
		"null inside":     {strings.Replace(string(data), `"debian-12@azure"`, "null", 1), "is null"},
		"an array":        {"[]", "it is no step"},
		"cut short":       {string(data[:len(data)-1]), "cut short"},
		"more than one":   {string(data) + "{}", "it is no step"},
		"a name twice":    {strings.Replace(string(data), `{"f`, `{"kind":"step","f`, 1), "is there twice"},
		"an unknown name": {strings.Replace(string(data), `"target"`, `"targets"`, 1), "not a name of this format"},
		"a later format": {
			strings.Replace(string(data), `"format_version":1`, `"format_version":2`, 1),
			"newer packer-hybrid",
		},
		"an earlier format": {strings.Replace(string(data), `"format_version":1`, `"format_version":0`, 1), "never existed"},
		"huge":              {strings.Repeat(" ", MaxSealed+1), "at most 16777216 are read"},
		"empty":             {"", "it is empty"},
	} {
		_, _, err := Unseal[hybridcore.ReleaseStep]("step", []byte(tt.data))
		if hybridcore.ExitCode(err) != hybridcore.ExitBlocked || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: want %q, got %v", name, tt.want, err)
		}
	}
	for i := range data { // each byte counts, also white space
		bad := bytes.Clone(data)
		bad[i] ^= 1
		got, _, err := Unseal[hybridcore.ReleaseStep]("step", bad)
		if err == nil {
			t.Errorf("byte %d changed to %q gives %+v", i, bad[i], got)
		}
	}
	if _, _, err := Seal("step", hybridcore.ReleaseStep{Failure: strings.Repeat("x",
		MaxSealed)}); hybridcore.ExitCode(err) != hybridcore.ExitBlocked {
		t.Errorf("more than can be read is written: %v", err)
	}
}
